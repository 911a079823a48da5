"""Parameters in files of the format safetensors: names, shapes and numbers alone, which PyTorch and others read."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from autograd_mini.checks import needed
from autograd_mini.errors import LoadError
from autograd_mini.files import refusing, replacing
from autograd_mini.interchange.stacks import COUNTS, TorchState, check_fits_float32
from autograd_mini.nn import Module

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16"}


def _safetensors(name: str) -> Any:
    needed("safetensors", f'{name} needs safetensors; run: pip install "autograd-mini[interchange]"')
    return needed("safetensors.numpy", "safetensors has no part for NumPy")


def save_safetensors(model: Module, path: str | os.PathLike[str], *, dtype: str = "float64") -> None:
    """Write the parameters of a model, and running statistics, under the names of ``torch.nn.Sequential``.

    ``safetensors.torch.load_file`` reads the file, and ``load_state_dict`` of the same stack of layers in PyTorch takes
    what it gives.

    Parameters
    ----------
    model : Module
        The model.
    path : str or path
        The file, usually ``.safetensors``.
    dtype : {"float64", "float32"}
        The numbers in the file; with float32 they are rounded.

    Raises
    ------
    TypeError, ValueError
        If it isn't a module, a part of it has no counterpart in PyTorch, or a number is nan, or too large for float32.
        Nothing has been written then.
    MissingDependencyError
        If safetensors isn't installed.

    Examples
    --------
    >>> import safetensors
    >>> import pathlib, tempfile
    >>> from autograd_mini import nn
    >>> model, other = nn.MLP(2, [3, 1], rng=0), nn.MLP(2, [3, 1], rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_safetensors(model, pathlib.Path(folder) / "model.safetensors")
    ...     load_safetensors(other, pathlib.Path(folder) / "model.safetensors")
    >>> other([1.0, 2.0]).data == model([1.0, 2.0]).data
    True
    """
    library = _safetensors("save_safetensors")
    if dtype not in ("float64", "float32"):
        raise ValueError(f"dtype: expected 'float64' or 'float32', got {dtype!r}")
    numbers = TorchState(model).state_dict()
    for name, array in numbers.items():
        _check_no_nan(name, array)
        if dtype == "float32":
            check_fits_float32(name, array)
    state = {name: np.ascontiguousarray(array, dtype) for name, array in numbers.items()}
    written = library.save(state, metadata={"format": "pt"})
    with replacing(path) as file:
        file.write(written)


def load_safetensors(model: Module, path: str | os.PathLike[str]) -> None:
    """Set the parameters of a model from a file that `save_safetensors`, or PyTorch of a stack of layers, has written.

    Parameters
    ----------
    model : Module
        A model of the same layers. Its numbers are changed only if all names and shapes fit.
    path : str or path
        The file, with numbers in float64, float32 or float16.

    Raises
    ------
    LoadError
        If the file is damaged, or its names, shapes or numbers don't fit. The model stays as it was.
    FileNotFoundError
        If there is none.
    MissingDependencyError
        If safetensors isn't installed.
    """
    _safetensors("load_safetensors")
    target = TorchState(model)
    with open(path, "rb"):  # a file that isn't there is said as by every reader
        pass
    with refusing(path, "can't be loaded"):
        target.load_state_dict(_state(path, target))


def _state(path: str | os.PathLike[str], target: TorchState) -> dict[str, Any]:
    """Return the arrays of a file, read only when all of them have the shapes that they should have."""
    from safetensors import safe_open

    shapes = {name: np.shape(array) for name, array in target.state_dict().items()}
    with safe_open(path, framework="numpy") as file:
        names = [name for name in file.keys() if name.rpartition(".")[2] != COUNTS]  # noqa: SIM118, it is no mapping
        for name in names:
            tensor = file.get_slice(name)
            shape, dtype = tuple(tensor.get_shape()), tensor.get_dtype()
            if dtype not in _DTYPES:
                known = ", ".join(_DTYPES.values())
                raise LoadError(f"{name} has numbers of type {dtype}, expected {known}; convert them before, .float()")
            if name in shapes and shape != shapes[name]:
                raise LoadError(f"{name} has shape {shape}, expected {shapes[name]}")
        if set(names) != set(shapes):
            return dict.fromkeys(names)  # load_state_dict says which are missing or unknown
        arrays = {name: file.get_tensor(name).astype(float) for name in names}
    for name, array in arrays.items():
        _check_no_nan(name, array)
    return arrays


def _check_no_nan(name: str, array: Any) -> None:
    """Raise if a number is nan, as for the files of `autograd_mini.save`."""
    if (places := np.argwhere(np.isnan(array))).size:
        raise ValueError(f"{name}: expected numbers, got nan at {places[0].tolist()}; nan is neither saved nor loaded")
