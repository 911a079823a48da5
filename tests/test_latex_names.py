"""Names as LaTeX: whatever a label is, pdflatex with amsmath alone and KaTeX typeset it."""

import itertools
import random
import unicodedata

import pytest

from autograd_mini.formulas.expression import call, derivative, latex_name, latex_text, named_call, number, symbol
from autograd_mini.formulas.letters import portable

LABELS = r"""
    θ1 ŷ x̄ x̃ ẋ w¹₁ λ x_1 é 100% a&b # $ \ { } ^ ~ ' " ` a_b_c_d x' x′ L'' θ′₁ x₁' Γ Θ ϵ ε ϑ ϕ ϖ ϱ ς Α Ω ℒ ℓ ∂ ∇ ∞ ℝ 𝐖 𝒩
    дом 中 学习率 한 🎉 x²' x'² xᵢ wᵢⱼ Wᵀ θᵏ⁺¹ θᵏ⁺¹₂ x²ᵢ größe Größe_ŷ θ中 Δw ΔŴ ½ x₍₂₎ x'₍₂₎ x1'₍₂₎ ∂L/∂θ a--b a''b ?`
    ′₁ <script> a<b>c|d î ǎ ẽ x̄_mean µ Å ① a① ﬁ x→y _ __ _1 1_ loss_1 x_i ١ ² ₂ x.y a.1 W.ŷ₁ x̣ ŷ₁ ẑ² 'a “q” — ϰ √x w^1_2
    \end{aligned} \frac \input }{ %% $$ ~~ ^^M €5 -1e-05 1e400 ǻ ĳ ß œuvre Łódź Ąę đ ª º 3D x,y f(x) [0] y-t x*w+b <= :=
""".split()
LABELS += [
    "",
    " ",
    "a b",
    "  a",
    "a\n\nb",
    "a\x00b",
    "\x7f",
    "\u200b",
    "\ufeff",
    "\ud800",
    "x" * 200,
    "\u0302",
    "x\u0301\u0302",
]
TRIPLES = ["".join(pair) for pair in itertools.product("xŷ'²ᵢ", repeat=3)]


CHANCE = random.Random(0)
SIGNS = sorted({*"".join(LABELS), "\u0327", "\u20d7"})
MIXED = ["".join(CHANCE.choices(SIGNS, k=CHANCE.randint(2, 6))) for _ in range(600)]


def shown(label):
    """All that is written of a label: in a product, a power and an index, as a function's name, and in words."""
    x = symbol(label)
    formulas = [x * x ** number(2.0) / x, derivative("L", label), named_call(label, x), call(f"d{label}′", x)]
    inside = f"x_{{{latex_name(label)}}} {latex_text(label)} "
    return portable(inside + " ".join(part.render("latex") for part in formulas))


@pytest.mark.parametrize(
    ("label", "latex"),
    [
        ("θ1", r"\theta_{1}"),
        ("theta_1", r"\theta_{1}"),
        ("ŷ", r"\hat{y}"),
        ("y\u0302", r"\hat{y}"),
        ("ŷ1", r"\hat{y}_{1}"),
        ("x̄", r"\bar{x}"),
        ("x̃", r"\tilde{x}"),
        ("ẋ", r"\dot{x}"),
        ("ẍ₂", r"\ddot{x}_{2}"),
        ("î", r"\hat{\imath}"),
        ("w¹₁", "w^{(1)}_{1}"),
        ("é", r"\acute{e}"),
        ("x'", "x'"),
        ("x′", "x'"),
        ("θ''", r"\theta''"),
        ("x1'₍₂₎", "{x_{1}'}_{(2)}"),
        ("Δ", r"\Delta"),
        ("Delta", r"\Delta"),
        ("Β", r"\mathrm{B}"),
        ("ε", r"\varepsilon"),
        ("ϵ", r"\epsilon"),
        ("ϑ", r"\vartheta"),
        ("ℒ", r"\mathcal{L}"),
        ("ℝ", r"\mathbf{R}"),
        ("∇", r"\nabla"),
        ("Δw", r"\mathrm{\Delta w}"),
        ("∂L/∂θ", r"\mathrm{\partial L/\partial\theta}"),
        ("xᵢ", "x_{i}"),
        ("θᵏ⁺¹", r"\theta^{k+1}"),
        ("wᵢⱼ²", "w_{ij}^{2}"),
        ("100%", r"\mathrm{100\%}"),
        ("a&b", r"\mathrm{a\&b}"),
        ("größe", r"\textrm{größe}"),
        ("中", r"\textrm{U+4E2D}"),
        ("学习", r"\textrm{U+5B66 U+4E60}"),
        ("θ中", r"{\theta\textrm{U+4E2D}}"),
        ("a\n\nb", r"\mathrm{a\ b}"),
    ],
)
def test_a_label_is_written_as_mathematics_writes_it(label, latex):
    assert portable(latex_name(label)) == latex


def test_a_notebook_shows_the_letters_that_latex_does_not_have():
    assert latex_name("学习") == r"\textrm{学习}"
    assert latex_text("größe 中, θ = 1") == r"{\text{größe 中, }\theta\text{ = 1}}"


@pytest.mark.parametrize("label", LABELS)
def test_only_letters_that_latex_has_are_left(label):
    latex = shown(label)
    assert all(c.isascii() or unicodedata.category(c)[0] == "L" for c in latex), latex
    assert not set(latex) & set("\n\r\t\x00"), latex


SOME_OR_ALL = pytest.mark.parametrize(
    "labels",
    [pytest.param(LABELS, id="some"), pytest.param(LABELS + TRIPLES + MIXED, id="all", marks=pytest.mark.slow)],
)


@SOME_OR_ALL
@pytest.mark.needs("katex", "node")
def test_katex_typesets_every_label(katex, labels):
    assert katex([shown(label) for label in labels]) == []


@SOME_OR_ALL
@pytest.mark.needs("pdflatex")
def test_pdflatex_with_amsmath_alone_typesets_every_label(pdflatex, labels):
    assert pdflatex("\n".join(f"\\setbox0\\hbox{{${shown(label)}$}}" for label in labels) + "\nThe end.") == []


@pytest.mark.slow
@pytest.mark.needs("katex", "node", "pdflatex")
def test_every_character_of_the_basic_plane_is_typeset(katex, pdflatex):
    characters = [chr(c) for c in range(0x10000) if not 0x3400 < c < 0xF900]  # without the Chinese ones and the like
    formulas = [portable(latex_name(f"{c}{end}")) for c in characters for end in ("", "a")]
    assert katex(formulas) == []
    assert pdflatex("\n\n".join(f"${formula}$" for formula in formulas)) == []
