"""From groups to statements: each group gets its array, each node its place in one, and both passes are written down.

`Places` knows in which row of which array a node lies; `Lowering` writes each group over views of the places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_mini.vectorizer import operations as ops
from autograd_mini.vectorizer.groups import NOTHING, Group, Grouping, Row
from autograd_mini.vectorizer.operations import Tape
from autograd_mini.vectorizer.scalars import CONSTANT, Scalars
from autograd_mini.vectorizer.statements import (
    SEED,
    ArrayProgram,
    Comment,
    Fill,
    Gather,
    Matrix,
    Names,
    Statement,
    Variable,
    View,
)

MOST_RUNS = 4  # nodes that lie in more runs than that are gathered first
Slot = Sequence[int] | float  # a node for each row, or one bare number for all


class Places:
    """The arrays of a program, and in which row of which one a node lies.

    Parameters
    ----------
    emit : callable
        Takes a statement: a gather, where nodes don't lie side by side.
    new_array : callable
        ``new_array(name, rows, varies, needs)`` makes an array.
    """

    def __init__(self, emit: Callable[[Statement], None], new_array: Callable[..., Variable]) -> None:
        self._emit, self._new_array = emit, new_array
        self._arrays: list[Variable] = []
        self._number: dict[Variable, int] = {}
        self._array: dict[int, int] = {}
        self._row: dict[int, int] = {}
        self._gathered: dict[Any, View] = {}
        self.gathers: list[tuple[View, list[tuple[View, Variable, Any]]]] = []

    def put(self, array: Variable, nodes: Sequence[int], first: int = 0) -> None:
        """Say that these nodes are the rows of an array, from the row `first` on."""
        number = self._number.setdefault(array, len(self._arrays))
        if number == len(self._arrays):
            self._arrays.append(array)
        self._array.update(dict.fromkeys(nodes, number))
        self._row.update(zip(nodes, range(first, first + len(nodes)), strict=True))

    def knows(self, node: int) -> bool:
        """Return whether a node has its place already."""
        return node in self._array

    def order(self, node: int) -> tuple[int, int]:
        """Return by what nodes are to be sorted so that they lie side by side."""
        return self._array[node], self._row[node]

    # -------------------------------------------------------------------------------------------------- views

    def views(
        self, slots: Sequence[Slot], rows: int, repeats: bool = True, most: int = MOST_RUNS
    ) -> list[tuple[int, int, list[Any]]]:
        """Return how operands are read: for each run of rows (start, end) a view or a number for each slot.

        Parameters
        ----------
        slots : sequence
            For each operand its node for each row, or one number for all.
        rows : int
            The number of rows.
        repeats : bool, optional
            Whether one node for all rows may be a view of a single row.
        most : int, optional
            The number of runs beyond which operands are gathered, so that there is one.
        """
        lists = [None if isinstance(slot, float) else self._locations(slot) for slot in slots]
        runs = self._runs([found for found in lists if found is not None], rows, most, repeats)
        if runs is None:
            return [(0, rows, [slot if isinstance(slot, float) else self.view(slot, repeats) for slot in slots])]
        both = list(zip(slots, lists, strict=True))
        return [(s, e, [slot if at is None else self._view(at, s, e) for slot, at in both]) for s, e in runs]

    def view(self, nodes: Sequence[int], repeats: bool = False) -> View:
        """Return nodes as the rows of one view; gathered into an array of their own where they lie apart."""
        found = self._locations(nodes)
        runs = self._runs([found], len(nodes), 1, repeats)
        if runs is not None:
            return self._view(found, 0, len(nodes))
        return self._gathered_view(tuple(nodes), found)

    def _gathered_view(self, key: Any, found: tuple[Any, Any]) -> View:
        if key not in self._gathered:
            self._gathered[key] = self._gather(*found)
        return self._gathered[key]

    def block(self, nodes: Sequence[int]) -> View:
        """Return nodes as rows one below the other, without any in between."""
        return self._block(tuple(nodes), self._locations(nodes))

    def rows_of(self, array: Variable, at: Any) -> View:
        """Return rows of an array one below the other, without any in between."""
        number = self._number.setdefault(array, len(self._arrays))
        if number == len(self._arrays):
            self._arrays.append(array)
        return self._block((array, at.tobytes()), (np.full(len(at), number), at))

    def _block(self, key: Any, found: tuple[Any, Any]) -> View:
        arrays, rows = found
        if len(rows) == 1 or ((np.diff(rows) == 1) & (arrays[1:] == arrays[0])).all():
            return self._view(found, 0, len(rows))
        return self._gathered_view(key, found)

    def lie_together(self, nodes: Sequence[int]) -> bool:
        """Return whether nodes can be read as one view."""
        return self._runs([self._locations(nodes)], len(nodes), 1, repeats=False) is not None

    def runs(self, nodes: Sequence[int]) -> list[tuple[int, int]]:
        """Return the few views (start, end) that nodes can be read as; none if they have to be gathered."""
        return self._runs([self._locations(nodes)], len(nodes), repeats=False) or []

    def segments(self, nodes: Sequence[int]) -> list[tuple[int, int, View]]:
        """Return nodes as a few views one after the other: (start, end, view)."""
        return [(start, end, view) for start, end, (view,) in self.views([nodes], len(nodes), repeats=False)]

    def matrix(self, rows: Sequence[Sequence[int]]) -> Matrix:
        """Return nodes that don't vary as a matrix; gathered first where they don't lie regularly."""
        regular = self.regular_matrix(rows)
        if regular is not None:
            return regular
        shape = (len(rows), len(rows[0]))
        gathered = self.view([node for row in rows for node in row])
        return Matrix(gathered.array, gathered.start, shape, shape[1] * gathered.step, gathered.step)

    def regular_matrix(self, rows: Sequence[Sequence[int]]) -> Matrix | None:
        """Return nodes as a matrix where they lie regularly in one array, each at a place of its own; else None."""
        arrays, at = self._locations([node for row in rows for node in row])
        if (arrays != arrays[0]).any():
            return None
        at = at.reshape(len(rows), -1)
        down = int(at[1, 0] - at[0, 0]) if len(rows) > 1 else at.shape[1]
        across = int(at[0, 1] - at[0, 0]) if at.shape[1] > 1 else 1
        matrix = Matrix(self._arrays[arrays[0]], int(at[0, 0]), at.shape, down, across)
        if down <= 0 or across <= 0 or not np.array_equal(matrix.indices(), at):
            return None
        height, width = at.shape
        apart = down >= width * across or across >= height * down or len(np.unique(at)) == at.size
        return matrix if apart else None

    # ------------------------------------------------------------------------------------------------ the work

    def _locations(self, nodes: Sequence[int]) -> tuple[Any, Any]:
        found = [map(places.__getitem__, nodes) for places in (self._array, self._row)]
        arrays, rows = [np.fromiter(numbers, np.intp, len(nodes)) for numbers in found]
        return arrays, rows

    def _view(self, found: tuple[Any, Any], start: int, end: int) -> View:
        arrays, rows = found
        array, first = self._arrays[arrays[start]], int(rows[start])
        step = _step(rows, start, end)
        return View(array, first, end - start if step else 1, step or 1)

    def _runs(
        self, lists: Sequence[tuple[Any, Any]], rows: int, most: int = MOST_RUNS, repeats: bool = True
    ) -> list[tuple[int, int]] | None:
        """Cut rows into runs in which every list of nodes goes on by one step in one array; None if they are many."""
        runs: list[tuple[int, int]] = []
        start = 0
        while start < rows:
            if len(runs) == most:
                return None
            end = min([_end_of_run(arrays, at, start, repeats) for arrays, at in lists], default=rows)
            runs.append((start, end))
            start = end
        return runs

    def _gather(self, arrays: Any, at: Any) -> View:
        sources = [self._arrays[k] for k in np.unique(arrays)]
        target = self._new_array("gathered", len(at), any(s.varies for s in sources), any(s.needs for s in sources))
        pieces = []
        for number in np.unique(arrays):
            places = np.flatnonzero(arrays == number)
            for start, end in _stretches(places):
                to = View(target, int(places[start]), end - start, _step(places, start, end))
                source, index = self._arrays[number], at[places[start:end]]
                self._emit(Gather(target, to, source, index))
                pieces.append((to, source, index))
        whole = View(target, 0, len(at))
        self.gathers.append((whole, pieces))
        return whole


def _end_of_run(arrays: Any, at: Any, start: int, repeats: bool) -> int:
    """Return where nodes no longer go on by the same step in the same array."""
    if start + 1 >= len(at):
        return len(at)
    step = at[start + 1] - at[start]
    if arrays[start + 1] != arrays[start] or step < 0 or (step == 0 and not repeats):
        return start + 1
    broken = np.flatnonzero((np.diff(at[start:]) != step) | (arrays[start + 1 :] != arrays[start]))
    return len(at) if not len(broken) else start + 1 + int(broken[0])


def _stretches(places: Any) -> list[tuple[int, int]]:
    """Return where places that aren't evenly spaced as a whole are cut into stretches side by side."""
    if len(places) < 3 or (np.diff(places) == places[1] - places[0]).all():
        return [(0, len(places))]
    cuts = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
    return list(pairwise(cuts))


def _step(places: Any, start: int, end: int) -> int:
    return int(places[start + 1] - places[start]) if end - start > 1 else 1


class Lowering:
    """Turns the groups of a graph into a program.

    Parameters
    ----------
    grouping : Grouping
        The groups.
    sizes : list of int
        How many numbers each argument has.
    names : list of str
        What the arguments are called.
    learning : list of int
        The nodes whose gradients are asked for.
    learns : bool
        Whether gradients of leaves that were there before are asked for.
    """

    def __init__(
        self, grouping: Grouping, sizes: list[int], names: list[str], learning: Sequence[int], learns: bool
    ) -> None:
        self.grouping, self.scalars = grouping, grouping.scalars
        self.names = Names()
        inputs = [Variable(self.names.new(name), size, True, "input") for name, size in zip(names, sizes, strict=True)]
        size, asked = len(self.scalars.leaves) + len(self.scalars.tables.numbers), set(learning)
        parameters = Variable("theta", size, False, "parameters", learns)
        self.program = ArrayProgram(inputs, parameters, Variable("gradient", size, False, "gradient"))
        self.places = Places(self._emit, self._new)
        self.operations: list[ops.Operation] = []
        self._formulas: dict[Variable, str] = {}
        self._gathers = 0
        self._last_column = NOTHING  # below it lie the indices of arrays of bare numbers
        for i, (argument, k) in self.scalars.place.items():
            self.places.put(inputs[argument], [i], k)
            inputs[argument].needs |= i in asked
        arrays = [self._array_of(group) for group in grouping.groups]
        self.layout = self._lay_out(self.scalars.parameters())
        first = self.scalars.tables.n_leaves
        self.places.put(parameters, self.layout, first)
        for i, number in self.scalars.leaf.items() if first else ():
            if number < first:
                self.places.put(parameters, [i], number)
        for group, array in zip(grouping.groups, arrays, strict=True):
            self._lower(group, array)
        self._finish()

    # ------------------------------------------------------------------------------------------------- arrays

    def _emit(self, statement: Statement) -> None:
        self.program.forward.append(statement)

    def _new(self, name: str, rows: int, varies: bool, needs: bool = False, role: str = "value") -> Variable:
        array = Variable(self.names.new(name), rows, varies, role, needs)
        self.program.arrays.append(array)
        return array

    def _array_of(self, group: Group) -> Variable:
        array = self._new(group_name(self.scalars, group), len(group.nodes), group.varies, group.needs)
        self.places.put(array, group.nodes)
        return array

    # ------------------------------------------------------------------------------------------------- layout

    def _lay_out(self, leaves: list[int]) -> list[int]:
        """Return the leaves behind those of tables in their order: as matrix products use them, the bias last."""
        free, order = set(leaves), []

        def take(nodes: list[int]) -> None:
            order.extend(nodes)
            free.difference_update(nodes)

        for group in self.grouping.groups:
            if group.form == "pick" and isinstance(group.table, list) and _all_free(group.table, free):
                take(group.table)
            if group.form not in ("affine", "convolution"):
                continue
            rows = _filters(group)
            last_start = 0
            runs = self.places.runs(rows[0].features) if group.form == "affine" else []
            if len(runs) > 1:
                for start, end in runs[:-1]:
                    weights = [p for row in rows for p in row.weights[start:end]]
                    if _all_free(weights, free):
                        take(weights)
                last_start = runs[-1][0]
            weights = [p for row in rows for p in row.weights[last_start:]]
            biases = [row.bias for row in rows if row.bias != NOTHING]
            if _all_free(weights + biases, free):
                take([p for row in rows for p in (*row.weights[last_start:], *([row.bias] if biases else []))])
            elif _all_free(weights, free):
                take(weights)
        return [*order, *[i for i in leaves if i in free]]

    # ------------------------------------------------------------------------------------------------- groups

    def _lower(self, group: Group, array: Variable) -> None:
        before = len(self.operations)
        comment_at = len(self.program.forward)
        why = getattr(self, f"_lower_{group.form}")(group, View(array, 0, array.rows))
        self._take_gathers(before)
        for operation in self.operations[before:]:
            for statement in operation.forward():
                self._emit(statement)
        formula = next((d for operation in self.operations[before:] if (d := operation.description())), "")
        size = f"{array.rows} node{'s' if array.rows > 1 else ''}"
        place = common_scope([self.scalars.labels(i)[0] for i in group.nodes[:64]])
        self._formulas[array] = f"{array.name} = {formula}"
        comment = Comment(f"{self._formulas[array]}  ({size}{f' of {place}' if place else ''})")
        self.program.forward.insert(comment_at, comment)
        self.program.notes.append((array.name, array.rows, f"{formula}: {why}"))

    def _take_gathers(self, at: int) -> None:
        """Put what was gathered meanwhile in front of the operations that read it."""
        fresh = self.places.gathers[self._gathers :]
        self._gathers = len(self.places.gathers)
        self.operations[at:at] = [ops.Copy(view, pieces) for view, pieces in fresh]

    def _slot(self, nodes: Sequence[int]) -> Slot:
        """Return operands, bare numbers as what they are."""
        if self.scalars.kind[nodes[0]] != CONSTANT:
            return [self.grouping.actual(i) for i in nodes]
        return self._numbers([self.scalars.number[i] for i in nodes])

    def _numbers(self, numbers: Sequence[float]) -> Slot:
        """Return bare numbers as one where they are all the same, else as the rows of an array, like nodes."""
        if all(x == numbers[0] for x in numbers):
            return float(numbers[0])
        nodes = list(range(self._last_column - len(numbers), self._last_column))
        self._last_column -= len(numbers)
        self._put_constants(numbers, nodes)
        return nodes

    def _put_constants(self, numbers: Sequence[float], nodes: Sequence[int]) -> None:
        array = self._new("constants", len(numbers), False, role="constant")
        array.data = np.array(numbers, dtype=float)
        self.places.put(array, nodes)

    def _lower_elementwise(self, group: Group, target: View) -> str:
        parents = [self.scalars.parents[i] for i in group.nodes]
        slots = [self._slot(column) for column in zip(*parents, strict=True)]
        assert group.primitive is not None
        for start, end, operands in self.places.views(slots, target.count):
            self.operations.append(ops.Elementwise(target.part(start, end - start), group.primitive, operands))
        return f"{group.primitive.name} of nodes on level {group.level}"

    def _lower_terms(self, group: Group, target: View) -> str:
        self._add_terms(group.rows, target, add=False)
        terms = max(len(row.rest) + (row.bias != NOTHING) + (row.constant != 0.0) for row in group.rows)
        return f"{'sums of' if terms > 1 else ''} {terms} term{'s' * (terms > 1)} on level {group.level}".strip()

    def _add_terms(self, rows: list[Row], target: View, add: bool) -> None:
        """Write the terms that aren't part of a matrix product, with what doesn't vary and the bare number."""
        slots: list[Slot] = [self._numbers([row.constant for row in rows])]
        for k in range(len(rows[0].rest)):
            slots += self._factors([row.rest[k] for row in rows])
        if rows[0].bias != NOTHING:
            slots += [1.0, [row.bias for row in rows], 0.0]
        if len(slots) == 1 and slots[0] == 0.0:
            return
        for start, end, found in self.places.views(slots, len(rows)):
            terms = list(map(_term, found[1::3], found[2::3], found[3::3]))
            self.operations.append(ops.Terms(target.part(start, end - start), terms, found[0], add))

    def _factors(self, terms: Sequence[tuple[float, int, int]]) -> list[Slot]:
        """Return what terms, one for each row, are products of: the coefficients and the nodes."""
        coefficients, left, right = zip(*terms, strict=True)
        return [self._numbers(coefficients), self._slot(left), 0.0 if right[0] == NOTHING else right]

    def _lower_reduction(self, group: Group, target: View) -> str:
        rows = group.rows
        singles = sum(b == NOTHING for _, _, b in rows[0].rest)
        products = len(rows[0].rest) - singles
        add = False
        for start, end in ((0, products), (products, products + singles)):
            if end > start:
                self._add_reduction([row.rest[start:end] for row in rows], target, add)
                add = True
        fixed = [Row(bias=row.bias, constant=row.constant) for row in rows]
        self._add_terms(fixed, target, add=True)
        return f"sums over {len(rows[0].rest)} terms"

    def _add_reduction(self, rows: list[list[tuple[float, int, int]]], target: View, add: bool) -> None:
        of_products = rows[0][0][2] != NOTHING  # the others are added up in the order written
        if len(rows) == 1:
            if of_products and not target.array.varies:  # in the order of the parameters
                rows = [sorted(rows[0], key=lambda term: self.places.order(term[1]))]
            terms, over = rows[0], "rows"
        else:
            terms, over = [term for row in rows for term in row], "rows last"
            if not self.places.lie_together(self._nodes([a for _, a, _ in terms])):
                terms, over = [row[k] for k in range(len(rows[0])) for row in rows], "rows"
        most = MOST_RUNS if len(rows) == 1 and of_products else 1  # a fold needs all terms in one piece
        coefficients, left, right = zip(*terms, strict=True)
        slots = [self._numbers(coefficients), self._nodes(left), right if of_products else 0.0]
        for start, end, found in self.places.views(slots, len(terms), repeats=False, most=most):
            self.operations.append(ops.Reduction(target, _term(*found), end - start, over, add))
            add = True

    def _lower_affine(self, group: Group, target: View) -> str:
        rows = group.rows
        segments = self.places.segments(rows[0].features)
        has_bias, add = rows[0].bias != NOTHING, False
        for start, end, source in segments:
            weights = [row.weights[start:end] for row in rows]
            bias = has_bias and end == len(rows[0].features) and self._takes_ones(source, rows, weights, 1)
            if bias:
                weights = [[*w, row.bias] for w, row in zip(weights, rows, strict=True)]
            matrix = self.places.matrix(weights)
            self.operations.append(ops.Affine(target, matrix, source, bias, 1, add))
            add = True
            if bias:
                rows = [Row(row.weights, row.features, row.rest, NOTHING, row.constant) for row in rows]
        self._add_terms(rows, target, add=True)
        return f"W x{' + b' if has_bias else ''} with W of shape {(len(rows), len(rows[0].weights))}"

    def _takes_ones(self, source: View, rows: list[Row], weights: list[list[int]], ones: int) -> bool:
        """Return whether the bias can be the last column of the matrix, and lay rows of ones below the source."""
        array = source.array
        at_end = source.step == 1 and source.start + source.count == array.rows
        if not at_end or array.role not in ("value", "input") or array.ones not in (0, ones):
            return False
        with_bias = [[*w, row.bias] for w, row in zip(weights, rows, strict=True)]
        if self.places.regular_matrix(with_bias) is None:
            return False
        array.ones = ones
        return True

    def _lower_convolution(self, group: Group, target: View) -> str:
        filters = _filters(group)
        windows = len(group.rows) // len(filters)
        features = [row.features for row in group.rows[:windows]]
        source = self.places.view([f[k] for k in range(len(features[0])) for f in features])
        has_bias = filters[0].bias != NOTHING
        weights = [row.weights for row in filters]
        bias = has_bias and self._takes_ones(source, filters, weights, windows)
        columns = [[*row.weights, row.bias] for row in filters] if bias else weights
        self.operations.append(ops.Affine(target, self.places.matrix(columns), source, bias, windows))
        if has_bias and not bias:
            self._add_terms([Row(bias=row.bias) for row in group.rows], target, add=True)
        return f"{len(filters)} filters of {len(weights[0])} weights on {windows} windows"

    # ------------------------------------------------------------------------------------ operations on a list

    def _operands(self, i: int) -> list[int]:
        return self._nodes(self.scalars.parents[i])

    def _nodes(self, nodes: Sequence[int]) -> list[int]:
        """Return operands of which some may be bare numbers as nodes that have a place."""
        scalars = self.scalars
        found = [self.grouping.actual(i) for i in nodes] if self.grouping.alias else list(nodes)
        new = dict.fromkeys([i for i in found if scalars.kind[i] == CONSTANT and not self.places.knows(i)])
        if new:
            self._put_constants([scalars.number[i] for i in new], list(new))
        return found

    def _lower_logsumexp(self, group: Group, target: View) -> str:
        source = self.places.view(self._operands(group.nodes[0]))
        self.operations.append(ops.LogSumExp(target, source, *self._exponentials(target, source)))
        return f"logsumexp of {source.count} nodes"

    def _lower_minus_log_softmax(self, group: Group, target: View) -> str:
        index, *logits = self._operands(group.nodes[0])
        if not logits:  # no class to be sure of: 0, as the logarithm of an empty sum is left out
            self.operations.append(ops.Terms(target, []))
            return "-log softmax of nothing"
        source, of_class = self.places.view(logits), self.places.view([index])
        i = self.scalars.parents[group.nodes[0]][0]
        is_class = i in self.scalars.choices or self.scalars.number[i] in range(source.count * self._is_constant(i))
        between = self._exponentials(target, source)
        self.operations.append(ops.MinusLogSoftmax(target, source, *between, of_class, is_class))
        return f"-log softmax of {source.count} nodes, by an index"

    def _lower_softmax(self, group: Group, target: View) -> str:
        operands = self._nodes(sorted(self.scalars.parents[group.nodes[0]]))
        source = self.places.view(operands)
        first = [operands.index(self.grouping.actual(self.scalars.parents[i][0])) for i in group.nodes]
        if first == list(range(source.count)):
            self.operations.append(ops.Softmax(target, source, *self._exponentials(target, source)))
        else:
            whole = View(self._new("softmax", source.count, group.varies, group.needs), 0, source.count)
            self.operations.append(ops.Softmax(whole, source, *self._exponentials(target, source)))
            for row, k in enumerate(first):
                self.operations.append(ops.Terms(target.part(row, 1), [(1.0, whole.part(k, 1), None)]))
        return f"softmax of {source.count} nodes"

    def _is_constant(self, i: int) -> bool:
        return self.scalars.kind[self.grouping.actual(i)] == CONSTANT

    def _exponentials(self, target: View, source: View) -> tuple[View, View]:
        varies, base = target.array.varies, target.array.name
        rows = (("exp", source.count), ("total", 1))
        e, total = [View(self._new(f"{base}_{name}", k, varies), 0, k) for name, k in rows]
        return e, total

    def _lower_maximum(self, group: Group, target: View) -> str:
        assert group.primitive is not None
        source = self.places.view(self._operands(group.nodes[0]))
        self.operations.append(ops.Extremum(target, group.primitive.name, source))
        return f"{group.primitive.name} of {source.count} nodes"

    _lower_minimum = _lower_maximum

    def _lower_pick(self, group: Group, target: View) -> str:
        index = self.places.view(self._nodes(group.indices))
        if isinstance(group.table, list):
            table = self.places.block(self._nodes(group.table))
        else:
            places = self.scalars.tables.places(group.table, len(self.scalars.leaves))
            table = self.places.rows_of(self.program.parameters, places)
        self.operations.append(ops.Chosen(target, index, table))
        width = target.count // index.count
        what = f"rows of {width}" if width > 1 else "nodes"
        by = f"each of {index.count} indices" if index.count > 1 else "an index"
        return f"one of {table.count // width} {what}, by {by}"

    def _lower_batch_mean(self, group: Group, target: View) -> str:
        (nodes,) = zip(*[self._operands(i) for i in group.nodes], strict=True)
        self.operations.append(ops.BatchMean(target, self.places.view(nodes)))
        return "means over the batch"

    # ------------------------------------------------------------------------------------------------- results

    def _finish(self) -> None:
        """Note where the results are, and write the backward pass.

        The loop is `engine.graph.gradients` written over arrays: operations in reverse, each when its gradient is
        complete. They contribute products of matrices instead of products of numbers, to rows of arrays instead of
        nodes. tests/vectorizer/test_random_graphs.py holds it to the one definition.
        """
        program, scalars = self.program, self.scalars
        program.outputs = self._results(scalars.outputs)
        effects = [i for effect in scalars.effects for i in effect]
        program.effects = self._results([*effects, *scalars.computed_indices()])
        self._take_gathers(len(self.operations))
        tape = Tape(program, self._new)
        if len(scalars.outputs) > 1:
            program.seed = Variable(self.names.new("seeds"), len(scalars.outputs), False, "seed")
        start = 0
        for view in program.outputs:
            seed = SEED if program.seed is None else View(program.seed, start, view.count).expression()
            tape.add(view, seed, view.count, bool(program.inputs))
            start += view.count
        for operation in reversed(self.operations):
            array = operation.target.array
            if not array.needs:
                continue
            tape.statements.append(Comment(f"∂L/∂{array.name}, where {self._formulas.get(array, array.name)}"))
            upstream = tape.upstream(operation.target)
            if upstream is not None:
                operation.backward(tape, upstream)
        if tape.finish(program.parameters) is None and program.parameters.needs:
            tape.statements.append(Fill(program.gradient))
        for k, array in enumerate(program.inputs):
            gradient = tape.finish(array)
            if gradient is not None:
                program.input_gradients[k] = gradient
        program.backward = tape.statements

    def _results(self, nodes: list[int]) -> list[View]:
        found = self._nodes([self.grouping.actual(i) for i in nodes])
        return [view for _, _, view in self.places.segments(found)] if found else []


def _term(c: View | float, a: View, b: View | float) -> ops.Factors:
    return c, a, b if isinstance(b, View) else None


def _filters(group: Group) -> list[Row]:
    """Return the rows with weights of their own: of a convolution the first one of each filter."""
    if group.form == "affine":
        return group.rows
    first: dict[Any, Row] = {}
    for row in group.rows:
        first.setdefault((tuple(row.weights), row.bias), row)
    return list(first.values())


def _all_free(nodes: list[int], free: set[int]) -> bool:
    return len(set(nodes)) == len(nodes) and free.issuperset(nodes)


_PART_OF_A_LAYER = re.compile(r"\.?neurons(\.\d+)?$")


def group_name(scalars: Scalars, group: Group) -> str:
    """Return what to call the array of a group: ``layers_0_z``, ``loss``, ``mul``."""
    labelled = [scalars.labels(i) for i in group.nodes[:64]]
    scope = common_scope([scope for scope, _ in labelled])
    labels = {label for _, label in labelled}
    label = labels.pop() if len(labels) == 1 else ""
    if not label:
        label = _operation_name(scalars, group)
    return f"{scope}.{label}" if scope else label


def _operation_name(scalars: Scalars, group: Group) -> str:
    primitive = scalars.primitive[group.nodes[0]]
    return "fixed" if primitive is None else {"add": "sum", "sub": "difference"}.get(primitive.name, primitive.name)


def common_scope(scopes: Sequence[str]) -> str:
    """Return the module that all nodes belong to; a layer rather than its neurons.

    Examples
    --------
    >>> common_scope(["layers.0.neurons.0", "layers.0.neurons.1"]), common_scope(["a.b", "c"])
    ('layers.0', '')
    """
    if not scopes[0]:
        return ""
    shared: list[str] = []
    for level in zip(*[scope.split(".") for scope in scopes], strict=False):  # as deep as the shallowest
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return _PART_OF_A_LAYER.sub("", ".".join(shared))
