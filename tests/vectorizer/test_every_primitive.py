"""Every operation of the table in a batched and in a straight-line program, against the eager engine."""

import itertools
import math
import signal

import numpy as np
import pytest
from vector_checks import assert_close

from autograd_mini import Value
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.engine.value import Parameter, apply
from autograd_mini.vectorizer import vectorize

EDGES = (0.0, 1000.0, -1000.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 0.5, 2.0, 40.0, -40.0)
ARITIES = [
    (name, arity)
    for name, primitive in PRIMITIVES.items()
    for arity in ([primitive.arity] if primitive.arity else [3, 4, 5] if name == "dot" else [2, 3, 6, 20])
]


@pytest.fixture(autouse=True)
def _at_most_ten_seconds():
    """A program that is never finished is a failure, too."""

    def give_up(number, frame):
        raise TimeoutError("no program after ten seconds")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def span(primitive, k):
    low, high = primitive.domain[min(k, len(primitive.domain) - 1)]
    return max(low, -3.0) + 1e-3, min(high, 3.0) - 1e-3


def random_points(name, arity, count=12):
    rng = np.random.default_rng(arity)
    primitive = PRIMITIVES[name]
    columns = [rng.uniform(*span(primitive, k), size=count) for k in range(arity)]
    if name == "pick":
        columns[0] = rng.integers(0, arity - 1, size=count).astype(float)
    elif name == "where":
        columns[0] = rng.integers(0, 2, size=count).astype(float)
    elif not primitive.smooth:
        columns[0][: count // 3] = columns[-1][: count // 3]  # ties
        columns[0][0] = 0.0
    return np.column_stack(columns)


def edge_points(name, arity):
    if name == "pick":
        indices = [0.0, float(arity - 2), 1.0, -1.0, float(arity - 1), 0.5, math.nan, math.inf]
        rng = np.random.default_rng(0)
        return np.array([[index, *rng.choice(EDGES, size=arity - 1)] for index in indices for _ in range(4)])
    if arity <= 2:
        return np.array(list(itertools.product(EDGES, repeat=arity)))
    rng = np.random.default_rng(1)
    return np.array([*rng.choice(EDGES, size=(60, arity)), *[[edge] * arity for edge in EDGES]])


def eager(primitive, point):
    leaves = [Value(number) for number in point]
    root = apply(primitive, *leaves)
    found = gradients(root)
    return root.data, [found.get(leaf, 0.0) for leaf in leaves]


def expected(name, points):
    found = [eager(PRIMITIVES[name], point) for point in points.tolist()]
    return np.array([value for value, _ in found]), np.array([slopes for _, slopes in found])


def assert_definite(got, wanted, points, what):
    """Assert equality wherever the eager engine says something definite: a number or an infinity."""
    definite = ~np.isnan(wanted)
    with np.errstate(all="ignore"):
        same = (got == wanted) | (np.abs(got - wanted) <= 1e-9 * np.maximum(np.abs(wanted), 1.0))
    wrong = np.argwhere(definite & ~same)
    lines = [f"{what} at {points[i[0]].tolist()}: {got[tuple(i)]} instead of {wanted[tuple(i)]}" for i in wrong[:5]]
    assert not len(wrong), "\n".join([f"{len(wrong)} differences", *lines])


@pytest.mark.parametrize(("name", "arity"), ARITIES)
@pytest.mark.parametrize("kind", ["random", "edges"])
def test_in_a_batch(name, arity, kind):
    points = random_points(name, arity) if kind == "random" else edge_points(name, arity)
    values, slopes = expected(name, points)
    program = vectorize(lambda x: apply(PRIMITIVES[name], *x), check=False)
    got, by_x = program.value_and_gradients(points)
    assert_definite(got, values, points, f"value of {name}")
    assert_definite(by_x, slopes, points, f"gradient of {name}")
    if not name.startswith("softmax"):
        assert np.isnan(got[np.isnan(values)]).all(), f"nan is lost in {name}"


@pytest.mark.parametrize(("name", "arity"), ARITIES)
@pytest.mark.parametrize("kind", ["random", "edges"])
def test_in_straight_line_python(name, arity, kind):
    points = random_points(name, arity) if kind == "random" else edge_points(name, arity)
    values, slopes = expected(name, points)
    leaves = [Parameter(0.5) for _ in range(arity)]
    program = vectorize(lambda: apply(PRIMITIVES[name], *leaves), check=False)
    place = {leaf: k for k, leaf in enumerate(leaves)}
    got, by_leaf = np.empty(len(points)), np.zeros(points.shape)
    for i, point in enumerate(points.tolist()):
        for leaf, number in zip(leaves, point, strict=True):
            leaf.data = number
        got[i], gradient = program.value_and_grad()
        by_leaf[i, [place[p] for p in program.parameters]] = gradient
    assert "straight-line" in program.source
    assert_definite(got, values, points, f"value of {name}")
    assert_definite(by_leaf, slopes, points, f"gradient of {name}")
    assert np.isnan(got[np.isnan(values)]).all(), f"nan is lost in {name}"


@pytest.mark.parametrize(("name", "arity"), ARITIES)
def test_of_parameters_bare_numbers_and_inputs_in_every_mixture(name, arity):
    primitive = PRIMITIVES[name]
    points = random_points(name, arity)
    rng = np.random.default_rng(3)
    for _ in range(4):
        sorts = rng.integers(0, 3, size=arity)
        if name == "pick":
            sorts[0] = 0
        fixed = points[0].tolist()
        leaves = [Parameter(number) for number in fixed]

        def f(x, sorts=sorts, fixed=fixed, leaves=leaves):
            chosen = [(x[k], leaves[k], fixed[k])[sort] for k, sort in enumerate(sorts)]
            return apply(primitive, *[Value(c) if isinstance(c, float) else c for c in chosen])

        mixed = np.where(sorts == 0, points, points[0])
        values, slopes = expected(name, mixed)
        program = vectorize(f)
        assert_close(program(points), values, f"value of {name} with {sorts}")
        by_x = program.gradients(points)
        assert_close(by_x, np.where(sorts == 0, slopes, 0.0), f"gradient of {name} with {sorts}")
        _, each = program.value_and_grad(points, reduction=None)
        columns = [leaves.index(p) for p in program.parameters]
        assert_close(each, slopes[:, columns], f"gradient by the parameters of {name} with {sorts}")


@pytest.mark.parametrize(("name", "arity"), ARITIES)
def test_of_the_same_node_several_times(name, arity):
    primitive, w = PRIMITIVES[name], Parameter(0.7)
    points = np.linspace(0.1, 0.9, 5)

    def f(x):
        if name == "pick":
            return apply(primitive, Value(0.0), *[x if k % 2 == 0 else w for k in range(arity - 1)]) * w + x
        return apply(primitive, *[x if k % 2 == 0 else w for k in range(arity)]) * w + x

    values, by_x, by_w = [], [], []
    for number in points.tolist():
        leaf = Value(number)
        root = f(leaf)
        found = gradients(root)
        values.append(root.data)
        by_x.append(found.get(leaf, 0.0))
        by_w.append(found.get(w, 0.0))
    program = vectorize(f)
    assert_close(program(points), values, "values")
    assert_close(program.gradients(points), by_x, "gradient by x")
    assert_close(program.value_and_grad(points, reduction=None)[1][:, 0], by_w, "gradient by w")


@pytest.mark.parametrize("name", PRIMITIVES)
@pytest.mark.slow  # every operation is compiled
@pytest.mark.needs("jax")
def test_with_jax(name):
    arity = PRIMITIVES[name].arity or 3
    points = random_points(name, arity)
    values, slopes = expected(name, points)
    got, by_x = vectorize(lambda x: apply(PRIMITIVES[name], *x), backend="jax").value_and_gradients(points)
    assert_close(got, values, "values")
    assert_close(by_x, slopes, "gradient")
