#!/usr/bin/env python
# coding: utf-8

# # Learning curves
# Exported from a notebook: imports are where they were needed first, and no run is completed.

# In[1]:


import azureml.core
from azureml.core import Experiment, Workspace

print('SDK version:', azureml.core.VERSION)


# In[2]:


ws = Workspace.from_config()
exp = Experiment(workspace=ws, name='learning-curves')
run = exp.start_logging()


# In[3]:


import math
import os

os.makedirs('outputs', exist_ok=True)
curve = []
for size in [10, 20, 40, 80]:
    error = 1 / math.sqrt(size)
    curve.append(error)
    run.log('size', size)
    run.log('error', error)
run.log_list('curve', curve)


# In[4]:


import json

with open('outputs/curve.json', 'w') as f:
    json.dump(curve, f)

second = exp.start_logging(display_name='summary', snapshot_directory=None)
second.log('best error', min(curve))
second.tag('of', 'learning curves')
