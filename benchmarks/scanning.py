"""How long `azml-compat scan` takes for a body of scripts and notebooks, and the resolver for a thousand lines.

    python benchmarks/scanning.py [--files 1567] [--lines 200] [--json PATH]

The body is made up of what public scripts do - training, experiments, datasets, compute, pipelines, deployment - and of
as much other Python as it takes to have so many lines; a third of the files are notebooks.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from azml_compat._migrate.resolving import resolve

_MAX_SECONDS = 60.0
_MAX_SECONDS_PER_LINE = 50e-6
_PIECES = {
    "training": """\
import argparse
from azureml.core import Run

def train(run, rate, epochs):
    for epoch in range(epochs):
        loss = 1 / (1 + rate * epoch)
        run.log("loss", loss, step=epoch)
    run.log_list("rates", [rate] * 3)
    run.log_row("summary", epochs=epochs, loss=loss)
    return loss

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=0.1)
options = parser.parse_args()
run = Run.get_context()
with run.child_run("trial") as child:
    train(child, options.rate, 10)
train(run, options.rate, 20)
run.upload_file("outputs/model.pkl", "model.pkl")
run.register_model(model_name="model", model_path="outputs/model.pkl")
run.complete()
""",
    "experiments": """\
import azureml.core
from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.widgets import RunDetails

print(azureml.core.VERSION)
ws = Workspace.from_config()
print(ws.name, ws.resource_group, ws.location, ws.subscription_id, sep="\\n")
experiment = Experiment(workspace=ws, name="trial")
env = Environment("env")
env.python.conda_dependencies = CondaDependencies.create(pip_packages=["scikit-learn"])
env.docker.enabled = True
config = ScriptRunConfig(source_directory=".", script="train.py", environment=env)
config.run_config.node_count = 2
runs = [experiment.submit(config) for _ in range(3)]
for submitted in runs:
    RunDetails(submitted).show()
    submitted.wait_for_completion(show_output=True)
best = max(runs, key=lambda each: each.get_metrics()["accuracy"])
print(best.id, best.get_file_names())
""",
    "compute": """\
from azureml.core import Dataset, Datastore, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException

ws = Workspace.from_config()
try:
    target = ComputeTarget(workspace=ws, name="cluster")
except ComputeTargetException:
    settings = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
    target = ComputeTarget.create(ws, "cluster", settings)
    target.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
print(target.get_status().serialize())
store = ws.get_default_datastore()
store.upload_files(["data.csv"], target_path="data", overwrite=True)
table = Dataset.Tabular.from_delimited_files(path=[(store, "data/data.csv")])
table = table.register(workspace=ws, name="table", create_new_version=True)
frame = table.to_pandas_dataframe()
files = Dataset.get_by_name(ws, "files").as_named_input("files").as_mount()
""",
    "pipeline": """\
from azureml.core import Experiment, Workspace
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep
from azureml.train.hyperdrive import BanditPolicy, HyperDriveConfig, RandomParameterSampling, choice

ws = Workspace.from_config()
output = PipelineData("output", datastore=ws.get_default_datastore())
step = PythonScriptStep(name="step", script_name="step.py", outputs=[output], compute_target="cpu")
pipeline = Pipeline(workspace=ws, steps=[step])
submitted = Experiment(ws, "pipeline").submit(pipeline)
submitted.wait_for_completion()
for child in submitted.find_step_run("step"):
    print(child.get_status())
sampling = RandomParameterSampling({"rate": choice(0.1, 0.2)})
search = HyperDriveConfig(hyperparameter_sampling=sampling, policy=BanditPolicy(slack_factor=0.1))
best = Experiment(ws, "search").submit(search).get_best_run_by_primary_metric()
""",
    "deployment": """\
from azureml.core import Environment, Model, Workspace
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AciWebservice, Webservice

ws = Workspace.from_config()
model = Model.register(workspace=ws, model_name="model", model_path="model.pkl", tags={"a": "b"})
settings = InferenceConfig(entry_script="score.py", environment=Environment.get(ws, "env"))
size = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1)
service = Model.deploy(ws, "service", [model], settings, size)
service.wait_for_deployment(show_output=True)
print(service.scoring_uri, Webservice(ws, "service").get_logs())
service.delete()
""",
}
_OTHER = """\
def summarize_{number}(rows, limit=10):
    found = {{}}
    for index, row in enumerate(rows):
        if row.get("name") and index < limit:
            found.setdefault(row["name"].strip().lower(), []).append(float(row["value"]) * 2)
    return {{name: sum(values) / len(values) for name, values in found.items()}}

frame_{number} = read_table("data/{number}.csv", sep=",").dropna().reset_index(drop=True)
model_{number} = Pipeline_([("scale", Scaler()), ("fit", Regressor(alpha=0.{number}))]).fit(frame_{number}.values)
print("{number}", model_{number}.score(frame_{number}.values), summarize_{number}(frame_{number}.rows()))
"""


def script(random_: random.Random, lines: int) -> list[str]:
    """Make up a script, as pieces of it."""
    pieces = [_PIECES[name] for name in random_.sample(sorted(_PIECES), 2)]
    count = sum(piece.count("\n") for piece in pieces)
    while count < lines:
        pieces.insert(random_.randrange(1, len(pieces) + 1), _OTHER.format(number=len(pieces)))
        count += pieces[-1].count("\n") or 10
    return pieces


def write_body(folder: Path, files: int, lines: int) -> int:
    """Write the body; return how many lines of Python it has."""
    random_ = random.Random(0)
    total = 0
    for number in range(files):
        pieces = script(random_, lines)
        total += sum(piece.count("\n") for piece in pieces)
        if number % 3:
            (folder / f"script_{number}.py").write_text("\n".join(pieces))
            continue
        cells = [
            {"cell_type": "code", "metadata": {}, "outputs": [], "source": piece.splitlines(keepends=True)}
            for piece in pieces
        ]
        (folder / f"notebook_{number}.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}, indent=1))
    return total


def resolving(lines: int) -> float:
    """Return the processor's seconds that the resolver takes for a line of one long script."""
    tree = ast.parse("\n".join(script(random.Random(1), lines)))
    began = time.process_time()
    resolve(tree)
    return (time.process_time() - began) / lines


def main() -> int:
    """Print what it takes; the exit code is 1 when it takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1567)
    parser.add_argument("--lines", type=int, default=200, help="of each file, about")
    parser.add_argument("--json", type=Path, help="where to write the numbers as well")
    options = parser.parse_args()
    per_line = min(resolving(1000) for _ in range(5))
    with tempfile.TemporaryDirectory() as name:
        total = write_body(Path(name), options.files, options.lines)
        began = time.perf_counter()
        command = [sys.executable, "-m", "azml_compat", "scan", name, "--format", "json"]
        found = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime
    if found.returncode != 1:
        raise RuntimeError(f"the scan ended with {found.returncode}")
    summary = json.loads(found.stdout)["summary"]
    print(
        f"{options.files:,} files, {total:,} lines: {seconds:.1f} s, must be <= {_MAX_SECONDS:.0f} s; "
        f"{processor:.1f} s of processor time"
    )
    print(f"resolver: {per_line * 1e6:.1f} ms for 1,000 lines, must be <= {_MAX_SECONDS_PER_LINE * 1e6:.0f} ms")
    print(f"{sum(summary['calls'].values()):,} calls of azureml, {summary['calls_covered']:.1%} covered")
    if options.json:
        content = {
            "files": options.files,
            "lines": total,
            "seconds": seconds,
            "processor": processor,
            "seconds_per_line": per_line,
        }
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0 if seconds <= _MAX_SECONDS and per_line <= _MAX_SECONDS_PER_LINE else 1


if __name__ == "__main__":
    sys.exit(main())
