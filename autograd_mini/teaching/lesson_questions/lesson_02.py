"""Questions of lesson 02: a network's weights, the gradient of a mean loss, a step against it, the cross-entropy."""

import math

from autograd_mini import nn, optim
from autograd_mini.teaching.question import choice, gradient, graph, number

_SOFTMAX = "s = exp(z1) + exp(z2) + exp(z3); p1 = exp(z1)/s; l = -log(p1)"
_SAME = {"z1": 0, "z2": 0, "z3": 0}


def _weight_after_a_step() -> float:
    nodes = graph("L = (w*x - y)**2", w=1, x=2, y=5)
    nodes["L"].backward()
    optim.SGD([nodes["w"]], lr=0.1).step()
    return nodes["w"].data


def _loss_of_a_network_that_knows_nothing() -> float:
    ignorant = nn.MLP(4, [6, 3], initializer="zeros")
    return nn.cross_entropy(ignorant([0.5, -1.0, 2.0, 0.1]), 0).data


QUESTIONS = [
    number(
        "How many weights has a 4-8-3 network, the biases among them?",
        lambda: len(nn.MLP(4, [8, 3]).parameters()),
        "(4 + 1)·8 + (8 + 1)·3.",
        {
            56: "Each neuron has a bias, too.",
            64: "The output neurons have biases, too.",
            59: "The hidden neurons have biases, too.",
        },
    ),
    gradient(
        "L = (w*x - y)**2",
        "w",
        "2·(wx - y) arrives at the product, and x is the other factor.",
        {
            "w": 1,
            "x": 2,
            "y": 5,
        },
    ),
    number(
        "L = (w*x - y)**2 at w = 1, x = 2, y = 5. What is w after a step of gradient descent with η = 0.1?",
        _weight_after_a_step,
        "w - η·∂L/∂w: the gradient is negative, so w grows.",
        {
            -0.2: "The step goes against the gradient: it is subtracted.",
            13: "The gradient is multiplied by η first.",
            -12: "This is the gradient.",
            1.2: "This is how far w moves.",
        },
    ),
    gradient(
        "l1 = (w - 2)**2; l2 = (3*w - 3)**2; L = (l1 + l2)/2",
        "w",
        "The mean of the two examples' gradients.",
        {"w": 0},
        "The mean loss of two examples.",
        {-22: "This is the sum of both. L is the mean.", -5: "In l2, w is multiplied by 3."},
    ),
    number(
        "A network says the same probability for each of three classes. What is its cross-entropy for an example?",
        _loss_of_a_network_that_knows_nothing,
        "-log(1/3) = log 3.",
        {
            -math.log(3): "The logarithm of a probability is negative; the loss has a minus before it.",
            1 / 3: "This is the probability. The loss is minus its logarithm.",
            math.log(2): "There are three classes.",
        },
    ),
    gradient(
        _SOFTMAX,
        "z1",
        "p1 - 1: what the network says, minus what is right.",
        _SAME,
        "The cross-entropy of class 1, with three equal outputs.",
        {1 / 3: "This is p1 alone. z1 is the right class."},
    ),
    gradient(
        _SOFTMAX,
        "z2",
        "p2 - 0: a wrong class is pushed down by its probability.",
        _SAME,
        "The cross-entropy of class 1, with three equal outputs.",
        {-2 / 3: "This is the gradient of the right class."},
    ),
    choice(
        "Two trainings draw random batches with the same seed, from the same first weights. Are their losses equal?",
        {"a": "no, chance is chance", "b": "nearly", "c": "to the last bit"},
        "c",
        "A seed determines all numbers that are drawn.",
        {
            "a": "The seed determines which batches are drawn.",
            "b": "The same operations in the same order: where should a difference come from?",
        },
    ),
]
