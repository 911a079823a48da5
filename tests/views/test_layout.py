"""The layout of our own: nothing overlaps, text fits its box, edges keep clear of nodes."""

from __future__ import annotations

import cProfile
import itertools
import math
import operator
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_mini import Value, dot, draw, pick, tanh, where
from autograd_mini.graph import topological_order
from autograd_mini.views.layout.layout import arrange
from autograd_mini.views.layout.measure import node_size, shown_lines, text_size, text_width
from autograd_mini.views.picture import DrawnEdge, DrawnNode, Line, Picture

SHAPES = ("rounded", "box", "ellipse", "circle")
LABELS = ("", "1", "-0.3333", "1.5e-07", "–")


def node(name, lines=("text",), shape="box", **more):
    return DrawnNode(name, tuple(Line(line) for line in lines), shape, "#ffffff", "#000000", **more)


def edge(name, source, target, label=""):
    return DrawnEdge(name, source, target, label, "#000000", "#000000")


@st.composite
def pictures(draw_from):
    """Return a picture of up to 16 nodes, with parallel edges, and sometimes with cycles."""
    count = draw_from(st.integers(1, 16))
    rng = random.Random(draw_from(st.integers(0, 10**6)))
    cyclic = draw_from(st.booleans())
    texts = ["x", "a longer text", "長い名前", "🙂", "W" * 12, "l"]
    nodes = tuple(
        node(
            f"n{i}",
            [rng.choice(texts) for _ in range(rng.randint(1, 3))],
            rng.choice(SHAPES),
            doubled=rng.random() < 0.2,
            size=rng.choice([0.0, 28.0, 50.0]),
        )
        for i in range(count)
    )
    edges = []
    for k in range(rng.randint(0, 2 * count)):
        i, j = rng.randrange(count), rng.randrange(count)
        if not cyclic:
            i, j = min(i, j), max(i, j)
        edges.append(edge(f"e{k}", f"n{i}", f"n{j}", rng.choice(LABELS)))
    return Picture(nodes, tuple(edges), rng.choice(["LR", "TB", "RL", "BT"]))


def on_curve(curve, steps=24):
    """Return points on a chain of cubic Bézier curves."""
    points = []
    for k in range(0, len(curve) - 1, 3):
        p, q, r, s = curve[k : k + 4]
        for i in range(steps + 1):
            t = i / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(tuple(sum(map(operator.mul, weights, values)) for values in zip(p, q, r, s, strict=True)))
    return points


def inside(point, box, margin=0.0):
    x, y, width, height = box
    return abs(point[0] - x) < width / 2 - margin and abs(point[1] - y) < height / 2 - margin


def within_ellipse(point, box, margin=0.0):
    """Whether a point is in the ellipse of a round node, which leaves the corners of its box free."""
    x, y, width, height = box
    return math.hypot((point[0] - x) / (width / 2 - margin), (point[1] - y) / (height / 2 - margin)) < 1.0


def overlap(first, second):
    apart = [abs(a - b) - (p + q) / 2 for a, b, p, q in zip(first[:2], second[:2], first[2:], second[2:], strict=True)]
    return max(apart) < -1e-6


def label_box(route):
    return (*route.label, *route.label_size)


@given(pictures())
def test_nothing_overlaps_and_everything_is_on_the_page(picture):
    layout = arrange(picture)
    boxes = list(layout.boxes.values())
    boxes += [label_box(route) for route in layout.routes.values() if route.label is not None]
    for first, second in itertools.combinations(boxes, 2):
        assert not overlap(first, second)
    for x, y, width, height in boxes:
        assert x - width / 2 >= 0
        assert y - height / 2 >= 0
        assert x + width / 2 <= layout.width
        assert y + height / 2 <= layout.height
    assert set(layout.routes) == {e.id for e in picture.edges if e.source != e.target}


@given(pictures())
def test_edges_do_not_run_through_nodes(picture):
    layout = arrange(picture)
    shapes = {drawn.id: within_ellipse if drawn.shape in ("ellipse", "circle") else inside for drawn in picture.nodes}
    for drawn in picture.edges:
        if drawn.source == drawn.target:
            continue
        ends = {drawn.source, drawn.target}
        others = [(shapes[name], box) for name, box in layout.boxes.items() if name not in ends]
        for point in on_curve(layout.routes[drawn.id].curve):
            assert not any(is_inside(point, box, margin=0.5) for is_inside, box in others)


@given(pictures())
def test_edges_begin_and_end_at_their_nodes(picture):
    layout = arrange(picture)
    for drawn in picture.edges:
        if drawn.source != drawn.target:
            route = layout.routes[drawn.id]
            for point, name in ((route.curve[0], drawn.source), (route.head[0], drawn.target)):
                x, y, width, height = layout.boxes[name]
                assert inside(point, (x, y, width + 10, height + 10))
                assert not inside(point, (x, y, width / 2, height / 2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "lines", [("+",), ("layers.0.neurons.0.weights.10", "data 1", "grad 0"), ("長" * 15,), ("🙂" * 5,)]
)
def test_text_fits_its_shape(shape, lines):
    drawn = node("n", lines, shape)
    (width, height), (text, tall) = node_size(drawn), text_size(drawn.lines)
    if shape in ("rounded", "box"):
        assert text + 16 <= width
        assert tall + 8 <= height
    elif shape == "circle":
        assert (text / width) ** 2 + (tall * 0.8 / height) ** 2 < 1
    elif len(lines) == 1:
        assert (text / width) ** 2 + (12 / height) ** 2 < 1


def test_estimated_widths_are_helveticas():
    assert text_width("data 3.142", 1000) == pytest.approx(4726 * 1.06, rel=0.01)
    assert text_width("e\u0301") == text_width("e")


def test_shown_lines():
    assert shown_lines("a\nb\nc\nd") == ["a", "b", "…"]
    assert shown_lines("") == ["''"]
    assert shown_lines("漢" * 15) == ["漢" * 15]
    assert shown_lines("漢" * 16) == ["漢" * 14 + "…"]
    assert shown_lines("\ud800") == ["\ufffd"]


def test_a_tree_keeps_the_order_of_its_operands():
    a, b, c, d = (Value(v, label=n) for v, n in zip((1.0, 2.0, 3.0, 4.0), "abcd", strict=True))
    picture = draw((a - b) * (c - d))._picture
    y = [arrange(picture).boxes[f"node-{k}"][1] for k in (0, 1, 3, 4)]
    assert y == sorted(y)


def test_an_operation_is_level_with_its_value():
    a, b = Value(1.0), Value(2.0)
    boxes = arrange(draw(tanh(a * b))._picture).boxes
    assert boxes["op-2"][1] == pytest.approx(boxes["node-2"][1])
    assert boxes["op-3"][1] == pytest.approx(boxes["node-3"][1])


def a_chain(count):
    y = Value(0.5, label="x")
    for i in range(count):
        y = tanh(y) if i % 2 else y * Value(1.1, label=f"w{i}")
    return y


def a_neuron_with_its_loss():
    w, x, b = (Value(data, label=label) for data, label in ((2.0, "w"), (3.0, "x"), (1.0, "b")))
    return (tanh(w * x + b) - 0.5) ** 2


@pytest.mark.parametrize("root", [a_chain(12), a_chain(60), a_neuron_with_its_loss(), (3 - a_chain(5)) * 2])
def test_a_chain_is_a_straight_line_whatever_leaves_join_it(root):
    boxes = arrange(draw(root)._picture).boxes
    computed = [k for k, node in enumerate(topological_order(root)) if node.primitive is not None]
    line = {round(boxes[f"{what}-{k}"][1], 3) for k in computed for what in ("op", "node")}
    assert len(line) == 1, "all that is computed is level"
    leaves = {round(boxes[name][1]) for name in boxes if name.startswith("node") and int(name[5:]) not in computed}
    assert max(abs(y - line.copy().pop()) for y in leaves) < 90, "the leaves are close to it"


def operands_in_order(root):
    """The heights at which the operands of each operation enter it, by their slots."""
    picture = draw(root)._picture
    routes = arrange(picture).routes
    for v in range(len(topological_order(root))):
        yield [routes[e.id].label[1] for e in picture.edges if e.target == f"op-{v}" and e.label]


def test_operands_enter_in_their_order_where_no_more_edges_cross_then():
    a, b, c, i = (Value(data, label=label) for data, label in ((1.0, "a"), (2.0, "b"), (3.0, "c"), (0.0, "i")))
    w = [Value(1.0, label=f"w{k}") for k in range(3)]
    layer = [tanh(a * w[k] + b) for k in range(3)]
    v = [Value(1.0, label=f"v{k}") for k in range(3)]
    for root in (pick(i, a, b, c), pick(i, [a * b, c]) - c, where(a, b, c) * c):
        for heights in operands_in_order(root):
            assert heights == sorted(heights)
    *_, heights = operands_in_order(dot(v, layer))  # those before it can't all be: a and b are used in each
    assert heights == sorted(heights)


def test_parallel_edges_are_apart_along_their_way():
    x = Value(2.0)
    routes = arrange(draw(x * x)._picture).routes
    middles = [on_curve(routes[f"edge-0-1-{slot}"].curve) for slot in (0, 1)]
    assert max(abs(p[1] - q[1]) for p, q in zip(*middles, strict=True)) > 10


def chain():
    x = y = Value(0.5)
    for _ in range(300):
        y = tanh(y) * x
    return y


def thicket():
    rng = random.Random(0)
    nodes = [Value(rng.random()) for _ in range(50)]
    for _ in range(600):
        nodes.append(rng.choice(nodes[-60:]) * rng.choice(nodes[-60:]))
    total = nodes[-1]
    for other in nodes[-30:]:
        total = total + other
    return total


def wide():
    return dot([Value(i) for i in range(400)], [Value(i) for i in range(400)])


@pytest.mark.parametrize("graph", [chain, thicket, wide])
def test_hundreds_of_nodes_take_few_calls_each(graph, builtin):
    """A second or so where it was written; what is counted is the same on every machine."""
    value = graph()
    drawing = draw(value, max_nodes=10_000)
    with cProfile.Profile() as profile:
        svg = drawing.pipe("svg")
    assert sum(entry.callcount for entry in profile.getstats()) < 20_000 * len(topological_order(value))
    assert len(svg) < 8_000_000
