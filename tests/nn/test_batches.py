"""Batches through modules: one example after the other, or all together where the examples depend on each other."""

import pytest

from autograd_mini.nn import MLP, Layer, Module
from autograd_mini.nn.batches import batch, mixes_examples
from autograd_mini.nn.containers import Activation, Residual, Sequential
from autograd_mini.nn.normalization import BatchNorm, LayerNorm

ROWS = [[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]]


def numbers(nested):
    return [numbers(part) for part in nested] if isinstance(nested, list) else nested.data


@pytest.mark.parametrize(
    "module",
    [
        MLP(2, [3, 1], rng=0),
        Layer(2, 3, rng=0),
        Sequential(Layer(2, 2, rng=0), Residual(Layer(2, 2, "tanh", rng=1)), LayerNorm(2), Layer(2, 1, rng=2)),
        Residual(Sequential(Layer(2, 2, rng=0))),
    ],
)
def test_where_examples_are_independent_a_batch_is_each_by_itself(module):
    assert not mixes_examples(module)
    assert numbers(batch(module, ROWS)) == [numbers(module(row)) for row in ROWS]


def test_a_batch_norm_inside_sees_the_whole_batch():
    norm = BatchNorm(2)
    model = Sequential(
        Layer(2, 2, "identity", rng=0), Residual(Sequential(norm, Activation("tanh"))), Layer(2, 1, rng=1)
    )
    assert mixes_examples(model)
    by_hand_norm = BatchNorm(2)
    hidden = [model[0](row) for row in ROWS]
    normalised = by_hand_norm.batch(hidden)
    expected = [
        model[2]([h + Activation("tanh")(n) for h, n in zip(h_row, n_row, strict=True)]).pop().data
        for h_row, n_row in zip(hidden, normalised, strict=True)
    ]
    assert numbers(batch(model, ROWS)) == expected
    assert norm.running_mean == by_hand_norm.running_mean


def test_in_evaluation_the_examples_are_independent_again():
    model = Sequential(Layer(2, 2, rng=0), BatchNorm(2), Layer(2, 1, rng=1))
    batch(model, ROWS)
    model.eval()
    assert numbers(batch(model, ROWS)) == [model(row).data for row in ROWS]


def test_nodes_are_in_the_scope_of_their_module():
    class Net(Module):
        def __init__(self):
            self.body = Sequential(BatchNorm(2), Layer(2, 1, "identity", rng=0))

        def batch(self, rows):
            return batch(self.body, rows)

    output = batch(Net(), ROWS)[0]
    assert output.scope == "body.modules.1.neurons.0"
    assert output.parents[2].scope == "body.modules.0"


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="expected a batch of at least one example, got none; pass a list of examples"):
        batch(Layer(2, 1), [])
