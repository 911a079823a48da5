"""The local derivative of one operation by one of its operands: how it is written, and the rule that gives it.

∂v/∂u, the local derivative, looks at one operation alone, and holds everything else in it fixed; so it is written with
that operation's formula: ``tanh′(z)``, ``∂(w·x)/∂w``. Written with the name of the result, ``∂v/∂u``, it would read as
the gradient ∂L/∂u where v is the root L, and that is another number as soon as L depends on u in a second way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import isfinite, pi
from typing import Any

from autograd_mini.engine.node import CONSTANT
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.value import Value
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import ELLIPSIS, MOST_OPERANDS, Expression, Style, format_number, number, symbol
from autograd_mini.formulas.simplify import is_number, simplified

# These are printed as their formula, a + b; every other operation as a call, softplus(x).
_WRITTEN_OUT = {"add", "sub", "mul", "div", "neg", "pow", "abs", "sum", "dot"}
_OPERATORS = {"+", "-", "*", "/", "neg", "**"}
_NAMELESS = _OPERATORS | {"abs", "sqrt", "cbrt"}  # |x| and √(x) have no name that could bear the mark of a derivative
_EXACT = 12  # digits that a formula must give when it is computed with all there are
_MOST_TERMS = 3  # of a sum, that are all written in the name of a local derivative
_MOST_FORMS = 100  # operands: of more, each form takes as long as all of them together
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


def application(primitive: Primitive, operands: Sequence[Expression]) -> Expression:
    """Return the formula of an operation on operands, as a reader would write it: ``w·x + b``, ``tanh(z)``."""
    if not primitive.has_forward:
        return text.named_call(primitive.name, *operands)
    is_alone = len(operands) == 1 and primitive.arity is None  # the sum of one number is written as sum(x)
    if primitive.name in _WRITTEN_OUT and not is_alone:
        return primitive.forward(text, *operands)  # type: ignore[no-any-return]
    return text.call(primitive.name, *operands)


def local_name(
    primitive: Primitive, operands: Sequence[Expression], slot: int, marked: Sequence[int] = ()
) -> Expression:
    """Return how the local derivative of an operation by one operand is written.

    Parameters
    ----------
    primitive : Primitive
        The operation.
    operands : sequence of Expression
        What it is applied to.
    slot : int
        The place of the operand by which the derivative is taken.
    marked : sequence of int, optional
        The places in which the same node stands. Where there are several, each gets a mark, as the derivative is by one
        of these places alone.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import find
    >>> w, x, z = map(symbol, "wxz")
    >>> print(local_name(find("tanh"), [z], 0), local_name(find("mul"), [w, x], 0))
    tanh′(z) ∂(w·x)/∂w
    >>> print(local_name(find("mul"), [x, x], 1, marked=[0, 1]))
    ∂(x①·x②)/∂x②
    >>> print(local_name(find("sum"), [w, x, z, w], 2))
    ∂(… + z + …)/∂z
    """
    places = {place: k for k, place in enumerate(marked, start=1)} if len(marked) > 1 else {}

    def operand(i: int) -> Expression:
        return _marked(operands[i], places[i]) if i in places else operands[i]

    by = operand(slot)
    formula = _shortened(primitive, len(operands), slot, operand)
    if len(operands) == 1 and formula.form not in _NAMELESS and primitive.name.isidentifier():
        call = text.call if primitive.has_forward else text.named_call
        return call(f"{primitive.name}′", by)
    in_text, in_latex = formula.render(), formula.render("latex")
    if formula.form == "/":
        in_latex = " / ".join(text.as_one(part, "latex") for part in formula.parts)
    if formula.form in _OPERATORS:
        in_text, in_latex = f"({in_text})", f"({in_latex})"
    below, under = text.as_one(by, "text"), text.as_one(by, "latex")
    return symbol(f"∂{in_text}/∂{below}", f"\\frac{{\\partial {in_latex}}}{{\\partial {under}}}")


def textbook(primitive: Primitive, operands: Sequence[Expression], out: Expression, slot: int) -> Expression | None:
    """Return the formula of a local derivative as a textbook writes it.

    Parameters
    ----------
    primitive, operands, slot
        As for `local_name`. A bare number among the operands is best given as one: x² has the derivative 2·x.
    out : Expression
        The result of the operation.

    Returns
    -------
    Expression or None
        None for an operation of one's own of which no formula is known. The operands in it are the objects that were
        given, so that `in_numbers` can put numbers in their places.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import find
    >>> a, x, z = map(symbol, "axz")
    >>> print(textbook(find("tanh"), [z], a, 0), textbook(find("pow"), [x, number(3.0)], a, 0), sep=", ")
    1 - a², 3·x²
    """
    if not primitive.has_derivatives:
        return None
    _, term = _term(primitive, len(operands), slot)
    if term:  # of many terms, only one is concerned
        return operands[sum(term) - slot] if len(term) == 2 else number(1.0)
    if len(operands) > _MOST_FORMS:
        return None
    try:
        found = primitive.textbook(text, out, *operands)[slot]
    except (TypeError, ValueError):  # a user's own, whose rules take nothing but numbers
        return None
    return _folded(found if isinstance(found, Expression) else number(found))


def in_numbers(formula: Expression, numbers: Mapping[Expression, Expression]) -> Expression:
    """Return a formula with numbers in the places of its symbols.

    Examples
    --------
    >>> a = symbol("a")
    >>> print(in_numbers(1.0 - a**2, {a: number(-0.5)}))
    1 - (-0.5)²
    """
    if formula.form in ("symbol", "number"):
        return numbers.get(formula, formula)
    return Expression(formula.form, tuple([in_numbers(part, numbers) for part in formula.parts]))


@dataclass(frozen=True, eq=False)
class LocalDerivative:
    """∂v/∂u on one edge u → v: its symbol, its textbook form in names and in numbers, and its number.

    Attributes
    ----------
    name : Expression
        ``tanh′(z)``.
    formula : Expression or None
        ``1 - a²``; None where no formula is known, or where it doesn't give the number, as at a tie of two maxima.
    numbers : Expression or None
        ``1 - 0.6²``; None where the numbers, in so few digits, don't give it, as 1 - 1² for a saturated tanh.
    value : Expression
        ``0.64``.
    is_easy : bool
        Whether the formula is a number or another operand, as for a sum and a product.
    """

    name: Expression
    formula: Expression | None
    numbers: Expression | None
    value: Expression
    is_easy: bool

    def equation(self, style: Style = "text") -> str:
        """Return ``tanh′(z) = 1 - a² = 1 - 0.6² = 0.64``."""
        parts = [self.name, self.formula, self.numbers, self.value]
        return text.equation([part for part in parts if part is not None], style)


def local_derivative(
    v: Value,
    slot: int,
    local: float,
    names: Mapping[Value, str],
    digits: int | None = None,
    values: Mapping[Value, float] | None = None,
    is_old: bool = False,
) -> LocalDerivative:
    """Return a local derivative in its symbol, in names and in numbers.

    Parameters
    ----------
    v : Value
        The result of the operation.
    slot : int
        The place of the operand by which the derivative is taken.
    local : float
        The local derivative.
    names : mapping
        What the nodes are called.
    digits : int, optional
        The significant digits of the numbers; by default all.
    values : mapping, optional
        The numbers of the nodes; by default their data.
    is_old : bool, optional
        Whether leaves have changed since it was recorded: then no formula gives it, and it stands alone.

    Examples
    --------
    >>> from autograd_mini import tanh
    >>> z = Value(0.7, label="z")
    >>> a = tanh(z)
    >>> print(local_derivative(a, 0, a.local_grads[0], {z: "z", a: "a"}, digits=4).equation())
    tanh′(z) = 1 - a² = 1 - 0.6044² = 0.6347
    """
    primitive, parents = v.primitive, v.parents
    assert primitive is not None
    operands, out = Operands(parents, names, digits, values), symbol(names[v])
    result = v.data if values is None else values[v]
    by = parents[slot]
    name = local_name(primitive, operands, slot, [i for i, u in enumerate(parents) if u is by])
    formula, value = textbook(primitive, operands, out, slot), number(local, digits)
    if (
        is_old
        or formula is None
        or not _is_near(computed(formula, operands.numbers(None) | {out: number(result)}), local)
    ):
        return LocalDerivative(name, None, None, value, is_easy=True)
    numbers = in_numbers(formula, operands.numbers(digits) | {out: rounded(result, digits)})
    is_true = isfinite(local) and agree(computed(numbers), local, digits)
    is_easy = formula.form == "number" or (formula.form == "symbol" and formula is not out)
    return LocalDerivative(name, formula, numbers if is_true else None, value, is_easy)


class Operands(Sequence[Expression]):
    """A node's operands, each written when it is asked for: of a sum of a thousand terms, a line shows one.

    A bare number is written as one, so that -2 is bracketed where it must be.
    """

    def __init__(
        self,
        nodes: Sequence[Value],
        names: Mapping[Value, str],
        digits: int | None,
        values: Mapping[Value, float] | None = None,
    ) -> None:
        self.nodes, self.names, self.digits, self.values = nodes, names, digits, values
        self._written: dict[int, Expression] = {}

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, slot: Any) -> Any:
        if slot not in self._written:
            u = self.nodes[slot]
            is_number = is_bare(u, self.names)
            self._written[slot] = rounded(self._value(u), self.digits) if is_number else symbol(self.names[u])
        return self._written[slot]

    def numbers(self, digits: int | None) -> dict[Expression, Expression]:
        """Return the numbers of those that were asked for."""
        return {written: rounded(self._value(self.nodes[slot]), digits) for slot, written in self._written.items()}

    def _value(self, u: Value) -> float:
        return u.data if self.values is None else self.values[u]


def is_bare(u: Value, names: Mapping[Value, str]) -> bool:
    """Return whether a node is a constant that has no name but its number."""
    return u.kind == CONSTANT and not u.label and names[u] == format_number(u.data, 6)


def printed(value: float, digits: int | None) -> float:
    """Return the number that a reader sees, with so many digits; of a zero, no sign."""
    return value if digits is None else float(f"{value:.{digits}g}") + 0.0


def rounded(value: float, digits: int | None) -> Expression:
    """Return a number as a reader sees it."""
    return number(printed(value, digits), digits)


def computed(formula: Expression, numbers: Mapping[Expression, Expression] | None = None) -> float | None:
    """Return what a formula gives with numbers in the places of its symbols; None where that can't be said."""
    found = simplified(in_numbers(formula, {text.pi: number(pi), **(numbers or {})}))
    return found.parts[0] if found.form == "number" else None


def agree(found: float | None, value: float, digits: int | None) -> bool:
    """Return whether arithmetic on numbers of so many digits gives a number, but for the last two of its digits."""
    if found is None:
        return False
    if not isfinite(value):
        return found == value or (found != found and value != value)
    return abs(found - value) <= 10.0 ** (2 - (digits or _EXACT)) * abs(value)


def _is_near(found: float | None, value: float) -> bool:
    """Return whether a formula is the one that was computed by, whatever digits it loses; True where it isn't known."""
    return found is None or agree(found, value, digits=5) or abs(found - value) <= 1e-12


def _term(primitive: Primitive, count: int, slot: int) -> tuple[int, tuple[int, ...]]:
    """Return which term of a sum, or weighted sum, an operand stands in, and the operands in it; elsewhere none."""
    if primitive.name == "sum":
        return slot, (slot,)
    if primitive.name != "dot":
        return 0, ()
    half = count // 2
    return (half, (slot,)) if slot == 2 * half else (slot % half, (slot % half, slot % half + half))


def _shortened(primitive: Primitive, count: int, slot: int, operand: Callable[[int], Expression]) -> Expression:
    """Return the formula of an operation; of a long one, what stands around one operand."""
    which, term = _term(primitive, count, slot)
    last = count - 1 if primitive.name == "sum" else (count - 1) // 2
    if term and last >= _MOST_TERMS:
        rest = ELLIPSIS
        return text.sum([*[rest] * (which > 0), reduce(operator.mul, map(operand, term)), *[rest] * (which < last)])
    shown = [*range(count)]
    if not term and count > MOST_OPERANDS:
        shown = [0, *[-1] * (slot > 1), *[slot] * (slot > 0), *[-1] * (slot < count - 1)]
    return application(primitive, [operand(i) if i >= 0 else ELLIPSIS for i in shown])


def _marked(operand: Expression, place: int) -> Expression:
    """Return an operand with the mark of its place."""
    mark = _CIRCLED[place - 1] if place <= len(_CIRCLED) else f"({place})"
    return symbol(f"{text.as_one(operand, 'text')}{mark}", f"\\overset{{{place}}}{{{text.as_one(operand, 'latex')}}}")


def _folded(formula: Expression) -> Expression:
    """Return a formula as it is written by hand: 2·x for 2·x^(2 - 1), and of a known choice what is chosen."""
    if formula.form in ("symbol", "number"):
        return formula
    form, parts = formula.form, [_folded(part) for part in formula.parts]
    first, second = parts[0], parts[-1]
    if form in _COMPUTED and all(part.form == "number" for part in parts):
        digits = [part.parts[1] for part in parts if part.parts[1] is not None]
        return number(_COMPUTED[form](*[part.parts[0] for part in parts]), min(digits, default=None))
    if form == "where" and first.form == "number":
        return parts[1] if first.parts[0] else parts[2]
    if form == "*" and first is second and first.form == "symbol":
        return first ** number(2.0)
    if form == "**" and is_number(second, 0.0):
        return number(1.0)
    if form == "*" and is_number(first, 0.0):
        return first
    if form in ("*", "**") and is_number(second, 1.0):
        return first
    if form == "*" and is_number(first, 1.0):
        return second
    if form == "-" and is_number(second, 0.0):
        return first
    return Expression(form, tuple(parts))


_COMPUTED: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "neg": operator.neg,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
}
