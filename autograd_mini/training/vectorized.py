"""The vectorized engine of training: the loss of one example, traced once, runs on whole batches as an array program.

It holds programs and watches whether they are still those of the model; what can't be traced it leaves to the eager
engine.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine.freshness import assign
from autograd_mini.engine.value import Value
from autograd_mini.errors import ProgramError, TraceError
from autograd_mini.nn import freezing
from autograd_mini.nn.losses import Loss
from autograd_mini.nn.module import Module
from autograd_mini.training.eager import EagerEngine, Penalty, evaluating
from autograd_mini.training.native_epochs import NativeEpochs, can_run
from autograd_mini.vectorizer.checks import SpotCheck, against_eager, against_eager_at, choices
from autograd_mini.vectorizer.compiled import Compiled, without_collection
from autograd_mini.vectorizer.program import Program
from autograd_mini.vectorizer.running import Resident


class VectorizedEngine(EagerEngine):
    """A batch's loss and gradient, from a program on arrays.

    Parameters
    ----------
    devices : int, optional
        On how many devices JAX spreads each batch; by default NumPy computes.
    """

    name = "vectorized"

    def __init__(self, devices: int | None = None) -> None:
        self._backend = ("auto", 1) if devices is None else ("jax", devices)
        self._begin()

    def _begin(self) -> None:
        """Have nothing compiled yet."""
        self._key: Any = None
        self._epochs: NativeEpochs | None = None
        self._bound_to: tuple[Any, ...] = ()  # what they were made for
        self._spot_check = SpotCheck()
        self._programs: dict[str, tuple[Any, Program]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or another process needs; programs are compiled anew."""
        return {"_backend": self._backend}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._backend = state["_backend"]
        self._begin()

    @without_collection()
    def prepare(
        self, model: Module, loss: Loss, penalty: Penalty | None, parameters: Sequence[Value], X: Array, y: Array
    ) -> None:
        """Take up what is to be computed, and trace it anew if anything isn't what it was; see `EagerEngine.prepare`.

        Raises
        ------
        TraceError
            If it can't be traced.
        ValueError
            If a target names a class that isn't there.
        """
        super().prepare(model, loss, penalty, parameters, X, y)
        key = (X.shape[1:], y.shape[1:], id(loss), id(penalty), *map(id, parameters), freezing.changes())
        columns = [_flat(X), _flat(y)]
        if key != self._key or not self._resident.compiled.is_current():
            self._trace(X, y, columns)
            self._key = key
        choices(self._resident.compiled, columns)

    def _trace(self, X: Array, y: Array, columns: list[Array]) -> None:
        """Make the program, and find the parameters in its flat array."""
        model, loss, penalty = self.model, self.loss, self.penalty

        def objective(x: Any, t: Any) -> Any:
            value = loss(model(x), t)
            return value if penalty is None else value + penalty(model)

        compiled = self._compiled(objective, X[0], y[0])
        trained = set(self.parameters)
        look = next((look for look in compiled.looks if not trained.isdisjoint((look.node, look.other))), None)
        if look is not None:
            raise TraceError(
                f"the number of a parameter decides what is computed{look.where}: each step changes it, and the "
                f"program would go on as with the first. Use where(condition, a, b) or the parameter itself"
            )
        if compiled.is_list:
            raise TraceError(f"the loss returned a list of {len(compiled.scalars.outputs)}, expected one number")
        few = sorted({0, len(X) // 2, len(X) - 1})
        samples = [column[few] for column in columns]
        if compiled.draws:  # by a generator that is none of the model's
            samples.append(compiled.masks(len(few), np.random.default_rng(0)))  # type: ignore[arg-type]
        against_eager(objective, compiled, samples, len(few), self._spot_check)
        self._objective = objective  # what the key names by its id must not make room for another
        self._resident = Resident(compiled)
        place = {leaf: k for k, leaf in enumerate(compiled.leaves)}
        at = np.array([place.get(parameter, -1) for parameter in self.parameters])
        known = at >= 0
        differentiated = set(compiled.parameters)
        has_gradient = [
            p in differentiated or (p not in place and p.grad is not None and not p.is_frozen) for p in self.parameters
        ]
        self.present = None if all(has_gradient) else np.array(has_gradient)
        # Which of θ are where in the program's array; mostly they are its beginning.
        self._known: Any = slice(None) if known.all() else known
        self._at: Any = slice(len(at)) if np.array_equal(at, np.arange(len(at))) else at[known]

    def _compiled(self, objective: Callable[..., Any], x: Array, t: Array) -> Compiled:
        """Return the program of the loss of one example."""
        return Compiled(objective, [x, t], ["x", "t"], "parameters", "float64", *self._backend)

    def is_current(self) -> bool:
        """Return whether the program is still that of the model; see `EagerEngine.is_current`."""
        return self._resident.compiled.is_current()

    def load(self) -> Array:
        """Return θ, and take over the present numbers of all that isn't trained."""
        self._resident.load()
        theta = self._resident.theta[self._at].copy() if isinstance(self._known, slice) else super().load()
        self._good = theta.copy()
        self._since = time.perf_counter()
        return theta

    def __call__(self, theta: Array, rows: Array, targets: Array) -> tuple[float, Array]:
        """Return the loss of a batch and its gradient."""
        resident = self._resident
        resident.theta[self._at] = theta[self._known]
        loss = resident.loss((_flat(rows), _flat(targets)), len(rows))
        self.compare(theta, lambda: [_flat(rows), _flat(targets)])
        gradient = np.zeros(len(theta))
        gradient[self._known] = resident.gradient[self._at]
        return loss, gradient

    def epochs(self, X: Array, y: Array, size: int) -> NativeEpochs | None:
        """Return what runs whole epochs natively; None where it is slower or can't be; see `EagerEngine.epochs`."""
        resident = self._resident
        if not can_run(resident.compiled):
            return None
        bound_to = (resident, X, y, size)
        if self._epochs is None or not all(map(operator.is_, bound_to, self._bound_to)):
            self._epochs = NativeEpochs(resident, [_flat(X), _flat(y)], size, self._place())
            self._bound_to = bound_to
        return self._epochs

    def _place(self) -> Array:
        """Return where in the program's array each of the parameters is, -1 for nowhere."""
        place = np.full(len(self.parameters), -1)
        place[self._known] = np.arange(len(self._resident.theta))[self._at]
        return place

    def let_go(self) -> None:
        """Forget the examples, after a training."""
        self._epochs, self._bound_to = None, ()

    def compare(self, theta: Array, examples: Callable[[], list[Array]]) -> None:
        """Compare one of the last examples with the eager engine, if it is time for that.

        Raises
        ------
        ProgramError
            If they differ; θ is then the one at which they were last found to be equal.
        """
        before, self._since = self._since, time.perf_counter()
        if self._spot_check.is_due(self._since - before):
            self._check(theta, examples())

    def _check(self, theta: Array, columns: list[Array]) -> None:
        """Compare a random row with the eager engine; see `compare`."""
        compiled, i = self._resident.compiled, self._spot_check.row(len(columns[0]))
        row = [column[i : i + 1] for column in columns]
        if compiled.draws:
            row.append(compiled.masks(1, np.random.default_rng(i)))  # type: ignore[arg-type]
        assign(self.parameters, theta.tolist())
        try:
            with self._spot_check:
                against_eager_at(self._objective, compiled, row, 0)
        except TraceError as error:
            theta[:] = self._good
            raise ProgramError(
                f"{error}. Something has changed that the program can't see; the model has the parameters at which "
                f"both last agreed. Train with engine='eager', or make it a parameter or an input"
            ) from None
        self._good = theta.copy()

    # ---------------------------------------------------------------------------------------------- evaluating

    def outputs(self, model: Module, X: Array) -> Array:
        """Return a model's outputs for every row, in evaluation mode."""

        def f(x: Any) -> Any:
            with evaluating(model):
                return model(x)

        try:
            found = self._program("outputs", f, id(model))(X)
        except (TraceError, TypeError):  # pairs
            return super().outputs(model, X)
        return found if isinstance(found, np.ndarray) else super().outputs(model, X)  # pairs are refused there

    def mean_loss(self, model: Module, loss: Loss, X: Array, y: Array) -> float:
        """Return the mean loss on examples, in evaluation mode and without a penalty."""

        def f(x: Any, t: Any) -> Any:
            with evaluating(model):
                return loss(model(x), t)

        try:
            return float(np.mean(self._program("loss", f, (id(loss), id(model)))(X, y)))
        except TraceError:  # a training says so; a single evaluation is quick enough
            return super().mean_loss(model, loss, X, y)

    def _program(self, name: str, f: Callable[..., Any], key: Any) -> Program:
        """Return the program of that name; a new one, of the function, if the key isn't what it was."""
        if name not in self._programs or self._programs[name][0] != key:
            self._programs[name] = key, Program(f)
        return self._programs[name][1]


def _flat(array: Array) -> Array:
    """Return an array with a row of numbers for each example."""
    return array if array.ndim == 2 else array.reshape(len(array), -1)
