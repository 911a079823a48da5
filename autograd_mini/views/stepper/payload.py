"""The data of the stepper's page: the records of the two stages, as plain data for JSON.

Its numbers are those of `forward_steps` and `backward_steps`, and those of the constants, which have no steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograd_mini.engine.graph import recorded_gradients
from autograd_mini.engine.value import Value
from autograd_mini.explanations.local import application, is_bare, local_name, textbook
from autograd_mini.explanations.names import NamedGraph, Names, name_in_code, named
from autograd_mini.formulas.expression import is_formula, number, printable, symbol
from autograd_mini.views.page import DIGITS, number_as_json
from autograd_mini.views.stepper.tape import program

_PRIVATE_USE = 0xE000  # characters that no name has: they stand for the operands in a formula
_MOST_MARKS = 6400 - 1  # the last one that is needed stands for the result
_MOST_FORMS = 100  # operands: of more each form takes as long to find as all of them together


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
        ``[successor, slot]`` of each; ``rules`` and ``formulas`` of the operations: how each is written when applied,
        and for each operand its local derivative and the form that gives its number; ``note``, what has changed since
        the graph was computed, or "": then nodes are ``old`` whose value isn't that of their parents' data, and
        ``oldLocals`` are the slots whose local derivative may not be. Numbers that JSON doesn't have are
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
    position = {node: k for k, node in enumerate(graph.order)}
    nodes = [_node(node, graph, position) for node in graph.order]
    gradients = recorded_gradients(graph.order)
    backward: list[Any] = []
    for u in reversed(graph.order):
        nodes[position[u]]["gradient"] = number_as_json(gradients[u])
        backward.append([position[u], [[position[v], slot] for _, v, slot, _ in graph.outgoing[u]]])
        for _, v, slot, local in graph.outgoing[u]:
            nodes[position[v]]["products"][slot] = number_as_json(gradients[v] * local)
    operations = {
        _rule_name(node): (node.primitive, len(node.parents)) for node in graph.order if node.primitive is not None
    }
    formulas: dict[Any, int] = {}  # by what they are written of: x**2 and x**3 are two
    for node, described in zip(position, nodes, strict=True):
        if node.primitive is not None:
            numbers = [u.data if is_bare(u, graph.called) else None for u in node.parents]
            written_of = node.primitive, tuple(numbers)
            described["formula"] = formulas.setdefault(written_of, len(formulas))
    return {
        "nodes": nodes,
        "backward": backward,
        "rules": {name: program(*operation) for name, operation in operations.items()},
        "formulas": [_formula(*written_of) for written_of in formulas],
        "note": graph.note(),
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


def _node(node: Value, graph: NamedGraph, position: Mapping[Value, int]) -> dict[str, Any]:
    name, full = (printable(text).replace("\n", " ") for text in (graph.called[node], name_in_code(node)))
    described: dict[str, Any] = {"name": name, "kind": node.kind, "value": number_as_json(node.data)}
    if full not in ("", name):
        described["full"] = full
    if is_formula(name):
        described["isFormula"] = True  # its name stands in brackets in another formula
    if is_bare(node, graph.called):
        described["bare"] = True  # its name is its number
    if node.primitive is not None:
        described["rule"] = _rule_name(node)
        described["parents"] = [position[u] for u in node.parents]
        described["locals"] = [number_as_json(local) for local in node.local_grads]
        described["products"] = [0.0] * len(node.parents)
        if node in graph.age.results:
            described["old"] = True
        old_locals = [slot for slot in range(len(node.parents)) if graph.age.is_old(node, slot)]
        if old_locals:
            described["oldLocals"] = old_locals
    return described


def _formula(primitive: Any, numbers: Sequence[float | None]) -> dict[str, Any]:
    """Return how an operation is written, with private-use characters in the place of its operands and its result."""
    count = len(numbers)
    if count > _MOST_MARKS:
        return {"applied": f"{primitive.name}(…)", "locals": [[f"∂{primitive.name}(…)", ""]] * count}
    *marks, out = [symbol(chr(_PRIVATE_USE + i)) for i in range(count + 1)]
    operands = [mark if x is None else number(x, DIGITS) for mark, x in zip(marks, numbers, strict=True)]

    def form(slot: int) -> str:
        is_long = count > _MOST_FORMS and primitive.name not in ("sum", "dot")
        found = None if is_long else textbook(primitive, operands, out, slot)
        return "" if found is None else found.render()

    return {
        "applied": application(primitive, operands).render(),
        "locals": [[local_name(primitive, operands, slot).render(), form(slot)] for slot in range(count)],
    }
