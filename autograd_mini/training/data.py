"""Examples as the trainer takes them: checked before any work, and cut into mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_mini.checks import Array, check_finite, real_array
from autograd_mini.nn.batches import mixes_examples
from autograd_mini.nn.module import Module


def checked_numbers(name: str, data: Any) -> Array:
    """Return an array of finite real numbers, or say where one isn't."""
    array = real_array(name, data, "real numbers, all rows of the same width")
    if not np.isfinite(array).all():
        rows = np.unique(np.argwhere(~np.isfinite(np.atleast_1d(array)))[:, 0])
        listed = ", ".join(f"row {i}" for i in rows[:8]) + ", …" * (len(rows) > 8)
        check_finite(name, array, f"drop or fill {listed} first")
    return array


def column_names(data: Any) -> list[str] | None:
    """Return the names of the columns of a data frame, of pandas, Polars or Arrow; None of what is none."""
    # Of its class: pandas takes the name of a column for an attribute, too.
    attribute = next((name for name in ("column_names", "columns") if hasattr(type(data), name)), None)
    return None if attribute is None else list(map(str, getattr(data, attribute)))


def check_columns(name: str, data: Any, expected: list[str] | None) -> None:
    """Refuse a data frame whose columns aren't those of the frame in `fit`, in the same order.

    Raises
    ------
    ValueError
        If they aren't. What has no names is taken as it is: an array, or a frame made of one, whose columns are only
        counted.
    """
    got = column_names(data)
    if got is None or expected is None or got == expected or _are_counted(got):
        return
    if _are_counted(expected) and set(got) != set(expected):
        return
    missing, unknown = [n for n in expected if n not in got], [n for n in got if n not in expected]
    what = f"missing {missing or 'nothing'}, unknown {unknown or 'nothing'}" if missing or unknown else "another order"
    raise ValueError(
        f"{name}: expected the columns that fit was given, in their order, {expected}, got {got} ({what}); "
        f"select them by their names, or pass the bare numbers with .to_numpy()"
    )


def _are_counted(names: list[str]) -> bool:
    return names == [str(i) for i in range(len(names))]


def checked_features(X: Any, n_inputs: int | None, name: str = "X") -> Array:
    """Return the features as an array of shape (n, d), or of more axes: sequences, channels of signals or pictures.

    Parameters
    ----------
    X : array_like of shape (n, d) or (n, ...)
        One example a row.
    n_inputs : int or None
        d, where the model asks for it.
    name : str
        How to call it in messages.

    Raises
    ------
    ValueError
        If there are no rows, the width is wrong, or a number is nan or infinite.
    """
    array = checked_numbers(name, X)
    if array.ndim and not len(array):
        raise ValueError(f"{name}: expected at least one example, got none")
    if array.ndim < 2:
        hint = "; write X.reshape(-1, 1) for one feature" if array.ndim == 1 else ""
        raise ValueError(f"{name}: expected shape (examples, features), got {array.shape}{hint}")
    if n_inputs is not None and array.ndim == 2 and array.shape[1] != n_inputs:
        raise ValueError(f"{name}: the model expects {n_inputs} features, got {array.shape[1]}")
    return array


def checked_targets(y: Any, n_examples: int, name: str = "y") -> Array:
    """Return the targets as an array of shape (n,) or (n, k).

    Raises
    ------
    ValueError
        If there isn't one for each example, or a number is nan or infinite.
    """
    array = checked_numbers(name, y)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name}: expected shape (examples,) or (examples, outputs), got {array.shape}")
    if len(array) != n_examples:
        raise ValueError(f"{name}: expected one target for each of the {n_examples} examples, got {len(array)}")
    return array


def enough_for_each_batch(model: Module, n: int, batch_size: int | None) -> None:
    """Refuse a batch of one example where a model needs several at once, before any work."""
    size = n if batch_size is None else min(batch_size, n)
    if mixes_examples(model) and (size == 1 or n % size == 1):
        raise ValueError(
            f"the model has a BatchNorm, which needs at least 2 examples in a batch, but {n} examples in batches of "
            f"{size} leave one alone; choose another batch_size"
        )


SAMPLINGS = ("shuffle", "replacement", "order")


def mini_batches(
    n: int, batch_size: int | None, rng: np.random.Generator, sampling: str = "shuffle"
) -> Iterator[list[int]]:
    """Iterate over one epoch: indices of 0 … n-1, cut into batches of which the last may be smaller.

    Parameters
    ----------
    n : int
        The number of examples.
    batch_size : int or None
        The size of a batch; None or n and more for one batch of all, in the order given.
    rng : numpy.random.Generator
        Where the order comes from.
    sampling : {"shuffle", "replacement", "order"}
        Every example once, in a new order; or n examples drawn at random, some often and some not at all; or every
        example once, in the order given.

    Examples
    --------
    >>> [len(batch) for batch in mini_batches(10, 4, np.random.default_rng(0))]
    [4, 4, 2]
    >>> list(mini_batches(3, 2, np.random.default_rng(0), sampling="order"))
    [[0, 1], [2]]
    """
    order = epoch_order(n, batch_size, rng, sampling).tolist()
    for start in range(0, n, batch_size or n):
        yield order[start : start + (batch_size or n)]


def epoch_order(n: int, batch_size: int | None, rng: np.random.Generator, sampling: str = "shuffle") -> Array:
    """Return the indices of one epoch's examples in the order in which they are used; see `mini_batches`."""
    if sampling == "replacement":
        return rng.integers(n, size=n)
    if sampling == "order" or batch_size is None or batch_size >= n:
        return np.arange(n)
    return rng.permutation(n)


def augmented(rows: Any, augment: Callable[[Array, np.random.Generator], Any], rng: np.random.Generator) -> Array:
    """Return a batch of examples as a data augmentation made it; the batch itself is left as it was.

    Raises
    ------
    ValueError
        If it gave another shape, or numbers that aren't finite.
    """
    given = np.array(rows)
    shape = given.shape
    made = checked_numbers("augment", augment(given, rng))
    if made.shape != shape:
        raise ValueError(f"augment: expected a batch of shape {shape}, as it was given, got {made.shape}")
    return made
