"""What programs call for rows: sums such as `logsumexp` and `minus_log_softmax` for each example, `add_up`, `picked`.

The printer for NumPy copies functions from here into the programs that it writes, so they need nothing but NumPy. Rows
are those of an array (rows, examples), or of one without examples (rows,); results are written into given arrays.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from typing import Any

import numpy as np

_HINT = re.compile(r"(?<=\w): (Any|int|bool)\b| -> (Any|None)")


def exp_of_difference(a: Any, b: Any) -> Any:
    """Return exp(a - b), corrected by what was lost when a - b was rounded."""
    difference = a - b
    part = difference - a
    lost = (a - (difference - part)) - (b + part)
    e = np.exp(difference)
    return e + e * np.where(np.isfinite(lost), lost, 0.0)


def exponentials(z: Any, e: Any) -> Any:
    """Write exp(zⱼ) and return None, or if some are far from 0, exp(zⱼ - the example's largest), and return that."""
    np.exp(z, out=e)
    most = 300.0 if e.itemsize == 8 else 30.0
    if np.vdot(z, z) < most * most or (z.max() < most and z.min() > -most):  # the sum of squares is quicker
        return None
    peak = z.max(axis=0)
    e[...] = exp_of_difference(z, peak)
    return peak


def total_of(e: Any, out: Any) -> None:
    """Write Σ eⱼ, added up with more digits where the processor has them, so that it is rounded once."""
    out[...] = np.add.reduce(e, axis=0, dtype=np.longdouble)


def logsumexp(z: Any, out: Any) -> None:
    """Write log Σ exp(zⱼ), as the largest zⱼ and log(1 + the others' share)."""
    peak = z.max(axis=0)
    others = exp_of_difference(z, peak)
    np.put_along_axis(others, np.expand_dims(z.argmax(axis=0), 0), 0.0, axis=0)
    out[...] = np.where(np.isfinite(peak), peak + np.log1p(others.sum(axis=0)), peak)


def minus_log_softmax(z: Any, index: Any, slopes: Any, total: Any, out: Any) -> None:
    """Write -log softmax(z) of the class that the index names, as log(1 + the others' share): p may be nearly 1.

    Its derivatives are slopes / total: exp(zⱼ), but for the class itself minus the sum of the others.
    """
    shift = exponentials(z, slopes)
    rows = slopes.reshape(len(slopes), -1)
    flat, n = rows.reshape(-1), rows.shape[1]
    chosen = (index[0] * n + np.arange(n)).astype(np.intp)
    own = flat[chosen]
    flat[chosen] = 0.0
    others = np.add.reduce(rows, axis=0)
    flat[chosen] = -others
    np.add(others, own, out=total.reshape(-1))
    if shift is None:
        np.log1p(others / own, out=out.reshape(-1))
    else:
        away = shift - np.broadcast_to(z, slopes.shape).reshape(-1)[chosen]
        out.reshape(-1)[:] = away + np.where(np.isfinite(shift), np.log1p(others + (own - 1.0)), 0.0)


def minus_log_softmax_of_any(z: Any, index: Any, slopes: Any, total: Any, out: Any) -> None:
    """Write the same, and log Σ exp(zⱼ) where the index names no row."""
    is_class = np.arange(len(slopes)).reshape(-1, *[1] * (slopes.ndim - 1)) == index
    peak, z = z.max(axis=0), np.broadcast_to(z, slopes.shape)
    e = exp_of_difference(z, peak)
    own, others = np.where(is_class, e, 0.0).sum(axis=0), np.where(is_class, 0.0, e).sum(axis=0)
    away = peak - np.where(is_class, z, -np.inf).max(axis=0)
    logsumexp(z, out)
    loss = away + np.where(np.isfinite(peak), np.log1p(others + (own - 1.0)), 0.0)
    np.copyto(out, loss, where=is_class.any(axis=0))
    slopes[...] = np.where(is_class, -others, e)
    total[...] = others + (own if len(slopes) > 1 else is_class)  # of a single class: 0/1


def row_numbers(index: Any, count: int) -> Any:
    """Return indices as whole numbers, and None or, if some name none of so many rows, which ones do."""
    rows = np.fmax(np.fmin(index, count - 1), 0).astype(np.intp)
    there = rows == index
    return rows, None if there.all() else there


def picked(table: Any, index: Any, out: Any) -> None:
    """Write the rows of a table that indices name, those of the first index first; zeros where one names none."""
    width = len(out) // len(index)
    rows, there = row_numbers(index, len(table) // width)
    shaped = table.reshape(-1, width, *table.shape[1:])
    of_each = table.ndim == 2  # each example has a table of its own
    found = shaped[rows.reshape(len(rows), -1), :, np.arange(table.shape[1])] if of_each else shaped[rows]
    found = np.moveaxis(found, -1, 1)
    found = found if there is None else np.where(there[:, None], found, 0.0)
    out.reshape(len(index), width, *out.shape[1:])[...] = found


def add_to_picked(gradient: Any, index: Any, upstream: Any) -> None:
    """Add to the rows that `picked` read: example after example, so that what picked the same row adds up in order."""
    width = len(upstream) // len(index)
    rows, there = row_numbers(index, len(gradient) // width)
    places = rows.reshape(len(index), 1, -1) * width + np.arange(width)[:, None]
    if gradient.ndim == 2:
        places = places * gradient.shape[1] + np.arange(gradient.shape[1])
    terms = upstream.reshape(len(index), width, -1)
    terms = terms if there is None else np.where(there.reshape(len(index), 1, -1), terms, 0.0)
    np.add.at(gradient.reshape(-1), places.T.ravel(), terms.T.ravel())


def add_up(terms: Any, axis: int, keepdims: bool = False) -> Any:
    """Return x₁ + x₂ + … along an axis, added up from left to right; NumPy's own sum may add up some of them first."""
    total = np.add.accumulate(terms, axis=axis).take(-1, axis=axis)
    return np.expand_dims(total, axis) if keepdims else total


@cache
def sources(name: str) -> list[str]:
    """Return the sources of a function and of those that it calls, without type hints, those that are called first."""
    source = inspect.getsource(globals()[name])
    called = [part.id for part in ast.walk(ast.parse(source)) if isinstance(part, ast.Name)]
    own = [other for other in FUNCTIONS if other in called and other != name]
    needed = [text for other in own for text in sources(other)]
    return list(dict.fromkeys([*needed, _HINT.sub("", source)]))


FUNCTIONS = [name for name, thing in globals().items() if inspect.isfunction(thing)]
