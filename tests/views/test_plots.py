"""What all plots have in common; each has tests of its own beside this file, ``test_plot_*.py``."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from plot_pixels import blank_axes, image

from autograd_mini.nn import MLP
from autograd_mini.training import History
from autograd_mini.views import colours, plots
from autograd_mini.views.plots.axes import AREAS, LINES, line_style

pytestmark = pytest.mark.needs("matplotlib")

HISTORY = History(loss=[4.0, 2.0, 1.0, 0.5, 0.4], validation_loss=[4.5, 2.5, 1.5, 2.0, 3.0])
SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
SIDES = [0, 1, 1, 0]  # right of 0 or not
PATH = np.array([[-2.0, 1.0], [-1.0, 0.5], [0.0, 0.0]])


def trained():
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    model([1.0, 2.0]).backward()
    return model


PLOTS = {
    "plot_activation": lambda **given: plots.plot_activation(["tanh", "relu"], **given),
    "plot_decision_boundary": lambda **given: plots.plot_decision_boundary(
        lambda Z: Z[:, 0], SQUARE, SIDES, resolution=20, **given
    ),
    "plot_descent_path": lambda **given: plots.plot_descent_path(
        lambda a, b: a * a + b * b, PATH, resolution=20, **given
    ),
    "plot_gradient_norm_by_layer": lambda **given: plots.plot_gradient_norm_by_layer(trained(), **given),
    "plot_loss": lambda **given: plots.plot_loss(HISTORY, best_epoch=3, **given),
    "plot_saturation": lambda **given: plots.plot_saturation({"tanh": [1.0, 0.5], "relu": [1, 9]}, [0.1, 10], **given),
    "plot_vanishing_gradients": lambda **given: plots.plot_vanishing_gradients({"tanh": [1.0, 0.5, 0.25]}, **given),
    "plot_weight_histogram": lambda **given: plots.plot_weight_histogram([[0.0, 0.5, 1.0], [0.0, 1.0, 1.0]], **given),
}


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return blank_axes()


def test_every_plot_is_in_this_test():
    assert sorted(PLOTS) == sorted(plots.__all__)


@pytest.mark.parametrize("name", PLOTS)
def test_draws_into_the_axes_it_is_given(name, ax):
    assert PLOTS[name](ax=ax) is ax
    assert plt.get_fignums() == []  # pyplot hasn't been touched
    assert ax.get_title() == ""
    assert ax.get_xlabel()
    assert ax.get_ylabel()


@pytest.mark.parametrize("name", PLOTS)
def test_makes_a_figure_that_jupyter_shows(name):
    drawn = PLOTS[name](title="A title")
    assert plt.get_fignums() == [drawn.figure.number]
    assert drawn.get_title() == "A title"


@pytest.mark.parametrize("name", PLOTS)
def test_the_picture_is_not_blank(name, ax):
    PLOTS[name](ax=ax)
    full = image(ax)
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    if ax.get_legend():
        ax.get_legend().remove()
    for artist in [*ax.lines, *ax.collections, *ax.patches, *ax.texts]:
        artist.set_visible(False)
    assert (full != image(ax)).any(axis=2).sum() > 1500


@pytest.mark.parametrize("name", PLOTS)
def test_changes_nothing_global(name):
    before = dict(matplotlib.rcParams)
    PLOTS[name]()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("wrong", [Figure(), Figure().subplots(2), "axes"])
def test_refuses_what_is_not_an_axes(name, wrong):
    with pytest.raises(TypeError, match=f"ax: expected one Matplotlib Axes or None, got {type(wrong).__name__}"):
        PLOTS[name](ax=wrong)


def test_no_two_curves_of_a_plot_look_alike():
    styles = [tuple(line_style(i).values()) for i in range(36)]
    assert len(set(styles)) == 36


# Machado, Oliveira and Fernandes, A physiologically-based model for simulation of color vision deficiency, 2009:
# red-blind, green-blind and blue-blind, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(colour, seen_with):
    """CIELAB, in which a distance of 2.3 is just noticeable, of a colour as someone sees it."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(np.array(seen_with) @ linear, 1e-2, 1) / [0.9505, 1.0, 1.089])
    return np.array([116 * y, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("palette", [LINES, AREAS], ids=["lines", "areas"])
def test_the_colours_can_be_told_apart_by_the_colour_blind(palette, kind):
    for one, other in itertools.combinations(palette, 2):
        assert np.linalg.norm(lab(one, BLINDNESS[kind]) - lab(other, BLINDNESS[kind])) > 15, (one, other)


def test_lines_stand_out_from_white():
    assert min(colours.contrast(line, "#ffffff") for line in LINES) >= 3.0
