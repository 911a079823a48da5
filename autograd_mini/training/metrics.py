"""Metrics: how good predictions are, on arrays. Names, argument order and results are scikit-learn's.

Each is ``metric(y_true, y_pred)`` and returns a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import arrays as array
from autograd_mini.nn.losses import LOSSES, Loss
from autograd_mini.training.checks import called
from autograd_mini.training.data import checked_numbers


def accuracy(y_true: Any, y_pred: Any, threshold: float | None = None) -> float:
    """Return the share of examples whose class was predicted.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        The classes. For a matrix of scores counted from 0; for a threshold 0 and 1, or -1 and +1.
    y_pred : array_like of shape (n,) or (n, k)
        The predicted classes; or a score for each of k classes, as logits or probabilities: the largest counts, the
        first of equal ones; or with a `threshold` one score for each example.
    threshold : float, optional
        Above which a score means class 1: 0.5 for probabilities, 0 for logits and for scores of the hinge loss.

    Returns
    -------
    float
        From 0 to 1; scikit-learn's ``accuracy_score``.

    Raises
    ------
    ValueError
        If the lengths differ or are 0, a number isn't finite, or something that should be a class isn't.

    Examples
    --------
    >>> accuracy([0, 1, 2, 1], [0, 1, 1, 1])
    0.75
    >>> accuracy([0, 1], [[2.0, 1.0], [0.5, 3.0]])
    1.0
    >>> accuracy([-1, 1, 1], [-0.3, 0.8, -0.1], threshold=0) == 2 / 3
    True
    """
    truth, given = _paired(y_true, y_pred, scores=True)
    if given.ndim == 2:
        if threshold is not None:
            raise ValueError(f"threshold: expected one score for each example with it, got shape {given.shape}")
        return float(np.mean(np.argmax(given, axis=1) == _classes(truth, given.shape[1])))
    if threshold is not None:
        return float(np.mean((given > threshold) == _is_positive(truth)))
    if not np.array_equal(given, np.floor(given)):
        example = given[given != np.floor(given)][0]
        raise ValueError(
            f"y_pred: expected classes, got the score {example:g}; "
            f"pass threshold=0.5 for probabilities or threshold=0 for logits"
        )
    return float(np.mean(given == truth))


@np.errstate(over="ignore", invalid="ignore")  # what is too large is inf, without a warning
def mean_squared_error(y_true: Any, y_pred: Any) -> float:
    """Return 1/n Σ (y - f)², over all outputs where there are several.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, k)
        y and f.

    Raises
    ------
    ValueError
        If the shapes differ, there is no example, or a number isn't finite.

    Examples
    --------
    >>> mean_squared_error([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    truth, given = _paired(y_true, y_pred)
    return float(np.mean((truth - given) ** 2))


@np.errstate(over="ignore", invalid="ignore")  # what is too large is inf, without a warning
def r2_score(y_true: Any, y_pred: Any) -> float:
    """Return R² = 1 - Σ (y - f)² / Σ (y - ȳ)², the share of the variance that is explained.

    It is 1 for perfect predictions and 0 for the mean of y, and has no lower bound. Where y is constant it is 1 if all
    predictions are right, else 0. Of several outputs it is the mean.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, k)
        y and f, for at least two examples.

    Raises
    ------
    ValueError
        If the shapes differ, there are fewer than two examples, or a number isn't finite.

    Examples
    --------
    >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    truth, given = _paired(y_true, y_pred)
    if len(truth) < 2:
        raise ValueError("r2_score: expected at least two examples, got 1; one alone has no variance to explain")
    unexplained = np.sum((truth - given) ** 2, axis=0)
    total = np.sum((truth - np.mean(truth, axis=0)) ** 2, axis=0)
    constant = total == 0.0
    shares = np.where(constant, unexplained == 0.0, 1.0 - unexplained / np.where(constant, 1.0, total))
    return float(np.mean(shares))


def log_loss(y_true: Any, y_pred: Any) -> float:
    """Return -1/n Σ log p(y), where p(y) is the probability that was given to the true class.

    Probabilities are cut off at 2⁻⁵² and 1 - 2⁻⁵², as in scikit-learn, so that a wrong certainty has a finite loss.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        The classes, counted from 0; for one probability each 0 and 1, or -1 and +1.
    y_pred : array_like of shape (n,) or (n, k)
        The probability of class 1, or those of all k classes.

    Raises
    ------
    ValueError
        If the lengths differ or are 0, a probability is outside of [0, 1], those of an example don't add up to 1, or a
        class isn't one.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 6)
    0.693147
    >>> round(log_loss([2], [[0.25, 0.25, 0.5]]), 6)
    0.693147
    """
    truth, given = _paired(y_true, y_pred, scores=True)
    outside = given[(given < 0.0) | (given > 1.0)]
    if outside.size:
        raise ValueError(
            f"y_pred: expected probabilities from 0 to 1, got {outside[0]:g}; "
            f"put logits through a sigmoid or softmax first"
        )
    if given.ndim == 1:
        right = np.where(_is_positive(truth), given, 1.0 - given)
    else:
        sums = given.sum(axis=1)
        worst = int(np.argmax(np.abs(sums - 1.0)))
        if abs(sums[worst] - 1.0) > 1e-6:
            raise ValueError(
                f"y_pred: expected rows that add up to 1, got {sums[worst]:g} in row {worst}; take a softmax"
            )
        right = given[np.arange(len(given)), _classes(truth, given.shape[1])]
    eps = np.finfo(float).eps
    return float(-np.mean(np.log(np.clip(right, eps, 1.0 - eps))))


METRICS: dict[str, Callable[..., float]] = {
    "accuracy": accuracy,
    "mean_squared_error": mean_squared_error,
    "r2_score": r2_score,
    "log_loss": log_loss,
}


# From where on an output counts as the positive class, for the losses on one output.
_THRESHOLDS = {"binary_cross_entropy": 0.5, "binary_cross_entropy_with_logits": 0.0, "hinge": 0.0}


def metric_functions(metrics: Sequence[str] | Mapping[str, Any], loss: Loss) -> dict[str, Callable[[Any, Any], float]]:
    """Return metrics given by their names, or by a mapping of names to functions of ``(y_true, y_pred)``.

    The accuracy of single outputs is taken with the threshold that belongs to the loss.
    """
    if isinstance(metrics, Mapping):
        for name, metric in metrics.items():
            if name in ("loss", "validation_loss"):
                raise ValueError(f"metrics: {name!r} is the history's own name; call the metric otherwise")
            called(f"metrics[{name!r}]", metric)
        return dict(metrics)
    metrics = [metrics] if isinstance(metrics, str) else metrics or ()
    for name in metrics:
        if name not in METRICS:
            raise ValueError(
                f"no metric is named {name!r}; choose of {', '.join(METRICS)}, or pass a dict of functions"
            )
    threshold = next((at for name, at in _THRESHOLDS.items() if LOSSES[name] is loss), None)

    of_outputs: dict[str, Callable[[Any, Any], float]] = {
        **METRICS,
        "accuracy": partial(_accuracy_of_outputs, threshold),
        "log_loss": partial(_log_loss_of_outputs, loss),
    }
    return {name: of_outputs[name] for name in metrics}


def _accuracy_of_outputs(threshold: float | None, y_true: Any, y_pred: Any) -> float:
    return accuracy(y_true, y_pred, threshold=threshold if y_pred.ndim == 1 else None)


def _log_loss_of_outputs(loss: Loss, y_true: Any, y_pred: Any) -> float:
    return log_loss(y_true, probabilities(y_pred, loss))


def probabilities(outputs: Any, loss: Loss) -> Any:
    """Return a model's outputs as probabilities: what the losses on logits take is not one yet."""
    if loss is LOSSES["cross_entropy"] and outputs.ndim == 2:
        return np.column_stack(array.softmax(*outputs.T))
    return array.sigmoid(outputs) if loss is LOSSES["binary_cross_entropy_with_logits"] else outputs


def _paired(y_true: Any, y_pred: Any, scores: bool = False) -> tuple[Array, Array]:
    """Return both as arrays, a single column as a flat one, with a row in one for each row in the other."""
    truth, given = _flat("y_true", y_true), _flat("y_pred", y_pred)
    if len(truth) != len(given):
        raise ValueError(f"expected one prediction for each of the {len(truth)} examples, got {len(given)}")
    if not len(truth):
        raise ValueError("expected at least one example, got none")
    if scores and truth.ndim != 1:
        raise ValueError(
            f"y_true: expected one class for each example, got shape {truth.shape}; write y.argmax(axis=1)"
        )
    if not scores and truth.shape != given.shape:
        raise ValueError(f"expected as many predictions as targets in a row, got {given.shape} and {truth.shape}")
    return truth, given


def _flat(name: str, numbers: Any) -> Array:
    array = checked_numbers(name, numbers)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name}: expected shape (examples,) or (examples, outputs), got {array.shape}")
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _classes(truth: Array, n_classes: int) -> Array:
    """Return classes as indices."""
    wrong = truth[(truth != np.floor(truth)) | (truth < 0) | (truth >= n_classes)]
    if wrong.size:
        raise ValueError(f"y_true: expected classes from 0 to {n_classes - 1}, got {wrong[0]:g}")
    return truth.astype(int)


def _is_positive(truth: Array) -> Array:
    """Return which of two classes are the positive one."""
    found = set(np.unique(truth).tolist())
    if not (found <= {0.0, 1.0} or found <= {-1.0, 1.0}):
        shown = ", ".join(f"{label:g}" for label in sorted(found)[:5])
        raise ValueError(f"y_true: expected the classes 0 and 1, or -1 and +1, got {shown}")
    return np.asarray(truth > 0.0)
