"""A graph as one of NetworkX, which has algorithms and file formats for it."""

from __future__ import annotations

from typing import Any

from autograd_mini.checks import needed
from autograd_mini.engine.graph import edges, topological_order
from autograd_mini.engine.value import Value


def to_networkx(root: Value) -> Any:
    """Return the graph of a value as a ``networkx.MultiDiGraph``, its nodes numbered so that parents come first.

    A node has the attributes ``label``, ``data``, ``grad`` and ``operation`` (of a leaf its kind), and an edge ``slot``
    and ``local_grad``: ``x * x`` has two edges from the same x. The copy doesn't follow later changes.

    Examples
    --------
    >>> import networkx
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> graph = to_networkx(x * x)
    >>> graph.nodes[1]["operation"], list(graph.edges(data="local_grad"))
    ('mul', [(0, 1, 3.0), (0, 1, 3.0)])
    """
    if not isinstance(root, Value):
        raise TypeError(f"expected a Value, got {type(root).__name__}; to_networkx(root)")
    networkx = needed("networkx", 'to_networkx needs NetworkX; run: pip install "autograd-mini[interchange]"')
    graph = networkx.MultiDiGraph()
    order = topological_order(root)
    position = {node: i for i, node in enumerate(order)}
    for node, i in position.items():
        operation = node.kind if node.primitive is None else node.primitive.name
        graph.add_node(i, label=node.label, data=node.data, grad=float(node.grad), operation=operation)
    for edge in edges(root):
        parent, successor = position[edge.parent], position[edge.successor]
        graph.add_edge(parent, successor, key=edge.slot, slot=edge.slot, local_grad=edge.local_grad)
    return graph
