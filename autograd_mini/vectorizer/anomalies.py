"""`detect_anomaly` around a program: before it runs, its examples are computed by the scalar engine, node by node.

That is as slow as the scalar engine is, and says which node of which example became infinite or nan first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import functions, modes
from autograd_mini.engine.freshness import assign
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.tracing import BATCH_MEAN, PREFIX, is_traced
from autograd_mini.engine.value import Value, apply
from autograd_mini.errors import AnomalyError
from autograd_mini.vectorizer.compiled import Compiled

_NAMED = 3  # examples that an error names


def are_looked_for() -> bool:
    """Return whether this is inside of `detect_anomaly`."""
    return bool(modes.open_contexts) and modes.current().detecting


def look_for(compiled: Compiled, theta: Array, columns: Sequence[Array], n: int, seed: float | None = None) -> None:
    """Compute examples node by node, as the program is about to do, and their gradients if there is a seed.

    Parameters
    ----------
    compiled : Compiled
        The program.
    theta : numpy.ndarray
        Its flat vector, which begins with the numbers of its leaves; they have them meanwhile.
    columns : sequence of numpy.ndarray
        The inputs, random leaves among them, with a row for each of the `n` examples.
    seed : float, optional
        ∂L/∂result, the same for each; without one, no gradients are looked at.

    Raises
    ------
    AnomalyError
        If a node or a gradient becomes infinite or nan: in which examples, and in each the first one.
    """
    # Where a mean over the batch is taken, the examples are one graph.
    batches = [range(n)] if compiled.mixes else [range(i, i + 1) for i in range(n)]
    found: dict[int, str] = {}
    before = [leaf._data for leaf in compiled.leaves]
    try:
        assign(compiled.leaves, theta[: len(compiled.leaves)].tolist())
        with modes.enable_grad(), modes.ignoring_anomalies():
            for batch in batches:
                _examine(_Replay(compiled, columns, batch), seed, found)
    finally:
        assign(compiled.leaves, before)
    if found:
        raise error_of(found, n)


def refuse_results(what: str, *results: Array) -> None:
    """Refuse what isn't finite although every node of every example is.

    Raises
    ------
    AnomalyError
        Saying so: it was added up over the batch, or computed in single precision.
    """
    if not all(np.isfinite(result).all() for result in results):
        raise AnomalyError(
            f"{what} became infinite or nan, though every node of each example by itself is finite: by the sum over "
            f"the batch, or by single precision; scale it down, or take dtype='float64'"
        )


class _Replay:
    """The graphs of some examples, made anew from the graph that was traced."""

    def __init__(self, compiled: Compiled, columns: Sequence[Array], rows: Sequence[int]) -> None:
        self.compiled, self.rows = compiled, rows
        self.copies: list[dict[Value, Value]] = [
            {
                leaf: _named(Value(number), leaf)
                for leaves, column in zip(compiled.inputs, columns, strict=True)
                for leaf, number in zip(leaves, np.ravel(column[i]).tolist(), strict=True)
            }
            for i in rows
        ]

    def copy(self, node: Value, k: int) -> Value:
        """Return the node of the k-th of the examples that stands for a traced one; leaves from outside stay."""
        copies = self.copies[k]
        if node not in copies:
            copies[node] = _named(Value(node._data), node) if is_traced(node) else node
        return copies[node]

    def make(self, node: Value) -> None:
        """Compute a node for each of the examples.

        Raises
        ------
        AnomalyError
            If one of them is infinite or nan.
        """
        if node.primitive is BATCH_MEAN:
            of_all = [self.copy(node.parents[0], k) for k in range(len(self.rows))]
            mean = _named(functions.sum(of_all) / len(of_all), node)
        for k, copies in enumerate(self.copies):
            if node.primitive is BATCH_MEAN:
                copies[node] = mean
            elif node.primitive is not None:
                made = apply(node.primitive, *[self.copy(u, k) for u in node.parents])
                copies[node] = _named(made, node)

    def roots(self) -> list[Value]:
        """Return what backward passes begin at: each result, or its sum over examples that depend on each other."""
        examples = range(len(self.rows))
        outputs = [self.compiled.scalars.node[i] for i in self.compiled.scalars.outputs]
        found = [[self.copy(node, k) for k in examples] for node in outputs]
        return [of_all[0] if len(of_all) == 1 else functions.sum(of_all) for of_all in found]


def _named(made: Value, node: Value) -> Value:
    made.label, made.scope = node.label, node.scope.removeprefix(PREFIX).strip(".")
    return made


def _examine(replay: _Replay, seed: float | None, found: dict[int, str]) -> None:
    """Note what is wrong with which of the examples."""
    for leaf in replay.copies[0]:
        _check(replay, leaf, found)
    for node in replay.compiled.nodes:
        if found.keys() & set(replay.rows):
            return
        replay.make(node)
        if node not in replay.compiled.derived:
            _check(replay, node, found)
    if seed is None or found.keys() & set(replay.rows):
        return
    for root in replay.roots():
        try:
            modes.check_gradients(topological_order(root), seed)
        except AnomalyError as error:
            found.update(dict.fromkeys(replay.rows, str(error)))


def _check(replay: _Replay, node: Value, found: dict[int, str]) -> None:
    for k, i in enumerate(replay.rows):
        try:
            modes.check_node(replay.copies[k][node])
        except AnomalyError as error:
            found.setdefault(i, str(error))


def error_of(found: dict[int, str], n: int) -> AnomalyError:
    """Return an error that says what happened in which of n examples: those with the same message together."""
    by_message: dict[str, list[int]] = {}
    for i in sorted(found):
        by_message.setdefault(found[i], []).append(i)
    several = [f"{_examples(rows, n)}{message}" for message, rows in list(by_message.items())[:_NAMED]]
    others = sum(len(rows) for rows in list(by_message.values())[_NAMED:])
    more = [f"and {others} more example{'s' * (others > 1)}"] if others else []
    return AnomalyError("\n".join([*several, *more]), found)


def _examples(rows: list[int], n: int) -> str:
    if len(rows) == n:
        return "" if n == 1 else "every example: "
    if len(rows) == 1:
        return f"example {rows[0]}: "
    named = [str(i) for i in rows[:_NAMED]]
    if len(rows) > _NAMED:
        return f"examples {', '.join(named)} and {len(rows) - _NAMED} more: "
    return f"examples {', '.join(named[:-1])} and {named[-1]}: "
