"""Questions of lesson 13: a gradient through a standardised feature, and what a grid fits."""

from itertools import product

from autograd_mini.teaching.question import gradient, number

_PIPELINE = "u = (x - m)/s; z = w*u; p = sigmoid(z); l = -log(p)"
_PIPELINE_AT = {"x": 4, "m": 4, "s": 2, "w": 3}


def _fits() -> float:
    grid = product(["tanh", "relu"], [0.01, 0.1, 1.0, 10.0])
    return len([(choice, split) for choice in grid for split in range(3)]) + 1


QUESTIONS = [
    gradient("u = (x - m)/s", "x", "1/s: the mean is only subtracted.", {"x": 6, "m": 4, "s": 2}, "A scaler."),
    number(
        "A grid has 2 activations and 4 values of α, with 3 splits of the data. How many networks are fitted, the last "
        "one on all training data among them?",
        _fits,
        "2·4·3 for the grid, and the best choice once more.",
        {24: "The best choice is fitted once more.", 9: "Each choice is fitted for each split.", 19: "Multiply them."},
    ),
    gradient(
        "e = (y - w*x)**2; p = alpha*w**2; L = e + p",
        "w",
        "-2·(y - wx)·x through the error, 2αw through the penalty.",
        {"y": 1, "w": 2, "x": 1, "alpha": 3},
        "The penalty l2.",
    ),
    gradient(_PIPELINE, "z", "p - 1: the true class is pushed up.", _PIPELINE_AT, "A pipeline of scaler and neuron."),
    gradient(
        _PIPELINE, "w", "(p - 1)·u, and u is 0: the mean has no say in w.", _PIPELINE_AT, "A pipeline, its x the mean."
    ),
    gradient(
        _PIPELINE,
        "x",
        "(p - 1)·w/s: back through the scaler, too.",
        _PIPELINE_AT,
        "A pipeline of scaler and neuron.",
        {-1.5: "This is ∂l/∂u. How far does u move when x moves?"},
    ),
]
