"""What a loop of one's own calls: numbers for the parameters as an array, in and out, and what every call looks at."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from native.machines import needs_machine

from autograd_mini import Value, detect_anomaly, nn, optim, vectorize
from autograd_mini.engine.value import Parameter
from autograd_mini.errors import AnomalyError, TraceError
from autograd_mini.vectorizer.compiled import packing

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(40, 2)), RNG.normal(size=40)
BACKENDS = ["auto", "numpy"]


def made(backend="auto", **options):
    """A model, and the program of its loss."""
    model = nn.MLP(2, [4, 1], activation="tanh", rng=0)
    return model, vectorize(lambda x, y: (model(x) - y) ** 2, backend=backend, **options)


def bits(result):
    value, gradient = result
    return value.hex(), gradient.tobytes()


# ---------------------------------------------------------------------------------------- numbers for the parameters


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", [{}, {"block": 7}, {"dtype": "float32"}])
def test_an_array_gives_what_the_parameters_give_that_have_its_numbers(backend, options):
    (_, program), (_, other) = made(backend, **options), made(backend, **options)
    program.value_and_grad(X, Y)
    before, theta = program.theta(), RNG.normal(size=17)
    value, gradient = program.value_and_grad(X, Y, parameters=theta)
    values = program(X, Y, parameters=theta)
    assert np.array_equal(program.theta(), before), "the parameters have changed"
    other(X, Y)
    other.assign(theta)
    assert bits((value, gradient)) == bits(other.value_and_grad(X, Y)), "another value or gradient than of Values"
    assert np.array_equal(values, other(X, Y)), "other values of the examples"
    each, by_example = program.value_and_grad(X, Y, parameters=theta, reduction=None)
    assert each == pytest.approx(values, rel=1e-5), "other values one by one"
    assert by_example.mean(axis=0) == pytest.approx(gradient, rel=1e-4, abs=1e-6), "other gradients one by one"
    sums = program.value_and_grad(X, Y, parameters=theta, reduction="sum")
    assert sums[0] == pytest.approx(40 * value, rel=1e-5), "another sum"


def test_a_list_is_taken_as_an_array_is():
    _, program = made()
    program(X, Y)
    theta = program.theta()
    assert bits(program.value_and_grad(X, Y, parameters=theta.tolist())) == bits(program.value_and_grad(X, Y))
    assert bits(program.value_and_grad(X, Y, parameters=np.ones(17, int))) == bits(
        program.value_and_grad(X, Y, parameters=[1.0] * 17)
    )
    everyother = np.zeros(34)
    everyother[::2] = theta
    assert bits(program.value_and_grad(X, Y, parameters=everyother[::2])) == bits(program.value_and_grad(X, Y))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones(16), "parameters: expected 17 numbers, one for each of program.parameters, got 16; program.theta"),
        (np.ones((17, 1)), "expected 17 numbers.* shape .17, 1.; program.theta"),
        (1.0, "expected 17 numbers.* shape ..;"),
        ([], "expected 17 numbers.* got 0;"),
        ([None] * 17, "parameters: expected a number for each of program.parameters, got .None"),
        (["a"] * 17, "expected a number for each"),
        (["1.0"] * 17, "expected a number for each"),
        (np.ones(17, complex), "expected a number for each"),
        ([Value(1.0)] * 17, "expected a number for each.*; program.theta.. returns"),
        ([[1.0], [1.0, 2.0]], "expected a number for each"),
    ],
)
@pytest.mark.parametrize("call", ["value_and_grad", "__call__", "assign"])
def test_what_is_no_array_of_a_number_for_each_parameter_is_refused(call, given, message):
    _, program = made()
    program(X, Y)
    before = program.theta()
    with pytest.raises(ValueError, match=message.replace("parameters: ", "(parameters|theta): ")):
        program.assign(given) if call == "assign" else getattr(program, call)(X, Y, parameters=given)
    assert np.array_equal(program.theta(), before), "parameters have changed nevertheless"


def test_the_array_is_asked_for_and_put_back_in_the_order_of_the_parameters():
    model, program = made()
    with pytest.raises(ValueError, match="call the program once on a batch"):
        program.theta()
    with pytest.raises(ValueError, match="call the program once on a batch"):
        program.assign(np.ones(17))
    program(X, Y)
    theta = program.theta()
    assert theta.tolist() == [p.data for p in program.parameters]
    theta[:] = np.arange(17)
    assert [p.data for p in program.parameters] != theta.tolist(), "the array isn't the caller's own"
    program.assign(theta)
    assert [p.data for p in model.parameters()] == theta.tolist()
    assert all(type(p.data) is float for p in model.parameters()), "a parameter's number is no float"
    program.assign([math.nan, -0.0, math.inf, *range(14)])
    assert [repr(p.data) for p in model.parameters()][:3] == ["nan", "-0.0", "inf"]


def test_a_function_without_inputs_takes_an_array_too():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    short = vectorize(lambda: a * b + c)
    long = vectorize(lambda: sum([100.0 * (v - u**2) ** 2 + (1.0 - u) ** 2 for u, v in pairwise(xs)]))
    xs = [Value(0.1 * k) for k in range(40)]
    for program in (short, long):
        theta = program.theta()
        expected = program.value_and_grad()
        assert bits(program.value_and_grad(parameters=theta)) == bits(expected)
        moved = program.value_and_grad(parameters=theta + 1.0)
        value = program(parameters=theta + 1.0)
        assert bits(program.value_and_grad()) == bits(expected), "the parameters have changed"
        program.assign(theta + 1.0)
        assert bits(program.value_and_grad()) == bits(moved)
        assert value == moved[0] == program()
    assert [a.data, b.data, c.data] == [2.0, 3.0, 4.0]
    pair = vectorize(lambda: [a * b, c])
    assert pair(parameters=[1.0, 5.0, 7.0]).tolist() == [5.0, 7.0]
    with pytest.raises(ValueError, match="expected 3 numbers"):
        short.value_and_grad(parameters=[1.0])


def test_only_what_the_program_learns_is_in_the_array():
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    nn.freeze(model.layers[0])
    bias, unused = Parameter(0.5), Parameter(7.0)
    program = vectorize(lambda x, y: (model(x) + bias - y) ** 2)
    program(X, Y)
    theta = program.theta()
    assert len(theta) == len(program.parameters) == 5
    moved = program.value_and_grad(X, Y, parameters=theta + 0.5)
    for parameter in program.parameters:
        parameter.data += 0.5
    assert bits(program.value_and_grad(X, Y)) == bits(moved)
    model.layers[0].neurons[0].bias.data += 1.0  # what is frozen is read anew, too
    changed = program.value_and_grad(X, Y)
    assert changed[0] != moved[0]
    assert bits(program.value_and_grad(X, Y, parameters=program.theta())) == bits(changed)
    assert unused.data == 7.0


def test_threads_call_one_program_each_with_numbers_of_its_own():
    _, program = made()
    points = [RNG.normal(size=17) for _ in range(8)]
    program(X, Y)
    expected = [bits(program.value_and_grad(X, Y, parameters=theta)) for theta in points]
    present = bits(program.value_and_grad(X, Y))

    def work(k):
        if k % 9 == 8:
            return bits(program.value_and_grad(X, Y)) == present
        return bits(program.value_and_grad(X, Y, parameters=points[k % 9])) == expected[k % 9]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(180))), "a thread was given what belongs to another"


def test_the_array_may_be_changed_and_used_again():
    _, program = made()
    program(X, Y)
    theta = program.theta()
    losses = []
    for _ in range(30):
        value, gradient = program.value_and_grad(X, Y, parameters=theta)
        theta -= 0.1 * gradient
        losses.append(value)
    assert losses[-1] < losses[0]
    kept = gradient.copy()
    program.value_and_grad(X, Y, parameters=theta + 1.0)
    assert np.array_equal(gradient, kept), "a later call has written into the result"


def test_an_anomaly_is_found_at_the_given_numbers_and_the_values_keep_theirs():
    w = Parameter(1.0)
    program = vectorize(lambda x: (w * x).log())
    program.value_and_grad([1.0, 2.0])
    with detect_anomaly(), pytest.raises(AnomalyError):
        program.value_and_grad([1.0, 2.0], parameters=[-1.0])
    assert w.data == 1.0
    with detect_anomaly():
        assert program.value_and_grad([1.0], parameters=[math.e])[0] == pytest.approx(1.0)
    assert w.data == 1.0


# ------------------------------------------------------------------------------------------ Values stay the truth


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_number_that_is_set_is_seen_by_the_next_call(backend):
    w, b = Parameter(1.0), Parameter(0.0)
    program = vectorize(lambda x: 1.0 / (w * x) + b, backend=backend)
    assert program([2.0])[0] == 0.5
    for number, expected in [(0.0, math.inf), (-0.0, -math.inf), (math.nan, math.nan), (0.5, 1.0), (math.inf, 0.0)]:
        w.data = number
        value, gradient = program.value_and_grad([2.0])
        assert repr(value) == repr(expected), f"w = {number}"
        assert gradient[1] == 1.0
    w.data, b.data = 1.0, math.nan
    assert math.isnan(program.value_and_grad([2.0])[0])
    b.data = 0.25
    assert program.value_and_grad([2.0])[0] == 0.75


def test_modes_lists_and_attributes_are_seen_by_the_next_call():
    model = nn.Sequential(nn.MLP(2, [3], rng=0), nn.Dropout(0.5), nn.MLP(3, [1], rng=1))
    program = vectorize(lambda x: model(x))
    model.eval()
    still = program(X)
    assert np.array_equal(program(X), still)
    model.train()
    assert not np.array_equal(program(X), still), "the mode of training isn't seen"
    model.eval()
    assert np.array_equal(program(X), still)
    head = model[2].layers[0].neurons[0]
    head.weights = list(head.weights)  # an equal list, which is changed later
    assert np.array_equal(program(X), still)
    head.weights[0] = Parameter(9.0)
    changed = program(X)
    assert not np.array_equal(changed, still), "a list in the place of an equal one isn't looked at"
    vars(model[0])["layers"] = [model[0].layers[0], *model[0].layers[1:]]
    assert np.array_equal(program(X), changed)
    rows = [[0.5, 0.25], [1.0, 2.0]]
    weighted = vectorize(lambda x: rows[0][0] * x + rows[1][1])
    assert weighted([2.0])[0] == 3.0
    rows[1] = [1.0, 2.0]
    assert weighted([2.0])[0] == 3.0
    rows[1][1] = 5.0
    assert weighted([2.0])[0] == 6.0
    rows[0][0] = 0.0
    assert weighted([2.0])[0] == 5.0
    rows[0][0] = -0.0
    assert math.copysign(1.0, vectorize(lambda x: rows[0][0] * x)([1.0])[0]) == -1.0


# ------------------------------------------------------------------------------------------------------ optimizers


@pytest.mark.parametrize("rule", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
def test_an_optimizer_takes_a_gradient_as_it_takes_those_of_the_values(rule):
    (model, program), (other, by_hand) = made(), made()
    one, two = (getattr(optim, rule)(m.parameters(), lr=optim.schedules.Exponential(0.1, 0.9)) for m in (model, other))
    for k in range(6):
        if k == 2:
            nn.freeze(model.layers[0].neurons[1])
            nn.freeze(other.layers[0].neurons[1])
        if k == 4:
            nn.unfreeze(model)
            nn.unfreeze(other)
        value, gradient = program.value_and_grad(X, Y)
        norm = optim.clip_grad_norm(gradient, 0.5)
        optim.clip_grad_value(gradient, 0.3)
        one.step(gradient, program.parameters)
        again, given = by_hand.value_and_grad(X, Y)
        for parameter, number in zip(by_hand.parameters, given.tolist(), strict=True):
            parameter.grad = number
        assert (value, norm) == (again, optim.clip_grad_norm(by_hand.parameters, 0.5)), f"step {k}"
        optim.clip_grad_value(by_hand.parameters, 0.3)
        two.step()
        assert [p.data for p in model.parameters()] == [p.data for p in other.parameters()], f"step {k}"
    assert one.lr == two.lr


def test_parameters_on_which_the_value_does_not_depend_have_the_gradient_zero():
    used, unused, left_out = Parameter(2.0), Parameter(3.0), Parameter(5.0)
    foreign = Parameter(7.0)
    left_out.grad = None
    program = vectorize(lambda x: used * x * foreign)
    _, gradient = program.value_and_grad([1.0, 3.0])
    optimizer = optim.SGD([unused, left_out, used], lr=0.1, weight_decay=0.5)
    optimizer.step(gradient, program.parameters)
    assert used.data == pytest.approx(2.0 - 0.1 * (14.0 + 1.0))
    assert unused.data == pytest.approx(3.0 - 0.1 * 1.5)
    assert (left_out.data, foreign.data) == (5.0, 7.0)
    assert used.grad == 0.0, "a given gradient is put into .grad"
    optimizer.step([0.0, 1.0, 0.0])  # one is given where .grad is None
    assert left_out.data == pytest.approx(5.0 - 0.1 * (1.0 + 2.5))


@pytest.mark.parametrize(
    ("given", "by", "message"),
    [
        ([1.0], None, "gradient: expected 2 numbers, one for each of the optimizer's parameters, got 1; say by what"),
        (np.ones((2, 2)), None, "expected 2 numbers.*step.gradient, program.parameters"),
        ([1.0, 2.0], [0], "expected 1 numbers, one for each of the parameters given"),
        (["a", "b"], None, "gradient: expected a number for each of the optimizer's parameters"),
        ([Value(1.0), Value(2.0)], None, "gradient: expected a number for each"),
        ([1.0], [None], "none of the 1 parameters.*optimizer's 2"),
    ],
)
def test_a_gradient_that_fits_nothing_is_refused_before_any_step(given, by, message):
    parameters = [Parameter(1.0), Parameter(2.0)]
    optimizer = optim.Adam(parameters)
    before = dict(optimizer.state)
    chosen = by if by is None else [Value(0.0) if k is None else parameters[k] for k in by]
    with pytest.raises(ValueError, match=message):
        optimizer.step(given, chosen)
    assert ([p.data for p in parameters], optimizer.steps, optimizer.state) == ([1.0, 2.0], 0, before)


# ------------------------------------------------------------------------------- calls like the one before them


@needs_machine
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_call_like_the_one_before_gives_what_the_first_call_of_a_program_gives(reduction):
    (_, program), (_, other) = made(), made(block=1000)
    for k in range(3):
        for n in (40, 7, 1):
            rows, targets = X[:n] + k, Y[:n] - k
            again = program.value_and_grad(rows, targets, reduction=reduction)
            assert bits(again) == bits(other.value_and_grad(rows, targets, reduction=reduction)), f"{n} examples"
            given = {"parameters": program.theta() + k, "reduction": reduction}
            again = program.value_and_grad(rows, targets, **given)
            assert bits(again) == bits(other.value_and_grad(rows, targets, **given)), f"{n} examples, numbers given"
    assert len(program._repeated) == 3
    assert not other._repeated, "where blocks are asked for, each call is as the first"
    wide = np.asfortranarray(np.tile(X, 2))[:, ::2][:, :2]  # not one piece of memory
    assert bits(program.value_and_grad(wide, Y)) == bits(other.value_and_grad(wide.copy(), Y))
    for rows in (X.astype(np.float32), X.round().astype(int), X.round().tolist()):
        assert bits(program.value_and_grad(rows, Y)) == bits(other.value_and_grad(rows, Y))


@needs_machine
def test_a_call_like_the_one_before_refuses_what_the_first_refuses():
    _, program = made()
    for _ in range(3):
        program.value_and_grad(X, Y)
    for wrong in ([X], [X, Y, Y], [X, Y[:3]], [X[:, :1], Y], [X[:0], Y[:0]], [X.astype(complex), Y], [X, [None] * 40]):
        with pytest.raises((ValueError, TypeError)):
            program.value_and_grad(*wrong)
    for reduction in ("max", [], 1.0):
        with pytest.raises(ValueError, match="reduction: expected 'mean', 'sum' or None"):
            program.value_and_grad(X, Y, reduction=reduction)
    assert bits(program.value_and_grad(X, Y)) == bits(made()[1].value_and_grad(X, Y))


@needs_machine
def test_random_rows_are_compared_in_calls_like_the_one_before_too():
    w = Parameter(1.0)

    class Odd:
        """Something that no program looks into, as it is of a closed module."""

    Odd.__module__ = "threading"
    odd = Odd()
    odd.factor = 2.0
    program = vectorize(lambda x: w * x * odd.factor)
    program.value_and_grad(X[:, 0])
    odd.factor = 3.0
    assert program._repeated
    assert program.value_and_grad(X[:, 0])[0] == pytest.approx(2.0 * X[:, 0].mean()), "a comparison was due at once"
    program._spot_check._cost = 1e-12  # as if it took no time
    with pytest.raises(TraceError, match="disagrees with the eager engine"):
        program.value_and_grad(X[:, 0])


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 33])
def test_numbers_of_any_count_are_packed_in_their_order(count):
    leaves = [Value(0.5 * k) for k in range(count)]
    theta = np.full(count + 1, 7.0)
    packing(leaves)(theta)
    assert theta.tolist() == [*[0.5 * k for k in range(count)], 7.0]


def test_derivatives_that_a_run_does_not_compute_are_zeros_and_not_what_was_in_memory():
    w = Parameter(2.0)
    program = vectorize(lambda x: w * x)
    program.gradients([1.0, 2.0])
    workspaces = [program._latest.workspace(7) for _ in range(20)]
    assert not any(workspace.gradient.any() for workspace in workspaces)
