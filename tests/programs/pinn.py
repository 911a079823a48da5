"""A physics-informed network: a damped oscillator's motion, found from its equation and how it begins alone.

u'' + 2γu' + ω²u = 0 with u(0) = 1 and u'(0) = 0: no point of the solution is given.
"""

import random

from autograd_mini import Trainer, grad, nn, optim, vectorize

gamma, omega = 0.4, 2.0
n_hidden = 5
ts = [2.0 * i / 11 for i in range(12)]  # where the equation is to hold


def initial_parameters():
    rng = random.Random(0)
    sizes = [(1, n_hidden), (n_hidden, n_hidden), (n_hidden, 1)]
    state = {}
    for i, (n_in, n_out) in enumerate(sizes):
        state[f"layers.{i}.weight"] = [[rng.gauss(0, n_in**-0.5) for _ in range(n_in)] for _ in range(n_out)]
        state[f"layers.{i}.bias"] = [rng.gauss(0, 0.5) for _ in range(n_out)]
    return state


class PINN(nn.Module):
    def __init__(self):
        self.net = nn.MLP(1, [n_hidden, n_hidden, 1], activation="tanh")
        self.net.load_state_dict(initial_parameters())

    def u(self, t):
        return self.net([t])

    def forward(self, x):
        """What is left of the equation at time t."""
        (t,) = x
        u, du, ddu = self.u, grad(self.u), grad(grad(self.u))
        return ddu(t) + 2 * gamma * du(t) + omega**2 * u(t)


def boundary(model):
    """How it begins: let go at 1, at rest."""
    return 10 * (model.u(0.0) - 1) ** 2 + 10 * grad(model.u)(0.0) ** 2


def solution(model):
    return [model.u(t).data for t in ts]


def by_loop(steps):
    model = PINN()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    loss = vectorize(lambda t: model([t]) ** 2 + boundary(model))
    losses = []
    for _ in range(steps):
        value, gradient = loss.value_and_grad(ts)  # a mean over the times
        for p, g in zip(loss.parameters, gradient):
            p.grad = g
        optimizer.step()
        losses.append(value)
    return losses, solution(model)


def by_trainer(steps, engine="vectorized"):
    model = PINN()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    trainer = Trainer(model, "squared_error", optimizer, None, steps, penalty=boundary, engine=engine, progress=False)
    history = trainer.fit([[t] for t in ts], [0.0 for t in ts])
    assert trainer.engine == engine  # the vectorized one didn't leave it to the other
    return history.loss, solution(model)


def run(steps=60):
    losses, found = by_loop(steps)
    trainers_losses, trainers_found = by_trainer(steps)
    return {
        "losses": losses,
        "solution": found,
        "losses of the trainer": trainers_losses,
        "solution of the trainer": trainers_found,
    }
