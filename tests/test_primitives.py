"""The table of primitives, entry by entry: a new entry is found here without touching this file.

Only `REFERENCE` wants a line for it, because a truth must come from somewhere else than from the table itself; where
it is missing, a test fails and says so.
"""

import itertools
import math
import pickle
import random
import sys

import numpy as np
import pytest
from mpmath import mp, mpf

from autograd_mini import Value
from autograd_mini.engine import arrays as array
from autograd_mini.engine import floats
from autograd_mini.engine.primitives import PRIMITIVES, Primitive, find, register
from autograd_mini.engine.value import apply

inf, nan = math.inf, math.nan
ALL = [pytest.param(p, id=name) for name, p in PRIMITIVES.items()]
SMOOTH = [pytest.param(p, id=name) for name, p in PRIMITIVES.items() if p.smooth]
N_ARY_SIZES = (1, 2, 3, 5)

# ------------------------------------------------------------------------------- the truth, from mpmath at 50 digits


def _one(*operands):
    return tuple(mpf(1) for _ in operands)


def _halves(operands):
    n = len(operands) // 2
    return operands[:n], operands[n : 2 * n], operands[2 * n :]


def _dot(*operands):
    weights, inputs, bias = _halves(operands)
    return mp.fsum([w * x for w, x in zip(weights, inputs, strict=True)] + list(bias))


def _dot_derivatives(*operands):
    weights, inputs, bias = _halves(operands)
    return (*inputs, *weights, *_one(*bias))


def _logsumexp(*operands):
    first, *rest = sorted(operands, reverse=True)
    return first + mp.log1p(mp.fsum([mp.exp(x - first) for x in rest]))


def _softmax(*operands):
    return [1 / mp.fsum([mp.exp(y - x) for y in operands]) for x in operands]


def _softmax_derivatives(*operands):
    p = _softmax(*operands)
    return (p[0] * mp.fsum(p[1:]), *[-p[0] * q for q in p[1:]])


def _minus_log_softmax(index, *logits):
    if index not in range(len(logits)):
        return _logsumexp(*logits) if logits else mpf(0)
    return mp.log1p(mp.fsum([mp.exp(x - logits[int(index)]) for k, x in enumerate(logits) if k != index]))


def _minus_log_softmax_derivatives(index, *logits):
    p = _softmax(*logits)
    return (mpf(0), *[-mp.fsum([*p[:k], *p[k + 1 :]]) if k == index else share for k, share in enumerate(p)])


def _share(choose):
    def derivatives(*operands):
        extremum = choose(operands)
        return tuple(mpf(x == extremum) / sum(y == extremum for y in operands) for x in operands)

    return derivatives


def _power(a, b):
    return mpf(0) if a == 0 and b > 0 else mp.power(a, b)


def _hypot_derivatives(a, b):
    length = mp.hypot(a, b)
    return (a / length, b / length) if length else (mpf(0), mpf(0))


def _atan2_derivatives(a, b):
    square = a * a + b * b
    return (b / square, -a / square) if square else (mpf(0), mpf(0))


def _clip_derivatives(a, low, high):
    return mpf(low <= a <= high), mpf(a < low <= high), mpf(a > high or low > high)


# name: the function and its derivatives by each argument, as naively as 50 digits allow.
REFERENCE = {
    "add": (lambda a, b: a + b, _one),
    "sub": (lambda a, b: a - b, lambda a, b: (mpf(1), mpf(-1))),
    "mul": (lambda a, b: a * b, lambda a, b: (b, a)),
    "div": (lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2)),
    "neg": (lambda a: -a, lambda a: (mpf(-1),)),
    "pow": (_power, lambda a, b: (b * mp.power(a, b - 1), mp.power(a, b) * mp.log(a))),
    "abs": (abs, lambda a: (mp.sign(a),)),
    "sum": (lambda *terms: mp.fsum(terms), _one),
    "dot": (_dot, _dot_derivatives),
    "identity": (lambda a: a, _one),
    "exp": (mp.exp, lambda a: (mp.exp(a),)),
    "expm1": (mp.expm1, lambda a: (mp.exp(a),)),
    "log": (mp.log, lambda a: (1 / a,)),
    "log1p": (mp.log1p, lambda a: (1 / (1 + a),)),
    "log2": (lambda a: mp.log(a, 2), lambda a: (1 / (a * mp.log(2)),)),
    "log10": (lambda a: mp.log(a, 10), lambda a: (1 / (a * mp.log(10)),)),
    "cbrt": (lambda a: mp.sign(a) * mp.cbrt(abs(a)), lambda a: (1 / (3 * mp.cbrt(abs(a)) ** 2) if a else mp.inf,)),
    "hypot": (mp.hypot, _hypot_derivatives),
    "sqrt": (mp.sqrt, lambda a: (1 / (2 * mp.sqrt(a)),)),
    "sin": (mp.sin, lambda a: (mp.cos(a),)),
    "cos": (mp.cos, lambda a: (-mp.sin(a),)),
    "tan": (mp.tan, lambda a: (1 / mp.cos(a) ** 2,)),
    "asin": (mp.asin, lambda a: (1 / mp.sqrt(1 - a**2),)),
    "acos": (mp.acos, lambda a: (-1 / mp.sqrt(1 - a**2),)),
    "atan": (mp.atan, lambda a: (1 / (1 + a**2),)),
    "atan2": (mp.atan2, _atan2_derivatives),
    "sinh": (mp.sinh, lambda a: (mp.cosh(a),)),
    "cosh": (mp.cosh, lambda a: (mp.sinh(a),)),
    "tanh": (mp.tanh, lambda a: (1 / mp.cosh(a) ** 2,)),
    "erf": (mp.erf, lambda a: (2 / mp.sqrt(mp.pi) * mp.exp(-(a**2)),)),
    "erfc": (  # beyond 1e5 mpmath counts too many terms
        lambda a: mp.erfc(a) if abs(a) < 1e5 else mpf(0 if a > 0 else 2),
        lambda a: (-2 / mp.sqrt(mp.pi) * mp.exp(-(a**2)),),
    ),
    "sigmoid": (lambda a: 1 / (1 + mp.exp(-a)), lambda a: (1 / (1 + mp.exp(-a)) / (1 + mp.exp(a)),)),
    "softplus": (lambda a: _logsumexp(a, mpf(0)), lambda a: (1 / (1 + mp.exp(-a)),)),
    "relu": (lambda a: max(a, mpf(0)), lambda a: (mpf(a > 0),)),
    "leaky_relu": (
        lambda a, alpha: a if a > 0 else alpha * a,
        lambda a, alpha: (mpf(1), mpf(0)) if a > 0 else (alpha, a),
    ),
    "elu": (
        lambda a, alpha: a if a > 0 else alpha * mp.expm1(a),
        lambda a, alpha: (mpf(1), mpf(0)) if a > 0 else (alpha * mp.exp(a), mp.expm1(a)),
    ),
    "sign": (mp.sign, lambda a: (mpf(0),)),
    "step": (lambda a: mpf(a > 0), lambda a: (mpf(0),)),
    "maximum": (lambda *a: max(a), _share(max)),
    "minimum": (lambda *a: min(a), _share(min)),
    "clip": (lambda a, low, high: min(max(a, low), high), _clip_derivatives),
    "greater": (lambda a, b: mpf(a > b), lambda a, b: (mpf(0), mpf(0))),
    "greater_equal": (lambda a, b: mpf(a >= b), lambda a, b: (mpf(0), mpf(0))),
    "where": (
        lambda condition, a, b: b if condition == 0 else a,
        lambda condition, a, b: (mpf(0), mpf(condition != 0), mpf(condition == 0)),
    ),
    "pick": (
        lambda index, *items: next((x for k, x in enumerate(items) if k == index), mpf(0)),
        lambda index, *items: (mpf(0), *[mpf(k == index) for k in range(len(items))]),
    ),
    "minus_log_softmax": (_minus_log_softmax, _minus_log_softmax_derivatives),
    "logsumexp": (_logsumexp, lambda *a: tuple(_softmax(*a))),
    "softmax": (lambda *a: _softmax(*a)[0], _softmax_derivatives),
}

# Where terms of opposite signs are added up, the result is as exact as the largest thing added, not as itself: what is
# left of 1 + 1e-20 - 1 is a matter of the operands, not of the formula. Errors are measured against this size.
SIZE = {
    "sum": lambda *terms: mp.fsum([abs(t) for t in terms]),
    "dot": lambda *a: mp.fsum([abs(w * x) for w, x in zip(*_halves(a)[:2], strict=True)] + [abs(b) for b in a[-1:]]),
    "logsumexp": lambda *a: abs(max(a)),
    "minus_log_softmax": lambda index, *a: 0 if index in range(len(a)) else abs(max(a, default=0)),
}


# softmax multiplies two of its components, and each of them may be 2 ulp off; all else keeps to 4.
ULPS_OF_DERIVATIVES = {"softmax": 5.0}


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def reference(primitive):
    if primitive.name not in REFERENCE:
        pytest.fail(f"no mpmath counterpart for {primitive.name!r}: add its function and derivatives to REFERENCE")
    return REFERENCE[primitive.name]


def ulps(got, want, size=0):
    """The error in units in the last place of the truth (or of the size of what was added up to it)."""
    if abs(want) > mpf(sys.float_info.max):
        return 0 if got == math.copysign(inf, want) else inf
    if not math.isfinite(got):
        return inf
    return float(abs(mpf(got) - want) / mpf(math.ulp(float(max(abs(want), size)))))


# ------------------------------------------------------------------------------------------------------- points

AWKWARD = [0.0, -0.0, *(s * x for x in (5e-324, 1e-300, 1e-8, 0.5, 1.0, 20.0, 700.0, 1000.0) for s in (1, -1))]


def sizes(primitive):
    return N_ARY_SIZES if primitive.arity is None else (primitive.arity,)


def interval(primitive, i):
    return primitive.domain[min(i, len(primitive.domain) - 1)]


def inside(primitive, point):
    return all(interval(primitive, i)[0] < x < interval(primitive, i)[1] for i, x in enumerate(point))


def draw(rng, low, high):
    if math.isfinite(low) and math.isfinite(high):
        return rng.uniform(low, high)
    if math.isfinite(low):
        return low + rng.lognormvariate(0.0, 1.5)
    return rng.gauss(0.0, 3.0)


def random_points(primitive, count, size=None):
    """Seeded by the name, so that each entry has points of its own and the same ones in every run."""
    rng = random.Random(primitive.name)
    return [
        tuple(draw(rng, *interval(primitive, i)) for i in range(n))
        for n in ([size] if size else sizes(primitive))
        for _ in range(count)
    ]


def awkward_points(primitive, most=200):
    rng = random.Random(primitive.name)
    points = []
    for n in sizes(primitive):
        if n <= 2:
            of_this_size = list(itertools.product(AWKWARD, repeat=n))
        else:
            of_this_size = [tuple(rng.choice(AWKWARD) for _ in range(n)) for _ in range(4 * most)]
        of_this_size = [point for point in of_this_size if inside(primitive, point)]
        points += of_this_size if len(of_this_size) <= most else rng.sample(of_this_size, most)
    return points


def has_a_value(primitive, point):
    """Whether the operation is defined there: 1/0 lies inside the interval from which a divisor is drawn.

    An angle jumps from π to -π with the sign of a height of 0, which mpmath doesn't have.
    """
    if primitive.name == "atan2":
        return point[0] != 0.0 or point[1] > 0.0
    return not (primitive.name == "div" and point[1] == 0.0)


def defined_points(primitive, count):
    points = random_points(primitive, count) + [p for p in awkward_points(primitive) if has_a_value(primitive, p)]
    assert len(points) > count
    return points


def has_kink_at(primitive, point):
    """Where a non-smooth operation may have a corner: at 0, and where two operands tie."""
    return not primitive.smooth and (0.0 in point or len(set(point)) < len(point))


def local_derivatives(primitive, point):
    return primitive.derivatives(floats, primitive.forward(floats, *point), *point)


# -------------------------------------------------------------------------------------------------- the table itself


@pytest.mark.parametrize("primitive", ALL)
def test_every_primitive_has_a_counterpart_in_mpmath(primitive):
    forward, derivatives = reference(primitive)
    point = random_points(primitive, 1)[-1]
    assert len(derivatives(*map(mpf, point))) == len(point)
    assert mp.isfinite(forward(*map(mpf, point)))


def test_the_reference_derivatives_are_the_derivatives_of_the_reference_functions():
    for name, (forward, derivatives) in REFERENCE.items():
        point = [mpf(x) for x in random_points(find(name), 1)[-1]]
        for i, derivative in enumerate(derivatives(*point)):
            order = [int(j == i) for j in range(len(point))]
            numeric = mp.diff(forward, tuple(point), tuple(order)) if len(point) > 1 else mp.diff(forward, point[0])
            assert abs(numeric - derivative) < mpf(10) ** -15 * (1 + abs(derivative)), (name, i)


def test_the_table_has_at_least_the_operations_that_were_promised():
    promised = """add sub mul div neg pow abs sum dot exp expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh
    sigmoid softplus relu leaky_relu elu sign step erf maximum minimum where logsumexp"""
    assert set(promised.split()) <= set(PRIMITIVES)


# What tests leave out by `smooth`, and where they draw their points from by `domain`, is said here once more: else a
# wrong entry would have fewer tests, and no test would fail.
NOT_SMOOTH = [
    *"abs relu leaky_relu elu sign step maximum minimum greater greater_equal where pick".split(),
    "minus_log_softmax",  # by the index
    *"cbrt hypot atan2 clip".split(),
]
ALL_NUMBERS = ((-inf, inf),)
DOMAINS = {
    "log": ((0.0, inf),),
    "log1p": ((-1.0, inf),),
    "log2": ((0.0, inf),),
    "log10": ((0.0, inf),),
    "sqrt": ((0.0, inf),),
    "pow": ((0.0, inf), (-inf, inf)),
    "tan": ((-math.pi / 2, math.pi / 2),),
    "asin": ((-1.0, 1.0),),
    "acos": ((-1.0, 1.0),),
}


def test_the_operations_that_are_not_smooth_are_these():
    assert [name for name, primitive in PRIMITIVES.items() if not primitive.smooth] == NOT_SMOOTH
    assert Primitive("third power", "³", lambda xp, a: a * a * a, lambda xp, out, a: (3.0 * a * a,)).smooth is True
    assert len(SMOOTH) == len(ALL) - len(NOT_SMOOTH)


@pytest.mark.parametrize("primitive", ALL)
def test_an_operation_is_defined_inside_of_its_domain_and_its_derivative_has_no_bound_at_the_edge(primitive):
    assert primitive.domain == DOMAINS.get(primitive.name, ALL_NUMBERS)
    for low, high in primitive.domain if primitive.arity == 1 else ():
        for edge, inwards in ((low, 1.0), (high, -1.0)):
            if math.isfinite(edge):
                (derivative,) = local_derivatives(primitive, (edge + inwards * 1e-12,))
                assert 1e5 < abs(derivative) < inf


@pytest.mark.parametrize("primitive", ALL)
def test_every_entry_is_known_by_its_name_and_gives_a_derivative_for_each_operand(primitive):
    assert find(primitive.name) is primitive
    assert primitive.symbol
    assert repr(primitive) == f"<Primitive {primitive.name}>"
    for point in random_points(primitive, 1):
        assert len(local_derivatives(primitive, point)) == len(point)


def test_a_second_entry_of_one_name_is_refused():
    with pytest.raises(ValueError, match=r"already has a primitive named 'mul'; choose another name"):
        register(Primitive("mul", "*", lambda xp, a, b: a * b, lambda xp, out, a, b: (b, a), arity=2))
    assert PRIMITIVES["mul"].forward(floats, 3.0, 4.0) == 12.0


def test_an_unknown_name_is_answered_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"no primitive is named 'tahn'; the table has add, sub, mul"):
        find("tahn")


def test_copies_and_pickles_of_an_entry_are_the_entry():
    import copy

    tanh = find("tanh")
    assert copy.copy(tanh) is tanh
    assert copy.deepcopy([tanh])[0] is tanh
    assert pickle.loads(pickle.dumps(tanh)) is tanh


# ------------------------------------------------------------------------------------------- values and derivatives


@pytest.mark.parametrize("primitive", ALL)
def test_values_are_within_2_ulp_of_mpmath(primitive):
    forward, _ = reference(primitive)
    size = SIZE.get(primitive.name, lambda *a: mpf(0))
    for point in defined_points(primitive, 60):
        exact = [mpf(x) for x in point]
        error = ulps(float(primitive.forward(floats, *point)), forward(*exact), size(*exact))
        assert error <= 2.0, f"{primitive.name}{point}: {error:.2f} ulp"


@pytest.mark.parametrize("primitive", ALL)
def test_local_derivatives_are_within_4_ulp_of_mpmath(primitive):
    _, derivatives = reference(primitive)
    for point in defined_points(primitive, 60):
        want = derivatives(*[mpf(x) for x in point])
        for i, got in enumerate(local_derivatives(primitive, point)):
            error = ulps(got, want[i])
            assert error <= ULPS_OF_DERIVATIVES.get(primitive.name, 4.0), (
                f"{primitive.name}{point} by argument {i}: {got!r}, {error:.2f} ulp"
            )


@pytest.mark.parametrize("primitive", ALL)
def test_the_textbook_form_gives_the_computed_derivatives(primitive):
    """But for the digits that it loses: as many as it would by an error in the last digit of one of its numbers."""
    for point in random_points(primitive, 25):
        if has_kink_at(primitive, point):
            continue
        numbers = [primitive.forward(floats, *point), *point]
        found = primitive.textbook(floats, *numbers)
        assert len(found) == len(point)
        moved = [
            primitive.textbook(floats, *[x * (1.0 + 1e-15 * (i == k)) for k, x in enumerate(numbers)])
            for i in range(len(numbers))
        ]
        for i, (got, want) in enumerate(zip(found, local_derivatives(primitive, point), strict=True)):
            lost = 8.0 * math.fsum(abs(form[i] - got) for form in moved)
            assert abs(got - want) <= lost + 1e-14 * abs(want), (point, i, got, want)


@pytest.mark.parametrize("primitive", ALL)
def test_local_derivatives_agree_with_central_differences(primitive):
    for point in random_points(primitive, 8) + [p for p in awkward_points(primitive, 60) if max(map(abs, p)) <= 20.0]:
        if has_kink_at(primitive, point) or not has_a_value(primitive, point):
            continue
        for i, derivative in enumerate(local_derivatives(primitive, point)):
            x, (low, high) = point[i], interval(primitive, i)
            h = min(6e-6 * max(1.0, abs(x)), 1e-3 * abs(x - low), 1e-3 * abs(high - x))
            if primitive.name == "div" and i == 1:
                h = min(h, 1e-5 * abs(x))
            if h == 0.0 or (not primitive.smooth and h > abs(x) > 0.0):
                continue  # so near to the edge, or to the corner at 0, that floats leave no room to step
            moved = [primitive.forward(floats, *point[:i], x + s * h, *point[i + 1 :]) for s in (1, -1)]
            if not all(map(math.isfinite, (*moved, derivative))):
                continue
            numeric = (moved[0] - moved[1]) / ((x + h) - (x - h)) if x + h != x - h else derivative
            rounding = 4 * math.ulp(max(map(abs, moved))) / h
            assert numeric == pytest.approx(derivative, rel=2e-5, abs=rounding + 1e-9), (
                f"{primitive.name}{point} by {i}"
            )


# Complex step: f(x + ih).imag / h has no cancellation, but wants a function that NumPy continues to complex numbers as
# an analytic one. |x| is not (NumPy's abs is the modulus), nor is softplus, which is written with it; the sign of a
# complex number is another thing in NumPy 1 than in NumPy 2; NumPy has no complex erf, erfc, cbrt, hypot and arctan2.
NOT_ANALYTIC = {"abs", "softplus", "sign", "erf", "erfc", "cbrt", "hypot", "atan2"}


@pytest.mark.parametrize("primitive", [p for p in ALL if p.id not in NOT_ANALYTIC])
def test_local_derivatives_agree_with_complex_step_on_arrays(primitive):
    h = 1e-30
    for point in random_points(primitive, 20):
        for i, derivative in enumerate(local_derivatives(primitive, point)):
            arguments = [np.complex128(x + 1j * h) if j == i else np.float64(x) for j, x in enumerate(point)]
            with np.errstate(all="ignore"):
                step = np.imag(primitive.forward(array, *arguments)) / h
            assert step == pytest.approx(derivative, rel=1e-12, abs=1e-15), f"{primitive.name}{point} by {i}"


def test_complex_step_is_left_out_only_where_a_reason_is_given():
    assert set(PRIMITIVES) >= NOT_ANALYTIC
    assert len(NOT_ANALYTIC) == 8


# ------------------------------------------------------------------------------------------------ the reading on arrays


def same(one, other, rtol=1e-15):
    """Equal, or a few ulp apart, or both nan: NumPy's own exp, log, sin, ... differ from C's in the last places."""
    one, other = float(one), float(other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=rtol, abs_tol=4 * 5e-324)


def assert_array_reading_agrees(primitive, points):
    by_size = {}
    for point in points:
        by_size.setdefault(len(point), []).append(point)
    for some in by_size.values():
        columns = [np.array(column) for column in zip(*some, strict=True)]
        with np.errstate(all="ignore"):
            out = np.broadcast_to(primitive.forward(array, *columns), len(some))
            derivatives = [np.broadcast_to(d, len(some)) for d in primitive.derivatives(array, out, *columns)]
        for k, point in enumerate(some):
            value, got = primitive.forward(floats, *point), float(out[k])
            size = float(SIZE[primitive.name](*map(mpf, point))) if primitive.name in SIZE else 0.0
            close = same(value, got, 4e-15) or abs(value - got) <= 1e-15 * size < inf
            assert close, f"{primitive.name}{point}: {value!r}, in arrays {got!r}"
            for i, derivative in enumerate(primitive.derivatives(floats, value, *point)):
                got = float(derivatives[i][k])
                assert same(derivative, got, 1e-14), (
                    f"{primitive.name}{point} by {i}: {derivative!r}, in arrays {got!r}"
                )


@pytest.mark.parametrize("primitive", ALL)
def test_the_reading_on_arrays_agrees_with_that_on_floats(primitive):
    assert_array_reading_agrees(primitive, random_points(primitive, 40) + awkward_points(primitive))


@pytest.mark.parametrize("primitive", ALL)
def test_the_reading_on_arrays_agrees_with_that_on_floats_at_infinity_and_nan_and_outside_the_domain(primitive):
    special = [inf, -inf, nan, 0.0, -0.0, 1.0, -2.0, 0.5, 2.0, 1e308]
    rng = random.Random(0)
    points = []
    for n in sizes(primitive):
        everything = list(itertools.product(special, repeat=n)) if n <= 2 else []
        points += everything or [tuple(rng.choice(special) for _ in range(n)) for _ in range(150)]
    assert_array_reading_agrees(primitive, points)


@pytest.mark.parametrize("primitive", ALL)
def test_the_reading_on_floats_never_raises_and_never_warns(primitive):
    special = [inf, -inf, nan, 0.0, -0.0, 1.0, -2.0, 1e308, -1e308, 5e-324]
    rng = random.Random(1)
    for n in sizes(primitive):
        points = list(itertools.product(special, repeat=n)) if n <= 2 else []
        for point in points or [tuple(rng.choice(special) for _ in range(n)) for _ in range(200)]:
            out = primitive.forward(floats, *point)
            for number in (out, *primitive.derivatives(floats, out, *point)):
                assert isinstance(number, float | int), f"{primitive.name}{point} gave {number!r}"


# -------------------------------------------------------------------------------------------- higher derivatives


def derivative_along(primitive, point, direction, order):
    """The derivatives, from the first to the order-th, of t ↦ f(point + t·direction) at 0, by create_graph."""
    t = Value(0.0)
    root = apply(primitive, *[x + t * d for x, d in zip(point, direction, strict=True)])
    found = []
    for _ in range(order):
        t.grad = 0.0
        root.backward(create_graph=True)
        root = t.grad
        found.append(root if isinstance(root, float) else root.data)
        if isinstance(root, float):  # t doesn't occur in it any more
            return found + [0.0] * (order - len(found))
    t.grad = 0.0
    return found


def true_derivative_along(primitive, point, direction, order):
    forward, _ = reference(primitive)
    with mp.workdps(80):
        steps = [(mpf(x), mpf(d)) for x, d in zip(point, direction, strict=True)]
        return mp.diff(lambda t: forward(*[x + t * d for x, d in steps]), 0, order)


def unit_and_mixed_directions(n):
    return [tuple(float(i == j) for j in range(n)) for i in range(n)] + [tuple(0.5 + 0.25 * i for i in range(n))] * (
        n > 1
    )


@pytest.mark.parametrize("primitive", ALL)
def test_second_derivatives_by_create_graph_agree_with_mpmath(primitive):
    for point in random_points(primitive, 3) + [p for p in awkward_points(primitive, 12) if max(map(abs, p)) <= 20.0]:
        if has_kink_at(primitive, point) or not has_a_value(primitive, point) or not steps_fit(primitive, point):
            continue
        for direction in unit_and_mixed_directions(len(point)):
            first, second = derivative_along(primitive, point, direction, 2)
            assert first == pytest.approx(
                float(true_derivative_along(primitive, point, direction, 1)), rel=1e-12, abs=1e-14
            )
            want = float(true_derivative_along(primitive, point, direction, 2))
            assert second == pytest.approx(want, rel=1e-11, abs=1e-13), f"{primitive.name}{point} along {direction}"


def steps_fit(primitive, point):
    """Whether a difference quotient in mpmath stays inside the domain and away from corners and poles."""
    edges = [abs(x - edge) for i, x in enumerate(point) for edge in interval(primitive, i) if math.isfinite(edge)]
    corners = [] if primitive.smooth and primitive.name != "div" else [abs(x) for x in point]
    return all(distance > 1e-7 for distance in edges + corners)


@pytest.mark.parametrize("primitive", SMOOTH)
def test_derivatives_up_to_the_fourth_agree_with_mpmath(primitive):
    points = random_points(primitive, 2) + [point for point in [(0.0,), (-0.0,)] if fits(primitive, point)]
    points += [point for point in [(0.0, 0.0), (0.0, 1.5), (-0.0, -2.0), (0.0, 0.0, 0.0)] if fits(primitive, point)]
    for point in points:
        direction = unit_and_mixed_directions(len(point))[-1]
        for order, got in enumerate(derivative_along(primitive, point, direction, 4), 1):
            want = float(true_derivative_along(primitive, point, direction, order))
            assert got == pytest.approx(want, rel=1e-10, abs=1e-12), f"{primitive.name}{point}, order {order}"


def fits(primitive, point):
    return len(point) in sizes(primitive) and inside(primitive, point) and has_a_value(primitive, point)


def test_the_third_derivative_of_tanh_at_0_is_minus_2():
    for x in (0.0, -0.0):
        assert derivative_along(find("tanh"), (x,), (1.0,), 4) == [1.0, 0.0, -2.0, 0.0]


@pytest.mark.parametrize(
    ("name", "derivatives"),
    [
        ("sigmoid", [0.25, 0.0, -0.125, 0.0]),
        ("softplus", [0.5, 0.25, 0.0, -0.125]),
        ("atan", [1.0, 0.0, -2.0, 0.0]),
        ("asin", [1.0, 0.0, 1.0, 0.0]),
        ("sin", [1.0, 0.0, -1.0, 0.0]),
        ("tan", [1.0, 0.0, 2.0, 0.0]),
        ("expm1", [1.0, 1.0, 1.0, 1.0]),
        ("log1p", [1.0, -1.0, 2.0, -6.0]),
    ],
)
def test_the_first_four_derivatives_at_0_are_the_ones_in_every_textbook(name, derivatives):
    assert derivative_along(find(name), (0.0,), (1.0,), 4) == derivatives


def test_integer_powers_have_all_their_derivatives_at_0_and_below():
    def derivatives(x, exponent):
        x = Value(x)
        root, found = x**exponent, []
        for _ in range(4):
            x.grad = 0.0
            root.backward(create_graph=True)
            root = x.grad
            found.append(float(root.data) if isinstance(root, Value) else root)
            if not isinstance(root, Value):
                break
        return found

    assert derivatives(-2.0, 3)[:3] == [12.0, -12.0, 6.0]
    assert derivatives(0.0, 2)[:2] == [0.0, 2.0]
    assert derivatives(0.0, 3)[:3] == [0.0, 0.0, 6.0]
    assert derivatives(0.0, 4) == [0.0, 0.0, 0.0, 24.0]


# ---------------------------------------------------------------------------------------------- kinks, as in PyTorch


def gradient(name, *point):
    return tuple(local_derivatives(find(name), point))


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_relu_abs_sign_and_step_have_derivative_0_at_0(zero):
    for name in ("relu", "abs", "sign", "step"):
        assert gradient(name, zero) == (0.0,), name


def test_sign_and_step_have_derivative_0_everywhere():
    for x in (-3.0, 2.0, 1e300):
        assert gradient("sign", x) == gradient("step", x) == (0.0,)
    assert [find("step").forward(floats, x) for x in (-1.0, 0.0, 2.0)] == [0.0, 0.0, 1.0]
    assert [find("sign").forward(floats, x) for x in (-7.0, 0.0, 2.0)] == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_of_maximum_and_minimum_share_the_gradient_equally(name):
    assert gradient(name, 2.0, 2.0) == (0.5, 0.5)
    assert gradient(name, 2.0, 2.0, 2.0) == (1 / 3, 1 / 3, 1 / 3)
    assert gradient(name, 0.0, -0.0) == (0.5, 0.5)
    assert gradient("maximum", 2.0, 1.0, 2.0, 0.0) == (0.5, 0.0, 0.5, 0.0)
    assert gradient("minimum", 2.0, 1.0, 2.0, 1.0) == (0.0, 0.5, 0.0, 0.5)


def test_leaky_relu_and_elu_take_their_lower_branch_at_0():
    assert gradient("leaky_relu", 0.0, 0.1) == (0.1, 0.0)
    assert gradient("elu", 0.0, 0.5) == (0.5, 0.0)


def test_powers_at_0_have_the_derivatives_of_pytorch():
    assert gradient("pow", 0.0, 0.0) == (0.0, 0.0)
    assert gradient("pow", 3.0, 0.0) == (0.0, math.log(3.0))
    assert gradient("pow", 0.0, 1.0) == (1.0, 0.0)
    assert gradient("pow", 0.0, 2.0) == (0.0, 0.0)
    assert gradient("pow", 0.0, 0.5) == (inf, 0.0)
    assert find("pow").forward(floats, 0.0, 0.5) == 0.0
    assert find("pow").forward(floats, 0.0, -1.0) == inf


def test_powers_of_negative_bases():
    cube = gradient("pow", -2.0, 3.0)
    assert find("pow").forward(floats, -2.0, 3.0) == -8.0
    assert cube[0] == 12.0
    assert math.isnan(cube[1])
    assert math.isnan(find("pow").forward(floats, -8.0, 1 / 3))
    assert math.isnan(gradient("pow", -8.0, 1 / 3)[0])
    assert gradient("pow", -2.0, 0.0)[0] == 0.0
    assert gradient("pow", -2.0, -1.0)[0] == -0.25


def test_both_derivatives_of_a_power():
    by_base, by_exponent = gradient("pow", 2.0, 3.0)
    assert (by_base, by_exponent) == (12.0, 8.0 * math.log(2.0))


# ------------------------------------------------------------------------------- no overflow, and the digits kept


@pytest.mark.parametrize(
    ("name", "point", "value", "derivatives"),
    [
        ("tanh", (1000.0,), 1.0, (0.0,)),
        ("tanh", (-1000.0,), -1.0, (0.0,)),
        ("sigmoid", (1000.0,), 1.0, (0.0,)),
        ("sigmoid", (-1000.0,), 0.0, (0.0,)),
        ("softplus", (1000.0,), 1000.0, (1.0,)),
        ("softplus", (-1000.0,), 0.0, (0.0,)),
        ("elu", (1000.0, 1.0), 1000.0, (1.0, 0.0)),
        ("elu", (-1000.0, 2.0), -2.0, (0.0, -1.0)),
        ("logsumexp", (1000.0, -1000.0), 1000.0, (1.0, 0.0)),
        ("logsumexp", (-1000.0, -1000.0), -1000.0 + math.log(2.0), (0.5, 0.5)),
        ("logsumexp", (1000.0, 1000.0), 1000.0 + math.log(2.0), (0.5, 0.5)),
        ("softmax", (1000.0, -1000.0), 1.0, (0.0, 0.0)),
        ("softmax", (1000.0, 1000.0), 0.5, (0.25, -0.25)),
        ("softmax", (-1000.0, -1000.0), 0.5, (0.25, -0.25)),
    ],
)
def test_no_overflow_at_1000_and_the_gradients_are_right_there(name, point, value, derivatives):
    assert find(name).forward(floats, *point) == value
    assert gradient(name, *point) == derivatives


@pytest.mark.parametrize("x", [20.0, -20.0, 300.0, -300.0])
def test_the_derivative_of_tanh_keeps_its_digits_where_1_minus_tanh_squared_has_none(x):
    assert 1.0 - math.tanh(x) ** 2 == 0.0
    want = mp.sech(mpf(x)) ** 2
    assert abs(gradient("tanh", x)[0] - want) / want < 1e-15


def test_logsumexp_keeps_the_digits_of_what_is_small_beside_1():
    assert find("logsumexp").forward(floats, 0.0, -40.0) == pytest.approx(math.exp(-40.0), rel=1e-15)
    assert find("logsumexp").forward(array, np.float64(-40.0), np.float64(0.0)) == pytest.approx(
        math.exp(-40.0), rel=1e-15
    )


# ------------------------------------------------------------------------------------------------ IEEE 754


@pytest.mark.parametrize(
    ("name", "point", "value"),
    [
        ("log", (0.0,), -inf),
        ("log", (-0.0,), -inf),
        ("log", (-1.0,), nan),
        ("log1p", (-1.0,), -inf),
        ("div", (1.0, 0.0), inf),
        ("div", (1.0, -0.0), -inf),
        ("div", (-1.0, 0.0), -inf),
        ("div", (0.0, 0.0), nan),
        ("div", (inf, inf), nan),
        ("div", (1e308, 1e-308), inf),
        ("exp", (1000.0,), inf),
        ("exp", (-1000.0,), 0.0),
        ("expm1", (1000.0,), inf),
        ("pow", (10.0, 400.0), inf),
        ("pow", (-10.0, 401.0), -inf),
        ("pow", (-0.0, -3.0), -inf),
        ("pow", (-0.0, -2.0), inf),
        ("pow", (-8.0, 1 / 3), nan),
        ("pow", (nan, 0.0), 1.0),
        ("mul", (1e200, -1e200), -inf),
        ("mul", (0.0, inf), nan),
        ("add", (1e308, 1e308), inf),
        ("sub", (inf, inf), nan),
        ("sinh", (1000.0,), inf),
        ("sinh", (-1000.0,), -inf),
        ("cosh", (-1000.0,), inf),
        ("sqrt", (-1.0,), nan),
        ("sqrt", (-0.0,), -0.0),
        ("sin", (inf,), nan),
        ("cos", (-inf,), nan),
        ("tan", (inf,), nan),
        ("sin", (-0.0,), -0.0),
        ("asin", (2.0,), nan),
        ("acos", (-2.0,), nan),
        ("atan", (inf,), math.pi / 2),
        ("tanh", (-inf,), -1.0),
        ("tanh", (-0.0,), -0.0),
        ("sigmoid", (-inf,), 0.0),
        ("softplus", (inf,), inf),
        ("softplus", (-inf,), 0.0),
        ("relu", (nan,), nan),
        ("maximum", (1.0, nan), nan),
        ("minimum", (nan, 1.0), nan),
        ("logsumexp", (-inf, -inf), -inf),
        ("logsumexp", (inf, 0.0), inf),
        ("logsumexp", (-inf, 3.0), 3.0),
        ("softmax", (-inf, 0.0), 0.0),
        ("erf", (inf,), 1.0),
        ("sign", (nan,), nan),
        ("neg", (0.0,), -0.0),
    ],
)
def test_arithmetic_follows_ieee_754(name, point, value):
    got = apply(find(name), *point).data
    assert type(got) is float
    assert got == value or (math.isnan(got) and math.isnan(value))
    assert math.isnan(value) or math.copysign(1.0, got) == math.copysign(1.0, value), "the sign of zero"


@pytest.mark.parametrize(
    ("name", "point", "derivatives"),
    [
        ("log", (0.0,), (inf,)),
        ("sqrt", (0.0,), (inf,)),
        ("div", (1.0, 0.0), (inf, -inf)),
        ("asin", (1.0,), (inf,)),
        ("acos", (-1.0,), (-inf,)),
        ("exp", (1000.0,), (inf,)),
        ("atan", (1e200,), (0.0,)),
        ("div", (1.0, 1e200), (1e-200, -0.0)),
    ],
)
def test_local_derivatives_follow_ieee_754(name, point, derivatives):
    assert gradient(name, *point) == derivatives
