"""Dropout: which units stay, what the next layer may expect, and that a seed decides it."""

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.engine.primitives import MUL
from autograd_mini.engine.value import Constant
from autograd_mini.nn import Layer
from autograd_mini.nn.batches import batch
from autograd_mini.nn.containers import Sequential
from autograd_mini.nn.dropout import Dropout


def data(values):
    return [value.data for value in values]


@pytest.mark.parametrize(("inverted", "kept"), [(False, 3.0), (True, 3.0 / 0.8)])
def test_in_training_units_stay_with_probability_p(inverted, kept):
    dropout = Dropout(0.8, inverted, rng=0)
    n = 20_000
    out = np.array(data(dropout([3.0] * n)))
    assert set(out) == {0.0, kept}
    # five standard deviations of a share of n draws
    assert abs(np.mean(out != 0.0) - 0.8) < 5 * np.sqrt(0.8 * 0.2 / n)


@pytest.mark.parametrize("inverted", [False, True])
def test_evaluation_gives_the_expectation_of_training(inverted):
    weights = Layer(3, 1, "identity", rng=1)
    x = [1.0, -2.0, 3.0]
    model = Sequential(Dropout(0.6, inverted, rng=0), weights)
    draws = np.array([model(x).data for _ in range(20_000)])
    model.eval()
    expected = model(x).data
    assert abs(draws.mean() - expected) < 5 * draws.std() / np.sqrt(len(draws))
    assert draws.std() > 0.1
    factor = 1.0 if inverted else 0.6
    assert expected == pytest.approx(weights([factor * a for a in x])[0].data, rel=1e-14)


def test_evaluation_is_deterministic_and_takes_no_random_number():
    dropout = Dropout(0.5, rng=0)
    dropout.eval()
    before = dropout.rng.bit_generator.state
    assert data(dropout([2.0, 4.0])) == [1.0, 2.0] == data(dropout([2.0, 4.0]))
    assert dropout.rng.bit_generator.state == before


def test_a_seed_decides_the_masks():
    def masks(seed):
        dropout = Dropout(0.5, rng=seed)
        return [data(dropout([1.0] * 20)) for _ in range(3)]

    assert masks(7) == masks(7)
    assert masks(7) != masks(8)
    assert masks(7)[0] != masks(7)[1]
    assert masks(np.random.default_rng(7)) == masks(7)


def test_each_example_of_a_batch_has_its_own_mask():
    out = batch(Dropout(0.5, rng=0), [[1.0] * 20] * 2)
    assert data(out[0]) != data(out[1])


def test_the_mask_is_a_leaf_of_the_graph_and_stops_the_gradient():
    x = [Value(float(i)) for i in range(1, 9)]
    out = Dropout(0.5, rng=0)(x)
    for node, unit in zip(out, x, strict=True):
        mask, parent = node.parents
        assert node.primitive is MUL
        assert parent is unit
        assert type(mask) is Constant
        assert mask.label == "mask"
        node.backward()
        assert unit.grad == mask.data
    assert {unit.grad for unit in x} == {0.0, 1.0}


@pytest.mark.parametrize(
    ("keep_prob", "inverted", "training"), [(1.0, False, True), (1.0, False, False), (0.5, True, False)]
)
def test_where_nothing_is_to_be_done_the_nodes_go_through(keep_prob, inverted, training):
    x = [Value(1.0), Value(2.0)]
    dropout = Dropout(keep_prob, inverted)
    dropout.train(training)
    assert [a is b for a, b in zip(dropout(x), x, strict=True)] == [True, True]


def test_takes_one_number_and_lists_of_lists():
    dropout = Dropout(0.5)
    dropout.eval()
    assert dropout(3.0).data == 1.5
    assert [data(row) for row in dropout([[2.0], [4.0, 6.0]][:1])] == [[1.0]]
    assert [data(row) for row in dropout(np.array([[2.0, 4.0], [6.0, 8.0]]))] == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("keep_prob", [0.0, -0.1, 1.1, float("nan"), float("inf"), True, "0.5", None])
def test_impossible_probabilities_are_refused(keep_prob):
    with pytest.raises(
        ValueError, match=r"keep_prob: expected a probability above 0 and up to 1, got .*; it is the share"
    ):
        Dropout(keep_prob)


def test_repr():
    assert repr(Dropout(0.8)) == "Dropout(keep_prob=0.8, inverted=False)"
