"""How contenders are compared: they must agree, then they are timed in turn."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

OURS = "autograd_mini"


@dataclass(frozen=True)
class Contender:
    """One way to do a work.

    Parameters
    ----------
    run : callable
        Does the work once; this is what is timed.
    numbers : callable
        Does the work and returns what all contenders must agree on.
    share : float
        The part of the work that `run` does, where the whole would take too long.
    rounds : int, optional
        Take part in so many rounds only.
    """

    run: Callable[[], Any]
    numbers: Callable[[], Any]
    share: float = 1.0
    rounds: int | None = None


@dataclass(frozen=True)
class Mark:
    """The ratio that is wanted: `rival`'s time over `ours`, at least."""

    rival: str
    at_least: float
    ours: str = OURS

    @property
    def row(self) -> str:
        """The contender in whose row it stands: the rival, or ours where it is held against another one of ours."""
        return self.rival if self.ours == OURS else self.ours


@dataclass(frozen=True)
class Work:
    """A work, the makers of its contenders, and what is wanted.

    Parameters
    ----------
    key, title : str
        What it is called on the command line and in the table.
    unit, per_second : str, float
        The unit of its times, and how many of them are in a second.
    makers : mapping
        A function for each contender that makes it; ImportError says that its package isn't installed.
    marks : tuple of Mark
        What is wanted.
    tolerance : float
        How far the contenders' numbers may be apart, relative to the largest.
    """

    key: str
    title: str
    unit: str
    per_second: float
    makers: Mapping[str, Callable[[], Contender]]
    marks: tuple[Mark, ...]
    tolerance: float = 1e-9


@dataclass
class Times:
    """Seconds for a work, by contender and round, and why the others are missing."""

    work: Work
    seconds: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    busy: dict[str, float] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return a contender's median time, in the work's unit."""
        return statistics.median(self.seconds[name]) * self.work.per_second

    def mark(self, name: str) -> Mark | None:
        """Return what is wanted of the ratio in a contender's row."""
        return next((mark for mark in self.work.marks if mark.row == name), None)

    def ratios(self) -> Iterator[tuple[str, Mark | None, float]]:
        """Iterate over the rows that have a ratio: whose row it is, what is wanted, and the ratio.

        It is the median over the rounds of the rival's time over ours.
        """
        for name in self.seconds:
            mark = self.mark(name)
            rival, ours = (name, OURS) if mark is None else (mark.rival, mark.ours)
            if rival != ours and rival in self.seconds and ours in self.seconds:
                pairs = zip(self.seconds[rival], self.seconds[ours], strict=False)
                yield name, mark, statistics.median(theirs / own for theirs, own in pairs)


def trajectory(run: Callable[[], Any], parameters: Callable[[], Any], steps: int = 3) -> Callable[[], Any]:
    """Return what training contenders must agree on: the losses of some steps, and the parameters after them.

    A gradient that is wrong shows in the parameters.
    """
    return lambda: np.concatenate([[float(run()) for _ in range(steps)], np.ravel(parameters())])


def measured(work: Work, rounds: int, block: float) -> Times:
    """Time the contenders of a work in interleaved blocks of about `block` seconds.

    A slow moment of the machine hits all of them; who begins changes from round to round. The garbage of one block is
    cleared away, off the clock, before the next one; what the libraries hold is kept out of the collector's sight, so
    that nobody pays for walking over somebody else's modules.
    """
    times = Times(work)
    contenders: dict[str, Contender] = {}
    for name, make in work.makers.items():
        try:
            contenders[name] = make()
        except ImportError as error:
            times.missing[name] = f"{error.name or error} not installed"
    if not contenders:
        return times
    _check(work, contenders)
    gc.collect()
    gc.freeze()
    repeats = {name: _repeats(contender, block) for name, contender in contenders.items()}
    names = list(contenders)
    busy: dict[str, list[float]] = {name: [] for name in names}
    times.seconds = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            contender = contenders[name]
            if contender.rounds is None or number < contender.rounds:
                seconds, cpu_seconds = _block(contender.run, repeats[name])
                times.seconds[name].append(seconds / repeats[name] / contender.share)
                busy[name].append(cpu_seconds / seconds)
    gc.unfreeze()
    times.busy = {name: statistics.median(shares) for name, shares in busy.items()}
    return times


def _check(work: Work, contenders: Mapping[str, Contender]) -> None:
    """Make sure that all compute the same.

    Raises
    ------
    AssertionError
        If one computes something else; it names it.
    """
    numbers = {name: np.asarray(contender.numbers(), dtype=float) for name, contender in contenders.items()}
    first, *others = numbers
    for name in others:
        expected, found = numbers[first], numbers[name]
        if expected.shape != found.shape:
            raise AssertionError(f"{work.key}: {name!r} has {found.shape} numbers, {first!r} {expected.shape}")
        apart = np.abs(found - expected).max() / np.abs(expected).max()
        if not apart <= work.tolerance:
            raise AssertionError(f"{work.key}: {name!r} and {first!r} disagree by {apart:.1e}")


def _repeats(contender: Contender, block: float) -> int:
    """Return how often a contender runs in a block; the runs that find out warm it up too."""
    repeats = 1
    while True:
        seconds, _ = _block(contender.run, repeats)
        if seconds >= block / 4:
            return max(1, round(repeats * block / seconds))
        repeats *= 4


def _block(run: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Return the seconds that some runs took, on the clock and of the processor."""
    gc.collect()
    cpu_start, start = time.process_time(), time.perf_counter()
    for _ in range(repeats):
        run()
    return time.perf_counter() - start, time.process_time() - cpu_start
