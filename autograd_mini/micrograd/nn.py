"""micrograd's neurons, layers and networks: after ``random.seed(1)`` they have the weights that it would draw.

Their parameters are what is in ``w`` and ``b`` when they are asked for, as there, so a plain `Value` may take the place
of one. `autograd_mini.nn` has more kinds of layers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from autograd_mini.engine import functions
from autograd_mini.engine.value import Parameter, Value
from autograd_mini.nn import module

__all__ = ["MLP", "Layer", "Module", "Neuron"]


class Module(module.Module):
    """A part of a network that lists its parameters itself."""

    def parameters(self) -> list[Any]:
        """Return the parameters; none unless a subclass says which."""
        return []


class Neuron(Module):
    """ReLU(Σ wᵢxᵢ + b), or without the ReLU.

    Parameters
    ----------
    nin : int
        The number of inputs.
    nonlin : bool, optional
        Whether a ReLU follows.

    Examples
    --------
    >>> import random
    >>> random.seed(1)
    >>> neuron = Neuron(2, nonlin=False)
    >>> neuron, round(neuron.w[0].data, 4), round(neuron([1.0, 2.0]).data, 4)
    (LinearNeuron(2), -0.7313, 0.6585)
    """

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        self.w = [Parameter(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Parameter(0)
        self.nonlin = nonlin

    def forward(self, x: Sequence[Any]) -> Value:
        """Return the output for one example."""
        z = functions.dot(self.w, list(x), self.b)
        return functions.relu(z) if self.nonlin else z

    def parameters(self) -> list[Any]:
        """Return the weights and the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons on the same inputs; of one alone, its bare output.

    Parameters
    ----------
    nin, nout : int
        The number of inputs and of neurons.
    **options
        What each `Neuron` is given, such as ``nonlin=False``.
    """

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        self.neurons = [Neuron(nin, **options) for _ in range(nout)]

    def forward(self, x: Sequence[Any]) -> Any:
        """Return the outputs for one example."""
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Any]:
        """Return those of all neurons."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers one after the other; a ReLU follows each neuron but those of the last layer.

    Parameters
    ----------
    nin : int
        The number of inputs.
    nouts : list of int
        The number of neurons of each layer.
    """

    def __init__(self, nin: int, nouts: Sequence[int]) -> None:
        sizes = [nin, *nouts]
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != len(nouts) - 1) for i in range(len(nouts))]

    def forward(self, x: Any) -> Any:
        """Return the output for one example: a Value where there is one output, else a list."""
        for layer in self.layers:
            x = layer([x] if isinstance(x, Value) else x)
        return x

    def parameters(self) -> list[Any]:
        """Return those of all layers."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
