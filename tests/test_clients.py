"""Packages from PyPI, unmodified, whose own code logs through azureml.core: what reaches MLflow under the alias.

Each script runs in an environment where azml_compat is installed and the Azure ML SDK is not; what it left is read by
plain MLflow.
"""

from __future__ import annotations

import json
import shutil
import textwrap

import pytest

from tests.environments import python_of, run

pytestmark = pytest.mark.extra

# Prints {name of the experiment: its runs, oldest first}.
RECORDED = """
import json, mlflow, sys

assert "azml_compat" not in sys.modules
client = mlflow.MlflowClient("sqlite:///mlflow.db")
found = {}
for experiment in client.search_experiments():
    for run in client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"]):
        folder = [""]
        files = []
        while folder:
            for file in client.list_artifacts(run.info.run_id, folder.pop()):
                (folder if file.is_dir else files).append(file.path)
        metrics = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
        found.setdefault(experiment.name, []).append({
            "id": run.info.run_id,
            "name": run.info.run_name,
            "status": run.info.status,
            "parent": run.data.tags.get("mlflow.parentRunId"),
            "params": run.data.params,
            "tags": list(run.data.tags),
            "metrics": {key: [point.value for point in points] for key, points in metrics.items()},
            "files": sorted(file for file in files if not file.startswith("azml_compat/")),
        })
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def python():
    return python_of("clients")


@pytest.fixture(scope="module")
def template(python, tmp_path_factory):
    """An initialised database of the MLflow that is there."""
    folder = tmp_path_factory.mktemp("template")
    run([python, "-W", "ignore", "-c", RECORDED], folder)
    return folder / "mlflow.db"


@pytest.fixture
def record(python, template, tmp_path):
    """Run a script under the alias, and return what MLflow then has: {experiment: its runs, oldest first}."""

    def run_script(code, launcher=("-m", "azml_compat"), **variables):
        shutil.copyfile(template, tmp_path / "mlflow.db")
        (tmp_path / "script.py").write_text(textwrap.dedent(code))
        run([python, "-W", "ignore", *launcher, "script.py"], tmp_path, MPLBACKEND="agg", **variables)
        return json.loads(run([python, "-W", "ignore", "-c", RECORDED], tmp_path).stdout)

    return run_script


def test_the_azure_ml_sdk_is_not_installed(python, tmp_path):
    assert run([python, "-c", "import azureml"], tmp_path, check=False).returncode == 1


# transformers


CALLBACK = """
    from transformers import TrainerControl, TrainerState
    from transformers.integrations import AzureMLCallback, is_azureml_available
    from transformers.trainer_callback import CallbackHandler

    assert is_azureml_available()
    state, control = TrainerState(is_world_process_zero={is_first}), TrainerControl()
    handler = CallbackHandler([AzureMLCallback()], None, None, None, None)
    handler.on_init_end(None, state, control)
    for epoch, loss in enumerate([0.5, 0.25]):
        logs = {{"loss": loss, "epoch": epoch, "eval_loss": 2 * loss, "note": "no number"}}
        handler.on_log(None, state, control, logs)
    handler.on_log(None, state, control, {{"train_runtime": 12.5}})
"""


def test_the_callback_of_transformers(record):
    (run,) = record(CALLBACK.format(is_first=True))["script"]

    assert run["status"] == "FINISHED"
    assert run["metrics"] == {"loss": [0.5, 0.25], "epoch": [0, 1], "eval_loss": [1, 0.5], "train_runtime": [12.5]}


def test_the_callback_of_transformers_in_another_rank(record):
    assert record(CALLBACK.format(is_first=False)) == {}


# hi-ml


TRAINING = """
    import torch
    from health_ml.utils import AzureMLLogger, log_on_epoch
    from pytorch_lightning import LightningModule, Trainer

    class Model(LightningModule):
        def __init__(self, learning_rate, layers):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch, index):
            loss = self.layer(batch).square().mean()
            self.log("loss", loss, on_step=True, on_epoch=True)
            log_on_epoch(self, "half", 0.5)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), self.hparams.learning_rate)

    quiet = dict.fromkeys(["enable_checkpointing", "enable_model_summary", "enable_progress_bar"], False)
    logger = AzureMLLogger({arguments})
    trainer = Trainer(max_epochs=2, log_every_n_steps=1, logger=logger, **quiet)
    trainer.fit(Model(0.25, {{"hidden": [3, 4]}}), torch.utils.data.DataLoader(torch.ones(8, 2), batch_size=4))
"""


def is_what_the_training_logs(run):
    metrics = run["metrics"]
    assert run["status"] == "FINISHED"
    assert [len(metrics[key]) for key in ("loss_step", "loss_epoch", "half")] == [4, 2, 2]
    assert metrics["loss_step"] == sorted(metrics["loss_step"], reverse=True)
    assert metrics["half"] == [0.5, 0.5]
    assert sorted(metrics) == ["epoch", "half", "loss_epoch", "loss_step"]
    return True


def test_the_logger_of_hi_ml_in_a_training_by_lightning(record):
    (run,) = record(TRAINING.format(arguments=""))["script"]

    assert is_what_the_training_logs(run)


def test_the_logger_of_hi_ml_with_a_run_of_its_own(record):
    """As hi-ml does outside Azure, where its context is an offline run."""
    arguments = "True, 'trials', run_name='first', workspace=__import__('azureml.core').core.Workspace.from_config()"
    recorded = record(TRAINING.format(arguments=arguments), AZML_COMPAT_OFFLINE="1")
    (run,) = recorded.pop("trials")

    assert is_what_the_training_logs(run)
    assert run["name"] == "first"
    assert recorded == {}


def test_importing_hi_ml_leaves_no_run(record):
    """It asks for the context, and for the parent of that, when it is imported."""
    assert record("import health_azure; assert health_azure.is_running_in_azure_ml()") == {}


def test_the_tools_of_hi_ml_read_what_was_logged(record):
    recorded = record("""
        import logging
        from pathlib import Path
        from azureml.core import Workspace
        from health_azure import create_aml_run_object, download_files_from_run_id, fetch_run
        from health_azure.utils import create_run_recovery_id, get_metrics_for_run, is_run_and_child_runs_completed

        workspace = Workspace.from_config()
        run = create_aml_run_object("tools", run_name="one", workspace=workspace)
        run.log("loss", 0.5)
        run.log_list("accuracy", [0.25, 0.75])
        Path("model.txt").write_text("weights")
        run.upload_file("outputs/model.txt", "model.txt")
        run.complete()

        assert fetch_run(workspace, create_run_recovery_id(run)).id == run.id
        assert get_metrics_for_run(run=run) == {"loss": 0.5, "accuracy": [0.25, 0.75]}
        assert get_metrics_for_run(run_id=run.id, aml_workspace=workspace, keep_metrics=["loss"]) == {"loss": 0.5}
        assert is_run_and_child_runs_completed(run)
        download_files_from_run_id(run.id, Path("down"), prefix="outputs", workspace=workspace)
        assert Path("down/outputs/model.txt").read_text() == "weights"
    """)
    (run,) = recorded["tools"]

    assert run["status"] == "FINISHED"
    assert run["metrics"] == {"loss": [0.5], "accuracy": [0.25, 0.75]}
    assert "outputs/model.txt" in run["files"]


# fastai


def test_the_callback_of_fastai(record):
    recorded = record("""
        import torch
        from fastai.basics import DataLoaders, Learner, mae
        from fastai.callback.azureml import AzureMLCallback
        from fastai.callback.progress import ProgressCallback

        data = torch.utils.data.TensorDataset(torch.ones(8, 2), torch.zeros(8, 1))
        loaders = DataLoaders.from_dsets(data, data, bs=4, device="cpu", num_workers=0)
        callback = AzureMLCallback()
        learner = Learner(loaders, torch.nn.Linear(2, 1), torch.nn.MSELoss(), cbs=[callback], lr=0.01, metrics=[mae])
        with learner.no_bar():
            learner.fit(2)
    """)
    (run,) = recorded["script"]
    metrics = run["metrics"]

    assert run["status"] == "FINISHED"
    assert run["params"] == {"model_class": "<class 'torch.nn.modules.linear.Linear'>"}
    assert metrics["n_epoch"] == [2]
    assert metrics["batch__train_iter"] == [1, 2, 3, 4]
    assert metrics["batch__opt.hypers.lr"] == 4 * [0.01]
    assert [len(metrics[key]) for key in ("batch__loss", "epoch__train_loss", "epoch__mae", "epoch__time")] == [
        4,
        2,
        2,
        2,
    ]
    assert run["files"] == ["outputs/model_summary.txt"]


# Arcus


def test_the_trainer_of_arcus(python, record):
    recorded = record(
        """
        from arcus.azureml.environment.aml_environment import AzureMLEnvironment
        from arcus.azureml.experimenting.aml_trainer import AzureMLTrainer
        from azureml.core import Workspace
        from sklearn.datasets import make_classification
        from sklearn.linear_model import LogisticRegression

        trainer = AzureMLTrainer("classifiers", Workspace.from_config())
        features, labels = make_classification(80, random_state=0)
        for strength in (0.01, 1.0):
            run = trainer.new_run("regression", copy_folder=False, metrics={"C": strength})
            model = LogisticRegression(C=strength).fit(features[:60], labels[:60])
            trainer.add_tuning_result(0, 0.9, 0.8, 60, [1, 2], {"C": strength, "penalty": None}, model)
            trainer.evaluate_classifier(model, features[60:], labels[60:], show_roc=True)
        best = trainer.get_best_model("accuracy")
        assert best.id in {run.id for run in trainer.get_azureml_experiment().get_runs()}
        """,
        launcher=("-m", "azml_compat", "run", python),
    )["classifiers"]
    tried = [found for found in recorded if found["parent"] is None]
    children = {found["parent"]: found for found in recorded if found["parent"] is not None}

    assert [found["metrics"]["C"] for found in tried] == [[0.01], [1.0]]
    for found in tried:
        metrics, child = found["metrics"], children[found["id"]]
        assert (found["status"], child["status"]) == ("FINISHED", "FINISHED")
        assert child["metrics"] == {"C": metrics["C"]}
        assert [metrics[key] for key in ("Trainscore.score", "Testscore.score")] == [[0.9], [0.8]]
        assert metrics["Results.Training score"] == [0.9]
        assert metrics["Results.C"] == metrics["C"]
        assert 50 < metrics["accuracy"][0] < 100 > 100 * metrics["roc_auc"][0]
        assert found["params"] == {"Description": "regression"}
        confusion_matrix, curve, model = found["files"]
        assert (confusion_matrix, model) == ("Confusion matrix", "outputs/model.pkl")
        assert curve.startswith("ROC Curve_")
    assert sum("Best run" in found["tags"] for found in tried) == 1
