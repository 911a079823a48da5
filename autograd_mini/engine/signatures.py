"""What the functions take and give, for type checkers and editors: of a `Value` a Value, of a number a float.

Each decorator hands its function back as it is, and says which of these signatures it has. Written out above every
function, they would hide the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from autograd_mini.engine.value import Value

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction
    from typing import TypeAlias

    import numpy as np

    Number: TypeAlias = float | Fraction | Decimal | np.number[Any] | np.bool_
    Array: TypeAlias = np.ndarray[Any, Any]
    Targets: TypeAlias = Value | Number | Sequence[Value | Number] | Array
    PlainTargets: TypeAlias = Number | Sequence[Number] | Array
    Reduction: TypeAlias = Literal["sum", "mean"]

    class OneOrMany(Value, list[Value]):  # type: ignore[misc]
        """A Value, or a list of them: who calls a network knows which, and a type checker takes it for both."""

else:
    OneOrMany = Any


class Unary(Protocol):
    """A function of one number."""

    __name__: str

    @overload
    def __call__(self, x: Value) -> Value: ...
    @overload
    def __call__(self, x: Number) -> float: ...
    @overload
    def __call__(self, x: Array) -> Array: ...
    def __call__(self, x: Any) -> Any:
        """Return the function's value."""


class Binary(Protocol):
    """A function of two numbers."""

    __name__: str

    @overload
    def __call__(self, a: Value, b: Value | Number, /) -> Value: ...
    @overload
    def __call__(self, a: Number, b: Value, /) -> Value: ...
    @overload
    def __call__(self, a: Number, b: Number, /) -> float: ...
    @overload
    def __call__(self, a: Array, b: Array | Number, /) -> Array: ...
    @overload
    def __call__(self, a: Number, b: Array, /) -> Array: ...
    def __call__(self, a: Any, b: Any, /) -> Any:
        """Return the function's value."""


class WithAlpha(Protocol):
    """An activation with a parameter."""

    __name__: str

    @overload
    def __call__(self, x: Value, alpha: Value | Number = ...) -> Value: ...
    @overload
    def __call__(self, x: Number, alpha: Value) -> Value: ...
    @overload
    def __call__(self, x: Number, alpha: Number = ...) -> float: ...
    @overload
    def __call__(self, x: Array, alpha: Array | Number = ...) -> Array: ...
    def __call__(self, x: Any, alpha: Any = ...) -> Any:
        """Return the activation."""


class Gathering(Protocol):
    """A function of any number of numbers, one by one or as one sequence."""

    __name__: str

    @overload
    def __call__(self, operands: Iterable[Number], /) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, operands: Iterable[Value | Number], /) -> Value: ...
    @overload
    def __call__(self, *operands: Number) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *operands: Value | Number) -> Value: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *operands: Array | Number) -> Array: ...
    def __call__(self, *operands: Any) -> Any:
        """Return the function's value."""


class OfTerms(Protocol):
    """A function of one sequence of numbers."""

    __name__: str

    @overload
    def __call__(self, terms: Iterable[Number]) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, terms: Iterable[Value | Number]) -> Value: ...
    def __call__(self, terms: Any) -> Any:
        """Return the function's value."""


class Listing(Protocol):
    """A function of one sequence of numbers that gives a list."""

    __name__: str

    @overload
    def __call__(self, logits: Iterable[Number]) -> list[float]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, logits: Iterable[Value | Number]) -> list[Value]: ...
    def __call__(self, logits: Any) -> Any:
        """Return one number for each."""


class PairLoss(Protocol):
    """A loss of predictions and their targets."""

    __name__: str

    @overload
    def __call__(
        self, prediction: Value | Sequence[Value], /, target: Targets, reduction: Reduction = ...
    ) -> Value: ...
    @overload
    def __call__(self, prediction: PlainTargets, /, target: PlainTargets, reduction: Reduction = ...) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, prediction: Targets, /, target: Targets, reduction: Reduction = ...) -> Value: ...
    def __call__(self, prediction: Any, /, target: Any, reduction: Any = ...) -> Any:
        """Return the loss."""


class Derivative(Protocol):
    """What `grad` gives: of numbers a float, of Values, inside another derivative, a Value."""

    @overload
    def __call__(self, x: Value, /, *others: Any) -> Value: ...
    @overload
    def __call__(self, x: Number, /, *others: Number) -> float: ...
    @overload
    def __call__(self, *points: Any, **options: Any) -> Any: ...
    def __call__(self, *points: Any, **options: Any) -> Any:
        """Return the derivative at a point."""


class ValueAndDerivative(Protocol):
    """What `value_and_grad` gives: both, of numbers as floats."""

    @overload
    def __call__(self, x: Value, /, *others: Any) -> tuple[Value, Value]: ...
    @overload
    def __call__(self, x: Number, /, *others: Number) -> tuple[float, float]: ...
    @overload
    def __call__(self, *points: Any, **options: Any) -> tuple[Any, Any]: ...
    def __call__(self, *points: Any, **options: Any) -> Any:
        """Return the value and the derivative at a point."""


class Differentiating(Protocol):
    """`grad`: by one argument, or by several at once."""

    @overload
    def __call__(self, f: Callable[..., Any], argnums: int = ...) -> Derivative: ...
    @overload
    def __call__(self, f: Callable[..., Any], argnums: tuple[int, ...]) -> Callable[..., Any]: ...
    def __call__(self, f: Any, argnums: Any = ...) -> Any:
        """Return the derivative as a function."""


class DifferentiatingWithValue(Protocol):
    """`value_and_grad`: by one argument, or by several at once."""

    @overload
    def __call__(self, f: Callable[..., Any], argnums: int = ...) -> ValueAndDerivative: ...
    @overload
    def __call__(self, f: Callable[..., Any], argnums: tuple[int, ...]) -> Callable[..., tuple[Any, Any]]: ...
    def __call__(self, f: Any, argnums: Any = ...) -> Any:
        """Return the function's value and its derivative as a function."""


def unary(function: Any) -> Unary:
    """Say that a function takes one number."""
    return function  # type: ignore[no-any-return]


def binary(function: Any) -> Binary:
    """Say that a function takes two numbers."""
    return function  # type: ignore[no-any-return]


def with_alpha(function: Any) -> WithAlpha:
    """Say that a function takes a number and α."""
    return function  # type: ignore[no-any-return]


def gathering(function: Any) -> Gathering:
    """Say that a function takes numbers one by one, or a sequence of them."""
    return function  # type: ignore[no-any-return]


def of_terms(function: Any) -> OfTerms:
    """Say that a function takes one sequence of numbers."""
    return function  # type: ignore[no-any-return]


def listing(function: Any) -> Listing:
    """Say that a function makes a list of a sequence of numbers."""
    return function  # type: ignore[no-any-return]


def pair_loss(function: Any) -> PairLoss:
    """Say that a function is a loss of predictions and their targets."""
    return function  # type: ignore[no-any-return]


def differentiating(function: Any) -> Differentiating:
    """Say that a function makes derivatives of functions."""
    return function  # type: ignore[no-any-return]


def differentiating_with_value(function: Any) -> DifferentiatingWithValue:
    """Say that a function makes functions that give a value and a derivative."""
    return function  # type: ignore[no-any-return]
