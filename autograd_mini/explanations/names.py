"""The names by which explanations and views call the nodes of a graph; and `NamedGraph`, what they need of a graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from autograd_mini.checks import checked_whole
from autograd_mini.engine.graph import Edge, outgoing_edges, topological_order
from autograd_mini.engine.node import CONSTANT, Node
from autograd_mini.engine.value import Value
from autograd_mini.formulas.expression import format_number

Names = Mapping[str, Any]

_COUNTED = 300_000  # nodes: how many more a graph has that is too large makes no difference any more
_SMALLER = "take the graph of fewer examples, or a node nearer to the leaves as its root"


def node_names(root: Value, names: Names | None = None) -> dict[Value, str]:
    """Return a name for every node of the graph, in topological order.

    A node is called by its label (with its scope before it where several nodes share the label, as the z of every
    neuron do); else by the variable in `names` that holds it; a constant by its number; the root by "L"; every other
    node by "v" and its place among these, from 1 on.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping, optional
        Variables and what they hold, as in ``names=locals()``; lists and tuples of nodes give ``w[0]``, ``w[1]``, ….

    Examples
    --------
    >>> from autograd_mini import Value
    >>> a, b = Value(2.0, label="a"), Value(3.0)
    >>> list(node_names(2 * a + b * b, names={"b": b}).values())
    ['2', 'a', 'v1', 'b', 'v2', 'L']
    """
    return NamedGraph(root, names).called


class NamedGraph:
    """What a view needs of a graph, gathered once: its nodes in order, what they are called, the edges that leave them.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping, optional
        Variables, as for `node_names`.

    Attributes
    ----------
    order : list of Value
        Parents first; the root is the last.
    called : dict of Value to str
        Their names, in the same order.
    outgoing : dict of Value to list of Edge
        The edges that leave each node, as `outgoing_edges` returns them.

    Raises
    ------
    TypeError
        If the root is no Value, or the names are no mapping.

    Examples
    --------
    >>> x = Value(3.0, label="x")
    >>> graph = NamedGraph(x * x)
    >>> list(graph.called.values()), [edge.slot for edge in graph.outgoing[x]]
    (['x', 'L'], [0, 1])
    """

    def __init__(self, root: Value, names: Names | None = None) -> None:
        if not isinstance(root, Node):
            raise TypeError(f"expected the Value at the root of a graph, got {root!r:.60}")
        if names is not None and not isinstance(names, Mapping):
            raise TypeError(f"names: expected a mapping of variables, as in names=locals(), got {type(names).__name__}")
        self.root = root
        self.order = topological_order(root)
        self._names = names

    @cached_property
    def called(self) -> dict[Value, str]:
        """What the nodes are called."""
        return _called(self.order, self._names)

    @cached_property
    def outgoing(self) -> dict[Value, list[Edge]]:
        """The edges that leave each node, last successor first."""
        return outgoing_edges(self.order)


def named(
    root: Value | NamedGraph, names: Names | None = None, max_nodes: int | None = None, what: str = ""
) -> NamedGraph:
    """Return the named graph of a root; a named graph is returned as it is.

    Parameters
    ----------
    root, names
        As for `NamedGraph`.
    max_nodes : int, optional
        The most nodes that `what` can do with in a reasonable time; of edges it may be twice as many.
    what : str
        The function that was called.

    Raises
    ------
    ValueError
        If the graph is larger than that.

    Examples
    --------
    >>> x = Value(3.0)
    >>> named(x * x + x, max_nodes=2, what="to_latex")
    Traceback (most recent call last):
    ValueError: to_latex: expected a graph of at most 2 nodes and 4 edges, as a larger one takes long, got 3 nodes ...
    """
    if isinstance(root, NamedGraph):
        return root
    if max_nodes is not None and isinstance(root, Node):
        check_size(root, checked_whole("max_nodes", max_nodes, least=1), what)
    return NamedGraph(root, names)


def check_size(root: Node, most: int, what: str, advice: str = "") -> None:
    """Raise if a graph has more nodes than `most`, or more than twice as many edges; quickly, and before any work.

    Raises
    ------
    ValueError
        If it has, with both numbers, if they aren't far too many to be counted.
    """
    seen, stack, edges = {root}, [root], 0
    while stack and len(seen) <= max(_COUNTED, most):
        parents = stack.pop().parents
        edges += len(parents)
        for u in parents:
            if u not in seen:
                seen.add(u)
                stack.append(u)
    if len(seen) > most or edges > 2 * most:
        more = "over " if stack else ""
        raise ValueError(
            f"{what}: expected a graph of at most {most} nodes and {2 * most} edges, as a larger one takes long, got "
            f"{more}{len(seen)} nodes and {more}{edges} edges; {advice or _SMALLER}, or pass a larger max_nodes"
        )


def _called(order: list[Value], names: Names | None) -> dict[Value, str]:
    """Return a name for every node."""
    root = order[-1]
    labels = {node.label for node in order}
    held = {key: name for key, name in _variables(names or {}).items() if name not in labels}
    shared = _repeated([node.label for node in order])
    called = {node: _label(node, shared) or held.get(id(node), "") for node in order}
    taken = set(called.values())
    if not called[root]:
        called[root] = _unused("L", taken)
    count = 0
    for node in order:
        if called[node]:
            continue
        if node.kind == CONSTANT:
            called[node] = format_number(node.data, 6)
            continue
        count += 1
        while f"v{count}" in taken:
            count += 1
        called[node] = f"v{count}"
    return called


def _repeated(labels: list[str]) -> set[str]:
    """Return the labels that stand more than once in a list."""
    return {label for label, count in Counter(labels).items() if count > 1}


def _label(node: Value, shared: set[str]) -> str:
    return f"{node.scope}.{node.label}" if node.label and node.scope and node.label in shared else node.label


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    return name


def _variables(names: Names) -> dict[int, str]:
    """Return the first name for each object that a variable, or a list or tuple in a variable, holds."""
    held: dict[int, str] = {}
    for name, thing in _held(names):
        held.setdefault(id(thing), name)
    return held


def _held(names: Names) -> Iterator[tuple[str, Any]]:
    public = [
        (name, thing)
        for name, thing in names.items()
        if isinstance(name, str) and name.isidentifier() and not name.startswith("_")
    ]
    yield from public
    for name, thing in public:
        if isinstance(thing, (list, tuple)):
            yield from ((f"{name}[{i}]", part) for i, part in enumerate(thing))


def gradient(node: Value) -> float:
    """Return a node's gradient as a float: it may be a Value, after ``create_graph=True``, or None, where it was reset.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> (x * x).backward(create_graph=True)
    >>> gradient(x)
    6.0
    """
    grad = node.grad
    return 0.0 if grad is None else float(getattr(grad, "data", grad))
