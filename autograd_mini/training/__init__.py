"""Training: the loop over epochs and mini-batches, and what it records."""

from autograd_mini.training.history import History
from autograd_mini.training.trainer import NonFiniteLossError, Trainer

__all__ = ["History", "NonFiniteLossError", "Trainer"]
