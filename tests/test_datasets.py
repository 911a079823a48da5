"""The data sets: iris is the real one; the toy problems have the shapes, the seeds and the geometry they promise."""

import copy
import hashlib
import pickle

import numpy as np
import pytest

from autograd_mini import datasets
from autograd_mini.datasets import circles, iris, linear, moons, spirals, split, xor

SEEDED = [moons, circles, spirals, linear]


# -------------------------------------------------------------------------------------------------------- iris


def test_iris_has_the_known_sums_and_class_means():
    X, y = iris()
    assert X.shape == (150, 4)
    assert X.dtype == float
    assert y.dtype.kind == "i"
    assert np.bincount(y).tolist() == [50, 50, 50]
    assert X.sum(axis=0).round(6).tolist() == [876.5, 458.6, 563.7, 179.9]
    means = [X[y == k].mean(axis=0).round(6).tolist() for k in range(3)]
    assert means == [[5.006, 3.428, 1.462, 0.246], [5.936, 2.77, 4.26, 1.326], [6.588, 2.974, 5.552, 2.026]]


def test_iris_has_fishers_values_in_the_two_rows_that_copies_get_wrong():
    X, _ = iris()
    assert X[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert X[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_iris_names_its_columns_and_species():
    data = iris()
    assert data.feature_names == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    assert data.target_names == ["setosa", "versicolor", "virginica"]
    assert "150 examples" in repr(data)
    assert data.X is data.data is data[0]
    assert data.y is data.target is data[1]


@pytest.mark.needs("scikit-learn")
def test_iris_is_the_iris_of_scikit_learn():
    from sklearn.datasets import load_iris

    theirs = load_iris()
    X, y = iris()
    assert np.array_equal(X, theirs.data)
    assert np.array_equal(y, theirs.target)


def test_each_call_gives_arrays_of_its_own():
    iris().X[:] = 0.0
    assert iris().X.sum() > 0.0
    xor().y[:] = 7
    assert xor().y.tolist() == [0, 1, 1, 0]


# ------------------------------------------------------------------------------------------------- toy problems


def test_xor_is_the_four_cases():
    X, y = xor()
    assert [(a * b < 0) == bool(c) for (a, b), c in zip(X, y, strict=True)] == [True] * 4
    assert len({tuple(row) for row in X.tolist()}) == 4


@pytest.mark.parametrize("make", SEEDED)
def test_one_seed_gives_one_data_set_and_another_another(make):
    first, again, other = make(50, seed=3), make(50, seed=3), make(50, seed=4)
    assert np.array_equal(first.X, again.X)
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.X, other.X)
    assert np.array_equal(make(50).X, make(50, seed=0).X)


def test_making_data_leaves_numpys_global_random_state_alone():
    def state():
        return hashlib.sha256(np.random.get_state()[1].tobytes()).hexdigest()

    before = state()
    for make in SEEDED:
        make(20)
    split(*iris())
    assert state() == before


@pytest.mark.parametrize("make", [moons, circles, spirals])
@pytest.mark.parametrize("n", [2, 3, 7, 100])
def test_classes_are_halves_in_random_order(make, n):
    X, y = make(n)
    assert X.shape == (n, 2)
    assert y.shape == (n,)
    assert np.bincount(y, minlength=2).tolist() == [n - n // 2, n // 2]
    assert np.isfinite(X).all()
    if n == 100:
        assert y.tolist() != sorted(y.tolist())


def test_without_noise_the_points_lie_on_their_curves():
    X, y = moons(101, noise=0.0)
    centred = X - np.where(y[:, None] == 0, [0.0, 0.0], [1.0, 0.5])
    assert np.hypot(*centred.T) == pytest.approx(np.ones(101))
    assert (np.where(y == 0, centred[:, 1], -centred[:, 1]) > -1e-12).all()
    X, y = circles(51, noise=0.0, factor=0.3)
    assert np.hypot(*X.T) == pytest.approx(np.where(y == 0, 1.0, 0.3))
    X, y = spirals(80, noise=0.0, turns=1.5)
    radius, angle = np.hypot(*X.T), np.arctan2(X[:, 1], X[:, 0])
    assert np.cos(angle - 3 * np.pi * radius - np.pi * y) == pytest.approx(np.ones(80))


@pytest.mark.parametrize("make", [moons, circles, spirals])
def test_noise_has_the_standard_deviation_asked_for(make):
    quiet, noisy = make(4000, noise=0.0, seed=1), make(4000, noise=0.2, seed=1)
    assert np.array_equal(quiet.y, noisy.y)
    assert (noisy.X - quiet.X).std() == pytest.approx(0.2, rel=0.05)


def test_linear_is_linear():
    X, y = linear(40, n_features=3, noise=0.0, seed=2)
    assert X.shape == (40, 3)
    design = np.column_stack([X, np.ones(40)])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    assert np.abs(residual).max() < 1e-12
    assert linear(1).X.shape == (1, 1)
    assert linear(5, 2).target_names == []
    assert "a number to predict" in repr(linear(5))


def test_data_sets_can_be_copied_and_pickled():
    for data in (iris(), xor(), linear(5, 2)):
        for twin in (copy.deepcopy(data), copy.copy(data), pickle.loads(pickle.dumps(data))):
            assert isinstance(twin, datasets.Dataset)
            assert np.array_equal(twin.X, data.X)
            assert np.array_equal(twin.y, data.y)
            assert (twin.feature_names, twin.target_names) == (data.feature_names, data.target_names)


@pytest.mark.parametrize("make", [moons, circles, spirals])
def test_too_few_examples_and_bad_noise_are_refused(make):
    with pytest.raises(ValueError, match=r"n: expected at least 2 examples, got 1"):
        make(1)
    for noise in (-0.1, float("nan")):
        with pytest.raises(ValueError, match=r"noise: expected a standard deviation of at least 0, got"):
            make(10, noise=noise)


def test_other_bad_arguments_are_refused():
    for factor in (0.0, 1.0, -0.5, float("nan")):
        with pytest.raises(ValueError, match=r"factor: expected a radius between 0 and 1"):
            circles(factor=factor)
    with pytest.raises(ValueError, match=r"n: expected at least 1 examples, got 0"):
        linear(0)
    with pytest.raises(ValueError, match=r"n_features: expected at least 1, got 0"):
        linear(10, n_features=0)


# ------------------------------------------------------------------------------------------------------- split


@pytest.mark.parametrize(
    ("n", "fraction", "held_out"), [(150, 0.2, 30), (10, 0.25, 2), (2, 0.01, 1), (2, 0.99, 1), (5, 0.9, 4)]
)
def test_a_split_keeps_every_example_once_and_pairs_together(n, fraction, held_out):
    X, y = np.arange(n, dtype=float).reshape(n, 1), np.arange(n) * 10
    X_train, X_test, y_train, y_test = split(X, y, test_fraction=fraction, seed=5)
    assert (len(X_train), len(X_test)) == (n - held_out, held_out)
    assert sorted([*X_train[:, 0], *X_test[:, 0]]) == list(range(n))
    assert (X_train[:, 0] * 10 == y_train).all()
    assert (X_test[:, 0] * 10 == y_test).all()


def test_a_split_is_shuffled_by_its_seed():
    X, y = iris()
    first, again, other = (split(X, y, seed=s)[3].tolist() for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(first)) == 3
    assert split([[1.0], [2.0]], ["a", "b"])[3].tolist() in (["a"], ["b"])


def test_bad_splits_are_refused():
    X, y = iris()
    for fraction in (0.0, 1.0, -0.1, 2):
        with pytest.raises(ValueError, match=r"test_fraction: expected a number between 0 and 1"):
            split(X, y, test_fraction=fraction)
    with pytest.raises(ValueError, match=r"at least two examples with their targets, got 150 and 3"):
        split(X, y[:3])
    with pytest.raises(ValueError, match=r"at least two examples with their targets, got 1 and 1"):
        split(X[:1], y[:1])
