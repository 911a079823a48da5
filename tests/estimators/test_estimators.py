"""The estimators as scikit-learn's users use them: checked by scikit-learn, in pipelines and grids, against its own."""

import os
import pickle
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from autograd_mini import Value, step_through
from autograd_mini.estimators import MLPClassifier, MLPRegressor
from autograd_mini.estimators.workbench import Plan, Training, workbench
from autograd_mini.nn import L1, L2, WeightElimination, cross_entropy
from autograd_mini.training import NonFiniteLossError

pytestmark = pytest.mark.needs("scikit-learn")  # where it is missing this file isn't imported

IRIS = load_iris(return_X_y=True)
X, y = StandardScaler().fit_transform(IRIS[0]), IRIS[1]
NAMES = np.array(["setosa", "versicolor", "virginica"])


def fitted(kind=MLPClassifier, data=(X, y), **arguments):
    """An estimator after a fit that may end before it has converged."""
    arguments = {"hidden_layer_sizes": (6,), "max_iter": 20, "random_state": 0} | arguments
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(**arguments).fit(*data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("arguments", [{}, {"penalty": "l1"}], ids=str)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_all_pass_and_none_is_expected_to_fail(kind, arguments):
    results = check_estimator(kind(**arguments), on_fail=None, on_skip=None)
    assert len(results) > 50
    assert {r["check_name"]: repr(r["exception"]) for r in results if r["status"] not in ("passed", "skipped")} == {}
    assert not any(result["expected_to_fail"] for result in results)


def test_parameters_and_attributes_have_scikit_learns_names():
    for ours, theirs in [(MLPClassifier, neural_network.MLPClassifier), (MLPRegressor, neural_network.MLPRegressor)]:
        assert set(theirs().get_params()) - set(ours().get_params()) <= {"loss"}
        assert {"penalty", "keep_prob"} <= set(ours().get_params())
        public = {name for name in vars(fitted(theirs)) if name.endswith("_") and not name.startswith("_")}
        assert public <= set(vars(fitted(ours))) | {"best_validation_score_"}


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("task", ["two classes", "three classes", "several labels", "numbers"])
def test_from_one_start_both_take_the_same_steps(solver, activation, task, monkeypatch):
    # All examples make one batch, and both draw their first weights alike: nothing else is left to
    # chance. ε stands at another place in the two Adams, so it is next to nothing.
    data = {
        "two classes": (X, y > 0),
        "three classes": (X, y),
        "several labels": (X, np.column_stack([y > 0, y > 1]).astype(int)),
        "numbers": (X, X @ [1.0, -2.0, 0.5, 0.0]),
    }[task]
    kinds = (
        (MLPRegressor, neural_network.MLPRegressor)
        if task == "numbers"
        else (MLPClassifier, neural_network.MLPClassifier)
    )
    ours, theirs = (
        fitted(
            kind,
            data,
            activation=activation,
            solver=solver,
            alpha=0.3,
            max_iter=7,
            learning_rate_init=0.01,
            epsilon=1e-15,
        )
        for kind in kinds
    )
    close = {"rtol": 1e-7, "atol": 1e-9}
    for mine, its in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, its, **close)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-8)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.out_activation_ == theirs.out_activation_
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), **close)
    if task != "numbers":
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), **close)


@pytest.mark.parametrize("penalty", [None, "l1", "l2", "weight_elimination"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_is_that_of_the_scalar_network_with_penalty_and_weights(penalty, weighted):
    w = np.linspace(0.5, 3.0, len(y)) if weighted else None
    model = fitted(data=(X, y, w), penalty=penalty, alpha=0.2, max_iter=1, solver="sgd", learning_rate_init=1e-12)
    example = np.array([model.example_loss(x, t).data for x, t in zip(X, y, strict=True)])
    m = len(y) if w is None else w.sum()
    strength = {None: None, "l1": L1(0.2 / m), "l2": L2(0.1 / m), "weight_elimination": WeightElimination(0.2 / m)}
    extra = strength[penalty](model.network_).data if penalty else 0.0
    assert model.loss_ == pytest.approx(np.average(example, weights=w) + extra, rel=1e-9)


def test_an_example_of_weight_two_counts_as_two_and_one_of_none_not_at_all():
    w = np.arange(len(y)) % 3
    weighted = fitted(data=(X, y, w.astype(float)), batch_size=400, solver="lbfgs", max_iter=5)
    repeated = fitted(data=(X.repeat(w, axis=0), y.repeat(w)), batch_size=400, solver="lbfgs", max_iter=5)
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-6)
    with pytest.raises(ValueError, match=r"at least one non-zero|a weight above 0, got none"):
        fitted(data=(X, y, np.zeros(len(y))))


def test_class_weights_are_sample_weights():
    by_class = fitted(class_weight={0: 1.0, 1: 3.0, 2: 0.5})
    by_sample = fitted(data=(X, y, np.array([1.0, 3.0, 0.5])[y]))
    assert np.array_equal(by_class.coefs_[0], by_sample.coefs_[0])
    assert fitted(class_weight="balanced", solver="lbfgs").score(X, y) > 0.9


def test_dropout_is_drawn_from_the_seed_and_only_in_training():
    first, second, other = (fitted(keep_prob=0.5, random_state=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.coefs_[0], second.coefs_[0])
    assert not np.array_equal(first.coefs_[0], other.coefs_[0])
    assert np.array_equal(first.predict_proba(X), first.predict_proba(X))
    logits = [z.data for z in first.network_(X[0].tolist())]
    assert first.predict_log_proba(X[:1])[0] == pytest.approx(logits - np.log(np.sum(np.exp(logits))))


@pytest.mark.parametrize("arguments", [{}, {"early_stopping": True}], ids=str)
def test_with_dropout_later_fits_of_the_same_shape_predict_with_the_whole_network_too(arguments):
    for seed in (0, 1, 2):  # of which the later ones find the program of the first
        model = fitted(keep_prob=0.5, random_state=seed, max_iter=5, **arguments)
        logits = np.array([[z.data for z in model.network_(row)] for row in X[:5].tolist()])
        found = model.predict_log_proba(X[:5])
        np.testing.assert_allclose(found[:, 1:] - found[:, :1], logits[:, 1:] - logits[:, :1], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found, model.predict_log_proba(X[:5]))


def test_what_is_held_out_is_scored_with_the_whole_network_and_dropout_goes_on_in_training():
    # At a rate at which nothing changes, all scores are one number, and the losses are those of other masks each time.
    model = fitted(keep_prob=0.5, max_iter=5, early_stopping=True, learning_rate_init=1e-12)
    again = fitted(keep_prob=0.5, max_iter=5, early_stopping=True, learning_rate_init=1e-12)
    assert len({*model.validation_scores_, *again.validation_scores_}) == 1
    assert len(set(model.loss_curve_)) == 5
    assert model.loss_curve_ == again.loss_curve_


def test_the_network_of_values_predicts_the_same_and_its_loss_can_be_stepped_through():
    model = fitted(data=(X, NAMES[y]))
    outputs = np.array([[z.data for z in model.network_(x.tolist())] for x in X])
    assert np.array_equal(NAMES[outputs.argmax(axis=1)], model.predict(X))
    loss = model.example_loss(X[3], "virginica")
    assert isinstance(loss, Value)
    assert loss.data == pytest.approx(-model.predict_log_proba(X[3:4])[0, 2])
    assert loss.data == cross_entropy(model.network_(X[3].tolist()), 2).data
    assert "∂L/∂" in str(step_through(loss))
    with pytest.raises(
        ValueError, match=r"y: expected classes of \['setosa' 'versicolor' 'virginica'\], got \['rose'\]"
    ):
        model.example_loss(X[3], "rose")


def test_what_is_fitted_stays_when_others_use_the_same_program():
    model = fitted(random_state=0)
    before = model.predict_proba(X), [c.copy() for c in model.coefs_]
    fitted(random_state=1)
    assert np.array_equal(model.predict_proba(X), before[0])
    assert all(map(np.array_equal, model.coefs_, before[1]))


def test_a_fit_is_the_same_whatever_was_trained_before_it_on_the_program():
    fresh = fitted(hidden_layer_sizes=(5,), keep_prob=0.8, solver="sgd", alpha=0.1)
    fitted(hidden_layer_sizes=(5,), keep_prob=0.8, solver="adam", alpha=5.0, batch_size=7, random_state=3)
    again = fitted(hidden_layer_sizes=(5,), keep_prob=0.8, solver="sgd", alpha=0.1)
    assert np.array_equal(fresh.coefs_[0], again.coefs_[0])
    assert fresh.loss_curve_ == again.loss_curve_


def test_a_workbench_is_thrown_away_after_an_error():
    plan = Plan((1, 1), "tanh", "half_squared_error")
    with pytest.raises(KeyError), workbench(plan) as lent:
        raise KeyError
    with workbench(plan) as other:
        assert other is not lent
    with workbench(plan) as same, workbench(plan) as second:
        assert same is other is not second


def test_partial_fits_go_on_where_the_last_one_ended():
    whole = fitted(batch_size=50, shuffle=False, max_iter=6, tol=0.0)
    parts = MLPClassifier((6,), batch_size=50, shuffle=False, random_state=0)
    for _ in range(6):
        parts.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_allclose(parts.coefs_[0], whole.coefs_[0], rtol=1e-12)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-12)
    assert parts.n_iter_ == 6
    assert parts.t_ == 6 * len(X)


def test_what_partial_fit_cannot_take_is_said():
    with pytest.raises(ValueError, match="classes: expected all labels at the first call of partial_fit, got None"):
        MLPClassifier().partial_fit(X, y)
    model = MLPClassifier((2,)).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes: expected those of the first call, \[0 1 2\], got \[0, 1\]"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"y: expected classes of \[0 1 2\], got \[3\]"):
        model.partial_fit(X[:3], [0, 1, 3])
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        MLPClassifier(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])
    balanced = MLPClassifier(class_weight="balanced")
    with pytest.raises(ValueError, match="partial_fit does not support class_weight='balanced'"):
        balanced.partial_fit(X, y, classes=[0, 1, 2])
    assert not hasattr(balanced, "coefs_")  # refused before any work
    with pytest.raises(AttributeError, match="only available for the solvers 'sgd' and 'adam', got 'lbfgs'"):
        MLPRegressor(solver="lbfgs").partial_fit(X, y)
    with pytest.raises(ValueError, match="expected at least 2 classes, got one class alone"):
        fitted(data=(X, np.ones(len(y))))


def test_warm_start_goes_on_from_the_weights_and_refuses_another_shape():
    model = fitted(warm_start=True, max_iter=2)
    before = model.loss_
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        model.fit(X, y)
    assert model.loss_ < before
    with pytest.raises(ValueError, match=r"expected layers of \[4, 6, 3\] as before, got \[4, 7, 3\]"):
        model.set_params(hidden_layer_sizes=(7,)).fit(X, y)


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
def test_warm_starts_take_the_steps_of_scikit_learns_and_count_alike(schedule):
    arguments = {"solver": "sgd", "learning_rate": schedule, "max_iter": 3, "warm_start": True, "batch_size": 50}
    ours, theirs = (fitted(kind, shuffle=False, **arguments) for kind in (MLPClassifier, neural_network.MLPClassifier))
    for _ in range(2):
        for model in (ours, theirs):
            with pytest.warns(ConvergenceWarning):
                model.fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-9)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_) == (3, 9 * len(X))
    assert len(ours.loss_curve_) == 3


def test_early_stopping_refuses_to_score_a_single_example():
    with pytest.raises(ValueError, match="expected at least 2 examples to score, got 1 of 9 with validation_fraction"):
        MLPRegressor(early_stopping=True).fit(X[:9], X[:9, 0])


def test_early_stopping_holds_some_examples_out_and_keeps_the_best_epoch():
    model = fitted(
        early_stopping=True, validation_fraction=0.3, n_iter_no_change=4, max_iter=200, learning_rate_init=0.05
    )
    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_) < 200
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None
    assert fitted().validation_scores_ is None


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
def test_rates_change_as_scikit_learns_do(schedule):
    arguments = {
        "solver": "sgd", "learning_rate": schedule, "learning_rate_init": 0.5, "n_iter_no_change": 2, "max_iter": 60,
        "tol": 1e-3, "power_t": 0.3,
    }  # fmt: skip
    ours, theirs = (fitted(kind, **arguments) for kind in (MLPClassifier, neural_network.MLPClassifier))
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)


def test_a_pipeline_a_grid_and_their_tools_take_them():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=30, random_state=0))
    grid = {"mlpclassifier__alpha": [1e-3, 1.0], "mlpclassifier__activation": ["tanh", "relu"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = GridSearchCV(pipeline, grid, cv=2, scoring="neg_log_loss").fit(IRIS[0], NAMES[y])
        scores = cross_val_score(MLPRegressor((4,), solver="lbfgs", max_iter=50), X, X[:, 0] * X[:, 1], cv=2)
    assert search.best_score_ > -1.3
    assert len(scores) == 2
    assert permutation_importance(search, IRIS[0], NAMES[y], n_repeats=1).importances_mean.shape == (4,)
    again = pickle.loads(pickle.dumps(search))
    assert np.array_equal(again.predict_proba(IRIS[0]), search.predict_proba(IRIS[0]))
    model = search.best_estimator_[-1]
    assert model.network_ is model.network_  # isn't pickled
    assert len(pickle.dumps(model)) < 10_000
    assert not hasattr(clone(model), "coefs_")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_grid_in_two_processes_finds_what_one_finds():
    grid = {"hidden_layer_sizes": [(4,), (6,)], "penalty": ["l1", "weight_elimination"]}
    one, two = (
        GridSearchCV(MLPClassifier(max_iter=20, random_state=0), grid, cv=2, n_jobs=jobs).fit(X, y)
        for jobs in (None, 2)
    )
    assert np.array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])


ON_A_CLUSTER = """
import warnings

from dask.distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score

from autograd_mini.estimators import MLPClassifier

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    X, y = load_iris(return_X_y=True)
    network = MLPClassifier((4,), max_iter=20, random_state=0)
    grid = {"alpha": [0.001, 1.0], "penalty": ["l1", "l2"]}
    here = GridSearchCV(network, grid, cv=2).fit(X, y).cv_results_["mean_test_score"].tolist()
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster), parallel_config("dask"):
        there = GridSearchCV(network, grid, cv=2, n_jobs=2).fit(X, y).cv_results_["mean_test_score"].tolist()
        scores = cross_val_score(network, X, y, cv=2, n_jobs=2)
    print(here == there, len(scores))
"""


@pytest.mark.slow
@pytest.mark.needs("distributed")
def test_a_grid_on_a_cluster_of_two_processes_finds_what_one_finds(tmp_path):
    script = tmp_path / "on_a_cluster.py"
    script.write_text(ON_A_CLUSTER, encoding="utf-8")
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert done.stdout.split() == ["True", "2"], done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.needs("matplotlib")
def test_decision_boundaries_can_be_drawn():
    from sklearn.inspection import DecisionBoundaryDisplay

    model = fitted(data=(X[:, :2], y))
    display = DecisionBoundaryDisplay.from_estimator(model, X[:, :2], response_method="predict", grid_resolution=20)
    assert display.response.shape == (20, 20)


@pytest.mark.needs("pandas", "polars")
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_give_their_column_names(library):
    frame = import_module(library).DataFrame(dict(zip("abcd", X.T, strict=True)))
    model = fitted(data=(frame, y))
    assert list(model.feature_names_in_) == ["a", "b", "c", "d"]
    assert np.array_equal(model.predict(frame), fitted().predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["b", "a", "c", "d"]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"penalty": "l3"}, "The 'penalty' parameter of MLPClassifier must be"),
        ({"keep_prob": 0.0}, "The 'keep_prob' parameter of MLPClassifier must be"),
        (
            {"hidden_layer_sizes": (2.7,)},
            r"hidden_layer_sizes: expected whole numbers, one for each layer, got \[2.7\]",
        ),
        ({"hidden_layer_sizes": ((2, 3), (3, 2))}, "hidden_layer_sizes: expected whole numbers, one for each layer"),
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes must be > 0, got \[3, 0\]"),
        ({"alpha": -1.0}, "The 'alpha' parameter of MLPClassifier must be"),
        ({"activation": "softmax"}, "The 'activation' parameter of MLPClassifier must be"),
    ],
)
def test_what_is_out_of_its_range_is_refused_before_any_work(arguments, message):
    with pytest.raises(ValueError, match=message):
        fitted(**arguments)


def test_what_goes_wrong_is_said():
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)
    with pytest.raises(NotFittedError):
        _ = MLPClassifier().network_
    with pytest.warns(UserWarning, match="Got batch_size=500 with 150 examples to train on: it is clipped to 150"):
        MLPClassifier(solver="sgd", batch_size=500, tol=10.0, n_iter_no_change=1).fit(X, y)
    with pytest.raises(NonFiniteLossError, match="Try a smaller learning rate than 1e\\+200"):
        fitted(MLPRegressor, (X, X[:, 0]), solver="sgd", activation="identity", learning_rate_init=1e200)


def test_labels_that_may_go_together_are_each_predicted():
    features, labels = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
    model = fitted(data=(features, labels), solver="lbfgs", max_iter=200)
    assert model.predict(features).shape == labels.shape
    assert model.score(features, labels) > 0.6
    with pytest.raises(ValueError, match=r"y: expected a column for each of 3 labels, got shape \(60, 2\)"):
        model.set_params(warm_start=True).fit(features, labels[:, :2])


def test_breast_cancer_is_told_as_well_as_by_scikit_learn():
    data, target = load_breast_cancer(return_X_y=True)
    data = StandardScaler().fit_transform(data)
    ours, theirs = (
        fitted(kind, (data, target), hidden_layer_sizes=(16,), max_iter=30)
        for kind in (MLPClassifier, neural_network.MLPClassifier)
    )
    assert log_loss(target, ours.predict_proba(data)) == pytest.approx(
        log_loss(target, theirs.predict_proba(data)), abs=0.05
    )


def test_a_fit_that_is_interrupted_keeps_what_it_has_come_to(monkeypatch):
    epoch, done = Training.epoch, []

    def interrupted(self):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(epoch(self))
        return done[-1]

    monkeypatch.setattr(Training, "epoch", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = MLPClassifier((6,), random_state=0).fit(X, y)
    assert model.loss_curve_ == done
    monkeypatch.undo()
    assert np.array_equal(model.coefs_[0], fitted(max_iter=3).coefs_[0])
