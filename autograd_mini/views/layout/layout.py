"""A layered layout of our own: where the nodes, the edges and the labels of a picture go, the same on every machine.

It works in two directions, along the edges (`main`) and across them (`cross`), and turns the result at the end:
1. cycles are broken, and every node gets a rank as close to its successors as its edges allow;
2. a label becomes an item in the rank before its edge's end, and an edge over many ranks passes through an item in
   each, so that it does not run through nodes (`layered`);
3. barycentre sweeps order the items of each rank, and a least-squares fit sets them apart (`ordering`);
4. columns get their widths, and edges their curves: from item to item in the gaps between the ranks, level where they
   pass a rank.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import mul

from autograd_mini.views.layout.layered import LEANING, EdgePath, Item, Layers, layered
from autograd_mini.views.layout.measure import OUTLINE_GAP, node_size
from autograd_mini.views.layout.ordering import order_ranks, spread
from autograd_mini.views.picture import Picture

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # the x and the y of its middle, its width and its height

_MARGIN = 8.0
_WIDEST_GAP = 60.0
_STEEPEST = 1.8  # how many points across an edge may go for each one along, before its gap is widened
_ARROW_LENGTH, _ARROW_HALF_WIDTH = 7.5, 3.0
_LABEL_AT = 0.72  # of a straight edge's length: near its end, as Graphviz has it
_NOTHING = 1e-6  # a length below it is none
_WIDEST_ENTRY = math.radians(65)


@dataclass(frozen=True)
class Route:
    """How an edge is drawn.

    Attributes
    ----------
    curve : list of Point
        The start, and for each cubic Bézier curve two control points and its end.
    head : list of Point
        The arrowhead's corners, the tip first; empty where there is none.
    label : Point or None
        The centre of the label.
    label_size : (float, float)
        Its width and height on the page.
    """

    curve: list[Point]
    head: list[Point] = field(default_factory=list)
    label: Point | None = None
    label_size: tuple[float, float] = (0.0, 0.0)

    def moved(self, place: Callable[[Point], Point]) -> Route:
        """Return the route with all its points put elsewhere."""
        label = None if self.label is None else place(self.label)
        return replace(self, curve=[place(p) for p in self.curve], head=[place(p) for p in self.head], label=label)

    def extent(self) -> list[Point]:
        """Return points such that everything lies between them."""
        points = [*self.curve, *self.head]
        if self.label is not None:
            (x, y), (width, height) = self.label, self.label_size
            points += [(x - width / 2, y - height / 2), (x + width / 2, y + height / 2)]
        return points


@dataclass(frozen=True)
class Layout:
    """Where everything goes, in points, the origin at the upper left.

    Attributes
    ----------
    width, height : float
        Of the whole picture.
    boxes : dict of str to Box
        The middle and the size of each node's shape.
    routes : dict of str to Route
        The curve, the arrowhead and the label of each edge.
    """

    width: float
    height: float
    boxes: dict[str, Box]
    routes: dict[str, Route]


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
    runs = _Runs()
    nodes = [[item for item in items if item.node is not None] for items in layers.ranks]
    routes = {
        path.edge.id: _straight(path) if picture.straight else _curved(path, runs, nodes[path.end.rank])
        for path in layers.paths
    }
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
    """Turn main and cross into x and y, and move everything to the origin, with a margin."""
    across = picture.rankdir in ("TB", "BT")
    sign = -1.0 if picture.rankdir in ("RL", "BT") else 1.0

    def place(point: Point) -> Point:
        main, cross = point[0] * sign, point[1]
        return (cross, main) if across else (main, cross)

    sizes = {node.id: node_size(node) for node in picture.nodes}
    boxes = {name: (*place((item.along, item.cross)), *sizes[name]) for name, item in layers.items.items()}
    routes = {name: route.moved(place) for name, route in routes.items()}
    points = [point for route in routes.values() for point in route.extent()]
    for x, y, width, height in boxes.values():
        points += [(x - width / 2 - OUTLINE_GAP, y - height / 2 - OUTLINE_GAP)]
        points += [(x + width / 2 + OUTLINE_GAP, y + height / 2 + OUTLINE_GAP)]
    sides = [_MARGIN + more for more in picture.margin]
    left, top = (min(side) - room for side, room in zip(zip(*points, strict=True), sides, strict=True))
    right, bottom = (max(side) + room for side, room in zip(zip(*points, strict=True), sides, strict=True))
    return Layout(
        right - left,
        bottom - top,
        {name: (x - left, y - top, *size) for name, (x, y, *size) in boxes.items()},
        {name: route.moved(lambda point: (point[0] - left, point[1] - top)) for name, route in routes.items()},
    )


# --------------------------------------------------------------------------------------------------- curves


def _curved(path: EdgePath, runs: _Runs, rank: list[Item]) -> Route:
    """Return a curve that is level wherever it passes a rank, so that it touches no other item there."""
    start, end = path.start, path.end
    curve = _line((start.along + _half(start), start.cross), (start.along + start.column / 2, start.cross))
    for first, last in runs.until(path):
        left, right = (first.along - first.column / 2, first.cross), (last.along + last.column / 2, last.cross)
        curve += _s_curve(curve[-1], left, 0.0, 0.0) + _line(left, right)[1:]
    slope, label = 0.0, None
    if path.label is not None:
        item, half = path.label, path.label.column / 2
        leaning = _leaning(curve[-1], item, end)
        slope = leaning / half if half else 0.0
        left, right = (item.along - half, item.cross - leaning), (item.along + half, item.cross + leaning)
        curve += _s_curve(curve[-1], left, 0.0, slope) + _line(left, right)[1:]
        shift = path.label_shift + math.copysign(abs(slope) * item.main / 2, path.label_shift)
        label = (item.along, item.cross + shift) if path.edge.label else None
    curve += _entry(curve[-1], end, _share(path), slope, rank)
    return _finished(path, curve[::-1] if path.backward else curve, label)


class _Runs:
    """The bends of each node's edges, put together where they follow on one level; many edges may share them."""

    def __init__(self) -> None:
        self._known: dict[Item, list[tuple[int, Item]]] = {}

    def until(self, path: EdgePath) -> Iterator[tuple[Item, Item]]:
        """Iterate over the first and the last bend of every level stretch of an edge's way."""
        if not path.n_bends:
            return
        if path.start not in self._known:
            changes = [i for i, bend in enumerate(path.bends) if not i or bend.cross != path.bends[i - 1].cross]
            self._known[path.start] = [(i, path.bends[i]) for i in changes]
        passed = [(i, bend) for i, bend in self._known[path.start] if i < path.n_bends]
        for (_, first), (following, _) in zip(passed, [*passed[1:], (path.n_bends, None)], strict=True):
            yield first, path.bends[following - 1]


def _leaning(before: Point, item: Item, after: Item) -> float:
    """Return how far a line rises on half the length of a label: a little, so that it needs fewer bends."""
    length = after.along - after.column / 2 - before[0]
    slope = (after.cross - before[1]) / length if length else 0.0
    # Only where the line goes the same way on both sides of the label.
    if (item.cross - before[1]) * (after.cross - item.cross) <= 0:
        return 0.0
    return max(-LEANING, min(LEANING, slope * item.column / 2))


def _straight(path: EdgePath) -> Route:
    """Return the straight line between two circles."""
    first, last = path.start, path.end
    way = (last.along - first.along, last.cross - first.cross)
    length = math.hypot(*way) or 1.0
    start = _towards((first.along, first.cross), way, _half(first) / length)
    end = _towards((last.along, last.cross), way, -_half(last) / length)
    label = None
    if path.edge.label:
        label = _towards(start, (end[0] - start[0], end[1] - start[1]), _LABEL_AT)
    curve = _line(start, end)
    return _finished(path, curve[::-1] if path.backward else curve, label)


def _finished(path: EdgePath, curve: list[Point], label: Point | None) -> Route:
    """Return the route, with an arrowhead if the edge has one."""
    curve = _joined(curve)
    if not path.edge.arrow:
        return Route(curve, [], label, path.label_size)
    tip = curve[-1]
    behind = next((p for p in reversed(curve[:-1]) if math.dist(p, tip) > _NOTHING), (tip[0] - 1.0, tip[1]))
    length = math.dist(behind, tip)
    direction = ((tip[0] - behind[0]) / length, (tip[1] - behind[1]) / length)
    base = _towards(tip, direction, -_ARROW_LENGTH)
    side = (-direction[1] * _ARROW_HALF_WIDTH, direction[0] * _ARROW_HALF_WIDTH)
    head = [tip, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1])]
    control = _towards(curve[-2], direction, -_ARROW_LENGTH) if length > 2 * _ARROW_LENGTH else curve[-2]
    return Route([*curve[:-2], control, base], head, label, path.label_size)


def _joined(curve: list[Point]) -> list[Point]:
    """Return the same curve without stretches of no length, and with level stretches one after the other as one."""
    joined, was_level = [curve[0]], False
    for k in range(1, len(curve), 3):
        start, stretch = joined[-1], curve[k : k + 3]
        if all(math.dist(point, start) < _NOTHING for point in stretch):
            continue
        is_level = all(abs(point[1] - start[1]) < _NOTHING for point in stretch)
        if is_level and was_level:
            joined[-3:] = _line(joined[-4], stretch[-1])[1:]
        else:
            joined += stretch
        was_level = is_level
    return joined if len(joined) > 1 else curve


def _entry(start: Point, last: Item, share: float, slope: float, rank: list[Item]) -> list[Point]:
    """Return the curve from the gap before a node to its outline.

    A round node is met from where the line comes; on a box, `share` from -1 to 1 is how far off its middle.
    """
    assert last.node is not None
    half, tall = _half(last), _tall(last)
    if last.node.shape in ("ellipse", "circle"):
        angle = math.atan2(start[1] - last.cross, last.along - start[0])
        angle = max(-_WIDEST_ENTRY, min(_WIDEST_ENTRY, angle))
        end = (last.along - half * math.cos(angle), last.cross + tall * math.sin(angle))
        reach = (end[0] - start[0]) / 2
        control = (end[0] - reach * math.cos(angle), end[1] + reach * math.sin(angle) * 0.5)
        curve = [(start[0] + reach, start[1] + slope * reach), control, end]
        # Past others of its rank only on a level: where they are wider, or the curve would touch them.
        if last.column > last.main + 1.0 or _touches([start, *curve], [item for item in rank if item is not last]):
            edge = (last.along - last.column / 2, end[1])
            return _s_curve(start, edge, slope, 0.0) + _line(edge, end)[1:]
        return curve
    edge = (last.along - last.column / 2, last.cross + share * tall * 0.6)
    return _s_curve(start, edge, slope, 0.0) + _line(edge, (last.along - half, edge[1]))[1:]


def _touches(curve: list[Point], items: list[Item]) -> bool:
    """Return whether one Bézier curve runs through the box of a node, or close by it."""
    for t in (k / 16 for k in range(1, 16)):
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        along, cross = (sum(map(mul, weights, values)) for values in zip(*curve, strict=True))
        for item in items:
            if abs(along - item.along) < _half(item) + 1.0 and abs(cross - item.cross) < _tall(item) + 1.0:
                return True
    return False


def _share(path: EdgePath) -> float:
    """Return where among the edges into its last node this one arrives, from -1 to 1; 0 if it is the only one."""
    before = path.end.before
    if len(before) == 1:
        return 0.0
    place = sorted(item.cross for item in before).index(path.last.cross)
    middle = (len(before) - 1) / 2
    return (place - middle) / middle * min(1.0, 0.3 * len(before))


def _half(item: Item) -> float:
    """Return half the length of a node along the edges."""
    return item.main / 2


def _tall(item: Item) -> float:
    """Return half the length of a node across the edges, without the gap around it."""
    return item.above - item.gap / 2


def _s_curve(start: Point, end: Point, slope: float, end_slope: float) -> list[Point]:
    """Return the curve to `end` that begins and ends with these slopes."""
    half = (end[0] - start[0]) / 2
    return [(start[0] + half, start[1] + slope * half), (end[0] - half, end[1] - end_slope * half), end]


def _line(start: Point, end: Point) -> list[Point]:
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return [start, _towards(start, third, 1), _towards(start, third, 2), end]


def _towards(point: Point, way: Point, share: float) -> Point:
    return point[0] + way[0] * share, point[1] + way[1] * share
