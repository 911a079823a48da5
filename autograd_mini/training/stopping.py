"""Stopping rules: when a training is over before its last epoch.

A rule is asked after every epoch: ``should_stop(epoch, loss, parameters)``. Its ``monitor`` says which loss it wants to
be told, under the name that `History` has for it. When it says stop, ``restore(parameters)`` gives it the chance to put
better parameters in place; one with ``restore_best`` gets it whatever ended the training. What it remembers can be
saved, so that a training that goes on later stops where it would have stopped; for another training it is forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd_mini.checks import (
    Array,
    check_names,
    checked,
    checked_choice,
    checked_flag,
    checked_whole,
    is_number,
    is_whole,
)
from autograd_mini.engine.value import Value
from autograd_mini.optim.clipping import grad_norm


class StoppingRule:
    """What stopping rules have in common; a rule of one's own defines ``should_stop``.

    Attributes
    ----------
    monitor : str
        Which number the rule is told: "loss", "validation_loss" or the name of a metric.
    looks_at_parameters : bool
        Whether the rule needs the parameters as they are. A class whose ``should_stop`` goes by the loss alone may say
        that it doesn't: short epochs take less time where no rule does, as the parameters' numbers aren't written into
        each of them after every epoch then, but twenty times a second and at the end.

    Examples
    --------
    >>> class GoodEnough(StoppingRule):
    ...     def should_stop(self, epoch, loss, parameters):
    ...         return loss < 0.1
    >>> GoodEnough().should_stop(1, 0.05, [])
    True
    """

    monitor = "loss"
    looks_at_parameters = True
    _remembered: ClassVar[Mapping[str, Any]] = {}  # the attributes that are the state, and what they are at first
    _training: Any = None  # the history of the training that it last took part in

    def __init_subclass__(cls, **options: Any) -> None:
        """Take a rule that is written anew for one that looks at the parameters, unless its class says otherwise."""
        super().__init_subclass__(**options)
        if "should_stop" in vars(cls) and "looks_at_parameters" not in vars(cls):
            cls.looks_at_parameters = True

    def should_stop(self, epoch: int, loss: float, parameters: Sequence[Value]) -> bool:
        """Return whether to stop, after an epoch.

        Parameters
        ----------
        epoch : int
            How many epochs are done.
        loss : float
            The loss of this one that `monitor` names.
        parameters : sequence of Value
            As they are now, with the gradients of the last batch.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no rule; define should_stop(self, epoch, loss, parameters)"
        )

    def reason(self, loss: float) -> str:
        """Return why it has stopped a training, in words that go on after what `monitor` names."""
        if math.isnan(loss):
            return "is nan, which is never an improvement; detect_anomaly() finds where it begins"
        return f"is {loss:g}"

    def restore(self, parameters: Sequence[Value]) -> None:
        """Put better parameters in place, after a training; does nothing unless a rule says so.

        Of a rule that has stopped the training it is called, and of the first one with ``restore_best``.
        """

    def reset(self) -> None:
        """Forget what it remembers: a `Trainer` calls it where the rule was another one's before, as Keras does."""
        vars(self).update(self._remembered)

    def belong_to(self, training: Any) -> bool:
        """Take part in a training, which its history stands for; return whether another one had to be forgotten."""
        is_others = self._training is not None and self._training is not training
        if is_others:
            self.reset()
        self._training = training
        return is_others

    def state_dict(self) -> dict[str, Any]:
        """Return what the rule remembers: numbers, None, and arrays."""
        return {name: _copied(getattr(self, name)) for name in self._remembered}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` of a rule of the same kind returned.

        Raises
        ------
        ValueError
            If a name is missing or unknown, or what it stands for is of another kind. Nothing has been changed then.
        """
        check_names(f"the state doesn't fit {type(self).__name__}", state, self._remembered)
        entries = {name: _copied(state[name]) for name in self._remembered}
        for name, entry in entries.items():
            if name in _KINDS and not _KINDS[name][1](entry):
                raise ValueError(f"{name}: expected {_KINDS[name][0]}, got {entry!r:.60}")
        for name, entry in entries.items():
            setattr(self, name, entry)


class EarlyStopping(StoppingRule):
    """Stop when the validation loss has not improved for some epochs, and go back to the best of them.

    A `Trainer` goes back also where the epochs are used up, or another rule or Ctrl-C ends the training. An epoch
    improves if its loss < best - δ; of what is better when greater, if it is > best + δ. From Prechelt, "Early
    stopping, but when?" (1998); the arguments are those of Keras.

    Parameters
    ----------
    patience : int, optional
        How many epochs in a row may be without improvement; at the last of them it stops.
    min_delta : float, optional
        δ, at least 0.
    restore_best : bool, optional
        Whether to keep the parameters of the best epoch and put them back.
    mode : str, optional
        Whether less ("min") or more ("max") of what `monitor` names is better; "auto" knows it of losses and of the
        library's metrics.

    Attributes
    ----------
    best_epoch : int or None
        The epoch of the lowest loss so far, or of the best of what `monitor` names.
    best_loss : float
        That number; infinite before the first epoch.
    waited : int
        How many epochs ago that was.
    best_parameters : numpy.ndarray or None
        The parameters then, if `restore_best`.

    Raises
    ------
    ValueError
        If `patience` isn't a whole number of at least 1, or `min_delta` a finite number of at least 0, or `mode` none
        of the three. When asked: if it is "auto" and `monitor` names a metric of one's own.

    Examples
    --------
    >>> stopping, x = EarlyStopping(patience=2), Value(0.0)
    >>> for epoch, loss in enumerate([0.5, 0.3, 0.4, 0.6, 0.2], start=1):
    ...     x.data = float(epoch)
    ...     if stopping.should_stop(epoch, loss, [x]):
    ...         break
    >>> epoch, stopping.best_epoch, stopping.best_loss
    (4, 2, 0.3)
    >>> stopping.restore([x])
    >>> x.data
    2.0
    """

    monitor = "validation_loss"
    _remembered: ClassVar = {"best_epoch": None, "best_loss": math.inf, "waited": 0, "best_parameters": None}

    def __init__(
        self, patience: int = 10, min_delta: float = 0.0, restore_best: bool = True, mode: str = "auto"
    ) -> None:
        self.patience = checked_whole("patience", patience, least=1)
        self.min_delta = checked("min_delta", min_delta, least=0.0)
        self.restore_best = checked_flag("restore_best", restore_best)
        self.mode = checked_choice("mode", mode, ("auto", "min", "max"))
        self.best_epoch: int | None = None
        self.best_loss = math.inf
        self.waited = 0
        self.best_parameters: Array | None = None

    def should_stop(self, epoch: int, loss: float, parameters: Sequence[Value]) -> bool:
        """Return whether `patience` epochs have brought no improvement; a loss of nan is none."""
        sign = self.sign()
        best = math.inf if self.best_epoch is None else sign * self.best_loss
        if sign * loss < best - self.min_delta:
            self.best_epoch, self.best_loss, self.waited = epoch, float(loss), 0
            if self.restore_best:
                self.best_parameters = np.array([parameter.data for parameter in parameters])
        else:
            self.waited += 1
        return self.waited >= self.patience

    def sign(self) -> int:
        """Return 1 where less of what `monitor` names is better, -1 where more is."""
        if self.mode != "auto":
            return -1 if self.mode == "max" else 1
        if self.monitor not in _SIGNS:
            raise ValueError(
                f"{self!r} watches {self.monitor!r}: say whether less or more of it is better, by mode='min' or "
                f"mode='max'"
            )
        return _SIGNS[self.monitor]

    def restore(self, parameters: Sequence[Value]) -> None:
        """Put the parameters of the best epoch in place, if there was one and they were to be kept.

        Raises
        ------
        ValueError
            If there are more parameters now than there were, or fewer.
        """
        if self.best_parameters is None:
            return
        if len(parameters) != len(self.best_parameters):
            raise ValueError(
                f"expected the {len(self.best_parameters)} parameters of the best epoch, got {len(parameters)}; "
                f"pass the same list as to should_stop"
            )
        for parameter, number in zip(parameters, self.best_parameters.tolist(), strict=True):
            parameter.data = number

    def __repr__(self) -> str:
        mode = "" if self.mode == "auto" else f", mode={self.mode!r}"
        return (
            f"EarlyStopping(patience={self.patience}, min_delta={self.min_delta:g}, restore_best={self.restore_best}"
            f"{mode})"
        )


class LossTolerance(StoppingRule):
    """Stop when the training loss hardly falls any more: for some epochs in a row not by `tol` below the lowest so far.

    As the ``tol`` and ``n_iter_no_change`` of scikit-learn's ``MLPClassifier``: unlike in `EarlyStopping` a small fall
    counts for the lowest loss, so that ever so many small ones together don't put off the end.

    Parameters
    ----------
    tol : float, optional
        By how much an epoch must bring the loss down to count, at least 0.
    patience : int, optional
        How many epochs in a row may bring less; at the last of them it stops.

    Attributes
    ----------
    best_loss : float
        The lowest loss so far.
    waited : int
        How many epochs in a row have brought less.

    Raises
    ------
    ValueError
        If `tol` isn't a finite number of at least 0, or `patience` a whole number of at least 1.

    Examples
    --------
    >>> rule = LossTolerance(tol=0.1, patience=2)
    >>> [rule.should_stop(epoch, loss, []) for epoch, loss in enumerate([1.0, 0.5, 0.45, 0.4], start=1)]
    [False, False, False, True]
    """

    looks_at_parameters = False
    _remembered: ClassVar = {"best_loss": math.inf, "waited": 0}

    def __init__(self, tol: float = 1e-4, patience: int = 10) -> None:
        self.tol = checked("tol", tol, least=0.0)
        self.patience = checked_whole("patience", patience, least=1)
        self.best_loss = math.inf
        self.waited = 0

    def should_stop(self, epoch: int, loss: float, parameters: Sequence[Value]) -> bool:
        """Return whether `patience` epochs in a row have brought less than `tol`; a loss of nan brings nothing."""
        self.waited = 0 if loss < self.best_loss and loss <= self.best_loss - self.tol else self.waited + 1
        if loss < self.best_loss:
            self.best_loss = float(loss)
        return self.waited >= self.patience

    def __repr__(self) -> str:
        return f"LossTolerance(tol={self.tol:g}, patience={self.patience})"


class GradientNorm(StoppingRule):
    """Stop where the ground is flat: when the norm of the gradient ‖∇L‖ ≤ tol.

    The gradient is the one that the parameters hold: that of the last batch. It wants ``batch_size=None``, with which
    it is that of all examples.

    Parameters
    ----------
    tol : float, optional
        At least 0.

    Attributes
    ----------
    norm : float or None
        The norm when last asked.

    Raises
    ------
    ValueError
        If `tol` isn't a finite number of at least 0.

    Examples
    --------
    >>> x = Value(0.25)
    >>> (x * x).backward()
    >>> GradientNorm(tol=0.5).should_stop(1, 0.0625, [x]), GradientNorm(tol=0.1).should_stop(1, 0.0625, [x])
    (True, False)
    """

    _remembered: ClassVar = {"norm": None}

    def __init__(self, tol: float = 1e-4) -> None:
        self.tol = checked("tol", tol, least=0.0)
        self.norm: float | None = None

    def should_stop(self, epoch: int, loss: float, parameters: Sequence[Value]) -> bool:
        """Return whether the norm of the parameters' gradients is at most `tol`; a norm of nan isn't.

        Raises
        ------
        ValueError
            If no parameter has a gradient.
        """
        if all(parameter.grad is None for parameter in parameters):
            raise ValueError(
                "GradientNorm needs the gradients of the last batch, got none; ask before they are dropped"
            )
        self.norm = grad_norm(parameters)
        return self.norm <= self.tol

    def __repr__(self) -> str:
        return f"GradientNorm(tol={self.tol:g})"


# Of which numbers less is better (1), and of which more (-1).
_SIGNS = {"loss": 1, "validation_loss": 1, "mean_squared_error": 1, "log_loss": 1, "accuracy": -1, "r2_score": -1}


def _are_weights(thing: Any) -> bool:
    return isinstance(thing, np.ndarray) and thing.ndim == 1 and thing.dtype.kind in "iuf" and not np.isnan(thing).any()


# What the library's own rules remember, and of which kind it is.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "best_epoch": ("a number of epochs, or None", lambda thing: thing is None or is_whole(thing, least=1)),
    "best_loss": ("a number", lambda thing: is_number(thing) and not math.isnan(thing)),
    "waited": ("a number of epochs", lambda thing: is_whole(thing, least=0)),
    "norm": ("a number, or None", lambda thing: thing is None or is_number(thing)),
    "best_parameters": ("numbers, or None", lambda thing: thing is None or _are_weights(thing)),
}


def _copied(thing: Any) -> Any:
    """Return numbers and None as they are, arrays as copies; an array of one number, as files have it, is a number."""
    if not isinstance(thing, (np.ndarray, list)):
        return thing
    array = np.array(thing)
    return array if array.ndim else array.item()


def stopping_rules(stopping: Any, recorded: Sequence[str]) -> list[StoppingRule]:
    """Return the stopping rules as a list, and refuse those that watch what isn't recorded."""
    rules = [stopping] if isinstance(stopping, StoppingRule) else list(stopping or ())
    for rule in rules:
        if not isinstance(rule, StoppingRule):
            raise TypeError(f"stopping: expected rules such as EarlyStopping(patience=10), got {rule!r:.60}")
        if rule.monitor == "validation_loss" and rule.monitor not in recorded:
            raise ValueError(f"{rule!r} watches the validation loss; pass validation=(X, y)")
        if rule.monitor not in recorded:
            raise ValueError(
                f"{rule!r} watches {rule.monitor!r}, which isn't recorded; choose of {', '.join(recorded)}"
            )
        if isinstance(rule, EarlyStopping):
            rule.sign()  # raises where it can't tell what is better
        if isinstance(rule, LossTolerance) and _SIGNS.get(rule.monitor) == -1:
            raise ValueError(
                f"{rule!r} waits until a number falls no more, and {rule.monitor!r} is better when greater; take "
                f"EarlyStopping"
            )
    return rules
