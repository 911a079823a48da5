"""Which program draws, and that `render`, `pipe`, `save` and Jupyter get along with each of them."""

from __future__ import annotations

import base64
import os
import re
import stat
import sys

import graphviz
import pytest

from autograd_mini import MissingDependencyError, Value, draw
from autograd_mini.nn import MLP
from autograd_mini.views import renderers


@pytest.fixture
def drawing():
    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    return draw(y)


@pytest.fixture
def without_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(renderers.VARIABLE, raising=False)


@pytest.fixture
def without_programs(without_dot, monkeypatch):
    monkeypatch.setattr(renderers, "_graphviz_pure", lambda: None)


# --------------------------------------------------------------------------------------------------- choice


def test_dot_is_first(monkeypatch):
    monkeypatch.delenv(renderers.VARIABLE, raising=False)
    monkeypatch.setattr(renderers.shutil, "which", lambda name: f"/somewhere/{name}")
    assert renderers.choose() == renderers.Renderer("dot", "/somewhere/dot")


@pytest.mark.needs("graphviz-pure")
def test_graphviz_pure_is_found_without_being_on_path(without_dot, drawing, parse):
    program = renderers.choose()
    assert program.name == "graphviz-pure"
    assert os.path.isabs(program.path)
    assert len(parse(drawing.pipe("svg")).nodes) == 3


def test_the_builtin_layout_is_last(without_programs, drawing, parse):
    assert renderers.choose() == renderers.Renderer("builtin")
    assert len(parse(drawing.pipe("svg")).nodes) == 3


def test_an_unknown_name_is_an_error(monkeypatch, drawing):
    monkeypatch.setenv(renderers.VARIABLE, "dotty")
    with pytest.raises(
        ValueError, match=r"AUTOGRAD_MINI_RENDERER='dotty': expected one of dot, graphviz-pure, builtin"
    ):
        drawing.pipe("svg")
    with pytest.raises(ValueError, match="or unset it"):
        drawing.render()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dot", "no program dot is on PATH; install Graphviz"),
        ("graphviz-pure", r'pip install "autograd-mini\[render\]"'),
    ],
)
def test_a_choice_that_is_not_installed_is_an_error(name, message, without_programs, monkeypatch, drawing):
    monkeypatch.setenv(renderers.VARIABLE, name)
    with pytest.raises(MissingDependencyError, match=message):
        drawing.pipe("svg")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for dot")
def test_a_dot_that_fails_is_shown_and_not_replaced(monkeypatch, tmp_path, drawing, capfd):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho 'no layout today' >&2\nexit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv(renderers.VARIABLE, raising=False)
    with pytest.raises(graphviz.CalledProcessError, match="no layout today"):
        drawing.pipe("svg")


@pytest.mark.needs("graphviz-pure")
def test_a_graphviz_pure_that_fails_is_shown(monkeypatch, drawing):
    monkeypatch.setenv(renderers.VARIABLE, "graphviz-pure")
    drawing.body.append("this is { no DOT")
    with pytest.raises(graphviz.CalledProcessError, match="syntax error"):
        drawing.pipe("svg")


# --------------------------------------------------------------------------------------------------- output


def test_pipe(renderer, drawing, parse):
    as_bytes, as_text = drawing.pipe("svg"), drawing.pipe(encoding="utf-8")
    assert isinstance(as_bytes, bytes)
    assert isinstance(as_text, str)
    assert set(parse(as_text).nodes) == set(parse(as_bytes).nodes) == {"node-0", "op-1", "node-1"}


def test_jupyter(renderer, drawing, parse):
    bundle = drawing._repr_mimebundle_()
    assert list(bundle) == ["image/svg+xml", "text/html"]
    assert len(parse(bundle["image/svg+xml"]).edges) == 3
    image = re.search(
        '<img style="max-width:100%" alt="[^"]+" src="data:image/svg\\+xml;base64,([^"]+)">', bundle["text/html"]
    )
    assert base64.b64decode(image[1]).decode() == bundle["image/svg+xml"]
    assert drawing._repr_html_() == bundle["text/html"]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"include": ["text/html"]}, ["text/html"]),
        ({"include": ["image/svg+xml"]}, ["image/svg+xml"]),
        ({"exclude": ["image/svg+xml"]}, ["text/html"]),
        ({"exclude": ["text/html"]}, ["image/svg+xml"]),
        ({"include": []}, []),
    ],
)
def test_jupyter_gets_what_it_asks_for(builtin, drawing, asked, given):
    assert list(drawing._repr_mimebundle_(**asked)) == given


def test_a_drawing_says_in_words_what_it_shows(builtin, drawing):
    assert drawing.title == drawing.copy().title == "The computational graph of L"
    assert draw(MLP(2, [1], rng=0)).title == "A network: MLP"


@pytest.mark.needs("matplotlib")
def test_png(renderer, drawing):
    assert drawing.pipe("png").startswith(b"\x89PNG")
    assert drawing._repr_mimebundle_(include=["image/png"])["image/png"].startswith(b"\x89PNG")


def test_a_format_that_the_builtin_layout_does_not_have(builtin, drawing):
    with pytest.raises(
        ValueError, match=r'svg, pdf, png, tex, not \'jpg\'; for jpg install Graphviz .* pip install "autograd-'
    ):
        drawing.pipe("jpg")
    with pytest.raises(ValueError, match=r"for eps install Graphviz \(https://graphviz.org/download\)$"):
        drawing.pipe("eps")


def test_render_writes_source_and_picture(renderer, drawing, parse, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert drawing.render() == "Drawing.gv.svg"
    assert (tmp_path / "Drawing.gv").read_text(encoding="utf-8") == drawing.source
    assert len(parse((tmp_path / "Drawing.gv.svg").read_bytes()).nodes) == 3


# The renderers other than dot have to write the files where the graphviz package has dot write them.
CALLS = {
    "filename": {"filename": "graph"},
    "filename and directory": {"filename": "graph.gv", "directory": "a/b"},
    "cleanup": {"filename": "graph", "cleanup": True},
    "format": {"filename": "graph", "format": "svg"},
    "outfile": {"outfile": "picture.svg"},
    "outfile in a directory": {"outfile": "a/picture.svg"},
    "outfile and filename": {"outfile": "picture.svg", "filename": "graph.gv"},
    "outfile and cleanup": {"outfile": "picture.svg", "cleanup": True},
}


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.needs("dot")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", [pytest.param("graphviz-pure", marks=pytest.mark.needs("graphviz-pure")), "builtin"])
def test_render_writes_the_same_files_as_with_dot(name, call, drawing, tmp_path, monkeypatch):
    written = {}
    for renderer in ("dot", name):
        folder = tmp_path / renderer
        (folder / "a").mkdir(parents=True)
        monkeypatch.chdir(folder)
        monkeypatch.setenv(renderers.VARIABLE, renderer)
        written[renderer] = drawing.copy().render(**CALLS[call]), files_below(folder)
    assert written[name] == written["dot"]


def test_render_refuses_to_overwrite_when_asked_to(renderer, drawing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.svg").write_text("precious")
    with pytest.raises(graphviz.FileExistsError, match="exists"):
        drawing.render(outfile="picture.svg", raise_if_result_exists=True)
    assert (tmp_path / "picture.svg").read_text() == "precious"
    with pytest.raises(ValueError, match="must be different from"):
        drawing.render(filename="picture.svg", outfile="picture.svg")


def test_render_of_an_unknown_format(renderer, drawing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="format"):
        drawing.render(format="nonsense")
    assert files_below(tmp_path) == []


def test_view_opens_the_picture(renderer, drawing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr(type(drawing), "_view", lambda self, path, **options: opened.append((path, options["format"])))
    assert drawing.view() == "Drawing.gv.svg"
    assert opened == [("Drawing.gv.svg", "svg")]


def test_save_writes_the_source(drawing, tmp_path):
    path = drawing.save(tmp_path / "graph.gv")
    with open(path, encoding="utf-8") as file:
        assert file.read() == drawing.source


def test_engines(renderer, drawing):
    if renderer == "builtin":
        with pytest.raises(ValueError, match="one engine, 'dot', not 'neato'"):
            drawing.pipe("svg", engine="neato")
    else:
        assert drawing.pipe("svg", engine="neato") != drawing.pipe("svg")
    with pytest.raises(ValueError, match="engine"):
        drawing.pipe("svg", engine="nonsense")


def test_the_builtin_layout_does_not_pretend_to_draw_what_was_added(builtin, drawing):
    assert drawing.copy().pipe("svg") == drawing.pipe("svg")
    drawing.node("more")
    with pytest.raises(ValueError, match="was changed after draw"):
        drawing.pipe("svg")


@pytest.mark.needs("dot")
def test_a_program_that_takes_too_long_is_ended_and_the_error_says_what_to_do():
    drawing = draw(Value(2.0) * Value(3.0))
    assert drawing.seconds == 10.0
    drawing.seconds = 0.0001
    for render in (drawing.pipe, drawing.copy().pipe):
        with pytest.raises(
            ValueError, match=r"dot hasn't finished the drawing after 0.0001 s; draw a smaller .*collapse="
        ):
            render()
    drawing.seconds = None
    assert drawing.pipe(encoding="utf-8").count("<title>") >= 3
