"""A training written out: a model, a loss, its gradient, a step."""

from autograd_mini import Value, datasets, nn, optim

X, y = datasets.moons(20, seed=0)
model = nn.MLP(2, [8, 1], activation="tanh", rng=0)
optimizer = optim.Adam(model.parameters(), lr=optim.schedules.Cosine(0.05, steps=100))
penalty = nn.L2(1e-3)


def mean_loss() -> Value:
    losses: list[Value] = [nn.hinge(model(row), 2.0 * target - 1.0) for row, target in zip(X, y, strict=True)]
    return sum(losses, Value(0.0)) / len(losses) + penalty(model)


history: list[float] = []
for _ in range(3):
    loss = mean_loss()
    optimizer.zero_grad()
    loss.backward()
    optim.clip_grad_norm(model.parameters(), 1.0)
    optimizer.step()
    history.append(loss.item())

error: Value = nn.squared_error(model([1.0, 2.0]), 1.0)
errors: Value = nn.squared_error([model([1.0, 2.0]), model([2.0, 1.0])], [1.0, 0.0], reduction="mean")
plain: float = nn.huber([0.5, 1.0], [1.0, 1.0]) + nn.cross_entropy([0.1, 0.2], 1)
loss = nn.cross_entropy(nn.MLP(2, [3])([1.0, 2.0]), 2)
print(history, error.data, errors.data, plain, loss.grad, model.state_dict().keys())
