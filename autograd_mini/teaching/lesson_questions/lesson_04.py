"""Questions of lesson 04: perceptrons for logic, and gradients of tanh where the sign has none."""

from autograd_mini import nn
from autograd_mini.teaching.question import choice, gradient, number, rule

_NEURON = "z = w1*g1 + w2*g2 + b; a = tanh(z)"
_NEURON_AT = {"w1": 1, "g1": 1, "w2": 2, "g2": -1, "b": 1}

QUESTIONS = [
    choice(
        "NOR is true where neither input is, as sign(α0 + α1·g1 + α2·g2): which α?",
        {"a": "(-1, -1, -1)", "b": "(+1, -1, -1)", "c": "(-1, +1, +1)"},
        "a",
        "OR with all signs turned.",
        {"b": "Try g1 = +1, g2 = -1: the sum is +1. This is NOT AND.", "c": "Try g1 = g2 = +1. This is AND."},
    ),
    choice(
        "AND of three inputs of ±1, as sign(α0 + g1 + g2 + g3): which α0?",
        {"a": "-1", "b": "-2", "c": "-4"},
        "b",
        "The sum is 1 if all are true, and at most -1 if one isn't.",
        {"a": "Try one input that is false: the sum is 0, which is not below 0.", "c": "Try three true inputs."},
    ),
    choice(
        "XNOR is true where both inputs are equal. Of which numbers of the XOR network is the sign turned?",
        {
            "a": "the three of one hidden perceptron",
            "b": "the four hidden weights",
            "c": "the three of the output",
        },
        "c",
        "The output says the opposite then.",
        {
            "a": "Try g1 = +1, g2 = -1: the other hidden perceptron still says +1.",
            "b": "The two hidden perceptrons only change places.",
        },
    ),
    number(
        "How many weights has the 2-4-1 network, the biases among them?",
        lambda: len(nn.MLP(2, [4, 1]).parameters()),
        "(2 + 1)·4 + (4 + 1)·1.",
        {12: "Each neuron has a bias, too.", 16: "The output has a bias, too.", 13: "The hidden neurons have biases."},
    ),
    gradient(
        "a = sign(z); e = (1 - a)**2",
        "z",
        "The derivative of the sign is 0: nothing comes through.",
        {"z": -2},
        mistakes={-4: "This is ∂e/∂a. Which factor does the sign add?"},
    ),
    gradient(
        "a = tanh(z); e = (1 - a)**2",
        "z",
        "-2·(1 - a)·(1 - a²): with tanh, the error comes through.",
        {"z": 0},
    ),
    gradient(_NEURON, "w2", "1 - a² arrives, and g2 is the other factor.", _NEURON_AT),
    gradient(_NEURON, "g2", "1 - a² arrives, and w2 is the other factor.", _NEURON_AT),
    gradient(
        "a = tanh(k*s)",
        "s",
        "k·(1 - a²): the steeper, the larger at 0.",
        {"k": 4, "s": 0},
        mistakes={1: "This is tanh′. By how much does k*s move when s moves?"},
    ),
    rule(
        "t = 2*sigmoid(2*s) - 1",
        "s",
        "4σ(1 - σ), which is 1 - t²: the derivative of tanh.",
        [{"s": 0.5}, {"s": -1.0}, {"s": 0.2}],
    ),
    gradient(
        "h1 = tanh(z1); h2 = tanh(z2); a = tanh(h1 + h2 + b)",
        "z2",
        "(1 - a²)·(1 - h2²).",
        {"z1": 0.5, "z2": 0, "b": -0.46},
        "The XOR network with tanh.",
    ),
]
