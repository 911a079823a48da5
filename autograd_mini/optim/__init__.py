"""Optimizers: rules that turn gradients into new parameters."""

from autograd_mini.optim.optimizers import SGD, Optimizer

__all__ = ["SGD", "Optimizer"]
