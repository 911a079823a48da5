"""Replies to the questions of lesson 13."""

from autograd_mini import Value, explain, log, sigmoid
from autograd_mini.teaching import answer

REPLIES = {
    "13.1": "1/2",
    "13.2": "2*4*3 + 1",
    "13.3": "-2*(1 - 2) + 2*3*2",
    "13.4": "0.5 - 1",
    "13.5": 0,
    "13.6": "(0.5 - 1)*3/2",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    x, w = Value(4.0, label="x"), Value(3.0, label="w")
    loss = -log(sigmoid(w * ((x - 4) / 2)))
    print(explain(x, loss))
    loss.backward()
    assert (w.grad, x.grad) == (0.0, -0.75)
