"""What a traced function can reach beside nodes: numbers, lists, arrays and objects, whose contents its program keeps.

A program has the numbers that they had when the function was traced. `Surroundings` remembers what there was, so that
the program is made anew when any of it is another; that is asked before each run.
"""

from __future__ import annotations

import dis
import sys
import types
from array import array
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import chain, compress, repeat
from operator import getitem, is_
from types import CellType
from typing import Any
from weakref import ref

import numpy as np

from autograd_mini.engine import protocol
from autograd_mini.engine.copying import attributes
from autograd_mini.engine.defining import Operation, rules_of
from autograd_mini.engine.node import Node
from autograd_mini.engine.tracing import is_elsewhere
from autograd_mini.engine.value import Value
from autograd_mini.nn.module import Module

_ATOMS = (int, float, complex, str, bytes, bool, type(None), np.generic)
_MOST_THINGS = 20_000  # as many are looked at
_MOST_NUMBERS = 16_384  # of a larger array, as many are compared
_MOST_CONDITIONS = 30  # as many are written out


_GIVEN_NAMES = ("_name", "_named", "_is_named")  # what a module notes when it is called


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
        self.attributes: set[str] = set()  # the attributes that the functions read of anything but modules
        self.nodes: list[Collection[Node]] = []  # those of a list together, as they may be many
        self.version = 0  # of the copies, and so of `conditions`
        self._cells: list[tuple[str, Any, Any]] = []
        self._entries: dict[tuple[int, Any], tuple[str, Any, Any, Any]] = {}  # of dictionaries, attributes among them
        self._lists: list[tuple[str, Any, Sequence[Any], list[int]]] = []  # where there is what `==` doesn't tell
        self._sizes: list[tuple[str, Any, int]] = []
        self._readings: list[tuple[str, Any, Callable[[Any], Any], Any]] = []  # what isn't in a container
        self._owned: Counter[int] = Counter()  # in how many places a list was found, by its id
        self._classes: set[type] = set()  # those whose attributes are kept
        self._seen: dict[int, Any] = {}  # the things are kept, so that no other gets the id of one
        self._waiting: list[tuple[str, Any]] = [("the function", root) for root in roots]
        for root in roots:
            if isinstance(root, types.FunctionType):  # also one that the package made of the user's parts
                self._seen[id(root)] = root
                self._function(root)
        while self._waiting and len(self._seen) < _MOST_THINGS:
            name, thing = self._waiting.pop()
            if isinstance(thing, Node):
                self.nodes.append((thing,))
            elif id(thing) in self._seen:
                self._owned[id(thing)] += 1
            elif not isinstance(thing, _ATOMS):
                self._seen[id(thing)] = thing
                self._remember(name, thing)
        self.is_complete = not self._waiting
        # Of what programs keep on nodes, as optimizers do, what these functions read.
        nodes = list(chain.from_iterable(self.nodes))
        for key in sorted(key for key in self.attributes if not hasattr(Value, key)):
            for node in _with(key, nodes):
                self._some(node.label, vars(node), [key])
        self._keep()

    def modules(self) -> list[Module]:
        """Return the models, and the parts of networks, that were found."""
        return [thing for thing in self._seen.values() if isinstance(thing, Module)]

    def changed(self) -> str:
        """Return the name of something that isn't as it was; "" if all is."""
        if self._is_identical() and (not self._readings or all(map(_is_read_again, self._readings))):
            return ""
        for name, cell, before in self._cells:
            if not _is_same(_contents(cell), before):
                return name
        for name, dictionary, key, before in self._entries.values():
            if not _is_same(dictionary.get(key, _NOTHING), before):
                return name
        for name, sequence, parts, _ in self._lists:
            if not _are_same(sequence, parts):
                return name
        for name, dictionary, size in self._sizes:
            if len(dictionary) != size:
                return name
        found = next((reading[0] for reading in self._readings if not _is_read_again(reading)), "")
        if not found:  # equal numbers in the place of others: from now on these
            self._lists = [(name, sequence, _copy(sequence), places) for name, sequence, _, places in self._lists]
            self._keep()
        return found

    def forget_changes(self) -> None:
        """Leave out what has changed by now: what a function writes down while it is traced it doesn't depend on."""
        self._cells = [kept for kept in self._cells if _is_same(_contents(kept[1]), kept[2])]
        entries, self._entries = self._entries, {}
        for place, (name, dictionary, key, before) in entries.items():
            now = dictionary.get(key, _NOTHING)
            if _is_same(now, before) or key in _GIVEN_NAMES:
                self._entries[place] = name, dictionary, key, now
        self._lists = [kept for kept in self._lists if _are_same(*kept[1:3])]
        grown = [(name, dictionary) for name, dictionary, size in self._sizes if len(dictionary) != size]
        self._sizes = [kept for kept in self._sizes if len(kept[1]) == kept[2]]
        for name, dictionary in grown:  # a number that was put in meanwhile, as by a defaultdict, may be read again
            new = [key for key in dictionary if (id(dictionary), key) not in entries]
            self._some(name, dictionary, [key for key in new if isinstance(dictionary[key], _ATOMS)])
            if all(key in _GIVEN_NAMES for key in new):
                self._sizes.append((name, dictionary, len(dictionary)))
        self._readings = [reading for reading in self._readings if _is_read_again(reading)]
        self._keep()

    # ---------------------------------------------------------- the quick comparison: of containers as wholes, in C

    def _keep(self) -> None:
        """Take down copies of the containers, and by itself all that `==` might take for another thing."""
        counts = Counter(place for place, _ in self._entries)
        whole = {id(d): d for _, d, size in self._sizes if type(d) is dict and counts[id(d)] == size}
        lists = [kept[1:] for kept in self._lists if type(kept[1]) is list]
        # A list of nodes or numbers that is in another container is compared there: an equal one may take its place.
        flat = {id(sequence): parts for sequence, parts, places in lists if not places}
        told = [(cell, before) for _, cell, before in self._cells if _is_told_in_a_cell(before)]
        cells, read = [cell for cell, _ in told], [before for _, before in told]
        inside = {id(x) for d in whole.values() for x in d.values()}
        inside |= {id(parts[k]) for _, parts, places in lists for k in places}
        self._containers: list[Any] = [*whole.values(), *cells]
        self._copies: list[Any] = [*map(_of_same_keys, whole.values(), repeat(flat)), *map(CellType, read)]
        for sequence, parts, places in lists:
            if places or id(sequence) not in inside or self._owned[id(sequence)] > 1:
                self._containers.append(sequence)
                self._copies.append([flat.get(id(x), x) for x in parts] if places else parts)
        exact: list[tuple[Any, Any, Any]] = [
            (d, k, x) for d in whole.values() for k, x in d.items() if not _is_told_by_equality(x) and id(x) not in flat
        ]
        exact += [(s, k, parts[k]) for s, parts, places in lists for k in places if id(parts[k]) not in flat]
        exact += [(d, k, before) for (at, _), (_, d, k, before) in self._entries.items() if at not in whole]
        self._owners, self._keys, self._kept = map(list, zip(*exact, strict=True)) if exact else ([], [], [])
        self._readers = [(cell, before) for _, cell, before in self._cells if not _is_told_in_a_cell(before)]
        self._sets = [(sequence, parts) for _, sequence, parts, _ in self._lists if type(sequence) is not list]
        self.version += 1

    def conditions(self) -> tuple[list[str], dict[str, Any]] | None:
        """Return what `changed` looks at first as conditions in Python, and what their names mean; None if it is much.

        Before them goes ``asked = protocol.equalities``; an error means that something is gone (see `_is_identical`).
        """
        if self._sets or self._readings or len(self._kept) + len(self._readers) > _MOST_CONDITIONS:
            return None
        found = ["containers == copies", "asked == protocol.equalities"]
        names: dict[str, Any] = {"containers": self._containers, "copies": self._copies}
        if not any(self._copies):
            found = [f"not empty{k}" for k in range(len(self._containers))]
            names = {f"empty{k}": container for k, container in enumerate(self._containers)}
        for k, (owner, key, kept) in enumerate(zip(self._owners, self._keys, self._kept, strict=True)):
            found.append(f"owner{k}[key{k}] is kept{k}")
            names |= {f"owner{k}": owner, f"key{k}": key, f"kept{k}": kept}
        for k, (cell, before) in enumerate(self._readers):
            found.append(f"cell{k}.cell_contents is before{k}")
            names |= {f"cell{k}": cell, f"before{k}": before}
        return found, names

    @property
    def quick_check(self) -> Callable[[], bool] | None:
        """What tells quickly that nothing has changed; None where there are arrays, whose numbers are compared, too."""
        return None if self._readings else self._is_identical

    def _is_identical(self) -> bool:
        """Return whether surely nothing has changed but the numbers in arrays."""
        asked = protocol.equalities  # it stays, unless another thing stands where a node stood: they may be equal
        try:
            return (
                self._containers == self._copies
                and asked == protocol.equalities
                and (not self._kept or all(map(is_, map(getitem, self._owners, self._keys), self._kept)))
                and (not self._readers or all(_contents(cell) is before for cell, before in self._readers))
                and (not self._sets or all(len(s) == len(parts) and all(map(is_, s, parts)) for s, parts in self._sets))
            )
        except (LookupError, TypeError, ValueError):  # something is gone; or there are arrays, whose `==` is an array
            return False

    # ------------------------------------------------------------------------------------------------ remembering

    def _remember(self, name: str, thing: Any) -> None:
        """Keep what a thing holds, and go on to that."""
        kind = type(thing)
        if isinstance(thing, dict):
            self._dictionary(name, thing)
        elif isinstance(thing, (list, tuple, set, frozenset, deque)):
            self._sequence(name, thing)
        elif isinstance(thing, types.FunctionType):
            if not is_elsewhere(thing.__code__.co_filename):
                self._function(thing)
            else:  # one that was made of the user's parts, as by `grad` or a decorator, has them around it
                self._waiting += [(name, _contents(cell)) for cell in thing.__closure__ or ()]
        elif isinstance(thing, (types.MethodType, types.BuiltinMethodType)):
            self._waiting += [(name, thing.__self__), (name, getattr(thing, "__func__", None))]
        elif isinstance(thing, (classmethod, staticmethod)):
            self._waiting.append((name, thing.__func__))
        elif isinstance(thing, property):
            self._waiting.append((name, thing.fget))
        elif isinstance(thing, partial):
            self._waiting += [(name, thing.func), (name, thing.args), (name, thing.keywords)]
        elif isinstance(thing, Operation):
            self._waiting += [(name, rule) for rule in rules_of(thing.primitive)]
        elif isinstance(thing, type):
            self._class(name, thing)
        elif isinstance(thing, ref):
            self._waiting.append((name, thing()))
        elif isinstance(thing, ContextVar):
            self._readings.append((name, thing, _of_context, _of_context(thing)))
        elif isinstance(thing, (bytearray, array)):
            self._readings.append((name, thing, bytes, bytes(thing)))
        elif isinstance(thing, np.ndarray) or (
            hasattr(kind, "__array__") and getattr(thing, "size", 0) < _MOST_NUMBERS
        ):
            self._readings.append((name, thing, _numbers, _numbers(thing)))
            if isinstance(thing, np.ndarray) and thing.dtype == object:
                self._waiting += [(f"{name}[{i}]", part) for i, part in enumerate(thing.flat)]
        elif not isinstance(thing, types.ModuleType):
            self._object(name, thing)

    def _sequence(self, name: str, sequence: Any) -> None:
        """Keep the parts of a list or a set; numbers and nodes at once, and rows of them, as they may be many."""
        kinds = set(map(type, sequence))
        self._owned[id(sequence)] += 1
        if not isinstance(sequence, (tuple, frozenset)):
            parts = _copy(sequence)
            quick = _are_told_by_equality(parts, kinds)
            places = [] if quick else [k for k, x in enumerate(parts) if not _is_told_by_equality(x)]
            self._lists.append((name, sequence, parts, places))
            sequence = parts
        if _are_all(kinds, Node):
            self.nodes.append(sequence)
        elif not _are_all(kinds, _ATOMS):
            for i, part in enumerate(sequence):
                is_row = type(part) is list and any(_are_all(set(map(type, part)), one) for one in (Node, _ATOMS))
                if is_row:
                    self._sequence(f"{name}[{i}]", part)
                else:
                    self._waiting.append((f"{name}[{i}]", part))

    def _dictionary(self, name: str, dictionary: Any) -> None:
        self._some(name, dictionary, list(dictionary))
        self._sizes.append((name, dictionary, len(dictionary)))

    def _some(self, name: str, dictionary: Any, keys: list[Any]) -> None:
        """Keep some of a dictionary's entries."""
        for key in keys:
            inner = ".".join(filter(None, (name, key))) if isinstance(key, str) else f"{name}[{key!r:.20}]"
            self._entries[id(dictionary), key] = (inner, dictionary, key, dictionary[key])
            self._waiting.append((inner, dictionary[key]))

    def _function(self, function: types.FunctionType) -> None:
        """Keep the variables around a function, the globals that it names, its defaults and attributes."""
        around = {}
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            around[variable] = _contents(cell)
            self._cells.append((variable, cell, around[variable]))
            self._waiting.append((variable, around[variable]))
        names = list(dict.fromkeys(_names(function.__code__)))
        self.attributes.update(_attributes(function.__code__, {**function.__globals__, **around}))
        namespaces = [function.__globals__]
        for namespace in namespaces:  # which grow by those of the modules that are found on the way
            is_foreign = is_elsewhere(namespace.get("__file__") or "")
            here = [name for name in names if name in namespace]
            self._some("", namespace, [n for n in here if not (is_foreign and isinstance(namespace[n], _NO_DATA))])
            modules = [vars(thing) for thing in map(namespace.get, here) if isinstance(thing, types.ModuleType)]
            namespaces += [module for module in modules if not any(module is known for known in namespaces)]
        self._waiting += [("a default", function.__defaults__), ("a default", function.__kwdefaults__)]
        self._waiting.append((function.__name__, vars(function)))

    def _class(self, name: str, kind: type) -> None:
        """Keep the attributes of a class and those that it inherits, and go on to its methods."""
        for one in kind.__mro__:
            if _is_own(one) and one not in self._classes:
                self._classes.add(one)
                entries = [key for key in vars(one) if key[:2] != "__"]
                self._some("", vars(one), [key for key in entries if isinstance(vars(one)[key], _DATA)])
                methods = [thing for thing in vars(one).values() if isinstance(thing, _METHODS)]
                self._waiting += [(f"{name}.{getattr(thing, '__name__', '')}", thing) for thing in methods]

    def _object(self, name: str, thing: Any) -> None:
        """Keep the attributes of an object, and those of its class."""
        kind = type(thing)
        if not _is_open(kind):
            return
        if id(kind) not in self._seen:
            self._seen[id(kind)] = kind
            self._class(name, kind)
        attributes = getattr(thing, "__dict__", {})
        for left_out in getattr(kind, "_read_at_each_run", ()):
            self._seen[id(attributes[left_out])] = attributes[left_out]  # its contents may change
        self._dictionary(name, attributes)
        for slot in chain.from_iterable(_slots(one) for one in kind.__mro__):
            self._readings.append((f"{name}.{slot}", (thing, slot), _in_slot, _in_slot((thing, slot))))
            self._waiting.append((f"{name}.{slot}", getattr(thing, slot, None)))


_DATA = (*_ATOMS, list, dict, set, np.ndarray)
_METHODS = (types.FunctionType, classmethod, staticmethod, property)
_NO_DATA = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, np.ufunc)
# Whose objects aren't looked into: they are many, or change by themselves, and no numbers of a model are in them.
_CLOSED = {"numpy", "random", "logging", "threading", "concurrent", "asyncio", "io", "_io", "matplotlib"}
_CLOSED |= {"jax", "jaxlib", "IPython", "ipykernel", "itertools", "re", "typing", "torch"}
_OWN_CLOSED = ("autograd_mini.engine.", "autograd_mini.vectorizer.", "autograd_mini.views.")
_NOTHING = object()


def _is_told_by_equality(thing: Any) -> bool:
    """Return whether nothing but the thing itself, or an equal number or text, equals it."""
    if isinstance(thing, float):
        return thing == thing and thing != 0.0  # nan differs from itself, and 0 equals -0
    if isinstance(thing, frozenset):
        return all(map(_is_told_by_equality, thing))
    return _is_compared_by_identity(type(thing)) or isinstance(thing, (int, str, bytes, type(None)))


def _are_told_by_equality(things: Sequence[Any], kinds: set[type]) -> bool:
    """Return that of many things of some kinds, quickly: it may be False where it holds."""
    if kinds == {float}:
        return 0.0 not in things and (total := sum(things)) == total
    return all(map(_is_compared_by_identity, kinds))


def _is_compared_by_identity(kind: type) -> bool:
    return kind.__eq__ is object.__eq__ or issubclass(kind, Node)  # type: ignore[comparison-overlap]


def _is_told_in_a_cell(thing: Any) -> bool:
    """Return the same of a variable's cell: two cells of one node ask the node, where lists see that it is one."""
    return _is_told_by_equality(thing) and not isinstance(thing, Node)


def _copy(sequence: Any) -> Sequence[Any]:
    """Return a list of a list, so that both can be compared as wholes; a tuple of anything else."""
    return list(sequence) if type(sequence) is list else tuple(sequence)


def _of_same_keys(dictionary: dict[Any, Any], others: Mapping[int, Any]) -> dict[Any, Any]:
    """Return a copy of a dictionary, with others in the place of some things, by their ids.

    What `copy` makes of an object's attributes shares its keys with it, and is compared more quickly for that.
    """
    result = dictionary.copy()
    for key, thing in dictionary.items():
        if id(thing) in others:
            result[key] = others[id(thing)]
    return result


def _are_all(kinds: set[type], one: Any) -> bool:
    return all(issubclass(kind, one) for kind in kinds)


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


def _attributes(code: types.CodeType, variables: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over the attributes that a function's code reads, but not those of modules, as the function `grad` is."""
    owner: Any = None
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and not isinstance(owner, types.ModuleType):
            yield step.argval
        owner = variables.get(step.argval) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF") else None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _attributes(constant, variables)


def _with(attribute: str, nodes: Collection[Node]) -> Iterable[Node]:
    """Return those of many nodes that were given an attribute, by a name that no Value has."""
    if any(hasattr(kind, attribute) or hasattr(kind, "__getattr__") for kind in set(map(type, nodes))):
        return [node for node in nodes if attribute in attributes(node)]  # of classes of one's own
    return compress(nodes, map(hasattr, nodes, repeat(attribute)))


def _numbers(thing: Any) -> Any:
    """Return the numbers of an array, as bytes; of a large one, of some of them."""
    numbers = np.asarray(thing)
    heading = f"{numbers.shape}{numbers.dtype.str}"
    if numbers.size > _MOST_NUMBERS:
        numbers = numbers.reshape(-1)[:: numbers.size // _MOST_NUMBERS]
    if numbers.dtype == object:
        return heading + repr([*map(id, numbers.flat)] if numbers is thing else numbers.tolist())
    return heading.encode() + numbers.tobytes()


def _is_read_again(reading: tuple[str, Any, Callable[[Any], Any], Any]) -> bool:
    _, thing, read, before = reading
    return _is_same(read(thing), before)


def _of_context(variable: ContextVar[Any]) -> Any:
    return variable.get(_NOTHING)


def _in_slot(place: tuple[Any, str]) -> Any:
    return getattr(*place, _NOTHING)


def _slots(kind: type) -> list[str]:
    """Return the slots that a class adds."""
    slots = vars(kind).get("__slots__", ())
    return [slot for slot in ([slots] if isinstance(slots, str) else slots) if slot[:2] != "__"]


def _is_open(kind: type) -> bool:
    """Return whether the attributes of a class's objects are looked at."""
    module = kind.__module__
    if not isinstance(module, str):  # the functions that Cython makes: up to Python 3.10 theirs is a slot's descriptor
        return False
    return module.split(".")[0] not in _CLOSED and not module.startswith(_OWN_CLOSED)


def _is_own(kind: type) -> bool:
    """Return whether a class is the user's, or one of the parts that networks are made of."""
    if str(kind.__module__).startswith("autograd_mini."):
        return kind.__module__.startswith("autograd_mini.nn.")
    return _is_open(kind) and not is_elsewhere(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")


def _are_same(now: Any, before: Sequence[Any]) -> bool:
    """Return whether a sequence has the same things in the same order."""
    return len(now) == len(before) and (all(map(is_, now, before)) or all(map(_is_same, now, before)))


def _is_same(now: Any, before: Any) -> bool:
    """Return whether a thing is the same one, or an equal number or text."""
    if now is before:
        return True
    if type(now) is not type(before) or not isinstance(now, _ATOMS):
        return False
    return repr(now) == repr(before) if isinstance(now, (float, complex)) else bool(now == before)
