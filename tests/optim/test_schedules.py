"""Learning-rate schedules against their formulas, by hand and by PyTorch's."""

import copy
import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
from walking import FIGURES as ALL_FIGURES
from walking import RECORDER

from autograd_mini.optim.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    Schedule,
    Step,
    WarmUp,
    from_dict,
)

FIGURES = ALL_FIGURES["schedules"]

ALL = [
    (Constant(0.5), "Constant(lr=0.5)"),
    (Step(0.5, 10, 0.25), "Step(lr=0.5, size=10, gamma=0.25)"),
    (Exponential(0.5, 0.9), "Exponential(lr=0.5, gamma=0.9)"),
    (InverseTime(0.5, 0.1), "InverseTime(lr=0.5, decay=0.1)"),
    (Cosine(0.5, 100, 0.1), "Cosine(lr=0.5, steps=100, minimum=0.1)"),
    (Linear(0.5, 100, 0.1), "Linear(lr=0.5, steps=100, end=0.1)"),
    (WarmUp(Cosine(0.5, 100), 20, 0.2), "WarmUp(schedule=Cosine(lr=0.5, steps=100, minimum=0.0), steps=20, start=0.2)"),
    (
        WarmUp(WarmUp(Constant(1.0), 3), 4),
        "WarmUp(schedule=WarmUp(schedule=Constant(lr=1.0), steps=3, start=0.1), steps=4, start=0.1)",
    ),
]
IDS = [text.split("(")[0] for _, text in ALL]
EACH = pytest.mark.parametrize("schedule", [schedule for schedule, _ in ALL], ids=IDS)


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (Constant(0.3), lambda t: 0.3),
        (Step(0.3, 7, 0.5), lambda t: 0.3 * 0.5 ** math.floor(t / 7)),
        (Exponential(0.3, 0.95), lambda t: 0.3 * 0.95**t),
        (InverseTime(0.3, 0.2), lambda t: 0.3 / (1 + 0.2 * t)),
        (Cosine(0.3, 30, 0.1), lambda t: 0.1 + 0.5 * 0.2 * (1 + math.cos(math.pi * min(t, 30) / 30))),
        (Linear(0.3, 30, 0.1), lambda t: 0.3 - 0.2 * min(t, 30) / 30),
        (Linear(0.1, 30, 0.3), lambda t: 0.1 + 0.2 * min(t, 30) / 30),
        (
            WarmUp(Exponential(0.3, 0.9), 10, 0.25),
            lambda t: 0.3 * (0.25 + 0.75 * t / 10) if t < 10 else 0.3 * 0.9 ** (t - 10),
        ),
    ],
    ids=lambda thing: type(thing).__name__ if isinstance(thing, Schedule) else "",
)
def test_the_formula(schedule, formula):
    for step in [*range(50), 10_000]:
        assert schedule(step) == pytest.approx(formula(step), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize(
    ("schedule", "step", "rate"),
    [
        (Step(1.0, 10, 0.5), 9, 1.0),
        (Step(1.0, 10, 0.5), 10, 0.5),
        (Step(1.0, 10), 30, 1e-3),
        (Exponential(8.0, 0.5), 3, 1.0),
        (Exponential(1.0, 0.5), 100_000, 0.0),
        (InverseTime(1.0, 1.0), 3, 0.25),
        (InverseTime(1.0, 0.0), 3, 1.0),
        (Cosine(1.0, 4), 0, 1.0),
        (Cosine(1.0, 4), 2, 0.5),
        (Cosine(1.0, 4), 4, 0.0),
        (Cosine(1.0, 4), 8, 0.0),  # stays: no restart
        (Linear(1.0, 4), 1, 0.75),
        (Linear(1.0, 4), 4, 0.0),
        (Linear(1.0, 4), 5, 0.0),
        (WarmUp(Constant(1.0), 4, 0.0), 0, 0.0),
        (WarmUp(Constant(1.0), 4, 0.0), 3, 0.75),
        (WarmUp(Constant(1.0), 4, 0.0), 4, 1.0),
        (WarmUp(Constant(1.0), 10), 0, 0.1),
    ],
)
def test_rates_by_hand(schedule, step, rate):
    assert schedule(step) == pytest.approx(rate, rel=1e-14, abs=1e-16)


def _made(entry):
    name, *arguments = entry
    return SCHEDULES[name](*[_made(part) if isinstance(part, list) else part for part in arguments])


@pytest.mark.parametrize(("ours", "name", "settings", "rates"), FIGURES, ids=[row[1] for row in FIGURES])
def test_the_rates_are_those_of_pytorch(ours, name, settings, rates):
    schedule = _made(ours)
    found = [schedule(step) for step in RECORDER["SCHEDULE_STEPS"]]
    assert found == pytest.approx(rates, rel=1e-12)
    assert len(set(rates)) > 2


def test_the_recorded_figures_are_of_the_settings_in_the_recorder():
    assert [row[:3] for row in FIGURES] == RECORDER["SCHEDULES"]


# --------------------------------------------------------------------------------------- what a schedule is


@pytest.mark.parametrize(("schedule", "text"), ALL, ids=IDS)
def test_it_is_written_as_it_was_made(schedule, text):
    assert repr(schedule) == text
    assert eval(text) == schedule


@EACH
def test_it_can_be_pickled_copied_and_written_as_json(schedule):
    for other in (
        pickle.loads(pickle.dumps(schedule)),
        copy.deepcopy(schedule),
        from_dict(json.loads(json.dumps(schedule.to_dict()))),
    ):
        assert other == schedule
        assert hash(other) == hash(schedule)
        assert [other(step) for step in range(30)] == [schedule(step) for step in range(30)]


@EACH
def test_it_does_not_change(schedule):
    name = dataclasses.fields(schedule)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(schedule, name, 1.0)
    forwards = [schedule(step) for step in range(30)]
    assert [schedule(step) for step in reversed(range(30))] == forwards[::-1]


@EACH
@pytest.mark.parametrize("step", [-1, 1.5, True, None, "3", math.nan])
def test_a_step_that_is_none(schedule, step):
    with pytest.raises(ValueError, match="step: expected a whole number of at least 0, got"):
        schedule(step)


def test_numbers_of_numpy_become_plain_ones():
    schedule = Step(np.float64(0.5), np.int64(3), np.float32(0.5))
    assert [type(part) for part in (schedule.lr, schedule.size, schedule.gamma)] == [float, int, float]
    assert schedule(np.int64(3)) == 0.25
    assert type(schedule(np.int64(3))) is float


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0.0), "lr: expected a finite number above 0, got 0.0"),
        (lambda: Constant(math.inf), "lr: expected a finite number above 0, got inf"),
        (lambda: Step("a", 1), "lr: expected a finite number above 0, got 'a'"),
        (lambda: Step(0.1, 0), "size: expected a whole number of at least 1, got 0"),
        (lambda: Step(0.1, 2.5), "size: expected a whole number of at least 1, got 2.5"),
        (lambda: Step(0.1, 2, 0.0), "gamma: expected a finite number above 0 and at most 1, got 0.0"),
        (lambda: Exponential(0.0, 0.5), "lr: expected a finite number above 0, got 0.0"),
        (lambda: Exponential(0.1, 1.5), "gamma: expected a finite number above 0 and at most 1, got 1.5"),
        (lambda: InverseTime(-1.0, 0.5), "lr: expected a finite number above 0, got -1.0"),
        (lambda: InverseTime(0.1, -0.5), "decay: expected a finite number at least 0, got -0.5"),
        (lambda: Cosine(-0.1, 5), "lr: expected a finite number above 0, got -0.1"),
        (lambda: Cosine(0.1, -5), "steps: expected a whole number of at least 1, got -5"),
        (lambda: Cosine(0.1, 5, 0.2), "minimum: expected a finite number at least 0 and at most 0.1, got 0.2"),
        (lambda: Linear(-0.1, 5), "lr: expected a finite number above 0, got -0.1"),
        (lambda: Linear(0.1, True), "steps: expected a whole number of at least 1, got True"),
        (lambda: Linear(0.1, 5, -0.2), "end: expected a finite number at least 0, got -0.2"),
        (lambda: WarmUp(Constant(1.0), 0), "steps: expected a whole number of at least 1, got 0"),
        (lambda: WarmUp(Constant(1.0), 5, 2.0), "start: expected a finite number at least 0 and at most 1, got 2.0"),
    ],
)
def test_an_argument_out_of_its_range(make, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        make()
    assert str(caught.value) == message


def test_a_warm_up_of_a_number():
    with pytest.raises(TypeError, match=r"schedule: expected a Schedule, got 0.1; for a number write Constant\(...\)"):
        WarmUp(0.1, 5)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("Step", "expected a dictionary with the name of the schedule under 'kind', got 'Step'"),
        ({"lr": 0.1}, "expected a dictionary with the name of the schedule under 'kind', got {'lr': 0.1}"),
        ({"kind": "Steep", "lr": 0.1}, "no schedule is named 'Steep'; choose one of Constant, Step, Exponential,"),
        ({"kind": "Constant", "rate": 0.1}, "Constant: expected the arguments ['lr'], got ['rate']"),
        ({"kind": "Step", "lr": 0.1}, "Step: expected the arguments ['lr', 'size', 'gamma'], got ['lr']"),
        ({"kind": "Constant", "lr": -0.1}, "lr: expected a finite number above 0, got -0.1"),
    ],
)
def test_a_dictionary_that_describes_no_schedule(entries, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        from_dict(entries)
    assert message in str(caught.value)


def test_a_schedule_without_a_rate_says_so():
    with pytest.raises(NotImplementedError, match="Schedule has no rate; define rate"):
        Schedule()(0)
