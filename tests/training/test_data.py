"""Examples: what is checked before training, and how they are cut into mini-batches."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_mini import nn, optim
from autograd_mini.serialization import load_training, save_training
from autograd_mini.training import Trainer
from autograd_mini.training.data import checked_features, checked_targets, mini_batches


@given(st.integers(1, 60), st.one_of(st.none(), st.integers(1, 80)), st.integers(0, 2**32))
def test_batches_are_a_partition_of_the_examples(n, batch_size, seed):
    batches = list(mini_batches(n, batch_size, np.random.default_rng(seed)))
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    size = n if batch_size is None else min(batch_size, n)
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= size
    assert len(batches) == math.ceil(n / size)
    assert all(type(i) is int for batch in batches for i in batch)


def test_one_batch_of_all_is_in_the_order_given():
    for batch_size in (None, 5, 6):
        assert list(mini_batches(5, batch_size, np.random.default_rng(0))) == [[0, 1, 2, 3, 4]]


def test_epochs_are_shuffled_anew_and_alike_from_one_seed():
    def epochs(seed):
        rng = np.random.default_rng(seed)
        return [[i for batch in mini_batches(30, 4, rng) for i in batch] for _ in range(3)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)
    assert len({tuple(order) for order in epochs(1)}) == 3
    assert list(range(30)) not in epochs(1)


def test_every_place_in_the_order_is_equally_likely():
    rng = np.random.default_rng(0)
    first = np.bincount([next(mini_batches(4, 1, rng))[0] for _ in range(4000)], minlength=4)
    assert (np.abs(first - 1000) < 150).all()


@pytest.mark.parametrize(
    "X", [[[1, 2], [3, 4]], ((1.0, 2.0), (3.0, 4.0)), np.array([[1, 2], [3, 4]]), [[True, 2], [3, np.float32(4)]]]
)
def test_features_become_an_array_of_floats(X):
    array = checked_features(X, 2)
    assert array.dtype == float
    assert array.shape == (2, 2)


def test_features_are_a_copy():
    X = np.ones((2, 2))
    checked_features(X, 2)[:] = 5.0
    assert X.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_any_width_will_do_for_a_model_that_does_not_say():
    assert checked_features([[1.0, 2.0, 3.0]], None).shape == (1, 3)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            [[1.0, math.nan], [math.inf, 2.0]],
            r"X: expected finite numbers, got nan at \[0, 1\] \(2 such\); drop or fill",
        ),
        ([[1.0], [2.0, 3.0]], r"X: expected real numbers, all rows of the same width"),
        ([["a"]], r"X: expected real numbers"),
        ([[1j]], r"X: expected real numbers"),
        ([1.0], r"X: expected shape \(examples, features\), got \(1,\); write X\.reshape\(-1, 1\) for one feature"),
        ([], r"X: expected at least one example, got none"),
        ([[1.0]], r"X: the model expects 2 features, got 1"),
    ],
)
def test_bad_features_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        checked_features(X, 2)


def test_messages_call_the_examples_by_the_callers_name():
    with pytest.raises(ValueError, match=r"validation X: the model expects 2"):
        checked_features([[1.0]], 2, "validation X")
    with pytest.raises(ValueError, match=r"validation y: expected one target"):
        checked_targets([1.0], 2, "validation y")


def test_targets_are_numbers_or_rows_of_them():
    assert checked_targets([1, 0, 1], 3).tolist() == [1.0, 0.0, 1.0]
    assert checked_targets([[1, 0], [0, 1]], 2).shape == (2, 2)
    assert checked_targets([True, False], 2).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0], r"y: expected one target for each of the 2 examples, got 1"),
        ([1.0, math.nan], r"y: expected finite numbers, got nan at \[1\]"),
        (["a", "b"], r"y: expected real numbers"),
        (5.0, r"y: expected shape \(examples,\) or \(examples, outputs\), got \(\)"),
        (np.zeros((2, 1, 1)), r"y: expected shape"),
        ([[1.0], [1.0, 2.0]], r"y: expected real numbers"),
    ],
)
def test_bad_targets_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        checked_targets(y, 2)


# ------------------------------------------------------------------------------------------------- data frames


class Frame:
    """What the trainer needs of a data frame of pandas or Polars: an array whose columns have names."""

    columns = ()  # frames have them by their class

    def __init__(self, names, array):
        self.columns, self.array = names, np.asarray(array, dtype=float)

    def __array__(self, dtype=None, copy=None):
        return self.array


class ArrowLike(Frame):
    """Arrow calls the names otherwise, and the columns themselves ``columns``."""

    column_names = property(lambda self: self.names)

    def __init__(self, names, array):
        super().__init__(list(np.asarray(array).T), array)
        self.names = names


ROWS, TARGETS = [[0.0, 1.0], [1.0, 0.0], [0.5, 2.0]], [0.0, 1.0, 0.5]
ANOTHER_ORDER = (
    r"expected the columns that fit was given, in their order, \['a', 'b'\], got \['b', 'a'\] \(another order"
)


def fitted(X, **options):
    model = nn.MLP(2, [1], rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    trainer = Trainer(model, "squared_error", optimizer, epochs=1, engine="eager", progress=False, **options)
    trainer.fit(X, TARGETS)
    return trainer


@pytest.mark.parametrize("kind", [Frame, ArrowLike])
def test_a_frame_with_other_columns_than_in_fit_is_refused(kind, tmp_path):
    trainer = fitted(kind(["a", "b"], ROWS))
    before = trainer.model.state_dict()
    swapped = kind(["b", "a"], ROWS)
    save_training(trainer, tmp_path / "training.npz")
    again = fitted(ROWS)
    load_training(again, tmp_path / "training.npz")
    for one in (trainer, again, copy.deepcopy(trainer)):
        uses = (one.predict, lambda X, one=one: one.evaluate(X, TARGETS), lambda X, one=one: one.fit(X, TARGETS))
        for use in uses:
            with pytest.raises(ValueError, match=f"^X: {ANOTHER_ORDER}"):
                use(swapped)
            with pytest.raises(ValueError, match=r"\(missing \['b'\], unknown \['c'\]\); select them by their names"):
                use(kind(["a", "c"], ROWS))
            with pytest.raises(ValueError, match=r"\(missing nothing, unknown \['c'\]\)"):
                use(kind(["a", "b", "c"], np.ones((3, 3))))
        assert one.predict(kind(["a", "b"], ROWS)).tolist() == one.predict(ROWS).tolist()
    assert all(np.array_equal(before[name], array) for name, array in trainer.model.state_dict().items())
    with pytest.raises(ValueError, match=f"^validation X: {ANOTHER_ORDER}"):
        fitted(kind(["a", "b"], ROWS), validation=(swapped, TARGETS))


def test_columns_that_are_only_counted_are_no_names():
    named, counted = Frame(["a", "b"], ROWS), Frame(range(2), ROWS)
    fitted(named).predict(counted)
    fitted(counted).predict(named)
    fitted(ROWS).predict(named)
    with pytest.raises(ValueError, match=r"in their order, \['0', '1'\], got \['1', '0'\] \(another order\)"):
        fitted(counted).predict(Frame([1, 0], ROWS))


def test_columns_in_a_saved_state_are_names():
    trainer = fitted(ROWS)
    state = trainer.state_dict()
    assert "columns" not in state
    for wrong in (5, "ab", [1, 2]):
        with pytest.raises(ValueError, match="columns: expected a list of names"):
            trainer.load_state_dict({**state, "columns": wrong})


# -------------------------------------------------------------------------------------- what a metric gets to see


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
@pytest.mark.parametrize(("widths", "shape"), [([1], (3,)), ([1], (3, 1)), ([2], (3, 2))])
def test_a_metric_gets_targets_in_the_shape_of_the_outputs(widths, shape, engine):
    seen = []

    def error(y_true, y_pred):
        seen.append((y_true.shape, y_pred.shape))
        return np.abs(y_true - y_pred).mean()

    targets = np.resize([0.0, 1.0, 0.5], shape)
    model = nn.MLP(2, widths, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    options = {"epochs": 1, "engine": engine, "metrics": {"error": error}, "progress": False}
    for validation in (None, (ROWS, targets)):
        trainer = Trainer(model, "squared_error", optimizer, validation=validation, **options)
        outputs = (3,) if widths == [1] else (3, 2)
        history = trainer.fit(ROWS, targets)
        assert seen[-1] == (outputs, outputs)
        expected = np.abs(targets.reshape(outputs) - trainer.predict(ROWS)).mean()
        assert history.metrics["error"] == [pytest.approx(expected)]


def test_a_metric_gets_classes_as_they_are():
    shapes = []
    model = nn.MLP(2, [3], rng=0)
    metric = {"shapes": lambda y_true, y_pred: shapes.append((y_true.shape, y_pred.shape)) or 0.0}
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    trainer = Trainer(model, "cross_entropy", optimizer, epochs=1, engine="eager", metrics=metric, progress=False)
    trainer.fit(ROWS, [0, 1, 2])
    assert shapes == [((3,), (3, 3))]
