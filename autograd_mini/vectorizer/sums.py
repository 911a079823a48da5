"""Sums: `+ - * Σ w·x+b` in any writing, dissolved into lists of signed terms, each a product of two nodes or one node.

A node with one successor only dissolves into the sum that uses it, so that `w1*x1 + w2*x2 + b`, `sum(...)`, a loop of
`+=` and a dot node all end as the same list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from autograd_mini.vectorizer.scalars import COMPUTED, CONSTANT, Scalars

LINEAR = frozenset(("add", "sub", "neg", "mul", "sum", "dot", "identity"))
_MANY = frozenset(("add", "sub", "sum", "dot"))  # of more than one term
NOTHING = -1


@dataclass(eq=False)
class Sum:
    """constant + Σ coefficient·left·right, where right is NOTHING in a term of one node."""

    constant: float = 0.0
    coefficients: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)

    def append(self, coefficient: float, left: int, right: int = NOTHING) -> None:
        """Add a term."""
        self.coefficients.append(coefficient)
        self.left.append(left)
        self.right.append(right)

    def terms(self) -> Iterator[tuple[float, int, int]]:
        """Iterate over the terms."""
        return zip(self.coefficients, self.left, self.right, strict=True)

    def __len__(self) -> int:
        return len(self.left)


def dissolved(scalars: Scalars) -> tuple[dict[int, Sum], bytearray]:
    """Return the sums that are left, by node, and for every node whether it has dissolved into another one."""
    uses = [0] * len(scalars)
    for parents in scalars.parents:
        for p in parents:
            uses[p] += 1
    for i in [*scalars.outputs, *(i for effect in scalars.effects for i in effect)]:
        uses[i] += 2  # results are needed as they are
    gone = bytearray(len(scalars))
    sums: dict[int, Sum] = {}
    for i in reversed(range(len(scalars))):
        if not gone[i] and scalars.kind[i] == COMPUTED and _name(scalars, i) in LINEAR:
            sums[i] = _expanded(scalars, i, uses, gone)
    return dict(reversed(sums.items())), gone


def _name(scalars: Scalars, i: int) -> str:
    primitive = scalars.primitive[i]
    return "" if primitive is None else primitive.name


def _expanded(scalars: Scalars, root: int, uses: list[int], gone: bytearray) -> Sum:
    """Return the terms of one node, in the order written; what dissolves into it is marked as gone."""
    result = Sum()
    kind, varies = scalars.kind, scalars.varies
    stack: list[tuple[int, float]] = [(root, 1.0)]
    while stack:
        i, c = stack.pop()
        name = _name(scalars, i)
        if i != root:
            if kind[i] == CONSTANT:
                result.constant += c * scalars.number[i]
                continue
            # A sum that is subtracted or scaled stays whole: its weights are a matrix as they stand.
            if name not in LINEAR or uses[i] != 1 or varies[i] != varies[root] or (name in _MANY and c != 1.0):
                result.append(c, i)
                continue
            gone[i] = 1
        parents = scalars.parents[i]
        if name == "mul":
            _expand_product(scalars, result, stack, parents, c, uses, gone)
        elif name == "dot":
            half = len(parents) // 2
            for a, b in zip(parents[:half], parents[half : 2 * half], strict=True):
                _append_product(scalars, result, c, a, b)
            stack += [(p, c) for p in parents[2 * half :]]
        elif name == "sub":
            stack += [(parents[1], -c), (parents[0], c)]
        elif name == "neg":
            stack.append((parents[0], -c))
        else:
            stack += [(p, c) for p in parents[::-1]]
    return result


def _append_product(scalars: Scalars, result: Sum, c: float, a: int, b: int) -> None:
    kind, number = scalars.kind, scalars.number
    if kind[a] == CONSTANT and kind[b] == CONSTANT:
        result.constant += c * number[a] * number[b]
    elif kind[a] == CONSTANT:
        result.append(c * number[a], b)
    elif kind[b] == CONSTANT:
        result.append(c * number[b], a)
    else:
        result.append(c, a, b)


def _expand_product(
    scalars: Scalars,
    result: Sum,
    stack: list[tuple[int, float]],
    parents: tuple[int, ...],
    c: float,
    uses: list[int],
    gone: bytearray,
) -> None:
    """Put c·a·b into the sum: a bare number becomes part of the coefficient, and so does the sign of -a."""
    a, b = parents
    if scalars.kind[a] == CONSTANT:
        stack.append((b, c * scalars.number[a]))
    elif scalars.kind[b] == CONSTANT:
        stack.append((a, c * scalars.number[b]))
    else:
        c, a = _without_sign(scalars, c, a, uses, gone)
        c, b = _without_sign(scalars, c, b, uses, gone)
        result.append(c, a, b)


def _without_sign(scalars: Scalars, c: float, i: int, uses: list[int], gone: bytearray) -> tuple[float, int]:
    """Return a factor without the numbers it is scaled by, and the coefficient with them."""
    while uses[i] == 1:
        name, parents = _name(scalars, i), scalars.parents[i]
        if name == "neg":
            factor, inner = -1.0, parents[0]
        elif name == "mul" and scalars.kind[parents[0]] == CONSTANT:
            factor, inner = scalars.number[parents[0]], parents[1]
        elif name == "mul" and scalars.kind[parents[1]] == CONSTANT:
            factor, inner = scalars.number[parents[1]], parents[0]
        else:
            break
        if scalars.varies[i] != scalars.varies[inner]:
            break
        gone[i] = 1
        c, i = c * factor, inner
    return c, i
