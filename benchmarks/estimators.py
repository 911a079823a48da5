"""The estimators against scikit-learn's of the same names: equal widths, batches, epochs and seeds, one thread each.

``pip install ".[sklearn]" && python benchmarks/estimators.py`` prints the table; ``--quick`` runs each work once. A
first fit of a shape makes a program for it, which later fits use; it is given by itself, of both libraries in a fresh
process each, from after the imports on. A ratio is the median over rounds of scikit-learn's time over ours, in
processor time.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import sklearn
from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from autograd_mini import estimators
from autograd_mini.native.library import library

Array = np.ndarray[Any, Any]
LIBRARIES = {"autograd_mini": estimators, "scikit-learn": neural_network}


def works() -> Iterator[tuple[str, str, Array, Array]]:
    """Iterate over names, kinds of estimators, features and targets."""
    X, y = load_digits(return_X_y=True)
    yield "digits 1,797 × 64", "MLPClassifier", X / 16.0, y
    X, y = load_breast_cancer(return_X_y=True)
    yield "breast cancer 569 × 30", "MLPClassifier", StandardScaler().fit_transform(X), y
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_640, 8))  # of the shape of the Californian houses, which would have to be fetched
    yield "regression 20,640 × 8", "MLPRegressor", X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + rng.normal(0.0, 0.1, len(X))


def seconds(work: Callable[[], Any]) -> float:
    """Return the processor time that a work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def compared(ours: Callable[[int], Any], theirs: Callable[[int], Any], rounds: int) -> tuple[float, float, float]:
    """Return the medians of both, in seconds, and that of their ratios, from works done in turn."""
    pairs = [(seconds(partial(ours, k)), seconds(partial(theirs, k))) for k in range(rounds)]
    mine, its = (statistics.median(times) for times in zip(*pairs, strict=True))
    return mine, its, statistics.median(its / mine for mine, its in pairs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="run each work once")
    parser.add_argument("--first", nargs=4, help=argparse.SUPPRESS)  # the time of one fit in this process
    given = parser.parse_args()
    if given.first:
        which, epochs, solver, library_name = given.first
        _, kind, X, y = [*works()][int(which)]
        print(seconds(lambda: fit(LIBRARIES[library_name], kind, X, y, int(epochs), solver=solver)))
        return
    rounds = 1 if given.quick else 7
    native = library()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, ", end="")
    print(
        f"scikit-learn {sklearn.__version__}, native library: {'none' if native is None else next(iter(native.sets))}\n"
    )
    print("| work | autograd_mini, ms | scikit-learn, ms | ratio |\n|---|---|---|---|")
    for which, (name, kind, X, y) in enumerate(works()):
        for epochs, solver in ((5, "adam"), (60, "adam"), (5, "sgd"), (60, "sgd")):
            row(f"{name}, first fit, {solver}, {epochs} epochs", *first_fits(which, epochs, solver, min(rounds, 5)))
        compare(name, kind, X, y, rounds)


def first_fits(which: int, epochs: int, solver: str, rounds: int) -> tuple[float, float, float]:
    """Return the medians of both, in seconds, and that of their ratios, of fits in fresh processes."""

    def first(name: str) -> float:
        command = [sys.executable, __file__, "--first", str(which), str(epochs), solver, name]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    pairs = [(first("autograd_mini"), first("scikit-learn")) for _ in range(rounds)]
    mine, its = (statistics.median(times) for times in zip(*pairs, strict=True))
    return mine, its, statistics.median(its / mine for mine, its in pairs)


def fit(library: Any, kind: str, X: Array, y: Array, epochs: int, seed: int = 0, solver: str = "adam") -> Any:
    """Return an estimator of a library, trained for so many epochs."""
    arguments = {"hidden_layer_sizes": (100,), "tol": 0.0, "n_iter_no_change": np.inf, "max_iter": epochs}
    return getattr(library, kind)(**arguments, solver=solver, random_state=seed).fit(X, y)


def compare(name: str, kind: str, X: Array, y: Array, rounds: int) -> None:
    """Print the rows of one work."""
    for epochs in (5, 60):
        count = min(rounds, 3) if epochs * len(X) > 500_000 else rounds
        mine, its = (partial(fit, library, kind, X, y, epochs) for library in (estimators, neural_network))
        row(f"{name}, {epochs} epochs", *compared(mine, its, count))
    rows = np.random.default_rng(1).normal(size=(10_000, X.shape[1]))
    ours, theirs = (fit(library, kind, X, y, 2) for library in (estimators, neural_network))
    ours.predict(rows)
    row(f"{name}, predict 10,000", *compared(lambda _: ours.predict(rows), lambda _: theirs.predict(rows), rounds))


def row(name: str, ours: float, theirs: float, ratio: float | None = None) -> None:
    """Print one row of the table."""
    print(f"| {name} | {ours * 1e3:.1f} | {theirs * 1e3:.1f} | {ratio or theirs / ours:.2f} |", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        main()
