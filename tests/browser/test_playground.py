"""The playground in Chromium: from a server on this machine, with nothing from elsewhere."""

from __future__ import annotations

import functools
import http.server
import json
import runpy
import threading
from pathlib import Path

import pytest

from browser.test_accessibility import findings

pytestmark = pytest.mark.needs("pyodide", "playwright", "axe-playwright-python")

ROOT = Path(__file__).resolve().parent.parent.parent
READY = "() => document.querySelector('#state').textContent.includes('is ready')"
OPENED = "() => document.querySelector('#state').textContent.startsWith('Opened the link')"
MODES = [(width, scheme) for width in (1366, 390) for scheme in ("light", "dark")]
PETS = "height;weight;kind\n1,5;20;cat\n2,5;30;dog\n1,2;22;cat\n2,9;31;dog\n"
STATE = """() => { const { settings, training: { theta, epoch, data } } = amPlayground;
    return { settings, theta: [...theta], epoch, rows: data.rows }; }"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    runpy.run_path(str(ROOT / "docs" / "playground_page.py"))["build"](folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/playground.html"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def open_playground(chromium, address):
    """Open the page; at the end no script has failed, and nothing was asked of another place."""
    contexts, failures, elsewhere = [], [], []
    home = address.rpartition("/")[0]

    def open_playground(link="", wait=True, **options):
        context = chromium.new_context(**{"viewport": {"width": 1366, "height": 900}, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=home)
        contexts.append(context)
        near = ("data:", f"blob:{home}", home)
        context.on("request", lambda r: None if r.url.startswith(near) else elsewhere.append(r.url))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
        page.goto(address + link)
        page.wait_for_selector("#figure svg")
        if wait:
            page.wait_for_function(READY, timeout=60_000)
        return page

    yield open_playground
    for context in contexts:
        context.close()
    assert failures == []
    assert elsewhere == []


@pytest.fixture(scope="module")
def opened(open_playground):
    return open_playground()


@pytest.fixture
def page(opened):
    """The page as it begins, with Python there already."""
    for details in ("own", "numbers", "code"):
        opened.evaluate(f"document.querySelector('#{details}').open = false")
    opened.evaluate("amPlayground._restore(() => ({ settings: {} }), 'it')")
    return opened


def build(page, **fields):
    """Change fields, and wait for the network that they ask for."""
    for name, value in fields.items():
        field = page.locator(f"#{name}")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
            field.press("Enter")
    page.wait_for_timeout(300)


def use(page, text):
    page.evaluate("document.querySelector('#own').open = true")
    page.locator("#csv").fill(text)
    page.locator("#csv-use").click()


def test_it_trains_at_once_before_python_is_there(open_playground):
    page = open_playground(wait=False)
    assert "Before the training" in page.inner_text("#words")
    page.locator("#one-step").click()
    assert "Epoch 0 and 10 examples" in page.inner_text("#words")
    page.locator("#one-epoch").click()
    assert page.inner_text("#words").startswith("Epoch 1: loss")
    assert page.evaluate(STATE)["epoch"] == 1
    before = page.evaluate(STATE)["theta"]
    page.locator("#reset").click()
    page.locator("#one-epoch").click()
    assert page.evaluate(STATE)["theta"] == before, "a seed gives the same numbers"


def test_without_python_it_trains_and_says_what_it_cannot_do(chromium, address):
    context = chromium.new_context()
    context.route("**/_pyodide/**", lambda route: route.abort())
    page = context.new_page()
    page.goto(address)
    page.wait_for_function("() => document.querySelector('#state').textContent.includes('trains without it')")
    page.locator("#one-epoch").click()
    assert page.inner_text("#words").startswith("Epoch 1: loss")
    for field, value in (("hidden", "3"), ("activation", "relu")):
        build(page, **{field: value})
        page.wait_for_function(
            "() => document.querySelector('#problem').textContent.startsWith(\"This can't be built\")"
        )
    page.locator("#step-neuron").click()
    page.wait_for_function("() => document.querySelector('#problem').textContent.startsWith('There is no stepper')")
    context.close()


def test_it_plays_pauses_and_says_how_quick_it_is(page):
    page.locator("#speed").select_option("0")
    page.locator("#play").click()
    page.wait_for_function("() => / epochs a second/.test(document.querySelector('#rate').textContent)")
    assert int(page.inner_text("#rate").split()[0].replace(",", "")) > 20
    page.locator("#play").click()
    epoch = page.evaluate(STATE)["epoch"]
    page.wait_for_timeout(200)
    assert page.evaluate(STATE)["epoch"] == epoch > 20
    assert "200 of 200 examples right" in page.inner_text("#words")


def test_a_network_of_other_layers_and_another_activation_is_made(page):
    build(page, hidden="8, 3, 2", activation="gelu")
    page.wait_for_function("() => document.querySelectorAll('.am-weights circle').length === 16")
    page.locator("#one-epoch").click()
    assert "Epoch 1" in page.inner_text("#words")
    build(page, hidden="")
    page.wait_for_function("() => document.querySelectorAll('.am-weights circle').length === 3")
    for wrong in ("17", "2,2,2,2,2,2", "a", "0", "1.5"):
        build(page, hidden=wrong)
        assert "hidden layers are" in page.inner_text("#problem").lower()
        assert page.locator("#hidden").get_attribute("aria-invalid") == "true"
    build(page, hidden="2")
    page.wait_for_function("() => document.querySelectorAll('.am-weights circle').length === 5")
    assert not page.locator("#problem").is_visible()


def test_a_click_on_a_neuron_opens_its_stepper_for_the_example(page):
    page.locator("#one-epoch").click()
    page.locator(".am-weights circle").nth(2 + 6 + 1).click()
    page.wait_for_selector("#stepper .am-graph")
    assert "Neuron 2 of layer 2 for example 1" in page.inner_text("#stepper-words")
    shown = page.evaluate("amPlayground.stepper.count")
    assert shown > 10
    activation = page.evaluate("amPlayground.figure.activations[7]")
    page.locator("#stepper [data-do=last]").click()
    page.wait_for_function(
        "x => document.querySelector('#stepper').textContent.includes(x)", arg=f"{activation:.4g}".rstrip("0")
    )
    page.locator("#part").select_option(str(len(page.evaluate(STATE)["theta"]) - 1))
    page.locator("#step-neuron").click()
    page.wait_for_function(
        "() => document.querySelector('#stepper-words').textContent.startsWith('The output and the loss')"
    )
    build(page, data="circles")
    assert not page.locator("#stepping").is_visible(), "it was another network's"


def test_a_weight_is_typed_and_its_gradient_checked(page):
    page.locator("#part").select_option("3")
    page.locator("#value").fill("-1.25")
    page.locator("#value").press("Enter")
    assert page.evaluate(STATE)["theta"][3] == -1.25
    assert page.inner_text("#part-words").startswith("w¹₂₁ = -1.25, ∂L/∂w¹₂₁ = ")
    gradient, measured = page.inner_text("#part-words").split("∂L/∂w¹₂₁ = ")[1].split("; by a finite difference ")
    assert float(gradient) == pytest.approx(float(measured), rel=1e-3)
    page.locator("#numbers > summary").click()
    page.wait_for_selector("#check td")
    rows = page.locator("#check tr").all_inner_texts()[1:]
    assert len(rows) == len(page.evaluate(STATE)["theta"])
    assert all("agrees" in row for row in rows)


def test_what_goes_wrong_is_said_in_words(page):
    build(page, data="line", hidden="3", activation="identity", optimizer="SGD", lr="90", batch="0")
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#words').textContent.startsWith('Stopped')")
    assert "learning rate (90) is probably too large" in page.inner_text("#words")
    build(page, data="moons", hidden="2,2,2,2,2", activation="sigmoid")
    page.wait_for_function("() => document.querySelector('#warning').textContent.startsWith('Vanishing gradients')")
    in_force = page.locator("#lr").input_value()
    build(page, lr="0")
    assert "learning rate is a number above 0" in page.inner_text("#problem")
    build(page, seed="7")
    assert not page.locator("#problem").is_visible()
    assert page.locator("#lr").input_value() == in_force, "a refused number stands there no longer than the words on it"


def test_a_table_of_ones_own_is_read_and_trained(page):
    use(page, PETS.replace("2,5", "oops"))
    page.wait_for_function("() => document.querySelector('#csv-problem').textContent.includes('line 3')")
    assert "column 'height': 'oops' isn't a number" in page.inner_text("#csv-problem")
    use(page, PETS)
    page.wait_for_function("() => document.querySelector('#csv-notes').textContent.includes('4 rows')")
    assert "commas are read as decimal points in 'height'" in page.inner_text("#csv-notes")
    assert page.input_value("#data") == "own"
    page.locator("#one-epoch").click()
    assert "of 4 examples right" in page.inner_text("#words")
    assert "height" in page.inner_text("#example-words")
    assert page.locator("#csv-target option").all_inner_texts() == ["the last column", "height", "weight", "kind"]
    page.locator("#csv-target").select_option("weight")
    page.locator("#csv-use").click()
    page.wait_for_function("() => document.querySelector('#csv-notes').textContent.includes('target weight: a number')")


def test_a_file_with_more_columns_has_axes_to_choose(page):
    page.evaluate("document.querySelector('#own').open = true")
    rows = "".join(f"{i},{i * i},{i % 3},{'pqr'[i % 3]}\n" for i in range(12))
    page.locator("#csv-file").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": ("a,b,c,k\n" + rows).encode()}
    )
    page.wait_for_function("() => document.querySelector('#csv-notes').textContent.includes('12 rows')")
    page.locator("#upwards").select_option("2")
    assert "other inputs at their means" in page.locator("#figure").text_content()
    page.locator("#one-epoch").click()


def test_a_link_carries_everything(page, open_playground):
    build(page, data="circles", hidden="5", activation="relu", penalty="L2", seed="7")
    page.locator("#lambda").fill("0.01")
    page.locator("#lambda").press("Enter")
    page.locator("#one-epoch").click()
    page.locator("#link").click()
    page.wait_for_function("() => document.querySelector('#state').textContent.startsWith('Copied the link')")
    first = page.evaluate(STATE)
    link = page.evaluate("navigator.clipboard.readText()")
    again = open_playground("#" + link.partition("#")[2], wait=False)
    again.wait_for_function(OPENED, timeout=60_000)
    assert again.evaluate(STATE) == first
    assert again.input_value("#penalty") == "L2"
    use(again, PETS)
    again.wait_for_function("() => document.querySelector('#data').value === 'own'")
    again.locator("#link").click()
    again.wait_for_function("() => document.querySelector('#state').textContent.startsWith('Copied the link')")
    link = again.evaluate("navigator.clipboard.readText()")
    third = open_playground("#" + link.partition("#")[2], wait=False)
    third.wait_for_function(OPENED, timeout=60_000)
    assert third.evaluate(STATE) == again.evaluate(STATE)


@pytest.mark.parametrize(
    "link",
    [
        "#data=nothing&hidden=999&lr=-1&w=AAAA",
        "#w=%%%",
        "#csv={&data=own",
        "#hidden=,,&seed=x&batch=7&axes=9,9&example=999",
        "#data=constructor&optimizer=toString",
        "#epoch=NaN&w=" + "A" * 4000,
    ],
)
def test_a_damaged_link_is_told_and_the_rest_is_used(open_playground, link):
    page = open_playground(link, wait=False)
    page.wait_for_function("() => document.querySelector('#problem').textContent.includes('could be used')")
    page.locator("#one-epoch").click()
    assert "Epoch 1" in page.inner_text("#words")


def test_a_training_is_saved_and_opened(page, tmp_path):
    build(page, hidden="3")
    page.locator("#one-epoch").click()
    with page.expect_download() as waiting:
        page.locator("#save").click()
    file = tmp_path / "playground.json"
    waiting.value.save_as(file)
    saved = page.evaluate(STATE)
    build(page, hidden="2", data="circles")
    page.wait_for_function("() => amPlayground.training.theta.length === 9")
    page.locator("#load").set_input_files(file)
    page.wait_for_function("() => amPlayground.training.theta.length === 13")
    assert page.evaluate(STATE) == saved
    for text in (
        "[]",
        "{",
        '{"format": "autograd_mini playground", "version": 9}',
        json.dumps({**json.loads(file.read_text()), "theta": [1]}),
    ):
        file.write_text(text)
        page.evaluate("document.querySelector('#problem').textContent = ''")
        page.locator("#load").set_input_files(file)
        page.wait_for_function("() => document.querySelector('#problem').textContent.includes('could be used')")


def test_the_python_is_shown_and_copied(page):
    page.locator("#code > summary").click()
    page.wait_for_function("() => document.querySelector('#python').textContent")
    assert "nn.MLP(2, [6, 4, 1]" in page.inner_text("#python")
    page.locator("#copy-code").click()
    page.wait_for_function("() => document.querySelector('#state').textContent.startsWith('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == page.text_content("#python")


def test_axe_finds_nothing_and_nothing_is_too_wide(open_playground):
    page = open_playground(bypass_csp=True)
    for width, scheme in MODES:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert findings(page) == [], (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#one-epoch").click()
    page.locator("#step-neuron").click()
    page.wait_for_selector("#stepper .am-graph")
    for summary in ("#own", "#numbers", "#code"):
        page.locator(f"{summary} > summary").click()
    build(page, hidden="99")
    for width, scheme in MODES:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(200)
        assert findings(page) == [], (width, scheme, "with a stepper, a problem told, and everything unfolded")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_keys_reach_all_of_it(page):
    reached = []
    page.locator("#data").focus()
    for _ in range(60):
        reached.append(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    wanted = (
        "data hidden activation optimizer lr batch penalty seed play one-step one-epoch reset speed example part value"
    )
    assert [name for name in wanted.split() if name not in reached] == []
    assert {"step-neuron", "step-all", "link", "save", "load"} <= set(reached)
    page.locator("#play").focus()
    page.keyboard.press("Enter")
    assert page.locator("#play").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Enter")
    page.locator("#step-neuron").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#stepper .am-graph")
    assert page.evaluate("document.activeElement.id") == "h-stepper", "the reader is led there"
