"""Trains a line through the data that it is given, and leaves the model in ./outputs."""

import argparse
import json
import os

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=str, help="the id of the dataset")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--learning-rate", type=float, default=0.1)
args = parser.parse_args()

run = Run.get_context()
data = run.input_datasets["points"].to_pandas_dataframe()
print(f"{len(data)} rows of {list(data.columns)}")

slope = offset = 0.0
for epoch in range(args.epochs):
    error = slope * data["x"] + offset - data["y"]
    slope -= args.learning_rate * 2 * float((error * data["x"]).mean())
    offset -= args.learning_rate * 2 * float(error.mean())
    run.log("loss", float((error**2).mean()))
    print(f"epoch {epoch}: loss {float((error**2).mean()):.4f}")

run.log("rows", len(data))
run.tag("slope", f"{slope:.2f}")
os.makedirs("outputs", exist_ok=True)
with open("outputs/line.json", "w") as file:
    json.dump({"slope": slope, "offset": offset}, file)
