"""Functions that users of NumPy, PyTorch and JAX look for: values, gradients and hard points, in every reading."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd_mini as ag
from autograd_mini import Value, vectorize
from autograd_mini.engine import functions

inf = math.inf
FIGURES = json.loads(Path(__file__).with_name("jax_figures.json").read_text(encoding="utf-8"))
OTHERWISE = {
    "gelu_tanh": lambda x: ag.gelu(x, approximate="tanh"),
    "clip": lambda x: ag.clip(x, -2.0, 2.0),
    "hypot": lambda p: ag.hypot(*p),
    "atan2": lambda p: ag.atan2(*p),
    "log_softmax": lambda p: ag.log_softmax(p)[-1],
}


def value_and_gradient(function, point):
    """The value and the gradient by the engine; of a list of numbers, a list."""
    leaves = [Value(x) for x in np.atleast_1d(point).tolist()]
    result = function(leaves if isinstance(point, list) else leaves[0])
    result.backward()
    return result.data, [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("name", FIGURES)
def test_functions_and_their_gradients_are_those_of_jax(name):
    function = OTHERWISE.get(name, getattr(ag, name, None))
    for point, value, gradient in FIGURES[name]:
        got, by = value_and_gradient(function, point)
        assert got == pytest.approx(value, rel=1e-14, abs=1e-15), point
        # JAX's gradient of log_softmax and of the tanh form is a difference of numbers near 1.
        assert by == pytest.approx(np.atleast_1d(gradient).tolist(), rel=1e-13, abs=2e-16), point
        assert function(point) == got, "of plain numbers"


def test_logarithms_of_powers_are_exact():
    assert [ag.log2(2.0**k) for k in range(-1074, 1024)] == list(range(-1074, 1024))
    assert [ag.log10(10.0**k) for k in range(23)] == list(range(23))
    assert vectorize(ag.log2)([8.0, 0.125]).tolist() == [3.0, -3.0]
    assert (ag.log2(0.0), ag.log10(Value(0.0)).data) == (-inf, -inf)
    assert math.isnan(ag.log2(-1.0))


def test_cube_roots_of_cubes_are_exact_also_below_0():
    assert [ag.cbrt(float(k**3)) for k in range(-200, 201)] == [float(k) for k in range(-200, 201)]
    root = ag.cbrt(Value(0.0))
    assert (root.data, root.local_grads) == (0.0, (inf,))
    assert ag.cbrt(-inf) == -inf
    assert math.copysign(1.0, ag.cbrt(-0.0)) == -1.0
    assert ag.cbrt(5e-324) ** 3 == 5e-324


def test_the_tip_of_hypot_has_the_derivatives_0_as_abs_has():
    assert value_and_gradient(lambda p: ag.hypot(*p), [0.0, -0.0]) == (0.0, [0.0, 0.0])
    assert value_and_gradient(lambda p: ag.hypot(*p), [3e200, 4e200])[1] == pytest.approx([0.6, 0.8])
    assert value_and_gradient(lambda p: ag.hypot(*p), [3e-320, 4e-320])[1] == pytest.approx([0.6, 0.8], rel=1e-3)
    value, (by_x, by_y) = vectorize(ag.hypot).value_and_gradients([0.0, 3.0], [0.0, -4.0])
    assert (value.tolist(), by_x.tolist(), by_y.tolist()) == ([0.0, 5.0], [0.0, 0.6], [0.0, -0.8])


@pytest.mark.parametrize("x", [2.0, -2.0, 0.0, -0.0])
@pytest.mark.parametrize("y", [3.0, -3.0, 0.0, -0.0])
def test_atan2_has_maths_angle_in_every_quadrant_and_on_every_axis(y, x):
    value, (by_y, by_x) = value_and_gradient(lambda p: ag.atan2(*p), [y, x])
    assert value == ag.atan2(y, x) == math.atan2(y, x)
    assert math.copysign(1.0, value) == math.copysign(1.0, math.atan2(y, x))
    square = x * x + y * y
    assert (by_y, by_x) == ((x / square, -y / square) if square else (0.0, 0.0))


def test_atan2_of_huge_and_of_tiny_points_has_its_derivatives():
    assert value_and_gradient(lambda p: ag.atan2(*p), [3e200, 4e200])[1] == pytest.approx([1.6e-201, -1.2e-201])
    assert value_and_gradient(lambda p: ag.atan2(*p), [3e-200, 4e-200])[1] == pytest.approx([1.6e199, -1.2e199])


@pytest.mark.parametrize("x", [-800.0, 800.0, 0.0])
def test_log_sigmoid_neither_overflows_nor_loses_its_gradient(x):
    assert value_and_gradient(ag.log_sigmoid, x) == (min(x, 0.0) - math.log1p(math.exp(-abs(x))), [ag.sigmoid(-x)])


@pytest.mark.parametrize("x", [-37.0, -20.0, -9.0, -1.3, 0.0, 2.0, 30.0])
def test_gelu_keeps_its_digits_far_below_0(x):
    with mp.workdps(50):
        exact = mpf(x) * mp.erfc(-mpf(x) / mp.sqrt(2)) / 2
        u = mp.sqrt(2 / mp.pi) * (mpf(x) + mpf("0.044715") * mpf(x) ** 3)
        approximate = mpf(x) * mp.exp(2 * u) / (1 + mp.exp(2 * u))
        slope = mp.erfc(-mpf(x) / mp.sqrt(2)) / 2 + mpf(x) * mp.npdf(mpf(x))
    value, (gradient,) = value_and_gradient(ag.gelu, x)
    assert value == pytest.approx(float(exact), rel=1e-12)
    assert gradient == pytest.approx(float(slope), rel=1e-11)
    assert ag.gelu(x, approximate="tanh") == pytest.approx(float(approximate), rel=1e-11)


def test_gelu_says_which_approximations_there_are():
    with pytest.raises(ValueError, match="gelu: expected approximate='none' or 'tanh', got True"):
        ag.gelu(1.0, approximate=True)


def test_clip_has_a_derivative_of_1_at_its_bounds_as_in_pytorch():
    assert [value_and_gradient(lambda x: ag.clip(x, -1.0, 1.0), x) for x in (-2.0, -1.0, 0.0, 1.0, 2.0)] == [
        *((-1.0, [0.0]), (-1.0, [1.0]), (0.0, [1.0]), (1.0, [1.0]), (1.0, [0.0]))
    ]
    assert (ag.clip(5.0, min=1.0), ag.clip(-5.0, min=1.0), ag.clip(5.0, max=1.0), ag.clip(-5.0, None, 1.0)) == (
        *(5.0, 1.0, 1.0, -5.0),
    )
    assert math.isnan(ag.clip(math.nan, 0.0, 1.0))
    assert ag.clip(np.array([-1.0, 0.5, 9.0]), 0.0, 1.0).tolist() == [0.0, 0.5, 1.0]


def test_the_bounds_of_clip_may_be_learned_and_the_upper_one_wins():
    x, low, high = Value(5.0), Value(-1.0), Value(2.0)
    ag.clip(x, low, high).backward()
    assert (x.grad, low.grad, high.grad) == (0.0, 0.0, 1.0)
    assert ag.clip(0.0, 3.0, 1.0) == 1.0
    assert ag.clip(Value(0.0), 3.0, 1.0).local_grads == (0.0, 0.0, 1.0)


def test_clip_without_a_bound_or_with_nan_is_refused():
    for clip in (ag.clip, Value.clip, Value.clamp):
        with pytest.raises(ValueError, match="clip needs a bound, got none: pass min, max or both"):
            clip(Value(1.0))
        with pytest.raises(ValueError, match="clip: expected numbers as bounds, got min=nan and max=None"):
            clip(Value(1.0), math.nan)


def test_products_with_zeros_have_the_products_of_the_others_as_gradients():
    assert value_and_gradient(ag.prod, [2.0, 0.0, 5.0, -1.0, 3.0]) == (0.0, [0.0, -30.0, 0.0, 0.0, 0.0])
    assert value_and_gradient(ag.prod, [2.0, 0.0, 0.0]) == (0.0, [0.0, 0.0, 0.0])
    assert (ag.prod([]), ag.prod([3.0]), ag.prod([Value(3.0)]).data) == (1.0, 3.0, 3.0)
    assert [ag.hessian(ag.prod)([2.0, 0.0, 0.0])[1][2], ag.prod(range(1, 11))] == [2.0, math.factorial(10)]


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "softmax", "log_softmax"])
def test_functions_of_a_list_refuse_a_single_number(name):
    function = getattr(functions, name)
    for number, shown in ((5, "int 5"), (Value(2.0), r"Value Value\(data=2.0")):
        with pytest.raises(TypeError, match=rf"^{name} takes a list of numbers, as in {name}\(\[a, b\]\), got {shown}"):
            function(number)


def test_functions_of_nothing_say_so():
    with pytest.raises(ValueError, match="mean of nothing has no value; expected at least one operand"):
        ag.mean([])
    with pytest.raises(ValueError, match="log_softmax of nothing has no value"):
        ag.log_softmax([])


@pytest.mark.parametrize("size", [1, 2, 100, *(pytest.param(n, marks=pytest.mark.slow) for n in (1000, 5000))])
@pytest.mark.parametrize("function", [ag.mean, ag.prod, lambda x: ag.log_softmax(x)[0]], ids=["mean", "prod", "log p"])
def test_functions_of_many_numbers_are_the_same_vectorized(function, size):
    x = np.random.default_rng(0).uniform(0.9, 1.1, (2, size))
    values, gradients = vectorize(function).value_and_gradients(x)
    for row, value, gradient in zip(x.tolist(), values, gradients, strict=True):
        want, by = value_and_gradient(function, row)
        assert value == pytest.approx(want, rel=1e-12)
        np.testing.assert_allclose(gradient, by, rtol=1e-12, atol=1e-300)


METHODS = {
    "abs": ag.abs,
    "acos": ag.acos,
    "asin": ag.asin,
    "atan": ag.atan,
    "cbrt": ag.cbrt,
    "elu": ag.elu,
    "erf": ag.erf,
    "erfc": ag.erfc,
    "leaky_relu": ag.leaky_relu,
    "log2": ag.log2,
    "log10": ag.log10,
    "reciprocal": ag.reciprocal,
    "sign": ag.sign,
    "softplus": ag.softplus,
    "square": ag.square,
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_make_the_nodes_that_functions_make(name):
    x = Value(0.3)
    method, function = getattr(x, name)(), METHODS[name](x)
    assert (method.data, method.primitive, method.local_grads) == (
        *(function.data, function.primitive, function.local_grads),
    )
    assert vectorize(lambda x: getattr(x, name)())([0.3, -0.4])[0] == pytest.approx(function.data, rel=1e-15)


def test_methods_of_two_numbers_take_both():
    x, y = Value(3.0), Value(4.0)
    assert (x.pow(2).data, x.hypot(y).data, x.atan2(y).data) == (9.0, 5.0, math.atan2(3.0, 4.0))
    assert (x.clamp(0.0, 1.0).data, x.clip(max=2.0).data, Value(-1.0).leaky_relu(0.5).data) == (1.0, 2.0, -0.5)
    assert [np.arctan2(np.array([x]), np.array([y]))[0].data, np.hypot(np.array([x]), np.array([y]))[0].data] == [
        *(math.atan2(3.0, 4.0), 5.0),
    ]


def test_item_is_the_number_and_detach_a_leaf_through_which_no_gradient_goes():
    x = Value(3.0)
    held = (x * x).detach()
    y = held * x
    y.backward()
    assert (x.item(), type(x.item()), held.data, held.parents, x.grad) == (3.0, float, 9.0, (), 9.0)
    values, gradients = vectorize(lambda x: (x * x).detach() * x).value_and_gradients([3.0, 2.0])
    assert (values.tolist(), gradients.tolist()) == ([27.0, 8.0], [9.0, 4.0])


def test_no_method_costs_a_node_any_memory():
    assert not hasattr(Value(1.0), "__dict__") or Value(1.0).__dict__ == {}
    assert [base.__dict__.get("__slots__") for base in Value.__mro__ if base.__name__ == "Methods"] == [()]


def test_explanations_name_the_new_operations():
    x, y = Value(-2.0, label="x"), Value(3.0, label="y")
    root = ag.cbrt(x) * ag.hypot(x, y) + ag.clip(x, 0.0, y) + ag.log2(y) + ag.atan2(y, x) + ag.erfc(x)
    latex = str(ag.to_latex(root))
    for name in (r"\sqrt[3]{x}", r"\operatorname{hypot}", r"\operatorname{clip}", r"\log_{2}", r"\operatorname{atan2}"):
        assert name in latex
    root.backward()
    program: dict = {}
    exec(str(ag.to_python(root)), program)
    assert (program["L"], program["d_x"], program["d_y"]) == pytest.approx((root.data, x.grad, y.grad), rel=1e-15)
    assert "v4 = clip(x, 0, y) = clip(-2, 0, 3) = 0" in "\n".join(map(str, ag.forward_steps(root)))
