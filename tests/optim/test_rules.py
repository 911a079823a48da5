"""The rules: equal to PyTorch's, on floats and arrays alike, by hand, and with checked hyperparameters."""

import math

import numpy as np
import pytest
from walking import BUSY, FIGURES, RECORDER, START, data, values, walk

from autograd_mini import Value
from autograd_mini.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop

STEPS, RECORDED, gradient = RECORDER["STEPS"], RECORDER["RECORDED"], RECORDER["gradient"]

KINDS = {kind.__name__: kind for kind in (SGD, Adagrad, RMSprop, Adam, AdamW)}
CASES = [pytest.param(*case, id=f"{case[0]}-{i}") for i, case in enumerate(FIGURES["optimizers"])]
WITHOUT_GAPS = [
    pytest.param(*case, id=f"{case[0]}-{i}") for i, case in enumerate(FIGURES["optimizers"]) if "gaps" not in case[1]
]


def close(found, expected):
    return np.max(np.abs(np.array(found) - expected) / np.maximum(1.0, np.abs(expected))) <= 1e-12


# ----------------------------------------------------------------------------------------------- equal to PyTorch


def test_the_recorded_figures_are_of_the_settings_in_the_recorder():
    assert [case[:2] for case in FIGURES["optimizers"]] == RECORDER["OPTIMIZERS"]
    assert FIGURES["torch"] == "2.13.0"
    assert {case[0] for case in FIGURES["optimizers"]} == set(KINDS)


@pytest.mark.parametrize(("kind", "settings", "expected"), CASES)
def test_fifty_steps_are_those_of_pytorch(kind, settings, expected):
    settings = dict(settings)
    gaps = settings.pop("gaps", False)
    places = walk(KINDS[kind](values(), **settings), STEPS, gaps=gaps)
    for step, place in zip(RECORDED, expected, strict=True):
        assert close(places[step - 1], place), f"after step {step}: {places[step - 1]} instead of {place}"
    assert np.max(np.abs(np.array(places[-1]) - START)) > 1e-3  # the comparison isn't one of standing still


@pytest.mark.parametrize(("kind", "settings", "expected"), WITHOUT_GAPS)
def test_the_same_rule_on_plain_floats(kind, settings, expected):
    rules = [KINDS[kind]([Value(0.0)], **settings) for _ in START]
    place = list(START)
    for _ in range(STEPS):
        grads = gradient(place)
        place = [rule.update(x, grad) for rule, x, grad in zip(rules, place, grads, strict=True)]
    assert all(isinstance(number, float) for number in place)
    assert close(place, expected[-1])


@pytest.mark.parametrize(("kind", "settings"), BUSY)
def test_the_same_rule_on_a_flat_array_as_a_vectorized_engine_uses_it(kind, settings):
    stepped, advanced = kind(values(), **settings), kind(values(), **settings)
    place = np.array(START)
    for _ in range(20):
        before = place.copy()
        place = advanced.advance(place, np.array(gradient(place.tolist())))
        assert not np.array_equal(before, place)
    walk(stepped, 20)
    assert place.tolist() == data(stepped)
    assert advanced.steps == 20
    assert data(advanced) == START


@pytest.mark.parametrize(("kind", "settings"), BUSY)
def test_an_array_given_to_update_is_left_as_it_was(kind, settings):
    optimizer = kind(values(), **settings)
    for _ in range(3):
        place, grad = np.array(START), np.array(gradient(START))
        optimizer.update(place, grad)
        assert place.tolist() == START
        assert grad.tolist() == gradient(START)


@pytest.mark.parametrize(("kind", "settings"), BUSY)
def test_single_precision_stays_single(kind, settings):
    optimizer = kind(values(), **settings)
    place = np.array(START, dtype=np.float32)
    for _ in range(3):
        place = optimizer.advance(place, np.ones(5, dtype=np.float32))
    assert place.dtype == np.float32
    assert {entry.dtype for entry in optimizer.state.values() if isinstance(entry, np.ndarray)} == {np.dtype("float32")}


# ------------------------------------------------------------------------------------------------ by hand


def test_momentum_by_hand():
    x = Value(1.0)
    optimizer = SGD([x], lr=0.5, momentum=0.5)
    x.grad = 1.0
    optimizer.step()
    assert x.data == 0.5  # v = 1
    optimizer.step()
    assert x.data == -0.25  # v = 0.5·1 + 1
    x.grad = 0.0
    optimizer.step()
    assert x.data == -0.625  # v = 0.5·1.5


@pytest.mark.parametrize("kind", [Adagrad, Adam])
def test_the_first_step_has_the_length_of_the_rate_whatever_the_gradient(kind):
    small, large = Value(0.0), Value(0.0)
    optimizer = kind([small, large], lr=0.25, eps=0.0)
    small.grad, large.grad = 1e-6, -1e6
    optimizer.step()
    assert small.data == pytest.approx(-0.25, rel=1e-12)
    assert large.data == pytest.approx(0.25, rel=1e-12)


def test_decay_acts_on_the_parameters_in_adamw_and_on_the_gradient_in_adam():
    x, w = Value(2.0), Value(2.0)
    for optimizer in (Adam([x], lr=0.5, weight_decay=0.5, eps=0.0), AdamW([w], lr=0.5, weight_decay=0.5, eps=1.0)):
        optimizer.step()
    assert x.data == pytest.approx(1.5, rel=1e-12)  # the decay is the whole gradient, and a first step has length η
    assert w.data == 1.5  # 2·(1 - 0.25), and no gradient


def test_a_gradient_that_never_varies_gives_a_centered_rmsprop_no_root_of_a_negative_number():
    optimizer = RMSprop([Value(0.0)], lr=1e-3, alpha=0.9, centered=True, eps=1e-3)
    place, grad = np.zeros(50), np.linspace(0.1, 1.0, 50)
    for _ in range(1000):
        place = optimizer.advance(place, grad)
    assert np.any(optimizer.state["square_avg"] < optimizer.state["grad_avg"] ** 2)  # the rounding that is meant
    assert np.all(np.isfinite(place))


def test_gradients_that_are_nodes_count_as_their_number():
    x = Value(3.0)
    (x * x).backward(create_graph=True)
    assert isinstance(x.grad, Value)
    SGD([x], lr=0.5).step()
    assert x.data == 0.0


def test_overflow_and_division_by_zero_give_no_warning():
    x, y = Value(1e308), Value(1.0)
    optimizer = Adam([x, y], lr=1.0, eps=0.0, weight_decay=1e300)
    x.grad, y.grad = 1e308, 0.0
    optimizer.step()
    assert math.isnan(x.data)
    z = Value(1.0)
    RMSprop([z], eps=0.0).step()
    assert math.isnan(z.data)  # 0 / 0, as in PyTorch


# ------------------------------------------------------------------------------------------------ bad arguments


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (SGD, {"lr": 0.0}, "lr: expected a finite number above 0, got 0.0"),
        (SGD, {"lr": math.nan}, "lr: expected a finite number above 0, got nan"),
        (SGD, {"lr": True}, "lr: expected a finite number above 0, got True"),
        (SGD, {"lr": "0.1"}, "lr: expected a finite number above 0, got '0.1'"),
        (SGD, {"momentum": 1.0}, "momentum: expected a finite number at least 0 and below 1, got 1.0"),
        (SGD, {"momentum": -0.1}, "momentum: expected a finite number at least 0 and below 1, got -0.1"),
        (SGD, {"dampening": 1.5}, "dampening: expected a finite number at least 0 and at most 1, got 1.5"),
        (SGD, {"weight_decay": -1}, "weight_decay: expected a finite number at least 0, got -1"),
        (SGD, {"nesterov": 0.9}, "nesterov: expected True or False, got 0.9"),
        (SGD, {"nesterov": True}, "nesterov: expected momentum above 0 and dampening 0 with it, got momentum 0 and"),
        (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "got momentum 0.9 and dampening 0.1; set both"),
        (Adagrad, {"lr_decay": -1.0}, "lr_decay: expected a finite number at least 0, got -1.0"),
        (Adagrad, {"weight_decay": math.inf}, "weight_decay: expected a finite number at least 0, got inf"),
        (Adagrad, {"initial_accumulator_value": -1}, "initial_accumulator_value: expected a finite number at least 0"),
        (Adagrad, {"eps": -1e-9}, "eps: expected a finite number at least 0, got -1e-09"),
        (RMSprop, {"alpha": 1.0}, "alpha: expected a finite number at least 0 and below 1, got 1.0"),
        (RMSprop, {"eps": None}, "eps: expected a finite number at least 0, got None"),
        (RMSprop, {"weight_decay": -1.0}, "weight_decay: expected a finite number at least 0, got -1.0"),
        (RMSprop, {"momentum": 2}, "momentum: expected a finite number at least 0 and below 1, got 2"),
        (RMSprop, {"centered": 1}, "centered: expected True or False, got 1"),
        (Adam, {"betas": 0.9}, "betas: expected two numbers, as in (0.9, 0.999), got 0.9"),
        (
            Adam,
            {"betas": (0.9, 0.99, 0.999)},
            "betas: expected two numbers, as in (0.9, 0.999), got (0.9, 0.99, 0.999)",
        ),
        (Adam, {"betas": (1.0, 0.9)}, "betas[0]: expected a finite number at least 0 and below 1, got 1.0"),
        (Adam, {"betas": (0.9, -0.1)}, "betas[1]: expected a finite number at least 0 and below 1, got -0.1"),
        (Adam, {"eps": -1.0}, "eps: expected a finite number at least 0, got -1.0"),
        (AdamW, {"weight_decay": "no"}, "weight_decay: expected a finite number at least 0, got 'no'"),
    ],
)
def test_a_hyperparameter_out_of_its_range(kind, settings, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        kind(values(), **settings)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (SGD, "lr=0.001, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False"),
        (Adagrad, "lr=0.01, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10"),
        (RMSprop, "lr=0.01, alpha=0.99, eps=1e-08, weight_decay=0.0, momentum=0.0, centered=False"),
        (Adam, "lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0"),
        (AdamW, "lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01"),
    ],
)
def test_the_names_the_order_and_the_defaults_of_the_hyperparameters(kind, text):
    assert repr(kind(values())) == f"{kind.__name__}(5 parameters, {text})"
    assert repr(kind([Value(1.0)])) == f"{kind.__name__}(1 parameter, {text})"
