"""Epochs on the native machine: batches, gradients, clipping and the optimizer's rule without Python in between.

A call of the machine takes a hundredth of a second, then Python looks for Ctrl-C and compares a row with the eager
engine, if that is due. What the machine doesn't know is left to the loop of `Trainer`, which does the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.native import epoch as e
from autograd_mini.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from autograd_mini.optim.schedules import Schedule
from autograd_mini.vectorizer import anomalies
from autograd_mini.vectorizer.compiled import Compiled
from autograd_mini.vectorizer.running import Resident, hand_over_effects

SECONDS = 0.01  # that a call of the machine takes, about
_MOST_NUMBERS = 1 << 18  # of random leaves, or of what modules ask for, in a call
# The rules: what each is called, and what it remembers.
_RULES: dict[type[Optimizer], tuple[int, tuple[str, ...]]] = {
    SGD: (e.SGD, ("momentum_buffer",)),
    Adagrad: (e.ADAGRAD, ("sum",)),
    RMSprop: (e.RMSPROP, ("square_avg", "grad_avg", "momentum_buffer")),
    Adam: (e.ADAM, ("exp_avg", "exp_avg_sq")),
    AdamW: (e.ADAMW, ("exp_avg", "exp_avg_sq")),
}
_NEEDED_FOR = {"momentum_buffer": "momentum", "grad_avg": "centered"}  # what is remembered only where a number isn't 0
_KNOWN = {kind: (kind.update, kind.advance) for kind in _RULES}


def knows(optimizer: Optimizer, present: Array | None) -> bool:
    """Return whether the machine has the rule of an optimizer, and can go on from its state; see `advance`."""
    kind, state = type(optimizer), optimizer.state
    if _KNOWN.get(kind) != (kind.update, kind.advance) or not vars(optimizer).keys().isdisjoint(("update", "advance")):
        return False
    numbers = [getattr(optimizer, name) for name in e.HYPERPARAMETERS if hasattr(optimizer, name)]
    numbers += getattr(optimizer, "betas", ())
    shapes = (), (len(optimizer.parameters),)
    return (
        all(isinstance(number, (float, int)) for number in numbers)
        and all(0.0 <= beta < 1.0 for beta in getattr(optimizer, "betas", ()))
        and all(np.shape(entry) in shapes and np.asarray(entry).dtype.kind in "iuf" for entry in state.values())
        and _step(state, present) is not None
    )


def can_run(compiled: Compiled) -> bool:
    """Return whether the machine runs whole epochs of a program: not if an index that it computes must be looked at."""
    return (
        compiled.runs_on[0] == "native"
        and not compiled.indices
        and not anomalies.are_looked_for()
        and 0 not in compiled.sizes
        and len(compiled.sizes) <= e.MOST_COLUMNS
    )


class NativeEpochs:
    """A training's program, bound to its examples.

    Parameters
    ----------
    resident : Resident
        The program.
    columns : list of numpy.ndarray
        The features and the targets, a row for each example.
    size : int
        How many make a batch; the last may be smaller.
    place : numpy.ndarray of int
        Where each of the trained parameters is in the program's flat array, -1 for nowhere.
    """

    def __init__(self, resident: Resident, columns: Sequence[Array], size: int, place: Array) -> None:
        self._compiled = compiled = resident.compiled
        n, widths = len(columns[0]), compiled.sizes
        self._columns = [np.ascontiguousarray(column, np.float64) for column in columns]
        self._place = np.ascontiguousarray(place, np.int64)
        self._epoch = epoch = e.Epoch(n=n, size=size, columns=len(widths), parameters=len(place))
        for k, data in enumerate(self._columns):
            epoch.column[k] = e.Column(e.address(data, n * widths[k]), n, widths[k], 0)
        self._masks = epoch.column[len(columns)]
        self._machines = []
        for k, examples in enumerate((size, n % size)):
            if examples:
                machine = compiled.workspace(examples, resident.theta, resident.gradient).filled_in(1.0 / examples)
                (output,), effects = machine.results[:2]
                epoch.effects_each = sum(map(len, effects))
                at = effects[0].ctypes.data if effects else None
                epoch.batches[k] = e.Batches(machine.address, output.ctypes.data, at, output.size)
                self._machines.append(machine)
        epoch.instruction_set, self._library = machine.native.set_number, machine.native.library
        epoch.place = e.address(self._place, len(place), np.int64)
        epoch.program_theta = e.address(resident.theta, len(resident.theta))
        numbers = max(epoch.effects_each, size * widths[-1] if compiled.draws else 0)  # of a batch
        self._whole = -(-n // size)
        self._most = max(1, _MOST_NUMBERS // numbers) if numbers else self._whole
        self._seconds = SECONDS  # that a batch takes; the first one is tried alone

    def run(
        self,
        order: Array,
        optimizer: Optimizer,
        clip: tuple[float | None, float | None],
        theta: Array,
        before: Array,
        gradient: Array,
        present: Array | None,
    ) -> Iterator[e.Epoch]:
        """Run an epoch, some batches at a time, up to one after which something isn't finite.

        Parameters
        ----------
        order : numpy.ndarray of int
            The examples in their order.
        optimizer : Optimizer
            How to step; its state goes on.
        clip : pair of float or None
            The bounds of each derivative and of the gradient's norm.
        theta, before, gradient : numpy.ndarray
            Are filled in: θ, what it was before the last step, and the gradient of that step.
        present : numpy.ndarray of bool, or None
            See `Optimizer.advance`.

        Yields
        ------
        Epoch
            What the machine says after each of its calls.
        """
        epoch, compiled, count = self._epoch, self._compiled, len(theta)
        order = np.ascontiguousarray(order, np.int64)
        epoch.order = e.address(order, epoch.n, np.int64)
        epoch.theta, epoch.before, epoch.gradient = (e.address(array, count) for array in (theta, before, gradient))
        epoch.present = None if present is None else e.address(present, count, np.bool_)
        epoch.clip_value, epoch.clip_norm = (bound or 0.0 for bound in clip)
        state = _State(epoch, optimizer, present)
        epoch.total, epoch.first = 0.0, 0
        while epoch.first < self._whole:
            wanted = min(int(SECONDS / self._seconds) or 1, self._most, self._whole - epoch.first)
            rates = _rates(optimizer, wanted)
            epoch.rates, epoch.count = rates.ctypes.data, len(rates)
            examples = min(epoch.count * epoch.size, epoch.n - epoch.first * epoch.size)
            drawn_before = [(draws.rng.bit_generator, draws.rng.bit_generator.state) for draws in compiled.draws]
            masks = compiled.masks(examples, None)
            if masks is not None:
                width = masks.shape[1]
                self._masks.data, self._masks.rows = e.address(masks, examples * width), examples
                self._masks.width, self._masks.is_drawn = width, 1
            effects = np.empty((epoch.count, epoch.effects_each))
            epoch.effects = effects.ctypes.data
            started = time.perf_counter()
            epoch.run_by(self._library)
            self._seconds = max((time.perf_counter() - started) / epoch.run, self._seconds / 8)
            if masks is not None and epoch.run < epoch.count:  # for the batches that weren't run nothing was drawn
                for generator, drawn in drawn_before:
                    generator.state = drawn
                compiled.masks(epoch.run * epoch.size, None)
            state.go_on(epoch)
            if epoch.effects_each:
                for k, numbers in enumerate(effects[: epoch.run]):
                    is_last = epoch.first + k == self._whole - 1
                    n = epoch.n - epoch.size * (self._whole - 1) if is_last else epoch.size
                    hand_over_effects(compiled, [numbers], n)
            yield epoch
            epoch.first += epoch.count

    def examples(self, order: Array) -> list[Array]:
        """Return the examples of the last batch that was run, features and targets."""
        start = (self._epoch.first + self._epoch.run - 1) * self._epoch.size
        return [column[order[start : start + self._epoch.size]] for column in self._columns]


class _State:
    """What a rule remembers, as arrays that the machine changes in place while it runs an epoch."""

    def __init__(self, epoch: e.Epoch, optimizer: Optimizer, present: Array | None) -> None:
        self._optimizer, self._present = optimizer, present
        epoch.rule, names = _RULES[type(optimizer)]
        for name in e.HYPERPARAMETERS:
            setattr(epoch, name, getattr(optimizer, name, 0.0))
        epoch.beta1, epoch.beta2 = getattr(optimizer, "betas", (0.0, 0.0))
        epoch.nesterov, epoch.centered = (getattr(optimizer, name, False) for name in ("nesterov", "centered"))
        self._before = optimizer.initial_state() | optimizer.state
        self._arrays: dict[str, Array] = {}
        for k, name in enumerate(names):
            epoch.state[k] = None
            if name not in _NEEDED_FOR or getattr(optimizer, _NEEDED_FOR[name]):
                entry = np.empty(epoch.parameters)
                entry[:] = self._before[name]
                self._arrays[name], epoch.state[k] = entry, entry.ctypes.data
        self._first = epoch.step = _step(self._before, present) or 0

    def go_on(self, epoch: e.Epoch) -> None:
        """Give the optimizer the state that it has after a call of the machine."""
        optimizer, before, present = self._optimizer, self._before, self._present
        if not epoch.stepped:
            return
        optimizer.steps += epoch.stepped
        now = before | self._arrays
        if "step" in now and self._arrays:
            now["step"] = before["step"] + (epoch.step - self._first)
        if present is not None:
            now = {name: np.where(present, entry, before[name]) for name, entry in now.items()}
        optimizer.state = now


def _step(state: Mapping[str, Any], present: Array | None) -> int | None:
    """Return how many steps a rule has counted; None where parameters differ in it, as some were frozen meanwhile."""
    steps = np.ravel(state.get("step", 0))
    if present is not None and len(steps) > 1:
        steps = steps[present]
    first = int(steps[0]) if len(steps) else 0
    return first if (steps == first).all() else None


def _rates(optimizer: Optimizer, count: int) -> Array:
    """Return the learning rates of the next steps; one alone of a function that may be another one after it."""
    if optimizer.schedule is None:
        return np.full(count, optimizer.lr)
    if isinstance(optimizer.schedule, Schedule):
        try:
            return np.array([optimizer.rate(optimizer.steps + k) for k in range(count)])
        except Exception:  # which the step that it belongs to shall raise
            pass
    return np.array([optimizer.lr])
