"""Questions of lesson 13: the network behind an estimator, and what a prediction's loss asks of its weights."""

from autograd_mini import nn
from autograd_mini.engine.value import Value
from autograd_mini.teaching.question import Nodes, choice, gradient, number


def _parameters() -> int:
    return len(nn.MLP(2, [3, 3], activation="relu").parameters())


def _even_scores() -> Nodes:
    """Three classes with equal scores; the third one is true."""
    z = [Value(0.0, label=f"z{i}") for i in (1, 2, 3)]
    loss = nn.cross_entropy(z, 2)
    loss.label = "L"
    return {**{one.label: one for one in z}, "L": loss}


def _weight() -> Nodes:
    """Return the same scores; the true one is a weight of 0 times a hidden number."""
    w, a, others = Value(0.0, label="w"), Value(12.0, label="a"), [Value(0.0), Value(0.0)]
    z3 = w * a
    z3.label = "z3"
    loss = nn.cross_entropy([*others, z3], 2)
    loss.label = "L"
    return {"w": w, "a": a, "z3": z3, "L": loss}


_EVEN = "Three classes, with the scores z1 = z2 = z3 = 0; the third is true. L = -log p3, and p = softmax(z)."

QUESTIONS = [
    number(
        "How many parameters has a network of 2 features, 3 hidden neurons and 3 classes?",
        _parameters,
        "(2 + 1)·3 + (3 + 1)·3: one bias for each neuron.",
        {
            15: "Each neuron has a bias, too.",
            9: "That is the hidden layer alone.",
            12: "That is the output layer alone.",
        },
    ),
    gradient(
        _even_scores, "z1", "p1 - 0: the probability of a class that isn't true.", text=f"{_EVEN}\nWhat is ∂L/∂z1?"
    ),
    gradient(_even_scores, "z3", "p3 - 1: the probability minus what it should be.", text=f"{_EVEN}\nWhat is ∂L/∂z3?"),
    gradient(
        _weight,
        "w",
        "p3 - 1 arrives at z3, and the hidden number is the other factor.",
        text=f"{_EVEN}\nIn it z3 = w*a, with the hidden number a = 12 and the weight w = 0. What is ∂L/∂w?",
    ),
    choice(
        "For one flower, a hidden neuron's ReLU is off. Which of its weights get a gradient that isn't 0?",
        {"a": "those that go into it", "b": "those that lead on from it", "c": "both", "d": "neither"},
        "d",
        "Those before it get 0 from the ReLU; those behind it are multiplied by its output, 0.",
        {
            "a": "What is the derivative of a ReLU that is off?",
            "b": "What is their local derivative? The other factor is the ReLU's output.",
            "c": "What does a ReLU pass on that is off, and what is its output?",
        },
    ),
]
