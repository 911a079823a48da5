"""Vanishing gradients (L5) and saturation by large weights (L4), on chains of scalar layers and on networks."""

import itertools
import math

import numpy as np
import pytest

from autograd_mini import datasets, nn
from autograd_mini.nn import initializers
from autograd_mini.optim import grad_norm

DEPTHS = list(range(1, 31))

# σ and σ′ in plain numbers
BY_HAND = {
    "sigmoid": (lambda z: 1.0 / (1.0 + math.exp(-z)), lambda a: a * (1.0 - a)),
    "relu": (lambda z: max(0.0, z), lambda a: 1.0 if a > 0.0 else 0.0),
    "tanh": (math.tanh, lambda a: 1.0 - a * a),
}
X = 0.8


def chain(weights, biases, activation):
    """A network of one unit a layer: a ← σ(w a + b)."""
    network = nn.MLP(1, [1] * len(weights), activation=activation, output=activation, initializer="zeros")
    for layer, w, b in zip(network.layers, weights, biases, strict=True):
        layer.load_state_dict({"weight": [[w]], "bias": [b]})
    return network


def first_weight_gradient(weights, biases, activation):
    """∂f/∂w1 by `backward`."""
    network = chain(weights, biases, activation)
    network([X]).backward()
    return network.layers[0].neurons[0].weights[0].grad


def product_formula(weights, biases, activation):
    """∂f/∂w1 = Π_{l>1} w_l · Π_l σ′(z_l) · x, by the formula of L5; and all σ′(z_l)."""
    sigma, slope = BY_HAND[activation]
    a, slopes = X, []
    for w, b in zip(weights, biases, strict=True):
        a = sigma(w * a + b)
        slopes.append(slope(a))
    return math.prod(weights[1:]) * math.prod(slopes) * X, slopes


def drawn(depth, seed=0):
    """Weights around 1 and small biases, the first ones the same whatever the depth."""
    rng = np.random.default_rng(seed)
    numbers = rng.uniform(0.0, 1.0, (max(DEPTHS), 2))[:depth]
    return (0.7 + 0.8 * numbers[:, 0]).tolist(), (0.2 * numbers[:, 1]).tolist()


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_gradient_of_the_first_weight_is_the_product_of_the_weights_and_slopes(depth, activation):
    weights, biases = drawn(depth)
    expected, slopes = product_formula(weights, biases, activation)
    assert len(slopes) == depth
    assert expected != 0.0
    assert first_weight_gradient(weights, biases, activation) == pytest.approx(expected, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_formula_holds_for_weights_of_both_signs(depth):
    rng = np.random.default_rng(depth)
    weights, biases = rng.normal(0.0, 1.5, depth).tolist(), rng.normal(0.0, 0.5, depth).tolist()
    for activation in ("sigmoid", "tanh"):
        expected, _ = product_formula(weights, biases, activation)
        assert first_weight_gradient(weights, biases, activation) == pytest.approx(expected, rel=1e-10, abs=0.0)


def test_the_sigmoids_gradient_vanishes_with_the_depth_as_a_quarter_to_its_power():
    """σ′ ≤ 1/4, so that with all weights 1 each layer takes at least three quarters of what is left."""
    gradients = [first_weight_gradient([1.0] * depth, [0.0] * depth, "sigmoid") for depth in DEPTHS]
    for depth, (shallow, deep) in enumerate(itertools.pairwise(gradients), start=2):
        assert 0.0 < deep < shallow / 4.0
        assert deep < X * 0.25**depth
    assert gradients[-1] < 1e-18


def test_the_relus_gradient_stays_what_it_is_at_any_depth():
    assert [first_weight_gradient([1.0] * depth, [0.0] * depth, "relu") for depth in DEPTHS] == [X] * 30


def test_at_depth_30_relu_is_left_with_far_more_than_sigmoid_at_the_same_weights():
    weights, biases = drawn(30)
    sigmoid, relu = (abs(first_weight_gradient(weights, biases, name)) for name in ("sigmoid", "relu"))
    assert relu > 1e-2
    assert sigmoid < 1e-15 * relu


def test_a_relu_that_is_off_anywhere_in_the_chain_lets_nothing_through():
    assert first_weight_gradient([1.0, 1.0, -1.0, 1.0], [0.0, 0.0, 0.0, 0.5], "relu") == 0.0


def test_the_gradient_falls_from_the_last_layer_to_the_first_with_sigmoid_but_not_with_relu():
    def by_layer(activation):
        network = chain([1.0] * 10, [0.0] * 10, activation)
        network([X]).backward()
        return [layer.neurons[0].weights[0].grad for layer in network.layers]

    sigmoid = by_layer("sigmoid")
    assert all(below < above / 2.0 for below, above in itertools.pairwise(sigmoid))
    assert by_layer("relu") == [X] * 10


# ------------------------------------------------------------------------------------------------ saturation

SCALES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def norm_of_chain(scale, activation, depth):
    network = chain([scale] * depth, [0.0] * depth, activation)
    network([X]).backward()
    return grad_norm(network.parameters())


@pytest.mark.parametrize("depth", [1, 3, 10])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_the_gradient_norm_of_a_chain_falls_with_the_scale_of_its_weights(activation, depth):
    norms = [norm_of_chain(2.0 * scale, activation, depth) for scale in SCALES]
    assert all(0.0 < larger < smaller / 3.0 for smaller, larger in itertools.pairwise(norms))
    assert norms[0] > 1e-3
    assert norms[-1] < 1e-12 * norms[0]


def test_a_saturated_chain_has_the_gradient_of_the_product_formula_to_the_last_digit_that_is_left():
    for scale in (5.0, 10.0, 15.0):
        expected, slopes = product_formula([scale] * 3, [0.0] * 3, "sigmoid")
        assert max(slopes) < 0.02
        assert first_weight_gradient([scale] * 3, [0.0] * 3, "sigmoid") == pytest.approx(expected, rel=1e-5, abs=0.0)


def norm_of_network(scale, activation, seed):
    """The norm of the mean gradient on moons, of a network with initial weights from (-scale, scale)."""
    data, labels = datasets.moons(20, seed=0)
    network = nn.MLP(
        2, [6, 6, 1], activation=activation, output="tanh", initializer=initializers.uniform(scale), rng=seed
    )
    targets = 2 * labels - 1
    nn.squared_error([network(row) for row in data], targets, reduction="mean").backward()
    return grad_norm(network.parameters())


def test_the_gradient_norm_of_a_tanh_network_falls_with_the_scale_of_its_initial_weights():
    """The lecture's advice, small random weights: the same draws, only larger, leave less and less to learn from."""
    norms = [np.median([norm_of_network(scale, "tanh", seed) for seed in range(7)]) for scale in SCALES]
    assert all(larger < smaller for smaller, larger in itertools.pairwise(norms))
    assert norms[-1] < 0.01 * norms[0]
