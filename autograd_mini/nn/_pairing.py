"""What all losses share: predictions paired with targets, and the losses of a list made into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_mini.engine import functions


def is_list(thing: Any) -> bool:
    """Return whether something is a list of numbers, in any of the forms that Python and NumPy have."""
    return isinstance(thing, (list, tuple)) or (isinstance(thing, np.ndarray) and thing.ndim > 0)


def pairs(prediction: Any, target: Any) -> list[tuple[Any, Any]]:
    """Return predictions with their targets, from two numbers or two lists of the same length."""
    if not is_list(prediction) and not is_list(target):
        return [(prediction, target)]
    predictions = list(prediction) if is_list(prediction) else [prediction]
    targets = list(target) if is_list(target) else [target]
    if len(predictions) != len(targets):
        raise ValueError(f"expected one target for each prediction, got {len(predictions)} and {len(targets)}")
    if not predictions:
        raise ValueError("the loss of no predictions at all isn't defined; expected at least one")
    if any(is_list(part) for part in [*predictions, *targets]):
        raise ValueError("expected numbers or flat lists of them, got lists in lists; flatten both")
    return list(zip(predictions, targets, strict=True))


def reduced(losses: Sequence[Any], reduction: str) -> Any:
    """Return the sum or the mean of losses as one."""
    if reduction not in ("sum", "mean"):
        raise ValueError(f"expected reduction 'sum' or 'mean', got {reduction!r}")
    total = losses[0] if len(losses) == 1 else functions.sum(losses)
    return total / len(losses) if reduction == "mean" and len(losses) > 1 else total
