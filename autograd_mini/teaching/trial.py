"""A few lines of Python on `Value`s, run with two classes: with a student's own, and with this library's.

What a check tries out, what it expects and what it prints are one text, so what a report shows can be pasted and run.
"""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd_mini.engine.value import Value

_HERE = str(Path(__file__).parent)
RELATIVE, ABSOLUTE = 1e-9, 1e-12  # how far a number may be from what is expected


@dataclass(frozen=True)
class Trial:
    r"""Lines of Python, and the expressions whose numbers are looked at after them.

    Examples
    --------
    >>> trial = Trial("a = Value(3.0)\ny = a * a\ny.backward()", ("y.data", "a.grad"))
    >>> trial.run(Value)
    {'y.data': 9.0, 'a.grad': 6.0}
    """

    source: str
    looks: tuple[str, ...]

    def run(self, kind: type) -> dict[str, Any]:
        """Return what each expression gives where `Value` is the class `kind`; exceptions come through."""
        names = self._after(kind)
        return {look: _seen(look, names) for look in self.looks}

    def _after(self, kind: type) -> dict[str, Any]:
        """Return the names that there are after the lines."""
        names: dict[str, Any] = {"Value": kind, "alive": lambda: _alive(kind)}
        exec(compile(self.source, "<check>", "exec"), names)
        return names

    def mistake(self, kind: type) -> tuple[str, str, str] | None:
        r"""Return the first number that isn't what this library's own `Value` gives: which, expected, and what came.

        Examples
        --------
        >>> class Wrong(Value):
        ...     def __neg__(self):
        ...         return self + 0
        >>> Trial("a = Value(3.0)\ny = -a", ("y.data",)).mistake(Wrong)
        ('y.data', '-3.0', '3.0')
        """
        expected, look = self.run(Value), self.looks[0]
        try:
            names = self._after(kind)
            for look in self.looks:
                came = _seen(look, names)
                if not _agree(expected[look], came):
                    return look, shown(expected[look]), shown(came)
        except BaseException as error:  # also SystemExit: a student's code may do anything
            return look, shown(expected[look]), described(error)
        return None


def _seen(look: str, names: dict[str, Any]) -> Any:
    return eval(compile(look, "<check>", "eval"), names)


def _alive(kind: type) -> int:
    """Return how many objects of a class are in memory once the garbage collector has been asked."""
    gc.collect()
    return sum(issubclass(type(thing), kind) for thing in gc.get_objects())


def _agree(wanted: float, came: Any) -> bool:
    came = 0.0 if came is None else came  # a gradient that nothing was added to, as in PyTorch
    try:
        number = float(came)
    except Exception:
        return False
    same_kind = math.isnan(wanted) and math.isnan(number)
    return same_kind or math.isclose(wanted, number, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def shown(number: Any) -> str:
    """Return a number as it is printed; of anything else its type, too."""
    if isinstance(number, (bool, int, float)):
        return repr(number)
    try:
        text = repr(number)
    except Exception as error:
        text = f"without a repr ({type(error).__name__})"
    return f"{text[:60]}, of type {type(number).__name__}"


def described(error: BaseException) -> str:
    """Return an exception in one line: its type, its message, and where in the student's code it was raised."""
    try:
        text = str(error).strip().partition("\n")[0]
    except Exception:
        text = ""
    message = f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
    trace, place = error.__traceback__, ""
    while trace is not None:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        if code.co_filename != "<check>" and not code.co_filename.startswith((_HERE, "<frozen")):
            place = f" (line {line}, in {code.co_name})" if code.co_name != "<module>" else f" (line {line})"
        trace = trace.tb_next
    return message + place
