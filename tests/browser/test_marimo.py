"""The stepper in a real marimo: interactive as it is, and in step with the kernel as a widget."""

from __future__ import annotations

import sys

import pytest

from browser.servers import a_server
from browser.stepping import STEPPER

pytestmark = pytest.mark.needs("marimo", "anywidget")

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from autograd_mini import Value, step_through, tanh

    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    stepper = step_through(tanh(w * x))
    stepper
    return mo, stepper


@app.cell
def _(mo, stepper):
    shown = mo.ui.anywidget(stepper.widget)
    shown
    return (shown,)


@app.cell
def _(mo, shown):
    mo.md(f"the kernel is at {shown.value['step']}")
    return


if __name__ == "__main__":
    app.run()
"""
STEPS = 8


@pytest.fixture(scope="module")
def marimo(tmp_path_factory):
    """The address of a running notebook."""
    folder = tmp_path_factory.mktemp("marimo")
    notebook = folder / "notebook.py"
    notebook.write_text(NOTEBOOK, encoding="utf-8")

    def command(port):
        options = ["--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]
        return [sys.executable, "-m", "marimo", "--yes", "run", str(notebook), *options]

    places = {f"XDG_{place}_HOME": str(folder / place) for place in ("CONFIG", "DATA", "STATE", "CACHE")}
    with a_server(command, lambda port: f"http://127.0.0.1:{port}/health", folder / "marimo.log", **places) as port:
        yield f"http://127.0.0.1:{port}/"


def test_it_is_interactive_and_as_a_widget_in_step_with_the_kernel(chromium, marimo):
    failures, requests = [], []
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(marimo)

    frame = page.frame_locator("iframe")
    frame.locator("[data-do=last]").click()
    assert frame.locator(STEPPER).get_attribute("data-step") == str(STEPS)
    frame.locator(STEPPER).press("ArrowLeft")
    assert frame.locator(STEPPER).get_attribute("data-step") == str(STEPS - 1)
    page.wait_for_function("document.querySelector('iframe').offsetHeight < 700")
    whole = frame.locator("html").evaluate("page => [page.scrollHeight, page.clientHeight]")
    assert whole[0] == whole[1], "there is nothing to scroll"

    page.locator(f"{STEPPER} [data-do=forward]").click()
    page.get_by_text("the kernel is at 1").wait_for()
    page.locator(STEPPER).press("End")
    page.get_by_text(f"the kernel is at {STEPS}").wait_for()

    assert failures == []
    assert {url for url in requests if not url.startswith(("data:", "blob:", marimo))} == set()
    context.close()
