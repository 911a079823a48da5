import base64
import gzip
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_mini import Trainer, Value, datasets, nn, watch
from autograd_mini.optim import SGD, Adam
from autograd_mini.training import EarlyStopping, eager
from autograd_mini.views.live import Watcher, screen
from autograd_mini.views.live.budget import Budget
from autograd_mini.views.live.measuring import MOST_FRAMES
from autograd_mini.views.live.screen import Screen

ROOT = Path(__file__).resolve().parents[2]
X, Y = datasets.moons(24, seed=0)
SIGNS = 2 * np.asarray(Y) - 1


def trained_with(model, loss="squared_error", targets=SIGNS, epochs=4, features=X, **options):
    optimizer = Adam(model.parameters(), lr=0.02)
    trainer = Trainer(model, loss, optimizer, batch_size=8, epochs=epochs, progress=False, **options)
    watcher = watch(trainer, features, targets, example=2)
    trainer.fit(features, targets)
    return trainer, watcher


def moons_model():
    return nn.MLP(2, [4, 1], activation="tanh", rng=0)


def mixed_model():
    """A model with generators, running statistics and modes, all of which watching could disturb."""
    return nn.Sequential(
        nn.Layer(2, 4, "tanh", rng=0),
        nn.BatchNorm(4),
        nn.Dropout(0.7, rng=1),
        nn.Layer(4, 1, "identity", rng=2),
    )


class Bent(nn.Module):
    """A model of one's own, whose graph depends on the example."""

    def __init__(self):
        self.w = [nn.Parameter(0.3), nn.Parameter(-0.2)]

    def forward(self, x):
        z = self.w[0] * x[0] + self.w[1] * x[1]
        return z if z.data > 0 else z * 0.1


class LastState(nn.Module):
    """A model of sequences."""

    def __init__(self):
        self.rnn, self.out = nn.RNN(1, 2, rng=0), nn.Neuron(2, "identity", rng=1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][-1])


def data_of(html):
    return json.loads(gzip.decompress(base64.b64decode(re.search(r'", "([^"]*)"\);\n', html)[1])))


class Shell:
    """What a screen needs of IPython's shell."""

    def __init__(self):
        self.events, self.callbacks = self, []

    def register(self, name, callback):
        assert name == "post_run_cell"
        self.callbacks.append(callback)

    def unregister(self, name, callback):
        self.callbacks.remove(callback)

    def end_of_cell(self):
        for callback in list(self.callbacks):
            callback(None)


class Impatient(Budget):
    """Draws a picture after every epoch."""

    def allows_picture(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """A notebook: the list of the outputs, each with the list of what it showed."""
    outputs = []

    class Handle:
        def __init__(self, html):
            self.all = [html]

        def update(self, html):
            self.all.append(html)

    def show(html, display_id):
        assert display_id is True
        outputs.append(Handle(html))
        return outputs[-1]

    display = SimpleNamespace(display=show, HTML=str)
    monkeypatch.setattr(screen, "_display", lambda: display)
    return outputs


def in_notebook(watcher, shell):
    watcher._screen, watcher._budget = Screen(shell), Impatient()


# ---------------------------------------------------------------------------------------- nothing is disturbed


@pytest.mark.parametrize("engine", ["eager", "vectorized"])
@pytest.mark.parametrize("make", [moons_model, mixed_model, Bent], ids=["mlp", "dropout and batch norm", "own"])
def test_a_watched_training_equals_an_unwatched_one_to_the_bit(make, engine, shown):
    def train(watched):
        model = make()
        trainer = Trainer(
            model,
            "squared_error",
            SGD(model.parameters(), lr=0.05, momentum=0.9),
            batch_size=8,
            epochs=5,
            progress=False,
            penalty=nn.L2(1e-3),
            validation=(X[:8], SIGNS[:8]),
            engine=engine,
        )
        if watched:
            watcher = watch(trainer, X, SIGNS)
            in_notebook(watcher, Shell())
            assert len(watcher.frames) == 1
        trainer.fit(X, SIGNS)
        if watched:
            assert len(shown[0].all) == 1 + 5
            assert len(watcher.frames) == 6
        return trainer

    watched, unwatched = train(True), train(False)
    assert watched.history == unwatched.history
    for name, array in unwatched.model.state_dict().items():
        assert watched.model.state_dict()[name].tobytes() == array.tobytes(), name
    generators = [trainer.state_dict()["generators"] for trainer in (watched, unwatched)]
    assert generators[0] == generators[1]
    assert [p.grad for p in watched.model.parameters()] == [p.grad for p in unwatched.model.parameters()]


def test_looking_at_frames_leaves_gradients_modes_and_generators_alone():
    trainer, watcher = trained_with(mixed_model())
    model = trainer.model
    model.modules[2].eval()
    for i, parameter in enumerate(model.parameters()):
        parameter.grad = float(i)
    before, modes = trainer.state_dict(), [module.training for _, module in model.named_modules()]
    assert set(modes) == {True, False}
    assert len(watcher.frames) == 5
    assert [parameter.grad for parameter in model.parameters()] == list(range(len(model.parameters())))
    assert [module.training for _, module in model.named_modules()] == modes
    assert before["generators"] == trainer.state_dict()["generators"]
    for name, array in before["model"].items():
        assert array.tobytes() == model.state_dict()[name].tobytes()


def test_a_failure_while_measuring_leaves_the_model_as_it_was():
    trainer, watcher = trained_with(moons_model())
    kept = trainer.model.state_dict()
    first = watcher._recording.snapshots()[0]
    with pytest.raises(KeyboardInterrupt), watcher._measure.at(first):
        raise KeyboardInterrupt
    assert all((trainer.model.state_dict()[name] == array).all() for name, array in kept.items())
    assert trainer.model.training


# -------------------------------------------------------------------------------------------- what frames hold


def test_frames_hold_the_parameters_of_their_epoch():
    model = moons_model()
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=3, progress=False)
    kept = [model.state_dict()]
    watcher = watch(trainer, X, SIGNS)
    trainer.callbacks.append(lambda trainer: kept.append(trainer.model.state_dict()))
    history = trainer.fit(X, SIGNS)
    assert [frame.epoch for frame in watcher.frames] == [0, 1, 2, 3]
    assert [frame.loss for frame in watcher.frames] == [None, *history.loss]
    for frame, state in zip(watcher.frames, kept, strict=True):
        for layer in (0, 1):
            assert (frame.weights[layer] == state[f"layers.{layer}.weight"]).all()
            assert (frame.biases[layer] == state[f"layers.{layer}.bias"]).all()


def frozen_below():
    model = nn.Sequential(nn.Layer(2, 3, "tanh", rng=0), nn.Layer(3, 1, "identity", rng=1))
    nn.freeze(model.modules[0])
    return model


MODELS = {
    "hinge": (moons_model, "hinge", SIGNS),
    "sigmoid": (lambda: nn.MLP(2, [3, 1], output="sigmoid", rng=0), "binary_cross_entropy", Y),
    "softmax": (lambda: nn.MLP(2, [3, 2], "elu(0.5)", output="softmax", rng=0), "cross_entropy", None),
    "logits": (lambda: nn.MLP(2, [3, 2], "leaky_relu", rng=0), "cross_entropy", Y),
    "layer": (lambda: nn.Layer(2, 1, "tanh", rng=0), lambda a, t: (a[0] - t) ** 2, SIGNS),
    "neuron": (lambda: nn.Neuron(2, "sigmoid", rng=0), "squared_error", Y),
    "mixed": (mixed_model, "squared_error", SIGNS),
    "frozen": (frozen_below, "squared_error", SIGNS),
    "function": (lambda: nn.MLP(2, [3, 1], activation=lambda z: z * z, rng=0), "squared_error", SIGNS),
}


@pytest.mark.parametrize("case", MODELS)
def test_gradients_are_those_of_the_eager_engine(case):
    make, loss, targets = MODELS[case]
    if targets is None:
        loss, targets = (lambda p, t: -(p[int(t)] if isinstance(p, list) else p).data + (p[0] - t) ** 2), Y
    trainer, watcher = trained_with(make(), loss, targets, penalty=nn.L2(1e-2))
    frame, model = watcher.frames[-1], trainer.model
    model.eval()
    model.zero_grad()
    rows, given = X.tolist(), np.asarray(targets).tolist()
    eager.add_gradients(model, trainer.loss, trainer.penalty, rows, given)
    expected = {
        "weights": [[w.grad for w in neuron.weights] for layer in watcher._network.layers for neuron in layer],
        "biases": [neuron.bias.grad for layer in watcher._network.layers for neuron in layer],
    }
    found = [row for array in frame.weight_gradients for row in array.tolist()]
    assert len(found) == len(expected["weights"])
    for row, wanted in zip(found, expected["weights"], strict=True):
        assert row == pytest.approx(wanted, rel=1e-9, abs=1e-13)
    assert np.concatenate(frame.bias_gradients) == pytest.approx(expected["biases"], rel=1e-9, abs=1e-13)
    assert any(gradient != 0 for row in found for gradient in row)


def test_a_frozen_layer_has_gradients_of_zero():
    _, watcher = trained_with(frozen_below())
    assert not watcher.frames[-1].weight_gradients[0].any()
    assert watcher.frames[-1].weight_gradients[1].any()


def test_activations_are_what_each_layer_hands_on():
    trainer, watcher = trained_with(moons_model())
    frame, (first, last) = watcher.frames[-1], trainer.model.layers
    hidden = [a.data for a in first(X[2])]
    assert frame.activations[0].tolist() == X[2].tolist()
    assert frame.activations[1].tolist() == hidden
    assert frame.activations[2].tolist() == [last(hidden)[0].data] == frame.output.tolist()


def test_activations_of_a_softmax_are_its_probabilities():
    _, watcher = trained_with(nn.MLP(2, [3, 2], output="softmax", rng=0), "squared_error", np.column_stack([Y, 1 - Y]))
    assert watcher.frames[-1].activations[-1].sum() == pytest.approx(1.0)
    assert watcher._subject.headings == ["inputs", "relu", "identity → softmax"]


@pytest.mark.parametrize("make", [moons_model, mixed_model, Bent], ids=["mlp", "mixed", "own"])
def test_the_surface_is_what_the_model_says_on_the_grid(make):
    trainer, watcher = trained_with(make())
    frame, grid = watcher.frames[-1], watcher._surface.grid
    assert frame.surface.ravel() == pytest.approx(trainer.predict(grid), rel=1e-6)
    assert len(grid) == (20**2 if make is Bent else 40**2)


def test_frames_computed_afterwards_have_the_running_statistics_of_their_epoch():
    model = mixed_model()
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), batch_size=8, epochs=3, progress=False)
    watcher = watch(trainer, X, SIGNS)
    outputs = []
    trainer.callbacks.append(lambda trainer: outputs.append(trainer.predict(X[:1])[0]))
    trainer.fit(X, SIGNS)
    assert [frame.output[0] for frame in watcher.frames[1:]] == pytest.approx(outputs, rel=1e-12)


def test_a_model_that_is_no_network_has_curve_and_boundary_and_says_so():
    _, watcher = trained_with(Bent())
    frame, html = watcher.frames[-1], watcher._html()
    assert frame.weights == []
    assert frame.activations == []
    assert frame.surface is not None
    assert data_of(html)["network"] is None
    assert "not for this Bent" in watcher._still()


def test_a_model_of_sequences_has_its_curve():
    sequences = X.reshape(len(X), 2, 1)
    _, watcher = trained_with(LastState(), features=sequences)
    assert watcher.frames[-1].surface is None
    assert watcher.frames[-1].output.shape == (1,)
    assert "<svg" in watcher._still()


def test_a_network_that_is_too_large_to_draw_is_not_drawn():
    features = np.random.default_rng(0).normal(size=(4, 60))
    _, watcher = trained_with(nn.MLP(60, [70, 1], rng=0), features=features, targets=features[:, 0], epochs=1)
    assert watcher.frames[-1].weights == []
    assert "4270 weights; the picture is for up to 4000" in watcher._still()


def test_one_feature_gives_a_curve():
    features, targets = datasets.linear(12, seed=0)
    trainer, watcher = trained_with(nn.MLP(1, [2, 1], rng=0), targets=targets, features=features)
    grid = watcher._surface.grid
    assert watcher._surface.kind == "curve"
    assert watcher.frames[-1].surface[:, 0] == pytest.approx(trainer.predict(grid), rel=1e-6)
    assert data_of(watcher._html())["surface"]["kind"] == "curve"


@pytest.mark.parametrize("one_hot", [False, True])
def test_several_outputs_give_regions_of_classes(one_hot):
    classes = np.arange(24) % 3
    targets = np.eye(3)[classes] if one_hot else classes
    loss = "squared_error" if one_hot else "cross_entropy"
    trainer, watcher = trained_with(nn.MLP(2, [3], rng=0, activation="tanh"), loss, targets)
    surface = watcher._surface
    assert (surface.kind, surface.targets.tolist()) == ("classes", classes.tolist())
    expected = trainer.predict(surface.grid).argmax(axis=1) + 1
    assert (surface.shades(watcher.frames[-1].surface) == expected).mean() > 0.999


def test_without_examples_there_are_weights_and_losses():
    model = moons_model()
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=2, progress=False)
    watcher = watch(trainer)
    trainer.fit(X, SIGNS)
    frame = watcher.frames[-1]
    assert [array.shape for array in frame.weights] == [(4, 2), (1, 4)]
    assert (frame.weight_gradients, frame.activations, frame.output, frame.surface) == ([], [], None, None)
    assert "call watch(trainer, X, y)" in watcher._still()
    assert data_of(watcher._html())["words"][0] == "before the training"


def test_the_validation_examples_serve_where_none_are_given():
    model = moons_model()
    optimizer = SGD(model.parameters(), lr=0.1)
    trainer = Trainer(model, "squared_error", optimizer, epochs=1, progress=False, validation=(X, SIGNS))
    assert watch(trainer).frames[0].surface is not None


# ------------------------------------------------------------------------------------------------ what is kept


def quick_trainer(epochs, sizes=(1,), **options):
    model = nn.MLP(2, list(sizes), rng=0)
    optimizer = SGD(model.parameters(), lr=0.01)
    return Trainer(model, "squared_error", optimizer, batch_size=None, epochs=epochs, progress=False, **options)


@pytest.mark.parametrize("epochs", [1, 198, 199, 200, 517, 1000])
def test_at_most_200_frames_are_kept_evenly_spread_with_the_first_and_the_last(epochs):
    trainer = quick_trainer(epochs)
    watcher = watch(trainer, X[:2], SIGNS[:2])
    trainer.fit(X[:2], SIGNS[:2])
    kept = [frame.epoch for frame in watcher.frames]
    assert (kept[0], kept[-1]) == (0, epochs)
    assert min(epochs + 1, MOST_FRAMES / 2) <= len(kept) <= MOST_FRAMES
    assert len(set(np.diff(kept)[:-1].tolist())) <= 1


def test_every_says_how_far_apart_frames_are():
    trainer = quick_trainer(10)
    watcher = watch(trainer, X[:2], SIGNS[:2], every=4)
    trainer.fit(X[:2], SIGNS[:2])
    assert [frame.epoch for frame in watcher.frames] == [0, 4, 8, 10]


def test_a_training_that_goes_on_is_recorded_on():
    trainer = quick_trainer(3)
    trainer.fit(X[:2], SIGNS[:2])
    watcher = watch(trainer, X[:2], SIGNS[:2])
    assert "frame of epochs 3 to 3" in repr(watcher)
    trainer.fit(X[:2], SIGNS[:2])
    assert [frame.epoch for frame in watcher.frames] == [3, 4, 5, 6]


def test_a_training_that_was_set_back_forgets_what_came_later():
    trainer = quick_trainer(3)
    start = trainer.state_dict()
    watcher = watch(trainer, X[:2], SIGNS[:2])
    trainer.fit(X[:2], SIGNS[:2])
    trainer.load_state_dict(start)
    trainer.epochs = 2
    trainer.fit(X[:2], SIGNS[:2])
    assert [frame.epoch for frame in watcher.frames] == [0, 1, 2]
    assert [frame.loss for frame in watcher.frames[1:]] == trainer.history.loss


def test_the_last_frame_of_early_stopping_is_the_model_that_it_leaves():
    model = moons_model()
    rule = EarlyStopping(patience=2)
    trainer = Trainer(
        model,
        "squared_error",
        SGD(model.parameters(), lr=0.3),
        epochs=80,
        progress=False,
        validation=(X[:6], -SIGNS[:6]),
        stopping=rule,
    )
    watcher = watch(trainer, X, SIGNS)
    trainer.fit(X, SIGNS)
    last = watcher.frames[-1]
    assert last.epoch == len(trainer.history) < 80
    assert (last.weights[0] == model.state_dict()["layers.0.weight"]).all()
    assert last.validation_loss == trainer.history.validation_loss[-1]


def test_an_interrupted_training_is_shown_up_to_its_last_finished_epoch():
    trainer = quick_trainer(50)
    watcher = watch(trainer, X[:2], SIGNS[:2])

    def interrupt(trainer):
        if len(trainer.history) == 5:
            raise KeyboardInterrupt

    trainer.callbacks.insert(0, interrupt)
    trainer.fit(X[:2], SIGNS[:2])
    assert trainer.interrupted
    assert watcher.frames[-1].epoch == len(trainer.history) == 5
    assert (watcher.frames[-1].weights[0] == trainer.model.state_dict()["layers.0.weight"]).all()


# ------------------------------------------------------------------------------------------------- saved pages


def test_a_saved_page_with_200_frames_is_small_and_needs_no_network(tmp_path):
    trainer = quick_trainer(199, sizes=(16, 16, 1))
    watcher = watch(trainer, X[:4], SIGNS[:4], every=1)
    watcher._recording._most = 201  # one frame an epoch, the most that a page can have
    trainer.fit(X[:4], SIGNS[:4])
    path = watcher.save(tmp_path / "training.html")
    html = path.read_text(encoding="utf-8")
    assert len(data_of(html)["words"]) == 200
    assert len(html.encode()) < 1.5e6
    assert not re.search(r"https?:|//[a-z]+\.|@import|src=\"(?!data:)|href=\"(?!data:)", html)


def test_a_notebook_gets_fewer_frames_than_a_file():
    trainer = quick_trainer(150)
    watcher = watch(trainer, X[:2], SIGNS[:2])
    trainer.fit(X[:2], SIGNS[:2])
    bundle = watcher._repr_mimebundle_()
    assert sorted(bundle) == ["text/html", "text/plain"]
    words = data_of(bundle["text/html"])["words"]
    assert len(words) == 60
    assert words[0] == "before the training"
    assert words[-1].startswith("epoch 150 of 150")
    assert len(data_of(watcher._html())["words"]) == 151


def test_a_page_must_be_called_html(tmp_path):
    watcher = watch(quick_trainer(1), X, SIGNS)
    with pytest.raises(ValueError, match=r"path: expected a name that ends in \.html, got '.*training\.svg'"):
        watcher.save(tmp_path / "training.svg")


def test_no_text_of_a_model_can_end_the_script(tmp_path):
    def evil(z):
        return z * 1.0

    evil.__name__ = "</script><b>\"'"
    _, watcher = trained_with(nn.MLP(2, [2, 1], activation=evil, rng=0))
    html = watcher._html()
    assert html.count("</script>") == 1
    assert "<b>" not in html


def test_numbers_that_are_not_finite_are_kept_as_such():
    trainer, watcher = trained_with(moons_model())
    weights = trainer.model.layers[0].neurons[0].weights
    weights[0].data, weights[1].data = float("nan"), float("-inf")
    watcher(trainer)
    assert data_of(watcher._html())["network"]["weights"][-1][:2] == ["NaN", "-Infinity"]


def test_a_width_is_told_only_where_a_line_has_a_finite_number():
    trainer, watcher = trained_with(moons_model())
    for told, bias in (("widest line: |∂L/∂w| = ", 0.0), ("no ∂L/∂w is a finite number", float("nan"))):
        for parameter in trainer.model.parameters():
            parameter.data += bias
        watcher(trainer)
        picture = re.search(r"image/svg\+xml;base64,([^\"]+)", watcher._html())[1]
        assert told in base64.b64decode(picture).decode()


def test_outputs_that_are_not_finite_have_a_colour_of_their_own():
    trainer, watcher = trained_with(moons_model())
    surface = watcher._surface
    outputs = np.zeros((len(surface.grid), 1))
    outputs[0], outputs[1] = np.nan, 1e300
    assert surface.shades(outputs)[:3].tolist() == [0, 255, 128]
    trainer.model.layers[-1].neurons[0].bias.data = float("nan")
    watcher(trainer)
    assert data_of(watcher._html())["example"]["outputs"][-1] == ["NaN"]


def test_the_boundary_is_where_the_score_changes_its_side():
    _, watcher = trained_with(moons_model())
    surface = watcher._surface
    low, high = surface.x_range
    middle = (low + high) / 2
    shades = surface.shades(0.1 * (surface.grid[:, :1] - middle))
    pieces = surface.boundary(shades)
    assert len(pieces) >= 40
    assert all(x == pytest.approx(20.0, abs=0.1) for x1, _, x2, _ in pieces for x in (x1, x2))
    ys = [y for _, y1, _, y2 in pieces for y in (y1, y2)]
    assert (min(ys), max(ys)) == (-0.5, 40.5)


# ------------------------------------------------------------------------------------------------ in a notebook


def test_pictures_follow_each_other_and_the_page_comes_when_the_cell_is_over(shown):
    trainer = quick_trainer(3)
    watcher, shell = watch(trainer, X, SIGNS), Shell()
    in_notebook(watcher, shell)
    trainer.fit(X, SIGNS)
    first = shown[0].all
    assert [html[:4] for html in first] == ["<p>t", "<img", "<img", "<img"]
    assert "<script" not in "".join(first)
    shell.end_of_cell()
    assert "am-watch" in first[-1]
    assert data_of(first[-1])["words"][-1].startswith("epoch 3 of 3")
    trainer.fit(X, SIGNS)
    shell.end_of_cell()
    assert len(shown) == 2
    assert data_of(shown[1].all[-1])["words"][-1].startswith("epoch 6 of 6")
    assert shell.callbacks == []


def test_a_training_too_short_for_a_picture_is_shown_when_its_cell_is_over(shown):
    trainer, shell = quick_trainer(2), Shell()
    watcher = watch(trainer, X, SIGNS)
    watcher._screen = Screen(shell)
    trainer.fit(X[:2], SIGNS[:2])
    assert len(shown[0].all) == 1
    shell.end_of_cell()
    assert "am-watch" in shown[0].all[-1]


def test_closing_ends_the_watching(shown):
    trainer, shell = quick_trainer(2), Shell()
    watcher = watch(trainer, X, SIGNS)
    in_notebook(watcher, shell)
    trainer.fit(X, SIGNS)
    watcher.close()
    assert trainer.callbacks == []
    assert "am-watch" in shown[0].all[-1]
    trainer.fit(X, SIGNS)
    assert len(shown) == 1
    assert watcher.frames[-1].epoch == 2


@pytest.mark.slow
@pytest.mark.needs("nbclient", "ipykernel")
def test_a_kernel_of_jupyters_shows_the_training(monkeypatch, tmp_path):
    """One real kernel: the pictures are updates of one output, which ends as the page."""
    import nbclient
    import nbformat

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    source = """
from autograd_mini import Trainer, datasets, watch
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
from autograd_mini.views.live.budget import Budget
Budget.allows_picture = lambda self: True
X, y = datasets.xor()
model = MLP(2, [2, 1], "tanh", rng=0)
trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=4, progress=False)
watcher = watch(trainer, X, y)
history = trainer.fit(X, y)
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    client, messages = nbclient.NotebookClient(notebook, kernel_name="python3", timeout=100), []
    process = client.process_message

    def noted(message, cell, index):
        messages.append(message)
        return process(message, cell, index)

    client.process_message = noted
    client.execute()
    kinds = [message["msg_type"] for message in messages if "display" in message["msg_type"]]
    assert kinds == ["display_data", *["update_display_data"] * 5]
    (output,) = notebook.cells[0].outputs
    assert data_of(output["data"]["text/html"])["words"][-1].startswith("epoch 4 of 4")


def test_outside_of_a_notebook_ipython_is_not_imported(run_python):
    code = """
import sys
from autograd_mini import Trainer, datasets, watch
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
X, y = datasets.xor()
model = MLP(2, [2, 1], rng=0)
trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=2, progress=False)
watcher = watch(trainer, X, y)
trainer.fit(X, y)
watcher._repr_mimebundle_()
print([name for name in ("IPython", "matplotlib", "graphviz") if name in sys.modules], watcher)
"""
    assert run_python(code).strip() == "[] Watcher(3 frames of epochs 0 to 2)"


@pytest.mark.parametrize(("epoch", "picture"), [(0.001, 0.02), (0.05, 0.02), (0.5, 0.02), (0.01, 0.3)])
def test_pictures_take_less_than_5_percent_and_come_at_most_10_times_a_second(epoch, picture):
    now = [0.0]
    budget = Budget(lambda: now[0])
    budget.expect(picture)
    begun = []
    for _ in range(round(30 / epoch)):
        now[0] += epoch
        budget.start()
        if budget.allows_picture():
            begun.append(now[0])
            budget.picture_starts()
            now[0] += picture
            budget.picture_ends()
        now[0] += 2e-5
        budget.stop()
    assert begun
    assert budget.spent < 0.05 * round(30 / epoch) * epoch
    assert min(np.diff(begun), default=1.0) >= 0.1


def test_a_pause_between_two_trainings_is_no_credit():
    now = [0.0]
    budget = Budget(lambda: now[0])
    for wait in (0.1, 0.1, 0.1, 3600.0):
        now[0] += wait
        budget.start()
        budget.stop()
    assert budget.trained == pytest.approx(0.4)


# ------------------------------------------------------------------------------------------------------- errors


def test_bad_arguments_are_refused_before_any_work():
    trainer = quick_trainer(1)
    for wrong, error, message in [
        ((trainer.model, X, SIGNS), TypeError, r"trainer: expected a Trainer, got MLP.*write watch\(trainer, X, y\)"),
        ((trainer, X), ValueError, "expected both X and y, or neither, got no y"),
        ((trainer, None, SIGNS), ValueError, "expected both X and y, or neither, got no X"),
        ((trainer, X[:, :1], SIGNS), ValueError, "X: the model expects 2 features, got 1"),
        ((trainer, X, SIGNS[1:]), ValueError, "y: expected one target for each of the 24 examples, got 23"),
    ]:
        with pytest.raises(error, match=message):
            watch(*wrong)
    with pytest.raises(ValueError, match="example: expected a row of X, from 0 to 23, got 24"):
        watch(trainer, X, SIGNS, example=24)
    with pytest.raises(TypeError, match=r"example: expected the number of a row of X, got 1\.5"):
        watch(trainer, X, SIGNS, example=1.5)
    with pytest.raises(ValueError, match="every: expected a whole number of at least 1, got 0"):
        watch(trainer, X, SIGNS, every=0)
    assert trainer.callbacks == []


def test_targets_that_the_loss_cannot_take_are_refused_at_once():
    model = moons_model()
    trainer = Trainer(model, "hinge", SGD(model.parameters(), lr=0.1), epochs=1, progress=False)
    with pytest.raises(ValueError, match="the hinge loss needs targets of -1 and \\+1"):
        watch(trainer, X, Y)
    assert trainer.callbacks == []


def test_a_watcher_serves_one_trainer():
    watcher = watch(quick_trainer(1), X, SIGNS)
    with pytest.raises(ValueError, match="this watcher belongs to another trainer"):
        watcher(quick_trainer(1))
    assert isinstance(watcher, Watcher)


def test_a_value_in_another_graph_is_left_alone():
    """The columns run on a graph of their own: a graph that a reader holds keeps its numbers and gradients."""
    trainer, watcher = trained_with(moons_model())
    x = [Value(0.5), Value(-0.5)]
    out = trainer.model(x)
    out.backward()
    held = (out.data, x[0].grad)
    assert len(watcher.frames) == 5
    assert (out.data, x[0].grad) == held
