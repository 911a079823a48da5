"""Models to and from files: NumPy's ``.npz``, with the architecture as JSON beside the arrays; never a pickle.

A file is written under a temporary name and then renamed, so that an interrupted save leaves the old one as it was.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from autograd_mini.files import replacing
from autograd_mini.nn import MLP, Layer, Module, Neuron
from autograd_mini.nn.activations import activation_name
from autograd_mini.training import Trainer

_HEADER = "autograd_mini.json"
_VERSION = 1
_ZIP = b"PK\x03\x04"  # how an .npz file begins

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
        If an activation is a function that has no name in the library.
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
    _write(path, _architecture(model), extra, model.state_dict())


def _write(path: str | os.PathLike[str], model: dict[str, Any], extra: Any, arrays: dict[str, Any]) -> None:
    """Write a header, which says what the arrays are, and the arrays."""
    header = json.dumps({"format": "autograd_mini", "version": _VERSION, "model": model, "extra": extra})
    with replacing(path) as file:
        np.savez(file, **{_HEADER: np.array(header), **arrays})


def _architecture(model: Module) -> dict[str, Any]:
    """Return the model's class and arguments, as far as the library can make it anew from them."""
    kind = type(model).__name__
    if _ARCHITECTURES.get(kind, (None,))[0] is not type(model):
        return {"class": kind}
    arguments = {name: getattr(model, name) for name in _ARCHITECTURES[kind][1]}
    for name, argument in arguments.items():
        if callable(argument):
            raise ValueError(
                f"the model's {name} is the function {activation_name(argument)!r}, which a file can't "
                f"hold; make the model with the name of an activation, such as 'tanh'"
            )
    return {"class": kind, "arguments": arguments}


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
    ValueError
        If the file is damaged, isn't one of this library's, or doesn't fit the model, saying which.
    FileNotFoundError
        If there is no such file.
    """
    return load_with_extra(path, model)[0]


def load_with_extra(path: str | os.PathLike[str], model: Module | None = None) -> tuple[Module, dict[str, Any]]:
    """Read a model and what was kept beside it; see `load` and `save`."""
    header, arrays = _read(path)
    model = _build(path, header["model"]) if model is None else model
    try:
        model.load_state_dict(arrays)
    except ValueError as error:
        raise ValueError(f"{path} doesn't fit the model: {error}") from None
    return model, header["extra"]


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the arrays of a file."""
    with open(os.fspath(path), "rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise ValueError(f"{path} is no model file of autograd_mini")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds of errors for damaged files
            raise ValueError(f"{path} is damaged, or no model file of autograd_mini: {error}") from None
    if _HEADER not in arrays:
        raise ValueError(f"{path} is no model file of autograd_mini")
    return _checked_header(path, str(arrays.pop(_HEADER))), arrays


def _checked_header(path: str | os.PathLike[str], written: str) -> dict[str, Any]:
    try:
        header = json.loads(written)
        version, kind, _ = header["version"], header["model"]["class"], header["extra"]
        if not isinstance(kind, str):
            raise TypeError(f"{kind!r} is no class")
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: its header can't be read ({error})") from None
    if version != _VERSION:
        raise ValueError(
            f"{path} has format version {version}, this autograd_mini reads version {_VERSION}; "
            f"install the release that wrote it"
        )
    return header  # type: ignore[no-any-return]


def _build(path: str | os.PathLike[str], architecture: dict[str, Any]) -> Module:
    kind = architecture["class"]
    if kind not in _ARCHITECTURES or "arguments" not in architecture:
        raise ValueError(f"{path} holds the parameters of a {kind}; make one and pass it: load(path, model)")
    build, names = _ARCHITECTURES[kind]
    arguments = architecture["arguments"]
    try:
        module: Module = build(**{name: arguments[name] for name in names}, initializer="zeros")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: it describes no possible {kind} ({error})") from None
    return module


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
    state = _without_arrays(trainer.state_dict(), "state", arrays)
    _write(path, {"class": "Trainer"}, state, arrays)


def load_training(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Put a trainer, made as the one that was saved, into the state in a file; ``fit`` then goes on from there.

    Raises
    ------
    ValueError
        If the file is damaged, isn't one that `save_training` wrote, or doesn't fit the trainer.
    FileNotFoundError
        If there is no such file.
    """
    header, arrays = _read(path)
    if header["model"]["class"] != "Trainer":
        raise ValueError(f"{path} holds a model and no training; write load(path)")
    try:
        trainer.load_state_dict(_with_arrays(header["extra"], arrays))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} doesn't fit the trainer: {error}") from None


def _without_arrays(state: Any, name: str, arrays: dict[str, Any]) -> Any:
    """Return a state as JSON can hold it, each array replaced by its name; the arrays are put into `arrays`."""
    if isinstance(state, np.ndarray):
        arrays[name] = state
        return {"array": name}
    if isinstance(state, dict):
        return {key: _without_arrays(part, f"{name}.{key}", arrays) for key, part in state.items()}
    if isinstance(state, (list, tuple)):
        return [_without_arrays(part, f"{name}.{i}", arrays) for i, part in enumerate(state)]
    return state.item() if isinstance(state, np.generic) else state


def _with_arrays(state: Any, arrays: dict[str, Any]) -> Any:
    """Return a state with its arrays put back."""
    if isinstance(state, dict):
        if set(state) == {"array"}:
            return arrays[state["array"]]
        return {key: _with_arrays(part, arrays) for key, part in state.items()}
    return [_with_arrays(part, arrays) for part in state] if isinstance(state, list) else state
