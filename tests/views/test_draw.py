"""The picture of a computational graph: the same text, ids and colours whichever program draws it."""

from __future__ import annotations

import math
import subprocess
import sys

import graphviz
import pytest

from autograd_mini import Parameter, Value, draw, scope, tanh
from autograd_mini.engine.value import Constant
from autograd_mini.explanations.names import node_names
from autograd_mini.views import colours
from autograd_mini.views.layout.measure import shown_lines

AWKWARD = [
    "{ } | < >",
    '"quoted" \\ back\\slash',
    r"\N \G \l \r \n \E \T \L",
    "ends in \\",
    'ends in \\"',
    "<b>not bold</b>",
    "<all of it>",
    "a & b &amp; &lt; &#65;",
    "two\nlines",
    "three\r\nlines\n\nhere",
    "∂L/∂w₁ = σ'(z)·x",
    "重み 学習率",
    "🙂 👩‍🔬 emoji",
    "  spaces   inside  ",
    " ",
    "tab\tand\x00control\x1b",
    "-->",
    "digraph",
    "node",
    "42",
    "%s {0} $x$",
    "x" * 200,
    "長" * 200,
    "many words " * 20,
]


def square():
    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    return y


def neuron():
    w = [Parameter(0.5, label="w1"), Parameter(-0.8, label="w2")]
    x = [Value(2.0, label="x1"), Value(1.0, label="x2")]
    root = tanh(w[0] * x[0] + w[1] * x[1] + Parameter(0.1, label="b"))
    root.backward()
    return root


def with_constants():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    root = (2 * a - b) ** 2 / 10 + a * a
    root.backward()
    return root


GRAPHS = {"leaf": lambda: Value(1.0), "square": square, "neuron": neuron, "constants": with_constants}


@pytest.mark.parametrize("name", GRAPHS)
def test_ids_and_texts_are_those_of_the_graph(name, renderer, parse):
    root = GRAPHS[name]()
    drawn = parse(draw(root).pipe("svg"))
    order = list(node_names(root))
    position = {node: k for k, node in enumerate(order)}
    expected_nodes = {f"node-{k}" for k in range(len(order))}
    expected_nodes |= {f"op-{k}" for k, node in enumerate(order) if node.parents}
    expected_edges = {f"out-{k}" for k, node in enumerate(order) if node.parents}
    for v in order:
        expected_edges |= {f"edge-{position[u]}-{position[v]}-{slot}" for slot, u in enumerate(v.parents)}
    assert set(drawn.nodes) == expected_nodes
    assert set(drawn.edges) == expected_edges
    for v in order:
        if v.parents:
            assert drawn.nodes[f"op-{position[v]}"].texts == [v.primitive.symbol]
            assert drawn.edges[f"out-{position[v]}"].title == f"op-{position[v]}->node-{position[v]}"
        for slot, u in enumerate(v.parents):
            edge = drawn.edges[f"edge-{position[u]}-{position[v]}-{slot}"]
            assert edge.title == f"node-{position[u]}->op-{position[v]}"
            assert edge.texts == ([] if u.kind == "constant" else [f"{v.local_grads[slot]:.4g}"])


def test_both_edges_of_a_square_are_there_and_apart(renderer, parse):
    drawn = parse(draw(square()).pipe("svg"))
    first, second = drawn.edges["edge-0-1-0"], drawn.edges["edge-0-1-1"]
    assert first.texts == second.texts == ["3"]
    assert first.shapes[0].get("d") != second.shapes[0].get("d")
    assert drawn.nodes["node-0"].texts == ["x", "data 3", "grad 6"]
    assert drawn.nodes["node-1"].texts == ["L", "data 9", "grad 1"]


@pytest.mark.parametrize("label", AWKWARD, ids=range(len(AWKWARD)))
def test_labels_are_literal(label, renderer, parse):
    x = Value(1.0, label=label)
    drawn = parse(draw(x * 2).pipe("svg")).nodes["node-0"]
    expected = [line for line in [*shown_lines(label), "data 1", "grad 0"] if line]
    assert [text.rstrip() for text in drawn.texts] == [line.rstrip() for line in expected]


def test_symbols_and_scopes_are_literal_too(renderer, parse):
    with scope(r"a<b>\N"):
        y = Value(2.0) * 3
    drawn = parse(draw(y + 1, collapse="neuron").pipe("svg"))
    box = drawn.nodes["scope-0"]
    assert box.texts[:2] == [r"a<b>\N", "2 nodes"]
    assert "2 nodes" in box.tooltip


def test_long_labels_are_cut_and_whole_in_the_tooltip(renderer, parse):
    label = "weight & bias <" + "x" * 200 + "> \\N"
    drawn = parse(draw(Value(1.0, label=label)).pipe("svg")).nodes["node-0"]
    assert drawn.texts[0].endswith("…")
    assert len(drawn.texts[0]) <= 30
    assert label in drawn.tooltip


def test_an_empty_label_gets_the_name_that_explanations_use(renderer, parse):
    drawn = parse(draw(Value(2.0, label="") * Value(3.0, label="")).pipe("svg"))
    assert [drawn.nodes[f"node-{k}"].texts[0] for k in range(3)] == ["v1", "v2", "L"]


def test_names_of_variables():
    first, second = Value(2.0), Value(3.0)
    assert "<B>second</B>" in draw(first * second, names=locals()).source


def test_fills_are_diverging_and_scaled_by_the_largest_gradient(renderer, parse):
    a, b, c = (Value(v, label=n) for n, v in (("a", 4.0), ("b", -2.0), ("c", 0.0)))
    root = a * b + c * 0
    root.backward()
    drawn = parse(draw(root).pipe("svg"))
    assert root.grad == 1
    assert colours.POSITIVE in drawn.nodes["node-1"].fills  # b, whose gradient 4 is the largest
    assert colours.diverging(-2.0, 4.0) in drawn.nodes["node-0"].fills
    assert colours.ZERO in drawn.nodes["node-3"].fills  # c, whose gradient is 0
    negative = -1 * a
    negative.backward()
    assert a.grad == -3  # it accumulates: -2, then -1
    assert colours.NEGATIVE in parse(draw(negative).pipe("svg")).nodes["node-1"].fills


@pytest.mark.parametrize("grad", [math.inf, -math.inf, math.nan])
def test_gradients_that_are_not_finite(grad, renderer, parse):
    x = Value(3.0, label="x")
    y = x * 2
    x.grad, y.grad = grad, 5.0
    drawn = parse(draw(y).pipe("svg"))
    texts = [text for node in drawn.nodes.values() for text in node.texts]
    assert f"grad {grad:g}" in texts
    assert colours.diverging(grad, 5.0) in {fill for node in drawn.nodes.values() for fill in node.fills}
    assert colours.POSITIVE in drawn.nodes["node-2"].fills, "the scale is the largest finite gradient"


def test_gradients_that_are_values_or_none():
    x = Value(3.0, label="x")
    (x * x).backward(create_graph=True)
    assert "grad 6" in draw(x).source
    x.grad = None
    assert "grad 0" in draw(x).source


@pytest.mark.parametrize("share", [i / 20 for i in range(-20, 21)])
def test_text_can_be_read_on_every_fill(share):
    fill = colours.diverging(share, 1.0)
    assert colours.contrast(colours.ink_on(fill), fill) >= 4.5


def test_text_and_lines_on_the_page_can_be_read_on_white_and_on_black():
    for page in ("#ffffff", "#111111"):
        assert colours.contrast(colours.TEXT, page) >= 4.0
        assert colours.contrast(colours.LINE, page) >= 3.0
        assert all(colours.contrast(outline, page) >= 3.0 for outline in colours.OUTLINES.values())
    assert "bgcolor=transparent" in draw(square()).source


def test_kinds_are_told_apart_by_outline(renderer, parse):
    w, x = Parameter(2.0, label="w"), Value(3.0, label="x")
    drawn = parse(draw(w * x + 5).pipe("svg")).nodes
    parameter, leaf, constant, value = (drawn[f"node-{k}"] for k in (0, 1, 3, 4))
    assert float(parameter.shapes[0].get("stroke-width")) > 2
    assert [len(node.shapes) for node in (leaf, parameter, constant, value)] == [2, 1, 1, 1]
    dashed = [bool(node.shapes[0].get("stroke-dasharray")) for node in (parameter, leaf, constant, value)]
    assert dashed == [False, False, True, False]
    strokes = {node.shapes[-1].get("stroke") for node in (parameter, leaf, value)}
    assert len(strokes) == 3
    assert constant.texts == ["5"]


def test_a_labelled_constant_shows_its_data_but_no_gradient():
    constant = Constant(0.5, label="rate")
    source = draw(constant * Value(2.0)).source
    assert "<B>rate</B><BR/>data 0.5>" in source


def test_an_edge_from_a_constant_has_no_number(parse, renderer):
    x = Value(-2.0, label="x")
    y = x**2
    assert math.isnan(y.local_grads[1])
    drawn = parse(draw(y).pipe("svg"))
    assert drawn.edges["edge-1-2-1"].texts == []
    assert drawn.edges["edge-1-2-1"].tooltip == "an operand of L"
    assert drawn.edges["edge-0-2-0"].tooltip == "∂(x²)/∂x = 2·x = 2·(-2) = -4"
    assert drawn.edges["edge-0-2-0"].texts == ["-4"]


def test_digits():
    source = draw(Value(2 / 3, label="x"), digits=2).source
    assert "data 0.67<" in source
    assert "data 0.6666666666666666" in source, "the tooltip has them all"


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_directions(rankdir, renderer, parse):
    drawn = parse(draw(square(), rankdir=rankdir).pipe("svg"))
    places = []
    for name in ("node-0", "node-1"):
        text = next(e for g in drawn.root.iter() if g.get("id") == name for e in g.iter() if e.tag.endswith("}text"))
        places.append((float(text.get("x")), float(text.get("y"))))
    (x0, y0), (x1, y1) = places
    assert {"LR": x0 < x1, "RL": x0 > x1, "TB": y0 < y1, "BT": y0 > y1}[rankdir]


def test_ids_do_not_change_from_drawing_to_drawing():
    root = with_constants()
    assert draw(root).source == draw(root).source


# ------------------------------------------------------------------------------------------- bounds and errors


def test_too_many_nodes_is_an_error_that_says_what_to_do():
    x = Value(1.0)
    for _ in range(300):
        x = tanh(x)
    with pytest.raises(ValueError, match=r'301 values.*max_nodes=300.*collapse="neuron".*collapse="layer".*max_nodes'):
        draw(x)
    assert draw(x, max_nodes=301).source


def test_deep_graphs_do_not_recurse(builtin, parse):
    x = Value(0.5)
    for _ in range(2_000):
        x = tanh(x)
    x.backward()
    assert len(parse(draw(x, max_nodes=3_000).pipe("svg")).nodes) == 4_001


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (3.0, r"not float; .*Value\(3\.0\)"),
        (None, "not NoneType"),
        ([Value(1.0)], "not list; draw one of the nodes"),
        ("x", "not str"),
        (Value, "the class Value; make an instance"),
    ],
)
def test_things_that_cannot_be_drawn(thing, message):
    with pytest.raises(TypeError, match=message):
        draw(thing)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"collapse": "foo"}, ValueError, r'expected "neuron", "layer" or None, got \'foo\''),
        ({"rankdir": "left"}, ValueError, "expected one of LR, TB, RL, BT, got 'left'"),
        ({"max_nodes": 0}, ValueError, "max_nodes: expected at least 1, got 0"),
        ({"max_nodes": "many"}, TypeError, "max_nodes: expected a whole number, got str"),
        ({"digits": 2.5}, TypeError, "digits: expected a whole number, got float"),
        ({"names": ["a"]}, TypeError, r"names=locals\(\), got list"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        draw(square(), **options)


def test_it_is_a_digraph_with_all_its_methods():
    drawing = draw(square())
    assert isinstance(drawing, graphviz.Digraph)
    drawing.node("more")
    drawing.edge("node-1", "more")
    with drawing.subgraph(name="cluster_more") as part:
        part.node("inside")
    copied = drawing.copy()
    assert copied.source == drawing.source
    assert "cluster_more" in copied.source


def test_importing_the_package_does_not_import_graphviz():
    code = "import sys, autograd_mini; autograd_mini.draw; assert 'graphviz' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
