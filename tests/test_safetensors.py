"""Files of safetensors come back as they were; those that don't fit, or are damaged, change nothing."""

import json
import struct

import numpy as np
import pytest

from autograd_mini import LoadError, nn
from autograd_mini.interchange import load_safetensors, save_safetensors, torch_state

pytestmark = pytest.mark.needs("safetensors")


def network(seed=0):
    return nn.MLP(2, [3, 1], "tanh", rng=seed)


def written(path, tensors, header=None, data=b""):
    """Write a file by hand: the length of the header, the header, the numbers."""
    text = json.dumps(tensors).encode() if header is None else header
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_a_model_comes_back_under_the_names_of_a_stack(tmp_path):
    from safetensors.numpy import load_file

    model, other = network(0), network(1)
    save_safetensors(model, tmp_path / "model.safetensors")
    assert sorted(load_file(tmp_path / "model.safetensors")) == ["0.bias", "0.weight", "2.bias", "2.weight"]
    load_safetensors(other, tmp_path / "model.safetensors")
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], array)


def test_running_statistics_and_odd_numbers_are_kept(tmp_path):
    model = nn.Sequential(nn.BatchNorm(2), nn.Conv1d(1, 2, 2, rng=0), nn.RNN(1, 2, rng=0))
    model[0].running_mean[:] = [0.25, -3.0]
    model[0].gain[0].data = float("inf")
    model[0].gain[1].data = -0.0
    save_safetensors(model, tmp_path / "model.safetensors")
    twin = nn.Sequential(nn.BatchNorm(2), nn.Conv1d(1, 2, 2, rng=1), nn.RNN(1, 2, rng=1))
    load_safetensors(twin, tmp_path / "model.safetensors")
    for name, array in torch_state(model).items():
        assert torch_state(twin)[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_numbers_of_other_precisions_are_read(dtype, tmp_path):
    from safetensors.numpy import save_file

    state = {name: array.astype(dtype) for name, array in torch_state(network(0)).items()}
    save_file(state, tmp_path / "model.safetensors")
    model = network(1)
    load_safetensors(model, tmp_path / "model.safetensors")
    for name, array in torch_state(model).items():
        np.testing.assert_array_equal(array, state[name].astype(float))


def test_single_precision_is_written_where_it_is_asked_for(tmp_path):
    from safetensors.numpy import load_file

    save_safetensors(network(), tmp_path / "model.safetensors", dtype="float32")
    assert {array.dtype for array in load_file(tmp_path / "model.safetensors").values()} == {np.dtype("float32")}


def fitting():
    return {name: np.zeros(array.shape) for name, array in torch_state(network()).items()}


def state_without(name):
    return {other: array for other, array in fitting().items() if other != name}


UNFIT = {
    "a name is missing": (state_without("2.bias"), "2.bias"),
    "a name is unknown": ({**fitting(), "3.weight": np.zeros(1)}, "3.weight"),
    "the names are ours": (network().state_dict(), "layers.0.weight"),
    "a shape is another": (
        {**fitting(), "0.weight": np.zeros((2, 3))},
        r"0.weight has shape \(2, 3\), expected \(3, 2\)",
    ),
    "numbers are whole": (
        {**fitting(), "0.bias": np.zeros(3, int)},
        "0.bias has numbers of type I64, expected float64",
    ),
    "there is nothing": ({}, "0.weight"),
}


@pytest.mark.parametrize("why", UNFIT)
def test_what_does_not_fit_changes_nothing(why, tmp_path):
    from safetensors.numpy import save_file

    state, words = UNFIT[why]
    path, model = tmp_path / "model.safetensors", network()
    save_file({name: np.ascontiguousarray(array) for name, array in state.items()}, path)
    before = model.state_dict()
    with pytest.raises(LoadError, match=f"model.safetensors can't be loaded: .*{words}"):
        load_safetensors(model, path)
    assert all((model.state_dict()[name] == array).all() for name, array in before.items())


def entry(start, end, shape=(3,), dtype="F64"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


DAMAGED = {
    "empty": lambda path: path.write_bytes(b""),
    "another file": lambda path: path.write_bytes(b"\x89PNG\r\n" * 40),
    "a header of 16 EB": lambda path: path.write_bytes(struct.pack("<Q", 2**64 - 1) + b"{}"),
    "a header longer than the file": lambda path: path.write_bytes(struct.pack("<Q", 1000) + b"{}"),
    "no JSON": lambda path: written(path, None, b"{not json"),
    "deep JSON": lambda path: written(path, None, b"[" * 100_000),
    "an offset behind the end": lambda path: written(path, {"0.bias": entry(0, 24)}, data=b"1234"),
    "an overlap": lambda path: written(path, {"0.bias": entry(0, 24), "2.bias": entry(8, 32)}, data=bytes(32)),
    "a shape that doesn't fit": lambda path: written(path, {"0.bias": entry(0, 24, (10**12,))}, data=bytes(24)),
    "a negative shape": lambda path: written(path, {"0.bias": entry(0, 24, (-3,))}, data=bytes(24)),
    "a type that there isn't": lambda path: written(path, {"0.bias": entry(0, 24, dtype="F99")}, data=bytes(24)),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_damaged_files_are_refused_and_change_nothing(how, tmp_path):
    path, model = tmp_path / "model.safetensors", network()
    DAMAGED[how](path)
    before = model.state_dict()
    with pytest.raises(LoadError, match=r"model.safetensors can't be loaded: "):
        load_safetensors(model, path)
    assert all((model.state_dict()[name] == array).all() for name, array in before.items())


def test_every_file_that_was_cut_short_is_refused(tmp_path):
    path, model = tmp_path / "model.safetensors", network()
    save_safetensors(model, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(LoadError):
            load_safetensors(model, path)


def test_numbers_that_numpy_has_not_are_told_how_to_convert(tmp_path):
    names = {name: entry(0, 0) for name in ()}
    sizes, at = {"0.weight": (3, 2), "0.bias": (3,), "2.weight": (1, 3), "2.bias": (1,)}, 0
    for name, shape in sizes.items():
        n = 2 * int(np.prod(shape))
        names[name], at = entry(at, at + n, shape, "BF16"), at + n
    written(tmp_path / "model.safetensors", names, data=bytes(at))
    with pytest.raises(LoadError, match=r"numbers of type BF16, expected float64, .*convert them before, .float\(\)"):
        load_safetensors(network(), tmp_path / "model.safetensors")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match=r"Residual.* has no counterpart in PyTorch"):
        save_safetensors(nn.Residual(nn.Layer(2, 2)), path)
    with pytest.raises(TypeError, match="expected a Module, got int"):
        save_safetensors(3, path)
    with pytest.raises(ValueError, match="dtype: expected 'float64' or 'float32', got 'int8'"):
        save_safetensors(network(), path, dtype="int8")
    assert path.read_bytes() == b"before"
    with pytest.raises(FileNotFoundError):
        load_safetensors(network(), tmp_path / "nowhere.safetensors")


def test_nan_is_neither_saved_nor_loaded(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "model.safetensors"
    model, other = network(0), network(1)
    save_safetensors(model, path)
    model.parameters()[1].data = float("nan")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"0.weight: expected numbers, got nan at \[0, 1\]"):
        save_safetensors(model, path)
    assert path.read_bytes() == before
    save_file(torch_state(model), path)
    state = other.state_dict()
    with pytest.raises(LoadError, match=r"model.safetensors can't be loaded: 0.weight: expected numbers, got nan"):
        load_safetensors(other, path)
    for name, array in other.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


def test_a_number_that_single_precision_cannot_hold_is_not_written(tmp_path):
    model = network()
    model.parameters()[0].data = -1e300
    with pytest.raises(ValueError, match=r"0.weight: expected numbers that float32 holds, up to 3.4e38, got 1e\+300"):
        save_safetensors(model, tmp_path / "model.safetensors", dtype="float32")
    assert not list(tmp_path.iterdir())
