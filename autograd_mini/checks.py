"""Checks of arguments, for all rooms: each returns what it was given, or says what it expected instead.

Of the package only the exceptions are used. NumPy's numbers are recognised without importing NumPy, as they are
registered with Python's module `numbers`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping
from importlib import import_module
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from autograd_mini.errors import MissingDependencyError

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, Any]"  # as text, so that naming the type imports nothing
T = TypeVar("T")

_HOLDS = {"above": operator.gt, "at least": operator.ge, "at most": operator.le, "below": operator.lt}


def is_number(thing: Any) -> bool:
    """Return whether something is a plain number, as hyperparameters are: no node, no bool, no string."""
    return isinstance(thing, Real) and not isinstance(thing, bool)


def is_whole(thing: Any, least: int) -> bool:
    """Return whether something is a whole number of at least so much; True and False aren't."""
    return isinstance(thing, Integral) and not isinstance(thing, bool) and int(thing) >= least


def checked(
    name: str,
    number: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    below: float | None = None,
    finite: bool = True,
    expected: str = "",
    advice: str = "",
) -> float:
    """Return a hyperparameter as a float.

    Parameters
    ----------
    name : str
        How to call it in the message.
    number : int, float or numpy scalar
        The hyperparameter.
    above, least, most, below : float, optional
        The bounds: greater than, at least, at most, less than.
    finite : bool, optional
        Whether infinity is refused, too.
    expected : str, optional
        What the message says was expected; by default a number between the bounds.
    advice : str, optional
        What the message says at its end.

    Raises
    ------
    ValueError
        If it is no number between the bounds, nan included.

    Examples
    --------
    >>> checked("momentum", 0, least=0.0, below=1.0)
    0.0
    >>> checked("momentum", 1.5, least=0.0, below=1.0)
    Traceback (most recent call last):
    ValueError: momentum: expected a finite number at least 0 and below 1, got 1.5
    """
    limits = zip(_HOLDS, (above, least, most, below), strict=True)
    bounds = {words: bound for words, bound in limits if bound is not None}
    try:
        fits = is_number(number) and (math.isfinite(number) if finite else not math.isnan(number))
    except OverflowError:  # an integer too large for a float
        fits = False
    if not fits or not all(_HOLDS[words](number, bound) for words, bound in bounds.items()):
        between = " and ".join(f"{words} {bound:g}" for words, bound in bounds.items())
        expected = expected or f"a {'finite ' * finite}number {between}".rstrip()
        raise _refused(name, expected, f"{number!r:.60}", advice)
    return float(number)


def checked_whole(name: str, number: Any, least: int, expected: str = "", advice: str = "") -> int:
    """Return a count as an int.

    Parameters
    ----------
    name, expected, advice
        As for `checked`.
    number : int or numpy integer
        The count.
    least : int
        The smallest that is allowed.

    Raises
    ------
    ValueError
        If it is no whole number of at least `least`.

    Examples
    --------
    >>> checked_whole("steps", 3, least=1)
    3
    """
    if not is_whole(number, least):
        raise _refused(name, expected or f"a whole number of at least {least}", repr(number), advice)
    return int(number)


def checked_flag(name: str, flag: Any) -> bool:
    """Return a switch as a bool.

    Raises
    ------
    ValueError
        If it is neither True nor False: a number in its place is most often an argument out of order.

    Examples
    --------
    >>> checked_flag("nesterov", True)
    True
    """
    if not isinstance(flag, bool) and type(flag).__name__ not in ("bool", "bool_"):  # NumPy's is no kind of Python's
        raise _refused(name, "True or False", repr(flag))
    return bool(flag)


def named(kind: str, name: Any, known: Mapping[str, T], advice: str = "") -> T:
    """Return what a table has under a name.

    Raises
    ------
    ValueError
        If there is nothing of that name, with the names that there are.

    Examples
    --------
    >>> named("loss", "huge", {"hinge": max, "huber": min})
    Traceback (most recent call last):
    ValueError: no loss is named 'huge'; choose one of hinge, huber
    """
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"no {kind} is named {name!r}; choose one of {', '.join(known)}{advice}")
    return known[name]


def checked_choice(name: str, choice: Any, choices: Collection[str]) -> str:
    """Return one of several words.

    Raises
    ------
    ValueError
        If it is none of them, with all that there are.

    Examples
    --------
    >>> checked_choice("sampling", "random", ["shuffle", "order"])
    Traceback (most recent call last):
    ValueError: sampling: expected one of shuffle, order, got 'random'
    """
    if not isinstance(choice, str) or choice not in choices:
        raise _refused(name, f"one of {', '.join(choices)}", repr(choice))
    return choice


def check_names(what: str, given: Collection[str], expected: Collection[str]) -> None:
    """Raise unless the names are those that were expected, in any order.

    Raises
    ------
    ValueError
        If one is missing, or there is one that wasn't expected.

    Examples
    --------
    >>> check_names("the state", {"weight": 1, "momentum": 2}, ["weight", "bias"])
    Traceback (most recent call last):
    ValueError: the state: missing ['bias'], unknown ['momentum']; expected ['weight', 'bias']
    """
    missing, unknown = [n for n in expected if n not in given], [n for n in given if n not in expected]
    if missing or unknown:
        raise ValueError(
            f"{what}: missing {missing or 'nothing'}, unknown {unknown or 'nothing'}; expected {list(expected)}"
        )


def real_array(name: str, data: Any, expected: str = "real numbers", advice: str = "") -> Array:
    """Return real numbers as an array of floats.

    Parameters
    ----------
    name, expected, advice
        As for `checked`.
    data : array_like
        The numbers, of any shape.

    Raises
    ------
    ValueError
        If they aren't real numbers, or rows of different lengths.

    Examples
    --------
    >>> real_array("loss", [2, 1])
    array([2., 1.])
    """
    import numpy as np

    try:
        array = np.asarray(data)
        if array.dtype.kind in "cmM":
            raise TypeError("complex numbers, dates")
        return array.astype(float)
    except OverflowError:
        large = "a float holds numbers up to 1.8e308; compute with their logarithms"
        raise _refused(name, "real numbers", _on_one_line(data), large) from None
    except (TypeError, ValueError):
        raise _refused(name, expected, f"{_on_one_line(data)}{_odd_row(data)}", advice) from None


def number_for_each(name: str, data: Any, count: int, things: str, advice: str) -> Array:
    """Return an array of floats, one for each of so many things; an array that is one already isn't copied.

    Raises
    ------
    ValueError
        If they aren't real numbers, or other than so many.

    Examples
    --------
    >>> number_for_each("gradient", [1, 2], 3, "the optimizer's parameters", "call step(gradient)")
    Traceback (most recent call last):
    ValueError: gradient: expected 3 numbers, one for each of the optimizer's parameters, got 2; call step(gradient)
    """
    import numpy as np

    array: Array = data
    if type(data) is not np.ndarray or data.dtype != float:
        try:
            array = np.asarray(data)
        except ValueError:  # rows of different lengths
            array = np.empty(1, object)
        if array.dtype.kind not in "fiub" and not all(map(is_number, array.flat)):
            raise _refused(name, f"a number for each of {things}", _on_one_line(data), advice)
        array = real_array(name, array)
    if array.shape != (count,):
        got = str(len(array)) if array.ndim == 1 else f"an array of shape {array.shape}"
        raise _refused(name, f"{count} numbers, one for each of {things}", got, advice)
    return array


def _on_one_line(data: Any) -> str:
    return f"{' '.join(repr(data).split()):.80}"


def _odd_row(data: Any) -> str:
    """Return which row of a list is no numbers, or of another shape than the first; nothing if it can't be told."""
    import numpy as np

    shape = None
    for i, row in enumerate(data if isinstance(data, (list, tuple, np.ndarray)) and np.ndim(data[:1]) else ()):
        try:
            shape, of_first = real_array("row", row).shape, shape
        except ValueError:
            return f" ({row!r:.60} in row {i})"
        if of_first not in (None, shape):
            return f" ({row!r:.60} in row {i}, and rows of shape {of_first} before)"
    return ""


def check_finite(name: str, array: Array, advice: str = "") -> None:
    """Raise unless all numbers of an array are finite.

    Raises
    ------
    ValueError
        If one is nan or infinite, with the place of the first and how many there are.

    Examples
    --------
    >>> import numpy as np
    >>> check_finite("X", np.array([[1.0, np.inf]]))
    Traceback (most recent call last):
    ValueError: X: expected finite numbers, got inf at [0, 1] (1 such)
    """
    import numpy as np

    bad = np.argwhere(~np.isfinite(array)).tolist()
    if bad:
        got = f"{array[tuple(bad[0])]} at [{', '.join(map(str, bad[0]))}] ({len(bad)} such)"
        raise _refused(name, "finite numbers", got, advice)


def needed(module: str, message: str) -> Any:
    """Import a module of an optional dependency, and return it.

    Raises
    ------
    MissingDependencyError
        If it isn't installed, with a message that says how to install it. What goes wrong inside of it is raised as it
        is.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingDependencyError(message) from error


def _refused(name: str, expected: str, got: str, advice: str = "") -> ValueError:
    return ValueError(f"{name}: expected {expected}, got {got}" + (f"; {advice}" if advice else ""))
