"""The operations as methods of a `Value`, under the names that NumPy and PyTorch give them; `Value` inherits from it.

NumPy calls ``x.exp()`` for each item of an array that holds Values, so ``np.exp`` of such an array works, and
``x.arctan()`` where it says ``arctan``.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

from autograd_mini.elsewhere import tell
from autograd_mini.engine import further, modes, node, primitives
from autograd_mini.engine.node import Node
from autograd_mini.engine.primitives import Primitive

# What a method gives is a `Value`, which is defined further up: type checkers take it for the class it is called on.
Self = TypeVar("Self", bound="Methods")

# Stands in a trace only, where the leaf that `detach` gives would keep the number of one example.
DETACH = Primitive("detach", "detach", lambda xp, a: a, lambda xp, out, a: (0.0,), smooth=False)


def bounds(low: Any, high: Any) -> tuple[Any, Any]:
    """Return the bounds of `clip`, infinite where there is none.

    Raises
    ------
    ValueError
        If both are missing, or one is nan.

    Examples
    --------
    >>> bounds(0.0, None)
    (0.0, inf)
    """
    if low is None and high is None:
        raise ValueError("clip needs a bound, got none: pass min, max or both, as in clip(x, 0.0, 1.0)")
    if any(isinstance(bound, float) and math.isnan(bound) for bound in (low, high)):
        raise ValueError(f"clip: expected numbers as bounds, got min={low!r:.60} and max={high!r:.60}")
    return -math.inf if low is None else low, math.inf if high is None else high


class Methods(Node):
    """The operations on one number, and on a number and another one."""

    __slots__ = ()

    def _apply(self: Self, primitive: Primitive, *others: Any) -> Self:
        """Return the node of an operation on this one and on others; defined by `Value`."""
        raise NotImplementedError

    def exp(self: Self) -> Self:
        """Return eˣ."""
        return self._apply(primitives.EXP)

    def expm1(self: Self) -> Self:
        """Return eˣ - 1."""
        return self._apply(primitives.EXPM1)

    def log(self: Self) -> Self:
        """Return the natural logarithm."""
        return self._apply(primitives.LOG)

    def log1p(self: Self) -> Self:
        """Return log(1 + x)."""
        return self._apply(primitives.LOG1P)

    def log2(self: Self) -> Self:
        """Return the logarithm to the base 2."""
        return self._apply(further.LOG2)

    def log10(self: Self) -> Self:
        """Return the logarithm to the base 10."""
        return self._apply(further.LOG10)

    def sqrt(self: Self) -> Self:
        """Return the square root."""
        return self._apply(primitives.SQRT)

    def cbrt(self: Self) -> Self:
        """Return the real cube root."""
        return self._apply(further.CBRT)

    def sin(self: Self) -> Self:
        """Return the sine."""
        return self._apply(primitives.SIN)

    def cos(self: Self) -> Self:
        """Return the cosine."""
        return self._apply(primitives.COS)

    def tan(self: Self) -> Self:
        """Return the tangent."""
        return self._apply(primitives.TAN)

    def asin(self: Self) -> Self:
        """Return the inverse sine."""
        return self._apply(further.ASIN)

    def acos(self: Self) -> Self:
        """Return the inverse cosine."""
        return self._apply(further.ACOS)

    def atan(self: Self) -> Self:
        """Return the inverse tangent."""
        return self._apply(further.ATAN)

    def atan2(self: Self, other: Any) -> Self:
        """Return the angle of the point whose height this is, and whose width is the other number."""
        return self._apply(further.ATAN2, other)

    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # as NumPy calls them

    def sinh(self: Self) -> Self:
        """Return the hyperbolic sine."""
        return self._apply(primitives.SINH)

    def cosh(self: Self) -> Self:
        """Return the hyperbolic cosine."""
        return self._apply(primitives.COSH)

    def tanh(self: Self) -> Self:
        """Return the hyperbolic tangent."""
        return self._apply(primitives.TANH)

    def erf(self: Self) -> Self:
        """Return the error function."""
        return self._apply(further.ERF)

    def erfc(self: Self) -> Self:
        """Return 1 - erf(x)."""
        return self._apply(further.ERFC)

    def hypot(self: Self, other: Any) -> Self:
        """Return √(x² + y²)."""
        return self._apply(further.HYPOT, other)

    def abs(self: Self) -> Self:
        """Return |x|."""
        return self._apply(primitives.ABS)

    __abs__ = abs

    def sign(self: Self) -> Self:
        """Return -1, 0 or 1."""
        return self._apply(primitives.SIGN)

    def pow(self: Self, exponent: Any) -> Self:
        """Return x to the power of the exponent."""
        return self._apply(primitives.POW, exponent)

    def square(self: Self) -> Self:
        """Return x·x."""
        return self._apply(primitives.MUL, self)

    def reciprocal(self: Self) -> Self:
        """Return 1/x."""
        return 1.0 / self  # type: ignore[operator, return-value]

    def clip(self: Self, min: Any = None, max: Any = None) -> Self:
        """Return x, but the bound that it is beyond; None for no bound."""
        return self._apply(further.CLIP, *bounds(min, max))

    clamp = clip  # as PyTorch calls it

    def sigmoid(self: Self) -> Self:
        """Return 1/(1 + e⁻ˣ)."""
        return self._apply(primitives.SIGMOID)

    def softplus(self: Self) -> Self:
        """Return log(1 + eˣ)."""
        return self._apply(primitives.SOFTPLUS)

    def relu(self: Self) -> Self:
        """Return max(0, x)."""
        return self._apply(primitives.RELU)

    def leaky_relu(self: Self, alpha: Any = 0.01) -> Self:
        """Return x for x > 0, else alpha·x."""
        return self._apply(primitives.LEAKY_RELU, alpha)

    def elu(self: Self, alpha: Any = 1.0) -> Self:
        """Return x for x > 0, else alpha·(eˣ - 1)."""
        return self._apply(primitives.ELU, alpha)

    def conjugate(self: Self) -> Self:
        """Return the number itself, as it is real. ``np.var`` calls this."""
        return self

    def item(self) -> float:
        """Return the bare number, as ``x.data`` is."""
        return self.data

    def detach(self: Self) -> Self:
        """Return a leaf with the same number, through which no gradient goes back."""
        if node.look is not None:
            return self._apply(DETACH)
        with modes.no_grad():
            return self._apply(primitives.IDENTITY)


tell(Methods, of="Value")
