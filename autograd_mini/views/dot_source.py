r"""A picture as statements of the DOT language, with every text literal.

Two things of DOT have to be undone for that: escape sequences in strings (``\N`` is the node's name) and
entities (``&lt;``). Nodes have HTML-like labels, so that names can be bold; these have both of them too.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import Any

import graphviz

from autograd_mini.views.layout.measure import node_size
from autograd_mini.views.picture import FONT_SIZE, LABEL_SIZE, DrawnEdge, DrawnNode, Line, Picture

# The one font whose widths every Graphviz knows, also one without a font library. The SVG names fallbacks for it.
_FONT = "Helvetica"
_POINTS_PER_INCH = 72.0
_SHAPES = {"rounded": "box", "box": "box", "ellipse": "ellipse", "circle": "circle"}


def graph_attributes(picture: Picture) -> dict[str, str]:
    """Return what holds for the whole picture."""
    return {
        "rankdir": picture.rankdir,
        "bgcolor": "transparent",
        "fontname": _FONT,
        "nodesep": _inches(picture.node_gap),
        "ranksep": _inches(picture.rank_gap),
        "splines": "line" if picture.straight else "true",
        "pad": "0.1",
        "outputorder": "edgesfirst",
        # Titles become tooltips of the whole picture otherwise.
        "tooltip": " ",
    }


def node_attributes() -> dict[str, str]:
    """Return what holds for all nodes."""
    return {"fontname": _FONT, "fontsize": _number(FONT_SIZE), "margin": "0.12,0.05", "width": "0", "height": "0"}


def edge_attributes() -> dict[str, str]:
    """Return what holds for all edges."""
    size = _number(LABEL_SIZE)
    return {"fontname": _FONT, "fontsize": size, "arrowsize": "0.65", "labeldistance": "3.6", "labelangle": "0"}


def add_to(graph: Any, picture: Picture) -> None:
    """Write the nodes and edges of a picture into a `graphviz.Digraph`."""
    for node in picture.nodes:
        graph.node(node.id, label=_html(node.lines), **_node(node))
    for column in _columns(picture):
        _keep_together(graph, column)
    for edge in picture.edges:
        graph.edge(edge.source, edge.target, **_edge(edge, picture.straight))


def _html(lines: tuple[Line, ...]) -> str:
    """Return lines as an HTML-like label; an empty tag is a syntax error there."""
    return f"<{'<BR/>'.join(_html_line(line) for line in lines)}>"


def _html_line(line: Line) -> str:
    text = escape(line.text, quote=False).replace("\\", "\\\\")
    return f"<B>{text}</B>" if line.bold and text else text


def _literal(text: str) -> Any:
    """Return a text as a string in which DOT finds neither escape sequences nor entities."""
    return graphviz.nohtml(graphviz.escape(text.replace("&", "&amp;")).replace("\n", "\\n"))


def _tooltip(text: str) -> Any:
    """Return a tooltip, in which Graphviz looks for escape sequences twice; an empty one would be the node's name."""
    return _literal(text.replace("\\", "\\\\") or " ")


def _node(node: DrawnNode) -> dict[str, Any]:
    styles = ["filled", *(["rounded"] * (node.shape == "rounded")), *(["dashed"] * node.dashed)]
    width, height = node_size(node)
    attributes = {
        "id": node.id,
        "shape": _SHAPES[node.shape],
        "style": ",".join(styles),
        "fillcolor": node.fill,
        "color": node.stroke,
        "fontcolor": node.ink,
        "penwidth": _number(node.stroke_width),
        "fontsize": _number(node.font_size),
        "width": _inches(width),
        "height": _inches(height),
        "tooltip": _tooltip(node.tooltip),
    }
    if node.shape in ("ellipse", "circle"):
        attributes["margin"] = "0"
    if node.doubled:
        attributes["peripheries"] = "2"
    return attributes


def _edge(edge: DrawnEdge, straight: bool) -> dict[str, Any]:
    attributes = {
        "id": edge.id,
        "color": edge.colour,
        "penwidth": _number(edge.width),
        "tooltip": _tooltip(edge.tooltip),
    }
    if edge.label:
        attributes |= {"fontcolor": edge.ink, "labeltooltip": attributes["tooltip"]}
        # A label in the middle would bend a line that shall be straight.
        attributes |= {"headlabel": _backed(edge)} if straight else {"label": _literal(edge.label)}
    if edge.dashed:
        attributes["style"] = "dashed"
    if not edge.arrow:
        attributes["arrowhead"] = "none"
    return attributes


def _backed(edge: DrawnEdge) -> str:
    """Return a label that stands on the line itself, on a ground of its own."""
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" BGCOLOR="{edge.backing}">'
    return f"<{table}<TR><TD>{escape(edge.label, quote=False)}</TD></TR></TABLE>>"


def _columns(picture: Picture) -> list[list[str]]:
    """Return the ids of the nodes that were given a rank, by rank."""
    columns: dict[int, list[str]] = {}
    for node in picture.nodes:
        if node.rank is not None:
            columns.setdefault(node.rank, []).append(node.id)
    return [columns[rank] for rank in sorted(columns)]


def _keep_together(graph: Any, column: list[str]) -> None:
    """Put nodes into one column in the order given, by a chain of edges that aren't drawn."""
    graph.body.append("\t{\n\t\trank=same\n" + "".join(f'\t\t"{name}"\n' for name in column) + "\t}\n")
    for above, below in pairwise(column):
        graph.edge(above, below, style="invis")


def _inches(points: float) -> str:
    return _number(points / _POINTS_PER_INCH)


def _number(number: float) -> str:
    return f"{number:.4g}"
