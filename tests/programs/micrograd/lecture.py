"""A lecture's own functions with closures, its labels, and the backward pass as a loop over `_backward`."""

import math

from autograd_mini.micrograd.engine import Value


def tanh(x):
    t = (math.exp(2 * x.data) - 1) / (math.exp(2 * x.data) + 1)
    out = Value(t, (x,), "tanh")

    def _backward():
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def exp(x):
    out = Value(math.exp(x.data), (x,), "exp")

    def _backward():
        x.grad += out.data * out.grad

    out._backward = _backward
    return out


def neuron():
    x1, x2 = Value(2.0), Value(0.0)
    w1, w2 = Value(-3.0), Value(1.0)
    b = Value(6.8813735870195432)
    return (x1, x2, w1, w2, b), x1 * w1 + x2 * w2 + b


def figures():
    leaves, n = neuron()
    o = tanh(n)
    o.backward()
    found = {"o": o.data, "by backward": [v.grad for v in leaves], "operation": o._op, "parents": len(o._prev)}

    leaves, n = neuron()
    e = exp(2 * n)
    ((e - 1) / (e + 1)).backward()
    found["by exp"] = [v.grad for v in leaves]

    leaves, n = neuron()
    o = tanh(n)
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(o)
    o.grad = 1.0
    for node in reversed(topo):
        node._backward()
    found["by hand"] = [v.grad for v in leaves]
    return found
