#!/bin/sh
# Weights from PyTorch and back: modules of torch itself are imported, exported and loaded by
# torch again, and say the same to within 1e-6; so does the kernel that the daemon runs.
set -eu
top=$PWD
if ! python3 -c 'import torch' 2>/dev/null; then
	echo "python3-torch is not installed: scripts/setup bench-pytorch"
	exit 77
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export MODEL="$top/$BUILD/sonde-model" FORECAST="$top/$BUILD/test/system/forecast"
export TOP="$top" PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
cat >test.py <<'END'
import json, os, subprocess, sys
import torch

sys.path.insert(0, os.environ["TOP"] + "/models")
import pytorch

MODEL, FORECAST = os.environ["MODEL"], os.environ["FORECAST"]
N, H, T = 4, 24, 300
torch.manual_seed(3)


def run(*args):
    done = subprocess.run([MODEL, *args], capture_output=True, text=True)
    if done.returncode:
        sys.exit("sonde-model %s\n%s" % (" ".join(args), done.stderr))
    return json.loads(done.stdout) if "-j" in args else done.stdout


def same(what, a, b, near=1e-6):
    worst = (a - b).abs().max().item()
    print("%-52s differs by %.1e, says %.2f" % (what, worst, b.abs().max().item()))
    if not worst <= near or b.abs().max().item() < 0.05:
        sys.exit("not true: %s are the same within %g" % (what, near))


def runtime(model, z):
    with open("z.txt", "w") as f:
        f.write("\n".join(" ".join("%.9g" % v for v in row) for row in z.tolist()))
    text = subprocess.run([FORECAST, model, "z.txt"], capture_output=True, text=True, check=True)
    return torch.tensor([[float(v) for v in line.split()] for line in text.stdout.splitlines()])


def deviations(x, norm):
    return (x - norm["norm.mean"]) / norm["norm.std"]


@torch.no_grad()
def forecast(name, state, mine, *options, settled=0):
    """mine(x): what torch says of the next rows, in the channels' units. In double, so that
    what is compared are the weights and the daemon's float arithmetic, not torch's."""
    pytorch.save(state, name)
    told = run("import", name, "-o", name + ".model", "--train", "a.csv", "-j", *options)
    run("export", name + ".model", "-o", name + ".back")
    back = pytorch.load(name + ".back")
    net = pytorch.Net(back)
    same(name + ": torch, sonde, torch", net.double()(deviations(rows.double(), back))[settled:],
         deviations(mine(rows.double()), back)[settled:])
    net.linear, z = None, deviations(rows, back)
    same(name + ": torch, and the daemon's kernel", runtime(name + ".model", z), net(z.double()))
    run("import", name + ".back", "-o", name + ".model2", "--like", name + ".model")
    run("export", name + ".model2", "-o", name + ".back2")
    if open(name + ".back", "rb").read() != open(name + ".back2", "rb").read():
        sys.exit("not true: %s comes back to the byte" % name)
    return told


t = torch.arange(T * 5)[:, None].double()
x = torch.cat([5 + torch.sin(t * .31), torch.cos(t * .31) * torch.sin(t * .11),
               torch.rand(T * 5, 1), 3 * torch.sin(t * .07)], 1)
x = (x + .1 * torch.randn(T * 5, N)).float()
with open("a.csv", "w") as f:
    f.write("a,b,c,d\n" + "\n".join(",".join("%.9g" % v for v in row) for row in x.tolist()) + "\n")
rows = x[:T]

# What the fit's deviations are, to say what a module that reads them says in units.
first = torch.nn.LSTM(N, H)
pytorch.save({"lstm." + k: v for k, v in first.state_dict().items()}
             | {"head.weight": torch.zeros(N, H)}, "first")
run("import", "first", "-o", "first.model", "--train", "a.csv")
run("export", "first.model", "-o", "first.state")
fit = pytorch.load("first.state")
linear = pytorch.Net(fit).linear


class Mine(torch.nn.Module):
    """Somebody's own: nothing is called what it is called here, no normalisation."""

    def __init__(self, layers):
        super().__init__()
        self.body = torch.nn.ModuleDict({"rnn": torch.nn.LSTM(N, H, layers)})
        self.fc = torch.nn.Linear(H, N)

    def forward(self, z):
        return self.fc(self.body["rnn"](z)[0])


def beside_linear(net, x):
    """In units: a net that adds to the linear forecast of the fit."""
    z, lags = deviations(x, fit), linear.in_features // N
    past = torch.cat([torch.zeros(lags - 1, N), z])
    near = torch.cat([past[lags - 1 - k:len(past) - k] for k in range(lags)], 1)
    return (net.double()(z) + linear.double()(near)) * fit["norm.std"] + fit["norm.mean"]


for layers, dtype in ((1, torch.float32), (2, torch.float64), (1, torch.float16),
                      (2, torch.bfloat16)):
    net = Mine(layers)
    state = {k: v.to(dtype) for k, v in net.state_dict().items()}
    net.load_state_dict(state)
    told = forecast("%d layers of %s" % (layers, dtype), state, lambda x: beside_linear(net, x))
    assert told["layers"] == layers and told["hidden"] == H and told["linear"] == "model", told

# A net of other deviations, which forecasts the row by itself: its head is fitted to that.
norm = {"norm.mean": torch.tensor([4., .5, .2, -1]), "norm.std": torch.tensor([1.5, .4, .6, 2.2])}


def in_units(net, x):
    return net.double()(deviations(x, norm)) * norm["norm.std"] + norm["norm.mean"]


net = Mine(1)
with torch.no_grad():
    z = deviations(x, norm)
    h = torch.cat([net.body["rnn"](z)[0], torch.ones(len(z), 1)], 1)
    fitted = torch.linalg.solve(h[:-1].T @ h[:-1] + 10 * torch.eye(H + 1), h[:-1].T @ z[1:])
    net.fc.weight.copy_(fitted[:-1].T)
    net.fc.bias.copy_(fitted[-1])
state = net.state_dict() | {"body." + k: v for k, v in norm.items()}
told = forecast("other deviations", state, lambda x: in_units(net, x))
assert told["linear"] == "none" and told["loss_net"] < 1, told

# A graph and a linear part, in other deviations as well. At the first row the lag line is at
# rest, which is another value there and here.
D, F, LAGS = 3, 4, 2
modules = {"lstm": torch.nn.LSTM(N, H), "head": torch.nn.Linear(H, N),
           "node": torch.nn.Linear(H, N * F), "linear": torch.nn.Linear(LAGS * N, N)}
state = {m + "." + k: v for m in modules for k, v in modules[m].state_dict().items()} | norm
state |= {"graph." + k: torch.randn(*shape) / 2 for k, shape in
          {"edge": (N, D), "own": (N, F), "mix": (F, F), "mix_bias": (F,), "fuse": (N, F)}.items()}
state["graph.neighbour"] = torch.tensor([[0, 1, 2], [1, 3, -1], [2, -1, -1], [3, 0, 1]])
told = forecast("graph", state, lambda x: in_units(pytorch.Net(state), x), settled=LAGS - 1)
assert told["linear"] == "state dict", told

# An autoencoder: the window's oldest row, as the runtime tells it.
W = 12
state = {"ae.encoder." + k: v for k, v in torch.nn.LSTM(N, H).state_dict().items()}
state |= {"ae.decoder." + k: v for k, v in torch.nn.LSTM(H, H).state_dict().items()}
state |= {"ae.out." + k: v for k, v in torch.nn.Linear(H, N).state_dict().items()}
pytorch.save(state, "ae")
run("import", "ae", "-o", "ae.model", "--train", "a.csv", "--window", str(W))
run("export", "ae.model", "-o", "ae.back")
back = pytorch.load("ae.back")
net = pytorch.Autoencoder({k[3:].replace("out.", "head."): v for k, v in state.items()})
with torch.no_grad():
    z = deviations(rows, back)
    told = torch.stack([net(z[k - W + 1:k + 1]) for k in range(W - 1, T)])
    again = pytorch.Autoencoder(back)
    same("autoencoder: torch, sonde, torch",
         torch.stack([again(z[k - W + 1:k + 1]) for k in range(W - 1, T)]), told)
    same("autoencoder: torch, and the daemon's kernel",
         runtime("ae.model", z)[W - 1:] + z[:T - W + 1], told[:, -1])

# What other tools of PyTorch's world make of our files, where they are installed.
try:
    from safetensors.torch import load_file, save_file
except ImportError:
    load_file = None
if load_file:
    theirs = load_file("ae.back")
    assert theirs.keys() == back.keys() and all(torch.equal(theirs[k], back[k]) for k in back)
    save_file(state, "theirs")
    run("import", "theirs", "-o", "theirs.model", "--like", "ae.model")
    run("export", "theirs.model", "-o", "theirs.back")
    assert open("theirs.back", "rb").read() == open("ae.back", "rb").read()
END
python3 test.py
