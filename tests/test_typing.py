"""Programs with types, as users write them: they run, and pass ``mypy --strict``, and a mistake in types is found."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_mini

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "tests" / "typing").glob("*.py"))


def checked(*paths):
    """What mypy says of files, without the line of its summary."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        *map(str, paths),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300).stdout.splitlines()


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_program_with_types_runs(script, capsys):
    runpy.run_path(str(script))
    assert capsys.readouterr().out


def test_type_checkers_are_told_that_the_package_has_types():
    assert (Path(autograd_mini.__file__).parent / "py.typed").exists()
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'files = ["autograd_mini", "tests/typing"]' in settings, "mypy alone checks the programs too"


@pytest.mark.slow
@pytest.mark.needs("mypy")
def test_programs_with_types_pass_mypy_strict():
    assert checked(*SCRIPTS) == [f"Success: no issues found in {len(SCRIPTS)} source files"]


@pytest.mark.slow
@pytest.mark.needs("mypy")
def test_mypy_knows_what_functions_losses_and_modules_give(tmp_path):
    lines = {
        "ag.tanh(Value(1.0))": "Value",
        "ag.tanh(1)": "float",
        "ag.tanh(np.zeros(2))": "ndarray",
        "Value(1.0).exp()": "Value",
        "ag.maximum(0.0, Value(1.0))": "Value",
        "ag.maximum(0.0, 1.0)": "float",
        "ag.where(Value(1.0) > 0, Value(1.0), 0.0)": "Value",
        "ag.clip(Value(1.0), 0.0, 1.0)": "Value",
        "ag.sum([Value(1.0), 2.0])": "Value",
        "ag.softmax([1.0, 2.0])": "list[",
        "ag.grad(ag.tanh)(0.5)": "float",
        "nn.Neuron(2)([1.0, 2.0])": "Value",
        "nn.MLP(2, [1])([1.0, 2.0]) - 1.0": "Value",
        "nn.MLP(2, [3])([1.0, 2.0])[0]": "Value",
        "nn.squared_error(nn.MLP(2, [1])([1.0, 2.0]), 1.0)": "Value",
        "nn.cross_entropy(nn.MLP(2, [3])([1.0, 2.0]), 1)": "Value",
        "nn.huber([1.0], [2.0])": "float",
        "ag.pick(Value(1.0), [Value(2.0), Value(3.0)])": "value.Value",
        "ag.pick(Value(1.0), [[Value(2.0)], [3.0]])": "list[autograd_mini.engine.value.Value]",
        "ag.pick(1, [2.0, 3.0])": "float",
        "nn.Embedding(3, 2)(1)[0]": "value.Value",
        "nn.Embedding(3, 2)(range(2))[0][0]": "value.Value",
        "Own()([1.0])": "Value",
    }
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\nimport autograd_mini as ag\nfrom autograd_mini import Value, nn\n"
        "class Own(nn.Module):\n    def forward(self, x: list[float]) -> Value:\n        return Value(x[0])\n"
        + "".join(f"reveal_type({expression})\n" for expression in lines)
        + "Own()('a')\nag.tanh('a')\nnn.squared_error(Value(1.0), 'a')\n",
        encoding="utf-8",
    )
    said = checked(script)
    revealed = [line for line in said if "Revealed type is" in line]
    assert len(revealed) == len(lines)
    for (expression, kind), line in zip(lines.items(), revealed, strict=True):
        assert kind in line, f"{expression}: {line}"
    errors = [line for line in said if ": error: " in line]
    assert [line.partition(":")[2].partition(":")[0] for line in errors] == [str(len(lines) + 7 + k) for k in range(3)]
