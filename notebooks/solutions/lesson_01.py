"""Replies to the questions of lesson 01."""

from autograd_mini import Value, explain
from autograd_mini.teaching import answer

REPLIES = {
    "1.1": 3,
    "1.2": -3,
    "1.3": 1,
    "1.4": "4 * (-1)",
    "1.5": "-3 * (-2)",
    "1.6": "2 * (-4)",
    "1.7": "1 - 1",
    "1.8": "9 * (-1)^2",
    "1.9": "2*3 / (1 + 3)^2",
    "1.10": "-2*1 / (1 + 3)^2",
    "1.11": "(1 - tanh(0.5)^2) * 2",
    "1.12": "(1 - 0^2) * (-2)",
    "1.13": "b",
    "1.14": "4 + 4",
    "1.15": "0.5 - 0",
    "1.16": "0.5 * 0.5",
    "1.17": "0.5 * 2 * 0.25 * 2",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    x, y = Value(1.0, label="x"), Value(3.0, label="y")
    L = (x - y) / (x + y)
    print(explain(x, L))
    assert abs(explain(x, L).step.gradient - 2 * 3.0 / (1.0 + 3.0) ** 2) < 1e-12  # 2y/(x+y)²

    x = Value(5.0, label="x")
    print(explain(x, x - x))  # 1 and -1 cancel
    print("∂(w1·x1 + w2·x2 + b)/∂w1 = x1: zero where x1 is zero")
