"""`detect_anomaly` around programs: which example, which node, before any gradient or parameter is changed."""

import math

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Value, detect_anomaly, nn, optim
from autograd_mini.engine.value import Parameter
from autograd_mini.errors import AnomalyError
from autograd_mini.training import Trainer
from autograd_mini.vectorizer import vectorize

X = [1.5, 2.0, 0.0, 0.0, -1.0, 3.0, 0.0, 0.0, 0.0]
W = Parameter(1.0, label="w")


def hidden(x):
    """Finite at 0, where log is -inf on the way; nan at -1."""
    with ag.scope("net"):
        z = W * x
        z.label = "z"
        y = ag.log(z)
    return 1.0 / y


def message_of(function, *arguments, **keywords):
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        function(*arguments, **keywords)
    return str(caught.value)


def eager_message(f, x):
    return message_of(lambda: f(Value(x, label="x")))


WAYS = [
    lambda program: program(X),
    lambda program: program.value_and_grad(X),
    lambda program: program.value_and_grad(X, reduction="sum"),
    lambda program: program.value_and_grad(X, reduction=None),
    lambda program: program.gradients(X),
    lambda program: program.gradients(X, wrt="parameters"),
    lambda program: program.value_and_gradients(X),
]


@pytest.mark.parametrize("way", WAYS)
def test_the_message_names_examples_and_the_first_node_of_each_as_the_eager_engine_does(way):
    first, second = message_of(way, vectorize(hidden)).splitlines()
    assert first == f"examples 2, 3, 6 and 2 more: {eager_message(hidden, 0.0)}"
    assert second == f"example 4: {eager_message(hidden, -1.0)}"
    assert "log (in net) gave -inf, from z = 0.0" in first


def test_a_program_that_was_traced_before_is_looked_at_too():
    program = vectorize(hidden)
    assert math.isnan(program(X)[4])
    assert message_of(program, X).startswith("examples 2, 3, 6 and 2 more: log")
    assert math.isnan(program(X)[4])  # and outside of the context it runs as before


@pytest.mark.parametrize("options", [{"threads": 2, "block": 4}, {"dtype": "float32"}, {"check": False}])
def test_every_option_of_a_program_is_looked_at(options):
    assert message_of(vectorize(hidden, **options), X).startswith("examples 2, 3, 6 and 2 more: log (in net) gave -inf")


@pytest.mark.needs("jax")
def test_a_program_of_jax_is_looked_at():
    assert message_of(vectorize(hidden, backend="jax"), X).startswith("examples 2, 3, 6 and 2 more: log (in net)")


def test_finite_programs_run_inside_as_outside():
    program = vectorize(hidden)
    before = program.value_and_grad([1.5, 2.0])
    with detect_anomaly():
        inside = program.value_and_grad([1.5, 2.0])
    assert inside[0] == before[0]
    assert inside[1].tolist() == before[1].tolist()


def test_the_example_that_a_trace_sees_is_named_like_any_other():
    with detect_anomaly():
        program = vectorize(hidden)
        assert program([2.0])[0] == pytest.approx(1.0 / math.log(2.0))
    assert message_of(vectorize(hidden), [0.0, 2.0]).startswith("example 0: log")
    assert message_of(vectorize(hidden), [0.0, 0.0]).startswith("every example: log")


@pytest.mark.parametrize("f", [ag.sqrt, lambda x: [x, ag.sqrt(x)]])
def test_a_gradient_that_becomes_infinite_is_named(f):
    message = message_of(vectorize(f).gradients, [1.0, 0.0, 4.0, 0.0])
    assert message.startswith("examples 1 and 3: the gradient of ")
    assert message.endswith("= 0.0: upstream gradient 1.0, local derivative inf")
    with detect_anomaly():
        assert vectorize(ag.sqrt)([0.0]) == [0.0]  # without gradients nothing is wrong


def test_a_gradient_by_parameters_has_the_upstream_gradient_of_the_mean():
    w = Parameter(0.0, label="w")
    message = message_of(vectorize(lambda x: ag.sqrt(w * x)).value_and_grad, [1.0, 2.0])
    assert message.startswith("every example: the gradient of ")
    assert "upstream gradient 0.5, local derivative inf" in message
    assert w.grad == 0.0


def test_a_function_without_inputs_is_looked_at():
    w = Parameter(0.0, label="w")
    program = vectorize(lambda: ag.sqrt(w) + 1.0)
    assert message_of(program.value_and_grad).startswith("the gradient of w became inf at sqrt of w = 0.0")
    with detect_anomaly():
        assert program() == 1.0
    w.data = -1.0
    assert message_of(program).startswith("sqrt gave nan, from w = -1.0")


def test_an_input_that_is_nan_is_named():
    assert message_of(vectorize(lambda x: x * W), [1.0, math.nan]).startswith("example 1: a leaf (the node 'x') is nan")


@pytest.mark.parametrize(
    ("program", "x"),
    [
        (vectorize(lambda x: ag.exp(x), dtype="float32"), [100.0]),
        (vectorize(lambda x: W * x), [1e308, 1e308]),
    ],
)
def test_what_only_the_batch_or_single_precision_makes_infinite_is_found(program, x):
    message = message_of(program.value_and_grad, x, reduction="sum")
    assert "though every node of each example by itself is finite" in message


def loss_of_log(output, target):
    return ag.log(target + output * 0.0) ** 2


def trainers(*layers):
    for engine in ("vectorized", "eager"):
        model = nn.Sequential(*[make() for make in layers])
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        yield Trainer(model, loss_of_log, optimizer, engine=engine, batch_size=4, sampling="order", epochs=1)


LAYERS = {
    "dense": [lambda: nn.Layer(2, 1, rng=0)],
    "dropout": [lambda: nn.Layer(2, 3, rng=0), lambda: nn.Dropout(0.5, rng=0), lambda: nn.Layer(3, 1, rng=1)],
    "batch": [lambda: nn.Layer(2, 3, rng=0), lambda: nn.BatchNorm(3), lambda: nn.Layer(3, 1, rng=1)],
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_training_says_which_row_before_the_step(kind):
    rows, targets = np.random.default_rng(0).normal(size=(8, 2)), np.array([1.0] * 6 + [0.0, 1.0])
    messages, after = [], []
    for trainer in trainers(*LAYERS[kind]):
        messages.append(message_of(trainer.fit, rows, targets))
        after.append([parameter.data for parameter in trainer.model.parameters()])
    assert messages[0] == f"example 6: {messages[1]}"
    assert "log gave -inf, from 0.0" in messages[0]
    assert after[0] == pytest.approx(after[1], rel=1e-12)  # the step of the first batch was made, and no other


def test_a_training_names_rows_of_the_data_whatever_their_order():
    rows, targets = np.random.default_rng(0).normal(size=(8, 2)), np.array([1.0] * 6 + [0.0, 1.0])
    model = nn.MLP(2, [1], rng=0)
    for seed in range(3):
        trainer = Trainer(model, loss_of_log, optim.SGD(model.parameters(), lr=0.1), batch_size=3, epochs=1, seed=seed)
        assert message_of(trainer.fit, rows, targets).startswith("example 6: log gave -inf")
    trainer = Trainer(model, loss_of_log, optim.SGD(model.parameters(), lr=0.1), sampling="order", epochs=1)
    assert message_of(trainer.fit, rows[6:], targets[6:]).startswith("example 0: log gave -inf")


def test_the_masks_of_dropout_are_those_that_the_program_uses():
    layer = nn.Dropout(0.5, rng=3)
    program = vectorize(lambda x: ag.log(layer([x])[0]), seed=7, check=False)
    outputs = vectorize(lambda x: layer([x])[0], seed=7, check=False)(np.ones(12))
    dropped = np.flatnonzero(outputs == 0.0)
    message = message_of(program, np.ones(12))
    assert message.startswith("examples " + ", ".join(map(str, dropped[:3])))


def test_labels_and_scopes_stand_together():
    def f(x):
        with ag.scope("encoder"):
            y = W / x
        y.label = "ratio"
        return y

    message = message_of(vectorize(f), [1.0, 0.0])
    assert message.startswith("example 1: div (the node 'ratio' in encoder) gave inf, from w = 1.0, x = 0.0")
