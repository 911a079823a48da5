"""What Python, NumPy and micrograd expect of a number, apart from arithmetic; `Value` inherits from it.

Comparisons, printing, what is refused (``float(v)``, ``if v:``), copies and pickles, and the names that programs
written for micrograd use. The operations as methods, such as ``v.exp()``, are in `methods`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NoReturn

from autograd_mini.engine import copying, node, own, primitives
from autograd_mini.engine.methods import Methods, Self
from autograd_mini.engine.node import Node
from autograd_mini.engine.reals import as_float, unsupported

equalities = 0  # how often a node was asked whether it equals something: who compares containers sees if one was


def number_in(thing: object) -> float | None:
    """Return what `==` compares with; None of a text, an array and the like, which Python compares in its own way."""
    try:
        number = as_float(thing)
    except TypeError:
        return None
    except OverflowError:
        return math.nan
    return (
        math.nan if math.isinf(number) and thing != number else number
    )  # what is larger than any float equals no node


def _data_of(number: Any, symbol: str, node: Any) -> float:
    if isinstance(number, Node):
        return number._data
    try:
        return as_float(number)
    except TypeError as error:
        raise unsupported(symbol, [node, number], error) from None


def _refused(symbol: str) -> tuple[Callable[[Any, Any], NoReturn], Callable[[Any, Any], NoReturn]]:
    """Return the two methods of an operator that has no derivative of use, or no meaning for one number."""
    why = "there is no such operation on a Value: compute with v.data, or with the functions of autograd_mini"

    def operate(self: Any, other: Any) -> NoReturn:
        raise unsupported(symbol, [self, other], why)

    def reflected(self: Any, other: Any) -> NoReturn:
        raise unsupported(symbol, [other, self], why)

    return operate, reflected


class ScalarProtocol(Methods):
    """What a number can do, without arithmetic."""

    __slots__ = ()

    _repr_html_: Any  # how a notebook shows it; set in the package's __init__, as it needs `explanations`

    def __pos__(self: Self) -> Self:  # +self, which computes nothing
        return self

    # -------------------------------- comparisons compare data; but == of two nodes is identity, as sets and dicts need

    def __eq__(self, other: object) -> Any:  # self == other
        global equalities
        equalities += 1
        number = None if isinstance(other, Node) else number_in(other)
        return NotImplemented if number is None else self._compared(operator.eq, "==", number)

    __hash__ = Node.__hash__  # by identity

    def __lt__(self, other: Any) -> bool:  # self < other
        return self._compared(operator.lt, "<", other)

    def __le__(self, other: Any) -> bool:  # self <= other
        return self._compared(operator.le, "<=", other)

    def __gt__(self, other: Any) -> bool:  # self > other
        return self._compared(operator.gt, ">", other)

    def __ge__(self, other: Any) -> bool:  # self >= other
        return self._compared(operator.ge, ">=", other)

    def _compared(self, operation: Callable[[float, float], bool], sign: str, other: Any) -> bool:
        def read() -> bool:
            try:
                number = _data_of(other, sign, self)
            except OverflowError:  # Python compares a float with an integer of any size
                number = other
            return operation(self._data, number)

        return read() if node.look is None else node.look(self, read, other, operation)

    # ------------------------------------------------------------ refused: the gradient would be lost without a word

    def __float__(self) -> NoReturn:
        raise TypeError(
            "a Value doesn't turn into a float by itself, because its gradient would be lost: use v.data for the bare "
            "number, or the functions of autograd_mini (exp, log, tanh, ...) instead of those of math"
        )

    def __int__(self) -> NoReturn:
        raise TypeError(
            "a Value doesn't turn into an int by itself, because its gradient would be lost: use int(v.data)"
        )

    def __complex__(self) -> NoReturn:
        raise TypeError("a Value doesn't turn into a complex number, because its gradient would be lost: use v.data")

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a Value is neither true nor false: compare it, as in `if v > 0:`, test `v.data`, or ask `v is not None`"
        )

    __floordiv__, __rfloordiv__ = _refused("//")
    __mod__, __rmod__ = _refused("%")
    __divmod__, __rdivmod__ = _refused("divmod()")
    __matmul__, __rmatmul__ = _refused("@")

    # ------------------------------------------------------------------------------------------------- how it prints

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"{type(self).__name__}(data={self.data}, grad={_data_or_nothing(self.grad)}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    # -------------------------------------------------------------------------------------------- copies and pickles

    def __copy__(self) -> Any:
        return copying.copy_node(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copying.copy_graph(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return copying.reduce_node(self)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        copying.add_later(self, state)

    # ------------------------------------------------------------------------------------------- micrograd's names

    @property
    def _prev(self) -> set[Any]:
        return set(self.parents)

    @_prev.setter
    def _prev(self, children: Any) -> None:
        own.set_children(self, children)

    @property
    def _op(self) -> str:
        given = copying.attributes(self)
        if "_op" in given:
            return str(given["_op"])
        if self.primitive is primitives.POW and self.parents[1].kind == node.CONSTANT:
            return f"**{repr(self.parents[1]._data).removesuffix('.0')}"
        return "" if self.primitive is None else self.primitive.symbol

    @_op.setter
    def _op(self, name: str) -> None:
        own.set_name(self, name)

    @property
    def _backward(self) -> Any:
        return own.get_backward(self)

    @_backward.setter
    def _backward(self, function: Any) -> None:
        own.set_backward(self, function)


def _data_or_nothing(grad: Any) -> Any:
    """Return a gradient for printing; if it is a node, its number."""
    return grad._data if isinstance(grad, Node) else grad
