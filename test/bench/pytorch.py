# SPDX-License-Identifier: MIT
"""pytorch: PyTorch on the shapes of shapes.h, f32 and after quantize_dynamic, one thread.

It says and hears what contestant.h says. Everything runs under inference_mode, in eager mode and
from Python, as a user's program would have it; weights are drawn as shapes.h draws them.
"""
import math
import sys
import time

try:
    import torch
except ImportError as reason:
    print("skip", reason)
    sys.exit(77)

CHANNELS, ROWS, SPREAD, WINDOW = 8, 256, 3, 64
STEPS_BEFORE, SHOWN, TURN_NS = 50, 16, 1e6
WIDTHS = [640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640]


def noise(seed, count):
    values = []
    for _ in range(count):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append((seed >> 8) / (1 << 23) - 1)
    return torch.tensor(values, dtype=torch.float32)


def layer(fan_in, out, size, bias_size, seed):
    values = noise(seed, fan_in * out + out)
    return size * values[:fan_in * out].view(out, fan_in), bias_size * values[fan_in * out:]


def lstm(fan_in, hidden, seed):
    size = 1 / math.sqrt(hidden)
    weight, bias = layer(fan_in + hidden, 4 * hidden, size, size, seed)
    net = torch.nn.LSTM(fan_in, hidden)
    net.weight_ih_l0.copy_(weight[:, :fan_in])
    net.weight_hh_l0.copy_(weight[:, fan_in:])
    net.bias_ih_l0.copy_(bias)
    net.bias_hh_l0.zero_()
    return net


def linear(*args):
    weight, bias = layer(*args)
    net = torch.nn.Linear(weight.shape[1], weight.shape[0])
    net.weight.copy_(weight)
    net.bias.copy_(bias)
    return net


class Step(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.lstm = lstm(CHANNELS, hidden, hidden)
        self.state = None
        self.rows = SPREAD * noise(7, ROWS * CHANNELS).view(ROWS, 1, 1, CHANNELS)

    def run(self, i):
        out, self.state = self.lstm(self.rows[i % ROWS], self.state)
        return out


class Window(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = lstm(CHANNELS, 64, 1001)
        self.decoder = lstm(64, 64, 1002)
        self.head = linear(64, CHANNELS, 0.25, 0.25, 1003)
        self.windows = SPREAD * noise(7, ROWS * CHANNELS).view(-1, WINDOW, 1, CHANNELS)

    def run(self, i):
        _, (code, _) = self.encoder(self.windows[i % len(self.windows)])
        return self.head(self.decoder(code.expand(WINDOW, 1, 64))[0])


class Dense(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for k, (fan_in, out) in enumerate(zip(WIDTHS, WIDTHS[1:])):
            layers += [linear(fan_in, out, math.sqrt(6 / fan_in), 0.125, 2001 + k),
                       torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*layers[:-1])
        self.inputs = noise(8, 16 * 640).view(16, 1, 640)

    def run(self, i):
        return self.net(self.inputs[i % 16])


def quantized(net):
    return torch.ao.quantization.quantize_dynamic(net, {torch.nn.LSTM, torch.nn.Linear},
                                                  dtype=torch.qint8)


def run_for(net, runs):
    run, begin = net.run, time.perf_counter_ns()
    for i in range(runs):
        run(i)
    return (time.perf_counter_ns() - begin) / runs


def add(cases, only, shape, variant, make, before):
    if only and only != [shape, variant]:
        return
    net = make().eval()
    if variant == "int8":
        net = quantized(net)
    for i in range(before + 1):
        out = net.run(i)
    print("case", shape, variant, *(f"{v:.6g}" for v in out.flatten()[:SHOWN].tolist()))
    run_for(net, 5)
    cases.append((net, max(1, int(TURN_NS / run_for(net, 5)))))


def main():
    only, cases = sys.argv[1:], []
    torch.set_num_threads(1)
    with torch.inference_mode():
        for variant in "f32", "int8":
            for hidden in 32, 64, 128:
                add(cases, only, f"lstm-{hidden}", variant, lambda h=hidden: Step(h), STEPS_BEFORE)
            add(cases, only, "window", variant, Window, 0)
            add(cases, only, "dense", variant, Dense, 0)
        print("version", torch.__version__)
        print("ready", flush=True)
        for line in sys.stdin:
            net, runs = cases[int(line)]
            run_for(net, runs // 4 + 1)
            print(f"{run_for(net, runs):.1f}", flush=True)


main()
