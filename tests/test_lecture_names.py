"""The names that a lecture would use: w¹₂₁, b¹₂, z¹₂, a¹₂; and that no two nodes have one name."""

import copy
import pickle
import random
import re

import pytest

from autograd_mini import (
    Constant,
    Parameter,
    Value,
    backward_steps,
    draw,
    explain,
    forward_steps,
    no_grad,
    scope,
    step_through,
    tanh,
    to_latex,
    to_python,
)
from autograd_mini.explanations.card import card
from autograd_mini.explanations.names import NamedGraph, node_names
from autograd_mini.formulas.expression import latex_name, number, on_the_line, symbol
from autograd_mini.nn import (
    MLP,
    RNN,
    Activation,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Module,
    Neuron,
    Residual,
    Sequential,
)
from autograd_mini.views.graph_picture import folds
from autograd_mini.views.stepper.payload import payload
from autograd_mini.views.stepper.terminal import text_steps


def called(root, names=None):
    """Return the names of a graph, but for bare numbers and what has no name of its own."""
    bare = {node for node in node_names(root) if node.kind == "constant" and not node.label}
    return [
        name for node, name in node_names(root, names).items() if node not in bare and not re.fullmatch(r"v\d+", name)
    ]


def every(outputs):
    return sum(outputs, Value(0.0, label="start"))


# ---------------------------------------------------------------------------------------------- what they are


def test_layer_above_neuron_and_input_below_counted_from_1():
    model = MLP(2, [3, 1], "tanh", rng=0)
    names = node_names(model([1.0, 2.0]))
    weight, bias = model.layers[0].neurons[1].weights[0], model.layers[0].neurons[1].bias
    assert (names[weight], names[bias]) == ("w¹₂₁", "b¹₂")
    assert names[model.layers[1].neurons[0].weights[2]] == "w²₁₃"
    assert {"x₁", "x₂", "z¹₁", "a¹₁", "z¹₂", "a¹₂", "z¹₃", "a¹₃", "z²₁"} <= set(names.values())


def test_a_layer_alone_has_no_number_of_its_own_and_a_neuron_none_at_all():
    assert called(Layer(2, 2, "tanh", rng=0)([1.0, 2.0])[1]) == ["w₂₁", "w₂₂", "x₁", "x₂", "b₂", "z₂", "a₂"]
    assert called(Neuron(2, "tanh", rng=0)([1.0, 2.0])) == ["w₁", "w₂", "x₁", "x₂", "b", "z", "a"]


def test_commas_stand_between_where_an_index_has_two_digits():
    model = MLP(3, [11, 10, 1], "tanh", rng=0)
    names = node_names(model([1.0, 2.0, 3.0]))
    assert names[model.layers[0].neurons[10].weights[2]] == "w¹₁₁,₃"
    assert names[model.layers[1].neurons[0].weights[10]] == "w²₁,₁₁"
    assert names[model.layers[1].neurons[8].weights[8]] == "w²₉₉"
    assert names[model.layers[0].neurons[10].bias] == "b¹₁₁"
    assert names[model.layers[2].neurons[0].weights[9]] == "w³₁,₁₀"
    assert len(set(names.values())) == len(names)


def test_what_has_no_weights_belongs_to_the_layer_before():
    model = Sequential(Layer(2, 2, "identity"), LayerNorm(2), Activation("tanh"), Dropout(0.5), Layer(2, 1, "identity"))
    names = called(model([1.0, 2.0]))
    assert {"w¹₂₁", "z¹₂", "γ¹₂", "β¹₂", "mean⁽¹⁾", "a¹₂", "mask¹₂", "w²₁₂", "b²₁", "z²₁"} <= set(names)
    assert not any("³" in name or "." in name for name in names)


def test_layers_in_models_in_a_model_are_counted_through():
    names = called(Sequential(MLP(2, [2, 2], rng=0), Residual(Layer(2, 2, rng=1)), MLP(2, [1], rng=2))([1.0, 2.0]))
    assert {"w¹₁₁", "w²₂₂", "w³₂₁", "w⁴₁₂", "z⁴₁"} <= set(names)


def test_parts_that_are_no_list_of_layers_keep_their_name_before():
    class Both(Module):
        def __init__(self):
            self.encoder, self.decoder = MLP(1, [2, 1], "tanh", rng=0), MLP(1, [2, 1], "tanh", rng=1)
            self.heads, self.scale = [Layer(1, 1, rng=2), Layer(1, 1, rng=3)], Parameter(2.0)

        def forward(self, x):
            y = self.decoder(self.encoder(x)) * self.scale
            return self.heads[0](y)[0] + self.heads[1](y)[0]

    names = called(Both()(1.0))
    assert {"encoder.w¹₂₁", "decoder.w¹₂₁", "encoder.z²₁", "decoder.a¹₂", "scale", "heads.w¹₁₁", "heads.z²₁"} <= set(
        names
    )


def test_convolutions_say_filter_channel_and_place_or_filter_and_position():
    outputs = Conv1d(1, 2, 2, activation="tanh", rng=0)([1.0, 2.0, 3.0])
    names = called(every([a for row in outputs for a in row]))
    assert {"w₂₁₂", "b₂", "x₃", "z₁₁", "z₂₂", "a₂₁"} <= set(names)
    outputs = Sequential(Conv2d(1, 1, 2, rng=0))([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    assert {"w¹₁₁₂₁", "z¹₁₁₁", "z¹₁₁₂"} <= set(called(every(outputs[0][0])))


def test_recurrent_networks_say_step_and_unit():
    _, last = RNN(1, 2, rng=0)([[1.0], [2.0]])
    names = called(every(last))
    assert {"w_ih₂₁", "w_hh₁₂", "b_ih₁", "b_hh₂", "x₂₁", "h₀₁", "z₁₁", "h₁₂", "z₂₁", "h₂₂"} <= set(names)


def test_normalisations_and_embeddings_have_names_too():
    rows = BatchNorm(2).batch([[1.0, 2.0], [3.0, 4.0]])
    assert {"γ₁", "β₂", "mean₁", "variance₂"} <= set(called(every([y for row in rows for y in row])))
    assert called(Embedding(3, 2, rng=0)(2)[1] * 2) == ["w₃₂", "L"]


def test_a_part_of_a_model_has_the_names_that_it_has_in_the_whole():
    model = Sequential(Layer(1, 2, "tanh", rng=0), Activation("relu"), Layer(2, 1, "tanh", rng=1))
    assert called(model[2]([1.0, 2.0])[0])[-2:] == ["z²₁", "a²₁"]
    assert called(model[1:]([1.0, 2.0]))[:2] == ["w²₁₁", "w²₁₂"]
    penalty = model[2].neurons[0].weights[1] ** 2
    assert called(penalty) == ["w²₁₂", "L"]


def test_a_new_module_in_the_middle_moves_the_numbers():
    model = Sequential(Layer(1, 1, rng=0), Activation("tanh"), Layer(1, 1, rng=1))
    model[1] = Layer(1, 1, rng=2)
    assert {"w¹₁₁", "w²₁₁", "w³₁₁", "z³₁"} <= set(called(model([1.0])))


def test_labels_and_names_of_parameters_are_the_way_to_them_as_before():
    model = MLP(2, [2, 1], rng=0)
    assert [p.label for p in model.parameters()] == [name for name, _ in model.named_parameters()]
    assert model.layers[0].neurons[1].weights[0].label == "layers.0.neurons.1.weights.0"
    assert list(model.state_dict()) == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]


def test_copies_and_pickles_have_the_same_names():
    root = Sequential(Layer(2, 2, rng=0), Activation("tanh"), Layer(2, 1, rng=1))([1.0, 2.0])
    for other in (copy.deepcopy(root), *[pickle.loads(pickle.dumps(root, protocol)) for protocol in range(6)]):
        assert called(other) == called(root)


def test_what_was_computed_without_a_graph_keeps_its_name():
    with no_grad():
        a = MLP(1, [2, 1], "tanh", rng=0)([1.0])
    assert called(a * 2) == ["z²₁", "L"]


# ---------------------------------------------------------------------------------------------- no two are the same


def test_a_model_that_is_used_twice_and_two_models_are_told_apart():
    model = MLP(1, [1], rng=0)
    assert called(model([1.0]) + model([2.0])) == ["w¹₁₁", "x₁", "b¹₁", "z¹₁", "x₁₍₂₎", "z¹₁₍₂₎", "L"]
    names = called(model([1.0]) + MLP(1, [1], rng=1)([2.0]))
    assert names == ["w¹₁₁", "x₁", "b¹₁", "z¹₁", "w¹₁₁₍₂₎", "x₁₍₂₎", "b¹₁₍₂₎", "z¹₁₍₂₎", "L"]
    inner, outer = MLP(1, [1], "tanh", rng=0), MLP(1, [2, 1], "tanh", rng=1)
    names = node_names(outer(inner([1.0])))
    assert {names[p] for p in inner.parameters()} == {"w¹₁₁", "b¹₁"}, "the one that computes first comes first"
    assert {names[p] for p in outer.parameters()} == {
        f"{name}₍₂₎" for name in ("w¹₁₁", "w¹₂₁", "w²₁₁", "w²₁₂", "b¹₁", "b¹₂", "b²₁")
    }, "all names of a model have the same number"
    assert {"z¹₁", "z¹₁₍₂₎", "a¹₂₍₂₎", "z²₁₍₂₎"} <= set(names.values())
    x = Value(1.0, label="x")
    with scope("first"):
        first = model(x)
    with scope("second"):
        second = model(x)
    assert called(first * second) == ["w¹₁₁", "x", "b¹₁", "first.z¹₁", "second.z¹₁", "L"]


def test_weights_that_are_shared_have_one_name():
    class Tied(Module):
        def __init__(self):
            self.layers = [Layer(1, 1, "tanh", rng=0), Layer(1, 1, "tanh", rng=1)]
            self.layers[1].neurons[0].weights = self.layers[0].neurons[0].weights

        def forward(self, x):
            return self.layers[1](self.layers[0](x))[0]

    assert called(Tied()([1.0])) == ["w¹₁₁", "x₁", "b¹₁", "z¹₁", "a¹₁", "b²₁", "z²₁", "a²₁"]


def test_a_label_of_the_users_stays_and_two_with_one_label_are_told_apart():
    model = MLP(1, [1], rng=0)
    model.layers[0].neurons[0].bias.label = "offset"
    x = Value(2.0, label="w¹₁₁")
    assert called(model([x])) == ["w¹₁₁₍₂₎", "w¹₁₁", "offset", "z¹₁"]
    a, b, c = Value(1.0, label="x"), Value(2.0, label="x"), Value(3.0, label="x₍₂₎")
    assert called(a * b + c) == ["x", "x₍₃₎", "x₍₂₎", "L"]

    class Line(Module):
        def __init__(self):
            self.slope = Parameter(2.0, label="m")

    assert Line().slope.label == "m"


def test_an_input_of_a_model_and_a_label_that_latex_would_write_alike_are_told_apart():
    neuron = Neuron(1, rng=0)
    root = neuron([1.0]) * Value(2.0, label="x1")
    assert {"x1", "x₁₍₂₎"} <= set(called(root))
    assert len({latex_name(name) for name in called(root)}) == len(called(root))


LABELS = "x x x₍₂₎ x₍₃₎ x' x1 x₁ v1 v2 v₃ L L' 2 w¹₂₁ w¹₂₁₍₂₎ z¹₁ z b θ é 漢字 w[0] x² 🙂 _ tanh".split()
LABELS += ["layers.0.neurons.0.bias", "first.x", "first.z¹₁", "first.L", "a b"]
MODELS = [MLP(1, [2, 1], "tanh", rng=0), MLP(1, [1], rng=1), Sequential(Layer(1, 1), Activation("tanh"))]


def labelled_graph(rng):
    """Return a graph, partly computed by models, in which anything may be labelled."""
    models = [copy.deepcopy(model) for model in rng.sample(MODELS, 2)]
    nodes = [Value(1.0), Parameter(2.0), Constant(3.0), models[0].parameters()[0]]
    for _ in range(rng.randint(1, 6)):
        u, v = rng.choices(nodes, k=2)
        with scope(rng.choice(["", "", "first", "neurons.0"])):
            model = rng.choice(models)
            nodes.append(rng.choice([u + v, tanh(u), u * 2, model([v]), model([0.5])]))
    for node in nodes:
        if rng.random() < 0.6:
            node.label = rng.choice(LABELS)
    root = sum(nodes[1:], nodes[0])
    return root, {name: rng.choice(nodes) for name in ("w", "v1", "L", "x")}


def test_no_two_nodes_have_one_name_and_labels_stay():
    rng = random.Random(0)
    for i in range(200):
        root, variables = labelled_graph(rng)
        graph = NamedGraph(root, rng.choice([variables, None]))
        bare = {node for node in graph.order if node.kind == "constant" and not node.label and node is not root}
        names = [name for node, name in graph.called.items() if node not in bare]
        assert len(set(names)) == len(names), sorted(names)
        own = [node.label for node in graph.order if type(node.label) is str and node.label]
        for node in graph.order:
            if own.count(node.label) == 1 and type(node.label) is str:
                assert graph.called[node] == node.label, names
        assert all(step.names == graph.called for step in [*forward_steps(graph), *backward_steps(graph)])
        if i % 20 == 0:
            assert {node["name"] for node in payload(graph)["nodes"]} == set(graph.called.values())


# ---------------------------------------------------------------------------------------------- in every view


def test_every_view_uses_the_same_names():
    model = MLP(2, [2, 1], "tanh", rng=0)
    a = model([1.0, 2.0])
    loss = (a - 1.0) ** 2
    weight = model.layers[0].neurons[1].weights[0]
    names = {"w¹₂₁", "b¹₂", "z¹₂", "a¹₂"}
    assert names <= {step.names[step.node] for step in forward_steps(loss)}
    assert "∂L/∂w¹₂₁" in str(explain(weight, loss))
    assert "∂w¹₂₁" in text_steps(loss)
    assert {"w^{(1)}_{21}", "b^{(1)}_{2}"} <= {line.split(" &=")[0] for line in to_latex(loss).forward}
    assert "w1_21 = " in to_python(loss)
    assert "z1_2 = " in to_python(loss)
    source, page = draw(loss).source, step_through(loss)
    assert all(f"<B>{name}</B>" in source for name in names)
    assert "layers.0.neurons.1.weights.0" in source, "the tooltip says where it is in the code"
    assert names <= {node["name"] for node in page.payload["nodes"]}
    assert all(f">{name}<" in page.payload["views"][0]["svg"] for name in names)
    z = next(node for node in node_names(loss) if node.label == "z" and node.scope.endswith("1"))
    assert all(name in card(z) for name in ("w¹₂₁", "w¹₂₂", "b¹₂", "z¹₂", "x₁"))
    for text in (to_python(loss), str(to_latex(loss)), text_steps(loss), card(a)):
        assert "neurons.1.weights" not in text
        assert "w[0]" not in text


def test_boxes_are_called_by_layer_and_neuron_and_those_of_the_users_scopes_as_before():
    def titles(root, collapse):
        return [box.title for box in folds(NamedGraph(root), collapse)]

    a = MLP(2, [2, 1], "tanh", rng=0)([1.0, 2.0])
    assert titles(a, "layer") == ["layer 1", "layer 2"]
    assert titles(a, "neuron") == ["layer 1, neuron 1", "layer 1, neuron 2", "layer 2, neuron 1"]
    model = Sequential(Layer(1, 1), Activation("tanh"), Conv1d(1, 1, 1))
    assert titles(model([1.0])[0][0], "layer") == ["layer 1", "layer 1 (modules.1)", "layer 2"]
    with scope("layers.0"):
        y = Value(1.0, label="x") * Parameter(2.0)
    assert titles(y, "layer") == ["layers.0"]


@pytest.mark.parametrize(
    ("name", "latex", "python"),
    [
        ("w¹₂₁", "w^{(1)}_{21}", "w1_21"),
        ("w²₁₁,₃", "w^{(2)}_{11,3}", "w2_11,3"),
        ("encoder.w¹₂₁", r"\mathrm{encoder.}w^{(1)}_{21}", "encoder.w1_21"),
        ("b", "b", "b"),
        ("x₁", "x_{1}", "x1"),
        ("z¹₂₍₃₎", "z^{(1)}_{2(3)}", "z1_2_3"),
        ("x1₍₂₎", "x_{1(2)}", "x1_2"),
        ("loss₍₂₎", r"\mathrm{loss}_{(2)}", "loss_2"),
        ("γ¹₂", r"\gamma^{(1)}_{2}", "γ1_2"),
        ("slope⁽²⁾", r"\mathrm{slope}^{(2)}", "slope_2"),
        ("x²", "x^{2}", "x2"),
        ("w_ih₂₁", r"\mathrm{w\_ih}_{21}", "w_ih_21"),
    ],
)
def test_names_in_latex_and_in_python(name, latex, python):
    assert latex_name(name) == latex
    assert on_the_line(name, "_") == python


def test_a_power_of_a_name_with_indices_has_the_name_in_parentheses():
    square = symbol("a¹₂") ** number(2.0)
    assert (str(square), square.render("latex")) == ("(a¹₂)²", r"\left(a^{(1)}_{2}\right)^{2}")
    assert str(symbol("x₍₂₎") ** number(3.0)) == "(x₍₂₎)³"
    assert str(symbol("x") ** number(2.0)) == "x²"
    assert str(symbol("a¹₂") * symbol("w²₁₂")) == "a¹₂·w²₁₂"
    a = MLP(1, [1, 1], "tanh", rng=0)([1.0])
    assert "L = (z²₁)² = " in "\n".join(map(str, forward_steps(a**2)))
