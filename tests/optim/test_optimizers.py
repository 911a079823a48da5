"""SGD against its recurrence, in a loop of one's own, and what it refuses."""

import math

import numpy as np
import pytest

from autograd_mini import Value, optim
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD, Optimizer


def a_problem():
    x, y = Value(3.0), Value(-2.0)
    return [x, y], lambda: (x * x * y - 1.5) ** 2 * 0.01 + y * y * 0.1 + x


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_50_steps_are_the_recurrence_to_the_bit(momentum):
    parameters, loss = a_problem()
    optimizer = SGD(parameters, lr=0.013, momentum=momentum)
    theta, velocity = [p.data for p in parameters], [0.0, 0.0]
    for step in range(50):
        optimizer.zero_grad()
        loss().backward()
        gradient = [p.grad for p in parameters]
        optimizer.step()
        velocity = [g if step == 0 else momentum * v + g for v, g in zip(velocity, gradient, strict=True)]
        theta = [t - 0.013 * v for t, v in zip(theta, velocity, strict=True)]
        assert [p.data for p in parameters] == theta, step
        assert all(type(p.data) is float for p in parameters)
    assert theta[0] < 2.5


def test_plain_descent_by_hand():
    x = Value(3.0)
    optimizer = SGD([x], lr=0.1)
    for expected in (2.4, 1.92, 1.536):
        optimizer.zero_grad()
        (x * x).backward()
        optimizer.step()
        assert x.data == pytest.approx(expected)


def test_momentum_by_hand():
    x = Value(1.0)
    optimizer = SGD([x], lr=0.1, momentum=0.5)
    x.grad = 2.0
    positions = []
    for _ in range(3):
        optimizer.step()
        positions.append(x.data)
    assert positions == pytest.approx([0.8, 0.5, 0.15])  # velocities 2, 3, 3.5


def test_a_loop_as_in_pytorch_trains_a_network():
    model = MLP(2, [4, 1], activation="tanh", rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    data = [([-1.0, -1.0], -1.0), ([-1.0, 1.0], 1.0), ([1.0, -1.0], 1.0), ([1.0, 1.0], -1.0)]
    for _ in range(150):
        optimizer.zero_grad()
        loss = sum((model(x) - y) ** 2 for x, y in data) / len(data)
        loss.backward()
        optimizer.step()
    assert loss.data < 1e-3


def test_gradients_accumulate_until_they_are_zeroed():
    x = Value(3.0)
    optimizer = SGD([x], lr=0.1)
    (x * x).backward()
    (x * x).backward()
    assert x.grad == 12.0
    optimizer.step()
    assert x.data == pytest.approx(1.8)
    assert x.grad == 12.0
    optimizer.zero_grad()
    assert x.grad == 0.0


def test_parameters_may_come_from_a_generator_or_be_the_same_twice():
    model = MLP(2, [2, 1], rng=0)
    optimizer = SGD((p for p in model.parameters()), lr=0.1)
    assert optimizer.parameters == model.parameters()
    x = Value(1.0)
    x.grad = 1.0
    SGD([x, x], lr=0.1).step()
    assert x.data == 0.9


def test_a_gradient_of_none_counts_as_0():
    x, y = Value(1.0), Value(2.0)
    x.grad, y.grad = None, 1.0
    SGD([x, y], lr=0.5).step()
    assert (x.data, y.data) == (1.0, 1.5)
    (x * y).backward()
    assert x.grad == 1.5


def test_a_gradient_that_is_a_node_counts_as_its_number():
    x = Value(3.0)
    (x**3).backward(create_graph=True)
    SGD([x], lr=0.1).step()
    assert x.data == pytest.approx(0.3)
    x.grad = 0.0


def test_the_learning_rate_can_be_changed_between_steps():
    x = Value(1.0)
    x.grad = 1.0
    optimizer = SGD([x], lr=0.5)
    optimizer.step()
    optimizer.lr = 0.25
    optimizer.step()
    assert x.data == 0.25


def test_infinite_gradients_pass_without_a_warning():
    x = Value(1.0)
    optimizer = SGD([x], lr=0.5, momentum=0.9)
    for gradient in (math.inf, -math.inf, math.nan):
        x.grad = gradient
        optimizer.step()
    assert math.isnan(x.data)


def test_only_the_parameters_are_changed():
    x, constant = Value(3.0), Value(2.0)
    optimizer = SGD([x], lr=0.1)
    (x * constant).backward()
    optimizer.step()
    optimizer.zero_grad()
    assert (constant.data, constant.grad) == (2.0, 3.0)


def test_the_default_learning_rate_is_that_of_pytorch():
    assert SGD([Value(1.0)]).lr == 1e-3
    assert SGD([Value(1.0)]).momentum == 0.0


@pytest.mark.parametrize("lr", [0, -0.1, math.nan, math.inf, "0.1", None, True, 1j])
def test_a_bad_learning_rate_is_refused(lr):
    with pytest.raises(ValueError, match=r"lr: expected a finite number above 0, got"):
        SGD([Value(1.0)], lr=lr)


@pytest.mark.parametrize("momentum", [-0.1, 1, 1.5, math.nan, "0.9", None])
def test_a_bad_momentum_is_refused(momentum):
    with pytest.raises(ValueError, match=r"momentum: expected a finite number at least 0 and below 1, got"):
        SGD([Value(1.0)], lr=0.1, momentum=momentum)


@pytest.mark.parametrize("lr", [1, np.float32(0.5), np.int64(1)])
def test_numpy_numbers_are_numbers(lr):
    assert SGD([Value(1.0)], lr=lr).lr == float(lr)


def test_bad_parameters_are_refused_with_advice():
    with pytest.raises(ValueError, match=r"the optimizer got no parameters; pass model\.parameters\(\)"):
        SGD([], lr=0.1)
    with pytest.raises(TypeError, match=r"expected parameters that are Values, got float"):
        SGD([1.0], lr=0.1)
    for not_a_list in (Value(1.0), MLP(1, [1]), 3):
        with pytest.raises(TypeError, match=r"expected a list of parameters, as in model\.parameters\(\), got"):
            SGD(not_a_list, lr=0.1)


def test_an_optimizer_of_ones_own_needs_one_rule_alone():
    class Signs(Optimizer):
        def update(self, data, grad):
            return data - self.lr * np.sign(grad)

    x, y = Value(1.0), Value(1.0)
    (3.0 * x - 7.0 * y).backward()
    Signs([x, y], lr=0.25).step()
    assert (x.data, y.data) == (0.75, 1.25)
    with pytest.raises(NotImplementedError, match=r"Optimizer has no update rule; define update"):
        Optimizer([x], lr=0.1).step()
