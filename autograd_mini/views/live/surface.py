"""What a model says over its inputs: the decision boundary for two features, the curve for one, with the examples.

For two features the outputs over a grid become small integers, indices into a palette: compact in a file, and pixels of
a picture as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_mini.nn.losses import LOSSES
from autograd_mini.views import colours
from autograd_mini.views.live.measuring import spread
from autograd_mini.views.plots.axes import AREAS, padded

Array = np.ndarray[Any, Any]

_SIDE, _COARSE_SIDE = 40, 20  # points along each axis; fewer where the model has to be called for each
_CURVE = 80
_MOST_POINTS = 300  # examples that are drawn
_LEVELS = 127  # shades on each side of the boundary


@dataclass(frozen=True, eq=False)
class Surface:
    """The points at which a model is evaluated, and what its outputs mean.

    Attributes
    ----------
    kind : {"score", "classes", "curve"}
        One output over two features, from orange to blue; the largest of several outputs over two features; the outputs
        over one feature.
    grid : array of shape (points, features)
        The points: for two features row by row, from the lower left.
    x_range, y_range : (float, float)
        What the axes span: the features, or the feature and the target.
    points, targets : array
        The examples that are drawn, at most 300; for classes their numbers counted from 0.
    middle, reach : float
        The score that is neither orange nor blue, and how far from it the colour is full.
    is_decision : bool
        Whether the middle is a boundary between two classes.
    """

    kind: str
    grid: Array
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    points: Array
    targets: Array
    middle: float = 0.0
    reach: float = 1.0
    is_decision: bool = False

    @property
    def side(self) -> int:
        """How many points the grid has along an axis."""
        return math.isqrt(len(self.grid)) if self.kind != "curve" else len(self.grid)

    @property
    def palette(self) -> list[str]:
        """The colours that `shades` counts; the first is for nan."""
        if self.kind == "classes":
            return [colours.NOT_A_NUMBER, *AREAS]
        levels = range(-_LEVELS, _LEVELS + 1)
        return [colours.NOT_A_NUMBER, *(colours.diverging(float(level), float(_LEVELS)) for level in levels)]

    def shades(self, outputs: Array) -> Array:
        """Return one small integer a point of the grid: 0 for nan, else from 1 on."""
        known = np.isfinite(outputs).all(axis=1)
        if self.kind == "classes":
            found = np.argmax(np.where(np.isfinite(outputs), outputs, -np.inf), axis=1) % len(AREAS) + 1
        else:
            shares = np.clip((np.where(known, outputs[:, 0], 0.0) - self.middle) / self.reach, -1.0, 1.0)
            found = np.round(shares * _LEVELS) + _LEVELS + 1
        return np.where(known, found, 0).astype(np.uint8)

    def boundary(self, shades: Array) -> Array:
        """Return the boundary's pieces, x and y of both ends, in steps of the grid from its lower left corner."""
        if not self.is_decision:
            return np.empty((0, 4))
        heights = shades.reshape(self.side, self.side).astype(float) - (_LEVELS + 1)
        # One step outside of the grid the surface goes on as straight as it came, so that the line reaches the frame.
        return _zero_line(np.pad(heights, 1, mode="reflect", reflect_type="odd"), np.arange(self.side + 2) - 0.5)


def surface_of(X: Array, y: Array, n_outputs: int, loss: Any, is_quick: bool) -> Surface | None:
    """Return the surface of a model of one or two features; None for more, and for several numbers over two."""
    if X.ndim != 2 or X.shape[1] not in (1, 2):
        return None
    chosen = spread(len(X), _MOST_POINTS)
    points, targets = X[chosen], y[chosen]
    x_range = _range(X[:, 0])
    if X.shape[1] == 1:
        grid = np.linspace(*x_range, _CURVE).reshape(-1, 1)
        return Surface("curve", grid, x_range, _range(y.ravel()), points, targets.reshape(len(chosen), -1))
    y_range = _range(X[:, 1])
    grid = _centres(x_range, y_range, _SIDE if is_quick else _COARSE_SIDE)
    if n_outputs > 1:
        classes = _classes(targets, n_outputs)
        return None if classes is None else Surface("classes", grid, x_range, y_range, points, classes)
    found = np.unique(y)
    is_decision = len(found) == 2
    middle, reach = float(found[0] + found[-1]) / 2, float(found[-1] - found[0]) / 2 or 1.0
    if loss is LOSSES["binary_cross_entropy_with_logits"]:
        middle, reach = 0.0, 3.0
    targets = targets.reshape(len(chosen))
    if is_decision:
        targets = (targets == found[1]).astype(int)
    return Surface("score", grid, x_range, y_range, points, targets, middle, reach, is_decision)


def _range(column: Array) -> tuple[float, float]:
    low, high = padded(column, 0.12)
    return float(low), float(high)


def _centres(x_range: tuple[float, float], y_range: tuple[float, float], side: int) -> Array:
    """Return the middles of the pixels of a picture, row by row from the lowest."""
    shares = (np.arange(side) + 0.5) / side
    xs, ys = (low + (high - low) * shares for low, high in (x_range, y_range))
    return np.column_stack([axis.ravel() for axis in np.meshgrid(xs, ys)])


def _classes(targets: Array, n_outputs: int) -> Array | None:
    """Return classes counted from 0, also those of one-hot rows; None if the targets are something else."""
    if targets.ndim == 2 and targets.shape[1] == n_outputs and set(np.unique(targets).tolist()) <= {0.0, 1.0}:
        return np.asarray(targets.argmax(axis=1))
    flat = targets.reshape(len(targets), -1)
    is_class = flat.shape[1] == 1 and bool(np.all((flat == np.floor(flat)) & (flat >= 0) & (flat < n_outputs)))
    return flat[:, 0].astype(int) if is_class else None


def _zero_line(heights: Array, places: Array) -> Array:
    """Return where a surface of triangles, two in each square of the grid, has the height 0: x, y, x, y of a piece."""
    last = len(places) - 1

    def corner(row: int, column: int) -> tuple[Array, Array]:
        """Return the places of one corner of all squares, and the heights there."""
        rows, columns = places[row : last + row], places[column : last + column]
        here = np.stack(np.broadcast_arrays(columns, rows[:, None]), axis=-1)
        return here, heights[row : last + row, column : last + column]

    pieces = []
    for third in ((1, 0), (0, 1)):
        corners = [corner(0, 0), corner(*third), corner(1, 1)]
        ends, crossed = [], []
        for (a, p), (b, q) in zip(corners, corners[1:] + corners[:1], strict=True):
            is_crossed = (p >= 0.0) != (q >= 0.0)
            share = p / np.where(is_crossed, p - q, 1.0)
            ends.append(a + share[..., None] * (b - a))
            crossed.append(is_crossed)
        # The line crosses two sides of a triangle, or none.
        pieces.append(np.stack(ends, axis=2)[np.stack(crossed, axis=2)].reshape(-1, 4))
    return np.concatenate(pieces)
