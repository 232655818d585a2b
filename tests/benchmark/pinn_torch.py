"""pinn_torch.py FOLDER: trains the nets that the program pinn wrote to FOLDER in PyTorch on one thread: the same parameters, points, Adam,
learning rates and number of steps. Prints the same columns twice for each: with nested calls of torch.autograd.grad, as usual, and with the derivatives
passed forward through the layers by hand, as chainrule does, where only the gradient by theta is autograd's."""

import glob
import math
import statistics
import sys
import time

import torch

torch.set_num_threads(1)


def bubble(x):
    """B and its derivatives by x1 and x2 and its Laplacian; the solution is u = B F."""
    p = 4 * x * (1 - x)
    slope = 4 * (1 - 2 * x)
    p1, p2 = p[:, :1], p[:, 1:]
    return p1 * p2, slope[:, :1] * p2, p1 * slope[:, 1:], -8 * (p1 + p2)


def exact(x):
    return torch.sin(2 * math.pi * x[:, :1]) * torch.sin(math.pi * x[:, 1:])


def predict(layers, x):
    for weight, bias in layers[:-1]:
        x = torch.tanh(torch.addmm(bias, x, weight.t()))
    weight, bias = layers[-1]
    return torch.addmm(bias, x, weight.t())


def laplacian_of_u_nested(layers, x):
    u = bubble(x)[0] * predict(layers, x)
    du = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
    return sum(torch.autograd.grad(du[:, i].sum(), x, create_graph=True)[0][:, i : i + 1] for i in range(2))


def laplacian_of_u_by_hand(layers, x):
    a = x
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], dtype=x.dtype)  # of the jet of x: dx/dx1, dx/dx2, Laplacian x
    a1, a2, aL = (row.expand(len(x), 2) for row in rows)
    for weight, bias in layers[:-1]:
        z = torch.addmm(bias, a, weight.t())
        z1, z2, zL = (torch.cat((a1, a2, aL)) @ weight.t()).chunk(3)
        a = torch.tanh(z)
        slope = 1 - a * a
        a1, a2, aL = slope * z1, slope * z2, slope * (zL - 2 * a * (z1 * z1 + z2 * z2))
    weight, bias = layers[-1]
    value = torch.addmm(bias, a, weight.t())
    first1, first2, second = (torch.cat((a1, a2, aL)) @ weight.t()).chunk(3)
    B, B1, B2, BL = bubble(x)
    return B * second + 2 * (B1 * first1 + B2 * first2) + BL * value


def train(path, laplacian_of_u, name):
    lines = open(path).read().split("\n")
    width, points, steps = map(int, lines[0].split()[:3])
    rate = float(lines[0].split()[3])
    theta, x = (torch.tensor([float(word) for word in line.split()], dtype=torch.float64) for line in lines[1:3])
    x = x.reshape(points, 2)
    layers, begin = [], 0
    for inputs, outputs in ((2, width), (width, width), (width, 1)):  # W in column-major order, then b
        middle, end = begin + inputs * outputs, begin + (inputs + 1) * outputs
        weight = theta[begin:middle].reshape(inputs, outputs).t().contiguous()
        layers.append((weight.requires_grad_(), theta[middle:end].clone().requires_grad_()))
        begin = end
    f = -5 * math.pi**2 * exact(x)
    x.requires_grad_(laplacian_of_u is laplacian_of_u_nested)
    adam = torch.optim.Adam([tensor for layer in layers for tensor in layer], lr=rate)
    times = []
    for step in range(steps):
        begin = time.process_time()
        adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        adam.zero_grad(set_to_none=True)
        J = ((laplacian_of_u(layers, x) - f) ** 2).sum() / (2 * points)
        J.backward()
        adam.step()
        times.append(time.process_time() - begin)
        if step + 1 == 100:
            J_100 = J.item()
    axis = torch.arange(101, dtype=torch.float64) / 100
    grid = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        error = (bubble(grid)[0] * predict(layers, grid) - exact(grid)).abs().max()
    net = f"2-{width}-{width}-1, {name}"
    print(f"{net:24} {points:8} {steps:8} {1e6 * statistics.median(times):14.0f} {'':14} {'':8} {J_100:12.6f} {error:12.2e}", flush=True)


for path in sorted(glob.glob(sys.argv[1] + "/pinn_?.txt")):
    train(path, laplacian_of_u_nested, "autograd")
    train(path, laplacian_of_u_by_hand, "by hand")
