"""Curves against time, depth and scale: losses by epoch, vanishing gradients, saturation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked_whole
from autograd_mini.views.plots import axes
from autograd_mini.views.plots.axes import INK, Axes

_MARKED = 40  # a curve of up to this many points has a dot on each


def plot_loss(
    history: Any, ax: Axes | None = None, log: bool = False, best_epoch: int | None = None, title: str | None = None
) -> Axes:
    """Plot the training loss and the validation loss by epoch, with the early-stopping point.

    Parameters
    ----------
    history : History
        What `Trainer.fit` returns; anything with lists ``loss`` and, perhaps, ``validation_loss``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    log : bool, optional
        Whether the axis of the losses is logarithmic.
    best_epoch : int, optional
        The epoch to mark, counted from 1 as on the axis: that of the smallest validation loss, the
        ``best_epoch`` of an `EarlyStopping`. By default ``history.best_epoch`` where there is one; without either, none
        is marked.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If `history` has no ``loss``, or `ax` isn't an Axes.
    ValueError
        If there are no losses, there is another number of validation losses, the best epoch isn't among the epochs, or
        a loss isn't positive where the axis is logarithmic.
    """
    axes.require_matplotlib(ax)
    if not hasattr(history, "loss"):
        raise TypeError(f"history: expected a History, as Trainer.fit returns it, got {type(history).__name__}")
    losses = {"training": axes.numbers("loss", history.loss)}
    validation = getattr(history, "validation_loss", None)
    if validation is not None and len(validation):
        losses["validation"] = axes.numbers("validation_loss", validation)
    epochs = np.arange(1, len(losses["training"]) + 1)
    for name, loss in losses.items():
        if len(loss) != len(epochs):
            raise ValueError(f"validation_loss: expected one for each of the {len(epochs)} epochs, got {len(loss)}")
        if log and (np.any(loss < 0) or not np.any(loss > 0)):
            raise ValueError(
                f"log: a logarithmic axis needs losses above 0, the smallest {name} loss is {np.min(loss):g}; "
                f"leave log out"
            )
    best = _best_epoch(history, best_epoch, len(epochs))
    ax = axes.given_or_new(ax)
    for i, (name, loss) in enumerate(losses.items()):
        marker = "o" if len(epochs) == 1 else None
        ax.plot(epochs, loss, **axes.line_style(i), marker=marker, linewidth=1.8, label=name)
    if best is not None:
        lowest = list(losses.values())[-1][best - 1]
        ax.axvline(best, color=INK, linewidth=1.0, linestyle=":", zorder=1.5)
        ax.plot([best], [lowest], "o", color=INK, markersize=7, zorder=3, label=f"best epoch ({best})")
    if log:
        ax.set_yscale("log")
        _plain_log_ticks(ax)
    _whole_ticks(ax)
    ax.legend()
    return axes.finish(ax, "epoch", "mean loss of an example", title)


def _best_epoch(history: Any, given: Any, epochs: int) -> int | None:
    best = getattr(history, "best_epoch", None) if given is None else given
    if best is None:
        return None
    if checked_whole("best_epoch", best, 1) > epochs:
        raise ValueError(f"best_epoch: expected one of the epochs 1 to {epochs}, got {best}")
    return int(best)


def plot_vanishing_gradients(
    products: Mapping[str, Any], depths: Any = None, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Plot how the gradient shrinks or grows with depth: Π |w σ′(z)| over the layers, on a logarithmic axis.

    A product that is 0 can't be drawn there: the curve ends before it, and the legend says from which depth on it is 0.

    Parameters
    ----------
    products : mapping of str to sequence of float
        For each label, such as the name of an activation, the product at each depth.
    depths : sequence of float, optional
        The depths, by default 1, 2, 3, ….
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If `products` isn't a mapping, or `ax` isn't an Axes.
    ValueError
        If there are no curves, their lengths differ, or a number is negative, nan or infinite.
    """
    ax = _draw_magnitudes("products", products, "depths", depths, ax)
    _whole_ticks(ax)
    return axes.finish(ax, "depth (number of layers)", "factor of the gradient Π |w σ′(z)|", title)


def plot_saturation(norms: Mapping[str, Any], scales: Any, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Plot the norm of the gradient against the scale of the initial weights, on logarithmic axes.

    Large weights drive the pre-activations to where σ′ is nearly 0. A norm of 0 can't be drawn on such an axis: the
    curve ends before it, and the legend says from which scale on it is 0.

    Parameters
    ----------
    norms : mapping of str to sequence of float
        For each label, such as the name of an activation, the norm at each scale.
    scales : sequence of float
        The scales of the initial weights, such as their standard deviation; all above 0.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If `norms` isn't a mapping, or `ax` isn't an Axes.
    ValueError
        If there are no curves, there isn't a norm for each scale, a scale isn't above 0, or a norm is negative, nan or
        infinite.
    """
    ax = _draw_magnitudes("norms", norms, "scales", scales, ax, log=True)
    return axes.finish(ax, "scale of the initial weights", "norm of the gradient ‖∂L/∂θ‖", title)


def _checked_curves(name: str, curves: Any) -> dict[str, Array]:
    if not isinstance(curves, Mapping):
        raise TypeError(f"{name}: expected a dict of a label to a list of numbers, got {type(curves).__name__}")
    if not curves:
        raise ValueError(f"{name}: expected at least one curve, got none")
    checked = {str(label): axes.numbers(f"{name}[{label!r}]", data, finite=True) for label, data in curves.items()}
    for label, y in checked.items():
        if np.any(y < 0):
            raise ValueError(f"{name}[{label!r}]: expected magnitudes, at least 0, got {y.min():g}")
    if not any(np.any(y > 0) for y in checked.values()):
        raise ValueError(f"{name}: all numbers are 0, and a logarithmic axis has no 0")
    return checked


def _draw_magnitudes(name: str, given: Any, x_name: str, x: Any, ax: Axes | None, log: bool = False) -> Axes:
    """Draw curves of magnitudes on a logarithmic axis, over x or 1, 2, 3, …; with `log` the axis of x is one, too."""
    axes.require_matplotlib(ax)
    curves = _checked_curves(name, given)
    count = len(next(iter(curves.values())))
    x = np.arange(1.0, count + 1) if x is None else axes.numbers(x_name, x, finite=True)
    if log and np.any(x <= 0):
        raise ValueError(f"{x_name}: expected numbers above 0, got {x.min():g}")
    for label, y in curves.items():
        if len(y) != len(x):
            raise ValueError(f"{name}[{label!r}]: expected one number for each of the {len(x)} {x_name}, got {len(y)}")
    ax = axes.given_or_new(ax)
    for i, (label, y) in enumerate(curves.items()):
        marker: dict[str, Any] = {"marker": "o", "markersize": 3.5} if len(x) <= _MARKED else {}
        shown = np.where(y > 0, y, np.nan)
        ax.plot(x, shown, **axes.line_style(i), **marker, linewidth=1.8, label=label + zero_note(x, y))
    ax.set_yscale("log")
    if log:
        ax.set_xscale("log")
    ax.legend()
    return ax


def zero_note(x: Array, y: Array) -> str:
    """Return what the legend says of a curve that is 0 from some place on to its end, and so isn't seen there.

    Examples
    --------
    >>> zero_note(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.0, 0.0]))
    ' (0 from 2 on)'
    >>> zero_note(np.array([1.0, 2.0]), np.array([0.5, 0.25]))
    ''
    """
    seen = np.flatnonzero(y)
    if not len(seen):
        return " (0 everywhere)"
    return f" (0 from {x[seen[-1] + 1]:g} on)" if seen[-1] + 1 < len(y) else ""


def _plain_log_ticks(ax: Axes) -> None:
    """Write 0.2 and not 2×10⁻¹ on an axis of few powers of ten, so few that numbers between them are named too."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    low, high = ax.get_ylim()
    if 0.0 < low < high < 100.0 * low:
        between = (2, 3, 4, 6) if high < 10.0 * low else (2, 5)
        ax.yaxis.set_minor_locator(LogLocator(subs=between))
        for set_formatter in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
            set_formatter(FuncFormatter(lambda number, place: f"{number:g}"))


def _whole_ticks(ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
