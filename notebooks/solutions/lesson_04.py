"""Replies to the questions of lesson 04."""

from autograd_mini import nn
from autograd_mini.teaching import answer

REPLIES = {
    "4.1": "a",
    "4.2": "b",
    "4.3": "c",
    "4.4": "(2+1)*4 + (4+1)*1",
    "4.5": 0,
    "4.6": "-2*(1 - 0)*(1 - 0^2)",
    "4.7": "(1 - 0^2)*(-1)",
    "4.8": "(1 - 0^2)*2",
    "4.9": "4*(1 - 0^2)",
    "4.10": "1 - t^2",
    "4.11": "(1 - tanh(tanh(0.5) + 0 - 0.46)^2)*(1 - 0^2)",
}
CASES = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)]


def perceptron(bias, *weights):
    """Return a perceptron with these weights."""
    neuron = nn.Neuron(len(weights), activation="sign")
    neuron.load_state_dict({"weight": weights, "bias": bias})
    return neuron


if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    assert [perceptron(+1, +1, +1)(case).data for case in CASES] == [-1, 1, 1, 1]  # OR
    assert [perceptron(-1, -1, -1)(case).data for case in CASES] == [1, -1, -1, -1]  # NOR

    AND3 = perceptron(-2, 1, 1, 1)
    assert [AND3((*case, third)).data > 0 for case in CASES for third in (-1.0, 1.0)] == [False] * 7 + [True]

    network = nn.MLP(2, [2, 1], activation="sign", output="sign")
    hidden = {"layers.0.weight": [[-1, +1], [+1, -1]], "layers.0.bias": [-1, -1]}
    network.load_state_dict({**hidden, "layers.1.weight": [[+1, +1]], "layers.1.bias": [+1]})
    assert [network(case).data for case in CASES] == [-1, 1, 1, -1]  # XOR
    network.load_state_dict({**hidden, "layers.1.weight": [[-1, -1]], "layers.1.bias": [-1]})
    assert [network(case).data for case in CASES] == [1, -1, -1, 1]  # XNOR

    assert len(nn.MLP(2, [4, 1]).parameters()) == 17
    print("NOR, AND of three, XNOR: all right")
