"""The loss by epoch, of training and validation, with the place of the epoch that is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from autograd_mini.formulas.expression import format_number
from autograd_mini.views import colours
from autograd_mini.views.live.marks import place, tag, text, ticks
from autograd_mini.views.live.measuring import spread

_MOST_POINTS = 400
_STEEP = 50.0  # a curve over more than this factor has a logarithmic axis
_CURVES = (("training", colours.POSITIVE, None), ("validation", colours.NEGATIVE, "5 3"))


class LossPanel:
    """Axes for the losses of a training.

    Parameters
    ----------
    losses : dict of str to sequence of float
        "training" and, where there is one, "validation": one loss an epoch, from epoch 1.
    epochs : int
        Where the axis of epochs ends.
    width, height : float
        The room there is.
    """

    def __init__(self, losses: dict[str, Sequence[float]], epochs: int, width: float, height: float) -> None:
        self._losses = losses
        self._epochs = max(epochs, 1)
        self.width = width
        self._left, self._right, self._height = 52.0, width - 12.0, height
        finite = [loss for curve in losses.values() for loss in curve if math.isfinite(loss)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        self._is_logarithmic = low > 0 and high / low > _STEEP
        if self._is_logarithmic:
            low, high = math.log10(low), math.log10(high)
        elif low > 0:
            low = 0.0
        span = high - low or abs(high) or 1.0
        self._low, self._high = low - 0.04 * span * (low != 0), high + 0.06 * span

    def x(self, epoch: int) -> float:
        """Return where an epoch is."""
        return self._left + (self._right - self._left) * epoch / self._epochs

    def y(self, loss: float | None) -> float | None:
        """Return where a loss is; None for one that isn't known, or has no place on the axis."""
        if loss is None or not math.isfinite(loss) or (self._is_logarithmic and loss <= 0):
            return None
        height = math.log10(loss) if self._is_logarithmic else loss
        return self._height * (self._high - height) / (self._high - self._low)

    def svg(self, epoch: int, now: Sequence[float | None]) -> Iterator[str]:
        """Iterate over the elements; `now` are the losses of the epoch that is shown, training first."""
        yield from self._axes()
        for row, (name, colour, dashes) in enumerate(_CURVES):
            if self._losses.get(name):
                yield from self._curve(name, colour, dashes, row)
        x = self.x(epoch)
        yield tag("line", class_="am-now", x1=x, x2=x, y1=0, y2=self._height, stroke=colours.TEXT)
        for (name, colour, _), loss in zip(_CURVES, now, strict=True):
            y = self.y(loss)
            shown = "hidden" if y is None else None
            yield tag("circle", class_=f"am-dot-{name}", cx=x, cy=y or 0.0, r=4, fill=colour, visibility=shown)

    def _axes(self) -> Iterator[str]:
        corner = f"M{place(self._left)} 0V{place(self._height)}H{place(self._right)}"
        yield tag("path", d=corner, fill="none", stroke=colours.LINE, stroke_width=1)
        for number in self._marks():
            y = self.y(number)
            if y is not None:
                line = f"M{place(self._left)} {place(y)}H{place(self._right)}"
                yield tag("path", d=line, stroke=colours.LINE, stroke_opacity=0.3)
                yield text(format_number(number, 3), self._left - 6, y + 3.5, 11, "end")
        for epoch in ticks(0.0, float(self._epochs), 6):
            if epoch == int(epoch):
                yield text(str(int(epoch)), self.x(int(epoch)), self._height + 14, 11, "middle")
        yield text("epoch", (self._left + self._right) / 2, self._height + 29, 11, "middle")

    def _marks(self) -> list[float]:
        """Return the losses that the axis names."""
        if not self._is_logarithmic:
            return ticks(self._low, self._high)
        powers = range(math.floor(self._low), math.ceil(self._high) + 1)
        step = -(-len(powers) // 5)
        factors = (1.0, 2.0, 5.0) if len(powers) <= 3 else (1.0,)
        numbers = [factor * 10.0**power for power in powers[::step] for factor in factors]
        return [number for number in numbers if self._low <= math.log10(number) <= self._high]

    def _curve(self, name: str, colour: str, dashes: str | None, row: int) -> Iterator[str]:
        """Iterate over a curve and its name, which stands at the upper right with a piece of the line."""
        points = [(self.x(epoch), self.y(loss)) for epoch, loss in enumerate(self._losses[name], start=1)]
        known = [(x, y) for x, y in points if y is not None]
        if len(known) == 1:
            yield tag("circle", cx=known[0][0], cy=known[0][1], r=2, fill=colour)
        path = " ".join(f"{place(known[i][0])},{place(known[i][1])}" for i in spread(len(known), _MOST_POINTS))
        line = {"fill": "none", "stroke": colour, "stroke_width": 2, "stroke_dasharray": dashes}
        yield tag("polyline", class_=f"am-curve-{name}", points=path, **line)
        y, right = 8.0 + 16 * row, self._right - 4
        yield tag("path", d=f"M{place(right - 26)} {place(y)}H{place(right)}", **line)
        yield text(name, right - 32, y + 4, 11, "end")
