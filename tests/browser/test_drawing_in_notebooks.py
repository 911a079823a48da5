"""What a notebook shows of `draw`: an image where no script runs, else the drawing itself, no wider than its cell."""

import pytest

from autograd_mini import Value, draw, nn
from autograd_mini.views import renderers
from browser.contrast import contrasts

RENDERERS = [n if n == "builtin" else pytest.param(n, marks=pytest.mark.needs(n)) for n in renderers.NAMES]


def cell(*drawings, width=400, around=""):
    pieces = "".join(drawing._repr_html_() for drawing in drawings)
    return f'<body {around}><div id="cell" style="width: {width}px">{pieces}</div></body>'


def graph():
    loss = nn.squared_error(nn.MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]), 1.0)
    loss.backward()
    return loss


@pytest.fixture(params=RENDERERS)
def drawing(request, monkeypatch):
    monkeypatch.setenv(renderers.VARIABLE, request.param)
    return draw(graph())


def test_without_scripts_it_is_an_image_that_fits_its_cell(open_page, drawing):
    page = open_page(cell(drawing), java_script_enabled=False)
    picture = page.locator("#cell img")
    assert 300 < picture.bounding_box()["width"] <= 400
    assert picture.get_attribute("alt") == "The computational graph of L"


def test_with_scripts_it_is_the_drawing_with_its_tooltips_and_fits_its_cell(open_page, drawing):
    page = open_page(cell(drawing))
    assert page.locator("#cell img").count() == 0
    box = page.locator("#cell svg").bounding_box()
    assert 300 < box["width"] <= 400
    assert box["height"] < 400, "as high as it is wide"
    said = page.evaluate("""() => [...document.querySelectorAll("#cell svg a")].map(
        part => part.getAttributeNS("http://www.w3.org/1999/xlink", "title").replaceAll("\\u00a0", " "))""")
    assert [words for words in said if words.startswith("parameter") and "\ndata 0.300" in words]
    assert page.locator("#cell svg").get_attribute("aria-label") == "The computational graph of L"


def test_the_link_opens_the_drawing_in_its_full_size(open_page, drawing):
    page = open_page(cell(drawing))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="full size").click()
    whole = opened.value
    whole.wait_for_load_state()
    assert whole.evaluate("document.documentElement.getBoundingClientRect().width") > 700
    assert whole.evaluate("document.documentElement.querySelectorAll('g.node').length") > 20


def test_a_small_drawing_keeps_its_size(open_page):
    x = Value(3.0, label="x")
    page = open_page(cell(draw(x * x), width=900))
    assert page.locator("#cell svg").bounding_box()["width"] < 500


def test_several_drawings_are_in_one_page_each_once_and_without_ids(open_page):
    x = Value(3.0, label="x")
    first, second = draw(x * x), draw(nn.MLP(2, [2, 1], rng=0))
    page = open_page(cell(first, second, first))
    names = page.eval_on_selector_all("#cell svg", "all => all.map(svg => svg.getAttribute('aria-label'))")
    assert names == ["The computational graph of L", "A network: MLP", "The computational graph of L"]
    assert page.get_by_role("link", name="full size").count() == 3
    assert page.evaluate("document.querySelectorAll('svg [id]').length") == 0


@pytest.mark.parametrize(
    "label", ["</script><script>window.broken = 1</script>", '"><img src=x onerror="broken=1">', "é∂🎉"]
)
def test_a_hostile_label_is_text(open_page, label):
    x = Value(3.0, label=label)
    y = x * x
    y.label = label
    page = open_page(cell(draw(y)))
    assert page.evaluate("window.broken") is None
    assert page.locator("#cell svg").count() == 1


@pytest.mark.parametrize("page_colour", ["white", "#111", "#0877bd"])
def test_labels_of_edges_have_contrast_on_any_page(open_page, drawing, page_colour):
    around, size = f'style="background: {page_colour}"', {"width": 1500, "height": 900}
    page = open_page(cell(drawing, width=1400, around=around), viewport=size, device_scale_factor=2)
    ratios = contrasts(page, "#cell g.edge text")
    assert len(ratios) > 10
    assert [low for low in ratios if low[1] < 4.5] == []
