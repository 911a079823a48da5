"""The style of a drawing: themes, which numbers there are, blanks to fill in; in our own layout and in DOT."""

from __future__ import annotations

import re

import pytest

from autograd_mini import Parameter, Value, draw, tanh
from autograd_mini.cli.main import main
from autograd_mini.nn import MLP
from autograd_mini.views import colours

THEMES = ("screen", "print", "dark")


def neuron():
    w, x, b = Parameter(0.53712, label="w"), Value(2.2913, label="x"), Parameter(0.1379, label="b")
    root = tanh(w * x + b)
    root.label = "a"
    root.backward()
    return root


def nodes_of(root):
    found, todo = [], [root]
    while todo:
        node = todo.pop()
        found.append(node)
        todo += node.parents
    return found


def numbers(root, what):
    """Return the first digits of all numbers of one kind, but for 0 and 1, which stand in many places."""
    if what == "local":
        found = [number for node in nodes_of(root) for number in node.local_grads]
    else:
        found = [getattr(node, what) for node in nodes_of(root)]
    return {f"{number:.3f}"[:5] for number in found if number not in (0.0, 1.0)}


def coloured(svg):
    """Return the colours in a text that are neither black, white nor grey."""
    return {c for c in re.findall(r"#[0-9a-f]{6}", svg) if not c[1:3] == c[3:5] == c[5:7]}


@pytest.mark.parametrize("blank", [("grad",), ("local", "data"), ("data", "grad", "local"), "grad"])
def test_what_is_blank_stands_nowhere_in_the_file(blank, builtin):
    root = neuron()
    drawing = draw(root, blank=blank)
    for text in (drawing.source, drawing.pipe("svg", encoding="utf-8"), drawing._repr_html_()):
        for what in (blank,) if isinstance(blank, str) else blank:
            others = {n for other in {"data", "grad", "local"} - {*blank, blank} for n in numbers(root, other)}
            for number in numbers(root, what) - others:
                assert number not in text, f"{what} {number} is still there"


def test_every_blank_has_one_length_and_the_colours_of_gradients_are_gone(builtin, parse):
    drawn = parse(draw(neuron(), blank=("grad", "local")).pipe("svg"))
    texts = [text for group in [*drawn.nodes.values(), *drawn.edges.values()] for text in group.texts]
    assert {len(run) for text in texts for run in re.findall("_+", text)} == {8}
    values = [group for name, group in drawn.nodes.items() if name.startswith("node-")]
    assert {fill for group in values for fill in group.fills} <= {colours.ZERO, "none"}
    assert drawn.edges["edge-0-2-0"].texts == ["________"]
    assert "=" not in drawn.edges["edge-0-2-0"].tooltip


def test_a_rule_is_blank_too_where_it_gives_the_number_away(builtin, parse):
    x = Value(3.0, label="x")
    drawn = parse(draw(x * 17.25, blank="local").pipe("svg"))
    assert drawn.edges["edge-0-2-0"].tooltip == "∂(x·17.25)/∂x"


def test_what_is_not_shown_is_not_in_the_file(builtin, parse):
    root = neuron()
    drawing = draw(root, show=("data",))
    assert "grad" not in drawing.source.replace("gradient", "")
    drawn = parse(drawing.pipe("svg"))
    assert drawn.nodes["node-0"].texts == ["w", "data 0.5371"]
    assert not any(group.texts for group in drawn.edges.values())
    assert parse(draw(root, show=()).pipe("svg")).nodes["node-0"].texts == ["w"]


@pytest.mark.parametrize("thing", [neuron, lambda: MLP(2, [2, 1], rng=0)], ids=["graph", "network"])
def test_print_is_black_on_white(thing, builtin):
    drawing = draw(thing(), theme="print")
    svg = drawing.pipe("svg", encoding="utf-8")
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) == {"#000000", "#ffffff"}
    assert not coloured(drawing.source)


@pytest.mark.parametrize("thing", [neuron, lambda: MLP(2, [2, 1], rng=0)], ids=["graph", "network"])
def test_text_can_be_read_in_the_dark_theme(thing, builtin, parse):
    drawn = parse(draw(thing(), theme="dark").pipe("svg"))
    paper = colours.THEMES["dark"].paper
    assert any(part.get("fill") == paper for part in drawn.root.iter())
    for group in drawn.nodes.values():
        fill = group.shapes[-1].get("fill")
        ink = next(part.get("fill") for part in drawn.root.iter() if part.text == group.texts[-1])
        assert colours.contrast(fill, ink) >= 4.5, group.id
    theme = colours.THEMES["dark"]
    assert colours.contrast(theme.label_ink, theme.label_paper) >= 4.5
    assert colours.contrast(theme.line, paper) >= 3


def test_a_note_is_in_the_colour_of_the_theme(builtin):
    root = neuron()
    root.parents[0].parents[1].data = 7.0
    for theme in ("print", "dark"):
        drawing = draw(root, theme=theme)
        assert re.search(f'graph .*fontcolor="{colours.THEMES[theme].text}"', drawing.source)
        assert re.search(f'fill="{colours.THEMES[theme].text}"[^>]* text-anchor="start"', drawing.pipe().decode())


def test_the_default_is_the_screen_with_all_numbers():
    root = neuron()
    assert draw(root).source == draw(root, theme="screen", digits=4, show=("data", "grad", "local"), blank=()).source
    assert 'bgcolor="#' not in draw(root).source


def test_a_network_leaves_its_weights_blank_and_takes_the_digits_it_is_given(builtin, parse):
    model = MLP(2, [2, 1], rng=0)
    weights = [weight.data for layer in model.layers for n in layer.neurons for weight in n.weights]
    drawing = draw(model, blank="data")
    assert not [w for w in weights if f"{abs(w):.3f}"[:5] in drawing.source]
    drawn = parse(drawing.pipe("svg"))
    lines = [group.shapes[0] for name, group in drawn.edges.items() if name.startswith("weight")]
    assert len({(line.get("stroke"), line.get("stroke-width")) for line in lines}) == 1
    assert parse(draw(model, digits=6).pipe("svg")).edges["weight-0-0-0"].texts == [f"{weights[0]:.6g}"]
    assert parse(draw(model).pipe("svg")).edges["weight-0-0-0"].texts == [f"{weights[0]:.3g}"]


def test_folded_nodes_have_blanks(builtin, parse):
    x = Value(2.0, label="x")
    root = MLP(1, [2, 1], rng=0)([x])
    root = root[0] if isinstance(root, list) else root
    root.backward()
    drawn = parse(draw(root, collapse="layer", blank=("data", "grad")).pipe("svg"))
    listed = [text for name, group in drawn.nodes.items() if name.startswith("scope") for text in group.texts[2:]]
    assert listed
    assert all(text.endswith(" ________, grad ________") for text in listed)


@pytest.mark.needs("dot")
@pytest.mark.parametrize("theme", THEMES)
def test_graphviz_draws_each_theme_with_blanks(theme, monkeypatch, parse):
    monkeypatch.setenv("AUTOGRAD_MINI_RENDERER", "dot")
    drawn = parse(draw(neuron(), theme=theme, blank=("grad", "local"), rankdir="TB").pipe("svg"))
    assert drawn.nodes["node-0"].texts == ["w", "data 0.5371", "grad ________"]
    assert drawn.edges["edge-0-2-0"].texts == ["________"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"theme": "black"}, "theme: expected one of screen, print, dark, got 'black'"),
        ({"show": ("value",)}, "show: expected one of data, grad, local, got 'value'"),
        ({"blank": "grads"}, "blank: expected one of data, grad, local, got 'grads'"),
        ({"show": "data", "blank": "grad"}, "blank: 'grad' isn't shown"),
    ],
)
def test_bad_styles_say_what_there_is(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(neuron(), **options)


def test_a_network_has_only_data_to_leave_blank():
    with pytest.raises(ValueError, match="blank: the picture of a network has no 'grad', only data"):
        draw(MLP(2, [1], rng=0), blank="grad")
    with pytest.raises(TypeError, match="show: expected a sequence of data, grad, local"):
        draw(neuron(), show=3)


def test_the_command_line_draws_a_handout(tmp_path, capsys):
    path = tmp_path / "handout.svg"
    command = ["draw", "w*x", "w=0.537", "x=2.29", "--theme", "print", "--blank", "grad", "--blank", "local"]
    assert main([*command, "--rankdir", "TB", "--digits", "2", "-o", str(path)]) == 0
    svg = path.read_text(encoding="utf-8")
    assert "grad ________" in svg
    assert "data 0.54" in svg
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) == {"#000000", "#ffffff"}
    assert main(["draw", "w*x", "w=1", "x=2", "--theme", "sepia", "-o", str(path)]) != 0
    assert "screen" in capsys.readouterr().err
