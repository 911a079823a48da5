"""What all plots share: the `Axes` they draw into, colours and line styles, checks of what they are given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from autograd_mini.checks import Array, check_finite, needed, real_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
else:
    Axes = Any  # Matplotlib is imported when something is drawn

# Both rows can be told apart with any of the three kinds of colour blindness: a test holds them to it. The lines have a
# contrast of 3 or more on white, so their orange is darker than that of an area.
LINES = ("#0877bd", "#d96c00", "#2b2f33", "#7316d6", "#e6336b", "#12a3a3")
AREAS = ("#f59322", "#0877bd", "#00b8b8", "#7316d6", "#e62e6b", "#33303a")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2)), (0, (3, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, GRID = "#2b2f33", "#d5d8da"


def require_matplotlib(ax: Any) -> None:
    """Raise unless Matplotlib is installed and `ax` is an Axes of it or None; called before any other work.

    Raises
    ------
    MissingDependencyError
        If Matplotlib isn't installed.
    TypeError
        If `ax` is anything else.
    """
    kind = needed("matplotlib.axes", 'plots need Matplotlib; run: pip install "autograd-mini[plot]"').Axes
    if ax is not None and not isinstance(ax, kind):
        raise TypeError(
            f"ax: expected one Matplotlib Axes or None, got {type(ax).__name__}; "
            f"pass one of those that plt.subplots or figure.subplots returns"
        )


def given_or_new(ax: Axes | None) -> Axes:
    """Return the Axes to draw into: the given one, or that of a new figure, which Jupyter shows as any of pyplot's."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def finish(ax: Axes, xlabel: str, ylabel: str, title: str | None, grid: str | None = "both") -> Axes:
    """Write the labels, and the title where there is one, put a faint grid behind everything, and return the Axes."""
    ax.set(xlabel=xlabel, ylabel=ylabel, **({} if title is None else {"title": title}))
    if grid is not None:
        ax.grid(True, axis=grid, color=GRID, linewidth=0.6)  # type: ignore[arg-type, unused-ignore]
        ax.set_axisbelow(True)
    return ax


def line_style(i: int) -> dict[str, Any]:
    """Return the colour and the dashes of the i-th curve of a plot; no two of the first 36 are equal.

    Examples
    --------
    >>> line_style(0), line_style(1)
    ({'color': '#0877bd', 'linestyle': '-'}, {'color': '#d96c00', 'linestyle': '--'})
    >>> line_style(6)
    {'color': '#0877bd', 'linestyle': '--'}
    """
    turn, place = divmod(i, len(LINES))
    return {"color": LINES[place], "linestyle": DASHES[(place + turn) % len(DASHES)]}


# ---------------------------------------------------------------------------------------------------- checks


def numbers(name: str, data: Any, ndim: int | None = 1, finite: bool = False) -> Array:
    """Return numbers as an array of floats of so many dimensions, at least one of them.

    Raises
    ------
    ValueError
        If they aren't real numbers, are of another shape, none at all, or not finite where they have to be.

    Examples
    --------
    >>> numbers("loss", [2, 1])
    array([2., 1.])
    >>> numbers("loss", [])
    Traceback (most recent call last):
    ValueError: loss: expected at least one number, got none
    """
    array = real_array(name, data, advice="of a Value, pass its .data")
    if not array.size:
        raise ValueError(f"{name}: expected at least one number, got none")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name}: expected {ndim} dimension{'s' if ndim > 1 else ''}, got shape {array.shape}")
    if finite:
        check_finite(name, array)
    return array


def points(name: str, data: Any, expected: str) -> Array:
    """Return points of a plane as an array of shape (n, 2).

    Raises
    ------
    ValueError
        If they aren't finite numbers, two a row.

    Examples
    --------
    >>> points("path", [[1, 2]], "two parameters a row, shape (steps, 2)")
    array([[1., 2.]])
    """
    array = numbers(name, data, ndim=None, finite=True)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}: expected {expected}, got shape {array.shape}")
    return array


def names(name: str, given: Sequence[str], count: int) -> list[str]:
    """Return so many names.

    Raises
    ------
    ValueError
        If there are more or fewer, or it is one text.

    Examples
    --------
    >>> names("feature_names", ("width", "height"), 2)
    ['width', 'height']
    """
    if isinstance(given, str) or len(given) != count:
        raise ValueError(f"{name}: expected {count} names, got {given!r}")
    return [str(part) for part in given]


def interval_of(name: str, interval: Any) -> tuple[float, float]:
    """Return the two ends of an interval as floats.

    Raises
    ------
    ValueError
        If it isn't two finite numbers, the smaller one first.

    Examples
    --------
    >>> interval_of("interval", (-5, 5))
    (-5.0, 5.0)
    """
    ends = list(interval) if isinstance(interval, Iterable) and not isinstance(interval, str) else []
    try:
        low, high = (float(end) for end in ends)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{name}: expected two finite numbers, the smaller one first, got {interval!r}")
    return low, high


def padded(coordinates: Array, share: float) -> tuple[float, float]:
    """Return an interval around the coordinates, wider than they need by that share of their span on both sides.

    Examples
    --------
    >>> import numpy as np
    >>> padded(np.array([0.0, 10.0]), 0.1)
    (-1.0, 11.0)
    >>> padded(np.array([3.0]), 0.1)
    (2.0, 4.0)
    """
    low, high = float(coordinates.min()), float(coordinates.max())
    margin = share * (high - low) if high > low else max(1.0, 0.1 * abs(low))
    return low - margin, high + margin
