"""Where each node lies: which array and which row; and how many nodes at once are read, as a view wherever possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_mini.vectorizer.statements import Gather, Matrix, Statement, Variable, View

MOST_RUNS = 4  # nodes that lie in more runs than that are gathered first
Slot = Sequence[int] | float  # a node for each row, or one bare number for all
Operand = View | float


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
        number = self._enter(array)
        for row, node in enumerate(nodes, start=first):
            self._array[node], self._row[node] = number, row

    def _enter(self, array: Variable) -> int:
        """Return the number of an array, which it gets at its first mention."""
        if array not in self._number:
            self._number[array] = len(self._arrays)
            self._arrays.append(array)
        return self._number[array]

    def of(self, node: int) -> tuple[Variable, int]:
        """Return the array and the row of a node."""
        return self._arrays[self._array[node]], self._row[node]

    def knows(self, node: int) -> bool:
        """Return whether a node has its place already."""
        return node in self._array

    def order(self, node: int) -> tuple[int, int]:
        """Return by what nodes are to be sorted so that they lie side by side."""
        return self._array[node], self._row[node]

    # -------------------------------------------------------------------------------------------------- views

    def views(self, slots: Sequence[Slot], rows: int, repeats: bool = True) -> list[tuple[int, int, list[Operand]]]:
        """Return how operands are read: for each run of rows (start, end) a view or a number for each slot.

        Parameters
        ----------
        slots : sequence
            For each operand its node for each row, or one number for all.
        rows : int
            The number of rows.
        repeats : bool, optional
            Whether one node for all rows may be a view of a single row.
        """
        lists = [None if isinstance(slot, float) else self._locations(slot) for slot in slots]
        runs = self._runs([found for found in lists if found is not None], rows, repeats=repeats)
        if runs is None:
            gathered: list[Operand] = [slot if isinstance(slot, float) else self.view(slot, repeats) for slot in slots]
            return [(0, rows, gathered)]
        found: list[tuple[int, int, list[Operand]]] = []
        for start, end in runs:
            operands: list[Any] = []
            for slot, location in zip(slots, lists, strict=True):
                operands.append(slot if location is None else self._view(location, start, end))
            found.append((start, end, operands))
        return found

    def view(self, nodes: Sequence[int], repeats: bool = False) -> View:
        """Return nodes as the rows of one view; gathered into an array of their own where they lie apart."""
        found = self._locations(nodes)
        runs = self._runs([found], len(nodes), 1, repeats)
        if runs is not None:
            return self._view(found, 0, len(nodes))
        return self._gathered_view(nodes, found)

    def _gathered_view(self, nodes: Sequence[int], found: tuple[Any, Any]) -> View:
        key = tuple(nodes)
        if key not in self._gathered:
            self._gathered[key] = self._gather(*found)
        return self._gathered[key]

    def block(self, nodes: Sequence[int]) -> View:
        """Return nodes as rows one below the other, without any in between."""
        found = self._locations(nodes)
        if len(nodes) == 1 or ((np.diff(found[1]) == 1) & (found[0][1:] == found[0][0])).all():
            return self._view(found, 0, len(nodes))
        return self._gathered_view(nodes, found)

    def lie_together(self, nodes: Sequence[int]) -> bool:
        """Return whether nodes can be read as one view."""
        return self._runs([self._locations(nodes)], len(nodes), 1, repeats=False) is not None

    def runs(self, nodes: Sequence[int]) -> list[tuple[int, int]]:
        """Return the few views (start, end) that nodes can be read as; none if they have to be gathered."""
        return self._runs([self._locations(nodes)], len(nodes), repeats=False) or []

    def segments(self, nodes: Sequence[int]) -> list[tuple[int, int, View]]:
        """Return nodes as a few views one after the other: (start, end, view)."""
        found = self._locations(nodes)
        runs = self._runs([found], len(nodes), repeats=False)
        if runs is None:
            return [(0, len(nodes), self.view(nodes))]
        return [(start, end, self._view(found, start, end)) for start, end in runs]

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
        array, row = self._array, self._row
        return np.array([array[i] for i in nodes]), np.array([row[i] for i in nodes])

    def _view(self, found: tuple[Any, Any], start: int, end: int) -> View:
        arrays, rows = found
        array, first = self._arrays[arrays[start]], int(rows[start])
        step = int(rows[start + 1]) - first if end - start > 1 else 1
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
                to = View(target, int(places[start]), end - start, int(_step(places, start, end)))
                source, index = self._arrays[number], at[places[start:end]]
                self._emit(Gather(target, to, source, index))
                pieces.append((to, source, index))
        whole = View(target, 0, len(at))
        self._enter(target)
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
    return places[start + 1] - places[start] if end - start > 1 else 1
