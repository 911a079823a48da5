"""The reading on Values: a rule of the table, applied to Values, gives Values, so that derivatives have derivatives.

`value` uses this file, not the other way round: the function that makes a node is passed in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from autograd_mini.engine import floats, graph, modes
from autograd_mini.engine.freshness import age
from autograd_mini.engine.node import CONSTANT, FROZEN, Node
from autograd_mini.engine.primitives import SOFTMAX, Primitive, find

_NAMES = {"divide": "div", "power": "pow"}
MOST_SHARES = 64  # of more numbers, the shares of softmax aren't a node each


def shares_of_many(xp: Any, numbers: Any) -> tuple[Any, ...]:
    """Return exp(xᵢ - max) / Σ exp(xⱼ - max) for every i, one operation at a time.

    n nodes of `SOFTMAX` have n² edges; these 3n + 2 nodes have about 6n. The digits that ∂p/∂x loses on its way through
    xᵢ, where p is nearly 1, it gets back by way of the maximum.
    """
    peak = xp.maximum(*numbers)
    exponentials = [xp.exp(x - peak) for x in numbers]
    total = xp.sum(exponentials)
    return tuple([e / total for e in exponentials])


class Differentiable:
    """The namespace ``xp`` whose functions make nodes where one of their arguments is a node.

    Parameters
    ----------
    apply : callable
        ``apply(primitive, *operands)`` makes a node.
    """

    def __init__(self, apply: Callable[..., Any]) -> None:
        self._apply = apply

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the function of that name: the operation of the table, on nodes and on plain numbers."""
        try:
            primitive = find(_NAMES.get(name, name))
        except ValueError as error:
            raise AttributeError(str(error)) from None
        function = partial(self._call, primitive)
        setattr(self, name, function)
        return function

    def _call(self, primitive: Primitive, *operands: Any) -> Any:
        if any(isinstance(x, Node) for x in operands):
            return self._apply(primitive, *operands)
        return primitive.forward(floats, *operands)

    def local_grads(self, v: Any) -> tuple[Any, ...]:
        """Return the local derivative of a node by each of its parents."""
        return v.primitive.derivatives(self, v, *v.parents)  # type: ignore[no-any-return]

    def number(self, x: Any) -> float:
        """Return the bare number of a node, or the number itself."""
        return float(x.data if isinstance(x, Node) else x)

    def sum(self, terms: Iterable[Any]) -> Any:
        """Return x₁ + x₂ + …."""
        return self._call(find("sum"), *terms)

    def equal(self, a: Any, b: Any) -> bool:
        """Return whether two numbers are the same; `==` of nodes would ask whether they are the same node."""
        return bool(self.number(a) == self.number(b))

    def where(self, condition: bool, a: Any, b: Any) -> Any:
        """Return the branch that was chosen; the other one doesn't become part of the graph."""
        return a if condition else b

    def unless(self, condition: bool, rescue: Callable[[], Any], plain: Any) -> Any:
        """Return the plain formula, but rescue() where the condition holds."""
        return rescue() if condition else plain

    def sign(self, a: Any) -> float:
        """Return the sign as a plain number: its derivative is 0."""
        return floats.sign(self.number(a))

    def softmax(self, *arguments: Any) -> tuple[Any, ...]:
        """Return the components of softmax, each a node of its own; see `functions.softmax`."""
        if len(arguments) > MOST_SHARES:
            return shares_of_many(self, arguments)
        return tuple(self._call(SOFTMAX, x, *arguments[:i], *arguments[i + 1 :]) for i, x in enumerate(arguments))

    def magnitude(self, a: Any) -> Any:
        """Return |a| with the derivative 1 at 0, so that an even function of it keeps all its derivatives there."""
        return a if self.number(a) >= 0.0 else -a

    def exp_minus_square(self, a: Any) -> Any:
        """Return exp(-a²)."""
        return self.exp(-(a * a))


def gradients(order: list[Any], seed: Any, xp: Differentiable) -> dict[Any, Any]:
    """Return ∂root/∂u for every node u that the root is computed from, as nodes that can be differentiated again.

    Parameters
    ----------
    order : list of Value
        The topological order; the root is last.
    seed : Value
        The gradient of the root.
    xp : Differentiable
        The namespace to read the rules over.
    """
    if modes.current().detecting:
        modes.check_gradients(order, seed.data)
    # A rule computes more than is used: for (-2)**3 also log(-2), for the derivative by the exponent. That is no error.
    with modes.ignoring_anomalies():
        return graph.gradients(order, seed, xp.local_grads)


def backward(order: list[Any], seed: Any, xp: Differentiable) -> None:
    """Add to the gradients of leaves, as nodes; set those of inner nodes and of constants, as bare numbers.

    What a function gets of which a derivative is being taken is a leaf to it, whatever it was computed from.

    The graph of a gradient leads back to the nodes that it was computed from. A leaf that holds it is part of a circle
    of references until its gradient is set to 0, as is done before the next step. In inner nodes and constants nobody
    would do that, and the circle would keep the graph in memory.
    """
    found = age(order)
    if found.results:  # the rules would mix new numbers with old results, and be right at no point
        raise RuntimeError(modes.older_than_leaves(order, found))
    for node, gradient in gradients(order, seed, xp).items():
        if not is_leaf(node):
            node.grad = gradient.data
        elif node.kind == CONSTANT:
            node.grad += gradient.data
        else:
            add_to_leaf(node, gradient)


def is_leaf(node: Any) -> bool:
    """Return whether a node is a leaf, or is one to the function of which a derivative is being taken."""
    return node.primitive is None or node in _own.arguments


def add_to_leaf(leaf: Any, gradient: Any) -> None:
    """Add a node to the gradient of a leaf; a frozen parameter's stays 0."""
    if leaf._local == FROZEN:
        return
    if _own.before is not None and leaf not in _own.before:
        _own.before[leaf], leaf.grad = leaf.grad, 0.0
    is_first = leaf.grad is None or (not isinstance(leaf.grad, Node) and leaf.grad == 0.0)
    leaf.grad = gradient if is_first else leaf.grad + gradient


class _Own(threading.local):
    """In this thread: the gradients that leaves had before `own_gradients`, and what is a leaf inside of it."""

    before: dict[Any, Any] | None = None  # outside of it there are none
    arguments: frozenset[Any] = frozenset()


_own = _Own()


@contextmanager
def own_gradients(arguments: Iterable[Any] = ()) -> Iterator[None]:
    """Let the gradients to which ``backward(create_graph=True)`` adds begin at 0, and afterwards be what they were.

    Computed nodes among the arguments are leaves meanwhile.
    """
    outer = _own.before, _own.arguments
    before: dict[Any, Any] = {}
    _own.before, _own.arguments = before, _own.arguments.union(arguments)
    try:
        yield
    finally:
        for leaf, gradient in before.items():
            leaf.grad = gradient
        _own.before, _own.arguments = outer
