"""A model, a loss and an optimizer that don't belong together are refused before any work, with what to do."""

import copy
import functools
import itertools
import logging

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Parameter, Trainer, Value, nn, optim
from autograd_mini.serialization import load, save

X = np.array([[0.0, 1.0], [1.0, 0.5], [-1.0, 0.0], [0.5, -1.0]])
y = np.array([0.0, 1.0, 0.0, 1.0])


def an_mlp(**options):
    return nn.MLP(2, [3, 1], rng=0, **options)


def sgd(parameters):
    return optim.SGD(parameters, lr=0.1)


def data_of(model):
    return [parameter.data for parameter in model.parameters()]


# ----------------------------------------------------------------------------------- the optimizer of another model


def loaded(model, folder):
    save(model, folder / "model.npz")
    return load(folder / "model.npz")


@pytest.mark.parametrize(
    "renewed",
    [lambda model, folder: an_mlp(), lambda model, folder: copy.deepcopy(model), loaded],
    ids=["a cell run twice", "a copy", "loaded"],
)
def test_an_optimizer_made_before_the_model_was_is_refused(renewed, tmp_path):
    model = an_mlp()
    optimizer = sgd(model.parameters())
    with pytest.raises(ValueError, match=r"lacks 13 of the model's 13 parameters .* Make it last: SGD\(model\.param"):
        Trainer(renewed(model, tmp_path), "squared_error", optimizer)


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_a_model_or_an_optimizer_put_into_a_trainer_later_is_looked_at_too(engine):
    model, other = an_mlp(), an_mlp()
    trainer = Trainer(model, "squared_error", sgd(model.parameters()), epochs=1, engine=engine, progress=False)
    trainer.model = other
    for _ in range(2):
        with pytest.raises(ValueError, match="made for another model, or before this one was made anew"):
            trainer.fit(X, y)
        trainer.model, trainer.optimizer = model, sgd(other.parameters())
    assert data_of(model) == data_of(other) == data_of(an_mlp())
    assert len(trainer.history) == 0
    trainer.optimizer = sgd(model.parameters())
    trainer.fit(X, y)
    assert data_of(model) != data_of(other)


def test_a_layer_that_was_replaced_isnt_trained_by_the_old_optimizer():
    model = nn.Sequential(nn.Layer(2, 3, "tanh", rng=0), nn.Layer(3, 1, "identity", rng=0))
    optimizer = sgd(model.parameters())
    model[-1] = nn.Layer(3, 1, "identity", rng=1)
    trainer = Trainer(model, "squared_error", optimizer, epochs=1, progress=False)
    before = data_of(model)
    with pytest.raises(ValueError, match=r"lacks 4 of the model's 13 parameters and has 4 that aren't the model's"):
        trainer.fit(X, y)
    assert data_of(model) == before
    nn.freeze(model[0])
    with pytest.raises(ValueError, match="lacks 4 of the model's 4 parameters"):
        Trainer(model, "squared_error", optimizer)


def test_an_optimizer_of_what_is_frozen_alone_is_refused():
    model = nn.Sequential(nn.Layer(2, 3, "tanh", rng=0), nn.Layer(3, 1, "identity", rng=0))
    nn.freeze(model[0])
    with pytest.raises(ValueError, match="and has none that could be trained instead"):
        Trainer(model, "squared_error", sgd(model[0].parameters()))


def test_a_layer_or_a_model_that_a_callback_replaces_isnt_passed_over_in_silence(caplog):
    def replace(trainer):
        if len(trainer.history) == 1:
            trainer.model[-1] = nn.Layer(3, 1, "identity", rng=1)
        if len(trainer.history) == 3:
            trainer.model = an_mlp()

    model = nn.Sequential(nn.Layer(2, 3, "tanh", rng=0), nn.Layer(3, 1, "identity", rng=0))
    trainer = Trainer(model, "squared_error", sgd(model.parameters()), epochs=5, callbacks=replace, progress=False)
    with pytest.raises(ValueError, match=r"lacks 13 of the model's 13 parameters"):
        trainer.fit(X, y)
    assert len(trainer.history) == 3
    (message,) = warnings_of(caplog)
    assert message.startswith("Not the optimizer's, and not trained: 4 of the model's parameters (modules.1.neurons.0.")


class OfValues(nn.Module):
    """A model whose weight is no `Parameter`, so that the module doesn't know of it."""

    def __init__(self):
        self.weight = Value(0.5)

    def forward(self, x):
        return self.weight * x[0]


@pytest.mark.filterwarnings("ignore:OfValues.weight is a Value:UserWarning")
def test_a_model_of_plain_values_is_looked_at_by_its_graph():
    model = OfValues()
    Trainer(model, "squared_error", sgd([model.weight]), epochs=1, progress=False).fit(X, y)
    assert model.weight.data != 0.5
    stranger = Trainer(model, "squared_error", sgd([OfValues().weight]), epochs=1, progress=False)
    with pytest.raises(ValueError, match="the optimizer lacks 0 of the model's 0 parameters and has 1"):
        stranger.fit(X, y)


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_parameters_that_are_left_out_are_named_and_those_that_are_frozen_arent(caplog):
    model = nn.Sequential(nn.Layer(2, 3, "tanh", rng=0), nn.Layer(3, 1, "identity", rng=0))
    trainer = Trainer(model, "squared_error", sgd(model[-1].parameters()), epochs=1, progress=False)
    before = data_of(model[0])
    trainer.fit(X, y)
    (message,) = warnings_of(caplog)
    assert message.startswith("Not the optimizer's, and not trained: 9 of the model's parameters (modules.0.neurons.0.")
    assert data_of(model[0]) == before
    caplog.clear()
    nn.freeze(model[0])
    trainer.fit(X, y)
    Trainer(model, "squared_error", sgd(model.parameters()), epochs=1, progress=False).fit(X, y)
    assert not warnings_of(caplog)


def test_a_training_of_frozen_parameters_alone_says_that_it_does_nothing(caplog):
    model = an_mlp()
    trainer = Trainer(model, "squared_error", sgd(model.parameters()), epochs=1, progress=False)
    nn.freeze(model)
    trainer.fit(X, y)
    assert warnings_of(caplog) == ["Nothing is trained: all parameters of the optimizer are frozen; see unfreeze"]
    assert data_of(model) == data_of(an_mlp())


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
def test_a_fit_inside_of_no_grad_is_refused_before_anything_has_changed(engine):
    model = an_mlp()
    trainer = Trainer(model, "squared_error", sgd(model.parameters()), epochs=1, engine=engine, progress=False)
    with ag.no_grad(), pytest.raises(RuntimeError, match=r"no gradient goes back from here: .* inside of no_grad\(\)"):
        trainer.fit(X, y)
    assert data_of(model) == data_of(an_mlp())


def test_a_loss_and_a_penalty_may_have_parameters_of_their_own(caplog):
    model, scale, weight = an_mlp(), Parameter(1.0), Parameter(1.0)
    trainer = Trainer(
        *(model, lambda p, t: (scale * p - t) ** 2, sgd([*model.parameters(), scale, weight])),
        epochs=1,
        progress=False,
        penalty=lambda m: (weight - 3.0) ** 2,
    )
    trainer.fit(X, y)
    assert scale.data != 1.0 != weight.data
    nn.freeze(model)
    alone = Trainer(model, trainer.loss, sgd([scale]), epochs=1, progress=False)
    before = scale.data
    alone.fit(X, y)
    assert scale.data != before
    assert not warnings_of(caplog)


# ------------------------------------------------------------------------------------------------- the order of three


ORDER = "model", "loss", "optimizer"


@pytest.mark.parametrize("as_classes", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", nn.squared_error])
@pytest.mark.parametrize("places", list(itertools.permutations(range(3)))[1:])
def test_arguments_in_another_order_are_named(places, loss, as_classes):
    model = an_mlp()
    parts = [nn.MLP, loss, optim.SGD] if as_classes else [model, loss, sgd(model.parameters())]
    moved = [ORDER[i] for place, i in enumerate(places) if place != i]
    what = f"the {moved[0]} and the {moved[1]} are swapped" if len(moved) == 2 else "all three are swapped around"
    got = ", ".join(ORDER[i] for i in places)
    with pytest.raises(TypeError, match=rf"expected Trainer\(model, loss, optimizer\), got Trainer\({got}\): {what}"):
        Trainer(*[parts[i] for i in places])


def test_a_module_may_be_a_loss_and_no_class_or_optimizer_may():
    class Scaled(nn.Module):
        def forward(self, prediction, target):
            return (prediction - target) ** 2

    model = an_mlp()
    Trainer(model, Scaled(), sgd(model.parameters()), epochs=1, progress=False).fit(X, y)
    with pytest.raises(TypeError, match="expected a loss by its name or as a function, got the class Scaled; make one"):
        Trainer(model, Scaled, sgd(model.parameters()))
    with pytest.raises(TypeError, match="expected a loss by its name or as a function, got SGD"):
        Trainer(model, sgd(model.parameters()), sgd(model.parameters()))


# -------------------------------------------------------------------------------- the last activation and the loss

TAKES = {
    "cross_entropy": r"takes the softmax itself, of logits, .*: make the model with output='identity'",
    "binary_cross_entropy_with_logits": r"takes the sigmoid itself.* output='identity'.*take 'binary_cross_entropy'",
    "binary_cross_entropy": r"takes probabilities.* output='sigmoid', or .* 'binary_cross_entropy_with_logits'",
    "hinge": r"takes scores of both signs.* output='identity'",
}
UNFIT = [
    *[("cross_entropy", ending) for ending in ("softmax", "sigmoid", "logistic", ag.sigmoid)],
    *[("binary_cross_entropy_with_logits", ending) for ending in ("sigmoid", "relu", lambda z: ag.sigmoid(z))],
    *[("binary_cross_entropy", ending) for ending in ("identity", "tanh", "leaky_relu(0.2)")],
    ("hinge", "sigmoid"),
]


class Own(nn.Module):
    """A model of one's own: what it ends with is told by its graph alone."""

    def __init__(self, inside):
        self.inside = inside

    def forward(self, x):
        return self.inside(x)


def ending_with(activation, n_outputs):
    """Models that end with an activation, in every way to write that."""
    yield nn.MLP(2, [3, n_outputs], output=activation, rng=0)
    yield nn.Sequential(nn.Layer(2, n_outputs, "identity", rng=0), nn.Activation(activation))
    if activation != "softmax":
        yield nn.Layer(2, n_outputs, activation, rng=0) if n_outputs > 1 else nn.Neuron(2, activation, rng=0)
        yield nn.Sequential(nn.Sequential(nn.Layer(2, 2, rng=0), nn.Layer(2, n_outputs, activation, rng=0)))


@pytest.mark.parametrize(("loss", "activation"), UNFIT)
def test_an_activation_that_the_loss_takes_itself_is_refused_when_the_trainer_is_made(loss, activation):
    function = getattr(nn, loss)
    for model in ending_with(activation, 3 if loss == "cross_entropy" else 1):
        for spelling in (loss, function, functools.partial(function, reduction="mean")):
            with pytest.raises(ValueError, match=f"the loss {loss} {TAKES[loss]}"):
                Trainer(model, spelling, sgd(model.parameters()))


LOGITS = [pair for pair in UNFIT if pair[0] in ("cross_entropy", "binary_cross_entropy_with_logits")]


@pytest.mark.parametrize(("loss", "activation"), [pair for pair in LOGITS if pair[1] != "relu"])
def test_a_model_or_a_loss_of_ones_own_is_refused_before_any_work(loss, activation):
    function = getattr(nn, loss)
    own_loss = lambda prediction, target: 2.0 * function(prediction, target)
    for model in ending_with(activation, 3 if loss == "cross_entropy" else 1):
        before = data_of(model)
        for made in ((model, own_loss), (Own(model), loss), (Own(model), own_loss)):
            trainer = Trainer(*made, sgd(model.parameters()), progress=False)
            with pytest.raises(ValueError, match=f"the loss {loss} {TAKES[loss]}"):
                trainer.fit(X, y)
        assert data_of(model) == before


@pytest.mark.parametrize(
    ("loss", "activation", "n_outputs"),
    [
        *[("cross_entropy", ending, 3) for ending in ("identity", "tanh", "relu")],
        *[("binary_cross_entropy_with_logits", ending, 1) for ending in ("identity", "tanh", "leaky_relu")],
        *[("squared_error", ending, 1) for ending in ("identity", "sigmoid", "tanh", "relu")],
        ("binary_cross_entropy", "sigmoid", 1),
        *[(lambda p, t: ag.softplus(p) * t, ending, 1) for ending in ("sigmoid", "identity")],
        *[(lambda p, t: (p[0] - t) ** 2, ending, 2) for ending in ("softmax", "sigmoid")],
    ],
)
def test_what_fits_is_trained(loss, activation, n_outputs):
    for model in ending_with(activation, n_outputs):
        for outer in (model, Own(model)):
            Trainer(outer, loss, sgd(model.parameters()), epochs=1, engine="eager", progress=False).fit(X, y)


def test_a_softmax_of_one_output_is_refused():
    model = nn.MLP(2, [3, 1], output="softmax", rng=0)
    for loss in ("binary_cross_entropy", "squared_error"):
        with pytest.raises(
            ValueError, match="the softmax of one output is always 1: make the model with output='sigmoid'"
        ):
            Trainer(model, loss, sgd(model.parameters()))


def test_a_loss_put_into_a_trainer_later_is_looked_at_too():
    model = an_mlp(output="sigmoid")
    trainer = Trainer(model, "binary_cross_entropy", sgd(model.parameters()), progress=False)
    trainer.loss = nn.binary_cross_entropy_with_logits
    with pytest.raises(ValueError, match="takes the sigmoid itself"):
        trainer.fit(X, y)


# -------------------------------------------------------------------------------- what no gradient comes back from


class Cut(nn.Module):
    """A linear model whose outputs go through a function of one's own."""

    def __init__(self, cut):
        self.layer, self.cut = nn.Layer(1, 1, "identity", rng=0), cut

    def forward(self, x):
        return self.cut(self, x, self.layer(x)[0])


def without_graph(model, x, output):
    with ag.no_grad():
        return model.layer(x)[0]


@pytest.mark.parametrize("engine", ["vectorized", "eager"])
@pytest.mark.parametrize(
    "cut",
    [
        without_graph,
        lambda model, x, output: output.detach(),
        lambda model, x, output: Value(output.data),
        lambda model, x, output: output.data,
    ],
)
def test_a_model_with_no_way_back_to_its_parameters_is_refused_before_any_work(cut, engine):
    model = Cut(cut)
    trainer = Trainer(model, "squared_error", optim.SGD(model.parameters(), lr=0.1), engine=engine)
    with pytest.raises(ValueError, match=r"nothing would be trained: the loss doesn't depend on any .* no_grad\(\)"):
        trainer.fit([[-1.0], [1.0]], [0.0, 1.0])
    assert len(trainer.history) == 0


@pytest.mark.parametrize(
    "cut",
    [
        lambda model, x, output: output if model.training else output.detach(),
        lambda model, x, output: output if x[0] > 0.0 else Value(0.0),
    ],
)
def test_a_model_that_leads_back_in_training_or_for_some_examples_is_trained(cut):
    model = Cut(cut)
    trainer = Trainer(model, "squared_error", optim.SGD(model.parameters(), lr=0.1), epochs=2, engine="eager")
    losses = trainer.fit([[-1.0], [1.0]], [0.0, 1.0]).loss
    assert losses[1] < losses[0]
