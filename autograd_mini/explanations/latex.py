"""`to_latex`: both passes through a graph, written out line by line as LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autograd_mini.engine.node import CONSTANT
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import Names, named
from autograd_mini.explanations.steps import BackwardStep, ForwardStep, backward_steps, forward_steps
from autograd_mini.formulas.expression import symbol


@dataclass(frozen=True)
class Derivation:
    r"""The lines of both passes; a notebook typesets it, `str` gives the LaTeX.

    Attributes
    ----------
    forward : tuple of str
        The forward pass, ``z &= w \cdot x = …``, a line for each node but for bare numbers.
    backward : tuple of str
        The backward pass, ``\frac{\partial L}{\partial w} &= …``, from the root to the leaves.
    """

    forward: tuple[str, ...]
    backward: tuple[str, ...]

    def latex(self) -> str:
        """Return an aligned block of LaTeX, without dollar signs."""
        lines = ["&\\textbf{Forward pass}", *self.forward, "&\\textbf{Backward pass}", *self.backward]
        # Fractions are higher than other lines, and would touch without room between the lines.
        body = " \\\\[4pt]\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def __str__(self) -> str:
        return self.latex()

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def to_latex(root: Value, names: Names | None = None, max_nodes: int = 10_000) -> Derivation:
    r"""Write the derivation of all gradients out: every node once, then ∂L/∂u for every node, in names and in numbers.

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
    \frac{\partial L}{\partial x} &= \frac{\partial L}{\partial L} \cdot ... = 1 \cdot 0.5 = 0.5 \\[4pt]
    \frac{\partial L}{\partial w} &= \frac{\partial L}{\partial L} \cdot \frac{\partial L}{\partial w} = 1 \cdot 2 = 2
    \end{aligned}
    """
    graph = named(root, names, max_nodes, "to_latex")
    forward = [step for step in forward_steps(graph) if _is_shown(step.node, root)]
    backward = [step for step in backward_steps(graph) if _is_shown(step.node, root)]
    return Derivation(
        tuple(_aligned(step, symbol(step.names[step.node]).render("latex")) for step in forward),
        tuple(_aligned(step, step.left_hand_side().render("latex")) for step in backward),
    )


def _is_shown(node: Value, root: Value) -> bool:
    """Return whether a node has lines of its own: a constant stands in the formulas, and has no gradient."""
    return node is root or node.kind != CONSTANT


def _aligned(step: ForwardStep | BackwardStep, left: str) -> str:
    """Return a step with the mark at which lines are aligned, before its first equals sign."""
    line = step.latex().removeprefix(left).removeprefix(" = ") or left  # "2 = 2" is written as 2
    return re.sub(r"\s+", " ", f"{left} &= {line}")  # an empty line inside of a label would end the formula
