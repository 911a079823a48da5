"""Whether a graph is still what its leaves give, or older: their data may have changed since it was computed.

Nothing is recorded for this. Each node is computed again from the data that its parents have now. Where that gives
another number than the one it has, the node is old; which of its parents changed is then found from what else is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from autograd_mini.engine import floats
from autograd_mini.engine import node as node_marks
from autograd_mini.engine.node import CONSTANT, Node
from autograd_mini.engine.primitives import DOT, MUL

_MOST_NAMES = 4
# What a rule of one's own may raise at numbers that the result wasn't computed from.
_RULE_ERRORS = (ArithmeticError, ValueError)


def assign(leaves: Sequence[Node], numbers: Iterable[float]) -> None:
    """Give many leaves new data, as each by itself gets it by ``leaf.data = number``, in less time."""
    for leaf, number in zip(leaves, numbers, strict=True):
        leaf._data = number
    node_marks.written = object()  # when all is written: who reads in between reads again


class Age(NamedTuple):
    """What in a graph is older than the data beside it; it is false where nothing is.

    Attributes
    ----------
    results : set of Value
        The nodes whose number isn't what their parents' present data give.
    local_grads : set of (Value, int)
        The local derivatives, by node and slot, that aren't those at the parents' present data.
    changed : list of tuple of Value
        What has probably changed since; of the nodes in one tuple it may be any. A node that was computed is among them
        if its own number was set.
    """

    results: set[Any]
    local_grads: set[tuple[Any, int]]
    changed: list[tuple[Any, ...]]

    def __bool__(self) -> bool:
        return bool(self.results or self.local_grads)

    def is_old(self, v: Node, slot: int) -> bool:
        """Return whether what holds at present may not hold for a recorded local derivative."""
        return v in self.results or (v, slot) in self.local_grads

    def what_changed(self, name: Callable[[Any], str]) -> str:
        """Return the subject of a sentence, "w and b have" or "a or b has", with the names that `name` gives."""
        names = [" or ".join(map(name, group)) for group in self.changed]
        more = len(names) - _MOST_NAMES
        if more > 1:
            names[_MOST_NAMES:] = [f"{more} more"]
        first = ", ".join(names[:-1])
        return f"{first} and {names[-1]} have" if first else f"{names[-1]} has"


def age(order: Sequence[Any]) -> Age:
    """Return what is old in a graph, given by its topological order; or of single nodes, compared with their parents.

    An operation that is known by its ``_backward`` alone can't be computed again; it is old where others tell that an
    operand of it has changed.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
    >>> y = w * x
    >>> bool(age([w, x, y]))
    False
    >>> w.data = 1.0
    >>> found = age([w, x, y])
    >>> found.results == {y}, found.local_grads == {(y, 1)}, found.changed == [(w,)]
    (True, True, True)
    """
    results: set[Any] = set()
    local_grads: set[tuple[Any, int]] = set()
    old: dict[Any, list[int]] = {}
    for v in order:
        if v.primitive is not None and v.primitive.has_forward:
            is_other, slots = _differences(v)
            if is_other:
                results.add(v)
            if is_other or slots:
                local_grads.update((v, slot) for slot in slots)
                old[v] = slots
    changed = _changed(order, results, old) if old else []
    alone = {group[0] for group in changed if len(group) == 1}
    for v in order if alone else ():
        if v.primitive is not None and not v.primitive.has_forward and not alone.isdisjoint(v.parents):
            results.add(v)
    return Age(results, local_grads, changed)


def _differences(v: Any) -> tuple[bool, list[int]]:
    """Return whether the result differs from what the parents give now, and the slots whose derivative does."""
    operands = [u._data for u in v.parents]
    recorded = _local_grads(v)
    try:
        now = _result(v, operands)
        local_grads = v.primitive.derivatives(floats, now, *operands) if recorded else ()
    except _RULE_ERRORS:
        return True, [*range(len(recorded))]
    is_other = not _same(now, v._data) or (now == 0.0 and math.copysign(1.0, now) != math.copysign(1.0, v._data))
    if local_grads == recorded:
        return is_other, []
    return is_other, [k for k, (a, b) in enumerate(zip(local_grads, recorded, strict=True)) if not _same(a, b)]


def _result(v: Any, operands: list[float]) -> float:
    return float(v.primitive.forward(floats, *operands))


def _local_grads(v: Any) -> tuple[float, ...]:
    """Return the recorded local derivatives; none of an operation with a ``_backward`` of its own, which isn't run."""
    return () if v.primitive is None or not v.primitive.has_derivatives else v._local_grads()


def _same(a: float, b: float) -> bool:
    """Return whether two floats are the same number; nan is the same as nan."""
    return a == b or (a != a and b != b)


# ------------------------------------------------------------------------------------------------- what has changed


def _changed(order: Sequence[Any], results: set[Any], old: dict[Any, list[int]]) -> list[tuple[Any, ...]]:
    """Return what has probably changed, from what the old nodes and the others say of their parents.

    `old` has the slots whose local derivatives are old: where there are none, it may be the result that was set.
    """
    before: dict[Any, float] = {}  # the numbers that changed nodes had, as far as they are known
    unchanged: set[Any] = set()
    for v in order:
        for u, number in _remembered(v):
            if _same(u._data, number):
                unchanged.add(u)
            else:
                before[u] = number
        if v not in old:
            unchanged.update(_noticed(v))
    changed = dict.fromkeys(before)  # a set that keeps its order
    explained = {v for v in old if not before.keys().isdisjoint(v.parents) and _gives(v, before)}
    known = {*unchanged, *before, *explained}
    groups = []
    for v in reversed(old):  # the last first: where a result was set, not its operands, its successors tell
        if v in explained or v in changed or any(u in changed and u not in before for u in v.parents):
            continue
        asked = [u for u in dict.fromkeys(v.parents) if u not in known and u.kind != CONSTANT]
        suspects = [u for u in asked if u.primitive is None or u in results] or (asked if old[v] else []) or [v]
        if len(suspects) == 1:
            changed[suspects[0]] = None
        else:
            groups.append(tuple(suspects))
    found = [(u,) for u in changed] + [group for group in groups if changed.keys().isdisjoint(group)]
    position = {u: k for k, u in enumerate(order)}
    return sorted(dict.fromkeys(found), key=lambda group: position.get(group[0], 0))


def _gives(v: Any, before: dict[Any, float]) -> bool:
    """Return whether the numbers that its parents had explain the number of a node."""
    try:
        return _same(_result(v, [before.get(u, u._data) for u in v.parents]), v._data)
    except _RULE_ERRORS:
        return False


def _remembered(v: Any) -> list[tuple[Any, float]]:
    """Return what a product remembers of its operands, as the local derivative by one of them is the other."""
    if v.primitive is not MUL and v.primitive is not DOT:
        return []
    others = v.primitive.derivatives(None, None, *v.parents)
    return [(u, before) for u, before in zip(others, v._local_grads(), strict=True) if isinstance(u, Node)]


def _noticed(v: Any) -> list[Any]:
    """Return the parents whose change a node would show: it is as large as rounding lets it see, and doesn't cancel."""
    by: dict[Any, float] = {}
    for u, local_grad in zip(v.parents, _local_grads(v), strict=False):
        by[u] = by.get(u, 0.0) + local_grad
    at = v._data
    return [u for u, local_grad in by.items() if abs(at + local_grad * (u._data or 1.0) - at) > 0.0]  # not so of nan
