"""Writes pytorch_layer_reference.hpp: what PyTorch computes for single layers, one small net with BatchNorm, and weighted
cross entropies, for pytorch_layer_reference_test.cpp to compare with.

    python3 tests/integration/make_pytorch_layer_reference.py > tests/integration/pytorch_layer_reference.hpp

Everything is computed in float64. Parameters, inputs and targets are rounded to float32 first, so that nets of float and of double
start from exactly the same numbers. The same PyTorch on the same processor writes the same file again; elsewhere the last
digits may differ.
"""

import os

# Set before the import of torch: one thread, and the same elementwise loops on every processor.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", ATEN_CPU_CAPABILITY="default")

import torch
from torch import nn

LEARNING_RATE = 0.5
STEPS = 5

# Conditions on a seed, so that a difference between chainrule and PyTorch is a fault and not rounding.
CLOSEST_TO_KINK = 1e-3  # smallest |z| of a (P)ReLU, so that float and double take the same side
FLOAT32_ERROR = 2e-6  # largest difference of PyTorch's float32 from its float64, measured as in the test
FLOOR = 1e-2  # the floor in pytorch_comparison.hpp

torch.set_default_dtype(torch.float64)

# ---- What PyTorch computes, by its name in C++ ---------------------------------------------------------------------------
# Each function makes its numbers in float64 and then works in `dtype`. One column of a batch is one sample.


def uniform(low, high, *shape):
    return (low + (high - low) * torch.rand(*shape)).float().double()


def flat(tensors):
    """All tensors in chainrule's layout of theta: matrices by columns, one tensor after the other."""
    return torch.cat([tensor.detach().t().reshape(-1) if tensor.dim() == 2 else tensor.detach().reshape(-1) for tensor in tensors])


def randomize(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(uniform(-1, 1, *parameter.shape))
    return module


def gradients(module, x, y):
    """Gradients of the mean squared error of one batch."""
    x = x.clone().requires_grad_()
    outputs = module(x)
    nn.MSELoss()(outputs, y).backward()
    dJ_dtheta = flat(parameter.grad for parameter in module.parameters())
    return {"outputs": outputs.t(), "dJ_dtheta": dJ_dtheta, "dJ_dx": x.grad.t()}


def batch_norm(dtype):
    """Three batches, the gradients of the last one, and its prediction with the running statistics."""
    torch.manual_seed(2)
    module, x, y = randomize(nn.BatchNorm1d(3)), uniform(-2, 3, 12, 3), uniform(-1, 1, 4, 3)
    module, x, y = module.to(dtype), x.to(dtype), y.to(dtype)
    result = {"x": x.t(), "y": y.t(), "theta": flat(module.parameters())}
    module(x[0:4])
    module(x[4:8])
    result |= gradients(module, x[8:12], y)
    result |= {"running_mean": module.running_mean, "running_variance": module.running_var}
    return result | {"prediction": module.eval()(x[8:12]).t()}


def layer_norm(dtype):
    torch.manual_seed(10)
    module, x, y = randomize(nn.LayerNorm(5)), uniform(-2, 3, 4, 5), uniform(-1, 1, 4, 5)
    module, x, y = module.to(dtype), x.to(dtype), y.to(dtype)
    return {"x": x.t(), "y": y.t(), "theta": flat(module.parameters())} | gradients(module, x, y)


def prelu(dtype, slopes):
    torch.manual_seed(3)
    module, x, y = randomize(nn.PReLU(slopes)), uniform(-2, 2, 3, 4), uniform(-1, 1, 3, 4)
    assert x.abs().min() > CLOSEST_TO_KINK, "an x is too close to 0: choose another seed"
    module, x, y = module.to(dtype), x.to(dtype), y.to(dtype)
    return {"x": x.t(), "y": y.t(), "theta": flat(module.parameters())} | gradients(module, x, y)


def shared_slope(dtype):
    return prelu(dtype, 1)


def slope_per_unit(dtype):
    return prelu(dtype, 4)


def net(dtype):
    """Gradient descent with every step on the whole batch."""
    torch.manual_seed(4)
    net = randomize(nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)))
    x, y = uniform(-1, 1, 8, 3).to(dtype), torch.tensor(LABELS)
    net = net.to(dtype)
    result = {"x": x.t(), "theta": flat(net.parameters())}
    sgd = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    losses = []
    for _ in range(STEPS):
        z = nn.functional.batch_norm(net[0](x), None, None, net[1].weight, net[1].bias, training=True)
        assert z.abs().min() > CLOSEST_TO_KINK, "a z is too close to the kink of ReLU: choose another seed"
        sgd.zero_grad()
        loss = nn.CrossEntropyLoss()(net(x), y)
        loss.backward()
        losses.append(loss.detach())
        sgd.step()
    result |= {"losses": torch.stack(losses), "stepped_theta": flat(net.parameters())}
    result |= {"running_mean": net[1].running_mean, "running_variance": net[1].running_var}
    return result | {"prediction": nn.Softmax(dim=1)(net.eval()(x)).t()}


LABELS = [1, 0, 0, 1, 1, 0, 1, 0]


def weighted_cross_entropy(dtype):
    """CrossEntropyLoss with class weights, and with weights of samples that are divided by their sum."""
    torch.manual_seed(5)
    z, y = uniform(-3, 3, 6, 3).to(dtype), torch.tensor(WEIGHTED_LABELS)
    class_weights, sample_weights = uniform(0.5, 3, 3).to(dtype), uniform(0, 3, 6).to(dtype)
    by_class = nn.CrossEntropyLoss(weight=class_weights)
    each = nn.CrossEntropyLoss(reduction="none")
    result = {"logits": z.t(), "class_weights": class_weights, "sample_weights": sample_weights}
    for name, loss in ("class", by_class), ("sample", lambda z, y: (sample_weights * each(z, y)).sum() / sample_weights.sum()):
        logits = z.clone().requires_grad_()
        J = loss(logits, y)
        J.backward()
        result |= {f"{name}_loss": J.detach().reshape(1), f"{name}_dJ_dlogits": logits.grad.t()}
    return result


WEIGHTED_LABELS = [2, 0, 1, 1, 0, 2]

# ---- Writing C++ --------------------------------------------------------------------------------------------------------


def check_conditioning(exact, rounded):
    for name, tensor in exact.items():
        floor = FLOOR * tensor.abs().max().item()
        error = ((rounded[name].double() - tensor).abs() / tensor.abs().clamp(min=floor)).max().item()
        assert error <= FLOAT32_ERROR, f"{name} differs by {error} in float32: choose another seed"


def print_array(name, tensor):
    """The numbers in column-major order, at most six in a line."""
    shape = " x ".join(map(str, tensor.shape))
    numbers = [format(value, ".17g") for value in tensor.detach().t().reshape(-1).tolist()]
    print(f"inline constexpr double {name}[] = {{  // {shape}")
    lines = [", ".join(numbers[i : i + 6]) for i in range(0, len(numbers), 6)]
    print("    " + ",\n    ".join(lines) + "};")


HEADER = f"""\
// clang-format off
#pragma once
// Made by tests/integration/make_pytorch_layer_reference.py with PyTorch {torch.__version__}.
// Not to be edited by hand: change the script and run it again.
//
// Layers, a net and losses as PyTorch computes them in float64. Matrices are column-major, one column is one sample; theta is
// flat, as chainrule lays it out. theta, x, y, logits and weights are numbers that float holds exactly.

namespace chainrule_test::pytorch {{

inline constexpr double net_learning_rate = {LEARNING_RATE};
inline constexpr int net_labels[] = {{{', '.join(map(str, LABELS))}}};
inline constexpr int weighted_labels[] = {{{', '.join(map(str, WEIGHTED_LABELS))}}};
"""


def main():
    print(HEADER, end="")
    for compute in batch_norm, layer_norm, shared_slope, slope_per_unit, net, weighted_cross_entropy:
        tensors = compute(torch.float64)
        check_conditioning(tensors, compute(torch.float32))
        print(f"\nnamespace {compute.__name__} {{")
        for name, tensor in tensors.items():
            print_array(name, tensor)
        print("}")
    print("\n}  // namespace chainrule_test::pytorch")


if __name__ == "__main__":
    main()
