"""`operation`: operations of a user's own, written as the entries of the table are, and read in all the same ways."""

from __future__ import annotations

import inspect
import keyword
from functools import wraps
from typing import Any

from autograd_mini.engine import floats
from autograd_mini.engine.functions import call
from autograd_mini.engine.primitives import PRIMITIVES, Primitive, Rule, find, register
from autograd_mini.engine.reals import as_float
from autograd_mini.errors import TraceError

__all__ = ["Operation", "operation"]

_TAKEN = {"symbol", "number", "view"}  # what formulas call parts that are no operations


def operation(name: str, forward: Rule, derivatives: Rule, symbol: str = "", replace: bool = False) -> Operation:
    """Make an operation of your own from two rules, and return it as a function.

    The rules are written as those of the operations that are there, once for all kinds of numbers: with ``+ - * / **``,
    ``abs``, ``< <= > >=``, ``&`` and ``|``, and the functions of a namespace ``xp``, which is handed to them: ``xp.exp
    expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh sigmoid erf sign maximum minimum sum logsumexp``,
    ``xp.divide(a, b)`` and ``xp.power(a, b)`` with the values of IEEE 754 where Python raises an error,
    ``xp.where(condition, a, b)`` in the place of ``if``, and ``xp.equal(a, b)``. Whatever else works for floats works
    for Values, and is refused where a formula is needed.

    Parameters
    ----------
    name : str
        Its name in formulas and messages.
    forward : callable
        ``forward(xp, a)`` gives the value of one operand, ``forward(xp, a, b)`` that of two, ``forward(xp, *a)`` that
        of any number.
    derivatives : callable
        ``derivatives(xp, out, a)`` gives a tuple with the local derivative ∂out/∂a for each operand; ``out`` is the
        value. Written with the same functions, they have derivatives in turn.
    symbol : str, optional
        What a drawing shows; by default the name.
    replace : bool, optional
        Whether it takes the place of an earlier operation of yours of that name. Nodes that there are keep theirs.

    Returns
    -------
    Operation
        A function of Values, numbers or arrays, as `autograd_mini.tanh` is one.

    Raises
    ------
    TypeError
        If a rule isn't a function of such arguments. When it is called: if a rule gives something else than a number,
        or than a tuple with a number for each operand.
    ValueError
        If the name is no name in Python, or another operation has it.

    Examples
    --------
    >>> from autograd_mini import Value, forward_steps, grad, vectorize
    >>> cube = operation("cube", lambda xp, a: xp.power(a, 3), lambda xp, out, a: (3 * a**2,))
    >>> x = Value(2.0, label="x")
    >>> L = cube(x)
    >>> L.backward()
    >>> L.data, x.grad, grad(grad(cube))(2.0)
    (8.0, 12.0, 12.0)
    >>> print(list(forward_steps(L))[-1])
    L = cube(x) = cube(2) = 8
    >>> vectorize(cube)([1.0, 2.0, 3.0]).tolist()
    [1.0, 8.0, 27.0]
    """
    _check_name(name, symbol)
    arity = _arity(forward)
    _check_derivatives(derivatives, arity)
    earlier = PRIMITIVES.get(name)
    if earlier is not None:
        if not is_own(earlier):
            raise ValueError(f"name: {name!r} is an operation of autograd_mini; choose another name")
        before = rules_of(earlier)
        is_same = [*map(_content, before)] == [_content(forward), _content(derivatives)]
        if not replace and not is_same:  # a cell that is run again makes the same one
            raise ValueError(
                f"name: there is an operation {name!r} of other rules already; choose another name, or pass "
                f"replace=True to put this one in its place"
            )
        del PRIMITIVES[name]
    rule, local_rule = _checked_forward(name, forward), _checked_derivatives(name, derivatives)
    return Operation(register(Primitive(name, symbol or name, rule, local_rule, arity, smooth=False)))


def is_own(primitive: Primitive) -> bool:
    """Return whether an operation was made by `operation`."""
    return hasattr(primitive.forward, "__wrapped__")


def own_operation(name: str) -> Operation | None:
    """Return the operation of a user's own of that name; None where there is none."""
    primitive = PRIMITIVES.get(name)
    return Operation(primitive) if primitive is not None and is_own(primitive) else None


def rules_of(primitive: Primitive) -> tuple[Rule, Rule]:
    """Return the two rules that `operation` was given."""
    return primitive.forward.__wrapped__, primitive.derivatives.__wrapped__  # type: ignore[attr-defined]


class Operation:
    """A function that applies an operation to Values, to numbers, or element by element to arrays.

    Attributes
    ----------
    primitive : Primitive
        Its entry in the table.
    """

    def __init__(self, primitive: Primitive) -> None:
        self.primitive = primitive
        self.__name__ = self.__qualname__ = primitive.name

    def __call__(self, *operands: Any) -> Any:
        """Apply it."""
        arity = self.primitive.arity
        if not operands or arity not in (None, len(operands)):
            count = "1 operand" if arity == 1 else f"{arity or 'one or more'} operands"
            raise TypeError(f"{self.__name__} takes {count}, got {len(operands)}")
        return call(self.primitive, *operands)

    def __repr__(self) -> str:
        return f"<operation {self.__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.__name__,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Operation:
        return self


def _named(name: str) -> Operation:
    return Operation(find(name))


def _checked_forward(name: str, rule: Rule) -> Rule:
    @wraps(rule)
    def forward(xp: Any, *operands: Any) -> Any:
        result = _read(f"forward of {name}", rule, xp, *operands)
        return _number(f"forward of {name}", result) if xp is floats else result

    return forward


def _checked_derivatives(name: str, rule: Rule) -> Rule:
    what = f"derivatives of {name}"

    @wraps(rule)
    def derivatives(xp: Any, out: Any, *operands: Any) -> tuple[Any, ...]:
        found = _read(what, rule, xp, out, *operands)
        if not isinstance(found, (tuple, list)) or len(found) != len(operands):
            raise TypeError(
                f"{what}: expected a tuple with one derivative for each of the operands, which are {len(operands)}, "
                f"got {found!r:.60}" + "; write (derivative,)" * (len(operands) == 1)
            )
        return tuple([_number(what, one) for one in found] if xp is floats else found)

    return derivatives


_HOW_TO_CALL = (
    "xp.sum takes one list, xp.sum([a, b]), and xp.maximum, xp.minimum and xp.logsumexp take numbers, xp.maximum(a, b)"
)


def _read(what: str, rule: Rule, xp: Any, *arguments: Any) -> Any:
    """Return what a rule gives for these numbers; an error says which rule it was."""
    try:
        return rule(xp, *arguments)
    except ArithmeticError as error:
        raise type(error)(
            f"{what} at {', '.join(f'{x!r:.20}' for x in arguments)}: {error}; xp.divide(a, b), xp.power(a, b) and the "
            f"other functions of xp give inf or nan there, as all operations of autograd_mini do"
        ) from error
    except Exception as error:
        if xp is floats and isinstance(error, TypeError):
            raise TypeError(f"{what}: {error}; {_HOW_TO_CALL}") from error
        if xp is floats and not isinstance(error, AttributeError):
            raise
        namespace = getattr(xp, "__name__", type(xp).__name__).rpartition(".")[2]
        kinds = {"floats": "numbers", "arrays": "arrays of numbers", "Differentiable": "Values"}
        kind = kinds.get(namespace, "a formula")
        raise (TraceError if kind == "a formula" else TypeError)(
            f"{what}: it can't be read as {kind}: {error}. Write it with + - * / **, abs, comparisons and "
            f"functions of xp alone: xp.exp(a), xp.where(a > 0, a, 0.0), …"
        ) from error


def _number(what: str, result: Any) -> float:
    try:
        return as_float(result)
    except TypeError as error:
        advice = "did it forget its return?" if result is None else _HOW_TO_CALL
        if isinstance(result, complex):
            advice = "xp.power(a, b) and xp.sqrt(a) are nan where ** gives a complex number"
        raise TypeError(f"{what}: expected a number for numbers, got {result!r:.60}; {advice}") from error


def _content(rule: Any) -> Any:
    """Return what makes two functions the same, wherever they are written; of anything else, itself."""
    if not inspect.isfunction(rule):
        return rule
    around = [cell.cell_contents for cell in rule.__closure__ or ()]
    return _code(rule.__code__), around, rule.__defaults__, rule.__kwdefaults__


def _code(code: Any) -> Any:
    """Return a code object without the lines that it stands in; a constant in one, with its type, as 2.0 isn't 2."""
    if not inspect.iscode(code):
        return type(code), code
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, [*map(_code, code.co_consts)]


def _check_name(name: Any, symbol: Any) -> None:
    for what, given in (("name", name), ("symbol", symbol)):
        if not isinstance(given, str):
            raise TypeError(f"{what}: expected a string, got {given!r:.60}")
    if not name.isidentifier() or keyword.iskeyword(name) or name in _TAKEN:
        raise ValueError(f"name: expected one that Python allows, such as 'cube', got {name!r:.60}")


def _arity(forward: Any) -> int | None:
    """Return how many operands the forward rule takes; None for any number."""
    example = "lambda xp, a: a * xp.exp(a)"
    found = _signature("forward", forward, example).parameters.values()
    if any(one.kind is one.VAR_POSITIONAL for one in found):
        return None
    count = sum(one.default is one.empty and one.kind in (0, 1) for one in found) - 1
    if count < 1 or not _takes(forward, 1 + count):
        raise TypeError(
            f"forward: expected a function of xp and of the operands, as in {example}, got one of "
            f"({', '.join(map(str, found))})"
        )
    return count


def _check_derivatives(derivatives: Any, arity: int | None) -> None:
    operands = ["*a"] if arity is None else [f"a{k + 1}" for k in range(arity)] if arity > 1 else ["a"]
    example = f"lambda xp, out, {', '.join(operands)}: (…)"
    signature = _signature("derivatives", derivatives, example)
    if not all(_takes(derivatives, 2 + count) for count in ((1, 20) if arity is None else (arity,))):
        raise TypeError(
            f"derivatives: expected a function of xp, of the value and of the operands, as in {example}, got one of "
            f"{signature}"
        )


def _signature(what: str, rule: Any, example: str) -> inspect.Signature:
    if not callable(rule):
        raise TypeError(f"{what}: expected a function, as in {example}, got {rule!r:.60}")
    try:
        return inspect.signature(rule)
    except ValueError:
        raise TypeError(f"{what}: can't see what {rule!r:.60} takes; write it as in {example}") from None


def _takes(rule: Any, count: int) -> bool:
    """Return whether a function can be called with so many arguments."""
    try:
        inspect.signature(rule).bind(*[None] * count)
    except TypeError:
        return False
    return True
