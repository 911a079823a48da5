"""The step that a page and a kernel have in common, as far as it needs no notebook; steppers in files and frames."""

from __future__ import annotations

import json
import re

import pytest

from autograd_mini import step_through
from autograd_mini.nn import MLP
from autograd_mini.views import page as pages
from browser.conftest import MOUNTED
from browser.stepping import STEPPER, choose, press, step

# ------------------------------------------------------------------------------------------------ in Python


def test_the_step_is_where_the_page_begins(open_page, square, tmp_path):
    stepper = step_through(square)
    assert (stepper.step, stepper.count) == (0, 4)
    assert step_through(square, grain="edge").count == 5
    stepper.step = 3
    assert step(open_page(stepper.html())) == 3
    assert step(open_page(stepper._repr_mimebundle_()["text/html"])) == 3
    assert step(open_page(stepper.save(tmp_path / "a.html").read_text(encoding="utf-8"))) == 3


@pytest.mark.parametrize("grain", ["node", "edge"])
def test_the_count_is_that_of_the_page(open_page, request, grain):
    for graph in ("square", "diamond", "network"):
        stepper = step_through(request.getfixturevalue(graph), grain=grain)
        page = open_page(stepper.html())
        assert page.locator(".am-count").text_content() == f"step 0 of {stepper.count}"


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (5, ValueError, "step: expected a number from 0 to 4, the last step, got 5"),
        (-1, ValueError, "step: expected a number from 0 to 4, the last step, got -1"),
        (1.5, TypeError, "step: expected a whole number, got float"),
        ("2", TypeError, "step: expected a whole number, got str"),
    ],
)
def test_a_step_that_there_is_not(square, wrong, error, message):
    stepper = step_through(square)
    stepper.step = 2
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        stepper.step = wrong
    assert stepper.step == 2


WITHOUT_ANYWIDGET = """
import sys
sys.modules["anywidget"] = None
from autograd_mini import Value, step_through
from autograd_mini.errors import MissingDependencyError
x = Value(3.0, label="x")
stepper = step_through(x * x)
stepper.step = 2
print(stepper.step, sorted(stepper._repr_mimebundle_()))
for use in (lambda: stepper.observe(print), lambda: stepper.on_step(print), lambda: stepper.widget):
    try:
        use()
    except MissingDependencyError as error:
        print(error)
"""


def test_without_anywidget_it_says_what_to_install(run_python):
    first, *said = run_python(WITHOUT_ANYWIDGET).splitlines()
    assert first == "2 ['text/html', 'text/plain']"
    message = 'to hear of the steps in a notebook anywidget is needed; install it: pip install "autograd-mini[jupyter]"'
    assert said == [message] * 3


def test_anywidget_is_imported_in_a_kernel_only(run_python):
    code = """
import sys
from autograd_mini import Value, step_through
stepper = step_through(Value(3.0) * 2)
stepper.step = 1
stepper._repr_mimebundle_()
print([name for name in ("anywidget", "ipywidgets", "traitlets", "IPython") if name in sys.modules])"""
    assert run_python(code).strip() == "[]"


@pytest.mark.needs("anywidget")
def test_whoever_observes_hears_of_every_step(square):
    stepper, changes, numbers = step_through(square), [], []
    stepper.step = 1
    stepper.observe(changes.append, names="step")
    stepper.on_step(numbers.append)
    stepper.step = 3
    stepper.step = 3
    assert [(change["old"], change["new"]) for change in changes] == [(1, 3)]
    stepper.unobserve(changes.append, names="step")
    stepper.step = 0
    assert (len(changes), numbers) == (1, [3, 0])


@pytest.mark.needs("anywidget")
def test_the_widget_has_the_step_in_common_and_the_page_for_where_no_kernel_is(square):
    stepper = step_through(square)
    stepper.step = 2
    widget = stepper.widget
    assert widget.step == 2
    assert stepper.widget is widget
    stepper.step = 4
    assert widget.step == 4
    widget.step = 1
    assert stepper.step == 1
    widget.grain = "edge"
    assert stepper.count == 5
    data, _ = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert 'src="data:image/svg+xml;base64,' in data["text/html"]
    json.dumps(widget.get_state())  # what is sent to the page


@pytest.mark.needs("anywidget")
def test_what_the_kernel_sends_for_a_page_is_small(square):
    state = step_through(square)._joined.get_state()
    assert len(json.dumps({key: state[key] for key in ("_esm", "name", "step", "grain")})) < 1500
    assert state["_view_name"] is None
    assert "_css" not in state


# ------------------------------------------------------------------------------------------------ in a page

A_MODEL = """() => {
    const state = { name: "am-1", step: 2, grain: "node" }, calls = new Set();
    window.model = { get: key => state[key], on: (_, call) => calls.add(call), off: (_, call) => calls.delete(call),
        set: (key, value) => { const moved = key === "step" && state.step !== value; state[key] = value;
            if (moved) for (const call of calls) call(); },
        save_changes: () => window.saved.push([state.step, state.grain]) };
    window.saved = [];
    %s
    window.leave = joinModel(window.model);
}"""


def joined(square):
    return step_through(square)._page(joined="am-1")


@pytest.mark.parametrize("first", ["the page", "the model"])
def test_a_page_and_its_model_meet_whichever_is_first(open_page, square, first):
    page = open_page(joined(square) if first == "the page" else "<p></p>")
    page.evaluate(A_MODEL % pages.file("stepper/joint.js"))
    if first == "the model":
        page.evaluate(
            """html => { document.body.append(document.createRange().createContextualFragment(html)); }""",
            joined(square),
        )
        page.wait_for_function(MOUNTED)
    assert step(page) == 2
    press(page, "ArrowRight")
    assert page.evaluate("saved") == [[3, "node"]]
    page.evaluate("model.set('step', 1)")
    assert step(page) == 1
    assert page.evaluate("saved.length") == 1, "what the kernel did isn't told to it"


def test_pages_of_one_stepper_move_together(open_page, square):
    page = open_page(joined(square) + joined(square))
    page.evaluate(A_MODEL % pages.file("stepper/joint.js"))
    press(page, "End")
    assert (step(page, 0), step(page, 1)) == (4, 4)
    page.locator(STEPPER).nth(1).press("Home")
    assert (step(page, 0), step(page, 1)) == (0, 0)
    choose(page, "grain", "edge")
    assert page.evaluate("saved.at(-1)") == [0, "edge"]
    press(page, "End")
    assert (step(page, 0), step(page, 1)) == (5, 4), "the other has no fifth step"
    assert page.evaluate("saved.at(-1)") == [5, "edge"]


def test_without_its_kernel_a_page_goes_on_alone(open_page, square):
    page = open_page(joined(square))
    press(page, "ArrowRight")
    assert step(page) == 1
    page.evaluate(A_MODEL % pages.file("stepper/joint.js"))
    page.evaluate("leave()")
    press(page, "ArrowRight")
    assert (step(page), page.evaluate("saved")) == (3, [])


@pytest.mark.parametrize(
    "graph", [lambda: MLP(2, [1], rng=0)([1.0, 2.0]), lambda: sum(MLP(6, [6, 6], rng=0)([0.1] * 6))]
)
def test_a_frame_is_as_high_as_what_is_in_it(open_page, graph):
    page = open_page(step_through(graph())._mime_()[1])
    frame = page.frame_locator("iframe")
    frame.locator(STEPPER).press("End")
    assert frame.locator(".am-count").text_content().startswith("step")
    page.wait_for_timeout(300)
    whole, seen = frame.locator("html").evaluate("page => [page.scrollHeight, page.clientHeight]")
    assert 300 < seen < 1500
    assert whole == seen


# ------------------------------------------------------------------------------------------------ in a file


@pytest.mark.parametrize("name", ["a.html", "a.svg"])
def test_a_folder_that_is_not_there_is_named_before_any_work(square, tmp_path, monkeypatch, name):
    monkeypatch.setattr(pages, "fragment", lambda *_: pytest.fail("work was done"))
    with pytest.raises(FileNotFoundError, match=r"no such folder: '.*nowhere'"):
        step_through(square).save(tmp_path / "nowhere" / name)


def test_an_interrupted_save_leaves_the_old_file(square, tmp_path, monkeypatch):
    target = tmp_path / "a.html"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            step_through(square).save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
    assert target.read_text(encoding="utf-8") == "old"
    step_through(square).save(target)
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
