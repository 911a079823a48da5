"""Replies to the questions of lesson 05."""

import numpy as np

from autograd_mini import grad, nn
from autograd_mini.teaching import answer

REPLIES = {
    "5.1": "(3+1)*5 + (5+1)*1",
    "5.2": "11*4 + 5*4 + 5*2",
    "5.3": "-2*(0.7 - 0.2)",
    "5.4": "-2*(1 - 2)*0.5",
    "5.5": "-2*(1 - 2)",
    "5.6": "-2*(1 - 0)*3",
    "5.7": "-2*(1 - 0)*3*(1 - 0^2)",
    "5.8": "-2*(1 - 0)*3 + (-2)*(2 - 0)*(-1)",
    "5.9": "-2*(0 - 1)*0.5*1*2",
    "5.10": "-2*(y - s)*h",
    "5.11": "d",
    "5.12": "b",
    "5.13": "2*w/(1 + w^2)^2",
    "5.14": "2*2/(1 + 2^2)^2",
    "5.15": "c",
    "5.16": "-2*(0.7 - 0)",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    x = np.array([0.5, -1.0, 2.0])

    def gradient(y_is_s=False, s_is_zero=False):
        """Return the gradient of the output's weight from the hidden neuron 2."""
        net = nn.MLP(3, [5, 1], activation="tanh", rng=0)
        if s_is_zero:  # of the hidden neuron 2
            net.layers[0].neurons[2].bias.data = -float(np.dot([w.data for w in net.layers[0].neurons[2].weights], x))
        nn.squared_error(net(x), net(x).data if y_is_s else 0.7).backward()
        return net.layers[1].neurons[0].weights[2].grad

    print("as it is:", gradient())
    print("y = s:", gradient(y_is_s=True), " s_i = 0, x_i = 0:", gradient(s_is_zero=True))
    assert abs(gradient()) > 0.01
    assert gradient(y_is_s=True) == 0.0
    assert abs(gradient(s_is_zero=True)) < 1e-12

    assert len(nn.MLP(3, [5, 1]).parameters()) == 26
    assert len(nn.MLP(10, [4, 4, 2]).parameters()) == 11 * 4 + 5 * 4 + 5 * 2 == 74

    OR = nn.Neuron(2, activation="sign")
    OR.load_state_dict({"weight": [+1, +1], "bias": +1})
    assert [OR([g1, g2]).data for g1 in (-1, 1) for g2 in (-1, 1)] == [-1, 1, 1, 1]

    for size in (0.01, 0.5, 1.0, 3.0, 10.0):
        w = nn.Parameter(size)
        nn.WeightElimination(1.0)([w]).backward()
        by_formula, by_l2 = 2 * size / (1 + size**2) ** 2, grad(lambda v: v * v)(size)
        print(f"w = {size:5}: weight elimination pulls with {w.grad:.6f}, L2 with {by_l2:.6f}")
        assert abs(w.grad - by_formula) < 1e-12
        assert abs(by_l2 - 2 * size) < 1e-12

    dead = nn.MLP(3, [5, 1], activation="tanh", initializer="zeros")
    nn.squared_error(dead(x), 0.7).backward()
    moving = [name for name, parameter in dead.named_parameters() if parameter.grad != 0.0]
    print("not zero:", moving)
    assert moving == ["layers.1.neurons.0.bias"]
