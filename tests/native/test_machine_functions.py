"""The machine's functions: within 4 units in the last place over their whole domains, and IEEE's at special numbers."""

import math

import mpmath
import numpy as np
import pytest
from machines import SETS, applied, needs_machine

from autograd_mini.engine import floats

pytestmark = needs_machine

TINY = 5e-324
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, TINY, -TINY, 1e-310, -1e-310, 2.2250738585072014e-308, 1.0, -1.0]
SPECIAL += [0.5, -0.5, 2.0, -2.0, 710.0, -746.0, 1e300, -1e300, 1.7976931348623157e308, -1.7976931348623157e308, 1e17]


def around(*points):
    """Numbers next to some points, on both sides."""
    return [p + sign * 2.0**-k for p in points for k in (3, 10, 30, 48) for sign in (1, -1)]


def spread(low, high, count=120):
    """Numbers of all sizes between 10 to the power of low and of high, with both signs."""
    sizes = 10.0 ** np.random.default_rng(1).uniform(low, high, count)
    return [*sizes, *-sizes]


def between(low, high, count=200):
    """Numbers evenly spread."""
    return np.random.default_rng(2).uniform(low, high, count).tolist()


# For each function what mpmath calls it, and where it is looked at.
UNARY = {
    "exp": (mpmath.exp, [*between(-745, 709), *between(-1, 1), *spread(-300, 0)]),
    "expm1": (mpmath.expm1, [*between(-50, 709), *between(-1, 1), *spread(-300, 1), *around(0.3466, -0.3466)]),
    "log": (mpmath.log, [*map(abs, spread(-320, 308)), *between(0.5, 2), *around(1.0)]),
    "log1p": (mpmath.log1p, [*map(abs, spread(-320, 308)), *between(-0.9999, 3), *spread(-300, -0.1), *around(-0.29)]),
    "log2": (lambda x: mpmath.log(x, 2), [*map(abs, spread(-307, 308)), *between(0.5, 2)]),
    "log10": (mpmath.log10, [*map(abs, spread(-307, 308)), *between(0.5, 2)]),
    "sqrt": (mpmath.sqrt, [*map(abs, spread(-320, 308))]),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), spread(-307, 308)),
    "sin": (
        mpmath.sin,
        [*between(-10, 10), *spread(-300, 5.7), *spread(6, 300, 20), *[k * math.pi for k in range(99)]],
    ),
    "cos": (
        mpmath.cos,
        [*between(-10, 10), *spread(-300, 5.7), *spread(6, 300, 20), *[k * math.pi / 2 for k in range(99)]],
    ),
    "tan": (mpmath.tan, [*between(-10, 10), *spread(-300, 5)]),
    "asin": (mpmath.asin, [*between(-1, 1), *spread(-300, 0)]),
    "acos": (mpmath.acos, [*between(-1, 1), *spread(-300, 0)]),
    "atan": (mpmath.atan, spread(-300, 300)),
    "sinh": (mpmath.sinh, [*between(-710, 710), *spread(-300, 1)]),
    "cosh": (mpmath.cosh, [*between(-710, 710), *spread(-300, 1)]),
    "tanh": (mpmath.tanh, [*between(-25, 25), *between(-1, 1), *spread(-300, 1)]),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), [*between(-708, 40), *between(-1, 1), *spread(-300, 1)]),
    "erf": (mpmath.erf, [*between(-7, 7), *between(-1, 1), *spread(-300, 1), *around(1.0, 6.0)]),
    "erfc": (mpmath.erfc, [*between(-6, 26), *between(-1, 1), *spread(-300, 0)]),
    "square": (lambda x: x * x, spread(-150, 150)),
    "rint": (mpmath.nint, [*between(-1000, 1000), *spread(-3, 18)]),
}


def ulps(got, exact):
    """How far a number is from the exact one, in units of its last place."""
    unit = math.ulp(float(exact)) if abs(exact) < 1.7e308 else 2.0**971
    return abs(mpmath.mpf(got) - exact) / unit


@pytest.mark.parametrize("name", UNARY)
def test_values_are_within_4_units_in_the_last_place(name):
    assert_accurate(name, UNARY[name][1][::17])


@pytest.mark.slow
@pytest.mark.parametrize("name", UNARY)
def test_values_are_within_4_units_at_many_points(name):
    assert_accurate(name, UNARY[name][1])


def assert_accurate(name, points):
    exact, points = UNARY[name][0], [float(x) for x in points]
    with mpmath.workdps(400 if name in ("sin", "cos") else 60):
        expected = [exact(mpmath.mpf(x)) for x in points]
        for choice in SETS:
            got = applied(name, [np.array(points)], choice).tolist()
            off, x = max((float(ulps(y, e)), x) for x, y, e in zip(points, got, expected, strict=True))
            assert off <= 4.0, f"{name} at {x!r} is {off:.2f} units off with {choice}"


@pytest.mark.parametrize("choice", SETS)
@pytest.mark.parametrize("name", [*UNARY, "abs", "neg", "sign", "copy"])
def test_special_numbers_give_what_the_eager_engine_gives(name, choice):
    own = {
        "abs": abs,
        "neg": lambda x: -x,
        "copy": float,
        "square": lambda x: x * x,
        "rint": lambda x: float(np.rint(x)),
    }
    function = own.get(name) or getattr(floats, name)
    got = applied(name, [np.array(SPECIAL)], choice).tolist()
    for x, y in zip(SPECIAL, got, strict=True):
        expected = function(x)
        same_sign = math.copysign(1.0, y) == math.copysign(1.0, expected) or expected != expected
        assert same_sign, f"{name}({x}) = {y}, expected {expected}"
        if expected != expected or expected == 0.0 or math.isinf(expected):
            assert repr(abs(y)) == repr(abs(expected)), f"{name}({x}) = {y}, expected {expected}"
        else:
            assert abs(y - expected) <= 4 * math.ulp(expected), f"{name}({x}) = {y}, expected {expected}"


@pytest.mark.parametrize("name", UNARY)
def test_in_single_precision_values_are_rounded_once(name):
    points = np.array([x for x in UNARY[name][1][::17] if 1e-37 < abs(x) < 3e38], np.float32).tolist()
    exact = UNARY[name][0]
    with mpmath.workdps(60):
        expected = [exact(mpmath.mpf(x)) for x in points]
    for choice in SETS:
        got = applied(name, [np.array(points)], choice, "float32")
        assert got.dtype == np.float32
        for x, y, e in zip(points, got.tolist(), expected, strict=True):
            with np.errstate(over="ignore"):
                near = np.float32(float(e))
            if np.isinf(near):
                assert y == near, f"{name} at {x!r} is {y}, expected {near}, with {choice}"
            else:
                off = float(abs(mpmath.mpf(y) - e) / np.spacing(near))
                assert abs(off) <= 0.501, f"{name} at {x!r} is {off:.2f} units off with {choice}"


@pytest.mark.parametrize("choice", SETS)
@pytest.mark.parametrize("name", [*UNARY, "abs", "neg", "sign", "copy"])
def test_special_numbers_of_single_precision(name, choice):
    with np.errstate(over="ignore", under="ignore"):
        special = np.array([*SPECIAL, 89.0, -104.0, 3.4e38, 1e-45, -1e-45, 1e-38], np.float32)
    double, single = (applied(name, [special], choice, dtype) for dtype in ("float64", "float32"))
    with np.errstate(over="ignore", under="ignore"):
        expected = double.astype(np.float32)
    np.testing.assert_array_equal(single, expected)
    nan = np.isnan(single)
    assert np.array_equal(np.signbit(single) | nan, np.signbit(expected) | nan)


BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": floats.divide,
    "pow": floats.power,
    "maximum": floats.maximum,
    "minimum": floats.minimum,
    "hypot": floats.hypot,
    "atan2": floats.atan2,
    "less": lambda a, b: float(a < b),
    "greater": lambda a, b: float(a > b),
    "greater_equal": lambda a, b: float(a >= b),
    "equal": lambda a, b: float(a == b),
    "and": lambda a, b: float(a != 0 and b != 0),
    "or": lambda a, b: float(a != 0 or b != 0),
}


@pytest.mark.parametrize("choice", SETS)
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers_give_what_the_eager_engine_gives(name, choice):
    numbers = [*SPECIAL, 3.0, -3.0, *between(-5, 5, 6)]
    a, b = (grid.ravel() for grid in np.meshgrid(numbers, numbers))
    got = applied(name, [a, b], choice)
    for x, y, z in zip(a.tolist(), b.tolist(), got.tolist(), strict=True):
        expected = BINARY[name](x, y)
        is_exact = expected != expected or math.isinf(expected) or expected == 0.0
        close = repr(z) == repr(expected) if is_exact else abs(z - expected) <= 2 * math.ulp(expected)
        assert close or (z != z and expected != expected), f"{name}({x}, {y}) = {z}, expected {expected}"


@pytest.mark.parametrize("choice", SETS)
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers_in_single_precision(name, choice):
    with np.errstate(over="ignore", under="ignore"):
        numbers = np.array([*SPECIAL, 3.0, -3.0, 1e-30, 1e30, *between(-5, 5, 6)], np.float32)
    a, b = (grid.ravel() for grid in np.meshgrid(numbers, numbers))
    double, single = (applied(name, [a, b], choice, dtype) for dtype in ("float64", "float32"))
    with np.errstate(over="ignore", under="ignore"):
        expected = double.astype(np.float32)  # of a double's result of floats, rounded once more: the same for + - * /
    np.testing.assert_array_equal(single, expected)
    nan = np.isnan(single)
    assert np.array_equal(np.signbit(single) | nan, np.signbit(expected) | nan)


@pytest.mark.parametrize("choice", SETS)
def test_a_choice_takes_the_first_number_where_the_condition_is_not_0(choice):
    got = applied("where", [np.array([1.0, 0.0, -0.0, math.nan]), np.arange(4.0), -1.0 - np.arange(4.0)], choice)
    assert got.tolist() == [0.0, -2.0, -3.0, 3.0]
