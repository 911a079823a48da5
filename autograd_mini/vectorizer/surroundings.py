"""What a traced function can reach beside nodes: numbers, lists, arrays and objects, whose contents its program keeps.

A program has the numbers that they had when the function was traced. `Surroundings` remembers what there was, so that
the program is made anew when any of it is another; that is asked before each run.
"""

from __future__ import annotations

import sys
import types
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain
from operator import is_
from typing import Any

import numpy as np

from autograd_mini.engine.node import Node
from autograd_mini.engine.tracing import is_elsewhere

_ATOMS = (int, float, complex, str, bytes, bool, type(None), np.generic)
_MOST_THINGS = 20_000  # as many are looked at
_SAMPLE = 64  # numbers of a large array that are compared


class Surroundings:
    """What functions and objects can reach, as it was.

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
        self._cells: list[tuple[str, Any, Any]] = []
        self._entries: dict[tuple[int, Any], tuple[str, Any, Any, Any]] = {}  # of dictionaries, attributes among them
        self._lists: list[tuple[str, Any, tuple[Any, ...]]] = []
        self._sizes: list[tuple[str, Any, int]] = []
        self._arrays: list[tuple[str, Any, Any]] = []
        self._seen: dict[int, Any] = {}  # the things are kept, so that no other gets the id of one
        self._waiting: list[tuple[str, Any]] = [("the function", root) for root in roots]
        for root in roots:
            if isinstance(root, types.FunctionType):  # also one that the package made of the user's parts
                self._seen[id(root)] = root
                self._function(root)
        while self._waiting and len(self._seen) < _MOST_THINGS:
            name, thing = self._waiting.pop()
            if id(thing) not in self._seen and not isinstance(thing, (*_ATOMS, Node)):
                self._seen[id(thing)] = thing
                self._remember(name, thing)
        self._keep()

    def changed(self) -> str:
        """Return the name of something that isn't as it was; "" if all is."""
        if self._is_identical() and all(_is_same_array(array, kept) for _, array, kept in self._arrays):
            return ""
        for name, cell, before in self._cells:
            if not _is_same(_contents(cell), before):
                return name
        for name, dictionary, key, before in self._entries.values():
            if not _is_same(dictionary.get(key, _NOTHING), before):
                return name
        for name, sequence, parts in self._lists:
            if len(sequence) != len(parts) or not all(map(_is_same, sequence, parts)):
                return name
        for name, dictionary, size in self._sizes:
            if len(dictionary) != size:
                return name
        found = next((name for name, array, kept in self._arrays if not _is_same_array(array, kept)), "")
        if not found:
            self._keep()  # equal numbers in the place of others: from now on these
        return found

    def forget_changes(self) -> None:
        """Leave out what has changed by now: what a function writes down while it is traced it doesn't depend on."""
        self._cells = [kept for kept in self._cells if _is_same(_contents(kept[1]), kept[2])]
        entries, self._entries = self._entries, {}
        for place, (name, dictionary, key, before) in entries.items():
            now = dictionary.get(key, _NOTHING)
            if _is_same(now, before) or key in ("_name", "_is_named"):  # a module is given its name when it is called
                self._entries[place] = name, dictionary, key, now
        self._lists = [k for k in self._lists if len(k[1]) == len(k[2]) and all(map(_is_same, k[1], k[2]))]
        self._sizes = [(name, dictionary, len(dictionary)) for name, dictionary, _ in self._sizes]
        self._arrays = [kept for kept in self._arrays if _is_same_array(kept[1], kept[2])]
        self._keep()

    # ----------------------------------------------------------- the quick comparison: by identity, without a loop here

    def _keep(self) -> None:
        """Take down the identities of all that is kept."""
        self._containers = [sequence for _, sequence, _ in self._lists]
        self._readers = [cell for _, cell, _ in self._cells]
        # A dictionary of which all entries are kept is compared as a whole, others entry by entry.
        counts = Counter(place for place, _ in self._entries)
        whole = {id(d): d for _, d, size in self._sizes if type(d) is dict and counts[id(d)] == size}
        self._whole = list(whole.values())
        rest = [entry for (place, _), entry in self._entries.items() if place not in whole]
        self._namespaces = [entry[1] if type(entry[1]) is dict else dict(entry[1]) for entry in rest]
        self._classes = [(entry[1], entry[2], entry[3]) for entry in rest if type(entry[1]) is not dict]
        self._keys = [entry[2] for entry in rest]
        self._lengths = [*map(len, self._containers), *map(len, self._whole)]
        self._identities = [*self._parts()]

    def _parts(self) -> Iterator[Any]:
        return chain(
            chain.from_iterable(self._containers),
            chain.from_iterable(map(dict.values, self._whole)),
            map(_contents, self._readers),
            map(dict.get, self._namespaces, self._keys),
        )

    def _is_identical(self) -> bool:
        return (
            [*map(len, self._containers), *map(len, self._whole)] == self._lengths
            and all(map(is_, self._parts(), self._identities))
            and all(kind.get(name, _NOTHING) is before for kind, name, before in self._classes)
        )

    # ------------------------------------------------------------------------------------------------ remembering

    def _remember(self, name: str, thing: Any) -> None:
        """Keep what a thing holds, and go on to that."""
        if isinstance(thing, np.ndarray):
            self._arrays.append((name, thing, _sample(thing)))
        elif isinstance(thing, dict):
            self._dictionary(name, thing, list(thing))
        elif isinstance(thing, (list, tuple, set, frozenset)):
            if not isinstance(thing, (tuple, frozenset)):
                self._lists.append((name, thing, tuple(thing)))
            self._waiting += [(f"{name}[{i}]", part) for i, part in enumerate(thing)]
        elif isinstance(thing, types.FunctionType):
            if not is_elsewhere(thing.__code__.co_filename):
                self._function(thing)
        elif isinstance(thing, types.MethodType):
            self._waiting += [(name, thing.__self__), (name, thing.__func__)]
        elif isinstance(thing, partial):
            self._waiting += [(name, thing.func), (name, thing.args), (name, thing.keywords)]
        elif not isinstance(thing, (type, types.ModuleType)) and _is_own(type(thing)):
            self._object(name, thing)

    def _dictionary(self, name: str, dictionary: Any, keys: list[Any]) -> None:
        for key in keys:
            inner = ".".join(filter(None, (name, key))) if isinstance(key, str) else f"{name}[{key!r:.20}]"
            self._entries[id(dictionary), key] = (inner, dictionary, key, dictionary[key])
            self._waiting.append((inner, dictionary[key]))
        if name:
            self._sizes.append((name, dictionary, len(dictionary)))

    def _function(self, function: types.FunctionType) -> None:
        """Keep the variables around a function, the globals that it names, and its defaults."""
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._cells.append((variable, cell, _contents(cell)))
            self._waiting.append((variable, _contents(cell)))
        names = list(dict.fromkeys(_names(function.__code__)))
        namespaces = [function.__globals__]
        for thing in map(function.__globals__.get, names):
            if isinstance(thing, types.ModuleType) and not is_elsewhere(getattr(thing, "__file__", None) or "<frozen"):
                namespaces.append(vars(thing))
        for namespace in namespaces:
            self._dictionary("", namespace, [name for name in names if name in namespace])
        self._waiting += [("a default", function.__defaults__), ("a default", function.__kwdefaults__)]

    def _object(self, name: str, thing: Any) -> None:
        """Keep the attributes of an object, and those of its class that are no methods."""
        for kind in type(thing).__mro__:
            if _is_own(kind):
                plain = [k for k, v in vars(kind).items() if isinstance(v, (*_ATOMS, list, dict)) and k[:2] != "__"]
                self._dictionary("", vars(kind), plain)
                method = vars(kind).get("__call__") or vars(kind).get("forward")
                if isinstance(method, types.FunctionType) and not is_elsewhere(method.__code__.co_filename):
                    self._waiting.append((name, method))
        if hasattr(thing, "__dict__"):
            for left_out in getattr(thing, "_read_at_each_run", ()):
                self._seen[id(vars(thing)[left_out])] = vars(thing)[left_out]  # its contents may change
            self._dictionary(name, vars(thing), list(vars(thing)))


_NOTHING = object()


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that isn't assigned yet
        return _NOTHING


def _names(code: types.CodeType) -> Iterator[str]:
    """Iterate over the names that a function's code uses, and those of the functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _sample(array: np.ndarray[Any, Any]) -> Any:
    """Return a copy of an array; of a large one, of some of its numbers."""
    flat = array.ravel()
    return array.shape, (flat[:: flat.size // _SAMPLE] if flat.size > 1000 else flat).copy()


def _is_same_array(array: np.ndarray[Any, Any], kept: Any) -> bool:
    shape, numbers = _sample(array)
    if shape != kept[0] or numbers.dtype != kept[1].dtype:
        return False
    return all(map(is_, numbers, kept[1])) if numbers.dtype == object else numbers.tobytes() == kept[1].tobytes()


def _is_own(kind: type) -> bool:
    """Return whether a class is the user's, or one of the parts that networks are made of."""
    if kind.__module__.startswith("autograd_mini."):
        return kind.__module__.startswith("autograd_mini.nn.")
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return kind.__module__ == "__main__" or (bool(file) and not is_elsewhere(file) and "site-packages" not in file)


def _is_same(now: Any, before: Any) -> bool:
    """Return whether a thing is the same one, or an equal number or text."""
    is_atom = type(now) is type(before) and isinstance(now, _ATOMS)
    return now is before or (is_atom and bool(now == before or (now != now and before != before)))
