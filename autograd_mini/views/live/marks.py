"""The elements that the panels of the figure are made of, as SVG: texts, numbers, markers, pixels."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from html import escape
from typing import TYPE_CHECKING, Any

from autograd_mini.views import colours

if TYPE_CHECKING:
    import numpy as np

# The colour of texts: a page gives the class its own text colour; a picture by itself has one that can be read on any.
INK: dict[str, Any] = {"class_": "am-ink", "fill": colours.TEXT}
BOLD = {**INK, "font_weight": "bold"}
_SHORTEST, _LONGEST = 0.01, 1000.0  # from where to where a number is written without an exponent


def place(number: float) -> str:
    """Return a coordinate.

    Examples
    --------
    >>> place(3.14159), place(2.0)
    ('3.1', '2')
    """
    return f"{number:.1f}".removesuffix(".0")


def short(number: float) -> str:
    """Return a number in at most six characters, for a circle or a line.

    Examples
    --------
    >>> short(0.126), short(-12.34), short(0.00031), short(0.0), short(float("nan"))
    ('0.13', '-12.3', '3e-4', '0', 'nan')
    """
    size = abs(number)
    if not math.isfinite(number) or number == 0:
        return str(number) if number else "0"
    if size < _SHORTEST or size >= _LONGEST:
        digits, exponent = f"{number:.0e}".split("e")
        return f"{digits}e{int(exponent)}"
    return f"{number:.2f}" if size < 10 else f"{number:.1f}" if size < 100 else f"{number:.0f}"


def tag(name: str, *inside: str, **attributes: Any) -> str:
    """Return an element: ``stroke_width`` is an attribute with a dash, ``class_`` the class; numbers are coordinates.

    Examples
    --------
    >>> tag("circle", r=2.0, class_="am-now"), tag("g", tag("path"), stroke_width=0.25)
    ('<circle r="2" class="am-now"/>', '<g stroke-width="0.2"><path/></g>')
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{place(value) if isinstance(value, (int, float)) else value}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>" if inside else f"<{name}{written}/>"


def text(words: str, x: float, y: float, size: float = 12, anchor: str = "start", **more: Any) -> str:
    """Return a text, in the colour of texts unless `more` has another."""
    return tag("text", escape(words), x=x, y=y, font_size=size, text_anchor=anchor, **(more or INK))


def marker(number: int, x: float, y: float, colour: str, title: str) -> str:
    """Return the marker of a class, by its number: its shape tells it apart without the colour."""
    shapes = (
        "M-4 0A4 4 0 1 1 4 0A4 4 0 1 1 -4 0Z",
        "M-3.6 -3.6H3.6V3.6H-3.6Z",
        "M0 -5L4.6 3.4H-4.6Z",
        "M0 -5L5 0L0 5L-5 0Z",
        "M0 5L4.6 -3.4H-4.6Z",
        "M-1.6 -4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
    )
    where = f"translate({place(x)} {place(y)})"
    shape = shapes[number % len(shapes)]
    return tag(
        "path", tag("title", escape(title)), d=shape, transform=where, fill=colour, stroke="#fff", stroke_width=1.2
    )


def png_address(shades: np.ndarray[Any, Any], palette: list[str]) -> str:
    """Return a picture as a data address: its pixels, from the top, are indices into the palette.

    Examples
    --------
    >>> import numpy as np
    >>> png_address(np.zeros((1, 1), dtype=np.uint8), ["#000000"])[:22]
    'data:image/png;base64,'
    """
    height, width = shades.shape
    rows = b"".join(b"\0" + row.tobytes() for row in shades.astype("uint8"))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(bytes.fromhex(colour[1:]) for colour in palette)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers inside an interval.

    Examples
    --------
    >>> ticks(0.0, 10.0), ticks(0.0, 1.0, 3)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [0.0, 0.5, 1.0])
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]
