"""The eager engine of training: one example's graph after the other, each a graph to step through."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_mini.optim import clip_grad_norm, clip_grad_value
from autograd_mini.training import gradients
from autograd_mini.training.data import Array, augmented, mini_batches

if TYPE_CHECKING:
    from autograd_mini.training.trainer import Trainer

Examples = tuple[list[Any], list[Any]]


class EagerEngine:
    """Trains by building the graph of every example."""

    name = "eager"

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def prepared(self, X: Array, y: Array) -> Examples:
        """Return examples in the form that `epoch` and `mean_loss` take."""
        return X.tolist(), y.tolist()

    def epoch(self, examples: Examples) -> float:
        """Go once through the examples, and return their mean loss, each as it was when it was used."""
        trainer, (rows, targets) = self.trainer, examples
        total, count = 0.0, 0
        batches = mini_batches(len(rows), trainer.batch_size, trainer.rng, trainer.sampling)
        for number, batch in enumerate(batches, start=1):
            chosen = [rows[i] for i in batch]
            if trainer.augment is not None:
                chosen = augmented(chosen, trainer.augment, trainer.rng)
            trainer.optimizer.zero_grad()
            loss = gradients.add_gradients(
                trainer.model, trainer.loss, trainer.penalty, chosen, [targets[i] for i in batch]
            )
            if not math.isfinite(loss):
                trainer._stop(f"the loss became {loss}", number)
            trainer._last_finite = self._data()
            self._clip()
            trainer.optimizer.step()
            if not all(math.isfinite(number) for number in self._data()):
                trainer._stop("a parameter became infinite or nan", number)
            total, count = total + loss * len(batch), count + len(batch)
        return total / count

    def _data(self) -> list[float]:
        return [parameter.data for parameter in self.trainer.optimizer.parameters]

    def _clip(self) -> None:
        trainer = self.trainer
        if trainer.clip_value is not None:
            clip_grad_value(trainer.optimizer.parameters, trainer.clip_value)
        if trainer.clip_norm is not None:
            clip_grad_norm(trainer.optimizer.parameters, trainer.clip_norm)

    def mean_loss(self, examples: Examples) -> float:
        """Return the mean loss on examples, in evaluation mode."""
        return gradients.mean_loss(self.trainer.model, self.trainer.loss, *examples)

    def outputs(self, X: Array) -> np.ndarray[Any, Any]:
        """Return the model's outputs for every row, in evaluation mode."""
        return gradients.outputs(self.trainer.model, X.tolist())
