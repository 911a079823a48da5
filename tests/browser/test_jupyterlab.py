"""The stepper and the watched training in a real JupyterLab, from the first run of a notebook to its exported page."""

from __future__ import annotations

import subprocess
import sys

import pytest

from browser.jupyterlab import a_lab, do, run_all, run_cell, save
from browser.stepping import STEPPER, press, step

pytestmark = pytest.mark.needs("jupyterlab", "nbconvert", "anywidget")

NEURON = """\
from autograd_mini import Value, step_through, tanh
w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(0.1, label="b")
stepper = step_through(tanh(w * x + b) + w)
"""
STEPS = 14  # by node; by edge one more, as w is used twice
PICTURE = ".jp-OutputArea img[alt*=Backpropagation]"
BACKGROUND = "() => getComputedStyle(document.querySelector('.am-stepper')).backgroundColor"


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory):
    with a_lab(chromium, tmp_path_factory.mktemp("jupyterlab")) as lab:
        yield lab
        assert lab.failures == []
        assert lab.addresses_elsewhere() == set(), "nothing is fetched from a network"


def wait_for_step(page, number, which=0):
    page.locator(f"{STEPPER}[data-step='{number}']").nth(which).wait_for()


def printed(page, what, expected):
    """Whether a cell prints this, soon: of the reader's moves only one at a time is on its way to the kernel."""
    return any(run_cell(page, f"print({what})") == expected for _ in range(20))


def ran(lab, name, *cells):
    """A notebook whose cells have been run, the stepper in it."""
    lab.write(name, *cells)
    page = lab.open(name)
    run_all(page)
    page.locator(f"{STEPPER} .am-count").first.wait_for()
    return page


def reopened(lab, page, name):
    """The notebook, saved, its kernel ended, opened in a new page."""
    save(page)
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.close()
    return lab.open(name)


def test_the_step_is_common_to_the_page_and_the_kernel(lab):
    page = ran(lab, "live.ipynb", NEURON + "heard = []\nstepper.on_step(heard.append)", "stepper")
    page.click(f"{STEPPER} [data-do=forward]")
    page.click(f"{STEPPER} [data-do=forward]")
    press(page, "ArrowRight")
    assert step(page) == 3
    assert printed(page, "stepper.step, heard", "3 [1, 2, 3]")
    assert run_cell(page, "stepper.step = 7") == ""
    wait_for_step(page, 7)
    press(page, "End")
    assert printed(page, "stepper.step, heard", f"{STEPS} [1, 2, 3, 7, {STEPS}]")
    assert run_cell(page, "stepper.step = 15") == f"step: expected a number from 0 to {STEPS}, the last step, got 15"
    page.get_by_label("grain").last.select_option("edge")
    assert printed(page, "stepper.count", f"{STEPS + 1}")


def test_every_output_of_a_stepper_and_its_widget_move_together(lab):
    page = ran(lab, "several.ipynb", NEURON, "stepper", "stepper", "stepper.widget")
    page.locator(STEPPER).nth(2).wait_for()
    for which, number in enumerate([1, 2, 3]):
        page.locator(STEPPER).nth(which).locator("[data-do=forward]").click()
        for other in range(3):
            wait_for_step(page, number, other)
    run_cell(page, "stepper.widget.step = 9")
    for which in range(3):
        wait_for_step(page, 9, which)
    assert printed(page, "stepper.step", "9")


def test_a_page_that_is_loaded_again_finds_its_kernel(lab):
    page = ran(lab, "again.ipynb", NEURON, "stepper")
    run_cell(page, "stepper.step = 5")
    wait_for_step(page, 5)
    save(page)
    page.reload()
    wait_for_step(page, 5)
    press(page, "ArrowLeft")
    assert printed(page, "stepper.step", "4")


def test_a_kernel_without_anywidget_shows_the_page_all_the_same(lab):
    cells = ['import sys\nsys.modules["anywidget"] = None\n' + NEURON + "stepper.step = 5", "stepper"]
    page = ran(lab, "plain.ipynb", *cells)
    assert step(page) == 5
    press(page, "ArrowRight")
    assert step(page) == 6
    assert run_cell(page, "print(stepper.step)") == "5"
    said = run_cell(page, "stepper.observe(print)")
    assert said.endswith('anywidget is needed; install it: pip install "autograd-mini[jupyter]"')


NOTEBOOKS_STATE = """() => { const { content } = window.jupyterapp.shell.currentWidget;
    return [content.widgets.map(cell => cell.model.type), content.activeCellIndex, content.mode]; }"""


def test_keys_reach_the_stepper_and_not_jupyterlab(lab):
    page = ran(lab, "keys.ipynb", NEURON, "stepper")
    page.click(f"{STEPPER} .am-panel")
    page.locator(STEPPER).focus()
    before = page.evaluate(NOTEBOOKS_STATE)
    for key in ["a", "b", "m", "d", "d", "x", "j", "k", "ArrowDown", "ArrowUp", "Enter", "Escape", "Shift+Enter", "l"]:
        page.keyboard.press(key)
    assert page.evaluate(NOTEBOOKS_STATE) == before
    for key, number in [("ArrowRight", 1), ("End", STEPS), ("ArrowLeft", STEPS - 1), ("Home", 0)]:
        page.keyboard.press(key)
        assert step(page) == number
    page.keyboard.press(" ")
    assert page.locator("[data-do=play]").get_attribute("aria-pressed") == "true"
    page.keyboard.press(" ")
    page.locator(".jp-InputPrompt").first.click()
    page.keyboard.press("b")
    assert len(page.evaluate(NOTEBOOKS_STATE)[0]) == 3, "outside of it they are JupyterLab's"


def test_a_notebook_of_ones_own_is_interactive_when_it_is_opened_again(lab):
    page = reopened(lab, ran(lab, "mine.ipynb", NEURON, "stepper"), "mine.ipynb")
    page.locator(f"{STEPPER} .am-count").wait_for()
    press(page, "ArrowRight", "ArrowRight")
    assert step(page) == 2
    assert "Error" not in page.locator(".jp-Notebook").text_content()


def test_a_notebook_that_is_not_trusted_shows_the_picture(lab):
    page = ran(lab, "signed.ipynb", NEURON, "stepper")
    save(page)
    page.close()
    notebook = lab.read("signed.ipynb")
    notebook.cells[0].source += "\n# somebody else's"
    for cell in notebook.cells:
        cell.metadata.pop("trusted", None)
    lab.store("strange.ipynb", notebook)
    page = lab.open("strange.ipynb")
    picture = page.locator(PICTURE)
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 500
    assert picture.bounding_box()["width"] > 500
    assert page.locator(".am-count").count() == 0
    output = page.locator(".jp-OutputArea-output").first
    assert output.text_content().strip() == "", "no text of the drawing, the style or the script is left over"


DRAWING = """\
from autograd_mini import draw, nn
loss = nn.squared_error(nn.MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]), 1.0)
loss.backward()
draw(loss)"""


def test_a_drawing_has_tooltips_in_a_notebook_of_ones_own_and_is_an_image_in_one_that_is_not_trusted(lab):
    page = ran(lab, "drawing.ipynb", DRAWING, NEURON, "stepper")
    assert page.locator(".am-drawing svg a").count() > 20
    assert page.get_by_role("link", name="full size").is_visible()
    save(page)
    page.close()
    notebook = lab.read("drawing.ipynb")
    notebook.cells[0].source += "\n# somebody else's"
    for cell in notebook.cells:
        cell.metadata.pop("trusted", None)
    lab.store("strange_drawing.ipynb", notebook)
    page = lab.open("strange_drawing.ipynb")
    picture = page.locator(".jp-OutputArea img[alt='The computational graph of L']")
    picture.wait_for()
    width, room = (page.locator(of).first.bounding_box()["width"] for of in ("img[alt^=The]", ".jp-OutputArea-output"))
    assert 300 < width <= room
    assert page.locator(".am-drawing svg").count() == 0
    assert page.locator(".jp-OutputArea-output").first.text_content().strip() == ""


def test_an_exported_notebook_is_interactive_offline(lab, chromium):
    page = ran(lab, "export.ipynb", NEURON + "stepper.step = 3", "stepper")
    save(page)
    page.close()
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(lab.folder / "export.ipynb")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto((lab.folder / "export.html").as_uri())
    assert step(page) == 3
    press(page, "End")
    assert step(page) == STEPS
    page.locator("[data-id=node-0]").dispatch_event("click")
    assert "Finite difference" in page.locator(".am-details").text_content()
    context.close()


def test_it_is_light_and_dark_as_jupyterlab_is(lab):
    page = ran(lab, "themes.ipynb", NEURON, "stepper")
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    do(page, "apputils:change-theme", theme="JupyterLab Dark")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    assert page.evaluate(BACKGROUND) == "rgb(21, 24, 28)"
    do(page, "apputils:change-theme", theme="JupyterLab Light")
    page.locator("body[data-jp-theme-light=true]").wait_for(state="attached")
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"


TRAINING = """\
from autograd_mini import Trainer, datasets, watch
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
X, y = datasets.moons(100, seed=0)
model = MLP(2, [8, 8, 1], rng=0)
trainer = Trainer(model, "hinge", SGD(model.parameters(), lr=0.1), epochs=150, engine="eager", progress=False)
watcher = watch(trainer, X, 2 * y - 1)
history = trainer.fit(X, 2 * y - 1)"""


def test_a_training_is_seen_as_it_happens_and_epoch_by_epoch_afterwards(lab):
    lab.write("training.ipynb", TRAINING)
    page = lab.open("training.ipynb")
    page.evaluate(
        """() => { window.pictures = new Set();
            new MutationObserver(() => document.querySelectorAll(".jp-OutputArea img").forEach(
                image => window.pictures.add(image.src))).observe(document.body, { subtree: true, childList: true });
            window.jupyterapp.commands.execute("notebook:run-all-cells"); }"""
    )
    page.locator(".am-bar").wait_for()
    assert page.evaluate("pictures.size") > 3, "it moved while it was trained"
    watch = page.locator(".am-watch")
    assert watch.count() == 1, "the page takes the place of the pictures"
    watch.press("Home")
    assert page.locator(".am-words").text_content() == "before the training"
    watch.press("ArrowRight")
    assert " of 150: training loss 0." in page.locator(".am-words").text_content()
    watch.press("b")
    assert page.locator(".jp-CodeCell").count() == 1
