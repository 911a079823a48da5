"""`pick`: choosing an item or a row by a number that may be traced, as one gather with a scatter for its gradient."""

import math

import numpy as np
import pytest
from vector_checks import assert_as_eager, assert_close

import autograd_mini as ag
from autograd_mini import TraceError, Trainer, Value, nn, optim, vectorize
from autograd_mini.engine.tracing import MOST_ROWS
from autograd_mini.engine.value import Constant, Parameter

TOKENS = np.array([0.0, 4.0, 4.0, 2.0, 1.0, 4.0])
NOT_THERE = [5.0, -1.0, 1.5, -0.5, math.nan, math.inf, -math.inf]


def table(rows=5, width=3, seed=0):
    return [[Parameter(x) for x in row] for row in np.random.default_rng(seed).normal(size=(rows, width))]


W, b = table(), [Parameter(x) for x in (0.5, -1.0, 2.0, 0.25, 3.0)]
LARGE = table(MOST_ROWS + 1, 2)
MANY = np.random.default_rng(1).normal(size=(MOST_ROWS + 1, 2))
last = MOST_ROWS
squares = lambda row: ag.sum([x * x for x in row])

CASES = {
    "a row": lambda t: squares(ag.pick(t, W)),
    "an item": lambda t: ag.pick(t, b) ** 2,
    "items one by one": lambda t: ag.pick(t, *b) ** 2,
    "a row and an item": lambda t: ag.sum(ag.pick(t, W)) * ag.pick(t, b),
    "the same twice": lambda t: ag.pick(t, b) * ag.pick(t, b) + ag.pick(t, b),
    "a computed table": lambda t: squares(ag.pick(t, [[ag.exp(x) for x in row] for row in W])),
    "a table that varies": lambda t: squares(ag.pick(t, [[t * x for x in row] for row in W])),
    "bare numbers": lambda t: ag.pick(t, [[0.5, -1.0], [2.0, 3.0], [1.0, 1.0], [0.0, -0.5], [4.0, 5.0]])[1] * b[0],
    "a mixture": lambda t: ag.pick(t, [1.0, b[0], t, 2.0, b[0]]),
    "a computed index": lambda t: squares(ag.pick(4 - t, W)),
    "an index that was picked": lambda t: squares(ag.pick(ag.pick(t, [4, 3, 2, 1, 0]), W)),
    "a large table": lambda t: squares(ag.pick(50 * t, LARGE)) + ag.pick(t, LARGE)[0],
    "a large table, tied": lambda t: ag.logsumexp([ag.dot(ag.pick(t, LARGE), row) for row in LARGE[:5]]),
    "a parameter's index": lambda t: squares(ag.pick(b[2], W)) * t,
}


class Letters(nn.Module):
    def __init__(self, size=5):
        self.table = nn.Embedding(size, 3, rng=0)

    def forward(self, x):
        return ag.sum(self.table(x[0]))


# From many rows, which are one thing in a trace.
LARGE_CASES = {
    "by two indices": lambda t: squares(ag.pick(50 * t, LARGE)) * ag.sum(ag.pick(last - t, LARGE)),
    "from two": lambda t: ag.dot(ag.pick(t, LARGE), ag.pick(t, table(MOST_ROWS + 1, 2, seed=2))),
    "sharing rows": lambda t: squares(ag.pick(t, LARGE)) * ag.sum(ag.pick(t, LARGE[3:] + LARGE[:3])),
    "sharing columns": lambda t: squares(ag.pick(t, LARGE)) * ag.pick(t, [row[1:] for row in LARGE])[0],
    "one row again and again": lambda t: squares(ag.pick(t, [LARGE[0]] * 4 + LARGE)),
    "backwards": lambda t: squares(ag.pick(t, LARGE[::-1])),
    "one column": lambda t: ag.pick(t, LARGE)[1] * b[0] + ag.pick(last - t, LARGE)[0],
    "items": lambda t: ag.pick(t, [row[0] for row in LARGE]) ** 2,
    "leaves used by themselves too": lambda t: squares(ag.pick(t, LARGE)) * LARGE[last][1] + LARGE[1][0] * b[0],
    "frozen and other leaves": lambda t: squares(ag.pick(t, [[FROZEN, Constant(2.0)], *LARGE])) * FROZEN,
    "numbers": lambda t: squares(ag.pick(t, MANY.tolist())) * b[0],
    "whole numbers": lambda t: squares(ag.pick(t, [[k, True] for k in range(last + 1)])) * b[0],
    "an array": lambda t: squares(ag.pick(t, MANY)) * b[0],
    "an array of whole numbers": lambda t: squares(ag.pick(t, (9 * MANY).astype(int))) * b[0],
    "an array of nodes": lambda t: squares(ag.pick(t, np.array(LARGE, dtype=object))),
    "arrays and leaves": lambda t: ag.dot(ag.pick(t, MANY), ag.pick(t, LARGE)) * ag.sum(ag.pick(t, MANY[::-1])),
    "numbers and leaves": lambda t: squares(ag.pick(t, [[0.0, b[0]], *MANY.tolist()[:-2], LARGE[0]])),
    "leaves made meanwhile": lambda t: squares(ag.pick(t, [[Value(x), y] for x, y in MANY])) * b[0],
    "a computed row": lambda t: squares(ag.pick(t, [[ag.exp(x) for x in LARGE[0]], *LARGE[1:]])),
    "a row that varies": lambda t: squares(ag.pick(t, [[t * x for x in LARGE[0]], *LARGE[1:]])),
    "a row that was changed": lambda t: ag.sum(changed(t)),
}
FROZEN = Parameter(-1.5)
nn.freeze([FROZEN])


def changed(t):
    """Pick from a table of which a row is computed meanwhile."""
    rows = [row[:] for row in LARGE]
    first = [x for _ in range(3) for x in ag.pick(t, rows)]
    rows[4][0] = t * rows[4][0]
    return [*first, *ag.pick(t, rows)]


@pytest.mark.parametrize("name", CASES | LARGE_CASES)
def test_a_program_gives_the_eager_engines_numbers(name):
    assert_as_eager((CASES | LARGE_CASES)[name], TOKENS, rel=1e-13)


@pytest.mark.parametrize("name", CASES | LARGE_CASES)
@pytest.mark.slow  # each is compiled by XLA
@pytest.mark.needs("jax")
def test_with_jax(name):
    assert_as_eager((CASES | LARGE_CASES)[name], TOKENS, rel=1e-12, backend="jax")


def test_all_tokens_of_a_sequence_are_one_gather_and_their_gradient_one_scatter():
    tokens = np.random.default_rng(1).integers(0, 5, size=(7, 4)).astype(float)
    program = assert_as_eager(lambda t: ag.sum([squares(ag.pick(one, W)) for one in t]), tokens, by_inputs=False)
    lines = [line.strip() for line in program.source.splitlines()]
    assert [line for line in lines if line.startswith("picked(")] == ["picked(theta, t, pick)"]
    assert sum(line.startswith("add_to_picked(gradient, ") for line in lines) == 1


def test_duplicates_add_up_in_the_order_of_the_examples():
    large, small = 2.0**53, 1.0  # in another order the ones would be rounded away, or not
    rows = [[large], [small], [small], [-large], [small]]
    program = vectorize(lambda t, x: ag.pick(t, b) * x, check=False)
    _, gradient = program.value_and_grad(np.full(5, 3.0), np.ravel(rows), reduction="sum")
    expected = 0.0
    for (x,) in rows:
        expected += x
    assert gradient[program.parameters.index(b[3])] == expected


def test_what_a_program_says_of_a_gather(capsys):
    program = vectorize(lambda t: ag.sum(ag.pick(t, W)))
    program(TOKENS)
    program.explain()
    assert "3 rows  theta[t]: one of 5 rows of 3, by an index" in capsys.readouterr().out
    assert "# pick = theta[t]  (3 nodes)" in program.source


@pytest.mark.parametrize(("rows", "width"), [(2 * MOST_ROWS, 3), pytest.param(5_000, 64, marks=pytest.mark.slow)])
def test_a_large_table_is_one_node_for_each_number_that_is_picked(rows, width):
    items = table(rows, width)
    program = vectorize(lambda t: ag.sum([squares(ag.pick(one, items)) for one in t]))
    tokens = np.array([[0, rows - 1], [rows - 1, rows - 1]])
    value, gradient = program.value_and_grad(tokens, reduction="sum")
    data = np.array([[x.data for x in row] for row in items])
    assert math.isclose(value, (data[0] ** 2).sum() + 3 * (data[-1] ** 2).sum(), rel_tol=1e-12)
    by_item = dict(zip(program.parameters, gradient, strict=True))
    assert_close([by_item[x] for x in items[-1]], 6 * data[-1], "the last row")
    assert np.count_nonzero(gradient) == 2 * width
    # The table's items and what is computed, of which nothing has an edge to each item.
    assert program.explain().nodes <= rows * width + 5 * width + 3


@pytest.mark.parametrize("kind", ["leaves", "numbers", "array"])
def test_a_large_table_is_one_thing_from_the_trace_to_the_program(kind):
    rows = table(2_000, 8)
    given = {"leaves": rows, "numbers": [[x.data for x in row] for row in rows], "array": np.ones((2_000, 8))}[kind]
    made = []

    def f(t):
        picked = [ag.pick(one, given) for one in t]
        made.append([node.primitive.table for row in picked for node in row])
        return squares([x * b[0] for row in picked for x in row])

    program = vectorize(f, check=False)
    program.value_and_grad([[0.0, 1999.0, 7.0]])
    compiled = program._latest
    assert len(set(made[0])) == 1, "the same table for each token"
    assert len(compiled.scalars) < 200, "its items are no nodes of the graph"
    assert len(compiled._around._entries) + len(compiled._around._seen) < 100, "nor looked at one by one from outside"
    assert len(compiled.leaves) == (16_001 if kind == "leaves" else 1), "and no nodes are made of numbers"
    assert len(program.source) < 5_000, "which don't stand in the source"


def test_the_present_numbers_of_a_large_table_are_picked():
    rows, numbers, array = [row[:] for row in LARGE], MANY.tolist(), np.repeat(MANY, 33, axis=1)
    f = lambda t: ag.sum([*ag.pick(t, rows), *ag.pick(t, numbers), *ag.pick(t, array)]) * b[0]
    program = vectorize(f)
    changes = [
        lambda: setattr(rows[4][1], "data", 7.0),
        lambda: rows[2].__setitem__(0, Parameter(5.0)),
        lambda: rows.__setitem__(1, [Parameter(-3.0), Parameter(8.0)]),
        lambda: rows[1].__setitem__(1, 0.25),
        lambda: numbers[4].__setitem__(0, 9.0),
        lambda: numbers.__setitem__(0, [1.0, -1.0]),
        lambda: array.__setitem__((1, 1), 4.0),
        lambda: array.__setitem__((4, 0), 6.0),
    ]
    for change in [lambda: None, *changes]:
        change()
        assert program(TOKENS) == pytest.approx([f(t).data for t in TOKENS.tolist()], rel=1e-12)
    LARGE[4][1].data = 0.5


def test_a_number_that_equals_another_zero_is_looked_at_in_a_large_table():
    numbers = [[0.0, 1.0], *MANY.tolist()]
    program = vectorize(lambda t: 1.0 / ag.pick(t, numbers)[0], check=False)
    assert program([0.0]) == math.inf
    numbers[0][0] = -0.0
    assert program([0.0]) == -math.inf


def test_an_attribute_of_one_of_many_leaves_is_followed():
    rows = [row[:] for row in LARGE]
    rows[7][1] = Parameter(2.0)
    rows[7][1].rate = 3.0
    program = vectorize(lambda t: ag.sum(ag.pick(t, rows)) * rows[7][1].rate)
    before = program(TOKENS)
    rows[7][1].rate = 6.0
    assert program(TOKENS) == pytest.approx(2.0 * before)
    assert not [x for row in LARGE for x in row if getattr(x, "__dict__", None)], "no other gets a dictionary"


def test_a_saved_program_has_the_numbers_of_large_tables(tmp_path):
    program = vectorize(LARGE_CASES["arrays and leaves"])
    value, gradient = program.value_and_grad([1.0])
    program.save(tmp_path / "net.py")
    found = {}
    exec((tmp_path / "net.py").read_text(encoding="utf-8"), found)
    theta = found["theta"]
    forward, backward = found["bind"](1, theta, by_leaf := np.zeros_like(theta))
    ((got,), _), _ = forward(np.ones((1, 1))), backward(1.0)
    assert math.isclose(got.item(), value, rel_tol=1e-12)
    assert by_leaf[found["order"]] == pytest.approx(gradient, rel=1e-12)


@pytest.mark.parametrize("frozen", [0, 3])
def test_both_engines_train_the_same_large_table(frozen):
    def trained(engine):
        model = Letters(MOST_ROWS + 1)
        nn.freeze(model.table.weights[:frozen])
        optimizer = optim.Adam(model.parameters(), 0.1)
        Trainer(model, "squared_error", optimizer, epochs=2, engine=engine, progress=False).fit(TOKENS[:, None], TOKENS)
        return [p.data for p in model.parameters()]

    assert trained("vectorized") == pytest.approx(trained("eager"), rel=1e-12)


def test_derivatives_inside_of_a_trace_through_a_large_table_are_refused():
    def slope(t):
        y = ag.pick(t, LARGE)[0] ** 2
        return next(iter(y.parents)).primitive.derivatives(ag.engine.value.differentiable, y, t)

    with pytest.raises(TraceError, match=r"a derivative through pick from a table of more than 256 rows"):
        vectorize(slope)(TOKENS)


# ------------------------------------------------------------------------------------------- what isn't there


@pytest.mark.parametrize("token", NOT_THERE)
def test_an_index_that_names_nothing_is_refused(token):
    message = rf"pick: expected a whole number from 0 to 4, to name one of 5, got {token:g}"
    for pick in (lambda: ag.pick(token, b), lambda: ag.pick(Value(token), b), lambda: ag.pick(token, W)):
        with pytest.raises(IndexError, match=f"^{message}$"):
            pick()
    for f in (CASES["a row"], CASES["an item"], lambda t: ag.pick(t * 1, b)):
        for rows in ([0.0, 1.0, token, 2.0], [0.0, 1.0, token]):
            with pytest.raises(IndexError, match=rf"^{message} in example 2$"):
                vectorize(f)(rows)
        with pytest.raises(IndexError, match=rf"^{message} in example 0$"):
            vectorize(f).value_and_grad([token, 1.0])


def test_a_computed_index_is_looked_at_in_every_run_of_every_block():
    program = vectorize(lambda t: ag.pick(t + 1, b), block=512, check=False)
    tokens = np.zeros(2000)
    assert program(tokens).tolist() == [-1.0] * 2000
    tokens[1500] = 98.0
    with pytest.raises(IndexError, match=r"one of 5, got 99 in example 1500$"):
        program(tokens)


@pytest.mark.needs("jax")
def test_with_jax_an_index_that_names_nothing_is_refused():
    with pytest.raises(IndexError, match=r"one of 5, got 7 in example 1$"):
        vectorize(lambda t: ag.pick(t + 1, b), backend="jax")([0.0, 6.0])


def test_an_index_that_is_a_leaf_is_read_and_looked_at_in_each_run():
    index = Value(2.0)
    for program in (vectorize(lambda: ag.pick(index, b)), vectorize(lambda: ag.pick(index, LARGE)[0])):
        index.data = 2.0
        first = program()
        index.data = 3.0
        assert program() != first
        index.data = 999.0
        with pytest.raises(IndexError, match=r"got 999"):
            program()


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_a_training_says_which_token_isnt_there(engine):
    model = Letters()
    trainer = Trainer(model, "squared_error", optim.SGD(model.parameters(), 0.1), engine=engine, progress=False)
    with pytest.raises(IndexError, match=r"one of 5, got 99"):
        trainer.fit(np.array([[1.0], [99.0]]), np.zeros(2))


# ----------------------------------------------------------------------------------------- what else is told


def by_list(t):
    return b[t]


def by_tuple(t):
    return (1.0, 2.0)[t]


def by_slice(t):
    return b[t:]


def by_range(t):
    return [b[k] for k in range(t)]


def by_array(t):
    return np.array(b)[t]


def by_array_of_two(t):
    return np.array(b)[[t, t]]


def by_dictionary(t):
    return {0: b[0], 1: b[1]}[t]


@pytest.mark.parametrize("f", [by_list, by_tuple, by_slice, by_range, by_array, by_array_of_two, by_dictionary])
def test_a_traced_number_as_an_index_is_refused_with_the_way_to_choose(f):
    with pytest.raises(TraceError, match=r"use pick\(token, table\) of autograd_mini"):
        vectorize(f)(TOKENS)


@pytest.mark.parametrize(("f", "error"), [(lambda t: b[7] * t, IndexError), (lambda t: {}["a"] * t, KeyError)])
def test_mistakes_of_other_kinds_stay_what_they_are(f, error):
    with pytest.raises(error):
        vectorize(f)(TOKENS)


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(
        ValueError, match=r"pick: expected rows of the same length, got rows of 1 and of 2 items; pad them"
    ):
        ag.pick(0, [[1.0, 2.0], [3.0]])
    with pytest.raises(ValueError, match=r"pick: expected rows of the same length, got rows and single items"):
        ag.pick(0, [[1.0, 2.0], 3.0])


def test_sequences_of_different_lengths_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"Sequences of different lengths take a call for each length"):
        vectorize(lambda t: t[0])([[1.0, 2.0], [3.0]])


def test_each_length_of_a_sequence_has_a_program():
    program = vectorize(lambda t: ag.sum([ag.pick(one, b) for one in t]))
    assert program([[0, 1], [2, 2]]).tolist() == [-0.5, 4.0]
    assert program([[0, 1, 4]]).tolist() == [2.5]
    assert "traced for 2 shapes of inputs" in repr(program)


def test_plain_numbers_and_arrays_are_picked_as_ever():
    assert ag.pick(1, 5.0, 6.0) == 6.0
    assert ag.pick(1, [[1.0, 2.0], [3.0, 4.0]]) == [3.0, 4.0]
    assert ag.pick(np.array([0.0, 1.0]), [5.0, 6.0]).tolist() == [5.0, 6.0]
    assert ag.pick(1, np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [3.0, 4.0]
    with pytest.raises(IndexError, match=r"got 2$"):
        ag.pick(np.array([0.0, 2.0]), [5.0, 6.0])
    assert ag.pick(last, MANY).tolist() == MANY[last].tolist()
    assert ag.pick(np.array([0.0, 4.0]), MANY[:, 0].tolist()).tolist() == MANY[[0, 4], 0].tolist()
    assert ag.maximum(*MANY).tolist() == MANY.max(axis=0).tolist()


def test_the_explanations_say_what_was_picked():
    t, items = Value(2.0, "t"), [Value(x, name) for x, name in zip((1.0, 2.0, 3.0), "abc", strict=True)]
    y = ag.pick(t, items) * items[0]
    assert "v1 = pick(t, a, b, c) = pick(2, 1, 2, 3) = 3" in [str(step) for step in ag.forward_steps(y)]
    assert r"\operatorname{pick}\left(t, a, b, c\right)" in str(ag.to_latex(y))
    source = ag.to_python(y)
    assert "v1 = pick(t, a, b, c)" in source
    found = {}
    exec(source, found)
    assert [found[f"d_{name}"] for name in "tabc"] == [0.0, 3.0, 0.0, 1.0]


def test_the_table_in_the_place_of_the_token_is_told():
    with pytest.raises(TypeError, match=r"expected a number first, as in pick\(token, table\), got list .*for several"):
        ag.pick([Value(1.0), Value(2.0)], 1)
