"""The rules: how a gradient becomes a change of the parameters. Signatures, defaults and results are PyTorch's.

θ are the parameters, g is the gradient, η the learning rate and λ the weight decay. Products and powers of arrays are
taken element by element: every parameter has a state of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from autograd_mini.checks import checked, checked_flag
from autograd_mini.engine.value import Value
from autograd_mini.optim.base import Optimizer, Rate

_MOST_STEPS = 2**53  # up to here a float holds every whole number


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

    With g ← g + λθ, the velocity is v ← μv + (1 - τ)g, at the first step v ← g, and θ ← θ - ηv; without momentum
    θ ← θ - ηg; and after Nesterov θ ← θ - η(g + μv). Stochastic by the batches that the gradient is taken from.

    The velocity is that of Polyak (1964); the look ahead is that of Nesterov (1983) in the form of Sutskever and
    others, "On the importance of initialization and momentum in deep learning" (2013).

    Parameters
    ----------
    parameters : iterable of Value
        What to change.
    lr : float or Schedule, optional
        η, the learning rate.
    momentum : float, optional
        μ, from 0 to below 1.
    dampening : float, optional
        τ, from 0 to 1.
    weight_decay : float, optional
        λ, at least 0: the gradient of the penalty ½λ‖θ‖².
    nesterov : bool, optional
        Whether to look ahead; needs momentum and no dampening.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range, or `nesterov` lacks momentum or has dampening.

    Examples
    --------
    >>> x = Value(3.0)
    >>> optimizer = SGD([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    2.4
    """

    _most: ClassVar = {"step": _MOST_STEPS}

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: Rate = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = checked("momentum", momentum, least=0.0, below=1.0)
        self.dampening = checked("dampening", dampening, least=0.0, most=1.0)
        self.weight_decay = checked("weight_decay", weight_decay, least=0.0)
        self.nesterov = checked_flag("nesterov", nesterov)
        if self.nesterov and (not self.momentum or self.dampening):
            raise ValueError(
                f"nesterov: expected momentum above 0 and dampening 0 with it, got momentum {self.momentum:g} and "
                f"dampening {self.dampening:g}; set both, or leave nesterov out"
            )
        self.state = self.initial_state()

    def initial_state(self) -> dict[str, float]:
        """Return no steps and no velocity."""
        return {"step": 0, "momentum_buffer": 0.0}

    def update(self, data: Any, grad: Any) -> Any:
        """Return θ - ηv, from θ and g."""
        grad = _with_decay(data, grad, self.weight_decay)
        if self.momentum:
            share = 1.0 - self.dampening * (self.state["step"] > 0)
            self.state["step"] = self.state["step"] + 1
            velocity = self.state["momentum_buffer"] = self.momentum * self.state["momentum_buffer"] + share * grad
            grad = grad + self.momentum * velocity if self.nesterov else velocity
        return data - self.lr * grad


class Adagrad(Optimizer):
    """Steps that get smaller for a parameter the more gradient it has had: θ ← θ - η_t g / (√s + ε).

    With g ← g + λθ, the sum of squares is s ← s + g², and the rate of step t = 1, 2, … is η_t = η / (1 + (t - 1)ρ).

    From Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization" (2011).

    Parameters
    ----------
    parameters : iterable of Value
        What to change.
    lr : float or Schedule, optional
        η, the learning rate.
    lr_decay : float, optional
        ρ, at least 0.
    weight_decay : float, optional
        λ, at least 0.
    initial_accumulator_value : float, optional
        What s begins with, at least 0.
    eps : float, optional
        ε, at least 0, against division by 0.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range.

    Examples
    --------
    >>> x = Value(3.0)
    >>> optimizer = Adagrad([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()  # the first step is of length η, whatever the gradient
    >>> round(x.data, 6)
    2.9
    """

    _most: ClassVar = {"step": _MOST_STEPS, "sum": math.inf}

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: Rate = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(parameters, lr)
        self.lr_decay = checked("lr_decay", lr_decay, least=0.0)
        self.weight_decay = checked("weight_decay", weight_decay, least=0.0)
        self.initial_accumulator_value = checked("initial_accumulator_value", initial_accumulator_value, least=0.0)
        self.eps = checked("eps", eps, least=0.0)
        self.state = self.initial_state()

    def initial_state(self) -> dict[str, float]:
        """Return no steps, and s as it begins."""
        return {"step": 0, "sum": self.initial_accumulator_value}

    def update(self, data: Any, grad: Any) -> Any:
        """Return θ - η_t g / (√s + ε), from θ and g."""
        grad = _with_decay(data, grad, self.weight_decay)
        rate = self.lr / (1.0 + self.state["step"] * self.lr_decay)
        self.state["step"] = self.state["step"] + 1
        total = self.state["sum"] = self.state["sum"] + grad * grad
        return data - rate * grad / (np.sqrt(total) + self.eps)


class RMSprop(Optimizer):
    """Steps measured by the recent size of the gradient: θ ← θ - η g / (√v + ε), where v ← αv + (1 - α)g².

    With g ← g + λθ. Centered, v less the square of the mean gradient ḡ ← αḡ + (1 - α)g stands under the root: the
    variance. With momentum b ← μb + g / (√v + ε) and θ ← θ - ηb.

    From Hinton, "Neural networks for machine learning", lecture 6e (2012); centered: Graves, "Generating sequences with
    recurrent neural networks" (2013).

    Parameters
    ----------
    parameters : iterable of Value
        What to change.
    lr : float or Schedule, optional
        η, the learning rate.
    alpha : float, optional
        α, from 0 to below 1: how much of the past is kept.
    eps : float, optional
        ε, at least 0, against division by 0.
    weight_decay : float, optional
        λ, at least 0.
    momentum : float, optional
        μ, from 0 to below 1.
    centered : bool, optional
        Whether to take the variance.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range.

    Examples
    --------
    >>> x = Value(3.0)
    >>> optimizer = RMSprop([x], lr=0.1, alpha=0.75)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    2.8
    """

    _most: ClassVar = {"square_avg": math.inf}

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: Rate = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(parameters, lr)
        self.alpha = checked("alpha", alpha, least=0.0, below=1.0)
        self.eps = checked("eps", eps, least=0.0)
        self.weight_decay = checked("weight_decay", weight_decay, least=0.0)
        self.momentum = checked("momentum", momentum, least=0.0, below=1.0)
        self.centered = checked_flag("centered", centered)
        self.state = self.initial_state()

    def initial_state(self) -> dict[str, float]:
        """Return v, ḡ and b at 0."""
        return {"square_avg": 0.0, "grad_avg": 0.0, "momentum_buffer": 0.0}

    def update(self, data: Any, grad: Any) -> Any:
        """Return θ - η g / (√v + ε), from θ and g."""
        grad = _with_decay(data, grad, self.weight_decay)
        state = self.state
        size = state["square_avg"] = self.alpha * state["square_avg"] + (1.0 - self.alpha) * grad * grad
        if self.centered:
            mean = state["grad_avg"] = self.alpha * state["grad_avg"] + (1.0 - self.alpha) * grad
            size = np.maximum(size - mean * mean, 0.0)  # below 0 by rounding, when the gradient hardly varies
        change = grad / (np.sqrt(size) + self.eps)
        if self.momentum:
            change = state["momentum_buffer"] = self.momentum * state["momentum_buffer"] + change
        return data - self.lr * change


class Adam(Optimizer):
    """Momentum, measured by the recent size of the gradient: θ ← θ - η m̂ / (√v̂ + ε).

    With g ← g + λθ, the averages are m ← β₁m + (1 - β₁)g and v ← β₂v + (1 - β₂)g². They begin at 0, and step
    t = 1, 2, … corrects for that: m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).

    From Kingma and Ba, "Adam: a method for stochastic optimization" (2015).

    Parameters
    ----------
    parameters : iterable of Value
        What to change.
    lr : float or Schedule, optional
        η, the learning rate.
    betas : pair of float, optional
        β₁ and β₂, from 0 to below 1.
    eps : float, optional
        ε, at least 0, against division by 0.
    weight_decay : float, optional
        λ, at least 0; in `AdamW` it acts on θ instead of g.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range.

    Examples
    --------
    >>> x = Value(3.0)
    >>> optimizer = Adam([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()  # the first step is of length η, whatever the gradient
    >>> round(x.data, 6)
    2.9
    """

    _most: ClassVar = {"step": _MOST_STEPS, "exp_avg_sq": math.inf}

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: Rate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"betas: expected two numbers, as in (0.9, 0.999), got {betas!r}")
        beta1, beta2 = (checked(f"betas[{i}]", beta, least=0.0, below=1.0) for i, beta in enumerate(betas))
        self.betas = (beta1, beta2)
        self.eps = checked("eps", eps, least=0.0)
        self.weight_decay = checked("weight_decay", weight_decay, least=0.0)
        self.state = self.initial_state()

    def initial_state(self) -> dict[str, float]:
        """Return no steps, and m and v at 0."""
        return {"step": 0, "exp_avg": 0.0, "exp_avg_sq": 0.0}

    def update(self, data: Any, grad: Any) -> Any:
        """Return θ - η m̂ / (√v̂ + ε), from θ and g."""
        return data - self._change(_with_decay(data, grad, self.weight_decay))

    def _change(self, grad: Any) -> Any:
        beta1, beta2 = self.betas
        t = self.state["step"] = self.state["step"] + 1
        mean = self.state["exp_avg"] = beta1 * self.state["exp_avg"] + (1.0 - beta1) * grad
        size = self.state["exp_avg_sq"] = beta2 * self.state["exp_avg_sq"] + (1.0 - beta2) * grad * grad
        return self.lr / (1.0 - beta1**t) * mean / (np.sqrt(size) / (1.0 - beta2**t) ** 0.5 + self.eps)


class AdamW(Adam):
    """`Adam` whose weight decay acts on the parameters: θ ← (1 - ηλ)θ - η m̂ / (√v̂ + ε).

    The decay isn't measured by the size of the gradient, as that of `Adam` is.

    From Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).

    Parameters
    ----------
    parameters, lr, betas, eps
        As of `Adam`.
    weight_decay : float, optional
        λ, at least 0.

    Raises
    ------
    ValueError
        If a hyperparameter is out of its range.

    Examples
    --------
    >>> x = Value(3.0)
    >>> optimizer = AdamW([x], lr=0.1, weight_decay=0.5)
    >>> (x * x).backward()
    >>> optimizer.step()  # 3·(1 - 0.05) - 0.1
    >>> round(x.data, 6)
    2.75
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: Rate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def update(self, data: Any, grad: Any) -> Any:
        """Return (1 - ηλ)θ - η m̂ / (√v̂ + ε), from θ and g."""
        return data * (1.0 - self.lr * self.weight_decay) - self._change(grad)


def _with_decay(data: Any, grad: Any, weight_decay: float) -> Any:
    """Return g + λθ; without a decay g itself, so that an infinite θ doesn't make it nan."""
    return grad + weight_decay * data if weight_decay else grad
