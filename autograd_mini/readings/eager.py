"""The eager reading: functions on Python floats that follow IEEE 754, as NumPy and PyTorch do.

``math`` raises where the standard has a value (``math.exp(1000)``, ``math.log(0)``, ``1 / 0``). Each function here
takes the fast way through ``math`` and, where that raises, gives NumPy's answer: ``inf``, ``-inf`` or ``nan``.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from functools import wraps
from math import inf
from typing import Any

import numpy as np


def _ieee(fast: Callable[..., float], standard: Callable[..., Any]) -> Callable[..., float]:
    """Compute with `fast`; where it raises, with `standard`, which knows infinities and nan."""

    @wraps(fast)
    def function(*numbers: float) -> float:
        try:
            return fast(*numbers)
        except (OverflowError, ValueError, ZeroDivisionError):
            with np.errstate(all="ignore"):
                result = float(standard(*numbers))
            np.add(1.0, 1.0)  # clears the flag that NumPy would warn of after an operation on an array of Values
            return result

    return function


exp = _ieee(math.exp, np.exp)
expm1 = _ieee(math.expm1, np.expm1)
log1p = _ieee(math.log1p, np.log1p)
sqrt = _ieee(math.sqrt, np.sqrt)
sin = _ieee(math.sin, np.sin)
cos = _ieee(math.cos, np.cos)
tan = _ieee(math.tan, np.tan)
asin = _ieee(math.asin, np.arcsin)
acos = _ieee(math.acos, np.arccos)
sinh = _ieee(math.sinh, np.sinh)
cosh = _ieee(math.cosh, np.cosh)
power = _ieee(math.pow, np.power)
atan, tanh, erf = math.atan, math.tanh, math.erf
magnitude = builtins.abs
sum = builtins.sum


def divide(a: float, b: float) -> float:
    """Return a / b; ±inf or nan where b is 0."""
    try:
        return a / b
    except ZeroDivisionError:
        return math.nan if a == 0.0 or a != a else math.copysign(inf, a) * math.copysign(1.0, b)


def log(a: float) -> float:
    """Return the natural logarithm; -inf at 0, nan below: every x**2 asks for it."""
    if a > 0.0:
        return math.log(a)
    return -inf if a == 0.0 else math.nan


def equal(a: float, b: float) -> bool:
    """Return whether a and b are the same number."""
    return a == b


def where(condition: bool, a: float, b: float) -> float:
    """Return a where the condition holds, else b."""
    return a if condition else b


def sign(a: float) -> float:
    """Return -1, 0 or 1; nan of nan."""
    return a if a == 0.0 or a != a else math.copysign(1.0, a)


def maximum(*numbers: float) -> float:
    """Return the largest; nan where any is nan, as NumPy and PyTorch do."""
    return _extremum(max, numbers)


def minimum(*numbers: float) -> float:
    """Return the smallest; nan where any is nan."""
    return _extremum(min, numbers)


def _extremum(choose: Callable[[Sequence[float]], float], numbers: Sequence[float]) -> float:
    for number in numbers:
        if number != number:
            return number
    return choose(numbers)


def sigmoid(a: float) -> float:
    """Return 1 / (1 + exp(-a)) without overflow."""
    e = math.exp(-abs(a))
    return (1.0 if a >= 0.0 else e) / (1.0 + e)


def _exponential_of_difference(a: float, b: float) -> float:
    """Return exp(a - b), with the digits that a - b is rounded off put back."""
    difference = a - b
    part = difference - a
    lost = (a - (difference - part)) - (b + part)
    e = exp(difference)
    return e + e * lost if math.isfinite(lost) else e


def logsumexp(*numbers: float) -> float:
    """Return log(Σ exp(xᵢ)) without overflow, as the largest xᵢ and log(1 + the others' share)."""
    peak = maximum(*numbers)
    if not math.isfinite(peak):
        return peak
    others = list(numbers)
    others.remove(peak)
    return peak + log1p(sum([_exponential_of_difference(x, peak) for x in others]))


def softmax(*numbers: float) -> tuple[float, ...]:
    """Return exp(xᵢ) / Σ exp(xⱼ) for every i, without overflow."""
    peak = maximum(*numbers)
    exponentials = [_exponential_of_difference(x, peak) for x in numbers]
    total = math.fsum(exponentials)
    return tuple([divide(e, total) for e in exponentials])


def exp_minus_square(a: float) -> float:
    """Return exp(-a²), with the digits that a² is rounded off put back.

    a is cut into a part on a grid of 1/32, whose square is exact, and a rest: a² = part² + (a - part)(a + part).
    """
    part = round(a * 32.0) / 32.0 if abs(a) < 40.0 else 0.0
    return math.exp(-(part * part)) * exp(-((a - part) * (a + part)))
