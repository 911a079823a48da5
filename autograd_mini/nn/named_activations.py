"""Activations with a parameter, by name: ``"leaky_relu(0.2)"``, ``"elu(0.5)"``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograd_mini.engine import functions

_WITH_PARAMETER: dict[str, Callable[[Any, float], Any]] = {
    "leaky_relu": functions.leaky_relu,
    "elu": functions.elu,
}
_CALL = re.compile(r"\s*(?P<name>\w+)\s*\(\s*(?:alpha\s*=\s*)?(?P<number>.*?)\s*\)\s*", re.DOTALL)


@dataclass(frozen=True)
class ParametrisedActivation:
    """An activation with its parameter fixed: σ(x) = f(x, α).

    A class and no closure, so that a model which holds one can be copied and pickled.

    Parameters
    ----------
    name : str
        f: "leaky_relu" or "elu".
    alpha : float
        α.

    Examples
    --------
    >>> leaky = ParametrisedActivation("leaky_relu", 0.2)
    >>> leaky(-1.0), leaky.__name__
    (-0.2, 'leaky_relu(0.2)')
    """

    name: str
    alpha: float

    @property
    def __name__(self) -> str:
        return f"{self.name}({self.alpha!r})"

    def __call__(self, x: Any) -> Any:
        """Return f(x, α)."""
        return _WITH_PARAMETER[self.name](x, self.alpha)


def parametrised(name: str) -> ParametrisedActivation | None:
    """Return the activation that a name with a number in parentheses describes; None for a name without them.

    Raises
    ------
    ValueError
        If the activation takes no parameter, or there is no finite number in the parentheses.

    Examples
    --------
    >>> parametrised("elu(0.5)")
    ParametrisedActivation(name='elu', alpha=0.5)
    >>> parametrised("tanh") is None
    True
    """
    match = _CALL.fullmatch(name)
    if match is None:
        return None
    if match["name"] not in _WITH_PARAMETER:
        raise ValueError(
            f"{name!r}: expected a parameter after {' or '.join(_WITH_PARAMETER)} only, got one after "
            f"{match['name']!r}; write the name alone, or pass a function"
        )
    try:
        alpha = float(match["number"])
    except ValueError:
        alpha = math.nan
    if not math.isfinite(alpha):
        raise ValueError(
            f"{name!r}: expected a finite number in the parentheses, got {match['number']!r}; "
            f"as in '{match['name']}(0.2)'"
        )
    return ParametrisedActivation(match["name"], alpha)
