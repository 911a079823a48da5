"""Functions of Values give Values, those of numbers floats, those of arrays arrays."""

import numpy as np

import autograd_mini as ag
from autograd_mini import Value, maximum, nn, sigmoid, tanh, where


def f(x: Value) -> Value:
    return tanh(x) * 2 + 1


def of_both(x: Value | float) -> Value | float:
    return tanh(x) * 2 + sigmoid(x)


def with_methods(x: Value) -> Value:
    y = (1 - x).exp().clamp(0.0, 5.0).pow(2) + x.abs().sqrt() - 3.0 / x
    return y.detach() * x + x.item()


def chosen(x: Value, y: float) -> Value:
    return where(x > 0, x, 0.1 * x) + maximum(x, y) + maximum([x, y]) + ag.clip(x, max=y) + ag.hypot(x, y)


def listed(z: list[Value]) -> Value:
    p: list[Value] = ag.softmax(z)
    q: list[Value] = ag.log_softmax(z)
    return ag.sum(p) + ag.mean(q) + ag.prod(z) + ag.logsumexp(z) + ag.dot(p, q) + ag.dot(z, [1.0, 2.0], 0.5)


def picked(token: Value, z: list[Value], table: list[list[Value]], letters: nn.Embedding) -> Value:
    row: list[Value] = ag.pick(token, table)
    rows: list[list[Value]] = letters([token, 1])
    return ag.pick(token, z) + ag.pick(1, *z) + ag.dot(row, letters(token)) + rows[0][0]


def of_numbers(x: float) -> float:
    total: float = ag.sum([x, 1.0]) + ag.dot([x], [2.0]) + ag.softmax([x, 2.0])[0] + where(x > 0, 1.0, 0.0)
    return tanh(1) + ag.leaky_relu(x, 0.2) + ag.gelu(x, approximate="tanh") + ag.pow(x, 2) + total


def power(x: Value, n: int) -> Value:
    result = Value(1.0)
    for _ in range(n):
        result = result * x
    return result if n else ag.pow(x, 0)


x = Value(0.5, label="x")
y: Value = f(x)
y.backward()
gradient: float = x.grad
number: float = y.data
array: np.ndarray = tanh(np.array([0.1, 0.2]))
print(
    f"{y.data:.3f}",
    gradient,
    of_both(0.5),
    with_methods(x),
    chosen(x, 1.0),
    listed([x, y]),
    picked(Value(1.0), [x, y], [[x, y], [y, x]], nn.Embedding(2, 2, rng=0)),
    of_numbers(0.5),
    power(x, 3),
)
