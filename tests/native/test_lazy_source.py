"""The text of a program for the native machine: it isn't needed to run it, and printed where somebody asks for it."""

import numpy as np
import pytest
from machines import needs_machine

import autograd_mini as ag
from autograd_mini.vectorizer import compiled
from autograd_mini.vectorizer.numpy_printer import NumpyPrinter

pytestmark = needs_machine


@pytest.fixture
def printed(monkeypatch):
    """The programs whose text was written, in the order in which it was."""
    found, source = [], NumpyPrinter.source

    def noted(printer):
        found.append(printer)
        return source(printer)

    monkeypatch.setattr(NumpyPrinter, "source", noted)
    return found


def test_the_text_is_printed_once_where_it_is_asked_for(printed, capsys):
    w = ag.Value(2.0)
    program = ag.vectorize(lambda x: ag.tanh(w * x))
    program([1.0, 2.0])
    program.value_and_grad([1.0, 2.0])
    assert "run by the native machine" in repr(program)
    assert not printed
    assert "def bind(" in program.source
    assert program.explain().statements > 3
    assert "array statements" in capsys.readouterr().out
    assert len(printed) == 1


def test_for_numpy_it_is_printed_to_run(printed):
    program = ag.vectorize(lambda x: ag.tanh(2.0 * x), backend="numpy")
    program([1.0, 2.0])
    assert len(printed) == 1


def test_a_formula_too_deep_for_the_table_alone_is_left_to_numpy(monkeypatch):
    def too_deep(*arguments):
        raise RecursionError

    monkeypatch.setattr(compiled, "native_program", too_deep)
    program = ag.vectorize(lambda x: ag.exp(x))
    assert program([1.0]).tolist() == [np.exp(1.0)]
    assert "run by NumPy: the formula of an operation of one's own is too deep for the machine" in str(
        program.explain()
    )
