"""Derivatives of plain functions: structures, nesting to the 4th order against mpmath, the check of gradients."""

import itertools
import math
import operator
import random
import re
import threading
from collections import namedtuple

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

import autograd_mini as ag
from autograd_mini import GradientCheckError, Value, check_gradients, grad, hessian, jacobian, no_grad, value_and_grad
from autograd_mini.engine import primitives as table
from autograd_mini.engine.primitives import PRIMITIVES, Primitive
from autograd_mini.engine.value import apply


def replace(primitive, **changes):
    """The same operation with other facts."""
    return Primitive(**{**{name: getattr(primitive, name) for name in Primitive.__slots__}, **changes})


def nth(f, order):
    for _ in range(order):
        f = grad(f)
    return f


# -------------------------------------------------------------------------------------------------- structures


def test_a_number_gives_a_float():
    assert grad(lambda x: x**3)(2.0) == 12.0
    assert type(grad(lambda x: x**3)(2)) is float
    assert value_and_grad(lambda x: x**3)(2) == (8.0, 12.0)
    assert grad(lambda x: x * x)(np.float32(1.5)) == 3.0


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ([2.0, 3.0], [3.0, 2.0]),
        ((2.0, 3.0), (3.0, 2.0)),
        ([2, True], [1.0, 2.0]),
    ],
)
def test_lists_and_tuples_give_the_same_structure(point, expected):
    gradient = grad(lambda x: x[0] * x[1])(point)
    assert gradient == expected
    assert type(gradient) is type(expected)


def test_nested_structures_keep_their_shape():
    f = lambda x: x[0][0] * x[1][1] ** 2 + x[0][1][0]
    assert grad(f)([[2.0, (5.0,)], (7.0, 3.0)]) == [[9.0, (1.0,)], (0.0, 12.0)]
    assert grad(lambda x: 1.0)([[], [1.0]]) == [[], [0.0]]


def test_named_tuples_stay_named_tuples():
    Point = namedtuple("Point", "a b")
    assert grad(lambda p: p.a * p.b)(Point(2.0, 3.0)) == Point(3.0, 2.0)


def test_a_dictionary_of_parameters_gives_a_dictionary_of_gradients():
    line = lambda params, x: params["w"][0] * x**2 + params["b"]["all"]
    params = {"w": [3.0, 5.0], "b": {"all": 1.0}}
    assert value_and_grad(line)(params, 2.0) == (13.0, {"w": [4.0, 0.0], "b": {"all": 1.0}})
    slope = grad(line, argnums=1)  # a derivative by the input, differentiated by the parameters
    assert grad(lambda params: slope(params, 2.0) ** 2)(params) == {"w": [96.0, 0.0], "b": {"all": 0.0}}
    assert jacobian(lambda p: {"twice": 2.0 * p["a"]})({"a": 3.0}) == {"twice": {"a": 2.0}}
    assert hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 3.0, "b": 2.0})["a"] == {"a": 4.0, "b": 6.0}
    check_gradients(line, params, 2.0)


def test_arrays_give_arrays_of_floats():
    x = np.array([1.0, 2.0, 3.0])
    gradient = grad(lambda x: (x * x).sum())(x)
    assert gradient.dtype == float
    assert gradient.tolist() == [2.0, 4.0, 6.0]
    assert x.tolist() == [1.0, 2.0, 3.0]
    W = np.arange(6).reshape(2, 3)
    assert grad(lambda W: (W @ x).sum())(W).tolist() == [[1.0, 2.0, 3.0]] * 2
    assert grad(lambda x: np.exp(x).sum())(x).tolist() == pytest.approx(np.exp(x).tolist(), rel=1e-15)
    assert grad(lambda x: x * x)(np.array(2.0)) == 4.0


def test_lists_that_hold_arrays_give_lists_of_arrays():
    W, b = np.ones((2, 2)), np.zeros(2)
    dW, db = grad(lambda p: ((p[0] @ np.array([1.0, 2.0]) + p[1]) ** 2).sum())([W, b])
    assert dW.tolist() == [[6.0, 12.0]] * 2
    assert db.tolist() == [6.0, 6.0]


def test_argnums_choose_the_arguments():
    f = lambda x, y, z: x * y**2 + z
    assert grad(f, argnums=1)(2.0, 3.0, 4.0) == 12.0
    assert grad(f, argnums=-1)(2.0, 3.0, 4.0) == 1.0
    assert grad(f, argnums=(0, 2))(2.0, 3.0, 4.0) == (9.0, 1.0)
    assert grad(f, argnums=(1,))(2.0, 3.0, 4.0) == (12.0,)
    assert value_and_grad(f, argnums=(2, 0))(2.0, 3.0, 4.0) == (22.0, (1.0, 9.0))
    with pytest.raises(ValueError, match=r"argnums=3 asks for argument 3, but the function was called with 2"):
        grad(lambda x, y: x, argnums=3)(1.0, 2.0)


def test_keywords_and_other_arguments_are_handed_on_as_they_are():
    def f(x, mode, *, scale, extra=None):
        assert mode == "text"
        assert type(scale) is float
        assert extra is None
        return scale * x * x

    assert grad(f)(3.0, "text", scale=2.0) == 12.0


@pytest.mark.parametrize("constant", [5, 5.0, True, np.float64(5.0), Value(5.0)])
def test_a_function_that_returns_a_constant_has_gradient_0(constant):
    assert grad(lambda x: constant)(2.0) == 0.0
    assert grad(lambda x: constant)([2.0, 3.0]) == [0.0, 0.0]
    value, gradient = value_and_grad(lambda x: constant)(np.ones(2))
    assert value == (constant.data if isinstance(constant, Value) else constant)
    assert gradient.tolist() == [0.0, 0.0]


def test_values_in_the_closure_are_left_alone():
    w = Value(3.0)
    w.grad = 7.0
    held = w * 2.0
    assert grad(lambda x: x * w + held)(2.0) == 3.0
    assert grad(lambda x: w * w)(2.0) == 0.0
    assert jacobian(lambda x: [x * w, held])(2.0) == [3.0, 0.0]
    assert hessian(lambda x: x * x * w)(2.0) == 6.0
    assert (w.grad, held.grad, w.data) == (7.0, 0.0, 3.0)


def test_derivatives_work_under_no_grad_and_leave_it_on():
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert hessian(lambda x: x**3)(2.0) == 12.0
        assert jacobian(lambda x: [x, x * x])(2.0) == [1.0, 4.0]
        assert (Value(2.0) * 3.0).parents == ()


def test_no_grad_inside_of_the_function_cuts_the_derivative():
    def f(x):
        with no_grad():
            y = x * x
        return x * y

    assert grad(f)(3.0) == 9.0


# ------------------------------------------------------------------------------------------------------ nesting


def test_the_inner_derivative_is_by_its_own_variable_alone():
    for x in (0.0, 1.0, -2.5, 7.0):
        assert grad(lambda x: x * grad(lambda y: x + y)(x))(x) == 1.0
        assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(x) == 2 * x
        assert grad(lambda x: grad(lambda y: x * y * y)(x))(x) == 4 * x


def test_the_inner_derivative_of_a_float_inside_an_outer_derivative_leads_on():
    # d/dx [x · d/dy sin(xy) at y=2] = d/dx [x² cos(2x)]
    f = grad(lambda x: x * grad(lambda y: ag.sin(x * y))(2.0))
    assert f(0.7) == pytest.approx(2 * 0.7 * math.cos(1.4) - 2 * 0.49 * math.sin(1.4), rel=1e-14)
    assert grad(lambda x: grad(lambda y: y**3)(2.0) * x)(5.0) == 12.0
    assert grad(lambda x: value_and_grad(lambda y: x * y)(3.0)[0])(5.0) == 3.0


def test_the_gradient_of_a_value_argument_can_be_differentiated_again():
    x = Value(3.0)
    slope = grad(lambda v: v**3)(x)
    assert isinstance(slope, Value)
    assert slope.data == 27.0
    assert x.grad == 0.0
    slope.backward()
    assert x.grad == 18.0


def test_inner_gradients_leave_no_trace_on_the_outer_variables():
    seen = []

    def f(x):
        seen.append(x)
        return grad(lambda y: y * y * x)(x)

    assert grad(f)(3.0) == 12.0
    assert all(node.grad == 0.0 for node in seen)


def test_an_error_inside_of_a_function_leaves_later_derivatives_plain():
    def broken(x):
        raise RuntimeError("here")

    with pytest.raises(RuntimeError, match="here"):
        grad(grad(broken))(1.0)
    assert type(grad(lambda x: x * x)(3.0)) is float


def test_nesting_is_per_thread():
    results = []

    def outer(x):
        thread = threading.Thread(target=lambda: results.append(grad(lambda y: y * y)(3.0)))
        thread.start()
        thread.join()
        return x

    grad(outer)(1.0)
    assert results == [6.0]
    assert type(results[0]) is float


def test_a_function_that_is_its_own_derivative_stays_so():
    for order in range(1, 5):
        assert nth(ag.exp, order)(0.7) == pytest.approx(math.exp(0.7), rel=1e-15)


# ------------------------------------------------------- the smooth part of the table, to the 4th order, against mpmath

TRUTH = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: mp.power(a, b),
    "sum": lambda *a: mp.fsum(a),
    "dot": lambda a, b, c: a * b + c,
    "identity": lambda a: a,
    "exp": mp.exp,
    "expm1": lambda a: mp.exp(a) - 1,
    "log": mp.log,
    "log1p": lambda a: mp.log(1 + a),
    "log2": lambda a: mp.log(a, 2),
    "log10": mp.log10,
    "sqrt": mp.sqrt,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "softplus": lambda a: mp.log(1 + mp.exp(a)),
    "logsumexp": lambda *a: mp.log(mp.fsum([mp.exp(x) for x in a])),
    "softmax": lambda *a: mp.exp(a[0]) / mp.fsum([mp.exp(x) for x in a]),
}
SMOOTH = [name for name, primitive in PRIMITIVES.items() if primitive.smooth]


def points_for(primitive):
    """Two random points inside of the domain, and 0 where it lies inside."""
    rng = random.Random(primitive.name)
    n = primitive.arity or 3
    intervals = [primitive.domain[min(i, len(primitive.domain) - 1)] for i in range(n)]
    points = [[rng.uniform(max(low, -1.5) * 0.9, min(high, 1.5) * 0.9) for low, high in intervals] for _ in range(2)]
    points = [
        [x if low < x < high else abs(x) + 0.1 for x, (low, high) in zip(p, intervals, strict=True)] for p in points
    ]
    if all(low < 0.0 < high for low, high in intervals) and primitive.name != "div":
        points.append([0.0] * n)
    return points


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_are_right_to_the_fourth_order(name):
    if name not in TRUTH:
        pytest.fail(f"no mpmath counterpart for {name!r}: add its function to TRUTH")
    primitive = PRIMITIVES[name]
    for point in points_for(primitive):
        for slot in range(min(len(point), 2)):

            def along(x, point=point, slot=slot):
                return apply(primitive, *point[:slot], x, *point[slot + 1 :])

            def truth(x, point=point, slot=slot):
                return TRUTH[name](*map(mpf, point[:slot]), x, *map(mpf, point[slot + 1 :]))

            with mp.workdps(60):
                series = [mp.diff(truth, mpf(point[slot]), order) for order in range(5)]
            for order in range(1, 5):
                got, want = nth(along, order)(point[slot]), float(series[order])
                assert got == pytest.approx(want, rel=1e-11, abs=1e-11), f"order {order} of {name}{point} by {slot}"


@pytest.mark.parametrize("name", [n for n in SMOOTH if PRIMITIVES[n].arity != 1])
def test_mixed_second_derivatives_are_right(name):
    primitive = PRIMITIVES[name]
    for point in points_for(primitive):
        got = hessian(lambda x: apply(primitive, *x))(point)
        with mp.workdps(50):
            for i, j in itertools.product(range(len(point)), repeat=2):
                order = [0] * len(point)
                order[i] += 1
                order[j] += 1
                want = mpmath.diff(lambda *x: TRUTH[name](*x), tuple(map(mpf, point)), tuple(order))
                assert got[i][j] == pytest.approx(float(want), rel=1e-10, abs=1e-10), (name, point, i, j)


@pytest.mark.parametrize("exponent", [2, 3, 4, 5])
def test_whole_powers_have_all_derivatives_at_0_and_below(exponent):
    for x in (0.0, -1.5):
        for order in range(1, 5):
            want = math.perm(exponent, order) * x ** (exponent - order) if order <= exponent else 0.0
            assert nth(lambda x: x**exponent, order)(x) == pytest.approx(want, rel=1e-14)


def test_derivatives_of_compositions_to_the_fourth_order():
    f = lambda x: ag.exp(ag.sin(x) * x) / (1 + x**2) + ag.tanh(ag.sqrt(x)) * ag.log(x)
    with mp.workdps(50):
        truth = lambda x: mp.exp(mp.sin(x) * x) / (1 + x**2) + mp.tanh(mp.sqrt(x)) * mp.log(x)
        wanted = [float(mp.diff(truth, mpf(0.8), n)) for n in range(5)]
    for order in range(1, 5):
        assert nth(f, order)(0.8) == pytest.approx(wanted[order], rel=1e-11)


# ----------------------------------------------------------------------------------------- jacobian and hessian


def test_shapes_of_jacobians():
    x = np.array([1.0, 2.0, 3.0])
    A = np.arange(6.0).reshape(2, 3)
    J = jacobian(lambda x: A @ x)(x)
    assert isinstance(J, np.ndarray)
    assert J.tolist() == A.tolist()
    assert jacobian(lambda x: x[0] * x[1])(x).tolist() == [2.0, 1.0, 0.0]
    assert jacobian(lambda W: W @ x)(A).shape == (2, 2, 3)
    assert jacobian(lambda x: np.outer(x, x))(x).shape == (3, 3, 3)
    assert jacobian(lambda t: [t, t**2])(2.0) == [1.0, 4.0]
    assert jacobian(lambda t: (t, [t**2]))(2.0) == (1.0, [4.0])
    assert jacobian(lambda x: [x[0], 3.0])([1.0, 2.0]) == [[1.0, 0.0], [0.0, 0.0]]
    assert jacobian(lambda x: x)(2.0) == 1.0


def test_jacobians_by_several_arguments_have_the_shape_of_each():
    x, y = np.array([1.0, 2.0]), np.array([1.0, 1.0, 1.0])
    by_x, by_y = jacobian(lambda x, y: x * y.sum(), argnums=(0, 1))(x, y)
    assert by_x.tolist() == [[3.0, 0.0], [0.0, 3.0]]
    assert by_y.tolist() == [[1.0] * 3, [2.0] * 3]
    assert jacobian(lambda x, y: [x * y, x], argnums=(0, 1))(2.0, 3.0) == [(3.0, 2.0), (1.0, 0.0)]


def test_third_derivatives_of_functions_of_arrays_lists_and_numbers_agree():
    f = lambda x: (x[0] ** 3 + x[1] ** 3) * x[0]
    want = [[[24.0, 0.0], [0.0, 12.0]], [[0.0, 12.0], [12.0, 6.0]]]
    assert jacobian(hessian(f))([1.0, 2.0]) == want
    array = jacobian(hessian(f))(np.array([1.0, 2.0]))
    assert array.dtype == float
    assert array.tolist() == want


def test_derivatives_of_what_is_made_of_inner_jacobians():
    # d/ds of the trace of the Jacobian of s·x∘x at x = (1, 2): Σ 2xᵢ = 6
    f = lambda s: np.trace(jacobian(lambda x: x * x * s)(np.array([1.0, 2.0])))
    assert grad(f)(5.0) == 6.0


@given(st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_hessians_are_symmetric_and_right(point):
    f = lambda x: ag.exp(x[0] * x[1]) + ag.sin(x[1] * x[2]) * x[0] + ag.logsumexp(x)
    H = np.array(hessian(f)(point))
    assert pytest.approx(H.T, rel=1e-12, abs=1e-12) == H
    h = 1e-5
    columns = [(np.array(grad(f)(point + h * e)) - np.array(grad(f)(point - h * e))) / (2 * h) for e in np.eye(3)]
    assert pytest.approx(np.array(columns), rel=1e-5, abs=1e-5 * (1 + np.abs(H).max())) == H


def test_hessians_of_arrays_numbers_and_single_arguments():
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert hessian(lambda x: x @ A @ x)(np.array([0.3, -1.0])).tolist() == (A + A.T).tolist()
    assert hessian(lambda x: x**3)(2.0) == 12.0
    assert hessian(lambda x, y: x * y**2, argnums=1)(3.0, 2.0) == 6.0
    assert hessian(lambda x: 3.0)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]


# ------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("result", "kind"),
    [([1.0], "list"), ((1.0, 2.0), "tuple"), (np.ones(2), "ndarray"), ({"a": 1.0}, "dict"), (None, "NoneType")],
)
def test_grad_of_several_outputs_is_refused_with_advice(result, kind):
    def several(x):
        return result

    with pytest.raises(TypeError, match=rf"several returned {kind}; use jacobian"):
        grad(several)(1.0)


@pytest.mark.parametrize("result", ["text", 1j, None, {"a": "text"}])
@pytest.mark.parametrize("derivative", [grad, jacobian, hessian, value_and_grad])
def test_outputs_that_are_no_numbers_are_refused(derivative, result):
    with pytest.raises(TypeError, match=r"expected a real number|needs a function that returns one number"):
        derivative(lambda x: result)(1.0)


@pytest.mark.parametrize("argument", ["2", 1j, None, [1.0, "x"], {"a": "x"}])
def test_arguments_that_are_no_numbers_are_refused(argument):
    with pytest.raises(TypeError, match=r"expected a real number, got"):
        grad(lambda x: 1.0)(argument)


# ----------------------------------------------------------------------------------------------- check_gradients


@pytest.mark.parametrize("name", list(PRIMITIVES))
def test_the_check_passes_for_every_primitive(name):
    primitive = PRIMITIVES[name]
    point = [0.4, 0.7, 0.2][: primitive.arity or 3]
    check_gradients(lambda *x: apply(primitive, *x), *point)


def test_the_check_takes_numbers_lists_arrays_and_values():
    check_gradients(lambda x, w: ag.tanh(w[0] * x + w[1]), 0.5, [2.0, -1.0])
    check_gradients(lambda W, x: (W @ x * (W @ x)).sum(), np.arange(4.0).reshape(2, 2), np.array([1.0, -1.0]))
    check_gradients(lambda x: x * x, Value(3.0))
    check_gradients(lambda x: 3.0, 1.0)
    check_gradients(lambda x: x**2, -3)


@pytest.mark.parametrize("x", [1e-9, 5e-4, 1.0, 1e6])
def test_the_check_is_right_near_the_edge_of_a_domain_and_beside_a_kink(x):
    check_gradients(ag.log, x)
    check_gradients(ag.sqrt, x)
    check_gradients(ag.relu, x)
    check_gradients(abs, -x)


HARD = {
    "a wave far out": (ag.sin, 1e6),
    "a wave very far out": (ag.cos, -1e12),
    "a steep wave": (lambda x: ag.sin(1e4 * x), 0.3),
    "a wave that gets steeper": (lambda x: ag.sin(1.0 / x), 1e-4),
    "a large constant": (lambda x: 1e10 + x * x, 1.0),
    "a large constant, elsewhere": (lambda x: 1e10 + x * x, -30.0),
    "a large constant and exp": (lambda x: 1e8 + ag.exp(x), 1.0),
    "beside the edge of sqrt": (ag.sqrt, 1e-12),
    "still nearer to it": (ag.sqrt, 1e-300),
    "beside the edge of log": (ag.log, 1e-300),
    "beside the edge of acos": (ag.acos, 1.0 - 1e-9),
    "beside the edge of asin": (ag.asin, -1.0 + 1e-12),
    "on the edge of sqrt": (ag.sqrt, 0.0),
    "on the edge of acos": (ag.acos, 1.0),
    "on the edge of asin": (ag.asin, -1.0),
    "on the edge of a power": (lambda x: x**1.5, 0.0),
    "beside a pole": (ag.tan, 1.5707963),
    "exp - 1": (lambda x: ag.exp(x) - 1.0, 1e-9),
    "added and taken away": (lambda x: (1e8 + x) - 1e8, 2.0),
    "squares that cancel": (lambda a, b: a * a - b * b, 1e8, 1e8),
    "a variance": (lambda v: (v[0] ** 2 + v[1] ** 2) / 2 - ((v[0] + v[1]) / 2) ** 2, [1e6 + 1.0, 1e6 - 1.0]),
    "a steep step": (lambda x: ag.tanh(1e6 * x), 0.0),
    "beside a kink": (ag.relu, 1e-9),
    "beside a kink of two sides": (abs, 1e-300),
    "beside a kink, with a constant": (lambda x: 1.0 + ag.relu(x), 1e-9),
    "beside the end of a branch": (lambda x: ag.where(x > 1.0, x * x, x), 1.0 + 1e-8),
    "large": (lambda x: x * x, 1e150),
    "tiny": (lambda x: x**3, 1e-100),
    "saturated": (ag.sigmoid, -700.0),
    "a minimum": (lambda x: (x - 0.1) ** 2, 0.1),
    "of a derivative": (grad(lambda x: x**3), 1e6),
}


@pytest.mark.parametrize("case", HARD)
def test_the_check_gives_no_false_alarm(case):
    f, *points = HARD[case]
    check_gradients(f, *points)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: 1e20 + x * x, 2.0),
        (lambda x: (1e20 + x * x) - 1e20, 2.0),
        (lambda x: 1e10 + ag.sin(x), 1.0),
        (lambda x: (1.0 - ag.cos(x)) / (x * x), 1e-4),
        (lambda x: (ag.exp(x) - 1.0) / x, 1e-9),
        (ag.asin, 1.0 - 2.0**-53),
        (ag.log, 0.0),
    ],
)
def test_where_rounding_hides_the_gradient_the_check_says_that_it_cant_tell(f, x):
    with pytest.warns(
        RuntimeWarning, match=r"check_gradients can't tell whether .* is right for argument 0: got .* ± "
    ):
        check_gradients(f, x)


@pytest.mark.parametrize(
    ("f", "x", "why"),
    [
        *[
            (f, x, "changes wholly from one float")
            for f in (ag.sin, ag.cos, ag.tan)
            for x in (1e16, 1e22, 1e276, 1e300)
        ],
        (ag.tan, math.pi / 2.0, "changes wholly from one float to the next"),
        (lambda x: 1.0 / (x - 1.0), 1.0 + 2.0**-52, "changes wholly from one float to the next"),
        (ag.relu, 5e-324, "5e-324 has too few digits"),
        (lambda x: ag.relu(x - 1.0), 1.0 + 2.0**-52, "it has a kink so near that every step leads over it"),
        (ag.sin, math.nan, "it is nan there: check it at a point where it is defined"),
        (ag.log, -1.0, "it is nan there"),
        (ag.exp, 710.0, "it is inf there"),
        (lambda y: Value(-2.0) ** y, 0.5, "it is nan there"),
        (ag.tanh, math.inf, "there is no number beside inf"),
        (lambda x: ag.sqrt(-x * x), 0.0, "it isn't finite on both sides"),
        (lambda x: x * random.random(), 2.0, r"it gives .* and then .* there: have it draw the same random numbers"),
    ],
)
def test_the_check_says_why_it_cant_tell(f, x, why):
    with pytest.warns(RuntimeWarning, match=rf"can't tell whether .* is right for argument 0: got .*; .*{why}"):
        check_gradients(f, x)


@pytest.mark.parametrize("x", [1e-300, 1e-203, 1e-100])
def test_an_infinite_gradient_is_right_where_the_differences_overflow(x):
    check_gradients(lambda x: 1.0 / x, x)


@pytest.mark.parametrize("x", [1.0, 3.0, 10.0, 0.1, -2.0, 1e6])
@pytest.mark.parametrize("local", [lambda a: 3.0 * a, lambda a: math.nan, lambda a: math.inf])
def test_what_is_wrong_of_a_smooth_operation_isnt_excused_by_a_kink(monkeypatch, x, local):
    broken = with_derivatives(monkeypatch, "pow", lambda xp, out, a, b: (local(a), 0.0))
    with pytest.raises(GradientCheckError, match=r"operation pow of .* for operand 0, expected [-\d.]+$"):
        check_gradients(lambda a: apply(broken, a, 2.0), x)


@pytest.mark.parametrize("take", [check_gradients, grad, value_and_grad, jacobian, hessian])
def test_a_number_in_the_place_of_the_function_is_refused(take):
    with pytest.raises(TypeError, match=r"expected a function first, as in .*\(f.*\), got float 3\.0"):
        take(3.0, ag.sin)


def test_what_it_cant_tell_doesnt_hide_what_is_wrong():
    with pytest.raises(GradientCheckError, match="is wrong for argument 1"):
        check_gradients(lambda a, b: (1e20 + a) - 1e20 + 1e10 * b * b.data, 2.0, 3.0)
    with pytest.raises(GradientCheckError, match=r"got 1e\+30, expected "):
        check_gradients(lambda x: 1e10 + x + 1e30 * (x - x.data), 2.0)


def with_derivatives(monkeypatch, name, derivatives):
    broken = replace(PRIMITIVES[name], derivatives=derivatives)
    monkeypatch.setitem(PRIMITIVES, name, broken)
    monkeypatch.setattr(table, name.upper(), broken)
    return broken


def test_the_check_names_the_broken_operation_its_arguments_and_what_was_expected(monkeypatch):
    broken = with_derivatives(monkeypatch, "sin", lambda xp, out, a: (2.0 * xp.cos(a),))

    def wave(x, k):
        return k[1] * k[1] + x**2 + k[0] * apply(broken, x)

    with pytest.raises(GradientCheckError) as caught:
        check_gradients(wave, -0.5, [3.0, 1.0])
    message = str(caught.value)
    assert re.match(r"the gradient of wave at \(-0\.5, \[3\.0, 1\.0\]\) is wrong for argument 0: got ", message)
    got, expected = map(float, re.search(r"got (\S+), expected (\S+) by central differences", message).groups())
    assert got == pytest.approx(-1 + 6 * math.cos(0.5), rel=1e-12)
    assert expected == pytest.approx(-1 + 3 * math.cos(0.5), rel=1e-8)
    culprit = re.search(
        r"the operation sin of \(-0\.5\) has the local derivative (\S+) for operand 0, expected (\S+)$", message
    )
    assert float(culprit[1]) == pytest.approx(2 * math.cos(0.5))
    assert float(culprit[2]) == pytest.approx(math.cos(0.5))
    assert isinstance(caught.value, AssertionError)


def test_the_check_says_which_operand_and_which_argument(monkeypatch):
    broken = with_derivatives(monkeypatch, "div", lambda xp, out, a, b: (xp.divide(1.0, b), xp.divide(out, b)))
    with pytest.raises(
        GradientCheckError, match=r"for argument 1\[2\]: .*operation div of \(2\.0, 4\.0\).*for operand 1,"
    ):
        check_gradients(lambda a, b: apply(broken, a, b[2]), 2.0, [0.0, 0.0, 4.0])


def test_a_wrong_sign_is_found_for_each_smooth_unary_primitive(monkeypatch):
    for name in SMOOTH:
        if PRIMITIVES[name].arity == 1:
            right = PRIMITIVES[name].derivatives
            broken = replace(
                PRIMITIVES[name], derivatives=lambda xp, out, a, right=right: tuple(-d for d in right(xp, out, a))
            )
            with pytest.raises(GradientCheckError, match=rf"the operation {name} of \(0\.4\)"):
                check_gradients(lambda x, broken=broken: apply(broken, x), 0.4)


FAULTS = {
    "a thousandth": lambda d: d * 1.001,
    "a ten-thousandth": lambda d: d * 0.9999,
    "nothing": lambda d: 0.0,
    "not a number": lambda d: math.nan,
    "infinite": lambda d: math.inf,
    "far too much": lambda d: d * 1e20,
}
PLACES = [
    ("sin", 1e6),
    ("log", 1e-12),
    ("sqrt", 1e-9),
    ("acos", 1.0 - 1e-9),
    ("exp", 300.0),
    ("tanh", 0.4),
    ("relu", 1e-9),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found_where_there_is_no_false_alarm(fault):
    for name, x in PLACES:
        right = PRIMITIVES[name].derivatives
        broken = replace(
            PRIMITIVES[name],
            derivatives=lambda xp, out, a, right=right: tuple(FAULTS[fault](d) for d in right(xp, out, a)),
        )
        for f in (lambda x: apply(broken, x), lambda x: 3.0 * apply(broken, x) + 1.0):  # noqa: B023, called in this turn
            with pytest.raises(GradientCheckError, match=f"the operation {name} of"):
                check_gradients(f, x)


UNARY = [
    ag.sin,
    ag.exp,
    ag.tanh,
    ag.softplus,
    ag.sqrt,
    ag.log,
    ag.atan,
    ag.relu,
    abs,
    lambda v: 1.0 / v,
    lambda v: v * v,
]
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv]


def an_expression(rng, depth):
    """A random function of a list of two numbers, with constants of very different sizes."""
    if depth == 0:
        constant = 10.0 ** rng.uniform(-3.0, 6.0)
        return rng.choice([lambda x: x[0], lambda x: x[1], lambda x: constant])
    inner, other = an_expression(rng, depth - 1), an_expression(rng, depth - 1)
    if rng.random() < 0.5:
        function = rng.choice(UNARY)
        return lambda x: function(inner(x))
    operation = rng.choice(BINARY)
    return lambda x: operation(inner(x), other(x))


@pytest.mark.parametrize("count", [60, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("always:check_gradients can't tell")
def test_random_functions_give_no_false_alarm_and_a_fault_of_a_thousandth_is_found(count, recwarn):
    rng, checked, found = random.Random(5), 0, 0
    while checked < count:
        f, point = an_expression(rng, 3), [rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-4.0, 4.0) for _ in range(2)]
        try:
            value, gradient = value_and_grad(f)(point)
        except ZeroDivisionError:  # of two constants
            continue
        if not all(map(math.isfinite, (value, *gradient))):
            continue
        checked += 1
        check_gradients(f, point)
        if abs(gradient[0]) > 1e-2:
            before = len(recwarn)
            try:
                check_gradients(lambda x, f=f: f(x) + 1e-3 * f([as_data(x[0]), x[1]]), point)
            except GradientCheckError:
                found += 1
            else:
                assert len(recwarn) > before, (point, gradient)
    assert found > 0.3 * count
    assert len(recwarn) < 0.05 * count


def as_data(x):
    return x.data if isinstance(x, Value) else x


def test_a_kink_is_called_one():
    with pytest.raises(GradientCheckError, match=r"operation relu of \(0\.0\).*expected 0\.5: it has a kink there"):
        check_gradients(ag.relu, 0.0)
    check_gradients(abs, 0.0)  # the central difference is 0 there, as the convention is


def test_a_gradient_lost_through_data_is_found():
    with pytest.raises(GradientCheckError, match=r"got 3\.0, expected 6\.0 .*does f use \.data\?"):
        check_gradients(lambda x: x * x.data, 3.0)


def test_a_nan_gradient_is_wrong():
    with pytest.raises(GradientCheckError, match=r"got nan"):
        check_gradients(lambda x: ag.sqrt(x) * 0.0 + ag.sqrt(x) - ag.sqrt(x), 0.0)


def test_tolerances_are_the_callers():
    f = lambda x: x * x + 1e-3 * x.data * x.data
    with pytest.raises(GradientCheckError):
        check_gradients(f, 3.0)
    check_gradients(f, 3.0, rtol=1e-2)
    check_gradients(f, 3.0, rtol=0.0, atol=0.1)


def test_a_check_without_a_point_or_of_several_outputs_is_refused():
    with pytest.raises(ValueError, match="nothing to check"):
        check_gradients(lambda: 1.0)
    with pytest.raises(TypeError, match="use jacobian"):
        check_gradients(lambda x: [x], 1.0)


def test_the_check_leaves_points_and_graphs_as_they_were():
    x, w = Value(3.0), Value(2.0)
    points = [1.0, 2.0]
    check_gradients(lambda p, v: p[0] * v * w, points, x)
    assert (points, x.data, x.grad, w.grad) == ([1.0, 2.0], 3.0, 0.0, 0.0)


# --------------------------------------------------------------------------------------- kinks follow PyTorch


@pytest.mark.parametrize(
    ("f", "point", "expected"),
    [
        (ag.relu, 0.0, 0.0),
        (abs, 0.0, 0.0),
        (ag.sign, 0.0, 0.0),
        (ag.step, 0.0, 0.0),
        (ag.leaky_relu, 0.0, 0.01),
        (ag.elu, 0.0, 1.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: ag.maximum(x, 2.0), 2.0, 0.5),
        (lambda x: ag.minimum(x, x), 2.0, 1.0),
        (lambda x: ag.maximum([x, 1.0, 1.0, 0.0]), 1.0, 1.0 / 3.0),
    ],
)
def test_derivatives_at_kinks(f, point, expected):
    assert grad(f)(point) == expected
    assert grad(grad(f))(point) in (0.0, 1.0 if f is ag.elu else 0.0)


def test_a_derivative_has_a_name_and_is_a_method_where_it_stands_in_a_class():
    class Parabola:
        height = 2.0

        def at(self, x):
            return self.height * x * x

        slope = grad(at, 1)

    assert Parabola().slope(3.0) == 12.0
    assert Parabola.slope(Parabola(), 3.0) == 12.0
    assert [f(abs).__name__ for f in (grad, value_and_grad, jacobian)] == ["gradient", "value_and_gradient", "jacobian"]


def test_the_mixed_second_derivative_of_a_power_is_right_at_the_exponent_0():
    found = hessian(lambda r: r[0] ** r[1])([3.5, 0.0])
    assert found[0] == pytest.approx([0.0, 1 / 3.5])
    assert found[1] == pytest.approx([1 / 3.5, math.log(3.5) ** 2])
    assert grad(grad(lambda a: a ** (a - 1)))(1.0) == pytest.approx(2.0)
    assert grad(lambda a: a**0.0)(0.0) == 0.0
