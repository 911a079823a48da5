"""Questions of lesson 11: a letter's row in a table, shares of attention, a head that is left out."""

import math

from autograd_mini import nn
from autograd_mini.teaching.question import choice, gradient, number, rule

_SHARES = "p1 = exp(s1)/(exp(s1) + exp(s2)); p2 = 1 - p1; a = p1*v1 + p2*v2"
_SHARES_AT = {"s1": 0, "s2": 0, "v1": 3, "v2": -1}
_TWICE = "h1 = e + c1; h2 = e + c2; L = h1*h2"


def _loss_of_guessing() -> float:
    return nn.cross_entropy([0.0] * 50, 7)


def _head_parameters() -> float:
    return len(nn.Layer(16, 27, "identity").parameters())


QUESTIONS = [
    gradient("s = (q1*k1 + q2*k2)/2", "q2", "k2, divided by √d.", {"q1": 1, "k1": 3, "q2": -1, "k2": 4}, "A score."),
    gradient(
        _TWICE,
        "e",
        "Both places add to the row's gradient: h2 through the first, h1 through the second.",
        {"e": 1, "c1": 2, "c2": 4},
        "A letter that stands at two places: its number e in the table, and the places' c1 and c2.",
        {5: "The letter stands at the second place, too.", 3: "The letter stands at the first place, too."},
    ),
    choice(
        "A letter occurs in no name of a batch. What is the gradient of its row in the table of letters?",
        {"a": "0", "b": "that of the dot", "c": "the mean of the others"},
        "a",
        "No edge leads from this row to the loss.",
        {"b": "The dot has a row of its own.", "c": "A row gets what comes back from the places where it is read."},
    ),
    number(
        "A model guesses among 50 tokens, all with the same probability. What is its loss for a letter?",
        _loss_of_guessing,
        "-log(1/50) = log 50.",
        {
            -math.log(50): "The loss is minus the logarithm of the probability.",
            1 / 50: "This is the probability.",
        },
    ),
    gradient(_SHARES, "v1", "The share p1.", _SHARES_AT, "What a place takes from two places."),
    gradient(
        _SHARES,
        "s1",
        "p1·p2·(v1 - v2): the larger one share, the smaller the other.",
        _SHARES_AT,
        "What a place takes from two places.",
        {0.75: "p2 depends on s1, too.", 4: "The derivative of the share is missing."},
    ),
    rule(
        "p1 = exp(s1)/(exp(s1) + exp(s2))",
        "s2",
        "-p1·(1 - p1).",
        [{"s1": 0.5, "s2": -1}, {"s1": 0, "s2": 1}, {"s1": -0.3, "s2": 0.2}],
    ),
    number(
        "How many parameters has a head, a layer from 16 numbers to 27 tokens?",
        _head_parameters,
        "(16 + 1)·27.",
        {432: "Each token has a bias, too.", 448: "There is a bias for each token, not for each input."},
    ),
]
