"""What the trainer's arguments must be, found out before any work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_mini.nn.losses import LOSSES, Loss
from autograd_mini.training.metrics import METRICS, accuracy
from autograd_mini.training.stopping import StoppingRule


def loss_function(loss: str | Loss) -> Loss:
    """Return a loss given by its name, or a function as it is."""
    if callable(loss):
        return loss
    if not isinstance(loss, str) or loss not in LOSSES:
        raise ValueError(f"no loss is named {loss!r}; choose one of {', '.join(LOSSES)}, or pass a function")
    return LOSSES[loss]


# From where on an output counts as the positive class, for the losses on one output.
_THRESHOLDS = {"binary_cross_entropy": 0.5, "binary_cross_entropy_with_logits": 0.0, "hinge": 0.0}


def metric_functions(metrics: Sequence[str] | Mapping[str, Any], loss: Loss) -> dict[str, Callable[[Any, Any], float]]:
    """Return metrics given by their names, or by a mapping of names to functions of ``(y_true, y_pred)``.

    The accuracy of single outputs is taken with the threshold that belongs to the loss.
    """
    if isinstance(metrics, Mapping):
        return dict(metrics)
    if isinstance(metrics, str):
        metrics = [metrics]
    for name in metrics:
        if name not in METRICS:
            raise ValueError(
                f"no metric is named {name!r}; choose of {', '.join(METRICS)}, or pass a dict of functions"
            )
    threshold = next((at for name, at in _THRESHOLDS.items() if LOSSES[name] is loss), None)

    def accuracy_of_outputs(y_true: Any, y_pred: Any) -> float:
        return accuracy(y_true, y_pred, threshold=threshold if y_pred.ndim == 1 else None)

    return {name: accuracy_of_outputs if name == "accuracy" else METRICS[name] for name in metrics}


def stopping_rules(stopping: Any, has_validation: bool) -> list[StoppingRule]:
    """Return the stopping rules as a list, and refuse those that watch a loss that isn't taken."""
    rules = [stopping] if isinstance(stopping, StoppingRule) else list(stopping or ())
    for rule in rules:
        if not isinstance(rule, StoppingRule):
            raise TypeError(f"stopping: expected rules such as EarlyStopping(patience=10), got {rule!r:.60}")
        if rule.monitor == "validation_loss" and not has_validation:
            raise ValueError(f"{rule!r} watches the validation loss; pass validation=(X, y)")
    return rules


def checked_optimizer(optimizer: Any) -> Any:
    """Return an optimizer, and refuse the class of one."""
    if isinstance(optimizer, type):
        raise TypeError(f"expected an optimizer, got the class; write {optimizer.__name__}(model.parameters(), lr=0.1)")
    return optimizer


def at_least_one(name: str, number: Any) -> int:
    """Return a whole number of at least 1."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {number!r}")
    return int(number)


def pair_or_none(name: str, pair: Any) -> Any:
    """Return a pair of examples and targets, or None."""
    if pair is not None and len(pair) != 2:
        raise ValueError(f"{name}: expected a pair (X, y), got {len(pair)} things")
    return pair
