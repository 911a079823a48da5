"""`to_python`: the program that it writes, run, gives the engine's numbers for every operation and every graph."""

import inspect
import io
import math
import random
import subprocess
import sys
from collections import Counter
from contextlib import redirect_stdout

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini import Parameter, Value, to_python
from autograd_mini.engine import arrays, floats
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.engine.primitives import PRIMITIVES, Primitive
from autograd_mini.engine.value import Constant, apply
from autograd_mini.explanations.names import node_names

inf, nan = math.inf, math.nan
CASES = [
    pytest.param(primitive, n, id=f"{name}-{n}")
    for name, primitive in PRIMITIVES.items()
    for n in ((1, 2, 3, 5) if primitive.arity is None else (primitive.arity,))
]
HELPERS = [name for name, thing in vars(floats).items() if inspect.isfunction(thing)]


def run(source):
    """Run a program in an empty namespace and return its variables."""
    variables = {}
    exec(compile(source, "program", "exec"), variables)
    return variables


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def assert_engines_numbers(root, **names):
    """Check every labelled leaf's gradient and the root's value against the engine, to the bit; return the source."""
    source = to_python(root, **names)
    variables = run(source)
    want = gradients(root)
    assert same(variables[called(source)], root.data), source
    for leaf in want:
        if leaf.label and not isinstance(leaf, Constant):
            got = variables[f"d_{leaf.label}"]
            assert same(got, want[leaf]), f"d_{leaf.label}: {got!r} is not {want[leaf]!r} in\n{source}"
    return source


def called(source):
    """The root's variable."""
    return next(line for line in source.splitlines() if line.startswith("d_")).split(" = ")[0][2:]


def points(primitive, n):
    rng = random.Random(primitive.name)
    for _ in range(8):
        point = []
        for i in range(n):
            low, high = primitive.domain[min(i, len(primitive.domain) - 1)]
            point.append(rng.uniform(max(low, -3.0), min(high, 3.0)))
        yield tuple(point)
    for extreme in (0.0, -0.0, 1.0, -1.0, 20.0, 1000.0, -1000.0, 1e200, -1e200, 5e-324, inf, -inf, nan):
        yield (extreme,) * n
        for i in range(n):
            yield tuple(extreme if j == i else 0.5 for j in range(n))


# ------------------------------------------------------------------------------------------- every operation


@pytest.mark.parametrize(("primitive", "n"), CASES)
def test_every_operation_gives_the_engines_numbers_everywhere(primitive, n):
    for point in points(primitive, n):
        operands = [Value(x, label=f"x{i}") for i, x in enumerate(point)]
        assert_engines_numbers(apply(primitive, *operands) * 1.5)


@pytest.mark.parametrize(("primitive", "n"), [case for case in CASES if case.values[1] > 1])
def test_an_operand_may_stand_more_than_once_and_be_a_bare_number(primitive, n):
    x = Value(0.75, label="x")
    assert_engines_numbers(apply(primitive, *[x] * n))
    for i in range(n):
        assert_engines_numbers(apply(primitive, *[x if j == i else 2.0 for j in range(n)]))


# Of which the sign of a zero isn't NumPy's, which takes a square root for a power of 0.5, and of two zeros either.
ANY_ZERO = ("power", "sign", "maximum", "minimum")
SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -3.0, 30.0, 710.0, -745.0, 1e200, -1e200, 5e-324, inf, -inf, nan]


@pytest.mark.parametrize("name", [name for name in HELPERS if hasattr(arrays, name) and name not in ("sum", "unless")])
def test_functions_on_floats_follow_ieee_754_as_numpy_does(name):
    mine, theirs = getattr(floats, name), getattr(arrays, name)
    count = 1 if name in EXACTLY_ONE else 2
    for a in SPECIAL:
        for b in SPECIAL if count == 2 else [0.0]:
            numbers = (*[True] * (name == "where"), *(a, b)[:count])
            with np.errstate(all="ignore"):
                want = theirs(*[np.float64(x) for x in numbers])
            if name == "power" and b == 0.5 and a == -inf:
                continue  # the power is inf, NumPy's square root is nan
            got = mine(*numbers)
            pairs = zip(got, want, strict=True) if isinstance(got, tuple) else [(got, want)]
            for x, y in pairs:
                assert x == pytest.approx(float(y), rel=1e-15, abs=5e-324, nan_ok=True), (name, a, b)
                has_sign = not math.isnan(x) and not (x == 0.0 and name in ANY_ZERO)
                assert not has_sign or math.copysign(1.0, x) == math.copysign(1.0, y), (name, a, b)


EXACTLY_ONE = {name for name in HELPERS if list(inspect.signature(getattr(floats, name)).parameters) == ["a"]}


def test_an_operation_added_to_the_table_needs_its_functions_written_out(monkeypatch):
    monkeypatch.setattr(floats, "bessel", math.atan, raising=False)
    primitive = Primitive("bessel", "J", lambda xp, a: xp.bessel(a), lambda xp, out, a: (1.0,))
    with pytest.raises(ValueError, match=r"can't write the function 'bessel' out, .*define it there"):
        to_python(apply(primitive, Value(1.0)))


# ---------------------------------------------------------------------------------------------- random graphs


def test_the_softmax_of_bare_numbers_is_a_number():
    root = ag.sum([apply(PRIMITIVES["softmax"], Constant(1.0), Constant(2.0)), Value(1.0, "x")])
    assert "softmax(" not in assert_engines_numbers(root)


@st.composite
def graphs(draw):
    leaves = [Value(draw(st.floats(-3, 3)), label=f"x{i}") for i in range(draw(st.integers(1, 4)))]
    nodes = list(leaves)
    for _ in range(draw(st.integers(1, 15))):
        primitive = draw(st.sampled_from(list(PRIMITIVES.values())))
        n = primitive.arity or draw(st.integers(1, 4))
        operands = [
            draw(st.sampled_from(nodes)) if draw(st.integers(0, 5)) else draw(st.sampled_from([0.0, 1.0, -2.0, 0.5]))
            for _ in range(n)
        ]
        nodes.append(apply(primitive, *operands))
    return ag.functions.sum(nodes)


@given(graphs())
def test_random_graphs_give_the_engines_numbers(root):
    assert_engines_numbers(root)


def test_a_network_and_its_loss_give_the_engines_numbers():
    random.seed(0)
    network = ag.nn.MLP(2, [3, 3, 1])
    loss = (
        sum((network([a, b]) - t) ** 2 for a, b, t in [(1.0, 2.0, 1.0), (-1.0, 0.5, -1.0)])
        + ag.softmax(list(network.parameters())[:3])[1]
    )
    source = to_python(loss)
    variables, want = run(source), gradients(loss)
    by_name = {
        line.split("  # ")[1].strip("'"): line.split(" = ")[0]
        for line in source.splitlines()
        if "  # 'w" in line or "  # 'b" in line
    }
    assert by_name["w¹₂₁"] == "w1_21", by_name
    found = 0
    for node, name in node_names(loss).items():
        if isinstance(node, Parameter):
            found += 1
            assert variables[f"d_{by_name[name]}"] == want[node], name
    assert found == len(network.parameters())


def test_a_shared_node_gets_all_its_contributions():
    x = Value(3.0, label="x")
    source = assert_engines_numbers(x * x + x)
    assert source.count("d_x +=") == 3


def test_long_sums_are_no_special_case():
    terms = [Value(0.1 * i, label=f"x{i}") for i in range(3000)]
    assert_engines_numbers(ag.functions.sum(terms))
    assert_engines_numbers(ag.maximum(terms[:800]))
    assert_engines_numbers(ag.logsumexp(terms[:800]))
    assert_engines_numbers(ag.functions.dot(terms[:1000], terms[1000:2000], terms[2000]))


@pytest.mark.parametrize("n", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_deep_chain_is_no_special_case(n):
    x = y = Value(0.7, label="x")
    for i in range(n):
        y = y.sin() if i % 2 else y * 1.01 + x
    assert_engines_numbers(y)


@pytest.mark.parametrize("size", [200, pytest.param(400, marks=pytest.mark.slow)])
def test_the_program_is_linear_in_the_number_of_operands(size):
    long, short = (len(to_python(ag.softmax([Value(float(i)) for i in range(n)])[0])) for n in (2 * size, size))
    assert long < 2.3 * short


def test_a_sum_is_rounded_as_the_engine_rounds_it():
    x = [Value(a, label=f"x{i}") for i, a in enumerate([1e16, 1.0, -1e16, 1e-3])]
    assert_engines_numbers(ag.functions.sum(x))


def test_products_are_taken_in_the_engines_order():
    # d * (2 * x) is finite where (d * 2) * x isn't
    a, b = Value(1e-200, label="a"), Value(1e200, label="b")
    assert_engines_numbers((a * b * 1e200) ** 2 * 1e-300 / b)


# ------------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("label", "variable"),
    [
        ("w", "w"),
        ("w[0]", "w_0"),
        ("layers.0.bias", "layers_0_bias"),
        ("lambda", "lambda_2"),
        ("sum", "sum_2"),
        ("exp", "exp_2"),
        ("math", "math_2"),
        ("2x", "v_2x"),
        ("", None),
        ("   ", "v"),
        ("__name__", "name"),
        ("__debug__", "debug"),
        ("θ", "θ"),
        ("ﬁ", "fi"),
        ("🎉", "v"),
        ("x\nimport os", "x_import_os"),
        ("'''\"\"\"#\\", "v"),
        ("\ud800", "v"),
        ("y" * 200, "y" * 40),
    ],
)
def test_labels_that_are_no_identifiers_become_some(label, variable):
    x = Value(3.0, label=label)
    source = to_python(x * x)
    variables = run(source)
    assert variables[f"d_{variable or 'v1'}"] == 6.0
    assert max(map(len, source.splitlines())) < 200
    if variable not in (None, label):
        (line,) = [line for line in source.splitlines() if line.startswith(f"{variable} = 3.0")]
        assert "  # '" in line or '  # "' in line


def test_names_that_collide_stay_apart():
    labels = ["x", "x", "x!", "x?", "x_2", "d_x", "d_d_x", "L", "_sum1", "_softmax1", "ﬁ", "fi"]
    leaves = [Value(float(i + 2), label=label) for i, label in enumerate(labels)]
    root = ag.functions.sum([leaf**2 for leaf in leaves]) + ag.maximum(leaves) + ag.softmax(leaves)[0]
    variables, want = run(to_python(root)), gradients(root)
    found = Counter(value for name, value in variables.items() if name.startswith("d_"))
    assert Counter(want[node] for node in want if not isinstance(node, Constant)) <= found


def test_names_come_from_variables():
    a, b = Value(2.0), Value(3.0)
    source = to_python(a * b, names={"a": a, "b": b})
    assert "L = a * b\n" in source
    assert "d_a += d_L * b\n" in source


# --------------------------------------------------------------------------------------------- how it is written


def test_it_reads_as_one_would_write_it():
    x = Value(3.0, label="x")
    source = to_python((x**2 - x / 2.0 + 1.0) * -1.0)
    assert "v1 = x ** 2.0\n" in source
    assert "v2 = x / 2.0\n" in source
    assert "d_x += d_v1 * (2.0 * x)\n" in source
    assert "d_x += d_v2 * 0.5\n" in source
    assert "d_v2 -= d_v3\n" in source
    assert "def " not in source
    assert "import" not in source


def test_a_function_is_defined_where_pythons_operator_would_raise_an_error():
    x, zero = Value(-8.0, label="x"), Value(0.0, label="zero")
    assert "divide(x, zero)" in assert_engines_numbers(x / zero)
    assert "power(x, 0.5)" in assert_engines_numbers(x**0.5)
    assert "power(zero, -1.0)" in assert_engines_numbers(zero**-1)
    assert "power(x, 400.0)" in assert_engines_numbers(x**400)


def test_constants_have_no_gradient():
    pi = Constant(math.pi, label="pi")
    source = to_python(2 * pi * Value(1.0, label="r"))
    assert "d_pi" not in source
    assert "v1 = 2.0 * pi\n" in source


@pytest.mark.parametrize("root", [Value(3.0), Constant(3.0), Parameter(3.0, label="w"), Value(nan, label="n")])
def test_a_root_that_is_a_leaf(root):
    variables = run(to_python(root))
    name = root.label or "L"
    assert same(variables[name], root.data)
    assert variables[f"d_{name}"] == 1.0


def test_it_starts_from_the_leaves_present_data():
    x = Value(3.0, label="x")
    y = x * x
    x.data = 5.0
    assert run(to_python(y))["L"] == 25.0


def test_run_as_a_file_it_prints_the_value_and_the_gradients(tmp_path):
    w, x = Value(0.5, label="w"), Value(2.0, label="x")
    root = (w * x).sigmoid()
    want = gradients(root)
    (tmp_path / "program.py").write_text(to_python(root), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0] == f"L = {root.data}"
    assert done.stdout.splitlines()[1:] == [f"d_w = {want[w]}", f"d_x = {want[x]}"]


def test_it_imports_nothing_but_math():
    source = to_python(ag.logsumexp([Value(1.0), Value(2.0).tanh()]))
    imports = [line for line in source.splitlines() if "import" in line]
    assert imports == ["import math", "from math import tanh"]


def test_executed_it_prints_nothing():
    with redirect_stdout(io.StringIO()) as printed:
        run(to_python(Value(1.0) * 2.0))
    assert printed.getvalue() == ""


def test_something_else_than_a_value_is_refused():
    with pytest.raises(TypeError, match=r"expected the Value at the root of a graph, got 3\.0"):
        to_python(3.0)


def test_no_gradient_is_touched():
    x = Value(3.0, label="x")
    x.grad = 7.0
    to_python(x * x)
    assert x.grad == 7.0


def test_numpy_leaves_are_written_as_floats():
    assert "x = 0.5\n" in to_python(Value(np.float64(0.5), label="x") * 2)
