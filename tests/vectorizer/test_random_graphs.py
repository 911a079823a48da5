"""Random graphs: the program gives what the eager engine gives, in value and in every gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini import Value
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.vectorizer import vectorize

N_INPUTS, N_PARAMETERS, N_EXAMPLES = 4, 6, 5

UNARY = [
    ag.tanh,
    ag.sigmoid,
    ag.relu,
    ag.softplus,
    ag.sin,
    ag.cos,
    ag.atan,
    ag.erf,
    lambda a: ag.exp(ag.tanh(a)),
    lambda a: ag.log(1.0 + a * a),
    lambda a: ag.sqrt(2.0 + ag.sin(a)),
    lambda a: ag.abs(a) + 0.5,
    lambda a: -a,
    lambda a: a**2,
    lambda a: ag.tanh(a) ** 3,
    lambda a: 2.5 * a - 1.0,
    lambda a: ag.leaky_relu(a, 0.1),
    lambda a: ag.elu(a, 0.7),
    lambda a: ag.identity(a),
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * ag.tanh(b),
    lambda a, b: a * b * 0.1,
    lambda a, b: a / (1.5 + b * b),
    lambda a, b: ag.maximum(a, b),
    lambda a, b: ag.minimum(a, b),
    lambda a, b: ag.where(a > b, a, 0.3 * b),
    lambda a, b: (1.5 + ag.sin(a)) ** ag.tanh(b),
]
N_ARY = [
    lambda terms: ag.sum(terms),
    lambda terms: ag.logsumexp(terms),
    lambda terms: ag.softmax(terms)[0] - ag.softmax(terms)[-1],
    lambda terms: ag.maximum(terms),
    lambda terms: sum(terms),
    lambda terms: sum(t * t for t in terms),
    lambda terms: ag.sum([-2.0 * t for t in terms]) / len(terms),
]

step = st.one_of(
    st.tuples(st.just("unary"), st.integers(0, len(UNARY) - 1), st.integers(0, 10**6)),
    st.tuples(st.just("binary"), st.integers(0, len(BINARY) - 1), st.tuples(*[st.integers(0, 10**6)] * 2)),
    st.tuples(
        st.just("n-ary"), st.integers(0, len(N_ARY) - 1), st.lists(st.integers(0, 10**6), min_size=2, max_size=9)
    ),
    st.tuples(st.just("dot"), st.booleans(), st.lists(st.integers(0, 10**6), min_size=2, max_size=8)),
    st.tuples(st.just("layer"), st.integers(2, 4), st.lists(st.integers(0, 10**6), min_size=1, max_size=4)),
)


def build(steps, x, parameters):
    """Compute a random graph from the features and the parameters."""
    pool = [*x, *parameters]
    for kind, which, at in steps:
        if kind == "unary":
            pool.append(UNARY[which](pool[at % len(pool)]))
        elif kind == "binary":
            pool.append(BINARY[which](pool[at[0] % len(pool)], pool[at[1] % len(pool)]))
        elif kind == "n-ary":
            pool.append(ag.tanh(N_ARY[which]([pool[i % len(pool)] for i in at])))
        elif kind == "dot":
            chosen = [pool[i % len(pool)] for i in at]
            weights = [parameters[i % N_PARAMETERS] for i in at]
            pool.append(ag.tanh(ag.dot(weights, chosen, parameters[0] if which else None)))
        else:
            chosen = [pool[i % len(pool)] for i in at]
            for r in range(which):
                weights = [parameters[(i + r) % N_PARAMETERS] for i in range(len(chosen))]
                pool.append(ag.tanh(sum((w * c for w, c in zip(weights, chosen, strict=True)), parameters[r])))
    return ag.sum([ag.tanh(node) for node in pool[-6:]])


@given(steps=st.lists(step, min_size=1, max_size=14), seed=st.integers(0, 2**32 - 1))
def test_equal_to_the_eager_engine(steps, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_EXAMPLES, N_INPUTS))
    parameters = [Value(number) for number in rng.normal(size=N_PARAMETERS)]
    program = vectorize(lambda x: build(steps, x, parameters), check=False)

    values = program(X)
    mean, gradient = program.value_and_grad(X)
    by_inputs = program.gradients(X)

    totals = dict.fromkeys(parameters, 0.0)
    for i, row in enumerate(X.tolist()):
        x = [Value(number) for number in row]
        root = build(steps, x, parameters)
        found = gradients(root)
        assert values[i] == pytest.approx(root.data, rel=1e-9, abs=1e-9)
        assert by_inputs[i] == pytest.approx([found.get(leaf, 0.0) for leaf in x], rel=1e-9, abs=1e-9)
        for p in parameters:
            totals[p] += found.get(p, 0.0) / N_EXAMPLES
    assert mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
    assert gradient == pytest.approx([totals[p] for p in program.parameters], rel=1e-9, abs=1e-9)
    assert all(totals[p] == 0.0 for p in parameters if p not in program.parameters)


@settings(max_examples=5)
@given(steps=st.lists(step, min_size=1, max_size=8), seed=st.integers(0, 2**32 - 1))
def test_in_float32_it_is_near(steps, seed):
    assert_near_in_float32("native", steps, seed)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["native", "numpy"])
@given(steps=st.lists(step, min_size=1, max_size=14), seed=st.integers(0, 2**32 - 1))
def test_in_float32_many_are_near(backend, steps, seed):
    assert_near_in_float32(backend, steps, seed)


def assert_near_in_float32(backend, steps, seed):
    """Compare a program with that of double precision, on 64 examples: few of them may lie at a kink."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(64, N_INPUTS)).astype(np.float32)
    parameters = [Value(float(np.float32(number))) for number in rng.normal(size=N_PARAMETERS)]
    found = []
    for dtype in ("float32", "float64"):
        program = vectorize(lambda x: build(steps, x, parameters), backend=backend, dtype=dtype, check=False)
        found.append((program(X), program.gradients(X)))
        assert found[-1][0].dtype == found[-1][1].dtype == dtype
    for single, double in zip(*found, strict=True):
        off = np.abs(single - double) / np.maximum(1.0, np.abs(double))
        assert np.quantile(off, 0.9) <= 1e-4
