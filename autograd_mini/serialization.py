"""Models to and from files: NumPy's ``.npz``, with the architecture as JSON beside the arrays; never a pickle.

A file is written under a temporary name and then renamed, so that an interrupted save leaves the old one as it was. It
is read in steps: what it declares, whether that fits together and fits the model, and only then the arrays.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from autograd_mini.checks import Array, check_names, checked_whole
from autograd_mini.errors import LoadError
from autograd_mini.files import is_text, refusing, replacing
from autograd_mini.nn import MLP, Layer, Module, Neuron
from autograd_mini.nn.activations import activation_name
from autograd_mini.nn.settings import MOST, check_settings, settings
from autograd_mini.training import Trainer

_HEADER = "autograd_mini.json"
_VERSION = 1
_PARTS = 500_000  # lists and dictionaries in a header at the most: each takes far more memory than its two characters

# The modules that a file can name, with the arguments that make them anew.
_ARCHITECTURES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "MLP": (MLP, ("n_inputs", "widths", "activation", "output")),
    "Layer": (Layer, ("n_inputs", "n_outputs", "activation")),
    "Neuron": (Neuron, ("n_inputs", "activation")),
}


def save(model: Module, path: str | os.PathLike[str], **extra: Any) -> None:
    """Write a model's architecture and parameters to a file.

    Parameters
    ----------
    model : Module
        An `MLP`, `Layer` or `Neuron`, or a module of one's own (of which only the parameters are written).
    path : str or path
        The file, usually ``.npz``.
    **extra
        What else to keep, as JSON can hold it: numbers, strings, lists, dicts; see `load_with_extra`.

    Raises
    ------
    ValueError
        If an activation is a function that has no name in the library, a parameter is nan (the file that is there stays
        as it was), or a name is one that a file can't hold.
    TypeError
        If something in `extra` can't be written as JSON.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from autograd_mini.nn import MLP
    >>> model = MLP(2, [3, 1], rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, pathlib.Path(folder) / "model.npz")
    ...     twin = load(pathlib.Path(folder) / "model.npz")
    >>> twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"expected a model, got {type(model).__name__}; save(model, path)")
    arrays = model.state_dict()
    _check_weights("", arrays)
    _write(path, _architecture(model, arrays), extra, arrays)


def _write(path: str | os.PathLike[str], model: dict[str, Any], extra: Any, arrays: dict[str, Any]) -> None:
    """Write a header, which says what the arrays are, and the arrays."""
    header = json.dumps({"format": "autograd_mini", "version": _VERSION, "model": model, "extra": extra})
    _check_size(header)
    if _HEADER in arrays:
        raise ValueError(f"a file keeps its own header under {_HEADER!r}; give the parameter another name")
    arrays = {_HEADER: np.array(header), **arrays}
    _check_writable(arrays)
    with replacing(path) as file:
        np.savez(file, **arrays)


def _check_size(header: str) -> None:
    if header.count("[") + header.count("{") > _PARTS:
        raise ValueError(f"the header has more than {_PARTS} lists and dictionaries; keep numbers in flat lists")


def _check_weights(name: str, part: Any) -> None:
    """Raise unless a number, an array, or all in a dictionary of such, are real numbers, none of them nan."""
    if isinstance(part, dict):
        for key, entry in part.items():
            _check_weights(f"{name}.{key}" if name else key, entry)
        return
    numbers = np.asarray(part)
    _check_kind(name, numbers.dtype)
    if np.isnan(numbers).any():
        raise ValueError(
            f"{name}: expected numbers, got nan at {np.argwhere(np.isnan(numbers))[0].tolist()}; nan is neither saved "
            f"nor loaded: detect_anomaly() finds where it begins; numpy.savez and numpy.load keep arrays as they are"
        )


def _check_kind(name: str, dtype: np.dtype[Any]) -> None:
    """Raise unless the elements of an array are real numbers, of a kind that a float holds."""
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise ValueError(f"{name}: expected real numbers, got {dtype}")


def _architecture(model: Module, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the model's class and settings, and its arguments if the library can make it anew from them."""
    kind = type(model).__name__
    written = {"class": kind, "settings": settings(model)}
    if _ARCHITECTURES.get(kind, (None,))[0] is not type(model):
        return written
    arguments = {name: getattr(model, name) for name in _ARCHITECTURES[kind][1]}
    for name, argument in arguments.items():
        if callable(argument):
            raise ValueError(
                f"the model's {name} is the function {activation_name(argument)!r}, which a file can't "
                f"hold; make the model with the name of an activation, such as 'tanh'"
            )
    written["arguments"] = arguments
    if not _is_as_made(written, model, arrays):  # a part was replaced, added or taken away
        del written["arguments"]
    return written


def _is_as_made(written: dict[str, Any], model: Module, arrays: dict[str, Any]) -> bool:
    """Return whether a model still is what its arguments make."""
    try:
        shapes = _plan("", written, len(arrays))[2]
    except ValueError:
        return False
    is_of_these = all(type(part) in (Layer, Neuron) for path, part in model.named_modules() if path)
    is_of_shape = shapes == {name: array.shape for name, array in arrays.items()}
    return is_of_these and is_of_shape and written["settings"] == _made(written)


def _made(architecture: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of a model that the library makes from its arguments."""
    arguments = architecture["arguments"]
    if architecture["class"] != "MLP":
        return {"": {"activation": arguments["activation"]}}
    output, n_hidden = arguments["output"], len(arguments["widths"]) - 1
    kinds = [arguments["activation"]] * n_hidden + ["identity" if output == "softmax" else output]
    return {"": {"output": output}, **{f"layers.{i}": {"activation": kind} for i, kind in enumerate(kinds)}}


def load(path: str | os.PathLike[str], model: Module | None = None) -> Module:
    """Read a model from a file that `save` wrote.

    Parameters
    ----------
    path : str or path
        The file.
    model : Module, optional
        A module to take the parameters; needed where it is of a class of one's own.

    Returns
    -------
    Module
        `model`, or a new one.

    Raises
    ------
    LoadError
        If the file is damaged, isn't one of this library's, or doesn't fit the model, saying which: its shapes, or an
        activation or another setting of a part that isn't the file's; the model is left as it was. It is a ValueError.
    FileNotFoundError
        If there is no such file.
    """
    return load_with_extra(path, model)[0]


def load_with_extra(path: str | os.PathLike[str], model: Module | None = None) -> tuple[Module, dict[str, Any]]:
    """Read a model and what was kept beside it; see `load` and `save`."""
    if model is not None and not isinstance(model, Module):
        raise TypeError(f"expected a model, got {type(model).__name__}; load(path, model)")
    with _opened(path) as arrays:
        header = _header(path, arrays)
        if model is None:
            build, arguments, shapes = _plan(path, header["model"], len(arrays))
            state = _fitting(path, arrays, header["model"]["class"], shapes)
            with refusing(path, _impossible(header["model"])):
                model = build(**arguments, initializer="zeros")
        elif type(model).load_state_dict is Module.load_state_dict:
            shapes = {name: array.shape for name, array in model.state_dict().items()}
            state = _fitting(path, arrays, type(model).__name__, shapes)
        else:  # the model may know what to make of other names
            state = dict(arrays)
        with refusing(path, "doesn't fit the model"):
            _check_weights("", state)
            if header["model"].get("arguments") is not None:
                check_settings(_made(header["model"]), model, is_complete=False)
            if header["model"].get("settings") is not None:
                is_complete = type(model).load_state_dict is Module.load_state_dict
                check_settings(header["model"]["settings"], model, is_complete=is_complete)
            model.load_state_dict(state)
    return model, header["extra"]


def _header(path: str | os.PathLike[str], arrays: _Arrays) -> dict[str, Any]:
    """Return the header of a file; the arrays are then those of the model alone."""
    if _HEADER not in arrays:
        raise LoadError(f"{path} is no model file of autograd_mini")
    with refusing(path, "is damaged: its header can't be read"):
        if arrays.declared[_HEADER].dtype.kind != "U" or arrays.declared[_HEADER].shape:
            raise TypeError("it is no text")
        written = arrays[_HEADER].item()
        _check_size(written)
        header: dict[str, Any] = json.loads(written)
        version, kind, extra = header["version"], header["model"]["class"], header["extra"]
        if not isinstance(kind, str) or not isinstance(extra, dict):
            raise TypeError("its class is no name" if isinstance(extra, dict) else "its extra is no dictionary")
    if version != _VERSION or type(version) is not int:
        raise LoadError(
            f"{path} has format version {version!s:.80}, this autograd_mini reads version {_VERSION}; "
            f"install the release that wrote it"
        )
    del arrays.declared[_HEADER]
    return header


def _plan(
    path: str | os.PathLike[str], architecture: dict[str, Any], n_arrays: int
) -> tuple[Any, dict[str, Any], dict[str, tuple[int, ...]]]:
    """Return the class of a model, its arguments, and the shapes that its arrays must have; nothing is built yet."""
    kind = architecture["class"]
    if kind not in _ARCHITECTURES or "arguments" not in architecture:
        parts = ", with the parts that it had when it was saved" if kind in _ARCHITECTURES else ""
        raise LoadError(f"{path} holds the parameters of a {kind}; make one and pass it: load(path, model){parts}")
    build, names = _ARCHITECTURES[kind]
    with refusing(path, _impossible(architecture)):
        arguments = {name: architecture["arguments"][name] for name in names}
        for name in {"activation", "output"} & set(arguments):
            if not isinstance(arguments[name], str) or len(arguments[name]) > MOST:
                raise ValueError(f"{name}: expected the name of an activation, got {arguments[name]!r:.80}")
        n_inputs = checked_whole("n_inputs", arguments["n_inputs"], 1)
        if kind == "Neuron":
            return build, arguments, {"weight": (n_inputs,), "bias": ()}
        widths = [arguments["n_outputs"]] if kind == "Layer" else arguments["widths"]
        if not isinstance(widths, list) or not widths or len(widths) > n_arrays:
            raise ValueError(f"widths: expected the number of neurons of each layer, got {widths!r:.80}")
        widths = [checked_whole("widths", width, 1) for width in widths]
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (n_in, n_out) in enumerate(zip([n_inputs, *widths], widths)):  # noqa: B905 (the last is an output only)
        prefix = f"layers.{i}." if kind == "MLP" else ""
        shapes |= {f"{prefix}weight": (n_out, n_in), f"{prefix}bias": (n_out,)}
    return build, arguments, shapes


def _impossible(architecture: dict[str, Any]) -> str:
    return f"is damaged: it describes no possible {architecture['class']}"


def _fitting(
    path: str | os.PathLike[str], arrays: _Arrays, kind: str, shapes: dict[str, tuple[int, ...]]
) -> dict[str, Any]:
    """Return the arrays, read only if they are those of a model of this kind."""
    with refusing(path, "doesn't fit the model"):
        check_names(f"the state doesn't fit this {kind}", arrays, shapes)
        for name, declared in arrays.declared.items():
            if declared.shape != shapes[name]:
                raise ValueError(f"{name}: expected shape {shapes[name]}, got {declared.shape}")
            _check_kind(name, declared.dtype)
    return dict(arrays)


# ------------------------------------------------------------------------------------------------- trainings


def save_training(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Write all that a training needs to go on: parameters, optimizer, generators, stopping rules and history.

    Parameters
    ----------
    trainer : Trainer
        Between two calls of ``fit``, or in a callback after an epoch.
    path : str or path
        The file, usually ``.npz``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from autograd_mini import datasets, nn, optim
    >>> def new_trainer():
    ...     model = nn.MLP(1, [1], rng=0)
    ...     return Trainer(model, "squared_error", optim.Adam(model.parameters()), epochs=2)
    >>> X, y = datasets.linear(20)
    >>> first, second = new_trainer(), new_trainer()
    >>> history = first.fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_training(first, pathlib.Path(folder) / "training.npz")
    ...     load_training(second, pathlib.Path(folder) / "training.npz")
    >>> second.fit(X, y).loss == first.fit(X, y).loss
    True
    """
    if not isinstance(trainer, Trainer):
        raise TypeError(f"expected a Trainer, got {type(trainer).__name__}; for a model write save(model, path)")
    arrays: dict[str, Any] = {}
    state = trainer.state_dict()
    _check_training(state)
    state = _without_arrays(state, "state", arrays)
    _write(path, {"class": "Trainer"}, state, arrays)


def load_training(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Put a trainer, made as the one that was saved, into the state in a file; ``fit`` then goes on from there.

    Raises
    ------
    LoadError
        If the file is damaged, isn't one that `save_training` wrote, or doesn't fit the trainer; the trainer is left as
        it was. It is a ValueError.
    FileNotFoundError
        If there is no such file.
    """
    if not isinstance(trainer, Trainer):
        raise TypeError(f"expected a Trainer, got {type(trainer).__name__}; load_training(trainer, path)")
    with _opened(path) as arrays:
        header = _header(path, arrays)
        if header["model"]["class"] != "Trainer":
            raise LoadError(f"{path} holds a model and no training; write load(path)")
        state = _with_arrays(header["extra"], dict(arrays))
        with refusing(path, "doesn't fit the trainer"):
            _check_training(state)
            trainer.load_state_dict(state)


def _check_training(state: Any) -> None:
    """Raise unless the weights in the state of a training are numbers."""
    optimizer = state.get("optimizer")
    for name in ("model", "best_model", "last_epoch", "parameters"):
        if state.get(name) is not None:
            _check_weights(name, state[name])
    if isinstance(optimizer, dict):
        _check_weights("optimizer", optimizer.get("state", {}))


def _without_arrays(state: Any, name: str, arrays: dict[str, Any]) -> Any:
    """Return a state as JSON can hold it, each array replaced by its name; the arrays are put into `arrays`."""
    if isinstance(state, np.ndarray):
        if name in arrays or not _is_writable(name):  # the header says where it belongs, whatever it is called
            name = f"array.{len(arrays)}"
        arrays[name] = state
        return {"array": name}
    if isinstance(state, dict):
        if _is_reference(state):
            raise ValueError(f"{name}: a file can't hold {state!r:.80}, which is how it writes an array")
        return {key: _without_arrays(part, f"{name}.{key}", arrays) for key, part in state.items()}
    if isinstance(state, (list, tuple)):
        return [_without_arrays(part, f"{name}.{i}", arrays) for i, part in enumerate(state)]
    return state.item() if isinstance(state, np.generic) else state


def _with_arrays(state: Any, arrays: dict[str, Any]) -> Any:
    """Return a state with its arrays put back."""
    if isinstance(state, dict):
        if _is_reference(state):
            return arrays[state["array"]]
        return {key: _with_arrays(part, arrays) for key, part in state.items()}
    return [_with_arrays(part, arrays) for part in state] if isinstance(state, list) else state


def _is_reference(state: dict[str, Any]) -> bool:
    return set(state) == {"array"} and isinstance(state["array"], str)


# ---------------------------------------------------------------------------------------------------- arrays

_ZIP = b"PK\x03\x04"  # how an .npz file begins
_ARRAY = b"\x93NUMPY\x01\x00"  # how an array in it begins; the length of the declaration comes next, and then that, as
# {'descr': '<f8', 'fortran_order': False, 'shape': (3, 5), }
_DECLARATION = re.compile(r"\{'descr': '([^']*)', 'fortran_order': (False|True), 'shape': \(([\d, ]*)\), \} *\n?")
_PLAIN = re.compile(r"[<>|=][biufcmMSUV]\d+(\[\w+\])?")  # elements that are bytes and nothing more, as objects aren't

_DIRECTORY = 8_000_000  # bytes of names at the most: of 80,000 arrays and more
_UNPACKED = 8_000_000  # bytes that any file may unpack to; a large one may to eight times its size
_CHUNK = 1 << 20
_TAKEN = ("file", "allow_pickle")  # by arguments of numpy.savez


class _Declared(NamedTuple):
    """What a file says of an array: of which kind its elements are, and of which shape it is."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_columns: bool
    start: int  # where the elements begin
    packed: ZipInfo


class _Arrays(Mapping[str, Array]):
    """The arrays of an open file, each read when it is asked for.

    Attributes
    ----------
    declared : dict of str to _Declared
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

    def _declaration(self, info: ZipInfo) -> _Declared:
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
        declared = _Declared(dtype, shape, found[2] == "True", len(start) + length, info)
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
def _opened(path: str | os.PathLike[str]) -> Iterator[_Arrays]:
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
            yield _Arrays(archive, os.fstat(file.fileno()).st_size)


def _is_writable(name: str) -> bool:
    """Return whether an array can be written and read under a name."""
    is_kept = ZipInfo(f"{name}.npy").filename == f"{name}.npy" and len(name) < 10_000
    return is_kept and is_text(name) and name not in _TAKEN


def _check_writable(arrays: Mapping[str, Array]) -> None:
    """Raise unless arrays can be written so that they come back under their names.

    Raises
    ------
    ValueError
        If a name holds what a file can't hold, or an array Python objects, or there are too many.
    """
    for name, array in arrays.items():
        if not _is_writable(name):
            raise ValueError(f"a file can't hold a parameter of the name {name!r:.200}; choose another")
        if array.dtype.names or not _PLAIN.fullmatch(array.dtype.str):
            raise ValueError(f"{name}: a file can't hold elements of the kind {array.dtype}; expected numbers")
    if sum(len(name.encode()) + 50 for name in arrays) > _DIRECTORY:
        raise ValueError(f"a file can't hold as many as {len(arrays)} arrays")
