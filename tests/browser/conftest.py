"""What the tests in a real browser share: Chromium, driven by Playwright, without a network."""

from __future__ import annotations

import shutil

import pytest

from autograd_mini import Parameter, Value, tanh
from autograd_mini.nn import MLP

# The scripts of a page unpack themselves, which takes a moment; then they replace the picture.
MOUNTED = "() => document.querySelectorAll('.am-page > img').length === 0"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_itemcollected(item):
    """Mark the tests that drive a browser."""
    if "chromium" in item.fixturenames:
        item.add_marker(pytest.mark.needs("chromium", "playwright"))
        item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open HTML in a page that has no network; at the end nothing may have been asked of one, and no script failed."""
    contexts, failures, requests = [], [], []

    def open_page(html, **options):
        context = chromium.new_context(**{"offline": True, "viewport": {"width": 1200, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: requests.append(request.url))
        page.set_content(html)
        if options.get("java_script_enabled", True):
            page.wait_for_function(MOUNTED)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert failures == []
    assert [url for url in requests if not url.startswith("data:")] == []


@pytest.fixture
def neuron():
    """The root of tanh(w1 x1 + w2 x2 + b), and its leaves."""
    w1, x1, w2, x2, b = (
        Value(data, label=label) for data, label in [(-3.0, "w1"), (2.0, "x1"), (1.0, "w2"), (0.5, "x2"), (6.88, "b")]
    )
    z = w1 * x1 + w2 * x2 + b
    z.label = "z"
    return tanh(z), {"w1": w1, "x1": x1, "w2": w2, "x2": x2, "b": b}


@pytest.fixture
def square():
    """The root of x·x at 3."""
    x = Value(3.0, label="x")
    return x * x


@pytest.fixture
def network():
    """The loss of an MLP 2-3-1."""
    return (MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]) - 1.0) ** 2


@pytest.fixture
def diamond():
    """A graph with subtraction, division, a power, a unary minus, and two paths from a to the root."""
    a, b = Parameter(2.0, label="a"), Value(-3.0, label="b")
    return (-a * b - a / b) ** 2 + b**3 - 1.5 * a
