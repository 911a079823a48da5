"""Backpropagation by the lectures' recurrences, unit by unit (L4) and in vector form (L5), against `backward`."""

import itertools
import math
import statistics

import numpy as np
import pytest

from autograd_mini import Value, datasets, nn
from autograd_mini.nn.activations import ACTIVATIONS
from autograd_mini.optim import SGD
from autograd_mini.training import Trainer

# ------------------------------------------------------------------------------------- the 3-5-1 tanh network


def network_351(seed):
    """A 3-5-1 tanh network whose biases aren't 0 either."""
    model = nn.MLP(3, [5, 1], activation="tanh", rng=seed)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.bias.data = rng.normal()
    return model


def deltas_of_the_lecture(model, x, y):
    """δ₁⁽²⁾ = -2(y - s), δⱼ⁽¹⁾ = δ₁⁽²⁾ wⱼ₁⁽²⁾ tanh′(sⱼ⁽¹⁾), and all the x⁽ˡ⁾ with x₀ = 1 in front; plain numbers."""
    (w1, b1), (w2, b2) = [(layer["weight"], layer["bias"]) for layer in state_by_layer(model)]
    x0 = [1.0, *x]
    s1 = [math.fsum([b, *(w * xi for w, xi in zip(row, x, strict=True))]) for row, b in zip(w1, b1, strict=True)]
    x1 = [1.0, *map(math.tanh, s1)]
    s2 = math.fsum([b2[0], *(w * xi for w, xi in zip(w2[0], x1[1:], strict=True))])
    delta_2 = [-2.0 * (y - s2)]
    delta_1 = [delta_2[0] * w * (1.0 - math.tanh(s) ** 2) for w, s in zip(w2[0], s1, strict=True)]
    return (x0, x1), (delta_1, delta_2), s2


def state_by_layer(model):
    state = model.state_dict()
    return [
        {kind: state[f"layers.{i}.{kind}"].tolist() for kind in ("weight", "bias")} for i in range(len(model.layers))
    ]


def gradient(model, layer, i, j):
    """∂e/∂w_ij of the lecture: from input i (0 is the bias's constant 1) to unit j (counted from 0)."""
    neuron = model.layers[layer].neurons[j]
    return (neuron.bias if i == 0 else neuron.weights[i - 1]).grad


EXAMPLES = [([0.5, -1.2, 2.0], 0.7), ([0.0, 1.0, -0.3], -1.5), ([-2.0, 0.1, 0.4], 3.0)]


def test_the_quiz_of_l4_a_3_5_1_network_has_26_weights():
    model = nn.MLP(3, [5, 1], activation="tanh")
    assert len(model.parameters()) == (3 + 1) * 5 + (5 + 1) * 1 == 26
    weights = [neuron.weights for layer in model.layers for neuron in layer.neurons]
    assert [len(row) for row in weights] == [3] * 5 + [5]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("x", "y"), EXAMPLES)
def test_every_one_of_the_26_gradients_is_delta_times_input(x, y, seed):
    model = network_351(seed)
    error = nn.squared_error(model(x), y)
    error.backward()
    inputs, deltas, score = deltas_of_the_lecture(model, x, y)
    assert error.data == pytest.approx((y - score) ** 2, rel=1e-12)
    compared = 0
    for layer in (0, 1):
        for i, j in itertools.product(range(len(inputs[layer])), range(len(deltas[layer]))):
            expected = deltas[layer][j] * inputs[layer][i]
            assert gradient(model, layer, i, j) == pytest.approx(expected, rel=1e-12, abs=1e-12)
            compared += 1
    assert compared == 26
    assert min(abs(delta) for delta in [*deltas[0], *deltas[1]]) > 1e-6  # nothing here is 0 = 0


def test_a_step_of_sgd_is_the_update_of_the_lecture():
    """w ← w - η xᵢ δⱼ, for every weight."""
    (x, y), rate = EXAMPLES[0], 0.05
    model = network_351(0)
    inputs, deltas, _ = deltas_of_the_lecture(model, x, y)
    before = state_by_layer(model)
    nn.squared_error(model(x), y).backward()
    SGD(model.parameters(), lr=rate).step()
    for layer, (old, new) in enumerate(zip(before, state_by_layer(model), strict=True)):
        change = rate * np.outer(deltas[layer], inputs[layer])  # of unit j by input i
        np.testing.assert_allclose(new["bias"], np.array(old["bias"]) - change[:, 0], rtol=0.0, atol=1e-13)
        np.testing.assert_allclose(new["weight"], np.array(old["weight"]) - change[:, 1:], rtol=0.0, atol=1e-13)
        assert np.abs(change).max() > 1e-3


def test_a_mini_batch_averages_the_products_of_its_examples():
    model, rate = network_351(1), 0.05
    before = state_by_layer(model)
    averages = [
        np.mean([np.outer(found[1][layer], found[0][layer]) for found in of_examples], axis=0)
        for of_examples in [[deltas_of_the_lecture(model, x, y) for x, y in EXAMPLES]]
        for layer in (0, 1)
    ]
    optimizer = SGD(model.parameters(), lr=rate)
    trainer = Trainer(model, "squared_error", optimizer, batch_size=None, epochs=1, progress=False)
    trainer.fit([x for x, _ in EXAMPLES], [y for _, y in EXAMPLES])
    for old, new, average in zip(before, state_by_layer(model), averages, strict=True):
        np.testing.assert_allclose(new["bias"], old["bias"] - rate * average[:, 0], rtol=0.0, atol=1e-13)
        np.testing.assert_allclose(new["weight"], old["weight"] - rate * average[:, 1:], rtol=0.0, atol=1e-13)


# ------------------------------------------------------------------- quiz: when is a gradient of the last layer 0?


def last_layer_gradients(model, x, y):
    """∂e/∂w_i1 of the output unit, i = 0, 1, …, 5."""
    model.zero_grad()
    nn.squared_error(model(x), y).backward()
    return [gradient(model, 1, i, 0) for i in range(6)]


def test_the_quiz_of_l4_no_gradient_of_the_last_layer_is_0_at_an_ordinary_example():
    assert min(map(abs, last_layer_gradients(network_351(0), *EXAMPLES[0]))) > 1e-3


def test_the_quiz_of_l4_all_gradients_are_0_when_the_output_is_right():
    model, x = network_351(0), EXAMPLES[0][0]
    model.zero_grad()
    nn.squared_error(model(x), model(x).data).backward()
    assert [parameter.grad for parameter in model.parameters()] == [0.0] * 26


@pytest.mark.parametrize("unit", range(5))
def test_the_quiz_of_l4_a_gradient_is_0_when_the_score_of_its_unit_and_so_its_output_is_0(unit):
    """s_i⁽¹⁾ = 0 makes x_i⁽¹⁾ = tanh(0) = 0, and so -2(y - s)·x_i⁽¹⁾ = 0; the others' aren't."""
    model, (x, y) = network_351(0), EXAMPLES[0]
    neuron = model.layers[0].neurons[unit]
    for parameter in neuron.parameters():
        parameter.data = 0.0
    assert neuron(x).data == 0.0
    found = last_layer_gradients(model, x, y)
    assert found[unit + 1] == 0.0
    assert all(found[i] != 0.0 for i in range(6) if i != unit + 1)


# -------------------------------------------------------------------------------- quiz: weight elimination


@pytest.mark.parametrize(
    ("w", "by_hand"), [(0.0, 0.0), (1.0, 0.5), (-1.0, -0.5), (2.0, 0.16), (-3.0, -0.06), (0.5, 0.64), (7.0, 0.0056)]
)
def test_the_quiz_of_l4_the_derivative_of_weight_elimination_is_2w_over_1_plus_w_squared_squared(w, by_hand):
    assert 2.0 * w / (1.0 + w * w) ** 2 == pytest.approx(by_hand, rel=1e-15)
    weight = Value(w)
    penalty = nn.WeightElimination(1.0)([weight])
    penalty.backward()
    assert penalty.data == pytest.approx(w * w / (1.0 + w * w), rel=1e-15)
    assert weight.grad == pytest.approx(by_hand, rel=1e-14, abs=0.0)


def test_weight_elimination_adds_its_derivative_to_that_of_the_error():
    (x, y), lam = EXAMPLES[0], 0.3
    model = network_351(0)
    nn.squared_error(model(x), y).backward()
    without = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    (nn.squared_error(model(x), y) + nn.WeightElimination(lam)(model)).backward()
    biases = {id(neuron.bias) for layer in model.layers for neuron in layer.neurons}
    assert len(biases) == 6
    for parameter, plain in zip(model.parameters(), without, strict=True):
        w = parameter.data
        added = 0.0 if id(parameter) in biases else lam * 2.0 * w / (1.0 + w * w) ** 2
        assert parameter.grad == pytest.approx(plain + added, rel=1e-12, abs=1e-14)


# ----------------------------------------------------------------------------------------------- vector form


def _logistic(z):
    return 1.0 / (1.0 + np.exp(-z))


_normal = np.vectorize(statistics.NormalDist().cdf)

# σ and σ′ as L5 writes them, in NumPy; nothing of the library's.
BY_HAND = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "sign": (np.sign, np.zeros_like),
    "sigmoid": (_logistic, lambda z: _logistic(z) * (1.0 - _logistic(z))),
    "logistic": (_logistic, lambda z: _logistic(z) * (1.0 - _logistic(z))),
    "tanh": (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(0.0, z), lambda z: np.where(z > 0.0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0.0, z, 0.01 * z), lambda z: np.where(z > 0.0, 1.0, 0.01)),
    "elu": (lambda z: np.where(z > 0.0, z, np.exp(z) - 1.0), lambda z: np.where(z > 0.0, 1.0, np.exp(z))),
    "softplus": (lambda z: np.log(1.0 + np.exp(z)), _logistic),
    "silu": (lambda z: z * _logistic(z), lambda z: _logistic(z) * (1.0 + z * (1.0 - _logistic(z)))),
    "gelu": (lambda z: z * _normal(z), lambda z: _normal(z) + z * np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi)),
    "leaky_relu(0.2)": (lambda z: np.where(z > 0.0, z, 0.2 * z), lambda z: np.where(z > 0.0, 1.0, 0.2)),
    "elu(0.5)": (lambda z: np.where(z > 0, z, 0.5 * (np.exp(z) - 1)), lambda z: np.where(z > 0, 1.0, 0.5 * np.exp(z))),
}


def test_there_is_a_derivative_by_hand_for_every_activation():
    assert set(ACTIVATIONS) <= set(BY_HAND)


def backpropagated_by_hand(state, activation, x, t):
    """The cost ½Σ(a - t)², and (∂C/∂W, ∂C/∂b, z) of every layer, in vector form.

    δᴸ = σ′(zᴸ) ⊙ (aᴸ - t), δˡ = (Wˡ⁺¹)ᵀδˡ⁺¹ ⊙ σ′(zˡ), ∂C/∂W = δaᵀ, ∂C/∂b = δ, with W of shape (outputs, inputs).
    """
    sigma, slope = BY_HAND[activation]
    a, stages = np.array(x), []
    for layer in state:
        W, b = np.array(layer["weight"]), np.array(layer["bias"])
        z = W @ a + b
        stages.append((W, a, z))
        a = sigma(z)
    cost, upstream, found = 0.5 * np.sum((a - t) ** 2), a - t, []
    for W, below, z in reversed(stages):
        delta = slope(z) * upstream
        found.insert(0, (np.outer(delta, below), delta, z))
        upstream = W.T @ delta
    return cost, found


@pytest.mark.parametrize("seed", [1, 3, 6])  # with these, ReLU lets something through and holds something back
@pytest.mark.parametrize("activation", sorted({*ACTIVATIONS, *BY_HAND}))
def test_backpropagation_in_vector_form_equals_the_engine_for_every_activation(activation, seed):
    rng = np.random.default_rng(seed)
    model = nn.MLP(3, [6, 4, 2], activation=activation, output=activation, initializer="zeros")
    model.load_state_dict({name: rng.normal(0.0, 0.8, array.shape) for name, array in model.state_dict().items()})
    x, t = rng.normal(size=3), rng.normal(size=2)
    error = nn.half_squared_error(model(x), t)
    error.backward()
    cost, by_hand = backpropagated_by_hand(state_by_layer(model), activation, x, t)
    assert error.data == pytest.approx(cost, rel=1e-12)
    for layer, (dW, db, _) in zip(model.layers, by_hand, strict=True):
        weight_gradients = [[weight.grad for weight in neuron.weights] for neuron in layer.neurons]
        np.testing.assert_allclose(weight_gradients, dW, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose([neuron.bias.grad for neuron in layer.neurons], db, rtol=1e-12, atol=1e-12)
    # The comparison says something: units on both sides of the kink, none on it, and gradients that aren't 0.
    scores = np.concatenate([z for _, _, z in by_hand])
    assert scores.min() < -0.1
    assert scores.max() > 0.1
    assert np.abs(scores).min() > 1e-3
    largest = max(np.abs(dW).max() for dW, _, _ in by_hand)
    assert (largest > 0.01) == (activation != "sign")


def test_the_sum_of_the_vector_forms_over_the_data_is_the_gradient_of_the_whole_cost():
    X, y = datasets.linear(n=10, n_features=3, seed=0)
    model = nn.MLP(3, [4, 1], activation="sigmoid", output="sigmoid", rng=0)
    nn.half_squared_error([model(row) for row in X], y).backward()
    state = state_by_layer(model)
    rows = [backpropagated_by_hand(state, "sigmoid", row, [target])[1] for row, target in zip(X, y, strict=True)]
    for number, layer in enumerate(model.layers):
        expected = sum(row[number][0] for row in rows)
        found = [[weight.grad for weight in neuron.weights] for neuron in layer.neurons]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
