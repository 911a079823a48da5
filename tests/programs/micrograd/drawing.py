"""The drawing of the notebook, with a colour on every node, and neurons with and without `nonlin`."""

import random

from graphviz import Digraph

from autograd_mini.micrograd.engine import Value
from autograd_mini.micrograd.nn import Layer, Neuron


def trace(root):
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def draw_dot(root, format="svg", rankdir="LR"):
    nodes, edges = trace(root)
    dot = Digraph(format=format, graph_attr={"rankdir": rankdir})
    for n in nodes:
        n._vis_color = "red" if n.grad < 0 else "black"
        text = f"{{ data {n.data:.4f} | grad {n.grad:.4f} }}"
        dot.node(name=str(id(n)), label=text, shape="record", color=n._vis_color)
        if n._op:
            dot.node(name=str(id(n)) + n._op, label=n._op)
            dot.edge(str(id(n)) + n._op, str(id(n)))
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot


def cube(x):
    out = Value(x.data**3, (x,), "cube")
    out._backward = lambda: setattr(x, "grad", x.grad + 3 * x.data**2 * out.grad)
    return out


def figures():
    a, b = Value(-4.0), Value(2.0)
    y = cube(a * b + b**2).relu() + cube(a) * b
    y.backward()
    source = draw_dot(y).source
    random.seed(1337)
    neuron, layer = Neuron(2, nonlin=False), Layer(2, 3, nonlin=False)
    z = neuron([Value(1.0), Value(-2.0)])
    z.backward()
    return {
        "y": [y.data, a.grad, b.grad],
        "operations": [source.count(f"label={name}]") for name in ("cube", "ReLU", '"**2"', '"*"')],
        "colours": source.count("color=red"),
        "neuron": [z.data, *[p.grad for p in neuron.parameters()], neuron.nonlin, repr(neuron)],
        "layer": [*[v.data for v in layer([1.0, 2.0])], repr(layer)],
        "alone": [type(Layer(2, 1)([1.0, 2.0])).__name__, repr(Layer(2, 1))],
    }
