"""A language model in one file on scalars, and the least engine that can train it, for `eager.py`.

The model predicts the next letter of a name: a list of 16-wide embeddings, 4 heads of attention, a layer of 64, about
4,200 parameters. `SlotsValue` is what one writes in ten minutes: it stores data, grad, parents and local derivatives,
computes nothing anew and checks nothing.
"""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

LETTERS, WIDTH, HEADS, LONGEST = 26, 16, 4, 9
NAMES = ("olivia", "sophia", "isabella", "charlot", "amelia", "evelyn")


class SlotsValue:
    """A node of slots."""

    __slots__ = ("data", "grad", "local_grads", "parents")

    def __init__(self, data: float, parents: tuple[Any, ...] = (), local_grads: tuple[float, ...] = ()) -> None:
        self.data, self.grad, self.parents, self.local_grads = data, 0.0, parents, local_grads

    def __add__(self, other: Any) -> SlotsValue:
        other = other if isinstance(other, SlotsValue) else SlotsValue(other)
        return SlotsValue(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> SlotsValue:
        other = other if isinstance(other, SlotsValue) else SlotsValue(other)
        return SlotsValue(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power: float) -> SlotsValue:
        return SlotsValue(self.data**power, (self,), (power * self.data ** (power - 1),))

    def exp(self) -> SlotsValue:
        """Return eˣ."""
        out = math.exp(self.data)
        return SlotsValue(out, (self,), (out,))

    def log(self) -> SlotsValue:
        """Return ln x."""
        return SlotsValue(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self) -> SlotsValue:
        """Return max(x, 0)."""
        return SlotsValue(max(self.data, 0.0), (self,), (float(self.data > 0.0),))

    def __neg__(self) -> SlotsValue:
        return self * -1.0

    def __radd__(self, other: float) -> SlotsValue:
        return self + other

    def __rmul__(self, other: float) -> SlotsValue:
        return self * other

    def __sub__(self, other: Any) -> SlotsValue:
        return self + -other

    def __truediv__(self, other: Any) -> SlotsValue:
        return self * other**-1

    def backward(self) -> None:
        """Hand the gradient back through the graph."""
        order: list[SlotsValue] = []
        visited = set()

        def visit(node: SlotsValue) -> None:
            if node not in visited:
                visited.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, local_grad in zip(node.parents, node.local_grads, strict=True):
                parent.grad += local_grad * node.grad


class ScalarGPT:
    """The model and its training by Adam, on any class of nodes."""

    def __init__(self, value_type: Any) -> None:
        rng = random.Random(0)

        def matrix(rows: int, columns: int) -> list[list[Any]]:
            return [[value_type(rng.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.tokens, self.places = matrix(LETTERS + 1, WIDTH), matrix(LONGEST, WIDTH)
        self.queries, self.keys, self.values, self.joined = (matrix(WIDTH, WIDTH) for _ in range(4))
        self.wide, self.narrow, self.head = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH), matrix(27, WIDTH)
        tables = [self.tokens, self.places, self.queries, self.keys, self.values, self.joined]
        self.parameters = [p for table in [*tables, self.wide, self.narrow, self.head] for row in table for p in row]
        self.first, self.second, self.steps = [0.0] * len(self.parameters), [0.0] * len(self.parameters), 0

    def logits(self, token: int, place: int, keys: list[Any], values: list[Any]) -> list[Any]:
        """Return the logits of the letter that comes next; the keys and values so far get one more."""
        x = _normed([a + b for a, b in zip(self.tokens[token], self.places[place], strict=True)])
        before, x = x, _normed(x)
        query = _linear(x, self.queries)
        keys.append(_linear(x, self.keys))
        values.append(_linear(x, self.values))
        seen: list[Any] = []
        size = WIDTH // HEADS
        for start in range(0, WIDTH, size):
            part = range(start, start + size)
            shares = _softmax([sum(query[j] * key[j] for j in part) / size**0.5 for key in keys])
            seen += [sum(share * value[j] for share, value in zip(shares, values, strict=True)) for j in part]
        x = [a + b for a, b in zip(_linear(seen, self.joined), before, strict=True)]
        before = x
        x = _linear([z.relu() for z in _linear(_normed(x), self.wide)], self.narrow)
        return _linear([a + b for a, b in zip(x, before, strict=True)], self.head)

    def step(self) -> float:
        """Train on the next name, and return its loss."""
        name = NAMES[self.steps % len(NAMES)]
        letters = [LETTERS, *(ord(letter) - ord("a") for letter in name), LETTERS]
        keys: list[Any] = []
        values: list[Any] = []
        losses = []
        for place, (token, target) in enumerate(itertools.pairwise(letters)):
            losses.append(-_softmax(self.logits(token, place, keys, values))[target].log())
        loss = sum(losses) * (1.0 / len(losses))
        loss.backward()
        self.steps += 1
        for i, p in enumerate(self.parameters):
            self.first[i] = 0.85 * self.first[i] + 0.15 * p.grad
            self.second[i] = 0.99 * self.second[i] + 0.01 * p.grad**2
            mean, square = self.first[i] / (1 - 0.85**self.steps), self.second[i] / (1 - 0.99**self.steps)
            p.data -= 0.01 * mean / (square**0.5 + 1e-8)
            p.grad = 0.0
        return float(loss.data)


def _linear(x: list[Any], weights: list[list[Any]]) -> list[Any]:
    return [sum(w * feature for w, feature in zip(row, x, strict=True)) for row in weights]


def _softmax(logits: list[Any]) -> list[Any]:
    largest = max(z.data for z in logits)
    powers = [(z - largest).exp() for z in logits]
    total = sum(powers)
    return [power / total for power in powers]


def _normed(x: list[Any]) -> list[Any]:
    scale = (sum(feature * feature for feature in x) / len(x) + 1e-5) ** -0.5
    return [feature * scale for feature in x]
