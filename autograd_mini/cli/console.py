"""How the command line prints: equations that fit the terminal, tables, signs that every terminal can show."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from autograd_mini.engine.graph import recorded_gradients, topological_order, wanted_gradients
from autograd_mini.explanations.names import NamedGraph, node_names
from autograd_mini.explanations.steps import backward_steps, finite_difference, forward_steps
from autograd_mini.formulas.expression import derivative, format_number

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value

# How the signs of the lectures are spelled where a terminal's encoding doesn't have them.
_SPELLED = dict(
    pair.split(":")
    for pair in (
        "∂:d ·:* −:- Σ:sum σ:sigmoid √:sqrt ∇:grad θ:theta η:eta ŷ:yhat ≈:~ ≤:<= ≥:>= →:-> ←:<- …:... ─:- ×:x π:pi ′:' "
        "⁰:0 ¹:1 ²:2 ³:3 ⁴:4 ⁵:5 ⁶:6 ⁷:7 ⁸:8 ⁹:9 ⁻:- ₀:0 ₁:1 ₂:2 ₃:3 ₄:4 ₅:5 ₆:6 ₇:7 ₈:8 ₉:9"
    ).split()
) | {chr(ord("①") + k): f"#{k + 1}" for k in range(20)}


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Replace what can't be encoded, sign by sign; a handler for `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_SPELLED.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


codecs.register_error("autograd_mini.spell", _spell)


def spell_what_cannot_be_shown() -> None:
    """Make both output streams write ``d`` for ∂, and so on, where their encoding has no such sign."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="autograd_mini.spell")


def terminal_width(least: int = 40, most: int = 100) -> int:
    """Return how many columns to fill; 80 where the output is no terminal."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, least), most)


def shown_width(text: str) -> int:
    """Return how many columns a text takes in a terminal.

    Examples
    --------
    >>> shown_width("w¹"), shown_width("y" + chr(0x302)), shown_width("損失")
    (2, 1, 4)
    """
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - shown_width(text))


def has_colour() -> bool:
    """Return whether the output is a terminal that has colours and whose user hasn't asked for none (no-color.org)."""
    if sys.stdout is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def heading(title: str) -> str:
    """Return a title with a line under it; bold in a terminal, unless NO_COLOR is set."""
    line = "─" * shown_width(title)
    return f"\033[1m{title}\033[0m\n\033[2m{line}\033[0m" if has_colour() else f"{title}\n{line}"


def aligned(equations: Iterable[str], width: int, indent: str = "  ", column: int | None = None) -> list[str]:
    r"""Return equations ``a = b = c`` as lines with their first equals signs in one column.

    An equation that is longer than the width goes on below its first equals sign. By default the column is as narrow as
    it can be.

    Examples
    --------
    >>> print("\n".join(aligned(["v1 = w·x = 0.5·2 = 1", "L = v1 + b = 1 + 0.1 = 1.1"], 20)))
      v1 = w·x = 0.5·2
         = 1
      L  = v1 + b
         = 1 + 0.1 = 1.1
    """
    split = [equation.split(" = ") for equation in equations]
    column = column or max((shown_width(parts[0]) for parts in split), default=0)
    lines: list[str] = []
    for left, *parts in split:
        margin = indent + _padded(left, column)
        for line in _filled(parts, width - shown_width(margin)):
            lines.append((margin + line).rstrip())
            margin = " " * shown_width(margin)
    return lines


def _filled(parts: Sequence[str], width: int) -> list[str]:
    """Return ``= b = c`` in as few lines as the width allows, broken before an equals sign where possible."""
    lines = [""]
    for part in parts:
        if lines[-1] and shown_width(f"{lines[-1]} = {part}") > width:
            lines.append("")
        lines[-1] += f" = {part}"
        if shown_width(lines[-1]) > width:
            lines[-1:] = _wrapped(lines[-1].lstrip(), width, " ", "     ")
    return lines


def _wrapped(text: str, width: int, first: str, other: str) -> list[str]:
    """Return a text in lines of a width, broken at blanks only."""
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=first,
        subsequent_indent=other,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    r"""Return a table as lines: the first column to the left, numbers to the right.

    Examples
    --------
    >>> print("\n".join(table(["node", "gradient"], [["w", "2"], ["x", "0.5"]])))
      node  gradient
      w            2
      x          0.5
    """
    everything = [list(header), *[list(row) for row in rows]]
    widths = [max(shown_width(row[i]) for row in everything) for i in range(len(header))]
    return [
        indent
        + "  ".join(
            [_padded(row[0], widths[0])]
            + [" " * (width - shown_width(cell)) + cell for cell, width in zip(row[1:], widths[1:], strict=True)]
        ).rstrip()
        for row in everything
    ]


def sections(parts: Mapping[str, Sequence[str]]) -> str:
    r"""Return what is to be printed: under each title its lines, with a blank line above and below; none of no lines.

    Examples
    --------
    >>> print(sections({"Forward pass": ["  L = 1"], "Gradients": []}))
    Forward pass
    ────────────
    <BLANKLINE>
      L = 1
    """
    return "\n\n".join("\n".join([heading(title), "", *lines]) for title, lines in parts.items() if lines)


def leaves_by_use(root: Value) -> list[Value]:
    """Return the leaves in the order in which the forward pass first uses them.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(0.1, label="b")
    >>> [leaf.label for leaf in leaves_by_use(b + w * x)]
    ['w', 'x', 'b']
    """
    used = dict.fromkeys(parent for node in topological_order(root) for parent in node.parents if not parent.parents)
    return list(used) or [root]


def forward_pass(root: Value) -> list[str]:
    """Return the forward pass as lines: what is given, and then each node from its parents."""
    width = terminal_width()
    steps = {step.node: step.equation("text") for step in forward_steps(root)}
    given = [steps[leaf].replace(" ", "\0") for leaf in leaves_by_use(root) if leaf in steps]
    lines = [line.replace("\0", " ") for line in _wrapped("   ".join(given), width, "  given  ", " " * 9)]
    computed = aligned([step for node, step in steps.items() if node.parents], width)
    return [*lines, "", *computed] if lines and computed else lines + computed


def backward_pass(root: Value) -> list[str]:
    """Return the backward pass as lines: each node's gradient, and the rules of its local derivatives; the root first.

    What depends on constants only is left out: its gradient isn't needed.
    """
    varying = wanted_gradients(topological_order(root))
    width, lines = terminal_width(), []
    steps = [step for step in backward_steps(root) if step.node in varying]
    column = max(shown_width(step.left_hand_side().render()) for step in steps)
    for step in steps:
        lines += aligned([step.equation("text")], width, column=column)
        lines += [line for rule in step.rules() for line in aligned([rule], width, " " * 6)]
    return lines


def both_passes(root: Value, loss: str) -> dict[str, list[str]]:
    """Return both passes under their titles, in which the root is `loss`; first, if leaves have changed, that."""
    note = NamedGraph(root).note()
    return {
        "The graph is older than its leaves": _wrapped(note, terminal_width(), "  ", "  ") if note else [],
        "Forward pass: each node from its parents": forward_pass(root),
        f"Backward pass: ∂{loss}/∂u = Σ ∂{loss}/∂v · ∂v/∂u over all v computed from u": backward_pass(root),
    }


def gradient_table(root: Value) -> list[str]:
    """Return the gradients of the leaves, but for constants, as lines of a table, beside finite differences."""
    called, gradient, varying = node_names(root), recorded_gradients(root), wanted_gradients(topological_order(root))
    rows = [
        [called[leaf], *[format_number(x, 6) for x in (leaf.data, gradient[leaf], finite_difference(root, leaf))]]
        for leaf in leaves_by_use(root)
        if leaf in varying
    ]
    return table(["leaf u", "value", str(derivative(called[root], "u")), "finite difference"], rows) if rows else []
