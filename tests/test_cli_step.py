"""``autograd-mini step``: numbered steps, colours where they belong, and the stepper in a file."""

import sys

import pytest

from autograd_mini.cli import main as cli
from autograd_mini.formulas.parse import parse
from autograd_mini.views.stepper.terminal import text_steps


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = cli.main(list(words))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def terminal(monkeypatch):
    """Make the output look like a terminal that has colours."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda stream: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("grain", ["node", "edge"])
def test_a_grain_numbers_the_steps(run, grain):
    code, out, err = run("step", "w*x + 1", "w=0.5", "x=2", "--grain", grain)
    assert (code, err) == (0, "")
    assert out == text_steps(parse("w*x + 1", w=0.5, x=2.0), grain=grain) + "\n"


def test_values_may_stand_behind_the_options(run):
    assert run("step", "-w*x", "--grain", "node", "w=0.5", "x=2")[0] == 0


def test_lines_keep_to_the_width_of_the_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    _, out, _ = run("step", "tanh(a*b*c)*sin(a*b*c)", "a=1.2345", "b=2.25", "c=3.125", "--grain", "edge")
    assert max(map(len, out.splitlines())) <= 50


def test_a_terminal_gets_colours(run, terminal):
    _, out, _ = run("step", "w*x", "w=-0.5", "x=2", "--grain=edge")
    assert "\033[33m-0.5\033[0m" in out
    assert "\033[34m2\033[0m" in out


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_may_refuse_colours(run, terminal, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert "\033" not in run("step", "w*x", "w=-0.5", "x=2", "--grain=edge")[1]


def test_a_file_or_a_pipe_gets_none(run):
    assert "\033" not in run("step", "w*x", "w=-0.5", "x=2", "--grain=edge")[1]


def test_the_stepper_is_written_into_files(run, tmp_path):
    code, out, err = run("step", "w*x", "w=2", "x=3", "--html", "a.html", "--svg", "b.svg")
    assert (code, out, err) == (0, "wrote a.html\nwrote b.svg\n", "")
    assert "<script>" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "@keyframes" in (tmp_path / "b.svg").read_text(encoding="utf-8")


def test_a_picture_for_each_step_is_written_into_a_folder(run, tmp_path):
    code, out, err = run("step", "w*x", "w=2", "x=3", "--figures", "slides", "--format", "svg", "--grain", "edge")
    assert (code, out.replace("\\", "/"), err) == (0, "wrote slides/step-001.svg … step-006.svg\n", "")
    assert len(list((tmp_path / "slides").iterdir())) == 6


@pytest.mark.needs("matplotlib")
def test_the_figures_are_pdf_unless_another_format_is_asked_for(run, tmp_path):
    assert run("step", "1 + 0", "--figures", "slides")[0] == 0
    assert [path.read_bytes()[:4] for path in (tmp_path / "slides").iterdir()] == [b"%PDF"] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--exercise", "local", "--html", "a.html", "--figures", "a"], "--exercise goes with --html alone"),
        (["--format", "svg"], "--format is that of the figures; say where to write them: --figures FOLDER"),
        (["--figures", "a", "--format", "jpg"], "argument --format: invalid choice: 'jpg' (choose from"),
        (["--html", "a.png"], "a.png: --html writes HTML; end the name in .html"),
        (["--svg", "a.html"], "a.html: --svg writes SVG; end the name in .svg"),
        (["--svg", "no/where.svg"], "no/where.svg: there is no folder 'no'"),
        (["--grain", "path"], "argument --grain: invalid choice: 'path' (choose from"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(run, tmp_path, words, said):
    code, out, err = run("step", "w*x", "w=2", "x=3", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not list(tmp_path.iterdir())


def test_a_graph_that_is_too_large_to_draw_is_one_line(run, tmp_path):
    code, out, err = run("step", f"sum({', '.join(['x*1'] * 450)})", "x=1", "--html", "a.html")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "more than" in err
    assert not list(tmp_path.iterdir())
