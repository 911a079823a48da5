"""Replies to the questions of lesson 03."""

from functools import partial

import numpy as np

from autograd_mini import datasets, lectures, nn, optim
from autograd_mini.teaching import answer

REPLIES = {
    "3.1": "-2*(4 - 2)",
    "3.2": "-2*(4 - 2)*3",
    "3.3": "-2*(1 - 0)*1 - 2*(3 - 0)*2",
    "3.4": "14/10",
    "3.5": "-2*(y - z)*x",
    "3.6": "(0.5 - 1)*2",
    "3.7": "y_hat - y",
    "3.8": "-2*(1 - 0.5)*0.5*(1 - 0.5)",
    "3.9": "b",
    "3.10": "-2*(3 - 2)*2 + 2*0.5*1",
    "3.11": "c",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    X, y = datasets.linear(n=60, noise=0.1, seed=3)
    A = np.column_stack([X, np.ones(len(X))])
    narrow = np.linalg.solve(A.T @ A + 0.1**2 / 1e-12 * np.diag([1.0, 0.0]), A.T @ y)
    print(f"a narrow prior: w = {narrow[0]:.6f}, b = {narrow[1]:.6f}, the mean of y is {y.mean():.6f}")
    assert abs(narrow[0]) < 1e-6
    assert abs(narrow[1] - y.mean()) < 1e-6

    neuron = nn.Neuron(1, activation="sigmoid")
    pushes = {}
    for loss in (nn.binary_cross_entropy, nn.squared_error):
        neuron.load_state_dict({"weight": [1.0], "bias": -20.0})
        neuron.zero_grad()
        loss(neuron([0.0]), 1.0).backward()
        pushes[loss.__name__] = neuron.b.grad
    print(pushes)
    assert abs(pushes["binary_cross_entropy"] + 1) < 1e-6
    assert abs(pushes["squared_error"]) < 1e-6

    # Beyond school calculus: up to which step size does gradient descent on all examples converge? Below 2/λ, where λ
    # is the largest eigenvalue of the second derivatives.
    steepest = np.linalg.eigvalsh(2 * A.T @ A / len(X)).max()

    def mean_loss(w, b):
        """Return the mean squared error of a line."""
        return sum((t - w * x - b) ** 2 for x, t in zip(X[:, 0].tolist(), y.tolist(), strict=True)) / len(X)

    for factor in (1.9, 2.1):
        rule = partial(optim.SGD, lr=factor / steepest)
        way = lectures.descent_path(mean_loss, (0.0, 0.0), rule, steps=60)
        print(f"β = {factor}/λ: loss {mean_loss(*way[0]):.3f} → {mean_loss(*way[-1]):.3g}")
        assert (mean_loss(*way[-1]) < mean_loss(*way[0])) == (factor < 2)
