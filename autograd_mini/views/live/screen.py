"""An output in a notebook in which each picture replaces the one before, and the page the last one when its cell ends.

It is an ordinary output with an id, so it needs no extension; IPython is installed wherever there is a notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from autograd_mini.views import page


class Screen:
    """An output of the cell that trains.

    Parameters
    ----------
    shell : InteractiveShell
        Of the notebook's kernel.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._handle: Any = None
        self._finished: Callable[[], str] | None = None

    def open(self, html: str, finished: Callable[[], str]) -> None:
        """Show HTML, unless there is some already; when the cell is over show what `finished` returns."""
        if self._handle is None:
            self._handle, self._finished = _display().display(_display().HTML(html), display_id=True), finished
            self._shell.events.register("post_run_cell", self._end)

    def show(self, html: str) -> None:
        """Show HTML in place of what is there."""
        self._handle.update(_display().HTML(html))

    def close(self) -> None:
        """Show the page, and leave it there; what is shown next is another output."""
        if self._handle is None or self._finished is None:
            return
        handle, finished = self._handle, self._finished
        self._handle = self._finished = None
        self._shell.events.unregister("post_run_cell", self._end)
        handle.update(_display().HTML(finished()))

    def _end(self, result: Any = None) -> None:
        self.close()


def screen_here() -> Screen | None:
    """Return a screen in a notebook; None outside of one."""
    shell = page.notebook_shell()
    return None if shell is None else Screen(shell)


def _display() -> Any:
    """Return IPython's module that displays."""
    return import_module("IPython.display")
