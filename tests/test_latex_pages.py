"""Derivations on paper: pdflatex with amsmath alone typesets them, and no line is too long.

KaTeX is given the same. The examples are those of the lectures, networks, and what makes a line long.
"""

import random
import re

import pytest

from autograd_mini import (
    Value,
    derivative_table,
    dot,
    explain,
    forward_steps,
    log,
    logsumexp,
    operation,
    sigmoid,
    softmax,
    tanh,
    to_latex,
)
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.engine.value import apply
from autograd_mini.formulas.typeset import TEXT_WIDTH, aligned, width
from autograd_mini.lectures import scalar_chain, shared_network, three_function_chain
from autograd_mini.nn import MLP, losses


def leaves(*labels):
    numbers = random.Random(0)
    return [Value(round(numbers.uniform(-1, 1), 4), label=label) for label in labels]


def neuron():
    w, x, b = leaves("w", "x", "b")
    return tanh(w * x + b)


def two_layers():
    w1, x, b1, w2, b2 = leaves("w¹", "x", "b¹", "w²", "b²")
    a = tanh(w1 * x + b1)
    ŷ = sigmoid(w2 * a + b2)
    a.label, ŷ.label = "a", "ŷ"
    loss = -(Value(1.0, label="y") * log(ŷ) + 0 * log(1 - ŷ))
    loss.label = "ℓ"
    return loss


def diamond():
    (x,) = leaves("θ")
    return (x * x) * tanh(x) + x / (x - 3) ** 2


def network(*sizes):
    model = MLP(sizes[0], list(sizes[1:]), "tanh", rng=0)
    return losses.squared_error(model([0.5 + i for i in range(sizes[0])]), 1.0)


def classifier():
    logits = MLP(2, [3, 3], "relu", rng=1)([1.0, -2.0])
    return losses.cross_entropy(logits, 2)


def old():
    root = neuron()
    root.parents[0].parents[1].data = 3.0
    return root


def own():
    longest = operation("a_function_with_a_name", lambda xp, a, b, c: a * b + c, lambda xp, out, a, b, c: (b, a, 1.0))
    return longest(*leaves("première", "zweite", "третья")) * 2


EXAMPLES = {
    "neuron": neuron,
    "two layers": two_layers,
    "h3(h2(h1(x)))": lambda: three_function_chain(2.0, 0.5, 3.0, -1.0, activation="tanh").outputs[-1],
    "chain": lambda: scalar_chain(4, weight=2.0, activation="sigmoid", x=1.5).y,
    "shared network": lambda: shared_network(layers=2, width=4).y,
    "diamond": diamond,
    "2-3-1": lambda: network(2, 3, 1),
    "3-5-1": lambda: network(3, 5, 1),
    "cross-entropy": classifier,
    "softmax": lambda: softmax(leaves(*[f"z{i}" for i in range(1, 7)]))[1],
    "log-sum-exp of many": lambda: logsumexp(leaves(*[f"logit{i}" for i in range(40)])),
    "a long sum": lambda: sum(leaves(*[f"term_{i}" for i in range(30)]), Value(1e-12)),
    "a long dot product": lambda: dot(leaves(*[f"w{i}" for i in range(25)]), leaves(*[f"x{i}" for i in range(25)])),
    "marks": lambda: (lambda x: x * x + x / x + dot([x, x, x], [x, x, x]))(*leaves("ẋ")),
    "labels": lambda: dot(leaves(*"θ1 ŷ w¹₁ λ x_1 é 100% a&b".split()), leaves(*"# $ \\ { } ^ ~ 学".split())),
    "sentences": lambda: dot(leaves("the rate of learning", "größe = 3"), leaves("a - b", "what is left of it")).relu(),
    "small numbers": lambda: dot([Value(1e-9 / 3)] * 6, [Value(-1e-300 / 7)] * 6).exp(),
    "older": old,
    "an operation of one's own": own,
    "a leaf": lambda: Value(2.0, label="2"),
}


FEW = ["neuron", "two layers", "labels", "sentences", "older", "a leaf"]
SOME_OR_ALL = pytest.mark.parametrize(
    "names", [FEW, pytest.param([*EXAMPLES], marks=pytest.mark.slow)], ids=["some", "all"]
)


def sources(names):
    """All that is written of examples for LaTeX; of all examples, and then of all operations too."""
    for name in names:
        root = EXAMPLES[name]()
        leaf = next(forward_steps(root)).node
        yield from (str(to_latex(root)), str(to_latex(root, of=leaf)))
        if name != "marks":  # of so many contributions that one formula is higher than a page
            yield explain(leaf, root).latex()
    for primitive in list(PRIMITIVES.values()) if len(names) == len(EXAMPLES) else []:
        operands = [Value(v, label=f"u{i}₍₂₎") for i, v in enumerate([0.25, 0.75, 0.5][: primitive.arity or 3])]
        yield str(to_latex(apply(primitive, *operands)))


@SOME_OR_ALL
@pytest.mark.needs("pdflatex")
def test_pdflatex_with_amsmath_alone_typesets_every_derivation_and_no_line_is_too_long(pdflatex, names):
    found = [f"\\[{one}\\]" if one.startswith("\\begin{aligned}") else one for one in sources(names)]
    assert pdflatex("\n\n".join(found)) == []


@SOME_OR_ALL
@pytest.mark.needs("katex", "node")
def test_katex_typesets_every_derivation(katex, names):
    assert katex(sources(names)) == []


@pytest.mark.needs("pdflatex")
def test_a_derivation_breaks_over_pages(pdflatex):
    source = str(to_latex(network(2, 3, 1)))
    assert "Overfull" not in "".join(pdflatex(source)), "no page is too full"
    assert source.count("align*") == 2
    assert pdflatex(f"{source}\\clearpage\\ifnum\\value{{page}}<4\\errmessage{{too few pages}}\\fi") == []


@pytest.mark.needs("pdflatex")
def test_the_table_of_derivatives_is_typeset(pdflatex):
    assert pdflatex(f"\\setbox0\\hbox{{${derivative_table('latex')}$}}Here.") == []


@SOME_OR_ALL
@pytest.mark.needs("pdflatex")
def test_widths_are_at_least_those_of_tex(pdflatex, names):
    found = [to_latex(EXAMPLES[name]()) for name in names]
    lines = [line for derivation in found for line in [*derivation.forward, *derivation.backward]]
    lines = [line.replace("&=", "=") for line in dict.fromkeys(lines) if "学" not in line and "т" not in line]
    boxes = [f"\\hbox to {width(line) - 4:.2f}pt{{$\\displaystyle {line}$}}" for line in lines]
    assert pdflatex("\n\n".join(boxes)) == []


@pytest.mark.parametrize("name", [*FEW, "2-3-1", "3-5-1"])
def test_no_row_is_wider_than_a_page_by_our_own_measure(name):
    source = str(to_latex(EXAMPLES[name]()))
    lines = re.sub(r"\\\\(\[4pt\])?\n", "\n", source).splitlines()[1:-1]
    rows = [re.split(r"(?<!\\)&", line, maxsplit=1) for line in lines]
    left = max(width(row[0]) for row in rows)
    assert [right for _, right in rows if left + width(right) > TEXT_WIDTH] == []


@SOME_OR_ALL
def test_breaking_leaves_out_nothing(names):
    for name in names:
        derivation = to_latex(EXAMPLES[name]())
        lines = [line.replace("&=", "=") for line in [*derivation.forward, *derivation.backward]]
        found = aligned(lines, between="NEXT").removeprefix("\\begin{aligned}").removesuffix("\\end{aligned}")
        for line, rows in zip(lines, found.split("NEXT"), strict=True):
            in_order = sorted if "\\frac{\\partial}{" in rows else str  # the fraction stands before what it is of
            assert in_order(plain(rows)) == in_order(plain(line))


def plain(latex):
    """A formula without blanks, alignment, line breaks, and how large its brackets are."""
    latex = re.sub(r"(?<!\\)&", "", latex).replace("\\lvert", "|").replace("\\rvert", "|")
    for sign in ("\\\\", "\\quad", "{}", "\\left", "\\right", "\\text{", "\\textrm{", "}", " ", "\n"):
        latex = latex.replace(sign, "")
    return latex
