"""Instruction tables for the machine, as ``machine.h`` describes them: what statements are written with.

Numbers and names here are those of the header; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_mini.checks import Array

STEP_BYTES, MAGIC, MOST_SLOTS, HEAD = 64, 0x41474D31, 512, 15
SCALARS_MAGIC = 0x41475331  # of a program on single numbers, which `registers` writes
THETA, GRADIENT, FIXED, LOCAL, STORED = range(5)
ASSIGN, REDUCE, SCATTER, CALL, PRODUCT, GATHER, PICK, PICK_GRADIENT, FILL, READ, WRITE = range(1, 12)
OVER = {"rows": 0, "rows last": 1, "batch": 2, "both": 3, "any": 4}
BY = {"add": 0, "maximum": 1, "minimum": 2}
CALLS = {"exponentials": 0, "total_of": 1, "logsumexp": 2, "minus_log_softmax": 3, "minus_log_softmax_of_any": 3}
PRODUCTS = {"forward": 0, "source": 1, "matrix": 2}
# The functions of `xp`: how many operands each has.
FUNCTIONS = {
    "copy": 1,
    "add": 2,
    "sub": 2,
    "mul": 2,
    "div": 2,
    "pow": 2,
    "neg": 1,
    "abs": 1,
    "less": 2,
    "greater": 2,
    "greater_equal": 2,
    "equal": 2,
    "and": 2,
    "or": 2,
    "where": 3,
    "maximum": 2,
    "minimum": 2,
    "exp": 1,
    "expm1": 1,
    "log": 1,
    "log1p": 1,
    "log2": 1,
    "log10": 1,
    "sqrt": 1,
    "cbrt": 1,
    "hypot": 2,
    "sin": 1,
    "cos": 1,
    "tan": 1,
    "asin": 1,
    "acos": 1,
    "atan": 1,
    "atan2": 2,
    "sinh": 1,
    "cosh": 1,
    "tanh": 1,
    "sigmoid": 1,
    "erf": 1,
    "erfc": 1,
    "sign": 1,
    "rint": 1,
    "square": 1,
}
CODES = {name: k for k, name in enumerate(FUNCTIONS)}
SEED, N = -1, -2  # the operands for ∂L/∂output and for the number of examples


@dataclass
class Phase:
    """Instructions that run once, or for each block of examples."""

    blocks: bool
    words: list[int] = field(default_factory=list)

    def add(self, sort: int, *words: int | Sequence[int]) -> None:
        """Append an instruction."""
        flat: list[int] = []
        for word in words:
            if isinstance(word, int):
                flat.append(word)
            else:
                flat += word
        self.words += [sort, 2 + len(flat), *flat]


@dataclass
class Table:
    """A table that is being written.

    Attributes
    ----------
    constants : list of float
        The numbers of its formulas; the first two are places for the seed and for the number of examples.
    slots : int
        How many the formula has that has most.
    dtype : numpy.dtype
        The precision, float64 or float32.
    """

    arrays: list[tuple[int, int, int]] = field(default_factory=list)  # kind, rows, offset
    phases: list[Phase] = field(default_factory=list)
    constants: list[float] = field(default_factory=lambda: [1.0, 1.0])
    inputs: int = 0
    theta: int = 0
    block: int = STEP_BYTES
    fixed: int = 0
    local: int = 0
    stored: int = 0
    results: int = 0
    varying: int = 0
    slots: int = 1
    dtype: Any = np.dtype(np.float64)  # noqa: RUF009, dtypes can't be changed
    _constant: dict[str, int] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """How many numbers fill the widest vector."""
        return int(STEP_BYTES // self.dtype.itemsize)

    def constant(self, number: float) -> int:
        """Return the operand for a number."""
        key = repr(number)
        if key not in self._constant:
            self._constant[key] = len(self.constants)
            self.constants.append(number)
        return -1 - self._constant[key]

    def words(self) -> Array:
        """Return the table as the machine reads it; it can't be changed any more."""
        head = [
            *(MAGIC, 0, len(self.arrays), len(self.phases), self.inputs, len(self.constants)),
            *(self.slots, self.block, self.fixed, self.local, self.stored, self.varying, self.results),
            *(int(self.dtype == np.float32), self.theta),
        ]
        at = HEAD + 3 * len(self.arrays) + 3 * len(self.phases)
        starts: list[int] = []
        for phase in self.phases:
            starts += [int(phase.blocks), at, at + len(phase.words)]
            at += len(phase.words)
        head[1] = at
        parts = [head, [word for array in self.arrays for word in array], starts, *[p.words for p in self.phases]]
        result = np.array([word for part in parts for word in part], np.int64)
        result.flags.writeable = False
        return result
