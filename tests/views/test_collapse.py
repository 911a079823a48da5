"""Folding: what one neuron, or one layer, computed becomes a box."""

from __future__ import annotations

import pytest

from autograd_mini import Parameter, Value, draw, scope, tanh
from autograd_mini.engine.value import Constant
from autograd_mini.nn import MLP


def network(n_inputs=2, width=3):
    """Return a small network's output, computed by hand in the scopes that modules use."""
    x = [Value(float(i + 1), label=f"x{i + 1}") for i in range(n_inputs)]
    for layer in range(2):
        outputs = []
        for j in range(width if layer == 0 else 1):
            with scope(f"layers.{layer}.neurons.{j}"):
                z = Constant(0.5)
                for i, feature in enumerate(x):
                    z = z + Parameter(0.1 * (i + j + 1)) * feature
                outputs.append(tanh(z))
        x = outputs
    loss = (x[0] - 1) ** 2
    loss.backward()
    return loss


def test_collapse_neuron_folds_each_scope_with_its_parameters(renderer, parse):
    loss = network()
    drawn = parse(draw(loss, collapse="neuron").pipe("svg"))
    boxes = {name: node.texts for name, node in drawn.nodes.items() if name.startswith("scope")}
    assert sorted(texts[0] for texts in boxes.values()) == [
        "layers.0.neurons.0",
        "layers.0.neurons.1",
        "layers.0.neurons.2",
        "layers.1.neurons.0",
    ]
    inner = next(texts for texts in boxes.values() if texts[0] == "layers.0.neurons.1")
    # 0.5, two weights, two products, two sums, tanh
    assert inner[1] == "8 nodes"
    assert len(inner) == 3
    assert ", grad " in inner[2]
    shown = {node.texts[0] for name, node in drawn.nodes.items() if name.startswith("node")}
    assert shown == {"x1", "x2", "1", "v20", "2", "L"} or {"x1", "x2", "1", "2", "L"} < shown
    assert len(shown) == 6


def test_collapse_draws_one_edge_for_each_source_and_box(renderer, parse):
    drawn = parse(draw(network(), collapse="neuron").pipe("svg"))
    into = [edge.title for edge in drawn.edges.values() if edge.title.split("->")[1].startswith("scope")]
    assert len(into) == len(set(into)) == 2 * 3 + 3
    assert all(
        edge.id == f"edge-{edge.title.replace('->', '-')}" for edge in drawn.edges.values() if edge.title in into
    )
    out = [edge for edge in drawn.edges.values() if edge.title.startswith("scope") and "op-" in edge.title]
    assert [edge.texts for edge in out] == [["1"]], "the derivative of x - 1 by x, from the box to the operation"


def test_collapse_layer_folds_the_neurons_of_a_layer(renderer, parse):
    drawn = parse(draw(network(), collapse="layer").pipe("svg"))
    boxes = [node.texts for name, node in drawn.nodes.items() if name.startswith("scope")]
    assert sorted(texts[:2] for texts in boxes) == [["layers.0", "24 nodes"], ["layers.1", "11 nodes"]]
    assert len(next(texts for texts in boxes if texts[0] == "layers.0")) == 5, "the three values that leave it"
    assert [e.title for e in drawn.edges.values()].count("scope-0->scope-1") == 1


def test_collapse_lists_only_some_of_many_values():
    box = [line for line in draw(network(width=9), collapse="layer").source.splitlines() if "layers.0<" in line]
    assert "6 more values" in box[0]


def test_a_parameter_used_elsewhere_too_stays_outside():
    w = Parameter(2.0, label="w")
    with scope("layers.0.neurons.0"):
        a = w * Value(3.0, label="x")
    names = [line for line in draw(a + w * w, collapse="neuron").source.splitlines() if "<B>w</B>" in line]
    assert len(names) == 1


def test_a_root_inside_a_scope_is_a_value_that_leaves_it():
    with scope("layers.0.neurons.0"):
        a = Value(2.0, label="x") * Parameter(3.0)
    source = draw(a, collapse="neuron").source
    assert "L 6, grad 0" in source
    assert "2 nodes" in source


def test_scopes_that_use_each_other_are_drawn(renderer, parse):
    x = Value(0.5, label="x")
    with scope("a"):
        u = tanh(x)
    with scope("b"):
        v = tanh(u)
    with scope("a"):
        w = tanh(v + u)
    drawn = parse(draw(w * 1, collapse="neuron").pipe("svg"))
    titles = {edge.title for edge in drawn.edges.values()}
    assert {"scope-0->scope-1", "scope-1->scope-0"} <= titles


def test_max_nodes_counts_after_folding():
    loss = network(width=3)
    assert draw(loss, collapse="layer", max_nodes=8).source
    with pytest.raises(ValueError, match=r"8 values and boxes.*max_nodes=7; try a larger"):
        draw(loss, collapse="layer", max_nodes=7)
    with pytest.raises(ValueError, match=r'10 values and boxes.*; try collapse="layer", or a larger'):
        draw(loss, collapse="neuron", max_nodes=5)


def test_modules_of_the_package(renderer, parse):
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    loss = sum((model([i / 3, 1.0]) - 1) ** 2 for i in range(3)) + sum(p * p for p in model.parameters()) * 0.01
    drawn = parse(draw(loss, collapse="layer").pipe("svg"))
    boxes = {node.texts[0]: node.texts[1] for name, node in drawn.nodes.items() if name.startswith("scope")}
    # In each of three examples a z and an a for each neuron; the parameters are used by the penalty too.
    assert boxes == {"layer 1": "18 nodes", "layer 2": "3 nodes"}
