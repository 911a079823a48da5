"""The drawings that the stepper steps through: `draw`'s picture, laid out once with room for every number to come.

A drawing of whichever renderer is read back, and only its geometry is kept: so the SVG is small, the same for all
three, and every text stands in the middle of its place whatever is written there later. It shows the end of the
backward pass, because it is also what a viewer shows that runs no scripts. Elements are known by ``data-id``, not by
``id``: several drawings may share a page. The names are those of `graph_picture`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

from autograd_mini.formulas.expression import format_number
from autograd_mini.views import colours
from autograd_mini.views.folding import Fold, folds
from autograd_mini.views.graph_picture import GraphPicture
from autograd_mini.views.layout.measure import LINE_HEIGHT, shown_lines
from autograd_mini.views.picture import FONT, FONT_SIZE, LABEL_SIZE, DrawnEdge, DrawnNode, Line, Picture
from autograd_mini.views.stepper.tape import constant_locals

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value
    from autograd_mini.explanations.names import Names

MOST_SHOWN = 400  # values and boxes: more of them is neither readable nor quick
_MOST_LISTED = 4  # nodes whose numbers a box shows
_MOST_BOXES = 60  # in a view that nobody asked for
_MOST_OPENED = 200_000  # characters of a folded drawing times its boxes, if each of them can be opened by itself
_DIGITS = 4
_WIDEST, _WIDEST_LABEL = "-0.0000", "-0.00"  # room for what a moved leaf will make of a number
_RANK_GAP = 27.0  # a contribution stands on its edge
_FOLDS = (None, "neuron", "layer")
_SVG = "{http://www.w3.org/2000/svg}"
_STROKE, _STROKE_WIDTH = colours.OUTLINES["value"], 1.2  # of most nodes
# Of the edges and the texts, in a viewer that runs no scripts; the script puts the page's style in its place.
_STYLE = (
    f"path{{fill:none;stroke:{colours.LINE}}}polygon{{fill:{colours.LINE}}}"
    f"path~text{{fill:{colours.TEXT}}}text{{stroke:none}}"
)
_MARGIN = 5  # for the ring around a node at the edge
_CORNER = 7.0
_OUTER = 4.0  # how far outside the second outline of an input is
_BASELINE = 0.35  # of the font size


@dataclass(frozen=True)
class View:
    """One way of folding the graph.

    Attributes
    ----------
    fold : {"neuron", "layer"} or None
        What is folded.
    boxes : list of dict
        Each box's scope, its nodes, and those of them whose numbers it shows.
    svg : str
        The drawing.
    opened : str
        The scope of the one box that is open while the others are folded, if there is one.
    """

    fold: str | None
    boxes: list[dict[str, Any]]
    svg: str
    opened: str = ""


def views(root: Value, names: Names | None, fed: dict[str, Any]) -> list[View]:
    """Return the graph unfolded, by neurons and by layers: those of the three that differ and can be read.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping or None
        Variables that name nodes.
    fed : dict
        The payload.

    Raises
    ------
    ValueError
        If each of them has too many nodes.
    """
    graphs = {fold: GraphPicture(root, names, fold, _DIGITS) for fold in _FOLDS}
    different = [fold for fold in _FOLDS if fold is None or _is_new(fold, graphs)]
    readable = [fold for fold in different if graphs[fold].count <= MOST_SHOWN]
    if not readable:
        raise ValueError(
            f"the drawing would have {graphs[different[-1]].count} values and boxes, more than {MOST_SHOWN}; compute "
            'parts of the graph inside of a scope, as in: with autograd_mini.scope("encoder"): ..., and each is a box'
        )
    return [_view(fold, graphs[fold], fed) for fold in readable]


def opened_views(root: Value, names: Names | None, fed: dict[str, Any], folded: list[View]) -> list[View]:
    """Return for each box of the folded views one in which it is open: a layer shows its neurons, a neuron its nodes.

    A way of folding is left out where there are so many boxes, or so large drawings, that the page would be too large.

    Parameters
    ----------
    root, names, fed
        As for `views`.
    folded : list of View
        What `views` returned.
    """
    if folded[0].fold is not None:
        return []  # the graph is so large that not even all of it can be shown
    finer: list[Fold] = []
    found = []
    for view in folded[1:]:
        boxes = folds(root, view.fold)
        if len(boxes) > 1 and len(boxes) * len(view.svg) <= _MOST_OPENED:
            for box in boxes:
                graph = _PartlyFolded(root, names, _opened(box, boxes, finer))
                found.append(replace(_view(view.fold, graph, fed), opened=box.scope))
        finer = boxes
    return found


def _opened(box: Fold, boxes: list[Fold], finer: list[Fold]) -> list[Fold]:
    """Return the boxes, one of them replaced by the finer ones in it; by none if there is only one."""
    inside = [part for part in finer if set(part.nodes) <= set(box.nodes)]
    return [part for other in boxes for part in ([other] if other is not box else inside if len(inside) > 1 else [])]


class _PartlyFolded(GraphPicture):
    """The picture of a graph with boxes of different kinds."""

    def __init__(self, root: Value, names: Names | None, boxes: list[Fold]) -> None:
        super().__init__(root, names, None, _DIGITS)
        self.folds = boxes
        self.box_of = {node: f"scope-{i}" for i, box in enumerate(boxes) for node in box.nodes}
        self.shown = [node for node in self.order if node not in self.box_of]


def first(views: list[View], collapse: str | None) -> int:
    """Return which of the views to begin with: the one asked for, else the finest that is readable."""
    for i, view in enumerate(views):
        if view.fold == collapse or (collapse is None and len(view.boxes) <= _MOST_BOXES):
            return i
    return len(views) - 1  # neurons may be all that a layer has: then the two ways of folding are one


def check_fold(root: Value, collapse: str) -> None:
    """Raise if the graph, folded in this way, has too many nodes to be shown."""
    count = GraphPicture(root, None, collapse, _DIGITS).count
    if count > MOST_SHOWN:
        raise ValueError(
            f'collapse="{collapse}" leaves {count} values and boxes, more than {MOST_SHOWN}; leave collapse out and '
            "the stepper folds what it must"
        )


def _is_new(fold: str, graphs: dict[str | None, GraphPicture]) -> bool:
    """Return whether this way of folding has boxes, and others than the one before."""
    boxes = [box.nodes for box in graphs[fold].folds]
    return bool(boxes) and (fold == "neuron" or boxes != [box.nodes for box in graphs["neuron"].folds])


def _view(fold: str | None, graph: GraphPicture, fed: dict[str, Any]) -> View:
    # Only now, as importing graphviz takes longer than importing all of this package.
    from autograd_mini.views.drawing import Drawing

    writer = _Writer(graph, fed)
    drawn = Drawing.of(writer.with_room()).pipe("svg")
    boxes = [
        {
            "scope": box.scope,
            "nodes": [graph.position[node] for node in box.nodes],
            "listed": [graph.position[node] for node in listed(box)],
        }
        for box in graph.folds
    ]
    return View(fold, boxes, writer.svg(ET.fromstring(drawn)))


class _Writer:
    """Writes the texts of a picture: as wide as they may become, and as they are at the end."""

    def __init__(self, graph: GraphPicture, fed: dict[str, Any]) -> None:
        self.graph, self.nodes, self.rules = graph, fed["nodes"], fed["rules"]
        self.picture: Picture = graph.picture("LR")
        kept = [float(node["gradient"]) for node in self.nodes if node["kind"] != "constant"]
        self.largest = colours.largest_finite(kept)

    # -------------------------------------------------------------------------------------------- the texts

    def _lines(self, node: DrawnNode, widest: str) -> tuple[Line, ...]:
        """Return the lines of a node; no number is narrower than `widest`."""
        what, _, number = node.id.partition("-")
        if what == "op":
            return node.lines
        if what == "scope":
            return self._box_lines(int(number), widest)
        described = self.nodes[int(number)]
        if "bare" in described:
            return (Line(_number(described["value"])),)
        lines = [Line(line, bold=True) for line in shown_lines(described["name"])]
        lines.append(Line(f"data {_wide(described['value'], widest)}"))
        if described["kind"] != "constant":
            lines.append(Line(f"grad {_wide(described['gradient'], widest)}"))
        return tuple(lines)

    def _box_lines(self, i: int, widest: str) -> tuple[Line, ...]:
        """Return the lines of a box: its scope, its size, and the value and the gradient of the nodes it lists."""
        box = self.graph.folds[i]
        lines = [Line(line, bold=True) for line in shown_lines(box.scope)]
        lines.append(Line(f"{len(box.nodes)} {'node' if len(box.nodes) == 1 else 'nodes'}"))
        for node in listed(box):
            described = self.nodes[self.graph.position[node]]
            value, gradient = (_wide(described[key], widest) for key in ("value", "gradient"))
            lines.append(Line(f"{shown_lines(described['name'])[0]} {value}, grad {gradient}"))
        if len(box.leaving) > _MOST_LISTED:
            lines.append(Line(f"… {len(box.leaving) - _MOST_LISTED} more"))
        return tuple(lines)

    def _label(self, edge: DrawnEdge, widest: str) -> str:
        """Return the local derivative on an edge; one that never changes takes no more room than it needs."""
        match = re.fullmatch(r"edge-(\d+)-(\d+)-(\d+)", edge.id)
        if match is None or edge.label == "–":
            return edge.label
        successor, slot = self.nodes[int(match[2])], int(match[3])
        fixed = constant_locals(self.rules[successor["rule"]])[slot] is not None
        return _wide(successor["locals"][slot], "" if fixed else widest)

    def with_room(self) -> Picture:
        """Return the picture to lay out."""
        return replace(
            self.picture,
            rank_gap=_RANK_GAP,
            nodes=tuple(replace(node, lines=self._lines(node, _WIDEST), tooltip="") for node in self.picture.nodes),
            edges=tuple(replace(e, label=self._label(e, _WIDEST_LABEL), tooltip="") for e in self.picture.edges),
        )

    # -------------------------------------------------------------------------------------------------- SVG

    def svg(self, drawn: ET.Element) -> str:
        """Return the small SVG with the geometry of one that was drawn."""
        groups = {g.get("id", ""): g for g in drawn.iter(f"{_SVG}g") if g.get("class") in ("node", "edge")}
        _, _, width, height = (float(part) for part in drawn.get("viewBox", "0 0 1 1").split())
        width, height = width + 2 * _MARGIN, height + 2 * _MARGIN
        graph = next(g for g in drawn.iter(f"{_SVG}g") if g.get("class") == "graph")
        moved = re.search(r"translate\(([^)]*)\)", graph.get("transform", ""))
        place = f' transform="translate({moved[1]})"' if moved else ""
        edges = [part for e in self.picture.edges if e.id in groups for part in self._edge(e, groups[e.id])]
        nodes = [part for node in self.picture.nodes for part in self._node(node, groups[node.id])]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_short(width)}" height="{_short(height)}"'
            f' viewBox="{-_MARGIN} {-_MARGIN} {_short(width)} {_short(height)}" font-family="{FONT}"'
            f' font-size="{_short(FONT_SIZE)}" text-anchor="middle"><style>{_STYLE}</style>'
            f'<g{place}><g font-size="{_short(LABEL_SIZE)}">{"".join(edges)}</g>'
            f'<g stroke="{_STROKE}" stroke-width="{_STROKE_WIDTH}">{"".join(nodes)}</g></g></svg>'
        )

    def _edge(self, edge: DrawnEdge, group: ET.Element) -> Iterator[str]:
        line, head = next(group.iter(f"{_SVG}path")), group.find(f".//{_SVG}polygon")
        yield f'<g data-id="{edge.id}"><path d="{_rounded(line.get("d", ""))}"/>'
        if head is not None:
            corners = _rounded(head.get("points", "")).split()
            yield f'<polygon points="{" ".join(dict.fromkeys(corners))}"/>'
        label = group.find(f".//{_SVG}text")
        if label is not None:
            place = f'x="{_short(float(label.get("x", 0)))}" y="{_short(float(label.get("y", 0)))}"'
            yield f"<text {place}>{self._label(edge, '')}</text>"
        yield "</g>"

    def _node(self, node: DrawnNode, group: ET.Element) -> Iterator[str]:
        """Iterate over a node's parts; the last shape is the one that is filled."""
        x, y, width, height = _inner_box(group)
        what, _, number = node.id.partition("-")
        fill = self._fill(what, int(number))
        middle = f"{_short(x + width / 2)} {_short(y + height / 2)}"
        ink = colours.ink_on(fill)
        size = "" if node.font_size == FONT_SIZE else f' font-size="{_short(node.font_size)}"'
        colour = "" if ink == "#000000" else f' fill="{ink}"'
        yield f'<g data-id="{node.id}" transform="translate({middle})"{colour}{size}>'
        dashes = ' stroke-dasharray="5,2"' if node.dashed else ""
        style = f'fill="{fill}"{dashes}'
        if (node.stroke, node.stroke_width) != (_STROKE, _STROKE_WIDTH):
            style = f'stroke="{node.stroke}" stroke-width="{_short(node.stroke_width)}" {style}'
        if node.shape == "ellipse":
            yield f'<ellipse rx="{_short(width / 2)}" ry="{_short(height / 2)}" {style}/>'
        else:
            if node.doubled:
                outer = _rectangle(width + 2 * _OUTER, height + 2 * _OUTER)
                yield f"<rect {outer} {style.replace(fill, 'none')}/>"
            corner = f' rx="{_short(_CORNER)}"' if node.shape == "rounded" else ""
            yield f"<rect {_rectangle(width, height)}{corner} {style}/>"
        lines, step = self._lines(node, ""), node.font_size * LINE_HEIGHT
        baseline = node.font_size * _BASELINE - step * (len(lines) - 1) / 2
        for i, line in enumerate(lines):
            weight = ' font-weight="bold"' if line.bold else ""
            yield f'<text y="{_short(baseline + i * step)}"{weight}>{escape(line.text)}</text>'
        yield "</g>"

    def _fill(self, what: str, number: int) -> str:
        if what == "op":
            return colours.OPERATION
        if what == "scope":
            leaving = self.graph.folds[number].leaving
            if len(leaving) != 1:
                return colours.ZERO
            number = self.graph.position[leaving[0]]
        elif self.nodes[number]["kind"] == "constant":
            return colours.CONSTANT
        return colours.diverging(float(self.nodes[number]["gradient"]), self.largest)


def listed(box: Fold) -> list[Value]:
    """Return the nodes whose numbers a box shows: all it computes, as z and a, or else what leaves it."""
    computed = [node for node in box.nodes if node.primitive is not None]
    return computed if len(computed) <= _MOST_LISTED else list(box.leaving[:_MOST_LISTED])


def _number(value: float | str) -> str:
    return format_number(float(value), _DIGITS)


def _wide(value: float | str, widest: str) -> str:
    """Return a number, or the text that stands for wider ones."""
    return max(_number(value), widest, key=len)


def _rectangle(width: float, height: float) -> str:
    """Return the attributes of a rectangle around the middle of a node."""
    return f'x="{_short(-width / 2)}" y="{_short(-height / 2)}" width="{_short(width)}" height="{_short(height)}"'


def _inner_box(group: ET.Element) -> tuple[float, float, float, float]:
    """Return x, y, width and height of a node's shape; of the inner one where it has two outlines."""
    boxes = []
    for shape in group.iter():
        tag = shape.tag.removeprefix(_SVG)
        if tag in ("polygon", "path"):
            numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", shape.get("points") or shape.get("d") or "")]
            xs, ys = numbers[::2], numbers[1::2]
            boxes.append((min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)))
        elif tag == "ellipse":
            cx, cy, rx, ry = (float(shape.get(key, 0)) for key in ("cx", "cy", "rx", "ry"))
            boxes.append((cx - rx, cy - ry, 2 * rx, 2 * ry))
        elif tag == "rect":
            x, y, width, height = (float(shape.get(key, 0)) for key in ("x", "y", "width", "height"))
            boxes.append((x, y, width, height))
    return min(boxes, key=lambda box: box[2])


def _rounded(coordinates: str) -> str:
    """Return coordinates with one decimal."""
    return re.sub(r"-?\d+\.\d+", lambda match: _short(float(match[0])), coordinates)


def _short(number: float) -> str:
    return format_number(round(number, 1))
