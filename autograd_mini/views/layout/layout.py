"""A layered layout of our own, for machines without Graphviz: where nodes, labels and edges of a picture go.

It works in two directions, along the edges (`main`) and across them (`cross`), and turns the result at the end:
1. cycles are broken, and every node gets a rank as close to its successors as its edges allow;
2. a label becomes an item in the rank before its edge's end, and an edge over many ranks passes through an item in
   each, so that it does not run through nodes (`layered`);
3. barycentre sweeps order the items of each rank, and a least-squares fit sets them apart (`ordering`);
4. columns get their widths, and edges their curves (`routes`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from autograd_mini.views.layout.layered import Layers, layered
from autograd_mini.views.layout.measure import node_size
from autograd_mini.views.layout.ordering import order_ranks, spread
from autograd_mini.views.layout.routes import Point, Route, Runs, curved, straight
from autograd_mini.views.picture import Picture

MARGIN = 8.0
_OUTLINE = 4.0  # the second outline of an input, outside of its box
_WIDEST_GAP = 60.0
_STEEPEST = 1.8  # how many points across an edge may go for each one along, before its gap is widened


@dataclass
class Layout:
    """Where everything goes, in points, the origin at the upper left.

    Attributes
    ----------
    width, height : float
        Of the whole picture.
    boxes : dict of str to (x, y, width, height)
        The centre and the size of each node.
    routes : dict of str to Route
        The curve, the arrowhead and the label of each edge.
    """

    width: float = 0.0
    height: float = 0.0
    boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)


def arrange(picture: Picture) -> Layout:
    """Return a layout of the picture.

    Examples
    --------
    >>> from autograd_mini.views.picture import DrawnEdge, DrawnNode, Line
    >>> a, b = (DrawnNode(name, (Line(name),), "box", "#ffffff", "#000000") for name in "ab")
    >>> layout = arrange(Picture((a, b), (DrawnEdge("e", "a", "b", "2", "#000000", "#000000"),)))
    >>> layout.boxes["a"][0] < layout.boxes["b"][0]
    True
    """
    layers = layered(picture)
    order_ranks(layers)
    spread(layers)
    _set_columns(layers, picture)
    runs = Runs()
    routes = {path.edge.id: straight(path) if picture.straight else curved(path, runs) for path in layers.paths}
    return _turned(picture, layers, routes)


def _set_columns(layers: Layers, picture: Picture) -> None:
    """Set the items' places along the edges: each rank is as wide as its widest item, steep edges get wider gaps."""
    end = 0.0
    for r, items in enumerate(layers.ranks):
        width = max((item.main for item in items), default=0.0)
        if r:
            steepest = max((abs(b.cross - a.cross) for b in items for a in b.before), default=0.0)
            end += max(picture.rank_gap, 0.0 if picture.straight else min(steepest / _STEEPEST, _WIDEST_GAP))
        for item in items:
            item.along, item.column = end + width / 2, width
        end += width


def _turned(picture: Picture, layers: Layers, routes: dict[str, Route]) -> Layout:
    """Turn main and cross into x and y, and move everything to the origin."""
    across = picture.rankdir in ("TB", "BT")
    sign = -1.0 if picture.rankdir in ("RL", "BT") else 1.0

    def place(point: Point) -> Point:
        main, cross = point[0] * sign, point[1]
        return (cross, main) if across else (main, cross)

    layout = Layout()
    nodes = {node.id: node for node in picture.nodes}
    for name, item in layers.items.items():
        layout.boxes[name] = (*place((item.along, item.cross)), *node_size(nodes[name]))
    layout.routes = {name: route.moved(place) for name, route in routes.items()}
    _move_to_origin(layout)
    return layout


def _move_to_origin(layout: Layout) -> None:
    """Shift the layout such that all of it lies inside, with a margin."""
    points = [point for route in layout.routes.values() for point in route.extent()]
    for x, y, width, height in layout.boxes.values():
        points += [(x - width / 2 - _OUTLINE, y - height / 2 - _OUTLINE)]
        points += [(x + width / 2 + _OUTLINE, y + height / 2 + _OUTLINE)]
    left, top = min(x for x, _ in points) - MARGIN, min(y for _, y in points) - MARGIN
    layout.width = max(x for x, _ in points) + MARGIN - left
    layout.height = max(y for _, y in points) + MARGIN - top
    layout.boxes = {name: (x - left, y - top, w, h) for name, (x, y, w, h) in layout.boxes.items()}
    layout.routes = {
        name: route.moved(lambda point: (point[0] - left, point[1] - top)) for name, route in layout.routes.items()
    }
