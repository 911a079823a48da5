"""The drawings that the stepper steps through: `draw`'s picture, laid out once with room for every number to come.

The layout is our own on every machine, so that the SVG is small and every text is centred in its place, whatever is
written there later. The drawing shows the end of the backward pass, because a viewer that runs no scripts shows it as
it is. Elements have a ``data-id`` and no ``id``, as several drawings may be on one page. The names are those of
`graph_picture`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph
from autograd_mini.views import colours, svg
from autograd_mini.views.graph_picture import MOST_LISTED, Fold, GraphPicture, Shown, count, folds
from autograd_mini.views.layout.layout import Layout, arrange
from autograd_mini.views.page import DIGITS
from autograd_mini.views.picture import FONT, FONT_SIZE, LABEL_SIZE, Picture
from autograd_mini.views.stepper.tape import constant_locals

MOST_SHOWN = 400  # values and boxes: more of them is neither readable nor quick
_MOST_BOXES = 60  # in the view to begin with, unless the user chose one
_MOST_ASKED = 100  # nodes of an exercise
_MOST_OPENED = 200_000  # characters of a folded drawing times its boxes, for boxes that can be opened one by one
_WIDEST, _WIDEST_LABEL = "-0.0000", "-0.00"  # room for other numbers, when a leaf is moved
_FOLDS = (None, "neuron", "layer")
# The style of edges and texts in a viewer that runs no scripts; the script removes it, as the page has its own.
_STYLE = (
    f"path{{fill:none;stroke:{colours.LINE}}}polygon{{fill:{colours.LINE}}}"
    f"text{{stroke:none}}path~text{{fill:{colours.INK};stroke:{colours.PAPER};stroke-width:3px;paint-order:stroke}}"
)
_STYLED = ("fill", "stroke", "stroke-width", "font-size")


@dataclass(frozen=True)
class Drawn:
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


def views(graph: NamedGraph, fed: dict[str, Any]) -> list[Drawn]:
    """Return the graph unfolded, by neurons and by layers: those of the three that differ and can be read.

    Parameters
    ----------
    graph : NamedGraph
        The graph.
    fed : dict
        The payload.

    Raises
    ------
    ValueError
        If each of them has too many nodes.
    """
    different: list[tuple[str | None, list[Fold]]] = [(None, [])]
    for fold in ("neuron", "layer"):
        boxes = folds(graph, fold)
        if [box.nodes for box in boxes] != [box.nodes for box in different[-1][1]]:
            different.append((fold, boxes))
    readable = [view for view in different if count(graph, view[1]) <= MOST_SHOWN]
    if not readable:
        raise ValueError(
            f"the drawing would have {count(graph, boxes)} values and boxes, more than {MOST_SHOWN}; compute parts "
            'of the graph inside of a scope, as in: with autograd_mini.scope("encoder"): ..., and each is a box'
        )
    return [_view(graph, fed, fold, boxes) for fold, boxes in readable]


def opened_views(graph: NamedGraph, fed: dict[str, Any], folded: list[Drawn]) -> list[Drawn]:
    """Return for each box of the folded views one in which it is open: a layer shows its neurons, a neuron its nodes.

    A way of folding is left out where there are so many boxes, or so large drawings, that the page would be too large.

    Parameters
    ----------
    graph, fed
        As for `views`.
    folded : list of Drawn
        What `views` returned.
    """
    if folded[0].fold is not None:
        return []  # the graph is so large that not even all of it can be shown
    finer: list[Fold] = []
    found = []
    for view in folded[1:]:
        boxes = folds(graph, view.fold)
        if len(boxes) > 1 and len(boxes) * len(view.svg) <= _MOST_OPENED:
            found += [_view(graph, fed, view.fold, _opened(box, boxes, finer), box.title) for box in boxes]
        finer = boxes
    return found


def _opened(box: Fold, boxes: list[Fold], finer: list[Fold]) -> list[Fold]:
    """Return the boxes, one of them replaced by the finer ones in it; by none if there is only one."""
    inside = [part for part in finer if set(part.nodes) <= set(box.nodes)]
    return [part for other in boxes for part in ([other] if other is not box else inside if len(inside) > 1 else [])]


def first(views: list[Drawn], collapse: str | None) -> int:
    """Return which of the views to begin with: the one asked for, else the finest that is readable."""
    for i, view in enumerate(views):
        if view.fold == collapse or (collapse is None and len(view.boxes) <= _MOST_BOXES):
            return i
    return len(views) - 1  # neurons may be all that a layer has: then the two ways of folding are one


def check_fold(graph: NamedGraph, collapse: str) -> None:
    """Raise if the graph, folded in this way, has too many nodes to be shown."""
    shown = count(graph, folds(graph, collapse))
    if shown > MOST_SHOWN:
        raise ValueError(
            f'collapse="{collapse}" leaves {shown} values and boxes, more than {MOST_SHOWN}; leave collapse out and '
            "the stepper folds what it must"
        )


def check_open(graph: NamedGraph) -> None:
    """Raise if the graph has too many nodes for all of them to be shown, as an exercise does."""
    shown = count(graph, [])
    if shown > _MOST_ASKED:
        raise ValueError(f"exercise: expected a graph of at most {_MOST_ASKED} nodes, got {shown}; ask of a part of it")


def blank(graph: NamedGraph, fed: dict[str, Any]) -> str:
    """Return the drawing without the numbers, and without the colours that tell of them: how an exercise begins."""
    zeros = [
        {**node, "gradient": 0.0, "locals": [0.0] * len(node.get("locals", ()))}
        | ({} if node["kind"] == "constant" else {"value": 0.0})
        for node in fed["nodes"]
    ]
    return re.sub(">(data |grad |)-?0<", r">\1?<", _view(graph, {**fed, "nodes": zeros}, None, []).svg)


class _Picture(GraphPicture):
    """The picture with the names and the numbers of the records."""

    def __init__(self, graph: NamedGraph, boxes: Sequence[Fold], fed: dict[str, Any]) -> None:
        self.rules, self.recorded = fed["rules"], dict(zip(graph.order, fed["nodes"], strict=True))
        shown = Shown(
            {u: node["name"] for u, node in self.recorded.items()},
            {u: float(node["value"]) for u, node in self.recorded.items()},
            {u: float(node["gradient"]) for u, node in self.recorded.items()},
            {u: [float(local) for local in node.get("locals", ())] for u, node in self.recorded.items()},
        )
        super().__init__(graph, boxes, DIGITS, shown)

    def is_bare(self, node: Value) -> bool:
        """Return whether the page writes nothing but the number of a node."""
        return "bare" in self.recorded[node]

    def listed(self, box: Fold) -> Sequence[Value]:
        """Return all that a box computes, as z and a, or else what leaves it."""
        computed = [node for node in box.nodes if node.primitive is not None]
        return computed if len(computed) <= MOST_LISTED else super().listed(box)


class _Roomy(_Picture):
    """The picture with room for wider numbers, to be laid out."""

    def number(self, value: float) -> str:
        """Return a number, or what stands for wider ones, with room for one digit more."""
        return max(super().number(value), _WIDEST, key=len) + "0"

    def label(self, v: Value, slot: int) -> str:
        """Return a local derivative; one that never changes takes no more room than it needs."""
        label = super().label(v, slot)
        is_fixed = label in ("", "–") or constant_locals(self.rules[self.recorded[v]["rule"]])[slot] is not None
        return label if is_fixed else max(label, _WIDEST_LABEL, key=len)


def _view(graph: NamedGraph, fed: dict[str, Any], fold: str | None, folded: Sequence[Fold], opened: str = "") -> Drawn:
    picture = _Picture(graph, folded, fed)
    boxes = [
        {
            "scope": box.title,
            "nodes": [picture.position[node] for node in box.nodes],
            "listed": [picture.position[node] for node in picture.listed(box)],
        }
        for box in folded
    ]
    layout = arrange(_Roomy(graph, folded, fed).picture())
    return Drawn(fold, boxes, _drawn(picture.picture(), layout), opened)


def _drawn(picture: Picture, layout: Layout) -> str:
    """Return the small SVG: the script finds the parts by their order, the filled shape of a node being its last."""
    document = svg.document(layout.width, layout.height)
    document.attrib |= {"font-family": FONT, "font-size": svg.short(FONT_SIZE), "text-anchor": "middle"}
    ET.SubElement(document, "style").text = _STYLE
    graph = ET.SubElement(document, "g")
    edges = ET.SubElement(graph, "g", {"font-size": svg.short(LABEL_SIZE)})
    for edge in picture.edges:
        group = ET.SubElement(edges, "g", {"data-id": edge.id})
        group.extend(svg.edge(edge, layout.routes[edge.id]))
        for part in group:
            part.attrib = {key: value for key, value in part.attrib.items() if key not in _STYLED}
    nodes = ET.SubElement(graph, "g", {"stroke": colours.OUTLINE, "stroke-width": "1.2"})  # of most of them
    for node in picture.nodes:
        x, y, width, height = layout.boxes[node.id]
        place = {"data-id": node.id, "transform": f"translate({svg.short(x)} {svg.short(y)})"}
        ET.SubElement(nodes, "g", place).extend(svg.node(node, (0.0, 0.0, width, height)))
    svg.lean(document)
    return ET.tostring(document, encoding="unicode")
