"""`card`: how a notebook shows a `Value`, as a small table of what it is and how it was made from its operands.

It reads the node and its operands only, so that a node at the end of a long computation is shown at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import count
from keyword import iskeyword

from autograd_mini.engine.own import why_unknown
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import gradient
from autograd_mini.explanations.steps import application
from autograd_mini.formulas.expression import Expression, format_number, number, printable, symbol

_DIGITS = 6
_MOST_OPERANDS, _LONGEST_NAME = 8, 40
_LINE = "1px solid rgba(128,128,128,.45)"  # to be seen on white and on black
_TABLE = f"border-collapse:collapse;border:{_LINE};background:transparent;color:inherit;margin:.3em 0"
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
    names = _names(node)
    columns = ["", "data", "grad", *(["local derivative"] if node.parents else [])]
    rows = [
        _row(columns, "th"),
        _row([_bold(names[node]), _number(node.data), _number(gradient(node))], rest=len(columns)),
    ]
    for u, local in list(zip(node.parents, node.local_grads, strict=True))[:_MOST_OPERANDS]:
        grad = "" if u.kind == "constant" else _number(gradient(u))
        by_u = "" if _unasked(u, local) else "not known" if why_unknown(node) else _number(local)
        rows.append(_row([_shown(names[u]), _number(u.data), grad, by_u]))
    if len(node.parents) > _MOST_OPERANDS:
        rows.append(_row([f"… {len(node.parents) - _MOST_OPERANDS} more"], rest=len(columns)))
    rows.append(f'<tr style="{_ROW}"><td colspan="{len(columns)}" style="{_CELL}left">{_origin(node, names)}</td></tr>')
    return f'<table style="{_TABLE}"><tbody>{"".join(rows)}</tbody></table>'


def _origin(node: Value, names: dict[Value, str]) -> str:
    """Return how the node was made, and where to see more."""
    if node.primitive is None:
        return f"a leaf: {'an input' if node.kind == 'input' else f'a {node.kind}'}"
    if len(node.parents) > _MOST_OPERANDS:
        made = f"{names[node]} = {node.primitive.name} of {len(node.parents)} operands = {_number(node.data)}"
    else:
        in_names = application(node.primitive, [_operand(u, names) for u in node.parents]).render()
        in_numbers = application(node.primitive, [number(u.data, _DIGITS) for u in node.parents]).render()
        made = " = ".join(dict.fromkeys([names[node], in_names, in_numbers, _number(node.data)]))
    variable = names[node] if names[node].isidentifier() and not iskeyword(names[node]) else "v"
    return f"{_shown(made, longest=200)}<br><code>draw({_shown(variable)})</code> shows the graph"


def _operand(u: Value, names: dict[Value, str]) -> Expression:
    return number(u.data, _DIGITS) if u.kind == "constant" and not u.label else symbol(names[u])


def _names(node: Value) -> dict[Value, str]:
    """Return what the node and its operands are called: by label, a constant by number, others v and v1, v2, …."""
    parents = list(dict.fromkeys(node.parents))
    labels = {u.label for u in [node, *parents]}
    names = {node: node.label or ("v" if "v" not in labels else "v'")}
    free = (name for name in map("v{}".format, count(1)) if name not in labels)
    for u in parents:
        bare = u.kind == "constant" and not u.label
        names[u] = format_number(u.data, _DIGITS) if bare else u.label or next(free)
    return names


def _unasked(u: Value, local: float) -> bool:
    """Return whether it is nan, and the derivative by a constant, where that means nothing."""
    return local != local and u.kind == "constant"


# ----------------------------------------------------------------------------------------------------- cells

_ROW = f"background:transparent;border-top:{_LINE}"


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
