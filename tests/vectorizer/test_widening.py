"""Programs of small networks, widened: they are those that the large networks would have had."""

import logging

import numpy as np
import pytest

from autograd_mini.vectorizer import widening
from autograd_mini.vectorizer.checks import SpotCheck, against_eager, agrees_with
from autograd_mini.vectorizer.compiled import Compiled
from autograd_mini.vectorizer.widening import Lengths, NotWidenedError

pytestmark = pytest.mark.needs("scikit-learn")
SHAPES = [
    ((5, 30, 10), "cross_entropy", 1),
    ((40, 12, 3), "cross_entropy", 1),
    ((6, 6, 6, 12), "cross_entropy", 1),
    ((1, 40, 1), "half_squared_error", 1),
    ((7, 20, 20, 4), "half_squared_error", 4),
    ((9, 20, 11), "half_squared_error", 11),
    ((9, 30, 1), "binary_cross_entropy_with_logits", 1),
    ((9, 30, 12), "binary_cross_entropy_with_logits", 12),
    ((4, 9, 1, 9, 1), "half_squared_error", 1),
]


def made(sizes, loss, targets, activation="tanh", penalty="l2", is_weighted=False):
    """Return a plan's widened program, the function that it is of, examples, and numbers of all leaves."""
    from autograd_mini.estimators import workbench as w

    plan, rng = w.Plan(sizes, activation, loss, 1.0, penalty, is_weighted), np.random.default_rng(0)
    leaves = w.Leaves(plan.n_parameters + (penalty is not None))
    theta = rng.normal(0.0, 0.3, len(leaves))
    w.assign(leaves, theta.tolist())
    X, y = rng.normal(size=(4, sizes[0])), rng.integers(0, 2, (4, targets)).astype(float)
    y = y[:, 0] if targets == 1 else y
    if is_weighted:
        y = np.column_stack([y, rng.uniform(0.5, 2.0, 4)])
    compiled = w._widened(plan, leaves, X[0], y[0])
    return plan, compiled, w._objective(plan, leaves), [X, y.reshape(4, -1)], theta, leaves


@pytest.mark.parametrize(("sizes", "loss", "targets"), SHAPES)
@pytest.mark.parametrize("penalty", ["l2", "l1", "weight_elimination", None])
def test_a_widened_program_is_that_of_the_large_network(sizes, loss, targets, penalty):
    for is_weighted in (False, True):
        try:
            _, compiled, f, columns, _, _ = made(sizes, loss, targets, penalty=penalty, is_weighted=is_weighted)
        except NotWidenedError:
            assert targets > 8 or 1 in sizes[:-1], "what is refused has sums over many outputs, or single inputs"
            continue
        examples = [
            column[0] if shape else column[0, 0] for column, shape in zip(columns, compiled.shapes, strict=True)
        ]
        traced = Compiled(f, [*map(np.asarray, examples)], ["x", "t"], "parameters", "float64")
        against_eager(f, compiled, columns, 4, SpotCheck())
        ours, theirs = compiled.workspace(4), traced.workspace(4)
        ours.theta[:], theirs.theta[:] = compiled.theta(), traced.theta()
        for workspace in (ours, theirs):
            (values,), _, _ = workspace.run(columns, 0.25)
            workspace.values = np.array(values)
        assert ours.values == pytest.approx(theirs.values, rel=1e-12), "the same values"
        order = [compiled.leaves.index(leaf) for leaf in traced.leaves]
        assert ours.gradient[order] == pytest.approx(theirs.gradient, rel=1e-9, abs=1e-13), "the same gradient"


@pytest.mark.parametrize("activation", ["identity", "relu", "sigmoid", "leaky_relu", "elu", "softplus"])
def test_every_activation_can_be_widened(activation):
    _, compiled, f, columns, _, _ = made(*SHAPES[0], activation=activation)
    against_eager(f, compiled, columns, 4, SpotCheck())


def test_a_program_that_is_widened_wrongly_is_found_out():
    from autograd_mini.estimators.workbench import _objective

    plan, compiled, _, columns, theta, _ = made(*SHAPES[0])
    value = lambda numbers, x, t: _objective(plan, numbers)(x, t)
    assert agrees_with(value, compiled, columns, theta, SpotCheck())
    other = lambda numbers, x, t: _objective(plan, [*numbers[1:], numbers[0]])(x, t)
    assert not agrees_with(other, compiled, columns, theta, SpotCheck()), "another function"
    product = next(s for s in compiled.program.backward if getattr(s, "kind", "") == "matrix")
    compiled.program.backward.remove(product)  # a layer gets no gradient
    vars(compiled).pop("_native")
    compiled._pool.clear()
    assert not agrees_with(value, compiled, columns, theta, SpotCheck()), "another gradient"


def test_where_widening_goes_wrong_the_whole_network_is_traced_and_that_is_said(monkeypatch, caplog):
    from autograd_mini.estimators import MLPClassifier, workbench

    X, y = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 4
    right = MLPClassifier((23,), max_iter=2, tol=0.0, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        right.fit(X, y)
    monkeypatch.setattr(workbench, "_kept", type(workbench._kept)())
    wrong = widening._Widening._matrix
    monkeypatch.setattr(
        widening._Widening,
        "_matrix",
        lambda self, matrix: (found := wrong(self, matrix)).__class__(
            found.array, max(found.start - 1, 0), found.shape, found.down, 1
        ),
    )
    again = MLPClassifier((23,), max_iter=2, tol=0.0, random_state=0)
    with caplog.at_level(logging.WARNING), pytest.warns(UserWarning, match="Maximum iterations"):
        again.fit(X, y)
    assert "Tracing the whole network, which is slow" in caplog.text
    assert again.coefs_[0] == pytest.approx(right.coefs_[0], rel=1e-9)
    monkeypatch.setattr(workbench, "_kept", type(workbench._kept)())


def test_a_widened_program_that_gives_no_numbers_is_not_predicted_with(monkeypatch, caplog):
    from autograd_mini.estimators import MLPRegressor, workbench
    from autograd_mini.vectorizer import compiled

    X = np.random.default_rng(0).normal(size=(50, 5))
    model = MLPRegressor((6,), solver="lbfgs", max_iter=500, random_state=0).fit(X, X[:, 0])
    expected, right = model.predict(X), compiled.widened

    def wrong(*arguments):
        program = right(*arguments)
        k, first = next((k, part) for k, part in enumerate(program.forward) if isinstance(part, widening.Assign))
        program.forward[k] = widening.Assign(first.target, first.expression * float("nan"), first.add)
        return program

    monkeypatch.setattr(workbench, "_kept", type(workbench._kept)())  # as in another process
    monkeypatch.setattr(compiled, "widened", wrong)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-12)
    assert "the program gives nan" in caplog.text


def test_what_has_lengths_of_its_own_is_refused():
    _, compiled, *_ = made(*SHAPES[0])
    with pytest.raises(NotWidenedError, match="lengths that stand for several"):
        widening.widened(compiled.program, Lengths((4, 4, 9), 1, 1), Lengths((5, 30, 10), 1, 1))
    with pytest.raises(NotWidenedError, match="leaves, where"):
        widening.widened(compiled.program, Lengths((4, 5, 9), 1, 1), Lengths((5, 30, 10), 1, 1))


def test_training_makes_no_nodes_until_a_row_is_compared():
    from autograd_mini.estimators import workbench as w
    from autograd_mini.optim import Adam

    plan, rng = w.Plan((8, 70, 3), "relu", "cross_entropy", 1.0, "l2"), np.random.default_rng(0)
    bench = w.Workbench(plan)
    training = bench.begin(
        rng.normal(0.0, 0.2, plan.n_parameters), rng.normal(size=(20, 8)), np.arange(20) % 3.0, Adam, 10, True, 1e-4, 0
    )
    assert training.epoch() > 0.0
    assert isinstance(training, w.MachineTraining)
    assert not bench._leaves._made
