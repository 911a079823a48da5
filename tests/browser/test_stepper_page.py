"""The stepper in a browser: every step forward and back, the controls, two in a page, and what labels may hold."""

from __future__ import annotations

import json
import math

import pytest

from autograd_mini import Value, log, step_through, where
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.value import Constant
from autograd_mini.formulas.expression import format_number
from autograd_mini.views import page as pages
from browser.stepping import STEPPER, choose, formula, press, read, records, step, texts


def shown(number):
    return format_number(number, 4)


@pytest.mark.parametrize("graph", ["square", "diamond", "network"])
def test_every_step_shows_what_the_records_say(open_page, request, graph):
    root = request.getfixturevalue(graph)
    page = open_page(step_through(root).html())
    order, (forward, backward) = topological_order(root), records(root)
    place = {node: k for k, node in enumerate(order)}
    valued, graded = {n: n.data for n in order if type(n) is Constant}, {}
    for number, record in enumerate([*forward, *backward], start=1):
        if number <= len(forward):
            valued[record.node] = record.value
        else:
            graded[record.node] = record.gradient
        press(page, "ArrowRight")
        seen = texts(page)
        for node in order:
            lines = seen[f"node-{place[node]}"]
            if type(node) is Constant:
                assert lines[-1] == shown(node.data)
                continue
            assert lines[-2] == f"data {shown(valued[node]) if node in valued else '?'}"
            pending = "grad ?" if graded else ""
            assert lines[-1] == (f"grad {shown(graded[node])}" if node in graded else pending)
        assert page.locator(".am-count").text_content() == f"step {number} of {len(forward) + len(backward)}"
    assert step(page) == len(forward) + len(backward)


@pytest.mark.parametrize("graph", ["square", "diamond"])
def test_the_formulas_are_those_of_the_records(open_page, request, graph):
    root = request.getfixturevalue(graph)
    page = open_page(step_through(root).html())
    forward, backward = records(root)
    for record in [*forward, *backward]:
        press(page, "ArrowRight")
        assert formula(page) == read(record.equation("text", pages.DIGITS))
        assert formula(page) in page.locator("[aria-live=polite]").text_content()


def test_the_local_derivatives_stand_on_the_edges_and_both_edges_of_x_times_x_are_there(open_page, square):
    page = open_page(step_through(square).html())
    assert texts(page)["edge-0-1-0"] == [""]
    press(page, "End")
    assert texts(page)["edge-0-1-0"] == texts(page)["edge-0-1-1"] == ["3"]
    assert page.locator(".am-pill text").all_text_contents() == ["3", "3"]


ALL_THAT_IS_SEEN = """() => {
    const ring = document.querySelector(".am-ring"), shapes = "rect, ellipse, path, text";
    const parts = [...document.querySelectorAll("[data-id]")].map(part => [part.className.baseVal,
        ...[...part.querySelectorAll(shapes)].map(shape => shape.style.cssText + shape.textContent)]);
    return JSON.stringify([parts, ring.getAttribute("visibility") === "hidden" ? "" : ring.outerHTML,
        document.querySelector(".am-pills").innerHTML, document.querySelector(".am-panel").innerHTML]);
}"""


def test_going_back_is_exact(open_page, network):
    for grain in ("node", "edge"):
        page = open_page(step_through(network, grain=grain).html())
        count = int(page.locator(".am-count").text_content().split()[-1])

        def look(page=page):
            return page.evaluate(ALL_THAT_IS_SEEN)

        there = [look()]
        for _ in range(count):
            press(page, "ArrowRight")
            there.append(look())
        assert len(set(there)) == count + 1, "every step shows something new"
        for k in reversed(range(count)):
            press(page, "ArrowLeft")
            assert look() == there[k]


def test_by_edge_one_contribution_is_added_at_a_time(open_page):
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    page = open_page(step_through(c + a, grain="edge").html())
    press(page, *["ArrowRight"] * 5)  # a, b, c, L and the base case
    lines = []
    for _ in range(4):
        press(page, "ArrowRight")
        lines.append(formula(page))
    assert lines == [
        "c.grad += ∂L/∂L·∂(c + a)/∂c = 1·1 = 1   [0 → 1]",
        "b.grad += ∂L/∂c·∂(a·b)/∂b = 1·2 = 2   [0 → 2]",
        "a.grad += ∂L/∂L·∂(c + a)/∂a = 1·1 = 1   [0 → 1]",
        "a.grad += ∂L/∂c·∂(a·b)/∂a = 1·(-3) = -3   [1 → -2]",
    ]


def test_by_edge_x_times_x_has_two_contributions(open_page, square):
    page = open_page(step_through(square, grain="edge").html())
    press(page, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    assert formula(page) == "x.grad += ∂L/∂L·∂(x①·x②)/∂x① = 1·3 = 3   [0 → 3]"
    assert texts(page)["node-0"][-1] == "grad 3"
    press(page, "ArrowRight")
    assert formula(page) == "x.grad += ∂L/∂L·∂(x①·x②)/∂x② = 1·3 = 3   [3 → 6]"
    assert texts(page)["node-0"][-1] == "grad 6"


def test_the_grain_may_be_changed_on_the_way(open_page, square):
    page = open_page(step_through(square).html())
    press(page, "End")
    choose(page, "grain", "edge")
    assert (step(page), texts(page)["node-0"][-1]) == (5, "grad 6")
    press(page, "ArrowLeft")
    choose(page, "grain", "node")
    assert step(page) == 4


def test_keys_buttons_and_slider_agree(open_page, neuron):
    page = open_page(step_through(neuron[0]).html())
    press(page, "ArrowRight", "ArrowRight", "ArrowLeft")
    assert step(page) == 1
    press(page, "End")
    assert step(page) == 20
    press(page, "ArrowRight")
    assert step(page) == 20
    press(page, "Home", "ArrowLeft")
    assert step(page) == 0
    for name, after in [("forward", 1), ("forward", 2), ("back", 1), ("last", 20), ("first", 0)]:
        page.click(f"[data-do={name}]")
        assert step(page) == after
    slider = page.get_by_label("step", exact=True)
    slider.fill("7")
    assert step(page) == 7
    slider.press("ArrowRight")
    assert step(page) == 8
    press(page, "ArrowRight")
    assert slider.input_value() == "9"


def test_it_plays_at_the_chosen_speed_and_stops_at_the_end(open_page, square):
    page = open_page(step_through(square).html())
    choose(page, "speed", "4")
    press(page, " ")
    assert page.locator("[data-do=play]").get_attribute("aria-pressed") == "true"
    page.wait_for_selector(f"{STEPPER}[data-step='4']", timeout=10_000)
    page.wait_for_selector("[data-do=play][aria-pressed=false]")
    choose(page, "speed", "1")
    press(page, " ")
    page.wait_for_selector(f"{STEPPER}[data-step='1']")
    press(page, " ")
    before = step(page)
    page.wait_for_timeout(1700)
    assert step(page) == before, "space pauses, too"


def test_no_key_reaches_the_notebook_around_it(open_page, square):
    page = open_page(
        "<script>window.keys = []; addEventListener('keydown', e => keys.push(e.key))</script>"
        + step_through(square).html()
    )
    press(page, "ArrowRight", "a", "Enter", "Escape")
    assert page.evaluate("keys") == []
    assert page.locator(STEPPER).get_attribute("data-lm-suppress-shortcuts") == "true"


def test_pending_active_and_done_are_told_apart_without_colour(open_page, neuron):
    page = open_page(step_through(neuron[0]).html())
    press(page, *["ArrowRight"] * 13)
    dashes = page.evaluate(
        """() => Object.fromEntries(["pending", "done"].map(state => [state, getComputedStyle(
            document.querySelector(`.am-node.am-${state} rect:last-of-type`)).strokeDasharray]))"""
    )
    assert dashes["done"] == "none"
    assert dashes["pending"] != "none"
    active = page.locator(".am-node.am-active").bounding_box()
    ring = page.locator(".am-ring").bounding_box()
    assert page.locator(".am-node.am-active").count() == 1
    assert ring["x"] < active["x"]
    assert ring["x"] + ring["width"] > active["x"] + active["width"]


def test_the_scale_of_the_colours_is_that_of_the_end(open_page, neuron):
    page = open_page(step_through(neuron[0]).html())
    fills = """() => Object.fromEntries([...document.querySelectorAll(".am-node")].map(
        node => [node.dataset.id, node.querySelector("rect:last-of-type").style.fill]))"""
    press(page, "End")
    end = page.evaluate(fills)
    for _ in range(9):
        press(page, "ArrowLeft")
        for name, fill in page.evaluate(fills).items():
            assert fill in ("", end[name])


def test_nothing_moves_while_stepping(open_page, network):
    page = open_page(step_through(network).html())
    # In the drawing, which may follow the step, and in the page.
    where_all_is = """() => [[".am-graph > svg", "[data-id] rect, [data-id] path"],
        [".am-stepper", ".am-bar, .am-graph, .am-panel, .am-what-if, .am-legend"]].flatMap(([whole, parts]) => {
            const { x, y } = document.querySelector(whole).getBoundingClientRect();
            return [...document.querySelectorAll(parts)].map(part => part.getBoundingClientRect()).map(
                here => [here.x - x, here.y - y, here.width, here.height].map(Math.round).join()); }).join(" ")"""
    before = page.evaluate(where_all_is)
    for _ in range(48):
        press(page, "ArrowRight")
        assert page.evaluate(where_all_is) == before


def test_two_outputs_of_one_stepper_work_side_by_side(open_page, square):
    stepper = step_through(square)
    page = open_page(stepper.html() + stepper.html())
    press(page, "ArrowRight", "ArrowRight")
    assert (step(page, 0), step(page, 1)) == (2, 0)
    page.locator(STEPPER).nth(1).press("End")
    assert (step(page, 0), step(page, 1)) == (2, 4)
    assert texts(page, 0)["node-0"][-1] == ""
    assert texts(page, 1)["node-0"][-1] == "grad 6"


def test_the_same_output_may_be_in_a_page_twice(open_page, square):
    html = step_through(square).html()
    page = open_page(html + html)
    press(page, "End")
    assert (step(page, 0), step(page, 1)) == (4, 0)


HOSTILE = [
    "</script><script>window.broken = 1</script>",
    "<!-- <script>",
    "\"quotes\" 'and' `ticks` ${1}",
    "{}|<>&amp;\\N\\l",
    "😀👩‍🔬",
    "x" * 200,
    "two\nlines",
    "\x00\x1b\u2028\ud800",
    "<img src=x onerror='window.broken=1'>",
]


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_label_is_text(open_page, label):
    a, b = Value(2.0, label=label), Value(3.0, label="b")
    root = a * b + a
    page = open_page(step_through(root, what_if=[a]).html())
    press(page, "End")
    page.locator("[data-id=node-0]").dispatch_event("click")
    assert page.evaluate("window.broken") is None
    assert texts(page)["node-0"][-1] == "grad 4"
    assert page.locator(".am-details").is_visible()


def test_nan_and_infinities(open_page):
    a, b = Value(math.nan, label="a"), Value(1e308, label="b")
    root = a + b * 100 + log(Value(0.0, label="zero"))
    page = open_page(step_through(root, what_if=[a, b]).html())
    press(page, "End")
    seen = [lines[1] for name, lines in texts(page).items() if name.startswith("node") and len(lines) > 1]
    assert {"data nan", "data inf", "data -inf"} <= set(seen)
    assert formula(page) != ""
    field = page.get_by_label("value of a, typed")
    field.fill("1")
    field.press("Enter")
    assert texts(page)["node-0"][1] == "data 1"


def test_a_root_that_is_a_leaf(open_page):
    page = open_page(step_through(Value(2.5, label="x")).html())
    press(page, "ArrowRight")
    assert formula(page) == "x=2.5"
    press(page, "ArrowRight", "ArrowRight")
    assert (step(page), formula(page)) == (2, "∂x/∂x=1")


def test_a_leaf_that_the_root_does_not_depend_on(open_page):
    q, x = Value(1.0, label="q"), Value(2.0, label="x")
    page = open_page(step_through(where(q, x * 3, x)).html())
    press(page, "End")
    assert texts(page)["node-0"][-1] == "grad 0"
    page.locator("[data-id=node-0]").dispatch_event("click")
    assert "a condition only chooses" in page.locator(".am-why").text_content()


def test_without_scripts_there_is_a_picture(open_page, neuron):
    page = open_page(step_through(neuron[0]).html(), java_script_enabled=False)
    picture = page.locator(f"{STEPPER} img")
    assert picture.bounding_box()["width"] > 500
    assert "computational graph of L" in picture.get_attribute("alt")
    assert page.locator("svg").count() == 0


def test_a_saved_page_is_whole_and_offline(open_page, tmp_path, neuron):
    stepper = step_through(neuron[0])
    path = stepper.save(tmp_path / "backprop.html")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "default-src 'none'" in text
    page = open_page(text)
    press(page, "End")
    assert step(page) == 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(open_page, scheme, neuron):
    page = open_page(step_through(neuron[0], what_if=[neuron[1]["w1"]]).html(), color_scheme=scheme)
    press(page, *["ArrowRight"] * 14)
    colours = page.evaluate(
        """() => ["--ink", "--soft", "--accent", "--good", "--bad"].map(name =>
            getComputedStyle(document.querySelector(".am-stepper")).getPropertyValue(name))"""
    )
    papers = page.evaluate(
        """() => ["--paper", "--raised"].map(name =>
            getComputedStyle(document.querySelector(".am-stepper")).getPropertyValue(name))"""
    )
    from autograd_mini.views.colours import contrast

    def whole(colour):
        colour = colour.strip()
        return "#" + "".join(sign * 2 for sign in colour[1:]) if len(colour) == 4 else colour

    assert all(contrast(whole(ink), whole(paper)) >= 4.5 for ink in colours for paper in papers)


def test_jupyterlabs_theme_goes_before_the_systems(open_page, square):
    html = step_through(square).html()
    background = "() => getComputedStyle(document.querySelector('.am-stepper')).backgroundColor"
    dark_in_light = open_page(f'<body data-jp-theme-light="false">{html}</body>', color_scheme="light")
    light_in_dark = open_page(f'<body data-jp-theme-light="true">{html}</body>', color_scheme="dark")
    assert dark_in_light.evaluate(background) == "rgb(21, 24, 28)"
    assert light_in_dark.evaluate(background) == "rgb(255, 255, 255)"


def test_the_slider_moves_back_past_a_folded_box(open_page, network):
    page = open_page(step_through(network, collapse="neuron").html())
    press(page, "End")
    slider, before = page.get_by_label("step", exact=True), step(page)
    for _ in range(40):
        slider.press("ArrowLeft")
        assert step(page) < before or before == 0
        before = step(page)
    assert step(page) == 0


def test_nodes_are_reached_by_the_keyboard(open_page, square):
    page = open_page(step_through(square).html())
    page.locator("[data-id=node-0]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator(".am-details b").first.text_content() == "L"
    page.keyboard.press("Escape")
    assert page.locator(".am-details").is_hidden()


def test_the_handle_moves_it_and_hears_of_every_move(open_page, square):
    fed = json.dumps({**step_through(square).payload, "step": 2})
    page = open_page(
        f"""<div id="here"></div><script>(() => {{ {pages.script("stepper")}
        window.moves = [];
        window.handle = mount(document.getElementById("here"), {fed});
        window.quiet = handle.onstep(k => moves.push(k)); }})()</script>"""
    )
    assert step(page) == 2
    press(page, "ArrowRight")
    page.evaluate("() => { handle.goTo(1); handle.goTo(1); handle.goTo(99); }")
    assert page.evaluate("[handle.step, handle.count, moves]") == [4, 4, [3, 1, 4]]
    page.evaluate("() => { quiet(); handle.goTo(0); }")
    assert page.evaluate("moves.length") == 3
    page.evaluate("handle.destroy()")
    assert page.locator("#here").inner_html() == ""
