"""The reading on NumPy arrays: the functions of `floats`, element by element.

They take complex arrays too, wherever the function is analytic: tests check derivatives by the complex step.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

exp, expm1, log, log1p, log2, log10 = np.exp, np.expm1, np.log, np.log1p, np.log2, np.log10
sqrt, cbrt, hypot = np.sqrt, np.cbrt, np.hypot
sin, cos, tan = np.sin, np.cos, np.tan
asin, acos, atan, atan2 = np.arcsin, np.arccos, np.arctan, np.arctan2
sinh, cosh, tanh = np.sinh, np.cosh, np.tanh
divide, power, equal, where, sign = np.divide, np.power, np.equal, np.where, np.sign


def sum(terms: Iterable[Any]) -> Any:
    """Return x₁ + x₂ + …, added up from left to right; 0 of nothing."""
    terms = list(terms)
    return functools.reduce(operator.add, terms) if terms else 0.0


def unless(condition: Any, rescue: Callable[[], Any], plain: Any) -> Any:
    """Return the plain numbers, but those of rescue() where the condition holds."""
    return where(condition, rescue(), plain)


def magnitude(a: Any) -> Any:
    """Return |a|; of a complex number, by the sign of its real part, which keeps even functions analytic."""
    return where(np.real(a) >= 0.0, a, -a)


def maximum(*arrays: Any) -> Any:
    """Return the element-wise largest of any number of arrays."""
    return functools.reduce(np.maximum, arrays)


def minimum(*arrays: Any) -> Any:
    """Return the element-wise smallest of any number of arrays."""
    return functools.reduce(np.minimum, arrays)


def pick(index: Any, *arrays: Any) -> Any:
    """Return, element by element, that of the arrays which an index names, counted from 0; 0 if there is none."""
    result: Any = 0.0
    for k, array in enumerate(arrays):
        result = where(equal(index, float(k)), array, result)
    return result


def sigmoid(a: Any) -> Any:
    """Return 1 / (1 + exp(-a)) without overflow."""
    positive = np.real(a) >= 0.0
    e = exp(where(positive, -a, a))
    return where(positive, 1.0, e) / (1.0 + e)


def _exponential_of_difference(a: Any, b: Any) -> Any:
    """Return exp(a - b), corrected by what was lost when a - b was rounded."""
    difference = a - b
    part = difference - a
    lost = (a - (difference - part)) - (b + part)
    e = exp(difference)
    return e + e * where(np.isfinite(lost), lost, 0.0)


def logsumexp(*arrays: Any) -> Any:
    """Return log(Σ exp(xᵢ)) without overflow, as the largest xᵢ and log(1 + the others' share)."""
    peak = maximum(*arrays)
    others, found = [], False
    for x in arrays:
        is_first_peak = (x == peak) & np.logical_not(found)
        others.append(where(is_first_peak, 0.0, _exponential_of_difference(x, peak)))
        found = found | is_first_peak
    return where(np.isfinite(peak), peak + log1p(sum(others)), peak)


def softmax(*arrays: Any) -> tuple[Any, ...]:
    """Return exp(xᵢ) / Σ exp(xⱼ) for every i, without overflow."""
    peak = maximum(*arrays)
    exponentials = [_exponential_of_difference(x, peak) for x in arrays]
    # With more digits where the processor has them, so that the sum is rounded once.
    total = np.asarray(sum([e * np.longdouble(1.0) for e in exponentials])).astype(np.result_type(*exponentials))
    return tuple([e / total for e in exponentials])


def minus_log_softmax(index: Any, *arrays: Any) -> Any:
    """Return -log softmax(z)ₜ for the class t, counted from 0; log Σ exp(zⱼ) where there is no such item."""
    if not arrays:
        return 0.0
    peak = maximum(*arrays)
    exponentials = [_exponential_of_difference(x, peak) for x in arrays]
    is_class = [equal(index, float(k)) for k in range(len(arrays))]
    chosen: Any = 0.0
    own: Any = 0.0
    for here, x, e in zip(is_class, arrays, exponentials, strict=True):
        chosen, own = where(here, x, chosen), where(here, e, own)
    others = sum([where(here, 0.0, e) for here, e in zip(is_class, exponentials, strict=True)])
    some = log1p(others + (own - 1.0))
    named = functools.reduce(np.logical_or, is_class)
    return where(named, (peak - chosen) + where(np.isfinite(peak), some, 0.0), logsumexp(*arrays))


def exp_minus_square(a: Any) -> Any:
    """Return exp(-a²) without the rounding error of a² (see `floats.exp_minus_square`)."""
    part = np.rint(np.real(a) * 32.0) / 32.0
    part = where(abs(part) < 40.0, part, 0.0)
    return exp(-(part * part)) * exp(-((a - part) * (a + part)))


@functools.cache
def _erf() -> Any:
    """Return SciPy's error function, or None where SciPy isn't installed: the package doesn't require it."""
    try:
        from scipy import special
    except ImportError:
        return None
    return special.erf


def erf(a: Any) -> Any:
    """Return the error function, by SciPy where it is installed, else by ``math.erf`` element by element."""
    of_scipy = _erf()
    return np.vectorize(math.erf, otypes=[float])(a) if of_scipy is None else of_scipy(a)


def erfc(a: Any) -> Any:
    """Return 1 - erf(a) by ``math.erfc`` element by element: SciPy's is up to 4.3 ulp off."""
    return np.vectorize(math.erfc, otypes=[float])(a)
