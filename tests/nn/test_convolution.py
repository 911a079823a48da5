"""Convolutions against a direct correlation in NumPy, forward and backward, and what they refuse."""

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.engine import functions
from autograd_mini.engine.graph import successors, topological_order
from autograd_mini.engine.primitives import DOT
from autograd_mini.nn import Neuron
from autograd_mini.nn.containers import Flatten, Reshape, Sequential
from autograd_mini.nn.convolution import Conv1d, Conv2d

rng = np.random.default_rng(0)


def data(nested):
    return [data(part) for part in nested] if isinstance(nested, list) else nested.data


def gradients(nested):
    return np.array([gradients(part) for part in nested] if isinstance(nested, list) else nested.grad)


def windows(X, kernel, stride, padding):
    """Iterate over the output places and the slices of the padded input that they see; X is [channel][axes…]."""
    sizes = [n + 2 * p for n, p in zip(X.shape[1:], padding, strict=True)]
    for place in np.ndindex(*[(n - k) // s + 1 for n, k, s in zip(sizes, kernel, stride, strict=True)]):
        yield place, (slice(None), *[slice(i * s, i * s + k) for i, k, s in zip(place, kernel, stride, strict=True)])


def correlated(X, W, b, stride, padding):
    """The definition: an output is the sum of the products of the filter with what it lies upon."""
    padded = np.pad(X, [(0, 0), *[(p, p) for p in padding]])
    seen = dict(windows(X, W.shape[2:], stride, padding))
    out = np.zeros((len(W), *[1 + max(place[axis] for place in seen) for axis in range(X.ndim - 1)]))
    for place, window in seen.items():
        out[(slice(None), *place)] = [(w * padded[window]).sum() + bias for w, bias in zip(W, b, strict=True)]
    return out


def backwards(X, W, upstream, stride, padding):
    """The gradients by x, W and b of Σ upstream · output, by hand."""
    padded = np.pad(X, [(0, 0), *[(p, p) for p in padding]])
    dX, dW = np.zeros_like(padded), np.zeros_like(W)
    for place, window in windows(X, W.shape[2:], stride, padding):
        for o in range(len(W)):
            delta = upstream[(o, *place)]
            dW[o] += delta * padded[window]
            dX[window] += delta * W[o]
    inner = tuple(slice(p, p + n) for p, n in zip(padding, X.shape[1:], strict=True))
    return dX[(slice(None), *inner)], dW, upstream.sum(tuple(range(1, upstream.ndim)))


CASES = [
    (Conv1d, (1, 1, 3), {}, (5,)),
    (Conv1d, (2, 3, 2), {"stride": 2}, (7,)),
    (Conv1d, (3, 2, 3), {"padding": 1}, (4,)),
    (Conv1d, (2, 2, 4), {"stride": 3, "padding": 2}, (6,)),
    (Conv1d, (1, 1, 5), {"padding": 2}, (1,)),
    (Conv2d, (1, 1, 2), {}, (3, 4)),
    (Conv2d, (2, 3, (2, 3)), {"stride": (2, 1)}, (5, 4)),
    (Conv2d, (2, 2, 3), {"stride": 2, "padding": 1}, (4, 5)),
    (Conv2d, (1, 2, (1, 3)), {"padding": (0, 2)}, (2, 3)),
]


@pytest.mark.parametrize(("kind", "arguments", "options", "sizes"), CASES)
class TestAgainstNumpy:
    def made(self, kind, arguments, options, sizes):
        conv = kind(*arguments, **options, rng=1)
        for i, b in enumerate(conv.bias):
            b.data = 0.5 - i
        state = conv.state_dict()
        return conv, rng.normal(size=(arguments[0], *sizes)), state["weight"], state["bias"]

    def test_outputs(self, kind, arguments, options, sizes):
        conv, X, W, b = self.made(kind, arguments, options, sizes)
        expected = correlated(X, W, b, conv.stride, conv.padding)
        out = np.array(data(conv(X)))
        assert out.shape == expected.shape
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-14)
        assert data(conv(X.tolist())) == out.tolist()

    def test_gradients(self, kind, arguments, options, sizes):
        conv, X, W, b = self.made(kind, arguments, options, sizes)
        x = [Value(a) for a in X.ravel()]
        out = conv(np.array(x, dtype=object).reshape(X.shape))
        flat = Flatten()(out)
        upstream = rng.normal(size=len(flat))
        functions.dot(upstream.tolist(), flat).backward()
        shape = correlated(X, W, b, conv.stride, conv.padding).shape
        dX, dW, db = backwards(X, W, upstream.reshape(shape), conv.stride, conv.padding)
        np.testing.assert_allclose(np.reshape([a.grad for a in x], X.shape), dX, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(gradients(conv.weight), dW, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(gradients(conv.bias), db, rtol=1e-12, atol=1e-14)


def test_the_kernel_is_not_turned_round():
    conv = Conv1d(1, 1, 2, initializer="zeros")
    conv.load_state_dict({"weight": [[[10.0, 1.0]]], "bias": [0.5]})
    assert data(conv([1.0, 2.0, 3.0])) == [[12.5, 23.5]]


def test_a_channel_of_its_own_needs_no_list():
    conv1, conv2 = Conv1d(1, 2, 2, rng=0), Conv2d(1, 2, 2, rng=0)
    assert data(conv1([1.0, 2.0, 3.0])) == data(conv1([[1.0, 2.0, 3.0]]))
    image = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert data(conv2(image)) == data(conv2([image]))


def test_each_output_is_one_dot_node_and_each_weight_has_them_all_as_successors():
    conv = Conv1d(1, 1, 3, rng=0)
    total = functions.sum(conv([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])[0])
    assert [node.primitive for node in total.parents] == [DOT] * 4
    assert len(topological_order(total)) == 6 + 3 + 1 + 4 + 1
    for parameter in conv.parameters():
        assert set(successors(total)[parameter]) == set(total.parents)


def test_a_kernel_as_large_as_the_input_is_a_neuron():
    conv, neuron = Conv1d(1, 1, 4, activation="tanh", rng=3), Neuron(4, "tanh", rng=3)
    x = [0.1, -0.2, 0.3, 0.7]
    assert data(conv(x)) == [[neuron(x).data]]


def test_the_activation_comes_after_each_output():
    plain, active = Conv2d(1, 2, 2, rng=0), Conv2d(1, 2, 2, activation="relu", rng=0, initializer="xavier")
    active.load_state_dict(plain.state_dict())
    image = rng.normal(size=(3, 3))
    expected = np.maximum(data(plain(image)), 0.0)
    assert (np.array(data(active(image))) == expected).all()
    assert 0 < np.count_nonzero(expected) < expected.size
    assert active(image)[0][0][0].label == "a"


def test_names_and_shapes_are_pytorchs():
    assert {n: a.shape for n, a in Conv1d(2, 3, 4).state_dict().items()} == {"weight": (3, 2, 4), "bias": (3,)}
    conv = Conv2d(2, 3, (4, 5))
    assert {n: a.shape for n, a in conv.state_dict().items()} == {"weight": (3, 2, 4, 5), "bias": (3,)}
    assert conv.named_parameters()[7][0] == "weight.0.0.1.2"


def test_weights_come_from_the_seed_and_the_initializer():
    one, same, other = (Conv2d(2, 3, 3, rng=seed).state_dict()["weight"] for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).all()
    he = Conv1d(8, 200, 4, activation="relu", rng=0).state_dict()["weight"]
    assert he.std() == pytest.approx(np.sqrt(2 / 32), rel=0.05)


def test_rows_of_pixels_go_through_a_network():
    model = Sequential(
        Reshape(1, 4, 4), Conv2d(1, 2, 3, activation="tanh", rng=0), Flatten(), Neuron(8, "identity", rng=1)
    )
    assert model.n_inputs == 16
    output = model(rng.normal(size=16))
    output.backward()
    assert all(p.grad for p in model.parameters())


@pytest.mark.parametrize(
    ("conv", "x", "message"),
    [
        (Conv1d(2, 1, 2), [1.0, 2.0, 3.0], r"expected one example as x\[channel\]\[position\]; got shape \(3,\)"),
        (
            Conv1d(1, 1, 2),
            np.zeros((2, 1, 3)),
            r"or without the channel as there is one.*got shape \(2, 1, 3\); call it",
        ),
        (Conv1d(1, 1, 2), 3.0, r"got shape \(\); call it with one example at a time"),
        (Conv1d(2, 1, 2), np.zeros((3, 4)), r"expected 2 channels, got 3 \(shape \(3, 4\)\)"),
        (Conv1d(1, 1, 2), np.zeros((3, 4)), r"expected 1 channels, got 3"),
        (
            Conv1d(1, 1, 4),
            [1.0, 2.0, 3.0],
            r"expected at least 4 positions for the kernel, got 3 with a padding of 0; choose",
        ),
        (
            Conv2d(1, 1, (2, 6), padding=1),
            np.zeros((1, 3, 3)),
            r"at least 6 rows and columns .*, got 3 with a padding of 1",
        ),
        (
            Conv1d(2, 1, 2),
            [[1.0, 2.0, 3.0], [1.0, 2.0]],
            r"lists of the same shape side by side, got .*\(2,\), \(3,\).*; cut",
        ),
    ],
)
def test_wrong_shapes_are_refused(conv, x, message):
    with pytest.raises(ValueError, match=message):
        conv(x)


@pytest.mark.parametrize(
    ("kind", "arguments", "options", "message"),
    [
        (Conv1d, (0, 1, 2), {}, "in_channels: expected a whole number of at least 1, got 0"),
        (Conv1d, (1, 1.5, 2), {}, "out_channels: expected a whole number of at least 1, got 1.5"),
        (Conv1d, (1, 1, (2, 2)), {}, r"kernel_size: expected a whole number of at least 1, got \(2, 2\)"),
        (Conv2d, (1, 1, (2, 2, 2)), {}, r"kernel_size: expected a whole number of at least 1, or a pair of them, got"),
        (
            Conv2d,
            (1, 1, 2),
            {"stride": (1, 0)},
            r"stride: expected a whole number of at least 1, or a pair .* \(1, 0\)",
        ),
        (Conv1d, (1, 1, 2), {"padding": -1}, "padding: expected a whole number of at least 0, got -1"),
        (Conv1d, (1, 1, True), {}, "kernel_size: expected a whole number of at least 1, got True"),
    ],
)
def test_impossible_arguments_are_refused(kind, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        kind(*arguments, **options)


def test_repr():
    assert repr(Conv1d(1, 2, 3)) == "Conv1d(1, 2, kernel_size=3, stride=1, padding=0, activation='identity')"
    assert "kernel_size=(2, 3), stride=2" in repr(Conv2d(1, 2, (2, 3), stride=2))
