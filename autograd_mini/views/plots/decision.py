"""The regions in which a classifier of two features decides for each class, with the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked_whole
from autograd_mini.nn.module import Module
from autograd_mini.training import eager
from autograd_mini.views import colours
from autograd_mini.views.plots import axes
from autograd_mini.views.plots.axes import AREAS, INK, MARKERS, Axes

_BANDS = 8  # shades on each side of a boundary
_TINT = 0.4  # how much of its colour the region of a class has, where there are more than two


def plot_decision_boundary(
    predict_or_model: Module | Callable[[Array], Any],
    X: Any,
    y: Any,
    ax: Axes | None = None,
    resolution: int = 100,
    threshold: float | None = None,
    feature_names: Sequence[str] = ("x1", "x2"),
    target_names: Sequence[str] | None = None,
    title: str | None = None,
) -> Axes:
    """Fill the regions in which a classifier decides for each class, and draw the data on top.

    Of two classes the first is orange and the second blue, the fuller the farther the score is from the threshold; the
    line is where the score is the threshold. Of more classes each has its colour, and the largest score decides.

    Parameters
    ----------
    predict_or_model : Module or callable
        A model, called with one example at a time, in evaluation mode; or a function of an array of shape (n, 2), such
        as ``trainer.predict``. It gives one score for each example, (n,), for two classes, or one for each class,
        (n, k). One number for each example may also be the class itself, as it is called in `y`.
    X : array_like of shape (n, 2)
        The examples.
    y : array_like of shape (n,) or (n, k)
        Their classes: any two numbers or names for two classes, 0 … k-1 (or k names, in sorted order) for k, or one-hot
        rows.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    resolution : int, optional
        At how many points along each axis the classifier is asked.
    threshold : float, optional
        A score above it means the second class. By default 0.5 where all scores lie between 0 and 1, as probabilities
        do, and 0 otherwise.
    feature_names : sequence of str, optional
        The labels of the axes, with the units.
    target_names : sequence of str, optional
        What to call the classes in the legend.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If `predict_or_model` can't be called, or `ax` isn't an Axes.
    ValueError
        If there aren't exactly two features, there isn't a class for each example, the scores are nan or of another
        shape, or a threshold is given for several scores.
    """
    axes.require_matplotlib(ax)
    points = axes.points("X", X, "exactly two features, shape (examples, 2)")
    if not callable(predict_or_model):
        raise TypeError(
            f"predict_or_model: expected a Module or a function of an array of shape (n, 2), got "
            f"{type(predict_or_model).__name__}; of an estimator, pass its method predict"
        )
    n_inputs = getattr(predict_or_model, "n_inputs", 2) if isinstance(predict_or_model, Module) else 2
    if n_inputs != 2:
        raise ValueError(f"predict_or_model: expected a model of exactly two features, got one of {n_inputs}")
    labels = _labels(y, len(points))
    steps = checked_whole("resolution", resolution, 2)
    xs, ys = (np.linspace(*axes.padded(column, 0.12), steps) for column in points.T)
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(xs, ys)])
    scores, classes = _scores(predict_or_model, grid, labels)
    if scores.ndim == 2 and threshold is not None:
        raise ValueError(f"threshold: is for one score, but there is one for each of {scores.shape[1]} classes")
    x_name, y_name = axes.names("feature_names", feature_names, 2)
    called = axes.names("target_names", classes.tolist() if target_names is None else target_names, len(classes))

    ax = axes.given_or_new(ax)
    if scores.ndim == 1:
        cut = default_threshold(scores) if threshold is None else float(threshold)
        _shade(ax, xs, ys, (scores - cut).reshape(steps, steps))
    else:
        _fill(ax, xs, ys, scores.reshape(steps, steps, -1))
    for i, (label, name) in enumerate(zip(classes, called, strict=True)):
        x1, x2 = points[_equal(labels, label)].T
        look: dict[str, Any] = {"color": AREAS[i], "marker": MARKERS[i], "edgecolors": "white"}
        ax.scatter(x1, x2, s=34, linewidths=0.9, zorder=3, label=name, **look)
    ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    ax.legend(title="class", framealpha=0.9)
    return axes.finish(ax, x_name, y_name, title, grid=None)


# --------------------------------------------------------------------------------------------------- the data


def _labels(y: Any, examples: int) -> Array:
    """Return one label an example: of one-hot rows, the column of the 1."""
    labels = np.asarray(y)
    if labels.ndim == 2:
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
    if labels.ndim != 1 or len(labels) != examples:
        raise ValueError(f"y: expected one class for each of the {examples} examples, got shape {np.shape(y)}")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("y: expected a class for each example, got nan or an infinite number")
    return labels


# ------------------------------------------------------------------------------------------------- the scores


def _scores(predict: Any, grid: Array, labels: Array) -> tuple[Array, Array]:
    """Return the scores at the points, (n,) or (n, k), and the classes that they are for."""
    raw = eager.outputs(predict, grid.tolist()) if isinstance(predict, Module) else np.asarray(predict(grid))
    present = np.unique(labels)
    if raw.ndim == 1 and len(raw) == len(grid) and len(present) > 2 and _all_in(raw, present):
        return (raw[:, None] == present).astype(float), present
    if raw.ndim == 1 and raw.dtype.kind in "USO" and _all_in(raw, present):
        return (raw == present[-1]).astype(float), _two_classes(present)
    scores = axes.numbers("scores", raw, ndim=None)
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    if len(scores) != len(grid) or scores.ndim not in (1, 2):
        raise ValueError(
            f"scores: expected shape ({len(grid)},) or ({len(grid)}, classes) for {len(grid)} examples, got {raw.shape}"
        )
    if np.isnan(scores).any():
        where = grid[np.isnan(scores).reshape(len(grid), -1).any(axis=1)][0]
        raise ValueError(f"scores: the score at ({where[0]:g}, {where[1]:g}) is nan")
    if scores.ndim == 1:
        return scores, _two_classes(present)
    return scores, _many_classes(present, scores.shape[1])


def default_threshold(scores: Array) -> float:
    """Return 0.5 for what may be probabilities, else 0.

    Scores of another kind that all lie between 0 and 1 have no boundary at 0, so that nothing is lost.

    Examples
    --------
    >>> default_threshold(np.array([0.2, 0.9])), default_threshold(np.array([-3.0, 0.9]))
    (0.5, 0.0)
    """
    return 0.5 if scores.min() >= 0.0 and 0.0 < scores.max() <= 1.0 else 0.0


def _all_in(found: Array, known: Array) -> bool:
    return set(found.tolist()) <= set(known.tolist())


def _equal(labels: Array, label: Any) -> Array:
    """Return where a label is; NumPy's own ``==`` warns where some are names and some numbers."""
    return np.array([one == label for one in labels.tolist()])


def _two_classes(present: Array) -> Array:
    if len(present) > 2:
        raise ValueError(
            f"scores: one score for each example tells two classes apart, but y has {len(present)}; "
            f"give one for each class, shape (n, {len(present)})"
        )
    if len(present) == 2:
        return present
    only = present[0]
    if only in (0, 1):
        return np.array([0, 1])
    return np.array([-1, 1]) if only == -1 else np.array([f"not {only}", only], dtype=object)


def _many_classes(present: Array, count: int) -> Array:
    if count > len(AREAS):
        raise ValueError(f"scores: {len(AREAS)} classes at most can be told apart in one plot, got {count}")
    if present.dtype.kind in "biuf" and _all_in(present, np.arange(count)):
        return np.arange(count)
    if len(present) == count:
        return present
    raise ValueError(f"y: expected the classes 0 to {count - 1}, one for each score, got {present.tolist()!r:.60}")


# ------------------------------------------------------------------------------------------------ the regions


def _shade(ax: Axes, xs: Array, ys: Array, margin: Array) -> None:
    """Fill the two regions: orange where the margin is negative, grey about 0, blue where it is positive."""
    limit = float(np.abs(margin[np.isfinite(margin)]).max(initial=0.0))
    if limit == 0.0 and np.isfinite(margin).all():  # undecided everywhere
        ax.contourf(xs, ys, margin, levels=[-1.0, 1.0], colors=[colours.ZERO], zorder=1)
        return
    limit = limit or 1.0
    margin = np.clip(np.where(margin > 0.0, margin, np.minimum(margin, -1e-9 * limit)), -limit, limit)
    levels = np.linspace(-limit, limit, 2 * _BANDS + 1)
    middles = (levels[:-1] + levels[1:]) / 2
    shades = [region_colour(middle / middles[-1]) for middle in middles]
    ax.contourf(xs, ys, margin, levels=levels, colors=shades, zorder=1)
    if margin.min() < 0.0 < margin.max():
        ax.contour(xs, ys, margin, levels=[0.0], colors=[INK], linewidths=1.4, zorder=2)


def region_colour(margin: float) -> str:
    """Return the colour of a region, for a margin from -1 to 1: never so grey that its side couldn't be told.

    Examples
    --------
    >>> region_colour(-1.0), region_colour(0.01)
    ('#f0b168', '#c5d8e4')
    """
    share = 0.15 + 0.5 * abs(margin)
    return colours.diverging(share if margin > 0 else -share, 1.0)


def _fill(ax: Axes, xs: Array, ys: Array, scores: Array) -> None:
    """Fill the region of each class: where its score is larger than every other."""
    from matplotlib.colors import ListedColormap

    count = scores.shape[2]
    tints = [tint(colour) for colour in AREAS[:count]]
    winner = scores.argmax(axis=2)
    # Below: the classes cell by cell, which leaves no gap where three regions meet; above: their smooth outlines.
    ax.pcolormesh(xs, ys, winner, cmap=ListedColormap(tints), vmin=-0.5, vmax=count - 0.5, shading="nearest", zorder=1)
    for k in range(count):
        lead = np.clip(scores[:, :, k] - np.delete(scores, k, axis=2).max(axis=2), -1e300, 1e300)
        if lead.max() > 0.0:
            ax.contourf(xs, ys, lead, levels=[0.0, np.inf], colors=[tints[k]], zorder=1.1)
        if lead.min() < 0.0 < lead.max():
            ax.contour(xs, ys, lead, levels=[0.0], colors=[INK], linewidths=1.0, zorder=2)


def tint(colour: str) -> str:
    """Return a colour of the palette as a region has it.

    Examples
    --------
    >>> tint("#0877bd")
    '#8ebcd9'
    """
    channels = np.array([[int(part[i : i + 2], 16) for i in (1, 3, 5)] for part in (colours.ZERO, colour)])
    mixed = np.rint(channels[0] + (channels[1] - channels[0]) * _TINT).astype(int)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
