"""Every operation of the table at the edges of floating point: all readings give the eager engine's IEEE answers."""

import itertools
import math
import random
import sys
import warnings

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.engine.value import Parameter, apply
from autograd_mini.vectorizer import vectorize

inf, nan = math.inf, math.nan
SIZES = (5e-324, 1e-310, 1e-300, 1e-18, 0.3, 1.0, 2.0, 40.0, 356.0, 710.0, 745.0, 1e17, 1e154, 1e200, 1e308, inf)
POINTS = [0.0, -0.0, nan, *SIZES, *[-size for size in SIZES]]
MOST = 150  # points of an operation of several operands
N_ARY = (3, 20)  # few operands are columns, many are the rows of one array
MORE = (2, 6)
ARITIES = [
    pytest.param(name, arity, marks=[pytest.mark.slow] if primitive.arity is None and arity in MORE else [])
    for name, primitive in PRIMITIVES.items()
    for arity in ([primitive.arity] if primitive.arity else [3, 5] if name == "dot" else N_ARY + MORE)
    if (name, arity) != ("minus_log_softmax", 2)  # of a single class
]
ULPS = 8  # libm and NumPy differ by a few, and so does what is computed from both


def points(name, arity):
    rng = random.Random(f"{name} of {arity}")
    if name in ("pick", "minus_log_softmax"):
        indices = [0.0, -0.0, float(arity - 2)]
        if name == "pick":
            indices += [-1.0, float(arity - 1), 0.5, nan, inf]
        return [(rng.choice(indices), *rng.choices(POINTS, k=arity - 1)) for _ in range(MOST)]
    every = list(itertools.product(POINTS, repeat=arity)) if arity <= 2 else []
    some = [tuple(rng.choices(POINTS, k=arity)) for _ in range(MOST // 2)]
    few = [tuple(rng.choices(rng.sample(POINTS, 2), k=arity)) for _ in range(MOST // 2)]
    return every if 0 < len(every) <= MOST else rng.sample(every, MOST) if every else some + few


def eager(name, point):
    leaves = [Value(number) for number in point]
    root = apply(PRIMITIVES[name], *leaves)
    found = gradients(root)
    return root.data, [found[leaf] for leaf in leaves]


def differences(what, points, got, wanted):
    """Return a line for each number that isn't the wanted one, the sign of zero included."""
    lines = []
    for point, numbers, truths in zip(points, np.reshape(got, (len(points), -1)).tolist(), wanted, strict=True):
        size = max(point) if what == "logsumexp" else 0.0  # what the logarithm is added to
        for k, (number, truth) in enumerate(zip(numbers, truths, strict=True)):
            is_none = what == "∂tanh" and number == 0.0 and 0.0 < truth < sys.float_info.min
            if not (is_none or is_same(number, truth, size)):  # where a float has few digits, cosh² is infinite
                lines.append(f"{what}{point}[{k}]: {number!r} instead of {truth!r}")
    return lines


def is_same(number, truth, size=0.0):
    if truth != truth or number != number:
        return truth != truth and number != number
    if truth == 0.0:
        return number == 0.0 and math.copysign(1.0, number) == math.copysign(1.0, truth)
    return number == truth or abs(number - truth) <= ULPS * max(math.ulp(truth), math.ulp(size))


def assert_same(lines):
    assert not lines, "\n".join([f"{len(lines)} differences", *lines[:12]])


@pytest.mark.parametrize(("name", "arity"), ARITIES)
def test_a_batched_program_gives_the_eager_answers(name, arity):
    some = points(name, arity)
    truths = [eager(name, point) for point in some]
    program = vectorize(lambda x: apply(PRIMITIVES[name], *x), check=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, by_x = program.value_and_gradients(np.array(some))
    lines = differences(name, some, values, [[value] for value, _ in truths])
    assert_same(lines + differences(f"∂{name}", some, by_x, [slopes for _, slopes in truths]))


@pytest.mark.parametrize(("name", "arity"), ARITIES)
def test_a_program_in_straight_lines_gives_the_eager_answers(name, arity):
    some = points(name, arity)[::4]
    truths = [eager(name, point) for point in some]
    leaves = [Parameter(0.5) for _ in range(arity)]
    program = vectorize(lambda: apply(PRIMITIVES[name], *leaves), check=False)
    place = [leaves.index(p) for p in program.parameters]
    values, by_leaf = [], np.zeros((len(some), arity))
    for row, point in zip(by_leaf, some, strict=True):
        for leaf, number in zip(leaves, point, strict=True):
            leaf.data = number
        value, gradient = program.value_and_grad()
        values.append(value)
        row[place] = gradient
    lines = differences(name, some, values, [[value] for value, _ in truths])
    assert_same(lines + differences(f"∂{name}", some, by_leaf, [slopes for _, slopes in truths]))
