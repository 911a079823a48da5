"""Losses: values and gradients by hand, on lists, at ±1000, and what they refuse."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

import autograd_mini as ag
from autograd_mini import Value
from autograd_mini.nn import losses
from autograd_mini.nn.losses import (
    LOSSES,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    squared_error,
)

BINARY = [squared_error, hinge, binary_cross_entropy, binary_cross_entropy_with_logits]
numbers = st.floats(-20.0, 20.0)


def value_and_gradients(loss, predictions, target, **options):
    nodes = [Value(p) for p in predictions]
    result = loss(nodes, target, **options)
    result.backward()
    return result.data, [node.grad for node in nodes]


def one(loss, prediction, target):
    node = Value(prediction)
    result = loss(node, target)
    result.backward()
    return result.data, node.grad


# ------------------------------------------------------------------------------------------------ by the formulas


@given(numbers, numbers)
def test_squared_error_is_the_square_and_its_gradient_minus_twice_the_residual(a, t):
    assert one(squared_error, a, t) == ((t - a) ** 2, pytest.approx(-2.0 * (t - a), rel=1e-14, abs=1e-300))


@pytest.mark.parametrize(
    ("score", "target", "loss", "gradient"),
    [
        (0.25, 1, 0.75, -1.0),
        (-2.0, -1, 0.0, 0.0),
        (-0.5, 1, 1.5, -1.0),
        (0.5, -1, 1.5, 1.0),
        (1.0, 1, 0.0, 0.0),
        (0.0, -1.0, 1.0, 1.0),
    ],
)
def test_hinge_by_hand(score, target, loss, gradient):
    assert one(hinge, score, target) == (loss, gradient)


@pytest.mark.parametrize("y", [0.0, 1.0, 0.25, 0, 1, True])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.999, 1e-10])
def test_binary_cross_entropy_is_the_formula_of_the_lecture(p, y):
    loss, gradient = one(binary_cross_entropy, p, y)
    assert loss == pytest.approx(-(y * math.log(p) + (1 - y) * math.log(1 - p)), rel=1e-12)
    assert gradient == pytest.approx(-y / p + (1 - y) / (1 - p), rel=1e-12)


@pytest.mark.parametrize("y", [0.0, 1.0, 0.25])
@pytest.mark.parametrize("z", [-1000.0, -30.0, -1.0, 0.0, 0.5, 30.0, 1000.0])
def test_binary_cross_entropy_with_logits_is_exact_from_minus_to_plus_1000(z, y):
    loss, gradient = one(binary_cross_entropy_with_logits, z, y)
    with mp.workdps(500):
        p = 1 / (1 + mp.exp(-mpf(z)))
        want = float(-(mpf(y) * mp.log(p) + (1 - mpf(y)) * mp.log(1 - p))) if 0 < p < 1 else math.nan
        slope = float(p - mpf(y))
    assert loss == pytest.approx(want, rel=1e-14, abs=1e-320)
    assert gradient == pytest.approx(slope, rel=1e-14, abs=1e-320)


def test_both_binary_cross_entropies_are_the_same_function():
    for z in (-3.0, 0.2, 4.0):
        for y in (0.0, 1.0, 0.6):
            first, second = Value(z), Value(z)
            binary_cross_entropy(ag.sigmoid(first), y).backward()
            binary_cross_entropy_with_logits(second, y).backward()
            assert first.grad == pytest.approx(second.grad, rel=1e-12)


@given(st.lists(numbers, min_size=1, max_size=5), st.data())
def test_the_gradient_of_cross_entropy_is_softmax_minus_one_hot(z, data):
    t = data.draw(st.integers(0, len(z) - 1))
    loss, gradient = value_and_gradients(cross_entropy, z, t)
    with mp.workdps(50):
        e = [mp.exp(mpf(x)) for x in z]
        want = [float(x / mp.fsum(e) - (i == t)) for i, x in enumerate(e)]
        truth = float(mp.log(mp.fsum(e)) - mpf(z[t]))
    assert loss == pytest.approx(truth, rel=1e-12, abs=1e-14)
    assert gradient == pytest.approx(want, rel=1e-9, abs=1e-14)
    assert math.fsum(gradient) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize(
    ("z", "t", "loss", "gradient"),
    [
        ([1000.0, 0.0], 0, 0.0, [0.0, 0.0]),
        ([1000.0, 0.0], 1, 1000.0, [1.0, -1.0]),
        ([-1000.0, -1000.0], 0, math.log(2.0), [-0.5, 0.5]),
        ([1000.0, 1000.0, -1000.0], 2, 2000.0 + math.log(2.0), [0.5, 0.5, -1.0]),
        ([-1000.0], 0, 0.0, [0.0]),
    ],
)
def test_cross_entropy_at_plus_and_minus_1000(z, t, loss, gradient):
    got, slopes = value_and_gradients(cross_entropy, z, t)
    assert got == pytest.approx(loss, rel=1e-15)
    assert slopes == pytest.approx(gradient, abs=1e-15)


@pytest.mark.parametrize(
    ("loss", "prediction", "target"),
    [
        (squared_error, 1000.0, -1000.0),
        (hinge, 1000.0, -1),
        (hinge, -1000.0, 1),
        (binary_cross_entropy_with_logits, -1000.0, 1),
        (binary_cross_entropy, 0.0, 1),
        (binary_cross_entropy, 1.0, 0),
        (binary_cross_entropy, 0.0, 0),
        (binary_cross_entropy, 1.0, 1),
    ],
)
def test_a_wrong_certainty_has_a_finite_loss_and_gradient(loss, prediction, target):
    value, gradient = one(loss, prediction, target)
    assert math.isfinite(value)
    assert math.isfinite(gradient)
    assert value >= 0.0


def test_the_logarithm_is_cut_off_at_minus_100_as_in_pytorch():
    assert binary_cross_entropy(0.0, 1.0) == pytest.approx(100.0)
    assert binary_cross_entropy(1.0, 0.0) == pytest.approx(100.0)
    assert binary_cross_entropy(0.0, 0.0) == binary_cross_entropy(1.0, 1.0) == 0.0


def test_the_quiz_of_l4_when_is_the_gradient_zero():
    """∂e/∂w_i1 = -2(y - s) x_i: 0 when y = s or when x_i = 0."""
    w, x = [Value(2.0), Value(-1.0)], [3.0, 0.0]
    squared_error(ag.dot(w, x), 5.0).backward()
    assert [v.grad for v in w] == [-2.0 * (5.0 - 6.0) * 3.0, 0.0]
    for v in w:
        v.grad = 0.0
    squared_error(ag.dot(w, x), 6.0).backward()
    assert [v.grad for v in w] == [0.0, 0.0]


# -------------------------------------------------------------------------------------------- lists and reductions


@pytest.mark.parametrize("loss", BINARY)
@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_a_list_is_the_sum_and_the_mean_divides_by_its_length(loss, kind):
    predictions, targets = [0.2, 0.9, 0.4], [1, 1, 1]
    each = [loss(Value(p), t).data for p, t in zip(predictions, targets, strict=True)]
    nodes = kind([Value(p) for p in predictions])
    assert loss(nodes, kind(targets)).data == pytest.approx(sum(each), rel=1e-15)
    assert loss(nodes, kind(targets), reduction="sum").data == pytest.approx(sum(each), rel=1e-15)
    mean = loss(nodes, kind(targets), reduction="mean")
    assert mean.data == pytest.approx(sum(each) / 3.0, rel=1e-15)
    mean.backward()
    for node, p, t in zip(nodes, predictions, targets, strict=True):
        assert node.grad == pytest.approx(one(loss, p, t)[1] / 3.0, rel=1e-14)


@pytest.mark.parametrize("loss", BINARY)
def test_plain_numbers_give_a_plain_number(loss):
    result = loss(0.25, 1)
    assert type(result) is float
    assert result == pytest.approx(loss(Value(0.25), 1).data)
    assert type(loss([0.25, 0.5], [1, 1], reduction="mean")) is float


def test_cross_entropy_of_several_examples():
    Z, t = [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [2, 0]
    each = [cross_entropy(z, c) for z, c in zip(Z, t, strict=True)]
    assert cross_entropy(Z, t) == pytest.approx(sum(each))
    assert cross_entropy(np.array(Z), np.array(t), reduction="mean") == pytest.approx(sum(each) / 2)
    nodes = [[Value(x) for x in z] for z in Z]
    cross_entropy(nodes, t, reduction="mean").backward()
    assert [x.grad for x in nodes[1]] == pytest.approx([(1 / 3 - 1) / 2, 1 / 6, 1 / 6])


@pytest.mark.parametrize("target", [1, 1.0, np.int64(1), np.float64(1.0), True, np.array(1)])
def test_a_class_is_a_whole_number_of_any_kind(target):
    assert cross_entropy([0.0, 5.0], target) == cross_entropy([0.0, 5.0], 1)


def test_single_elements_and_bare_numbers_mix():
    assert squared_error([Value(3.0)], 1.0).data == squared_error(Value(3.0), [1.0]).data == 4.0
    assert hinge(Value(0.5), np.array(1.0)).data == 0.5


@pytest.mark.parametrize("loss", [squared_error, hinge, binary_cross_entropy, binary_cross_entropy_with_logits])
def test_targets_may_be_values_and_get_gradients_where_they_have_one(loss):
    t = Value(1.0)
    loss(Value(0.3), t).backward()
    assert math.isfinite(t.grad)


def test_losses_can_be_differentiated_twice():
    for loss, target in [(squared_error, 1.0), (binary_cross_entropy_with_logits, 1.0)]:
        with mp.workdps(30):
            f = {
                squared_error: lambda z: (1 - z) ** 2,
                binary_cross_entropy_with_logits: lambda z: mp.log(1 + mp.exp(-z)),
            }[loss]
            want = float(mpmath.diff(f, mpf("0.3"), 2))
        assert ag.grad(ag.grad(lambda z, loss=loss, target=target: loss(z, target)))(0.3) == pytest.approx(
            want, rel=1e-12
        )
    p = np.array(ag.functions.softmax([0.1, -0.4, 0.9]))
    H = np.array(ag.hessian(lambda z: cross_entropy(z, 1))([0.1, -0.4, 0.9]))
    assert pytest.approx(np.diag(p) - np.outer(p, p), abs=1e-14) == H


# ------------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("loss", BINARY)
def test_lengths_have_to_agree_and_not_be_0(loss):
    with pytest.raises(ValueError, match=r"expected one target for each prediction, got 2 and 1"):
        loss([0.5, 0.5], [1])
    with pytest.raises(ValueError, match=r"got 1 and 2"):
        loss(Value(0.5), [1, 1])
    with pytest.raises(ValueError, match=r"of no predictions at all isn't defined"):
        loss([], [])
    with pytest.raises(ValueError, match=r"flat lists of them, got lists in lists"):
        loss([[0.5]], [[1]])


@pytest.mark.parametrize("loss", BINARY)
@pytest.mark.parametrize("reduction", ["none", "max", None, 1])
def test_an_unknown_reduction_is_refused(loss, reduction):
    with pytest.raises(ValueError, match=r"expected reduction 'sum' or 'mean', got"):
        loss(Value(0.5), 1, reduction=reduction)


@pytest.mark.parametrize("target", [0, 0.5, 2, "a", None, math.nan])
def test_hinge_wants_minus_1_and_plus_1(target):
    with pytest.raises(ValueError, match=r"the hinge loss needs targets of -1 and \+1, got .*2\*y - 1"):
        hinge(Value(0.5), target)
    with pytest.raises(ValueError, match=r"the hinge loss needs"):
        hinge([Value(0.5), Value(0.5)], [1, target])


@pytest.mark.parametrize("loss", [binary_cross_entropy, binary_cross_entropy_with_logits])
def test_binary_targets_are_between_0_and_1(loss):
    for target in (-1, 2, 1.0001):
        with pytest.raises(ValueError, match=r"needs a target from 0 to 1, got"):
            loss(Value(0.5), target)
    with pytest.raises(TypeError, match=r"expected a real number, got str 'a'"):
        loss(Value(0.5), "a")


def test_a_logit_given_as_a_probability_is_refused_with_advice():
    for p in (-0.1, 1.5):
        with pytest.raises(
            ValueError, match=r"needs a probability from 0 to 1, got .*binary_cross_entropy_with_logits"
        ):
            binary_cross_entropy(Value(p), 1)


@pytest.mark.parametrize("target", [-1, 2, 0.5, math.nan, math.inf, np.inf, "a", None, [1], Value(1.0)])
def test_a_target_that_is_no_class_is_refused(target):
    with pytest.raises(ValueError, match=r"expected a class from 0 to 1, got"):
        cross_entropy([Value(1.0), Value(2.0)], target)


def test_cross_entropy_wants_a_list_of_logits():
    for logits in (Value(1.0), 1.0, [], None):
        with pytest.raises(ValueError, match=r"cross_entropy needs a list of logits, one for each class"):
            cross_entropy(logits, 0)
    with pytest.raises(ValueError, match=r"expected one class for each of the 2 examples, got \[0\]"):
        cross_entropy([[1.0, 2.0], [1.0, 2.0]], [0])
    with pytest.raises(ValueError, match=r"expected one class for each of the 2 examples, got 0"):
        cross_entropy([[1.0, 2.0], [1.0, 2.0]], 0)


def test_losses_go_by_their_names():
    assert all(LOSSES[name] is getattr(losses, name) for name in LOSSES)
    assert {loss.__name__ for loss in BINARY} < set(LOSSES)


@pytest.mark.parametrize(
    "loss",
    [losses.hinge, losses.binary_cross_entropy, losses.binary_cross_entropy_with_logits],
    ids=lambda f: f.__name__,
)
def test_a_prediction_in_the_place_of_the_target_is_told(loss):
    w = Value(0.3)
    told = rf"{loss.__name__}\(.*, target\) has the target second, but got the bare number 1\.0 .*; swap them"
    for target in (ag.sigmoid(w), ag.Parameter(1.0), [ag.sigmoid(w)]):
        with pytest.raises(ValueError, match=told):
            loss(1.0, target)
    assert loss(ag.sigmoid(w), 1.0).data == loss(ag.sigmoid(w), Value(1.0)).data
    loss(1.0, Value(1.0))  # data in a Value
    program = ag.vectorize(lambda x, y: x + loss(1.0, 0.5 + y / 2.0))  # a constant prediction
    assert program([0.0], [1.0]).tolist() == [loss(1.0, 1.0)]
