"""Questions about a graph: its order, its edges, its paths.

A graph is known by its root: the root, its ``parents``, their ``parents`` and so on. Nothing here knows of numbers
beyond multiplying local derivatives along a path, and nothing recurses: a chain of a million nodes is no special case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value


class Edge(NamedTuple):
    """One use of a node by another: u → v.

    Attributes
    ----------
    parent : Value
        u, what was used.
    successor : Value
        v, what was computed from it.
    slot : int
        Which of v's parents u is here: ``v.parents[slot] is u``. ``x*x`` has two edges, in slots 0 and 1.
    local_grad : float
        The local derivative ∂v/∂u through this slot.
    """

    parent: Value
    successor: Value
    slot: int
    local_grad: float


class Path(NamedTuple):
    """One way from a node to the root.

    Attributes
    ----------
    edges : tuple of Edge
        From the node to the root; empty for the root itself.
    product : float
        The product of the local derivatives on it.
    """

    edges: tuple[Edge, ...]
    product: float


def topological_order(*roots: Value) -> list[Value]:
    """Return all nodes of the graph, each one after its parents; the root is the last.

    Of several roots, the nodes of the first one come first, then what the next ones add.

    Parents are visited in the order in which they were written, so the order is the same in every run.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
    >>> [node.label or node.primitive.name for node in topological_order(a * b + a)]
    ['a', 'b', 'mul', 'add']
    """
    order: list[Value] = []
    visited: set[Value] = set()
    stack: list[Value | None] = [*roots[::-1]]
    while stack:
        node = stack.pop()
        if node is None:  # everything above the node that was pushed before this mark is in the order now
            order.append(stack.pop())  # type: ignore[arg-type]
        elif node not in visited:
            visited.add(node)
            if node.primitive is None:
                order.append(node)
            else:
                stack += (node, None)
                stack += [parent for parent in node.parents[::-1] if parent not in visited]
    return order


def leaves(root: Value) -> list[Value]:
    """Return the nodes that were not computed from others, in topological order.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
    >>> [leaf.label for leaf in leaves(a * b + a)]
    ['a', 'b']
    """
    return [node for node in topological_order(root) if not node.parents]


def edges(root: Value) -> Iterator[Edge]:
    """Iterate over every edge u → v, by v in topological order and then by slot.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> [(edge.slot, edge.local_grad) for edge in edges(x * x)]
    [(0, 3.0), (1, 3.0)]
    """
    for node in topological_order(root):
        for slot, (parent, local_grad) in enumerate(zip(node.parents, node.local_grads, strict=True)):
            yield Edge(parent, node, slot, local_grad)


def successors(root: Value) -> dict[Value, tuple[Value, ...]]:
    """Return T(u) for every node u of the graph: the nodes computed from u, one entry for each edge.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> successors(y)[x] == (y, y), successors(y)[y]
    (True, ())
    """
    return {node: tuple(edge.successor for edge in out) for node, out in outgoing_edges(root).items()}


def outgoing_edges(root: Value) -> dict[Value, list[Edge]]:
    """Return for every node of the graph the edges that leave it, last successor first.

    The nodes come in topological order. Last successor first is the order in which the backward pass adds them up.
    """
    outgoing: dict[Value, list[Edge]] = {node: [] for node in topological_order(root)}
    for node in reversed(outgoing):
        for slot, (parent, local_grad) in enumerate(zip(node.parents, node.local_grads, strict=True)):
            outgoing[parent].append(Edge(parent, node, slot, local_grad))
    return outgoing


def count_paths(root: Value, u: Value) -> int:
    """Return the number of paths from `u` to the root, without walking them; 0 where there is none.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = y = Value(1.0)
    >>> for _ in range(100):
    ...     y = y + y
    >>> count_paths(y, x) == 2**100
    True
    """
    count: dict[Value, int] = {root: 1}
    for node in reversed(topological_order(root)):
        below = count.get(node, 0)
        if node is u:
            return below
        for parent in node.parents:
            count[parent] = count.get(parent, 0) + below
    return 0


def paths(root: Value, u: Value) -> Iterator[Path]:
    """Iterate over the paths from `u` to the root with the products of their local derivatives.

    Their sum is the gradient ∂root/∂u; there may be exponentially many, so they come one by one.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> [path.product for path in paths(x * x + x, x)]
    [1.0, 3.0, 3.0]
    """
    outgoing = outgoing_edges(root)
    if u not in outgoing:
        return
    trail: list[Edge] = []
    pending: list[Iterator[Edge]] = [iter(outgoing[u])]
    if u is root:
        yield Path((), 1.0)
    while pending:
        edge = next(pending[-1], None)
        if edge is None:
            pending.pop()
            if trail:
                trail.pop()
        elif edge.successor is root:
            yield _path([*trail, edge])
        else:
            trail.append(edge)
            pending.append(iter(outgoing[edge.successor]))


def _path(trail: list[Edge]) -> Path:
    product: Any = 1.0
    for edge in reversed(trail):  # from the root back, as the backward pass multiplies
        product = product * edge.local_grad
    return Path(tuple(trail), product)
