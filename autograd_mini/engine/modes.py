"""What surrounds the making of nodes: recording or not, looking for anomalies, the scope they belong to.

The modes belong to a context in the sense of `contextvars`: each thread and each asyncio task has its own. A node looks
at them only while `open_contexts` is not 0, so that they cost nothing when none is in use.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autograd_mini.elsewhere import unexpected
from autograd_mini.engine.freshness import Age, age
from autograd_mini.engine.graph import recorded_gradients, topological_order, wanted_gradients
from autograd_mini.engine.node import CONSTANT, FEATURE, FROZEN, LOST, PARAMETER, PROBE, UNRECORDED, Node
from autograd_mini.errors import AnomalyError

F = TypeVar("F", bound=Callable[..., Any])


class Modes:
    """The modes at one point of a program; entering a context puts changed ones on top of those around it."""

    __slots__ = ("change", "detecting", "frame", "has_generators", "outer", "owner", "recording", "scope", "tracer")

    def __init__(self, outer: Modes | None = None, change: tuple[str, Any] = ("", None), owner: Any = None) -> None:
        self.outer, self.change, self.owner = outer, change, owner
        self.frame: Any = None  # of the generator that entered the context, if it was one
        self.recording, self.detecting, self.scope, self.tracer = True, False, "", None
        self.has_generators = False
        if outer is not None:
            self.recording, self.detecting, self.scope = outer.recording, outer.detecting, outer.scope
            self.tracer, self.has_generators = outer.tracer, outer.has_generators
        mode, value = change
        if mode == "tracer":  # a trace marks its nodes by the scope that they begin with
            self.tracer, self.scope = value, value.prefix
        elif mode == "scope" and self.scope and value:
            self.scope = f"{self.scope}.{value}"
        elif mode and (mode != "scope" or value):
            setattr(self, mode, value)


_outermost = Modes()
_modes: ContextVar[Modes] = ContextVar("autograd_mini.modes", default=_outermost)
open_contexts = 0
_lock = threading.Lock()
# Held while gradients are added up: graphs in several threads may share leaves, to whose gradients each pass adds.
backward_pass = threading.RLock()
# Who runs a generator as a context of its own, which holds while the generator waits.
_HOLDERS = ("contextlib.py", "fixtures.py")
_IS_GENERATOR = 0x20 | 0x200  # flags of a code object: a generator, an asynchronous one


def current() -> Modes:
    """Return the modes here, but for those that a generator entered which now waits for its next turn."""
    modes = _modes.get()
    if not modes.has_generators:
        return modes
    return _rebuilt(modes, lambda entry: entry.frame is None or _is_running(entry.frame))


def enter(owner: Any, mode: str, value: Any, depth: int = 2) -> None:
    """Change a mode until `leave` is called for the same owner; it is entered by the frame `depth` calls above."""
    modes = Modes(_modes.get(), (mode, value), owner)
    frame = sys._getframe(depth)
    if frame.f_code.co_flags & _IS_GENERATOR and not _is_held(frame):
        modes.frame, modes.has_generators = frame, True
    _modes.set(modes)
    _count(+1)


def _is_held(frame: Any) -> bool:
    """Return whether a generator is run as a context of its own, as by `contextlib.contextmanager`."""
    return frame.f_back is not None and frame.f_back.f_code.co_filename.endswith(_HOLDERS)


def leave(owner: Any) -> None:
    """Undo the latest change that an owner made here; those made after it stay."""
    modes = _modes.get()
    entry: Modes | None = modes
    while entry is not None and entry.owner is not owner:
        entry = entry.outer
    if entry is not None:
        left = entry
        _modes.set(modes.outer if left is modes else _rebuilt(modes, lambda one: one is not left))  # type: ignore[arg-type]
        _count(-1)


def _rebuilt(modes: Modes, stays: Callable[[Modes], bool]) -> Modes:
    """Return the modes without the changes that don't stay."""
    changes = []
    while modes.outer is not None:
        if stays(modes):
            changes.append(modes)
        modes = modes.outer
    for one in reversed(changes):
        modes = Modes(modes, one.change, one.owner)
        modes.frame = one.frame
        modes.has_generators |= one.frame is not None
    return modes


def _is_running(frame: Any) -> bool:
    """Return whether a frame is among those that led here."""
    here: Any = sys._getframe(1)
    while here is not None and here is not frame:
        here = here.f_back
    return here is not None


def _count(change: int) -> None:
    """Tell all nodes that a context was entered (+1) or left (-1)."""
    global open_contexts
    with _lock:
        open_contexts += change


def follow(node: Node) -> None:
    """Do to a node that was just made what the contexts around it ask for."""
    modes = current()
    node.scope = modes.scope
    if modes.tracer is not None:
        modes.tracer.follow(node)
    if modes.detecting:
        check_node(node)
    if not modes.recording:
        is_of_model = any(u._local in _OF_MODEL for u in node.parents if u.primitive is None)
        node.primitive = node._parent = node._parent2 = node._local2 = None
        node._local = LOST if is_of_model else UNRECORDED


_OF_MODEL = (PARAMETER, FROZEN, LOST)
# Leaves for whose gradients alone nobody goes back.
_UNWANTED = (LOST, CONSTANT, FEATURE, PROBE, FROZEN)


def backward_order(root: Any, odd: dict[str, Any]) -> list[Any]:
    """Return the topological order of a graph to go back through, and refuse a root that has lost its graph.

    A result of `no_grad` may be the leaf at which a computation begins, as in ``x = x - lr * x.grad``. That of a model
    isn't meant so where nothing else in the graph could get a gradient.

    Raises
    ------
    TypeError
        If there are other keywords than ``backward`` takes.
    RuntimeError
        If it was computed inside of `no_grad`, or from nothing but a model's outputs that were: there is nothing to go
        back to, and gradients would stay as they are without a word.
    """
    if odd:
        raise unexpected("backward", odd)
    if root.primitive is None and root._local in (UNRECORDED, LOST):
        raise RuntimeError(
            "no gradient goes back from here: this was computed inside of no_grad(), which builds no graph; compute it "
            "outside, or inside of `with autograd_mini.enable_grad():`"
        )
    order = topological_order(root)
    if order[0]._local not in _UNWANTED:  # the first is a leaf, and mostly a parameter
        return order
    kinds = {v._local for v in order if v.primitive is None}
    if LOST in kinds and kinds.issubset(_UNWANTED):
        raise RuntimeError(
            "no gradient goes back to the parameters: this was computed from what a model gave inside of no_grad(), or "
            "from its detach(), which both build no graph; call the model outside, or inside of "
            "`with autograd_mini.enable_grad():`. To take the gradient by its output, begin with Value(output.data)"
        )
    return order


class _Switch:
    """A mode set to a value inside a context or a decorated function; it may be used again, also inside itself."""

    _mode: str
    _value: bool

    def __new__(cls, function: Any = None) -> Any:  # @no_grad as well as @no_grad()
        switch = super().__new__(cls)
        if function is not None and not callable(function):
            raise TypeError(f"{cls.__name__} takes nothing, or the function that it decorates, got {function!r:.60}")
        return switch if function is None else switch(function)

    if TYPE_CHECKING:  # to a type checker each is a switch, also where `@no_grad` stands without brackets

        def __init__(self, function: Any = None) -> None: ...

    def __enter__(self) -> None:
        enter(self, self._mode, self._value)

    def __exit__(self, *exception: object) -> None:
        leave(self)

    @overload
    def __call__(self, function: F) -> F: ...
    @overload
    def __call__(self, *arguments: Any, **keywords: Any) -> Any: ...
    def __call__(self, function: Any) -> Any:
        """Decorate a function; of a generator function each step is run with the mode."""
        if function.__code__.co_flags & 0x20 if hasattr(function, "__code__") else False:

            @wraps(function)
            def steps(*arguments: Any, **keywords: Any) -> Any:
                generator, send, value = function(*arguments, **keywords), None, None
                while True:
                    with self:
                        try:
                            value = generator.send(send)
                        except StopIteration as end:
                            return end.value
                    send = yield value

            return steps

        @wraps(function)
        def inside(*arguments: Any, **keywords: Any) -> Any:
            with self:
                return function(*arguments, **keywords)

        return inside


class no_grad(_Switch):
    """Compute values without building a graph, as a context or as a decorator.

    What is computed inside are leaves: no gradient goes back through them, and ``backward()`` on one is a RuntimeError,
    as it would do nothing. It holds for this thread, and ends with the block, also by an exception.

    Examples
    --------
    >>> from autograd_mini import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (9.0, ())
    """

    _mode, _value = "recording", False


class enable_grad(_Switch):
    """Build graphs again inside of `no_grad`, as a context or as a decorator.

    Examples
    --------
    >>> from autograd_mini import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> y.local_grads
    (3.0, 3.0)
    """

    _mode, _value = "recording", True


class detect_anomaly(_Switch):
    """Raise at the first node whose value or gradient is infinite or nan, as a context or as a decorator.

    A backward pass through a graph whose leaves have changed since it was computed raises, too.

    Raises
    ------
    AnomalyError
        Inside the context, naming the node, its operation and its operands. No gradient has been changed then.

    Programs of `vectorize` and trainings are looked at, too: before each run all examples are computed node by node,
    which is as slow as without a program, and the error names the examples. It holds for programs that were traced
    outside of the context as well.

    Examples
    --------
    >>> from autograd_mini import Value, detect_anomaly, log
    >>> with detect_anomaly():
    ...     log(Value(0.0, label="p"))
    Traceback (most recent call last):
        ...
    autograd_mini.errors.AnomalyError: log gave -inf, from p = 0.0; ...
    """

    _mode, _value = "detecting", True


class ignoring_anomalies(_Switch):
    """Look for no anomalies inside of `detect_anomaly`."""

    _mode, _value = "detecting", False


class scope:
    """Tag the nodes made inside with a name; nested scopes are joined by dots.

    Parameters
    ----------
    name : str
        The name, e.g. ``"encoder"``; an empty one changes nothing.

    Examples
    --------
    >>> from autograd_mini import Value, scope
    >>> with scope("layers.0"), scope("neurons.2"):
    ...     z = Value(2.0) * 3
    >>> z.scope
    'layers.0.neurons.2'
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        enter(self, "scope", self.name)

    def __exit__(self, *exception: object) -> None:
        leave(self)


# ------------------------------------------------------------------------------------ what `detect_anomaly` looks for


def check_node(node: Node) -> None:
    """Raise if a node that was just computed is infinite or nan."""
    if not math.isfinite(node._data):
        if node.primitive is None:
            raise AnomalyError(f"{_operation(node)} is {node._data}; look for where its number comes from")
        raise AnomalyError(
            f"{_operation(node)} gave {node._data}, from {_operands(node)}; "
            f"check the operands, or use a form that stays finite (log1p, logsumexp, a loss on logits)"
        )


def older_than_leaves(order: list[Any], found: Age) -> str:
    """Return what to say of a graph that is older than the data of its leaves.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(2.0, label="x")
    >>> y = x * x
    >>> x.data = 5.0
    >>> older_than_leaves([x, y], age([x, y]))[:76]
    'the graph is older than its leaves: mul has 4.0, and from x = 5.0, x = 5.0 i'
    """
    v = next(v for v in order if v in found.results or any(node is v for node, _ in found.local_grads))
    what = f"{_operation(v)} has {v._data}, and from {_operands(v)} it would be another number"
    if v not in found.results:
        what = f"the local derivatives of {_operation(v)} = {v._data} aren't those at {_operands(v)}"
    return (
        f"the graph is older than its leaves: {what}, so {found.what_changed(_name)} changed since; "
        f"call forward() on the root to bring the graph up to date"
    )


def check_gradients(order: list[Any], seed: float) -> None:
    """Raise if a backward pass over this topological order would give an infinite or nan gradient.

    It is computed beside the nodes: no node's ``.grad`` is changed. What lies behind a local derivative that isn't
    known, as only a ``_backward`` of one's own hands something on there, isn't looked at.
    """
    found_old = age(order)
    if found_old:  # the gradient would be that of other numbers than those that the leaves have
        raise AnomalyError(older_than_leaves(order, found_old))
    found = recorded_gradients(order, seed)
    wrong = {u for u in wanted_gradients(order) if not math.isfinite(found[u])}
    sums = dict.fromkeys(wrong, 0.0)
    for v in reversed(order) if wrong else ():  # the first contribution that made a sum infinite or nan is named
        for u, local_grad in zip(v.parents, v.local_grads, strict=True):
            if u in wrong:
                sums[u] += found[v] * local_grad
                if math.isnan(local_grad) and not v.primitive.has_derivatives:
                    return
                if not math.isfinite(sums[u]):
                    raise AnomalyError(
                        f"the gradient of {_name(u)} became {sums[u]} at {_operation(v)} of {_operands(v)}: "
                        f"upstream gradient {found[v]}, local derivative {local_grad}"
                    )


def _operation(node: Node) -> str:
    about = " ".join([f"the node {node.label!r}"] * bool(node.label) + [f"in {node.scope}"] * bool(node.scope))
    return f"{node.primitive.name if node.primitive else 'a leaf'}{f' ({about})' if about else ''}"


def _name(node: Node) -> str:
    return node.label or f"a node ({_operation(node)} = {node._data})"


def _operands(node: Node) -> str:
    operands: list[Any] = [f"{u.label} = {u._data}" if u.label else str(u._data) for u in node.parents[:6]]
    more = len(node.parents) - len(operands)
    return ", ".join(operands) + (f" and {more} more" if more else "")
