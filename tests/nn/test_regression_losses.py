"""Losses: values and gradients by hand, also far out, and what they refuse."""

import math

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.nn.losses import absolute_error, gaussian_nll, half_squared_error, huber

LOSSES_OF_REGRESSION = {
    "half_squared_error": half_squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "gaussian_nll": gaussian_nll,
}
RESIDUALS = [-1000.0, -2.0, -1.0, -0.25, 0.0, 0.25, 1.0, 1.5, 1000.0]


def value_and_gradient(loss, a, *arguments, **options):
    prediction = Value(a)
    out = loss(prediction, *arguments, **options)
    out.backward()
    return out.data, prediction.grad


@pytest.mark.parametrize("r", RESIDUALS)
@pytest.mark.parametrize("t", [0.0, 3.0])
def test_half_squared_error(r, t):
    assert value_and_gradient(half_squared_error, t + r, t) == (r * r / 2, r)


@pytest.mark.parametrize("r", RESIDUALS)
def test_absolute_error(r):
    assert value_and_gradient(absolute_error, 2.0 + r, 2.0) == (abs(r), np.sign(r))


@pytest.mark.parametrize("r", RESIDUALS)
@pytest.mark.parametrize("delta", [0.25, 1.0, 7.5])
def test_huber(r, delta):
    expected = (r * r / 2, r) if abs(r) <= delta else (delta * (abs(r) - delta / 2), delta * np.sign(r))
    assert value_and_gradient(huber, 2.0 + r, 2.0, delta=delta) == expected


def test_huber_of_a_large_delta_is_half_the_squared_error():
    r = 12.5
    assert value_and_gradient(huber, r, 0.0, delta=1e6) == value_and_gradient(half_squared_error, r, 0.0)


@pytest.mark.parametrize("r", RESIDUALS)
@pytest.mark.parametrize("v", [1e-3, 1.0, 1000.0])
def test_gaussian_nll(r, v):
    mean, variance = Value(2.0 + r), Value(v)
    loss = gaussian_nll(mean, 2.0, variance)
    loss.backward()
    assert loss.data == pytest.approx(0.5 * (math.log(v) + r * r / v), rel=1e-14)
    assert mean.grad == pytest.approx(r / v, rel=1e-14)
    assert variance.grad == pytest.approx(0.5 / v - 0.5 * r * r / v**2, rel=1e-14)


def test_gaussian_nll_is_the_negative_logarithm_of_the_density():
    density = math.exp(-((1.3 - 0.5) ** 2) / (2 * 0.7)) / math.sqrt(2 * math.pi * 0.7)
    assert gaussian_nll(0.5, 1.3, 0.7, full=True) == pytest.approx(-math.log(density), rel=1e-14)


def test_gaussian_nll_of_variance_one_is_least_squares():
    assert value_and_gradient(gaussian_nll, 5.0, 2.0) == value_and_gradient(half_squared_error, 5.0, 2.0) == (4.5, 3.0)


def test_gaussian_nll_raises_a_variance_that_is_too_small():
    mean, variance = Value(1.0), Value(0.0)
    loss = gaussian_nll(mean, 0.0, variance)
    loss.backward()
    assert loss.data == pytest.approx(0.5 * (math.log(1e-6) + 1e6), rel=1e-14)
    assert (mean.grad, variance.grad) == (pytest.approx(1e6, rel=1e-14), 0.0)
    assert gaussian_nll(1.0, 0.0, 0.0, eps=0.5) == pytest.approx(0.5 * (math.log(0.5) + 2.0), rel=1e-14)


def test_gaussian_nll_takes_one_variance_for_each():
    one_by_one = gaussian_nll(1.0, 0.0, 2.0) + gaussian_nll(5.0, 1.0, 3.0)
    assert gaussian_nll([1.0, 5.0], [0.0, 1.0], [2.0, 3.0]) == pytest.approx(one_by_one, rel=1e-15)
    assert gaussian_nll([1.0, 5.0], [0.0, 1.0], np.array([2.0, 3.0])) == pytest.approx(one_by_one, rel=1e-15)
    assert gaussian_nll([1.0, 5.0], [0.0, 1.0], 2.0) == gaussian_nll(1.0, 0.0, 2.0) + gaussian_nll(5.0, 1.0, 2.0)


@pytest.mark.parametrize("loss", LOSSES_OF_REGRESSION.values(), ids=LOSSES_OF_REGRESSION)
class TestConventions:
    def test_sum_and_mean(self, loss):
        each = [loss(a, t) for a, t in [(3.0, 1.0), (0.5, 1.0), (-4.0, 2.0)]]
        predictions, targets = [3.0, 0.5, -4.0], [1.0, 1.0, 2.0]
        assert loss(predictions, targets) == pytest.approx(sum(each), rel=1e-15)
        assert loss(predictions, targets, reduction="mean") == pytest.approx(sum(each) / 3, rel=1e-15)
        a = [Value(x) for x in predictions]
        loss(a, np.array(targets), reduction="mean").backward()
        assert [x.grad for x in a] == pytest.approx(
            [value_and_gradient(loss, x, t)[1] / 3 for x, t in zip(predictions, targets, strict=True)], rel=1e-15
        )

    def test_a_node_for_a_prediction_gives_a_node(self, loss):
        assert isinstance(loss(Value(1.0), 0.0), Value)
        assert isinstance(loss(1.0, 0.0), float)

    def test_unknown_reductions_are_refused(self, loss):
        with pytest.raises(ValueError, match="reduction 'sum' or 'mean', got 'none'"):
            loss(1.0, 0.0, reduction="none")

    def test_unequal_lengths_and_nothing_are_refused(self, loss):
        with pytest.raises(ValueError, match="expected one target for each prediction, got 2 and 1"):
            loss([1.0, 2.0], [1.0])
        with pytest.raises(ValueError, match="expected at least one"):
            loss([], [])


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan"), float("inf"), True, "1"])
def test_impossible_deltas_are_refused(delta):
    with pytest.raises(
        ValueError, match=r"delta: expected a finite number above 0, got .*; beyond it the loss is linear"
    ):
        huber(1.0, 0.0, delta=delta)


def test_impossible_variances_are_refused():
    with pytest.raises(
        ValueError, match=r"gaussian_nll needs a variance of at least 0, got -0.5; make one with softplus"
    ):
        gaussian_nll(1.0, 0.0, Value(-0.5))
    with pytest.raises(ValueError, match="variance of at least 0, got nan"):
        gaussian_nll(1.0, 0.0, float("nan"))
    with pytest.raises(ValueError, match="variance: expected one, or one for each of the 2 means, got 3"):
        gaussian_nll([1.0, 2.0], [0.0, 0.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"eps: expected a finite number above 0, got 0.0"):
        gaussian_nll(1.0, 0.0, eps=0.0)
