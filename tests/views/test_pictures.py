"""The drawings that the stepper steps through: laid out once, by ourselves, with room for what will be written."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from autograd_mini import Value, scope, step_through, tanh
from autograd_mini.nn import MLP
from autograd_mini.views import renderers
from autograd_mini.views.layout.measure import text_width

SVG = "{http://www.w3.org/2000/svg}"
SIZES = [("width", "rx"), ("height", "ry")]  # of a rectangle, of an ellipse
ROOM_PER_SIGN, BESIDE = 6.7, 14  # as picture.js has it


def neuron():
    w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-12.3456789, label="b")
    return tanh(w * x + b)


def network():
    return (MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]) - 1.0) ** 2


def drawings(root):
    return [ET.fromstring(view["svg"]) for view in step_through(root).payload["views"]]


def groups(drawing):
    """The nodes, operations, boxes and edges by their ids."""
    return {group.get("data-id"): group for group in drawing.iter(f"{SVG}g") if group.get("data-id")}


def boxes(drawing):
    """The left, top, right and bottom of everything but edges."""
    found = {}
    for name, group in groups(drawing).items():
        if group.get("transform"):
            x, y = map(float, re.findall(r"[\d.]+", group.get("transform")))
            shape = next(part for part in group if part.tag != f"{SVG}text")
            half = [float(shape.get(side, 0)) / 2 or float(shape.get(radius, 0)) for side, radius in SIZES]
            found[name] = (x - half[0], y - half[1], x + half[0], y + half[1])
    return found


@pytest.mark.parametrize("make", [neuron, network])
def test_no_program_is_asked_where_anything_goes(make, monkeypatch):
    payload = step_through(make()).payload
    for name in ("choose", "find", "run"):
        monkeypatch.setattr(renderers, name, lambda *a, **k: pytest.fail("it asked for a program"))
    again = step_through(make()).payload
    assert again["views"] == payload["views"]
    assert again["opened"] == payload["opened"]


def test_stepping_and_animating_import_no_graphviz(run_python):
    code = (
        "import sys; from autograd_mini import Value, step_through; stepper = step_through(Value(2.0) * 3);"
        "stepper.html();"
        "from autograd_mini.views.stepper.animation import animated_svg; animated_svg(stepper.root);"
        "print('graphviz' in sys.modules)"
    )
    assert run_python(code).strip() == "False"


def test_drawing_a_value_imports_nothing_of_networks(run_python):
    code = (
        "import sys; from autograd_mini import Value, draw; draw(Value(2.0) * 3).pipe('svg');"
        "print([name for name in sys.modules if name.startswith(('autograd_mini.nn', 'autograd_mini.optim',"
        " 'autograd_mini.training', 'autograd_mini.views.network'))])"
    )
    assert run_python(code).strip() == "[]"


@pytest.mark.parametrize("make", [neuron, network])
def test_nothing_lies_over_another_or_outside(make):
    for drawing in drawings(make()):
        places = boxes(drawing)
        assert len(places) > 1
        for (left, top, right, bottom), (west, north, east, south) in itertools.combinations(places.values(), 2):
            assert min(right, east) <= max(left, west) or min(bottom, south) <= max(top, north)
        width, height = float(drawing.get("width")), float(drawing.get("height"))
        # The ring around the active node is 8 points outside of it.
        assert all(min(box[0], box[1], width - box[2], height - box[3]) > 7.8 for box in places.values())


@pytest.mark.parametrize("make", [neuron, network])
def test_every_text_has_room_and_so_has_any_number_of_four_digits(make):
    for drawing in drawings(make()):
        for name, (left, _, right, _) in boxes(drawing).items():
            lines = [text.text for text in groups(drawing)[name].findall(f"{SVG}text")]
            assert all(text_width(line) <= right - left for line in lines)
            if len(lines) > 2 and name.startswith("node"):
                room = int((right - left - BESIDE) / ROOM_PER_SIGN)
                assert all(len(line) <= room for line in [*lines[-2:], "data -0.1234"])


def test_an_input_has_its_filled_shape_last_and_the_rest_is_inherited():
    drawing = drawings(Value(1.0, label="x") * 0.5)[0]
    outer, inner, *texts = groups(drawing)["node-0"]
    assert outer.get("fill") == "none"
    assert inner.get("fill") != "none"
    assert float(outer.get("width")) == float(inner.get("width")) + 8
    assert [text.text for text in texts] == ["x", "data 1", "grad 0.5"]
    assert not [text for text in texts if {"fill", "stroke", "font-size", "x"} & set(text.attrib)]
    edge = groups(drawing)["edge-0-2-0"]
    assert [set(part.attrib) for part in edge] == [{"d"}, {"points"}, {"x", "y"}]


def test_a_box_calls_its_nodes_by_what_follows_its_own_name():
    x, other = Value(2.0, label="x"), Value(1.0, label="z")
    with scope("encoder"):
        z = x * 3
        z.label = "z"
    box = groups(drawings(z + other)[1])["scope-0"]
    assert [text.text for text in box.findall(f"{SVG}text")] == ["encoder", "2 nodes", "z 6, grad 1"]
