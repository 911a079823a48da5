"""The expression of micrograd's README, value and both gradients, at one point: no batch at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd_mini as ag
from vectorized import ours, rivals
from vectorized.timing import OURS, Contender, Mark, Work

POINTS = ((-4.0, 2.0), (-3.5, 2.5))


def expression(a: Any, b: Any, relu: Callable[[Any], Any]) -> Any:
    """Return g as micrograd's README writes it."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + relu(b + a)
    d += 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def contender(evaluate: Callable[[tuple[float, float]], Any]) -> Contender:
    """Return the contender that gives value and gradients at a point, which differs from run to run."""
    here, there = POINTS

    def run() -> Any:
        nonlocal here, there
        here, there = there, here
        return evaluate(here)

    def numbers() -> Any:
        results = [evaluate(point) for point in POINTS for _ in range(2)]
        return [float(number) for value, gradients in results for number in (value, *gradients)]

    return Contender(run, numbers)


def own() -> Contender:
    """Return this library's way."""
    a, b = (ag.Value(number) for number in POINTS[0])
    return contender(ours.at_two_numbers(lambda: expression(a, b, lambda v: v.relu()), a, b))


def with_values(value_type: Any) -> Contender:
    """Return the way of an engine whose nodes have `data`, `grad` and `backward`: the graph is built anew."""

    def evaluate(point: tuple[float, float]) -> Any:
        a, b = value_type(point[0]), value_type(point[1])
        g = expression(a, b, lambda v: v.relu())
        g.backward()
        return g.data, (a.grad, b.grad)

    return contender(evaluate)


def micrograd() -> Contender:
    """Return micrograd's way."""
    import micrograd.engine

    return with_values(micrograd.engine.Value)


def jax_jit() -> Contender:
    """Return JAX's way: value and gradients under ``jit``, called with two floats."""
    jax = rivals.jax()
    compiled = jax.jit(jax.value_and_grad(lambda a, b: expression(a, b, jax.nn.relu), argnums=(0, 1)))
    return contender(lambda point: jax.block_until_ready(compiled(*point)))


def by_hand() -> Contender:
    """Return straight-line Python, as a program for this expression would be."""

    def evaluate(point: tuple[float, float]) -> Any:
        a, b = point
        r1, r2 = b + a, b - a
        on1, on2 = (1.0 if r1 > 0.0 else 0.0), (1.0 if r2 > 0.0 else 0.0)
        c = 4.0 * (a + b) + 3.0 - a
        d = 12.0 * (a * b + b**3) + 4.0 * on1 * r1 + on2 * r2
        e = c - d
        f = e**2
        slope = (0.5 - 10.0 / f**2) * 2.0 * e
        by_a = 3.0 - 12.0 * b - 4.0 * on1 + on2
        by_b = 4.0 - 12.0 * (a + 3.0 * b**2) - 4.0 * on1 - on2
        return f / 2.0 + 10.0 / f, (slope * by_a, slope * by_b)

    return contender(evaluate)


WORK = Work(
    key="expression",
    title="one scalar expression (micrograd's README), value and gradients",
    unit="µs",
    per_second=1e6,
    ours={OURS: own},
    rivals={
        "hand-written Python": by_hand,
        "JAX jit": jax_jit,
        f"{OURS}, eager": lambda: with_values(ag.Value),
        "micrograd": micrograd,
    },
    marks=(
        Mark("hand-written Python", 0.6, before=0.13),
        Mark("JAX jit", 10.0, before=2.93),
        Mark("micrograd", 20.0, before=13.79),
    ),
)
