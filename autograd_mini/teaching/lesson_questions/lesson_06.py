"""Questions of lesson 06: paths and shared factors, long products, saturation."""

from collections.abc import Callable

from autograd_mini import lectures
from autograd_mini.engine.derivatives import grad
from autograd_mini.engine.functions import sigmoid
from autograd_mini.engine.value import Value
from autograd_mini.graph import count_paths
from autograd_mini.teaching.question import choice, gradient, number

_CHAIN = "z1 = tanh(t1*x); z2 = tanh(t2*z1); y = t3*z2"
_CHAIN_AT = {"t1": 0.0, "x": 2.0, "t2": 3.0, "t3": -1.0}
_SHARED = "u1 = 2*t; u2 = -1*t; v1 = u1 + u2; v2 = u1*u2; y = 3*v1 + v2"


def _in_the_network(count: Callable[[Value, Value], int]) -> int:
    network = lectures.shared_network(layers=3, width=5)
    return count(network.y, network.theta)


def _steepest(layers: int) -> float:
    return lectures.vanishing_products("sigmoid", [layers], weight=1.0, z=0.0)[0]


QUESTIONS = [
    gradient(_CHAIN, "z2", "The other factor, θ3.", _CHAIN_AT),
    gradient(_CHAIN, "z1", "θ3 arrives, times 1 - z2², times θ2: a product along the chain.", _CHAIN_AT),
    gradient(_CHAIN, "t1", "What arrives at z1 is used again, times 1 - z1², times x.", _CHAIN_AT),
    gradient("u1 = 2*t; u2 = -1*t; u3 = 4*t; y = 3*u1 + 5*u2 + u3", "t", "Three paths, three products.", {"t": 1}),
    gradient(_SHARED, "u1", "Through v1 comes 3·1, through v2 comes 1·u2.", {"t": 1}),
    gradient(_SHARED, "t", "Four paths; the gradients of u1 and u2 hold them all.", {"t": 1}),
    number(
        "How many paths lead through 3 layers of 5 units?",
        lambda: _in_the_network(count_paths),
        "5·5·5.",
        {15: "At each layer there is a choice anew: multiply.", 25: "There are three layers."},
    ),
    number(
        "How many products do they take without sharing, every path on its own, one product for an edge?",
        lambda: _in_the_network(lectures.products_without_sharing),
        "125 paths of 4 edges.",
        {125: "That is the number of paths. How many edges has each?", 375: "θ and y have edges, too: 4 on each path."},
    ),
    number(
        "And with sharing, one product for each edge?",
        lambda: _in_the_network(lectures.products_with_sharing),
        "5 + 25 + 25 + 5 edges.",
        {50: "The edges from θ and those to y are missing.", 55: "The edges from θ or those to y are missing."},
    ),
    gradient("a = sigmoid(w*x)", "x", "w·σ′(0), and σ′(0) = ½·½, the largest there is.", {"w": 1, "x": 0}),
    gradient("a1 = sigmoid(z1); z2 = 4*(a1 - 0.5); a2 = sigmoid(z2)", "z1", "¼·4·¼.", {"z1": 0}),
    number(
        "In a chain of 10 sigmoid layers with w = 1, how large can ∂a10/∂x be at most? (As an expression.)",
        lambda: _steepest(10),
        "A quarter for each layer: less than one in a million.",
        {2.5: "The factors are multiplied, not added.", 0.5**10: "The largest slope of σ is less than ½."},
    ),
    number(
        "Which weight w keeps the product at 1 where z = 0 in every sigmoid layer?",
        lambda: 1 / grad(sigmoid)(0.0),
        "w·σ′(0) = 1.",
        {
            1: "Then each layer multiplies by σ′(0).",
            2: "σ(0) is ½, but the factor is σ′(0).",
            0.25: "w·σ′(0) is to be 1.",
        },
    ),
    gradient("z1 = 2*x; a1 = relu(z1); z2 = 5 - 3*a1; a2 = relu(z2); y = 4*a2", "x", "2·1·(-3)·1·4.", {"x": 0.5}),
    gradient(
        "z1 = 2*x; a1 = relu(z1); z2 = 5 - 3*a1; a2 = relu(z2); y = 4*a2",
        "x",
        "z2 is negative: one zero on the path is enough.",
        {"x": 2},
        mistakes={-24: "Compute z2: what does ReLU do there?"},
    ),
    choice(
        "When is the gradient of a ReLU chain by its input exactly 0?",
        {
            "a": "when any pre-activation is negative",
            "b": "when all are negative",
            "c": "when there are very many layers",
        },
        "a",
        "One factor 0 makes the product 0.",
        {"b": "How many zeros does a product need?", "c": "Factors of 1 stay 1, however many."},
    ),
]
