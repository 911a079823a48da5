"""What a start costs, and a prediction: nothing is done twice, and yet every change is seen by the next call."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import autograd_mini
from autograd_mini import Parameter, Trainer, Value, vectorize
from autograd_mini.nn import MLP, Dropout, Layer, Module, Neuron, freeze
from autograd_mini.nn.containers import Sequential
from autograd_mini.optim import SGD
from autograd_mini.vectorizer import checks

X = np.array([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]])
y = np.array([1.0, 0.0, 1.0])
ENGINES = ("vectorized", "eager")


def trained(model, **options):
    return Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=1, **options)


def by_hand(model, rows=X):
    """The outputs of a model in evaluation mode, one row at a time; each part is then in the mode it was in."""
    modes = [(part, part.training) for _, part in model.named_modules()]
    model.eval()
    outputs = [model(row).data for row in rows.tolist()]
    for part, mode in modes:
        part.training = mode
    return outputs


def test_a_second_prediction_walks_no_module_and_reads_no_parameter(monkeypatch):
    model = MLP(2, [3, 1], rng=0)
    trainer = trained(model)
    trainer.fit(X, y)
    before = trainer.predict(X)
    for name in ("named_modules", "named_parameters", "_walk"):
        monkeypatch.setattr(Module, name, None)
    compiled = trainer._engine._programs["outputs"][1]._latest
    read = compiled._read[1]
    assert trainer.predict(X).tolist() == before.tolist()
    assert compiled._read[1] is read


class Scaled(Module):
    def __init__(self):
        self.inner, self.factors, self.shift = MLP(2, [2, 1], rng=1), [2.0, 3.0], 0.5

    def forward(self, x):
        return self.inner(x) * self.factors[0] + self.shift


CHANGES = {
    "the data of a parameter": lambda m: setattr(m.inner.parameters()[0], "data", 7.0),
    "a minus before a zero": lambda m: setattr(m.inner.parameters()[0], "data", -0.0),
    "all the data": lambda m: m.load_state_dict({k: v + 1.0 for k, v in m.state_dict().items()}),
    "a number in a list": lambda m: m.factors.__setitem__(0, 5.0),
    "an attribute": lambda m: setattr(m, "shift", 4.0),
    "a new attribute of the parts": lambda m: setattr(m.inner.layers[0], "note", 1.0),
    "another part": lambda m: setattr(m, "inner", MLP(2, [2, 1], rng=5)),
    "a layer in a list": lambda m: m.inner.layers.append(Layer(1, 1, "tanh", rng=3)),
    "a parameter in a list": lambda m: m.inner.layers[0].neurons[0].weights.__setitem__(0, Parameter(9.0)),
    "the mode": lambda m: m.eval(),
    "the mode of a part": lambda m: m.inner.layers[0].eval(),
    "frozen parameters": lambda m: freeze(m.inner.layers[0]),
    "training": lambda m: trained(m).fit(X, y),
    "training eagerly": lambda m: trained(m, engine="eager").fit(X, y),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_prediction_sees_every_change(change):
    model = Scaled()
    trainer = trained(model)
    trainer.fit(X, y)
    for _ in range(2):
        assert trainer.predict(X) == pytest.approx(by_hand(model))
    change(model)
    for _ in range(2):
        assert trainer.predict(X) == pytest.approx(by_hand(model))


def test_a_prediction_is_in_evaluation_mode_and_leaves_each_part_in_its_own():
    model = Sequential(Layer(2, 4, "tanh", rng=0), Dropout(keep_prob=0.5, rng=0), Layer(4, 1, "identity", rng=1))
    trainer = trained(model)
    trainer.fit(X, y)
    model.modules[0].eval()
    modes = [part.training for _, part in model.named_modules()]
    state = model.modules[1].rng.bit_generator.state
    for _ in range(2):
        assert trainer.predict(X) == pytest.approx(by_hand(model))
        assert trainer.evaluate(X, y) == pytest.approx(np.mean((np.array(by_hand(model)) - y) ** 2))
    assert [part.training for _, part in model.named_modules()] == modes
    assert model.modules[1].rng.bit_generator.state == state


def test_every_number_that_is_assigned_is_read():
    p, q = Parameter(2.0), Value(3.0)
    program = vectorize(lambda x: p / x + q)
    for number in (1.0, -0.0, 0.0, math.nan, math.inf, 1):
        p.data = number
        got = program([-2.0, 4.0]).tolist()
        assert np.array_equal(got, [p.data / -2.0 + 3.0, p.data / 4.0 + 3.0], equal_nan=True)
    p.data, q.data = 0.0, -0.0
    assert [math.copysign(1.0, number) for number in program([-2.0, 4.0])] == [-1.0, 1.0]
    SGD([p], lr=1.0).step()
    p.grad = -5.0
    SGD([p], lr=1.0).step()
    assert program([1.0]).tolist() == [5.0]


def test_the_array_that_is_handed_out_is_the_caller_s():
    p = Parameter(2.0)
    program = vectorize(lambda x: p * x)
    program([1.0])
    program._latest.theta()[:] = 50.0
    assert program([1.0]).tolist() == [2.0]


def test_all_that_gives_nodes_new_data_says_so():
    package = Path(autograd_mini.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\w\._data(, [\w.]+)* = ", path.read_text(encoding="utf-8"))
    }
    # new nodes and computed ones; `data` and `assign`, which say so; numbers that are read at each run
    assert found == {
        "engine/copying.py",
        "engine/freshness.py",
        "engine/node.py",
        "engine/value.py",
        "vectorizer/compiled.py",
    }


def test_what_rounding_comes_to_is_asked_where_a_program_differs(monkeypatch):
    monkeypatch.setattr(checks._Expected, "_errors", None)
    monkeypatch.setattr(checks, "gradients", None)
    model = MLP(2, [3, 1], rng=0)
    trained(model).fit(X, y)  # which is compared on three rows
    w = Value(1.0)
    calls = []

    def another(x):
        calls.append(x)
        return w * x * len(calls)

    with pytest.raises(TypeError, match="NoneType"):
        vectorize(another)([1.0, 2.0])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fit_names_no_parameter(monkeypatch, engine):
    model = MLP(2, [3, 1], rng=0)
    trainer = trained(model, engine=engine)
    monkeypatch.setattr(Module, "_own_parts", _without_lists(Module._own_parts))
    trainer.fit(X, y)


def _without_lists(own_parts):
    def watched(module, with_parameters=True):
        assert not (with_parameters and isinstance(module, Neuron)), "the weights were named one by one"
        return own_parts(module, with_parameters)

    return watched


class Counted(MLP):
    def named_parameters(self):
        return [(name, parameter) for name, parameter in super().named_parameters() if "bias" in name]


def test_the_parameters_are_those_that_have_names():
    model = Sequential(MLP(2, [3, 1], rng=0), Scaled())
    model.tied = [model.modules[0].layers[0].neurons[0].weights[0], Parameter(1.0), 3]
    model.by_name = {"a": Parameter(1.0), "b": [Parameter(2.0)]}
    assert model.parameters() == [parameter for _, parameter in model.named_parameters()]
    assert len(Counted(2, [3, 1]).parameters()) == 4
    model.modules[0].layers[0].neurons[0].weights[1] = 4.0
    with pytest.raises(TypeError, match=r"weights.1 is a parameter, and got 4.0, .* write Parameter\(4\)"):
        model.parameters()
    with pytest.raises(TypeError, match=r"weights.1 is a parameter"):
        model.train()


def test_whether_anything_depends_on_a_parameter_is_found_on_the_first_way(monkeypatch):
    from autograd_mini.training.checks import check_depends

    p = Parameter(1.0)
    shared = p * 2.0
    for _ in range(60):  # more ways than could be walked one by one
        shared = shared + shared
    check_depends(shared, list, [p])
    other = Value(1.0)
    for _ in range(60):
        other = other + other
    with pytest.raises(ValueError, match="nothing would be trained"):
        check_depends(other, list, [p])
