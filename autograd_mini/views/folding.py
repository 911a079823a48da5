"""Which nodes of a graph are folded into one box, so that a network of many neurons can be drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autograd_mini.engine.graph import outgoing_edges
from autograd_mini.engine.value import Constant, Parameter, Value

_NEURONS = re.compile(r"(?:^|\.)neurons(?:\.|$)")


@dataclass(frozen=True)
class Fold:
    """The nodes of one scope.

    Attributes
    ----------
    scope : str
        Its name.
    nodes : tuple of Value
        All nodes in it, in topological order.
    leaving : tuple of Value
        Those of them that are used outside, and the root.
    """

    scope: str
    nodes: tuple[Value, ...]
    leaving: tuple[Value, ...]


def folds(root: Value, collapse: str | None) -> list[Fold]:
    """Return what is folded, in the order in which the scopes began to compute.

    Parameters
    ----------
    root : Value
        The root of the graph.
    collapse : {"neuron", "layer"} or None
        Fold each scope, or all neurons of a layer together, or nothing.

    Examples
    --------
    >>> from autograd_mini import Value, scope
    >>> x = Value(2.0)
    >>> with scope("layers.0.neurons.0"):
    ...     a = x * x + 1
    >>> [(fold.scope, len(fold.nodes), len(fold.leaving)) for fold in folds(a * 2, "layer")]
    [('layers.0', 3, 1)]
    """
    if collapse is None:
        return []
    outgoing = outgoing_edges(root)
    scopes = {node: _folded_scope(node.scope, collapse) for node in outgoing if node.primitive is not None}
    for leaf, edges in outgoing.items():
        if leaf.primitive is None:
            scopes[leaf] = _only_user(leaf, [scopes[edge.successor] for edge in edges])
    # In the order of what was computed: the leaves of the last layer may well come before the first layer.
    members: dict[str, list[Value]] = {scopes[node]: [] for node in outgoing if node.primitive is not None}
    members.pop("", None)
    for node in outgoing:
        if scopes[node]:
            members[scopes[node]].append(node)
    return [
        Fold(
            scope,
            tuple(nodes),
            tuple(node for node in nodes if node is root or any(scopes[e.successor] != scope for e in outgoing[node])),
        )
        for scope, nodes in members.items()
    ]


def _folded_scope(scope: str, collapse: str) -> str:
    """Return the scope that a node is folded into; for a layer, the part before its neurons."""
    if collapse == "neuron":
        return scope
    match = _NEURONS.search(scope)
    if match is None:
        return scope
    return scope[: match.start()] or "neurons"  # a layer of its own, that no network has given a name


def _only_user(leaf: Value, users: list[str]) -> str:
    """Return the scope of all that use a parameter or a constant; "" for inputs, which are always shown."""
    if not isinstance(leaf, (Parameter, Constant)):
        return ""
    return users[0] if len(set(users)) == 1 else ""
