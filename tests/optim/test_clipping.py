"""Gradient clipping: as PyTorch's, with gradients that are None, nodes or not finite."""

import math

import numpy as np
import pytest
from walking import FIGURES

from autograd_mini import Value
from autograd_mini.optim.clipping import clip_grad_norm, clip_grad_value, grad_norm, vector_norm


def with_gradients(*grads):
    parameters = [Value(1.0) for _ in grads]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = grad
    return parameters


def gradients(parameters):
    return [parameter.grad for parameter in parameters]


@pytest.mark.parametrize(("grads", "max_norm", "p", "expected"), FIGURES["clip_norm"])
def test_clipping_by_norm_is_that_of_pytorch(grads, max_norm, p, expected):
    parameters = with_gradients(*grads)
    norm = clip_grad_norm(parameters, max_norm, norm_type=p)
    assert type(norm) is float
    assert norm == pytest.approx(expected[0], rel=1e-13, nan_ok=True)
    assert gradients(parameters) == pytest.approx(expected[1], rel=1e-13, nan_ok=True)


@pytest.mark.parametrize(("grads", "clip_value", "expected"), FIGURES["clip_value"])
def test_clipping_by_value_is_that_of_pytorch(grads, clip_value, expected):
    parameters = with_gradients(*grads)
    assert clip_grad_value(parameters, clip_value) is None
    assert gradients(parameters) == pytest.approx(expected, nan_ok=True, rel=0, abs=0)


def test_by_norm_by_hand():
    parameters = with_gradients(3.0, 4.0)
    assert clip_grad_norm(parameters, 1.0) == 5.0
    assert gradients(parameters) == pytest.approx([0.6, 0.8], rel=1e-6)
    assert grad_norm(parameters) == pytest.approx(1.0, rel=1e-6)
    assert grad_norm(parameters) <= 1.0


def test_a_gradient_short_enough_stays_to_the_bit():
    parameters = with_gradients(0.1, 0.2, -0.3)
    clip_grad_norm(parameters, 1.0)
    clip_grad_value(parameters, 0.3)
    assert gradients(parameters) == [0.1, 0.2, -0.3]


def test_gradients_that_are_none_stay_none_and_count_for_nothing():
    parameters = with_gradients(3.0, None, 4.0)
    assert grad_norm(parameters) == 5.0
    assert clip_grad_norm(parameters, 2.5) == 5.0
    assert gradients(parameters) == [pytest.approx(1.5), None, pytest.approx(2.0)]
    clip_grad_value(parameters, 1.75)
    assert gradients(parameters) == [pytest.approx(1.5), None, 1.75]


def test_no_gradients_at_all():
    assert clip_grad_norm([], 1.0) == clip_grad_norm(with_gradients(None, None), 1.0) == 0.0
    clip_grad_value([], 1.0)


def test_a_generator_and_a_single_parameter_will_do():
    parameters = with_gradients(3.0, 4.0)
    assert clip_grad_norm((p for p in parameters), 2.5) == 5.0
    assert gradients(parameters) == pytest.approx([1.5, 2.0], rel=1e-6)
    (single,) = with_gradients(-8.0)
    assert clip_grad_norm(single, 2.0) == 8.0
    clip_grad_value(single, 1.0)
    assert single.grad == -1.0
    assert grad_norm(single) == 1.0


def test_gradients_that_are_nodes_stay_differentiable():
    x = Value(3.0)
    (x**3).backward(create_graph=True)  # 3x² = 27, whose derivative is 6x
    assert clip_grad_norm([x], 13.5) == 27.0
    assert x.grad.data == pytest.approx(13.5)
    clipped, x.grad = x.grad, 0.0
    clipped.backward()
    assert x.grad == pytest.approx(9.0, rel=1e-6)  # half of 18: the factor counts as a constant, as in PyTorch
    x.grad = Value(27.0)
    clip_grad_value([x], 2.0)
    assert x.grad == 2.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_not_finite_can_be_an_error(bad):
    parameters = with_gradients(3.0, bad)
    with pytest.raises(
        ArithmeticError, match=r"expected a finite norm of the gradients, got (nan|inf); look for where"
    ):
        clip_grad_norm(parameters, 1.0, error_if_nonfinite=True)
    assert gradients(parameters) == pytest.approx([3.0, bad], nan_ok=True)


@pytest.mark.parametrize("limit", [-1.0, math.nan, True, "1", None])
def test_a_limit_that_is_none(limit):
    parameters = with_gradients(3.0)
    with pytest.raises(ValueError, match="max_norm: expected a number of at least 0, got"):
        clip_grad_norm(parameters, limit)
    with pytest.raises(ValueError, match="clip_value: expected a number of at least 0, got"):
        clip_grad_value(parameters, limit)
    with pytest.raises(ValueError, match="norm_type: expected a number of at least 0, got"):
        grad_norm(parameters, limit)
    assert parameters[0].grad == 3.0


def test_other_bad_arguments():
    with pytest.raises(ValueError, match="norm_type: expected a number above 0, got 0"):
        clip_grad_norm(with_gradients(3.0), 1.0, norm_type=0)
    with pytest.raises(TypeError, match="expected parameters that are Values, got float"):
        clip_grad_value([1.0], 1.0)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, math.inf])
def test_norms_are_those_of_numpy_and_do_not_overflow(p):
    numbers = np.random.default_rng(0).normal(size=(4, 5))
    expected = np.linalg.norm(numbers.ravel(), p)
    assert vector_norm(numbers, p) == pytest.approx(expected, rel=1e-13)
    assert vector_norm(numbers * 2.0**1000, p) == pytest.approx(expected * 2.0**1000, rel=1e-13)
    assert vector_norm(numbers * 2.0**-900, p) == pytest.approx(expected * 2.0**-900, rel=1e-13, abs=0)
