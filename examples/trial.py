from azureml.core import Workspace
from azureml.core.authentication import InteractiveLoginAuthentication

sid = 'a817a155-2099-4dcb-80ae-e5c2ea0e248e'
forced_interactive_auth = InteractiveLoginAuthentication(tenant_id="0f942ca0-ebef-4f26-80f8-f501d599ba90", force=True)
ws = Workspace.create(name='azureml_workspace', subscription_id=sid, resource_group='rgazureml',
                      create_resource_group=True, location='centralus')

from azureml.core import Experiment
exp = Experiment(workspace=ws, name='trial_exp')
run = exp.start_logging()
run.log('trial', 30)
run.log_list('my list', [1, 1, 2, 3, 5, 8, 13, 21, 34, 55])
run.complete()
print('Finished logging')

run = exp.start_logging()
run.log('trial2', 35)
run.log_list('my list2', [1, 1, 2, 2, 5, 5, 13, 13, 13, 13])
run.complete()
