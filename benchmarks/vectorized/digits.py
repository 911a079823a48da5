"""An epoch on scikit-learn's digits: MLP 64-32-10 with tanh, softmax cross-entropy, shuffled batches of 32, SGD.

Through the program, in a loop over the batches, and through `Trainer`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_mini import Trainer, nn, optim
from vectorized import digits_numpy, networks, ours, rivals
from vectorized.timing import OURS, Contender, Mark, Work

SIZES = (64, 32, 10)
BATCH, LR = 32, 0.1
SCAN = "JAX jit, scan over the epoch"
Array = np.ndarray[Any, Any]


@functools.cache
def data() -> tuple[Array, Array]:
    """Return the 1,797 images, scaled to [0, 1], and their classes."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


def one_hot() -> Array:
    """Return the classes as rows of the identity, which NumPy's versions take."""
    return np.eye(SIZES[-1])[data()[1]]


def batches(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Iterate over the batches of an epoch; the last one is smaller."""
    for start in range(0, len(arrays[0]), BATCH):
        yield tuple(array[start : start + BATCH] for array in arrays)


def contender(epoch: Callable[[Any], Any], theta: Callable[[], Any]) -> Contender:
    """Return the contender that does an epoch, which is given the order of the examples and returns the mean loss."""
    n = len(data()[0])
    rng = np.random.default_rng(0)
    return Contender(
        run=lambda: epoch(rng.permutation(n)),
        numbers=lambda: np.concatenate([[float(epoch(np.arange(n)))], np.ravel(theta())]),
    )


def own_loss() -> Callable[[Any, Any], Any]:
    """Return one example's loss of a new network."""
    return loss_of(networks.model(SIZES, "tanh"))


def loss_of(network: nn.MLP) -> Callable[[Any, Any], Any]:
    """Return one example's cross-entropy, as a function of Values."""
    return lambda x, t: nn.cross_entropy(network(x), t)


def own() -> Contender:
    """Return this library's way."""
    network = networks.model(SIZES, "tanh")
    X, y = data()
    training = ours.Training(loss_of(network), X[:BATCH], y[:BATCH], LR)
    parameters = networks.parameters(network)
    column = y[:, np.newaxis]

    def epoch(order: Any) -> float:
        total = 0.0
        for x, t in batches(X[order], column[order]):
            total += training.step(x, t) * len(x)
        return total / len(X)

    def theta() -> list[float]:
        training.write_back()
        return [p.data for p in parameters]

    return contender(epoch, theta)


def own_trainer() -> Contender:
    """Return this library's way through `Trainer`."""

    def trainer(**options: Any) -> Trainer:
        network = networks.model(SIZES, "tanh")
        optimizer = optim.SGD(networks.parameters(network), lr=LR)
        return Trainer(network, "cross_entropy", optimizer, BATCH, **options)

    return ours.through_trainer(trainer, data(), 1, checked=data(), steps=1)


def pytorch() -> Contender:
    """Return PyTorch's way, with the batches cut from one shuffled tensor (its DataLoader is slower)."""
    torch = rivals.torch()
    network = networks.torch_model(torch, SIZES, torch.nn.Tanh, "tanh")
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    loss_of_batch = torch.nn.CrossEntropyLoss()
    X, y = (torch.from_numpy(array) for array in data())

    def epoch(order: Any) -> Any:
        chosen = torch.from_numpy(order)
        total = torch.zeros((), dtype=torch.float64)
        for x, t in batches(X[chosen], y[chosen]):
            optimizer.zero_grad()
            loss = loss_of_batch(network(x), t)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x)
        return total / len(X)

    return contender(epoch, lambda: networks.torch_theta(network))


def scikit_learn() -> Contender:
    """Return ``MLPClassifier.partial_fit`` with plain SGD: each call is an epoch that shuffles by itself."""
    from sklearn.neural_network import MLPClassifier

    X, y = data()

    def classifier(shuffle: bool) -> Any:
        made = MLPClassifier(
            SIZES[1:-1],
            activation="tanh",
            solver="sgd",
            alpha=0.0,
            batch_size=BATCH,
            learning_rate_init=LR,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=shuffle,
            random_state=0,
        )
        made.partial_fit(X[:BATCH], y[:BATCH], classes=np.arange(SIZES[-1]))  # makes the arrays, which we then fill
        for W, b, (W0, b0) in zip(made.coefs_, made.intercepts_, networks.layers(SIZES, "tanh"), strict=True):
            W[...], b[...] = W0.T, b0
        return made

    shuffling = classifier(shuffle=True)

    def numbers() -> Any:
        in_order = classifier(shuffle=False)
        in_order.partial_fit(X, y)
        pairs = [(W.T, b) for W, b in zip(in_order.coefs_, in_order.intercepts_, strict=True)]
        return np.concatenate([[in_order.loss_], networks.joined(pairs)])

    return Contender(lambda: shuffling.partial_fit(X, y), numbers)


def jax_loss(jax: Any) -> Callable[..., Any]:
    """Return a new function of JAX: the mean cross-entropy of examples."""
    jnp = jax.numpy

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        (W1, b1), (W2, b2) = parameters
        z = jnp.tanh(x @ W1.T + b1) @ W2.T + b2
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])

    return loss


def jax_step(jax: Any) -> Callable[..., Any]:
    """Return JAX's step, which also adds up the losses."""
    loss = jax_loss(jax)

    def step(parameters: Any, total: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        return jax.tree.map(lambda p, g: p - LR * g, parameters, gradient), total + value * len(x)

    return step


def jax_jit() -> Contender:
    """Return JAX's way: the whole step under ``jit``, called for each batch."""
    jax = rivals.jax()
    step = jax.jit(jax_step(jax), donate_argnums=(0, 1))
    parameters = jax.tree.map(jax.numpy.array, networks.layers(SIZES, "tanh"))
    X, y = data()

    def epoch(order: Any) -> Any:
        nonlocal parameters
        total = jax.numpy.zeros(())
        for x, t in batches(X[order], y[order]):
            parameters, total = step(parameters, total, x, t)
        return float(total) / len(X)

    return contender(epoch, lambda: networks.joined(parameters))


def jax_scan() -> Contender:
    """Return JAX's other way: the whole epoch under ``jit``, as a ``scan`` over the batches."""
    jax = rivals.jax()
    step = jax_step(jax)
    X, y = (jax.numpy.asarray(array) for array in data())
    whole = len(X) // BATCH * BATCH

    def whole_epoch(parameters: Any, order: Any) -> Any:
        def body(carry: Any, chosen: Any) -> Any:
            return step(*carry, X[chosen], y[chosen]), None

        start = (parameters, jax.numpy.zeros(()))
        carry, _ = jax.lax.scan(body, start, order[:whole].reshape(-1, BATCH))
        return step(*carry, X[order[whole:]], y[order[whole:]])

    compiled = jax.jit(whole_epoch, donate_argnums=0)
    parameters = jax.tree.map(jax.numpy.array, networks.layers(SIZES, "tanh"))

    def epoch(order: Any) -> Any:
        nonlocal parameters
        parameters, total = compiled(parameters, order)
        return float(total) / len(X)

    return contender(epoch, lambda: networks.joined(parameters))


WORK = Work(
    key="digits",
    title="digits epoch through the program: MLP 64-32-10 tanh, softmax cross-entropy, batch 32, float64, SGD",
    unit="ms",
    per_second=1e3,
    ours={OURS: own},
    rivals={
        "hand-written NumPy": lambda: contender(*digits_numpy.buffered(SIZES, LR, BATCH, data()[0], one_hot())),
        "textbook NumPy": lambda: contender(*digits_numpy.textbook(SIZES, LR, BATCH, data()[0], one_hot())),
        "JAX jit": jax_jit,
        SCAN: jax_scan,
        "scikit-learn": scikit_learn,
        "PyTorch eager": pytorch,
    },
    marks=(
        Mark("hand-written NumPy", before=0.84),
        Mark("textbook NumPy", 1.3, before=1.34),
        Mark("JAX jit", 1.0, before=1.32),
        Mark(SCAN, before=0.54),
        Mark("scikit-learn", 4.0, before=5.66),
        Mark("PyTorch eager", 5.0),
    ),
)

THROUGH_TRAINER = Work(
    key="digits-trainer",
    title="digits epoch through Trainer",
    unit="ms",
    per_second=1e3,
    ours={OURS: own_trainer},
    rivals={SCAN: jax_scan, "scikit-learn": scikit_learn, "PyTorch eager": pytorch},
    marks=(Mark(SCAN, 1.2, before=0.34), Mark("scikit-learn", 8.0, before=3.86), Mark("PyTorch eager", 10.0)),
)
