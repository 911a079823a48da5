"""The readings on floats and on arrays, function by function: the same names and numbers, NumPy's way with arrays."""

import math
import sys
import types

import numpy as np
import pytest

from autograd_mini.engine import arrays as array
from autograd_mini.engine import floats
from autograd_mini.engine.primitives import PRIMITIVES, find
from autograd_mini.engine.value import differentiable
from autograd_mini.formulas import expression as text

inf, nan = math.inf, math.nan


class Recorder:
    """A namespace that hands on to another one and writes down which of its functions were asked for."""

    def __init__(self, namespace):
        self._namespace = namespace
        self.asked_for = set()

    def __getattr__(self, name):
        self.asked_for.add(name)
        return getattr(self._namespace, name)


def functions_the_rules_use():
    recorder = Recorder(text)
    for primitive in PRIMITIVES.values():
        operands = [text.symbol(f"x{i}") for i in range(primitive.arity or 3)]
        primitive.forward(recorder, *operands)
        primitive.derivatives(recorder, text.symbol("y"), *operands)
    return sorted(recorder.asked_for)


@pytest.mark.parametrize(
    "namespace", [floats, array, text, differentiable], ids=["floats", "array", "text", "differentiable"]
)
def test_every_reading_has_every_function_that_a_rule_uses(namespace):
    used = functions_the_rules_use()
    assert {"divide", "power", "equal", "where", "exp", "sum", "softmax"} <= set(used)
    assert [name for name in used if not callable(getattr(namespace, name, None))] == []


def test_the_differentiable_reading_says_which_function_it_lacks():
    with pytest.raises(AttributeError, match="no primitive is named 'gamma'; the table has add"):
        differentiable.gamma  # noqa: B018


def test_the_differentiable_reading_of_plain_numbers_gives_plain_numbers():
    assert differentiable.exp(0.0) == 1.0
    assert type(differentiable.exp(0.0)) is float
    assert differentiable.sum([1.0, 2.0]) == 3.0
    assert differentiable.softmax(0.0, 0.0) == (0.5, 0.5)
    assert differentiable.equal(1.0, 1.0) is True


def test_rules_on_arrays_work_element_by_element():
    x = np.array([[-1.0, 0.0], [2.0, 1000.0]])
    out = find("tanh").forward(array, x)
    (derivative,) = find("tanh").derivatives(array, out, x)
    assert out.shape == derivative.shape == x.shape
    np.testing.assert_allclose(out, np.tanh(x), rtol=1e-15)
    np.testing.assert_allclose(derivative, [[1 / math.cosh(1) ** 2, 1.0], [1 / math.cosh(2) ** 2, 0.0]], rtol=4e-15)


def test_rules_on_arrays_broadcast():
    column, row = np.array([[1.0], [2.0]]), np.array([[3.0, 2.0, 1.0]])
    assert find("maximum").forward(array, column, row).tolist() == [[3.0, 2.0, 1.0], [3.0, 2.0, 2.0]]
    shares = find("maximum").derivatives(array, np.maximum(column, row), column, row)
    assert shares[0].tolist() == [[0.0, 0.0, 0.5], [0.0, 0.5, 1.0]]
    assert array.softmax(column, row)[0].shape == array.logsumexp(column, row).shape == (2, 3)


def test_logsumexp_of_arrays_takes_ties_for_the_largest_one_by_one():
    ones = np.ones(4)
    assert array.logsumexp(ones, ones, ones).tolist() == pytest.approx([1 + math.log(3)] * 4)
    with np.errstate(invalid="ignore"):
        mixed = array.logsumexp(np.array([5.0, 1.0, -inf, inf]), np.array([5.0, 9.0, -inf, 0.0]))
    assert mixed.tolist() == pytest.approx([5 + math.log(2), 9 + math.log1p(math.exp(-8)), -inf, inf])


def test_softmax_adds_up_to_1_in_both_readings():
    numbers = (1000.0, 999.0, -1000.0, 3.0)
    assert sum(floats.softmax(*numbers)) == pytest.approx(1.0, rel=1e-15)
    assert sum(array.softmax(*map(np.float64, numbers))) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("x", [0.0, 0.3, -1.7, 5.9, 26.0, 39.9, 41.0, 1e10, -inf])
def test_exp_minus_square_keeps_the_digits_of_the_square(x):
    from mpmath import mp, mpf

    with mp.workdps(50):
        want = float(mp.exp(-(mpf(x) ** 2)))
    assert floats.exp_minus_square(x) == pytest.approx(want, rel=1e-15, abs=1e-323)
    with np.errstate(all="ignore"):
        assert float(array.exp_minus_square(np.float64(x))) == pytest.approx(want, rel=1e-15, abs=1e-323)


def test_exp_minus_square_of_nan_is_nan():
    assert math.isnan(floats.exp_minus_square(nan))
    assert math.isnan(array.exp_minus_square(np.float64(nan)))


def test_the_extrema_of_both_readings_hand_nan_on_from_any_place():
    for numbers in ((nan, 1.0, 2.0), (1.0, nan, 2.0), (1.0, 2.0, nan)):
        assert math.isnan(floats.maximum(*numbers))
        assert math.isnan(floats.minimum(*numbers))
        assert math.isnan(array.maximum(*map(np.float64, numbers)))
        assert math.isnan(array.minimum(*map(np.float64, numbers)))
    assert floats.maximum(1.0, 3.0, 2.0) == array.maximum(1.0, 3.0, 2.0) == 3.0
    assert floats.minimum(2.0, 1.0, 3.0) == array.minimum(2.0, 1.0, 3.0) == 1.0


def test_the_empty_sum_is_0_in_every_reading():
    assert floats.sum([]) == array.sum([]) == differentiable.sum([]) == 0.0


def test_erf_of_arrays_needs_no_scipy_and_agrees_with_the_one_of_floats(monkeypatch):
    x = np.array([[-1.0, 0.0], [0.5, 30.0]])
    want = [[math.erf(value) for value in row] for row in x]
    np.testing.assert_allclose(array.erf(x), want, rtol=1e-15)

    monkeypatch.setattr(array, "_erf", lambda: None)
    assert array.erf(x).tolist() == want
    assert array.erfc(x).tolist() == [[math.erfc(value) for value in row] for row in x]
    assert array.erf(np.array([])).shape == (0,)


def test_erf_of_arrays_is_scipys_where_scipy_is_installed(monkeypatch):
    special = types.ModuleType("scipy.special")
    special.erf = lambda a: f"scipy's erf of {a}"
    scipy = types.ModuleType("scipy")
    scipy.special = special
    monkeypatch.setitem(sys.modules, "scipy", scipy)
    monkeypatch.setitem(sys.modules, "scipy.special", special)
    array._erf.cache_clear()
    try:
        assert array.erf(0.5) == "scipy's erf of 0.5"
    finally:
        array._erf.cache_clear()


def test_the_functions_on_floats_are_those_of_math_where_math_does_not_raise():
    assert floats.exp(1.0) == math.exp(1.0)
    assert floats.tanh is math.tanh
    assert type(floats.exp(1000.0)) is float
    assert type(floats.log(0.0)) is float
