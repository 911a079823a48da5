"""The figure: network, gradients, loss and decision boundary at one epoch, as one SVG that needs no script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import format_number
from autograd_mini.views import colours
from autograd_mini.views.live.loss_panel import LossPanel
from autograd_mini.views.live.marks import BOLD, place, tag, text
from autograd_mini.views.live.measuring import Frame
from autograd_mini.views.live.network_panel import NetworkPanel, legend
from autograd_mini.views.live.surface import Surface
from autograd_mini.views.live.surface_panel import SurfacePanel
from autograd_mini.views.picture import FONT

Array = np.ndarray[Any, Any]

WIDTH = 880.0
_NETWORK_WIDTH, _ROW_HEIGHT = 430.0, 84.0
_LOWEST, _HIGHEST = 100.0, 270.0  # network
_NETWORK_TOP, _CURVES_HEIGHT = 54.0, 200.0
_SURFACE_WIDTH = 290.0
_STRETCHED = "am-part am-stretched"  # whose lines may be made longer or shorter from left to right


@dataclass(frozen=True, eq=False)
class Subject:
    """What is the same in all frames of a training.

    Attributes
    ----------
    sizes, headings : list
        The columns of the network and what stands below them; empty if it can't be drawn.
    surface : Surface or None
        Where the model is asked.
    example : (int, array, array) or None
        The number, the features and the target of the chosen example.
    note : str
        What can't be shown, and why.
    """

    sizes: list[int]
    headings: list[str]
    surface: Surface | None
    example: tuple[int, Array, Array] | None
    note: str


@dataclass(frozen=True)
class Scales:
    """What the widest line and the fullest circles stand for, the same in all frames; gradients have each frame's own.

    Attributes
    ----------
    weight : float
        The largest magnitude of a weight.
    activations : list of float
        For each column the largest magnitude of an activation.
    """

    weight: float
    activations: list[float]

    @classmethod
    def of(cls, frames: Sequence[Frame]) -> Scales:
        """Return the scales in which all the frames have room."""
        weights = [largest(frame.weights) for frame in frames]
        columns = zip(*(frame.activations for frame in frames), strict=True)
        return cls(max(weights, default=0.0), [largest(list(column)) for column in columns])


def largest(arrays: Sequence[Array]) -> float:
    """Return the largest finite magnitude in arrays; 0 where there is none."""
    return max((colours.largest_finite(array.ravel().tolist()) for array in arrays), default=0.0)


def numbers_in(arrays: Sequence[Array]) -> list[float]:
    """Return all numbers of arrays, in their order."""
    return [number for array in arrays for number in array.ravel().tolist()]


class Figure:
    """The panels of a training, placed.

    Parameters
    ----------
    subject : Subject
        What is the same in all frames.
    losses : dict of str to sequence of float
        The losses up to now, for `LossPanel`.
    epochs : int
        Where the axis of epochs ends.
    """

    def __init__(self, subject: Subject, losses: dict[str, Sequence[float]], epochs: int) -> None:
        self.subject = subject
        self.epochs = epochs
        self.network: NetworkPanel | None = None
        self._curves_top = 72.0 if subject.note else 56.0
        if subject.sizes:
            self._network_height = min(max(_ROW_HEIGHT * max(subject.sizes), _LOWEST), _HIGHEST)
            self.network = NetworkPanel(subject.sizes, subject.headings, _NETWORK_WIDTH, self._network_height)
            self._curves_top += self._network_height + _NETWORK_TOP + 20.0
        self.height = self._curves_top + _CURVES_HEIGHT + 36.0
        self.surface: SurfacePanel | None = None
        loss_width = WIDTH
        if subject.surface is not None and subject.example is not None:
            self.surface = SurfacePanel(subject.surface, subject.example[1:], _SURFACE_WIDTH, _CURVES_HEIGHT)
            loss_width = WIDTH - _SURFACE_WIDTH - 20.0
        self.loss = LossPanel(losses, epochs, loss_width, _CURVES_HEIGHT)

    def svg(self, frame: Frame, scales: Scales) -> str:
        """Return the figure at a frame."""
        parts = [
            text(summary(frame, self.epochs), 0, 16, 13.5, **BOLD),
            *self._networks(frame, scales),
            self._curves("loss", 0.0, self.loss.width, self.loss.svg(frame.epoch, (frame.loss, frame.validation_loss))),
        ]
        if self.surface is not None and frame.surface is not None:
            left, inside = WIDTH - _SURFACE_WIDTH, self.surface.svg(frame.surface)
            parts.append(self._curves(self._surface_title(), left, _SURFACE_WIDTH, inside, "am-part"))
        size = {"viewBox": f"0 0 {place(WIDTH)} {place(self.height)}", "width": WIDTH, "height": self.height}
        return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", **size, font_family=FONT)

    def _networks(self, frame: Frame, scales: Scales) -> Iterator[str]:
        if self.subject.note:
            yield text(self.subject.note, 0, self._curves_top - 34, 11)
        if self.network is None:
            return
        right = WIDTH - _NETWORK_WIDTH
        example, bottom = self.subject.example, self._network_height + 38.0
        title = "weights" if example is None else f"weights, and activations of example {example[0]}"
        circles: list[float | None] = [*numbers_in(frame.activations)] or [None] * sum(self.network.sizes)
        reaches = scales.activations or [0.0] * len(self.network.sizes)
        inside = [*self.network.svg(numbers_in(frame.weights), scales.weight, circles, reaches, "am-weights")]
        inside.append(legend(_NETWORK_WIDTH, bottom))
        inside.append(text(f"widest line: |w| = {format_number(scales.weight, 3)}", 0, bottom, 11))
        yield _panel(title, (0.0, _NETWORK_TOP), (_NETWORK_WIDTH, bottom), inside)
        if frame.weight_gradients:
            title = "gradients ∂L/∂w on the lines, ∂L/∂b in the circles"
            reach, lines = largest(frame.weight_gradients), numbers_in(frame.weight_gradients)
            circles = [*([None] * self.network.sizes[0]), *numbers_in(frame.bias_gradients)]
            reaches = [largest(frame.bias_gradients)] * len(reaches)
            inside = [*self.network.svg(lines, reach, circles, reaches, "am-gradients")]
            widest = f"widest line: |∂L/∂w| = {format_number(reach, 3)}"
            if not any(map(math.isfinite, lines)):
                widest = "no ∂L/∂w is a finite number"
            inside.append(text(widest, 0, bottom, 11, class_="am-ink am-widest", fill=colours.TEXT))
            yield _panel(title, (right, _NETWORK_TOP), (_NETWORK_WIDTH, bottom), inside)

    def _curves(self, title: str, x: float, width: float, inside: Iterator[str], kind: str = _STRETCHED) -> str:
        return _panel(title, (x, self._curves_top), (width, _CURVES_HEIGHT + 32.0), inside, kind)

    def _surface_title(self) -> str:
        surface = self.surface.surface if self.surface is not None else None
        if surface is None or surface.kind == "curve":
            return "the model's curve, with the examples"
        if surface.kind == "classes" or surface.is_decision:
            return "decision boundary, with the examples"
        low, high = (format_number(surface.middle + sign * surface.reach, 3) for sign in (-1, 1))
        return f"output from {low} (orange) to {high} (blue)"


def _panel(
    title: str, at: tuple[float, float], size: tuple[float, float], inside: Iterable[str], kind: str = _STRETCHED
) -> str:
    """Return a panel with its title above; a page may put it elsewhere, and stretch it."""
    where = f"translate({place(at[0])} {place(at[1])})"
    room = {"data_width": size[0], "data_height": size[1]}
    return tag("g", text(title, 0, -12, **BOLD), *inside, class_=kind, transform=where, **room)


def summary(frame: Frame, epochs: int) -> str:
    """Return a frame's epoch and losses in words.

    Examples
    --------
    >>> summary(Frame(3, 0.25, None), 10)
    'epoch 3 of 10: training loss 0.25'
    """
    words = "before the training" if frame.epoch == 0 else f"epoch {frame.epoch} of {epochs}"
    known = [("training loss", frame.loss), ("validation loss", frame.validation_loss)]
    shown = ", ".join(f"{name} {format_number(loss, 4)}" for name, loss in known if loss is not None)
    return f"{words}: {shown}" if shown else words
