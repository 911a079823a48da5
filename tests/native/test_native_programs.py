"""Programs on the native machine: what NumPy's gives, for every kind of statement and instruction set."""

import itertools
import os

import numpy as np
import pytest
from machines import SETS, needs_machine

import autograd_mini as ag
from autograd_mini import Value, nn, vectorize
from autograd_mini.native.build import SWITCH
from autograd_mini.vectorizer import native_backend
from autograd_mini.vectorizer.native_printer import _Formula

pytestmark = needs_machine
RNG = np.random.default_rng(0)


def numbers(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


def letters():
    table = [[Value(0.1 * k - r) for k in range(3)] for r in range(5)]
    return lambda x: ag.tanh(ag.dot(ag.pick(x[0], table), x[1:4]))


def network(*layers):
    model = nn.Sequential(*layers)
    return lambda x: ag.sum(model(x))


def gathered():
    w = [Value(0.3 * k - 1.0) for k in range(6)]
    order = [4, 0, 0, 3, 1]

    def f(x):
        mixed = ag.sum([ag.tanh(w[k] * x[k % 4]) * x[3 - k % 4] for k in order])
        return mixed + ag.sum([w[k] * w[5 - k] for k in order])

    return f


def recurrence():
    u, v = Value(0.4), Value(-0.7)

    def f(x):
        h = x[0]
        for z in x:
            h = ag.tanh(u * h + v * z)
        return h

    return f


def tied():
    a = [Value(0.1 * k) for k in range(12)]
    return lambda x: ag.sum([ag.dot(a[3 * r : 3 * r + 3], x[:3]) * ag.dot(a[r::4], x[1:4]) for r in range(4)])


def interleaved():
    """Sums over neighbours, of which each second or third operand is of the same kind."""
    w = [Value(0.1 * k - 0.7) for k in range(24)]

    def f(x):
        pairs = ag.sum([3.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in itertools.pairwise(w)])
        threes = [
            (a - b) ** 2 + 0.5 * (b * c) ** 2 + (c * x[0]) ** 2
            for a, b, c in zip(w[::3], w[1::3], w[2::3], strict=True)
        ]
        return pairs * x[1] + ag.sum(threes) + ag.sum(threes[::-2]) + ag.maximum([a * x[2] for a in w[::5]])

    return f


MODELS = {
    "an MLP": lambda: network(nn.MLP(4, [7, 5, 3], rng=0)),
    "softmax": lambda: lambda x: ag.softmax(x)[1] * x[0] - ag.softmax(x)[0],
    "logsumexp": lambda: lambda x: ag.logsumexp(x),
    "extrema": lambda: lambda x: ag.maximum(x) * ag.minimum(x),
    "batch normalization": lambda: network(nn.Layer(4, 3, "tanh", rng=0), nn.BatchNorm(3)),
    "convolution": lambda: network(nn.Reshape(1, 2, 2), nn.Conv2d(1, 3, 2, rng=0), nn.Flatten()),
    "picked rows": letters,
    "gathered rows": gathered,
    "a recurrence": recurrence,
    "tied weights": tied,
    "many rows": lambda: network(nn.MLP(4, [19, 17, 3], rng=0)),
    "interleaved lists": interleaved,
    "powers": lambda: lambda x: ag.abs(x[0]) ** 1.5 + x[1] ** 3 + (1 + x[2] ** 2) ** 0.5 + (2 + x[3] ** 2) ** x[0],
    "cross-entropy": lambda: lambda x: nn.losses.cross_entropy([x[1], x[2], x[3]], x[0]),
}
SIZES = (1, 63, 257, 700)


def inputs_for(name, n):
    X = numbers(n, 4)
    if name in ("picked rows", "cross-entropy"):
        X[:, 0] = np.arange(n) % 3
    return X


def both(f, X, backend, monkeypatch, choice="1", dtype="float64"):
    monkeypatch.setitem(os.environ, SWITCH, choice)
    program = vectorize(f, backend=backend, check=False, dtype=dtype)
    value, gradient = program.value_and_grad(X)
    assert program._latest.runs_on[0] == backend, program._latest.runs_on
    return program(X), value, gradient


@pytest.mark.parametrize("choice", SETS)
@pytest.mark.parametrize("name", MODELS)
def test_native_programs_give_what_numpy_gives(name, choice, monkeypatch):
    assert_as_numpy(name, SIZES, choice, monkeypatch, "float64", 1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_in_float32_too(name, monkeypatch):
    assert_as_numpy(name, (70,), SETS[0], monkeypatch, "float32", 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("choice", SETS)
@pytest.mark.parametrize("name", MODELS)
def test_in_float32_for_batches_of_all_sizes(name, choice, monkeypatch):
    assert_as_numpy(name, (*SIZES, 2, 15, 16, 17, 40), choice, monkeypatch, "float32", 1e-5)


def assert_as_numpy(name, sizes, choice, monkeypatch, dtype, near):
    f = MODELS[name]()
    for n in sizes:
        if n == 1 and name == "batch normalization":
            continue  # the variance of a single example is none
        X = inputs_for(name, n)
        native = both(f, X, "native", monkeypatch, choice, dtype)
        for ours, theirs in zip(native, both(f, X, "numpy", monkeypatch, "1", dtype), strict=True):
            assert np.asarray(ours).dtype == np.asarray(theirs).dtype
            scale = np.maximum(1.0, np.abs(theirs))
            assert np.all(np.abs(ours - theirs) <= near * scale), f"{n} examples"


def test_a_condition_is_computed_once_and_no_choice_between_1_and_0_is_made(monkeypatch):
    printed = []
    monkeypatch.setattr(_Formula, "_arrange", spied(_Formula._arrange, printed))
    X = np.array([[1.0, 2.0], [-1.0, 3.0], [0.0, 1.0]])
    program = vectorize(lambda x: ag.relu(x[0] * x[1]), backend="native")
    assert program.gradients(X).tolist() == [[2.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    assert "greater" in printed
    assert "where" not in printed


def spied(arrange, printed):
    """Arranges a formula as ever, and notes its operations."""

    def noting(formula, *arguments):
        printed.extend(code for code, _, _ in formula._code)
        return arrange(formula, *arguments)

    return noting


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sums_of_numbers_that_are_the_same_for_all_examples(dtype, monkeypatch):
    assert_sums(31, SETS[0], dtype, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("choice", SETS)
def test_sums_of_numbers_of_every_length(choice, dtype, monkeypatch):
    for count in (2, 7, 8, 9, 17, 513, 1100):
        assert_sums(count, choice, dtype, monkeypatch)


def assert_sums(count, choice, dtype, monkeypatch):
    monkeypatch.setitem(os.environ, SWITCH, choice)
    w = [Value(0.25 * (k % 7) - 0.5) for k in range(count)]

    def f(x):
        return x * (ag.sum([p * p for p in w]) + sum(w) + ag.sum([ag.tanh(p) for p in w]))

    value, gradient = vectorize(f, backend="native", dtype=dtype, check=False).value_and_grad([1.0, 3.0])
    numbers = np.array([p.data for p in w])
    near = {"float64": 1e-13, "float32": 1e-5}[dtype]
    assert float(value) == pytest.approx(2 * np.sum(numbers**2 + numbers + np.tanh(numbers)), rel=near, abs=near)
    np.testing.assert_allclose(gradient, 2 * (2 * numbers + 2 - np.tanh(numbers) ** 2), rtol=near, atol=near)


def test_derivatives_by_the_inputs_and_of_several_results(monkeypatch):
    def f(x):
        return [ag.tanh(x[0] * x[1]), ag.exp(x[2]) - x[3]]

    X = numbers(100, 4)
    found = [vectorize(f, backend=backend, check=False).value_and_gradients(X) for backend in ("native", "numpy")]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("choice", SETS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_inputs_are_read_where_they_lie_whatever_their_strides(dtype, choice, monkeypatch):
    monkeypatch.setitem(os.environ, SWITCH, choice)
    program = vectorize(lambda x: x[0] * ag.exp(x[1]) - x[2] / (2.0 + x[3] * x[3]), dtype=dtype, backend="native")
    X = numbers(2111, 4).astype(dtype)
    values, derivatives = program.value_and_gradients(X)
    wider, other = np.zeros((2 * len(X), 9), dtype), np.dtype("float32" if dtype == "float64" else "float64")
    wider[::2, 1::2] = X
    packed = np.frombuffer(b"-" + X.tobytes(), np.uint8)[1:].view(dtype).reshape(X.shape)
    given = {
        "columns": np.asfortranarray(X),
        "some rows and columns": wider[::2, 1::2],
        "backwards": X[::-1, ::-1].copy()[::-1, ::-1],
        "numbers that are not aligned": packed,
        "other numbers": X.astype(np.float32).astype(other),
    }
    for name, same in given.items():
        expected = (
            program.value_and_gradients(X.astype(np.float32)) if name == "other numbers" else (values, derivatives)
        )
        found = program.value_and_gradients(same)
        assert all(map(np.array_equal, found, expected)), name
    repeated = np.broadcast_to(X[5], X.shape)
    assert np.array_equal(program.value_and_gradients(repeated)[1], np.broadcast_to(derivatives[5], X.shape))


def test_a_value_may_be_minus_zero_and_a_derivative_is_none(monkeypatch):
    program = vectorize(lambda x: x[0] * x[1] * x[2], backend="native")
    X = np.tile([-0.0, 1.0, -2.0], (3001, 1))
    X[:, 2] = 2.0
    values, derivatives = program.value_and_gradients(X)
    assert np.all(np.signbit(values)), "the values are -0"
    assert not np.signbit(derivatives[derivatives == 0.0]).any(), "a derivative of -0 is 0, as in eager sums"
    assert np.array_equal(derivatives[0], [2.0, 0.0, 0.0])


def test_what_is_written_in_blocks_by_several_threads_is_the_same_to_the_bit():
    def f(x):
        return ag.erf(x[0]) * ag.log(2.0 + x[1] ** 2) - x[3] * ag.tanh(x[2])

    X = numbers(30_000, 4)
    results = [vectorize(f, backend="native", threads=threads).value_and_gradients(X) for threads in (1, 2)]
    assert all(map(np.array_equal, *results)), "it depends on the number of threads"
    assert np.array_equal(results[0][0], vectorize(f, backend="native", threads=1)(X))


def test_an_operation_of_ones_own_runs_natively():
    swish = ag.operation(
        "swish_of_the_machine",
        lambda xp, a: a * xp.sigmoid(a),
        lambda xp, out, a: (xp.sigmoid(a) * (1.0 + a * xp.sigmoid(-a)),),
    )
    w = Value(0.7)
    program = vectorize(lambda x: swish(w * x) ** 2, backend="native")  # compared with the eager engine by itself
    x = np.linspace(-3, 3, 50)
    value, gradient = program.value_and_grad(x)
    assert program._latest.runs_on[0] == "native"
    s = 1 / (1 + np.exp(-0.7 * x))
    assert value == pytest.approx(np.mean((0.7 * x * s) ** 2), rel=1e-13)
    assert gradient[0] == pytest.approx(np.mean(2 * 0.7 * x * s * (s + 0.7 * x * s * (1 - s)) * x), rel=1e-12)


def test_random_leaves_are_drawn_as_numpys(monkeypatch):
    found = []
    for backend in ("native", "numpy"):
        f = network(nn.Layer(4, 5, rng=0), nn.Dropout(0.5, rng=1), nn.Layer(5, 2, rng=2))
        found.append(both(f, numbers(90, 4), backend, monkeypatch))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_special_numbers_are_those_of_the_eager_engine():
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, -1e308, 710.0])
    for f in (ag.exp, ag.tanh, ag.sqrt, ag.relu, ag.abs, ag.sigmoid, ag.log, ag.erf, lambda a: -a, lambda a: a**0.5):
        got = vectorize(f, backend="native", check=False)(special)
        expected = [f(Value(x)).data for x in special.tolist()]
        np.testing.assert_allclose(got, expected, rtol=1e-15, atol=0)
        assert np.array_equal(np.signbit(got), np.signbit(expected)) or np.isnan(got).any()


@pytest.mark.parametrize("choice", SETS)
def test_single_precision_has_infinities_and_subnormals_of_its_own(choice, monkeypatch):
    monkeypatch.setitem(os.environ, SWITCH, choice)
    w = Value(3e38)
    functions = [ag.exp, lambda a: a * a, lambda a: a * w, lambda a: a + 1e300, lambda a: a * 1e-30, ag.relu, ag.abs]
    functions += [lambda a: -a, lambda a: ag.log(a * a), lambda a: 1.0 / a, ag.sqrt, lambda a: a**3]
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 88.0, 89.0, 1e20, -1e20, 1e-30, 1e-45, 1e300, -1e300, 2.0, -2.0]
    for k, f in enumerate(functions):
        with np.errstate(all="ignore"):  # numbers that are too large for this precision
            found = [vectorize(f, backend=b, dtype="float32", check=False)(special) for b in ("native", "numpy")]
        np.testing.assert_allclose(*found, rtol=2e-7, atol=0, err_msg=f"function {k}")
        bare = [np.where(np.isnan(y), 0.0, y) for y in found]
        assert np.array_equal(*np.signbit(bare)), f"function {k} has another sign of 0"
    gradient = vectorize(lambda a: ag.sum([w * a, w * a]), backend="native", dtype="float32").value_and_grad([3e38])[1]
    assert gradient.tolist() == [np.inf]


def test_constants_that_are_too_large_for_single_precision_are_infinite():
    table = [[Value(0.5), ag.Value(1e300)], [Value(-1e300), Value(1.0)]]

    def f(x):
        return ag.dot(ag.pick(x, table), [1.0, 1e-300]) + ag.sum([x * k for k in (1e300, 2.0)])

    with np.errstate(over="ignore"):
        found = [vectorize(f, backend=b, dtype="float32", check=False)([0.0, 1.0]) for b in ("native", "numpy")]
    np.testing.assert_array_equal(*found)


def test_the_same_program_gives_the_same_bits():
    f = network(nn.MLP(4, [9, 3], rng=0))
    X = numbers(500, 4)
    first, second = (vectorize(f, backend="native").value_and_grad(X) for _ in range(2))
    assert first[0] == second[0]
    assert np.array_equal(first[1], second[1])


# ------------------------------------------------------------------------------------------- who runs it, and why


def explained(program, *inputs):
    program.value_and_grad(*inputs)
    explanation = program.explain()
    assert explanation.runs_on == "python" or str(explanation).endswith(explanation.because)
    return explanation.runs_on, explanation.because


@pytest.mark.skipif(SETS[:1] == ["sse2"], reason="the processor has no instructions with which machine code pays")
def test_machine_code_is_the_default_and_the_explanation_says_so():
    program = vectorize(lambda x: ag.tanh(x))
    assert explained(program, [0.1, 0.2]) == ("native", f"machine code for {SETS[0]}")
    assert repr(program).endswith("run by the native machine>")


def test_numpy_runs_what_it_is_asked_to_run():
    program = vectorize(lambda x: ag.tanh(x), backend="numpy")
    assert explained(program, [0.1]) == ("numpy", "it was asked for")
    assert repr(program).endswith("run by NumPy>")


def test_large_matrices_are_left_to_numpy_unless_machine_code_is_asked_for(monkeypatch):
    monkeypatch.setattr(native_backend, "LARGE_PRODUCT", 10)
    f, X = network(nn.Layer(4, 5, rng=0)), numbers(3, 4)
    assert explained(vectorize(f), X) == ("numpy", "a matrix of 25 weights is multiplied more quickly by BLAS")
    assert explained(vectorize(f, backend="native"), X)[0] == "native"


def test_an_instruction_set_that_does_not_pay_is_left_to_numpy_unless_machine_code_is_asked_for(monkeypatch):
    monkeypatch.setattr(native_backend, "SLOW_SETS", (SETS[0],))
    f, because = ag.tanh, f"with the instructions of {SETS[0]} NumPy is as quick or quicker"
    assert explained(vectorize(f), [0.1]) == ("numpy", because)
    assert explained(vectorize(f, backend="native"), [0.1])[0] == "native"


def test_single_precision_is_computed_natively_too():
    program = vectorize(lambda x: ag.tanh(x), backend="native", dtype="float32")
    assert explained(program, [0.1])[0] == "native"
    assert program([0.1]).dtype == np.float32


def test_without_the_library_numpy_runs_it(monkeypatch):
    monkeypatch.setitem(os.environ, SWITCH, "0")
    program = vectorize(lambda x: ag.tanh(x), backend="native")
    assert explained(program, [0.1]) == ("numpy", "AUTOGRAD_MINI_NATIVE=0 turns the native library off")


def test_a_function_without_a_batch_is_python_where_numpy_is_asked_for():
    w = Value(2.0)
    program = vectorize(lambda: ag.exp(w) / w, backend="numpy")
    assert explained(program)[0] == "python"
    assert repr(program).endswith("run by Python>")


def test_the_source_stays_numpys():
    f = network(nn.MLP(4, [3], rng=0))
    sources = []
    for backend in ("native", "numpy"):
        program = vectorize(f, backend=backend)
        program(numbers(2, 4))
        sources.append(program.source)
    assert sources[0] == sources[1]
    assert "import numpy as np" in sources[0]
