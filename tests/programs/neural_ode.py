"""A neural ordinary differential equation: dy/dt is a small network, fitted to a spiral by RK4."""

import math
import random

from autograd_mini import nn, optim

n_hidden, n_steps, dt = 6, 6, 0.25


def spiral(t):
    """The points to be fitted: a spiral inwards."""
    return [math.exp(-0.3 * t) * math.cos(1.5 * t), math.exp(-0.3 * t) * math.sin(1.5 * t)]


def initial_parameters():
    rng = random.Random(0)
    return {
        "layers.0.weight": [[rng.gauss(0, 0.6) for _ in range(2)] for _ in range(n_hidden)],
        "layers.0.bias": [0.0] * n_hidden,
        "layers.1.weight": [[rng.gauss(0, 0.4) for _ in range(n_hidden)] for _ in range(2)],
        "layers.1.bias": [0.0] * 2,
    }


def rk4_step(f, y, dt):
    k1 = f(y)
    k2 = f([a + dt / 2 * k for a, k in zip(y, k1)])
    k3 = f([a + dt / 2 * k for a, k in zip(y, k2)])
    k4 = f([a + dt * k for a, k in zip(y, k3)])
    return [a + dt / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in zip(y, k1, k2, k3, k4)]


def integrate(f, y):
    path = []
    for _ in range(n_steps):
        y = rk4_step(f, y, dt)
        path.append(y)
    return path


def run(epochs=15):
    model = nn.MLP(2, [n_hidden, 2], activation="tanh")
    model.load_state_dict(initial_parameters())
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    truth = [spiral(dt * (i + 1)) for i in range(n_steps)]
    losses = []
    for _ in range(epochs):
        path = integrate(model, spiral(0.0))
        loss = sum((a - b) ** 2 for y, target in zip(path, truth) for a, b in zip(y, target)) / n_steps
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    return {"losses": losses, "end": [y.data for y in integrate(model, spiral(0.0))[-1]]}
