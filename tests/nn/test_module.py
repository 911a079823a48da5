"""Modules: which parameters they have and what these are called, their state, their mode, their copies."""

import copy
import pickle
from collections import deque

import numpy as np
import pytest

from autograd_mini import Constant, Value
from autograd_mini.engine.graph import topological_order
from autograd_mini.nn import MLP, Layer, Module, Neuron, Parameter


class Line(Module):
    def __init__(self, slope=2.0):
        self.slope, self.offset = Parameter(slope), Parameter(1.0)

    def forward(self, x):
        return self.slope * x + self.offset


class Nested(Module):
    """Modules in attributes, lists, tuples, dicts; a list that grows later; plain things in between."""

    def __init__(self):
        self.title = "nested"
        self.encoder = MLP(2, [3, 2], activation="tanh", rng=0)
        self.heads = [Layer(2, 2, activation="tanh", rng=1)]
        self.by_name = {"mean": Neuron(2, rng=2), "scale": Parameter(0.5)}
        self.pair = (Line(), 3.0, Parameter(7.0))
        self.heads.append(Layer(2, 1, activation="tanh", rng=3))

    def forward(self, x):
        hidden = self.encoder(x)
        for head in self.heads:
            hidden = head(hidden)
        return hidden[0] * self.by_name["scale"]


def names(module):
    return [name for name, _ in module.named_parameters()]


def data(module):
    return [parameter.data for parameter in module.parameters()]


# ------------------------------------------------------------------------------------------- names and parameters


def test_parameters_are_named_by_the_way_to_them():
    found = names(MLP(3, [5, 1], rng=0))
    assert len(found) == 26
    assert found[:4] == [f"layers.0.neurons.0.weights.{i}" for i in range(3)] + ["layers.0.neurons.0.bias"]
    assert "layers.0.neurons.2.weights.1" in found
    assert found[-1] == "layers.1.neurons.0.bias"


def test_names_are_the_labels_and_scopes_the_names_of_modules():
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    for name, parameter in model.named_parameters():
        assert parameter.label == name
    order = topological_order(model([1.0, 2.0]))
    inner = [(node.scope, node.label) for node in order if node.primitive is not None]
    assert inner == [(f"layers.0.neurons.{i}", what) for i in range(3) for what in "za"] + [("layers.1.neurons.0", "z")]


def test_nested_modules_in_lists_tuples_and_dicts_are_found_and_named():
    model = Nested()
    found = names(model)
    assert len(found) == 9 + 8 + 6 + 3 + 3 + 1 + 2 + 1
    for expected in (
        "encoder.layers.0.neurons.2.weights.1",
        "heads.0.neurons.1.bias",
        "heads.1.neurons.0.weights.0",
        "by_name.mean.weights.1",
        "by_name.scale",
        "pair.0.slope",
        "pair.2",
    ):
        assert expected in found
    assert len({id(p) for p in model.parameters()}) == len(found) == len(set(found))


def test_what_is_appended_later_is_named_and_scoped_too():
    model = Nested()
    output = model([1.0, -1.0])
    scopes = {node.scope for node in topological_order(output)}
    assert {"encoder.layers.0.neurons.0", "heads.0.neurons.1", "heads.1.neurons.0"} <= scopes
    assert all(p.label == name for name, p in model.named_parameters())
    model.heads.append(Layer(1, 1, rng=4))
    assert "heads.2.neurons.0.bias" in names(model)
    assert model.heads[2].neurons[0].bias.label == "heads.2.neurons.0.bias"
    scopes = {node.scope for node in topological_order(model([1.0, -1.0]))}
    assert "heads.2.neurons.0" in scopes


def test_named_modules_are_each_once_with_the_whole_under_the_empty_name():
    model = MLP(2, [2, 1], rng=0)
    found = model.named_modules()
    assert [name for name, _ in found] == [
        "",
        "layers.0",
        "layers.0.neurons.0",
        "layers.0.neurons.1",
        "layers.1",
        "layers.1.neurons.0",
    ]
    assert found[0][1] is model
    assert found[3][1] is model.layers[0].neurons[1]


def test_shared_parameters_and_modules_count_once():
    class Tied(Module):
        def __init__(self):
            self.first = Line()
            self.second = self.first
            self.third = Line()
            self.third.slope = self.first.slope
            self.all = [self.first, self.third]

    model = Tied()
    assert names(model) == ["first.slope", "first.offset", "third.offset"]
    assert [name for name, _ in model.named_modules()] == ["", "first", "third"]


def test_a_module_that_knows_its_owner_is_no_endless_loop():
    class Owner(Module):
        def __init__(self):
            self.child = Line()
            self.child.owner = self

    assert names(Owner()) == ["child.slope", "child.offset"]


def test_a_replaced_parameter_takes_the_place_of_the_old_one():
    model = MLP(2, [2, 1], rng=0)
    model.layers[0].neurons[1].bias = Parameter(0.75)
    assert dict(model.named_parameters())["layers.0.neurons.1.bias"].data == 0.75
    assert model.layers[0].neurons[1].bias.label == "layers.0.neurons.1.bias"
    assert model.layers[0].neurons[1].weights[0].label == "layers.0.neurons.1.weights.0"
    model.layers[0].parameters()
    assert model.layers[0].neurons[0].bias.label == "layers.0.neurons.0.bias"


def test_plain_values_are_no_parameters():
    class Scaled(Module):
        def __init__(self):
            self.constant, self.weight = Value(3.0, label="keep"), Parameter(2.0)

    told = (
        r"Scaled\.constant is a Value, and training changes only parameters: write Parameter\(3\) if .*Constant\(3\) if"
    )
    with pytest.warns(UserWarning, match=told):
        model = Scaled()
    with pytest.warns(UserWarning, match=told):
        found = names(model)
    assert found == ["weight"]
    assert model.constant.label == "keep"


def test_constants_and_results_in_a_module_are_no_mistakes():
    class Scaled(Module):
        def __init__(self):
            self.constant, self.weight = Constant(3.0), Parameter(2.0)
            self.last = [self.weight * self.constant]

    assert names(Scaled()) == ["weight"]


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (lambda p: {p}, "thing is a set"),
        (lambda p: [deque([p])], "thing.0 is a deque"),
        (lambda p: {"a": p}.values(), "thing is a dict_values"),
    ],
)
def test_what_has_parameters_that_would_not_be_found_is_refused(made, name):
    model = Module()
    with pytest.raises(TypeError, match=rf"{name}, in which no training would find parameters: put them into a list"):
        model.thing = made(Parameter(1.0))
    model.thing = made(1.0)
    assert names(model) == []


def test_a_function_in_the_place_of_a_module_is_told():
    model = MLP(2, [3, 1])
    model.layers[0] = abs
    with pytest.raises(
        TypeError, match=r"MLP\.layers\.0 is a module, and got <.*abs>, in which no .*nn\.Activation\(f\)"
    ):
        model.parameters()
    with pytest.raises(TypeError, match=r"MLP\.layers\.1 is a module"):
        model.layers = [model.layers[1], abs]


def test_arrays_of_parameters_are_found():
    class Matrix(Module):
        def __init__(self):
            self.W = np.array([[Parameter(1.0), Parameter(2.0)], [Parameter(3.0), Parameter(4.0)]])

        def forward(self, x):
            return self.W @ x

    model = Matrix()
    assert names(model) == ["W.0.0", "W.0.1", "W.1.0", "W.1.1"]
    assert model.state_dict()["W"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert [y.data for y in model(np.array([1.0, 1.0]))] == [3.0, 7.0]


def test_a_module_without_forward_says_so_and_options_are_handed_on():
    with pytest.raises(NotImplementedError, match=r"Empty has no forward method; define forward\(self, x\)"):
        type("Empty", (Module,), {})()([1.0])

    class Scaled(Module):
        def __init__(self):
            super().__init__()
            self.line = Line()

        def forward(self, x, *, scale=1.0):
            return self.line(x=x) * scale

    assert Scaled()(3.0, scale=10.0).data == 70.0


# ----------------------------------------------------------------------------------------- gradients and modes


def test_zero_grad_sets_the_gradient_of_every_parameter_to_0():
    model = Nested()
    model([1.0, 2.0]).backward()
    assert any(p.grad != 0.0 for p in model.parameters())
    model.zero_grad()
    assert all(p.grad == 0.0 for p in model.parameters())


def test_train_and_eval_reach_every_module_and_return_the_module():
    model = Nested()
    assert all(module.training for _, module in model.named_modules())
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert model.train() is model
    assert all(module.training for _, module in model.named_modules())
    model.train(False)
    assert not model.heads[1].training


def test_a_penalty_over_all_parameters_needs_no_deep_recursion():
    model = MLP(2, [30, 30, 1], rng=0)
    assert len(model.parameters()) == 1051
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    (penalty + model([1.0, 2.0])).backward()
    model.zero_grad()
    penalty.backward()
    for p in model.parameters():
        assert p.grad == pytest.approx(2e-4 * p.data, rel=1e-14, abs=0)


# ------------------------------------------------------------------------------------------------------- state


def test_the_state_has_the_names_and_shapes_of_pytorch():
    state = MLP(3, [5, 1], rng=0).state_dict()
    assert {name: array.shape for name, array in state.items()} == {
        "layers.0.weight": (5, 3),
        "layers.0.bias": (5,),
        "layers.1.weight": (1, 5),
        "layers.1.bias": (1,),
    }
    assert all(array.dtype == float for array in state.values())
    assert {n: a.shape for n, a in Neuron(3, rng=0).state_dict().items()} == {"weight": (3,), "bias": ()}
    assert {n: a.shape for n, a in Layer(3, 2, rng=0).state_dict().items()} == {"weight": (2, 3), "bias": (2,)}


def test_rows_of_the_weights_are_the_neurons():
    layer = Layer(2, 3, activation="identity")
    layer.load_state_dict({"weight": [[1, 2], [3, 4], [5, 6]], "bias": [0.5, 0.25, 0.125]})
    assert [z.data for z in layer([1.0, 10.0])] == [21.5, 43.25, 65.125]
    assert layer.neurons[1].w[0].data == 3.0
    assert layer.neurons[2].b.data == 0.125


def test_the_state_of_own_modules_follows_their_attributes():
    shapes = {name: array.shape for name, array in Nested().state_dict().items()}
    assert shapes["encoder.layers.0.weight"] == (3, 2)
    assert shapes["heads.1.bias"] == (1,)
    assert shapes["by_name.mean.weight"] == (2,)
    assert shapes["by_name.scale"] == shapes["pair.0.slope"] == shapes["pair.2"] == ()


def test_nested_and_ragged_lists_of_parameters_have_a_state():
    class Lists(Module):
        def __init__(self):
            self.square = [[Parameter(1.0), Parameter(2.0)], [Parameter(3.0), Parameter(4.0)]]
            self.ragged = [[Parameter(5.0)], [Parameter(6.0), Parameter(7.0)]]
            self.nothing = []

    state = Lists().state_dict()
    assert state["square"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    ragged = {name: array.tolist() for name, array in state.items() if name.startswith("ragged")}
    assert ragged == {"ragged.0.0": 5.0, "ragged.1.0": 6.0, "ragged.1.1": 7.0}
    twin = Lists()
    twin.load_state_dict({name: array + 1.0 for name, array in state.items()})
    assert data(twin) == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]


@pytest.mark.parametrize(
    "make", [lambda: MLP(2, [3, 2], rng=None), Nested, Line, lambda: Neuron(2), lambda: Layer(2, 2)]
)
def test_a_state_goes_from_one_model_to_another_to_the_bit(make):
    first, second = make(), make()
    for p in first.parameters():
        p.data = p.data / 3.0 + 0.1
    second.load_state_dict(first.state_dict())
    assert data(second) == data(first)
    second.load_state_dict({name: array.tolist() for name, array in first.state_dict().items()})
    assert data(second) == data(first)


def test_the_state_is_a_copy():
    model = Line()
    state = model.state_dict()
    state["slope"][...] = 99.0
    assert model.slope.data == 2.0
    model.slope.data = 5.0
    assert model.state_dict()["slope"] == 5.0
    assert state["offset"] == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layers.1.bias"), r"missing \['layers\.1\.bias'\], unknown nothing"),
        (lambda s: s.update(extra=np.zeros(1)), r"missing nothing, unknown \['extra'\]"),
        (lambda s: s.update({"layers.1.bias": np.zeros(2)}), r"layers\.1\.bias: expected shape \(1,\), got \(2,\)"),
        (lambda s: s.update({"layers.0.weight": np.zeros((2, 3))}), r"layers\.0\.weight: expected shape \(3, 2\)"),
        (lambda s: s.update({"layers.1.bias": ["x"]}), r"layers\.1\.bias: expected numbers of shape \(1,\)"),
        (lambda s: s.update({"layers.1.bias": None}), r"layers\.1\.bias: expected"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, message):
    model = MLP(2, [3, 1], rng=0)
    before = data(model)
    state = {name: array + 1.0 for name, array in model.state_dict().items()}
    change(state)
    with pytest.raises(ValueError, match=message):
        model.load_state_dict(state)
    assert data(model) == before


# ------------------------------------------------------------------------------------------ copies, pickles, print


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("make", [Nested, lambda: MLP(2, [16, 16, 1], activation="tanh", output="sigmoid", rng=0)])
def test_copies_and_pickles_compute_the_same_and_are_independent(duplicate, make):
    model = make()
    model([1.0, 2.0]).backward()
    twin = duplicate(model)
    assert twin([0.3, -0.7]).data == model([0.3, -0.7]).data
    assert names(twin) == names(model)
    assert [p.label for p in twin.parameters()] == [p.label for p in model.parameters()]
    assert [p.grad for p in twin.parameters()] == [p.grad for p in model.parameters()]
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in model.parameters()}
    twin.parameters()[0].data = 1e6
    assert 1e6 not in data(model)


def test_a_copy_keeps_shared_parameters_shared():
    class Tied(Module):
        def __init__(self):
            self.a = Line()
            self.b = Line()
            self.b.slope = self.a.slope

    twin = copy.deepcopy(Tied())
    assert twin.a.slope is twin.b.slope
    assert len(twin.parameters()) == 3


def test_how_modules_print():
    assert repr(Neuron(3, activation="tanh")) == "Neuron(3, activation='tanh')"
    assert repr(Layer(3, 2)) == "Layer(3, 2, activation='relu')"
    assert repr(MLP(2, [16, 1], output="sigmoid")) == "MLP(2, [16, 1], activation='relu', output='sigmoid')"
    assert repr(Line()) == "Line()"
    assert repr(Nested()).startswith("Nested(encoder=MLP(2, [3, 2], activation='tanh'")
