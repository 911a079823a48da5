"""The elementary functions, exp to erf, on Values and on plain numbers, and how a function tells the two apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_mini.engine import eager, primitives
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.reals import as_float
from autograd_mini.engine.value import Value, apply


def call(primitive: Primitive, *operands: Any) -> Any:
    """Apply an operation: to nodes, to plain numbers, or element by element to arrays."""
    for operand in operands:
        if isinstance(operand, Value):
            return apply(primitive, *operands)
    if any(isinstance(operand, np.ndarray) for operand in operands):
        elements = np.frompyfunc(lambda *numbers: call(primitive, *numbers), len(operands), 1)(*operands)
        return _plain(elements)
    return float(primitive.forward(eager, *[as_float(operand) for operand in operands]))


def _plain(elements: Any) -> Any:
    """Return an array of floats where no element is a node."""
    has_nodes = any(isinstance(element, Value) for element in np.ravel(elements))
    return elements if has_nodes else np.asarray(elements, dtype=float)


def exp(x: Any) -> Any:
    """Return eˣ.

    Examples
    --------
    >>> exp(0.0), exp(Value(0.0)).local_grads
    (1.0, (1.0,))
    """
    return call(primitives.EXP, x)


def expm1(x: Any) -> Any:
    """Return eˣ - 1 with all its digits near 0.

    Examples
    --------
    >>> expm1(1e-20)
    1e-20
    """
    return call(primitives.EXPM1, x)


def log(x: Any) -> Any:
    """Return the natural logarithm; -inf at 0, nan below.

    Examples
    --------
    >>> log(1.0), log(0.0)
    (0.0, -inf)
    """
    return call(primitives.LOG, x)


def log1p(x: Any) -> Any:
    """Return log(1 + x) with all its digits near 0.

    Examples
    --------
    >>> log1p(1e-20)
    1e-20
    """
    return call(primitives.LOG1P, x)


def sqrt(x: Any) -> Any:
    """Return the square root; nan below 0.

    Examples
    --------
    >>> sqrt(9.0)
    3.0
    """
    return call(primitives.SQRT, x)


def sin(x: Any) -> Any:
    """Return the sine of x radians.

    Examples
    --------
    >>> sin(0.0)
    0.0
    """
    return call(primitives.SIN, x)


def cos(x: Any) -> Any:
    """Return the cosine of x radians.

    Examples
    --------
    >>> cos(0.0)
    1.0
    """
    return call(primitives.COS, x)


def tan(x: Any) -> Any:
    """Return the tangent of x radians.

    Examples
    --------
    >>> tan(0.0)
    0.0
    """
    return call(primitives.TAN, x)


def asin(x: Any) -> Any:
    """Return the inverse sine in radians; nan outside [-1, 1].

    Examples
    --------
    >>> asin(0.0)
    0.0
    """
    return call(primitives.ASIN, x)


def acos(x: Any) -> Any:
    """Return the inverse cosine in radians; nan outside [-1, 1].

    Examples
    --------
    >>> acos(1.0)
    0.0
    """
    return call(primitives.ACOS, x)


def atan(x: Any) -> Any:
    """Return the inverse tangent in radians.

    Examples
    --------
    >>> atan(0.0)
    0.0
    """
    return call(primitives.ATAN, x)


def sinh(x: Any) -> Any:
    """Return the hyperbolic sine.

    Examples
    --------
    >>> sinh(0.0)
    0.0
    """
    return call(primitives.SINH, x)


def cosh(x: Any) -> Any:
    """Return the hyperbolic cosine.

    Examples
    --------
    >>> cosh(0.0)
    1.0
    """
    return call(primitives.COSH, x)


def erf(x: Any) -> Any:
    """Return the error function, 2/√π ∫₀ˣ exp(-t²) dt.

    Examples
    --------
    >>> erf(0.0)
    0.0
    """
    return call(primitives.ERF, x)


def abs(x: Any) -> Any:
    """Return |x|; its derivative at 0 is taken as 0.

    Examples
    --------
    >>> abs(-2.0), abs(Value(0.0)).local_grads
    (2.0, (0.0,))
    """
    return call(primitives.ABS, x)


def pow(base: Any, exponent: Any) -> Any:
    """Return base to the power of exponent, with both derivatives.

    Examples
    --------
    >>> pow(2.0, 3.0), pow(Value(0.0), 0).local_grads[0]
    (8.0, 0.0)
    """
    return call(primitives.POW, base, exponent)
