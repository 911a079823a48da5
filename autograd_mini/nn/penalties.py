"""Penalties on the weights, to be added to a loss: L2 shrinks large weights, L1 makes them sparse.

``Trainer(…, penalty=L2(1e-3))`` adds λ Σ w² to every batch's mean loss. Penalties add up: ``L1(1e-4) + L2(1e-3)``.

Only weights are penalised: the biases, and the gains by which `LayerNorm` and `BatchNorm` scale, say where and how
steep a unit is, not how complicated the network; ``include_biases=True`` counts them all. Frozen ones never count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from autograd_mini.checks import checked
from autograd_mini.engine import functions
from autograd_mini.engine.value import Constant, Value
from autograd_mini.nn.module import Module

_INDICES = re.compile(r"(?:\.\d+)+$")


class Penalty:
    """λ times a measure of the weights; a kind of penalty defines ``measure``.

    Parameters
    ----------
    lam : float
        λ, at least 0.
    include_biases : bool
        Whether biases, and the gains of normalisations, count as weights.

    Raises
    ------
    ValueError
        If λ isn't a finite number of at least 0.

    Examples
    --------
    >>> class Fourth(Penalty):
    ...     def measure(self, weights):
    ...         return functions.sum([w**4 for w in weights])
    >>> Fourth(0.5)([Value(2.0)]).data
    8.0
    """

    def __init__(self, lam: float, include_biases: bool = False) -> None:
        expected = "a finite number of at least 0"
        self.lam = checked("lam", lam, least=0.0, expected=expected, advice="0 is no penalty")
        self.include_biases = include_biases

    def measure(self, weights: list[Value]) -> Any:
        """Return what λ is multiplied with, of at least one weight."""
        raise NotImplementedError(f"{type(self).__name__} has no measure; define measure(self, weights)")

    def __call__(self, model: Module | Iterable[Value]) -> Value:
        """Return the penalty of a model, or of a list of its parameters, as a node.

        Raises
        ------
        TypeError
            If it is neither a module nor a list of Values.
        """
        weights = penalised(model, self.include_biases)
        if not weights or self.lam == 0.0:  # 0 times an infinite measure would be nan
            return Constant(0.0)
        penalty: Value = Constant(self.lam, "λ") * self.measure(weights)
        return penalty

    def __add__(self, other: Any) -> PenaltySum:
        if not isinstance(other, Penalty):
            return NotImplemented
        return PenaltySum(*_parts(self), *_parts(other))

    def __radd__(self, other: Any) -> Penalty:
        # sum([...]) starts from 0
        return self if isinstance(other, (int, float)) and other == 0 else NotImplemented

    def __repr__(self) -> str:
        biases = ", include_biases=True" if self.include_biases else ""
        return f"{type(self).__name__}({self.lam:g}{biases})"


class L1(Penalty):
    """λ Σ |w|, which brings weights of little use to 0, up to the last small step; the subgradient at 0 is 0.

    Parameters
    ----------
    lam, include_biases
        As for `Penalty`.

    Examples
    --------
    >>> w = [Value(3.0), Value(-4.0), Value(0.0)]
    >>> penalty = L1(0.5)(w)
    >>> penalty.backward()
    >>> penalty.data, [weight.grad for weight in w]
    (3.5, [0.5, -0.5, 0.0])
    """

    def measure(self, weights: list[Value]) -> Any:
        """Return Σ |w|."""
        return functions.sum([functions.abs(w) for w in weights])


class L2(Penalty):
    """λ Σ w², which shrinks large weights much and small ones little; one dot node, gradient 2λw.

    It is what a Gaussian prior of variance 1/(2λ) on each weight adds to the negative log-likelihood (MAP).

    Parameters
    ----------
    lam, include_biases
        As for `Penalty`.

    Examples
    --------
    >>> w = [Value(3.0), Value(-4.0)]
    >>> penalty = L2(0.5)(w)
    >>> penalty.backward()
    >>> penalty.data, [weight.grad for weight in w]
    (12.5, [3.0, -4.0])
    """

    def measure(self, weights: list[Value]) -> Any:
        """Return Σ w²."""
        return functions.dot(weights, weights)


class WeightElimination(Penalty):
    """λ Σ w²/(1 + w²), which shrinks small weights to 0 and hardly changes large ones; gradient 2λw/(1 + w²)².

    Parameters
    ----------
    lam, include_biases
        As for `Penalty`.

    Examples
    --------
    >>> w = [Value(1.0), Value(-3.0)]
    >>> penalty = WeightElimination(1.0)(w)
    >>> penalty.backward()
    >>> penalty.data, [round(weight.grad, 6) for weight in w]
    (1.4, [0.5, -0.06])
    """

    def measure(self, weights: list[Value]) -> Any:
        """Return Σ w²/(1 + w²), of any weight with all digits, as is its derivative."""
        return functions.sum([_eliminated(w) for w in weights])


# Where one form of the formula takes over from the other: at a number that no weight is by chance, as the second
# derivative at the very point is that of neither.
_MEETING = 1.37


def _eliminated(w: Value) -> Value:
    """Return w²/(1 + w²) as it is for small weights, and as 1/(1 + 1/w²) for large ones: nothing overflows or cancels.

    That is n²/(n² + f²), where either f = 1 and n = w, or n is constant and f in proportion to 1/w.
    """
    near = functions.maximum(functions.minimum(w, _MEETING), -_MEETING)
    square, share = near * near, _MEETING / functions.maximum(_MEETING, functions.abs(w))
    eliminated: Value = square / (square + share * share)
    return eliminated


class PenaltySum(Penalty):
    """Several penalties, added up; made by ``+``.

    Examples
    --------
    >>> both = L1(0.5) + L2(0.25)
    >>> both, both([Value(2.0)]).data
    (L1(0.5) + L2(0.25), 2.0)
    """

    def __init__(self, *parts: Penalty) -> None:
        self.parts = parts

    def __call__(self, model: Module | Iterable[Value]) -> Value:
        """Return the sum of the penalties of a model, or of a list of its parameters."""
        if not isinstance(model, Module):
            model = list(model)  # each part goes through it
        return functions.sum([part(model) for part in self.parts])

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))


def _parts(penalty: Penalty) -> tuple[Penalty, ...]:
    return penalty.parts if isinstance(penalty, PenaltySum) else (penalty,)


def penalised(model: Module | Iterable[Value], include_biases: bool = False) -> list[Value]:
    """Return the weights of a model, or of a list of its parameters: what isn't a bias, a gain, or frozen.

    The parameter's name tells: its last word has "bias" in it, as in ``layers.0.neurons.2.bias`` and ``bias_ih.3``, or
    is "gain", as in ``gain.3``.

    Raises
    ------
    TypeError
        If it is neither a module nor a list of Values.

    Examples
    --------
    >>> from autograd_mini.nn import MLP
    >>> model = MLP(3, [5, 1])
    >>> len(penalised(model)), len(penalised(model, include_biases=True))
    (20, 26)
    """
    named = model.named_parameters() if isinstance(model, Module) else [(_label(value), value) for value in model]
    return [
        parameter for name, parameter in named if not parameter.is_frozen and (include_biases or not _is_bias(name))
    ]


def _label(thing: Any) -> str:
    if not isinstance(thing, Value):
        raise TypeError(f"expected a module or a list of its parameters, got {type(thing).__name__} in a list")
    return thing.label


def _is_bias(name: str) -> bool:
    word = _INDICES.sub("", name).rpartition(".")[2]
    return "bias" in word or word == "gain"
