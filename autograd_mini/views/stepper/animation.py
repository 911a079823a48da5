"""`animated_svg`: the whole pass as an SVG that plays by itself, in an ``<img>`` too, where no script may run.

It is what `draw` draws of the end of both passes, with a style sheet: a value and the local derivatives into it appear
when the forward pass reaches them, a gradient when the backward pass does. All animations last as long as the whole
pass, so that they stay together. Without them, and for readers who prefer less motion, it shows the end.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from autograd_mini.explanations.steps import BackwardStep, Contribution, ForwardStep, backward_steps, forward_steps
from autograd_mini.formulas.expression import format_number, number
from autograd_mini.views import colours
from autograd_mini.views.graph_picture import GraphPicture, kind
from autograd_mini.views.layout.measure import shown_lines, text_width
from autograd_mini.views.picture import FONT, FONT_SIZE, LABEL_SIZE, DrawnNode, Line
from autograd_mini.views.stepper.payload import short_names

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value
    from autograd_mini.explanations.names import Names

_DIGITS = 4
_MOST_VALUES = 400
_MARGIN, _CAPTION_SIZE, _LINE = 16.0, 13.0, 19.0
_NARROWEST = 480.0  # room for the captions of a small graph
_MOST_LINES = 6  # of a caption
_PRODUCT_HEIGHT = 32.0
_HOLD = 4  # steps for which the end is shown
_PAPER, _INK, _BLACK = "#ffffff", "#16191d", "#000000"
_SVG = "{http://www.w3.org/2000/svg}"
_PARTS = ("path", "polygon", "polyline", "ellipse", "rect", "text")
_LEFT_OUT = ("font-family", "text-anchor", "{http://www.w3.org/XML/1998/namespace}space")
_PENDING, _DONE = "stroke-dasharray:2,3;opacity:.5", "stroke-dasharray:none;opacity:1"


def animated_svg(root: Value, names: Names | None = None, seconds_per_step: float = 1.0) -> str:
    """Return the forward pass, the seed ∂L/∂L = 1 and the backward pass as an SVG that plays, over and over.

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
    >>> svg[:4], "∂L/∂x = ∂L/∂L·∂L/∂x + ∂L/∂L·∂L/∂x = 1·3 + 1·3 = 6" in svg
    ('<svg', True)
    """
    if isinstance(seconds_per_step, bool) or not isinstance(seconds_per_step, (int, float)):
        raise TypeError(f"seconds_per_step: expected a number of seconds, got {type(seconds_per_step).__name__}")
    if not 0.0 < seconds_per_step < math.inf:
        raise ValueError(f"seconds_per_step: expected a number above 0, got {seconds_per_step:g}")
    return _Animation(root, names, float(seconds_per_step)).document()


class _Animation:
    """The document in the making."""

    def __init__(self, root: Value, names: Names | None, seconds: float) -> None:
        self.root, self.seconds = root, seconds
        forward, backward = list(forward_steps(root, names)), list(backward_steps(root, names))
        if len(forward) > _MOST_VALUES:
            raise ValueError(
                f"an animation shows at most {_MOST_VALUES} values, and this graph has {len(forward)}; animate a part "
                'of it, or fold it in a page: step_through(root, collapse="layer").save("backprop.html")'
            )
        self.position = {step.node: k for k, step in enumerate(forward)}
        self.called = {node: shown_lines(name)[0] for node, name in short_names(forward[0].names).items()}
        # A constant is there from the start, and nobody asks for its gradient.
        self.forward = [step for step in forward if kind(step.node) != "constant" or step.node is root]
        self.backward = [step for step in backward if kind(step.node) != "constant" or step.node is root]
        self.count = len(self.forward) + len(self.backward)
        self.largest = colours.largest_finite([c.product for step in self.backward for c in step.contributions])
        self.drawn = self._drawn(names)
        self.groups = {group.get("id", ""): group for group in self.drawn.iter("g")}
        self.keyframes: dict[str, str] = {}

    def _drawn(self, names: Names | None) -> ET.Element:
        """Return the drawing of the end, with the records' gradients; nothing but its shapes and texts."""
        # Only now, as importing graphviz takes longer than importing all of this package.
        from autograd_mini.views.drawing import Drawing

        picture = GraphPicture(self.root, names, None, _DIGITS).picture("LR")
        largest = colours.largest_finite([step.gradient for step in self.backward])
        final = {f"node-{self.position[step.node]}": step for step in self.backward if kind(step.node) != "constant"}
        nodes = [self._final(node, final[node.id], largest) if node.id in final else node for node in picture.nodes]
        # Room for the products: they are wider than the local derivatives in whose places they will stand.
        carried = {self._edge(step, c): _factors(c) for step in self.backward for c in step.contributions}
        edges = [replace(edge, label=carried.get(edge.id, edge.label)) for edge in picture.edges]
        drawing = Drawing.of(replace(picture, nodes=tuple(nodes), edges=tuple(edges)))
        drawn = _bare(ET.fromstring(drawing.pipe("svg")))
        labels = {edge.id: edge.label for edge in picture.edges}
        for group in drawn.iter("g"):
            for text in _texts(group):
                text.text = labels.get(group.get("id", ""), text.text)
        return drawn

    def _final(self, drawn: DrawnNode, step: BackwardStep, largest: float) -> DrawnNode:
        """Return a node as it is at the end."""
        fill = colours.diverging(step.gradient, largest)
        name, data = Line(self.called[step.node], bold=True), Line(f"data {_number(step.node.data)}")
        lines = (name, data, Line(f"grad {_number(step.gradient)}"))
        return replace(drawn, lines=lines, fill=fill, ink=colours.ink_on(fill))

    def document(self) -> str:
        """Return the SVG."""
        for i, forward in enumerate(self.forward):
            self._reach(i, forward.node)
        above = ET.SubElement(self.drawn[0], "g", {"font-size": _short(LABEL_SIZE), "font-weight": "bold"})
        for i, backward in enumerate(self.backward, len(self.forward)):
            self._pass_back(i, backward, above)
        drawn_width, drawn_height = (float(self.drawn.get(key, 0)) for key in ("width", "height"))
        captions = list(self._captions(max(drawn_width, _NARROWEST)))
        width = max(drawn_width, _NARROWEST) + 2 * _MARGIN
        top = drawn_height + 2 * _MARGIN + _CAPTION_SIZE
        height = top + _LINE * max(len(lines) - 1 for lines in captions) + 1.5 * _MARGIN
        svg = _page(width, height, f"Backpropagation through {self.called[self.root]}, step by step")
        for i, lines in enumerate(captions):
            svg.append(self._caption(i, lines, top))
        moved = f"translate({_short((width - drawn_width) / 2)} {_short(_MARGIN)})"
        drawing = ET.SubElement(svg, "g", {"font-size": _short(FONT_SIZE), "text-anchor": "middle", "transform": moved})
        drawing.append(self.drawn[0])
        ET.SubElement(svg, "style").text = self._style_sheet()
        return ET.tostring(svg, encoding="unicode") + "\n"

    # ---------------------------------------------------------------------------------------------------- the steps

    def _reach(self, i: int, node: Value) -> None:
        """Let the forward pass reach a node: its value appears, and the local derivatives on the edges into it."""
        k = self.position[node]
        reached = [f"node-{k}"]
        if node.primitive is not None:
            edges = [f"edge-{self.position[u]}-{k}-{slot}" for slot, u in enumerate(node.parents)]
            reached += [f"op-{k}", f"out-{k}", *edges]
        for name in reached:
            for part in self.groups[name]:
                if part.tag != "text":
                    self._change(part, f"p{i}", i, _PENDING, _DONE)
                elif name.startswith("edge"):
                    self._appear(part, i)
        if kind(node) != "constant":
            self._appear(_texts(self.groups[f"node-{k}"])[-2], i)
        for name in reached[:2]:
            self._ring(self.groups[name], i)

    def _pass_back(self, i: int, step: BackwardStep, above: ET.Element) -> None:
        """Let the backward pass reach a node: its edges carry their contributions, its gradient and colour appear."""
        bottom = -math.inf
        edges = [(self.groups[self._edge(step, c)], c) for c in step.contributions]
        for edge, c in sorted(edges, key=lambda found: _place(found[0])[1]):
            colour, width = self._carried(c)
            for lit in (edge, self.groups[f"out-{self.position[c.successor]}"]):
                self._light(lit, i, colour, width)
            # Edges that lie side by side have their products one below the other.
            x, y = _place(edge)
            y = max(y, bottom + _PRODUCT_HEIGHT)
            bottom = y
            above.append(self._product(i, c, colour, x, y))
        group = self.groups[f"node-{self.position[step.node]}"]
        self._ring(group, i)
        if kind(step.node) == "constant":
            return
        *texts, grad = _texts(group)
        self._appear(grad, i)
        shape = _shape(group)
        self._change(shape, f"b{i}", i, f"fill:{colours.ZERO}", f"fill:{shape.get('fill')}")
        for text in texts:
            ink = text.get("fill", group.get("fill", _BLACK))
            if ink != _BLACK:
                self._change(text, f"t{i}", i, f"fill:{_BLACK}", f"fill:{ink}")

    def _edge(self, step: BackwardStep, c: Contribution) -> str:
        return f"edge-{self.position[step.node]}-{self.position[c.successor]}-{c.slot}"

    def _carried(self, c: Contribution) -> tuple[str, float]:
        """Return the colour and the width of an edge that carries a contribution: its sign and its size."""
        share = abs(c.product) / self.largest if self.largest and math.isfinite(c.product) else 0.0
        colour = colours.OUTLINE if c.product == 0 else colours.diverging(c.product, min(abs(c.product), 1.0))
        return colour, 2.0 + 3.0 * share

    def _light(self, edge: ET.Element, i: int, colour: str, width: float) -> None:
        for part in [part for part in edge if part.tag != "text" and part.get("class") != "on"]:
            lit = self._only_during(ET.SubElement(edge, part.tag, part.attrib), i)
            lit.attrib |= {"stroke": colour, "stroke-width": _short(width if part.tag == "path" else 1.0)}
            if part.tag == "polygon":
                lit.set("fill", colour)

    def _product(self, i: int, c: Contribution, colour: str, x: float, y: float) -> ET.Element:
        """Return a contribution, to stand in the place of the local derivative: ``1·2`` and below it ``= 2``."""
        lines = [_factors(c), f"= {_number(c.product)}"]
        width = max(text_width(line, LABEL_SIZE, bold=True) for line in lines) + 8
        x = min(max(x, width / 2), max(float(self.drawn.get("width", 0)) - width / 2, width / 2))
        group = self._only_during(ET.Element("g"), i)
        box = {"x": _short(x - width / 2), "y": _short(y - 19), "width": _short(width), "height": "30", "rx": "3"}
        ET.SubElement(group, "rect", {**box, "fill": _PAPER, "stroke": colour, "stroke-width": "1.5"})
        for j, line in enumerate(lines):
            ET.SubElement(group, "text", {"x": _short(x), "y": _short(y - 7 + 13 * j)}).text = line
        return group

    def _ring(self, group: ET.Element, i: int) -> None:
        """Give the shape of a node or an operation a thick outline during a step."""
        shape = _shape(group)
        ring = self._only_during(ET.SubElement(group, shape.tag, {**shape.attrib, "fill": "none", "stroke": _INK}), i)
        ring.set("stroke-width", "3.5")
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
        """Show a part in step i only; its animation is that of step 0, as far ahead as the rest of the pass is long."""
        part.attrib.pop("style", None)
        part.attrib |= {
            "class": "on",
            "style": f"animation-delay:{_short((i - self.count - _HOLD) * self.seconds, 4)}s",
        }
        return part

    def _style_sheet(self) -> str:
        total = self.count + _HOLD
        frames = {**self.keyframes, "on": f"0%{{opacity:1}}{100 / total:.4g}%{{opacity:0}}"}
        rules = [f"@keyframes {name}{{{frame}}}" for name, frame in frames.items()]
        return "".join(
            [
                f"*{{animation:{_short(total * self.seconds, 4)}s step-end infinite}}",
                ".on{opacity:0;animation-name:on}",
                *rules,
                "@media(prefers-reduced-motion:reduce){*{animation-name:none!important}}",
            ]
        )

    # ------------------------------------------------------------------------------------------------- the captions

    def _captions(self, width: float) -> Iterator[list[str]]:
        """Iterate over the lines below the drawing: a title and the formula; at the end, all results."""
        steps: list[ForwardStep | BackwardStep] = [*self.forward, *self.backward]
        for i, step in enumerate(steps):
            seed = isinstance(step, BackwardStep) and step.node is self.root
            stage = "forward pass" if isinstance(step, ForwardStep) else "seed" if seed else "backward pass"
            equation = replace(step, names=self.called).equation("text")
            yield [f"step {i + 1} of {self.count}: {stage}", *_filled(equation.split(" = "), " = ", width)]
        root = self.called[self.root]
        results = [f"{root} = {_number(self.root.data)}"]
        for step in reversed(self.backward):
            if step.node.primitive is None:
                results.append(f"∂{root}/∂{self.called[step.node]} = {_number(step.gradient)}")
        yield ["both passes are done", *_filled(results, ", ", width)]

    def _caption(self, i: int, lines: list[str], top: float) -> ET.Element:
        group = ET.Element("g")
        if i < self.count:
            self._only_during(group, i)
        else:
            self._appear(group, i)
        for j, line in enumerate(lines):
            place = {"x": _short(_MARGIN), "y": _short(top + j * _LINE)}
            ET.SubElement(group, "text", place if j else {**place, "font-weight": "bold"}).text = line
        return group


def _page(width: float, height: float, title: str) -> ET.Element:
    """Return the empty document: a sheet of white, on which the colours are the same on any page."""
    size = {"width": _short(width), "height": _short(height)}
    svg = ET.Element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "viewBox": f"0 0 {' '.join(size.values())}"}
    )
    svg.attrib |= {"font-family": FONT, "font-size": _short(_CAPTION_SIZE), "fill": _INK, "role": "img"}
    ET.SubElement(svg, "title").text = title
    ET.SubElement(svg, "rect", {**size, "rx": "8", "fill": _PAPER})
    return svg


def _bare(drawn: ET.Element) -> ET.Element:
    """Return the nodes and edges of a drawing, whichever program drew it, with nothing in them but shapes and texts."""
    _, _, width, height = drawn.get("viewBox", "0 0 1 1").split()
    svg = ET.Element("svg", {"width": width, "height": height})
    graph = ET.SubElement(svg, "g")
    for group in drawn.iter(f"{_SVG}g"):
        if group.get("class") == "graph" and "transform" in group.attrib:
            graph.set("transform", group.attrib["transform"])
        elif group.get("class") in ("node", "edge"):
            bare = ET.SubElement(graph, "g", {"id": group.get("id", "")})
            for part in group.iter():
                tag = part.tag.removeprefix(_SVG)
                if tag in _PARTS:
                    kept = {key: value for key, value in part.attrib.items() if key not in _LEFT_OUT}
                    ET.SubElement(bare, tag, kept).text = part.text
            for text in _texts(bare):
                # Graphviz places the lines of a node by its own widths; a browser's font may have others.
                if group.get("class") == "node":
                    text.set("x", _short(_middle(_shape(bare))))
    return svg


def _middle(shape: ET.Element) -> float:
    """Return the x of a shape's middle."""
    if shape.tag == "ellipse":
        return float(shape.get("cx", 0))
    if shape.tag == "rect":
        return float(shape.get("x", 0)) + float(shape.get("width", 0)) / 2
    xs = [float(x) for x in re.findall(r"(-?[\d.]+)[, ]-?[\d.]+", shape.get("points") or shape.get("d") or "")]
    return (min(xs) + max(xs)) / 2


def _texts(group: ET.Element) -> list[ET.Element]:
    return group.findall("text")


def _shape(group: ET.Element) -> ET.Element:
    """Return the filled shape of a node or of an operation; an input has an outline around it."""
    return next(part for part in group if part.tag not in ("text", "title") and part.get("fill") != "none")


def _place(edge: ET.Element) -> tuple[float, float]:
    """Return where an edge's label stands."""
    label = _texts(edge)[0]
    return float(label.get("x", 0)), float(label.get("y", 0))


def _filled(parts: list[str], between: str, width: float) -> list[str]:
    """Return parts in as few lines as the width allows, cut where there is no room at all."""
    lines = [parts[0]]
    for part in parts[1:]:
        if text_width(lines[-1] + between + part, _CAPTION_SIZE) > width:
            lines.append(between.lstrip() + part)
        else:
            lines[-1] += between + part
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = ["…"]
    return [_cut(line, width) for line in lines]


def _cut(line: str, width: float) -> str:
    """Return as much of a line as there is room for."""
    if text_width(line, _CAPTION_SIZE) <= width:
        return line
    while line and text_width(line + "…", _CAPTION_SIZE) > width:
        line = line[:-1]
    return line + "…"


def _factors(c: Contribution) -> str:
    return (number(c.upstream, _DIGITS) * number(c.local, _DIGITS)).render()


def _number(value: float) -> str:
    return format_number(value, _DIGITS)


def _short(value: float, digits: int = 1) -> str:
    return format_number(round(value, digits))
