"""Large graphs: memory that is linear in the edges, long chains, wide sums."""

import tracemalloc

import numpy as np
import pytest
from vector_checks import assert_as_eager, assert_close

import autograd_mini as ag
from autograd_mini import Value
from autograd_mini.engine.value import Parameter
from autograd_mini.nn import MLP
from autograd_mini.vectorizer import vectorize
from autograd_mini.vectorizer.compiled import traced
from autograd_mini.vectorizer.scalars import scanned

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 2))


def long_to_compile(size):
    """A size whose program, thousands of statements, keeps Python's compiler busy for many seconds."""
    return pytest.param(size, marks=pytest.mark.slow)


def peak_of_tracing(n_hidden):
    """Return the edges of a network's graph and the bytes that tracing it took at most, and that were kept."""
    model = MLP(100, [n_hidden, 1], "tanh", rng=0)
    program = vectorize(lambda x: model(x), check=False)
    given = np.ones((1, 100))
    tracemalloc.start()
    try:
        program(given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    edges = 201 * n_hidden + n_hidden + 2 * n_hidden + 1
    return edges, peak


@pytest.mark.parametrize("size", [25, pytest.param(50, marks=pytest.mark.slow)])
def test_tracing_takes_under_500_bytes_an_edge_and_is_linear(size):
    few, small = peak_of_tracing(size)
    many, large = peak_of_tracing(10 * size)
    assert many > 2_000 * size
    assert large / many < 500
    assert large / many < 1.5 * small / few + 50


@pytest.mark.parametrize("terms", [5_000, pytest.param(12_500, marks=pytest.mark.slow)])
def test_binary_nodes_take_under_500_bytes_an_edge(terms):
    w = [Parameter(x) for x in RNG.normal(size=200)]

    def f(x):
        total = 0.0
        for k in range(terms):
            total = total + ag.tanh(w[k % 200] * x[k % 2]) * x[(k + 1) % 2]
        return total

    tracemalloc.start()
    try:
        trace, inputs, outputs, _ = traced(f, [X[0]], ["x"])
        scanned(trace, inputs, outputs)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    edges = terms * 7
    assert peak / edges < 500


def recurrence(levels, w, b):
    def f(x):
        h = x[0]
        for _ in range(levels):
            h = ag.tanh(w * h + b)
        return h

    return f


@pytest.mark.parametrize("levels", [600, long_to_compile(1500)])
def test_a_chain_of_thousands_of_nodes_with_a_batch(levels):
    w, b = Value(1.001), Value(0.0001)
    assert_as_eager(recurrence(levels, w, b), X)


@pytest.mark.parametrize("levels", [100, long_to_compile(3000)])
def test_a_chain_of_which_every_level_reads_the_same_node(levels):
    w = Value(0.6)

    def f(x):
        z = h = ag.tanh(w * x[0] + x[1])
        for _ in range(levels):
            h = ag.sin(h + z)
        return h

    assert_as_eager(f, X)


@pytest.mark.parametrize("levels", [100, long_to_compile(1500)])
def test_a_chain_of_which_every_level_reads_an_input(levels):
    w = Value(0.6)

    def f(x):
        h = x[0]
        for _ in range(levels):
            h = ag.sin(w * h * x[1])
        return h

    assert_as_eager(f, X)


@pytest.mark.parametrize("n_nodes", [5_000, long_to_compile(24_000)])
def test_a_chain_without_a_batch(n_nodes):
    w, b = Value(1.01), Value(0.1)

    def f():
        h = b
        for _ in range(n_nodes // 3):
            h = ag.sin(w * h + b)
        return h

    assert_as_eager(f)


@pytest.mark.parametrize("n_terms", [5, 17, 2_000])
def test_wide_sums_with_a_batch(n_terms):
    w = [Parameter(x) for x in RNG.normal(size=n_terms)]
    for f in (
        lambda x: ag.sum([ag.tanh(a * x[0]) for a in w]),
        lambda x: sum(ag.tanh(a * x[0]) * x[1] for a in w),
        lambda x: ag.sum([a * (x[0] + k) for k, a in enumerate(w)]),
    ):
        program = assert_as_eager(f, X[:2], check=False)
        assert program.explain().statements < 60


def test_a_sum_of_ten_thousand_terms_with_a_batch():
    w = [Parameter(x) for x in RNG.normal(size=10_000)]
    program = assert_as_eager(lambda x: ag.sum([ag.tanh(a * x[0]) * x[1] for a in w]), X[:2], check=False)
    assert program.explain().statements < 60


@pytest.mark.parametrize("n_terms", [10_000])
def test_wide_sums_without_a_batch(n_terms):
    w = [Parameter(x) for x in RNG.normal(size=n_terms)]
    for f in (
        lambda: ag.sum([a * a for a in w]),
        lambda: sum(a * b for a, b in zip(w, w[::-1], strict=True)),
        lambda: ag.sum([ag.abs(a) for a in w]) + w[0],
    ):
        program = assert_as_eager(f)
        assert program.explain().statements < 40


@pytest.mark.parametrize("n", [2, 17, 100, pytest.param(300, marks=pytest.mark.slow)])
def test_wide_functions_of_a_list(n):
    w = [Parameter(x) for x in RNG.normal(size=n)]
    for f in (
        lambda x: ag.logsumexp([a * x[0] for a in w]),
        lambda x: ag.softmax([a * x[0] for a in w])[0] * x[1],
        lambda x: ag.maximum([a * x[0] for a in w]) - ag.minimum([a * x[1] for a in w]),
        lambda x: ag.dot(ag.softmax([a * x[0] for a in w]), w),
    ):
        assert_as_eager(f, X)


def test_many_results():
    w = [Parameter(x) for x in RNG.normal(size=500)]
    values = vectorize(lambda x: [a * x[0] for a in w])(X)
    assert_close(values, X[:, :1] * [a.data for a in w], "values")


def test_many_features():
    data = RNG.normal(size=(4, 3000))
    w = [Parameter(x) for x in RNG.normal(size=3000)]
    assert_as_eager(lambda x: ag.tanh(ag.dot(w, x) * 0.01), data)


def test_a_program_keeps_no_more_arrays_for_every_new_batch_size():
    model = MLP(2, [50, 1], "tanh", rng=0)
    program = vectorize(lambda x: model(x))
    data = RNG.normal(size=(600, 2))
    tracemalloc.start()
    try:
        for n in range(600, 580, -1):
            program(data[:n])
        before, _ = tracemalloc.get_traced_memory()
        for n in range(580, 520, -1):
            program(data[:n])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after < before + 100_000
