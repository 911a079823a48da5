"""What a group does: each operation emits its forward statements, and says what it contributes to the gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np

from autograd_mini.engine.defining import is_own
from autograd_mini.engine.primitives import Primitive
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number, symbol
from autograd_mini.formulas.simplify import filled, is_number, is_uniform, place, product, simplified, views_of
from autograd_mini.vectorizer.statements import (
    SEED,
    ArrayProgram,
    Assign,
    Call,
    Fill,
    Matrix,
    N,
    Pick,
    PickGradient,
    Product,
    Reduce,
    Scatter,
    Statement,
    Variable,
    View,
)

MOST_TERMS = 8  # contributions that are added up in one formula
ARITHMETIC = frozenset(("add", "sub", "mul", "div", "neg", "pow", "abs"))  # what a reader has signs for
Contributing = Assign | Reduce | Product | Scatter | PickGradient  # to a gradient; `add` is set when all are known
Place = TypeVar("Place", View, Matrix)
Factors = tuple[View | float, View | float, View | None]  # c·a·b, or c·a


class Tape:
    """The contributions to gradients that are known so far, and the statements that come of them.

    Parameters
    ----------
    program : ArrayProgram
        Whose backward pass it is.
    new_array : callable
        ``new_array(name, rows, varies, role)`` makes an array.
    """

    def __init__(self, program: ArrayProgram, new_array: Callable[..., Variable]) -> None:
        self.statements: list[Statement] = []
        self._parameters, self._new_array = program.parameters, new_array
        self._covered = np.zeros(program.parameters.rows, dtype=bool)  # by gradients of weight matrices
        self._contributions: dict[Variable, list[Contributing]] = {}
        self._arrays = {program.parameters: program.gradient}
        self._known: dict[Variable, Expression | None] = {}

    # ------------------------------------------------------------------------------------------ contributions

    def add(self, view: View, expression: Expression, count: int, varies: bool) -> None:
        """Contribute a formula of `count` rows to the gradient of what a view reads.

        A row that serves for several gets the sum over them, and what doesn't vary gets the sum over the batch.
        """
        array = view.array
        expression = simplified(expression)
        if not array.needs or _is_nothing(expression):
            return
        several = view.count < count
        target = self.gradient(view)
        found = views_of(expression)
        if several and all(part.count == 1 for part in found):  # the same in all rows
            expression, several = product(number(float(count)), expression), False
        if varies and not array.varies and not any(part.array.varies for part in found):  # and in all examples
            expression, varies = product(N, expression), False
        over = ("both" if several else "batch") if varies and not array.varies else "rows" if several else ""
        self.contribute(
            array, Reduce(target, expression, over=over, count=count) if over else Assign(target, expression)
        )

    def contribute(self, array: Variable, statement: Contributing) -> None:
        """Contribute what a statement gives to the gradient of an array; its target is a part of that gradient."""
        if array is self._parameters and isinstance(statement, Product):
            there = self._covered[_rows(statement)]  # nothing reads it before the end: it is written where it arises
            if there.all() or not there.any():
                self._write(statement, self._covered)
                return
        self._contributions.setdefault(array, []).append(statement)

    def _write(self, statement: Contributing, covered: Any) -> None:
        rows = _rows(statement)
        statement.add = _only_adds(statement) or bool(covered[rows].any())
        covered[rows] = True
        self.statements.append(statement)

    # ---------------------------------------------------------------------------------------------- gradients

    def gradient_of(self, array: Variable) -> Variable:
        """Return the array that an array's gradient lies in."""
        if array not in self._arrays:
            self._arrays[array] = self._new_array(f"d_{array.name}", array.rows, array.varies, role="gradient")
        return self._arrays[array]

    def gradient(self, place: Place) -> Place:
        """Return the place of the gradient of what a view or a matrix reads."""
        return place.of(self.gradient_of(place.array))

    def scratch(self, rows: int, varies: bool) -> View:
        """Return an array for what is computed on the way."""
        return View(self._new_array("work", rows, varies), 0, rows)

    def upstream(self, view: View) -> Expression | None:
        """Return the gradient of what a view reads, which is complete now; None where it is 0."""
        array = view.array
        if array not in self._known:
            self._known[array] = self._completed(array)
        whole = self._known[array]
        if whole is None or is_uniform(whole):
            return whole
        return whole.parts[0].part(view.start, view.count, view.step).expression()  # type: ignore[no-any-return]

    def materialized(self, view: View) -> View:
        """Return the gradient as an array, also where it is one number for all rows."""
        upstream = self.upstream(view)
        assert upstream is not None
        if upstream.form == "view":
            return upstream.parts[0]  # type: ignore[no-any-return]
        filled = self.scratch(view.count, view.array.varies)
        self.statements.append(Assign(filled, upstream))
        return filled

    def finish(self, array: Variable) -> Variable | None:
        """Complete the gradient of a leaf array and return it; None where nothing contributed."""
        if array not in self._contributions and not (array is self._parameters and self._covered.any()):
            return None
        self._add_up(array)
        return self.gradient_of(array)

    def _completed(self, array: Variable) -> Expression | None:
        """Complete a gradient and return it as a view, or as the formula of one number for all rows and examples."""
        found = self._contributions.get(array, [])
        if not found:
            return None
        first = found[0]
        if len(found) == 1 and isinstance(first, Assign) and first.target.is_whole:
            expression = first.expression
            if is_uniform(expression) and _height(expression) <= MOST_TERMS:  # else it grows from node to node
                return expression
            if expression.form == "view":
                same = expression.parts[0]
                alike = (same.count, same.array.varies) == (array.rows, array.varies)
                if alike and same.array.role == "gradient":  # handed on as it is
                    return expression
        self._add_up(array)
        return View(self.gradient_of(array), 0, array.rows).expression()

    def _add_up(self, array: Variable) -> None:
        """Write down the sum of an array's contributions, those that can only be added to something last."""
        found = self._contributions.pop(array, [])
        if len(found) == 1 and isinstance(found[0], Assign) and found[0].target.is_whole and array.role != "parameters":
            self.statements.append(found[0])
            return
        found = sorted(_merged(found), key=_only_adds)
        is_leaf = array is self._parameters
        covered = self._covered if is_leaf else np.zeros(array.rows, dtype=bool)
        at = 0 if is_leaf else len(self.statements)
        partly = False
        for statement in found:
            there = covered[_rows(statement)]
            partly |= bool((there.any() or _only_adds(statement)) and not there.all())
            self._write(statement, covered)
        if partly or not covered.all():
            self.statements.insert(at, Fill(self.gradient_of(array)))


def _height(expression: Expression) -> int:
    """Return how many operations lie one above the other in a formula of numbers and symbols."""
    if expression.form in ("number", "symbol"):
        return 0
    return 1 + max(map(_height, expression.parts))


def _is_nothing(expression: Expression) -> bool:
    """Return whether a contribution is 0 for sure: 0 times a number of the graph isn't, as that may be infinite."""
    if expression.form == "*" and is_uniform(expression):
        return any(is_number(factor, 0.0) for factor in expression.parts)
    return is_number(expression, 0.0)


def _rows(statement: Contributing) -> Any:
    """Return which rows of the gradient a statement contributes to, as an index."""
    if isinstance(statement, Scatter):
        return np.asarray(statement.index)
    if isinstance(statement, Product) and statement.target is None:
        return np.ravel(statement.matrix.indices())
    assert statement.target is not None
    rows = statement.target.indices()
    return slice(rows.start, rows.stop, rows.step)


def _only_adds(statement: Contributing) -> bool:
    """Return whether a statement can't be the first one: it leaves rows out, or adds to one several times."""
    if isinstance(statement, Scatter):
        return len(np.unique(statement.index)) < len(statement.index)
    return isinstance(statement, PickGradient)


def _merged(found: list[Contributing]) -> list[Contributing]:
    """Return contributions with formulas for the same rows added up to one formula."""
    merged: list[Contributing] = []
    latest: dict[View, Assign] = {}
    terms: dict[Assign, int] = {}
    for statement in found:
        if not isinstance(statement, Assign):
            merged.append(statement)
            continue
        same = latest.get(statement.target)
        if same is not None and terms[same] < MOST_TERMS:
            same.expression = simplified(same.expression + statement.expression)
            terms[same] += 1
        else:
            merged.append(statement)
            latest[statement.target], terms[statement] = statement, 1
    return merged


# ------------------------------------------------------------------------------------------------------- formulas


class _Exact:
    """The namespace ``xp`` of the rules: that of formulas, but with the forms that keep their digits."""

    def __getattr__(self, name: str) -> Any:
        return getattr(text, name)

    def unless(self, condition: Any, rescue: Callable[[], Any], plain: Any) -> Any:
        """Return the choice between the plain formula and the other one."""
        return text.where(condition, rescue(), plain)

    def logsumexp(self, *a: Any) -> Expression:
        """Return log Σ exp(xᵢ) as a formula, for rules of a user's own: of a list it is a statement of its own."""
        peak = text.maximum(*a)
        return text.where(abs(peak) < np.inf, peak + text.log(text.sum([text.exp(x - peak) for x in a])), peak)

    def exp_minus_square(self, a: Any) -> Expression:
        """Return exp(-a²) without the rounding error of a² (see `floats.exp_minus_square`); from 28 on it is 0."""
        size = text.minimum(abs(a), 30.0)
        part = text.call("rint", size * 32.0) * (1.0 / 32.0)
        return text.exp(-(part * part)) * text.exp(-((size - part) * (size + part)))


exact = _Exact()


def operand(x: View | Expression | float) -> Expression:
    """Return a view or a number as a part of a formula."""
    if isinstance(x, Expression):
        return x
    return x.expression() if isinstance(x, View) else number(float(x))


def described(expression: Expression) -> str:
    """Return a formula as a reader would write it, every view by the name of its array."""
    return str(_with_names(expression))


def _with_names(expression: Expression) -> Expression:
    if expression.form == "view":
        view = expression.parts[0]
        return symbol(view.array.name if isinstance(view, View) else f"{{{view}}}")
    if expression.form in ("number", "symbol"):
        return expression
    return Expression(expression.form, tuple(_with_names(part) for part in expression.parts))


def sum_of(terms: Sequence[Sequence[Any]], constant: Any = 0.0) -> Expression:
    """Return Σ c·a·b + constant as a formula, added up from left to right."""
    found = [operand(c) * (operand(a) if b is None else operand(a) * operand(b)) for c, a, b in terms]
    if not found or isinstance(constant, (View, Expression)) or constant != 0.0:
        found.append(operand(constant))
    return simplified(text.sum(found))


def factors_of(terms: Sequence[Sequence[Any]]) -> list[tuple[Any, Expression]]:
    """Return each view among the factors of terms with what it is multiplied by; a square counts once, with a 2."""
    found: list[tuple[Any, Expression]] = []
    for c, a, b in terms:
        if isinstance(a, float):
            continue
        if b is None:
            found.append((a, operand(c)))
        elif a == b:
            found.append((a, product(number(2.0), operand(c), operand(a))))
        else:
            found.append((a, product(operand(c), operand(b))))
            found.append((b, product(operand(c), operand(a))))
    return found


# ------------------------------------------------------------------------------------------------------ operations


@dataclass(eq=False)
class Operation:
    """Something that writes rows of an array."""

    target: View

    def forward(self) -> list[Statement]:
        """Return the statements that compute the rows."""
        raise NotImplementedError

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute to the gradients of the operands; `upstream` is the gradient of the rows."""
        raise NotImplementedError

    def description(self) -> str:
        """Return the operation as a formula for the reader; empty where there is nothing to say."""
        return ""


@dataclass(eq=False)
class Elementwise(Operation):
    """An operation of the table, row by row."""

    primitive: Primitive
    operands: list[View | float]

    @cached_property
    def _rules(self) -> _Rules:
        numbers = tuple([None if isinstance(x, View) else repr(float(x)) for x in self.operands])
        # The rules of a user's own are read anew, as they may use numbers that have changed.
        read = _rules.__wrapped__ if is_own(self.primitive) else _rules
        return read(self.primitive, numbers)

    def forward(self) -> list[Statement]:
        """Return target = f(operands)."""
        places = [SEED, self.target.expression(), *map(operand, self.operands)]
        return [Assign(self.target, filled(self._rules.forward, places))]

    def description(self) -> str:
        """Return the operation by its name: ``tanh(z)``, and not how it is computed."""
        names = [x.array.name if isinstance(x, View) else "" for x in self.operands]
        return self._rules.description.format("", "", *names)

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream · ∂f/∂operand."""
        rules, places = self._rules, [upstream, self.target.expression(), *map(operand, self.operands)]
        for k, x in enumerate(self.operands):
            if not isinstance(x, View) or not x.array.needs:
                continue
            if upstream.form == "view":
                contribution = filled(rules.contributions[k], places)
            else:
                contribution = product(upstream, filled(rules.derivatives[k], places))
            tape.add(x, contribution, self.target.count, self.target.array.varies)


@dataclass(eq=False, frozen=True)
class _Rules:
    """What an operation does, simplified, with places for the gradient from above (0), its result (1), its operands."""

    forward: Expression
    derivatives: list[Expression]
    contributions: list[Expression]  # the derivatives times the gradient from above
    description: str  # with the names of the operands left open, as `str.format` fills them in


@lru_cache(maxsize=1024)
def _rules(primitive: Primitive, numbers: tuple[str | None, ...]) -> _Rules:
    """Return what an operation does, for all its nodes with the same bare numbers among their operands.

    The numbers are given as they are written: 0.0 isn't -0.0.
    """
    operands = [place(k) if x is None else number(float(x)) for k, x in enumerate(numbers, start=2)]
    formula = simplified(operand(primitive.forward(exact, *operands)))  # a rule may give a bare number
    derivatives = [simplified(operand(rule)) for rule in primitive.derivatives(exact, place(1), *operands)]
    shown = formula if primitive.name in ARITHMETIC else text.call(primitive.name, *operands)
    return _Rules(
        formula, derivatives, [product(place(0), rule) for rule in derivatives], _with_names(shown).render("text")
    )


@dataclass(eq=False)
class Terms(Operation):
    """target (+)= Σ c·a·b + constant, row by row; c may be a number or a column of numbers."""

    terms: list[Factors]
    constant: View | float = 0.0
    add: bool = False

    @property
    def _rules(self) -> tuple[_TermRules, list[View]]:
        """The rules of such a sum, and what is in their places."""
        at: dict[View, int] = {}
        factors = [x for term in self.terms for x in term] + [self.constant]
        sort = [
            at.setdefault(x, len(at)) if isinstance(x, View) else None if x is None else repr(float(x)) for x in factors
        ]
        return _term_rules(tuple(sort)), list(at)

    def forward(self) -> list[Statement]:
        """Return the sum."""
        rules, views = self._rules
        places = [view.expression() for view in views]
        return [Assign(self.target, filled(rules.forward, places), self.add)]

    def description(self) -> str:
        """Return the sum."""
        rules, views = self._rules
        return rules.description.format(*[view.array.name for view in views])

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream · c · (the other factor)."""
        rules, views = self._rules
        places = [*[view.expression() for view in views], upstream]
        for k, factor, contribution in rules.factors:
            whole = (
                product(filled(factor, places), upstream) if upstream.form != "view" else filled(contribution, places)
            )
            tape.add(views[k], whole, self.target.count, self.target.array.varies)


@dataclass(frozen=True)
class _TermRules:
    """What sums of terms of one sort do, with places for the views, and after them for the gradient from above."""

    forward: Expression
    factors: list[tuple[int, Expression, Expression]]  # a view, its factor, and that times the gradient from above
    description: str  # with the names of the views left open, as `str.format` fills them in


@lru_cache(maxsize=1024)
def _term_rules(sort: tuple[int | str | None, ...]) -> _TermRules:
    """Return what a sum does whose factors are these: the number of a view, a bare number as it is written, or none."""
    places: dict[Any, Expression] = {}
    found: list[Any] = [
        float(x) if isinstance(x, str) else x if x is None else places.setdefault(x, place(x)) for x in sort
    ]
    terms, constant = list(zip(found[:-1:3], found[1:-1:3], found[2:-1:3], strict=True)), found[-1]
    above, formula = place(len(places)), sum_of(terms, constant)
    factors = [(view.parts[0], factor, product(factor, above)) for view, factor in factors_of(terms)]
    return _TermRules(formula, factors, _with_names(formula).render("text"))


@dataclass(eq=False)
class Affine(Operation):
    """target (+)= M·source, with the bias as the last column of M where there is one."""

    matrix: Matrix
    source: View
    bias: bool
    windows: int = 1
    add: bool = False

    def forward(self) -> list[Statement]:
        """Return the matrix product."""
        return [Product("forward", self.target, self.matrix, self.source, None, self.bias, self.windows, self.add)]

    def description(self) -> str:
        """Return ``W x + b``."""
        return f"W {self.source.array.name}{' + b' if self.bias else ''}"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream·sourceᵀ to the matrix and Mᵀ·upstream to the source."""
        matrix, source, bias, windows = self.matrix, self.source, self.bias, self.windows
        if not matrix.array.needs and not source.array.needs:
            return
        above = tape.materialized(self.target)
        if matrix.array.needs:
            by_matrix = Product("matrix", None, tape.gradient(matrix), source, above, bias, windows)
            tape.contribute(matrix.array, by_matrix)
        if source.array.needs:
            weights = matrix.without_last_column() if bias else matrix
            by_source = Product("source", tape.gradient(source), weights, source, above, False, windows)
            tape.contribute(source.array, by_source)


@dataclass(eq=False)
class Reduction(Operation):
    """target (+)= Σ over rows of c·a·b, many terms at once; a sum of products may be rounded as BLAS does."""

    term: Factors
    count: int
    over: str = "rows"
    add: bool = False

    def forward(self) -> list[Statement]:
        """Return the reduction."""
        in_order = self.term[2] is None
        return [Reduce(self.target, sum_of([self.term]), "add", self.over, self.add, self.count, in_order)]

    def description(self) -> str:
        """Return Σ of the terms."""
        return f"Σ {described(sum_of([self.term]))}"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream · c · (the other factor), the same upstream to all terms of a row."""
        if not is_uniform(upstream) and self.target.count > 1:
            upstream = self._spread(tape, upstream)
        for view, factor in factors_of([self.term]):
            tape.add(view, product(factor, upstream), self.count, self.target.array.varies)

    def _spread(self, tape: Tape, upstream: Expression) -> Expression:
        """Return the gradient of each row once for each of its terms."""
        rows, terms = self.target.count, self.count // self.target.count
        spread = tape.scratch(self.count, self.target.array.varies)
        for k in range(terms):
            to = spread.part(k * rows, rows) if self.over == "rows" else spread.part(k, rows, terms)
            tape.statements.append(Assign(to, upstream))
        return spread.expression()


@dataclass(eq=False)
class Copy(Operation):
    """target = operand: rows brought together from elsewhere."""

    pieces: list[tuple[View, Variable, Any]] = field(default_factory=list)

    def forward(self) -> list[Statement]:
        """Return nothing: the gathers stand where they were asked for."""
        return []

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Hand the gradient of every row back to where it came from."""
        above = tape.materialized(self.target)
        for to, source, index in self.pieces:
            if not source.needs:
                continue
            part = above.part(to.start, to.count, to.step)
            if above.array.varies and not source.varies:
                total = tape.scratch(to.count, False)
                tape.statements.append(Reduce(total, part.expression(), over="batch", count=to.count))
                part = total
            tape.contribute(source, Scatter(tape.gradient_of(source), index, part.expression(), to.count))


@dataclass(eq=False)
class Chosen(Operation):
    """target = table[index]: of each example the rows of a table that its indices name, one after the other."""

    index: View
    table: View

    def forward(self) -> list[Statement]:
        """Return the choice."""
        return [Pick(self.target, self.index, self.table)]

    def description(self) -> str:
        """Return the choice."""
        return f"{self.table.array.name}[{self.index.array.name}]"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute to the rows that were chosen."""
        if self.table.array.needs:
            above = tape.materialized(self.target)
            tape.contribute(self.table.array, PickGradient(tape.gradient(self.table), self.index, above))


@dataclass(eq=False)
class BatchMean(Operation):
    """target = the mean of each row over the batch."""

    source: View

    def forward(self) -> list[Statement]:
        """Return the sum over the batch, divided by the number of examples."""
        return [
            Reduce(self.target, self.source.expression(), over="batch", count=self.target.count),
            Assign(self.target, self.target.expression() / N),
        ]

    def description(self) -> str:
        """Return the mean."""
        return f"the mean of {self.source.array.name} over the batch"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream / n to every example."""
        tape.add(self.source, upstream / N, self.target.count, True)


@dataclass(eq=False)
class Extremum(Operation):
    """target = the largest or smallest of many rows."""

    function: str
    source: View

    def forward(self) -> list[Statement]:
        """Return the reduction."""
        return [Reduce(self.target, self.source.expression(), self.function, count=self.source.count)]

    def description(self) -> str:
        """Return the extremum."""
        return f"{self.function} of {self.source.array.name}"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Share the gradient equally between the rows that attain it."""
        varies, count = self.target.array.varies, self.source.count
        attained, total = tape.scratch(count, varies), tape.scratch(1, varies)
        equal = text.where(text.equal(self.source.expression(), self.target.expression()), 1.0, 0.0)
        tape.statements += [Assign(attained, equal), Reduce(total, attained.expression(), count=count)]
        share = product(attained.expression(), upstream / total.expression())
        tape.add(self.source, share, count, varies)


@dataclass(eq=False)
class OfExponentials(Operation):
    """Something made of exp(xᵢ), each times the same number so that none overflows, and of their sum."""

    source: View
    exponentials: View
    total: View

    def _shares(self) -> list[Statement]:
        """Return the exponentials and their sum."""
        exponentials = self.exponentials
        return [
            Call("exponentials", (self.source,), (exponentials,)),
            Call("total_of", (exponentials,), (self.total,)),
        ]

    def _slopes(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream · exponentials / total."""
        share = product(self.exponentials.expression(), upstream / self.total.expression())
        tape.add(self.source, share, self.source.count, self.target.array.varies)


class LogSumExp(OfExponentials):
    """target = log Σ exp(xᵢ)."""

    def forward(self) -> list[Statement]:
        """Return the sum's logarithm and, for the gradient, the shares."""
        value: list[Statement] = [Call("logsumexp", (self.source,), (self.target,))]
        return value + self._shares() if self.target.array.needs else value

    def description(self) -> str:
        """Return log Σ exp."""
        return f"log Σ exp({self.source.array.name})"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream · softmax(x)."""
        self._slopes(tape, upstream)


@dataclass(eq=False)
class MinusLogSoftmax(OfExponentials):
    """target = -log softmax(x) of the row that the index names; its derivatives lie in the exponentials."""

    index: View
    is_class: bool

    def forward(self) -> list[Statement]:
        """Return the call, which leaves the derivatives but for a factor."""
        function = "minus_log_softmax" if self.is_class else "minus_log_softmax_of_any"
        return [Call(function, (self.source, self.index), (self.exponentials, self.total, self.target))]

    def description(self) -> str:
        """Return -log softmax."""
        return f"-log softmax({self.source.array.name})[{self.index.array.name}]"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute upstream · p, and for the class itself upstream · (p - 1)."""
        self._slopes(tape, upstream)


class Softmax(OfExponentials):
    """target = exp(xᵢ) / Σ exp(xⱼ) for all i."""

    def forward(self) -> list[Statement]:
        """Return the shares."""
        return [*self._shares(), Assign(self.target, self.exponentials.expression() / self.total.expression())]

    def description(self) -> str:
        """Return softmax."""
        return f"softmax({self.source.array.name})"

    def backward(self, tape: Tape, upstream: Expression) -> None:
        """Contribute p · (upstream - Σ upstream·p).

        Where one p is above 1/2, its upstream is subtracted from all of them first. The difference stays what it is,
        but this p, which may be nearly 1, no longer occurs in it: what is left of 1 - p isn't lost.
        """
        p, varies, count = self.target.expression(), self.target.array.varies, self.target.count
        reference, mean = tape.scratch(1, varies), tape.scratch(1, varies)
        relative = tape.scratch(count, varies)
        tape.statements += [
            Reduce(reference, text.where(p > 0.5, upstream, 0.0), count=count),
            Assign(relative, upstream - reference.expression()),
            Reduce(mean, product(p, relative.expression()), count=count),
        ]
        tape.add(self.source, product(p, relative.expression() - mean.expression()), count, varies)
