"""Recurrent networks against NumPy, and back-propagation through time written out by hand."""

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.engine import functions
from autograd_mini.engine.graph import successors
from autograd_mini.nn.recurrent import RNN, RNNCell
from autograd_mini.optim import SGD

rng = np.random.default_rng(0)
T, D, H = 6, 3, 4
X = rng.normal(size=(T, D))


def data(nested):
    return [data(part) for part in nested] if isinstance(nested, list) else nested.data


def gradients(nested):
    return np.array([gradients(part) for part in nested] if isinstance(nested, list) else nested.grad)


def made(kind):
    """A network all of whose parameters differ from 0."""
    module = kind(D, H, rng=1)
    for b in module.parameters():
        if b.data == 0.0:
            b.data = float(rng.normal())
    return module


def unrolled(state, h0):
    """The hidden states h₀ … h_T in NumPy."""
    W, U, b, c = state.values()
    states = [h0]
    for x in X:
        states.append(np.tanh(W @ x + b + U @ states[-1] + c))
    return states


@pytest.mark.parametrize("h0", [None, rng.normal(size=H)])
class TestAgainstNumpy:
    def test_outputs(self, h0):
        rnn = made(RNN)
        outputs, last = rnn(X) if h0 is None else rnn(X, h0)
        expected = unrolled(rnn.state_dict(), np.zeros(H) if h0 is None else h0)[1:]
        np.testing.assert_allclose(data(outputs), expected, rtol=1e-13)
        assert last is outputs[-1]

    def test_backpropagation_through_time(self, h0):
        rnn = made(RNN)
        inputs = [[Value(a) for a in row] for row in X]
        start = [Value(a) for a in (np.zeros(H) if h0 is None else h0)]
        outputs, _ = rnn(inputs, start)
        upstream = rng.normal(size=(T, H))  # a loss at every step
        functions.dot(upstream.ravel().tolist(), [h for step in outputs for h in step]).backward()

        W, U, *_ = rnn.state_dict().values()
        h = unrolled(rnn.state_dict(), np.array(data(start)))
        dW, dU, db, dX = np.zeros((H, D)), np.zeros((H, H)), np.zeros(H), np.zeros((T, D))
        dh = np.zeros(H)
        for t in reversed(range(T)):
            dh = dh + upstream[t]
            delta = dh * (1.0 - h[t + 1] ** 2)  # through tanh
            dW += np.outer(delta, X[t])
            dU += np.outer(delta, h[t])
            db += delta
            dX[t] = W.T @ delta
            dh = U.T @ delta  # to the step before
        for name, expected in [("weight_ih", dW), ("weight_hh", dU), ("bias_ih", db), ("bias_hh", db)]:
            np.testing.assert_allclose(gradients(getattr(rnn.cell, name)), expected, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(gradients(inputs), dX, rtol=1e-11)
        np.testing.assert_allclose(gradients(start), dh, rtol=1e-11)


def test_a_sequence_is_one_step_of_the_cell_after_the_other():
    cell, rnn = made(RNNCell), RNN(D, H)
    rnn.load_state_dict({f"{name}_l0": array for name, array in cell.state_dict().items()})
    hidden = None
    for x in X:
        hidden = cell(x, hidden)
    assert data(rnn(X)[1]) == data(hidden)


def test_a_sequence_can_be_cut_in_two():
    rnn = made(RNN)
    first, between = rnn(X[:2])
    second, _ = rnn(X[2:], between)
    assert data(first + second) == data(rnn(X)[0])


def test_a_weight_has_a_successor_for_each_step():
    rnn = RNN(1, 1, rng=0)
    outputs, _ = rnn([1.0, 2.0, 3.0])
    used = successors(outputs[-1][0])
    for parameter in rnn.parameters():
        assert sorted(node.scope for node in used[parameter]) == [f"steps.{t}.cell" for t in range(3)]


def test_one_feature_needs_no_list():
    rnn, cell = RNN(1, 2, rng=0), RNNCell(1, 2, rng=0)
    assert data(rnn([1.0, 2.0])[0]) == data(rnn([[1.0], [2.0]])[0])
    assert data(cell(1.0)) == data(cell([1.0]))


def test_the_activation_can_be_another():
    cell = RNNCell(1, 1, "identity", initializer="zeros")
    cell.load_state_dict({"weight_ih": [[2.0]], "weight_hh": [[3.0]], "bias_ih": [5.0], "bias_hh": [7.0]})
    assert data(cell([10.0], [100.0])) == [332.0]
    relu = RNNCell(1, 1, "relu", initializer="zeros")
    relu.load_state_dict(cell.state_dict())
    assert data(relu([-100.0])) == [0.0]


def test_names_and_shapes_are_pytorchs():
    shapes = {"weight_ih": (4, 3), "weight_hh": (4, 4), "bias_ih": (4,), "bias_hh": (4,)}
    assert {name: array.shape for name, array in RNNCell(3, 4).state_dict().items()} == shapes
    assert {name: array.shape for name, array in RNN(3, 4).state_dict().items()} == {
        f"{name}_l0": shape for name, shape in shapes.items()
    }
    assert RNN(3, 4).named_parameters()[4][0] == "cell.weight_ih.1.1"


def test_weights_come_from_the_seed_and_differ():
    one, same, other = (RNN(2, 2, rng=seed).state_dict() for seed in (0, 0, 1))
    assert (one["weight_hh_l0"] == same["weight_hh_l0"]).all()
    assert (one["weight_hh_l0"] != other["weight_hh_l0"]).all()
    assert (one["weight_hh_l0"] != one["weight_ih_l0"]).all()


def test_learns_to_remember_the_first_step():
    rnn = RNN(1, 2, rng=0)
    sequences = [([1.0, 0.0, 0.0], 0.5), ([-1.0, 0.0, 0.0], -0.5)]
    optimizer = SGD(rnn.parameters(), lr=0.3)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = functions.sum([(rnn(x)[1][0] - t) ** 2 for x, t in sequences])
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    assert losses[0] > 0.1
    assert losses[-1] < 1e-4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: RNNCell(3, 2)([1.0, 2.0]),
            r"RNNCell\(3, 2, .*\): expected 3 features in a step, got 2; a cell takes one",
        ),
        (lambda: RNNCell(2, 2)([[1.0], [2.0]]), "expected 2 features in a step, got 2 lists; a cell takes one step"),
        (lambda: RNNCell(2, 2)([1.0, 2.0], [0.0]), "expected 2 hidden units, got 1"),
        (lambda: RNN(2, 2)([[1.0, 2.0], [1.0]]), "expected 2 features in a step, got 1"),
        (lambda: RNN(1, 2)([]), r"RNN\(1, 2, activation='tanh'\): expected a sequence of at least one step, got \[\]"),
        (lambda: RNN(1, 2)(3.0), "expected a sequence of at least one step, got 3.0"),
        (lambda: RNN(0, 2), "n_inputs: expected a whole number of at least 1, got 0"),
        (lambda: RNNCell(2, 2.5), "n_hidden: expected a whole number of at least 1, got 2.5"),
        (lambda: RNNCell(2, 2, "tahn"), "no activation is named 'tahn'"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
