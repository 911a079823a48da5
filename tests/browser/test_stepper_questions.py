"""What a reader can ask of the stepper: why a gradient is what it is, guessing it, and what if a leaf were other."""

from __future__ import annotations

import pytest

from autograd_mini import Parameter, Value, relu, sigmoid, step_through, tanh
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.formulas.expression import format_number
from autograd_mini.nn import MLP
from browser.stepping import STEPPER, choose, formula, press, step, texts


def ask(page, node):
    page.locator(f"[data-id={node}]").dispatch_event("click")
    return page.locator(".am-details")


# ------------------------------------------------------------------------------------------------ why


def test_a_click_writes_out_every_path_to_the_root(open_page):
    x = Value(3.0, label="x")
    y = x * x
    y.label = "y"
    page = open_page(step_through(y + x).html())
    details = ask(page, "node-0")
    assert "3 paths lead from it to the root" in details.text_content()
    assert page.locator(".am-paths > div").all_text_contents() == [
        "∂(y + x)/∂x = 1",
        "+ ∂(y + x)/∂y·∂(x①·x②)/∂x① = 1·3 = 3",
        "+ ∂(y + x)/∂y·∂(x①·x②)/∂x② = 1·3 = 3",
    ]
    assert "Sum: ∂L/∂x = 1 + 3 + 3 = 7" in details.text_content()
    assert "≈ 7; gradient 7" in page.locator(".am-difference").text_content()


def test_the_paths_to_the_root_are_lit_and_the_rest_is_dimmed(open_page):
    a, b, c = Value(2.0, label="a"), Value(3.0, label="b"), Value(4.0, label="c")
    page = open_page(step_through((a * b) + c * 2).html())
    ask(page, "node-0")
    dimmed = set(page.locator(".am-dim").evaluate_all("all => all.map(part => part.dataset.id)"))
    assert {"node-1", "node-3", "op-5", "edge-1-2-1", "edge-3-5-0", "out-5"} <= dimmed
    assert dimmed.isdisjoint({"node-0", "op-2", "node-2", "op-6", "node-6", "edge-0-2-0", "edge-2-6-0", "out-2"})
    ask(page, "node-0")
    assert page.locator(".am-dim").count() == 0
    assert page.locator(".am-details").is_hidden()


def test_many_paths_are_counted_and_not_walked(open_page):
    y = Value(1.0, label="x")
    for _ in range(60):
        y = y + y
    page = open_page(step_through(y).html())
    text = ask(page, "node-0").text_content()
    assert f"{format_number(2.0**60, 6)} paths lead" in text
    assert "more paths. The backward pass walks none of them twice" in text
    assert page.locator(".am-paths > div").count() <= 6


def zero_factor():
    w, x = Value(2.0, label="w"), Value(0.0, label="x")
    return w * x + 1


WHY = [
    (lambda: relu(Value(-2.0, label="z")) + 1, "Why zero?", "dead ReLU: its input z = -2 isn't positive"),
    (zero_factor, "Why zero?", "zero factor: w is multiplied by x = 0"),
    (lambda: tanh(Value(400.0, label="z")) + 1, "Why zero?", "saturated tanh: at z = 400 the curve is flat"),
    (lambda: sigmoid(Value(-5.0, label="z")) + Value(1.0), "Why so small?", "saturated sigmoid: at z = -5"),
    (lambda: (lambda x: x - x)(Value(1.0, label="x")), "Why zero?", "the contributions to x cancel out"),
    (lambda: relu(Value(1.0, label="u") * -3) * 5, "Why zero?", "dead ReLU: its input v1 = -3"),
]


@pytest.mark.parametrize(("make", "question", "reason"), WHY, ids=[reason[:12] for _, _, reason in WHY])
def test_why_a_gradient_is_zero(open_page, make, question, reason):
    page = open_page(step_through(make()).html())
    ask(page, "node-0")
    why = page.locator(".am-why").text_content()
    assert question in why
    assert reason in why


def test_nothing_is_asked_where_nothing_is_zero(open_page, square):
    page = open_page(step_through(square).html())
    ask(page, "node-0")
    assert page.locator(".am-why").count() == 0


# --------------------------------------------------------------------------------------------- predict


def answer(page, text):
    page.get_by_label("your answer").fill(text)
    page.keyboard.press("Enter")


def test_a_gradient_is_asked_for_before_it_is_shown(open_page, square):
    page = open_page(step_through(square).html())
    page.click("[data-do=predict]")
    press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    assert step(page) == 3, "there is nothing to guess in the forward pass and in the base case"
    press(page, "ArrowRight")
    assert step(page) == 3
    assert formula(page).endswith("=?")
    assert texts(page)["node-0"][-1] == "grad ?"
    assert page.locator(".am-pill").count() == 0
    answer(page, "what")
    assert "Type a number" in page.locator(".am-verdict").text_content()
    answer(page, "6.05")
    assert "✓ Right: it is 6." in page.locator(".am-verdict").text_content()
    assert "Right" in page.locator("[aria-live=polite]").text_content()
    assert step(page) == 4
    assert texts(page)["node-0"][-1] == "grad 6"
    assert page.locator(".am-score").text_content() == "1 of 1 right"


def test_a_wrong_guess_is_told_and_the_truth_is_shown(open_page, square):
    page = open_page(step_through(square).html())
    page.click("[data-do=predict]")
    press(page, *["ArrowRight"] * 4)
    answer(page, "3")
    assert "you said 3, it is 6" in page.locator(".am-verdict").text_content()
    assert page.locator(".am-score").text_content() == "0 of 1 right"
    assert step(page) == 4


def test_a_guess_may_be_skipped_or_left(open_page, square):
    page = open_page(step_through(square).html())
    page.click("[data-do=predict]")
    press(page, *["ArrowRight"] * 4)
    page.keyboard.press("Escape")
    assert page.locator(".am-question").is_hidden()
    press(page, "ArrowRight")
    page.click("text=Show me")
    assert (step(page), page.locator(".am-score").text_content()) == (4, "0 of 0 right")


def test_by_edge_the_contribution_is_asked_for(open_page, square):
    page = open_page(step_through(square, grain="edge").html())
    page.click("[data-do=predict]")
    press(page, *["ArrowRight"] * 4)
    assert "Your turn: ∂L/∂L·∂(x①·x②)/∂x① = " in page.locator(".am-question").text_content()
    answer(page, "3")
    assert "Right" in page.locator(".am-verdict").text_content()
    press(page, "ArrowRight")
    answer(page, "9")
    assert page.locator(".am-score").text_content() == "1 of 2 right"


def test_playing_waits_for_the_answer(open_page, square):
    page = open_page(step_through(square).html())
    choose(page, "speed", "4")
    page.click("[data-do=predict]")
    press(page, " ")
    page.wait_for_selector(".am-question:visible")
    assert page.locator("[data-do=play]").get_attribute("aria-pressed") == "false"


# --------------------------------------------------------------------------------------------- what if


def move(page, name, value):
    slider = page.get_by_label(f"value of {name}", exact=True)
    slider.evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", str(value)
    )


def test_a_slider_computes_both_passes_again(open_page, neuron):
    root, leaves = neuron
    before = root.data
    by_w1 = gradients(root)[leaves["w1"]]
    page = open_page(step_through(root, what_if=[leaves["w1"], leaves["b"]]).html())
    press(page, "End")
    move(page, "w1", -2.75)
    leaves["w1"].data = -2.75
    root.forward()
    after = gradients(root)
    seen = texts(page)
    for k, node in enumerate(after):
        assert seen[f"node-{k}"][-2:] == [
            f"data {format_number(node.data, 4)}",
            f"grad {format_number(after[node], 4)}",
        ]
    result = page.locator(".am-result").text_content()
    assert f"{format_number(before, 4)} → {format_number(root.data, 4)}" in result
    assert f"grad·Δ = {format_number(by_w1 * 0.25, 4)}" in result
    assert f"true change = {format_number(root.data - before, 4)}" in result
    page.click("[data-do=reset]")
    assert page.locator(".am-result").text_content() == f"L = {format_number(before, 4)}"


def test_a_value_may_be_typed(open_page, neuron):
    root, leaves = neuron
    page = open_page(step_through(root, what_if=[leaves["b"]]).html())
    press(page, "End")
    field = page.get_by_label("value of b, typed")
    field.fill("100")
    field.press("Enter")
    assert "data 1" in texts(page)["node-9"]
    assert page.get_by_label("value of b", exact=True).input_value() == "100"


def test_a_number_that_is_wider_than_its_node_keeps_its_digits(open_page, square):
    page = open_page(step_through(square, what_if=[square.parents[0]]).html())
    press(page, "End")
    field = page.get_by_label("value of x, typed")
    field.fill("-0.000012345678")
    field.press("Enter")
    assert texts(page)["node-0"][1:] == ["data -1.235e-05", "grad -2.469e-05"]
    assert texts(page)["edge-0-1-0"] == ["-1.235e-05"]
    node = page.locator("[data-id=node-0]")
    box, text = node.locator("rect").last.bounding_box(), node.locator("text").nth(1).bounding_box()
    assert box["x"] <= text["x"]
    assert text["x"] + text["width"] <= box["x"] + box["width"]


def test_one_step_of_gradient_descent(open_page):
    loss = (MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]) - 1.0) ** 2
    before, grads = loss.data, gradients(loss)
    page = open_page(step_through(loss, lr=0.01).html())
    page.click("[data-do=sgd]")
    for node, grad in grads.items():
        if isinstance(node, Parameter):
            node.data -= 0.01 * grad
    loss.forward()
    result = page.locator(".am-result").text_content()
    assert f"L: {format_number(before, 4)} → {format_number(loss.data, 4)}" in result
    assert "1 update" in result
    page.get_by_label("learning rate η").fill("0.02")
    grads = gradients(loss)
    page.click("[data-do=sgd]")
    for node, grad in grads.items():
        if isinstance(node, Parameter):
            node.data -= 0.02 * grad
    middle = loss.data
    loss.forward()
    result = page.locator(".am-result").text_content()
    assert f"L: {format_number(middle, 4)} → {format_number(loss.data, 4)}" in result
    assert "2 updates" in result


def test_without_parameters_and_leaves_to_move_there_is_no_button(open_page, square):
    page = open_page(step_through(square).html())
    assert page.locator("[data-do=sgd]").count() == 0
    assert page.locator(".am-what-if").count() == 0


def test_only_the_chosen_leaves_and_the_parameters_descend(open_page, neuron):
    root, leaves = neuron
    page = open_page(step_through(root, what_if=[leaves["b"]]).html())
    press(page, "End")
    page.click("[data-do=sgd]")
    assert texts(page)["node-0"][1] == "data -3"
    assert page.get_by_label("value of b, typed").input_value() != "6.88"
    assert page.locator(STEPPER).count() == 1


# ------------------------------------------------------------------------------------------------ an old graph


def old_product():
    w, x = Parameter(3.0), Value(2.0, label="x")
    w.label = "w"
    L = w * x
    w.data = 1.0
    return L, w


def test_a_graph_that_is_older_than_its_leaves_says_so_and_shows_no_false_arithmetic(open_page):
    page = open_page(step_through(old_product()[0]).html())
    note = page.locator(".am-note").first
    assert note.text_content().startswith("w has probably changed since this graph was computed; L.forward() brings")
    press(page, "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    assert formula(page).startswith("L=6")
    assert note.is_visible()
    details = ask(page, "node-1").text_content()
    assert "gradient 3" in details
    assert "the finite difference of those of now: w has probably changed" in details


def test_sliders_begin_at_the_graph_computed_again(open_page):
    root, w = old_product()
    page = open_page(step_through(root, what_if=[w]).html())
    result, note = page.locator(".am-result"), page.locator(".am-note").first
    assert result.text_content() == "L = 2, computed again"
    press(page, "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    page.get_by_label("value of w, typed").fill("4")
    page.get_by_label("value of w, typed").press("Enter")
    assert "L: 2 → 8" in result.text_content()
    assert "grad·Δ = 6" in result.text_content(), "by the gradient at w = 1"
    assert note.is_hidden(), "all that is shown now was computed from these leaves"
    assert formula(page).startswith("L=w·x=4·2=8")
    page.locator("[data-do=reset]").click()
    assert note.is_visible()
    page.locator("[data-do=sgd]").click()
    assert "L: 2 → 1.6" in result.text_content(), "a step from w = 1 by the gradient there"
