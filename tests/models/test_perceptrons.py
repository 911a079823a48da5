"""Perceptron logic of L4: sign neurons and their combinations, and what one layer can't do."""

import itertools

import numpy as np
import pytest

from autograd_mini import datasets, nn, sign
from autograd_mini.optim import SGD
from autograd_mini.training import Trainer

INPUTS = list(itertools.product([-1.0, 1.0], repeat=2))
AND = [-1.0, -1.0, -1.0, 1.0]  # of INPUTS
OR = [-1.0, 1.0, 1.0, 1.0]
XOR = [-1.0, 1.0, 1.0, -1.0]

AND_WEIGHTS, OR_WEIGHTS = (-1.0, 1.0, 1.0), (1.0, 1.0, 1.0)  # of the lecture: of 1, g1 and g2


def perceptron(bias, *weights):
    neuron = nn.Neuron(len(weights), "sign", initializer="zeros")
    neuron.load_state_dict({"weight": weights, "bias": bias})
    return neuron


def outputs(model):
    return [model(list(x)).data for x in INPUTS]


def classes(model):
    """What a model with one output decides on the inputs: its signs."""
    return [sign(output) for output in outputs(model)]


def test_and_is_the_perceptron_with_weights_minus_1_1_1():
    assert outputs(perceptron(*AND_WEIGHTS)) == AND == [min(x) for x in INPUTS]


def test_or_is_the_perceptron_with_weights_1_1_1():
    assert outputs(perceptron(*OR_WEIGHTS)) == OR == [max(x) for x in INPUTS]


def test_not_is_the_perceptron_with_weight_minus_1():
    negation = perceptron(0.0, -1.0)
    assert [negation([g]).data for g in (-1.0, 1.0)] == [1.0, -1.0]


def test_the_quiz_of_l4_of_all_weights_of_plus_and_minus_1_only_the_lectures_are_or_and_and():
    found = {weights: outputs(perceptron(*weights)) for weights in itertools.product([-1.0, 1.0], repeat=3)}
    assert [weights for weights, result in found.items() if result == OR] == [OR_WEIGHTS]
    assert [weights for weights, result in found.items() if result == AND] == [AND_WEIGHTS]


def xor_network():
    """XOR(g1, g2) = OR(AND(-g1, g2), AND(g1, -g2))."""
    network = nn.MLP(2, [2, 1], activation="sign", output="sign", initializer="zeros")
    bias, w1, w2 = AND_WEIGHTS
    state = {"layers.0.weight": [[-w1, w2], [w1, -w2]], "layers.0.bias": [bias, bias]}
    network.load_state_dict({**state, "layers.1.weight": [OR_WEIGHTS[1:]], "layers.1.bias": [OR_WEIGHTS[0]]})
    return network


def test_xor_is_or_of_two_ands_in_two_layers():
    network = xor_network()
    assert outputs(network) == XOR == [-x1 * x2 for x1, x2 in INPUTS]
    hidden = [[unit.data for unit in network.layers[0](list(x))] for x in INPUTS]
    assert hidden == [[min(-x1, x2), min(x1, -x2)] for x1, x2 in INPUTS]
    X, y = datasets.xor()
    assert [network(row).data for row in X] == (2.0 * y - 1.0).tolist()


def test_xor_is_made_of_the_same_perceptrons_combined_by_hand():
    conjunction, disjunction, negation = perceptron(*AND_WEIGHTS), perceptron(*OR_WEIGHTS), perceptron(0.0, -1.0)
    for (g1, g2), expected in zip(INPUTS, XOR, strict=True):
        result = disjunction([conjunction([negation([g1]), g2]), conjunction([g1, negation([g2])])])
        assert result.data == expected


def test_sign_neurons_have_no_gradient_to_learn_from():
    network = xor_network()
    nn.squared_error(network([1.0, 1.0]), 1.0).backward()
    assert [parameter.grad for parameter in network.parameters()] == [0.0] * 9


def test_and_of_more_half_planes_comes_ever_closer_to_a_disc():
    """G(x) = AND of n perceptrons, each a tangent of the circle: sign(1 - n + Σ gᵢ)."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-1.5, 1.5, (400, 2))
    in_disc = np.where((points**2).sum(axis=1) < 1.0, 1.0, -1.0)

    def agreement(n):
        angles = 2.0 * np.pi * np.arange(n) / n
        network = nn.MLP(2, [n, 1], activation="sign", output="sign", initializer="zeros")
        tangents = -np.column_stack([np.cos(angles), np.sin(angles)])
        state = {"layers.0.weight": tangents, "layers.0.bias": np.ones(n)}
        network.load_state_dict({**state, "layers.1.weight": np.ones((1, n)), "layers.1.bias": [1.0 - n]})
        return np.mean([network(point).data == inside for point, inside in zip(points, in_disc, strict=True)])

    four, eight, sixteen = agreement(4), agreement(8), agreement(16)
    assert four < eight < sixteen
    assert sixteen > 0.98


# ------------------------------------------------------------------------------- what one layer can and can't do


def rights(model, targets):
    return sum(decided == target for decided, target in zip(classes(model), targets, strict=True))


@pytest.mark.parametrize(("targets", "most"), [(AND, 4), (OR, 4), (XOR, 3)], ids=["AND", "OR", "XOR"])
def test_no_perceptron_on_a_grid_of_weights_is_xor_though_and_and_or_are_there(targets, most):
    grid = np.linspace(-2.0, 2.0, 9).tolist()
    assert max(rights(perceptron(*weights), targets) for weights in itertools.product(grid, repeat=3)) == most


def test_the_scores_of_one_layer_add_up_crosswise_so_that_no_weights_at_all_are_xor():
    """z(-,-) + z(+,+) = z(-,+) + z(+,-); XOR would need the left side below 0 and the right side above."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        neuron = nn.Neuron(2, "identity", initializer="zeros")
        neuron.load_state_dict({"weight": rng.normal(0.0, 3.0, 2), "bias": rng.normal(0.0, 3.0)})
        same_low, different_1, different_2, same_high = outputs(neuron)
        assert same_low + same_high == pytest.approx(different_1 + different_2, rel=0.0, abs=1e-12)


def trained(widths, targets, loss, seed, **options):
    model = nn.MLP(2, widths, activation="tanh", rng=seed, **options)
    optimizer = SGD(model.parameters(), lr=0.1)
    Trainer(model, loss, optimizer, batch_size=1, epochs=200, seed=seed, progress=False).fit(INPUTS, targets)
    return model


@pytest.mark.parametrize("loss", ["squared_error", "hinge"])
@pytest.mark.parametrize("output", ["identity", "tanh"])
def test_training_one_layer_never_learns_xor_though_it_learns_and_and_or(loss, output):
    for seed in range(3):
        assert rights(trained([1], AND, loss, seed, output=output), AND) == 4
        assert rights(trained([1], OR, loss, seed, output=output), OR) == 4
        assert rights(trained([1], XOR, loss, seed, output=output), XOR) <= 3


def test_a_linear_hidden_layer_is_useless_for_xor():
    """The lecture's reason for tanh: a linear transformation of a linear model is a linear model."""
    model = nn.MLP(2, [4, 1], activation="identity", rng=0)
    optimizer = SGD(model.parameters(), lr=0.05)
    Trainer(model, "squared_error", optimizer, batch_size=1, epochs=200, progress=False).fit(INPUTS, XOR)
    assert rights(model, XOR) <= 3


@pytest.mark.parametrize("seed", range(5))
def test_a_2_4_1_tanh_network_learns_xor(seed):
    model = trained([4, 1], XOR, "squared_error", seed)
    assert rights(model, XOR) == 4
    np.testing.assert_allclose(outputs(model), XOR, rtol=0.0, atol=0.1)
