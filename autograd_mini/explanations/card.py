"""`card`: how a notebook shows a `Value`, as a small table of what it is and how it was made from its operands.

It shows the node and its operands only, so that a node at the end of a long computation is shown at once. Whether
leaves have changed since it was computed is looked up in all of its graph, unless that is large.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from keyword import iskeyword

from autograd_mini.engine.freshness import Age, age
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.own import why_unknown
from autograd_mini.engine.value import Value
from autograd_mini.explanations.local import local_derivative
from autograd_mini.explanations.names import NamedGraph, age_note, called, gradient
from autograd_mini.explanations.steps import ForwardStep
from autograd_mini.formulas.expression import format_number, printable

_DIGITS = 6
_MOST_CHECKED = 1000  # nodes: of a larger graph the card looks at its own node and operands alone
_MOST_OPERANDS, _LONGEST_NAME, _LONGEST_LINE = 8, 40, 200
_BORDER = "1px solid rgba(128,128,128,.45)"  # to be seen on white and on black
_TABLE = f"border-collapse:collapse;border:{_BORDER};background:transparent;color:inherit;margin:.3em 0"
_CELL = "padding:.25em .8em;border:0;color:inherit;vertical-align:top;text-align:"


def card(node: Value) -> str:
    """Return a node as HTML: its label, data and gradient, and the operation and the operands it was made from.

    Parameters
    ----------
    node : Value
        The node.

    Returns
    -------
    str
        A table without style sheet or script; its colours are those of the page.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
    >>> "v = w·x = 0.5·2 = 1" in card(w * x)
    True
    """
    names, found = _names(node), age([node])
    columns = ["", "data", "grad", *(["local derivative"] if node.parents else [])]
    rows = [
        _row(columns, "th"),
        _row([_bold(names[node]), _number(node.data), _number(gradient(node))], rest=len(columns)),
    ]
    for slot, (u, local) in enumerate([*zip(node.parents, node.local_grads, strict=True)][:_MOST_OPERANDS]):
        grad = "" if u.kind == "constant" else _number(gradient(u))
        rule = local_derivative(node, slot, local, names, _DIGITS, is_old=found.is_old(node, slot)).equation()
        shown = "not known" if why_unknown(node) else _shown(rule, longest=_LONGEST_LINE)
        by_u = "" if u.kind == "constant" else shown
        rows.append(_row([_shown(names[u]), _number(u.data), grad, by_u]))
    if len(node.parents) > _MOST_OPERANDS:
        rows.append(_row([f"… {len(node.parents) - _MOST_OPERANDS} more"], rest=len(columns)))
    rows.append(
        f'<tr style="{_ROW}"><td colspan="{len(columns)}" style="{_CELL}left">{_origin(node, names, found)}</td></tr>'
    )
    return f'<table style="{_TABLE}"><tbody>{"".join(rows)}</tbody></table>'


def _origin(node: Value, names: dict[Value, str], found: Age) -> str:
    """Return how the node was made, and where to see more."""
    if node.primitive is None:
        return f"a leaf: {'an input' if node.kind == 'input' else f'a {node.kind}'}"
    note = _note(node, names, found)
    older = f"<br>{_shown(note, _LONGEST_LINE)}" if note else ""
    if found.results:
        made = f"{names[node]} = {_number(node.data)}"
    elif len(node.parents) > _MOST_OPERANDS:
        what = {"sum": "the sum", "dot": "a weighted sum"}.get(node.primitive.name, node.primitive.name)
        made = f"{names[node]} = {what} of {len(node.parents)} operands = {_number(node.data)}"
    else:
        made = ForwardStep(node, node.data, names).equation("text", _DIGITS)
    variable = names[node] if names[node].isidentifier() and not iskeyword(names[node]) else "v"
    return f"{_shown(made, longest=_LONGEST_LINE)}<br><code>draw({_shown(variable)})</code> shows the graph{older}"


def _note(node: Value, names: dict[Value, str], found: Age) -> str:
    """Return what has changed since the node was computed; of what is further back, if the graph is small."""
    if found:
        return age_note(found, names, topological_order(node))
    seen, stack = {node}, [node]
    while stack and len(seen) <= _MOST_CHECKED:
        new = [u for u in dict.fromkeys(stack.pop().parents) if u not in seen]
        seen.update(new)
        stack += new
    if len(seen) > _MOST_CHECKED:
        return ""
    graph = NamedGraph(node)
    return graph.note({**graph.called, node: names[node]})


def _names(node: Value) -> dict[Value, str]:
    """Return what the node and its operands are called, as in other views; a node without a label is called v."""
    return called([*dict.fromkeys(node.parents), node], root_name="v")


# ----------------------------------------------------------------------------------------------------- cells

_ROW = f"background:transparent;border-top:{_BORDER}"


def _row(cells: Iterable[str], tag: str = "td", rest: int = 0) -> str:
    """Return a row: the first cell to the left, numbers to the right; empty cells until there are `rest`."""
    filled = [*cells]
    filled += [""] * (rest - len(filled))
    written = [f'<{tag} style="{_CELL}{"right" if i else "left"}">{cell}</{tag}>' for i, cell in enumerate(filled)]
    return f'<tr style="background:transparent">{"".join(written)}</tr>'


def _number(value: float) -> str:
    return format_number(value, _DIGITS)


def _bold(name: str) -> str:
    return f"<b>{_shown(name)}</b>"


def _shown(text: str, longest: int = _LONGEST_NAME) -> str:
    """Return a text as HTML, on one line, cut where it is too long."""
    line = printable(text).replace("\n", " ")
    return escape(line if len(line) <= longest else line[: longest - 1] + "…")
