"""Questions of lesson 09: the entries of matrix derivatives, the stages (a) to (e), and what a program is made of."""

import math

from autograd_mini.engine import functions
from autograd_mini.engine.value import Value
from autograd_mini.teaching.question import Nodes, choice, gradient, number, rule
from autograd_mini.vectorizer import vectorize

_LAYERS = (
    "z1 = w1*x + b1; a = sigmoid(z1); z2 = w2*a + b2; y_hat = sigmoid(z2); l = -(y*log(y_hat) + (1 - y)*log(1 - y_hat))"
)
_LAYERS_AT = {"w1": 1, "x": 2, "b1": -2, "w2": 4, "b2": -2, "y": 1}
_MATRIX = "z1 = w11*x1 + w12*x2; z2 = w21*x1 + w22*x2; C = ((z1 - t1)**2 + (z2 - t2)**2)/2"
_MATRIX_AT = {"w11": 1, "w12": 0, "w21": 2, "w22": -1, "x1": 3, "x2": 1, "t1": 1, "t2": 2}
_EXAMPLE = "The lecture's two-layer example, y = 1."


def _huber() -> Nodes:
    d = Value(-3.0, label="d")
    return {"d": d, "h": functions.where(abs(d) <= 1, d * d / 2, abs(d) - 0.5)}


def _uncertainty() -> float:
    gravity = vectorize(lambda length, period: 4 * math.pi**2 * length / period**2)
    _, (by_length, by_period) = gravity.value_and_gradients([1.0], [2.006])
    return math.hypot(by_length[0] * 0.002, by_period[0] * 0.004)


QUESTIONS = [
    gradient(
        _huber,
        "d",
        "Outside, h = |d| - ½ is a line.",
        text="The Huber loss h is d²/2 where |d| ≤ 1, and |d| - ½ elsewhere. What is ∂h/∂d at d = -3?",
        mistakes={-3: "This is the parabola's derivative. Which of the two formulas holds here?"},
    ),
    rule(
        "g = 4*pi**2*l/P**2",
        "P",
        "-2g/P.",
        [{"l": 1, "P": 2}, {"l": 0.5, "P": 1.5}, {"l": 2, "P": 3}],
        "g from a pendulum's length l and period P.",
    ),
    number(
        "l = 1 ± 0.002 m, P = 2.006 ± 0.004 s. How uncertain is g, by the squares of derivative times uncertainty?",
        _uncertainty,
        "The root of the sum of both squares.",
        {
            0.0589: "The squares are added, not the numbers.",
            0.0391: "And the length's uncertainty?",
            0.0196: "And the period's uncertainty?",
        },
    ),
    gradient(_MATRIX, "w21", "Row 2, column 1 of δxᵀ: δ2·x1.", _MATRIX_AT, "An entry of δxᵀ."),
    gradient(_MATRIX, "x1", "Component 1 of Wᵀδ: w11·δ1 + w21·δ2.", _MATRIX_AT, "A component of Wᵀδ."),
    gradient(_LAYERS, "y_hat", "Stage (a): -y/ŷ + (1 - y)/(1 - ŷ).", _LAYERS_AT, _EXAMPLE),
    gradient(_LAYERS, "z2", "Stage (b): δ_ŷ·g′(z²), which is ŷ - y.", _LAYERS_AT, _EXAMPLE),
    gradient(_LAYERS, "w2", "Stage (c): δ_z²·a.", _LAYERS_AT, _EXAMPLE),
    gradient(_LAYERS, "z1", "Stage (d): δ_z²·w², then g′(z¹).", _LAYERS_AT, _EXAMPLE),
    gradient(_LAYERS, "w1", "Stage (e), the lecture's homework: δ_z¹·x.", _LAYERS_AT, f"{_EXAMPLE} (Its homework.)"),
    choice(
        "How many statements has the program of a network with 100 hidden neurons, in place of 4?",
        {"a": "25 times as many", "b": "96 more", "c": "as many"},
        "c",
        "Only the shapes of the arrays change.",
        {
            "a": "A statement computes a whole layer.",
            "b": "A statement computes a whole layer, however many neurons it has.",
        },
    ),
    choice(
        "What becomes of a convolution in the program?",
        {"a": "a loop over the places", "b": "a matrix product", "c": "a statement for each place"},
        "b",
        "Each filter with all windows at once; the transposed product adds up the weights' gradients.",
        {"a": "A program has no loops.", "c": "One statement takes all windows."},
    ),
]
