"""The animated SVG in a real browser: it plays in an ``<img>``, and shows in every step what that step has reached."""

import base64

import pytest

from autograd_mini.explanations.steps import backward_steps, forward_steps
from autograd_mini.formulas.expression import format_number
from autograd_mini.views.stepper.animation import animated_svg
from browser import gallery

SEEN = """time => {
    for (const animation of document.getAnimations()) { animation.pause(); animation.currentTime = time * 1000; }
    const shown = part => getComputedStyle(part).opacity !== "0" && (part.tagName === "svg" || shown(part.parentNode));
    return [...document.querySelectorAll("svg text")].filter(shown).map(text => [text.parentNode.id, text.textContent]);
}"""
PENDING = """() => [...document.querySelectorAll("g[id^=node]")].filter(node =>
    getComputedStyle(node.querySelector("rect,path,polygon")).strokeDasharray.startsWith("2")).map(node => node.id)"""


def as_image(svg):
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}">'


def steps(root):
    return list(forward_steps(root)), list(backward_steps(root))


def test_each_step_shows_what_it_has_reached(open_page, neuron):
    root, _ = neuron
    page = open_page(animated_svg(root, seconds_per_step=2.0))
    forward, backward = steps(root)
    position = {step.node: k for k, step in enumerate(forward)}
    for i in range(len(forward) + len(backward) + 4):
        seen = page.evaluate(SEEN, 2.0 * i + 1.0)
        for j, step in enumerate(forward):
            line = [f"node-{position[step.node]}", f"data {format_number(step.value, 4)}"]
            assert (line in seen) == (j <= i), (i, line)
        for j, step in enumerate(backward, len(forward)):
            line = [f"node-{position[step.node]}", f"grad {format_number(step.gradient, 4)}"]
            assert (line in seen) == (j <= i), (i, line)
        title = [text for group, text in seen if text.startswith(("step ", "both"))]
        count = len(forward) + len(backward)
        stage = "forward pass" if i < len(forward) else "seed" if i == len(forward) else "backward pass"
        assert title == [f"step {i + 1} of {count}: {stage}" if i < count else "both passes are done"]
        assert page.evaluate(PENDING) == [f"node-{k}" for k in range(i + 1, len(forward))]


def test_it_plays_in_an_image(open_page, square):
    page = open_page(as_image(animated_svg(square, seconds_per_step=1.0)))
    image = page.locator("img")
    assert image.bounding_box()["width"] > 400
    pictures = set()
    for _ in range(80):
        pictures.add(image.screenshot())
        if len(pictures) == 5:  # four steps and the end
            return
        page.wait_for_timeout(150)
    pytest.fail(f"only {len(pictures)} pictures were seen")


def test_readers_who_prefer_less_motion_see_the_end(open_page, square):
    page = open_page(animated_svg(square), reduced_motion="reduce")
    assert page.evaluate("() => document.getAnimations().length") == 0
    seen = dict(page.evaluate(SEEN, 0.0))
    assert seen["node-0"] == "grad 6"
    assert "both passes are done" in [text for _, text in page.evaluate(SEEN, 0.0)]


def test_it_plays_twice_and_then_shows_the_end(open_page, square):
    page = open_page(animated_svg(square, seconds_per_step=0.02))
    page.wait_for_timeout(2 * 0.02 * (4 + 4) * 1000 + 200)
    still = page.evaluate("document.getAnimations().length")
    seen = page.evaluate(SEEN, 0.0)
    assert still == 0
    assert ["", "both passes are done"] in seen
    assert ["node-0", "grad 6"] in seen
    assert not [text for _, text in seen if text.startswith("step ")]


@pytest.mark.parametrize("time", [0.5, 8.5, 15.9])
def test_the_second_round_is_as_the_first(open_page, square, time):
    page = open_page(animated_svg(square))
    assert page.evaluate(SEEN, time) == page.evaluate(SEEN, time % 8)


@pytest.mark.parametrize("alone", [True, False])
def test_a_click_shows_the_end_and_a_double_click_plays_it_again(open_page, square, tmp_path, alone):
    page = open_page("" if alone else f"<p>before</p>{animated_svg(square)}<p>after</p>")
    if alone:
        path = tmp_path / "backprop.svg"
        path.write_text(animated_svg(square), encoding="utf-8")
        page = page.context.new_page()
        page.goto(path.as_uri())
    x, y = 100, 150
    plays = "document.getAnimations().length > 0"
    assert page.evaluate(plays)
    page.mouse.click(x, y)
    page.wait_for_function(f"!({plays})")
    seen = page.evaluate(SEEN, 0.0)
    assert ["", "both passes are done"] in seen
    assert ["node-0", "grad 6"] in seen
    page.wait_for_timeout(600)
    page.mouse.click(x, y)
    assert not page.evaluate(plays), "a second click leaves it at the end"
    page.wait_for_timeout(600)
    page.mouse.dblclick(x, y)
    page.wait_for_function(plays)
    assert ["", "step 1 of 4: forward pass"] in page.evaluate(SEEN, 0.5)
    page.wait_for_timeout(600)
    page.mouse.click(x, y)
    page.wait_for_function(f"!({plays})")


def test_readmes_animation_is_what_is_drawn_today():
    made = animated_svg(gallery.neuron().root)
    assert gallery.README.read_text(encoding="utf-8") == made, "python tests/browser/gallery.py --readme makes it anew"
