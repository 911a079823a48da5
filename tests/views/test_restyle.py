"""Attributes of the `graphviz.Digraph`: our own layout honours colours, fonts, spacing, and names others."""

from __future__ import annotations

import re

import pytest

from autograd_mini import Value, draw
from autograd_mini.views.restyle import KNOWN


@pytest.fixture
def drawing():
    x = Value(3.0, label="x")
    y = x * x + 1
    y.backward()
    return draw(y)


def size(svg):
    return [float(side) for side in re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()]


@pytest.mark.parametrize("way", ["attr", "dictionary", "other dictionary"])
def test_colours_of_nodes_and_edges(way, renderer, drawing, parse):
    node, edge = {"fillcolor": "#fff7d6", "color": "#123456", "fontcolor": "#400000"}, {"color": "#aa0000"}
    if way == "attr":
        drawing.attr("node", **node)
        drawing.attr("edge", edge)
    else:
        drawing.node_attr.update(node)
        drawing.edge_attr["color"] = "#aa0000"
    drawn = parse(drawing.copy().pipe("svg") if way == "other dictionary" else drawing.pipe("svg"))
    for group in drawn.nodes.values():
        assert "#fff7d6" in group.fills, group.id
        assert {shape.get("stroke") for shape in group.shapes} == {"#123456"}, group.id
    for group in drawn.edges.values():
        assert "#aa0000" in {shape.get("stroke") for shape in group.shapes}, group.id
    assert b"#400000" in drawing.pipe("svg")


def test_the_text_on_a_fill_can_be_read(builtin, drawing, parse):
    drawing.attr("node", fillcolor="white")
    inks = {e.get("fill") for e in parse(drawing.pipe("svg")).root.iter() if e.get("font-weight") == "bold"}
    assert inks == {"#000000"}, "an operation's sign is white on its own dark fill"


def test_fonts(renderer, drawing):
    before = size(drawing.pipe("svg")) if renderer == "builtin" else [0.0, 0.0]
    drawing.attr("node", fontname="Courier", fontsize="24")
    drawing.attr("edge", fontname="Times", fontsize="18")
    svg = drawing.pipe("svg")
    assert re.search(rb'font-family="Courier', svg)
    assert re.search(rb'font-family="Times', svg)
    assert re.search(rb'font-size="24(\.00)?"', svg)
    assert re.search(rb'font-size="18(\.00)?"', svg)
    if renderer == "builtin":
        assert all(now > then for now, then in zip(size(svg), before, strict=True))


def test_direction_ground_and_room(builtin, drawing):
    wide, high = size(drawing.pipe("svg"))
    drawing.attr(rankdir="TB")
    turned = size(drawing.pipe("svg"))
    assert turned[1] > turned[0], "the picture goes from top to bottom"
    assert wide > high
    drawing.graph_attr.update(ranksep="2", nodesep="1")
    spread = size(drawing.pipe("svg"))
    assert spread[1] > turned[1] + 300
    drawing.attr("graph", pad="0.5,1", bgcolor="lightyellow")
    padded = size(drawing.pipe("svg"))
    assert padded == pytest.approx([spread[0] + 72, spread[1] + 144])
    assert drawing.pipe("svg").count(b'fill="lightyellow"') == 1 + 3, "the ground, and behind three labels"


def test_style(builtin, drawing, parse):
    drawing.attr("node", style="dashed")
    drawing.attr("edge", style="bold")
    drawn = parse(drawing.pipe("svg"))
    assert all(group.fills == {"none"} for group in drawn.nodes.values())
    assert all(shape.get("stroke-dasharray") for group in drawn.nodes.values() for shape in group.shapes)
    assert {group.shapes[0].get("stroke-width") for group in drawn.edges.values()} == {"2"}


def test_setting_nothing_new_changes_nothing(builtin, drawing):
    before, source = drawing.pipe("svg"), drawing.source
    drawing.attr("node", fontname="Helvetica")
    drawing.attr()
    assert drawing.pipe("svg") == before
    assert drawing.source == source


@pytest.mark.parametrize(
    ("kind", "attributes", "message"),
    [
        ("node", {"shape": "star"}, "node_attr['shape']: the builtin renderer has no such attribute; it has color,"),
        ("edge", {"arrowhead": "vee"}, "edge_attr['arrowhead']: the builtin renderer has no such attribute"),
        ("graph", {"splines": "ortho"}, "graph_attr['splines']"),
        ("graph", {"rankdir": "XY"}, "graph_attr['rankdir']: expected one of LR, TB, RL, BT, got 'XY'"),
        ("node", {"color": "reddish"}, "got 'reddish'"),
        ("node", {"fillcolor": "#12"}, "expected a colour such as"),
        ("node", {"style": "filled,wedged"}, "expected one of filled, rounded, solid, dashed, bold, got 'wedged'"),
        ("edge", {"fontsize": "big"}, "expected a number of points from 1 to 500, got 'big'"),
        ("graph", {"nodesep": "-1"}, "expected a number of inches from 0 to 100, got '-1'"),
        ("node", {"margin": "1,2,3"}, "one number of inches, or two"),
        ("node", {"fontname": " "}, "expected the name of a font"),
    ],
)
def test_what_our_layout_does_not_have_is_named(kind, attributes, message, builtin, drawing):
    drawing.attr(kind, **attributes)
    with pytest.raises(ValueError, match=re.escape(message)):
        drawing.pipe("svg")
    assert next(iter(attributes.values())) in drawing.source, "Graphviz is told all the same"


def test_a_removed_attribute_is_named(builtin, drawing):
    del drawing.graph_attr["splines"]
    with pytest.raises(ValueError, match=re.escape(f"it has {', '.join(KNOWN['graph'])} for graph")):
        drawing.pipe("svg")


@pytest.mark.needs("matplotlib")
def test_a_font_that_is_not_there_is_named(builtin, drawing, tmp_path):
    drawing.attr("node", fontname="No Such Font")
    with pytest.warns(UserWarning, match="the font 'No Such Font' isn't installed: DejaVu Sans stands in its place"):
        drawing.save(tmp_path / "a.pdf")
