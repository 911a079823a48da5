"""The eager reading: functions on Python floats that follow IEEE 754, as NumPy and PyTorch do.

``math`` raises where the standard has a value (``math.exp(1000)``, ``math.log(0)``, ``1 / 0``). Each function here
takes the fast way through ``math`` and, where that raises, gives NumPy's answer: ``inf``, ``-inf`` or ``nan``. What is
more than a function of ``math`` is written in `plain`.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd_mini.engine.plain import (
    divide,
    exp_minus_square,
    log,
    logsumexp,
    maximum,
    minimum,
    sigmoid,
    sign,
    softmax,
    where,
)

__all__ = [
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "divide",
    "equal",
    "erf",
    "exp",
    "exp_minus_square",
    "expm1",
    "log",
    "log1p",
    "logsumexp",
    "magnitude",
    "maximum",
    "minimum",
    "power",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "sqrt",
    "sum",
    "tan",
    "tanh",
    "where",
]


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


def equal(a: float, b: float) -> bool:
    """Return whether a and b are the same number."""
    return a == b
