"""Loads the library, if there is one: whole and of these sources, or not at all.

``AUTOGRAD_MINI_NATIVE=0`` turns it off; ``sse2``, ``avx2`` and the like choose an instruction set that the processor
has, by default the fastest.
"""

from __future__ import annotations

import ctypes
import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.native.build import LIBRARY, SWITCH, digest, seal, version


class Library:
    """The machine's functions.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    sets : dict of str to int
        The instruction sets that this processor has, by name, the fastest first.

    Raises
    ------
    OSError
        If the file is no library, or one of other sources.
    """

    def __init__(self, path: Path) -> None:
        if seal(path).read_text(encoding="ascii", errors="replace") != digest(path):
            raise OSError("it is damaged")
        loaded = ctypes.CDLL(str(path))
        try:
            self._version, self._set = loaded.autograd_mini_version, loaded.autograd_mini_instruction_set
            self._check, self._memory = loaded.autograd_mini_check, loaded.autograd_mini_memory
            self.run, self.epoch = loaded.autograd_mini_run, loaded.autograd_mini_epoch
            self._check_scalars = loaded.autograd_mini_scalars_check
            self._scalars_size = loaded.autograd_mini_scalars_size
            # A call that lets no other thread run costs half as much; most are shorter than letting one run takes.
            self.run_scalars = ctypes.PyDLL(str(path)).autograd_mini_scalars_run
        except AttributeError as error:
            raise OSError(f"it has no function {str(error).rpartition(' ')[2]}") from None
        self._version.restype = self._set.restype = ctypes.c_char_p
        for function in (self._check, self._memory, self.run, self.epoch):
            function.restype = ctypes.c_int64
        self._set.argtypes = [ctypes.c_int64]
        self._check.argtypes = [ctypes.c_void_p, ctypes.c_int64]
        self._memory.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
        self.run.argtypes = [ctypes.c_void_p, ctypes.c_int64]
        self.epoch.argtypes = self.run.argtypes
        self._check_scalars.restype = self._scalars_size.restype = ctypes.c_int64
        self._check_scalars.argtypes, self._scalars_size.argtypes = self._check.argtypes, [ctypes.c_void_p]
        self.run_scalars.restype = ctypes.c_double
        found = self._version().decode(errors="replace")
        if found != version():
            raise OSError(f"it was made of other sources (it is version {found}, expected {version()})")
        names: list[str] = []
        while (name := self._set(len(names))) is not None:
            names.append(name.decode())
        self.sets = {name: k for k, name in enumerate(names) if name}

    def check(self, table: Array) -> None:
        """Refuse a table that would read or write where it may not.

        Raises
        ------
        ValueError
            If it is none, saying at which word.
        """
        _refuse(table, self._check)

    def check_scalars(self, table: Array) -> int:
        """Refuse a table of a program on single numbers in the same way; return how many numbers it has.

        Raises
        ------
        ValueError
            If it is none, saying at which word.
        """
        _refuse(table, self._check_scalars)
        return int(self._scalars_size(table.ctypes.data))

    def memory(self, table: Array, n: int) -> tuple[int, list[int]]:
        """Return how many numbers a checked table needs for n examples, and where what begins.

        These are its constants, the arrays that don't vary, the results that don't vary, and those that do.
        """
        starts = np.zeros(4, np.int64)
        return self._memory(table.ctypes.data, n, starts.ctypes.data), starts.tolist()


def _refuse(table: Array, check: Callable[[int, int], int]) -> None:
    if table.dtype != np.int64 or table.ndim != 1 or not table.flags.c_contiguous:
        raise ValueError("an instruction table is one contiguous array of int64")
    word = check(table.ctypes.data, len(table))
    if word:
        raise ValueError(f"no instruction table: word {word - 1} of {len(table)} isn't what may stand there")


@cache
def _loaded(path: Path) -> Library | None:
    if not path.exists():
        return None
    try:
        return Library(path)
    except OSError as error:
        warnings.warn(
            f"autograd_mini's native library {path.name} isn't used: {error}. Programs run on NumPy, which gives the "
            f"same numbers more slowly. To have it made anew, reinstall the package where there is a C compiler",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def library() -> Library | None:
    """Return the library; None where there is none, or it is turned off."""
    return None if os.environ.get(SWITCH) == "0" else _loaded(LIBRARY)


def absence() -> str:
    """Return why `library` gives none."""
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH}=0 turns the native library off"
    if not LIBRARY.exists():
        return f"the package was installed without its native library, as there was no C compiler or with {SWITCH}=0"
    return "the native library that is there is damaged, or of another version"


def instruction_set(found: Library) -> tuple[str, int]:
    """Return the name and the number of the instruction set to use.

    Raises
    ------
    ValueError
        If the environment names one that the processor lacks.
    """
    wanted = os.environ.get(SWITCH, "")
    if wanted in ("", "1"):
        return next(iter(found.sets.items()))
    if wanted not in found.sets:
        raise ValueError(f"{SWITCH}: expected 0, 1 or one of {', '.join(found.sets)}, got {wanted!r}")
    return wanted, found.sets[wanted]
