"""The decision boundary over two features, or the curve over one, with the examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import format_number
from autograd_mini.views import colours
from autograd_mini.views.live.marks import marker, place, png_address, tag, text, ticks
from autograd_mini.views.live.surface import Surface
from autograd_mini.views.plots.axes import AREAS

Array = np.ndarray[Any, Any]

_ON_REGIONS = "#111111"  # regions are light, on every page
_DASHES = (None, "6 3", "2 2", "8 3 2 3")


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

    def pixels(self, shades: Array) -> str:
        """Return the address of a picture of the regions."""
        side = self.surface.side
        return png_address(shades.reshape(side, side)[::-1], self.surface.palette)

    def boundary(self, shades: Array) -> str:
        """Return the path of the decision boundary."""
        step = np.array([self.width, -self.height] * 2) / self.surface.side
        ends = np.array([self.left, self.height] * 2) + step * self.surface.boundary(shades)
        return "".join(f"M{place(x1)} {place(y1)}L{place(x2)} {place(y2)}" for x1, y1, x2, y2 in ends.tolist())

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
        box = {"x": self.left, "y": 0, "width": self.width, "height": self.height}
        is_curve, ring = self.surface.kind == "curve", {"stroke": _ON_REGIONS}
        if is_curve:
            frame, ring = {"fill": "none", "stroke": colours.LINE}, {"class_": "am-chosen", "stroke": colours.TEXT}
            inside = [*self._points(), *self._curves(outputs)]
        else:
            frame, inside = {"fill": colours.ZERO}, [*self._regions(outputs, box), *self._points()]
        features, target = self._example
        y = self.y(features[1] if len(features) > 1 else target.ravel()[0])
        inside.append(tag("circle", cx=self.x(features[0]), cy=y, r=8, fill="none", **ring, stroke_width=2))
        # A picture in the picture cuts off what is outside, without an id that two figures in a page would share.
        seen = " ".join(map(place, box.values()))
        yield tag("g", tag("rect", **box, **frame), tag("svg", *inside, **box, viewBox=seen), class_="am-surface")
        yield from self._axes()

    def _curves(self, outputs: Array) -> Iterator[str]:
        for k, column in enumerate(outputs.T):
            line = {"stroke": colours.NEGATIVE, "stroke_width": 2.5, "stroke_dasharray": _DASHES[k % len(_DASHES)]}
            yield tag("path", class_="am-curve", d=self.curve(column), fill="none", **line)

    def _regions(self, outputs: Array, box: dict[str, float]) -> Iterator[str]:
        shades, is_smooth = self.surface.shades(outputs), "auto" if self.surface.kind == "score" else "pixelated"
        look = {"preserveAspectRatio": "none", "opacity": 0.6, "image_rendering": is_smooth}
        yield tag("image", class_="am-regions", **box, **look, href=self.pixels(shades))
        line = {"stroke": _ON_REGIONS, "stroke_width": 1.6, "fill": "none"}
        yield tag("path", class_="am-boundary", d=self.boundary(shades), **line)

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
            yield text(format_number(number, 3), self.x(number), self.height + 14, 11.5, "middle")
        for number in ticks(*self.surface.y_range, 4):
            yield text(format_number(number, 3), self.left - 6, self.y(number) + 3.5, 11.5, "end")
        middle = self.left + self.width / 2
        is_curve = self.surface.kind == "curve"
        yield text("x" if is_curve else "x1", middle, self.height + 29, 11.5, "middle")
        yield text("y" if is_curve else "x2", self.left - 34, self.height / 2 + 4, 11.5, "middle")
