"""Contexts around the making of nodes: `no_grad`, `enable_grad`, `detect_anomaly`, `scope`.

Each thread has its own modes. A new node looks at them only while `open_contexts` isn't 0, that is, while some thread
is inside of a context.
"""

from __future__ import annotations

import math
import threading
from contextlib import ContextDecorator
from typing import Any

from autograd_mini.engine.graph import recorded_gradients, wanted_gradients
from autograd_mini.engine.node import Node
from autograd_mini.errors import AnomalyError


class _Modes(threading.local):
    """The modes of one thread."""

    recording = True
    detecting = False
    scope = ""
    tracer: Any = None  # while a function is traced, it is called with every new node (see `tracing`)


current = _Modes()
open_contexts = 0
_lock = threading.Lock()


def count_context(change: int) -> None:
    """Count a context that was entered (+1) or left (-1)."""
    global open_contexts
    with _lock:
        open_contexts += change


def follow(node: Node) -> None:
    """Apply the modes to a node that was just made."""
    node.scope = current.scope
    if current.tracer is not None:
        current.tracer.follow(node)
    if current.detecting:
        check_node(node)
    if not current.recording:
        node.primitive = node._parent = node._parent2 = node._local = node._local2 = None


class _Switch(ContextDecorator):
    """A mode set to a value inside a context or a decorated function; it may be used again, also inside itself."""

    _mode: str
    _value: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def _recreate_cm(self) -> _Switch:
        return type(self)()  # a decorated function may run in several threads at once

    def __enter__(self) -> None:
        self._before.append(getattr(current, self._mode))
        count_context(+1)
        setattr(current, self._mode, self._value)

    def __exit__(self, *exception: object) -> None:
        setattr(current, self._mode, self._before.pop())
        count_context(-1)


class no_grad(_Switch):
    """Compute values without building a graph, as a context or as a decorator.

    What is computed inside are leaves: no gradient goes back through them. It holds for this thread, and ends with the
    block, also by an exception.

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

    Raises
    ------
    AnomalyError
        Inside the context, naming the node, its operation and its operands. No gradient has been changed then.

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

    __slots__ = ("_before", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._before: list[str] = []  # a list, because one scope may be entered inside itself

    def __enter__(self) -> None:
        before = current.scope
        self._before.append(before)
        if not before:  # a scope inside of a scope need not be counted again
            count_context(+1)
        if self.name:
            current.scope = f"{before}.{self.name}" if before else self.name

    def __exit__(self, *exception: object) -> None:
        current.scope = self._before.pop()
        if not current.scope:
            count_context(-1)


# ------------------------------------------------------------------------------------ what `detect_anomaly` looks for


def check_node(node: Node) -> None:
    """Raise if a node that was just computed is infinite or nan."""
    if not math.isfinite(node._data):
        raise AnomalyError(
            f"{_operation(node)} gave {node._data}, from {_operands(node)}; "
            f"check the operands, or use a form that stays finite (log1p, logsumexp, a loss on logits)"
        )


def check_gradients(order: list[Any], seed: float) -> None:
    """Raise if a backward pass over this topological order would give an infinite or nan gradient.

    It is computed beside the nodes: no node's ``.grad`` is changed.
    """
    found = recorded_gradients(order, seed)
    wrong = {u for u in wanted_gradients(order) if not math.isfinite(found[u])}
    sums = dict.fromkeys(wrong, 0.0)
    for v in reversed(order) if wrong else ():  # the first contribution that made a sum infinite or nan is named
        for u, local_grad in zip(v.parents, v.local_grads, strict=True):
            if u in wrong:
                sums[u] += found[v] * local_grad
                if not math.isfinite(sums[u]):
                    raise AnomalyError(
                        f"the gradient of {_name(u)} became {sums[u]} at {_operation(v)} of {_operands(v)}: "
                        f"upstream gradient {found[v]}, local derivative {local_grad}"
                    )


def _operation(node: Node) -> str:
    label = f" (the node {node.label!r})" if node.label else f" (in {node.scope})" if node.scope else ""
    return f"{node.primitive.name if node.primitive else 'a leaf'}{label}"


def _name(node: Node) -> str:
    return node.label or f"a node ({_operation(node)} = {node._data})"


def _operands(node: Node) -> str:
    operands: list[Any] = [f"{u.label} = {u._data}" if u.label else str(u._data) for u in node.parents[:6]]
    more = len(node.parents) - len(operands)
    return ", ".join(operands) + (f" and {more} more" if more else "")
