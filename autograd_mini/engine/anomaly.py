"""What `detect_anomaly` looks for: the first value or gradient that is infinite or nan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_mini.errors import AnomalyError

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value


def check_node(node: Value) -> None:
    """Raise if a node that was just computed is infinite or nan."""
    if not math.isfinite(node._data):
        name = _operation(node)
        raise AnomalyError(
            f"{name} gave {node._data}, from {_operands(node)}; "
            f"check the operands, or use a form that stays finite (log1p, logsumexp, a loss on logits)"
        )


def wanted_gradients(order: list[Value]) -> set[Value]:
    """Return the nodes that were computed from a leaf other than a constant, and those leaves.

    The gradients of the others nobody asks for: ``x**2`` has none by its exponent where x is negative.
    """
    wanted: set[Value] = set()
    for node in order:
        parents = node.parents
        if any(u in wanted for u in parents) or (not parents and type(node).__name__ != "Constant"):
            wanted.add(node)
    return wanted


def check_gradients(order: list[Value], seed: float) -> None:
    """Raise if a backward pass over this topological order would meet an infinite or nan gradient.

    It is a rehearsal: no gradient of a node is changed.
    """
    wanted = wanted_gradients(order)
    gradient = dict.fromkeys(order, 0.0)
    gradient[order[-1]] = seed
    for v in reversed(order):
        for u, local_grad in zip(v.parents, v.local_grads, strict=True):
            gradient[u] += gradient[v] * local_grad
            if u in wanted:
                check_gradient(u, gradient[u], v, gradient[v], local_grad)


def check_gradient(u: Value, gradient: float, v: Value, upstream: float, local_grad: float) -> None:
    """Raise if the gradient of u is infinite or nan, now that the contribution of the edge u → v is in it."""
    if not math.isfinite(gradient):
        raise AnomalyError(
            f"the gradient of {_name(u)} became {gradient} at {_operation(v)} of {_operands(v)}: "
            f"upstream gradient {upstream}, local derivative {local_grad}"
        )


def _operation(node: Value) -> str:
    label = f" (the node {node.label!r})" if node.label else f" (in {node.scope})" if node.scope else ""
    return f"{node.primitive.name if node.primitive else 'a leaf'}{label}"


def _name(node: Value) -> str:
    return node.label or f"a node ({_operation(node)} = {node._data})"


def _operands(node: Value) -> str:
    operands: list[Any] = [f"{u.label} = {u._data}" if u.label else str(u._data) for u in node.parents[:6]]
    more = len(node.parents) - len(operands)
    return ", ".join(operands) + (f" and {more} more" if more else "")
