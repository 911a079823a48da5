"""The part of a model that can be drawn as a network: its layers of neurons. Modules between layers aren't drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_mini.engine import functions
from autograd_mini.engine.modes import no_grad
from autograd_mini.nn.containers import Activation, Sequential
from autograd_mini.nn.dropout import Dropout
from autograd_mini.nn.layers import MLP, Layer, Neuron
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import flat
from autograd_mini.nn.normalization import BatchNorm, LayerNorm
from autograd_mini.views.network import activation_name

Array = np.ndarray[Any, Any]

MOST_WEIGHTS = 4000  # more lines than these show nothing, and make a large file
_PASSED_OVER = (Activation, BatchNorm, Dropout, LayerNorm)


@dataclass(frozen=True)
class Network:
    """A model as a picture has it: layers of neurons, each with what is between it and the next.

    Attributes
    ----------
    layers : list of list of Neuron
        The columns of circles after that of the inputs.
    stages : list of list of callable
        For each layer the layer itself, and what its activations go through on their way to the next one.
    """

    layers: list[list[Any]]
    stages: list[list[Any]]

    @property
    def sizes(self) -> list[int]:
        """How many circles each column has, the inputs' first."""
        return [len(self.layers[0][0].weights), *map(len, self.layers)]

    @property
    def headings(self) -> list[str]:
        """What stands below each column."""
        names = [[activation_name(neurons[0].activation)] for neurons in self.layers]
        for name, stage in zip(names, self.stages, strict=True):
            name += [activation_name(getattr(part, "activation", part)) for part in stage[1:]]
        return ["inputs", *(" → ".join(name).lower() for name in names)]

    def numbers(self, attribute: str) -> tuple[list[Array], list[Array]]:
        """Return for each layer the weights' ``data`` or ``grad``, one row a neuron, and the biases'."""
        weights = [[[getattr(w, attribute) for w in neuron.weights] for neuron in layer] for layer in self.layers]
        biases = [[getattr(neuron.bias, attribute) for neuron in layer] for layer in self.layers]
        return [np.array(rows, dtype=float) for rows in weights], [np.array(row, dtype=float) for row in biases]

    def activations(self, row: Any) -> list[Array]:
        """Return for one example what each column hands on to the next, the features first."""
        x, found = row, [np.array(row, dtype=float)]
        with no_grad():
            for stage in self.stages:
                for part in stage:
                    x = part(x)
                found.append(np.array([a.data for a in flat(x)]))
        return found


def network_of(model: Module, n_features: int | None) -> Network | None:
    """Return the network in an `MLP`, a `Layer`, a `Neuron` or a `Sequential` of them; None of other models.

    Parameters
    ----------
    model : Module
        The model.
    n_features : int or None
        The width of the examples, where it is known.

    Examples
    --------
    >>> network_of(MLP(2, [3, 1]), 2).sizes
    [2, 3, 1]
    >>> from autograd_mini.nn import RNN
    >>> network_of(RNN(2, 3), None) is None
    True
    """
    layers: list[list[Any]] = []
    stages: list[list[Any]] = []
    width = n_features
    for part in _chain(model):
        if isinstance(part, (Layer, Neuron)):
            if width not in (None, part.n_inputs):
                return None
            layers.append(list(part.neurons) if isinstance(part, Layer) else [part])
            stages.append([part])
            width = len(layers[-1])
        elif layers and (isinstance(part, _PASSED_OVER) or part is functions.softmax):
            stages[-1].append(part)
        else:
            return None
    return Network(layers, stages) if layers else None


def count_weights(network: Network) -> int:
    """Return how many lines the picture has."""
    return sum(len(neuron.weights) for layer in network.layers for neuron in layer)


def _chain(model: Any) -> Iterator[Any]:
    """Iterate over what an example goes through; a subclass that computes otherwise is one part, whatever is in it."""
    if isinstance(model, MLP) and type(model).forward is MLP.forward:
        yield from model.layers
        if model.output == "softmax":
            yield functions.softmax
    elif isinstance(model, Sequential) and type(model).forward is Sequential.forward:
        for module in model.modules:
            yield from _chain(module)
    else:
        yield model
