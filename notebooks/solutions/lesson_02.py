"""Replies to the questions of lesson 02."""

import numpy as np

from autograd_mini import Trainer, datasets, nn, optim
from autograd_mini.teaching import answer

REPLIES = {
    "2.1": "(4+1)*8 + (8+1)*3",
    "2.2": "2*(1*2 - 5)*2",
    "2.3": "1 - 0.1*(-12)",
    "2.4": "(2*(0 - 2) + 2*(0 - 3)*3) / 2",
    "2.5": "log(3)",
    "2.6": "1/3 - 1",
    "2.7": "1/3 - 0",
    "2.8": "c",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    assert len(nn.MLP(3, [5, 1]).parameters()) == (3 + 1) * 5 + (5 + 1) * 1 == 26

    iris = datasets.iris()
    ignorant = nn.MLP(4, [6, 3], initializer="zeros")
    print("knowing nothing:", nn.cross_entropy(ignorant(iris.X[0]), 0).data)
    assert abs(nn.cross_entropy(ignorant(iris.X[0]), 0).data - np.log(3)) < 1e-12

    def trained(lr, seed=0):
        """Return the losses of a short training."""
        model = nn.MLP(4, [6, 3], activation="tanh", rng=0)
        optimizer = optim.SGD(model.parameters(), lr=lr)
        return Trainer(model, "cross_entropy", optimizer, epochs=3, seed=seed, progress=False).fit(iris.X, iris.y).loss

    assert trained(0.1) == trained(0.1)
    print("equal to the bit:", trained(0.1))
