"""Running a compiled program: on a block of examples, as `Program` does, and again and again, as a training does."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import reduce
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import modes
from autograd_mini.nn import freezing
from autograd_mini.vectorizer import anomalies, checks
from autograd_mini.vectorizer.compiled import MOST_SIZES, Compiled
from autograd_mini.vectorizer.native_backend import SMALL, NativeWorkspace
from autograd_mini.vectorizer.threads import processors, spread

FLOAT64, _ZERO = np.dtype(float), np.zeros(())
_ONES = np.ones(SMALL)
_NO_WARNINGS = nullcontext()  # the machine gives none, where NumPy must be told not to


def run_batch(
    compiled: Compiled,
    columns: list[Array],
    n: int,
    seed: Any,
    *,
    block: int | None,
    threads: int | str,
    parameters: Array | None = None,
    into: Sequence[Array] = (),
    whole: Array | None = None,
) -> tuple[Array, Array | None]:
    """Run n examples in blocks, and add up the blocks' gradients in their order.

    Parameters
    ----------
    compiled : Compiled
        The program.
    columns : list of numpy.ndarray
        The inputs, random leaves among them, with a row for each example.
    n : int
        How many.
    seed : float or numpy.ndarray, optional
        ∂L/∂outputs; without one, nothing is differentiated.
    block : int, optional
        How many examples a block has, if it was asked for.
    threads : int or "auto"
        How many blocks are run at a time.
    parameters : numpy.ndarray, optional
        Numbers in the place of those that the parameters have at present.
    into : sequence of numpy.ndarray
        What the inputs' gradients are written into, (rows, n) each.
    whole : numpy.ndarray, optional
        What the outputs and behind them the inputs' gradients are written into by the native machine, in the place of
        arrays of their own; see `Compiled.all_in_one`.

    Returns
    -------
    outputs : numpy.ndarray of shape (k, n)
    gradient : numpy.ndarray or None
        That of the flat vector; its zeros are none of them -0.
    """
    size = compiled.block_size(n, block)
    if n <= size:
        return _run_block(compiled, lambda to: compiled.load(to, parameters), columns, n, seed, into, whole)
    outputs = np.empty((len(compiled.scalars.outputs), n), compiled.dtype) if whole is None else whole[:1]
    starts = range(0, n, size)
    gradients: list[Any] = [None] * len(starts)
    theta = compiled.theta(parameters)  # the same for all blocks, whatever is done to the parameters meanwhile

    def run(k: int) -> None:
        start, end = starts[k], min(starts[k] + size, n)
        block, of_inputs = [column[start:end] for column in columns], [array[:, start:end] for array in into]
        part = None if whole is None else whole[:, start:end]
        found = _run_block(compiled, lambda to: np.copyto(to, theta), block, end - start, seed, of_inputs, part, start)
        gradients[k] = found[1]
        if part is None:
            outputs[:, start:end] = found[0]

    if threads == "auto":  # NumPy's calls are too short to run beside each other
        threads = processors() if compiled.runs_on[0] == "native" else 1
    spread(run, len(starts), int(threads))
    return outputs, None if seed is None else reduce(operator.iadd, gradients)


def _run_block(
    compiled: Compiled,
    load: Callable[[Array], None],
    columns: list[Array],
    n: int,
    seed: Any,
    into: Sequence[Array],
    whole: Array | None = None,
    first: int = 0,
) -> tuple[Array, Array | None]:
    """Run a block of n examples, of which the first has that number; `load` fills in the flat vector."""
    workspace = compiled.workspace(n)
    try:
        with _NO_WARNINGS if isinstance(workspace, NativeWorkspace) else np.errstate(all="ignore"):
            load(workspace.theta)
            if whole is not None:
                workspace.run(columns, seed, whole)
                return whole[:1], workspace.gradient + 0.0
            results, effects, of_inputs = workspace.run(columns, seed)
            outputs = _outputs(results, len(compiled.scalars.outputs), n, compiled.dtype)
            if effects:
                hand_over_effects(compiled, effects, n, first)
            if into:
                for k, derivatives in zip(compiled.program.input_gradients, of_inputs, strict=True):
                    np.add(derivatives, 0.0, out=into[k])
            # A copy, in which -0 is 0, as in a sum that begins with 0.
            return outputs, None if seed is None else workspace.gradient + 0.0
    finally:
        compiled.give_back(n, workspace)


def total(outputs: Array) -> float:
    """Return the sum of a program's outputs."""
    n = len(outputs)
    if outputs.dtype is FLOAT64 and n <= SMALL:
        return float(outputs.dot(_ONES[:n]))  # takes half the time of a sum
    return float(np.add.reduce(outputs))


def _outputs(results: Sequence[Array], k: int, n: int, dtype: Any) -> Array:
    """Return results as an array (k, n) of their own; what is the same for all examples has one number in a row."""
    if len(results) == 1 and results[0].shape == (k, n):
        outputs: Array = results[0].copy()
        return outputs
    outputs = np.empty((k, n), dtype)
    row = 0
    for result in results:
        outputs[row : row + len(result)] = result if result.ndim == 2 else result[:, None]
        row += len(result)
    return outputs


class Repeated:
    """`value_and_grad` on inputs of the same shapes as before: what is known from the first call isn't asked again.

    Parameters
    ----------
    compiled : Compiled
        A program that the native machine runs, one that `can_be_repeated`.
    shapes : sequence of tuple
        Those of the inputs.
    seed : float
        ∂L/∂output.
    spot_check : SpotCheck, optional
        What says when a comparison with the eager engine is due.
    """

    def __init__(
        self,
        compiled: Compiled,
        shapes: Sequence[tuple[int, ...]],
        seed: float,
        spot_check: checks.SpotCheck | None,
    ) -> None:
        self._compiled, self._shapes, self._seed = compiled, shapes, seed
        self._spot_check, self._seconds, self._changes = spot_check, 0.0, freezing.changes()
        self._shape = (len(compiled.leaves),)
        self._waiting: list[Any] = []  # workspaces, of which each call has one for itself
        self._is_current, self._pack = compiled.quick_check, compiled.pack

    def __call__(self, inputs: Sequence[Any], parameters: Any) -> tuple[float, Array] | None:
        """Return the value and the gradient; None where there is more to be done."""
        if modes.open_contexts or freezing.changes() != self._changes or not self._is_current():
            return None
        if self._spot_check is not None and self._spot_check.is_due(self._seconds):
            return None
        if parameters is not None and (
            type(parameters) is not np.ndarray or parameters.dtype is not FLOAT64 or parameters.shape != self._shape
        ):
            return None
        try:
            own = self._waiting.pop()
        except IndexError:
            own = self._bound()
        run, theta, gradient, outputs = own
        if parameters is None:
            self._pack(theta)
        else:
            theta[:] = parameters
        run(inputs)
        found = total(outputs) * self._seed, gradient + _ZERO
        self._waiting.append(own)
        return found

    def _bound(self) -> tuple[Callable[[Sequence[Any]], None], Array, Array, Array]:
        """Return what runs the program, and the flat vector, its gradient and the outputs."""
        n = self._shapes[0][0]
        workspace = self._compiled.workspace(n)
        workspace.theta[:] = 0.0
        inputs = [np.zeros(shape) for shape in self._shapes]
        (outputs,), _, _ = workspace.run([array.reshape(n, -1) for array in inputs], self._seed)
        run = workspace.repeated(self._shapes, self._seed)
        started = time.perf_counter()
        run(inputs)
        self._seconds = time.perf_counter() - started
        return run, workspace.theta, workspace.gradient, outputs[0]


def hand_over_effects(compiled: Compiled, effects: Sequence[Array], n: int, first: int = 0) -> None:
    """Hand the numbers that modules asked for to them, such as a batch's mean and variance; look at computed indices.

    Raises
    ------
    IndexError
        If an index that was computed names no item; `first` is the number of the first of the `n` examples.
    """
    numbers = [x for view in effects for x in view]
    at = 0
    for update, nodes in zip(compiled.updates, compiled.scalars.effects, strict=True):
        update(*map(float, numbers[at : at + len(nodes)]), examples=n)
        at += len(nodes)
    for index, count in zip(numbers[at:], compiled.indices, strict=True):
        checks.indices(index, count, first)


class Resident:
    """A program on parameters that it holds itself; not for several threads.

    Parameters
    ----------
    compiled : Compiled
        The program.
    theta : numpy.ndarray, optional
        The parameters' numbers; by default those that the leaves have at present.

    Attributes
    ----------
    theta, gradient : numpy.ndarray
        The parameters, in the program's order (`leaves`), and the gradient of the last run.
    """

    def __init__(self, compiled: Compiled, theta: Array | None = None) -> None:
        self.compiled = compiled
        self.leaves = compiled.leaves
        self.theta = compiled.theta() if theta is None else theta.copy()
        self.gradient = np.zeros_like(self.theta)
        self._bound: dict[int, tuple[Callable[..., Any], Array]] = {}

    def load(self) -> None:
        """Take over the parameters' present data."""
        self.theta[:] = self.compiled.theta()

    def loss(self, columns: Sequence[Array], n: int, rng: Any = None) -> float:
        """Run both passes on n examples: returns the mean, and leaves its gradient in `gradient`.

        Overflow and the like give infinities, as everywhere; call it inside of ``np.errstate`` to hear no warnings.
        """
        compiled = self.compiled
        if compiled.draws:
            columns = [*columns, compiled.masks(n, rng)]  # type: ignore[list-item]
        run, ones = self._bound.get(n) or self._bind(n)
        share = 1.0 / n
        is_looking = anomalies.are_looked_for()
        if is_looking:
            anomalies.look_for(compiled, self.theta, columns, n, share)
        (output,), effects, _ = run(columns, share)
        if is_looking:
            anomalies.refuse_results("the loss or its gradient", output, self.gradient)
        if effects:
            hand_over_effects(compiled, effects, n)
        if output.ndim == 1:  # the same for all examples
            return float(output[0])
        return float(output[0].dot(ones) * share)

    def _bind(self, n: int) -> tuple[Callable[..., Any], Array]:
        """Return both passes, bound to arrays for n examples, and as many ones."""
        if len(self._bound) >= MOST_SIZES:
            del self._bound[next(iter(self._bound))]
        run = self.compiled.workspace(n, self.theta, self.gradient).run
        self._bound[n] = run, np.ones(n, self.theta.dtype)
        return self._bound[n]
