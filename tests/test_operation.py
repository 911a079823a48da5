"""`operation`: from two rules of a user's own everything else works, and rules that don't fit are told."""

import copy
import math
import pickle

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Parameter, Trainer, Value, nn, optim
from autograd_mini.engine import primitives
from autograd_mini.errors import TraceError
from autograd_mini.formulas.parse import FormulaError, parse


@pytest.fixture(autouse=True)
def the_table_is_put_back():
    before = dict(primitives.PRIMITIVES)
    for name in set(before) - set(BUILT_IN):  # those of examples in docstrings
        del primitives.PRIMITIVES[name]
    yield
    primitives.PRIMITIVES.clear()
    primitives.PRIMITIVES.update(before)


BUILT_IN = [name for name, entry in primitives.PRIMITIVES.items() if not hasattr(entry.forward, "__wrapped__")]

RULES = {
    "cube": (lambda xp, a: a**3, lambda xp, out, a: (3 * a**2,)),
    "swish": (
        lambda xp, a: a * xp.sigmoid(a),
        lambda xp, out, a: (xp.sigmoid(a) + out * xp.sigmoid(-a),),
    ),
    "ratio": (lambda xp, a, b: a / (1 + b * b), lambda xp, out, a, b: (1 / (1 + b**2), -2 * b * out / (1 + b * b))),
    "doubling": (lambda xp, a: 2**a, lambda xp, out, a: (math.log(2) * out,)),
    "clipped": (
        lambda xp, a: xp.where((a > -1) & (a <= 1), a, xp.sign(a)),
        lambda xp, out, a: (xp.where((a > -1) & (a <= 1), 1.0, 0.0),),
    ),
    "norm": (
        lambda xp, *a: xp.sqrt(xp.sum([x * x for x in a])),
        lambda xp, out, *a: tuple(xp.divide(x, out) for x in a),
    ),
}
COUNTS = {"ratio": 2, "norm": 3}


def made(name):
    return ag.operation(name, *RULES[name])


def operands(name):
    return [Value(0.3 * i + 0.7, label="abc"[i]) for i in range(COUNTS.get(name, 1))]


@pytest.mark.parametrize("name", RULES)
def test_its_gradients_are_those_of_differences_and_its_second_derivatives_too(name):
    f, numbers = made(name), [x.data for x in operands(name)]
    ag.check_gradients(f, *numbers)
    ag.check_gradients(lambda *x: ag.grad(f)(*x), *numbers)
    x = operands(name)
    f(*x).backward(create_graph=True)
    assert x[0].grad.data == ag.grad(f)(*numbers)


@pytest.mark.parametrize("name", RULES)
def test_its_text_is_written_and_computes_the_same(name):
    f, x = made(name), operands(name)
    L = f(*x) * 2 + 1
    L.backward()
    assert any(f"{name}(" in str(step) for step in ag.forward_steps(L))
    assert f"operatorname{{{name}}}" in str(ag.to_latex(L))
    assert name in ag.draw(L).source
    assert f"∂L/∂{x[0].label} ≈" in str(ag.explain(x[0], L))
    (row,) = [line for line in ag.derivative_table().splitlines() if line.startswith(f"{name} ")]
    assert f"{name}′(a) = " in row or f"∂{name}(" in row
    assert ag.step_through(L, what_if=x).payload["rules"]
    variables = {}
    exec(ag.to_python(L), variables)
    assert [variables[f"d_{u.label}"] for u in x] == pytest.approx([u.grad for u in x], rel=1e-15)


@pytest.mark.parametrize("backend", ["numpy", pytest.param("jax", marks=[pytest.mark.needs("jax"), pytest.mark.slow])])
def test_its_programs_have_its_values_and_gradients(backend):
    X = np.array([0.5, -2.0, 3.0, 1.0])
    fs = [made("cube"), made("swish"), made("clipped")]
    ratio = made("ratio")
    program = ag.vectorize(lambda x: ratio(sum(f(x) for f in fs), x) * fs[0](x), backend=backend)
    found, gradients = program(X), program.gradients(X)
    for x, y, gradient in zip(X.tolist(), found, gradients, strict=True):
        leaf = Value(x)
        expected = ratio(sum(f(leaf) for f in fs), leaf) * fs[0](leaf)
        expected.backward()
        assert (y, gradient) == (pytest.approx(expected.data, rel=1e-12), pytest.approx(leaf.grad, rel=1e-12))


def test_a_deep_program_without_a_batch_has_it_too():
    cube, doubling = made("cube"), made("doubling")

    def f(x):
        for _ in range(40):
            x = doubling(x) / (1 + cube(x) * cube(x))
        return x

    leaf = Parameter(0.3)
    value, gradient = ag.vectorize(lambda: f(leaf)).value_and_grad()
    expected = f(leaf)
    expected.backward()
    assert value == pytest.approx(expected.data, rel=1e-12)
    assert gradient[0] == pytest.approx(leaf.grad, rel=1e-9)


def test_numbers_and_arrays_are_taken_and_other_operands_refused():
    cube, norm = made("cube"), made("norm")
    assert (cube(2), cube(np.array([1.0, 2.0])).tolist(), norm(3.0, 4.0)) == (8.0, [1.0, 8.0], 5.0)
    with pytest.raises(TypeError, match="cube takes 1 operand, got 2"):
        cube(1.0, 2.0)
    with pytest.raises(TypeError, match="norm takes one or more operands, got 0"):
        norm()
    with pytest.raises(TypeError, match="expected a real number, got str 'a'"):
        cube("a")


def test_a_drawing_shows_its_symbol():
    f = ag.operation("cube", *RULES["cube"], symbol="x³")
    L = f(Value(2.0))
    assert "x³" in ag.draw(L).source
    assert L._op == "x³"


def test_copies_and_pickles_name_it():
    cube = made("cube")
    x = Value(2.0)
    L = cube(x) + 1.0
    for copied in (copy.deepcopy(L), pickle.loads(pickle.dumps(L))):
        copied.backward()
        assert copied.parents[0].parents[0].grad == 12.0
    assert pickle.loads(pickle.dumps(cube))(2.0) == 8.0
    assert copy.deepcopy(cube) is cube
    del primitives.PRIMITIVES["cube"]
    with pytest.raises(
        ValueError, match=r"no primitive is named 'cube'; .*; one of your own must be made first, by autograd_mini"
    ):
        pickle.loads(pickle.dumps(cube))


def test_a_network_trains_vectorized_with_it_as_its_activation():
    X = np.linspace(-1, 1, 12)[:, None]
    model = nn.MLP(1, [3, 1], activation=made("swish"), rng=0)
    trainer = Trainer(model, "squared_error", optim.SGD(model.parameters(), 0.1), epochs=2, progress=False)
    trainer.fit(X, X[:, 0] ** 2)
    assert trainer.engine == "vectorized"
    assert copy.deepcopy(model)([0.5]).data == model([0.5]).data


def test_a_number_that_its_rules_use_is_followed_by_programs():
    scale = {"k": 2.0}
    scaled = ag.operation("scaled", lambda xp, a: scale["k"] * a, lambda xp, out, a: (scale["k"],))
    program = ag.vectorize(lambda x: scaled(x) + 1)
    assert program([1.0, 2.0]).tolist() == [3.0, 5.0]
    assert program.gradients([1.0, 2.0]).tolist() == [2.0, 2.0]
    scale["k"] = 3.0
    assert program([1.0, 2.0]).tolist() == [4.0, 7.0]
    assert program.gradients([1.0, 2.0]).tolist() == [3.0, 3.0]


# ------------------------------------------------------------------------------------------------------ what is told

ONE = (lambda xp, a: a, lambda xp, out, a: (1.0,))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a b", *ONE), ValueError, "name: expected one that Python allows, such as 'cube', got 'a b'"),
        (("lambda", *ONE), ValueError, "name: expected one that Python allows, such as 'cube', got 'lambda'"),
        (("symbol", *ONE), ValueError, "name: expected one that Python allows"),
        ((3, *ONE), TypeError, "name: expected a string, got 3"),
        (("one", *ONE, 3), TypeError, "symbol: expected a string, got 3"),
        (("mul", *ONE), ValueError, "name: 'mul' is an operation of autograd_mini; choose another name"),
        (("one", 3, ONE[1]), TypeError, "forward: expected a function, as in lambda xp, a: .*, got 3"),
        (
            ("one", ONE[0], None),
            TypeError,
            r"derivatives: expected a function, as in lambda xp, out, a: \(…\), got None",
        ),
        (
            ("one", lambda a: a**3, ONE[1]),
            TypeError,
            r"forward: expected a function of xp and of the operands.*of \(a\)",
        ),
        (("one", lambda a, b: a * b, lambda a, b: (b, a)), TypeError, r"derivatives: .* lambda xp, out, a: .*\(a, b\)"),
        (("one", lambda xp, a, b: a, ONE[1]), TypeError, r"lambda xp, out, a1, a2: \(…\), got one of \(xp, out, a\)"),
        (("one", lambda xp, *a: a[0], ONE[1]), TypeError, r"lambda xp, out, \*a: \(…\), got one of \(xp, out, a\)"),
        (("one", lambda xp, *, a: a, ONE[1]), TypeError, "forward: expected a function of xp and of the operands"),
        (("one", max, ONE[1]), TypeError, "forward: can't see what <built-in function max> takes; write it as in"),
    ],
)
def test_what_makes_no_operation_is_told(arguments, error, message):
    with pytest.raises(error, match=message):
        ag.operation(*arguments)
    assert "one" not in primitives.PRIMITIVES


@pytest.mark.parametrize(
    ("forward", "derivatives", "message"),
    [
        (
            lambda xp, a: a,
            lambda xp, out, a: 2 * a,
            r"expected a tuple with one derivative .*got 4.0; write \(derivative",
        ),
        (lambda xp, a: a, lambda xp, out, a: (1, 2), r"operands, which are 1, got \(1, 2\)"),
        (lambda xp, a: a, lambda xp, out, a: (None,), "derivatives of one: expected a number for numbers, got None"),
        (lambda xp, a: "a", ONE[1], "forward of one: expected a number for numbers, got 'a'"),
        (lambda xp, a: [a], ONE[1], r"forward of one: expected a number for numbers, got \[2.0\]"),
        (lambda xp, a: xp.foo(a), ONE[1], "forward of one: it can't be read as numbers: .* no attribute 'foo'"),
        (lambda xp, a: (-a) ** 0.5, ONE[1], "forward of one: expected a number for numbers, got .*j"),
    ],
)
def test_a_rule_that_gives_something_else_is_told_when_it_is_used(forward, derivatives, message):
    f = ag.operation("one", forward, derivatives)
    with pytest.raises(TypeError, match=message):
        f(Value(2.0))


def test_an_error_of_pythons_arithmetic_says_which_function_has_none():
    cube = made("cube")
    with pytest.raises(OverflowError, match=r"forward of cube at 1e\+200: .*xp.power\(a, b\) .* give inf or nan there"):
        cube(Value(1e200))
    cubed = ag.operation("cubed", lambda xp, a: xp.power(a, 3), lambda xp, out, a: (3 * a * a,))
    assert cubed(Value(1e200)).data == math.inf


NOT_FORMULAS = {
    "math": (lambda xp, a: math.exp(a), lambda xp, out, a: (out,), "must be real number"),
    "if": (lambda xp, a: a if a > 0 else 0.0, ONE[1], r"write xp.where\(condition, a, b\) in the place of if"),
    "max": (lambda xp, a: max(a, 0.0), ONE[1], r"write xp.where\(condition, a, b\) in the place of if"),
    "==": (lambda xp, a: xp.where(a == 0, 1.0, a), ONE[1], r"write xp.equal\(a, b\)"),
}


@pytest.mark.parametrize("how", NOT_FORMULAS)
@pytest.mark.parametrize(
    "use",
    [
        lambda f: ag.vectorize(f)([1.0, 2.0]),
        lambda f: ag.to_python(f(Value(2.0))),
        lambda f: ag.step_through(f(Value(2.0))),
    ],
    ids=["vectorize", "to_python", "step_through"],
)
def test_a_rule_that_only_numbers_can_be_put_into_is_refused_where_a_formula_is_needed(how, use):
    forward, derivatives, message = NOT_FORMULAS[how]
    f = ag.operation("one", forward, derivatives)
    assert f(Value(2.0)).data > 0.0
    with pytest.raises(TraceError, match=f"forward of one: it can't be read as a formula: .*{message}"):
        use(f)
    assert "one          y = one(a)" in ag.derivative_table()


@pytest.mark.parametrize("number", [7.0, 7, True, np.float64(7.0)])
def test_a_rule_may_give_a_bare_number(number):
    f = ag.operation("one", lambda xp, a: number, lambda xp, out, a: (0,))
    assert ag.vectorize(f)([1.0, 2.0]).tolist() == [number] * 2
    assert ag.vectorize(lambda x: f(x) * x)([1.0, 2.0]).tolist() == [number, 2.0 * number]
    assert ag.vectorize(ag.grad(f))([1.0, 2.0]).tolist() == [0.0, 0.0]


def test_a_program_knows_logsumexp_in_a_rule():
    f = ag.operation("one", lambda xp, *a: xp.logsumexp(*a), lambda xp, out, *a: [xp.exp(x - out) for x in a])
    for x in ([1.0, 2.0], [-800.0, -801.0], [math.inf, 0.0], [-math.inf, -math.inf]):
        assert ag.vectorize(f)(*[[z] for z in x]) == pytest.approx([ag.logsumexp(x)])
    p, q = ag.vectorize(ag.grad(f, (0, 1)))([800.0], [799.0])
    assert (p.tolist(), q.tolist()) == (pytest.approx([0.7310585786]), pytest.approx([0.2689414214]))


def test_a_formula_that_is_too_deep_for_a_program_is_told():
    f = ag.operation("one", lambda xp, *a: xp.sum([x * x for x in a]), lambda xp, out, *a: [2 * x for x in a])
    with pytest.raises(TraceError, match=r"the formula of an operation of one's own is too deep .* few operands each"):
        ag.vectorize(lambda row: f(*row))(np.ones((2, 1500)))


@pytest.mark.parametrize(
    ("forward", "advice"),
    [
        (lambda xp, *a: xp.sum(*a), r"takes 1 positional argument but 2 were given; xp.sum takes one list"),
        (lambda xp, *a: xp.logsumexp(a), r"xp.maximum, xp.minimum and xp.logsumexp take numbers, xp.maximum\(a, b\)"),
        (lambda xp, *a: xp.maximum(list(a)), r"expected a number for numbers, got \[-8.0, 1.0\]; .*xp.maximum\(a, b\)"),
        (lambda xp, *a: a[0] ** (1 / 3), r"got \(1.*j\); xp.power\(a, b\) and xp.sqrt\(a\) are nan where"),
        (lambda xp, *a: None, "got None; did it forget its return"),
    ],
)
def test_a_rule_that_fails_says_how_the_functions_of_xp_are_called(forward, advice):
    f = ag.operation("one", forward, lambda xp, out, *a: a)
    with pytest.raises(TypeError, match=f"forward of one: .*{advice}"):
        f(Value(-8.0), 1.0)


def test_a_function_of_the_package_in_a_rule_is_told_where_a_formula_is_needed():
    f = ag.operation("one", lambda xp, a: ag.tanh(2.0 * a), lambda xp, out, a: (2.0 - 2.0 * out**2,))
    with pytest.raises(TraceError, match=r"expected a real number, got Expression .*functions of xp alone"):
        ag.vectorize(f)([1.0])


def test_derivatives_that_values_can_not_be_put_into_have_none_in_turn():
    f = ag.operation("one", lambda xp, a: xp.exp(a), lambda xp, out, a: (math.exp(a),))
    assert ag.grad(f)(0.0) == 1.0
    with pytest.raises(TypeError, match=r"derivatives of one: it can't be read as Values: .*Write it with"):
        ag.grad(ag.grad(f))(0.0)


def test_a_name_is_given_once_but_a_cell_may_be_run_again():
    def cell(factor):
        return ag.operation("scaled", lambda xp, a: factor * a, lambda xp, out, a: (factor,))

    old = cell(2.0)(Value(1.0))
    assert cell(2.0)(1.0) == 2.0
    with pytest.raises(ValueError, match=r"there is an operation 'scaled' of other rules already; .*replace=True"):
        cell(3.0)
    with pytest.raises(ValueError, match="there is an operation 'scaled' of other rules already"):
        ag.operation("scaled", lambda xp, a: 2 * a, lambda xp, out, a: (2,))
    new = ag.operation("scaled", lambda xp, a: 2 * a, lambda xp, out, a: (2,), replace=True)
    assert new.primitive is primitives.find("scaled")
    assert old.forward() == 2.0


def test_a_formula_knows_operations_of_ones_own():
    ag.operation("cubed", lambda xp, a: a**3, lambda xp, out, a: (3 * a**2,))
    ag.operation("total", lambda xp, *a: xp.sum(a), lambda xp, out, *a: [1.0 for _ in a])
    L = parse("cubed(2*x) + total(x, 1, x)", x=0.5)
    assert L.data == 3.0
    assert any("cubed(v" in str(step) for step in ag.forward_steps(L))
    with pytest.raises(FormulaError, match=r"wrong arguments of 'cubed' \(cubed takes 1 operand, got 2\)"):
        parse("cubed(x, x)", x=0.5)
    with pytest.raises(FormulaError, match="unknown function 'cubes'"):
        parse("cubes(x)", x=0.5)
