"""A model's graph, traced on one example and run on many: every node of it becomes a column, one number an example.

The rules are the table's, by its array reading, so that nothing about an operation stands here. A graph can serve for
other examples only if the model makes the same one for each; `follows_its_graph` says of which models that is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_mini import functions
from autograd_mini.graph import topological_order
from autograd_mini.modes import enable_grad
from autograd_mini.nn._nested import flat, is_list
from autograd_mini.nn.module import Module
from autograd_mini.readings import array
from autograd_mini.value import Parameter, Value

Array = np.ndarray[Any, Any]


def follows_its_graph(model: Module) -> bool:
    """Return whether all parts of a model are the library's own, with activations by name: none looks at the data.

    Examples
    --------
    >>> from autograd_mini.nn import MLP
    >>> follows_its_graph(MLP(2, [1])), follows_its_graph(MLP(2, [1], output=lambda z: z if z > 0 else 0 * z))
    (True, False)
    """
    return all(
        type(module).__module__.startswith("autograd_mini.nn.")
        and all(isinstance(vars(module).get(name, ""), str) for name in ("activation", "output"))
        for _, module in model.named_modules()
    )


class Columns:
    """The graph of one example, which can be run forward and backward on columns.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    row : sequence of float
        The features of the example on which it is traced.

    Examples
    --------
    >>> from autograd_mini.nn import Neuron
    >>> neuron = Neuron(2, "relu")
    >>> neuron.load_state_dict({"weight": [1.0, -1.0], "bias": 0.5})
    >>> columns = Columns(neuron, [0.0, 0.0])
    >>> columns.forward(np.array([[2.0, 1.0], [1.0, 2.0]])).tolist()
    [[1.5], [0.0]]
    >>> neuron.zero_grad()
    >>> columns.add_gradients(np.array([[1.0], [1.0]]))
    >>> [weight.grad for weight in neuron.weights]
    [2.0, 1.0]
    """

    def __init__(self, model: Module, row: Any) -> None:
        with enable_grad():
            self._features = [Value(feature) for feature in row]
            output = model(list(self._features))
            self.is_list = is_list(output)
            self._outputs = flat(output) if self.is_list else [output]
            self._order = topological_order(functions.sum(self._outputs))[:-1]
        # Nobody asks for the gradients of features and constants.
        self._wanted = {n for n in self._order if n.primitive is not None or isinstance(n, Parameter)}
        self._columns: dict[Value, Any] = {}

    def forward(self, rows: Array) -> Array:
        """Return the outputs for examples, of shape (n, outputs)."""
        columns = self._columns = {}
        given = dict(zip(self._features, rows.T, strict=True))
        with np.errstate(all="ignore"):
            for node in self._order:
                if node.primitive is None:
                    columns[node] = given.get(node, node.data)
                else:
                    columns[node] = node.primitive.forward(array, *[columns[parent] for parent in node.parents])
        return np.stack([np.broadcast_to(columns[output], len(rows)) for output in self._outputs], axis=1)

    def add_gradients(self, upstream: Array) -> None:
        """Add to the parameters the sum over the examples of ∂L/∂w, from ∂L/∂output for each; `forward` comes first."""
        columns, gradients = self._columns, dict.fromkeys(self._order, 0.0)
        for output, column in zip(self._outputs, upstream.T, strict=True):
            gradients[output] = gradients[output] + column
        with np.errstate(all="ignore"):
            for node in reversed(self._order):
                if node.primitive is not None:
                    operands = [columns[parent] for parent in node.parents]
                    local_grads = node.primitive.derivatives(array, columns[node], *operands)
                    for parent, local_grad in zip(node.parents, local_grads, strict=True):
                        if parent in self._wanted:
                            gradients[parent] = gradients[parent] + gradients[node] * local_grad
                elif isinstance(node, Parameter):
                    node.grad += float(np.sum(np.broadcast_to(gradients[node], len(upstream))))
