"""Metrics against numbers by hand, and against scikit-learn's where it is installed."""

import math

import numpy as np
import pytest

from autograd_mini.training.metrics import METRICS, accuracy, log_loss, mean_squared_error, r2_score

LOG2 = math.log(2.0)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "threshold", "expected"),
    [
        ([0, 1, 2, 1], [0, 1, 1, 1], None, 0.75),
        ([0.0, 1.0], [1.0, 0.0], None, 0.0),
        ([-1, 1, 1], [-1, 1, -1], None, 2 / 3),
        ([7, 9], [7, 9], None, 1.0),
        ([0, 1, 2], [[3.0, 1.0, 2.0], [-5.0, -1.0, -2.0], [0.3, 0.4, 0.3]], None, 2 / 3),
        ([0, 1], [[0.5, 0.5], [0.5, 0.5]], None, 0.5),  # of equal scores the first counts
        ([0, 1, 1, 0], [0.2, 0.7, 0.4, 0.5], 0.5, 0.75),  # 0.5 isn't above the threshold
        ([-1, 1, 1], [-0.3, 0.8, -0.1], 0, 2 / 3),
        ([0, 0, 1, 1], [-3.0, 2.0, 2.0, 0.1], 0.0, 0.75),
        ([1, 1], [0.9, 0.1], 0.5, 0.5),  # only one class there
        ([[0], [1]], [[0.1], [0.9]], 0.5, 1.0),  # single columns
        ([True, False], [True, True], None, 0.5),
    ],
)
def test_accuracy_by_hand(y_true, y_pred, threshold, expected):
    found = accuracy(y_true, y_pred, threshold)
    assert found == pytest.approx(expected, rel=1e-15)
    assert type(found) is float
    assert accuracy(np.array(y_true), np.array(y_pred), threshold=threshold) == found


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([1.0, 2.0, 4.0], [1.0, 4.0, 3.0], 5 / 3),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 8.0]], 4.0),
        ([[1.0], [2.0]], [1.0, 4.0], 2.0),  # a single column is no matrix: nothing is broadcast
        ([5], [5], 0.0),
    ],
)
def test_mean_squared_error_by_hand(y_true, y_pred, expected):
    assert mean_squared_error(y_true, y_pred) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 1.0),
        ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], 0.0),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], 0.5),
        ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -3.0),
        ([2.0, 2.0], [2.0, 2.0], 1.0),  # constant and right
        ([2.0, 2.0], [2.0, 3.0], 0.0),  # constant and wrong
        ([[1.0, 2.0], [3.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]], 0.0),  # the mean of -1 and 1
    ],
)
def test_r2_by_hand(y_true, y_pred, expected):
    assert r2_score(y_true, y_pred) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([1, 0], [0.5, 0.5], LOG2),
        ([1, 0], [0.25, 0.5], 1.5 * LOG2),
        ([1, -1], [0.25, 0.5], 1.5 * LOG2),
        ([1], [1.0], 2.0**-52),
        ([0], [1.0], 52 * LOG2),  # cut off at 2⁻⁵²
        ([2, 0], [[0.25, 0.25, 0.5], [0.25, 0.25, 0.5]], 1.5 * LOG2),
        ([1], [[1.0, 0.0]], 52 * LOG2),
    ],
)
def test_log_loss_by_hand(y_true, y_pred, expected):
    assert log_loss(y_true, y_pred) == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.needs("scikit-learn")
@pytest.mark.parametrize("seed", range(5))
def test_all_are_those_of_scikit_learn(seed):
    from sklearn import metrics as sklearn

    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(4, 60)), 3
    y, f = rng.normal(size=n), rng.normal(size=n)
    Y, F = rng.normal(size=(n, k)), rng.normal(size=(n, k))
    Y[:, 1] = 2.0  # a constant output
    assert mean_squared_error(y, f) == pytest.approx(sklearn.mean_squared_error(y, f), rel=1e-13)
    assert mean_squared_error(Y, F) == pytest.approx(sklearn.mean_squared_error(Y, F), rel=1e-13)
    assert r2_score(y, f) == pytest.approx(sklearn.r2_score(y, f), rel=1e-13)
    assert r2_score(Y, F) == pytest.approx(sklearn.r2_score(Y, F), rel=1e-13)
    classes, predicted = rng.integers(0, k, size=n), rng.integers(0, k, size=n)
    assert accuracy(classes, predicted) == sklearn.accuracy_score(classes, predicted)
    assert accuracy(classes, F) == sklearn.accuracy_score(classes, F.argmax(axis=1))
    shares = np.exp(F) / np.exp(F).sum(axis=1, keepdims=True)
    shares[0] = np.eye(k)[(classes[0] + 1) % k]  # certain, and wrong
    assert log_loss(classes, shares) == pytest.approx(sklearn.log_loss(classes, shares, labels=range(k)), rel=1e-12)
    p, labels = rng.uniform(size=n), rng.integers(0, 2, size=n)
    p[:2] = [0.0, 1.0]
    assert log_loss(labels, p) == pytest.approx(sklearn.log_loss(labels, p, labels=[0, 1]), rel=1e-12)
    assert accuracy(labels, p, threshold=0.5) == sklearn.accuracy_score(labels, p > 0.5)


def test_the_names():
    assert list(METRICS) == ["accuracy", "mean_squared_error", "r2_score", "log_loss"]
    assert all(metric.__name__ == name for name, metric in METRICS.items())


# ------------------------------------------------------------------------------------------------ bad arguments


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([1, 0, 1], [1, 0], "expected one prediction for each of the 3 examples, got 2"),
        ([1, 0], [[1], [0], [1]], "expected one prediction for each of the 2 examples, got 3"),
        ([], [], "expected at least one example, got none"),
        ([1, 0], [1, math.nan], "y_pred: expected finite numbers, got nan at [1]"),
        ([math.inf, 0], [1, 0], "y_true: expected finite numbers, got inf at [0]"),
        (["a", "b"], [1, 0], "y_true: expected real numbers"),
        (1, 1, "y_true: expected shape (examples,) or (examples, outputs), got ()"),
        ([1, 0], np.zeros((2, 2, 2)), "y_pred: expected shape (examples,) or (examples, outputs), got (2, 2, 2)"),
    ],
)
def test_what_no_metric_takes(metric, y_true, y_pred, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        metric(y_true, y_pred)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: accuracy([0, 1], [0.2, 0.9]),
            "expected classes, got the score 0.2; pass threshold=0.5 for probabilities or threshold=0 for logits",
        ),
        (
            lambda: accuracy([0, 1], [[1, 2], [2, 1]], threshold=0.5),
            "threshold: expected one score for each example with it, got shape (2, 2)",
        ),
        (lambda: accuracy([0, 2], [0.1, 0.9], 0.5), "y_true: expected the classes 0 and 1, or -1 and +1, got 0, 2"),
        (lambda: accuracy([-1, 0], [0.1, 0.9], 0.5), "y_true: expected the classes 0 and 1, or -1 and +1, got -1, 0"),
        (lambda: accuracy([0, 2], [[1, 2], [2, 1]]), "y_true: expected classes from 0 to 1, got 2"),
        (lambda: accuracy([-1, 1], [[1, 2], [2, 1]]), "y_true: expected classes from 0 to 1, got -1"),
        (lambda: accuracy([0.5, 1], [[1, 2], [2, 1]]), "y_true: expected classes from 0 to 1, got 0.5"),
        (
            lambda: accuracy([[0, 1], [1, 0]], [[1, 2], [2, 1]]),
            "y_true: expected one class for each example, got shape (2, 2); write y.argmax(axis=1)",
        ),
        (
            lambda: mean_squared_error([1, 2], [[1, 2], [3, 4]]),
            "expected as many predictions as targets in a row, got (2, 2) and (2,)",
        ),
        (lambda: r2_score([1], [1]), "r2_score: expected at least two examples, got 1"),
        (
            lambda: log_loss([0, 1], [0.5, 1.5]),
            "y_pred: expected probabilities from 0 to 1, got 1.5; put logits through a sigmoid or softmax first",
        ),
        (lambda: log_loss([0, 1], [-0.5, 0.5]), "y_pred: expected probabilities from 0 to 1, got -0.5"),
        (
            lambda: log_loss([0, 1], [[0.5, 0.5], [0.5, 0.25]]),
            "y_pred: expected rows that add up to 1, got 0.75 in row 1; take a softmax",
        ),
        (lambda: log_loss([0, 2], [0.5, 0.5]), "y_true: expected the classes 0 and 1, or -1 and +1, got 0, 2"),
        (lambda: log_loss([0, 3], [[0.5, 0.5]] * 2), "y_true: expected classes from 0 to 1, got 3"),
    ],
)
def test_what_one_metric_does_not_take(call, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize("size", [6.9e153, 1.4e154, 1e200, 1.7e308])
def test_predictions_that_are_far_off_have_infinite_errors_and_no_warning(size):
    truth, given = [0.0, 1.0, 2.0, 3.0, 4.0], [size, -size, size, -size, size]
    assert mean_squared_error(truth, given) == math.inf
    assert r2_score(truth, given) == -math.inf
    assert math.isnan(r2_score(given, truth))  # infinitely much is unexplained, of as much
