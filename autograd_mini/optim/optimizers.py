"""Optimizers as PyTorch has them: ``step()`` after ``backward()``, ``zero_grad()`` before the next one.

A rule is written once, on arrays: all parameters of a network are one flat array to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_mini.value import Value

Array = np.ndarray[Any, Any]


class Optimizer:
    """What optimizers have in common: the parameters, and the step from gradients to new data.

    A subclass defines ``update(data, grad)`` on flat arrays and may keep arrays of that shape in ``state``.

    Parameters
    ----------
    parameters : iterable of Value
        What to change, as in ``model.parameters()``.
    lr : float
        The learning rate, above 0.

    Raises
    ------
    ValueError
        If there are no parameters, or the learning rate isn't a finite number above 0.
    TypeError
        If a parameter isn't a Value.
    """

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        if not isinstance(parameters, Iterable):
            raise TypeError(f"expected a list of parameters, as in model.parameters(), got {type(parameters).__name__}")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("the optimizer got no parameters; pass model.parameters()")
        for parameter in self.parameters:
            if not isinstance(parameter, Value):
                raise TypeError(f"expected parameters that are Values, got {type(parameter).__name__}")
        self.lr = checked("lr", lr, above=0.0)
        self.state: dict[str, Array] = {}

    def update(self, data: Array, grad: Array) -> Array:
        """Return the new data of the parameters from the old and the gradient."""
        raise NotImplementedError(f"{type(self).__name__} has no update rule; define update(self, data, grad)")

    def step(self) -> None:
        """Change every parameter by the rule, from its present gradient."""
        data = np.array([parameter.data for parameter in self.parameters])
        grad = np.array([_plain(parameter.grad) for parameter in self.parameters])
        with np.errstate(all="ignore"):
            new = self.update(data, grad)
        for parameter, number in zip(self.parameters, new.tolist(), strict=True):
            parameter.data = number

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters:
            parameter.grad = 0.0


def _plain(grad: Any) -> float:
    """Return a gradient as a number; one that can be differentiated again is a node."""
    return 0.0 if grad is None else grad.data if isinstance(grad, Value) else grad


def checked(
    name: str, number: Any, *, above: float = -math.inf, least: float = -math.inf, below: float = math.inf
) -> float:
    """Return a hyperparameter as a float.

    Raises
    ------
    ValueError
        If it is no number between the bounds.
    """
    valid = isinstance(number, (int, float, np.integer, np.floating)) and not isinstance(number, bool)
    if not valid or not (above < number < below and number >= least):
        bounds = [f"above {above:g}"] * (above > -math.inf) + [f"at least {least:g}"] * (least > -math.inf)
        bounds += [f"below {below:g}"] * (below < math.inf)
        raise ValueError(f"{name}: expected a finite number {' and '.join(bounds)}, got {number!r}")
    return float(number)


class SGD(Optimizer):
    """Gradient descent: θ ← θ - η∇L, with momentum v ← μv + ∇L, θ ← θ - ηv.

    Parameters
    ----------
    parameters : iterable of Value
        What to change.
    lr : float
        η, the learning rate.
    momentum : float, optional
        μ, from 0 to below 1.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> optimizer = SGD([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    2.4
    """

    def __init__(self, parameters: Iterable[Value], lr: float = 1e-3, momentum: float = 0.0) -> None:
        super().__init__(parameters, lr)
        self.momentum = checked("momentum", momentum, least=0.0, below=1.0)

    def update(self, data: Array, grad: Array) -> Array:
        """Return θ - ηv."""
        if self.momentum:
            velocity = self.state.get("velocity")
            grad = self.state["velocity"] = grad if velocity is None else self.momentum * velocity + grad
        return data - self.lr * grad
