"""A picture with its layout as a file: as SVG, as TikZ, and by Matplotlib as PDF and PNG.

A PDF and a PNG are what `svg` writes, shape by shape and text by text. Matplotlib brings its font along, so that a
picture is the same on a machine without any, and it embeds it, so that the text of a PDF can be selected. Nothing else
goes into the file, no date and no version: what is drawn twice is the same to the byte.
"""

from __future__ import annotations

import io
import logging
import math
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from autograd_mini.checks import checked, needed
from autograd_mini.views import svg
from autograd_mini.views.layout.layout import Layout
from autograd_mini.views.layout.measure import text_width
from autograd_mini.views.picture import Picture
from autograd_mini.views.tikz import tikz

BY_MATPLOTLIB = ("pdf", "png")
FORMATS = ("svg", *BY_MATPLOTLIB, "tex")
NEEDS = 'needs Matplotlib; run: pip install "autograd-mini[plot]"'
SCALE = 2.0
_FONT = "DejaVu Sans"
# Its letters are so much larger than Helvetica's, in which the layout measures: of this size both look alike.
_FONT_SCALE = 0.88
PIXELS_PER_INCH = 96.0
_POINTS_PER_INCH = 72.0
_LONGEST_PNG = 30_000  # pixels a side; Matplotlib has no more than 65,536, and few viewers open as many
_MOST_PIXELS = 150_000_000  # in all, as they are in memory while it is drawn
_LONGEST_PAGE = 14_400.0  # points, which is as much as the format and its viewers have
_NO_METADATA: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
_STYLE = {"pdf.fonttype": 42, "lines.scale_dashes": False, "figure.dpi": _POINTS_PER_INCH, "text.usetex": False}
_INHERITED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "text-anchor")
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def checked_scale(scale: Any, format: str) -> float:
    """Return how many pixels of a PNG there are for one of a screen.

    Raises
    ------
    ValueError
        If it isn't above 0, or given for another format.
    """
    if scale is None:
        return SCALE
    if format != "png":
        raise ValueError(f"scale: only a PNG consists of pixels, not {format or 'the DOT source'}; leave it out")
    return checked("scale", scale, above=0.0)


def write(picture: Picture, layout: Layout, format: str, scale: float = SCALE) -> bytes:
    """Return the content of a file.

    Parameters
    ----------
    picture, layout : Picture, Layout
        What is drawn, and where.
    format : {"svg", "pdf", "png", "tex"}
        "tex" is TikZ. Of a PDF the page is as large as the picture, or smaller where there is no page so large.
    scale : float, optional
        How many pixels of a PNG there are for one of a screen with 96 to the inch.

    Raises
    ------
    MissingDependencyError
        If Matplotlib is needed and isn't installed.
    ValueError
        If the PNG would be too large, or smaller than one pixel.
    """
    if format == "svg":
        return svg.write(picture, layout).encode("utf-8")
    if format == "tex":
        return tikz(picture, layout).encode("utf-8")
    return _by_matplotlib(svg.elements(picture, layout), format, scale)


def _by_matplotlib(document: ET.Element, format: str, scale: float) -> bytes:
    matplotlib = needed("matplotlib", f"a {format.upper()} {NEEDS}")
    width, height = (float(part) for part in document.attrib["viewBox"].split()[2:])
    longest = max(width, height)
    if format == "png":
        _check_pixels(width, height, scale)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        from matplotlib.figure import Figure

        size = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)
        figure = Figure(figsize=size)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        families = [_FONT, *_others("".join(document.itertext()))]
        shrunk = min(1.0, _LONGEST_PAGE / longest) if format == "pdf" else 1.0
        _add(axes, document, {"fill": "#000000", "stroke": "none"}, families, (0.0, 0.0), shrunk)
        figure.set_size_inches(size[0] * shrunk, size[1] * shrunk)
        file = io.BytesIO()
        with _quiet():
            figure.savefig(
                file, format=format, dpi=PIXELS_PER_INCH * scale, transparent=True, metadata=_NO_METADATA[format]
            )
    return file.getvalue()


def _check_pixels(width: float, height: float, scale: float) -> None:
    """Raise if a PNG of a drawing of so many points would have too many pixels, or none."""
    sides = [side / _POINTS_PER_INCH * PIXELS_PER_INCH for side in (width, height)]
    most = min(_LONGEST_PNG / max(sides), math.sqrt(_MOST_PIXELS / math.prod(sides)))
    if scale > most:
        raise ValueError(
            f"scale: a PNG has at most {_LONGEST_PNG} pixels a side and {_MOST_PIXELS:,} in all, and this drawing is "
            f"{width:.0f} by {height:.0f} points large; use a scale of at most {int(most * 1000) / 1000:g}, "
            "write a PDF or an SVG, or fold the graph (collapse=)"
        )
    if scale * min(sides) < 1.0:
        raise ValueError(f"scale: {scale:g} leaves not one pixel of this drawing; use at least {1.1 / min(sides):.2g}")


def _add(
    axes: Any, element: ET.Element, around: dict[str, str], families: list[str], origin: tuple[float, float], by: float
) -> None:
    """Add an element and all in it to the figure; what it doesn't say itself, those around it say."""
    style = {**around, **{key: element.attrib[key] for key in _INHERITED if key in element.attrib}}
    if element.tag == "text":
        _add_text(axes, element, style, families, origin, by)
        return
    shape = _shape(element, origin)
    if shape is not None:
        shape.set(facecolor=style["fill"], edgecolor=style["stroke"])
        shape.set_linewidth(float(style.get("stroke-width", 1.0)) * by)
        if "stroke-dasharray" in style:
            dashes = [float(length) * by for length in re.split("[, ]+", style["stroke-dasharray"])]
            shape.set_linestyle((0, dashes))
        axes.add_artist(shape)
    if "transform" in element.attrib:
        x, y = re.findall(r"[-\d.]+", element.attrib["transform"])
        origin = origin[0] + float(x), origin[1] + float(y)
    for part in element:
        if part.tag not in ("title", "style"):
            _add(axes, part, style, families, origin, by)


def _shape(element: ET.Element, origin: tuple[float, float]) -> Any:
    """Return a shape of Matplotlib; None of an element that is none."""
    from matplotlib import patches
    from matplotlib.path import Path

    number = {key: float(value) for key, value in element.attrib.items() if re.fullmatch(r"-?[\d.]+", value)}
    left, top = origin
    if element.tag == "rect":
        corner = (left + number.get("x", 0.0), top + number.get("y", 0.0))
        size = (number["width"], number["height"])
        rounded = f"round,pad=0,rounding_size={number['rx']}" if "rx" in number else "square,pad=0"
        return patches.FancyBboxPatch(corner, *size, boxstyle=rounded, mutation_aspect=1)
    if element.tag == "ellipse":
        middle = (left + number.get("cx", 0.0), top + number.get("cy", 0.0))
        return patches.Ellipse(middle, 2 * number["rx"], 2 * number["ry"])
    if element.tag not in ("path", "polygon"):
        return None
    written = re.findall(r"-?[\d.]+", element.attrib["d" if element.tag == "path" else "points"])
    points = [(left + float(x), top + float(y)) for x, y in zip(written[::2], written[1::2], strict=True)]
    if element.tag == "polygon":
        return patches.Polygon(points, closed=True)
    return patches.PathPatch(Path(points, [Path.MOVETO, *[Path.CURVE4] * (len(points) - 1)]))


def _add_text(
    axes: Any, element: ET.Element, style: dict[str, str], families: list[str], origin: tuple[float, float], by: float
) -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    line, size, weight = element.text or "", float(style["font-size"]), style.get("font-weight", "normal")
    if "font-family" in element.attrib:
        families = [*_installed(element.attrib["font-family"]), *families]
    font = FontProperties(family=families, weight=weight, size=size * _FONT_SCALE)
    with _quiet():
        width = text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]
    room = text_width(line, size, weight == "bold")
    font.set_size(font.get_size() * min(1.0, room / width if width else 1.0) * by)
    x, y = (start + float(element.get(key, 0.0)) for start, key in zip(origin, "xy", strict=True))
    side = _ANCHORS[style.get("text-anchor", "start")]
    axes.text(x, y, line, color=style["fill"], ha=side, va="baseline", fontproperties=font, parse_math=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing of characters without a sign, which `_others` has named, and of fonts that have no bold letters."""
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")
            yield
    finally:
        logger.setLevel(level)


def _others(text: str) -> list[str]:
    """Return the fonts of this machine that have the characters of a text which Matplotlib's own has not.

    A character that no font has is shown as an empty box; a warning says so.
    """
    from matplotlib import font_manager

    missing = set(map(ord, text.replace("\n", ""))) - _signs(font_manager.findfont(_FONT))
    if not missing:
        return []
    found = []
    fonts = {font.fname: font.name for font in font_manager.fontManager.ttflist if font.weight == 400}
    # Sans first, as the font that they stand beside is one.
    for path, name in sorted(fonts.items(), key=lambda font: ("Sans" not in font[1], font[1], font[0])):
        if not missing:
            break
        if "Emoji" not in name and "LastResort" not in name.replace(" ", "") and missing & (has := _signs(path)):
            missing -= has
            found.append(name)
    if missing:
        boxes = ", ".join(repr(chr(sign)) for sign in sorted(missing)[:10])
        warnings.warn(
            f"no font of this machine has {boxes}: an empty box stands in its place; install a font that has it, or "
            "choose another label",
            UserWarning,
            stacklevel=2,
        )
    return found


@cache
def _installed(name: str) -> tuple[str, ...]:
    """Return a font of the user's choice if it is here; a warning says if it isn't."""
    from matplotlib import font_manager

    if name.lower() in ("serif", "sans-serif", "monospace") or name in font_manager.get_font_names():
        return (name,)
    warnings.warn(f"the font {name!r} isn't installed: {_FONT} stands in its place", UserWarning, stacklevel=2)
    return ()


@cache
def _signs(path: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except (RuntimeError, OSError):  # a font that can't be read
        return frozenset()
