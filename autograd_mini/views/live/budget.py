"""How often a live picture may be drawn, so that a training takes less than 5 % longer for being watched."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_SHARE = 0.03  # of the training's time, for the work that is measured here; the rest is for what can't be measured
_SHORTEST = 0.1  # seconds between two pictures


class Budget:
    """Keep account of the time spent on a training, and on watching it.

    An epoch counts as at most twice the shortest one, so that a pause between two trainings doesn't count as training.

    Parameters
    ----------
    clock : callable, optional
        The time in seconds.

    Examples
    --------
    >>> now = [0.0]
    >>> budget = Budget(lambda: now[0])
    >>> budget.expect(0.008)
    >>> answers = []
    >>> for _ in range(4):
    ...     now[0] += 0.1
    ...     budget.start()
    ...     answers.append(budget.allows_picture())
    ...     budget.stop()
    >>> answers
    [False, False, False, True]
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.trained = 0.0
        self.spent = 0.0
        self._cost = 0.0
        self._shortest = math.inf
        self._started = 0.0
        self._ended: float | None = None
        self._last_picture = -math.inf

    def expect(self, cost: float) -> None:
        """Say what a picture will cost."""
        self._cost = cost

    def start(self) -> None:
        """Begin to watch: an epoch is over."""
        self._started = self._clock()
        if self._ended is not None:
            epoch = self._started - self._ended
            self._shortest = min(self._shortest, epoch)
            self.trained += min(epoch, 2.0 * self._shortest)

    def allows_picture(self) -> bool:
        """Return whether there is time for a picture now."""
        is_due = self._started - self._last_picture >= _SHORTEST
        return is_due and self.spent + self._cost <= _SHARE * self.trained

    def picture_starts(self) -> None:
        """Begin a picture."""
        self._last_picture = self._clock()

    def picture_ends(self) -> None:
        """End the picture."""
        self._cost = self._clock() - self._last_picture

    def stop(self) -> None:
        """End watching: the next epoch begins."""
        self._ended = self._clock()
        self.spent += self._ended - self._started
