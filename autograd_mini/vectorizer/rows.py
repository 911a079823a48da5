"""Rows: the lists that a function gets for inputs with several numbers in each example.

``3 * v`` and ``v + v`` compute with the numbers of a NumPy array, but repeat a Python list and join two. Which of both
is meant can't be told, so a row refuses operators and says how to write either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_mini.engine.reals import is_array
from autograd_mini.engine.tracing import caller
from autograd_mini.engine.value import Value
from autograd_mini.errors import TraceError
from autograd_mini.nn.nested import is_list


def _refused(symbol: str) -> Callable[..., Any]:
    """Return the method of an operator; beside an array it leaves the operator to the array."""

    def operate(self: Row, other: Any = None) -> Any:
        return NotImplemented if is_array(other) else self.refuse(symbol)

    return operate


def _compared(symbol: str, of_lists: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method of a comparison: with another list it is Python's own."""

    def compare(self: Row, other: Any) -> Any:
        is_bare = other is None or isinstance(other, str) or is_list(other)
        return of_lists(self, other) if is_bare else self.refuse(symbol)

    return compare


class Row(list):  # type: ignore[type-arg]
    """A list of Values, or of rows, for which no operator computes.

    Examples
    --------
    >>> v = Row([1.0, 2.0])
    >>> v[0] + v[1], sum(v), [3.0 * x for x in v], [*v, 5.0]
    (3.0, 3.0, [3.0, 6.0], [1.0, 2.0, 5.0])
    >>> 3 * v
    Traceback (most recent call last):
        ...
    autograd_mini.errors.TraceError: * of a list of 2, in ...: the numbers of an example come as a list v...
    """

    __slots__ = ()

    def refuse(self, symbol: str) -> Any:
        """Raise the error of an operator."""
        only = "v[0] for its only number, " if len(self) == 1 else ""
        raise TraceError(
            f"{symbol} of a list of {len(self)}{caller()}: the numbers of an example come as a list v, and Python "
            f"repeats lists and joins them, where arrays compute. Take {only}[3 * x for x in v] for each of them, "
            f"[a + b for a, b in zip(v, w)] for pairs, dot(w, v) for the sum of products, or [*v, *w] to join two lists"
        )

    def __getattr__(self, name: str) -> Any:
        """Refuse what an array or a Value has, and a list hasn't."""
        if name.startswith("__"):  # Python and NumPy ask for these
            raise AttributeError(name)
        of_one = f"v[0].{name} for the first number, [x.{name} for x in v] for each of them"
        of_all = "sum(v), mean(v) and maximum(v) of autograd_mini for all together, len(v) for their count"
        raise AttributeError(
            f".{name} of a list of {len(self)}{caller()}: the numbers of an example come as a list v, not as an array "
            f"or one Value. Take {of_one if hasattr(Value, name) else of_all}, or np.array(v) for an array of them"
        )

    def __float__(self) -> Any:
        return self.refuse("float()")

    def __int__(self) -> Any:
        return self.refuse("int()")

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, tuple):
            raise TraceError(
                f"v[i, j] of a list of {len(self)}{caller()}: an example comes as lists in lists, not as an array. "
                f"Take v[i][j] for one number, [row[j] for row in v] for a column, or np.array(v) for an array"
            )
        found = super().__getitem__(place)
        return Row(found) if isinstance(place, slice) else found

    # With a list that the function made itself, + joins them, as it does for lists.
    def __add__(self, other: Any) -> Any:
        return [*self, *other] if type(other) is list else _refused("+")(self, other)

    def __radd__(self, other: Any) -> Any:
        return [*other, *self] if type(other) is list else _refused("+")(self, other)

    def __iadd__(self, other: Any) -> Any:
        return self + other

    __mul__ = __rmul__ = __imul__ = _refused("*")
    __sub__ = __rsub__ = _refused("-")
    __truediv__ = __rtruediv__ = _refused("/")
    __pow__ = __rpow__ = _refused("**")
    __floordiv__ = __rfloordiv__ = _refused("//")
    __mod__ = __rmod__ = _refused("%")
    __matmul__ = __rmatmul__ = _refused("@")
    __neg__ = _refused("-")
    __pos__ = _refused("+")
    __abs__ = _refused("abs")
    __eq__, __ne__ = _compared("==", list.__eq__), _compared("!=", list.__ne__)
    __lt__, __le__ = _compared("<", list.__lt__), _compared("<=", list.__le__)
    __gt__, __ge__ = _compared(">", list.__gt__), _compared(">=", list.__ge__)
    __hash__ = None


def rows(elements: Sequence[Any], sizes: Sequence[int]) -> Any:
    """Return a flat list as rows in rows of that shape; of the shape () its only element.

    Examples
    --------
    >>> rows([1, 2, 3, 4, 5, 6], (2, 3))
    [[1, 2, 3], [4, 5, 6]]
    """
    if not sizes:
        return elements[0]
    step = len(elements) // sizes[0] if sizes[0] else 0
    return Row(rows(elements[i * step : (i + 1) * step], sizes[1:]) for i in range(sizes[0]))
