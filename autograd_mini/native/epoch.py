"""What the machine is told of an epoch, as ``epoch.c`` describes it."""

from __future__ import annotations

import ctypes
from ctypes import c_double, c_int64, c_void_p

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.native.library import Library

MOST_COLUMNS, MOST_STATES = 3, 3
SGD, ADAGRAD, RMSPROP, ADAM, ADAMW = range(5)
HYPERPARAMETERS = ("momentum", "dampening", "weight_decay", "lr_decay", "eps", "alpha", "beta1", "beta2")
_PARTS = (
    *("order and sizes", "number of inputs", "batches of this call", "inputs", "order of the rows", "programs"),
    *("parameters", "places of the parameters", "rule", "state of the rule"),
)


class Column(ctypes.Structure):
    """An input: a row for each example, drawn for this call in the order of its batches, or not."""

    _fields_ = (("data", c_void_p), ("rows", c_int64), ("width", c_int64), ("is_drawn", c_int64))


class Batches(ctypes.Structure):
    """A program with its memory for batches of one size, and where it leaves the losses and what modules asked for."""

    _fields_ = (("machine", c_void_p), ("output", c_void_p), ("effects", c_void_p), ("outputs", c_int64))


class Epoch(ctypes.Structure):
    """An epoch: the examples, the programs, what is trained and how, what this call shall do, and what it says."""

    _fields_ = (
        *(("order", c_void_p), ("n", c_int64), ("size", c_int64), ("columns", c_int64)),
        *(("column", Column * MOST_COLUMNS), ("batches", Batches * 2), ("instruction_set", c_int64)),
        *(("parameters", c_int64), ("place", c_void_p)),
        *((name, c_void_p) for name in ("program_theta", "theta", "before", "gradient", "present")),
        *(("clip_value", c_double), ("clip_norm", c_double)),
        *(("rule", c_int64), ("nesterov", c_int64), ("centered", c_int64)),
        *((name, c_double) for name in HYPERPARAMETERS),
        *(("state", c_void_p * MOST_STATES), ("rates", c_void_p)),
        *(("first", c_int64), ("count", c_int64), ("effects_each", c_int64)),
        *(("seconds", c_double), ("effects", c_void_p), ("step", c_int64)),
        *(("total", c_double), ("loss", c_double), ("run", c_int64), ("stepped", c_int64), ("is_lost", c_int64)),
    )

    def run_by(self, library: Library) -> None:
        """Run the batches of this call.

        Raises
        ------
        ValueError
            If something in it would make the machine read or write where it may not. Nothing was run then.
        """
        wrong = library.epoch(ctypes.addressof(self), self.instruction_set)
        if wrong:
            what = _PARTS[wrong - 1] if wrong <= len(_PARTS) else f"run of the program ({wrong})"
            raise ValueError(f"no epoch for the native machine: its {what} isn't as it must be")


def address(array: Array, count: int, dtype: type = np.float64) -> int:
    """Return where the numbers of an array are, for the machine, which reads or writes so many.

    Raises
    ------
    ValueError
        If it has another number of them, another type, or gaps.
    """
    if array.dtype != dtype or not array.flags.c_contiguous or array.size != count:
        raise ValueError(
            f"expected {count} contiguous numbers of {np.dtype(dtype)}, got {array.dtype} of shape {array.shape}"
        )
    return array.ctypes.data
