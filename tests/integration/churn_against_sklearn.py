"""Trains on the customers of the example churn with chainrule and with scikit-learn, side by side, and compares the test scores.

    python3 tests/integration/churn_against_sklearn.py [--churn PROGRAM] [--seeds N]

Both learn from the same rows with the same preprocessing and choose the epoch by the average precision on the same validation rows; each
seed draws other initial weights and another order of the samples. chainrule is the example itself, PROGRAM, or examples/run churn without
it. scikit-learn is MLPClassifier with as many units, the same batch size, learning rate and patience; it has no class weights. Needs
Debian's python3-sklearn.

Exit code 0: the mean average precision and the mean AUC of chainrule are at most 0.02 below those of scikit-learn, and the AUC and average
precision that the example prints are those that scikit-learn computes from its predictions.
"""

import argparse
import copy
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARTS = ("train", "validation", "test")
EPOCHS, PATIENCE, BATCH, HIDDEN, LEARNING_RATE, WEIGHT_DECAY = 60, 10, 64, 32, 0.001, 0.01
NUMBERS, WORDS = ["age", "months", "charges", "calls"], ["city", "payment", "weekday"]


def with_chainrule(program, seed, out):
    """Runs the example. Returns the rows of its table, the part of each row, its P(Yes), and the two scores that it prints."""
    run = subprocess.run([*program, "--seed", str(seed), "--out", str(out)], check=True, stdout=subprocess.PIPE, text=True)
    printed = re.search(r"test average precision ([0-9.]+), AUC ([0-9.]+)", run.stdout)
    with open(out / "churn.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(out / "churn_predictions.csv", newline="") as file:
        predicted = {line["customer"]: line for line in csv.DictReader(file)}
    parts = np.array([predicted[row["customer"]]["part"] for row in rows])
    p = np.array([float(predicted[row["customer"]]["p"]) for row in rows])
    return rows, parts, p, [float(score) for score in printed.groups()]


def preprocessed(rows, parts):
    """Returns x and y of each part. What is fitted is fitted to the training part."""
    columns = NUMBERS + WORDS + ["contract", "paperless"]
    cells = np.array([[row[name] for name in columns] for row in rows], dtype=object)
    for j, name in enumerate(columns):
        is_missing = np.isin(cells[:, j].astype(str), ["", "NA"])
        if name in NUMBERS:
            cells[is_missing, j] = np.nan
            cells[:, j] = cells[:, j].astype(float)
        else:
            cells[is_missing, j] = "(missing)"
    at = {name: [j] for j, name in enumerate(columns)}
    steps = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), list(range(len(NUMBERS)))),
        ("words", OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"),
         [at[name][0] for name in WORDS]),
        ("contract", make_pipeline(OrdinalEncoder(categories=[["monthly", "yearly", "two years"]]), StandardScaler()), at["contract"]),
        ("paperless", OrdinalEncoder(categories=[["no", "yes"]]), at["paperless"]),
    ], sparse_threshold=0)
    steps.fit(cells[parts == "train"])
    y = np.array([row["churn"] == "Yes" for row in rows], dtype=int)
    return {part: (steps.transform(cells[parts == part]).astype(np.float64), y[parts == part]) for part in PARTS}


def with_sklearn(data, seed):
    """Trains epoch by epoch. Returns P(Yes) for the test part after the epoch with the best average precision on the validation part."""
    model = MLPClassifier(hidden_layer_sizes=(HIDDEN,), solver="adam", batch_size=BATCH, learning_rate_init=LEARNING_RATE,
                          alpha=WEIGHT_DECAY, random_state=seed)
    x, y = data["train"]
    order = np.random.RandomState(seed)
    best, best_epoch, best_model = -1, 0, None
    for epoch in range(1, EPOCHS + 1):
        shuffled = order.permutation(len(y))
        model.partial_fit(x[shuffled], y[shuffled], classes=[0, 1])
        score = average_precision_score(data["validation"][1], model.predict_proba(data["validation"][0])[:, 1])
        if score > best:
            best, best_epoch, best_model = score, epoch, copy.deepcopy(model)
        if epoch - best_epoch >= PATIENCE:
            break
    return best_model.predict_proba(data["test"][0])[:, 1]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--churn", help="the compiled example churn")
    arguments.add_argument("--seeds", type=int, default=5)
    options = arguments.parse_args()
    program = [options.churn] if options.churn else [str(ROOT / "examples/run"), "--no-install", "churn"]
    warnings.filterwarnings("ignore", message="Got `batch_size` less than 1")

    scores = {"chainrule": [], "scikit-learn": []}
    agrees = True
    print("seed  chainrule AP    AUC  seconds   scikit-learn AP    AUC  seconds")
    for seed in range(1, options.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            rows, parts, p, printed = with_chainrule(program, seed, pathlib.Path(folder))
            middle = time.perf_counter()
        data = preprocessed(rows, parts)
        after_reading = time.perf_counter()
        theirs = with_sklearn(data, seed)
        end = time.perf_counter()
        y = data["test"][1]
        for name, prediction in (("chainrule", p[parts == "test"]), ("scikit-learn", theirs)):
            scores[name].append((average_precision_score(y, prediction), roc_auc_score(y, prediction)))
        agrees = agrees and np.allclose(scores["chainrule"][-1], printed, rtol=0, atol=0.0001)
        print("%4d  %12.4f  %.4f  %7.2f   %15.4f  %.4f  %7.2f" % (seed, *scores["chainrule"][-1], middle - begin,
                                                                *scores["scikit-learn"][-1], end - after_reading))
    means = {name: np.mean(values, axis=0) for name, values in scores.items()}
    for name, values in scores.items():
        spread = np.std(values, axis=0, ddof=1) if len(values) > 1 else (0, 0)
        print("%-12s  average precision %.4f +- %.4f, AUC %.4f +- %.4f" % (name, means[name][0], spread[0], means[name][1], spread[1]))
    print("%d customers, %d for the test; chainrule's seconds are those of the whole program, with pictures" % (len(rows), len(y)))
    if not agrees:
        print("the scores that the example prints are not those that scikit-learn computes from its predictions")
    return 0 if agrees and np.all(means["chainrule"] > means["scikit-learn"] - 0.02) else 1


if __name__ == "__main__":
    sys.exit(main())
