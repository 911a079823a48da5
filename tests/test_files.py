"""Files: written whole or not at all, without litter; and read only as far as what they declare is there."""

import contextlib
import io
import json
import os
import stat
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import autograd_mini
from autograd_mini import LoadError, load, optim, save
from autograd_mini.cli.table_models import Columns, CsvModel
from autograd_mini.files import replacing, write_text
from autograd_mini.nn import MLP, BatchNorm, Dropout, Layer, Module, Neuron, Parameter, Sequential
from autograd_mini.optim import SGD, Adam, schedules
from autograd_mini.serialization import load_training, load_with_extra, save_training
from autograd_mini.training import EarlyStopping, GradientNorm, LossTolerance, Trainer

on_posix = pytest.mark.skipif(os.name != "posix", reason="signals and locks are POSIX's")
HEADER = "autograd_mini.json"
MOST_BYTES, MOST_SECONDS = 256_000_000, 2.0


def plain(state):
    """Return a state as something that is equal where the state is equal to the bit."""
    if isinstance(state, dict):
        return {name: plain(part) for name, part in state.items()}
    if isinstance(state, (list, tuple)):
        return [plain(part) for part in state]
    if isinstance(state, np.ndarray):
        return state.dtype.str, state.shape, state.tobytes()
    return repr(state)


# ---------------------------------------------------------------------------------------------- killed saves

KILLED_AT_RANDOM = """
import os, random, signal, sys, time
from autograd_mini import load, save
from autograd_mini.nn import MLP
folder = sys.argv[1]
path = os.path.join(folder, "model.npz")
models = [MLP(30, [60, seed], rng=seed) for seed in (1, 2)]
state = {model.widths[1]: {name: a.tolist() for name, a in model.state_dict().items()} for model in models}
save(models[0], path)
random.seed(0)
for _ in range(int(sys.argv[2])):
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        os.write(tell, b"x")
        while True:
            for model in models:
                save(model, path)
    os.read(ready, 1)
    time.sleep(random.uniform(0.0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = load(path)
    assert {name: a.tolist() for name, a in found.state_dict().items()} == state[found.widths[1]]
print(len(os.listdir(folder)))
save(models[1], path)
print(os.listdir(folder))
"""

HELD = """
import sys
from autograd_mini.files import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"from the other one")
    file.flush()
    print("ready", flush=True)
    sys.stdin.readline()
"""


def started(code, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(Path(autograd_mini.__file__).parent.parent)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)


@on_posix
@pytest.mark.parametrize("times", [4, pytest.param(48, marks=pytest.mark.slow)])
def test_a_save_that_is_killed_leaves_the_old_file_and_nothing_that_the_next_does_not_clear(tmp_path, times):
    process = started(KILLED_AT_RANDOM, tmp_path, times)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert out.splitlines()[-1] == "['model.npz']"


@on_posix
def test_the_next_save_of_a_file_clears_what_a_killed_one_left(tmp_path):
    target, other = tmp_path / "a.txt", tmp_path / "b.txt"
    target.write_bytes(b"old")
    for path in (target, target, other):
        with started(HELD, path) as process:
            assert process.stdout.readline() == "ready\n"
            process.kill()
    assert len(os.listdir(tmp_path)) > 1
    assert target.read_bytes() == b"old"
    write_text(target, "new")
    assert len([name for name in os.listdir(tmp_path) if name != "a.txt"]) == 1  # that of b.txt isn't its business
    write_text(other, "new")
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]
    assert target.read_text() == other.read_text() == "new"


@on_posix
def test_the_temporary_file_of_a_save_that_runs_is_left_alone(tmp_path):
    target = tmp_path / "a.txt"
    with started(HELD, target) as process:
        assert process.stdout.readline() == "ready\n"
        write_text(target, "first")
        assert len(os.listdir(tmp_path)) == 2
        process.communicate("\n", timeout=60)
        assert process.returncode == 0
    assert target.read_text() == "from the other one"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_many_saves_of_one_file_at_once_do_not_disturb_each_other(tmp_path):
    failures = []

    def work(text):
        try:
            for _ in range(30):
                write_text(tmp_path / "a.txt", text)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"{i}" * 1000,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set((tmp_path / "a.txt").read_text())) == 1
    assert os.listdir(tmp_path) == ["a.txt"]


def test_files_that_only_look_like_temporary_ones_stay(tmp_path):
    names = [".a.txt.tmp", "a.txt.tmp", ".a.txt.abcdefgh.tmp.bak", ".b.txt.abcdefgh.tmp", ".0123abcd.abcdefgh.tmp"]
    for name in names:
        (tmp_path / name).write_text("mine")
    write_text(tmp_path / "a.txt", "x")
    assert sorted(os.listdir(tmp_path)) == sorted([*names, "a.txt"])


@on_posix
def test_the_folder_is_synced_after_the_file_has_its_name(tmp_path, monkeypatch):
    target, synced, sync = tmp_path / "a.txt", [], os.fsync
    target.write_text("old")

    def record(descriptor):
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        synced.append((kind, target.read_text()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    write_text(target, "new")
    assert synced == [("file", "old"), ("folder", "new")]


@on_posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may look into any folder")
def test_a_folder_that_cannot_be_looked_into_can_be_saved_into(tmp_path):
    tmp_path.chmod(0o300)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        tmp_path.chmod(0o700)
    assert (tmp_path / "a.txt").read_text() == "x"


@on_posix
@pytest.mark.parametrize("said", [0o777, 0o022])
def test_a_new_file_is_as_open_makes_one_whatever_the_umask_is_said_to_be(tmp_path, monkeypatch, said):
    (tmp_path / "other").write_text("")
    monkeypatch.setattr(os, "umask", lambda mask: said)  # in a browser, whose files don't go by it
    write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "other").stat().st_mode


@on_posix
def test_what_is_written_in_the_place_of_a_private_file_is_private_from_the_beginning(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o600)
    with replacing(target) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
        file.write(b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["m", "x" * 255, "x" * 251 + ".npz", "é" * 127 + "x", "模" * 85, "x" * 250, "x" * 241])
def test_names_may_be_as_long_as_the_file_system_allows(tmp_path, name):
    model = Neuron(2, rng=0)
    for _ in range(2):
        save(model, tmp_path / name)
    assert plain(load(tmp_path / name).state_dict()) == plain(model.state_dict())
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(OSError, match=r"[Nn]ame too long|path"):
        save(model, tmp_path / (name + "x" * 255))


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_what_is_no_text_is_refused_before_anything_is_written(tmp_path, character):
    path = tmp_path / "a.txt"
    path.write_text("old")
    message = r"a\.txt: a file can't hold the character '.*' in 'label .* of x'; leave it out"
    with pytest.raises(ValueError, match=message):
        write_text(path, f"label {character} of x")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


# ------------------------------------------------------------------------------- names with awkward characters

AWKWARD = ["a\0b", "\0", "a\ud800", "\udcff", "a/b", "a\\b", "x.npy", "ü", "模\U0001f600", "a b\n", "", "file", "'"]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_parameter_of_any_name_comes_back_or_is_refused_before_anything_is_written(tmp_path, name):
    model, twin = Module(), Module()
    for module, number in ((model, 1.5), (twin, 0.0)):
        module.parts = {name: Parameter(number), "other": Parameter(2.0)}
    if "\0" in name or any("\ud800" <= character <= "\udfff" for character in name):
        with pytest.raises(ValueError, match="a file can't hold a parameter of the name"):
            save(model, tmp_path / "m.npz")
        assert os.listdir(tmp_path) == []
    else:
        save(model, tmp_path / "m.npz")
        load(tmp_path / "m.npz", twin)
        assert twin.parts[name].data == 1.5


@pytest.mark.parametrize("name", ["file", "allow_pickle", HEADER])
def test_names_that_a_file_needs_itself_are_refused(tmp_path, name):
    model = Module()
    setattr(model, name, Parameter(1.0))
    with pytest.raises(ValueError, match=r"a file (can't hold a parameter of the name|keeps its own header under)"):
        save(model, tmp_path / "m.npz")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", AWKWARD)
def test_what_is_kept_beside_a_model_may_have_any_characters(tmp_path, name):
    save(Neuron(1, rng=0), tmp_path / "m.npz", labels=[name], **{name: 1})
    assert load_with_extra(tmp_path / "m.npz")[1] == {"labels": [name], name: 1}
    columns = Columns([f"1{name}"], name, "classification", [f"a{name}", f"b{name}"], [0.0], [1.0])
    CsvModel(MLP(1, [2], rng=0), columns).save(tmp_path / "c.npz")
    assert CsvModel.load(tmp_path / "c.npz").columns == columns


@pytest.mark.parametrize("name", AWKWARD)
def test_a_training_with_awkward_names_comes_back(tmp_path, name):
    class Own(Module):
        def __init__(self):
            self.parts = {name: Parameter(0.5), "other": Parameter(1.0)}

        def forward(self, x):
            return self.parts[name] * x[0] + self.parts["other"]

    def trainer():
        model = Own()
        metrics = {name: lambda y, out: 0.5}
        return Trainer(model, "squared_error", SGD(model.parameters(), 0.1), epochs=2, metrics=metrics)

    first, second = trainer(), trainer()
    X, y = np.ones((4, 1)), np.ones(4)
    first.fit(X, y)
    save_training(first, tmp_path / "t.npz")
    load_training(second, tmp_path / "t.npz")
    assert plain(second.state_dict()) == plain(first.state_dict())


# --------------------------------------------------------------------------------------------- damaged files


class Own(Module):
    def __init__(self):
        self.first, self.scale = Layer(2, 2, rng=1), Parameter(2.0)

    def forward(self, x):
        return self.first(x)[0] * self.scale


def new_trainer(seed=0):
    model = Sequential(Layer(2, 3, rng=seed), BatchNorm(3), Dropout(0.8, rng=seed), Layer(3, 1, "identity", rng=seed))
    optimizer = Adam(model.parameters(), lr=schedules.WarmUp(schedules.Exponential(0.01, 0.9), steps=3))
    X, y = np.arange(8.0).reshape(4, 2) / 8, np.arange(4.0)
    rules = [EarlyStopping(), LossTolerance(), GradientNorm()]
    options = {"metrics": ["r2_score"], "stopping": rules, "validation": (X, y), "engine": "eager"}
    return Trainer(model, "squared_error", optimizer, epochs=2, progress=False, **options), X, y


class Reader:
    """A kind of file: its bytes, how it is read, and what it gives."""

    def __init__(self, folder, kind):
        self.path, self.kind, self.trainer = folder / f"{kind}.npz", kind, None
        if kind == "training":
            trainer, X, y = new_trainer()
            trainer.fit(X, y)
            save_training(trainer, self.path)
        elif kind == "table":
            columns = Columns(["u", "v"], "t", "classification", ["a", "b"], [0.5, 1.0], [2.0, 1.0])
            CsvModel(MLP(2, [3, 2], rng=0), columns).save(self.path)
        elif kind == "own":
            save(Own(), self.path)
        else:
            save(MLP(2, [3, 1], "tanh", rng=0), self.path, classes=["a", "b"], n=3)
        self.content = self.path.read_bytes()
        self.expected = self.read()

    def read(self):
        """Return what the file holds, as plain data; what refuses a training must have left the trainer alone."""
        if self.kind == "model":
            return plain(load(self.path).state_dict())
        if self.kind == "table":
            model = CsvModel.load(self.path)
            assert len(model.predict(np.zeros((3, 2)))) == 3
            return plain(model.network.state_dict())
        if self.kind == "own":
            own = Own()
            own.scale.data = 7.0
            before = plain(own.state_dict())
            try:
                load(self.path, own)
            except LoadError:
                assert plain(own.state_dict()) == before
                raise
            return plain(own.state_dict())
        if self.trainer is None:  # one that has refused a file is as good as new
            trainer, X, y = self.trainer = new_trainer(seed=1)
            trainer.fit(X, y)
        trainer, X, y = self.trainer
        before = plain([trainer.state_dict(), list(vars(trainer.optimizer)), trainer.optimizer.state])
        try:
            load_training(trainer, self.path)
        except LoadError:
            after = plain([trainer.state_dict(), list(vars(trainer.optimizer)), trainer.optimizer.state])
            assert after == before
            raise
        found, self.trainer = plain(trainer.state_dict()), None
        with contextlib.suppress(ArithmeticError):  # a number may be of the right kind and still make no sense
            trainer.fit(X, y)  # it can go on from there
        return found

    def is_fine(self, content):
        """Return whether the content loads, to what was saved; otherwise it must be refused."""
        self.path.write_bytes(content)
        found = self.found()
        assert found is None or found == self.expected
        return found is not None

    def found(self):
        """Return what the file holds, None where it is refused."""
        try:
            return self.read()
        except LoadError as caught:
            error = caught
        assert str(error).startswith(f"{self.path} ")
        return None


@pytest.fixture(scope="module", params=["model", "own", "training", "table"])
def reader(request, tmp_path_factory):
    return Reader(tmp_path_factory.mktemp("files"), request.param)


def parts_of(content):
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return json.loads(str(arrays.pop(HEADER))), arrays


def npz(header, arrays, written=None):
    file = io.BytesIO()
    np.savez(file, **{HEADER: np.array(written or json.dumps(header)), **arrays})
    return file.getvalue()


FUZZING = settings(deadline=None, suppress_health_check=list(HealthCheck))


def fuzzed(**drawn):
    """Make two tests of a check: one with a few examples; a slow one, "…_often", with as many as the profile says."""

    def both(check):
        often = pytest.mark.slow(FUZZING(given(**drawn)(check)))
        globals()[f"{check.__name__}_often"] = often
        return settings(FUZZING, max_examples=4)(given(**drawn)(check))

    return both


def test_every_reader_has_one_exception():
    assert issubclass(LoadError, ValueError)
    assert autograd_mini.LoadError is LoadError
    assert "LoadError" in autograd_mini.__all__


@fuzzed(data=st.data())
def test_flipped_bytes_are_refused_or_change_nothing(reader, data):
    content = bytearray(reader.content)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    reader.is_fine(bytes(content))


@fuzzed(data=st.data())
def test_a_file_cut_off_or_with_pieces_moved_is_refused_or_the_same(reader, data):
    content = reader.content
    a, b, c = sorted(data.draw(st.integers(0, len(content))) for _ in range(3))
    pieces = [
        *(content[:a], content[a:], content[:a] + content[b:], content[:b] + content[a:b] + content[b:]),
        *(content[:a] + bytes(b - a) + content[b:], content + content[a:b]),
        content[:a] + content[b:c] + content[a:b] + content[c:],
    ]
    spliced = data.draw(st.sampled_from(pieces))
    reader.is_fine(spliced)


def test_parts_of_other_files_are_refused(reader, tmp_path):
    """The header of one file with the arrays of another."""
    header, arrays = parts_of(reader.content)
    for kind in {"model", "own", "training", "table"} - {reader.kind}:
        other_header, other_arrays = parts_of(Reader(tmp_path, kind).content)
        assert not reader.is_fine(npz(other_header, arrays)) or reader.kind == "own"
        assert not reader.is_fine(npz(header, other_arrays))


@fuzzed(data=st.data())
def test_what_an_archive_says_of_its_parts_is_not_believed(reader, data):
    """Single fields of the zip archive's and of the arrays' headers, set to other numbers."""
    content = bytearray(reader.content)
    marks = {b"PK\x03\x04": 30, b"PK\x01\x02": 46, b"PK\x05\x06": 22, b"\x93NUMPY": 128}
    mark = data.draw(st.sampled_from(sorted(marks)))
    starts = [at for at in range(len(content)) if content.startswith(mark, at)]
    start, at = data.draw(st.sampled_from(starts)), data.draw(st.integers(4, marks[mark] - 1))
    number = data.draw(st.sampled_from([0, 1, 8, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1))
    field = number.to_bytes(4, "little")[: data.draw(st.sampled_from([1, 2, 4]))]
    content[start + at : start + at + len(field)] = field
    reader.is_fine(bytes(content))


DECLARATIONS = [
    "",
    "{}",
    "[" * 100,
    "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }" % ("9" * 5000),
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 0, 99999999999999999999), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 0), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': 3, }",
    "{'descr': '<f8', 'fortran_order': 1, 'shape': (3,), }",
    "{'descr': '<f7', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<U999999999999', 'fortran_order': False, 'shape': (), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<M8', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<M8[nonsense]', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': None, 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '\xff', 'fortran_order': False, 'shape': (3,), }",
    "__import__('os').mkdir('executed')",
    "-" * 9000 + "1",
    "(" * 9000,
]


def array_bytes(declaration, content, version=b"\x01\x00"):
    written = declaration.encode("latin-1") + b"\n"
    length = len(written).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + length + written + content


@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"])
@pytest.mark.parametrize("declaration", DECLARATIONS, ids=range(len(DECLARATIONS)))
def test_an_array_with_a_nonsensical_declaration_is_refused(tmp_path, monkeypatch, declaration, version):
    monkeypatch.chdir(tmp_path)
    model = Neuron(3, rng=0)
    save(model, "m.npz")
    with zipfile.ZipFile("m.npz") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name in (f"{HEADER}.npy", "weight.npy"):
        with zipfile.ZipFile("m.npz", "w") as archive:
            for other, content in parts.items():
                archive.writestr(other, array_bytes(declaration, bytes(24), version) if other == name else content)
        for into in (None, Neuron(3)):
            with pytest.raises(LoadError, match=r"m\.npz (is damaged|doesn't fit the model)"):
                load("m.npz", into)
    assert os.listdir(tmp_path) == ["m.npz"]


WRONG = [
    *(None, True, False, 0, 1, -1, 3, 1.5, 1e308, 2**31, 2**63, 10**30, 10**400, float("nan"), float("inf")),
    *("", "x", "tanh", "\0", "\ud800", "elu(" + 30 * " ", [], [1], [[]], [None], {}, {"a": 1}),
    *({"array": "x"}, {"array": HEADER}, {"array": "state.parameters"}, {"kind": "Constant", "lr": 1}),
]


def places(part, at=()):
    """Iterate over the ways to all parts of a header."""
    if at:
        yield at
    for key, inner in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield from places(inner, (*at, key))


def changed(header, at, wrong):
    header = json.loads(json.dumps(header))
    part = header
    for key in at[:-1]:
        part = part[key]
    if wrong is KeyError:
        del part[at[-1]]
    else:
        part[at[-1]] = wrong
    return header


@pytest.mark.parametrize("share", [50, pytest.param(1, marks=pytest.mark.slow)])
def test_a_header_with_anything_wrong_anywhere_is_refused_or_loads(reader, share):
    header, arrays = parts_of(reader.content)
    refused = 0
    few = 4 if reader.kind == "training" else 1  # a training has many places: each gets a fourth of what may be wrong
    cases = [(at, wrong) for i, at in enumerate(places(header)) for wrong in [*WRONG, KeyError][i % few :: few]]
    for at, wrong in cases[::share]:
        reader.path.write_bytes(npz(changed(header, at, wrong), arrays))
        found = reader.found()
        refused += found is None
        assert found in (None, reader.expected) or reader.kind == "training", (at, wrong)
    assert refused > 50 // share


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@fuzzed(data=st.data())
def test_a_header_with_other_json_anywhere_is_refused_or_loads(reader, data):
    header, arrays = parts_of(reader.content)
    at = data.draw(st.sampled_from(list(places(header))))
    reader.path.write_bytes(npz(changed(header, at, data.draw(JSON)), arrays))
    assert reader.found() in (None, reader.expected) or reader.kind == "training"


@fuzzed(written=st.text() | JSON.map(json.dumps) | st.sampled_from(["[" * 100_000, '{"a":' * 100_000, "1" * 10_000]))
@example('{"version": 1, "model": {"class": "MLP"}, "extra": {}}')
@example('{"version": 1, "model": {"class": "Trainer"}, "extra": {}}')
@example('{"version": ' + "1" * 9999 + ', "model": {"class": "Trainer"}, "extra": {}}')
def test_a_header_that_is_none_is_refused(reader, written):
    is_fine = reader.is_fine(npz(None, parts_of(reader.content)[1], written or " "))
    assert not is_fine or reader.kind == "own"  # whose class the header needn't name


# -------------------------------------------------------------------------------- weights that are no weights

NO_WEIGHTS = {
    "nan": lambda shape: np.where(np.arange(np.prod(shape, dtype=int)).reshape(shape) == 0, np.nan, 1.0),
    "datetime64": lambda shape: np.zeros(shape, "M8[s]"),
    "timedelta64": lambda shape: np.zeros(shape, "m8[s]"),
    "structured": lambda shape: np.zeros(shape, [("a", "f8")]),
    "object": lambda shape: np.full(shape, None),
    "string": lambda shape: np.full(shape, "1.5"),
    "bytes": lambda shape: np.full(shape, b"1.5"),
    "complex": lambda shape: np.ones(shape, complex),
    "bool": lambda shape: np.ones(shape, bool),
    "void": lambda shape: np.zeros(shape, "V8"),
}


@pytest.mark.parametrize("kind", NO_WEIGHTS)
def test_weights_that_are_no_real_numbers_are_refused_by_name(reader, kind):
    header, arrays = parts_of(reader.content)
    weights = [name for name in arrays if not name.startswith("state.generators")]
    for name in weights:
        content = npz(header, {**arrays, name: NO_WEIGHTS[kind](arrays[name].shape)})
        reader.path.write_bytes(content)
        with pytest.raises(LoadError) as caught:
            reader.read()
        last = name.removeprefix("state.").removeprefix("stopping.0.").removeprefix("optimizer.state.")
        assert last in str(caught.value)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "<i4", ">u8"])
def test_real_numbers_of_any_kind_are_weights(tmp_path, dtype):
    header, arrays = parts_of(Reader(tmp_path, "model").content)
    arrays = {name: np.asfortranarray(np.ceil(np.abs(array))).astype(dtype) for name, array in arrays.items()}
    (tmp_path / "m.npz").write_bytes(npz(header, arrays))
    found = load(tmp_path / "m.npz").state_dict()
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in arrays.items()}


def test_weights_that_are_nan_are_refused_when_they_are_saved(tmp_path):
    model = Layer(2, 2, rng=0)
    save(model, tmp_path / "m.npz")
    before = (tmp_path / "m.npz").read_bytes()
    model.neurons[1].weights[0].data = float("nan")
    with pytest.raises(ValueError, match=r"weight: expected numbers, got nan at \[1, 0\]; .* detect_anomaly\(\) finds"):
        save(model, tmp_path / "m.npz")
    trainer, *_ = new_trainer()
    trainer.optimizer.parameters[0].data = float("nan")
    with pytest.raises(ValueError, match=r"model\.0\.weight: expected numbers, got nan"):
        save_training(trainer, tmp_path / "m.npz")
    assert (tmp_path / "m.npz").read_bytes() == before
    assert os.listdir(tmp_path) == ["m.npz"]


STATES = {
    optim.SGD: ("step", {"momentum": 0.5}),
    optim.Adagrad: ("sum", {}),
    optim.RMSprop: ("square_avg", {}),
    optim.Adam: ("exp_avg_sq", {}),
    optim.AdamW: ("step", {}),
}


@pytest.mark.parametrize("rule", STATES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("wrong", [np.array(-1.0), np.array([-1.0, 1.0]), np.array([1.0]), np.array("1")])
def test_counts_and_squares_of_an_optimizer_are_at_least_0(rule, wrong):
    name, options = STATES[rule]
    model = Neuron(1, rng=0)
    optimizer = rule(model.parameters(), **options)
    before = plain(optimizer.state_dict())
    state = optimizer.state_dict()
    state["state"][name] = wrong
    with pytest.raises(ValueError, match=rf"{name}: expected (numbers from 0 to .*, got -1|2 numbers, one for each)"):
        optimizer.load_state_dict(state)
    assert plain(optimizer.state_dict()) == before


def test_what_is_to_be_loaded_into_is_told_from_a_path(tmp_path):
    for read in (lambda: load(tmp_path, "m.npz"), lambda: load_training("t.npz", tmp_path)):
        with pytest.raises(TypeError, match=r"expected a (model|Trainer), got str; load"):
            read()


def test_more_names_than_can_be_read_are_not_written(tmp_path):
    model = Module()
    model.parts = {"x" * 9_000 + str(i): Parameter(1.0) for i in range(900)}
    with pytest.raises(ValueError, match="a file can't hold as many as 901 arrays"):
        save(model, tmp_path / "m.npz")
    with pytest.raises(ValueError, match="more than 500000 lists and dictionaries"):
        save(Neuron(1), tmp_path / "m.npz", extra=[[]] * 500_000)
    assert os.listdir(tmp_path) == []


def test_a_packed_file_is_read_as_well(reader):
    header, arrays = parts_of(reader.content)
    file = io.BytesIO()
    np.savez_compressed(file, **{HEADER: np.array(json.dumps(header)), **arrays})
    assert reader.is_fine(file.getvalue())


# --------------------------------------------------------------------------------------- a refused training


def damaged_states():
    """Iterate over names and changes of a training's state, each of which makes it one that doesn't fit."""
    yield "history of text", lambda state: state["history"].update(loss=["a"])
    yield "history that is none", lambda state: state["history"].update(validation_loss=None)
    yield "metrics that are none", lambda state: state["history"].update(metrics=[1.0])
    yield "no history", lambda state: state.update(history=3)
    yield "a generator's state", lambda state: state["generators"]["trainer"].update(state={"state": -1, "inc": 1})
    yield "a lossy generator", lambda state: state["generators"]["trainer"]["state"].update(state=1.5)
    yield "the last generator", lambda state: state["generators"].update({"model.2.rng": None})
    yield "the last rule", lambda state: state["stopping"][2].update(norm="x")
    yield "a rule's parameters", lambda state: state["stopping"][0].update(best_parameters=np.ones(2))
    yield "a rule's count", lambda state: state["stopping"][1].update(waited=-1)
    yield "steps", lambda state: state["optimizer"].update(steps=10**400)
    yield "a schedule", lambda state: state["optimizer"]["hyperparameters"]["lr"].update(schedule=None)
    yield "steps of Adam below 0", lambda state: state["optimizer"]["state"].update(step=np.array(-1))
    yield "steps of Adam without end", lambda state: state["optimizer"]["state"].update(step=np.array(2**63))
    yield "squares below 0", lambda state: state["optimizer"]["state"]["exp_avg_sq"].__isub__(9.0)
    yield "no mapping of arrays", lambda state: state["optimizer"].update(state=[])
    yield "no mapping of hyperparameters", lambda state: state["optimizer"].update(hyperparameters=[["lr", 1.0]])
    yield "a schedule beyond its numbers", lambda state: state["optimizer"].update(steps=10**400)
    yield "a variance below 0", lambda state: state["model"]["1.running_var"].__isub__(9.0)
    yield "the best model", lambda state: state["best_model"].pop("0.weight")
    yield "a best model that is none", lambda state: state.update(best_model=[1])
    yield "a last epoch that is none", lambda state: state.update(last_epoch=[1])
    yield "a last epoch alone", lambda state: state.update(last_epoch={"last": {"model": state["model"]}})
    yield "a shorter last epoch", lambda state: state.update(last_epoch=an_epoch_apart(state, state["parameters"][1:]))
    yield "columns that are no names", lambda state: state.update(columns=[1])
    yield "the optimizer's arrays", lambda state: state["optimizer"]["state"].popitem()


def an_epoch_apart(state, parameters):
    """What a state holds of the last epoch while the best one is in the model's place, with these parameters."""
    numbers = {"model": state["model"], "parameters": parameters, "frozen": np.zeros(len(parameters), dtype=int)}
    return {"last": numbers, "restored": numbers}


@pytest.mark.parametrize(("what", "change"), list(damaged_states()), ids=[name for name, _ in damaged_states()])
def test_a_refused_training_leaves_the_trainer_as_it_was(what, change):
    (first, X, y), (second, *_) = new_trainer(), new_trainer(seed=1)
    first.fit(X, y)
    second.fit(X, y)
    before, optimizer = plain(second.state_dict()), plain(dict(vars(second.optimizer)))
    state = first.state_dict()
    change(state)
    with pytest.raises(Exception):  # noqa: B017, PT011 (the reader makes a LoadError of any)
        second.load_state_dict(state)
    assert plain(second.state_dict()) == before
    assert plain(dict(vars(second.optimizer))) == optimizer
    second.load_state_dict(first.state_dict())
    assert second.fit(X, y).loss == first.fit(X, y).loss


@pytest.mark.parametrize(
    ("generator", "change"),
    [(np.random.MT19937, {"pos": 10**6}), (np.random.MT19937, {"pos": -5}), (np.random.Philox, {"buffer_pos": 10**6})],
)
def test_a_generator_is_not_led_out_of_its_memory(generator, change):
    def made():
        model = Sequential(Layer(2, 1, rng=0), Dropout(0.5, rng=np.random.Generator(generator(0))))
        return Trainer(model, "squared_error", SGD(model.parameters(), 0.1))

    trainer = made()
    state = trainer.state_dict()
    made().load_state_dict(state)
    of_dropout = next(part for name, part in state["generators"].items() if name != "trainer")
    (of_dropout["state"] if "pos" in change else of_dropout).update(change)
    with pytest.raises(ValueError, match="the state of the generator"):
        made().load_state_dict(state)


# ------------------------------------------------------------------------------------------------------ bombs


def model_header(**arguments):
    mlp = {"n_inputs": 1, "widths": [1], "activation": "relu", "output": "identity"}
    return {"version": 1, "model": {"class": "MLP", "arguments": mlp | arguments}, "extra": {}}


def packed_zeros(path, header, name, count, declared=None):
    """Write a header and an array of many zeros, packed; `declared` is a size that the archive is to tell instead."""
    declaration = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({count},), }}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        file = io.BytesIO()
        np.save(file, np.array(json.dumps(header)))
        archive.writestr(f"{HEADER}.npy", file.getvalue())
        with archive.open(f"{name}.npy", "w", force_zip64=False) as part:
            part.write(array_bytes(declaration, b""))
            for _ in range(count // 125_000):
                part.write(bytes(1_000_000))
    if declared is not None:
        content = path.read_bytes()
        real = zipfile.ZipFile(path).infolist()[-1].file_size
        path.write_bytes(content.replace(struct.pack("<L", real), struct.pack("<L", declared)))


def directory(count):
    """Return an archive that is little but a list of what is in it."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0)
    listed = b"".join(entry + b"%08d" % i for i in range(count))
    return b"PK\3\4" + bytes(40) + listed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, len(listed), 44, 0)


def deep(depth):
    return '{"version": 1, "model": {"class": "MLP"}, "extra": {"a": ' + "[" * depth + "]" * depth + "}}"


def write_bombs(folder, count):
    """Write files that are small, and declare or unpack to far more than is there."""
    one = {"layers.0.weight": np.ones((1, 1)), "layers.0.bias": np.ones(1)}
    parts = '{"version": 1, "model": {"class": "MLP"}, "extra": {"a": [' + "{}," * 2_000_000 + "0]}}"
    training = {"version": 1, "model": {"class": "Trainer"}, "extra": {"model": {"array": "zeros"}}}
    neuron = {"version": 1, "model": {"class": "Neuron", "arguments": {"n_inputs": 10**9, "activation": "relu"}}}
    contents = {
        "widths": npz(model_header(widths=[100_000_000, 1]), one),
        "many widths": npz(model_header(widths=[1] * 300_000), one),
        "inputs": npz(model_header(n_inputs=10**9), one),
        "more inputs": npz(model_header(n_inputs=10**400), one),
        "neuron": npz({**neuron, "extra": {}}, {"weight": np.ones(1), "bias": np.array(0.0)}),
        "a name of blanks": npz(model_header(activation="elu(" + " " * 20_000), one),
        "deep": npz(None, one, deep(100_000)),
        "parts": npz(None, one, parts),
        "a long number": npz(None, one, parts.replace("{},", "9")),
        "names": directory(400_000),
        "fewer names": directory(145_000 if count > 10**7 else 20_000),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    packed_zeros(folder / "zeros", model_header(), "layers.0.weight", count)
    packed_zeros(folder / "hidden zeros", model_header(), "layers.0.weight", count, declared=136)
    packed_zeros(folder / "zeros in a training", training, "zeros", count)
    packed = io.BytesIO()
    np.savez_compressed(packed, **{HEADER: np.array(parts)}, **one)
    (folder / "packed parts").write_bytes(packed.getvalue())


READING = """
import os, resource, sys, time, tracemalloc
from autograd_mini import LoadError, load
from autograd_mini.cli.table_models import CsvModel
from autograd_mini.nn import MLP
from autograd_mini.optim import SGD
from autograd_mini.serialization import load_training
from autograd_mini.training import Trainer
model = MLP(1, [1])
trainer = Trainer(model, "squared_error", SGD(model.parameters(), 0.1))
readers = [load, lambda path: load(path, model), CsvModel.load, lambda path: load_training(trainer, path)]
def outcome(read, name):
    try:
        read(os.path.join(sys.argv[1], name))
        return "loaded"
    except LoadError as error:
        return "out of memory" if isinstance(error.__cause__, MemoryError) else "refused"
    except BaseException as error:
        return repr(error)
pages = int(open("/proc/self/statm").read().split()[0]) if os.path.exists("/proc/self/statm") else 1 << 40
most = pages * resource.getpagesize() + 256_000_000  # what lies beyond it raises a MemoryError, which isn't refused
resource.setrlimit(resource.RLIMIT_AS, (min(most, 1 << 60), resource.RLIM_INFINITY))
for name in sorted(os.listdir(sys.argv[1])):
    for number, read in enumerate(readers):
        started = time.process_time()
        found = outcome(read, name)
        seconds = time.process_time() - started
        if sys.argv[2] == "traced":
            tracemalloc.start()
            outcome(read, name)
        print(f"{name}|{number}|{found}|{seconds}|{tracemalloc.get_traced_memory()[1]}", flush=True)
        tracemalloc.stop()
"""


@on_posix
@pytest.mark.parametrize(
    ("count", "how"), [(1_500_000, "limited"), pytest.param(40_000_000, "traced", marks=pytest.mark.slow)]
)
def test_a_small_file_takes_neither_long_nor_much_memory(tmp_path, count, how):
    write_bombs(tmp_path, count)
    process = started(READING, tmp_path, how)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    found = [line.split("|") for line in out.splitlines()]
    assert len(found) == 4 * len(os.listdir(tmp_path))
    assert [line for line in found if float(line[3]) > MOST_SECONDS or int(line[4]) > MOST_BYTES] == []
    # A model that is given needn't be the one that the header describes.
    bad = [line for line in found if line[2] != "refused" and line[1:3] != ["1", "loaded"]]
    assert bad == []
