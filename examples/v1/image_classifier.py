"""A training loop in the style of the reference PyTorch scripts, with a logger class around the run."""
from __future__ import print_function

import argparse
import os
import shutil

from azureml.core import Run


class AverageMeter(object):
    """Computes and stores the average and current value"""

    def __init__(self, name):
        self.name = name
        self.reset()

    def reset(self):
        self.val, self.sum, self.count = 0.0, 0.0, 0

    def update(self, val, n=1):
        self.val = val
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


class Logger(object):
    def __init__(self, run):
        self.run = run
        self.best = 0.0

    def log_epoch(self, epoch, metrics):
        for name, value in metrics.items():
            self.run.log(name, value)
        is_best = metrics["prec@1"] > self.best
        self.best = max(self.best, metrics["prec@1"])
        self.run.log("is_best", is_best)
        self.run.log("lr", 0.1 * (0.5 ** (epoch // 2)), step=epoch)
        return is_best


def train(args, logger):
    for epoch in range(args.epochs):
        losses = AverageMeter("Loss")
        top1 = AverageMeter("Acc@1")
        for i in range(5):
            losses.update(1.0 / (epoch * 5 + i + 1), 32)
            top1.update(100.0 - 50.0 / (epoch % 3 * 5 + i + 1), 32)
            if i % args.print_freq == 0:
                print("Epoch: [{0}][{1}/5]\tLoss {2:.4f}".format(epoch, i, losses.val))
        is_best = logger.log_epoch(epoch, {
            "loss (train)": losses.avg,
            "prec@1": top1.avg,
            "val/loss": losses.avg * 1.25,
        })
        filename = os.path.join(args.output_dir, "checkpoint.txt")
        with open(filename, "w") as f:
            f.write("epoch %d\n" % epoch)
        if is_best:
            shutil.copyfile(filename, os.path.join(args.output_dir, "model_best.txt"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Image classifier")
    parser.add_argument("--epochs", default=4, type=int, metavar="N")
    parser.add_argument("--print-freq", "-p", default=2, type=int)
    parser.add_argument("--output-dir", default="./outputs")
    args = parser.parse_args()

    os.makedirs(args.output_dir, exist_ok=True)
    run = Run.get_context()
    run.tag("arch", "resnet18")
    run.set_tags({"epochs": str(args.epochs), "pretrained": None})
    logger = Logger(run)
    train(args, logger)
    run.log("best prec@1", logger.best)
    print("done")
