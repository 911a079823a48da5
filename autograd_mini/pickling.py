"""What pickle is given of an object, and what it is told where it can't store a function.

Pickle stores a function by its name, so that a lambda, or a function inside of another one, can't be found again.
``copy.deepcopy`` keeps functions as they are, and cloudpickle stores their code: both are left to do it.
"""

from __future__ import annotations

import functools
import pickle
import sys
from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any


def state_of(thing: Any) -> dict[str, Any]:
    """Return the attributes of an object, for its ``__getstate__``.

    Raises
    ------
    pickle.PicklingError
        If a function among them can't be stored by what asks for them.
    """
    state: dict[str, Any] = vars(thing).copy()
    if not _stores_functions(sys._getframe(2)):
        for name, attribute in state.items():
            for function in _functions(attribute):
                if not _can_be_found(function):
                    raise pickle.PicklingError(
                        f"{type(thing).__name__}.{name.lstrip('_')} is the function {function.__qualname__}, and "
                        f"pickle stores functions by name: define it by def at the top of a module, or take "
                        f"cloudpickle.dumps, which stores its code"
                    )
    return state


def _stores_functions(frame: Any) -> bool:
    """Return whether the state is asked for by something that stores functions whole, or keeps them."""
    while frame is not None:
        parts = frame.f_globals.get("__name__", "").split(".")
        if parts[0] in ("copy", "dill") or "cloudpickle" in parts:
            return True
        if parts[0] not in ("copyreg", "pickle", "autograd_mini"):
            return False
        frame = frame.f_back
    return False


def _functions(thing: Any) -> Iterator[FunctionType]:
    """Iterate over the functions that an attribute is, or holds in a list or a mapping, or binds."""
    if isinstance(thing, FunctionType):
        yield thing
    elif isinstance(thing, MethodType):
        return  # stored as its object and its name
    elif isinstance(thing, functools.partial):
        yield from _functions([thing.func, *thing.args, *thing.keywords.values()])
    elif isinstance(thing, (list, tuple)):
        for part in thing:
            yield from _functions(part)
    elif isinstance(thing, Mapping):
        yield from _functions(list(thing.values()))


def _can_be_found(function: FunctionType) -> bool:
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function
