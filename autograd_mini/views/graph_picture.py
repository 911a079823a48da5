"""The computational graph of a `Value` as a picture: u → operation of v → v, with ∂v/∂u on the first edge.

Ids, the same whichever program draws, with k, u and v the positions of nodes in the topological order:

- ``node-<k>`` a value, ``op-<k>`` the operation that computed it, ``out-<k>`` the edge between the two;
- ``edge-<u>-<v>-<slot>`` the edge from value u to the operation of v, whose parent number `slot` it is; it starts at a
  box where u is folded into one;
- ``scope-<i>`` the i-th box of folded nodes, ``edge-<source>-<box>`` an edge into it, e.g. ``edge-node-0-scope-1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograd_mini.engine.graph import Edge, topological_order
from autograd_mini.engine.value import Constant, Parameter, Value
from autograd_mini.explanations.names import Names, node_names
from autograd_mini.formulas.expression import format_number
from autograd_mini.views import colours
from autograd_mini.views.folding import Fold, folds
from autograd_mini.views.layout.measure import printable, shown_lines
from autograd_mini.views.picture import FONT_SIZE, DrawnEdge, DrawnNode, Line, Picture, Shape

_OPERATION_SIZE, _SYMBOL_SIZE = 28.0, 16.0
_STROKE_WIDTHS = {"value": 1.2, "parameter": 2.6, "input": 1.2, "constant": 1.8}
_MOST_LEAVING = 4  # values listed in a box


class GraphPicture:
    """The picture of a graph in the making.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping or None
        Variables and what they hold.
    collapse : {"neuron", "layer"} or None
        What is folded into boxes.
    digits : int
        Significant digits of the numbers.
    """

    def __init__(self, root: Value, names: Names | None, collapse: str | None, digits: int) -> None:
        self.order = topological_order(root)
        self.position = {node: k for k, node in enumerate(self.order)}
        self.names = node_names(root, names)
        self.digits = digits
        self.folds = folds(root, collapse)
        self.box_of = {node: f"scope-{i}" for i, fold in enumerate(self.folds) for node in fold.nodes}
        self.shown = [node for node in self.order if node not in self.box_of]
        self.largest = colours.largest_finite([gradient(n) for n in self.order if kind(n) != "constant"])

    @property
    def count(self) -> int:
        """The number of value nodes and boxes."""
        return len(self.shown) + len(self.folds)

    def picture(self, rankdir: str) -> Picture:
        """Return the finished picture."""
        return Picture(tuple(self._nodes()), tuple(self._edges()), rankdir)

    def _number(self, value: float) -> str:
        return format_number(value, self.digits)

    # ------------------------------------------------------------------------------------------------- nodes

    def _nodes(self) -> Iterator[DrawnNode]:
        """Iterate over operations and values in topological order, each box at the place of its first operation."""
        boxes = {}
        for i, fold in enumerate(self.folds):
            boxes[next(node for node in fold.nodes if node.primitive is not None)] = f"scope-{i}", fold
        for node in self.order:
            if node in boxes:
                yield self._box(*boxes[node])
            elif node not in self.box_of:
                if node.primitive is not None:
                    yield self._operation(node)
                yield self._value(node)

    def _operation(self, node: Any) -> DrawnNode:
        return DrawnNode(
            f"op-{self.position[node]}",
            (Line(node.primitive.symbol, bold=True),),
            "ellipse",
            fill=colours.OPERATION,
            stroke=colours.OUTLINE,
            ink=colours.ink_on(colours.OPERATION),
            tooltip=f"{printable(self.names[node])} = {node.primitive.name}"
            f"({', '.join(printable(self.names[parent]) for parent in node.parents)})",
            size=_OPERATION_SIZE,
            font_size=_SYMBOL_SIZE if len(node.primitive.symbol) < 3 else FONT_SIZE,
        )

    def _value(self, node: Value) -> DrawnNode:
        what = kind(node)
        fill = colours.CONSTANT if what == "constant" else colours.diverging(gradient(node), self.largest)
        shape: Shape = "rounded" if what in ("value", "constant") else "box"
        return DrawnNode(
            f"node-{self.position[node]}",
            tuple(self._value_lines(node)),
            shape,
            fill=fill,
            stroke=colours.OUTLINES[what],
            ink=colours.ink_on(fill),
            stroke_width=_STROKE_WIDTHS[what],
            dashed=what == "constant",
            doubled=what == "input",
            tooltip=self._description(node),
        )

    def _value_lines(self, node: Value) -> Iterator[Line]:
        """Iterate over a value node's text: name, data, gradient; a constant has no gradient, its name is its data."""
        name, data = self.names[node], self._number(node.data)
        constant = kind(node) == "constant"
        if constant and not node.label and name == format_number(node.data):
            yield Line(data)
            return
        yield from (Line(line, bold=True) for line in shown_lines(name))
        yield Line(f"data {data}")
        if not constant:
            yield Line(f"grad {self._number(gradient(node))}")

    def _description(self, node: Value) -> str:
        """Return all that is known of a value, in full."""
        text = f"{kind(node)} {printable(self.names[node])}\ndata {format_number(node.data)}"
        if kind(node) != "constant":
            text += f"\ngrad {format_number(gradient(node))}"
        return text + (f"\nin {printable(node.scope)}" if node.scope else "")

    def _box(self, name: str, fold: Fold) -> DrawnNode:
        """Return the box of a scope: its name, how many nodes it holds, the values that leave it."""
        leaving = fold.leaving
        lines = [Line(line, bold=True) for line in shown_lines(fold.scope)]
        lines.append(Line(f"{len(fold.nodes)} {'node' if len(fold.nodes) == 1 else 'nodes'}"))
        shown = leaving if len(leaving) <= _MOST_LEAVING else leaving[: _MOST_LEAVING - 1]
        for node in shown:
            called = shown_lines(self.names[node].removeprefix(f"{fold.scope}."))[0]
            lines.append(Line(f"{called} {self._number(node.data)}, grad {self._number(gradient(node))}"))
        if len(shown) < len(leaving):
            lines.append(Line(f"… {len(leaving) - len(shown)} more values"))
        fill = colours.diverging(gradient(leaving[0]), self.largest) if len(leaving) == 1 else colours.ZERO
        return DrawnNode(
            name,
            tuple(lines),
            "rounded",
            fill=fill,
            stroke=colours.OPERATION,
            ink=colours.ink_on(fill),
            stroke_width=2.0,
            tooltip=f"{printable(fold.scope)}: {len(fold.nodes)} nodes folded",
        )

    # ------------------------------------------------------------------------------------------------- edges

    def _edges(self) -> Iterator[DrawnEdge]:
        into_boxes: dict[tuple[str, str], list[Edge]] = {}
        for node in self.order:
            for slot, (parent, local_grad) in enumerate(zip(node.parents, node.local_grads, strict=True)):
                edge = Edge(parent, node, slot, local_grad)
                source, box = self._drawn_at(parent), self.box_of.get(node)
                if box is None:
                    yield self._local_edge(edge, source, f"op-{self.position[node]}")
                elif source != box:
                    into_boxes.setdefault((source, box), []).append(edge)
            if node.primitive is not None and node not in self.box_of:
                k = self.position[node]
                yield DrawnEdge(f"out-{k}", f"op-{k}", f"node-{k}", "", colours.LINE, colours.TEXT)
        for (source, box), merged in into_boxes.items():
            yield self._merged_edge(source, box, merged)

    def _drawn_at(self, node: Value) -> str:
        return self.box_of.get(node) or f"node-{self.position[node]}"

    def _local_edge(self, edge: Edge, source: str, target: str) -> DrawnEdge:
        """Return the edge of one operand, labelled with its local derivative."""
        u, v = printable(self.names[edge.parent]), printable(self.names[edge.successor])
        # Nobody asks for the derivative by a constant; where the formula has none, its nan says nothing.
        unknown = edge.local_grad != edge.local_grad and kind(edge.parent) == "constant"
        return DrawnEdge(
            f"edge-{self.position[edge.parent]}-{self.position[edge.successor]}-{edge.slot}",
            source,
            target,
            "–" if unknown else self._number(edge.local_grad),
            colours.LINE,
            colours.TEXT,
            tooltip=f"∂{v}/∂{u} = {'–' if unknown else format_number(edge.local_grad)}",
        )

    def _merged_edge(self, source: str, box: str, merged: list[Edge]) -> DrawnEdge:
        """Return the one edge that stands for all from a node, or from a box, into a box."""
        users = "use" if len(merged) == 1 else "uses"
        return DrawnEdge(
            f"edge-{source}-{box}", source, box, "", colours.LINE, colours.TEXT, tooltip=f"{len(merged)} {users}"
        )


def kind(node: Value) -> str:
    """Return what a node is: "value" if it was computed, else "parameter", "constant" or "input"."""
    if node.primitive is not None:
        return "value"
    if isinstance(node, Parameter):
        return "parameter"
    return "constant" if isinstance(node, Constant) else "input"


def gradient(node: Value) -> float:
    """Return a node's gradient as a float: it may be a Value, after ``create_graph=True``, or None, where it was reset.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> (x * x).backward(create_graph=True)
    >>> gradient(x)
    6.0
    """
    grad = node.grad
    return 0.0 if grad is None else float(getattr(grad, "data", grad))
