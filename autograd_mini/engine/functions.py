"""The operations of the table as functions, for Values and for plain numbers.

If an argument is a Value the result is a Value, otherwise a float; so one formula serves for both. NumPy arrays are
taken element by element.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence, Sized
from functools import partial
from operator import mul
from typing import TYPE_CHECKING, Any, Literal, overload

from autograd_mini.elsewhere import unexpected, without_others
from autograd_mini.engine import floats, further, primitives
from autograd_mini.engine.methods import bounds
from autograd_mini.engine.node import FEATURE, PROBE
from autograd_mini.engine.nodes import MOST_SHARES, shares_of_many
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.reals import as_float, is_array, is_index
from autograd_mini.engine.signatures import binary, gathering, listing, of_terms, unary, with_alpha
from autograd_mini.engine.tracing import MOST_ROWS, current_trace, picked
from autograd_mini.engine.value import Value, apply, make_node

if TYPE_CHECKING:
    from autograd_mini.engine.signatures import Array, Number

    Approximation = Literal["none", "tanh"]

__all__ = [
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "cbrt",
    "clip",
    "cos",
    "cosh",
    "dot",
    "elu",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "gelu",
    "greater",
    "greater_equal",
    "hypot",
    "identity",
    "leaky_relu",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "minus_log_softmax",
    "pick",
    "pow",
    "prod",
    "reciprocal",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "step",
    "sum",
    "tan",
    "tanh",
    "where",
]


_MANY = 8  # operands, as a dot product has them


def call(primitive: Primitive, *operands: Any) -> Any:
    """Apply an operation: to nodes, to plain numbers, or element by element to arrays."""
    if len(operands) > _MANY and set(map(type, operands)) == {float}:  # which takes longer to find out one by one
        return float(primitive.forward(floats, *operands))
    for operand in operands:
        if isinstance(operand, Value):
            return apply(primitive, *operands)
    if any(map(is_array, operands)):
        return _element_by_element(partial(call, primitive), operands)
    return float(primitive.forward(floats, *[as_float(operand) for operand in operands]))


def _element_by_element(function: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    """Return an array of results: of floats where none is a node."""
    import numpy as np  # installed, as there is an array

    if len(operands) < 32:  # NumPy's own way takes no more
        elements = np.frompyfunc(function, len(operands), 1)(*operands)
    else:
        arrays = np.broadcast_arrays(*operands)
        elements = np.empty(arrays[0].size, dtype=object)
        elements[:] = [function(*numbers) for numbers in zip(*map(np.ravel, arrays), strict=True)]
        elements = elements.reshape(arrays[0].shape)
    has_nodes = any(isinstance(element, Value) for element in np.ravel(elements))
    return elements if has_nodes else np.asarray(elements, dtype=float)


def _spread(name: str, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the operands of an n-ary function that takes them one by one or as one sequence."""
    if len(operands) == 1 and isinstance(operands[0], Iterable):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError(f"{name} of nothing has no value; expected at least one operand")
    return operands


def row_number(index: Any, count: int) -> int:
    """Return the index of one of so many items, counted from 0, as a whole number; that of a node by its data.

    Raises
    ------
    IndexError
        If it names none of them.
    """
    number = index._data if isinstance(index, Value) else as_float(index)
    if not is_index(number, count):
        expected = f"a whole number from 0 to {count - 1}, to name one of {count}"
        raise IndexError(f"pick: expected {expected}, got {number:.15g}")
    return int(number)


def _terms(name: str, terms: Any) -> tuple[Any, ...]:
    """Return the operands of a function that takes them as one sequence."""
    if not isinstance(terms, Iterable):
        raise TypeError(
            f"{name} takes a list of numbers, as in {name}([a, b]), got {type(terms).__name__} {terms!r:.60}"
        )
    return tuple(terms)


def _negative(x: Any) -> Any:
    return call(primitives.NEG, x)


# ------------------------------------------------------------------------------------ elementary functions


@unary
def exp(x: Any) -> Any:
    """Return eˣ.

    Examples
    --------
    >>> exp(0.0), exp(Value(0.0)).local_grads
    (1.0, (1.0,))
    """
    return call(primitives.EXP, x)


@unary
def expm1(x: Any) -> Any:
    """Return eˣ - 1 with all its digits near 0.

    Examples
    --------
    >>> expm1(1e-20)
    1e-20
    """
    return call(primitives.EXPM1, x)


@unary
@without_others
def log(x: Any, **others: Any) -> Any:
    """Return the natural logarithm; -inf at 0, nan below.

    Examples
    --------
    >>> log(1.0), log(0.0)
    (0.0, -inf)
    """
    if others:
        raise unexpected("log", others)
    return call(primitives.LOG, x)


@unary
def log1p(x: Any) -> Any:
    """Return log(1 + x) with all its digits near 0.

    Examples
    --------
    >>> log1p(1e-20)
    1e-20
    """
    return call(primitives.LOG1P, x)


@unary
def log2(x: Any) -> Any:
    """Return the logarithm to the base 2, exact of powers of 2; -inf at 0, nan below.

    Examples
    --------
    >>> log2(8.0), log2(Value(0.0)).data
    (3.0, -inf)
    """
    return call(further.LOG2, x)


@unary
def log10(x: Any) -> Any:
    """Return the logarithm to the base 10, exact of powers of 10; -inf at 0, nan below.

    Examples
    --------
    >>> log10(1000.0)
    3.0
    """
    return call(further.LOG10, x)


@unary
def sqrt(x: Any) -> Any:
    """Return the square root; nan below 0.

    Examples
    --------
    >>> sqrt(9.0)
    3.0
    """
    return call(primitives.SQRT, x)


@unary
def cbrt(x: Any) -> Any:
    """Return the real cube root, which is negative below 0; at 0 its derivative is infinite.

    Examples
    --------
    >>> cbrt(-27.0), cbrt(Value(8.0)).data
    (-3.0, 2.0)
    """
    return call(further.CBRT, x)


@unary
def square(x: Any) -> Any:
    """Return x·x.

    Examples
    --------
    >>> square(-3.0), square(Value(3.0)).local_grads
    (9.0, (3.0, 3.0))
    """
    return call(primitives.MUL, x, x)


@unary
def reciprocal(x: Any) -> Any:
    """Return 1/x; ±inf at 0.

    Examples
    --------
    >>> reciprocal(4.0), reciprocal(0.0)
    (0.25, inf)
    """
    return call(primitives.DIV, 1.0, x)


@binary
def hypot(x: Any, y: Any) -> Any:
    """Return √(x² + y²) without overflow; at the origin its derivatives are taken as 0.

    Examples
    --------
    >>> hypot(3.0, 4.0), hypot(Value(0.0), 0.0).local_grads
    (5.0, (0.0, 0.0))
    """
    return call(further.HYPOT, x, y)


@unary
def sin(x: Any) -> Any:
    """Return the sine of x radians.

    Examples
    --------
    >>> sin(0.0)
    0.0
    """
    return call(primitives.SIN, x)


@unary
def cos(x: Any) -> Any:
    """Return the cosine of x radians.

    Examples
    --------
    >>> cos(0.0)
    1.0
    """
    return call(primitives.COS, x)


@unary
def tan(x: Any) -> Any:
    """Return the tangent of x radians.

    Examples
    --------
    >>> tan(0.0)
    0.0
    """
    return call(primitives.TAN, x)


@unary
def asin(x: Any) -> Any:
    """Return the inverse sine in radians; nan outside [-1, 1].

    Examples
    --------
    >>> asin(0.0)
    0.0
    """
    return call(further.ASIN, x)


@unary
def acos(x: Any) -> Any:
    """Return the inverse cosine in radians; nan outside [-1, 1].

    Examples
    --------
    >>> acos(1.0)
    0.0
    """
    return call(further.ACOS, x)


@unary
def atan(x: Any) -> Any:
    """Return the inverse tangent in radians.

    Examples
    --------
    >>> atan(0.0)
    0.0
    """
    return call(further.ATAN, x)


@binary
def atan2(y: Any, x: Any) -> Any:
    """Return the angle of the point (x, y) in radians, from -π to π; at the origin its derivatives are taken as 0.

    Examples
    --------
    >>> atan2(1.0, 0.0), atan2(0.0, -1.0)
    (1.5707963267948966, 3.141592653589793)
    """
    return call(further.ATAN2, y, x)


@unary
def sinh(x: Any) -> Any:
    """Return the hyperbolic sine.

    Examples
    --------
    >>> sinh(0.0)
    0.0
    """
    return call(primitives.SINH, x)


@unary
def cosh(x: Any) -> Any:
    """Return the hyperbolic cosine.

    Examples
    --------
    >>> cosh(0.0)
    1.0
    """
    return call(primitives.COSH, x)


@unary
def erf(x: Any) -> Any:
    """Return the error function, 2/√π ∫₀ˣ exp(-t²) dt.

    Examples
    --------
    >>> erf(0.0)
    0.0
    """
    return call(further.ERF, x)


@unary
def erfc(x: Any) -> Any:
    """Return 1 - erf(x), with all its digits where erf(x) is nearly 1.

    Examples
    --------
    >>> erfc(0.0), erfc(10.0)
    (1.0, 2.088487583762545e-45)
    """
    return call(further.ERFC, x)


@unary
def abs(x: Any) -> Any:
    """Return |x|; its derivative at 0 is taken as 0.

    Examples
    --------
    >>> abs(-2.0), abs(Value(0.0)).local_grads
    (2.0, (0.0,))
    """
    return call(primitives.ABS, x)


@binary
def pow(base: Any, exponent: Any) -> Any:
    """Return base to the power of exponent, with both derivatives.

    Examples
    --------
    >>> pow(2.0, 3.0), pow(Value(0.0), 0).local_grads[0]
    (8.0, 0.0)
    """
    return call(primitives.POW, base, exponent)


# --------------------------------------------------------------------------------------------- activations


@unary
def identity(x: Any) -> Any:
    """Return x itself, as a node of its own.

    Examples
    --------
    >>> identity(2.0)
    2.0
    """
    return call(primitives.IDENTITY, x)


@unary
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, (eˣ - e⁻ˣ)/(eˣ + e⁻ˣ).

    Examples
    --------
    >>> from autograd_mini import Value
    >>> tanh(1000.0), tanh(Value(0.0)).local_grads
    (1.0, (1.0,))
    """
    return call(primitives.TANH, x)


@unary
def sigmoid(x: Any) -> Any:
    """Return the logistic function σ(x) = 1/(1 + e⁻ˣ).

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    return call(primitives.SIGMOID, x)


@unary
def log_sigmoid(x: Any) -> Any:
    """Return log σ(x) = -log(1 + e⁻ˣ) without overflow.

    Examples
    --------
    >>> log_sigmoid(-800.0), log_sigmoid(800.0)
    (-800.0, -0.0)
    """
    return _negative(softplus(_negative(x)))


@unary
def silu(x: Any) -> Any:
    """Return x·σ(x), also called swish.

    Examples
    --------
    >>> silu(0.0), round(silu(1.0), 6)
    (0.0, 0.731059)
    """
    return call(primitives.MUL, x, sigmoid(x))


@overload
def gelu(x: Value, approximate: Approximation = ...) -> Value: ...
@overload
def gelu(x: Number, approximate: Approximation = ...) -> float: ...
@overload
def gelu(x: Array, approximate: Approximation = ...) -> Array: ...
def gelu(x: Any, approximate: Approximation = "none") -> Any:
    """Return x·Φ(x), where Φ is the distribution function of the standard normal: ½x·(1 + erf(x/√2)).

    It is computed as ½x·erfc(-x/√2), which keeps its digits far below 0.

    Parameters
    ----------
    x : Value, number or array
        The number.
    approximate : {"none", "tanh"}
        "tanh" for the formula that many networks were trained with: ½x·(1 + tanh(√(2/π)(x + 0.044715x³))).

    Raises
    ------
    ValueError
        If `approximate` is anything else.

    Examples
    --------
    >>> round(gelu(1.0), 6), round(gelu(1.0, approximate="tanh"), 6)
    (0.841345, 0.841192)
    """
    if approximate == "none":
        return call(primitives.MUL, call(primitives.MUL, 0.5, x), erfc(call(primitives.MUL, -math.sqrt(0.5), x)))
    if approximate == "tanh":  # ½(1 + tanh u) is σ(2u)
        cubic = call(primitives.ADD, 1.0, call(primitives.MUL, 0.044715, square(x)))
        twice = call(primitives.MUL, call(primitives.MUL, math.sqrt(8.0 / math.pi), x), cubic)
        return call(primitives.MUL, x, sigmoid(twice))
    raise ValueError(f"gelu: expected approximate='none' or 'tanh', got {approximate!r}")


@unary
@without_others
def softplus(x: Any, **others: Any) -> Any:
    """Return log(1 + eˣ) without overflow.

    Examples
    --------
    >>> softplus(1000.0)
    1000.0
    """
    if others:
        raise unexpected("softplus", others)
    return call(primitives.SOFTPLUS, x)


@unary
def relu(x: Any) -> Any:
    """Return max(0, x); its derivative at 0 is taken as 0.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> relu(-1.0), relu(2.0), relu(Value(0.0)).local_grads
    (0.0, 2.0, (0.0,))
    """
    return call(primitives.RELU, x)


@with_alpha
@without_others
def leaky_relu(x: Any, alpha: Any = 0.01, **others: Any) -> Any:
    """Return x for x > 0, else alpha·x.

    Examples
    --------
    >>> leaky_relu(-1.0, 0.1), leaky_relu(2.0)
    (-0.1, 2.0)
    """
    if others:
        raise unexpected("leaky_relu", others)
    return call(primitives.LEAKY_RELU, x, alpha)


@with_alpha
@without_others
def elu(x: Any, alpha: Any = 1.0, **others: Any) -> Any:
    """Return x for x > 0, else alpha·(eˣ - 1).

    Examples
    --------
    >>> elu(2.0), elu(-1000.0)
    (2.0, -1.0)
    """
    if others:
        raise unexpected("elu", others)
    return call(primitives.ELU, x, alpha)


@unary
def sign(x: Any) -> Any:
    """Return -1, 0 or 1; its derivative is 0 everywhere.

    Examples
    --------
    >>> sign(-3.0), sign(0.0)
    (-1.0, 0.0)
    """
    return call(primitives.SIGN, x)


@unary
def step(x: Any) -> Any:
    """Return 1 for x > 0, else 0; its derivative is 0 everywhere.

    Examples
    --------
    >>> step(2.0), step(0.0)
    (1.0, 0.0)
    """
    return call(primitives.STEP, x)


# ---------------------------------------------------------------------------------------- choices and n-ary


@overload
def clip(x: Value, min: Value | Number | None = ..., max: Value | Number | None = ...) -> Value: ...
@overload
def clip(x: Number, min: Number | None = ..., max: Number | None = ...) -> float: ...
@overload
def clip(x: Array, min: Array | Number | None = ..., max: Array | Number | None = ...) -> Array: ...
@without_others
def clip(x: Any, min: Any = None, max: Any = None, **others: Any) -> Any:
    """Return x, but `min` where it is below, and `max` where it is above; None for no bound.

    The gradient goes to what was chosen, at a bound to x.

    Raises
    ------
    ValueError
        If there is no bound at all, or one is nan.

    Examples
    --------
    >>> clip(5.0, 0.0, 1.0), clip(-5.0, min=0.0), clip(Value(1.0), 0.0, 1.0).local_grads
    (1.0, 0.0, (1.0, 0.0, 0.0))
    """
    if others:
        raise unexpected("clip", others)
    return call(further.CLIP, x, *bounds(min, max))


@binary
def greater(a: Any, b: Any) -> Any:
    """Return 1 where a > b, else 0, as a node: a condition for `where`; its derivatives are 0.

    Examples
    --------
    >>> greater(3.0, 2.0), greater(2.0, 2.0)
    (1.0, 0.0)
    """
    return call(primitives.GREATER, a, b)


@binary
def greater_equal(a: Any, b: Any) -> Any:
    """Return 1 where a ≥ b, else 0, as a node: a condition for `where`; its derivatives are 0.

    Examples
    --------
    >>> greater_equal(2.0, 2.0), greater_equal(1.0, 2.0)
    (1.0, 0.0)
    """
    return call(primitives.GREATER_EQUAL, a, b)


@overload
def where(condition: Value, a: Value | Number, b: Value | Number) -> Value: ...
@overload
def where(condition: Value | Number, a: Value, b: Value | Number) -> Value: ...
@overload
def where(condition: Value | Number, a: Number, b: Value) -> Value: ...
@overload
def where(condition: Number, a: Number, b: Number) -> float: ...  # type: ignore[overload-overlap]
@overload
def where(condition: Array | Number, a: Array | Number, b: Array | Number) -> Array: ...
def where(condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition isn't 0, else b; the gradient goes to the one that was chosen.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(-2.0)
    >>> where(x > 0, x, 0.1 * x).data
    -0.2
    """
    return call(primitives.WHERE, condition, a, b)


@gathering
@without_others
def maximum(*operands: Any, **others: Any) -> Any:
    """Return the largest of the operands, or of one sequence; those that tie share the gradient equally.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> maximum(1.0, 3.0, 2.0), maximum([1.0, 4.0])
    (3.0, 4.0)
    >>> maximum(Value(2.0), Value(2.0)).local_grads
    (0.5, 0.5)
    """
    if others:
        raise unexpected("maximum", others)
    return call(primitives.MAXIMUM, *_spread("maximum", operands))


@gathering
@without_others
def minimum(*operands: Any, **others: Any) -> Any:
    """Return the smallest of the operands, or of one sequence; those that tie share the gradient equally.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> minimum(1.0, 3.0, 2.0)
    1.0
    """
    if others:
        raise unexpected("minimum", others)
    return call(primitives.MINIMUM, *_spread("minimum", operands))


@overload
def pick(index: Number, items: Sequence[Number], /) -> float: ...  # type: ignore[overload-overlap]
@overload
def pick(index: Value | Number, items: Sequence[Value | Number], /) -> Value: ...
@overload
def pick(index: Number, items: Sequence[Sequence[Number]], /) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def pick(index: Value | Number, items: Sequence[Sequence[Value | Number]] | Array, /) -> list[Value]: ...  # type: ignore[overload-overlap]
@overload
def pick(index: Number, /, *items: Number) -> float: ...  # type: ignore[overload-overlap]
@overload
def pick(index: Value | Number, /, *items: Value | Number) -> Value: ...
@overload
def pick(index: Value | Number, /, *items: Sequence[Value | Number]) -> list[Value]: ...
@overload
def pick(index: Array | Number, /, *items: Array) -> Array: ...
def pick(index: Any, *items: Any) -> Any:
    """Return the item, of several or of one sequence, that an index names, counted from 0.

    Where the items are lists, the rows of a table, it is a list: of each column the item in that row. Where the index
    is a plain number, ``items[index]`` does the same, and is what comes of more than 256 items; here it may be a Value,
    such as a token that is an input of a vectorized function. There all of it becomes one gather, and the gradient a
    scatter: what examples contribute to the same row is added up in their order.

    Raises
    ------
    ValueError
        If there are no items, or rows of different lengths.
    IndexError
        If the index names none of them: it is negative, too large, or not whole.
    TypeError
        If the index is a list, most often the table itself.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> z = [Value(1.0), Value(5.0)]
    >>> pick(1, z).data, pick(1, z).local_grads
    (5.0, (0.0, 0.0, 1.0))
    >>> [item.data for item in pick(Value(2.0), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])]
    [5.0, 6.0]
    """
    if isinstance(index, (list, tuple)):
        raise TypeError(
            f"pick: expected a number first, as in pick(token, table), got {type(index).__name__} {index!r:.60}; for "
            f"several tokens, write [pick(token, table) for token in tokens]"
        )
    items = _spread("pick", items)
    samples = dict(zip(map(type, items), items, strict=True)).values()  # one of each kind: rows may be many
    if is_array(index) or (all(map(is_array, samples)) and not isinstance(index, Value)):
        if len(items) > MOST_ROWS and not is_array(index):
            index, items = 0, (items[row_number(index, len(items))],)
        return _element_by_element(pick, (index, *items))
    is_table = any(isinstance(item, (list, tuple)) or is_array(item) for item in samples)
    rows = items if is_table else [(item,) for item in items]
    are_rows = not is_table or all(isinstance(item, Sized) for item in samples)
    widths = sorted(set(map(len, rows))) if are_rows else [0, 1]
    if len(widths) > 1:
        got = f"rows of {widths[0]} and of {widths[-1]} items; pad them" if are_rows else "rows and single items"
        raise ValueError(f"pick: expected rows of the same length, got {got}")
    if isinstance(index, Value) and current_trace() is not None:
        found = picked(index, rows)
    else:
        number = row_number(index, len(rows))
        is_bare = not isinstance(index, Value) or index._local in (FEATURE, PROBE)
        if is_bare and len(rows) > MOST_ROWS:
            found = list(rows[number])
        else:
            found = [call(primitives.PICK, index, *column) for column in zip(*rows, strict=True)]
    return found if is_table else found[0]


@of_terms
@without_others
def sum(terms: Iterable[Any], **others: Any) -> Any:
    """Return x₁ + x₂ + … as one node; 0 of nothing.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> sum([1.0, 2.0, 3.0]), len(sum([Value(1.0), 2.0, 3.0]).parents)
    (6.0, 3)
    """
    if others:
        raise unexpected("sum", others)
    return call(primitives.SUM, *_terms("sum", terms))


@of_terms
@without_others
def mean(terms: Iterable[Any], **others: Any) -> Any:
    """Return (x₁ + x₂ + …)/n.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> mean([1.0, 2.0, 6.0]), mean([Value(1.0), 2.0]).data
    (3.0, 1.5)
    """
    if others:
        raise unexpected("mean", others)
    terms = _spread("mean", (_terms("mean", terms),))
    return call(primitives.DIV, sum(terms), float(len(terms)))


@of_terms
@without_others
def prod(terms: Iterable[Any], **others: Any) -> Any:
    """Return x₁·x₂·…, neighbours first, so that the graph of many isn't deep; 1 of nothing.

    Examples
    --------
    >>> x = Value(0.0)
    >>> y = prod([2.0, x, 3.0])
    >>> y.backward()
    >>> y.data, x.grad
    (0.0, 6.0)
    """
    if others:
        raise unexpected("prod", others)
    factors = list(_terms("prod", terms)) or [1.0]
    if len(factors) == 1:
        return call(primitives.IDENTITY, factors[0])
    while len(factors) > 1:
        pairs = zip(factors[::2], factors[1::2], strict=False)
        factors = [*(call(primitives.MUL, a, b) for a, b in pairs), *factors[len(factors) // 2 * 2 :]]
    return factors[0]


def dot_node(weights: Any, inputs: Any, bias: Any) -> Value:
    """Make the node of Σ wᵢxᵢ + b, all of them nodes: what `apply` would make by the table, but faster."""
    w = [weight._data for weight in weights]
    x = [feature._data for feature in inputs]
    out = floats.sum([*map(mul, w, x), bias._data])
    return make_node(out, primitives.DOT, (*weights, *inputs, bias), None, (*x, *w, 1.0), None)


@overload
def dot(  # type: ignore[overload-overlap]
    weights: Sequence[Number] | Array, inputs: Sequence[Number] | Array, bias: Number | None = ...
) -> float: ...
@overload
def dot(
    weights: Sequence[Value | Number] | Array,
    inputs: Sequence[Value | Number] | Array,
    bias: Value | Number | None = ...,
) -> Value: ...
def dot(weights: Sequence[Any] | Any, inputs: Sequence[Any] | Any, bias: Any = None) -> Any:
    """Return Σ wᵢxᵢ + b as one node, with an edge to every w, every x and b.

    The pre-activation of a neuron, z = Σ wᵢxᵢ + b.

    Parameters
    ----------
    weights, inputs : sequence of Value or number
        Equally many of both.
    bias : Value or number, optional
        b; without it there is no such edge.

    Raises
    ------
    ValueError
        If there are more weights than inputs or fewer.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> z = dot([Value(1.0), Value(2.0)], [3.0, 4.0], 0.5)
    >>> z.data, z.local_grads
    (11.5, (3.0, 4.0, 1.0, 2.0, 1.0))
    """
    if len(weights) != len(inputs):
        raise ValueError(f"dot needs as many weights as inputs, got {len(weights)} weights and {len(inputs)} inputs")
    if bias is not None:
        try:
            return dot_node(weights, inputs, bias)
        except AttributeError:  # not all of them are nodes
            pass
    return call(primitives.DOT, *weights, *inputs, *(() if bias is None else (bias,)))


@gathering
@without_others
def logsumexp(*operands: Any, **others: Any) -> Any:
    """Return log Σ exp(xᵢ) of the operands, or of one sequence, without overflow.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> round(logsumexp(1000.0, 1000.0), 6)
    1000.693147
    """
    if others:
        raise unexpected("logsumexp", others)
    return call(primitives.LOGSUMEXP, *_spread("logsumexp", operands))


@overload
def minus_log_softmax(index: Value | Number, logits: Iterable[Value | Number], /) -> Value: ...
@overload
def minus_log_softmax(index: Value | Number, /, *logits: Value | Number) -> Value: ...
def minus_log_softmax(index: Any, *logits: Any) -> Any:
    """Return -log pₜ for the item t that an index names, counted from 0, of p = softmax(z): the cross-entropy.

    The operands are z, or one sequence of them. ``-log(softmax(z)[t])`` loses digits where p is nearly 1 or 0, this has
    all of them. Where the index names no item it is ``logsumexp(z)``.

    Raises
    ------
    ValueError
        If there are no operands.

    Examples
    --------
    >>> minus_log_softmax(0, [40.0, 0.0]), -log(softmax([40.0, 0.0])[0])
    (4.248354255291589e-18, -0.0)
    """
    return call(further.MINUS_LOG_SOFTMAX, index, *_spread("minus_log_softmax", logits))


@listing
@without_others
def softmax(logits: Iterable[Any], **others: Any) -> list[Any]:
    """Return pᵢ = exp(xᵢ) / Σ exp(xⱼ) for every i, each a node of its own.

    Of more than 64, each is the quotient of two nodes, exp(xᵢ - max) and the sum of all of these: else a graph of
    n numbers would have n² edges.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    >>> [p.data for p in softmax([Value(1000.0), Value(0.0)])]
    [1.0, 0.0]
    """
    if others:
        raise unexpected("softmax", others)
    operands = _spread("softmax", (_terms("softmax", logits),))
    if len(operands) > MOST_SHARES:
        return list(shares_of_many(sys.modules[__name__], operands))
    return [call(primitives.SOFTMAX, operand, *operands[:i], *operands[i + 1 :]) for i, operand in enumerate(operands)]


@listing
@without_others
def log_softmax(logits: Iterable[Any], **others: Any) -> Any:
    """Return log pᵢ = xᵢ - log Σ exp(xⱼ) for every i, each a node of its own.

    For one of them, as a loss, `minus_log_softmax` keeps more digits where pᵢ is nearly 1.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> log_softmax([0.0, -800.0])
    [0.0, -800.0]
    """
    if others:
        raise unexpected("log_softmax", others)
    operands = _spread("log_softmax", (_terms("log_softmax", logits),))
    peak = maximum(*operands)
    if isinstance(peak, Value):  # taken from all of them, which changes no pᵢ; so that large ones leave digits
        peak = peak.detach()
    shifted = [call(primitives.SUB, operand, peak) for operand in operands]
    total = logsumexp(shifted)
    return [call(primitives.SUB, operand, total) for operand in shifted]
