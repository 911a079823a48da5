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

from autograd_mini.modes import enable_grad
from autograd_mini.nn._nested import flat, is_list
from autograd_mini.training import gradients
from autograd_mini.value import Value
from autograd_mini.views.live.columns import Columns, follows_its_graph

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
        self._rows: list[Any] = []
        self._targets: list[Any] = []
        if X is not None and y is not None:
            chosen = np.unique(np.linspace(0, len(X) - 1, _SAMPLE).round().astype(int))
            self._rows, self._targets = X[chosen].tolist(), y[chosen].tolist()
        self._by_columns = X is not None and X.ndim == 2 and follows_its_graph(model) and self._columns_are_right()

    @property
    def is_quick(self) -> bool:
        """Whether many examples cost little: the model's graph can be run on columns."""
        return self._by_columns

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
        if self._by_columns:
            return Columns(self._trainer.model, rows[0].tolist()).forward(rows)
        return gradients.outputs(self._trainer.model, rows.tolist()).reshape(len(rows), -1)

    def add_gradients(self) -> None:
        """Add to the parameters the gradient of the mean loss over the sample, and of the penalty."""
        trainer = self._trainer
        with enable_grad():
            if not self._by_columns:
                gradients.add_gradients(trainer.model, trainer.loss, trainer.penalty, self._rows, self._targets)
                return
            columns = Columns(trainer.model, self._rows[0])
            outputs = columns.forward(np.array(self._rows))
            columns.add_gradients(np.array([self._upstream(columns, *pair) for pair in self._pairs(outputs)]))
            if trainer.penalty is not None:
                gradients.as_node(trainer.penalty(trainer.model)).backward()

    def _pairs(self, outputs: Array) -> Iterator[tuple[list[float], Any]]:
        return zip(outputs.tolist(), self._targets, strict=True)

    def _upstream(self, columns: Columns, outputs: list[float], target: Any) -> list[float]:
        """Return ∂(loss/n)/∂output of one example, for each output."""
        leaves = [Value(output) for output in outputs]
        loss = gradients.as_node(self._trainer.loss(leaves if columns.is_list else leaves[0], target))
        loss.backward(1.0 / len(self._rows))
        return [leaf.grad for leaf in leaves]

    def _columns_are_right(self) -> bool:
        """Return whether the graph of one example gives for all of the sample what the model gives."""
        with self.at(self.snapshot(0)):
            expected = gradients.outputs(self._trainer.model, self._rows).reshape(len(self._rows), -1)
            found = Columns(self._trainer.model, self._rows[0]).forward(np.array(self._rows))
        return bool(np.allclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True))


def plain_numbers(output: Any) -> Array:
    """Return a model's output for one example as a flat array."""
    return np.array([gradients.as_node(a).data for a in (flat(output) if is_list(output) else [output])], dtype=float)
