"""The animated SVG in a real browser: it plays in an ``<img>``, and shows in every step what that step has reached."""

import base64

import pytest

from autograd_mini.explanations.steps import backward_steps, forward_steps
from autograd_mini.formulas.expression import format_number
from autograd_mini.views.stepper.animation import animated_svg

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
    page = open_page(as_image(animated_svg(square, seconds_per_step=0.4)))
    image = page.locator("img")
    assert image.bounding_box()["width"] > 400
    pictures = set()
    for _ in range(30):
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
