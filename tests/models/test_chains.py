"""Back-propagation as sums over paths (L1): a chain of three functions, and networks whose paths share factors."""

import math

import pytest

from autograd_mini import Value, backward_steps, cos, exp, finite_difference, grad, nn, sin, tanh
from autograd_mini.engine.graph import count_paths, edges, paths

# ------------------------------------------------------------------------------- h3(h2(h1(x; θ1); θ2); θ3)


def three_functions(x, theta1, theta2, theta3):
    """z1 = sin(θ1 x), z2 = exp(θ2 z1), y = tanh(θ3 z2), each as the lecture's h(z; θ); returns all three."""
    z1 = sin(theta1 * x)
    z2 = exp(theta2 * z1)
    return z1, z2, tanh(theta3 * z2)


POINTS = [(0.8, 0.5, -1.2, 0.9), (-1.5, 1.1, 0.4, -0.3), (2.0, -0.7, 0.6, 0.25)]


@pytest.mark.parametrize("point", POINTS)
def test_the_gradients_of_three_functions_are_the_products_of_the_lecture(point):
    """∂y/∂θ1 = ∂h3/∂z2 · ∂h2/∂z1 · ∂h1/∂θ1, at the z1 and z2 that the forward pass supplies."""
    x, t1, t2, t3 = point
    z1 = math.sin(t1 * x)
    z2 = math.exp(t2 * z1)
    y = math.tanh(t3 * z2)
    h3_by_z2, h3_by_theta3 = (1.0 - y * y) * t3, (1.0 - y * y) * z2
    h2_by_z1, h2_by_theta2 = z2 * t2, z2 * z1
    h1_by_theta1 = math.cos(t1 * x) * x
    expected = [h3_by_z2 * h2_by_z1 * h1_by_theta1, h3_by_z2 * h2_by_theta2, h3_by_theta3]

    leaf, *thetas = [Value(number) for number in point]
    node_1, node_2, result = three_functions(leaf, *thetas)
    result.backward()
    assert (node_1.data, node_2.data, result.data) == pytest.approx((z1, z2, y), rel=1e-14)
    assert [theta.grad for theta in thetas] == pytest.approx(expected, rel=1e-12)
    assert node_2.grad == pytest.approx(h3_by_z2, rel=1e-12)
    assert node_1.grad == pytest.approx(h3_by_z2 * h2_by_z1, rel=1e-12)
    plain = grad(lambda *numbers: three_functions(*numbers)[2], argnums=(1, 2, 3))(*point)
    assert list(plain) == pytest.approx(expected, rel=1e-12)


def test_on_a_chain_each_gradient_is_the_product_on_the_only_path():
    leaf, *thetas = [Value(number) for number in POINTS[0]]
    *_, result = three_functions(leaf, *thetas)
    result.backward()
    for theta, length in zip(thetas, [6, 4, 2], strict=True):  # two operations in each function
        (path,) = paths(result, theta)
        assert count_paths(result, theta) == 1
        assert len(path.edges) == length
        assert path.product == pytest.approx(theta.grad, rel=1e-14)
        assert path.product == pytest.approx(math.prod(edge.local_grad for edge in path.edges), rel=1e-14)


# --------------------------------------------------------------------------------------- shared subexpressions


def shared(theta):
    """A small network that uses θ in several places: u = θ², v = sin(u), y = u·v + v·cos(v) + θ."""
    u = theta * theta
    v = sin(u)
    return u * v + v * cos(v) + theta


@pytest.mark.parametrize("theta", [0.4, 1.3, -2.1])
def test_the_path_sums_of_a_shared_subexpression_are_its_gradient(theta):
    leaf = Value(theta)
    result = shared(leaf)
    result.backward()
    u, v = theta**2, math.sin(theta**2)
    by_v = u + math.cos(v) - v * math.sin(v)
    by_hand = (v + by_v * math.cos(u)) * 2.0 * theta + 1.0
    products = [path.product for path in paths(result, leaf)]
    assert len(products) == count_paths(result, leaf) == 2 * (1 + 3) + 1  # 2 to u, from there 1 + 3 through v; and θ
    assert math.fsum(products) == pytest.approx(by_hand, rel=1e-12)
    assert leaf.grad == pytest.approx(by_hand, rel=1e-12)
    assert finite_difference(result, leaf) == pytest.approx(by_hand, rel=1e-7)


def layered(depth, theta, width=4):
    """The lecture's drawing: from θ through layers of four tanh units to one output h."""
    network = nn.MLP(1, [width] * depth + [1], activation="tanh", rng=0)
    return network([theta])


def products_without_sharing(root, u):
    """How many factors are multiplied if each path from u is walked on its own: its length, for each path."""
    return sum(len(path.edges) for path in paths(root, u))


def products_with_sharing(root, u):
    """How many the backward pass multiplies for the same gradient: one ∂L/∂v · ∂v/∂u for each edge that u leads to."""
    reached = {u}
    count = 0
    for edge in edges(root):  # in topological order, so that whatever leads to a node comes before it
        if edge.parent in reached:
            reached.add(edge.successor)
    for step in backward_steps(root):
        count += sum(step.node in reached for _ in step.contributions)
    return count


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_the_paths_through_layers_of_four_units_sum_to_the_gradient(depth):
    theta = Value(0.3)
    result = layered(depth, theta)
    result.backward()
    products = [path.product for path in paths(result, theta)]
    assert len(products) == count_paths(result, theta) == 4**depth
    assert math.fsum(products) == pytest.approx(theta.grad, rel=1e-10)
    assert abs(theta.grad) > 1e-3


def test_one_layer_of_four_units_takes_12_products_either_way():
    """θ → zⱼ → aⱼ → h: four paths that have no edge in common, so there is nothing to share yet."""
    theta = Value(0.3)
    result = layered(1, theta)
    assert products_without_sharing(result, theta) == products_with_sharing(result, theta) == 12


def test_without_sharing_the_products_grow_exponentially_and_with_sharing_by_20_a_layer():
    theta = Value(0.3)
    networks = [layered(depth, theta) for depth in range(1, 6)]
    without = [products_without_sharing(network, theta) for network in networks]
    sharing = [products_with_sharing(network, theta) for network in networks]
    assert without == [4**depth * (2 * depth + 1) for depth in range(1, 6)] == [12, 80, 448, 2304, 11264]
    assert sharing == [12 + 20 * (depth - 1) for depth in range(1, 6)]  # 4·4 edges between layers, 4 into the tanh


def test_sharing_is_what_makes_a_depth_of_50_possible():
    theta = Value(0.3)
    result = layered(50, theta)
    assert count_paths(result, theta) == 4**50
    assert products_with_sharing(result, theta) == 12 + 20 * 49
    result.backward()
    assert finite_difference(result, theta) == pytest.approx(theta.grad, rel=1e-6, abs=1e-12)


def test_a_value_used_twice_by_each_of_n_steps_has_2_to_the_n_paths_and_2_n_products():
    """y ← y·y, n times: θ to the power 2ⁿ."""
    theta = Value(1.01)
    y = theta
    for n in range(1, 8):
        y = y * y
        products = [path.product for path in paths(y, theta)]
        assert len(products) == 2**n
        assert products_without_sharing(y, theta) == n * 2**n
        assert products_with_sharing(y, theta) == 2 * n
        assert math.fsum(products) == pytest.approx(2**n * 1.01 ** (2**n - 1), rel=1e-12)
    y.backward()
    assert theta.grad == pytest.approx(128 * 1.01**127, rel=1e-12)
