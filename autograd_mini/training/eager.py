"""The eager engine of training: a batch's loss and its gradient, one example's graph after the other.

It is also where an engine is defined, and what the vectorized engine falls back on. It knows models, losses and
penalties, and nothing of the training that asks for gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import floats, functions
from autograd_mini.engine.derivatives import differentiated
from autograd_mini.engine.freshness import assign
from autograd_mini.engine.modes import no_grad
from autograd_mini.engine.value import Constant, Value
from autograd_mini.nn.batches import batch as batch_outputs
from autograd_mini.nn.batches import mixes_examples
from autograd_mini.nn.losses import Loss
from autograd_mini.nn.module import Module
from autograd_mini.optim.clipping import gradient_number

Penalty = Callable[[Any], Any]


class EagerEngine:
    """A batch's loss and gradient, from the graph of every example.

    An engine is a function ``(θ, rows, targets) → (loss, gradient)``, where θ and the gradient are flat arrays with a
    number for each parameter that is trained. `prepare` tells it beforehand what it shall compute; `load` and `store`
    stand at the beginning and the end of an epoch, between which the parameters' own numbers aren't up to date.

    Attributes
    ----------
    present : numpy.ndarray of bool, or None
        Which parameters have a gradient: not those that are frozen, nor those whose ``grad`` is None. None for all.
    """

    name = "eager"
    present: Array | None = None

    def prepare(
        self, model: Module, loss: Loss, penalty: Penalty | None, parameters: Sequence[Value], X: Array, y: Array
    ) -> None:
        """Take up what is to be computed: before the first epoch, and when the model may have changed.

        Parameters
        ----------
        model, loss, penalty
            The loss of a batch is the mean of ``loss(model(row), target)``, plus ``penalty(model)``.
        parameters : sequence of Value
            What the numbers in θ are.
        X, y : numpy.ndarray
            The examples that batches will be taken from.
        """
        self.model, self.loss, self.penalty, self.parameters = model, loss, penalty, parameters

    def is_current(self) -> bool:
        """Return whether what `prepare` took up is still what is to be computed."""
        return True

    def load(self) -> Array:
        """Return θ, the parameters' present numbers."""
        return np.array([parameter._data for parameter in self.parameters])

    def __call__(self, theta: Array, rows: Array, targets: Array) -> tuple[float, Array]:
        """Return the loss of a batch and its gradient; of a loss that isn't finite the gradient is of no use."""
        assign(self.parameters, theta.tolist())
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.grad = 0.0
        loss = add_gradients(self.model, self.loss, self.penalty, rows.tolist(), targets.tolist())
        present = np.array([not p.is_frozen and p.grad is not None for p in self.parameters])
        self.present = None if present.all() else present
        return loss, np.array([gradient_number(parameter) for parameter in self.parameters])

    def epochs(self, X: Array, y: Array, size: int) -> Any:
        """Return what runs whole epochs by itself, in batches of a size; None where the engine is called for each."""

    def let_go(self) -> None:
        """Forget the examples, after a training."""

    def compare(self, theta: Array, examples: Callable[[], list[Array]]) -> None:
        """Compare one of the last examples with this engine, if it is time for that; here there is nothing to do."""

    def store(self, theta: Array, gradient: Array | None) -> None:
        """Write θ and, if there is one, the gradient to the parameters."""
        assign(self.parameters, theta.tolist())
        if gradient is not None:
            present = [True] * len(gradient) if self.present is None else self.present.tolist()
            for parameter, derivative, has_gradient in zip(self.parameters, gradient.tolist(), present, strict=True):
                if has_gradient:
                    parameter.grad = derivative

    def outputs(self, model: Module, X: Array) -> Array:
        """Return a model's outputs for every row, in evaluation mode."""
        return outputs(model, X.tolist())

    def mean_loss(self, model: Module, loss: Loss, X: Array, y: Array) -> float:
        """Return the mean loss on examples, in evaluation mode and without a penalty."""
        return mean_loss(model, loss, X.tolist(), y.tolist())


def add_gradients(model: Module, loss: Loss, penalty: Penalty | None, rows: list[Any], targets: list[Any]) -> float:
    """Add the gradient of a batch's mean loss, and of the penalty, to the parameters; return the sum of both.

    Each example's graph is propagated back and dropped before the next, so that it stays in the cache; only where the
    examples of a batch depend on each other (`BatchNorm`) there is one graph for all. A loss that isn't finite is
    returned at once.
    """
    share = 1.0 / len(rows)
    total = 0.0
    for example in losses_of(model, loss, rows, targets):
        if not math.isfinite(example.data):
            return example.data
        example.backward(share)
        total += example.data
    with differentiated():
        extra = as_node(penalty(model)) if penalty is not None else Constant(0.0)
    extra.backward()
    return total * share + extra.data


def losses_of(model: Module, loss: Loss, rows: list[Any], targets: list[Any]) -> Iterator[Value]:
    """Iterate over the losses of the examples; where the examples depend on each other there is one, of all."""
    if mixes_examples(model):
        with differentiated():
            outputs = batch_outputs(model, rows)
            of_all = functions.sum([as_node(loss(output, t)) for output, t in zip(outputs, targets, strict=True)])
        yield of_all
    else:
        for row, target in zip(rows, targets, strict=True):
            with differentiated():
                of_one = as_node(loss(model(row), target))
            yield of_one


def mean_loss(model: Module, loss: Loss, rows: list[Any], targets: list[Any]) -> float:
    """Return the mean loss on examples, in evaluation mode."""
    with evaluating(model), no_grad():
        losses = [as_node(loss(model(row), target)).data for row, target in zip(rows, targets, strict=True)]
    return floats.sum(losses) / len(losses)


def outputs(model: Module, rows: list[Any]) -> Array:
    """Return the outputs for examples as an array, in evaluation mode."""
    with evaluating(model), no_grad():
        return np.array([_plain(model(row)) for row in rows])


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Put a model into evaluation mode, and each part of it back into the mode it was in."""
    modes = [(module, module.training) for _, module in model.named_modules()]
    try:
        for module, _ in modes:
            module.training = False
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
