"""Neurons, layers and networks, their activations and initial weights, and the losses they are trained with."""

from autograd_mini.nn import activations, initializers, losses
from autograd_mini.nn.layers import MLP, Layer, Neuron
from autograd_mini.nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    squared_error,
)
from autograd_mini.nn.module import Module
from autograd_mini.value import Parameter

__all__ = [
    "MLP",
    "Layer",
    "Module",
    "Neuron",
    "Parameter",
    "activations",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge",
    "initializers",
    "losses",
    "squared_error",
]
