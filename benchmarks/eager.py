"""The eager engine: micrograd's demo, a language model on scalars, and the price of single operations.

The work: an MLP 2-16-16-1 with ReLU, hinge loss over 100 examples, L2 penalty over all parameters, one SGD step. It is
timed on three models with the same weights: micrograd's own, this library's `Neuron`s (one dot node for each), and the
expression that micrograd's neuron is written with, ``sum(w * x for ...) + b``, on this library's Values. Then the
language model of `scalar_gpt`, against the least engine that can train it; then operations, against ``a * b``.
Times are the processor's, as others may use the machine too.

Usage: ``python benchmarks/eager.py`` with micrograd installed (the extra ``dev`` has it).
"""

from __future__ import annotations

import gc
import platform
import statistics
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

from scalar_gpt import ScalarGPT, SlotsValue

import autograd_mini
from autograd_mini import datasets, nn

ROUNDS = 7
STEPS = 3
X, LABELS = datasets.moons(n=100, noise=0.1, seed=0)
TARGETS = (2 * LABELS - 1).tolist()


def training_step(value_type: Any, predict: Callable[[Any], Any], parameters: list[Any]) -> float:
    """Return the loss after one step of micrograd's demo, written as there."""
    inputs = [[value_type(number) for number in row] for row in X.tolist()]
    scores = [predict(row) for row in inputs]
    losses = [(1 + -target * score).relu() for target, score in zip(TARGETS, scores, strict=True)]
    total = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
    for parameter in parameters:
        parameter.grad = 0
    total.backward()
    for parameter in parameters:
        parameter.data -= 0.01 * parameter.grad
    return float(total.data)


def expanded(model: nn.MLP) -> Callable[[Any], Any]:
    """Return the model's prediction as micrograd writes it: products, sums and ReLUs, node by node."""

    def predict(x: Any) -> Any:
        for number, layer in enumerate(model.layers):
            last = number == len(model.layers) - 1
            sums = [sum((w * xi for w, xi in zip(n.w, x, strict=True)), n.b) for n in layer.neurons]
            x = sums if last else [z.relu() for z in sums]
        return x[0]

    return predict


def contenders() -> dict[str, Callable[[], float]]:
    """Return the three ways to do the step, each on a model of its own with the same weights."""
    import micrograd.engine
    import micrograd.nn

    theirs = micrograd.nn.MLP(2, [16, 16, 1])
    ours = [nn.MLP(2, [16, 16, 1], rng=0) for _ in range(2)]
    for target, source in zip(theirs.layers, ours[0].layers, strict=True):
        for neuron, twin in zip(target.neurons, source.neurons, strict=True):
            for weight, value in zip([*neuron.w, neuron.b], [*twin.w, twin.b], strict=True):
                weight.data = value.data
    value_type = autograd_mini.Value
    return {
        "micrograd": lambda: training_step(micrograd.engine.Value, theirs, theirs.parameters()),
        "Neuron": lambda: training_step(value_type, ours[0], ours[0].parameters()),
        "expanded": lambda: training_step(value_type, expanded(ours[1]), ours[1].parameters()),
    }


def measured(ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Return seconds a step for each contender, from blocks of steps taken in turn.

    A slow moment of the machine hits all of them. The garbage of one block is cleared away, off the clock, before the
    next contender starts; within a block each one pays for its own, as it would in training.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        losses = []
        for name, step in ways.items():
            gc.collect()
            start = time.process_time()
            losses.append([step() for _ in range(STEPS)])
            seconds[name].append((time.process_time() - start) / STEPS)
        if any(max(same) - min(same) > 1e-9 for same in zip(*losses, strict=True)):
            raise AssertionError(f"the models disagree: {losses}")
    return {name: times[1:] for name, times in seconds.items()}  # the first round warms up


def ratio(slow: list[float], fast: list[float]) -> float:
    """Return how many times as long the first took, as the median of the rounds."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def nanoseconds() -> dict[str, list[float]]:
    """Return how long single operations take, in blocks taken in turn."""
    a, b = autograd_mini.Value(1.3), autograd_mini.Value(0.7)
    ways: dict[str, Callable[[], object]] = {
        "a * b": lambda: a * b,
        "a * 2.0": lambda: a * 2.0,
        "a / 2.0": lambda: a / 2.0,
        "a**2": lambda: a**2,
        "a.exp()": a.exp,
        "a.relu()": a.relu,
        "a.tanh()": a.tanh,
        "a.log()": a.log,
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(4 * ROUNDS):
        for name, way in ways.items():
            found[name].append(timeit.timeit(way, timer=time.process_time, number=2000) / 2000 * 1e9)
    return found


def main() -> None:
    """Print the medians and the ratios to micrograd."""
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print(f"medians of {ROUNDS} interleaved blocks of {STEPS} steps")
    print(f"{'':<12}{'ms a step':>12}{'times micrograd':>18}{'at least':>10}")
    seconds = measured(contenders())
    for name, at_least in (("micrograd", 1), ("Neuron", 15), ("expanded", 5)):
        times = ratio(seconds["micrograd"], seconds[name])
        print(f"{name:<12}{1e3 * statistics.median(seconds[name]):>12.1f}{times:>18.1f}{at_least:>10}")
    models = {"slots": ScalarGPT(SlotsValue), "ours": ScalarGPT(autograd_mini.Value)}
    seconds = measured({name: model.step for name, model in models.items()})
    print(f"\na name through the language model: {1e3 * statistics.median(seconds['ours']):.0f} ms;")
    print(f"a class of slots takes {ratio(seconds['slots'], seconds['ours']):.2f} times as long (at least 1.1)\n")
    found = nanoseconds()
    print(f"{'':<12}{'ns':>8}{'of a * b':>12}{'of a * 2.0':>12}")
    for name, times in found.items():
        of = [f"{ratio(times, found[other]):>12.2f}" for other in ("a * b", "a * 2.0")]
        print(f"{name:<12}{min(times):>8.0f}{''.join(of)}")


if __name__ == "__main__":
    sys.exit(main())
