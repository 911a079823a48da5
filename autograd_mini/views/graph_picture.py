"""The computational graph of a `Value` as a picture: u → operation of v → v, with ∂v/∂u, a number, on the first edge.

Nodes of one scope may be folded into a box, so that a network of many neurons can be drawn. Ids, the same whichever
program draws, with k, u and v the positions of nodes in the topological order:

- ``node-<k>`` a value, ``op-<k>`` the operation that computed it, ``out-<k>`` the edge between the two;
- ``edge-<u>-<v>-<slot>`` the edge from value u to the operation of v, whose parent number `slot` it is; it starts at a
  box where u is folded into one;
- ``scope-<i>`` the i-th box of folded nodes, ``edge-<source>-<box>`` an edge into it, e.g. ``edge-node-0-scope-1``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_mini.engine.own import why_unknown
from autograd_mini.engine.value import Value
from autograd_mini.explanations.labels import ByLecture
from autograd_mini.explanations.local import Operands, application, is_bare, local_derivative, local_name
from autograd_mini.explanations.names import NamedGraph, gradient, name_in_code
from autograd_mini.formulas.expression import equation, format_number, number, printable, symbol
from autograd_mini.views import colours
from autograd_mini.views.layout.measure import shown_lines
from autograd_mini.views.picture import FONT_SIZE, DrawnEdge, DrawnNode, Line, Picture

_NEURONS = re.compile(r"(?:^|\.)neurons(?:\.|$)")
_OPERATION_SIZE, _SYMBOL_SIZE = 28.0, 16.0
_STROKE_WIDTHS = {"value": 1.2, "parameter": 2.6, "input": 1.2, "constant": 1.8}
MOST_LISTED = 4  # values in a box
NUMBERS = ("data", "grad", "local")
BLANK = "_" * 8  # a line to write on, always of the same length: that of the number would tell


# --------------------------------------------------------------------------------------------------- folding


@dataclass(frozen=True)
class Fold:
    """The nodes of one scope.

    Attributes
    ----------
    scope : str
        Its name.
    title : str
        What it is called in the picture: "layer 1, neuron 2".
    nodes : tuple of Value
        All nodes in it, in topological order.
    leaving : tuple of Value
        Those of them that are used outside, and the root.
    """

    scope: str
    title: str
    nodes: tuple[Value, ...]
    leaving: tuple[Value, ...]


def folds(graph: NamedGraph, collapse: str | None) -> list[Fold]:
    """Return what is folded, in the order in which the scopes began to compute.

    Parameters
    ----------
    graph : NamedGraph
        The graph.
    collapse : {"neuron", "layer"} or None
        Fold each scope, or all neurons of a layer together, or nothing.

    Examples
    --------
    >>> from autograd_mini import Value, scope
    >>> x = Value(2.0)
    >>> with scope("layers.0.neurons.0"):
    ...     a = x * x + 1
    >>> [(fold.scope, len(fold.nodes), len(fold.leaving)) for fold in folds(NamedGraph(a * 2), "layer")]
    [('layers.0', 3, 1)]
    """
    if collapse is None:
        return []
    scopes = {node: _folded_scope(node.scope, collapse) for node in graph.order if node.primitive is not None}
    computed = list(dict.fromkeys(scopes.values()))
    for leaf in graph.order:
        if leaf.primitive is None:
            # A parameter or a constant lies where all that use it do; an input is always shown.
            users = {scopes[edge.successor] for edge in graph.outgoing[leaf]} if leaf.kind != "input" else set()
            scopes[leaf] = users.pop() if len(users) == 1 else ""
    # In the order of what was computed: the leaves of the last layer may well come before the first layer.
    members: dict[str, list[Value]] = {scope: [] for scope in computed if scope}
    for node in graph.order:
        if scopes[node]:
            members[scopes[node]].append(node)

    def leaves(node: Value) -> bool:
        return node is graph.root or any(scopes[e.successor] != scopes[node] for e in graph.outgoing[node])

    lecture = ByLecture()
    titles = {scope: lecture.title(scope, nodes) for scope, nodes in members.items()}
    count = Counter(titles.values())
    return [
        Fold(scope, titles[scope] if count[titles[scope]] == 1 else scope, tuple(nodes), tuple(filter(leaves, nodes)))
        for scope, nodes in members.items()
    ]


def _folded_scope(scope: str, collapse: str) -> str:
    """Return the scope that a node is folded into; for a layer, the part before its neurons."""
    match = _NEURONS.search(scope) if collapse == "layer" else None
    if match is None:
        return scope
    return scope[: match.start()] or "neurons"  # a layer of its own, that no network has given a name


def count(graph: NamedGraph, boxes: Sequence[Fold]) -> int:
    """Return the number of values and boxes in the picture of a graph."""
    return len(graph.order) - sum(len(box.nodes) for box in boxes) + len(boxes)


# ----------------------------------------------------------------------------------------------- the picture


@dataclass(frozen=True)
class Shown:
    """What a picture says of the nodes: their names and their numbers.

    Attributes
    ----------
    names : mapping of Value to str
        What they are called.
    values, gradients : mapping of Value to float
        Their data and their gradients.
    local_grads : mapping of Value to sequence of float
        The local derivatives by their parents.
    """

    names: Mapping[Value, str]
    values: Mapping[Value, float]
    gradients: Mapping[Value, float]
    local_grads: Mapping[Value, Sequence[float]]

    @classmethod
    def now(cls, graph: NamedGraph) -> Shown:
        """Return what the nodes hold at this moment."""
        return cls(
            graph.called,
            {node: node.data for node in graph.order},
            {node: gradient(node) for node in graph.order},
            {node: node.local_grads for node in graph.order},
        )


@dataclass(frozen=True)
class Look:
    """The colours of a picture, and which numbers it has.

    Attributes
    ----------
    theme : Theme
        The colours.
    show : sequence of str
        What stands in it, of `NUMBERS`.
    blank : sequence of str
        Those of them in whose place a blank stands. They are nowhere else either, also not in tooltips.
    """

    theme: colours.Theme = colours.THEMES["screen"]
    show: Sequence[str] = NUMBERS
    blank: Sequence[str] = ()

    def known(self) -> set[str]:
        """Return the numbers that a reader of the picture may know."""
        return set(self.show) - set(self.blank)

    def knows(self, what: str) -> bool:
        """Return whether a number may stand anywhere."""
        return what in self.known()

    def blank_for(self, what: str) -> str:
        """Return what stands in the place of a number that isn't known: a blank, or nothing."""
        return BLANK if what in self.show else ""


class GraphPicture:
    """The picture of a graph in the making.

    Parameters
    ----------
    graph : NamedGraph
        The graph.
    boxes : sequence of Fold
        What is folded into boxes.
    digits : int
        Significant digits of the numbers.
    shown : Shown, optional
        The names and the numbers; by default those that the nodes hold now.
    look : Look, optional
        The colours, which numbers there are, and which are left for the reader to fill in.
    """

    def __init__(
        self,
        graph: NamedGraph,
        boxes: Sequence[Fold],
        digits: int,
        shown: Shown | None = None,
        look: Look = Look(),
    ) -> None:
        self.graph, self.boxes, self.digits, self.look = graph, boxes, digits, look
        self.theme = look.theme
        self.shown = shown or Shown.now(graph)
        self.position = {node: k for k, node in enumerate(graph.order)}
        self.box_of = {node: f"scope-{i}" for i, box in enumerate(boxes) for node in box.nodes}
        asked = [self.shown.gradients[node] for node in graph.order if node.kind != "constant"]
        self.largest = colours.largest_finite(asked)

    def picture(self, rankdir: str = "LR") -> Picture:
        """Return the finished picture."""
        return Picture(
            tuple(self._nodes()),
            tuple(self._edges()),
            rankdir,
            note=self.graph.note(self.shown.names).replace("\n", " "),
            note_ink=self.theme.text,
            paper=self.theme.paper,
            label_paper=self.theme.label_paper,
        )

    # The stepper overrides these four.

    def is_bare(self, node: Value) -> bool:
        """Return whether a node is a constant that has no name but its number."""
        return is_bare(node, self.shown.names)

    def number(self, value: float) -> str:
        """Return a value or a gradient as it is written in a node or in a box."""
        return format_number(value, self.digits)

    def label(self, v: Value, slot: int) -> str:
        """Return a local derivative as it is written on an edge; by a constant, none is asked for."""
        if v.parents[slot].kind == "constant":
            return ""
        if not self.look.knows("local"):
            return self.look.blank_for("local")
        return "–" if why_unknown(v) else format_number(self.shown.local_grads[v][slot], self.digits)

    def listed(self, box: Fold) -> Sequence[Value]:
        """Return the nodes whose numbers a box shows."""
        return box.leaving if len(box.leaving) <= MOST_LISTED else box.leaving[: MOST_LISTED - 1]

    # ------------------------------------------------------------------------------------------------- nodes

    def _nodes(self) -> Iterator[DrawnNode]:
        """Iterate over operations and values in topological order, each box at the place of its first operation."""
        first = {next(node for node in box.nodes if node.primitive is not None): i for i, box in enumerate(self.boxes)}
        for node in self.graph.order:
            if node in first:
                yield self._box(first[node])
            elif node not in self.box_of:
                if node.primitive is not None:
                    yield self._operation(node)
                yield self._value(node)

    def _called(self, node: Value) -> str:
        return printable(self.shown.names[node])

    def _operation(self, node: Any) -> DrawnNode:
        operands = Operands(node.parents, self.shown.names, None)
        return DrawnNode(
            f"op-{self.position[node]}",
            (Line(node.primitive.symbol, bold=True),),
            "ellipse",
            fill=self.theme.operation,
            stroke=self.theme.outlines["value"],
            ink=colours.ink_on(self.theme.operation),
            tooltip=printable(equation([symbol(self._called(node)), application(node.primitive, operands)])),
            size=_OPERATION_SIZE,
            font_size=_SYMBOL_SIZE if len(node.primitive.symbol) < 3 else FONT_SIZE,
        )

    def _value(self, node: Value) -> DrawnNode:
        what = node.kind
        value, grad = self.shown.values[node], self.shown.gradients[node]
        fill = self.theme.constant if what == "constant" else self._fill(grad)
        tooltip = f"{what} {self._called(node)}"
        if self.look.knows("data"):
            tooltip += f"\ndata {format_number(value)}"
        if what != "constant" and self.look.knows("grad"):
            tooltip += f"\ngrad {format_number(grad)}"
        if node in self.graph.age.results:
            tooltip += "\nolder than the data of its parents"
        where = f"in {node.scope}" if node.scope else name_in_code(node)
        return DrawnNode(
            f"node-{self.position[node]}",
            tuple(self._value_lines(node, what)),
            "rounded" if what in ("value", "constant") else "box",
            fill=fill,
            stroke=self.theme.outlines[what],
            ink=colours.ink_on(fill),
            stroke_width=_STROKE_WIDTHS[what],
            dashed=what == "constant",
            doubled=what == "input",
            tooltip=tooltip + (f"\n{printable(where)}" if where not in ("", self.shown.names[node]) else ""),
        )

    def _value_lines(self, node: Value, what: str) -> Iterator[Line]:
        """Iterate over a value node's text: name, data, gradient; a constant has no gradient, its name is its data."""
        value = self.shown.values[node]
        if self.is_bare(node):
            yield Line(format_number(value, self.digits))
            return
        yield from (Line(line, bold=True) for line in shown_lines(self.shown.names[node]))
        if "data" in self.look.show:
            yield Line(f"data {self._filled('data', value)}")
        if what != "constant" and "grad" in self.look.show:
            yield Line(f"grad {self._filled('grad', self.shown.gradients[node])}")

    def _filled(self, what: str, value: float) -> str:
        return self.number(value) if self.look.knows(what) else BLANK

    def _fill(self, grad: float) -> str:
        """Return the colour of a gradient, which would tell of one that is left blank."""
        return self.theme.of(grad, self.largest) if self.look.knows("grad") else self.theme.zero

    def _box(self, i: int) -> DrawnNode:
        """Return the box of a scope: its name, how many nodes it holds, the values that leave it."""
        box = self.boxes[i]
        lines = [Line(line, bold=True) for line in shown_lines(box.title)]
        lines.append(Line(f"{len(box.nodes)} {'node' if len(box.nodes) == 1 else 'nodes'}"))
        listed = self.listed(box)
        for node in listed:
            name = shown_lines(self.shown.names[node].removeprefix(f"{box.scope}."))[0]
            parts = []
            if "data" in self.look.show:
                parts.append(f"{name} {self._filled('data', self.shown.values[node])}")
            if "grad" in self.look.show:
                parts.append(f"grad {self._filled('grad', self.shown.gradients[node])}")
            lines.append(Line(", ".join(parts if "data" in self.look.show else [name, *parts])))
        if len(listed) < len(box.leaving):
            lines.append(Line(f"… {len(box.leaving) - len(listed)} more values"))
        fill = self.theme.zero
        if len(box.leaving) == 1:
            fill = self._fill(self.shown.gradients[box.leaving[0]])
        return DrawnNode(
            f"scope-{i}",
            tuple(lines),
            "rounded",
            fill=fill,
            stroke=self.theme.outlines["box"],
            ink=colours.ink_on(fill),
            stroke_width=2.0,
            tooltip=f"{printable(box.title)}: {len(box.nodes)} nodes folded",
        )

    # ------------------------------------------------------------------------------------------------- edges

    def _edges(self) -> Iterator[DrawnEdge]:
        into_boxes: dict[tuple[str, str], int] = {}
        for v in self.graph.order:
            box, k = self.box_of.get(v), self.position[v]
            for slot, u in enumerate(v.parents):
                source = self.box_of.get(u) or f"node-{self.position[u]}"
                if box is None:
                    yield self._local_edge(u, v, slot, source)
                elif source != box:
                    into_boxes[source, box] = into_boxes.get((source, box), 0) + 1
            if v.primitive is not None and box is None:
                yield self._line(f"out-{k}", f"op-{k}", f"node-{k}")
        for (source, box), uses in into_boxes.items():
            # One edge stands for all from a node, or from a box, into a box.
            yield self._line(f"edge-{source}-{box}", source, box, tooltip=f"{uses} {'use' if uses == 1 else 'uses'}")

    def _local_edge(self, u: Value, v: Value, slot: int, source: str) -> DrawnEdge:
        """Return the edge of one operand, labelled with its local derivative."""
        k = self.position[v]
        name = f"edge-{self.position[u]}-{k}-{slot}"
        return self._line(name, source, f"op-{k}", label=self.label(v, slot), tooltip=self._rule(v, slot))

    def _rule(self, v: Value, slot: int) -> str:
        """Return what an edge says when it is pointed at: its local derivative, and the rule that gives it."""
        if v.parents[slot].kind == "constant":
            return f"an operand of {self._called(v)}"
        shown = self.shown
        if {"data", "local"} - self.look.known():
            # The rule itself may be the number, as for 2·x, and its numbers are the data.
            operands = Operands(v.parents, shown.names, None, shown.values)
            same = [i for i, u in enumerate(v.parents) if u is v.parents[slot]]
            assert v.primitive is not None
            name = local_name(v.primitive, operands, slot, same)
            local = [number(shown.local_grads[v][slot])] if self.look.knows("local") and not why_unknown(v) else []
            return printable(equation([name, *local]))
        is_old = self.graph.age.is_old(v, slot)
        found = local_derivative(v, slot, shown.local_grads[v][slot], shown.names, None, shown.values, is_old)
        why = why_unknown(v)
        return printable(f"{found.name} isn't known: {why}" if why else found.equation())

    def _line(self, name: str, source: str, target: str, label: str = "", tooltip: str = "") -> DrawnEdge:
        return DrawnEdge(name, source, target, label, self.theme.line, self.theme.label_ink, tooltip=tooltip)
