import argparse
import json
import os

from azureml.core import Run
from azureml.core.run import _OfflineRun


def train(rate, rounds):
    weight = 0.0
    for _ in range(rounds):
        weight += rate * (2.0 - weight)
        yield weight, (2.0 - weight) ** 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model-name", type=str, default="line")
    args = parser.parse_args()

    run = Run.get_context()
    if isinstance(run, _OfflineRun):
        print("This is an offline run")

    # parameters
    run.log("rate", args.rate)
    run.log("rounds", args.rounds)

    for weight, loss in train(args.rate, args.rounds):
        run.log("loss", loss)

    os.makedirs("outputs", exist_ok=True)
    with open(os.path.join("outputs", "model.json"), "w") as f:
        json.dump({"weight": weight}, f)

    # register the model from the files of the run
    model = run.register_model(
        model_name=args.model_name,
        model_path="outputs/model.json",
        tags={"area": "lines", "type": "regression"},
        description="A line through the origin",
    )
    print(model.name, model.version, sep="\t")
    run.complete()


if __name__ == "__main__":
    main()
