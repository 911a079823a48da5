"""`MLPClassifier` and `MLPRegressor`: parameters, attributes and behaviour of scikit-learn's, trained by this engine.

What is computed is in `workbench`; here are the arguments, the targets, and when a training ends.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from autograd_mini.checks import Array
from autograd_mini.engine.value import Value
from autograd_mini.estimators.workbench import PENALTIES, Plan, Training, workbench
from autograd_mini.optim import SGD, Adam, Optimizer

# The hidden activations, by scikit-learn's names and by ours.
_ACTIVATIONS = {"logistic": "sigmoid"} | {
    name: name for name in ("identity", "tanh", "relu", "sigmoid", "leaky_relu", "elu", "softplus")
}
_SLOWEST = 1e-6  # an adaptive rate below this ends the training
_AUTO_BATCH = 200


class _MLP(BaseEstimator):
    """What classifier and regressor have in common; see `MLPClassifier` for the parameters."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({*_ACTIVATIONS})],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "penalty": [StrOptions({*PENALTIES}), None],
        "keep_prob": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        penalty: str | None = "l2",
        keep_prob: float = 1.0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.penalty = penalty
        self.keep_prob = keep_prob

    # ------------------------------------------------------------------------------------------------- training

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train the network.

        Parameters
        ----------
        X : array_like of shape (n, d)
            One example a row.
        y : array_like of shape (n,) or (n, k)
            The targets.
        sample_weight : array_like of shape (n,), optional
            How much each example counts: one of weight 2 counts as if it were there twice. Their mean over all
            examples, not over each batch, is made 1.

        Returns
        -------
        self
        """
        return self._checked_and_trained(X, y, sample_weight, not (self.warm_start and hasattr(self, "coefs_")))

    def _checked_and_trained(
        self, X: Any, y: Any, weights: Any, is_new: bool, is_part: bool = False, classes: Array | None = None
    ) -> Any:
        if is_part:
            self._check_takes_parts()
        numbers = {"multi_output": True, "y_numeric": self._y_numeric, "dtype": np.float64}
        X, y = validate_data(self, X, y, reset=is_new or not is_part, **numbers)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if is_new:
            self._learn_targets(y, classes)
        return self._train(X, self._encoded(y), self._weights(X, y, weights), is_new, is_part)

    def _check_takes_parts(self) -> None:
        """Refuse what can't be done with a part of the data, before anything is changed."""
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit is only available for the solvers 'sgd' and 'adam', got 'lbfgs'")
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: it sees a part of the data only")
        if getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                "partial_fit does not support class_weight='balanced': a part need not have the classes in the shares "
                "of the whole; give the weights as a dict"
            )

    def _train(self, X: Array, y: Array, weights: Array | None, is_new: bool, is_part: bool) -> Any:
        """Train on targets as numbers, for all iterations or, on a part of the data, for one."""
        if weights is not None:
            used = weights > 0.0
            if not used.any():
                raise ValueError("sample_weight: expected a weight above 0, got none: there is nothing to train on")
            X, y, weights = X[used], y[used], weights[used]
        sizes = (X.shape[1], *self._hidden(), self._outputs(y))
        plan = Plan(
            sizes,
            _ACTIVATIONS[self.activation],
            self._loss,
            float(self.keep_prob),
            self.penalty if self.alpha > 0.0 else None,
            weights is not None,
        )
        if is_new:
            self._begin(plan)
        elif (was := self._plan.sizes) != sizes:
            raise ValueError(f"warm_start: expected layers of {list(was)} as before, got {list(sizes)}; clone it first")
        self._plan = plan
        if is_new or not is_part:
            self._state: dict[str, Any] = {}  # of the optimizer
            self._no_improvement, self._rate = 0, float(self.learning_rate_init)
            self.n_iter_ = 0
            self.best_loss_: float | None = np.inf
            self.loss_curve_: list[float] = []
            self.validation_scores_: list[float] | None = None
            self.best_validation_score_: float | None = None
        held_out = None
        if self.early_stopping and self.solver != "lbfgs":
            self.validation_scores_, self.best_validation_score_, self.best_loss_ = [], -np.inf, None
            X, y, weights, held_out = self._split(X, y, weights)
        size = self._batch(len(X))
        strength = self.alpha / size  # as scikit-learn has it: the penalty counts as one example's loss
        examples = y
        if weights is not None:
            mean = weights.mean()
            strength /= mean
            examples = np.column_stack([y, weights / mean])
        theta = plan.theta(self.coefs_, self.intercepts_)
        seed = int(self._random.randint(np.iinfo(np.int32).max))
        with workbench(plan) as bench:
            training = bench.begin(theta, X, examples, self._rule, size, self.shuffle, strength, seed)
            if self.solver == "lbfgs":
                theta = self._minimized(training, theta)
            else:
                score = (
                    None if held_out is None else lambda at: self._scored(bench.outputs(at, held_out[0]), *held_out[1:])
                )
                theta = self._descended(training, len(X), score, is_part)
        self._take(theta)
        return self

    def _hidden(self) -> list[int]:
        """Return the numbers of hidden neurons."""
        sizes = [*self.hidden_layer_sizes] if np.ndim(self.hidden_layer_sizes) else [self.hidden_layer_sizes]
        if not all(isinstance(size, Integral) for size in sizes):
            raise ValueError(f"hidden_layer_sizes: expected whole numbers, one for each layer, got {sizes!r:.80}")
        if min(sizes, default=1) < 1:
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes!r:.80}")
        return [int(size) for size in sizes]

    def _begin(self, plan: Plan) -> None:
        """Draw the first weights as Glorot and Bengio do, uniformly from ±√(6 / (inputs + outputs))."""
        self._random = check_random_state(self.random_state)
        self.coefs_, self.intercepts_ = [], []
        for n_in, n_out in zip(plan.sizes[:-1], plan.sizes[1:], strict=True):
            bound = np.sqrt((2.0 if plan.activation == "sigmoid" else 6.0) / (n_in + n_out))
            self.coefs_.append(self._random.uniform(-bound, bound, (n_in, n_out)))
            self.intercepts_.append(self._random.uniform(-bound, bound, n_out))
        self.n_iter_ = self.t_ = 0
        self.n_layers_, self.n_outputs_ = len(plan.sizes), plan.sizes[-1]
        self.out_activation_ = self._out_activation()

    _plan: Plan

    def _rule(self, parameters: list[Value]) -> Optimizer:
        """Return the optimizer, as it was after the last iteration."""
        if self.solver == "adam":
            betas = (float(self.beta_1), float(self.beta_2))
            optimizer: Optimizer = Adam(parameters, lr=self._rate, betas=betas, eps=float(self.epsilon))
        else:
            momentum = float(self.momentum)
            nesterov = bool(self.nesterovs_momentum) and momentum > 0.0
            optimizer = SGD(parameters, lr=self._rate, momentum=momentum, nesterov=nesterov)
        optimizer.state = optimizer.initial_state() | self._state
        return optimizer

    def _descended(self, training: Training, n: int, score: Callable[[Array], float] | None, is_part: bool) -> Array:
        """Train by mini-batches until the loss, or the score of what is held out, no longer gets better."""
        best, is_sgd = None, self.solver == "sgd"
        for _ in range(1 if is_part else self.max_iter):
            try:
                self.loss_: float = training.epoch()
            except KeyboardInterrupt:
                warnings.warn("Training interrupted by user: the weights are those of this moment", stacklevel=5)
                break
            self.n_iter_ += 1
            self.t_ += n
            self.loss_curve_.append(self.loss_)
            if self.verbose:
                print(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
            if score is None:
                reached, threshold = -self.loss_, -self.best_loss_ + self.tol  # type: ignore[operator]
                self.best_loss_ = min(self.loss_, self.best_loss_)  # type: ignore[type-var]
            else:
                reached = score(training.theta)
                self.validation_scores_.append(reached)  # type: ignore[union-attr]
                threshold = self.best_validation_score_ + self.tol  # type: ignore[operator]
                if self.verbose:
                    print(f"Validation score: {reached:f}")
                if reached > self.best_validation_score_:  # type: ignore[operator]
                    self.best_validation_score_, best = reached, training.theta
            self._no_improvement = self._no_improvement + 1 if reached < threshold else 0
            if is_sgd and self.learning_rate == "invscaling":
                self._rate = float(self.learning_rate_init) / (self.t_ + 1) ** self.power_t
                training.slow_down(self._rate)
            if self._no_improvement > self.n_iter_no_change:
                if not (is_sgd and self.learning_rate == "adaptive") or self._rate <= _SLOWEST:
                    break
                self._rate, self._no_improvement = self._rate / 5.0, 0
                training.slow_down(self._rate)
        else:
            if not is_part:
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                    f"converged yet.",
                    ConvergenceWarning,
                    stacklevel=5,
                )
        self._state = dict(training.optimizer.state)
        return training.theta if best is None else best

    def _minimized(self, training: Training, theta: Array) -> Array:
        """Minimize the loss of all examples by L-BFGS."""
        options = {"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol}
        found = minimize(training.loss, theta, method="L-BFGS-B", jac=True, options=options)
        if not found.success:
            warnings.warn(
                f"lbfgs failed to converge after {found.nit} iteration(s): {found.message}. Increase max_iter or "
                f"scale the features",
                ConvergenceWarning,
                stacklevel=5,
            )
        self.n_iter_, self.loss_ = int(found.nit), float(found.fun)
        self.loss_curve_.append(self.loss_)
        self.best_loss_ = self.loss_
        self.t_ += self.n_iter_
        return np.asarray(found.x)

    def _batch(self, n: int) -> int:
        if self.solver == "lbfgs":
            return n
        if self.batch_size == "auto":
            return min(_AUTO_BATCH, n)
        if self.batch_size > n:
            warnings.warn(
                f"Got batch_size={self.batch_size} with {n} examples to train on: it is clipped to {n}", stacklevel=4
            )
        return min(int(self.batch_size), n)

    def _split(self, X: Array, y: Array, weights: Array | None) -> tuple[Array, Array, Array | None, Any]:
        """Hold a part of the examples out."""
        arrays = [X, y, np.ones(len(X)) if weights is None else weights]
        stratify = y if self._stratified(y) else None
        X, X_out, y, y_out, w, w_out = train_test_split(
            *arrays, random_state=self._random, test_size=self.validation_fraction, stratify=stratify
        )
        if len(X_out) < 2:
            raise ValueError(
                f"early_stopping: expected at least 2 examples to score, got {len(X_out)} of {len(arrays[0])} with "
                f"validation_fraction={self.validation_fraction:g}; increase it, or take more examples"
            )
        return X, y, None if weights is None else w, (X_out, y_out, None if weights is None else w_out)

    def _take(self, theta: Array) -> None:
        self.coefs_, self.intercepts_ = self._plan.blocks(theta)
        self.__dict__.pop("_network", None)

    # -------------------------------------------------------------------------------------------------- using it

    def _raw(self, X: Any) -> Array:
        """Return the network's outputs, before a sigmoid or softmax, of shape (n, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        plan = self._plan
        with workbench(plan) as bench:
            return bench.outputs(plan.theta(self.coefs_, self.intercepts_), X)

    @property
    def network_(self) -> Any:
        """The scalar network in evaluation mode, a module whose parameters are Values: draw it, step through it.

        It is made of `coefs_` and `intercepts_` when it is first asked for after a fit; changing it changes nothing
        about the estimator. Of a classifier it gives logits, what goes into the sigmoid or softmax.
        """
        check_is_fitted(self)
        if "_network" not in vars(self):
            network = self._plan.network()
            theta = self._plan.theta(self.coefs_, self.intercepts_).tolist()
            for parameter, number in zip(network.parameters(), theta, strict=True):
                parameter.data = number
            self._network = network
        return self._network

    def example_loss(self, x: Any, y: Any) -> Value:
        """Return the loss of one example as a node, whose graph `draw` and `step_through` show.

        Parameters
        ----------
        x : array_like of shape (d,)
            Its features.
        y : label, number or array_like of shape (k,)
            Its target, as `fit` takes them.

        Returns
        -------
        Value
            Without penalty and weight.
        """
        network = self.network_
        row = validate_data(self, np.reshape(np.asarray(x, dtype=float), (1, -1)), reset=False)[0]
        target = self._encoded(np.array([y]))[0].tolist()
        node: Value = self._plan._replace(is_weighted=False).loss_of(network(row.tolist()), target)
        return node

    def __getstate__(self) -> Any:
        return {name: thing for name, thing in super().__getstate__().items() if name != "_network"}


class MLPClassifier(ClassifierMixin, _MLP):
    """A classifier by a multilayer perceptron, as scikit-learn's of that name, trained by this package's engine.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter
        As scikit-learn's; there are more activations: "leaky_relu", "elu", "softplus".
    shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction
        As scikit-learn's.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As scikit-learn's.
    penalty : {"l2", "l1", "weight_elimination"} or None, optional
        What is added to the loss of a batch: α/m times ½ Σ w², Σ |w| or Σ w²/(1 + w²), over all weights but the
        biases. m is the batch size, also where the last batch of an epoch is smaller; scikit-learn's is smaller there.
    keep_prob : float, optional
        The probability with which dropout keeps a hidden unit in training.
    class_weight : dict, "balanced" or None, optional
        How much the examples of each class count; "balanced" makes all classes count the same.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The labels.
    coefs_, intercepts_ : list of numpy.ndarray
        The weights of each layer, of shape (inputs, outputs), and the biases.
    network_ : nn.MLP or nn.Sequential
        The same as a network of Values, which gives logits.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, n_iter_, t_, n_layers_, n_outputs_
        As scikit-learn's.
    out_activation_, n_features_in_, feature_names_in_
        As scikit-learn's.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from autograd_mini.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((8,), "tanh", solver="lbfgs", max_iter=2000, random_state=0).fit(X, y)
    >>> float(model.score(X, y)) > 0.95
    True
    >>> L = model.example_loss(X[0], y[0])  # draw(L), step_through(L)
    """

    _y_numeric = False
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_MLP._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        penalty: str | None = "l2",
        keep_prob: float = 1.0,
        class_weight: Any = None,
    ) -> None:
        # scikit-learn reads the parameters' names from this signature, so they stand here once more.
        given = {name: value for name, value in locals().items() if name not in ("self", "class_weight", "__class__")}
        super().__init__(**given)
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Train for one iteration on a part of the data.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array_like, optional
            All labels there are, of all parts; needed by the first call.

        Returns
        -------
        self
        """
        is_new = not hasattr(self, "coefs_")
        if is_new and classes is None:
            raise ValueError("classes: expected all labels at the first call of partial_fit, got None")
        if not is_new and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes: expected those of the first call, {self.classes_}, got {classes!r:.80}")
        return self._checked_and_trained(
            X, y, sample_weight, is_new, True, None if classes is None else np.unique(classes)
        )

    def _learn_targets(self, y: Array, classes: Array | None) -> None:
        check_classification_targets(y)
        self._is_multilabel = type_of_target(y) == "multilabel-indicator"
        if classes is not None:
            self.classes_ = classes
        else:
            self.classes_ = np.arange(y.shape[1]) if self._is_multilabel else np.unique(y)
        if len(self.classes_) < 2 and not self._is_multilabel:
            raise ValueError(f"y: expected at least 2 classes, got one class alone, {self.classes_[0]!r}")

    def _encoded(self, y: Array) -> Array:
        """Return the targets as numbers: class indices, 0 or 1, or a row of them for labels that may go together."""
        check_classification_targets(y)
        if self._is_multilabel:
            if y.ndim != 2 or y.shape[1] != len(self.classes_):
                raise ValueError(f"y: expected a column for each of {len(self.classes_)} labels, got shape {y.shape}")
            return np.asarray(y, dtype=float)
        found = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        strange = np.unique(y[self.classes_[found] != y])
        if len(strange):
            raise ValueError(f"y: expected classes of {self.classes_}, got {strange}")
        return found.astype(float)

    @property
    def _loss(self) -> str:
        is_binary = self._is_multilabel or len(self.classes_) == 2
        return "binary_cross_entropy_with_logits" if is_binary else "cross_entropy"

    def _outputs(self, y: Array) -> int:
        return 1 if not self._is_multilabel and len(self.classes_) == 2 else len(self.classes_)

    def _out_activation(self) -> str:
        return "softmax" if self._loss == "cross_entropy" else "logistic"

    def _weights(self, X: Array, y: Array, sample_weight: Any) -> Array | None:
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if self.class_weight is None:
            return weights
        by_class: Array = compute_sample_weight(self.class_weight, y)
        return by_class if weights is None else weights * by_class

    def _stratified(self, y: Array) -> bool:
        return not self._is_multilabel

    def _scored(self, outputs: Array, y: Array, weights: Array | None) -> float:
        if self._is_multilabel:
            return float(accuracy_score(y, outputs > 0.0, sample_weight=weights))
        found = outputs[:, 0] > 0.0 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        return float(accuracy_score(y, found, sample_weight=weights))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, of shape (n, classes), or of each of several labels."""
        outputs = self._raw(X)
        if self._is_multilabel:
            return np.asarray(expit(outputs))
        if outputs.shape[1] == 1:
            p = expit(outputs[:, 0])
            return np.column_stack([1.0 - p, p])
        return np.asarray(softmax(outputs, axis=1))

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> Array:
        """Return the label of each row; for labels that may go together a row of 0 and 1."""
        outputs = self._raw(X)
        if self._is_multilabel:
            return (outputs > 0.0).astype(int)
        found = (outputs[:, 0] > 0.0).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        return np.asarray(self.classes_[found])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, _MLP):
    """Regression by a multilayer perceptron, as scikit-learn's of that name, trained by this package's engine.

    The loss of an example is ½ Σ (prediction - target)².

    Parameters
    ----------
    hidden_layer_sizes, activation, …
        As for `MLPClassifier`, without `class_weight`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_mini.estimators import MLPRegressor
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = MLPRegressor((8,), "tanh", solver="lbfgs", random_state=0).fit(X, X[:, 0] ** 2)
    >>> float(model.score(X, X[:, 0] ** 2)) > 0.98
    True
    """

    _y_numeric, _loss = True, "half_squared_error"

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one iteration on a part of the data; the arguments are those of `fit`."""
        return self._checked_and_trained(X, y, sample_weight, not hasattr(self, "coefs_"), True)

    def _learn_targets(self, y: Array, classes: Array | None) -> None:
        self._width = None if y.ndim == 1 else y.shape[1]

    def _encoded(self, y: Array) -> Array:
        if (None if y.ndim == 1 else y.shape[1]) != self._width:
            raise ValueError(f"y: expected targets of width {self._width or 1}, as before, got shape {y.shape}")
        return np.asarray(y, dtype=float)

    def _outputs(self, y: Array) -> int:
        return 1 if y.ndim == 1 else int(y.shape[1])

    def _out_activation(self) -> str:
        return "identity"

    def _weights(self, X: Array, y: Array, sample_weight: Any) -> Array | None:
        return None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)

    def _stratified(self, y: Array) -> bool:
        return False

    def _scored(self, outputs: Array, y: Array, weights: Array | None) -> float:
        return float(r2_score(y, outputs.reshape(y.shape), sample_weight=weights))

    def predict(self, X: Any) -> Array:
        """Return the prediction for each row, of shape (n,) or (n, k) as the targets were."""
        outputs = self._raw(X)
        return outputs[:, 0] if self._width is None else outputs
