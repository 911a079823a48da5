"""`History`, what a training records epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class History:
    """The losses of a training, one entry an epoch.

    Attributes
    ----------
    loss : list of float
        The mean over the training examples of the loss as it was when each was used, plus the penalty.
    validation_loss : list of float
        The mean loss on the validation examples after the epoch; empty where there are none.
    metrics : dict of str to list of float
        For each metric that was asked for its value after the epoch, on the validation examples where there are any,
        else on the training examples.
    best_epoch : int or None
        The epoch of the lowest validation loss, counted from 1; None without one that is a number.

    Examples
    --------
    >>> History(loss=[2.0, 1.0])
    History(2 epochs, loss 2 → 1)
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the lowest validation loss, counted from 1."""
        losses = [loss for loss in self.validation_loss if loss == loss]
        return self.validation_loss.index(min(losses)) + 1 if losses else None

    def columns(self) -> dict[str, list[float]]:
        """Return all that is recorded, by name."""
        return {"loss": self.loss, "validation_loss": self.validation_loss, **self.metrics}

    def latest(self) -> dict[str, float]:
        """Return the last epoch's numbers by name."""
        return {name: column[-1] for name, column in self.columns().items() if column}

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        parts = [f"{len(self)} epoch{'' if len(self) == 1 else 's'}"]
        for name, losses in (("loss", self.loss), ("validation loss", self.validation_loss)):
            if losses:
                parts.append(f"{name} {losses[0]:.4g} → {losses[-1]:.4g}")
        return f"History({', '.join(parts)})"
