"""The estimators against scikit-learn's of the same names: equal widths, batches, epochs and seeds, one thread each.

``pip install ".[sklearn]" && python benchmarks/estimators.py`` prints the table; ``--quick`` runs each work once. A
first fit of a shape makes a program for it, which later fits use; it is given by itself. A ratio is the median over
rounds of scikit-learn's time over ours, in processor time.
"""

from __future__ import annotations

import argparse
import platform
import statistics
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
    rounds = 1 if parser.parse_args().quick else 7
    native = library()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, ", end="")
    print(
        f"scikit-learn {sklearn.__version__}, native library: {'none' if native is None else next(iter(native.sets))}\n"
    )
    print("| work | autograd_mini, ms | scikit-learn, ms | ratio |\n|---|---|---|---|")
    for work in works():
        compare(*work, rounds=rounds)


def compare(name: str, kind: str, X: Array, y: Array, rounds: int) -> None:
    """Print the rows of one work."""

    def fit(library: Any, epochs: int, seed: int) -> Any:
        arguments = {"hidden_layer_sizes": (100,), "tol": 0.0, "n_iter_no_change": np.inf, "max_iter": epochs}
        return getattr(library, kind)(**arguments, random_state=seed).fit(X, y)

    first = seconds(lambda: fit(estimators, 5, 0))
    fit(neural_network, 5, 0)
    row(f"{name}, first fit, 5 epochs", first, seconds(lambda: fit(neural_network, 5, 0)))
    for epochs in (5, 60):
        count = min(rounds, 3) if epochs * len(X) > 500_000 else rounds
        both = (partial(fit, library, epochs) for library in (estimators, neural_network))
        row(f"{name}, {epochs} epochs", *compared(*both, count))
    rows = np.random.default_rng(1).normal(size=(10_000, X.shape[1]))
    ours, theirs = (fit(library, 2, 0) for library in (estimators, neural_network))
    ours.predict(rows)
    row(f"{name}, predict 10,000", *compared(lambda _: ours.predict(rows), lambda _: theirs.predict(rows), rounds))


def row(name: str, ours: float, theirs: float, ratio: float | None = None) -> None:
    """Print one row of the table."""
    print(f"| {name} | {ours * 1e3:.1f} | {theirs * 1e3:.1f} | {ratio or theirs / ours:.2f} |", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        main()
