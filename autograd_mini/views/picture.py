"""What a drawing consists of, before anything has been placed: nodes and edges with their text and their colours.

Everything that draws starts from a `Picture`: the DOT source for Graphviz and the layout of our own.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Literal

from autograd_mini.formulas.expression import has_small
from autograd_mini.views.colours import PAPER, TEXT

# One list for Graphviz and browsers alike; our own layout measures text with Helvetica's widths.
FONT = "Helvetica,Arial,sans-serif"
FONT_SIZE = 12.0
_WITH_SMALL_NUMBERS = 1.25
LABEL_SIZE = 11.0
_NOTE_WIDTH = 60  # characters

Shape = Literal["rounded", "box", "ellipse", "circle"]


@dataclass(frozen=True)
class Line:
    """One line of text in a node."""

    text: str
    bold: bool = False

    def size(self, font_size: float) -> float:
        """Return the size of its letters, larger where numbers stand above and below them, to be read as well."""
        return font_size * (_WITH_SMALL_NUMBERS if has_small(self.text) else 1.0)


@dataclass(frozen=True)
class DrawnNode:
    """A shape with text in it.

    Parameters
    ----------
    id : str
        Unique in the picture; the ``id`` in the SVG, whichever program draws it.
    lines : tuple of Line
        The text, one below the other.
    shape : {"rounded", "box", "ellipse", "circle"}
        The outline; with `dashed` and `doubled` it tells the kinds of nodes apart without colour.
    fill, stroke, ink : str
        The colours of the inside, of the outline and of the text.
    stroke_width : float
        The width of the outline, in points.
    tooltip : str
        What is shown when the mouse rests on it: the full text.
    rank : int or None
        The column it has to stand in, in the order of the nodes; None where the edges decide.
    size : float
        The least width and height, in points.
    font_size : float
        The size of the text, in points.
    font : str
        The font, where it isn't that of all text.
    margin : (float, float)
        The room beside the text and above it, in a box.
    """

    id: str
    lines: tuple[Line, ...]
    shape: Shape
    fill: str
    stroke: str
    ink: str = "#000000"
    stroke_width: float = 1.0
    dashed: bool = False
    doubled: bool = False
    tooltip: str = ""
    rank: int | None = None
    size: float = 0.0
    font_size: float = FONT_SIZE
    font: str = ""
    margin: tuple[float, float] = (10.0, 5.0)


@dataclass(frozen=True)
class DrawnEdge:
    """A line from one node to another, `source` and `target` being their ids."""

    id: str
    source: str
    target: str
    label: str
    colour: str
    ink: str
    width: float = 1.0
    dashed: bool = False
    arrow: bool = True
    tooltip: str = ""
    backing: str = ""  # the colour behind the label of a straight edge, which stands on its line
    font_size: float = LABEL_SIZE
    font: str = ""


@dataclass(frozen=True)
class Picture:
    """Nodes and edges, and how they are to be laid out.

    Parameters
    ----------
    nodes : tuple of DrawnNode
        In the order in which they are written.
    edges : tuple of DrawnEdge
        From parents to successors.
    rankdir : {"LR", "TB", "RL", "BT"}
        The direction in which edges point: left to right, top to bottom, ….
    straight : bool
        Whether edges are straight lines.
    node_gap, rank_gap : float
        The least room between two nodes of a rank, and between two ranks.
    note : str
        What stands below: a sentence, or several lines.
    note_ink : str
        Its colour.
    note_size, note_font : float, str
        The size and the font of its letters.
    margin : (float, float)
        More room at the sides, and above and below.
    paper, label_paper : str
        The colour of the ground, and that behind the labels of edges that have none of their own; "" for none.
    """

    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    rankdir: str = "LR"
    straight: bool = False
    node_gap: float = 12.0
    rank_gap: float = 20.0
    note: str = ""
    note_ink: str = TEXT
    note_size: float = FONT_SIZE
    note_font: str = ""
    margin: tuple[float, float] = (0.0, 0.0)
    paper: str = ""
    label_paper: str = PAPER

    def note_lines(self) -> list[str]:
        """Return what stands below in lines of bearable length."""
        written = self.note.split("\n") if self.note else []
        return [line for part in written for line in textwrap.wrap(part, _NOTE_WIDTH) or [""]]
