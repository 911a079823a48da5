"""What a function looks at or can reach, beside its inputs: the program is made anew when it changes, or refused."""

import itertools
import logging
import math
import os
import random
import threading
from array import array
from collections import defaultdict, deque
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Parameter, ProgramError, TraceError, Trainer, Value, datasets, nn, optim, vectorize

X = np.array([[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]])
x = X[:, 0]


def eagerly(f, rows):
    return [f(Value(row)).data for row in rows]


def assert_as_eager(program, f):
    assert program(x) == pytest.approx(eagerly(f, x), rel=1e-12)


# ----------------------------------------------------------------------------------- what a function looks at

W, U = Parameter(1.5, "w"), Parameter(-0.5, "u")
LOOKS = {
    "a branch": lambda v: v * W if W > 0 else v - W,
    "a branch the other way": lambda v: v * W if W <= U else v - W,
    "max of two parameters": lambda v: v * max(W, U),
    "sorted": lambda v: v * sorted([W, U], key=lambda p: p.data)[0],
    "sorted by comparison": lambda v: v * sorted([W, U])[0] - W,
    ".data": lambda v: v * W / W.data,
    "a text": lambda v: v * float(f"{W:.3f}") * U,
    "repr": lambda v: v * W * len(repr(W)),
    "abs by hand": lambda v: v + (W if W > 0 else -W),
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_is_seen_of_a_parameter_makes_the_program_anew_when_it_changes(name):
    f = LOOKS[name]
    program = vectorize(f)
    for w, u in [(1.5, -0.5), (-2.0, 0.75), (0.25, 4.0), (1.5, -0.5)]:
        W.data, U.data = w, u
        assert_as_eager(program, f)
    W.data, U.data = 1.5, -0.5


def test_a_parameter_compared_with_a_traced_node_is_a_condition():
    w = Parameter(0.75)
    f = lambda v: ag.where(w > v, v * 2.0, v)
    assert_as_eager(vectorize(lambda v: ag.where(w > v, v * 2.0, v)), f)
    assert_as_eager(vectorize(lambda v: ag.where(v >= w, v * 2.0, v)), lambda v: ag.where(v >= w, v * 2.0, v))


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda v: f"{v:.3f}", "its number in a text depends on the data of a traced Value"),
        (lambda v: v.local_grads, r"\.local_grads depends on the data"),
        (lambda v: list(ag.graph.edges(v * 2.0)), r"\.local_grads depends on the data"),
        (lambda v: v.data, r"\.data depends on the data"),
    ],
)
def test_a_traced_node_refuses_to_be_looked_at(look, message):
    def f(v):
        look(v * 1.0)
        return v

    with pytest.raises(TraceError, match=message):
        vectorize(f)(x)


def test_a_program_of_straight_line_python_is_made_anew_too():
    scale, w = [2.0], Parameter(3.0)
    program = vectorize(lambda: w * scale[0] if w > 0 else -w)
    assert program() == 6.0
    scale[0] = 5.0
    assert (program(), program.value_and_grad()[0]) == (15.0, 15.0)
    w.data = -1.0
    assert (program(), program.value_and_grad()[0]) == (1.0, 1.0)


def test_programs_that_are_no_longer_used_are_let_go():
    program = vectorize(lambda row: ag.sum([a * a for a in row]))
    for width in range(1, 40):
        program(np.ones((2, width)))
    assert len(program._compiled) <= 16


# ---------------------------------------------------------------------------------------- what it can reach


class Loss:
    scale = 1.0

    def __init__(self):
        self.weight, self.parts, self.table = 2.0, [1.0, 3.0], {"a": np.array([1.0, 2.0])}

    def __call__(self, v):
        return v * self.weight * self.parts[1] * float(self.table["a"][0]) * self.scale


SETTINGS = SimpleNamespace(rate=2.0)
TABLE = np.array([1.0, 2.0, 3.0])
RATES = {"a": [1.0, 2.0]}
FACTOR = 3.0


def scaled(v):
    return v * FACTOR


def of_globals(v):
    return scaled(v) * float(TABLE[1]) * RATES["a"][0]


def test_numbers_that_a_function_can_reach_make_the_program_anew(monkeypatch):
    weights, loss, box = [0.5, 0.25], Loss(), {"c": 2.0}

    def f(v, factor=[1.0]):  # noqa: B006
        return loss(v) * weights[0] + of_globals(v) * box["c"] * factor[0]

    program = vectorize(f)
    assert_as_eager(program, f)
    changes = [
        lambda: weights.__setitem__(0, 4.0),
        lambda: setattr(loss, "weight", -1.0),
        lambda: loss.parts.__setitem__(1, 0.125),
        lambda: loss.table.__setitem__("a", np.array([7.0, 2.0])),
        lambda: loss.table["a"].__setitem__(0, 9.0),
        lambda: monkeypatch.setattr(Loss, "scale", 5.0),
        lambda: box.__setitem__("c", 8.0),
        lambda: f.__defaults__[0].__setitem__(0, 3.0),
        lambda: monkeypatch.setitem(globals(), "FACTOR", 11.0),
        lambda: TABLE.__setitem__(1, 20.0),
        lambda: RATES["a"].__setitem__(0, -3.0),
        lambda: monkeypatch.setitem(globals(), "scaled", lambda v: v - 1.0),
    ]
    for change in changes:
        change()
        assert_as_eager(program, f)
    TABLE[1], RATES["a"][0] = 2.0, 1.0


class Slots:
    __slots__ = ("rate",)

    def __init__(self):
        self.rate = [1.0]


class Rates:
    rate = 1.0

    def __init__(self):
        self._rates = [1.0]
        self.hidden = {"extra": 1.0}

    first = property(lambda self: self._rates[0])

    def __getattr__(self, name):
        return self.__dict__["hidden"][name]

    def scaled(self, v):
        return v * SETTINGS.rate

    @staticmethod
    def of_class(v):
        return v * Rates.rate


@dataclass
class Settings:
    rate: float = 1.0


def places():
    """For each kind of place where a number can be: a function that finds it there, and how another is put there."""
    slots, rates, inner = Slots(), Rates(), SimpleNamespace(deep=SimpleNamespace(rate=1.0))
    counts, queue, numbers, octets = defaultdict(float), deque([1.0]), array("d", [1.0]), bytearray(b"\1")
    table, scalar, mixed = np.ones((40, 60)).T, np.array(1.0), np.array([1.0, Settings()], dtype=object)
    equals, local, variable = [Settings()], threading.local(), ContextVar("rate", default=1.0)
    local.rate, pair = 1.0, ([1.0],)

    def replaced_by_an_equal_one(number):
        equals[0] = Settings(equals[0].rate)
        assert vectorized_equals(x).shape == (3,)
        equals[0].rate = number

    def of_equals(v):
        return v * equals[0].rate

    vectorized_equals = vectorize(of_equals)

    def with_attribute(v):
        return v * with_attribute.rate

    with_attribute.rate = 1.0
    return {
        "a slot": (lambda v: v * slots.rate[0], lambda number: slots.rate.__setitem__(0, number)),
        "a property": (lambda v: v * rates.first, lambda number: rates._rates.__setitem__(0, number)),
        "__getattr__": (lambda v: v * rates.extra, lambda number: rates.hidden.__setitem__("extra", number)),
        "a method's global": (lambda v: rates.scaled(v), lambda number: setattr(SETTINGS, "rate", number)),
        "a static method's class": (lambda v: Rates.of_class(v), lambda number: setattr(Rates, "rate", number)),
        "a namespace in a namespace": (
            lambda v: v * inner.deep.rate,
            lambda number: setattr(inner.deep, "rate", number),
        ),
        "a defaultdict": (lambda v: v * (1 + counts["a"]), lambda number: counts.__setitem__("a", number)),
        "a deque": (lambda v: v * queue[0], lambda number: queue.__setitem__(0, number)),
        "an array of Python's": (lambda v: v * numbers[0], lambda number: numbers.__setitem__(0, number)),
        "a bytearray": (lambda v: v * octets[0], lambda number: octets.__setitem__(0, int(number))),
        "a large array": (lambda v: v * table[33, 21], lambda number: table.__setitem__((33, 21), number)),
        "an array of no dimensions": (lambda v: v * float(scalar), lambda number: scalar.__setitem__((), number)),
        "an array of objects": (lambda v: v * mixed[1].rate, lambda number: setattr(mixed[1], "rate", number)),
        "a list in a tuple": (lambda v: v * pair[0][0], lambda number: pair[0].__setitem__(0, number)),
        "a thread's own": (lambda v: v * local.rate, lambda number: setattr(local, "rate", number)),
        "a context's variable": (lambda v: v * variable.get(), variable.set),
        "the environment": (
            lambda v: v * float(os.environ.get("A_RATE", "1")),
            lambda number: os.environ.__setitem__("A_RATE", str(number)),
        ),
        "a function's attribute": (with_attribute, lambda number: setattr(with_attribute, "rate", number)),
        "what replaces an equal one": (of_equals, replaced_by_an_equal_one),
        "a gradient": (lambda v: v * (1.0 + W.grad), lambda number: setattr(W, "grad", number)),
        "a graph's local derivative": (lambda v: v * SQUARE.local_grads[0], lambda number: squared(number)),
    }


SQUARE = W * W


def squared(number):
    W.data = number
    SQUARE.forward()


@pytest.mark.parametrize("place", places())
def test_wherever_a_number_is_the_program_follows_it(place, monkeypatch):
    monkeypatch.setattr(Rates, "rate", 1.0)
    monkeypatch.setenv("A_RATE", "1.0")
    f, put = places()[place]
    program = vectorize(f)
    assert_as_eager(program, f)
    for number in (2.0, 5.0, 3.0):
        put(number)
        assert_as_eager(program, f)
    W.grad, W.data = 0.0, 1.5


def test_a_zero_that_changes_its_sign_is_another_number():
    zeros = [0.0]
    program = vectorize(lambda v: v * zeros[0])
    assert not np.signbit(program([1.0])[0])
    zeros[0] = -0.0
    assert np.signbit(program([1.0])[0])


def test_parameters_and_layers_that_are_replaced_and_lists_that_grow(monkeypatch):
    model = nn.MLP(1, [2, 1], rng=0)
    extra = [Parameter(1.0)]

    def f(v):
        return model([v]) * extra[0] + ag.sum(extra)

    program = vectorize(f)
    assert_as_eager(program, f)
    extra.append(Parameter(5.0))
    assert_as_eager(program, f)
    extra[0] = Parameter(-2.0)
    assert_as_eager(program, f)
    model.layers[0] = nn.Layer(1, 2, "tanh", rng=7)
    assert_as_eager(program, f)
    model.layers[1].neurons[0].bias = Parameter(40.0)
    assert_as_eager(program, f)


def test_what_a_function_writes_down_itself_is_no_reason_to_trace_it_again():
    traces = itertools.count()
    kept = SimpleNamespace(output=None, history=[])

    def f(v):
        next(traces)
        kept.output = v * 2.0
        kept.history.append(1)
        return kept.output

    program = vectorize(f, check=False)
    for _ in range(5):
        program(x)
    assert next(traces) == 1


# --------------------------------------------------------------------------------------- what it can't see


def test_a_function_of_random_numbers_is_found_out_whatever_its_size():
    rng = random.Random(0)
    for scale in (1.0, 1e-8, 1e-20, 1e20):
        with pytest.raises(TraceError, match="disagrees with the eager engine"):
            vectorize(lambda v, scale=scale: scale * v * (1.0 + rng.random()))(x)


def test_a_difference_is_said_with_the_output_or_parameter_that_differs():
    rng, v, w = random.Random(0), Parameter(2.0, "v"), Parameter(3.0)
    with pytest.raises(TraceError, match=r"output 1 of example \d is \S+, the program gives"):
        vectorize(lambda a: [a * v, a * rng.random(), a])(x)
    signs = itertools.cycle([1.0, -1.0])  # the value is the same, the derivatives aren't
    with pytest.raises(TraceError, match=r"the derivative by v of example \d is \S+, the program gives"):
        vectorize(lambda a: a * w + v - 2.0 if next(signs) > 0 else a * w - v + 2.0)(x)
    with pytest.raises(TraceError, match=r"the derivative by number 0 of input 1 of example \d is"):
        vectorize(lambda a: a * w * next(signs)).gradients(np.zeros(3))


def test_rounding_is_not_taken_for_randomness():
    for f in (
        lambda v: (v + 1e16) - 1e16,
        lambda v: ag.exp(v + 700.0) * 1e-300 - ag.exp(v + 700.0) * 1e-300,
        lambda v: ag.sum([v * 1e8, -v * 1e8, v]),
        lambda v: ag.log(ag.exp(v * 1e-12)),
    ):
        vectorize(f)(x)


def test_rows_with_finite_results_are_looked_for_and_their_absence_is_said(caplog):
    rng = random.Random(0)
    rows = np.array([0.0] * 3 + [1.0] + [0.0] * 5)
    with pytest.raises(TraceError, match="disagrees"):
        vectorize(lambda v: ag.log(v) + rng.random())(np.linspace(0.0, 1.0, 50))
    with caplog.at_level(logging.WARNING):
        vectorize(lambda v: ag.log(v * 0.0))(rows)
    assert "compared with the eager engine on no row" in caplog.text


def test_a_random_row_finds_what_changes_later():
    state = iter([1.0] * 5)  # the trace and the first comparisons; then something else
    program = vectorize(lambda v: v * next(state, 5.0))
    program(x)

    def until_it_is_found():
        for _ in range(100_000):
            program(x)

    with pytest.raises(TraceError, match="its value of example"):
        until_it_is_found()


# ------------------------------------------------------------------------------------------------ Trainer

LINE_X, LINE_Y = datasets.linear(n=40, noise=0.1, seed=0)


def trained(engine, make, epochs=12, **options):
    """The parameters and losses after a training; `make` gives model, loss, and more options of the trainer."""
    model, loss, more = make()
    of = more.pop("loss_of", None)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    trainer = Trainer(
        model, loss, optimizer, batch_size=10, epochs=epochs, progress=False, engine=engine, **more, **options
    )
    if of is not None:
        of.trainer = trainer
    trainer.fit(LINE_X, LINE_Y)
    return [p.data for p in model.parameters()], trainer.history.loss


def loss_weight_in_a_list():
    weight = [1.0]

    def halve(trainer):
        weight[0] *= 0.5

    return nn.MLP(1, [1], rng=0), lambda a, t: weight[0] * (a - t) ** 2, {"callbacks": [halve]}


class Weighted:
    def __init__(self):
        self.weight = 1.0

    def __call__(self, a, t):
        return self.weight * (a - t) ** 2


def attribute_of_a_loss():
    loss = Weighted()
    return nn.MLP(1, [1], rng=0), loss, {"callbacks": [lambda trainer: setattr(loss, "weight", loss.weight * 0.5)]}


class Scaled(nn.Module):
    def __init__(self):
        self.w, self.scale, self.table = Parameter(0.3), [1.0], np.array([1.0])

    def forward(self, features):
        return self.w * features[0] * self.scale[0] * float(self.table[0])


def list_and_array_of_a_model():
    model = Scaled()

    def change(trainer):
        model.scale[0] *= 1.1
        model.table[0] *= 0.95

    return model, "squared_error", {"callbacks": [change]}


def data_in_a_penalty():
    return (
        nn.MLP(1, [1], rng=0),
        "squared_error",
        {"penalty": lambda model: ag.sum([q * q.data for q in model.parameters()])},
    )


def absolute_by_hand():
    return (
        nn.MLP(1, [1], rng=0),
        "squared_error",
        {"penalty": lambda model: ag.sum([0.5 * (q if q > 0 else -q) for q in model.parameters()])},
    )


class Normalised(nn.Module):
    def __init__(self):
        self.w, self.v = Parameter(0.7), Parameter(0.2)

    def forward(self, features):
        return self.w / self.w.data * self.v * features[0]


class Branching(nn.Module):
    def __init__(self):
        self.w = Parameter(-0.5)

    def forward(self, features):
        return self.w * features[0] if self.w > 0 else features[0] * self.w * 0.5 + 0.1


class OfTrainer:
    """A loss that becomes smaller with each epoch that its trainer has done."""

    def __init__(self):
        self.trainer = None

    def __call__(self, a, t):
        return (a - t) ** 2 / (1 + len(self.trainer.history.loss))


def loss_by_the_epoch():
    loss = OfTrainer()
    return nn.MLP(1, [1], rng=0), loss, {"validation": (LINE_X, LINE_Y), "loss_of": loss}


def loss_weight_set_by_a_metric():
    loss = Weighted()

    def halve(outputs, targets):
        loss.weight *= 0.5
        return 0.0

    return nn.MLP(1, [1], rng=0), loss, {"metrics": {"halving": halve}}


def gradients_in_a_penalty():
    return (
        nn.MLP(1, [1], rng=0),
        "squared_error",
        {"penalty": lambda model: ag.sum([q * q.grad for q in model.parameters()])},
    )


@pytest.mark.parametrize(
    "make",
    [
        loss_weight_in_a_list,
        loss_by_the_epoch,
        loss_weight_set_by_a_metric,
        gradients_in_a_penalty,
        attribute_of_a_loss,
        list_and_array_of_a_model,
        data_in_a_penalty,
        absolute_by_hand,
        lambda: (Normalised(), "squared_error", {}),
        lambda: (Branching(), "squared_error", {}),
    ],
)
def test_the_default_trainer_trains_what_the_eager_one_does(make, caplog):
    parameters, losses = trained("eager", make)
    found, history = trained("vectorized", make)
    assert found == pytest.approx(parameters, rel=1e-9)
    assert history == pytest.approx(losses, rel=1e-9)


def test_a_parameter_that_decides_is_said_with_the_line(caplog):
    with caplog.at_level(logging.WARNING):
        trained("vectorized", lambda: (Branching(), "squared_error", {}))
    assert "Training eagerly, which is slow: the number of a parameter decides" in caplog.text
    assert "test_guards.py" in caplog.text


def test_what_the_program_cannot_see_ends_the_training_with_the_last_good_parameters(monkeypatch):
    monkeypatch.setattr("autograd_mini.vectorizer.checks.SpotCheck.SHARE", 0.5)  # so that it is found soon
    state = itertools.chain([1.0] * 60, itertools.repeat(3.0))
    model = nn.MLP(1, [1], rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    trainer = Trainer(model, lambda a, t: next(state) * (a - t) ** 2, optimizer, epochs=100_000, progress=False)
    with pytest.raises(ProgramError, match=r"disagrees .* can't see; the model has the parameters at which both last"):
        trainer.fit(LINE_X, LINE_Y)
    assert all(np.isfinite(p.data) for p in model.parameters())


def test_nothing_is_traced_again_where_nothing_changes(monkeypatch):
    from autograd_mini.vectorizer import compiled

    made = []
    plain = compiled.traced
    monkeypatch.setattr(compiled, "traced", lambda *arguments: made.append(1) or plain(*arguments))
    model = nn.Sequential(nn.Layer(1, 4, "tanh", rng=0), nn.BatchNorm(4), nn.Dropout(0.8, rng=1), nn.Layer(4, 1, rng=2))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    trainer = Trainer(
        model, "squared_error", optimizer, batch_size=10, epochs=6, progress=False, callbacks=[lambda trainer: None]
    )
    trainer.fit(LINE_X, LINE_Y)
    trainer.fit(LINE_X, LINE_Y)
    assert len(made) == 1


def test_a_node_made_before_follows_its_leaves_in_a_program_and_is_not_taken_for_a_difference(monkeypatch):
    monkeypatch.setattr("autograd_mini.vectorizer.checks.SpotCheck.SHARE", 1e6)
    w = Value(2.0)
    doubled = 2.0 * w
    program = vectorize(lambda v: doubled * v + w)
    assert_as_eager(program, lambda v: 4.0 * v + 2.0)
    w.data = -1.0
    for _ in range(3):
        assert_as_eager(program, lambda v: -2.0 * v - 1.0)


def test_a_gradient_made_of_rounding_alone_is_not_taken_for_a_difference():
    w = Parameter(1.0)
    # Where NumPy rounds another way than Python's math, the one derivative is 0 and the other isn't.
    apart = [number for number in np.linspace(0.1, 3.0, 400).tolist() if np.tanh(number) != math.tanh(number)]
    for number in apart[:10]:
        for t in (math.tanh(number), float(np.tanh(number)), math.nextafter(math.tanh(number), 0.0)):
            vectorize(lambda v, t=t: (ag.tanh(v * w) - t) ** 2).value_and_grad([number])


@pytest.mark.parametrize("place", ["a list", "a variable", "an attribute"])
def test_a_number_in_the_place_of_a_node_of_that_number_is_another_function(place):
    weights, holder = [Value(2.0)], Rates()
    holder.rate = weights[0]
    weight = weights[0]
    f = {
        "a list": lambda x: weights[0] * x,
        "a variable": lambda x: weight * x,
        "an attribute": lambda x: holder.rate * x,
    }[place]
    program = vectorize(f)
    assert len(program.value_and_grad([1.0])[1]) == 1
    node = weights[0]
    weights[0] = weight = holder.rate = 2.0
    assert program.value_and_grad([1.0])[1].size == 0
    weights[0] = weight = holder.rate = node
    assert len(program.value_and_grad([1.0])[1]) == 1


def test_objects_of_a_class_that_says_no_name_of_its_module_are_not_looked_into():
    """As Cython's functions, which NumPy's generators are full of: up to Python 3.10 theirs is a descriptor."""

    class Compiled:
        def __call__(self, x):
            return 2.0 * x

    Compiled.__module__ = property(lambda self: "of the object")
    double = Compiled()
    assert vectorize(lambda x: double(x))([1.0, 3.0]).tolist() == [2.0, 6.0]
