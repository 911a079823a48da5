"""The order of the items of each rank, with few crossings, and their places across, with few bends."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise
from math import inf

from autograd_mini.views.layout.layered import Item, Layers

_SMALL = 2_000  # items; for more, fewer rounds must do
_MOST_EXCHANGES = 400  # that are tried for the order of operands
_ALONE_WEIGHT = 6.0  # of a joint between two that have no other on that side: an operation and its value are level
_BEND_WEIGHT, _LABEL_WEIGHT, _NODE_WEIGHT = 3.0, 1.0, 1.5


def order_ranks(layers: Layers) -> None:
    """Sort the items of each rank by the barycentres of their neighbours, to and fro, and keep the best order found.

    The first order is that in which a search from the end meets them: a tree is drawn without a crossing, operands
    in the order written. Where sorting has exchanged operands, they are put back if no more edges cross then.
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
    if sum(map(len, best)) < _SMALL:
        _sort_operands(best)


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
    """Return the number of pairs of joints that cross; also renews the positions."""
    _number_positions(ranks)
    return sum(map(_crossings_before, ranks))


def _crossings_before(items: list[Item]) -> int:
    """Return how many joints of a rank with the rank before cross, as the number of inversions."""
    count = 0
    ends = [position for item in items for position in sorted(before.position for before in item.before)]
    passed: list[int] = []
    for position in ends:
        count += len(passed) - bisect_right(passed, position)
        insort(passed, position)
    return count


# ------------------------------------------------------------------------------------------ order of operands


def _sort_operands(ranks: list[list[Item]]) -> None:
    """Let the operands of each operation enter it in their order: all at once, or else as many as can be."""
    tried = 0
    for operation in [item for items in reversed(ranks) for item in items if len(item.before) > 1]:
        slots = {item: slot for slot, item in enumerate(operation.before)}
        entering = sorted(slots, key=lambda item: item.position)
        is_sorted = entering == list(slots) or _reordered(ranks, list(slots))
        while not is_sorted:
            is_sorted = True
            for i, (first, second) in enumerate(pairwise(entering)):
                if slots[first] > slots[second] and tried < _MOST_EXCHANGES:
                    tried += 1
                    if _reordered(ranks, [second, first]):
                        entering[i : i + 2] = second, first
                        is_sorted = False
                        break


def _reordered(ranks: list[list[Item]], wanted: list[Item]) -> bool:
    """Put items of a rank into this order, and all that leads to them alone; undo it if more edges cross then."""
    rows: dict[int, list[Item]] = {}
    for item in wanted:
        for part in sorted(_led_from(item), key=lambda part: part.position):
            rows.setdefault(part.rank, []).append(part)
    as_they_were = {rank: sorted(items, key=lambda item: item.position) for rank, items in rows.items()}
    touched = {r for rank, items in rows.items() if items != as_they_were[rank] for r in (rank, rank + 1)}

    def crossings() -> int:
        return sum(_crossings_before(ranks[r]) for r in touched if r < len(ranks))

    before = crossings()
    _place(ranks, rows)
    if crossings() <= before:
        return True
    _place(ranks, as_they_were)
    return False


def _led_from(item: Item) -> list[Item]:
    """Return an item and all from which the edges lead to it alone."""
    found = {item: None}
    pending = [item]
    while pending:
        for before in pending.pop().before:
            if before not in found and all(after in found for after in before.after):
                found[before] = None
                pending.append(before)
    return list(found)


def _place(ranks: list[list[Item]], rows: dict[int, list[Item]]) -> None:
    """Give the places that these items have in each rank to them in their new order."""
    for rank, items in rows.items():
        for item, position in zip(items, sorted(item.position for item in items), strict=True):
            ranks[rank][position] = item
            item.position = position


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
    bends = {path.start: path.bends for path in layers.paths if path.bends}
    starts = [item for items in layers.ranks for item in items if not _is_alone(item, "before", "after")]
    chains = [_chain(item) for item in starts]
    for is_aside in (False, True):  # leaves make way for a line of what is computed
        for start, passed in bends.items():
            if start.is_aside == is_aside:
                _straighten(passed, layers.ranks)
        for chain in chains:
            if chain[-1].is_aside == is_aside:
                _straighten(chain, layers.ranks)
        if not is_aside:
            for items in layers.ranks:
                _make_way(items)
    for wish in (_after, *[_between] * (3 if is_small else 1)):
        for items in reversed(layers.ranks):
            for item in (*items, *reversed(items)):
                if item.is_aside and item.main:
                    low, high = _room(item, items)
                    item.cross = max(low, min(high, wish(item)))


def _make_way(items: list[Item]) -> None:
    """Move the leaves of a rank, and what leads from them, so far that nothing overlaps what is computed."""
    for order, sign in ((items, 1.0), (items[::-1], -1.0)):
        last: Item | None = None
        for item in order:
            if item.is_aside and last is not None:
                apart = last.below + item.above if sign > 0 else last.above + item.below
                item.cross = sign * max(sign * item.cross, sign * last.cross + apart)
            if not item.is_aside or last is not None:
                last = item


def _in_line(items: list[Item]) -> list[Item]:
    """Return those of an item's neighbours that it stands in line with: the computed ones, if there are any.

    So a chain of operations is a straight line, whatever leaves join it from the side.
    """
    return [item for item in items if not item.is_aside] or items


def _is_alone(item: Item, side: str, back: str) -> bool:
    """Return whether there is one neighbour in line on a side, and this is the only one in line on its."""
    neighbours = _in_line(getattr(item, side))
    return len(neighbours) == 1 and _in_line(getattr(neighbours[0], back)) == [item]


def _chain(item: Item) -> list[Item]:
    """Return the items that follow one upon the other without a branch."""
    chain = [item]
    while _is_alone(chain[-1], "after", "before"):
        chain.append(_in_line(chain[-1].after)[0])
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
    """Return how far an item can be moved to both sides; what is computed can push leaves before it."""
    low, high, above, below = -inf, inf, item.above, item.below
    for i in range(item.position - 1, -1, -1):
        other = rank[i]
        if item.is_aside or not other.is_aside:
            low = min(other.cross + other.below + above, item.cross)
            break
        above += other.above + other.below
    for i in range(item.position + 1, len(rank)):
        other = rank[i]
        if item.is_aside or not other.is_aside:
            high = max(other.cross - other.above - below, item.cross)
            break
        below += other.above + other.below
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
    if not neighbours:
        return otherwise
    in_line = _in_line(neighbours)
    return sum(item.cross for item in in_line) / len(in_line)


def _after(item: Item) -> float:
    """Return the middle of what comes after an item."""
    return _mean(item.after, item.cross)


def _between(item: Item) -> float:
    """Return the middle between an item's neighbours on both sides."""
    wish = weights = 0.0
    for side, is_alone in (
        (item.before, _is_alone(item, "before", "after")),
        (item.after, _is_alone(item, "after", "before")),
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
