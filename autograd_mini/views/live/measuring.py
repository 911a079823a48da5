"""What is kept of a training, and what a frame shows of it: taken without disturbing the training.

A snapshot of the parameters is kept every so many epochs, the first and the last always. Gradients and outputs are
computed from it when a frame is looked at, by programs of the vectorizer where model and loss can be traced. All of it
is computed in evaluation mode, so that no random number is drawn, no running statistic changes, and dropout is
replaced by its expectation. Parameters, gradients, modes and generators are always put back as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_mini.engine.modes import enable_grad
from autograd_mini.errors import TraceError
from autograd_mini.training import eager
from autograd_mini.vectorizer import Program

if TYPE_CHECKING:
    from autograd_mini.training import Trainer

Array = np.ndarray[Any, Any]

MOST_FRAMES = 200
_SAMPLE = 100  # examples that gradients are a mean over


def spread(count: int, most: int) -> Array:
    """Return at most so many of the numbers from 0 to `count` - 1, evenly spread, the first and the last among them.

    Examples
    --------
    >>> spread(5, 3).tolist(), spread(2, 3).tolist()
    ([0, 2, 4], [0, 1])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The parameters at the end of an epoch, and the model's state where there is more to it than parameters.

    A training only has to wait for this copy of its numbers; the rest is computed when a frame is looked at.
    """

    epoch: int
    parameters: Array
    state: dict[str, Array] | None


@dataclass(frozen=True, eq=False)
class Frame:
    """A network at the end of an epoch.

    Attributes
    ----------
    epoch : int
        How many epochs it had been trained; 0 before the training.
    loss, validation_loss : float or None
        What the history says of the epoch.
    weights, biases : list of array
        For each layer, of shape (neurons, inputs) and (neurons,); empty if the model can't be drawn as a network.
    weight_gradients, bias_gradients : list of array
        The gradients of the mean loss over up to 100 examples, and of the penalty, in evaluation mode; empty without
        examples.
    activations : list of array
        The chosen example's features, and for each layer what it hands on to the next.
    output : array or None
        The chosen example's output.
    surface : array or None
        The outputs over a grid of the two features, or of the one, one row a point; None for other numbers of features.
    """

    epoch: int
    loss: float | None
    validation_loss: float | None
    weights: list[Array] = field(default_factory=list)
    biases: list[Array] = field(default_factory=list)
    weight_gradients: list[Array] = field(default_factory=list)
    bias_gradients: list[Array] = field(default_factory=list)
    activations: list[Array] = field(default_factory=list)
    output: Array | None = None
    surface: Array | None = None


class Recording:
    """Snapshots of a training, evenly spread over its epochs.

    Parameters
    ----------
    every : int or None
        How many epochs lie between two snapshots, at the least.
    most : int
        How many are kept; when there are more, every other one goes.

    Examples
    --------
    >>> recording = Recording(None, most=5)
    >>> for epoch in range(12):
    ...     recording.add(Snapshot(epoch, np.zeros(0), None))
    >>> [snapshot.epoch for snapshot in recording.snapshots()]
    [0, 4, 8, 11]
    """

    def __init__(self, every: int | None, most: int = MOST_FRAMES) -> None:
        self._stride = every or 1
        self._most = most
        self._kept: list[Snapshot] = []
        self._last: Snapshot | None = None

    def add(self, snapshot: Snapshot) -> None:
        """Take over the snapshot of an epoch; later ones, of a training that was set back, are forgotten."""
        self._kept = [kept for kept in self._kept if kept.epoch < snapshot.epoch]
        self._last = snapshot
        if not self._kept or (snapshot.epoch - self._kept[0].epoch) % self._stride == 0:
            self._kept.append(snapshot)
        while len(self._kept) >= self._most:
            self._stride *= 2
            first = self._kept[0].epoch
            self._kept = [kept for kept in self._kept if (kept.epoch - first) % self._stride == 0]

    def snapshots(self) -> list[Snapshot]:
        """Return those that are kept, and the last."""
        if self._last is None or self._kept[-1] is self._last:
            return list(self._kept)
        return [*self._kept, self._last]


class Measure:
    """Take snapshots of a training, and compute from a snapshot what the model did at the time.

    Parameters
    ----------
    trainer : Trainer
        Whose model, loss and penalty they are.
    X, y : array or None
        The examples; gradients are a mean over up to 100 of them, evenly spread.
    """

    def __init__(self, trainer: Trainer, X: Array | None, y: Array | None) -> None:
        self._trainer = trainer
        model = trainer.model
        self._parameters = list(dict.fromkeys([*model.parameters(), *trainer.optimizer.parameters]))
        self._has_more = sum(array.size for array in model.state_dict().values()) != len(model.parameters())
        self._rows = self._targets = np.empty(0)
        self._model_program = Program(partial(_output, model))
        self._loss_program = Program(partial(_loss, model, trainer.loss))
        self.is_quick = self._has_quick_gradients = False
        if X is not None and y is not None:
            chosen = spread(len(X), _SAMPLE)
            self._rows, self._targets = X[chosen], y[chosen]
            trainer._try_out(X, y)  # a program shows the loss no targets
            with self.at(self.snapshot(0)):
                self.is_quick = _can_be_traced(self._model_program, self._rows)
                gradient = self._loss_program.value_and_grad
                self._has_quick_gradients = _can_be_traced(gradient, self._rows, self._targets)

    def snapshot(self, epoch: int) -> Snapshot:
        """Return the parameters as they are now."""
        # Past the property, as this is all that every epoch has to wait for.
        numbers = np.array([parameter._data for parameter in self._parameters])
        return Snapshot(epoch, numbers, self._trainer.model.state_dict() if self._has_more else None)

    @contextmanager
    def at(self, snapshot: Snapshot) -> Iterator[None]:
        """Put the model back to a snapshot, in evaluation mode and with gradients of 0; afterwards all is as before."""
        model, parameters = self._trainer.model, self._parameters
        now, kept = self.snapshot(snapshot.epoch), [parameter.grad for parameter in parameters]
        generators = [
            (generator, generator.bit_generator.state)
            for _, module in model.named_modules()
            for generator in vars(module).values()
            if isinstance(generator, np.random.Generator)
        ]
        with eager.evaluating(model):
            try:
                self._place(snapshot)
                for parameter in parameters:
                    parameter.grad = 0.0
                yield
            finally:
                self._place(now)
                for parameter, gradient in zip(parameters, kept, strict=True):
                    parameter.grad = gradient
                for generator, state in generators:
                    generator.bit_generator.state = state

    def _place(self, snapshot: Snapshot) -> None:
        if snapshot.state is not None:
            self._trainer.model.load_state_dict(snapshot.state)
        for parameter, number in zip(self._parameters, snapshot.parameters.tolist(), strict=True):
            parameter.data = number

    # ------------------------------------------------------------------------------- inside of `at`

    def outputs(self, rows: Array) -> Array:
        """Return the outputs for examples, of shape (n, outputs)."""
        if self.is_quick:
            return np.asarray(self._model_program(rows)).reshape(len(rows), -1)
        return eager.outputs(self._trainer.model, rows.tolist()).reshape(len(rows), -1)

    def output(self, row: list[Any]) -> Array:
        """Return the outputs for one example."""
        return eager.outputs(self._trainer.model, [row]).ravel()

    def add_gradients(self) -> None:
        """Add to the parameters the gradient of the mean loss over the sample, and of the penalty."""
        trainer, rows, targets = self._trainer, self._rows, self._targets
        with enable_grad():
            if not self._has_quick_gradients:
                eager.add_gradients(trainer.model, trainer.loss, trainer.penalty, rows.tolist(), targets.tolist())
                return
            _, found = self._loss_program.value_and_grad(rows, targets)
            for parameter, gradient in zip(self._loss_program.parameters, found.tolist(), strict=True):
                parameter.grad += gradient
            if trainer.penalty is not None:
                eager.as_node(trainer.penalty(trainer.model)).backward()


def _can_be_traced(run: Callable[..., Any], *examples: Array) -> bool:
    """Return whether a program can be made of a function, so that many examples cost little."""
    try:
        run(*examples)
    except (TraceError, TypeError):
        return False
    return True


# Functions that a copy, or pickle, finds with the model of the copy.


def _output(model: Any, x: Any) -> Any:
    return model(x)


def _loss(model: Any, loss: Any, x: Any, t: Any) -> Any:
    return loss(model(x), t)
