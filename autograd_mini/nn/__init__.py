"""Neurons, layers and networks, their activations and initial weights, and the losses they are trained with."""

from typing import Any

from autograd_mini.elsewhere import missing
from autograd_mini.engine.value import Parameter
from autograd_mini.nn import activations, initializers, losses
from autograd_mini.nn.batches import batch, mixes_examples
from autograd_mini.nn.containers import Activation, Flatten, Reshape, Residual, Sequential
from autograd_mini.nn.convolution import Conv1d, Conv2d
from autograd_mini.nn.dropout import Dropout
from autograd_mini.nn.embedding import Embedding
from autograd_mini.nn.freezing import freeze, is_frozen, unfreeze
from autograd_mini.nn.layers import MLP, Layer, Neuron
from autograd_mini.nn.losses import (
    absolute_error,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    gaussian_nll,
    half_squared_error,
    hinge,
    huber,
    squared_error,
)
from autograd_mini.nn.module import Module
from autograd_mini.nn.normalization import BatchNorm, LayerNorm
from autograd_mini.nn.penalties import L1, L2, WeightElimination
from autograd_mini.nn.recurrent import RNN, RNNCell

__all__ = [
    "L1",
    "L2",
    "MLP",
    "RNN",
    "Activation",
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "Layer",
    "LayerNorm",
    "Module",
    "Neuron",
    "Parameter",
    "RNNCell",
    "Reshape",
    "Residual",
    "Sequential",
    "WeightElimination",
    "absolute_error",
    "activations",
    "batch",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "freeze",
    "gaussian_nll",
    "half_squared_error",
    "hinge",
    "huber",
    "initializers",
    "is_frozen",
    "losses",
    "mixes_examples",
    "squared_error",
    "unfreeze",
]


def __getattr__(name: str) -> Any:
    raise missing(__name__, name)
