"""Forward and backward through 784-512-10, 128 examples: the product is so large that BLAS is as quick as anything.

So NumPy is what runs it, also where there is the machine.
"""

from __future__ import annotations

import numpy as np

import vectorized
from vectorized import digits, networks, ours
from vectorized.timing import ON_NUMPY, OURS, Contender, Mark, Work, trajectory

SIZES, SMALLER, BATCH, LR = (784, 512, 10), (784, 80, 10), 128, 0.01


def own() -> Contender:
    """Return this library's way."""
    sizes = SMALLER if vectorized.quick else SIZES
    rng = np.random.default_rng(0)
    X, y = rng.random((BATCH, sizes[0])), rng.integers(0, sizes[-1], BATCH)
    training = ours.Training(digits.loss_of(networks.model(sizes, "relu")), X, y, LR)
    column = y[:, np.newaxis]

    def step() -> float:
        return training.step(X, column)

    chosen, why = training.resident.compiled.runs_on
    if chosen != "numpy":
        raise AssertionError(f"{sizes} is run by {chosen}: {why}")
    return Contender(step, trajectory(step, lambda: training.resident.theta))


WORK = Work(
    key="large",
    title="784-512-10, batch 128, a step: NumPy is chosen",
    unit="ms",
    per_second=1e3,
    ours={OURS: own},
    rivals={},
    marks=(Mark(ON_NUMPY, 0.97),),
)
