"""The data of a watched training's page: the numbers of its frames, as plain data for JSON.

Python computed every number and drew the picture; the script only looks the numbers up and changes colours and texts.
They have five digits, which is more than a picture shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from autograd_mini.views.live.figure import Figure, Scales, numbers_in, summary
from autograd_mini.views.live.measuring import Frame
from autograd_mini.views.live.surface_panel import SurfacePanel
from autograd_mini.views.page import number_as_json

Array = np.ndarray[Any, Any]

_MOST_FEATURES = 8  # of the chosen example that are named
_IN_THE_NETWORK = ("weights", "biases", "weight_gradients", "bias_gradients", "activations")


def frames_as_data(figure: Figure, frames: Sequence[Frame], scales: Scales) -> dict[str, Any]:
    """Return the frames of a training, ready for JSON.

    Returns
    -------
    dict
        In lists with an entry for each frame: ``words``, what it is; ``places``, the x of its epoch and the y of both
        losses in the figure, None for one that has no place. And, each None where there is nothing of the kind:

        - ``example``: its ``number``, the first of its ``features``, how many there are ``more``, its ``target``, and
          for each frame the ``outputs``;
        - ``network``: the ``sizes`` of its columns, the ``look`` of its lines, what the widest line and the fullest
          circle of each column stand for (``reaches``), and for each frame the numbers in the `Frame` that are named
          ``weights``, ``biases``, ``weight_gradients``, ``bias_gradients``, ``activations``, in the order of drawing;
        - ``surface``: its ``kind``, and for each frame the ``paths`` of its curves or of its boundary; with regions
          also their ``shades`` for each frame, an index into the ``palette`` for each of ``side``·``side`` points from
          the lower left, and to name them the ``ranges`` of both axes and the ``middle`` and ``reach`` of the score.
    """
    data: dict[str, Any] = {
        "words": [summary(frame, figure.epochs) for frame in frames],
        "places": [
            [_rounded(figure.loss.x(f.epoch)), *[_rounded(figure.loss.y(loss)) for loss in (f.loss, f.validation_loss)]]
            for f in frames
        ],
        **dict.fromkeys(("example", "network", "surface")),
    }
    if figure.subject.example is not None:
        number, features, target = figure.subject.example
        data["example"] = {
            "number": number,
            "features": _shortened(features.ravel()[:_MOST_FEATURES].tolist()),
            "more": max(features.size - _MOST_FEATURES, 0),
            "target": _shortened(target.ravel().tolist()),
            "outputs": [_shortened(numbers_in([] if f.output is None else [f.output])) for f in frames],
        }
    if figure.network is not None:
        data["network"] = {
            "sizes": figure.network.sizes,
            "look": asdict(figure.network.look),
            "reaches": {"weight": scales.weight, "activations": scales.activations},
            **{name: [_shortened(numbers_in(getattr(f, name))) for f in frames] for name in _IN_THE_NETWORK},
        }
    if figure.surface is not None:
        data["surface"] = _surface_data(figure.surface, [f.surface for f in frames if f.surface is not None])
    return data


def _surface_data(panel: SurfacePanel, outputs: list[Array]) -> dict[str, Any]:
    surface = panel.surface
    if surface.kind == "curve":
        return {"kind": surface.kind, "paths": [[panel.curve(column) for column in frame.T] for frame in outputs]}
    shades = [surface.shades(frame) for frame in outputs]
    return {
        "kind": surface.kind,
        "paths": [[panel.boundary(frame)] for frame in shades],
        "shades": [frame.tolist() for frame in shades],
        "palette": surface.palette,
        "side": surface.side,
        "ranges": [surface.x_range, surface.y_range],
        "middle": surface.middle,
        "reach": surface.reach,
    }


def _rounded(place: float | None) -> float | None:
    return None if place is None else round(place, 1)


def _shortened(numbers: Sequence[float]) -> list[float | str]:
    return [number_as_json(float(f"{number:.5g}")) for number in numbers]
