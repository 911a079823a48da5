"""A function of Values as a program on arrays; what a graph shows of itself."""

import numpy as np

from autograd_mini import Value, backward_steps, draw, explain, nn, step_through, tanh, to_latex, to_python, vectorize


def length(a: Value, b: Value) -> Value:
    return (a * a + b * b) ** 0.5


def lengths_of(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return program(a, b)


def mean_error(rows: np.ndarray, targets: np.ndarray) -> float:
    value, _ = loss.value_and_grad(rows, targets)
    return value


program = vectorize(length)
lengths: np.ndarray = program([3.0, 5.0], [4.0, 12.0])
values, (by_a, by_b) = program.value_and_gradients(np.array([3.0, 5.0]), np.array([4.0, 12.0]))
model = nn.MLP(2, [4, 1], rng=0)
loss = vectorize(lambda x, t: nn.squared_error(model(x), t))
mean, gradient = loss.value_and_grad(np.ones((3, 2)), np.zeros(3))
source: str = loss.source
w, x = Value(0.5, label="w"), Value(2.0, label="x")
L: Value = tanh(w * x) ** 2
L.backward()
print(
    lengths_of(lengths, lengths),
    mean_error(np.ones((3, 2)), np.zeros(3)),
    lengths,
    values,
    by_a + by_b,
    mean + gradient.sum(),
    len(source),
    explain(w, L),
    *backward_steps(L),
)
print(str(to_latex(L))[:20], str(to_python(L))[:20], draw(L), len(str(step_through(L))))
