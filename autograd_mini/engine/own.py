"""Operations that a program makes at one node, as programs for micrograd do: by children and a ``_backward``.

    out = Value(x.data**3, (x,), "cube")
    out._backward = lambda: setattr(x, "grad", x.grad + 3 * x.data**2 * out.grad)

The backward pass calls the function in its place in the order. What it does is all that is known of the node: the local
derivatives are found by calling it, and whatever needs a formula refuses it. `defining` makes operations with formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn

from autograd_mini.engine import floats, modes
from autograd_mini.engine.node import Node
from autograd_mini.engine.primitives import Primitive, Rule

# Linear functions hand on this many times as much of this gradient as of 1, to the bit; one that clips it doesn't.
_PROBE = -1024.0


def nothing() -> None:
    """Hand nothing on: what a node does that has no ``_backward`` yet, and a leaf."""


class Handing:
    """The function that hands a node's gradient on, in the place of its local derivatives."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function

    def local_grads(self, node: Node) -> tuple[float, ...]:
        """Return what the function hands on of a gradient of 1; nan where that isn't a derivative, but depends on it.

        Of a parent in several slots all is in the first.
        """
        if self.function is nothing:
            return (0.0,) * len(node.parents)
        with modes.backward_pass:
            one, other = self._handed_on(node, 1.0), self._handed_on(node, _PROBE)
        found = {u: x if y == _PROBE * x else math.nan for (u, x), y in zip(one.items(), other.values(), strict=True)}
        return tuple([found.pop(parent, 0.0) for parent in node.parents])

    def _handed_on(self, node: Node, gradient: float) -> dict[Node, float]:
        """Return what each parent gets of a gradient; all gradients are as they were then."""
        parents = dict.fromkeys(node.parents)
        before = [(one, one.grad) for one in (node, *parents)]
        try:
            for parent in parents:
                parent.grad = 0.0
            node.grad = gradient
            self.function()
            return {parent: float(getattr(parent.grad, "_data", parent.grad)) for parent in parents}
        finally:
            for one, grad in before:
                one.grad = grad


class OwnOperation(Primitive):
    """An operation whose derivatives, and perhaps also whose value, aren't written down as a rule."""

    __slots__ = ("has_forward",)
    has_derivatives = False

    def __init__(self, name: str, symbol: str = "", forward: Rule | None = None) -> None:
        super().__init__(name, symbol or name, forward or self._refuse, self._refuse, arity=None, smooth=False)
        self.has_forward = forward is not None

    def __reduce__(self) -> tuple[Any, ...]:
        return OwnOperation, (self.name, self.symbol)

    def _refuse(self, xp: Any, *arguments: Any) -> NoReturn:
        raise TypeError(self.refusal())

    def refusal(self) -> str:
        """Return why the operation isn't taken where a formula is needed."""
        return (
            f"the operation {self.name!r} is known by the _backward of its node alone, and this needs its formula: "
            f"write its rules once, by autograd_mini.operation({self.name!r}, forward, derivatives), or compute it "
            f"from operations of autograd_mini"
        )


def why_unknown(node: Node) -> str:
    """Return why the local derivatives of a node aren't known; "" where they are."""
    if not isinstance(node._local, Handing):
        return ""
    name = node.primitive.name  # type: ignore[union-attr]
    if node._local.function is nothing:
        return f"{name} has no _backward and hands nothing on"
    if any(map(math.isnan, node._local_grads())):
        return f"what the _backward of {name} hands on isn't in proportion to its gradient"
    return ""


def read_arguments(node: Node, children: Any, name: str, label: Any) -> None:
    """Read the arguments of a Value as they are written: its label in the second place, or micrograd's children.

    With children it is the result of an operation of one's own, which hands nothing on until it has a ``_backward``.

    Raises
    ------
    TypeError
        If a child is no Value, or the label no string.
    """
    if isinstance(children, str) and not name and not label:
        node.label = children
        return
    if not isinstance(label, str):
        raise TypeError(f"label: expected a string, got {label!r:.60}")
    node.label = label
    parents = _parents("label: expected a string, or micrograd's _children", children)
    if parents:
        _connect(node, parents, name, nothing)


def _parents(what: str, children: Any) -> tuple[Any, ...]:
    is_several = isinstance(children, Iterable) and not isinstance(children, str)
    parents = tuple(children) if is_several else () if children is None else (children,)
    for child in parents:
        if not isinstance(child, Node):
            raise TypeError(f"{what}, which are Values, got {child!r:.40}")
    return parents


def _connect(node: Node, parents: tuple[Any, ...], name: str, function: Callable[[], Any]) -> None:
    node.primitive = OwnOperation(name or "own")
    node._parent, node._parent2, node._local, node._local2 = parents, None, Handing(function), None
    if modes.open_contexts:
        modes.follow(node)


def _fill(node: Any) -> None:
    """Give a node what the constructor of `Value` gives it: micrograd's attributes may be set without calling that."""
    if not hasattr(node, "primitive"):
        for name in ("label", "scope", "grad"):
            if not hasattr(node, name):
                setattr(node, name, 0.0 if name == "grad" else "")
        node.primitive = node._parent = node._parent2 = node._local2 = None
        node._local = node._leaf


def set_children(node: Node, children: Any) -> None:
    """Set what a node was computed from, as by ``_prev``: a leaf becomes an operation of one's own.

    Raises
    ------
    TypeError
        If the node is the result of an operation that knows its operands.
    """
    _fill(node)
    parents = _parents("_prev: expected micrograd's _children", children)
    given: dict[str, Any] = vars(node)
    if node.primitive is None and parents:
        _connect(node, parents, given.pop("_op", ""), nothing)
    elif isinstance(node.primitive, OwnOperation) and parents:
        node._parent = parents
    elif set(parents) != set(node.parents):
        raise TypeError(
            f"{node!r:.60} is the result of {node.primitive.name!r}, and stays so: write "  # type: ignore[union-attr]
            f"v.detach() for a Value of its number alone, Value(v.data, children, 'name') for one with other children"
        )


def set_name(node: Node, name: Any) -> None:
    """Set what an operation of one's own is called, as by ``_op``; of other nodes, what ``_op`` gives."""
    if not isinstance(name, str):
        raise TypeError(f"_op: expected the name of an operation, got {name!r:.40}")
    _fill(node)
    if isinstance(node.primitive, OwnOperation):
        node.primitive = OwnOperation(
            name or "own", forward=node.primitive.forward if node.primitive.has_forward else None
        )
    else:
        vars(node)["_op"] = name


def get_backward(node: Node) -> Callable[[], Any]:
    """Return the function that adds to the parents' gradients what a node hands on."""
    if isinstance(node._local, Handing):
        return node._local.function
    return nothing if node.primitive is None else partial(_by_the_rule, node, node.primitive)


def _by_the_rule(node: Node, primitive: Primitive) -> None:
    parents = node.parents
    local_grads = primitive.derivatives(floats, node._data, *[parent._data for parent in parents])
    for parent, local_grad in zip(parents, local_grads, strict=True):
        parent.grad += node.grad * local_grad


def set_backward(node: Node, function: Callable[[], Any]) -> None:
    """Let a function hand on the gradient of a node, in the place of the chain rule.

    Raises
    ------
    TypeError
        If it isn't a function, or the node is a leaf, which has nothing to hand on.
    """
    if not callable(function):
        raise TypeError(f"_backward: expected a function without arguments, got {function!r:.40}")
    _fill(node)
    old = node.primitive
    if old is not None:
        parents = node.parents
        if not isinstance(old, OwnOperation):
            node.primitive = OwnOperation(old.name, old.symbol, old.forward)
        node._parent, node._parent2, node._local, node._local2 = parents, None, Handing(function), None
    elif not _is_idle(function) and modes.current().recording:
        raise TypeError(
            f"{node!r:.60} is a leaf, and a backward pass hands nothing on there: say what it was computed from, as "
            f"in out = Value(data, (a, b), 'name'), before out._backward = f"
        )


def _is_idle(function: Any) -> bool:
    """Return whether a function can do nothing, as ``lambda: None``, which micrograd gives every leaf."""
    code = getattr(function, "__code__", None)
    return function is nothing or (code is not None and not (code.co_names or code.co_freevars))
