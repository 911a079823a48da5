"""Straight-line Python on floats, for functions without a batch: arrays of one row would be slower by far."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from autograd_mini.engine.value import Value
from autograd_mini.explanations.python import function_source
from autograd_mini.vectorizer.scalars import CONSTANT, Scalars

MOST_NODES = 100_000
_data = operator.attrgetter("_data")


class StraightLine:
    """A function without inputs as Python on floats.

    Where its quick form raises an error, because IEEE arithmetic gives an infinity or nan, the exact form is run.

    Parameters
    ----------
    scalars : Scalars
        The graph.
    size : int
        How many of its nodes are the function's own.
    needs : bytearray
        For every node whether a gradient goes through it.
    leaves : sequence of int
        The parameters, in the order of the gradient.
    title : str
        The first line of the source.
    """

    def __init__(self, scalars: Scalars, size: int, needs: Sequence[int], leaves: Sequence[int], title: str) -> None:
        nodes = scalars.node[:size]
        order = [node for node, kind in zip(nodes, scalars.kind, strict=False) if kind != CONSTANT]
        constants = {nodes[i]: scalars.number[i] for i in range(size) if scalars.kind[i] == CONSTANT}
        self._values: list[Value] = [nodes[i] for i in leaves]
        asked = [nodes[i] for i in range(size) if needs[i]]
        outputs = [nodes[i] for i in scalars.outputs]
        self._written = partial(function_source, order, outputs, self._values, constants, asked, title)
        self.source = self._written()
        self._run = _compiled(self.source)
        self._exact: Callable[..., Any] | None = None

    def __call__(self, given: Sequence[float] = ()) -> tuple[list[float], tuple[float, ...]]:
        """Return the results and the derivatives of their sum by the leaves; these may be -0 where the sum is 0.

        Numbers that are given are those of the first leaves, in the place of their own.
        """
        numbers = [*given, *map(_data, self._values[len(given) :])]
        try:
            return self._run(*numbers)  # type: ignore[no-any-return]
        except (ArithmeticError, ValueError):
            if self._exact is None:
                self._exact = _compiled(self._written(quick=False))
            return self._exact(*numbers)  # type: ignore[no-any-return]


def _compiled(source: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(compile(source, "<program>", "exec"), scope)
    return scope["value_and_gradient"]  # type: ignore[no-any-return]
