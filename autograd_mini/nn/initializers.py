"""Initial weights: small, random and scaled to the width of the layer.

An initializer takes a generator and the shape (outputs, inputs) and returns that array. Large weights saturate sigmoid
and tanh, equal ones make all neurons of a layer the same; biases start at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, TypeAlias

import numpy as np

from autograd_mini.checks import Array, named
from autograd_mini.nn.activations import activation_name

Random: TypeAlias = (
    "int | np.random.Generator | None"  # as text, since numpy.random takes long to import and isn't needed yet
)
Initializer = Callable[["np.random.Generator", tuple[int, int]], Array]
InitializerLike = str | Initializer | None  # what arguments take: a name, the function itself, or nothing


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


def initializer_for(initializer: InitializerLike, activation: Any) -> Initializer:
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
        is_rectifier = activation_name(activation).partition("(")[0] in ("relu", "leaky_relu", "elu", "silu", "gelu")
        return he if is_rectifier else xavier
    return initializer if callable(initializer) else named("initializer", initializer, INITIALIZERS)


def given(weights: Any) -> Initializer:
    """Return an initializer that gives these weights, as when a layer draws for all of its neurons at once."""
    return lambda rng, shape: np.reshape(weights, shape)


def initial_weights(initializer: InitializerLike, activation: Any, rng: Random, shape: tuple[int, int]) -> Array:
    """Return the initial weights of a layer, drawn by its initializer.

    Parameters
    ----------
    initializer : str, callable or None
        As for `initializer_for`.
    activation : str or callable
        The layer's activation.
    rng : int, numpy.random.Generator or None
        A seed or a generator.
    shape : tuple of int
        The number of outputs and of inputs.

    Raises
    ------
    ValueError
        If the initializer doesn't make an array of that shape.

    Examples
    --------
    >>> initial_weights("zeros", "tanh", None, (1, 2))
    array([[0., 0.]])
    """
    weights = np.asarray(initializer_for(initializer, activation)(np.random.default_rng(rng), shape), dtype=float)
    if weights.shape != shape:
        raise ValueError(f"initializer: expected weights of shape {shape}, got {weights.shape}")
    return weights
