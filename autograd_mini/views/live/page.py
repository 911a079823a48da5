"""A watched training as HTML: one picture, or a page with all frames and a slider, which needs no network.

Numbers are kept with 16 bits, as shares of the largest of their kind in the frame; regions as indices of a palette with
8 bits. Both are written in base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from autograd_mini.views import colours
from autograd_mini.views.live.figure import Figure, Scales, flat, largest, summary
from autograd_mini.views.live.recording import Frame
from autograd_mini.views.live.surface_panel import SurfacePanel

Array = np.ndarray[Any, Any]

_MOST = 32767  # of a number with 16 bits; one lower than all others is not finite
_NOT_FINITE = -32768
_SHADES = 127  # on each side of 0
_MOST_FEATURES = 8  # of the chosen example that are named


def still(svg: str, alt: str = "The training at its present epoch") -> str:
    """Return a picture as HTML; as an image, because notebooks cut an inline SVG out of what they don't trust.

    Examples
    --------
    >>> still("<svg/>", "a & b")
    '<img style="max-width:100%" alt="a &amp; b" src="data:image/svg+xml;base64,PHN2Zy8+">'
    """
    encoded = base64.b64encode(svg.encode()).decode()
    return f'<img style="max-width:100%" alt="{escape(alt)}" src="data:image/svg+xml;base64,{encoded}">'


def fragment(figure: Figure, frames: Sequence[Frame]) -> str:
    """Return the page to be put into another: the picture of the last frame, which the script makes the live one."""
    scales = Scales.of(frames)
    last = frames[-1]
    data = json.dumps(_data(figure, frames, scales), ensure_ascii=False, separators=(",", ":"))
    return (
        f'<div class="ag-watch" data-ag-watch>\n<style>{_file("watch.css")}</style>\n'
        f"{still(figure.svg(last, scales), summary(last, figure.epochs))}\n"
        # "<" could end the element, wherever it stands.
        f'<script type="application/json">{data.replace("<", chr(92) + "u003c")}</script>\n'
        f"<script>{_file('watch.js')}</script>\n</div>\n"
    )


def document(inside: str) -> str:
    """Return a fragment as a document of its own."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>Training, epoch by epoch</title>\n"
        "<style>:root{color-scheme:light dark}body{margin:1.5rem;font-family:Helvetica,Arial,sans-serif}</style>\n"
        f"</head>\n<body>\n{inside}</body>\n</html>\n"
    )


def packed(rows: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return numbers, as many in each frame, with 16 bits each, and for each frame what the largest stands for.

    Examples
    --------
    >>> packed([[1.0, -0.5]])
    {'bits': '/38AwA==', 'largest': [1.0]}
    """
    numbers = np.array(rows, dtype=float)
    known = np.isfinite(numbers)
    tops = np.max(np.abs(np.where(known, numbers, 0.0)), axis=1, initial=0.0)
    shares = np.where(known, numbers, 0.0) / np.where(tops > 0, tops, 1.0)[:, None]
    bits = np.where(known, np.round(shares * _MOST), _NOT_FINITE).astype("<i2")
    return {"bits": base64.b64encode(bits.tobytes()).decode(), "largest": [float(f"{top:.6g}") for top in tops]}


def _data(figure: Figure, frames: Sequence[Frame], scales: Scales) -> dict[str, Any]:
    """Return what the script needs."""
    palette = [
        colours.NOT_A_NUMBER,
        *(colours.diverging(float(level), float(_SHADES)) for level in range(-_SHADES, _SHADES + 1)),
    ]
    data: dict[str, Any] = {
        "words": [summary(frame, figure.epochs) for frame in frames],
        "x": [_rounded(figure.loss.x(frame.epoch)) for frame in frames],
        "y": [[_rounded(figure.loss.y(loss)) for loss in (f.loss, f.validation_loss)] for f in frames],
        "palette": palette,
        "inks": [colours.ink_on(colour) for colour in palette],
        "lineColours": [colours.NEGATIVE, colours.LINE, colours.POSITIVE, colours.NOT_A_NUMBER],
        "outputs": [] if frames[-1].output is None else packed([_list(frame.output) for frame in frames]),
    }
    example = figure.subject.example
    if example is not None:
        number, features, target = example
        shown = [float(f"{feature:.6g}") for feature in features.ravel()[:_MOST_FEATURES]]
        more = features.size - len(shown)
        data["example"] = {"number": number, "features": shown, "more": more, "target": target.ravel().tolist()}
    if figure.network is not None:
        data["network"] = {
            "sizes": figure.network.sizes,
            "look": asdict(figure.network.look),
            "reaches": {"weight": scales.weight, "activations": scales.activations},
            "weights": packed([flat(frame.weights) for frame in frames]),
            "biases": packed([flat(frame.biases) for frame in frames]),
            "weightGradients": packed([flat(frame.weight_gradients) for frame in frames]),
            "biasGradients": packed([flat(frame.bias_gradients) for frame in frames]),
            "activations": packed([flat(frame.activations) for frame in frames]),
            "gradientReaches": [
                [float(f"{largest(arrays):.6g}") for arrays in (frame.weight_gradients, frame.bias_gradients)]
                for frame in frames
            ],
        }
    if figure.surface is not None:
        data["surface"] = _surface_data(figure.surface, frames)
    return data


def _surface_data(panel: SurfacePanel, frames: Sequence[Frame]) -> dict[str, Any]:
    surface = panel.surface
    data: dict[str, Any] = {
        "kind": surface.kind,
        "side": surface.side,
        "box": [panel.left, panel.width, panel.height],
        "ranges": [surface.x_range, surface.y_range],
    }
    if surface.kind == "curve":
        data["curves"] = packed([_list(frame.surface.T) for frame in frames if frame.surface is not None])
        return data
    shades = [surface.shades(frame.surface) for frame in frames if frame.surface is not None]
    data |= {
        "palette": surface.palette,
        "isDecision": surface.is_decision,
        "score": [surface.middle, surface.reach],
        "shades": base64.b64encode(np.concatenate(shades).tobytes()).decode(),
    }
    return data


def _list(array: Array | None) -> list[float]:
    return [] if array is None else array.ravel().tolist()


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _file(name: str) -> str:
    return files("autograd_mini.views.live").joinpath(name).read_text(encoding="utf-8")
