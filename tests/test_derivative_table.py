"""The printed table of derivatives: every operation, in every style, from the rules themselves."""

import math
import re

import pytest

import autograd_mini as ag
from autograd_mini import check_gradients, derivative_table, grad
from autograd_mini.engine import floats
from autograd_mini.engine.primitives import PRIMITIVES, Primitive, register
from autograd_mini.engine.value import apply
from autograd_mini.explanations.local import local_name
from autograd_mini.explanations.table import _operand_names
from autograd_mini.formulas.expression import symbol


def rows(style):
    lines = derivative_table(style).splitlines()
    return {"text": lines, "markdown": lines[2:], "latex": lines[1:-1]}[style]


@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_every_operation_has_one_row_in_the_order_of_the_table(style):
    found = rows(style)
    assert len(found) == len(PRIMITIVES)
    for name, row in zip(PRIMITIVES, found, strict=True):
        if style == "text":
            assert row.split()[0] == name
        elif style == "markdown":
            assert row.startswith(f"| `{name}` | $y = ")
        else:
            assert row.startswith("\\text{" + name.replace("_", "\\_") + "} & y = ")


@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_every_row_gives_a_derivative_for_each_operand(style):
    between = ",  " if style == "text" else ",\\quad "
    for primitive, row in zip(PRIMITIVES.values(), rows(style), strict=True):
        operands = [symbol(name) for name in _operand_names(primitive)]
        for slot, part in enumerate(row.split(between)):
            assert f"{local_name(primitive, operands, slot).render(mode[style])} = " in part
        assert slot + 1 == (primitive.arity or 3), row


mode = {"text": "text", "markdown": "latex", "latex": "latex"}


def test_text_is_the_default_and_another_style_is_refused():
    assert derivative_table() == derivative_table("text")
    with pytest.raises(ValueError, match=r"expected style 'text', 'markdown' or 'latex', got 'html'"):
        derivative_table("html")


def test_markdown_is_a_table_of_three_columns():
    lines = derivative_table("markdown").splitlines()
    assert lines[:2] == ["| operation | value | local derivatives |", "|---|---|---|"]
    for line in lines[2:]:
        assert line.count("$") == 4
        cells = line.strip("| ").split(" | ")
        assert len(cells) == 3, line  # a | of |a| inside of a formula would cut the row in two


@pytest.mark.parametrize("style", ["markdown", "latex"])
def test_latex_braces_and_brackets_balance(style):
    for row in rows(style):
        assert row.count("{") == row.count("}"), row
        assert row.count("\\left") == row.count("\\right"), row
        assert row.count("\\begin") == row.count("\\end"), row
        assert row.isascii(), "signs that every LaTeX has"


@pytest.mark.parametrize(
    "line",
    [
        "mul          y = a·b                                  ∂(a·b)/∂a = b,  ∂(a·b)/∂b = a",
        "sub          y = a - b                                ∂(a - b)/∂a = 1,  ∂(a - b)/∂b = -1",
        "exp          y = exp(a)                               exp′(a) = y",
        "sigmoid      y = σ(a)                                 σ′(a) = y·(1 - y)",
        "tanh         y = tanh(a)                              tanh′(a) = 1 - y²",
        "sqrt         y = √(a)                                 ∂√(a)/∂a = 1/(2·y)",
        "pow          y = a^b                                  ∂(a^b)/∂a = b·a^(b - 1),  ∂(a^b)/∂b = y·log(a)",
        "atan         y = atan(a)                              atan′(a) = 1/(1 + a²)",
        "relu         y = max(a, 0)                            relu′(a) = [1 if a > 0 else 0]",
        "where        y = [a if condition else b]              ∂[a if condition else b]/∂condition = 0,  "
        "∂[a if condition else b]/∂a = [1 if condition else 0],  ∂[a if condition else b]/∂b = [0 if condition else 1]",
    ],
)
def test_rows_read_as_in_a_textbook(line):
    assert line in rows("text")


@pytest.mark.parametrize("name", [n for n, p in PRIMITIVES.items() if p.arity == 1 and p.smooth])
def test_the_printed_formulas_are_the_derivatives_they_claim_to_be(name):
    """Read a row back as Python, and hold its numbers against the table's."""
    row = rows("text")[list(PRIMITIVES).index(name)]
    formula = row[13:].split(" = ")[-1]
    formula = re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "**" + m[0].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")), formula
    )
    formula = formula.replace("·", "*").replace("^", "**").replace("√", "sqrt").replace("π", "pi")
    formula = re.sub(r"\|([^|]+)\|", r"abs(\1)", formula)
    functions = {n: getattr(ag, n) for n in ("exp", "cos", "sin", "cosh", "sinh", "log", "sqrt", "sigmoid")}
    functions |= {"σ": ag.sigmoid, "pi": math.pi}
    for a in (0.3, 0.8):
        y = PRIMITIVES[name].forward(floats, a)
        (want,) = PRIMITIVES[name].derivatives(floats, y, a)
        got = eval(formula, {"__builtins__": {"abs": abs}}, {**functions, "a": a, "y": y})
        assert got == pytest.approx(want, rel=1e-12), formula


def test_a_new_operation_appears_in_the_table_by_itself():
    cube = Primitive("third_power", "³", lambda xp, a: a * a * a, lambda xp, out, a: (3.0 * xp.power(a, 2.0),))
    register(cube)
    try:
        assert rows("text")[-1].split() == ["third_power", "y", "=", "a·a·a", "third_power′(a)", "=", "3·a²"]
        check_gradients(lambda x: apply(cube, x), 0.7)
        assert grad(grad(lambda x: apply(cube, x)))(2.0) == 12.0
    finally:
        del PRIMITIVES["third_power"]
