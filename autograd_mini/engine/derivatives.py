"""Derivatives of plain functions of numbers, lists and dictionaries: `grad`, `jacobian`, `hessian` and their check.

They nest: ``grad(grad(f))`` is the second derivative. No ``.grad`` of any node is touched, not even of nodes that the
function finds in its closure.
"""

from __future__ import annotations

import math
import random
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from types import MethodType
from typing import Any, NamedTuple

from autograd_mini.engine import floats, nodes, tracing
from autograd_mini.engine.functions import identity
from autograd_mini.engine.graph import gradients, recorded_gradients, topological_order, wanted_gradients
from autograd_mini.engine.modes import enable_grad, no_grad
from autograd_mini.engine.reals import as_float, is_array
from autograd_mini.engine.signatures import differentiating, differentiating_with_value
from autograd_mini.engine.tracing import current_trace
from autograd_mini.engine.value import Constant, Value
from autograd_mini.errors import GradientCheckError

__all__ = ["check_gradients", "grad", "hessian", "jacobian", "value_and_grad"]

Function = Callable[..., Any]


class _Nesting(threading.local):
    """How many derivatives are being taken around this point of the program, in this thread."""

    depth = 0


_nesting = _Nesting()


@contextmanager
def differentiated(arguments: Iterable[Any] = ()) -> Iterator[None]:
    """Compute inside what will be differentiated as a whole, such as the loss of an example.

    `grad` and the like return nodes, also for bare numbers. What ``backward(create_graph=True)`` adds to the gradients
    of leaves, and of the arguments, is seen inside alone: they begin at 0, and afterwards are what they were.
    """
    _nesting.depth += 1
    try:
        with nodes.own_gradients(arguments):
            yield
    finally:
        _nesting.depth -= 1


# ------------------------------------------------------------------------------------- structures of numbers


def _leaves(structure: Any) -> Iterator[Any]:
    """Iterate over the numbers and nodes in nested lists, tuples, dictionaries and arrays."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        for part in structure:
            yield from _leaves(part)
    elif is_array(structure):
        yield from structure.ravel().tolist()
    else:
        yield structure


def _rebuilt(structure: Any, leaves: Iterator[Any]) -> Any:
    """Return the same structure with other leaves; an array of plain numbers is an array of floats."""
    if isinstance(structure, (list, tuple)):
        parts = [_rebuilt(part, leaves) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    if isinstance(structure, dict):
        return {key: _rebuilt(part, leaves) for key, part in structure.items()}
    if is_array(structure):
        return _stacked([next(leaves) for _ in range(structure.size)], structure.shape)
    return next(leaves)


def _stacked(parts: list[Any], shape: tuple[int, ...]) -> Any:
    """Return an array of numbers, or of arrays of one shape: of objects where any holds a node, else of floats."""
    import numpy as np  # installed, as there is an array

    leaves = list(_leaves(parts))
    array = np.empty(len(leaves), dtype=object if any(isinstance(leaf, Value) for leaf in leaves) else float)
    array[:] = leaves
    return array.reshape((*shape, *np.shape(parts)[1:]))


def _fresh(number: Any) -> Value:
    """Return a node to differentiate by: a new leaf, or for a Value a node computed from it, which stays connected."""
    return identity(number) if isinstance(number, Value) else Value(number)


# ----------------------------------------------------------------------------------------------- derivatives


class Results(tuple):  # type: ignore[type-arg]
    """A value and its gradient, or gradients by several arguments.

    `vectorize` keeps them apart, where it makes one array of any other tuple of numbers.
    """

    __slots__ = ()


class _Evaluation:
    """A call of a function on new nodes: its result, and the nodes by which it is to be differentiated."""

    def __init__(self, f: Function, arguments: tuple[Any, ...], keywords: dict[str, Any], argnums: Any) -> None:
        chosen = _chosen(argnums, len(arguments))
        self._outer = any(isinstance(leaf, Value) for i in chosen for leaf in _leaves(arguments[i]))
        lifted = list(arguments)
        for i in chosen:
            lifted[i] = _rebuilt(arguments[i], iter([_fresh(leaf) for leaf in _leaves(arguments[i])]))
        self._wanted = lifted[argnums] if isinstance(argnums, int) else Results(lifted[i] for i in chosen)
        with differentiated(_leaves(self._wanted) if self._outer else ()), enable_grad():
            self.result = f(*lifted, **keywords)

    def derivatives_of(self, output: Any) -> Any:
        """Return ∂output/∂argument in the argument's structure: floats, or nodes inside another derivative.

        Raises
        ------
        TypeError
            If the output is neither a node nor a number.
        """
        if not isinstance(output, Value):
            as_float(output)
        found: dict[Any, Any] = {}
        if isinstance(output, Value) and self._is_nested:
            with enable_grad():
                found = tracing.gradients(output, Constant(1.0))
        elif isinstance(output, Value):
            found = recorded_gradients(output)
        nothing = 0.0 if current_trace() is None else Constant(0.0)
        return _rebuilt(self._wanted, iter([found.get(leaf, nothing) for leaf in _leaves(self._wanted)]))

    def plain(self, output: Any) -> Any:
        """Return an output of the function: a float, or the node inside another derivative."""
        if isinstance(output, Value):
            return output if self._is_nested else output.data
        return as_float(output)

    @property
    def _is_nested(self) -> bool:
        """Whether the derivatives are to be nodes, because they may be differentiated further."""
        return self._outer or _nesting.depth > 0


def _chosen(argnums: Any, count: int) -> list[int]:
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in chosen:
        if not -count <= i < count:
            raise ValueError(f"argnums={argnums} asks for argument {i}, but the function was called with {count}")
    return [i % count for i in chosen]


def _check_function(f: Any, example: str) -> None:
    if not callable(f):
        raise TypeError(f"expected a function first, as in {example}, got {type(f).__name__} {f!r:.60}")


def _scalar(f: Function, result: Any) -> Any:
    if isinstance(result, (list, tuple, dict)) or is_array(result) or result is None:
        name = getattr(f, "__name__", "the function")
        raise TypeError(
            f"grad needs a function that returns one number, but {name} returned {type(result).__name__}; "
            f"use jacobian for several outputs"
        )
    return result


class _Derived(partial):  # type: ignore[type-arg]
    """A derivative of a function, as a function; no closure, so that it can be pickled where that function can."""

    @property
    def __name__(self) -> str:
        return self.func.__name__.lstrip("_")

    def __get__(self, thing: Any, kind: Any = None) -> Any:
        """Return the method that it is where it stands in a class, as a function would."""
        return self if thing is None else MethodType(self, thing)


@differentiating_with_value
def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return a function that gives f's value and its gradient.

    Parameters
    ----------
    f : callable
        A function of numbers, or of lists, tuples, dictionaries or arrays of numbers, that returns one number.
    argnums : int or tuple of int
        By which arguments to differentiate; a tuple gives a tuple of gradients.

    Returns
    -------
    callable
        Takes what `f` takes; returns ``(value, gradient)``, the gradient with the structure of the argument.

    Examples
    --------
    >>> value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """
    _check_function(f, "value_and_grad(f)(0.5)")
    return _Derived(_value_and_gradient, f, argnums)


def _value_and_gradient(f: Function, argnums: Any, /, *arguments: Any, **keywords: Any) -> tuple[Any, Any]:
    evaluation = _Evaluation(f, arguments, keywords, argnums)
    output = _scalar(f, evaluation.result)
    return Results((evaluation.plain(output), evaluation.derivatives_of(output)))


@differentiating
def grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the gradient of f as a function.

    Parameters
    ----------
    f : callable
        A function of numbers, or of lists, tuples, dictionaries or arrays of numbers, that returns one number.
    argnums : int or tuple of int
        By which arguments to differentiate; a tuple gives a tuple of gradients.

    Returns
    -------
    callable
        Takes what `f` takes; returns the gradient with the structure of the argument. Inside another derivative, and
        for an argument that is a Value, it returns Values, so that it can be differentiated again.

    Raises
    ------
    TypeError
        When called, if `f` doesn't return one number, or an argument isn't made of real numbers.

    Examples
    --------
    >>> from autograd_mini import sin
    >>> grad(lambda x: x**3)(2.0), grad(grad(lambda x: x**3))(2.0)
    (12.0, 12.0)
    >>> grad(lambda x: x[0] * x[1])([2.0, 3.0])
    [3.0, 2.0]
    """
    _check_function(f, "grad(f)(0.5)")
    return _Derived(_gradient, f, argnums)


def _gradient(f: Function, argnums: Any, /, *arguments: Any, **keywords: Any) -> Any:
    return _value_and_gradient(f, argnums, *arguments, **keywords)[1]


def jacobian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the Jacobian of f, ∂fᵢ/∂xⱼ, as a function.

    Parameters
    ----------
    f : callable
        A function that returns a list, a tuple, a dictionary, an array or one number.
    argnums : int or tuple of int
        By which arguments to differentiate.

    Returns
    -------
    callable
        Takes what `f` takes; returns the structure of the output with the structure of the argument in each place: a
        list of lists for lists, an array of shape (outputs, inputs) for arrays, a tuple of such arrays by several
        arguments.

    Raises
    ------
    TypeError
        When called, if an output or an argument isn't made of real numbers.

    Examples
    --------
    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    _check_function(f, "jacobian(f)([0.5, 1.0])")
    return _Derived(_jacobian, f, argnums)


def _jacobian(f: Function, argnums: Any, /, *arguments: Any, **keywords: Any) -> Any:
    evaluation = _Evaluation(f, arguments, keywords, argnums)
    rows = [evaluation.derivatives_of(output) for output in _leaves(evaluation.result)]
    if is_array(evaluation.result) and not isinstance(argnums, int):
        return Results(_rebuilt(evaluation.result, iter(column)) for column in zip(*rows, strict=True))
    return _rebuilt(evaluation.result, iter(rows))


def hessian(f: Function, argnums: int = 0) -> Function:
    """Return the matrix of second derivatives of f, ∂²f/∂xᵢ∂xⱼ, as a function.

    Parameters
    ----------
    f : callable
        A function that returns one number.
    argnums : int
        By which argument to differentiate.

    Examples
    --------
    >>> hessian(lambda x: x[0] ** 2 * x[1])([2.0, 3.0])
    [[6.0, 4.0], [4.0, 0.0]]
    >>> hessian(lambda x: x**3)(2.0)
    12.0
    """
    _check_function(f, "hessian(f)([0.5, 1.0])")
    return jacobian(grad(f, argnums), argnums)


# ------------------------------------------------------------------------------------------------- the check


def check_gradients(f: Function, *points: Any, rtol: float = 1e-5, atol: float = 1e-7) -> None:
    """Compare the gradient of f by each of its arguments with central differences.

    The step is chosen by how much rounding there is in f: the smallest at which it doesn't hide the tolerance, so that
    no kink, edge or wave of f is stepped over that needn't be. At the edge of where f is defined the differences are
    one-sided. Where rounding hides more than the tolerance at every step, f isn't defined, or it changes wholly from
    one float to the next, a RuntimeWarning says that it can't tell, and why.

    Parameters
    ----------
    f : callable
        A function that returns one number.
    *points : number, list, tuple or array
        The arguments at which to check, one for each argument of `f`.
    rtol, atol : float
        A gradient may be off by ``atol + rtol * |expected|``.

    Raises
    ------
    GradientCheckError
        At the first disagreement, naming the operation whose local derivative is wrong where there is one, the
        arguments, which of them, what was got and what was expected.

    Examples
    --------
    >>> from autograd_mini import tanh
    >>> check_gradients(lambda x, w: tanh(w[0] * x + w[1]), 0.5, [2.0, -1.0])
    """
    _check_function(f, "check_gradients(f, 0.5)")
    flat = [point.data if isinstance(point, Value) else as_float(point) for point in _leaves(points)]
    if not flat:
        raise ValueError("there is nothing to check without a point; pass one for each argument of the function")
    points = _rebuilt(points, iter(flat))
    name = getattr(f, "__name__", repr(f))
    value, found = value_and_grad(f, tuple(range(len(points))))(*points)
    got = list(_leaves(found))
    again, noise, noises = _rounding(f, points, got)
    unsure, reason = [], ""
    for i, gradient in enumerate(got):
        near = atol + rtol * (abs(gradient) if math.isfinite(gradient) else 0.0)
        at = _along(f, points, flat, i)
        why = _why_none(value, again, flat[i])
        slope = _slope(at, flat[i], noise, near, gradient) if not why else _NO_SLOPE
        tolerance, hidden = atol + rtol * abs(slope.number), slope.error + noises[i]
        difference = abs(gradient - slope.number)
        grows = slope.error > 0.1 * abs(slope.number) and gradient * slope.number > 0.0
        if math.isinf(gradient) and (grows or gradient == slope.number):  # as the differences do, the smaller the step
            continue
        if difference <= tolerance and hidden <= 10.0 * tolerance:  # rounding is mostly far below what it may be
            continue
        why = why or _why_unsure(at, flat[i], noise, tolerance, gradient)
        if math.isnan(slope.number):
            why = why or "it isn't finite on both sides, as far as the steps go"
        if why or not math.isfinite(slope.error) or difference <= tolerance + hidden:
            unsure.append(f"for argument {_place(points, i)}: got {gradient}, and differences give {slope.number}")
            unsure[-1] += f" ± {hidden:.1g}"
            reason = reason or why
            continue
        raise GradientCheckError(
            f"the gradient of {name} at {_listed(points)} is wrong for argument {_place(points, i)}: "
            f"got {gradient}, expected {slope.number} by central differences; {_culprit(f, points)}"
        )
    if unsure:
        rounding = "rounding hides the rest: check a part of the function, or at a point where no large numbers cancel"
        warnings.warn(
            f"check_gradients can't tell whether the gradient of {name} at {_listed(points)} is right {unsure[0]}"
            f"{f' ({len(unsure)} such arguments)' if len(unsure) > 1 else ''}; {reason or rounding}",
            RuntimeWarning,
            stacklevel=2,
        )


def _why_none(value: float, again: float, x: float) -> str:
    """Return why there are no differences to take of a function with this value, and this one at a second call."""
    if not math.isfinite(value):
        return f"it is {value} there: check it at a point where it is defined and finite"
    if value != again:
        return f"it gives {value} and then {again} there: have it draw the same random numbers at each call"
    return "" if math.isfinite(x) else f"there is no number beside {x}"


def _why_unsure(at: Callable[[float], float], x: float, noise: float, tolerance: float, gradient: float) -> str:
    """Return why differences may be wrong though they agree among themselves: f changes between the floats around x."""
    gap = math.ulp(x)
    if 0.0 < abs(x) < 2.0**-1022:
        return f"{x} has too few digits for steps that are smaller"
    offsets = [gap * 2.0**k for k in range(10)]
    values = [at(x + h) for h in (*[-h for h in reversed(offsets)], 0.0, *offsets)]
    moves = [b - a for a, b in pairwise(values) if abs(b - a) > 4.0 * noise]
    turns = [a for a, b in pairwise(moves) if (a < 0.0) != (b < 0.0)]
    if len(turns) > 1:
        return "it changes wholly from one float to the next, so that no step is small enough"
    beside = _difference(at, x, 2.0 * gap, 0.0) if x and 2.0 * noise <= gap * tolerance else _NO_SLOPE
    is_bent = math.isfinite(beside.error) and abs(gradient - beside.number) <= beside.error
    return "it has a kink so near that every step leads over it" if is_bent else ""


def _listed(points: tuple[Any, ...]) -> str:
    return "(" + ", ".join(repr(point) for point in points) + ")"


def _place(points: tuple[Any, ...], i: int) -> str:
    """Return which argument the i-th number is: ``1`` or ``1[0]``."""
    for position, point in enumerate(points):
        size = len(list(_leaves(point)))
        if i < size:
            return f"{position}" if size == 1 and not isinstance(point, (list, tuple, dict)) else f"{position}[{i}]"
        i -= size
    raise IndexError(i)


def _along(f: Function, points: tuple[Any, ...], flat: list[float], i: int) -> Callable[[float], float]:
    """Return f as a function of the i-th number alone."""

    def at(x: float) -> float:
        moved = iter([Value(x if j == i else number) for j, number in enumerate(flat)])
        with no_grad():
            result = f(*[_rebuilt(point, moved) for point in points])
        return float(result.data) if isinstance(result, Value) else as_float(result)

    return at


_EPS = 2.0**-52


def _rounding(f: Function, points: tuple[Any, ...], got: list[float]) -> tuple[float, float, list[float]]:
    """Return f's value, and by how much rounding may change it and its gradients.

    It is tried out: each number in between gets a last bit more or less. So large numbers that cancel are seen, too,
    of which the result shows nothing.
    """
    leaves = [Value(number) for number in _leaves(points)]
    root = f(*_rebuilt(points, iter(leaves)))
    value = root.data if isinstance(root, Value) else as_float(root)
    spread = [_EPS * abs(value) if math.isfinite(value) else 0.0, *[0.0] * len(leaves)]
    order = topological_order(root) if isinstance(root, Value) else []
    coin = random.Random(0)
    for _ in range(6 if order else 0):
        numbers = {v: v.data for v in order}
        try:
            for v in order:
                if v.primitive is not None:
                    out = float(v.primitive.forward(floats, *[numbers[u] for u in v.parents]))
                    numbers[v] = out + (coin.choice((-1.0, 1.0)) * math.ulp(out) if out else 0.0)
            found = gradients(order, 1.0, partial(_local_grads, numbers))
        except TypeError:  # an operation of one's own without a formula
            break
        tried = [numbers[root], *(found.get(leaf, 0.0) for leaf in leaves)]
        for i, (now, before) in enumerate(zip(tried, [value, *got], strict=True)):
            if math.isfinite(now - before):
                spread[i] = max(spread[i], abs(now - before))
    return value, spread[0], spread[1:]


def _local_grads(numbers: dict[Any, float], v: Any) -> Any:
    """Return the local derivatives of a node where the nodes have other numbers."""
    return v.primitive.derivatives(floats, numbers[v], *[numbers[u] for u in v.parents])


class _Slope(NamedTuple):
    """A derivative by differences, by how much it may be off, and the step; nan and infinite where there is none."""

    number: float
    error: float
    step: float


_NO_SLOPE = _Slope(math.nan, math.inf, math.nan)


def _slope(at: Callable[[float], float], x: float, noise: float, tolerance: float, near: float) -> _Slope:
    """Return the derivative of a function of one number by differences.

    The first step is the smallest at which the noise of the function doesn't hide the tolerance. If the difference
    isn't the expected one there, the steps go up from the last digits of x, as long as each difference is a better one
    of the same derivative.

    Parameters
    ----------
    at : callable
        The function.
    x : float
        Where.
    noise : float
        By how much its values may be off.
    tolerance, near : float
        How close to an expected derivative is close enough to look no further.
    """
    smallest, largest = 8.0 * math.ulp(x) if x else 2.0**-100, max(1.0, abs(x))
    first = min(max(16.0 * noise / max(tolerance, 2.0**-1000), smallest), largest)
    if not math.isfinite(first):
        return _NO_SLOPE
    first = 2.0 ** math.ceil(math.log2(first))
    best = _difference(at, x, first, noise)
    if best.error <= tolerance and abs(near - best.number) <= tolerance:
        return best
    best, step = _Slope(math.nan, math.inf, first), smallest
    while step <= largest:
        found = _difference(at, x, step, noise)
        if math.isinf(found.number):  # larger steps lead over a pole
            return found
        is_same = not math.isfinite(best.error) or abs(found.number - best.number) <= best.error
        if is_same and found.error < best.error / 4.0:  # as where rounding makes the error; beside a pole it isn't
            best = found
        elif math.isfinite(best.error):
            break
        step *= 8.0
    return best


def _difference(at: Callable[[float], float], x: float, h: float, noise: float) -> _Slope:
    """Return the slope by differences over h and over h/2, combined so that the error of the lowest order cancels."""
    start, end = at(x - h), at(x + h)
    is_inside = math.isfinite(start) and math.isfinite(end)
    if is_inside:
        wide = (end - start) / ((x + h) - (x - h))
        narrow = (at(x + h / 2.0) - at(x - h / 2.0)) / ((x + h / 2.0) - (x - h / 2.0))
    else:  # at the edge of where the function is defined, to the other side
        h, here = h if math.isfinite(end) else -h, at(x)
        wide = ((end if h > 0.0 else start) - here) / ((x + h) - x)
        narrow = (at(x + h / 2.0) - here) / ((x + h / 2.0) - x)
    error = (1.0 if is_inside else 4.0) * abs(narrow - wide) + 3.0 * noise / abs(h)
    if not math.isfinite(error):
        return _Slope(wide if wide == narrow else math.nan, math.inf, abs(h))
    return _Slope((4.0 * narrow - wide) / 3.0 if is_inside else 2.0 * narrow - wide, error, abs(h))


def _culprit(f: Function, points: tuple[Any, ...]) -> str:
    """Return which operation's recorded local derivative disagrees with its own finite difference."""
    root = f(*_rebuilt(points, iter([Value(number) for number in _leaves(points)])))
    order = topological_order(root) if isinstance(root, Value) else []
    wanted = wanted_gradients(order)
    for node in order:
        primitive, operands = node.primitive, [u.data for u in node.parents]
        if primitive is not None and not primitive.has_derivatives:
            return f"look at the _backward of the operation {primitive.name}, which can't be checked by itself"
        for slot, local in enumerate(node.local_grads):
            if node.parents[slot] not in wanted:
                continue
            at: Callable[[float], float] = partial(_with_operand, primitive, operands, slot)
            x, tolerance = operands[slot], 1e-5 * abs(local) if math.isfinite(local) else 1e-5
            try:
                expected = _slope(at, x, 2.0 * _EPS * abs(node.data), tolerance, local)
            except TypeError:  # an operation of one's own without a formula
                break
            allowed = 1e-5 * abs(expected.number) + expected.error
            if not math.isfinite(expected.error) or abs(local - expected.number) <= allowed:
                continue
            is_bent = _has_kink(at, x, expected.step)
            kink = ": it has a kink there, where no derivative is right" if is_bent else ""
            return (
                f"the operation {primitive.name} of {_listed(tuple(operands))} has the local derivative "  # type: ignore[union-attr]
                f"{local} for operand {slot}, expected {expected.number}{kink}"
            )
    return "each operation agrees with its own finite difference: is there a kink at this point, or does f use .data?"


def _has_kink(at: Callable[[float], float], x: float, step: float) -> bool:
    """Return whether the slopes on both sides differ at every step: at a smaller one those of a smooth function don't.

    Where the function isn't finite on a side, there is none.
    """
    small = max(step / 64.0, 2.0 * math.ulp(x))
    slopes = [[(at(x + h) - at(x)) / h for h in (-step, step)] for step in (small, 64.0 * small)]
    near, far = (abs(left - right) for left, right in slopes)
    are_apart = all(abs(left - right) > 0.1 * max(abs(left), abs(right)) for left, right in slopes)
    return are_apart and near > 0.5 * far


def _with_operand(primitive: Any, operands: list[float], slot: int, x: float) -> float:
    """Return an operation's value with another number as one of its operands."""
    return float(primitive.forward(floats, *operands[:slot], x, *operands[slot + 1 :]))
