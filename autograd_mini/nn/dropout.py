"""`Dropout`: in training a neuron stays with probability p; at test time the whole network with expected weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_mini.checks import checked
from autograd_mini.engine.tracing import masked
from autograd_mini.engine.value import Constant
from autograd_mini.explanations.labels import Given
from autograd_mini.nn.initializers import Random
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import flat, folded, nodes, shape


class Dropout(Module):
    """Keep each unit with probability p in training: a = m·x, m = 1 with probability p, else 0.

    In evaluation all units stay and a = p·x, the expectation of the above: the next layer sees its expected input
    (Srivastava et al., Dropout, 2014). The mask is a leaf of the graph, which a drawing shows.

    Parameters
    ----------
    keep_prob : float
        p, above 0 and up to 1. (PyTorch's argument is the probability to drop, 1 - p.)
    inverted : bool
        Scale in training instead, m = 1/p or 0, and do nothing in evaluation; as PyTorch does.
    rng : int or numpy.random.Generator, optional
        A seed or a generator, for the masks.

    Attributes
    ----------
    rng : numpy.random.Generator
        Where the masks come from; a new one for each call in training.

    Raises
    ------
    ValueError
        If `keep_prob` is not above 0 and up to 1.

    Examples
    --------
    >>> dropout = Dropout(keep_prob=0.5, rng=0)
    >>> [a.data for a in dropout([1.0, 2.0, 3.0, 4.0])]
    [0.0, 2.0, 3.0, 4.0]
    >>> _ = dropout.eval()
    >>> [a.data for a in dropout([1.0, 2.0, 3.0, 4.0])]
    [0.5, 1.0, 1.5, 2.0]
    """

    def __init__(self, keep_prob: float = 0.5, inverted: bool = False, rng: Random = None) -> None:
        advice = "it is the share of units that stay, 1 minus the share to drop"
        expected = "a probability above 0 and up to 1"
        self.keep_prob = checked("keep_prob", keep_prob, above=0.0, most=1.0, expected=expected, advice=advice)
        self.inverted = inverted
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        """Return a number, a list or lists of lists with each unit kept or not."""
        x = nodes(x)
        if self.keep_prob == 1.0 or (self.inverted and not self.training):
            return x
        units = flat(x)
        if self.training:
            kept = 1.0 / self.keep_prob if self.inverted else 1.0
            factors = masked(self.rng, len(units), self.keep_prob, kept, "mask")
            for j, factor in enumerate(factors):
                factor.label = Given("mask", (j,))
        else:
            factors = [Constant(self.keep_prob, Given("p"))] * len(units)
        return folded([factor * unit for factor, unit in zip(factors, units, strict=True)], shape(x))

    def __repr__(self) -> str:
        return f"Dropout(keep_prob={self.keep_prob:g}, inverted={self.inverted})"
