"""Replies to the questions of lesson 07."""

import math

from autograd_mini import Value, explain, grad, lectures, nn, optim
from autograd_mini.teaching import answer

REPLIES = {
    "7.1": "20*(-0.5)",
    "7.2": "-0.5 - 0.08*(-10)",
    "7.3": "-0.5 + 0.08",
    "7.4": "0.1*2/(1 - 0.9)",
    "7.5": "2/8",
    "7.6": "-2*(1 - 2*1)*1 + 2*0.1*2",
    "7.7": "-0.1",
    "7.8": "2*1/(1 + 1^2)^2",
    "7.9": "1/sqrt(3)",
    "7.10": "1/2",
    "7.11": 0,
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    w = Value(1.0, label="w")
    print(explain(w, nn.WeightElimination(1.0)([w])))
    elimination = grad(lambda w: w**2 / (1 + w**2))
    assert elimination(1.0) == 2 * 1 / (1 + 1) ** 2 == 0.5
    assert abs(grad(elimination)(1 / math.sqrt(3))) < 1e-12  # largest where the second derivative is 0

    for slope in (0.01, 1.0, 500.0):  # Adam's first step is η
        way = lectures.descent_path(lambda x, slope=slope: slope * x, [0.0], lambda p: optim.Adam(p, lr=0.1), steps=1)
        assert math.isclose(way[1, 0], -0.1, rel_tol=1e-5)
    way = lectures.descent_path(lambda x: 2 * x, [0.0], lambda p: optim.SGD(p, lr=0.1, momentum=0.9), steps=200)[:, 0]
    assert math.isclose(way[-2] - way[-1], 0.1 * 2 / (1 - 0.9), rel_tol=1e-6)  # η g / (1 - μ)
    assert (1 - 0.5) ** 4 == 1 / 16  # p = ½

    for lr, diverges in ((0.249, False), (0.251, True)):  # |1 - 8 η| > 1, so above 0.25
        way = lectures.descent_path(lambda w: 4 * w**2, [1.0], lambda p, lr=lr: optim.SGD(p, lr=lr), steps=100)
        print(f"η = {lr}: after 100 steps w = {way[-1, 0]:.3g}")
        assert (abs(way[-1, 0]) > 1) == diverges
