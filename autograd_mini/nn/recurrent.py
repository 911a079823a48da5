"""`RNNCell` and `RNN`: the same weights at every step of a sequence, with a hidden state from step to step.

Unrolled, a recurrent network is a graph like any other in which a weight has a successor for each step, so that
back-propagation through time is the same backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_mini.checks import checked_whole
from autograd_mini.engine import functions
from autograd_mini.engine.modes import scope
from autograd_mini.engine.value import Constant, Parameter, Value
from autograd_mini.explanations.labels import Given
from autograd_mini.nn.activations import ActivationLike, Choice, activation_name, unit
from autograd_mini.nn.initializers import InitializerLike, Random, initial_weights
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import is_list, nodes


class RNNCell(Module):
    """One step of a recurrent network: h′ = σ(W_ih x + b_ih + W_hh h + b_hh).

    Parameters
    ----------
    n_inputs, n_hidden : int
        The number of features of a step, and of hidden units.
    activation : str or callable
        σ.
    initializer, rng
        As for `Neuron`, for both matrices; biases start at 0.

    Attributes
    ----------
    weight_ih, weight_hh : list of list of Parameter
        Of shapes (n_hidden, n_inputs) and (n_hidden, n_hidden).
    bias_ih, bias_hh : list of Parameter
        Two of them, as in PyTorch, though one would do.

    Raises
    ------
    ValueError
        If an argument is out of its range. When called: if there are more features or hidden units, or fewer.

    Examples
    --------
    >>> cell = RNNCell(1, 2, rng=0)
    >>> hidden = cell([1.0])
    >>> hidden = cell([2.0], hidden)
    >>> len(hidden), {name: array.shape for name, array in cell.state_dict().items()}
    (2, {'weight_ih': (2, 1), 'weight_hh': (2, 2), 'bias_ih': (2,), 'bias_hh': (2,)})
    """

    def __init__(
        self,
        n_inputs: int,
        n_hidden: int,
        activation: ActivationLike = "tanh",
        initializer: InitializerLike = None,
        rng: Random = None,
    ) -> None:
        self.n_inputs = checked_whole("n_inputs", n_inputs, least=1)
        self.n_hidden = checked_whole("n_hidden", n_hidden, least=1)
        self.activation = activation
        generator = np.random.default_rng(rng)
        shapes = (self.n_hidden, self.n_inputs), (self.n_hidden, self.n_hidden)
        self.weight_ih, self.weight_hh = [
            [[Parameter(w) for w in row] for row in initial_weights(initializer, activation, generator, shape).tolist()]
            for shape in shapes
        ]
        self.bias_ih = [Parameter(0.0) for _ in range(self.n_hidden)]
        self.bias_hh = [Parameter(0.0) for _ in range(self.n_hidden)]

    activation = Choice()
    _activate: Any

    def forward(self, x: Any, hidden: Any = None) -> list[Any]:
        """Return the hidden state after a step, from its features and the hidden state before (0 if not given)."""
        x = self._checked("features in a step", nodes(x), self.n_inputs)
        hidden = self.start() if hidden is None else nodes(hidden, "h")
        hidden = self._checked("hidden units", hidden, self.n_hidden)
        rows = zip(self.weight_ih, self.bias_ih, self.weight_hh, self.bias_hh, strict=True)
        return [
            unit(self._activate, functions.dot(w_ih, x, b_ih) + functions.dot(w_hh, hidden, b_hh), j, label="h")
            for j, (w_ih, b_ih, w_hh, b_hh) in enumerate(rows)
        ]

    def start(self) -> list[Value]:
        """Return the hidden state before the first step: zeros."""
        return [Constant(0.0, Given(f"h0,{j + 1}")) for j in range(self.n_hidden)]

    def _checked(self, what: str, values: Any, expected: int) -> list[Any]:
        values = values if is_list(values) else [values]
        depth = " lists" if any(map(is_list, values)) else ""
        if len(values) != expected or depth:
            raise ValueError(
                f"{self!r}: expected {expected} {what}, got {len(values)}{depth}; "
                f"a cell takes one step, an RNN a sequence of them"
            )
        return list(values)

    def __repr__(self) -> str:
        return _described(self)


class RNN(Module):
    """A recurrent network on a sequence: hₜ = σ(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh), t = 1 … T, h₀ = 0.

    Parameters
    ----------
    n_inputs, n_hidden : int
        The number of features of a step, and of hidden units.
    activation, initializer, rng
        As for `RNNCell`.

    Attributes
    ----------
    cell : RNNCell
        What computes each step, in the scope ``steps.0``, ``steps.1``, ….

    Raises
    ------
    ValueError
        If an argument is out of its range. When called: if there is no step, or a step has more features or fewer.

    Examples
    --------
    >>> rnn = RNN(1, 2, rng=0)
    >>> outputs, last = rnn([[1.0], [2.0], [3.0]])
    >>> len(outputs), last is outputs[-1]
    (3, True)
    >>> list(rnn.state_dict())
    ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']
    """

    def __init__(
        self,
        n_inputs: int,
        n_hidden: int,
        activation: ActivationLike = "tanh",
        initializer: InitializerLike = None,
        rng: Random = None,
    ) -> None:
        self.n_inputs, self.n_hidden, self.activation = n_inputs, n_hidden, activation
        self.cell = RNNCell(n_inputs, n_hidden, activation, initializer, rng)

    activation = Choice("cell")

    def forward(self, sequence: Any, hidden: Any = None) -> tuple[list[list[Any]], list[Any]]:
        """Return the hidden states after each step, and the last of them.

        Parameters
        ----------
        sequence : list of list
            The features of each step; plain numbers will do where there is one feature.
        hidden : list, optional
            h₀; 0 if not given.
        """
        steps = nodes(sequence)
        if not is_list(steps) or not len(steps):
            raise ValueError(f"{self!r}: expected a sequence of at least one step, got {sequence!r:.60}")
        outputs: list[list[Any]] = []
        for t, step in enumerate(steps):
            with scope(f"steps.{t}"):
                hidden = self.cell(step, hidden)
            outputs.append(hidden)
        return outputs, outputs[-1]

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        yield from ((f"{name}_l0", entry) for name, entry in self.cell._state_entries())  # PyTorch's layer 0

    def __repr__(self) -> str:
        return _described(self)


def _described(module: RNNCell | RNN) -> str:
    name = activation_name(module.activation)
    return f"{type(module).__name__}({module.n_inputs}, {module.n_hidden}, activation={name!r})"
