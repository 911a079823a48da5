"""One picture for each step, for slides: what is known by then, and what the step does, with its arithmetic below.

All pictures of a graph have one layout, that of `draw`'s picture, so that nothing moves from slide to slide. What the
forward pass hasn't reached yet is faint and has no data, what the backward pass hasn't reached has no gradient. The
node of a step has a thick outline; going back, the edges of the step carry ∂L/∂v·∂v/∂u in place of ∂v/∂u.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from autograd_mini.engine.graph import recorded_gradients
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph
from autograd_mini.explanations.steps import BackwardStep, Contribution, backward_steps, forward_steps
from autograd_mini.formulas.expression import number
from autograd_mini.views import colours
from autograd_mini.views.graph_picture import Fold, GraphPicture, Shown, count, folds
from autograd_mini.views.layout.layout import Layout, arrange
from autograd_mini.views.layout.measure import text_width
from autograd_mini.views.picture import DrawnNode, Line, Picture
from autograd_mini.views.stepper.terminal import step_lines

MOST_SHOWN = 400  # values and boxes
_DIGITS = 4
_FAINT, _FAINT_INK = "#c9cdd1", "#73777c"
_MOST_LINES = 6  # of the arithmetic


def step_pictures(graph: NamedGraph, grain: str, collapse: str | None) -> tuple[list[Picture], Layout]:
    """Return a picture for each step, and the layout of them all.

    Parameters
    ----------
    graph : NamedGraph
        The graph.
    grain : {"node", "edge"}
        Whether a step of the backward pass is a node with all its contributions, or one contribution.
    collapse : {"neuron", "layer"} or None
        What is folded into boxes.

    Raises
    ------
    ValueError
        If the picture would have too many nodes to be read.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> pictures, layout = step_pictures(NamedGraph(x * x), "node", None)
    >>> [[line.text for line in picture.nodes[0].lines] for picture in pictures]
    [['x', 'data 3', ''], ['x', 'data 3', ''], ['x', 'data 3', ''], ['x', 'data 3', 'grad 6']]
    """
    boxes = folds(graph, collapse)
    shown = count(graph, boxes)
    if shown > MOST_SHOWN:
        raise ValueError(
            f"the pictures would have {shown} values and boxes each, more than {MOST_SHOWN}; fold the graph, as in "
            'step_through(root, collapse="layer"), or step through a part of it'
        )
    return _Steps(graph, boxes, grain).pictures()


class _Steps:
    """The pictures in the making."""

    def __init__(self, graph: NamedGraph, boxes: list[Fold], grain: str) -> None:
        self.graph, self.grain = graph, grain
        now = replace(Shown.now(graph), gradients=recorded_gradients(graph.order))
        self.drawn = GraphPicture(graph, boxes, _DIGITS, now)
        self.picture = self.drawn.picture()
        self.position, self.box_of = self.drawn.position, self.drawn.box_of
        self.listed = {f"scope-{i}": self.drawn.listed(box) for i, box in enumerate(boxes)}
        self.members = {f"scope-{i}": box.nodes for i, box in enumerate(boxes)}
        self.of = {f"node-{k}": node for node, k in self.position.items()}
        self.known = {node for node in graph.order if node.kind == "constant" and node is not graph.root}
        self.so_far: dict[Value, float] = {}

    def pictures(self) -> tuple[list[Picture], Layout]:
        """Return them all, each with as many lines below, and their layout."""
        steps = list(self._steps())
        lines = list(step_lines(self.graph, self.grain))
        captions = [
            f"step {i} of {len(lines)}: {line.stage.lower()}\n{line.text}" + "".join(f"\n{rule}" for rule in line.rules)
            for i, line in enumerate(lines, 1)
        ]
        written = [_fitted(replace(self.picture, note=caption).note_lines()) for caption in captions]
        most = max(map(len, written))
        age = f"\n{self.picture.note}" if self.picture.note else ""
        noted = [
            replace(picture, note="\n".join([*caption, *[""] * (most - len(caption))]) + age)
            for picture, caption in zip(steps, written, strict=True)
        ]
        layout = arrange(self._roomy(steps))
        widest = max(text_width(line) for picture in noted for line in picture.note_lines()) + 16.0
        return noted, replace(layout, width=max(layout.width, widest))

    def _roomy(self, steps: list[Picture]) -> Picture:
        """Return the picture with the widest text that each place will hold."""

        def widest(texts: list[str]) -> str:
            return max(texts, key=text_width)

        nodes = [
            replace(
                node,
                lines=tuple(
                    replace(line, text=widest([line.text, *[step.nodes[i].lines[j].text for step in steps]]))
                    for j, line in enumerate(node.lines)
                ),
            )
            for i, node in enumerate(self.picture.nodes)
        ]
        edges = [
            replace(edge, label=widest([edge.label, *[step.edges[i].label for step in steps]]))
            for i, edge in enumerate(self.picture.edges)
        ]
        return replace(self.picture, nodes=tuple(nodes), edges=tuple(edges))

    # ---------------------------------------------------------------------------------------------------- the steps

    def _steps(self) -> Iterator[Picture]:
        """Iterate over the pictures, without what stands below."""
        for forward in forward_steps(self.graph):
            self.known.add(forward.node)
            yield self._now(forward.node, {})
        for backward in backward_steps(self.graph):
            yield from self._back(backward)

    def _back(self, step: BackwardStep) -> Iterator[Picture]:
        u = step.node
        if self.grain == "node" or u is self.graph.root:
            self.so_far[u] = step.gradient
            yield self._now(u, self._lit(u, step.contributions))
            return
        for i, c in enumerate(step.contributions, 1):
            # As the pass adds them up; at last it is the gradient itself, however its sum was rounded.
            partial = math.fsum([other.product for other in step.contributions[:i]]) if _all_finite(step) else c.product
            self.so_far[u] = step.gradient if i == len(step.contributions) else partial
            yield self._now(u, self._lit(u, (c,)))

    def _lit(self, u: Value, contributions: tuple[Contribution, ...]) -> dict[str, tuple[str, str]]:
        """Return what the edges of a step carry, and in which colour; operations hand it on to their operands."""
        lit = {}
        for c in contributions:
            colour = colours.OUTLINE if c.product == 0 else colours.diverging(c.product, min(abs(c.product), 1.0))
            v = c.successor
            source, box = self.box_of.get(u) or f"node-{self.position[u]}", self.box_of.get(v)
            if box is not None:
                lit[f"edge-{source}-{box}"] = (colour, "")
                continue
            factors = (number(c.upstream, _DIGITS) * number(c.local, _DIGITS)).render()
            lit[f"edge-{self.position[u]}-{self.position[v]}-{c.slot}"] = (colour, factors)
            lit[f"out-{self.position[v]}"] = (colour, "")
        return lit

    def _now(self, at: Value, lit: dict[str, tuple[str, str]]) -> Picture:
        """Return the picture of this moment."""
        active = self.box_of.get(at) or f"node-{self.position[at]}"
        nodes = [self._node(node) for node in self.picture.nodes]
        nodes = [replace(n, stroke=colours.INK, stroke_width=3.5) if n.id == active else n for n in nodes]
        edges = []
        for edge in self.picture.edges:
            reached = self._is_reached(edge.target) or (edge.target in self.members and self._is_reached(edge.source))
            now = edge if reached else replace(edge, label="", colour=_FAINT)
            if edge.id in lit:
                colour, factors = lit[edge.id]
                now = replace(now, label=factors or now.label, colour=colour, width=3.0)
            edges.append(replace(now, backing=colours.PAPER) if now.label else now)
        return replace(self.picture, nodes=tuple(nodes), edges=tuple(edges))

    def _is_reached(self, name: str) -> bool:
        """Return whether the forward pass has reached a node or an operation, or anything in a box."""
        if name in self.members:
            return any(node in self.known and node.primitive is not None for node in self.members[name])
        return self.of[name.replace("op-", "node-")] in self.known

    def _node(self, node: DrawnNode) -> DrawnNode:
        """Return a node, an operation or a box as it is at this moment."""
        if node.id in self.listed:
            return self._box(node)
        if not self._is_reached(node.id):
            if node.id.startswith("op-"):
                return replace(node, fill=_FAINT, stroke=_FAINT, ink=colours.PAPER, tooltip="")
            names = len(node.lines) - (1 if self.of[node.id].kind == "constant" else 2)
            lines = [line if j < names else Line("") for j, line in enumerate(node.lines)]
            faint = replace(node, fill=colours.PAPER, stroke=_FAINT, ink=_FAINT_INK, tooltip="")
            return replace(faint, lines=tuple(lines))
        if node.id.startswith("op-") or self.of[node.id].kind == "constant":
            return node
        grad = self.so_far.get(self.of[node.id])
        last = Line("" if grad is None else f"grad {self.drawn.number(grad)}")
        # Tooltips know the end.
        return self._filled(replace(node, lines=(*node.lines[:-1], last), tooltip=""), grad)

    def _box(self, box: DrawnNode) -> DrawnNode:
        """Return a box with those of its numbers that are known."""
        lines = list(box.lines)
        first = 1 + next(j for j, line in enumerate(lines) if line.text.endswith((" node", " nodes")) and not line.bold)
        for j, node in enumerate(self.listed[box.id], first):
            name = lines[j].text.removesuffix(self._numbers(node, self.drawn.shown.gradients[node]))
            lines[j] = Line(name + (self._numbers(node, self.so_far.get(node)) if node in self.known else ""))
        leaving = self.drawn.boxes[int(box.id.removeprefix("scope-"))].leaving
        grad = self.so_far.get(leaving[0]) if len(leaving) == 1 else None
        return self._filled(replace(box, lines=tuple(lines)), grad)

    def _numbers(self, node: Value, grad: float | None) -> str:
        value = f" {self.drawn.number(self.drawn.shown.values[node])}"
        return value if grad is None else f"{value}, grad {self.drawn.number(grad)}"

    def _filled(self, node: DrawnNode, grad: float | None) -> DrawnNode:
        """Return a node in the colour of its gradient, or in grey where it isn't known."""
        fill = colours.ZERO if grad is None else colours.diverging(grad, self.drawn.largest)
        return replace(node, fill=fill, ink=colours.ink_on(fill))


def _all_finite(step: BackwardStep) -> bool:
    return all(math.isfinite(c.product) for c in step.contributions)


def _fitted(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "…"]
