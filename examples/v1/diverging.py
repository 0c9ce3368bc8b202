"""Breaks off in the middle: what was logged before stays, and the run has failed."""
import os

from azureml.core import Run

run = Run.get_context(allow_offline=True)
os.makedirs("outputs", exist_ok=True)

loss = 1.0
for epoch in range(10):
    loss = loss * 4 if epoch > 2 else loss / 2
    run.log("loss", loss)
    with open("outputs/last.txt", "w") as f:
        f.write(str(epoch))
    if loss > 5:
        raise RuntimeError("the loss has diverged in epoch %d" % epoch)

run.complete()
