"""The reading on floats: functions on Python floats that follow IEEE 754, as NumPy and PyTorch do.

``math`` raises where the standard has a value (``math.exp(1000)``, ``math.log(0)``, ``1 / 0``). Each function here
gives it: ``inf``, ``-inf`` or ``nan``.

It is the one place where the package computes with floats, and uses nothing but ``math``. `to_python` copies functions
from here into the programs that it writes, so each of them may call only ``math`` and others of this file.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable

from autograd_mini.engine.further import cbrt, log2, log10, pick  # noqa: F401, they belong to the reading

# Where ``math`` and Python follow the standard already.
atan, atan2, tanh, hypot, erf, erfc = math.atan, math.atan2, math.tanh, math.hypot, math.erf, math.erfc
magnitude = builtins.abs
pi = math.pi


def sum(terms: list[float] | tuple[float, ...]) -> float:
    """Return x₁ + x₂ + …, added up in this order; Python's own sum rounds differently from 3.12 on."""
    total = -0.0 if terms else 0.0  # -0 + x is x, also where x is -0
    for term in terms:
        total += term
    return total


def equal(a: float, b: float) -> bool:
    """Return whether a and b are the same number."""
    return a == b


def divide(a: float, b: float) -> float:
    """Return a / b; ±inf or nan where b is 0."""
    if b != 0.0:
        return a / b
    return math.nan if a == 0.0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """Return a to the power of b; ±inf where it is too large, nan where it isn't real."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0.0 and b % 2.0 == 1.0 else math.inf
    except ValueError:
        return math.nan if a != 0.0 else math.copysign(math.inf, a) if b % 2.0 == 1.0 else math.inf


def exp(a: float) -> float:
    """Return e to the power of a; inf where it is too large."""
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf


def expm1(a: float) -> float:
    """Return exp(a) - 1; inf where it is too large."""
    try:
        return math.expm1(a)
    except OverflowError:
        return math.inf


def log(a: float) -> float:
    """Return the natural logarithm; -inf at 0, nan below."""
    if a > 0.0:  # compared, not tried: x**2 computes log x each time, and at x < 0 an exception would be slow
        return math.log(a)
    return -math.inf if a == 0.0 else math.nan


def log1p(a: float) -> float:
    """Return log(1 + a); -inf at -1, nan below."""
    if a > -1.0:
        return math.log1p(a)
    return -math.inf if a == -1.0 else math.nan


def sqrt(a: float) -> float:
    """Return the square root; nan below 0."""
    return math.sqrt(a) if a >= 0.0 else math.nan


def sin(a: float) -> float:
    """Return the sine; nan at infinity."""
    return math.nan if math.isinf(a) else math.sin(a)


def cos(a: float) -> float:
    """Return the cosine; nan at infinity."""
    return math.nan if math.isinf(a) else math.cos(a)


def tan(a: float) -> float:
    """Return the tangent; nan at infinity."""
    return math.nan if math.isinf(a) else math.tan(a)


def asin(a: float) -> float:
    """Return the inverse sine; nan outside of [-1, 1]."""
    return math.asin(a) if abs(a) <= 1.0 else math.nan


def acos(a: float) -> float:
    """Return the inverse cosine; nan outside of [-1, 1]."""
    return math.acos(a) if abs(a) <= 1.0 else math.nan


def sinh(a: float) -> float:
    """Return the hyperbolic sine; ±inf where it is too large."""
    try:
        return math.sinh(a)
    except OverflowError:
        return math.copysign(math.inf, a)


def cosh(a: float) -> float:
    """Return the hyperbolic cosine; inf where it is too large."""
    try:
        return math.cosh(a)
    except OverflowError:
        return math.inf


def where(condition: bool, a: float, b: float) -> float:
    """Return a where the condition holds, else b."""
    return a if condition else b


def unless(condition: bool, rescue: Callable[[], float], plain: float) -> float:
    """Return the plain number, but rescue() where the condition holds."""
    return rescue() if condition else plain


def sign(a: float) -> float:
    """Return -1, 0 or 1; nan of nan."""
    return a if a != a else 0.0 if a == 0.0 else math.copysign(1.0, a)


def maximum(*numbers: float) -> float:
    """Return the largest; nan where any is nan, and of 0 and -0 the last, as processors do."""
    for number in numbers:
        if number != number:
            return number
    return max(numbers[::-1])


def minimum(*numbers: float) -> float:
    """Return the smallest; nan where any is nan, and of 0 and -0 the last, as processors do."""
    for number in numbers:
        if number != number:
            return number
    return min(numbers[::-1])


def sigmoid(a: float) -> float:
    """Return 1 / (1 + exp(-a)) without overflow."""
    e = math.exp(-abs(a))
    return (1.0 if a >= 0.0 else e) / (1.0 + e)


def exp_of_difference(a: float, b: float) -> float:
    """Return exp(a - b), corrected by what was lost when a - b was rounded."""
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
    return peak + log1p(sum([exp_of_difference(x, peak) for x in others]))


def softmax(*numbers: float) -> tuple[float, ...]:
    """Return exp(xᵢ) / Σ exp(xⱼ) for every i, without overflow."""
    peak = maximum(*numbers)
    exponentials = [exp_of_difference(x, peak) for x in numbers]
    total = math.fsum(exponentials)  # rounded once; in what order, doesn't matter
    return tuple([divide(e, total) for e in exponentials])


def minus_log_softmax(index: float, *logits: float) -> float:
    """Return -log softmax(z)ₜ as log(1 + the others' share), as p may be nearly 1; log Σ exp(zⱼ) if t is no index."""
    if index not in range(len(logits)):
        return logsumexp(*logits) if logits else 0.0
    chosen, peak = logits[int(index)], maximum(*logits)
    if not math.isfinite(peak):
        return peak - chosen
    others = [exp_of_difference(x, peak) for k, x in enumerate(logits) if k != index]
    return (peak - chosen) + log1p(math.fsum([exp_of_difference(chosen, peak), -1.0, *others]))


def exp_minus_square(a: float) -> float:
    """Return exp(-a²), from a² = part² + (a - part)(a + part), where rounding a² would cost digits.

    The part is a, rounded to a multiple of 1/32, so that its square is exact.
    """
    part = round(a * 32.0) / 32.0 if abs(a) < 40.0 else 0.0
    return math.exp(-(part * part)) * exp(-((a - part) * (a + part)))
