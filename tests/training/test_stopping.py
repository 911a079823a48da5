"""Stopping rules: when they stop, what they bring back, and that a saved one goes on as if it had never been."""

import json
import math
import pickle

import numpy as np
import pytest

from autograd_mini import Trainer, Value, nn, optim
from autograd_mini.training.stopping import EarlyStopping, GradientNorm, LossTolerance, StoppingRule

nan, inf = math.nan, math.inf


def stops_at(rule, losses, parameters=()):
    """The epoch after which the rule says stop, counted from 1; None if it never does."""
    for epoch, loss in enumerate(losses, start=1):
        if rule.should_stop(epoch, loss, parameters):
            return epoch
    return None


# ------------------------------------------------------------------------------------------------- early stopping


@pytest.mark.parametrize(
    ("settings", "losses", "stop", "best_epoch"),
    [
        ({"patience": 1}, [3.0, 2.0, 1.0], None, 3),
        ({"patience": 1}, [3.0, 2.0, 2.5], 3, 2),
        ({"patience": 1}, [3.0, 3.0], 2, 1),  # the same isn't better
        ({"patience": 2}, [3.0, 4.0, 2.0, 4.0, 4.0], 5, 3),  # an improvement starts the count anew
        ({"patience": 3}, [1.0, 2.0, 2.0], None, 1),
        ({"patience": 3}, [1.0, 2.0, 2.0, 2.0], 4, 1),
        ({"patience": 2, "min_delta": 0.5}, [3.0, 2.75, 2.5], 3, 1),  # 0.5 below the best, but not more
        ({"patience": 2, "min_delta": 0.5}, [3.0, 2.75, 2.25, 2.0], None, 3),  # small ones add up
        ({"patience": 2}, [1.0, nan, nan], 3, 1),
        ({"patience": 2}, [nan, nan], 2, None),
        ({"patience": 2}, [inf, 1.0, 2.0], None, 2),
        ({}, [1.0] + [2.0] * 10, 11, 1),
    ],
)
def test_early_stopping(settings, losses, stop, best_epoch):
    rule = EarlyStopping(**settings)
    assert stops_at(rule, losses) == stop
    assert rule.best_epoch == best_epoch
    assert rule.best_loss == (inf if best_epoch is None else losses[best_epoch - 1])


def trained(rule, losses):
    """Parameters after a training in which they are 10·epoch and -epoch."""
    x, y = Value(0.0), Value(0.0)
    for epoch, loss in enumerate(losses, start=1):
        x.data, y.data = 10.0 * epoch, -float(epoch)
        if rule.should_stop(epoch, loss, [x, y]):
            break
    return [x, y]


def test_the_best_parameters_come_back():
    rule = EarlyStopping(patience=2)
    x, y = trained(rule, [3.0, 1.0, 2.0, 2.0, 0.0])
    assert (x.data, y.data) == (40.0, -4.0)
    rule.restore([x, y])
    assert (x.data, y.data) == (20.0, -2.0)


def test_they_do_not_where_they_were_not_to_be_kept():
    rule = EarlyStopping(patience=2, restore_best=False)
    x, y = trained(rule, [3.0, 1.0, 2.0, 2.0, 0.0])
    rule.restore([x, y])
    assert (x.data, y.data) == (40.0, -4.0)
    assert rule.best_epoch == 2
    assert rule.best_parameters is None


def test_nothing_comes_back_where_no_epoch_was_any_good():
    rule = EarlyStopping(patience=2)
    x, y = trained(rule, [nan, nan])
    rule.restore([x, y])
    assert (x.data, y.data) == (20.0, -2.0)


def test_the_parameters_of_another_model_are_refused():
    rule = EarlyStopping(patience=2)
    x, _ = trained(rule, [3.0])
    x.data = 7.0
    with pytest.raises(
        ValueError, match="expected the 2 parameters of the best epoch, got 1; pass the same list as to"
    ):
        rule.restore([x])
    assert x.data == 7.0


def test_which_loss_each_wants():
    assert (EarlyStopping().monitor, LossTolerance().monitor, GradientNorm().monitor) == (
        "validation_loss",
        "loss",
        "loss",
    )


# --------------------------------------------------------------------------------------------------- loss tolerance


@pytest.mark.parametrize(
    ("settings", "losses", "stop"),
    [
        ({"tol": 0.5, "patience": 1}, [3.0, 2.0, 1.75], 3),
        ({"tol": 0.5, "patience": 1}, [3.0, 2.5, 2.0, 1.5], None),  # 0.5 is enough
        ({"tol": 0.5, "patience": 2}, [3.0, 2.75, 2.0, 1.75, 1.5], 5),
        ({"tol": 0.5, "patience": 3}, [3.0, 2.75, 2.5, 2.25], 4),  # small ones don't add up
        ({"tol": 0.5, "patience": 2}, [1.0, 3.0, 2.0, 0.0], 3),  # against the lowest, not the last
        ({"tol": 0.0, "patience": 2}, [1.0, 1.0, 1.0], 3),
        ({"tol": 0.0, "patience": 2}, [1.0, 0.999, 0.998], None),
        ({"tol": 0.1, "patience": 2}, [1.0, nan, nan], 3),
        ({"tol": 0.1, "patience": 2}, [inf, inf], 2),
        ({}, [1.0] * 11, 11),
        ({}, [1.0 - 2e-4 * i for i in range(50)], None),
        ({}, [1.0 - 0.5e-4 * i for i in range(50)], 11),
    ],
)
def test_loss_tolerance(settings, losses, stop):
    assert stops_at(LossTolerance(**settings), losses) == stop


# ---------------------------------------------------------------------------------------------------- gradient norm


@pytest.mark.parametrize(("tol", "stops"), [(4.9, False), (5.0, True), (0.0, False)])
def test_gradient_norm(tol, stops):
    x, y, z = Value(0.0), Value(0.0), Value(0.0)
    x.grad, y.grad, z.grad = 3.0, -4.0, None
    rule = GradientNorm(tol)
    assert rule.norm is None
    assert rule.should_stop(1, 1.0, [x, y, z]) is stops
    assert rule.norm == 5.0


def test_a_gradient_of_nan_is_not_small():
    x = Value(0.0)
    x.grad = nan
    assert GradientNorm(1e300).should_stop(1, 1.0, [x]) is False


def test_gradient_norm_stops_gradient_descent_at_the_minimum():
    x, rule = Value(3.0), GradientNorm(tol=1e-3)
    for epoch in range(1, 1000):
        x.grad = 0.0
        loss = (x - 1.0) ** 2
        loss.backward()
        if rule.should_stop(epoch, loss.data, [x]):
            break
        x.data -= 0.25 * x.grad
    assert epoch == 13  # the gradient is 4·2⁻ⁿ at epoch n + 1, and 4·2⁻¹² is the first below 10⁻³
    assert x.data == 1.0 + 2.0**-11


def test_gradient_norm_needs_gradients():
    x = Value(1.0)
    x.grad = None
    with pytest.raises(ValueError, match="GradientNorm needs the gradients of the last batch, got none; ask before"):
        GradientNorm().should_stop(1, 1.0, [x])


# ------------------------------------------------------------------------------------------ saved and continued

LOSSES = [5.0, 4.0, 4.5, 3.0, 2.999, 2.9, 2.95, 2.92, 2.91, 2.0, 3.0, 3.0, 3.0]
RULES = [
    pytest.param(lambda: EarlyStopping(patience=3, min_delta=0.01), 9, id="EarlyStopping"),
    pytest.param(lambda: LossTolerance(tol=0.2, patience=3), 7, id="LossTolerance"),
    pytest.param(lambda: GradientNorm(tol=2.0), 10, id="GradientNorm"),
]


@pytest.mark.parametrize("saved_after", range(7))
@pytest.mark.parametrize(("make", "expected"), RULES)
def test_a_saved_rule_stops_where_it_would_have_stopped(make, expected, saved_after):
    def run(rule, epochs):
        for epoch in epochs:
            x.data = x.grad = LOSSES[epoch - 1]
            if rule.should_stop(epoch, LOSSES[epoch - 1], [x]):
                return epoch
        return None

    x, first, second = Value(0.0), make(), make()
    assert run(first, range(1, saved_after + 1)) is None
    state = first.state_dict()
    # as a file would bring it back: arrays, and JSON for all else
    arrays = {name: np.array(thing) for name, thing in state.items() if isinstance(thing, np.ndarray)}
    plain = {name: thing for name, thing in state.items() if name not in arrays}
    second.load_state_dict(json.loads(json.dumps(plain)) | arrays)
    pickled = pickle.loads(pickle.dumps(first))
    for rule in (first, second, pickled):
        assert run(rule, range(saved_after + 1, len(LOSSES) + 1)) == expected
        rule.restore([x])
        found = {name: np.array(thing).tolist() for name, thing in rule.state_dict().items()}
        assert found == {name: np.array(thing).tolist() for name, thing in first.state_dict().items()}


def test_a_saved_state_is_a_copy():
    rule = EarlyStopping()
    trained(rule, [3.0])
    state = rule.state_dict()
    state["best_parameters"][:] = 0.0
    assert rule.best_parameters.tolist() == [10.0, -1.0]
    other = EarlyStopping()
    other.load_state_dict(rule.state_dict())
    rule.best_parameters[:] = 0.0
    assert other.best_parameters.tolist() == [10.0, -1.0]


def test_numbers_that_come_back_as_arrays_are_numbers():
    rule = EarlyStopping(patience=2)
    trained(rule, [3.0, 4.0])
    other = EarlyStopping(patience=2)
    other.load_state_dict({name: np.array(thing) for name, thing in rule.state_dict().items()})
    assert (other.best_epoch, other.best_loss, other.waited) == (1, 3.0, 1)
    assert type(other.waited) is int


def test_a_state_of_another_rule_changes_nothing():
    rule = EarlyStopping()
    trained(rule, [3.0])
    with pytest.raises(
        ValueError, match=r"the state doesn't fit EarlyStopping: missing \['best_epoch', 'best_parameters'\]"
    ):
        rule.load_state_dict(LossTolerance().state_dict())
    with pytest.raises(ValueError, match=r"unknown \['tol'\]; expected \['best_epoch', 'best_loss', 'waited',"):
        rule.load_state_dict({**rule.state_dict(), "tol": 1.0})
    assert rule.best_loss == 3.0


# ------------------------------------------------------------------------------------------------ bad arguments


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(patience=0), "patience: expected a whole number of at least 1, got 0"),
        (lambda: EarlyStopping(patience=2.5), "patience: expected a whole number of at least 1, got 2.5"),
        (lambda: EarlyStopping(min_delta=-1.0), "min_delta: expected a finite number at least 0, got -1.0"),
        (lambda: EarlyStopping(min_delta=nan), "min_delta: expected a finite number at least 0, got nan"),
        (lambda: EarlyStopping(restore_best=1), "restore_best: expected True or False, got 1"),
        (lambda: EarlyStopping(mode="least"), "mode: expected one of auto, min, max, got 'least'"),
        (lambda: LossTolerance(tol=-1.0), "tol: expected a finite number at least 0, got -1.0"),
        (lambda: LossTolerance(patience=True), "patience: expected a whole number of at least 1, got True"),
        (lambda: GradientNorm(tol="0"), "tol: expected a finite number at least 0, got '0'"),
    ],
)
def test_an_argument_out_of_its_range(make, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        make()
    assert str(caught.value) == message


def test_a_rule_without_a_rule_says_so():
    with pytest.raises(NotImplementedError, match="StoppingRule has no rule; define should_stop"):
        StoppingRule().should_stop(1, 1.0, [])


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (EarlyStopping(), "EarlyStopping(patience=10, min_delta=0, restore_best=True)"),
        (EarlyStopping(mode="max"), "EarlyStopping(patience=10, min_delta=0, restore_best=True, mode='max')"),
        (LossTolerance(), "LossTolerance(tol=0.0001, patience=10)"),
        (GradientNorm(), "GradientNorm(tol=0.0001)"),
    ],
)
def test_it_is_written_with_its_settings(rule, text):
    assert repr(rule) == text


# -------------------------------------------------------------------------------------------- rules that look, or don't


class Seen(StoppingRule):
    """Writes down what the first parameter is whenever it is asked."""

    def __init__(self, last):
        self.last, self.numbers = last, []

    def should_stop(self, epoch, loss, parameters):
        self.numbers.append((epoch, parameters[0].data))
        return epoch == self.last


class Unseeing(Seen):
    looks_at_parameters = False


class SeeingTolerance(LossTolerance):
    def should_stop(self, epoch, loss, parameters):
        return parameters[0].data > 1e9


def watched_by(rule, epochs=9):
    X = np.linspace(-1.0, 1.0, 14).reshape(7, 2)
    model = nn.MLP(2, [3, 1], rng=0)
    trainer = Trainer(
        model, "squared_error", optim.Adam(model.parameters(), lr=0.1), 3, epochs=epochs, stopping=rule, progress=False
    )
    trainer.fit(X, X[:, 0] - X[:, 1])
    return trainer, [(p.data, p.grad) for p in model.parameters()]


def test_a_rule_sees_the_parameters_as_they_are_after_each_epoch_unless_it_says_that_it_does_not_look():
    rule = Seen(6)
    watched_by(rule)
    expected = [watched_by(None, epochs=epoch)[1][0][0] for epoch, _ in rule.numbers]
    assert [number for _, number in rule.numbers] == expected


@pytest.mark.parametrize("last", [1, 4, 9, 99])
def test_a_rule_that_does_not_look_changes_nothing_of_the_training(last):
    (seen, expected), (unseen, found) = watched_by(Seen(last)), watched_by(Unseeing(last))
    assert found == expected, "the parameters and their gradients are those of the last epoch"
    assert unseen.history.loss == seen.history.loss
    assert unseen.stop_reason.partition(" after ")[2] == seen.stop_reason.partition(" after ")[2]


def test_a_rule_that_raises_leaves_what_the_epoch_before_has_left():
    class Raising(Unseeing):
        looks_at_parameters = False

        def should_stop(self, epoch, loss, parameters):
            if epoch == 5:
                raise RuntimeError("no more")
            return False

    model = nn.MLP(2, [3, 1], rng=0)
    X = np.linspace(-1.0, 1.0, 14).reshape(7, 2)
    trainer = Trainer(
        model, "squared_error", optim.Adam(model.parameters(), lr=0.1), 3, stopping=Raising(9), progress=False
    )
    with pytest.raises(RuntimeError, match="no more"):
        trainer.fit(X, X[:, 0] - X[:, 1])
    expected = watched_by(None, epochs=4)
    assert [p.data for p in model.parameters()] == [number for number, _ in expected[1]]
    assert trainer.history.loss == expected[0].history.loss


def test_a_rule_that_is_written_anew_looks_unless_it_says_otherwise():
    looks = [kind.looks_at_parameters for kind in (LossTolerance, SeeingTolerance, EarlyStopping, GradientNorm)]
    assert looks == [False, True, True, True]
