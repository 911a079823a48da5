"""Runs a program on the native machine: what `backend="native"` does, and `backend="auto"` where it pays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.native import table as t
from autograd_mini.native.library import Library, absence, instruction_set, library
from autograd_mini.vectorizer.native_printer import NativeTable, NotNativeError
from autograd_mini.vectorizer.statements import ArrayProgram, Product

LARGE_PRODUCT = 50_000  # weights of a matrix from which on BLAS is quicker than the machine's tiles, about
SLOW_SETS = ("sse2",)  # with two numbers at a time NumPy is as quick on small programs, and quicker on large batches
_BLOCK_WORK = 1_500_000  # of a block of examples: about 0.3 ms, against which what Python does for it is little
SMALL = 4096  # numbers of an input that are sooner copied than asked where they are
_WHOLE = 16  # what the number of a block's examples is a multiple of: whole vectors
_VARYING, _HEAD = 6, 9  # words of a run before where its results go, and before its inputs, of three words each


class NativeProgram:
    """A program as tables, which are written and checked when they are needed first.

    Parameters
    ----------
    program : ArrayProgram
        The statements.
    found : Library
        The machine.
    dtype : numpy.dtype
        The precision.
    """

    def __init__(self, program: ArrayProgram, found: Library, dtype: Any) -> None:
        self.program, self.library, self.dtype = program, found, dtype
        self.set_name, self.set_number = instruction_set(found)
        self._tables: dict[bool, NativeTable] = {}

    def table(self, backward: bool) -> NativeTable:
        """Return the table of the forward pass, or of both.

        Raises
        ------
        NotNativeError
            If there is something in it that the machine doesn't know.
        """
        if backward not in self._tables:
            made = NativeTable(self.program, backward, self.dtype)
            self.library.check(made.words)
            self._tables[backward] = made
        return self._tables[backward]

    def all_vary(self) -> bool:
        """Return whether all that is handed out varies: one output, and the gradients of the inputs."""
        output, effects, gradients = self.table(backward=True).results
        return (
            len(output) == output[0][1] == 1 and not effects and all(varies for _, _, varies in [*output, *gradients])
        )

    def block_size(self, n: int) -> int:
        """Return how many of n examples are run in one call, so that several threads have blocks alike.

        As the gradients of blocks are added up in their order, it depends on the program and on n alone.
        """
        count = round(n * self.table(backward=True).work / _BLOCK_WORK)
        if count < 2:
            return n
        count += count % 2  # as many for each of two threads
        return -(-n // (count * _WHOLE)) * _WHOLE


def native_program(program: ArrayProgram, dtype: Any, wanted: bool) -> tuple[NativeProgram | None, str]:
    """Return a program for the machine, or None; and why.

    Parameters
    ----------
    program : ArrayProgram
        The statements.
    dtype : numpy.dtype
        The precision.
    wanted : bool
        Whether it is asked for, also where NumPy is quicker.
    """
    found = library()
    if found is None:
        return None, absence()
    largest = max([_weights(s) for s in program.forward if isinstance(s, Product)], default=0)
    if largest > LARGE_PRODUCT and not wanted:
        return None, f"a matrix of {largest} weights is multiplied more quickly by BLAS"
    made = NativeProgram(program, found, dtype)
    if made.set_name in SLOW_SETS and not wanted:
        return None, f"with the instructions of {made.set_name} NumPy is as quick or quicker"
    try:
        made.table(backward=True)
    except NotNativeError as error:
        return None, f"the machine doesn't know {error}" if wanted else f"the machine lacks {error}"
    return made, f"machine code for {made.set_name}"


def _weights(statement: Product) -> int:
    rows, columns = statement.matrix.shape
    return rows * columns


class _Bound:
    """A table with its memory, for one number of examples.

    Inputs of more numbers than `most` are read where they are, others from memory of its own.
    """

    def __init__(
        self, native: NativeProgram, table: NativeTable, n: int, theta: Array, gradient: Array, most: float = SMALL
    ) -> None:
        self.native = native
        self._run, self._set = native.library.run, native.set_number
        self._table, self._n = table, n
        needed, (_, fixed, results, varying) = native.library.memory(table.words, n)
        self._dtype, step = native.dtype, table.table.step
        store = np.empty(needed + step, self._dtype)
        start = -store.ctypes.data % t.STEP_BYTES // self._dtype.itemsize
        memory = store[start : start + needed]
        numbers = memory[: len(table.table.constants) * step].reshape(-1, step)
        with np.errstate(over="ignore"):  # a number that is too large for this precision is infinite
            numbers[:] = np.array(table.table.constants)[:, None]
            for offset, data in table.constants:
                memory[fixed + offset : fixed + offset + len(data)] = data
        numbers[-1 - t.N] = n
        self.seed: Any = numbers[-1 - t.SEED]
        seeds = native.program.seed
        if seeds is not None:  # several outputs, on which no gradient may depend
            self.seed = None if table.seed is None else memory[fixed + table.seed :][: seeds.rows]
        self.results: list[tuple[Array, ...]] = []
        for found in table.results:
            parts = []
            for row, count, varies in found:
                if varies:
                    parts.append(memory[varying + row * n : varying + (row + count) * n].reshape(count, n))
                else:
                    parts.append(memory[results + row : results + row + count])
            self.results.append(tuple(parts))
        widths = [array.rows for array in native.program.inputs]
        self._inputs: list[Array | None] = [np.empty((n, w), self._dtype) if n * w <= most else None for w in widths]
        self._shapes = [(n, w) for w in widths]
        own = [0 if array is None else array.ctypes.data for array in self._inputs]
        known = [word for at, width in zip(own, widths, strict=True) for word in (at, width, 1)]
        head = [table.words.ctypes.data, memory.ctypes.data, needed, theta.ctypes.data, gradient.ctypes.data, n]
        self._outputs = sum(count for found in table.results[:2] for _, count, varies in found if varies)
        self._machine = np.array([*head, 0, 0, self._outputs, *known], np.int64)
        self.address = self._machine.ctypes.data
        self._kept = memory, theta, gradient  # whose addresses the machine has

    def run(self, columns: Sequence[Array], seed: Any, into: Array | None = None) -> None:
        """Run it on these inputs; the results that vary go into an array with a row for each, if it is given."""
        given: list[Array] = []  # are kept while it runs
        for k, (column, own, shape) in enumerate(zip(columns, self._inputs, self._shapes, strict=True)):
            if column.shape != shape:
                raise ValueError(f"input {k + 1}: expected the shape {shape}, got {column.shape}")
            if own is not None:
                own[...] = column
            else:
                given.append(self._readable(column))
                steps = [stride // self._dtype.itemsize for stride in given[-1].strides]
                self._machine[_HEAD + 3 * k : _HEAD + 3 * k + 3] = given[-1].ctypes.data, *steps
        if into is not None:
            self._machine[_VARYING : _VARYING + 2] = into.ctypes.data, into.strides[0] // self._dtype.itemsize
        if seed is not None and self.seed is not None:
            self.seed[:] = seed
        failed = self._run(self.address, self._set)
        self._machine[_VARYING] = 0
        if failed:
            raise RuntimeError(f"the native machine refused to run ({failed})")

    def _readable(self, column: Array) -> Array:
        """Return an input as the machine can read it: as it is, if its numbers are those of the machine."""
        size = self._dtype.itemsize
        lies_even = not any(at % size for at in (column.ctypes.data, *column.strides))  # flags.aligned misses some
        is_readable = column.dtype == self._dtype and lies_even
        return column if is_readable else np.array(column, dtype=self._dtype, order="C")


class NativeWorkspace:
    """A program bound to arrays for one batch size.

    Parameters
    ----------
    native : NativeProgram
        The program.
    n : int
        The number of examples.
    theta, gradient : numpy.ndarray
        The parameters and their gradient.
    """

    def __init__(self, native: NativeProgram, n: int, theta: Array, gradient: Array) -> None:
        self.theta, self.gradient = theta, gradient
        self._native, self._n = native, n
        self._bound: dict[bool, _Bound] = {}

    def filled_in(self, seed: float) -> _Bound:
        """Return both passes for one who fills in the inputs at the addresses that the machine has of them."""
        table = self._native.table(backward=True)
        bound = _Bound(self._native, table, self._n, self.theta, self.gradient, most=math.inf)
        bound.seed[:] = seed
        return bound

    def run(self, columns: Sequence[Array], seed: Any, into: Array | None = None) -> tuple[Any, Any, Any]:
        """Return the results, what modules asked for, and the gradients of the inputs; see `compiled.Workspace`.

        Where they all vary, they may go into an array with a row for each: then what is returned isn't of this run.
        """
        backward = seed is not None
        bound = self._bound.get(backward)
        if bound is None:
            table = self._native.table(backward)
            bound = self._bound[backward] = _Bound(self._native, table, self._n, self.theta, self.gradient)
        bound.run(columns, seed, into)
        results, effects, *gradients = bound.results
        return results, effects, gradients[0] if gradients else ()

    def repeated(self, shapes: Sequence[tuple[int, ...]], seed: float) -> Callable[[Sequence[Any]], None] | None:
        """Return what runs both passes again and again on inputs of these shapes, in fewer steps than `run`.

        None where an input is too large to be copied. The workspace can be used for nothing else then.
        """
        bound = self._bound[True]
        own = [array.reshape(shape) for array, shape in zip(bound._inputs, shapes, strict=True) if array is not None]
        if len(own) < len(shapes) or bound.seed is None:
            return None
        bound.seed[:] = seed

        def run_again(inputs: Sequence[Any]) -> None:
            for array, given in zip(own, inputs):  # noqa: B905, as many as there are shapes
                array[...] = given
            failed = bound._run(bound.address, bound._set)  # in this way its memory is kept
            if failed:
                raise RuntimeError(f"the native machine refused to run ({failed})")

        return run_again
