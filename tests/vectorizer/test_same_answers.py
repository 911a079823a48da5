"""Programs round, overflow and add up as the eager engine does, and keep the digits that it keeps."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd_mini as ag
from autograd_mini import Value, nn, to_python
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.engine.value import Parameter
from autograd_mini.vectorizer import vectorize

inf, nan = math.inf, math.nan


def same(got, want):
    return (got == want and math.copysign(1.0, got) == math.copysign(1.0, want)) or (got != got and want != want)


def assert_the_same_in_all_readings(f, points):
    """Compare value and gradients of f(list of numbers): eager, in straight lines, in a batch, written out."""
    leaves = [Parameter(1.0, label=f"p{k}") for k in range(len(points[0]))]
    straight = vectorize(lambda: f(leaves), check=False)
    batched = vectorize(f, check=False)
    values, by_x = batched.value_and_gradients(np.array(points))
    for row, numbers in enumerate(points):
        for leaf, number in zip(leaves, numbers, strict=True):
            leaf.data = number
        root = f(leaves)
        found = gradients(root)
        value, by_leaf = straight.value_and_grad()
        alone, by_alone = batched.value_and_gradients(np.array([numbers]))
        readings = {
            "straight": (value, dict(zip(straight.parameters, by_leaf.tolist(), strict=True))),
            "in a batch": (values[row], dict(zip(leaves, by_x[row].tolist(), strict=True))),
            "alone in a batch": (alone[0], dict(zip(leaves, by_alone[0].tolist(), strict=True))),
            "to_python": written_out(root, leaves),
        }
        for reading, (value, slopes) in readings.items():
            assert same(float(value), root.data), f"{reading}, {numbers}: {value!r} instead of {root.data!r}"
            for leaf in leaves:
                got, slope = slopes.get(leaf, 0.0), found.get(leaf, 0.0)
                is_same = got == slope or (got != got and slope != slope)
                assert is_same, f"∂{leaf.label}, {reading}, {numbers}: {got!r} instead of {slope!r}"


def written_out(root, leaves):
    """Return the value and the gradients of a program that `to_python` writes."""
    source, variables = to_python(root), {}
    exec(compile(source, "program", "exec"), variables)
    name = next(line for line in source.splitlines() if line.startswith("d_") and line.endswith(" = 1.0"))
    return variables[name[2:-6]], {leaf: variables.get(f"d_{leaf.label}", 0.0) for leaf in leaves}


@pytest.mark.parametrize(
    "f",
    [
        lambda v: v[0] * 1e200 * 1e200 * 1e-300,
        lambda v: 1e-300 * (1e200 * (v[0] * 1e200)),
        lambda v: v[0] / 1e-200 / 1e-200 * 1e-300,
        lambda v: v[0] + 1e308 + 1e308 - 1e308 - 1e308,
        lambda v: (v[0] + 1e16) - 1e16,
        lambda v: 1e16 + (v[0] - 1e16),
        lambda v: v[0] * v[1] * 1e-300 * 1e200 * 1e200,
        lambda v: (1e200 * v[0]) * (1e200 * v[1]) * 1e-300,
        lambda v: -(1e200 * -(1e200 * v[0])),
        lambda v: ag.sum([1e16, v[0], -1e16]),
        lambda v: ag.sum([v[0], 1e308, 1e308, -1e308, v[1]]),
        lambda v: sum([1e16, v[0], -1e16, v[1]]),
        lambda v: ag.sum([1e16, *[v[0]] * 9, -1e16]),
        lambda v: ag.sum([*[v[0], v[1]] * 5, 1e16, v[1], -1e16, v[0] * v[1]]),
        lambda v: v[0] + (v[1] + 1e16) - 1e16,
        lambda v: ag.sum([1e16, v[0], -1e16]) / 3,
    ],
)
def test_neither_constants_nor_terms_are_regrouped(f):
    points = [(1.0, 1.0), (3.0, -0.25), (0.1, 1e-300), (-0.0, 0.0), (inf, 1.0), (nan, 2.0)]
    assert_the_same_in_all_readings(f, points)


@pytest.mark.parametrize(
    "f",
    [
        lambda v: 0.0 * v[0] + v[1],
        lambda v: v[0] * 0.0,
        lambda v: v[0] + 0.0,
        lambda v: 0.0 + v[0],
        lambda v: 0.0 - v[0],
        lambda v: v[0] - 0.0,
        lambda v: -(v[0] - v[1]),
        lambda v: -0.0 + v[0],
        lambda v: -v[0] * v[1],
        lambda v: ag.sum([v[0], v[1]]),
        lambda v: ag.sum([v[0]]),
        lambda v: ag.relu(v[0]),
        lambda v: ag.maximum(v[0], v[1]),
        lambda v: ag.minimum(v[0], v[1]),
        lambda v: ag.abs(v[0]),
        lambda v: ag.sqrt(v[0]),
        lambda v: v[0] ** 0.5,
        lambda v: v[0] ** v[1],
        lambda v: ag.sign(v[0]) / v[1],
        lambda v: 1.0 / ag.sign(v[0]),
        lambda v: ag.sqrt(ag.where(ag.greater(v[0], 0.0), v[1], 0.0)),
        lambda v: ag.log(ag.step(v[0])),
        lambda v: ag.softmax(v)[0],
        lambda v: ag.softmax([v[0], inf])[0],
        lambda v: ag.dot([0.0, 1.0], v),
        lambda v: ag.pick(1, v),
    ],
)
def test_zeros_have_their_signs_and_infinities_and_nan_go_on(f):
    points = [(0.0, -0.0), (-0.0, 0.0), (-0.0, -0.0), (inf, 0.0), (-inf, 0.0), (nan, 0.0), (0.0, inf), (1.0, nan)]
    assert_the_same_in_all_readings(f, points)


def test_a_weight_on_a_feature_that_is_0_hands_on_infinity_and_nan():
    for bad in (inf, nan):
        w = [Parameter(bad), Parameter(1.0)]
        program = vectorize(lambda x, w=w: ag.dot(w, [0.0, x], 1.0), check=False)
        assert np.isnan(program(np.array([2.0, 3.0]))).all()


def test_no_warning_far_outside(recwarn):
    for f in (ag.sigmoid, ag.softplus, ag.tanh):
        vectorize(f, check=False).value_and_gradients(np.array([-1e308, -745.0, -710.0, 710.0, 745.0, 1e308, inf]))
    vectorize(lambda x: nn.cross_entropy(x, 0), check=False).value_and_gradients(np.array([[1000.0, 0.0], [0.0, inf]]))
    assert [str(warning.message) for warning in recwarn] == []


# --------------------------------------------------------------------------------------------------- the same digits

LOGITS = [
    [40.0, 0.0],
    [0.0, 40.0],
    [0.3, -39.9, 12.7],
    [700.3, 1.1, 0.7],
    [-700.3, -701.1, -730.7],
    [5.0, 5.0, 5.0],
    [1e-18, -37.3, -40.1],
    [0.0, -1000.0],
    [350.1, -350.1, 0.1],
]


def truths(z, t):
    with mp.workdps(60):
        e = [mp.exp(mpf(x)) for x in z]
        p = [x / mp.fsum(e) for x in e]
        others = mp.fsum([*p[:t], *p[t + 1 :]])
        of_loss = [-others if k == t else q for k, q in enumerate(p)]
        of_share = [p[t] * others if k == t else -p[t] * q for k, q in enumerate(p)]
        return -mp.log1p(-others) if others < 0.5 else -mp.log(p[t]), of_loss, p[t], of_share


def assert_within(ulps, got, want, what):
    size = math.ulp(float(abs(want)))
    assert abs(mpf(float(got)) - want) <= ulps * size, f"{what}: {float(got)!r} instead of {mp.nstr(want, 20)}"


@pytest.mark.parametrize("z", LOGITS, ids=str)
def test_cross_entropy_and_softmax_keep_their_digits_in_both_readings(z):
    for t in range(len(z)):
        loss, of_loss, share, of_share = truths(z, t)
        for f, value, slopes in (
            (lambda x, t=t: nn.cross_entropy(x, t), loss, of_loss),
            (lambda x, t=t: ag.softmax(x)[t], share, of_share),
        ):
            leaves = [Value(x) for x in z]
            root = f(leaves)
            root.backward()
            readings = {"eager": (root.data, [leaf.grad for leaf in leaves])}
            for batch in ([z], [[1.0] * len(z), z, [3.0] * len(z)]):
                values, by_x = vectorize(f, check=False).value_and_gradients(np.array(batch))
                readings[f"a batch of {len(batch)}"] = (values[batch.index(z)], by_x[batch.index(z)])
            straight = vectorize(lambda f=f, leaves=leaves: f(leaves), check=False)
            by_leaf = dict(zip(straight.parameters, straight.value_and_grad()[1].tolist(), strict=True))
            readings["straight"] = (straight(), [by_leaf[leaf] for leaf in leaves])
            for reading, (got, found) in readings.items():
                assert_within(4, got, value, f"value, {reading}")
                for k, slope in enumerate(slopes):
                    assert_within(4.5, found[k], slope, f"∂{k}, {reading}")


def test_the_class_may_be_an_input_and_the_losses_a_mean():
    X, y = np.array([[40.0, 0.0], [0.0, 40.0]]), np.array([0, 0])
    program = vectorize(lambda x, t: nn.cross_entropy(x, t))
    assert program(X, y).tolist() == [pytest.approx(math.exp(-40.0), rel=1e-15), 40.0]
    by_x = vectorize(lambda x: nn.cross_entropy([x, x], [0, 0], reduction="mean")).gradients(X)
    assert by_x[0].tolist() == pytest.approx([-math.exp(-40.0), math.exp(-40.0)], rel=1e-15, abs=0.0)
    z = [Value(40.0), Value(0.0)]
    nn.cross_entropy([z, z], [0, 0], reduction="mean").backward()
    assert [x.grad for x in z] == pytest.approx([-math.exp(-40.0), math.exp(-40.0)], rel=1e-15, abs=0.0)


def test_a_cross_entropy_has_its_second_derivative_where_p_is_nearly_1():
    hessian = ag.hessian(lambda z: nn.cross_entropy(z, 0))([40.0, 0.0])
    small = pytest.approx(math.exp(-40.0), rel=1e-14, abs=0.0)
    assert hessian[0][0] == hessian[1][1] == small
    assert -hessian[0][1] == -hessian[1][0] == small


@pytest.mark.parametrize(
    ("f", "x", "derivative"),
    [
        (ag.erf, 5.9, lambda a: 2 / mp.sqrt(mp.pi) * mp.exp(-a * a)),
        (ag.erf, -26.3, lambda a: 2 / mp.sqrt(mp.pi) * mp.exp(-a * a)),
        (ag.atan, 1e155, lambda a: 1 / (1 + a * a)),
        (ag.atan, -3e160, lambda a: 1 / (1 + a * a)),
        (ag.sigmoid, 710.0, lambda a: mp.exp(-a) / (1 + mp.exp(-a)) ** 2),
        (ag.sigmoid, -36.9, lambda a: mp.exp(a) / (1 + mp.exp(a)) ** 2),
        (ag.softplus, -710.0, lambda a: 1 / (1 + mp.exp(-a))),
        (ag.tanh, 300.0, lambda a: mp.sech(a) ** 2),
        (ag.asin, 1.0 - 1e-15, lambda a: 1 / mp.sqrt(1 - a * a)),
        (lambda x: x**1050.5, 0.5001, lambda a: mpf(1050.5) * a ** mpf(1049.5)),
        (lambda x: ag.pow(0.5001, x), 1050.5, lambda a: mp.power(mpf(0.5001), a) * mp.log(mpf(0.5001))),
        (lambda x: ag.pow(x, 0.99), 5e-324, lambda a: mpf(0.99) * a ** (mpf(0.99) - 1)),
    ],
)
def test_derivatives_keep_their_digits_in_both_readings(f, x, derivative):
    with mp.workdps(60):
        want = derivative(mpf(x))
        leaf, parameter = Value(x), Parameter(x)
        f(leaf).backward()
        found = {
            "eager": leaf.grad,
            "create_graph": ag.grad(f)(x),
            "batch": vectorize(f, check=False).gradients(np.array([x]))[0],
            "straight": vectorize(lambda: f(parameter), check=False).value_and_grad()[1][0],
        }
        for reading, got in found.items():
            assert_within(4, got, want, reading)


@pytest.mark.parametrize(("dtype", "apart"), [("float64", 8), ("float32", 4)])
def test_rows_that_lie_64_bytes_apart_are_negated_too(dtype, apart):
    # NumPy 2.4 negates but the first row of a column in place, where there is one in each 64 bytes (16 in float32).
    X = np.arange(1.0, 17.0)[None] / 16.0
    f = lambda x: ag.tanh(-(x[0] * x[1])) + ag.tanh(-(x[apart] * x[apart + 1]))
    gradient = vectorize(f, dtype=dtype, check=False).gradients(X)
    expected = np.zeros((1, 16))
    for i in (0, apart):
        slope = -1.0 / np.cosh(X[0, i] * X[0, i + 1]) ** 2
        expected[0, i], expected[0, i + 1] = slope * X[0, i + 1], slope * X[0, i]
    assert gradient == pytest.approx(expected, rel=1e-5)
