"""What all optimizers have from `Optimizer`: parameters left alone, the learning rate, a state that can be saved."""

import json
import math
import pickle

import numpy as np
import pytest
from walking import BUSY, START, data, values, walk

from autograd_mini import Value
from autograd_mini.engine.value import Parameter
from autograd_mini.nn.freezing import freeze, unfreeze
from autograd_mini.optim import schedules
from autograd_mini.optim.base import Optimizer
from autograd_mini.optim.rules import SGD, Adam

# ----------------------------------------------------------------------------------------- parameters left alone


@pytest.mark.parametrize(("kind", "settings"), BUSY)
def test_a_frozen_parameter_gets_no_update_and_keeps_its_state(kind, settings):
    still, moving = Parameter(1.0), Parameter(1.0)
    optimizer = kind([still, moving], **settings)
    still.grad = moving.grad = 2.0
    optimizer.step()
    place, state = still.data, {name: np.copy(entry) for name, entry in optimizer.state.items()}
    freeze(still)
    for _ in range(3):
        moving.grad = 1.0
        optimizer.step()
    assert still.data == place
    for name, entry in optimizer.state.items():
        before = state[name]
        assert np.ravel(entry)[0] == np.ravel(before)[0], name
    assert moving.data not in (place, 1.0)
    unfreeze(still)
    still.grad = 1.0
    optimizer.step()
    assert still.data != place


def test_zero_grad_leaves_a_gradient_that_is_none():
    x, y = Value(1.0), Value(1.0)
    x.grad, y.grad = None, 3.0
    optimizer = SGD([x, y], lr=0.5, weight_decay=1.0)
    optimizer.zero_grad()
    assert (x.grad, y.grad) == (None, 0.0)
    optimizer.step()
    assert (x.data, y.data) == (1.0, 0.5)


def test_no_parameters_or_the_wrong_ones():
    with pytest.raises(ValueError, match=r"the optimizer got no parameters; pass model.parameters\(\)"):
        Adam([])
    with pytest.raises(TypeError, match="expected parameters that are Values, got float"):
        Adam([Value(1.0), 2.0])
    with pytest.raises(TypeError, match=r"expected a list of parameters, as in model.parameters\(\), got Value"):
        Adam(Value(1.0))


def test_a_parameter_that_is_given_twice_is_told_and_stepped_once(caplog):
    x, y = Parameter(3.0), Parameter(1.0)
    optimizer = SGD([x, y, x], lr=0.5)
    assert "1 of the optimizer's 3 parameters are there already, and are stepped once: pass each once" in caplog.text
    (x * y).backward()
    optimizer.step()
    assert (x.data, y.data) == (2.5, -0.5)


def test_an_optimizer_without_a_rule_says_so():
    with pytest.raises(NotImplementedError, match="Optimizer has no update rule; define update"):
        Optimizer([Value(1.0)], lr=0.1).step()


# ------------------------------------------------------------------------------------------ the learning rate


def test_a_schedule_goes_on_once_for_each_step_whatever_the_number_of_parameters():
    optimizer = SGD(values(), lr=schedules.Linear(1.0, steps=4))
    seen = []
    for _ in range(5):
        seen.append(optimizer.lr)
        optimizer.step()
    assert seen == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert optimizer.steps == 5


def test_the_rate_of_the_schedule_is_the_rate_of_the_step():
    x = Value(0.0)
    optimizer = SGD([x], lr=lambda step: 10.0**-step)
    x.grad = -1.0
    for _ in range(3):
        optimizer.step()
    assert x.data == pytest.approx(1.11)


def test_a_rate_can_be_assigned():
    optimizer = SGD(values(), lr=schedules.Constant(0.5))
    assert optimizer.schedule == schedules.Constant(0.5)
    optimizer.lr = 0.25
    assert (optimizer.lr, optimizer.schedule) == (0.25, None)
    optimizer.lr = schedules.Exponential(1.0, 0.5)
    optimizer.step()
    assert optimizer.lr == 0.5
    with pytest.raises(ValueError, match=r"lr: expected a finite number above 0, got -1"):
        optimizer.lr = -1.0


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf, "0.1", None])
def test_a_schedule_that_gives_no_rate_is_found_out(rate):
    optimizer = SGD(values(), lr=lambda step: rate)
    with pytest.raises(
        ValueError, match=r"the learning rate that .* gives at step 0: expected a finite number at least 0"
    ):
        optimizer.step()


# ------------------------------------------------------------------------------------------ saved and continued


def through_json(state):
    """As a file would bring it back: JSON for the numbers, arrays beside it."""
    plain = {name: part for name, part in state.items() if name != "state"}
    return json.loads(json.dumps(plain)) | {"state": {name: array.copy() for name, array in state["state"].items()}}


@pytest.mark.parametrize("saved_after", [0, 1, 7])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(("kind", "settings"), BUSY)
def test_going_on_from_a_saved_state_equals_never_having_stopped(kind, settings, gaps, saved_after):
    whole = kind(values(), **settings)
    walk(whole, 30, gaps=gaps)
    first = kind(values(), **settings)
    walk(first, saved_after, gaps=gaps)
    state = through_json(first.state_dict())
    second = kind([Value(number) for number in data(first)])  # the hyperparameters come from the state
    second.load_state_dict(state)
    walk(first, 1)  # what was saved is a copy
    walk(second, 30 - saved_after, first=saved_after, gaps=gaps)
    assert data(second) == data(whole)
    assert second.steps == 30
    assert second.lr == whole.lr
    assert repr(second) == repr(whole)


def test_a_loaded_state_is_a_copy():
    optimizer, other = Adam(values()), Adam(values())
    walk(optimizer, 3)
    state = optimizer.state_dict()
    other.load_state_dict(state)
    for array in state["state"].values():
        array[...] = 0
    for name, entry in optimizer.state.items():
        assert np.array_equal(other.state[name], entry)
        assert np.all(entry != 0)


@pytest.mark.parametrize(("kind", "settings"), BUSY)
def test_a_pickled_optimizer_goes_on_the_same(kind, settings):
    optimizer = kind(values(), **settings)
    walk(optimizer, 3)
    other = pickle.loads(pickle.dumps(optimizer))
    walk(optimizer, 3)
    walk(other, 3)
    assert data(other) == data(optimizer)


@pytest.mark.parametrize(("kind", "settings"), BUSY)
def test_a_cleared_state_is_a_new_beginning(kind, settings):
    settings = {**settings, "lr": 0.01}
    used, new = kind(values(), **settings), kind(values(), **settings)
    walk(used, 5)
    used.state.clear()
    for parameter, number in zip(used.parameters, START, strict=True):
        parameter.data = number
    walk(used, 5)
    walk(new, 5)
    assert data(used) == data(new)


def test_a_rate_that_is_a_function_stays_that_of_the_optimizer_that_loads():
    optimizer = SGD(values(), lr=lambda step: 0.5 / (1 + step), momentum=0.5)
    walk(optimizer, 3)
    state = optimizer.state_dict()
    assert state["hyperparameters"] == {"momentum": 0.5, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
    other = SGD(values(), lr=lambda step: 1.0 / (1 + step))
    other.load_state_dict(state)
    assert (other.lr, other.momentum) == (0.25, 0.5)


def _without(name):
    return lambda state: state.pop(name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without("steps"), "the state of Adam: missing ['steps'], unknown nothing; expected ['optimizer', 'steps',"),
        (lambda s: s.update(more=1), "the state of Adam: missing nothing, unknown ['more']"),
        (
            lambda s: s.update(optimizer="SGD"),
            "expected the state of Adam, got that of SGD; make an optimizer of its kind",
        ),
        (lambda s: s.update(steps=-1), "steps: expected a whole number of at least 0, got -1"),
        (lambda s: s["hyperparameters"].pop("eps"), "the hyperparameters of Adam: missing ['eps'], unknown nothing"),
        (lambda s: s["hyperparameters"].update(eps=-1.0), "eps: expected a finite number at least 0, got -1.0"),
        (
            lambda s: s["hyperparameters"].update(lr={"kind": "No"}),
            "no schedule is named 'No'; choose one of Constant,",
        ),
        (lambda s: s["state"].pop("exp_avg"), "the arrays of Adam: missing ['exp_avg'], unknown nothing; expected"),
        (lambda s: s["state"].update(sum=1.0), "the arrays of Adam: missing nothing, unknown ['sum']"),
        (
            lambda s: s["state"].update(exp_avg=np.ones(4)),
            "exp_avg: expected 5 numbers, one for each parameter, got float64 of shape (4,)",
        ),
        (lambda s: s["state"].update(exp_avg="a"), "exp_avg: expected 5 numbers, one for each parameter, got <U1"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(spoil, message):
    optimizer = Adam(values(), lr=0.01)
    walk(optimizer, 3)
    before = optimizer.state_dict()
    state = Adam(values(), lr=0.5, betas=(0.1, 0.1)).state_dict()
    spoil(state)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        optimizer.load_state_dict(state)
    assert message in str(caught.value)
    after = optimizer.state_dict()
    assert {name: array.tolist() for name, array in after.pop("state").items()} == {
        name: array.tolist() for name, array in before.pop("state").items()
    }
    assert after == before


class Sluggish(Optimizer):
    """A rule of one's own that keeps nothing until it needs it."""

    def __init__(self, parameters, lr, inertia):
        super().__init__(parameters, lr)
        self.inertia = inertia

    def update(self, data, grad):
        mean = self.state["mean"] = self.inertia * self.state.get("mean", 0.0) + grad
        return data - self.lr * mean


def test_a_rule_of_ones_own_is_saved_too():
    optimizer = Sluggish(values(), 1e-4, inertia=0.5)
    walk(optimizer, 5)
    other = Sluggish([Value(number) for number in data(optimizer)], 1.0, inertia=0.0)
    other.load_state_dict(through_json(optimizer.state_dict()))
    walk(optimizer, 5)
    walk(other, 5)
    assert data(other) == data(optimizer)
    assert repr(other) == "Sluggish(5 parameters, lr=0.0001, inertia=0.5)"


def test_a_rule_of_ones_own_may_change_its_arrays_in_place():
    class Heavy(Optimizer):
        def update(self, data, grad):
            mean = self.state.setdefault("mean", np.zeros(len(data)))
            mean *= 0.5
            mean += grad
            return data - self.lr * mean

    x, y = Value(1.0), Value(1.0)
    optimizer = Heavy([x, y], lr=1.0)
    x.grad = y.grad = 1.0
    optimizer.step()
    x.grad = None
    optimizer.step()
    assert (x.data, y.data) == (0.0, -1.5)
    assert optimizer.state["mean"].tolist() == [1.0, 1.5]
    x.grad = 1.0
    optimizer.step()
    assert x.data == -1.5  # as the second step with a gradient, not the third
    y.grad = None
    optimizer.state.clear()
    optimizer.step()
    assert optimizer.state["mean"].tolist() == [1.0, 0.0]


def test_a_rule_of_ones_own_that_hides_an_argument_is_told():
    class Hiding(Optimizer):
        def __init__(self, parameters, lr, inertia):
            super().__init__(parameters, lr)
            self.mu = inertia

    with pytest.raises(
        TypeError, match=r"Hiding doesn't keep its arguments \['inertia'\] as attributes; write self.inertia"
    ):
        Hiding(values(), 0.1, 0.5).state_dict()
