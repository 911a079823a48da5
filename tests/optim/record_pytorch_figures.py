"""Record what PyTorch's optimizers, schedules and clipping do, into pytorch_figures.json beside this file.

Run it where PyTorch is installed, which the tests don't need: ``pip install torch==2.13.0 numpy``, then
``python tests/optim/record_pytorch_figures.py``. The tests take the problem and the settings from here and the figures
from the file.
"""

import json
import math
from pathlib import Path

FIGURES = Path(__file__).with_name("pytorch_figures.json")

START = [-1.2, 1.0, 3.0, -2.0, 0.5]
STEPS = 50
RECORDED = [1, 2, 3, 5, 10, 20, 35, 50]
# Settings with "gaps" give the last two parameters no gradient (None) at these steps: the very first ones, and again.
GAPS = [0, 1, 2, 20, 21]

OPTIMIZERS = [
    ["SGD", {"lr": 5e-4}],
    ["SGD", {}],
    ["SGD", {"lr": 2e-4, "momentum": 0.9}],
    ["SGD", {"lr": 2e-4, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}],
    ["SGD", {"lr": 2e-4, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}],
    ["SGD", {"lr": 2e-4, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "gaps": True}],
    ["Adagrad", {}],
    ["Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1}],
    ["Adagrad", {"lr": 0.1, "initial_accumulator_value": 2.0, "eps": 1e-3}],
    ["Adagrad", {"lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 2.0, "gaps": True}],
    ["RMSprop", {}],
    ["RMSprop", {"lr": 2e-3, "alpha": 0.9, "momentum": 0.7, "weight_decay": 0.1}],
    ["RMSprop", {"lr": 1e-3, "alpha": 0.95, "centered": True, "eps": 1e-3}],
    ["RMSprop", {"lr": 1e-3, "momentum": 0.5, "centered": True, "eps": 1e-2, "weight_decay": 0.1, "gaps": True}],
    ["Adam", {}],
    ["Adam", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4}],
    ["Adam", {"lr": 0.02, "weight_decay": 0.1}],
    ["Adam", {"lr": 0.02, "betas": [0.0, 0.9], "weight_decay": 0.1, "gaps": True}],
    ["AdamW", {}],
    ["AdamW", {"lr": 0.05, "weight_decay": 0.5}],
    ["AdamW", {"lr": 0.02, "betas": [0.5, 0.99], "weight_decay": 0.1, "gaps": True}],
]

# The arguments here, then PyTorch's kind and arguments.
SCHEDULES = [
    [["Step", 0.1, 7, 0.5], "StepLR", {"step_size": 7, "gamma": 0.5}],
    [["Exponential", 0.1, 0.9], "ExponentialLR", {"gamma": 0.9}],
    [["Cosine", 0.1, 40, 0.01], "CosineAnnealingLR", {"T_max": 40, "eta_min": 0.01}],
    [["Linear", 0.1, 30, 0.02], "LinearLR", {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 30}],
    [["WarmUp", ["Constant", 0.1], 8, 0.25], "LinearLR", {"start_factor": 0.25, "total_iters": 8}],
]
SCHEDULE_STEPS = [*range(0, 41, 3), 40]

GRADIENTS = [[3.0, -4.0, 12.0], [1e-3, 2e-3, 0.0], [0.0, 0.0], [math.inf, 1.0], [math.nan, 1.0], [math.inf, -math.inf]]
CLIPPINGS = [[max_norm, p] for max_norm in (1.0, 6.5, 100.0, 0.0, math.inf) for p in (2.0, 1.0, 3.0, math.inf)]


def gradient(x):
    """The gradient of Rosenbrock's valley in two parameters and a bowl, ½(0.01·c² + d² + 100·e²) + ½cd, in three."""
    a, b, c, d, e = x
    return [
        -2.0 * (1.0 - a) - 400.0 * a * (b - a * a),
        200.0 * (b - a * a),
        0.01 * c + 0.5 * d,
        d + 0.5 * c,
        100.0 * e,
    ]


def gradient_with_gaps(x, step, gaps):
    """The gradient, with None in the last two places at some steps."""
    full = gradient(x)
    return [*full[:3], None, None] if gaps and step in GAPS else full


def record_optimizer(torch, name, settings):
    settings = dict(settings)
    gaps = settings.pop("gaps", False)
    if "betas" in settings:
        settings["betas"] = tuple(settings["betas"])
    parameters = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in START]
    optimizer = getattr(torch.optim, name)(parameters, **settings)
    found = []
    for step in range(STEPS):
        grads = gradient_with_gaps([p.item() for p in parameters], step, gaps)
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = None if grad is None else torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
        if step + 1 in RECORDED:
            found.append([p.item() for p in parameters])
    return found


def record_schedule(torch, ours, name, settings):
    first = ours[1] if not isinstance(ours[1], list) else ours[1][1]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=first)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings)
    rates = []
    for step in range(max(SCHEDULE_STEPS) + 1):
        if step in SCHEDULE_STEPS:
            rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def _parameters(torch, grads):
    parameters = [torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in grads]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = torch.tensor(grad, dtype=torch.float64)
    return parameters


def record_clipping(torch, grads, max_norm, p):
    parameters = _parameters(torch, grads)
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type=p).item()
    return [norm, [parameter.grad.item() for parameter in parameters]]


def record_value_clipping(torch, grads, clip_value):
    parameters = _parameters(torch, grads)
    torch.nn.utils.clip_grad_value_(parameters, clip_value)
    return [parameter.grad.item() for parameter in parameters]


def main():
    import torch

    torch.set_num_threads(1)
    figures = {
        "torch": torch.__version__.split("+")[0],
        "optimizers": [[*setting, record_optimizer(torch, *setting)] for setting in OPTIMIZERS],
        "schedules": [[*setting, record_schedule(torch, *setting)] for setting in SCHEDULES],
        "clip_norm": [[g, *setting, record_clipping(torch, g, *setting)] for g in GRADIENTS for setting in CLIPPINGS],
        "clip_value": [[g, c, record_value_clipping(torch, g, c)] for g in GRADIENTS for c in (3.5, 0.0015)],
    }
    lines = []
    for key, entry in figures.items():
        rows = ",\n".join(json.dumps(row) for row in entry) if isinstance(entry, list) else None
        lines.append(f"{json.dumps(key)}: " + (f"[\n{rows}\n]" if rows else json.dumps(entry)))
    FIGURES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
