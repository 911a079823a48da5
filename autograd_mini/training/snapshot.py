"""The state of a training as data: taken after every epoch, put back after Ctrl-C, and kept in files."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array, is_number
from autograd_mini.engine.value import Value
from autograd_mini.nn.module import Module
from autograd_mini.nn.settings import check_settings, settings
from autograd_mini.optim import Optimizer
from autograd_mini.training.history import History
from autograd_mini.training.stopping import StoppingRule

_PARTS = ("model", "parameters", "optimizer", "generators", "stopping", "history")


def weights(model: Module, optimizer: Optimizer) -> dict[str, Any]:
    """Return copies of the numbers of a model and of an optimizer's parameters, and which of them are frozen."""
    return {
        "model": model.state_dict(),
        "parameters": np.array([parameter.data for parameter in optimizer.parameters]),
        "frozen": np.array([int(parameter.is_frozen) for parameter in optimizer.parameters]),
    }


def put_weights(model: Module, optimizer: Optimizer, numbers: Mapping[str, Any]) -> None:
    """Put numbers that `weights` returned back in place."""
    model.load_state_dict(numbers["model"])
    for parameter, number in zip(optimizer.parameters, np.asarray(numbers["parameters"]).tolist(), strict=True):
        parameter.data = number


class LastEpoch:
    """Where a training goes on while the parameters of a better epoch are in the model's place.

    Attributes
    ----------
    numbers : dict
        ``last``, the weights of the last epoch, and ``restored``, those that were put in their place; empty while
        nothing is.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, Any] = {}

    def set_aside(self, last: dict[str, Any], model: Module, optimizer: Optimizer) -> None:
        """Keep the weights of the last epoch, if a rule has put others in their place."""
        restored = weights(model, optimizer)
        if not is_same(last, restored):
            self.numbers = {"last": last, "restored": restored}

    def take_up(self, model: Module, optimizer: Optimizer) -> bool:
        """Put the last epoch's weights back, unless any has been changed since; return whether one has."""
        numbers, self.numbers = self.numbers, {}
        if not numbers:
            return False
        is_changed = not is_same(weights(model, optimizer), numbers["restored"])
        if not is_changed:
            put_weights(model, optimizer, numbers["last"])
        return is_changed


class TrainingState:
    """All that changes while a model is trained: copies of it, and how to put them back.

    There are two kinds of copies. `state_dict` is for another day, with names for everything. `take`, which also the
    constructor calls, is for going back after Ctrl-C: only what training itself changes, in a moment, also in a long
    training of a small network.

    Parameters
    ----------
    model, optimizer, stopping, history
        Those of the training.
    rng : numpy.random.Generator
        The training's own generator; those of modules such as `Dropout` are found in the model.
    best_model : dict
        The model's state at the best epoch; empty if there was none.
    last_epoch : LastEpoch
        Where it goes on, if the best epoch's parameters are in the model's place.
    parameters : list of Parameter, optional
        The model's, if they have been looked for already: that takes as long as a short epoch.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        stopping: Sequence[StoppingRule],
        history: History,
        rng: np.random.Generator,
        best_model: dict[str, Any],
        last_epoch: LastEpoch,
        parameters: Sequence[Value] | None = None,
    ) -> None:
        self._model, self._optimizer, self._stopping = model, optimizer, list(stopping)
        self._history, self._best_model, self._last_epoch = history, best_model, last_epoch
        self._leaves = list(dict.fromkeys([*(parameters or model.parameters()), *optimizer.parameters]))
        modules = model.named_modules()
        self._with_statistics = [module for _, module in modules if getattr(module, "needs_batch", False)]
        self._generators = {"trainer": rng}
        for name, module in modules:
            for attribute, thing in vars(module).items():
                if isinstance(thing, np.random.Generator):
                    self._generators[".".join(filter(None, ["model", name, attribute]))] = thing
        self._kept: Any = None
        self.take()

    def _common(self) -> dict[str, Any]:
        """Return what both kinds of copies hold in one form."""
        return {
            "best_model": {name: array.copy() for name, array in self._best_model.items()} or None,
            "generators": {name: generator.bit_generator.state for name, generator in self._generators.items()},
            "stopping": [rule.state_dict() for rule in self._stopping],
        }

    def _restore_common(self, state: Mapping[str, Any]) -> None:
        self._best_model.clear()
        self._best_model.update(copy.deepcopy(state.get("best_model") or {}))
        for name, generator in self._generators.items():
            generator.bit_generator.state = state["generators"][name]
        for rule, rule_state in zip(self._stopping, state["stopping"], strict=True):
            rule.load_state_dict(rule_state)

    # ------------------------------------------------------------------------------------------- for Ctrl-C

    def take(self, theta: Array | None = None) -> None:
        """Keep the present state.

        Parameters
        ----------
        theta : numpy.ndarray, optional
            The numbers of the optimizer's parameters, where they themselves have older ones; others are as they were.
        """
        optimizer = vars(self._optimizer)
        self._kept = (
            self._common(),
            [leaf._data for leaf in self._leaves] if theta is None else self._kept[1],
            None if theta is None else theta.copy(),
            [module.state_dict() for module in self._with_statistics],
            {**optimizer, "state": {name: copy.copy(entry) for name, entry in optimizer["state"].items()}},
            {name: len(column) for name, column in self._history.columns().items()},
        )

    def restore(self) -> None:
        """Put back the state that was kept."""
        common, data, theta, statistics, optimizer, epochs = self._kept
        self._restore_common(common)
        for leaf, number in zip(self._leaves, data, strict=True):
            leaf.data = number
        if theta is not None:
            for parameter, number in zip(self._optimizer.parameters, theta.tolist(), strict=True):
                parameter.data = number
        for module, entries in zip(self._with_statistics, statistics, strict=True):
            module.load_state_dict(entries)
        vars(self._optimizer).update(optimizer)
        for name, column in self._history.columns().items():
            del column[epochs.get(name, 0) :]

    # ------------------------------------------------------------------------------------- for another day

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of everything; ``last_epoch`` is there only while it isn't in the model's place."""
        numbers = weights(self._model, self._optimizer)
        apart = copy.deepcopy(self._last_epoch.numbers)
        return {
            **self._common(),
            **({"last_epoch": apart} if apart else {}),
            "model": numbers["model"],
            "settings": settings(self._model),
            "parameters": numbers["parameters"],
            "optimizer": self._optimizer.state_dict(),
            "history": dataclasses.asdict(self._history),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a training into the state that `state_dict` of one of the same making returned.

        Raises
        ------
        ValueError
            If the state doesn't fit. Whatever is raised, everything is as it was then.
        """
        missing = [part for part in _PARTS if part not in state]
        if missing:
            raise ValueError(
                f"the state of the training lacks {', '.join(missing)}; expected what Trainer.state_dict gave"
            )
        parameters, numbers = self._optimizer.parameters, np.asarray(state["parameters"], dtype=float)
        if numbers.shape != (len(parameters),):
            raise ValueError(f"the state has {numbers.size} parameters, this trainer's optimizer has {len(parameters)}")
        if set(self._generators) != set(state["generators"]):
            raise ValueError(
                f"the state has the generators {sorted(state['generators'])}, this trainer {sorted(self._generators)}"
            )
        if len(self._stopping) != len(state["stopping"]):
            raise ValueError(
                f"the state has {len(state['stopping'])} stopping rules, this trainer {len(self._stopping)}"
            )
        for name, generator in self._generators.items():
            _check_generator(name, generator, state["generators"][name])
        history = {name: _numbers(name, state["history"][name]) for name in ("loss", "validation_loss")}
        metrics = {name: _numbers(name, column) for name, column in state["history"]["metrics"].items()}
        apart = dict(state.get("last_epoch") or {})
        if state.get("settings") is not None:
            check_settings(state["settings"], self._model, "in the state")
        self.take()
        try:  # what can only be found out by trying
            if apart:
                for name in ("last", "restored"):
                    put_weights(self._model, self._optimizer, apart[name])
            if state.get("best_model") is not None:
                self._model.load_state_dict(state["best_model"])
            self._model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
            for parameter, number in zip(parameters, numbers.tolist(), strict=True):
                parameter.data = number
            self._restore_common(state)
            for rule in self._stopping:
                best = getattr(rule, "best_parameters", None)
                if best is not None and np.shape(best) != numbers.shape:
                    raise ValueError(f"best_parameters: expected {numbers.size} numbers, got {np.size(best)}")
        except BaseException:
            self.restore()
            raise
        self._history.loss[:], self._history.validation_loss[:] = history["loss"], history["validation_loss"]
        self._history.metrics = metrics
        self._last_epoch.numbers = copy.deepcopy(apart)


def _numbers(name: str, column: Any) -> list[float]:
    """Return what was recorded of a training as numbers."""
    if not isinstance(column, list) or not all(map(is_number, column)):
        raise ValueError(f"history: expected a list of numbers for {name!r:.80}, got {column!r:.80}")
    return [float(number) for number in column]


def _check_generator(name: str, generator: np.random.Generator, state: Any) -> None:
    """Raise unless a random generator can be put into a state; NumPy itself takes some that lead out of its memory."""
    twin = copy.deepcopy(generator.bit_generator)
    try:
        twin.state = state
    except ValueError as error:  # newer versions of NumPy look at some of it
        raise ValueError(f"the state of the generator {name!r} is none of a {state['bit_generator']}") from error
    places = {"pos": 624, "buffer_pos": 4}
    inside = {**state, **state["state"]} if isinstance(state["state"], dict) else state
    wrong = [place for place, size in places.items() if not 0 <= inside.get(place, 0) <= size]
    if wrong or not is_same(twin.state, state):
        raise ValueError(f"the state of the generator {name!r} is none of a {state['bit_generator']}")


def is_same(first: Any, second: Any) -> bool:
    """Return whether two dictionaries hold the same numbers, at any depth."""
    if not isinstance(first, dict):
        return bool(np.array_equal(first, second))
    return first.keys() == second.keys() and all(is_same(first[name], second[name]) for name in first)
