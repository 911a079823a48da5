"""`check_engine`: a conformance suite for an engine that a student wrote, and its report."""

from __future__ import annotations

import queue
import re
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from autograd_mini import checks
from autograd_mini.engine.value import Value
from autograd_mini.teaching import sandbox
from autograd_mini.teaching.conformance import ROWS
from autograd_mini.teaching.trial import Trial, shown

TIME_LIMIT = 10.0
MEMORY_LIMIT = 2**30
PASSED, FAILED, NOT_THERE, NOT_RUN = "passed", "FAILED", "not there", "not run"


@dataclass(frozen=True)
class Failure:
    """One thing that a student's engine does wrong.

    Attributes
    ----------
    check : str
        The row of the table to which it belongs.
    expression : str
        The smallest lines of Python that were found in which it goes wrong; they can be pasted and run.
    quantity : str
        What was looked at after them, such as ``a.grad``.
    expected, got : str
        What this library's own `Value` gives, and what the student's gave: a number, an exception, or how it ended.
    advice : str
        What a right engine does there.
    """

    check: str
    expression: str
    quantity: str
    expected: str
    got: str
    advice: str

    def __str__(self) -> str:
        lines = [f"    {line}" for line in self.expression.splitlines()]
        return "\n".join([*lines, f"    {self.quantity}: expected {self.expected}, got {self.got}"])


@dataclass(frozen=True)
class EngineReport:
    """What `check_engine` found; printed, or at the end of a notebook's cell, it is a table and the failures.

    Attributes
    ----------
    name : str
        The class that was checked.
    where : str
        In what kind of process.
    results : dict of str to str
        For each row of the table ``"passed"``, ``"FAILED"``, ``"not there"`` (an optional operation) or ``"not run"``.
    cases : dict of str to int
        For each row how many cases were tried.
    failures : tuple of Failure
        What went wrong.
    passed : bool
        Whether nothing did, and every row was run.
    """

    name: str
    where: str
    results: dict[str, str]
    cases: dict[str, int]
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing went wrong, and every row was run."""
        return not self.failures and NOT_RUN not in self.results.values()

    def __str__(self) -> str:
        width = max(map(len, [*self.results, "check"])) + 2
        table = [f"{name:<{width}}{result:<11}{self.cases[name]:>5}" for name, result in self.results.items()]
        parts = [f"{self.name}: {self._summary()}, {self.where}\n", f"{'check':<{width}}{'result':<11}cases", *table]
        for name in dict.fromkeys(failure.check for failure in self.failures):
            here = [failure for failure in self.failures if failure.check == name]
            parts.append("\n" + textwrap.fill(f"{name}: {here[0].advice}", 100, break_on_hyphens=False))
            parts.append("\n\n".join(map(str, here)))
        return "\n".join(parts)

    __repr__ = __str__

    def _summary(self) -> str:
        asked = [result for result in self.results.values() if result != NOT_THERE]
        wrong, missing = asked.count(FAILED), asked.count(NOT_RUN)
        counts = f"{wrong} of {len(asked)} checks failed" if wrong else f"all {len(asked)} checks passed"
        if self.passed or not missing:
            return counts
        return f"{counts if wrong else 'it could not be loaded'}, {missing} could not be run"


def check_engine(
    student_class_or_module: Any, *, time_limit: float = TIME_LIMIT, memory_limit: int = MEMORY_LIMIT
) -> EngineReport:
    """Check an engine that a student wrote: a class such as micrograd's `Value`.

    The class is expected to have ``Value(data)``, ``.data``, ``.grad`` and ``.backward()``. What it gives is compared
    with this library's own `Value`, from the smallest cases to larger ones; of what goes wrong the smallest case is
    searched. On the command line: ``autograd-mini check student.py:Value``.

    Required are ``+ - * /``, ``-a``, ``a**number``, each also with a number on the left (``1 - a``, ``2**a``), shared
    nodes, repeated ``backward``, chains of 10,000 operations, points such as ``0**0``, and that memory is freed.
    Optional are ``a**b`` of two nodes and the methods relu, tanh, exp, log, sigmoid, sqrt, sin, cos, and ``abs(a)``:
    one that isn't there is reported as "not there" and fails nothing; one that is there has to be right.

    Some things are left to the student: whether ``1/0`` and ``log(0)`` give infinity or raise, which derivative ``abs``
    and relu have at 0, what stands in inner nodes after ``backward``, and whether a graph is freed at once or by the
    garbage collector. Gradients of leaves have to accumulate over several calls of
    ``backward``, as in PyTorch, until they are set to 0, and what is left in inner nodes may not be counted twice.

    Parameters
    ----------
    student_class_or_module : type, module, str or Path
        The class; a module with a class `Value`, or with only one that has a `backward`; or ``"student.py:Value"``, a
        file and the class in it.
    time_limit : float, optional
        Seconds for each row of the table, and for loading a file. What takes longer is a failure; the next row goes on.
    memory_limit : int, optional
        Bytes that the code may take, beyond what is there when it begins; on Linux only.

    Returns
    -------
    EngineReport
        ``print(report)`` shows a table and, for each failure, the lines that fail, what was expected and what came.
        ``report.passed`` and ``report.failures`` are for programs.

    Raises
    ------
    TypeError, ValueError, OSError
        If there is no such file or class, or a limit isn't a number above 0.

    Notes
    -----
    The code is run in a process of its own: a file in a new Python, a class in a copy of this process (a fork), as one
    that is defined in a notebook can't be imported elsewhere. Endless loops, ``sys.exit``, crashes, and too much memory
    are failures, prints are dropped, and ``input()`` finds nothing to read. On Windows, which has no fork, a class from
    a file is run from that file in a new Python, and one from a notebook in a thread of this process, with the time
    limit alone. It isn't a prison: code that means harm can still write files.

    Examples
    --------
    >>> from autograd_mini import Value, teaching
    >>> class Wrong(Value):
    ...     def __neg__(self):
    ...         return self * 1
    >>> report = teaching.check_engine(Wrong)
    >>> report.passed, [failure.check for failure in report.failures]
    (False, ['arithmetic'])
    >>> print(report.failures[0])
        a = Wrong(2.0)
        y = -a
        y.backward()
        y.data: expected -2.0, got 2.0
    """
    checked = _read(student_class_or_module)
    time_limit = min(checks.checked("time_limit", time_limit, above=0.0), threading.TIMEOUT_MAX)
    memory_limit = checks.checked_whole("memory_limit", memory_limit, least=1)
    start, where = sandbox.starter(checked, memory_limit)
    record = _Record(checked.__qualname__ if isinstance(checked, type) else f"{checked[0]}:{checked[1] or 'Value'}")
    first = 0
    while first < len(ROWS):
        process = start(first)
        try:
            ended = _follow(process, record, time_limit)
        finally:
            how = process.stop()
        if ended:
            break
        record.broke_off(how or f"no answer within {time_limit:g} s")
        if record.row < 1:  # it isn't loaded, or already a leaf never ends: so would everything
            break
        first = record.row + 1
    return record.report(where)


def _read(checked: Any) -> type | tuple[str, str]:
    """Return the class, or the path and the name in it, that was given in one of several forms."""
    if isinstance(checked, type):
        return checked
    if isinstance(checked, ModuleType):
        return sandbox.find_class(checked)
    if not isinstance(checked, (str, Path)):
        raise TypeError(
            f'expected a class, a module or "student.py:Value", got {shown(checked)}; pass the class itself'
        )
    path, colon, name = str(checked).rpartition(":")
    if not colon or not name.isidentifier():
        path, name = str(checked), ""
        if re.search(r"\.py:[^/\\]*$", path):
            raise ValueError(f'expected "student.py:Value", a file and the name of a class, got {path!r}')
    if not Path(path).exists():
        raise FileNotFoundError(2, "no such file", path)
    if not path.endswith(".py") or not Path(path).is_file():
        raise ValueError(f"{path!r}: expected a file of Python, whose name ends in .py")
    return path, name


class _Record:
    """What was heard of a class so far."""

    def __init__(self, name: str) -> None:
        self.name, self.row = name, -1
        self.results = {row.name: NOT_RUN for row in ROWS}
        self.cases = dict.fromkeys(self.results, 0)
        self.failures: list[Failure] = []
        self._trying: tuple[str, tuple[str, ...]] | None = None

    def hear(self, event: str, *more: Any) -> None:
        """Note an event."""
        name = ROWS[self.row].name
        if event == "no class":
            raise ValueError(more[1])
        if event == "broken":
            path, _, kind = self.name.rpartition(":")
            self._fail("loading", f"from {Path(path).stem} import {kind}", kind, "a class", more[0])
        elif event == "loaded":
            self.name = more[0]
        elif event == "row":
            self.row, self._trying = more[0], None
        elif event in ("trying", "looking for"):
            self.cases[name] += event == "trying"
            self._trying = more[0], tuple(more[1])
        elif event == "wrong":
            expression, quantity, expected, got = more
            self._fail(name, expression, quantity, expected, got)
        elif event == "ended":
            self.broke_off(more[0])
        elif event in ("done", "not there") and self.results[name] == NOT_RUN:
            self.results[name] = PASSED if event == "done" else NOT_THERE

    def _fail(self, check: str, expression: str, quantity: str, expected: str, got: str) -> None:
        advice = {row.name: row.advice for row in ROWS}.get(check, "The file has to run to its last line.")
        expression = expression.replace("Value(", f"{self.name.rpartition('.')[2]}(")  # as the student calls it
        self.failures.append(Failure(check, expression, quantity, expected, got, advice))
        self.results[check] = FAILED
        self.cases.setdefault(check, 1)

    def broke_off(self, how: str) -> None:
        """Note that the code never came back from what it was trying."""
        if self.row < 0:
            self.hear("broken", how)
        elif self._trying is None:
            self._fail(ROWS[self.row].name, "a = Value(2.0)", "a.data", "2.0", how)
        else:
            trial = Trial(*self._trying)
            look, expected = next(iter(trial.run(Value).items()))
            self._fail(ROWS[self.row].name, trial.source, look, shown(expected), how)

    def report(self, where: str) -> EngineReport:
        """Return the report."""
        first = {"loading": self.results["loading"]} if "loading" in self.results else {}
        return EngineReport(self.name, where, {**first, **self.results}, self.cases, tuple(self.failures))


def _events(process: Any, time_limit: float) -> Iterator[list[Any]]:
    """Yield what a process tells, until it is over or takes too long for one thing."""
    until = time.monotonic() + time_limit
    while True:
        try:
            event = process.events.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            return
        if event is None:
            return
        if event[0] in ("row", "loaded"):
            until = time.monotonic() + time_limit
        yield event


def _follow(process: Any, record: _Record, time_limit: float) -> bool:
    """Note what a process tells; return whether it came to its end."""
    for event in _events(process, time_limit):
        record.hear(*event)
        if event[0] in ("end", "broken"):
            return True
    return False
