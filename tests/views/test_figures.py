"""`Drawing.save`: figures for slides and papers as .svg, .pdf and .png, with and without Graphviz."""

from __future__ import annotations

import os
import re
import sys
import zlib

import graphviz
import pytest

from autograd_mini import MissingDependencyError, Parameter, Value, draw
from autograd_mini.nn import MLP
from autograd_mini.views import figures, renderers

LABELS = "ŷ w¹₂₁ θ₁ λ ∂L/∂w\n→ − é $x_1$ <b>\n&amp; 100% \\N"


@pytest.fixture
def drawing():
    return drawn()


def drawn(label="x"):
    x = Value(3.0, label=label)
    y = x * Parameter(2.0, label="w")
    y.backward()
    return draw(y)


@pytest.fixture
def without_programs(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    monkeypatch.delenv(renderers.VARIABLE, raising=False)
    monkeypatch.setattr(renderers, "_graphviz_pure", lambda: None)


@pytest.fixture
def without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # what an import finds where it isn't installed


def pixels(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def page_size(pdf):
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF"), "the file ends before its end"
    return [float(part) for part in re.search(rb"/MediaBox \[([^]]*)\]", pdf)[1].split()[2:]]


def streams(pdf):
    """Everything in a PDF, unpacked."""
    packed = re.findall(rb"stream\n(.*?)\nendstream", pdf, flags=re.S)
    return b"".join(zlib.decompress(part) if part[:1] == b"x" else part for part in packed)


def svg_size(drawing):
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing._own("svg").decode())
    return [float(part) for part in found.groups()]


# ------------------------------------------------------------------------------------------------- the formats


def test_an_svg_is_drawn_and_not_the_source_written(without_programs, drawing, parse, tmp_path):
    for name in ("a.svg", "A.SVG", "b.gv.svg"):
        path = drawing.save(tmp_path / name)
        assert path == str(tmp_path / name)
        assert len(parse((tmp_path / name).read_bytes()).nodes) == 4
    assert drawing.filename == "Drawing.gv", "render() would write the DOT source over the figure"


@pytest.mark.parametrize("name", ["graph.gv", "graph.dot", "graph.txt", "graph", ".pdf", "pdf"])
def test_any_other_name_gets_the_source(drawing, tmp_path, name):
    path = drawing.save(tmp_path / name)
    with open(path, encoding="utf-8") as file:
        assert file.read() == drawing.source


@pytest.mark.needs("matplotlib")
def test_a_pdf_is_a_page_as_large_as_the_picture_with_curves_embedded_fonts_and_text(without_programs, tmp_path):
    drawing = drawn(LABELS)
    pdf = (tmp_path / drawing.save(tmp_path / "a.pdf")).read_bytes()
    assert page_size(pdf) == pytest.approx(svg_size(drawing), abs=0.1)
    assert b"/Subtype /Image" not in pdf, "it has to consist of curves, not of pixels"
    assert pdf.count(b"/FontFile2") == pdf.count(b"/Type /FontDescriptor"), "every font has to be embedded"
    assert b"/FontFile2" in pdf, "there has to be a font, as there is text"
    assert b"/ToUnicode" in pdf, "the text has to be selectable"
    assert b" c\n" in streams(pdf), "an edge is a curve"


@pytest.mark.needs("matplotlib")
@pytest.mark.slow
def test_the_page_of_every_kind_of_drawing_is_as_large_as_the_picture(without_programs, tmp_path):
    one = Value(1.0, label="x")
    old = one * 2.0
    one.data = 5.0
    for thing in (one, old, MLP(2, [3, 1], rng=0), MLP(1, [1], rng=0)):
        drawing = draw(thing)
        pdf = (tmp_path / drawing.save(tmp_path / "a.pdf")).read_bytes()
        assert page_size(pdf) == pytest.approx(svg_size(drawing), abs=0.1), f"{thing!r}"


@pytest.mark.needs("matplotlib")
def test_a_png_has_as_many_pixels_as_its_scale_says(without_programs, drawing, tmp_path):
    width, height = svg_size(drawing)
    for scale in (None, 1, 0.5, 3.0):
        drawing.save(tmp_path / "a.png", scale=scale)
        expected = [side / 72 * 96 * (scale or 2) for side in (width, height)]
        assert pixels((tmp_path / "a.png").read_bytes()) == pytest.approx(expected, abs=1), f"scale={scale}"


@pytest.mark.needs("matplotlib")
def test_what_is_drawn_twice_is_the_same_to_the_byte(without_programs, tmp_path):
    import matplotlib

    for format in ("pdf", "png", "svg"):
        first = (tmp_path / drawn().save(tmp_path / f"a.{format}")).read_bytes()
        with matplotlib.rc_context({"font.family": "monospace", "pdf.fonttype": 3, "savefig.bbox": "tight"}):
            again = (tmp_path / drawn().save(tmp_path / f"b.{format}")).read_bytes()
        assert first == again, f"{format}: neither the time nor settings of Matplotlib may change it"
        assert not re.search(rb"CreationDate|ModDate|Matplotlib", first), f"{format}: no date, no version"


@pytest.mark.needs("matplotlib")
def test_every_text_fits_where_the_layout_has_room_for_it(without_programs, monkeypatch):
    from matplotlib.axes import Axes
    from matplotlib.textpath import text_to_path

    from autograd_mini.views.layout.measure import text_width

    texts, add = [], Axes.text
    monkeypatch.setattr(Axes, "text", lambda *a, **k: texts.append(add(*a, **k)) or texts[-1])
    drawn(LABELS)._own("png")
    assert {text.get_text() for text in texts} >= set(LABELS.split("\n"))
    for text in texts:
        font = text.get_fontproperties()
        width = text_to_path.get_text_width_height_descent(text.get_text(), font, ismath=False)[0]
        room = text_width(text.get_text(), font.get_size() / 0.88, font.get_weight() == "bold")
        assert width <= room + 0.5 or font.get_size() < 12 * 0.88, f"{text.get_text()!r} is wider than its place"


@pytest.mark.needs("matplotlib")
def test_letters_that_its_font_has_not_come_from_another(without_programs, tmp_path, caplog):
    drawn("𝒩 𝔼").save(tmp_path / "a.png")  # without a warning, which would be an error here
    assert caplog.records == []


@pytest.mark.needs("matplotlib")
def test_a_character_that_no_font_has_is_said(without_programs, monkeypatch, tmp_path):
    drawing = drawn("ab\U0010fffd")  # of the private use area
    from matplotlib import font_manager

    own = [font for font in font_manager.fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    with pytest.warns(UserWarning, match=r"no font of this machine has '\\U0010fffd': an empty box"):
        drawing.save(tmp_path / "a.png")


@pytest.mark.needs("matplotlib")
def test_what_is_longer_than_any_page_is_shrunk_and_a_png_of_it_is_refused(without_programs, monkeypatch, tmp_path):
    drawing = drawn()
    width, height = svg_size(drawing)
    monkeypatch.setattr(figures, "_LONGEST_PAGE", width / 2)
    assert page_size(drawing._own("pdf")) == pytest.approx([width / 2, height / 2], abs=0.1)
    with pytest.raises(ValueError, match=r"scale: 0\.001 leaves not one pixel of this drawing; use at least 0\.0"):
        drawing.save(tmp_path / "a.png", scale=0.001)
    for limit in ("_LONGEST_PNG", "_MOST_PIXELS"):
        with monkeypatch.context() as patched:
            patched.setattr(figures, limit, 200)
            with pytest.raises(
                ValueError, match=r"use a scale of at most 0\.\d+, write a PDF or an SVG, or fold"
            ) as said:
                drawing.save(tmp_path / "a.png")
            advised = float(re.search(r"at most (0\.\d+),", str(said.value))[1])
            figures._check_pixels(width, height, advised)
    assert os.listdir(tmp_path) == []


# ------------------------------------------------------------------------------------------------- which program


@pytest.mark.needs("matplotlib", "dot")
@pytest.mark.parametrize("format", ["svg", "png", pytest.param("pdf", marks=pytest.mark.slow)])
def test_a_figure_is_the_same_with_graphviz_and_without(format, drawing, tmp_path, monkeypatch):
    written = []
    for name in ("", "builtin"):
        monkeypatch.setenv(renderers.VARIABLE, name)
        written.append((tmp_path / drawing.save(tmp_path / f"a.{format}")).read_bytes())
    assert written[0] == written[1]
    monkeypatch.setenv(renderers.VARIABLE, "dot")
    drawing.save(tmp_path / f"dot.{format}")
    assert (tmp_path / f"dot.{format}").read_bytes() != written[0], "the variable says that Graphviz is to draw it"


@pytest.mark.needs("dot")
@pytest.mark.slow
def test_graphviz_draws_what_was_changed_and_where_matplotlib_is_not_installed(tmp_path, monkeypatch, drawing):
    monkeypatch.delenv(renderers.VARIABLE, raising=False)
    drawing.node("added")
    assert b"added" in (tmp_path / drawing.save(tmp_path / "a.svg")).read_bytes()
    assert (tmp_path / drawing.save(tmp_path / "a.pdf")).read_bytes().startswith(b"%PDF")
    monkeypatch.setattr("autograd_mini.views.drawing.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert (tmp_path / drawn().save(tmp_path / "b.pdf")).read_bytes().startswith(b"%PDF")
    one, three = (pixels((tmp_path / drawn().save(tmp_path / "b.png", scale=s)).read_bytes())[0] for s in (1, 3))
    assert three == pytest.approx(3 * one, abs=4)


def test_another_engine_is_not_passed_over(drawing, tmp_path, monkeypatch):
    drawing.engine = "neato"
    monkeypatch.setenv(renderers.VARIABLE, "builtin")
    for format in ("svg", "png"):
        with pytest.raises(ValueError, match="one engine, 'dot', not 'neato'"):
            drawing.save(tmp_path / f"a.{format}")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", ["pdf", "png"])
def test_without_any_program_the_error_names_the_extra_that_helps(
    without_programs, without_matplotlib, format, tmp_path
):
    message = rf'a {format.upper()} needs Matplotlib; run: pip install "autograd-mini\[plot\]"'
    for call in (
        lambda: drawn().save(tmp_path / f"a.{format}"),
        lambda: drawn().pipe(format),
        lambda: drawn().render(tmp_path / "a", format=format),
    ):
        with pytest.raises(MissingDependencyError, match=message):
            call()
    assert os.listdir(tmp_path) == []


@pytest.mark.needs("matplotlib", "graphviz-pure")
def test_what_graphviz_pure_does_not_have_our_own_layout_draws(monkeypatch, drawing, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(renderers.VARIABLE, raising=False)
    assert renderers.choose().name == "graphviz-pure"
    assert drawing.pipe("pdf").startswith(b"%PDF")
    monkeypatch.setenv(renderers.VARIABLE, "graphviz-pure")
    with pytest.raises(
        ValueError, match="graphviz-pure, which AUTOGRAD_MINI_RENDERER names, has no format 'pdf'; unset"
    ):
        drawing.save(tmp_path / "a.pdf")


@pytest.mark.needs("matplotlib")
@pytest.mark.slow
def test_render_and_pipe_draw_pdf_and_png_too_and_render_keeps_its_files(without_programs, drawing, tmp_path):
    assert drawing.pipe("pdf").startswith(b"%PDF")
    assert drawing.render(tmp_path / "graph", format="pdf") == str(tmp_path / "graph.pdf")
    assert drawing.render(outfile=tmp_path / "figure.png") == str(tmp_path / "figure.png")
    assert sorted(os.listdir(tmp_path)) == ["figure.gv", "figure.png", "graph", "graph.pdf"]
    assert (tmp_path / "graph").read_text(encoding="utf-8") == drawing.source


def test_render_writes_the_source_where_its_name_looks_like_a_figure(without_programs, drawing, tmp_path):
    drawing.render(tmp_path / "picture.svg")
    assert (tmp_path / "picture.svg").read_text(encoding="utf-8") == drawing.source


# ------------------------------------------------------------------------------------------------- the file


def test_the_folder_is_made_and_a_file_is_skipped_as_in_graphviz(without_programs, drawing, tmp_path, monkeypatch):
    assert drawing.save("a.svg", directory=tmp_path / "b" / "c") == str(tmp_path / "b" / "c" / "a.svg")
    (tmp_path / "old.svg").write_text("precious")
    drawing.save(tmp_path / "old.svg", skip_existing=True)
    assert (tmp_path / "old.svg").read_text() == "precious"
    drawing.save(tmp_path / "old.svg")
    assert (tmp_path / "old.svg").read_text().startswith("<?xml")
    monkeypatch.chdir(tmp_path)
    drawing.filename, drawing.directory = "mine.svg", "there"
    assert drawing.save() == os.path.join("there", "mine.svg")
    assert (tmp_path / "there" / "mine.svg").read_text().startswith("<?xml")


def test_a_failure_leaves_the_file_that_was_there(without_programs, drawing, tmp_path, monkeypatch):
    (tmp_path / "a.svg").write_text("precious")
    drawing.node("added")
    with pytest.raises(ValueError, match="was changed after draw"):
        drawing.save(tmp_path / "a.svg")
    assert os.listdir(tmp_path) == ["a.svg"]
    assert (tmp_path / "a.svg").read_text() == "precious"


def test_a_folder_is_no_file(without_programs, drawing, tmp_path):
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(IsADirectoryError, match="give the name of a file"):
        drawing.save(tmp_path / "a.svg")


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf"), "2", True])
def test_a_wrong_scale(without_programs, drawing, scale, tmp_path):
    with pytest.raises(ValueError, match="scale: expected a finite number above 0"):
        drawing.save(tmp_path / "a.png", scale=scale)
    assert os.listdir(tmp_path) == []


def test_a_scale_is_for_pixels_only(drawing, tmp_path):
    for name in ("a.pdf", "a.svg", "a.gv", "a"):
        with pytest.raises(ValueError, match="scale: only a PNG consists of pixels"):
            drawing.save(tmp_path / name, scale=2)


def test_it_is_saved_as_the_graphviz_package_saves(drawing, tmp_path):
    plain = graphviz.Digraph("mine")
    plain.save(tmp_path / "plain.gv")
    drawing.save(tmp_path / "ours.gv")
    assert os.fspath(plain.filename) == str(tmp_path / "plain.gv")
    assert os.fspath(drawing.filename) == str(tmp_path / "ours.gv"), (
        "render() goes on to write beside it, as in the package"
    )
