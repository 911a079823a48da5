"""What scikit-learn has trained gives the same predictions here."""

import numpy as np
import pytest

from autograd_mini import nn, step_through, vectorize
from autograd_mini.interchange import from_sklearn

pytestmark = [pytest.mark.needs("scikit-learn"), pytest.mark.filterwarnings("ignore:.*:UserWarning")]
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("hidden", [(4,), (4, 3), ()])
def test_regressors_give_the_same_predictions(activation, hidden):
    from sklearn.neural_network import MLPRegressor

    for y in (X @ [1.0, -2.0, 0.5], X @ rng.normal(size=(3, 2))):
        estimator = MLPRegressor(hidden_layer_sizes=hidden, activation=activation, max_iter=5, random_state=0).fit(X, y)
        found = vectorize(from_sklearn(estimator))(X)
        np.testing.assert_allclose(found, estimator.predict(X), 1e-12, 1e-12)


def test_a_poisson_regression_ends_in_exp_where_there_is_one():
    from sklearn.neural_network import MLPRegressor

    if "loss" not in MLPRegressor().get_params():
        return  # scikit-learn below 1.7
    estimator = MLPRegressor(loss="poisson", hidden_layer_sizes=(3,), max_iter=5, random_state=0).fit(X, X[:, 0] ** 2)
    np.testing.assert_allclose(vectorize(from_sklearn(estimator))(X), estimator.predict(X), 1e-12, 1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_classifiers_give_the_same_probabilities(classes):
    from sklearn.neural_network import MLPClassifier

    y = np.arange(40) % classes
    estimator = MLPClassifier((5,), max_iter=5, random_state=0).fit(X, y)
    model = from_sklearn(estimator)
    found, expected = vectorize(model)(X), estimator.predict_proba(X)
    np.testing.assert_allclose(found, expected[:, 1] if classes == 2 else expected, 1e-12, 1e-12)
    model.output = "identity"
    z = vectorize(model)(X)
    p = 1 / (1 + np.exp(-z)) if classes == 2 else np.exp(z) / np.exp(z).sum(1, keepdims=True)
    np.testing.assert_allclose(found, p, 1e-12, 1e-12)


def test_several_labels_have_a_probability_each():
    from sklearn.neural_network import MLPClassifier

    labels = rng.integers(0, 2, size=(40, 3))
    estimator = MLPClassifier((5,), max_iter=5, random_state=0).fit(X, labels)
    np.testing.assert_allclose(vectorize(from_sklearn(estimator))(X), estimator.predict_proba(X), 1e-12, 1e-12)


def test_numbers_of_single_precision_and_a_loss_to_step_through():
    from sklearn.neural_network import MLPRegressor

    estimator = MLPRegressor(hidden_layer_sizes=(2,), max_iter=5, random_state=0).fit(
        X.astype("float32"), X[:, 0].astype("float32")
    )
    model = from_sklearn(estimator)
    loss = nn.squared_error(model(X[0]), X[0, 0])
    loss.backward()
    assert "∂L/∂L = 1" in str(step_through(loss))
    assert any(parameter.grad for parameter in model.parameters())


def test_what_is_no_fitted_network_is_refused():
    from sklearn.linear_model import LinearRegression
    from sklearn.neural_network import MLPRegressor

    from autograd_mini.estimators import MLPClassifier

    with pytest.raises(ValueError, match=r"expected a fitted estimator, got MLPRegressor\(\); call fit\(X, y\) before"):
        from_sklearn(MLPRegressor())
    with pytest.raises(
        TypeError, match=r"expected an MLPClassifier or MLPRegressor of sklearn.*, got LinearRegression$"
    ):
        from_sklearn(LinearRegression())
    ours = MLPClassifier((2,), max_iter=2).fit(X, np.arange(40) % 2)
    with pytest.raises(TypeError, match=r"got MLPClassifier; it is one already: .network_"):
        from_sklearn(ours)
    with pytest.raises(TypeError, match="got NoneType"):
        from_sklearn(None)
