"""What counts as a number: real numbers of every kind become floats, anything else is refused with advice.

NumPy's kinds are recognised without importing NumPy: while it hasn't been imported, no object can be one of them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from numbers import Real
from typing import Any

_LARGE = 2**1000  # integers below are soon converted


def is_of(thing: Any, module: str, *kinds: str) -> bool:
    """Return whether something is of one of a module's classes, without importing the module.

    Examples
    --------
    >>> import decimal
    >>> is_of(decimal.Decimal("0.5"), "decimal", "Decimal"), is_of(0.5, "no_such_module", "Number")
    (True, False)
    """
    there = sys.modules.get(module)
    return there is not None and isinstance(thing, tuple([getattr(there, kind) for kind in kinds]))


def is_array(thing: Any) -> bool:
    """Return whether something is a NumPy array."""
    return is_of(thing, "numpy", "ndarray")


def as_float(number: Any) -> float:
    """Return a real number of any kind as a float.

    Parameters
    ----------
    number : int, bool, float, numpy scalar, Fraction or Decimal
        The number.

    Raises
    ------
    TypeError
        For anything else, naming its type and saying what to do instead.
    OverflowError
        If a finite number is too large for a float, 1.8e308: infinity would be another number.

    Examples
    --------
    >>> from fractions import Fraction
    >>> as_float(Fraction(1, 4)), as_float(True)
    (0.25, 1.0)
    """
    kind = type(number)
    if kind is float:
        return number  # type: ignore[no-any-return]
    if kind is int:
        try:
            return float(number)
        except OverflowError:
            pass
    if isinstance(number, (int, float, Real)) or is_of(number, "numpy", "bool_") or is_of(number, "decimal", "Decimal"):
        try:
            converted = float(number)
            if math.isfinite(converted) or converted != converted or number == converted:
                return converted
        except OverflowError:  # an integer or a fraction; other kinds become infinite
            pass
        except ValueError:  # a signalling nan
            return math.nan
        raise OverflowError(
            f"expected a number that a float can hold, at most 1.8e308, got a larger {type(number).__name__}; "
            f"compute with its logarithm, or write math.inf if infinity is meant"
        )
    raise TypeError(f"expected a real number, got {_describe(number)}; {_advice(number)}")


def unsupported(symbol: str, operands: Sequence[Any], why: object) -> TypeError:
    """Return the error of an operation on what isn't all numbers, as Python words it, with what to do.

    Examples
    --------
    >>> unsupported("+", [1.0, "a"], "convert the text first")
    TypeError("unsupported operand type(s) for +: 'float' and 'str'; convert the text first")
    """
    kinds = " and ".join(dict.fromkeys(repr(type(operand).__name__) for operand in operands))
    return TypeError(f"unsupported operand type(s) for {symbol}: {kinds}; {why}")


def _describe(number: Any) -> str:
    kind = type(number)
    shape = f" of shape {number.shape}" if is_array(number) else f" {number!r:.60}"
    return "None" if number is None else f"{kind.__name__}{shape}"


def _advice(number: Any) -> str:
    if isinstance(number, complex) or is_of(number, "numpy", "complexfloating"):
        return "a Value is real: make one of its .real and one of its .imag"
    if isinstance(number, (str, bytes)):
        return "if it holds a number, convert it with float(...) first"
    if is_array(number):
        return "a Value is one number: use .item() of an array of one, or put Values into the array instead"
    if number is None:
        return "did a function forget its return?"
    if isinstance(number, (list, tuple)) and hasattr(number[0] if number else None, "primitive"):
        return "these are several Values. Take v[0] for one of them, or [f(x) for x in v] for each"
    if isinstance(number, (list, tuple, set, dict)):
        return "a Value is one number: make one of each element, as in [Value(x) for x in ...]"
    if hasattr(number, "grad") and hasattr(number, "data"):
        return "it is a node already: use it as it is, or its .data for the bare number"
    return "pass an int, a float, a numpy scalar, a Fraction or a Decimal"


def is_index(number: float, count: int) -> bool:
    """Return whether a number is one of 0, 1, …, count - 1."""
    return 0.0 <= number < count and number % 1.0 == 0.0
