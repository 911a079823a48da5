"""Modules made of modules, and the small ones between them: `Sequential`, `Residual`, `Activation`, `Flatten`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any, overload

from autograd_mini.checks import is_whole
from autograd_mini.engine import functions
from autograd_mini.engine.signatures import OneOrMany
from autograd_mini.explanations.labels import Given
from autograd_mini.nn.activations import ActivationLike, Choice, activated, activation_name
from autograd_mini.nn.batches import batch
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import flat, folded, is_list, nodes, shape


class Sequential(Module):
    """Modules one after the other: f = f_L ∘ … ∘ f₂ ∘ f₁.

    Each one gets what the one before gives. A single output comes back bare, as from `MLP`.

    Parameters
    ----------
    *modules : Module
        f₁, f₂, …; at least one.

    Attributes
    ----------
    modules : tuple of Module
        The modules. ``model[0]`` is the first of them, ``model[:2]`` a `Sequential` of the first two, which it shares
        with this one, and ``model[-1] = …`` replaces the last one.

    Raises
    ------
    TypeError
        If one of them isn't a module.
    ValueError
        If there are none.

    Examples
    --------
    >>> from autograd_mini.nn import Layer
    >>> from autograd_mini.nn.dropout import Dropout
    >>> model = Sequential(Layer(2, 8, "tanh", rng=0), Dropout(0.8, rng=0), Layer(8, 1, "identity", rng=1))
    >>> len(model), model.n_inputs, model([1.0, 2.0]).primitive.name
    (3, 2, 'dot')
    >>> list(model.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    modules: tuple[Module, ...]

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            _check_module(f"Sequential, module {i}", module)
        if not modules:
            raise ValueError("Sequential: expected at least one module, got none; as in Sequential(Layer(2, 1))")
        self.modules = modules

    @property
    def n_inputs(self) -> int:
        """The number of features that the first module takes; AttributeError where that module has no `n_inputs`."""
        return self.modules[0].n_inputs  # type: ignore[attr-defined, no-any-return]

    def forward(self, x: Any) -> OneOrMany:
        """Return the last module's output for one example; a single output without its list."""
        for module in self.modules:
            x = module(x)
        return _bare(x)  # type: ignore[no-any-return]

    def batch(self, rows: Iterable[Any]) -> list[Any]:
        """Return the outputs for a batch: all of it goes through one module, then through the next."""
        rows = list(rows)
        for module in self.modules:
            rows = batch(module, rows)
        return [_bare(row) for row in rows]

    def __len__(self) -> int:
        return len(self.modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module | Sequential:
        if not isinstance(index, slice):
            return self.modules[index]
        chosen = self.modules[index]
        if not chosen:
            raise ValueError(f"Sequential: nothing is left of {len(self)} modules in that slice; choose at least one")
        part = Sequential.__new__(Sequential)
        # Not by __setattr__, which would give the modules new names.
        vars(part).update(modules=chosen, training=self.training, _is_named=True)
        return part

    def __setitem__(self, index: int, module: Module) -> None:
        _check_module(f"Sequential, module {index}", module)
        modules = list(self.modules)
        modules[index] = module
        self.modules = tuple(modules)

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        for i, module in enumerate(self.modules):
            yield from ((f"{i}.{name}", entry) for name, entry in module._state_entries())

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.modules))})"


class Residual(Module):
    """A module with a way around it: y = x + f(x).

    ∂y/∂x = 1 + f′(x): the gradient comes through even where f′ vanishes, so that many such modules can be stacked
    (He et al., Deep residual learning, 2016).

    Parameters
    ----------
    module : Module
        f; its output must have the shape of its input.

    Raises
    ------
    TypeError
        If it isn't a module.
    ValueError
        When called, if the module's output doesn't have the shape of its input.

    Examples
    --------
    >>> from autograd_mini.nn import Layer
    >>> block = Residual(Layer(2, 2, initializer="zeros"))
    >>> [y.data for y in block([3.0, 4.0])]
    [3.0, 4.0]
    """

    module: Module

    def __init__(self, module: Module) -> None:
        _check_module("Residual", module)
        self.module = module

    @property
    def n_inputs(self) -> int:
        """The number of features that the module takes; AttributeError where it has no `n_inputs`."""
        return self.module.n_inputs  # type: ignore[attr-defined, no-any-return]

    def forward(self, x: Any) -> Any:
        """Return x + f(x) for one example: a Value where both are, else a list."""
        x = nodes(x)
        return self._sum(x, self.module(x))

    def batch(self, rows: Iterable[Any]) -> list[Any]:
        """Return x + f(x) for each example of a batch, which goes through f together."""
        examples = [nodes(row) for row in rows]
        return [self._sum(x, out) for x, out in zip(examples, batch(self.module, examples), strict=True)]

    def _sum(self, x: Any, out: Any) -> Any:
        if is_list(x) != is_list(out):  # one output comes without its list, or one input came so
            x, out = (part if is_list(part) else [part] for part in (x, out))
        if shape(x) != shape(out):
            raise ValueError(
                f"Residual: expected an output of the input's shape {shape(x)}, got {shape(out)} from {self.module!r}; "
                f"give its last layer as many outputs as the first has inputs"
            )
        return folded([a + b for a, b in zip(flat(x), flat(out), strict=True)], shape(x))

    def __repr__(self) -> str:
        return f"Residual({self.module!r})"


class Activation(Module):
    """An activation as a module of its own: a = σ(x), element by element.

    Parameters
    ----------
    activation : str or callable
        As for `Neuron`; or "softmax", which turns each innermost list into probabilities.

    Raises
    ------
    ValueError
        If no activation has the name. When called: if softmax gets a single number.
    TypeError
        If it is neither a name nor a function.

    Examples
    --------
    >>> [a.data for a in Activation("relu")([1.0, -2.0])]
    [1.0, 0.0]
    >>> [p.data for p in Activation("softmax")([0.0, 0.0])]
    [0.5, 0.5]
    """

    def __init__(self, activation: ActivationLike) -> None:
        self.activation = activation

    activation = Choice(has_softmax=True)
    _activate: Any

    def forward(self, x: Any) -> Any:
        """Return σ of a number, or of every number in a list or in lists of lists."""
        x = nodes(x)
        if self._activate is functions.softmax:
            return self._softmax(x)
        return self._activated(x)

    def _activated(self, x: Any, *place: int) -> Any:
        if is_list(x):
            return [self._activated(part, *place, i) for i, part in enumerate(x)]
        return activated(self._activate, x, Given("a", place))

    def _softmax(self, x: Any) -> Any:
        if not is_list(x):
            raise ValueError("softmax needs a list of numbers, one for each class, got a single one; or take 'sigmoid'")
        return [self._softmax(part) for part in x] if x and is_list(x[0]) else functions.softmax(x)

    def __repr__(self) -> str:
        return f"Activation({activation_name(self.activation)!r})"


class Flatten(Module):
    """Lists in lists, such as the channels of a convolution, as one flat list in reading order.

    Examples
    --------
    >>> [x.data for x in Flatten()([[1.0, 2.0], [3.0, 4.0]])]
    [1.0, 2.0, 3.0, 4.0]
    """

    def forward(self, x: Any) -> list[Any]:
        """Return all numbers of one example in a flat list."""
        return flat(nodes(x))


class Reshape(Module):
    """One example's features as lists in lists: the opposite of `Flatten`, to hand a row of pixels to a convolution.

    Parameters
    ----------
    *sizes : int
        The lengths, outermost first: channels, rows, columns.

    Raises
    ------
    ValueError
        If a length isn't at least 1. When called: if there are more numbers or fewer than fit.

    Examples
    --------
    >>> [[x.data for x in row] for row in Reshape(2, 2)([1.0, 2.0, 3.0, 4.0])]
    [[1.0, 2.0], [3.0, 4.0]]
    """

    def __init__(self, *sizes: int) -> None:
        if not sizes or not all(is_whole(size, least=1) for size in sizes):
            raise ValueError(f"Reshape: expected lengths of at least 1, got {sizes}; as in Reshape(1, 8, 8)")
        self.sizes = sizes

    @property
    def n_inputs(self) -> int:
        """The number of features of one example."""
        return prod(self.sizes)

    def forward(self, x: Any) -> Any:
        """Return the numbers of one example in lists of these lengths."""
        elements = flat(nodes(x))
        if len(elements) != self.n_inputs:
            raise ValueError(
                f"{self!r}: expected {self.n_inputs} numbers, got {len(elements)}; choose lengths that fit"
            )
        return folded(elements, self.sizes)

    def __repr__(self) -> str:
        return f"Reshape({', '.join(map(str, self.sizes))})"


def _bare(outputs: Any) -> Any:
    """Return a single output without its list."""
    return outputs[0] if is_list(outputs) and len(outputs) == 1 and not is_list(outputs[0]) else outputs


def _check_module(where: str, thing: Any) -> None:
    if not isinstance(thing, Module):
        advice = "write the modules one by one, without a list" if is_list(thing) else "wrap a function in Activation"
        raise TypeError(f"{where}: expected a Module, got {type(thing).__name__}; {advice}")
