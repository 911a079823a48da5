"""Derivatives of plain Python functions of numbers and of lists: `grad`, `jacobian`, `hessian` and their check.

They nest: ``grad(grad(f))`` is the second derivative. No ``.grad`` of any node is touched, not even of nodes that the
function finds in its closure.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd_mini.engine import floats, nodes
from autograd_mini.engine.functions import identity
from autograd_mini.engine.graph import recorded_gradients, topological_order
from autograd_mini.engine.modes import enable_grad, no_grad
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.reals import as_float, is_array
from autograd_mini.engine.tracing import current_trace, gradients
from autograd_mini.engine.value import Constant, Value
from autograd_mini.errors import GradientCheckError

__all__ = ["check_gradients", "grad", "hessian", "jacobian", "value_and_grad"]

Function = Callable[..., Any]


class _Nesting(threading.local):
    """How many derivatives are being taken around this point of the program, in this thread."""

    depth = 0


_nesting = _Nesting()


@contextmanager
def differentiated() -> Iterator[None]:
    """Compute inside what will be differentiated as a whole, such as the loss of an example.

    `grad` and the like return nodes, also for bare numbers. What ``backward(create_graph=True)`` adds to the gradients
    of leaves is seen inside alone: they begin at 0, and afterwards are what they were.
    """
    _nesting.depth += 1
    try:
        with nodes.own_gradients():
            yield
    finally:
        _nesting.depth -= 1


# ------------------------------------------------------------------------------------- structures of numbers


def _leaves(structure: Any) -> Iterator[Any]:
    """Iterate over the numbers and nodes in nested lists, tuples and arrays."""
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
        _nesting.depth += 1
        try:
            with enable_grad():
                self.result = f(*lifted, **keywords)
        finally:
            _nesting.depth -= 1

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
                found = gradients(output, Constant(1.0))
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


def _scalar(f: Function, result: Any) -> Any:
    if isinstance(result, (list, tuple)) or is_array(result) or result is None:
        name = getattr(f, "__name__", "the function")
        raise TypeError(
            f"grad needs a function that returns one number, but {name} returned {type(result).__name__}; "
            f"use jacobian for several outputs"
        )
    return result


def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return a function that gives f's value and its gradient.

    Parameters
    ----------
    f : callable
        A function of numbers, or of lists, tuples or arrays of numbers, that returns one number.
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

    def function(*arguments: Any, **keywords: Any) -> tuple[Any, Any]:
        evaluation = _Evaluation(f, arguments, keywords, argnums)
        output = _scalar(f, evaluation.result)
        return Results((evaluation.plain(output), evaluation.derivatives_of(output)))

    return function


def grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the gradient of f as a function.

    Parameters
    ----------
    f : callable
        A function of numbers, or of lists, tuples or arrays of numbers, that returns one number.
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
    both = value_and_grad(f, argnums)

    def gradient(*arguments: Any, **keywords: Any) -> Any:
        return both(*arguments, **keywords)[1]

    return gradient


def jacobian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return the Jacobian of f, ∂fᵢ/∂xⱼ, as a function.

    Parameters
    ----------
    f : callable
        A function that returns a list, a tuple, an array or one number.
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

    def function(*arguments: Any, **keywords: Any) -> Any:
        evaluation = _Evaluation(f, arguments, keywords, argnums)
        rows = [evaluation.derivatives_of(output) for output in _leaves(evaluation.result)]
        if is_array(evaluation.result) and not isinstance(argnums, int):
            return Results(_rebuilt(evaluation.result, iter(column)) for column in zip(*rows, strict=True))
        return _rebuilt(evaluation.result, iter(rows))

    return function


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
    return jacobian(grad(f, argnums), argnums)


# ------------------------------------------------------------------------------------------------- the check


def check_gradients(f: Function, *points: Any, rtol: float = 1e-5, atol: float = 1e-7) -> None:
    """Compare the gradient of f by each of its arguments with central differences.

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
    flat = [point.data if isinstance(point, Value) else as_float(point) for point in _leaves(points)]
    if not flat:
        raise ValueError("there is nothing to check without a point; pass one for each argument of the function")
    points = _rebuilt(points, iter(flat))
    got = list(_leaves(grad(f, tuple(range(len(points))))(*points)))
    for i, gradient in enumerate(got):
        expected = _central_difference(f, points, flat, i, near=gradient)
        if not abs(gradient - expected) <= atol + rtol * abs(expected):
            name = getattr(f, "__name__", repr(f))
            raise GradientCheckError(
                f"the gradient of {name} at {_listed(points)} is wrong for argument {_place(points, i)}: "
                f"got {gradient}, expected {expected} by central differences; {_culprit(f, points)}"
            )


def _listed(points: tuple[Any, ...]) -> str:
    return "(" + ", ".join(repr(point) for point in points) + ")"


def _place(points: tuple[Any, ...], i: int) -> str:
    """Return which argument the i-th number is: ``1`` or ``1[0]``."""
    for position, point in enumerate(points):
        size = len(list(_leaves(point)))
        if i < size:
            return f"{position}" if size == 1 and not isinstance(point, (list, tuple)) else f"{position}[{i}]"
        i -= size
    raise IndexError(i)


def _central_difference(f: Function, points: tuple[Any, ...], flat: list[float], i: int, near: float) -> float:
    """Return ∂f/∂xᵢ by central differences at h and h/2, combined so that the error is of the fourth order.

    A step may cross a kink, or the edge of where f is defined. So several steps are tried, and the difference that is
    nearest to the gradient in question is returned.
    """

    def at(x: float) -> float:
        moved = iter([Value(x if j == i else number) for j, number in enumerate(flat)])
        with no_grad():
            result = f(*[_rebuilt(point, moved) for point in points])
        return float(result.data) if isinstance(result, Value) else as_float(result)

    def difference(h: float) -> float:
        wide = (at(flat[i] + h) - at(flat[i] - h)) / (2 * h)
        narrow = (at(flat[i] + h / 2) - at(flat[i] - h / 2)) / h
        return (4 * narrow - wide) / 3

    size = max(1.0, abs(flat[i]))
    steps = [1e-3 * size, 1e-5 * size, *([1e-3 * abs(flat[i])] if flat[i] else [])]
    differences = [difference(h) for h in steps]
    finite = [d for d in differences if math.isfinite(d)]
    return min(finite, key=lambda d: abs(near - d)) if finite else differences[0]


def _culprit(f: Function, points: tuple[Any, ...]) -> str:
    """Return which operation's recorded local derivative disagrees with its own finite difference."""
    root = f(*_rebuilt(points, iter([Value(number) for number in _leaves(points)])))
    for node in topological_order(root) if isinstance(root, Value) else []:
        primitive, operands = node.primitive, [u.data for u in node.parents]
        for slot, local in enumerate(node.local_grads):
            left, right = _one_sided_differences(primitive, operands, slot)  # type: ignore[arg-type]
            expected, tolerance = (left + right) / 2, 1e-4 * max(1.0, abs(left), abs(right))
            if math.isnan(expected) or abs(local - expected) <= tolerance:
                continue
            has_kink = abs(left - right) > 0.1 * max(1.0, abs(left), abs(right))
            kink = ": it has a kink there, where no derivative is right" if has_kink else ""
            return (
                f"the operation {primitive.name} of {_listed(tuple(operands))} has the local derivative "  # type: ignore[union-attr]
                f"{local} for operand {slot}, expected {expected}{kink}"
            )
    return "each operation agrees with its own finite difference: is there a kink at this point, or does f use .data?"


def _one_sided_differences(primitive: Primitive, operands: list[float], slot: int) -> tuple[float, float]:
    """Return the slopes of an operation to the left and to the right of its operand."""
    h = 6e-6 * max(1.0, abs(operands[slot]))
    below, here, above = (
        float(primitive.forward(floats, *operands[:slot], operands[slot] + shift, *operands[slot + 1 :]))
        for shift in (-h, 0.0, h)
    )
    return (here - below) / h, (above - here) / h
