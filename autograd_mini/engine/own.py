"""Operations of a user's own, as programs for micrograd make them: a node whose ``_backward`` is a function.

The backward pass calls the function in its place in the order. What the function does is all that is known of the node:
its local derivatives are found by calling it, and whatever needs a formula refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from autograd_mini.engine import node as node_marks
from autograd_mini.engine.node import Node
from autograd_mini.engine.primitives import Primitive, Rule


class HandingOn(tuple[Node, ...]):
    """The parents of a node whose gradient a function of the user's hands on; the function is in ``_local``."""

    __slots__ = ()

    def local_grads_of(self, node: Node) -> tuple[float, ...]:
        """Return what the function hands on of a gradient of 1; to a parent in several slots, all in the first."""
        parents = list(dict.fromkeys(self))
        before = [one.grad for one in (node, *parents)]
        try:
            for parent in parents:
                parent.grad = 0.0
            node.grad = 1.0
            hand_on(node)
            found = {parent: float(parent.grad) for parent in parents}
            return tuple([found.pop(parent, 0.0) for parent in self])
        finally:
            for one, grad in zip((node, *parents), before, strict=True):
                one.grad = grad


def hand_on(node: Node) -> None:
    """Add to the parents' gradients what a node has for them: one step of the backward pass."""
    if type(node._parent) is not HandingOn:
        for parent, local_grad in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local_grad
    elif node._local is not None:
        node._local()


class OwnOperation(Primitive):
    """An operation whose derivatives, and perhaps also whose value, aren't written down as a rule."""

    __slots__ = ()

    def __init__(self, name: str, symbol: str, forward: Rule | None = None) -> None:
        super().__init__(name, symbol, forward or self._refuse, self._refuse, arity=None, smooth=False)

    @property
    def has_forward(self) -> bool:
        """Whether the operation can be computed for other numbers than those of its node."""
        return self.forward != self._refuse

    def _refuse(self, xp: Any, *arguments: Any) -> NoReturn:
        raise TypeError(
            f"the operation {self.name!r} is known by the _backward of its node alone, and this needs its formula; "
            f"compute it from operations of autograd_mini"
        )


def as_in_micrograd(node: Node, label: Any, name: str, last: str, children: Any) -> None:
    """Read the arguments of a leaf as micrograd's ``Value(data, _children, _op, label)``.

    With children it is the result of an operation of one's own, which hands nothing on until it has a ``_backward``.

    Raises
    ------
    TypeError
        If a child isn't a node, or the label no text.
    """
    if isinstance(label, (tuple, set)):
        label, children = last, label
    if not isinstance(label, str):
        raise TypeError(f"label: expected a string, got {label!r:.60}")
    node.label, parents = label, HandingOn(children)
    for child in parents:
        if not isinstance(child, Node):
            raise TypeError(f"expected Values to be computed from, got {child!r:.40}")
    if parents:
        node.primitive = OwnOperation(name or "own", name or "own")
        _hand_on_by(node, parents, None)


def set_backward(node: Node, function: Callable[[], Any]) -> None:
    """Let a function hand on the gradient of a node, in the place of the chain rule.

    Raises
    ------
    TypeError
        If it isn't a function.
    """
    if not callable(function):
        raise TypeError(f"_backward: expected a function without arguments, got {function!r:.40}")
    old = node.primitive
    if old is not None:  # a leaf has nothing to hand on to; micrograd gives it a function that does nothing
        known = not isinstance(old, OwnOperation) or old.has_forward
        node.primitive = OwnOperation(old.name, old.symbol, old.forward if known else None)
        _hand_on_by(node, HandingOn(node.parents), function)


def _hand_on_by(node: Node, parents: HandingOn, function: Callable[[], Any] | None) -> None:
    node._parent, node._parent2, node._local, node._local2 = parents, None, function, None
    node_marks.any_own = True


def has_forward(node: Node) -> bool:
    """Return whether a node's number can be computed anew from its parents'."""
    return not isinstance(node.primitive, OwnOperation) or node.primitive.has_forward
