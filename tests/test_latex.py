"""`to_latex`: the derivation is that of the two passes, line by line, and is LaTeX whatever the labels are."""

import math
import re

import pytest

from autograd_mini import Value, backward_steps, dot, exp, explain, forward_steps, softmax, to_latex
from autograd_mini.engine.value import Constant
from autograd_mini.explanations.names import node_names
from autograd_mini.formulas.expression import latex_name
from autograd_mini.nn import MLP

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


def lefts(lines):
    return [line.split(" &= ")[0] for line in lines]


def gradients(derivation):
    return [left for left in lefts(derivation.backward) if left.startswith(r"\frac{\partial L}")]


def test_of_some_leaves_only_what_is_computed_from_them_is_shown_in_the_order_of_the_passes():
    root = neuron()
    w, b = root.parents[0].parents[0].parents[0], root.parents[0].parents[1]
    for of in ([w, b], [b, w], (w, b, w), {w: 0, b: 1}, iter([b, w])):
        derivation = to_latex(root, of=of)
        assert lefts(derivation.forward) == ["w", "v_{1}", "b", "v_{2}", "L"]
        assert gradients(derivation) == [
            rf"\frac{{\partial L}}{{\partial {u}}}" for u in ("L", "v_{2}", "b", "v_{1}", "w")
        ]
    assert lefts(to_latex(root, of=b).forward) == ["b", "v_{2}", "L"]
    assert lefts(to_latex(root, of=root).forward) == ["L"]


@pytest.mark.parametrize("seed", range(5))
def test_of_some_leaves_shows_the_lines_of_the_whole_derivation(seed):
    model = MLP(2, [2, 1], "tanh", rng=seed)
    root = model([1.0, -2.0]) ** 2
    whole = to_latex(root)
    for of in ([model.layers[0].neurons[1].bias], model.layers[1].parameters(), model.parameters()):
        part = to_latex(root, of=of)
        assert [line for line in whole.forward if line in part.forward] == list(part.forward)
        assert [line for line in whole.backward if line in part.backward] == list(part.backward)
        asked = {rf"\frac{{\partial L}}{{\partial {latex_name(node_names(root)[u])}}}" for u in of}
        assert asked <= set(gradients(part))
        assert len(part.backward) < len(whole.backward)


def test_of_leaves_with_equal_labels_each_is_meant_by_itself():
    first, second = Value(2.0, label="x"), Value(3.0, label="x")
    assert lefts(to_latex(first * second, of=second).forward) == ["x_{(2)}", "L"]
    assert lefts(to_latex(first * second, of=first).forward) == ["x", "L"]


@pytest.mark.parametrize(
    ("of", "error", "message"),
    [
        ("w", TypeError, r"of: expected nodes of the graph of L, as in of=\[w, b\], got 'w'"),
        (["w"], TypeError, r"of: expected nodes of the graph of L, .* got 'w'"),
        (1.0, TypeError, r"got 1\.0"),
        ([], ValueError, r"of: expected nodes of the graph of L, .* got none"),
        ([Value(1.0, label="q"), Value(2.0)], ValueError, r"got q, Value\(data=2\.0, grad=0\.0\), which aren't in it"),
        (Value(1.0, label="q"), ValueError, r"got q, which isn't in it"),
        (
            [Value(float(i), label=f"q{i}") for i in range(9)],
            ValueError,
            r"got q0, q1, q2, q3, q4, …, which aren't in it",
        ),
    ],
)
def test_of_something_that_is_not_in_the_graph_is_refused_by_name(of, error, message):
    with pytest.raises(error, match=message):
        to_latex(neuron(), of=of)


def test_of_a_constant_is_refused():
    x = Value(3.0, label="x")
    root = x * 2
    with pytest.raises(ValueError, match="got 2: no derivatives are taken by constants"):
        to_latex(root, of=[x, root.parents[1]])


def test_a_label_with_an_equals_sign_is_not_taken_for_that_of_the_equation():
    derivation = to_latex(Value(2.0, label="größe = 3") * Value(1.0, label="ä & ö"))
    assert derivation.forward[:2] == (r"\textrm{größe = 3} &= 2", r"\textrm{ä \& ö} &= 1")


def test_a_high_derivation_may_break_over_pages_and_a_short_one_is_align_alone():
    x = Value(0.5, label="x")
    short, high = str(to_latex(x * x)), str(to_latex(sum((x**k for k in range(2, 12)), x)))
    assert short.startswith("\\begin{align*}\n")
    assert high.startswith("\\providecommand{\\allowdisplaybreaks}{}{\\allowdisplaybreaks\\begin{align*}\n")
    assert high.endswith("\n\\end{align*}}")


def test_a_long_line_is_broken_at_its_signs_and_the_parts_are_aligned():
    terms = [Value(float(i), label=f"term{i}") for i in range(12)]
    source = str(to_latex(dot(terms, terms), of=terms[0]))
    (start,) = [i for i, line in enumerate(source.splitlines()) if line.startswith("L &=")]
    rows = source.splitlines()[start : start + 4]
    assert all(row.startswith(("L &= ", "&= ", r"&\quad {} + ")) for row in rows), rows
    assert [row.endswith("[4pt]") for row in rows[:-1]] == [False] * 3, "an equation is kept together"


def test_what_latex_has_no_letter_for_is_shown_in_a_notebook_and_by_number_in_latex():
    x = Value(2.0, label="学")
    derivation, step, explanation = to_latex(x * x), next(forward_steps(x * x)), explain(x, x * x)
    for shown in (derivation, step, explanation):
        assert "学" in shown._repr_latex_()
        assert "学" not in shown.latex()
        assert "U+5B66" in shown.latex()
    assert "U+5B66" in str(derivation)
