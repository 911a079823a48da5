"""Modules of one's own with their own `parameters`, weights that are replaced, and the demo's loss on a few moons."""

import math
import random

from autograd_mini.micrograd.engine import Value
from autograd_mini.micrograd.nn import MLP, Module, Neuron


class Linear(Module):
    def __init__(self, nin, nout, bias=True):
        self.w = [[Value(random.gauss(0, 1)) for _ in range(nin)] for _ in range(nout)]
        self.b = [Value(0.0) for _ in range(nout)] if bias else None

    def __call__(self, x):
        out = [sum((wi * xi for wi, xi in zip(row, x, strict=True)), Value(0.0)) for row in self.w]
        return [o + b for o, b in zip(out, self.b, strict=True)] if self.b else out

    def parameters(self):
        return [p for row in self.w for p in row] + (self.b or [])


class Net(Module):
    def __init__(self):
        self.hidden, self.out = Linear(2, 3), Linear(3, 1, bias=False)

    def __call__(self, x):
        return self.out([h.relu() for h in self.hidden(x)])[0]

    def parameters(self):
        return self.hidden.parameters() + self.out.parameters()


def trained(model, loss, steps):
    found = []
    for k in range(steps):
        total = loss()
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * 0.1 * p.grad
        found.append(total.data)
    return found


def moons(count):
    points = []
    for i in range(count):
        angle, noise = math.pi * random.random(), random.gauss(0, 0.1)
        x, y = (math.cos(angle), math.sin(angle)) if i % 2 else (1 - math.cos(angle), 0.5 - math.sin(angle))
        points.append(([x + noise, y - noise], 1 if i % 2 else -1))
    return points


def figures():
    random.seed(3)
    net = Net()
    examples = [([1.0, 2.0], 1.0), ([-1.0, 0.5], -1.0), ([0.3, -0.7], 0.5)]
    found = {"own": trained(net, lambda: sum((net(x) - t) ** 2 for x, t in examples), 10), "of": len(net.parameters())}

    neuron = Neuron(2)
    neuron.w[0], neuron.b = Value(5.0), Value(1.0)
    found["replaced"] = [p.data for p in neuron.parameters()]
    neuron.w = [Value(0.5), Value(0.25)]
    found["called"] = [neuron([1.0, 1.0]).data, *[p.data for p in neuron.parameters()]]

    random.seed(1337)
    model, points = MLP(2, [6, 6, 1]), moons(16)

    def loss():
        losses = [(1 + -t * model([Value(x[0]), Value(x[1])])).relu() for x, t in points]
        return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())

    found["moons"] = trained(model, loss, 15)
    return found
