"""`Trainer`: the loop of the lectures: feed forward, compute the loss, back-propagate, update; epoch after epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_mini.modes import no_grad
from autograd_mini.nn.losses import LOSSES, Loss
from autograd_mini.nn.module import Module
from autograd_mini.optim import Optimizer
from autograd_mini.training.data import Array, checked_features, checked_targets, mini_batches
from autograd_mini.training.history import History
from autograd_mini.training.progress import progress_bar
from autograd_mini.value import Constant, Value


class NonFiniteLossError(ArithmeticError):
    """The loss became infinite or nan; the model has the parameters of the last batch where it was finite."""


class Trainer:
    """Train a model by mini-batch gradient descent.

    θ ← θ - η ∇ (1/m Σ loss(f(xᵢ), yᵢ) + penalty), over batches of m examples, shuffled anew each epoch.

    Parameters
    ----------
    model : Module
        Called with one example's features.
    loss : str or callable
        ``loss(prediction, target)`` for one example, or its name: "squared_error", "hinge", "binary_cross_entropy",
        "binary_cross_entropy_with_logits", "cross_entropy".
    optimizer : Optimizer
        Made with the model's parameters.
    batch_size : int or None, optional
        m: 1 for one example at a time, None for all of them at once.
    epochs : int, optional
        How many times `fit` goes through the examples.
    seed : int, optional
        Where the shuffling comes from; two trainings with one seed are equal to the bit.
    penalty : callable, optional
        ``penalty(model)``, a Value to be added to the mean loss of every batch.
    validation : tuple of (X, y), optional
        Examples on which the loss is taken after every epoch.
    progress : bool, optional
        Whether to show a progress bar; by default in a terminal and in Jupyter only.

    Raises
    ------
    ValueError
        If a number is out of its range, no loss has the name, or `validation` isn't a pair.
    TypeError
        If `optimizer` is a class instead of an optimizer.

    Examples
    --------
    >>> from autograd_mini import datasets
    >>> from autograd_mini.nn import MLP
    >>> from autograd_mini.optim import SGD
    >>> X, y = datasets.linear(n=50, noise=0.0, seed=0)
    >>> model = MLP(1, [1], rng=0)
    >>> trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), batch_size=10, epochs=30)
    >>> history = trainer.fit(X, y)
    >>> history.loss[-1] < 1e-6
    True
    """

    def __init__(
        self,
        model: Module,
        loss: str | Loss,
        optimizer: Optimizer,
        batch_size: int | None = 32,
        epochs: int = 100,
        seed: int | None = 0,
        penalty: Callable[[Any], Any] | None = None,
        validation: tuple[Any, Any] | None = None,
        progress: bool | None = None,
    ) -> None:
        self.model = model
        self.loss = _loss_function(loss)
        if isinstance(optimizer, type):
            raise TypeError(
                f"expected an optimizer, got the class; write {optimizer.__name__}(model.parameters(), lr=0.1)"
            )
        self.optimizer = optimizer
        self.batch_size = None if batch_size is None else _at_least_one("batch_size", batch_size)
        self.epochs = _at_least_one("epochs", epochs)
        self.penalty = penalty
        if validation is not None and len(validation) != 2:
            raise ValueError(f"validation: expected a pair (X, y), got {len(validation)} things")
        self.validation = validation
        self.progress = progress
        self.rng = np.random.default_rng(seed)
        self.history = History()

    def fit(self, X: Any, y: Any) -> History:
        """Train for `epochs` epochs; called again, go on from where it stopped.

        Parameters
        ----------
        X : array_like of shape (n, d)
            One example a row.
        y : array_like of shape (n,) or (n, k)
            The targets.

        Returns
        -------
        History
            The losses of all epochs so far.

        Raises
        ------
        ValueError
            If the examples are empty, of the wrong width, or hold nan or infinite numbers, or if the loss can't take a
            target, before any work.
        NonFiniteLossError
            If the loss or a parameter becomes infinite or nan, saying in which epoch and batch. The model then has the
            parameters of the last batch at which the loss was finite, and the optimizer forgets its momentum.
        """
        rows, targets = self._checked(X, y, "X", "y")
        validation = None
        if self.validation is not None:
            validation = self._checked(*self.validation, "validation X", "validation y")
        self.model.train()
        last_finite = [parameter.data for parameter in self.optimizer.parameters]
        with progress_bar(self.epochs, "epoch", self.progress) as bar:
            for _ in range(self.epochs):
                total = 0.0
                batches = mini_batches(len(rows), self.batch_size, self.rng)
                for number, batch in enumerate(batches, start=1):
                    loss = self._gradients([rows[i] for i in batch], [targets[i] for i in batch])
                    if not math.isfinite(loss):
                        self._stop(f"the loss became {loss}", number, last_finite)
                    last_finite = [parameter.data for parameter in self.optimizer.parameters]
                    self.optimizer.step()
                    if not all(math.isfinite(parameter.data) for parameter in self.optimizer.parameters):
                        self._stop("a parameter became infinite or nan", number, last_finite)
                    total += loss * len(batch)
                self.history.loss.append(total / len(rows))
                if validation is not None:
                    self.history.validation_loss.append(self._mean_loss(*validation))
                bar.set_postfix(_latest(self.history), refresh=False)
                bar.update()
        return self.history

    def _gradients(self, rows: list[Any], targets: list[Any]) -> float:
        """Put the gradient of a batch's mean loss into the parameters, and return that loss.

        Each example's graph is propagated back and dropped before the next: a graph of one example stays in the cache.
        """
        self.optimizer.zero_grad()
        share = 1.0 / len(rows)
        total = 0.0
        for row, target in zip(rows, targets, strict=True):
            loss = _node(self.loss(self.model(row), target))
            if not math.isfinite(loss.data):
                return float(loss.data)
            loss.backward(share)
            total += loss.data
        penalty = self.penalty(self.model) if self.penalty is not None else 0.0
        if isinstance(penalty, Value):
            penalty.backward()
            return float(total * share + penalty.data)
        return float(total * share + penalty)

    def _stop(self, what: str, batch: int, last_finite: list[float]) -> None:
        for parameter, number in zip(self.optimizer.parameters, last_finite, strict=True):
            parameter.data = number
        self.optimizer.state.clear()
        raise NonFiniteLossError(
            f"{what} in epoch {len(self.history) + 1}, batch {batch}; the model has the parameters of the last batch "
            f"where the loss was finite. Try a smaller learning rate than {self.optimizer.lr:g}, or scale the features"
        )

    def predict(self, X: Any) -> Array:
        """Return the model's outputs for every row, in evaluation mode.

        Parameters
        ----------
        X : array_like of shape (n, d)
            One example a row.

        Returns
        -------
        numpy.ndarray
            Of shape (n,) for one output, (n, k) for k.
        """
        rows = checked_features(X, getattr(self.model, "n_inputs", None)).tolist()
        with _evaluating(self.model), no_grad():
            return np.array([_plain(self.model(row)) for row in rows])

    def evaluate(self, X: Any, y: Any) -> float:
        """Return the mean loss on examples, in evaluation mode and without the penalty."""
        return self._mean_loss(*self._checked(X, y, "X", "y"))

    def _mean_loss(self, rows: list[Any], targets: list[Any]) -> float:
        with _evaluating(self.model), no_grad():
            losses = [_node(self.loss(self.model(row), target)).data for row, target in zip(rows, targets, strict=True)]
        return float(sum(losses)) / len(losses)

    def _checked(self, X: Any, y: Any, X_name: str, y_name: str) -> tuple[list[Any], list[Any]]:
        features = checked_features(X, getattr(self.model, "n_inputs", None), X_name)
        targets = checked_targets(y, len(features), y_name)
        self._try_out(features[0].tolist(), targets.tolist())
        return features.tolist(), targets.tolist()

    def _try_out(self, row: list[float], targets: list[Any]) -> None:
        """Compute losses of one example and drop them, so that a target the loss can't take is found before any work.

        The library's own losses are shown every target there is; a function of one's own only the first.
        """
        is_known = any(self.loss is loss for loss in LOSSES.values())
        with _evaluating(self.model), no_grad():
            prediction = self.model(row)
            for target in _distinct(targets) if is_known else targets[:1]:
                self.loss(prediction, target)


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    """Put a model into evaluation mode, and each part of it back into the mode it was in."""
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _distinct(targets: list[Any]) -> list[Any]:
    return list(dict.fromkeys(tuple(target) if isinstance(target, list) else target for target in targets))


def _node(number: Any) -> Value:
    """Return a result as a node; a loss or a model of one's own may return a bare number."""
    return number if isinstance(number, Value) else Constant(number)


def _plain(output: Any) -> Any:
    if isinstance(output, (list, tuple, np.ndarray)):
        return [_node(part).data for part in output]
    return _node(output).data


def _latest(history: History) -> dict[str, str]:
    shown = {"loss": f"{history.loss[-1]:.4f}"}
    if history.validation_loss:
        shown["validation"] = f"{history.validation_loss[-1]:.4f}"
    return shown


def _loss_function(loss: str | Loss) -> Loss:
    if callable(loss):
        return loss
    if not isinstance(loss, str) or loss not in LOSSES:
        raise ValueError(f"no loss is named {loss!r}; choose one of {', '.join(LOSSES)}, or pass a function")
    return LOSSES[loss]


def _at_least_one(name: str, number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {number!r}")
    return int(number)
