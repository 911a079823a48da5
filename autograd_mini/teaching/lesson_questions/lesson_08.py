"""Questions of lesson 08: weights that are used at several places, a way around, recurrence."""

from autograd_mini import lectures, nn
from autograd_mini.teaching.question import choice, gradient, number

_CONVOLUTION = "z1 = w1*x1 + w2*x2; z2 = w1*x2 + w2*x3; L = z1 + 2*z2"
_CONVOLUTION_AT = {"w1": 1, "w2": -1, "x1": 1, "x2": 3, "x3": -2}
_RECURRENT = "h1 = w*x1; h2 = u*h1 + w*x2; h3 = u*h2 + w*x3"
_RECURRENT_AT = {"w": 1, "u": 2, "x1": 1, "x2": 3, "x3": 0}


def _dense_parameters() -> float:
    W = lectures.convolution_matrix(nn.Conv1d(3, 8, kernel_size=5), n_positions=20)
    return float(W.size + len(W))


def _gradient_of_a_frozen_weight() -> float:
    neuron = nn.Neuron(1, "identity")
    nn.freeze(neuron)
    head = nn.Parameter(2.0)
    (head * neuron([3.0])).backward()
    return neuron.weights[0].grad


QUESTIONS = [
    number(
        "How many parameters has Conv1d(3, 8, kernel_size=5)?",
        lambda: len(nn.Conv1d(3, 8, kernel_size=5).parameters()),
        "8·(3·5 + 1).",
        {
            120: "Each filter has a bias.",
            48: "A filter has a kernel for each of the 3 channels.",
            40: "And 3 channels?",
        },
    ),
    number(
        "How many has a dense layer that takes 3 channels of 20 numbers to 8 channels of 16?",
        _dense_parameters,
        "60·128 + 128.",
        {7680: "Each neuron has a bias.", 2560: "There are 3·20 inputs.", 7740: "There is a bias for each output."},
    ),
    gradient("y = x + tanh(w*x)", "x", "1 around, and w·tanh′ through the layer.", {"x": 0, "w": 0.5}),
    gradient(
        "h = x - x/2; y = h - h/2",
        "x",
        "(1 + f′)² with f′ = -½.",
        {"x": 3},
        "Two residual blocks.",
        {2.25: "What is 1 + f′, with f′ = -½?", 0.5: "This is one block."},
    ),
    gradient(
        "m = (x1 + x2)/2; y = x1 - m",
        "x1",
        "1 along the edge, -½ through the mean.",
        {"x1": 3, "x2": 7},
        "The mean of a batch.",
    ),
    gradient(
        "m = (x1 + x2)/2; y = x1 - m", "x2", "Only through the mean: -½.", {"x1": 3, "x2": 7}, "The mean of a batch."
    ),
    gradient(
        _CONVOLUTION, "w1", "The weight is used at both places: δ1·x1 + δ2·x2.", _CONVOLUTION_AT, "A convolution."
    ),
    gradient(_CONVOLUTION, "x2", "Both windows see x2: δ1·w2 + δ2·w1.", _CONVOLUTION_AT, "A convolution."),
    gradient(
        _RECURRENT,
        "w",
        "A path for each step: x3 + u·x2 + u²·x1.",
        _RECURRENT_AT,
        "A recurrent network with the identity.",
        {6: "The path from the first step is missing.", 4: "The path from the second step is missing."},
    ),
    gradient(
        _RECURRENT,
        "u",
        "h2 arrives at once, and h1 through u.",
        _RECURRENT_AT,
        "A recurrent network with the identity.",
        {5: "u is used in h2, too.", 2: "u is used in h3, too."},
    ),
    choice(
        "With the identity in place of tanh, which u keeps ∂h_T/∂x_1 at 1 over any number of steps, where w = 1?",
        {"a": "u = 0", "b": "u = ½", "c": "u = 1"},
        "c",
        "The gradient is u to the power T - 1.",
        {"a": "Then nothing of the past gets on.", "b": "Each step multiplies the gradient by u."},
    ),
    number(
        "A weight is frozen. What is its gradient after backward()?",
        _gradient_of_a_frozen_weight,
        "It has no part in the graph.",
        {1: "Nothing arrives at a frozen weight: it is left out of the graph."},
    ),
]
