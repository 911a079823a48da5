"""The progress bar: seen in a terminal and where it is asked for, silent elsewhere."""

import io
import sys
from types import SimpleNamespace

import pytest

from autograd_mini import Trainer, datasets
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
from autograd_mini.training import progress
from autograd_mini.training.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def fit(shown, **options):
    model = MLP(2, [1], rng=0)
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=4, progress=shown, **options)
    return trainer.fit(*datasets.linear(6, n_features=2))


@pytest.mark.parametrize("shown", [None, False])
def test_silent_when_not_a_terminal_or_switched_off(capsys, shown):
    fit(shown)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_shown_where_it_is_asked_for(capsys):
    history = fit(True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "4/4" in captured.err
    assert "epoch" in captured.err
    assert f"loss={history.loss[-1]:.4f}" in captured.err


def test_shown_in_a_terminal_unless_switched_off(monkeypatch):
    for shown, expected in ((None, True), (False, False), (True, True)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        fit(shown)
        assert ("4/4" in terminal.getvalue()) is expected


def test_the_validation_loss_is_on_the_bar(capsys):
    history = fit(True, validation=datasets.linear(3, n_features=2))
    assert f"validation={history.validation_loss[-1]:.4f}" in capsys.readouterr().err


def test_a_stopped_fit_closes_the_bar(monkeypatch):
    closed = []
    original = progress_bar

    def watched(*arguments):
        bar = original(*arguments)
        close = bar.close
        bar.close = lambda: (closed.append(True), close())
        return bar

    monkeypatch.setattr("autograd_mini.training.trainer.progress_bar", watched)
    model = MLP(2, [1], rng=0)
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=1e200), epochs=50, progress=False)
    with pytest.raises(ArithmeticError):
        trainer.fit(*datasets.linear(6, n_features=2))
    assert closed


def test_jupyter_is_known_by_its_kernel(monkeypatch):
    def with_shell(shell):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
        return progress._in_jupyter()

    assert with_shell(SimpleNamespace(config={"IPKernelApp": {}}))
    assert not with_shell(SimpleNamespace(config={"TerminalIPythonApp": {}}))
    assert not with_shell(None)
    monkeypatch.delitem(sys.modules, "IPython")
    assert not progress._in_jupyter()


def test_the_bar_is_shown_in_jupyter(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_in_jupyter", lambda: True)
    fit(None)
    assert "4/4" in capsys.readouterr().err
