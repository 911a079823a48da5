"""`Module`, what neurons, layers and networks have in common: parameters with names, a state, a scope when called."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Set, ValuesView
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

import numpy as np

from autograd_mini.checks import check_names, real_array
from autograd_mini.elsewhere import tell
from autograd_mini.engine.modes import scope
from autograd_mini.engine.value import Parameter, Value
from autograd_mini.explanations.labels import Given, Layers
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
    parameters are then found, named after the attributes (``layers.0.neurons.2.weights.1``), and labelled so where they
    have no label; views call them as a lecture would (w¹₃₂). Calling the module calls ``forward`` in a scope of its
    name, so that drawings know which nodes are its.

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
    _trained: frozenset[str] = frozenset()  # the attributes that were given parameters and modules, nothing else
    _is_named = False  # whether everything inside has been named
    _named: int | None = None  # a hash of what was inside then

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
        if type(thing) in _NUMBERS and name not in self._trained:  # such as `training`, set in every part of a network
            super().__setattr__(name, thing)
            return
        kinds = _kinds(thing) - {type(None)}
        if any(issubclass(kind, (set, frozenset, deque, ValuesView)) for kind in kinds):
            any(_parts(name, thing))  # raises if there are parameters in it
        own = [kind for kind in kinds if issubclass(kind, (Parameter, Module))]
        is_trained = name in self._trained
        for part_name, part in _parts(name, thing, True) if is_trained and len(own) < len(kinds) else ():
            if not isinstance(part, (Parameter, Module)):
                self._check_untrained(part_name, part)
        super().__setattr__(name, thing)
        if not is_trained and own and len(own) == len(kinds):
            super().__setattr__("_trained", self._trained | {name})
        if own:
            self._name_parts()
            super().__setattr__("_is_named", False)  # what is appended to a list later is named at the first call

    def __getstate__(self) -> dict[str, Any]:
        return state_of(self)

    def _name_parts(self) -> list[Any]:
        """Give the modules inside their names, and every parameter without a label its name; once: they may be many.

        What is `inside` is returned.
        """
        parts = inside(self)
        there = hash(tuple(map(id, parts)))
        if there == self._named:
            super().__setattr__("_is_named", True)
            return parts
        super().__setattr__("_named", there)
        layers = Layers()
        for prefix, name, part in self._walk("", {id(self)}):
            if isinstance(part, Module):
                part._name = name
                layers.add(prefix + name)
                continue
            layers.add_parameter(prefix, name)
            label = part.label
            # One that the user wrote stays, and so does an owner's, which is longer.
            if not label or (type(label) is Given and not label.endswith(f".{prefix}{name}")):
                part.label = Given(prefix + name, layers=layers)
        super().__setattr__("_is_named", True)
        return parts

    def _check_untrained(self, name: str, thing: Any) -> None:
        """Refuse what is in the place of a parameter or a module and is none; warn of a Value that training won't find.

        Classes that list their parameters themselves may do as they like.
        """
        if type(self).parameters is not Module.parameters:
            return
        number = thing._data if isinstance(thing, Value) else thing
        wanted = f"Parameter({number:g})" if isinstance(number, (int, float)) else "Parameter(…)"
        if name.partition(".")[0] in self._trained:
            if callable(thing):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a module, and got {thing!r:.60}, in which no training would find "
                    f"parameters: wrap a function, as in nn.Activation(f); nn.Activation('identity') does nothing"
                )
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter, and got {thing!r:.60}, which no training would find: "
                f"write {wanted}, or set the data of the one that is there"
            )
        if type(thing) is Value and thing.primitive is None and thing._local is None:
            warnings.warn(
                f"{type(self).__name__}.{name} is a Value, and training changes only parameters: write {wanted} if it "
                f"is to be trained, Constant({number:g}) if it stays as it is",
                stacklevel=2,
            )

    def _own_parts(self, with_parameters: bool = True) -> Iterator[tuple[str, Any]]:
        """Iterate over the Values and modules in the attributes, with their names; what else is in their place, too.

        Parameters in lists, which are nearly all there is, may be left out.
        """
        trained = self._trained
        for name, thing in vars(self).items():
            if type(thing) not in _PLAIN or name in trained:
                if not _are_parameters(thing):
                    yield from _parts(name, thing, name in trained)
                elif with_parameters:
                    yield from zip([f"{name}.{i}" for i in range(len(thing))], thing, strict=True)

    def _walk(self, prefix: str, seen: set[int], with_parameters: bool = True) -> Iterator[tuple[str, str, Any]]:
        """Iterate over all parameters and modules inside, each once, with the owner's full name and its own there."""
        for name, part in self._own_parts(with_parameters):
            if id(part) in seen:
                continue
            seen.add(id(part))
            if isinstance(part, Module):
                yield prefix, name, part
                yield from part._walk(f"{prefix}{name}.", seen, with_parameters)
            elif isinstance(part, Parameter):
                yield prefix, name, part
            else:
                self._check_untrained(name, part)

    def named_modules(self) -> list[tuple[str, Module]]:
        """Return this module, under the name "", and all modules inside it, each once."""
        inside = self._walk("", {id(self)}, with_parameters=False)
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
        if type(self).named_parameters is not Module.named_parameters:
            return [parameter for _, parameter in self.named_parameters()]
        parts = inside(self) if self._name else self._name_parts()
        self.named_modules()  # it is an error if something else is in the place of a parameter
        return list(dict.fromkeys([part for part in parts if isinstance(part, Parameter)]))

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
                    elif isinstance(part, Module):
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
        self.parameters()  # it is an error if something else is in the place of one
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
        inside = [f"{name}={part!r}" for name, part in self._own_parts(False) if isinstance(part, Module)]
        return f"{type(self).__name__}({', '.join(inside)})"


tell(Module, of="Module")

_NUMBERS = frozenset((int, float, bool, str, type(None)))  # and texts, in which there are no parameters
_PLAIN = _NUMBERS | {frozenset}


def other_name(name: str) -> Any:
    """Return a property that is an attribute by another name, to be read and to be set."""
    return property(attrgetter(name), lambda self, thing: setattr(self, name, thing), doc=f"The {name}.")


def inside(module: Module) -> list[Any]:
    """Return a module and all parameters and modules inside it, without their names, which takes less time.

    A parameter is there as often as it is found, a module once.
    """
    found: list[Any] = []
    seen: set[int] = set()

    def walk(thing: Any) -> None:
        if isinstance(thing, Module):
            if id(thing) not in seen:
                seen.add(id(thing))
                found.append(thing)
                for part in list(vars(thing).values()):
                    walk(part)
        elif isinstance(thing, Parameter):
            found.append(thing)
        elif _is_sequence(thing):
            if _are_parameters(thing):
                found.extend(thing)
            else:
                for part in thing:
                    walk(part)
        elif isinstance(thing, dict):
            for part in thing.values():
                walk(part)

    walk(module)
    return found


def _parts(name: str, thing: Any, is_all: bool = False) -> Iterator[tuple[str, Any]]:
    """Iterate over the Values and modules in an attribute: itself, or those in lists, tuples, arrays and dicts.

    With `is_all` over all that isn't None.
    """
    if isinstance(thing, (Value, Module)):
        yield name, thing
    elif _is_sequence(thing):
        for i, part in enumerate(thing):
            yield from _parts(f"{name}.{i}", part, is_all)
    elif isinstance(thing, dict):
        for key, part in thing.items():
            yield from _parts(f"{name}.{key}", part, is_all)
    elif isinstance(thing, (Set, ValuesView, deque)):
        if any(isinstance(part, (Parameter, Module)) for part in thing):
            kind = type(thing).__name__
            raise TypeError(f"{name} is a {kind}, in which no training would find parameters: put them into a list")
    elif is_all and thing is not None:
        yield name, thing


def _kinds(thing: Any) -> set[type]:
    """Return the types of what is in an attribute: its own, or those of what is in lists, tuples, arrays and dicts."""
    if isinstance(thing, dict):
        return _kinds(list(thing.values()))
    if not _is_sequence(thing):
        return {type(thing)}
    found = set(map(type, thing))
    is_nested = any(issubclass(kind, (list, tuple, dict, np.ndarray)) for kind in found)
    return set().union(*map(_kinds, thing)) if is_nested else found


def _shape(thing: Any) -> tuple[int, ...] | None:
    """Return the shape of a parameter, (), or of lists of parameters; None of anything else, and of ragged lists."""
    if isinstance(thing, Parameter):
        return ()
    if not _is_sequence(thing) or not len(thing):
        return None
    shapes = {_shape(part) for part in thing}
    shape = shapes.pop()
    return None if shapes or shape is None else (len(thing), *shape)


def _are_parameters(thing: Any) -> bool:
    """Return whether something is a list of parameters and nothing else, as a neuron's weights are."""
    return type(thing) is list and set(map(type, thing)) == {Parameter}


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
