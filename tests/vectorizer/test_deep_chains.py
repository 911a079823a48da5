"""Deep graphs: the work for each node stays the same however deep a graph is; 20,000 steps are compiled, and run."""

import subprocess
import sys

import numpy as np
import pytest
from vector_checks import assert_as_eager

import autograd_mini as ag
from autograd_mini.engine.value import Parameter
from autograd_mini.nn import Layer
from autograd_mini.vectorizer import numpy_printer, vectorize

W = [Parameter(0.3 + 0.01 * k) for k in range(8)]
LAYER = Layer(3, 2, rng=0)
X = np.array([0.1, 0.4, 0.9])


def tanh(n, x):
    for _ in range(n):
        x = ag.tanh(x)
    return x


def affine(n, x):
    for k in range(n):
        x = x * W[k % 8] + W[(k + 1) % 8]
    return x


def mixed(n, x):
    for _ in range(n // 3):
        x = ag.tanh(x * W[0] + W[1])
        x = ag.sin(x) / (1.5 + x * x)
    return x


def recurrence(n, x):
    a, b = x, x * 0.5
    for _ in range(n // 2):
        a, b = ag.tanh(a * W[0] + b * W[1]), ag.sin(a * W[2] - b)
    return a * b


def sums(n, x):
    total = 0.0
    for k in range(n):
        total = total + x * W[k % 8]
    return total


def products(n, x):
    for k in range(n):
        x = x * W[k % 8]
    return x


def shrinking(n, x):
    for _ in range(n):
        x = 0.999 * x
    return x


def choices(n, x):
    for k in range(n // 2):
        x = ag.maximum(x, W[k % 8] * x) - 0.001
    return x


def states(n, x):
    s, total = x, 0.0
    for k in range(n // 2):
        s = ag.tanh(s * W[0])
        total = total + s * W[k % 8]
    return total


def layers(n, x):
    h = [x * 0.0, x * 0.0]
    for _ in range(n // 4):
        h = LAYER([x, *h])
    return h[0] + h[1]


CHAINS = (tanh, affine, mixed, recurrence, sums, products, shrinking, choices, states, layers)


def run(chain, n, mode):
    """Trace, compile and differentiate a chain; return the program."""
    if mode == "no batch":
        w = Parameter(0.4)
        program = vectorize(lambda: chain(n, w))
        program.value_and_grad()
    else:
        program = vectorize(lambda x: chain(n, x))
        program.gradients(X, wrt="inputs") if mode == "inputs" else program.value_and_grad(X)
    return program


def lines_executed(function, *arguments):
    """Return how many lines of Python a call executes."""
    count = 0

    def on_line(frame, event, argument):
        nonlocal count
        count += event == "line"
        return on_line

    before = sys.gettrace()
    sys.settrace(on_line)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return count


def is_quick(chain, mode):
    return chain is tanh and mode != "parameters"


CASES = [
    pytest.param(chain, mode, marks=[] if is_quick(chain, mode) else pytest.mark.slow)
    for chain in CHAINS
    for mode in ("parameters", "inputs", "no batch")
]


@pytest.mark.parametrize(("chain", "mode"), CASES)
def test_the_work_for_each_step_does_not_grow_with_the_depth(chain, mode):
    run(chain, 20, mode)  # fills the caches
    small, middle, large = [lines_executed(run, chain, n, mode) for n in (40, 80, 160)]
    assert large - middle < 2.1 * (middle - small)  # twice as much for twice as many steps; quadratic work: 4 times


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["parameters", "inputs", "no batch"])
@pytest.mark.parametrize("chain", CHAINS)
def test_thousands_of_steps_are_compiled_checked_and_run(chain, mode):
    steps = 20_000 if chain is tanh else 5_000
    assert run(chain, steps, mode).explain().nodes >= steps


def test_the_passes_of_a_long_program_have_few_variables_from_outside(monkeypatch, tmp_path):
    """Python's compiler takes a time that is quadratic in their number."""
    monkeypatch.setattr(numpy_printer, "MOST_FROM_OUTSIDE", 20)
    program = assert_as_eager(lambda x: mixed(60, x), X)
    namespace = {}
    exec(program.source, namespace)
    passes = namespace["bind"](3, np.zeros(2), np.zeros(2))
    assert all(len(one.__code__.co_freevars) < 4 for one in passes)
    assert "tanh_12" in program.source
    assert max(map(len, program.source.splitlines())) < 120
    program.save(tmp_path / "deep.py")
    ran = subprocess.run([sys.executable, tmp_path / "deep.py"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("outputs ")


@pytest.mark.parametrize("chain", CHAINS)
def test_gradients_that_share_their_memory_in_a_long_program_are_right(chain, monkeypatch):
    monkeypatch.setattr(numpy_printer, "MOST_FROM_OUTSIDE", 20)
    monkeypatch.setattr(numpy_printer, "MOST_IN_FULL", 3)
    assert_as_eager(lambda x: chain(60, x) * x - chain(24, x * 0.5), X)


def test_a_gradient_that_is_one_number_does_not_grow_from_node_to_node():
    program = vectorize(lambda x: shrinking(1_500, x))
    assert program.gradients(X, wrt="inputs") == pytest.approx(0.999**1_500)


def test_short_programs_find_their_arrays_around_them():
    program = assert_as_eager(lambda x: mixed(30, x), X)
    assert "for_forward" not in program.source


@pytest.mark.parametrize("chain", CHAINS)
def test_lines_taken_over_for_formulas_of_the_same_sort_are_right(chain):
    assert_as_eager(lambda x: chain(40, x), X)
    assert_as_eager(lambda x: chain(40, x) * x - chain(24, x * 0.5), X)


@pytest.mark.parametrize("chain", CHAINS)
def test_formulas_that_are_there_often_are_calls_of_a_function(chain, monkeypatch):
    monkeypatch.setattr(numpy_printer, "MOST_IN_FULL", 3)
    program = assert_as_eager(lambda x: chain(40, x), X)
    if chain in (tanh, choices):  # several lines for each formula
        assert "    def step(target, a1" in program.source
    monkeypatch.undo()
    assert "def step" not in assert_as_eager(lambda x: chain(40, x), X).source


def test_an_array_called_like_a_keyword_is_no_keyword():
    def f(x):
        for _ in range(4):
            x = ag.where(x > 0.5, x * W[0], ag.sin(x))
            x.label = "out"
            x = x + ag.exp(x)
            x.label = "where"
        return x

    assert_as_eager(f, X)


def test_straight_line_python_is_lowered_to_arrays_only_to_be_saved(tmp_path):
    w = Parameter(0.4)
    program = vectorize(lambda: tanh(50, w))
    value, gradient = program.value_and_grad()
    assert "_lowered" not in vars(program._latest)
    program.save(tmp_path / "chain.py")
    ran = subprocess.run([sys.executable, tmp_path / "chain.py"], capture_output=True, text=True, check=True)
    outputs, gradients = ran.stdout.splitlines()
    assert float(outputs.split()[1]) == pytest.approx(value, rel=1e-14)
    assert float(gradients.split()[1]) == pytest.approx(gradient[0], rel=1e-13)
