"""One block of examples through a program: what both `Program` and its threads do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.vectorizer.compiled import Compiled


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
            hand_over_effects(compiled, effects, n)
            if seed is None:
                return None
            if into is not None:
                for k, derivatives in zip(compiled.program.input_gradients, gradients, strict=True):
                    into[k][:, start:end] = derivatives
            gradient: Array = workspace.gradient.copy()
            return gradient
    finally:
        compiled.give_back(n, workspace)


def hand_over_effects(compiled: Compiled, effects: Sequence[Array], n: int) -> None:
    """Hand the numbers that modules asked for to them, such as a batch's mean and variance."""
    if not compiled.updates:
        return
    numbers = [float(x) for view in effects for x in view]
    at = 0
    for update, nodes in zip(compiled.updates, compiled.scalars.effects, strict=True):
        update(*numbers[at : at + len(nodes)], examples=n)
        at += len(nodes)
