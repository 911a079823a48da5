"""Questions of lesson 10: contributions, gradients that vanish, a step of gradient descent foretold."""

from autograd_mini import nn
from autograd_mini.engine.functions import dot, log, tanh
from autograd_mini.engine.value import Value
from autograd_mini.explanations.steps import backward_steps
from autograd_mini.teaching.question import choice, gradient, number

_LAYERS = (
    "z1 = w1*x; a1 = sigmoid(z1); z2 = w2*x; a2 = sigmoid(z2); z = v1*a1 + v2*a2; y_hat = sigmoid(z); l = -log(y_hat)"
)
_AT = {"w1": 0.0, "x": 1.5, "w2": 0.0, "v1": 2.0, "v2": -2.0}


def _contributions(root: Value) -> int:
    return sum(len(step.contributions) for step in backward_steps(root))


def _of_a_neuron(n: int) -> int:
    weights, inputs = [Value(0.1) for _ in range(n)], [Value(1.0) for _ in range(n)]
    return _contributions(tanh(dot(weights, inputs, Value(0.0))))


def _of_x() -> int:
    x = Value(3.0)
    *_, last = backward_steps(x * x + x)
    return len(last.contributions)


def _foretold() -> float:
    """By how much a step with η = 1 would change the loss of the lesson's network, if the loss were a plane."""
    model = nn.MLP(1, [2, 1], activation="sigmoid", output="sigmoid", rng=0)
    loss = -log(model([1.5]))
    loss.backward()
    return -sum(parameter.grad**2 for parameter in model.parameters())


QUESTIONS = [
    gradient("L = x*x + x", "x", "Two contributions of the product, and one of the sum.", {"x": 3}),
    number(
        "How many contributions has x in L = x*x + x?",
        _of_x,
        "Three edges leave x: two to the product, one to the sum.",
        {2: "The product uses x twice."},
    ),
    gradient("p = 2*x; q = x + 3; L = p*q", "x", "2·q on one path, p on the other: 4x + 6.", {"x": 2}),
    gradient("u = x - 10; L = relu(u)", "x", "ReLU is off at u = -7, and 0 arrives.", {"x": 3}),
    gradient("z = w*x + b; a = tanh(z)", "b", "1 - a² at z = 0, and a sum passes it on.", {"w": 1, "x": 2, "b": -2}),
    number(
        "How many contributions has the backward pass of a tanh neuron with 3 inputs and a bias?",
        lambda: _of_a_neuron(3),
        "One for z, and one for each of n weights, n inputs and the bias: 2n + 2.",
        {4: "The inputs have gradients, too, and z.", 7: "Don't forget z.", 6: "The bias and z have gradients, too."},
    ),
    choice(
        "Which of these makes the gradient of x zero?",
        {"a": "relu(x - 10) at x = 3", "b": "x*w at w = 0", "c": "x - x", "d": "each of them"},
        "d",
        "A ReLU that is off, a factor 0, and two contributions that cancel.",
        dict.fromkeys("abc", "That is one of them. Look at the others."),
    ),
    gradient(_LAYERS, "z", "-1/ŷ · ŷ(1 - ŷ) = ŷ - 1.", _AT),
    gradient(_LAYERS, "v1", "δ at z, times what comes in, a1.", _AT),
    gradient(_LAYERS, "w1", "δ at z, back through v1 and σ′(z1) = ¼, times x.", _AT),
    gradient(_LAYERS, "x", "Two paths, one through each hidden unit; nothing arrives, as w1 = w2 = 0.", _AT),
    number(
        "By how much would one step with η = 1 change the loss of this lesson's two-layer network, if the loss were a "
        "plane? (Press the last button of the page, or sum gradient · change over all parameters.)",
        _foretold,
        "-η·‖∇l‖². The loss is curved, so in truth it becomes less small than that.",
        {-_foretold(): "The loss becomes smaller: which sign has the change?"},
    ),
]
