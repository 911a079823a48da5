"""A student's answer: it is read as it is typed, judged, and a wrong one is told what was probably done."""

import math

import pytest

from autograd_mini import Value, exp, log, sigmoid, tanh
from autograd_mini.explanations.mistakes import (
    AnswerError,
    gradient_question,
    judged,
    local_question,
    number_of,
)
from autograd_mini.views.page import DIGITS


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("3*2", 6.0),
        ("1-0.6044^2", 1 - 0.6044**2),
        ("0,786", 0.786),
        ("11/14", 11 / 14),
        ("2e-3", 0.002),
        ("-.5", -0.5),
        ("−3", -3.0),
        ("2**-1", 0.5),
        ("-2²", -4.0),
        ("2^3^2", 512.0),
        ("1 - tanh(0,7)²", 1 - math.tanh(0.7) ** 2),
        (" (1+2)·3 ", 9.0),
        (4, 4.0),
    ],
)
def test_an_answer_is_read_as_it_is_typed(typed, meant):
    assert number_of(typed) == meant, f"{typed!r} is {meant}"


@pytest.mark.parametrize("typed", ["", "abc", "2(3)", "1e", "(1", "1/0", "1.0.5", "1;2", "x" * 300, "tanh 2", "1e999"])
def test_what_cannot_be_read_is_no_wrong_answer(typed):
    with pytest.raises(AnswerError):
        number_of(typed)


def two_paths():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    return a, b, c, 4 * c + 7 * a


@pytest.mark.parametrize(
    ("answer", "words"),
    [(7, "path is missing"), (5, "sign"), (4, "upstream gradient is left out"), (11, "factor is missing")],
)
def test_a_wrong_gradient_is_told_what_was_probably_done(answer, words):
    a, _, _, loss = two_paths()
    said = judged(answer, gradient_question(loss, a))
    assert not said, f"{answer} for -5"
    assert words in said.sentence, f"{answer} for -5: {said}"


def test_local_derivatives_and_totals_that_are_mixed_up_are_told_so():
    _, _, c, loss = two_paths()
    asked = local_question(loss, c, 0)
    assert judged("-3", asked), "∂c/∂a is b"
    assert "local times upstream" in judged("-12", asked).sentence, "4 times -3"
    assert "total" in judged("-5", asked).sentence, "∂L/∂a"
    assert "other operand" in judged("2", asked).sentence, "∂c/∂b"
    assert "value" in judged("-6", asked).sentence, "c itself"


def test_a_half_remembered_rule_is_told_which_part_is_missing():
    z = Value(0.7, label="z")
    asked = local_question(y := tanh(z), y, 0)
    assert judged("1-0.6044^2", asked), "the rule, in four digits"
    assert "square is missing" in judged("1-0.6044", asked).sentence


def test_a_mistake_that_gives_the_right_number_is_none():
    x = Value(2.0, label="x")
    assert judged(4, gradient_question(x * x, x)), "also the value of L is 4"
    assert all(wrong != 4 for wrong, _ in gradient_question(x * x, x).mistakes)


def test_three_digits_are_enough_and_two_are_not():
    w = Value(0.78562, label="w")
    asked = gradient_question(w * Value(1.0, label="x"), w)
    assert judged("1", asked), "exact"
    assert judged("1.004", asked), "within half a percent"
    assert not judged("1.01", asked), "a percent off"


def test_zero_is_right_where_terms_cancel_out_but_for_rounding():
    x = Value(0.1, label="x")
    loss = x * 0.3 - x * 0.1 - x * 0.2
    assert judged("0", gradient_question(loss, x)), "0.3 - 0.1 - 0.2 is about -3e-17 in floats"


@pytest.mark.parametrize(
    ("function", "at", "typed"),
    [(tanh, 6.0, "1-1^2"), (tanh, 3.7, "1-0.9988^2"), (sigmoid, 6.0, "0.9975*(1-0.9975)"), (sigmoid, 12.0, "1*(1-1)")],
)
def test_the_rule_is_right_with_the_digits_that_are_shown(function, at, typed):
    y = function(Value(at, label="z"))
    assert f"{y.data:.{DIGITS}g}" in typed, "as a page shows it"
    asked = local_question(y, y, 0)
    assert judged(typed, asked), f"the rule gives {number_of(typed)}, the engine {asked.number}"
    assert not judged("-1", asked)


def test_the_terms_of_a_sum_are_right_with_the_digits_that_are_shown():
    e, other = exp(Value(9.0, label="z1")), Value(-1.0, label="z2")
    asked = gradient_question(-log(e / (e + exp(other))), e)
    assert abs(asked.number) < asked.scale / 1000, "two terms that nearly cancel out"
    assert judged("0.0001234 - 0.0001234", asked), "they are equal in four digits"
    assert "One path is missing" in judged("0.0001234", asked).sentence


def test_the_right_number_in_two_digits_is_told_to_be_rounded_too_far():
    z = Value(0.7, label="z")
    y = tanh(z)
    for asked in (local_question(y, y, 0), gradient_question(y, z)):
        assert "rounded too far" in judged("0.63", asked).sentence, asked.number
        assert "rounded too far" not in judged("0.62", asked).sentence
    a = Value(127.0, label="a")
    b = Value(1.0, label="b")
    assert "rounded" not in judged("130", gradient_question(a * b, b)).sentence, "nobody rounds 127 so"
