"""Functions that take derivatives themselves, as programs: the eager engine's numbers, and gradients of them."""

import math

import numpy as np
import pytest
from vector_checks import close

import autograd_mini as ag
from autograd_mini import TraceError, Trainer, Value, grad, hessian, jacobian, nn, optim, value_and_grad
from autograd_mini.vectorizer import vectorize

RNG = np.random.default_rng(0)
W, HALF, NOTHING = (Value(number) for number in (2.0, 0.5, 0.0))
POINTS = np.array([0.0, -0.0, 1.0, -1.0, 0.3, -0.7, 2.5, 30.0, -30.0, 800.0, -800.0, 1e-8, 1e-200, math.nan])

FUNCTIONS = {
    "relu": lambda x: ag.relu(x) * x,
    "abs": lambda x: abs(x) * x,
    "maximum": lambda x: ag.maximum(x, x * x, 0.5),
    "minimum": lambda x: ag.minimum(x, 0.25 * x, 1.0) ** 2,
    "leaky_relu": lambda x: ag.leaky_relu(x, 0.1) * x,
    "elu": lambda x: ag.elu(x, 1.5) * x,
    "where": lambda x: ag.where(x > 0.3, x**3, x * x),
    "step and sign": lambda x: ag.step(x) * x * x + ag.sign(x) * x,
    "tanh": ag.tanh,
    "sigmoid": ag.sigmoid,
    "softplus": ag.softplus,
    "sin": ag.sin,
    "erf": ag.erf,
    "atan": ag.atan,
    "sqrt": ag.sqrt,
    "log": ag.log,
    "softmax": lambda x: ag.softmax([x, 2.0 * x, W])[1],
    "logsumexp": lambda x: ag.logsumexp(x, 2.0 * x, W),
    "minus_log_softmax": lambda x: ag.minus_log_softmax(1, x, 2.0 * x, W * x),
    "pick": lambda x: ag.pick(1, x * x, x**3),
    "dot": lambda x: ag.dot([x, W], [x * x, x], x),
    "quotient": lambda x: W / x,
    "cube": lambda x: x**3,
    "constant power": lambda x: x**0 + x**1,
    "reciprocal": lambda x: x**-1,
    "root": lambda x: x**0.5,
    "power between 1 and 2": lambda x: x**1.5,
    "power of a parameter": lambda x: x**W,
    "root by a parameter": lambda x: x**HALF,
    "power 0 by a parameter": lambda x: x**NOTHING,
    "parameter to the power": lambda x: W**x,
    "power of itself": lambda x: x**x,
}


QUICK = ("relu", "elu", "where", "tanh", "cube", "power of a parameter")
EACH = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FUNCTIONS]


def number(result):
    return result.data if isinstance(result, Value) else result


def one_by_one(f, xs):
    return np.array([number(f(x)) for x in xs.tolist()])


@pytest.mark.parametrize("name", EACH)
def test_first_and_second_derivatives_are_the_eager_ones_also_at_special_points(name):
    first = grad(FUNCTIONS[name])
    points = POINTS if name != "power of itself" else POINTS[np.abs(POINTS) < 100]  # 800**800 overflows
    program = vectorize(first)
    assert program(points) == pytest.approx(one_by_one(first, points), rel=1e-12, abs=1e-300, nan_ok=True)
    second = grad(first)
    expected = pytest.approx(one_by_one(second, points), rel=1e-9, abs=1e-15, nan_ok=True)
    assert program.gradients(points) == expected
    assert vectorize(second)(points) == expected


def test_the_example_of_the_documentation():
    assert vectorize(grad(lambda x: x**3))([1.0, 2.0]).tolist() == [3.0, 12.0]
    assert vectorize(grad(grad(grad(lambda x: x**4))))([1.0, 2.0]).tolist() == [24.0, 48.0]


@pytest.mark.parametrize("x", [0.0, -1.0, 0.7, 800.0])
def test_without_inputs_they_are_straight_line_python(x):
    p = Value(x)
    for f in (
        FUNCTIONS["relu"],
        FUNCTIONS["elu"],
        FUNCTIONS["atan"],
        FUNCTIONS["cube"],
        FUNCTIONS["power of a parameter"],
    ):
        program = vectorize(lambda f=f: grad(f)(p) * 1.0)
        value, gradient = program.value_and_grad()
        assert "straight-line" in program.source
        assert value == pytest.approx(grad(f)(x), rel=1e-12)
        assert gradient[program.parameters.index(p)] == pytest.approx(grad(grad(f))(x), rel=1e-9, nan_ok=True)


def of_three(x):
    return ag.tanh(x[0] * x[1]) + x[2] ** 2 * x[0] + W * x[1]


X = RNG.normal(size=(5, 3))


@pytest.mark.parametrize(
    "derivative", [grad, hessian, lambda f: jacobian(grad(f)), lambda f: jacobian(lambda x: [f(x), x[0]])]
)
def test_lists_of_derivatives_become_arrays_with_their_shape(derivative):
    f = derivative(of_three)
    expected = np.array([f(x) for x in X.tolist()])
    program = vectorize(f)
    assert program(X).shape == expected.shape
    assert program(X) == close(expected)
    again = np.array([jacobian(lambda x: np.ravel(f(x)).tolist())(x) for x in X.tolist()])
    assert program.gradients(X) == close(again.reshape(*expected.shape, 3))


def test_a_value_and_its_gradient_are_two_results():
    values, gradients = vectorize(value_and_grad(of_three))(X)
    assert values == close([of_three(x).data for x in X.tolist()])
    assert gradients == close(np.array([grad(of_three)(x) for x in X.tolist()]))
    cubes, slopes = vectorize(value_and_grad(lambda x: x**3))([1.0, 2.0])
    assert (cubes.tolist(), slopes.tolist()) == ([1.0, 8.0], [3.0, 12.0])
    of_values, of_gradients = vectorize(value_and_grad(of_three)).gradients(X)
    assert (of_values.shape, of_gradients.shape) == ((5, 3), (5, 3, 3))
    assert value_and_grad(lambda x: x**3)(2.0) == (8.0, 12.0)


def test_by_several_arguments_there_is_an_array_for_each():
    f = lambda x, y: x[0] * y**2 + x[1]
    by_x, by_y = vectorize(grad(f, (0, 1)))(X[:, :2], X[:, 2])
    assert by_x == close(np.stack([X[:, 2] ** 2, np.ones(5)], axis=1))
    assert by_y == close(2.0 * X[:, 0] * X[:, 2])
    assert vectorize(grad(f, 1))(X[:, :2], X[:, 2]) == close(by_y)
    by_x, by_y = vectorize(grad(lambda x, y: x * y**2, (0, 1)))([1.0, 2.0], [3.0, 4.0])
    assert (by_x.tolist(), by_y.tolist()) == ([9.0, 16.0], [6.0, 16.0])
    assert vectorize(lambda x: (x, 2.0 * x))([1.0, 3.0]).tolist() == [[1.0, 2.0], [3.0, 6.0]]


def test_what_has_no_derivative_is_0_and_keeps_its_shape():
    assert vectorize(grad(lambda x: 5.0))([1.0, 2.0]).tolist() == [0.0, 0.0]
    assert vectorize(hessian(lambda x: x[0] + x[1]))(X[:, :2]).tolist() == np.zeros((5, 2, 2)).tolist()


def test_derivatives_through_numpy_arrays_of_values():
    A = RNG.normal(size=(2, 3))
    f = jacobian(lambda x: np.tanh(A @ np.array(x)))
    assert vectorize(f)(X) == close(np.array([f(x) for x in X.tolist()]))


def test_gradients_by_parameters_go_through_the_derivatives():
    model = nn.MLP(1, [4, 1], rng=0)
    slope = grad(lambda x: model([x]))
    program = vectorize(lambda x: slope(x) ** 2)
    _, gradient = program.value_and_grad([0.3, -0.2])
    (slope(Value(0.3)) ** 2 + slope(Value(-0.2)) ** 2).backward(0.5)
    assert gradient == close([p.grad for p in program.parameters])


def test_what_the_function_inside_can_reach_is_followed():
    rates, model = [2.0], nn.Sequential(nn.MLP(2, [3], rng=0), nn.Dropout(0.5, rng=0), nn.MLP(3, [1], rng=0))
    for derivative in (grad, jacobian, hessian, lambda f: lambda x: value_and_grad(f)(x)[1]):
        rates[0] = 2.0
        program = vectorize(derivative(lambda x: rates[0] * x**2))
        before = program([1.0, 3.0])
        rates[0] = 20.0
        assert program([1.0, 3.0]) == close(10.0 * before)
    program = vectorize(grad(model))
    model.eval()
    expected = np.array([grad(model)(x) for x in X[:, :2].tolist()])
    assert program(X[:, :2]) == close(expected)
    model.train()
    model.eval()
    assert program(X[:, :2]) == close(expected)


def test_parameters_come_in_the_order_of_the_model():
    model = nn.MLP(2, [3, 1], rng=0)
    program = vectorize(grad(model))
    program(X[:, :2])
    assert program.parameters == [p for p in model.parameters() if p in set(program.parameters)]


def test_anomalies_are_looked_for_in_what_the_function_computes_and_not_in_the_rules():
    program = vectorize(grad(lambda x: x**3))
    with ag.detect_anomaly():
        assert program([-2.0, 0.0]).tolist() == [12.0, 0.0]
        with pytest.raises(ag.AnomalyError, match="log"):
            vectorize(grad(lambda x: x * ag.log(x)))([1.0, 0.0])


@pytest.mark.parametrize("by", ["grad", "backward"])
def test_a_training_step_inside_of_the_function_is_differentiated(by):
    weights = [Value(0.5), Value(-0.2)]

    def after_a_step(x, y):
        loss = lambda w: (w[0] * x + w[1] - y) ** 2
        if by == "grad":
            slopes = grad(loss)(weights)
        else:
            loss(weights).backward(create_graph=True)
            slopes = [w.grad for w in weights]
        return loss([w - 0.1 * slope for w, slope in zip(weights, slopes, strict=True)])

    program = vectorize(after_a_step)
    xs, ys = np.array([1.0, 2.0]), np.array([0.9, 0.4])
    value, gradient = program.value_and_grad(xs, ys)
    error = 0.5 * xs - 0.2 - ys  # after the step it is (1 - 0.2·(x² + 1)) times as much
    factor = (1.0 - 0.2 * (xs**2 + 1.0)) ** 2
    assert value == pytest.approx(np.mean(factor * error**2))
    assert gradient == close([np.mean(factor * 2.0 * error * xs), np.mean(factor * 2.0 * error)])
    assert [w.grad for w in weights] == [0.0, 0.0]


# ------------------------------------------------------------------------------------------- backward inside


def both_derivatives(x):
    y = x**3 * W
    y.backward(create_graph=True)
    slope = x.grad
    x.grad = 0.0
    slope.backward(create_graph=True)
    return [slope, x.grad]


def slope_of_cube(x):
    y = x**3
    y.backward(create_graph=True)
    return x.grad  # 3x²


def slope_of_row(v):
    (v[0] ** 3 * v[1]).backward(create_graph=True)
    return v[0].grad  # 3a²b


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (grad(slope_of_cube), 3.0, 18.0),
        (grad(grad(slope_of_cube)), 3.0, 6.0),
        (hessian(slope_of_cube), 3.0, 6.0),
        (lambda x: value_and_grad(slope_of_cube)(x)[1], 3.0, 18.0),
        (hessian(slope_of_row), [3.0, 2.0], [[12.0, 18.0], [18.0, 0.0]]),
        (lambda x: grad(lambda s: s * slope_of_cube(s))(x), 2.0, 36.0),
        (grad(lambda x: grad(slope_of_cube)(x) + slope_of_cube(x)), 3.0, 24.0),  # 6x + 3x²: each begins at 0
    ],
)
def test_derivatives_of_what_goes_backward_inside_are_right_eagerly_and_as_a_program(f, x, expected):
    assert np.allclose(f(x), expected, rtol=1e-14, atol=0.0)
    assert np.allclose(vectorize(f)([x])[0], expected, rtol=1e-14, atol=0.0)


def test_a_derivative_leaves_the_gradients_of_what_goes_backward_inside_as_they_were():
    x, w = Value(3.0), Value(2.0)
    x.grad, w.grad = 7.0, 5.0

    def f(s):
        (w * s**2).backward(create_graph=True)
        return w.grad * s.grad  # 2ws³

    assert grad(f)(x).data == 108.0
    assert (x.grad, w.grad) == (7.0, 5.0)


def test_backward_with_a_graph_gives_gradients_that_are_a_part_of_the_program():
    program = vectorize(both_derivatives)
    assert program([1.0, 2.0]).tolist() == [[6.0, 12.0], [24.0, 24.0]]
    assert program.gradients([1.0, 2.0]).tolist() == [[12.0, 12.0], [24.0, 12.0]]


@pytest.mark.parametrize("before", [0.0, 3.0, None])
def test_gradients_of_parameters_begin_at_0_in_each_example_and_are_afterwards_what_they_were(before):
    w = Value(2.0)
    w.grad = before

    def f(x):
        (w * x**3).backward(create_graph=True)
        return w.grad * x.grad + w

    program = vectorize(f)
    for _ in range(2):
        assert program([1.0, 2.0]).tolist() == [8.0, 194.0]
        assert program.value_and_grad([1.0, 2.0])[1].tolist() == [50.5]
        assert w.grad is before or w.grad == before
    w.data, w.grad = 1.0, 7.0
    assert program([1.0]).tolist() == [4.0]
    assert w.grad == 7.0


def test_gradients_are_what_they_were_also_when_the_function_fails():
    w = Value(2.0)
    w.grad = 5.0

    def f(x):
        (w * x).backward(create_graph=True)
        raise LookupError("the function's own")

    with pytest.raises(LookupError, match="own"):
        vectorize(f)([1.0])
    assert w.grad == 5.0


def test_a_newton_step_is_a_program():
    w = Value(2.0)

    def step():
        w.grad = 0.0
        (w**4).backward(create_graph=True)
        slope, w.grad = w.grad, 0.0
        slope.backward(create_graph=True)
        return w - slope / w.grad

    program = vectorize(step)
    for _ in range(3):
        w.data, before = program(), w.data
        assert w.data == pytest.approx(before * 2.0 / 3.0, rel=1e-12)


def test_plain_backward_is_refused_and_led_to_what_is_meant():
    def f(x):
        y = x * x
        y.backward()
        return x.grad

    with pytest.raises(TraceError, match=r"backward\(create_graph=True\) or grad\(f\)") as refused:
        vectorize(f)([1.0])
    assert "value_and_grad" in str(refused.value)
    with pytest.raises(TraceError, match=r"\.grad depends on the data.*call backward\(create_graph=True\) before"):
        vectorize(lambda x: x * x.grad)([1.0])


def test_the_gradient_of_a_computed_node_is_refused():
    def f(x):
        y = x * x
        (y * y).backward(create_graph=True)
        return y.grad

    with pytest.raises(TraceError, match="of a node that was computed"):
        vectorize(f)([1.0])


def test_a_derivative_through_a_mean_over_the_batch_is_refused():
    model = nn.Sequential(nn.MLP(1, [3], rng=0), nn.BatchNorm(3), nn.MLP(3, [1], rng=0))
    slope = vectorize(lambda x: grad(lambda t: model([t]))(x), check=False)
    with pytest.raises(TraceError, match=r"BatchNorm.*model\.eval\(\)"):
        slope([0.1, 0.2])
    model.eval()
    assert slope([0.1, 0.2]).shape == (2,)


def test_a_condition_of_a_rule_is_decided_in_each_example_and_not_by_what_parameters_are():
    bound = Value(1.0)
    program = vectorize(lambda x: grad(lambda t: t * ag.relu(bound) * ag.leaky_relu(t, 0.1))(x))
    assert program([2.0, -2.0]) == close([4.0, -0.4])
    traced = program._latest
    bound.data = -1.0
    assert program([2.0, -2.0]) == close([0.0, 0.0])
    assert program._latest is traced


# -------------------------------------------------------------------------------- physics-informed networks


class Rod(nn.Module):
    """u'' + sin x = 0 with u(0) + u(1) = 1 and the slope 0 at 0, by a small network."""

    def __init__(self, activation):
        super().__init__()
        self.net = nn.MLP(1, [5, 1], activation=activation, rng=0)

    def u(self, t):
        return self.net([t])

    def second(self, t):
        return grad(grad(self.u))(t)

    def forward(self, x):
        return [self.second(x[0]) + ag.sin(x[0]), self.u(0.0) + self.u(1.0) - 1.0, grad(self.u)(0.0)]


class RodByBackward(Rod):
    def second(self, t):
        with ag.enable_grad():
            t = t if isinstance(t, Value) else Value(t)
            self.u(t).backward(create_graph=True)
            slope, t.grad = t.grad, 0.0
            slope.backward(create_graph=True)
            return t.grad


LINE, ZEROS = np.linspace(-1.0, 1.0, 6)[:, None], np.zeros((6, 3))


@pytest.mark.parametrize(
    ("kind", "activation"),
    [
        (Rod, "tanh"),
        (RodByBackward, "sigmoid"),
        pytest.param(Rod, ag.softplus, marks=pytest.mark.slow),
        pytest.param(RodByBackward, ag.sin, marks=pytest.mark.slow),
    ],
)
def test_a_physics_informed_network_trains_as_it_does_eagerly(kind, activation):
    found = {}
    for engine in ("eager", "vectorized"):
        model = kind(activation)
        trainer = Trainer(
            model, "squared_error", optim.Adam(model.parameters(), lr=0.01), 4, 2, engine=engine, progress=False
        )
        trainer.fit(LINE, ZEROS)
        assert trainer.engine == engine  # it wasn't left to the eager one
        found[engine] = [p.data for p in model.parameters()]
    assert found["vectorized"] == pytest.approx(found["eager"], rel=1e-10, abs=1e-12)


def test_an_own_loop_over_a_program_equals_one_over_nodes():
    def loss_of(net):
        u = lambda t: net([t])
        return lambda x: (grad(grad(u))(x) + ag.sin(x)) ** 2 + u(0.0) ** 2 + (u(1.0) - 1.0) ** 2

    eager, vectorized = nn.MLP(1, [4, 1], rng=1), nn.MLP(1, [4, 1], rng=1)
    xs = LINE[:, 0]
    loss, program = loss_of(eager), vectorize(loss_of(vectorized))
    by_nodes, by_program = (optim.SGD(net.parameters(), lr=0.05) for net in (eager, vectorized))
    program(xs)
    traced = program._latest
    for _ in range(3):
        by_nodes.zero_grad()
        (ag.sum([loss(Value(x)) for x in xs.tolist()]) / len(xs)).backward()
        by_nodes.step()
        _, gradient = program.value_and_grad(xs)
        for p, derivative in zip(program.parameters, gradient.tolist(), strict=True):
            p.grad = derivative
        by_program.step()
        assert program._latest is traced  # the gradients that the loop sets are no reason to trace again
    assert [p.data for p in vectorized.parameters()] == pytest.approx([p.data for p in eager.parameters()], rel=1e-10)


@pytest.mark.slow
@pytest.mark.needs("jax")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jax_gives_the_same_derivatives_of_derivatives(name):
    points = np.array([0.0, 1.0, 0.3, 2.5, 30.0]) if name != "power of itself" else np.array([0.3, 1.0, 2.5])
    first = grad(FUNCTIONS[name])
    program = vectorize(first, backend="jax")
    assert program(points) == pytest.approx(one_by_one(first, points), rel=1e-9, abs=1e-12, nan_ok=True)
    expected = one_by_one(grad(first), points)
    assert program.gradients(points) == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.slow
@pytest.mark.needs("jax")
def test_jax_takes_derivatives_of_derivatives_by_parameters():
    model = nn.MLP(1, [3, 1], rng=0)
    f = lambda x: grad(grad(lambda t: model([t])))(x) ** 2
    value, gradient = vectorize(f, backend="jax").value_and_grad([0.3, -0.5])
    expected, by_numpy = vectorize(f).value_and_grad([0.3, -0.5])
    assert value == close(expected)
    assert gradient == close(by_numpy)
