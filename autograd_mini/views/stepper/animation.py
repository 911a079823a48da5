"""`animated_svg`: the whole pass as an SVG that plays by itself, in an ``<img>`` too, where no script may run.

It is what `draw` draws of the end of both passes, in the layout of our own, with a style sheet: a value and the local
derivatives into it appear when the forward pass reaches them, a gradient when the backward pass does. All animations
last as long as the whole pass, so that they stay together. It plays twice and then shows the end, as it does without
animations, and for readers who prefer less motion. Where it isn't in an ``<img>``, a click shows the end at once, and a
double click plays it again: an element of SVG, ``<set>``, takes its class away and gives it back.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from autograd_mini.engine.graph import recorded_gradients
from autograd_mini.explanations.names import NamedGraph, Names, named
from autograd_mini.explanations.steps import BackwardStep, Contribution, ForwardStep, backward_steps, forward_steps
from autograd_mini.formulas.expression import derivative, format_number, number
from autograd_mini.views import colours, svg
from autograd_mini.views.graph_picture import GraphPicture, Shown
from autograd_mini.views.layout.layout import arrange
from autograd_mini.views.layout.measure import LINE_HEIGHT, shown_lines, text_width
from autograd_mini.views.picture import FONT, LABEL_SIZE
from autograd_mini.views.svg import short

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value

_DIGITS = 4
_MOST_VALUES = 400
_MARGIN, _CAPTION_SIZE, _LINE = 16.0, 13.0, 19.0
_NARROWEST = 480.0  # room for the captions of a small graph
_MOST_LINES = 6  # of a caption
_PRODUCT_HEIGHT = 30.0
_HOLD = 4  # steps for which the end is shown
_ROUNDS = 2  # what goes on moving is hard to read beside
_BLACK = "#000000"
_CLICKS = " (a click shows the end, a double click plays it again)"
_PENDING, _DONE = "stroke-dasharray:2,3;opacity:.5", "stroke-dasharray:none;opacity:1"


def animated_svg(root: Value | NamedGraph, names: Names | None = None, seconds_per_step: float = 1.0) -> str:
    """Return the forward pass, the seed ∂L/∂L = 1 and the backward pass as an SVG that plays twice and shows the end.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.
    seconds_per_step : float, optional
        How long each step is shown.

    Returns
    -------
    str
        The document: no script, no font and no picture from elsewhere.

    Raises
    ------
    TypeError
        If `root` is no Value or `seconds_per_step` is no number.
    ValueError
        If `seconds_per_step` isn't above 0, or the graph has too many nodes.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> svg = animated_svg(x * x)
    >>> svg[:4], "∂L/∂x = ∂L/∂L·∂(x①·x②)/∂x① + ∂L/∂L·∂(x①·x②)/∂x② = 1·3 + 1·3 = 6" in svg
    ('<svg', True)
    """
    if isinstance(seconds_per_step, bool) or not isinstance(seconds_per_step, (int, float)):
        raise TypeError(f"seconds_per_step: expected a number of seconds, got {type(seconds_per_step).__name__}")
    if not 0.0 < seconds_per_step < math.inf:
        raise ValueError(f"seconds_per_step: expected a number above 0, got {seconds_per_step:g}")
    graph = named(root, names)
    if len(graph.order) > _MOST_VALUES:
        raise ValueError(
            f"an animation shows at most {_MOST_VALUES} values, and this graph has {len(graph.order)}; animate a part "
            'of it, or fold it in a page: step_through(root, collapse="layer").save("backprop.html")'
        )
    return _Animation(graph, float(seconds_per_step)).document()


class _Animation:
    """The document in the making."""

    def __init__(self, graph: NamedGraph, seconds: float) -> None:
        self.root, self.seconds = graph.root, seconds
        self.note = graph.note()
        self.position = {node: k for k, node in enumerate(graph.order)}
        self.called = {node: shown_lines(name)[0] for node, name in graph.called.items()}
        self.forward, self.backward = list(forward_steps(graph)), list(backward_steps(graph))
        self.count = len(self.forward) + len(self.backward)
        self.largest = colours.largest_finite([c.product for step in self.backward for c in step.contributions])
        gradients = recorded_gradients(graph.order)
        shown = replace(Shown.now(graph), names=self.called, gradients=gradients)
        picture = GraphPicture(graph, [], _DIGITS, shown).picture()
        # Room for the products: they are wider than the local derivatives in whose places they will stand.
        carried = {self._edge(step, c): _factors(c) for step in self.backward for c in step.contributions}
        roomy = [replace(edge, label=carried.get(edge.id, edge.label)) for edge in picture.edges]
        self.layout = arrange(replace(picture, edges=tuple(roomy)))
        self.parts = {edge.id: svg.edge(edge, self.layout.routes[edge.id]) for edge in picture.edges}
        self.parts |= {node.id: svg.node(node, self.layout.boxes[node.id]) for node in picture.nodes}
        self.drawn = ET.Element("g", {"font-family": FONT, "fill": _BLACK, "text-anchor": "middle"})
        self.groups = {name: ET.SubElement(self.drawn, "g", {"id": name}) for name in self.parts}
        for name, group in self.groups.items():
            group.extend(self.parts[name])
        self.keyframes: dict[str, str] = {}

    def document(self) -> str:
        """Return the SVG."""
        for i, forward in enumerate(self.forward):
            self._reach(i, forward.node)
        above = ET.SubElement(self.drawn, "g", {"font-weight": "bold"})
        for i, backward in enumerate(self.backward, len(self.forward)):
            above.extend(self._pass_back(i, backward))
        room = max(self.layout.width, _NARROWEST)
        captions = list(self._captions(room))
        top = self.layout.height + 2 * _MARGIN + _CAPTION_SIZE
        height = top + _LINE * max(len(lines) - 1 for lines in captions) + 1.5 * _MARGIN
        page = _page(
            room + 2 * _MARGIN, height, f"Backpropagation through {self.called[self.root]}, step by step{_CLICKS}"
        )
        page.extend(self._caption(i, lines, top) for i, lines in enumerate(captions))
        left = _MARGIN + (room - self.layout.width) / 2
        self.drawn.set("transform", f"translate({short(left)} {short(_MARGIN)})")
        page.append(self.drawn)
        ET.SubElement(page, "style").text = self._style_sheet()
        svg.lean(page)
        return ET.tostring(page, encoding="unicode") + "\n"

    # ---------------------------------------------------------------------------------------------------- the steps

    def _reach(self, i: int, node: Value) -> None:
        """Let the forward pass reach a node: its value appears, and the local derivatives on the edges into it."""
        k = self.position[node]
        reached = [f"node-{k}"]
        if node.primitive is not None:
            edges = [f"edge-{self.position[u]}-{k}-{slot}" for slot, u in enumerate(node.parents)]
            reached += [f"op-{k}", f"out-{k}", *edges]
        for name in reached:
            for part in self.parts[name]:
                if part.tag != "text":
                    self._change(part, f"p{i}", i, _PENDING, _DONE)
                elif name.startswith("edge"):
                    self._appear(part, i)
        if node.kind != "constant":
            self._appear(self.parts[f"node-{k}"][-2], i)
        for name in reached[:2]:
            self._ring(name, i)

    def _pass_back(self, i: int, step: BackwardStep) -> Iterator[ET.Element]:
        """Show the backward step of a node; iterate over the contributions that its edges carry during the step.

        Its gradient and its colour appear.
        """
        last = -math.inf
        labels = [(self.layout.routes[self._edge(step, c)].label or (0.0, 0.0), c) for c in step.contributions]
        for (x, y), c in sorted(labels, key=lambda found: found[0][1]):
            colour, width = self._carried(c)
            for lit in (self._edge(step, c), f"out-{self.position[c.successor]}"):
                self._light(lit, i, colour, width)
            # Edges that lie side by side have their products one below the other.
            last = max(y, last + _PRODUCT_HEIGHT + 2.0)
            yield self._product(i, c, colour, x, last)
        name = f"node-{self.position[step.node]}"
        self._ring(name, i)
        if step.node.kind == "constant":
            return
        *texts, grad = [part for part in self.parts[name] if part.tag == "text"]
        self._appear(grad, i)
        shape = self._shape(name)
        self._change(shape, f"b{i}", i, f"fill:{colours.ZERO}", f"fill:{shape.get('fill')}")
        for text in texts:
            if text.get("fill") != _BLACK:
                self._change(text, f"t{i}", i, f"fill:{_BLACK}", f"fill:{text.get('fill')}")

    def _edge(self, step: BackwardStep, c: Contribution) -> str:
        return f"edge-{self.position[step.node]}-{self.position[c.successor]}-{c.slot}"

    def _shape(self, name: str) -> ET.Element:
        """Return the filled shape of a node or of an operation; an input has an outline around it."""
        return next(part for part in self.parts[name] if part.get("fill") != "none")

    def _carried(self, c: Contribution) -> tuple[str, float]:
        """Return the colour and the width of an edge that carries a contribution: its sign and its size."""
        share = abs(c.product) / self.largest if self.largest and math.isfinite(c.product) else 0.0
        colour = colours.OUTLINE if c.product == 0 else colours.diverging(c.product, min(abs(c.product), 1.0))
        return colour, 2.0 + 3.0 * share

    def _light(self, name: str, i: int, colour: str, width: float) -> None:
        for part in self.parts[name]:
            if part.tag != "text":
                lit = self._only_during(ET.SubElement(self.groups[name], part.tag, part.attrib), i)
                lit.attrib |= {"stroke": colour, "stroke-width": short(width if part.tag == "path" else 1.0)}
                if part.tag == "polygon":
                    lit.set("fill", colour)

    def _product(self, i: int, c: Contribution, colour: str, x: float, y: float) -> ET.Element:
        """Return a contribution, to stand in the place of the local derivative: ``1·2`` and below it ``= 2``."""
        lines = [_factors(c), f"= {format_number(c.product, _DIGITS)}"]
        width = max(text_width(line, LABEL_SIZE, bold=True) for line in lines) + 8
        x = min(max(x, width / 2), max(self.layout.width - width / 2, width / 2))
        group = self._only_during(ET.Element("g"), i)
        frame = {"fill": colours.PAPER, "stroke": colour, "stroke-width": "1.5"}
        group.append(svg.rectangle((x, y, width, _PRODUCT_HEIGHT), 3.0, frame))
        step = LABEL_SIZE * LINE_HEIGHT
        group.extend(svg.text(line, (x, y + step * (j - 0.5)), LABEL_SIZE, colours.INK) for j, line in enumerate(lines))
        return group

    def _ring(self, name: str, i: int) -> None:
        """Give the shape of a node or an operation a thick outline during a step."""
        shape = self._shape(name)
        ring = ET.SubElement(self.groups[name], shape.tag, {**shape.attrib, "fill": "none", "stroke": colours.INK})
        self._only_during(ring, i).set("stroke-width", "3.5")
        ring.attrib.pop("stroke-dasharray", None)

    # ----------------------------------------------------------------------------------------------- the animations

    def _change(self, part: ET.Element, name: str, i: int, before: str, after: str) -> None:
        """Let a part look otherwise before step i."""
        if i == 0:  # there is nothing before
            return
        self.keyframes[name] = f"0%{{{before}}}{100 * i / (self.count + _HOLD):.4g}%{{{after}}}"
        style = part.get("style", "animation-name:")
        part.set("style", f"{style}{'' if style.endswith(':') else ','}{name}")

    def _appear(self, part: ET.Element, i: int) -> None:
        self._change(part, f"f{i}", i, "opacity:0", "opacity:1")

    def _only_during(self, part: ET.Element, i: int) -> ET.Element:
        """Show a part in step i only: all such parts have one animation, each with a delay of its own."""
        part.attrib.pop("style", None)
        part.attrib |= {
            "class": "on",
            "style": f"animation-delay:{short(i * self.seconds, 4)}s",
        }
        return part

    def _style_sheet(self) -> str:
        total = self.count + _HOLD
        frames = {**self.keyframes, "on": f"0%{{opacity:1}}{100 / total:.4g}%{{opacity:0}}"}
        rules = [f"@keyframes {name}{{{frame}}}" for name, frame in frames.items()]
        return "".join(
            [
                f".plays *{{animation:{short(total * self.seconds, 4)}s step-end {_ROUNDS}}}",
                ".on{opacity:0}.plays .on{animation-name:on}",
                *rules,
                "@media(prefers-reduced-motion:reduce){*{animation-name:none!important}}",
            ]
        )

    # ------------------------------------------------------------------------------------------------- the captions

    def _captions(self, width: float) -> Iterator[list[str]]:
        """Iterate over the lines below the drawing: a title and the formula; at the end, all results."""
        steps: list[ForwardStep | BackwardStep] = [*self.forward, *self.backward]
        note = _filled(self.note.split(" "), " ", width) if self.note else []
        for i, step in enumerate(steps):
            seed = isinstance(step, BackwardStep) and step.node is self.root
            stage = "forward pass" if isinstance(step, ForwardStep) else "seed" if seed else "backward pass"
            step = replace(step, names=self.called)
            rules = step.rules(digits=_DIGITS) if isinstance(step, BackwardStep) else []
            lines = [_filled(line.split(" = "), " = ", width) for line in [step.equation("text", _DIGITS), *rules]]
            yield [f"step {i + 1} of {self.count}: {stage}", *_fitted([part for line in lines for part in line]), *note]
        root = self.called[self.root]
        results = [f"{root} = {format_number(self.root.data, _DIGITS)}"]
        for step in reversed(self.backward):
            if step.node.primitive is None:
                results.append(f"{derivative(root, self.called[step.node])} = {format_number(step.gradient, _DIGITS)}")
        yield ["both passes are done", *_fitted(_filled(results, ", ", width)), *note]

    def _caption(self, i: int, lines: list[str], top: float) -> ET.Element:
        group = ET.Element("g")
        if i < self.count:
            self._only_during(group, i)
        else:
            self._appear(group, i)
        for j, line in enumerate(lines):
            place = {"x": short(_MARGIN), "y": short(top + j * _LINE)}
            ET.SubElement(group, "text", place if j else {**place, "font-weight": "bold"}).text = line
        return group


def _page(width: float, height: float, title: str) -> ET.Element:
    """Return the empty document: a sheet of white, on which the colours are the same on any page."""
    page = svg.document(width, height)
    page.attrib |= {"font-family": FONT, "font-size": short(_CAPTION_SIZE), "fill": colours.INK, "role": "img"}
    page.set("class", "plays")
    ET.SubElement(page, "title").text = title
    # A double click is also a click, which it has to come after.
    ET.SubElement(page, "set", {"attributeName": "class", "to": "", "begin": "click", "end": "dblclick+0.1s"})
    page.append(svg.rectangle((width / 2, height / 2, width, height), 8.0, {"fill": colours.PAPER}))
    return page


def _filled(parts: list[str], between: str, width: float) -> list[str]:
    """Return parts in as few lines as the width allows, cut where there is no room at all."""
    lines = [parts[0]]
    for part in parts[1:]:
        if text_width(lines[-1] + between + part, _CAPTION_SIZE) > width:
            lines.append(between.lstrip() + part)
        else:
            lines[-1] += between + part
    return [_cut(line, width) for line in lines]


def _fitted(lines: list[str]) -> list[str]:
    """Return as many lines as there is room for."""
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "…"]


def _cut(line: str, width: float) -> str:
    """Return as much of a line as there is room for."""
    if text_width(line, _CAPTION_SIZE) <= width:
        return line
    while line and text_width(line + "…", _CAPTION_SIZE) > width:
        line = line[:-1]
    return line + "…"


def _factors(c: Contribution) -> str:
    return (number(c.upstream, _DIGITS) * number(c.local, _DIGITS)).render()
