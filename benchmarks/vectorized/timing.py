"""How contenders are compared: they must agree, then they are timed in turn.

This library's own ways take part several times: run by each of the native machine's instruction sets, and by NumPy.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import vectorized
from autograd_mini.native.build import SWITCH
from autograd_mini.native.library import library
from autograd_mini.vectorizer.native_backend import SLOW_SETS

Array = np.ndarray[Any, Any]
OURS = "autograd_mini"
NUMPY = "0"  # what turns the machine off
ON_NUMPY = "the same, run by NumPy"  # the rival that each of our ways has in itself


def runners() -> tuple[str, ...]:
    """Return what can run a program here: the instruction sets that pay, the fastest first, and NumPy."""
    found = library()
    return (*([] if found is None else [name for name in found.sets if name not in SLOW_SETS]), NUMPY)


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
        The part of the work that `run` does, where the whole would take too long; or how often it does it.
    rounds : int, optional
        Take part in so many rounds only.
    clock : callable, optional
        Returns what of the last run counts, as `now` counted it, where that isn't all of it.
    """

    run: Callable[[], Any]
    numbers: Callable[[], Any]
    share: float = 1.0
    rounds: int | None = None
    clock: Callable[[], Array] | None = None


@dataclass(frozen=True)
class Mark:
    """The ratio that is wanted: `rival`'s time over `ours`, at least.

    Where another set of instructions than the fastest runs it, `SLOWER` of that is wanted; where NumPy does, what it
    was `before` there was a machine, less the noise of a measurement.
    """

    rival: str
    at_least: float | None = None
    ours: str = OURS
    before: float | None = None

    @property
    def label(self) -> str:
        """What stands in its row."""
        return self.rival if self.ours == OURS else f"{self.rival}, over {self.ours.removeprefix(f'{OURS}, ')}"

    def wanted(self, runner: str) -> float | None:
        """Return what is wanted of a runner."""
        if runner == NUMPY:
            return None if self.before is None else NOISE * self.before
        is_fastest = runner == runners()[0]
        return None if self.at_least is None else self.at_least * (1.0 if is_fastest else SLOWER)


SLOWER, NOISE = 0.85, 0.9
BLOCK = 0.05  # seconds


@dataclass(frozen=True)
class Work:
    """A work, the makers of its contenders, and what is wanted.

    Parameters
    ----------
    key, title : str
        What it is called on the command line and in the table.
    unit, per_second : str, float
        The unit of its times, and how many of them are in a second.
    ours, rivals : mapping
        A function for each contender that makes it; ImportError says that its package isn't installed. Ours are made
        and run once by each of the `runners`.
    marks : tuple of Mark
        What is wanted.
    tolerance : float
        How far the contenders' numbers may be apart, relative to the largest.
    """

    key: str
    title: str
    unit: str
    per_second: float
    ours: Mapping[str, Callable[[], Contender]]
    rivals: Mapping[str, Callable[[], Contender]]
    marks: tuple[Mark, ...]
    tolerance: float = 1e-9

    def rows(self) -> Iterator[Mark]:
        """Iterate over what is compared: each rival with what is wanted of it, if anything is."""
        for rival in (*([ON_NUMPY] if len(runners()) > 1 else []), *self.ours, *self.rivals):
            marks = [mark for mark in self.marks if mark.rival == rival]
            yield from marks or ([] if rival in self.ours else [Mark(rival)])


@dataclass
class Times:
    """Seconds for a work, by contender, what runs it ("" for a rival) and round, and why the others are missing."""

    work: Work
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    busy: dict[tuple[str, str], float] = field(default_factory=dict)

    def median(self, name: str, runner: str = "") -> float:
        """Return a contender's median time, in the work's unit."""
        return statistics.median(self.seconds[name, runner]) * self.work.per_second

    def ratio(self, mark: Mark, runner: str) -> float | None:
        """Return the median over the rounds of the rival's time over ours; None where there is none."""
        if mark.rival == ON_NUMPY:
            rival = (mark.ours, NUMPY)
        else:
            rival = (mark.rival, runner if mark.rival in self.work.ours else "")
        ours = (mark.ours, runner)
        if rival == ours or rival not in self.seconds or ours not in self.seconds:
            return None
        pairs = zip(self.seconds[rival], self.seconds[ours], strict=False)
        return statistics.median(theirs / own for theirs, own in pairs)


def trajectory(run: Callable[[], Any], parameters: Callable[[], Any], steps: int = 3) -> Callable[[], Any]:
    """Return what training contenders must agree on: the losses of some steps, and the parameters after them.

    A gradient that is wrong shows in the parameters.
    """
    return lambda: np.concatenate([[float(run()) for _ in range(steps)], np.ravel(parameters())])


def measured(work: Work, rounds: int) -> Times:
    """Time the contenders of a work in interleaved blocks of about `BLOCK` seconds, or of one run where it is quick.

    A slow moment of the machine hits all of them; who begins changes from round to round. The garbage of one block is
    cleared away, off the clock, before the next one; what the libraries hold is kept out of the collector's sight, so
    that nobody pays for walking over somebody else's modules.
    """
    times = Times(work)
    contenders: dict[tuple[str, str], Contender] = {}
    wanted = [(name, runner, make) for name, make in work.ours.items() for runner in runners()]
    for name, runner, make in [*wanted, *((name, "", make) for name, make in work.rivals.items())]:
        try:
            with run_by(runner):
                contenders[name, runner] = make()
        except ImportError as error:
            times.missing[name] = f"{error.name or error} isn't installed"
        else:
            if vectorized.quick and contenders[name, runner].rounds is not None:
                del contenders[name, runner]
                times.missing[name] = "left out, as it is slow"
    _check(work, contenders)
    gc.collect()
    gc.freeze()
    repeats = {key: 1 if vectorized.quick else _repeats(key[1], c) for key, c in contenders.items()}
    keys = list(contenders)
    busy: dict[tuple[str, str], list[float]] = {key: [] for key in keys}
    times.seconds = {key: [] for key in keys}
    for number in range(rounds):
        first = number % len(keys)
        for key in keys[first:] + keys[:first]:
            contender = contenders[key]
            if contender.rounds is None or number < contender.rounds:
                # The lesser: the clock counts other users of the machine, and the processor each of several threads.
                seconds, cpu_seconds = both = _block(key[1], contender, repeats[key])
                times.seconds[key].append(min(both) / repeats[key] / contender.share)
                busy[key].append(cpu_seconds / seconds)
    gc.unfreeze()
    times.busy = {key: statistics.median(shares) for key, shares in busy.items()}
    return times


@contextmanager
def run_by(runner: str) -> Iterator[None]:
    """Let programs be made and run by NumPy or an instruction set; "" leaves it to the library."""
    before = os.environ.pop(SWITCH, None)
    try:
        if runner:
            os.environ[SWITCH] = runner
        yield
    finally:
        os.environ.pop(SWITCH, None)
        if before is not None:
            os.environ[SWITCH] = before


def _check(work: Work, contenders: Mapping[tuple[str, str], Contender]) -> None:
    """Make sure that all compute the same.

    Raises
    ------
    AssertionError
        If one computes something else; it names it.
    """
    numbers = {}
    for key, contender in contenders.items():
        with run_by(key[1]):
            numbers[key] = np.asarray(contender.numbers(), dtype=float)
    first, *others = numbers
    for key in others:
        expected, found = numbers[first], numbers[key]
        if expected.shape != found.shape:
            raise AssertionError(f"{work.key}: {key} has {found.shape} numbers, {first} {expected.shape}")
        apart = np.abs(found - expected).max() / np.abs(expected).max()
        if not apart <= work.tolerance:
            raise AssertionError(f"{work.key}: {key} and {first} disagree by {apart:.1e}")


def _repeats(runner: str, contender: Contender) -> int:
    """Return how often a contender runs in a block; the runs that find out warm it up too."""
    repeats = 1
    while True:
        seconds = min(_block(runner, contender, repeats))
        if seconds >= BLOCK / 4:
            return max(1, round(repeats * BLOCK / seconds))
        repeats *= 4


def now() -> Array:
    """Return the seconds that have passed, on the clock and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def _block(runner: str, contender: Contender, repeats: int) -> Array:
    """Return the seconds that some runs took, as `now` counts them."""
    run, clock = contender.run, contender.clock
    gc.collect()
    with run_by(runner):
        if clock is not None:
            return np.sum([(run(), clock())[1] for _ in range(repeats)], axis=0)
        start = now()
        for _ in range(repeats):
            run()
        return now() - start
