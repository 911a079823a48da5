"""Replies to the questions of lesson 13."""

from autograd_mini import Value, explain, nn
from autograd_mini.teaching import answer

REPLIES = {
    "13.1": "(2 + 1)*3 + (3 + 1)*3",
    "13.2": "1/3",
    "13.3": "1/3 - 1",
    "13.4": "(1/3 - 1)*12",
    "13.5": "d",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    w, a = Value(0.0, label="w"), Value(12.0, label="a")
    L = nn.cross_entropy([Value(0.0), Value(0.0), w * a], 2)
    print(explain(w, L))
    assert abs(explain(w, L).step.gradient - (1 / 3 - 1) * 12) < 1e-12
