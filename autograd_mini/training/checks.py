"""What the trainer's arguments must be, found out before any work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_mini.engine import arrays as array
from autograd_mini.nn.batches import mixes_examples
from autograd_mini.nn.losses import LOSSES, Loss
from autograd_mini.nn.module import Module
from autograd_mini.optim import Optimizer
from autograd_mini.training.metrics import METRICS, accuracy, log_loss
from autograd_mini.training.stopping import StoppingRule
from autograd_mini.vectorizer import jax_backend


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
        for name, metric in metrics.items():
            if name in ("loss", "validation_loss"):
                raise ValueError(f"metrics: {name!r} is the history's own name; call the metric otherwise")
            called(f"metrics[{name!r}]", metric)
        return dict(metrics)
    metrics = [metrics] if isinstance(metrics, str) else metrics or ()
    for name in metrics:
        if name not in METRICS:
            raise ValueError(
                f"no metric is named {name!r}; choose of {', '.join(METRICS)}, or pass a dict of functions"
            )
    threshold = next((at for name, at in _THRESHOLDS.items() if LOSSES[name] is loss), None)

    def accuracy_of_outputs(y_true: Any, y_pred: Any) -> float:
        return accuracy(y_true, y_pred, threshold=threshold if y_pred.ndim == 1 else None)

    def log_loss_of_outputs(y_true: Any, y_pred: Any) -> float:
        return log_loss(y_true, probabilities(y_pred, loss))

    of_outputs = {**METRICS, "accuracy": accuracy_of_outputs, "log_loss": log_loss_of_outputs}
    return {name: of_outputs[name] for name in metrics}


def probabilities(outputs: Any, loss: Loss) -> Any:
    """Return a model's outputs as probabilities: what the losses on logits take is not one yet."""
    if loss is LOSSES["cross_entropy"] and outputs.ndim == 2:
        return np.column_stack(array.softmax(*outputs.T))
    return array.sigmoid(outputs) if loss is LOSSES["binary_cross_entropy_with_logits"] else outputs


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
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"expected an optimizer, got {optimizer!r:.60}; write SGD(model.parameters(), lr=0.1)")
    return optimizer


def checked_model(model: Any) -> Module:
    """Return a model, and refuse what is none."""
    if isinstance(model, type):
        raise TypeError(f"expected a model, got the class {model.__name__}; make one of it first")
    if not isinstance(model, Module):
        raise TypeError(f"expected a model that is a Module, got {model!r:.60}; see autograd_mini.nn.Module")
    return model


def called(name: str, thing: Any) -> Any:
    """Return a function, or None; refuse what can't be called."""
    if thing is not None and not callable(thing):
        raise TypeError(f"{name}: expected a function, got {thing!r:.60}")
    return thing


def callback_list(callbacks: Any) -> list[Callable[[Any], Any]]:
    """Return callbacks as a list, also a single one."""
    listed = [callbacks] if callable(callbacks) else list(callbacks or ())
    return [called("callbacks", callback) for callback in listed]


def enough_for_each_batch(model: Module, n: int, batch_size: int | None) -> None:
    """Refuse a batch of one example where a model needs several at once, before any work."""
    size = n if batch_size is None else min(batch_size, n)
    if mixes_examples(model) and (size == 1 or n % size == 1):
        raise ValueError(
            f"the model has a BatchNorm, which needs at least 2 examples in a batch, but {n} examples in batches of "
            f"{size} leave one alone; choose another batch_size"
        )


def at_least_one(name: str, number: Any) -> int:
    """Return a whole number of at least 1."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {number!r}")
    return int(number)


def checked_devices(devices: Any, engine: str) -> int:
    """Return on how many devices to train, and refuse more than there are."""
    count = at_least_one("devices", devices)
    if engine != "vectorized":
        raise ValueError(
            f"devices: expected engine='vectorized' with it, got {engine!r}; the eager engine has no arrays"
        )
    jax_backend.devices(count)
    return count


def pair_or_none(name: str, pair: Any) -> Any:
    """Return a pair of examples and targets, or None."""
    if pair is not None and not (isinstance(pair, (tuple, list)) and len(pair) == 2):
        what = f"{len(pair)} things" if isinstance(pair, (tuple, list)) else f"{pair!r:.60}"
        raise ValueError(f"{name}: expected a pair (X, y), got {what}")
    return pair
