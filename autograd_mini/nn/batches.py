"""Several examples at once, for modules in which the examples of a batch depend on each other.

Most modules compute an output from one example. `BatchNorm` needs the whole batch, and so does every module around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_mini.engine.modes import scope
from autograd_mini.nn.module import Module


def batch(module: Module, rows: Iterable[Any]) -> list[Any]:
    """Return a module's outputs for a batch of examples.

    By the module's own ``batch(rows)`` where it has one, as `Sequential`, `Residual` and `BatchNorm` do; otherwise the
    module is called with one example after the other.

    Parameters
    ----------
    module : Module
        What computes.
    rows : iterable
        The examples, each as the module takes one.

    Returns
    -------
    list
        One output for each example, in their order.

    Raises
    ------
    ValueError
        If there is no example.

    Examples
    --------
    >>> from autograd_mini.nn.containers import Activation
    >>> [[a.data for a in row] for row in batch(Activation("relu"), [[1.0, -1.0], [-2.0, 2.0]])]
    [[1.0, 0.0], [0.0, 2.0]]
    """
    examples = list(rows)
    if not examples:
        raise ValueError("expected a batch of at least one example, got none; pass a list of examples")
    own = getattr(module, "batch", None)
    if own is None:
        return [module(row) for row in examples]
    with scope(module._name):  # as when the module is called
        return own(examples)  # type: ignore[no-any-return]


def mixes_examples(module: Module) -> bool:
    """Return whether what a module computes from one example depends, in training, on the others of its batch.

    Training must then hand it whole batches, by `batch`, and propagate the batch's loss back at once.

    Examples
    --------
    >>> from autograd_mini.nn import MLP
    >>> from autograd_mini.nn.containers import Sequential
    >>> from autograd_mini.nn.normalization import BatchNorm
    >>> mixes_examples(MLP(2, [1])), mixes_examples(Sequential(MLP(2, [3]), BatchNorm(3)))
    (False, True)
    """
    return any(getattr(part, "needs_batch", False) for _, part in module.named_modules())
