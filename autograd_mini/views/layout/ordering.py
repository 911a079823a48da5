"""The order of the items of each rank, with few crossings, and their places across, with few bends."""

from __future__ import annotations

from bisect import bisect_right, insort
from math import inf

from autograd_mini.views.layout.layered import Item, Layers

_SMALL = 2_000  # items; for more, fewer rounds must do
_ALONE_WEIGHT = 6.0  # of a joint between two that have no other on that side: an operation and its value are level
_BEND_WEIGHT, _LABEL_WEIGHT, _NODE_WEIGHT = 3.0, 1.0, 1.5


def order_ranks(layers: Layers) -> None:
    """Sort the items of each rank by the barycentres of their neighbours, to and fro, and keep the best order found.

    The first order is that in which a search from the end meets them: a tree is drawn without a crossing, operands
    in the order written.
    """
    if layers.in_given_order:
        _number_positions(layers.ranks)
        return
    ranks = _searched(layers.ranks)
    best, fewest = ranks, _crossings(ranks)
    for sweep in range(12 if sum(map(len, ranks)) < _SMALL else 4):
        if not fewest:
            break
        ranks = [list(items) for items in ranks]
        downwards = sweep % 2 == 0
        for items in ranks if downwards else reversed(ranks):
            _sort_by_neighbours(items, downwards)
        crossings = _crossings(ranks)
        if crossings < fewest:
            best, fewest = ranks, crossings
    layers.ranks[:] = best
    _number_positions(best)


def _searched(ranks: list[list[Item]]) -> list[list[Item]]:
    """Return the ranks in the order in which a depth-first search from the end meets the items."""
    found: list[list[Item]] = [[] for _ in ranks]
    seen: set[Item] = set()
    for first in (item for items in reversed(ranks) for item in items):
        stack = [first]
        while stack:
            item = stack.pop()
            if item not in seen:
                seen.add(item)
                found[item.rank].append(item)
                stack.extend(reversed(item.before))
    _number_positions(found)
    return found


def _number_positions(ranks: list[list[Item]]) -> None:
    for items in ranks:
        for position, item in enumerate(items):
            item.position = position


def _sort_by_neighbours(items: list[Item], downwards: bool) -> None:
    def barycentre(item: Item) -> float:
        neighbours = item.before if downwards else item.after
        if not neighbours:
            return float(item.position)
        return sum(neighbour.position for neighbour in neighbours) / len(neighbours)

    items.sort(key=barycentre)  # stable: where it makes no difference, the order stays
    for position, item in enumerate(items):
        item.position = position


def _crossings(ranks: list[list[Item]]) -> int:
    """Return the number of pairs of joints that cross, as the number of inversions; also renews the positions."""
    _number_positions(ranks)
    count = 0
    for items in ranks[1:]:
        ends = [position for item in items for position in sorted(before.position for before in item.before)]
        passed: list[int] = []
        for position in ends:
            count += len(passed) - bisect_right(passed, position)
            insort(passed, position)
    return count


# --------------------------------------------------------------------------------------------- places across


def spread(layers: Layers) -> None:
    """Set the items' places across the edges: near their neighbours, in order, and never over each other."""
    for items in layers.ranks:
        _stack(items)
    is_small = sum(map(len, layers.ranks)) < _SMALL
    for _ in range(10 if is_small else 2):
        for items in layers.ranks:
            _fit(items, [_mean(item.before or item.after, item.cross) for item in items])
        for items in reversed(layers.ranks):
            _fit(items, [_mean(item.after or item.before, item.cross) for item in items])
    for _ in range(12 if is_small else 1):
        for items in [*layers.ranks, *reversed(layers.ranks)]:
            _fit(items, [_between(item) for item in items])
    for bends in {path.start: path.bends for path in layers.paths if path.bends}.values():
        _straighten(bends, layers.ranks)
    for items in layers.ranks:
        for item in items:
            if not _is_alone(item.before, "after"):
                _straighten(_chain(item), layers.ranks)


def _is_alone(side: list[Item], back: str) -> bool:
    """Return whether there is one neighbour on a side, and it has no other on its."""
    return len(side) == 1 and len(getattr(side[0], back)) == 1


def _chain(item: Item) -> list[Item]:
    """Return the items that follow one upon the other without a branch."""
    chain = [item]
    while _is_alone(chain[-1].after, "before"):
        chain.append(chain[-1].after[0])
    return chain


def _straighten(chain: list[Item], ranks: list[list[Item]]) -> None:
    """Put as many items of a chain in a row on one level as the others of their ranks leave room for."""
    run: list[Item] = []
    low, high = -inf, inf
    for item in chain:
        above, below = _room(item, ranks[item.rank])
        if max(low, above) > min(high, below):
            _level(run, low, high)
            run, low, high = [], -inf, inf
        run.append(item)
        low, high = max(low, above), min(high, below)
    _level(run, low, high)


def _room(item: Item, rank: list[Item]) -> tuple[float, float]:
    """Return how far an item can be moved to both sides."""
    low, high = -inf, inf
    if item.position:
        other = rank[item.position - 1]
        low = min(other.cross + other.below + item.above, item.cross)
    if item.position + 1 < len(rank):
        other = rank[item.position + 1]
        high = max(other.cross - other.above - item.below, item.cross)
    return low, high


def _level(run: list[Item], low: float, high: float) -> None:
    level = max(low, min(high, sum(item.cross for item in run) / len(run)))
    for item in run:
        item.cross = level


def _stack(items: list[Item]) -> None:
    """Place the items one beside the other, their middle at 0."""
    place = 0.0
    for item in items:
        item.cross = place + item.above
        place += item.above + item.below
    for item in items:
        item.cross -= place / 2


def _mean(neighbours: list[Item], otherwise: float) -> float:
    return sum(item.cross for item in neighbours) / len(neighbours) if neighbours else otherwise


def _between(item: Item) -> float:
    """Return the middle between an item's neighbours on both sides."""
    wish = weights = 0.0
    for side, is_alone in (
        (item.before, _is_alone(item.before, "after")),
        (item.after, _is_alone(item.after, "before")),
    ):
        if side:
            weight = _ALONE_WEIGHT if is_alone else 1.0
            wish, weights = wish + weight * _mean(side, 0.0), weights + weight
    return wish / weights if weights else item.cross


def _weight(item: Item) -> float:
    """Return how much the place that suits an item counts in the fit: most on long edges, to keep them straight."""
    if item.node is not None:
        return _NODE_WEIGHT
    return _BEND_WEIGHT if item.main == 0.0 else _LABEL_WEIGHT


def _fit(items: list[Item], wishes: list[float]) -> None:
    """Place the items of a rank as near to the places wished for (in least squares) as their order and sizes allow.

    With the room that is taken before each item subtracted this is a regression by a rising sequence, which is found by
    pooling adjacent violators: neighbours that would overlap form a block, at the mean of their wishes.
    """
    blocks: list[list[float]] = []  # weighted sum of wishes, weight, number of items
    taken = 0.0
    for item, wish in zip(items, wishes, strict=True):
        taken += item.above
        weight = _weight(item)
        blocks.append([weight * (wish - taken), weight, 1])
        taken += item.below
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, weight, number = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += weight
            blocks[-1][2] += number
    taken, following = 0.0, iter(items)
    for total, weight, number in blocks:
        for _ in range(int(number)):
            item = next(following)
            item.cross = total / weight + taken + item.above
            taken += item.above + item.below
