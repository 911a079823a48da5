"""The operations that programs use most, computed on floats in one call: the result and the local derivatives.

The table of primitives says the same, by two rules and a namespace, and stays the definition: tests hold each function
here to it, to the bit. Where a number is special (0, infinity, one with fewer digits) the table is asked.
"""

from __future__ import annotations

import math
from math import inf, nan, pow
from math import log as ln

from autograd_mini.engine import floats
from autograd_mini.engine.primitives import DIV, POW, Primitive, find

_LEAST = 2.0**-1022  # from here on floats have all their digits


def _by_the_table(primitive: Primitive, a: float, b: float) -> tuple[float, float, float]:
    out = float(primitive.forward(floats, a, b))
    by_a, by_b = primitive.derivatives(floats, out, a, b)
    return out, by_a, by_b


def divide(a: float, b: float) -> tuple[float, float, float]:
    """Return a/b and its derivatives 1/b and -a/b²."""
    if b == 0.0:
        return _by_the_table(DIV, a, b)
    out = a / b
    return out, 1.0 / b, -(out / b)


def power(a: float, b: float) -> tuple[float, float, float]:
    """Return aᵇ and its derivatives b·aᵇ⁻¹ and aᵇ·ln a."""
    try:
        out = pow(a, b)
        if a > 0.0 and _LEAST <= out < inf:
            return out, b * (a if b == 2.0 else pow(a, b - 1.0)) if b >= 1.0 else b * out / a, out * ln(a)
        if a < 0.0 and _LEAST <= abs(out) < inf:
            return out, b * (a if b == 2.0 else pow(a, b - 1.0)) if b >= 1.0 else b * out / a, nan
    except (ValueError, OverflowError):  # a power that is infinite, or no real number
        pass
    return _by_the_table(POW, a, b)


def exp(a: float) -> tuple[float, float]:
    """Return eᵃ, which is its own derivative."""
    try:
        out = math.exp(a)
    except OverflowError:
        out = inf
    return out, out


def log(a: float) -> tuple[float, float]:
    """Return ln a and 1/a."""
    return floats.log(a), floats.divide(1.0, a)


def sqrt(a: float) -> tuple[float, float]:
    """Return √a and 1/(2√a)."""
    out = floats.sqrt(a)
    return out, floats.divide(0.5, out)


def relu(a: float) -> tuple[float, float]:
    """Return the larger of a and 0, and 1 or 0."""
    if a > 0.0:
        return a, 1.0
    return a if a != a else 0.0, 0.0


def tanh(a: float) -> tuple[float, float]:
    """Return tanh a and 4e/(1+e)², e being exp(-2|a|)."""
    e = math.exp(-2.0 * abs(a))
    return math.tanh(a), 4.0 * (e / math.pow(1.0 + e, 2.0))


def sigmoid(a: float) -> tuple[float, float]:
    """Return σ(a) and σ(a)σ(-a)."""
    out = floats.sigmoid(a)
    return out, out * floats.sigmoid(-a)


UNARY = {find(rule.__name__): rule for rule in (exp, log, sqrt, relu, tanh, sigmoid)}
