"""The eager engine of training: a batch's loss and its gradient, one example's graph after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_mini.engine import functions
from autograd_mini.engine.modes import no_grad
from autograd_mini.engine.value import Constant, Value
from autograd_mini.nn.batches import batch as batch_outputs
from autograd_mini.nn.batches import mixes_examples
from autograd_mini.nn.losses import Loss
from autograd_mini.nn.module import Module

Penalty = Callable[[Any], Any]


def add_gradients(model: Module, loss: Loss, penalty: Penalty | None, rows: list[Any], targets: list[Any]) -> float:
    """Add the gradient of a batch's mean loss, and of the penalty, to the parameters; return the sum of both.

    Each example's graph is propagated back and dropped before the next, so that it stays in the cache; only where the
    examples of a batch depend on each other (`BatchNorm`) there is one graph for all. A loss that isn't finite is
    returned at once.
    """
    share = 1.0 / len(rows)
    total = 0.0
    for example in _losses(model, loss, rows, targets):
        if not math.isfinite(example.data):
            return example.data
        example.backward(share)
        total += example.data
    extra = as_node(penalty(model)) if penalty is not None else Constant(0.0)
    extra.backward()
    return total * share + extra.data


def _losses(model: Module, loss: Loss, rows: list[Any], targets: list[Any]) -> Iterator[Value]:
    """Iterate over the losses of the examples; where the examples depend on each other there is one, of all."""
    if mixes_examples(model):
        outputs = batch_outputs(model, rows)
        yield functions.sum([as_node(loss(output, t)) for output, t in zip(outputs, targets, strict=True)])
    else:
        for row, target in zip(rows, targets, strict=True):
            yield as_node(loss(model(row), target))


def mean_loss(model: Module, loss: Loss, rows: list[Any], targets: list[Any]) -> float:
    """Return the mean loss on examples, in evaluation mode."""
    with evaluating(model), no_grad():
        losses = [as_node(loss(model(row), target)).data for row, target in zip(rows, targets, strict=True)]
    return float(sum(losses)) / len(losses)


def outputs(model: Module, rows: list[Any]) -> np.ndarray[Any, Any]:
    """Return the outputs for examples as an array, in evaluation mode."""
    with evaluating(model), no_grad():
        return np.array([_plain(model(row)) for row in rows])


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Put a model into evaluation mode, and each part of it back into the mode it was in."""
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def as_node(number: Any) -> Value:
    """Return a result as a node; a loss or a model of one's own may return a bare number."""
    return number if isinstance(number, Value) else Constant(number)


def _plain(output: Any) -> Any:
    if isinstance(output, (list, tuple, np.ndarray)):
        return [_plain(part) for part in output]
    return as_node(output).data
