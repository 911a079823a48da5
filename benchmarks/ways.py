"""How far data travels: the files of the package that one training batch, one drawing and one stepper enter.

Run it in the project's root: ``python benchmarks/ways.py``. Counted are files of which a function is called, modules
being imported before; drawing is done without any program, as where Graphviz isn't installed.
"""

from __future__ import annotations

import os
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


def main() -> None:
    """Print the three ways."""
    w, x, b = ag.Parameter(0.5, "w"), ag.Value(2.0, "x"), ag.Value(0.1, "b")
    root = ag.tanh(w * x + b)

    def stepper() -> None:
        with tempfile.TemporaryDirectory() as folder:
            ag.step_through(root).save(Path(folder) / "page.html")

    os.environ["PATH"] = ""  # no program is found,
    sys.modules["graphviz_pure"] = None  # type: ignore[assignment]  # nor the package that brings one
    ways = {
        "one vectorized training batch": one_batch,
        "draw, to SVG": lambda: lambda: ag.draw(root).pipe("svg"),
        "step_through, to its page": lambda: stepper,
    }
    for name, make in ways.items():
        make()()  # what is imported at first use
        files = entered(make())
        print(f"{name}: {len(files)} files\n    {' '.join(files)}")


if __name__ == "__main__":
    main()
