"""The two stages of backpropagation as data: what the forward and the backward pass do, one record for each step.

The records are read from the graph; no ``.grad`` is touched. Everything that explains a gradient is made of them:
`explain`, the LaTeX, the stepper, the command line.

Two things that look alike are written differently: ∂L/∂u is the gradient, of the root by a node; ``∂(w·x)/∂w`` is the
local derivative ∂v/∂u of one operation by one of its operands, written with that operation's formula. Constants are no
steps: their numbers stand in the formulas, and nobody asks for a gradient by them.
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
from autograd_mini.explanations.local import (
    LocalDerivative,
    Operands,
    agree,
    application,
    local_derivative,
    printed,
)
from autograd_mini.explanations.names import NamedGraph, Names, named, node_names, unused
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import (
    Expression,
    Style,
    derivative,
    equation,
    format_number,
    number,
    symbol,
)
from autograd_mini.formulas.letters import portable
from autograd_mini.formulas.typeset import aligned

DIGITS = 6  # significant digits in the printed arithmetic


def _gives(primitive: Primitive, operands: list[float], value: float, digits: int) -> bool:
    """Return whether an operation on numbers of so many digits gives a value; True where that isn't known."""
    if not primitive.has_forward:
        return True
    try:
        return agree(float(primitive.forward(floats, *operands)), value, digits)
    except (TypeError, ValueError, ArithmeticError):  # a user's own
        return True


class _Record:
    """A step that prints itself as a line of arithmetic and as LaTeX."""

    older: str  # what has changed since the numbers were computed; "" where nothing has

    def equation(self, style: Style, digits: int = DIGITS) -> str:
        """Return the step as one line, in the given style."""
        raise NotImplementedError

    def latex(self) -> str:
        """Return the step as LaTeX, without dollar signs."""
        return portable(self._latex())

    def _latex(self) -> str:
        """Return the LaTeX with all letters that a notebook shows."""
        return self.equation("latex")

    def __str__(self) -> str:
        return self._with_age(self.equation("text"))

    def _repr_latex_(self) -> str:
        older = f" \\quad {text.latex_text(f'({self.older})')}" if self.older else ""
        return f"$\\displaystyle {self._latex()}{older}$"

    def _with_age(self, line: str) -> str:
        return f"{line} ({self.older})" if self.older else line


@dataclass(frozen=True, eq=False)
class ForwardStep(_Record):
    """The computation of one node.

    Attributes
    ----------
    node : Value
        The node.
    value : float
        Its data.
    values : mapping of Value to float, optional
        The data of all nodes at that time; by default what they have when it is printed.
    older : str
        What has changed since it was computed, as the data of its parents give another number; "" where nothing has.
        Then the value stands alone: the arithmetic of now didn't give it.
    """

    node: Value
    value: float
    names: Mapping[Value, str] = field(repr=False)
    values: Mapping[Value, float] | None = field(default=None, repr=False)
    older: str = field(default="", repr=False)

    def equation(self, style: Style, digits: int = DIGITS) -> str:
        """Return ``z = w·x + b = 0.5·2 + 0.1 = 1.1`` in the given style.

        Without the numbers in the middle where, in so few digits, they give another result.
        """
        parts = [symbol(self.names[self.node])]
        if self.node.primitive is not None and not self.older:
            parents = self.node.parents
            values = {u: u.data for u in parents} if self.values is None else self.values
            operands = [*Operands(parents, self.names, digits, values)]
            numbers = [printed(values[u], digits) for u in parents]
            parts.append(application(self.node.primitive, operands))
            if _gives(self.node.primitive, numbers, self.value, digits):
                parts.append(application(self.node.primitive, [number(x, digits) for x in numbers]))
        return equation([*parts, number(self.value, digits)], style)


@dataclass(frozen=True, eq=False)
class Contribution:
    """What one edge u → v brings to the gradient of u: ∂L/∂v · ∂v/∂u.

    The local derivative ∂v/∂u looks at one operation alone, and holds everything else in it fixed; so it is written
    with that operation's formula, as in ``∂L/∂p·∂(w·x)/∂w`` for p = w·x.

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
    is_old : bool
        Whether leaves have changed since ∂v/∂u was recorded, so that v's formula may give another number now.
    """

    successor: Value
    slot: int
    upstream: float
    local: float
    product: float
    is_old: bool = False


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
    values : mapping of Value to float, optional
        The data of all nodes at that time; by default what they have when it is printed.
    older : str
        What has changed since a local derivative in it was recorded; "" where nothing has.
    """

    node: Value
    contributions: tuple[Contribution, ...]
    gradient: float
    root: Value
    names: Mapping[Value, str] = field(repr=False)
    values: Mapping[Value, float] | None = field(default=None, repr=False)
    older: str = field(default="", repr=False)

    def in_names(self) -> Expression:
        """Return the right-hand side in names: ∂L/∂p·∂(w·x)/∂w + …; 0 where nothing leads to the root."""
        root = self.names[self.root]
        terms = [derivative(root, self.names[c.successor]) * self.local(c).name for c in self.contributions]
        return text.sum(terms) if terms else number(self.gradient)

    def in_numbers(self, digits: int = DIGITS) -> Expression:
        """Return the right-hand side in numbers: 1·2 + …."""
        terms = [number(c.upstream, digits) * number(c.local, digits) for c in self.contributions]
        return text.sum(terms) if terms else number(self.gradient, digits)

    def numbers_agree(self, digits: int = DIGITS) -> bool:
        """Return whether the right-hand side in numbers of so many digits gives the gradient: terms may cancel out."""
        terms = [printed(c.upstream, digits) * printed(c.local, digits) for c in self.contributions]
        return not terms or agree(floats.sum(terms), self.gradient, digits)

    def local(self, contribution: Contribution, digits: int = DIGITS) -> LocalDerivative:
        """Return the local derivative of a contribution: its symbol, its formula and its numbers."""
        c = contribution
        return local_derivative(c.successor, c.slot, c.local, self.names, digits, self.values, c.is_old)

    def rules(self, style: Style = "text", digits: int = DIGITS, easy: bool = True) -> list[str]:
        """Return what gives the local derivatives: ``tanh′(z) = 1 - a² = 1 - 0.6² = 0.64``.

        Those that are bare numbers, as in a sum, are seen in the step itself; without `easy`, those of a product, the
        other factor, are left out as well.
        """
        found = [self.local(c, digits) for c in self.contributions]
        kept = [one for one in found if one.formula is not None and one.formula.form != "number"]
        return list(dict.fromkeys(one.equation(style) for one in kept if easy or not one.is_easy))

    def left_hand_side(self) -> Expression:
        """Return ∂L/∂u."""
        return derivative(self.names[self.root], self.names[self.node])

    def equation(self, style: Style, digits: int = DIGITS) -> str:
        """Return ``∂L/∂w = ∂L/∂p·∂(w·x)/∂w = 1·2 = 2`` in the given style.

        Without the numbers in the middle where, in so few digits, they give another result.
        """
        numbers = [self.in_numbers(digits)] if self.numbers_agree(digits) else []
        parts = [self.left_hand_side(), self.in_names(), *numbers, number(self.gradient, digits)]
        found, note = equation(parts, style), self.note()
        if not note:
            return found
        return f"{found} \\quad {text.latex_text(f'({note})')}" if style == "latex" else f"{found} ({note})"

    def latex(self) -> str:
        """Return the step as LaTeX, without dollar signs, and after it the rules that aren't seen at a glance."""
        return super().latex()

    def _latex(self) -> str:
        return " \\qquad ".join([self.equation("latex"), *self.rules("latex", easy=False)])

    def __str__(self) -> str:
        return "\n  ".join([self._with_age(self.equation("text")), *self.rules(easy=False)])

    def note(self) -> str:
        """Return why a local derivative in it isn't known, where one isn't; "" where all are."""
        return "; ".join(filter(None, dict.fromkeys(why_unknown(c.successor) for c in self.contributions)))


def forward_steps(root: Value | NamedGraph, names: Names | None = None) -> Iterator[ForwardStep]:
    """Iterate over the forward pass: every node with its value, parents first; but for constants.

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

    After a leaf has changed, a result that is older stands alone, until the graph is computed again:

    >>> y = w * x
    >>> w.data = 3.0
    >>> print(list(forward_steps(y))[-1])
    L = 1 (w has probably changed since this graph was computed; L.forward() brings it up to date)
    >>> y.forward()
    6.0
    >>> print(list(forward_steps(y))[-1])
    L = w·x = 3·2 = 6
    """
    graph = named(root, names)
    note = graph.note()
    for node in graph.order:
        if is_step(node, graph):
            older = note if node in graph.age.results else ""
            yield ForwardStep(node, node.data, graph.called, graph.values, older)


def backward_steps(root: Value | NamedGraph, names: Names | None = None) -> Iterator[BackwardStep]:
    """Iterate over the backward pass: every node with its gradient, in reverse topological order; but for constants.

    Step 0 is the base case ∂L/∂L = 1. Every ∂L/∂v is final when it is used. The sums are those of `Value.backward`, to
    the bit; no ``.grad`` is touched. As there, local derivatives are those that were recorded when the graph was
    computed; a step in which they are older than the leaves' data says so.

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
    ∂L/∂x = ∂L/∂L·∂(x①·x②)/∂x① + ∂L/∂L·∂(x①·x②)/∂x② = 1·3 + 1·3 = 6
    """
    graph = named(root, names)
    found, note = recorded_gradients(graph.order), graph.note()
    for node in reversed(graph.order):
        if is_step(node, graph):
            yield backward_step(node, graph, found, note)


def backward_step(node: Value, graph: NamedGraph, found: Mapping[Value, float], note: str) -> BackwardStep:
    """Return the step of one node, constant or not, of a graph whose gradients and whose note are known."""
    contributions = tuple(
        Contribution(v, slot, found[v], local, found[v] * local, graph.age.is_old(v, slot))
        for _, v, slot, local in graph.outgoing[node]
    )
    older = note if any((c.successor, c.slot) in graph.age.local_grads for c in contributions) else ""
    return BackwardStep(node, contributions, found[node], graph.root, graph.called, graph.values, older)


def is_step(node: Value, graph: NamedGraph) -> bool:
    """Return whether a pass has a step for a node; of a constant the number is known, and no gradient is asked for."""
    return node.kind != CONSTANT or node is graph.root


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
    if node is root:
        return 1.0
    order = topological_order(root)
    moving = _moving(node, order)
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


def _moving(node: Value, order: list[Value]) -> set[Value]:
    """Return the nodes that change with a node: itself, and what is computed from it."""
    moving = {node}
    for v in order:
        if not moving.isdisjoint(v.parents):
            moving.add(v)
    return moving


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a gradient is what it is: the chain rule in names, in numbers, and a finite difference to check it by.

    Attributes
    ----------
    step : BackwardStep
        The record of the backward pass for the node.
    finite_difference : float or None
        (L(u+h) - L(u-h)) / 2h; None where an operation is known by its ``_backward`` alone, and can't be computed anew.
    value : float
        The data of u.
    older : str
        What has changed since the graph was computed; "" where nothing has. Then the gradient is that of the graph as
        it was computed, and the finite difference that of the data which the nodes have now.
    """

    step: BackwardStep
    finite_difference: float | None
    value: float
    older: str = ""

    def _rows(self, style: Style) -> list[tuple[str, str]]:
        """Return what there is to say, each with its title."""
        step, left = self.step, self.step.left_hand_side()
        gradient = ("gradient", equation([left, number(step.gradient, DIGITS)], style))
        if not step.contributions:
            return [gradient]
        rules = [("where", rule) for rule in step.rules(style)]
        in_names = ("in names", equation([left, step.in_names()], style))
        in_numbers = ("in numbers", equation([left, step.in_numbers()], style))
        return [in_names, *rules, *[in_numbers] * step.numbers_agree(), gradient]

    def __str__(self) -> str:
        u, root = (text.printable(self.step.names[node]) for node in (self.step.node, self.step.root))
        left = self.step.left_hand_side().render()
        at = "" if self.older or u == (value := format_number(self.value, DIGITS)) else f", at {u} = {value}"
        lines = [f"{left}: how {root} changes with {u}{at}"]
        if self.step.node is self.step.root:
            lines = [f"{left}: {root} is the root, which changes with itself one to one"]
        lines += [f"  {title:<18}{formula}" for title, formula in self._rows("text")]
        if not self.step.contributions:
            lines[-1] += " (the base case)" if self.step.node is self.step.root else f" (no path from {u} to {root})"
        if self.step.note():
            lines.append(f"  {'not known':<18}{self.step.note()}")
        difference = "none: an operation on the way has no formula to compute it anew"
        if self.finite_difference is not None:
            difference = f"{left} ≈ {format_number(self.finite_difference, DIGITS + 3)}"
        lines.append(f"  {'finite difference':<18}{difference}")
        if self.older:
            why = "the gradient is of the numbers before, the finite difference of those of now:"
            lines += [f"  {'older':<18}{why}", f"  {'':<18}{self.older}"]
        return "\n".join(lines)

    def latex(self) -> str:
        """Return the explanation as an aligned block of LaTeX, without dollar signs."""
        return aligned(map(portable, self._lines()))

    def _lines(self) -> list[str]:
        left = self.step.left_hand_side().render("latex")
        rows = [line for _, line in self._rows("latex")]
        if self.finite_difference is not None:
            approximate = text.latex_number(self.finite_difference, DIGITS + 3)
            rows.append(f"{left} \\approx {approximate} \\text{{ (finite difference)}}")
        return [*rows, *[text.latex_text(self.older)] * bool(self.older)]

    def _repr_latex_(self) -> str:
        return f"$$\n{aligned(self._lines())}\n$$"


def explain(node: Value, root: Value, names: Names | None = None, max_nodes: int = 150_000) -> Explanation:
    """Explain the gradient ∂root/∂node: the formula in names and in numbers, and a finite difference beside it.

    If leaves have changed since the graph was computed, the two disagree, and the last line says why.

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
      in names          ∂L/∂w = ∂L/∂L·∂(w·x)/∂w
      where             ∂(w·x)/∂w = x = 2
      in numbers        ∂L/∂w = 1·2
      gradient          ∂L/∂w = 2
      finite difference ∂L/∂w ≈ 2
    """
    graph = named(root, names, max_nodes, "explain")
    note = graph.note()
    if node not in graph.called:
        called, name = graph.called, node_names(node, names)[node]
        stray = unused("u" if name == "L" else name, {*called.values()})
        return Explanation(BackwardStep(node, (), 0.0, root, {**called, node: stray}), 0.0, node.data, note)
    step = backward_step(node, graph, recorded_gradients(graph.order), note)
    can_move = all(v.primitive is None or v.primitive.has_forward for v in _moving(node, graph.order) if v is not node)
    return Explanation(step, finite_difference(root, node) if can_move else None, node.data, note)
