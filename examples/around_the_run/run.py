"""A notebook's worth of the Azure ML SDK v1, unedited: data, compute, environment, a submitted script, a model."""

import os
import random

from azureml.core import Dataset, Environment, Experiment, Model, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.conda_dependencies import CondaDependencies

here = os.path.dirname(os.path.abspath(__file__))

ws = Workspace.from_config()
print(ws.name, ws.resource_group, ws.location, ws.subscription_id, sep="\n")

# The data: a CSV in the default datastore, registered as a dataset.
random.seed(1)
os.makedirs("data", exist_ok=True)
with open("data/points.csv", "w") as file:
    file.write("x,y\n")
    for _ in range(200):
        x = random.random()
        file.write(f"{x:.4f},{2 * x + 1 + random.gauss(0, 0.05):.4f}\n")
datastore = ws.get_default_datastore()
datastore.upload_files(["data/points.csv"], target_path="points", overwrite=True, show_progress=True)
dataset = Dataset.Tabular.from_delimited_files(path=[(datastore, "points/points.csv")])
dataset = dataset.register(workspace=ws, name="points", description="A noisy line", create_new_version=True)
print(dataset.name, dataset.version, dataset.take(3).to_pandas_dataframe(), sep="\n")

# The cluster: found, or created.
cluster_name = "cpu-cluster"
try:
    compute_target = ComputeTarget(workspace=ws, name=cluster_name)
    print("Found existing cluster, use it.")
except ComputeTargetException:
    configuration = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
    compute_target = ComputeTarget.create(ws, cluster_name, configuration)
compute_target.wait_for_completion(show_output=True)

# The environment.
environment = Environment("train-env")
environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["mlflow", "pandas"])
environment.register(workspace=ws)

# The run.
experiment = Experiment(workspace=ws, name="around-the-run")
config = ScriptRunConfig(
    source_directory=os.path.join(here, "src"),
    script="train.py",
    arguments=["--data", dataset.as_named_input("points"), "--epochs", 30, "--learning-rate", 0.5],
    compute_target=compute_target,
    environment=environment,
)
run = experiment.submit(config, tags={"story": "line"})
run.wait_for_completion(show_output=True)

metrics = run.get_metrics()
print("rows:", metrics["rows"], "final loss:", round(metrics["loss"][-1], 4))
print(run.get_file_names())
run.download_file("outputs/line.json", "line.json")

# The model.
model = run.register_model(
    model_name="line", model_path="outputs/line.json", tags={"kind": "line"}, datasets=[("training data", dataset)]
)
print(model.name, model.version, sep="\t")
print("found again:", Model(ws, "line").id == model.id)
