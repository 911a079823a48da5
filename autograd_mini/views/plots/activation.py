"""Activation functions with their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked_whole
from autograd_mini.engine.derivatives import value_and_grad
from autograd_mini.nn.activations import activation_function, activation_name
from autograd_mini.views.plots import axes
from autograd_mini.views.plots.axes import LINES, MARKERS, Axes


def plot_activation(
    activations: Any,
    ax: Axes | None = None,
    interval: tuple[float, float] = (-5, 5),
    resolution: int = 401,
    title: str | None = None,
) -> Axes:
    """Plot activation functions (solid) with their derivatives (dashed), as the library computes them.

    Parameters
    ----------
    activations : str, callable, or sequence or mapping of them
        Names, such as "tanh", or functions of one Value; the keys of a mapping are the labels.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    interval : tuple of float, optional
        From where to where.
    resolution : int, optional
        At how many points.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If an activation is neither a name nor a function, or `ax` isn't an Axes.
    ValueError
        If there are none, no activation has the name, or the interval is empty.
    """
    axes.require_matplotlib(ax)
    functions = labelled_functions(activations)
    x = np.linspace(*axes.interval_of("interval", interval), checked_whole("resolution", resolution, 2))
    curves = {label: values_and_derivatives(function, x) for label, function in functions.items()}
    ax = axes.given_or_new(ax)
    ax.axhline(0.0, color="#9aa0a5", linewidth=0.8, zorder=1.2)
    ax.axvline(0.0, color="#9aa0a5", linewidth=0.8, zorder=1.2)
    for i, (label, both) in enumerate(curves.items()):
        for y, dashes, name in zip(both, ("-", "--"), (label, f"{label}′"), strict=True):
            marks = _marks(i, len(curves), len(x), dashed=dashes == "--")
            ax.plot(x, y, dashes, color=LINES[i % len(LINES)], linewidth=1.8, **marks, label=name)
    ax.set_xlim(x[0], x[-1])
    ax.legend(ncols=2 if len(curves) > 3 else 1)
    return axes.finish(ax, "pre-activation z", "activation σ(z), derivative σ′(z)", title)


def _marks(i: int, curves: int, points: int, dashed: bool) -> dict[str, Any]:
    """Return the marks that tell the activations of one plot apart without colour, nowhere above each other."""
    if curves == 1:
        return {}
    apart = max(points // 8, 1)
    start = (apart * (2 * i + dashed)) // (2 * curves)
    return {"marker": MARKERS[i % len(MARKERS)], "markevery": (start, apart), "markersize": 5}


def labelled_functions(activations: Any) -> dict[str, Callable[[Any], Any]]:
    """Return the functions under their labels.

    Examples
    --------
    >>> list(labelled_functions(["tanh", abs])), list(labelled_functions({"|z|": abs}))
    (['tanh', 'abs'], ['|z|'])
    """
    if isinstance(activations, Mapping):
        named = {str(label): activation_function(activation) for label, activation in activations.items()}
    else:
        single = isinstance(activations, str) or callable(activations)
        if not single and not isinstance(activations, Iterable):
            raise TypeError(f"activations: expected names or functions, got {type(activations).__name__}")
        named = {}
        for activation in [activations] if single else activations:
            function, label = activation_function(activation), activation_name(activation).replace("<lambda>", "σ")
            if label in named and named[label] is not function:
                raise ValueError(f"activations: two are called {label!r}; pass a dict of labels to functions")
            named[label] = function
    if not named:
        raise ValueError("activations: expected at least one, got none")
    return named


def values_and_derivatives(function: Callable[[Any], Any], x: Array) -> tuple[Array, Array]:
    """Return f and f′ at every point, f′ by the library's own backward pass.

    Examples
    --------
    >>> values, derivatives = values_and_derivatives(lambda z: z**2, np.array([1.0, 3.0]))
    >>> values, derivatives
    (array([1., 9.]), array([2., 6.]))
    """
    both = value_and_grad(function)
    pairs = np.array([both(point) for point in x.tolist()], dtype=float)
    return pairs[:, 0], pairs[:, 1]
