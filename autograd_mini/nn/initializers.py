"""Initial weights: small, random and scaled to the width of the layer.

An initializer takes a generator and the shape (outputs, inputs) and returns that array. Large weights saturate sigmoid
and tanh, equal ones make all neurons of a layer the same; biases start at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Initializer = Callable[["np.random.Generator", tuple[int, int]], Array]


def zeros(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Return zeros."""
    return np.zeros(shape)


def uniform(scale: float = 0.1) -> Initializer:
    """Return an initializer that draws from the interval (-scale, scale)."""
    return lambda rng, shape: rng.uniform(-scale, scale, shape)


def normal(scale: float = 0.1) -> Initializer:
    """Return an initializer that draws from a normal distribution with that standard deviation."""
    return lambda rng, shape: rng.normal(0.0, scale, shape)


def xavier(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw from (-r, r) with r = √(6 / (inputs + outputs)), which keeps the variance through tanh and sigmoid layers.

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
    """
    outputs, inputs = shape
    limit = sqrt(6.0 / (inputs + outputs))
    return rng.uniform(-limit, limit, shape)


def he(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw from a normal distribution of variance 2 / inputs, which keeps the variance through ReLU layers.

    He et al., Delving deep into rectifiers, 2015.
    """
    return rng.normal(0.0, sqrt(2.0 / shape[1]), shape)


INITIALIZERS: dict[str, Initializer] = {
    "zeros": zeros,
    "uniform": uniform(),
    "normal": normal(),
    "xavier": xavier,
    "he": he,
}


def initializer_for(initializer: str | Initializer | None, activation: Any) -> Initializer:
    """Return an initializer given by its name, or a function as it is, or the one that suits the activation.

    He's where the activation is of the ReLU kind, Xavier's for all others.

    Raises
    ------
    ValueError
        If no initializer has that name.

    Examples
    --------
    >>> initializer_for(None, "relu") is he, initializer_for(None, "tanh") is xavier
    (True, True)
    """
    if initializer is None:
        name = activation if isinstance(activation, str) else getattr(activation, "__name__", "")
        return he if name.partition("(")[0] in ("relu", "leaky_relu", "elu") else xavier
    if callable(initializer):
        return initializer
    if initializer not in INITIALIZERS:
        raise ValueError(f"no initializer is named {initializer!r}; choose one of {', '.join(INITIALIZERS)}")
    return INITIALIZERS[initializer]
