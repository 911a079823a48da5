"""A classifier in the style of EurekaLabs' micrograd: operations as closures, an AdamW with m and v on the nodes."""

import math

from autograd_mini.micrograd.engine import Value

n_points, n_hidden, n_classes = 24, 6, 3


class RNG:
    """A small random number generator, the same in every library: xorshift."""

    def __init__(self, seed):
        self.state = seed

    def random_u32(self):
        self.state ^= (self.state >> 12) & 0xFFFFFFFFFFFFFFFF
        self.state ^= (self.state << 25) & 0xFFFFFFFFFFFFFFFF
        self.state ^= (self.state >> 27) & 0xFFFFFFFFFFFFFFFF
        return ((self.state * 0x2545F4914F6CDD1D) >> 32) & 0xFFFFFFFF

    def uniform(self, a=0.0, b=1.0):
        return a + (b - a) * ((self.random_u32() >> 8) / 16777216.0)


def gen_data(random, n):
    """Rings around the origin, a class each."""
    pts = []
    for i in range(n):
        label = i % n_classes
        radius, angle = 0.4 + 0.6 * label + random.uniform(-0.2, 0.2), random.uniform(0, 2 * math.pi)
        pts.append(([radius * math.cos(angle), radius * math.sin(angle)], label))
    return pts


def gen_weights(random):
    def layer(nin, nout):
        return [[random.uniform(-1, 1) * nin**-0.5 for _ in range(nin)] for _ in range(nout)]

    return layer(2, n_hidden), layer(n_hidden, n_classes)


# operations of this program's own, as nodes with their closures


def exp(x):
    out = Value(math.exp(x.data), (x,), "exp")

    def _backward():
        x.grad += out.data * out.grad

    out._backward = _backward
    return out


def log(x):
    out = Value(math.log(x.data), (x,), "log")

    def _backward():
        x.grad += (1 / x.data) * out.grad

    out._backward = _backward
    return out


def tanh(x):
    out = Value(math.tanh(x.data), (x,), "tanh")

    def _backward():
        x.grad += (1 - out.data**2) * out.grad

    out._backward = _backward
    return out


class Layer:
    def __init__(self, weights, nonlin):
        self.w = [[Value(x) for x in row] for row in weights]
        self.b = [Value(0.0) for _ in weights]
        self.nonlin = nonlin

    def __call__(self, x):
        acts = [sum((wi * xi for wi, xi in zip(row, x)), b) for row, b in zip(self.w, self.b)]
        return [tanh(act) for act in acts] if self.nonlin else acts

    def parameters(self):
        return [w for row in self.w for w in row] + self.b


def cross_entropy(logits, target):
    # subtract the max for numerical stability (avoids overflow)
    max_val = max(val.data for val in logits)
    ex = [exp(val - max_val) for val in logits]
    denom = sum(ex)
    probs = [x / denom for x in ex]
    return -log(probs[target])


class AdamW:
    def __init__(self, parameters, lr=1e-1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        self.parameters = parameters
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        # state of the optimizer
        self.t = 0  # step counter
        for p in self.parameters:
            p.m = 0.0  # first moment
            p.v = 0.0  # second moment

    def step(self):
        self.t += 1
        for p in self.parameters:
            p.m = self.betas[0] * p.m + (1 - self.betas[0]) * p.grad
            p.v = self.betas[1] * p.v + (1 - self.betas[1]) * p.grad**2
            m_hat = p.m / (1 - self.betas[0] ** self.t)
            v_hat = p.v / (1 - self.betas[1] ** self.t)
            p.data -= self.lr * (m_hat / (v_hat**0.5 + self.eps) + self.weight_decay * p.data)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = 0.0


def run(steps=10):
    random = RNG(42)
    data = gen_data(random, n_points)
    first, second = gen_weights(random)
    layers = [Layer(first, nonlin=True), Layer(second, nonlin=False)]
    optimizer = AdamW(layers[0].parameters() + layers[1].parameters(), lr=0.1, weight_decay=1e-2)
    losses = []
    for _ in range(steps):
        loss = Value(0.0)
        for x, y in data:
            loss = loss + cross_entropy(layers[1](layers[0](x)), y)
        loss = loss * (1.0 / len(data))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.data)
    return {
        "losses": losses,
        "first weights": [p.data for p in layers[0].w[0]],
        "first moments": [p.m for p in layers[1].b],
        "second moments": [p.v for p in layers[1].b],
    }
