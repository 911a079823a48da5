"""What pickle is given of an object, and what it is told where it can't store a function or a class.

Pickle stores both by their names, so that a lambda, or what is defined inside of a function, can't be found again.
``copy.deepcopy`` keeps them as they are, and cloudpickle stores their code: both are left to do it.
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
        If its class, or a function or an object among them, can't be stored by what asks for them.
    """
    state: dict[str, Any] = vars(thing).copy()
    if not _stores_functions(sys._getframe(2)):
        _check_class(f"this {type(thing).__name__}", type(thing))
        for name, attribute in state.items():
            path = f"{type(thing).__name__}.{name.lstrip('_')}"
            for part in _parts(attribute):
                if not isinstance(part, FunctionType):
                    _check_class(path, type(part))
                elif not _can_be_found(part):
                    raise pickle.PicklingError(
                        f"{path} is the function {part.__qualname__}, and pickle stores functions by name: define it "
                        f"by def at the top of a module, or take cloudpickle.dumps, which stores its code"
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


def _check_class(path: str, kind: Any) -> None:
    """Raise where pickle couldn't find the class of what is there again, as it is defined in a function."""
    if "<locals>" in kind.__qualname__ and kind.__reduce__ is object.__reduce__:
        raise pickle.PicklingError(
            f"{path} is of the class {kind.__qualname__}, and pickle stores classes by name: define it by class at the "
            f"top of a module, or take cloudpickle.dumps, which stores its code"
        )


def _parts(thing: Any) -> Iterator[Any]:
    """Iterate over what an attribute is, or holds in a list or a mapping, or binds."""
    if isinstance(thing, MethodType):
        return  # stored as its object and its name
    if isinstance(thing, functools.partial):
        yield from _parts([thing.func, *thing.args, *thing.keywords.values()])
    elif isinstance(thing, (list, tuple)):
        for part in thing:
            yield from _parts(part)
    elif isinstance(thing, Mapping):
        yield from _parts(list(thing.values()))
    else:
        yield thing


def _can_be_found(function: FunctionType) -> bool:
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function
