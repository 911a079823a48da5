"""`Node`, how a node of the graph keeps its number, its parents and its local derivatives.

One parent and its local derivative lie in each of two pairs of slots; a node of more operands keeps tuples in the first
pair. Two tuples for every node would be simpler, but the garbage collector walks every one of them, and training makes
millions of nodes: with slots a step is several times faster. A leaf has no local derivative and keeps its kind there.
"""

from __future__ import annotations

from typing import Any

from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.reals import as_float

# What a leaf may be, beside a plain one, whose gradient its maker may want.
PARAMETER, FROZEN = "parameter", "frozen parameter"
CONSTANT = "constant"  # a bare number in an expression
FEATURE, PROBE = "feature", "probe"  # a number handed to a module; one by which derivatives are asked for
_KINDS = {FROZEN: PARAMETER, FEATURE: "input", PROBE: "input", None: "input"}


class Node:
    """What `Value` stores, and nothing of what it does."""

    __slots__ = (
        "__weakref__",
        "_data",
        "_local",
        "_local2",
        "_parent",
        "_parent2",
        "grad",
        "label",
        "primitive",
        "scope",
    )

    _data: float
    grad: Any
    label: str
    scope: str
    primitive: Primitive | None
    _parent: Any
    _parent2: Any
    _local: Any
    _local2: Any

    @property
    def data(self) -> float:
        """The number."""
        return self._data

    @data.setter
    def data(self, number: Any) -> None:
        self._data = as_float(number)

    @property
    def kind(self) -> str:
        """What the node is: "value" where it was computed; of a leaf "parameter", "constant" or "input"."""
        return "value" if self.primitive is not None else _KINDS.get(self._local, self._local)

    @property
    def is_frozen(self) -> bool:
        """Whether it is a parameter that training leaves alone: it holds no gradient."""
        return self.primitive is None and self._local == FROZEN

    @property
    def parents(self) -> tuple[Any, ...]:
        """What the node was computed from, in the order written."""
        first = self._parent
        if first is None:
            return ()
        if type(first) is tuple:
            return first
        return (first,) if self._parent2 is None else (first, self._parent2)

    @property
    def local_grads(self) -> tuple[float, ...]:
        """The local derivative ∂self/∂parent for each parent."""
        if self._parent is None:
            return ()
        if type(self._parent) is tuple:
            return self._local  # type: ignore[no-any-return]
        return (self._local,) if self._parent2 is None else (self._local, self._local2)

    def _connect(self, parents: tuple[Any, ...]) -> None:
        """Put the parents into the slots."""
        if self.primitive is not None and self.primitive.arity not in (1, 2):
            self._parent, self._parent2 = parents, None
        else:
            self._parent, self._parent2 = (*parents, None, None)[:2]
