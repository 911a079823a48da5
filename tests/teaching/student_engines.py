"""Engines as students write them: micrograd's, one that is right, and that one with single faults."""

import math


class Micrograd:
    """micrograd's `Value` with the lecture's tanh: closures, a set of children, a recursive topological order."""

    def __init__(self, data, children=()):
        self.data, self.grad = data, 0
        self._prev = set(children)
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Micrograd) else Micrograd(other)
        out = Micrograd(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Micrograd) else Micrograd(other)
        out = Micrograd(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, other):
        assert isinstance(other, (int, float)), "only numbers for now"
        out = Micrograd(self.data**other, (self,))

        def _backward():
            self.grad += other * self.data ** (other - 1) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Micrograd(0 if self.data < 0 else self.data, (self,))

        def _backward():
            self.grad += (out.data > 0) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        twice = math.exp(2 * self.data)
        t = (twice - 1) / (twice + 1)
        out = Micrograd(t, (self,))

        def _backward():
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    def backward(self):
        order, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1
        for v in reversed(order):
            v._backward()

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1


RIGHT = """
import math

kept = []

class Value:
    def __init__(self, data, parents=(), local_grads=()):
        self.data, self.grad = data, 0.0
        self.parents, self.local_grads = parents, local_grads

    def _with(self, other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        other = self._with(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = self._with(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = self._with(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = self._with(other)
        out = self.data / other.data
        return Value(out, (self, other), (1 / other.data, -out / other.data))

    def __pow__(self, n):
        if isinstance(n, Value):
            raise TypeError("powers are numbers")
        return Value(self.data**n, (self,), (n * self.data ** (n - 1) if n != 0 else 0.0,))

    def __rpow__(self, base):
        out = base**self.data
        return Value(out, (self,), (out * math.log(base) if base else 0.0,))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __radd__(self, other):
        return Value(other) + self

    def __rsub__(self, other):
        return Value(other) - self

    def __rmul__(self, other):
        return Value(other) * self

    def __rtruediv__(self, other):
        return Value(other) / self

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, (self,), (1 - t * t,))

    def relu(self):
        return Value(0.0 if self.data < 0 else self.data, (self,), (1.0 if self.data > 0 else 0.0,))

    def exp(self):
        out = math.exp(self.data)
        return Value(out, (self,), (out,))

    def backward(self):
        order, visited, stack = [], set(), [(self, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif id(node) not in visited:
                visited.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent in node.parents)
        for node in order:
            if node.parents:
                node.grad = 0.0
        self.grad = self.grad + 1.0
        for node in reversed(order):
            for parent, local in zip(node.parents, node.local_grads):
                parent.grad += node.grad * local
"""


def engine(*changes):
    """Return the class of the right engine, with some of its text replaced."""
    text = RIGHT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    names = {"__name__": "student"}
    exec(text, names)
    return names["Value"]
