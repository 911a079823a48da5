"""Further operations of the table: nothing explains itself by them that `primitives` doesn't explain.

Below are the functions on floats that they need and ``math`` hasn't; `floats` hands them on.
"""

from __future__ import annotations

import math
from typing import Any

from autograd_mini.engine.primitives import Primitive, indicators, register


def _minus_log_softmax_derivatives(xp: Any, out: Any, index: Any, *logits: Any) -> tuple[Any, ...]:
    """∂/∂zⱼ = pⱼ, and for the class itself pₜ - 1, as minus the sum of the others: 1 - pₜ may have no digit left."""
    p = xp.softmax(*logits) if logits else ()
    is_class = [xp.equal(index, float(k)) for k in range(len(logits))]
    others = xp.sum([xp.where(chosen, 0.0, share) for chosen, share in zip(is_class, p, strict=True)])
    return (0.0, *[xp.where(chosen, -others, share) for chosen, share in zip(is_class, p, strict=True)])


def _minus_log_softmax_textbook(xp: Any, out: Any, index: Any, *logits: Any) -> tuple[Any, ...]:
    """∂/∂zⱼ = pⱼ - [1 where j is the class]."""
    p = xp.softmax(*logits) if logits else ()
    return (0.0, *[share - chosen for share, chosen in zip(p, indicators(xp, index, len(logits)), strict=True)])


# -log softmax(z)ₜ, where the class t is counted from 0; log Σ exp(zⱼ) where there is no such item.
MINUS_LOG_SOFTMAX = register(
    Primitive(
        "minus_log_softmax",
        "−log p",
        lambda xp, index, *logits: xp.minus_log_softmax(index, *logits),
        _minus_log_softmax_derivatives,
        textbook=_minus_log_softmax_textbook,
        arity=None,
        smooth=False,
    )
)
LOG2 = register(
    Primitive(
        "log2",
        "log2",
        lambda xp, a: xp.log2(a),
        lambda xp, out, a: (xp.divide(1.0 / math.log(2.0), a),),
        textbook=lambda xp, out, a: (xp.divide(1.0, a * xp.log(2.0)),),
        domain=((0.0, math.inf),),
    )
)
LOG10 = register(
    Primitive(
        "log10",
        "log10",
        lambda xp, a: xp.log10(a),
        lambda xp, out, a: (xp.divide(1.0 / math.log(10.0), a),),
        textbook=lambda xp, out, a: (xp.divide(1.0, a * xp.log(10.0)),),
        domain=((0.0, math.inf),),
    )
)
CBRT = register(
    Primitive(
        "cbrt",
        "∛",
        lambda xp, a: xp.cbrt(a),
        lambda xp, out, a: (xp.divide(1.0, 3.0 * xp.power(out, 2.0)),),
        smooth=False,  # at 0 the derivative is infinite
    )
)


ASIN = register(
    Primitive(
        "asin",
        "asin",
        lambda xp, a: xp.asin(a),
        # (1 - a)(1 + a) and not 1 - a²: the square's rounding error is all that is left near ±1.
        lambda xp, out, a: (xp.divide(1.0, xp.sqrt((1.0 - a) * (1.0 + a))),),
        textbook=lambda xp, out, a: (xp.divide(1.0, xp.sqrt(1.0 - xp.power(a, 2.0))),),
        domain=((-1.0, 1.0),),
    )
)
ACOS = register(
    Primitive(
        "acos",
        "acos",
        lambda xp, a: xp.acos(a),
        lambda xp, out, a: (xp.divide(-1.0, xp.sqrt((1.0 - a) * (1.0 + a))),),
        textbook=lambda xp, out, a: (xp.divide(-1.0, xp.sqrt(1.0 - xp.power(a, 2.0))),),
        domain=((-1.0, 1.0),),
    )
)


def _atan_derivatives(xp: Any, out: Any, a: Any) -> tuple[Any]:
    """1/(1 + a²), which is 1/a² where a² overflows."""
    square = a * a
    return (
        xp.unless(xp.equal(square, math.inf), lambda: xp.divide(xp.divide(1.0, a), a), xp.divide(1.0, 1.0 + square)),
    )


ATAN = register(Primitive("atan", "atan", lambda xp, a: xp.atan(a), _atan_derivatives))


def _hypot_derivatives(xp: Any, out: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """a/√(a² + b²) and b/√(a² + b²), and 0 at the tip of the cone, as for |a|.

    Numbers below 2⁻¹⁰⁰⁰ have too few digits for a quotient of two of them; both are made larger first.
    """
    is_tip, is_small = xp.equal(out, 0.0), out < 2.0**-1000

    def larger(c: Any) -> Any:
        return xp.divide(2.0**200 * c, xp.hypot(2.0**200 * a, 2.0**200 * b))

    return tuple(xp.where(is_tip, 0.0, xp.unless(is_small, lambda c=c: larger(c), xp.divide(c, out))) for c in (a, b))


HYPOT = register(
    Primitive(
        "hypot",
        "hypot",
        lambda xp, a, b: xp.hypot(a, b),
        _hypot_derivatives,
        textbook=lambda xp, out, a, b: (xp.divide(a, out), xp.divide(b, out)),
        arity=2,
        smooth=False,
    )
)


def _atan2_derivatives(xp: Any, out: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """b/(a² + b²) and -a/(a² + b²), divided twice by √(a² + b²) where the square is no number, or has few digits.

    At the origin, where there is no angle, they are taken as 0.
    """
    square = a * a + b * b
    is_origin = xp.equal(a, 0.0) & xp.equal(b, 0.0)
    is_extreme = (square < 2.0**-960) | xp.equal(square, math.inf)

    def by_steps(c: Any) -> Any:
        length = xp.hypot(a, b)
        return xp.divide(xp.divide(c, length), length)

    return tuple(
        xp.where(is_origin, 0.0, xp.unless(is_extreme, lambda c=c: by_steps(c), xp.divide(c, square))) for c in (b, -a)
    )


def _atan2_textbook(xp: Any, out: Any, a: Any, b: Any) -> tuple[Any, Any]:
    square = xp.power(a, 2.0) + xp.power(b, 2.0)
    return xp.divide(b, square), xp.divide(-a, square)


# a is the height, b the width of the point whose angle it is: the order of every atan2.
ATAN2 = register(
    Primitive(
        "atan2",
        "atan2",
        lambda xp, a, b: xp.atan2(a, b),
        _atan2_derivatives,
        textbook=_atan2_textbook,
        arity=2,
        smooth=False,
    )
)
ERF = register(
    Primitive(
        "erf",
        "erf",
        lambda xp, a: xp.erf(a),
        lambda xp, out, a: (2.0 / math.sqrt(math.pi) * xp.exp_minus_square(a),),
        textbook=lambda xp, out, a: (xp.divide(2.0, xp.sqrt(xp.pi)) * xp.exp_minus_square(a),),
    )
)
# 1 - erf has no digit left from a = 6 on.
ERFC = register(
    Primitive(
        "erfc",
        "erfc",
        lambda xp, a: xp.erfc(a),
        lambda xp, out, a: (-2.0 / math.sqrt(math.pi) * xp.exp_minus_square(a),),
        textbook=lambda xp, out, a: (xp.divide(-2.0, xp.sqrt(xp.pi)) * xp.exp_minus_square(a),),
    )
)
CLIP = register(
    Primitive(
        "clip",
        "clip",
        lambda xp, a, low, high: xp.minimum(xp.maximum(a, low), high),
        # At a bound a is chosen: maximum and minimum would share the gradient there.
        lambda xp, out, a, low, high: (
            xp.where((a >= low) & (high >= a), 1.0, 0.0),
            xp.where((low > a) & (high >= low), 1.0, 0.0),
            xp.where((a > high) | (low > high), 1.0, 0.0),
        ),
        arity=3,
        smooth=False,
    )
)


# --------------------------------------------------------------------------------------------- the functions on floats


def log2(a: float) -> float:
    """Return the logarithm to the base 2, exact of powers of 2; -inf at 0, nan below."""
    return math.log2(a) if a > 0.0 else -math.inf if a == 0.0 else math.nan


def log10(a: float) -> float:
    """Return the logarithm to the base 10, exact of powers of 10; -inf at 0, nan below."""
    return math.log10(a) if a > 0.0 else -math.inf if a == 0.0 else math.nan


def cbrt(a: float) -> float:
    """Return the real cube root, negative below 0, and exact of cubes; ``math.cbrt`` came with Python 3.11 only."""
    if a == 0.0 or not math.isfinite(a):
        return a
    mantissa, exponent = math.frexp(a)
    exponent, rest = divmod(exponent, 3)
    mantissa = math.ldexp(mantissa, rest)
    root = math.copysign(abs(mantissa) ** (1.0 / 3.0), a)
    root -= (root * root * root - mantissa) / (3.0 * root * root)  # a step of Newton's corrects the last digit
    return math.ldexp(root, exponent)


def pick(index: float, *items: float) -> float:
    """Return the item that an index names, counted from 0; 0 if there is none."""
    k = int(index) if 0.0 <= index < len(items) else None
    return items[k] if k is not None and k == index else 0.0
