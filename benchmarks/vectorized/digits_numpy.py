"""The epoch on digits written by hand in NumPy: as in lecture notes, and with every buffer reused."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vectorized import networks

Array = np.ndarray[Any, Any]
Epoch = tuple[Callable[[Any], float], Callable[[], Array]]


def textbook(sizes: Sequence[int], lr: float, batch: int, X: Array, Y: Array) -> Epoch:
    """Return the lecture notes' epoch and how to see θ: one example a row, a new array for every result."""
    (W1, b1), (W2, b2) = networks.layers(sizes, "tanh")

    def step(x: Array, t: Array) -> float:
        nonlocal W1, b1, W2, b2
        a = np.tanh(x @ W1.T + b1)
        z = a @ W2.T + b2
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.sum(np.log(p) * t)
        delta2 = (p - t) / len(x)
        delta1 = (delta2 @ W2) * (1.0 - a**2)
        W2, b2 = W2 - lr * delta2.T @ a, b2 - lr * delta2.sum(axis=0)
        W1, b1 = W1 - lr * delta1.T @ x, b1 - lr * delta1.sum(axis=0)
        return float(loss)

    def epoch(order: Any) -> float:
        x, t = X[order], Y[order]
        losses = [step(x[i : i + batch], t[i : i + batch]) for i in range(0, len(x), batch)]
        return sum(losses) / len(x)

    return epoch, lambda: networks.joined([(W1, b1), (W2, b2)])


def buffered(sizes: Sequence[int], lr: float, batch: int, X: Array, Y: Array) -> Epoch:
    """Return the epoch with ``out=`` everywhere and how to see θ; a column of ones carries the biases."""
    theta = networks.theta(sizes, "tanh")
    ones = np.column_stack([X, np.ones(len(X))])
    x, t = np.empty_like(ones), np.empty_like(Y)
    steps = functools.cache(lambda n: _buffered_step(theta, sizes, lr, n))

    def epoch(order: Any) -> float:
        ones.take(order, axis=0, out=x, mode="clip")
        Y.take(order, axis=0, out=t, mode="clip")
        total = 0.0
        for i in range(0, len(x), batch):
            rows = x[i : i + batch]
            total += steps(len(rows))(rows, t[i : i + batch])
        return total / len(x)

    return epoch, lambda: theta


def _buffered_step(theta: Array, sizes: Sequence[int], lr: float, n: int) -> Callable[[Array, Array], float]:
    """Return the step on batches of n examples; θ is changed in place."""
    _, hidden, classes = sizes
    gradient = np.empty_like(theta)
    W1, W2 = networks.matrices(theta, sizes)
    G1, G2 = networks.matrices(gradient, sizes)
    W1_T, W2_T, W2_back = W1.T, W2.T, W2[:, :-1]
    z1, a, h = np.empty((n, hidden)), np.empty((n, hidden)), np.ones((n, hidden + 1))
    a_view = h[:, :-1]
    z, peak, total, d = np.empty((n, classes)), np.empty((n, 1)), np.empty((n, 1)), np.empty((n, hidden))
    picked = np.empty((n, classes))
    z_T, d_T = z.T, d.T
    scale = -lr / n
    dot, multiply, subtract, divide, tanh, exp = np.dot, np.multiply, np.subtract, np.divide, np.tanh, np.exp
    largest, added = np.maximum.reduce, np.add.reduce

    def step(x: Array, t: Array) -> float:
        dot(x, W1_T, out=z1)
        tanh(z1, out=a)
        a_view[...] = a
        dot(h, W2_T, out=z)
        largest(z, axis=1, out=peak, keepdims=True)
        subtract(z, peak, out=z)
        multiply(z, t, out=picked)
        exp(z, out=z)
        added(z, axis=1, out=total, keepdims=True)
        loss = float(np.log(total).sum() - picked.sum())
        divide(z, total, out=z)
        subtract(z, t, out=z)
        dot(z_T, h, out=G2)
        dot(z, W2_back, out=d)
        multiply(a, a, out=a)
        subtract(1.0, a, out=a)
        multiply(d, a, out=d)
        dot(d_T, x, out=G1)
        multiply(gradient, scale, out=gradient)
        np.add(theta, gradient, out=theta)
        return loss

    return step
