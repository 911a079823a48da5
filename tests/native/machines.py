"""Small tables for the machine, and the functions of `xp` run by them."""

import os

import numpy as np
import pytest

from autograd_mini.native import table as t
from autograd_mini.native.library import library
from autograd_mini.native.table import Phase, Table

LIBRARY = library()
SETS = [] if LIBRARY is None else list(LIBRARY.sets)
needs_machine = pytest.mark.skipif(LIBRARY is None, reason="the package is here without its native library")


def chosen(monkeypatch, name):
    """From now on an instruction set runs what is compiled; "0" is NumPy."""
    monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", name)


def table_of(name, dtype="float64"):
    """A table that applies one function to its inputs."""
    count = t.FUNCTIONS[name]
    table = Table(inputs=count, slots=count + 1, block=64, local=count + 1, varying=1, dtype=np.dtype(dtype))
    table.arrays = [(t.LOCAL, 1, k) for k in range(count + 1)]
    phase = Phase(blocks=True)
    for k in range(count):
        phase.add(t.READ, k, k)
    leaves = [word for k in range(count) for word in (k, 0, 1, 1)]
    operation = [t.CODES[name], count, *range(count), *[-1] * (3 - count)]
    phase.add(t.ASSIGN, (count, 0, 1, 1), (1, count, count, 1, 0, 0, 0, 0, 0), leaves, operation)
    phase.add(t.WRITE, (count, 0, 1, 1), 0)
    table.phases.append(phase)
    return table.words()


def bound(words, n, inputs=(), parameters=0, dtype="float64"):
    """Memory for a table that was checked, and what the machine is told; the former must be kept."""
    needed, starts = LIBRARY.memory(words, n)
    memory = np.zeros(needed + 1, dtype)
    theta, gradient = np.zeros((2, parameters + 1), dtype)
    given = [np.ascontiguousarray(x, dtype) for x in inputs]
    arrays = (words, memory)
    known = [array.ctypes.data for array in arrays] + [needed, theta.ctypes.data, gradient.ctypes.data, n]
    read = [word for array in given for word in (array.ctypes.data, array.size // n, 1)]
    machine = np.array([*known, 0, 0, 2**31, *read], np.uint64)
    return machine, (memory, starts, theta, gradient, given)


def applied(name, inputs, choice, dtype="float64"):
    """The function's values by an instruction set."""
    words = table_of(name, dtype)
    LIBRARY.check(words)
    n = len(inputs[0])
    machine, kept = bound(words, n, inputs, dtype=dtype)
    assert LIBRARY.run(machine.ctypes.data, LIBRARY.sets[choice]) == 0
    memory, starts = kept[:2]
    return memory[starts[3] : starts[3] + n].copy()
