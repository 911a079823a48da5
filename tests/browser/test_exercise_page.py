"""An exercise in a browser: filled in by keyboard, diagnosed, scored; nothing is shown before it is answered."""

from __future__ import annotations

import pytest

from autograd_mini import Value, step_through, tanh, teaching
from autograd_mini.views import page as pages
from browser import gallery
from browser.stepping import press
from browser.test_accessibility import findings


def neuron():
    w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(-0.3, label="b")
    return tanh(w * x + b) ** 2 + w


def seen(page):
    """All that can be seen, read aloud or found in the page's elements."""
    return page.locator(".am-page").evaluate("part => part.outerHTML")


def verdict(page):
    return page.locator(".am-verdict").text_content()


def to_question(page):
    while not page.locator(".am-question").is_visible():
        press(page, "ArrowRight")


def answer(page, text):
    page.keyboard.type(text)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("hide", ["gradients", "local", "both"])
def test_all_is_filled_in_by_keyboard_and_the_code_is_verified(open_page, hide):
    root = neuron()
    stepper = step_through(root, exercise=True, hide=hide)
    page = open_page(stepper.html())
    told = {f"{q.number:.4g}" for _, _, q in step_through(root, exercise=True, hide="local")._exercise.questions}
    if hide != "gradients":  # the local derivatives are given there, and one by an upstream 1 is a gradient
        told = set()
    for i, (_, _, question) in enumerate(stepper._exercise.questions):
        to_question(page)
        shown = f"{question.number:.4g}"
        if len(shown) > 4 and shown not in told:
            assert shown not in seen(page), f"{shown} can be found before it is answered"
        assert page.evaluate("document.activeElement.tagName") == "INPUT"
        told.add(shown)
        answer(page, "99" if i == 0 else shown)
        if i == 0:
            answer(page, "98")
            answer(page, "97")
            assert "It is" in verdict(page), "after the last try the number is given"
        else:
            assert "Right" in verdict(page)
    score = page.locator(".am-score").text_content()
    found = teaching.check_code(score.rpartition(" ")[2], root)
    assert f"{found.right} of {found.asked} right" in score
    assert found.right == found.asked - 1
    page.locator(".am-node").first.dispatch_event("click")
    assert page.locator(".am-details").is_visible(), "cards come when all is filled in"


def test_a_wrong_answer_is_diagnosed_and_the_number_comes_after_the_last_try(open_page):
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    page = open_page(step_through(a * b, exercise=True, tries=2).html())
    to_question(page)
    assert page.get_by_label("question 1 of 2").is_visible()
    answer(page, "2(3)")
    assert "with *" in verdict(page), "what can't be read costs no try"
    assert "try 1 of 2" in page.locator(".am-question").text_content()
    answer(page, "-2")
    assert verdict(page) == "✗ The sign is wrong."
    assert "The sign is wrong" in page.locator("[aria-live]").first.text_content(), "it is read aloud, too"
    answer(page, "-2")
    assert verdict(page) == "✗ The sign is wrong. It is 2."
    assert page.locator(".am-score").text_content() == "0 of 2 right, 1 to come"


def test_nobody_gets_past_a_question_or_at_a_card(open_page):
    page = open_page(step_through(neuron(), exercise=True).html())
    press(page, "End")
    assert page.locator(".am-question").is_visible()
    assert "grad 0.7672" not in seen(page)
    page.locator("[data-do=last]").click()
    page.locator(".am-slider").evaluate("bar => { bar.value = bar.max; bar.dispatchEvent(new Event('input')); }")
    page.locator(".am-node").first.dispatch_event("click")
    assert page.locator(".am-details").is_hidden()
    assert "grad 0.7672" not in seen(page)
    press(page, "Escape")
    to_question(page)
    assert "try 1 of 3" in page.locator(".am-question").text_content()


def test_beside_jupyterlabs_side_bar_the_step_stays_in_the_row_of_the_slider(open_page):
    page = open_page(step_through(neuron(), exercise=True).html(), viewport={"width": 828, "height": 768})
    slider, count = (page.locator(part).bounding_box() for part in (".am-slider", ".am-count"))
    assert slider["x"] < count["x"], "the step stands right of the slider"
    assert count["y"] < slider["y"] + slider["height"], "and not below it"


def test_without_scripts_the_drawing_has_no_numbers(open_page):
    page = open_page(step_through(neuron(), exercise=True).html(), java_script_enabled=False)
    assert page.locator("img").count() == 1


@pytest.mark.needs("axe-playwright-python")
@pytest.mark.parametrize("scheme", gallery.SCHEMES)
@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_axe_finds_nothing_in_an_exercise(open_page, size, scheme):
    html = pages.document("An exercise", step_through(neuron(), exercise=True, hide="both").html())
    viewport = dict(zip(("width", "height"), size, strict=True))
    page = open_page(html, viewport=viewport, color_scheme=scheme, bypass_csp=True)
    assert findings(page) == []
    to_question(page)
    assert findings(page) == [], "while it asks"
    answer(page, "7")
    assert findings(page) == [], "with a verdict"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
