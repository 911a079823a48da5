"""The data of the stepper's page: the records of the two stages, as plain data for JSON.

Every number in it was computed by `forward_steps` and `backward_steps`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph, Names, named
from autograd_mini.explanations.steps import BackwardStep, ForwardStep, application, backward_steps, forward_steps
from autograd_mini.formulas.expression import printable, symbol
from autograd_mini.views.page import number_as_json
from autograd_mini.views.stepper.tape import program

_PRIVATE_USE = 0xE000  # characters that no name has: they stand for the operands in a formula
_MOST_MARKS = 6400
_IN_A_NETWORK = re.compile(r"(?:(?:layers\.)?(\d+)\.)?(?:neurons\.(\d+)\.)?(?:(weights)\.(\d+)|(bias|z|a))")


def short_names(names: Mapping[Value, str]) -> dict[Value, str]:
    """Return the names as the page shows them: a network's in the way of Python's indices, all else as it is.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, z = Value(1.0), Value(2.0)
    >>> list(short_names({w: "layers.0.neurons.2.weights.1", z: "layers.1.neurons.0.z"}).values())
    ['w[0][2][1]', 'z[1][0]']
    """
    short = {node: _with_indices(name) for node, name in names.items()}
    count, taken = Counter(short.values()), set(names.values())
    return {node: s if count[s] == 1 and s not in taken else names[node] for node, s in short.items()}


def _with_indices(name: str) -> str:
    match = _IN_A_NETWORK.fullmatch(name)
    if match is None:
        return name
    layer, neuron, weights, index, other = match.groups()
    letter = {"weights": "w", "bias": "b"}.get(weights or other, other)
    return letter + "".join(f"[{i}]" for i in (layer, neuron, index) if i is not None)


def payload(root: Value | NamedGraph, names: Names | None = None) -> dict[str, Any]:
    """Return the graph and the records of both passes, ready for JSON.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.

    Returns
    -------
    dict
        ``nodes`` in topological order, each with its name, kind, value, gradient, operation, parents, local derivatives
        and, for each parent, the contribution to it; ``backward``, the order of the gradients with the edges
        ``[successor, slot]`` of each; ``rules`` and ``formulas`` of the operations. Numbers that JSON doesn't have are
        strings, as in ``"NaN"``. A `Stepper` adds the drawings, ``views`` and those with one box ``opened``, each with
        its ``svg``, its ``fold`` and its ``boxes``; which of the views comes first, ``view``; the options ``whatIf``,
        ``sgd`` (the leaves that a step of gradient descent moves), ``lr`` and ``grain``; the ``step`` to begin at; and
        ``joined``, the name of the model in a kernel that has the step in common with the page, or "".

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> fed = payload(x * x)
    >>> fed["backward"], [node["gradient"] for node in fed["nodes"]]
    ([[1, []], [0, [[1, 0], [1, 1]]]], [6.0, 1.0])
    """
    graph = named(root, names)
    forward, backward = list(forward_steps(graph)), list(backward_steps(graph))
    position = {step.node: k for k, step in enumerate(forward)}
    called = short_names(graph.called)
    nodes = [_node(step, called, position) for step in forward]
    for step in backward:
        _add_gradient(nodes, step, position)
    operations = {
        _rule_name(step.node): (step.node.primitive, len(step.node.parents))
        for step in forward
        if step.node.primitive is not None
    }
    return {
        "nodes": nodes,
        "backward": [[position[s.node], [[position[c.successor], c.slot] for c in s.contributions]] for s in backward],
        "rules": {name: program(*operation) for name, operation in operations.items()},
        "formulas": {name: _formula(*operation) for name, operation in operations.items()},
    }


def step_count(fed: dict[str, Any], grain: str) -> int:
    """Return how many steps the page makes of a payload: each value, the base case, each gradient or contribution.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> step_count(payload(x * x), "node"), step_count(payload(x * x), "edge")
    (4, 5)
    """
    root = len(fed["nodes"]) - 1
    kept = [k for k, node in enumerate(fed["nodes"]) if node["kind"] != "constant" or k == root]
    edges = dict(fed["backward"])
    return len(kept) + sum(1 if k == root or grain == "node" else len(edges[k]) for k in kept)


def _rule_name(node: Value) -> str:
    """Return the key of an operation; the rule of a sum of three terms isn't that of one of four."""
    return f"{node.primitive.name}/{len(node.parents)}" if node.primitive is not None else ""


def _node(step: ForwardStep, called: Mapping[Value, str], position: Mapping[Value, int]) -> dict[str, Any]:
    node, name = step.node, printable(called[step.node]).replace("\n", " ")
    described: dict[str, Any] = {"name": name, "kind": node.kind, "value": number_as_json(step.value)}
    full = printable(step.names[node]).replace("\n", " ")
    if full != name:
        described["full"] = full
    if node.kind == "constant" and not node.label:
        described["bare"] = True  # its name is its number
    if node.primitive is not None:
        described["rule"] = _rule_name(node)
        described["parents"] = [position[u] for u in node.parents]
        described["locals"] = [number_as_json(local) for local in node.local_grads]
        described["products"] = [0.0] * len(node.parents)
    return described


def _add_gradient(nodes: list[dict[str, Any]], step: BackwardStep, position: Mapping[Value, int]) -> None:
    nodes[position[step.node]]["gradient"] = number_as_json(step.gradient)
    for c in step.contributions:
        nodes[position[c.successor]]["products"][c.slot] = number_as_json(c.product)


def _formula(primitive: Any, count: int) -> str:
    """Return the formula of an operation, with a private-use character in the place of each operand."""
    if count > _MOST_MARKS:
        return f"{primitive.name}(…)"
    return application(primitive, [symbol(chr(_PRIVATE_USE + i)) for i in range(count)]).render()
