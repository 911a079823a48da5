"""One training step of micrograd's demo on moons: this engine against micrograd, side by side in one run.

The work: an MLP 2-16-16-1 with ReLU, hinge loss over 100 examples, L2 penalty over all parameters, one SGD step. It is
timed on three models with the same weights: micrograd's own, this library's `Neuron`s (one dot node for each), and the
expression that micrograd's neuron is written with, ``sum(w * x for ...) + b``, on this library's Values.

Usage: ``python benchmarks/eager.py`` with micrograd installed (the extra ``dev`` has it).
"""

from __future__ import annotations

import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

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


def measured() -> dict[str, list[float]]:
    """Return seconds a step for each contender, from blocks of steps taken in turn.

    A slow moment of the machine hits all of them. The garbage of one block is cleared away, off the clock, before the
    next contender starts; within a block each one pays for its own, as it would in training.
    """
    ways = contenders()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        losses = []
        for name, step in ways.items():
            gc.collect()
            start = time.perf_counter()
            losses.append([step() for _ in range(STEPS)])
            seconds[name].append((time.perf_counter() - start) / STEPS)
        if any(max(same) - min(same) > 1e-9 for same in zip(*losses, strict=True)):
            raise AssertionError(f"the three models disagree: {losses}")
    return {name: times[1:] for name, times in seconds.items()}  # the first round warms up


def main() -> None:
    """Print the medians and the ratios to micrograd."""
    seconds = measured()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print(f"medians of {ROUNDS} interleaved blocks of {STEPS} steps")
    print(f"{'':<12}{'ms a step':>12}{'times micrograd':>18}{'at least':>10}")
    baseline = seconds["micrograd"]
    for name, at_least in (("micrograd", 1), ("Neuron", 15), ("expanded", 5)):
        ratio = statistics.median(slow / fast for slow, fast in zip(baseline, seconds[name], strict=True))
        print(f"{name:<12}{1e3 * statistics.median(seconds[name]):>12.1f}{ratio:>18.1f}{at_least:>10}")


if __name__ == "__main__":
    sys.exit(main())
