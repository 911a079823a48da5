"""The differentiable reading: rules on nodes, whose results are nodes again, so that derivatives have derivatives.

It doesn't know the node class: `autograd_mini.value` hands in how a node is made and how one is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd_mini.engine import eager, modes
from autograd_mini.engine.anomaly import check_gradient, wanted_gradients
from autograd_mini.engine.primitives import SOFTMAX, Primitive, find

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value

_NAMES = {"divide": "div", "power": "pow"}


class Differentiable:
    """The namespace ``xp`` whose functions make nodes where one of their arguments is a node.

    Parameters
    ----------
    apply : callable
        ``apply(primitive, *operands)`` makes a node.
    node_type : type
        The class of nodes.
    """

    def __init__(self, apply: Callable[..., Any], node_type: Any) -> None:
        self._apply = apply
        self._node_type = node_type

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
        if any(isinstance(x, self._node_type) for x in operands):
            return self._apply(primitive, *operands)
        return primitive.forward(eager, *operands)

    def number(self, x: Any) -> float:
        """Return the bare number of a node, or the number itself."""
        return float(x.data if isinstance(x, self._node_type) else x)

    def sum(self, terms: Iterable[Any]) -> Any:
        """Return x₁ + x₂ + …."""
        return self._call(find("sum"), *terms)

    def equal(self, a: Any, b: Any) -> bool:
        """Return whether two numbers are the same; `==` of nodes would ask whether they are the same node."""
        return bool(self.number(a) == self.number(b))

    def where(self, condition: bool, a: Any, b: Any) -> Any:
        """Return the branch that was taken, and leave the other one out of the graph."""
        return a if condition else b

    def sign(self, a: Any) -> float:
        """Return the sign as a plain number: its derivative is 0."""
        return eager.sign(self.number(a))

    def softmax(self, *arguments: Any) -> tuple[Any, ...]:
        """Return the components of softmax, each a node of its own."""
        return tuple(self._call(SOFTMAX, x, *arguments[:i], *arguments[i + 1 :]) for i, x in enumerate(arguments))

    def magnitude(self, a: Any) -> Any:
        """Return |a| with the derivative 1 at 0, so that an even function of it keeps all its derivatives there."""
        return a if self.number(a) >= 0.0 else -a

    def exp_minus_square(self, a: Any) -> Any:
        """Return exp(-a²)."""
        return self.exp(-(a * a))


def gradients(order: list[Value], seed: Value, xp: Differentiable) -> dict[Value, Any]:
    """Return ∂root/∂u for every node u that reaches the root, as nodes that can be differentiated again.

    Parameters
    ----------
    order : list of Value
        The topological order; the root is last.
    seed : Value
        The gradient of the root.
    xp : Differentiable
        The namespace to read the rules over.
    """
    detecting, modes.current.detecting = modes.current.detecting, False
    try:  # a rule computes all its branches; log(-2), for the exponent of (-2)**3, is no anomaly if nobody asks for it
        return _gradients(order, seed, xp, wanted_gradients(order) if detecting else set())
    finally:
        modes.current.detecting = detecting


def _gradients(order: list[Value], seed: Value, xp: Differentiable, checked: set[Value]) -> dict[Value, Any]:
    result: dict[Value, Any] = {order[-1]: seed}
    for v in reversed(order):
        if v.primitive is None or v not in result:
            continue
        upstream = result[v]
        for u, local_grad in zip(v.parents, v.primitive.derivatives(xp, v, *v.parents), strict=True):
            contribution = upstream * local_grad
            result[u] = result[u] + contribution if u in result else contribution
            if u in checked:
                check_gradient(u, result[u].data, v, upstream.data, xp.number(local_grad))
    return result


def backward(order: list[Value], seed: Value, xp: Differentiable) -> None:
    """Add to the gradients of the leaves as nodes, and set those of inner nodes as bare numbers.

    An inner node that held a node of the gradient's graph, which leads back to it, would keep itself alive for ever; so
    would a constant, whose gradient nobody can set to 0.
    """
    for node, gradient in gradients(order, seed, xp).items():
        if node.primitive is not None:
            node.grad = gradient.data
        elif type(node).__name__ == "Constant":
            node.grad += gradient.data
        elif node.grad in (0.0, None):
            node.grad = gradient
        else:
            node.grad = node.grad + gradient
