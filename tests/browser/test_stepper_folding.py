"""Folded boxes, large graphs, and how much of the page a step changes."""

from __future__ import annotations

import pytest

from autograd_mini import Value, step_through, tanh
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.engine.graph import topological_order
from autograd_mini.formulas.expression import format_number
from autograd_mini.nn import MLP
from autograd_mini.views.page import packed
from browser.stepping import STEPPER, choose, formula, press, step, texts


def test_a_folded_box_shows_its_values_and_gradients(open_page, network):
    page = open_page(step_through(network, collapse="neuron").html())
    press(page, "End")
    order, grads = topological_order(network), gradients(network)
    z = next(n for n in order if n.label == "z" and n.scope == "layers.0.neurons.1")
    lines = texts(page)["scope-1"]
    assert lines[0] == "layer 1, neuron 2"
    assert f"z¹₂ {format_number(z.data, 4)}, grad {format_number(grads[z], 4)}" in lines


def test_what_happens_inside_of_a_box_is_one_step(open_page, network):
    page = open_page(step_through(network, collapse="neuron").html())
    stops, seen = [0], set()
    for _ in range(100):
        press(page, "ArrowRight")
        if step(page) == stops[-1]:
            break
        stops.append(step(page))
        seen.add(str(texts(page)))
    # x1 x2, four boxes, v1, L; L, v1, four boxes, x1 x2
    assert len(stops) == 1 + 8 + 8
    assert len(seen) == 16, "each shows something new"
    for stop in reversed(stops[:-1]):
        press(page, "ArrowLeft")
        assert step(page) == stop


def test_the_sum_of_contributions_stands_on_the_edge_into_a_box(open_page, network):
    page = open_page(step_through(network, collapse="layer").html())
    press(page, "End")
    grads = gradients(network)
    last = page.locator(".am-node.am-active").get_attribute("data-id")
    node = topological_order(network)[int(last.split("-")[1])]
    assert page.locator(".am-pill text").all_text_contents() == [format_number(grads[node], 4)]


def test_a_click_on_a_box_lists_what_is_in_it_and_unfolds(open_page, network):
    page = open_page(step_through(network, collapse="neuron").html())
    press(page, "End")
    page.locator("[data-id=scope-0]").dispatch_event("click")
    text = page.locator(".am-details").text_content()
    assert "5 nodes folded into a box" in text
    assert "Σ of contributions" in text
    page.click("text=Unfold all")
    assert page.locator("[data-id^=scope]").count() == 0
    assert page.get_by_label("fold").input_value() == "0"
    assert texts(page)["node-8"][1].startswith("data ")


def scopes(page):
    return [lines[0] for name, lines in texts(page).items() if name.startswith("scope")]


def test_one_box_is_opened_while_the_others_stay_folded(open_page, network):
    page = open_page(step_through(network, collapse="neuron").html())
    press(page, *["ArrowRight"] * 12)
    before = step(page)
    page.locator("[data-id=scope-1]").dispatch_event("click")
    page.get_by_role("button", name="Unfold", exact=True).click()
    page.wait_for_function("document.querySelectorAll('[data-id^=scope]').length === 3")
    assert scopes(page) == ["layer 1, neuron 1", "layer 1, neuron 3", "layer 2, neuron 1"]
    assert step(page) >= before, "the steps inside of a box were one; now each is one"
    assert page.get_by_label("fold").locator("option:checked").text_content() == "neurons but layer 1, neuron 2"
    order = topological_order(network)
    inside = [n for n in order if n.scope == "layers.0.neurons.1"]
    assert [n.label for n in inside] == ["z", "a"]
    press(page, "End")
    grads = gradients(network)
    for node in inside:
        shown = texts(page)[f"node-{order.index(node)}"]
        assert shown == [shown[0], f"data {format_number(node.data, 4)}", f"grad {format_number(grads[node], 4)}"]
    page.locator(f"[data-id=node-{order.index(inside[0])}]").dispatch_event("click")
    page.get_by_role("button", name="Fold layer 1, neuron 2").click()
    assert len(scopes(page)) == 4
    assert page.get_by_label("fold").input_value() == "1"


def test_from_one_open_box_to_another(open_page, network):
    page = open_page(step_through(network, collapse="neuron").html())
    for box, closed in [(0, "layer 1, neuron 2"), (0, "layer 1, neuron 1"), (2, "layer 1, neuron 3")]:
        page.locator(f"[data-id=scope-{box}]").dispatch_event("click")
        page.get_by_role("button", name="Unfold", exact=True).click()
        page.wait_for_function("document.querySelectorAll('[data-id^=scope]').length === 3")
        page.wait_for_timeout(50)
        assert closed in scopes(page)


def test_an_open_layer_shows_its_neurons(open_page, network):
    page = open_page(step_through(network, collapse="layer").html())
    assert scopes(page) == ["layer 1", "layer 2"]
    page.locator("[data-id=scope-0]").dispatch_event("click")
    page.get_by_role("button", name="Unfold", exact=True).click()
    page.locator("[data-id=scope-3]").wait_for()
    assert scopes(page) == [*[f"layer 1, neuron {i}" for i in (1, 2, 3)], "layer 2"]
    page.locator("[data-id=scope-3]").dispatch_event("click")
    page.get_by_role("button", name="Unfold", exact=True).click()
    page.wait_for_function("document.querySelectorAll('[data-id^=scope]').length === 1")
    assert scopes(page) == ["layer 1"], "of one neuron a layer shows the nodes"
    stops = [step(page)]
    for _ in range(60):
        press(page, "ArrowRight")
        stops.append(step(page))
    assert stops[-1] == stops[-2]
    assert len(set(stops)) > 20


def test_boxes_open_one_by_one_where_the_page_stays_small():
    sizes = {}
    for widths in ([3, 1], [8, 8, 1], [12, 8, 9, 1]):
        fed = step_through(MLP(2, widths, "tanh", rng=0)([0.1, 0.2])).payload
        sizes[tuple(widths)] = [view["opened"] for view in fed["opened"]]
        assert len(packed(fed["opened"])) < 60_000
    assert len(sizes[3, 1]) == 4 + 2
    assert sizes[8, 8, 1] == ["layer 1", "layer 2", "layer 3"]
    assert sizes[12, 8, 9, 1] == ["layer 1", "layer 2", "layer 3", "layer 4"]


def test_folding_keeps_the_step(open_page, network):
    page = open_page(step_through(network).html())
    press(page, *["ArrowRight"] * 26)  # the gradient of v1, which is in no box
    line = formula(page)
    for fold in ("2", "1", "0"):
        choose(page, "fold", fold)
        assert (step(page), formula(page)) == (26, line)


def changes(page, steps):
    """How many changes to the page each of so many steps forward makes."""
    return page.evaluate(
        """steps => { const counts = [], stepper = document.querySelector(".am-stepper");
            const observer = new MutationObserver(() => {});
            observer.observe(stepper, { subtree: true, childList: true, attributes: true, characterData: true });
            for (let i = 0; i < steps; i++) {
                stepper.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
                counts.push(observer.takeRecords().length);
            }
            return counts; }""",
        steps,
    )


def test_a_step_among_300_nodes_changes_what_it_concerns_alone(open_page):
    root = MLP(2, [12, 8, 9, 1], "tanh", rng=0)([0.1, 0.2])
    count = len(topological_order(root))
    assert 290 <= count <= 320
    page = open_page(step_through(root).html())
    assert page.locator("[data-id^=node]").count() == count
    assert page.locator(".am-stepper *").count() > 4000
    counts = sorted(changes(page, 2 * count))
    assert counts[0] > 0
    assert counts[int(len(counts) * 0.98)] < 200, "but where the backward pass begins, which all nodes show"


def test_2000_nodes_are_usable_folded(open_page):
    root = (MLP(8, [40, 30, 10, 1], "tanh", rng=0)([0.1 * i for i in range(8)]) - 1) ** 2
    assert len(topological_order(root)) > 2000
    stepper = step_through(root)
    page = open_page(stepper.html())
    assert page.get_by_label("fold").locator("option").all_text_contents() == ["neurons", "layers"]
    assert page.locator(".am-stepper *").count() < 1500, "what is folded isn't in the page"
    counts = changes(page, 30)
    assert min(counts) > 0
    assert max(counts) < 200
    press(page, "End")
    assert page.locator(".am-count").text_content().endswith("of 4164")
    assert page.locator(".am-pending").count() == 0
    before = step(page)
    choose(page, "fold", "0")
    assert page.locator("[data-id^=scope]").count() == 81
    press(page, "ArrowLeft")
    assert step(page) < before


def test_a_large_graph_by_hand_that_cannot_be_folded_is_refused():
    root = Value(1.0)
    for _ in range(300):
        root = root * Value(1.01) + 1
    with pytest.raises(ValueError, match=r"the drawing would have 1201 values and boxes, more than 400; compute parts"):
        step_through(root).html()


def test_a_neurons_stepper_is_under_60_kilobytes(neuron):
    root, leaves = neuron
    html = step_through(root, what_if=[leaves["w1"], leaves["w2"], leaves["b"]]).html()
    print(f"{len(html.encode()) / 1000:.1f} kB")
    assert len(html.encode()) < 60_000


def test_the_active_node_is_brought_into_view(open_page):
    root = Value(0.5, label="x")
    for _ in range(40):
        root = tanh(root)
    page = open_page(step_through(root).html())
    before = page.evaluate("scrollY")
    for key in ("End", "Home", "ArrowRight", "End"):
        press(page, key)
        if key != "Home":
            active = page.locator(".am-node.am-active").bounding_box()
            shown = page.locator(".am-graph").bounding_box()
            assert shown["x"] - 1 <= active["x"] + active["width"] / 2 <= shown["x"] + shown["width"] + 1
    assert page.evaluate("scrollY") == before
    assert page.locator(STEPPER).count() == 1
