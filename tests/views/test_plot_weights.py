"""The norms of gradients by layer, and the histograms of weights by epoch."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from plot_pixels import assert_colour, blank_axes, colour_at, refused

import autograd_mini as ag
from autograd_mini.nn import MLP, Layer, Module, Neuron
from autograd_mini.nn.containers import Residual, Sequential
from autograd_mini.nn.normalization import BatchNorm
from autograd_mini.views import plots
from autograd_mini.views.plots.axes import AREAS
from autograd_mini.views.plots.weights import gradients_by_layer

pytestmark = pytest.mark.needs("matplotlib")


@pytest.fixture
def ax():
    return blank_axes()


def trained():
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    model([1.0, 2.0]).backward()
    return model


def test_gradient_norms_of_a_model(ax):
    model = trained()
    plots.plot_gradient_norm_by_layer(model, ax=ax)
    expected = [np.linalg.norm([p.grad for p in layer.parameters()]) for layer in model.layers]
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], expected)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["layers.0", "layers.1"]
    assert [text.get_text() for text in ax.texts] == [f"{norm:.2g}" for norm in expected]
    assert ax.get_yscale() == "linear"
    assert_colour(ax, 0.0, expected[0] / 2, AREAS[1])
    assert_colour(ax, 0.5, expected[0] / 3, "white")
    assert_colour(ax, 1.0, expected[1] * 0.97, AREAS[1])
    assert_colour(ax, 1.2, expected[1] * 1.02, "white")


def test_gradients_may_be_values_none_or_of_modules_without_layers(ax):
    class Line(Module):
        def __init__(self):
            self.slope, self.offset, self.frozen = ag.Parameter(2.0), ag.Parameter(1.0), ag.Parameter(5.0)

        def forward(self, x):
            return self.slope * x + self.offset

    line = Line()
    line(3.0).backward(create_graph=True)
    line.frozen.grad = None
    plots.plot_gradient_norm_by_layer(line, ax=ax)
    assert [bar.get_height() for bar in ax.patches] == [pytest.approx(10**0.5)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Line"]
    line.slope.grad = line.offset.grad = 0.0

    neuron = Neuron(2, activation="identity", rng=0)
    neuron([3.0, 4.0]).backward()
    other = Figure().subplots()
    plots.plot_gradient_norm_by_layer(neuron, ax=other)
    assert [bar.get_height() for bar in other.patches] == [pytest.approx(26**0.5)]


def test_layers_in_containers_are_told_apart(ax):
    model = Sequential(Layer(2, 3, rng=0), BatchNorm(3), Residual(Layer(3, 3, rng=1)), Layer(3, 1, rng=2)).eval()
    model([1.0, 2.0]).backward()
    counts = {layer: len(gradients) for layer, gradients in gradients_by_layer(model).items()}
    assert list(counts.values()) == [9, 6, 12, 4]
    plots.plot_gradient_norm_by_layer(model, ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == list(counts)


def test_small_norms_get_a_logarithmic_axis(ax):
    norms = {f"layers.{i}": 10.0**-i for i in range(5)}
    plots.plot_gradient_norm_by_layer(norms, ax=ax)
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] < 1e-4
    assert_colour(ax, 4.0, 0.8e-4, AREAS[1])
    assert_colour(ax, 4.0, 3e-2, "white")
    linear = plots.plot_gradient_norm_by_layer(norms, ax=Figure().subplots(), log=False)
    assert linear.get_yscale() == "linear"
    assert plots.plot_gradient_norm_by_layer({"a": 1.0}, ax=Figure().subplots(), log=True).get_yscale() == "log"


def test_norms_of_arrays_neither_overflow_nor_vanish(ax):
    plots.plot_gradient_norm_by_layer({"big": [3e200, 4e200], "small": [[3e-200], [4e-200]], "none": [0, 0]}, ax=ax)
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], [5e200, 5e-200, 0.0])


def test_gradients_of_0_are_shown_as_0(ax):
    plots.plot_gradient_norm_by_layer(MLP(2, [2, 1]), ax=ax)
    assert [text.get_text() for text in ax.texts] == ["0", "0"]
    assert ax.get_ylim() == (0.0, 1.0)


@pytest.mark.parametrize(
    ("source", "keywords", "error", "message"),
    [
        ([1.0], {}, TypeError, "expected a Module, or a dict of a layer to its norm or gradient, got list"),
        ({}, {}, ValueError, "expected at least one layer with parameters, got none"),
        (Module(), {}, ValueError, "expected at least one layer with parameters, got none"),
        ({"a": -1.0}, {}, ValueError, "the norm of a: expected a number of at least 0, got -1"),
        ({"a": [1.0, np.inf]}, {}, ValueError, r"the gradient of a: expected finite numbers, got inf at \[1\]"),
        ({"a": 0.0}, {"log": True}, ValueError, "all norms are 0, and a logarithmic axis has no 0"),
    ],
)
def test_wrong_norms(source, keywords, error, message):
    refused(error, message, plots.plot_gradient_norm_by_layer, source, **keywords)


# ------------------------------------------------------------------------------------------ weight histograms


def test_a_histogram_for_every_epoch(ax):
    rng = np.random.default_rng(0)
    weights = {epoch: rng.normal(0.0, scale, 300) for epoch, scale in [(0, 0.1), (10, 0.5), (50, 1.0)]}
    plots.plot_weight_histogram(weights, ax=ax, bins=20)
    edges = np.histogram_bin_edges(np.concatenate(list(weights.values())), 20)
    (mesh,) = ax.collections
    np.testing.assert_allclose(mesh.get_coordinates()[:, 0, 1], edges)
    drawn = np.ma.filled(mesh.get_array().reshape(20, 3), 0.0)
    for column, array in zip(drawn.T, weights.values(), strict=True):
        np.testing.assert_allclose(column, 100 * np.histogram(array, edges)[0] / 300)
    np.testing.assert_allclose(drawn.sum(axis=0), 100.0)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "10", "50"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "weight")
    _, key = ax.figure.axes
    assert key.get_ylabel() == f"share of the weights in a bin of {edges[1] - edges[0]:.2g} (%)"


def test_the_darkest_bin_is_the_one_with_most_weights_and_an_empty_one_is_white(ax):
    plots.plot_weight_histogram([[0.1, 0.1, 0.1, 0.9], [0.1, 0.9, 0.9, 0.9]], ax=ax, bins=4, colorbar=False)
    assert ax.figure.axes == [ax]
    assert_colour(ax, -0.2, 0.15, "#042c47")
    assert_colour(ax, 1.2, 0.85, "#042c47")
    assert_colour(ax, 0.1, 0.45, "white")
    assert colour_at(ax, 0.2, 0.85).sum() > colour_at(ax, 1.2, 0.85).sum() + 100


def test_of_a_state_dict_the_weights_are_taken(ax):
    model = MLP(2, [3, 1], rng=0)
    model.layers[0].neurons[0].bias.data = 99.0
    state = {**model.state_dict(), "norm.running_var": np.array([99.0])}
    plots.plot_weight_histogram([state], ax=ax)
    weights = [parameter.data for name, parameter in model.named_parameters() if "weights" in name]
    edges = ax.collections[0].get_coordinates()[:, 0, 1]
    assert (edges[0], edges[-1]) == (pytest.approx(min(weights)), pytest.approx(max(weights)))


def test_many_epochs_are_all_drawn_and_some_are_named(ax):
    plots.plot_weight_histogram([np.array([i, i + 1.0]) for i in range(100)], ax=ax)
    assert ax.collections[0].get_array().reshape(-1, 100).shape[1] == 100
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == [str(i) for i in range(0, 100, 9)]


@pytest.mark.parametrize(
    ("snapshots", "keywords", "error", "message"),
    [
        ([], {}, ValueError, "snapshots: expected at least one, got none"),
        (3.0, {}, TypeError, "snapshots: expected a list or dict of state_dicts or arrays, got float"),
        ({"layers.0.weight": [1.0]}, {}, TypeError, "expected epochs as keys, got names; put a single state_dict in a"),
        (
            [{"layers.0.bias": [1.0]}],
            {},
            ValueError,
            r"snapshots\[0\]: expected a state_dict with weights, got the names",
        ),
        ([[1.0], [np.nan]], {}, ValueError, r"snapshots\[1\]: expected finite numbers, got nan"),
        ([[]], {}, ValueError, r"snapshots\[0\]: expected at least one number, got none"),
        ([[1.0]], {"bins": 0}, ValueError, "bins: expected a whole number of at least 1, got 0"),
    ],
)
def test_wrong_snapshots(snapshots, keywords, error, message):
    refused(error, message, plots.plot_weight_histogram, snapshots, **keywords)
