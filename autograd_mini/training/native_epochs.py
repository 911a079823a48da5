"""Epochs on the native machine: batches, gradients, clipping and the optimizer's rule without Python in between.

A call of the machine takes a hundredth of a second, then Python looks for Ctrl-C and compares a row with the eager
engine, if that is due. What the machine doesn't know is left to the loop of `Trainer`, which does the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.native import epoch as e
from autograd_mini.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from autograd_mini.optim.schedules import Schedule
from autograd_mini.vectorizer import anomalies
from autograd_mini.vectorizer.compiled import Compiled
from autograd_mini.vectorizer.running import Resident, hand_over_effects

SECONDS, MOST_SECONDS = 0.01, 0.03  # that a call of the machine takes, and after which it takes no further batch
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


def can_run(compiled: Compiled) -> bool:
    """Return whether the machine runs whole epochs of a program: not if an index that it computes must be looked at."""
    return (
        compiled.runs_on[0] == "native"
        and not compiled.indices
        and not any(view.array.varies for view in compiled.program.effects)
        and not anomalies.are_looked_for()
        and all(isinstance(draws.rng, np.random.Generator) for draws in compiled.draws)
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

    Attributes
    ----------
    theta, before, gradient : numpy.ndarray
        θ, what it was before the last step, and the gradient of that step.
    """

    def __init__(self, resident: Resident, columns: Sequence[Array], size: int, place: Array) -> None:
        self._compiled = compiled = resident.compiled
        n, widths, parameters = len(columns[0]), compiled.sizes, len(place)
        self._epoch = epoch = e.Epoch(n=n, size=size, columns=len(widths), parameters=parameters)
        self._given = columns
        self._columns = [np.ascontiguousarray(column, np.float64) for column in columns]
        for k, data in enumerate(self._columns):
            epoch.column[k] = e.Column(e.address(data, n * widths[k]), n, widths[k], 0)
        self._masks = epoch.column[len(columns)]
        self._machines = []  # which hold the memory
        for k, examples in enumerate((size, n % size)):
            if examples:
                machine = compiled.workspace(examples, resident.theta, resident.gradient).filled_in(1.0 / examples)
                (output,), effects = machine.results[:2]
                epoch.effects_each = sum(map(len, effects))
                at = effects[0].ctypes.data if effects else None
                epoch.batches[k] = e.Batches(machine.address, output.ctypes.data, at, output.size)
                self._machines.append(machine)
        epoch.instruction_set, self._library = machine.native.set_number, machine.native.library
        epoch.seconds = MOST_SECONDS
        epoch.program_theta = e.address(resident.theta, len(resident.theta))
        self._whole = -(-n // size)
        numbers = max(epoch.effects_each, size * widths[-1] if compiled.draws else 0)  # of a batch
        self._most = min(max(1, _MOST_NUMBERS // numbers), self._whole) if numbers else self._whole
        self._seconds = SECONDS  # that a batch takes; the first one is tried alone
        # What the machine reads and writes.
        self.theta, self.before, self.gradient, *states = np.zeros((3 + e.MOST_STATES, parameters))
        if np.array_equal(place, np.arange(len(resident.theta))):  # the program's own: it isn't copied at each step
            self.theta = resident.theta
        self._order, self._place = np.zeros(n, np.int64), np.ascontiguousarray(place, np.int64)
        self._present, self._rates = np.zeros(parameters, np.bool_), np.zeros(self._most)
        self._effects = np.zeros((self._most, epoch.effects_each))
        epoch.theta, epoch.before, epoch.gradient = (
            e.address(array, parameters) for array in (self.theta, self.before, self.gradient)
        )
        self._states = [(state, e.address(state, parameters)) for state in states]
        epoch.order, epoch.place = e.address(self._order, n, np.int64), e.address(self._place, parameters, np.int64)
        self._present_at = e.address(self._present, parameters, np.bool_)
        epoch.rates = e.address(self._rates, self._most)
        epoch.effects = e.address(self._effects, self._most * epoch.effects_each)

    def take_up(
        self, theta: Array, optimizer: Optimizer, present: Array | None, clip: tuple[float | None, float | None]
    ) -> bool:
        """Take over where a training is; return whether the machine knows how it goes on.

        Parameters
        ----------
        theta : numpy.ndarray
            The parameters' present numbers.
        optimizer : Optimizer
            How to step; its state goes on.
        present : numpy.ndarray of bool, or None
            See `Optimizer.advance`.
        clip : pair of float or None
            The bounds of each derivative and of the gradient's norm.
        """
        epoch, kind, own = self._epoch, type(optimizer), vars(optimizer)
        if _KNOWN.get(kind) != (kind.update, kind.advance) or "update" in own or "advance" in own:
            return False
        try:
            for name in e.HYPERPARAMETERS:
                setattr(epoch, name, own.get(name, 0.0))
            epoch.beta1, epoch.beta2 = own.get("betas", (0.0, 0.0))
            epoch.nesterov, epoch.centered = own.get("nesterov", False), own.get("centered", False)
            before = optimizer.initial_state() | optimizer.state
            steps = np.ravel(before.get("step", 0))
            if len(steps) > 1 and present is not None:
                steps = steps[present]
            epoch.step = self._first_step = int(steps[0]) if len(steps) else 0
            epoch.rule, names = _RULES[kind]
            arrays = {}
            for k, name in enumerate(names):
                epoch.state[k] = None
                if name not in _NEEDED_FOR or own[_NEEDED_FOR[name]]:
                    arrays[name], epoch.state[k] = self._states[k]
                    arrays[name][:] = before[name]
        except (TypeError, ValueError):  # something that isn't a number, but, say, one for each parameter
            return False
        if not ((steps == epoch.step).all() and 0.0 <= epoch.beta1 < 1.0 and 0.0 <= epoch.beta2 < 1.0):
            return False  # as of parameters that were frozen meanwhile
        if present is None:
            epoch.present = None
        else:
            self._present[:], epoch.present = present, self._present_at
        self.theta[:] = theta
        epoch.clip_value, epoch.clip_norm = (bound or 0.0 for bound in clip)
        self._optimizer, self._state_before, self._arrays = optimizer, before, arrays
        return True

    def run(self, order: Array) -> Iterator[e.Epoch]:
        """Run an epoch, some batches at a time, up to one after which something isn't finite.

        Parameters
        ----------
        order : numpy.ndarray of int
            The examples in their order.

        Yields
        ------
        Epoch
            What the machine says after each of its calls.
        """
        epoch, compiled = self._epoch, self._compiled
        self._order[:] = order
        for own, given in zip(self._columns, self._given, strict=True):
            if not np.may_share_memory(own, given):  # a copy of what may have changed
                own[:] = given
        epoch.total, epoch.first = 0.0, 0
        while epoch.first < self._whole:
            count = min(int(SECONDS / self._seconds) or 1, self._most, self._whole - epoch.first)
            epoch.count = self._fill_in_rates(count)
            drawn_before = [(draws.rng.bit_generator, draws.rng.bit_generator.state) for draws in compiled.draws]
            if drawn_before:
                examples = min(epoch.count * epoch.size, epoch.n - epoch.first * epoch.size)
                masks: Any = compiled.masks(examples, None)
                at, width = e.address(masks, masks.size), masks.shape[1]
                self._masks.data, self._masks.rows, self._masks.width, self._masks.is_drawn = at, examples, width, 1
            started = time.perf_counter()
            epoch.run_by(self._library)
            self._seconds = max((time.perf_counter() - started) / epoch.run, self._seconds / 8)
            if drawn_before and epoch.run < epoch.count:  # for the batches that weren't run nothing was drawn
                for generator, drawn in drawn_before:
                    generator.state = drawn
                compiled.masks(epoch.run * epoch.size, None)
            if epoch.stepped:
                self._step_on()
            for k, numbers in enumerate(self._effects[: epoch.run] if epoch.effects_each else ()):
                start = (epoch.first + k) * epoch.size
                hand_over_effects(compiled, [numbers], min(epoch.size, epoch.n - start))
            yield epoch
            epoch.first += epoch.run

    def _fill_in_rates(self, count: int) -> int:
        """Fill in the learning rates of so many steps; of a function, that may be another one after it, of one alone.

        Returns how many they are.
        """
        optimizer = self._optimizer
        if optimizer.schedule is None:
            self._rates[:count] = optimizer.lr
            return count
        if isinstance(optimizer.schedule, Schedule):
            try:
                self._rates[:count] = [optimizer._rate_at(optimizer.steps + k) for k in range(count)]
                return count
            except Exception:  # which the step that it belongs to shall raise
                pass
        self._rates[0] = optimizer.lr
        return 1

    def _step_on(self) -> None:
        """Give the optimizer the state that it has after a call of the machine."""
        epoch, optimizer, before, present = self._epoch, self._optimizer, self._state_before, self._epoch.present
        optimizer.steps += epoch.stepped
        now = before | {name: array.copy() for name, array in self._arrays.items()}
        if "step" in now and self._arrays:
            now["step"] = before["step"] + (epoch.step - self._first_step)
        if present is not None:
            now = {name: np.where(self._present, entry, before[name]) for name, entry in now.items()}
        optimizer.state = now

    def examples(self, order: Array) -> list[Array]:
        """Return the examples of the last batch that was run, features and targets."""
        start = (self._epoch.first + self._epoch.run - 1) * self._epoch.size
        return [column[order[start : start + self._epoch.size]] for column in self._columns]
