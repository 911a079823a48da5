"""The state of a training as data: taken after every epoch, put back after Ctrl-C, and kept in files."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from autograd_mini.nn.module import Module
    from autograd_mini.training.trainer import Trainer

_PARTS = ("model", "parameters", "optimizer", "generators", "stopping", "history")


def of_training(trainer: Trainer) -> dict[str, Any]:
    """Return a copy of everything that changes while a trainer trains."""
    history = trainer.history
    return {
        "model": trainer.model.state_dict(),
        "best_model": copy.deepcopy(trainer._best_model),
        "parameters": np.array([parameter.data for parameter in trainer.optimizer.parameters]),
        "optimizer": trainer.optimizer.state_dict(),
        "generators": {name: generator.bit_generator.state for name, generator in _generators(trainer)},
        "stopping": [rule.state_dict() for rule in trainer.stopping],
        "history": {
            "loss": list(history.loss),
            "validation_loss": list(history.validation_loss),
            "metrics": copy.deepcopy(history.metrics),
        },
    }


def restore_training(trainer: Trainer, state: Mapping[str, Any]) -> None:
    """Put a trainer into a state that `of_training` took.

    Raises
    ------
    ValueError
        If the state doesn't fit; it is looked at before anything is changed, as far as its parts allow.
    """
    missing = [part for part in _PARTS if part not in state]
    if missing:
        raise ValueError(f"the state of the training lacks {', '.join(missing)}; expected what Trainer.state_dict gave")
    generators = dict(_generators(trainer))
    parameters, numbers = trainer.optimizer.parameters, np.asarray(state["parameters"], dtype=float)
    if numbers.shape != (len(parameters),):
        raise ValueError(f"the state has {numbers.size} parameters, this trainer's optimizer has {len(parameters)}")
    if set(generators) != set(state["generators"]):
        raise ValueError(
            f"the state has the generators {sorted(state['generators'])}, this trainer {sorted(generators)}"
        )
    if len(trainer.stopping) != len(state["stopping"]):
        raise ValueError(f"the state has {len(state['stopping'])} stopping rules, this trainer {len(trainer.stopping)}")
    trainer.model.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    for parameter, number in zip(parameters, numbers.tolist(), strict=True):
        parameter.data = number
    for name, generator in generators.items():
        generator.bit_generator.state = state["generators"][name]
    for rule, rule_state in zip(trainer.stopping, state["stopping"], strict=True):
        rule.load_state_dict(rule_state)
    trainer._best_model = copy.deepcopy(state.get("best_model"))
    history = trainer.history
    history.loss[:] = state["history"]["loss"]
    history.validation_loss[:] = state["history"]["validation_loss"]
    history.metrics = copy.deepcopy(dict(state["history"]["metrics"]))


def _generators(trainer: Trainer) -> Iterator[tuple[str, np.random.Generator]]:
    """Iterate over the random generators of a training: the trainer's own, and those of modules such as `Dropout`."""
    yield "trainer", trainer.rng
    yield from _module_generators(trainer.model)


def _module_generators(model: Module) -> Iterator[tuple[str, np.random.Generator]]:
    for name, module in model.named_modules():
        for attribute, thing in vars(module).items():
            if isinstance(thing, np.random.Generator):
                yield f"model.{name}.{attribute}" if name else f"model.{attribute}", thing


class Checkpoint:
    """The state after the last finished epoch, kept for Ctrl-C.

    Where no callback can have changed anything else, it is only what training itself changes: taken in a moment,
    also in a long training of a small network.

    Parameters
    ----------
    trainer : Trainer
        Whose state.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._is_full = any(not getattr(callback, "only_watches", False) for callback in trainer.callbacks)
        self._state: Any = None
        if not self._is_full:
            self._leaves = list(dict.fromkeys([*trainer.model.parameters(), *trainer.optimizer.parameters]))
            modules = [module for _, module in trainer.model.named_modules()]
            self._with_statistics = [module for module in modules if getattr(module, "needs_batch", False)]
            self._generators = [generator for _, generator in _generators(trainer)]
        self.take()

    def take(self) -> None:
        """Keep the present state."""
        trainer = self._trainer
        if self._is_full:
            self._state = of_training(trainer)
            return
        history = trainer.history
        self._state = (
            [leaf._data for leaf in self._leaves],
            [module.state_dict() for module in self._with_statistics],
            [generator.bit_generator.state for generator in self._generators],
            [rule.state_dict() for rule in trainer.stopping],
            {name: copy.copy(entry) for name, entry in trainer.optimizer.state.items()},
            trainer.optimizer.steps,
            trainer._best_model,
            (len(history.loss), len(history.validation_loss)),
        )

    def restore(self) -> None:
        """Put the trainer back into the state that was kept."""
        trainer = self._trainer
        if self._is_full:
            restore_training(trainer, self._state)
            return
        data, statistics, generators, rules, state, steps, best, (n_loss, n_validation) = self._state
        for leaf, number in zip(self._leaves, data, strict=True):
            leaf.data = number
        for module, entries in zip(self._with_statistics, statistics, strict=True):
            module.load_state_dict(entries)
        for generator, generator_state in zip(self._generators, generators, strict=True):
            generator.bit_generator.state = generator_state
        for rule, rule_state in zip(trainer.stopping, rules, strict=True):
            rule.load_state_dict(rule_state)
        trainer.optimizer.state, trainer.optimizer.steps, trainer._best_model = state, steps, best
        history = trainer.history
        del history.loss[n_loss:], history.validation_loss[n_validation:]
        for column in history.metrics.values():
            del column[n_loss:]
