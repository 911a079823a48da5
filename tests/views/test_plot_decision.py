"""The regions of a classifier, and the data on them."""

import math

import numpy as np
import pytest
from plot_pixels import assert_colour, blank_axes, colour_at, image, legend, recorded_contours, refused

from autograd_mini import datasets
from autograd_mini.nn import MLP, Module, Neuron
from autograd_mini.optim import SGD
from autograd_mini.training import Trainer
from autograd_mini.views import colours, plots
from autograd_mini.views.plots.axes import AREAS
from autograd_mini.views.plots.decision import region_colour, tint

pytestmark = pytest.mark.needs("matplotlib")


@pytest.fixture
def ax():
    return blank_axes()


X = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
RIGHT = [0, 1, 1, 0]  # right of 0 or not
FULL_ORANGE, FULL_BLUE = region_colour(-1.0), region_colour(1.0)


def right(Z):
    return Z[:, 0]


def three(Z):
    """Three classes: left, the middle, right, with boundaries at -1/2 and 1/2."""
    return np.column_stack([-2 * Z[:, 0], np.ones(len(Z)), 2 * Z[:, 0]])


def test_the_two_regions_and_the_line_between_them(ax):
    _, lines = recorded_contours(ax)
    plots.plot_decision_boundary(right, X, RIGHT, ax=ax)
    assert_colour(ax, -1.2, 0.0, FULL_ORANGE)
    assert_colour(ax, 1.2, 0.0, FULL_BLUE)
    assert_colour(ax, -0.05, 0.0, region_colour(-1 / 15))  # the two shades beside the line
    assert_colour(ax, 0.05, 0.0, region_colour(1 / 15))
    assert_colour(ax, 0.0, 0.5, "#2b2f33", tolerance=40)
    (line,) = lines
    np.testing.assert_allclose(line.allsegs[0][0][:, 0], 0.0, atol=1e-6)
    assert ax.get_xlim() == pytest.approx((-1.24, 1.24))


def test_the_data_lie_on_top_with_a_colour_and_a_mark_for_each_class(ax):
    plots.plot_decision_boundary(right, X, RIGHT, ax=ax, target_names=["left", "right"], feature_names=["a (cm)", "b"])
    first, second = ax.collections[-2:]
    np.testing.assert_array_equal(first.get_offsets(), X[[0, 3]])
    np.testing.assert_array_equal(second.get_offsets(), X[[1, 2]])
    assert len(first.get_paths()[0].vertices) != len(second.get_paths()[0].vertices)  # a circle, a square
    assert legend(ax) == ["left", "right"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a (cm)", "b")
    for x, y in X:
        assert_colour(ax, x, y, AREAS[int(x > 0)])


def test_a_model_is_asked_example_by_example_in_evaluation_mode(ax):
    class Right(Module):
        def __init__(self):
            self.inner, self.seen = Neuron(2, activation="identity"), []
            self.inner.load_state_dict({"weight": [1.0, 0.0], "bias": -0.5})

        def forward(self, x):
            self.seen.append((self.training, self.inner.training))
            out = self.inner(x)
            assert out.parents == ()  # no graph
            return out

    model = Right()
    model.inner.training = False
    _, lines = recorded_contours(ax)
    plots.plot_decision_boundary(model, X, RIGHT, ax=ax, resolution=11)
    assert model.seen == [(False, False)] * 121
    assert (model.training, model.inner.training) == (True, False)  # as before
    assert_colour(ax, 0.3, 0.0, region_colour(-1 / 15))
    assert_colour(ax, 1.2, 0.0, region_colour(7 / 15))
    np.testing.assert_allclose(lines[0].allsegs[0][0][:, 0], 0.5, atol=1e-6)


def test_what_a_network_has_learned_is_seen(ax):
    data, classes = datasets.xor()
    model = MLP(2, [4, 1], activation="tanh", rng=1)
    trainer = Trainer(model, "binary_cross_entropy_with_logits", SGD(model.parameters(), lr=0.5), None, epochs=200)
    trainer.fit(data, classes)
    plots.plot_decision_boundary(model, data, classes, ax=ax, resolution=15)
    for (x, y), label in zip(data * 1.1, classes, strict=True):
        red, _, blue = colour_at(ax, x, y)
        assert (blue > red) == bool(label)


@pytest.mark.parametrize(
    ("predict", "threshold", "boundary"),
    [
        (right, None, 0.0),
        (right, 0.5, 0.5),
        (lambda Z: 1 / (1 + np.exp(-4 * Z[:, 0])), None, 0.0),  # a probability
        (lambda Z: 1 / (1 + np.exp(-4 * Z[:, 0])), 0.8, math.log(4) / 4),
        (lambda Z: right(Z)[:, None], None, 0.0),
        (lambda Z: np.maximum(Z[:, 0], 0.0) * 3, None, 0.0),  # 0 isn't above the threshold of 0
        (lambda Z: np.column_stack([-Z[:, 0], Z[:, 0]]), None, 0.0),
        (lambda Z: np.column_stack([-Z[:, 0], Z[:, 0] - 1]).tolist(), None, 0.5),
        (lambda Z: np.where(Z[:, 0] > 0, np.inf, -np.inf), None, 0.0),
        (lambda Z: Z[:, 0] > 0, None, 0.0),  # the class itself
    ],
)
def test_the_boundary_is_where_the_score_is_the_threshold(predict, threshold, boundary, ax):
    plots.plot_decision_boundary(predict, X, RIGHT, ax=ax, threshold=threshold)
    for side in (-0.08, 0.08):
        red, _, blue = colour_at(ax, boundary + side, 0.3)
        assert (blue > red) == (side > 0)


@pytest.mark.parametrize(
    ("y", "names"),
    [
        ([-1, 1, 1, -1], ["-1", "1"]),
        (["no", "yes", "yes", "no"], ["no", "yes"]),
        ([[0.0], [1.0], [1.0], [0.0]], ["0.0", "1.0"]),
        ([[1, 0], [0, 1], [0, 1], [1, 0]], ["0", "1"]),
        ([True, True, True, True], ["0", "1"]),
        ([-1, -1, -1, -1], ["-1", "1"]),
        ([7, 7, 7, 7], ["not 7", "7"]),
    ],
)
def test_two_classes_may_be_called_anything(y, names, ax):
    plots.plot_decision_boundary(right, X, y, ax=ax, resolution=9)
    assert legend(ax) == names
    assert len(ax.collections[-2].get_offsets()) + len(ax.collections[-1].get_offsets()) == 4


@pytest.mark.parametrize("classes", [[0, 1, 2, 1], ["a", "b", "c", "b"], np.eye(3)[[0, 1, 2, 1]]])
def test_of_several_classes_the_largest_score_decides(classes, ax):
    points = [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.1, 1.0]]
    plots.plot_decision_boundary(three, points, classes, ax=ax)
    for k, x in enumerate([-0.8, 0.2, 0.8]):
        assert_colour(ax, x, 0.5, tint(AREAS[k]))
    for side in (-0.5, 0.5):
        assert_colour(ax, side, 0.5, "#2b2f33", tolerance=90)
    assert_colour(ax, 0.1, 1.0, AREAS[1])
    assert len(legend(ax)) == 3


@pytest.mark.parametrize("names", [[0, 1, 2], ["a", "b", "c"]])
def test_a_function_may_give_the_classes_themselves(names, ax):
    names = np.array(names)
    points = [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    plots.plot_decision_boundary(lambda Z: names[three(Z).argmax(axis=1)], points, names, ax=ax)
    for k, x in enumerate([-0.8, 0.2, 0.8]):
        assert_colour(ax, x, 0.5, tint(AREAS[k]))


def test_two_names_may_be_given_too(ax):
    plots.plot_decision_boundary(lambda Z: np.where(Z[:, 0] > 0, "yes", "no"), X, ["no", "yes", "yes", "no"], ax=ax)
    assert_colour(ax, 1.2, 0.0, FULL_BLUE)
    assert_colour(ax, -1.2, 0.0, FULL_ORANGE)


def test_regions_leave_no_gap_where_three_of_them_meet(ax):
    angles = np.array([[1.0, 0.0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])
    plots.plot_decision_boundary(lambda Z: Z @ angles.T, [[1, 0], [-1, 1], [-1, -1]], [0, 1, 2], ax=ax, resolution=6)
    column, row = ax.transData.transform((0, 0)).astype(int)
    middle = image(ax)[::-1][row - 60 : row + 60, column - 60 : column + 60]
    assert not (middle > 245).all(axis=2).any()


def test_a_score_of_just_the_threshold_is_on_the_first_side_of_the_line(ax):
    _, lines = recorded_contours(ax)
    plots.plot_decision_boundary(lambda Z: np.maximum(Z[:, 0], 0.0), X, RIGHT, ax=ax, threshold=0.0)
    np.testing.assert_allclose(lines[0].allsegs[0][0][:, 0], 0.0, atol=0.02)
    assert_colour(ax, -1.2, 0.0, region_colour(-1 / 15))


def test_an_untrained_network_is_undecided(ax):
    plots.plot_decision_boundary(MLP(2, [1], initializer="zeros"), X, RIGHT, ax=ax, resolution=5)
    assert_colour(ax, -1.2, 0.0, colours.ZERO)
    assert_colour(ax, 1.2, 0.0, colours.ZERO)


def test_one_region_everywhere(ax):
    plots.plot_decision_boundary(lambda Z: np.full(len(Z), 3.0), X, RIGHT, ax=ax, resolution=5)
    assert_colour(ax, -1.2, 0.0, FULL_BLUE)
    assert_colour(ax, 1.2, 0.0, FULL_BLUE)


@pytest.mark.parametrize(
    ("predict", "data", "y", "keywords", "error", "message"),
    [
        (right, [[1.0], [2.0]], [0, 1], {}, ValueError, r"X: expected exactly two features.*got shape \(2, 1\)"),
        (right, [[1.0, 2.0, 3.0]], [0], {}, ValueError, r"X: expected exactly two features.*got shape \(1, 3\)"),
        (right, [1.0, 2.0], [0, 1], {}, ValueError, r"X: expected exactly two features.*got shape \(2,\)"),
        (right, [[1.0, np.nan]], [0], {}, ValueError, r"X: expected finite numbers, got nan at \[0, 1\]"),
        (right, [], [], {}, ValueError, "X: expected at least one number, got none"),
        (right, X, [0, 1], {}, ValueError, r"y: expected one class for each of the 4 examples, got shape \(2,\)"),
        (right, X, [0, 1, 2, 1], {}, ValueError, r"two classes apart, but y has 3; give one for each class"),
        (right, X, [0, 1, np.nan, 1], {}, ValueError, "y: expected a class for each example, got nan"),
        (three, X, [0, 3, 3, 0], {}, ValueError, "y: expected the classes 0 to 2"),
        (
            three,
            X,
            RIGHT,
            {"threshold": 0.5},
            ValueError,
            "threshold: is for one score, but there is one for each",
        ),
        (lambda Z: Z[:3, 0], X, RIGHT, {}, ValueError, r"scores: expected shape \(10000,\) or \(10000, classes\)"),
        (lambda Z: Z[:, 0] * np.nan, X, RIGHT, {}, ValueError, r"scores: the score at \(-1.24, -1.24\) is nan"),
        (
            lambda Z: np.zeros((len(Z), 7)),
            X,
            RIGHT,
            {},
            ValueError,
            "6 classes at most can be told apart",
        ),
        (lambda Z: ["a"] * len(Z), X, RIGHT, {}, ValueError, "scores: expected real numbers"),
        (MLP(3, [1], rng=0), X, RIGHT, {}, ValueError, "expected a model of exactly two features, got one of 3"),
        (3.0, X, RIGHT, {}, TypeError, "expected a Module or a function.*got float; of an estimator, pass its method"),
        (right, X, RIGHT, {"resolution": 1}, ValueError, "resolution: expected a whole number of at least 2, got 1"),
        (right, X, RIGHT, {"feature_names": ["a"]}, ValueError, r"feature_names: expected 2 names, got \['a'\]"),
        (right, X, RIGHT, {"target_names": "ab"}, ValueError, "target_names: expected 2 names, got 'ab'"),
    ],
)
def test_wrong_boundaries(predict, data, y, keywords, error, message):
    refused(error, message, plots.plot_decision_boundary, predict, data, y, **keywords)
