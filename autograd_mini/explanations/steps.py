"""The two stages of backpropagation as data: what the forward and the backward pass do, one record for each step.

The records are read from the graph; no ``.grad`` is touched. Everything that explains a gradient is made of them:
`explain`, the LaTeX, the stepper, the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autograd_mini.engine import floats
from autograd_mini.engine.graph import evaluate, recorded_gradients, topological_order
from autograd_mini.engine.node import CONSTANT
from autograd_mini.engine.own import why_unknown
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph, Names, named, node_names
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, Style, derivative, format_number, number, symbol

DIGITS = 6  # significant digits in the printed arithmetic

# These are printed as their formula, a + b; every other operation as a call, softplus(x).
_WRITTEN_OUT = {"add", "sub", "mul", "div", "neg", "pow", "abs", "sum", "dot"}


def application(primitive: Primitive, operands: list[Expression]) -> Expression:
    """Return the formula of an operation on operands, as a reader would write it: ``w·x + b``, ``tanh(z)``."""
    if primitive.name in _WRITTEN_OUT and primitive.has_forward:
        return primitive.forward(text, *operands)  # type: ignore[no-any-return]
    return text.call(primitive.name, *operands) if primitive.has_forward else text.named_call(primitive.name, *operands)


def _number(value: float) -> Expression:
    return number(value, DIGITS)


def _equation(parts: list[Expression], style: Style) -> str:
    """Return "a = b = c", without repeating what reads the same."""
    written = [part.render(style) for part in parts]
    return " = ".join(part for i, part in enumerate(written) if i == 0 or part != written[i - 1])


class _Record:
    """A step that prints itself as a line of arithmetic and as LaTeX."""

    def equation(self, style: Style) -> str:
        """Return the step as one line, in the given style."""
        raise NotImplementedError

    def latex(self) -> str:
        """Return the step as LaTeX, without dollar signs."""
        return self.equation("latex")

    def __str__(self) -> str:
        return self.equation("text")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


@dataclass(frozen=True, eq=False)
class ForwardStep(_Record):
    """The computation of one node.

    Attributes
    ----------
    node : Value
        The node.
    value : float
        Its data.
    """

    node: Value
    value: float
    names: Mapping[Value, str] = field(repr=False)

    def equation(self, style: Style) -> str:
        """Return ``z = w·x + b = 0.5·2 + 0.1 = 1.1`` in the given style."""
        parts = [symbol(self.names[self.node])]
        if self.node.primitive is not None:
            parts.append(application(self.node.primitive, [self._operand(u) for u in self.node.parents]))
            parts.append(application(self.node.primitive, [_number(u.data) for u in self.node.parents]))
        return _equation([*parts, _number(self.value)], style)

    def _operand(self, u: Value) -> Expression:
        """Return an operand by its name; a constant as its number, so that -2 is bracketed where it must be."""
        return _number(u.data) if u.kind == CONSTANT and not u.label else symbol(self.names[u])


@dataclass(frozen=True, eq=False)
class Contribution:
    """What one edge u → v brings to the gradient of u: ∂L/∂v · ∂v/∂u.

    Attributes
    ----------
    successor : Value
        v, a node computed from u.
    slot : int
        Which of v's parents u is on this edge.
    upstream : float
        ∂L/∂v.
    local : float
        The local derivative ∂v/∂u.
    product : float
        The contribution ∂L/∂v · ∂v/∂u.
    """

    successor: Value
    slot: int
    upstream: float
    local: float
    product: float


@dataclass(frozen=True, eq=False)
class BackwardStep(_Record):
    """The gradient of one node: ∂L/∂u = Σ over v in T(u) of ∂L/∂v · ∂v/∂u.

    Attributes
    ----------
    node : Value
        u.
    contributions : tuple of Contribution
        One for each edge that leaves u, in the order in which the backward pass adds them; none for the root.
    gradient : float
        ∂L/∂u.
    root : Value
        L.
    """

    node: Value
    contributions: tuple[Contribution, ...]
    gradient: float
    root: Value
    names: Mapping[Value, str] = field(repr=False)

    def in_names(self) -> Expression:
        """Return the right-hand side in names: ∂L/∂v·∂v/∂u + …; 0 where nothing leads to the root."""
        root, name = self.names[self.root], self.names
        terms = [
            derivative(root, name[c.successor]) * derivative(name[c.successor], name[self.node])
            for c in self.contributions
        ]
        return text.sum(terms) if terms else _number(self.gradient)

    def in_numbers(self) -> Expression:
        """Return the right-hand side in numbers: 1·2 + …."""
        terms = [_number(c.upstream) * _number(c.local) for c in self.contributions]
        return text.sum(terms) if terms else _number(self.gradient)

    def left_hand_side(self) -> Expression:
        """Return ∂L/∂u."""
        return derivative(self.names[self.root], self.names[self.node])

    def equation(self, style: Style) -> str:
        """Return ``∂L/∂u = ∂L/∂v·∂v/∂u = 1·2 = 2`` in the given style."""
        if self.gradient != self.gradient and self.node.kind == CONSTANT:
            # x**2 has no derivative by the 2 where x is negative, and none is needed.
            note = "not taken, it is a constant"
            return f"{self.left_hand_side().render(style)}: " + (f"\\text{{{note}}}" if style == "latex" else note)
        found = _equation([self.left_hand_side(), self.in_names(), self.in_numbers(), _number(self.gradient)], style)
        note = self.note()
        if not note:
            return found
        return f"{found} \\quad {text.latex_name(f'({note})')}" if style == "latex" else f"{found} ({note})"

    def note(self) -> str:
        """Return why a local derivative in it isn't known, where one isn't; "" where all are."""
        return "; ".join(filter(None, dict.fromkeys(why_unknown(c.successor) for c in self.contributions)))


def forward_steps(root: Value | NamedGraph, names: Names | None = None) -> Iterator[ForwardStep]:
    """Iterate over the forward pass: every node with its value, parents first.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(0.1, label="b")
    >>> for step in forward_steps(w * x + b):
    ...     print(step)
    w = 0.5
    x = 2
    v1 = w·x = 0.5·2 = 1
    b = 0.1
    L = v1 + b = 1 + 0.1 = 1.1
    """
    graph = named(root, names)
    for node in graph.order:
        yield ForwardStep(node, node.data, graph.called)


def backward_steps(root: Value | NamedGraph, names: Names | None = None) -> Iterator[BackwardStep]:
    """Iterate over the backward pass: every node with its gradient, in reverse topological order.

    Step 0 is the base case ∂L/∂L = 1. Every ∂L/∂v is final when it is used. The sums are those of `Value.backward`, to
    the bit; no ``.grad`` is touched.

    Parameters
    ----------
    root : Value
        L, the root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> for step in backward_steps(x * x):
    ...     print(step)
    ∂L/∂L = 1
    ∂L/∂x = ∂L/∂L·∂L/∂x + ∂L/∂L·∂L/∂x = 1·3 + 1·3 = 6
    """
    graph = named(root, names)
    found = recorded_gradients(graph.order)
    for node in reversed(graph.order):
        contributions = tuple(
            Contribution(v, slot, found[v], local, found[v] * local) for _, v, slot, local in graph.outgoing[node]
        )
        yield BackwardStep(node, contributions, found[node], graph.root, graph.called)


def finite_difference(root: Value, node: Value, h: float | None = None) -> float:
    """Return (L(u+h) - L(u-h)) / 2h for a node u, leaf or not, without changing the graph.

    Parameters
    ----------
    root, node : Value
        L and u; 0 where u isn't in the graph of L.
    h : float, optional
        The step. By default several are tried, from 6e-6 max(|u|, 1) downwards, and the first is taken whose result
        agrees with that of the next.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> round(finite_difference(x * x, x), 6)
    6.0
    """
    order = topological_order(root)
    moving = {node}
    for v in order:
        if not moving.isdisjoint(v.parents):
            moving.add(v)
    at_rest = {v: v.data for v in order if v not in moving}

    def at(data: float) -> float:
        return float(evaluate(order, floats, {**at_rest, node: data})[root])

    def difference(h: float) -> float:
        return (at(node.data + h) - at(node.data - h)) / (2.0 * h)

    if h is not None:
        return difference(h)
    steps = [6e-6 * max(1.0, abs(node.data)) * 10.0**-k for k in range(9)]
    found = [difference(h) for h in steps]
    # A step that is too wide leaves the domain, or crosses a wave; of one that is too narrow only rounding errors are
    # left. So take the widest that agrees with the next one, as far as the rounding error of that one allows.
    rounding = [2e-15 * abs(root.data) / h for h in steps]
    is_known = abs(found[0] - found[1]) <= 1e-2 * abs(found[0])  # then 0 means that a step was too narrow to be seen
    for wide, narrow, noise in zip(found[:-1], found[1:], rounding[1:], strict=True):
        if abs(wide - narrow) <= 1e-6 * abs(wide) + noise and not (is_known and wide == 0.0):
            return wide
    return found[0]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a gradient is what it is: the chain rule in names, in numbers, and a finite difference to check it by.

    Attributes
    ----------
    step : BackwardStep
        The record of the backward pass for the node.
    finite_difference : float or None
        (L(u+h) - L(u-h)) / 2h; None where an operation is known by its ``_backward`` alone, and can't be computed anew.
    """

    step: BackwardStep
    finite_difference: float | None

    def _rows(self, style: Style) -> list[tuple[str, Expression]]:
        rows = [("in names", self.step.in_names()), ("in numbers", self.step.in_numbers())]
        return [*rows, ("gradient", _number(self.step.gradient))] if self.step.contributions else rows[1:]

    def __str__(self) -> str:
        u, root = (text.printable(self.step.names[node]) for node in (self.step.node, self.step.root))
        left = self.step.left_hand_side().render()
        lines = [f"{left}: how {root} changes with {u}, at {u} = {format_number(self.step.node.data, DIGITS)}"]
        lines += [f"  {title:<18}{left} = {formula}" for title, formula in self._rows("text")]
        if not self.step.contributions:
            lines[-1] += " (the base case)" if self.step.node is self.step.root else f" (no path from {u} to {root})"
        if self.step.note():
            lines.append(f"  {'not known':<18}{self.step.note()}")
        difference = "none: an operation on the way has no formula to compute it anew"
        if self.finite_difference is not None:
            difference = f"{left} ≈ {format_number(self.finite_difference, DIGITS + 3)}"
        lines.append(f"  {'finite difference':<18}{difference}")
        return "\n".join(lines)

    def latex(self) -> str:
        """Return the explanation as an aligned block of LaTeX, without dollar signs."""
        rows = [f"&= {formula.render('latex')}" for _, formula in self._rows("latex")]
        if self.finite_difference is not None:
            approximate = text.latex_number(self.finite_difference, DIGITS + 3)
            rows.append(f"&\\approx {approximate} \\text{{ (finite difference)}}")
        body = " \\\\\n".join(rows)
        return f"\\begin{{aligned}}\n{self.step.left_hand_side().render('latex')} {body}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def explain(node: Value, root: Value, names: Names | None = None, max_nodes: int = 150_000) -> Explanation:
    """Explain the gradient ∂root/∂node: the formula in names and in numbers, and a finite difference beside it.

    Parameters
    ----------
    node, root : Value
        u and L.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.
    max_nodes : int, optional
        The most nodes, and half of the most edges, of a graph that is gone through; larger ones take long.

    Raises
    ------
    ValueError
        If the graph is larger than `max_nodes` says.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
    >>> print(explain(w, w * x))
    ∂L/∂w: how L changes with w, at w = 0.5
      in names          ∂L/∂w = ∂L/∂L·∂L/∂w
      in numbers        ∂L/∂w = 1·2
      gradient          ∂L/∂w = 2
      finite difference ∂L/∂w ≈ 2
    """
    graph = named(root, names, max_nodes, "explain")
    for step in backward_steps(graph):
        if step.node is node:
            can_move = all(v.primitive is None or v.primitive.has_forward for v in graph.order)
            return Explanation(step, finite_difference(root, node) if can_move else None)
    name = node_names(node, names)[node]
    called = {**graph.called, node: "u" if name == "L" else name}
    return Explanation(BackwardStep(node, (), 0.0, root, called), 0.0)
