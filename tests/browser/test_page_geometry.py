"""Where things are in a page: a step is seen whole, on a large screen and on a phone; the picture zooms and moves."""

from __future__ import annotations

import pytest

from autograd_mini import Parameter, Trainer, Value, datasets, maximum, step_through, tanh, watch
from autograd_mini.graph import topological_order
from autograd_mini.nn import MLP, cross_entropy, squared_error
from autograd_mini.optim import SGD
from autograd_mini.views import page as pages
from browser.stepping import STEPPER, press, step

LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


def a_neuron():
    w, x, b = Parameter(-3.0, label="w"), Value(2.0, label="x"), Parameter(6.9, label="b")
    return (tanh(w * x + b) - 0.5) ** 2


def x_twice():
    x = Value(3.0, label="x")
    return x * x + x


def a_diamond():
    a, b = Parameter(2.0, label="a"), Value(-3.0, label="b")
    return (-a * b - a / b) ** 2 + b**3 - 1.5 * a


def a_long_chain():
    y = Value(0.5, label="x")
    for i in range(12):
        y = tanh(y) if i % 2 else y * Parameter(1.1, label=f"w{i}")
    return y


GRAPHS = {
    "neuron": a_neuron,
    "x·x+x": x_twice,
    "diamond": a_diamond,
    "two layers": lambda: (MLP(2, [2, 1], "tanh", rng=0)([1.0, 2.0]) - 1.0) ** 2,
    "2-3-1": lambda: (MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]) - 1.0) ** 2,
    "2-16-16-1": lambda: (MLP(2, [16, 16, 1], "tanh", rng=0)([1.0, 2.0]) - 1.0) ** 2,
    "chain": a_long_chain,
}
graphs = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


def stepper_of(graph, **more):
    root = graph()
    leaves = [node for node in topological_order(root) if node.primitive is None and node.kind != "constant"]
    return step_through(root, what_if=leaves[:3], **more)


# What sticks out of the window, or out of a part of the page that cuts it off, of the elements of a selector.
CUT = """selector => [...document.querySelectorAll(selector)].filter(element => !element.closest("[hidden]")).flatMap(
    element => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        let [x, y, end, low] = [0, 0, innerWidth, innerHeight];
        const graph = element.closest(".am-graph")?.getBoundingClientRect();
        if (graph) [x, y, end, low] = [graph.left, graph.top, Math.min(end, graph.right), Math.min(low, graph.bottom)];
        return left < x - 1 || top < y - 1 || right > end + 1 || bottom > low + 1
            ? [`${element.getAttribute("class")}: ${[left, top, right, bottom].map(Math.round)}`] : []; })"""
SMALL_TEXT = """() => [...document.querySelectorAll(".am-page, .am-page *")].filter(element =>
    element.checkVisibility() && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())
    && !element.closest(".am-unseen, style, sub, sup, select")).flatMap(element => {
        const matrix = element.getScreenCTM?.(), size = parseFloat(getComputedStyle(element).fontSize);
        const seen = size * (matrix ? Math.min(Math.hypot(matrix.c, matrix.d), 9) : 1);
        return seen < 10.99 ? [`${seen} ${element.textContent}`] : []; })"""
SMALL_TARGETS = """() => [...document.querySelectorAll(
    ".am-page button, .am-page select, .am-page input, .am-page summary, .am-node, .am-scope")].filter(
        element => element.checkVisibility()).flatMap(element => {
            const { width, height } = element.getBoundingClientRect();
            return Math.min(width, height) < 23.9 ? [`${element.outerHTML.slice(0, 80)} ${width} ${height}`] : []; })"""
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


def moments(page):
    """Step to about a dozen moments, the first and the last among them."""
    count = int(page.locator(".am-count").first.text_content().split()[-1])
    for k in sorted({1, 2, *range(3, count, max(count // 10, 1)), count}):
        page.get_by_label("step", exact=True).first.evaluate(
            "(slider, k) => { slider.value = k; slider.dispatchEvent(new Event('input')); }", k
        )
        if step(page):  # a step inside of a box leads back to the stop before it
            yield k


@graphs
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_laptop_all_of_a_step_is_seen_without_scrolling(open_page, graph, scheme):
    page = open_page(pages.document("", stepper_of(graph).html()), viewport=LAPTOP, color_scheme=scheme)
    for _ in moments(page):
        active = ".am-node.am-active, .am-scope.am-active"
        assert page.locator(active).count() == 1
        assert page.evaluate(CUT, f"{active}, .am-ring, .am-panel, .am-caption, .am-what-if, .am-top") == []
        page.locator(active).dispatch_event("click")
        assert page.locator(".am-details").is_visible()
        assert page.evaluate(CUT, f"{active}, .am-panel, .am-details, .am-what-if, .am-close") == []
        press(page, "Escape")
    assert page.evaluate("document.documentElement.scrollHeight") <= LAPTOP["height"]


def two_powers():
    a, b = Parameter(2.0, label="a"), Parameter(3.5, label="b")
    return a**b + 2.0**a - abs(b) / maximum(a, b, 1.5)


def three_classes():
    return cross_entropy([Parameter(x, label=f"z{i}") for i, x in enumerate([0.2, -1.3, 2.1])], 2)


def a_folded_network():
    return squared_error(MLP(3, [4, 4, 1], "tanh", rng=1)([1.0, -2.0, 0.5]), 1.0)


SCROLLED = """() => [...document.querySelectorAll(".am-panel, .am-formula, .am-side")].filter(
    part => part.scrollHeight > part.clientHeight + 1).map(part => part.className)"""


@pytest.mark.parametrize(
    ("graph", "fold"), [(two_powers, None), (three_classes, None), (a_diamond, None), (a_folded_network, "layer")]
)
def test_all_of_the_arithmetic_is_seen_also_beside_a_card(open_page, graph, fold):
    root = graph()
    page = open_page(pages.document("", step_through(root, collapse=fold).html()), viewport=LAPTOP)
    for k in moments(page):
        folded = fold and page.locator(".am-scope.am-active").count() == 0  # a leaf of many uses
        assert folded or page.evaluate(SCROLLED) == [], k
        page.locator(".am-node.am-active, .am-scope.am-active").dispatch_event("click")
        assert folded or page.evaluate(SCROLLED) == [], k
        assert page.evaluate(CUT, ".am-panel, .am-details, .am-what-if") == [], k
        press(page, "Escape")


def test_what_a_slider_changes_is_in_sight_of_it(open_page):
    root = two_powers() + a_diamond() + a_neuron()
    leaves = [node for node in topological_order(root) if node.primitive is None and node.kind != "constant"]
    page = open_page(pages.document("", step_through(root, what_if=leaves).html()), viewport=LAPTOP)
    panel = page.locator(".am-what-if").bounding_box()
    result = page.locator(".am-result").bounding_box()
    assert page.evaluate("document.querySelector('.am-what-if').scrollHeight") > panel["height"]
    assert panel["y"] < result["y"]
    assert result["y"] + result["height"] <= panel["y"] + panel["height"]


@graphs
@pytest.mark.parametrize("width", [320, 390, 700, 900, 1366])
def test_nothing_is_too_small_or_too_wide(open_page, graph, width):
    page = open_page(pages.document("", stepper_of(graph).html()), viewport={"width": width, "height": 844})
    press(page, *["ArrowRight"] * 3)
    page.locator(".am-node.am-active, .am-scope.am-active").dispatch_event("click")
    page.locator(".am-legend summary").click()
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(SMALL_TEXT) == []
    assert page.evaluate(SMALL_TARGETS) == []


@graphs
def test_on_a_phone_the_panels_are_below_each_other_and_a_card_comes_into_sight(open_page, graph):
    page = open_page(pages.document("", stepper_of(graph).html()), viewport=PHONE, has_touch=True)
    for _ in moments(page):
        active = page.locator(".am-node.am-active, .am-scope.am-active")
        assert page.evaluate(CUT, ".am-node.am-active, .am-scope.am-active, .am-top, .am-caption") == []
        graph_box, panel = page.locator(".am-graph").bounding_box(), page.locator(".am-panel").bounding_box()
        assert panel["y"] >= graph_box["y"] + graph_box["height"]
        assert panel["width"] == pytest.approx(graph_box["width"])
        active.dispatch_event("click")
        assert page.evaluate(CUT, ".am-details") == []
        press(page, "Escape")


def test_in_a_notebook_900_pixels_wide_a_step_is_seen_whole_below_its_bars(open_page):
    for graph in GRAPHS.values():
        html = f'<div style="height:120px"></div><div style="width:900px">{stepper_of(graph).html()}</div>'
        page = open_page(f"<!doctype html><body style='margin:0'>{html}", viewport=LAPTOP)
        for _ in moments(page):
            assert page.evaluate(CUT, ".am-node.am-active, .am-scope.am-active, .am-panel, .am-top, .am-what-if") == []
            page.locator(".am-node.am-active, .am-scope.am-active").dispatch_event("click")
            assert page.evaluate(CUT, ".am-details, .am-panel") == []
            press(page, "Escape")


SCALE = "() => document.querySelector('.am-graph > svg').getScreenCTM().a"


def where(page, name, which=0):
    return page.locator(STEPPER).nth(which).locator(f"[data-id={name}]").bounding_box()


def middle(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_keys_and_buttons_zoom_and_fit_the_picture(open_page):
    page = open_page(pages.document("", stepper_of(a_long_chain).html()), viewport=LAPTOP)
    begin = page.evaluate(SCALE)
    assert begin == pytest.approx(1.0, rel=1e-3), "the text is as small as can be read"
    for enlarge, reduce in (("+", "-"), ("=", "-")):
        press(page, enlarge)
        assert page.evaluate(SCALE) > begin * 1.2
        press(page, reduce)
        assert page.evaluate(SCALE) == pytest.approx(begin, rel=1e-3)
    page.get_by_role("button", name="zoom in").click()
    page.get_by_role("button", name="zoom in").click()
    assert page.evaluate(SCALE) > begin * 1.5
    press(page, "0")
    assert page.evaluate(SCALE) == pytest.approx(begin, rel=1e-3)
    page.get_by_role("button", name="fit").click()
    assert page.evaluate(SCALE) < begin
    assert page.evaluate(CUT, ".am-node, .am-op") == [], "all of it is in the window"
    press(page, "0")
    assert page.evaluate(SCALE) == pytest.approx(begin, rel=1e-3)


def test_a_number_that_is_typed_zooms_nothing(open_page):
    page = open_page(pages.document("", stepper_of(a_neuron).html()), viewport=LAPTOP)
    before = page.evaluate(SCALE)
    field = page.get_by_label("value of w, typed")
    field.fill("")
    field.press_sequentially("-0.5+")
    assert page.evaluate(SCALE) == before


def test_the_wheel_scrolls_the_page_and_with_ctrl_zooms_at_the_pointer(open_page):
    html = f"<!doctype html>{stepper_of(GRAPHS['2-16-16-1']).html()}<div style='height:2000px'></div>"
    page = open_page(html, viewport=LAPTOP)
    press(page, "End")
    begin, place = page.evaluate(SCALE), where(page, "scope-0")
    page.mouse.move(*middle(page.locator(".am-graph").bounding_box()))
    page.mouse.wheel(0, 100)
    page.wait_for_function("scrollY > 50")
    assert page.evaluate(SCALE) == begin
    page.evaluate("scrollTo(0, 0)")
    box = where(page, "scope-0") or place
    active = page.locator(".am-node.am-active, .am-scope.am-active").bounding_box()
    page.mouse.move(*middle(active))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    assert page.evaluate(SCALE) > begin * 1.1
    assert page.evaluate("scrollY") == 0
    after = page.locator(".am-node.am-active, .am-scope.am-active").bounding_box()
    assert box is not None
    assert middle(after)[1] == pytest.approx(middle(active)[1], abs=25), "what is under the pointer stays there"


def test_a_drag_moves_the_picture_and_selects_nothing(open_page):
    page = open_page(pages.document("", stepper_of(a_long_chain).html()), viewport=LAPTOP)
    press(page, "End")
    before = where(page, "node-2")
    x, y = middle(before)
    page.mouse.move(x + 300, y)
    page.mouse.down()
    page.mouse.move(x + 200, y, steps=4)
    page.mouse.up()
    assert where(page, "node-2")["x"] == pytest.approx(before["x"] - 100, abs=1)
    assert page.locator(".am-details").is_hidden()
    page.mouse.click(*middle(where(page, "node-2")))
    assert page.locator(".am-details").is_visible(), "a click is none"
    press(page, "Escape", "Shift+ArrowLeft")
    assert where(page, "node-2")["x"] > before["x"] - 100, "with shift the arrows move it"


def test_two_fingers_zoom_the_picture(open_page):
    page = open_page(pages.document("", stepper_of(a_long_chain).html()), viewport=PHONE, has_touch=True)
    begin, session = page.evaluate(SCALE), page.context.new_cdp_session(page)
    x, y = middle(page.locator(".am-graph").bounding_box())

    def touch(kind, *distances):
        points = [{"x": x + side * d, "y": y, "id": k} for d in distances for k, side in enumerate((-1, 1))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for distance in (40, 50, 60):
        touch("touchMove", distance)
    touch("touchEnd")
    assert page.evaluate(SCALE) == pytest.approx(2 * begin, rel=0.1)
    assert page.evaluate("visualViewport.scale") == 1, "the page itself isn't magnified"
    touch("touchStart", 60)
    for distance in (45, 30):
        touch("touchMove", distance)
    touch("touchEnd")
    assert page.evaluate(SCALE) == pytest.approx(begin, rel=0.1)


def test_two_steppers_in_a_page_zoom_each_by_itself(open_page):
    html = stepper_of(a_long_chain).html() + stepper_of(a_neuron).html()
    page = open_page(pages.document("", html), viewport=LAPTOP)
    second = where(page, "node-0", 1)
    press(page, "+", "ArrowRight")
    assert where(page, "node-0", 1)["width"] == second["width"]
    page.locator(STEPPER).nth(1).press("+")
    assert where(page, "node-0", 1)["width"] == pytest.approx(1.25 * second["width"], rel=0.01)


@pytest.fixture(scope="module")
def watched():
    X, y = datasets.moons(40, seed=0)
    model = MLP(2, [4, 1], activation="tanh", rng=0)
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.05), epochs=5)
    watcher = watch(trainer, X, y)
    trainer.fit(X, y)
    return watcher


TEXTS = """() => [...document.querySelectorAll(".am-figure text")].filter(text => text.checkVisibility()).map(text => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    return { text: text.textContent, left, right, top, bottom }; }).filter(({ text }) => text)"""


@pytest.mark.parametrize("width", [320, 390, 600, 768, 900, 1024, 1366, 1920])
def test_a_watched_training_fits_every_width(open_page, tmp_path, watched, width):
    html = watched.save(tmp_path / "live.html").read_text(encoding="utf-8")
    page = open_page(html, viewport={"width": width, "height": 768}, has_touch=width < 500)
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(SMALL_TEXT) == []
    assert page.evaluate(SMALL_TARGETS) == []
    figure = page.locator(".am-figure > svg").bounding_box()
    for text in page.evaluate(TEXTS):
        assert text["left"] >= figure["x"] - 2, text
        assert text["right"] <= figure["x"] + figure["width"] + 2, text
        assert text["bottom"] <= figure["y"] + figure["height"] + 1, text
    if width >= 1366:
        assert page.evaluate("document.documentElement.scrollHeight") <= 768, "all of an epoch is seen"


def test_what_a_finger_touches_in_a_watched_training_is_named_where_it_is_seen(open_page, tmp_path, watched):
    html = watched.save(tmp_path / "live.html").read_text(encoding="utf-8")
    page = open_page(html, viewport=PHONE, has_touch=True)
    circle = page.locator(".am-weights circle").nth(3)
    page.touchscreen.tap(*middle(circle.bounding_box()))
    assert page.locator(".am-near").text_content().startswith("neuron 2 of layer 1")
    assert page.evaluate(CUT, ".am-near") == []
