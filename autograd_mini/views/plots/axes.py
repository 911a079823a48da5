"""What all plots share: the `Axes` they draw into, colours and line styles, checks of what they are given."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_mini.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

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
    try:
        import matplotlib.axes
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise MissingDependencyError('plots need Matplotlib; run: pip install "autograd-mini[plot]"') from error
    if ax is not None and not isinstance(ax, matplotlib.axes.Axes):
        raise TypeError(
            f"ax: expected one Matplotlib Axes or None, got {type(ax).__name__}; "
            f"pass one of those that plt.subplots or figure.subplots returns"
        )


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the Axes to draw into: the given one, or that of a new figure, which Jupyter shows as any of pyplot's."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def finish(ax: Axes, xlabel: str, ylabel: str, title: str | None, grid: str | None = "both") -> Axes:
    """Write the labels, and the title where there is one, put a faint grid behind everything, and return the Axes."""
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if title is not None:
        ax.set_title(title)
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
    try:
        array = np.asarray(data, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected real numbers, got {data!r:.60}; of a Value, pass its .data") from None
    if not array.size:
        raise ValueError(f"{name}: expected at least one number, got none")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name}: expected {ndim} dimension{'s' if ndim > 1 else ''}, got shape {array.shape}")
    if finite and not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"{name}: expected finite numbers, got {array[tuple(place)]} at [{', '.join(map(str, place.tolist()))}]"
        )
    return array


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


def whole_number(name: str, number: Any, least: int) -> int:
    """Return a whole number of at least so much.

    Raises
    ------
    ValueError
        If it isn't one.

    Examples
    --------
    >>> whole_number("resolution", 100, 2)
    100
    """
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {number!r}")
    return int(number)


def padded(coordinates: Array, share: float) -> tuple[float, float]:
    """Return an interval around the coordinates, wider than they need by that share of their span on both sides.

    Examples
    --------
    >>> padded(np.array([0.0, 10.0]), 0.1)
    (-1.0, 11.0)
    >>> padded(np.array([3.0]), 0.1)
    (2.0, 4.0)
    """
    low, high = float(coordinates.min()), float(coordinates.max())
    margin = share * (high - low) if high > low else max(1.0, 0.1 * abs(low))
    return low - margin, high + margin
