"""Pictures as TikZ: pages by pdflatex, and parts of other documents."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from autograd_mini import Parameter, Value, draw, step_through
from autograd_mini.cli.main import main
from autograd_mini.lectures import scalar_chain, shared_network, three_function_chain
from autograd_mini.nn import MLP
from autograd_mini.nn.losses import squared_error
from autograd_mini.views import renderers
from autograd_mini.views.tikz import written

HOSTILE = [
    "%", "#", "_", "\\", "{", "}", "$", "&", "^", "~", "é", "ŷ", "中", "😀", "ß", "a\nb", " ", "--", "?`", '"', "<|>",
    "−", "'", "′′", "f''", "100% of $x_1$", "größe 1", "θ₁", "w¹₂₁", "∂L/∂w", "a\\input{b}", "\\end{document}",
    "x" * 40, "x²", "½", "]", "[1]", ",",
]  # fmt: skip


def neuron():
    x, w, b = Value(2.0, label="x1"), Parameter(-3.0, label="w1"), Parameter(6.88, label="b")
    y = (x * w + b).tanh() ** 2
    y.label = "ŷ"
    y.backward()
    return y


def hostile(labels=HOSTILE):
    terms = [Value(1.0, label=label) * 2e-9 for label in labels]
    root = sum(terms[1:], terms[0])
    root.backward()
    return root


def typeset(path, body=None):
    """Run pdflatex on a file, or on a document with this body; return what is wrong and the size of the page."""
    if body is not None:
        path = path.with_name("document.tex")
        path.write_text(body, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", f"-jobname={path.stem}"]
    command.append(f"\\pdfobjcompresslevel=0 \\input {path.name} ")  # the size of the page can be read
    done = subprocess.run(command, cwd=path.parent, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    log = path.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    wrong = re.findall(r"^(?:! |Overfull|Missing character|Underfull|\(\\end occurred).*", log, flags=re.M)
    size = re.search(rb"/MediaBox \[([^\]]*)\]", path.with_suffix(".pdf").read_bytes())
    pages = re.search(r"Output written on .*? \((\d+) page", log, flags=re.S)
    return [*wrong, *["it failed"] * (done.returncode != 0)], int(pages[1]), [float(n) for n in size[1].split()[2:]]


def svg_size(drawing):
    return [
        float(part) for part in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing._own("svg").decode()).groups()
    ]


# ------------------------------------------------------------------------------------------------- the text


def test_names_numbers_and_shapes_are_those_of_the_picture(tmp_path):
    drawing = draw(neuron())
    path = drawing.save(tmp_path / "x.tex")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for part in ("$x_{1}$}", "$w_{1}$}", r"$\hat{y}$}", r"$\mathrm{tanh}$}", "{data $-3$}", "{$-3$}", "{grad $1$}"):
        assert part in text, f"{part} isn't in the TikZ"
    assert text.count(" ellipse [") == 4, "an operation is an ellipse"
    assert text.count("dash pattern") == 1, "the constant has a dashed outline"
    for id in re.findall(r'<g id="((?:node|op|edge|out)-[^"]*)"', drawing._own("svg").decode()):
        assert f"\n% {id}\n" in text, f"{id} isn't drawn"


def test_each_colour_is_defined_once_before_all_shapes():
    defined, shapes = draw(neuron()).pipe("tex").decode().split("\\path[use as bounding box]")
    names = re.findall(r"\\definecolor\{(\w+)\}\{HTML\}\{[0-9A-F]{6}\}", defined)
    assert len(set(names)) == len(names)
    assert "HTML" not in shapes
    assert set(re.findall(r"(?:draw=|fill=|autogradtext(?:\[[^]]*\])?\{)(\w+)", shapes)) == set(names)


def test_the_same_picture_is_the_same_file_whichever_renderer_there_is(tmp_path, monkeypatch):
    first = draw(neuron()).pipe("tex")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(renderers.VARIABLE, "dot")
    with open(draw(neuron()).save(tmp_path / "A.TEX"), "rb") as file:
        assert file.read() == first


@pytest.mark.parametrize(
    ("line", "latex"),
    [
        ("grad -2.5e-07", r"grad $-2.5 \cdot 10^{-7}$"),
        ("1·1.413", r"$1 \cdot 1.413$"),
        ("0.7078·(-3)", r"$0.7078 \cdot ( -3 )$"),
        ("a¹₁ 0.5, grad 0.2", r"$a^{(1)}_{1}$ $0.5$, grad $0.2$"),
        ("step 3 of 14: forward pass", "step $3$ of $14$: forward pass"),
        ("v3² = 1 - θ1", r"$v_{3} {{}^{2}}$ $=$ $1$ $-$ $\theta_{1}$"),
        ("tanh′(v1)", r"$\mathrm{tanh} {}' ( v_{1} )$"),
        ("3 × tanh", r"$3$ $\times$ tanh"),
        ("x-1", "$x - 1$"),
        ("100% {a_b}", r"$100 \text{\%}$ $\text{\{} \mathrm{a\_b} \text{\}}$"),
        ("", ""),
    ],
)
def test_a_line_of_words_numbers_and_formulas(line, latex):
    assert written(line) == latex


def test_a_picture_larger_than_a_page_of_tex_is_drawn_smaller():
    x = y = Value(1.0, label="x")
    for _ in range(34):
        y = y.tanh()
        y.label = "m" * 30
    drawing = draw(y)
    assert svg_size(drawing)[0] > 14_400, "the picture has to be too large for this test"
    text = drawing.pipe("tex").decode()
    assert "paperwidth=14400bp" in text
    assert max(map(float, re.findall(r"\d+\.\d+|\d+", text.split("use as bounding box")[1]))) <= 14_400
    assert x.grad == 0.0


def test_no_command_of_a_label_reaches_tex():
    text = draw(hostile()).pipe("tex").decode()
    assert "\\input{b}" not in text
    assert text.count("\\end{document}") == 1
    assert not re.search("[中😀]", text), "pdflatex has no letter for these"


def test_a_changed_drawing_and_a_scale_are_refused(tmp_path):
    drawing = draw(neuron())
    with pytest.raises(ValueError, match="only a PNG consists of pixels, not tex"):
        drawing.save(tmp_path / "a.tex", scale=2)
    with pytest.raises(ValueError, match=r"or its engine, was changed after draw\(\) .* save the drawing as \.pdf"):
        drawing.pipe("tex", engine="neato")
    drawing.node("added")
    with pytest.raises(ValueError, match=r"change the \.tex file instead"):
        drawing.save(tmp_path / "a.tex")
    assert os.listdir(tmp_path) == []


def test_a_picture_for_each_step(tmp_path):
    paths = step_through(neuron()).save_steps(tmp_path, format="tex")
    assert [path.name for path in paths][::13] == ["step-001.tex", "step-014.tex"]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert r"$\partial \hat{y} / \partial v_{3}$ $=$" in texts[8]
    assert len({re.search("paperwidth=.*", text)[0] for text in texts}) == 1, "the slides have to be of one size"


def test_the_command_line_writes_it(tmp_path):
    assert main(["draw", "x*w", "x=1", "w=2", "-o", str(tmp_path / "a.tex")]) == 0
    assert (tmp_path / "a.tex").read_text(encoding="utf-8").startswith("% Drawn by autograd_mini")
    assert main(["step", "x*w", "x=1", "w=2", "--figures", str(tmp_path / "b"), "--format", "tex"]) == 0
    assert len(os.listdir(tmp_path / "b")) == 6


# ------------------------------------------------------------------------------------------------- pdflatex


@pytest.mark.needs("pdflatex")
def test_by_itself_it_is_one_page_as_large_as_the_picture(tmp_path):
    drawing = draw(hostile(["100% of $x_1$", "é\n中", "\\{"]))
    drawing.save(tmp_path / "x.tex")
    wrong, pages, size = typeset(tmp_path / "x.tex")
    assert wrong == []
    assert pages == 1
    assert size == pytest.approx(svg_size(drawing), abs=0.1)


@pytest.mark.needs("pdflatex")
@pytest.mark.slow
def test_the_pictures_of_the_lectures_by_themselves_and_in_a_document(tmp_path):
    things = [neuron(), hostile(), MLP(2, [3, 1], rng=0), MLP(2, [30, 30, 1], rng=0), old(), *examples()]
    names = []
    for i, thing in enumerate(things):
        drawing = draw(thing)
        drawing.save(tmp_path / f"{i}.tex")
        wrong, pages, size = typeset(tmp_path / f"{i}.tex")
        assert (wrong, pages) == ([], 1), f"{i}: {thing!r}"
        assert size == pytest.approx(svg_size(drawing), abs=0.1)
        names.append(f"{i}.tex")
    folded = draw(examples()[-1], collapse="neuron")
    folded.save(tmp_path / "folded.tex")
    steps = step_through(neuron()).save_steps(tmp_path / "steps", format="tex")
    names += ["folded.tex", *[f"steps/{path.name}" for path in steps]]
    parts = "\n\n".join(f"\\noindent\\resizebox{{\\textwidth}}{{!}}{{\\input{{{name}}}}}\\newpage" for name in names)
    head = "\\documentclass{article}\\usepackage{tikz}"
    wrong, pages, _ = typeset(tmp_path / "a", f"{head}\\begin{{document}}\n{parts}\n\\end{{document}}\n")
    assert (wrong, pages) == ([], len(names))


@pytest.mark.needs("pdflatex")
@pytest.mark.slow
def test_a_slide_of_beamer(tmp_path):
    draw(neuron()).save(tmp_path / "x.tex")
    frame = "\\begin{frame}\\resizebox{\\textwidth}{!}{\\input{x}}\\end{frame}"
    head = "\\documentclass{beamer}\\usepackage{tikz}"
    wrong, pages, _ = typeset(tmp_path / "a", f"{head}\\begin{{document}}\n{frame}\n\\end{{document}}\n")
    assert (wrong, pages) == ([], 1)


def old():
    x = Value(2.0, label="x")
    y = x * 3.0
    x.data = 5.0
    return y


def examples():
    """The graphs of the lectures, and a network's loss."""
    loss = squared_error(MLP(2, [3, 1], "tanh", rng=0)([0.5, -1.0]), 1.0)
    chain = three_function_chain(2.0, 0.5, 3.0, -1.0, activation="tanh").outputs[-1]
    return [
        chain,
        scalar_chain(4, weight=2.0, activation="sigmoid", x=1.5).y,
        shared_network(layers=2, width=4).y,
        loss,
    ]


@pytest.mark.needs("pdflatex")
def test_themes_blanks_and_attributes_are_written_too(tmp_path):
    root = neuron()
    drawing = draw(root, theme="dark", blank=("grad", "local"), show=("data", "grad", "local"), rankdir="TB")
    drawing.attr("node", color="tomato", fontsize="14")
    drawing.attr("edge", fontsize="9")
    drawing.attr(bgcolor="navy")
    text = drawing.save(tmp_path / "styled.tex") and (tmp_path / "styled.tex").read_text(encoding="utf-8")
    assert "{HTML}{FF6347}" in text  # tomato
    assert re.search(r"definecolor\{paper1\}\{HTML\}\{000080\}", text)
    assert "\\_" * 8 in text.replace(" ", "")
    assert f"{root.parents[0].grad:.4g}" not in text
    wrong, pages, size = typeset(tmp_path / "styled.tex")
    assert (wrong, pages) == ([], 1)
    assert size == pytest.approx(svg_size(drawing), abs=0.2)
    none = draw(root)
    none.attr("node", style="solid")  # not filled
    none.save(tmp_path / "plain.tex")
    assert typeset(tmp_path / "plain.tex")[:2] == ([], 1)
