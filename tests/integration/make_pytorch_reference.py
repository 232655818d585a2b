"""Writes pytorch_reference.hpp: what PyTorch computes for five small nets, for pytorch_reference_test.cpp to compare with.

    python3 tests/integration/make_pytorch_reference.py > tests/integration/pytorch_reference.hpp

Everything is computed in float64. Parameters, inputs and targets are rounded to float32 first, so that nets of float and of double
start from exactly the same numbers. The same PyTorch on the same processor writes the same file again; elsewhere the last
digits may differ.
"""

import copy
import os

# Set before the import of torch: one thread, and the same elementwise loops on every processor.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", ATEN_CPU_CAPABILITY="default")

import torch
from torch import nn

LEARNING_RATE = 0.5
STEPS = 10

# Conditions on a seed, so that a difference between chainrule and PyTorch is a fault and not rounding.
CLOSEST_TO_KINK = 1e-3  # smallest |z| of a (leaky) ReLU in any step, so that float and double take the same side
FLOAT32_ERROR = 2e-6  # largest difference of PyTorch's float32 from its float64, measured as in the test
FLOOR = 1e-2  # the floor in pytorch_comparison.hpp

torch.set_default_dtype(torch.float64)

# ---- The nets: (text, net, x, y, loss, link) ----------------------------------------------------------------------------


def uniform(low, high, *shape):
    return (low + (high - low) * torch.rand(*shape)).float().double()


def class_probabilities(batch, outputs):
    """Probabilities that are multiples of 1/1024, so that their sum is exactly 1 in float too."""
    p = torch.floor(1024 * torch.softmax(uniform(-2, 2, batch, outputs), dim=1)) / 1024
    p[:, -1] += 1 - p.sum(dim=1)
    return p


def dense(inputs, outputs, bound=1):
    linear = nn.Linear(inputs, outputs)
    with torch.no_grad():
        linear.weight.copy_(uniform(-bound, bound, outputs, inputs))
        linear.bias.copy_(uniform(-bound, bound, outputs))
    return linear


def batch_mean(summed_loss):
    """The loss in chainrule's convention: the sum over the outputs, the mean over the batch."""
    return lambda y_hat, y: summed_loss(y_hat, y) / y.shape[0]


def labelled_classes():
    torch.manual_seed(34)
    net = nn.Sequential(dense(4, 5), nn.Tanh(), dense(5, 3))
    x, y = uniform(-1, 1, 6, 4), torch.tensor([2, 0, 1, 1, 0, 2])
    return "4-5-3, tanh, CrossEntropyLoss of class labels", net, x, y, nn.CrossEntropyLoss(), nn.Softmax(dim=1)


def probable_classes():
    torch.manual_seed(15)
    net = nn.Sequential(dense(4, 5), nn.Tanh(), dense(5, 3))
    x, y = uniform(-1, 1, 6, 4), class_probabilities(6, 3)
    return "4-5-3, tanh, CrossEntropyLoss of class probabilities", net, x, y, nn.CrossEntropyLoss(), nn.Softmax(dim=1)


def yes_or_no():
    torch.manual_seed(139)
    net = nn.Sequential(dense(3, 8), nn.Sigmoid(), dense(8, 4), nn.ReLU(), dense(4, 2))
    x, y = uniform(-1, 1, 5, 3), uniform(0, 1, 5, 2)
    y[0, 0], y[1, 1] = 0, 1
    loss = batch_mean(nn.BCEWithLogitsLoss(reduction="sum"))
    return "3-8-4-2, sigmoid, ReLU, BCEWithLogitsLoss summed over the outputs", net, x, y, loss, nn.Sigmoid()


def regression():
    torch.manual_seed(22)
    net = nn.Sequential(dense(5, 6), nn.LeakyReLU(0.2), dense(6, 2))
    x, y = uniform(-1, 1, 7, 5), uniform(-1, 1, 7, 2)
    return "5-6-2, LeakyReLU(0.2), MSELoss", net, x, y, nn.MSELoss(), nn.Identity()


def lecture():
    torch.manual_seed(57)
    net = nn.Sequential(dense(3, 4, 2), nn.Sigmoid(), dense(4, 4, 2), nn.Sigmoid(), dense(4, 3, 2), nn.Sigmoid())
    x, y = uniform(-1, 1, 4, 3), uniform(0, 1, 4, 3)
    loss = batch_mean(lambda y_hat, y: 0.5 * ((y_hat - y) ** 2).sum())
    return "3-4-4-3, sigmoid everywhere, half the squared error", net, x, y, loss, nn.Identity()


# ---- What PyTorch computes ----------------------------------------------------------------------------------------------


def compute(dtype, net, x, y, loss, link):
    """All tensors by their names in C++, in chainrule's layout: a bias is one column, and one column of a batch is one sample."""
    net, x = copy.deepcopy(net).to(dtype), x.to(dtype).clone().requires_grad_()
    y = y.to(dtype) if y.is_floating_point() else y
    linears = [layer for layer in net if isinstance(layer, nn.Linear)]
    result = {}

    def keep(name, samples):
        result[name] = samples.detach().double().t().clone()

    def keep_layers(form, tensor):
        for l, linear in enumerate(linears, start=1):
            result[form.format("weight", l)] = tensor(linear.weight).detach().double().clone()
            result[form.format("bias", l)] = tensor(linear.bias).detach().double().clone().unsqueeze(1)

    keep("x", x)
    if y.is_floating_point():
        keep("y", y)
    keep_layers("{}_{}", lambda parameter: parameter)

    outputs = net(x)
    J = loss(outputs, y)
    J.backward()
    keep("outputs", outputs)
    keep("prediction", link(outputs))
    keep("loss", J.reshape(1, 1))
    keep_layers("dJ_d{}_{}", lambda parameter: parameter.grad)
    keep("dJ_dx", x.grad)

    sgd = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        check_kinks(net, x)
        sgd.zero_grad()
        loss(net(x), y).backward()
        sgd.step()
    keep_layers("stepped_{}_{}", lambda parameter: parameter)
    return result


def check_kinks(net, x):
    for layer in net:
        if isinstance(layer, (nn.ReLU, nn.LeakyReLU)):
            assert x.abs().min() > CLOSEST_TO_KINK, "a z is too close to the kink of its activation: choose another seed"
            assert (x > 0).any() and (x < 0).any(), "only one side of an activation is used: choose another seed"
        x = layer(x)


def check_conditioning(exact, rounded):
    for name, tensor in exact.items():
        assert not name.startswith("dJ") or (tensor != 0).all(), f"{name} has zeros: choose another seed"
        floor = FLOOR * tensor.abs().max().item()
        error = ((rounded[name] - tensor).abs() / tensor.abs().clamp(min=floor)).max().item()
        assert error <= FLOAT32_ERROR, f"{name} differs by {error} in float32: choose another seed"


# ---- Writing C++ --------------------------------------------------------------------------------------------------------

HEADER = f"""\
// clang-format off
#pragma once
// Made by tests/integration/make_pytorch_reference.py with PyTorch {torch.__version__}.
// Not to be edited by hand: change the script and run it again.
//
// Five small nets as PyTorch computes them in float64. Arrays are column-major; one column of x, y, outputs, prediction and
// dJ_dx is one sample. Parameters, x and y are numbers that float holds exactly.

#include <span>

namespace chainrule_test::pytorch {{

/// A matrix of literals, column-major.
struct Literals {{
  int rows;
  int cols;
  const double* values;
}};

struct Layer {{
  Literals weight, bias;                  // W(l), b(l) at the start
  Literals dJ_dweight, dJ_dbias;          // the gradient there
  Literals stepped_weight, stepped_bias;  // W(l), b(l) after all steps
}};

struct Reference {{
  const char* name;
  std::span<const Layer> layers;
  Literals x;
  Literals y;                   // empty where the targets are labels
  std::span<const int> labels;  // empty where the targets are a matrix
  Literals outputs;             // outputs of the forward pass, before the link
  Literals prediction;          // outputs after the link: softmax, sigmoid or none
  Literals loss;                // 1 x 1
  Literals dJ_dx;
}};

// Plain gradient descent, every step on the whole batch.
inline constexpr double learning_rate = {LEARNING_RATE};
inline constexpr int steps = {STEPS};
"""


def print_array(name, matrix):
    """The numbers with at most five in a line, and a new line for each column."""
    print(f"inline constexpr double {name}[] = {{  // {matrix.shape[0]} x {matrix.shape[1]}")
    for column in matrix.t().tolist():
        numbers = [format(value, ".17g") for value in column]
        for i in range(0, len(numbers), 5):
            print("    " + ", ".join(numbers[i : i + 5]) + ",")
    print("};")


def print_net(name, text, net, x, y, loss, link):
    tensors = compute(torch.float64, net, x, y, loss, link)
    check_conditioning(tensors, compute(torch.float32, net, x, y, loss, link))

    def literals(*names):
        return ", ".join("{%d, %d, %s}" % (*tensors[name].shape, name) if name in tensors else "{}" for name in names)

    print(f"\n// {text}")
    print(f"namespace {name} {{")
    for tensor_name, matrix in tensors.items():
        print_array(tensor_name, matrix)
    labels = "{}"
    if "y" not in tensors:
        labels = "labels"
        print(f"inline constexpr int labels[] = {{{', '.join(map(str, y.tolist()))}}};")
    print("inline constexpr Layer layers[] = {")
    l = 1
    while f"weight_{l}" in tensors:
        print(f"    {{{literals(f'weight_{l}', f'bias_{l}', f'dJ_dweight_{l}', f'dJ_dbias_{l}')},")
        print(f"     {literals(f'stepped_weight_{l}', f'stepped_bias_{l}')}}},")
        l += 1
    print("};")
    print(f'inline constexpr Reference reference{{"{text}", layers, {literals("x", "y")}, {labels},')
    print(f"    {literals('outputs', 'prediction', 'loss', 'dJ_dx')}}};")
    print(f"}}  // namespace {name}")


def main():
    print(HEADER, end="")
    for make in labelled_classes, probable_classes, yes_or_no, regression, lecture:
        print_net(make.__name__, *make())
    print("\n}  // namespace chainrule_test::pytorch")


if __name__ == "__main__":
    main()
