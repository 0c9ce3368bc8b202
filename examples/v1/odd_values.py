"""Values and names that people do log."""
import numpy as np
from azureml.core import Run as AzureRun

run = AzureRun.get_context()

# strings: once, and in turn
run.log("framework", "numpy " + "1.x")
for stage in ["load", "clean", "train"]:
    run.log("stage", stage)

# truth values, nothing, not a number
run.log("converged", False)
run.log("early stop", None)
run.log("nan", float("nan"))
run.log("upper bound", float("inf"))
run.log("lower", -0.0)

# numpy, in all sizes
run.log("np.float32", np.float32(0.1))
run.log("np.int32", np.int32(7))
run.log("np.bool_", np.bool_(True))
run.log("array", np.array([0.5, 0.5, 1.5]))
run.log_list("array (list)", np.arange(4) / 4)
run.log_list("words", ["one", "two", "two"])
run.log_list("mixed", [1, "two", None, True])

# explicit steps, some of them twice and not in order
for step, value in [(0, 1.0), (10, 0.5), (20, 0.25), (20, 0.2), (15, 0.3)]:
    run.log("loss", value, step=step)
run.log("sometimes", 1.0)
run.log("sometimes", 2.0, step=5)
run.log("sometimes", 3.0)

# equal values, many times
for _ in range(6):
    run.log("plateau", 0.5)

# names
run.log("acc@5", 0.95)
run.log("100% sure", 1)
run.log("a/b:c", 2)
run.log("x, y = z", 3)
name, metric = "validation", "auc"
run.log("%s %s" % (name, metric), 0.81)
run.log(f"{name}_{metric}", 0.82)
run.log("{} ({})".format(name, metric), 0.83)

# rows of different columns
run.log_row("events", kind="start", time=0)
run.log_row("events", description="the end", kind="stop", code=1)
run.log_row("unicode", **{"α": 0.1, "β": 0.2})

results = {"rmse": 0.51, "mae": 0.42}
for key in results:
    run.log(key, results[key])
run.log_row("results", **results)

metrics = run.get_metrics()
print(metrics["stage"], metrics["plateau"], metrics["acc@5"], metrics["sometimes"])
print(type(metrics["np.int32"]).__name__, type(metrics["converged"]).__name__)
