"""Initial weights: how they are distributed, and which rule goes with which activation."""

import math

import numpy as np
import pytest

from autograd_mini.engine import functions
from autograd_mini.nn import MLP, Layer, Neuron, initializers
from autograd_mini.nn.initializers import INITIALIZERS, he, initializer_for, normal, uniform, xavier, zeros

SHAPE = (200, 300)  # outputs, inputs


def drawn(initializer, shape=SHAPE, seed=0):
    return initializer(np.random.default_rng(seed), shape)


def looks_uniform(weights, limit):
    assert np.abs(weights).max() <= limit
    assert np.abs(weights).max() > 0.999 * limit
    assert weights.std() == pytest.approx(limit / math.sqrt(3.0), rel=0.01)
    assert abs(weights.mean()) < 4 * weights.std() / math.sqrt(weights.size)


def looks_normal(weights, scale):
    assert weights.std() == pytest.approx(scale, rel=0.01)
    assert abs(weights.mean()) < 4 * scale / math.sqrt(weights.size)
    assert (np.abs(weights) < scale).mean() == pytest.approx(0.6827, abs=0.01)


def test_xavier_is_uniform_with_the_limit_of_glorot_and_bengio():
    looks_uniform(drawn(xavier), math.sqrt(6.0 / 500.0))


def test_he_is_normal_with_variance_2_over_inputs():
    looks_normal(drawn(he), math.sqrt(2.0 / 300.0))


def test_uniform_and_normal_have_the_scale_asked_for():
    looks_uniform(drawn(uniform(0.3)), 0.3)
    looks_normal(drawn(normal(0.3)), 0.3)
    looks_uniform(drawn(INITIALIZERS["uniform"]), 0.1)
    looks_normal(drawn(INITIALIZERS["normal"]), 0.1)


def test_zeros_are_zeros():
    assert not drawn(zeros).any()


@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_every_rule_has_the_shape_and_follows_the_seed(name):
    rule = INITIALIZERS[name]
    assert drawn(rule, (2, 3)).shape == (2, 3)
    assert np.array_equal(drawn(rule), drawn(rule))
    assert name == "zeros" or not np.array_equal(drawn(rule), drawn(rule, seed=1))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", functions.relu])
def test_relus_get_hes_rule(activation):
    assert initializer_for(None, activation) is he


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity", "sign", functions.tanh, lambda z: z])
def test_all_others_get_xaviers(activation):
    assert initializer_for(None, activation) is xavier


def test_a_network_uses_the_rule_that_suits_each_layer():
    state = MLP(100, [200, 150], activation="relu", output="identity", rng=0).state_dict()
    looks_normal(state["layers.0.weight"], math.sqrt(2.0 / 100.0))
    weights = state["layers.1.weight"]
    assert np.abs(weights).max() <= math.sqrt(6.0 / 350.0)
    assert weights.std() == pytest.approx(math.sqrt(2.0 / 350.0), rel=0.02)


def test_a_neuron_counts_as_a_layer_of_one_output():
    limit = math.sqrt(6.0 / (200 + 1))
    weights = np.array([w.data for w in Neuron(200, activation="tanh", rng=0).w])
    assert np.abs(weights).max() <= limit
    assert np.abs(weights).max() > 0.95 * limit


@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_biases_start_at_0(name):
    model = MLP(3, [4, 2], initializer=name, rng=0)
    assert not model.state_dict()["layers.0.bias"].any()
    assert not model.state_dict()["layers.1.bias"].any()


def test_a_function_of_ones_own_gives_the_weights():
    layer = Layer(2, 3, initializer=lambda rng, shape: np.arange(6).reshape(shape))
    assert layer.state_dict()["weight"].tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert [w.data for w in Neuron(2, initializer=lambda rng, shape: np.full(shape, 7)).w] == [7.0, 7.0]


@pytest.mark.parametrize("make", [Neuron, lambda n, initializer: Layer(n, 2, initializer=initializer)])
def test_weights_of_the_wrong_shape_are_refused(make):
    with pytest.raises(ValueError, match=r"initializer: expected weights of shape \(\d, 2\), got \(7,\)"):
        make(2, initializer=lambda rng, shape: np.zeros(7))


def test_unknown_initializers_are_answered_with_those_there_are():
    for bad in ("xaver", 5):
        with pytest.raises(ValueError, match=r"no initializer is named .*; choose one of zeros, uniform, normal"):
            MLP(2, [1], initializer=bad)


def test_large_weights_saturate_as_the_lecture_says():
    def mean_slope(initializer):
        a = MLP(10, [50], activation="identity", output="tanh", initializer=initializer, rng=0)(np.linspace(-2, 2, 10))
        return np.mean([1 - y.data**2 for y in a])

    assert mean_slope(initializers.normal(0.05)) > 0.9
    assert mean_slope(initializers.normal(20.0)) < 0.1
