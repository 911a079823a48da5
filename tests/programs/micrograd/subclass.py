"""A Value of one's own: more operations, one of the old ones written anew, a counter and an attribute."""

import math

from autograd_mini.micrograd.engine import Value as Base


class Value(Base):
    count = 0

    def __init__(self, data, _children=(), _op="", name=""):
        super().__init__(data, _children, _op)
        self.name = name
        self.velocity = 0.0
        Value.count += 1

    def sin(self):
        out = Value(math.sin(self.data), (self,), "sin")

        def _backward():
            self.grad += math.cos(self.data) * out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Base) else Value(other)
        out = Value(self.data * other.data, (self, other), "*", name=f"{self.name}*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    __rmul__ = __mul__


def figures():
    Value.count = 0
    a, b = Value(1.5, name="a"), Value(-0.5, name="b")
    y = (a * b).sin() * a + 3 * b + a**2
    y.backward()
    product = a * b
    return {
        "y": y.data,
        "gradients": [a.grad, b.grad],
        "product": [type(product).__name__, product._op, product.name, product.velocity],
        "count": Value.count > 5,
    }
