"""What a model computes with beside its parameters: the activations and other settings of its parts.

With the same parameters and another activation it would be another model, so a file says both. Parts are named by their
path in the model. What can't be written down, such as a function without a name here, isn't compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd_mini.checks import is_number
from autograd_mini.engine.value import Value
from autograd_mini.nn.activations import (
    ACTIVATIONS,
    ParametrisedActivation,
    activated,
    activation_function,
    activation_name,
)
from autograd_mini.nn.layers import MLP, Layer, Neuron
from autograd_mini.nn.module import Module

Settings = dict[str, dict[str, Any]]

# The attributes that are settings, of the library's modules and of one's own.
_NAMES = ("activation", "eps", "inverted", "keep_prob", "momentum", "nonlin", "padding", "sizes", "stride")
MOST = 100  # characters of an activation's name at the most


def settings(model: Module) -> Settings:
    """Return the settings of every part of a model, as JSON can hold them; a layer's also stand for its neurons.

    Examples
    --------
    >>> settings(MLP(2, [3, 1]))
    {'': {'output': 'identity'}, 'layers.0': {'activation': 'relu'}, 'layers.1': {'activation': 'identity'}}
    """
    parts = dict(model.named_modules())
    found: Settings = {}
    for path, part in parts.items():
        own = {name: _written(vars(part)[name]) for name in _NAMES if name in vars(part)}
        if isinstance(part, MLP):  # its layers say the rest
            own = {"output": _written(part.output)}
        layer = parts.get(f".{path}".rpartition(".neurons.")[0][1:]) if isinstance(part, Neuron) and path else None
        if type(layer) is not Layer or type(part) is not Neuron or part.activation != layer.activation:
            found[path] = own
    return found


def check_settings(written: Any, model: Module, source: str = "in the file", is_complete: bool = True) -> None:
    """Raise if a model has other settings than those that were written down of another one.

    Parameters
    ----------
    written : dict
        As `settings` returned.
    model : Module
        What is to take the other one's parameters.
    source : str, optional
        Where that one is, for the error.
    is_complete : bool, optional
        Whether all its parts are there; else the parts that one of both has alone may be anything.

    Raises
    ------
    ValueError
        If they differ, with the part that does.
    """
    if not isinstance(written, Mapping) or not all(isinstance(part, Mapping) for part in written.values()):
        raise ValueError(f"settings: expected those of each part of a model, got {written!r:.80}")
    own = settings(model)
    parts: dict[str, Any] = dict(model.named_modules())
    for path in dict.fromkeys([*written, *own]):
        where = path or type(model).__name__
        if path not in written or path not in own:
            there = _described({**written, **own}[path])
            if is_complete and path and there:
                has, lacks = f"the model {source}", "this one"
                if path in own:
                    has, lacks = "this model", f"the one {source}"
                raise ValueError(
                    f"{where}: {has} has a part there with {there}, and {lacks} has none; make it with the same parts"
                )
            continue
        for name in [name for name in own[path] if name in written[path]]:
            before, now, function = written[path][name], own[path][name], parts[path].__dict__[name]
            if name == "output":  # the softmax is of no layer; else the last one says what it is
                where = ".".join(filter(None, [path, f"layers.{len(parts[path].layers) - 1}"]))
            if name == "activation" or (name == "output" and "softmax" in (before, now)):
                if not _is_same_activation(before, now, function):
                    raise ValueError(
                        f"{where}: expected the activation of the model {source}, {before!r:.80}, got "
                        f"{activation_name(function)!r}; make the model with that, or let load(path) make it"
                    )
            elif name != "output" and None not in (before, now) and before != now:
                raise ValueError(
                    f"{where}: expected the setting of the model {source}, {name}={before!r:.80}, got {now!r:.80}; "
                    f"make the model with that"
                )


def _written(setting: Any) -> Any:
    """Return a setting as JSON holds it; None if it can't be told by that."""
    if isinstance(setting, (list, tuple)):
        numbers = [_written(part) for part in setting]
        return None if None in numbers else numbers
    if isinstance(setting, (str, bool)) or is_number(setting):
        return setting
    if isinstance(setting, ParametrisedActivation):
        return setting.__name__
    return next((name for name, function in ACTIVATIONS.items() if function is setting), None)


def _described(part: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={setting!r:.80}" for name, setting in part.items())


def _is_same_activation(written: Any, own: Any, function: Any) -> bool:
    """Return whether a name stands for a model's own activation, also if that is written in another way.

    What the own one is called is None where it is a function without a name here; it is tried out then.
    """
    if written is None or written == own or "softmax" in (written, own):
        return written is None or bool(written == own)
    if not isinstance(written, str) or len(written) > MOST:
        raise ValueError(f"expected the name of an activation, got {written!r:.80}")
    try:
        return _results(written) == _results(function if own is None else own)
    except (TypeError, ValueError):  # one of both is known to a module of one's own alone
        return False


def _results(activation: Any) -> list[float]:
    return [activated(activation_function(activation), Value(z)).data for z in (-2.0, -0.5, 0.5, 2.0)]
