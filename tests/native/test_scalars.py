"""Functions without a batch, on single numbers by the native machine: the eager engine's numbers, and the table."""

import ctypes
import gc
import itertools
import math
import os
import random
import threading

import numpy as np
import pytest
from machines import LIBRARY, needs_machine

import autograd_mini as ag
from autograd_mini import Value, nn, vectorize
from autograd_mini.engine import floats
from autograd_mini.engine.graph import recorded_gradients
from autograd_mini.errors import AnomalyError, TraceError
from autograd_mini.native import table as t
from autograd_mini.native.build import SWITCH
from autograd_mini.vectorizer.registers import NotNativeError, Registers, Tape

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.3, -2.7, 3.0, 710.0, 1e-320, 1e308, -1e308, math.inf, -math.inf, math.nan]
BINARY = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": floats.divide}
BINARY |= {"less": lambda a, b: a < b, "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b}
BINARY |= {"and": lambda a, b: a != 0 and b != 0, "or": lambda a, b: a != 0 or b != 0, "pow": floats.power}
ALONE = {"copy": lambda a: a, "neg": lambda a: -a, "abs": abs, "square": lambda a: a * a}
ALONE |= {"rint": lambda a: math.copysign(float(round(a)), a) if math.isfinite(a) else a}


def ran(words, constants, leaves):
    """All results of a table."""
    size = LIBRARY.check_scalars(words)
    memory = np.zeros(2 + size)
    memory.view(np.int64)[:2] = words.ctypes.data, size
    memory[2 : 2 + len(leaves)] = leaves
    first, results = 2 + len(leaves), int(words[3] + words[4])
    memory[first + results : first + results + len(constants)] = constants
    value = LIBRARY.run_scalars(ctypes.byref((ctypes.c_char * memory.nbytes).from_buffer(memory)))
    found = memory[first : first + results].tolist()
    assert value == found[0] or value != value, "the first result is returned too"
    return found


def applied(write, numbers):
    """What a function of the namespace gives as instructions."""
    tape = Tape(len(numbers))
    results = write(Registers(tape), *tape.leaves)
    return ran(tape.words(results, []), tape.constants, numbers)


def is_near(got, expected, ulps=4):
    if expected != expected or got != got:
        return expected != expected and got != got
    if expected in (0.0, math.inf, -math.inf) or got == expected:
        return got == expected and math.copysign(1.0, got) == math.copysign(1.0, expected)
    return abs(got - expected) <= ulps * math.ulp(expected)


def is_zero_far_from_it(got, expected):
    return abs(got) < 1e-300 and abs(expected) < 1e-300


# ------------------------------------------------------------------------------------------------- functions


@needs_machine
@pytest.mark.parametrize("name", t.FUNCTIONS)
def test_each_function_gives_the_floats_of_the_eager_engine(name):
    plain = BINARY.get(name) or ALONE.get(name) or getattr(floats, name)
    for numbers in itertools.product(SPECIAL, repeat=min(t.FUNCTIONS[name], 2)):
        numbers = (*numbers, 5.0)[: t.FUNCTIONS[name]]
        [got] = applied(lambda xp, *x: [xp.tape.call(name, *x)], numbers)
        expected = float(plain(*numbers)) if name != "where" else numbers[1] if numbers[0] != 0.0 else numbers[2]
        assert is_near(got, expected), f"{name}{numbers}: {got!r} instead of {expected!r}"


@needs_machine
@pytest.mark.parametrize("name", ["softmax", "logsumexp", "minus_log_softmax", "maximum", "minimum", "sum", "pick"])
@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_functions_of_a_list_give_the_floats_of_the_eager_engine(name, count):
    rng = random.Random(count)
    lists = [[rng.gauss(0.0, 3.0) for _ in range(count)] for _ in range(4)]
    lists += [[700.0 + rng.random() for _ in range(count)], [0.0] * count, [-math.inf] * count]
    lists += [[math.nan, *lists[0]][:count], [40.0, *lists[0]][:count], [-0.0, 0.0, *lists[1]][:count]]
    for numbers in lists:
        numbers = [float(rng.randrange(count)), *numbers] if name in ("minus_log_softmax", "pick") else numbers

        def write(xp, *x):
            found = xp.sum(x) if name == "sum" else getattr(xp, name)(*x)
            return found if name == "softmax" else [found]

        expected = floats.sum(numbers) if name == "sum" else getattr(floats, name)(*numbers)
        expected = expected if name == "softmax" else [expected]
        for got, number in zip(applied(write, numbers), expected, strict=True):
            assert is_near(got, number), f"{name}{numbers}: {got!r} instead of {number!r}"


@needs_machine
def test_an_unlikely_class_keeps_its_digits():
    for gap in (1.0, 20.0, 36.0, 40.0, 300.0, 700.0):
        for numbers in ([0.0, gap, 0.0, -gap], [1.0, gap, 0.0, -gap], [2.0, 0.0, 1e-3, gap], [3.0, gap, 0.0, 1.0]):
            [got] = applied(lambda xp, *x: [xp.minus_log_softmax(*x)], numbers)
            expected = floats.minus_log_softmax(*numbers)
            assert is_near(got, expected), f"{numbers}: {got!r} instead of {expected!r}"


# ------------------------------------------------------------------------------------------------- the table


@needs_machine
def test_a_table_that_reads_what_is_not_there_yet_is_refused():
    tape = Tape(2)
    a, b = tape.leaves
    words = tape.words([a * b + 2.0, a], [b, 1.0]).copy()
    assert ran(words, tape.constants, [3.0, 5.0]) == [17.0, 3.0, 5.0, 1.0]
    head, first = 7, 2 + 4 + len(tape.constants)
    wrong = {
        0: [0],
        1: [0, len(words) + 1],
        2: [-1, 1 << 40],
        3: [0, 3],
        4: [-1, 5],
        5: [-1, 1 << 40],
        6: [1, 3, -1],
        head: [-1, len(t.FUNCTIONS)],
        head + 1: [-1, 2, 5, first, 1 << 40],  # a result's place, and the number itself
        head + 3: [1, -1],  # no third operand
        head + 4: [len(t.FUNCTIONS)],
        head + 5: [first + 1],
        len(words) - 1: [-1, 2, first + 2],
    }
    for at, numbers in wrong.items():
        for number in numbers:
            broken = words.copy()
            broken[at] = number
            with pytest.raises(ValueError, match="no instruction table"):
                LIBRARY.check_scalars(broken)
    for length in range(len(words)):
        with pytest.raises(ValueError, match="no instruction table"):
            LIBRARY.check_scalars(words[:length].copy())
    with pytest.raises(ValueError, match="one contiguous array of int64"):
        LIBRARY.check_scalars(words.astype(np.int32))


@needs_machine
def test_damaged_tables_are_refused_or_run_without_harm():
    tape = Tape(3)
    a, b, c = tape.leaves
    words = tape.words([Registers(tape).where(a > b, a * c, Registers(tape).exp(c))], [a + b, c - 1.0, 0.0]).copy()
    rng = random.Random(0)
    for _ in range(2_000):
        broken = words.copy()
        for _ in range(rng.randrange(1, 4)):
            broken[rng.randrange(len(words))] = rng.choice([-1, 0, 1, 2, 5, 9, 11, 14, 60, 1 << 33, -(1 << 62)])
        try:
            size = LIBRARY.check_scalars(broken)
        except ValueError:
            continue
        memory = np.full(2 + size, 0.5)
        memory.view(np.int64)[:2] = broken.ctypes.data, size
        LIBRARY.run_scalars(ctypes.byref((ctypes.c_char * memory.nbytes).from_buffer(memory)))
        memory.view(np.int64)[1] = size - 1
        assert math.isnan(LIBRARY.run_scalars(ctypes.byref((ctypes.c_char * memory.nbytes).from_buffer(memory))))


def test_what_the_results_do_not_need_is_left_out():
    tape = Tape(2)
    a, b = tape.leaves
    xp = Registers(tape)
    xp.exp(a), xp.log(b)
    words = tape.words([a * b], [b, a])
    assert words[6] == 1, "one product alone"
    assert [xp.sin(a).at, xp.sin(a).at] == [xp.sin(a).at] * 2, "the same is computed once"


def test_a_rule_that_asks_whether_is_told_to_write_where():
    tape = Tape(1)
    with pytest.raises(TypeError, match=r"write xp.where"):
        bool(tape.leaves[0] > 0.0)
    result = Registers(tape).airy(tape.leaves[0])
    with pytest.raises(NotNativeError, match="the function airy"):
        tape.words([result], [])


# -------------------------------------------------------------------------------------------- whole programs

ONE = [ag.tanh, ag.sin, ag.sigmoid, ag.relu, ag.softplus, ag.abs, ag.erf, ag.atan, lambda a: a**2, lambda a: a**3]
ONE += [lambda a: -a, lambda a: (a * 0.1).exp(), lambda a: (a * a + 0.5).log(), lambda a: (a * a + 0.5) ** 0.5]
ONE += [lambda a: ag.leaky_relu(a), lambda a: ag.elu(a), lambda a: ag.where(a > 0.2, a, 2.0 * a), ag.cbrt, ag.sign]
TWO = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: 0.5 * a * b, lambda a, b: a / (b * b + 1.0), ag.maximum]
TWO += [ag.minimum, lambda a, b: ag.logsumexp([a, b, 0.3]), lambda a, b: ag.softmax([a, b, a * b])[1], ag.hypot]
TWO += [lambda a, b: nn.cross_entropy([a, b, 0.1], 1), lambda a, b: (a * a + 1.0) ** ag.tanh(b), ag.atan2]
TWO += [lambda a, b: ag.dot([a, b, 0.5], [b, 1.5, a], 0.25)]


def irregular(n, seed):
    """A function of n unlike nodes that share others, and its leaves."""
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-1.5, 1.5), label=f"w{k}") for k in range(8)]

    def f():
        rng, nodes = random.Random(seed + 1), [*leaves]
        while len(nodes) < n:
            first, second = rng.choice(nodes[-30:]), rng.choice(nodes)
            made = rng.choice(ONE)(first) if rng.random() < 0.5 else rng.choice(TWO)(first, second)
            nodes.append(ag.tanh(made) if rng.random() < 0.3 else made)
        return ag.sum([ag.tanh(node) for node in nodes[-20:]])

    return f, leaves


def eager(f, leaves):
    root = f()
    found = recorded_gradients(root)
    return root.data, [found.get(leaf, 0.0) for leaf in leaves]


@needs_machine
@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_give_the_eager_engines_numbers(seed):
    f, leaves = irregular(60, seed)
    program = vectorize(f, backend="native", check=False)
    value, gradient = program.value_and_grad()
    assert program._latest.runs_on[0] == "native"
    expected, slopes = eager(f, leaves)
    place = [leaves.index(p) for p in program.parameters]
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, np.array(slopes)[place], rtol=1e-11, atol=1e-13)


@needs_machine
def test_a_thousand_unlike_nodes_run_without_a_line_of_python():
    f, leaves = irregular(1_000, 5)
    program = vectorize(f)
    value, gradient = program.value_and_grad()
    expected, slopes = eager(f, leaves)
    assert program._latest.straight is not None
    assert "source" not in vars(program._latest.straight), "printed where it is asked for"
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, [slopes[leaves.index(p)] for p in program.parameters], rtol=1e-9, atol=1e-12)
    assert program.source.startswith('"""f: ')
    assert "straight-line Python" in program.source


@needs_machine
def test_the_source_is_the_same_python_as_without_the_machine():
    f, _ = irregular(30, 3)
    sources = []
    for backend in ("auto", "native", "numpy"):
        program = vectorize(f, backend=backend)
        program()
        sources.append(program.source)
    assert sources[0] == sources[1] == sources[2]


@needs_machine
def test_what_runs_it_is_said(capsys):
    w = Value(2.0)
    program = vectorize(lambda: ag.exp(w) / w)
    explanation = program.explain()
    assert (explanation.runs_on, explanation.because) == (
        "native",
        "machine code on single numbers, as there is no batch",
    )
    assert "run by the native machine: machine code on single numbers" in capsys.readouterr().out
    assert repr(program).endswith("run by the native machine>")


def test_without_the_library_python_runs_it_and_says_so(monkeypatch, capsys):
    monkeypatch.setitem(os.environ, SWITCH, "0")
    w = Value(2.0)
    program = vectorize(lambda: ag.exp(w) / w, backend="native")
    explanation = program.explain()
    assert explanation.runs_on == "python"
    assert explanation.because.startswith("AUTOGRAD_MINI_NATIVE=0 turns the native library off")
    assert "run by Python" in capsys.readouterr().out


@needs_machine
def test_an_operation_of_ones_own_runs_natively():
    softsign = ag.operation(
        "softsign_on_single_numbers",
        lambda xp, a: a / (1.0 + abs(a)),
        lambda xp, out, a: (1.0 / (1.0 + abs(a)) ** 2,),
        replace=True,
    )
    a, b = Value(0.7), Value(-2.0)
    program = vectorize(lambda: softsign(a * b) + softsign(b) ** 2, backend="native")
    value, gradient = program.value_and_grad()
    assert program._latest.runs_on[0] == "native"
    assert value == pytest.approx(-1.4 / 2.4 + 4.0 / 9.0, rel=1e-15)
    assert gradient == pytest.approx([-2.0 / 2.4**2, 0.7 / 2.4**2 + 2.0 * (-2.0 / 3.0) / 9.0], rel=1e-14)


@needs_machine
def test_a_function_that_the_machine_lacks_is_said_and_python_runs_it(monkeypatch):
    monkeypatch.setattr(floats, "gamma", lambda a: math.gamma(a), raising=False)
    gamma = ag.operation(
        "gamma_on_single_numbers",
        lambda xp, a: xp.gamma(a),
        lambda xp, out, a: (out,),
        replace=True,
    )
    a = Value(4.0)
    program = vectorize(lambda: gamma(a) * 2.0, backend="native", check=False)
    assert program.value_and_grad() == (12.0, [12.0])
    name, why = program._latest.runs_on
    assert name == "python"
    assert why.startswith("the machine doesn't know the function gamma")


def test_several_results_and_results_that_are_leaves_or_numbers():
    a, b, unused = Value(2.0), Value(5.0), Value(1.0)
    program = vectorize(lambda: [a * b, a, a * b, 3.0, a + 0.0 * unused])
    assert program().tolist() == [10.0, 2.0, 10.0, 3.0, 2.0]
    assert vectorize(lambda: a).value_and_grad() == (2.0, [1.0])
    value, gradient = vectorize(lambda: ag.sign(a) * 1.0).value_and_grad()
    assert (value, gradient.tolist()) == (1.0, [0.0])
    assert vectorize(lambda: ag.where(a > 1.0, b, a)).value_and_grad()[0] == 5.0


# ------------------------------------------------------------------------------------------ what is promised


def settled(f, **how):
    """A program that has run a few times."""
    program = vectorize(f, **how)
    for _ in range(3):
        program.value_and_grad()
    return program


def test_numbers_are_read_anew_at_each_call_and_results_are_new_arrays():
    a, b = Value(2.0), Value(3.0)
    program = settled(lambda: a * b)
    _, first = program.value_and_grad()
    for number in (-1.5, 0.0, -0.0, math.inf, math.nan):
        a.data = number
        value, gradient = program.value_and_grad()
        assert is_near(value, number * 3.0), f"the value at {number}"
        assert gradient[0] == 3.0
        assert is_near(gradient[1], number + 0.0), "-0 is 0, as in a sum that begins with 0"
        assert is_near(program(), number * 3.0), f"the value alone at {number}"
    assert first.tolist() == [3.0, 2.0], "an array that was returned stays as it is"
    first[0] = 7.0
    assert program.value_and_grad()[1][0] == 3.0
    assert type(value) is float
    assert gradient.dtype == np.float64


def test_what_is_around_the_function_is_seen_when_it_changes():
    a, b, rates, scale = Value(2.0), Value(3.0), [0.5], 10.0
    program = settled(lambda: a * rates[0] + scale * b)
    rates[0] = 2.0
    assert program.value_and_grad()[0] == 34.0
    scale = 1.0
    assert program.value_and_grad()[0] == 7.0
    for _ in range(3):
        program.value_and_grad()
    other = Value(5.0)
    a = other
    value, gradient = program.value_and_grad()
    assert (value, gradient.tolist()) == (13.0, [2.0, 1.0])
    assert program.parameters == [other, b]
    rates[0] = float("2.0")  # an equal number, another object
    assert program.value_and_grad()[0] == 13.0
    rates[:] = [3.0]
    assert program.value_and_grad()[0] == 18.0


def test_what_the_function_looked_at_is_seen_when_it_changes():
    a = Value(2.0)
    program = settled(lambda: a * a if a > 0 else -a)
    a.data = -3.0
    assert program.value_and_grad() == (3.0, [-1.0])
    a.data = 4.0
    assert program.value_and_grad() == (16.0, [8.0])


def test_a_parameter_that_is_frozen_later_has_no_gradient():
    neuron = nn.Neuron(2, "identity", rng=0)
    free = Value(3.0)
    program = settled(lambda: ag.sum([w * free for w in neuron.weights]))
    assert len(program.parameters) == 3
    nn.freeze(neuron.weights[0])
    assert len(program.value_and_grad()[1]) == 2
    nn.unfreeze(neuron.weights[0])
    assert len(program.value_and_grad()[1]) == 3


def test_the_running_mean_of_a_batch_normalization_is_read_anew():
    normalized, w = nn.BatchNorm(1), Value(2.0)
    normalized.eval()
    program = settled(lambda: normalized([w])[0] * 3.0)
    normalized.running_mean[0] = 1.5
    expected = (normalized([w])[0] * 3.0).data
    assert program.value_and_grad()[0] == pytest.approx(expected, rel=1e-14)
    assert program() == pytest.approx(expected, rel=1e-14)


def test_detect_anomaly_names_the_node():
    a = Value(2.0)
    program = settled(lambda: ag.log(a))
    a.data = 0.0
    assert program.value_and_grad()[0] == -math.inf
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="log"):
        program.value_and_grad()
    assert program.value_and_grad()[0] == -math.inf


def test_a_function_that_does_something_else_each_time_is_found_out(monkeypatch):
    monkeypatch.setattr("autograd_mini.vectorizer.checks.SpotCheck.SHARE", 1e3)
    factors = iter([1.0] * 6 + [2.0] * 1_000)
    a = Value(2.0)
    program = vectorize(lambda: a * next(factors))

    def run():
        for _ in range(100):
            program.value_and_grad()

    with pytest.raises(TraceError, match="disagrees with the eager engine"):
        run()


def test_threads_have_memories_of_their_own():
    a, b = Value(0.5), Value(1.5)
    program = settled(lambda: ag.tanh(a * b) + ag.exp(a) * b)
    expected, slopes = program.value_and_grad()
    wrong = []

    def run():
        for _ in range(300):
            value, gradient = program.value_and_grad()
            if value != expected or gradient.tolist() != slopes.tolist():
                wrong.append((value, gradient))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_programs_of_many_leaves_are_quick_functions_too():
    weights = [Value(0.01 * k) for k in range(150)]
    program = settled(lambda: ag.sum([ag.tanh(w) * (k + 1.0) for k, w in enumerate(weights)]) ** 2)
    weights[7].data = 0.9
    expected, slopes = eager(program.f, weights)
    value, gradient = program.value_and_grad()
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12)


def test_a_program_is_let_go_without_the_collector():
    import weakref

    gc.disable()
    try:
        a = Value(2.0)
        program = settled(lambda: a * a)
        seen = weakref.ref(program._straight)
        del program
        assert seen() is None
    finally:
        gc.enable()


def test_inside_of_contexts_nothing_is_made_anew(monkeypatch):
    from autograd_mini.vectorizer.straight_line import StraightLine

    a, rates = Value(2.0), [0.5]
    program = settled(lambda: a * rates[0])
    made = []
    plain = StraightLine.guarded
    monkeypatch.setattr(StraightLine, "guarded", lambda *arguments: made.append(1) or plain(*arguments))
    with ag.no_grad():
        for _ in range(5):
            assert program.value_and_grad() == (1.0, [0.5])
    assert not made
    rates[0] = 0.25 * 2.0  # an equal number, another object
    for _ in range(5):
        assert program.value_and_grad() == (1.0, [0.5])
    assert len(made) <= 1
