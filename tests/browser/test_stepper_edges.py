"""The edges of the stepper's drawing: by mouse, finger and keys they tell their local derivative and contribution."""

from __future__ import annotations

import pytest

from autograd_mini import Value, step_through, tanh
from browser.stepping import STEPPER, press, texts


@pytest.fixture
def activation():
    """The root a = tanh(w·x) at z = 0.7."""
    w, x = Value(0.35, label="w"), Value(2.0, label="x")
    z = w * x
    z.label = "z"
    a = tanh(z)
    a.label = "a"
    return a, w


def ask(page, edge):
    page.locator(f"[data-id={edge}]").dispatch_event("click")
    return page.locator(".am-details").text_content()


def middle(page, edge, away=0.0):
    """A point beside the middle of an edge's line, so many pixels away from it."""
    return page.locator(f"[data-id={edge}] path:not(.am-hit)").evaluate(
        """(path, away) => {
            const point = at => path.getPointAtLength(at).matrixTransform(path.getScreenCTM());
            const half = path.getTotalLength() / 2, [a, b, c] = [half - 1, half, half + 1].map(point);
            const length = Math.hypot(c.x - a.x, c.y - a.y);
            return [b.x - away * (c.y - a.y) / length, b.y + away * (c.x - a.x) / length];
        }""",
        away,
    )


def test_a_click_on_an_edge_tells_the_rule_in_names_and_in_numbers(open_page, activation):
    a, _ = activation
    page = open_page(step_through(a).html())
    text = ask(page, "edge-2-3-0")
    assert "tanh′(z) = 1 - a² = 1 - 0.6044² = 0.6347" in text
    assert "∂a/∂a·tanh′(z) = 1·0.6347 = 0.6347" in text
    text = ask(page, "edge-0-2-0")
    assert "∂(w·x)/∂w = x = 2" in text
    assert "∂a/∂z·∂(w·x)/∂w = 0.6347·2 = 1.269, the whole gradient of w." in text
    press(page, "End")
    assert texts(page)["edge-2-3-0"] == ["0.6347"]


def test_a_step_has_the_same_line(open_page, activation):
    page = open_page(step_through(activation[0]).html())
    line = "tanh′(z) = 1 - a² = 1 - 0.6044² = 0.6347"
    seen = []
    for _ in range(8):
        press(page, "ArrowRight")
        seen.append(page.locator(".am-locals > div").all_text_contents())
    assert seen == [[], [], ["∂(w·x)/∂w = x = 2", "∂(w·x)/∂x = w = 0.35"], [line], [], [line],
                    ["∂(w·x)/∂x = w = 0.35"], ["∂(w·x)/∂w = x = 2"]]  # fmt: skip


def test_a_moved_leaf_fills_the_rule_anew(open_page, activation):
    a, w = activation  # then z = -0.4
    page = open_page(step_through(a, what_if=[w]).html())
    ask(page, "edge-2-3-0")
    field = page.get_by_label("value of w, typed")
    field.fill("-0.2")
    field.press("Enter")
    line = "tanh′(z) = 1 - a² = 1 - (-0.3799)² = 0.8556"
    assert line in page.locator(".am-details").text_content()


def test_edges_are_hit_beside_the_line(open_page, square):
    page = open_page(step_through(square).html())
    for edge, by in [("edge-0-1-0", "①"), ("edge-0-1-1", "②")]:
        for away in (0.0, 4.0, -4.0):
            page.mouse.click(*middle(page, edge, away))
            assert f"/∂x{by} = x = 3" in page.locator(".am-details").text_content(), (edge, away)
            page.keyboard.press("Escape")
    root = tanh(Value(0.7, label="z"))
    page = open_page(step_through(root).html())
    for away in (-11.0, 11.0):
        page.mouse.click(*middle(page, "edge-0-1-0", away))
        assert "tanh′(z)" in page.locator(".am-details").text_content(), "a target of 24 pixels"
        page.keyboard.press("Escape")


def test_edges_are_tapped_on_a_phone(open_page, square):
    page = open_page(step_through(square).html(), viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("[data-id=edge-0-1-1]").scroll_into_view_if_needed()
    page.touchscreen.tap(*middle(page, "edge-0-1-1"))
    assert "/∂x② = x = 3" in page.locator(".am-details").text_content()


def test_edges_are_reached_by_keys(open_page, activation):
    page = open_page(step_through(activation[0]).html())
    page.locator("[data-id=node-2]").focus()
    page.keyboard.press("Shift+Tab")
    focused = "document.activeElement.dataset.id"
    assert page.evaluate(focused) == "edge-2-3-0", "from a node, the edge that leaves it"
    seen = "getComputedStyle(document.activeElement.querySelector('.am-hit')).visibility"
    assert page.evaluate(seen) == "visible"
    page.keyboard.press("Enter")
    assert "tanh′(z)" in page.locator(".am-details").text_content()
    page.keyboard.press("Escape")
    assert page.locator(".am-details").is_hidden()
    assert page.evaluate(focused) == "edge-2-3-0"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "edge-1-2-1"
    page.keyboard.press("Enter")
    assert "∂(w·x)/∂x = w = 0.35" in page.locator(".am-details").text_content()
    assert page.locator(STEPPER).get_attribute("data-step") == "0", "a step isn't taken"
    assert "Tab reaches the edges and the nodes" in page.locator(".am-legend").text_content()


def test_from_a_node_to_its_edge_and_back_by_escape(open_page, activation):
    page = open_page(step_through(activation[0]).html())
    page.locator("[data-id=node-0]").focus()
    page.keyboard.press("Enter")
    page.locator(".am-details .am-link").focus()
    page.keyboard.press("Enter")
    assert "w → z" in page.locator(".am-details").text_content()
    page.locator(".am-close").focus()
    page.keyboard.press("Escape")
    assert page.locator(".am-details").is_hidden()
    assert page.evaluate("document.activeElement.dataset.id") == "edge-0-2-0"


@pytest.mark.parametrize("make", [lambda x: x**2, lambda x: x * 2 + 1, lambda x: 3 / x], ids=["power", "line", "share"])
def test_a_constant_has_no_gradient_no_line_and_no_number_on_its_edge(open_page, make):
    root = make(Value(-2.0, label="x"))
    page = open_page(step_through(root).html())
    constants = [k for k, node in enumerate(step_through(root).payload["nodes"]) if node["kind"] == "constant"]
    for _ in range(8):
        press(page, "ArrowRight")
        shown = page.locator(STEPPER).text_content()
        assert "nan" not in shown
        assert "–" not in shown
        for name, lines in texts(page).items():
            if name.startswith("edge") and int(name.split("-")[1]) in constants:
                assert "".join(lines) == ""
                assert page.locator(f"[data-id={name}]").get_attribute("tabindex") is None
    for k in constants:
        page.locator(f"[data-id=node-{k}]").dispatch_event("click")
        details = page.locator(".am-details").text_content()
        assert "nobody asks for its gradient" in details
        assert "∂" not in details
        assert "grad " not in details


def test_an_edge_into_a_box_tells_all_that_it_stands_for(open_page, network):
    page = open_page(step_through(network, collapse="layer").html())
    page.locator("[data-id^=edge-node][data-id$=scope-0]").first.dispatch_event("click")
    text = page.locator(".am-details").text_content()
    assert "3 edges into a box" in text
    assert text.count("one of the 3 to the gradient of x₁") == 3
