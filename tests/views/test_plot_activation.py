"""Activation functions with their derivatives."""

import numpy as np
import pytest
from plot_pixels import assert_colour, blank_axes, legend, refused

import autograd_mini as ag
from autograd_mini.views import plots
from autograd_mini.views.plots.axes import LINES

pytestmark = pytest.mark.needs("matplotlib")


@pytest.fixture
def ax():
    return blank_axes()


DERIVATIVES = {
    "sigmoid": lambda z: 1 / (2 + np.exp(z) + np.exp(-z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(z)),
    "softplus": lambda z: 1 / (1 + np.exp(-z)),
    "identity": np.ones_like,
    "sign": np.zeros_like,
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_an_activation_and_its_derivative(name, ax):
    plots.plot_activation(name, ax=ax, interval=(-3, 2), resolution=52)
    function, derivative = [line for line in ax.lines if not line.get_label().startswith("_")]
    z = np.linspace(-3, 2, 52)
    np.testing.assert_array_equal(function.get_xdata(), z)
    np.testing.assert_allclose(function.get_ydata(), [getattr(ag, name)(float(x)) for x in z], rtol=1e-13)
    np.testing.assert_array_equal(derivative.get_xdata(), z)
    np.testing.assert_allclose(derivative.get_ydata(), DERIVATIVES[name](z), rtol=1e-12)
    assert (function.get_linestyle(), derivative.get_linestyle()) == ("-", "--")
    assert legend(ax) == [name, f"{name}′"]
    assert ax.get_xlim() == (-3, 2)


def test_activations_are_drawn_where_they_are(ax):
    plots.plot_activation(["relu", "sigmoid"], ax=ax)
    assert legend(ax) == ["relu", "relu′", "sigmoid", "sigmoid′"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pre-activation z", "activation σ(z), derivative σ′(z)")
    assert_colour(ax, 3.3, 3.3, LINES[0])
    assert_colour(ax, -1.0, 1 / (1 + np.e), LINES[1])
    assert_colour(ax, -3.3, 3.3, "white")


def test_functions_and_labels_of_ones_own(ax):
    plots.plot_activation({"z²": lambda z: z**2, "leaky, α = 0.2": lambda z: ag.leaky_relu(z, 0.2)}, ax=ax)
    square, slope = ax.lines[2:4]
    np.testing.assert_allclose(slope.get_ydata(), 2 * np.asarray(square.get_xdata()))
    assert legend(ax) == ["z²", "z²′", "leaky, α = 0.2", "leaky, α = 0.2′"]


def test_a_function_of_one_value_is_called_by_its_name(ax):
    plots.plot_activation([ag.exp, lambda z: z * z, abs], ax=ax, interval=(-1, 1))
    assert legend(ax) == ["exp", "exp′", "σ", "σ′", "abs", "abs′"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("thanh",), ValueError, "no activation is named 'thanh'; choose one of"),
        (([],), ValueError, "activations: expected at least one, got none"),
        ((3.0,), TypeError, "activations: expected names or functions, got float"),
        (([3.0],), TypeError, "expected an activation by name or a function, got float"),
        (([lambda z: z, lambda z: -z],), ValueError, "two are called 'σ'; pass a dict"),
        (("tanh", None, (1, 1)), ValueError, "interval: expected two finite numbers, the smaller one first, got"),
        (("tanh", None, 5), ValueError, "interval: expected two finite numbers"),
        (("tanh", None, "ab"), ValueError, "interval: expected two finite numbers"),
        (("tanh", None, (0, np.inf)), ValueError, "interval: expected two finite numbers"),
        (("tanh", None, (0, 1), 1), ValueError, "resolution: expected a whole number of at least 2, got 1"),
    ],
)
def test_wrong_activations(arguments, error, message):
    refused(error, message, plots.plot_activation, *arguments)
