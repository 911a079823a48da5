"""Examples as the trainer takes them: checked before any work, and cut into mini-batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def _numbers(name: str, data: Any) -> Array:
    try:
        array = np.asarray(data)
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        array = array.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected real numbers, all rows of the same width, got {data!r:.80}") from None
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = ", ".join(str(i) for i in bad[0])
        raise ValueError(
            f"{name}: expected finite numbers, got {array[tuple(bad[0])]} at [{place}] "
            f"({len(bad)} such); drop or fill these rows first"
        )
    return array


def checked_features(X: Any, n_inputs: int | None, name: str = "X") -> Array:
    """Return the features as an array of shape (n, d).

    Parameters
    ----------
    X : array_like of shape (n, d)
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
    array = _numbers(name, X)
    if array.ndim and not len(array):
        raise ValueError(f"{name}: expected at least one example, got none")
    if array.ndim != 2:
        hint = "; write X.reshape(-1, 1) for one feature" if array.ndim == 1 else ""
        raise ValueError(f"{name}: expected shape (examples, features), got {array.shape}{hint}")
    if n_inputs is not None and array.shape[1] != n_inputs:
        raise ValueError(f"{name}: the model expects {n_inputs} features, got {array.shape[1]}")
    return array


def checked_targets(y: Any, n_examples: int, name: str = "y") -> Array:
    """Return the targets as an array of shape (n,) or (n, k).

    Raises
    ------
    ValueError
        If there isn't one for each example, or a number is nan or infinite.
    """
    array = _numbers(name, y)
    if array.ndim not in (1, 2):
        raise ValueError(f"{name}: expected shape (examples,) or (examples, outputs), got {array.shape}")
    if len(array) != n_examples:
        raise ValueError(f"{name}: expected one target for each of the {n_examples} examples, got {len(array)}")
    return array


def mini_batches(n: int, batch_size: int | None, rng: np.random.Generator) -> Iterator[list[int]]:
    """Iterate over one epoch: the indices 0 … n-1, shuffled and cut into batches; the last may be smaller.

    Parameters
    ----------
    n : int
        The number of examples.
    batch_size : int or None
        The size of a batch; None or n and more for one batch of all, in the order given.
    rng : numpy.random.Generator
        Where the order comes from.

    Examples
    --------
    >>> [len(batch) for batch in mini_batches(10, 4, np.random.default_rng(0))]
    [4, 4, 2]
    """
    if batch_size is None or batch_size >= n:
        yield list(range(n))
        return
    order = rng.permutation(n).tolist()
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
