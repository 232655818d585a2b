"""Saves a network with chainrule, loads it into a torch.nn.Sequential, compares the predictions, saves it there and loads it again here.

    python3 tests/integration/model_file_against_pytorch.py

Needs torch, numpy, g++, Eigen and nlohmann/json; with the package safetensors its own reader and writer are used. Exit code 0: PyTorch
predicts the same to 1e-5, and the file that it saves holds the same bits.
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
TYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}

try:
    from safetensors.torch import load_file, save_file

    HOW = "the package safetensors"
except ImportError:
    HOW = "a reader and writer of the format"

    def load_file(path):
        data = pathlib.Path(path).read_bytes()
        end = 8 + struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:end])
        header.pop("__metadata__", None)

        def tensor(entry):
            first, last = entry["data_offsets"]
            return torch.frombuffer(bytearray(data[end + first : end + last]), dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])

        return {name: tensor(entry) for name, entry in header.items()}

    def save_file(tensors, path):
        names = {dtype: name for name, dtype in TYPES.items()}
        header, data = {}, b""
        for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
            numbers = tensor.detach().contiguous().numpy().tobytes()
            header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(numbers)]}
            data += numbers
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        program = folder / "program"
        source = ROOT / "tests/integration/model_file_against_pytorch.cpp"
        include = ["-I", ROOT / "include", "-isystem", "/usr/include/eigen3"]
        subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-O1", *include, source, "-o", program, "-pthread"], check=True)
        subprocess.run([program, "write", folder], check=True)

        model = nn.Sequential(
            nn.Linear(6, 20), nn.ReLU(), nn.BatchNorm1d(20), nn.GELU(), nn.Dropout(),
            nn.Linear(20, 12), nn.Tanh(), nn.LayerNorm(12), nn.PReLU(12), nn.Linear(12, 8), nn.PReLU(), nn.SiLU(), nn.Linear(8, 3),
        )  # fmt: skip
        model.load_state_dict(load_file(folder / "ours.safetensors"), strict=True)
        model.eval()
        data = load_file(folder / "data.safetensors")
        with torch.no_grad():
            difference = (model(data["x"]) - data["y_hat"]).abs().max() / data["y_hat"].abs().max()
        print(f"ours -> PyTorch {torch.__version__} by {HOW}: greatest difference of 300 predictions, relative to the largest, {difference:.1e}")

        save_file(model.state_dict(), folder / "theirs.safetensors")
        back = subprocess.run([program, "check", folder]).returncode
        sys.exit(back if difference < 1e-5 else 1)


main()
