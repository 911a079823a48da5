"""`to_latex`: both passes through a graph, written out line by line as LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import Names, named
from autograd_mini.explanations.steps import backward_steps, forward_steps
from autograd_mini.formulas.expression import latex_text


@dataclass(frozen=True)
class Derivation:
    r"""The lines of both passes; a notebook typesets it, `str` gives the LaTeX.

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
        """Return an aligned block of LaTeX, without dollar signs."""
        note = [f"&{latex_text(self.note)}"] if self.note else []
        lines = [*note, "&\\textbf{Forward pass}", *self.forward, "&\\textbf{Backward pass}", *self.backward]
        # Fractions are higher than other lines, and would touch without room between the lines.
        body = " \\\\[4pt]\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def __str__(self) -> str:
        return self.latex()

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def to_latex(root: Value, names: Names | None = None, max_nodes: int = 10_000) -> Derivation:
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

    Returns
    -------
    Derivation
        A notebook typesets it; `str` gives the source of one ``aligned`` block.

    Raises
    ------
    TypeError
        If `root` is no Value.
    ValueError
        If the graph is larger than `max_nodes` says.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
    >>> print(to_latex(w * x))
    \begin{aligned}
    &\textbf{Forward pass} \\[4pt]
    w &= 0.5 \\[4pt]
    x &= 2 \\[4pt]
    L &= w \cdot x = 0.5 \cdot 2 = 1 \\[4pt]
    &\textbf{Backward pass} \\[4pt]
    \frac{\partial L}{\partial L} &= 1 \\[4pt]
    \frac{\partial L}{\partial x} &= \frac{\partial L}{\partial L} \cdot \frac{\partial (w \cdot x)}{\partial x} = ...
    \frac{\partial (w \cdot x)}{\partial x} &= w = 0.5 \\[4pt]
    \frac{\partial L}{\partial w} &= \frac{\partial L}{\partial L} \cdot \frac{\partial (w \cdot x)}{\partial w} = ...
    \frac{\partial (w \cdot x)}{\partial w} &= x = 2
    \end{aligned}
    """
    graph = named(root, names, max_nodes, "to_latex")
    forward = [step.equation("latex") for step in forward_steps(graph)]
    backward = [line for step in backward_steps(graph) for line in [step.equation("latex"), *step.rules("latex")]]
    return Derivation(tuple(map(_aligned, forward)), tuple(map(_aligned, backward)), graph.note())


def _aligned(line: str) -> str:
    """Return a line with the mark at which lines are aligned, before its first equals sign."""
    line = re.sub(r"\s+", " ", line)  # an empty line inside of a label would end the formula
    return line.replace(" = ", " &= ", 1) if " = " in line else f"{line} &= {line}"  # of a label "2", with the number 2
