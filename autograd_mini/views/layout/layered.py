"""A picture cut into ranks of items: nodes, labels, and the places where long edges pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from autograd_mini.views.layout.measure import LINE_HEIGHT, OUTLINE_GAP, node_size, text_width
from autograd_mini.views.picture import DrawnEdge, DrawnNode, Picture

_MOST_BENDS = 20_000  # beyond, long edges run straight: their bends would cost more than the graph
_BEND_GAP = 7.0
LEANING = 3.0  # how far a line may rise or fall on half the length of its label


class Item:
    """Something that takes up room in a rank.

    Attributes
    ----------
    node : DrawnNode or None
        The node; None for a label and for a bend of a long edge.
    main, above, below : float
        Its extent along the edges, and across them to both sides of its line.
    before, after : list of Item
        What it is joined to in the rank before and in the rank after.
    gap : float
        How much of its extent across is room around it.
    is_aside : bool
        Whether it is a node that no edge leads to, or on the way from one: what is computed comes first in line.
    along, cross, column : float
        Its place, and the width of its rank.
    """

    __slots__ = (
        "above", "after", "along", "before", "below", "column", "cross", "gap", "is_aside", "main", "node", "position",
        "rank",
    )  # fmt: skip

    def __init__(self, rank: int, main: float, above: float, below: float) -> None:
        self.rank, self.main, self.above, self.below = rank, main, above, below
        self.node: DrawnNode | None = None
        self.gap = 0.0
        self.is_aside = False
        self.before: list[Item] = []
        self.after: list[Item] = []
        self.along = self.cross = self.column = 0.0
        self.position = 0


@dataclass
class EdgePath:
    """The way of an edge from the lower rank to the higher.

    Attributes
    ----------
    edge : DrawnEdge
        The edge.
    start, end : Item
        The nodes that it joins.
    backward : bool
        Whether the edge points from the end to the start: it closes a cycle.
    bends : list of Item
        What the edges of the start pass together, one in each rank after it.
    n_bends : int
        How many of these this edge passes.
    label : Item or None
        The place of its label, after the bends.
    label_shift : float
        How far across from the line the label's centre is.
    label_size : (float, float)
        Its width and height on the page.
    """

    edge: DrawnEdge
    start: Item
    end: Item
    backward: bool
    bends: list[Item] = field(default_factory=list)
    n_bends: int = 0
    label: Item | None = None
    label_shift: float = 0.0
    label_size: tuple[float, float] = (0.0, 0.0)

    @property
    def last(self) -> Item:
        """The item before the end."""
        if self.label is not None:
            return self.label
        return self.bends[self.n_bends - 1] if self.n_bends else self.start


@dataclass
class Layers:
    """The ranks, the nodes' items by id, and the edges' paths."""

    ranks: list[list[Item]]
    items: dict[str, Item]
    paths: list[EdgePath] = field(default_factory=list)
    in_given_order: bool = False
    n_bends: int = 0


@dataclass(frozen=True)
class _Link:
    """An edge from the lower rank to the higher."""

    edge: DrawnEdge
    start: str
    end: str
    span: int  # the least number of ranks: 2 where something stands between

    @property
    def backward(self) -> bool:
        return self.start != self.edge.source


def layered(picture: Picture) -> Layers:
    """Return the picture in ranks, each rank in no particular order yet."""
    across = picture.rankdir in ("TB", "BT")
    links = _links(picture)
    given = {node.id: node.rank for node in picture.nodes if node.rank is not None}
    is_given = len(given) == len(picture.nodes)
    ranks = given if is_given else _ranks([node.id for node in picture.nodes], links)
    items = {node.id: _node_item(node, ranks[node.id], across, picture.node_gap) for node in picture.nodes}
    layers = Layers([[] for _ in range(max(ranks.values()) + 1)], items, in_given_order=picture.straight)
    for item in items.values():
        layers.ranks[item.rank].append(item)
    for name in items.keys() - {link.end for link in links}:
        items[name].is_aside = True
    bends: dict[str, list[Item]] = {}
    for link in links:
        path = EdgePath(link.edge, items[link.start], items[link.end], link.backward, bends.setdefault(link.start, []))
        layers.paths.append(path)
        _join_on(layers, path, link.span, across, picture.straight)
    return layers


def _node_item(node: DrawnNode, rank: int, across: bool, gap: float) -> Item:
    width, height = node_size(node)
    main, cross = (height, width) if across else (width, height)
    outline = 2 * OUTLINE_GAP if node.doubled else 0.0
    half = (cross + outline + gap) / 2
    item = Item(rank, main + outline, half, half)
    item.node, item.gap = node, gap
    return item


# --------------------------------------------------------------------------------------------------- ranks


def _links(picture: Picture) -> list[_Link]:
    """Return the edges without cycles: those that close one are turned round."""
    parallel = Counter((edge.source, edge.target) for edge in picture.edges)
    closing = _closing_edges(picture)
    links = []
    for edge in picture.edges:
        if edge.source == edge.target:
            continue
        start, end = (edge.target, edge.source) if edge.id in closing else (edge.source, edge.target)
        apart = edge.label or parallel[edge.source, edge.target] > 1
        links.append(_Link(edge, start, end, 2 if apart and not picture.straight else 1))
    return links


def _closing_edges(picture: Picture) -> set[str]:
    """Return the ids of the edges that lead back to a node on the way to which they were found."""
    outgoing: dict[str, list[DrawnEdge]] = {node.id: [] for node in picture.nodes}
    for edge in picture.edges:
        outgoing[edge.source].append(edge)
    closing: set[str] = set()
    state: dict[str, str] = {}
    for start in outgoing:
        stack = [] if start in state else [(start, iter(outgoing[start]))]
        while stack:
            name, pending = stack[-1]
            state[name] = "open"
            following = next(pending, None)
            if following is None:
                state[name] = "done"
                stack.pop()
            elif state.get(following.target) == "open":
                closing.add(following.id)
            elif following.target not in state:
                stack.append((following.target, iter(outgoing[following.target])))
    return closing


def _ranks(names: list[str], links: list[_Link]) -> dict[str, int]:
    """Return a rank for each node: as many before the last as its longest way there takes.

    Measured from the end, a leaf stands just before what uses it and not far away at the beginning.
    """
    incoming: dict[str, list[_Link]] = {name: [] for name in names}
    waiting = dict.fromkeys(names, 0)
    for link in links:
        incoming[link.end].append(link)
        waiting[link.start] += 1
    distance = dict.fromkeys(names, 0)
    ready = [name for name in names if not waiting[name]]
    while ready:
        name = ready.pop()
        for link in incoming[name]:
            distance[link.start] = max(distance[link.start], distance[name] + link.span)
            waiting[link.start] -= 1
            if not waiting[link.start]:
                ready.append(link.start)
    longest = max(distance.values())
    return {name: longest - far for name, far in distance.items()}


# --------------------------------------------------------------------------------------------------- paths


def _join_on(layers: Layers, path: EdgePath, span: int, across: bool, straight: bool) -> None:
    """Make the bends and the label that an edge needs, and join all items on its way."""
    if path.edge.label:
        width, height = text_width(path.edge.label, path.edge.font_size), path.edge.font_size * LINE_HEIGHT
        path.label_size = (width, height)
        if not straight:  # beside the line: above it, or to the right of one that goes down
            path.label_shift = width / 2 + 4 if across else -height / 2 - 1.5
    stop = path.end.rank - (span - 1)
    if not straight:
        _bend(layers, path, stop)
    if span == 2:
        label = _label_item(stop, path, across)
        label.is_aside = path.start.is_aside
        layers.ranks[stop].append(label)
        _join(path.last, label)
        path.label = label
    _join(path.last, path.end)


def _label_item(rank: int, path: EdgePath, across: bool) -> Item:
    width, height = path.label_size
    if not path.edge.label:
        return Item(rank, 0.0, _BEND_GAP, _BEND_GAP)
    if across:
        return Item(rank, height, LEANING + 4, width + LEANING + 8)
    return Item(rank, width + 4, height + LEANING + 4, LEANING + 4)


def _bend(layers: Layers, path: EdgePath, stop: int) -> None:
    """Let an edge pass an item in each rank from its start to the rank before `stop`.

    All edges of a node share them: they leave it as one line and part where they have to.
    """
    path.n_bends = max(stop - path.start.rank - 1, 0)
    missing = path.n_bends - len(path.bends)
    if layers.n_bends + missing > _MOST_BENDS:
        path.n_bends = 0
        return
    for _ in range(missing):
        before = path.bends[-1] if path.bends else path.start
        bend = Item(before.rank + 1, 0.0, _BEND_GAP, _BEND_GAP)
        bend.is_aside = before.is_aside
        layers.ranks[bend.rank].append(bend)
        layers.n_bends += 1
        _join(before, bend)
        path.bends.append(bend)


def _join(first: Item, second: Item) -> None:
    first.after.append(second)
    second.before.append(first)
