"""Questions of lesson 05: deltas, the lectures' quizzes on them, and the weight-elimination penalty."""

from autograd_mini import nn
from autograd_mini.engine.value import Value
from autograd_mini.teaching.question import Nodes, choice, gradient, number, rule

_ONE = "s1 = w*x; h = tanh(s1); s = u*h + u0; e = (y - s)**2"
_TWO = "h = tanh(s1); k1 = u1*h; k2 = u2*h; e = (1 - k1)**2 + (2 - k2)**2"


def _parameters(features: int, *widths: int) -> float:
    return len(nn.MLP(features, list(widths)).parameters())


def _all_weights_zero() -> Nodes:
    model = nn.MLP(3, [5, 1], activation="tanh", initializer="zeros")
    return {"b": model.layers[1].neurons[0].bias, "e": nn.squared_error(model([0.5, -1.0, 2.0]), Value(0.7))}


QUESTIONS = [
    number(
        "How many weights has a 3-5-1 network, the biases among them? (The lecture's quiz.)",
        lambda: _parameters(3, 5, 1),
        "(3 + 1)·5 + (5 + 1)·1.",
        {
            20: "Each neuron has a bias, too.",
            25: "The output neuron has a bias, too.",
            21: "So has each hidden neuron.",
        },
    ),
    number(
        "How many weights has a 10-4-4-2 network, the biases among them?",
        lambda: _parameters(10, 4, 4, 2),
        "11·4 + 5·4 + 5·2.",
        {64: "Each neuron has a bias, too."},
    ),
    gradient(
        "e = (y - s)**2",
        "s",
        "-2·(y - s), the delta of the output.",
        {"y": 0.7, "s": 0.2},
        mistakes={
            0.5: "The square's derivative has the factor 2, and s is subtracted.",
            -0.5: "The factor 2 is missing.",
        },
    ),
    gradient(
        "s = u0 + u1*h1 + u2*h2; e = (y - s)**2",
        "u1",
        "δ of the output, times what comes in, h1.",
        {"y": 1, "u0": 0.5, "u1": 2, "h1": 0.5, "u2": -1, "h2": -0.5},
    ),
    gradient(
        "s = u0 + u1*h1 + u2*h2; e = (y - s)**2",
        "u0",
        "The bias is the weight of x0 = 1: its gradient is δ.",
        {"y": 1, "u0": 0.5, "u1": 2, "h1": 0.5, "u2": -1, "h2": -0.5},
    ),
    gradient(
        "h = tanh(s1); s = u*h; e = (y - s)**2",
        "h",
        "δ of the output, times the weight u that h goes through.",
        {"y": 1, "s1": 0, "u": 3},
    ),
    gradient(
        "h = tanh(s1); s = u*h; e = (y - s)**2",
        "s1",
        "δ·u·tanh′(s1), and tanh′(0) = 1 - 0².",
        {"y": 1, "s1": 0, "u": 3},
    ),
    gradient(
        _TWO, "s1", "Two neurons take h: both deltas come back, each times its weight.", {"s1": 0, "u1": 3, "u2": -1}
    ),
    gradient(
        _ONE, "w", "The hidden neuron's delta, times what comes in, x.", {"w": 0, "x": 2, "u": 0.5, "u0": 1, "y": 0}
    ),
    rule(
        "s = u*h; e = (y - s)**2",
        "u",
        "The delta -2·(y - s), times what comes in, h.",
        [{"u": 1, "h": 0.5, "y": 2}, {"u": -2, "h": 0.3, "y": 1}, {"u": 0.7, "h": -0.8, "y": -1}],
    ),
    choice(
        "When is the gradient -2·(y - s)·x of an output weight zero? x = tanh(s1) comes from a hidden neuron. (The "
        "lecture's quiz.)",
        {"a": "when y = s", "b": "when x = 0", "c": "when s1 = 0", "d": "in each of these cases"},
        "d",
        "One factor is enough; and tanh 0 = 0.",
        {
            "a": "That is one case. Look at the other factor.",
            "b": "That is one case. Look at the other factor.",
            "c": "That is one case. Which x has this neuron then, and what else can be 0?",
        },
    ),
    choice(
        "OR of two inputs of ±1, as sign(α0 + α1·g1 + α2·g2): which α? (The lecture's quiz.)",
        {"a": "(-1, +1, +1)", "b": "(+1, +1, +1)", "c": "(+1, -1, -1)"},
        "b",
        "Only where both inputs are -1 does the sum become negative.",
        {"a": "Try g1 = +1, g2 = -1: the sum is -1. This is AND.", "c": "Try g1 = g2 = +1."},
    ),
    rule(
        "p = w**2/(1 + w**2)",
        "w",
        "2w/(1 + w²)², by the quotient rule.",
        [{"w": 0.5}, {"w": -1.2}, {"w": 3}],
        "Weight elimination. (The lecture's quiz.)",
    ),
    gradient("p = w**2/(1 + w**2)", "w", "Large weights are hardly pulled; L2 would pull by 4.", {"w": 2}),
    choice(
        "All weights of a 3-5-1 tanh network are 0. Which gradients aren't zero?",
        {"a": "none", "b": "all of the output neuron", "c": "the output's bias", "d": "all"},
        "c",
        "The hidden numbers are tanh 0 = 0, and the hidden deltas are multiplied by weights that are 0.",
        {
            "a": "A bias has the input 1.",
            "b": "Its weights take in the hidden numbers. What are they?",
            "d": "The hidden deltas are multiplied by the output's weights.",
        },
    ),
    gradient(
        _all_weights_zero,
        "b",
        "-2·(0.7 - 0): the output of such a network is 0.",
        text="All weights of a 3-5-1 tanh network are 0, and y = 0.7. What is the gradient of e = (y - s)² by the "
        "output's bias?",
    ),
]
