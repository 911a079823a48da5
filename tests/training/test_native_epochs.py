"""Epochs on the native machine: the same training as by the loop on NumPy, whatever the rule and the batches."""

import gc
import itertools
import os
import pickle
import re
import weakref
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Trainer, datasets, nn, optim
from autograd_mini.native import build
from autograd_mini.native.epoch import Batches, Column, Epoch, address
from autograd_mini.native.library import library
from autograd_mini.training import NonFiniteLossError, native_epochs
from autograd_mini.training import trainer as trainer_module
from autograd_mini.training.snapshot import TrainingState
from autograd_mini.training.vectorized import VectorizedEngine

MACHINE = library()
needs_machine = pytest.mark.skipif(MACHINE is None, reason="the package is here without its native library")
X, LABELS = datasets.moons(n=23, noise=0.1, seed=0)
SIGNS = 2.0 * LABELS - 1.0


RULES = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "SGD with decay": lambda p: optim.SGD(p, lr=0.05, weight_decay=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "dampening": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, dampening=0.3, weight_decay=0.01),
    "nesterov": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.05),
    "Adagrad with all": lambda p: optim.Adagrad(
        p, 0.05, lr_decay=0.1, weight_decay=0.01, initial_accumulator_value=0.2
    ),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "RMSprop with momentum": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.8, weight_decay=0.01),
    "RMSprop centered": lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9, centered=True),
    "RMSprop with all": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.02),
    "Adam with decay": lambda p: optim.Adam(p, lr=0.02, betas=(0.8, 0.9), weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.1),
    "AdamW without decay": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.0),
    "a schedule": lambda p: optim.SGD(p, lr=optim.schedules.Cosine(0.05, 60), momentum=0.5),
    "a function": lambda p: optim.Adam(p, lr=lambda t: 0.05 / (1 + t)),
}


def slowly(*choices):
    """Further choices for a test that takes them all only where there is time."""
    return [pytest.param(choice, marks=pytest.mark.slow) for choice in choices]


def perceptron():
    return nn.MLP(2, [4, 1], "tanh", rng=0)


def trained(monkeypatch, switch, rule=RULES["SGD"], model=perceptron, epochs=3, fits=1, loss="squared_error", **how):
    """A training by the native machine ("1") or by the loop on NumPy ("0"): all its numbers; and it itself."""
    monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", switch)
    made = model()
    trainer = Trainer(made, loss, rule(made.parameters()), epochs=epochs, progress=False, **how)
    for _ in range(fits):
        trainer.fit(X, SIGNS)
    return numbers(trainer), trainer


def numbers(trainer):
    """Everything that a training has come to."""
    state = trainer.state_dict()
    return {
        **{name: np.asarray(entry) for name, entry in state["model"].items()},
        **{f"state {name}": entry for name, entry in state["optimizer"]["state"].items()},
        "steps": state["optimizer"]["steps"],
        "loss": state["history"]["loss"],
        "gradients": [np.nan if p.grad is None else p.grad for p in trainer.optimizer.parameters],
    }


def assert_alike(found, expected):
    assert found.keys() == expected.keys()
    for name, entry in expected.items():
        assert np.shape(found[name]) == np.shape(entry), name
        assert np.asarray(found[name]).dtype == np.asarray(entry).dtype, name
        np.testing.assert_allclose(found[name], entry, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.fixture
def calls(monkeypatch):
    """How many batches the machine ran in each of its calls of whole epochs."""
    found = []
    plain = Epoch.run_by

    def run_by(self, machine):
        plain(self, machine)
        found.append(self.run)

    monkeypatch.setattr(Epoch, "run_by", run_by)
    return found


@needs_machine
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("how", [*slowly({}), {"clip_value": 0.05, "clip_norm": 0.1, "penalty": nn.L2(1e-2)}])
def test_every_rule_gives_what_the_loop_gives(rule, how, calls, monkeypatch):
    expected, _ = trained(monkeypatch, "0", RULES[rule], batch_size=5, epochs=10, **how)
    assert not calls
    found, _ = trained(monkeypatch, "1", RULES[rule], batch_size=5, epochs=10, **how)
    assert sum(calls) == 50
    assert_alike(found, expected)


@needs_machine
@pytest.mark.parametrize("batch_size", [None, 1, 4, 22, *slowly(23, 100)])
@pytest.mark.parametrize("sampling", ["replacement", *slowly("shuffle", "order")])
def test_every_size_of_a_batch_and_every_order_gives_what_the_loop_gives(batch_size, sampling, calls, monkeypatch):
    how = {"batch_size": batch_size, "sampling": sampling, "rule": RULES["Adam"]}
    expected, _ = trained(monkeypatch, "0", **how)
    found, _ = trained(monkeypatch, "1", **how)
    assert sum(calls) == 3 * -(-23 // (batch_size or 23))
    assert_alike(found, expected)


def normalized():
    return nn.Sequential(nn.Layer(2, 3, "tanh", rng=0), nn.BatchNorm(3), nn.Layer(3, 1, "identity", rng=1))


def dropped():
    rng = np.random.default_rng(5)
    parts = [nn.Layer(2, 4, "tanh", rng=0), nn.Dropout(0.7, rng=rng), nn.Layer(4, 3, "relu", rng=1)]
    return nn.Sequential(*parts, nn.Dropout(0.5, rng=rng), nn.Layer(3, 1, "identity", rng=2), nn.Dropout(0.9, rng=3))


def partly_frozen():
    model = perceptron()
    nn.freeze(model.layers[0])
    return model


MODELS = {"normalized": normalized, "dropped": dropped, "partly frozen": partly_frozen}


@needs_machine
@pytest.mark.parametrize("rule", ["RMSprop with all", *slowly("SGD", "nesterov", "Adagrad", "AdamW")])
@pytest.mark.parametrize("model", MODELS)
def test_every_kind_of_model_gives_what_the_loop_gives(model, rule, calls, monkeypatch):
    how = {"model": MODELS[model], "rule": RULES[rule], "batch_size": 5, "fits": 2}
    expected, looped = trained(monkeypatch, "0", **how)
    found, trainer = trained(monkeypatch, "1", **how)
    assert sum(calls) == 30
    assert_alike(found, expected)
    assert trainer.state_dict()["generators"] == looped.state_dict()["generators"]


class Tokens(nn.Module):
    def __init__(self, computed):
        self.table, self.out, self.computed = nn.Embedding(5, 2, rng=0), nn.Layer(4, 3, rng=1), computed

    def forward(self, x):
        first = ag.where(x[0] > 1.0, 1.0, x[0]) if self.computed else x[0]
        return self.out([*self.table(first), *self.table(x[1])])


class Sums(nn.Module):
    def __init__(self):
        self.w = [ag.Parameter(0.3), ag.Parameter(-0.2), ag.Parameter(0.7)]

    def forward(self, x):
        return [self.w[0] * x[0][0] + self.w[1] * x[1][1], ag.tanh(self.w[0] * x[1][0])]


RNG = np.random.default_rng(0)
OTHERS = {
    "classes": (lambda: nn.MLP(2, [3], rng=0), "cross_entropy", X, LABELS, True),
    "tokens": (lambda: Tokens(False), "cross_entropy", RNG.integers(0, 5, (12, 2)), RNG.integers(0, 3, 12), True),
    "computed tokens": (
        lambda: Tokens(True),
        "cross_entropy",
        RNG.integers(0, 5, (12, 2)),
        RNG.integers(0, 3, 12),
        False,
    ),
    "matrices and two targets": (
        Sums,
        lambda a, t: (a[0] - t[0]) ** 2 + (a[1] - t[1]) ** 2,
        RNG.normal(size=(2, 2, 12)).transpose(2, 0, 1),
        np.asfortranarray(RNG.normal(size=(12, 2))),
        True,
    ),
    "a loss of the parameters alone": (lambda: Sums(), lambda a, t: a[0] ** 2, np.ones((7, 2, 2)), np.zeros(7), True),
}


@needs_machine
@pytest.mark.parametrize("kind", OTHERS)
def test_every_kind_of_example_gives_what_the_loop_gives(kind, calls, monkeypatch):
    model, loss, x, y, is_native = OTHERS[kind]
    found = {}
    for switch in ("0", "1"):
        monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", switch)
        made = model()
        trainer = Trainer(made, loss, optim.Adam(made.parameters(), 0.1), batch_size=5, epochs=3, progress=False)
        trainer.fit(x, y)
        found[switch] = numbers(trainer)
    assert bool(calls) == is_native
    assert_alike(found["1"], found["0"])


# ------------------------------------------------------------------------------------------------------- going on


@needs_machine
def test_how_many_batches_a_call_takes_changes_nothing(calls, monkeypatch):
    found = []
    for seconds, most in ((1e-12, 1.0), (1e-5, 1.0), (1e6, 0.0), (1e6, 1.0)):
        monkeypatch.setattr(native_epochs, "SECONDS", seconds)
        monkeypatch.setattr(native_epochs, "MOST_SECONDS", most)
        found.append(trained(monkeypatch, "1", RULES["Adam"], dropped, batch_size=2, epochs=4))
    assert max(calls) > 6
    for result, trainer in found[1:]:
        assert repr(result) == repr(found[0][0])
        assert trainer.state_dict()["generators"] == found[0][1].state_dict()["generators"]


@needs_machine
@pytest.mark.parametrize("rule", ["AdamW", *slowly("momentum", "Adagrad with all", "RMSprop with all", "a schedule")])
@pytest.mark.parametrize("model", [dropped, *slowly(perceptron, partly_frozen, normalized)])
def test_a_training_that_is_saved_and_goes_on_elsewhere_equals_one_that_never_stopped_to_the_bit(
    rule, model, calls, monkeypatch
):
    whole, trainer = trained(monkeypatch, "1", RULES[rule], model, epochs=6, batch_size=5)
    _, first = trained(monkeypatch, "1", RULES[rule], model, epochs=2, batch_size=5)
    made = model()
    later = Trainer(made, "squared_error", RULES[rule](made.parameters()), epochs=4, batch_size=5, progress=False)
    later.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    later.fit(X, SIGNS)
    assert sum(calls) == 60
    assert repr(numbers(later)) == repr(whole)
    assert repr(later.state_dict()["generators"]) == repr(trainer.state_dict()["generators"])


@needs_machine
def test_arrays_of_a_state_are_not_changed_any_more_once_they_were_handed_out(monkeypatch):
    _, trainer = trained(monkeypatch, "1", RULES["Adam"])
    held = dict(trainer.optimizer.state)
    before = {name: np.copy(entry) for name, entry in held.items()}
    trainer.fit(X, SIGNS)
    for name, entry in held.items():
        np.testing.assert_array_equal(entry, before[name])


@needs_machine
@pytest.mark.parametrize("rule", ["Adam", *slowly("momentum")])
def test_parameters_that_are_unfrozen_later_count_their_own_steps(rule, calls, monkeypatch):
    found = {}
    for switch in ("0", "1"):
        _, trainer = trained(monkeypatch, switch, RULES[rule], partly_frozen)
        nn.unfreeze(trainer.model)
        trainer.fit(X, SIGNS)
        found[switch] = numbers(trainer)
    assert_alike(found["1"], found["0"])
    assert len(set(np.ravel(found["1"]["state step"]).tolist())) == 2


# --------------------------------------------------------------------------------------------- what is left to the loop


class Halved(optim.SGD):
    def update(self, data, grad):
        return super().update(data, 0.5 * grad)


def with_own_update(parameters):
    optimizer = optim.SGD(parameters, 0.05)
    optimizer.update = lambda data, grad: data - 0.01 * np.sign(grad)
    return optimizer


def with_an_epsilon_for_each(parameters):
    optimizer = optim.Adam(parameters, 0.05)
    optimizer.eps = np.linspace(0.1, 0.2, len(optimizer.parameters))
    return optimizer


LEFT = {
    "a subclass": (lambda p: Halved(p, 0.05), {}),
    "an update of its own": (with_own_update, {}),
    "an ε for each": (with_an_epsilon_for_each, {}),
    "augmented": (RULES["SGD"], {"augment": lambda x, rng: x + rng.normal(size=x.shape)}),
    "eager": (RULES["SGD"], {"engine": "eager"}),
}


@needs_machine
@pytest.mark.parametrize("what", LEFT)
def test_what_the_machine_does_not_know_is_left_to_the_loop(what, calls, monkeypatch):
    rule, how = LEFT[what]
    expected, _ = trained(monkeypatch, "0", rule, **how)
    found, _ = trained(monkeypatch, "1", rule, **how)
    assert not calls
    assert_alike(found, expected)


@needs_machine
def test_anomalies_are_looked_for_by_the_loop(calls, monkeypatch):
    with ag.detect_anomaly():
        trained(monkeypatch, "1")
    assert not calls
    trained(monkeypatch, "1")
    assert calls


# ------------------------------------------------------------------------------------------------------- what fails


def failed(monkeypatch, switch, rule, loss, model=perceptron, **how):
    """What a training that fails says and leaves behind."""
    monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", switch)
    made = model()
    trainer = Trainer(made, loss, rule(made.parameters()), batch_size=5, epochs=50, progress=False, **how)
    with pytest.raises(NonFiniteLossError) as raised:
        trainer.fit(X, SIGNS)
    generators = trainer.state_dict()["generators"]
    return str(raised.value), {**numbers(trainer), "state": sorted(trainer.optimizer.state)}, generators


@needs_machine
@pytest.mark.parametrize("model", [dropped, *slowly(perceptron, normalized, partly_frozen)])
@pytest.mark.parametrize(
    ("rule", "loss"),
    [
        (lambda p: optim.SGD(p, lr=1e150, momentum=0.5), "squared_error"),  # the loss overflows
        (lambda p: optim.Adam(p, lr=lambda t: 0.01 if t < 7 else 1e308), "hinge"),
        (lambda p: optim.SGD(p, lr=1e308), lambda a, t: 100.0 * a),  # a parameter does
        (lambda p: optim.SGD(p, lr=1e-3), lambda a, t: ag.log(0.0 * a)),  # at the first batch
    ],
)
def test_where_something_overflows_all_is_left_as_the_loop_leaves_it(rule, loss, model, calls, monkeypatch):
    said, left, generators = failed(monkeypatch, "0", rule, loss, model)
    found = failed(monkeypatch, "1", rule, loss, model)
    assert calls
    assert found[0] == said
    assert found[2] == generators
    assert found[1].pop("state") == left.pop("state") == []
    assert_alike(found[1], left)


@needs_machine
def test_after_an_interruption_all_is_as_after_the_last_epoch(monkeypatch):
    monkeypatch.setattr(native_epochs, "SECONDS", 1e-12)
    expected, _ = trained(monkeypatch, "1", RULES["Adam"], dropped, epochs=2, batch_size=5)
    runs = []
    plain = Epoch.run_by

    def run_by(self, machine):
        plain(self, machine)
        runs.append(1)
        if len(runs) == 13:
            raise KeyboardInterrupt

    monkeypatch.setattr(Epoch, "run_by", run_by)
    found, trainer = trained(monkeypatch, "1", RULES["Adam"], dropped, epochs=9, batch_size=5)
    assert trainer.interrupted
    assert repr({**found, "gradients": 0}) == repr({**expected, "gradients": 0})
    trainer.epochs = 2
    trainer.fit(X, SIGNS)
    whole, _ = trained(monkeypatch, "1", RULES["Adam"], dropped, epochs=4, batch_size=5)
    assert repr(numbers(trainer)) == repr(whole)


@pytest.mark.parametrize("switch", ["0", pytest.param("1", marks=needs_machine)])
def test_where_the_program_is_another_function_the_parameters_are_those_at_which_both_agreed(switch, monkeypatch):
    monkeypatch.setattr("autograd_mini.vectorizer.checks.SpotCheck.SHARE", 1e9)  # each batch or call
    monkeypatch.setattr(native_epochs, "SECONDS", 1e-12)
    agreed = []
    plain = VectorizedEngine._check

    def check(self, theta, columns):
        plain(self, theta, columns)
        agreed.append(theta.copy())

    monkeypatch.setattr(VectorizedEngine, "_check", check)
    state = itertools.chain([1.0] * 30, itertools.repeat(3.0))
    monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", switch)
    model = perceptron()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    trainer = Trainer(model, lambda a, t: next(state) * (a - t) ** 2, optimizer, 5, 1, progress=False)
    with pytest.raises(ag.ProgramError, match="the model has the parameters at which both last agreed"):
        trainer.fit(np.tile(X, (20, 1)), np.tile(SIGNS, 20))
    assert len(agreed) > 5
    assert [p.data for p in model.parameters()] == agreed[-1].tolist()


# ------------------------------------------------------------------------------------------------------ who watches


@needs_machine
@pytest.mark.parametrize("laid_out", [np.array, np.asfortranarray])
def test_examples_that_a_callback_changes_are_those_of_the_next_epoch(laid_out, calls, monkeypatch):
    found = []
    for switch in ("0", "1"):
        monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", switch)
        x, model = laid_out(X), perceptron()
        trainer = Trainer(
            *(model, "squared_error", optim.SGD(model.parameters(), 0.05)),
            epochs=3,
            progress=False,
            callbacks=[lambda trainer, x=x: np.multiply(x, 0.5, out=x)],
        )
        found.append(trainer.fit(x, SIGNS).loss)
    assert calls
    assert found[1] == pytest.approx(found[0], rel=1e-12)


@needs_machine
def test_who_watches_sees_the_parameters_after_every_epoch(calls, monkeypatch):
    def after(trainer):
        seen.append([(p.data, p.grad) for p in trainer.optimizer.parameters])

    found = []
    for switch in ("0", "1"):
        seen = []
        trained(monkeypatch, switch, RULES["Adam"], callbacks=[after], batch_size=5, epochs=4)
        found.append(np.array(seen))
    assert sum(calls) == 20
    np.testing.assert_allclose(found[1], found[0], rtol=1e-12, atol=1e-12)


@needs_machine
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_where_nobody_watches_the_parameters_catch_up_whatever_ends_the_training(error, monkeypatch):
    expected, _ = trained(monkeypatch, "1", RULES["Adam"], epochs=3)
    plain = TrainingState.take
    taken = []

    def take(self, theta=None):
        plain(self, theta)
        taken.append(theta)
        if len(taken) == 4:
            raise error("stopped")

    monkeypatch.setattr(trainer_module, "_SECONDS_AHEAD", 1e9)
    monkeypatch.setattr(TrainingState, "take", take)
    model = perceptron()
    trainer = Trainer(model, "squared_error", RULES["Adam"](model.parameters()), epochs=9, progress=False)
    with pytest.raises(ValueError, match="stopped") if error is ValueError else nullcontext():
        trainer.fit(X, SIGNS)
    assert [theta is None for theta in taken] == [True, False, False, False]
    monkeypatch.setattr(TrainingState, "take", plain)
    found = numbers(trainer)
    if error is KeyboardInterrupt:
        found["gradients"] = expected["gradients"]
    assert repr(found) == repr(expected)


def test_the_examples_are_let_go_after_a_training(monkeypatch):
    class Examples(np.ndarray):
        pass

    x = X.copy().view(Examples)
    model = perceptron()
    trainer = Trainer(model, "squared_error", optim.SGD(model.parameters(), 0.05), epochs=2, progress=False)
    monkeypatch.setattr(trainer, "_checked", lambda X, y, **how: (X, y))
    held = weakref.ref(x)
    trainer.fit(x, SIGNS)
    del x
    gc.collect()
    assert held() is None


# ------------------------------------------------------------------------------------------------------ the machine


@needs_machine
def test_moments_that_go_to_zero_are_not_kept_as_subnormal_numbers(monkeypatch):
    monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", "1")
    for rule in (optim.Adam, optim.RMSprop, partial(optim.SGD, momentum=0.5)):
        w = ag.Parameter(1.0)
        optimizer = rule([w], lr=1e-3)
        model = Only(w)
        trainer = Trainer(
            model, lambda a, t: t * a, optimizer, batch_size=1, epochs=1, progress=False, sampling="order"
        )
        trainer.fit(np.ones((1, 1)), [1e-200])
        trainer.fit(np.ones((60_000, 1)), np.zeros(60_000))
        moments = [np.asarray(entry).item() for name, entry in optimizer.state.items() if name != "step"]
        assert all(m == 0.0 or abs(m) >= np.finfo(float).tiny for m in moments), moments


class Only(nn.Module):
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        return self.w * x[0]


@needs_machine
@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda e, n: setattr(e, "n", 0), "order and sizes"),
        (lambda e, n: setattr(e, "size", 24), "order and sizes"),
        (lambda e, n: setattr(e, "order", None), "order and sizes"),
        (lambda e, n: setattr(e, "columns", 4), "number of inputs"),
        (lambda e, n: setattr(e, "first", 5), "batches of this call"),
        (lambda e, n: setattr(e, "count", 6), "batches of this call"),
        (lambda e, n: setattr(e, "count", 0), "batches of this call"),
        (lambda e, n: setattr(e.column[0], "width", 0), "inputs"),
        (lambda e, n: setattr(e.column[1], "data", None), "inputs"),
        (lambda e, n: n._order.fill(23), "order of the rows"),
        (lambda e, n: n._order.fill(-1), "order of the rows"),
        (lambda e, n: setattr(e.batches[1], "machine", None), "programs"),
        (lambda e, n: setattr(e.batches[0], "outputs", 7), "programs"),
        (lambda e, n: setattr(e.batches[0], "output", e.theta), "programs"),
        (lambda e, n: (setattr(e, "size", 6), setattr(e, "count", 1)), "programs"),
        (lambda e, n: setattr(e, "effects_each", 1 << 40), "programs"),
        (lambda e, n: setattr(e, "parameters", 0), "parameters"),
        (lambda e, n: n._place.fill(17), "places of the parameters"),
        (lambda e, n: n._place.fill(-2), "places of the parameters"),
        (lambda e, n: setattr(e, "rule", 5), "rule"),
        (lambda e, n: setattr(e, "rates", None), "rule"),
        (lambda e, n: e.state.__setitem__(1, None), "state of the rule"),
    ],
)
def test_an_epoch_that_would_read_or_write_elsewhere_is_refused_before_it_runs(change, part, adam):
    epochs = copy_of(adam)
    change(epochs._epoch, epochs)
    theta = epochs.theta.copy()
    with pytest.raises(ValueError, match=f"no epoch for the native machine: its {part} isn't as it must be"):
        epochs._epoch.run_by(MACHINE)
    np.testing.assert_array_equal(epochs.theta, theta)


@pytest.fixture(scope="module")
def adam():
    """A training of 23 examples in batches of 5."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return trained(monkeypatch, "1", RULES["Adam"], batch_size=5, epochs=1)[1]


def copy_of(trainer):
    """The epochs of a training, anew, with all of them still to run."""
    epochs = native_epochs.NativeEpochs(trainer._engine._resident, [X, SIGNS[:, None]], 5, np.arange(17))
    assert epochs.take_up(np.zeros(17), trainer.optimizer, None, (None, None))
    epochs._order[:] = np.arange(23)
    epochs._epoch.first, epochs._epoch.count = 0, 5
    return epochs


@needs_machine
def test_roots_of_subnormal_numbers_are_kept_where_nothing_is_added_to_them(monkeypatch):
    for rule in (optim.Adam, optim.RMSprop, optim.Adagrad):
        found = []
        for switch in ("0", "1"):
            monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", switch)
            w = ag.Parameter(1.0)
            trainer = Trainer(Only(w), lambda a, t: t * a, rule([w], lr=0.1, eps=0.0), 1, 3, progress=False)
            trainer.fit(np.ones((2, 1)), [1e-156, -2e-156])
            found.append(w.data)
        assert found[0] == found[1] != 1.0


def test_the_structure_has_the_fields_of_the_c_file_in_their_order():
    text = (build.HERE / "epoch.c").read_text(encoding="utf-8")
    for structure in (Column, Batches, Epoch):
        body = re.search(rf"typedef struct \{{([^}}]*)\}} {structure.__name__};", text)[1]
        body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        names = [re.search(r"(\w+)(\[\w+\])?$", part.strip())[1] for part in re.split("[;,]", body) if part.strip()]
        assert names == [name for name, _ in structure._fields_]


@needs_machine
def test_an_epoch_that_is_as_it_must_be_runs(adam):
    epochs = copy_of(adam)  # whose memory it is
    epoch = epochs._epoch
    epoch.run_by(MACHINE)
    assert (epoch.run, epoch.stepped, epoch.is_lost) == (5, 5, 0)


@pytest.mark.parametrize("array", [np.zeros(4), np.zeros(3, np.float32), np.zeros((3, 2))[:, 0]])
def test_an_array_that_is_not_what_the_machine_takes_for_one_is_refused(array):
    with pytest.raises(ValueError, match="expected 3 contiguous numbers of float64"):
        address(array, 3)
