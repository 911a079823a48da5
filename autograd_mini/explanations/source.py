"""The source reading: lines of Python that give the reading on floats' numbers, for `to_python`.

A `Term` is a formula of the text reading together with its number as a float. What is known is computed at once,
so that the derivative of x**2 reads ``2.0 * x``; and the number says where Python's own ``/`` and ``**`` would raise an
error, so that a function of `floats` has to stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograd_mini.engine import floats
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, symbol


@dataclass(frozen=True, eq=False)
class Term:
    """A part of a formula.

    Parameters
    ----------
    formula : Expression
        How it is written.
    number : float or bool
        What it is.
    calls : frozenset of str
        The functions that it calls.

    Examples
    --------
    >>> x = Term(symbol("x"), 3.0)
    >>> (1.0 * x + (x - 1.0) * x).source(), (1.0 * x + (x - 1.0) * x).number
    ('x + (x - 1.0) * x', 9.0)
    """

    formula: Expression
    number: Any
    calls: frozenset[str] = frozenset()

    def source(self) -> str:
        """Return the term as Python."""
        return self.formula.render("python")

    @property
    def known(self) -> bool:
        """Whether it is a bare number, with which one can compute at once."""
        return self.formula.form == "number"

    def __mul__(self, other: Any) -> Term:
        other = term(other)
        for factor, rest in ((self, other), (other, self)):
            if factor.known and abs(factor.number) == 1.0:
                return rest if factor.number > 0.0 else -rest
        return _made(self.formula * _grouped(other, "*", "/"), self.number * other.number, self, other)

    def __rmul__(self, other: Any) -> Term:
        return term(other) * self

    def __add__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula + _grouped(other, "+", "-"), self.number + other.number, self, other)

    def __radd__(self, other: Any) -> Term:
        return term(other) + self

    def __sub__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula - other.formula, self.number - other.number, self, other)

    def __rsub__(self, other: Any) -> Term:
        return term(other) - self

    def __neg__(self) -> Term:
        return _made(-self.formula, -self.number, self)

    def __abs__(self) -> Term:
        return _made(abs(self.formula), abs(self.number), self)

    def __gt__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula > other.formula, self.number > other.number, self, other)

    def __lt__(self, other: Any) -> Term:
        return term(other) > self

    def __ge__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula >= other.formula, self.number >= other.number, self, other)

    def __and__(self, other: Term) -> Term:
        if self.known or other.known:
            known, rest = (self, other) if self.known else (other, self)
            return rest if known.number else known
        return _made(self.formula & other.formula, self.number and other.number, self, other)

    def __or__(self, other: Term) -> Term:
        if self.known or other.known:
            known, rest = (self, other) if self.known else (other, self)
            return known if known.number else rest
        return _made(self.formula | other.formula, self.number or other.number, self, other)


def term(part: Any) -> Term:
    """Return a number as a term; a term as it is."""
    return part if isinstance(part, Term) else Term(text.number(part), part)


def _made(formula: Expression, number: Any, *parts: Term, call: str | None = None) -> Term:
    """Return the term of an operation; of bare numbers, the bare result."""
    if all(part.known for part in parts):
        return term(number)
    own = frozenset() if call is None else frozenset({call})
    return Term(formula, number, own.union(*(part.calls for part in parts)))


def _grouped(part: Term, *operators: str) -> Expression:
    """Return a right operand, in brackets where Python would else compute, and round, in another order."""
    return symbol(f"({part.source()})") if part.formula.form in operators else part.formula


class Reading:
    """The namespace ``xp`` of the rules.

    Parameters
    ----------
    above : list of (str, Term) or None
        Gets a variable and its term for each sum and each softmax, which a rule of derivatives uses for all operands
        alike; None where they are to stand in the formula.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import find
    >>> x, out = Term(symbol("x"), 3.0), Term(symbol("y"), 9.0)
    >>> [found.source() for found in find("pow").derivatives(Reading(), out, x, term(2.0))]
    ['2.0 * x', 'where(x == 0.0, 0.0, y * log(x))']
    """

    def __init__(self, above: list[tuple[str, Term]] | None = None) -> None:
        self.above = above

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *parts: self._call(name, parts)

    def _call(self, name: str, parts: Any) -> Term:
        terms = [term(part) for part in parts]
        number = getattr(floats, name)(*[part.number for part in terms])
        return _made(text.call(name, *[part.formula for part in terms]), number, *terms, call=name)

    def _named(self, name: str, made: Term) -> Term:
        """Return a variable that holds the term, if one may stand above."""
        if self.above is None or made.known:
            return made
        variable = f"_{name}{len(self.above) + 1}"
        self.above.append((variable, made))
        return Term(symbol(variable), made.number)

    def sum(self, terms: Any) -> Term:
        """Return the sum by Python's own `sum`, as the floats do: it rounds otherwise than + from 3.12 on."""
        parts = [term(part) for part in terms]
        written = symbol(f"sum([{', '.join(part.source() for part in parts)}])")
        return self._named("sum", _made(written, floats.sum([part.number for part in parts]), *parts))

    def softmax(self, *numbers: Any) -> tuple[Term, ...]:
        """Return all shares; where a line may stand above, from one call there."""
        parts = [term(number) for number in numbers]
        shares = floats.softmax(*[part.number for part in parts])
        if all(part.known for part in parts):
            return tuple(term(share) for share in shares)
        written = symbol(f"softmax({', '.join(part.source() for part in parts)})")
        whole = self._named("softmax", _made(written, shares, *parts, call="softmax"))
        called = [symbol(f"{whole.source()}[{i}]") for i in range(len(parts))]
        return tuple(Term(share, number, whole.calls) for share, number in zip(called, shares, strict=True))

    def divide(self, a: Any, b: Any) -> Term:
        """Return a / b, by a function where Python's division would raise an error."""
        a, b = term(a), term(b)
        if b.number == 0.0:
            return self._call("divide", (a, b))
        return _made(text.divide(a.formula, b.formula), a.number / b.number, a, b)

    def power(self, a: Any, b: Any) -> Term:
        """Return a ** b, by a function where Python's power would raise an error or be complex."""
        base, exponent = term(a), term(b)
        if exponent.known and exponent.number == 1.0:
            return base
        if not _plain_power_works(base.number, exponent.number):
            return self._call("power", (base, exponent))
        written = text.power(base.formula, exponent.formula)
        return _made(written, base.number**exponent.number, base, exponent)

    def equal(self, a: Any, b: Any) -> Term:
        """Return the condition a == b."""
        a, b = term(a), term(b)
        return _made(text.equal(a.formula, b.formula), a.number == b.number, a, b)

    def where(self, condition: Any, a: Any, b: Any) -> Term:
        """Return "a if condition else b"; only the one that is meant, where the condition is known."""
        parts = term(condition), term(a), term(b)
        chosen = parts[1] if parts[0].number else parts[2]
        if parts[0].known:
            return chosen
        return _made(text.where(*[part.formula for part in parts]), chosen.number, *parts, call="where")

    def magnitude(self, a: Any) -> Term:
        """Return |a|."""
        return abs(term(a))


def _plain_power_works(a: float, b: float) -> bool:
    try:
        return not isinstance(a**b, complex)
    except (OverflowError, ZeroDivisionError):
        return False
