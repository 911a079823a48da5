"""Optimizers: rules that turn gradients into new parameters, schedules of their learning rate, gradient clipping."""

from typing import Any

from autograd_mini.elsewhere import missing
from autograd_mini.optim import schedules
from autograd_mini.optim.base import Optimizer
from autograd_mini.optim.clipping import clip_grad_norm, clip_grad_value, grad_norm
from autograd_mini.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm",
    "clip_grad_value",
    "grad_norm",
    "schedules",
]


def __getattr__(name: str) -> Any:
    raise missing(__name__, name)
