"""`vectorize`: shapes of inputs and outputs, reductions and gradients, bad input, and what counts as a parameter."""

import numpy as np
import pytest
from vector_checks import assert_as_eager, close, eager

import autograd_mini as ag
from autograd_mini import Value, nn
from autograd_mini.engine.value import Constant, Parameter
from autograd_mini.vectorizer import vectorize

RNG = np.random.default_rng(11)
X = RNG.normal(size=(7, 3))
Y = RNG.normal(size=7)
IMAGES = RNG.normal(size=(4, 3, 2))


def weights(*numbers):
    return [Value(number, f"w{k}") for k, number in enumerate(numbers)]


# ---------------------------------------------------------------------------------------------- shapes of inputs


def test_rows_of_features_give_the_function_a_list_of_values():
    w, seen = weights(0.5, -1.5, 2.0), []

    def f(x):
        seen.append((isinstance(x, list), len(x), isinstance(x[0], Value)))
        return ag.tanh(ag.dot(w, x))

    assert vectorize(f)(X).shape == (7,)
    assert set(seen) == {(True, 3, True)}
    assert_as_eager(f, X)


def test_a_flat_input_gives_the_function_a_single_value():
    (w,) = weights(0.5)
    assert vectorize(lambda y: isinstance(y, Value) * w)(Y).tolist() == [0.5] * 7
    assert_as_eager(lambda y: ag.sin(w * y), Y)


def test_pictures_give_the_function_lists_in_lists():
    (w,) = weights(0.5)
    program = assert_as_eager(lambda picture: ag.tanh(picture[2][1] * w) + picture[0][0] * picture[1][1], IMAGES)
    assert program.gradients(IMAGES).shape == IMAGES.shape


def test_inputs_of_several_shapes_at_once():
    w, b = weights(0.5, 1.0)
    f = lambda x, y, p: (w * x[0] + b - y) ** 2 + x[1] * p[0][1]
    program = assert_as_eager(f, X[:4], Y[:4], IMAGES)
    assert [g.shape for g in program.gradients(X[:4], Y[:4], IMAGES)] == [(4, 3), (4,), (4, 3, 2)]


def test_a_column_of_shape_n_1_is_a_list_of_one():
    (w,) = weights(3.0)
    assert vectorize(lambda x: x[0] * w)(Y[:, None]) == close(3.0 * Y)


def test_rows_without_features():
    (w,) = weights(3.0)
    program = vectorize(lambda x: w * (2.0 + len(x)))
    assert program(np.zeros((5, 0))).tolist() == [6.0] * 5
    assert program.value_and_grad(np.zeros((5, 0))) == (6.0, close([2.0]))
    assert program.gradients(np.zeros((5, 0))).shape == (5, 0)


@pytest.mark.parametrize(
    "given",
    [
        X.tolist(),
        X.astype(np.float32),
        np.asfortranarray(X),
        X[::-1],
        np.repeat(X, 2, axis=1)[:, ::2],
        tuple(map(tuple, X)),
    ],
    ids=["lists", "float32", "Fortran order", "reversed", "strided", "tuples"],
)
def test_anything_that_numpy_reads_as_real_numbers_is_an_input(given):
    w = weights(0.5, -1.5, 2.0)
    f = lambda x: ag.tanh(ag.dot(w, x))
    expected = eager(f, np.asarray(given, dtype=float))[0]
    assert vectorize(f)(given) == close(expected, 1e-6 if getattr(given, "dtype", None) == np.float32 else 1e-9)


def test_whole_numbers_and_truth_values_are_inputs_too():
    (w,) = weights(0.5)
    assert vectorize(lambda x: x * w)([1, 2, 3]).tolist() == [0.5, 1.0, 1.5]
    assert vectorize(lambda x: x * w)(np.array([True, False])).tolist() == [0.5, 0.0]
    assert vectorize(lambda x: x * w)(np.array([1, 2], dtype=np.uint8)).tolist() == [0.5, 1.0]


def test_the_inputs_are_left_alone():
    given = X.copy()
    program = vectorize(lambda x: ag.exp(x[0]) * x[1])
    program(given)
    program.value_and_grad(given)
    program.gradients(given)
    assert np.array_equal(given, X)


def test_one_program_runs_for_inputs_of_several_shapes():
    (w,) = weights(0.5)
    program = vectorize(lambda x: w * ag.sum(x))
    assert program(X) == close(0.5 * X.sum(axis=1))
    assert program(X[:, :2]) == close(0.5 * X[:, :2].sum(axis=1))
    assert program(X) == close(0.5 * X.sum(axis=1))
    assert "2 shapes" in repr(program)


# ---------------------------------------------------------------------------------------------------- bad input


def test_no_examples_are_refused():
    program = vectorize(lambda x: ag.sum(x))
    for call in (program, program.value_and_grad, program.gradients):
        with pytest.raises(ValueError, match=r"input 1: expected at least one example, got none \(shape \(0, 3\)\)"):
            call(np.zeros((0, 3)))


def test_one_example_is_right():
    w = weights(0.5, -1.5, 2.0)
    assert_as_eager(lambda x, y: (ag.tanh(ag.dot(w, x)) - y) ** 2, X[:1], Y[:1])


def test_counts_that_differ_are_refused():
    with pytest.raises(ValueError, match="expected equally many examples in all inputs, got 7 and 6"):
        vectorize(lambda x, y: x[0] * y)(X, Y[:6])


@pytest.mark.parametrize(
    "given",
    ["abc", None, [[1.0], [1.0, 2.0]], [1j, 2j], [Value(1.0)], {"a": 1.0}, [["1.0"]], object()],
    ids=["text", "None", "ragged", "complex", "Values", "dict", "texts", "object"],
)
def test_what_is_no_array_of_real_numbers_is_refused(given):
    with pytest.raises(ValueError, match="input 1: expected real numbers"):
        vectorize(lambda x: x)(given)


def test_a_single_number_is_refused():
    with pytest.raises(ValueError, match=r"input 1: expected one row for each example, got the single number 3\.0"):
        vectorize(lambda x: x)(3.0)


def test_too_many_or_too_few_inputs_are_pythons_own_error():
    program = vectorize(lambda x, y: x * y)
    with pytest.raises(TypeError, match="argument"):
        program(Y)
    with pytest.raises(TypeError, match="argument"):
        program(Y, Y, Y)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"backend": "torch"}, "backend: expected one of auto, native, numpy, jax, got 'torch'"),
        ({"dtype": "float16"}, "dtype: expected one of float64, float32, got 'float16'"),
        ({"threads": 0}, "threads: expected a whole number of at least 1, got 0"),
        ({"block": 0}, "block: expected a whole number of at least 1, got 0"),
        ({"block": 2.5}, r"block: expected a whole number of at least 1, got 2\.5"),
        ({"threads": True}, "threads: expected a whole number of at least 1, got True"),
    ],
)
def test_options_that_are_none_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        vectorize(lambda x: x, **option)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="expected a function of Values, got 3"):
        vectorize(3)


@pytest.mark.parametrize("result", ["text", None, {"a": 1}, [], [[1.0], [2.0]], ["a"], [None], 1j])
def test_a_function_that_returns_no_values_is_refused(result):
    with pytest.raises(TypeError, match=r"expected|complex|real"):
        vectorize(lambda x: result)(Y)


def test_a_reduction_of_no_such_name_is_refused():
    with pytest.raises(ValueError, match="reduction: expected 'mean', 'sum' or None, got 'total'"):
        vectorize(lambda x: x).value_and_grad(Y, reduction="total")
    with pytest.raises(ValueError, match="wrt: expected 'inputs' or 'parameters', got 'x'"):
        vectorize(lambda x: x).gradients(Y, wrt="x")


def test_a_reduction_of_no_such_name_is_refused_without_inputs_too():
    (w,) = weights(3.0)
    program = vectorize(lambda: w * w)
    program()
    with pytest.raises(ValueError, match="reduction: expected 'mean', 'sum' or None, got 'total'"):
        program.value_and_grad(reduction="total")


def test_a_list_has_no_gradient_by_the_parameters():
    w = weights(1.0, 2.0)
    program = vectorize(lambda x: [w[0] * x, w[1] * x])
    with pytest.raises(ValueError, match="value_and_grad needs a function that returns one Value"):
        program.value_and_grad(Y)


def test_derivatives_of_a_list_by_the_parameters_are_a_jacobian_or_refused():
    w = weights(1.0, 2.0)
    program = vectorize(lambda x: [w[0] * x, w[1] * x])
    expected = np.zeros((7, 2, 2))
    expected[:, 0, 0] = expected[:, 1, 1] = Y
    try:
        found = program.gradients(Y, wrt="parameters")
    except ValueError as refused:
        found, expected = str(refused).count("returns one Value"), 1
    assert found == close(expected)


# ---------------------------------------------------------------------------------------- reductions, gradients


def test_reductions():
    w = weights(0.5, -1.5, 2.0)
    f = lambda x, y: (ag.tanh(ag.dot(w, x)) - y) ** 2
    program = vectorize(f)
    values, gradients, _ = eager(f, X, Y, parameters=w)
    for reduction, value, gradient in (
        ("mean", values.mean(), gradients.mean(axis=0)),
        ("sum", values.sum(), gradients.sum(axis=0)),
        (None, values, gradients),
    ):
        found = program.value_and_grad(X, Y, reduction=reduction)
        assert found[0] == close(value)
        assert found[1] == close(gradient)
        assert np.shape(found[1]) == np.shape(gradient)
    assert isinstance(program.value_and_grad(X, Y)[0], float)
    assert program.gradients(X, Y, wrt="parameters") == close(gradients)


def test_values_and_gradients_of_a_list_are_a_jacobian_for_each_example():
    (w,) = weights(0.7)
    f = lambda x: [ag.exp(w * x[0]) * x[1], x[2], ag.sin(x[0] + x[2])]
    values, jacobian = vectorize(f).value_and_gradients(X)
    assert values.shape == (7, 3)
    assert jacobian.shape == (7, 3, 3)
    for k in range(3):
        one, _, (by_x,) = eager(lambda x, k=k: f(x)[k], X)
        assert values[:, k] == close(one)
        assert jacobian[:, k] == close(by_x)


def test_a_list_of_one_is_a_list():
    program = vectorize(lambda x: [x[0] * x[1]])
    assert program(X).shape == (7, 1)
    assert program.gradients(X).shape == (7, 1, 3)


def test_an_input_that_is_not_used_has_gradient_0():
    by_x, by_y = vectorize(lambda x, y: ag.exp(y)).gradients(X, Y)
    assert not by_x.any()
    assert by_y == close(np.exp(Y))


def test_gradients_by_inputs_need_inputs():
    (w,) = weights(2.0)
    with pytest.raises(ValueError, match="the function has no inputs; ask for wrt='parameters'"):
        vectorize(lambda: w * w).gradients()


# ----------------------------------------------------------------------------- results that are no computed node


def test_a_result_may_be_an_input_a_parameter_or_a_bare_number():
    (w,) = weights(2.0)
    assert vectorize(lambda x: x[1])(X).tolist() == X[:, 1].tolist()
    assert vectorize(lambda x: x[1]).gradients(X).tolist() == [[0.0, 1.0, 0.0]] * 7
    assert vectorize(lambda x: w)(X).tolist() == [2.0] * 7
    assert vectorize(lambda x: w).value_and_grad(X) == (2.0, close([1.0]))
    assert vectorize(lambda x: w).value_and_grad(X, reduction="sum") == (14.0, close([7.0]))
    assert vectorize(lambda x: 1.5)(X).tolist() == [1.5] * 7
    assert vectorize(lambda x: 1.5).value_and_grad(X)[1].shape == (0,)
    assert not vectorize(lambda x: 1.5).gradients(X).any()
    assert vectorize(lambda x: True)(X).tolist() == [1.0] * 7


def test_results_may_be_mixed_and_the_same_node_twice():
    w = Value(2.0)

    def f(x):
        y = ag.tanh(w * x[0])
        return [y, x[2], w, 3.0, y, x[2], w, x[0], y * w]

    values, jacobian = vectorize(f).value_and_gradients(X)
    y = np.tanh(2.0 * X[:, 0])
    columns = [y, X[:, 2], 0 * y + 2.0, 0 * y + 3.0, y, X[:, 2], 0 * y + 2.0, X[:, 0], 2.0 * y]
    assert values == close(np.transpose(columns))
    slope, zero, one = 2.0 * (1.0 - y * y), 0.0 * y, 1.0 + 0.0 * y
    by_x0 = [slope, zero, zero, zero, slope, zero, zero, one, 2.0 * slope]
    assert jacobian[:, :, 0] == close(np.transpose(by_x0))
    assert jacobian[:, :, 2] == close(np.transpose([zero, one, zero, zero, zero, one, zero, zero, zero]))
    assert not jacobian[:, :, 1].any()


@pytest.mark.parametrize("container", [list, tuple, np.array])
def test_lists_tuples_and_arrays_of_values_are_results(container):
    found = vectorize(lambda x: container([x[0], x[1] * 2.0]))(X)
    assert found == close(X[:, :2] * [1.0, 2.0])


# -------------------------------------------------------------------------------------------------- parameters


class Backwards(nn.Module):
    """A model whose layers are used in another order than they are named in."""

    def __init__(self):
        super().__init__()
        self.last, self.first = nn.Layer(3, 2, rng=0), nn.Layer(1, 3, rng=1)

    def forward(self, x):
        return self.last(self.first([x]))


class Holder:
    def __init__(self, model):
        self.part, self.model = model.first, model

    def loss(self, x):
        return ag.sum([*self.model(x), *self.part([x])])


BACKWARDS = Backwards()


def through_a_helper(x):
    return ag.sum(BACKWARDS(x))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: BACKWARDS(x)[0] + BACKWARDS(x)[1],
        lambda x: ag.grad(lambda z: BACKWARDS(z)[0] * BACKWARDS(z)[1])(x),
        lambda x: ag.sum([v for _ in range(1) for v in BACKWARDS(x)]),
        lambda x: through_a_helper(x) ** 2,
        lambda x, given={"models": [BACKWARDS]}: ag.sum(given["models"][0](x)),
        Holder(BACKWARDS).loss,
        lambda x, part=BACKWARDS.first: ag.sum(part([x])) + through_a_helper(x),
    ],
    ids=["named", "nested", "comprehension", "helper", "default", "plain class", "a part by itself"],
)
def test_parameters_come_in_the_order_of_the_model_wherever_it_is_named(f):
    program = vectorize(f, check=False)
    program([1.0, 2.0])
    assert len(program.parameters) == 14
    assert program.parameters == BACKWARDS.parameters()


def test_parameters_stand_in_the_order_of_their_first_use():
    a, b, c, unused = [Value(float(k), name) for k, name in enumerate(("a", "b", "c", "unused"))]
    program = vectorize(lambda x: ag.tanh(c * x[0]) + a * x[1] * c + b)
    program(X)
    assert program.parameters == [c, a, b]
    assert unused not in program.parameters
    gradient = program.value_and_grad(X)[1]
    assert gradient == close([*_means(lambda x: ag.tanh(c * x[0]) + a * x[1] * c + b, [c, a, b])])


def _means(f, parameters):
    return eager(f, X, parameters=parameters)[1].mean(axis=0)


def test_a_parameter_that_does_not_reach_the_result_is_none():
    a, b = weights(1.0, 2.0)

    def f(x):
        _ = b * x[0]
        return a * x[0]

    program = vectorize(f)
    assert program.value_and_grad(X)[1].shape == (1,)
    assert program.parameters == [a]


def test_in_place_changes_are_seen_at_the_next_run():
    w = Value(2.0)
    doubled = 2.0 * w  # made before: its leaf is the parameter
    program = vectorize(lambda x: doubled * x + w)
    assert program(Y) == close(4.0 * Y + 2.0)
    w.data = -1.0
    assert program(Y) == close(-2.0 * Y - 1.0)
    w.data += 0.5
    assert program.value_and_grad(Y) == (close(float(np.mean(-Y - 0.5))), close([float(np.mean(2.0 * Y + 1.0))]))


def test_frozen_parameters_have_no_gradient_but_are_read_anew():
    model = nn.Sequential(nn.MLP(3, [4], "tanh", "tanh", rng=0), nn.MLP(4, [1], rng=1))
    first = model.parameters()[:16]
    nn.freeze(first)
    program = vectorize(lambda x: model(x))
    value, gradient = program.value_and_grad(X)
    learning = [p for p in model.parameters() if not nn.is_frozen(p)]
    assert set(program.parameters) == set(learning)
    assert gradient.shape == (len(learning),)
    model.parameters()[0].data += 1.0
    assert program.value_and_grad(X)[0] != value


def test_the_gradient_by_the_inputs_goes_through_frozen_layers():
    model = nn.MLP(3, [4, 1], "tanh", rng=0)
    expected = vectorize(lambda x: model(x)).gradients(X)
    nn.freeze(model.layers[0])
    assert vectorize(lambda x: model(x)).gradients(X) == close(expected)
    nn.freeze(model)
    assert vectorize(lambda x: model(x)).gradients(X) == close(expected)


def test_a_parameter_frozen_after_the_first_run_leaves_the_gradient():
    model = nn.MLP(3, [4, 1], "tanh", rng=0)
    program = vectorize(model)
    assert len(program.value_and_grad(X)[1]) == 21
    nn.freeze(model.layers[0])
    assert len(program.value_and_grad(X)[1]) == 5
    assert len(program.parameters) == 5


def test_constants_of_the_closure_have_no_gradient():
    w, c = Parameter(2.0), Constant(3.0)
    program = vectorize(lambda x: w * c * x)
    assert program.value_and_grad(Y)[1].shape == (1,)
    assert program.parameters == [w]
