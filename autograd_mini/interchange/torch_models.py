"""Models of PyTorch as models of this package, and back: predictions, gradients and states are the same.

PyTorch computes many examples at once, along the first axis; a model here takes one example, and `vectorize`, or
``nn.batch``, many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from autograd_mini.checks import needed
from autograd_mini.elsewhere import ADVICE
from autograd_mini.interchange.stacks import (
    CLASSES,
    COUNTS,
    EXACT,
    SLOPES,
    Part,
    Softplus,
    TorchState,
    check_fits_float32,
    stack,
)
from autograd_mini.nn import (
    RNN,
    Activation,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Module,
    Parameter,
    Reshape,
    RNNCell,
    Sequential,
    freeze,
)
from autograd_mini.nn.activations import ParametrisedActivation
from autograd_mini.nn.nested import flat

_FUNCTIONS = {kind: function.__name__ for function, kind in CLASSES.items()}
_PARAMETRISED = {kind: (name, option) for name, (kind, option) in SLOPES.items()}


def _torch(name: str) -> Any:
    return needed("torch", f'{name} needs PyTorch; run: pip install "autograd-mini[torch]"')


# ------------------------------------------------------------------------------------------------- from PyTorch


def from_torch(module: Any) -> Module:
    """Return a module of PyTorch as a model of this package, with its weights, modes and frozen parameters.

    There are Linear, Conv1d, Conv2d, LayerNorm, BatchNorm1d, BatchNorm2d, RNN, RNNCell, Embedding, Dropout, Flatten,
    Unflatten, Identity, ReLU, LeakyReLU, ELU, Tanh, Sigmoid, Softplus, SiLU, GELU, Softmax, and Sequential of these. A
    module that PyTorch has twice is here twice, too. What a norm without parameters leaves out is there as a frozen 1
    and 0. Softplus is x from its threshold on, as there. ``Softmax(dim=1)`` is taken where that is known to be the last
    axis. A model here takes one sequence, so that a RNN's ``batch_first`` is left out; `to_torch` gives True.

    Parameters
    ----------
    module : torch.nn.Module
        The module. Its numbers are copied, as floats: PyTorch computes in the precision that they have there.

    Returns
    -------
    Module
        The model, a `Sequential` of one; its ``state_dict()`` has the names of PyTorch's.

    Raises
    ------
    TypeError
        If it isn't a module of PyTorch.
    ValueError
        If a part can't be carried over truly, naming the part, and what to do.
    MissingDependencyError
        If PyTorch isn't installed.

    Examples
    --------
    >>> import torch
    >>> model = from_torch(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh()))
    >>> list(model.state_dict())
    ['0.weight', '0.bias']
    """
    torch = _torch("from_torch")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"expected a torch.nn.Module, got {type(module).__name__}; from_torch(module)")
    _check_tied(module, torch.nn.UninitializedParameter)
    _check_axes(torch.nn, module)
    return _Reader(torch).module(module, "")


def _check_tied(module: Any, unfinished: type) -> None:
    """Refuse numbers that are in two places, of which training would have to keep two copies alike.

    Tensors of the class `unfinished`, of lazy modules, have no numbers yet.
    """
    names: dict[int, str] = {}
    places: list[tuple[int, int, str]] = []
    for path, part in module.named_modules():
        for name, tensor in part.named_parameters(path, recurse=False, remove_duplicate=False):
            other = names.setdefault(id(tensor), name)
            if other != name:
                raise ValueError(
                    f"{other} and {name} are one tensor, which no two layers can share here; use one module twice, or "
                    f"give one of them a copy"
                )
            if not isinstance(tensor, unfinished) and tensor.device.type == "cpu":
                start, steps = tensor.data_ptr(), zip(tensor.shape, tensor.stride(), strict=True)
                end = start + tensor.element_size() * (1 + sum((n - 1) * step for n, step in steps))
                places.append((start, end if tensor.numel() else start, name))
    for (_, end, other), (start, _, name) in pairwise(sorted(places)):
        if start < end:
            raise ValueError(f"{other} and {name} share their memory: give one of them a copy, .clone()")


def _hooks(module: Any) -> Iterator[Any]:
    """Iterate over the hooks of a module and of its parameters, without those that PyTorch itself has for states."""
    for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
        yield getattr(module, name, None)
    for tensor in module._parameters.values():
        yield getattr(tensor, "_backward_hooks", None)
        yield getattr(tensor, "_post_accumulate_grad_hooks", None)


def _check_axes(nn: Any, module: Any) -> None:
    """Refuse a softmax over axis 1 where examples aren't known to be lists of features, of which that is the last."""
    is_flat = dict.fromkeys((nn.Linear, nn.RNNCell, nn.Flatten), True)
    is_flat |= dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Unflatten, nn.Embedding), False)
    known = False
    for at, part in _in_order(nn, module, ""):
        if type(part) is nn.Softmax and part.dim == 1 and not known:
            raise ValueError(
                f"{f'{at}: ' if at else ''}{part!r} is over axis 1, the channels of an image and the steps of a "
                f"sequence; only the last axis is there here: if it is that one, write dim=-1"
            )
        known = is_flat.get(type(part), known)


def _in_order(nn: Any, module: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Iterate over the modules that examples go through, each with its place; one that is there twice twice."""
    if type(module) is nn.Sequential:
        for name, part in module._modules.items():
            yield from _in_order(nn, part, f"{at}.{name}" if at else name)
    else:
        yield at, module


class _Reader:
    """Makes models of modules of PyTorch, each module once."""

    def __init__(self, torch: Any) -> None:
        nn = torch.nn
        self._torch = torch
        self._known: dict[int, tuple[Any, Module]] = {}
        self._makers: dict[Any, Callable[[Any, str], Module]] = {
            nn.Sequential: self._sequential,
            nn.Linear: self._linear,
            nn.Conv1d: self._convolution,
            nn.Conv2d: self._convolution,
            nn.LayerNorm: self._layer_norm,
            nn.BatchNorm1d: self._batch_norm,
            nn.BatchNorm2d: self._batch_norm,
            nn.RNN: self._rnn,
            nn.RNNCell: self._rnn_cell,
            nn.Embedding: self._embedding,
            nn.Dropout: self._dropout,
            nn.Flatten: self._flatten,
            nn.Unflatten: self._unflatten,
            nn.Softmax: self._softmax,
            **{getattr(nn, kind): self._activation for kind in _FUNCTIONS},
        }

    def module(self, module: Any, at: str) -> Module:
        """Return a module as one of this package; `at` is its place, for messages."""
        if id(module) not in self._known:
            kind = type(module)
            if isinstance(module, self._torch.nn.modules.lazy.LazyModuleMixin):
                self._refuse(module, at, "has no numbers yet; call it once before")
            if kind not in self._makers:
                there = ", ".join(sorted(maker.__name__ for maker in self._makers))
                advice = ADVICE["nn"].get(kind.__name__) if kind.__module__.startswith("torch.nn.") else None
                self._refuse(module, at, f"has no counterpart here; {advice or f'there are {there}'}")
            if any(_hooks(module)):
                self._refuse(module, at, "has hooks, which a copy wouldn't run; remove them before")
            if "forward" in vars(module):
                self._refuse(module, at, "has a forward of its own, which a copy wouldn't run; delete it before")
            try:
                made = self._makers[kind](module, at)
            except ValueError as error:
                if repr(module)[:100] in str(error) or kind is self._torch.nn.Sequential:
                    raise
                self._refuse(module, at, f"can't be made here: {error}")
            made.training = bool(module.training)
            self._known[id(module)] = module, made
        return self._known[id(module)][1]

    def _refuse(self, module: Any, at: str, why: str) -> NoReturn:
        raise ValueError(f"{f'{at}: ' if at else ''}{module!r:.200} {why}")

    def _sequential(self, module: Any, at: str) -> Module:
        names = list(module._modules)
        if names != list(map(str, range(len(names)))):
            self._refuse(module, at, f"has parts of other names than 0, 1, …, here {names}; make it without names")
        if not names:
            self._refuse(module, at, "is empty; leave it out, or put torch.nn.Identity() into it")
        return Sequential(*[self.module(part, f"{at}.{i}" if at else f"{i}") for i, part in enumerate(module)])

    # ------------------------------------------------------------------------------------------------- numbers

    def _loaded(self, made: Module, module: Any, at: str) -> Module:
        """Return a module with the numbers of PyTorch's, frozen where that is."""
        torch = self._torch
        tensors = {**module._parameters, **module._buffers}
        tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        tensors.pop(COUNTS, None)
        state = made.state_dict()
        for name, tensor in tensors.items():
            if isinstance(tensor, (torch.nn.UninitializedParameter, torch.nn.UninitializedBuffer)):
                self._refuse(module, at, f"has no {name} yet; call it once before")
            if tensor.is_meta:
                self._refuse(module, at, f"has no numbers in its {name}, which is on the device 'meta'; load it before")
            if not tensor.is_floating_point():
                self._refuse(module, at, f"has a {name} of {tensor.dtype}, expected real numbers")
            state[name] = tensor.detach().cpu().to(torch.float64).numpy()
        made.load_state_dict(state)
        entries = dict(made._state_entries())
        freeze(
            *[
                flat(entries[name])
                for name, tensor in module._parameters.items()
                if tensor is not None and not tensor.requires_grad
            ]
        )
        freeze(*[flat(entry) for name, entry in entries.items() if name in ("weight", "bias") and name not in tensors])
        return made

    def _linear(self, module: Any, at: str) -> Module:
        made = Layer(self._size(module, at, "in_features"), self._size(module, at, "out_features"), "identity", "zeros")
        if module.bias is None:
            for neuron in made.neurons:
                neuron.bias = None  # type: ignore[assignment]
        return self._loaded(made, module, at)

    def _size(self, module: Any, at: str, name: str) -> int:
        size: int = getattr(module, name)
        if size < 1:
            self._refuse(module, at, f"has {name}={size}, expected at least 1; if it is lazy, call it once before")
        return size

    def _only(self, module: Any, at: str, **expected: Any) -> None:
        """Refuse options that there aren't here."""
        for name, value in expected.items():
            if getattr(module, name) != value:
                self._refuse(module, at, f"has {name}={getattr(module, name)!r}; only {name}={value!r} is there here")

    def _convolution(self, module: Any, at: str) -> Module:
        two = len(module.kernel_size) == 2
        self._only(module, at, dilation=(1,) * len(module.kernel_size), groups=1, padding_mode="zeros")
        padding = module.padding
        if isinstance(padding, str):
            padding = tuple((size - 1) / 2 if padding == "same" else 0 for size in module.kernel_size)
            if any(size != int(size) for size in padding):
                self._refuse(
                    module, at, "has padding='same' of a kernel of even size, which is not the same on all sides"
                )
        sizes: list[Any] = [tuple(map(int, size)) for size in (module.kernel_size, module.stride, padding)]
        kind: Any = Conv2d if two else Conv1d
        given = sizes if two else [size[0] for size in sizes]
        made = kind(module.in_channels, module.out_channels, *given, "identity", "zeros")
        if module.bias is None:
            made.bias = [None] * module.out_channels
        return self._loaded(made, module, at)

    def _layer_norm(self, module: Any, at: str) -> Module:
        if len(module.normalized_shape) != 1:
            self._refuse(module, at, "is over several axes; only one, the features, is there here")
        return self._loaded(LayerNorm(module.normalized_shape[0], module.eps), module, at)

    def _batch_norm(self, module: Any, at: str) -> Module:
        if module.momentum is None:
            self._refuse(module, at, "has momentum=None, a mean of all batches; expected a number from 0 to 1")
        if not module.track_running_stats or module.running_mean is None:
            self._refuse(module, at, "keeps no running statistics; make it with track_running_stats=True")
        return self._loaded(BatchNorm(module.num_features, module.eps, module.momentum), module, at)

    def _rnn(self, module: Any, at: str) -> Module:
        self._only(module, at, num_layers=1, bidirectional=False, proj_size=0)
        made = RNN(module.input_size, module.hidden_size, module.nonlinearity, "zeros")
        if not module.bias:
            self._without_biases(made.cell)
        return self._loaded(made, module, at)

    def _rnn_cell(self, module: Any, at: str) -> Module:
        made = RNNCell(module.input_size, module.hidden_size, module.nonlinearity, "zeros")
        if not module.bias:
            self._without_biases(made)
        return self._loaded(made, module, at)

    def _without_biases(self, cell: Any) -> None:
        cell.bias_ih = cell.bias_hh = [None] * cell.n_hidden

    def _embedding(self, module: Any, at: str) -> Module:
        self._only(module, at, padding_idx=None, max_norm=None, scale_grad_by_freq=False, sparse=False)
        return self._loaded(Embedding(module.num_embeddings, module.embedding_dim, "zeros"), module, at)

    def _dropout(self, module: Any, at: str) -> Module:
        if module.p >= 1.0:
            self._refuse(module, at, "drops everything; expected p below 1")
        return Dropout(1.0 - module.p, inverted=True)

    def _flatten(self, module: Any, at: str) -> Module:
        self._only(module, at, start_dim=1, end_dim=-1)
        return Flatten()

    def _unflatten(self, module: Any, at: str) -> Module:
        self._only(module, at, dim=1)
        return Reshape(*module.unflattened_size)

    def _softmax(self, module: Any, at: str) -> Module:
        if module.dim not in (-1, 1):
            self._refuse(module, at, "is over another axis than the last one; only dim=-1 is there here")
        return Activation("softmax")

    def _activation(self, module: Any, at: str) -> Module:
        kind = type(module).__name__
        if kind == "GELU":
            self._only(module, at, approximate="none")
        if kind == "Softplus":
            self._only(module, at, beta=1)
            if module.threshold < EXACT:
                return Activation(Softplus(float(module.threshold)))
        if kind in _PARAMETRISED:
            name, option = _PARAMETRISED[kind]
            return Activation(ParametrisedActivation(name, float(getattr(module, option))))
        return Activation(_FUNCTIONS[kind])


# --------------------------------------------------------------------------------------------------- to PyTorch


def to_torch(model: Module, *, dtype: Any = "float64") -> Any:
    """Return a model as a module of PyTorch, with its weights, modes and frozen parameters.

    Layers with activations become two modules, ``Linear`` and ``Tanh``; a `MLP` becomes a ``torch.nn.Sequential``. It
    takes examples along the first axis, and gives of a model with one output an array of shape (n, 1). A `BatchNorm`
    becomes ``BatchNorm2d`` where the convolution before it, or behind it, has two axes.

    Parameters
    ----------
    model : Module
        The model.
    dtype : {"float64", "float32"} or torch.dtype
        The precision of its numbers.

    Returns
    -------
    torch.nn.Module
        The module; training it doesn't change the model, see `from_torch` and ``load_state_dict``.

    Raises
    ------
    TypeError, ValueError
        If it isn't a module, or a part has no counterpart in PyTorch, naming the part; if two layers share parameters,
        or one is too large for the precision.
    MissingDependencyError
        If PyTorch isn't installed.

    Examples
    --------
    >>> import torch
    >>> from autograd_mini import nn
    >>> to_torch(nn.MLP(2, [3, 1], "tanh"))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    """
    torch = _torch("to_torch")
    name = str(dtype).removeprefix("torch.")
    if name not in ("float64", "float32"):
        raise ValueError(f"dtype: expected 'float64' or 'float32', got {dtype!r}")
    whole = stack(model)
    with torch.random.fork_rng(devices=[]):  # constructors draw weights, of which nothing may be seen afterwards
        return _Writer(torch, getattr(torch, name), whole).module(whole, "")


class _Writer:
    """Makes modules of PyTorch, each once."""

    def __init__(self, torch: Any, dtype: Any, whole: Part) -> None:
        self._torch, self._dtype = torch, dtype
        self._known: dict[Any, Any] = {}
        self._owners: dict[int, str] = {}  # of each parameter the tensor that it is in
        self._of_images = _of_images(whole)

    def module(self, part: Part, at: str) -> Any:
        """Return a part as a module of PyTorch."""
        key = (part.kind, *(map(id, part.module) if isinstance(part.module, tuple) else [id(part.module)]))
        if key not in self._known:
            if part.kind == "Sequential":
                inner = [self.module(one, f"{at}.{i}" if at else f"{i}") for i, one in enumerate(part.parts)]
                made = self._torch.nn.Sequential(*inner)
            else:
                made = self._one(part, at)
            made.training = part.training
            self._known[key] = made
        return self._known[key]

    def _one(self, part: Part, at: str) -> Any:
        nn, kind = self._torch.nn, part.kind
        if kind == "BatchNorm":
            kind = "BatchNorm2d" if id(part.module) in self._of_images else "BatchNorm1d"
        where = {"dtype": self._dtype, "device": "cpu"} if part.entries else {}
        made = getattr(nn, kind)(**part.options, **where)
        with self._torch.no_grad():
            for name, entry in part.entries.items():
                cells, full = flat(entry), f"{at}.{name}" if at else name
                for cell in cells:
                    other = self._owners.setdefault(id(cell), full) if isinstance(cell, Parameter) else full
                    if other != full:
                        raise ValueError(
                            f"{other} and {full} have a parameter in common, which PyTorch's layers don't share; use "
                            f"one layer twice, or give one of them parameters of its own"
                        )
                numbers = np.array([cell.data for cell in cells])
                if self._dtype is self._torch.float32:
                    check_fits_float32(full, numbers)
                target = getattr(made, name)
                target.copy_(self._torch.tensor(numbers, device="cpu").reshape(target.shape))
                self._freeze(target, cells, full)
        return made

    def _freeze(self, target: Any, cells: list[Any], name: str) -> None:
        """Freeze a tensor whose parameters are frozen: PyTorch can do it with all of them alone."""
        frozen = {bool(getattr(cell, "is_frozen", False)) for cell in cells}
        if len(frozen) > 1:
            raise ValueError(f"{name}: some of its parameters are frozen and some not; PyTorch freezes a whole tensor")
        if frozen == {True}:
            target.requires_grad_(False)


def _of_images(whole: Part) -> set[int]:
    """Return the ids of the BatchNorms of rows and columns: as the last part before, or the next one, that says it."""
    leaves: list[Part] = []

    def walk(part: Part) -> None:
        for inner in part.parts:
            walk(inner)
        if part.kind != "Sequential":
            leaves.append(part)

    walk(whole)
    found, n_axes = set(), 0
    for i, part in enumerate(leaves):
        if part.kind == "BatchNorm" and (n_axes or _taken(leaves[i + 1 :])) == 3:
            found.add(id(part.module))
        n_axes = _GIVEN.get(part.kind, n_axes)
        if part.kind == "Unflatten":
            n_axes = len(part.options["unflattened_size"])
    return found


_GIVEN = {"Linear": 1, "Flatten": 1, "Conv1d": 2, "Conv2d": 3, "Embedding": 0}  # axes of an example, where it is known
_TAKEN = {"Linear": 1, "Unflatten": 1, "Conv1d": 2, "Conv2d": 3}


def _taken(parts: list[Part]) -> int:
    """Return how many axes an example has, by what takes it first; 0 where a Flatten, or nothing, does."""
    kind = next((part.kind for part in parts if part.kind in _TAKEN or part.kind == "Flatten"), "")
    return _TAKEN.get(kind, 0)


def torch_state(model: Module) -> dict[str, Any]:
    """Return the parameters' data under the names that they have in a ``torch.nn.Sequential``.

    ``to_torch(model).load_state_dict`` takes them, made into tensors; of a `Sequential` of layers without activations
    of their own they are those of ``model.state_dict()``.

    Examples
    --------
    >>> from autograd_mini import nn
    >>> {name: array.shape for name, array in torch_state(nn.MLP(2, [3, 1], "tanh")).items()}
    {'0.weight': (3, 2), '0.bias': (3,), '2.weight': (1, 3), '2.bias': (1,)}
    """
    return TorchState(model).state_dict()


def load_torch_state(model: Module, state: Mapping[str, Any]) -> None:
    """Set a model's parameters from a state with the names of a ``torch.nn.Sequential``: tensors or arrays.

    Parameters
    ----------
    model : Module
        The model.
    state : mapping of str to tensor or array_like
        As ``state_dict()`` of the same stack in PyTorch, or `torch_state`, gives it. How many batches a BatchNorm has
        seen, ``num_batches_tracked``, is left out.

    Raises
    ------
    ValueError
        If names are missing or unknown, or a shape is another one, naming them. Nothing has been changed then.

    Examples
    --------
    >>> from autograd_mini import nn
    >>> model, other = nn.MLP(2, [3, 1], rng=0), nn.MLP(2, [3, 1], rng=1)
    >>> load_torch_state(other, torch_state(model))
    >>> other([1.0, 2.0]).data == model([1.0, 2.0]).data
    True
    """
    if isinstance(state, Mapping):
        state = {name: tensor for name, tensor in state.items() if str(name).rpartition(".")[2] != COUNTS}
    TorchState(model).load_state_dict(state)
