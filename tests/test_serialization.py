"""Models in files: the same to the bit, whole or not at all, and never a pickle."""

import io
import json
import math
import os
import pickle
import re
import stat
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import LoadError, Value, load, nn, save
from autograd_mini.micrograd import nn as micrograd
from autograd_mini.nn import MLP, Layer, Module, Neuron, Parameter, activations
from autograd_mini.serialization import load_training, load_with_extra, replacing, save_training

on_posix = pytest.mark.skipif(os.name != "posix", reason="permission bits and symbolic links are POSIX's")


def state_of(model):
    return {name: array.tolist() for name, array in model.state_dict().items()}


class Twice(Module):
    def __init__(self):
        self.first, self.second = MLP(2, [3, 2], rng=None), Layer(2, 1)
        self.scale = Parameter(1.0)

    def forward(self, x):
        return self.second(self.first(x))[0] * self.scale


class MLPLike(MLP):
    pass


@pytest.fixture
def model():
    return MLP(2, [3, 1], activation="tanh", output="sigmoid", rng=0)


@pytest.fixture
def path(tmp_path, model):
    save(model, tmp_path / "model.npz")
    return tmp_path / "model.npz"


def rewritten(path, change):
    """Write the file again with its header and its arrays changed."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays.pop("autograd_mini.json")))
    header = change(header, arrays) or header
    written = header if isinstance(header, str) else json.dumps(header)
    np.savez(path, **{"autograd_mini.json": np.array(written)}, **arrays)
    return path


# -------------------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLP(3, [5, 1], rng=0),
        lambda: MLP(2, (4, 3), activation="elu", output="softmax", rng=1),
        lambda: MLP(np.int64(2), np.array([4, 1]), rng=1),
        lambda: Layer(3, 2, activation="leaky_relu", rng=2),
        lambda: Neuron(4, activation="softplus", rng=3),
        *[lambda name=name: Neuron(1, activation=name, rng=0) for name in activations.ACTIVATIONS],
    ],
)
def test_a_model_comes_back_to_the_bit(make, tmp_path):
    model = make()
    for i, p in enumerate(model.parameters()):
        p.data = p.data / 3.0 + 0.1 * i
    save(model, tmp_path / "m.npz")
    twin = load(tmp_path / "m.npz")
    assert type(twin) is type(model)
    assert repr(twin) == repr(model)
    assert state_of(twin) == state_of(model)
    x = [0.3 * i - 0.5 for i in range(model.n_inputs)]
    first, second = model(x), twin(x)
    assert [v.data for v in np.ravel(first)] == [v.data for v in np.ravel(second)]


def test_awkward_numbers_come_back_to_the_bit(tmp_path):
    model = Layer(4, 2)
    numbers = [0.0, -0.0, 5e-324, -1.7976931348623157e308, math.inf, -math.inf, math.pi, 0.1]
    model.load_state_dict({"weight": np.reshape(numbers, (2, 4)), "bias": [1e-300, 1 / 3]})
    save(model, tmp_path / "m.npz")
    assert [w.hex() for w in load(tmp_path / "m.npz").state_dict()["weight"].ravel().tolist()] == [
        x.hex() for x in numbers
    ]


def test_a_module_of_ones_own_is_loaded_into_one(tmp_path):
    model, twin = Twice(), Twice()
    save(model, tmp_path / "own.npz")
    assert state_of(twin) != state_of(model)
    assert load(tmp_path / "own.npz", twin) is twin
    assert state_of(twin) == state_of(model)
    with pytest.raises(ValueError, match=r"holds the parameters of a Twice; make one and pass it: load\(path, model\)"):
        load(tmp_path / "own.npz")


def test_a_subclass_is_a_module_of_ones_own(tmp_path):
    save(MLPLike(2, [1], rng=0), tmp_path / "m.npz")
    with pytest.raises(ValueError, match=r"holds the parameters of a MLPLike; make one and pass it"):
        load(tmp_path / "m.npz")
    assert isinstance(load(tmp_path / "m.npz", MLPLike(2, [1])), MLPLike)


def test_a_class_of_ones_own_called_mlp_is_not_taken_for_the_librarys(tmp_path):
    own = type("MLP", (Twice,), {})()
    save(own, tmp_path / "m.npz")
    with pytest.raises(ValueError, match=r"holds the parameters of a MLP; make one and pass it"):
        load(tmp_path / "m.npz")


def test_what_was_kept_beside_the_model_comes_back(tmp_path, model):
    extra = {"classes": ["a", "ü"], "mean": [0.1, 2.5], "nested": {"deep": [None, True]}, "n": 3}
    save(model, tmp_path / "m.npz", **extra)
    twin, found = load_with_extra(tmp_path / "m.npz")
    assert found == extra
    assert state_of(twin) == state_of(model)
    save(model, tmp_path / "m.npz")
    assert load_with_extra(tmp_path / "m.npz")[1] == {}


def test_the_arrays_can_be_read_with_numpy_alone_under_pytorchs_names(path, model):
    with np.load(path, allow_pickle=False) as archive:
        assert set(archive.files) == {*model.state_dict(), "autograd_mini.json"}
        assert archive["layers.0.weight"].tolist() == model.state_dict()["layers.0.weight"].tolist()


def test_loading_draws_no_random_numbers_and_gives_fresh_parameters(path):
    first, second = load(path), load(path)
    assert not {id(p) for p in first.parameters()} & {id(p) for p in second.parameters()}
    assert all(p.grad == 0.0 for p in first.parameters())
    assert first.layers[0].neurons[1].bias.label == "layers.0.neurons.1.bias"


def test_saving_twice_writes_the_same_bytes(tmp_path, model):
    for name in ("a", "b"):
        save(model, tmp_path / name, note="x")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# -------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize("name", ["m.npz", "no_suffix", "with spaces.npz", "ünïcödé-моде́ль-模型.npz", "a.b.c", "-dash"])
@pytest.mark.parametrize("kind", [str, Path])
def test_any_path_will_do_and_is_kept_as_it_is(tmp_path, model, name, kind):
    folder = tmp_path / "a folder with späces"
    folder.mkdir()
    save(model, kind(folder / name))
    assert os.listdir(folder) == [name]
    assert state_of(load(kind(folder / name))) == state_of(model)


def test_a_relative_path_is_relative_to_the_working_folder(tmp_path, model, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(model, "here.npz")
    assert state_of(load("here.npz")) == state_of(model)
    assert os.listdir(tmp_path) == ["here.npz"]


def test_missing_files_and_folders_are_named(tmp_path, model):
    with pytest.raises(FileNotFoundError, match=r"nothing\.npz"):
        load(tmp_path / "nothing.npz")
    with pytest.raises(FileNotFoundError, match=r"no such folder.*missing'$"):
        save(model, tmp_path / "missing" / "m.npz")
    with pytest.raises(OSError, match=r"folder|directory|Permission"):
        load(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_folder_in_the_place_of_the_file_is_left_alone(tmp_path, model):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        save(model, tmp_path / "taken")
    assert os.listdir(tmp_path) == ["taken"]


def test_a_path_is_no_number():
    with pytest.raises(TypeError, match=r"expected str, bytes or os\.PathLike object, not int"):
        load(0)


@on_posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, model, mask):
    before = os.umask(mask)
    try:
        save(model, tmp_path / "m.npz")
        (tmp_path / "other").write_text("")
    finally:
        os.umask(before)
    assert (tmp_path / "m.npz").stat().st_mode == (tmp_path / "other").stat().st_mode
    assert stat.S_IMODE((tmp_path / "m.npz").stat().st_mode) == 0o666 & ~mask


@on_posix
def test_a_file_that_was_there_keeps_its_permissions(path, model):
    path.chmod(0o640)
    save(model, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@on_posix
def test_saving_through_a_link_replaces_what_it_points_to(tmp_path, model):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "m.npz", tmp_path / "link.npz"
    save(MLP(5, [1], rng=9), target)
    link.symlink_to(target)
    save(model, link)
    assert link.is_symlink()
    assert not target.is_symlink()
    assert state_of(load(target)) == state_of(load(link)) == state_of(model)
    assert sorted(os.listdir(tmp_path)) == ["link.npz", "real"]
    assert os.listdir(tmp_path / "real") == ["m.npz"]


# -------------------------------------------------------------------------------------------- interrupted saves


def fail(*arguments, **options):
    raise OSError("disk full")


def half_written(file, **arrays):
    file.write(b"PK\x03\x04 half of a file")
    file.flush()
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("name", "replacement", "error"),
    [
        ("numpy.savez", fail, OSError),
        ("numpy.savez", half_written, KeyboardInterrupt),
        ("os.replace", fail, OSError),
        ("os.fsync", fail, OSError),
        ("os.chmod", fail, OSError),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(
    tmp_path, model, monkeypatch, exists, name, replacement, error
):
    path = tmp_path / "m.npz"
    if exists:
        save(MLP(5, [1], rng=9), path)
    before = path.read_bytes() if exists else None
    with monkeypatch.context() as patched:
        patched.setattr(name, replacement)
        with pytest.raises(error):
            save(model, path)
    assert os.listdir(tmp_path) == (["m.npz"] if exists else [])
    if exists:
        assert path.read_bytes() == before
        assert load(path).n_inputs == 5
    save(model, path)
    assert state_of(load(path)) == state_of(model)


def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, model):
    with pytest.raises(TypeError, match="not JSON serializable"):
        save(model, tmp_path / "m.npz", extra={1, 2})
    with pytest.raises(ValueError, match=r"the model's activation is the function '<lambda>', which a file can't hold"):
        save(MLP(2, [2, 1], activation=lambda z: z), tmp_path / "m.npz")
    with pytest.raises(TypeError, match=r"expected a model, got dict; save\(model, path\)"):
        save(model.state_dict(), tmp_path / "m.npz")
    with pytest.raises(TypeError, match=r"expected a model, got Path|expected a model, got \w+Path"):
        save(tmp_path / "m.npz", model)
    assert os.listdir(tmp_path) == []


def test_replacing_is_all_or_nothing(tmp_path):
    target = tmp_path / "a.txt"
    with replacing(target) as file:
        file.write(b"old")
        assert not target.exists()
    assert target.read_bytes() == b"old"
    with pytest.raises(RuntimeError), replacing(target) as file:  # noqa: PT012
        file.write(b"new")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


# ------------------------------------------------------------------------------------------------ damaged files


def test_a_file_cut_off_anywhere_is_refused(path):
    whole = path.read_bytes()
    for size in [*range(0, len(whole), 50), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"model\.npz is (damaged, or )?no model file of autograd_mini"):
            load(path)


def test_a_flipped_byte_is_refused_or_changes_nothing(path, model):
    """A zip file has bytes that don't matter, such as its dates; no other flip may pass, or raise another error."""
    whole, expected = path.read_bytes(), state_of(model)
    refused = []
    for i in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[i] ^= (0x01, 0xFF, 0x80)[i % 3]
        path.write_bytes(damaged)
        try:
            assert state_of(load(path)) == expected
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) > len(whole) / 4
    assert all("model.npz" in message for message in refused)


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zip_of(**entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"PK",
        b"PK\x03\x04",
        b"\x93NUMPY",
        b"sepal_length,sepal_width\n5.1,3.5\n",
        np.random.default_rng(0).bytes(3000),
        bytes(3000),
        npy(np.ones(3)),
        npz(a=np.ones(3)),
        npz(),
        zip_of(**{"readme.txt": b"no arrays here"}),
        zip_of(**{"autograd_mini.json.npy": b"not an array"}),
        zip_of(**{"autograd_mini.json": b"{}"}),
        pickle.dumps({"a": 1}),
    ],
    ids=lambda content: repr(content[:8]),  # not the time that is written into an archive
)
def test_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.npz is (damaged|no model file)") as caught:
        load(path)
    assert "allow_pickle=" not in str(caught.value) or "False" in str(caught.value)
    assert "unsafe" not in str(caught.value)
    assert path.read_bytes() == content


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_pickle_inside_is_never_executed(tmp_path):
    folder, path = tmp_path / "executed", tmp_path / "bomb.npz"
    objects = np.array([Bomb(folder)], dtype=object)
    header = json.dumps({"version": 1, "model": {"class": "Neuron"}, "extra": {}})
    for content in (
        npz(**{"autograd_mini.json": objects}),
        npz(**{"autograd_mini.json": np.array(header), "weight": objects}),
        pickle.dumps(Bomb(folder)),
        npy(objects, allow_pickle=True),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"bomb\.npz is (damaged|no model file)"):
            load(path)
        with pytest.raises(ValueError, match=r"bomb\.npz is (damaged|no model file)"):
            load(path, Neuron(1))
        assert not folder.exists()
    pickle.loads(pickle.dumps(Bomb(folder)))
    assert folder.exists()  # the bomb itself works


def test_a_saved_file_holds_no_pickle(path):
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert b"|O" not in archive.read(name)[:128]


# ---------------------------------------------------------------------------------------- files that don't fit


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format_version_is_refused_with_what_to_do(path, version):
    rewritten(path, lambda header, arrays: header.update(version=version))
    with pytest.raises(ValueError, match=rf"has format version {version}, this autograd_mini reads version 1; install"):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, arrays: "not json",
        lambda header, arrays: "[1, 2]",
        lambda header, arrays: "3",
        lambda header, arrays: "{}",
        lambda header, arrays: header.pop("model") and None,
        lambda header, arrays: header.pop("extra") and None,
        lambda header, arrays: header.update(model=3),
        lambda header, arrays: header["model"].update({"class": ["MLP"]}),
        lambda header, arrays: header["model"]["arguments"].pop("widths") and None,
        lambda header, arrays: header["model"]["arguments"].update(widths=[]),
        lambda header, arrays: header["model"]["arguments"].update(widths=["3"]),
        lambda header, arrays: header["model"]["arguments"].update(n_inputs=-2),
        lambda header, arrays: header["model"]["arguments"].update(activation="evil"),
        lambda header, arrays: header["model"]["arguments"].update(activation=7),
        lambda header, arrays: header["model"].update(arguments=[1]),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(path, change):
    rewritten(path, change)
    with pytest.raises(ValueError, match=r"model\.npz is damaged: "):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, arrays: arrays.pop("layers.0.bias") is None,
        lambda header, arrays: arrays.update(more=np.ones(1)),
        lambda header, arrays: arrays.update({"layers.0.bias": np.ones(4)}),
        lambda header, arrays: arrays.update({"layers.0.bias": np.array(["a", "b", "c"])}),
        lambda header, arrays: header["model"]["arguments"].update(widths=[4, 1]),
    ],
)
def test_arrays_that_do_not_fit_the_architecture_are_refused(path, change):
    rewritten(path, lambda header, arrays: change(header, arrays) and None)
    with pytest.raises(ValueError, match=r"model\.npz doesn't fit the model: "):
        load(path)


def test_a_mismatched_model_is_refused_and_left_as_it_was(path):
    for other in (MLP(2, [4, 1], rng=1), MLP(2, [3, 1, 1], rng=1), Layer(2, 3, rng=1), Twice()):
        before = state_of(other)
        with pytest.raises(ValueError, match=r"model\.npz doesn't fit the model: "):
            load(path, other)
        assert state_of(other) == before


class LikeAnMlp(Module):
    """A module of one's own whose parameters have the names of an MLP's."""

    def __init__(self, first, last):
        self.layers = [Layer(2, 3, first, rng=1), Layer(3, 2, last, rng=1)]


@pytest.mark.parametrize("written", [("tanh", "identity"), ("leaky_relu(0.2)", "sigmoid"), ("relu", "softmax")])
def test_a_model_with_another_activation_than_the_file_says_is_refused_and_left_as_it_was(tmp_path, written):
    saved = MLP(2, [3, 2], *written, rng=0)
    save(saved, tmp_path / "model.npz")
    own_last = "identity" if written[1] == "softmax" else written[1]
    others = [
        (MLP(2, [3, 2], "elu", written[1], rng=1), rf"layers\.0: .*in the file, '{re.escape(written[0])}', got 'elu'"),
        (MLP(2, [3, 2], written[0], "softplus", rng=1), rf"layers\.1: .*in the file, '{written[1]}', got 'softplus'"),
        (
            MLP(2, [3, 2], lambda z: 2.0 * z, written[1], rng=1),
            r"layers\.0: .* got '<lambda>'; make the model with that",
        ),
        (LikeAnMlp("elu", own_last), r"layers\.0: expected the activation of the model in the file"),
    ]
    if written[1] != "softmax":
        others.append((MLP(2, [3, 2], written[0], "softmax", rng=1), ".*got 'softmax'"))
    for other, message in others:
        before = state_of(other)
        with pytest.raises(ValueError, match=rf"doesn't fit the model: {message}"):
            load(tmp_path / "model.npz", other)
        assert state_of(other) == before
    for same in (MLP(2, [3, 2], *written, rng=1), LikeAnMlp(written[0], own_last)):
        assert state_of(load(tmp_path / "model.npz", same)) == state_of(saved)


def test_an_activation_may_be_written_in_another_way_and_one_that_is_not_used_may_differ(tmp_path):
    for written, own in (("sigmoid", "logistic"), ("leaky_relu", "leaky_relu(0.01)"), ("tanh", ag.tanh)):
        for make in (lambda kind: Layer(2, 3, kind, rng=0), lambda kind: Neuron(2, kind, rng=0)):
            save(make(written), tmp_path / "model.npz")
            load(tmp_path / "model.npz", make(own))
            with pytest.raises(ValueError, match=rf"(Layer|Neuron): expected the activation .*'{written}', got 'elu'"):
                load(tmp_path / "model.npz", make("elu"))
    save(MLP(2, [1], "relu"), tmp_path / "model.npz")
    load(tmp_path / "model.npz", MLP(2, [1], "tanh"))


class WithParts(Module):
    """A module of one's own with parts in an attribute, a list and a dictionary."""

    def __init__(self, kind, output="identity"):
        self.net, self.listed, self.named = MLP(2, [2, 2], kind, output), [Layer(2, 1, kind)], {"k": Neuron(2, kind)}


def convolution(**settings):
    return nn.Conv2d(1, 1, 2, rng=0, **settings)


@pytest.mark.parametrize(
    ("saved", "other", "message"),
    [
        (nn.Sequential(Layer(2, 2, "tanh")), nn.Sequential(Layer(2, 2)), r"modules\.0: .*file, 'tanh', got 'relu'"),
        (nn.Sequential(Layer(2, 2), nn.Activation("tanh")), nn.Sequential(Layer(2, 2)), r"and this one has none"),
        (nn.Sequential(Layer(2, 2)), nn.Sequential(Layer(2, 2), nn.Activation("tanh")), r"this model has a part there"),
        (nn.Residual(Layer(2, 2, ag.tanh)), nn.Residual(Layer(2, 2)), r"module: .*file, 'tanh', got 'relu'"),
        (nn.RNN(2, 2), nn.RNN(2, 2, "relu"), r"RNN: .*file, 'tanh', got 'relu'"),
        (convolution(activation="tanh"), convolution(), r"Conv2d: .*file, 'tanh', got 'identity'"),
        (convolution(stride=2), convolution(), r"Conv2d: expected the setting .*file, stride=\[2, 2\], got \[1, 1\]"),
        (nn.Dropout(0.2), nn.Dropout(0.5), r"Dropout: .*file, keep_prob=0\.2, got 0\.5; make the model with that"),
        (WithParts("tanh"), WithParts("relu"), r"net\.layers\.0: .*file, 'tanh', got 'relu'"),
        (WithParts("tanh", "softmax"), WithParts("tanh"), r"net\.layers\.1: .*file, 'softmax', got 'identity'"),
        (micrograd.Layer(2, 1, nonlin=False), micrograd.Layer(2, 1), r"neurons\.0: .*file, nonlin=False, got True"),
    ],
)
def test_a_part_with_another_setting_than_the_file_says_is_refused_wherever_it_is(tmp_path, saved, other, message):
    save(saved, tmp_path / "model.npz")
    with pytest.raises(ValueError, match=rf"doesn't fit the model: .*{message}"):
        load(tmp_path / "model.npz", other)
    load(tmp_path / "model.npz", saved)
    rewritten(tmp_path / "model.npz", lambda header, arrays: header["model"].pop("settings") and None)
    load(tmp_path / "model.npz", other)  # a file that doesn't say


def changed(change, make=lambda: MLP(2, [3, 1], rng=0)):
    model = make()
    change(model)
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: changed(lambda model: model.layers.__setitem__(0, Layer(2, 3, "tanh", rng=1))),
        lambda: changed(lambda model: model.layers[0].neurons.__setitem__(1, Neuron(2, "tanh", rng=1))),
        lambda: changed(lambda model: model.layers.append(Layer(1, 1, rng=1))),
        lambda: changed(lambda model: model.layers[0].neurons.pop()),
        lambda: changed(lambda layer: layer.neurons.__setitem__(0, Neuron(2, "tanh", rng=1)), lambda: Layer(2, 2)),
        lambda: changed(lambda neuron: setattr(neuron, "bias", None), lambda: Neuron(2, rng=0)),
        lambda: changed(lambda layer: setattr(layer.neurons[1], "bias", None), lambda: Layer(2, 2, rng=0)),
    ],
)
def test_a_model_of_which_a_part_was_changed_is_loaded_into_one_like_it_and_never_made_as_it_was(tmp_path, make):
    model = make()
    save(model, tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"make one and pass it: load\(path, model\), with the parts that it had"):
        load(tmp_path / "model.npz")
    plain = {MLP: MLP(2, [3, 1]), Layer: Layer(2, 2), Neuron: Neuron(2)}[type(model)]
    with pytest.raises(ValueError, match=r"model\.npz doesn't fit the model: "):
        load(tmp_path / "model.npz", plain)
    assert state_of(load(tmp_path / "model.npz", make())) == state_of(model)


def test_a_training_isnt_taken_over_by_one_of_another_activation(tmp_path):
    first, second = (
        ag.Trainer(model, "squared_error", ag.optim.SGD(model.parameters(), lr=0.1))
        for model in (MLP(2, [3, 1], "tanh"), MLP(2, [3, 1], "relu"))
    )
    save_training(first, tmp_path / "training.npz")
    state = first.state_dict()
    message = r"layers\.0: expected the activation .* in the state, 'tanh', got 'relu'"
    with pytest.raises(ValueError, match=message):
        load_training(second, tmp_path / "training.npz")
    with pytest.raises(ValueError, match=message):
        second.load_state_dict(state)
    del state["settings"]
    second.load_state_dict(state)  # a state that doesn't say


def test_a_loaded_model_can_be_trained_on(path):
    model = load(path)
    loss = (model([1.0, 2.0]) - 1.0) ** 2
    assert isinstance(loss, Value)
    loss.backward()
    assert any(p.grad for p in model.parameters())


def test_loading_leaves_the_file_closed(path):
    load(path)
    if sys.platform.startswith("linux"):
        assert not [f for f in os.listdir("/proc/self/fd") if _target(f) == str(path)]
    path.unlink()
    assert not path.exists()


def _target(descriptor):
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def test_a_part_with_an_activation_of_its_own_is_not_saved_as_another(tmp_path):
    model = MLP(2, [3, 1], rng=0)
    model.activation = "tanh"
    save(model, tmp_path / "model.npz")
    assert load(tmp_path / "model.npz")([1.0, 2.0]).data == model([1.0, 2.0]).data
    model.layers[0].neurons[1].activation = "relu"
    save(model, tmp_path / "model.npz")
    with pytest.raises(LoadError, match="make one and pass it: load"):
        load(tmp_path / "model.npz")
    with pytest.raises(LoadError, match=r"neurons\.1: the model in the file has a part there with activation='relu'"):
        load(tmp_path / "model.npz", MLP(2, [3, 1], "tanh"))
    same = MLP(2, [3, 1], "tanh")
    same.layers[0].neurons[1].activation = "relu"
    assert load(tmp_path / "model.npz", same)([1.0, 2.0]).data == model([1.0, 2.0]).data
