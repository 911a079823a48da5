"""Questions of lesson 12: the rules of powers, roots, e^x, log, ReLU, tanh and σ."""

from autograd_mini.teaching.question import gradient, rule

_POINTS = [{"z": 0.5}, {"z": -1.0}, {"z": 2.0}]
_POSITIVE = [{"x": 0.5}, {"x": 2.0}, {"x": 5.0}]

QUESTIONS = [
    gradient("y = x**3", "x", "3x².", {"x": 2}, mistakes={8: "That is y itself.", 4: "The factor 3 is missing."}),
    rule("y = x**4", "x", "The exponent comes to the front and becomes one less.", [{"x": 1.5}, {"x": -0.7}, {"x": 3}]),
    gradient("y = 1/x", "x", "1/x is x to the power -1, so -1/x².", {"x": 4}),
    gradient(
        "y = sqrt(x)",
        "x",
        "The exponent is ½: 1/(2√x).",
        {"x": 9},
        mistakes={1 / 3: "The exponent ½ comes to the front."},
    ),
    rule("y = exp(x)", "x", "e^x is its own derivative: y.", _POSITIVE),
    rule("y = log(x)", "x", "1/x.", _POSITIVE),
    gradient("u = 3*x; y = log(u)", "x", "1/u · 3 = 1/x.", {"x": 2}, mistakes={1 / 6: "The 3 of u = 3*x is missing."}),
    gradient("z = 2*x - 1; a = relu(z)", "x", "z is positive, so ReLU passes on 1; then 2.", {"x": 3}),
    gradient(
        "z = 2*x - 1; a = relu(z)", "x", "z is negative: nothing passes.", {"x": -3}, mistakes={2: "Which z is it?"}
    ),
    rule("a = tanh(z)", "z", "1 - a², or 1 - tanh²(z).", _POINTS),
    gradient("z = 2*x; a = tanh(z)", "x", "(1 - 0²)·2.", {"x": 0}),
    rule("a = sigmoid(z)", "z", "a·(1 - a).", _POINTS),
    gradient("z = w*x; a = sigmoid(z)", "w", "½·½·x.", {"w": 0, "x": 6}),
    gradient("u = 1 + x**2; y = log(u)", "x", "1/u · 2x.", {"x": 1}),
    rule("a = sigmoid(z); l = -log(a)", "z", "-1/a · a(1 - a) = a - 1.", _POINTS, "The loss of an example with y = 1."),
]
