"""A picture with its layout as SVG, built up like Graphviz's: a group with an id and a title for each node and edge."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from autograd_mini.views.layout.measure import LINE_HEIGHT
from autograd_mini.views.picture import FONT, LABEL_SIZE, DrawnEdge, DrawnNode, Picture

if TYPE_CHECKING:
    from autograd_mini.views.layout.layout import Layout
    from autograd_mini.views.layout.routes import Point, Route

_BASELINE = 0.35  # of the font size: how far below its middle a text's baseline is
_OUTER = 4.0  # how far outside the second outline is


def write(picture: Picture, layout: Layout) -> str:
    """Return the SVG document.

    Examples
    --------
    >>> from autograd_mini.views.layout.layout import arrange
    >>> from autograd_mini.views.picture import DrawnNode, Line
    >>> picture = Picture((DrawnNode("node-0", (Line("<x>"),), "box", "#ffffff", "#000000"),), ())
    >>> "&lt;x&gt;</text>" in write(picture, arrange(picture))
    True
    """
    width, height = _number(layout.width), _number(layout.height)
    parts = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        f'<svg width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink">',
        '<g id="graph0" class="graph">',
    ]
    # Edges first: where one starts at a node, the node's outline is on top.
    for edge in picture.edges:
        if edge.id in layout.routes:
            shapes = _edge(edge, layout, picture.straight)
            parts += _group(edge.id, "edge", f"{edge.source}->{edge.target}", edge.tooltip, shapes)
    for node in picture.nodes:
        parts += _group(node.id, "node", node.id, node.tooltip, _node(node, layout))
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _group(name: str, kind: str, title: str, tooltip: str, shapes: Iterator[str]) -> Iterator[str]:
    """Iterate over the lines of a group; the tooltip is a link without address, as Graphviz has it."""
    yield f'<g id="{_escaped(name)}" class="{kind}">'
    yield f"<title>{_escaped(title)}</title>"
    yield f'<g id="a_{_escaped(name)}"><a xlink:title="{_escaped(tooltip).replace(chr(10), "&#10;")}">'
    yield from shapes
    yield "</a>\n</g>\n</g>"


def _node(node: DrawnNode, layout: Layout) -> Iterator[str]:
    x, y, width, height = layout.boxes[node.id]
    if node.doubled:
        yield _shape(node, x, y, width + 2 * _OUTER, height + 2 * _OUTER, "none")
    yield _shape(node, x, y, width, height, node.fill)
    step = node.font_size * LINE_HEIGHT
    baseline = y - step * (len(node.lines) - 1) / 2 + node.font_size * _BASELINE
    for i, line in enumerate(node.lines):
        if line.text:
            yield _text(line.text, x, baseline + i * step, node.font_size, node.ink, line.bold)


def _shape(node: DrawnNode, x: float, y: float, width: float, height: float, fill: str) -> str:
    style = _style(fill, node.stroke, node.stroke_width, node.dashed)
    if node.shape in ("ellipse", "circle"):
        radii = f'rx="{_number(width / 2)}" ry="{_number(height / 2)}"'
        return f'<ellipse cx="{_number(x)}" cy="{_number(y)}" {radii}{style}/>'
    corner = ' rx="7"' if node.shape == "rounded" else ""
    return (
        f'<rect x="{_number(x - width / 2)}" y="{_number(y - height / 2)}" width="{_number(width)}"'
        f' height="{_number(height)}"{corner}{style}/>'
    )


def _edge(edge: DrawnEdge, layout: Layout, straight: bool) -> Iterator[str]:
    route: Route = layout.routes[edge.id]
    curve = f"M{_point(route.curve[0])}C" + " ".join(map(_point, route.curve[1:]))
    yield f'<path d="{curve}"{_style("none", edge.colour, edge.width, edge.dashed)}/>'
    if route.head:
        yield f'<polygon points="{" ".join(map(_point, route.head))}"{_style(edge.colour, edge.colour, 1.0, False)}/>'
    if route.label is not None:
        x, y = route.label
        if straight:
            yield _backing(edge, x, y, *route.label_size)
        yield _text(edge.label, x, y + LABEL_SIZE * _BASELINE, LABEL_SIZE, edge.ink, False)


def _backing(edge: DrawnEdge, x: float, y: float, width: float, height: float) -> str:
    corner = f'x="{_number(x - width / 2)}" y="{_number(y - height / 2)}"'
    return f'<rect {corner} width="{_number(width)}" height="{_number(height)}" rx="2" fill="{edge.backing}"/>'


def _text(text: str, x: float, y: float, size: float, ink: str, bold: bool) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text xml:space="preserve" text-anchor="middle" x="{_number(x)}" y="{_number(y)}" font-family="{FONT}"'
        f'{weight} font-size="{size:.2f}" fill="{ink}">{_escaped(text)}</text>'
    )


def _style(fill: str, stroke: str, width: float, dashed: bool) -> str:
    dashes = ' stroke-dasharray="5,2"' if dashed else ""
    thickness = "" if width == 1.0 else f' stroke-width="{_number(width)}"'
    return f' fill="{fill}" stroke="{stroke}"{thickness}{dashes}'


def _point(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _escaped(text: str) -> str:
    return escape(text).replace("-", "&#45;") if "--" in text else escape(text)


def _number(number: float) -> str:
    return f"{number:.4g}" if abs(number) < 100 else f"{number:.1f}"
