"""A graph: its order, its edges, its paths, and the two passes over it, `evaluate` and `gradients`.

A graph is given by its root: the root, its ``parents``, their ``parents`` and so on. The passes are written once, for
any kind of number: floats, Values, columns, or formulas that print themselves. No function here calls itself, so that a
chain of a million nodes works like any other graph. Of the package only `node` is used: what a node stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from autograd_mini.engine.node import CONSTANT, Node

N = TypeVar("N", bound=Node)


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

    parent: Any
    successor: Any
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


def topological_order(*roots: N) -> list[N]:
    """Return all nodes of the graph, each one after its parents; the root is the last.

    Of several roots, the nodes of the first one come first, then what the next ones add. Parents are visited in the
    order in which they were written, so the order is the same in every run.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
    >>> [node.label or node.primitive.name for node in topological_order(a * b + a)]
    ['a', 'b', 'mul', 'add']
    """
    order: list[Any] = []
    visited: set[Any] = set()
    stack: list[Any] = [*roots[::-1]]
    while stack:
        node = stack.pop()
        if node is None:  # everything above the node that was pushed before this mark is in the order now
            order.append(stack.pop())
        elif node not in visited:
            visited.add(node)
            first, second = node._parent, node._parent2  # the slots themselves, for speed: see `node`
            if second is not None:
                stack += (node, None, second, first)
            elif first is None:
                order.append(node)
            else:
                stack += (node, None, *(first[::-1] if type(first) is tuple else (first,)))
    return order


def leaves(root: N) -> list[N]:
    """Return the nodes that were not computed from others, in topological order.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
    >>> [leaf.label for leaf in leaves(a * b + a)]
    ['a', 'b']
    """
    return [node for node in topological_order(root) if not node.parents]


# --------------------------------------------------------------------------------------------------- the two passes


def evaluate(order: list[N], xp: Any, known: Mapping[N, Any]) -> dict[N, Any]:
    """Return the value of every node in the numbers of `xp`: the forward pass.

    Parameters
    ----------
    order : list of Value
        Parents first, as `topological_order` gives it.
    xp : namespace
        The functions on these numbers: `floats`, `arrays` or another reading of the table of primitives.
    known : mapping
        The values of nodes that are not to be computed, leaves or others; a leaf that isn't there has its ``data``.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> from autograd_mini.engine import floats
    >>> x = Value(3.0)
    >>> y = x * x + x
    >>> evaluate(topological_order(y), floats, {x: 5.0})[y]
    30.0
    """
    values = dict(known)
    for node in order:
        if node not in values:
            primitive = node.primitive
            if primitive is None:
                values[node] = node._data
            else:
                values[node] = primitive.forward(xp, *[values[u] for u in node.parents])
    return values


def gradients(
    order: list[N], seed: Any, local_grads: Callable[[N], Any], start: Mapping[N, Any] | None = None
) -> dict[N, Any]:
    """Return ∂L/∂u for every node u from which L is computed, L being the last of the order: the backward pass.

    ∂L/∂u = Σ over v in T(u) of ∂L/∂v · ∂v/∂u. In reverse topological order, each ∂L/∂v is complete before it is handed
    on. No ``.grad`` is touched.

    Parameters
    ----------
    order : list of Value
        Parents first, as `topological_order` gives it.
    seed : number
        The base case, ∂L/∂L.
    local_grads : callable
        ``local_grads(v)`` gives ∂v/∂u for each parent u of v, in the same kind of number as the seed. It is called once
        for each node v, when ∂L/∂v is complete.
    start : mapping, optional
        The sums to which contributions are added; where a node has none, its sum begins with its first contribution.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> gradients(topological_order(y), 1.0, lambda v: v.local_grads)[x]
    6.0
    """
    found: dict[N, Any] = {**(start or {}), order[-1]: seed}
    for v in reversed(order):
        if v.primitive is None or v not in found:
            continue
        upstream = found[v]
        for u, local_grad in zip(v.parents, local_grads(v), strict=True):
            contribution, total = upstream * local_grad, found.get(u)
            found[u] = contribution if total is None else total + contribution
    return found


def recorded_gradients(root: N | list[N], seed: float = 1.0) -> dict[N, float]:
    """Return ∂root/∂u of every node u of a graph, or of a topological order, from the recorded local derivatives.

    The sums are those of `Value.backward`, to the bit; no ``.grad`` is touched.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> recorded_gradients(x * x)[x], x.grad
    (6.0, 0.0)
    """
    order = root if isinstance(root, list) else topological_order(root)
    return gradients(order, seed, attrgetter("local_grads"), dict.fromkeys(order, 0.0))


def wanted_gradients(order: list[N]) -> set[N]:
    """Return the nodes whose gradient means something: leaves other than constants, and what was computed from them.

    The others depend on bare numbers alone, as the exponent in ``x**2`` does. Their gradient may be nan where nothing
    is wrong: x**b has no derivative by b at a negative x. So explanations and checks of gradients leave them out.
    """
    wanted: set[N] = set()
    for node in order:
        parents = node.parents
        if any(u in wanted for u in parents) or (not parents and node.kind != CONSTANT):
            wanted.add(node)
    return wanted


# ------------------------------------------------------------------------------------------------- edges and paths


def edges(root: Node) -> Iterator[Edge]:
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


def successors(root: N) -> dict[N, tuple[N, ...]]:
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


def outgoing_edges(root: N | list[N]) -> dict[N, list[Edge]]:
    """Return for every node of the graph, or of a topological order, the edges that leave it, last successor first.

    The nodes come in topological order. Last successor first is the order in which the backward pass adds them up.
    """
    order = root if isinstance(root, list) else topological_order(root)
    outgoing: dict[Any, list[Edge]] = {node: [] for node in order}
    for node in reversed(outgoing):
        for slot, (parent, local_grad) in enumerate(zip(node.parents, node.local_grads, strict=True)):
            outgoing[parent].append(Edge(parent, node, slot, local_grad))
    return outgoing


def count_paths(root: Node, u: Node) -> int:
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
    count: dict[Node, int] = {root: 1}
    for node in reversed(topological_order(root)):
        below = count.get(node, 0)
        if node is u:
            return below
        for parent in node.parents:
            count[parent] = count.get(parent, 0) + below
    return 0


def paths(root: Node, u: Node) -> Iterator[Path]:
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
