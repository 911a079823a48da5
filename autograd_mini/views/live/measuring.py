"""What a frame shows beyond the parameters: gradients, activations, outputs, taken without disturbing the training.

All of it is taken in evaluation mode, so that no generator is asked, no running statistic moves, and dropout is its own
expectation. Parameters, gradients, modes and generators are put back as they were, whatever happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_mini.engine.modes import enable_grad
from autograd_mini.errors import TraceError
from autograd_mini.nn.nested import flat, is_list
from autograd_mini.training import eager as gradients
from autograd_mini.vectorizer import Program

if TYPE_CHECKING:
    from autograd_mini.training import Trainer

Array = np.ndarray[Any, Any]

_SAMPLE = 100  # examples that gradients are a mean over


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The parameters at the end of an epoch, and the model's state where there is more to it than parameters.

    A copy of some numbers is all that a training has to wait for; the rest is computed when somebody looks.
    """

    epoch: int
    parameters: Array
    state: dict[str, Array] | None


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
        if X is not None and y is not None:
            chosen = np.unique(np.linspace(0, len(X) - 1, _SAMPLE).round().astype(int))
            self._rows, self._targets = X[chosen], y[chosen]
        loss = trainer.loss
        self._model_program = Program(lambda x: model(x))
        self._loss_program = Program(lambda x, t: loss(model(x), t))
        self.is_quick = X is not None and self._can_be_vectorized()

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
        with gradients.evaluating(model):
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
        return gradients.outputs(self._trainer.model, rows.tolist()).reshape(len(rows), -1)

    def add_gradients(self) -> None:
        """Add to the parameters the gradient of the mean loss over the sample, and of the penalty."""
        trainer, rows, targets = self._trainer, self._rows, self._targets
        with enable_grad():
            if not self.is_quick:
                gradients.add_gradients(trainer.model, trainer.loss, trainer.penalty, rows.tolist(), targets.tolist())
                return
            _, found = self._loss_program.value_and_grad(rows, targets)
            for parameter, gradient in zip(self._loss_program.parameters, found.tolist(), strict=True):
                parameter.grad += gradient
            if trainer.penalty is not None:
                gradients.as_node(trainer.penalty(trainer.model)).backward()

    def _can_be_vectorized(self) -> bool:
        """Return whether model and loss can be traced, so that many examples cost little."""
        with self.at(self.snapshot(0)):
            try:
                self._model_program(self._rows)
                self._loss_program.value_and_grad(self._rows, self._targets)
            except (TraceError, TypeError):
                return False
        return True


def plain_numbers(output: Any) -> Array:
    """Return a model's output for one example as a flat array."""
    return np.array([gradients.as_node(a).data for a in (flat(output) if is_list(output) else [output])], dtype=float)
