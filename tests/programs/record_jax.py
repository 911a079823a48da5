"""What the programs of this folder compute, computed by JAX: ``python record_jax.py`` writes ``figures.json`` anew.

The programs are written here once more, on arrays, with JAX's own derivatives. What they share is the data and the
parameters to begin with.
"""

import json
import random
from pathlib import Path

import closures
import gpt
import makemore
import neural_ode
import newton
import pinn


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

    value_and_grad = jax.jit(jax.value_and_grad(loss_of))
    losses = []
    m, v = ([jnp.zeros_like(p) for p in params] for _ in range(2))
    for t in range(1, epochs + 1):
        loss, grads = value_and_grad(params)
        m = [0.9 * a + 0.1 * g for a, g in zip(m, grads)]
        v = [0.999 * a + 0.001 * g**2 for a, g in zip(v, grads)]
        params = [p - lr * (a / (1 - 0.9**t)) / (jnp.sqrt(b / (1 - 0.999**t)) + 1e-8) for p, a, b in zip(params, m, v)]
        losses.append(loss)
    return {"losses": losses, "end": integrate(params)[-1]}


def run_closures(jax, jnp, steps=10, lr=0.1, decay=1e-2, betas=(0.9, 0.95)):
    random = closures.RNG(42)
    data = closures.gen_data(random, closures.n_points)
    X, y = jnp.array([x for x, _ in data]), jnp.array([label for _, label in data])
    W1, W2 = map(jnp.array, closures.gen_weights(random))
    params = [W1, jnp.zeros(len(W1)), W2, jnp.zeros(len(W2))]

    def loss_of(params):
        W1, b1, W2, b2 = params
        log_probs = jax.nn.log_softmax(jnp.tanh(X @ W1.T + b1) @ W2.T + b2)
        return -log_probs[jnp.arange(len(y)), y].mean()

    losses = []
    m, v = ([jnp.zeros_like(p) for p in params] for _ in range(2))
    for t in range(1, steps + 1):
        loss, grads = jax.value_and_grad(loss_of)(params)
        m = [betas[0] * a + (1 - betas[0]) * g for a, g in zip(m, grads)]
        v = [betas[1] * a + (1 - betas[1]) * g**2 for a, g in zip(v, grads)]
        params = [
            p - lr * ((a / (1 - betas[0] ** t)) / (jnp.sqrt(b / (1 - betas[1] ** t)) + 1e-8) + decay * p)
            for p, a, b in zip(params, m, v)
        ]
        losses.append(loss)
    return {"losses": losses, "first weights": params[0][0], "first moments": m[3], "second moments": v[3]}


def run_pinn(jax, jnp, steps=60, lr=0.02):
    params = list(map(jnp.array, pinn.initial_parameters().values()))
    ts = jnp.array(pinn.ts)

    def u(params, t):
        W1, b1, W2, b2, W3, b3 = params
        return (W3 @ jnp.tanh(W2 @ jnp.tanh(W1 @ t[None] + b1) + b2) + b3)[0]

    du = jax.grad(u, argnums=1)
    ddu = jax.grad(du, argnums=1)

    def loss_of(params):
        residual = lambda t: ddu(params, t) + 2 * pinn.gamma * du(params, t) + pinn.omega**2 * u(params, t)
        start = jnp.array(0.0)
        boundary = 10 * (u(params, start) - 1) ** 2 + 10 * du(params, start) ** 2
        return jnp.mean(jax.vmap(residual)(ts) ** 2) + boundary

    value_and_grad = jax.jit(jax.value_and_grad(loss_of))
    losses = []
    m, v = ([jnp.zeros_like(p) for p in params] for _ in range(2))
    for t in range(1, steps + 1):
        loss, grads = value_and_grad(params)
        m = [0.9 * a + 0.1 * g for a, g in zip(m, grads)]
        v = [0.999 * a + 0.001 * g**2 for a, g in zip(v, grads)]
        params = [p - lr * (a / (1 - 0.9**t)) / (jnp.sqrt(b / (1 - 0.999**t)) + 1e-8) for p, a, b in zip(params, m, v)]
        losses.append(loss)
    solution = jax.vmap(lambda t: u(params, t))(ts)
    return {
        "losses": losses,
        "solution": solution,
        "losses of the trainer": losses,
        "solution of the trainer": solution,
    }


def run_gpt(jax, jnp, num_steps=20, temperature=0.5):
    params = {name: jnp.array(matrix) for name, matrix in gpt.initial_parameters().items()}

    def rmsnorm(x):
        return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-5)

    def logits_of(params, tokens):
        """Return the logits at all places at once, with a mask that hides what comes later."""
        n, heads = len(tokens), (len(tokens), gpt.n_head, gpt.head_dim)
        x = rmsnorm(params["wte"][tokens] + params["wpe"][:n])
        for i in range(gpt.n_layer):
            h = rmsnorm(x)
            q, k, v = ((h @ params[f"layer{i}.attn_w{name}"].T).reshape(heads) for name in "qkv")
            logits = jnp.einsum("thd,shd->hts", q, k) / jnp.sqrt(gpt.head_dim)
            weights = jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((n, n), bool)), logits, -jnp.inf))
            x = x + jnp.einsum("hts,shd->thd", weights, v).reshape(n, -1) @ params[f"layer{i}.attn_wo"].T
            h = jax.nn.relu(rmsnorm(x) @ params[f"layer{i}.mlp_fc1"].T)
            x = x + h @ params[f"layer{i}.mlp_fc2"].T
        return x @ params["lm_head"].T

    def loss_of_name(params, tokens):
        log_probs = jax.nn.log_softmax(logits_of(params, tokens[:-1]))
        return -log_probs[jnp.arange(len(tokens) - 1), tokens[1:]].mean()

    def loss_of(params, batch):
        return jax.vmap(loss_of_name, (None, 0))(params, batch).mean()

    value_and_grad = jax.jit(jax.value_and_grad(loss_of))
    losses = []
    m, v = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    beta1, beta2 = gpt.beta1, gpt.beta2
    for step in range(num_steps):
        loss, grads = value_and_grad(params, jnp.array(gpt.batch_of(step)))
        lr = gpt.learning_rate * (1 - step / num_steps)
        m = {k: beta1 * a + (1 - beta1) * grads[k] for k, a in m.items()}
        v = {k: beta2 * a + (1 - beta2) * grads[k] ** 2 for k, a in v.items()}
        m_hat = {k: a / (1 - beta1 ** (step + 1)) for k, a in m.items()}
        v_hat = {k: a / (1 - beta2 ** (step + 1)) for k, a in v.items()}
        params = {k: p - lr * m_hat[k] / (jnp.sqrt(v_hat[k]) + gpt.eps_adam) for k, p in params.items()}
        losses.append(loss)

    rng = random.Random(0)
    made, shares = [], []
    for _ in range(3):
        tokens = [gpt.BOS]
        while len(tokens) <= gpt.block_size:
            probs = jax.nn.softmax(logits_of(params, jnp.array(tokens))[-1] / temperature)
            tokens += rng.choices(range(gpt.vocab_size), weights=probs.tolist())
            shares += probs.tolist()
            if tokens[-1] == gpt.BOS:
                break
        made += tokens[1:]
    return {"losses": losses, "last places": params["wpe"][-1], "new names": made, "shares": shares}


def main():
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    programs = {
        makemore: run_makemore,
        newton: run_newton,
        neural_ode: run_neural_ode,
        closures: run_closures,
        pinn: run_pinn,
        gpt: run_gpt,
    }
    recorded = {program.__name__: run(jax, jnp) for program, run in programs.items()}
    figures = {
        program: {name: [float(x) for x in numbers] for name, numbers in found.items()}
        for program, found in recorded.items()
    }
    Path(__file__).with_name("figures.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
