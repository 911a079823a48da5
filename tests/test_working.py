"""What is shown while a program is made: a bar that says what is being done, where somebody watches, and only then."""

import io
import sys
import threading
import time

import pytest

from autograd_mini import Trainer, Value, datasets, progress, vectorize
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
from autograd_mini.progress import showing, working


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watched(monkeypatch):
    """Return a terminal in the place of stderr, in which everything is shown soon; pytest takes it from a fixture."""
    monkeypatch.setattr(progress, "DELAY", 0.01)
    monkeypatch.setattr(progress, "_PAUSE", 0.01)
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def wait_for(text, terminal):
    """Wait until something is shown, as a function that is slow does."""
    until = time.monotonic() + 20.0
    while text not in terminal.getvalue() and time.monotonic() < until:
        time.sleep(0.01)


def drawing():
    return [thread for thread in threading.enumerate() if getattr(thread, "_target", None) is progress._draw]


def test_a_slow_trace_says_what_it_does_and_is_gone_at_the_end(monkeypatch):
    terminal = watched(monkeypatch)
    w = Value(2.0)

    def slow(x):
        wait_for("tracing it", terminal)
        return w * x

    assert vectorize(slow)([1.0, 2.0]).tolist() == [2.0, 4.0]
    assert "vectorizing slow: tracing it on one example |" in terminal.getvalue()
    assert "0/5" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")  # an empty line is left, from its beginning on
    assert not drawing()


def test_a_slow_comparison_with_the_eager_engine_says_so(monkeypatch):
    terminal = watched(monkeypatch)
    calls = []

    def f(x):
        calls.append(x)
        if len(calls) > 1:
            wait_for("engine: example 0", terminal)  # the title alone may be shown before
        return 2.0 * x

    vectorize(f)([1.0, 2.0])
    assert "comparing the program with the eager engine: example 0" in terminal.getvalue()


def test_an_error_ends_the_bar(monkeypatch):
    terminal = watched(monkeypatch)

    def broken(x):
        wait_for("tracing it", terminal)
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        vectorize(broken)([1.0])
    assert "tracing it" in terminal.getvalue()
    assert not drawing()


def test_what_is_quick_shows_nothing_in_a_terminal(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    vectorize(lambda x: 2.0 * x)([1.0])
    assert shown.getvalue() == ""


def test_where_nobody_watches_nothing_is_shown_and_no_thread_is_begun(monkeypatch, capsys):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    with working("a long work", 1) as say:
        say("something")
        assert not drawing()
        time.sleep(0.02)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("asked", "seen"), [(True, True), (False, False), (None, True)])
def test_a_training_shows_it_as_it_shows_its_epochs(monkeypatch, asked, seen):
    terminal = watched(monkeypatch)
    X, y = datasets.linear(6, n_features=2)
    model = MLP(2, [1], rng=0)
    calls = []

    def loss(prediction, target):
        calls.append(prediction)
        if seen and len(calls) > 1:  # the first one is tried out before
            wait_for("tracing it", terminal)
        return (prediction - target) ** 2

    Trainer(model, loss, SGD(model.parameters(), lr=0.1), epochs=1, progress=asked).fit(X, y)
    assert ("vectorizing objective: tracing it" in terminal.getvalue()) is seen


def test_inside_of_showing_it_is_as_asked_and_outside_as_before(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 30.0)
    with showing(True), working("one", 1):
        assert len(drawing()) == 1
    with working("two", 1):
        assert not drawing()


def test_in_jupyter_without_widgets_the_plain_bar_is_taken(monkeypatch):
    monkeypatch.setattr(progress, "in_jupyter", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm.notebook", None)  # as where it can't be imported
    shown = io.StringIO()
    with progress._bar(total=3, file=shown) as bar:
        bar.update()
    assert "1/3" in shown.getvalue()
