"""Trainers, programs, steppers and their parts go through pickle, deepcopy, cloudpickle and joblib, and work on."""

import copy
import io
import pickle
import re
from functools import partial

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Trainer, Value, datasets, nn, optim, step_through, vectorize, watch
from autograd_mini.optim import schedules
from autograd_mini.training import EarlyStopping, GradientNorm, LossTolerance

X, y = datasets.moons(40, seed=0)


def through_cloudpickle(thing):
    import cloudpickle

    return pickle.loads(cloudpickle.dumps(thing))


def through_joblib(thing):
    import joblib

    file = io.BytesIO()
    joblib.dump(thing, file)
    file.seek(0)
    return joblib.load(file)


WAYS = [
    pytest.param(lambda thing: pickle.loads(pickle.dumps(thing)), id="pickle"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    pytest.param(through_cloudpickle, id="cloudpickle", marks=pytest.mark.needs("cloudpickle")),
    pytest.param(through_joblib, id="joblib", marks=[pytest.mark.needs("joblib"), pytest.mark.slow]),
]
KEEPING_FUNCTIONS = WAYS[1:3]


def curve(x):
    return ag.tanh(x) * 2.0 + ag.gelu(x)


def squared(model, x, t):
    return (model(x) - t) ** 2


def own_loss(prediction, target):
    return nn.hinge(prediction, 2.0 * target - 1.0)


def own_metric(y_true, y_pred):
    return float(np.abs(y_true - y_pred).mean())


def noise(rows, rng):
    return rows + rng.normal(0.0, 0.01, rows.shape)


def callback(trainer):
    trainer.model.seen = len(trainer.history)


def made(engine="vectorized", loss="binary_cross_entropy_with_logits", model=None, **options):
    model = model or nn.MLP(2, [6, 1], activation="tanh", rng=0)
    optimizer = optim.Adam(model.parameters(), lr=schedules.WarmUp(schedules.Cosine(0.05, steps=30), steps=3))
    trainer = Trainer(model, loss, optimizer, batch_size=8, epochs=2, progress=False, engine=engine, **options)
    trainer.fit(X, y)
    return trainer


TRAINERS = {
    "vectorized": lambda: made(),
    "eager": lambda: made("eager"),
    "of everything": lambda: made(
        loss=own_loss,
        validation=(X[:10], y[:10]),
        stopping=[EarlyStopping(patience=5), LossTolerance(1e-12), GradientNorm(1e-12)],
        metrics={"distance": own_metric},
        callbacks=[callback],
        augment=noise,
        clip_norm=1.0,
        penalty=nn.L2(1e-3),
    ),
    "with metrics": lambda: made(metrics=["accuracy", "log_loss"]),
    "with dropout": lambda: made(
        model=nn.Sequential(nn.Layer(2, 8, "gelu", rng=0), nn.Dropout(0.8, rng=0), nn.Layer(8, 1, "identity", rng=1))
    ),
    "with batch means": lambda: made(
        model=nn.Sequential(nn.Layer(2, 4, rng=0), nn.BatchNorm(4), nn.Layer(4, 1, "identity", rng=1))
    ),
}


# By every way of all kinds takes long: the plainest way of the fullest, and what is left for those who ask for it.
TOGETHER = [
    pytest.param(kind, *way.values, id=f"{kind}, {way.id}", marks=[*way.marks, *[pytest.mark.slow] * (not is_quick)])
    for kind in TRAINERS
    for way in WAYS
    for is_quick in [(kind, way.id) in [("of everything", "pickle"), ("vectorized", "deepcopy")]]
]


@pytest.mark.parametrize(("kind", "way"), TOGETHER)
def test_a_trainer_predicts_the_same_and_goes_on_as_the_original_would(kind, way):
    original = TRAINERS[kind]()
    twin = way(original)
    assert twin.model is not original.model
    assert set(twin.optimizer.parameters) == set(twin.model.parameters())
    assert twin.predict(X).tolist() == original.predict(X).tolist()
    before = original.predict(X).tolist()
    twin.fit(X, y)
    assert original.predict(X).tolist() == before, "a training of the copy left the original alone"
    original.fit(X, y)
    assert twin.history.columns() == original.history.columns()
    assert twin.predict(X).tolist() == original.predict(X).tolist()
    assert (twin.engine, len(twin.history)) == (original.engine, 4)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("backend", ["numpy", pytest.param("jax", marks=[pytest.mark.needs("jax"), pytest.mark.slow])])
def test_a_program_that_has_run_gives_the_same_numbers(way, backend):
    program = vectorize(curve, backend=backend)
    want = program([0.5, 1.5])
    twin = way(program)
    assert twin.source == program.source
    assert twin([0.5, 1.5]).tolist() == want.tolist()
    assert twin.gradients([0.5]).tolist() == program.gradients([0.5]).tolist()
    assert str(twin.explain()) == str(program.explain())
    assert (twin.backend, twin.dtype, twin.check) == (program.backend, program.dtype, program.check)


@pytest.mark.parametrize("way", WAYS)
def test_a_program_of_a_model_takes_its_copy_along(way):
    model = nn.MLP(2, [3, 1], rng=0)
    program = vectorize(partial(squared, model))
    want = program.value_and_grad(X, y)
    twin = way(program)
    own_model = twin.f.args[0]
    assert [name for name, _ in own_model.named_parameters()] == [name for name, _ in model.named_parameters()]
    assert twin.parameters == own_model.parameters()
    got = twin.value_and_grad(X, y)
    assert (got[0], got[1].tolist()) == (want[0], want[1].tolist())
    own_model.parameters()[0].data += 1.0
    assert twin.value_and_grad(X, y)[0] != want[0] == program.value_and_grad(X, y)[0]


@pytest.mark.parametrize("way", WAYS)
def test_a_program_goes_on_drawing_where_it_was(way):
    program = vectorize(nn.Dropout(0.5, rng=0), seed=7)
    program(X)
    twin = way(program)
    assert twin(X).tolist() == program(X).tolist()


def test_a_program_without_inputs_and_one_that_has_not_run_can_be_pickled():
    w = Value(3.0)
    program = vectorize(partial(curve, w))
    again = pickle.loads(pickle.dumps(program))
    assert again() == program() == pickle.loads(pickle.dumps(program))()


@pytest.mark.parametrize("way", WAYS)
def test_a_stepper_shows_the_same_steps(way):
    x = Value(0.5, label="x")
    stepper = step_through(curve(x), what_if=[x])
    twin = way(stepper)
    assert str(twin) == str(stepper)
    assert len(twin._repr_html_()) == len(stepper._repr_html_())


@pytest.mark.needs("anywidget")
@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_stepper_whose_page_is_shown_comes_back_without_its_widgets(way):
    stepper = step_through(curve(Value(0.5, label="x")))
    seen = []
    stepper.observe(lambda change: seen.append(change.new))
    stepper.widget  # noqa: B018, reading it makes the widget
    stepper.step = 3
    twin = way(stepper)
    assert (twin.step, twin.count, str(twin)) == (3, stepper.count, str(stepper))
    twin.step = 1
    assert (stepper.step, seen) == (3, [3])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "thing",
    [
        schedules.WarmUp(schedules.Step(0.1, 3), 2),
        EarlyStopping(3),
        nn.L2(0.1),
        nn.Sequential(nn.Layer(2, 3, "leaky_relu(0.2)", rng=0), nn.Activation("gelu"), nn.LayerNorm(3)),
        ag.draw(curve(Value(0.5, label="x"))),
        ag.to_latex(curve(Value(0.5, label="x"))),
        ag.to_python(curve(Value(0.5, label="x"))),
        datasets.moons(5),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_the_parts_of_a_training_and_pictures_come_back_as_they_were(thing, way):
    twin = way(thing)
    assert type(twin) is type(thing)
    assert str(twin) == str(thing)


@pytest.mark.parametrize("way", WAYS)
def test_an_optimizer_steps_on_with_its_momentum(way):
    w = Value(3.0)
    optimizer = optim.SGD([w], lr=schedules.Exponential(0.1, 0.9), momentum=0.9)

    def step(optimizer):
        (parameter,) = optimizer.parameters
        optimizer.zero_grad()
        (parameter * parameter).backward()
        optimizer.step()
        return parameter.data

    step(optimizer)
    twin = way(optimizer)
    assert [step(twin) for _ in range(3)] == [step(optimizer) for _ in range(3)]


def test_a_watched_training_can_be_copied_with_its_watcher():
    trainer = made()
    watcher = watch(trainer, X, y)
    trainer.fit(X, y)
    twin = copy.deepcopy(trainer)
    twin.fit(X, y)
    assert len(twin.history) == len(trainer.history) + 2
    again = pickle.loads(pickle.dumps(watcher))
    assert [frame.epoch for frame in again.frames] == [frame.epoch for frame in watcher.frames]
    assert again.frames[-1].output.tolist() == watcher.frames[-1].output.tolist()


# -------------------------------------------------------------------------------- functions that have no name to find


# An object that holds a lambda, and what to see of it.
OF_A_LAMBDA = {
    "Program.f": (lambda: vectorize(lambda x: x * x), lambda program: program([1.0, 2.0]).tolist()),
    "Trainer.loss": (lambda: made(loss=lambda a, t: (a - t) ** 2), lambda trainer: trainer.fit(X, y).loss),
    "Trainer.callbacks": (lambda: made(callbacks=[lambda trainer: None]), lambda trainer: trainer.fit(X, y).loss),
    "Activation.activation": (
        lambda: nn.Sequential(nn.Layer(2, 1, "identity", rng=0), nn.Activation(lambda z: z * z)),
        lambda module: module([1.0, 2.0]).data,
    ),
    "SGD.schedule": (lambda: optim.SGD([Value(1.0)], lr=lambda step: 0.1), lambda optimizer: optimizer.lr),
}


@pytest.mark.parametrize("what", OF_A_LAMBDA)
def test_pickle_says_which_function_it_can_not_store_and_what_can(what):
    thing, name = OF_A_LAMBDA[what][0](), re.escape(what)
    for dumps in (pickle.dumps, partial(pickle.dumps, protocol=2), pickle._dumps):
        with pytest.raises(pickle.PicklingError) as refused:
            dumps(thing)
        assert re.fullmatch(  # Python 3.14 adds notes to it, which say where in the object it was
            rf"{name} is the function .*<lambda>, and pickle stores functions by name: define it by def at the "
            "top of a module, or take cloudpickle.dumps, which stores its code",
            str(refused.value),
        )


@pytest.mark.parametrize("way", KEEPING_FUNCTIONS)
@pytest.mark.parametrize("what", OF_A_LAMBDA)
def test_deepcopy_and_cloudpickle_keep_functions_without_a_name(what, way):
    make, use = OF_A_LAMBDA[what]
    thing = make()
    twin = way(thing)
    assert use(twin) == use(thing)


def test_a_copy_of_what_has_a_lambda_is_no_matter_of_pickle():
    program = vectorize(lambda x: x * x)
    assert copy.copy(program)([3.0]).tolist() == [9.0]


def classes_of_a_function():
    class Net(nn.Module):
        def forward(self, x):
            return x * 2.0

    class Loss:
        def __call__(self, prediction, target):
            return (prediction - target) ** 2

    return Net, Loss


def test_pickle_says_which_class_it_can_not_store_and_cloudpickle_does():
    net, loss = classes_of_a_function()
    model = nn.MLP(2, [1], rng=0)
    for thing, path, name in [
        (net(), "this Net", "Net"),
        (nn.Sequential(net()), "Sequential.modules", "Net"),
        (vectorize(net()), "Program.f", "Net"),
        (Trainer(model, loss(), optim.SGD(model.parameters(), lr=0.1)), "Trainer.loss", "Loss"),
    ]:
        with pytest.raises(
            pickle.PicklingError,
            match=rf"^{path} is of the class classes_of_a_function.<locals>.{name}, and pickle stores classes by name: "
            "define it by class at the top of a module, or take cloudpickle.dumps, which stores its code$",
        ):
            pickle.dumps(thing)
    assert copy.deepcopy(net())(3.0) == 6.0


@pytest.mark.parametrize("way", WAYS)
def test_a_derivative_is_stored_with_the_function_that_it_is_of(way):
    model = nn.MLP(1, [3, 1], activation="tanh", rng=0)
    for derivative in (ag.grad(curve), ag.value_and_grad(curve), ag.jacobian(curve), ag.hessian(curve)):
        assert way(derivative)(0.5) == derivative(0.5)
    program = vectorize(ag.grad(partial(squared, model), 1))
    want = program(X[:, :1], y).tolist()
    assert way(program)(X[:, :1], y).tolist() == want
    assert way(program).parameters != [], "those of the model's copy"


def test_a_derivative_of_a_lambda_is_told():
    with pytest.raises(pickle.PicklingError, match=r"^Program.f is the function .*<lambda>, and pickle stores"):
        pickle.dumps(vectorize(ag.grad(lambda x: x * x)))
