"""What the programs of this folder compute, computed by JAX: ``python record_jax.py`` writes ``figures.json`` anew.

The programs are written here once more, on arrays, with JAX's own derivatives. What they share is the data and the
parameters to begin with.
"""

import json
import random
from pathlib import Path

import makemore
import neural_ode
import newton


def run_makemore(jax, jnp, steps=12):
    g = random.Random(2147483647)
    X, Y = map(jnp.array, makemore.build_dataset(makemore.words))
    params = list(map(jnp.array, makemore.initial_parameters(g)))
    running_mean, running_std = jnp.zeros(makemore.n_hidden), jnp.ones(makemore.n_hidden)

    def pre_activations(params, x):
        return params[0][x].reshape(len(x), -1) @ params[1]

    def logits_of(params, hpreact, mean, std):
        _, _, W2, b2, bngain, bnbias = params
        return jnp.tanh(bngain * (hpreact - mean) / std + bnbias) @ W2 + b2

    def loss_of(params, x, y):
        hpreact = pre_activations(params, x)
        mean, std = hpreact.mean(0), jnp.sqrt(hpreact.var(0, ddof=1) + 1e-5)
        log_probs = jax.nn.log_softmax(logits_of(params, hpreact, mean, std))
        return -log_probs[jnp.arange(len(y)), y].mean(), (mean, std)

    losses = []
    for i in range(steps):
        ix = jnp.array([g.randrange(len(X)) for _ in range(makemore.batch_size)])
        (loss, (mean, std)), grads = jax.value_and_grad(loss_of, has_aux=True)(params, X[ix], Y[ix])
        running_mean, running_std = 0.9 * running_mean + 0.1 * mean, 0.9 * running_std + 0.1 * std
        lr = 0.5 if i < 8 else 0.1
        params = [p - lr * grad for p, grad in zip(params, grads)]
        losses.append(loss)
    hpreact = pre_activations(params, jnp.zeros((1, makemore.block_size), int))
    return {
        "losses": losses,
        "running mean": running_mean,
        "embedding of a": params[0][makemore.stoi["a"]],
        "first character": jax.nn.softmax(logits_of(params, hpreact, running_mean, running_std)[0]),
    }


def run_newton(jax, jnp):
    def rosenbrock(x):
        return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    def wavy(x):
        a, b, c = x
        return jnp.exp(0.5 * a * a) + (b - jnp.cos(a)) ** 2 + 2.0 * jnp.cosh(c - b) + 0.1 * c**4

    def path(f, x, steps):
        x = jnp.array(x)
        found = [*x]
        for _ in range(steps):
            x = x - jnp.linalg.solve(jax.hessian(f)(x), jax.grad(f)(x))
            found += [*x]
        return found

    return {
        "rosenbrock": path(rosenbrock, [-1.2, 1.0], 6),
        "wavy": path(wavy, [1.0, -0.5, 0.3], 6),
        "hessian": jax.hessian(wavy)(jnp.array([0.3, 0.2, -0.4])).ravel(),
    }


def run_neural_ode(jax, jnp, epochs=15, lr=0.05):
    params = list(map(jnp.array, neural_ode.initial_parameters().values()))
    dt, start = neural_ode.dt, jnp.array(neural_ode.spiral(0.0))
    truth = jnp.array([neural_ode.spiral(dt * (i + 1)) for i in range(neural_ode.n_steps)])

    def f(params, y):
        W1, b1, W2, b2 = params
        return W2 @ jnp.tanh(W1 @ y + b1) + b2

    def step(params, y):
        k1 = f(params, y)
        k2 = f(params, y + dt / 2 * k1)
        k3 = f(params, y + dt / 2 * k2)
        k4 = f(params, y + dt * k3)
        y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return y, y

    def integrate(params):
        return jax.lax.scan(lambda y, _: step(params, y), start, None, length=neural_ode.n_steps)[1]

    def loss_of(params):
        return jnp.sum((integrate(params) - truth) ** 2) / neural_ode.n_steps

    losses = []
    m, v = ([jnp.zeros_like(p) for p in params] for _ in range(2))
    for t in range(1, epochs + 1):
        loss, grads = jax.jit(jax.value_and_grad(loss_of))(params)
        m = [0.9 * a + 0.1 * g for a, g in zip(m, grads)]
        v = [0.999 * a + 0.001 * g**2 for a, g in zip(v, grads)]
        params = [p - lr * (a / (1 - 0.9**t)) / (jnp.sqrt(b / (1 - 0.999**t)) + 1e-8) for p, a, b in zip(params, m, v)]
        losses.append(loss)
    return {"losses": losses, "end": integrate(params)[-1]}


def main():
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    recorded = {
        program.__name__: run(jax, jnp)
        for program, run in ((makemore, run_makemore), (newton, run_newton), (neural_ode, run_neural_ode))
    }
    figures = {
        program: {name: [float(x) for x in numbers] for name, numbers in found.items()}
        for program, found in recorded.items()
    }
    Path(__file__).with_name("figures.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
