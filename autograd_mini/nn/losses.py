"""Losses: how far predictions are from targets.

Each takes one prediction and one target, or a list of both; `reduction` says how the losses of a list become one.
They are made of operations of the table, so their graphs can be drawn and stepped through like any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_mini.engine import functions
from autograd_mini.engine.node import FEATURE, PROBE
from autograd_mini.engine.reals import as_float
from autograd_mini.engine.tracing import chosen, is_traced
from autograd_mini.engine.value import Value
from autograd_mini.nn._pairing import is_list, reduced
from autograd_mini.nn._pairing import pairs as pairs_of
from autograd_mini.nn.regression_losses import absolute_error, gaussian_nll, half_squared_error, huber

Loss = Callable[..., Any]

# The logarithm of a probability is cut off at -100, as in PyTorch, so that a wrong certainty has a finite loss.
_SMALLEST_PROBABILITY = math.exp(-100.0)


def squared_error(prediction: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ (t - a)².

    Parameters
    ----------
    prediction : Value or list of Value
        a.
    target : number or list of numbers
        t, as many as predictions.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If there are more predictions than targets or fewer, or none.

    Examples
    --------
    >>> squared_error(Value(3.0), 1.0).data
    4.0
    >>> squared_error([3.0, 5.0], [1.0, 1.0], reduction="mean")
    10.0
    """
    return reduced([(t - a) ** 2 for a, t in pairs_of(prediction, target)], reduction)


def hinge(score: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ max(0, 1 - t·s), for targets t of -1 and +1.

    Parameters
    ----------
    score : Value or list of Value
        s; its sign is the predicted class.
    target : number or list of numbers
        -1 or +1.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If a target is neither -1 nor +1, or the lengths differ.

    Examples
    --------
    >>> hinge(Value(0.25), 1).data, hinge(Value(-2.0), -1).data
    (0.75, 0.0)
    """
    pairs = pairs_of(score, target)
    for _, t in pairs:
        if not isinstance(t, Value) and t not in (-1, 1):
            raise ValueError(f"the hinge loss needs targets of -1 and +1, got {t!r}; turn 0 and 1 into 2*y - 1")
    return reduced([functions.relu(1.0 - t * s) for s, t in pairs], reduction)


def binary_cross_entropy(probability: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ -(t log p + (1-t) log(1-p)), for targets t from 0 to 1.

    Logarithms are cut off at -100, as in PyTorch. From a sigmoid it is better to take the logits: see
    `binary_cross_entropy_with_logits`.

    Parameters
    ----------
    probability : Value or list of Value
        p, from 0 to 1.
    target : number or list of numbers
        t, from 0 to 1.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If a probability or a target is outside of [0, 1], or the lengths differ.

    Examples
    --------
    >>> round(binary_cross_entropy(Value(0.5), 1).data, 6)
    0.693147
    """
    pairs = pairs_of(probability, target)
    for p, t in pairs:
        _check_unit("probability", p)
        _check_unit("target", t)
    return reduced([-(t * _log(p) + (1.0 - t) * _log(1.0 - p)) for p, t in pairs], reduction)


def _log(p: Any) -> Any:
    return functions.log(functions.maximum(p, _SMALLEST_PROBABILITY))


def _check_unit(what: str, number: Any) -> None:
    if is_traced(number):
        return  # whoever runs the program has other numbers
    data = number.data if isinstance(number, Value) else as_float(number)
    if data < 0.0 or data > 1.0:
        advice = (
            "turn -1 and +1 into (t + 1) / 2"
            if what == "target"
            else "take binary_cross_entropy_with_logits for logits"
        )
        raise ValueError(f"binary cross-entropy needs a {what} from 0 to 1, got {data!r}; {advice}")


def binary_cross_entropy_with_logits(logit: Any, target: Any, reduction: str = "sum") -> Any:
    """Return the binary cross-entropy of p = σ(z), without computing p: t·softplus(-z) + (1-t)·softplus(z).

    Parameters
    ----------
    logit : Value or list of Value
        z, the pre-activation of the sigmoid.
    target : number or list of numbers
        t, from 0 to 1.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If a target is outside of [0, 1], or the lengths differ.

    Examples
    --------
    >>> binary_cross_entropy_with_logits(Value(-1000.0), 1).data
    1000.0
    """
    pairs = pairs_of(logit, target)
    for _, t in pairs:
        _check_unit("target", t)
    terms = [t * functions.softplus(-z) + (1.0 - t) * functions.softplus(z) for z, t in pairs]
    return reduced(terms, reduction)


def cross_entropy(logits: Any, target: Any, reduction: str = "sum") -> Any:
    """Return -log softmax(z)ₜ = log Σ exp(zⱼ) - zₜ, for the class t.

    Parameters
    ----------
    logits : list of Value, or list of lists of Value
        z, one for each class; or such a list for each example.
    target : int, or list of int
        t, counted from 0; or one for each example.
    reduction : {"sum", "mean"}
        How the losses of several examples become one.

    Raises
    ------
    ValueError
        If the target is no class, or there aren't as many targets as examples.

    Examples
    --------
    >>> cross_entropy([Value(1000.0), Value(0.0)], 0).data
    0.0
    >>> round(cross_entropy([[0.0, 0.0], [0.0, 0.0]], [0, 1], reduction="mean"), 6)
    0.693147
    """
    if not is_list(logits) or not len(logits):
        raise ValueError(f"cross_entropy needs a list of logits, one for each class, got {logits!r:.60}")
    examples, targets = (logits, target) if is_list(logits[0]) else ([logits], [target])
    if not is_list(targets) or len(examples) != len(targets):
        raise ValueError(f"expected one class for each of the {len(examples)} examples, got {targets!r:.60}")
    losses = [functions.logsumexp(z) - _chosen(z, t) for z, t in zip(examples, targets, strict=True)]
    return reduced(losses, reduction)


def _chosen(logits: Any, target: Any) -> Any:
    """Return zₜ; where the class is itself a traced node, by an operation."""
    if is_traced(target):
        return chosen(target, logits)
    is_number = isinstance(target, Value) and target._local in (FEATURE, PROBE)
    return logits[_class_index(target.data if is_number else target, len(logits))]


def _class_index(target: Any, n_classes: int) -> int:
    is_number = isinstance(target, (int, float, np.number, np.bool_, np.ndarray)) and np.ndim(target) == 0
    if not is_number or not 0 <= target < n_classes or not float(target).is_integer():
        raise ValueError(f"expected a class from 0 to {n_classes - 1}, got {target!r}")
    return int(target)


LOSSES: dict[str, Loss] = {
    "squared_error": squared_error,
    "half_squared_error": half_squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "gaussian_nll": gaussian_nll,
    "hinge": hinge,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "cross_entropy": cross_entropy,
}
