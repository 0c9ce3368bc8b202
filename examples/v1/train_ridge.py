# Copyright (c) Contoso. Trains ridge regression models on the diabetes data and logs them to Azure ML.
import argparse
import os
import pickle

import numpy as np
from azureml.core.run import Run

# Get the script arguments (regularization rates and data folder)
parser = argparse.ArgumentParser()
parser.add_argument('--data-folder', type=str, dest='data_folder', default='data', help='data folder mounting point')
parser.add_argument('--alphas', type=float, nargs='+', default=[0.1, 0.5, 1.0], help='regularization rates')
args = parser.parse_args()

# Get the experiment run context
run = Run.get_context()
os.makedirs('./outputs', exist_ok=True)

data = np.loadtxt(os.path.join(args.data_folder, 'diabetes.csv'), delimiter=',', skiprows=1)
X, y = data[:, :-1], data[:, -1]
X_train, X_test = X[:24], X[24:]
y_train, y_test = y[:24], y[24:]
run.log('train rows', len(X_train))
run.log('test rows', np.int64(X_test.shape[0]))


def fit(features, target, alpha):
    gram = features.T @ features + alpha * np.eye(features.shape[1])
    return np.linalg.solve(gram, features.T @ target)


best_mse = float('inf')
for alpha in args.alphas:
    weights = fit(X_train, y_train, alpha)
    preds = X_test @ weights
    mse = np.mean((y_test - preds) ** 2).round(6)

    # log the alpha and mse
    run.log('alpha', alpha)
    run.log('mse', mse)

    model_file_name = 'ridge_{0:.2f}.pkl'.format(alpha)
    # save model in the outputs folder so it automatically gets uploaded
    with open(os.path.join('./outputs', model_file_name), 'wb') as file:
        pickle.dump([float(weight) for weight in weights], file)

    if mse < best_mse:
        best_mse = mse
        best_model = model_file_name
    print('alpha is {0:.2f}, and mse is {1:0.2f}'.format(alpha, mse))

run.log('best_mse', float(best_mse))
run.tag('best_model', best_model)
run.log('algorithm', 'ridge')
run.complete()
