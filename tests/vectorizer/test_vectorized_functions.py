"""Functions of any kind: arrays of Values, modules, methods; names that might clash; infinite numbers."""

import math
from functools import partial

import numpy as np
import pytest
from vector_checks import assert_as_eager, close, eager

import autograd_mini as ag
from autograd_mini import Value, nn
from autograd_mini.vectorizer import Program, vectorize

RNG = np.random.default_rng(11)
X = RNG.normal(size=(7, 3))
Y = RNG.normal(size=7)


def weights(*numbers):
    return [Value(number, f"w{k}") for k, number in enumerate(numbers)]


def test_numpy_arrays_of_values_are_computed_with():
    W = np.array([[Value(x) for x in row] for row in RNG.normal(size=(4, 3))])
    b = np.array(weights(0.1, 0.2, 0.3, 0.4))

    def f(x, y):
        hidden = np.tanh(W @ np.array(x) + b)
        return np.sum(hidden * hidden) * y + np.exp(hidden[0]) + np.dot(hidden, b)

    program = assert_as_eager(f, X, Y)
    assert len(program.parameters) == 16


def test_modules_methods_partials_and_callables_are_functions():
    model = nn.MLP(3, [2, 1], "tanh", rng=0)

    class Callable:
        def __call__(self, x):
            return model(x)

        def method(self, x):
            return model(x)

    def with_factor(factor, x):
        return factor * model(x)

    expected = eager(model, X)[0]
    for f in (model, Callable(), Callable().method, partial(with_factor, 1.0)):
        program = vectorize(f)
        assert isinstance(program, Program)
        assert program(X) == close(expected)
        assert "Program of" in repr(program)


def test_a_model_in_the_closure_that_is_switched_to_evaluation_is_another_function():
    model = nn.Sequential(nn.MLP(3, [4], rng=0), nn.Dropout(0.5, rng=1), nn.MLP(4, [1], rng=1))
    program = vectorize(lambda x: model(x))
    program(X)
    model.eval()
    assert program(X) == close(eager(model, X)[0])


def test_names_of_arguments_and_labels_do_no_harm():
    w = Value(2.0, "lambda")

    def f(forward, np, n, seed, theta, gradient, math):
        return ag.erf(forward + np + n + seed + theta + gradient + math) * w

    assert_as_eager(f, *[Y / 7.0] * 7)
    for label in ("x²", "½", "∂L/∂w", "", "a b", "class", "x\ny", 'a"""b', "1", "_", "np", "x_batch", "d_x", "work_1"):
        named = Value(2.0, label)
        assert_as_eager(lambda x, named=named: ag.tanh(named * x) * named, Y)


@pytest.mark.parametrize(
    "f",
    [lambda x, x_batch: x * 10.0 + x_batch, lambda x_batch, x: x * 10.0 + x_batch, lambda d_x, x: ag.exp(x) * d_x],
)
def test_names_of_arguments_may_be_like_those_of_the_program(f):
    assert_as_eager(f, Y, Y[::-1])


def test_a_scope_or_a_function_of_an_odd_name_does_no_harm():
    w = Value(2.0)

    def f(x):
        with ag.scope("a\nb = 1/0"):
            return ag.tanh(x * w)

    f.__name__ = 'odd"""\nimport nothing\\'
    assert_as_eager(f, Y)


def test_bare_numbers_that_are_not_finite():
    w = Value(2.0)
    f = lambda x: [ag.maximum(x[0] * w, -math.inf), ag.maximum(x[1] * w, 0.0), ag.minimum(x[2], math.inf), x[0] * w]
    assert vectorize(f)(X) == close(np.transpose([2 * X[:, 0], np.maximum(2 * X[:, 1], 0), X[:, 2], 2 * X[:, 0]]))
    assert np.isnan(vectorize(lambda x: x * w + math.nan)(Y)).all()
    assert np.isnan(vectorize(lambda x: [x[0] + math.nan, x[1] + 2.0])(X)).tolist() == [[True, False]] * 7
    assert vectorize(lambda x: [abs(x[0]) * math.inf, x[1] * 2.0])(X)[:, 0].tolist() == [math.inf] * 7


def test_examples_that_are_not_finite_touch_no_others():
    w = weights(0.5, -1.5, 2.0)
    given = X.copy()
    given[1, 0], given[2, 1], given[3, 2] = math.nan, math.inf, -math.inf
    assert_as_eager(lambda x: ag.exp(ag.dot(w, x)) + ag.logsumexp(x[1], 1.0), given[[0, 4, 5]])
    program = vectorize(lambda x: ag.tanh(ag.dot(w, x)))
    expected, _, (by_x,) = eager(lambda x: ag.tanh(ag.dot(w, x)), given)
    assert program(given) == close(expected)
    assert program.gradients(given) == close(by_x)
