"""The path of gradient descent over the contour lines of a loss."""

import math

import numpy as np
import pytest
from plot_pixels import assert_colour, blank_axes, legend, recorded_contours, refused

import autograd_mini as ag
from autograd_mini.views import colours, plots
from autograd_mini.views.plots.axes import LINES
from autograd_mini.views.plots.descent import losses_on_grid

pytestmark = pytest.mark.needs("matplotlib")


@pytest.fixture
def ax():
    return blank_axes()


PATH = np.array([[-2.0, 1.0], [-1.0, 0.5], [0.0, 0.0]])


def bowl(a, b):
    return (a - 1) ** 2 + 4 * (b + 1) ** 2


def test_the_path_and_its_ends(ax):
    plots.plot_descent_path(bowl, PATH, ax=ax, parameter_names=("w", "b"))
    outline, path, start, end = ax.lines
    np.testing.assert_array_equal(outline.get_xydata(), PATH)
    np.testing.assert_array_equal(path.get_xydata(), PATH)
    assert start.get_xydata().tolist() == [[-2.0, 1.0]]
    assert end.get_xydata().tolist() == [[0.0, 0.0]]
    assert legend(ax) == ["path, 2 steps", "start", "end"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("w", "b")
    assert ax.get_xlim() == (-2.4, 0.4)  # the path and a fifth of its width
    assert_colour(ax, -1.5, 0.75, LINES[1])
    assert_colour(ax, -2.0, 1.0, "#2b2f33")


def test_the_contours_are_those_of_the_loss(ax):
    areas, lines = recorded_contours(ax)
    plots.plot_descent_path(bowl, PATH, ax=ax, interval=((-3, 3), (-2, 2)), levels=[0, 1, 4, 16])
    (areas,), (lines,) = areas, lines
    np.testing.assert_array_equal(areas.levels, [0, 1, 4, 16])
    np.testing.assert_array_equal(lines.levels, [1, 4])
    for segments, level in zip(lines.allsegs, lines.levels, strict=True):
        points = np.concatenate(segments)
        assert len(points) > 50
        np.testing.assert_allclose(bowl(*points.T), level, atol=0.02)
    assert_colour(ax, 1.0, -1.0, colours.ZERO)
    assert_colour(ax, 2.5, -1.0, colours.diverging(0.75 / 2, 1.0))
    assert_colour(ax, 2.0, 0.5, colours.diverging(0.75, 1.0))
    assert_colour(ax, -2.5, 1.7, colours.diverging(0.75, 1.0))  # 41: above all levels


def test_bands_of_a_bowl_are_equally_wide(ax):
    areas, _ = recorded_contours(ax)
    plots.plot_descent_path(lambda a, b: 1e6 * (a * a + b * b), [[0, 0]], ax=ax, interval=(-1, 1), levels=5)
    # Up to the circle that touches the sides; the corners beyond are thinner.
    radii = np.sqrt(areas[0].levels / 1e6)[:4]
    np.testing.assert_allclose(np.diff(radii), 0.225, atol=0.02)
    assert_colour(ax, 0.1, 0.1, colours.ZERO)
    assert_colour(ax, 0.95, 0.95, colours.diverging(0.75, 1.0))


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: bowl(ag.Value(a), b),  # makes Values of its own
        lambda a, b: (bowl(a, b) - 1.0).exp().log() + 1.0,  # calls a method that only Values have
        lambda a, b: ag.exp(ag.log(bowl(a, b))),
        lambda a, b: math.exp(math.log(bowl(a, b))),
        lambda a, b: np.sum(np.square([a - 1, 2 * (b + 1)])),
    ],
)
def test_the_loss_may_be_written_for_numbers_or_for_values(f):
    xs, ys = np.linspace(-2, 2, 4), np.linspace(-2, 2, 3)
    expected = [[bowl(a, b) for a in xs] for b in ys]
    np.testing.assert_allclose(losses_on_grid(f, xs, ys), expected, rtol=1e-13)


def test_no_graph_is_built():
    found = []

    def f(a, b):
        found.append((ag.Value(a) * b).parents)
        return a

    losses_on_grid(f, np.array([1.0]), np.array([1.0]))
    assert set(found) == {()}


def test_where_the_loss_is_not_finite_nothing_is_filled(ax):
    def f(a, b):
        return 1.0 / a + 0.0 * a**0.5  # nan below 0, infinite at 0

    plots.plot_descent_path(f, [[1, 0], [2, 0]], ax=ax, interval=(-4, 4), resolution=9)
    assert_colour(ax, -2.0, 0.0, "white")
    assert_colour(ax, 3.5, 3.5, colours.ZERO)


def test_a_flat_loss_and_a_path_of_one_point(ax):
    plots.plot_descent_path(lambda a, b: 1.0, [[3.0, 30.0]], ax=ax)
    assert legend(ax)[0] == "path, 0 steps"
    assert (ax.get_xlim(), ax.get_ylim()) == ((2.0, 4.0), (27.0, 33.0))
    assert_colour(ax, 2.2, 28.0, colours.ZERO)


def test_a_long_path_has_no_dots_and_a_short_one_has(ax):
    plots.plot_descent_path(bowl, np.zeros((102, 2)), ax=ax, resolution=5)
    assert ax.lines[1].get_marker() == "None"
    other = plots.plot_descent_path(bowl, [[0.0, 0.0], [1.0, 0.0]], ax=blank_axes(), resolution=5)
    assert other.lines[1].get_marker() == "o"
    assert legend(other)[0] == "path, 1 step"
    low, high = other.get_ylim()
    assert high - low > 0.3  # although the path is level


def test_the_path_of_the_librarys_own_descent_ends_in_the_valley(ax):
    point, path = [-2.0, 1.0], []
    for _ in range(60):
        path.append(point)
        point = [x - 0.1 * d for x, d in zip(point, ag.grad(lambda p: bowl(*p))(point), strict=True)]
    plots.plot_descent_path(bowl, path, ax=ax)
    np.testing.assert_allclose(ax.lines[-1].get_xydata(), [[1.0, -1.0]], atol=1e-4)


@pytest.mark.parametrize(
    ("f", "path", "keywords", "error", "message"),
    [
        (3.0, PATH, {}, TypeError, "f: expected a function of two parameters, got float"),
        (
            bowl,
            [1.0, 2.0],
            {},
            ValueError,
            r"path: expected two parameters a row, shape \(steps, 2\), got shape \(2,\)",
        ),
        (bowl, [[1.0, 2.0, 3.0]], {}, ValueError, r"shape \(steps, 2\), got shape \(1, 3\)"),
        (bowl, [[1.0, np.inf]], {}, ValueError, r"path: expected finite numbers, got inf at \[0, 1\]"),
        (bowl, [[ag.Value(1.0), 2.0]], {}, ValueError, "path: expected real numbers.*of a Value, pass its .data"),
        (bowl, PATH, {"interval": (1, 0)}, ValueError, "interval: expected two finite numbers, the smaller one first"),
        (bowl, PATH, {"interval": ((0, 1), (1,))}, ValueError, "interval: expected two finite numbers"),
        (bowl, PATH, {"levels": [1.0]}, ValueError, r"levels: expected at least two increasing numbers, got \[1.0\]"),
        (bowl, PATH, {"levels": [2, 1]}, ValueError, "levels: expected at least two increasing numbers"),
        (bowl, PATH, {"levels": 0}, ValueError, "levels: expected a whole number of at least 1, got 0"),
        (bowl, PATH, {"resolution": 1}, ValueError, "resolution: expected a whole number of at least 2, got 1"),
        (bowl, PATH, {"parameter_names": "w"}, ValueError, "parameter_names: expected 2 names, got 'w'"),
        (lambda a, b: (a, b), PATH, {}, ValueError, "f: expected one number, but it returned"),
        (lambda a, b: None, PATH, {}, ValueError, "f: expected one number, but it returned None"),
        (lambda a, b: np.nan, PATH, {}, ValueError, "f: nowhere finite in -2.4 … 0.4"),
    ],
)
def test_wrong_paths(f, path, keywords, error, message):
    refused(error, message, plots.plot_descent_path, f, path, **keywords)
