"""For lecturers: what checks a student's work, and says what is wrong in it.

Each function is imported from its own file when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_mini.teaching.answers import answer, questions

_FILES = {"answer": "answers", "questions": "answers"}

__all__ = ["answer", "questions"]


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_FILES})
