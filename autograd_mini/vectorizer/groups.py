"""Groups: nodes of one kind on one level, which become one array.

A node's level is its longest way from the leaves. Nodes of the same level can't depend on each other, so those that do
the same to operands of the same sort are computed together, each a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import Any

from autograd_mini.engine.primitives import PICK, Primitive
from autograd_mini.engine.tracing import Lookup, Table
from autograd_mini.vectorizer.scalars import COMPUTED, CONSTANT, PARAMETER, Scalars

LINEAR = frozenset(("add", "sub", "neg", "mul", "sum", "dot", "identity"))
_MANY = frozenset(("add", "sub", "sum", "dot"))  # of more than one term
NOTHING = -1


@dataclass(eq=False)
class SumOfTerms:
    """Σ coefficient·left·right, where right is NOTHING in a term of one node.

    Attributes
    ----------
    terms : list of (float, int, int)
        In the order written.
    inner : list of int
        The nodes that have dissolved into it.
    has_dot : bool
        Whether a dot product is among them.
    in_order : bool
        Whether they are to be added up from left to right.
    """

    terms: list[tuple[float, int, int]] = field(default_factory=list)
    inner: list[int] = field(default_factory=list)
    has_dot: bool = False
    in_order: bool = True

    def append(self, coefficient: float, left: int, right: int = NOTHING) -> None:
        """Add a term."""
        self.terms.append((coefficient, left, right))

    @property
    def is_mixed(self) -> bool:
        """Whether it has both products and single nodes."""
        return len({right == NOTHING for _, _, right in self.terms}) > 1


def dissolved(scalars: Scalars) -> tuple[dict[int, SumOfTerms], bytearray]:
    """Return the sums that are left, by node, and for every node whether it has dissolved into another one.

    A sum gives what the graph gives, in which additions go from left to right: the first of its terms may be a sum that
    dissolves, another one may not, as a + (b + c) isn't rounded like (a + b) + c, nor do both overflow for the same
    numbers. But matrix products are rounded as BLAS does, and so are sums of terms of which some make a matrix product.
    """
    uses = [0] * len(scalars)
    for parents in scalars.parents:
        for p in parents:
            uses[p] += 1
    for i in [*scalars.outputs, *(i for effect in scalars.effects for i in effect), *scalars.indices]:
        uses[i] += 2  # results are needed as they are
    gone = bytearray(len(scalars))
    without_weights = bytearray(len(scalars))
    sums: dict[int, SumOfTerms] = {}
    for i in reversed(range(len(scalars))):
        if not gone[i] and scalars.kind[i] == COMPUTED and _name(scalars, i) in LINEAR:
            sums[i] = _expanded(scalars, i, uses, without_weights)
            for inner in sums[i].inner:
                gone[inner] = 1
    return dict(reversed(sums.items())), gone


def _name(scalars: Scalars, i: int) -> str:
    primitive = scalars.primitive[i]
    return "" if primitive is None else primitive.name


def _expanded(scalars: Scalars, root: int, uses: list[int], without_weights: bytearray) -> SumOfTerms:
    """Return the terms of one node: as those of a matrix product, or else in the order in which they are added up."""
    if scalars.varies[root] and not without_weights[root]:
        found = _terms(scalars, root, uses, in_order=False)
        if any(b != NOTHING and scalars.varies[a] != scalars.varies[b] for _, a, b in found.terms):
            if sum(scalars.kind[a] == CONSTANT for _, a, _ in found.terms) <= 1:  # else they would be added up first
                found.in_order = False
                return found
        else:
            for i in found.inner:
                without_weights[i] = 1
    found = _terms(scalars, root, uses)
    if len(found.terms) > FEW:  # Python's sum begins with 0
        found.terms = [t for t in found.terms if scalars.kind[t[1]] != CONSTANT or scalars.number[t[1]] != 0.0]
    if len(found.terms) > FEW and found.is_mixed and not found.has_dot:  # a reduction is of terms of one kind
        return _terms(scalars, root, uses, with_products=False)
    return found


def _terms(
    scalars: Scalars, root: int, uses: list[int], in_order: bool = True, with_products: bool = True
) -> SumOfTerms:
    """Return the terms of one node, in the order written, with what dissolves into it.

    Of the numbers that a node is scaled by, one at most isn't 1 or -1: ``1e200 * (1e200 * a)`` stays as it is.
    """
    result = SumOfTerms()
    kind, varies = scalars.kind, scalars.varies
    stack: list[tuple[int, float]] = [(root, 1.0)]
    while stack:
        i, c = stack.pop()
        name, parents, scaled = _name(scalars, i), scalars.parents[i], _scaled(scalars, i)
        if i != root:
            stays = kind[i] == CONSTANT or name not in LINEAR or uses[i] != 1 or varies[i] != varies[root]
            if name in _MANY:  # scaled or subtracted, its weights are a matrix as they stand
                stays |= c != 1.0 or (in_order and bool(result.terms))
            elif scaled is not None:
                stays |= not _is_one(c) and not _is_one(scaled[0])
            elif name == "mul":
                stays |= not _is_one(c) or not with_products
            if stays:
                result.append(c, i)
                continue
            result.inner.append(i)
        if scaled is not None:
            stack.append((scaled[1], c * scaled[0]))
        elif name == "mul":
            c, a = _without_sign(scalars, c, parents[0], uses, result.inner)
            c, b = _without_sign(scalars, c, parents[1], uses, result.inner)
            result.append(c, a, b)
        elif name == "dot":
            result.has_dot = True
            half = len(parents) // 2
            pairs = zip(parents[:half], parents[half : 2 * half], strict=True)
            result.terms += [
                (1.0, a, b) if kind[a] != CONSTANT != kind[b] else _of_number(scalars, a, b) for a, b in pairs
            ]
            stack += [(p, c) for p in parents[2 * half :]]
        elif name == "sub":
            stack += [(parents[1], -c), (parents[0], c)]
        else:
            stack += [(p, c) for p in parents[::-1]]
    return result


def _is_one(c: float) -> bool:
    return abs(c) == 1.0


def _of_number(scalars: Scalars, a: int, b: int) -> tuple[float, int, int]:
    """Return the term a·b, of which one is a bare number: it becomes the coefficient."""
    factor, other = (a, b) if scalars.kind[a] == CONSTANT else (b, a)
    return scalars.number[factor], other, NOTHING


def _scaled(scalars: Scalars, i: int) -> tuple[float, int] | None:
    """Return the number and the node of a product of both, or of -a; None for other nodes."""
    name, parents = _name(scalars, i), scalars.parents[i]
    if name == "neg":
        return -1.0, parents[0]
    if name == "mul":
        for factor, other in (parents, parents[::-1]):
            if scalars.kind[factor] == CONSTANT:
                return scalars.number[factor], other
    return None


def _without_sign(scalars: Scalars, c: float, i: int, uses: list[int], inner: list[int]) -> tuple[float, int]:
    """Return a factor without the minus signs before it, and the coefficient with them."""
    while uses[i] == 1:
        scaled = _scaled(scalars, i)
        if scaled is None or not _is_one(scaled[0]) or scalars.varies[i] != scalars.varies[scaled[1]]:
            break
        inner.append(i)
        c, i = c * scaled[0], scaled[1]
    return c, i


FEW = 6  # up to so many terms a sum is written out; beyond, it is a reduction
_OF_A_LIST = frozenset(("maximum", "minimum", "logsumexp", "minus_log_softmax", "softmax"))
_EACH_FOR_ITSELF = frozenset(("logsumexp", "minus_log_softmax"))
_ALWAYS_OF_A_LIST = _EACH_FOR_ITSELF | {"softmax", "batch_mean"}
FEW_OPERANDS = 16  # up to so many, the operands of maximum and minimum are arrays of their own


@dataclass(eq=False)
class Row:
    """One sum, sorted by what varies over the batch: Σ p·v + Σ c·a·b + bias + constant.

    Attributes
    ----------
    weights, features : list of int
        p, which don't vary, and v, which do: entries of a matrix and what it is multiplied with.
    rest : list of (float, int, int)
        All other terms.
    bias : int
        What doesn't vary, as one node; or NOTHING.
    constant : float
        A bare number.
    """

    weights: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    rest: list[tuple[float, int, int]] = field(default_factory=list)
    bias: int = NOTHING
    constant: float = 0.0

    def dependencies(self) -> Iterable[int]:
        """Iterate over the nodes it is computed from."""
        rest = [i for _, a, b in self.rest for i in (a, b) if i != NOTHING]
        return chain(self.weights, self.features, rest, [self.bias] * (self.bias != NOTHING))


@dataclass(eq=False)
class Group:
    """Nodes that are computed together.

    Attributes
    ----------
    nodes : list of int
        One for each row, in this order.
    level : int
        Their longest way from the leaves.
    varies, needs : bool
        Whether they vary over the batch; whether a gradient goes through them.
    primitive : Primitive or None
        The operation; None for sums.
    rows : list of Row
        The sums.
    form : str
        How it is computed: "affine" (a matrix product), "convolution" (one over windows), "terms" (element by element),
        "reduction" (a sum of many terms), "elementwise", or the primitive's name where it acts on a list.
    indices : list of int
        Of "pick": what names the rows. Its nodes are all columns of each index.
    table : list of int, or Table
        The items, row after row.
    """

    nodes: list[int]
    level: int
    varies: bool
    needs: bool
    primitive: Primitive | None = None
    rows: list[Row] = field(default_factory=list)
    form: str = "elementwise"
    indices: list[int] = field(default_factory=list)
    table: list[int] | Table = field(default_factory=list)


class Grouping:
    """The groups of a graph, from the leaves upwards.

    Parameters
    ----------
    scalars : Scalars
        The graph; it gets new nodes at its end for what doesn't vary over the batch inside of sums.
    needs : bytearray
        For every node, whether a gradient goes through it.
    """

    def __init__(self, scalars: Scalars, needs: bytearray) -> None:
        self.scalars, self.needs = scalars, needs
        self.alias: dict[int, int] = {}
        self._made: dict[Any, int] = {}
        self._levels: dict[int, int] = {}
        self._buckets: dict[Any, list[int]] = {}
        self._rows: dict[int, Row] = {}
        self.size = len(scalars)  # scalar nodes, before any were added
        sums, gone = dissolved(scalars)
        for i in range(self.size):
            if scalars.kind[i] != COMPUTED or gone[i]:
                continue
            if i in sums:
                self._place_sum(i, sums[i])
            else:
                self._place_operation(i)
        self.groups = [group for key, nodes in self._buckets.items() for group in self._grouped(key, nodes)]
        self.groups.sort(key=lambda group: group.level)

    def actual(self, i: int) -> int:
        """Return the node that holds the number of node i: itself, or what it is a mere copy of."""
        while i in self.alias:
            i = self.alias[i]
        return i

    # ------------------------------------------------------------------------------------------------- levels

    def _level(self, dependencies: Iterable[int]) -> int:
        return 1 + max(map(self._levels.get, dependencies, repeat(0)), default=0)

    def _place_operation(self, i: int) -> None:
        scalars, primitive = self.scalars, self.scalars.primitive[i]
        assert primitive is not None
        parents = tuple([self.actual(p) for p in scalars.parents[i]])
        scalars.parents[i] = parents
        level = self._levels[i] = self._level(parents)
        sorts = tuple([2 if scalars.kind[p] == CONSTANT else int(scalars.varies[p]) for p in parents])
        key: tuple[Any, ...] = (level, scalars.varies[i], bool(self.needs[i]), primitive, sorts)
        if primitive.name == "pow" and sorts[1] == 2:
            key += (scalars.number[parents[1]],)
        elif primitive.name == "softmax":
            key += (tuple(sorted(parents)),)
        elif primitive.name == "pick":
            table = primitive.table if isinstance(primitive, Lookup) else len(parents)
            key = (*key[:3], PICK, table, any(scalars.varies[p] for p in parents[1:]))
        elif primitive.name in _EACH_FOR_ITSELF or (primitive.name in _OF_A_LIST and len(parents) > FEW_OPERANDS):
            key += (i,)
        self._buckets.setdefault(key, []).append(i)

    def _place_sum(self, i: int, terms: SumOfTerms) -> None:
        row = self._sorted(terms)
        copied = self._copied(row)
        if copied == NOTHING:
            self._place_row(i, row)
        else:
            self.alias[i] = copied

    def _place_row(self, i: int, row: Row) -> None:
        scalars = self.scalars
        level = self._levels[i] = self._level(row.dependencies())
        self._rows[i] = row
        key = (level, scalars.varies[i], bool(self.needs[i]), None, *_pattern(scalars, row))
        self._buckets.setdefault(key, []).append(i)

    def _copied(self, row: Row) -> int:
        """Return the node that a sum is a mere copy of, or NOTHING."""
        if row.weights or row.constant != 0.0:
            return NOTHING
        if row.bias != NOTHING:
            return NOTHING if row.rest else row.bias
        is_copy = len(row.rest) == 1 and row.rest[0][0] == 1.0 and row.rest[0][2] == NOTHING
        return row.rest[0][1] if is_copy else NOTHING

    def _sorted(self, terms: SumOfTerms) -> Row:
        """Return a sum sorted by what varies over the batch."""
        kind, varies, alias = self.scalars.kind, self.scalars.varies, self.alias
        row, fixed = Row(), []
        for c, a, b in terms.terms:
            if a in alias or b in alias:
                a, b = self.actual(a), b if b == NOTHING else self.actual(b)
            if terms.in_order:
                row.rest.append((c, a, b))
                continue
            if kind[a] == CONSTANT:
                row.constant = c * self.scalars.number[a]
                continue
            of_a, of_b = varies[a], b != NOTHING and varies[b]
            if b != NOTHING and of_a != of_b:
                weight, feature = (b, a) if of_a else (a, b)
                row.weights.append(weight if c == 1.0 else self._scaled(c, weight))
                row.features.append(feature)
            elif of_a:
                row.rest.append((c, a, b))
            else:
                fixed.append((c, a, b))
        if fixed:
            row.bias = self._fixed(fixed, row)
        return row

    def _scaled(self, c: float, weight: int) -> int:
        """Return c·p as a node that doesn't vary."""
        return self._new(Row(rest=[(c, weight, NOTHING)]))

    def _fixed(self, terms: list[tuple[float, int, int]], row: Row) -> int:
        """Return what doesn't vary in a sum as one node."""
        if len(terms) == 1 and terms[0][0] == 1.0 and terms[0][2] == NOTHING:
            return terms[0][1]
        constant, row.constant = row.constant, 0.0
        return self._new(Row(rest=terms, constant=constant))

    def _new(self, row: Row) -> int:
        """Return a new node for a sum that doesn't vary; the same one for the same sum."""
        key = (tuple(row.rest), row.constant)
        if key not in self._made:
            self._made[key] = i = self.scalars.add_fixed(self.scalars.node[row.rest[0][1]])
            self.needs.append(any(self.needs[p] for p in row.dependencies()))
            self._place_row(i, row)
        return self._made[key]

    # ------------------------------------------------------------------------------------------------- groups

    def _grouped(self, key: tuple[Any, ...], nodes: list[int]) -> list[Group]:
        level, varies, needs, primitive = key[:4]
        if primitive is not None:
            group = Group(nodes, level, varies, needs, primitive)
            several = len(self.scalars.parents[nodes[0]]) > FEW_OPERANDS
            if primitive is PICK:
                return self._picks(group)
            if primitive.name in _ALWAYS_OF_A_LIST or (primitive.name in _OF_A_LIST and several):
                group.form = primitive.name
            return [group]
        rows = [self._rows[i] for i in nodes]
        group = Group(nodes, level, varies, needs, None, rows, "terms")
        if rows[0].weights:
            return _matrix_groups(group)
        if len(rows[0].rest) > FEW:
            group.form = "reduction"
        return [group]

    def _picks(self, group: Group) -> list[Group]:
        """Return the groups in which each of some indices picks from the same columns: one gather for each."""
        scalars, first = self.scalars, self.scalars.primitive[group.nodes[0]]
        table = first.table if isinstance(first, Lookup) else None
        columns: dict[Any, int] = {} if table is None else {lookup: k for k, lookup in enumerate(table.lookups)}
        by_index: dict[int, dict[int, int]] = {}
        again = []
        for i in group.nodes:
            primitive, (index, *items) = scalars.primitive[i], scalars.parents[i]
            key = tuple(items) if table is None else primitive
            column = columns.setdefault(key, len(columns))
            if by_index.setdefault(index, {}).setdefault(column, i) != i:
                again.append(i)
        keys, groups = list(columns), []
        if table is not None:  # which is read in whole rows, also where not all columns are used
            for found in by_index.values():
                for column in [c for c in columns.values() if c not in found]:
                    found[column] = scalars.add_fixed(scalars.node[group.nodes[0]])
                    self.needs.append(False)
        by_columns: dict[tuple[int, ...], list[int]] = {}
        for index, found in by_index.items():
            by_columns.setdefault(tuple(sorted(found)), []).append(index)
        for chosen, indices in by_columns.items():
            nodes = [by_index[index][column] for index in indices for column in chosen]
            entries: Any = table or list(chain.from_iterable(zip(*[keys[c] for c in chosen], strict=True)))
            groups.append(replace(group, nodes=nodes, form="pick", indices=indices, table=entries))
        return groups + (self._picks(replace(group, nodes=again)) if again else [])


def _pattern(scalars: Scalars, row: Row) -> tuple[Any, ...]:
    """Return what rows of one group have in common."""
    of_bias = -1 if row.bias == NOTHING else int(scalars.kind[row.bias] == PARAMETER)
    ends = (len(row.weights), of_bias, row.constant == 0.0)
    if len(row.rest) > FEW:
        row.rest.sort(key=lambda term: term[2] == NOTHING)  # products first
        return (*ends, len(row.rest), sum(b == NOTHING for _, _, b in row.rest))
    sorts = [(c if _is_one(c) else 0.5, _sort(scalars, a), _sort(scalars, b)) for c, a, b in row.rest]
    return (*ends, *sorts)


def _sort(scalars: Scalars, i: int) -> int:
    """Return which nodes can be rows of one array: bare numbers, what varies over the batch, and what doesn't."""
    return NOTHING if i == NOTHING else 2 if scalars.kind[i] == CONSTANT else int(scalars.varies[i])


def _matrix_groups(group: Group) -> list[Group]:
    """Return the groups that rows with weights make: matrix products where rows share what they are multiplied with."""
    by_features: dict[tuple[int, ...], list[int]] = {}
    for r, row in enumerate(group.rows):
        by_features.setdefault(tuple(row.features), []).append(r)
    several = len(group.rows) > len(by_features)
    if len(by_features) == 1 and (several or len(group.rows[0].weights) > 1):
        return [_part(group, range(len(group.rows)), "affine")]
    windows = _convolution_order(group, by_features)
    if windows is not None:
        return [_part(group, windows, "convolution")]
    if len(group.rows) >= 2 * len(by_features):
        return [_part(group, rows, "affine") for rows in by_features.values()]
    for row in group.rows:  # every row reads nodes of its own
        row.rest = [(1.0, p, v) for p, v in zip(row.weights, row.features, strict=True)] + row.rest
        row.weights, row.features = [], []
    group.form = "reduction" if len(group.rows[0].rest) > FEW else "terms"
    if group.form == "reduction":
        for row in group.rows:
            row.rest.sort(key=lambda term: term[2] == NOTHING)
    return [group]


def _convolution_order(group: Group, by_features: dict[tuple[int, ...], list[int]]) -> list[int] | None:
    """Return the rows, filter after filter, if every filter is applied to every window; else None."""
    windows = {features: w for w, features in enumerate(by_features)}
    filters: dict[Any, list[int]] = {}
    for r, row in enumerate(group.rows):
        if row.rest or row.constant:
            return None
        filters.setdefault((tuple(row.weights), row.bias), []).append(r)
    if len(windows) < 2 or len(group.rows[0].weights) < 2 or len(filters) * len(windows) != len(group.rows):
        return None
    order: list[int] = []
    for rows in filters.values():
        rows.sort(key=lambda r: windows[tuple(group.rows[r].features)])
        if [windows[tuple(group.rows[r].features)] for r in rows] != list(range(len(windows))):
            return None
        order += rows
    return order


def _part(group: Group, rows: Iterable[int], form: str) -> Group:
    rows = list(rows)
    return replace(group, nodes=[group.nodes[r] for r in rows], rows=[group.rows[r] for r in rows], form=form)
