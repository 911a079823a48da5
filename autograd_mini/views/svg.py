"""A picture with its layout as SVG: shapes, lines of text, edges with arrowhead and label.

`node` and `edge` return their parts as elements; the stepper's picture and the animation are put together from them
too. `write` makes a document built up like Graphviz's: a group with an id and a title for each node and edge.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from itertools import accumulate

from autograd_mini.formulas.expression import format_number
from autograd_mini.views.layout.layout import Box, Layout, Point, Route
from autograd_mini.views.layout.measure import LINE_HEIGHT, OUTLINE_GAP, text_width
from autograd_mini.views.picture import FONT, DrawnEdge, DrawnNode, Picture

_NAMESPACE, _LINKS = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
BASELINE = 0.35  # of the font size: how far below its middle a text's baseline is
CORNER = 7.0
NOTE_MARGIN = 8.0
# Attributes that elements inherit from those around them, with their default values.
_INHERITED = {"fill": "#000000", "stroke": "none", "stroke-width": "1", "font-size": "", "font-weight": "normal"}


def write(picture: Picture, layout: Layout) -> str:
    """Return the SVG document as text.

    Examples
    --------
    >>> from autograd_mini.views.layout.layout import arrange
    >>> from autograd_mini.views.picture import DrawnNode, Line
    >>> picture = Picture((DrawnNode("node-0", (Line("<x>"),), "box", "#ffffff", "#000000"),), ())
    >>> "&lt;x&gt;</text>" in write(picture, arrange(picture))
    True
    """
    written = ET.tostring(elements(picture, layout), encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n{written}\n'


def elements(picture: Picture, layout: Layout) -> ET.Element:
    """Return the SVG document as elements."""
    # Below the drawing, and perhaps wider than it, stands the note.
    lines, step = picture.note_lines(), picture.note_size * LINE_HEIGHT
    width = max([layout.width, *[text_width(part, picture.note_size) + 2 * NOTE_MARGIN for part in lines]])
    svg = document(width, layout.height + step * len(lines) + (NOTE_MARGIN if lines else 0.0), "pt")
    svg.attrib |= {"xmlns:xlink": _LINKS, "xml:space": "preserve"}
    graph = ET.SubElement(svg, "g", {"id": "graph0", "class": "graph", "font-family": FONT, "text-anchor": "middle"})
    if picture.paper:
        wide, high = svg.attrib["viewBox"].split()[2:]
        ET.SubElement(graph, "rect", {"width": wide, "height": high, "fill": picture.paper})
    # Edges first: where one starts at a node, the node's outline is on top.
    for line in picture.edges:
        if line.id in layout.routes:
            parts = edge(line, layout.routes[line.id])
            graph.append(_group(line.id, "edge", f"{line.source}->{line.target}", line.tooltip, parts))
    for drawn in picture.nodes:
        graph.append(_group(drawn.id, "node", drawn.id, drawn.tooltip, node(drawn, layout.boxes[drawn.id])))
    for i, part in enumerate(lines):
        if not part:
            continue
        note = text(
            part,
            (NOTE_MARGIN, layout.height + step * (i + 0.5)),
            picture.note_size,
            picture.note_ink,
            font=picture.note_font,
        )
        note.set("text-anchor", "start")
        graph.append(note)
    return svg


def _group(name: str, kind: str, title: str, tooltip: str, parts: Iterable[ET.Element]) -> ET.Element:
    """Return a node's or an edge's group; the tooltip is a link without address, as Graphviz has it."""
    group = ET.Element("g", {"id": name, "class": kind})
    ET.SubElement(group, "title").text = title
    link = ET.SubElement(ET.SubElement(group, "g", {"id": f"a_{name}"}), "a", {"xlink:title": tooltip})
    link.extend(parts)
    group.tail = "\n"
    return group


def document(width: float, height: float, unit: str = "") -> ET.Element:
    """Return an empty document of this size."""
    wide, high = short(width), short(height)
    size = {"width": wide + unit, "height": high + unit, "viewBox": f"0 0 {wide} {high}"}
    return ET.Element("svg", {"xmlns": _NAMESPACE, **size})


def node(drawn: DrawnNode, box: Box) -> list[ET.Element]:
    """Return a node's shape, after the second outline if it has one, and its lines of text."""
    x, y, width, height = box
    outline = {"stroke": drawn.stroke, "stroke-width": short(drawn.stroke_width, 2)}
    if drawn.dashed:
        outline["stroke-dasharray"] = "5,2"
    parts = [_shape(drawn, box, {"fill": drawn.fill, **outline})]
    if drawn.doubled:
        outer = (x, y, width + 2 * OUTLINE_GAP, height + 2 * OUTLINE_GAP)
        parts.insert(0, _shape(drawn, outer, {"fill": "none", **outline}))
    sizes = [line.size(drawn.font_size) for line in drawn.lines]
    ends = list(accumulate([size * LINE_HEIGHT for size in sizes]))
    for line, size, end in zip(drawn.lines, sizes, ends, strict=True):
        if line.text:
            middle = y - ends[-1] / 2 + end - size * LINE_HEIGHT / 2
            parts.append(text(line.text, (x, middle), size, drawn.ink, line.bold, drawn.font))
    return parts


def _shape(drawn: DrawnNode, box: Box, style: dict[str, str]) -> ET.Element:
    x, y, width, height = box
    if drawn.shape in ("ellipse", "circle"):
        radii = {"rx": short(width / 2), "ry": short(height / 2)}
        return ET.Element("ellipse", {"cx": short(x), "cy": short(y), **radii, **style})
    return rectangle(box, CORNER if drawn.shape == "rounded" else 0.0, style)


def edge(drawn: DrawnEdge, route: Route) -> list[ET.Element]:
    """Return an edge's line, its arrowhead and its label, those of them that it has."""
    first, *others = map(_point, route.curve)
    style = {"fill": "none", "stroke": drawn.colour, "stroke-width": short(drawn.width, 2)}
    if drawn.dashed:
        style["stroke-dasharray"] = "5,2"
    parts = [ET.Element("path", {"d": f"M{first}C{' '.join(others)}", **style})]
    if route.head:
        corners = " ".join(map(_point, route.head))
        parts.append(ET.Element("polygon", {"points": corners, "fill": drawn.colour, "stroke": drawn.colour}))
    if route.label is not None and drawn.label:
        if drawn.backing:
            parts.append(rectangle((*route.label, *route.label_size), 2.0, {"fill": drawn.backing}))
        parts.append(text(drawn.label, route.label, drawn.font_size, drawn.ink, font=drawn.font))
    return parts


def rectangle(box: Box, corner: float, style: dict[str, str]) -> ET.Element:
    """Return a rectangle around its middle, with rounded corners."""
    x, y, width, height = box
    size = {"width": short(width), "height": short(height), **({"rx": short(corner)} if corner else {})}
    return ET.Element("rect", {"x": short(x - width / 2), "y": short(y - height / 2), **size, **style})


def text(line: str, middle: Point, size: float, ink: str, bold: bool = False, font: str = "") -> ET.Element:
    """Return a line of text around its middle; what it stands in centres it."""
    x, y = middle
    style = {"font-size": short(size), "fill": ink, **({"font-weight": "bold"} if bold else {})}
    if font:
        style["font-family"] = font
    element = ET.Element("text", {"x": short(x), "y": short(y + size * BASELINE), **style})
    element.text = line
    return element


def lean(element: ET.Element, given: dict[str, str] = _INHERITED) -> None:
    """Remove from an element, and from all in it, the attributes that it would inherit or have by default.

    Examples
    --------
    >>> group = ET.fromstring('<g fill="red"><text x="0" fill="red"/></g>')
    >>> lean(group)
    >>> ET.tostring(group)
    b'<g fill="red"><text /></g>'
    """
    for key, value in list(element.attrib.items()):
        if given.get(key) == value or (key in ("x", "y", "cx", "cy") and value == "0"):
            del element.attrib[key]
    given = {key: element.get(key, value) for key, value in given.items()}
    for part in element:
        lean(part, given)


def short(number: float, digits: int = 1) -> str:
    """Return a number with so many digits after the point.

    Examples
    --------
    >>> short(12.345), short(3.0), short(-0.01)
    ('12.3', '3', '0')
    """
    return format_number(round(number, digits))


def _point(point: Point) -> str:
    return f"{short(point[0])},{short(point[1])}"
