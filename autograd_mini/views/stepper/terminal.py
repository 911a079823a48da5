"""`text_steps`: the stepper's steps as lines of text, for a plain terminal.

The steps and their numbers are those of the page: the forward pass node by node, the seed ∂L/∂L = 1, the backward pass.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph, Names, named
from autograd_mini.explanations.steps import DIGITS, BackwardStep, backward_steps, forward_steps
from autograd_mini.formulas.expression import format_number, printable

GRAINS = ("node", "edge")
_RESET, _BOLD, _DIM = "\033[0m", "\033[1m", "\033[2m"
_BLUE, _ORANGE, _MAGENTA = "\033[34m", "\033[33m", "\033[35m"


def text_steps(
    root: Value | NamedGraph,
    names: Names | None = None,
    colour: bool = False,
    grain: str = "node",
    width: int | None = None,
    max_nodes: int = 20_000,
) -> str:
    """Return the forward pass, the seed and the backward pass as numbered lines.

    Constants are no steps: their values are given, and their gradients aren't needed. Below a step of the backward pass
    stands the rule that gives each local derivative, unless it is a bare number. If leaves have changed since the graph
    was computed, the first line says so.

    Parameters
    ----------
    root : Value
        L, the root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.
    colour : bool, optional
        Whether to colour gradients, orange below 0 and blue above, by a terminal's control sequences.
    grain : {"node", "edge"}, optional
        Whether a step of the backward pass is a node with all its contributions, or one contribution.
    width : int, optional
        The number of columns after which a line goes on below itself; by default it doesn't.
    max_nodes : int, optional
        The most nodes, and half of the most edges, of a graph that is written out; larger ones take long.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If `root` is no Value.
    ValueError
        If there is no such grain, or the graph is larger than `max_nodes` says.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> print(text_steps(x * x, grain="edge"))
    Forward pass
    step 1/5  x = 3
    step 2/5  L = x·x = 3·3 = 9
    Seed
    step 3/5  ∂L/∂L = 1
    Backward pass
    step 4/5  x.grad += ∂L/∂L·∂(x①·x②)/∂x① = 1·3 = 3   [0 → 3]
                ∂(x①·x②)/∂x① = x = 3
    step 5/5  x.grad += ∂L/∂L·∂(x①·x②)/∂x② = 1·3 = 3   [3 → 6]
                ∂(x①·x②)/∂x② = x = 3
    """
    if grain not in GRAINS:
        raise ValueError(f'grain: expected "node" or "edge", got {grain!r}')
    graph = named(root, names, max_nodes, "text_steps")
    lines = list(step_lines(graph, grain))
    note = graph.note()
    written = textwrap.wrap(note, width or len(note), break_long_words=False) if note else []
    stage = ""
    for i, line in enumerate(lines, 1):
        if line.stage != stage:
            stage = line.stage
            written.append(_painted(stage, _BOLD, colour))
        counter = f"step {i:>{len(str(len(lines)))}}/{len(lines)}  "
        first, *more = _wrapped(line.text, width, len(counter))
        margin = " " * (len(counter) + 2)
        shown = "\n".join([_painted(counter, _DIM, colour) + first, *[margin + part for part in more]])
        written.append(_coloured(shown, line.result) if colour else shown)
        for rule in line.rules:
            first, *more = _wrapped(rule, width, len(margin))
            shown = "\n".join([margin + first, *[f"{margin}  {part}" for part in more]])
            written.append(_painted(shown, _DIM, colour))
    return "\n".join(written)


class _Line(NamedTuple):
    """A step in words, the number that it results in, and the rules that give its local derivatives."""

    stage: str
    text: str
    result: float | None
    rules: tuple[str, ...] = ()


def step_lines(graph: NamedGraph, grain: str) -> Iterator[_Line]:
    """Iterate over the steps."""
    called = {u: printable(name).replace("\n", " ") for u, name in graph.called.items()}
    for forward in forward_steps(graph):
        yield _Line("Forward pass", replace(forward, names=called).equation("text"), None)
    for backward in backward_steps(graph):
        if backward.node is graph.root:
            yield _Line("Seed", replace(backward, names=called).equation("text"), backward.gradient)
        else:
            yield from _backward_lines(replace(backward, names=called), grain)


def _backward_lines(step: BackwardStep, grain: str) -> Iterator[_Line]:
    """Iterate over the step of a node: one line, or one for each of its contributions."""
    if grain == "node":
        yield _Line("Backward pass", step.equation("text"), step.gradient, tuple(step.rules()))
        return
    u, before = step.names[step.node], 0.0
    for c in step.contributions:
        one = replace(step, contributions=(c,), gradient=c.product)
        _, formula = one.equation("text").split(" = ", 1)
        old, new = (format_number(x, DIGITS) for x in (before, before + c.product))
        before += c.product
        text = f"{u}.grad += {formula}   [{old} → {new}]"
        yield _Line("Backward pass", text, c.product, tuple(one.rules()))


def _wrapped(text: str, width: int | None, margin: int) -> list[str]:
    """Return a line in parts, each of which fits beside the margin if it can: broken before equals signs."""
    if width is None:
        return [text]
    parts = [""]
    for gap, part in re.findall(r"(^|   (?=\[)| (?==))(.*?)(?=   \[| =|$)", text):
        room = width - margin - (2 if len(parts) > 1 else 0)
        if parts[-1] and len(parts[-1] + gap + part) > room:
            parts.append(part)
        else:
            parts[-1] += gap + part
    return parts


# ---------------------------------------------------------------------------------------------------- colours


def _painted(text: str, sequence: str, colour: bool) -> str:
    return f"{sequence}{text}{_RESET}" if colour else text


def _coloured(text: str, result: float | None) -> str:
    """Return a line with its result in colour: of a gradient that of its sign, of a value bold."""
    if result is None:
        sequence = _BOLD
    else:
        sequence = _MAGENTA if math.isnan(result) else _BLUE if result > 0 else _ORANGE if result < 0 else _BOLD
    before, equals, after = text.rpartition("= ")
    found, *rest = re.split(r"(\s)", after, maxsplit=1)
    return before + equals + _painted(found, sequence, True) + "".join(rest)
