"""What is kept of a training: a snapshot every so many epochs, the first and the last always; fewer if it is long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_mini.views.live.measuring import Snapshot

Array = np.ndarray[Any, Any]

MOST_FRAMES = 200


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
    weights: list[Array]
    biases: list[Array]
    weight_gradients: list[Array]
    bias_gradients: list[Array]
    activations: list[Array]
    output: Array | None
    surface: Array | None


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

    @property
    def last_epoch(self) -> int:
        """The epoch of the newest snapshot; -1 where there is none."""
        return -1 if self._last is None else self._last.epoch

    def snapshots(self) -> list[Snapshot]:
        """Return those that are kept, and the last."""
        if self._last is None or self._kept[-1] is self._last:
            return list(self._kept)
        return [*self._kept, self._last]


def spread(things: list[Any], most: int) -> list[Any]:
    """Return at most so many of the things, evenly spread, the first and the last among them.

    Examples
    --------
    >>> spread([1, 2, 3, 4, 5], 3), spread([1, 2], 3)
    ([1, 3, 5], [1, 2])
    """
    if len(things) <= most:
        return list(things)
    return [things[i] for i in np.linspace(0, len(things) - 1, most).round().astype(int)]
