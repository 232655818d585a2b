"""Writes pytorch_derivative_reference.hpp: derivatives of one small net by its inputs and parameters as PyTorch computes them, for
pytorch_derivative_reference_test.cpp to compare with.

    python3 tests/integration/make_pytorch_derivative_reference.py > tests/integration/pytorch_derivative_reference.hpp

Everything is computed in float64; parameters and inputs are rounded to float32 first, so that they are short. The same PyTorch on the
same processor writes the same file again; elsewhere the last digits may differ.
"""

import os

# Set before the import of torch: one thread, and the same elementwise loops on every processor.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", ATEN_CPU_CAPABILITY="default")

import torch
from torch import nn
from torch.autograd.functional import hessian, jacobian

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)


def uniform(low, high, *shape):
    return (low + (high - low) * torch.rand(*shape)).float().double()


def flat(tensors):
    """All tensors in chainrule's layout of theta: matrices by columns, one tensor after the other."""
    return torch.cat([tensor.detach().t().reshape(-1) if tensor.dim() == 2 else tensor.detach().reshape(-1) for tensor in tensors])


def shaped(vector, parameters):
    """The inverse of flat, for tensors of the shapes of the parameters."""
    result = []
    for parameter in parameters:
        part, vector = vector[: parameter.numel()], vector[parameter.numel() :]
        result.append(part.reshape(parameter.t().shape).t() if parameter.dim() == 2 else part.reshape(parameter.shape))
    return result


class LayerNorm(nn.LayerNorm):
    """Its formula written out. The third derivatives of PyTorch 1.13's own are wrong: they differ from central differences."""

    def forward(self, x):
        deviation = x - x.mean(-1, keepdim=True)
        variance = (deviation**2).mean(-1, keepdim=True)
        return deviation / torch.sqrt(variance + self.eps) * self.weight + self.bias


net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), LayerNorm(5), nn.Linear(5, 4), nn.GELU(), nn.Linear(4, 2))
with torch.no_grad():
    for parameter in net.parameters():
        parameter.copy_(uniform(-1, 1, *parameter.shape))
parameters = list(net.parameters())
x, labels = uniform(-1, 1, 3, 3), torch.tensor([0, 1, 1])
direction = uniform(-1, 1, sum(parameter.numel() for parameter in parameters))

# By x: the Jacobian of each sample, and the Hessian of its second output, side by side.
jacobians = torch.cat([jacobian(net, sample) for sample in x], dim=1)
hessians = torch.cat([hessian(lambda at: net(at)[1], sample) for sample in x], dim=1)

# By theta: the gradient of each output of each sample, and the Hessian of the cross entropy times a direction.
columns = [flat(torch.autograd.grad(net(sample)[o], parameters)) for sample in x for o in range(2)]
gradients = torch.autograd.grad(nn.CrossEntropyLoss()(net(x), labels), parameters, create_graph=True)
along = sum((g * v).sum() for g, v in zip(gradients, shaped(direction, parameters)))
hessian_times_direction = flat(torch.autograd.grad(along, parameters))

# The gradient by theta of J = 1/2 sum over samples and outputs of (Laplacian + d/dx_0)^2.
J = 0
for sample in x:
    at = sample.clone().requires_grad_()
    for o in range(2):
        (by_x,) = torch.autograd.grad(net(at)[o], at, create_graph=True)
        laplacian = sum(torch.autograd.grad(by_x[i], at, create_graph=True)[0][i] for i in range(3))
        J = J + (laplacian + by_x[0]) ** 2 / 2
# allow_unused: b(L) does not change a derivative by x
residual_gradient = flat([torch.zeros_like(p) if g is None else g
                          for g, p in zip(torch.autograd.grad(J, parameters, allow_unused=True), parameters)])


def write(name, values, comment):
    numbers = values.detach().t().reshape(-1).tolist() if values.dim() == 2 else values.detach().reshape(-1).tolist()
    print(f"inline constexpr double {name}[] = {{  // {comment}")
    for i in range(0, len(numbers), 6):
        print("    " + ", ".join(repr(number) for number in numbers[i : i + 6]) + ",")
    print("};\n")


print("// clang-format off")
print("#pragma once")
print(f"// Made by tests/integration/make_pytorch_derivative_reference.py with PyTorch {torch.__version__}.")
print("// Not to be edited by hand: change the script and run it again.")
print("//")
print("// Derivatives of a net 3-5 tanh, LayerNorm, 5-4 GELU, 4-2 as PyTorch computes them in float64. Matrices are column-major.\n")
print("namespace chainrule_test::pytorch::derivatives {\n")
write("theta", flat(parameters), "weight and bias of each layer")
write("x", x.t(), "3 x 3, one column is one sample")
print(f"inline constexpr int labels[] = {{{', '.join(str(label) for label in labels.tolist())}}};\n")
write("jacobian", jacobians, "2 x 9: dF/dx of each sample")
write("hessian", hessians, "3 x 9: d2F_1/dx2 of each sample")
write("parameter_jacobian", torch.stack(columns).t(), "parameters x 6: of sample j and output o in column 2 j + o")
write("direction", direction, "a direction of theta")
write("hessian_vector_product", hessian_times_direction, "the Hessian of the cross entropy of the labels times the direction")
write("residual", torch.tensor([J.item()]), "J = 1/2 sum (Laplacian + dF/dx_0)^2")
write("residual_gradient", residual_gradient, "dJ/dtheta")
print("}  // namespace chainrule_test::pytorch::derivatives")
