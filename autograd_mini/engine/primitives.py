"""The table of primitive operations: each one's forward rule and local derivatives, written once.

A rule doesn't say what its numbers are. It uses ``+ - *``, ``abs``, comparisons, ``&`` and ``|`` on whatever it is
given, and takes every other function from ``xp``, a namespace that belongs to the kind of number: ``xp.divide``,
``xp.power``, ``xp.equal``, ``xp.where``, ``xp.exp`` and so on. ``xp.unless(condition, rescue, plain)`` is the plain
formula, but ``rescue()`` where the condition says that digits would be lost; a reader is shown the plain one alone, or
the textbook form of an entry that computes otherwise altogether. So one entry is read in many ways:

- on floats (`engine.floats`), to compute a node;
- on Values (`engine.nodes`), for derivatives of derivatives;
- on NumPy arrays (`engine.arrays`), whole columns at once;
- on formulas that print themselves (`formulas.expression`), for LaTeX and the table of derivatives;
- on formulas together with their numbers (`explanations.python`), for programs in Python.

To add an operation, add one entry; the tests go through the table and find it. Nothing of the package is imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, pi
from operator import mul
from typing import Any

Rule = Callable[..., Any]


class Primitive:
    """One operation: how it is computed and what its local derivatives are.

    Parameters
    ----------
    name : str
        Its name in the table and in messages, e.g. ``"mul"``.
    symbol : str
        What a drawing shows, e.g. ``"*"``.
    forward : callable
        ``forward(xp, *arguments)`` gives the value.
    derivatives : callable
        ``derivatives(xp, out, *arguments)`` gives one local derivative ∂out/∂argument for each argument.
    arity : int or None
        The number of arguments; None where any number will do.
    domain : tuple of (float, float)
        For each argument the open interval in which the operation is defined; the last one counts for all further
        arguments too. Tests draw their random points from it.
    smooth : bool
        Whether all derivatives exist everywhere inside the domain.
    textbook : callable, optional
        ``textbook(xp, out, *arguments)`` gives the derivatives as a textbook writes them, where it isn't as above.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import PRIMITIVES
    >>> from autograd_mini.engine import floats
    >>> PRIMITIVES["mul"].forward(floats, 3.0, 4.0)
    12.0
    >>> PRIMITIVES["mul"].derivatives(floats, 12.0, 3.0, 4.0)
    (4.0, 3.0)
    """

    __slots__ = ("arity", "derivatives", "domain", "forward", "name", "smooth", "symbol", "textbook")
    has_forward = has_derivatives = True  # but of a node with a ``_backward`` alone: see `own`

    def __init__(
        self,
        name: str,
        symbol: str,
        forward: Rule,
        derivatives: Rule,
        arity: int | None = 1,
        domain: tuple[tuple[float, float], ...] = ((-inf, inf),),
        smooth: bool = True,
        textbook: Rule | None = None,
    ) -> None:
        self.name, self.symbol, self.forward, self.derivatives = name, symbol, forward, derivatives
        self.arity, self.domain, self.smooth, self.textbook = arity, domain, smooth, textbook or derivatives

    def __repr__(self) -> str:
        return f"<Primitive {self.name}>"

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        # Copies and pickles name the entry; two processes share the table, not the rules' code.
        return find, (self.name,)

    def __copy__(self) -> Primitive:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self


PRIMITIVES: dict[str, Primitive] = {}


def register(primitive: Primitive) -> Primitive:
    """Put an operation into the table and hand it back.

    Raises
    ------
    ValueError
        If the table already has an operation of that name.
    """
    if primitive.name in PRIMITIVES:
        raise ValueError(f"the table already has a primitive named {primitive.name!r}; choose another name")
    PRIMITIVES[primitive.name] = primitive
    return primitive


def find(name: str) -> Primitive:
    """Return the operation of that name.

    Raises
    ------
    ValueError
        If the table has none.
    """
    try:
        return PRIMITIVES[name]
    except KeyError:
        known = f"{', '.join(PRIMITIVES)}; one of your own must be made first, by autograd_mini.operation"
        raise ValueError(f"no primitive is named {name!r}; the table has {known}") from None


def _entry(name: str, symbol: str, forward: Rule, derivatives: Rule, **facts: Any) -> Primitive:
    return register(Primitive(name, symbol, forward, derivatives, **facts))


# ------------------------------------------------------------------------------------------------ arithmetic

ADD = _entry("add", "+", lambda xp, a, b: a + b, lambda xp, out, a, b: (1.0, 1.0), arity=2)
SUB = _entry("sub", "-", lambda xp, a, b: a - b, lambda xp, out, a, b: (1.0, -1.0), arity=2)
MUL = _entry("mul", "*", lambda xp, a, b: a * b, lambda xp, out, a, b: (b, a), arity=2)
DIV = _entry(
    "div",
    "/",
    lambda xp, a, b: xp.divide(a, b),
    # -(a/b)/b and not -a/b²: b² overflows, or vanishes, long before the quotient does.
    lambda xp, out, a, b: (xp.divide(1.0, b), -xp.divide(out, b)),
    textbook=lambda xp, out, a, b: (xp.divide(1.0, b), xp.divide(-a, xp.power(b, 2.0))),
    arity=2,
)
NEG = _entry("neg", "-", lambda xp, a: -a, lambda xp, out, a: (-1.0,))


def _power_derivatives(xp: Any, out: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """∂aᵇ/∂a = b·aᵇ⁻¹ and ∂aᵇ/∂b = aᵇ·ln a, with their limits at a = 0 and b = 0 (as PyTorch has them).

    Below 2⁻¹⁰²² floats have fewer digits; there aᵇ is multiplied as the square of its root, which has all of them.
    """
    is_small = (abs(out) < 2.0**-1022) & (a > 0.0)
    # b - 1 is exact from b = 1 on; below, its rounding error would be magnified by ln a, and out/a loses nothing.
    plain = (b >= 1.0) | xp.equal(out, 0.0) | xp.equal(abs(out), inf)
    by_base = xp.where(plain, b * xp.power(a, b - 1.0), xp.divide(b * out, a))
    may_lose = is_small & ((abs(b) > 8.0) | ((b > 0.9) & (b < 1.0)))  # else the error isn't magnified
    by_base = xp.unless(may_lose, lambda: b * (root := xp.power(a, 0.5 * (b - 1.0))) * root, by_base)
    by_base = xp.where(xp.equal(b, 0.0) & xp.equal(a, 0.0), 0.0, by_base)  # elsewhere it is 0, and goes on by b
    # 0ᵇ stays 0 while b ≥ 0 moves a little; for a < 0 the power is real at whole b only and has no derivative by b.
    by_exponent = xp.where(xp.equal(a, 0.0) & (b >= 0.0), 0.0, out * xp.log(a))
    by_exponent = xp.unless(is_small, lambda: xp.log(a) * (root := xp.power(a, 0.5 * b)) * root, by_exponent)
    return by_base, by_exponent


POW = _entry(
    "pow",
    "**",
    lambda xp, a, b: xp.power(a, b),
    _power_derivatives,
    textbook=lambda xp, out, a, b: (b * xp.power(a, b - 1.0), out * xp.log(a)),
    arity=2,
    domain=((0.0, inf), (-inf, inf)),
)
ABS = _entry("abs", "abs", lambda xp, a: abs(a), lambda xp, out, a: (xp.sign(a),), smooth=False)


SUM = _entry("sum", "Σ", lambda xp, *terms: xp.sum(terms), lambda xp, out, *terms: (1.0,) * len(terms), arity=None)


def _dot(xp: Any, *arguments: Any) -> Any:
    """Σ wᵢxᵢ + b of the arguments w₁ … wₙ, x₁ … xₙ and, where their number is odd, b."""
    n = len(arguments) // 2
    return xp.sum([*map(mul, arguments[:n], arguments[n : 2 * n]), *arguments[2 * n :]])


def _dot_derivatives(xp: Any, out: Any, *arguments: Any) -> tuple[Any, ...]:
    """∂/∂wᵢ = xᵢ, ∂/∂xᵢ = wᵢ, ∂/∂b = 1."""
    n = len(arguments) // 2
    bias = (1.0,) if len(arguments) % 2 else ()
    return arguments[n : 2 * n] + arguments[:n] + bias


DOT = _entry("dot", "w·x+b", _dot, _dot_derivatives, arity=None)
IDENTITY = _entry("identity", "id", lambda xp, a: a, lambda xp, out, a: (1.0,))

# ---------------------------------------------------------------------------------- elementary functions

EXP = _entry("exp", "exp", lambda xp, a: xp.exp(a), lambda xp, out, a: (out,))
EXPM1 = _entry("expm1", "expm1", lambda xp, a: xp.expm1(a), lambda xp, out, a: (xp.exp(a),))
LOG = _entry("log", "log", lambda xp, a: xp.log(a), lambda xp, out, a: (xp.divide(1.0, a),), domain=((0.0, inf),))
LOG1P = _entry(
    "log1p",
    "log1p",
    lambda xp, a: xp.log1p(a),
    lambda xp, out, a: (xp.divide(1.0, 1.0 + a),),
    domain=((-1.0, inf),),
)
SQRT = _entry(
    "sqrt",
    "√",
    lambda xp, a: xp.sqrt(a),
    lambda xp, out, a: (xp.divide(0.5, out),),
    textbook=lambda xp, out, a: (xp.divide(1.0, 2.0 * out),),
    domain=((0.0, inf),),
)
SIN = _entry("sin", "sin", lambda xp, a: xp.sin(a), lambda xp, out, a: (xp.cos(a),))
COS = _entry("cos", "cos", lambda xp, a: xp.cos(a), lambda xp, out, a: (-xp.sin(a),))
TAN = _entry("tan", "tan", lambda xp, a: xp.tan(a), lambda xp, out, a: (1.0 + out * out,), domain=((-pi / 2, pi / 2),))
SINH = _entry("sinh", "sinh", lambda xp, a: xp.sinh(a), lambda xp, out, a: (xp.cosh(a),))
COSH = _entry("cosh", "cosh", lambda xp, a: xp.cosh(a), lambda xp, out, a: (xp.sinh(a),))


def _tanh_derivatives(xp: Any, out: Any, a: Any) -> tuple[Any]:
    """4e/(1+e)² with e = exp(-2|a|): 1 - tanh² has no digit left from a = 20 on.

    ``xp.magnitude`` is |a| inside of an even function: at 0, where |a| alone has a kink, it may be differentiated as a.
    """
    e = xp.exp(-2.0 * xp.magnitude(a))
    return (4.0 * xp.divide(e, xp.power(1.0 + e, 2.0)),)


TANH = _entry(
    "tanh",
    "tanh",
    lambda xp, a: xp.tanh(a),
    _tanh_derivatives,
    textbook=lambda xp, out, a: (1.0 - xp.power(out, 2.0),),
)

# ------------------------------------------------------------------------------------------- activations

SIGMOID = _entry(
    "sigmoid",
    "σ",
    lambda xp, a: xp.sigmoid(a),
    lambda xp, out, a: (out * xp.sigmoid(-a),),
    textbook=lambda xp, out, a: (out * (1.0 - out),),
)
SOFTPLUS = _entry(
    "softplus",
    "softplus",
    lambda xp, a: xp.maximum(a, 0.0) + xp.log1p(xp.exp(-abs(a))),
    lambda xp, out, a: (xp.sigmoid(a),),
)
RELU = _entry(
    "relu",
    "ReLU",
    lambda xp, a: xp.maximum(a, 0.0),
    lambda xp, out, a: (xp.where(a > 0.0, 1.0, 0.0),),
    smooth=False,
)
LEAKY_RELU = _entry(
    "leaky_relu",
    "leaky ReLU",
    lambda xp, a, alpha: xp.where(a > 0.0, a, alpha * a),
    lambda xp, out, a, alpha: (xp.where(a > 0.0, 1.0, alpha), xp.where(a > 0.0, 0.0, a)),
    arity=2,
    smooth=False,
)
ELU = _entry(
    "elu",
    "ELU",
    lambda xp, a, alpha: xp.where(a > 0.0, a, alpha * xp.expm1(a)),
    lambda xp, out, a, alpha: (
        xp.where(a > 0.0, 1.0, alpha * xp.exp(a)),
        xp.where(a > 0.0, 0.0, xp.expm1(a)),
    ),
    arity=2,
    smooth=False,
)
SIGN = _entry("sign", "sign", lambda xp, a: xp.sign(a), lambda xp, out, a: (0.0,), smooth=False)
STEP = _entry("step", "step", lambda xp, a: xp.where(a > 0.0, 1.0, 0.0), lambda xp, out, a: (0.0,), smooth=False)

# ------------------------------------------------------------------------------------- choices and n-ary


def _chosen(xp: Any, out: Any, *arguments: Any) -> tuple[Any, ...]:
    """Return 1 for each argument that attains the extremum, and 0 for the others."""
    return tuple([xp.where(xp.equal(a, out), 1.0, 0.0) for a in arguments])


def _shares(xp: Any, out: Any, *arguments: Any) -> tuple[Any, ...]:
    """Each argument that attains the extremum has an equal share of the gradient."""
    attained = _chosen(xp, out, *arguments)
    count = xp.sum(attained)
    return tuple(xp.divide(a, count) for a in attained)


MAXIMUM = _entry("maximum", "max", lambda xp, *a: xp.maximum(*a), _shares, arity=None, smooth=False, textbook=_chosen)
MINIMUM = _entry("minimum", "min", lambda xp, *a: xp.minimum(*a), _shares, arity=None, smooth=False, textbook=_chosen)
GREATER = _entry(
    "greater",
    ">",
    lambda xp, a, b: xp.where(a > b, 1.0, 0.0),
    lambda xp, out, a, b: (0.0, 0.0),
    arity=2,
    smooth=False,
)
GREATER_EQUAL = _entry(
    "greater_equal",
    "≥",
    lambda xp, a, b: xp.where(a >= b, 1.0, 0.0),
    lambda xp, out, a, b: (0.0, 0.0),
    arity=2,
    smooth=False,
)
WHERE = _entry(
    "where",
    "where",
    lambda xp, condition, a, b: xp.where(xp.equal(condition, 0.0), b, a),
    lambda xp, out, condition, a, b: (
        0.0,
        xp.where(xp.equal(condition, 0.0), 0.0, 1.0),
        xp.where(xp.equal(condition, 0.0), 1.0, 0.0),
    ),
    textbook=lambda xp, out, condition, a, b: (0.0, xp.where(condition, 1.0, 0.0), xp.where(condition, 0.0, 1.0)),
    arity=3,
    smooth=False,
)
LOGSUMEXP = _entry(
    "logsumexp",
    "logsumexp",
    lambda xp, *a: xp.logsumexp(*a),
    lambda xp, out, *a: xp.softmax(*a),
    arity=None,
)


def indicators(xp: Any, index: Any, count: int) -> list[Any]:
    """Return 1 for the item that the index names, counted from 0, and 0 for the others."""
    return [xp.where(xp.equal(index, float(k)), 1.0, 0.0) for k in range(count)]


# zₜ where the index t is a node too, such as the token of an example; 0 where there is no such item.
PICK = _entry(
    "pick",
    "pick",
    lambda xp, index, *items: xp.pick(index, *items),
    lambda xp, out, index, *items: (0.0, *indicators(xp, index, len(items))),
    arity=None,
    smooth=False,
)


def _softmax_derivatives(xp: Any, out: Any, *arguments: Any) -> tuple[Any, ...]:
    """∂p₁/∂x₁ = p₁(1 - p₁) with 1 - p₁ as the sum of the others, ∂p₁/∂xⱼ = -p₁pⱼ."""
    p = xp.softmax(*arguments)
    return (p[0] * xp.sum(p[1:]), *(-(p[0] * other) for other in p[1:]))


# The share of the first argument. For the share of another one, put that one first.
SOFTMAX = _entry(
    "softmax",
    "softmax",
    lambda xp, *a: xp.softmax(*a)[0],
    _softmax_derivatives,
    textbook=lambda xp, out, *a: (out * (1.0 - out), *(-out * other for other in xp.softmax(*a)[1:])),
    arity=None,
)
