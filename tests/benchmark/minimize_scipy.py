"""minimize_scipy.py PROBLEM RESULT: minimizes the mean squared error of a net with scipy's L-BFGS-B, from the parameters and data in the
file PROBLEM, which the program minimize wrote. Writes the seconds until the target was reached, or "inf", and the number of evaluations."""

import sys
import time

import numpy as np
from scipy.optimize import minimize

lines = open(sys.argv[1]).read().split("\n")
widths = [int(word) for word in lines[0].split()]
samples, target, most_seconds = int(lines[1].split()[0]), *map(float, lines[1].split()[1:])
theta, x, y = (np.array(line.split(), dtype=float) for line in lines[2:5])
x, y = x.reshape(samples, widths[0]).T, y.reshape(samples, widths[-1]).T


def layers(flat):
    """W and b of each layer, as views of a flat vector: W in column-major order, then b."""
    views, begin = [], 0
    for inputs, outputs in zip(widths, widths[1:]):
        middle, end = begin + inputs * outputs, begin + (inputs + 1) * outputs
        views.append((flat[begin:middle].reshape(inputs, outputs).T, flat[middle:end, None]))
        begin = end
    return views


evaluations = 0


def loss_and_gradient(flat):
    global evaluations
    evaluations += 1
    of_layers = layers(flat)
    a = [x]
    for k, (weight, bias) in enumerate(of_layers):
        z = weight @ a[-1] + bias
        a.append(np.tanh(z) if k + 1 < len(of_layers) else z)
    error = a[-1] - y
    gradient = np.empty_like(flat)
    delta = 2 / error.size * error
    for k, (weight, bias) in reversed(list(enumerate(layers(gradient)))):
        weight[:] = delta @ a[k].T
        bias[:] = delta.sum(axis=1, keepdims=True)
        if k > 0:
            delta = (of_layers[k][0].T @ delta) * (1 - a[k] ** 2)
    return np.mean(error**2), gradient


class Done(Exception):
    pass


begin = time.perf_counter()
seconds = float("inf")


def look(flat):
    global seconds
    value = last[0]
    passed = time.perf_counter() - begin
    if value <= target:
        seconds = passed
    if value <= target or passed > most_seconds:
        raise Done


last = [float("inf")]


def remembered(flat):
    last[0], gradient = loss_and_gradient(flat)
    return last[0], gradient


try:
    minimize(
        remembered,
        theta,
        jac=True,
        method="L-BFGS-B",
        callback=look,
        options={"maxiter": 10**6, "maxfun": 10**7, "ftol": 0, "gtol": 0},
    )
except Done:
    pass
open(sys.argv[2], "w").write(f"{seconds} {evaluations}\n")
