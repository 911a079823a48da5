"""The command line: what it prints and writes, and the one line that it says about every mistake."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import autograd_mini
from autograd_mini.cli import main as cli
from autograd_mini.cli.table_models import Columns, CsvModel, network_for, problem, score, train
from autograd_mini.cli.tables import TableError, read_table
from autograd_mini.errors import LoadError
from autograd_mini.serialization import load_with_extra, save

ROOT = Path(autograd_mini.__file__).resolve().parent.parent
IRIS = str(ROOT / "autograd_mini" / "data" / "iris.csv")


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = cli.main(list(words))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(run, tmp_path):
    """Run a command that is a mistake; return its one line, having made sure that nothing was written."""

    def refused(*words):
        before = sorted(path.name for path in tmp_path.iterdir())
        code, out, err = run(*words)
        assert (code, err.count("\n"), err[:7]) == (2, 1, "error: ")
        assert sorted(path.name for path in tmp_path.iterdir()) == before
        assert not out or words[0] == "train"
        return err[7:-1]

    return refused


def start(*words, **options):
    """Start a command as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environment", {})}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "autograd_mini", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        **options,
    )


def line_data(tmp_path, n=24):
    """Write a table in which y is 3a - b + 10; return its name."""
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{3 * a - b + 10:.4f}" for a, b in rng.uniform(-1, 1, (n, 2))]
    (tmp_path / "line.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    return "line.csv"


# ------------------------------------------------------------------------------------------------ draw and step


def test_the_title_of_the_backward_pass_calls_the_root_as_the_lines_do(run):
    _, out, _ = run("step", "L*L", "L=3")
    assert "Backward pass: ∂L'/∂u = Σ ∂L'/∂v · ∂v/∂u over all v computed from u" in out
    assert "∂L'/∂L  = ∂L'/∂L'·∂(L①·L②)/∂L①" in out


def test_step_prints_both_passes_and_the_gradients(run):
    code, out, err = run("step", "tanh(w*x + b)", "w=0.5", "x=2", "b=0.1")
    assert (code, err) == (0, "")
    assert out == (
        """\
Forward pass: each node from its parents
────────────────────────────────────────

  given  w = 0.5   x = 2   b = 0.1

  v1 = w·x = 0.5·2 = 1
  v2 = v1 + b = 1 + 0.1 = 1.1
  L  = tanh(v2) = tanh(1.1) = 0.800499

Backward pass: ∂L/∂u = Σ ∂L/∂v · ∂v/∂u over all v computed from u
─────────────────────────────────────────────────────────────────

  ∂L/∂L  = 1
  ∂L/∂v2 = ∂L/∂L·tanh′(v2) = 1·0.359201 = 0.359201
      tanh′(v2) = 1 - L² = 1 - 0.800499² = 0.359201
  ∂L/∂b  = ∂L/∂v2·∂(v1 + b)/∂b = 0.359201·1 = 0.359201
  ∂L/∂v1 = ∂L/∂v2·∂(v1 + b)/∂v1 = 0.359201·1 = 0.359201
  ∂L/∂x  = ∂L/∂v1·∂(w·x)/∂x = 0.359201·0.5 = 0.179601
      ∂(w·x)/∂x = w = 0.5
  ∂L/∂w  = ∂L/∂v1·∂(w·x)/∂w = 0.359201·2 = 0.718403
      ∂(w·x)/∂w = x = 2

Gradients
─────────

  leaf u  value     ∂L/∂u  finite difference
  w         0.5  0.718403           0.718403
  x           2  0.179601           0.179601
  b         0.1  0.359201           0.359201
"""
    )


def test_step_leaves_constants_out_of_the_backward_pass(run):
    _, out, _ = run("step", "x**2 + log(2)", "x=3")
    assert "∂L/∂x  = ∂L/∂v1·∂(x²)/∂x = 1·6 = 6\n      ∂(x²)/∂x = 2·x = 2·3 = 6\n" in out
    assert "∂L/∂v2" not in out


def test_step_keeps_to_the_width_of_the_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = run(
        "step", "sum(a*b, b*c, c*d, d*a) * maximum(a, b, c, d)", "a=1.2345", "b=2.25", "c=3.125", "d=4.0625"
    )
    assert max(len(line) for line in out.splitlines() if "─" not in line and ":" not in line) <= 60


def test_a_printed_step_can_be_typed(run):
    code, out, _ = run("step", "√|x| + x² − 2·x", "x=−4")
    assert code == 0
    right_hand_sides = [line.split(" = ")[1] for line in out.splitlines() if line.startswith("  v")]
    assert right_hand_sides == ["|x|", "√(v1)", "x²", "v2 + v3", "2·x"]
    for typed, value in (("√(v1)", "v1=4"), ("v2 + v3", "v2=2"), ("2·x", "x=-4")):
        more = ["v3=16"] if "v3" in typed else []
        assert run("step", typed, value, *more)[0] == 0


@pytest.mark.parametrize("formula", ["-x**2", "-(x*x)", "--x*-x", "-x*x"])
def test_a_formula_may_begin_with_a_sign(run, formula):
    code, out, _ = run("step", formula, "x=3")
    assert code == 0
    assert next(line for line in out.splitlines() if line.startswith("  L ")).endswith("= -9")


def test_two_dashes_end_the_options(run):
    assert run("step", "--", "-x", "x=3")[0] == 0


def test_draw_writes_the_graph_with_its_gradients(run, tmp_path):
    assert run("draw", "tanh(w*x + b)", "w=0.5", "x=2", "b=0.1") == (0, "wrote graph.svg\n", "")
    svg = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert "<svg" in svg
    assert "0.359" in svg  # ∂L/∂b
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.svg"]


def test_values_may_stand_before_and_after_options(run, tmp_path):
    assert run("draw", "w*x", "w=2", "-o", "picture.gv", "x=3")[0] == 0
    assert (tmp_path / "picture.gv").read_text().startswith("digraph")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tanh(w*foo(x))", "w=1", "x=2"], "column 8: unknown function 'foo' in \"tanh(w*foo(x))\"; known: abs, acos,"),
        (["w*x", "w=1"], "column 3: no value for 'x' in \"w*x\"; values given: w"),
        (["w*x +", "w=1"], 'column 6: an unfinished formula in "w*x +"'),
        (["x", "x"], "expected NAME=NUMBER, such as x=2, got 'x'"),
        (["x", "=2"], "expected NAME=NUMBER, such as x=2, got '=2'"),
        (["x", "x=two"], "the value of 'x' isn't a number: 'two'"),
        (["x", "x="], "the value of 'x' isn't a number: ''"),
        (["x", "x=1", "x=2"], "'x' has two values: 1 and 2"),
        (["x", "x=1", "y=2"], "a value was given for 'y', which isn't in \"x\"; it uses x"),
        (["x", "x=1", "--foo"], "unknown argument '--foo'; see autograd-mini --help"),
        ([], "the following arguments are required: FORMULA"),
    ],
)
@pytest.mark.parametrize("command", ["step", "draw"])
def test_mistakes_in_formulas(refused, command, words, expected):
    assert refused(command, *words).startswith(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("graph.xyz", "graph.xyz: unknown kind of picture; end the name in one of .svg, .png,"),
        ("graph", "graph: unknown kind of picture; end the name in one of .svg, .png,"),
        ("no/graph.svg", "no/graph.svg: there is no folder 'no'"),
        (".", ". is a folder; give the name of a file"),
    ],
)
def test_pictures_that_can_not_be_written(refused, name, expected):
    assert refused("draw", "x", "x=1", "-o", name).startswith(expected)


def test_a_graph_that_is_too_large_to_draw(refused):
    assert "max_nodes" in refused("draw", " + ".join(["x*x"] * 200), "x=1")


def test_a_picture_that_its_renderer_can_not_make(refused, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_MINI_RENDERER", "builtin")
    assert refused("draw", "x", "x=1", "-o", "graph.ps").startswith(
        "the builtin renderer writes svg, pdf, png, tex, not 'ps'"
    )


@pytest.mark.needs("matplotlib")
def test_a_picture_as_pdf_and_as_png_without_graphviz(run, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_MINI_RENDERER", "builtin")
    assert run("draw", "x*x", "x=1", "-o", "graph.PDF") == (0, "wrote graph.PDF\n", "")
    assert (tmp_path / "graph.PDF").read_bytes().startswith(b"%PDF")
    widths = []
    for scale in ("1", "3"):
        assert run("draw", "x*x", "x=1", "-o", "graph.png", "--scale", scale)[0] == 0
        widths.append(int.from_bytes((tmp_path / "graph.png").read_bytes()[16:20], "big"))
    assert widths[1] == pytest.approx(3 * widths[0], abs=3)


def test_a_scale_is_refused_where_there_are_no_pixels(refused):
    assert refused("draw", "x", "x=1", "-o", "graph.svg", "--scale", "2").startswith("scale: only a PNG")
    assert refused("draw", "x", "x=1", "-o", "graph.ps", "--scale", "2").startswith("scale: only a PNG")
    assert "expected a number above 0" in refused("draw", "x", "x=1", "-o", "graph.png", "--scale", "0")


def test_a_folder_that_can_not_be_written_to(refused, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert refused("draw", "x", "x=1") == "graph.svg: the folder '.' can't be written to"
    assert refused("train", IRIS, "--target", "species") == "model.npz: the folder '.' can't be written to"


# ----------------------------------------------------------------------------------------------- train and predict


def test_classification_from_training_to_predictions(run, tmp_path):
    code, out, err = run("train", IRIS, "--target", "species", "--hidden", "6", "--epochs", "12", "--lr", "0.02")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].endswith("150 rows, 4 features; species is one of 3 classes (setosa, versicolor, virginica)")
    assert lines[1:3] == [
        "network   4-6-3, relu, 51 parameters",
        "training  120 rows, 12 epochs; 30 rows held out",
    ]
    assert float(lines[3].split()[2].rstrip("%")) > 75
    assert lines[4] == "baseline  accuracy 33.3% (10 of 30), always 'setosa'"
    assert lines[5] == "wrote     model.npz"

    code, out, err = run("predict", "model.npz", IRIS)
    species = Path(IRIS).read_text().split()[1:]
    predicted = out.splitlines()
    assert (code, predicted[0], len(predicted)) == (0, "prediction", 151)
    right = sum(name == row.rsplit(",", 1)[1] for name, row in zip(predicted[1:], species, strict=True))
    assert err == f"score: accuracy {right / 150:.1%} ({right} of 150)\n"
    assert right > 120


def test_regression_beats_its_baseline_and_comes_back_in_the_target_s_unit(run, tmp_path):
    name = line_data(tmp_path, 60)
    code, out, _ = run("train", name, "--target", "y", "--hidden", "none", "--epochs", "40", "-o", "line.npz")
    assert code == 0
    assert "network   2-1, relu, 3 parameters" in out
    r2 = float(out.split("R² ")[1].split(",")[0])
    assert r2 > 0.999

    # Other columns, another order, no target: the columns are found by their names.
    (tmp_path / "new.csv").write_text("id;b;a\nfirst;0.5;-0.25\nsecond;0;0\n")
    code, out, err = run("predict", "line.npz", "new.csv", "-o", "predictions.csv")
    assert (code, out, err) == (0, "wrote predictions.csv\n", "")
    header, *numbers = (tmp_path / "predictions.csv").read_text().splitlines()
    assert header == "prediction"
    assert [float(number) for number in numbers] == pytest.approx([8.75, 10.0], abs=0.05)


def test_two_trainings_with_one_seed_are_equal_to_the_bit(run, tmp_path):
    name = line_data(tmp_path)
    for output, seed in (("one.npz", "3"), ("two.npz", "3"), ("other.npz", "4")):
        assert run("train", name, "--target", "y", "--epochs", "2", "--seed", seed, "-o", output)[0] == 0
    weights = [CsvModel.load(tmp_path / f"{name}.npz").network.state_dict() for name in ("one", "two", "other")]
    assert all((weights[0][key] == weights[1][key]).all() for key in weights[0])
    assert any((weights[0][key] != weights[2][key]).any() for key in weights[0])


def test_standardising_uses_the_training_rows_only(tmp_path):
    table = read_table(tmp_path / line_data(tmp_path))
    found = problem(table, "y", test_fraction=0.25, seed=1)
    assert (len(found.X_train), len(found.X_test)) == (18, 6)
    assert found.columns.means == pytest.approx(found.X_train.mean(axis=0).tolist())
    assert found.columns.scales == pytest.approx(found.X_train.std(axis=0).tolist())


def test_a_feature_that_does_not_vary(tmp_path):
    (tmp_path / "data.csv").write_text("a,b,y\n" + "".join(f"0.1,{i},{i}.5\n" for i in range(10)))
    found = problem(read_table(tmp_path / "data.csv"), "y")
    assert found.columns.scales[0] == 1.0
    model = train(network_for(found.columns, [], "relu"), found, epochs=2, progress=False)
    assert np.isfinite(model.predict(found.X_test)).all()


def test_each_class_is_held_out_in_its_proportion(tmp_path):
    (tmp_path / "data.csv").write_text(
        "a,y\n" + "".join(f"{i},{'rare' if i % 10 == 0 else 'common'}\n" for i in range(50))
    )
    found = problem(read_table(tmp_path / "data.csv"), "y")
    assert np.bincount(found.y_test).tolist() == [9, 1]
    assert np.bincount(found.y_train).tolist() == [36, 4]


def test_scores():
    assert score("classification", np.array([1, 1]), np.array([1, 0])).value == 0.5
    assert score("regression", np.array([1.0, 3.0]), np.array([1.0, 3.0])).text == "R² 1, RMSE 0"
    assert score("regression", np.array([1.0]), np.array([3.0])).text == "RMSE 2"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["none.csv", "--target", "y"], "none.csv: no such file or directory"),
        ([".", "--target", "y"], ".: is a directory"),
        (["line.csv", "--target", "z"], "line.csv has no column 'z'; it has 'a', 'b', 'y'"),
        (["line.csv", "--target", "y", "--ignore", "c"], "line.csv has no column 'c'; it has 'a', 'b', 'y'"),
        (["line.csv", "--target", "y", "--ignore", "a,b"], "line.csv has no columns but the target and"),
        ([IRIS, "--target", "petal_length"], f"{IRIS}, line 2, column 'species': 'setosa' isn't a number; leave"),
        (["line.csv", "--target", "y", "-o", "line.csv"], "line.csv is the file to be read; give another name"),
        (["line.csv", "--target", "y", "-o", "no/m.npz"], "no/m.npz: there is no folder 'no'"),
        (["line.csv", "--target", "y", "--activation", "foo"], "no activation is named 'foo'; choose one of identity,"),
        (["line.csv", "--target", "y", "--hidden", "4,x"], "argument --hidden: expected widths such as 16,16, or none"),
        (["line.csv", "--target", "y", "--epochs", "0"], "argument --epochs: expected a whole number of at least 1"),
        (["line.csv", "--target", "y", "--lr", "0"], "argument --lr: expected a number above 0, got '0'"),
        (["line.csv", "--target", "y", "--lr", "nan"], "argument --lr: expected a number above 0, got 'nan'"),
        (["line.csv", "--target", "y", "--seed", "-1"], "argument --seed: expected a whole number of at le"),
        (["line.csv", "--target", "y", "--test-fraction", "1"], "argument --test-fraction: expected a number between"),
        (["line.csv", "--target", "y", "--lr", "1e6"], "the loss became "),
        (["line.csv"], "the following arguments are required: --target; see autograd-mini train --help"),
        (["line.csv", "--target", "y", "--task", "foo"], "argument --task: invalid choice: 'foo'"),
        (["line.csv", "--target", "y", "extra"], "unknown argument 'extra'; see autograd-mini --help"),
    ],
)  # fmt: skip
def test_mistakes_in_training(refused, tmp_path, words, expected):
    line_data(tmp_path)
    assert refused("train", *words).startswith(expected)


def test_too_few_rows(refused, tmp_path):
    (tmp_path / "data.csv").write_text("a,y\n1,1.5\n2,2.5\n3,3.5\n")
    assert refused("train", "data.csv", "--target", "y") == "data.csv has 3 rows; expected at least 4 to train on"


def test_mistakes_in_predicting(refused, run, tmp_path):
    name = line_data(tmp_path)
    assert run("train", name, "--target", "y", "--epochs", "1", "-o", "line.npz")[0] == 0
    save(CsvModel.load(tmp_path / "line.npz").network, tmp_path / "bare.npz")
    (tmp_path / "text.csv").write_text("a,b\n1,2\n1,x\n")
    assert refused("predict", "none.npz", name) == "none.npz: no such file or directory"
    assert refused("predict", name, name) == "line.csv is no model file of autograd_mini"
    assert refused("predict", "bare.npz", name).startswith("bare.npz holds a network without its columns' names")
    assert refused("predict", "line.npz", "line.npz") == "line.npz isn't a text file; expected a CSV file"
    assert refused("predict", "line.npz", IRIS).startswith(f"{IRIS} has no column 'a'; it has 'sepal_length',")
    assert refused("predict", "line.npz", "text.csv") == "text.csv, line 3, column 'b': 'x' isn't a number"
    assert refused("predict", "line.npz", name, "-o", name).startswith("line.csv is the file to be read")


def test_a_target_that_can_not_be_scored_does_not_stop_predictions(run, tmp_path):
    run("train", line_data(tmp_path), "--target", "y", "--epochs", "1")
    (tmp_path / "new.csv").write_text("a,b,y\n1,2,\n")
    code, out, err = run("predict", "model.npz", "new.csv")
    assert (code, len(out.splitlines())) == (0, 2)
    assert err == "no score: new.csv: the column 'y' is empty\n"


def test_a_class_that_training_never_saw_counts_as_wrong(run, tmp_path):
    run("train", IRIS, "--target", "species", "--epochs", "1", "--hidden", "2")
    (tmp_path / "new.csv").write_text(Path(IRIS).read_text().replace("setosa", "rosa"))
    _, out, err = run("predict", "model.npz", "new.csv")
    assert set(out.split()) <= {"prediction", "setosa", "versicolor", "virginica"}
    assert "of 150)" in err


def test_a_problem_needs_a_column(tmp_path):
    with pytest.raises(TableError, match="no column 'z'"):
        problem(read_table(tmp_path / line_data(tmp_path)), "z")


# --------------------------------------------------------------------------------------------- table, help, version


@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_the_table_of_derivatives(run, style):
    code, out, _ = run("table", "--format", style)
    assert (code, out) == (0, autograd_mini.derivative_table(style) + "\n")


def test_version_and_help(run):
    assert run("--version") == (0, f"autograd-mini {autograd_mini.__version__}\n", "")
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert all(command in out for command in ("draw", "step", "table", "train", "predict"))


def test_an_unknown_command(refused):
    assert "'foo'" in refused("foo")


# --------------------------------------------------------------------------------------------- as a real process


def test_a_terminal_without_the_signs_gets_them_spelled():
    process = start("step", "sigmoid(w*x)", "w=1", "x=2", environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert b"dL/dw  = dL/dv1*d(w*x)/dw" in out
    assert b"L  = sigmoid(v1) = sigmoid(2) = 0.880797" in out


def test_a_mistake_as_a_process():
    process = start("step", "x+", "x=1")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (2, b"", b'error: column 3: an unfinished formula in "x+"\n')


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "autograd_mini", "step", "x", "x=1"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (2, b"error: no space left on device\n")


def test_no_output_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)  # as pythonw.exe and `>&-` have it
    assert cli.main(["step", "x", "x=1"]) == 0


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently on Windows")
def test_a_broken_pipe_is_quiet():
    process = start("step", " + ".join(["tanh(x)"] * 150), "x=1")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 141


@pytest.mark.skipif(os.name == "nt", reason="Windows has another signal for Ctrl-C")
def test_an_interrupted_training_says_so_and_writes_nothing(tmp_path):
    process = start("train", IRIS, "--target", "species", "--epochs", "100000", cwd=tmp_path)
    for _ in range(3):
        process.stdout.readline()  # it is training now
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_predictions_do_not_take_the_place_of_the_model(run, refused, tmp_path):
    data = line_data(tmp_path)
    assert run("train", data, "--target", "y", "--epochs", "2", "-o", "m.npz")[0] == 0
    model = (tmp_path / "m.npz").read_bytes()
    assert refused("predict", "m.npz", data, "-o", "m.npz") == (
        "m.npz is the file to be read; give another name to write to"
    )
    assert (tmp_path / "m.npz").read_bytes() == model


def test_the_target_can_not_be_ignored(refused, tmp_path):
    message = refused("train", line_data(tmp_path), "--target", "y", "--ignore", "y", "-o", "m.npz")
    assert message == "the column 'y' can't be both the target and ignored"


def test_numbers_too_large_to_standardise_are_refused(refused, tmp_path):
    (tmp_path / "huge.csv").write_text("a,b,y\n" + "".join(f"{i},{i}e200,{i}.5\n" for i in range(1, 30)))
    message = refused("train", "huge.csv", "--target", "y", "-o", "m.npz")
    assert message == "the column 'b' has numbers too large to standardise; give them in a larger unit"


# ------------------------------------------------------------------------------- what is made of a table is said

MIXED = """\
sex,smoker,"size, cm",zip,one,kind
m,True,10,00501,1,v1
f,False,11,10001,1,v2
m,True,12,10002,1,v1
f,False,13,10003,1,v2
,,,,,
m,TRUE,14,10004,1,v1
f,false,15,10005,1,v2
m,True,16,10006,1,v1
f,False,17,10007,1,V2
"""


@pytest.fixture
def trained(run, tmp_path):
    """Write a table, train on it and return the notes."""

    def trained(content, target, *words):
        (tmp_path / "data.csv").write_text(content)
        code, out, err = run("train", "data.csv", "--target", target, "--epochs", "1", "--hidden", "2", *words)
        assert (code, err) == (0, "")
        return [line.removeprefix("note").strip() for line in out.splitlines() if line.startswith("note ")]

    return trained


def test_a_line_says_what_was_made_of_each_column(trained):
    assert trained(MIXED, "kind") == [
        "empty rows left out: line 6",
        "column 'sex' is 0 for f, 1 for m",
        "column 'smoker' is 0 for False and false, 1 for TRUE and True",
        "column 'zip' is made of numbers: 00501 becomes 501",
        "column 'one' is the same in all rows that are trained on, and tells nothing",
        "V2 and v2 are 2 classes, as they are spelled",
        "class 'V2': no row is held out, so the score tells nothing about it",
    ]


def test_versions_are_told_from_numbers(trained, refused):
    rows = "".join(f"{i},{kind}\n" for i, kind in enumerate(["3.1", "3.10", "3.9"] * 4))
    assert trained(f"x,y\n{rows}", "y") == ["3.1 and 3.10 are one number; for classes use --task classification"]
    assert trained(f"x,y\n{rows}", "y", "--task", "classification") == [
        "3.1 and 3.10 are 2 classes, as they are spelled"
    ]
    assert trained("x,y\n" + "1,1.5\n2,2\n3,2.0\n4,1.25\n", "y") == []
    (Path("data.csv")).write_text("x,y\n" + "1,3.1\n2,3.10\n" * 4)
    assert refused("train", "data.csv", "--target", "y") == (
        "data.csv: column 'y' is 3.1 in every row; there is nothing to predict, but for spellings, which are classes "
        "with --task classification"
    )


def test_the_last_line_says_what_is_scaled(run, tmp_path):
    (tmp_path / "data.csv").write_text(MIXED)
    _, out, _ = run("train", "data.csv", "--target", "kind", "--epochs", "1", "--hidden", "2")
    assert out.splitlines()[-1].startswith("scaled    features, by mean and standard deviation of the training rows")
    _, out, _ = run("train", line_data(tmp_path), "--target", "y", "--epochs", "1", "--hidden", "none")
    assert out.splitlines()[-1].startswith("scaled    features and the target, by mean")


def test_a_column_to_ignore_may_have_a_comma_in_its_name(trained, tmp_path):
    for words in (["--ignore", "size, cm,zip"], ["--ignore", "size, cm", "--ignore", "zip"], ["--ignore", "3,4"]):
        assert "columns left out: 'size, cm', 'zip'" in trained(MIXED, "kind", *words)
        assert CsvModel.load(tmp_path / "model.npz").columns.features == ["sex", "smoker", "one"]


def test_classes_are_predicted_as_they_are_spelled_and_two_texts_read_as_in_training(trained, run, refused, tmp_path):
    trained(MIXED, "kind", "--ignore", "size, cm,zip,one", "--lr", "0.5", "--epochs", "60")
    (tmp_path / "new.csv").write_text("smoker,sex\nTRUE,m\nno,f\n")
    assert refused("predict", "model.npz", "new.csv") == (
        "new.csv, line 3, column 'smoker': 'no' is neither 'False' nor 'TRUE', which are known"
    )
    (tmp_path / "new.csv").write_text("smoker,sex\ntrue,m\n,\nfalse,f\n")
    assert run("predict", "model.npz", "new.csv") == (
        0, "prediction\nv1\nv2\n", "note: empty rows left out: line 3\n",
    )  # fmt: skip


def test_a_file_without_two_texts_is_as_it_was_before_there_were_any(trained, tmp_path):
    trained(MIXED.replace("kind", "y"), "y", "--ignore", "sex,smoker")
    assert "texts" not in load_with_extra(tmp_path / "model.npz")[1]
    assert CsvModel.load(tmp_path / "model.npz").columns.texts == {}


@pytest.mark.parametrize(
    "texts",
    [["sex"], {"other": ["f", "m"]}, {"sex": ["f"]}, {"sex": ["f", 1]}, {"sex": "fm"}, None],
)
def test_a_file_whose_two_texts_make_no_sense_is_damaged(tmp_path, texts):
    network = network_for(Columns(["sex"], "y", "regression", [], [0.0], [1.0]), [2])
    kept = asdict(Columns(["sex"], "y", "regression", [], [0.0], [1.0])) | {"texts": texts}
    save(network, tmp_path / "m.npz", kind="csv_model", **kept)
    with pytest.raises(LoadError, match="is damaged: its columns don't fit the network"):
        CsvModel.load(tmp_path / "m.npz")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["setosa", "virginica", "setosa"], "({} of 3)"),
        (["", "NA", ""], "no score: new.csv: the column 'species' is empty"),
        (["setosa", "", "?"], "({} of 1); rows without a target left out: 2"),
        (["setosa", "rosa", "rosa"], "({} of 3); rows of classes that training hasn't seen: 2 ('rosa')"),
    ],
)
def test_rows_that_can_not_be_scored_are_counted_and_not_scored_as_wrong(run, tmp_path, cells, expected):
    run("train", IRIS, "--target", "species", "--epochs", "1", "--hidden", "2")
    rows = [f"5,3,1,0.2,{cell}" for cell in cells]
    (tmp_path / "new.csv").write_text("\n".join(["sepal_length,sepal_width,petal_length,petal_width,species", *rows]))
    code, out, err = run("predict", "model.npz", "new.csv")
    assert (code, len(out.splitlines())) == (0, 4)
    assert err.rstrip().endswith(tuple(expected.format(right) for right in range(4)))


def test_numbers_without_a_gap_are_scored_and_the_gaps_counted(run, tmp_path):
    run("train", line_data(tmp_path), "--target", "y", "--epochs", "1")
    (tmp_path / "new.csv").write_text("a,b,y\n1,2,3\n1,2,\n1,1,4\n")
    assert run("predict", "model.npz", "new.csv")[2].endswith("; rows without a target left out: 1\n")


def test_a_class_that_another_program_writes_as_a_float(trained, run, tmp_path):
    trained("x,y\n" + "0,0\n1,1\n" * 8, "y")
    (tmp_path / "new.csv").write_text("x,y\n0,0.0\n1,1.0\n")
    err = run("predict", "model.npz", "new.csv")[2]
    assert err.endswith("of 2); 0.0 is taken for the class 0; 1.0 is taken for the class 1\n")


def test_a_class_of_one_row_is_named(trained):
    assert "class 'rare': no row is held out, so the score tells nothing about it" in trained(
        "x,y\n1,rare\n" + "2,a\n3,b\n" * 8, "y"
    )


def test_a_file_without_names_is_asked_about_and_read_when_told(refused, trained, run, tmp_path):
    rows = "".join(line + "\n" for line in Path(IRIS).read_text().split()[1:])
    (tmp_path / "iris.csv").write_text(rows)
    expected = "iris.csv: does the first line name the columns? 'setosa' stands there and in line 2; add --header"
    assert refused("train", "iris.csv", "--target", "setosa").startswith(expected)
    trained(rows, "5", "--header", "no")
    assert refused("predict", "model.npz", "iris.csv").startswith(expected)
    assert len(run("predict", "model.npz", "iris.csv", "--header", "no")[1].splitlines()) == 151
