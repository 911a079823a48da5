"""A step on moons: MLP 2-16-16-1 with ReLU, mean hinge loss of 100 examples, L2 over all parameters, SGD, float64.

Through the program alone, and through `Trainer`, whose epochs have 20 such steps here.
"""

from __future__ import annotations

import ctypes
import functools
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograd_mini import Trainer, datasets, nn, optim
from autograd_mini.native.build import compiler
from vectorized import moons_numpy, networks, ours, rivals
from vectorized.timing import ON_NUMPY, OURS, Contender, Mark, Work, trajectory

SIZES = (2, 16, 16, 1)
LAMBDA, LR = 1e-4, 0.01
X, LABELS = datasets.moons(n=100, noise=0.1, seed=0)
TARGETS = 2.0 * LABELS - 1.0
EPOCH = 20
EXPANDED = f"{OURS}, expanded"


def loss_of(network: nn.MLP, predict: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Return one example's loss with the penalty, as a function of Values."""
    parameters = networks.parameters(network)

    def loss(x: Any, t: Any) -> Any:
        return nn.losses.hinge(predict(x), t) + LAMBDA * sum(p * p for p in parameters)

    return loss


def own_loss() -> Callable[[Any, Any], Any]:
    """Return the loss of a new network made of `Neuron`s."""
    network = networks.model(SIZES, "relu")
    return loss_of(network, network)


def own(predict_of: Callable[[nn.MLP], Callable[[Any], Any]]) -> Contender:
    """Return this library's way, for a way of writing the model."""
    network = networks.model(SIZES, "relu")
    training = ours.Training(loss_of(network, predict_of(network)), X, TARGETS, LR)
    parameters = networks.parameters(network)

    def theta() -> list[float]:
        training.write_back()
        return [p.data for p in parameters]

    column = TARGETS[:, np.newaxis]

    def step() -> float:
        return training.step(X, column)

    return Contender(step, trajectory(step, theta))


def own_trainer() -> Contender:
    """Return this library's way through `Trainer`."""

    def trainer(**options: Any) -> Trainer:
        network = networks.model(SIZES, "relu")
        optimizer = optim.SGD(networks.parameters(network), lr=LR)
        return Trainer(network, "hinge", optimizer, len(X), penalty=nn.L2(LAMBDA, include_biases=True), **options)

    examples = np.tile(X, (EPOCH, 1)), np.tile(TARGETS, EPOCH)
    return ours.through_trainer(trainer, examples, EPOCH, checked=(X, TARGETS), steps=3)


def by_hand_in_c() -> Contender:
    """Return C by hand, compiled here and now for this processor."""
    command = compiler()
    if command is None:
        raise ImportError("a C compiler isn't there", name="a C compiler")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        made = Path(folder, "moons_step.so")
        source = Path(__file__).with_name("moons_step.c")
        flags = ["-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run([*command, *flags, str(source), "-o", str(made)], check=True)
        function = ctypes.CDLL(str(made)).step
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p] * 3 + [ctypes.c_double] * 2
    arrays = theta, _, _ = networks.theta(SIZES, "relu"), X.T.copy(), TARGETS
    step = functools.partial(function, *(array.ctypes.data for array in arrays), LAMBDA, LR)
    step.arrays = arrays  # type: ignore[attr-defined]  # they are kept while C has their addresses
    return Contender(step, trajectory(step, lambda: theta))


def pytorch() -> Contender:
    """Return PyTorch's way, as its tutorials write it."""
    torch = rivals.torch()
    network = networks.torch_model(torch, SIZES, torch.nn.ReLU, "relu")
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    parameters = list(network.parameters())
    x, t = torch.from_numpy(X), torch.from_numpy(TARGETS)

    def step() -> Any:
        optimizer.zero_grad()
        scores = network(x).squeeze(1)
        loss = torch.relu(1.0 - t * scores).mean() + LAMBDA * sum((p * p).sum() for p in parameters)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Contender(step, trajectory(step, lambda: networks.torch_theta(network)))


def pytorch_compiled() -> Contender:
    """Return ``torch.compile`` of the whole step: loss, gradient and update in one graph."""
    torch = rivals.compiling_torch()
    parameters = [torch.from_numpy(part) for pair in networks.layers(SIZES, "relu") for part in pair]
    x, t = torch.from_numpy(X), torch.from_numpy(TARGETS)

    def loss_at(parameters: list[Any], x: Any, t: Any) -> Any:
        h = x
        for W, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            h = torch.relu(torch.nn.functional.linear(h, W, b))
        scores = torch.nn.functional.linear(h, *parameters[-2:]).squeeze(1)
        return torch.relu(1.0 - t * scores).mean() + LAMBDA * sum((p * p).sum() for p in parameters)

    @torch.compile(fullgraph=True)  # type: ignore[untyped-decorator, unused-ignore]
    def compiled(parameters: list[Any], x: Any, t: Any) -> Any:
        gradients, loss = torch.func.grad_and_value(loss_at)(parameters, x, t)
        for p, gradient in zip(parameters, gradients, strict=True):
            p.sub_(LR * gradient)
        return loss

    def step() -> Any:
        with torch.inference_mode():
            return compiled(parameters, x, t)

    def theta() -> Any:
        arrays = [p.numpy() for p in parameters]
        return networks.joined(list(zip(arrays[::2], arrays[1::2], strict=True)))

    return Contender(step, trajectory(step, theta))


def jax_loss(jax: Any) -> Callable[..., Any]:
    """Return a new function of JAX: the mean loss of examples."""
    jnp = jax.numpy

    def loss(parameters: Any, x: Any, t: Any) -> Any:
        h = x
        for W, b in parameters[:-1]:
            h = jax.nn.relu(h @ W.T + b)
        W, b = parameters[-1]
        scores = (h @ W.T + b)[:, 0]
        penalty = sum(jnp.sum(p * p) for p in jax.tree.leaves(parameters))
        return jnp.mean(jax.nn.relu(1.0 - t * scores)) + LAMBDA * penalty

    return loss


def jax_jit() -> Contender:
    """Return JAX's way: the whole step under ``jit``, the old parameters' memory given to the new ones."""
    jax = rivals.jax()
    loss = jax_loss(jax)

    def whole_step(parameters: Any, x: Any, t: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(parameters, x, t)
        return jax.tree.map(lambda p, g: p - LR * g, parameters, gradient), value

    compiled = jax.jit(whole_step, donate_argnums=0)
    x, t = jax.numpy.asarray(X), jax.numpy.asarray(TARGETS)
    parameters = jax.tree.map(jax.numpy.array, networks.layers(SIZES, "relu"))

    def step() -> Any:
        nonlocal parameters
        parameters, value = compiled(parameters, x, t)
        return value

    return Contender(step, trajectory(step, lambda: networks.joined(parameters)))


def micrograd() -> Contender:
    """Return micrograd's way, as in its demo; a step takes it a second."""
    import micrograd.engine
    import micrograd.nn

    network = micrograd.nn.MLP(SIZES[0], list(SIZES[1:]))
    parameters = network.parameters()
    for parameter, number in zip(parameters, networks.theta(SIZES, "relu").tolist(), strict=True):
        parameter.data = number
    targets = TARGETS.tolist()

    def step() -> float:
        inputs = [[micrograd.engine.Value(number) for number in row] for row in X.tolist()]
        losses = [(1 + -t * network(row)).relu() for row, t in zip(inputs, targets, strict=True)]
        total = sum(losses) * (1.0 / len(losses)) + LAMBDA * sum(p * p for p in parameters)
        network.zero_grad()
        total.backward()
        for p in parameters:
            p.data -= LR * p.grad
        return float(total.data)

    return Contender(step, trajectory(step, lambda: np.array([p.data for p in parameters])), rounds=5)


WORK = Work(
    key="moons",
    title="moons step through the program: MLP 2-16-16-1 ReLU, hinge, L2, batch 100, float64, SGD",
    unit="µs",
    per_second=1e6,
    ours={
        OURS: lambda: own(lambda network: network),
        EXPANDED: lambda: own(lambda network: networks.expanded(network, lambda z: z.relu())),
    },
    rivals={
        "hand-written C": by_hand_in_c,
        "hand-written NumPy": lambda: moons_numpy.buffered(SIZES, X, TARGETS, LAMBDA, LR),
        "hand-written NumPy, tuned": lambda: moons_numpy.tuned(SIZES, X, TARGETS, LAMBDA, LR),
        "textbook NumPy": lambda: moons_numpy.textbook(SIZES, X, TARGETS, LAMBDA, LR),
        "JAX jit": jax_jit,
        "torch.compile": pytorch_compiled,
        "PyTorch eager": pytorch,
        "micrograd": micrograd,
    },
    marks=(
        Mark(ON_NUMPY, 2.2),
        Mark("hand-written C", 0.6, before=0.31),
        Mark(OURS, 1 / 1.2, ours=EXPANDED, before=1.00),
        Mark("hand-written NumPy", 1 / 1.2, before=0.96),
        Mark("hand-written NumPy, tuned", before=0.82),
        Mark("textbook NumPy", 2.0, before=3.71),
        Mark("JAX jit", 3.0, before=1.44),
        Mark("torch.compile", 3.0),
        Mark("PyTorch eager", 12.0),
        Mark("micrograd", 10_000.0, before=16_504.0),
    ),
)

THROUGH_TRAINER = Work(
    key="moons-trainer",
    title=f"moons step through Trainer, the mean of whole epochs of {EPOCH} steps",
    unit="µs",
    per_second=1e6,
    ours={OURS: own_trainer},
    rivals={"torch.compile": pytorch_compiled, "PyTorch eager": pytorch},
    marks=(Mark(ON_NUMPY, 3.0), Mark("torch.compile", 8.0), Mark("PyTorch eager", 30.0)),
)
