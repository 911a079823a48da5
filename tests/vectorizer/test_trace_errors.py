"""What a traced function may not do, and how it is told; what the self-check catches of the rest."""

import builtins
import math
import random

import numpy as np
import pytest
from vector_checks import assert_as_eager

import autograd_mini as ag
from autograd_mini import Value, nn, no_grad
from autograd_mini.engine import modes
from autograd_mini.errors import TraceError
from autograd_mini.vectorizer import vectorize

RNG = np.random.default_rng(2)
X = RNG.normal(size=(9, 3))
W = [Value(x) for x in (0.5, -1.0, 2.0)]


def branch(x):
    z = ag.dot(W, x)
    if z > 0:  # the guilty line
        return z
    return 0.1 * z


def truth(x):
    return x[0] if x[1] else x[2]  # the guilty line


def larger(x):
    return builtins.max(x[0], x[1])  # the guilty line


def smaller(x):
    return builtins.min(x)  # the guilty line


def in_order(x):
    return sorted(x)[0]  # the guilty line


def not_this(x):
    return x[0] if not x[0] < x[1] else x[1]  # the guilty line


def both(x):
    return x[0] if x[0] > 0.0 and x[1] > 0.0 else x[1]  # the guilty line


def any_of(x):
    return x[0] * any(a >= 0.5 for a in x)  # the guilty line


def as_float(x):
    return float(x[0]) * x[1]  # the guilty line


def as_int(x):
    return W[int(x[0])] * x[1]  # the guilty line


def rounded(x):
    return round(x[0]) * x[1]  # the guilty line


def as_index(x):
    return x[x[0]] * x[1]  # the guilty line


def of_math(x):
    return math.exp(x[0])  # the guilty line


def of_math_on_a_parameter_times_input(x):
    return math.sqrt(W[0] * x[0])  # the guilty line


def looked_at(x):
    return x[0] * x[1].data  # the guilty line


def assigned(x):
    x[0].data = 1.0  # the guilty line
    return x[0]


def without_graph(x):
    with no_grad():
        factor = x[0] * 2.0  # the guilty line
    return factor * x[1]


def of_numpy(x):
    return np.maximum(x[0], x[1])  # the guilty line


def of_numpy_on_arrays(x):
    return np.sum(np.maximum(np.array(x), 0.0))  # the guilty line


def sorted_by_numpy(x):
    return np.sort(np.array(x))[0]  # the guilty line


def turned_into_an_array(x):
    return np.array(x, dtype=float)[0] * x[1]  # the guilty line


def propagated(x):
    y = x[0] * x[1]
    y.backward()  # the guilty line
    return y * x[0].grad


USES_INSTEAD = {
    branch: "where",
    truth: "where",
    larger: "maximum",
    smaller: "minimum",
    in_order: "maximum",
    not_this: "where",
    both: "where",
    any_of: "where",
    as_float: "functions of autograd_mini",
    as_int: "where",
    of_math: "functions of autograd_mini",
    of_math_on_a_parameter_times_input: "functions of autograd_mini",
    looked_at: "Compute with the Value itself",
    assigned: "Make a new Value",
    without_graph: "engine='eager'",
    of_numpy: "maximum",
    of_numpy_on_arrays: "maximum",
    sorted_by_numpy: "maximum",
    turned_into_an_array: "functions of autograd_mini",
}


TABLE, NUMBERS = np.array([1.0, 2.0]), {0.0: 1.0}


def both_of_a_condition(x):
    return ag.where(x[0] == 1 and x[0] < 3, 1.0, 2.0)  # the guilty line


def between(x):
    return ag.where(0 < x[0] < 3, 1.0, 2.0)  # the guilty line


def no_condition(x):
    return ag.where(not x[0] == 1, 1.0, 2.0)  # noqa: SIM201  # the guilty line


def one_of_numbers(x):
    return ag.where(x[0] in [0.0, 1.0], 1.0, 2.0)  # the guilty line


def inverted(x):
    return ag.where(~(x[0] == 1), 1.0, 2.0)  # the guilty line


def exclusive(x):
    return ag.where((x[0] == 1) ^ (x[1] == 1), 1.0, 2.0)  # the guilty line


def largest_item(x):
    return builtins.max(v.item() for v in x)  # the guilty line


def largest_float(x):
    return builtins.max(float(v) for v in x)  # the guilty line


def largest_int(x):
    return builtins.max(int(v) for v in x)  # the guilty line


def where_the_largest_is(x):
    return np.argmax(x)  # the guilty line


def item_of_an_array(x):
    return TABLE[x[0]]  # the guilty line


def item_of_a_dictionary(x):
    return NUMBERS[x[0]]  # the guilty line


USES_INSTEAD |= {
    both_of_a_condition: "by & instead of `and`: (0 < v) & (v < 3)",
    between: "instead of 0 < v < 3",
    no_condition: "1 - c is the opposite of c, instead of `not`",
    one_of_numbers: "by | instead of `or` and `in`",
    inverted: "Write 1 - c for the opposite of c",
    exclusive: "abs(c - d)",
    largest_item: "softmax and logsumexp",
    largest_float: "softmax and logsumexp",
    largest_int: "maximum(...) and minimum(...)",
    where_the_largest_is: "softmax and logsumexp",
    item_of_an_array: "pick(token, table)",
    item_of_a_dictionary: "pick(token, table)",
}


def guilty_line(f):
    code = f.__code__
    with open(__file__, encoding="utf-8") as file:
        lines = file.read().split("\n")
    return next(k for k in range(code.co_firstlineno, len(lines) + 1) if "# the guilty line" in lines[k - 1])


@pytest.mark.parametrize("f", USES_INSTEAD, ids=lambda f: f.__name__)
def test_what_depends_on_the_data_is_refused_with_the_line_and_what_to_use_instead(f):
    with pytest.raises(TraceError) as refused:
        vectorize(f)(X)
    message = str(refused.value)
    assert f"test_trace_errors.py, line {guilty_line(f)}" in message
    assert "# the guilty line" in message
    assert USES_INSTEAD[f] in message


def test_the_number_of_a_value_is_refused_by_the_name_that_was_written():
    with pytest.raises(TraceError, match=r"^\.item\(\) depends on the data"):
        vectorize(largest_item)(X)


@pytest.mark.parametrize(
    "condition",
    [
        lambda v: (v > 0) & (v < 3),
        lambda v: (v == 0) | (v == 1),
        lambda v: 1 - (v == 1),
        lambda v: (1 - (v == 1)) & (v < 3),
        lambda v: (v < 3) | (1 - (1 - (v == 4))),
        lambda v: abs((v == 1) - (v < 3)),
        lambda v: v == np.array(1.0),
        lambda v: np.array(1.0) != v,
        lambda v: np.array(1) < v,
    ],
)
def test_what_conditions_are_joined_by_is_right_eagerly_and_as_a_program(condition):
    x = [0.0, 1.0, 2.0, 3.0, 4.0]
    expected = [10.0 if condition(number) else 20.0 for number in x]
    assert vectorize(lambda v: ag.where(condition(v), 10.0, 20.0))(x).tolist() == expected


def test_numpy_computes_with_a_traced_value_as_with_any_object():
    f = lambda v: np.sum(np.array([1.0, 2.0]) * v) + np.array(2.0) * np.exp(v) + np.add.reduce([v, v])
    assert vectorize(f)([0.0, 1.0]) == pytest.approx([2.0, 5.0 + 2.0 * math.e])


@pytest.mark.parametrize("f", [rounded, as_index], ids=lambda f: f.__name__)
def test_what_the_eager_engine_refuses_is_refused_here(f):
    with pytest.raises(TypeError):
        f([Value(1.0)] * 3)
    with pytest.raises((TypeError, TraceError)):
        vectorize(f)(X)


def test_backpropagation_inside_is_refused():
    with pytest.raises(TraceError):
        vectorize(propagated)(X)


def test_gradients_inside_are_refused_or_right():
    f = lambda x: ag.grad(lambda a: ag.relu(a) * ag.tanh(a * W[0]))(x)
    given = np.array([1.0, -2.0, 0.5, -0.1, 3.0, 4.0, 5.0, -6.0])
    try:
        found = vectorize(f)(given)
    except TraceError as refused:
        message = str(refused)
    else:
        message = "right, to the last line"
        t = np.tanh(0.5 * given)
        assert found == pytest.approx(np.where(given > 0, t + given * 0.5 * (1 - t * t), 0.0))
    assert "line" in message


def seen(here):
    return here.recording, here.detecting, here.scope, here.tracer


@pytest.mark.parametrize("f", [branch, as_float, without_graph, looked_at, of_numpy], ids=lambda f: f.__name__)
def test_a_refusal_leaves_the_modes_as_they_were(f):
    before = seen(modes.current())
    contexts = modes.open_contexts
    with pytest.raises(TraceError):
        vectorize(f)(X)
    assert seen(modes.current()) == before
    assert modes.open_contexts == contexts
    y = Value(2.0) * 3.0
    assert type(y) is Value
    assert y.data == 6.0
    assert y.scope == ""


def test_any_error_of_the_function_passes_through_and_leaves_the_modes_as_they_were():
    contexts = modes.open_contexts

    def f(x):
        _ = x[0] * 2.0
        raise LookupError("the function's own")

    with ag.scope("outer"):
        with pytest.raises(LookupError, match="the function's own"):
            vectorize(f)(X)
        assert modes.current().scope == "outer"
    assert modes.current().tracer is None
    assert modes.open_contexts == contexts


def test_a_program_that_was_refused_can_be_mended():
    use_where = []

    def f(x):
        return ag.where(x > 0, x, 0.1 * x) if use_where else (x if x > 0 else 0.1 * x)

    program = vectorize(f)
    for _ in range(2):
        with pytest.raises(TraceError, match="where"):
            program(X[:, 0])
    use_where.append(True)
    assert program(X[:, 0]) == pytest.approx(np.where(X[:, 0] > 0, X[:, 0], 0.1 * X[:, 0]))


def test_parameters_may_be_looked_at():
    w = Value(2.0)
    program = vectorize(lambda x: x * w if w.data > 0 else x)
    assert program([1.0, 2.0]).tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda x, y: x > 0, lambda x, y: x > 0),
        (lambda x, y: x < y, lambda x, y: x < y),
        (lambda x, y: x >= y, lambda x, y: x >= y),
        (lambda x, y: x <= y, lambda x, y: x <= y),
        (lambda x, y: 0.5 < x, lambda x, y: x > 0.5),  # noqa: SIM300
        (lambda x, y: 0.5 >= x, lambda x, y: x <= 0.5),  # noqa: SIM300
        (lambda x, y: (x > 0) * (y > 0), lambda x, y: (x > 0) & (y > 0)),
    ],
)
def test_comparisons_are_conditions_for_where(condition, expected):
    x = np.array([1.0, -1.0, 0.0, 2.0, 0.5, -0.5, 1e-300])
    y = np.array([1.0, 1.0, 0.0, -2.0, 0.75, -0.5, 0.0])
    f = lambda a, b: ag.where(condition(a, b), a * b, a - 3.0 * b)
    assert_as_eager(f, x, y)
    assert vectorize(f)(x, y) == pytest.approx(np.where(expected(x, y), x * y, x - 3.0 * y))


@pytest.mark.parametrize("other", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("compare", [">", "<", ">=", "<="])
def test_comparisons_with_infinities_and_nan_are_pythons(compare, other):
    x = np.array([1.0, -1.0, math.inf, -math.inf, math.nan])
    compared = {
        ">": lambda a: a > other,
        "<": lambda a: a < other,
        ">=": lambda a: a >= other,
        "<=": lambda a: a <= other,
    }[compare]
    found = vectorize(lambda a: ag.where(compared(a), 1.0, 2.0), check=False)(x)
    assert found.tolist() == [1.0 if compared(number) else 2.0 for number in x.tolist()]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda x: x == 0, lambda x: x == 0),
        (lambda x: 0.5 == x, lambda x: x == 0.5),  # noqa: SIM300
        (lambda x: x != 0, lambda x: x != 0),
        (lambda x: np.float64(0.5) != x, lambda x: x != 0.5),
        (lambda x: x == np.inf, lambda x: x == np.inf),
        (lambda x: x == math.nan, lambda x: x == math.nan),
        (lambda x: (x == 0) | (x == 0.5), lambda x: (x == 0) | (x == 0.5)),
        (lambda x: (x != 0) & (x < 2.0), lambda x: (x != 0) & (x < 2.0)),
        (lambda x: x - W[0] == 0, lambda x: x == 0.5),
        (lambda x: x == 10**400, lambda x: np.zeros(len(x), bool)),
    ],
)
def test_equality_with_a_number_is_a_condition_for_where(condition, expected):
    x = np.array([1.0, -1.0, 0.0, -0.0, 2.0, 0.5, 1e-300])
    f = lambda a: ag.where(condition(a), a * a, a - 3.0)
    assert_as_eager(f, x)
    points = np.append(x, [math.inf, -math.inf, math.nan])
    with np.errstate(invalid="ignore"):
        wanted = np.where(expected(points), 1.0, 2.0)
    assert vectorize(lambda a: ag.where(condition(a), 1.0, 2.0), check=False)(points).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    "compared",
    [lambda x: x == W[0], lambda x: W[0] == x, lambda x: x != W[0], lambda x: x == x * 1.0, lambda x: x in [W[0], x]],
)
def test_equality_of_two_nodes_is_refused_with_what_is_meant(compared):
    with pytest.raises(TraceError, match=r"test_trace_errors\.py, line \d+.*where\(a - b == 0, \.\.\.\)"):
        vectorize(lambda x: ag.where(compared(x), 1.0, 2.0))([1.0, 2.0])


def test_nodes_are_told_apart_in_sets_and_dicts_and_from_what_is_no_number():
    def f(x):
        assert x == x
        assert not x != x  # noqa: SIM202
        assert x in [x, W[0]]
        assert W[0] in W
        assert W.index(W[1]) == 1
        assert len({x, W[0], x}) == 2
        assert not x == None  # noqa: E711, SIM201
        assert x != "text"
        assert {x: 1, W[0]: 2}[x] == 1
        return 2.0 * x

    assert vectorize(f)([1.0, 2.0]).tolist() == [2.0, 4.0]


def test_an_equality_in_a_branch_is_refused():
    for f in (lambda x: x if x == 0 else 1.0, lambda x: x * (x in [0.0, 1.0]), lambda x: x if x != 0 else 1.0):
        with pytest.raises(TraceError, match="where"):
            vectorize(f)([1.0, 2.0])


def test_a_parameter_that_is_compared_with_a_number_may_decide_and_the_program_follows():
    w = Value(0.5)
    program = vectorize(lambda x: x * 3.0 if w == 0.5 else x)
    assert program([1.0]).tolist() == [3.0]
    w.data = 0.25
    assert program([1.0]).tolist() == [1.0]


@pytest.mark.parametrize("largest", [max, min, lambda numbers: sorted(numbers)[0], sum])
def test_the_data_of_traced_nodes_are_refused_with_the_functions_for_largest_and_smallest(largest):
    with pytest.raises(TraceError, match=r"\.data depends on the data") as refused:
        vectorize(lambda z: z[0] - largest(v.data for v in z))(X)
    for name in ("maximum", "minimum", "softmax", "logsumexp"):
        assert name in str(refused.value)


# ------------------------------------------------------------------------------------------------ the self-check


def test_random_numbers_of_the_functions_own_are_caught():
    generator = random.Random(0)
    with pytest.raises(TraceError) as caught:
        vectorize(lambda x: x[0] * generator.random())(X)
    message = str(caught.value)
    assert "disagrees with the eager engine: its value of example" in message
    assert "(the worst difference)" in message
    assert "nn.Dropout" in message


def test_the_worst_difference_is_named():
    calls = []

    def f(x):
        calls.append(1)
        return [x[0], x[1] + 100.0 * len(calls), x[2] + len(calls)]

    with pytest.raises(TraceError, match="example 0") as caught:
        vectorize(f)(np.zeros((5, 3)))
    assert "is 200, the program gives 100 (the worst difference)" in str(caught.value)


def test_a_look_behind_the_scenes_is_caught():
    with pytest.raises(TraceError, match="disagrees with the eager engine"):
        vectorize(lambda x: x[0] * x[1]._data)(X)
    with pytest.raises(TraceError, match="disagrees with the eager engine"):
        vectorize(lambda x: x[0] if x[0]._data > 0 else 2.0 * x[0])(np.array([[1.0], [2.0], [-1.0]]))


def test_a_gradient_that_differs_is_caught():
    def f(x):
        y = x[0] * x[1]
        return y * (1.0 if x[1]._data == X[0, 1] else 1.0 + 1e-3)

    with pytest.raises(TraceError, match="disagrees with the eager engine"):
        vectorize(f).gradients(X)


def test_every_way_in_is_checked():
    generator = random.Random(0)
    f = lambda x: x[0] * generator.random()
    for call in ("__call__", "value_and_grad", "gradients", "value_and_gradients"):
        with pytest.raises(TraceError, match="disagrees"):
            getattr(vectorize(f), call)(X)
    w = Value(1.0)
    with pytest.raises(TraceError, match="disagrees"):
        vectorize(lambda: w * generator.random())()


def test_a_wrong_program_is_refused_at_the_next_call_too():
    generator = random.Random(0)
    program = vectorize(lambda x: x[0] * generator.random())
    for _ in range(2):
        with pytest.raises(TraceError, match="disagrees"):
            program(X)


def test_a_wrong_program_without_inputs_is_refused_at_the_next_call_too():
    generator, w = random.Random(0), Value(1.0)
    program = vectorize(lambda: w * generator.random())
    for _ in range(2):
        with pytest.raises(TraceError, match="disagrees"):
            program()


def test_the_check_can_be_left_out():
    generator = random.Random(0)
    assert vectorize(lambda x: x[0] * generator.random(), check=False)(X).shape == (9,)


def test_the_check_leaves_gradients_and_generators_alone():
    model = nn.Sequential(nn.MLP(3, [4], rng=0), nn.Dropout(0.5, rng=1), nn.MLP(4, [1], rng=1))
    for p in model.parameters():
        p.grad = 3.0
    program, unchecked = vectorize(model), vectorize(model, check=False)
    state = model.named_modules()
    dropout = next(part for _, part in state if isinstance(part, nn.Dropout))
    start = dropout.rng.bit_generator.state
    checked_values = program(X)
    after = dropout.rng.bit_generator.state
    dropout.rng.bit_generator.state = start
    assert np.array_equal(unchecked(X), checked_values)
    assert dropout.rng.bit_generator.state == after
    assert all(p.grad == 3.0 for p in model.parameters())


def test_the_line_is_the_users_also_where_a_part_of_the_package_looks():
    scope = {}
    exec(compile("def peek(x):\n    return x.data", nn.losses.__file__, "exec"), scope)

    def looking(x):
        return scope["peek"](x)  # the user's line

    with pytest.raises(TraceError, match=r"in test_trace_errors\.py, line \d+: `return scope"):
        vectorize(looking)(np.ones(2))


TAKEN_FOR_LISTS = {
    "iterated": lambda t: sum(x * x for x in t),
    "an item": lambda t: t[0] * 2,
    "a length": lambda t: t * len(t),
    "pairs": lambda t: ag.sum([a * b for a, b in zip(t, t, strict=True)]),
    "taken apart": lambda t: [a for a, b in [t]],
    "a function of a list": lambda t: ag.sum(t),
    "a product of lists": lambda t: ag.dot(t, t),
    "a computed node": lambda t: list(t + 1),
}


@pytest.mark.parametrize("name", TAKEN_FOR_LISTS)
def test_one_number_in_the_place_of_a_list_is_told_how_an_example_of_several_is_given(name):
    with pytest.raises(TraceError, match=r"a Value is one number.*of \[\[1., 2.\]\] it gets one, the list of both"):
        vectorize(TAKEN_FOR_LISTS[name])([1.0, 2.0])


def test_a_mistake_about_another_thing_keeps_its_words():
    with pytest.raises(TypeError, match=r"^'int' object is not iterable$"):
        vectorize(lambda t: [t * x for x in 5])([1.0, 2.0])
