"""A model as PyTorch lays it out: modules one after the other, each with an activation of its own behind it.

So a `Layer` with "tanh" is two parts, ``Linear`` and ``Tanh``, and the names of a state count them: ``0.weight``,
``2.weight``. Nothing here needs PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd_mini.engine import functions
from autograd_mini.nn import (
    MLP,
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
    Neuron,
    Reshape,
    RNNCell,
    Sequential,
)
from autograd_mini.nn.activations import ACTIVATIONS, ParametrisedActivation, activation_function, activation_name
from autograd_mini.nn.freezing import _WithoutGraph

# The classes of PyTorch for activations, by the functions that they compute.
_BY_FUNCTION = {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "softplus": "Softplus", "silu": "SiLU"}
_BY_FUNCTION |= {"gelu": "GELU", "identity": "Identity", "leaky_relu": "LeakyReLU", "elu": "ELU"}
CLASSES = {ACTIVATIONS[name]: kind for name, kind in _BY_FUNCTION.items()}
SLOPES = {"leaky_relu": ("LeakyReLU", "negative_slope"), "elu": ("ELU", "alpha")}
EXACT = 40.0  # from here on log(1 + eˣ) is x, in all digits of a float


@dataclass(frozen=True)
class Softplus:
    """PyTorch's softplus, which is x from a threshold on; a class and no closure, so that it can be pickled.

    Examples
    --------
    >>> Softplus(20.0)(25.0), functions.softplus(25.0)
    (25.0, 25.000000000013888)
    """

    threshold: float

    @property
    def __name__(self) -> str:
        return f"softplus(threshold={self.threshold!r})"

    def __call__(self, x: Any) -> Any:
        """Return log(1 + eˣ), or x above the threshold."""
        return functions.where(x > self.threshold, x, functions.softplus(x))


COUNTS = "num_batches_tracked"  # PyTorch's BatchNorm counts batches, which only a momentum of None reads


def check_fits_float32(name: str, numbers: Any) -> None:
    """Raise if a number becomes infinite in single precision."""
    largest = np.max(np.abs(numbers), initial=0.0, where=np.isfinite(numbers))
    if largest > np.finfo(np.float32).max:
        raise ValueError(f"{name}: expected numbers that float32 holds, up to 3.4e38, got {largest:g}; take float64")


class Part(NamedTuple):
    """A module of PyTorch: its class, how it is made, and the parameters that are its own.

    Attributes
    ----------
    kind : str
        The class in ``torch.nn``.
    options : dict
        The arguments of its constructor.
    entries : dict of str to Parameter, or to lists of them
        The parameters, and a `BatchNorm`'s running statistics, by the name that they have there.
    parts : list of Part
        Those of a "Sequential".
    module : Module or None
        Which module of ours it is; two parts of one module are one module there, too.
    training : bool
        In which mode it is.
    """

    kind: str
    options: dict[str, Any]
    entries: dict[str, Any]
    parts: list[Part]
    module: Any
    training: bool


def stack(model: Module, *, of: str = "PyTorch") -> Part:
    """Return a model as it is laid out in PyTorch.

    Raises
    ------
    TypeError
        If it isn't a module.
    ValueError
        If a part of it has no counterpart there, naming the part.
    """
    if not isinstance(model, Module):
        raise TypeError(f"expected a Module, got {type(model).__name__}; wrap functions in nn.Activation")
    parts = list(_parts(model, "", of))
    return parts[0] if len(parts) == 1 and not isinstance(model, MLP) else _sequential(model, parts)


def _sequential(model: Any, parts: list[Part]) -> Part:
    return Part("Sequential", {}, {}, parts, model, model.training)


def _parts(model: Any, at: str, of: str) -> Iterator[Part]:
    """Iterate over the parts that a module becomes; `at` is its place, for messages."""
    kind, where = type(model), f"{at}: " if at else ""
    if type(vars(model).get("forward")) not in (type(None), _WithoutGraph):
        raise ValueError(f"{where}{model!r:.80} has a forward of its own, which {of} wouldn't run; take it away before")
    if kind is Sequential:
        inner: list[Part] = []
        for i, one in enumerate(model.modules):
            inner += _parts(one, f"{at}.{i}" if at else f"{i}", of)
        yield _sequential(model, inner)
    elif kind is MLP:
        for i, layer in enumerate(model.layers):
            yield from _parts(layer, f"{where}layers.{i}", of)
        if model.output == "softmax":
            yield _activation(model, "softmax", where, of)
    elif kind in _MAKERS:
        name, maker = _MAKERS[kind]
        if kind is not Activation:
            yield _checked(Part(name, maker(model), _entries(model), [], model, model.training), where, of)
        if hasattr(model, "activation") and kind not in (RNN, RNNCell):
            activation = _activation(model, _common_activation(model, where, of), where, of)
            if activation.kind != "Identity" or kind is Activation:
                yield activation
    else:
        raise ValueError(f"{where}{model!r:.80} has no counterpart in {of}; build it there by hand")


def _entries(model: Any) -> dict[str, Any]:
    """Return the parameters by their names in PyTorch, those of a neuron as a layer of one."""
    entries = dict(model._state_entries())
    return {name: [entry] for name, entry in entries.items()} if isinstance(model, Neuron) else entries


def _checked(part: Part, where: str, of: str) -> Part:
    """Return a part that PyTorch can have."""
    if any(name.startswith("neurons.") for name in part.entries):
        raise ValueError(f"{where}{part.module!r:.80} has a bias in some neurons alone, which {of} has in all or none")
    if part.kind == "Dropout" and not part.module.inverted and part.module.keep_prob < 1.0:
        raise ValueError(
            f"{where}{part.module!r} scales in evaluation, and {of} in training; make it "
            f"Dropout({part.module.keep_prob:g}, inverted=True)"
        )
    if part.kind in ("RNN", "RNNCell") and part.options["nonlinearity"] not in ("tanh", "relu"):
        raise ValueError(f"{where}{part.module!r} has an activation that {of} hasn't there; it has tanh and relu")
    return part


def _common_activation(model: Any, where: str, of: str) -> Any:
    """Return the activation of a module; of a layer what its neurons compute with, whatever it said at first."""
    if not isinstance(model, Layer):
        return model.activation
    for neuron in model.neurons:
        if type(neuron) is not Neuron or type(vars(neuron).get("forward")) not in (type(None), _WithoutGraph):
            raise ValueError(f"{where}{model!r:.80} has a neuron of another kind, {neuron!r:.60}, which {of} hasn't")
    first, *others = [neuron.activation for neuron in model.neurons]
    for other in others:
        if activation_function(other) != activation_function(first):
            raise ValueError(
                f"{where}{model!r:.80} has neurons with {activation_name(first)!r} and with "
                f"{activation_name(other)!r}; a layer of {of} has one activation"
            )
    return first


def _activation(model: Any, activation: Any, where: str, of: str) -> Part:
    """Return an activation as a module of PyTorch."""
    if activation == "softmax":
        return Part("Softmax", {"dim": -1}, {}, [], (model, "softmax"), model.training)
    function = activation_function(activation)
    options: dict[str, Any] = {}
    if isinstance(function, ParametrisedActivation):
        kind, slope = SLOPES[function.name]
        options = {slope: function.alpha}
    elif function in CLASSES:
        kind = CLASSES[function]
        options = {"threshold": EXACT} if kind == "Softplus" else {}
    elif isinstance(function, Softplus):
        kind, options = "Softplus", {"threshold": function.threshold}
    else:
        raise ValueError(
            f"{where}the activation {activation_name(activation)!r} has no counterpart in {of}; there are "
            f"{', '.join(_BY_FUNCTION)}"
        )
    return Part(kind, options, {}, [], (model, kind), model.training)


def _linear(model: Any) -> dict[str, Any]:
    n_outputs = len(model.neurons) if isinstance(model, Layer) else 1
    has_bias = "bias" in dict(model._state_entries())
    return {"in_features": model.n_inputs, "out_features": n_outputs, "bias": has_bias}


def _convolution(model: Any) -> dict[str, Any]:
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
    has_bias = any(bias is not None for bias in model.bias)
    return {**{name: getattr(model, name) for name in names}, "bias": has_bias}


def _recurrent(model: Any) -> dict[str, Any]:
    has_bias = any(name.startswith("bias") for name, _ in model._state_entries())
    function = activation_function(model.activation)
    names: dict[Any, str] = {functions.tanh: "tanh", functions.relu: "relu"}
    name = names.get(function, activation_name(model.activation))
    return {"input_size": model.n_inputs, "hidden_size": model.n_hidden, "bias": has_bias, "nonlinearity": name}


def _dropped(keep_prob: float) -> float:
    """Return 1 - p without the digits of rounding: 0.1 of 0.9, where that is what 1 - 0.1 gave."""
    plain = float(f"{1.0 - keep_prob:.15g}")
    return plain if 1.0 - plain == keep_prob else 1.0 - keep_prob


def _norm(model: Any) -> dict[str, Any]:
    return {"eps": model.eps}


_MAKERS: dict[type, tuple[str, Any]] = {
    Neuron: ("Linear", _linear),
    Layer: ("Linear", _linear),
    Conv1d: ("Conv1d", _convolution),
    Conv2d: ("Conv2d", _convolution),
    LayerNorm: ("LayerNorm", lambda model: {"normalized_shape": model.n_features, **_norm(model)}),
    BatchNorm: (
        "BatchNorm",
        lambda model: {"num_features": model.n_features, "momentum": model.momentum, **_norm(model)},
    ),
    RNN: ("RNN", lambda model: {**_recurrent(model), "batch_first": True}),
    RNNCell: ("RNNCell", _recurrent),
    Dropout: ("Dropout", lambda model: {"p": _dropped(model.keep_prob)}),
    Embedding: ("Embedding", lambda model: {"num_embeddings": model.n_tokens, "embedding_dim": model.width}),
    Flatten: ("Flatten", lambda model: {}),
    Reshape: ("Unflatten", lambda model: {"dim": 1, "unflattened_size": model.sizes}),
    Activation: ("", None),
}


class TorchState(Module):
    """A model's state under the names that it has in ``torch.nn.Sequential``: to be read, and to be loaded.

    Parameters
    ----------
    model : Module
        The model; its numbers are read and set.

    Examples
    --------
    >>> list(TorchState(MLP(2, [3, 1], "tanh")).state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, model: Module) -> None:
        whole = stack(model)
        # Not the stack itself, in which this module would find parts of its own, and name them.
        self._all: Callable[[], Iterator[tuple[str, Any]]] = lambda: _named(whole, "")

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        yield from self._all()


def _named(part: Part, prefix: str) -> Iterator[tuple[str, Any]]:
    yield from ((prefix + name, entry) for name, entry in part.entries.items())
    for i, inner in enumerate(part.parts):
        yield from _named(inner, f"{prefix}{i}.")
