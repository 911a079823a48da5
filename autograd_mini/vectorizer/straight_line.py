"""Straight-line Python on floats, for functions without a batch: arrays of one row would be slower by far.

The quick form divides by Python's own operator, which raises where IEEE arithmetic gives an infinity or nan; then the
exact form is run, which calls a function instead. All other functions are those of `to_python`.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from autograd_mini.engine import floats
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.value import Value
from autograd_mini.explanations.python import definitions
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number, symbol
from autograd_mini.formulas.simplify import is_number, product, simplified
from autograd_mini.vectorizer.names import Names, identifier
from autograd_mini.vectorizer.scalars import COMPUTED, CONSTANT, Scalars

MOST_NODES = 20_000
MOST_TERMS = 8  # contributions that are added up in one line
_data = operator.attrgetter("_data")
_ERRORS = (ArithmeticError, ValueError)


class StraightLine:
    """A function without inputs as Python on floats.

    Parameters
    ----------
    scalars : Scalars
        The graph.
    size : int
        How many of its nodes are the function's own.
    needs : bytearray
        For every node whether a gradient goes through it.
    leaves : sequence of int
        The parameters, in the order of the gradient.
    title : str
        The first line of the source.
    """

    def __init__(self, scalars: Scalars, size: int, needs: Sequence[int], leaves: Sequence[int], title: str) -> None:
        self._scalars, self._size, self._needs, self._leaves, self._title = scalars, size, needs, leaves, title
        self._names, self._gradient_names = _names(scalars, size)
        self.source = self._source(quick=True)
        self._values: list[Value] = [scalars.node[i] for i in leaves]
        self._run = self._compiled(self.source)
        self._exact: Callable[..., Any] | None = None

    def __call__(self) -> tuple[list[float], tuple[float, ...]]:
        """Return the results and the derivatives of their sum by the leaves."""
        numbers = map(_data, self._values)
        try:
            return self._run(*numbers)  # type: ignore[no-any-return]
        except _ERRORS:
            return self._exactly()  # type: ignore[no-any-return]

    def numbers(self) -> list[float]:
        """Return the arguments: the leaves' present numbers."""
        return [value._data for value in self._values]

    def _exactly(self) -> Any:
        if self._exact is None:
            self._exact = self._compiled(self._source(quick=False))
        return self._exact(*map(_data, self._values))

    @staticmethod
    def _compiled(source: str) -> Callable[..., Any]:
        scope: dict[str, Any] = {}
        exec(compile(source, "<program>", "exec"), scope)
        return scope["value_and_gradient"]  # type: ignore[no-any-return]

    # -------------------------------------------------------------------------------------------------- writing

    def _source(self, quick: bool) -> str:
        lines = [*self._forward(), *self._backward()]
        body = [f"    {name} = {_written(formula, quick)}" for name, formula in lines]
        used: set[str] = set()
        for _, formula in lines:
            _functions(formula, quick, used)
        arguments = ", ".join(self._names[i] for i in self._leaves)
        results = ", ".join(_written(self._operand(i), quick) for i in self._scalars.outputs)
        gradients = "".join(f"{self._gradient(i)}, " for i in self._leaves)
        return "\n".join(
            [
                f'"""{self._title}"""',
                *[line for block in definitions(used) for line in ["", *block]],
                "",
                "",
                f"def value_and_gradient({arguments}):",
                '    """Return the results, and the derivatives of their sum by each argument."""',
                *body,
                f"    return [{results}], ({gradients.rstrip()})",
                "",
            ]
        )

    def _operand(self, i: int) -> Expression:
        return number(self._scalars.number[i]) if self._scalars.kind[i] == CONSTANT else symbol(self._names[i])

    def _gradient(self, i: int) -> str:
        return self._gradient_names[i] if i in self._reached else "0.0"

    def _forward(self) -> list[tuple[str, Expression]]:
        scalars, lines = self._scalars, []
        for i in range(self._size):
            if scalars.kind[i] == COMPUTED:
                primitive: Primitive = scalars.primitive[i]  # type: ignore[assignment]
                operands = [self._operand(p) for p in scalars.parents[i]]
                lines.append((self._names[i], simplified(primitive.forward(text, *operands))))
        return lines

    def _backward(self) -> list[tuple[str, Expression]]:
        scalars, lines = self._scalars, []
        found: dict[int, list[Expression]] = {}
        for i in scalars.outputs:
            if self._needs[i]:
                found.setdefault(i, []).append(number(1.0))
        self._reached = set()
        for i in reversed(range(self._size)):
            if i not in found:
                continue
            self._reached.add(i)
            name, terms = self._gradient_names[i], found.pop(i)
            total = simplified(text.sum(terms[:MOST_TERMS]))
            if scalars.kind[i] != COMPUTED or total.form not in ("number", "symbol") or len(terms) > MOST_TERMS:
                lines.append((name, total))
                total = symbol(name)
            for k in range(MOST_TERMS, len(terms), MOST_TERMS):
                lines.append((name, simplified(text.sum([total, *terms[k : k + MOST_TERMS]]))))
            if scalars.kind[i] != COMPUTED:
                continue
            primitive: Primitive = scalars.primitive[i]  # type: ignore[assignment]
            operands = [self._operand(p) for p in scalars.parents[i]]
            local = primitive.derivatives(text, symbol(self._names[i]), *operands)
            for p, derivative in zip(scalars.parents[i], local, strict=True):
                if self._needs[p]:
                    rule = derivative if isinstance(derivative, Expression) else number(float(derivative))
                    contribution = _chosen(total, simplified(rule))
                    if not is_number(contribution, 0.0):
                        found.setdefault(p, []).append(contribution)
        return lines


def _chosen(upstream: Expression, local: Expression) -> Expression:
    """Return upstream·local; a choice between 1 and 0 chooses between the upstream gradient and 0."""
    if local.form == "where" and is_number(local.parts[1], 1.0) and is_number(local.parts[2], 0.0):
        return Expression("where", (local.parts[0], upstream, local.parts[2]))
    return product(upstream, local)


def _names(scalars: Scalars, size: int) -> tuple[list[str], list[str]]:
    """Return a name for every node, its label where it has one, and one for its gradient."""
    names: list[str] = []
    gradients: list[str] = []
    taken = Names([*dir(builtins), *dir(math), *dir(floats), "value_and_gradient"])
    for i in range(size):
        label = scalars.labels(i)[1]
        names.append(taken.new(label if label and identifier(label) == label else f"v{len(names) + 1}"))
        gradients.append(taken.new(f"d_{names[-1]}"))
    return names, gradients


def _functions(expression: Expression, quick: bool, used: set[str]) -> None:
    """Collect the functions that a formula calls as it is written."""
    form = expression.form
    if form in ("number", "symbol"):
        return
    operators = "+ - * < > >= = & | neg abs where".split() + ["/"] * quick
    if form not in operators and not _is_small_power(expression) and not (quick and _is_with_zero(expression)):
        used.add({"/": "divide", "**": "power"}.get(form, form))
    for part in expression.parts:
        _functions(part, quick, used)


def _is_with_zero(expression: Expression) -> bool:
    """Return whether it is the larger or the smaller of a variable and 0."""
    form, parts = expression.form, expression.parts
    is_pair = form in ("maximum", "minimum") and len(parts) == 2
    return is_pair and parts[0].form == "symbol" and is_number(parts[1], 0.0)


def _is_small_power(expression: Expression) -> bool:
    """Return whether it is a variable's square or cube, which are multiplied out."""
    if expression.form != "**" or expression.parts[0].form != "symbol":
        return False
    return is_number(expression.parts[1], 2.0) or is_number(expression.parts[1], 3.0)


def _written(expression: Expression, quick: bool) -> str:
    """Return a formula as Python; in the quick form a division is Python's, which raises where the divisor is 0."""
    form = expression.form
    if form == "number":
        value = expression.parts[0]
        return repr(value) if math.isfinite(value) else f'float("{value}")'
    if form == "symbol":
        return str(expression.parts[0])
    parts = [_written(part, quick) for part in expression.parts]
    if _is_small_power(expression):
        return f"({' * '.join(parts[:1] * int(expression.parts[1].parts[0]))})"
    if form in ("+", "-", "*", "<", ">", ">=") or (quick and form == "/"):
        return f"({parts[0]} {form} {parts[1]})"
    if form == "neg":
        return f"(-{parts[0]})"
    if form == "where":
        return f"({parts[1]} if {parts[0]} else {parts[2]})"
    if form in ("=", "&", "|"):
        return f"({parts[0]} {({'=': '==', '&': 'and', '|': 'or'})[form]} {parts[1]})"
    if quick and _is_with_zero(expression):  # quicker than a call; nan stays nan
        return f"(0.0 if {parts[0]} {'<' if form == 'maximum' else '>'} 0.0 else {parts[0]})"
    called = f"{({'/': 'divide', '**': 'power'}).get(form, form)}({', '.join(parts)})"
    return f"{called}[0]" if form == "softmax" else called
