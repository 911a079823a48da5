"""Held-out accuracy on real data, side by side with scikit-learn's ``MLPClassifier`` of the same size.

Both train a network of the same layers and activation by Adam with the same rate, batch size, number of epochs and L2
penalty, on the same folds: breast cancer, wine and digits, 5 stratified folds, features standardised on the training
part of each, mean accuracy on the part that was held out, over several seeds of the initial weights and the shuffling.
It must be within one percentage point of scikit-learn's; the exit code is 1 where it isn't.

scikit-learn divides its penalty α/2 Σ w² by the size of the batch, so that its counterpart here is ``L2(α / (2m))``.
The initial weights are each library's own: He's here, Glorot's there.

Usage: ``python benchmarks/held_out.py`` with scikit-learn installed (``pip install scikit-learn``); 4 minutes or so.
``benchmarks/held_out.txt`` is what it printed.
"""

from __future__ import annotations

import platform
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_mini
from autograd_mini import nn
from autograd_mini.optim import Adam
from autograd_mini.training import Trainer

FOLDS = 5
ALPHA = 1e-4  # scikit-learn's default penalty
WITHIN = 1.0  # percentage points


@dataclass(frozen=True)
class Task:
    """A data set, and the network and training that suit it."""

    data: str
    hidden: int
    epochs: int
    seeds: int
    lr: float = 5e-3
    batch_size: int = 32
    activation: str = "relu"


TASKS = [
    Task("breast_cancer", hidden=8, epochs=15, seeds=3),
    Task("wine", hidden=8, epochs=60, seeds=3),
    Task("digits", hidden=16, epochs=12, seeds=2),
]


def widths(task: Task, n_classes: int) -> list[int]:
    """Return the widths of the layers; two classes need one output, as in scikit-learn."""
    return [task.hidden, 1 if n_classes == 2 else n_classes]


def our_accuracy(task: Task, seed: int, train: Any, test: Any) -> float:
    """Return the held-out accuracy of this library's network, in percent."""
    (X, y), (X_test, y_test) = train, test
    n_classes = len(np.unique(y))
    model = nn.MLP(X.shape[1], widths(task, n_classes), activation=task.activation, rng=seed)
    trainer = Trainer(
        model,
        "binary_cross_entropy_with_logits" if n_classes == 2 else "cross_entropy",
        Adam(model.parameters(), lr=task.lr),
        batch_size=task.batch_size,
        epochs=task.epochs,
        seed=seed,
        penalty=nn.L2(ALPHA / (2 * task.batch_size)),
        progress=False,
    )
    trainer.fit(X, y)
    logits = trainer.predict(X_test)
    predicted = logits > 0.0 if n_classes == 2 else logits.argmax(axis=1)
    return 100.0 * float(np.mean(predicted == y_test))


def their_accuracy(task: Task, seed: int, train: Any, test: Any) -> float:
    """Return the held-out accuracy of scikit-learn's network, in percent."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        hidden_layer_sizes=(task.hidden,),
        activation=task.activation,
        solver="adam",
        alpha=ALPHA,
        batch_size=task.batch_size,
        learning_rate_init=task.lr,
        max_iter=task.epochs,
        tol=0.0,
        n_iter_no_change=task.epochs + 1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a number of epochs is what was asked for
        model.fit(*train)
    if model.n_iter_ != task.epochs:
        raise RuntimeError(f"scikit-learn stopped after {model.n_iter_} of {task.epochs} epochs")
    return 100.0 * float(model.score(*test))


def folds(data: str) -> Any:
    """Iterate over (training part, held-out part), standardised on the training part."""
    from sklearn import datasets
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    X, y = getattr(datasets, f"load_{data}")(return_X_y=True)
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y):
        scaler = StandardScaler().fit(X[train])
        yield (scaler.transform(X[train]), y[train]), (scaler.transform(X[test]), y[test])


def main() -> int:
    """Train, print the table, and return 1 if an accuracy is too far away."""
    try:
        import sklearn
    except ImportError:
        print("scikit-learn is not installed; pip install scikit-learn", file=sys.stderr)
        return 1
    print(
        f"autograd_mini {autograd_mini.__version__}, scikit-learn {sklearn.__version__}, NumPy {np.__version__}, "
        f"Python {platform.python_version()}"
    )
    print(f"{FOLDS} stratified folds, Adam, batches of {TASKS[0].batch_size}, L2 {ALPHA:g}; mean accuracy in percent\n")
    header = f"{'data':<14} {'network':<10} {'lr':>6} {'epochs':>6} {'seeds':>5}"
    print(f"{header} {'autograd_mini':>14} {'MLPClassifier':>14} {'difference':>11}")
    too_far = False
    for task in TASKS:
        ours, theirs = [], []
        for train, test in folds(task.data):
            for seed in range(task.seeds):
                ours.append(our_accuracy(task, seed, train, test))
                theirs.append(their_accuracy(task, seed, train, test))
        difference = float(np.mean(ours) - np.mean(theirs))
        n_features, n_classes = train[0].shape[1], len(np.unique(train[1]))
        network = "-".join(map(str, [n_features, *widths(task, n_classes)]))
        row = f"{task.data:<14} {network:<10} {task.lr:>6g} {task.epochs:>6} {task.seeds:>5}"
        is_far = abs(difference) > WITHIN
        too_far |= is_far
        mark = "  too far" if is_far else ""
        print(f"{row} {np.mean(ours):>14.2f} {np.mean(theirs):>14.2f} {difference:>+11.2f}{mark}", flush=True)
    print(f"\n{'Not all' if too_far else 'All'} within {WITHIN:g} percentage point of scikit-learn.")
    return 1 if too_far else 0


if __name__ == "__main__":
    sys.exit(main())
