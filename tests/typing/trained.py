"""The Trainer: with a loss by name and with one's own, a rule that ends it, a callback."""

from autograd_mini import Trainer, Value, datasets, nn, optim
from autograd_mini.training import EarlyStopping, History


def own_loss(prediction: Value, target: float) -> Value:
    return (prediction - target) ** 2 + 0.1 * abs(prediction)


def seen(trainer: Trainer) -> None:
    losses.append(trainer.history.loss[-1])


losses: list[float] = []
X, y = datasets.linear(40, seed=0)
model = nn.MLP(1, [4, 1], rng=0)
trainer = Trainer(
    model,
    own_loss,
    optim.SGD(model.parameters(), lr=0.01),
    batch_size=10,
    epochs=3,
    validation=(X[:10], y[:10]),
    stopping=EarlyStopping(patience=2),
    callbacks=[seen],
    progress=False,
)
history: History = trainer.fit(X, y)
last: float = history.loss[-1]
Trainer(model, "squared_error", trainer.optimizer, epochs=1, progress=False).fit(X, y)
Trainer(model, nn.squared_error, trainer.optimizer, epochs=1, progress=False).fit(X, y)
print(last, losses, trainer.predict(X[:2]).shape)
