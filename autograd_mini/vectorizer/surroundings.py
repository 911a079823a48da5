"""What a traced function can reach beside nodes: numbers, lists, arrays and objects, whose contents its program keeps.

A program holds the numbers that they had when the function was traced. `Surroundings` remembers these, so that a program
is made anew when one of them is another: before each run the contents of every list, dictionary and object are compared
with what they were, element by element and mostly by identity.
"""

from __future__ import annotations

import operator
import sys
import types
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd_mini.engine.node import Node
from autograd_mini.engine.tracing import is_elsewhere
from autograd_mini.nn.module import Module

_ATOMS = (int, float, complex, str, bytes, bool, type(None), np.generic)
_MOST_THINGS = 20_000  # as many are looked at; an object graph beyond it is no function's own
_SAMPLE = 64  # numbers of a large array that are compared
_LISTS = (list, tuple, set, frozenset)


class Surroundings:
    """What a function can reach, as it was.

    Parameters
    ----------
    *roots : callable or object
        Where to begin: the function, a loss, a penalty.

    Examples
    --------
    >>> rates = [0.5, 0.1]
    >>> around = Surroundings(lambda x: rates[0] * x)
    >>> around.changed()
    ''
    >>> rates[0] = 0.25
    >>> around.changed()
    'rates'
    """

    def __init__(self, *roots: Any) -> None:
        self._kept: list[tuple[str, Callable[[], Any], Any]] = []
        seen: set[int] = set()
        waiting: list[tuple[str, Any]] = [("the function", root) for root in roots]
        while waiting and len(seen) < _MOST_THINGS:
            name, thing = waiting.pop()
            if id(thing) in seen or isinstance(thing, (*_ATOMS, Node)):
                continue
            seen.add(id(thing))
            for part_name, read in _contents(name, thing):
                contents = read()
                self._kept.append((part_name, read, contents))
                if not isinstance(contents, np.ndarray):
                    waiting += [(_longer(part_name, key), part) for key, part in _parts(contents)]

    def changed(self) -> str:
        """Return the name of something that isn't as it was; "" if all is."""
        return next((name for name, read, contents in self._kept if not _is_same(read(), contents)), "")

    def forget_changes(self) -> None:
        """Leave out what has changed by now: what a function writes down while it is traced it doesn't depend on."""
        self._kept = [entry for entry in self._kept if _is_same(entry[1](), entry[2])]


def _contents(name: str, thing: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Iterate over what a thing holds: a name, and a function that reads it."""
    if isinstance(thing, np.ndarray):
        yield name, partial(_sample, thing)
    elif isinstance(thing, dict):
        yield name, partial(_of_dictionary, thing)
    elif isinstance(thing, _LISTS):
        yield name, partial(tuple, thing)
    elif isinstance(thing, types.FunctionType):
        if not is_elsewhere(thing.__code__.co_filename):
            yield from _of_function(thing)
    elif isinstance(thing, types.MethodType):
        yield name, lambda: (thing.__self__, thing.__func__)
    elif isinstance(thing, partial):
        yield name, lambda: (thing.func, thing.args, thing.keywords)
    elif not isinstance(thing, (type, types.ModuleType)) and _is_own(type(thing)):
        for kind in type(thing).__mro__:
            if _is_own(kind):
                yield kind.__name__, partial(_attributes_of_class, kind)
        if hasattr(thing, "__dict__"):
            left_out = getattr(thing, "_read_at_each_run", ())
            yield name, partial(_attributes, thing, left_out)


def _of_function(function: types.FunctionType) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Iterate over what a function holds: variables around it, the globals that it names, its defaults."""
    for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield variable, partial(_of_cell, cell)
    names = tuple(_names(function.__code__))
    yield "", partial(_of_namespace, function.__globals__, names)
    for name in names:
        module = function.__globals__.get(name)
        if isinstance(module, types.ModuleType) and not is_elsewhere(getattr(module, "__file__", None) or "<frozen"):
            yield name, partial(_of_namespace, vars(module), names)
    yield "a default", lambda: (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())


def _names(code: types.CodeType) -> Iterator[str]:
    """Iterate over the names that a function's code uses, and the code of functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _of_cell(cell: Any) -> Any:
    try:
        return {"": cell.cell_contents}
    except ValueError:  # a variable that isn't assigned yet
        return {}


def _of_namespace(namespace: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: namespace[name] for name in names if name in namespace}
    return {name: thing for name, thing in found.items() if not isinstance(thing, (type, types.ModuleType))}


def _of_dictionary(dictionary: dict[Any, Any]) -> dict[Any, Any]:
    return dict(dictionary)


def _attributes(thing: Any, left_out: tuple[str, ...]) -> dict[str, Any]:
    is_module = isinstance(thing, Module)
    return {
        name: part
        for name, part in vars(thing).items()
        if name not in left_out and not (is_module and name.startswith("_"))
    }


def _attributes_of_class(kind: type) -> dict[str, Any]:
    return {
        name: part
        for name, part in vars(kind).items()
        if not name.startswith("__") and isinstance(part, (*_ATOMS, *_LISTS, dict, np.ndarray))
    }


def _sample(array: np.ndarray[Any, Any]) -> Any:
    """Return a copy of an array; of a large one, of some of its numbers."""
    flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel()
    return flat[:: max(1, flat.size // _SAMPLE)].copy() if flat.size > 1000 else array.copy()


def _parts(contents: Any) -> Iterator[tuple[Any, Any]]:
    return iter(contents.items()) if isinstance(contents, dict) else enumerate(contents)


def _longer(name: str, key: Any) -> str:
    if isinstance(key, str):
        return f"{name}.{key}" if name and key else name or key
    return f"{name}[{key!r:.20}]"


def _is_own(kind: type) -> bool:
    """Return whether a class is the user's, or one of the parts that networks are made of."""
    module = kind.__module__
    if module.startswith("autograd_mini."):
        return module.startswith("autograd_mini.nn.")
    file = getattr(sys.modules.get(module), "__file__", None)
    return module == "__main__" or (file is not None and not is_elsewhere(file) and "site-packages" not in file)


def _is_same(now: Any, before: Any) -> bool:
    """Return whether contents are what they were."""
    if isinstance(now, np.ndarray):
        if now.shape != before.shape or now.dtype != before.dtype:
            return False
        return (
            now.tobytes() == before.tobytes() if now.dtype != object else all(map(operator.is_, now.flat, before.flat))
        )
    if len(now) != len(before):
        return False
    if isinstance(now, dict):
        if list(now) != list(before):
            return False
        now, before = now.values(), before.values()
    return all(map(operator.is_, now, before)) or all(map(_is_same_part, now, before))


def _is_same_part(now: Any, before: Any) -> bool:
    if now is before:
        return True
    return (
        type(now) is type(before) and isinstance(now, _ATOMS) and (now == before or (now != now and before != before))
    )
