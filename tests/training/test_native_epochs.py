"""Epochs on the native machine: the same training as by the loop on NumPy, whatever the rule and the batches."""

import os

import numpy as np
import pytest

from autograd_mini import Trainer, datasets, nn, optim
from autograd_mini.native.library import library

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


def perceptron():
    return nn.MLP(2, [4, 1], "tanh", rng=0)


def trained(monkeypatch, switch, rule=RULES["SGD"], model=perceptron, epochs=3, fits=1, **how):
    """A training by the native machine ("1") or by the loop on NumPy ("0"): all its numbers; and it itself."""
    monkeypatch.setitem(os.environ, "AUTOGRAD_MINI_NATIVE", switch)
    made = model()
    trainer = Trainer(made, "hinge", rule(made.parameters()), epochs=epochs, progress=False, **how)
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


@needs_machine
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("how", [{}, {"clip_value": 0.05, "clip_norm": 0.1, "penalty": nn.L2(1e-2)}])
def test_every_rule_gives_what_the_loop_gives(rule, how, monkeypatch):
    expected, _ = trained(monkeypatch, "0", RULES[rule], batch_size=5, epochs=10, **how)
    found, trainer = trained(monkeypatch, "1", RULES[rule], batch_size=5, epochs=10, **how)
    assert ran_natively(trainer)
    assert_alike(found, expected)


def ran_natively(trainer):
    """Whether whole epochs were run by the machine."""
    return trainer._engine._bound_to is not None
