"""Replies to the questions of lesson 09."""

import numpy as np

from autograd_mini import log, nn, vectorize, where
from autograd_mini.teaching import answer

REPLIES = {
    "9.1": -1,
    "9.2": "-2*g/P",
    "9.3": "sqrt((4*pi^2/2.006^2 * 0.002)^2 + (8*pi^2/2.006^3 * 0.004)^2)",
    "9.4": "(5 - 2)*3",
    "9.5": "1*(3 - 1) + 2*(5 - 2)",
    "9.6": "-1/0.5 + 0",
    "9.7": "0.5 - 1",
    "9.8": "-0.5 * 0.5",
    "9.9": "-0.5 * 4 * 0.5*(1 - 0.5)",
    "9.10": "-0.5 * 2",
    "9.11": "c",
    "9.12": "b",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out. The stages (a) to (e) are in the backward part of this program: (a) under
    # ∂L/∂layers_1_a, -y/ŷ + (1-y)/(1-ŷ), the two logarithms' contributions added up; then (b), with g′ = σ(z) σ(-z),
    # and (c), a matrix product; (d) under ∂L/∂layers_0_a and ∂L/∂layers_0_z; (e) in the last product.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    labels = (X[:, 0] * X[:, 1] > 0).astype(float)

    def program_of(hidden):
        """Return the cross-entropy of a network with so many hidden neurons, vectorized."""
        network = nn.MLP(3, [hidden, 1], activation="sigmoid", output="sigmoid", rng=1)

        def cross_entropy(x, y):
            """Return the loss of one example."""
            y_hat = network(x)
            return -(y * log(y_hat) + (1 - y) * log(1 - y_hat))

        program = vectorize(cross_entropy)
        print(f"mean loss {program.value_and_grad(X, labels)[0]:.4f}")
        return program

    narrow, wide = program_of(4), program_of(100)
    print(narrow.source[narrow.source.index("    def backward") :])
    assert narrow.explain().statements == wide.explain().statements

    # Both formulas of the Huber loss are computed, and `where` chooses.
    huber = vectorize(lambda d: where(abs(d) <= 1, d * d / 2, abs(d) - 0.5))
    assert huber.gradients(np.array([-3.0, -0.5, 0.0, 1.0, 2.0])).tolist() == [-1.0, -0.5, 0.0, 1.0, 1.0]

    # The formula and 10,000 simulated measurements agree: about 0.04 m/s².
    gravity = vectorize(lambda length, period: 4 * np.pi**2 * length / period**2)
    g, (by_length, by_period) = gravity.value_and_gradients([1.0], [2.006])
    sigma_g = np.hypot(by_length[0] * 0.002, by_period[0] * 0.004)
    simulated = gravity(rng.normal(1.0, 0.002, 10_000), rng.normal(2.006, 0.004, 10_000))
    print(f"g = {g[0]:.2f} ± {sigma_g:.3f} m/s²; simulated: ± {simulated.std():.3f}")
    assert abs(simulated.std() / sigma_g - 1) < 0.05

    convolution = nn.Conv1d(1, 2, kernel_size=3, rng=0)
    signals = rng.normal(size=(20, 1, 8))
    response = vectorize(lambda x: sum(a * a for channel in convolution(x) for a in channel))
    print(f"{len(response.value_and_grad(signals)[1])} weights and biases on a signal of length 8")
    response.explain()
