"""A graph of NetworkX has every node and every use of it, from which the chain rule gives the gradients."""

import builtins

import pytest

from autograd_mini import Value
from autograd_mini.interchange import to_networkx


@pytest.mark.needs("networkx")
def test_the_chain_rule_over_its_edges_gives_the_gradients():
    import networkx

    x, w = Value(3.0, label="x"), Value(2.0, label="w")
    loss = (x * x * w + x).tanh() + w**2
    loss.backward()
    graph = to_networkx(loss)
    order = list(networkx.topological_sort(graph))
    grads = dict.fromkeys(order, 0.0) | {order[-1]: 1.0}
    for node in reversed(order):
        for parent, _, local in graph.in_edges(node, data="local_grad"):
            grads[parent] += grads[node] * local
    assert grads == {node: graph.nodes[node]["grad"] for node in order}
    assert {"x", "w"} <= {label for _, label in graph.nodes(data="label")}
    assert {"mul", "tanh", "input", "constant"} <= {name for _, name in graph.nodes(data="operation")}
    assert sorted(slot for *_, slot in graph.edges(data="slot")) == [0] * 6 + [1] * 5


def test_without_networkx_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **others):
        if name.partition(".")[0] == "networkx":
            raise ModuleNotFoundError("No module named 'networkx'", name="networkx")
        return real(name, *arguments, **others)

    monkeypatch.setattr(builtins, "__import__", missing)
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-mini\[interchange\]"'):
        to_networkx(Value(1.0))


def test_what_is_no_value_is_refused():
    with pytest.raises(TypeError, match="expected a Value, got int"):
        to_networkx(3)
