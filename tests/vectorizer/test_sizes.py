"""Operations on a whole list, of 1, 2, 1,000 and 5,000 operands: every backend gives the eager engine's numbers."""

import math

import numpy as np
import pytest
from vector_checks import assert_close

import autograd_mini as ag
from autograd_mini import Value, nn
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.engine.value import Parameter
from autograd_mini.vectorizer import vectorize

SIZES = [1, 2, 70, pytest.param(1_000, marks=pytest.mark.slow), pytest.param(5_000, marks=pytest.mark.slow)]
OPERATIONS = {
    "sum": ag.sum,
    "mean": lambda v: ag.sum(v) / len(v),
    "dot": lambda v: ag.dot(v, v[::-1], 0.5),
    "norm": lambda v: ag.sqrt(ag.sum([a * a for a in v])),
    "maximum": ag.maximum,
    "minimum": ag.minimum,
    "maximum of one by one": lambda v: ag.maximum(*v),
    "softmax": lambda v: ag.sum([p * math.sin(k) for k, p in enumerate(ag.softmax(v))]),
    "one of softmax": lambda v: ag.log(ag.softmax(v)[len(v) // 2]),
    "log_softmax": lambda v: v[-1] - ag.logsumexp(v),
    "logsumexp": ag.logsumexp,
    "cross_entropy": lambda v: nn.cross_entropy(v, len(v) - 1),
    "pick": lambda v: ag.pick(Value(len(v) // 2), v),
    "layer norm": lambda v: nn.LayerNorm(len(v))(v)[0],
}
EVERY = pytest.mark.parametrize("name", OPERATIONS)
OF_SIZE = pytest.mark.parametrize("size", SIZES)


def numbers(size, seed=0):
    found = np.random.default_rng(seed).normal(size=size)
    found[-1:] = 3.0  # a tie, where there is more than one
    found[:1] = 3.0
    return found


def eager(f, point):
    leaves = [Value(number) for number in point.tolist()]
    root = f(leaves)
    found = gradients(root)
    return root.data, [found.get(leaf, 0.0) for leaf in leaves]


@OF_SIZE
@EVERY
def test_in_a_batch(name, size):
    f, points = OPERATIONS[name], np.stack([numbers(size), numbers(size, 1)])
    values, by_x = vectorize(f).value_and_gradients(points)
    wanted = [eager(f, point) for point in points]
    assert_close(values, [value for value, _ in wanted], "values", rel=1e-12)
    assert_close(by_x, [slopes for _, slopes in wanted], "gradients", rel=1e-12)


@OF_SIZE
@EVERY
def test_without_a_batch(name, size):
    f, point = OPERATIONS[name], numbers(size)
    leaves = [Parameter(number) for number in point.tolist()]
    program = vectorize(lambda: f(leaves))
    value, gradient = program.value_and_grad()
    wanted, slopes = eager(f, point)
    assert_close(value, wanted, "value", rel=1e-12)
    by_leaf = dict(zip(leaves, slopes, strict=True))
    assert_close(gradient, [by_leaf[leaf] for leaf in program.parameters], "gradient", rel=1e-12)


@OF_SIZE
@EVERY
@pytest.mark.slow  # each is compiled by XLA
@pytest.mark.needs("jax")
def test_with_jax(name, size):
    f, points = OPERATIONS[name], np.stack([numbers(size), numbers(size, 1)])
    values, by_x = vectorize(f, backend="jax").value_and_gradients(points)
    wanted = [eager(f, point) for point in points]
    assert_close(values, [value for value, _ in wanted], "values")
    assert_close(by_x, [slopes for _, slopes in wanted], "gradients")


@pytest.mark.parametrize("name", ["pick", "softmax", "maximum", "cross_entropy"])
def test_490_operands_are_no_more_than_more_of_the_same(name):
    test_in_a_batch(name, 490)
    test_without_a_batch(name, 490)


@pytest.mark.parametrize("size", [65, pytest.param(5_000, marks=pytest.mark.slow)])
def test_the_softmax_of_many_numbers_has_about_six_edges_for_each(size):
    shares = ag.softmax([Value(number) for number in numbers(size)])
    edges = sum(len(node.parents) for node in ag.graph.topological_order(*shares))
    assert edges <= 8 * size
    assert math.isclose(sum(share.data for share in shares), 1.0)


def test_the_softmax_of_many_numbers_keeps_its_digits_where_one_share_is_nearly_1():
    leaves = [Value(0.0) for _ in range(80)]
    leaves[7].data = 60.0
    ag.softmax(leaves)[7].backward()
    others = 79 * math.exp(-60.0)  # p(1 - p), of which 1 - p has no digit left
    assert math.isclose(leaves[7].grad, others, rel_tol=1e-12)
    assert math.isclose(leaves[8].grad, -math.exp(-60.0), rel_tol=1e-12)


def test_the_softmax_of_many_numbers_does_not_overflow():
    shares = ag.softmax([1000.0, *[0.0] * 80])
    assert shares[0] == 1.0
    assert shares[1] == 0.0
