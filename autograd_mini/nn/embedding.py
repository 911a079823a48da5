"""`Embedding`: a row of parameters for each token, such as a letter or a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, overload

import numpy as np

from autograd_mini.checks import checked_whole
from autograd_mini.elsewhere import unexpected
from autograd_mini.engine import functions
from autograd_mini.engine.node import FEATURE, PROBE
from autograd_mini.engine.value import Parameter, Value
from autograd_mini.nn.initializers import InitializerLike, Random, initial_weights, normal
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import is_list

if TYPE_CHECKING:
    from autograd_mini.engine.signatures import Array, Number


class Embedding(Module):
    """A table of parameters, from which each token takes a row.

    Called with a token it returns the row's parameters themselves, with a list of tokens a row for each. A vectorized
    program reads all rows of a batch in one gather (see `autograd_mini.pick`); in the gradient, what tokens contribute
    to the same row is added up.

    Parameters
    ----------
    n_tokens : int
        How many tokens there are: 0, 1, …, n_tokens - 1.
    width : int
        How many numbers are in a row.
    initializer : str or callable, optional
        How the rows are drawn (see `autograd_mini.nn.initializers`); by default from the standard normal distribution.
    rng : int or numpy.random.Generator, optional
        A seed or a generator.

    Attributes
    ----------
    weights : list of list of Parameter
        The rows; ``weight`` in the state.

    Raises
    ------
    ValueError
        If a size isn't at least 1, or no initializer has the name.
    IndexError
        When called: if a token isn't one of them.

    Examples
    --------
    >>> letters = Embedding(26, 3, rng=0)
    >>> row = letters(2)
    >>> row[0] is letters.weights[2][0], [len(row) for row in letters([0, 1])]
    (True, [3, 3])
    """

    def __init__(
        self, n_tokens: int, width: int, initializer: InitializerLike = None, rng: Random = None, **others: NoReturn
    ) -> None:
        if others:
            raise unexpected("Embedding", others)
        self.n_tokens, self.width = checked_whole("n_tokens", n_tokens, 1), checked_whole("width", width, 1)
        drawn = initial_weights(initializer or normal(1.0), "identity", rng, (self.n_tokens, self.width))
        self.weights = [[Parameter(number) for number in row] for row in drawn.tolist()]

    @overload
    def forward(self, token: Value | Number) -> list[Value]: ...
    @overload
    def forward(self, token: Sequence[Value | Number] | Array) -> list[list[Value]]: ...
    @overload
    def forward(self, token: Sequence[Sequence[Value | Number]]) -> list[list[list[Value]]]: ...
    def forward(self, token: Any) -> Any:
        """Return the row of a token, or a list with the row of each."""
        if is_list(token) or isinstance(token, range):
            return [self.forward(one) for one in token]
        if isinstance(token, np.ndarray):
            token = token.item()
        if isinstance(token, Value) and token._local not in (FEATURE, PROBE):
            return functions.pick(token, self.weights)
        return list(self.weights[functions.row_number(token, self.n_tokens)])

    if TYPE_CHECKING:  # of several signatures mypy takes but the first for the call
        __call__ = forward

    def _state_entries(self) -> Any:
        yield "weight", self.weights

    def __repr__(self) -> str:
        return f"Embedding({self.n_tokens}, {self.width})"
