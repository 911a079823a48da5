"""`animated_svg`: what is seen in each step, by a reading of its style sheet; `tests/browser` has a browser's."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

import autograd_mini as ag
from autograd_mini import Parameter, Value
from autograd_mini.engine.value import Constant
from autograd_mini.explanations.steps import backward_steps, forward_steps
from autograd_mini.formulas.expression import format_number
from autograd_mini.views import colours
from autograd_mini.views.stepper.animation import animated_svg

SVG = "{http://www.w3.org/2000/svg}"
HOLD = 4
HOSTILE = [
    "</script><script>alert(1)</script>",
    "</style><script>",
    "</text></svg>",
    "\"'&<>{}|\\",
    "]]>",
    "🎉",
    "x" * 200,
    "two\nlines",
    "\x00\x1b\ud800",
    " ",
]


def neuron():
    w, x, b = Value(0.5, label="w"), Value(-2.0, label="x"), Parameter(0.1, label="b")
    return (w * x + b).tanh()


def records(root):
    """Both passes as the animation has them: constants are no steps."""
    return [
        [step for step in steps(root) if type(step.node) is not Constant or step.node is root]
        for steps in (forward_steps, backward_steps)
    ]


class Player:
    """Reads an animated SVG and says how it looks in the middle of a step."""

    def __init__(self, svg):
        self.root = ET.fromstring(svg)
        self.sheet = "".join(part.text for part in self.root.iter(f"{SVG}style"))
        self.total = float(re.search(r"\.plays \*\{animation:([\d.]+)s step-end 2\}", self.sheet)[1])
        self.keyframes = {
            name: [(float(at), dict(p.split(":") for p in rules.split(";"))) for at, rules in re.findall(_FRAME, body)]
            for name, body in re.findall(r"@keyframes (\w+)\{((?:[\d.]+%\{[^}]*\})+)\}", self.sheet)
        }

    def style(self, part, seconds):
        """The properties of one element at a time: those of the last frames that were passed, with step-end."""
        inline = dict(rule.split(":") for rule in part.get("style", "").split(";") if rule)
        names = ["on"] if part.get("class") == "on" else inline.get("animation-name", "").split(",")
        delay = float(inline.get("animation-delay", "0s")[:-1])
        percent = (seconds - delay) % self.total / self.total * 100
        found = {}
        for name in filter(None, names):
            for at, properties in self.keyframes[name]:
                if at <= percent:
                    found.update(properties)
        return found

    def seen(self, seconds):
        """The texts that are to be seen, by the id of the group they are in; those in none by ''."""
        found = {}

        def walk(part, group):
            if self.style(part, seconds).get("opacity") == "0":
                return
            group = part.get("id", group)
            if part.tag == f"{SVG}text":
                found.setdefault(group, []).append(part.text)
            for child in part:
                walk(child, group)

        walk(self.root, "")
        return found

    def group(self, name):
        return next(part for part in self.root.iter(f"{SVG}g") if part.get("id") == name)

    def lit(self, name, seconds):
        """Whether a node or an edge is marked as the active one."""
        return any(
            self.style(part, seconds).get("opacity") == "1" for part in self.group(name) if part.get("class") == "on"
        )

    def outline(self, name, seconds):
        """The dashes of a node's shape."""
        shape = next(part for part in self.group(name) if part.tag != f"{SVG}text")
        return self.style(shape, seconds).get("stroke-dasharray", "none")


_FRAME = r"([\d.]+)%\{([^}]*)\}"


def play(root, seconds=1.0):
    return Player(animated_svg(root, seconds_per_step=seconds))


# ----------------------------------------------------------------------------------------------- what is seen when


@pytest.mark.parametrize("seconds", [1.0, 0.25])
def test_values_appear_with_the_forward_pass_and_gradients_with_the_backward_pass(seconds):
    root = neuron()
    player, (forward, backward) = play(root, seconds), records(root)
    position = {step.node: k for k, step in enumerate(forward_steps(root))}
    steps = [*forward, *backward]
    assert player.total == (len(steps) + HOLD) * seconds
    for i in range(len(steps) + HOLD):
        seen = player.seen((i + 0.5) * seconds)
        for j, step in enumerate(steps):
            lines = seen[f"node-{position[step.node]}"]
            if j < len(forward):
                assert (f"data {format_number(step.value, 4)}" in lines) == (j <= i), (i, j, lines)
            else:
                assert (f"grad {format_number(step.gradient, 4)}" in lines) == (j <= i), (i, j, lines)


def test_the_active_node_has_an_outline_and_pending_ones_are_dotted():
    root = neuron()
    player, (forward, backward) = play(root), records(root)
    position = {step.node: k for k, step in enumerate(forward_steps(root))}
    for i, active in enumerate([*forward, *backward]):
        for j, step in enumerate(forward):
            name = f"node-{position[step.node]}"
            assert player.lit(name, i + 0.5) == (step.node is active.node)
            assert player.outline(name, i + 0.5) == ("2,3" if j > i else "none")


def test_products_stand_on_the_active_edges():
    x = Value(3.0, label="x")
    player = play(x * x)
    assert [player.lit(f"edge-0-1-{slot}", 3.5) for slot in (0, 1)] == [True, True]
    assert player.seen(3.5)[""][-4:] == ["1·3", "= 3", "1·3", "= 3"]
    assert player.lit("out-1", 3.5)
    for seconds in (0.5, 1.5, 2.5, 4.5):
        assert not player.lit("edge-0-1-0", seconds)
        assert "= 3" not in player.seen(seconds)[""]


def test_local_derivatives_appear_with_the_value_they_are_of():
    player = play(neuron())
    assert "edge-0-2-0" not in player.seen(1.5)
    assert player.seen(2.5)["edge-0-2-0"] == ["-2"]


def test_every_step_has_its_caption():
    root = neuron()
    player, (forward, backward) = play(root), records(root)
    for i, step in enumerate([*forward, *backward]):
        title, *lines = [text for text in player.seen(i + 0.5)[""] if not re.match(r"= |[-\d.()]+·[-\d.()]+$", text)]
        stage = "forward pass" if i < len(forward) else "seed" if i == len(forward) else "backward pass"
        assert title == f"step {i + 1} of {len(forward) + len(backward)}: {stage}"
        rules = step.rules(digits=4) if i >= len(forward) else []
        assert " ".join(lines) == " ".join([step.equation("text", digits=4), *rules])
    assert player.seen(len(forward) + len(backward) + 1)[""] == [
        "both passes are done",
        "L = -0.7163, ∂L/∂w = -0.9738, ∂L/∂x = 0.2435, ∂L/∂b = 0.4869",
    ]


def test_a_colour_comes_with_the_gradient():
    x = Value(3.0, label="x")
    player = play(x * -2.0)
    # Not the outer outline that marks a parameter or an input, which has no fill.
    shape = next(part for part in player.group("node-0") if part.get("fill") not in (None, "none"))
    fills = [player.style(shape, seconds).get("fill") for seconds in (0.5, 2.5, 3.5)]
    assert fills == ["#e8eaeb", "#e8eaeb", shape.get("fill")]
    assert shape.get("fill") == colours.NEGATIVE


# ------------------------------------------------------------------------------------------------- the document


def test_it_needs_no_script_and_nothing_from_elsewhere():
    svg = animated_svg(neuron())
    root = ET.fromstring(svg)
    assert {part.tag.removeprefix(SVG) for part in root.iter()} <= {
        "svg", "title", "set", "style", "g", "rect", "path", "polygon", "ellipse", "text",
    }  # fmt: skip
    assert svg.count("http") == 1  # the namespace
    assert "url(" not in svg
    assert "@import" not in svg
    assert not [key for part in root.iter() for key in part.attrib if key.startswith("on")]


def test_without_animations_it_shows_the_end():
    svg = animated_svg(neuron())
    assert "@media(prefers-reduced-motion:reduce){*{animation-name:none!important}}" in svg
    root = ET.fromstring(svg)
    for part in root.iter():
        assert part.get("opacity") is None
    assert ".on{opacity:0}" in svg  # all else is to be seen
    assert {"both passes are done"} <= {
        text.text for group in root if group.get("class") != "on" for text in group.iter(f"{SVG}text")
    }


def test_ids_are_those_of_the_drawing_and_each_is_there_once(renderer, parse):
    root = neuron()
    drawn = parse(ag.draw(root).pipe("svg"))
    ids = [part.get("id") for part in ET.fromstring(animated_svg(root)).iter() if "id" in part.attrib]
    assert sorted(ids) == sorted([*drawn.nodes, *drawn.edges])


def test_a_neuron_takes_less_than_60_kilobytes():
    w, x = [Parameter(0.1 * i, label=f"w{i}") for i in range(3)], [Value(1.0 + i, label=f"x{i}") for i in range(3)]
    loss = (ag.dot(w, x, Parameter(1.0, label="b")).tanh() - 1) ** 2
    assert len(animated_svg(loss).encode()) < 45_000


def test_the_size_grows_as_the_graph_does():
    sizes = []
    for n in (20, 40):
        leaves = [Value(0.1 * i, label=f"x{i}") for i in range(n)]
        sizes.append(len(animated_svg(ag.functions.sum(leaves))))
    assert sizes[1] < 2.3 * sizes[0]


def test_it_is_the_same_every_time():
    assert animated_svg(neuron()) == animated_svg(neuron())


def test_it_is_the_same_on_every_machine(renderer, monkeypatch):
    here = animated_svg(neuron())
    monkeypatch.setattr("autograd_mini.views.renderers.find", lambda name: pytest.fail("it asked for a program"))
    assert animated_svg(neuron()) == here


# ------------------------------------------------------------------------------------------------- odd graphs


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_text(label):
    x = Value(3.0, label=label)
    svg = animated_svg(x * 2.0)
    svg.encode("utf-8")
    player = Player(svg)
    assert {part.tag.removeprefix(SVG) for part in player.root.iter()} <= {
        "svg", "title", "set", "style", "g", "rect", "path", "polygon", "ellipse", "text",
    }  # fmt: skip
    assert len(player.seen(4.5)["node-0"]) == 3
    assert "<script" not in svg
    assert max(float(text.get("x", 0)) for text in player.root.iter(f"{SVG}text")) < float(player.root.get("width"))


def test_infinities_and_nan():
    x = Value(0.0, label="x")
    player = play((1.0 / x) * x)
    shown = [line for lines in player.seen(100 * player.total + 6.5).values() for line in lines]
    assert "data inf" in shown
    assert "grad nan" in shown
    assert "NaN" not in ET.tostring(player.root, encoding="unicode")
    assert "#c2185b" in ET.tostring(player.root, encoding="unicode")  # the colour of what is no number


@pytest.mark.parametrize("root", [Value(3.0), Constant(3.0), Parameter(3.0, label="w")])
def test_a_root_that_is_a_leaf(root):
    player = play(root)
    name = root.label or "L"
    assert player.total == 2 + HOLD
    assert player.seen(0.5)[""] == ["step 1 of 2: forward pass", f"{name} = 3"]
    assert player.seen(1.5)[""] == ["step 2 of 2: seed", f"∂{name}/∂{name} = 1"]
    assert player.lit("node-0", 1.5)


def test_a_long_caption_is_cut_to_the_width_of_the_drawing():
    leaves = [Value(0.123456 * i, label=f"a_long_name_of_leaf_{i}") for i in range(30)]
    root = ET.fromstring(animated_svg(ag.functions.sum(leaves)))
    captions = [group for group in root if group.tag == f"{SVG}g" and group.get("class") == "on"]
    assert max(len(group) for group in captions) <= 7
    assert any(text.text.endswith("…") for group in captions for text in group)


def test_no_gradient_is_touched_and_none_is_needed():
    x = Value(3.0, label="x")
    x.grad = 7.0
    svg = animated_svg(x * x)
    assert x.grad == 7.0
    assert "grad 6<" in svg
    assert "grad 7<" not in svg


def test_names_come_from_variables():
    a = Value(3.0)
    assert play(a * 2.0, 1.0).seen(0.5)[""] == ["step 1 of 4: forward pass", "v1 = 3"]
    assert "step 1 of 4: forward pass</text><text" in animated_svg(a * 2.0, names={"a": a})
    assert ">a = 3<" in animated_svg(a * 2.0, names={"a": a})


# ----------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan])
def test_a_step_takes_time(seconds):
    with pytest.raises(ValueError, match="seconds_per_step: expected a number above 0, got"):
        animated_svg(neuron(), seconds_per_step=seconds)


@pytest.mark.parametrize("seconds", ["1", None, True])
def test_the_time_of_a_step_is_a_number(seconds):
    with pytest.raises(TypeError, match="seconds_per_step: expected a number of seconds, got"):
        animated_svg(neuron(), seconds_per_step=seconds)


def test_a_graph_that_is_too_large_is_refused_before_it_is_drawn(monkeypatch):
    monkeypatch.setattr("autograd_mini.views.stepper.animation.arrange", lambda *a, **k: pytest.fail("it was drawn"))
    with pytest.raises(ValueError, match=r"shows at most 400 values, and this graph has 501; .*collapse="):
        animated_svg(ag.functions.sum([Value(1.0)] + [Value(float(i)) for i in range(499)]))


def test_something_else_than_a_value_is_refused():
    with pytest.raises(TypeError, match="expected the Value at the root of a graph, got 3"):
        animated_svg(3)
