"""Questions of lesson 01: sums, products, a node used twice, a neuron, the two-layer example."""

from autograd_mini.engine.value import Value
from autograd_mini.teaching.question import choice, gradient, number

_NEURON = "z = w1*x1 + w2*x2 + b; a = tanh(z)"
_LAYERS = "z1 = w1*x + b1; a = sigmoid(z1); z2 = w2*a + b2; y_hat = sigmoid(z2); l = -log(1 - y_hat)"
_LAYERS_AT = {"w1": 0.5, "x": 2.0, "b1": -1.0, "w2": 2.0, "b2": -1.0}


def _after_two_passes() -> float:
    x = Value(2.0)
    L = x * x
    L.backward()
    L.backward()
    return x.grad


QUESTIONS = [
    gradient("L = 3*x + 1", "x", "Moved by a little, x moves L three times as far.", {"x": 2}),
    gradient(
        "L = a*b + c",
        "a",
        "The product passes on the other factor, b, and the sum passes 1.",
        {"a": 2, "b": -3, "c": 10},
    ),
    gradient("L = a*b + c", "c", "A sum passes on what arrives: 1.", {"a": 2, "b": -3, "c": 10}),
    gradient(
        "L = (a - b)*c", "b", "b is subtracted, so its local derivative is -1; c arrives.", {"a": 5, "b": 2, "c": 4}
    ),
    gradient(
        "d = a*b; e = d + c; L = e*f",
        "a",
        "f arrives at the sum, and b is the other factor.",
        {"a": 2, "b": -3, "c": 10, "f": -2},
    ),
    gradient(
        "L = x*x",
        "x",
        "x is used twice, and both contributions are added.",
        {"x": -4},
    ),
    gradient("L = x - x", "x", "Two edges, 1 and -1: their sum is 0, and L is 0 whatever x is.", {"x": 5}),
    gradient("p = x*x; q = 3*x; L = p*q", "x", "Three paths, each with the same product.", {"x": -1}),
    gradient(
        "L = (x - y)/(x + y)", "x", "Two paths, through the numerator and through the denominator.", {"x": 1, "y": 3}
    ),
    gradient(
        "L = (x - y)/(x + y)",
        "y",
        "The numerator's path has the sign -1, that of the denominator too.",
        {"x": 1, "y": 3},
    ),
    gradient(
        _NEURON,
        "w1",
        "tanh′(z) = 1 - a² arrives at z, and x1 is the other factor.",
        {"w1": -3, "x1": 2, "w2": 1, "x2": 0.5, "b": 6},
    ),
    gradient(
        _NEURON,
        "x2",
        "tanh′(z) = 1 - a² arrives at z, and w2 is the other factor.",
        {"w1": 1, "x1": 1, "w2": -2, "x2": 0.5, "b": 0},
    ),
    choice(
        "When is the gradient of z = w1*x1 + w2*x2 by w1 zero?",
        {"a": "when w1 = 0", "b": "when x1 = 0", "c": "when z = 0"},
        "b",
        "The other factor is x1, and w1 itself doesn't appear in it.",
        {
            "a": "Move w1 away from 0, with x1 = 2: does z move?",
            "c": "How far z is from 0 plays no part in how it changes.",
        },
    ),
    number(
        "x = Value(2.0), L = x*x, and L.backward() twice. What is x.grad?",
        _after_two_passes,
        "The gradients of leaves are added up until they are set to 0.",
        {4: "This is the gradient after one pass. Leaves accumulate.", 16: "The seed is 1 in the second pass, too."},
    ),
    gradient(_LAYERS, "z2", "With y = 0, δ at z2 is ŷ - y = ŷ.", _LAYERS_AT, "An example with y = 0."),
    gradient(_LAYERS, "w2", "δ at z2, times what comes in, a.", _LAYERS_AT, "An example with y = 0."),
    gradient(_LAYERS, "w1", "Stage (e): δ at z1, times x.", _LAYERS_AT, "An example with y = 0."),
]
