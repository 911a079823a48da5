"""AdamW of one's own, which keeps its moments on the parameters, and momentum that begins with `getattr`."""

import math
import random

from autograd_mini.micrograd.nn import MLP

XS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YS = [1.0, -1.0, -1.0, 1.0]


class AdamW:
    def __init__(self, parameters, lr=0.05, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.01):
        self.parameters, self.lr, self.beta1, self.beta2 = parameters, lr, beta1, beta2
        self.eps, self.weight_decay, self.t = eps, weight_decay, 0
        for p in self.parameters:
            p.m = 0.0
            p.v = 0.0

    def step(self):
        self.t += 1
        for p in self.parameters:
            p.m = self.beta1 * p.m + (1 - self.beta1) * p.grad
            p.v = self.beta2 * p.v + (1 - self.beta2) * p.grad**2
            m_hat, v_hat = p.m / (1 - self.beta1**self.t), p.v / (1 - self.beta2**self.t)
            p.data -= self.lr * (m_hat / (math.sqrt(v_hat) + self.eps) + self.weight_decay * p.data)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = 0


def momentum(parameters):
    for p in parameters:
        p.velocity = 0.9 * getattr(p, "velocity", 0.0) - 0.01 * p.grad
        p.data += p.velocity


def losses(model, steps, update):
    found = []
    for _ in range(steps):
        loss = sum((model(x) - y) ** 2 for x, y in zip(XS, YS, strict=True))
        model.zero_grad()
        loss.backward()
        update()
        found.append(loss.data)
    return found


def figures():
    random.seed(42)
    model = MLP(3, [4, 4, 1])
    optimizer = AdamW(model.parameters())
    found = {"model": repr(model), "adamw": losses(model, 12, optimizer.step), "m": model.parameters()[3].m}
    model = MLP(3, [4, 1])
    found["momentum"] = losses(model, 8, lambda: momentum(model.parameters()))
    return found
