"""`freeze` and `unfreeze`, for transfer learning: keep a trained part as it is and train what is built upon it.

Training doesn't change a frozen parameter, and no gradient is kept for it. A frozen module that is called with plain
numbers builds no graph at all, so that the backward pass spends no time on it.
"""

from __future__ import annotations

from typing import Any

from autograd_mini.engine import modes
from autograd_mini.engine.node import CONSTANT, FEATURE, PARAMETER
from autograd_mini.engine.value import Parameter, Value
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import flat


def freeze(*parts: Any) -> None:
    """Exclude the parameters of modules from training.

    The running statistics of a `BatchNorm` are no parameters: a frozen one goes on averaging in training mode, as in
    PyTorch; put it into evaluation mode to stop that. A module that is put into a frozen one later isn't frozen.

    Parameters
    ----------
    *parts : Module, Parameter, or list of them
        What to freeze.

    Raises
    ------
    TypeError
        If a part is neither a module nor a parameter.

    Examples
    --------
    >>> from autograd_mini.nn import Neuron
    >>> trained, head = Neuron(2, "tanh", rng=0), Neuron(1, "identity", rng=1)
    >>> freeze(trained)
    >>> feature = trained([1.0, 2.0])
    >>> head(feature).backward()
    >>> [parameter.grad for parameter in trained.parameters()], feature.parents  # no gradient, and no graph
    ([0.0, 0.0, 0.0], ())
    """
    modules, parameters = _members(parts)
    _note_change()
    for parameter in parameters:
        parameter.grad = 0.0
        parameter._freeze()
    for module in modules:
        # Not where there are modules inside: one that is put there later, such as a new head, isn't frozen.
        if len(module.named_modules()) == 1 and module.parameters():
            vars(module)["forward"] = _WithoutGraph(module, module.parameters())


def unfreeze(*parts: Any) -> None:
    """Let training change the parameters of modules again.

    Parameters
    ----------
    *parts : Module, Parameter, or list of them
        What to unfreeze; what isn't frozen stays as it is.

    Raises
    ------
    TypeError
        If a part is neither a module nor a parameter.

    Examples
    --------
    >>> from autograd_mini.nn import Layer
    >>> layer = Layer(2, 3, rng=0)
    >>> freeze(layer)
    >>> unfreeze(layer)
    >>> is_frozen(layer)
    False
    """
    modules, parameters = _members(parts)
    _note_change()
    for parameter in parameters:
        if parameter.is_frozen:
            parameter.grad, parameter._local = 0.0, PARAMETER
    for module in modules:
        if isinstance(vars(module).get("forward"), _WithoutGraph):
            del vars(module)["forward"]


def is_frozen(part: Any) -> bool:
    """Return whether a parameter, or all parameters of a module, are frozen; False where there are none.

    Examples
    --------
    >>> from autograd_mini.nn import Neuron
    >>> is_frozen(Neuron(2, rng=0))
    False
    """
    parameters = _members((part,))[1]
    return bool(parameters) and all(parameter.is_frozen for parameter in parameters)


n_changes = 0  # how often anything was frozen or unfrozen


def changes() -> int:
    """Return how often anything was frozen or unfrozen: a program traced before the last time may be out of date."""
    return n_changes


def _note_change() -> None:
    global n_changes
    n_changes += 1


def _members(parts: Any) -> tuple[list[Module], list[Parameter]]:
    """Return the modules, with those inside them, and the parameters, with those of the modules."""
    modules: list[Module] = []
    parameters: list[Parameter] = []
    for part in flat(parts):
        if isinstance(part, Module):
            modules += [module for _, module in part.named_modules()]
            parameters += part.parameters()
        else:
            parameters.append(part)
    for parameter in parameters:
        if type(parameter) is not Parameter:
            raise TypeError(
                f"expected modules or parameters to freeze, got {type(parameter).__name__}; "
                f"as in freeze(model) or freeze(model.layers[0])"
            )
    return modules, parameters


class _WithoutGraph:
    """The ``forward`` of a frozen module: the module's own, without a graph where no gradient can be needed.

    It is put into the instance, where it comes before the method of the class. So a module that isn't frozen need not
    check in every call whether it is.
    """

    def __init__(self, module: Module, parameters: list[Parameter]) -> None:
        self.module = module
        self.parameters = parameters

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        forward = type(self.module).forward
        if not self._possible([*inputs, *options.values()]):
            return forward(self.module, *inputs, **options)
        with modes.no_grad():
            outputs = forward(self.module, *inputs, **options)
        for node in flat(outputs):
            if type(node) is Value:
                node._local = FEATURE  # so that the next frozen module takes it as a bare number, too
        return outputs

    def _possible(self, inputs: list[Any]) -> bool:
        """Return whether no gradient can be needed: all inputs are bare numbers, all parameters are still frozen."""
        nodes = [x for x in flat(inputs) if isinstance(x, Value)]
        numbers = all(node.primitive is None and node._local in (FEATURE, CONSTANT) for node in nodes)
        return numbers and all(parameter.is_frozen for parameter in self.parameters)
