import numpy as np
from azureml.core import Experiment
from azureml.core import Workspace

ws = Workspace.from_config()
exp = Experiment(ws, "cross-validation")

rng = np.random.RandomState(42)
folds = 3

parent_run = exp.start_logging(snapshot_directory=None)
parent_run.tag("folds", folds)

scores = []
for fold in range(folds):
    with parent_run.child_run("fold_%d" % fold) as child_run:
        child_run.tag("fold", str(fold))
        for epoch in range(4):
            loss = float(np.round(rng.rand() / (epoch + 1), 4))
            child_run.log("loss", loss)
        accuracy = 1.0 - loss
        child_run.log("accuracy", accuracy)
        scores.append(accuracy)

parent_run.log_list("fold accuracy", scores)
parent_run.log("mean accuracy", np.mean(scores))

# one child per learning rate, created at once
rates = ["0.1", "0.01"]
children = parent_run.create_children(tag_key="learning_rate", tag_values=rates)
for child, rate in zip(children, rates):
    child.log("final loss", float(rate) * 2)
    child.complete()

for number, child in enumerate(parent_run.create_children(count=2)):
    child.log("number", number)
    child.complete()

parent_run.complete()

best = max(child.get_metrics().get("accuracy", 0) for child in parent_run.get_children())
print("best accuracy: {:.4f}".format(best))
