"""Training: the loop over epochs and mini-batches, when it ends, and what it records."""

from autograd_mini.training import metrics
from autograd_mini.training.history import History
from autograd_mini.training.stopping import EarlyStopping, GradientNorm, LossTolerance, StoppingRule
from autograd_mini.training.trainer import NonFiniteLossError, Trainer

__all__ = [
    "EarlyStopping",
    "GradientNorm",
    "History",
    "LossTolerance",
    "NonFiniteLossError",
    "StoppingRule",
    "Trainer",
    "metrics",
]
