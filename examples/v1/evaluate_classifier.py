from azureml.core import Run
import json

import numpy as np
from matplotlib.figure import Figure

run = Run.get_context()

labels = ["cat", "dog", "fish"]
truth = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2, 0])
guess = np.array([0, 1, 1, 1, 2, 2, 2, 2, 0, 0])

matrix = np.zeros((3, 3), dtype=int)
for expected, predicted in zip(truth, guess):
    matrix[expected, predicted] += 1

cmtx = {
    "schema_type": "confusion_matrix",
    "schema_version": "1.0.0",
    "data": {"class_labels": labels, "matrix": [[int(x) for x in row] for row in matrix]},
}
run.log_confusion_matrix("Confusion matrix", cmtx)

ACC_TABLE = '{"schema_type": "accuracy_table", "schema_version": "1.0.1", "data": {"probability_tables": ' + \
            '[[[5, 5, 0, 0], [4, 4, 1, 1], [0, 0, 5, 5]]], "percentile_tables": [[[5, 5, 0, 0], [3, 4, 1, 2], [0, 0, 5, 5]]], ' + \
            '"probability_thresholds": [0.0, 0.5, 1.0], "percentile_thresholds": [0.0, 0.5, 1.0], "class_labels": ["cat"]}}'
run.log_accuracy_table('accuracy table', ACC_TABLE)

run.log_residuals("residuals", {"schema_type": "residuals", "schema_version": "1.0.0", "data": {
    "bin_edges": [50, 100, 200, 300, 350], "bin_counts": [0.88, 20, 30, 50.99]}})

predictions = {"schema_type": "predictions", "schema_version": "1.0.0",
               "data": {"bin_averages": [0.25, 0.75], "bin_errors": [0.013, 0.042], "bin_counts": [56, 34],
                        "bin_edges": [0.0, 0.5, 1.0]}}
run.log_predictions("predictions", json.dumps(predictions))

for index, label in enumerate(labels):
    hits = int(matrix[index, index])
    run.log_row("per class", label=label, precision=round(hits / int(matrix[:, index].sum()), 3),
                recall=round(hits / int(matrix[index].sum()), 3))

run.log("accuracy", (truth == guess).mean())
run.log("f1 (macro)", 0.6944)

fig = Figure()
ax = fig.subplots()
ax.imshow(matrix, cmap="Blues")
ax.set_title("confusion")
run.log_image("confusion plot", plot=fig)
