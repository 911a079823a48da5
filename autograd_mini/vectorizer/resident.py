"""`Resident`: a program whose parameters stay in a flat array from run to run, as a training loop wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.vectorizer.compiled import Compiled, Workspace
from autograd_mini.vectorizer.running import hand_over_effects

MOST_SIZES = 4  # batch sizes for which arrays are kept


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
        self._bound: dict[int, Callable[..., Any]] = {}
        self._ones: dict[int, Array] = {}

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
        run = self._bound.get(n)
        if run is None:
            run = self._workspace(n)
        share = 1.0 / n
        (output,), effects = run(columns, share)
        if effects:
            hand_over_effects(compiled, effects, n)
        if output.ndim == 1:  # the same for all examples
            return float(output[0])
        return float(output[0].dot(self._ones[n]) * share)

    def _workspace(self, n: int) -> Callable[..., Any]:
        """Return both passes, bound to arrays for n examples."""
        if len(self._bound) >= MOST_SIZES:
            del self._bound[next(iter(self._bound))]
        self._ones[n] = np.ones(n, self.theta.dtype)
        workspace = self.compiled.workspace(n, self.theta, self.gradient)
        if isinstance(workspace, Workspace):
            forward, backward = workspace.forward, workspace.backward

            def run(columns: Sequence[Array], seed: float) -> Any:
                found = forward(*columns)
                backward(seed)
                return found
        else:

            def run(columns: Sequence[Array], seed: float) -> Any:
                return workspace.run(columns, seed)[:2]

        self._bound[n] = run
        return run
