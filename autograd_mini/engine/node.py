"""`Node`: how a node of the graph stores its number, its parents and its local derivatives.

Two tuples, of the parents and of the local derivatives, would be simplest, and `parents` and `local_grads` return them.
But training makes millions of nodes, and Python's garbage collector looks at each tuple again and again. So a node
has four slots in their place:

=================  =====================  ============  ======================  ============
node               ``_parent``            ``_parent2``  ``_local``              ``_local2``
=================  =====================  ============  ======================  ============
a leaf             None                   None          its kind                None
of one operand u   u                      None          ∂v/∂u                   not used
of two, u and w    u                      w             ∂v/∂u                   ∂v/∂w
of any number      tuple of the parents   None          tuple of derivatives    None
of one's own       tuple of the parents   None          its `own.Handing`       None
=================  =====================  ============  ======================  ============
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.reals import as_float

# The kinds of leaves. None is the kind of a Value that a user made.
PARAMETER, FROZEN = "parameter", "frozen parameter"
CONSTANT = "constant"  # a bare number in an expression, as the 2 in 2 * x
FEATURE = "feature"  # a bare number that a module was called with: no gradient by it is needed
PROBE = "probe"  # a number that a loss was called with, in the place of a bare one, to take a derivative by it
UNRECORDED = "unrecorded"  # the result of an operation inside of `no_grad`: what it was computed from isn't known
LOST = "lost"  # the same of one that parameters led to: a model's output, from which no gradient comes back to them
_KINDS = {FROZEN: PARAMETER, **dict.fromkeys((FEATURE, PROBE, UNRECORDED, LOST, None), "input")}  # for `Node.kind`
new: Any = object.__new__  # looked up once, as nodes are made by the million
any_frozen = False  # whether a parameter was ever frozen: until then no backward pass looks for one
written: Any = None  # another object after each assignment to the data of a node: programs read leaves again then

# While a function is traced, this is told what the function looks at: a node, and how; None while none is traced.
look: Callable[..., Any] | None = None


class Node:
    """What `Value` stores, and nothing of what it does."""

    __slots__ = (
        "__dict__",
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
    grad: float | Any  # a Value after backward(create_graph=True)
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
        return self._data if look is None else look(self, lambda: self._data)

    @data.setter
    def data(self, number: Any) -> None:
        global written
        self._data = number if type(number) is float else as_float(number)
        written = object()

    @property
    def kind(self) -> str:
        """What the node is: "value" if it was computed; a leaf is a "parameter", a "constant" or an "input"."""
        return "value" if self.primitive is not None else _KINDS.get(self._local, self._local)

    @property
    def is_frozen(self) -> bool:
        """Whether it is a parameter that training leaves alone; its gradient stays 0."""
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
        """The local derivative of the node's operation by each parent, all others held fixed."""
        return self._local_grads() if look is None else look(self, self._local_grads)

    def _local_grads(self) -> tuple[float, ...]:
        if self._parent is None:
            return ()
        if type(self._parent) is tuple:
            local = self._local
            return local if type(local) is tuple else local.local_grads(self)
        return (self._local,) if self._parent2 is None else (self._local, self._local2)

    def _freeze(self) -> None:
        """Mark a parameter as frozen."""
        global any_frozen
        self._local, any_frozen = FROZEN, True

    def _connect(self, parents: tuple[Any, ...]) -> None:
        """Put the parents into the slots."""
        if self.primitive is not None and self.primitive.arity not in (1, 2):
            self._parent, self._parent2 = parents, None
        else:
            self._parent, self._parent2 = (*parents, None, None)[:2]
