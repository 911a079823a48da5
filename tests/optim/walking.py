"""What the tests of the optimizers share: the problem and figures of the recorder, and a walk on that problem."""

import json
import runpy
from pathlib import Path

import pytest

from autograd_mini import Value
from autograd_mini.optim import schedules
from autograd_mini.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop

RECORDER = runpy.run_path(str(Path(__file__).with_name("record_pytorch_figures.py")))
FIGURES = json.loads(RECORDER["FIGURES"].read_text(encoding="utf-8"))
START = RECORDER["START"]

# One of each kind that uses all it can remember.
BUSY = [
    pytest.param(SGD, {"lr": 2e-4, "momentum": 0.9, "dampening": 0.3}, id="SGD"),
    pytest.param(SGD, {"lr": 2e-4, "momentum": 0.9, "nesterov": True}, id="SGD-nesterov"),
    pytest.param(Adagrad, {"lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 0.5}, id="Adagrad"),
    pytest.param(RMSprop, {"lr": 1e-3, "momentum": 0.5, "centered": True, "eps": 1e-3}, id="RMSprop"),
    pytest.param(Adam, {"lr": 0.05, "betas": (0.8, 0.95), "weight_decay": 0.1}, id="Adam"),
    pytest.param(AdamW, {"lr": schedules.Exponential(0.05, 0.97), "weight_decay": 0.1}, id="AdamW"),
]


def values():
    return [Value(number) for number in START]


def walk(optimizer, steps, first=0, gaps=False):
    """Take steps on the problem; return where the parameters were after each."""
    places = []
    for step in range(first, first + steps):
        grads = RECORDER["gradient_with_gaps"]([p.data for p in optimizer.parameters], step, gaps)
        for parameter, grad in zip(optimizer.parameters, grads, strict=True):
            parameter.grad = grad
        optimizer.step()
        places.append([p.data for p in optimizer.parameters])
    return places


def data(optimizer):
    return [parameter.data for parameter in optimizer.parameters]
