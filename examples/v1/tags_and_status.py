import azureml.core
from azureml.core import Workspace
from azureml.core.experiment import Experiment

ws = Workspace.from_config()
exp = Experiment(workspace=ws, name="tags-and-status")

# --- tags and properties -------------------------------------------------------------
run = exp.start_logging(display_name="tagged", snapshot_directory=None)
run.tag("owner", "data science")
run.tag("quality", "fantastic run")
run.tag("reviewed")
run.set_tags({"release": "1.0", "quality": "good"})
run.add_properties({"author": "azureml-user", "commit": "a1b2c3"})
print(run.get_tags())
print({key: value for key, value in run.get_properties().items() if not key.startswith("azureml.")})
if run.get_tags().get("quality") == "good":
    run.log("quality known", True)
run.log("tags", len(run.get_tags()))
run.complete()
print(run.get_status())

# --- ways to end -----------------------------------------------------------------------
run = exp.start_logging(display_name="failed", snapshot_directory=None)
run.log("loss", 12.5)
try:
    raise ValueError("the loss explodes")
except ValueError as error:
    run.fail(error_details=str(error), error_code="Diverged")
print(run.get_status())

run = exp.start_logging(display_name="canceled", snapshot_directory=None)
run.log("loss", 0.5)
run.cancel()
print(run.get_status())

# --- context managers ------------------------------------------------------------------
with exp.start_logging(snapshot_directory=None) as run:
    run.log("loss", 0.25)
    with run.child_run(name="inner") as child:
        child.log("loss", 0.125)

try:
    with exp.start_logging(snapshot_directory=None) as run:
        run.log("loss", 0.75)
        raise RuntimeError("out of memory")
except RuntimeError as error:
    print("caught:", error)
