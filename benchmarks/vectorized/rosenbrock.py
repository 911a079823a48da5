"""Rosenbrock's function of 1,000 variables, Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)²: value and gradient at a new point."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_mini as ag
from vectorized import ours, rivals
from vectorized.timing import OURS, Contender, Mark, Work

SIZE = 1_000
Array = np.ndarray[Any, Any]


def point() -> Array:
    """Return where to begin."""
    return np.random.default_rng(0).uniform(-1.5, 1.5, SIZE)


def contender(evaluate: Callable[[Array], Any]) -> Contender:
    """Return the contender that evaluates a function of the point, at a point that differs from run to run."""
    x = point()

    def run() -> Any:
        x[0] = -x[0]
        return evaluate(x)

    def numbers() -> Array:
        value, gradient = evaluate(point())
        return np.append(np.asarray(gradient).ravel(), float(value))

    return Contender(run, numbers)


def own() -> Contender:
    """Return this library's way: a sum written over Values, with nothing but parameters in it."""
    x = [ag.Value(number) for number in point().tolist()]

    def rosenbrock() -> Any:  # where the program meets the variables in their order, it takes the point as it is
        return ag.sum([(1.0 - a) ** 2 + 100.0 * (b - a * a) ** 2 for a, b in itertools.pairwise(x)])

    return contender(ours.on_flat_array(rosenbrock, x))


def hips_autograd() -> Contender:
    """Return HIPS autograd's way, on slices."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    return contender(value_and_grad(lambda x: anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)))


def casadi_function() -> Any:
    """Return CasADi's SX function: value and gradient."""
    import casadi

    x = casadi.SX.sym("x", SIZE)
    value = casadi.sum1(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    return casadi.Function("rosenbrock", [x], [value, casadi.gradient(value, x)])


def casadi_sx() -> Contender:
    """Return CasADi's way, called as functions are."""
    function = casadi_function()

    def evaluate(x: Array) -> Any:
        value, gradient = function(x)
        return value, gradient.full()

    return contender(evaluate)


def casadi_buffers() -> Contender:
    """Return CasADi's fastest way: the same function, reading and writing arrays that it was given once."""
    function = casadi_function()
    buffer, trigger = function.buffer()
    x, value, gradient = np.empty(SIZE), np.empty(1), np.empty(SIZE)
    buffer.set_arg(0, memoryview(x))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(gradient))

    def evaluate(at: Array) -> Any:
        x[...] = at
        trigger()
        return value[0], gradient

    evaluate.kept_alive = function, buffer  # type: ignore[attr-defined]  # the trigger doesn't do it

    return contender(evaluate)


def jax_jit() -> Contender:
    """Return JAX's way, on slices under ``jit``."""
    jax = rivals.jax()

    def value(x: Any) -> Any:
        return jax.numpy.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    compiled = jax.jit(jax.value_and_grad(value))
    return contender(lambda x: jax.block_until_ready(compiled(x)))


def by_hand() -> Contender:
    """Return NumPy by hand, in buffers."""
    s, t, g = (np.empty(SIZE - 1) for _ in range(3))
    gradient = np.empty(SIZE)

    def evaluate(x: Array) -> Any:
        a, b = x[:-1], x[1:]
        np.multiply(a, a, out=s)
        np.subtract(b, s, out=s)  # s = b - a²
        np.subtract(1.0, a, out=t)  # t = 1 - a
        value = 100.0 * np.dot(s, s) + np.dot(t, t)
        np.multiply(s, 200.0, out=s)
        np.multiply(s, a, out=g)
        np.add(g, t, out=g)
        np.multiply(g, -2.0, out=gradient[:-1])
        gradient[-1] = 0.0
        np.add(gradient[1:], s, out=gradient[1:])
        return value, gradient

    return contender(evaluate)


WORK = Work(
    key="rosenbrock",
    title="Rosenbrock, 1,000 variables, value and gradient",
    unit="µs",
    per_second=1e6,
    ours={OURS: own},
    rivals={
        "hand-written NumPy": by_hand,
        "JAX jit": jax_jit,
        "HIPS autograd": hips_autograd,
        "CasADi SX": casadi_sx,
        "CasADi SX, buffers": casadi_buffers,
    },
    marks=(
        Mark("hand-written NumPy", 0.8, before=0.23),
        Mark("JAX jit", 1.3, before=0.39),
        Mark("HIPS autograd", 1.0),
        Mark("CasADi SX", 1.0),
    ),
)
