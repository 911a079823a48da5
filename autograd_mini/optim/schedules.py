"""Learning-rate schedules: the rate as a function of the number of steps that the optimizer has taken.

A schedule is an immutable object that is called with the step, counted from 0: one step of the optimizer, whatever the
number of parameters. Give it to an optimizer in place of the number: ``SGD(parameters, lr=Exponential(0.1, 0.99))``.

=================== =========================================== =====================================================
schedule            rate at step t                              PyTorch's of the same formula
=================== =========================================== =====================================================
`Constant`          η                                           ``ConstantLR`` with a factor of 1
`Step`              η γ^⌊t / size⌋                              ``StepLR``
`Exponential`       η γᵗ                                        ``ExponentialLR``
`InverseTime`       η / (1 + k t)                               ``LambdaLR``; the ``lr_decay`` of ``Adagrad``
`Cosine`            η_min + ½ (η - η_min)(1 + cos(π t / T))     ``CosineAnnealingLR``, up to T
`Linear`            η + (η_end - η) t / T                       ``LinearLR``
`WarmUp`            a linear rise, then another schedule        ``SequentialLR`` of ``LinearLR`` and the other
=================== =========================================== =====================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar

from autograd_mini.checks import checked, checked_whole, named
from autograd_mini.elsewhere import missing

Check = Callable[[str, Any], Any]

SCHEDULES: dict[str, type[Schedule]] = {}  # every kind by its name

# What the arguments of schedules must be.
_RATE = partial(checked, above=0.0)
_AT_LEAST_0 = partial(checked, least=0.0)
_FACTOR = partial(checked, above=0.0, most=1.0)
_SHARE = partial(checked, least=0.0, most=1.0)
_STEPS = partial(checked_whole, least=1)


class Schedule:
    """What schedules have in common: they are called with a step, and can be written down as a dictionary.

    A subclass is a frozen dataclass that defines ``rate(step)``; `from_dict` then knows it by its name. Checks of its
    arguments may be given in the class statement, as in ``class Root(Schedule, lr=check)``: ``check("lr", lr)`` returns
    the number to keep, or raises. A plain function of the step may be used in the place of a schedule, but isn't saved
    with the optimizer.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Root(Schedule):
    ...     lr: float
    ...     def rate(self, step):
    ...         return self.lr / (1 + step) ** 0.5
    >>> Root(1.0)(3), from_dict({"kind": "Root", "lr": 2.0})
    (0.5, Root(lr=2.0))
    """

    _checks: ClassVar[dict[str, Check]] = {}

    def __init_subclass__(cls, **checks: Check) -> None:
        super().__init_subclass__()
        SCHEDULES[cls.__name__] = cls
        cls._checks = cls._checks | checks

    def __call__(self, step: int) -> float:
        """Return the learning rate at a step, counted from 0.

        Raises
        ------
        ValueError
            If the step is no whole number of at least 0.
        """
        return self.rate(checked_whole("step", step, least=0))

    def rate(self, step: int) -> float:
        """Return the learning rate at a step; every schedule has its own."""
        raise NotImplementedError(f"{type(self).__name__} has no rate; define rate(self, step)")

    def to_dict(self) -> dict[str, Any]:
        """Return the schedule as a dictionary of names and numbers, for JSON; `from_dict` makes it anew.

        Examples
        --------
        >>> Exponential(0.1, 0.99).to_dict()
        {'kind': 'Exponential', 'lr': 0.1, 'gamma': 0.99}
        """
        entries = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        plain = {name: part.to_dict() if isinstance(part, Schedule) else part for name, part in entries.items()}
        return {"kind": type(self).__name__, **plain}

    def __post_init__(self) -> None:
        for name, check in self._checks.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))  # a frozen dataclass allows it only so


@dataclass(frozen=True)
class Constant(Schedule, lr=_RATE):
    """The same rate at every step: η.

    Parameters
    ----------
    lr : float
        η, above 0.

    Examples
    --------
    >>> Constant(0.1)(1000)
    0.1
    """

    lr: float

    def rate(self, step: int) -> float:
        """Return η."""
        return self.lr


@dataclass(frozen=True)
class Step(Schedule, lr=_RATE, size=_STEPS, gamma=_FACTOR):
    """A rate that falls in steps: η γ^⌊t / size⌋.

    Parameters
    ----------
    lr : float
        η, the rate of the first `size` steps.
    size : int
        After how many steps it falls, each time; PyTorch's ``step_size``.
    gamma : float, optional
        γ, the factor by which it falls, above 0 and at most 1.

    Examples
    --------
    >>> schedule = Step(1.0, size=10, gamma=0.5)
    >>> schedule(0), schedule(9), schedule(10), schedule(25)
    (1.0, 1.0, 0.5, 0.25)
    """

    lr: float
    size: int
    gamma: float = 0.1

    def rate(self, step: int) -> float:
        """Return η γ^⌊t / size⌋."""
        return float(self.lr * self.gamma ** (step // self.size))


@dataclass(frozen=True)
class Exponential(Schedule, lr=_RATE, gamma=_FACTOR):
    """A rate that falls by the same factor at every step: η γᵗ.

    Parameters
    ----------
    lr : float
        η, the rate of the first step.
    gamma : float
        γ, above 0 and at most 1.

    Examples
    --------
    >>> Exponential(1.0, gamma=0.5)(3)
    0.125
    """

    lr: float
    gamma: float

    def rate(self, step: int) -> float:
        """Return η γᵗ."""
        return float(self.lr * self.gamma**step)


@dataclass(frozen=True)
class InverseTime(Schedule, lr=_RATE, decay=_AT_LEAST_0):
    """A rate that falls as one over the time: η / (1 + k t).

    Its sum has no bound and the sum of its squares has one, as stochastic gradient descent needs to converge
    (Robbins and Monro, 1951).

    Parameters
    ----------
    lr : float
        η, the rate of the first step.
    decay : float
        k, at least 0.

    Examples
    --------
    >>> InverseTime(1.0, decay=0.5)(6)
    0.25
    """

    lr: float
    decay: float

    def rate(self, step: int) -> float:
        """Return η / (1 + k t)."""
        return self.lr / (1.0 + self.decay * step)


@dataclass(frozen=True)
class Cosine(Schedule, lr=_RATE, steps=_STEPS, minimum=checked):
    """A rate that falls along half a cosine wave: η_min + ½ (η - η_min)(1 + cos(π t / T)), and η_min after step T.

    From Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), without the restarts.

    Parameters
    ----------
    lr : float
        η, the rate of the first step.
    steps : int
        T, the step at which the minimum is reached; PyTorch's ``T_max``.
    minimum : float, optional
        η_min, from 0 to `lr`; PyTorch's ``eta_min``.

    Examples
    --------
    >>> schedule = Cosine(1.0, steps=10, minimum=0.5)
    >>> schedule(0), round(schedule(5), 12), schedule(10), schedule(20)
    (1.0, 0.75, 0.5, 0.5)
    """

    lr: float
    steps: int
    minimum: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checked("minimum", self.minimum, least=0.0, most=self.lr)

    def rate(self, step: int) -> float:
        """Return the rate on the wave, or the minimum after it."""
        if step >= self.steps:
            return self.minimum
        return self.minimum + 0.5 * (self.lr - self.minimum) * (1.0 + math.cos(math.pi * step / self.steps))


@dataclass(frozen=True)
class Linear(Schedule, lr=_RATE, steps=_STEPS, end=_AT_LEAST_0):
    """A rate that changes along a line: η + (η_end - η) t / T, and η_end after step T.

    Parameters
    ----------
    lr : float
        η, the rate of the first step.
    steps : int
        T, the step at which the end is reached.
    end : float, optional
        η_end, at least 0.

    Examples
    --------
    >>> schedule = Linear(1.0, steps=4)
    >>> [schedule(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    lr: float
    steps: int
    end: float = 0.0

    def rate(self, step: int) -> float:
        """Return the rate on the line, or its end after it."""
        return self.end if step >= self.steps else self.lr + (self.end - self.lr) * step / self.steps


@dataclass(frozen=True)
class WarmUp(Schedule, steps=_STEPS, start=_SHARE):
    """A linear rise to the first rate of another schedule, which then begins: η₀ (s + (1 - s) t / T), then its own.

    From Goyal and others, "Accurate, large minibatch SGD" (2017). The first step has the rate s η₀.

    Parameters
    ----------
    schedule : Schedule
        What comes after; its step 0 is step T here.
    steps : int
        T, how many steps the rise takes.
    start : float, optional
        s, the share of η₀ that the rise begins with, from 0 to 1.

    Examples
    --------
    >>> schedule = WarmUp(Exponential(1.0, 0.5), steps=4, start=0.0)
    >>> [schedule(step) for step in range(7)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    schedule: Schedule
    steps: int
    start: float = 0.1

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, Schedule):
            raise TypeError(f"schedule: expected a Schedule, got {self.schedule!r}; for a number write Constant(...)")
        super().__post_init__()

    def rate(self, step: int) -> float:
        """Return the rate on the rise, or that of the schedule after it."""
        if step >= self.steps:
            return self.schedule.rate(step - self.steps)
        return self.schedule.rate(0) * (self.start + (1.0 - self.start) * step / self.steps)


def from_dict(entries: Mapping[str, Any]) -> Schedule:
    """Return the schedule that a dictionary from `Schedule.to_dict` describes.

    Parameters
    ----------
    entries : mapping
        The name of the kind under "kind", and its arguments.

    Raises
    ------
    ValueError
        If no schedule has the name, or the arguments are not its own or out of range.

    Examples
    --------
    >>> from_dict({"kind": "Exponential", "lr": 0.1, "gamma": 0.99})
    Exponential(lr=0.1, gamma=0.99)
    """
    if not isinstance(entries, Mapping) or "kind" not in entries:
        raise ValueError(f"expected a dictionary with the name of the schedule under 'kind', got {entries!r:.80}")
    kind = named("schedule", entries["kind"], SCHEDULES)
    arguments = {name: entry for name, entry in entries.items() if name != "kind"}
    inner = {name: from_dict(entry) for name, entry in arguments.items() if isinstance(entry, Mapping)}
    try:
        return kind(**arguments | inner)
    except TypeError:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        raise ValueError(f"{kind.__name__}: expected the arguments {names}, got {list(arguments)}") from None


def __getattr__(name: str) -> Any:
    raise missing(__name__, name)
