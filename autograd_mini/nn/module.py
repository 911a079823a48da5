"""`Module`, what neurons, layers and networks have in common: parameters with names, a state, a scope when called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

import numpy as np

from autograd_mini.checks import check_names, real_array
from autograd_mini.elsewhere import tell
from autograd_mini.engine.modes import scope
from autograd_mini.engine.value import Parameter
from autograd_mini.nn.nested import each, flat, is_list
from autograd_mini.pickling import state_of

Arguments = ParamSpec("Arguments")
Output = TypeVar("Output", covariant=True)


class _HasForward(Protocol[Arguments, Output]):
    def forward(self, *inputs: Arguments.args, **options: Arguments.kwargs) -> Output: ...


class _AsForward(Protocol):
    """For type checkers: a call of a module takes and gives what its ``forward`` does."""

    def __get__(self, module: _HasForward[Arguments, Output], kind: Any) -> Callable[Arguments, Output]: ...


class Module:
    """A part of a network: it has parameters and can be called.

    A subclass assigns `Parameter`s, other modules, or lists of them to its attributes, and defines ``forward``. Its
    parameters are then found, named after the attributes (``layers.0.neurons.2.weights.1``), and used as their labels.
    Calling the module calls ``forward`` in a scope of its name, so that drawings know which nodes are its.

    Examples
    --------
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Parameter(2.0), Parameter(1.0)
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).data, [name for name, parameter in line.named_parameters()]
    (7.0, ['slope', 'offset'])
    """

    training = True
    _name = ""  # what the module that owns this one calls it
    _is_named = False  # whether everything inside has been named

    if TYPE_CHECKING:
        __call__: _AsForward
    else:

        def __call__(self, *inputs: Any, **options: Any) -> Any:
            """Compute the output from the inputs, in a scope of the module's name."""
            if not self._name:
                if not self._is_named:
                    self._name_parts()
                return self.forward(*inputs, **options)
            with scope(self._name):
                return self.forward(*inputs, **options)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output from the inputs; every kind of module has its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; define forward(self, x)")

    def __setattr__(self, name: str, thing: Any) -> None:
        super().__setattr__(name, thing)
        if any(True for _ in _parts(name, thing)):
            self._name_parts()
            super().__setattr__("_is_named", False)  # what is appended to a list later is named at the first call

    def __getstate__(self) -> dict[str, Any]:
        return state_of(self)

    def _name_parts(self) -> None:
        """Give the modules inside their names, and every parameter its name as its label."""
        for prefix, name, part in self._walk("", {id(self)}):
            if isinstance(part, Module):
                part._name = name
            elif not f".{part.label}".endswith(f".{prefix}{name}"):  # an owner's name for it is longer, and stays
                part.label = prefix + name
        super().__setattr__("_is_named", True)

    def _own_parts(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the parameters and modules in the attributes, with their names."""
        for name, thing in vars(self).items():
            yield from _parts(name, thing)

    def _walk(self, prefix: str, seen: set[int]) -> Iterator[tuple[str, str, Any]]:
        """Iterate over all parameters and modules inside, each once, with the owner's full name and its own there."""
        for name, part in self._own_parts():
            if id(part) in seen:
                continue
            seen.add(id(part))
            yield prefix, name, part
            if isinstance(part, Module):
                yield from part._walk(f"{prefix}{name}.", seen)

    def named_modules(self) -> list[tuple[str, Module]]:
        """Return this module, under the name "", and all modules inside it, each once."""
        inside = self._walk("", {id(self)})
        return [("", self), *((prefix + name, part) for prefix, name, part in inside if isinstance(part, Module))]

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        """Return the parameters with their names, each once.

        Examples
        --------
        >>> from autograd_mini.nn import MLP
        >>> MLP(2, [3, 1]).named_parameters()[1][0]
        'layers.0.neurons.0.weights.1'
        """
        if not self._name:
            self._name_parts()
        inside = self._walk("", {id(self)})
        return [(prefix + name, part) for prefix, name, part in inside if isinstance(part, Parameter)]

    def parameters(self) -> list[Parameter]:
        """Return the parameters, each once.

        Examples
        --------
        >>> from autograd_mini.nn import MLP
        >>> len(MLP(3, [5, 1]).parameters())
        26
        """
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set the gradient of every parameter to 0, or to None."""
        for parameter in self.parameters():
            parameter.grad = None if set_to_none else 0.0

    def train(self, mode: bool = True) -> Module:
        """Put this module and all inside it into training mode, and return it."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Put this module and all inside it into evaluation mode, and return it."""
        return self.train(False)

    # ------------------------------------------------------------------------------------------------- state

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the names in the state and the parameters there: one, or nested lists of them."""
        for name, thing in vars(self).items():
            if _shape(thing) is not None:
                yield name, thing
            else:
                for part_name, part in _parts(name, thing):
                    if isinstance(part, Parameter):
                        yield part_name, part
                    else:
                        yield from ((f"{part_name}.{inner}", entry) for inner, entry in part._state_entries())

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the parameters' data as arrays, under PyTorch's names.

        Returns
        -------
        dict of str to numpy.ndarray
            For an `MLP` ``layers.0.weight`` of shape (outputs, inputs), ``layers.0.bias`` of shape (outputs,), ….

        Examples
        --------
        >>> from autograd_mini.nn import MLP
        >>> {name: array.shape for name, array in MLP(3, [5, 1]).state_dict().items()}
        {'layers.0.weight': (5, 3), 'layers.0.bias': (5,), 'layers.1.weight': (1, 5), 'layers.1.bias': (1,)}
        """
        return {name: _data_array(entry) for name, entry in self._state_entries()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the parameters' data from arrays such as `state_dict` returns.

        Parameters
        ----------
        state : mapping of str to array_like
            An array for each name of `state_dict`, of the same shape.

        Raises
        ------
        ValueError
            If a name is missing, is unknown, or its array has another shape or isn't made of numbers. Nothing has been
            changed then.
        """
        if not isinstance(state, Mapping):
            raise ValueError(f"expected a mapping of names to arrays, as of state_dict(), got {type(state).__name__}")
        entries = dict(self._state_entries())
        check_names(f"the state doesn't fit this {type(self).__name__}", state, entries)
        arrays = {name: _checked_array(name, state[name], np.shape(_data_array(entries[name]))) for name in entries}
        for name, entry in entries.items():
            least = min((getattr(cell, "least", -np.inf) for cell in flat(entry)), default=-np.inf)
            if (arrays[name] < least).any():
                raise ValueError(f"{name}: expected numbers of at least {least:g}, got {arrays[name].min():g}")
        for name, entry in entries.items():
            for parameter, number in zip(flat(entry), arrays[name].ravel().tolist(), strict=True):
                parameter.data = number

    def __repr__(self) -> str:
        inside = [f"{name}={part!r}" for name, part in self._own_parts() if isinstance(part, Module)]
        return f"{type(self).__name__}({', '.join(inside)})"


tell(Module, of="Module")


def _parts(name: str, thing: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over the parameters and modules in an attribute: itself, or those in lists, tuples, arrays and dicts."""
    if isinstance(thing, (Parameter, Module)):
        yield name, thing
    elif _is_sequence(thing):
        for i, part in enumerate(thing):
            yield from _parts(f"{name}.{i}", part)
    elif isinstance(thing, dict):
        for key, part in thing.items():
            yield from _parts(f"{name}.{key}", part)


def _shape(thing: Any) -> tuple[int, ...] | None:
    """Return the shape of a parameter, (), or of lists of parameters; None of anything else, and of ragged lists."""
    if isinstance(thing, Parameter):
        return ()
    if not _is_sequence(thing) or not len(thing):
        return None
    shapes = {_shape(part) for part in thing}
    shape = shapes.pop()
    return None if shapes or shape is None else (len(thing), *shape)


def _is_sequence(thing: Any) -> bool:
    """Return whether something can hold parameters or modules in a row; an array of numbers can't."""
    return is_list(thing) and getattr(thing, "dtype", np.dtype(object)).hasobject


def _data_array(entry: Any) -> np.ndarray[Any, Any]:
    return np.array(each(lambda parameter: parameter.data, entry), dtype=float)


def _checked_array(name: str, array: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    numbers = real_array(name, array, expected=f"numbers of shape {shape}")
    if numbers.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {numbers.shape}")
    return numbers
