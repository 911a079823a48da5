"""Activation functions by name, as `Neuron`, `Layer` and `MLP` take them: ``"tanh"``, ``"leaky_relu(0.2)"``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd_mini.checks import named
from autograd_mini.engine import functions
from autograd_mini.engine.value import Constant, Value
from autograd_mini.explanations.labels import Given
from autograd_mini.nn.nested import flat

ActivationFunction = Callable[[Any], Any]
ActivationLike = str | ActivationFunction  # what arguments take: a name, or the function itself

ACTIVATIONS: dict[str, ActivationFunction] = {
    "identity": functions.identity,
    "sign": functions.sign,
    "sigmoid": functions.sigmoid,
    "logistic": functions.sigmoid,
    "tanh": functions.tanh,
    "relu": functions.relu,
    "leaky_relu": functions.leaky_relu,
    "elu": functions.elu,
    "softplus": functions.softplus,
    "silu": functions.silu,
    "gelu": functions.gelu,
}
_WITH_PARAMETER: dict[str, Callable[..., Any]] = {name: ACTIVATIONS[name] for name in ("leaky_relu", "elu")}
_CALL = re.compile(r"\s*(?P<name>\w+)\s*\(\s*(?:alpha\s*=\s*)?(?P<number>.*?)\s*\)\s*", re.DOTALL)


def activation_function(activation: ActivationLike) -> ActivationFunction:
    """Return an activation given by its name, or a function as it is.

    Raises
    ------
    ValueError
        If no activation has that name.
    TypeError
        If it is neither a name nor a function.

    Examples
    --------
    >>> activation_function("relu")(-2.0)
    0.0
    """
    if callable(activation):
        return activation
    if not isinstance(activation, str):
        raise TypeError(f"expected an activation by name or a function, got {type(activation).__name__}")
    return parametrised(activation) or named("activation", activation, ACTIVATIONS)


def activation_name(activation: Any) -> str:
    """Return the name of an activation given by its name or as a function; "identity" for None.

    Examples
    --------
    >>> activation_name("tanh"), activation_name(math.tanh), activation_name(None)
    ('tanh', 'tanh', 'identity')
    """
    if activation is None:
        return "identity"
    return activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)


class Choice:
    """A module's attribute that says which activation it computes with, also when it is set later.

    It has no ``__get__``, so that reading it takes no longer than reading any other attribute.

    Parameters
    ----------
    parts : str, optional
        The attribute with the modules that compute with it; by default the module itself does, as ``_activate``.
    places : slice, optional
        Which of these modules.
    has_softmax : bool, optional
        Whether it may be "softmax", of all outputs at once, before which the parts compute without an activation.

    Examples
    --------
    >>> from autograd_mini.nn import Neuron
    >>> neuron = Neuron(1, "identity", initializer="zeros")
    >>> neuron.activation = "sigmoid"
    >>> neuron([-2.0]).data
    0.5
    """

    def __init__(self, parts: str = "", places: slice = slice(None), has_softmax: bool = False) -> None:
        self.parts, self.places, self.has_softmax = parts, places, has_softmax

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:

        def __get__(self, module: Any, owner: Any = None) -> Any: ...

    def __set__(self, module: Any, activation: ActivationLike) -> None:
        is_softmax = self.has_softmax and activation == "softmax"
        function = functions.softmax if is_softmax else activation_function(activation)
        vars(module)[self.name] = activation
        if not self.parts:
            vars(module)["_activate"] = function
        for part in flat(vars(module).get(self.parts, []))[self.places]:
            if hasattr(part, "activation"):
                part.activation = "identity" if is_softmax else activation


def of_nonlin(nonlin: bool | None, activation: ActivationLike) -> ActivationLike:
    """Return the activation that micrograd's ``nonlin=`` says; the given one where that is None."""
    return activation if nonlin is None else "relu" if nonlin else "identity"


def _set_nonlin(module: Any, nonlin: bool) -> None:
    if bool(nonlin) != module.nonlin:
        module.activation = of_nonlin(bool(nonlin), module.activation)


nonlin_property = property(
    lambda module: activation_name(module.activation) != "identity",
    _set_nonlin,
    doc="Whether σ isn't the identity; as in micrograd, True makes it the ReLU, unless it is another one already.",
)


_Z, _A = Given("z"), Given("a")


def activated(activate: ActivationFunction, z: Value, label: str = _A) -> Value:
    """Return a = σ(z), labelled; z itself where σ is the identity.

    Examples
    --------
    >>> activated(functions.relu, Value(-2.0))
    Value(data=0.0, grad=0.0, label='a')
    """
    if activate is functions.identity:
        return z
    a = activate(z)
    if not isinstance(a, Value):  # a function may return a bare number, as a threshold does
        return Constant(a)
    if not a.label and a.primitive is not None:
        a.label = label
    return a


def unit(activate: ActivationFunction, z: Value, *place: int, label: str = "a") -> Value:
    """Return the activation of a unit of a network, from its pre-activation, which gets its label z here.

    The place is the unit's among those that the module computes, counted from 0, where its scope doesn't say it.

    Examples
    --------
    >>> z = Value(-2.0) * 3.0
    >>> unit(functions.relu, z).label, z.label
    ('a', 'z')
    """
    z.label = Given("z", place) if place else _Z
    return activated(activate, z, Given(label, place) if place else _A)


@dataclass(frozen=True)
class ParametrisedActivation:
    """An activation with its parameter fixed: σ(x) = f(x, α).

    A class and no closure, so that a model which holds one can be copied and pickled.

    Parameters
    ----------
    name : str
        f: "leaky_relu" or "elu".
    alpha : float
        α.

    Examples
    --------
    >>> leaky = ParametrisedActivation("leaky_relu", 0.2)
    >>> leaky(-1.0), leaky.__name__
    (-0.2, 'leaky_relu(0.2)')
    """

    name: str
    alpha: float

    @property
    def __name__(self) -> str:
        return f"{self.name}({self.alpha!r})"

    def __call__(self, x: Any) -> Any:
        """Return f(x, α)."""
        return _WITH_PARAMETER[self.name](x, self.alpha)


def parametrised(name: str) -> ParametrisedActivation | None:
    """Return the activation that a name with a number in parentheses describes; None for a name without them.

    Raises
    ------
    ValueError
        If the activation takes no parameter, or there is no finite number in the parentheses.

    Examples
    --------
    >>> parametrised("elu(0.5)")
    ParametrisedActivation(name='elu', alpha=0.5)
    >>> parametrised("tanh") is None
    True
    """
    match = _CALL.fullmatch(name)
    if match is None:
        return None
    if match["name"] not in _WITH_PARAMETER:
        raise ValueError(
            f"{name!r}: expected a parameter after {' or '.join(_WITH_PARAMETER)} only, got one after "
            f"{match['name']!r}; write the name alone, or pass a function"
        )
    try:
        alpha = float(match["number"])
    except ValueError:
        alpha = math.nan
    if not math.isfinite(alpha):
        raise ValueError(
            f"{name!r}: expected a finite number in the parentheses, got {match['number']!r}; "
            f"as in '{match['name']}(0.2)'"
        )
    return ParametrisedActivation(match["name"], alpha)
