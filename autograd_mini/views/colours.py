"""Colours: orange for negative, grey for zero, blue for positive, and a text colour that can be read on them.

Lines and texts outside the nodes have a grey half-way between white and #111, as the background is the page's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

NEGATIVE, ZERO, POSITIVE = "#f59322", "#e8eaeb", "#0877bd"
NOT_A_NUMBER = "#c2185b"
LINE = "#8a9096"  # edges
TEXT = "#777b80"  # text on the page: a contrast of 4.2 on white and of 4.4 on #111
PAPER, INK = "#ffffff", "#16191d"  # text on a ground of its own
OUTLINE = "#75797e"
OPERATION = "#4a525b"
CONSTANT = "#f7f7f5"
_BLACK = "#000000"
OUTLINES = {"parameter": "#9b5fd0", "input": "#3a9a5b", "constant": OUTLINE, "value": OUTLINE}


@dataclass(frozen=True)
class Theme:
    """The colours of a drawing.

    Attributes
    ----------
    paper : str
        The ground; "" where it is that of the page, whatever colour that has.
    label_paper, label_ink : str
        The ground and the colour of the labels on edges.
    line, text : str
        Edges, and the text below the drawing.
    zero, operation, constant, input : str
        The inside of nodes: where the number that colours them is 0, of operations, constants, a network's inputs.
    outlines : mapping of str to str
        By the kind of a node; "box" is that of folded nodes.
    has_colours : bool
        Whether colours tell the sign and the size of numbers; without, all is as for 0.
    """

    paper: str
    label_paper: str
    label_ink: str
    line: str
    text: str
    zero: str
    operation: str
    constant: str
    input: str
    outlines: Mapping[str, str]
    has_colours: bool = True

    def of(self, value: float, largest: float) -> str:
        """Return the colour of a number between -largest and largest."""
        if not self.has_colours:
            return self.zero
        return diverging(value, largest, self.zero)


def diverging(value: float, largest: float, zero: str = ZERO) -> str:
    """Return the colour of a number between -largest and largest; nan has a colour of its own.

    Examples
    --------
    >>> diverging(0.0, 2.0), diverging(2.0, 2.0), diverging(-9.0, 2.0)
    ('#e8eaeb', '#0877bd', '#f59322')
    >>> diverging(1.0, 2.0)
    '#78b0d4'
    """
    if math.isnan(value):
        return NOT_A_NUMBER
    share = 0.0 if value == 0 else 1.0 if math.isinf(value) or largest == 0 else min(abs(value) / largest, 1.0)
    return _blend(zero, NEGATIVE if value < 0 else POSITIVE, share)


THEMES = {
    "screen": Theme("", PAPER, INK, LINE, TEXT, ZERO, OPERATION, CONSTANT, PAPER, {**OUTLINES, "box": OPERATION}),
    "print": Theme(
        PAPER,
        PAPER,
        _BLACK,
        _BLACK,
        _BLACK,
        PAPER,
        PAPER,
        PAPER,
        PAPER,
        dict.fromkeys([*OUTLINES, "box"], _BLACK),
        False,
    ),
    "dark": Theme(
        "#15181c",
        "#15181c",
        "#e6e8ea",
        "#9aa1a8",
        "#c3c8cd",
        "#353b42",
        "#d5dade",
        "#22272c",
        "#22302a",
        {"parameter": "#c08cf0", "input": "#5cc480", "constant": "#9aa1a8", "value": "#9aa1a8", "box": "#d5dade"},
    ),
}


def largest_finite(values: list[float]) -> float:
    """Return the largest magnitude among the finite numbers; 0 where there is none."""
    return max((abs(value) for value in values if math.isfinite(value)), default=0.0)


def ink_on(fill: str) -> str:
    """Return black or white, whichever has the greater contrast on the colour.

    Examples
    --------
    >>> ink_on("#e8eaeb"), ink_on("#0877bd")
    ('#000000', '#ffffff')
    """
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, fill))


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours by the formula of the WCAG, from 1 to 21; text needs about 4.5."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _blend(start: str, end: str, share: float) -> str:
    mixed = (round(a + (b - a) * share) for a, b in zip(_channels(start), _channels(end), strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (x / 255 for x in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
