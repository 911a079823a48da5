"""`vectorize`, the way in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_mini.vectorizer import checks
from autograd_mini.vectorizer.program import Program


def vectorize(
    f: Callable[..., Any],
    *,
    backend: str = "numpy",
    dtype: str = "float64",
    threads: int = 1,
    seed: int | None = None,
    block: int | None = None,
    check: bool = True,
) -> Program:
    """Turn a scalar function into a program on arrays.

    Parameters
    ----------
    f : callable
        A function of Values, and lists of Values, to a Value or a list of Values; parameters may be in its closure, as
        those of a model are. Bare numbers in it are part of the program: what they were when it was traced.
    backend : {"numpy", "jax"}, optional
        What runs it.
    dtype : {"float64", "float32"}, optional
        The precision.
    threads : int, optional
        How many threads a batch's blocks are spread over.
    seed : int, optional
        Where random leaves (dropout) come from; by default each module's own generator.
    block : int, optional
        How many examples are computed at a time; by default what fits the cache.
    check : bool, optional
        Whether the first run is checked against the eager engine on sample rows.

    Returns
    -------
    Program

    Raises
    ------
    TypeError
        If `f` can't be called.
    ValueError
        If an option is unknown.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, b = Value(2.0), Value(1.0)
    >>> program = vectorize(lambda x, y: (w * x + b - y) ** 2)
    >>> program([1.0, 2.0], [3.0, 4.0])
    array([0., 1.])
    >>> value, gradient = program.value_and_grad([1.0, 2.0], [3.0, 4.0])
    >>> value, gradient
    (0.5, array([2., 1.]))
    """
    checks.options(f, backend, dtype, threads, block)
    return Program(f, backend, dtype, threads, seed, block, check)
