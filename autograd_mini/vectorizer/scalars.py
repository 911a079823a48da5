"""The traced scalar graph as lists of numbers: what the later stages read instead of nodes.

Only what the outputs need is kept; what depends on bare numbers alone is folded into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter

from autograd_mini.engine import node as node_kinds
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.own import OwnOperation
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.tracing import BATCH_MEAN, DECISIONS, PREFIX, Lookup, Table, Trace
from autograd_mini.engine.value import Value
from autograd_mini.errors import TraceError

CONSTANT, INPUT, PARAMETER, COMPUTED = range(4)


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
    tables : dict of Table to list of int
        The items of the tables that are picked from as a whole.
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
    tables: dict[Table, list[int]] = field(default_factory=dict)
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
        """Return the leaves that were there before."""
        return [i for i, kind in enumerate(self.kind) if kind == PARAMETER]


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
    scalars = Scalars()
    index: dict[Value, int] = {}
    places = {leaf: (a, k) for a, argument in enumerate(inputs) for k, leaf in enumerate(argument)}
    wanted = [node for nodes, _ in trace.effects for node in nodes]
    kind, varies, live = scalars.kind, scalars.varies, trace.live
    order = topological_order(*outputs, *wanted)
    _put_tables(scalars, index, [node.primitive.table for node in order if isinstance(node.primitive, Lookup)])
    for node in order:
        if node in index:
            continue
        i = index[node] = len(kind)
        primitive, of_node, depends = node.primitive, PARAMETER, False
        parents: tuple[int, ...] = ()
        if primitive is not None:
            parents = tuple([index[parent] for parent in node.parents])
            if isinstance(primitive, OwnOperation):
                raise TraceError(primitive.refusal())
            is_bare = all(kind[p] == CONSTANT for p in parents) and not isinstance(primitive, Lookup)
            of_node = CONSTANT if is_bare else COMPUTED
            depends = primitive is not BATCH_MEAN and any(varies[p] for p in parents)
        elif node in places:
            scalars.place[i] = places[node]
            of_node, depends = INPUT, True
        elif node.scope[:1] == PREFIX and node not in live:
            of_node = CONSTANT
        kind.append(of_node)
        varies.append(depends)
        scalars.primitive.append(primitive if of_node == COMPUTED else None)
        scalars.parents.append(parents if of_node == COMPUTED else ())
        scalars.number.append(node._data)
        scalars.node.append(node)
    scalars.choices = {index[node]: count for node, count in trace.choices if node in places and node in index}
    scalars.indices = {index[node]: count for node, count in trace.indices if node in index}
    scalars.outputs = [index[node] for node in outputs]
    scalars.effects = [[index[node] for node in nodes] for nodes, _ in trace.effects]
    return scalars


def _put_tables(scalars: Scalars, index: dict[Value, int], tables: Sequence[Table]) -> None:
    """Put the items of tables into the graph: all at once, as they may be many, and before what is computed."""
    leaves = dict.fromkeys(chain.from_iterable(table.leaves for table in dict.fromkeys(tables)))
    index.update(zip(leaves, range(len(leaves)), strict=True))
    new = {scope for scope in set(map(attrgetter("scope"), leaves)) if scope[:1] == PREFIX}  # made during the trace
    kinds = [CONSTANT if leaf.scope in new else PARAMETER for leaf in leaves] if new else [PARAMETER] * len(leaves)
    scalars.kind += kinds
    scalars.primitive += [None] * len(leaves)
    scalars.parents += [()] * len(leaves)
    scalars.number += [leaf._data for leaf in leaves] if CONSTANT in kinds else [0.0] * len(leaves)
    scalars.varies += [False] * len(leaves)
    scalars.node += leaves
    scalars.tables = {table: [*map(index.__getitem__, table.leaves)] for table in dict.fromkeys(tables)}


def learning(scalars: Scalars) -> list[int]:
    """Return the leaves that gradients are asked for: those that were there before, and aren't frozen."""
    nodes, leaves = scalars.node, scalars.parameters()
    new = {scope for scope in set(map(attrgetter("scope"), nodes)) if scope[:1] == PREFIX}
    if new:
        leaves = [i for i in leaves if nodes[i].scope not in new]
    left_out = (node_kinds.FROZEN, node_kinds.CONSTANT)
    return [i for i in leaves if nodes[i]._local not in left_out]


def needed(scalars: Scalars, targets: Sequence[int]) -> bytearray:
    """Return for every node whether a target's gradient goes through it."""
    flags = bytearray(len(scalars))
    for i in targets:
        flags[i] = 1
    learning = {table for table, items in scalars.tables.items() if any(flags[k] for k in items)}
    for i, parents in enumerate(scalars.parents):
        if not parents or scalars.primitive[i] in DECISIONS:
            continue
        if any(flags[p] for p in parents) or getattr(scalars.primitive[i], "table", None) in learning:
            flags[i] = 1
    return flags
