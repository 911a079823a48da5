"""Gradient clipping: shorten a gradient that is too long, between ``backward()`` and ``step()``.

By norm all gradients are scaled together, so that their direction stays; by value each is cut off for itself. In the
place of parameters an array may be given, as a program's ``value_and_grad`` returns it: then it is what is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked
from autograd_mini.engine.value import Value


def vector_norm(numbers: Any, norm_type: float = 2.0) -> float:
    """Return (Σ |gᵢ|ᵖ)^(1/p), or max |gᵢ| for an infinite p, without overflow in between.

    Parameters
    ----------
    numbers : array_like
        g, of any shape.
    norm_type : float, optional
        p, above 0; ``math.inf`` for the largest.

    Returns
    -------
    float
        0 for no numbers at all; nan if one of them is nan, else infinite if one of them is.

    Raises
    ------
    ValueError
        If `norm_type` isn't a number above 0.

    Examples
    --------
    >>> vector_norm([3.0, -4.0]), vector_norm([3.0, -4.0], norm_type=1), vector_norm([3.0, -4.0], norm_type=math.inf)
    (5.0, 7.0, 4.0)
    """
    p = _limit("norm_type", norm_type)
    if p == 0.0:
        raise ValueError(f"norm_type: expected a number above 0, got {norm_type!r}")
    sizes = np.abs(np.asarray(numbers, dtype=float))
    largest = float(np.max(sizes, initial=0.0))
    if not math.isfinite(largest) or largest == 0.0 or p == math.inf:
        return largest
    share: float = np.sum((sizes / largest) ** p).item()
    return float(largest * share ** (1.0 / p))


def grad_norm(parameters: Iterable[Value] | Value | Array, norm_type: float = 2.0) -> float:
    """Return the norm of all gradients together, as of one vector; those that are None don't count.

    Parameters
    ----------
    parameters : iterable of Value, or Value, or numpy.ndarray
        Whose gradients; or the gradient itself.
    norm_type : float, optional
        See `vector_norm`.

    Raises
    ------
    TypeError
        If a parameter isn't a Value.

    Examples
    --------
    >>> x, y = Value(3.0), Value(4.0)
    >>> (0.5 * (x * x + y * y)).backward()
    >>> grad_norm([x, y])
    5.0
    """
    return _norm(_with_gradient(parameters), norm_type)


def _norm(found: Array | list[Value], norm_type: float) -> float:
    return vector_norm(found if isinstance(found, np.ndarray) else [gradient_number(p) for p in found], norm_type)


def clip_grad_norm(
    parameters: Iterable[Value] | Value | Array,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients by min(1, c / (‖g‖ + 10⁻⁶)), so that their norm is at most c, and return what it was.

    The formula is that of PyTorch's ``clip_grad_norm_``. From Pascanu, Mikolov and Bengio, "On the difficulty of
    training recurrent neural networks" (2013).

    Parameters
    ----------
    parameters : iterable of Value, or Value, or numpy.ndarray
        Whose gradients; those that are None stay so. Or the gradient itself, an array of floats.
    max_norm : float
        c, at least 0. ``math.inf`` changes nothing.
    norm_type : float, optional
        See `vector_norm`.
    error_if_nonfinite : bool, optional
        Whether a norm that is infinite or nan is an error. If it isn't, a norm of nan makes all gradients nan, and an
        infinite one makes them 0, the infinite ones nan.

    Returns
    -------
    float
        ‖g‖ before.

    Raises
    ------
    ValueError
        If `max_norm` isn't a number of at least 0.
    ArithmeticError
        If the norm isn't finite and `error_if_nonfinite` is set; no gradient has been changed then.

    Examples
    --------
    >>> x, y = Value(3.0), Value(4.0)
    >>> (0.5 * (x * x + y * y)).backward()
    >>> clip_grad_norm([x, y], max_norm=1.0)
    5.0
    >>> round(x.grad, 6), round(y.grad, 6)
    (0.6, 0.8)
    >>> gradient = np.array([3.0, 4.0])
    >>> clip_grad_norm(gradient, max_norm=1.0), gradient.round(6)
    (5.0, array([0.6, 0.8]))
    """
    limit = _limit("max_norm", max_norm)
    found = _with_gradient(parameters)
    norm = _norm(found, norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise ArithmeticError(
            f"expected a finite norm of the gradients, got {norm}; look for where it begins with detect_anomaly(), or "
            f"leave error_if_nonfinite out"
        )
    factor = clip_factor(norm, limit)
    if isinstance(found, np.ndarray):
        with np.errstate(all="ignore"):  # ∞ · 0 is nan, as it is of floats
            found *= factor
    elif factor != 1.0:
        for parameter in found:
            parameter.grad = parameter.grad * factor
    return norm


def clip_factor(norm: float, max_norm: float) -> float:
    """Return min(1, c / (‖g‖ + 10⁻⁶)), by which a gradient of that norm is multiplied; nan where the norm is.

    Examples
    --------
    >>> clip_factor(0.5, max_norm=1.0), round(clip_factor(5.0, max_norm=1.0), 6)
    (1.0, 0.2)
    """
    factor = max_norm / (norm + 1e-6)
    return 1.0 if factor >= 1.0 else factor


def clip_grad_value(parameters: Iterable[Value] | Value | Array, clip_value: float) -> None:
    """Put every gradient that is outside of [-c, c] onto the nearer end, as PyTorch's ``clip_grad_value_``.

    Parameters
    ----------
    parameters : iterable of Value, or Value, or numpy.ndarray
        Whose gradients; those that are None stay so, and nan stays nan. Or the gradient itself, an array of floats.
    clip_value : float
        c, at least 0.

    Raises
    ------
    ValueError
        If `clip_value` isn't a number of at least 0.

    Examples
    --------
    >>> x, y = Value(3.0), Value(-0.5)
    >>> (0.5 * (x * x + y * y)).backward()
    >>> clip_grad_value([x, y], 1.0)
    >>> x.grad, y.grad
    (1.0, -0.5)
    """
    limit = _limit("clip_value", clip_value)
    found = _with_gradient(parameters)
    if isinstance(found, np.ndarray):
        np.clip(found, -limit, limit, out=found)
        return
    for parameter in found:
        parameter.grad = min(max(parameter.grad, -limit), limit)  # in this order nan stays nan


def _limit(name: str, number: Any) -> float:
    return checked(name, number, least=0.0, finite=False, expected="a number of at least 0")


def gradient_number(parameter: Value) -> float:
    """Return a parameter's gradient as a number: 0 if it is None, its data if it is a node."""
    grad = parameter.grad
    return 0.0 if grad is None else grad.data if isinstance(grad, Value) else grad


def parameter_list(parameters: Iterable[Value]) -> list[Value]:
    """Return parameters as a list.

    Raises
    ------
    TypeError
        If one isn't a Value.
    """
    listed = list(parameters)
    for parameter in listed:
        if not isinstance(parameter, Value):
            raise TypeError(f"expected parameters that are Values, got {type(parameter).__name__}")
    return listed


def _with_gradient(parameters: Iterable[Value] | Value | Array) -> Array | list[Value]:
    """Return the parameters that have a gradient; an array of floats, which is one, as it is."""
    if isinstance(parameters, np.ndarray) and parameters.dtype.kind == "f":
        return parameters
    listed = parameter_list([parameters] if isinstance(parameters, Value) else parameters)
    return [parameter for parameter in listed if parameter.grad is not None]
