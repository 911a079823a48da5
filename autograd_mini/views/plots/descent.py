"""The path of gradient descent over the contour lines of a loss of two parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked_whole
from autograd_mini.engine.modes import no_grad
from autograd_mini.engine.value import Value
from autograd_mini.views import colours
from autograd_mini.views.plots import axes
from autograd_mini.views.plots.axes import INK, Axes

_PATH = "#d96c00"
_MARKED = 100  # a path of up to this many steps has a dot after each
_DARKEST = 0.75  # how much of the blue the highest band has; the lowest is the grey of 0


def plot_descent_path(
    f: Callable[[Any, Any], Any],
    path: Any,
    ax: Axes | None = None,
    interval: Any = None,
    levels: int | Sequence[float] = 12,
    resolution: int = 100,
    parameter_names: Sequence[str] = ("θ₁", "θ₂"),
    title: str | None = None,
) -> Axes:
    """Draw the path of gradient descent over the contour lines of a loss of two parameters.

    Parameters
    ----------
    f : callable
        The loss: takes two numbers, or two Values, and returns one.
    path : array_like of shape (k, 2)
        The parameters before the first step and after each.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    interval : tuple, optional
        From where to where: ``(low, high)`` for both parameters or ``((low, high), (low, high))``. By default what the
        path needs.
    levels : int or sequence of float, optional
        How many bands of the loss to draw, or their limits. If a number, the limits are placed so that the lines around
        a valley are about equally far from each other, however steep it is.
    resolution : int, optional
        At how many points along each axis the loss is computed.
    parameter_names : sequence of str, optional
        The labels of the axes.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If `f` can't be called, or `ax` isn't an Axes.
    ValueError
        If the path isn't of shape (k, 2) and finite, an interval is empty, the levels don't increase, or the loss is
        nowhere finite.
    """
    axes.require_matplotlib(ax)
    if not callable(f):
        raise TypeError(f"f: expected a function of two parameters, got {type(f).__name__}")
    steps = axes.points("path", path, "two parameters a row, shape (steps, 2)")
    x_name, y_name = axes.names("parameter_names", parameter_names, 2)
    count = checked_whole("resolution", resolution, 2)
    xs, ys = (np.linspace(*ends, count) for ends in _intervals(interval, steps))
    losses = losses_on_grid(f, xs, ys)
    limits = _limits(levels, losses)

    ax = axes.given_or_new(ax)
    _contours(ax, xs, ys, losses, limits)
    last = len(steps) - 1
    taken = f"{last} step{'' if last == 1 else 's'}"
    ax.plot(*steps.T, color="white", linewidth=3.6, zorder=3)  # an outline, so that the path is seen on every blue
    marker = "o" if last <= _MARKED else None
    ax.plot(*steps.T, color=_PATH, linewidth=1.8, marker=marker, markersize=3.5, zorder=3.1, label=f"path, {taken}")
    ends: dict[str, Any] = {"mec": "white", "zorder": 4}
    ax.plot(*steps[0], "s", color=INK, markersize=8, label="start", **ends)
    ax.plot(*steps[-1], "*", color=_PATH, markersize=16, label="end", **ends)
    ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    ax.legend(framealpha=0.9)
    return axes.finish(ax, x_name, y_name, title, grid=None)


def _intervals(interval: Any, steps: Array) -> list[tuple[float, float]]:
    if interval is None:
        spans = np.ptp(steps, axis=0)
        # A path along one axis would make a very narrow picture: no side is shorter than a third of the other.
        least = float(spans.max()) / 3.0
        middle = steps.mean(axis=0)
        return [axes.padded(column, 0.2) for column in np.vstack([steps, middle - least / 2, middle + least / 2]).T]
    parts = list(interval) if isinstance(interval, Iterable) else []
    if len(parts) == 2 and all(isinstance(part, Iterable) for part in parts):
        return [axes.interval_of("interval", part) for part in parts]
    return [axes.interval_of("interval", interval)] * 2


def losses_on_grid(f: Callable[[Any, Any], Any], xs: Array, ys: Array) -> Array:
    """Return the loss at every point, of shape (len(ys), len(xs)); no graph is built.

    Raises
    ------
    ValueError
        If it is nowhere finite.

    Examples
    --------
    >>> losses_on_grid(lambda a, b: a + 10 * b, np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0]))
    array([[ 1.,  2.,  3.],
           [11., 12., 13.]])
    >>> losses_on_grid(lambda a, b: (a * b).exp(), np.array([0.0]), np.array([1.0]))
    array([[1.]])
    """
    first, second = xs.tolist(), ys.tolist()
    with no_grad(), np.errstate(all="ignore"):
        number: Any = np.float64  # divides by 0 as a Value does
        try:
            f(number(first[0]), number(second[0]))
        except AttributeError:  # f calls a method that only Values have
            number = Value
        found = [[f(number(a), number(b)) for a in first] for b in second]
    plain = [[loss.data if isinstance(loss, Value) else loss for loss in row] for row in found]
    try:
        losses = np.array([[float(loss) for loss in row] for row in plain])
    except (TypeError, ValueError):
        raise ValueError(f"f: expected one number, but it returned {plain[0][0]!r:.60}") from None
    if not np.isfinite(losses).any():
        raise ValueError(f"f: nowhere finite in {first[0]:g} … {first[-1]:g}, {second[0]:g} … {second[-1]:g}")
    return losses


def _limits(levels: Any, losses: Array) -> Array:
    if np.ndim(levels) == 0:
        return even_levels(losses, checked_whole("levels", levels, 1))
    limits = axes.numbers("levels", levels, finite=True)
    if len(limits) < 2 or np.any(np.diff(limits) <= 0):
        raise ValueError(f"levels: expected at least two increasing numbers, got {limits.tolist()}")
    return limits


def even_levels(losses: Array, bands: int) -> Array:
    """Return the limits of so many bands: quantiles, so that they follow a bowl of any steepness.

    The share of the area below a limit grows with the square of its number, as it does for circles equally far apart.

    Examples
    --------
    >>> even_levels(np.arange(101.0) ** 2, 2)
    array([    0.,   625., 10000.])
    """
    finite = losses[np.isfinite(losses)]
    limits = np.unique(np.quantile(finite, np.linspace(0.0, 1.0, bands + 1) ** 2))
    return limits if len(limits) > 1 else np.array([limits[0] - 0.5, limits[0] + 0.5])


def _contours(ax: Axes, xs: Array, ys: Array, losses: Array, limits: Array) -> None:
    shades = [
        colours.diverging(_DARKEST * i / max(len(limits) - 2, 1), 1.0) if i else colours.ZERO
        for i in range(len(limits) - 1)
    ]
    shown = np.where(np.isfinite(losses), losses, np.nan)
    # What lies below and above the limits has the colour of the nearest band.
    outside = [shades[0], *shades, shades[-1]]
    ax.contourf(xs, ys, shown, levels=limits, colors=outside, extend="both", zorder=1)
    inner = limits[1:-1]
    if len(inner):
        lines = ax.contour(xs, ys, shown, levels=inner, colors=["white"], linewidths=0.7, zorder=2)
        ax.clabel(lines, inner[1::2], fmt="%.3g", fontsize=8, colors=INK)
