"""`Neuron`, `Layer` and `MLP`: the feed-forward network of the lectures, neuron by neuron.

zⱼ = Σ wⱼᵢ aᵢ + bⱼ is one node (`functions.dot`), aⱼ = σ(zⱼ) the next one (`activations.unit`). Their names, their
parameters and their state come from `module`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import checked_whole
from autograd_mini.engine import functions
from autograd_mini.engine.node import FEATURE
from autograd_mini.engine.signatures import OneOrMany
from autograd_mini.engine.value import Parameter, Value
from autograd_mini.explanations.labels import input_label
from autograd_mini.nn.activations import ActivationLike, Choice, activation_name, nonlin_property, of_nonlin, unit
from autograd_mini.nn.initializers import InitializerLike, Random, given, initial_weights
from autograd_mini.nn.module import Module, other_name
from autograd_mini.nn.nested import not_one_example


class _Features(list[Any]):
    """One example's features as nodes; of this class, so that each neuron of a layer need not check them again."""


def _nodes(x: Any, expected: int) -> _Features:
    """Return one example's features as nodes; numbers become leaves x1, x2, ….

    Raises
    ------
    ValueError
        If their number isn't the expected one.
    """
    if isinstance(x, np.ndarray) and not x.ndim:
        x = x.item()
    if isinstance(x, Value) or not isinstance(x, Iterable):
        x = [x]
    features = x if type(x) is _Features else _Features(x)
    if len(features) != expected:
        raise not_one_example(expected, str(len(features)), features)
    if features is not x:
        for i, feature in enumerate(features):
            if isinstance(feature, (list, tuple, np.ndarray)):
                raise not_one_example(expected, f"{len(features)} rows of features")
            if not isinstance(feature, Value):
                leaf = features[i] = Value(feature)
                leaf.label, leaf._local = input_label(i), FEATURE
    return features


class Neuron(Module):
    """A neuron: a = σ(Σ wᵢxᵢ + b).

    Parameters
    ----------
    n_inputs : int
        The number of features.
    activation : str or callable
        σ: "identity", "sign", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus" or a function of one Value.
    initializer : str or callable, optional
        How the weights are drawn (see `autograd_mini.nn.initializers`); by default what suits the activation.
    rng : int or numpy.random.Generator, optional
        A seed or a generator.
    nonlin : bool, optional
        As in micrograd: True for the activation "relu", False for "identity".

    Attributes
    ----------
    weights : list of Parameter
        wᵢ, also called ``w``.
    bias : Parameter
        b, also called ``b``.

    Raises
    ------
    ValueError
        If `n_inputs` isn't at least 1, or no activation or initializer has the name.

    Examples
    --------
    >>> neuron = Neuron(2, activation="tanh", rng=0)
    >>> neuron.load_state_dict({"weight": [1.0, -1.0], "bias": 0.5})
    >>> round(neuron([2.0, 1.5]).data, 4)
    0.7616
    """

    def __init__(
        self,
        n_inputs: int,
        activation: ActivationLike = "relu",
        initializer: InitializerLike = None,
        rng: Random = None,
        nonlin: bool | None = None,
    ) -> None:
        self.n_inputs = checked_whole("n_inputs", n_inputs, 1)
        self.activation = activation = of_nonlin(nonlin, activation)
        drawn = initial_weights(initializer, activation, rng, (1, self.n_inputs))
        self.weights = [Parameter(w) for w in drawn[0]]
        self.bias = Parameter(0.0)

    w, b = other_name("weights"), other_name("bias")
    nonlin, activation = nonlin_property, Choice()
    _activate: Any

    def forward(self, x: Any) -> Value:
        """Return the activation for one example of `n_inputs` features."""
        return unit(self._activate, functions.dot(self.weights, _nodes(x, self.n_inputs), self.bias))

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        yield "weight", self.weights
        if self.bias is not None:  # one that was taken away
            yield "bias", self.bias

    def __repr__(self) -> str:
        return f"Neuron({self.n_inputs}, activation={activation_name(self.activation)!r})"


class Layer(Module):
    """A layer of neurons on the same inputs: a = σ(W x + b).

    Parameters
    ----------
    n_inputs, n_outputs : int
        The number of features and of neurons.
    activation, initializer, rng, nonlin
        As for `Neuron`.

    Examples
    --------
    >>> layer = Layer(3, 2, activation="identity", initializer="zeros")
    >>> [output.data for output in layer([1.0, 2.0, 3.0])]
    [0.0, 0.0]
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        activation: ActivationLike = "relu",
        initializer: InitializerLike = None,
        rng: Random = None,
        nonlin: bool | None = None,
    ) -> None:
        self.n_inputs = checked_whole("n_inputs", n_inputs, 1)
        self.n_outputs = checked_whole("n_outputs", n_outputs, 1)
        self.activation = activation = of_nonlin(nonlin, activation)
        drawn = initial_weights(initializer, activation, rng, (self.n_outputs, self.n_inputs))
        self.neurons = [Neuron(self.n_inputs, activation, given(row)) for row in drawn]

    nonlin, activation = nonlin_property, Choice("neurons")

    def forward(self, x: Any) -> list[Value]:
        """Return the activations for one example of `n_inputs` features."""
        inputs = _nodes(x, self.n_inputs)
        return _Features([neuron(inputs) for neuron in self.neurons])

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        yield "weight", [neuron.weights for neuron in self.neurons]
        biases = {f"neurons.{j}.bias": neuron.bias for j, neuron in enumerate(self.neurons)}
        there = {name: bias for name, bias in biases.items() if bias is not None}  # some may have been taken away
        yield from there.items() if len(there) < len(biases) else [("bias", list(there.values()))]

    def __repr__(self) -> str:
        return f"Layer({self.n_inputs}, {self.n_outputs}, activation={activation_name(self.activation)!r})"


class MLP(Module):
    """A multilayer perceptron: x⁽ˡ⁾ = σ(W⁽ˡ⁾ x⁽ˡ⁻¹⁾ + b⁽ˡ⁾) for every layer.

    Parameters
    ----------
    n_inputs : int
        The number of features.
    widths : sequence of int
        The number of neurons of each layer, the last being the outputs.
    activation : str or callable
        σ of all layers but the last.
    output : str or callable
        σ of the last layer: "identity" for regression and for losses on logits, "sigmoid" for a probability, "softmax"
        for one probability for each class.
    initializer : str or callable, optional
        How the weights are drawn; by default He's for the ReLU kind of activations and Xavier's for others.
    rng : int or numpy.random.Generator, optional
        A seed or a generator.

    Raises
    ------
    ValueError
        If a width isn't at least 1, or no activation or initializer has the name. When called: if the number of
        features is wrong.

    Examples
    --------
    A 3-5-1 network has (3+1)·5 + (5+1)·1 weights:

    >>> model = MLP(3, [5, 1], activation="tanh", rng=0)
    >>> len(model.parameters())
    26
    >>> model([1.0, 2.0, 3.0]).primitive.name
    'dot'
    """

    def __init__(
        self,
        n_inputs: int,
        widths: Sequence[int],
        activation: ActivationLike = "relu",
        output: ActivationLike = "identity",
        initializer: InitializerLike = None,
        rng: Random = None,
    ) -> None:
        self.n_inputs = checked_whole("n_inputs", n_inputs, 1)
        self.widths = [checked_whole("widths", width, 1) for width in widths] if isinstance(widths, Iterable) else []
        if not self.widths:
            raise ValueError(f"widths: expected a list with the number of neurons of each layer, got {widths!r}")
        self.activation, self.output = activation, output
        generator = np.random.default_rng(rng)
        sizes = [self.n_inputs, *self.widths]
        kinds = [activation] * (len(self.widths) - 1) + ["identity" if output == "softmax" else output]
        self.layers = [
            Layer(n_in, n_out, kind, initializer, generator)
            for n_in, n_out, kind in zip(sizes[:-1], sizes[1:], kinds, strict=True)
        ]

    activation, output = Choice("layers", slice(-1)), Choice("layers", slice(-1, None), has_softmax=True)

    def forward(self, x: Any) -> OneOrMany:
        """Return the output for one example: a Value where there is one output, else a list of Values."""
        outputs: Sequence[Any] = _nodes(x, self.n_inputs)
        for layer in self.layers:
            outputs = layer(outputs)
        if self.output == "softmax":
            outputs = functions.softmax(outputs)
        return outputs[0] if len(outputs) == 1 else list(outputs)  # type: ignore[return-value]

    def __repr__(self) -> str:
        activation, output = activation_name(self.activation), activation_name(self.output)
        return f"MLP({self.n_inputs}, {self.widths}, activation={activation!r}, output={output!r})"
