"""Replies to the questions of lesson 08."""

from autograd_mini import Value, lectures, nn
from autograd_mini.teaching import answer

REPLIES = {
    "8.1": "8*(3*5 + 1)",
    "8.2": "60*128 + 128",
    "8.3": "1 + 0.5*(1 - 0^2)",
    "8.4": "(1 - 1/2)^2",
    "8.5": "1 - 1/2",
    "8.6": "-1/2",
    "8.7": "1*1 + 2*3",
    "8.8": "1*(-1) + 2*1",
    "8.9": "0 + 2*3 + 2^2*1",
    "8.10": "5 + 2*1",
    "8.11": "c",
    "8.12": 0,
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    conv = nn.Conv1d(3, 8, kernel_size=5)
    W = lectures.convolution_matrix(conv, n_positions=20)
    assert len(conv.parameters()) == 8 * (3 * 5 + 1) == 128
    assert W.size + len(W) == 60 * 128 + 128 == 7808

    rnn = nn.RNN(1, 1, activation="identity")
    rnn.cell.weight_ih[0][0].data, rnn.cell.weight_hh[0][0].data = 1.0, 1.0
    x = Value(0.3)
    rnn([[x]] + [[0.0]] * 49)[1][0].backward()
    print("u = 1, 50 steps: the gradient is", x.grad)
    assert x.grad == 1.0

    body, head = nn.Layer(2, 3, rng=0), nn.Layer(3, 1, "identity", rng=1)
    nn.freeze(body)
    nn.squared_error(head(body([0.5, -1.0])), [1.0]).backward()
    assert body.parameters()[0].grad == 0.0
    assert head.parameters()[0].grad != 0.0
