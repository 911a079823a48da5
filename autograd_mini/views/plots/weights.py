"""Plots of layers: the norms of their gradients, and how their weights are distributed, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked_whole
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import flat
from autograd_mini.optim.clipping import gradient_number, vector_norm
from autograd_mini.views import colours
from autograd_mini.views.plots import axes
from autograd_mini.views.plots.axes import AREAS, INK, Axes

_MOST_LABELS = 12  # bars that have their value above them
_WIDE = 100.0  # from this ratio of the largest to the smallest on, small bars need a logarithmic axis
_SHADES = ("#dbe6ee", colours.POSITIVE, "#042c47")  # of the share of the weights in a bin
_MOST_EPOCHS = 12  # named on the axis


def plot_gradient_norm_by_layer(
    model_or_norms: Module | Mapping[str, Any],
    ax: Axes | None = None,
    log: bool | None = None,
    title: str | None = None,
) -> Axes:
    """Plot the norm of the gradient of each layer's parameters, as the last backward pass left it.

    Parameters
    ----------
    model_or_norms : Module or mapping of str to float or array_like
        A model after ``loss.backward()``; or for each layer the norm, or the gradient itself as an array.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    log : bool, optional
        Whether the axis is logarithmic; by default where the largest norm is more than 100 times the smallest one that
        isn't 0.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If it is neither a model nor a mapping, or `ax` isn't an Axes.
    ValueError
        If there are no parameters, or a norm is negative, nan or infinite.
    """
    axes.require_matplotlib(ax)
    norms = _checked_norms(model_or_norms)
    heights = np.array(list(norms.values()))
    positive = heights[heights > 0]
    if log and not len(positive):
        raise ValueError("log: all norms are 0, and a logarithmic axis has no 0; leave log out")
    logarithmic = bool(len(positive)) and float(heights.max() / _WIDE) > positive.min() if log is None else log

    ax = axes.given_or_new(ax)
    places = np.arange(len(norms))
    bars = ax.bar(places, heights, width=0.7, color=AREAS[1], edgecolor=INK, linewidth=0.6, log=logarithmic)
    if logarithmic:
        ax.set_ylim(10.0 ** np.floor(np.log10(positive.min()) - 0.3), 10.0 ** (np.log10(positive.max()) + 0.5))
    else:
        ax.set_ylim(0.0, 1.12 * heights.max() if len(positive) else 1.0)
    if len(norms) <= _MOST_LABELS:
        ax.bar_label(bars, [f"{height:.2g}" for height in heights], padding=2, fontsize=9, color=INK)
    crowded = sum(map(len, norms)) > 60
    ax.set_xticks(places, list(norms), rotation=45 if crowded else 0, ha="right" if crowded else "center")
    return axes.finish(ax, "layer, from the input to the output", "norm of the gradient ‖∂L/∂θ‖", title, grid="y")


def _checked_norms(source: Any) -> dict[str, float]:
    gradients = gradients_by_layer(source) if isinstance(source, Module) else source
    if not isinstance(gradients, Mapping):
        expected = "a Module, or a dict of a layer to its norm or gradient"
        raise TypeError(f"model_or_norms: expected {expected}, got {type(source).__name__}")
    if not gradients:
        raise ValueError("model_or_norms: expected at least one layer with parameters, got none")
    norms = {}
    for layer, gradient in gradients.items():
        array = axes.numbers(f"the gradient of {layer}", gradient, ndim=None, finite=True)
        if array.ndim == 0 and array < 0:
            raise ValueError(f"the norm of {layer}: expected a number of at least 0, got {array:g}")
        norms[str(layer)] = vector_norm(array)
    return norms


def gradients_by_layer(model: Module) -> dict[str, list[float]]:
    """Return the gradients of each layer's parameters; a layer is what has weights of its own in ``state_dict()``.

    Examples
    --------
    >>> from autograd_mini.nn import MLP
    >>> model = MLP(2, [3, 1], rng=0)
    >>> model([1.0, 2.0]).backward()
    >>> {layer: len(gradients) for layer, gradients in gradients_by_layer(model).items()}
    {'layers.0': 9, 'layers.1': 4}
    """
    layers = {
        id(parameter): name.rpartition(".")[0] or type(model).__name__
        for name, entry in model._state_entries()
        for parameter in flat(entry)
    }
    found: dict[str, list[float]] = {}
    for parameter in model.parameters():
        layer = layers.get(id(parameter), type(model).__name__)
        found.setdefault(layer, []).append(gradient_number(parameter))
    return found


def plot_weight_histogram(
    snapshots: Any,
    ax: Axes | None = None,
    bins: int | None = None,
    colorbar: bool = True,
    title: str | None = None,
) -> Axes:
    """Plot how the weights are spread at several epochs: a histogram for each, as a column of shades.

    All have the same bins and the same scale; a bin without any weight is left white.

    Parameters
    ----------
    snapshots : sequence, or mapping of int, of state_dicts or arrays
        The weights: of each epoch a ``model.state_dict()``, of which biases and running statistics are left out, or an
        array. The keys of a mapping are the epochs; a sequence is counted from 0, the weights before training.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    bins : int, optional
        The number of bins; by default about twice the square root of the number of weights, between 10 and 60.
    colorbar : bool, optional
        Whether to put the key to the shades beside it.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.axes.Axes
        Where it was drawn.

    Raises
    ------
    TypeError
        If `snapshots` is neither a sequence nor a mapping, or `ax` isn't an Axes.
    ValueError
        If there are no snapshots, one has no weights, or a weight is nan or infinite.
    """
    axes.require_matplotlib(ax)
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    weights = _checked_snapshots(snapshots)
    largest = max(map(len, weights.values()))
    count = min(max(round(2 * largest**0.5), 10), 60) if bins is None else checked_whole("bins", bins, 1)
    edges, shares = shares_by_bin(list(weights.values()), count)

    ax = axes.given_or_new(ax)
    columns = np.arange(len(weights) + 1) - 0.5
    seen = np.where(shares.T > 0.0, shares.T, np.nan)
    shades = LinearSegmentedColormap.from_list("weights", _SHADES)
    mesh = ax.pcolormesh(columns, edges, 100.0 * seen, cmap=shades, norm=PowerNorm(0.5, 0.0, 100.0 * shares.max()))
    epochs = list(weights)
    every = -(-len(epochs) // _MOST_EPOCHS)
    ax.set_xticks(range(0, len(epochs), every), epochs[::every])
    if colorbar:
        ax.figure.colorbar(mesh, ax=ax, label=f"share of the weights in a bin of {edges[1] - edges[0]:.2g} (%)")
    return axes.finish(ax, "epoch", "weight", title, grid="y")


def _checked_snapshots(snapshots: Any) -> dict[str, Array]:
    if isinstance(snapshots, Mapping):
        if any(isinstance(key, str) for key in snapshots):
            raise TypeError("snapshots: expected epochs as keys, got names; put a single state_dict in a list")
        named = dict(snapshots)
    elif isinstance(snapshots, Iterable) and not isinstance(snapshots, str):
        named = dict(enumerate(snapshots))
    else:
        raise TypeError(f"snapshots: expected a list or dict of state_dicts or arrays, got {type(snapshots).__name__}")
    if not named:
        raise ValueError("snapshots: expected at least one, got none")
    return {str(epoch): _weights_of(f"snapshots[{epoch}]", snapshot) for epoch, snapshot in named.items()}


def _weights_of(name: str, snapshot: Any) -> Array:
    if not isinstance(snapshot, Mapping):
        return axes.numbers(name, snapshot, ndim=None, finite=True).ravel()
    kept = {key: array for key, array in snapshot.items() if is_weight(key)}
    if not kept:
        raise ValueError(f"{name}: expected a state_dict with weights, got the names {list(snapshot)}")
    return np.concatenate([_weights_of(f"{name}[{key!r}]", array) for key, array in kept.items()])


def is_weight(name: str) -> bool:
    """Return whether an entry of a state_dict is neither a bias nor a running statistic.

    Examples
    --------
    >>> is_weight("layers.0.weight"), is_weight("layers.0.bias"), is_weight("norm.running_mean")
    (True, False, False)
    """
    last = name.rpartition(".")[2]
    return "bias" not in last and not last.startswith("running_")


def shares_by_bin(rows: list[Array], bins: int) -> tuple[Array, Array]:
    """Return the edges of the bins, which all rows share, and for each row the share of its numbers in each bin.

    Examples
    --------
    >>> edges, shares = shares_by_bin([np.array([0.0, 0.1, 1.0]), np.array([0.9])], 2)
    >>> edges, shares.round(2)
    (array([0. , 0.5, 1. ]), array([[0.67, 0.33], [0. , 1. ]]))
    """
    edges = np.histogram_bin_edges(np.concatenate(rows), bins)
    return edges, np.array([np.histogram(row, edges)[0] / len(row) for row in rows])
