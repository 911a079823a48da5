"""Functions without a batch, on single numbers: a table for the native machine, or straight-line Python on floats.

Arrays of one row would be slower by far.
"""

from __future__ import annotations

import ctypes
import operator
import struct
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import modes, protocol
from autograd_mini.engine.graph import gradients
from autograd_mini.engine.value import Value
from autograd_mini.explanations.python import function_source
from autograd_mini.native.library import Library, absence, library
from autograd_mini.vectorizer.registers import NotNativeError, Registers, Tape
from autograd_mini.vectorizer.scalars import CONSTANT, Scalars

MOST_NODES = 100_000
_data = operator.attrgetter("_data")
_Memory = tuple[Any, Any, Callable[[], Array], Array]  # see `_OnMachine._memory`
_HEAD = 2  # words of the memory before its numbers
_MOST_WRITTEN_OUT = 100  # leaves


class StraightLine:
    """A function without inputs on single numbers.

    Parameters
    ----------
    scalars : Scalars
        The graph.
    size : int
        How many of its nodes are the function's own.
    needs : bytearray
        For every node whether a gradient goes through it.
    leaves : sequence of int
        Those that are read at each run: first the parameters, in the order of the gradient.
    n_parameters : int
        How many parameters there are.
    title : str
        The first line of the source.
    backend : str
        "auto", "native" or "numpy".
    refresh : callable, optional
        Reads anew what is read at each run.

    Attributes
    ----------
    runs_on : (str, str)
        What runs it, "native" or "python", and why.
    """

    def __init__(
        self,
        scalars: Scalars,
        size: int,
        needs: Sequence[int],
        leaves: Sequence[int],
        n_parameters: int,
        title: str,
        backend: str,
        refresh: Callable[[], None] | None = None,
    ) -> None:
        nodes = scalars.node[:size]
        self._order = [node for node, kind in zip(nodes, scalars.kind, strict=False) if kind != CONSTANT]
        self._constants = {nodes[i]: scalars.number[i] for i in range(size) if scalars.kind[i] == CONSTANT}
        self._leaves: list[Value] = [nodes[i] for i in leaves]
        self._asked = [nodes[i] for i in range(size) if needs[i]]
        self._outputs = [nodes[i] for i in scalars.outputs]
        self._n_parameters, self._refresh = n_parameters, refresh
        self._written = partial(
            function_source, self._order, self._outputs, self._leaves, self._constants, self._asked, title
        )
        self._runner: _OnMachine | _InPython
        self._runner, why = self._chosen(backend)
        self.runs_on = ("native" if isinstance(self._runner, _OnMachine) else "python"), why

    def __call__(self, given: Sequence[float] = ()) -> tuple[list[float], Array]:
        """Return the results and the derivatives of their sum by the parameters.

        Numbers that are given are those of the first leaves, in the place of their own.
        """
        if self._refresh is not None:
            self._refresh()
        return self._runner(given)

    def guarded(
        self, conditions: list[str], names: dict[str, Any], spot_check: Any
    ) -> Callable[[], tuple[float, Array] | None]:
        """Return a function for the first result and the gradient, that gives None where there is more to be done.

        That is where a condition doesn't hold, where a comparison with the eager engine is due, and inside of contexts
        such as `detect_anomaly`. It is one function, as a further call in Python takes a tenth as long as all of it.

        Parameters
        ----------
        conditions : list of str
            In Python; they may raise an error instead.
        names : dict
            What is called how in them.
        spot_check : SpotCheck
            Counts down to when a comparison is due.
        """
        lines = [
            "check.left -= 1",
            *(["asked = protocol.equalities"] if any("asked" in condition for condition in conditions) else []),
            "try:",
            f"    if not ({' and '.join(['check.left >= 0', 'not modes.open_contexts', *conditions])}):",
            "        return None",
            "except (LookupError, TypeError, ValueError):",
            "    return None",
            *([] if self._refresh is None else ["refresh()"]),
            *self._runner.lines,
            "return value, gradient",
        ]
        source = "\n".join(["def value_and_gradient():", *[f"    {line}" for line in lines]])
        known = {"check": spot_check, "modes": modes, "protocol": protocol, "refresh": self._refresh}
        return _function(source, "value_and_gradient", {**names, **self._runner.names, **known})

    def _chosen(self, backend: str) -> tuple[_OnMachine | _InPython, str]:
        """Return what runs it, and why."""
        python = "without a batch, Python on floats is the quickest"
        found = library() if backend != "numpy" else None
        if found is not None:
            try:
                return self._on_machine(found), "machine code on single numbers, as there is no batch"
            except NotNativeError as error:
                return self._in_python(), f"the machine doesn't know {error}; {python}"
        return self._in_python(), f"{python}, and it was asked for" if backend == "numpy" else f"{absence()}; {python}"

    def _in_python(self) -> _InPython:
        return _InPython(self.source, self._written, self._leaves, self._n_parameters)

    @cached_property
    def source(self) -> str:
        """The program as Python; the native machine runs without it."""
        return self._written()

    def _on_machine(self, found: Library) -> _OnMachine:
        """Write the table, by the two passes on registers."""
        tape = Tape(len(self._leaves))
        xp = Registers(tape)
        values: dict[Value, Any] = {**self._constants, **dict(zip(self._leaves, tape.leaves, strict=True))}
        for node in self._order:
            if node.primitive is not None:
                values[node] = xp.result(node.primitive, *[values[u] for u in node.parents])
        asked = set(self._asked)

        def local_grads(v: Value) -> Sequence[Any]:
            if not any(u in asked for u in v.parents):
                return (0.0,) * len(v.parents)
            assert v.primitive is not None
            return xp.derivatives(v.primitive, values[v], *[values[u] for u in v.parents])

        start: dict[Value, Any] = {}
        for node in self._outputs:
            if node in asked:
                start[node] = start.get(node, 0.0) + 1.0
        order = [node for node in self._order if node in asked]
        while order and order[-1] not in start:  # what comes after the results doesn't lead to them
            order.pop()
        by = gradients(order, start[order[-1]], local_grads, start) if order else {}
        leaves = self._leaves[: self._n_parameters]
        words = tape.words([values[node] for node in self._outputs], [by.get(leaf, 0.0) for leaf in leaves])
        return _OnMachine(found, words, tape.constants, self._leaves, len(self._outputs))


class _OnMachine:
    """A table with memories: one for each call that runs at the same time.

    Attributes
    ----------
    lines : list of str
        Python that leaves the first result in ``value`` and the gradient in ``gradient``.
    """

    def __init__(
        self, found: Library, words: Array, constants: list[float], leaves: list[Value], n_results: int
    ) -> None:
        self._size = found.check_scalars(words)
        self._words, self._constants, self._leaves, self._n_results = words, constants, leaves, n_results
        self._pack, self._run = struct.Struct(f"{len(leaves)}d").pack_into, found.run_scalars
        self._waiting: list[_Memory] = []
        self._is_short = len(leaves) <= _MOST_WRITTEN_OUT
        numbers = ", ".join([f"leaf{k}._data" for k in range(len(leaves))]) if self._is_short else "*map(data, leaves)"
        self.lines = [
            "try:",
            "    found = waiting.pop()",
            "except IndexError:",
            "    found = memory()",
            "numbers, address, copied, _ = found",
            f"pack(numbers, {8 * _HEAD}, {numbers})",
            "value = run(address)",
            "gradient = copied()",
            "waiting.append(found)",
        ]

    @property
    def names(self) -> dict[str, Any]:
        """What the names in `lines` mean."""
        leaves: dict[str, Any] = {"data": _data, "leaves": self._leaves}
        if self._is_short:
            leaves = {f"leaf{k}": leaf for k, leaf in enumerate(self._leaves)}
        return {**leaves, "waiting": self._waiting, "memory": self._memory, "pack": self._pack, "run": self._run}

    def __call__(self, given: Sequence[float]) -> tuple[list[float], Array]:
        try:
            found = self._waiting.pop()
        except IndexError:
            found = self._memory()
        numbers, address, copied, results = found
        self._pack(numbers, 8 * _HEAD, *given, *map(_data, self._leaves[len(given) :]))
        self._run(address)
        result = results.tolist(), copied()
        self._waiting.append(found)
        return result

    def _memory(self) -> _Memory:
        """Return memory, its address, a function that copies the gradient out of it, and the results."""
        memory: Any = np.empty(_HEAD + self._size)
        memory.view(np.int64)[:_HEAD] = self._words.ctypes.data, self._size
        results = memory[_HEAD + len(self._leaves) :]
        gradient = results[self._n_results :]
        constants = gradient[self._words[4] :]
        constants[: len(self._constants)] = self._constants
        address = ctypes.byref((ctypes.c_char * memory.nbytes).from_buffer(memory))
        return memory, address, gradient[: self._words[4]].copy, results[: self._n_results]


class _InPython:
    """Python on floats.

    Where its quick form raises an error, because IEEE arithmetic gives an infinity or nan, the exact form is run.
    """

    lines: ClassVar = ["(value, *_), gradient = run(())"]

    def __init__(self, source: str, written: Callable[..., str], leaves: list[Value], n_parameters: int) -> None:
        self._leaves, self._n_parameters = leaves, n_parameters
        self._run, self._written = _function(source, "value_and_gradient", {}), written

    @property
    def names(self) -> dict[str, Any]:
        """What the names in `lines` mean."""
        return {"run": self}

    @cached_property
    def _exact(self) -> Callable[..., Any]:
        return _function(self._written(quick=False), "value_and_gradient", {})

    def __call__(self, given: Sequence[float]) -> tuple[list[float], Array]:
        numbers = [*given, *[leaf._data for leaf in self._leaves[len(given) :]]]
        try:
            values, derivatives = self._run(*numbers)
        except (ArithmeticError, ValueError):
            values, derivatives = self._exact(*numbers)
        return values, np.array([d + 0.0 for d in derivatives[: self._n_parameters]])  # -0 is 0, as in the eager sums


def _function(source: str, name: str, scope: dict[str, Any]) -> Callable[..., Any]:
    exec(compile(source, "<program>", "exec"), scope)
    return scope.pop(name)  # type: ignore[no-any-return]
