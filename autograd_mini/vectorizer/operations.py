"""What a group does: each operation emits its forward statements, and says what it contributes to the gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograd_mini.engine.primitives import Primitive
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number, symbol
from autograd_mini.formulas.simplify import is_uniform, product, simplified
from autograd_mini.vectorizer.backward import Tape
from autograd_mini.vectorizer.statements import (
    HUGE,
    Array,
    Assign,
    Matrix,
    N,
    Pick,
    Product,
    Reduce,
    Statement,
    View,
)

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
class Sum(Operation):
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


def _spread(tape: Tape, upstream: Expression, operation: Sum, scratch: Scratch) -> Expression:
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

    pieces: list[tuple[View, Array, Any]] = field(default_factory=list)

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
