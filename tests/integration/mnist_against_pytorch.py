"""Trains the same net on MNIST with chainrule and with PyTorch, side by side, and prints the loss of each epoch.

    python3 tests/integration/mnist_against_pytorch.py [--data FOLDER]

Both start from the same initial parameters, with the same order of samples, batches of 64 and learning rate, and run five epochs of plain
SGD in float32 on one thread. FOLDER has the four IDX files; without it examples/data/fetch_mnist finds or fetches them. Needs torch, numpy
and g++.

Exit code 0: the losses of all epochs agree to 3 digits.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
import torch
from torch import nn

EPOCHS, BATCH, LEARNING_RATE = 5, 64, 0.1
ROOT = pathlib.Path(__file__).resolve().parents[2]


def with_chainrule(data, out):
    """Trains with chainrule; returns the losses, the initial parameters and the orders of the samples."""
    program = out / "mnist_against_pytorch"
    source = ROOT / "tests/integration/mnist_against_pytorch.cpp"
    eigen = os.environ.get("EIGEN", "/usr/include/eigen3")
    subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-O3", "-march=native", f"-I{ROOT}/include", "-isystem", eigen,
                    str(source), "-o", str(program)], check=True)
    run = subprocess.run([str(program), str(data), str(out)], check=True, stdout=subprocess.PIPE, text=True)
    losses = [float(line) for line in run.stdout.split()]
    parameters = np.fromfile(out / "parameters.float32", dtype=np.float32)
    order = np.fromfile(out / "order.int32", dtype=np.int32).reshape(EPOCHS, -1)
    return losses, parameters, order


def with_pytorch(data, parameters, order):
    torch.set_num_threads(1)
    images = np.fromfile(data / "train-images-idx3-ubyte", dtype=np.uint8, offset=16).reshape(-1, 784)
    x = torch.from_numpy(images.astype(np.float32) / np.float32(255))
    y = torch.from_numpy(np.fromfile(data / "train-labels-idx1-ubyte", dtype=np.uint8, offset=8).astype(np.int64))
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    begin = 0
    with torch.no_grad():
        for layer in (net[0], net[2]):  # W by columns, then b
            rows, cols = layer.weight.shape
            weight = parameters[begin : begin + rows * cols].reshape(cols, rows).T.copy()
            layer.weight.copy_(torch.from_numpy(weight))
            begin += rows * cols
            layer.bias.copy_(torch.from_numpy(parameters[begin : begin + rows].copy()))
            begin += rows
    assert begin == parameters.size
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    losses = []
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in torch.from_numpy(order[epoch].astype(np.int64)).split(BATCH):
            optimizer.zero_grad()
            loss = loss_of(net(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(x))
    return losses


def main():
    flags = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    flags.add_argument("--data", type=pathlib.Path)
    data = flags.parse_args().data
    if data is None:
        fetched = subprocess.run([str(ROOT / "examples/data/fetch_mnist")], check=True, stdout=subprocess.PIPE, text=True)
        data = pathlib.Path(fetched.stdout.strip())
    with tempfile.TemporaryDirectory() as out:
        ours, parameters, order = with_chainrule(data, pathlib.Path(out))
    theirs = with_pytorch(data, parameters, order)
    print(f"epoch  chainrule  PyTorch {torch.__version__}")
    agree = True
    for epoch, (a, b) in enumerate(zip(ours, theirs), start=1):
        print(f"{epoch:5}  {a:.6f}   {b:.6f}")
        agree = agree and abs(a - b) <= 5e-4 * b
    print("equal to 3 digits" if agree else "NOT equal to 3 digits")
    return 0 if agree else 1


sys.exit(main())
