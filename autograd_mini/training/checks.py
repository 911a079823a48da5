"""What the trainer's arguments must be, found out before any work; numbers are checked as everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_mini.checks import checked_whole, named
from autograd_mini.nn.losses import LOSSES, Loss
from autograd_mini.nn.module import Module
from autograd_mini.optim import Optimizer
from autograd_mini.vectorizer import jax_backend


def loss_function(loss: str | Loss) -> Loss:
    """Return a loss given by its name, or a function as it is."""
    return loss if callable(loss) else named("loss", loss, LOSSES, ", or pass a function")


def checked_optimizer(optimizer: Any) -> Any:
    """Return an optimizer, and refuse the class of one."""
    if isinstance(optimizer, type):
        raise TypeError(f"expected an optimizer, got the class; write {optimizer.__name__}(model.parameters(), lr=0.1)")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"expected an optimizer, got {optimizer!r:.60}; write SGD(model.parameters(), lr=0.1)")
    return optimizer


def checked_model(model: Any) -> Module:
    """Return a model, and refuse what is none."""
    if isinstance(model, type):
        raise TypeError(f"expected a model, got the class {model.__name__}; make one of it first")
    if not isinstance(model, Module):
        raise TypeError(f"expected a model that is a Module, got {model!r:.60}; see autograd_mini.nn.Module")
    return model


def called(name: str, thing: Any) -> Any:
    """Return a function, or None; refuse what can't be called."""
    if thing is not None and not callable(thing):
        raise TypeError(f"{name}: expected a function, got {thing!r:.60}")
    return thing


def callback_list(callbacks: Any) -> list[Callable[[Any], Any]]:
    """Return callbacks as a list, also a single one."""
    listed = [callbacks] if callable(callbacks) else list(callbacks or ())
    return [called("callbacks", callback) for callback in listed]


def checked_devices(devices: Any, engine: str) -> int:
    """Return on how many devices to train, and refuse more than there are."""
    count = checked_whole("devices", devices, least=1)
    if engine != "vectorized":
        raise ValueError(
            f"devices: expected engine='vectorized' with it, got {engine!r}; the eager engine has no arrays"
        )
    jax_backend.devices(count)
    return count


def pair_or_none(name: str, pair: Any) -> Any:
    """Return a pair of examples and targets, or None."""
    if pair is not None and not (isinstance(pair, (tuple, list)) and len(pair) == 2):
        what = f"{len(pair)} things" if isinstance(pair, (tuple, list)) else f"{pair!r:.60}"
        raise ValueError(f"{name}: expected a pair (X, y), got {what}")
    return pair
