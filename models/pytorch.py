# SPDX-License-Identifier: MIT
"""Sonde's nets in PyTorch.

    sonde model export pump.model -o state.safetensors      from Sonde
    sonde model import state.safetensors --like pump.model -o pump2.model

The three lines that a file of `export` needs, for 4 channels and 64 hidden units:

    state = load("state.safetensors")              # or safetensors.torch.load_file
    lstm, head = torch.nn.LSTM(4, 64), torch.nn.Linear(64, 4)
    lstm.load_state_dict(part(state, "lstm")); head.load_state_dict(part(state, "head"))

head(lstm(z)[0]) + linear(last rows of z) is then the forecast of each next row; Net below
does just that, for any sizes. Trained on, `save(net.state_dict(), path)` gives what `import`
takes. Any module of yours will do as well, if it has an nn.LSTM (1 or 2 layers, not
bidirectional, no projection) and an nn.Linear from its state to the channels.

What a net reads are deviations: z = (x - norm.mean) / norm.std, where x is a channel's
value, or its change since the last row where norm.wanders is 1. Sonde cuts them at +-z_clip
(`sonde model show`) before they enter.
"""
import json
import struct

import torch

DTYPES = {"F32": torch.float32, "F64": torch.float64, "F16": torch.float16,
          "BF16": torch.bfloat16, "I32": torch.int32, "I64": torch.int64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def load(path):
    """A safetensors file as a dict of tensors, without the safetensors package."""
    data = bytearray(open(path, "rb").read())
    start = 8 + struct.unpack("<Q", data[:8])[0]
    state = {}
    for name, t in json.loads(data[8:start]).items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            flat = torch.frombuffer(data[start + begin:start + end], dtype=DTYPES[t["dtype"]])
            state[name] = flat.reshape(t["shape"])
    return state


def save(state, path):
    """The reverse; large elements first, so that all lie at multiples of their size."""
    header, body = {"__metadata__": {"format": "pt"}}, bytearray()
    for name, t in sorted(state.items(), key=lambda item: -item[1].element_size()):
        raw = bytes(t.detach().contiguous().cpu().reshape(-1).view(torch.uint8).tolist())
        header[name] = {"dtype": NAMES[t.dtype], "shape": list(t.shape),
                        "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + body)


def part(state, module):
    """The members of one module, without its name."""
    return {name[len(module) + 1:]: t for name, t in state.items()
            if name.startswith(module + ".")}


def dense(state, module):
    w = state[module + ".weight"]
    layer = torch.nn.Linear(w.shape[1], w.shape[0])
    layer.load_state_dict(part(state, module))
    return layer


def lstm(state, module):
    m = part(state, module)
    rows, inputs = m["weight_ih_l0"].shape
    layer = torch.nn.LSTM(inputs, rows // 4, 2 if "weight_ih_l1" in m else 1)
    layer.load_state_dict(m)
    return layer


class Net(torch.nn.Module):
    """A forecast net: z[T, N] in, the forecast of each row's successor out."""

    def __init__(self, state):
        super().__init__()
        self.lstm, self.head = lstm(state, "lstm"), dense(state, "head")
        self.linear = dense(state, "linear") if "linear.weight" in state else None
        self.node = dense(state, "node") if "node.weight" in state else None
        self.graph = torch.nn.ParameterDict({
            k: torch.nn.Parameter(v, requires_grad=v.is_floating_point())
            for k, v in part(state, "graph").items()})

    def around(self, h, z):
        """What the graph adds: each channel hears its neighbours' nodes."""
        g = self.graph
        channels, features = g["own"].shape
        node = torch.relu(self.node(h).view(-1, channels, features) + g["own"] * z[..., None])
        there = (g["neighbour"] >= 0)[..., None]
        heard = node[:, g["neighbour"].long().clamp(min=0)] * (g["edge"][..., None] * there)
        near = torch.relu(heard.sum(2) @ g["mix"].T + g["mix_bias"])
        return (near * g["fuse"]).sum(2)

    def forward(self, z):
        h = self.lstm(z)[0]
        out = self.head(h)
        if self.node:
            out = out + self.around(h, z)
        if self.linear:
            lags = self.linear.in_features // z.shape[1]
            past = torch.cat([z.new_zeros(lags - 1, z.shape[1]), z])
            rows = [past[lags - 1 - k:len(past) - k] for k in range(lags)]
            out = out + self.linear(torch.cat(rows, 1))
        return out


class Autoencoder(torch.nn.Module):
    """A window z[W, N] in, the same told again, newest row first, from the last state."""

    def __init__(self, state):
        super().__init__()
        self.encoder, self.decoder = lstm(state, "encoder"), lstm(state, "decoder")
        self.head = dense(state, "head")

    def forward(self, z):
        h = self.encoder(z)[1][0]
        return self.head(self.decoder(h.expand(len(z), -1))[0])
