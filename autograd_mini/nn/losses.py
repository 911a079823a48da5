"""Losses: how far predictions are from targets.

Each takes one prediction and one target, or a list of both; `reduction` says how the losses of a list become one.
They are made of operations of the table, so their graphs can be drawn and stepped through like any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd_mini.checks import checked
from autograd_mini.engine import functions
from autograd_mini.engine.further import MINUS_LOG_SOFTMAX
from autograd_mini.engine.graph import leaves
from autograd_mini.engine.node import FEATURE, PROBE
from autograd_mini.engine.reals import as_float
from autograd_mini.engine.signatures import pair_loss
from autograd_mini.engine.tracing import is_traced, one_of
from autograd_mini.engine.value import Constant, Parameter, Value
from autograd_mini.nn.nested import is_list

if TYPE_CHECKING:
    from autograd_mini.engine.signatures import Array, Number, PlainTargets, Reduction, Targets

Loss = Callable[..., Any]

# The logarithm of a probability is cut off at -100, as in PyTorch, so that a wrong certainty has a finite loss.
_SMALLEST_PROBABILITY = math.exp(-100.0)


@pair_loss
def squared_error(prediction: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ (t - a)².

    Parameters
    ----------
    prediction : Value or list of Value
        a.
    target : number or list of numbers
        t, as many as predictions.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If there are more predictions than targets or fewer, or none.

    Examples
    --------
    >>> squared_error(Value(3.0), 1.0).data
    4.0
    >>> squared_error([3.0, 5.0], [1.0, 1.0], reduction="mean")
    10.0
    """
    return _reduced([(t - a) ** 2 for a, t in _pairs_of(prediction, target)], reduction)


@pair_loss
def half_squared_error(prediction: Any, target: Any, reduction: str = "sum") -> Any:
    """Return ½ Σ (a - t)², whose derivative is just a - t.

    Parameters
    ----------
    prediction : Value or list of Value
        a.
    target : number or list of numbers
        t, as many as predictions.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If there are more predictions than targets or fewer, or none.

    Examples
    --------
    >>> half_squared_error(Value(3.0), 1.0).data
    2.0
    >>> half_squared_error([3.0, 5.0], [1.0, 1.0], reduction="mean")
    5.0
    """
    return 0.5 * _reduced([(a - t) ** 2 for a, t in _pairs_of(prediction, target)], reduction)


@pair_loss
def absolute_error(prediction: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ |a - t|, with the subgradient 0 at a = t.

    Parameters
    ----------
    prediction : Value or list of Value
        a.
    target : number or list of numbers
        t, as many as predictions.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If there are more predictions than targets or fewer, or none.

    Examples
    --------
    >>> absolute_error([Value(3.0), Value(-1.0)], [1.0, 1.0]).data
    4.0
    """
    return _reduced([functions.abs(a - t) for a, t in _pairs_of(prediction, target)], reduction)


@overload
def huber(
    prediction: Value | Sequence[Value], target: Targets, reduction: Reduction = ..., delta: float = ...
) -> Value: ...
@overload
def huber(prediction: PlainTargets, target: PlainTargets, reduction: Reduction = ..., delta: float = ...) -> float: ...  # type: ignore[overload-overlap]
@overload
def huber(prediction: Targets, target: Targets, reduction: Reduction = ..., delta: float = ...) -> Value: ...
def huber(prediction: Any, target: Any, reduction: str = "sum", delta: float = 1.0) -> Any:
    """Return Σ of ½ r² where |r| ≤ δ, else δ (|r| - ½ δ), of r = a - t: the derivative by r is never more than δ.

    Parameters
    ----------
    prediction : Value or list of Value
        a.
    target : number or list of numbers
        t, as many as predictions.
    reduction : {"sum", "mean"}
        How the losses of a list become one.
    delta : float
        δ, above 0.

    Raises
    ------
    ValueError
        If δ isn't a finite number above 0; if there are more predictions than targets or fewer, or none.

    Examples
    --------
    >>> huber(Value(0.5), 0.0).data, huber(Value(3.0), 0.0).data
    (0.125, 2.5)
    """
    delta = checked("delta", delta, above=0.0, advice="beyond it the loss is linear")
    losses = []
    for a, t in _pairs_of(prediction, target):
        distance = functions.abs(a - t)
        near = functions.minimum(distance, delta)  # both cases in one formula, without a branch on the data
        losses.append(near * (distance - 0.5 * near))
    return _reduced(losses, reduction)


@overload
def gaussian_nll(
    mean: Value | Sequence[Value],
    target: Targets,
    variance: Targets = ...,
    reduction: Reduction = ...,
    full: bool = ...,
    eps: float = ...,
) -> Value: ...
@overload
def gaussian_nll(  # type: ignore[overload-overlap]
    mean: PlainTargets,
    target: PlainTargets,
    variance: PlainTargets = ...,
    reduction: Reduction = ...,
    full: bool = ...,
    eps: float = ...,
) -> float: ...
@overload
def gaussian_nll(
    mean: Targets,
    target: Targets,
    variance: Targets = ...,
    reduction: Reduction = ...,
    full: bool = ...,
    eps: float = ...,
) -> Value: ...
def gaussian_nll(
    mean: Any, target: Any, variance: Any = 1.0, reduction: str = "sum", full: bool = False, eps: float = 1e-6
) -> Any:
    """Return Σ ½ (log v + (t - μ)²/v), minus the log-likelihood of t under N(μ, v) but for the constant ½ log 2π.

    With the variance at 1 it is `half_squared_error`: least squares is maximum likelihood. The convention is PyTorch's:
    v is the variance, not its logarithm, and is raised to `eps` where it is below; there its gradient is 0. Take
    ``softplus`` or ``exp`` of an output to make a variance.

    Parameters
    ----------
    mean : Value or list of Value
        μ.
    target : number or list of numbers
        t, as many as means.
    variance : Value, number or list of them
        v, at least 0; one for all, or one for each.
    reduction : {"sum", "mean"}
        How the losses of a list become one.
    full : bool
        Whether to add the constant.
    eps : float
        The smallest variance.

    Raises
    ------
    ValueError
        If a variance is below 0, or their number is wrong; if `eps` isn't above 0; if there are more means than targets
        or fewer, or none.

    Examples
    --------
    >>> gaussian_nll(Value(3.0), 1.0).data, round(gaussian_nll(Value(3.0), 1.0, variance=4.0).data, 6)
    (2.0, 1.193147)
    """
    eps = checked("eps", eps, above=0.0, advice="it keeps a division by 0 away")
    pairs = _pairs_of(mean, target)
    variances = list(variance) if is_list(variance) else [variance] * len(pairs)
    if len(variances) != len(pairs):
        raise ValueError(f"variance: expected one, or one for each of the {len(pairs)} means, got {len(variances)}")
    constant = 0.5 * math.log(2.0 * math.pi) if full else 0.0
    losses = []
    for (mu, t), v in zip(pairs, variances, strict=True):
        data = _known(v)
        if data is not None and not data >= 0.0:
            advice = "make one with softplus(output) or exp(output)"
            raise ValueError(f"gaussian_nll needs a variance of at least 0, got {data!r}; {advice}")
        v = functions.maximum(v, eps)
        loss = 0.5 * (functions.log(v) + (t - mu) ** 2 / v)
        losses.append(loss + constant if full else loss)
    return _reduced(losses, reduction)


@pair_loss
def hinge(score: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ max(0, 1 - t·s), for targets t of -1 and +1.

    Parameters
    ----------
    score : Value or list of Value
        s; its sign is the predicted class.
    target : number or list of numbers
        -1 or +1.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If a target is neither -1 nor +1, or the lengths differ.

    Examples
    --------
    >>> hinge(Value(0.25), 1).data, hinge(Value(-2.0), -1).data
    (0.75, 0.0)
    """
    pairs = _pairs_of(score, target)
    _check_order("hinge", "score", pairs)
    for _, t in pairs:
        if not isinstance(t, Value) and t not in (-1, 1):
            raise ValueError(f"the hinge loss needs targets of -1 and +1, got {t!r}; turn 0 and 1 into 2*y - 1")
    return _reduced([functions.relu(1.0 - t * s) for s, t in pairs], reduction)


@pair_loss
def binary_cross_entropy(probability: Any, target: Any, reduction: str = "sum") -> Any:
    """Return Σ -(t log p + (1-t) log(1-p)), for targets t from 0 to 1.

    Logarithms are cut off at -100, as in PyTorch. From a sigmoid it is better to take the logits: see
    `binary_cross_entropy_with_logits`.

    Parameters
    ----------
    probability : Value or list of Value
        p, from 0 to 1.
    target : number or list of numbers
        t, from 0 to 1.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If a probability or a target is outside of [0, 1], or the lengths differ.

    Examples
    --------
    >>> round(binary_cross_entropy(Value(0.5), 1).data, 6)
    0.693147
    """
    pairs = _pairs_of(probability, target)
    _check_order("binary_cross_entropy", "probability", pairs)
    for p, t in pairs:
        _check_unit("probability", p)
        _check_unit("target", t)
    return _reduced([-(t * _log(p) + (1.0 - t) * _log(1.0 - p)) for p, t in pairs], reduction)


def _known(number: Any) -> float | None:
    """Return the number to check, which of a node is its data; None of a traced node, whose number can't be used."""
    if is_traced(number):
        return None
    return number.data if isinstance(number, Value) else as_float(number)


def _check_order(loss: str, prediction: str, pairs: list[tuple[Any, Any]]) -> None:
    """Raise if a target can be trained and its prediction is a bare number: then they are the wrong way round."""
    for p, t in pairs:
        if isinstance(t, Value) and not isinstance(p, Value) and not is_traced(t) and _is_trained(t):
            raise ValueError(
                f"{loss}({prediction}, target) has the target second, but got the bare number {p!r:.30} as the "
                f"{prediction} and a computed Value as its target; swap them, or write target.data if it is meant so"
            )


def _is_trained(t: Value) -> bool:
    """Return whether a node is a parameter, or computed from other leaves than constants and inputs."""
    if not t.parents:
        return isinstance(t, Parameter)
    return any(leaf._local not in (FEATURE, PROBE) and not isinstance(leaf, Constant) for leaf in leaves(t))


def _log(p: Any) -> Any:
    return functions.log(functions.maximum(p, _SMALLEST_PROBABILITY))


def _check_unit(what: str, number: Any) -> None:
    data = _known(number)
    if data is not None and (data < 0.0 or data > 1.0):
        advice = "turn -1 and +1 into (t + 1) / 2"
        if what == "probability":
            advice = "take binary_cross_entropy_with_logits for logits"
        raise ValueError(f"binary cross-entropy needs a {what} from 0 to 1, got {data!r}; {advice}")


@pair_loss
def binary_cross_entropy_with_logits(logit: Any, target: Any, reduction: str = "sum") -> Any:
    """Return the binary cross-entropy of p = σ(z), without computing p: t·softplus(-z) + (1-t)·softplus(z).

    Parameters
    ----------
    logit : Value or list of Value
        z, the pre-activation of the sigmoid.
    target : number or list of numbers
        t, from 0 to 1.
    reduction : {"sum", "mean"}
        How the losses of a list become one.

    Raises
    ------
    ValueError
        If a target is outside of [0, 1], or the lengths differ.

    Examples
    --------
    >>> binary_cross_entropy_with_logits(Value(-1000.0), 1).data
    1000.0
    """
    pairs = _pairs_of(logit, target)
    _check_order("binary_cross_entropy_with_logits", "logit", pairs)
    for _, t in pairs:
        _check_unit("target", t)
    terms = [t * functions.softplus(-z) + (1.0 - t) * functions.softplus(z) for z, t in pairs]
    return _reduced(terms, reduction)


@overload
def cross_entropy(
    logits: Sequence[Value] | Sequence[Sequence[Value]], target: Targets, reduction: Reduction = ...
) -> Value: ...
@overload
def cross_entropy(  # type: ignore[overload-overlap]
    logits: Sequence[Number] | Sequence[Sequence[Number]] | Array, target: PlainTargets, reduction: Reduction = ...
) -> float: ...
@overload
def cross_entropy(
    logits: Sequence[Value | Number] | Sequence[Sequence[Value | Number]] | Array,
    target: Targets,
    reduction: Reduction = ...,
) -> Value: ...
def cross_entropy(logits: Any, target: Any, reduction: str = "sum") -> Any:
    """Return -log softmax(z)ₜ = log Σ exp(zⱼ) - zₜ, for the class t, as one node: the difference would lose digits.

    Parameters
    ----------
    logits : list of Value, or list of lists of Value
        z, one for each class; or such a list for each example.
    target : int, or list of int
        t, counted from 0; or one for each example.
    reduction : {"sum", "mean"}
        How the losses of several examples become one.

    Raises
    ------
    ValueError
        If the target is no class, or there aren't as many targets as examples.

    Examples
    --------
    >>> cross_entropy([Value(1000.0), Value(0.0)], 0).data
    0.0
    >>> round(cross_entropy([[0.0, 0.0], [0.0, 0.0]], [0, 1], reduction="mean"), 6)
    0.693147
    """
    if not is_list(logits) or not len(logits):
        raise ValueError(f"cross_entropy needs a list of logits, one for each class, got {logits!r:.60}")
    examples, targets = (logits, target) if is_list(logits[0]) else ([logits], [target])
    if not is_list(targets) or len(examples) != len(targets):
        raise ValueError(f"expected one class for each of the {len(examples)} examples, got {targets!r:.60}")
    losses = [functions.call(MINUS_LOG_SOFTMAX, _class(t, len(z)), *z) for z, t in zip(examples, targets, strict=True)]
    return _reduced(losses, reduction)


def _class(target: Any, n_classes: int) -> Any:
    """Return the index of a class; a traced node as it is, of which the program demands that it is one."""
    if is_traced(target):
        return one_of(target, n_classes)
    is_number = isinstance(target, Value) and target._local in (FEATURE, PROBE)
    return _class_index(target.data if is_number else target, n_classes)


def _class_index(target: Any, n_classes: int) -> int:
    is_number = isinstance(target, (int, float, np.number, np.bool_, np.ndarray)) and np.ndim(target) == 0
    if not is_number or not 0 <= target < n_classes or not float(target).is_integer():
        raise ValueError(f"expected a class from 0 to {n_classes - 1}, got {target!r}")
    return int(target)


LOSSES: dict[str, Loss] = {
    loss.__name__: loss
    for loss in (
        *(squared_error, half_squared_error, absolute_error, huber, gaussian_nll),
        *(hinge, binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy),
    )
}


# -------------------------------------------------------------------------------------- what the losses share


def _pairs_of(prediction: Any, target: Any) -> list[tuple[Any, Any]]:
    """Return predictions with their targets, from two numbers or two lists of the same length."""
    if not is_list(prediction) and not is_list(target):
        return [(prediction, target)]
    predictions, targets = [list(part) if is_list(part) else [part] for part in (prediction, target)]
    if len(predictions) != len(targets):
        raise ValueError(f"expected one target for each prediction, got {len(predictions)} and {len(targets)}")
    if not predictions:
        raise ValueError("the loss of no predictions at all isn't defined; expected at least one")
    if any(is_list(part) for part in [*predictions, *targets]):
        raise ValueError("expected numbers or flat lists of them, got lists in lists; flatten both")
    return list(zip(predictions, targets, strict=True))


def _reduced(losses: Sequence[Any], reduction: str) -> Any:
    """Return the sum or the mean of losses as one."""
    if reduction not in ("sum", "mean"):
        raise ValueError(f"expected reduction 'sum' or 'mean', got {reduction!r}")
    total = losses[0] if len(losses) == 1 else functions.sum(losses)
    return total / len(losses) if reduction == "mean" and len(losses) > 1 else total
