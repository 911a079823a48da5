"""A step of a recurrent network: 8 units, 20 steps, one number a step, batch 64, squared error of a read-out, SGD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_mini import nn
from vectorized import ours, rivals
from vectorized.timing import ON_NUMPY, OURS, Contender, Mark, Work, trajectory

UNITS, STEPS, BATCH, LR = 8, 20, 64, 0.01
Array = np.ndarray[Any, Any]


def data() -> tuple[Array, Array]:
    """Return sequences, shape (64, 20), and the mean of each, which is to be found."""
    X = np.random.default_rng(0).normal(size=(BATCH, STEPS))
    return X, X.mean(axis=1)


def modules() -> tuple[nn.RNN, nn.Layer]:
    """Return the network and its read-out, with the same weights at every call."""
    return nn.RNN(1, UNITS, rng=0), nn.Layer(UNITS, 1, activation="identity", rng=1)


def weights() -> dict[str, Array]:
    """Return the weights at the start, by PyTorch's names."""
    rnn, readout = modules()
    state = {**rnn.state_dict(), **{f"readout.{name}": array for name, array in readout.state_dict().items()}}
    return {name: np.array(array, dtype=float) for name, array in state.items()}


def joined(state: Any) -> Array:
    """Return all weights in one array, in the order of `weights`."""
    return np.concatenate([np.ravel(np.asarray(state[name])) for name in weights()])


def own() -> Contender:
    """Return this library's way: `nn.RNN` and a `Layer`."""
    rnn, readout = modules()
    X, targets = data()

    def loss(x: Any, t: Any) -> Any:
        _, last = rnn(x)
        return nn.losses.squared_error(readout(last)[0], t)

    training = ours.Training(loss, X, targets, LR)

    def theta() -> Array:
        training.write_back()
        return joined({**rnn.state_dict(), **{f"readout.{k}": v for k, v in readout.state_dict().items()}})

    column = targets[:, None]

    def step() -> float:
        return training.step(X, column)

    return Contender(step, trajectory(step, theta))


def torch_weights(torch: Any) -> dict[str, Any]:
    """Return PyTorch's weights."""
    return {name: torch.tensor(array, requires_grad=True) for name, array in weights().items()}


def torch_contender(torch: Any, state: dict[str, Any], last_hidden: Callable[[Any], Any]) -> Contender:
    """Return PyTorch's step, for a way to get the last hidden state."""
    X, targets = (torch.from_numpy(array) for array in data())
    optimizer = torch.optim.SGD(list(state.values()), lr=LR)

    def step() -> Any:
        optimizer.zero_grad()
        outputs = torch.nn.functional.linear(last_hidden(X), state["readout.weight"], state["readout.bias"])
        loss = ((targets - outputs.squeeze(1)) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Contender(step, trajectory(step, lambda: joined({name: p.detach() for name, p in state.items()})))


def pytorch() -> Contender:
    """Return PyTorch's way, cell by cell."""
    torch = rivals.torch()
    state = torch_weights(torch)
    linear = torch.nn.functional.linear

    def last_hidden(x: Any) -> Any:
        hidden = torch.zeros(len(x), UNITS, dtype=torch.float64)
        for t in range(STEPS):
            from_input = linear(x[:, t : t + 1], state["weight_ih_l0"], state["bias_ih_l0"])
            hidden = torch.tanh(from_input + linear(hidden, state["weight_hh_l0"], state["bias_hh_l0"]))
        return hidden

    return torch_contender(torch, state, last_hidden)


def pytorch_rnn() -> Contender:
    """Return PyTorch's other way, with its own ``nn.RNN``."""
    torch = rivals.torch()
    state = torch_weights(torch)
    rnn = torch.nn.RNN(1, UNITS, batch_first=True, dtype=torch.float64)
    for name in list(state):
        if name.endswith("_l0"):
            with torch.no_grad():
                getattr(rnn, name).copy_(state[name])
            state[name] = getattr(rnn, name)
    return torch_contender(torch, state, lambda x: rnn(x[:, :, None])[1][0])


def jax_jit() -> Contender:
    """Return JAX's way: the whole step under ``jit``, with a ``scan`` over the sequence."""
    jax = rivals.jax()
    jnp = jax.numpy
    X, targets = (jnp.asarray(array) for array in data())

    def loss(state: Any, x: Any, t: Any) -> Any:
        def cell(hidden: Any, column: Any) -> Any:
            from_input = column[:, None] @ state["weight_ih_l0"].T + state["bias_ih_l0"]
            return jnp.tanh(from_input + hidden @ state["weight_hh_l0"].T + state["bias_hh_l0"]), None

        hidden, _ = jax.lax.scan(cell, jnp.zeros((len(x), UNITS)), x.T)
        outputs = hidden @ state["readout.weight"].ravel() + state["readout.bias"]
        return jnp.mean((t - outputs) ** 2)

    def whole_step(state: Any, x: Any, t: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(state, x, t)
        return jax.tree.map(lambda p, g: p - LR * g, state, gradient), value

    compiled = jax.jit(whole_step, donate_argnums=0)
    state = jax.tree.map(jnp.array, weights())

    def step() -> Any:
        nonlocal state
        state, value = compiled(state, X, targets)
        return value

    return Contender(step, trajectory(step, lambda: joined(state)))


WORK = Work(
    key="rnn",
    title="RNN step: 8 units, 20 steps, batch 64, float64, SGD",
    unit="µs",
    per_second=1e6,
    ours={OURS: own},
    rivals={
        "JAX jit": jax_jit,
        "PyTorch eager": pytorch,
        "PyTorch eager, nn.RNN": pytorch_rnn,
    },
    marks=(
        Mark(ON_NUMPY, 2.5),
        Mark("JAX jit", 2.5, before=0.88),
        Mark("PyTorch eager", 1.0),
    ),
)
