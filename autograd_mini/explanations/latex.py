"""`to_latex`: both passes through a graph, written out line by line as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autograd_mini.engine.node import Node
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph, Names, brief, by_lecture, named
from autograd_mini.explanations.steps import backward_steps, forward_steps, is_step
from autograd_mini.formulas.expression import latex_text
from autograd_mini.formulas.letters import portable
from autograd_mini.formulas.typeset import aligned, sides

_PAGE = 500  # points: what is higher must break over pages, for which KaTeX, which has no pages, has no command
_OVER_PAGES = "\\providecommand{{\\allowdisplaybreaks}}{{}}{{\\allowdisplaybreaks{}}}"


@dataclass(frozen=True)
class Derivation:
    r"""The lines of both passes; a notebook typesets it, `str` gives the LaTeX for a paper, `latex` that for a formula.

    Attributes
    ----------
    forward : tuple of str
        The forward pass, ``z &= w \cdot x = …``, a line for each node but for bare numbers.
    backward : tuple of str
        The backward pass, ``\frac{\partial L}{\partial w} &= …``, from the root to the leaves; below each gradient the
        rules that give its local derivatives, unless they are bare numbers.
    note : str
        What has changed since the graph was computed; "" where nothing has.
    """

    forward: tuple[str, ...]
    backward: tuple[str, ...]
    note: str = ""

    def latex(self) -> str:
        """Return an ``aligned`` block of LaTeX, without dollar signs; it stays on one page."""
        return self._block("aligned", portable)

    def __str__(self) -> str:
        source = self._block("align*", portable)
        height = sum(20 + 14 * ("\\frac" in line) + 24 * ("cases" in line) for line in source.splitlines())
        return _OVER_PAGES.format(source) if height > _PAGE else source

    def _repr_latex_(self) -> str:
        return f"$$\n{self._block('aligned', str)}\n$$"

    def _block(self, environment: str, letters: Callable[[str], str]) -> str:
        note = [latex_text(self.note)] if self.note else []
        lines = [*note, "\\textbf{Forward pass}", *self.forward, "\\textbf{Backward pass}", *self.backward]
        # Fractions are higher than other lines, and would touch without room between the lines.
        return aligned([letters(line.replace(" &= ", " = ", 1)) for line in lines], environment, "\\\\[4pt]")


def to_latex(
    root: Value, names: Names | None = None, max_nodes: int = 10_000, of: Value | Iterable[Value] | None = None
) -> Derivation:
    r"""Write the derivation of all gradients out: every node once, then ∂L/∂u for every node, in names and in numbers.

    If leaves have changed since the graph was computed, the first line says so, and old results stand alone.

    Parameters
    ----------
    root : Value
        L, the root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.
    max_nodes : int, optional
        The most nodes, and half of the most edges, of a graph that is written out; larger ones take long.
    of : Value or iterable of Value, optional
        The nodes by which derivatives are asked for, in any order. Then both passes show only these and what is
        computed from them, as their gradients need no other node's gradient. By default all.

    Returns
    -------
    Derivation
        A notebook typesets it; `str` gives the source of one ``align*`` for a paper, which needs the package amsmath
        alone. Its lines fit on a page of the article class, and it breaks over pages.

    Raises
    ------
    TypeError
        If `root` is no Value, or `of` are none.
    ValueError
        If the graph is larger than `max_nodes` says, or a node in `of` isn't in it, or is a constant.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
    >>> print(to_latex(w * x, of=w))
    \begin{align*}
    &\textbf{Forward pass} \\[4pt]
    w &= 0.5 \\[4pt]
    L &= w \cdot x = 0.5 \cdot 2 = 1 \\[4pt]
    &\textbf{Backward pass} \\[4pt]
    \frac{\partial L}{\partial L} &= 1 \\[4pt]
    \frac{\partial L}{\partial w} &= \frac{\partial L}{\partial L} \cdot \frac{\partial (w \cdot x)}{\partial w} = ...
    \frac{\partial (w \cdot x)}{\partial w} &= x = 2
    \end{align*}
    """
    graph = named(root, names, max_nodes, "to_latex")
    shown = {*graph.order} if of is None else _computed_from(_checked(of, graph), graph)
    forward = [step.equation("latex") for step in forward_steps(graph) if step.node in shown]
    steps = [step for step in backward_steps(graph) if step.node in shown]
    backward = [line for step in steps for line in [step.equation("latex"), *step.rules("latex")]]
    return Derivation(tuple(map(_aligned, forward)), tuple(map(_aligned, backward)), graph.note())


def _checked(of: Value | Iterable[Value], graph: NamedGraph) -> list[Value]:
    """Return the nodes that are asked for, or raise if there is no step for one of them."""
    expected = f"to_latex: of: expected nodes of the graph of {brief(graph.called[graph.root])}, as in of=[w, b]"
    if not isinstance(of, (Node, Iterable)) or isinstance(of, str):
        raise TypeError(f"{expected}, got {of!r:.60}")
    nodes = [of] if isinstance(of, Node) else list(of)
    for node in nodes:
        if not isinstance(node, Node):
            raise TypeError(f"{expected}, got {node!r:.60}")
    strays = [node for node in nodes if node not in graph.called]
    if strays:
        isnt = "isn't" if len(strays) == 1 else "aren't"
        raise ValueError(f"{expected}, got {_listed([*map(_stray_name, strays)])}, which {isnt} in it")
    constants = [graph.called[node] for node in nodes if not is_step(node, graph)]
    if constants or not nodes:
        got = f"{_listed(constants)}: no derivatives are taken by constants" if constants else "none"
        raise ValueError(f"{expected}, got {got}")
    return nodes


def _stray_name(node: Value) -> str:
    return by_lecture(node) or repr(node)


def _listed(names: list[str]) -> str:
    return ", ".join([*map(brief, names[:5]), *["…"] * (len(names) > 5)])


def _computed_from(nodes: Iterable[Value], graph: NamedGraph) -> set[Value]:
    """Return nodes, and what is computed from them."""
    found = set(nodes)
    for node in graph.order:
        if not found.isdisjoint(node.parents):
            found.add(node)
    return found


def _aligned(line: str) -> str:
    """Return a line with the mark at which lines are aligned, before its first equals sign."""
    line = re.sub(r"\s+", " ", line)  # an empty line inside of a label would end the formula
    left, right = sides(line)
    return f"{left} &{right[1:]}" if left else f"{line} &= {line}"  # of a label "2", with the number 2
