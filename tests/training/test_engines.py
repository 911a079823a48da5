"""The two engines of training: the same histories on every kind of model, and what the vectorized one promises."""

import logging
import math

import numpy as np
import pytest

from autograd_mini import datasets, nn, optim
from autograd_mini.engine import functions
from autograd_mini.engine.value import Parameter
from autograd_mini.nn import L1, L2, MLP, WeightElimination
from autograd_mini.training import EarlyStopping, GradientNorm, NonFiniteLossError, Trainer
from autograd_mini.training.eager import EagerEngine
from autograd_mini.training.vectorized import VectorizedEngine

RNG = np.random.default_rng(7)
X2, LABELS = datasets.moons(n=23, noise=0.1, seed=0)
SIGNS = 2.0 * LABELS - 1.0
X16 = RNG.normal(size=(12, 16))
SEQUENCES = RNG.normal(size=(10, 4, 2))
CLASSES = RNG.integers(0, 3, size=12).astype(float)


class LastOfRNN(nn.Module):
    def __init__(self):
        self.rnn = nn.RNN(2, 3, rng=0)
        self.head = MLP(3, [1], rng=1)

    def forward(self, sequence):
        return self.head(self.rnn(sequence)[1])


class Expanded(nn.Module):
    """A layer written as micrograd writes it."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.w = [[Parameter(x) for x in row] for row in rng.normal(size=(4, 2))]
        self.b = [Parameter(0.1 * j) for j in range(4)]
        self.out = [Parameter(x) for x in rng.normal(size=4)]

    def forward(self, x):
        hidden = [
            functions.tanh(sum((w * f for w, f in zip(row, x, strict=True)), b))
            for row, b in zip(self.w, self.b, strict=True)
        ]
        total = 0.0
        for w, h in zip(self.out, hidden, strict=True):
            total += w * h
        return total


def frozen():
    model = nn.Sequential(MLP(2, [4], rng=0), nn.Activation("tanh"), MLP(4, [1], rng=1))
    nn.freeze(model.modules[0]) if hasattr(model, "modules") else None
    return model


def tied():
    class Tied(nn.Module):
        def __init__(self):
            rng = np.random.default_rng(0)
            self.W = [[Parameter(x) for x in row] for row in rng.normal(size=(3, 2))]

        def forward(self, x):
            hidden = [functions.tanh(functions.dot(row, list(x))) for row in self.W]
            return [functions.dot([row[k] for row in self.W], hidden) for k in range(2)]

    return Tied()


MODELS = {
    "linear regression": (lambda: MLP(2, [1], rng=0), "squared_error", X2, X2[:, 0] - 2 * X2[:, 1], {}),
    "perceptron": (lambda: MLP(2, [1], rng=0), "hinge", X2, SIGNS, {}),
    "logistic regression": (lambda: MLP(2, [1], rng=0), "binary_cross_entropy_with_logits", X2, LABELS, {}),
    "sigmoid output": (lambda: MLP(2, [3, 1], "sigmoid", "sigmoid", rng=0), "binary_cross_entropy", X2, LABELS, {}),
    "relu": (lambda: MLP(2, [8, 8, 1], rng=0), "hinge", X2, SIGNS, {"penalty": L2(1e-3)}),
    "tanh": (lambda: MLP(2, [5, 1], "tanh", rng=0), "half_squared_error", X2, SIGNS, {"penalty": L1(1e-3)}),
    "elu": (lambda: MLP(2, [5, 1], "elu", rng=0), "huber", X2, SIGNS, {"penalty": WeightElimination(1e-3)}),
    "leaky relu": (lambda: MLP(2, [5, 1], "leaky_relu", rng=0), "absolute_error", X2, SIGNS, {}),
    "softplus": (lambda: MLP(2, [5, 1], "softplus", rng=0), "gaussian_nll", X2, SIGNS, {}),
    "cross-entropy": (lambda: MLP(16, [6, 3], "tanh", rng=0), "cross_entropy", X16, CLASSES, {}),
    "softmax output": (lambda: MLP(2, [3, 2], output="softmax", rng=0), "squared_error", X2, np.eye(2)[LABELS], {}),
    "two outputs": (lambda: MLP(2, [3, 2], "tanh", rng=0), "squared_error", X2, X2 @ [[1.0, 2.0], [0.5, -1.0]], {}),
    "dropout": (
        lambda: nn.Sequential(MLP(2, [6], rng=0), nn.Dropout(0.5, rng=3), MLP(6, [1], rng=1)),
        "hinge",
        X2,
        SIGNS,
        {},
    ),
    "two dropouts of one generator": (
        lambda: (
            lambda g: nn.Sequential(
                nn.Dropout(0.8, rng=g), MLP(2, [6], rng=0), nn.Dropout(0.5, True, rng=g), MLP(6, [1], rng=1)
            )
        )(np.random.default_rng(5)),
        "hinge",
        X2,
        SIGNS,
        {"penalty": L2(1e-3) + L1(1e-4)},
    ),
    "batch norm": (
        lambda: nn.Sequential(MLP(2, [5], rng=0), nn.BatchNorm(5), nn.Activation("relu"), MLP(5, [1], rng=1)),
        "squared_error",
        X2,
        SIGNS,
        {},
    ),
    "layer norm": (
        lambda: nn.Sequential(MLP(2, [5], rng=0), nn.LayerNorm(5), nn.Activation("tanh"), MLP(5, [1], rng=1)),
        "squared_error",
        X2,
        SIGNS,
        {},
    ),
    "convolution": (
        lambda: nn.Sequential(
            nn.Reshape(1, 4, 4),
            nn.Conv2d(1, 2, 2, padding=1, activation="relu", rng=0),
            nn.Flatten(),
            MLP(50, [3], rng=1),
        ),
        "cross_entropy",
        X16,
        CLASSES,
        {},
    ),
    "batch norm of channels": (
        lambda: nn.Sequential(
            nn.Reshape(1, 16), nn.Conv1d(1, 2, 3, rng=0), nn.BatchNorm(2), nn.Flatten(), MLP(28, [3], "tanh", rng=1)
        ),
        "cross_entropy",
        X16,
        CLASSES,
        {},
    ),
    "recurrent": (LastOfRNN, "squared_error", SEQUENCES, SEQUENCES[:, -1, 0], {}),
    "residual": (
        lambda: nn.Sequential(nn.Residual(MLP(2, [2], "tanh", "tanh", rng=0)), MLP(2, [1], rng=1)),
        "hinge",
        X2,
        SIGNS,
        {},
    ),
    "micrograd's way": (Expanded, "hinge", X2, SIGNS, {"penalty": L2(1e-3, include_biases=True)}),
    "tied weights": (tied, "squared_error", X2, X2, {}),
    "frozen part": (frozen, "hinge", X2, SIGNS, {"penalty": L2(1e-2)}),
}
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.05),
    "nesterov": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: optim.Adam(p, lr=optim.schedules.Exponential(0.02, 0.99)),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.005, momentum=0.5, centered=True),
}


def trained(engine, name, optimizer="sgd", **options):
    make, loss, X, y, extra = MODELS[name]
    model = make()
    rules = {"batch_size": 5, "epochs": 4, "seed": 1, "progress": False} | extra | options
    if nn.batches.mixes_examples(model):
        rules["batch_size"] = 6 if len(X) % 6 != 1 else 5
    trainer = Trainer(model, loss, OPTIMIZERS[optimizer](model.parameters()), engine=engine, **rules)
    trainer.fit(X, y)
    return trainer


def assert_same(one, other, rel=1e-10):
    assert other.history.loss == pytest.approx(one.history.loss, rel=rel, abs=1e-12)
    assert other.history.validation_loss == pytest.approx(one.history.validation_loss, rel=rel, abs=1e-12)
    for name, array in one.model.state_dict().items():
        assert other.model.state_dict()[name] == pytest.approx(array, rel=1e-9, abs=1e-10), name


@pytest.mark.parametrize("name", MODELS)
def test_both_engines_give_the_same_history(name):
    _, _, X, y, _ = MODELS[name]
    options = {"validation": (X[:5], y[:5])}
    eager, vectorized = trained("eager", name, **options), trained("vectorized", name, **options)
    assert (eager.engine, vectorized.engine) == ("eager", "vectorized")
    assert_same(eager, vectorized)
    assert vectorized.predict(X) == pytest.approx(eager.predict(X), rel=1e-9, abs=1e-10)
    assert vectorized.evaluate(X, y) == pytest.approx(eager.evaluate(X, y), rel=1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.5}, {"clip_value": 0.1}, {"sampling": "replacement"}])
def test_both_engines_agree_with_every_optimizer_and_clipping(optimizer, options):
    eager = trained("eager", "relu", optimizer, **options)
    assert_same(eager, trained("vectorized", "relu", optimizer, **options))


def test_the_optimizer_may_hold_parameters_in_any_order_and_not_all():
    def trainer(engine):
        model = MLP(2, [4, 1], rng=0)
        some = [*model.parameters()[::-1][2:], Parameter(1.0)]
        made = Trainer(model, "hinge", optim.Adam(some, lr=0.01), batch_size=4, epochs=3, engine=engine, progress=False)
        made.fit(X2, SIGNS)
        return made

    assert_same(trainer("eager"), trainer("vectorized"))


def test_augmentation_and_stopping_rules_are_the_same():
    def jitter(batch, generator):
        return batch + generator.normal(scale=0.1, size=batch.shape)

    def trainer(engine):
        rules = {"stopping": [EarlyStopping(patience=2)], "validation": (X2[:6], SIGNS[:6]), "epochs": 30}
        return trained(engine, "relu", augment=jitter, **rules)

    assert_same(trainer("eager"), trainer("vectorized"))


def test_the_gradient_of_the_last_batch_is_left_on_the_parameters():
    eager, vectorized = trained("eager", "relu"), trained("vectorized", "relu")
    got = [p.grad for p in vectorized.model.parameters()]
    assert got == pytest.approx([p.grad for p in eager.model.parameters()], rel=1e-9, abs=1e-12)
    rule = [GradientNorm(tol=0.5)]
    ended = [trained(e, "tanh", epochs=200, batch_size=None, stopping=rule).history for e in ("eager", "vectorized")]
    assert len(ended[0]) == len(ended[1]) < 200


def test_what_a_callback_changes_is_followed():
    def change(trainer):
        if len(trainer.history) == 2:
            nn.freeze(trainer.model.layers[0])
            trainer.penalty.lam = 0.5
            trainer.model.parameters()[-1].data = 3.0

    assert_same(
        trained("eager", "relu", callbacks=[change], penalty=L2(1e-3)),
        trained("vectorized", "relu", callbacks=[change], penalty=L2(1e-3)),
    )


@pytest.mark.parametrize("act", [nn.freeze, nn.unfreeze])
def test_a_part_that_a_callback_freezes_or_unfreezes_is_followed(act):
    def change(trainer):
        if len(trainer.history) == 2:
            act(trainer.model.layers[0])
            before[:] = [p.data for p in trainer.model.layers[0].parameters()]

    for engine in ("eager", "vectorized"):
        before = []
        model = MLP(2, [8, 1], rng=0)
        if act is nn.unfreeze:
            nn.freeze(model.layers[0])
        optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        options = {"callbacks": [change], "epochs": 4, "engine": engine, "progress": False, "clip_norm": 0.1}
        Trainer(model, "hinge", optimizer, **options).fit(X2, SIGNS)
        assert ([p.data for p in model.layers[0].parameters()] == before) is (act is nn.freeze)


def test_ctrl_c_in_the_middle_of_an_epoch_leaves_the_last_finished_one():
    calls, snapshots = [], []

    def interrupting(batch, generator):
        calls.append(1)
        if len(calls) == 13:
            raise KeyboardInterrupt
        return batch

    def record(trainer):
        snapshots.append([p.data for p in trainer.model.parameters()])

    trainer = trained("vectorized", "relu", augment=interrupting, callbacks=[record])
    assert trainer.interrupted
    assert len(trainer.history) == len(snapshots) == 2
    assert [p.data for p in trainer.model.parameters()] == snapshots[-1]


def test_any_error_leaves_what_has_been_learned_on_the_parameters():
    calls, model = [], MLP(2, [4, 1], rng=0)
    before = [p.data for p in model.parameters()]

    def failing(batch, generator):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("no more")
        return batch

    trainer = Trainer(
        model, "hinge", optim.SGD(model.parameters(), lr=0.1), batch_size=5, augment=failing, progress=False
    )
    with pytest.raises(RuntimeError, match="no more"):
        trainer.fit(X2, SIGNS)
    assert [p.data for p in model.parameters()] != before


def test_a_loss_that_is_not_finite_leaves_the_parameters_of_the_last_finite_one():
    X, y = np.array([[1.0], [1.0], [1e200]]), np.array([0.0, 0.0, 0.0])
    model = MLP(1, [1], initializer=lambda rng, shape: np.ones(shape))
    trainer = Trainer(
        model, "squared_error", optim.SGD(model.parameters(), lr=0.1), 1, epochs=1, sampling="order", progress=False
    )
    with pytest.raises(NonFiniteLossError, match="the loss became inf in epoch 1, batch 3"):
        trainer.fit(X, y)
    twin = MLP(1, [1], initializer=lambda rng, shape: np.ones(shape))
    Trainer(twin, "squared_error", optim.SGD(twin.parameters(), lr=0.1), 1, epochs=1, progress=False).fit(X[:1], y[:1])
    assert [p.data for p in model.parameters()] == pytest.approx([p.data for p in twin.parameters()])


def test_a_model_that_branches_is_trained_eagerly_and_says_so(caplog):
    model = MLP(2, [1], rng=0)

    def perceptron(score, target):
        return 0.0 * score if score * target > 0 else -target * score

    trainer = Trainer(model, perceptron, optim.SGD(model.parameters(), lr=0.1), batch_size=1, epochs=3, progress=False)
    with caplog.at_level(logging.WARNING):
        trainer.fit(X2, SIGNS)
    assert trainer.engine == "eager"
    assert "Training eagerly, which is slow: a branch depends on the data of a traced Value" in caplog.text
    assert "line" in caplog.text
    assert math.isfinite(trainer.evaluate(X2, SIGNS))


def test_an_unknown_engine_is_refused():
    model = MLP(2, [1], rng=0)
    with pytest.raises(ValueError, match="engine: expected one of vectorized, eager, got 'fast'"):
        Trainer(model, "hinge", optim.SGD(model.parameters(), lr=0.1), engine="fast")


def test_two_trainings_are_equal_to_the_bit():
    one, other = trained("vectorized", "dropout", epochs=6), trained("vectorized", "dropout", epochs=6)
    assert one.history.loss == other.history.loss
    assert [p.data for p in one.model.parameters()] == [p.data for p in other.model.parameters()]


# ------------------------------------------------------------------------------------------ an engine by itself


@pytest.mark.parametrize("kind", [EagerEngine, VectorizedEngine])
@pytest.mark.parametrize("name", ["relu", "cross-entropy", "batch norm", "recurrent", "frozen part"])
def test_an_engine_is_a_function_of_flat_arrays(kind, name):
    make, loss, X, y, extra = MODELS[name]
    model, loss, penalty = make(), nn.losses.LOSSES[loss], extra.get("penalty")
    unknown = Parameter(1.5)
    parameters = [unknown, *model.parameters()[::-1]]
    engine = kind()
    engine.prepare(model, loss, penalty, parameters, X, y)
    theta = engine.load()
    assert theta.tolist() == [p.data for p in parameters]
    at = theta + 0.01 * RNG.normal(size=len(theta))
    value, gradient = engine(at, X[2:6], y[2:6])

    engine.store(at, None)
    model.zero_grad()
    outputs = nn.batch(model, X[2:6].tolist())
    mean = sum(loss(output, t) for output, t in zip(outputs, y[2:6].tolist(), strict=True)) / 4
    total = mean if penalty is None else mean + penalty(model)
    total.backward()
    assert value == pytest.approx(total.data, rel=1e-10)
    assert gradient == pytest.approx([p.grad for p in parameters], rel=1e-9, abs=1e-12)

    engine.store(theta, gradient)
    assert [p.data for p in parameters] == theta.tolist()
    assert [p.grad for p in parameters] == gradient.tolist()


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_a_parameter_without_a_gradient_is_left_alone(engine):
    model = MLP(2, [3, 1], rng=0)
    lonely, frozen = Parameter(2.0), model.layers[0].parameters()
    lonely.grad = None
    nn.freeze(model.layers[0])
    before = [p.data for p in [lonely, *frozen]]
    decaying = optim.SGD([lonely, *model.parameters()], lr=0.1, momentum=0.9, weight_decay=0.1)
    Trainer(model, "hinge", decaying, epochs=2, engine=engine, progress=False).fit(X2, SIGNS)
    assert [p.data for p in [lonely, *frozen]] == before
    assert lonely.grad is None


# ----------------------------------------------------------------------------------- one loop for both of them


@pytest.mark.parametrize("batch_size", [None, 2])
def test_after_a_loss_that_is_not_finite_the_gradient_is_that_of_the_last_step(batch_size):
    gradients = []
    for engine in ("eager", "vectorized"):
        model = MLP(2, [3, 1], "elu", rng=0)
        steps = -(-len(X2) // (batch_size or len(X2)))
        scales = iter([1.0] * steps + [1e160])
        trainer = Trainer(
            model,
            "squared_error",
            optim.SGD(model.parameters(), lr=0.1),
            batch_size,
            augment=lambda rows, generator, scales=scales: rows * next(scales),
            clip_norm=0.5,
            engine=engine,
            progress=False,
        )
        with pytest.raises(NonFiniteLossError, match="the loss became inf in epoch 2, batch 1"):
            trainer.fit(X2, SIGNS)
        gradients.append([p.grad for p in model.parameters()])
    assert gradients[1] == pytest.approx(gradients[0], rel=1e-9)
    assert 0.0 < np.linalg.norm(gradients[0]) <= 0.5


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_a_new_optimizer_has_its_own_last_parameters_with_a_finite_loss(engine):
    model, at_replacement = MLP(2, [1], rng=0), []

    def replace(trainer):
        trainer.optimizer = optim.SGD(model.parameters()[:2], lr=1e200)
        at_replacement[:] = [p.data for p in model.parameters()]

    first = optim.SGD(model.parameters(), lr=0.1)
    trainer = Trainer(model, "squared_error", first, callbacks=[replace], engine=engine, progress=False)
    with pytest.raises(NonFiniteLossError, match="in epoch 2, batch 2; the model has the parameters"):
        trainer.fit(np.ones((40, 2)), np.zeros(40))
    assert [p.data for p in model.parameters()] == at_replacement


def test_whatever_part_a_callback_replaces_is_followed():
    def replace(trainer):
        if len(trainer.history) == 2:
            trainer.loss = lambda a, t: (a - t) * (a - t)
        if len(trainer.history) == 3:
            trainer.penalty = None
            trainer.optimizer = optim.SGD(trainer.model.parameters()[:9], lr=0.03, momentum=0.5)

    runs = [trained(e, "relu", callbacks=[replace], penalty=L2(1e-3), epochs=6) for e in ("eager", "vectorized")]
    assert_same(*runs)
    assert runs[1].engine == "vectorized"


def test_a_model_that_a_callback_makes_untraceable_goes_on_eagerly(caplog):
    def change(trainer):
        if len(trainer.history) == 2:
            trainer.loss = lambda a, t: a * 0.0 if a * t > 1.0 else 1.0 - a * t

    with caplog.at_level(logging.WARNING):
        vectorized = trained("vectorized", "relu", callbacks=[change])
    assert vectorized.engine == "eager"
    assert "Training eagerly, which is slow" in caplog.text
    assert_same(trained("eager", "relu", callbacks=[change]), vectorized)


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_ctrl_c_in_the_middle_of_a_callback_takes_back_what_it_had_begun(engine):
    def slow_down(trainer):
        if len(trainer.history) == 2:
            trainer.optimizer.lr = 1e-9
            trainer.model.parameters()[0].data = 99.0
            trainer.history.metrics["mine"] = [1.0, 2.0]
            raise KeyboardInterrupt

    trainer = trained(engine, "dropout", "nesterov", callbacks=[slow_down])
    twin = trained(engine, "dropout", "nesterov", epochs=2)
    assert trainer.interrupted
    assert trainer.optimizer.lr == 0.02
    assert trainer.state_dict()["history"]["loss"] == twin.history.loss
    assert trainer.history.metrics.get("mine", []) == []
    trainer.callbacks.clear()
    assert trainer.fit(X2, SIGNS).loss == trained(engine, "dropout", "nesterov", epochs=6).history.loss
