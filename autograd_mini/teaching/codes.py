"""`check_code`: the code at the end of an exercise page."""

from __future__ import annotations

from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import named
from autograd_mini.views.stepper.exercise import Score, read_code


def check_code(code: str, root: Value) -> Score:
    """Return what the code says that an exercise page shows when all is filled in.

    A code that was typed wrongly, or made up by hand, is recognised. It is no proof: the page judges on the reader's
    own machine, and who reads this library's source can make codes.

    Parameters
    ----------
    code : str
        The 12 letters and digits, in capitals or not, with or without hyphens and spaces.
    root : Value
        The graph that the page was made of by ``step_through(root, exercise=True, …)``, as it was then; with a seed
        also the graph as it was given. Names and labels don't matter.

    Returns
    -------
    Score
        ``right`` of ``asked`` questions, and which exercise it was: ``hide``, ``tries``, ``seed``.

    Raises
    ------
    TypeError
        If the code is no text, or the root no Value.
    ValueError
        If the code is mistyped, or is of another graph.

    Examples
    --------
    >>> x = Value(3.0, label="x")
    >>> str(check_code("xxxx-xxxx-xxxx", x * x))
    Traceback (most recent call last):
        ...
    ValueError: code: 'xxxx-xxxx-xxxx' is mistyped: its letters don't belong together; compare it with the page
    """
    if not isinstance(root, Value):
        raise TypeError(f"check_code takes the Value at the root of the exercise's graph, not {type(root).__name__}")
    return read_code(code, named(root))
