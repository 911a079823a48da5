"""Formulas simplified: ``a * 1``, ``a - 0`` and ``where(2 >= 1, a, b)`` become a, operations on bare numbers a number.

What is left is what a program has to compute at each run. It gives the same number to the bit, whatever a is: ``a * 0``
is no 0 where a is infinite or nan, ``a + 0`` isn't a where a is -0, and ``1e200 * (1e200 * a)`` isn't ``inf * a``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from math import copysign
from typing import Any

from autograd_mini.engine import floats
from autograd_mini.formulas.expression import Expression, number

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}


class Filled(Expression):
    """A formula with places, and what is put into them; it is written out only when its parts are asked for.

    Deep graphs have many formulas of few sorts. What depends on the sort alone is found out once for each `rule`.

    Parameters
    ----------
    rule : Expression
        A simplified formula with places, made by `place`, where views are to be.
    operands : list of Expression
        What is put into each: views, or whatever `rule` has no place for.
    """

    rule: Expression
    operands: Sequence[Expression]

    def __init__(self, rule: Expression, operands: Sequence[Expression]) -> None:
        vars(self).update(form=rule.form, is_simple=True, rule=rule, operands=operands)

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """What the operation is applied to; a part that occurs several times is one object, as in the rule."""
        done: dict[int, Expression] = {}
        return tuple([_written_out(part, self.operands, done) for part in self.rule.parts])

    @property
    def views(self) -> list[Any]:
        """The views in it, each once."""
        return [self.operands[k].parts[0] for k in places_of(self.rule)]


def filled(rule: Expression, operands: Sequence[Expression]) -> Expression:
    """Return a simplified formula with other formulas in its places."""
    if rule.form == "view":
        k: int = rule.parts[0]
        return operands[k]
    return Filled(rule, operands) if places_of(rule) else rule


def place(k: int) -> Expression:
    """Return the place for operand number k."""
    return Expression("view", (k,))


@lru_cache(maxsize=4096)
def places_of(rule: Expression) -> list[int]:
    """Return which operands a formula has places for."""
    return list(dict.fromkeys(views_of(rule)))


def _written_out(formula: Expression, operands: Sequence[Expression], done: dict[int, Expression]) -> Expression:
    if formula.form == "view":
        k: int = formula.parts[0]
        return operands[k]
    if formula.form in ("number", "symbol"):
        return formula
    if id(formula) not in done:
        parts = tuple([_written_out(part, operands, done) for part in formula.parts])
        done[id(formula)] = Expression(formula.form, parts, is_simple=True)
    return done[id(formula)]


def product(*factors: Expression) -> Expression:
    """Return the product of formulas."""
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return simplified(result)


def views_of(expression: Expression) -> list[Any]:
    """Return the views in a formula: the rows of arrays that it reads."""
    found: list[Any] = []
    _add_views(expression, found)
    return found


def _add_views(expression: Expression, found: list[Any]) -> None:
    if expression.form == "view":
        found.append(expression.parts[0])
    elif isinstance(expression, Filled):
        found += expression.views
    elif expression.form not in ("number", "symbol"):
        for part in expression.parts:
            _add_views(part, found)


def is_uniform(expression: Expression) -> bool:
    """Return whether a formula is one number for all rows and examples."""
    form = expression.form
    if form == "view" or isinstance(expression, Filled):  # which has views
        return False
    return form in ("number", "symbol") or all(map(is_uniform, expression.parts))


def is_number(expression: Expression, value: float | None = None) -> bool:
    """Return whether a formula is a number; or is this one."""
    return expression.form == "number" and (value is None or expression.parts[0] == value)


def simplified(expression: Expression) -> Expression:
    """Return a formula in which everything is computed that doesn't depend on symbols or views."""
    return _simplified(expression, {})


def _simplified(expression: Expression, done: dict[int, Expression]) -> Expression:
    if expression.is_simple or expression.form in ("number", "symbol", "view"):
        return expression
    if id(expression) not in done:  # a part may occur many times
        parts = [_simplified(part, done) for part in expression.parts]
        done[id(expression)] = _made(expression.form, *parts)
    return done[id(expression)]


def _made(form: str, *parts: Expression) -> Expression:
    """Return an operation on parts that are simplified already."""
    if form in _COMPARISONS and all(map(is_number, parts)):
        return number(float(_COMPARISONS[form](*(part.parts[0] for part in parts))))
    rule = _RULES.get(form)
    known = rule(*parts) if rule is not None else None
    if known is None and all(map(is_number, parts)):
        known = _computed(form, [part.parts[0] for part in parts])
    return known if known is not None else Expression(form, parts, is_simple=True)


def _computed(form: str, numbers: list[float]) -> Expression | None:
    """Return the number that an operation on bare numbers gives; None for an operation that isn't known here."""
    operators: dict[str, Any] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": floats.divide,
        "**": floats.power,
        "neg": lambda a: -a,
        "abs": abs,
        "softmax": lambda *numbers: floats.softmax(*numbers)[0],
    }
    function = operators.get(form, getattr(floats, form, None))
    if function is None:
        return None
    return number(float(function(*numbers)))


def _is_zero(expression: Expression, sign: float) -> bool:
    """Return whether a formula is the number 0 with this sign."""
    return is_number(expression, 0.0) and copysign(1.0, expression.parts[0]) == sign


def _sum(a: Expression, b: Expression) -> Expression | None:
    if _is_zero(a, -1.0):
        return b
    if _is_zero(b, -1.0):
        return a
    if b.form == "neg":
        return _made("-", a, b.parts[0])
    return _made("-", b, a.parts[0]) if a.form == "neg" else None


def _difference(a: Expression, b: Expression) -> Expression | None:
    if _is_zero(b, 1.0):
        return a
    if _is_zero(a, -1.0):
        return _made("neg", b)
    return _made("+", a, b.parts[0]) if b.form == "neg" else None


def _times(a: Expression, b: Expression) -> Expression | None:
    for one, other in ((a, b), (b, a)):
        if is_number(one, 1.0):
            return other
        if is_number(one, -1.0):
            return _made("neg", other)
    for one, other in ((a, b), (b, a)):
        if one.form == "neg":
            return _made("neg", _made("*", one.parts[0], other))
    if is_uniform(b) and not is_uniform(a):  # a factor that is the same for all rows and examples comes first
        return _made("*", b, a)
    if is_number(b) and not is_number(a):
        return _made("*", b, a)
    # ∂L/∂output is 1 or 1/n: with a small number it makes one factor for all examples.
    if a.form == "symbol" and b.form == "*" and is_number(b.parts[0]) and abs(b.parts[0].parts[0]) <= 2.0:
        return Expression("*", (_made("*", a, b.parts[0]), b.parts[1]), is_simple=True)
    return None


def _quotient(a: Expression, b: Expression) -> Expression | None:
    if is_number(b, 1.0):
        return a
    return _made("neg", _made("/", a.parts[0], b)) if a.form == "neg" else None


def _power(a: Expression, b: Expression) -> Expression | None:
    if is_number(b, 1.0):
        return a
    return number(1.0) if is_number(b, 0.0) else None


def _negative(a: Expression) -> Expression | None:
    if a.form == "neg":
        inner: Expression = a.parts[0]
        return inner
    if is_number(a):
        return number(-a.parts[0])
    if a.form == "*" and is_number(a.parts[0]):
        return _made("*", number(-a.parts[0].parts[0]), a.parts[1])
    return None


def _choice(condition: Expression, a: Expression, b: Expression) -> Expression | None:
    if is_number(condition):
        return a if condition.parts[0] else b
    if is_number(a) and is_number(b) and repr(a.parts[0]) == repr(b.parts[0]):  # 0 isn't -0
        return a
    return None


def _both(a: Expression, b: Expression) -> Expression | None:
    for one, other in ((a, b), (b, a)):
        if is_number(one):
            return other if one.parts[0] else number(0.0)
    return None


def _either(a: Expression, b: Expression) -> Expression | None:
    for one, other in ((a, b), (b, a)):
        if is_number(one):
            return number(1.0) if one.parts[0] else other
    return None


_RULES: dict[str, Callable[..., Expression | None]] = {
    "+": _sum,
    "-": _difference,
    "*": _times,
    "/": _quotient,
    "**": _power,
    "neg": _negative,
    "where": _choice,
    "&": _both,
    "|": _either,
}
