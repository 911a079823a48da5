"""A network as the lectures draw it: a column of circles for each layer, a line for each weight.

A line is the wider the larger |w|, orange where w < 0 and blue where w > 0; a neuron's circle has its bias in it, and
the bias's colour. Ids, the same whichever program draws: ``input-<i>``, ``neuron-<l>-<j>`` for neuron j of layer l,
counted from 0, ``weight-<l>-<j>-<i>`` for its i-th weight; where each layer is one box ``layer-in``, ``layer-<l>``, and
``between-<l>`` for the edge into layer l.

Of a module only this is used: an MLP has ``layers``, a layer has ``neurons``, a neuron has ``weights``, a ``bias`` and
an ``activation``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograd_mini.explanations.names import by_lecture
from autograd_mini.formulas.expression import format_number, printable, scripted
from autograd_mini.views import colours
from autograd_mini.views.graph_picture import Look
from autograd_mini.views.layout.measure import node_size, shown_lines
from autograd_mini.views.picture import FONT_SIZE, DrawnEdge, DrawnNode, Line, Picture

_MOST_LABELS = 12  # weights that can have their value beside them
_THINNEST, _WIDEST = 0.4, 4.0
_NEURON_SIZE, _INPUT_SIZE = 50.0, 32.0
_MOST_LARGE = 16  # circles in a column that can be large
_LEAST_RANK_GAP = 110.0


def layers_of(module: Any) -> list[list[Any]] | None:
    """Return the neurons of each layer, or None if the object isn't made of layers of neurons.

    Parameters
    ----------
    module : object
        A network, a layer or a neuron. Layers without neurons, such as dropout, are passed over.
    """
    if isinstance(module, type):
        return None
    if hasattr(module, "weights") and hasattr(module, "bias"):
        return [[module]]
    layers = getattr(module, "layers", None)
    if layers is None:
        layers = [module]
    if not isinstance(layers, (list, tuple)):
        return None
    found = [list(layer.neurons) for layer in layers if isinstance(getattr(layer, "neurons", None), (list, tuple))]
    return [neurons for neurons in found if neurons] or None


def count_circles(layers: list[list[Any]]) -> int:
    """Return how many circles the picture of a network has."""
    return len(layers[0][0].weights) + sum(map(len, layers))


def network_picture(layers: list[list[Any]], rankdir: str, digits: int, look: Look) -> Picture:
    """Return the picture of a network, neuron by neuron."""
    weights = [_as_float(weight) for neurons in layers for neuron in neurons for weight in neuron.weights]
    biases = [_as_float(neuron.bias) for neurons in layers for neuron in neurons if neuron.bias is not None]
    n_inputs = len(layers[0][0].weights)
    has_labels = len(weights) <= _MOST_LABELS and "data" in look.show
    sized = _Look(max(n_inputs, *map(len, layers)) > _MOST_LARGE, has_labels, digits, look)
    circles = [_input(i, sized) for i in range(n_inputs)]
    largest_bias = colours.largest_finite(biases)
    for rank, neurons in enumerate(layers):
        circles += [_neuron(neuron, rank, j, largest_bias, sized) for j, neuron in enumerate(neurons)]
    edges = tuple(_weights(layers, colours.largest_finite(weights), sized))
    gap = 34.0 if sized.has_labels else 5.0 if sized.is_wide else 12.0
    rank_gap = _rank_gap(circles, gap)
    return Picture(
        tuple(circles),
        edges,
        rankdir,
        straight=True,
        node_gap=gap,
        rank_gap=rank_gap,
        paper=look.theme.paper,
        label_paper=look.theme.label_paper,
    )


@dataclass(frozen=True)
class _Look:
    """What depends on the size of the network: circles are small in a wide one, weights have labels in a small one."""

    is_wide: bool
    has_labels: bool
    digits: int
    look: Look

    @property
    def theme(self) -> colours.Theme:
        return self.look.theme

    def number(self, value: float) -> str:
        return format_number(value, self.digits) if self.look.knows("data") else self.look.blank_for("data")

    @property
    def font_size(self) -> float:
        return 9.0 if self.is_wide else FONT_SIZE


def _rank_gap(circles: list[DrawnNode], gap: float) -> float:
    """Return the room between the columns: the higher they are, the more, or lines would be too steep."""
    heights: dict[int | None, float] = {}
    for circle in circles:
        heights[circle.rank] = heights.get(circle.rank, 0.0) + node_size(circle)[1] + gap
    return max(_LEAST_RANK_GAP, max(heights.values()) * 0.2)


def layers_picture(layers: list[list[Any]], rankdir: str, look: Look) -> Picture:
    """Return the picture of a network with one box for each layer."""
    n_inputs = len(layers[0][0].weights)
    boxes = [_layer_box("layer-in", [Line("inputs", bold=True), Line(str(n_inputs))], look.theme)]
    edges = []
    for rank, neurons in enumerate(layers):
        parameters = sum(len(neuron.weights) + (neuron.bias is not None) for neuron in neurons)
        lines = [
            Line(f"layer {rank + 1}", bold=True),
            Line(f"{len(neurons)} × {activation_name(neurons[0].activation)}"),
            Line(f"{parameters} parameters"),
        ]
        boxes.append(_layer_box(f"layer-{rank}", lines, look.theme))
        source = boxes[-2].id
        edges.append(DrawnEdge(f"between-{rank}", source, f"layer-{rank}", "", look.theme.line, look.theme.text))
    return Picture(tuple(boxes), tuple(edges), rankdir, paper=look.theme.paper, label_paper=look.theme.label_paper)


def activation_name(activation: Any) -> str:
    """Return the name of an activation given as a string or as a function; "identity" for None.

    Examples
    --------
    >>> import math
    >>> activation_name("tanh"), activation_name(math.tanh), activation_name(None)
    ('tanh', 'tanh', 'identity')
    """
    if activation is None:
        return "identity"
    return activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)


def _as_float(value: Any) -> float:
    return float(getattr(value, "data", value))


def _input(i: int, look: _Look) -> DrawnNode:
    return DrawnNode(
        f"input-{i}",
        (Line(scripted("x", [], [i + 1])),),
        "circle",
        look.theme.input,
        look.theme.outlines["input"],
        colours.ink_on(look.theme.input),
        tooltip=f"input {scripted('x', [], [i + 1])}",
        rank=0,
        size=0.0 if look.is_wide else _INPUT_SIZE,
        font_size=look.font_size,
    )


def _neuron(neuron: Any, rank: int, j: int, largest_bias: float, look: _Look) -> DrawnNode:
    activation = activation_name(neuron.activation)
    lines = [Line(shown_lines(activation)[0], bold=True)]
    tooltip, bias = f"layer {rank + 1}, neuron {j + 1}\n{printable(activation)}", 0.0
    if neuron.bias is not None:
        bias = _as_float(neuron.bias)
        if "data" in look.look.show:
            lines.append(Line(f"b {look.number(bias)}"))
        if look.look.knows("data"):
            tooltip += f"\nbias {format_number(bias)}"
    fill = look.theme.of(bias, largest_bias) if look.look.knows("data") else look.theme.zero
    return DrawnNode(
        f"neuron-{rank}-{j}",
        tuple(lines),
        "circle",
        fill,
        look.theme.outlines["value"],
        colours.ink_on(fill),
        stroke_width=1.2,
        tooltip=tooltip,
        rank=rank + 1,
        size=0.0 if look.is_wide else _NEURON_SIZE,
        font_size=look.font_size,
    )


def _weights(layers: list[list[Any]], largest: float, look: _Look) -> Iterator[DrawnEdge]:
    for rank, neurons in enumerate(layers):
        for j, neuron in enumerate(neurons):
            for i, weight in enumerate(neuron.weights):
                source = f"neuron-{rank - 1}-{i}" if rank else f"input-{i}"
                name = f"weight-{rank}-{j}-{i}"
                called = by_lecture(weight) or scripted("w", [rank + 1], [j + 1, i + 1])
                yield _weight(name, source, f"neuron-{rank}-{j}", weight, called, largest, look)


def _weight(name: str, source: str, target: str, weight: Any, called: str, largest: float, look: _Look) -> DrawnEdge:
    value = _as_float(weight)
    knows = look.look.knows("data")
    if not knows:  # neither the width of its line nor the colour may tell
        value = largest = 0.0
    known = math.isfinite(value)
    # The ends of the diverging scale; its middle, light grey, could not be seen on the page.
    colour = look.theme.line
    if value != 0 and look.theme.has_colours:
        colour = colours.diverging(math.copysign(1.0, value) if known else value, 1.0)
    share = 1.0 if not known else abs(value) / largest if largest else 0.0
    return DrawnEdge(
        name,
        source,
        target,
        look.number(value) if look.has_labels else "",
        colour,
        colours.ink_on(look.theme.zero),
        width=_THINNEST + (_WIDEST - _THINNEST) * share,
        dashed=not known or (value < 0 and not look.theme.has_colours),
        arrow=False,
        tooltip=printable(called) + (f" = {format_number(value)}" if knows else ""),
        backing=look.theme.zero,
    )


def _layer_box(name: str, lines: list[Line], theme: colours.Theme) -> DrawnNode:
    return DrawnNode(
        name,
        tuple(lines),
        "rounded",
        theme.zero,
        theme.outlines["box"],
        colours.ink_on(theme.zero),
        stroke_width=2.0,
        tooltip=lines[0].text,
    )
