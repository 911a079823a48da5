"""How much room text takes, and how long text is cut so that it fits.

Widths are Helvetica's for ASCII and estimates for all else; a machine that shows another font has some slack.
"""

from __future__ import annotations

import math
import unicodedata

from autograd_mini.formulas.expression import has_small, printable
from autograd_mini.views.picture import FONT_SIZE, DrawnNode, Line

LINE_HEIGHT = 1.25  # of the font size
LONGEST = 30  # characters in one line of a name, a wide one counting twice
MOST_LINES = 3
OUTLINE_GAP = 4.0  # how far outside of a shape its second outline is
_SLACK = 1.06

# Helvetica's widths in thousandths of the font size, by the characters that have them.
_WIDTHS = {
    222: "ijl'",
    260: "|",
    278: " !,./:;I[\\]ft",
    333: "()`r-",
    355: '"',
    389: "*",
    469: "^",
    500: "cksvxyzJ",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "mM",
    889: "%",
    944: "W",
    1015: "@",
}
_WIDTH = {character: width / 1000 for width, characters in _WIDTHS.items() for character in characters}


def text_width(text: str, size: float = FONT_SIZE, bold: bool = False) -> float:
    """Return the estimated width of one line of text, in points.

    Examples
    --------
    >>> text_width("iii") < text_width("abc") < text_width("漢字漢")
    True
    """
    return sum(map(_character_width, text)) * size * _SLACK * (1.08 if bold else 1.0)


def _character_width(character: str) -> float:
    if character in _WIDTH:
        return _WIDTH[character]
    if character < "\x7f":
        return 0.556
    if has_small(character):
        return 0.37
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0  # drawn over the character before, or not at all
    if character >= "\U0001f000":
        return 1.3
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.7


def shown_lines(text: str) -> list[str]:
    r"""Return a name as the lines a node shows: its own lines, cut with … where they are too long or too many.

    Control characters, which a file of SVG must not hold, are shown by their signs.

    Examples
    --------
    >>> shown_lines("w\nof the first layer")
    ['w', 'of the first layer']
    >>> shown_lines("x" * 200)[0][-5:]
    'xxxx…'
    """
    if not text.strip():
        return [repr(text)]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], "…"]
    return [_cut(printable(line)) for line in lines]


def _cut(line: str) -> str:
    room = LONGEST
    for i, character in enumerate(line):
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return line[: i - 1].rstrip() + "…"
    return line


def text_size(lines: tuple[Line, ...], size: float = FONT_SIZE) -> tuple[float, float]:
    """Return width and height of lines one below the other."""
    sizes = [line.size(size) for line in lines]
    width = max((text_width(line.text, at, line.bold) for line, at in zip(lines, sizes, strict=True)), default=0.0)
    return width, sum(sizes) * LINE_HEIGHT


def node_size(node: DrawnNode) -> tuple[float, float]:
    """Return width and height of a node's shape, such that its text fits inside."""
    width, height = text_size(node.lines, node.font_size)
    if node.shape == "circle":
        width = height = math.hypot(width, height * 0.8) + 10
    elif node.shape == "ellipse":
        # The corners of the text's rectangle have to lie inside of the ellipse.
        height = max(height + 10, node.size)
        width = max(width / math.sqrt(1 - (node.font_size / height) ** 2) + 8, height)
    else:
        width, height = width + 2 * node.margin[0], height + 2 * node.margin[1]
    return max(width, node.size), max(height, node.size)
