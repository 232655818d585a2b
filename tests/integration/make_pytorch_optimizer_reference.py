"""Writes pytorch_optimizer_reference.hpp: theta after 1, 3 and 10 steps of PyTorch's optimizers, for
pytorch_optimizer_reference_test.cpp to compare with.

    python3 tests/integration/make_pytorch_optimizer_reference.py > tests/integration/pytorch_optimizer_reference.hpp

Everything is computed in float64. theta and the gradients are rounded to float32 first, so that float and double start from exactly the
same numbers. The gradients are random and not those of a loss, so that every rule meets gradients that grow, fall, change sign and
vanish. PyTorch has no Lion, so it is written out here.
"""

import os

# Set before the import of torch: one thread, and the same elementwise loops on every processor.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", ATEN_CPU_CAPABILITY="default")

import torch
from torch import optim

STEPS = 10
KEPT = (1, 3, 10)

# Largest difference of float32 from float64 here, so that a larger difference in chainrule is a fault and not rounding.
FLOAT32_ERROR = 4e-7


class Lion(optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        group = self.param_groups[0]
        theta = group["params"][0]
        beta1, beta2 = group["betas"]
        m = self.state[theta].setdefault("m", torch.zeros_like(theta))
        c = beta1 * m + (1 - beta1) * theta.grad
        theta -= group["lr"] * (torch.sign(c) + group["weight_decay"] * theta)
        m.copy_(beta2 * m + (1 - beta2) * theta.grad)


# foreach=True, because the other loop of NAdam in PyTorch 1.x has one factor too many.
CASES = {
    "sgd": (optim.SGD, dict(lr=0.1)),
    "sgd_momentum": (optim.SGD, dict(lr=0.05, momentum=0.9)),
    "sgd_nesterov": (optim.SGD, dict(lr=0.05, momentum=0.8, nesterov=True)),
    "sgd_decay": (optim.SGD, dict(lr=0.1, weight_decay=0.01)),
    "sgd_nesterov_decay": (optim.SGD, dict(lr=0.02, momentum=0.7, nesterov=True, weight_decay=0.1)),
    "adagrad": (optim.Adagrad, dict()),
    "adagrad_all": (optim.Adagrad, dict(lr=0.1, lr_decay=0.2, weight_decay=0.05, initial_accumulator_value=0.5, eps=1e-3)),
    "rmsprop": (optim.RMSprop, dict()),
    "rmsprop_centered": (optim.RMSprop, dict(lr=0.02, alpha=0.9, centered=True)),
    "rmsprop_momentum": (optim.RMSprop, dict(lr=0.002, momentum=0.9, weight_decay=0.01)),
    "rmsprop_all": (optim.RMSprop, dict(lr=0.005, alpha=0.8, eps=1e-4, momentum=0.6, centered=True, weight_decay=0.02)),
    "adadelta": (optim.Adadelta, dict()),
    "adadelta_all": (optim.Adadelta, dict(lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1)),
    "adam": (optim.Adam, dict()),
    "adam_decay": (optim.Adam, dict(lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)),
    "adam_amsgrad": (optim.Adam, dict(lr=0.05, betas=(0.8, 0.9), amsgrad=True)),
    "adamw": (optim.AdamW, dict()),
    "adamw_all": (optim.AdamW, dict(lr=0.05, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.3, amsgrad=True)),
    "nadam": (optim.NAdam, dict(foreach=True)),
    "nadam_all": (optim.NAdam, dict(lr=0.05, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1, momentum_decay=0.5, foreach=True)),
    "lion": (Lion, dict(lr=0.01)),
    "lion_decay": (Lion, dict(lr=0.05, betas=(0.8, 0.9), weight_decay=0.2)),
    "rprop": (optim.Rprop, dict()),
    "rprop_all": (optim.Rprop, dict(lr=0.02, etas=(0.3, 1.5), step_sizes=(0.01, 0.1))),
}


def make_problem():
    """theta with a large entry and one that is almost 0, and gradients of all sizes, one of them 0 in every step."""
    torch.manual_seed(53)
    theta = torch.tensor([1000, 1e-3, -0.75, 3, -42, 0.5, 0.25]).float().double()
    gradients = torch.randn(STEPS, len(theta)).double()
    gradients[:, 2] = gradients[:, 2].abs()  # a gradient that keeps its sign
    gradients[:, 3] *= 100
    gradients[:, 4] *= 1e-3
    gradients[:, 5] *= torch.tensor([1.0, 8, 0, 0.5, 0.1, 0.1, 0, 0.1, 0.1, 0.1])  # for amsgrad: large once, then small
    gradients[:, 6] = 0
    return theta, gradients.float().double()


def run(dtype, rule, hyperparameters, theta, gradients):
    torch.set_default_dtype(dtype)  # NAdam keeps a product in the default dtype
    theta = theta.to(dtype).clone().requires_grad_()
    optimizer = rule([theta], **hyperparameters)
    kept = {}
    for t, gradient in enumerate(gradients.to(dtype), start=1):
        theta.grad = gradient.clone()
        optimizer.step()
        if t in KEPT:
            kept[t] = theta.detach().double().clone()
    return kept


def numbers(values):
    return "{" + ", ".join(format(value, ".17g") for value in values.tolist()) + "}"


def main():
    theta, gradients = make_problem()
    size = len(theta)
    print(
        f"""\
// clang-format off
#pragma once
// Made by tests/integration/make_pytorch_optimizer_reference.py with PyTorch {torch.__version__}.
// Not to be edited by hand: change the script and run it again.
//
// theta after steps of each rule, computed in float64. theta and the gradients at the start are numbers that float holds exactly.

namespace chainrule_test::pytorch_optimizers {{

inline constexpr int size = {size};
inline constexpr int steps = {STEPS};

struct Reference {{
  const char* name;
  double after_1[size], after_3[size], after_10[size];
}};

inline constexpr double theta[size] = {numbers(theta)};
inline constexpr double gradients[steps][size] = {{"""
    )
    for gradient in gradients:
        print(f"    {numbers(gradient)},")
    print("};")
    for name, (rule, hyperparameters) in CASES.items():
        exact = run(torch.float64, rule, hyperparameters, theta, gradients)
        rounded = run(torch.float32, rule, hyperparameters, theta, gradients)
        for t in KEPT:
            error = ((rounded[t] - exact[t]) / exact[t]).abs().max().item()
            assert error <= FLOAT32_ERROR, f"{name} differs by {error} in float32 after {t} steps: choose another problem"
        arguments = ", ".join(f"{key}={value}" for key, value in hyperparameters.items())
        print(f"\n// {rule.__name__}({arguments})")
        print(f'inline constexpr Reference {name}{{"{name}",')
        print(",\n".join(f"    {numbers(exact[t])}" for t in KEPT) + "};")
    print("\n}  // namespace chainrule_test::pytorch_optimizers")


if __name__ == "__main__":
    main()
