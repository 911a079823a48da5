"""Numbers of every kind beside a `Value`, NumPy's arrays of them, and what a `Value` refuses."""

import cmath
import copy
import math
import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Value, exp
from autograd_mini.engine.reals import as_float

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
# All of them are the number 2 or 1, exactly, whatever their precision.
NUMBERS = [
    2,
    2.0,
    True,
    np.float64(2),
    np.float32(2),
    np.float16(2),
    np.longdouble(2),
    np.int64(2),
    np.int8(2),
    np.uint8(2),
    np.bool_(True),
    Fraction(2),
    Decimal(2),
]
KINDS = [pytest.param(number, id=type(number).__name__) for number in NUMBERS]


@pytest.mark.parametrize("number", KINDS)
@pytest.mark.parametrize("symbol", OPERATORS)
def test_numbers_of_every_real_kind_serve_on_either_side_of_every_operator(symbol, number):
    operate = OPERATORS[symbol]
    plain = float(number)
    for left, right in ((True, False), (False, True)):
        v = Value(3.0)
        node = operate(v, number) if left else operate(number, v)
        twin = Value(3.0)
        want = operate(twin, Value(plain)) if left else operate(Value(plain), twin)
        assert type(node) is Value
        assert type(node.data) is float
        assert node.data == want.data
        assert node.primitive is want.primitive
        assert [parent.data for parent in node.parents] == ([3.0, plain] if left else [plain, 3.0])
        node.backward()
        want.backward()
        assert v.grad == twin.grad
        assert v.grad != 0.0 or plain == 1.0  # 1**v is 1 whatever v is
        assert (left, right) == (node.parents[0] is v, node.parents[1] is v)


@pytest.mark.parametrize("number", KINDS)
def test_a_value_is_made_of_a_number_of_every_real_kind(number):
    v = Value(number)
    assert type(v.data) is float
    assert v.data == float(number)


@pytest.mark.parametrize("number", KINDS)
def test_comparisons_with_a_number_of_every_real_kind_compare_data(number):
    v = Value(1.5)
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        assert compare(v, number) == compare(1.5, float(number))
        assert compare(number, v) == compare(float(number), 1.5)


@pytest.mark.parametrize("number", [10**400, -(10**400), Fraction(10**400, 3), Decimal("-1e400")])
def test_finite_numbers_beyond_the_floats_are_refused_wherever_they_come(number):
    v = Value(1.0)
    uses = [
        *(lambda: as_float(number), lambda: Value(number), lambda: setattr(v, "data", number)),
        *(lambda: v + number, lambda: number - v, lambda: v * number, lambda: number / v, lambda: v**number),
        lambda: v.backward(number),
        *(lambda: ag.maximum(v, number), lambda: ag.exp(number), lambda: ag.dot([v], [number])),
        *(lambda: ag.grad(lambda x: x * x)(number), lambda: ag.nn.Parameter(number)),
    ]
    message = rf"at most 1\.8e308, got a larger {type(number).__name__}; compute with its logarithm"
    for use in uses:
        with pytest.raises(OverflowError, match=message):
            use()
    assert (v.data, v.grad) == (1.0, 0.0)
    assert (v < number, v >= number) == (number > 0, number < 0)  # Python compares a float with any of them


def test_infinities_stay_infinite_and_a_signalling_nan_becomes_nan():
    for infinity in (math.inf, Decimal("Infinity"), np.float32("inf"), np.longdouble("inf")):
        assert as_float(infinity) == math.inf
        assert as_float(-infinity) == -math.inf
    assert math.isnan(as_float(Decimal("sNaN")))
    assert math.isnan(as_float(Decimal("NaN")))


def test_fractions_and_decimals_keep_their_digits():
    assert Value(Fraction(1, 3)).data == 1 / 3
    assert (Fraction(1, 3) * Value(3.0)).data == 1.0
    assert (Value(1.0) + Decimal("0.1")).data == 1.1


REFUSED = [
    pytest.param(1j, r"got complex 1j; a Value is real: make one of its \.real and one of its \.imag", id="complex"),
    pytest.param(np.complex128(1j), r"got complex(128)? .*1j.*; a Value is real", id="complex128"),
    pytest.param("3", r"got str '3'; if it holds a number, convert it with float\(\.\.\.\) first", id="str"),
    pytest.param(b"3", r"got bytes b'3'; if it holds a number, convert it with float", id="bytes"),
    pytest.param([3.0], r"got list \[3\.0\]; a Value is one number: make one of each element", id="list"),
    pytest.param((3.0,), r"got tuple \(3\.0,\); a Value is one number", id="tuple"),
    pytest.param({"a": 1}, r"got dict \{'a': 1\}; a Value is one number", id="dict"),
    pytest.param({1.0}, r"got set \{1\.0\}; a Value is one number", id="set"),
    pytest.param(None, r"got None; did a function forget its return\?", id="None"),
    pytest.param(
        object, r"got type <class 'object'>; pass an int, a float, a numpy scalar, a Fraction or a", id="type"
    ),
]
ARRAY = np.array([1.0, 2.0])
ARRAY_MESSAGE = r"got ndarray of shape \(2,\); a Value is one number: use \.item\(\) of an array of one, or put Values"


@pytest.mark.parametrize(("thing", "message"), [*REFUSED, pytest.param(ARRAY, ARRAY_MESSAGE, id="ndarray")])
def test_what_is_no_real_number_is_refused_with_its_type_and_advice(thing, message):
    message = "expected a real number, " + message
    with pytest.raises(TypeError, match=message):
        Value(thing)
    v = Value(1.0)
    with pytest.raises(TypeError, match=message):
        v.data = thing
    assert v.data == 1.0
    for operate in (*OPERATORS.values(), operator.lt, operator.ge):
        with pytest.raises(TypeError, match=message):
            operate(v, thing)


@pytest.mark.parametrize(("thing", "message"), REFUSED)
def test_what_is_no_real_number_is_refused_on_the_left_too(thing, message):
    for operate in (operator.sub, operator.truediv, operator.pow):
        with pytest.raises(TypeError, match="expected a real number, " + message):
            operate(thing, Value(1.0))


def test_a_value_is_not_made_of_a_value():
    with pytest.raises(TypeError, match=r"it is a node already: use it as it is, or its \.data for the bare number"):
        Value(Value(1.0))


def test_a_long_thing_is_named_briefly():
    with pytest.raises(TypeError) as caught:
        Value("x" * 10_000)
    assert len(str(caught.value)) < 250


def test_assignment_to_data_converts_and_refuses():
    v = Value(1.0)
    for number in (2, np.float32(0.5), Fraction(1, 4), Decimal("0.125"), True):
        v.data = number
        assert type(v.data) is float
        assert v.data == float(number)
    v.data -= 0.5 * 1
    assert v.data == 0.5
    with pytest.raises(TypeError, match="it is a node already"):
        v.data = Value(2.0)
    assert v.data == 0.5


# --------------------------------------------------------------------------------- what would lose the gradient unseen


def test_conversion_to_a_bare_number_is_refused_with_advice():
    v = Value(2.0)
    with pytest.raises(TypeError, match=r"doesn't turn into a float .* gradient would be lost: use v\.data"):
        float(v)
    for function in (math.exp, math.sqrt, math.tanh, math.isnan, math.fsum):
        with pytest.raises(
            TypeError, match=r"functions of autograd_mini \(exp, log, tanh, \.\.\.\) instead of those of math"
        ):
            function([v] if function is math.fsum else v)
    with pytest.raises(TypeError, match=r"doesn't turn into an int .* use int\(v\.data\)"):
        int(v)
    with pytest.raises(TypeError, match=r"doesn't turn into a complex number.*use v\.data"):
        complex(v)
    with pytest.raises(TypeError, match=r"doesn't turn into a complex number"):
        cmath.exp(v)


def test_a_value_is_neither_true_nor_false():
    v = Value(1.0)
    message = r"neither true nor false: compare it, as in `if v > 0:`, test `v\.data`, or ask `v is not None`"
    for ask in (bool, operator.not_, lambda v: v and 1, lambda v: 1 if v else 0, lambda v: any([v])):
        with pytest.raises(TypeError, match=message):
            ask(v)


def test_an_array_of_floats_takes_no_value_in():
    with pytest.raises(TypeError):
        np.zeros(2)[0] = Value(1.0)
    with pytest.raises(TypeError):
        np.array([Value(1.0)], dtype=float)


# --------------------------------------------------------------------------------------- comparing, hashing, printing


def test_comparisons_compare_data():
    a, b = Value(1.0), Value(2.0)
    assert a < b
    assert a <= b
    assert b > a
    assert b >= a
    assert not a > b
    assert not b <= a
    assert a < 2
    assert 2 > a  # noqa: SIM300
    assert Value(2.0) <= b <= Value(2.0)
    assert not Value(math.nan) < 1
    assert not Value(math.nan) >= 1


def test_equality_and_hash_are_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert a == 1.0
    assert len({a, b, a}) == 2
    names = {a: "a", b: "b"}
    assert (names[a], names[b]) == ("a", "b")
    a.data = 5.0
    assert names[a] == "a"
    assert [b, a].index(a) == 1
    assert copy.copy(a) not in {a}


def test_a_value_prints_its_data_its_gradient_and_its_label():
    v = Value(2.5)
    assert repr(v) == str(v) == f"{v}" == "Value(data=2.5, grad=0.0)"
    assert repr(Value(-1, label="bias")) == "Value(data=-1.0, grad=0.0, label='bias')"
    v.grad = Value(7.0)
    assert repr(v) == "Value(data=2.5, grad=7.0)"


def test_formatting_formats_the_data():
    v = Value(math.pi)
    assert f"{v:.3f} {v:8.2e} {v:+g}" == "3.142 3.14e+00 +3.14159"
    assert "{:>8.1f}".format(v) == "     3.1"  # noqa: UP032
    with pytest.raises(ValueError, match="format"):
        f"{v:nonsense}"


def test_sorting_and_extrema_of_python_go_by_data():
    values = [Value(x) for x in (3.0, -1.0, 2.0)]
    assert [v.data for v in sorted(values)] == [-1.0, 2.0, 3.0]
    assert max(values) is values[0]
    assert min(values) is values[1]
    assert max(values, key=abs) is values[0]


# ------------------------------------------------------------------------------------------------------------ NumPy


def test_a_list_of_values_is_summed_by_python_and_by_numpy():
    values = [Value(x) for x in (1.0, 2.0, 3.5)]
    for total in (sum(values), np.sum(values), np.sum(np.array(values)), np.array(values).sum()):
        assert isinstance(total, Value)
        assert total.data == 6.5
        total.backward()
    assert [v.grad for v in values] == [4.0, 4.0, 4.0]
    mean = np.mean(values)
    assert mean.data == pytest.approx(6.5 / 3)


def test_matrix_products_of_values():
    v, w = Value(1.0), Value(2.0)
    weights = np.array([[3.0, 5.0], [4.0, -6.0]])
    first, second = np.array([v, w]) @ weights
    assert (first.data, second.data) == (11.0, -7.0)
    second.backward()
    assert (v.grad, w.grad) == (5.0, -6.0)
    assert np.dot([v, w], [3.0, 4.0]).data == 11.0
    assert (weights @ np.array([v, w]))[0].data == 13.0
    assert np.dot(np.array([v, w]), np.array([v, w])).data == 5.0


def test_arrays_and_values_combine_element_by_element_where_the_array_is_on_the_left():
    v = Value(2.0)
    for array in (ARRAY * v, ARRAY + v, ARRAY - v, ARRAY / v, ARRAY**v):
        assert array.shape == (2,)
        assert all(isinstance(element, Value) for element in array)
    (ARRAY * v)[1].backward()
    assert v.grad == 2.0
    assert (np.array([v, v]) * np.array([3.0, 4.0]))[1].data == 8.0
    assert np.less(ARRAY, v).tolist() == [True, False]


@pytest.mark.parametrize(
    "name",
    "exp expm1 log log1p sqrt sin cos tan arcsin arccos arctan sinh cosh tanh abs negative square".split(),
)
def test_numpys_functions_work_on_arrays_of_values(name):
    function = getattr(np, name)
    numbers = np.array([0.1, 0.5])
    values = np.array([Value(x) for x in numbers])
    results = function(values)
    assert [result.data for result in results] == pytest.approx(function(numbers).tolist(), rel=1e-15)
    results[0].backward()
    h = 1e-6
    numeric = (function(0.1 + h) - function(0.1 - h)) / (2 * h)
    assert values[0].grad == pytest.approx(numeric, rel=1e-8)
    assert values[1].grad == 0.0


def test_numpys_functions_work_on_a_single_value():
    v = Value(0.5)
    assert np.exp(v).data == math.exp(0.5)
    assert isinstance(np.tanh(v), Value)
    assert np.maximum(v, Value(2.0)).data == 2.0
    assert np.power(v, 2).data == 0.25


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.bool_])
def test_a_numpy_scalar_on_the_left_gives_a_value_not_an_array(kind):
    v, number = Value(3.0), kind(1)
    for operate in OPERATORS.values():
        assert type(operate(number, v)) is Value
    assert (number - v).data == -2.0
    assert (number / v).data == 1 / 3
    for compared in (number < v, number <= v):
        assert type(compared) in (bool, np.bool_)
        assert bool(compared) is True
    assert not number > v


def test_numpy_sorts_and_finds_the_largest_by_data():
    values = np.array([Value(x) for x in (3.0, -1.0, 2.0)])
    assert [v.data for v in np.sort(values)] == [-1.0, 2.0, 3.0]
    assert np.max(values) is values[0]
    assert np.argmin(values) == 1


def test_a_long_expression_mixes_all_kinds_and_differentiates_right():
    v = Value(0.7)
    y = np.float32(2) * v ** Fraction(3, 2) - Decimal("0.5") / (v + True) + exp(v) * np.int8(3) - 2**v
    y.backward()
    x = 0.7
    assert y.data == pytest.approx(2 * x**1.5 - 0.5 / (x + 1) + 3 * math.exp(x) - 2**x, rel=1e-15)
    assert v.grad == pytest.approx(3 * x**0.5 + 0.5 / (x + 1) ** 2 + 3 * math.exp(x) - 2**x * math.log(2), rel=1e-14)


def test_the_variance_of_an_array_of_values_is_a_value():
    x, y = Value(1.0), Value(4.0)
    variance = np.var(np.array([x, y]))
    variance.backward()
    assert (variance.data, x.grad, y.grad) == (2.25, -1.5, 1.5)


@pytest.mark.parametrize("label", [3, None, ["x"]])
def test_a_label_is_a_string(label):
    with pytest.raises(TypeError, match="label: expected a string, got"):
        Value(1.0, label=label)
