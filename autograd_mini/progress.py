"""What is shown while something takes long: who watches, and a line that says what is being done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

DELAY = 2.0  # seconds before anything is shown
_PAUSE = 0.2  # seconds between two looks at what is being done
_asked: ContextVar[bool | None] = ContextVar("autograd_mini.progress", default=None)


def in_jupyter() -> bool:
    """Return whether this runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


@contextmanager
def showing(asked: bool | None) -> Iterator[None]:
    """Inside, show progress or show none; None is for in a terminal and in Jupyter only, as it is outside."""
    before = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(before)


@contextmanager
def working(title: str, steps: int) -> Iterator[Callable[[str], None]]:
    """Show a bar of what is done inside, if it takes more than `DELAY` seconds and somebody watches.

    A thread of its own draws it, as a function that is traced, or a graph that is sorted, can't tell how far it is. The
    bar is gone at the end, also after an error.

    Parameters
    ----------
    title : str
        What is done, for whom.
    steps : int
        How many steps it has.

    Yields
    ------
    callable
        ``say(step)`` tells which step begins.

    Examples
    --------
    >>> with working("a sum", 2) as say:
    ...     say("making numbers")
    ...     numbers = range(10)
    ...     say("adding them up")
    ...     sum(numbers)
    45
    """
    asked = _asked.get()
    if not ((in_jupyter() or sys.stderr.isatty()) if asked is None else asked):
        yield lambda step: None
        return
    begun: list[str] = []
    is_over = threading.Event()
    drawing = threading.Thread(target=_draw, args=(title, steps, begun, is_over), daemon=True)
    drawing.start()
    try:
        yield begun.append
    finally:
        is_over.set()
        drawing.join()


def _draw(title: str, steps: int, begun: list[str], is_over: threading.Event) -> None:
    """Draw the bar from the time on when something has taken long, until it is over."""
    if is_over.wait(DELAY):
        return
    form = "{desc} |{bar:20}| {n_fmt}/{total_fmt} [{elapsed}]"
    with _bar(total=steps, delay=DELAY, leave=False, bar_format=form) as bar:  # drawn when it says something
        bar.start_t -= DELAY
        while not is_over.is_set():
            bar.n = min(max(len(begun) - 1, 0), steps)
            bar.set_description_str(f"{title}: {begun[-1]}" if begun else title)
            is_over.wait(_PAUSE)


def _bar(**options: Any) -> Any:
    """Return a bar of tqdm's, in its notebook form where a notebook can show that."""
    if in_jupyter():
        try:
            from tqdm.notebook import tqdm as notebook_bar

            return notebook_bar(**options)
        except ImportError:  # Jupyter without ipywidgets
            pass
    from tqdm import tqdm

    return tqdm(**options)
