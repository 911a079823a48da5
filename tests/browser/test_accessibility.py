"""Pages by the rules of the WCAG 2.2, as axe-core tries them; what is read aloud; contrast; what keys reach."""

import pytest

from autograd_mini import Value, step_through, tanh
from autograd_mini.views import page as pages
from browser import gallery
from browser.contrast import contrasts
from browser.stepping import choose, press

pytestmark = pytest.mark.needs("axe-playwright-python")

RUN = """() => axe.run({ rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] }).then(found =>
    found.violations.map(({ id, impact, nodes }) => [impact, id, nodes.map(node => node.html.slice(0, 120))]))"""
MODES = [(width, scheme) for width in gallery.SIZES for scheme in gallery.SCHEMES]


def findings(page):
    """What axe-core finds: of all its rules, those for good practice among them."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(f"() => {{ if (!window.axe) {{ {AXE_SCRIPT} }} }}")
    return page.evaluate(RUN)


@pytest.fixture(scope="module")
def shown():
    """Pages that stand alone, one of them with several."""
    neuron, training = gallery.neuron(), gallery.training()
    folded = step_through(gallery.network().root, collapse="neuron", what_if=[])
    several = [neuron, gallery.square(), neuron, training]
    return {
        "neuron": pages.document("A neuron", gallery.html(neuron)),
        "folded": pages.document("A network", gallery.html(folded)),
        "training": pages.document("A training", gallery.html(training)),
        "several": pages.document("Several", *map(gallery.html, several)),
    }


@pytest.mark.parametrize(("size", "scheme"), MODES)
@pytest.mark.parametrize("name", ["neuron", "folded", "several"])
def test_axe_finds_nothing_in_a_stepper(open_page, shown, name, size, scheme):
    width, height = size
    page = open_page(shown[name], viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True)
    assert findings(page) == []
    press(page, "End")
    assert findings(page) == []
    page.locator(".am-node, .am-scope").first.dispatch_event("click")
    for summary in page.locator("summary").all():
        summary.click()
    assert findings(page) == [], "with a node selected and everything unfolded"
    if name == "folded":
        return
    press(page, "Escape", "ArrowLeft")
    page.locator("[data-do=sgd]").first.click()
    page.locator("[data-do=predict]").first.click()
    press(page, "ArrowRight")
    assert page.get_by_label("your answer").is_visible()
    assert findings(page) == [], "while it asks"
    page.get_by_label("your answer").fill("7")
    page.get_by_role("button", name="Check").click()
    assert findings(page) == [], "when it has been answered"


@pytest.mark.parametrize(("size", "scheme"), MODES)
def test_axe_finds_nothing_in_a_watched_training(open_page, shown, size, scheme):
    width, height = size
    page = open_page(
        shown["training"], viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
    )
    assert findings(page) == []
    page.locator(".am-watch").press("Home")
    for summary in page.locator("summary").all():
        summary.click()
    assert findings(page) == []


def test_a_page_that_stands_alone_has_language_title_heading_and_one_main_part(open_page, shown):
    page = open_page(shown["several"])
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title() == "Several"
    assert page.get_by_role("heading", level=1).text_content() == "Several"
    assert page.get_by_role("main").count() == 1
    assert page.locator("main .am-page").count() == 4


NAMES = """() => Object.fromEntries([...document.querySelectorAll(".am-node, .am-scope")].map(
    part => [part.dataset.id, part.getAttribute("aria-label")]))"""


def test_what_is_read_aloud_of_a_node_grows_with_the_steps(open_page):
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    page = open_page(step_through(w * x + w**2, what_if=[w]).html())
    heard = [page.evaluate(NAMES)["node-0"]]
    for _ in range(6):
        press(page, "ArrowRight")
        name = page.evaluate(NAMES)["node-0"]
        if name != heard[-1]:
            heard.append(name)
    press(page, "End")
    assert [*heard, page.evaluate(NAMES)["node-0"]] == [
        "node w: not computed yet",
        "node w: data 0.5",
        "node w: data 0.5, gradient not known yet",
        "node w: data 0.5, gradient 3",
    ]
    assert sorted(page.evaluate(NAMES).values())[0] == "node 2: data 2", "a constant has no gradient"
    field = page.get_by_label("value of w, typed")
    field.fill("1")
    field.press("Enter")
    assert page.evaluate(NAMES)["node-0"] == "node w: data 1, gradient 4"


def test_by_edge_a_sum_that_is_not_whole_is_read_as_such(open_page, square):
    page = open_page(step_through(square, grain="edge").html())
    press(page, *["ArrowRight"] * 4)
    assert page.evaluate(NAMES)["node-0"] == "node x: data 3, gradient so far 3"
    press(page, "ArrowRight")
    assert page.evaluate(NAMES)["node-0"] == "node x: data 3, gradient 6"


def test_what_is_read_aloud_of_an_edge_has_its_numbers(open_page):
    x = Value(3.0, label="x")
    y = x * 0.0 + tanh(x)
    page = open_page(step_through(y).html())
    press(page, "End")
    labels = page.locator(".am-edge.am-asked").evaluate_all("all => all.map(edge => edge.getAttribute('aria-label'))")
    assert "edge from x to v2: local derivative 0.009866, contribution 0.009866" in labels
    assert "edge from x to v1: local derivative 0, contribution 0" in labels


def test_what_is_read_aloud_of_a_box_are_the_values_in_it(open_page, network):
    page = open_page(step_through(network, collapse="neuron").html())
    press(page, "End")
    boxes = [name for name in page.evaluate(NAMES).values() if name.startswith("box ")]
    assert len(boxes) == 4
    assert boxes[0].startswith("box layer 1, neuron 1: ")
    assert [(name.count(": data "), name.count(", gradient ")) for name in boxes] == [(2, 2)] * 3 + [(1, 1)]


@pytest.mark.parametrize("scheme", gallery.SCHEMES)
@pytest.mark.parametrize("grain", ["node", "edge"])
def test_every_text_of_the_drawing_has_contrast_in_every_step(open_page, diamond, scheme, grain):
    options = {"color_scheme": scheme, "viewport": {"width": 1366, "height": 1200}, "device_scale_factor": 2}
    page = open_page(step_through(diamond).html(), **options)
    choose(page, "grain", grain)
    count = int(page.locator(".am-count").text_content().split()[-1])
    for _ in range(0, count, 4):
        press(page, *["ArrowRight"] * 4)
        ratios = contrasts(page, ".am-graph text")
        assert len(ratios) > 20
        assert [low for low in ratios if low[1] < 4.5] == []
    page.locator(".am-node").nth(3).dispatch_event("click")
    ratios = contrasts(page, ".am-graph text")
    assert [low for low in ratios if low[1] < 4.5] == [], "with a node selected"


@pytest.mark.parametrize("scheme", gallery.SCHEMES)
def test_texts_of_a_training_have_contrast(open_page, shown, scheme):
    page = open_page(shown["training"], color_scheme=scheme, device_scale_factor=2)
    ratios = contrasts(page, ".am-figure text")
    assert len(ratios) > 30
    assert [low for low in ratios if low[1] < 4.5] == []


@pytest.mark.parametrize("scheme", gallery.SCHEMES)
def test_the_focus_is_seen(open_page, scheme):
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    page = open_page(step_through(tanh(w * x), what_if=[w]).html(), color_scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.querySelector('.am-page')).backgroundColor")
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        element, width, colour = (
            page.evaluate("""() => { const here = document.activeElement, look = getComputedStyle(here);
            return [here.outerHTML, parseFloat(look.outlineWidth), look.outlineColor]; }""")
        )
        if element.startswith("<body"):
            break
        seen.add(element)
        assert width >= 2, element
        assert ratio(colour, paper) >= 3, element
    assert len(seen) > 12


def ratio(*colours):
    from autograd_mini.views.colours import contrast

    hexes = ["#" + "".join(f"{int(c):02x}" for c in colour[4:-1].split(",")) for colour in colours]
    return contrast(*hexes)


def test_what_scrolls_is_reached_by_tab_and_scrolled_by_keys(open_page, shown):
    page = open_page(shown["training"], viewport={"width": 390, "height": 844})
    page.get_by_text("all numbers of this epoch").click()
    table = page.locator(".am-table")
    # Unfolding takes a moment, before which nothing there can have the focus.
    page.wait_for_function(
        "() => (table => table.scrollHeight > table.clientHeight)(document.querySelector('.am-table'))"
    )
    table.focus()
    page.wait_for_function("() => document.activeElement.matches('.am-table')")
    words = page.locator(".am-words").text_content()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.querySelector('.am-table').scrollTop > 0")
    assert page.locator(".am-words").text_content() == words, "what scrolls keeps the keys"
