"""From the function to the first gradient: tracing, or compiling, and one run; a new function each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vectorized import digits, moons, networks, ours, rivals
from vectorized.timing import OURS, Contender, Mark, Work

Array = np.ndarray[Any, Any]


def own(loss: Callable[[], Callable[..., Any]], X: Array, Y: Array) -> Contender:
    """Return this library's way."""

    def run() -> Any:
        return ours.first_gradient(loss(), X, Y)

    return Contender(run, lambda: run()[0])


def jax_jit(loss_of: Callable[[Any], Callable[..., Any]], layers: Any, X: Array, Y: Array) -> Contender:
    """Return JAX's way."""
    jax = rivals.jax()

    def run() -> Any:
        compiled = jax.jit(jax.value_and_grad(loss_of(jax)))
        return jax.block_until_ready(compiled(layers, X, Y))

    return Contender(run, lambda: float(run()[0]))


MOONS = Work(
    key="first-moons",
    title="from the function to the first gradient, moons",
    unit="ms",
    per_second=1e3,
    ours={OURS: lambda: own(moons.own_loss, moons.X, moons.TARGETS)},
    rivals={
        "JAX jit": lambda: jax_jit(moons.jax_loss, networks.layers(moons.SIZES, "relu"), moons.X, moons.TARGETS),
    },
    marks=(Mark("JAX jit", 4.0, before=4.67),),
)


def digits_batch() -> tuple[Array, Array]:
    """Return the first batch of the digits."""
    X, y = digits.data()
    return X[: digits.BATCH], y[: digits.BATCH]


DIGITS = Work(
    key="first-digits",
    title="from the function to the first gradient, digits",
    unit="ms",
    per_second=1e3,
    ours={OURS: lambda: own(digits.own_loss, *digits_batch())},
    rivals={
        "JAX jit": lambda: jax_jit(digits.jax_loss, networks.layers(digits.SIZES, "tanh"), *digits_batch()),
    },
    marks=(Mark("JAX jit", 2.0, before=2.99),),
)
