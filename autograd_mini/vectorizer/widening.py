"""Programs of fully connected networks, widened: what was traced at a few neurons a layer serves at any number of them.

Tracing walks through every scalar node, of which a layer of a hundred neurons on a hundred features has ten thousand,
all alike. The statements on arrays don't depend on how many there are: only the lengths in them do. So a small network
of the same layers is traced, and each length in its program, which stands for one layer alone, becomes that of the
large one. Anything in it that isn't understood is refused, and who widens compares the result with the eager engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, singledispatchmethod
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.formulas.expression import Expression
from autograd_mini.formulas.simplify import Filled
from autograd_mini.vectorizer.statements import (
    ArrayProgram,
    Assign,
    Call,
    Comment,
    Gather,
    Matrix,
    Product,
    Reduce,
    Scatter,
    Statement,
    Variable,
    View,
)

_WRITTEN_ONE_BY_ONE = 8  # up to so many outputs a sum over them may be written out: then they stay as many
_LEAST = 4  # neurons of a layer, so that sums over all weights are written as those of many


class NotWidenedError(Exception):
    """A program has something whose length isn't that of a layer; the message says what."""


class Lengths(NamedTuple):
    """How long everything is in the program of a fully connected network.

    Attributes
    ----------
    layers : tuple of int
        The numbers of features, of each layer's neurons, and of outputs.
    targets : int
        How many numbers an example's target has; 0 where the program takes none.
    others : int
        How many leaves follow those of the network.
    """

    layers: tuple[int, ...]
    targets: int = 0
    others: int = 0

    @property
    def matrices(self) -> list[tuple[int, int, int]]:
        """Where each layer's weights begin among the leaves, row after row with the bias last; its rows and columns."""
        found, start = [], 0
        for n_in, n_out in pairwise(self.layers):
            found.append((start, n_out, n_in + 1))
            start += n_out * (n_in + 1)
        return found

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        start, rows, columns = self.matrices[-1]
        return start + rows * columns

    @property
    def leaves(self) -> int:
        """The number of all leaves."""
        return self.parameters + self.others

    @property
    def weights(self) -> Array:
        """Where among the leaves the weights are that are no biases."""
        parts = [
            start + columns * np.arange(rows)[:, None] + np.arange(columns - 1)
            for start, rows, columns in self.matrices
        ]
        return np.concatenate([part.ravel() for part in parts])

    def narrow(self) -> Lengths:
        """Return small lengths, of which each stands for one sort of thing alone."""
        *layers, outputs = self.layers
        kept = outputs <= _WRITTEN_ONE_BY_ONE
        taken = {1, self.targets} | ({outputs} if kept else set())
        fresh: Iterator[int] = (k for k in count(_LEAST) if k not in taken)
        small = [1 if layer == 1 else next(fresh) for layer in layers]
        last = outputs if kept else next(k for k in fresh if k > _WRITTEN_ONE_BY_ONE)
        return Lengths(
            (*small, last), self.targets - outputs + last if self.targets >= outputs else self.targets, self.others
        )


def widened(program: ArrayProgram, narrow: Lengths, wide: Lengths) -> ArrayProgram:
    """Return the program of a network of other lengths.

    Parameters
    ----------
    program : ArrayProgram
        That of a network of the lengths `narrow`.
    narrow, wide : Lengths
        Those that it has, and those that it is to have.

    Raises
    ------
    NotWidenedError
        If there is anything in it of which it isn't known how long it is to be.
    """
    return _Widening(program, narrow, wide).made


class _Widening:
    """What `widened` does; `made` is the result."""

    def __init__(self, program: ArrayProgram, narrow: Lengths, wide: Lengths) -> None:
        self._narrow, self._wide = narrow, wide
        pairs = [(1, 1), *zip(narrow.layers, wide.layers, strict=True), (narrow.targets, wide.targets)]
        pairs.append((len(narrow.weights), wide.parameters))  # see `_is_weight`
        self._lengths = dict(pairs)
        if any(self._lengths[short] != long for short, long in pairs):
            raise NotWidenedError(f"lengths that stand for several: {pairs}")
        if program.effects or program.input_gradients:
            raise NotWidenedError("what modules ask for, or derivatives by inputs")
        self._all_leaves = program.parameters, program.gradient
        self._arrays: dict[Variable, Variable] = {}
        self._more: list[Variable] = []
        parameters, gradient = self._array(program.parameters), self._array(program.gradient)
        self.made = ArrayProgram(
            [*map(self._array, program.inputs)],
            parameters,
            gradient,
            [*map(self._array, program.arrays)],
            self._statements(program.forward),
            self._statements(program.backward),
            [*map(self._view, program.outputs)],
            seed=None if program.seed is None else self._array(program.seed),
        )
        self.made.arrays += self._more

    def _length(self, short: int) -> int:
        try:
            return self._lengths[short]
        except KeyError:
            raise NotWidenedError(f"the length {short}, with layers of {self._narrow.layers}") from None

    def _array(self, array: Variable) -> Variable:
        """Return the array that takes the place of one."""
        if array not in self._arrays:
            if array in self._all_leaves:
                if array.rows != self._narrow.leaves:
                    raise NotWidenedError(f"{array.rows} leaves, where {self._narrow.leaves} were expected")
                rows = self._wide.leaves
            else:
                rows = self._length(array.rows)
            if array.ones > 1 or (array.data is not None and rows != array.rows):
                raise NotWidenedError(f"{array.name}, which is of windows or of bare numbers")
            self._arrays[array] = replace(array, rows=rows)
        return self._arrays[array]

    def _view(self, view: View) -> View:
        array = self._array(view.array)
        if view.array in self._all_leaves:  # of all that isn't a layer's matrix, the leaves behind those
            start = view.start - self._narrow.parameters
            if start < 0 or view.step != 1:
                raise NotWidenedError("single weights")
            return View(array, start + self._wide.parameters, view.count)
        if array.rows == view.array.rows:  # which stays as long as it is
            if self._length(view.count) != view.count:
                raise NotWidenedError("a part of an array that is as long as another layer")
            return View(array, view.start, view.count, view.step)
        if view.is_whole:
            return View(array, 0, array.rows)
        if view.count == 1 and view.start == view.array.rows - 1:
            return View(array, array.rows - 1, 1)
        if view.start == 0 and view.step == 1 and view.array.role == "input":
            return View(array, 0, self._length(view.count))
        raise NotWidenedError(f"a part of {view.array.name}")

    def _matrix(self, matrix: Matrix) -> Matrix:
        rows, columns = matrix.shape
        if matrix.array not in self._all_leaves or matrix.across != 1:
            raise NotWidenedError("a matrix of other numbers than weights")
        for (start, n_out, down), (to, rows_to, down_to) in zip(
            self._narrow.matrices, self._wide.matrices, strict=True
        ):
            without = down - columns  # 1 without the biases
            if (matrix.start, rows, matrix.down) == (start, n_out, down) and without in (0, 1):
                return Matrix(self._array(matrix.array), to, (rows_to, down_to - without), down_to, 1)
        raise NotWidenedError("a part of a layer's matrix")

    @cached_property
    def _is_weight(self) -> Variable:
        """1 for each weight and 0 for each bias.

        What a penalty takes of the weights alone is taken of all parameters times this: long runs of numbers side by
        side are read in a fraction of the time that it takes to gather some of them. A bias adds what the measure of 0
        is, and its slope: nothing, or the program is found to be another one when it is compared.
        """
        data = np.zeros(self._wide.parameters)
        data[self._wide.weights] = 1.0
        mask = Variable("is_weight", len(data), False, "constant", data=data)
        self._more.append(mask)
        return mask

    def _parameters_of(self, array: Variable, index: Any) -> View:
        """Return all parameters in the place of the weights that an index names."""
        if array not in self._all_leaves or not np.array_equal(index, self._narrow.weights):
            raise NotWidenedError("some of the weights, or in another order")
        return View(self._array(array), 0, self._wide.parameters)

    def _formula(self, formula: Expression) -> Expression:
        if formula.form == "view":
            return self._view(formula.parts[0]).expression()
        if isinstance(formula, Filled):
            return Filled(formula.rule, [*map(self._formula, formula.operands)])
        if formula.form in ("number", "symbol"):
            return formula
        return replace(formula, parts=tuple(map(self._formula, formula.parts)))

    # ----------------------------------------------------------------------------------------------- statements

    def _statements(self, statements: Sequence[Statement]) -> list[Statement]:
        return [self._statement(statement) for statement in statements if not isinstance(statement, Comment)]

    @singledispatchmethod
    def _statement(self, statement: Statement) -> Statement:
        raise NotWidenedError(type(statement).__name__)

    @_statement.register
    def _(self, statement: Assign) -> Statement:
        return Assign(self._view(statement.target), self._formula(statement.expression), statement.add)

    @_statement.register
    def _(self, statement: Reduce) -> Statement:
        if statement.target.count != 1 and self._length(statement.target.count) != statement.target.count:
            raise NotWidenedError("several sums at once")
        return replace(
            statement,
            target=self._view(statement.target),
            expression=self._formula(statement.expression),
            count=self._length(statement.count),
        )

    @_statement.register
    def _(self, statement: Product) -> Statement:
        if statement.windows != 1:
            raise NotWidenedError("a convolution")
        return replace(
            statement,
            target=None if statement.target is None else self._view(statement.target),
            matrix=self._matrix(statement.matrix),
            source=self._view(statement.source),
            upstream=None if statement.upstream is None else self._view(statement.upstream),
        )

    @_statement.register
    def _(self, statement: Call) -> Statement:
        reads, writes = (tuple(map(self._view, views)) for views in (statement.reads, statement.writes))
        return Call(statement.function, reads, writes)

    @_statement.register
    def _(self, statement: Gather) -> Statement:
        source = self._parameters_of(statement.source, statement.index)
        mask = View(self._is_weight, 0, source.count)
        return Assign(self._view(statement.to), source.expression() * mask.expression())

    @_statement.register
    def _(self, statement: Scatter) -> Statement:
        target = self._parameters_of(statement.target, statement.index)
        return Assign(target, self._formula(statement.expression), statement.add)
