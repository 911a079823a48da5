"""What optimizers, schedules and clipping ask of the numbers they are given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def checked(
    name: str,
    number: Any,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> float:
    """Return a hyperparameter as a float.

    Parameters
    ----------
    name : str
        How to call it in the message.
    number : int, float or numpy scalar
        The hyperparameter.
    above, least, most, below : float, optional
        The bounds: greater than, at least, at most, less than.

    Raises
    ------
    ValueError
        If it is no finite number between the bounds.

    Examples
    --------
    >>> checked("momentum", 0, least=0.0, below=1.0)
    0.0
    """
    valid = isinstance(number, (int, float, np.integer, np.floating)) and not isinstance(number, bool)
    if not valid or not (above < number < below and least <= number <= most):
        bounds = [f"above {above:g}"] * (above > -math.inf) + [f"at least {least:g}"] * (least > -math.inf)
        bounds += [f"at most {most:g}"] * (most < math.inf) + [f"below {below:g}"] * (below < math.inf)
        between = f" {' and '.join(bounds)}" if bounds else ""
        raise ValueError(f"{name}: expected a finite number{between}, got {number!r}")
    return float(number)


def checked_whole(name: str, number: Any, least: int) -> int:
    """Return a count as an int.

    Raises
    ------
    ValueError
        If it is no whole number of at least `least`.

    Examples
    --------
    >>> checked_whole("steps", np.int64(3), least=1)
    3
    """
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {number!r}")
    return int(number)


def checked_flag(name: str, flag: Any) -> bool:
    """Return a switch as a bool.

    Raises
    ------
    ValueError
        If it is neither True nor False: a number in its place is most often an argument out of order.

    Examples
    --------
    >>> checked_flag("nesterov", True)
    True
    """
    if not isinstance(flag, (bool, np.bool_)):
        raise ValueError(f"{name}: expected True or False, got {flag!r}")
    return bool(flag)
