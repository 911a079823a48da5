"""Replies to the questions of lesson 10."""

from autograd_mini import Value, backward_steps, dot, log, nn, tanh
from autograd_mini.teaching import answer

REPLIES = {
    "10.1": "3 + 3 + 1",
    "10.2": 3,
    "10.3": "2*(2 + 3) + 2*2",
    "10.4": 0,
    "10.5": "1 - 0^2",
    "10.6": "2*3 + 2",
    "10.7": "d",
    "10.8": "0.5 - 1",
    "10.9": "-0.5*0.5",
    "10.10": "-0.5*2*0.25*1.5",
    "10.11": "0 + 0",
    "10.12": "-1.194",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    x = Value(3.0, label="x")
    L = x * x + x
    *_, last = backward_steps(L)
    print(last)
    assert last.gradient == 7
    assert len(last.contributions) == 3

    for n in (1, 2, 10):
        weights, inputs = [Value(0.1) for _ in range(n)], [Value(1.0) for _ in range(n)]
        steps = backward_steps(tanh(dot(weights, inputs, Value(0.0))))
        count = sum(len(step.contributions) for step in steps)
        print(n, "inputs:", count)
        assert count == 2 * n + 2

    model = nn.MLP(1, [2, 1], activation="sigmoid", output="sigmoid", rng=0)
    loss = -log(model([1.5]))
    loss.backward()
    foretold = -sum(parameter.grad**2 for parameter in model.parameters())
    for parameter in model.parameters():
        parameter.data -= 1.0 * parameter.grad
    change = -log(model([1.5])).data - loss.data
    print(f"foretold {foretold:.4f}, in truth {change:.4f}")
    assert foretold < change < 0
