"""What tracing costs: seconds and bytes for each edge of the scalar graph, on graphs of very different sizes.

All that comes before the runs is counted: the function is called, its nodes are grouped, the source is written and
compiled. The comparison with the eager engine, one more pass over the graph for each sample row, is left out.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_mini import graph, nn, vectorize
from vectorized import networks, ours

SECONDS, BYTES, EDGES = 5.0, 500.0, 10**6
KEY = "tracing"
TITLE = "tracing: from the function to its program"


@dataclass(frozen=True)
class Cost:
    """What tracing one graph took."""

    written: str
    edges: int
    seconds: float
    bytes: float

    @property
    def verdict(self) -> str:
        """Whether both marks are kept, on graphs of the size that they are for."""
        if self.edges < 0.9 * EDGES:
            return ""
        return "yes" if self.seconds < SECONDS and self.bytes < BYTES * self.edges else "NO"


def network(width: int, is_expanded: bool) -> tuple[Callable[[Any], Any], Any]:
    """Return a two-layer network as a function of Values, and an example for it."""
    model = nn.MLP(width, [width, 1], activation="tanh", rng=0)
    predict = networks.expanded(model, lambda z: z.tanh()) if is_expanded else model
    return lambda x: predict(x) ** 2, np.random.default_rng(0).uniform(-1.0, 1.0, (2, width))


# About as many edges as the powers of ten: an expanded neuron of n inputs has 4n of them, one dot node 2n + 1.
GRAPHS = {
    ("Neuron", 10**4): (69, False),
    ("Neuron", 10**5): (222, False),
    ("Neuron", 10**6): (706, False),
    ("expanded", 10**4): (49, True),
    ("expanded", 10**5): (157, True),
    ("expanded", 10**6): (499, True),
}


def costs(rounds: int) -> Iterator[Cost]:
    """Iterate over the costs, graph by graph: the median time, and in a run of its own the most memory at a time."""
    for (written, _), (width, is_expanded) in GRAPHS.items():
        function, X = network(width, is_expanded)
        edges = sum(len(node.parents) for node in graph.topological_order(function(X[0].tolist())))
        seconds = [_seconds(function, X) for _ in range(rounds)]
        gc.collect()
        tracemalloc.start()
        ours.lifted(function, X)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        yield Cost(written, edges, statistics.median(seconds), peak)


def _seconds(function: Callable[[Any], Any], X: Any) -> float:
    gc.collect()
    start = time.perf_counter()
    ours.lifted(function, X)
    return time.perf_counter() - start


TABLE, TABLE_SECONDS = (5_000, 64), 1.0


def of_a_table(rounds: int) -> float:
    """Return the least seconds to the first gradient of a model that picks rows of a large table, with the check."""
    return min(_seconds_of_a_table() for _ in range(rounds))


def _seconds_of_a_table() -> float:
    table, head = nn.Embedding(*TABLE, rng=0), nn.Layer(TABLE[1], 10, "identity", rng=0)
    program = vectorize(lambda token, target: nn.cross_entropy(head(table(token)), target))
    gc.collect()
    start = time.perf_counter()
    program.value_and_grad(np.arange(32.0), np.arange(32.0) % 10)
    return time.perf_counter() - start
