"""The tour of the logging API: scalars, lists, rows, tables, images, files - and everything read back."""
import math
import os

import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np

import azureml.core
from azureml.core import Experiment, Workspace

# Check core SDK version number
print("This notebook was created using SDK version 1.41.0, you are currently running version", azureml.core.VERSION)

ws = Workspace.from_config()
print('Workspace name: ' + ws.name,
      'Azure region: ' + ws.location,
      'Resource group: ' + ws.resource_group, sep='\n')

experiment = Experiment(workspace=ws, name='logging-api-test')

# start logging for the run
run = experiment.start_logging()

# access the run id for use later
run_id = run.id

# change the scale factor on different runs to see how you can compare multiple runs
scale_factor = 2

# change the category on different runs to see how to organize data in reports
category = 'Red'

# log numbers
run.log(name="scale factor", value=scale_factor)
run.log(name="pi", value=math.pi, description="the ratio")
run.log('Magic Number', 42 * scale_factor)

# log strings
run.log(name='Category', value=category)

# log a list of numbers
fibonacci_values = [0, 1, 1, 2, 3, 5, 8]
scaled_values = (i * scale_factor for i in fibonacci_values)
run.log_list(name='Fibonacci', value=scaled_values)

for i in range(10):
    run.log('Sigmoid', 1 / (1 + np.exp(-i)))

# create a dictionary to hold a table of values
sines = {}
sines['angle'] = []
sines['sine'] = []

for i in range(-4, 5):
    angle = i / 2.0 * scale_factor
    # log a 2 (or more) values as a metric repeatedly. This will generate a 2-variable line chart if you have 2 numerical columns.
    run.log_row(name='Cosine Wave', angle=angle, cos=np.cos(angle))

    sines['angle'].append(angle)
    sines['sine'].append(np.sin(angle))

# log a dictionary as a table, this will generate a 2-variable chart if you have 2 numerical columns
run.log_table(name='Sine Wave', value=sines)

# a table with strings
run.log_table('Cities', {'city': ['Redmond', 'Praha', 'Redmond'], 'visits': [3, 1, 3], 'share': [0.5, None, 0.25]})

# Create a plot using matplotlib
angle = np.linspace(-3, 3, 50) * scale_factor
plt.plot(angle, np.tanh(angle), label='tanh')
plt.legend(fontsize=12)
plt.title('Hyperbolic Tangent', fontsize=16)
plt.grid(True)

# Log the plot to the run.  To log an arbitrary image, use the form run.log_image(name, path='./image_path.png')
run.log_image(name='Hyperbolic Tangent', plot=plt)

# save the plot and log it from the file
plt.savefig('tanh.png')
run.log_image(name='From file', path='./tanh.png')

file_name = 'outputs/myfile.txt'
os.makedirs('outputs', exist_ok=True)
with open(file_name, "w") as f:
    f.write('This is an output file that will be uploaded.\n')
# Upload the file explicitly into artifacts
run.upload_file(name=file_name, path_or_stream=file_name)

run.complete()

fetched_metrics = run.get_metrics()
print(fetched_metrics['Fibonacci'], fetched_metrics['Category'])
print(run.get_metrics(name='scale factor'))
print(sorted(run.get_file_names())[-1])

os.makedirs('files', exist_ok=True)
for f in run.get_file_names():
    dest = os.path.join('files', f.split('/')[-1])
    print('Downloading file {} to {}...'.format(f, dest) if f == file_name else '...')
    if f == file_name:
        run.download_file(f, dest)
with open(os.path.join('files', 'myfile.txt')) as f:
    print(f.read())
