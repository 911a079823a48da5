"""Questions of lesson 03: one neuron, its squared error and its cross-entropy, the best weights, a prior."""

from autograd_mini.engine.derivatives import grad
from autograd_mini.teaching.question import BEYOND_SCHOOL, choice, gradient, number, rule

_LINE = "z = w*x + b; l = (y - z)**2"
_LINE_AT = {"w": 1, "x": 3, "b": -1, "y": 4}
_LOGISTIC = "z = w*x + b; y_hat = sigmoid(z); l = -log(y_hat)"


def _best_weight() -> float:
    slope = grad(lambda w: (1 - w) ** 2 + (3 - 2 * w) ** 2)
    return slope(0.0) / (slope(0.0) - slope(1.0))  # the derivative of a parabola is a line


QUESTIONS = [
    gradient(_LINE, "b", "-2·(y - z): the bias passes on what arrives.", _LINE_AT),
    gradient(_LINE, "w", "-2·(y - z) arrives, and x is the other factor.", _LINE_AT),
    gradient(
        "l1 = (1 - w)**2; l2 = (3 - 2*w)**2; L = l1 + l2",
        "w",
        "The gradients of the examples are added up.",
        {"w": 0},
        "Two examples: x = 1, y = 1 and x = 2, y = 3.",
        {-7: "The square's derivative has the factor 2.", -8: "In l2, w is multiplied by x = 2."},
    ),
    number(
        "The same two examples, L = (1 - w)**2 + (3 - 2*w)**2. For which w is ∂L/∂w = 0?",
        _best_weight,
        "-2·(1 - w) - 4·(3 - 2w) = 10w - 14.",
        {
            1: "This is best for the first example alone.",
            1.5: "This is best for the second example alone.",
            1.25: "This is the mean of what is best for each. The second example's gradient is steeper.",
        },
    ),
    rule(
        _LINE,
        "w",
        "-2·(y - z)·x.",
        [_LINE_AT, {"w": -0.5, "x": 2, "b": 0.3, "y": 1}, {"w": 2, "x": -1.5, "b": 1, "y": 0.2}],
    ),
    gradient(
        _LOGISTIC,
        "w",
        "(ŷ - 1)·x, as y = 1.",
        {"w": 1, "x": 2, "b": -2},
        "Logistic regression, an example with y = 1.",
        {-0.5: "This is ∂l/∂z. What is multiplied by w?"},
    ),
    rule(
        "y_hat = sigmoid(z); l = -(y*log(y_hat) + (1 - y)*log(1 - y_hat))",
        "z",
        "ŷ - y: what the neuron says, minus what is right.",
        [{"z": 0.5, "y": 1}, {"z": -1.2, "y": 0}, {"z": 0.8, "y": 0.3}],
    ),
    gradient(
        "y_hat = sigmoid(z); e = (1 - y_hat)**2",
        "z",
        "-2·(1 - ŷ)·ŷ(1 - ŷ).",
        {"z": 0},
        "The squared error of a sigmoid neuron, y = 1.",
        {-0.5: "This is the gradient of the cross-entropy.", -1: "The factor σ′(z) is missing."},
    ),
    choice(
        "A sigmoid neuron is badly wrong: y = 1, but z = -20. Which loss has a gradient by z that is not nearly 0?",
        {"a": "the squared error", "b": "the cross-entropy", "c": "both", "d": "neither"},
        "b",
        "ŷ - y is -1; the squared error's gradient has the factor σ′(z), which is nearly 0.",
        {
            "a": "Its gradient has the factor σ′(z). How large is it at z = -20?",
            "c": "Look at σ′(z) at z = -20: which of the two has it as a factor?",
            "d": "What is ŷ - y here?",
        },
    ),
    gradient(
        "l = (y - w*x)**2; p = c*w**2; L = l + p",
        "w",
        "Two paths, through the error and through the penalty: -2·(y - wx)·x + 2cw.",
        {"y": 3, "w": 1, "x": 2, "c": 0.5},
        "A prior on w is a penalty p.",
    ),
    choice(
        f"{BEYOND_SCHOOL} The prior on w becomes very narrow, τ → 0. What are the most probable w and b?",
        {
            "a": "those of least squares",
            "b": "w = 0 and b = 0",
            "c": "w = 0, and b is the mean of all y",
        },
        "c",
        "There is no prior on b, and the best constant is the mean.",
        {
            "a": "A wide prior leaves those. A narrow one believes in w = 0.",
            "b": "There is no prior on b.",
        },
    ),
]
