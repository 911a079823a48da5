"""C files: what `Program.save("net.c")` writes is compiled without a warning, and gives what the program gives."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from c_files import (
    COMPILER,
    CFile,
    assert_as_the_program,
    assert_same,
    compiled,
    example_in,
    needs_compiler,
    saved,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from test_every_primitive import ARITIES, edge_points, random_points
from test_random_graphs import build, step

import autograd_mini as ag
from autograd_mini import Value, nn, optim, vectorize
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.engine.value import apply
from autograd_mini.vectorizer.c_printer import c_name, plain

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto" / "native_and_c.md").read_text(encoding="utf-8")
RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(6, 2)), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
IMAGES, CLASSES = RNG.normal(size=(5, 36)), np.array([0.0, 1.0, 2.0, 1.0, 0.0])
TOKENS, NEXT = RNG.integers(0, 300, size=(4, 2)).astype(float), np.array([0.0, 299.0, 7.0, 7.0])


def moons():
    model = nn.MLP(2, [16, 16, 1], "tanh", rng=0)
    return lambda x, t: nn.losses.hinge(model(x), 2 * t - 1)


@pytest.fixture(scope="module")
def program():
    made = vectorize(moons())
    made(X, T)
    return made


# ----------------------------------------------------------------------------------------------- what it computes


@needs_compiler
def test_a_network_gives_what_the_program_gives_and_trains_as_sgd_does(tmp_path):
    f = moons()
    program = vectorize(f)
    program(X, T)
    c = assert_as_the_program(program, tmp_path, X, T, train="sgd")
    model = inside(f)
    optimizer = optim.SGD(model.parameters(), lr=0.3)
    for _ in range(3):
        expected, gradient = program.value_and_grad(X, T)
        for parameter, slope in zip(program.parameters, gradient.tolist(), strict=True):
            parameter.grad = slope
        optimizer.step()
        value, _ = c.value_and_grad(X, T, lr=0.3)
        assert_same(value, expected, "mean before the step", 1e-12)
        assert_same(c.theta, [p.data for p in program.parameters], "parameters after the step", 1e-12)


def inside(f):
    (model,) = [cell.cell_contents for cell in f.__closure__]
    return model


@needs_compiler
def test_the_program_in_its_comment_is_compiled_and_prints_what_the_program_gives(program, tmp_path):
    text = saved(program, tmp_path / "net.c", train="sgd", dtype="float32")
    (tmp_path / "program.c").write_text(example_in(text))
    ran = subprocess.run([compiled(tmp_path / "program.c", tmp_path / "program")], capture_output=True, text=True)
    value_of_one = program(np.array([[1.0, 0.0]]), np.ones(1))[0]  # = {1.0}: the others are 0
    assert [float(line) for line in ran.stdout.split()] == pytest.approx([value_of_one] * 3, rel=1e-5)


def classes_of_images():
    model = nn.Sequential(
        nn.Reshape(1, 6, 6), nn.Conv2d(1, 3, 3, rng=0), nn.Flatten(), nn.BatchNorm(48), nn.Layer(48, 5, "relu", rng=1),
        nn.Dropout(0.5, rng=1), nn.Layer(5, 3, rng=2),
    )  # fmt: skip
    model.eval()
    return lambda x, t: nn.losses.cross_entropy(model(x), t)


def images_to_scores():
    f = classes_of_images()
    return lambda x: inside(f)(x)


def tokens():
    table, head = nn.Embedding(300, 3, rng=0), nn.Layer(6, 300, rng=1)
    return lambda a, t: nn.losses.cross_entropy(head([*table(a[0]), *table(a[1])]), t)


def partly_frozen():
    model = nn.MLP(2, [3, 1], "tanh", rng=0)
    nn.freeze(*model.parameters()[1::3])
    return lambda x, t: (model(x) - t) ** 2 + 0.01 * ag.sum([p * p for p in model.parameters()])


def gathered():
    w = [Value(0.3 * k - 1.0) for k in range(7)]
    order = [4, 0, 0, 3, 1, 6]

    def f(x):
        mixed = ag.sum([ag.tanh(w[k] * x[k % 2]) * x[1 - k % 2] for k in order])
        return mixed + ag.sum([w[k] * w[6 - k] for k in order]) + ag.maximum(w) * ag.logsumexp(w[::-1])

    return f


def without_inputs():
    w, v = Value(0.3), Value(-1.2)
    return lambda: ag.tanh(w) * v + ag.exp(w - v) ** 0.5


def several_results():
    w = Value(0.3)
    return lambda x: [x[0] * w, w, 3.0, ag.softmax(x)[1]]


def own_operation():
    swish = ag.operation(
        "swish_in_c",
        lambda xp, a: a * xp.sigmoid(a),
        lambda xp, out, a: (xp.sigmoid(a) * (1.0 + a * xp.sigmoid(-a)),),
    )
    w = Value(0.7)
    return lambda x: swish(w * x[0]) ** 2 + swish(x[1])


def deep():
    w = Value(0.99)

    def f(x):
        for k in range(40):
            x = [ag.where(x[0] > x[1], ag.sin(x[1] * w), x[0] / (1.5 + w)), ag.cos(x[0] - 0.01 * k * x[1])]
        return x[0] + ag.maximum(*[x[1] * k for k in range(40)])

    return f


FUNCTIONS = {
    "a network": (moons, X, T),
    "a convolution": (classes_of_images, IMAGES, CLASSES),
    "scores": (images_to_scores, IMAGES),
    "picked rows": (tokens, TOKENS, NEXT),
    "some frozen": (partly_frozen, X, T),
    "gathered": (gathered, X),
    "no inputs": (without_inputs,),
    "several results": (several_results, X),
    "an operation of one's own": (own_operation, X),
    "no parameters": (lambda: lambda a, b: ag.hypot(a, b) ** 1.5 - ag.erf(a), X[:, 0], X[:, 1]),
    "by some inputs": (lambda: lambda x, k, y: ag.pick(k, x) * ag.exp(y[0] - x[1]) / y[1], X, T, X + 3.0),
    "nothing to derive by": (lambda: lambda x: Value(2.0) * 3.0, X),
    "a deep graph": (deep, X),
    "an index that names nothing": (
        lambda: lambda x, k: ag.minus_log_softmax(3 * k + 0 * x[0], x[0], x[1], ag.tanh(x[0])) * x[1],
        X, T / 4,
    ),
}  # fmt: skip


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_kind_of_program_gives_what_the_program_gives(name, dtype, tmp_path):
    make, *inputs = FUNCTIONS[name]
    program = vectorize(make())
    program(*inputs)
    assert_as_the_program(program, tmp_path, *inputs, dtype=dtype)


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize(("name", "arity"), ARITIES)
def test_every_operation_gives_what_the_program_gives_also_at_the_edges(name, arity, tmp_path):
    w = [Value(1.0) for _ in range(arity)]
    takes_choices = name in ("pick", "where", "minus_log_softmax")
    program = vectorize(
        lambda x: apply(PRIMITIVES[name], *(x if takes_choices else [a * b for a, b in zip(w, x, strict=True)])),
        check=False,
    )
    points = random_points(name, arity) if takes_choices else np.vstack(
        [random_points(name, arity), edge_points(name, arity)]
    )  # fmt: skip
    values = program(points)
    c = CFile(program, tmp_path)
    assert_same(c.predict(points)[:, 0], values, "values", 1e-13)
    for point in points if "GRADIENT" in c.sizes else []:
        expected, got = [made.value_and_grad(point[None])[1] for made in (program, c)]
        assert_same(got, expected, f"gradient at {point}", 1e-12)


@pytest.mark.slow
@needs_compiler
@settings(max_examples=30)
@given(steps=st.lists(step, min_size=1, max_size=14), seed=st.integers(0, 2**32 - 1))
def test_random_graphs_give_what_the_program_gives(steps, seed):
    rng = np.random.default_rng(seed)
    points, parameters = rng.normal(size=(4, 4)), [Value(number) for number in rng.normal(size=6)]
    program = vectorize(lambda x: build(steps, x, parameters), check=False)
    program(points)
    with tempfile.TemporaryDirectory() as folder:
        assert_as_the_program(program, Path(folder), points)


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None or sys.platform != "linux", reason="needs gcc's or clang's sanitizers")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_under_the_sanitizers(name, tmp_path):
    make, *inputs = FUNCTIONS[name]
    program = vectorize(make())
    program(*inputs)
    (tmp_path / "program.c").write_text(example_in(saved(program, tmp_path / "net.c")))
    flags = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    path = compiled(tmp_path / "program.c", tmp_path / "program", *flags)
    ran = subprocess.run([path], capture_output=True, text=True, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert ran.returncode == 0, ran.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("clang") is None, reason="there is no clang")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_clang_has_nothing_to_warn_of(name, dtype, tmp_path):
    make, *inputs = FUNCTIONS[name]
    program = vectorize(make())
    program(*inputs)
    saved(program, tmp_path / "net.c", dtype=dtype)
    compiled(tmp_path / "net.c", tmp_path / "net.o", "-c", "-O2", command=["clang"])


@needs_compiler
def test_of_parameters_that_are_not_finite_or_need_all_digits(tmp_path):
    numbers = [np.inf, -np.inf, np.nan, -0.0, 0.1, 5e-324, 1.7976931348623157e308, 1 / 3]
    w = [Value(number) for number in numbers]
    program = vectorize(lambda x: ag.sum([p * x for p in w]), check=False)
    program(np.ones(1))
    for dtype in ("float64", "float32"):
        with np.errstate(over="ignore"):
            expected = np.array(numbers, dtype)
        np.testing.assert_array_equal(CFile(program, tmp_path, f"net_{dtype}", dtype=dtype).theta, expected)


def test_a_single_precision_program_is_saved_so_and_has_no_other_numbers(tmp_path):
    program = vectorize(moons(), dtype="float32")
    program(X, T)
    text = saved(program, tmp_path / "net.c", train="sgd")
    code = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("//"))
    assert "double" not in code
    assert "tanhf(" in code
    assert "tanh(" not in code
    assert [number for number in re.findall(r"\d+\.\d\S*|\d+e-?\d+\S*", code) if "f" not in number] == []
    assert text == saved(program, tmp_path / "net.c", train="sgd", dtype="float32")


def test_it_needs_nothing_but_math_and_takes_no_memory(program, tmp_path):
    text = saved(program, tmp_path / "net.c", train="sgd")
    code = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("//"))
    assert re.findall(r"#include.*", code) == ["#include <math.h>"]
    assert not re.search(r"alloc|\bn\]", code)


def test_the_comment_says_how_large_everything_is(program, tmp_path):
    text = saved(program, tmp_path / "net.c", train="sgd", dtype="float32")
    comment = " ".join(line.lstrip("/ ") for line in text.split("\n\n#include")[0].split("\n"))
    sizes = {key: int(size) for key, size in re.findall(r"#define NET_(\w+) (\d+)", text)}
    assert "theta is 337 numbers of type float, 1348 bytes" in comment
    assert f"work is {4 * sizes['PREDICT_WORK']} bytes for net_predict" in comment
    assert f"for net_value_and_grad and net_train it is {4 * sizes['WORK']}, and gradient" in comment
    assert sizes["PREDICT_WORK"] < sizes["WORK"]


def test_files_of_one_model_take_the_same_numbers(program, tmp_path):
    model = inside(program.f)
    scores = vectorize(lambda x: model(x), dtype="float32")
    scores(X)
    texts = [saved(made, tmp_path / "net.c", dtype="float64") for made in (program, scores)]
    first, second = [text.split("net_theta[NET_THETA] = {")[1].split("}")[0] for text in texts]
    assert [float(x) for x in second.split(",")[:-1]] == pytest.approx(
        [float(x) for x in first.split(",")[:-1]], rel=1e-7
    )


@needs_compiler
def test_of_a_function_without_parameters_there_are_the_derivatives_by_the_inputs(tmp_path):
    program = vectorize(lambda a, b, c: ag.hypot(a[0], a[1] * b))
    inputs = X, T + 2.0, T
    program(*inputs)
    assert_as_the_program(program, tmp_path, *inputs)


def test_of_a_list_there_are_the_results_alone_and_the_comment_says_so(tmp_path):
    program = vectorize(several_results())
    program(X)
    text = saved(program, tmp_path / "net.c")
    assert "value_and_grad" not in text
    assert "there is no gradient, as the function returns several numbers" in text.replace("\n// ", " ")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="there is no compiler for microcontrollers")
def test_the_sizes_that_the_page_on_c_tells_are_those_of_the_files():
    script = [sys.executable, str(ROOT / "benchmarks" / "c_sizes.py")]
    printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    found, told = [
        {tuple(row.split("|")[1:4]): [int(x.replace(",", "")) for x in row.split("|")[4:7]] for row in rows}
        for rows in (re.findall(r"^\| (?:moons|digits) \d.*", text, re.M) for text in (printed, PAGE))
    ]
    assert found.keys() == told.keys()
    for row, sizes in told.items():
        assert found[row] == pytest.approx(sizes, rel=0.1, abs=8), f"{row}: other compilers differ, but not by so much"


# ------------------------------------------------------------------------------------------------- what is refused


def refused(program, path, message, **options):
    with pytest.raises(ValueError, match=message):
        program.save(path, **options)
    assert not path.exists()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: nn.BatchNorm(2), "takes means over the batch, as BatchNorm and Dropout do in training"),
        (lambda: nn.Dropout(0.5, rng=0), r"draws random numbers, .*: call model.eval\(\) and save it again"),
    ],
)
def test_what_a_single_example_has_not_is_refused_until_the_model_is_in_evaluation_mode(layer, message, tmp_path):
    model = nn.Sequential(layer(), nn.Layer(2, 1, rng=0))
    program = vectorize(lambda x, t: (model(x) - t) ** 2)
    program.value_and_grad(X, T)
    path = tmp_path / "net.c"
    refused(program, path, message, train="sgd")
    model.eval()
    assert "net_train" in saved(program, path, train="sgd")


def test_names_of_files_and_options_that_there_are_not_are_refused(tmp_path):
    program = vectorize(several_results())
    program(X)
    refused(program, tmp_path / "net.cpp", r"path: expected a file name that ends in .py or .c, got 'net.cpp'")
    refused(program, tmp_path / "net", r"path: expected a file name that ends in .py or .c")
    refused(program, tmp_path / "net.py", r"train: an option of .c files alone, and 'net.py' is Python", train="sgd")
    refused(program, tmp_path / "net.py", r"dtype: an option of .c files alone", dtype="float32")
    refused(program, tmp_path / "net.c", r"train: expected 'sgd', got 'adam'", train="adam")
    refused(program, tmp_path / "net.c", r"dtype: expected 'float64' or 'float32', got 'float16'", dtype="float16")
    refused(program, tmp_path / "net.c", r"returns one number to minimize, but A function returns a list", train="sgd")
    nothing = vectorize(lambda a: a * 2.0)
    nothing(T)
    refused(nothing, tmp_path / "net.c", r"train: .* has no parameters", train="sgd")


# ----------------------------------------------------------------------------------------------------------- names


HOSTILE = [
    "*/ int main(void) { return 1; } /*", "a\nb", "??/", "??/\n", "\\", "\\\n#error", '"', "'", "%s%n", "// x",
    "int", "double", "for", "tanh", "exp", "j0", "INFINITY", "NAN", "M_PI", "I", "n", "seed", "theta", "work",
    "gradient", "value", "sum", "e", "row", "i", "k", "net_predict", "net_theta", "NET_WORK", "net_maximum",
    "main", "part", "x", "X", "x_2", "π", "∂L/∂w", "ﬁ", "\u202e", "\x00", "\x7f", "é", "w¹₂₁", "1", "_",
    "__LINE__", "", " ", "a" * 300, "#define x y",
]  # fmt: skip


def with_labels(labels, names=("x", "y")):
    """Return a program whose parameters, results, scopes and arguments are called so, and that is called once."""
    w = [Value(0.5 + k, label) for k, label in enumerate(labels)]

    def f(a, b):
        found = []
        for p, label in zip(w, labels, strict=True):
            with ag.scope(label or "s"):
                z = ag.tanh(p * a) * ag.exp(b - p)
            z.label = label
            found.append(ag.maximum(z, b))
        return ag.sum(found) * w[0] + ag.minus_log_softmax(a, found)

    f.__name__ = labels[0]
    f.__signature__ = inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names])
    program = vectorize(f, check=False)
    program(np.ones(2), np.ones(2))
    return program


def code_of(text):
    """Return the tokens of the functions of a C file without comments, each name as the number of its first use."""
    known = {}
    code = re.sub("//.*", "", text.split("// Writes the results of one example.")[1])
    return [known.setdefault(word, len(known)) for word in re.findall(r"\w+|[^\w\s]", code)]


def assert_escaped(labels, folder):
    """Assert that the text with such labels is the one with plain labels, but for the names and the comments."""
    text = saved(with_labels(labels), folder / "net.c")
    plainly = saved(with_labels([f"u{k}" for k in range(len(labels))]), folder / "net.c")
    assert code_of(text) == code_of(plainly)
    assert not re.search(r"\?\?|\\|/\*|\*/", text.replace(r"\n", "")), "nothing that means something in a comment"
    assert set(text) <= {*map(chr, range(32, 127)), "\n"}


def test_labels_never_reach_the_text_unescaped(tmp_path):
    assert_escaped(HOSTILE, tmp_path)


@needs_compiler
def test_any_name_of_a_file_or_an_argument_is_compiled(tmp_path):
    program = with_labels(HOSTILE, names=("int", "𝔘"))
    texts = []
    for name in ("double", 'we"ird *∕ \\ π', "2 NETS", "ONE REAL"):
        texts.append(saved(program, tmp_path / f"{name}.c"))
        assert f"void {c_name(name)}_predict(" in texts[-1]
    (tmp_path / "all.c").write_text("\n".join(texts))  # in one file none gets into another's way
    compiled(tmp_path / "all.c", tmp_path / "all.o", "-c")


@pytest.mark.slow
@needs_compiler
@settings(max_examples=40)
@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), min_size=3, max_size=6))
def test_programs_with_any_labels_are_compiled(labels):
    with tempfile.TemporaryDirectory() as folder:
        assert_escaped(labels, Path(folder))
        saved(with_labels(labels), Path(folder, "net.c"))
        compiled(Path(folder, "net.c"), Path(folder, "net.o"), "-c")


@given(st.text(max_size=30))
def test_comments_are_one_line_of_plain_text(text):
    found = plain(text)
    assert not re.search(r"[^ -~]|\?\?|\\|/\*|\*/", found)
    assert plain(found) == found
    assert re.fullmatch(r"[A-Za-z]\w*", c_name(text), re.ASCII)
