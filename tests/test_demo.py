"""The demonstration: what it computes, prints and writes."""

import math
import os
import xml.etree.ElementTree as ElementTree

import pytest

from autograd_mini.cli import console, demo
from autograd_mini.cli import main as cli
from autograd_mini.engine.graph import leaves, topological_order
from autograd_mini.serialization import load_with_extra


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Run the demonstration once; return its exit code, what it printed and the folder it ran in."""
    folder = tmp_path_factory.mktemp("demo")
    before = os.getcwd()
    with pytest.MonkeyPatch.context() as patch, open(folder / "printed.txt", "w+", encoding="utf-8") as printed:
        patch.setattr("sys.stdout", printed)
        patch.setenv("COLUMNS", "80")
        os.chdir(folder)
        try:
            code = cli.main([])
        finally:
            os.chdir(before)
        printed.seek(0)
        return code, printed.read(), folder / demo.FOLDER


def test_the_lectures_example_is_the_lectures_example():
    loss = demo.lecture_example()
    node = {v.label: v for v in topological_order(loss) if v.label}
    assert set(node) == set("x y w¹₁ w¹₂ b¹₁ b¹₂ z¹₁ z¹₂ a₁ a₂ w²₁ w²₂ b² z² ŷ l".split())
    loss.backward()

    # The lecture's own formulas, (a) to (e).
    def g(z):
        return 1 / (1 + math.exp(-z))

    v = {label: u.data for label, u in node.items()}
    a = [g(v[f"w¹{i}"] * v["x"] + v[f"b¹{i}"]) for i in "₁₂"]
    y_hat = g(v["w²₁"] * a[0] + v["w²₂"] * a[1] + v["b²"])
    assert loss.data == pytest.approx(-(v["y"] * math.log(y_hat) + (1 - v["y"]) * math.log(1 - y_hat)), rel=1e-14)
    delta_y = -v["y"] / y_hat + (1 - v["y"]) / (1 - y_hat)
    delta_z2 = delta_y * y_hat * (1 - y_hat)
    assert node["ŷ"].grad == pytest.approx(delta_y, rel=1e-14)
    assert node["z²"].grad == pytest.approx(delta_z2, rel=1e-14)
    for i, unit in enumerate("₁₂"):
        delta_z1 = delta_z2 * v[f"w²{unit}"] * a[i] * (1 - a[i])
        assert node[f"w²{unit}"].grad == pytest.approx(delta_z2 * a[i], rel=1e-14)
        assert node[f"b¹{unit}"].grad == pytest.approx(delta_z1, rel=1e-13)
        assert node[f"w¹{unit}"].grad == pytest.approx(delta_z1 * v["x"], rel=1e-13)


def test_both_passes_are_printed_with_their_arithmetic(shown):
    code, out, _ = shown
    assert code == 0
    for line in [
        "  z¹₁ = w¹₁·x + b¹₁ = 0.8·1.5 + 0.1 = 1.3",
        "  ∂l/∂l   = 1",
        "  ∂l/∂z²  = ∂l/∂ŷ·σ′(z²) = (-1.61355)·0.235659 = -0.380247",
        "      σ′(z²) = ŷ·(1 - ŷ) = 0.619753·(1 - 0.619753) = 0.235659",
        "  w¹₁       0.8  -0.0575955         -0.0575955",
    ]:
        assert line in out.splitlines()


def test_nothing_is_wider_than_a_terminal(shown):
    assert max(console.shown_width(line) for line in shown[1].splitlines()) <= 80


def test_a_step_downhill_lowers_the_loss(shown):
    words = shown[1].split("takes l from ")[1].split()
    assert float(words[0]) > float(words[2].rstrip("."))


def test_the_network_learned(shown):
    accuracy = float(shown[1].split("test accuracy  ")[1].split("%")[0])
    assert accuracy >= 90.0


def test_it_wrote_what_it_says(shown):
    _, out, folder = shown
    written = sorted(path.name for path in folder.iterdir())
    assert written == ["iris_model.npz", "iris_network.svg", "lecture_example.svg"]
    assert all(name in out for name in written)
    for name in written[1:]:
        assert ElementTree.parse(folder / name).getroot().tag.endswith("svg")
    graph = (folder / "lecture_example.svg").read_text(encoding="utf-8")
    assert all(label in graph for label in ("ŷ", "z²", "1.614"))  # with its gradients
    model, extra = load_with_extra(folder / "iris_model.npz")
    assert (model.widths, extra["classes"]) == ([8, 3], ["setosa", "versicolor", "virginica"])


def test_it_can_be_run_again(shown, monkeypatch, capsys):
    monkeypatch.chdir(shown[2].parent)
    assert cli.main(["--no-progress"]) == 0
    assert capsys.readouterr().out == shown[1]  # to the last digit


def test_a_file_in_the_way_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / demo.FOLDER).write_text("")
    assert cli.main([]) == 2
    assert capsys.readouterr() == ("", "error: autograd_mini_demo: file exists\n")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes to read-only folders too")
def test_a_read_only_folder_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o555)
    assert cli.main([]) == 2
    assert capsys.readouterr() == ("", "error: autograd_mini_demo: permission denied\n")


def test_a_read_only_demo_folder_is_one_line(tmp_path, monkeypatch, capsys):
    def refuse(**options):
        raise PermissionError(13, "Permission denied", str(options["dir"] / "tmp123"))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo.tempfile, "TemporaryFile", refuse)
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "error: autograd_mini_demo: permission denied\n")


def test_it_survives_a_terminal_without_the_signs(tmp_path, run_python):
    out = run_python(
        f"import os; os.chdir({str(tmp_path)!r}); from autograd_mini.cli.main import main; raise SystemExit(main([]))",
        PYTHONIOENCODING="ascii",
        PYTHONUTF8="0",
    )
    assert "dl/dz2  = dl/dyhat*sigmoid'(z2) = (-1.61355)*0.235659 = -0.380247" in out


def test_leaves_are_listed_in_the_order_of_use():
    loss = demo.lecture_example()
    listed = [leaf.label for leaf in console.leaves_by_use(loss) if leaf.label]
    assert listed[:5] == ["w¹₁", "x", "b¹₁", "w¹₂", "b¹₂"]
    assert {leaf.label for leaf in leaves(loss) if leaf.label} == set(listed)
