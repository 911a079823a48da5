"""Running a compiled program: on a block of examples, as `Program` does, and again and again, as a training does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.vectorizer import anomalies, checks
from autograd_mini.vectorizer.compiled import MOST_SIZES, Compiled


def run_block(
    compiled: Compiled,
    theta: Array,
    columns: list[Array],
    block: tuple[int, int],
    seed: Any,
    outputs: Array,
    into: list[Array] | None,
) -> Array | None:
    """Run a block of examples: fills in the outputs and the inputs' gradients, and returns that of the flat vector."""
    start, end = block
    n = end - start
    workspace = compiled.workspace(n)
    try:
        np.copyto(workspace.theta, theta)
        with np.errstate(all="ignore"):
            results, effects, gradients = workspace.run([column[start:end] for column in columns], seed)
            row = 0
            for result in results:
                rows = len(result)
                outputs[row : row + rows, start:end] = result if result.ndim == 2 else result[:, None]
                row += rows
            hand_over_effects(compiled, effects, n, start)
            if seed is None:
                return None
            if into is not None:
                for k, derivatives in zip(compiled.program.input_gradients, gradients, strict=True):
                    np.add(derivatives, 0.0, out=into[k][:, start:end])
            gradient: Array = workspace.gradient + 0.0  # a copy, in which -0 is 0, as in a sum that begins with 0
            return gradient
    finally:
        compiled.give_back(n, workspace)


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

    Attributes
    ----------
    theta, gradient : numpy.ndarray
        The parameters, in the program's order (`leaves`), and the gradient of the last run.
    """

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.leaves = compiled.leaves
        self.theta = compiled.theta()
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
