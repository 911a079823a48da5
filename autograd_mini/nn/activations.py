"""The activation functions by name, as `Neuron`, `Layer` and `MLP` take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_mini.engine import functions
from autograd_mini.nn.named_activations import parametrised

Activation = Callable[[Any], Any]

ACTIVATIONS: dict[str, Activation] = {
    "identity": functions.identity,
    "sign": functions.sign,
    "sigmoid": functions.sigmoid,
    "logistic": functions.sigmoid,
    "tanh": functions.tanh,
    "relu": functions.relu,
    "leaky_relu": functions.leaky_relu,
    "elu": functions.elu,
    "softplus": functions.softplus,
}


def activation_function(activation: str | Activation) -> Activation:
    """Return an activation given by its name, or a function as it is.

    Raises
    ------
    ValueError
        If no activation has that name.
    TypeError
        If it is neither a name nor a function.

    Examples
    --------
    >>> activation_function("relu")(-2.0)
    0.0
    """
    if callable(activation):
        return activation
    if not isinstance(activation, str):
        raise TypeError(f"expected an activation by name or a function, got {type(activation).__name__}")
    with_parameter = parametrised(activation)
    if with_parameter is not None:
        return with_parameter
    try:
        return ACTIVATIONS[activation]
    except KeyError:
        raise ValueError(f"no activation is named {activation!r}; choose one of {', '.join(ACTIVATIONS)}") from None
