"""The network as circles and lines, twice: with the weights and an example's activations, and with the gradients.

Ids, colours and widths are those of `autograd_mini.views.network`; but each column takes the whole height, and nothing
depends on the numbers, so that from one epoch to the next only colours, widths and texts change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from autograd_mini.views import colours
from autograd_mini.views.live.marks import short, tag, text

_LEAST_FOR_TEXT = 15.0  # radius of a circle with a number in it
_MOST_LABELS = 12  # weights that can have their value beside them
_WIDEST = ((12, 5.0, 0.5), (160, 3.5, 0.3), (700, 2.2, 0.1), (math.inf, 1.6, 0.04))


@dataclass(frozen=True)
class LineLook:
    """How wide the line of the largest number is, and how faint that of 0: the more lines, the finer."""

    thinnest: float
    widest: float
    faintest: float
    dashes: str

    @classmethod
    def of(cls, count: int) -> LineLook:
        """Return the look of so many lines."""
        widest, faintest = next((widest, faintest) for most, widest, faintest in _WIDEST if count <= most)
        return cls(0.4, widest, faintest, "6 4" if count <= _WIDEST[1][0] else "3 2")

    def attributes(self, number: float, largest: float) -> dict[str, Any]:
        """Return the colour, the width and the dashes of the line of a number."""
        share = 1.0 if not math.isfinite(number) else min(abs(number) / largest, 1.0) if largest else 0.0
        return {
            "stroke": line_colour(number),
            "stroke_width": f"{self.thinnest + (self.widest - self.thinnest) * share:.2f}",
            "stroke_opacity": f"{self.faintest + (1.0 - self.faintest) * share:.2f}",
            "stroke_dasharray": self.dashes if number < 0 else None,
        }


def line_colour(number: float) -> str:
    """Return the colour of a line, by the sign of its number.

    Examples
    --------
    >>> line_colour(-0.1) == colours.NEGATIVE, line_colour(0.0) == colours.LINE
    (True, True)
    """
    if number == 0 or math.isnan(number):
        return colours.NOT_A_NUMBER if number else colours.LINE
    return colours.NEGATIVE if number < 0 else colours.POSITIVE


class NetworkPanel:
    """Where the circles and lines of a network are.

    Parameters
    ----------
    sizes : list of int
        How many circles each column has.
    headings : list of str
        What stands below each column.
    width, height : float
        The room there is.
    """

    def __init__(self, sizes: list[int], headings: list[str], width: float, height: float) -> None:
        self.sizes = sizes
        self._headings, self._width, self._height = headings, width, height
        self._columns = [self._column(i, size) for i, size in enumerate(sizes)]
        self._count = sum(a * b for a, b in pairwise(sizes))
        self.look = LineLook.of(self._count)

    def _column(self, i: int, size: int) -> tuple[float, list[float], float]:
        """Return the x, the ys and the radius of a column's circles."""
        gap = min(self._height / size, 86.0)
        radius = min(22.0, 0.42 * gap)
        x = 34.0 + (self._width - 80.0) * i / (len(self.sizes) - 1)
        return x, [self._height / 2 + (k - (size - 1) / 2) * gap for k in range(size)], radius

    def svg(
        self,
        lines: Sequence[float],
        largest: float,
        circles: Sequence[float | None],
        reaches: Sequence[float],
        kind: str,
    ) -> Iterator[str]:
        """Iterate over the elements.

        Parameters
        ----------
        lines : sequence of float
            The number of every line, layer by layer, neuron by neuron.
        largest : float
            The number of the widest line.
        circles : sequence of float or None
            The number of every circle, column by column; None for an empty one.
        reaches : sequence of float
            For each column the number of the fullest colour.
        kind : str
            The class of the group.
        """
        numbers, values = iter(lines), iter(circles)
        labels: list[str] = []
        inside = [tag("g", *self._lines(layer, numbers, largest, labels)) for layer in range(1, len(self.sizes))]
        inside += labels
        for column, reach in enumerate(reaches):
            inside += self._circles(column, values, reach)
        for (x, _, _), heading in zip(self._columns, self._headings, strict=True):
            inside.append(text(heading, x, self._height + 16, 11, "middle"))
        yield tag("g", *inside, class_=kind)

    def _lines(self, layer: int, numbers: Iterator[float], largest: float, labels: list[str]) -> Iterator[str]:
        (x1, sources, _), (x2, targets, _) = self._columns[layer - 1 : layer + 1]
        # Here on its way no label of a line between two columns with equal gaps stands on another's.
        share = 1 / (len(targets) + 1) if len(targets) > 1 else 0.5
        for y2 in targets:
            for y1 in sources:
                number = next(numbers)
                yield tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **self.look.attributes(number, largest))
                if self._count <= _MOST_LABELS:
                    x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
                    labels.append(tag("rect", x=x - 17, y=y - 7.5, width=34, height=14, rx=3, fill=colours.ZERO))
                    labels.append(text(short(number), x, y + 3.5, 11, "middle", class_="am-label", fill="#000000"))

    def _circles(self, column: int, values: Iterator[float | None], reach: float) -> Iterator[str]:
        x, ys, radius = self._columns[column]
        stroke, width = colours.OUTLINES["input"] if column == 0 else colours.OUTLINE, 1.4 if radius > 6 else 0.5
        for y in ys:
            value = next(values)
            fill = colours.CONSTANT if value is None else colours.diverging(value, reach)
            yield tag("circle", cx=x, cy=y, r=radius, fill=fill, stroke=stroke, stroke_width=width)
            if radius >= _LEAST_FOR_TEXT:
                words, ink = "" if value is None else short(value), colours.ink_on(fill)
                yield text(words, x, y + 3.5, 11, "middle", class_="am-number", fill=ink)


def legend(right: float, y: float) -> str:
    """Return what says which lines are negative."""
    inside = []
    for name, number, left in (("negative", -1.0, right - 166.0), ("positive", 1.0, right - 80.0)):
        inside.append(tag("line", x1=left, y1=y - 4, x2=left + 26, y2=y - 4, **LineLook.of(1).attributes(number, 2.0)))
        inside.append(text(name, left + 31, y, 11))
    return tag("g", *inside, class_="am-key")
