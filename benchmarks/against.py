"""The speed of this checkout against another one of the project, such as an earlier commit.

Run it in the project's root, with the other checkout's folder: ``python benchmarks/against.py FOLDER``. Each figure is
the median over pairs of runs, one of each side in turn, each in a process of its own; below 1 this checkout is quicker.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent.parent
PAIRS = 9

# What is timed, in the least of several repetitions, in seconds.
WORK = r"""
import sys, timeit
import numpy as np
import autograd_mini as ag
from autograd_mini import Trainer, Value, datasets, nn, optim, tanh

def least(f, number, repeat=5):
    f()
    return min(timeit.repeat(f, number=number, repeat=repeat)) / number

neuron, features = nn.Neuron(8, "tanh", rng=0), [0.1 * i for i in range(8)]
weights = [Value(0.1 * i) for i in range(9)]

def step_of_a_neuron():
    for parameter in neuron.parameters():
        parameter.grad = 0.0
    neuron(features).backward()

def step_of_an_expanded_neuron():
    total = weights[8]
    for w, x in zip(weights, features):
        total = total + w * x
    for w in weights:
        w.grad = 0.0
    tanh(total).backward()

def trainer(data, widths, loss, batch):
    X, y = data
    model = nn.MLP(X.shape[1], widths, activation="relu", rng=0)
    made = Trainer(model, loss, optim.SGD(model.parameters(), lr=0.01), batch_size=batch, epochs=20, progress=False)
    made.fit(X, y)
    return lambda: made.fit(X, y)

rng = np.random.default_rng(0)
X, y = datasets.moons(200, seed=0)
digits = rng.random((1797, 64)), rng.integers(0, 10, 1797)
network = nn.MLP(2, [3, 1], rng=0)
loss = (network([0.5, -0.3]) - 1.0) ** 2
loss.backward()
print(
    least(step_of_a_neuron, 2000),
    least(step_of_an_expanded_neuron, 2000),
    least(trainer((X, 2 * y - 1), [16, 16, 1], "hinge", 50), 1) / 20,
    least(trainer(digits, [100, 10], "cross_entropy", 200), 1, 3) / 20,
    least(lambda: ag.step_through(loss)._repr_html_(), 2),
)
"""
NAMES = [
    "eager step of a neuron",
    "eager step of an expanded neuron",
    "epoch of moons by Trainer",
    "epoch of digits by Trainer",
    "step_through of a 2-3-1 network",
]


def run(root: Path, code: str) -> str:
    """Run code in a process of its own that imports the package of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=root.anchor).stdout


def import_time(root: Path) -> float:
    """Return what importing the package takes beyond starting Python, in seconds, by the time of the processor."""
    code = "import time; start = time.process_time(); import autograd_mini; print(time.process_time() - start)"
    return min(float(run(root, code)) for _ in range(7))


def main() -> None:
    """Print the table."""
    if len(sys.argv) != 2:
        raise SystemExit("expected the folder of another checkout: python benchmarks/against.py FOLDER")
    other = Path(sys.argv[1]).resolve()
    pairs = []
    for k in range(PAIRS):
        sides = [HERE, other] if k % 2 == 0 else [other, HERE]
        found = {side: [*map(float, run(side, WORK).split()), import_time(side)] for side in sides}
        pairs.append((found[HERE], found[other]))
    print(f"{'':<34} {'here':>12} {'there':>12} {'here / there':>14}")
    for k, name in enumerate([*NAMES, "import autograd_mini"]):
        here, there = median(a[k] for a, _ in pairs), median(b[k] for _, b in pairs)
        ratio = median(a[k] / b[k] for a, b in pairs)
        print(f"{name:<34} {here * 1e3:>9.3f} ms {there * 1e3:>9.3f} ms {ratio:>14.3f}")


if __name__ == "__main__":
    main()
