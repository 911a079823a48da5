"""`Stepper.save_steps`: a picture for each step, in SVG and, where Matplotlib is, in PDF and PNG."""

from __future__ import annotations

import itertools
import os
import re
import sys
import xml.etree.ElementTree as ET

import pytest

from autograd_mini import MissingDependencyError, Parameter, Value, step_through
from autograd_mini.nn import MLP
from autograd_mini.views import colours


def square():
    x = Value(3.0, label="x")
    return x * x


def neuron():
    w, x, b = Parameter(-0.5, label="w"), Value(2.0, label="x"), Parameter(0.25, label="b")
    return (w * x + b).tanh() * w


def written(stepper, folder):
    """Each picture's texts by node and edge, and what stands below."""
    pictures = []
    for path in stepper.save_steps(folder, format="svg"):
        root = ET.fromstring(path.read_bytes())
        groups = {g.get("id"): g for g in root.iter() if g.get("class") in ("node", "edge")}
        texts = {name: [t.text for t in g.iter() if t.tag.endswith("}text")] for name, g in groups.items()}
        graph = next(g for g in root.iter() if g.get("id") == "graph0")
        pictures.append((texts, [t.text for t in graph if t.tag.endswith("}text")], groups))
    return pictures


def test_a_square_shows_what_is_known_by_each_step(tmp_path):
    pictures = written(step_through(square()), tmp_path / "new" / "folder")
    nodes = [(texts["node-0"], texts["node-1"]) for texts, *_ in pictures]
    assert nodes == [
        (["x", "data 3"], ["L"]),
        (["x", "data 3"], ["L", "data 9"]),
        (["x", "data 3"], ["L", "data 9", "grad 1"]),
        (["x", "data 3", "grad 6"], ["L", "data 9", "grad 1"]),
    ]
    edges = [(texts["edge-0-1-0"], texts["edge-0-1-1"]) for texts, *_ in pictures]
    assert edges == [([], []), (["3"], ["3"]), (["3"], ["3"]), (["1·3"], ["1·3"])]
    assert [below[0] for _, below, _ in pictures] == [
        "step 1 of 4: forward pass",
        "step 2 of 4: forward pass",
        "step 3 of 4: seed",
        "step 4 of 4: backward pass",
    ]
    assert "L = x·x = 3·3 = 9" in pictures[1][1]


def test_by_edge_each_contribution_has_its_picture_and_lights_its_edge_alone(tmp_path):
    stepper = step_through(square(), grain="edge")
    *_, first, second = written(stepper, tmp_path)
    assert [picture[0]["node-0"][-1] for picture in (first, second)] == ["grad 3", "grad 6"]
    assert [picture[0]["edge-0-1-0"] for picture in (first, second)] == [["1·3"], ["3"]]
    assert [picture[0]["edge-0-1-1"] for picture in (first, second)] == [["3"], ["1·3"]]
    for (_, _, groups), lit in ((first, "edge-0-1-0"), (second, "edge-0-1-1")):
        wide = [name for name, g in groups.items() if any(p.get("stroke-width") == "3" for p in g.iter())]
        assert sorted(wide) == sorted([lit, "out-1"])


@pytest.mark.parametrize("grain", ["node", "edge"])
@pytest.mark.parametrize("make", [square, neuron, lambda: Value(2.0, label="x"), lambda: Value(1.0) / 0.0])
def test_there_is_a_picture_for_every_step_of_the_page_and_nothing_moves(make, grain, tmp_path):
    stepper = step_through(make(), grain=grain)
    pictures = written(stepper, tmp_path)
    assert len(pictures) == stepper.count
    assert sorted(os.listdir(tmp_path)) == [f"step-{i:03}.svg" for i in range(1, stepper.count + 1)]
    sizes = {re.search('viewBox="[^"]*"', p.read_text(encoding="utf-8"))[0] for p in tmp_path.iterdir()}
    assert len(sizes) == 1, "the slides have to be of one size"
    shapes = [
        [(p.tag, p.get("x"), p.get("y"), p.get("d")) for g in groups.values() for p in g.iter() if "text" not in p.tag]
        for _, _, groups in pictures
    ]
    places = [[shape for shape in of if not shape[0].endswith("rect") or shape[1]] for of in shapes]
    paths = [[s for s in of if s[0].endswith("path")] for of in places]
    assert all(one == paths[0] for one in paths), "an edge has moved"


def test_the_node_of_the_step_has_a_thick_outline_and_no_other(tmp_path):
    for _, below, groups in written(step_through(neuron()), tmp_path):
        thick = [n for n, g in groups.items() if any(p.get("stroke-width") == "3.5" for p in g.iter())]
        assert len(thick) == 1, below[0]


def test_the_end_shows_what_the_two_passes_computed(tmp_path):
    root = neuron()
    texts, _, groups = written(step_through(root), tmp_path)[-1]
    root.backward()
    from autograd_mini import draw

    drawing = draw(root)._picture
    assert all(texts[node.id] == [line.text for line in node.lines] for node in drawing.nodes)
    assert all(node.fill in {p.get("fill") for p in groups[node.id].iter()} for node in drawing.nodes)


def test_a_folded_network_shows_its_boxes_filling(tmp_path):
    y = MLP(2, [2, 1], activation="tanh", rng=0)([1.0, 2.0])
    stepper = step_through(y, collapse="neuron")
    pictures = written(stepper, tmp_path)
    assert len(pictures) == stepper.count
    first, last = pictures[0][0]["scope-0"], pictures[-1][0]["scope-0"]
    assert "grad" not in "".join(first)
    assert re.fullmatch(r"a¹₁ \S+, grad \S+", last[-1])
    assert all(len(g[0]["scope-0"]) == len(last) for g in pictures)


def test_no_step_touches_a_gradient_and_a_graph_whose_leaves_changed_says_so(tmp_path):
    root = neuron()
    leaf = root.parents[1]
    leaf.grad, leaf.data = 7.0, 5.0
    pictures = written(step_through(root), tmp_path)
    assert leaf.grad == 7.0
    assert all("forward()" in " ".join(below) for _, below, _ in pictures)


def test_labels_that_look_like_xml_and_names_of_many_lines(tmp_path):
    a = Value(2.0, label='<a> & "b"\nθ₁')
    pictures = written(step_through(a * a), tmp_path)
    assert pictures[0][0]["node-0"][:2] == ['<a> & "b"', "θ₁"]


@pytest.mark.parametrize("wrong", ["jpg", "PDF", ".pdf", "", None])
def test_an_unknown_format_is_refused_before_anything_is_made(wrong, tmp_path):
    with pytest.raises((ValueError, TypeError), match="format"):
        step_through(square()).save_steps(tmp_path / "folder", format=wrong)
    assert not (tmp_path / "folder").exists()


def test_pictures_are_replaced_but_not_mixed_with_those_of_a_longer_graph(tmp_path):
    step_through(neuron()).save_steps(tmp_path, "svg")
    before = sorted(os.listdir(tmp_path))
    step_through(neuron()).save_steps(tmp_path, "svg")
    with pytest.raises(FileExistsError, match="is no picture of these 4 steps; remove it, or choose another folder"):
        step_through(square()).save_steps(tmp_path, "svg")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "a").write_text("precious")
    with pytest.raises(NotADirectoryError, match="is no folder"):
        step_through(square()).save_steps(tmp_path / "a", "svg")


def test_a_failure_half_way_writes_nothing(tmp_path, monkeypatch):
    from autograd_mini.views import svg

    calls, write = itertools.count(), svg.write
    monkeypatch.setattr(svg, "write", lambda *a: write(*a) if next(calls) < 2 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        step_through(square()).save_steps(tmp_path / "folder", "svg")
    assert not (tmp_path / "folder").exists()


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        MissingDependencyError, match=r'a PDF needs Matplotlib; run: pip install "autograd-mini\[plot\]"'
    ):
        step_through(square()).save_steps(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_a_graph_that_is_too_large_to_be_read(tmp_path):
    x = Value(1.0)
    with pytest.raises(ValueError, match=r"values and boxes each, more than 400; fold the graph"):
        step_through(sum((x * k for k in range(300)), x)).save_steps(tmp_path, "svg")


@pytest.mark.needs("matplotlib")
def test_as_png(tmp_path):
    paths = step_through(square()).save_steps(tmp_path, "png", scale=1)
    assert [path.read_bytes()[:4] for path in paths] == [b"\x89PNG"] * 4
    assert len({path.read_bytes()[16:24] for path in paths}) == 1, "the slides have to be of one size"


@pytest.mark.slow
@pytest.mark.needs("matplotlib")
def test_as_pdf_twice_the_same(tmp_path):
    one, two = (step_through(square()).save_steps(tmp_path / name) for name in "ab")
    assert [path.name for path in one] == [f"step-00{i}.pdf" for i in (1, 2, 3, 4)]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert len({re.search(rb"/MediaBox [^\]]*", path.read_bytes())[0] for path in one}) == 1


def test_what_is_faint_can_still_be_read():
    from autograd_mini.views.stepper.step_pictures import _FAINT_INK

    assert colours.contrast(_FAINT_INK, colours.PAPER) >= 4.5
