"""The reading on formulas: every rule prints itself in three styles; as Python it computes the same numbers."""

import inspect
import math
import random

import numpy as np
import pytest

from autograd_mini.engine import arrays as array
from autograd_mini.engine import floats
from autograd_mini.engine.primitives import PRIMITIVES, find
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, call, format_number, latex_name, latex_number, number, symbol

STYLES = ("text", "python", "latex")
CASES = [
    pytest.param(primitive, n, id=f"{name}-{n}")
    for name, primitive in PRIMITIVES.items()
    for n in ((1, 2, 3, 5) if primitive.arity is None else (primitive.arity,))
]


def names(primitive, n):
    parameters = list(inspect.signature(primitive.forward).parameters)[1:]
    return parameters if len(parameters) == n and primitive.arity is not None else [f"x{i + 1}" for i in range(n)]


def formulas(primitive, n):
    """The forward rule and the local derivatives, as expressions (or as bare numbers where they are constant)."""
    symbols = [symbol(name) for name in names(primitive, n)]
    found = [primitive.forward(text, *symbols), *primitive.derivatives(text, symbol("y"), *symbols)]
    return [f if isinstance(f, Expression) else number(f) for f in found]


def evaluate(written, variables):
    """Evaluate Python text by the functions of `arrays`."""
    return eval(compile(written, "formula", "eval"), {**vars(array), "abs": abs, "float": float}, variables)


@pytest.mark.parametrize(("primitive", "n"), CASES)
@pytest.mark.parametrize("style", STYLES)
def test_every_rule_prints_in_every_style(primitive, n, style):
    for formula in formulas(primitive, n):
        written = formula.render(style)
        assert written
        assert "object at" not in written
        assert "<" not in written or style != "latex" or " < " in written
        for bracket in ("()", "{}", "[]"):
            if style != "latex" or bracket == "{}":
                assert written.count(bracket[0]) == written.count(bracket[1]), written
        assert written.count("\\left") == written.count("\\right")


@pytest.mark.parametrize(("primitive", "n"), CASES)
def test_the_python_text_evaluated_over_arrays_gives_the_same_numbers(primitive, n):
    rng = random.Random(primitive.name)
    for point in points(primitive, n, rng):
        out = primitive.forward(floats, *point)
        want = [out, *primitive.derivatives(floats, out, *point)]
        variables = {name: np.float64(x) for name, x in zip(names(primitive, n), point, strict=True)}
        variables["y"] = np.float64(out)
        for formula, number_wanted in zip(formulas(primitive, n), want, strict=True):
            written = formula.render("python")
            with np.errstate(all="ignore"):
                got = evaluate(written, variables)
            assert float(got) == pytest.approx(number_wanted, rel=1e-13, abs=1e-14, nan_ok=True), (written, point)


def points(primitive, n, rng):
    drawn = []
    for _ in range(12):
        point = []
        for i in range(n):
            low, high = primitive.domain[min(i, len(primitive.domain) - 1)]
            point.append(rng.uniform(max(low, -3.0), min(high, 3.0)))
        drawn.append(tuple(point))
    ties = [
        (1.0,) * n,
        (0.0,) * n,
        (-1.0,) * n,
        (0.0, *(2.0,) * (n - 1)),
        (2.0, *(0.0,) * (n - 1)),
        (-2.0, *(3.0,) * (n - 1)),
    ]
    return drawn + ties


@pytest.mark.parametrize(
    ("name", "style", "written"),
    [
        ("mul", "text", ["a·b", "b", "a"]),
        ("mul", "latex", ["a \\cdot b", "b", "a"]),
        ("div", "text", ["a/b", "1/b", "-(y/b)"]),
        ("div", "latex", ["\\frac{a}{b}", "\\frac{1}{b}", "-\\frac{y}{b}"]),
        ("div", "python", ["a / b", "1.0 / b", "-(y / b)"]),
        ("sqrt", "text", ["√(a)", "0.5/y"]),
        ("sqrt", "latex", ["\\sqrt{a}", "\\frac{0.5}{y}"]),
        ("sigmoid", "text", ["σ(a)", "y·σ(-a)"]),
        ("sigmoid", "latex", ["\\sigma\\left(a\\right)", "y \\cdot \\sigma\\left(-a\\right)"]),
        ("abs", "text", ["|a|", "sign(a)"]),
        ("abs", "latex", ["\\left|a\\right|", "\\operatorname{sign}\\left(a\\right)"]),
        ("relu", "text", ["max(a, 0)", "[1 if a > 0 else 0]"]),
        ("relu", "python", ["maximum(a, 0.0)", "where(a > 0.0, 1.0, 0.0)"]),
        ("log1p", "text", ["log1p(a)", "1/(1 + a)"]),
        ("tan", "text", ["tan(a)", "1 + y·y"]),
        ("asin", "latex", ["\\arcsin\\left(a\\right)", None]),
    ],
)
def test_rules_print_as_a_textbook_would_write_them(name, style, written):
    primitive = find(name)
    for formula, expected in zip(formulas(primitive, primitive.arity), written, strict=True):
        assert expected is None or formula.render(style) == expected


A, B, C = symbol("a"), symbol("b"), symbol("c")


@pytest.mark.parametrize(
    ("expression", "python", "plain"),
    [
        (A - (B - C), "a - (b - c)", "a - (b - c)"),
        (A - B - C, "a - b - c", "a - b - c"),
        (A / (B * C), "a / (b * c)", "a/(b·c)"),
        (A * (B + C), "a * (b + c)", "a·(b + c)"),
        ((A + B) * C, "(a + b) * c", "(a + b)·c"),
        (A / (B / C), "a / (b / c)", "a/(b/c)"),
        ((-A) ** number(2.0), "(-a) ** 2.0", "(-a)²"),
        (-(A ** number(2.0)), "-a ** 2.0", "-a²"),
        ((A**B) ** C, "(a ** b) ** c", "(a^b)^c"),
        (A ** (B + C), "a ** (b + c)", "a^(b + c)"),
        (A ** number(-1.0), "a ** (-1.0)", "a⁻¹"),
        (A * number(-2.0), "a * (-2.0)", "a·(-2)"),
        (A + -B, "a + (-b)", "a + (-b)"),
        (2.0 - A, "2.0 - a", "2 - a"),
        (2.0 / A, "2.0 / a", "2/a"),
        (2.0 + A, "2.0 + a", "2 + a"),
        (abs(A - B), "abs(a - b)", "|a - b|"),
        (text.where(A >= 0.0, A, B) + C, "where(a >= 0.0, a, b) + c", "[a if a ≥ 0 else b] + c"),
    ],
)
def test_brackets_are_there_where_they_are_needed_and_only_there(expression, python, plain):
    assert expression.render("python") == python
    assert expression.render("text") == str(expression) == plain
    variables = {"a": np.float64(1.7), "b": np.float64(-0.6), "c": np.float64(2.0)}
    with np.errstate(all="ignore"):
        assert np.isscalar(float(evaluate(python, variables)))


@pytest.mark.parametrize("a", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("b", [-1.0, 0.0, 2.0])
def test_conditions_written_as_python_mean_what_they_say(a, b):
    variables = {"a": np.float64(a), "b": np.float64(b)}
    both = text.equal(A, 0.0) & (B >= 0.0)
    either = (A < 0.0) | text.equal(B, 0.0) | (A > B)
    assert evaluate(both.render("python"), variables) == (a == 0.0 and b >= 0.0)
    assert evaluate(either.render("python"), variables) == (a < 0.0 or b == 0.0 or a > b)
    assert evaluate((either & both).render("python"), variables) == ((a < 0 or b == 0 or a > b) and a == 0 and b >= 0)


def test_conditions_in_words_and_in_latex():
    condition = text.equal(A, 0.0) & (B >= 0.0) | (A > B)
    assert condition.render("text") == "a = 0 and b ≥ 0 or a > b"
    assert condition.render("latex") == "a = 0 \\land b \\ge 0 \\lor a > b"
    choice = text.where(A > 0.0, A, number(0.0))
    assert choice.render("latex") == "\\begin{cases} a & a > 0 \\\\ 0 & \\text{otherwise} \\end{cases}"


@pytest.mark.parametrize(
    ("value", "plain", "python", "latex"),
    [
        (2.0, "2", "2.0", "2"),
        (-0.5, "-0.5", "-0.5", "-0.5"),
        (1e-05, "1e-05", "1e-05", "1 \\cdot 10^{-5}"),
        (1e300, "1e+300", "1e+300", "1 \\cdot 10^{300}"),
        (math.inf, "inf", 'float("inf")', "\\infty"),
        (-math.inf, "-inf", 'float("-inf")', "-\\infty"),
        (math.nan, "nan", 'float("nan")', "\\mathrm{nan}"),
    ],
)
def test_numbers_print_without_needless_zeros_and_python_reads_them_back(value, plain, python, latex):
    expression = number(value)
    assert (str(expression), expression.render("python"), expression.render("latex")) == (plain, python, latex)
    assert evaluate(python, {}) == pytest.approx(value, rel=0, nan_ok=True)


def test_numbers_print_to_the_digits_that_are_asked_for():
    assert format_number(2 / 3, 3) == "0.667"
    assert str(number(2 / 3, 4)) == "0.6667"
    assert latex_number(123456789.0, 3) == "1.23 \\cdot 10^{8}"
    assert format_number(-0.0) == "0"


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"),
        ("w1", "w_{1}"),
        ("w_12", "w_{12}"),
        ("theta", "\\theta"),
        ("beta2", "\\beta_{2}"),
        ("loss", "\\mathrm{loss}"),
        ("net.bias", "\\mathrm{net.bias}"),
        ("a_b", "\\mathrm{a\\_b}"),
        ("50%", "\\mathrm{50\\%}"),
        ("{x}", "\\mathrm{\\{x\\}}"),
    ],
)
def test_names_in_latex(name, latex):
    assert latex_name(name) == latex
    assert symbol(name).render("latex") == latex


def test_a_name_may_bring_its_own_latex():
    assert symbol("dL", "\\partial L").render("latex") == "\\partial L"
    assert str(symbol("dL", "\\partial L")) == "dL"
    assert text.derivative("L", "w1").render("latex") == "\\frac{\\partial L}{\\partial w_{1}}"
    assert str(text.derivative("L", "w1")) == "∂L/∂w1"


def test_expressions_show_themselves_in_a_notebook():
    assert repr(A * B) == "<Expression a·b>"
    assert (A / B)._repr_latex_() == "$\\displaystyle \\frac{a}{b}$"


def test_functions_without_a_sign_of_their_own_are_written_upright_in_latex():
    assert call("leaky_relu", A).render("latex") == "\\operatorname{leaky\\_relu}\\left(a\\right)"
    assert call("tanh", A).render("latex") == "\\tanh\\left(a\\right)"


def test_the_empty_sum_is_0_and_a_sum_may_begin_with_a_number():
    assert str(text.sum([])) == "0"
    assert str(text.sum([1.0, A])) == "1 + a"


def test_a_formula_as_deep_as_a_graph_prints_without_recursion():
    deep = A
    for _ in range(20_000):
        deep = deep + B
    assert str(deep).count("+") == 20_000


def test_a_negative_number_is_bracketed_after_a_minus_sign():
    assert str(-text.number(-2.0)) == "-(-2)"
    assert str(text.symbol("a") - text.number(-2.0)) == "a - (-2)"


def test_a_power_of_ten_is_bracketed_before_an_exponent():
    assert (text.number(1e-5) ** text.number(2.0)).render("latex") == r"\left(1 \cdot 10^{-5}\right)^{2}"


def test_a_constant_is_called_by_its_number_in_latex():
    assert text.latex_name("2") == "2"
    assert text.latex_name("-1e-05") == r"-1 \cdot 10^{-5}"


def test_a_label_with_a_line_break_stays_on_one_line():
    assert str(text.symbol("two\nlines")) == "two lines"
