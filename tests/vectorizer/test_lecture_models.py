"""The lectures' models as programs: value and every gradient equal to the eager engine's."""

import itertools

import numpy as np
import pytest
from vector_checks import assert_as_eager, assert_close, eager

import autograd_mini as ag
from autograd_mini import Value, lectures, nn
from autograd_mini.engine.value import Parameter
from autograd_mini.nn import L1, L2, MLP, WeightElimination
from autograd_mini.nn.activations import ACTIVATIONS
from autograd_mini.vectorizer import vectorize

RNG = np.random.default_rng(21)
X = RNG.normal(size=(6, 3))
REAL, SIGNS, CLASSES = RNG.normal(size=6), np.sign(RNG.normal(size=6)), np.array([0.0, 2.0, 1.0, 1.0, 0.0, 2.0])
PAIRS, SEQUENCES, PICTURES = RNG.normal(size=(6, 2)), RNG.normal(size=(5, 4, 2)), RNG.normal(size=(4, 5, 4))

LOSSES = {
    "squared error": (nn.squared_error, REAL, 1),
    "squared errors": (nn.squared_error, PAIRS, 2),
    "mean of squared errors": (lambda a, t: nn.squared_error(a, t, reduction="mean"), PAIRS, 2),
    "half squared error": (nn.half_squared_error, PAIRS, 2),
    "absolute error": (nn.absolute_error, REAL, 1),
    "huber": (nn.huber, REAL, 1),
    "hinge": (nn.hinge, SIGNS, 1),
    "gaussian nll": (nn.gaussian_nll, REAL, 1),
    "logits": (nn.binary_cross_entropy_with_logits, (SIGNS + 1.0) / 2.0, 1),
    "cross-entropy": (nn.cross_entropy, CLASSES, 3),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [[4, 1], [5, 4, 1]], ids=str)
def test_networks_with_every_activation(name, sizes):
    if name == "softmax":
        model = MLP(3, sizes[:-1], "tanh", "softmax", rng=0)
        assert_as_eager(lambda x, y: ag.dot(model(x), model(x)) * y, X, REAL)
        return
    model = MLP(3, sizes, name, rng=0)
    assert_as_eager(lambda x, y: (model(x) - y) ** 2, X, REAL)


@pytest.mark.parametrize("output", ["sigmoid", "tanh", "relu", "softplus", "identity"])
def test_outputs_with_an_activation(output):
    model = MLP(3, [4, 2], "tanh", output, rng=0)
    assert_as_eager(lambda x, y: nn.squared_error(model(x), y), X, PAIRS)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name):
    loss, targets, n_outputs = LOSSES[name]
    model = MLP(3, [4, n_outputs], "tanh", rng=2)
    program = vectorize(lambda x, y: loss(model(x), y))
    value, gradient = program.value_and_grad(X, targets)
    found = []
    for row, target in zip(X.tolist(), targets.tolist(), strict=True):  # the target a plain number, as in training
        found.append(eager(lambda x, target=target: loss(model(x), target), [row], parameters=program.parameters))
    values, by_parameters, by_x = [np.array([each[k] for each in found]) for k in range(3)]
    assert_close(program(X, targets), values[:, 0], "values")
    assert_close(value, values.mean(), "mean")
    assert_close(gradient, by_parameters[:, 0].mean(axis=0), "gradient")
    assert_close(program.gradients(X, targets)[0], by_x[:, 0, 0], "gradient by x")


def test_binary_cross_entropy_on_probabilities():
    model = MLP(3, [4, 1], "tanh", "sigmoid", rng=2)
    f = lambda x, t: -(t * ag.log(model(x)) + (1.0 - t) * ag.log(1.0 - model(x)))
    assert_as_eager(f, X, (SIGNS + 1.0) / 2.0)


@pytest.mark.parametrize("penalty", [L2(0.1), L1(0.1), WeightElimination(0.1), L2(0.1) + L1(0.2)], ids=repr)
def test_a_loss_with_a_penalty(penalty):
    model = MLP(3, [4, 2, 1], "tanh", rng=0)
    assert_as_eager(lambda x, y: nn.hinge(model(x), y) + penalty(model), X, SIGNS)


@pytest.mark.parametrize("far", [1.0, 100.0, 1000.0])
def test_saturated_units_have_the_right_small_gradients(far):
    w = Value(far)
    for f in (ag.tanh, ag.sigmoid, ag.softplus, ag.elu, lambda z: ag.logsumexp(z, 0.0)):
        assert_as_eager(lambda x, f=f: f(w * x), np.array([-1.0, -0.5, 0.1, 0.5, 1.0]), rel=1e-12)


MODULES = {
    "layer norm": (lambda: nn.Sequential(MLP(3, [4], rng=0), nn.LayerNorm(4), MLP(4, [1], rng=1)), X),
    "residual": (lambda: nn.Sequential(nn.Residual(MLP(3, [3], "tanh", "tanh", rng=0)), MLP(3, [1], rng=1)), X),
    "batch norm in evaluation": (
        lambda: nn.Sequential(MLP(3, [4], rng=0), nn.BatchNorm(4), MLP(4, [1], rng=1)).eval(),
        X,
    ),
    "dropout in evaluation": (lambda: nn.Sequential(nn.Dropout(0.5), MLP(3, [4, 1], "relu", rng=0)).eval(), X),
    "convolution": (
        lambda: nn.Sequential(
            nn.Reshape(1, 5, 4),
            nn.Conv2d(1, 2, 3, padding=1, activation="tanh", rng=0),
            nn.Flatten(),
            MLP(40, [1], rng=1),
        ),
        PICTURES,
    ),
    "convolution with a stride": (
        lambda: nn.Sequential(
            nn.Reshape(1, 5, 4),
            nn.Conv2d(1, 2, 2, stride=2, activation="relu", rng=0),
            nn.Conv2d(2, 3, (2, 1), rng=2),
            nn.Flatten(),
            MLP(6, [1], rng=1),
        ),
        PICTURES,
    ),
    "convolution along a line": (
        lambda: nn.Sequential(nn.Reshape(2, 4), nn.Conv1d(2, 3, 2, rng=0), nn.Flatten(), MLP(9, [1], rng=1)),
        SEQUENCES,
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules(name):
    make, data = MODULES[name]
    model = make()
    assert_as_eager(lambda x: ag.tanh(model(x)), data if data.ndim == 2 else data.reshape(len(data), -1))


def test_recurrent_networks():
    rnn, head = nn.RNN(2, 3, rng=0), MLP(3, [1], rng=1)
    assert_as_eager(lambda x, y: (head(rnn(x)[1]) - y) ** 2, SEQUENCES, REAL[:5])
    assert_as_eager(lambda x: ag.sum([ag.sum(h) for h in rnn(x)[0]]), SEQUENCES)


def test_a_recurrence_with_gates():
    n, rng = 3, np.random.default_rng(0)
    cells = {
        gate: MLP(2 + n, [n], output="tanh" if gate == "candidate" else "sigmoid", rng=k)
        for k, gate in enumerate(("forget", "input", "output", "candidate"))
    }
    start = [Parameter(x) for x in rng.normal(size=n)]

    def f(sequence):
        h, c = start, [0.0] * n
        for step in sequence:
            gates = {gate: cell([*step, *h]) for gate, cell in cells.items()}
            c = [
                f_ * a + i * g
                for f_, a, i, g in zip(gates["forget"], c, gates["input"], gates["candidate"], strict=True)
            ]
            h = [o * ag.tanh(a) for o, a in zip(gates["output"], c, strict=True)]
        return ag.sum(h)

    assert_as_eager(f, SEQUENCES)


def test_attention():
    d, rng = 2, np.random.default_rng(0)
    Q, K, V = ([[Parameter(x) for x in row] for row in rng.normal(size=(d, 2))] for _ in range(3))
    project = lambda M, x: [ag.dot(row, x) for row in M]

    def f(sequence):
        queries, keys, values = ([project(M, x) for x in sequence] for M in (Q, K, V))
        out = []
        for q in queries:
            shares = ag.softmax([ag.dot(q, k) / np.sqrt(d) for k in keys])
            out.append([ag.sum([s * v[j] for s, v in zip(shares, values, strict=True)]) for j in range(d)])
        return ag.sum([a * a for row in out for a in row])

    program = assert_as_eager(f, SEQUENCES)
    assert len(program.parameters) == 12


def test_tied_weights():
    W = [[Parameter(x) for x in row] for row in RNG.normal(size=(2, 3))]

    def autoencoder(x):
        code = [ag.tanh(ag.dot(row, x)) for row in W]
        back = [ag.dot([row[k] for row in W], code) for k in range(3)]
        return ag.sum([(a - b) ** 2 for a, b in zip(back, x, strict=True)])

    assert_as_eager(autoencoder, X)


def test_one_layer_used_twice_and_a_network_of_two_inputs():
    model, head = MLP(3, [3], "tanh", "tanh", rng=0), MLP(6, [1], rng=1)
    assert_as_eager(lambda x: ag.sum(model(model(x))), X)
    assert_as_eager(lambda a, b: head([*model(a), *model(b)]), X, X[::-1])


def test_products_of_batch_values_and_distances():
    centres = [[Parameter(x) for x in row] for row in RNG.normal(size=(4, 3))]
    width = Parameter(0.7)

    def radial(x):
        distances = [ag.sum([(a - c) ** 2 for a, c in zip(x, row, strict=True)]) for row in centres]
        return ag.logsumexp([-d / (2.0 * width**2) for d in distances])

    assert_as_eager(radial, X)
    assert_as_eager(lambda x: ag.sum([a * b * c for a, b, c in itertools.product(x, repeat=3)]), X)


def test_a_mixture_density():
    model = MLP(3, [4, 6], "tanh", rng=0)

    def f(x, y):
        out = model(x)
        logs = [
            out[k] - ag.logsumexp(out[:2]) - 0.5 * ((y - out[2 + k]) * ag.exp(-out[4 + k])) ** 2 - out[4 + k]
            for k in range(2)
        ]
        return -ag.logsumexp(logs)

    assert_as_eager(f, X, REAL)


# -------------------------------------------------------------------------------------------- without a batch


def test_the_lectures_chains():
    chain = lectures.scalar_chain(6, [0.5, 1.5, -1.0, 2.0, 0.7, 1.1], "sigmoid", 0.8)
    program = assert_as_eager(lambda: chain.y)
    assert set(program.parameters) == {chain.x, *chain.weights}
    factors = lectures.gradient_factors(chain)
    found = dict(zip(program.parameters, program.value_and_grad()[1], strict=True))
    assert_close(found[chain.x], np.prod(factors), "∂y/∂x")
    chain.weights[0].data = 3.0
    longer = lectures.scalar_chain(6, [3.0, 1.5, -1.0, 2.0, 0.7, 1.1], "sigmoid", 0.8)
    assert_close(program(), longer.y.data, "after a change")
    three = lectures.three_function_chain(0.5, 1.0, -2.0, 0.3)
    assert_as_eager(lambda: three.y)


def test_the_lectures_network_with_shared_paths():
    network = lectures.shared_network(4, 5, "tanh")
    assert_as_eager(lambda: network.y)


def test_the_lectures_two_layer_network():
    w1, b1, w2, b2 = (Parameter(x, name) for x, name in ((0.4, "w1"), (0.1, "b1"), (-0.6, "w2"), (0.2, "b2")))

    def f(x, y):
        p = ag.sigmoid(w2 * ag.sigmoid(w1 * x + b1) + b2)
        return -(y * ag.log(p) + (1.0 - y) * ag.log(1.0 - p))

    assert_as_eager(f, REAL, CLASSES / 2.0)


def test_a_convolution_as_the_lectures_matrix():
    convolution = nn.Conv1d(1, 1, 3, rng=0)
    matrix = lectures.convolution_matrix(convolution, 6)
    data = RNG.normal(size=(4, 6))
    bias = [p.data for p in convolution.parameters()][-1]
    found = vectorize(lambda x: convolution([x])[0])(data)
    assert_close(found, data @ matrix.T + bias, "values")
