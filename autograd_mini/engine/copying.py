"""Deep copies and pickles of graphs, without recursion.

Both go through the nodes in topological order, so that a node's parents exist before it does. Nodes that are copied or
pickled together stay connected: after ``x, y = pickle.loads(pickle.dumps((x, y)))``, ``y.parents[0]`` is still ``x``.
"""

from __future__ import annotations

import copy
import threading
from typing import Any

from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.node import Node
from autograd_mini.engine.own import Handing, nothing


def _own(node: Node) -> tuple[Any, ...]:
    """Return what a node holds apart from its parents and its gradient."""
    if isinstance(node._local, Handing) and node._local.function is not nothing:
        raise TypeError(
            f"{node!r:.60} can't be copied or pickled: it has a _backward of its own, a function that would add to the "
            f"gradients of the nodes that it was written for; autograd_mini.operation makes operations that can"
        )
    return node._data, node.label, node.scope, node.primitive, node._local, node._local2


def attributes(node: Node) -> dict[str, Any]:
    """Return the attributes that a node was given."""
    given = vars(node)
    if not given:
        del node.__dict__  # which `vars` made, and which is as large as half a node
    return given


def _later(node: Node) -> tuple[Any, ...]:
    """Return the gradient, and the attributes if the node was given any: these may lead back to the node itself."""
    given = attributes(node)
    return (node.grad, given) if given else (node.grad,)


def add_later(node: Node, later: tuple[Any, ...]) -> None:
    """Give a copy its gradient and its attributes."""
    node.grad, *more = later
    for given in more:
        vars(node).update(given)


def _build(kind: type[Node], own: tuple[Any, ...], parents: tuple[Node, ...]) -> Node:
    node = kind.__new__(kind)
    node._data, node.label, node.scope, node.primitive, node._local, node._local2 = own
    node._connect(parents)
    if node.is_frozen:  # in another process perhaps the first one
        node._freeze()
    node.grad = 0.0
    return node


def copy_node(node: Node) -> Node:
    """Return a node of the same content on the same parents, as ``copy.copy`` does."""
    twin = _build(type(node), _own(node), node.parents)
    add_later(twin, _later(node))
    return twin


def copy_graph(root: Node, memo: dict[int, Any]) -> Node:
    """Return a copy of the root and of all it was computed from, as ``copy.deepcopy`` does."""
    new = [node for node in topological_order(root) if id(node) not in memo]
    for node in new:
        memo[id(node)] = _build(type(node), _own(node), tuple([memo[id(parent)] for parent in node.parents]))
    for node in new:
        later = _later(node)
        is_number = len(later) == 1 and type(node.grad) is float
        add_later(memo[id(node)], later if is_number else copy.deepcopy(later, memo))
    return memo[id(root)]  # type: ignore[no-any-return]


class _Announced(threading.local):
    """The ids of the nodes in the list that is being pickled in this thread, which is in topological order."""

    def __init__(self) -> None:
        self.ids: set[int] = set()


_announced = _Announced()


class _Announcement:
    """The end of a list of ancestors: when pickle has written it, or was interrupted, it announces them no longer."""

    def __init__(self, nodes: list[Node]) -> None:
        self.ids = [id(node) for node in nodes]
        _announced.ids.update(self.ids)

    def withdraw(self) -> None:
        _announced.ids.difference_update(self.ids)

    __del__ = withdraw

    def __reduce__(self) -> tuple[Any, ...]:
        self.withdraw()
        return tuple, ()


def reduce_node(node: Node) -> tuple[Any, ...]:
    """Return what pickle is to write for a node, as ``__reduce__`` does.

    For the first node, pickle gets a list of all its ancestors, oldest first, and writes this list first. So whenever
    it comes to a node, that node's parents are written already, and pickle never goes deeper than one node.
    """
    what = type(node), _own(node), node.parents
    if id(node) in _announced.ids:
        return _build, what, _later(node)
    ancestors = topological_order(node)[:-1]
    return _rebuild, (ancestors, _Announcement(ancestors), *what), _later(node)


def _rebuild(
    ancestors: list[Node], end: tuple[()], kind: type[Node], own: tuple[Any, ...], parents: tuple[Node, ...]
) -> Node:
    return _build(kind, own, parents)
