"""Networks that scikit-learn has trained, as models: to draw them, to step through a prediction, to go on training."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_mini.checks import needed
from autograd_mini.engine import functions
from autograd_mini.nn import MLP

_ACTIVATIONS: dict[str, Any] = {name: name for name in ("identity", "tanh", "relu", "softmax")}
_ACTIVATIONS |= {"logistic": "sigmoid", "exp": functions.exp}  # the last one at the end of a Poisson regression


def from_sklearn(estimator: Any) -> MLP:
    """Return a fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn as a model.

    Of a regressor it gives the predictions; of a classifier the probabilities: of the second class where there are two
    classes, else of each class (or label) in the order of ``estimator.classes_``. For the sums z before them, which
    the losses with "logits" take, set ``model.output = "identity"``.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier or MLPRegressor
        A fitted one.

    Returns
    -------
    MLP
        A copy of the network.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If it isn't fitted.
    MissingDependencyError
        If scikit-learn isn't installed.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 2.0, 3.0]
    >>> estimator = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0).fit(X, y)
    >>> model = from_sklearn(estimator)
    >>> bool(abs(model([1.0, 1.0]).data - estimator.predict([[1.0, 1.0]])[0]) < 1e-12)
    True
    """
    advice = 'from_sklearn needs scikit-learn; run: pip install "autograd-mini[sklearn]"'
    networks = needed("sklearn.neural_network", advice)
    if not isinstance(estimator, (networks.MLPClassifier, networks.MLPRegressor)):
        said = "; it is one already: .network_" if hasattr(estimator, "network_") else ""
        raise TypeError(
            f"expected an MLPClassifier or MLPRegressor of sklearn.neural_network, got {type(estimator).__name__}{said}"
        )
    if not hasattr(estimator, "coefs_"):
        raise ValueError(f"expected a fitted estimator, got {estimator!r}; call fit(X, y) before")
    sizes = [len(estimator.coefs_[0]), *[matrix.shape[1] for matrix in estimator.coefs_]]
    output = _ACTIVATIONS[estimator.out_activation_]
    model = MLP(sizes[0], sizes[1:], _ACTIVATIONS[estimator.activation], output, "zeros")
    layers = enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    state = {f"layers.{k}.{name}": part for k, (w, b) in layers for name, part in (("weight", w.T), ("bias", b))}
    model.load_state_dict({name: np.asarray(part, float) for name, part in state.items()})
    return model
