"""Metrics, stopping, callbacks, augmentation, clipping, sampling, Ctrl-C, and going on another day."""

import numpy as np
import pytest

from autograd_mini import Value, datasets, nn, optim
from autograd_mini.serialization import load_training, save, save_training
from autograd_mini.training import EarlyStopping, GradientNorm, LossTolerance, StoppingRule, Trainer

X, y = datasets.moons(40, seed=0)
X_VALIDATION, Y_VALIDATION = datasets.moons(20, seed=1)


def new_trainer(model=None, optimizer=None, epochs=3, **options):
    model = nn.MLP(2, [4, 1], activation="tanh", rng=0) if model is None else model
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.5) if optimizer is None else optimizer(model)
    options = {"batch_size": 8, "seed": 3, "progress": False, **options}
    return Trainer(model, "binary_cross_entropy_with_logits", optimizer, epochs=epochs, **options)


def data_of(trainer):
    return [parameter.data for parameter in trainer.model.parameters()]


# ------------------------------------------------------------------------------------------------ what is recorded


def test_metrics_are_taken_on_the_validation_examples():
    trainer = new_trainer(validation=(X_VALIDATION, Y_VALIDATION), metrics=["accuracy"])
    history = trainer.fit(X, y)
    right = (trainer.predict(X_VALIDATION) > 0) == Y_VALIDATION
    assert len(history.metrics["accuracy"]) == 3
    assert history.metrics["accuracy"][-1] == right.mean()


def test_metrics_without_validation_are_taken_on_the_training_examples():
    trainer = new_trainer(metrics={"size": lambda y_true, y_pred: len(y_true) + len(y_pred)})
    assert trainer.fit(X, y).metrics == {"size": [80.0] * 3}


def test_an_unknown_metric_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="no metric is named 'acuracy'; choose of accuracy"):
        new_trainer(metrics=["acuracy"])


def test_the_best_epoch_is_that_of_the_lowest_validation_loss():
    history = new_trainer(epochs=5, validation=(X_VALIDATION, Y_VALIDATION)).fit(X, y)
    assert history.best_epoch == int(np.argmin(history.validation_loss)) + 1
    assert new_trainer().fit(X, y).best_epoch is None


# ------------------------------------------------------------------------------------------------------- stopping


def test_early_stopping_ends_the_training_and_puts_back_the_best_parameters():
    seen = []
    rule = EarlyStopping(patience=2)
    trainer = new_trainer(
        epochs=200,
        optimizer=lambda model: optim.SGD(model.parameters(), lr=3.0),
        validation=(X_VALIDATION, Y_VALIDATION),
        stopping=rule,
        callbacks=[lambda trainer: seen.append(data_of(trainer))],
    )
    history = trainer.fit(X, y)
    assert len(history) == history.best_epoch + 2 < 200
    assert rule.best_epoch == history.best_epoch
    assert data_of(trainer) == seen[history.best_epoch - 1]
    assert trainer.evaluate(X_VALIDATION, Y_VALIDATION) == min(history.validation_loss)


def test_early_stopping_needs_validation():
    with pytest.raises(ValueError, match=r"EarlyStopping.* watches the validation loss; pass validation=\(X, y\)"):
        new_trainer(stopping=EarlyStopping())


def rule_watching(monitor, kind=EarlyStopping, **settings):
    rule = kind(patience=2, **settings)
    rule.monitor = monitor
    return rule


@pytest.mark.parametrize("rule", [rule_watching("accuracy"), rule_watching("score", mode="max")])
def test_a_metric_that_is_better_when_greater_has_its_best_epoch_at_the_greatest(rule):
    x, scores = Value(0.0), [0.5, 0.75, 0.875, 0.8, 0.7, 0.9]
    for epoch, score in enumerate(scores, start=1):
        x.data = float(epoch)
        if rule.should_stop(epoch, score, [x]):
            break
    rule.restore([x])
    assert (epoch, rule.best_epoch, rule.best_loss, x.data) == (5, 3, 0.875, 3.0)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (rule_watching("score"), "watches 'score': say whether less or more of it is better, by mode='min' or mode="),
        (rule_watching("accuracy", LossTolerance), "'accuracy' is better when greater; take EarlyStopping"),
    ],
)
def test_a_rule_that_cant_tell_what_is_better_is_refused(rule, message):
    metrics = {"score": lambda y, f: 0.0, "accuracy": lambda y, f: 0.0}
    model = nn.MLP(1, [1], rng=0)
    with pytest.raises(ValueError, match=message):
        Trainer(model, "squared_error", optim.SGD(model.parameters(), lr=0.1), metrics=metrics, stopping=rule)


@pytest.mark.parametrize("rule", [EarlyStopping(patience=2), LossTolerance(tol=10.0, patience=2)])
def test_a_rule_begins_anew_with_another_training_and_goes_on_with_the_same(rule, tmp_path):
    X, y = datasets.linear(8)

    def fitted(width):
        model = nn.MLP(1, [width, 1], rng=0)
        trainer = Trainer(
            model, "squared_error", optim.SGD(model.parameters(), lr=0.01), epochs=1, validation=(X, y), stopping=rule
        )
        trainer.fit(X, y)
        return trainer

    first = fitted(2)
    first_state, first_loss = rule.state_dict(), rule.best_loss
    save_training(first, tmp_path / "first.npz")
    second = fitted(3)
    assert second.stop_reason == ""
    assert rule.best_loss != first_loss
    assert rule.waited == first_state["waited"]
    load_training(first, tmp_path / "first.npz")
    first.fit(X, y)
    assert rule.waited == first_state["waited"] + 1 or rule.best_epoch == 2


def test_a_loss_that_hardly_falls_ends_the_training():
    history = new_trainer(epochs=50, stopping=LossTolerance(tol=10.0, patience=4)).fit(X, y)
    assert len(history) == 5  # the first epoch always falls, from infinity


def test_a_flat_gradient_ends_the_training():
    history = new_trainer(epochs=50, batch_size=None, stopping=[GradientNorm(tol=1e9)]).fit(X, y)
    assert len(history) == 1


def test_what_is_no_stopping_rule_is_refused():
    with pytest.raises(TypeError, match=r"stopping: expected rules such as EarlyStopping\(patience=10\), got 5"):
        new_trainer(stopping=[5])


# ---------------------------------------------------------------------------------- sampling, augmentation, clipping


def examples_seen(**options):
    """The examples that one epoch uses, as they come to the model."""
    seen = []

    class Spy(nn.MLP):
        def forward(self, x):
            seen.append(tuple(x))
            return super().forward(x)

    trainer = new_trainer(Spy(2, [1], rng=0), epochs=1, engine="eager", **options)
    trainer.fit(X, y)
    return seen[1:]  # the first one is the trial before any work


def test_a_shuffled_epoch_uses_every_example_once():
    seen = examples_seen(batch_size=1)
    assert sorted(seen) == sorted(map(tuple, X))
    assert seen != list(map(tuple, X))


def test_an_epoch_in_order_uses_the_examples_as_they_are_given():
    assert examples_seen(batch_size=1, sampling="order") == list(map(tuple, X))


def test_an_epoch_with_replacement_draws_as_many_examples_some_of_them_twice():
    seen = examples_seen(batch_size=1, sampling="replacement")
    assert len(seen) == len(X)
    assert set(seen) < set(map(tuple, X))


def test_an_unknown_sampling_is_refused():
    with pytest.raises(ValueError, match="sampling: expected one of shuffle, replacement, order, got 'random'"):
        new_trainer(sampling="random")


def test_augmentation_makes_the_batches_from_a_seeded_generator():
    def noisy(batch, generator):
        assert batch.shape == (8, 2)
        return batch + generator.normal(0.0, 0.1, batch.shape)

    assert new_trainer(augment=noisy).fit(X, y).loss == new_trainer(augment=noisy).fit(X, y).loss
    assert new_trainer(augment=noisy).fit(X, y).loss != new_trainer().fit(X, y).loss


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (lambda batch, generator: batch[:, :1], r"augment: expected a batch of shape \(8, 2\), .* got \(8, 1\)"),
        (lambda batch, generator: batch * np.nan, "augment: expected finite numbers, got nan"),
    ],
)
def test_an_augmentation_that_gives_something_else_is_refused(augment, message):
    with pytest.raises(ValueError, match=message):
        new_trainer(augment=augment).fit(X, y)


def test_clipping_bounds_each_step():
    model = nn.MLP(2, [4, 1], rng=0)
    before = np.array([p.data for p in model.parameters()])
    new_trainer(model, lambda m: optim.SGD(m.parameters(), lr=1.0), epochs=1, batch_size=None, clip_norm=0.01).fit(X, y)
    moved = np.array([p.data for p in model.parameters()]) - before
    assert np.linalg.norm(moved) == pytest.approx(0.01, rel=1e-4)

    model = nn.MLP(2, [4, 1], rng=0)
    new_trainer(model, lambda m: optim.SGD(m.parameters(), lr=1.0), epochs=1, batch_size=None, clip_value=1e-3).fit(
        X, y
    )
    moved = np.array([p.data for p in model.parameters()]) - before
    assert np.abs(moved).max() == pytest.approx(1e-3, rel=1e-6)


# ------------------------------------------------------------------------------------------------- batches that mix


def test_a_batch_norm_is_trained_on_whole_batches():
    model = nn.Sequential(nn.Layer(2, 3, rng=0), nn.BatchNorm(3), nn.Layer(3, 1, activation="identity", rng=1))
    history = new_trainer(model, epochs=30).fit(X, y)
    assert history.loss[-1] < 0.7 * history.loss[0]
    running = model.state_dict()["1.running_mean"]
    assert np.all(running != 0.0)


def test_the_gradient_through_a_batch_norm_is_that_of_the_whole_batch():
    model = nn.Sequential(nn.Layer(2, 2, "identity", rng=0), nn.BatchNorm(2), nn.Layer(2, 1, "identity", rng=1))
    weight = model.parameters()[0]

    def loss_at(data):
        weight.data = data
        outputs = nn.batch(model, X[:8].tolist())
        return nn.binary_cross_entropy_with_logits(outputs, y[:8], reduction="mean").data

    start = weight.data
    expected = (loss_at(start + 1e-5) - loss_at(start - 1e-5)) / 2e-5
    weight.data = start
    trainer = new_trainer(model, lambda m: optim.SGD(m.parameters(), lr=1e-9), epochs=1, batch_size=None)
    trainer.fit(X[:8], y[:8])
    assert weight.grad == pytest.approx(expected, rel=1e-5)


# ------------------------------------------------------------------------------------------------------- Ctrl-C


def test_ctrl_c_leaves_the_last_finished_epoch_and_returns_the_history():
    snapshots, calls = [], []

    def interrupted(prediction, target):
        calls.append(1)
        if len(calls) == 1 + 2 * 40 + 20:  # the trial, two epochs of 40 examples, half of the third
            raise KeyboardInterrupt
        return nn.binary_cross_entropy_with_logits(prediction, target)

    record = [lambda trainer: snapshots.append(data_of(trainer))]
    trainer = new_trainer(epochs=10, callbacks=record, engine="eager")
    trainer.loss = interrupted
    history = trainer.fit(X, y)
    assert trainer.interrupted
    assert len(history) == len(snapshots) == 2
    assert data_of(trainer) == snapshots[-1]

    trainer.loss = nn.binary_cross_entropy_with_logits
    trainer.epochs = 3
    assert trainer.fit(X, y).loss == new_trainer(epochs=5, engine="eager").fit(X, y).loss
    assert not trainer.interrupted


# ---------------------------------------------------------------------------------------------- going on another day

OPTIMIZERS = {
    "momentum": lambda model: optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True),
    "schedule": lambda model: optim.SGD(model.parameters(), lr=optim.schedules.Exponential(0.3, 0.9)),
    "rmsprop": lambda model: optim.RMSprop(model.parameters(), lr=0.01),
    "adam": lambda model: optim.Adam(model.parameters(), lr=0.02),
}


def a_mixed_model():
    return nn.Sequential(
        nn.Layer(2, 4, "tanh", rng=0), nn.Dropout(0.7, rng=5), nn.BatchNorm(4), nn.Layer(4, 1, "identity", rng=1)
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_training_that_was_saved_and_goes_on_equals_one_that_never_stopped(optimizer, tmp_path):
    def trainer(epochs):
        return new_trainer(
            a_mixed_model(),
            optimizer,
            epochs=epochs,
            validation=(X_VALIDATION, Y_VALIDATION),
            metrics=["accuracy"],
            stopping=EarlyStopping(patience=50),
        )

    whole = trainer(6)
    whole.fit(X, y)

    first = trainer(2)
    first.fit(X, y)
    save_training(first, tmp_path / "training.npz")
    second = trainer(4)
    load_training(second, tmp_path / "training.npz")
    second.fit(X, y)

    assert second.history == whole.history
    assert data_of(second) == data_of(whole)
    assert second.model.state_dict().keys() == whole.model.state_dict().keys()
    for name, array in whole.model.state_dict().items():
        assert np.array_equal(array, second.model.state_dict()[name]), name
    assert second.stopping[0].best_loss == whole.stopping[0].best_loss


def test_a_training_that_does_not_fit_is_refused(tmp_path):
    trainer = new_trainer()
    trainer.fit(X, y)
    save_training(trainer, tmp_path / "training.npz")
    with pytest.raises(ValueError, match=r"doesn't fit the trainer: the state has 17 parameters, this .* has 9"):
        load_training(new_trainer(nn.MLP(2, [2, 1], rng=0)), tmp_path / "training.npz")
    with pytest.raises(ValueError, match="the state has 0 stopping rules, this trainer 1"):
        load_training(new_trainer(stopping=LossTolerance()), tmp_path / "training.npz")
    save(trainer.model, tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"holds a model and no training; write load\(path\)"):
        load_training(trainer, tmp_path / "model.npz")
    with pytest.raises(TypeError, match=r"expected a Trainer, got MLP; for a model write save\(model, path\)"):
        save_training(trainer.model, tmp_path / "model.npz")
    with pytest.raises(ValueError, match="the state of the training lacks optimizer"):
        trainer.load_state_dict(dict.fromkeys(("model", "parameters", "generators", "stopping", "history"), 0))


# ------------------------------------------------------------------------------------ refused before any work


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"model": nn.MLP}, TypeError, "expected a model, got the class MLP; make one of it first"),
        ({"model": len}, TypeError, "expected a model that is a Module, got <built-in function len>"),
        ({"optimizer": "sgd"}, TypeError, r"expected an optimizer, got 'sgd'; write SGD\(model.parameters"),
        ({"optimizer": None}, TypeError, "expected an optimizer, got None"),
        ({"validation": 5}, ValueError, r"validation: expected a pair \(X, y\), got 5"),
        ({"callbacks": [3]}, TypeError, "callbacks: expected a function, got 3"),
        ({"augment": 3}, TypeError, "augment: expected a function, got 3"),
        ({"penalty": 0.1}, TypeError, "penalty: expected a function, got 0.1"),
        ({"metrics": {"m": 3}}, TypeError, r"metrics\['m'\]: expected a function, got 3"),
        ({"metrics": {"loss": len}}, ValueError, "metrics: 'loss' is the history's own name"),
    ],
)
def test_what_does_not_fit_is_refused_when_the_trainer_is_made(options, kind, message):
    model = nn.MLP(2, [1], rng=0)
    arguments = {"model": model, "loss": "squared_error", "optimizer": optim.SGD(model.parameters()), **options}
    with pytest.raises(kind, match=message):
        Trainer(**arguments)


def test_a_lonely_last_example_is_found_before_a_batch_norm_meets_it():
    trainer = new_trainer(a_mixed_model(), batch_size=13)
    before = data_of(trainer)
    with pytest.raises(ValueError, match="40 examples in batches of 13 leave one alone; choose another batch_size"):
        trainer.fit(X, y)
    assert data_of(trainer) == before


# ------------------------------------------------------------------------------------------------ more of the same


def test_the_best_model_comes_back_with_its_running_statistics():
    rule = EarlyStopping(patience=3)
    trainer = new_trainer(
        a_mixed_model(),
        lambda model: optim.Adam(model.parameters(), lr=0.2),
        epochs=100,
        validation=(X_VALIDATION, Y_VALIDATION),
        stopping=rule,
    )
    history = trainer.fit(X, y)
    assert len(history) < 100
    assert trainer.evaluate(X_VALIDATION, Y_VALIDATION) == rule.best_loss


@pytest.mark.parametrize(("loss", "widths"), [("cross_entropy", [2]), ("binary_cross_entropy_with_logits", [1])])
def test_the_log_loss_of_logits_is_their_cross_entropy(loss, widths):
    model = nn.MLP(2, widths, rng=0)
    trainer = Trainer(
        model,
        loss,
        optim.SGD(model.parameters(), lr=0.1),
        epochs=2,
        validation=(X_VALIDATION, Y_VALIDATION),
        metrics=["log_loss"],
        progress=False,
    )
    history = trainer.fit(X, y)
    assert history.metrics["log_loss"] == pytest.approx(history.validation_loss, rel=1e-12)


# ------------------------------------------------------------------------------- the best epoch, whatever ended it


FEW, FEW_TARGETS = X[::7], y[::7]
VALIDATION = X_VALIDATION[::5], 1 - Y_VALIDATION[::5]  # of the other class, so that early epochs are the best


def steep(rules, epochs, **options):
    """A trainer whose validation loss goes up and down."""
    return new_trainer(
        a_mixed_model(),
        lambda model: optim.SGD(model.parameters(), lr=1.0, momentum=0.9),
        **{"epochs": epochs, "validation": VALIDATION, "stopping": rules, **options},
    )


def everything(trainer):
    """What a training consists of, to be compared to the bit."""
    state = trainer.state_dict()
    numbers = [array.tolist() for array in (*state["model"].values(), *state["optimizer"]["state"].values())]
    return numbers, state["parameters"].tolist(), state["generators"], trainer.history, trainer.optimizer.steps


class After(StoppingRule):
    """A rule that ends a training after some epochs."""

    def __init__(self, epochs):
        self.epochs = epochs

    def should_stop(self, epoch, loss, parameters):
        return epoch >= self.epochs


def interrupt_after(epochs):
    def callback(trainer):
        if len(trainer.history) == epochs:
            raise KeyboardInterrupt

    return callback


ENDS = {
    "the last epoch": lambda rule: steep(rule, 6),
    "another rule": lambda rule: steep([After(6), rule], 100),
    "another rule, later in the list": lambda rule: steep([rule, After(6)], 100),
    "ctrl-c": lambda rule: steep(rule, 100, callbacks=interrupt_after(7), engine="eager"),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_best_epoch_comes_back_whatever_ended_the_training(end):
    rule, seen = EarlyStopping(patience=50), []
    trainer = ENDS[end](rule)
    trainer.callbacks.insert(0, lambda trainer: seen.append(trainer.model.state_dict()))
    history = trainer.fit(FEW, FEW_TARGETS)
    assert rule.best_epoch == history.best_epoch < len(history)
    assert trainer.evaluate(*VALIDATION) == min(history.validation_loss)
    best = seen[rule.best_epoch - 1]
    assert all(np.array_equal(best[name], array) for name, array in trainer.model.state_dict().items())
    last = seen[-1] if end == "ctrl-c" else best  # callbacks of the last epoch see what will be left
    assert all(np.array_equal(last[name], array) for name, array in seen[-1].items())


def test_nothing_comes_back_where_nothing_was_to_be_kept():
    trainer = steep(EarlyStopping(patience=50, restore_best=False), 6)
    plain = steep(None, 6)
    assert trainer.fit(FEW, FEW_TARGETS).loss == plain.fit(FEW, FEW_TARGETS).loss
    assert data_of(trainer) == data_of(plain)


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_the_next_fit_goes_on_from_the_last_epoch_as_if_nothing_had_come_back(engine, caplog, tmp_path):
    whole, parts = (
        steep(EarlyStopping(patience=50), 9, engine=engine),
        steep(EarlyStopping(patience=50), 3, engine=engine),
    )
    whole.fit(FEW, FEW_TARGETS)
    for i in range(3):
        parts.fit(FEW, FEW_TARGETS)
        parts.predict(FEW)
        parts.evaluate(FEW, FEW_TARGETS)
        if i == 1:
            save_training(parts, tmp_path / "training.npz")
            parts = steep(EarlyStopping(patience=50), 3, engine=engine)
            load_training(parts, tmp_path / "training.npz")
    assert everything(parts) == everything(whole)
    assert not caplog.records


def test_a_parameter_that_was_changed_in_between_is_gone_on_from_and_that_is_said(caplog, tmp_path):
    def move(trainer):
        trainer.model.parameters()[0].data += 1e-3

    def load_another(trainer):
        trainer.model.load_state_dict(a_mixed_model().state_dict())

    def freeze_the_first(trainer):
        nn.freeze(trainer.model[0])

    def measure_anew(trainer):
        trainer.model[2].load_state_dict({**trainer.model[2].state_dict(), "running_mean": [0.0] * 4})

    def new():
        return steep(EarlyStopping(patience=50), 4, engine="eager", batch_size=None)

    for change in (move, load_another, freeze_the_first, measure_anew):
        for is_saved in (False, True):
            trainer, began = new(), []
            trainer.fit(FEW, FEW_TARGETS)
            change(trainer)
            before = trainer.model.state_dict()
            if is_saved:
                save_training(trainer, tmp_path / "training.npz")
                trainer = new()
                change(trainer)
                load_training(trainer, tmp_path / "training.npz")
            trainer.optimizer.lr = 1e-300
            trainer.optimizer.state.clear()
            trainer.callbacks = [lambda trainer, began=began: began.append(trainer.model.state_dict())]
            caplog.clear()
            trainer.fit(FEW, FEW_TARGETS)
            (message,) = [record.getMessage() for record in caplog.records]
            assert "changed since those of the best epoch were put in place: training goes on from what" in message
            assert message.endswith("after epoch 4")
            assert all(np.array_equal(before[name], began[0][name]) for name in before if "weight" in name)


def test_what_a_rule_of_ones_own_puts_in_place_is_called_where_it_stopped():
    class Zeroed(After):
        def restore(self, parameters):
            for parameter in parameters:
                parameter.data = 0.0

    trainer = steep([Zeroed(2), EarlyStopping(patience=50)], 4)
    trainer.fit(FEW, FEW_TARGETS)
    assert set(data_of(trainer)) == {0.0}
    unstopped = steep([Zeroed(50), EarlyStopping(patience=50)], 4)
    unstopped.fit(FEW, FEW_TARGETS)
    assert 0.0 not in data_of(unstopped)


def test_an_error_puts_nothing_in_place():
    def broken(y_true, y_pred):
        if len(trainer.history) == 6:
            raise RuntimeError("no")
        return 0.0

    trainer = steep(EarlyStopping(patience=50), 10, metrics={"broken": broken})
    with pytest.raises(RuntimeError, match="no"):
        trainer.fit(FEW, FEW_TARGETS)
    whole = steep(None, 5)
    whole.fit(FEW, FEW_TARGETS)
    assert data_of(trainer) == data_of(whole)


def test_what_a_callback_did_after_the_last_finished_epoch_stays_done():
    def slow_down(trainer):
        trainer.optimizer.lr = 0.05

    def interrupted(prediction, target):
        if trainer.history.loss:
            raise KeyboardInterrupt
        return nn.binary_cross_entropy_with_logits(prediction, target)

    trainer = new_trainer(callbacks=slow_down, engine="eager")
    trainer.loss = interrupted
    assert len(trainer.fit(X, y)) == 1
    assert trainer.optimizer.lr == 0.05
