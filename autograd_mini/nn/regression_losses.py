"""Losses of regression: half the squared error, the absolute error, Huber's, a normal distribution's likelihood."""

from __future__ import annotations

import math
from typing import Any

from autograd_mini.engine import functions
from autograd_mini.engine.tracing import is_traced
from autograd_mini.engine.value import Value
from autograd_mini.nn._nested import is_number
from autograd_mini.nn._pairing import is_list, reduced
from autograd_mini.nn._pairing import pairs as pairs_of


def half_squared_error(prediction: Any, target: Any, reduction: str = "sum") -> Any:
    """Return ½ Σ (a - t)², whose derivative is just a - t.

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
    >>> half_squared_error(Value(3.0), 1.0).data
    2.0
    >>> half_squared_error([3.0, 5.0], [1.0, 1.0], reduction="mean")
    5.0
    """
    return 0.5 * reduced([(a - t) ** 2 for a, t in pairs_of(prediction, target)], reduction)


def absolute_error(prediction: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ |a - t|, with the subgradient 0 at a = t.

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
    >>> absolute_error([Value(3.0), Value(-1.0)], [1.0, 1.0]).data
    4.0
    """
    return reduced([functions.abs(a - t) for a, t in pairs_of(prediction, target)], reduction)


def huber(prediction: Any, target: Any, reduction: str = "sum", delta: float = 1.0) -> Any:
    """Return Σ of ½ r² where |r| ≤ δ, else δ (|r| - ½ δ), of r = a - t: outliers pull with a force of δ at most.

    Parameters
    ----------
    prediction : Value or list of Value
        a.
    target : number or list of numbers
        t, as many as predictions.
    reduction : {"sum", "mean"}
        How the losses of a list become one.
    delta : float
        δ, above 0.

    Raises
    ------
    ValueError
        If δ isn't a finite number above 0; if there are more predictions than targets or fewer, or none.

    Examples
    --------
    >>> huber(Value(0.5), 0.0).data, huber(Value(3.0), 0.0).data
    (0.125, 2.5)
    """
    if not _is_positive(delta):
        raise ValueError(f"delta: expected a finite number above 0, got {delta!r}; beyond it the loss is linear")
    losses = []
    for a, t in pairs_of(prediction, target):
        distance = functions.abs(a - t)
        near = functions.minimum(distance, delta)  # both cases in one formula, without a branch on the data
        losses.append(near * (distance - 0.5 * near))
    return reduced(losses, reduction)


def gaussian_nll(
    mean: Any, target: Any, variance: Any = 1.0, reduction: str = "sum", full: bool = False, eps: float = 1e-6
) -> Any:
    """Return Σ ½ (log v + (t - μ)²/v), minus the log-likelihood of t under N(μ, v) but for the constant ½ log 2π.

    With the variance at 1 it is `half_squared_error`: least squares is maximum likelihood. The convention is PyTorch's:
    v is the variance, not its logarithm, and is raised to `eps` where it is below; there its gradient is 0. Take
    ``softplus`` or ``exp`` of an output to make a variance.

    Parameters
    ----------
    mean : Value or list of Value
        μ.
    target : number or list of numbers
        t, as many as means.
    variance : Value, number or list of them
        v, at least 0; one for all, or one for each.
    reduction : {"sum", "mean"}
        How the losses of a list become one.
    full : bool
        Whether to add the constant.
    eps : float
        The smallest variance.

    Raises
    ------
    ValueError
        If a variance is below 0, or their number is wrong; if `eps` isn't above 0; if there are more means than targets
        or fewer, or none.

    Examples
    --------
    >>> gaussian_nll(Value(3.0), 1.0).data, round(gaussian_nll(Value(3.0), 1.0, variance=4.0).data, 6)
    (2.0, 1.193147)
    """
    if not _is_positive(eps):
        raise ValueError(f"eps: expected a finite number above 0, got {eps!r}; it keeps a division by 0 away")
    pairs = pairs_of(mean, target)
    variances = list(variance) if is_list(variance) else [variance] * len(pairs)
    if len(variances) != len(pairs):
        raise ValueError(f"variance: expected one, or one for each of the {len(pairs)} means, got {len(variances)}")
    constant = 0.5 * math.log(2.0 * math.pi) if full else 0.0
    losses = []
    for (mu, t), v in zip(pairs, variances, strict=True):
        _check_variance(v)
        v = functions.maximum(v, eps)
        loss = 0.5 * (functions.log(v) + (t - mu) ** 2 / v)
        losses.append(loss + constant if full else loss)
    return reduced(losses, reduction)


def _check_variance(variance: Any) -> None:
    if is_traced(variance):
        return  # whoever runs the program has other numbers
    data = variance.data if isinstance(variance, Value) else variance
    if not data >= 0.0:
        raise ValueError(
            f"gaussian_nll needs a variance of at least 0, got {data!r}; make one with softplus(output) or exp(output)"
        )


def _is_positive(number: Any) -> bool:
    return is_number(number) and 0.0 < number < math.inf
