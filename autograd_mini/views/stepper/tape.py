"""The table of primitives as small programs that a page can run: each rule, read as text, becomes a list of calls.

The stepper's page recomputes a graph when the reader moves a leaf. It runs these programs; the only JavaScript written
by hand is the namespace of functions that they call (``FUNCTIONS`` in ``tape.js``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from autograd_mini.engine.own import OwnOperation
from autograd_mini.engine.primitives import Primitive
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number, symbol
from autograd_mini.views.page import number_as_json

Call = list[Any]


def _softmax(*arguments: Expression) -> tuple[Expression, ...]:
    return tuple(text.call("softmax", one, *arguments[:i], *arguments[i + 1 :]) for i, one in enumerate(arguments))


# The reading on formulas, for a program and not for a reader: nothing is left out of them, and π is a number.
XP = SimpleNamespace(**{**vars(text), "softmax": _softmax, "pi": number(math.pi)})


def program(primitive: Primitive, count: int) -> dict[str, Any]:
    """Return an operation of `count` operands as two programs.

    A program is a list of calls, each one a function's name and the places of its arguments; its result takes the next
    place. The operands have the first places; in ``"derivatives"`` the result of the operation has the one after them.
    ``["#", x]`` puts the number x there. ``"value"`` and ``"locals"`` say where the results are. ``"textbook"`` is the
    derivatives once more in the form that is shown, and ``"forms"`` says where they are.

    Parameters
    ----------
    primitive : Primitive
        The operation.
    count : int
        How many operands it is applied to.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import find
    >>> program(find("mul"), 2)
    {'forward': [['*', 0, 1]], 'value': 2, 'derivatives': [], 'locals': [1, 0], 'textbook': [], 'forms': [1, 0]}
    """
    operands = [symbol(f"a{i}") for i in range(count)]
    out = symbol("out")
    unknown = number(math.nan)  # what is known by its ``_backward`` alone can't be computed anew
    result = primitive.forward(XP, *operands) if primitive.has_forward else unknown
    is_own = isinstance(primitive, OwnOperation)
    forward, value = calls_for(operands, [result])
    made = {"forward": forward, "value": value[0]}
    for calls, places, rule in [
        ("derivatives", "locals", primitive.derivatives),
        ("textbook", "forms", primitive.textbook),
    ]:
        local_grads = [unknown] * count if is_own else rule(XP, out, *operands)
        made[calls], made[places] = calls_for([*operands, out], local_grads)
    return made


def constant_locals(rule: dict[str, Any]) -> list[float | None]:
    """Return for each operand the local derivative where it is the same number everywhere, else None.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import find
    >>> constant_locals(program(find("sub"), 2)), constant_locals(program(find("tanh"), 1))
    ([1.0, -1.0], [None])
    """
    given = len(rule["locals"]) + 1
    calls = rule["derivatives"]
    return [calls[i - given][1] if i >= given and calls[i - given][0] == "#" else None for i in rule["locals"]]


def calls_for(given: Sequence[Expression], wanted: Sequence[Any]) -> tuple[list[Call], list[int]]:
    """Return the calls that compute the wanted formulas from the given symbols, and the places of their results.

    What two formulas have in common is computed once; nothing recurses, as a sum may have thousands of terms.

    Examples
    --------
    >>> x = symbol("x")
    >>> calls_for([x], [x * x + x])
    ([['*', 0, 0], ['+', 1, 0]], [2])
    """
    places: dict[int, int] = {id(part): place for place, part in enumerate(given)}
    numbers: dict[str, int] = {}
    calls: list[Call] = []
    results = [part if isinstance(part, Expression) else number(part) for part in wanted]

    def place(call: Call) -> int:
        calls.append(call)
        return len(given) + len(calls) - 1

    for result in results:
        stack = [result]
        while stack:
            part = stack[-1]
            missing = [p for p in part.parts if isinstance(p, Expression) and id(p) not in places]
            if id(part) in places:
                stack.pop()
            elif part.form == "number":
                key = repr(part.parts[0])
                if key not in numbers:
                    numbers[key] = place(["#", number_as_json(part.parts[0])])
                places[id(part)] = numbers[key]
            elif missing:
                stack.extend(missing)
            else:
                places[id(part)] = place([part.form, *[places[id(p)] for p in part.parts]])
    return calls, [places[id(result)] for result in results]
