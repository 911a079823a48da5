"""The step on moons written by hand in NumPy: as in lecture notes, and with every buffer reused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vectorized import networks
from vectorized.timing import Contender, trajectory

Array = np.ndarray[Any, Any]


def textbook(sizes: Sequence[int], X: Array, t: Array, lam: float, lr: float) -> Contender:
    """Return the lecture notes' way: one example a row, δ from layer to layer, a new array for every result."""
    layers = networks.layers(sizes, "relu")

    def step() -> float:
        nonlocal layers
        activations = [X]
        for W, b in layers[:-1]:
            activations.append(np.maximum(activations[-1] @ W.T + b, 0.0))
        W, b = layers[-1]
        margins = 1.0 - t * (activations[-1] @ W.T + b)[:, 0]
        loss = np.mean(np.maximum(margins, 0.0)) + lam * sum(np.sum(W**2) + np.sum(b**2) for W, b in layers)
        delta = (-t * (margins > 0.0) / len(t))[:, np.newaxis]
        updated = []
        for (W, b), a in zip(reversed(layers), reversed(activations), strict=True):
            dW, db = delta.T @ a + 2.0 * lam * W, delta.sum(axis=0) + 2.0 * lam * b
            delta = (delta @ W) * (a > 0.0)  # on the inputs' level nobody reads it
            updated.append((W - lr * dW, b - lr * db))
        layers = updated[::-1]
        return float(loss)

    return Contender(step, trajectory(step, lambda: networks.joined(layers)))


class Buffers:
    """What the reused buffers are: one example a column, weights and their gradients as views of flat vectors.

    A row of ones below the activations makes the bias a column of its matrix.
    """

    def __init__(self, sizes: Sequence[int], X: Array, t: Array) -> None:
        n = len(t)
        self.theta = networks.theta(sizes, "relu")
        self.gradient, self.change = np.empty_like(self.theta), np.empty_like(self.theta)
        self.W, self.G = networks.matrices(self.theta, sizes), networks.matrices(self.gradient, sizes)
        self.W_back = [W[:, :-1].T for W in self.W]
        self.h = [np.ones((width + 1, n)) for width in sizes[:-1]]
        self.h[0][:-1] = X.T
        self.a = [h[:-1] for h in self.h]
        self.score, self.delta = np.empty((1, n)), [np.empty((width, n)) for width in sizes[1:]]
        self.mask = [np.empty((width, n), bool) for width in sizes[1:]]
        self.target, self.slope = t[np.newaxis].copy(), -t[np.newaxis] / n


def buffered(sizes: Sequence[int], X: Array, t: Array, lam: float, lr: float) -> Contender:
    """Return the step with ``out=`` everywhere, as one would write it."""
    b, n = Buffers(sizes, X, t), len(t)
    theta, gradient, change, score, target, slope = b.theta, b.gradient, b.change, b.score, b.target, b.slope
    (W1, W2, W3), (G1, G2, G3), (_, W2_back, W3_back) = b.W, b.G, b.W_back
    (x, h1, h2), (_, a1, a2), (d1, d2, d3), (on1, on2, on3) = b.h, b.a, b.delta, b.mask
    x_T, h1_T, h2_T = x.T, h1.T, h2.T
    dot, multiply, subtract, maximum, greater = np.dot, np.multiply, np.subtract, np.maximum, np.greater

    def step() -> float:
        dot(W1, x, out=a1)
        maximum(a1, 0.0, out=a1)
        dot(W2, h1, out=a2)
        maximum(a2, 0.0, out=a2)
        dot(W3, h2, out=score)
        multiply(score, target, out=score)
        subtract(1.0, score, out=score)
        maximum(score, 0.0, out=score)
        loss = score.sum() / n + lam * dot(theta, theta)
        greater(score, 0.0, out=on3)
        multiply(slope, on3, out=d3)
        dot(d3, h2_T, out=G3)
        dot(W3_back, d3, out=d2)
        greater(a2, 0.0, out=on2)
        multiply(d2, on2, out=d2)
        dot(d2, h1_T, out=G2)
        dot(W2_back, d2, out=d1)
        greater(a1, 0.0, out=on1)
        multiply(d1, on1, out=d1)
        dot(d1, x_T, out=G1)
        multiply(theta, 2.0 * lam, out=change)
        np.add(gradient, change, out=gradient)
        multiply(gradient, lr, out=change)
        subtract(theta, change, out=theta)
        return float(loss)

    return Contender(step, trajectory(step, lambda: theta))


def tuned(sizes: Sequence[int], X: Array, t: Array, lam: float, lr: float) -> Contender:
    """Return the same step with NumPy's own costs avoided, the fastest that we know.

    A number is an array without dimensions, which NumPy need not convert; the 0 of a maximum is an array of zeros,
    which vector instructions compare; bound ``dot`` methods pass no dispatcher; a mask is copied through and not
    multiplied by, which would convert it to floats; a sum is a product with ones.
    """
    b, n = Buffers(sizes, X, t), len(t)
    theta, gradient, change, score, target, slope = b.theta, b.gradient, b.change, b.score, b.target, b.slope
    (W1, W2, W3), (G1, G2, G3), (_, W2_back, W3_back) = b.W, b.G, b.W_back
    (x, h1, h2), (_, a1, a2), (d1, d2, d3), (off1, off2, off3) = b.h, b.a, b.delta, b.mask
    x_T, h1_T, h2_T = x.T, h1.T, h2.T
    zeros1, zeros2, zeros3, ones = np.zeros_like(a1), np.zeros_like(a2), np.zeros_like(score), np.ones_like(score)
    zero, rate, twice_lam = np.array(0.0), np.array(lr), np.array(2.0 * lam)
    z1, z2, z3, d3_dot, d2_dot, d1_dot = W1.dot, W2.dot, W3.dot, d3.dot, d2.dot, d1.dot
    back2, back3, squares, total, column = W2_back.dot, W3_back.dot, theta.dot, score[0].dot, ones[0]
    multiply, subtract, maximum, less_equal, copy = np.multiply, np.subtract, np.maximum, np.less_equal, np.copyto

    def step() -> float:
        z1(x, a1)
        maximum(a1, zeros1, out=a1)
        z2(h1, a2)
        maximum(a2, zeros2, out=a2)
        z3(h2, score)
        multiply(score, target, score)
        subtract(ones, score, score)
        maximum(score, zeros3, out=score)
        loss = total(column) / n + lam * squares(theta)
        less_equal(score, zero, off3)
        copy(d3, slope)
        copy(d3, zero, where=off3)
        d3_dot(h2_T, G3)
        back3(d3, d2)
        less_equal(a2, zero, off2)
        copy(d2, zero, where=off2)
        d2_dot(h1_T, G2)
        back2(d2, d1)
        less_equal(a1, zero, off1)
        copy(d1, zero, where=off1)
        d1_dot(x_T, G1)
        multiply(theta, twice_lam, change)
        np.add(gradient, change, gradient)
        multiply(gradient, rate, change)
        subtract(theta, change, theta)
        return float(loss)

    return Contender(step, trajectory(step, lambda: theta))
