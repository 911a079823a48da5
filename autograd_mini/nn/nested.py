"""Nested lists: an example may be one number, a list, or lists in lists (channels, rows, steps of a sequence)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.engine.node import FEATURE
from autograd_mini.engine.value import Value
from autograd_mini.explanations.labels import Given


def feature(number: Any, label: str = "", kind: str = FEATURE) -> Value:
    """Return a leaf for a bare number that a module was called with; its kind says that no gradient by it is needed."""
    leaf = Value(number)
    leaf.label, leaf._local = label, kind
    return leaf


def is_list(thing: Any) -> bool:
    """Return whether something is a list, a tuple or an array: what holds several numbers or nodes."""
    return isinstance(thing, (list, tuple)) or (isinstance(thing, np.ndarray) and thing.ndim > 0)


def each(function: Callable[[Any], Any], nested: Any) -> Any:
    """Apply a function to every element, at any depth.

    Examples
    --------
    >>> each(abs, [[1, -2], [-3]])
    [[1, 2], [3]]
    """
    return [each(function, part) for part in nested] if is_list(nested) else function(nested)


def flat(nested: Any) -> list[Any]:
    """Return all elements in one list, in reading order.

    Examples
    --------
    >>> flat([[1, 2], [3]]), flat(4)
    ([1, 2, 3], [4])
    """
    return [element for part in nested for element in flat(part)] if is_list(nested) else [nested]


def shape(nested: Any) -> tuple[int, ...]:
    """Return the lengths of lists in lists, outermost first.

    Raises
    ------
    ValueError
        If lists of the same depth aren't equally long.

    Examples
    --------
    >>> shape([[1, 2, 3], [4, 5, 6]]), shape(7)
    ((2, 3), ())
    """
    if not is_list(nested):
        return ()
    inner = {shape(part) for part in nested}
    if len(inner) > 1:
        raise ValueError(
            f"expected lists of the same shape side by side, got the shapes {sorted(inner)}; "
            f"cut or pad them to the same length"
        )
    return (len(nested), *(inner.pop() if inner else ()))


def folded(elements: Sequence[Any], sizes: Sequence[int]) -> Any:
    """Return a flat list as lists in lists of that shape; the opposite of `flat`.

    Examples
    --------
    >>> folded([1, 2, 3, 4, 5, 6], (2, 3))
    [[1, 2, 3], [4, 5, 6]]
    """
    if not sizes:
        return elements[0]
    step = len(elements) // sizes[0] if sizes[0] else 0
    return [folded(elements[i * step : (i + 1) * step], sizes[1:]) for i in range(sizes[0])]


def nodes(nested: Any, name: str = "x") -> Any:
    """Return the same with every number turned into a leaf; x1, x2, … or x1,1, x1,2, … in lists of lists.

    Raises
    ------
    TypeError
        If an element is neither a Value nor a real number.

    Examples
    --------
    >>> [[leaf.label for leaf in row] for row in nodes([[1.0, 2.0], [3.0, 4.0]])]
    [['x1,1', 'x1,2'], ['x2,1', 'x2,2']]
    """
    if isinstance(nested, Value):
        return nested
    if not is_list(nested):
        return feature(nested.item() if isinstance(nested, np.ndarray) else nested, Given(name))
    separator = "," if name[-1:].isdigit() else ""
    return [nodes(part, f"{name}{separator}{i}") for i, part in enumerate(nested, start=1)]


def not_one_example(expected: int, got: str, features: Sequence[Any] = ()) -> ValueError:
    """Return the error that a module takes another number of features than it was called with."""
    advice = "call it with one example at a time, as in [model(x) for x in X]"
    if features and all(isinstance(feature, Value) and feature.primitive is not None for feature in features):
        advice = "they were computed: give what computed them, as the layer before, so many outputs"
    return ValueError(f"expected {expected} feature{'s' if expected > 1 else ''}, got {got}; {advice}")
