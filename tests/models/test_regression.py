"""Linear and logistic regression as one neuron, against solvers that know nothing of gradient descent."""

import numpy as np
import pytest

from autograd_mini import datasets, nn, sigmoid
from autograd_mini.optim import SGD
from autograd_mini.optim.schedules import Exponential
from autograd_mini.training import Trainer

# --------------------------------------------------------------------------------------------- linear regression

# The three ways of L1: examples in a batch, rate, its factor from step to step, epochs. The noise of a gradient of few
# examples dies away only with the rate.
DESCENTS = {
    "one example at a time": (1, 0.05, 0.9992, 150),
    "mini-batches of 16": (16, 0.2, 0.99, 150),
    "the whole set": (None, 0.3, 1.0, 150),
}


def weights_and_bias(neuron):
    return np.array([*(w.data for w in neuron.weights), neuron.bias.data])


def least_squares(X, y):
    """The minimiser of Σ (y - Xw - b)², b last."""
    return np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0]


@pytest.mark.parametrize("descent", DESCENTS)
def test_a_linear_neuron_trained_by_sgd_finds_the_least_squares_solution(descent):
    batch_size, lr, gamma, epochs = DESCENTS[descent]
    X, y = datasets.linear(n=64, n_features=3, noise=0.3, seed=1)
    neuron = nn.Neuron(3, "identity", rng=0)
    optimizer = SGD(neuron.parameters(), lr=Exponential(lr, gamma))
    solution = least_squares(X, y)
    assert np.abs(weights_and_bias(neuron) - solution).max() > 0.1  # it doesn't begin there
    Trainer(neuron, "squared_error", optimizer, batch_size=batch_size, epochs=epochs, progress=False).fit(X, y)
    np.testing.assert_allclose(weights_and_bias(neuron), solution, rtol=0.0, atol=1e-3)


def test_the_gradient_of_the_squared_error_vanishes_at_the_least_squares_solution_and_nowhere_near():
    X, y = datasets.linear(n=64, n_features=3, noise=0.3, seed=1)
    neuron = nn.Neuron(3, "identity", initializer="zeros")

    def gradient(solution):
        neuron.load_state_dict({"weight": solution[:3], "bias": solution[3]})
        neuron.zero_grad()
        nn.squared_error([neuron(row) for row in X], y).backward()
        return np.array([parameter.grad for parameter in neuron.parameters()])

    solution = least_squares(X, y)
    assert np.abs(gradient(solution)).max() < 1e-12 * len(X)
    for i in range(4):
        assert np.abs(gradient(solution + 0.01 * np.eye(4)[i])).max() > 0.1


# ------------------------------------------------------------------------------------------- logistic regression

# What scikit-learn 1.9.1 finds on `overlapping_irises`, weights and then bias. It was made by
#
#     from sklearn.linear_model import LogisticRegression
#     model = LogisticRegression(penalty=None, tol=1e-12, max_iter=10_000).fit(X, y)
#     print(model.coef_.tolist(), model.intercept_.tolist())
#
# and, without the warning that penalty=None goes away, the same digits come from LogisticRegression(C=np.inf, …).
RECORDED = [1.2546391739481877, 0.13397588131668772, 0.028825799629010485]


def overlapping_irises():
    """Versicolor (0) and virginica (1) by their sepals, standardised; no line separates them, so a solution exists."""
    X, y = datasets.iris()
    X, y = X[50:, :2], y[50:] - 1
    return (X - X.mean(axis=0)) / X.std(axis=0), y


# The neuron gives the probability, or the logit and leaves the sigmoid to the loss.
NEURONS = [("sigmoid", "binary_cross_entropy"), ("identity", "binary_cross_entropy_with_logits")]


def trained_on_irises(activation, loss, batch_size=None, gamma=1.0, epochs=150):
    X, y = overlapping_irises()
    neuron = nn.Neuron(2, activation, rng=0)
    optimizer = SGD(neuron.parameters(), lr=Exponential(1.0, gamma), momentum=0.5)
    Trainer(neuron, loss, optimizer, batch_size=batch_size, epochs=epochs, progress=False).fit(X, y)
    return neuron


@pytest.mark.parametrize(("activation", "loss"), NEURONS)
def test_a_sigmoid_neuron_with_cross_entropy_finds_the_coefficients_that_scikit_learn_found(activation, loss):
    neuron = trained_on_irises(activation, loss)
    np.testing.assert_allclose(weights_and_bias(neuron), RECORDED, rtol=0.0, atol=1e-2)


def test_logistic_regression_by_mini_batches_finds_them_too():
    neuron = trained_on_irises("sigmoid", "binary_cross_entropy", batch_size=10, gamma=0.995)
    np.testing.assert_allclose(weights_and_bias(neuron), RECORDED, rtol=0.0, atol=1e-2)


@pytest.mark.needs("scikit-learn")
def test_a_sigmoid_neuron_agrees_with_scikit_learn_as_it_is_installed():
    from sklearn import linear_model

    X, y = overlapping_irises()
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(X, y)  # C = ∞ is no penalty
    neuron = trained_on_irises("sigmoid", "binary_cross_entropy")
    coefficients = [*theirs.coef_[0], theirs.intercept_[0]]
    np.testing.assert_allclose(coefficients, RECORDED, rtol=0.0, atol=1e-5)
    np.testing.assert_allclose(weights_and_bias(neuron), coefficients, rtol=0.0, atol=1e-2)
    probabilities = [neuron(row).data for row in X]
    np.testing.assert_allclose(probabilities, theirs.predict_proba(X)[:, 1], rtol=0.0, atol=1e-2)


def test_at_the_coefficients_of_scikit_learn_the_gradient_of_the_cross_entropy_vanishes():
    X, y = overlapping_irises()
    neuron = nn.Neuron(2, "sigmoid", initializer="zeros")
    neuron.load_state_dict({"weight": RECORDED[:2], "bias": RECORDED[2]})
    nn.binary_cross_entropy([neuron(row) for row in X], y, reduction="mean").backward()
    gradient = [parameter.grad for parameter in neuron.parameters()]
    np.testing.assert_allclose(gradient, 0.0, atol=1e-8)
    # By hand: Σ (σ(wᵀx + b) - y)(x, 1) / n, away from the solution, where it is something.
    neuron.load_state_dict({"weight": [0.5, -1.0], "bias": 0.25})
    neuron.zero_grad()
    nn.binary_cross_entropy([neuron(row) for row in X], y, reduction="mean").backward()
    inputs = np.column_stack([X, np.ones(len(X))])
    error = np.array([sigmoid(float(z)) for z in inputs @ [0.5, -1.0, 0.25]]) - y
    expected = inputs.T @ error / len(X)
    assert np.abs(expected).min() > 0.01
    np.testing.assert_allclose([parameter.grad for parameter in neuron.parameters()], expected, rtol=1e-12)
