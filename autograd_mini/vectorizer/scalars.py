"""The traced scalar graph as lists of numbers: what the later stages read instead of nodes.

Only what the outputs need is kept; what depends on bare numbers alone is folded into one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from operator import attrgetter
from typing import Any

import numpy as np

from autograd_mini.engine import node as node_kinds
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.own import OwnOperation
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.tracing import BATCH_MEAN, DECISIONS, PREFIX, Lookup, Table, Trace
from autograd_mini.engine.value import Value
from autograd_mini.errors import TraceError

CONSTANT, INPUT, PARAMETER, COMPUTED = range(4)
_data = attrgetter("_data")
_LEFT_OUT = (node_kinds.FROZEN, node_kinds.CONSTANT)


@dataclass(eq=False)
class Scalars:
    """A graph, each node a number: parents come before their successors.

    Attributes
    ----------
    kind : list of int
        CONSTANT, INPUT, PARAMETER (any leaf that was there before, or is read anew at each run) or COMPUTED.
    primitive : list of Primitive or None
        The operation of a computed node.
    parents : list of tuple of int
        What a computed node is computed from.
    number : list of float
        The data of the traced example; what a constant is.
    varies : list of bool
        Whether it is another number for each example of a batch.
    place : dict of int to (int, int)
        Of an input: which argument, and which number in it.
    choices : dict of int to int
        Of an input that has to be one of 0, 1, …, count - 1: the count.
    indices : dict of int to int
        The same, of nodes by which one of so many items is picked.
    leaves : dict of Value to int
        All leaves that were there before, numbered: the items of tables first, which are no nodes by themselves.
    leaf : dict of int to int
        The numbers of those that are nodes of the graph.
    tables : Tables
        What is picked from as a whole.
    node : list of Value
        The nodes, for their labels and scopes.
    outputs : list of int
        The results.
    effects : list of list of int
        Further results, which modules asked for.
    """

    kind: list[int] = field(default_factory=list)
    primitive: list[Primitive | None] = field(default_factory=list)
    parents: list[tuple[int, ...]] = field(default_factory=list)
    number: list[float] = field(default_factory=list)
    varies: list[bool] = field(default_factory=list)
    place: dict[int, tuple[int, int]] = field(default_factory=dict)
    node: list[Value] = field(default_factory=list)
    choices: dict[int, int] = field(default_factory=dict)
    indices: dict[int, int] = field(default_factory=dict)
    leaves: dict[Value, int] = field(default_factory=dict)
    leaf: dict[int, int] = field(default_factory=dict)
    tables: Tables = field(default_factory=lambda: Tables(()))
    outputs: list[int] = field(default_factory=list)
    effects: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.kind)

    def add_fixed(self, node: Value) -> int:
        """Append a node of no operation of its own, that doesn't vary, and return its index; it is called as `node`."""
        self.kind.append(COMPUTED)
        self.primitive.append(None)
        self.parents.append(())
        self.number.append(0.0)
        self.varies.append(False)
        self.node.append(node)
        return len(self.kind) - 1

    def labels(self, i: int) -> tuple[str, str]:
        """Return the scope, without the mark of the trace, and the label of a node."""
        node = self.node[i]
        return node.scope.removeprefix(PREFIX).strip("."), node.label

    def computed_indices(self) -> list[int]:
        """Return the nodes that pick items and are no inputs, which are looked at before a run."""
        return [i for i in self.indices if i not in self.place]

    def parameters(self) -> list[int]:
        """Return the leaves that were there before, but those that are items of tables."""
        return [i for i, number in self.leaf.items() if number >= self.tables.n_leaves]


class Tables:
    """What is picked from as a whole: thousands of rows, whose items are handled together and not one by one.

    Parameters
    ----------
    tables : iterable of Table
        The tables.

    Attributes
    ----------
    leaves : dict of Value to int
        Their items that are nodes, each once, numbered.
    n_leaves : int
        How many they are.
    numbers : numpy.ndarray
        The items of tables of bare numbers.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        every = list(dict.fromkeys(tables))
        self._of_nodes = [table for table in every if isinstance(table.items, list)]
        of_numbers = [table for table in every if table not in self._of_nodes]
        items = list(chain.from_iterable(table.items for table in self._of_nodes))
        self.leaves = dict(zip(items, range(len(items)), strict=True))
        self.n_leaves = len(self.leaves)
        self._are_distinct = self.n_leaves == len(items)
        if not self._are_distinct:
            self.leaves = dict(zip(self.leaves, range(self.n_leaves), strict=True))
        self.numbers = np.concatenate([np.empty(0), *[table.items for table in of_numbers]])
        self._starts: dict[Table, int] = {}
        for tables_of_a_kind in (self._of_nodes, of_numbers):
            sizes = [len(table.items) for table in tables_of_a_kind]
            self._starts.update(zip(tables_of_a_kind, accumulate(sizes, initial=0), strict=False))

    def places(self, table: Table, n_leaves: int) -> Any:
        """Return where a table's items are in the flat vector, in which the bare numbers follow `n_leaves` leaves."""
        size, of_nodes = len(table.items), table in self._of_nodes
        if of_nodes and not self._are_distinct:
            return np.fromiter(map(self.leaves.__getitem__, table.items), np.intp, size)
        return np.arange(size) + self._starts[table] + (0 if of_nodes else n_leaves)

    def learning(self, asked: Any) -> set[Table]:
        """Return those with an item that is one of the leaves asked for."""
        return {table for table in self._of_nodes if asked[self.places(table, 0)].any()}


def scanned(trace: Trace, inputs: list[list[Value]], outputs: Sequence[Value]) -> Scalars:
    """Return the graph that leads to the outputs and to the effects of a trace.

    Parameters
    ----------
    trace : Trace
        The record of the trace.
    inputs : list of list of Value
        The leaves of each argument, the random masks being the last argument.
    outputs : sequence of Value
        The results.
    """
    places = {leaf: (a, k) for a, argument in enumerate(inputs) for k, leaf in enumerate(argument)}
    wanted = [node for nodes, _ in trace.effects for node in nodes]
    order = topological_order(*outputs, *wanted)
    n, live, index = len(order), trace.live, dict(zip(order, range(len(order)), strict=True))
    scalars = Scalars([PARAMETER] * n, [None] * n, [()] * n, [*map(_data, order)], [False] * n, node=order)
    kind, varies = scalars.kind, scalars.varies
    looked_up = [v.primitive.table for v in order if isinstance(v.primitive, Lookup)] if trace.tables else []
    tables = scalars.tables = Tables(looked_up)
    leaves = scalars.leaves = tables.leaves
    for i, node in enumerate(order):
        primitive = node.primitive
        if primitive is not None:
            parents = tuple([index[parent] for parent in node.parents])
            if isinstance(primitive, OwnOperation):
                raise TraceError(primitive.refusal())
            if isinstance(primitive, Lookup) or any(kind[p] != CONSTANT for p in parents):
                kind[i], scalars.primitive[i], scalars.parents[i] = COMPUTED, primitive, parents
            else:
                kind[i] = CONSTANT
            varies[i] = primitive is not BATCH_MEAN and any(varies[p] for p in parents)
        elif node in places:
            scalars.place[i] = places[node]
            kind[i], varies[i] = INPUT, True
        elif node.scope[:1] == PREFIX and node not in live:
            kind[i] = CONSTANT
        else:
            scalars.leaf[i] = leaves.setdefault(node, len(leaves))
    scalars.choices = {index[node]: count for node, count in trace.choices if node in places and node in index}
    scalars.indices = {index[node]: count for node, count in trace.indices if node in index}
    scalars.outputs = [index[node] for node in outputs]
    scalars.effects = [[index[node] for node in nodes] for nodes, _ in trace.effects]
    return scalars


def learning(leaves: Collection[Value]) -> Any:
    """Return of which leaves gradients are asked for: those that were there before, and aren't frozen."""
    new = {scope for scope in set(map(attrgetter("scope"), leaves)) if scope[:1] == PREFIX}  # made during the trace
    if not new and set(map(attrgetter("_local"), leaves)).isdisjoint(_LEFT_OUT):
        return np.ones(len(leaves), bool)
    return np.array([leaf._local not in _LEFT_OUT and leaf.scope not in new for leaf in leaves], bool)


def needed(scalars: Scalars, targets: Sequence[int], tables: Collection[Table] = ()) -> bytearray:
    """Return for every node whether a target's gradient goes through it, or that of an item of some tables."""
    flags = bytearray(len(scalars))
    for i in targets:
        flags[i] = 1
    for i, parents in enumerate(scalars.parents):
        if not parents or scalars.primitive[i] in DECISIONS:
            continue
        if any(flags[p] for p in parents) or (tables and getattr(scalars.primitive[i], "table", None) in tables):
            flags[i] = 1
    return flags
