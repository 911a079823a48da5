"""A student's code in a process of its own, which may hang, crash, print, read, exit or fill the memory.

Both kinds of process run `serve`, which writes what it sees as lines of JSON: a fork of this process, for a class that
stands in a notebook, or a new Python, for a file. Where neither is possible a thread runs it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NoReturn

from autograd_mini.teaching.conformance import ROWS, ask, is_engine
from autograd_mini.teaching.trial import described

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

Event = list[Any]
_LIBRARY = str(Path(__file__).resolve().parents[2])
_CHECKING = "AUTOGRAD_MINI_CHECKING"  # set in a new Python, so that a file that checks itself doesn't start others
_PATIENCE = 1.0  # seconds in which a process that is over hands in its last lines


def find_class(module: ModuleType, name: str = "") -> type:
    """Return a class of a module: the one of that name; without one `Value`, or the only one with a `backward`.

    Raises
    ------
    ValueError
        If there is none; says which classes there are.

    Examples
    --------
    >>> import autograd_mini.engine.value
    >>> find_class(autograd_mini.engine.value)
    <class 'autograd_mini.engine.value.Value'>
    """
    kinds = {key: kind for key, kind in vars(module).items() if isinstance(kind, type)}
    engines = {key: kind for key, kind in kinds.items() if callable(getattr(kind, "backward", None))}
    if not name and "Value" not in kinds and len(set(engines.values())) == 1:
        return next(iter(engines.values()))
    wanted = name or "Value"
    if wanted in kinds:
        return kinds[wanted]
    what = f"{wanted!r} is no class" if hasattr(module, wanted) else f"there is no class {wanted!r}"
    there = ", ".join(engines or kinds) or "none"
    raise ValueError(f"{what} in {module.__name__}; classes there: {there}")


def load(path: str, name: str) -> type:
    """Return a class of a file, which is run for it as a module."""
    file = Path(path).resolve()
    sys.path.insert(0, str(file.parent))  # where a student's other files lie
    stem = file.stem if file.stem not in sys.modules else f"student_{file.stem}"
    spec = importlib.util.spec_from_file_location(stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    spec.loader.exec_module(module)
    return find_class(module, name)


def serve(get: Callable[[], type], first: int, tell: Callable[..., None], memory: int | None = None) -> None:
    """Get the class and ask it row by row, from the row `first` on; tell of everything."""
    tell("loading")
    _limit_memory(memory)
    try:
        kind = get()
        named = f"{kind.__module__}.{kind.__qualname__}"
    except ValueError as error:
        tell("no class" if error.__traceback__ and _raised_here(error) else "broken", described(error), str(error))
        return
    except BaseException as error:  # also SystemExit
        tell("broken", described(error))
        return
    _limit_memory(memory)  # anew, as what it imports may take much
    tell("loaded", named)
    for i in range(first, len(ROWS)):
        tell("row", i)
        try:
            ask(kind, ROWS[i], tell)
        except BaseException as error:  # `Trial` catches what its lines raise: this is memory, or an interrupt
            tell("ended", described(error))
        if i == 0 and not is_engine(kind):
            break
    tell("end")


def _raised_here(error: BaseException) -> bool:
    """Return whether `find_class` raised an exception, not the student's code."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is find_class.__code__


def _limit_memory(memory: int | None) -> None:
    """Let this process have so many bytes more than it has now; where the system says how many these are, as Linux."""
    if memory is None or resource is None:
        return
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = min(pages * resource.getpagesize() + memory, 2**62)
        resource.setrlimit(resource.RLIMIT_AS, (limit if most < 0 else min(limit, most), most))


def _teller(file: IO[str]) -> Callable[..., None]:
    def tell(*event: Any) -> None:
        file.write(json.dumps(event) + "\n")
        file.flush()

    return tell


def _serve_and_end(get: Callable[[], type], first: int, descriptor: int, memory: int | None) -> NoReturn:
    """Serve in this process, which is there for nothing else: what its code prints is dropped, and nothing is read."""
    try:
        empty = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(empty, standard)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        nowhere = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = nowhere  # type: ignore[misc]
        gc.freeze()  # what was here before need not be looked at whenever Values are counted
        with open(descriptor, "w", encoding="utf-8") as file:
            serve(get, first, _teller(file), memory)
    finally:
        os._exit(0)  # whatever threads and exit functions are left


def serve_file() -> NoReturn:
    """Serve a file in a new Python, which is started with its path, the class's name, the first row and the memory."""
    path, name, first, memory = sys.argv[1:]
    descriptor = os.dup(1)
    _serve_and_end(lambda: load(path, name), int(first), descriptor, int(memory))


class _Process:
    """A process that serves from a row on; its events come into a queue, None at the end."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def listen(self, lines: IO[str]) -> None:
        """Read the events in a thread, as only so one can wait for a time everywhere."""

        def read() -> None:
            with contextlib.suppress(OSError, ValueError), lines:
                for line in lines:
                    self.events.put(json.loads(line))
            self.events.put(None)

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()

    def stop(self) -> str:
        """End it, with all that it started; return how it ended by itself, if it did."""
        raise NotImplementedError


class Python(_Process):
    """A new Python, for a class in a file."""

    def __init__(self, path: str, name: str, first: int, memory: int) -> None:
        super().__init__()
        if os.environ.get(_CHECKING):
            raise RuntimeError(
                f"{path} checks a file while it is itself checked; do so below if __name__ == '__main__'"
            )
        # Neither the folder that we are in nor the student's may hide a module that this library imports.
        code = (
            f"import sys; sys.path[:] = [p for p in sys.path if p] + [{_LIBRARY!r}]; "
            "from autograd_mini.teaching.sandbox import serve_file; serve_file()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, path, name, str(first), str(memory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,
            env={**os.environ, _CHECKING: "yes"},
        )
        assert self._process.stdout is not None
        self.listen(self._process.stdout)

    def stop(self) -> str:
        """End it, with all that it started; return how it ended by itself, if it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.05)
        code = self._process.poll()
        _kill_group(self._process.pid)
        if code is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(_PATIENCE)
        return _ended(code)


class Fork(_Process):
    """A copy of this process, for a class that is only here."""

    def __init__(self, kind: type, first: int, memory: int) -> None:
        super().__init__()
        read_end, write_end = os.pipe()
        with warnings.catch_warnings():
            # Python and JAX warn where there are threads, as in a notebook: the copy might wait for a lock that one of
            # them holds. It imports, logs and prints nothing, and has a time limit.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            self._pid = os.fork()
        if self._pid == 0:
            with contextlib.suppress(OSError):
                os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.close(read_end)
            _serve_and_end(lambda: kind, first, write_end, memory)
        os.close(write_end)
        self.listen(os.fdopen(read_end, encoding="utf-8"))

    def stop(self) -> str:
        """End it, with all that it started; return how it ended by itself, if it did."""
        ended, status = os.waitpid(self._pid, os.WNOHANG)
        until = time.monotonic() + 0.05
        while not ended and time.monotonic() < until:
            time.sleep(0.001)
            ended, status = os.waitpid(self._pid, os.WNOHANG)
        _kill_group(self._pid)
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self._reader.join(_PATIENCE)
        return _ended(os.waitstatus_to_exitcode(status) if ended else None)


class Thread(_Process):
    """A thread of this process, where it can't be copied: what never ends is stopped if it runs Python's own steps."""

    def __init__(self, kind: type, first: int, memory: int) -> None:
        super().__init__()
        self._is_over = False

        def tell(*event: Any) -> None:
            if self._is_over:
                raise SystemExit
            self.events.put(list(event))

        def run() -> None:
            with contextlib.suppress(SystemExit):
                serve(lambda: kind, first, tell)
                self.events.put(None)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def stop(self) -> str:
        """Raise SystemExit in it until it is over, for a second; `tell` then goes no further."""
        self._is_over = True
        until = time.monotonic() + _PATIENCE
        while self._thread.is_alive() and time.monotonic() < until:
            thread = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(SystemExit))
            self._thread.join(0.05)
        return ""


def _kill_group(pid: int) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _ended(code: int | None) -> str:
    """Return in words how a process ended by itself; nothing if it didn't."""
    if code is None:
        return ""
    if code >= 0:
        return f"the process ended, with exit code {code}"
    name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
    return f"the process crashed, by the signal {name}"


def starter(checked: type | tuple[str, str], memory: int) -> tuple[Callable[[int], _Process], str]:
    """Return what starts a process for a class, or for a path and a name, at a row; and in words which kind it is."""
    if not isinstance(checked, type):
        path, name = checked
        return lambda first: Python(path, name, first, memory), "in a process of its own"
    if hasattr(os, "fork"):
        return lambda first: Fork(checked, first, memory), "in a process of its own"
    module = sys.modules.get(checked.__module__, sys)
    file = getattr(module, "__file__", None) or ""
    alone = "." not in checked.__module__ and checked.__module__ != "__main__"  # what can be run as a file
    if alone and file.endswith(".py") and vars(module).get(checked.__name__) is checked:
        return lambda first: Python(file, checked.__name__, first, memory), "in a process of its own"
    return lambda first: Thread(checked, first, memory), "in this process, which can't be copied on this system"
