"""The operations of the table as functions, for Values and for plain numbers.

If an argument is a Value the result is a Value, otherwise a float; so one formula serves for both. NumPy arrays are
taken element by element.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence, Sized
from functools import partial
from typing import Any

from autograd_mini.engine import floats, primitives
from autograd_mini.engine.node import FEATURE, PROBE
from autograd_mini.engine.nodes import MOST_SHARES, shares_of_many
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.reals import as_float, is_array, is_index
from autograd_mini.engine.tracing import MOST_ROWS, current_trace, picked
from autograd_mini.engine.value import Value, apply, dot_node

__all__ = [
    "abs",
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "dot",
    "elu",
    "erf",
    "exp",
    "expm1",
    "greater",
    "greater_equal",
    "identity",
    "leaky_relu",
    "log",
    "log1p",
    "logsumexp",
    "maximum",
    "minimum",
    "minus_log_softmax",
    "pick",
    "pow",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "step",
    "sum",
    "tan",
    "tanh",
    "where",
]


def call(primitive: Primitive, *operands: Any) -> Any:
    """Apply an operation: to nodes, to plain numbers, or element by element to arrays."""
    for operand in operands:
        if isinstance(operand, Value):
            return apply(primitive, *operands)
    if any(map(is_array, operands)):
        return _element_by_element(partial(call, primitive), operands)
    return float(primitive.forward(floats, *[as_float(operand) for operand in operands]))


def _element_by_element(function: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    """Return an array of results: of floats where none is a node."""
    import numpy as np  # installed, as there is an array

    elements = np.frompyfunc(function, len(operands), 1)(*operands)
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


# ------------------------------------------------------------------------------------ elementary functions


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


# --------------------------------------------------------------------------------------------- activations


def identity(x: Any) -> Any:
    """Return x itself, as a node of its own.

    Examples
    --------
    >>> identity(2.0)
    2.0
    """
    return call(primitives.IDENTITY, x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, (eˣ - e⁻ˣ)/(eˣ + e⁻ˣ).

    Examples
    --------
    >>> from autograd_mini import Value
    >>> tanh(1000.0), tanh(Value(0.0)).local_grads
    (1.0, (1.0,))
    """
    return call(primitives.TANH, x)


def sigmoid(x: Any) -> Any:
    """Return the logistic function σ(x) = 1/(1 + e⁻ˣ).

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    return call(primitives.SIGMOID, x)


def softplus(x: Any) -> Any:
    """Return log(1 + eˣ) without overflow.

    Examples
    --------
    >>> softplus(1000.0)
    1000.0
    """
    return call(primitives.SOFTPLUS, x)


def relu(x: Any) -> Any:
    """Return max(0, x); its derivative at 0 is taken as 0.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> relu(-1.0), relu(2.0), relu(Value(0.0)).local_grads
    (0.0, 2.0, (0.0,))
    """
    return call(primitives.RELU, x)


def leaky_relu(x: Any, alpha: Any = 0.01) -> Any:
    """Return x for x > 0, else alpha·x.

    Examples
    --------
    >>> leaky_relu(-1.0, 0.1), leaky_relu(2.0)
    (-0.1, 2.0)
    """
    return call(primitives.LEAKY_RELU, x, alpha)


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """Return x for x > 0, else alpha·(eˣ - 1).

    Examples
    --------
    >>> elu(2.0), elu(-1000.0)
    (2.0, -1.0)
    """
    return call(primitives.ELU, x, alpha)


def sign(x: Any) -> Any:
    """Return -1, 0 or 1; its derivative is 0 everywhere.

    Examples
    --------
    >>> sign(-3.0), sign(0.0)
    (-1.0, 0.0)
    """
    return call(primitives.SIGN, x)


def step(x: Any) -> Any:
    """Return 1 for x > 0, else 0; its derivative is 0 everywhere.

    Examples
    --------
    >>> step(2.0), step(0.0)
    (1.0, 0.0)
    """
    return call(primitives.STEP, x)


# ---------------------------------------------------------------------------------------- choices and n-ary


def greater(a: Any, b: Any) -> Any:
    """Return 1 where a > b, else 0, as a node: a condition for `where`; its derivatives are 0.

    Examples
    --------
    >>> greater(3.0, 2.0), greater(2.0, 2.0)
    (1.0, 0.0)
    """
    return call(primitives.GREATER, a, b)


def greater_equal(a: Any, b: Any) -> Any:
    """Return 1 where a ≥ b, else 0, as a node: a condition for `where`; its derivatives are 0.

    Examples
    --------
    >>> greater_equal(2.0, 2.0), greater_equal(1.0, 2.0)
    (1.0, 0.0)
    """
    return call(primitives.GREATER_EQUAL, a, b)


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


def maximum(*operands: Any) -> Any:
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
    return call(primitives.MAXIMUM, *_spread("maximum", operands))


def minimum(*operands: Any) -> Any:
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
    return call(primitives.MINIMUM, *_spread("minimum", operands))


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

    Examples
    --------
    >>> from autograd_mini import Value
    >>> z = [Value(1.0), Value(5.0)]
    >>> pick(1, z).data, pick(1, z).local_grads
    (5.0, (0.0, 0.0, 1.0))
    >>> [item.data for item in pick(Value(2.0), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])]
    [5.0, 6.0]
    """
    items = _spread("pick", items)
    samples = dict(zip(map(type, items), items, strict=True)).values()  # one of each kind: rows may be many
    if is_array(index) or (all(map(is_array, samples)) and not isinstance(index, Value)):
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


def sum(terms: Iterable[Any]) -> Any:
    """Return x₁ + x₂ + … as one node; 0 of nothing.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> sum([1.0, 2.0, 3.0]), len(sum([Value(1.0), 2.0, 3.0]).parents)
    (6.0, 3)
    """
    return call(primitives.SUM, *terms)


def dot(weights: Sequence[Any], inputs: Sequence[Any], bias: Any = None) -> Any:
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


def logsumexp(*operands: Any) -> Any:
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
    return call(primitives.LOGSUMEXP, *_spread("logsumexp", operands))


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
    return call(primitives.MINUS_LOG_SOFTMAX, index, *_spread("minus_log_softmax", logits))


def softmax(logits: Iterable[Any]) -> list[Any]:
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
    operands = _spread("softmax", (tuple(logits),))
    if len(operands) > MOST_SHARES:
        return list(shares_of_many(sys.modules[__name__], operands))
    return [call(primitives.SOFTMAX, operand, *operands[:i], *operands[i + 1 :]) for i, operand in enumerate(operands)]
