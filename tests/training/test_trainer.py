"""The trainer: the same to the bit from one seed, right gradients, and errors before any work."""

import math

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Trainer, Value, datasets, no_grad
from autograd_mini.nn import MLP, Layer, Module, Parameter, losses
from autograd_mini.optim import SGD, Optimizer
from autograd_mini.training import History, NonFiniteLossError


def data_of(model):
    return [p.data for p in model.parameters()]


def trainer_for(model, loss="squared_error", lr=0.1, momentum=0.0, **options):
    options = {"epochs": 3, "batch_size": 4, "seed": 0, **options}
    return Trainer(model, loss, SGD(model.parameters(), lr=lr, momentum=momentum), **options)


def a_line(n=10):
    return datasets.linear(n, n_features=2, noise=0.1, seed=1)


class Recorder(Module):
    """A linear model that remembers on which rows it was trained."""

    def __init__(self, n_inputs=1):
        self.n_inputs = n_inputs
        self.w, self.b = [Parameter(0.1) for _ in range(n_inputs)], Parameter(0.0)
        self.seen = []

    def forward(self, x):
        if self.training:
            self.seen.append(tuple(x))
        return ag.dot(self.w, x, self.b)


class Keeper(Optimizer):
    """An optimizer that keeps the gradients it gets and changes nothing."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=1.0)
        self.gradients = []

    def update(self, data, grad):
        self.gradients.append(grad.tolist())
        return data


# ------------------------------------------------------------------------------------------------------- seeds


@pytest.mark.parametrize("batch_size", [None, 1, 3, 100])
def test_two_fits_with_one_seed_are_equal_to_the_bit(batch_size):
    X, y = datasets.moons(20)
    runs = []
    for _ in range(2):
        model = MLP(2, [4, 1], activation="tanh", rng=3)
        trainer = trainer_for(model, "binary_cross_entropy_with_logits", momentum=0.9, batch_size=batch_size, seed=7)
        history = trainer.fit(X, y)
        runs.append((data_of(model), history.loss, trainer.predict(X).tolist()))
    assert runs[0] == runs[1]


def test_another_seed_shuffles_otherwise():
    X, y = a_line()
    results = []
    for seed in (0, 1, None):
        model = MLP(2, [1], rng=0)
        trainer_for(model, seed=seed).fit(X, y)
        results.append(data_of(model))
    assert results[0] != results[1]


def test_numpys_global_random_state_plays_no_part():
    X, y = a_line()
    results = []
    for seed in (1, 2):
        np.random.seed(seed)
        model = MLP(2, [3, 1], rng=0)
        trainer_for(model).fit(X, y)
        results.append(data_of(model))
    assert results[0] == results[1]


# ----------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize("batch_size", [None, 1, 3, 5, 10, 11, 1000])
def test_every_epoch_sees_every_example_once(batch_size):
    X, y = np.arange(10.0).reshape(-1, 1), np.zeros(10)
    model = Recorder()
    trainer_for(model, lr=1e-6, batch_size=batch_size, epochs=3, engine="eager").fit(X, y)
    epochs = [[row[0] for row in model.seen[i : i + 10]] for i in range(0, 30, 10)]
    assert len(model.seen) == 30
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    if batch_size is not None and batch_size < 10:
        assert len({tuple(epoch) for epoch in epochs}) == 3


@pytest.mark.parametrize(("batch_size", "steps"), [(None, 1), (1, 10), (3, 4), (5, 2), (10, 1), (11, 1)])
def test_there_is_one_step_a_batch(batch_size, steps):
    X, y = a_line()
    model = MLP(2, [1], rng=0)
    keeper = Keeper(model.parameters())
    Trainer(model, "squared_error", keeper, batch_size=batch_size, epochs=2).fit(X, y)
    assert len(keeper.gradients) == 2 * steps


@pytest.mark.parametrize("penalty", [None, lambda m: 0.01 * sum(p * p for p in m.parameters())])
def test_the_gradient_of_a_batch_is_the_mean_over_its_examples_plus_that_of_the_penalty(penalty):
    X, y = a_line(6)
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    keeper = Keeper(model.parameters())
    Trainer(model, "squared_error", keeper, batch_size=None, epochs=1, penalty=penalty).fit(X, y)
    model.zero_grad()
    loss = sum((model(x) - t) ** 2 for x, t in zip(X, y, strict=True)) / 6
    (loss + penalty(model) if penalty else loss).backward()
    assert keeper.gradients[0] == pytest.approx([p.grad for p in model.parameters()], rel=1e-12, abs=1e-15)


def test_a_fit_is_the_loop_of_ones_own():
    X, y = a_line(8)
    model, twin = (MLP(2, [3, 1], activation="tanh", rng=0) for _ in range(2))
    history = trainer_for(model, batch_size=None, epochs=5, momentum=0.9).fit(X, y)
    optimizer = SGD(twin.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(5):
        optimizer.zero_grad()
        loss = losses.squared_error([twin(x) for x in X], y, reduction="mean")
        loss.backward()
        optimizer.step()
        assert history.loss[epoch] == pytest.approx(loss.data, rel=1e-12)
    assert data_of(model) == pytest.approx(data_of(twin), rel=1e-12)


# ------------------------------------------------------------------------------------------- learning, history


def test_gradient_descent_on_linear_data_finds_the_least_squares_solution():
    X, y = datasets.linear(40, n_features=3, noise=0.3, seed=4)
    model = MLP(3, [1], rng=0)
    trainer_for(model, lr=0.3, batch_size=None, epochs=250).fit(X, y)
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(40)]), y, rcond=None)[0]
    assert data_of(model) == pytest.approx(solution.tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("loss", "output", "targets"),
    [
        ("hinge", "identity", lambda y: 2 * y - 1),
        ("binary_cross_entropy", "sigmoid", lambda y: y),
        ("binary_cross_entropy_with_logits", "identity", lambda y: y),
        ("squared_error", "tanh", lambda y: 2.0 * y - 1.0),
    ],
)
def test_every_loss_by_name_learns_xor(loss, output, targets):
    X, y = datasets.xor()
    model = MLP(2, [8, 1], activation="tanh", output=output, rng=1)
    trainer = trainer_for(model, loss, lr=0.2, momentum=0.9, batch_size=None, epochs=150)
    history = trainer.fit(X, targets(y))
    assert history.loss[-1] < 0.05 < history.loss[0]
    threshold = 0.5 if output == "sigmoid" else 0.0
    assert (trainer.predict(X) > threshold).astype(int).tolist() == y.tolist()


def test_cross_entropy_learns_three_classes():
    X, y = datasets.iris()
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), y
    model = MLP(4, [3], rng=0)
    trainer = trainer_for(model, "cross_entropy", lr=0.1, momentum=0.9, batch_size=16, epochs=12)
    trainer.fit(X, y)
    assert trainer.predict(X).shape == (150, 3)
    assert (trainer.predict(X).argmax(axis=1) == y).mean() > 0.93


def test_the_history_has_the_loss_of_every_epoch_and_is_returned():
    X, y = a_line()
    model = MLP(2, [1], rng=0)
    trainer = trainer_for(model, epochs=6, validation=a_line(4))
    history = trainer.fit(X, y)
    assert isinstance(history, History)
    assert history is trainer.history
    assert len(history) == len(history.loss) == len(history.validation_loss) == 6
    assert history.loss[-1] < history.loss[0]
    assert history.validation_loss[-1] == trainer.evaluate(*a_line(4))
    assert repr(history).startswith("History(6 epochs, loss ")
    assert "validation loss" in repr(history)
    assert repr(History()) == "History(0 epochs)"
    assert repr(History([1.5])) == "History(1 epoch, loss 1.5 → 1.5)"


def test_the_loss_of_an_epoch_is_the_mean_over_examples_also_when_batches_do_not_divide():
    X, y = np.arange(5.0).reshape(-1, 1), np.arange(5.0) * 2
    model = MLP(1, [1], initializer="zeros")
    history = Trainer(model, "squared_error", Keeper(model.parameters()), batch_size=2, epochs=1).fit(X, y)
    assert history.loss[0] == pytest.approx(np.mean(y**2))


def test_the_penalty_is_part_of_the_loss_and_shrinks_the_weights():
    X, y = a_line()
    sizes = []
    for strength in (0.0, 1.0):
        model = MLP(2, [1], rng=0)
        trainer = trainer_for(model, epochs=30, penalty=lambda m, s=strength: s * sum(p * p for p in m.parameters()))
        trainer.fit(X, y)
        sizes.append(sum(p * p for p in data_of(model)))
        assert trainer.history.loss[-1] >= trainer.evaluate(X, y) * 0.5
    assert sizes[1] < 0.3 * sizes[0]


def test_a_penalty_may_be_a_bare_number():
    model = MLP(2, [1], rng=0)
    keeper = Keeper(model.parameters())
    history = Trainer(model, "squared_error", keeper, epochs=1, penalty=lambda m: 100.0).fit(*a_line())
    assert history.loss[0] > 100.0


def test_fitting_again_goes_on():
    X, y = a_line()
    once, twice = MLP(2, [2, 1], rng=0), MLP(2, [2, 1], rng=0)
    whole = trainer_for(once, epochs=6, momentum=0.5)
    halves = trainer_for(twice, epochs=3, momentum=0.5)
    whole.fit(X, y)
    halves.fit(X, y)
    history = halves.fit(X, y)
    assert data_of(once) == data_of(twice)
    assert history.loss == whole.history.loss
    assert len(history) == 6


@pytest.mark.parametrize(
    "loss",
    [lambda a, t: abs(a - t), lambda a, t: (a - t) * (a - t), losses.squared_error],
    ids=["absolute", "square", "library"],
)
def test_a_loss_may_be_any_function(loss):
    X, y = a_line()
    history = trainer_for(MLP(2, [1], rng=0), loss, lr=0.05, epochs=10).fit(X, y)
    assert history.loss[-1] < history.loss[0]


def test_a_loss_may_return_a_bare_number_where_there_is_nothing_to_learn():
    X, y = datasets.linear(10, n_features=2, noise=0.0, seed=0)
    y = np.where(y > 0, 1.0, -1.0)
    model = MLP(2, [1], rng=0)
    perceptron = trainer_for(model, lambda s, t: 0.0 if s * t > 0 else -t * s, epochs=200, lr=0.1, batch_size=1)
    assert perceptron.fit(X, y).loss[-1] == 0.0
    assert (perceptron.predict(X) * y > 0).all()


def test_several_outputs_take_rows_of_targets():
    X = np.array([[0.0], [0.5], [1.0]])
    Y = np.column_stack([2 * X[:, 0], 1 - X[:, 0]])
    model = MLP(1, [2], rng=0)
    trainer = trainer_for(model, epochs=200, lr=0.2, batch_size=None)
    trainer.fit(X, Y)
    assert trainer.predict(X) == pytest.approx(Y, abs=0.05)
    one_column = trainer_for(MLP(1, [1], rng=0), epochs=1)
    one_column.fit(X, Y[:, :1])
    assert one_column.predict(X).shape == (3,)


# --------------------------------------------------------------------------------------- predict and evaluate


def test_predict_and_evaluate_leave_mode_and_gradients_alone():
    X, y = a_line()
    model = MLP(2, [3, 1], rng=0)
    trainer = trainer_for(model)
    trainer.fit(X, y)
    model.layers[1].eval()
    before = [p.grad for p in model.parameters()], data_of(model)
    trainer.predict(X)
    trainer.evaluate(X, y)
    assert ([p.grad for p in model.parameters()], data_of(model)) == before
    assert [module.training for _, module in model.named_modules()] == [True] * 5 + [False] * 2
    model.eval()
    trainer.predict(X)
    assert not model.training


def test_predict_evaluate_and_validation_run_in_evaluation_mode_and_without_a_graph():
    modes = []

    class Moody(Recorder):
        def forward(self, x):
            output = super().forward(x)
            modes.append((self.training, output.parents == ()))
            return output

    X, y = np.ones((2, 1)), np.ones(2)
    model = Moody()
    trainer = trainer_for(model, lr=1e-3, batch_size=None, epochs=1, validation=(X, y), engine="eager")
    trainer.fit(X, y)
    assert modes.count((True, False)) == 2
    assert modes.count((False, False)) == 1  # the example whose graph shows that the loss depends on a parameter
    assert set(modes) == {(True, False), (False, True), (False, False)}
    modes.clear()
    trainer.predict(X)
    trainer.evaluate(X, y)
    assert set(modes) == {(False, True)}


def test_the_mode_comes_back_after_an_error():
    class Failing(Recorder):
        def forward(self, x):
            raise RuntimeError("no")

    model = Failing()
    trainer = trainer_for(model)
    with pytest.raises(RuntimeError, match="no"):
        trainer.predict([[1.0]])
    assert model.training
    assert (Value(1.0) * 2).parents != ()


def test_fit_trains_in_training_mode_and_under_no_grad_builds_nothing_else():
    X, y = a_line()
    model = MLP(2, [1], rng=0).eval()
    trainer_for(model).fit(X, y)
    assert model.training


def test_predict_gives_the_models_outputs():
    X, _ = a_line()
    model = MLP(2, [3, 1], output="tanh", rng=0)
    trainer = trainer_for(model)
    with no_grad():
        assert trainer.predict(X).tolist() == [model(x).data for x in X]
    assert trainer.predict(X[:1].tolist()).shape == (1,)
    assert trainer_for(Layer(2, 3, rng=0)).predict(X).shape == (10, 3)


def test_evaluate_is_the_mean_loss_without_the_penalty():
    X, y = a_line()
    model = MLP(2, [1], rng=0)
    trainer = trainer_for(model, penalty=lambda m: 1000.0)
    assert trainer.evaluate(X, y) == pytest.approx(
        np.mean([(model(x).data - t) ** 2 for x, t in zip(X, y, strict=True)])
    )


@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_predict_and_evaluate_check_their_examples(method):
    trainer = trainer_for(MLP(2, [1], rng=0))
    arguments = () if method == "predict" else ([0.0],)
    with pytest.raises(ValueError, match=r"X: the model expects 2 features, got 3"):
        getattr(trainer, method)([[1.0, 2.0, 3.0]], *arguments)
    with pytest.raises(ValueError, match=r"X: expected finite numbers, got nan at \[0, 1\]"):
        getattr(trainer, method)([[1.0, math.nan]], *arguments)
    with pytest.raises(ValueError, match=r"X: expected at least one example"):
        getattr(trainer, method)([], *arguments)


# ----------------------------------------------------------------------------------- losses that are not finite


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("batch_size", [None, 2])
def test_a_loss_that_is_not_finite_stops_and_leaves_the_last_finite_parameters(momentum, batch_size):
    X, y = a_line()
    model = MLP(2, [1], rng=0)
    trainer = trainer_for(model, lr=1e30, momentum=momentum, batch_size=batch_size, epochs=50)
    with pytest.raises(NonFiniteLossError, match=r"in epoch \d+, batch \d+; .*smaller learning rate than 1e\+30"):
        trainer.fit(X, y)
    assert all(math.isfinite(p) for p in data_of(model))
    assert math.isfinite(trainer.evaluate(X, y))


def test_the_error_says_which_epoch_and_batch_and_restores_what_was_before_that_batch():
    X, y = np.ones((6, 1)), np.zeros(6)
    model = Recorder()
    calls = []

    def loss(prediction, target):
        calls.append(1)
        return prediction * math.nan if len(calls) > 1 + 6 + 2 else (prediction - target) ** 2

    trainer = trainer_for(model, loss, batch_size=2, lr=0.01, engine="eager")
    with pytest.raises(NonFiniteLossError, match=r"the loss became nan in epoch 2, batch 2; the model has"):
        trainer.fit(X, y)
    twin = Recorder()
    keeper = SGD(twin.parameters(), lr=0.01)
    for _ in range(3):  # epoch 1; the step of epoch 2, batch 1 was the one that led to the loss that is not finite
        keeper.zero_grad()
        ((twin([1.0]) - 0.0) ** 2).backward()
        keeper.step()
    assert data_of(model) == pytest.approx(data_of(twin), rel=1e-12)
    assert len(trainer.history) == 1


def test_parameters_that_overflow_stop_the_fit_too():
    X, y = np.array([[1e150]]), np.array([0.0])
    model = MLP(1, [1], initializer=lambda rng, shape: np.full(shape, 1.0))
    before = data_of(model)
    trainer = trainer_for(model, lr=1e200, epochs=1)
    with pytest.raises(NonFiniteLossError, match=r"a parameter became infinite or nan in epoch 1, batch 1"):
        trainer.fit(X, y)
    assert data_of(model) == before


def test_after_a_stop_a_smaller_learning_rate_goes_on():
    X, y = a_line()
    model = MLP(2, [1], rng=0)
    trainer = trainer_for(model, lr=1e200, momentum=0.9, epochs=20)
    with pytest.raises(NonFiniteLossError):
        trainer.fit(X, y)
    for p, number in zip(model.parameters(), (0.1, 0.2, 0.3), strict=True):
        p.data = number
    trainer.optimizer.lr = 0.05
    before = trainer.evaluate(X, y)
    trainer.fit(X, y)
    assert trainer.evaluate(X, y) < before


def test_an_infinite_penalty_stops_the_fit():
    model = MLP(2, [1], rng=0)
    with pytest.raises(NonFiniteLossError, match=r"the loss became inf in epoch 1, batch 1"):
        trainer_for(model, penalty=lambda m: math.inf).fit(*a_line())


# --------------------------------------------------------------------------------- refused before any work


GOOD_X = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (GOOD_X, [0, 1, 2], r"y: expected one target for each of the 4 examples, got 3"),
        (GOOD_X, [0, 1, 2, 0, 1], r"y: expected one target for each of the 4 examples, got 5"),
        (GOOD_X, [0, 1, math.nan, 0], r"y: expected finite numbers, got nan at \[2\] \(1 such\)"),
        (GOOD_X, ["a", "b", "c", "d"], r"y: expected real numbers"),
        (GOOD_X, None, r"y: expected"),
        (GOOD_X, [[[0]]] * 4, r"y: expected shape \(examples,\) or \(examples, outputs\), got \(4, 1, 1\)"),
        ([[0.1, math.nan], *GOOD_X[1:]], [0, 1, 2, 0], r"X: expected finite numbers, got nan at \[0, 1\] \(1 such\)"),
        ([*GOOD_X[:3], [math.inf, 1]], [0, 1, 2, 0], r"X: expected finite numbers, got inf at \[3, 0\]"),
        ([[1.0]] * 4, [0, 1, 2, 0], r"X: the model expects 2 features, got 1"),
        ([[1.0] * 3] * 4, [0, 1, 2, 0], r"X: the model expects 2 features, got 3"),
        ([[1.0, 2.0], [1.0]], [0, 1], r"X: expected real numbers, all rows of the same width"),
        ([1.0, 2.0], [0, 1], r"X: expected shape \(examples, features\), got \(2,\); write X\.reshape\(-1, 1\)"),
        ([], [], r"X: expected at least one example, got none"),
        (np.zeros((0, 2)), [], r"X: expected at least one example, got none"),
        (np.zeros((2, 2, 2)), [0, 1], r"expected 2 features, got 2 rows of features"),
        (5.0, [0], r"X: expected shape \(examples, features\), got \(\)"),
        ("text", [0], r"X: expected real numbers"),
        (None, [0], r"X: expected"),
        (np.ones((4, 2)) * 1j, [0, 1, 2, 0], r"X: expected real numbers"),
        ([[Value(1.0), Value(2.0)]], [0], r"X: expected real numbers"),
        (GOOD_X, [0, 1, 2, 3], r"expected a class from 0 to 2, got 3\.0"),
        (GOOD_X, [0, 1, -1, 2], r"expected a class from 0 to 2, got -1\.0"),
        (GOOD_X, [0, 1, 2, 0.5], r"expected a class from 0 to 2, got 0\.5"),
        (GOOD_X, [[0], [1], [2], [0]], r"expected a class from 0 to 2"),
    ],
)
def test_examples_that_do_not_fit_are_refused_before_any_work(X, y, message):
    model = MLP(2, [3], rng=0)
    before = data_of(model)
    trainer = trainer_for(model, "cross_entropy", batch_size=1)
    with pytest.raises(ValueError, match=message):
        trainer.fit(X, y)
    assert data_of(model) == before
    assert all(p.grad == 0.0 for p in model.parameters())
    assert len(trainer.history) == 0


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("hinge", [1, 1, -1, 0], r"the hinge loss needs targets of -1 and \+1, got 0\.0"),
        ("binary_cross_entropy", [0, 1, 1, 2], r"needs a target from 0 to 1, got 2\.0"),
        ("binary_cross_entropy_with_logits", [0, 1, 1, -1], r"needs a target from 0 to 1, got -1\.0"),
        ("squared_error", [[1, 2]] * 4, r"expected one target for each prediction, got 1 and 2"),
        (losses.hinge, [1, 1, -1, 0], r"the hinge loss needs targets"),
    ],
)
def test_targets_the_loss_cannot_take_are_found_in_any_row_before_any_work(loss, y, message):
    model = MLP(2, [1], output="sigmoid" if loss == "binary_cross_entropy" else "identity", rng=0)
    before = data_of(model)
    with pytest.raises(ValueError, match=message):
        trainer_for(model, loss, batch_size=1).fit(GOOD_X, y)
    assert data_of(model) == before


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ((GOOD_X, [0, 1, 2, 7]), r"expected a class from 0 to 2, got 7\.0"),
        ((GOOD_X, [0]), r"validation y: expected one target for each of the 4 examples, got 1"),
        (([[1.0]], [0]), r"validation X: the model expects 2 features, got 1"),
        (([], []), r"validation X: expected at least one example"),
    ],
)
def test_validation_examples_are_checked_before_any_work_too(validation, message):
    model = MLP(2, [3], rng=0)
    before = data_of(model)
    with pytest.raises(ValueError, match=message):
        trainer_for(model, "cross_entropy", validation=validation).fit(GOOD_X, [0, 1, 2, 0])
    assert data_of(model) == before


def test_the_trial_before_the_work_leaves_the_training_mode_out_of_it():
    model = Recorder()
    with pytest.raises(ValueError, match="hinge"):
        trainer_for(model, "hinge").fit([[1.0], [2.0]], [1, 0])
    assert model.seen == []


def test_a_loss_without_a_return_is_found_before_any_work():
    model = MLP(2, [1], rng=0)
    with pytest.raises(TypeError, match=r"expected a real number, got None; did a function forget its return\?"):
        trainer_for(model, lambda a, t: None).fit(*a_line())


@pytest.mark.parametrize("number", [0, -1, 1.5, "3", True])
def test_bad_batch_sizes_and_epochs_are_refused(number):
    for name in ("batch_size", "epochs"):
        with pytest.raises(ValueError, match=rf"{name}: expected a whole number of at least 1, got {number!r}"):
            trainer_for(MLP(2, [1], rng=0), **{name: number})


@pytest.mark.parametrize("loss", ["mse", 5, None, ["hinge"]])
def test_an_unknown_loss_is_answered_with_those_there_are(loss):
    with pytest.raises(
        ValueError, match=r"no loss is named .*; choose one of squared_error, .*, hinge, .*, or pass a function"
    ):
        trainer_for(MLP(2, [1], rng=0), loss)


def test_an_optimizer_class_and_a_validation_of_three_are_refused():
    model = MLP(2, [1], rng=0)
    with pytest.raises(TypeError, match=r"expected an optimizer, got the class; write SGD\(model\.parameters\(\)"):
        Trainer(model, "hinge", SGD)
    with pytest.raises(ValueError, match=r"validation: expected a pair \(X, y\), got 3 things"):
        trainer_for(model, validation=(GOOD_X, [0, 1, 2, 0], 3))


def test_the_examples_are_left_as_they_were():
    X, y = a_line()
    before = X.copy(), y.copy()
    trainer_for(MLP(2, [1], rng=0)).fit(X, y)
    assert np.array_equal(X, before[0])
    assert np.array_equal(y, before[1])
