"""The page where one types a formula, in Chromium: from a server on this machine, with nothing from elsewhere."""

from __future__ import annotations

import contextlib
import functools
import http.server
import itertools
import json
import os
import re
import runpy
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import parse_qs, quote

import pytest

from autograd_mini import step_through, to_latex, to_python
from autograd_mini.formulas.parse import parse

pytestmark = pytest.mark.needs("pyodide", "playwright", "axe-playwright-python")

ROOT = Path(__file__).resolve().parent.parent.parent
LEAVES = {"w": 0.5, "x": 2.0, "b": 0.1}
MOUNTED = (
    "() => document.querySelector('#state').textContent.startsWith('Shown') && document.querySelector('.am-stepper')"
)
IDLE = "() => !document.querySelector('#stepper').hasAttribute('aria-busy')"
LOADING = ["Downloading Python…", "Starting Python…", "Loading autograd_mini…", "Drawing…"]
VISITS = itertools.count()
MODES = [(width, scheme) for width in (1366, 390) for scheme in ("light", "dark")]
HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "an element": 'x + "<img src=x onerror=alert(1)>"',
    "very long": "x+" * 50_000 + "x",
    "long": "x+" * 2_000 + "x",
    "many nodes": "+".join(["x*y"] * 400),
    "brackets": "(" * 900 + "x" + ")" * 900,
    "functions": "sin(" * 400 + "x" + ")" * 400,
    "powers": "x**" * 660 + "x",
    "signs": "-" * 1900 + "x",
    "roots": "√" * 1900 + "x",
    "bars": "|" * 900 + "x" + "|" * 900,
    "a tower": "9" * 1900,
    "code": "__import__('os').system('ls')",
    "an attribute": "x.__class__",
    "words": "lambda: x",
    "nothing": "   ",
    "many names": "+".join(f"x{i}" for i in range(100)),
    "not text": "x + \ud800",
    "a null byte": "x + \0",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a page that is closed takes no more
            super().handle()

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")  # each page starts cold
        super().end_headers()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    runpy.run_path(str(ROOT / "docs" / "try_page.py"))["build"](folder)
    return folder


@pytest.fixture(scope="module")
def address(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/try.html"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def open_try(chromium, address):
    """Open the page; at the end no script has failed, and nothing was asked of another place."""
    contexts, failures, elsewhere = [], [], []
    home = address.rpartition("/")[0]

    def open_try(link="", wait=True, before=None, **options):
        context = chromium.new_context(**{"viewport": {"width": 1366, "height": 900}, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=home)
        contexts.append(context)
        near = ("data:", f"blob:{home}", home)
        context.on("request", lambda r: None if r.url.startswith(near) else elsewhere.append(r.url))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        if before is None:
            page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
        else:
            before(page)
        page.goto(address + link)
        if wait:
            page.wait_for_function(MOUNTED, timeout=60_000)
        return page

    yield open_try
    for context in contexts:
        context.close()
    assert failures == []
    assert elsewhere == []


@pytest.fixture(scope="module")
def opened(open_try):
    return open_try()


@pytest.fixture
def page(opened):
    """A page that shows the neuron, as somebody has left it who comes back to it."""
    opened.get_by_label("what to do").select_option("")
    opened.wait_for_function(IDLE)
    fill(opened, "x*x")
    link = f"formula=tanh(w*x %2B b)&leaf.w=0.5&leaf.x=2&leaf.b=0.1&visit={next(VISITS)}"
    opened.evaluate("link => { location.hash = link; }", link)
    opened.wait_for_function("() => document.querySelector('#state').textContent === 'Shown: tanh(w*x + b)'")
    return opened


def fill(page, formula):
    """Type a formula, and wait until it is shown or refused."""
    page.get_by_label("formula", exact=True).fill(formula)
    page.wait_for_function(IDLE)


def root_shown(page):
    return page.locator(".am-result").text_content()


def problem(page):
    part = page.locator("#problem")
    return part.inner_text() if part.is_visible() else ""


def texts_ready(page, formula=None):
    page.wait_for_function(
        "() => document.querySelector('#python').textContent && document.querySelector('#drawing img')"
    )
    page.wait_for_timeout(800)


def patience():
    """How many times as long this machine takes, as it has so much other work for each of its cores."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)) if hasattr(os, "getloadavg") else 1.0


def answer_is_asked(page):
    page.locator(".am-stepper").press("End")
    page.locator(".am-stepper").press("ArrowRight")
    page.get_by_label("question 1 of").wait_for()


# ----------------------------------------------------------------------------------------------- it comes up


def test_it_says_what_it_is_doing_until_the_first_stepper_which_comes_within_ten_seconds(open_try):
    record = """() => { window.said = []; const began = performance.now();
        new MutationObserver(() => {
            const text = document.querySelector("#state")?.textContent;
            if (text && said.at(-1) !== text) said.push(text);
            if (document.querySelector(".am-stepper")) window.took ??= performance.now();
        }).observe(document, { childList: true, subtree: true, characterData: true }); }"""
    for _ in range(3):  # the machine may have other work; each time the page starts cold
        page = open_try(before=lambda page: page.add_init_script(f"({record})()"))
        if page.evaluate("took") < 10_000 * patience():
            break
    said = page.evaluate("said")
    assert any(re.fullmatch(r"Downloading Python: \d+\.\d of 1\d\.\d MB…", text) for text in said), said
    assert [said.index(text) for text in LOADING] == sorted(said.index(text) for text in LOADING), said
    assert said[-1] == "Shown: tanh(w*x + b)"
    assert page.evaluate("took") < 10_000 * patience(), "milliseconds since the page was asked for"


def test_a_key_that_is_pressed_gives_a_new_stepper_within_a_fifth_of_a_second(page):
    page.evaluate("""() => { window.times = []; let pressed = 0;
        document.querySelector("#formula").addEventListener("keydown", event => { pressed = event.timeStamp; });
        new MutationObserver(() => { if (pressed && document.querySelector("#stepper .am-stepper svg"))
            requestAnimationFrame(() => { if (pressed) times.push(performance.now() - pressed); pressed = 0; });
        }).observe(document.querySelector("#stepper"), { childList: true }); }""")
    field = page.get_by_label("formula", exact=True)
    field.focus()
    field.press("End")
    for key in "+x*w+b*b":
        field.press(key)
        page.wait_for_function(IDLE)
        page.wait_for_timeout(150)
    times = page.evaluate("times")
    assert len(times) >= 4
    assert min(times) < 200 * patience(), times


def test_what_is_shown_is_what_the_library_says(page):
    root = parse("tanh(w*x + b)", **LEAVES)
    root.backward()
    texts_ready(page)
    assert page.locator("#latex").text_content() == str(to_latex(root))
    assert page.locator("#python").text_content() == to_python(root)
    assert page.locator("#typeset .katex-display").count() == 1
    assert page.locator("#typeset .katex-error").count() == 0
    rows = page.locator("#check tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows[1:]] == ["L", "v2", "b", "v1", "x", "w"]
    assert all("✓ agrees" in row for row in rows[1:])
    assert "0.718403\t0.718403" in rows[-1]


def test_a_click_on_an_edge_tells_its_slope(page):
    fill(page, "sigmoid(w*x)")
    page.locator(".am-stepper").first.press("End")
    page.get_by_label(re.compile("^edge from .* to L:")).dispatch_event("click")
    assert "1 − L" in page.locator(".am-details").inner_text().replace("-", "−")


def test_moved_leaves_are_followed_by_everything_else(page):
    field = page.get_by_label("value of w, typed")
    field.fill("1.5")
    field.press("Enter")
    assert "→" in root_shown(page)
    root = parse("tanh(w*x + b)", **{**LEAVES, "w": 1.5})
    page.wait_for_function("() => document.querySelector('#python').textContent.includes('w = 1.5')")
    assert page.locator("#python").text_content() == to_python(root)
    page.wait_for_url("**leaf.w=1.5**")


def test_a_leaf_that_leads_into_another_branch_gives_another_graph(page):
    fill(page, "where(x > 0, x*w, w)")
    field = page.get_by_label("value of x, typed")
    field.fill("-1")
    field.press("Enter")
    page.wait_for_function("() => document.querySelector('.am-result').textContent === 'L = 0.5'")


def test_a_name_in_a_condition_alone_has_a_field(page):
    fill(page, "where(c > 0, x, -x)")
    field = page.locator("#conditions").get_by_label("c", exact=True)
    before = root_shown(page)
    field.fill("-1")
    field.press("Enter")
    page.wait_for_function("before => document.querySelector('.am-result').textContent !== before", arg=before)


# --------------------------------------------------------------------------------------------- what is wrong


def test_what_is_wrong_is_marked_and_the_last_stepper_stays(page):
    before = page.locator(".am-graph").inner_text()
    fill(page, "tanh(w*x + b) + foo(x)")
    assert problem(page).startswith("unknown function 'foo'")
    assert page.locator("#problem mark").text_content() == "f"
    assert page.locator("#problem pre").text_content() == "tanh(w*x + b) + foo(x)"
    assert "Below is still tanh(w*x + b)." in problem(page)
    assert page.locator(".am-graph").inner_text() == before
    field = page.get_by_label("formula", exact=True)
    assert field.get_attribute("aria-invalid") == "true"
    fill(page, "tanh(w*x)")
    assert problem(page) == ""
    assert field.get_attribute("aria-invalid") is None


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_formulas_get_a_message(page, kind):
    fill(page, HOSTILE[kind])
    said = problem(page)
    assert len(said) > 15, said
    assert len(said) < 900
    assert "Error" not in said.replace("FormulaError", "")
    fill(page, "tanh(w*x + b)")
    assert problem(page) == "", "Python still answers"


def test_what_python_does_can_be_stopped_and_is_said_after_a_while(open_try):
    def slow(page):
        text = (ROOT / "docs/web/try_formula.py").read_text(encoding="utf-8")
        text += "\n_shown = shown\ndef shown(request):\n    while 'slow' in request: pass\n    return _shown(request)\n"
        page.route("**/try_formula.py", lambda route: route.fulfill(body=text, content_type="text/x-python"))

    page = open_try(before=slow)
    page.get_by_label("formula", exact=True).fill("slow*x")
    stop = page.get_by_role("button", name="Stop")
    stop.wait_for(state="visible")
    assert page.locator("#state").text_content() == "Still working on it…"
    page.locator(".am-stepper").first.press("End")
    assert page.locator(".am-stepper").get_attribute("data-step") == "12", "the page is alive meanwhile"
    stop.click()
    assert problem(page).startswith("Stopped.")
    page.get_by_label("formula", exact=True).fill("w*x")
    page.wait_for_function("() => document.querySelector('#state').textContent === 'Shown: w*x'")
    assert problem(page) == ""


@pytest.mark.parametrize("missing", ["pyodide.asm.wasm", "python_stdlib.zip", "files.json", "*.whl", "pyodide.mjs"])
def test_what_cannot_be_downloaded_is_said(open_try, missing):
    page = open_try(
        wait=False, before=lambda page: page.context.route(f"**/_pyodide/{missing}", lambda route: route.abort())
    )
    page.wait_for_function("() => /could not/.test(document.querySelector('#state').textContent)")
    assert "Reload the page to try again." in page.locator("#state").text_content()
    assert page.locator("#progress").is_hidden()


def test_a_page_that_is_opened_as_a_file_says_what_to_do(chromium, site):
    page = chromium.new_page()
    page.goto((site / "try.html").as_uri())
    page.wait_for_function("() => document.querySelector('#state').textContent.includes('python -m http.server')")
    page.close()


def test_nothing_can_be_fetched_from_elsewhere_by_python_either(page):
    reached = page.evaluate("""() => new Promise(done => {
        const script = URL.createObjectURL(new Blob([
            'fetch("http://127.0.0.2:9/").then(() => postMessage("reached"), error => postMessage(error.message))'],
            { type: "text/javascript" }));
        window.asker = new Worker(script, { type: "module" });
        asker.onmessage = ({ data }) => done(data); asker.onerror = ({ message }) => done(message); })""")
    assert reached == "Failed to fetch"
    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert "connect-src 'self'" in policy
    assert "default-src 'none'" in policy


# --------------------------------------------------------------------------------------- what one takes along


def test_a_link_carries_the_formula_its_leaves_and_what_is_asked(open_try, page):
    fill(page, "log(1+exp(-y*(w1*x1+w2*x2+b)))")
    field = page.get_by_label("value of w1, typed")
    field.fill("-1.25")
    field.press("Enter")
    page.get_by_label("what to do").select_option("both")
    page.wait_for_function("() => document.querySelector('.am-code')")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("() => document.querySelector('#state').textContent === 'Copied the link'")
    link = page.evaluate("navigator.clipboard.readText()")
    carried = parse_qs(link.partition("#")[2])
    assert carried["formula"] == ["log(1+exp(-y*(w1*x1+w2*x2+b)))"]
    assert carried["leaf.w1"] == ["-1.25"]
    other = open_try("#" + link.partition("#")[2])
    assert other.get_by_label("formula", exact=True).input_value() == carried["formula"][0]
    assert other.get_by_label("what to do").input_value() == "both"
    other.get_by_label("what to do").select_option("")
    other.wait_for_selector(".am-what-if")
    assert other.get_by_label("value of w1, typed").input_value() == "-1.25"


def test_a_damaged_link_is_told_and_does_no_harm(open_try):
    link = "#formula=" + quote("x*<b>y") + "&leaf.x=Infinity&leaf.y=&leaf.__proto__=3&hide=nothing"
    page = open_try(link, wait=False)
    page.wait_for_function("() => !document.querySelector('#problem').hidden")
    assert problem(page)
    page.wait_for_function("() => document.querySelector('#state').textContent.includes('Not used of the link')")
    said = page.locator("#state").text_content()
    for part in ["x = Infinity", "y = nothing", "hide=nothing"]:
        assert part in said
    fill(page, "x*y")
    assert problem(page) == ""
    assert page.locator("#state").text_content() == "Shown: x*y"


def test_a_name_with_an_index_is_found_in_a_link(open_try):
    page = open_try("#formula=" + quote("w₁*x") + "&leaf." + quote("w₁") + "=7")
    assert page.get_by_label("value of w1, typed").input_value() == "7"


def test_an_exercise_asks_and_shows_no_number_below(page):
    page.get_by_label("what to do").select_option("gradients")
    page.locator(".am-code").get_by_text("to come").wait_for()
    page.wait_for_selector("#below", state="hidden")
    answer_is_asked(page)
    page.get_by_label("what to do").select_option("")
    page.wait_for_selector("#below", state="visible")
    assert "L = 0.8005" in root_shown(page)


@pytest.mark.parametrize("kind", ["SVG", "PNG", "TikZ", "the stepper as a page"])
def test_figures_are_downloaded(page, kind, tmp_path, open_page):
    texts_ready(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name=kind, exact=True).click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    if kind == "SVG":
        assert ET.fromstring(path.read_text()).tag.endswith("svg")
    elif kind == "PNG":
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 5000
    elif kind == "TikZ":
        assert "\\begin{tikzpicture}" in path.read_text()
    else:
        assert open_page(path.read_text()).locator(".am-stepper").count() == 1


@pytest.mark.parametrize("name", ["LaTeX", "Python"])
def test_sources_are_copied(page, name):
    texts_ready(page)
    page.get_by_role("button", name=f"Copy {name}").click()
    page.wait_for_function("() => document.querySelector('#state').textContent.startsWith('Copied')")
    shown = page.locator(f"#{name.lower()}").text_content()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    if name == "Python":
        done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, timeout=60)
        assert "d_w = 0.718402632320549" in done.stdout


# -------------------------------------------------------------------------------------------- for everybody


@pytest.fixture(scope="module")
def looked_at(open_try):
    page = open_try(bypass_csp=True)
    page.get_by_text("its LaTeX").click()
    return page


@pytest.mark.parametrize(("width", "scheme"), MODES)
def test_axe_finds_nothing(looked_at, width, scheme):
    from browser.test_accessibility import findings

    page = looked_at
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.get_by_label("what to do").select_option("")
    fill(page, "tanh(w*x + b)")
    texts_ready(page)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the window"
    fill(page, "tanh(w*x + b) + foo(x)")
    assert findings(page) == [], "with something wrong"
    fill(page, "where(c > 0, w*x, -x)")
    assert findings(page) == [], "with a condition"
    page.get_by_label("what to do").select_option("gradients")
    page.locator(".am-code").get_by_text("to come").wait_for()
    answer_is_asked(page)
    assert findings(page) == [], "while it asks"


def test_it_is_used_by_the_keyboard_alone(page):
    page.locator("h1").click()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "formula"
    page.keyboard.press("Control+A")
    page.keyboard.type("w*x")
    page.wait_for_function("() => document.querySelector('#state').textContent === 'Shown: w*x'")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert {"example", "hide", "link", "SVG", "PNG", "TikZ", "Copy LaTeX", "Copy Python"} <= reached


@pytest.mark.parametrize("example", range(7))
def test_every_example_is_shown_and_its_gradients_agree(page, example):
    page.get_by_label("example").select_option(str(example))
    formula = page.get_by_label("formula", exact=True).input_value()
    page.wait_for_function("text => document.querySelector('#state').textContent === `Shown: ${text}`", arg=formula)
    page.wait_for_function("() => document.querySelector('#python').textContent.length > 100")
    page.wait_for_timeout(700)
    assert problem(page) == ""
    assert "✗" not in page.locator("#check").inner_text()


@pytest.mark.parametrize(
    ("formula", "leaves", "verdict"),
    [("x*a - y", {"x": 1e300}, "rounding"), ("x*a - y", {"x": 3}, "agrees"), ("relu(y)", {"y": 0}, "differs")],
)
def test_a_difference_that_is_lost_in_rounding_does_not_agree(site, formula, leaves, verdict):
    answered = runpy.run_path(str(site / "_web" / "try_formula.py"))
    rows = json.loads(answered["texts"](json.dumps({"formula": formula, "leaves": leaves})))["check"]
    assert {row["name"]: row["verdict"] for row in rows}["y"] == verdict


def test_the_data_of_the_stepper_are_those_of_the_library(site):
    answered = runpy.run_path(str(site / "_web" / "try_formula.py"))
    request = json.dumps({"formula": "tanh(w*x + b)", "leaves": {}, "hide": ""})
    payload = json.loads(answered["shown"](request))["payload"]
    root = parse("tanh(w*x + b)", **LEAVES)
    assert payload["nodes"] == json.loads(json.dumps(step_through(root).payload))["nodes"]
