"""ONNX Runtime gives what a program gives, from the file alone."""

import builtins
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini import Parameter, Value, nn, vectorize
from autograd_mini.interchange import export_onnx
from autograd_mini.vectorizer import Program

pytestmark = pytest.mark.needs("onnx", "onnxruntime")

ONE = "abs exp expm1 log log1p log2 log10 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh sigmoid softplus relu"
ONE += " leaky_relu elu sign step erf erfc"
TWO = "hypot atan2 maximum minimum"
EDGES = [0.0, -0.0, 1e-30, -1e-30, 1e-4, -1e-4, 0.3, -0.3, 0.99, -0.99, 1.0, -1.0, 2.5, -2.5, 9.0, -9.0, 60.0, -60.0]
EDGES += [1e4, -1e4, 1e30, -1e30, float("inf"), float("-inf"), float("nan")]


def run(path, *inputs, dtype=np.float32):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [declared.name for declared in session.get_inputs()]
    return session.run(None, {name: np.asarray(x, dtype) for name, x in zip(names, inputs, strict=True)})


def assert_the_same(model, *inputs, path, dtype="float32", within=1e-6, **options):
    """Export a model, run it, and compare its outputs with those of its program on the same numbers."""
    number = np.dtype(dtype)
    inputs = [np.asarray(x, number).astype(float) for x in inputs]
    program = model if isinstance(model, Program) else vectorize(model)
    with np.errstate(all="ignore"):
        expected = program(*inputs)
    export_onnx(program, path, dtype=dtype, **options)
    found = run(path, *inputs, dtype=number)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == number
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(a, b.astype(number), within, within)


# ------------------------------------------------------------------------------------------------ operations


@pytest.mark.parametrize("name", ONE.split())
def test_every_function_of_one_number_also_where_it_is_hard(name, tmp_path):
    function = getattr(ag, name)
    assert_the_same(lambda x: function(x), EDGES, path=tmp_path / "f.onnx", within=2e-6)


@pytest.mark.parametrize("name", TWO.split())
def test_every_function_of_two_numbers_also_where_it_is_hard(name, tmp_path):
    function = getattr(ag, name)
    a, b = (grid.ravel() for grid in np.meshgrid(EDGES, EDGES))
    assert_the_same(lambda x, y: function(x, y), a, b, path=tmp_path / "f.onnx", within=2e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x + y,
        lambda x, y: x - y,
        lambda x, y: x * y,
        lambda x, y: x / y,
        lambda x, y: -x + y,
        lambda x, y: ag.where(x > y, x * y, y),
        lambda x, y: ag.where(x >= y, 1.0, y),
        lambda x, y: ag.clip(x, -1.0, y * y + 1.0),
        lambda x, y: ag.logsumexp([x, y, 0.0]),
        lambda x, y: ag.maximum(x, y, 0.5 * x, 2.0),
        lambda x, y: (x * x + 1.0) ** y,
        lambda x, y: ag.softmax([x, y, 1.0])[1],
    ],
)
def test_operators_and_functions_of_several_numbers(f, tmp_path):
    a, b = (grid.ravel() for grid in np.meshgrid(EDGES[:18], EDGES[:18]))
    assert_the_same(f, a, b, path=tmp_path / "f.onnx", within=4e-6)


def test_a_loss_with_classes_is_a_function_like_any_other(tmp_path):
    model = nn.MLP(3, [5, 4], rng=0)
    loss = vectorize(lambda x, t: nn.cross_entropy(model(x), t))
    X = np.random.default_rng(0).normal(size=(20, 3))
    assert_the_same(loss, X, np.arange(20) % 4, path=tmp_path / "loss.onnx", within=2e-6)


def test_derivatives_inside_of_a_function_are_part_of_it(tmp_path):
    assert_the_same(ag.grad(lambda x: ag.tanh(x) ** 3), np.linspace(-2, 2, 9), path=tmp_path / "slope.onnx")


def test_results_of_several_shapes_are_outputs_of_their_own(tmp_path):
    assert_the_same(lambda x, y: [x, [x * y, y]], [1.0, 2.0], [3.0, 4.0], path=tmp_path / "several.onnx")


def test_what_does_not_depend_on_the_example_is_there_for_each(tmp_path):
    w = Parameter(2.0)
    assert_the_same(lambda x: [w * w, x[0], 3.0], np.ones((4, 2)), path=tmp_path / "fixed.onnx")


# ---------------------------------------------------------------------------------------------------- models

LAYERS = {
    "an MLP": lambda: (nn.MLP(3, [5, 4, 2], "relu", rng=0), (6, 3)),
    "one neuron": lambda: (nn.Neuron(3, "sigmoid", rng=0), (6, 3)),
    "softmax": lambda: (nn.MLP(3, [4, 3], output="softmax", rng=0), (6, 3)),
    "a convolution": lambda: (nn.Sequential(nn.Conv1d(2, 3, 3, rng=0), nn.Activation("relu")), (6, 2, 8)),
    "a convolution of images": lambda: (nn.Conv2d(2, 3, 2, rng=0), (6, 2, 4, 5)),
    "layer norm": lambda: (nn.Sequential(nn.LayerNorm(3), nn.Layer(3, 2, "tanh", rng=0)), (6, 3)),
    "batch norm": lambda: (nn.Sequential(nn.BatchNorm(3), nn.Layer(3, 2, "elu", rng=0)).eval(), (6, 3)),
    "dropout": lambda: (nn.Sequential(nn.Layer(3, 4, rng=0), nn.Dropout(0.5), nn.Layer(4, 1, rng=0)).eval(), (6, 3)),
    "a residual": lambda: (nn.Residual(nn.Layer(3, 3, "tanh", rng=0)), (6, 3)),
    "a recurrent layer": lambda: (nn.RNN(2, 4, rng=0), (6, 5, 2)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_gives_the_same_predictions(layer, dtype, tmp_path):
    model, shape = LAYERS[layer]()
    X = np.random.default_rng(1).normal(size=shape)
    within = 1e-6 if dtype == "float32" else 1e-12
    assert_the_same(model, X, path=tmp_path / "layer.onnx", dtype=dtype, within=within)


def test_an_embedding_looks_up_rows_and_gives_zeros_where_there_is_none(tmp_path):
    table = nn.Embedding(5, 3, rng=0)
    program = vectorize(lambda token: table(token))
    program([0.0, 4.0])
    export_onnx(program, tmp_path / "rows.onnx")
    (found,) = run(tmp_path / "rows.onnx", [0, 3, 4, 3])
    np.testing.assert_allclose(found, program([0, 3, 4, 3]), 1e-6)


@given(st.data())
def test_networks_of_any_shape_give_the_same_predictions(tmp_path_factory, data):
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    activation = data.draw(st.sampled_from(["relu", "tanh", "sigmoid", "elu", "leaky_relu", "softplus", "identity"]))
    model = nn.MLP(sizes[0], sizes[1:], activation, rng=data.draw(st.integers(0, 99)))
    X = np.random.default_rng(0).normal(size=(data.draw(st.integers(1, 5)), sizes[0]))
    assert_the_same(model, X, path=tmp_path_factory.mktemp("onnx") / "model.onnx", within=2e-6)


def test_the_file_takes_any_number_of_examples_also_none(tmp_path):
    model = nn.MLP(3, [4, 2], rng=0)
    export_onnx(model, tmp_path / "model.onnx")
    for n in (0, 1, 1000):
        (found,) = run(tmp_path / "model.onnx", np.ones((n, 3)))
        assert found.shape == (n, 2)


OVER_FEATURES = {
    "softmax": (ag.softmax, [(4,)]),
    "logsumexp": (ag.logsumexp, [(4,)]),
    "sums and extrema": (lambda z: [ag.sum(z), ag.maximum(*z), ag.minimum(*z)], [(30,)]),
    "a loss": (nn.cross_entropy, [(4,), ()]),
    "norms": (nn.Sequential(nn.LayerNorm(30), nn.Activation("softmax")), [(2, 30)]),
    "what is picked": (lambda z, k: ag.pick(k, z), [(4,), ()]),
    "rows that are picked": (lambda z, k: ag.pick(k, z), [(4, 2), ()]),
    "rows of a table": (nn.Sequential(nn.Embedding(5, 3, rng=0), nn.Flatten()), [(2,)]),
}


@pytest.mark.parametrize("what", OVER_FEATURES)
def test_what_goes_over_the_features_takes_no_examples_too(what, tmp_path):
    f, shapes = OVER_FEATURES[what]
    inputs = [np.ones((2, *shape)) for shape in shapes]
    expected = vectorize(f)(*inputs)
    export_onnx(f, tmp_path / "f.onnx", example=tuple(array[0] for array in inputs))
    for n in (0, 1):
        (found,) = run(tmp_path / "f.onnx", *[array[:n] for array in inputs])
        np.testing.assert_allclose(found, expected[:n], 1e-6)
        assert found.shape == expected[:n].shape


def test_a_convolution_takes_no_examples_too(tmp_path):
    model = nn.Conv1d(2, 3, 3, rng=0)
    export_onnx(model, tmp_path / "model.onnx", example=np.zeros((2, 8)))
    assert run(tmp_path / "model.onnx", np.ones((0, 2, 8)))[0].shape[0] == 0


def test_the_parameters_are_the_present_ones_frozen_or_not(tmp_path):
    model = nn.MLP(2, [3, 1], rng=0)
    program = vectorize(model)
    X = np.random.default_rng(0).normal(size=(5, 2))
    program(X)
    for parameter in model.parameters():
        parameter.data += 0.5
    nn.freeze(model)
    assert_the_same(program, X, path=tmp_path / "model.onnx")


def test_it_says_what_it_is_and_no_more(tmp_path):
    import onnx

    export_onnx(nn.MLP(2, [3, 1], rng=0), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert (model.producer_name, model.ir_version, model.opset_import[0].version) == ("autograd_mini", 8, 17)
    (x,), (y,) = model.graph.input, model.graph.output
    assert [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] == ["n", 2]
    assert (x.name, y.name) == ("x", "output")
    assert str(tmp_path) not in str(model)
    read = {name for node in model.graph.node for name in node.input}
    assert {array.name for array in model.graph.initializer} <= read
    export_onnx(nn.MLP(2, [3, 1], rng=0), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "model.onnx").read_bytes()


# -------------------------------------------------------------------------------------------------- refusals


def refused(tmp_path, model, error, words, **options):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    with pytest.raises(error, match=words):
        export_onnx(model, path, **options)
    assert path.read_bytes() == b"before"


def test_a_model_in_training_is_refused_and_the_message_helps(tmp_path):
    model = nn.Sequential(nn.Layer(2, 3, rng=0), nn.Dropout(0.5))
    words = r"draws random numbers, as BatchNorm and Dropout do in training, .* call model.eval\(\) and export it again"
    refused(tmp_path, model, ValueError, words, example=[1.0, 2.0])
    export_onnx(model.eval(), tmp_path / "model.onnx", example=[1.0, 2.0])
    model = nn.Sequential(nn.BatchNorm(2), nn.Layer(2, 1, rng=0))
    before = [*model[0].running_mean, *model[0].running_var]
    refused(tmp_path, model, ValueError, r"BatchNorm and Dropout do in training.*model.eval\(\)", example=[1.0, 2.0])
    assert [*model[0].running_mean, *model[0].running_var] == before


def test_a_model_that_does_not_tell_its_inputs_needs_an_example(tmp_path):
    refused(tmp_path, nn.LayerNorm(3), ValueError, r"example: expected one example.*example=X\[0\]")
    refused(tmp_path, lambda x: x * 2.0, ValueError, r"example: expected one example")
    export_onnx(lambda x: x * 2.0, tmp_path / "twice.onnx", example=1.0)
    assert run(tmp_path / "twice.onnx", [3.0])[0].tolist() == [6.0]
    export_onnx(lambda x, y: x[0] * y, tmp_path / "two.onnx", example=([1.0, 2.0], 3.0))
    assert run(tmp_path / "two.onnx", [[3.0, 0.0]], [2.0])[0].tolist() == [6.0]


def test_bad_arguments_are_refused_before_anything_is_written(tmp_path):
    refused(tmp_path, 3.0, TypeError, "expected a model, a function or a program, got float")
    refused(
        tmp_path, nn.MLP(2, [1], rng=0), ValueError, "dtype: expected 'float32' or 'float64', got 'int8'", dtype="int8"
    )
    refused(tmp_path, vectorize(lambda x: x), ValueError, "call the program once on a batch")
    refused(tmp_path, lambda x: x if x > 0 else -x, ag.TraceError, "where", example=1.0)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        export_onnx(nn.MLP(2, [1], rng=0), tmp_path / "nowhere" / "model.onnx")
    w = Value(1.0)
    refused(tmp_path, lambda: w * w, ValueError, "expected a model with inputs", example=())


@pytest.mark.needs("scikit-learn")
def test_an_estimator_says_what_to_give(tmp_path):
    from autograd_mini.estimators import MLPRegressor

    estimator = MLPRegressor((3,), max_iter=50, tol=1e9, n_iter_no_change=1).fit(np.eye(4), np.arange(4.0))
    refused(tmp_path, estimator, TypeError, r"got MLPRegressor; give its \.network_")
    export_onnx(estimator.network_, tmp_path / "model.onnx")
    found = run(tmp_path / "model.onnx", np.eye(4))[0].ravel()
    np.testing.assert_allclose(found, estimator.predict(np.eye(4)), 1e-5, 1e-6)


def test_without_onnx_it_says_what_to_install(monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == "onnx":
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name.partition(".")[0] == "onnx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    refused(tmp_path, nn.MLP(2, [1], rng=0), ag.MissingDependencyError, r'pip install "autograd-mini\[interchange\]"')
