"""The site, built strictly: nothing is fetched from elsewhere, pages fit a phone, axe-core finds nothing in them."""

from __future__ import annotations

import functools
import http.server
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from browser.test_accessibility import findings

pytestmark = pytest.mark.needs("sphinx", "myst-nb", "furo", "pyodide", "playwright", "axe-playwright-python")

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = {
    "the first page": "index.html",
    "a tour": "tour.html",
    "a lesson": "lessons/01_backprop_step_by_step.html",
    "the lessons": "lessons/index.html",
    "a how-to": "howto/own_operation.html",
    "a table": "derivatives.html",
    "messages": "errors.html",
    "the design": "design.html",
    "figures": "benchmarks.html",
    "a reference": "api/nn.html",
    "the list of names": "genindex.html",
    "a search": "search.html",
    "a formula": "try.html",
    "a training": "playground.html",
}
# What makes a browser fetch something by itself, in the text of a page or a style sheet.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|track)\b[^>]*\s(?:src|srcset)=["']?(?:https?:)?//"""
    r"""|<link\b(?=[^>]*\srel=["']?(?:stylesheet|icon|preload|preconnect|modulepreload))[^>]*\shref=["']?(?:https?:)?//"""
    r"""|@import\s+(?:url\()?["']?(?:https?:)?//|url\(["']?(?:https?:)?//""",
    re.IGNORECASE,
)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as README's command builds it, where a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", f"{folder}/trees"]
    done = subprocess.run([*command, "docs", f"{folder}/html"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return folder / "html"


@pytest.fixture(scope="module")
def address(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(chromium, address):
    """Open a page of the site; at the end nothing was asked of another server, and no script has failed."""
    contexts, elsewhere, failures = [], [], []

    def visit(path, width=1366, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        contexts.append(context)
        page = context.new_page()
        known = (address, "data:", "blob:")
        page.on("request", lambda request: request.url.startswith(known) or elsewhere.append(request.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
        page.goto(address + path, wait_until="load")
        if page.locator("mjx-container, .math").count():
            page.wait_for_function(
                "() => !window.MathJax?.startup?.promise || MathJax.startup.promise.then(() => true)"
            )
        return page

    yield visit
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert failures == []


def test_no_page_names_another_server_for_what_it_loads(site):
    texts = [path for path in site.rglob("*") if path.suffix in (".html", ".css")]
    assert len(texts) > 40
    found = {path.relative_to(site).as_posix(): FETCHED.findall(path.read_text(encoding="utf-8")) for path in texts}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_every_lesson_how_to_and_room_has_a_page(site):
    lessons = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert lessons == {path.stem for path in (site / "lessons").glob("[0-9]*.html")}
    assert not [*site.rglob("solution*")]
    guides = {path.stem for path in (ROOT / "docs" / "howto").glob("*.md")}
    assert guides <= {path.stem for path in (site / "howto").glob("*.html")}
    reference = "".join(path.read_text(encoding="utf-8") for path in (site / "api").glob("*.html"))
    import autograd_mini
    from autograd_mini import interchange, nn, optim

    rooms = {"nn", "optim", "schedules", "graph", "datasets", "teaching", "derivatives", "functions"}
    names = {*dir(autograd_mini), *nn.__all__, *optim.__all__, *interchange.__all__} - rooms
    names -= {"activations", "initializers", "losses"}  # rooms, too
    missing = [name for name in names if not name.startswith("__") and f">{name}</span>" not in reference]
    assert sorted(missing) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_serious_and_no_page_is_wider_than_the_window(visit, kind, width, scheme):
    page = visit(KINDS[kind], width, scheme)
    page.wait_for_timeout(300)
    serious = [found for found in findings(page) if found[0] in ("moderate", "serious", "critical")]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_stepper_in_a_lesson_steps_and_follows_the_switch_between_light_and_dark(visit):
    page = visit("lessons/10_stepping_through_backprop.html")
    stepper = page.locator(".am-stepper").first
    stepper.wait_for()
    before = stepper.inner_text()
    stepper.get_by_title("one step forward").or_(stepper.get_by_label("one step forward")).first.click()
    assert stepper.inner_text() != before
    ground = "() => getComputedStyle(document.querySelector('.am-page')).color"
    light = page.evaluate(ground)
    page.evaluate("document.body.dataset.theme = 'dark'")
    page.wait_for_function(f"light => ({ground})() !== light", arg=light)


def test_a_search_finds_a_name(visit):
    page = visit("search.html?q=vectorize")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li a").count() > 3


def test_formulas_are_set_by_the_mathjax_that_is_there(visit):
    page = visit("lessons/01_backprop_step_by_step.html")
    page.wait_for_selector("mjx-container svg")
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0


def test_no_formula_of_any_lesson_is_wrong(visit, site):
    for path in sorted((site / "lessons").glob("[0-9]*.html")):
        page = visit(f"lessons/{path.name}")
        assert page.locator("mjx-merror, [data-mjx-error]").count() == 0, path.name
