"""Typed formulas: the graphs they become, and the messages about those that can't be read."""

from __future__ import annotations

import inspect
import math
import pickle
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini.engine import floats, functions
from autograd_mini.engine.graph import leaves, topological_order
from autograd_mini.engine.primitives import PRIMITIVES, Primitive
from autograd_mini.engine.value import Constant, Value
from autograd_mini.explanations.steps import application
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number, symbol
from autograd_mini.formulas.parse import _TAKES_LISTS, FUNCTIONS, FormulaError, names_in, parse

VALUES = {"w": 0.5, "x": 2.0, "b": 0.1}


def message(source: str, **values: float) -> str:
    """Return the one line that is said about a bad formula."""
    with pytest.raises(FormulaError) as caught:
        parse(source, **values)
    line = caught.value.one_line
    assert "\n" not in line
    return line


# ------------------------------------------------------------------------------------------------- good formulas


def test_the_graph_is_the_one_that_operators_make() -> None:
    root = parse("tanh(w*x + b)", w=0.5, x=2, b=0.1)
    assert [node.primitive.name if node.primitive else node.label for node in topological_order(root)] == [
        "w", "x", "mul", "b", "add", "tanh",
    ]  # fmt: skip
    root.backward()
    assert root.data == pytest.approx(math.tanh(1.1), rel=1e-15)
    assert [leaf.grad for leaf in leaves(root)] == pytest.approx([2 / math.cosh(1.1) ** 2, 0.5 / math.cosh(1.1) ** 2,
                                                                  1 / math.cosh(1.1) ** 2])  # fmt: skip


def test_two_uses_of_a_name_are_one_node() -> None:
    root = parse("x*x", x=3)
    assert root.parents[0] is root.parents[1]
    root.backward()
    assert root.parents[0].grad == 6.0


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2*3 - 4/8", 6.5),
        ("-2**2", -4.0),
        ("(-2)**2", 4.0),
        ("2**3**2", 512.0),
        ("+3", 3.0),
        ("--3", 3.0),
        ("2*pi", 2 * math.pi),
        ("2*π", 2 * math.pi),
        ("log(e)", 1.0),
        ("ln(e)", 1.0),
        ("max(1, 3, 2) + min([4, 5])", 7.0),
        ("sum(1, 2, 3) + sum([4, 5])", 15.0),
        ("dot([1, 2], [3, 4], 5)", 16.0),
        ("where(1 < 2, 3, 4)", 3.0),
        ("where(1 >= 2, 3, 4)", 4.0),
        ("where(0, 3, 4)", 4.0),
        ("leaky_relu(-1) + leaky_relu(-1, 0.5)", -0.51),
        ("σ(0)", 0.5),
        ("2·3 − 8÷4", 4.0),
        ("  1 +\n 2 ", 3.0),
        ("1/0", math.inf),
        ("2**10**10", math.inf),
        ("1e3", 1000.0),
        ("0x10", 16.0),
    ],
)
def test_numbers(source: str, expected: float) -> None:
    assert parse(source).data == pytest.approx(expected, rel=1e-15)


@given(st.floats(-3, 3), st.floats(0.1, 3), st.floats(-3, 3))
def test_agrees_with_python(x: float, y: float, z: float) -> None:
    source = "(x + y)*z/y - -x**2 + tanh(x*z) - y**z"
    expected = (x + y) * z / y - -(x**2) + math.tanh(x * z) - y**z
    assert parse(source, x=x, y=y, z=z).data == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_negative_number_is_a_constant_and_no_operation() -> None:
    root = parse("x**-1", x=4)
    assert [type(parent) for parent in root.parents] == [Value, Constant]
    assert root.parents[1].data == -1.0


def test_a_bare_number_or_name_is_a_leaf() -> None:
    assert (type(parse("3")), parse("3").data) == (Constant, 3.0)
    assert parse("x", x=2).label == "x"


def test_a_value_that_is_a_node_is_used_as_it_is() -> None:
    x = Value(2.0)
    parse("x*x", x=x).backward()
    assert x.grad == 4.0


def test_a_given_name_comes_before_a_constant() -> None:
    assert parse("e + pi", e=1, pi=2).data == 3.0


def test_subscripts_are_digits() -> None:
    assert parse("w₁*w2", w1=2, **{"w₂": 3}).data == 6.0


def test_the_condition_is_named_as_written_and_has_no_gradient() -> None:
    root = parse("where(x > 0, x, 0.1*x)", x=-2)
    root.backward()
    assert root.parents[0].label == "x > 0"
    assert [leaf.grad for leaf in leaves(root) if leaf.label == "x"] == [0.1]


def test_every_function_of_numbers_is_known() -> None:
    written = {name for name in functions.__all__ if inspect.isfunction(getattr(functions, name))}
    assert written == set(FUNCTIONS)


BY_INDEX = ("pick", "minus_log_softmax")  # the first operand of these says which of the others is meant


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"dot"}))
def test_every_function_works(name: str) -> None:
    takes = [a for a in inspect.signature(FUNCTIONS[name]).parameters.values() if not isinstance(a.default, str)]
    arguments = ["0*x" if name in BY_INDEX else "x", *["0.5"] * (len(takes) - 1)]
    root = parse(f"{name}({', '.join(arguments)})", x=0.25)
    assert math.isfinite(root.data)
    if name in PRIMITIVES:
        assert root.primitive is not None
        assert root.primitive.name == name


def test_functions_of_several_numbers_take_them_one_by_one_or_as_a_list() -> None:
    assert parse("mean(x, 2, 3) + mean([x, 2]) + prod(x, 2, 3) + prod([x, 5])", x=1).data == 2.0 + 1.5 + 6.0 + 5.0
    assert parse("clip(x, 0)", x=-1).data == 0.0
    with pytest.raises(FormulaError, match="clip takes 1 to 3 arguments, got 4,"):
        parse("clip(x, 0, 1, 2)", x=1)


def test_the_wide_sum() -> None:
    assert parse(" + ".join(["x"] * 150), x=1).data == 150.0


# ------------------------------------------------------------------------------------------ as it stands on paper


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("√x", math.sqrt(2)),
        ("√(x + 2)", 2.0),
        ("√x·y", -3 * math.sqrt(2)),
        ("√√x", 2**0.25),
        ("√|y|", math.sqrt(3)),
        ("√exp(x)·2", 2 * math.e),
        ("√(x)² + √(x²)", 4.0),
        ("|y|", 3.0),
        ("|y|·|x|", 6.0),
        ("||y| - 1|", 2.0),
        ("|x + |y||", 5.0),
        ("||x| + |y||·|-y|", 15.0),
        ("|max(|x|, |y|)|", 3.0),
        ("[|x| if |x| > 1 else |y|]", 2.0),
        ("|y|² - |y|", 6.0),
        ("x² + y³", -23.0),
        ("-x²", -4.0),
        ("x⁻¹ + x⁻²", 0.75),
        ("x¹⁰", 1024.0),
        ("xⁿ", 8.0),
        ("x⁻ⁿ", 0.125),
        ("x⁽ⁿ⁺¹⁾", 16.0),
        ("(x²)³", 64.0),
        ("2^x²", 16.0),
        ("2^x^n", 256.0),
        ("x^-1", 0.5),
        ("10⁻³", 0.001),
        ("e^x", math.exp(2)),
        ("½·x + ¾", 1.75),
        ("x × y ⋅ x ÷ y ∕ 2 – 1", 1.0),
        ("1/∞", 0.0),
        ("-inf", -math.inf),
        ("[1 if x = 2 else 0]", 1.0),
        ("[1 if x ≥ 2 and y = 0 or x = 3 else 0]", 0.0),
        ("where(x ≤ 2, 1, 0) + where(x == 2, 1, 0) + where(x > 0 and y > 0, 1, 0)", 2.0),
        ("max([1 if x > 0 else 0], y)", 1.0),
        ("sum([1 if x > 0 else 0], [2 if x > 0 else 0])", 3.0),
        ("softmax(x, x)", 0.5),
        ("pick(1, x, y) + pick(0, [x, y])", -1.0),
        ("minus_log_softmax(0, x, x)", math.log(2)),
        ("ReLU(y) + arctan(0)", 0.0),
        ("x\u00a0+\u2009\u200bx", 4.0),
    ],
)
def test_signs_of_mathematics(source: str, expected: float) -> None:
    values = {name: value for name, value in {"x": 2.0, "y": -3.0, "n": 3.0}.items() if uses(source, name)}
    assert parse(source, **values).data == pytest.approx(expected, rel=1e-15)


def uses(source: str, name: str) -> bool:
    """Return whether a formula has a variable: y is none of the letters of a function."""
    return re.search(rf"(?<![a-zA-Z]){name}(?![a-zA-Z0-9])", source.replace("ⁿ", " n")) is not None


def test_a_given_name_may_have_raised_signs_and_accents() -> None:
    assert parse("w¹·x + w¹₁", **{"w¹": 2, "w¹₁": 3, "x": 4}).data == 11.0
    assert parse("w¹·x", w=2, x=4).data == 8.0  # w to the power of 1
    y_hat = "y" + chr(0x302)
    assert parse(f"2·{y_hat}", ŷ=3).data == parse("2·ŷ", **{y_hat: 3}).data == 6.0


def test_two_names_that_are_one_are_refused() -> None:
    with pytest.raises(FormulaError) as caught:
        parse("w1 + x", x=1, w1=1, **{"w₁": 2})
    assert caught.value.one_line == "'w1' and 'w₁' are one name in \"w1 + x\""


def test_a_value_may_have_the_name_of_a_function_that_is_not_called() -> None:
    assert parse("(x - sum)/step", x=5, sum=1, step=2).data == 2.0


@pytest.mark.parametrize("word", ["lambda", "in", "is", "class", "for", "and", "if", "else", "await", "import"])
@pytest.mark.parametrize("form", ["{}*x", "x + {}", "{}", "({})**2"])
def test_a_word_of_python_s_is_called_so(word: str, form: str) -> None:
    source = form.format(word)
    given = {"x": 1.0} if "x" in source.replace(word, "") else {}
    expected = f'column {source.index(word) + 1}: {word!r} is a word of Python\'s in "{source}"; choose another name, '
    assert message(source, **{word: 2.0}, **given) == f"{expected}such as {word}_"


CASES = [
    pytest.param(primitive, n, id=f"{name}-{n}")
    for name, primitive in PRIMITIVES.items()
    for n in ((2, 3) if primitive.arity is None else (primitive.arity,))
]


@pytest.mark.parametrize(("primitive", "n"), CASES)
def test_the_table_s_printed_formulas_are_read_back(primitive: Primitive, n: int) -> None:
    rng = random.Random(primitive.name)
    names = [f"x{i}" for i in range(n)]
    symbols = [symbol(name) for name in names]
    formulas = [application(primitive, symbols), primitive.forward(text, *symbols)]
    formulas += primitive.derivatives(text, symbol("y"), *symbols)
    for _ in range(4):
        domains = [primitive.domain[min(i, len(primitive.domain) - 1)] for i in range(n)]
        point = [rng.uniform(max(low, -3.0), min(high, 3.0)) for low, high in domains]
        if primitive.name in BY_INDEX:
            point[0] = float(rng.randrange(n - 1))
        out = primitive.forward(floats, *point)
        expected = [out, out, *primitive.derivatives(floats, out, *point)]
        for formula, value in zip(formulas, expected, strict=True):
            printed = str(formula if isinstance(formula, Expression) else number(formula))
            given = {name: x for name, x in zip([*names, "y"], [*point, out], strict=True) if uses(printed, name)}
            assert parse(printed, **given).data == pytest.approx(value, rel=1e-13, abs=1e-15, nan_ok=True), printed


@given(st.randoms(use_true_random=False))
def test_a_printed_formula_is_read_back_as_the_same_number(rng: random.Random) -> None:
    values = {name: rng.choice([0.0, 1.0, -1.0, rng.uniform(-3, 3), 1e-7, -2e9]) for name in ("x", "y", "z₁", "w¹")}

    def tree(depth: int) -> tuple[Expression, float]:
        if depth == 0 or rng.random() < 0.2:
            name = rng.choice([*values])
            constant = rng.choice([2.0, -2.0, 0.5, -1.0, 1e-5, 1e22, rng.uniform(-3, 3)])
            return (symbol(name), values[name]) if rng.random() < 0.7 else (number(constant), constant)
        primitive = rng.choice([*PRIMITIVES.values()])
        parts = [tree(depth - 1) for _ in range(primitive.arity or rng.choice([2, 3]))]
        if primitive.name in BY_INDEX:
            parts[0] = (number(0.0), 0.0)
        formulas, numbers = [formula for formula, _ in parts], [value for _, value in parts]
        written = rng.choice([application(primitive, formulas), primitive.forward(text, *formulas)])
        return written, primitive.forward(floats, *numbers)

    formula, value = tree(3)
    printed = str(formula)
    given = {name: x for name, x in values.items() if uses(printed, name)}
    read = parse(printed, **given).data
    assert read == pytest.approx(value, rel=1e-9, abs=1e-300, nan_ok=True), printed


# -------------------------------------------------------------------------------------------------- bad formulas

KNOWN = ", ".join(FUNCTIONS)
BARS = "write * to multiply; |x| is the absolute value"
UNNAMED = "write arguments without their names"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tanh(w*foo(x))", f"column 8: unknown function 'foo' in \"tanh(w*foo(x))\"; known: {KNOWN}"),
        ("tahn(x)", "column 1: unknown function 'tahn' in \"tahn(x)\"; did you mean 'tanh'?"),
        ("w*x + c", "column 7: no value for 'c' in \"w*x + c\"; values given: w, x"),
        ("w*x + wx", "column 7: no value for 'wx' in \"w*x + wx\"; did you mean 'x'?"),
        ("x.data", 'column 1: unexpected attribute, a name after a dot, in "x.data"'),
        ("x.real(2)", 'column 1: unexpected attribute, a name after a dot, in "x.real(2)"'),
        ("1 + x[0]", 'column 5: unexpected index in square brackets in "1 + x[0]"'),
        ("lambda: x", 'column 1: unexpected lambda in "lambda: x"'),
        ("x + 'a'", "column 5: unexpected text in quotes in \"x + 'a'\"; write a real number"),
        ("f'{x}'", "column 1: unexpected text in quotes in \"f'{x}'\""),
        ("x + 2j", 'column 5: unexpected complex number in "x + 2j"; write a real number'),
        ("x + True", 'column 5: unexpected True in "x + True"; write a real number'),
        ("exp(x=1)", "column 1: unexpected argument by name for 'exp' in \"exp(x=1)\"; " + UNNAMED),
        ("tanh(x, w)", 'column 1: tanh takes 1 argument, got 2, in "tanh(x, w)"'),
        ("1 + tanh()", 'column 5: tanh takes 1 argument, got 0, in "1 + tanh()"'),
        ("elu(x, 1, 2)", 'column 1: elu takes 1 or 2 arguments, got 3, in "elu(x, 1, 2)"'),
        ("max()", 'column 1: maximum takes 1 or more arguments, got 0, in "max()"'),
        ("dot(w,x)", 'column 1: dot of something else than two lists in "dot(w,x)"; as in dot([w1, w2], [x1, x2], b)'),
        ("max([])", "column 1: wrong arguments of 'maximum' (maximum of nothing has no value; expected at least one "
                    'operand) in "max([])"'),
        ("x^^2", 'column 3: unexpected \'^\' in "x^^2"'),
        ("w*(x) // 2", 'column 7: unknown operator \'//\' in "w*(x) // 2"; known: + - * / **'),
        ("²x", "column 1: unexpected '²' in \"²x\"; a power stands behind its base, as in x²"),
        ("x + ²", "column 5: unexpected '²' in \"x + ²\"; a power stands behind its base, as in x²"),
        ("x²^3", 'column 3: a power of a power in "x²^3"; put the first one into brackets, as in (x²)³'),
        ("x² ³", 'column 4: a power of a power in "x² ³"; put the first one into brackets, as in (x²)³'),
        ("sin²(x)", "column 4: a power of the function 'sin' itself in \"sin²(x)\"; write sin(x)²"),
        ("√x²", 'column 3: √ and a power without brackets in "√x²"; write √(x²), or √(x)²'),
        ("√|x|**2", 'column 5: √ and a power without brackets in "√|x|**2"; write √(x²), or √(x)²'),
        ("1 + √", 'column 5: √ of nothing in "1 + √"; write √(…)'),
        ("√ + x", 'column 1: √ of nothing in "√ + x"; write √(…)'),
        ("|x", "column 1: '|' was never closed in \"|x\""),
        ("(|x)", "column 2: '|' was never closed in \"(|x)\""),
        ("|tanh(x|", "column 6: '(' was never closed in \"|tanh(x|\""),
        ("x | w", "column 3: unknown operator '|' in \"x | w\"; " + BARS),
        ("|x||w|", "column 4: unknown operator '|' in \"|x||w|\"; " + BARS),
        ("|x|w", 'column 4: something missing between two factors in "|x|w"; write * to multiply, as in 2*x'),
        ("2½", 'column 2: something missing between two factors in "2½"; write * to multiply, as in 2*x'),
        ("2√x", 'column 2: something missing between two factors in "2√x"; write * to multiply, as in 2*x'),
        ("2₁", "column 2: unexpected '₁' in \"2₁\"; an index stands behind a name, as in w₁"),
        ("x·y + foo(x)", "column 3: no value for 'y' in \"x·y + foo(x)\"; values given: x"),
        ("√x·foo(x)", f"column 4: unknown function 'foo' in \"√x·foo(x)\"; known: {KNOWN}"),
        ("|x|² + √(x)·c", "column 13: no value for 'c' in \"|x|² + √(x)·c\"; values given: x"),
        ("2x", 'column 1: something missing between two factors in "2x"; write * to multiply, as in 2*x'),
        ("w x", 'column 3: something missing between two factors in "w x"; write * to multiply, as in 2*x'),
        ("x(2)", "column 1: 'x' is a number and no function in \"x(2)\"; write x*(…) to multiply"),
        ("2(x)", 'column 1: no function before a bracket in "2(x)"; write * to multiply'),
        ("y = x", "column 3: unexpected '=' in \"y = x\"; write only what is to be computed"),
        ("x +", 'column 4: an unfinished formula in "x +"'),
        ("tanh(x", "column 5: '(' was never closed in \"tanh(x\""),
        ("x)", "column 2: unmatched ')' in \"x)\""),
        ("x # y", "column 3: unexpected '#' in \"x # y\""),
        ("", 'nothing to compute in ""'),
        ("tanh", "column 1: the function 'tanh' without an argument in \"tanh\"; write tanh(…)"),
        ("x > 0", 'column 1: a comparison stands only first in where in "x > 0"; as in where(x > 0, x, 0)'),
        ("where(x != 0, 1, 2)", 'column 7: unknown comparison in "where(x != 0, 1, 2)"; known: < <= > >= =='),
        ("where(x ≠ 0, 1, 2)", 'column 7: unknown comparison in "where(x ≠ 0, 1, 2)"; known: < <= > >= =='),
        ("where(0<x<1, 1, 2)", 'column 7: two comparisons at once in "where(0<x<1, 1, 2)"; compare two numbers'),
        ("x if w else 2", 'column 1: unexpected if in "x if w else 2"; write where(condition, a, b)'),
        ("[x]", f'column 1: unexpected list outside of {", ".join(_TAKES_LISTS)} in "[x]"'),
        ("√(2π)", "column 4: something missing between two factors in \"√(2π)\"; write * to multiply, as in 2*x"),
        ("(sin x)", 'column 6: missing brackets in "(sin x)"; write sin(x)'),
        ("w*()", 'column 3: nothing between the brackets in "w*()"'),
        ("x, w", 'column 1: unexpected comma outside of a function in "x, w"'),
        ("max(*[x])", 'column 5: unexpected * before an argument in "max(*[x])"'),
        ("(y := x)", 'column 2: unexpected assignment in "(y := x)"'),
        ("1e999", 'column 1: too large a number in "1e999"; the largest is about 1.8e308'),
        ("  é + ß", "column 3: no value for 'é' in \"  é + ß\"; values given: none"),
        ("x\0", 'a character that isn\'t text in "x\0"'),
    ],
)  # fmt: skip
def test_what_is_said(source: str, expected: str) -> None:
    used = {
        name: value
        for name, value in VALUES.items()
        if name in source.replace("max", "").replace("exp(x=", "").replace("where", "")
    }
    assert message(source, **used) == expected


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('true')",
        "x.__class__",
        "(lambda: 1)()",
        "[i for i in x]",
        "exec('1')",
        "max(i for i in x)",
        "not x",
        "~x",
        "x and x",
        "...",
        "b'x'",
        "{x: 1}",
        "await x",
        "\ud800",
    ],
)
def test_nothing_else_gets_in(source: str) -> None:
    with pytest.raises(FormulaError):
        parse(source, x=1)


@pytest.mark.parametrize("source", ["(" * 300 + "x" + ")" * 300, "-" * 20_000 + "x", "x" + "+x" * 50_000])
def test_monsters_are_refused_in_a_line(source: str) -> None:
    line = message(source, x=1)
    assert line.startswith("too many operations inside one another in ")
    assert len(line) < 120


@pytest.mark.parametrize("step", ["()", ".a", "[0]", "·x", "%x", "@x", "<<x", "//x", "-x", "*(x)", "+0.5"])
def test_a_chain_is_refused_before_python_dies_of_it(step: str) -> None:
    """As Python 3.10 does, without a word, of 200,000 operations, and others at other lengths or not at all."""
    assert message("x" + step * 6_000, x=1).startswith("too many operations inside one another in ")


def test_a_long_list_of_arguments_is_no_chain() -> None:
    assert parse(f"sum({'x+x,' * 6_000}x)", x=1.0).data == 12_001.0


def test_a_number_of_thousands_of_digits() -> None:
    assert "too large a number" in message("9" * 5000)


def test_a_value_that_is_not_used() -> None:
    assert message("w*x", w=1, x=2, z=3) == "a value was given for 'z', which isn't in \"w*x\"; it uses w, x"
    assert message("3", z=3) == "a value was given for 'z', which isn't in \"3\"; it uses no names"
    assert "did you mean 'alpha'?" in message("alpha", alpha=1, alpah=2)


def test_a_value_for_the_name_of_a_function() -> None:
    assert message("exp(x)", x=1, exp=2) == "'exp' is a function and can't be given a value in \"exp(x)\""


def test_a_value_that_is_no_number() -> None:
    with pytest.raises(TypeError, match="expected a real number, got str"):
        parse("x", x="two")


def test_the_caret_points_at_the_place() -> None:
    with pytest.raises(FormulaError) as caught:
        parse("w*é + foo(w)", w=1, é=2)
    assert caught.value.column == 7
    assert str(caught.value).splitlines()[1:] == ["  w*é + foo(w)", "        ^"]


def test_the_caret_in_a_long_formula() -> None:
    with pytest.raises(FormulaError) as caught:
        parse("x + " * 50 + "foo(x)" + " + x" * 50, x=1)
    _, excerpt, pointer = str(caught.value).splitlines()
    assert excerpt[pointer.index("^") :].startswith("foo(x)")
    assert len(excerpt) < 80


def test_the_error_is_a_value_error_that_can_be_pickled() -> None:
    with pytest.raises(ValueError, match="unknown function 'foo'") as caught:
        parse("foo(x)", x=1)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_explained_like_any_other_graph() -> None:
    root = parse("w*x", w=0.5, x=2)
    assert "∂L/∂w = 1·2" in str(ag.explain(root.parents[0], root))


@pytest.mark.parametrize(
    ("formula", "hint"), [("sin x", "sin(x)"), ("2*tanh x + 1", "tanh(x)"), ("ln 2", "ln(2)"), ("sin cos(x)", "sin(…)")]
)
def test_a_function_without_brackets_is_told_how_to_write_them(formula, hint):
    with pytest.raises(FormulaError) as caught:
        parse(formula, x=1.0)
    assert (caught.value.problem, caught.value.hint) == ("missing brackets", f"write {hint}")


def test_a_sum_may_have_as_many_terms_as_python_reads():
    assert parse(" - ".join(["2*x"] * 800), x=1.0).data == -1596.0


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("tanh(w*x + b)", ["w", "x", "b"]),
        ("log(1+exp(-y*(w1*x1+w2*x2+b)))", ["y", "w1", "x1", "w2", "x2", "b"]),
        ("√(x²+1) + e + π", ["x"]),
        ("where(c > 0, x, |y|)", ["c", "x", "y"]),
        ("w₁·x + w1", ["w1", "x"]),
        ("2 + 3", []),
        ("tanh(tanh)", []),
        ("f(a)", ["a"]),
    ],
)
def test_the_names_in_a_formula_are_those_that_need_values(source, names):
    assert names_in(source) == names


@pytest.mark.parametrize("source", ["x +", "", "x # y", "(" * 5000 + "x" + ")" * 5000, "-" * 20000 + "x"])
def test_names_of_what_is_no_formula_are_an_error(source):
    with pytest.raises(FormulaError):
        names_in(source)


@pytest.mark.parametrize("source", ["1" * 310, "1" * 4000, "1e999", "x*" + "9" * 400])
def test_a_number_that_no_float_can_hold_is_said_to_be_too_large(source):
    with pytest.raises(FormulaError, match="too large a number"):
        parse(source, **{"x": 1.0} if "x" in source else {})
