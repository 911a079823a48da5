"""The emitted source: readable, with matrix products however a layer was written, and a file that runs by itself."""

import ast
import re
import subprocess
import sys

import numpy as np
import pytest
from vector_checks import assert_as_eager, assert_close, eager

import autograd_mini as ag
from autograd_mini import Value, nn
from autograd_mini.nn import MLP
from autograd_mini.vectorizer import vectorize

RNG = np.random.default_rng(9)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=6)
WEIGHTS, BIASES, OUT = RNG.normal(size=(4, 3)), RNG.normal(size=4), RNG.normal(size=5)
ACTIVATION = ag.tanh


def parameters():
    W = [[Value(x) for x in row] for row in WEIGHTS]
    return W, [Value(x) for x in BIASES], [Value(x) for x in OUT]


def of_neurons():
    hidden = nn.Layer(3, 4, "tanh", rng=0)
    out = nn.Layer(4, 1, "identity", rng=0)
    for neuron, row, bias in zip([*hidden.neurons, *out.neurons], [*WEIGHTS, OUT[:4]], [*BIASES, OUT[4]], strict=True):
        neuron.b.data = bias
        for w, x in zip(neuron.w, row, strict=True):
            w.data = x
    return lambda x, y: (out(hidden(x))[0] - y) ** 2


def layer_written_as(total):
    """Return the same network with `total(weights, inputs, bias)` for a pre-activation."""
    W, b, out = parameters()

    def f(x, y):
        hidden = [ACTIVATION(total(row, x, bias)) for row, bias in zip(W, b, strict=True)]
        return (total(out[:4], hidden, out[4]) - y) ** 2

    return f


def loop(row, x, bias):
    z = bias
    for w, a in zip(row, x, strict=True):
        z += w * a
    return z


def loop_from_zero(row, x, bias):
    z = 0.0
    for w, a in zip(row, x, strict=True):
        z = z + a * w
    return z + bias


def written_out(row, x, bias):
    total, *rest = [w * a for w, a in zip(row, x, strict=True)]
    for product in rest:
        total = total + product
    return bias + total


WRITINGS = {
    "neurons": of_neurons,
    "dot": lambda: layer_written_as(lambda row, x, b: ag.dot(row, x, b)),
    "dot and a sum": lambda: layer_written_as(lambda row, x, b: ag.dot(row, x) + b),
    "sum(w*x) + b": lambda: layer_written_as(lambda row, x, b: sum(w * a for w, a in zip(row, x, strict=True)) + b),
    "sum(w*x, b)": lambda: layer_written_as(lambda row, x, b: sum((w * a for w, a in zip(row, x, strict=True)), b)),
    "sum(x*w, b)": lambda: layer_written_as(lambda row, x, b: sum((a * w for w, a in zip(row, x, strict=True)), b)),
    "a loop of +=": lambda: layer_written_as(loop),
    "a loop from 0": lambda: layer_written_as(loop_from_zero),
    "written out": lambda: layer_written_as(written_out),
    "functions.sum": lambda: layer_written_as(
        lambda row, x, b: ag.sum([*[w * a for w, a in zip(row, x, strict=True)], b])
    ),
    "NumPy": lambda: layer_written_as(lambda row, x, b: np.array(row) @ np.array(x) + b),
}


def emitted(f, *inputs):
    program = vectorize(f)
    program.value_and_grad(*inputs)
    return program.source


def statements(source):
    """Return the source's statements without comments, every name replaced by its number in the order of appearance."""
    numbers = {}

    class Renamed(ast.NodeTransformer):
        def visit_Name(self, node):
            if node.id not in ("np", "theta", "gradient", "seed", "n", "float"):
                node.id = f"v{numbers.setdefault(node.id, len(numbers))}"
            return node

        def visit_arg(self, node):
            node.arg = f"v{numbers.setdefault(node.arg, len(numbers))}"
            return node

    tree = ast.parse(source)
    tree.body = tree.body[1:]  # the first line names the function
    return ast.unparse(Renamed().visit(tree))


def passes(source):
    """Return the two inner functions' texts."""
    bind = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "bind")
    return {node.name: ast.unparse(node) for node in bind.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("writing", WRITINGS)
def test_a_layer_becomes_the_same_matrix_products_however_it_is_written(writing):
    source = emitted(WRITINGS[writing](), X, Y)
    assert source.count(".dot(") == emitted(WRITINGS["neurons"](), X, Y).count(".dot(") == 5
    assert statements(source) == statements(emitted(WRITINGS["neurons"](), X, Y))


@pytest.mark.parametrize("writing", WRITINGS)
def test_however_it_is_written_it_gives_the_same_numbers(writing):
    program, reference = vectorize(WRITINGS[writing]()), vectorize(WRITINGS["neurons"]())
    assert_close(program(X, Y), reference(X, Y), "values")
    assert_close(program.gradients(X, Y)[0], reference.gradients(X, Y)[0], "gradient by x")
    assert_close(
        np.sort(program.value_and_grad(X, Y)[1]), np.sort(reference.value_and_grad(X, Y)[1]), "gradient by parameters"
    )


def test_the_source_is_python_named_after_the_scopes_with_a_comment_for_each_group():
    model = MLP(3, [4, 2], "relu", rng=0)
    source = emitted(lambda x: nn.squared_error(model(x), [0.0, 1.0]), X)
    ast.parse(source)
    for name in ("layers_0_z", "layers_0_a"):
        assert re.search(rf"^ +{name}\w* = ", source, re.MULTILINE), name
    assert "# layers_0_z = W x + b  (4 nodes of layers.0)" in source
    assert "import numpy as np" in source
    assert "autograd_mini" not in source.replace(source.split("\n")[0], "")
    for line in source.split("\n"):
        assert len(line) < 200
        assert line == line.rstrip()


@pytest.mark.parametrize("penalised", [False, True])
def test_the_weight_matrices_of_an_mlp_are_views_and_nothing_is_gathered(penalised):
    model = MLP(3, [5, 4, 2], "tanh", rng=0)
    penalty = nn.L2(0.1, include_biases=True) if penalised else lambda model: 0.0
    source = emitted(lambda x, y: nn.squared_error(model(x), [y, y]) + penalty(model), X, Y)
    assert re.findall(r"W\d+ = theta\[[\d:]+\]\.reshape\(\d, \d\)", source) == [
        "W1 = theta[0:20].reshape(5, 4)",
        "W2 = theta[20:44].reshape(4, 6)",
        "W3 = theta[44:54].reshape(2, 5)",
    ]
    assert re.findall(r"d_W\d+ = gradient\[[\d:]+\]\.reshape\(\d, \d\)", source)
    for gathering in ("np.take", "np.array([", "reduceat", "add.at", "as_strided"):
        assert gathering not in source, gathering


def test_penalties_on_the_flat_vector_are_few_statements():
    model = MLP(3, [5, 4, 2], "tanh", rng=0)
    program = vectorize(lambda: nn.L2(0.1, include_biases=True)(model))
    program.value_and_grad()
    assert program.explain().statements < 12


def test_a_convolution_is_a_product_over_windows():
    convolution = nn.Conv2d(2, 3, 2, activation="tanh", rng=0)
    f = lambda x: ag.sum([a * a for channel in convolution(x) for row in channel for a in row])
    images = RNG.normal(size=(4, 2, 4, 3))
    program = assert_as_eager(f, images)
    forward = passes(emitted(f, images))["forward"]
    assert re.findall(r"(W\d+)\.dot\(", forward) == ["W1"]
    assert "3 filters of 8 weights on 6 windows" in str(program.explain())


def test_a_recurrence_uses_one_matrix_again_and_again():
    rnn = nn.RNN(2, 3, rng=0)
    sequences = RNG.normal(size=(4, 5, 2))
    f = lambda x: ag.sum([h * h for h in rnn(x)[1]])
    assert_as_eager(f, sequences)
    source = emitted(f, sequences)
    forward = passes(source)["forward"]
    left = re.findall(r"(\w+)\.dot\(", forward)
    assert sorted(left) == ["W1"] * 5 + ["W2"] * 4
    assert len(re.findall(r"= theta\[[\d:]+\]\.reshape", source)) == 2
    assert "np.take" not in source


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_a_feature_that_a_row_does_not_read_does_not_reach_it(number):
    """Missing weights: rows of one layer that read different inputs, as in a network that was pruned."""
    reads = [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3)]
    W = [[Value(x) for x in row] for row in RNG.normal(size=(5, 2))]
    f = lambda x: [w[0] * x[i] + w[1] * x[j] for w, (i, j) in zip(W, reads, strict=True)]
    given = RNG.normal(size=(5, 4))
    for feature in range(4):
        given[feature + 1, feature] = number
    program = vectorize(f)
    values, jacobian = program.value_and_gradients(given)
    for k, read in enumerate(reads):
        expected, _, (by_x,) = eager(lambda x, k=k: f(x)[k], given)
        assert_close(values[:, k], expected, f"row {k}")
        assert_close(jacobian[:, k], by_x, f"gradient of row {k}")
        untouched = [i for i in range(5) if i == 0 or i - 1 not in read]
        assert np.isfinite(values[untouched, k]).all()


@pytest.mark.parametrize("number", [np.inf, np.nan])
def test_a_missing_weight_is_no_hole_that_is_multiplied(number):
    W = [[Value(x) for x in row] for row in RNG.normal(size=(3, 4))]
    missing = {(0, 1), (1, 3), (2, 0)}

    def f(x):
        rows = [[(w, x[k]) for k, w in enumerate(row) if (r, k) not in missing] for r, row in enumerate(W)]
        return ag.sum([ag.tanh(sum(w * a for w, a in row)) for row in rows])

    given = RNG.normal(size=(6, 4))
    assert_as_eager(f, given)
    given[2, 1] = number
    values, by_parameters, (by_x,) = eager(f, given, parameters=[w for row in W for w in row])
    program = vectorize(f)
    assert_close(program(given), values, "values")
    assert_close(program.gradients(given), by_x, "gradient")
    order = {p: k for k, p in enumerate([w for row in W for w in row])}
    _, each = program.value_and_grad(given, reduction=None)
    assert_close(each, by_parameters[:, [order[p] for p in program.parameters]], "gradients by the parameters")


def test_what_does_not_vary_is_computed_once():
    w = [Value(x) for x in (0.3, -0.2, 0.9)]
    norm = lambda: ag.sqrt(ag.sum([a * a for a in w]))
    program = assert_as_eager(lambda x: ag.dot([a / norm() for a in w], x), X)
    forward = passes(program.source)["forward"]
    assert "sqrt(" in forward
    assert all("n)" not in line for line in program.source.split("\n") if re.match(r" +sqrt\w* = ", line))


# -------------------------------------------------------------------------------------------------- saved files

ISOLATED = """
import importlib.abc, runpy, sys
class Unimportable(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("autograd_mini", "scipy", "jax", "graphviz", "tqdm"):
            raise ImportError(name + " is not there")
sys.meta_path.insert(0, Unimportable())
space = runpy.run_path(sys.argv[1], run_name="__main__")
"""


def run_isolated(path, code="", cwd=None):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ISOLATED + code, str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(text):
    return [float(x) for x in re.findall(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)", text)]


def everything(x, y):
    a = ag.softmax([ag.erf(x[0]), ag.sigmoid(x[1]), ag.elu(x[2])])
    return ag.logsumexp(a) * SCALE + ag.maximum(*[x[0] * k for k in range(1, 20)]) + nn.cross_entropy(a, y) * SCALE


SCALE = Value(0.7)
SAVED = {
    "mlp": (of_neurons(), (X, Y)),
    "many functions": (everything, (X, np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0]))),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_file_runs_with_numpy_alone(name, tmp_path):
    f, inputs = SAVED[name]
    program = vectorize(f)
    value, gradient = program.value_and_grad(*inputs, reduction="sum")
    path = tmp_path / "loss.py"
    program.save(path)
    np.savez(tmp_path / "inputs.npz", *inputs)
    code = """
import numpy as np
theta, gradient = space["theta"], np.zeros_like(space["theta"])
given = [a.reshape(len(a), -1) for a in np.load("inputs.npz").values()]
forward, backward = space["bind"](len(given[0]), theta, gradient)
outputs, _ = forward(*given)
backward(1.0)
print("SUM", repr(float(outputs[0].sum())))
print("SORTED", *[repr(float(g)) for g in np.sort(gradient)])
"""
    printed = run_isolated(path, code, cwd=tmp_path)
    assert "outputs" in printed
    found = {line.split()[0]: numbers(line) for line in printed.split("\n") if line.startswith(("SUM", "SORTED"))}
    assert_close(found["SUM"], [value], "sum")
    assert_close(found["SORTED"], np.sort(gradient), "gradient")


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("options", [{"dtype": "float32"}, {}], ids=str)
def test_a_saved_file_prints_the_numbers_of_an_example_of_ones(name, options, tmp_path):
    f, inputs = SAVED[name]
    program = vectorize(f, **options)
    program(*inputs)
    program.save(tmp_path / "loss.py")
    value, gradient = program.value_and_grad(*[np.ones_like(given[:1]) for given in inputs])
    printed = run_isolated(tmp_path / "loss.py")
    outputs, gradients = printed.split("gradient")
    assert_close(numbers(outputs), [value], "outputs", 1e-5)
    assert_close(np.sort(numbers(gradients)), np.sort(gradient), "gradient", 1e-5)


@pytest.mark.parametrize("number", [2.0, 0.0, np.inf, np.nan])
def test_a_saved_file_without_a_batch_prints_what_the_program_gives(number, tmp_path):
    w = Value(number, "w")
    program = vectorize(lambda: ag.tanh(w) + 1.0 / w + ag.log(w))
    value, gradient = program.value_and_grad()
    program.save(tmp_path / "f.py")
    assert_close(numbers(run_isolated(tmp_path / "f.py")), [value, *gradient], "printed")


def test_a_saved_file_keeps_parameters_that_are_not_finite(tmp_path):
    w = Value(np.inf)
    program = vectorize(lambda x: ag.tanh(w * x))
    program(Y)
    program.save(tmp_path / "f.py")
    assert numbers(run_isolated(tmp_path / "f.py").split("gradient")[0]) == [1.0]


def test_a_saved_file_is_called_as_its_function(tmp_path):
    def twice(x):
        return x * 2.0

    program = vectorize(twice)
    program(Y)
    program.save(tmp_path / "f.py")
    assert (tmp_path / "f.py").read_text(encoding="utf-8").startswith('"""twice: 3 scalar nodes as array statements')


def test_a_saved_file_of_a_list(tmp_path):
    w = Value(3.0)
    program = vectorize(lambda x: [x[0] * w, x[1], w])
    program(X)
    program.save(str(tmp_path / "f.py"))
    outputs, gradient = run_isolated(tmp_path / "f.py").split("gradient")
    assert numbers(outputs) == [3.0, 1.0, 3.0]
    assert numbers(gradient) == [2.0]


def test_looking_inside_before_the_first_run_needs_no_batch_or_says_so():
    w = Value(2.0, "w")
    assert "def value_and_gradient(w):" in vectorize(lambda: w * w).source
    for look in ("source", "parameters"):
        with pytest.raises(ValueError, match="nothing has been traced yet: call the program once on a batch"):
            getattr(vectorize(lambda x: w * x), look)
    with pytest.raises(ValueError, match="nothing has been traced yet"):
        vectorize(lambda x: w * x).explain()


def test_explain_prints_how_many_nodes_became_how_many_statements(capsys):
    program = vectorize(of_neurons())
    program(X, Y)
    explanation = program.explain()
    printed = capsys.readouterr().out
    assert str(explanation) in printed
    assert f"{explanation.nodes} scalar nodes became" in printed
    assert f"{explanation.statements} array statements" in printed
    assert explanation.nodes > explanation.statements
    assert "W x + b with W of shape (4, 3)" in printed
    w = Value(2.0)
    vectorize(lambda: w * w + w).explain()
    assert "statements of straight-line Python" in capsys.readouterr().out
