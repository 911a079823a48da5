"""The vectorized engine of training: the loss of one example, traced once, runs on whole batches as an array program.

Parameters, gradients and the optimizer's state are flat arrays during an epoch. They are written back to the Values at
its end and at any error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_mini.errors import TraceError
from autograd_mini.optim.clipping import vector_norm
from autograd_mini.training import gradients
from autograd_mini.training.data import Array, augmented_array, epoch_order
from autograd_mini.vectorizer.checks import against_eager, choices
from autograd_mini.vectorizer.compiled import Compiled
from autograd_mini.vectorizer.program import Program
from autograd_mini.vectorizer.resident import Resident

if TYPE_CHECKING:
    from autograd_mini.training.trainer import Trainer

Examples = tuple[Array, Array]
_SIMPLE = (int, float, str, bool, type(None), np.integer, np.floating)


class VectorizedEngine:
    """Trains by running an array program on every batch."""

    name = "vectorized"

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._key: Any = None
        self._programs_key: Any = None
        self._programs: dict[str, Program] = {}

    def prepared(self, X: Array, y: Array) -> Examples:
        """Return examples in the form that `epoch` and `mean_loss` take; the program is made, if it isn't yet."""
        self._follow(X, y)
        choices(self._resident.resident.compiled, [X.reshape(len(X), -1), y.reshape(len(y), -1)])
        return X, y

    # ------------------------------------------------------------------------------------------------ training

    def _follow(self, X: Array, y: Array) -> None:
        """Trace the loss anew if the model, its mode, the penalty or the optimizer isn't what it was."""
        key = (X.shape[1:], y.shape[1:], _fingerprint(self.trainer))
        if key != self._key:
            self._resident, self._key = _Training(self.trainer, X, y), key

    def epoch(self, examples: Examples) -> float:
        """Go once through the examples, and return their mean loss, each as it was when it was used."""
        X, y = examples
        if self.trainer.callbacks:  # which may have changed the model
            self._follow(X, y)
        training = self._resident
        training.load()
        try:
            with np.errstate(all="ignore"):
                return training.epoch(X, y)
        finally:
            training.store()

    # ---------------------------------------------------------------------------------------------- evaluating

    def mean_loss(self, examples: Examples) -> float:
        """Return the mean loss on examples, in evaluation mode."""
        trainer = self.trainer
        X, y = examples
        program = self._program("loss", lambda x, t: trainer.loss(trainer.model(x), t))
        with gradients.evaluating(trainer.model):
            return float(np.mean(program(X, y)))

    def outputs(self, X: Array) -> np.ndarray[Any, Any]:
        """Return the model's outputs for every row, in evaluation mode."""
        model = self.trainer.model
        program = self._program("outputs", lambda x: model(x))
        try:
            with gradients.evaluating(model):
                return program(X)  # type: ignore[no-any-return]
        except (TraceError, TypeError):  # lists in lists, or pairs
            return gradients.outputs(model, X.tolist())

    def _program(self, name: str, f: Callable[..., Any]) -> Program:
        """Return an evaluation program; made anew where the model has changed."""
        key = _fingerprint(self.trainer)
        if self._programs_key != key:
            self._programs, self._programs_key = {}, key
        if name not in self._programs:
            self._programs[name] = Program(f)
        return self._programs[name]


class _Training:
    """A training program with its parameters, and where the optimizer's are in them."""

    def __init__(self, trainer: Trainer, X: Array, y: Array) -> None:
        self.trainer = trainer
        model, loss, penalty = trainer.model, trainer.loss, trainer.penalty

        def objective(x: Any, t: Any) -> Any:
            value = loss(model(x), t)
            return value if penalty is None else value + penalty(model)

        backend, n_devices = ("numpy", 1) if trainer.devices is None else ("jax", trainer.devices)
        compiled = Compiled(objective, [X[0], y[0]], ["x", "t"], "parameters", "float64", backend, n_devices)
        if compiled.is_list:
            raise TraceError(f"the loss returned a list of {len(compiled.scalars.outputs)}, expected one number")
        _check(objective, compiled, X, y)
        self.resident = Resident(compiled)
        self._locate()

    def _locate(self) -> None:
        """Find the optimizer's parameters in the flat vector."""
        parameters = self.trainer.optimizer.parameters
        place = {leaf: k for k, leaf in enumerate(self.resident.leaves)}
        at = [place.get(p, -1) for p in parameters]
        self._known = np.array([k >= 0 for k in at])
        self._at = np.array([k for k in at if k >= 0], dtype=np.intp)
        self._is_prefix = at == list(range(len(at)))
        present = [not p.is_frozen and (k >= 0 or p.grad is not None) for p, k in zip(parameters, at, strict=True)]
        self._present = None if all(present) else np.array(present)

    def load(self) -> None:
        """Take over the Values' data."""
        self.resident.load()
        self._data = np.array([parameter._data for parameter in self.trainer.optimizer.parameters])
        self._last_finite, self._gradient = np.array(self.trainer._last_finite), np.zeros(len(self._data))

    def store(self) -> None:
        """Write data and gradients back to the Values."""
        self.trainer._last_finite = self._last_finite.tolist()
        triples = zip(self.trainer.optimizer.parameters, self._data.tolist(), self._gradient.tolist(), strict=True)
        present = self._present if self._present is not None else np.ones(len(self._data), dtype=bool)
        for (parameter, number, gradient), has_gradient in zip(triples, present.tolist(), strict=True):
            parameter._data = number
            if has_gradient:
                parameter.grad = gradient

    def epoch(self, X: Array, y: Array) -> float:
        """Go once through the examples."""
        trainer, n = self.trainer, len(X)
        order = epoch_order(n, trainer.batch_size, trainer.rng, trainer.sampling)
        size = min(trainer.batch_size or n, n)
        rows, targets = X.reshape(n, -1)[order], y.reshape(n, -1)[order]
        total = 0.0
        for number, start in enumerate(range(0, n, size), start=1):
            end = min(start + size, n)
            chosen = rows[start:end]
            if trainer.augment is not None:
                batch = augmented_array(chosen.reshape(-1, *X.shape[1:]), trainer.augment, trainer.rng)
                chosen = batch.reshape(end - start, -1)
            total += self._step((chosen, targets[start:end]), end - start, number) * (end - start)
        return total / n

    def _step(self, columns: tuple[Array, Array], n: int, number: int) -> float:
        """Take one step of the optimizer, and return the batch's loss."""
        trainer, resident = self.trainer, self.resident
        loss = resident.loss(columns, n)
        if not math.isfinite(loss):
            self._give_up(f"the loss became {loss}", number)
        self._last_finite = self._data
        self._gradient = gradient = self._clipped(self._gathered())
        data = trainer.optimizer.advance(self._data, gradient, self._present)
        self._data = data
        if not np.isfinite(data).all():
            self._give_up("a parameter became infinite or nan", number)
        if self._is_prefix:
            resident.theta[: len(data)] = data
        else:
            resident.theta[self._at] = data[self._known]
        return loss

    def _gathered(self) -> Array:
        """Return the gradient of the optimizer's parameters, in its order."""
        gradient = self.resident.gradient
        if self._is_prefix:
            return gradient[: len(self._data)].copy()  # type: ignore[no-any-return]
        found = np.zeros(len(self._data))
        found[self._known] = gradient[self._at]
        return found

    def _clipped(self, gradient: Array) -> Array:
        trainer = self.trainer
        if trainer.clip_value is not None:
            gradient = np.clip(gradient, -trainer.clip_value, trainer.clip_value)
        if trainer.clip_norm is not None:
            factor = trainer.clip_norm / (vector_norm(gradient) + 1e-6)
            gradient = gradient if factor >= 1.0 else gradient * factor
        return gradient

    def _give_up(self, what: str, number: int) -> None:
        self.trainer._last_finite = self._last_finite.tolist()
        self._data = self._last_finite
        self.trainer._stop(what, number)


def _check(objective: Callable[..., Any], compiled: Compiled, X: Array, y: Array) -> None:
    """Compare the program with the eager engine on a few examples, without a draw from the model's generators."""
    few = [0, len(X) // 2, len(X) - 1]
    columns = [X.reshape(len(X), -1)[few], y.reshape(len(y), -1)[few]]
    if compiled.draws:
        columns.append(compiled.masks(len(few), np.random.default_rng(0)))  # type: ignore[arg-type]
    against_eager(objective, compiled, columns, len(few))


def _fingerprint(trainer: Trainer) -> Any:
    """Return what a traced program took for granted: if it is another, the program is, too."""
    model = trainer.model
    return (
        tuple((id(part), _simple(part)) for _, part in model.named_modules()),
        tuple((id(p), type(p)) for p in model.parameters()),
        tuple(map(id, trainer.optimizer.parameters)),
        id(trainer.loss),
        None if trainer.penalty is None else (id(trainer.penalty), _penalty_key(trainer.penalty)),
    )


def _simple(thing: Any) -> Any:
    """Return the plain attributes of an object."""
    return tuple([(k, v) for k, v in getattr(thing, "__dict__", {}).items() if isinstance(v, _SIMPLE)])


def _penalty_key(penalty: Any) -> Any:
    return _simple(penalty), tuple([_simple(part) for part in getattr(penalty, "parts", ())])
