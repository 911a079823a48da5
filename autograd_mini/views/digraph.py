"""`draw`: the computational graph of a `Value`, or a network, as a `graphviz.Digraph` that renders on every machine.

The ids of nodes and edges are described in `graph_picture` and `network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd_mini.checks import checked_choice
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph, Names, check_size
from autograd_mini.formulas.expression import printable
from autograd_mini.views import colours
from autograd_mini.views.graph_picture import NUMBERS, GraphPicture, Look, count, folds

if TYPE_CHECKING:
    from autograd_mini.views.drawing import Drawing
    from autograd_mini.views.picture import Picture

_DIRECTIONS = ("LR", "TB", "RL", "BT")
_COLLAPSE = (None, "neuron", "layer")
_MOST_FOLDED = 1000  # nodes in a box, on average; to sort more into boxes takes long


def draw(
    root: Any,
    *,
    names: Names | None = None,
    collapse: str | None = None,
    max_nodes: int = 300,
    rankdir: str = "LR",
    digits: int | None = None,
    theme: str = "screen",
    show: str | Sequence[str] | None = None,
    blank: str | Sequence[str] = (),
) -> Drawing:
    r"""Draw the computational graph of a node, or a network.

    Of a node: every value with its data and its gradient, every operation, and on the edge u → v the local derivative
    ∂v/∂u, whose rule is in the edge's tooltip; by constants none is asked for. Gradients are orange where negative and
    blue where positive; parameters have a thick outline, inputs a double one, constants a dashed one. Of a network: a
    circle for each neuron, with its bias, and a line for each weight, the wider the larger |w|, orange where w < 0, and
    blue where w > 0. If leaves have changed since the graph was computed, a line below says so.

    Parameters
    ----------
    root : Value or module
        The root of the graph, such as a loss; or an `MLP`, a `Layer` or a `Neuron`.
    names : mapping, optional
        Variables and what they hold, ``names=locals()``, for nodes that have no label.
    collapse : {"neuron", "layer"}, optional
        Fold the nodes that one neuron, or one layer, computed into a box.
    max_nodes : int, optional
        The most values, boxes or neurons that are drawn.
    rankdir : {"LR", "TB", "RL", "BT"}, optional
        The direction of the edges: left to right, top to bottom, right to left, bottom to top.
    digits : int, optional
        Significant digits of all numbers in the picture, by default 4, and 3 in a network's; tooltips have them all, in
        an SVG that is opened by itself and in a notebook that is trusted (one that isn't shows an image, which has
        none).
    theme : {"screen", "print", "dark"}, optional
        The colours: for a page of any colour; black on white, for paper and grey printers, where no colour tells a
        number and a network's negative weights are dashed; for dark slides.
    show : sequence of {"data", "grad", "local"}, optional
        Which numbers there are: data, gradients, the local derivatives on edges; by default all.
    blank : sequence of {"data", "grad", "local"}, optional
        Which of them the reader is to fill in: an empty line of one length stands in their places, and they aren't
        anywhere in the file, nor do colours tell them. A network's weights and biases are its data.

    Returns
    -------
    Drawing
        A `graphviz.Digraph`: a notebook shows it, as wide as the cell allows, with a link to its full size;
        ``.save("figure.pdf")``, also ``.png``, ``.svg`` and ``.tex`` (TikZ), draws for slides and papers; this,
        ``.render("graph")``, ``.pipe("svg")`` and ``.source`` work on a machine without Graphviz too.

    Raises
    ------
    ValueError
        If there are more than `max_nodes` nodes, or an option has no such value.
    TypeError
        If `root` can't be drawn, or an option has the wrong type.

    Examples
    --------
    >>> from autograd_mini import Value, draw
    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> y.backward()
    >>> drawing = draw(y)
    >>> [edge in drawing.source for edge in ("edge-0-1-0", "edge-0-1-1", "out-1")]
    [True, True, True]
    >>> drawing.pipe("svg")[-7:]
    b'</svg>\n'
    """
    _check_options(collapse, max_nodes, rankdir, digits)
    look = _checked_look(theme, show, blank, NUMBERS if isinstance(root, Value) else ("data",))
    if isinstance(root, Value):
        check_size(root, _MOST_FOLDED * max_nodes, "draw", "draw the graph of fewer examples")
        graph = NamedGraph(root, names)
        boxes = folds(graph, collapse)
        _check_count(count(graph, boxes), max_nodes, "values" if collapse is None else "values and boxes", collapse)
        picture = GraphPicture(graph, boxes, digits or 4, look=look).picture(rankdir)
        title = f"The computational graph of {printable(graph.called[root])}"
    else:
        picture = _network_picture(root, collapse, max_nodes, rankdir, digits or 3, look)
        title = f"A network: {type(root).__name__}"
    # Only now, as importing graphviz takes longer than importing all of this package.
    from autograd_mini.views.drawing import Drawing

    return Drawing.of(picture, title)


def _network_picture(
    module: Any, collapse: str | None, max_nodes: int, rankdir: str, digits: int, look: Look
) -> Picture:
    from autograd_mini.views import network

    layers = network.layers_of(module)
    if layers is None:
        raise TypeError(
            f"draw takes a Value (the root of a graph), an MLP, a Layer or a Neuron, not {_described(module)}"
        )
    if collapse == "layer":
        _check_count(len(layers) + 1, max_nodes, "layers", collapse)
        return network.layers_picture(layers, rankdir, look)
    _check_count(network.count_circles(layers), max_nodes, "inputs and neurons", "neuron")
    return network.network_picture(layers, rankdir, digits, look)


def _described(thing: Any) -> str:
    """Return the type of a thing that can't be drawn, and what to draw in its place."""
    name = type(thing).__name__
    if isinstance(thing, type):
        return f"the class {thing.__name__}; make an instance of it and draw that"
    if isinstance(thing, (list, tuple)) or hasattr(thing, "shape"):
        return f"{name}; draw one of the nodes in it, or their sum"
    if isinstance(thing, (int, float)):
        return f"{name}; a bare number has no graph: compute with Value({thing!r}) and draw the result"
    return f"{name}; call the module on an example and draw the result" if callable(thing) else name


def _check_options(collapse: Any, max_nodes: Any, rankdir: Any, digits: Any) -> None:
    if collapse not in _COLLAPSE:
        raise ValueError(f'collapse: expected "neuron", "layer" or None, got {collapse!r}')
    if rankdir not in _DIRECTIONS:
        raise ValueError(f"rankdir: expected one of {', '.join(_DIRECTIONS)}, got {rankdir!r}")
    for option, number in (("max_nodes", max_nodes), ("digits", 4 if digits is None else digits)):
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"{option}: expected a whole number, got {type(number).__name__}")
        if number < 1:
            raise ValueError(f"{option}: expected at least 1, got {number}")


def _checked_look(theme: Any, show: Any, blank: Any, there: Sequence[str]) -> Look:
    checked_choice("theme", theme, colours.THEMES)
    shown = there if show is None else _checked_numbers("show", show, there)
    blanks = _checked_numbers("blank", blank, there)
    for what in blanks:
        if what not in shown:
            raise ValueError(f"blank: {what!r} isn't shown, so no blank can stand for it; add it to show")
    return Look(colours.THEMES[theme], shown, blanks)


def _checked_numbers(option: str, given: Any, there: Sequence[str]) -> tuple[str, ...]:
    """Return which numbers an option names; of a network there are fewer."""
    try:
        words = (given,) if isinstance(given, str) else tuple(given)
    except TypeError:
        raise TypeError(
            f'{option}: expected a sequence of {", ".join(NUMBERS)}, such as ("grad",), got {given!r}'
        ) from None
    for word in words:
        checked_choice(option, word, NUMBERS)
        if word not in there:
            raise ValueError(f"{option}: the picture of a network has no {word!r}, only data: its weights and biases")
    return words


def _check_count(count: int, max_nodes: int, what: str, collapse: str | None) -> None:
    if count <= max_nodes:
        return
    coarser = {None: 'collapse="neuron" or collapse="layer"', "neuron": 'collapse="layer"', "layer": ""}[collapse]
    advice = f"try {coarser}, or a larger max_nodes" if coarser else "try a larger max_nodes"
    raise ValueError(f"the drawing would have {count} {what}, more than max_nodes={max_nodes}; {advice}")
