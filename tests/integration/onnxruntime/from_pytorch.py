#!/usr/bin/env python3
"""from_pytorch.py FOLDER: exports PyTorch networks with torch.onnx, in several operator sets, each with its inputs and outputs in files.
read_models reads them. Needs PyTorch and onnx (Debian: python3-torch python3-onnx)."""
import pathlib
import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(1)


class View(nn.Module):
    def forward(self, x):
        return x.view(x.size(0), -1)


class Residual(nn.Module):
    def __init__(self, *inside):
        super().__init__()
        self.inside = nn.Sequential(*inside)

    def forward(self, x):
        return x + self.inside(x)


class Product(nn.Module):
    """An affine map from single operations instead of nn.Linear."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(6, 6))
        self.b = nn.Parameter(torch.randn(6))

    def forward(self, x):
        return x @ self.w + self.b


def export(name, net, shape=(6,), operators=(11, 14, 17)):
    """Exports a network after five passes in training mode, so that running statistics do not have their initial values."""
    net.train()
    for _ in range(5):
        net(torch.randn(32, *shape) * 2 + 1)
    net.eval()
    x = torch.randn(50, *shape) * 2
    for operator_set in operators:
        path = folder / f"{name}_{operator_set}.onnx"
        torch.onnx.export(net, x[:2], str(path), opset_version=operator_set, input_names=["x"], output_names=["y"],
                          dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
        for suffix, numbers in ((".x", x), (".y", net(x).detach())):
            numbers.double().numpy().astype("<f8").tofile(f"{path}{suffix}")


activations = {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "elu": nn.ELU(0.5), "selu": nn.SELU(), "sigmoid_inside": nn.Sigmoid(),
               "tanh": nn.Tanh(), "softplus": nn.Softplus(), "softplus_3": nn.Softplus(beta=3), "softsign": nn.Softsign(),
               "gelu": nn.GELU(), "silu": nn.SiLU(), "hardswish": nn.Hardswish(), "hardtanh": nn.Hardtanh(), "hardtanh_other": nn.Hardtanh(-0.5, 2),
               "relu6": nn.ReLU6(), "identity": nn.Identity(), "prelu": nn.PReLU(), "prelu_6": nn.PReLU(6)}
for name, f in activations.items():
    export(name, nn.Sequential(nn.Linear(6, 6), f, nn.Linear(6, 3)))
for f, operators in ((nn.GELU("tanh"), (14, 17)), (nn.Mish(), (14, 17)), (nn.Hardsigmoid(), (14, 17)), (nn.CELU(), (14, 17))):
    export(type(f).__name__.lower() + "_newer", nn.Sequential(nn.Linear(6, 6), f, nn.Linear(6, 3)), operators=operators)
export("softmax", nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.Softmax(dim=1)))
export("sigmoid", nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()))
export("layer_norm", nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 4)))
export("batch_norm", nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, eps=1e-3), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 4)))
export("without_bias", nn.Sequential(nn.Linear(6, 8, bias=False), nn.ReLU(), nn.Linear(8, 4, bias=False)))
export("flatten", nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4)), shape=(1, 6, 6))
export("view", nn.Sequential(View(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4)), shape=(1, 6, 6))
export("product", nn.Sequential(Product(), nn.GELU(), nn.Linear(6, 4)))
export("residual", nn.Sequential(nn.Linear(6, 8), Residual(nn.LayerNorm(8), nn.Linear(8, 5), nn.SiLU(), Residual(nn.Linear(5, 5), nn.GELU()),
                                                           nn.Linear(5, 8)), nn.ReLU(), nn.Linear(8, 4)))
