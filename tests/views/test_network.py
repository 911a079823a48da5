"""The picture of a network: a circle for each neuron, a line for each weight."""

from __future__ import annotations

import math

import pytest

from autograd_mini import Parameter, draw
from autograd_mini.nn import MLP, Layer, Neuron
from autograd_mini.views import colours


class StandInNeuron:
    def __init__(self, weights, bias, activation):
        self.weights = [Parameter(w) for w in weights]
        self.bias = None if bias is None else Parameter(bias)
        self.activation = activation


class StandInLayer:
    def __init__(self, *neurons):
        self.neurons = list(neurons)


class Dropout:
    keep_prob = 0.5


class StandInNetwork:
    def __init__(self, *layers):
        self.layers = list(layers)


def small():
    hidden = StandInLayer(StandInNeuron([0.5, -1.0], 0.25, "tanh"), StandInNeuron([2.0, 0.0], -0.5, math.tanh))
    return StandInNetwork(hidden, Dropout(), StandInLayer(StandInNeuron([1.0, -4.0], None, None)))


def stroke_width(group):
    return float(group.shapes[0].get("stroke-width", 1))


def test_every_neuron_and_every_weight_is_there(renderer, parse):
    drawn = parse(draw(small()).pipe("svg"))
    assert set(drawn.nodes) == {"input-0", "input-1", "neuron-0-0", "neuron-0-1", "neuron-1-0"}
    assert {name: edge.title for name, edge in drawn.edges.items()} == {
        "weight-0-0-0": "input-0->neuron-0-0",
        "weight-0-0-1": "input-1->neuron-0-0",
        "weight-0-1-0": "input-0->neuron-0-1",
        "weight-0-1-1": "input-1->neuron-0-1",
        "weight-1-0-0": "neuron-0-0->neuron-1-0",
        "weight-1-0-1": "neuron-0-1->neuron-1-0",
    }
    assert drawn.nodes["input-0"].texts == ["x₁"]
    assert drawn.nodes["neuron-0-0"].texts == ["tanh", "b 0.25"]
    assert drawn.nodes["neuron-0-1"].texts == ["tanh", "b -0.5"]
    assert drawn.nodes["neuron-1-0"].texts == ["identity"]


def test_lines_show_size_and_sign(renderer, parse):
    edges = parse(draw(small()).pipe("svg")).edges
    colour = {name: edge.shapes[0].get("stroke").lower() for name, edge in edges.items()}
    assert colour["weight-0-0-0"] == colour["weight-0-1-0"] == colours.POSITIVE
    assert colour["weight-0-0-1"] == colour["weight-1-0-1"] == colours.NEGATIVE
    order = ["weight-0-1-1", "weight-0-0-0", "weight-0-0-1", "weight-0-1-0", "weight-1-0-1"]  # 0, 0.5, -1, 2, -4
    widths = [stroke_width(edges[name]) for name in order]
    assert widths == sorted(widths)
    assert len(set(widths)) == 5
    assert edges["weight-1-0-1"].texts == ["-4"]
    assert edges["weight-1-0-1"].tooltip == "w²₁₂ = -4"


def test_neurons_are_filled_by_their_bias(renderer, parse):
    nodes = parse(draw(small()).pipe("svg")).nodes
    assert colours.NEGATIVE in nodes["neuron-0-1"].fills
    assert colours.diverging(0.25, 0.5) in nodes["neuron-0-0"].fills
    assert colours.ZERO in nodes["neuron-1-0"].fills


def test_columns_keep_the_order_of_the_neurons(renderer, parse):
    drawn = parse(draw(MLP(5, [6, 4, 3], rng=0)).pipe("svg"))
    place = {}
    for name, node in drawn.nodes.items():
        ellipse = node.shapes[0]
        place[name] = float(ellipse.get("cx")), float(ellipse.get("cy"))
    for layer, size in ((0, 6), (1, 4), (2, 3)):
        columns = [place[f"neuron-{layer}-{j}"] for j in range(size)]
        assert [y for _, y in columns] == sorted(y for _, y in columns)
        assert len({round(x) for x, _ in columns}) == 1
    assert place["input-0"][0] < place["neuron-0-0"][0] < place["neuron-1-0"][0] < place["neuron-2-0"][0]


def test_modules_of_the_package(renderer, parse):
    for module, circles, lines in ((MLP(3, [5, 1]), 9, 20), (Layer(2, 3, "tanh"), 5, 6), (Neuron(4), 5, 4)):
        drawn = parse(draw(module).pipe("svg"))
        assert (len(drawn.nodes), len(drawn.edges)) == (circles, lines)


def test_weights_that_are_not_finite(renderer, parse):
    layer = StandInLayer(StandInNeuron([math.nan, math.inf, 1.0], math.nan, "relu"))
    edges = parse(draw(layer).pipe("svg")).edges
    assert [edges[f"weight-0-0-{i}"].texts for i in range(3)] == [["nan"], ["inf"], ["1"]]
    assert edges["weight-0-0-0"].shapes[0].get("stroke-dasharray")


def test_large_networks_have_no_labels_but_tooltips(builtin, parse):
    drawn = parse(draw(MLP(64, [16, 1], rng=0)).pipe("svg"))
    assert len(drawn.edges) == 64 * 16 + 16
    assert not any(edge.texts for edge in drawn.edges.values())
    assert all(edge.tooltip.startswith("w") for edge in drawn.edges.values())
    assert drawn.edges["weight-0-10-2"].tooltip.startswith("w¹₁₁,₃ = ")
    height = float(drawn.root.get("height").removesuffix("pt"))
    assert height < 64 * 35, "64 inputs still fit"


def test_too_many_neurons():
    with pytest.raises(ValueError, match=r'311 inputs and neurons.*max_nodes=300; try collapse="layer"'):
        draw(MLP(300, [10, 1]))


def test_collapse_layer_draws_a_box_for_each_layer(renderer, parse):
    drawn = parse(draw(MLP(300, [10, 1], activation="tanh"), collapse="layer").pipe("svg"))
    assert list(drawn.nodes) == ["layer-in", "layer-0", "layer-1"]
    assert drawn.nodes["layer-0"].texts == ["layer 1", "10 × tanh", "3010 parameters"]
    assert set(drawn.edges) == {"between-0", "between-1"}


def test_a_network_without_neurons_is_an_error():
    with pytest.raises(TypeError, match="draw takes a Value"):
        draw(StandInNetwork(Dropout()))
