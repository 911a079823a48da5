"""Small graphs as data: all of them up to a size, random larger ones, and the smallest that still goes wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from autograd_mini.teaching.trial import Trial

_NAMES = "abcdefghijklmnopqrstuvwxz"  # y is the root
_SIMPLE = (2.0, 3.0)  # numbers that a reader follows easily, and at which a wrong rule shows


@dataclass(frozen=True)
class Graph:
    """Leaves, and steps that each compute a node; the last one is the root.

    Attributes
    ----------
    leaves : tuple of float
        Their numbers.
    steps : tuple of (str, tuple of int)
        Each an expression with a place for each operand, and which nodes these are: leaves first, then earlier steps.

    Examples
    --------
    >>> graph = Graph((2.0,), (("{} * {}", (0, 0)), ("{} + {}", (1, 1))))
    >>> print(graph.trial().source)
    a = Value(2.0)
    b = a * a
    y = b + b
    y.backward()
    """

    leaves: tuple[float, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]

    def trial(self) -> Trial:
        """Return the graph as Python; a node that is used once is written where it is used."""
        uses = [operand for _, operands in self.steps for operand in operands]
        names = iter(_NAMES)
        texts = [next(names) for _ in self.leaves]
        lines = [f"{name} = Value({number})" for name, number in zip(texts, self.leaves, strict=True)]
        looks = ("y.data", *(f"{name}.grad" for name in texts))
        last = len(self.leaves) + len(self.steps) - 1
        for node, (form, operands) in enumerate(self.steps, len(self.leaves)):
            text = form.format(*(texts[operand] for operand in operands))
            if node == last or uses.count(node) != 1:
                name = "y" if node == last else next(names)
                lines.append(f"{name} = {text}")
                texts.append(name)
            else:
                texts.append(f"({text})")
        return Trial("\n".join([*lines, "y.backward()"]), looks)

    def pruned(self) -> Graph:
        """Return the graph without what its root doesn't need."""
        first = len(self.leaves)
        needed = {first + len(self.steps) - 1}
        for node in reversed(range(first, first + len(self.steps))):
            if node in needed:
                needed.update(self.steps[node - first][1])
        place = {old: new for new, old in enumerate(sorted(needed))}
        return Graph(
            tuple(x for node, x in enumerate(self.leaves) if node in needed),
            tuple(
                (form, tuple(place[operand] for operand in operands))
                for node, (form, operands) in enumerate(self.steps, first)
                if node in needed
            ),
        )

    def size(self) -> tuple[object, ...]:
        """Return what the smaller of two graphs has less of: steps, leaves, long forms, unusual numbers, late nodes."""
        return (
            len(self.steps),
            len(self.leaves),
            sum(len(form) for form, _ in self.steps),
            sum(_SIMPLE.index(x) if x in _SIMPLE else len(_SIMPLE) for x in self.leaves),
            sum(sum(operands) for _, operands in self.steps),
        )

    def simpler(self) -> Iterator[Graph]:
        """Yield graphs that are like this one, but smaller: those first from which most was taken away."""
        first, count = len(self.leaves), len(self.steps)
        for length in range(1, count):
            yield Graph(self.leaves, self.steps[:length]).pruned()
        for i, (_, operands) in enumerate(self.steps[:-1]):  # a step's operand in its place
            for operand in dict.fromkeys(operands):
                yield self._instead(first + i, operand)
        for leaf in range(1, first):
            yield self._instead(leaf, 0)
        for i, (form, operands) in enumerate(self.steps):
            for other in ["{} + {}", "{} * {}"] if len(operands) == 2 else []:
                yield self._with_step(i, other, operands)
            for j, operand in enumerate(operands):
                for earlier in range(operand):
                    yield self._with_step(i, form, (*operands[:j], earlier, *operands[j + 1 :])).pruned()
        for i in range(first):
            for number in _SIMPLE:
                yield replace(self, leaves=(*self.leaves[:i], number, *self.leaves[i + 1 :]))

    def _instead(self, node: int, other: int) -> Graph:
        steps = tuple((form, tuple(other if u == node else u for u in operands)) for form, operands in self.steps)
        return Graph(self.leaves, steps).pruned()

    def _with_step(self, i: int, form: str, operands: tuple[int, ...]) -> Graph:
        return Graph(self.leaves, (*self.steps[:i], (form, operands), *self.steps[i + 1 :]))


def smallest(graph: Graph, goes_wrong: Callable[[Graph], bool]) -> Graph:
    """Return the smallest graph that still goes wrong and is reached from `graph` by making it simpler again and again.

    Examples
    --------
    >>> graph = Graph((1.5, -2.0), (("{} * {}", (0, 1)), ("{} - {}", (2, 1)), ("{} * {}", (3, 3))))
    >>> print(smallest(graph, lambda graph: "-" in graph.trial().source.replace("Value(-", "")).trial().source)
    a = Value(2.0)
    y = a - a
    y.backward()
    """
    while True:
        size = graph.size()
        smaller = (other for other in graph.simpler() if other.size() < size and goes_wrong(other))
        found = next(smaller, None)
        if found is None:
            return graph
        graph = found


def every(steps: int) -> Iterator[Graph]:
    """Yield all graphs with so many steps of ``+`` and ``*`` on one leaf, whose steps are all needed.

    Examples
    --------
    >>> [graph.trial().source.splitlines()[1] for graph in every(1)]
    ['y = a + a', 'y = a * a']
    """
    forms = ("{} + {}", "{} * {}")
    pairs = [[(i, j) for i in range(nodes) for j in range(i + 1)] for nodes in range(1, steps + 1)]
    for operands in product(*pairs):
        for chosen in product(forms, repeat=steps):
            graph = Graph((2.0,), tuple(zip(chosen, operands, strict=True)))
            if len(graph.pruned().steps) == steps:
                yield graph


def at_random(forms: Sequence[str], seed: int) -> Graph:
    """Return a graph of three leaves and up to eight steps, whose numbers stay small enough to compare."""
    dice = random.Random(seed)
    leaves = tuple(dice.choice([0.5, 1.25, 2.0, 2.0, -1.5]) for _ in range(3))
    steps = []
    for nodes in range(3, 3 + dice.randint(3, 8)):
        form = dice.choice(forms)
        recent = [dice.choice([nodes - 1, dice.randrange(nodes)]) for _ in range(form.count("{}"))]
        steps.append((form, tuple(recent)))
    return Graph(leaves, tuple(steps)).pruned()
