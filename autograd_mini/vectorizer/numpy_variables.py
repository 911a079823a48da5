"""The variables of a NumPy program: arrays, views of them, matrices and buffers, each defined at its first use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_mini.vectorizer.elementwise import Shape
from autograd_mini.vectorizer.names import Names
from autograd_mini.vectorizer.statements import HUGE, Array, Assign, Matrix, Program, View

HUGE_SINGLE = 3.4e38


class Variables:
    """Names for everything in a program, and the lines that define them.

    Parameters
    ----------
    program : Program
        The program.
    dtype : str
        "float64" or "float32".
    """

    def __init__(self, program: Program, dtype: str) -> None:
        self.program = program
        self.dtype = "" if dtype == "float64" else f", np.{dtype}"
        self.huge = repr(HUGE if dtype == "float64" else HUGE_SINGLE)  # about the largest number of the precision
        self._setup: list[str] = []
        self._known: dict[Any, str] = {}
        self._names = Names()
        self._free: dict[Any, list[str]] = {}
        self._buffers: dict[str, Any] = {}
        self._dying: list[Array] = []
        self._in_place_of: dict[Array, Array] = {}
        self._matrix_numbers: dict[Any, int] = {}

    def _number_array(self, number: float, rows: int) -> str:
        """Return the variable of a bare number, an array without axes; with rows, of an array full of it."""
        written = _written(number)
        if abs(number) == HUGE:
            written = self.huge if number > 0 else f"-{self.huge}"
        name = f"c_{repr(abs(number)).removesuffix('.0')}" if number >= 0 else f"minus_{-number}".removesuffix(".0")
        if rows:
            return self._bind((number, rows), f"{name}_{rows}", f"np.full(({rows}, n), {written}{self.dtype})")
        return self._bind((number, 0), name, f"np.array({written}{self.dtype})")

    def _shares(self, array: Array) -> Array:
        """Return the array that an array shares its memory with."""
        while array in self._in_place_of:
            array = self._in_place_of[array]
        return array

    def _bind(self, key: Any, name: str, definition: str) -> str:
        """Return the variable for a thing, defined at its first use."""
        if key not in self._known:
            self._known[key] = name = self._names.new(name)
            self._setup.append(f"{name} = {definition}")
        return self._known[key]

    def _define(self, array: Array) -> str:
        """Return the variable of an array."""
        if array.role in ("parameters",) or array is self.program.gradient:
            return array.name
        if array.role == "constant":
            numbers = ", ".join(map(_written, np.asarray(array.data).tolist()))
            return self._bind(array, array.name, f"np.array([{numbers}]{self.dtype})")
        shape = f"({array.rows}, n)" if array.varies else f"{array.rows}"
        if array.ones:
            return self._bind(array, array.name, f"{self._with_ones(array)}[:{array.rows}]")
        return self._bind(array, array.name, f"np.empty({shape}{self.dtype})")

    def _with_ones(self, array: Array) -> str:
        """Return the variable of an array with the row of ones below."""
        rows = "the last row stays" if array.ones == 1 else f"the last {array.ones} rows stay"
        definition = f"np.ones(({array.rows + array.ones}, n){self.dtype})  # {rows} 1, for the bias"
        return self._bind((array, "ones"), f"{array.name}_1", definition)

    def view(self, view: View, in_batch: bool) -> str:
        """Return the variable of a view; `in_batch` asks for a column where it doesn't vary."""
        name = self._define(view.array)
        column = in_batch and not view.array.varies
        if view.is_whole and not column:
            return name
        rows = _slice(view)
        return self._bind(
            (view, column),
            f"{name}_{'column' if view.is_whole else f'{view.start}_{view.start + view.count * view.step}'}",
            f"{name}[{rows}, None]" if column else f"{name}[{rows}]",
        )

    def _take_over(self, statement: Assign) -> None:
        """Let a gradient lie where another one lay that nobody reads any more, and which is in the cache."""
        target = statement.target
        if not target.is_whole or statement.add or target.array.role != "gradient" or target.array in self._known:
            return
        if target.array in self.program.input_gradients.values() or target.array is self.program.gradient:
            return
        for array in self._dying:
            fits = (array.rows, array.varies) == (target.array.rows, target.array.varies)
            if fits and array.role == "gradient" and array not in (self.program.gradient, target.array):
                self._bind(target.array, target.array.name, f"{self._define(array)}  # in its place")
                self._in_place_of[target.array] = array
                return

    def _matrix(self, matrix: Matrix) -> str:
        name, (rows, columns) = self._define(matrix.array), matrix.shape
        end = matrix.start + rows * columns
        if matrix.across == 1 and matrix.down == columns:
            definition = f"{name}[{matrix.start}:{end}].reshape({rows}, {columns})"
        elif matrix.across == 1 and matrix.down == columns + 1 and end + rows <= matrix.array.rows:  # without the bias
            wide = Matrix(matrix.array, matrix.start, (rows, columns + 1), matrix.down, 1)
            definition = f"{self._matrix(wide)}[:, :-1]"
        elif matrix.down == 1 and matrix.across == rows:
            definition = f"{name}[{matrix.start}:{end}].reshape({columns}, {rows}).T"
        else:
            strides = f"({matrix.down} * {name}.itemsize, {matrix.across} * {name}.itemsize)"
            definition = f"np.lib.stride_tricks.as_strided({name}[{matrix.start}:], ({rows}, {columns}), {strides})"
        kind = "d_W" if matrix.array is self.program.gradient else "W"
        owner = "" if matrix.array.role in ("parameters", "gradient") else f"{name}_"
        return self._bind(("matrix", matrix), f"{owner}{kind}{self._number(matrix)}", definition)

    def _number(self, matrix: Matrix) -> int:
        """Return the same number for a matrix and its gradient, counted by where they begin."""
        numbers = self._matrix_numbers
        return numbers.setdefault((matrix.array.role == "value", matrix.start), len(numbers) + 1)

    def _scratch(self, shape: Shape, condition: bool, in_batch: bool) -> str:
        rows, varies = shape
        key = (rows, varies, condition, in_batch)
        free = self._free.setdefault(key, [])
        if free:
            return free.pop()
        kind = "mask" if condition else "work"
        size = f"({rows}, n)" if varies else f"({rows}, 1)" if in_batch else f"{rows}"
        name = self._bind(
            (key, len(self._buffers)),
            f"{kind}_{rows}",
            f"np.empty({size}, bool)" if condition else f"np.empty({size}{self.dtype})",
        )
        self._buffers[name] = key
        return name

    def _release(self, name: str) -> None:
        self._free[self._buffers[name]].append(name)

    def _index(self, index: Any) -> str:
        """Return the variable of a list of rows."""
        numbers = np.asarray(index).tolist()
        return self._bind(("index", tuple(numbers)), "rows", f"np.array({numbers})")


def _written(number: float) -> str:
    """Return a number as NumPy writes it."""
    return f"np.{number}".replace("np.-", "-np.") if number != number or abs(number) == math.inf else repr(number)


def _slice(view: View) -> str:
    end = view.start + (view.count - 1) * view.step + 1
    return f"{view.start}:{end}" + (f":{view.step}" if view.step != 1 else "")
