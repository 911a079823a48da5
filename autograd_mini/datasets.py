"""Small data sets: the real iris, and seeded toy problems. Each gives ``X, y`` as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked, checked_whole


class Dataset(tuple[Array, Array]):
    """The pair ``X, y``, with the names of its columns and classes.

    Attributes
    ----------
    X, data : numpy.ndarray of shape (n, d)
        The features, one example a row.
    y, target : numpy.ndarray of shape (n,)
        The targets.
    feature_names : list of str
        The names of the d features.
    target_names : list of str
        The names of the classes 0, 1, …; empty for regression.
    """

    feature_names: list[str]
    target_names: list[str]

    def __new__(cls, X: Array, y: Array, feature_names: list[str], target_names: list[str]) -> Dataset:
        """Make the pair and put the names beside it."""
        dataset = super().__new__(cls, (X, y))
        dataset.feature_names, dataset.target_names = feature_names, target_names
        return dataset

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Return what copies and pickles pass to ``__new__``."""
        return self[0], self[1], self.feature_names, self.target_names

    @property
    def X(self) -> Array:
        """The features."""
        return self[0]

    @property
    def y(self) -> Array:
        """The targets."""
        return self[1]

    data, target = X, y

    def __repr__(self) -> str:
        kind = f"classes {', '.join(self.target_names)}" if self.target_names else "a number to predict"
        return f"<Dataset of {len(self.X)} examples: {', '.join(self.feature_names)}; {kind}>"


def iris() -> Dataset:
    """Return Fisher's iris data: 150 flowers, 4 lengths in centimetres, 3 species.

    R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936.

    Examples
    --------
    >>> X, y = iris()
    >>> X.shape, y.shape, iris().target_names
    ((150, 4), (150,), ['setosa', 'versicolor', 'virginica'])
    """
    import csv
    from importlib import resources  # both are slow to import, and seldom needed

    text = resources.files("autograd_mini").joinpath("data/iris.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    species = sorted({row[-1] for row in rows})
    X = np.array([[float(number) for number in row[:-1]] for row in rows])
    return Dataset(X, np.array([species.index(row[-1]) for row in rows]), header[:-1], species)


def xor() -> Dataset:
    """Return the four cases of exclusive or: inputs -1 and +1, class 1 where they differ.

    Examples
    --------
    >>> X, y = xor()
    >>> X.tolist(), y.tolist()
    ([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    X = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    return Dataset(X, np.array([0, 1, 1, 0]), ["x1", "x2"], ["same", "different"])


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return two interleaving half circles.

    Parameters
    ----------
    n : int
        The number of examples, at least 2.
    noise : float
        The standard deviation of the noise on both coordinates.
    seed : int
        Where the noise and the order come from.

    Examples
    --------
    >>> X, y = moons(100)
    >>> X.shape, int(y.sum())
    ((100, 2), 50)
    """
    _check(n, noise)
    upper, lower = (_arc(np.linspace(0.0, np.pi, count)) for count in (n - n // 2, n // 2))
    return _two_classes(upper, [1.0, 0.5] - lower, noise, seed, ["upper", "lower"])


def circles(n: int = 100, noise: float = 0.05, factor: float = 0.5, seed: int = 0) -> Dataset:
    """Return a circle of radius `factor` (class 1) inside one of radius 1 (class 0).

    Parameters
    ----------
    n : int
        The number of examples, at least 2.
    noise : float
        The standard deviation of the noise on both coordinates.
    factor : float
        The radius of the inner circle, from 0 to 1.
    seed : int
        Where the noise and the order come from.

    Examples
    --------
    >>> X, y = circles(60, noise=0.0)
    >>> sorted(set(np.hypot(*X.T).round(6).tolist()))
    [0.5, 1.0]
    """
    _check(n, noise)
    checked("factor", factor, above=0.0, below=1.0, expected="a radius between 0 and 1")
    outer, inner = (_arc(np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)) for count in (n - n // 2, n // 2))
    return _two_classes(outer, factor * inner, noise, seed, ["outer", "inner"])


def spirals(n: int = 200, noise: float = 0.05, turns: float = 1.5, seed: int = 0) -> Dataset:
    """Return two spirals wound around each other.

    Parameters
    ----------
    n : int
        The number of examples, at least 2.
    noise : float
        The standard deviation of the noise on both coordinates.
    turns : float
        How often each spiral goes around.
    seed : int
        Where the noise and the order come from.

    Examples
    --------
    >>> X, y = spirals(200)
    >>> X.shape, sorted(set(y.tolist()))
    ((200, 2), [0, 1])
    """
    _check(n, noise)

    def arm(count: int, start: float) -> Array:
        radius = np.sqrt(np.linspace(0.02, 1.0, count))  # even along the arm, not crowded in the middle
        return radius[:, None] * _arc(start + 2.0 * np.pi * turns * radius)

    return _two_classes(arm(n - n // 2, 0.0), arm(n // 2, np.pi), noise, seed, ["first", "second"])


def linear(n: int = 100, n_features: int = 1, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return a regression problem: y = Xw + b + noise, with w and b drawn from the seed.

    Parameters
    ----------
    n, n_features : int
        The number of examples and of features.
    noise : float
        The standard deviation of the noise on y.
    seed : int
        Where X, w, b and the noise come from.

    Examples
    --------
    >>> X, y = linear(20, n_features=3)
    >>> X.shape, y.shape
    ((20, 3), (20,))
    """
    _check(n, noise, least=1)
    checked_whole("n_features", n_features, least=1, expected="at least 1")
    rng = np.random.default_rng(seed)
    w, b = rng.uniform(-2.0, 2.0, n_features), rng.uniform(-1.0, 1.0)
    X = rng.uniform(-1.0, 1.0, (n, n_features))
    y = X @ w + b + noise * rng.standard_normal(n)
    return Dataset(X, y, [f"x{i + 1}" for i in range(n_features)], [])


def split(X: Any, y: Any, test_fraction: float = 0.2, seed: int = 0) -> tuple[Array, Array, Array, Array]:
    """Return X_train, X_test, y_train, y_test: the examples shuffled and cut in two.

    Parameters
    ----------
    X, y : array_like
        Examples and targets, equally many.
    test_fraction : float
        The part that is held out, between 0 and 1; both parts get at least one example.
    seed : int
        Where the order comes from.

    Raises
    ------
    ValueError
        If the fraction is out of its range, the lengths differ or there are fewer than two examples.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = split(*iris(), test_fraction=0.2)
    >>> len(X_train), len(X_test)
    (120, 30)
    """
    features, targets = np.asarray(X), np.asarray(y)
    checked("test_fraction", test_fraction, above=0.0, below=1.0, expected="a number between 0 and 1")
    if len(features) != len(targets) or len(features) < 2:
        raise ValueError(f"expected at least two examples with their targets, got {len(features)} and {len(targets)}")
    order = np.random.default_rng(seed).permutation(len(features))
    held_out = min(max(round(test_fraction * len(features)), 1), len(features) - 1)
    test, train = order[:held_out], order[held_out:]
    return features[train], features[test], targets[train], targets[test]


def _check(n: int, noise: float, least: int = 2) -> None:
    checked_whole("n", n, least, expected=f"at least {least} examples")
    checked("noise", noise, least=0.0, finite=False, expected="a standard deviation of at least 0")


def _arc(angles: Array) -> Array:
    """Return the points of the unit circle at these angles."""
    return np.column_stack([np.cos(angles), np.sin(angles)])


def _two_classes(first: Array, second: Array, noise: float, seed: int, names: list[str]) -> Dataset:
    """Return the examples of class 0 and of class 1, with noise and in random order."""
    rng = np.random.default_rng(seed)
    X = np.concatenate([first, second])
    X = X + noise * rng.standard_normal(X.shape)
    y = np.repeat([0, 1], [len(first), len(second)])
    order = rng.permutation(len(X))
    return Dataset(X[order], y[order], ["x1", "x2"], names)
