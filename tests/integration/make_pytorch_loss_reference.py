"""Writes pytorch_loss_reference.hpp: activations and losses, with their derivatives, as PyTorch computes them, for
pytorch_loss_reference_test.cpp to compare with.

    python3 tests/integration/make_pytorch_loss_reference.py > tests/integration/pytorch_loss_reference.hpp

Everything is computed in float64, from numbers that float32 holds exactly. What PyTorch lacks (LogCosh, Hinge, label smoothing of
BCEWithLogitsLoss) is written out here, and PyTorch differentiates it. The same PyTorch on the same processor writes the same
file again; elsewhere the last digits may differ.
"""

import os

# Set before the import of torch: one thread, and the same elementwise loops on every processor.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", ATEN_CPU_CAPABILITY="default")

import math

import torch
from torch import nn
from torch.nn import functional

torch.set_default_dtype(torch.float64)

# ---- Activations --------------------------------------------------------------------------------------------------------

# Points on both sides of every kink. For smaller z, 1 + erf(z) has lost most of its digits.
Z = torch.tensor([-3.25, -2.5, -1.25, -0.375, 0.25, 0.8125, 2.625, 6.5])

CURVES = {
    "elu": nn.ELU(),
    "elu_half": nn.ELU(alpha=0.5),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "softplus": nn.Softplus(),
    "softplus_2": nn.Softplus(beta=2),
    "softsign": nn.Softsign(),
    "hard_sigmoid": lambda z: functional.relu6(z + 3) / 6,  # the derivative of nn.Hardsigmoid is 1/6 rounded to float32
    "hard_swish": nn.Hardswish(),
    "hard_tanh": nn.Hardtanh(),
    "hard_tanh_0_6": nn.Hardtanh(0, 6),
}

# ---- Losses: one sample is a row here, and a column in chainrule ----------------------------------------------------------

BATCH, OUTPUTS = 3, 4


def uniform(low, high, *shape):
    return (low + (high - low) * torch.rand(*shape)).float().double()


torch.manual_seed(7)
Y_HAT = uniform(-2, 2, BATCH, OUTPUTS)
REAL = uniform(-2, 2, BATCH, OUTPUTS)
MEANS = uniform(-2, 2, BATCH, OUTPUTS // 2)
PROBABILITIES = uniform(0, 1, BATCH, OUTPUTS)
SIGNS = torch.where(uniform(-1, 1, BATCH, OUTPUTS) < 0, -1.0, 1.0)
COUNTS = torch.floor(uniform(0, 5, BATCH, OUTPUTS))
COUNTS[0, 1] = 0
# Multiples of 1/1024, so that the sum is exactly 1 in float too, and one class with probability 0.
CLASSES = torch.floor(1024 * torch.softmax(uniform(-2, 2, BATCH, OUTPUTS), dim=1)) / 1024
CLASSES[1, 2] = 0
CLASSES[:, -1] += 1 - CLASSES.sum(dim=1)
LABELS = torch.tensor([2, 0, 3])

TARGETS = dict(real=REAL, means=MEANS, probabilities=PROBABILITIES, signs=SIGNS, counts=COUNTS, classes=CLASSES)


def gaussian_nll(least):
    def loss(z, y):
        mean, log_variance = z[:, : OUTPUTS // 2], z[:, OUTPUTS // 2 :]
        return nn.GaussianNLLLoss()(mean, y, torch.exp(log_variance) + least)

    return loss


def smoothed_binary(z, y):
    return nn.BCEWithLogitsLoss(reduction="sum")(z, 0.9 * y + 0.05) / BATCH


def kl_divergence(z, y):
    return nn.KLDivLoss(reduction="batchmean")(functional.log_softmax(z, dim=1), y)


LOSSES = {
    "mean_absolute_error": (nn.L1Loss(), REAL),
    "huber": (nn.HuberLoss(), REAL),
    "huber_half": (nn.HuberLoss(delta=0.5), REAL),
    "log_cosh": (lambda y_hat, y: torch.log(torch.cosh(y_hat - y)).mean(), REAL),
    "hinge": (lambda y_hat, y: torch.clamp(1 - y * y_hat, min=0).mean(), SIGNS),
    "poisson_nll": (nn.PoissonNLLLoss(), COUNTS),
    "gaussian_nll": (gaussian_nll(0), MEANS),
    "gaussian_nll_least": (gaussian_nll(0.25), MEANS),
    "kl_divergence": (kl_divergence, CLASSES),
    "softmax_smoothed_labels": (nn.CrossEntropyLoss(label_smoothing=0.1), LABELS),
    "softmax_smoothed": (nn.CrossEntropyLoss(label_smoothing=0.1), CLASSES),
    "binary_smoothed": (smoothed_binary, PROBABILITIES),
}

# ---- Writing C++ --------------------------------------------------------------------------------------------------------

HEADER = f"""\
// clang-format off
#pragma once
// Made by tests/integration/make_pytorch_loss_reference.py with PyTorch {torch.__version__}.
// Not to be edited by hand: change the script and run it again.
//
// Activations and losses with their derivatives, computed in float64. Matrices are column-major, one column is one sample; z, y_hat
// and the targets are numbers that float holds exactly.

namespace chainrule_test::pytorch_losses {{

inline constexpr int points = {len(Z)};
inline constexpr int outputs = {OUTPUTS};
inline constexpr int samples = {BATCH};

struct Curve {{
  const char* name;
  double value[points], derivative[points];  // f(z), f'(z)
}};

struct Reference {{
  const char* name;
  double value;                        // J
  double gradient[outputs * samples];  // dJ/dy_hat
}};
"""


def numbers(tensor):
    values = tensor.detach().reshape(-1).tolist()
    assert all(math.isfinite(value) for value in values)
    return ", ".join(format(value, ".17g") for value in values)


def print_array(kind, name, tensor):
    print(f"inline constexpr {kind} {name}[] = {{{numbers(tensor)}}};")


def differentiate(f, x):
    x = x.clone().requires_grad_()
    value = f(x)
    value.sum().backward()
    return value, x.grad


def main():
    print(HEADER)
    print_array("double", "z", Z)
    print_array("double", "y_hat", Y_HAT)
    for name, y in TARGETS.items():
        print_array("double", name, y)
    print(f"inline constexpr int labels[] = {{{', '.join(map(str, LABELS.tolist()))}}};\n")
    for name, f in CURVES.items():
        value, derivative = differentiate(f, Z)
        print(f'inline constexpr Curve {name}{{"{name}",\n    {{{numbers(value)}}},\n    {{{numbers(derivative)}}}}};')
    print()
    for name, (loss, y) in LOSSES.items():
        value, gradient = differentiate(lambda y_hat: loss(y_hat, y), Y_HAT)
        print(f'inline constexpr Reference {name}{{"{name}", {numbers(value)},\n    {{{numbers(gradient)}}}}};')
    print("\n}  // namespace chainrule_test::pytorch_losses")


if __name__ == "__main__":
    main()
