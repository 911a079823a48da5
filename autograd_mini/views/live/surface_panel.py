"""The decision boundary over two features, or the curve over one, with the examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import format_number
from autograd_mini.views import colours
from autograd_mini.views.live.marks import marker, place, png_address, text, ticks
from autograd_mini.views.live.surface import Surface
from autograd_mini.views.plots.axes import AREAS

Array = np.ndarray[Any, Any]

_ON_REGIONS = "#111111"  # regions are light, on every page
_DASHES = ("", "6 3", "2 2", "8 3 2 3")


class SurfacePanel:
    """Axes for a surface.

    Parameters
    ----------
    surface : Surface
        What to show.
    example : array
        The features of the chosen example, which gets a ring, and its target.
    width, height : float
        The room there is.
    """

    def __init__(self, surface: Surface, example: tuple[Array, Array], width: float, height: float) -> None:
        self.surface = surface
        self._example = example
        self.left, self._right, self.height = 44.0, width - 6.0, height

    @property
    def width(self) -> float:
        """How wide the area between the axes is."""
        return self._right - self.left

    def x(self, feature: float) -> float:
        """Return where a number of the horizontal axis is."""
        low, high = self.surface.x_range
        return self.left + self.width * (float(feature) - low) / (high - low)

    def y(self, number: float) -> float:
        """Return where a number of the vertical axis is."""
        low, high = self.surface.y_range
        return self.height * (high - float(number)) / (high - low)

    def pixels(self, outputs: Array) -> str:
        """Return the address of a picture of the regions."""
        side = self.surface.side
        return png_address(self.surface.shades(outputs).reshape(side, side)[::-1], self.surface.palette)

    def boundary(self, outputs: Array) -> str:
        """Return the path of the decision boundary."""
        step_x, step_y = self.width / self.surface.side, self.height / self.surface.side
        pieces = self.surface.boundary(self.surface.shades(outputs))
        return "".join(
            f"M{place(self.left + x1 * step_x)} {place(self.height - y1 * step_y)}"
            f"L{place(self.left + x2 * step_x)} {place(self.height - y2 * step_y)}"
            for x1, y1, x2, y2 in pieces
        )

    def curve(self, outputs: Array) -> str:
        """Return the path of one output over the feature; a gap where it isn't finite."""
        path, pen = [], "M"
        for feature, output in zip(self.surface.grid[:, 0].tolist(), outputs.tolist(), strict=True):
            if np.isfinite(output):
                # What is far outside can't be seen, and browsers draw no numbers of any size.
                y = min(max(self.y(output), -1e4), 1e4)
                path.append(f"{pen}{place(self.x(feature))} {place(y)}")
            pen = "L" if np.isfinite(output) else "M"
        return "".join(path)

    def svg(self, outputs: Array) -> Iterator[str]:
        """Iterate over the elements, for the outputs at the points of the grid."""
        box = f'x="{place(self.left)}" y="0" width="{place(self.width)}" height="{place(self.height)}"'
        # A picture in the picture cuts off what is outside, without an id that two figures in a page would share.
        inside = f'<svg {box} viewBox="{place(self.left)} 0 {place(self.width)} {place(self.height)}">'
        yield '<g class="ag-surface">'
        if self.surface.kind == "curve":
            yield f'<rect {box} fill="none" stroke="{colours.LINE}"/>{inside}'
            yield from self._points()
            for k, column in enumerate(outputs.T):
                dashes = f' stroke-dasharray="{_DASHES[k % len(_DASHES)]}"' if k else ""
                line = f'fill="none" stroke="{colours.NEGATIVE}" stroke-width="2.5"{dashes}'
                yield f'<path class="ag-curve" d="{self.curve(column)}" {line}/>'
        else:
            is_smooth = "auto" if self.surface.kind == "score" else "pixelated"
            yield f'<rect {box} fill="{colours.ZERO}"/>{inside}'
            yield (
                f'<image class="ag-regions" {box} preserveAspectRatio="none" opacity="0.6" '
                f'image-rendering="{is_smooth}" href="{self.pixels(outputs)}"/>'
            )
            line = f'stroke="{_ON_REGIONS}" stroke-width="1.6" fill="none"'
            yield f'<path class="ag-boundary" d="{self.boundary(outputs)}" {line}/>'
            yield from self._points()
        features, target = self._example
        ring = self.y(features[1]) if len(features) > 1 else self.y(target.ravel()[0])
        ink = f'class="ag-ring" stroke="{colours.TEXT}"' if self.surface.kind == "curve" else f'stroke="{_ON_REGIONS}"'
        yield (
            f'<circle cx="{place(self.x(features[0]))}" cy="{place(ring)}" r="8" fill="none" {ink} stroke-width="2"/>'
            f"</svg>"
        )
        yield from self._axes()
        yield "</g>"

    def _points(self) -> Iterator[str]:
        surface = self.surface
        for features, target in zip(surface.points, surface.targets, strict=True):
            place_x = self.x(features[0])
            where = ", ".join(f"x{i + 1} = {format_number(float(f), 4)}" for i, f in enumerate(features))
            if surface.kind == "curve":
                for t in target:
                    title = f"{where}, target {format_number(float(t), 4)}"
                    yield marker(0, place_x, self.y(t), colours.POSITIVE, title)
            elif surface.kind == "classes" or surface.is_decision:
                colour = AREAS[int(target) % len(AREAS)]
                yield marker(int(target), place_x, self.y(features[1]), colour, f"{where}, class {int(target)}")
            else:
                colour = colours.diverging(float(target) - surface.middle, surface.reach)
                title = f"{where}, target {format_number(float(target), 4)}"
                yield marker(0, place_x, self.y(features[1]), colour, title)

    def _axes(self) -> Iterator[str]:
        for number in ticks(*self.surface.x_range, 4):
            yield text(format_number(number, 3), self.x(number), self.height + 14, 10.5, "middle")
        for number in ticks(*self.surface.y_range, 4):
            yield text(format_number(number, 3), self.left - 6, self.y(number) + 3.5, 10.5, "end")
        middle = self.left + self.width / 2
        is_curve = self.surface.kind == "curve"
        yield text("x" if is_curve else "x1", middle, self.height + 29, 11, "middle")
        yield text("y" if is_curve else "x2", self.left - 34, self.height / 2 + 4, 11, "middle")
