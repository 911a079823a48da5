"""Questions of lesson 07: steps of the optimizers, penalties, dropout."""

from collections.abc import Callable
from typing import Any

from autograd_mini import lectures, optim
from autograd_mini.engine.derivatives import grad
from autograd_mini.teaching.question import gradient, number

_VALLEY = "L = 0.5*a**2 + 10*b**2"
_PENALTY = "p = w**2/(1 + w**2)"


def _after_a_step(rule: Callable[[Any], Any]) -> float:
    """Return b after a step in the valley."""
    start = (1.0, -0.5)
    return float(lectures.descent_path(lambda a, b: 0.5 * a**2 + 10 * b**2, start, rule, steps=1)[1, 1])


def _step_in_the_end() -> float:
    way = lectures.descent_path(lambda x: 2 * x, [0.0], lambda p: optim.SGD(p, lr=0.1, momentum=0.9), steps=200)
    return float(way[-2, 0] - way[-1, 0])


def _largest_stable_rate() -> float:
    return 2 / grad(grad(lambda w: 4 * w**2))(1.0)


def _strongest_pull() -> float:
    """Return where the derivative of weight elimination is largest: where its own derivative changes its sign."""
    bend = grad(grad(lambda w: w**2 / (1 + w**2)))
    low, high = 0.0, 2.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if bend(middle) > 0 else (low, middle)
    return low


QUESTIONS = [
    gradient(_VALLEY, "b", "20b: the valley is steep along b.", {"a": 1, "b": -0.5}),
    number(
        "L = 0.5*a**2 + 10*b**2 at a = 1, b = -0.5. What is b after a step of plain gradient descent with η = 0.08?",
        lambda: _after_a_step(lambda p: optim.SGD(p, lr=0.08)),
        "b - η·20b: it is on the other side of the valley now.",
        {-1.3: "The step goes against the gradient.", 0.8: "This is how far b moves.", -0.58: "That is a step of η."},
    ),
    number(
        "The same place, and a first step of Adam with η = 0.08. What is b?",
        lambda: _after_a_step(lambda p: optim.Adam(p, lr=0.08)),
        "The first step has the length η whatever the gradient: it is divided by its own size.",
        {
            -0.58: "The step goes against the gradient.",
            0.3: "This is the step of plain gradient descent. Adam divides by the gradient's size.",
        },
    ),
    number(
        "Momentum μ = 0.9, η = 0.1, and always the same gradient g = 2. How long does a step become in the end?",
        _step_in_the_end,
        "v = μv + g has the solution v = g/(1 - μ); the step is η·v.",
        {
            20: "This is v. The step is η times as long.",
            0.2: "This is the first step. Momentum adds up.",
            0.38: "This is the second step; v goes on growing.",
        },
    ),
    number(
        "Gradient descent on L = 4*w**2: above which η does it diverge?",
        _largest_stable_rate,
        "A step multiplies w by 1 - 8η, which is -1 there.",
        {
            0.125: "There the step ends in the minimum: w is multiplied by 0.",
            0.5: "The gradient is 8w.",
        },
    ),
    gradient(
        "e = (y - w*x)**2; p = 0.1*w**2; L = e + p",
        "w",
        "Two paths: -2·(y - wx)·x through the error, 0.2·w through the penalty.",
        {"y": 1, "w": 2, "x": 1},
        "L2 with λ = 0.1.",
        {2: "The penalty's path is missing.", 0.4: "The error's path is missing."},
    ),
    gradient("p = 0.1*abs(w)", "w", "λ·sign(w): the same for small and for large weights.", {"w": -0.01}, "L1."),
    gradient(
        _PENALTY,
        "w",
        "2w/(1 + w²)², by the quotient rule.",
        {"w": 1},
        "Weight elimination.",
        {1: "The denominator is squared.", 0.25: "The numerator's derivative is 2w."},
    ),
    number(
        "At which w > 0 does weight elimination, w**2/(1 + w**2), pull most strongly?",
        _strongest_pull,
        "The derivative of 2w/(1 + w²)² is 0 at w = 1/√3.",
        {
            1: "There the penalty is ½. Its derivative is larger at a smaller w.",
            3**0.5: "The denominator's part has the factor 3.",
            1 / 3: "This is w².",
        },
    ),
    number(
        "Each of four units stays with probability p; in one of 16 cases all four are dropped. What is p?",
        lambda: 1 - (1 / 16) ** (1 / 4),
        "(1 - p)⁴ = 1/16.",
        {1 / 16: "This is the probability that all four are dropped.", 0.25: "The fourth root, not a fourth."},
    ),
    gradient(
        "z = w1*m1*x1 + w2*m2*x2",
        "w1",
        "The mask m1 is 0: nothing that this unit did reached the output.",
        {"w1": 0.5, "m1": 0, "x1": 3, "w2": 4, "m2": 1, "x2": -2},
        "Dropout: the masks m1 and m2 are 0 and 1.",
        {3: "What is the mask of this unit?"},
    ),
]
