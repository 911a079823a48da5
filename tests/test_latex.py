"""`to_latex`: the derivation is that of the two passes, line by line, and is LaTeX whatever the labels are."""

import math
import re

import pytest

from autograd_mini import Value, backward_steps, exp, forward_steps, softmax, to_latex
from autograd_mini.engine.value import Constant

HOSTILE = ["a&b", "x_y^z", "\\end{aligned}", "}{", "$$", "100%", "#1", "~", "a\n\nb", "🎉", "x" * 200, "<script>"]


def neuron():
    w, x, b = Value(0.5, label="w"), Value(-2.0, label="x"), Value(0.1, label="b")
    return (w * x + b).tanh()


def test_every_node_has_a_line_forward_and_a_line_backward():
    derivation = to_latex(neuron())
    assert [line.split(" &= ")[0] for line in derivation.forward] == ["w", "x", "v_{1}", "b", "v_{2}", "L"]
    assert derivation.forward[2] == "v_{1} &= w \\cdot x = 0.5 \\cdot \\left(-2\\right) = -1"
    assert [line.split(" &= ")[0] for line in derivation.backward] == [
        r"\frac{\partial L}{\partial L}",
        r"\frac{\partial L}{\partial v_{2}}",
        r"\tanh'\left(v_{2}\right)",
        r"\frac{\partial L}{\partial b}",
        r"\frac{\partial L}{\partial v_{1}}",
        r"\frac{\partial L}{\partial x}",
        r"\frac{\partial (w \cdot x)}{\partial x}",
        r"\frac{\partial L}{\partial w}",
        r"\frac{\partial (w \cdot x)}{\partial w}",
    ]
    assert derivation.backward[2] == (
        r"\tanh'\left(v_{2}\right) &= 1 - L^{2} = 1 - \left(-0.716298\right)^{2} = 0.486917"
    )
    assert derivation.backward[0].endswith("&= 1")


def test_the_lines_are_those_of_the_records():
    root = neuron()
    derivation = to_latex(root)
    assert [line.replace(" &= ", " = ") for line in derivation.forward] == [s.latex() for s in forward_steps(root)]
    lines = [line for s in backward_steps(root) for line in [s.equation("latex"), *s.rules("latex")]]
    assert [line.replace(" &= ", " = ") for line in derivation.backward] == lines


def test_str_is_the_source_and_a_notebook_typesets_it():
    derivation = to_latex(neuron())
    source = str(derivation)
    assert source.startswith("\\begin{align*}\n")
    assert source.endswith("\n\\end{align*}")
    assert source.count("\\\\[4pt]\n") == len(derivation.forward) + len(derivation.backward) + 1
    assert derivation.latex() == source.replace("align*", "aligned")
    assert derivation._repr_latex_() == f"$$\n{derivation.latex()}\n$$"


def test_constants_stand_in_the_formulas_only():
    x = Value(-3.0, label="x")
    derivation = to_latex(2 * x**2)
    assert [line.split(" &= ")[0] for line in derivation.forward] == ["x", "v_{1}", "L"]
    assert "nan" not in str(derivation)


def test_a_shared_subexpression_is_derived_once():
    x = Value(0.5, label="x")
    e = exp(x)
    assert str(to_latex(e * e + e)).count("\\exp\\left") == 2  # in names and in numbers


@pytest.mark.parametrize("root", [Value(3.0), Constant(3.0), Value(2.0, label="2")])
def test_a_root_that_is_a_leaf(root):
    derivation = to_latex(root)
    (line,) = derivation.forward
    assert re.fullmatch(r"(L|2) &= [32]", line)
    assert len(derivation.backward) == 1


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_cannot_break_the_block(label):
    source = str(to_latex(Value(1.0, label=label) * Value(math.inf) + Value(math.nan)))
    assert source.count("\\begin{") == source.count("\\end{") == 1
    assert "\n\n" not in source
    unescaped = re.sub(r"\\[{}$&#_%]", "", source)
    assert unescaped.count("{") == unescaped.count("}")
    assert not set("$#%~") & set(unescaped)
    for line in source.splitlines()[1:-1]:
        assert re.sub(r"\\&", "", line).count("&") == 1


def test_names_come_from_variables():
    a = Value(2.0)
    assert to_latex(a * a, names={"a": a}).forward[0] == "a &= 2"


@pytest.mark.needs("matplotlib")
def test_matplotlib_can_typeset_every_line():
    from matplotlib import mathtext

    parser = mathtext.MathTextParser("path")
    x = Value(0.5, label="x")
    derivation = to_latex(softmax([x, x * x, exp(-x).sigmoid()])[0] / (x + 1).sqrt())
    for line in derivation.forward + derivation.backward:
        parser.parse(f"${line.replace('&', '')}$")


def test_something_else_than_a_value_is_refused():
    with pytest.raises(TypeError, match="expected the Value at the root of a graph, got 'x'"):
        to_latex("x")


def test_a_letter_that_formulas_do_not_have_is_in_text_and_blanks_stay():
    size, rate = Value(2.0, label="größe"), Value(3.0, label="learning rate")
    assert r"L &= \textrm{größe} \cdot \mathrm{learning\ rate} = 2 \cdot 3 = 6" in str(to_latex(size * rate))
