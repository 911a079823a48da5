"""What the works ask of the vectorizer, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini import Trainer, vectorize
from autograd_mini.training.stopping import StoppingRule
from autograd_mini.vectorizer.compiled import Compiled
from autograd_mini.vectorizer.running import Resident
from vectorized import networks
from vectorized.timing import Contender, now

Array = np.ndarray[Any, Any]


class Training:
    """Gradient descent on the flat array of a program's parameters, as `Trainer` does it.

    Parameters
    ----------
    function : callable
        One example's loss, of Values.
    X, Y : numpy.ndarray
        Examples to trace it with.
    lr : float
        The learning rate.
    """

    def __init__(self, function: Callable[..., Any], X: Array, Y: Array, lr: float) -> None:
        self.resident = _resident(function, X, Y)
        self.lr = lr
        self._change = np.empty_like(self.resident.theta)

    def step(self, X: Array, Y: Array) -> float:
        """Take a step down the gradient of the examples' mean loss, and return that loss; both have a row for each."""
        resident, change = self.resident, self._change
        loss = resident.loss((X, Y), len(X))
        np.multiply(resident.gradient, self.lr, out=change)
        np.subtract(resident.theta, change, out=resident.theta)
        return loss

    def write_back(self) -> None:
        """Put the trained numbers into the parameters."""
        for leaf, number in zip(self.resident.leaves, self.resident.theta.tolist(), strict=True):
            leaf.data = number


def _resident(function: Callable[..., Any], *arrays: Array) -> Resident:
    """Return the program of a function, with parameters of its own."""
    names = [f"x{k}" for k in range(len(arrays))]
    return Resident(Compiled(function, [array[0] for array in arrays], names, "parameters", "float64"))


class Clock(StoppingRule):
    """Ends no training, but writes down when each epoch ended."""

    looks_at_parameters = False

    def __init__(self) -> None:
        self.ends: list[Array] = []

    def should_stop(self, epoch: int, loss: float, parameters: Sequence[Any]) -> bool:
        """Return False."""
        self.ends.append(now())
        return False

    def passed(self) -> Array:
        """Return the seconds from the end of the first epoch to that of the last."""
        return self.ends[-1] - self.ends[0]


EPOCHS = 20


def through_trainer(
    make: Callable[..., Trainer],
    examples: tuple[Array, Array],
    per_epoch: int,
    checked: tuple[Array, Array],
    steps: int,
) -> Contender:
    """Return the way through `Trainer`: whole epochs, but without the start of `fit` and the first epoch.

    Parameters
    ----------
    make : callable
        Returns a new trainer, given some further options of it.
    examples : tuple of numpy.ndarray
        What to train on.
    per_epoch : int
        How often an epoch does the work.
    checked, steps : tuple of numpy.ndarray, int
        The examples and the number of epochs, in their order, after which the numbers must be those of the others.
    """
    clock = Clock()
    trainer = make(epochs=1 + EPOCHS, stopping=clock, progress=False)

    def run() -> None:
        clock.ends.clear()
        trainer.fit(*examples)

    def numbers() -> list[float]:
        other = make(epochs=steps, sampling="order", progress=False)
        history = other.fit(*checked)
        return [*history.loss, *(p.data for p in networks.parameters(other.model))]

    return Contender(run, numbers, share=EPOCHS * per_epoch, clock=clock.passed)


def on_flat_array(function: Callable[[], Any], values: Sequence[Any]) -> Callable[[Array], Any]:
    """Return value and gradient of a function without inputs, as a function of the array of its parameters."""
    resident = _resident(function)
    place = {leaf: k for k, leaf in enumerate(resident.leaves)}
    order = np.array([place[value] for value in values])
    theta, gradient = resident.theta, resident.gradient
    if np.array_equal(order, np.arange(len(order))):
        order = slice(None)

    def evaluate(point: Array) -> Any:
        theta[order] = point
        return resident.loss((), 1), gradient[order]

    return evaluate


def at_two_numbers(function: Callable[[], Any], a: Any, b: Any) -> Callable[[Sequence[float]], Any]:
    """Return value and gradient of a function of two Values, as a function of their numbers."""
    program = vectorize(function, threads=1)
    program.value_and_grad()
    if program.parameters != [a, b]:
        raise AssertionError("the gradient comes in another order than the values were given in")

    def evaluate(numbers: Sequence[float]) -> Any:
        a.data, b.data = numbers
        return program.value_and_grad()

    return evaluate


def first_gradient(function: Callable[..., Any], X: Array, Y: Array) -> tuple[float, Array]:
    """Return the loss and the gradient of a function that is met for the first time."""
    loss, gradient = vectorize(function).value_and_grad(X, Y)
    return float(loss), gradient


def values_and_derivatives(function: Callable[..., Any]) -> Callable[[Array], tuple[Array, Array]]:
    """Return the function that gives every example's value and its derivatives by the inputs."""
    program = vectorize(function, threads=1)
    return program.value_and_gradients


def lifted(function: Callable[..., Any], X: Array) -> Any:
    """Return the program of a function: traced, grouped, emitted and compiled by one run."""
    program = vectorize(function, check=False)
    program(X)
    return program
