"""Trains a small net on the iris data in PyTorch and saves the files that the example from_pytorch loads.

    python3 examples/support/train_in_pytorch.py [FOLDER]

writes pytorch_iris.safetensors, the state_dict of the module, and pytorch_iris_logits.safetensors, its outputs for all 150 flowers.
FOLDER defaults to examples/data. Needs torch. Uses the package safetensors if it is installed, else writes the format itself.
"""

import csv
import json
import pathlib
import struct
import sys

import torch
from torch import nn

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"


class Irises(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 16)
        self.fc2 = nn.Linear(16, 16)
        self.fc3 = nn.Linear(16, 3)

    def forward(self, x):
        return self.fc3(torch.tanh(self.fc2(torch.relu(self.fc1(x)))))


def save_file(tensors, path):
    try:
        from safetensors.torch import save_file as save

        return save(tensors, path)
    except ImportError:
        pass
    header, data = {}, b""
    for name, tensor in sorted(tensors.items()):
        numbers = tensor.detach().contiguous().to(torch.float32).numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    with open(DATA / "iris.csv") as file:
        rows = list(csv.DictReader(file))
    species = sorted({row["species"] for row in rows})
    x = torch.tensor([[float(row[key]) for key in list(row)[:4]] for row in rows])
    y = torch.tensor([species.index(row["species"]) for row in rows])

    torch.manual_seed(1)
    model = Irises()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(300):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    with torch.no_grad():
        logits = model(x)
    print(f"loss {loss.item():.4f}, accuracy {(logits.argmax(1) == y).float().mean().item():.4f}")
    save_file(model.state_dict(), folder / "pytorch_iris.safetensors")
    save_file({"logits": logits}, folder / "pytorch_iris_logits.safetensors")


main()
