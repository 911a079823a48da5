"""Neurons, layers and networks: what goes in, what comes out, and that it is what the lectures say."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini import Value, nn, no_grad
from autograd_mini.engine.graph import topological_order
from autograd_mini.nn import MLP, Layer, Neuron, activations
from autograd_mini.nn.activations import ACTIVATIONS

SIGMA = {
    "identity": lambda z: z,
    "sign": np.sign,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "softplus": lambda z: np.log1p(np.exp(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * np.vectorize(statistics.NormalDist().cdf)(z),
}
SLOPE = {
    "identity": lambda z: np.ones_like(z),
    "sigmoid": lambda z: SIGMA["sigmoid"](z) * (1 - SIGMA["sigmoid"](z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0) * 1.0,
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(z)),
    "softplus": lambda z: SIGMA["sigmoid"](z),
}


# ----------------------------------------------------------------------------------------------------- numbers


def test_a_3_5_1_network_has_26_parameters():
    assert len(MLP(3, [5, 1]).parameters()) == 26
    assert len(MLP(2, [16, 16, 1]).parameters()) == 337


@pytest.mark.parametrize("widths", [[1], [4], [2, 1, 1], [1, 1], [3, 2], (5, 4, 3), np.array([3, 1])])
@pytest.mark.parametrize("n_inputs", [1, 3])
def test_the_number_of_parameters_is_that_of_the_lecture(n_inputs, widths):
    sizes = [n_inputs, *widths]
    expected = sum((a + 1) * b for a, b in itertools.pairwise(sizes))
    model = MLP(n_inputs, widths, rng=0)
    assert len(model.parameters()) == expected
    output = model([0.5] * n_inputs)
    assert isinstance(output, Value) if sizes[-1] == 1 else (type(output) is list and len(output) == sizes[-1])


def test_a_layer_of_one_neuron_hands_on_a_list_and_only_a_single_output_is_bare():
    model = MLP(2, [2, 1, 1], rng=0)
    assert isinstance(model([1.0, 2.0]), Value)
    hidden = model.layers[0]([1.0, 2.0])
    assert isinstance(hidden, list)
    assert isinstance(model.layers[1](hidden), list)
    assert len(model.layers[1](hidden)) == 1
    assert model.layers[2](model.layers[1](hidden))[0].data == model([1.0, 2.0]).data


# ---------------------------------------------------------------------------------------------- forward, backward


@pytest.mark.parametrize("activation", list(SIGMA))
def test_every_activation_by_name_and_as_a_function_computes_its_formula(activation):
    by_name = MLP(3, [4, 2], activation=activation, output=activation, rng=7)
    by_function = MLP(
        3, [4, 2], activation=ACTIVATIONS[activation], output=ACTIVATIONS[activation], initializer="zeros"
    )
    by_function.load_state_dict(by_name.state_dict())
    x = np.array([0.5, -1.5, 2.0])
    state = by_name.state_dict()
    a = x
    for layer in range(2):
        a = SIGMA[activation](state[f"layers.{layer}.weight"] @ a + state[f"layers.{layer}.bias"])
    assert [y.data for y in by_name(x)] == pytest.approx(a.tolist(), rel=1e-14, abs=1e-15)
    assert [y.data for y in by_function(x)] == [y.data for y in by_name(x)]


@pytest.mark.parametrize("activation", list(SLOPE))
def test_the_backward_pass_is_the_recursion_of_the_lectures(activation):
    """δ^L = σ'(z) ⊙ ∂C/∂a, δ^l = (Wᵀδ) ⊙ σ'(z), ∂C/∂W = δ aᵀ, ∂C/∂b = δ, with C = ½ Σ (a - t)²."""
    model = MLP(3, [4, 3, 2], activation=activation, output=activation, rng=3)
    for p in model.parameters():
        p.data += 0.05
    state, x, t = model.state_dict(), np.array([0.5, -1.5, 2.0]), np.array([0.3, -0.2])
    a, z = [x], []
    for layer in range(3):
        z.append(state[f"layers.{layer}.weight"] @ a[-1] + state[f"layers.{layer}.bias"])
        a.append(SIGMA[activation](z[-1]))
    delta = SLOPE[activation](z[2]) * (a[3] - t)
    outputs = model(x)
    (0.5 * sum((y - target) ** 2 for y, target in zip(outputs, t, strict=True))).backward()
    for layer in (2, 1, 0):
        neurons = model.layers[layer].neurons
        grad_w = np.array([[w.grad for w in neuron.w] for neuron in neurons])
        assert grad_w == pytest.approx(np.outer(delta, a[layer]), rel=1e-12, abs=1e-15)
        assert np.array([neuron.b.grad for neuron in neurons]) == pytest.approx(delta, rel=1e-12, abs=1e-15)
        if layer:
            delta = (state[f"layers.{layer}.weight"].T @ delta) * SLOPE[activation](z[layer - 1])


@example([0.8984375, 1e-05, 0.03125], 0)  # (a - 0.5)², where a is rounded on a larger scale than the square
@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.integers(0, 1000))
def test_gradients_of_random_networks_agree_with_finite_differences(x, seed):
    model = MLP(3, [4, 1], activation="tanh", rng=seed)
    loss = (model(x) - 0.5) ** 2
    loss.backward()
    for p in model.parameters()[::5]:
        assert ag.finite_difference(loss, p) == pytest.approx(p.grad, rel=1e-5, abs=1e-7)


def test_softmax_output_gives_probabilities():
    model = MLP(2, [4, 3], output="softmax", rng=0)
    logits = MLP(2, [4, 3], rng=0)([1.0, -2.0])
    p = model([1.0, -2.0])
    e = np.exp([z.data for z in logits])
    assert [q.data for q in p] == pytest.approx((e / e.sum()).tolist(), rel=1e-14)
    assert sum(q.data for q in p) == pytest.approx(1.0)
    assert MLP(2, [1], output="softmax", rng=0)([1.0, 2.0]).data == 1.0


def test_a_neuron_is_one_dot_node_and_its_activation():
    neuron = Neuron(3, activation="tanh", rng=0)
    a = neuron([1.0, 2.0, 3.0])
    (z,) = a.parents
    assert (a.primitive.name, z.primitive.name, a.label, z.label) == ("tanh", "dot", "a", "z")
    assert z.parents[:3] == tuple(neuron.weights)
    assert [x.label for x in z.parents[3:6]] == ["x1", "x2", "x3"]
    assert z.parents[-1] is neuron.bias
    assert Neuron(2, activation="identity", rng=0)([1.0, 2.0]).primitive.name == "dot"
    assert len(topological_order(a)) == 9


def test_an_activation_of_ones_own_may_be_any_function():
    assert Neuron(1, activation=lambda z: z * ag.sigmoid(z), rng=0)([0.0]).data == 0.0
    same = Neuron(1, activation=lambda z: z, rng=0)([2.0])
    assert same.label == "z"
    threshold = Neuron(2, activation=lambda z: 1.0 if z > 0 else -1.0)
    threshold.load_state_dict({"weight": [1.0, 1.0], "bias": -1.5})  # AND, the perceptron of L4
    assert [threshold([a, b]).data for a in (0, 1) for b in (0, 1)] == [-1.0, -1.0, -1.0, 1.0]
    assert isinstance(threshold([1, 1]), Value)
    weight = Value(3.0, label="mine")
    Neuron(1, activation=lambda z: weight, rng=0)([2.0])
    assert weight.label == "mine"


def test_perceptrons_compute_and_or_xor():
    """G(x) = sign(Σ α sign(wᵀx)) of L4: XOR = OR(AND(-g1, g2), AND(g1, -g2))."""
    model = MLP(2, [2, 1], activation="sign", output="sign", initializer="zeros")
    model.load_state_dict(
        {
            "layers.0.weight": [[-1, 1], [1, -1]],
            "layers.0.bias": [-1, -1],
            "layers.1.weight": [[1, 1]],
            "layers.1.bias": [1],
        }
    )
    assert [model([a, b]).data for a in (-1, 1) for b in (-1, 1)] == [-1.0, 1.0, 1.0, -1.0]


# ------------------------------------------------------------------------------------------------------ inputs


@pytest.mark.parametrize(
    "x",
    [
        [1, -2.0, 0.5],
        (1.0, -2.0, 0.5),
        np.array([1.0, -2.0, 0.5]),
        np.array([1.0, -2.0, 0.5], dtype=np.float32),
        [Value(1.0), Value(-2.0), Value(0.5)],
        [Value(1.0), -2.0, np.float64(0.5)],
        np.array([Value(1.0), Value(-2.0), Value(0.5)]),
        range(1, 4),
        iter([1.0, -2.0, 0.5]),
    ],
    ids=lambda x: type(x).__name__,
)
def test_lists_tuples_arrays_and_values_serve_as_input(x):
    expected = MLP(3, [4, 1], rng=0)([1.0, 2.0, 3.0] if isinstance(x, range) else [1.0, -2.0, 0.5]).data
    assert MLP(3, [4, 1], rng=0)(x).data == expected


def test_the_input_is_left_as_it_was_and_values_in_it_get_their_gradients():
    x = [1.0, Value(2.0, label="mine")]
    MLP(2, [3, 1], rng=0)(x).backward()
    assert x[0] == 1.0
    assert type(x[0]) is float
    assert x[1].label == "mine"
    assert x[1].grad != 0.0


@pytest.mark.parametrize("x", [2.0, 2, np.float64(2.0), np.array(2.0), Value(2.0), [2.0]])
def test_a_bare_number_serves_where_there_is_one_feature(x):
    assert MLP(1, [2, 1], rng=0)(x).data == MLP(1, [2, 1], rng=0)([2.0]).data


@pytest.mark.parametrize(
    ("module", "expected"),
    [(MLP(3, [2, 1], rng=0), 3), (Layer(3, 2, rng=0), 3), (Neuron(3, rng=0), 3)],
)
@pytest.mark.parametrize("got", [0, 1, 2, 4])
def test_a_wrong_number_of_features_says_expected_and_got(module, expected, got):
    with pytest.raises(ValueError, match=rf"expected {expected} features, got {got};"):
        module([1.0] * got)
    with pytest.raises(ValueError, match=rf"expected {expected} features, got {got};"):
        module(np.ones(got))


def test_one_feature_is_not_called_features():
    with pytest.raises(ValueError, match=r"expected 1 feature, got 2;"):
        Neuron(1, rng=0)([1.0, 2.0])


@pytest.mark.parametrize("rows", [1, 2, 3, 50])
@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist])
def test_several_examples_at_once_are_refused_with_advice(rows, kind):
    X = kind(np.ones((rows, 3)))
    with pytest.raises(ValueError, match=rf"expected 3 features, got {rows}.*call it with one example at a time"):
        MLP(3, [2, 1], rng=0)(X)


@pytest.mark.parametrize("x", ["abc", [1.0, 2.0, "x"], [1.0, None, 2.0], [1.0, 2.0, 1j]])
def test_features_that_are_no_numbers_are_refused(x):
    with pytest.raises(TypeError, match="expected a real number, got"):
        MLP(3, [2, 1], rng=0)(x)


def test_no_grad_builds_no_graph():
    model = MLP(2, [3, 1], rng=0)
    with no_grad():
        y = model([1.0, 2.0])
    assert y.parents == ()
    assert y.data == model([1.0, 2.0]).data


# ------------------------------------------------------------------------------------------- arguments and seeds


def test_one_seed_gives_one_network():
    first, again, other = (MLP(3, [4, 2], rng=seed).state_dict() for seed in (5, 5, 6))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["layers.0.weight"], other["layers.0.weight"])
    generator = MLP(3, [4, 2], rng=np.random.default_rng(5)).state_dict()
    assert np.array_equal(generator["layers.1.weight"], first["layers.1.weight"])
    unseeded = [MLP(3, [4]).state_dict()["layers.0.weight"] for _ in range(2)]
    assert not np.array_equal(*unseeded)


def test_a_generator_is_drawn_from_and_goes_on():
    rng = np.random.default_rng(0)
    assert Neuron(3, rng=rng).w[0].data != Neuron(3, rng=rng).w[0].data


def test_the_layers_of_a_network_and_the_neurons_of_a_layer_differ():
    state = MLP(4, [4, 4], rng=0).state_dict()
    assert len({*state["layers.0.weight"].ravel(), *state["layers.1.weight"].ravel()}) == 32


@pytest.mark.parametrize("bad", [0, -1, 2.0, "3", None, True])
def test_bad_sizes_are_refused(bad):
    for name, make in {
        "n_inputs": lambda: MLP(bad, [1]),
        "widths": lambda: MLP(2, [3, bad]),
        "n_outputs": lambda: Layer(2, bad),
    }.items():
        with pytest.raises(ValueError, match=rf"{name}: expected a whole number of at least 1, got {bad!r}"):
            make()


@pytest.mark.parametrize("widths", [[], (), 5, None, np.array([])])
def test_widths_have_to_be_a_list(widths):
    with pytest.raises(ValueError, match=r"widths: expected a list with the number of neurons of each layer"):
        MLP(2, widths)


def test_unknown_activations_are_answered_with_those_there_are():
    for make in (
        lambda: Neuron(2, activation="rleu"),
        lambda: Layer(2, 2, activation="rleu"),
        lambda: MLP(2, [2, 1], activation="rleu"),
        lambda: MLP(2, [1], activation="rleu"),
        lambda: MLP(2, [1], output="rleu"),
    ):
        with pytest.raises(ValueError, match=r"no activation is named 'rleu'; choose one of identity, sign, sigmoid"):
            make()
    with pytest.raises(TypeError, match=r"expected an activation by name or a function, got int"):
        Neuron(2, activation=5)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_activations_take_plain_numbers_too(name):
    f = activations.activation_function(name)
    assert f(0.3) == pytest.approx(float(SIGMA[name](np.float64(0.3))))
    assert math.isfinite(f(-1000.0))
    assert math.isfinite(f(1000.0))


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda kind: Neuron(2, kind, rng=0), ["activation"]),
        (lambda kind: Layer(2, 2, kind, rng=0), ["activation"]),
        (lambda kind: MLP(2, [3, 2], kind, kind, rng=0), ["activation", "output"]),
        (lambda kind: nn.RNNCell(2, 2, kind, rng=0), ["activation"]),
        (lambda kind: nn.Activation(kind), ["activation"]),
    ],
)
def test_an_activation_that_is_set_later_is_what_the_module_computes_with(make, names):
    model, other = make("relu"), make("tanh")
    if not isinstance(model, nn.Activation):
        other.load_state_dict(model.state_dict())
    for name in names:
        with pytest.raises(ValueError, match=r"no activation is named 'rleu'"):
            setattr(model, name, "rleu")
        setattr(model, name, "tanh")
    assert repr(model) == repr(other)
    assert str(model([1.0, -2.0])) == str(other([1.0, -2.0]))


def test_the_last_layer_has_no_activation_while_the_output_is_the_softmax():
    model = MLP(2, [3, 2], output="sigmoid", rng=0)
    model.output = "softmax"
    assert model.layers[-1].activation == "identity"
    assert sum(p.data for p in model([1.0, 2.0])) == pytest.approx(1.0)
    model.output = "sigmoid"
    assert model.layers[-1].activation == "sigmoid"
    assert model.layers[0].activation == "relu"


def test_a_program_follows_an_activation_that_is_set_later():
    model = MLP(2, [3, 1], rng=0)
    program = ag.vectorize(model)
    program([[1.0, 2.0]])
    model.activation = "tanh"
    assert float(program([[1.0, 2.0]]).item()) == pytest.approx(model([1.0, 2.0]).data)


def test_nonlin_can_be_set_as_in_micrograd():
    layer = Layer(2, 2, "tanh")
    layer.nonlin = True
    assert layer.activation == "tanh"
    layer.neurons[0].nonlin = False
    assert [neuron.nonlin for neuron in layer.neurons] == [False, True]
    layer.nonlin = False
    layer.nonlin = True
    assert [neuron.activation for neuron in layer.neurons] == ["relu", "relu"]


def test_a_layer_that_does_not_fit_those_around_it_is_told_as_such():
    model = MLP(2, [3, 1])
    model.layers[0] = Layer(2, 4)
    with pytest.raises(ValueError, match=r"expected 3 features, got 4; they were computed: give what computed them"):
        model([1.0, 2.0])
