"""Multilayer perceptrons with the same weights in every library.

θ is one flat vector: neuron by neuron, the weights and then the bias.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini import nn

Array = np.ndarray[Any, Any]


def model(sizes: Sequence[int], activation: str) -> nn.MLP:
    """Return the network as one of this library, with the same weights at every call."""
    return nn.MLP(sizes[0], list(sizes[1:]), activation=activation, rng=0)


def parameters(network: nn.MLP) -> list[Any]:
    """Return the parameters in θ's order."""
    return [p for layer in network.layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]


def theta(sizes: Sequence[int], activation: str) -> Array:
    """Return θ at the start."""
    return np.array([p.data for p in parameters(model(sizes, activation))])


def matrices(flat: Array, sizes: Sequence[int]) -> list[Array]:
    """Return views of a flat vector: for each layer [W b], one row for each neuron."""
    views, start = [], 0
    for n_in, n_out in itertools.pairwise(sizes):
        stop = start + n_out * (n_in + 1)
        views.append(flat[start:stop].reshape(n_out, n_in + 1))
        start = stop
    return views


def layers(sizes: Sequence[int], activation: str) -> list[tuple[Array, Array]]:
    """Return W and b of each layer at the start, as arrays of their own."""
    return [(m[:, :-1].copy(), m[:, -1].copy()) for m in matrices(theta(sizes, activation), sizes)]


def joined(pairs: Sequence[Any]) -> Array:
    """Return θ, put together from W and b of each layer."""
    return np.concatenate([np.column_stack([np.asarray(W), np.asarray(b)]).ravel() for W, b in pairs])


def expanded(network: nn.MLP, activate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the prediction written as micrograd does: products, sums and activations, node by node."""

    def predict(x: Any) -> Any:
        for number, layer in enumerate(network.layers):
            is_last = number == len(network.layers) - 1
            sums = [sum((w * xi for w, xi in zip(n.w, x, strict=True)), n.b) for n in layer.neurons]
            x = sums if is_last else [activate(z) for z in sums]
        return x[0] if len(x) == 1 else x

    return predict


def torch_model(torch: Any, sizes: Sequence[int], activation: Any, start: str) -> Any:
    """Return the network as PyTorch's ``Sequential``, in float64."""
    modules = []
    for W, b in layers(sizes, start):
        linear = torch.nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W))
            linear.bias.copy_(torch.from_numpy(b))
        modules += [linear, activation()]
    return torch.nn.Sequential(*modules[:-1])


def torch_theta(network: Any) -> Array:
    """Return θ of PyTorch's network."""
    linears = [module for module in network if hasattr(module, "weight")]
    return joined([(module.weight.detach().numpy(), module.bias.detach().numpy()) for module in linears])
