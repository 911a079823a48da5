"""`Optimizer`, what the rules have in common: the parameters, the learning rate, the step, and a state to save.

A rule is written once, as ``update(data, grad)``: all parameters of a network are one flat array to it, and it works as
well on two plain numbers. What it remembers from step to step is in ``state``.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd_mini.checks import Array, check_names, checked, checked_whole, number_for_each
from autograd_mini.elsewhere import tell
from autograd_mini.engine.freshness import assign
from autograd_mini.engine.value import Value
from autograd_mini.optim import schedules
from autograd_mini.optim.clipping import gradient_number, parameter_list
from autograd_mini.optim.schedules import Schedule
from autograd_mini.pickling import state_of

_LOG = logging.getLogger(__name__)

Rate = float | Callable[[int], float]


class Optimizer:
    """What optimizers have in common: the parameters, and the step from gradients to new data.

    A subclass defines ``update(data, grad)``, and ``initial_state()`` if it remembers something: numbers there become
    arrays of the shape of the data by themselves. The other arguments of its constructor are its hyperparameters: it
    keeps each under the argument's own name, so that they can be saved.

    Parameters
    ----------
    parameters : iterable of Value
        What to change, as in ``model.parameters()``.
    lr : float, Schedule, or function of the step
        The learning rate, above 0; or what gives it at each step, counted from 0.

    Attributes
    ----------
    lr : float
        The rate of the next step. A number or a schedule may be assigned to it.
    schedule : Schedule, function or None
        What gives the rate, if it isn't a number.
    steps : int
        How many steps have been taken.
    state : dict of str to number or array
        What the rule remembers from step to step. Clear it to start again without.

    Raises
    ------
    ValueError
        If there are no parameters, or the learning rate isn't a finite number above 0.
    TypeError
        If a parameter isn't a Value.

    Examples
    --------
    >>> class SignDescent(Optimizer):
    ...     def update(self, data, grad):
    ...         return data - self.lr * np.sign(grad)
    >>> x = Value(3.0)
    >>> optimizer = SignDescent([x], lr=schedules.Exponential(1.0, 0.5))
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (x * x).backward()
    ...     optimizer.step()
    >>> x.data, optimizer.steps, optimizer.lr
    (1.5, 2, 0.25)
    """

    # Of what in the state can't be below 0, the most that it may be; ∞ for sums and means of squares.
    _most: ClassVar[Mapping[str, float]] = {}

    def __init__(self, parameters: Iterable[Value], lr: Rate) -> None:
        if not isinstance(parameters, Iterable):
            raise TypeError(f"expected a list of parameters, as in model.parameters(), got {type(parameters).__name__}")
        self.parameters = parameter_list(parameters)
        if not self.parameters:
            raise ValueError("the optimizer got no parameters; pass model.parameters()")
        repeated = len(self.parameters) - len(set(self.parameters))
        if repeated:  # as of modules that share weights; PyTorch warns, too
            _LOG.warning(
                "%d of the optimizer's %d parameters are there already, and are stepped once: pass each once, as "
                "model.parameters() does, or list(dict.fromkeys(parameters))",
                repeated,
                len(self.parameters),
            )
        self.steps = 0
        self.lr = lr
        self.state: dict[str, Any] = {}

    @property
    def lr(self) -> float:
        """The learning rate of the next step, as a number."""
        return self._rate_at(self.steps)

    @lr.setter
    def lr(self, lr: Rate) -> None:
        self.schedule: Callable[[int], float] | None = None
        if callable(lr):
            self.schedule = lr
        else:
            self._lr = checked("lr", lr, above=0.0)

    def _rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        schedule = self.schedule
        if schedule is None:
            return self._lr
        return checked(f"the learning rate that {schedule!r} gives at step {step}", schedule(step), least=0.0)

    def initial_state(self) -> dict[str, float]:
        """Return the state before the first step; nothing, unless a rule defines it."""
        return {}

    def update(self, data: Any, grad: Any) -> Any:
        """Return the new data of the parameters from the old and the gradient, and bring the state forward.

        This is the bare rule: a schedule goes on only with `step` and `advance`.

        Parameters
        ----------
        data, grad : float or numpy.ndarray
            θ and ∇L, of one shape, the same at every call.

        Returns
        -------
        float or numpy.ndarray
            The new θ; `data` itself is left as it was.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update rule; define update(self, data, grad)")

    def advance(self, data: Any, grad: Any, present: Any = None) -> Any:
        """Take one step on arrays: the update, and the count that the schedule goes by.

        Parameters
        ----------
        data, grad : float or numpy.ndarray
            θ and ∇L of all parameters.
        present : numpy.ndarray of bool, optional
            Which of them have a gradient; the others keep their data, and their state too. All, if left out.

        Returns
        -------
        float or numpy.ndarray
            The new θ.
        """
        self.state = self.initial_state() | self.state
        with np.errstate(all="ignore"):
            if present is None:
                new = self.update(data, grad)
            else:
                before = {name: np.copy(entry) for name, entry in self.state.items()}
                new = np.where(present, self.update(data, grad), data)
                for name, entry in self.state.items():
                    self.state[name] = np.where(present, entry, before.get(name, 0.0))
        self.steps += 1
        return new

    def step(self, gradient: Any = None, parameters: Iterable[Value] | None = None) -> None:
        """Change every parameter by the rule, from its present gradient or from one that is given.

        As in PyTorch, a parameter that is frozen or whose gradient is None is left alone: no momentum moves it and no
        decay shrinks it.

        Parameters
        ----------
        gradient : array_like of shape (P,), optional
            A number for each parameter in the place of its ``.grad``, which stays as it is: what a program's
            ``value_and_grad`` returns.
        parameters : iterable of Value, optional
            By what the gradient was taken, as in ``step(gradient, program.parameters)``; the optimizer's, in their
            order, if left out. The optimizer's others, on which the value didn't depend, have the gradient 0 (those
            whose ``.grad`` is None are left alone). What is none of the optimizer's isn't changed.

        Raises
        ------
        ValueError
            If there isn't a number for each of the parameters, or none of them is the optimizer's. Nothing has been
            changed then.

        Examples
        --------
        >>> from autograd_mini.optim import SGD
        >>> a, b = Value(1.0), Value(2.0)
        >>> optimizer = SGD([a, b], lr=0.5)
        >>> optimizer.step([2.0, 4.0])
        >>> optimizer.step([1.0], [b])
        >>> a.data, b.data
        (0.0, -0.5)
        """
        own = self.parameters
        if gradient is None:
            grads = np.array([gradient_number(parameter) for parameter in own])
            has_gradient = [parameter.grad is not None for parameter in own]
        else:
            grads, has_gradient = self._given(gradient, parameters)
        present = np.array([has and not p.is_frozen for has, p in zip(has_gradient, own, strict=True)])
        new = self.advance(np.array([p._data for p in own]), grads, None if present.all() else present)
        assign(own, new.tolist())

    def _given(self, gradient: Any, parameters: Iterable[Value] | None) -> tuple[Array, list[bool]]:
        """Return a gradient as one by the optimizer's parameters, and which of them have any."""
        own, name = self.parameters, "the optimizer's parameters" if parameters is None else "the parameters given"
        by = own if parameters is None else parameter_list(parameters)
        advice = "say by what it was taken, as in step(gradient, program.parameters)"
        array = number_for_each("gradient", gradient, len(by), name, advice)
        if by == own:
            return array, [True] * len(own)
        found = dict(zip(by, array.tolist(), strict=True))
        if found.keys().isdisjoint(own):
            raise ValueError(
                f"gradient: none of the {len(by)} parameters by which it was taken is one of the optimizer's "
                f"{len(own)}; make the optimizer with the parameters of the model that the program computes"
            )
        return np.array([found.get(p, 0.0) for p in own]), [p in found or p.grad is not None for p in own]

    def __getstate__(self) -> dict[str, Any]:
        return state_of(self)

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set the gradient of every parameter to 0; one that is None stays None.

        Parameters
        ----------
        set_to_none : bool, optional
            Whether to set them to None, as PyTorch does unless told otherwise: then `step` leaves alone what the next
            loss doesn't depend on.
        """
        for parameter in self.parameters:
            if set_to_none or parameter.grad is not None:
                parameter.grad = None if set_to_none else 0.0

    # ------------------------------------------------------------------------------------------------- state

    def hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters under the names of the constructor's arguments; `lr` as it was given.

        Examples
        --------
        >>> Optimizer([Value(1.0)], lr=0.1).hyperparameters()
        {'lr': 0.1}
        """
        names = [name for name in inspect.signature(type(self)).parameters if name != "parameters"]
        hidden = [name for name in names if not hasattr(self, name)]
        if hidden:
            kind = type(self).__name__
            raise TypeError(f"{kind} doesn't keep its arguments {hidden} as attributes; write self.{hidden[0]} = …")
        given = {name: getattr(self, name) for name in names}
        return given if self.schedule is None else given | {"lr": self.schedule}

    def state_dict(self) -> dict[str, Any]:
        """Return all that going on later needs beside the parameters' data, as copies.

        Returns
        -------
        dict
            ``optimizer``, the name of the rule; ``steps``; ``hyperparameters``, plain numbers and, for a schedule, its
            dictionary; ``state``, an array for each thing that the rule remembers. A learning rate that is a function
            and no `Schedule` is left out: give it anew to the optimizer that loads.

        Examples
        --------
        >>> Optimizer([Value(1.0)], lr=0.1).state_dict()
        {'optimizer': 'Optimizer', 'steps': 0, 'hyperparameters': {'lr': 0.1}, 'state': {}}
        """
        given = self.hyperparameters()
        if isinstance(self.schedule, Schedule):
            given["lr"] = self.schedule.to_dict()
        elif self.schedule is not None:
            del given["lr"]
        return {
            "optimizer": type(self).__name__,
            "steps": self.steps,
            "hyperparameters": given,
            "state": {name: np.array(entry) for name, entry in (self.initial_state() | self.state).items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` of an optimizer of the same rule and number of parameters returned.

        Parameters
        ----------
        state : mapping
            As from `state_dict`.

        Raises
        ------
        ValueError
            If it is another rule's, its arrays have another length, or a name or a number in it is wrong. Nothing has
            been changed then.
        """
        kind = type(self).__name__
        check_names(f"the state of {kind}", state, ["optimizer", "steps", "hyperparameters", "state"])
        if state["optimizer"] != kind:
            raise ValueError(
                f"expected the state of {kind}, got that of {state['optimizer']}; make an optimizer of its kind"
            )
        steps = checked_whole("steps", state["steps"], least=0)
        if not isinstance(state["hyperparameters"], Mapping):
            raise ValueError(f"the hyperparameters of {kind}: expected a mapping, got {state['hyperparameters']!r:.60}")
        given = dict(state["hyperparameters"])
        own = self.hyperparameters()
        given.setdefault("lr", own["lr"])
        if isinstance(given["lr"], Mapping):
            given["lr"] = schedules.from_dict(given["lr"])
        check_names(f"the hyperparameters of {kind}", given, list(own))
        fresh = type(self)(self.parameters, **given)  # checks them
        if not isinstance(state["state"], Mapping):
            raise ValueError(f"the arrays of {kind}: expected a mapping of names, got {state['state']!r:.60}")
        if fresh.initial_state():
            check_names(f"the arrays of {kind}", state["state"], list(fresh.initial_state()))
        for name, entry in state["state"].items():
            fresh.state[name] = _state_entry(name, entry, len(self.parameters), self._most.get(name))
        fresh.steps = steps
        fresh.lr  # noqa: B018 (a schedule says whether it knows this step)
        self.__dict__.update(vars(fresh))

    def __repr__(self) -> str:
        n = len(self.parameters)
        given = ", ".join(f"{name}={thing!r}" for name, thing in self.hyperparameters().items())
        return f"{type(self).__name__}({n} parameter{'' if n == 1 else 's'}, {given})"


tell(Optimizer, of="Optimizer")


def _state_entry(name: str, entry: Any, n: int, most: float | None) -> Any:
    """Return a number or an array of one number for each parameter, as a copy; from 0 to `most`, if that is given."""
    array = np.array(entry)
    if array.dtype.kind not in "iuf" or array.shape not in ((), (n,)):
        raise ValueError(
            f"{name}: expected {n} numbers, one for each parameter, got {array.dtype} of shape {array.shape}"
        )
    if most is not None and array[(array < 0) | (array > most)].size:
        raise ValueError(f"{name}: expected numbers from 0 to {most:g}, got {array[(array < 0) | (array > most)][0]:g}")
    return array if array.shape else array.item()
