"""Arrays in a NumPy ``.npz`` file: checked before they are written, and read with every size compared with the file's.

A file may be damaged, or made to do damage: a few bytes can declare an array of terabytes, or unpack to gigabytes. So
what a file declares is read first, by rules that know no pickles and evaluate nothing, and compared with what is there;
only then is an array read. Whatever is wrong inside is a `LoadError`.
"""

from __future__ import annotations

import errno
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.errors import LoadError
from autograd_mini.files import is_text

_ZIP = b"PK\x03\x04"  # how an .npz file begins
_ARRAY = b"\x93NUMPY\x01\x00"  # how an array in it begins; the length of the declaration comes next, and then that, as
# {'descr': '<f8', 'fortran_order': False, 'shape': (3, 5), }
_DECLARATION = re.compile(r"\{'descr': '([^']*)', 'fortran_order': (False|True), 'shape': \(([\d, ]*)\), \} *\n?")
_PLAIN = re.compile(r"[<>|=][biufcmMSUV]\d+(\[\w+\])?")  # elements that are bytes and nothing more, as objects aren't

_DIRECTORY = 8_000_000  # bytes of names at the most: of 80,000 arrays and more
_UNPACKED = 8_000_000  # bytes that any file may unpack to; a large one may to eight times its size
_CHUNK = 1 << 20
_DAMAGED = "is damaged, or no model file of autograd_mini"
_TAKEN = ("file", "allow_pickle")  # by arguments of numpy.savez


class Declared(NamedTuple):
    """What a file says of an array: of which kind its elements are, and of which shape it is."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_columns: bool
    start: int  # where the elements begin
    packed: ZipInfo


class Arrays(Mapping[str, Array]):
    """The arrays of an open file, each read when it is asked for.

    Attributes
    ----------
    declared : dict of str to Declared
        What the file says of each; its sizes are those that are there.
    """

    def __init__(self, archive: ZipFile, size: int) -> None:
        self._archive = archive
        infos = archive.infolist()
        packed, unpacked = sum(info.compress_size for info in infos), sum(info.file_size for info in infos)
        if packed > size or unpacked > max(_UNPACKED, 8 * size):
            raise LoadError(f"it declares {unpacked} bytes, {packed} of them when packed, but has {size}")
        if len({info.filename for info in infos}) != len(infos):
            raise LoadError("two arrays have one name")
        self.declared = {info.filename.removesuffix(".npy"): self._declaration(info) for info in infos}

    def _declaration(self, info: ZipInfo) -> Declared:
        is_whole = info.compress_type == ZIP_STORED and info.compress_size == info.file_size
        if not info.filename.endswith(".npy") or (not is_whole and info.compress_type != ZIP_DEFLATED):
            raise LoadError(f"{info.filename!r:.200} is no array as NumPy writes it")
        with self._archive.open(info) as file:
            start = file.read(len(_ARRAY) + 2)
            length = int.from_bytes(start[-2:], "little")
            found = _DECLARATION.fullmatch(file.read(length).decode("latin-1"))
        if not start.startswith(_ARRAY) or found is None or not _PLAIN.fullmatch(found[1]):
            raise LoadError(f"{info.filename!r:.200} is no array of plain elements, such as numbers")
        dtype, shape = np.dtype(found[1]), tuple(int(n) for n in found[3].replace(",", " ").split())
        declared = Declared(dtype, shape, found[2] == "True", len(start) + length, info)
        there = info.file_size - declared.start
        if math.prod(shape) * dtype.itemsize != there:
            raise LoadError(f"{info.filename!r:.200} declares {dtype} of shape {shape}, but holds {there} bytes")
        return declared

    def __getitem__(self, name: str) -> Array:
        dtype, shape, by_columns, start, packed = self.declared[name]
        array = np.empty(math.prod(shape), dtype)
        content, at = array.view(np.uint8) if array.size else array, 0
        with self._archive.open(packed) as file:
            file.read(start)
            while chunk := file.read(_CHUNK):  # at the end, the checksum is compared
                content[at : at + len(chunk)] = np.frombuffer(chunk, np.uint8)
                at += len(chunk)
        if at != content.nbytes:
            raise LoadError(f"{name!r:.200} ends too early")
        return array.reshape(shape, order="F" if by_columns else "C").astype(dtype.newbyteorder("="), copy=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.declared)

    def __len__(self) -> int:
        return len(self.declared)


class _File(FileIO):
    """A file that isn't read in larger pieces than a directory or a chunk may have, whatever sizes it declares."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _DIRECTORY:
            raise LoadError(f"{size} bytes of names are too many")
        return super().read(-1 if size is None else size) or b""


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Arrays]:
    """Open a file and read what it declares; whatever goes wrong in the block is said to be wrong in the file.

    Raises
    ------
    LoadError
        If the file is damaged, or no archive of arrays.
    OSError
        If it can't be opened or read.
    """
    with _File(os.fspath(path)) as file, refusing(path):
        if file.read(len(_ZIP)) != _ZIP:
            raise LoadError(f"{path} is no model file of autograd_mini")
        with ZipFile(file) as archive:
            yield Arrays(archive, os.fstat(file.fileno()).st_size)


@contextmanager
def refusing(path: str | os.PathLike[str], what: str = _DAMAGED) -> Iterator[None]:
    """Turn every exception inside, of which a damaged file can cause many kinds, into a `LoadError` with the path."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # the disk's own fault
            raise
        said = str(error) or type(error).__name__
        if isinstance(error, LoadError) and said.startswith(f"{path} "):
            raise
        raise LoadError(f"{path} {what}: {said[:500]}") from error


def check_kind(name: str, dtype: np.dtype[Any]) -> None:
    """Raise unless the elements of an array are real numbers, of a kind that a float holds.

    Raises
    ------
    ValueError
        If they aren't, with the array's name.
    """
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise ValueError(f"{name}: expected real numbers, got {dtype}")


def check_numbers(name: str, array: Any) -> None:
    """Raise unless something is a real number or an array of them, and none is nan.

    Raises
    ------
    ValueError
        If it isn't, with its name.
    """
    numbers = np.asarray(array)
    check_kind(name, numbers.dtype)
    if np.isnan(numbers).any():
        raise ValueError(f"{name}: expected numbers, got nan at {np.argwhere(np.isnan(numbers))[0].tolist()}")


def is_writable(name: str) -> bool:
    """Return whether an array can be written and read under a name."""
    is_kept = ZipInfo(f"{name}.npy").filename == f"{name}.npy" and len(name) < 10_000
    return is_kept and is_text(name) and name not in _TAKEN


def check_writable(arrays: Mapping[str, Array]) -> None:
    """Raise unless arrays can be written so that they come back under their names.

    Raises
    ------
    ValueError
        If a name holds what a file can't hold, or an array Python objects, or there are too many.
    """
    for name, array in arrays.items():
        if not is_writable(name):
            raise ValueError(f"a file can't hold a parameter of the name {name!r:.200}; choose another")
        if array.dtype.names or not _PLAIN.fullmatch(array.dtype.str):
            raise ValueError(f"{name}: a file can't hold elements of the kind {array.dtype}; expected numbers")
    if sum(len(name.encode()) + 50 for name in arrays) > _DIRECTORY:
        raise ValueError(f"a file can't hold as many as {len(arrays)} arrays")
