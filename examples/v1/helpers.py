# Functions that are given the run, as in many a repository with a utils module.
from typing import Dict, Optional

from azureml.core import Experiment, Run, Workspace


class Callback:
    def __init__(self, run: Run, prefix: str = ""):
        self._run = run
        self.prefix = prefix

    def on_epoch_end(self, epoch: int, logs: Optional[Dict[str, float]] = None) -> None:
        for key, value in (logs or {}).items():
            self._run.log(self.prefix + key, value)


def get_experiment(name: str) -> Experiment:
    ws = Workspace.from_config()
    return Experiment(ws, name)


def log_parameters(run, parameters):
    for key in sorted(parameters):
        run.log(key, parameters[key])


def evaluate(run: Run, predictions: Dict[str, float]) -> float:
    run.log_table("predictions", {"id": list(predictions), "score": list(predictions.values())})
    best = max(predictions, key=predictions.get)
    run.log("best", best)
    return predictions[best]


class Trainer(object):
    def __init__(self, experiment, parameters):
        self.run = experiment.start_logging(snapshot_directory=None)
        self.parameters = parameters

    def fit(self):
        log_parameters(self.run, self.parameters)
        callback = Callback(self.run, prefix="train ")
        loss = self.parameters["loss"]
        for epoch in range(self.parameters["epochs"]):
            loss = loss * self.parameters["decay"]
            callback.on_epoch_end(epoch, {"loss": loss, "accuracy": 1 - loss})
        return self

    def finish(self):
        score = evaluate(self.run, {"u1": 0.25, "u2": 0.75, "u3": 0.5})
        self.run.log("score", score)
        self.run.complete()


def main():
    experiment = get_experiment("helpers")
    for decay in (0.5, 0.25):
        Trainer(experiment, {"epochs": 3, "loss": 0.8, "decay": decay, "optimizer": "sgd"}).fit().finish()
    print([len(run.get_metrics()) for run in experiment.get_runs()])


if __name__ == "__main__":
    main()
