"""Rows: operators on the list that a function gets for an example are refused, whatever its width; all else works."""

import numpy as np
import pytest
from vector_checks import assert_as_eager, close

import autograd_mini as ag
from autograd_mini import TraceError, Value, grad, nn
from autograd_mini.vectorizer import vectorize
from autograd_mini.vectorizer.rows import Row

W = Value(2.0, label="w")

OPERATORS = {
    "3 * v": lambda v: 3 * v,
    "v * 3": lambda v: v * 3,
    "v + v": lambda v: v + v,
    "v + 1": lambda v: v + 1,
    "1 + v": lambda v: 1 + v,
    "v - v": lambda v: v - v,
    "1 - v": lambda v: 1 - v,
    "-v": lambda v: -v,
    "v * v": lambda v: v * v,
    "v / 2": lambda v: v / 2,
    "1 / v": lambda v: 1 / v,
    "v ** 2": lambda v: v**2,
    "v @ v": lambda v: v @ v,
    "v * w": lambda v: v * W,
    "w * v": lambda v: W * v,
    "v + w": lambda v: v + W,
    "abs(v)": lambda v: abs(v),
    "a slice": lambda v: 2 * v[:1],
    "in place": lambda v: v.__iadd__(v),
    "v == 0": lambda v: ag.where(v == 0, 1.0, 2.0),
    "v != 0": lambda v: ag.where(v != 0, 1.0, 2.0),
    "v == w": lambda v: ag.where(v == W, 1.0, 2.0),
    "v > 0": lambda v: ag.where(v > 0, 1.0, 2.0),
    "0 < v": lambda v: ag.where(0 < v, 1.0, 2.0),  # noqa: SIM300
    "inside of a derivative": lambda v: grad(lambda u: ag.sum(3 * u))(v),
}


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_on_a_row_is_refused(name, width):
    with pytest.raises(TypeError, match=r"Take .*for x in v|one of each element"):
        vectorize(OPERATORS[name])(np.ones((2, width)))


@pytest.mark.parametrize(
    ("f", "advice"),
    [
        (lambda v: v.tanh(), r"\.tanh of a list of 2.*Take v\[0\]\.tanh .*\[x\.tanh for x in v\]"),
        (lambda v: v.data, r"Take v\[0\]\.data"),
        (lambda v: v.shape[0], r"\.shape of a list of 2.*len\(v\) for their count.*np\.array\(v\)"),
        (lambda v: v.sum(), r"Take sum\(v\), mean\(v\)"),
        (lambda v: v.T, r"np\.array\(v\) for an array"),
        (lambda v: v[0, 0], r"Take v\[i\]\[j\] for one number"),
        (lambda v: v[:, 0], r"\[row\[j\] for row in v\] for a column"),
        (lambda v: float(v), r"float\(\) of a list of 2.*\[3 \* x for x in v\]"),
        (lambda v: ag.tanh(v), r"Take v\[0\] for one of them, or \[f\(x\) for x in v\]"),
    ],
)
def test_what_an_array_or_a_value_can_do_is_refused_with_what_to_write(f, advice):
    with pytest.raises((TypeError, AttributeError), match=advice):
        vectorize(f)([[1.0, 2.0], [3.0, 4.0]])


def test_numpy_and_python_take_a_row_as_a_list():
    f = lambda v: [np.array(v).sum(), np.sum(v), (2 * np.asarray(v))[0], 0.0 if hasattr(v, "shape") else v[0]]
    assert vectorize(f)([[1.0, 2.0]]).tolist() == [[3.0, 3.0, 2.0, 1.0]]


def test_the_message_says_where_and_what_to_write():
    with pytest.raises(TraceError) as refused:
        vectorize(lambda v: 3 * v)([[1.0], [2.0]])
    message = str(refused.value)
    for part in ("* of a list of 1", "test_rows.py, line", "v[0]", "[3 * x for x in v]", "dot(w, v)", "[*v, *w]"):
        assert part in message
    with pytest.raises(TraceError) as of_two:
        vectorize(lambda v: v + v)(np.ones((2, 2)))
    assert "v[0]" not in str(of_two.value)


def test_rows_of_rows_are_refused_at_every_depth():
    images = np.ones((2, 3, 4))
    for f in (lambda v: 2 * v, lambda v: 2 * v[0], lambda v: v[0] + v[1]):
        with pytest.raises(TraceError, match="of a list of"):
            vectorize(f)(images)
    assert vectorize(lambda v: [2.0 * x for x in v[0]])(images).tolist() == np.full((2, 4), 2.0).tolist()


@pytest.mark.parametrize("shape", [(2, 1), (2, 3)])
def test_all_that_lists_do_is_left(shape):
    X = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)
    weights = [W, Value(3.0), Value(4.0)][: shape[1]]
    model = nn.MLP(shape[1], [2, 1], rng=0)
    for f in (
        lambda v: sum(v),
        lambda v: ag.sum(v),
        lambda v: ag.dot(weights, v),
        lambda v: ag.maximum(*v, 0.0),
        lambda v: sum(a * b for a, b in zip(weights, v, strict=True)),
        lambda v: v[-1] * len(v) if isinstance(v, list) else None,
        lambda v: sum([*v[::-1], *v[1:]]),
        model,
    ):
        assert_as_eager(f, X)
    both = vectorize(lambda v: [*v, *(3 * x for x in v)])(X)
    assert both == close(np.hstack([X, 3.0 * X]))


def test_a_list_of_the_function_s_own_is_joined_to_a_row():
    f = lambda v: ag.sum([3.0] + v + [x * x for x in v])
    assert_as_eager(f, np.arange(6.0).reshape(3, 2))


def test_beside_an_array_the_array_computes():
    X = np.arange(4.0).reshape(2, 2)
    for f in (
        lambda v: list(v * np.array([2.0, 3.0])),
        lambda v: list(np.array([2.0, 3.0]) * v),
        lambda v: list(np.array(v) * np.array([2.0, 3.0])),
    ):
        assert vectorize(f)(X) == close(X * [2.0, 3.0])


def test_a_row_equals_a_list_as_lists_do():
    assert Row([1.0, 2.0]) == [1.0, 2.0]
    assert Row([1.0]) != [2.0]
    assert Row([1.0]) != None  # noqa: E711
    assert Row([1.0]) < [2.0]
    assert not Row([1.0]) == "text"  # noqa: SIM201
