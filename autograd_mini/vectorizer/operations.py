"""What a group does: each operation emits its forward statements, and says what it contributes to the gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_mini.engine.primitives import Primitive
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number, symbol
from autograd_mini.formulas.simplify import is_uniform, product, simplified, views_of
from autograd_mini.vectorizer.statements import (
    HUGE,
    Assign,
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


@dataclass(eq=False)
class GradientPart:
    """A part of the gradient of some rows of an array: how to add it, and the formula where it is a mere one."""

    rows: Any  # the indices of the rows
    emit: Callable[[bool], Statement]
    view: View | None = None
    expression: Expression | None = None
    last: bool = False  # it can only be added to what is there


class Tape:
    """The contributions that are known so far, and the statements that come of them."""

    def __init__(self, new_gradient: Callable[[Variable], Variable], parameters: Variable) -> None:
        self.statements: list[Statement] = []
        self._parameters = parameters
        self._covered = np.zeros(parameters.rows, dtype=bool)  # by gradients of weight matrices
        self._new_gradient = new_gradient
        self._contributions: dict[Variable, list[GradientPart]] = {}
        self._arrays: dict[Variable, Variable] = {}
        self._uniform: dict[Variable, Expression | None] = {}
        self._same: dict[Variable, View] = {}

    # ------------------------------------------------------------------------------------------ contributions

    def add(self, view: View, expression: Expression, count: int, varies: bool) -> None:
        """Contribute a formula of `count` rows to the gradient of what a view reads.

        A row that serves for several gets the sum over them, and what doesn't vary gets the sum over the batch.
        """
        array = view.array
        expression = simplified(expression)
        if not array.needs or (expression.form == "number" and expression.parts[0] == 0.0):
            return
        several = view.count < count
        target = self.gradient_view(view)
        found = list(views_of(expression))
        if several and all(part.count == 1 for part in found):  # the same in all rows
            expression, several = product(number(float(count)), expression), False
        if varies and not array.varies and not any(part.array.varies for part in found):  # and in all examples
            expression, varies = product(N, expression), False
        over = ("both" if several else "batch") if varies and not array.varies else "rows" if several else ""
        if over:
            self._record(array, view.indices(), lambda add: Reduce(target, expression, "add", over, add, count))
        else:
            self._record(array, view.indices(), lambda add: Assign(target, expression, add), view, expression)

    def add_product(self, kind: str, view: View | Matrix, statement: Callable[[Any, bool], Product]) -> None:
        """Contribute a matrix product: to the matrix ("matrix") or to what it was multiplied with ("source")."""
        if not view.array.needs:
            return
        target = view.of(self._array(view.array)) if isinstance(view, Matrix) else self.gradient_view(view)
        rows = np.ravel(view.indices()) if isinstance(view, Matrix) else view.indices()
        if view.array is self._parameters:  # nothing reads it before the end: it is written where it arises
            there = self._covered[rows]
            if there.all() or not there.any():
                self.statements.append(statement(target, bool(there.any())))
                self._covered[rows] = True
                return
        self._record(view.array, rows, lambda add: statement(target, add))

    def scatter(self, array: Variable, index: Any, expression: Expression, count: int) -> None:
        """Contribute to the rows of an index, some of them several times."""
        if array.needs:
            target, unique = self._array(array), len(np.unique(index)) == len(index)
            self._record(array, index, lambda add: Scatter(target, index, expression, count, add), last=not unique)

    def pick(self, view: View, index: View, expression: Expression) -> None:
        """Contribute, for each example, to the row that it picked."""
        if view.array.needs:
            target = self.gradient_view(view)
            self._record(view.array, view.indices(), lambda add: PickGradient(target, index, expression), last=True)

    def _record(
        self,
        array: Variable,
        rows: Any,
        emit: Callable[[bool], Statement],
        view: View | None = None,
        expression: Expression | None = None,
        last: bool = False,
    ) -> None:
        self._contributions.setdefault(array, []).append(GradientPart(np.asarray(rows), emit, view, expression, last))

    # ---------------------------------------------------------------------------------------------- gradients

    def upstream(self, view: View) -> Expression | None:
        """Return the gradient of what a view reads, which is complete now; None where it is 0."""
        array = view.array
        if array not in self._uniform:
            self._uniform[array] = self._finished(array)
        uniform = self._uniform[array]
        if uniform is not None:
            return uniform
        if array in self._same:
            same = self._same[array]
            return View(same.array, same.start + view.start * same.step, view.count, view.step * same.step).expression()
        return self.gradient_view(view).expression() if array in self._arrays else None

    def gradient_view(self, view: View) -> View:
        """Return the place of the gradient of what a view reads."""
        return View(self._array(view.array), view.start, view.count, view.step)

    def materialized(self, view: View, scratch: Callable[[int, bool], View]) -> View | None:
        """Return the gradient as an array, also where it is one number for all rows; None where it is 0."""
        upstream = self.upstream(view)
        if upstream is None:
            return None
        if upstream.form == "view":
            return upstream.parts[0]  # type: ignore[no-any-return]
        filled = scratch(view.count, view.array.varies)
        self.statements.append(Assign(filled, upstream))
        return filled

    def finish(self, array: Variable) -> Variable | None:
        """Complete the gradient of a leaf array and return it; None where nothing contributed."""
        if array not in self._contributions and array not in self._arrays:
            return None
        gradient = self._array(array)
        self._complete(array)
        return gradient

    def _array(self, array: Variable) -> Variable:
        if array not in self._arrays:
            self._arrays[array] = self._new_gradient(array)
        return self._arrays[array]

    def _finished(self, array: Variable) -> Expression | None:
        """Complete a gradient; return it as a formula where it is one number for all rows and examples."""
        found = self._contributions.get(array, [])
        if not found:
            self._arrays.pop(array, None)
            return None
        if len(found) == 1 and found[0].expression is not None and is_uniform(found[0].expression):
            view = found[0].view
            if view is not None and view.is_whole:
                self._arrays.pop(array, None)
                return found[0].expression
        if len(found) == 1 and found[0].expression is not None and found[0].expression.form == "view":
            same, view = found[0].expression.parts[0], found[0].view
            alike = (same.count, same.array.varies) == (array.rows, array.varies)
            if view is not None and view.is_whole and alike and same.array.role == "gradient":
                self._arrays.pop(array, None)  # handed on as it is
                self._same[array] = same
                return None
        self._complete(array)
        return None

    def _complete(self, array: Variable) -> None:
        contributions = self._contributions.pop(array, [])
        found = sorted(_merged(contributions, self.gradient_view), key=lambda c: c.last)
        is_leaf = array is self._parameters
        covered = self._covered if is_leaf else np.zeros(array.rows, dtype=bool)
        steps: list[tuple[GradientPart, bool]] = []
        zeros = False
        for contribution in found:
            there = covered[contribution.rows]
            zeros |= bool(there.any() and not there.all()) or (contribution.last and not there.all())
            steps.append((contribution, bool(there.any()) or contribution.last))
            covered[contribution.rows] = True
        if zeros or not covered.all():
            self.statements.insert(0 if is_leaf else len(self.statements), Fill(self._array(array)))
        self.statements += [contribution.emit(add) for contribution, add in steps]


def _merged(found: list[GradientPart], place: Callable[[View], View]) -> list[GradientPart]:
    """Return contributions with formulas for the same rows added up to one formula."""
    merged: list[GradientPart] = []
    by_view: dict[View, int] = {}
    terms: dict[View, int] = {}
    for contribution in found:
        view = contribution.view
        if view is None or contribution.expression is None:
            merged.append(contribution)
        elif view in by_view and terms[view] < MOST_TERMS:
            at = by_view[view]
            terms[view] += 1
            merged[at] = _formula(view, merged[at].expression + contribution.expression, place)
        else:
            by_view[view], terms[view] = len(merged), 1
            merged.append(contribution)
    return merged


def _formula(view: View, expression: Expression, place: Callable[[View], View]) -> GradientPart:
    expression = simplified(expression)
    return GradientPart(np.asarray(view.indices()), lambda add: Assign(place(view), expression, add), view, expression)


Scratch = Callable[[int, bool], View]


def operand(x: View | float) -> Expression:
    """Return a view or a number as a part of a formula."""
    return x.expression() if isinstance(x, View) else number(float(x))


def application(primitive: Primitive, operands: list[View | float]) -> Expression:
    """Return the formula of an operation on views and numbers."""
    return simplified(primitive.forward(text, *map(operand, operands)))


def application_by_name(primitive: Primitive, operands: list[View | float]) -> Expression:
    """Return an operation on views and numbers for a reader: ``tanh(z)``, and not how it is computed."""
    if primitive.name in ("add", "sub", "mul", "div", "neg", "pow", "abs"):
        return application(primitive, operands)
    return text.call(primitive.name, *map(operand, operands))


def local_derivatives(primitive: Primitive, out: View, operands: list[View | float]) -> list[Expression]:
    """Return the formulas of an operation's local derivatives."""
    rules = primitive.derivatives(text, out.expression(), *map(operand, operands))
    return [simplified(rule if isinstance(rule, Expression) else number(float(rule))) for rule in rules]


def described(expression: Expression) -> str:
    """Return a formula as a reader would write it, every view by the name of its array."""
    return str(_with_names(expression))


def _with_names(expression: Expression) -> Expression:
    if expression.form == "view":
        return symbol(expression.parts[0].array.name)
    if expression.form in ("number", "symbol"):
        return expression
    return Expression(expression.form, tuple(_with_names(part) for part in expression.parts))


@dataclass(eq=False)
class Operation:
    """Something that writes rows of an array."""

    target: View

    def forward(self) -> list[Statement]:
        """Return the statements that compute the rows."""
        raise NotImplementedError

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
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

    def forward(self) -> list[Statement]:
        """Return target = f(operands)."""
        return [Assign(self.target, application(self.primitive, self.operands))]

    def description(self) -> str:
        """Return ``tanh(z)``."""
        return described(application_by_name(self.primitive, self.operands))

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute upstream · ∂f/∂operand."""
        local = local_derivatives(self.primitive, self.target, self.operands)
        for x, derivative in zip(self.operands, local, strict=True):
            if isinstance(x, View) and x.array.needs:
                tape.add(x, product(upstream, derivative), self.target.count, self.target.array.varies)


@dataclass(eq=False)
class Terms(Operation):
    """target (+)= Σ c·a·b + constant, row by row; c may be a number or a column of numbers."""

    terms: list[tuple[View | float, View, View | None]]
    constant: View | float = 0.0
    add: bool = False

    def formula(self) -> Expression:
        """Return the sum as a formula."""
        total = operand(self.constant)
        for c, a, b in self.terms:
            factors = a.expression() if b is None else a.expression() * b.expression()
            total = total + operand(c) * factors
        return simplified(total)

    def forward(self) -> list[Statement]:
        """Return the sum."""
        return [Assign(self.target, self.formula(), self.add)]

    def description(self) -> str:
        """Return the sum."""
        return described(self.formula())

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute upstream · c · (the other factor)."""
        for view, factor in factors_of(self.terms):
            tape.add(view, product(factor, upstream), self.target.count, self.target.array.varies)


def factors_of(terms: list[tuple[View | float, View, View | None]]) -> list[tuple[View, Expression]]:
    """Return each factor of each term with what it is multiplied by; a square counts once, with a 2."""
    found: list[tuple[View, Expression]] = []
    for c, a, b in terms:
        if b is None:
            found.append((a, operand(c)))
        elif a == b:
            found.append((a, product(number(2.0), operand(c), a.expression())))
        else:
            found.append((a, product(operand(c), b.expression())))
            found.append((b, product(operand(c), a.expression())))
    return found


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

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute upstream·sourceᵀ to the matrix and Mᵀ·upstream to the source."""
        if not self.matrix.array.needs and not self.source.array.needs:
            return
        above = tape.materialized(self.target, scratch)
        assert above is not None
        weights = self.matrix.without_last_column() if self.bias else self.matrix
        tape.add_product(
            "matrix",
            self.matrix,
            lambda matrix, add: Product("matrix", None, matrix, self.source, above, self.bias, self.windows, add),
        )
        tape.add_product(
            "source",
            self.source,
            lambda target, add: Product("source", target, weights, self.source, above, False, self.windows, add),
        )


@dataclass(eq=False)
class Reduction(Operation):
    """target (+)= Σ over rows of c·a·b, many terms at once."""

    term: tuple[View | float, View, View | None]
    count: int
    over: str = "rows"
    add: bool = False

    def forward(self) -> list[Statement]:
        """Return the reduction."""
        formula = Terms(self.target, [self.term]).formula()
        return [Reduce(self.target, formula, "add", self.over, self.add, self.count)]

    def description(self) -> str:
        """Return Σ of the terms."""
        return f"Σ {described(Terms(self.target, [self.term]).formula())}"

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute upstream · c · (the other factor), the same upstream to all terms of a row."""
        if not is_uniform(upstream) and self.target.count > 1:
            upstream = _spread(tape, upstream, self, scratch)
        for view, factor in factors_of([self.term]):
            tape.add(view, product(factor, upstream), self.count, self.target.array.varies)


def _spread(tape: Tape, upstream: Expression, operation: Reduction, scratch: Scratch) -> Expression:
    """Return the gradient of each row once for each of its terms."""
    rows, terms = operation.target.count, operation.count // operation.target.count
    spread = scratch(operation.count, operation.target.array.varies)
    for k in range(terms):
        to = (
            View(spread.array, spread.start + k * rows, rows)
            if operation.over == "rows"
            else View(spread.array, spread.start + k, rows, terms)
        )
        tape.statements.append(Assign(to, upstream))
    return spread.expression()


@dataclass(eq=False)
class Copy(Operation):
    """target = operand: rows brought together from elsewhere."""

    pieces: list[tuple[View, Variable, Any]] = field(default_factory=list)

    def forward(self) -> list[Statement]:
        """Return nothing: the gathers stand where they were asked for."""
        return []

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Hand the gradient of every row back to where it came from."""
        above = tape.materialized(self.target, scratch)
        assert above is not None
        for to, source, index in self.pieces:
            if not source.needs:
                continue
            part = View(above.array, above.start + to.start * above.step, to.count, to.step * above.step)
            if above.array.varies and not source.varies:
                total = scratch(to.count, False)
                tape.statements.append(Reduce(total, part.expression(), "add", "batch", False, to.count))
                part = total
            tape.scatter(source, index, part.expression(), to.count)


@dataclass(eq=False)
class Chosen(Operation):
    """target = source[index]: of each example the row that its index names."""

    index: View
    source: View

    def forward(self) -> list[Statement]:
        """Return the choice."""
        return [Pick(self.target, self.index, self.source)]

    def description(self) -> str:
        """Return the choice."""
        return f"{self.source.array.name}[{self.index.array.name}]"

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute to the rows that were chosen."""
        tape.pick(self.source, self.index, upstream)


@dataclass(eq=False)
class BatchMean(Operation):
    """target = the mean of each row over the batch."""

    source: View

    def forward(self) -> list[Statement]:
        """Return the sum over the batch, divided by the number of examples."""
        return [
            Reduce(self.target, self.source.expression(), "add", "batch", False, self.target.count),
            Assign(self.target, self.target.expression() / N),
        ]

    def description(self) -> str:
        """Return the mean."""
        return f"the mean of {self.source.array.name} over the batch"

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute upstream / n to every example."""
        tape.add(self.source, upstream / N, self.target.count, True)


@dataclass(eq=False)
class Extremum(Operation):
    """target = the largest or smallest of many rows."""

    function: str
    source: View

    def forward(self) -> list[Statement]:
        """Return the reduction."""
        return [Reduce(self.target, self.source.expression(), self.function, "rows", False, self.source.count)]

    def description(self) -> str:
        """Return the extremum."""
        return f"{self.function} of {self.source.array.name}"

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Share the gradient equally between the rows that attain it."""
        varies, count = self.target.array.varies, self.source.count
        attained, total = scratch(count, varies), scratch(1, varies)
        equal = text.where(text.equal(self.source.expression(), self.target.expression()), 1.0, 0.0)
        tape.statements += [
            Assign(attained, equal),
            Reduce(total, attained.expression(), "add", "rows", False, count),
        ]
        share = product(attained.expression(), upstream / total.expression())
        tape.add(self.source, share, count, varies)


@dataclass(eq=False)
class LogSumExp(Operation):
    """target = log Σ exp(xᵢ), from the largest on."""

    source: View
    peak: View
    exponentials: View
    total: View

    def forward(self) -> list[Statement]:
        """Return the largest, the exponentials of the differences to it, their sum, and its logarithm."""
        return [
            *exponentials(self.source, self.peak, self.exponentials, self.total),
            Assign(self.target, self.peak.expression() + text.log(self.total.expression())),
        ]

    def description(self) -> str:
        """Return log Σ exp."""
        return f"log Σ exp({self.source.array.name})"

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute upstream · softmax(x)."""
        share = product(self.exponentials.expression(), upstream / self.total.expression())
        tape.add(self.source, share, self.source.count, self.target.array.varies)


@dataclass(eq=False)
class Softmax(Operation):
    """target = exp(xᵢ) / Σ exp(xⱼ) for all i."""

    source: View
    peak: View
    exponentials: View
    total: View

    def forward(self) -> list[Statement]:
        """Return the exponentials divided by their sum."""
        return [
            *exponentials(self.source, self.peak, self.exponentials, self.total),
            Assign(self.target, self.exponentials.expression() / self.total.expression()),
        ]

    def description(self) -> str:
        """Return softmax."""
        return f"softmax({self.source.array.name})"

    def backward(self, tape: Tape, upstream: Expression, scratch: Scratch) -> None:
        """Contribute p · (upstream - Σ upstream·p)."""
        p, varies, count = self.target.expression(), self.target.array.varies, self.target.count
        mean = scratch(1, varies)
        tape.statements.append(Reduce(mean, product(p, upstream), "add", "rows", False, count))
        tape.add(self.source, product(p, upstream - mean.expression()), count, varies)


def exponentials(source: View, peak: View, exponential: View, total: View) -> list[Statement]:
    """Return the largest of some rows, exp(x - largest) for each, and their sum."""
    count = source.count
    return [
        Reduce(peak, source.expression(), "maximum", "rows", False, count, finite=True),
        Assign(peak, text.minimum(peak.expression(), number(HUGE))),  # inf - inf would be nan
        Assign(exponential, text.exp(source.expression() - peak.expression())),
        Reduce(total, exponential.expression(), "add", "rows", False, count),
    ]
