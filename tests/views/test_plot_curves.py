"""The curves of losses, of vanishing gradients and of saturation."""

from types import SimpleNamespace

import numpy as np
import pytest
from plot_pixels import assert_colour, blank_axes, image, legend, pixels_of, refused

import autograd_mini as ag
from autograd_mini import datasets
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
from autograd_mini.training import History, Trainer
from autograd_mini.views import plots
from autograd_mini.views.plots.axes import LINES

pytestmark = pytest.mark.needs("matplotlib")


@pytest.fixture
def ax():
    return blank_axes()


HISTORY = History(loss=[4.0, 2.0, 1.0, 0.5, 0.4], validation_loss=[4.5, 2.5, 1.5, 2.0, 3.0])


def test_loss_curves_are_the_history(ax):
    plots.plot_loss(HISTORY, ax=ax)
    training, validation, *best = ax.lines
    np.testing.assert_array_equal(training.get_xydata(), np.column_stack([range(1, 6), HISTORY.loss]))
    np.testing.assert_array_equal(validation.get_xydata(), np.column_stack([range(1, 6), HISTORY.validation_loss]))
    assert legend(ax) == ["training", "validation", "best epoch (3)"]
    assert best[-1].get_xydata().tolist() == [[3.0, 1.5]]
    assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("epoch", "mean loss of an example", "linear")
    assert all(tick == round(tick) for tick in ax.get_xticks())
    assert_colour(ax, 2.5, 1.5, LINES[0])
    assert pixels_of(ax, LINES[0]) > 500
    assert pixels_of(ax, LINES[1]) > 300


def test_the_best_epoch_is_marked_on_the_validation_curve(ax):
    plots.plot_loss(HISTORY, ax=ax, best_epoch=3)
    line, point = ax.lines[2:]
    assert list(line.get_xdata()) == [3, 3]
    assert point.get_xydata().tolist() == [[3.0, 1.5]]
    assert legend(ax)[-1] == "best epoch (3)"
    assert_colour(ax, 3.0, 1.5, "#2b2f33")


def test_the_best_epoch_comes_from_the_history_where_it_has_one(ax):
    stopped = SimpleNamespace(loss=[3.0, 2.0, 1.0], validation_loss=[3.0, 1.0, 2.0], best_epoch=2)
    plots.plot_loss(stopped, ax=ax)
    assert ax.lines[-1].get_xydata().tolist() == [[2.0, 1.0]]
    plots.plot_loss(SimpleNamespace(loss=[3.0], best_epoch=None), ax=ax)
    assert len(ax.lines) == 5  # no other point


def test_a_history_without_validation_has_its_best_epoch_on_the_training_curve(ax):
    plots.plot_loss(History(loss=[3.0, 1.0]), ax=ax, best_epoch=2)
    assert legend(ax) == ["training", "best epoch (2)"]
    assert ax.lines[-1].get_xydata().tolist() == [[2.0, 1.0]]


def test_a_single_epoch_is_seen(ax):
    plots.plot_loss(History(loss=[3.0]), ax=ax)
    assert_colour(ax, 1.0, 3.0, LINES[0])


@pytest.mark.parametrize(("losses", "named"), [([0.5, 0.1, 0.06], "0.2"), ([6.0, 5.0, 4.0], "4"), ([1e3, 1e-3], None)])
def test_a_logarithmic_axis_names_plain_numbers_where_they_are_few(losses, named, ax):
    plots.plot_loss(History(loss=losses), ax=ax, log=True)
    assert ax.get_yscale() == "log"
    image(ax)
    texts = [label.get_text() for label in ax.get_yticklabels(which="both")]
    assert named in texts if named else any("10^" in text for text in texts)


def test_the_history_of_a_trainer_is_plotted(ax):
    X, y = datasets.linear(20, noise=0.0)
    model = MLP(1, [1], rng=0)
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=3, validation=(X, y))
    history = trainer.fit(X, y)
    plots.plot_loss(history, ax=ax)
    assert ax.lines[0].get_ydata().tolist() == history.loss


@pytest.mark.parametrize(
    ("history", "keywords", "error", "message"),
    [
        ([1.0, 2.0], {}, TypeError, "history: expected a History, as Trainer.fit returns it, got list"),
        (History(), {}, ValueError, "loss: expected at least one number, got none"),
        (History(loss=["a"]), {}, ValueError, r"loss: expected real numbers, got \['a'\]"),
        (History(loss=[[1.0]]), {}, ValueError, r"loss: expected 1 dimension, got shape \(1, 1\)"),
        (History([1.0, 2.0], [1.0]), {}, ValueError, "validation_loss: expected one for each of the 2 epochs, got 1"),
        (HISTORY, {"best_epoch": 6}, ValueError, "best_epoch: expected one of the epochs 1 to 5, got 6"),
        (HISTORY, {"best_epoch": 0}, ValueError, "best_epoch: expected a whole number of at least 1, got 0"),
        (History([1.0, -1.0]), {"log": True}, ValueError, "needs losses above 0, the smallest training loss is -1"),
        (History([0.0]), {"log": True}, ValueError, "the smallest training loss is 0; leave log out"),
    ],
)
def test_wrong_histories(history, keywords, error, message):
    refused(error, message, plots.plot_loss, history, **keywords)


# -------------------------------------------------------------------------------------- gradients by depth, scale


def test_vanishing_gradients_are_curves_by_depth(ax):
    depth = np.arange(1, 31)
    plots.plot_vanishing_gradients({"sigmoid": 0.25**depth, "relu": np.ones(30)}, ax=ax)
    sigmoid, relu = ax.lines
    np.testing.assert_array_equal(sigmoid.get_xydata(), np.column_stack([depth, 0.25**depth]))
    np.testing.assert_array_equal(relu.get_ydata(), np.ones(30))
    assert legend(ax) == ["sigmoid", "relu"]
    assert (ax.get_yscale(), ax.get_xscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("depth (number of layers)", "factor of the gradient Π |w σ′(z)|")
    assert sigmoid.get_linestyle() != relu.get_linestyle()
    assert_colour(ax, 15, 0.25**15, LINES[0])  # a straight line on this axis
    assert_colour(ax, 15, 1.0, LINES[1])


def test_a_product_that_is_0_ends_the_curve_and_is_named(ax):
    plots.plot_vanishing_gradients({"relu": [1.0, 0.5, 0.0, 0.0], "dead": [0.0] * 4}, ax=ax, depths=[2, 4, 6, 8])
    assert legend(ax) == ["relu (0 from 6 on)", "dead (0 everywhere)"]
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [2, 4, 6, 8])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1.0, 0.5, np.nan, np.nan])


def test_saturation_is_curves_by_scale_on_logarithmic_axes(ax):
    scales = np.logspace(-2, 2, 9)
    plots.plot_saturation({"tanh": scales**-2, "relu": scales}, scales, ax=ax)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), np.column_stack([scales, scales**-2]))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "scale of the initial weights"
    assert ax.get_ylabel() == "norm of the gradient ‖∂L/∂θ‖"
    assert_colour(ax, 10.0, 0.01, LINES[0])
    assert_colour(ax, 10.0, 10.0, LINES[1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0],), TypeError, "products: expected a dict of a label to a list of numbers, got list"),
        (({},), ValueError, "products: expected at least one curve, got none"),
        (
            ({"a": [1.0], "b": [1.0, 2.0]},),
            ValueError,
            r"products\['b'\]: expected one number for each of the 1 depths",
        ),
        (({"a": [1.0]}, [1, 2]), ValueError, r"products\['a'\]: expected one number for each of the 2 depths, got 1"),
        (({"a": [-1.0]},), ValueError, r"products\['a'\]: expected magnitudes, at least 0, got -1"),
        (({"a": [0.0]},), ValueError, "products: all numbers are 0, and a logarithmic axis has no 0"),
        (({"a": [1.0, np.nan]},), ValueError, r"products\['a'\]: expected finite numbers, got nan at \[1\]"),
        (({"a": [ag.Value(1.0)]},), ValueError, "expected real numbers.*of a Value, pass its .data"),
    ],
)
def test_wrong_products(arguments, error, message):
    refused(error, message, plots.plot_vanishing_gradients, *arguments)


def test_wrong_scales():
    refused(ValueError, "scales: expected numbers above 0, got 0", plots.plot_saturation, {"a": [1.0]}, [0.0])
    refused(ValueError, "one number for each of the 2 scales, got 1", plots.plot_saturation, {"a": [1.0]}, [1.0, 2.0])
