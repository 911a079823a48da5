"""The two passes, written once: on floats, columns, Values and formulas they give what `Value` itself computes."""

import math
import random

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Value
from autograd_mini.engine import arrays, floats
from autograd_mini.engine.graph import evaluate, gradients, recorded_gradients, topological_order
from autograd_mini.engine.value import differentiable
from autograd_mini.formulas import expression as text

UNARY = [ag.tanh, ag.sigmoid, ag.exp, ag.relu, ag.abs, ag.softplus, lambda a: -a, lambda a: a**2, lambda a: a * a]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (1.5 + b * b),
    ag.maximum,
    lambda a, b: ag.dot([a, b], [b, a], a),
    lambda a, b: ag.sum([a, 0.5, b, a]),
    lambda a, b: ag.softmax([a, b, 0.25])[0],
]


def random_graph(seed):
    """A root and its leaves; any node may be used any number of times."""
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-1.5, 1.5), label=f"x{i}") for i in range(3)]
    nodes = list(leaves)
    for _ in range(rng.randint(1, 14)):
        a, b = rng.choice(nodes[-6:]), rng.choice(nodes)
        nodes.append(rng.choice(UNARY)(a) if rng.random() < 0.4 else rng.choice(BINARY)(a, b))
    return nodes[-1], leaves


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def local_rules(xp, values):
    """The local derivatives of a node by the table's rules, in the numbers of a reading."""
    return lambda v: v.primitive.derivatives(xp, values[v], *[values[u] for u in v.parents])


@pytest.mark.parametrize("seed", range(200))
def test_on_floats_both_passes_are_those_of_value_to_the_bit(seed):
    root, _ = random_graph(seed)
    order = topological_order(root)
    values = evaluate(order, floats, {})
    assert all(same(values[node], node.data) for node in order)
    by_rules = gradients(order, 1.0, local_rules(floats, values), dict.fromkeys(order, 0.0))
    recorded = recorded_gradients(root)
    root.backward()
    for node in order:
        assert same(by_rules[node], node.grad)
        assert same(recorded[node], node.grad)
        assert node.grad == 0.0 or math.copysign(1.0, recorded[node]) == math.copysign(1.0, node.grad)


@pytest.mark.parametrize("seed", range(40))
def test_on_values_the_gradients_are_nodes_with_derivatives_of_their_own(seed):
    root, leaves = random_graph(seed)
    found = gradients(
        topological_order(root), Value(1.0), lambda v: v.primitive.derivatives(differentiable, v, *v.parents)
    )
    plain = recorded_gradients(root)
    for leaf in leaves:
        gradient = found.get(leaf, 0.0)
        assert (gradient.data if isinstance(gradient, Value) else gradient) == pytest.approx(
            plain.get(leaf, 0.0), rel=1e-12, abs=1e-12, nan_ok=True
        )


@pytest.mark.parametrize("seed", range(40))
def test_on_columns_each_row_is_an_example(seed):
    root, leaves = random_graph(seed)
    order, rng = topological_order(root), np.random.default_rng(seed)
    used = [leaf for leaf in leaves if leaf in set(order)]
    columns = {leaf: rng.uniform(-1.5, 1.5, 5) for leaf in used}
    with np.errstate(all="ignore"):
        values = evaluate(order, arrays, columns)
        found = gradients(order, np.ones(5), local_rules(arrays, values))
    for row in range(5):
        for leaf in used:
            leaf.data = columns[leaf][row]
        assert np.broadcast_to(values[root], 5)[row] == pytest.approx(root.forward(), rel=1e-12, abs=1e-12)
        expected = recorded_gradients(root)
        for leaf in used:
            got = np.broadcast_to(found.get(leaf, 0.0), 5)[row]
            assert got == pytest.approx(expected[leaf], rel=1e-10, abs=1e-10)


def test_on_formulas_the_passes_print_the_derivative():
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    y = ag.tanh(w * x)
    order = topological_order(y)
    symbols = {leaf: text.symbol(leaf.label) for leaf in (w, x)}
    values = evaluate(order, text, symbols)
    assert str(values[y]) == "tanh(w·x)"
    rules = {"mul": lambda v: (symbols[x], symbols[w]), "tanh": lambda v: (1.0 - values[v] ** text.number(2.0),)}
    found = gradients(order, text.number(1.0), lambda v: rules[v.primitive.name](v))
    assert str(found[w]) == "1·(1 - tanh(w·x)²)·x"


def test_what_is_known_is_not_computed():
    x = Value(3.0)
    inner = x * x
    assert evaluate(topological_order(inner + x), floats, {inner: 100.0, x: 1.0})[inner] == 100.0


def test_only_what_the_root_is_computed_from_has_a_gradient():
    a, b = Value(1.0), Value(2.0)
    order = topological_order(a + 1.0)
    assert b not in gradients(order, 1.0, lambda v: v.local_grads)
