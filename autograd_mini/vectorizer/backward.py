"""The backward pass: contributions to the gradient of every array, collected and then added up.

Operations are walked in reverse. Each says what it contributes to the gradients of its operands; when an array's turn
comes all its successors have contributed, in a fixed order: the first contribution assigns, later ones add.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import Expression, number
from autograd_mini.formulas.simplify import is_uniform, product, simplified, views_of
from autograd_mini.vectorizer.statements import (
    Array,
    Assign,
    Fill,
    Matrix,
    N,
    PickGradient,
    Product,
    Reduce,
    Scatter,
    Statement,
    View,
)

MOST_TERMS = 8  # contributions that are added up in one formula


@dataclass(eq=False)
class Contribution:
    """A part of the gradient of some rows of an array: how to add it, and the formula where it is a mere one."""

    rows: Any  # the indices of the rows
    emit: Callable[[bool], Statement]
    view: View | None = None
    expression: Expression | None = None
    last: bool = False  # it can only be added to what is there


class Tape:
    """The contributions that are known so far, and the statements that come of them."""

    def __init__(self, new_gradient: Callable[[Array], Array], parameters: Array) -> None:
        self.statements: list[Statement] = []
        self._parameters = parameters
        self._covered = np.zeros(parameters.rows, dtype=bool)  # by gradients of weight matrices
        self._new_gradient = new_gradient
        self._contributions: dict[Array, list[Contribution]] = {}
        self._arrays: dict[Array, Array] = {}
        self._uniform: dict[Array, Expression | None] = {}
        self._same: dict[Array, View] = {}

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

    def scatter(self, array: Array, index: Any, expression: Expression, count: int) -> None:
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
        array: Array,
        rows: Any,
        emit: Callable[[bool], Statement],
        view: View | None = None,
        expression: Expression | None = None,
        last: bool = False,
    ) -> None:
        self._contributions.setdefault(array, []).append(Contribution(np.asarray(rows), emit, view, expression, last))

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

    def finish(self, array: Array) -> Array | None:
        """Complete the gradient of a leaf array and return it; None where nothing contributed."""
        if array not in self._contributions and array not in self._arrays:
            return None
        gradient = self._array(array)
        self._complete(array)
        return gradient

    def _array(self, array: Array) -> Array:
        if array not in self._arrays:
            self._arrays[array] = self._new_gradient(array)
        return self._arrays[array]

    def _finished(self, array: Array) -> Expression | None:
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

    def _complete(self, array: Array) -> None:
        contributions = self._contributions.pop(array, [])
        found = sorted(_merged(contributions, self.gradient_view), key=lambda c: c.last)
        is_leaf = array is self._parameters
        covered = self._covered if is_leaf else np.zeros(array.rows, dtype=bool)
        steps: list[tuple[Contribution, bool]] = []
        zeros = False
        for contribution in found:
            there = covered[contribution.rows]
            zeros |= bool(there.any() and not there.all()) or (contribution.last and not there.all())
            steps.append((contribution, bool(there.any()) or contribution.last))
            covered[contribution.rows] = True
        if zeros or not covered.all():
            self.statements.insert(0 if is_leaf else len(self.statements), Fill(self._array(array)))
        self.statements += [contribution.emit(add) for contribution, add in steps]


def _merged(found: list[Contribution], place: Callable[[View], View]) -> list[Contribution]:
    """Return contributions with formulas for the same rows added up to one formula."""
    merged: list[Contribution] = []
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


def _formula(view: View, expression: Expression, place: Callable[[View], View]) -> Contribution:
    expression = simplified(expression)
    return Contribution(np.asarray(view.indices()), lambda add: Assign(place(view), expression, add), view, expression)
