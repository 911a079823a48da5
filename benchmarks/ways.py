"""How far data travels: the files of the package that one training batch, one drawing and one stepper enter.

Run it in the project's root: ``python benchmarks/ways.py``. Counted are files of which a function is called, modules
being imported before; drawing is done without any program, as where Graphviz isn't installed.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd_mini as ag
from autograd_mini import datasets, nn, optim

PACKAGE = str(Path(ag.__file__).resolve().parent) + os.sep


def entered(work: Callable[[], object]) -> list[str]:
    """Return the files of the package in which a function was called."""
    found = set()

    def look(frame, event, argument):
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(PACKAGE) and frame.f_code.co_name not in ("<module>", "__getattr__"):
            found.add(file.removeprefix(PACKAGE))

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return sorted(found)


def one_batch() -> Callable[[], object]:
    """Return a training of one batch, vectorized, that hasn't begun."""
    X, y = datasets.moons(32, seed=0)
    model = nn.MLP(2, [16, 16, 1], activation="relu", rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    trainer = ag.Trainer(model, "squared_error", optimizer, batch_size=32, epochs=1, progress=False)
    return lambda: trainer.fit(X, y)


def a_drawing() -> Callable[[], object]:
    """Return the drawing of a neuron, to SVG."""
    root = a_neuron()
    return lambda: ag.draw(root).pipe("svg")


def a_page() -> Callable[[], object]:
    """Return the stepper of a neuron, to its page."""
    root = a_neuron()

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            ag.step_through(root).save(Path(folder) / "page.html")

    return work


def a_neuron() -> ag.Value:
    """Return a neuron's output that wasn't drawn before."""
    w, x, b = ag.Parameter(random.random(), "w"), ag.Value(random.random(), "x"), ag.Value(0.1, "b")
    return ag.tanh(w * x + b)


def main() -> None:
    """Print the three ways."""
    os.environ["AUTOGRAD_MINI_RENDERER"] = "builtin"
    ways = {"one vectorized training batch": one_batch, "draw, to SVG": a_drawing, "step_through, to its page": a_page}
    for name, make in ways.items():
        make()()  # what is imported at first use
        files = entered(make())
        print(f"{name}: {len(files)} files\n    {' '.join(files)}")


if __name__ == "__main__":
    main()
