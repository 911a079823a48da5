"""Random leaves: dropout draws anew at every run, from the program's generator or its own, as the eager engine does."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from vector_checks import assert_close

from autograd_mini import Value, nn
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.vectorizer import vectorize

RNG = np.random.default_rng(4)
X = RNG.normal(size=(11, 4))
Y = RNG.normal(size=11)


def made(rng=1, inverted=False):
    return nn.Sequential(
        nn.Dropout(0.9, rng=rng),
        nn.MLP(4, [6], "tanh", "tanh", rng=0),
        nn.Dropout(0.6, inverted, rng=rng),
        nn.MLP(6, [1], rng=1),
    )


def eagerly(model, loss, X, Y):
    """Return the values, the mean gradient and the gradient by the inputs of the eager engine, example by example."""
    values, total, by_x = [], dict.fromkeys(model.parameters(), 0.0), []
    for row, target in zip(X.tolist(), Y.tolist(), strict=True):
        x = [Value(number) for number in row]
        root = loss(model(x), target)
        found = gradients(root)
        values.append(root.data)
        by_x.append([found.get(leaf, 0.0) for leaf in x])
        for p in total:
            total[p] += found.get(p, 0.0) / len(X)
    return np.array(values), total, np.array(by_x)


def squared(a, t):
    return (a - t) ** 2


@pytest.mark.parametrize("inverted", [False, True])
def test_one_generator_gives_the_eager_engines_draws(inverted):
    model = made(np.random.default_rng(8), inverted)
    eager_model = copy.deepcopy(model)
    program = vectorize(lambda x, y: squared(model(x), y))
    for _ in range(3):
        value, gradient = program.value_and_grad(X, Y)
        values, total, _ = eagerly(eager_model, squared, X, Y)
        assert_close(value, values.mean(), "value")
        wanted = dict(zip(model.parameters(), total.values(), strict=True))
        assert_close(gradient, [wanted[p] for p in program.parameters], "gradient")


def test_values_and_gradients_by_the_inputs_are_of_the_same_draws():
    model = made(np.random.default_rng(8))
    eager_model = copy.deepcopy(model)
    values, (by_x, _) = vectorize(lambda x, y: squared(model(x), y)).value_and_gradients(X, Y)
    expected, _, expected_by_x = eagerly(eager_model, squared, X, Y)
    assert_close(values, expected, "values")
    assert_close(by_x, expected_by_x, "gradient by x")


def test_all_rows_of_a_jacobian_are_of_the_same_draws():
    dropout = nn.Dropout(0.5, rng=3)

    def f(x):
        a = dropout(x)
        return [a[0] + 2.0 * a[1], a[0] - a[1], a[2]]

    values, jacobian = vectorize(f).value_and_gradients(np.ones((50, 3)))
    assert np.array_equal(jacobian[:, 1, 0], jacobian[:, 0, 0])
    assert np.array_equal(jacobian[:, 1, 1], -jacobian[:, 0, 1] / 2.0)
    assert_close(values[:, 0], jacobian[:, 0, 0] + jacobian[:, 0, 1], "values")
    assert_close(values[:, 2], jacobian[:, 2, 2], "values")


def test_every_run_draws_anew():
    program = vectorize(made(), seed=0)
    runs = [program(X) for _ in range(4)]
    assert len({run.tobytes() for run in runs}) == 4


def test_every_example_has_draws_of_its_own():
    dropout = nn.Dropout(0.5, rng=0)
    kept = vectorize(lambda x: dropout(x))(np.ones((64, 3)))
    assert len(np.unique(kept, axis=0)) == 8


@pytest.mark.parametrize(("keep_prob", "inverted"), [(0.5, False), (0.9, True), (0.1, False)])
def test_units_are_kept_as_often_as_asked(keep_prob, inverted):
    dropout = nn.Dropout(keep_prob, inverted)
    found = vectorize(lambda x: dropout(x), seed=5)(np.ones((20_000, 3)))
    assert set(np.unique(found)) == {0.0, 1.0 / keep_prob if inverted else 1.0}
    frequency = (found > 0).mean(axis=0)
    spread = np.sqrt(keep_prob * (1.0 - keep_prob) / 20_000)
    assert (np.abs(frequency - keep_prob) < 5.0 * spread).all()
    together = (found[:, 0] > 0) & (found[:, 1] > 0)
    assert abs(together.mean() - keep_prob**2) < 5.0 * np.sqrt(keep_prob**2 / 20_000)


def test_two_programs_of_one_seed_are_equal_and_of_two_seeds_not():
    model = made()
    one, same, other = (vectorize(lambda x, y: squared(model(x), y), seed=seed) for seed in (7, 7, 8))
    for _ in range(2):
        first, second, third = (program.value_and_grad(X, Y) for program in (one, same, other))
        assert first[0] == second[0]
        assert np.array_equal(first[1], second[1])
        assert first[0] != third[0]


def test_a_seed_of_the_program_leaves_the_modules_generators_alone():
    generator = np.random.default_rng(1)
    model = made(generator)
    before = generator.bit_generator.state
    vectorize(model, seed=3)(X)
    assert generator.bit_generator.state == before


def test_two_modules_with_generators_of_their_own_draw_from_them():
    one, other = nn.Dropout(0.5, rng=1), nn.Dropout(0.5, rng=2)
    found = vectorize(lambda x: [*one(x), *other(x)])(np.ones((30, 2)))
    expected = [np.random.default_rng(seed).random((30, 2)) < 0.5 for seed in (1, 2)]
    assert np.array_equal(found, np.hstack(expected).astype(float))


def test_a_module_that_is_called_twice_draws_twice():
    dropout = nn.Dropout(0.5, rng=1)
    found = vectorize(lambda x: [dropout(x), dropout(x)])(np.ones(400))
    assert np.array_equal(found, (np.random.default_rng(1).random((400, 2)) < 0.5).astype(float))


@pytest.mark.parametrize("options", [{"block": 4}, {"threads": 2, "block": 3}])
def test_blocks_and_threads_change_no_draw(options):
    model = made()
    whole, cut = vectorize(model, seed=2), vectorize(model, seed=2, **options)
    for _ in range(2):
        assert_close(cut(X), whole(X), "values")


def test_gradients_without_a_reduction_are_of_the_same_draws_as_with_one():
    model = made()
    together, each = (vectorize(lambda x, y: squared(model(x), y), seed=6) for _ in range(2))
    value, gradient = together.value_and_grad(X, Y)
    values, single = each.value_and_grad(X, Y, reduction=None)
    assert_close(values.mean(), value, "value")
    assert_close(single.mean(axis=0), gradient, "gradient")


def test_evaluation_draws_nothing():
    model = made(np.random.default_rng(1)).eval()
    program = vectorize(model)
    expected = [model(row).data for row in X.tolist()]
    assert_close(program(X), expected, "values")
    assert np.array_equal(program(X), program(X))
    model.train()
    assert not np.array_equal(program(X), program(X))


def test_dropout_on_parameters_alone_is_drawn_for_every_example_or_refused():
    dropout, w = nn.Dropout(0.5, rng=0), Value(2.0)
    found = vectorize(lambda x: dropout(w) + 0.0 * x)(np.ones(200))
    assert set(found.tolist()) == {0.0, 2.0}


def test_dropout_without_a_batch_draws_at_every_run():
    dropout, w = nn.Dropout(0.5, rng=0), [Value(2.0), Value(3.0)]
    program = vectorize(lambda: dropout(w)[0] + dropout(w)[1])
    found = {float(program()) for _ in range(60)}
    assert found == {0.0, 2.0, 3.0, 5.0}


def test_many_threads_may_draw_from_one_program():
    dropout = nn.Dropout(0.5)
    program = vectorize(lambda x: dropout(x), seed=0)
    program(np.ones((1, 3)))
    with ThreadPoolExecutor(8) as pool:
        found = np.concatenate(list(pool.map(lambda n: program(np.ones((n, 3))), [50] * 80)))
    assert set(np.unique(found)) == {0.0, 1.0}
    assert abs(found.mean() - 0.5) < 5.0 * 0.5 / np.sqrt(found.size)
