"""`LayerNorm` and `BatchNorm`: x̂ = (x - mean) / √(variance + ε), y = γ x̂ + β, so that no layer saturates the next.

The mean is taken over the features of one example, or over the examples of one feature. Every step is a node.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from autograd_mini.checks import checked, checked_whole
from autograd_mini.engine import functions
from autograd_mini.engine.tracing import BATCH_MEAN, current_trace, live
from autograd_mini.engine.value import Parameter, Value, apply
from autograd_mini.explanations.labels import Given
from autograd_mini.nn.module import Module
from autograd_mini.nn.nested import each, flat, is_list, nodes


class _Normalization(Module):
    """What both have in common: γ and β for each feature, and how a list of nodes is standardised."""

    def __init__(self, n_features: int, eps: float = 1e-5) -> None:
        self.eps = checked("eps", eps, above=0.0, advice="it keeps a division by 0 away")
        self.n_features = checked_whole("n_features", n_features, least=1)
        self.gain = [Parameter(1.0) for _ in range(self.n_features)]
        self.bias = [Parameter(0.0) for _ in range(self.n_features)]

    @property
    def n_inputs(self) -> int:
        """The number of features."""
        return self.n_features

    @property
    def weight(self) -> list[Parameter]:
        """γ, under PyTorch's name."""
        return self.gain

    def _standardised(self, values: Sequence[Value], *place: int) -> tuple[list[Value], Value, Value]:
        """Return x̂ of each value, the mean and the (biased) variance Σ (x - mean)²/n; of a feature, at its place."""
        n = float(len(values))
        mean = self._mean(functions.sum(values) / n)
        mean.label = Given("mean", place)
        deviations = [value - mean for value in values]
        variance = self._mean(functions.dot(deviations, deviations) / n)
        variance.label = Given("variance", place)
        std = functions.sqrt(variance + self.eps)
        return [deviation / std for deviation in deviations], mean, variance

    def _mean(self, mean: Value) -> Value:
        """Return the mean of all values, from the mean of those that are there."""
        return mean

    def _scaled(self, j: int, standardised: Value) -> Any:
        """Return γ x̂ + β of feature j."""
        return functions.dot([self.gain[j]], [standardised], self.bias[j])

    def _checked(self, x: Any) -> Any:
        """Return the features of one example, of which a single one may come without its list, as from an `MLP`."""
        if self.n_features == 1 and not is_list(x):
            return [x]
        if not is_list(x) or len(x) != self.n_features:
            got = f"{len(x)} of them" if is_list(x) else "a single number"
            raise ValueError(
                f"{self!r}: expected a list of {self.n_features} features, got {got}; "
                f"make it with n_features as the number of outputs of the layer before"
            )
        return x

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        yield "weight", self.gain
        yield "bias", self.bias

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n_features})"


class LayerNorm(_Normalization):
    """Standardise the features of each example: yⱼ = γⱼ (xⱼ - mean) / √(variance + ε) + βⱼ.

    The mean and the variance Σ (xⱼ - mean)²/d are those of the example's d features, in training and in evaluation
    (Ba et al., Layer normalization, 2016).

    Parameters
    ----------
    n_features : int
        d.
    eps : float
        ε.

    Attributes
    ----------
    gain, bias : list of Parameter
        γ, at first 1, and β, at first 0; ``weight`` and ``bias`` in the state.

    Raises
    ------
    ValueError
        If an argument is out of its range. When called: if there are more features or fewer.

    Examples
    --------
    >>> norm = LayerNorm(2)
    >>> [round(y.data, 4) for y in norm([1.0, 3.0])]
    [-1.0, 1.0]
    >>> list(norm.state_dict())
    ['weight', 'bias']
    """

    def forward(self, x: Any) -> Any:
        """Return the normalised features of one example; of lists of such lists (a sequence), each one's by itself."""
        return self._normalised(nodes(x))

    def _normalised(self, x: Any) -> Any:
        if is_list(x) and len(x) and is_list(x[0]):
            return [self._normalised(part) for part in x]
        x = self._checked(x)
        return [self._scaled(j, standardised) for j, standardised in enumerate(self._standardised(x)[0])]


class BatchNorm(_Normalization):
    """Standardise each feature over the batch: y = γⱼ (x - meanⱼ) / √(varianceⱼ + ε) + βⱼ.

    In training mean and variance Σ (x - mean)²/n are those of the n examples, and gradients go through them; for
    evaluation the module keeps running ones, running ← (1 - momentum)·running + momentum·batch, with the unbiased
    variance Σ (x - mean)²/(n - 1), as PyTorch does (Ioffe and Szegedy, Batch normalization, 2015).

    A feature may also be a list, such as the positions of a channel: its mean is taken over the positions too.

    Parameters
    ----------
    n_features : int
        The number of features or channels.
    eps : float
        ε.
    momentum : float
        The share of the newest batch in the running statistics, from 0 to 1.

    Attributes
    ----------
    gain, bias : list of Parameter
        γ, at first 1, and β, at first 0; ``weight`` and ``bias`` in the state.
    running_mean, running_var : list of float
        At first 0 and 1; part of the state, under these names.

    Raises
    ------
    ValueError
        If an argument is out of its range. When called: if there are more features or fewer; in training if it gets a
        single example and no batch.

    Examples
    --------
    >>> norm = BatchNorm(1)
    >>> [[round(y.data, 3) for y in row] for row in norm.batch([[1.0], [3.0]])]
    [[-1.0], [1.0]]
    >>> norm.running_mean, norm.running_var  # 0.9·0 + 0.1·2 and 0.9·1 + 0.1·2
    ([0.2], [1.1])
    >>> _ = norm.eval()
    >>> round(norm([0.2])[0].data, 6)
    0.0
    """

    needs_batch = True

    _read_at_each_run = ("running_mean", "running_var")  # a program asks for them, and does not keep them

    def __init__(self, n_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(n_features, eps)
        expected, advice = "a number from 0 to 1", "it is the newest batch's share in the running statistics"
        self.momentum = checked("momentum", momentum, least=0.0, most=1.0, expected=expected, advice=advice)
        self.running_mean = [0.0] * self.n_features
        self.running_var = [1.0] * self.n_features

    def forward(self, x: Any) -> Any:
        """Return the normalised features of one example, in evaluation mode."""
        if self.training and current_trace() is None:
            raise ValueError(
                f"{self!r} in training mode needs a batch, got one example: call batch(model, rows) with several "
                f"examples (a module of your own around it must define a batch method, too), or model.eval() first"
            )
        return self.batch([x])[0]

    def batch(self, rows: Iterable[Any]) -> list[Any]:
        """Return the normalised features of each example of a batch.

        Parameters
        ----------
        rows : iterable
            The examples.

        Raises
        ------
        ValueError
            If the features aren't as many as expected, or in training there is only one number for each.
        """
        examples = [self._checked(nodes(row)) for row in rows]
        columns = [self._column(j, [example[j] for example in examples]) for j in range(self.n_features)]
        return [list(example) for example in zip(*columns, strict=True)]

    def _column(self, j: int, column: list[Any]) -> list[Any]:
        """Return feature j of all examples, normalised."""
        values = flat(column)
        trace = current_trace()
        if self.training and trace is not None:
            standardised, mean, variance = self._standardised(values, j)
            trace.effects.append(([mean, variance], partial(self._follow, j, len(values))))
        elif self.training:
            self._refuse_a_single(len(values))
            standardised, mean, variance = self._standardised(values, j)
            self._follow(j, len(values), mean.data, variance.data)
        else:
            mean = live(lambda: self.running_mean[j], Given("running mean", (j,)))
            std = live(lambda: math.sqrt(self.running_var[j] + self.eps), Given("running std", (j,)))
            standardised = [(value - mean) / std for value in values]
        scaled = iter([self._scaled(j, value) for value in standardised])
        return [each(lambda _: next(scaled), part) for part in column]

    def _mean(self, mean: Value) -> Value:
        """Return the mean of all examples; while one of them is traced, by an operation over the batch."""
        return mean if current_trace() is None else apply(BATCH_MEAN, mean)

    def _follow(self, j: int, count: int, mean: float, variance: float, examples: int = 1) -> None:
        """Take the statistics of a batch, of `count` values in each example, into the running ones."""
        n = count * examples
        self._refuse_a_single(n)
        self.running_mean[j] += self.momentum * (mean - self.running_mean[j])
        self.running_var[j] += self.momentum * (variance * n / (n - 1) - self.running_var[j])

    def _refuse_a_single(self, count: int) -> None:
        """Raise if there is only one value of a feature, which has no variance."""
        if count < 2:
            raise ValueError(
                f"{self!r} in training mode needs at least 2 examples in a batch, got {count}; choose a "
                f"batch size that leaves no single example over, or model.eval()"
            )

    def _state_entries(self) -> Iterator[tuple[str, Any]]:
        yield from super()._state_entries()
        yield "running_mean", [_Cell(self.running_mean, j) for j in range(self.n_features)]
        yield "running_var", [_Cell(self.running_var, j, least=0.0) for j in range(self.n_features)]


class _Cell:
    """A number in a list of floats, with ``data`` as a parameter has it, by which a module's state is read and written.

    Running statistics are no parameters: no gradient reaches them, and ``parameters()`` doesn't list them.
    """

    def __init__(self, numbers: list[float], at: int, least: float = -math.inf) -> None:
        self._numbers, self._at, self.least = numbers, at, least

    @property
    def data(self) -> float:
        return self._numbers[self._at]

    @data.setter
    def data(self, number: Any) -> None:
        self._numbers[self._at] = float(number)
