import math

import numpy as np
import pytest

from autograd_mini import Value, grad, nn, optim, tanh
from autograd_mini.engine.graph import count_paths, paths
from autograd_mini.lectures import (
    convolution_matrix,
    descent_path,
    gradient_factors,
    products_with_sharing,
    products_without_sharing,
    saturation_norms,
    scalar_chain,
    shared_network,
    three_function_chain,
    vanishing_products,
)


def test_the_gradient_of_the_three_function_chain_is_the_product_of_the_lectures_factors():
    x, t1, t2, t3 = 0.7, 1.3, -0.8, 2.1
    chain = three_function_chain(x, t1, t2, t3)
    chain.y.backward()
    z1 = math.tanh(t1 * x)
    z2 = math.tanh(t2 * z1)
    y = math.tanh(t3 * z2)
    assert [output.data for output in chain.outputs] == pytest.approx([z1, z2, y], abs=1e-15)
    dy_dz2, dz2_dz1, dz1_dt1 = (1 - y**2) * t3, (1 - z2**2) * t2, (1 - z1**2) * x
    expected = [dy_dz2 * dz2_dz1 * dz1_dt1, dy_dz2 * (1 - z2**2) * z1, (1 - y**2) * z2]
    assert [theta.grad for theta in chain.weights] == pytest.approx(expected, abs=1e-14)


def test_the_inner_functions_of_the_chain_are_called_as_in_the_lecture():
    chain = three_function_chain(1.0, 1.0, 1.0, 1.0)
    assert [node.label for node in (chain.x, *chain.weights, *chain.outputs)] == "x θ1 θ2 θ3 z1 z2 y".split()


@pytest.mark.parametrize(("layers", "width"), [(1, 1), (1, 4), (2, 4), (4, 3), (6, 2)])
@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_products_are_counted_as_walking_the_paths_counts_them(layers, width, activation):
    theta, _, y = shared_network(layers, width, activation)
    walked = list(paths(y, theta))
    assert len(walked) == count_paths(y, theta) == width**layers
    assert products_without_sharing(y, theta) == sum(len(path.edges) for path in walked)
    used = {(edge.successor, edge.slot) for path in walked for edge in path.edges}
    assert products_with_sharing(y, theta) == len(used)
    y.backward()
    assert math.fsum(path.product for path in walked) == pytest.approx(theta.grad, rel=1e-12)
    assert theta.grad != 0.0


def test_sharing_makes_an_exponential_number_of_products_linear():
    for layers in (1, 2, 10, 40):
        network = shared_network(layers, 4)
        assert products_with_sharing(network.y, network.theta) == 16 * (layers - 1) + 8
        assert products_without_sharing(network.y, network.theta) == 4**layers * (layers + 1)


def test_a_leaf_used_twice_counts_for_each_use():
    x = Value(3.0)
    y = x * x + x
    assert (products_with_sharing(y, x), products_without_sharing(y, x)) == (4, 5)


def test_no_products_where_no_path_leads():
    assert products_with_sharing(Value(1.0), Value(2.0)) == products_without_sharing(Value(1.0), Value(2.0)) == 0
    x = Value(1.0)
    assert products_with_sharing(x, x) == products_without_sharing(x, x) == 0


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "elu", "leaky_relu(0.2)", "identity"])
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_the_factors_of_a_chain_multiply_to_its_gradients(activation, depth):
    weights = np.linspace(0.5, 1.5, depth).tolist()
    chain = scalar_chain(depth, weights, activation, x=0.8)
    chain.y.backward()
    factors = gradient_factors(chain)
    assert chain.x.grad == pytest.approx(math.prod(factors), rel=1e-13)
    assert chain.weights[0].grad == pytest.approx(math.prod(factors) / weights[0] * 0.8, rel=1e-13)


def test_a_chain_wants_a_weight_for_each_layer():
    with pytest.raises(ValueError, match="one for each of the 3 layers, got 2"):
        scalar_chain(3, [1.0, 2.0])
    with pytest.raises(ValueError, match="depth: expected a whole number of at least 1, got 0"):
        scalar_chain(0)


def test_a_chain_takes_a_function_of_ones_own():
    chain = scalar_chain(2, 1.5, lambda z: tanh(z) + 0.1 * z, x=0.3)
    chain.y.backward()
    assert math.prod(gradient_factors(chain)) == pytest.approx(chain.x.grad, rel=1e-13)


def test_the_product_vanishes_for_the_sigmoid_and_not_for_relu():
    depths = range(1, 31)
    sigmoid = vanishing_products("sigmoid", depths, weight=1.0, z=1.0)
    slope = 1 / (1 + math.exp(-1)) * (1 - 1 / (1 + math.exp(-1)))
    assert sigmoid == pytest.approx([slope**d for d in depths], rel=1e-12)
    assert vanishing_products("relu", depths, weight=1.0, z=1.0) == [1.0] * 30
    assert vanishing_products("tanh", [2], weight=-3.0, z=0.0) == [9.0]
    assert vanishing_products("relu", [1], z=-1.0) == [0.0]


def test_large_weights_saturate_tanh_and_sigmoid():
    X = np.random.default_rng(0).standard_normal((6, 3))
    y = 0.5 * np.sign(X[:, 0])
    for activation in ("tanh", "sigmoid"):
        norms = saturation_norms([1.0, 30.0, 300.0], X, y, widths=(5, 1), activation=activation)
        assert norms[0] > norms[1] > norms[2]
    assert saturation_norms([1.0], X, y) == saturation_norms([1.0], X, y)


def test_the_norm_is_that_of_all_gradients_of_the_mean_error():
    X, y = [[0.5, -1.0], [1.0, 2.0]], [0.3, -0.2]
    (norm,) = saturation_norms([0.7], X, y, widths=(1,), activation="tanh", seed=3)
    w = np.random.default_rng(3).normal(0.0, 0.7, (1, 2))[0]

    def loss(v):
        return ((v[0] * 0.5 - v[1] + v[2]).tanh() - 0.3) ** 2 / 2 + ((v[0] + 2 * v[1] + v[2]).tanh() + 0.2) ** 2 / 2

    assert norm == pytest.approx(np.linalg.norm(grad(loss)([*w.tolist(), 0.0])), rel=1e-12)


def test_the_path_of_an_optimizer_is_its_steps():
    path = descent_path(lambda a, b: a * a + 10 * b * b, [1.0, 1.0], lambda p: optim.SGD(p, lr=0.05), steps=5)
    assert path.shape == (6, 2)
    np.testing.assert_allclose(path[:, 0], 0.9 ** np.arange(6), rtol=1e-14)
    np.testing.assert_allclose(path[1:, 1], 0.0, atol=1e-14)
    with pytest.raises(ValueError, match="steps"):
        descent_path(lambda a: a * a, [1.0], lambda p: optim.SGD(p, lr=0.05), steps=0)


@pytest.mark.parametrize("settings", [{}, {"stride": 2}, {"padding": 1}, {"stride": 2, "padding": 2}])
@pytest.mark.parametrize(("channels", "filters"), [(1, 1), (2, 3)])
def test_a_convolution_is_a_dense_layer_with_its_matrix(channels, filters, settings):
    conv = nn.Conv1d(channels, filters, kernel_size=3, rng=1, **settings)
    x = np.random.default_rng(0).standard_normal((channels, 6))
    z = [unit.data for channel in conv(x.tolist()) for unit in channel]
    np.testing.assert_allclose(convolution_matrix(conv, 6) @ x.ravel(), z, rtol=1e-12, atol=1e-14)


def test_a_convolution_needs_room():
    with pytest.raises(ValueError, match="at least 3"):
        convolution_matrix(nn.Conv1d(1, 1, kernel_size=3), 2)
