"""The README: its Python runs as it stands there, and what it says of files to read in an evening is true."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EVENING = README.partition("\n## Read it in an evening\n")[2].partition("\n## ")[0]
FILES = re.findall(r"^\d+\. `([\w/]+\.py)`", EVENING, flags=re.M)
FURTHER = re.findall(r"`(\w+)\.(\w+)` in `([\w/]+\.py)`", EVENING)


def tree(file):
    return ast.parse((ROOT / "autograd_mini" / file).read_text(encoding="utf-8"))


def test_the_blocks_run(tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", README, flags=re.M | re.S)
    assert len(blocks) >= 3
    monkeypatch.chdir(tmp_path)
    variables = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), variables)
    assert "∂L/∂w" in capsys.readouterr().out
    assert (tmp_path / "backprop.html").exists()


def test_the_files_for_an_evening_have_as_many_lines_as_it_says():
    said = int(re.search(r"about ([\d,]+) lines", EVENING)[1].replace(",", ""))
    lines = sum(len((ROOT / "autograd_mini" / file).read_text(encoding="utf-8").splitlines()) for file in FILES)
    assert len(FILES) >= 5
    assert abs(lines - said) <= 50, f"they have {lines} lines now"
    assert said <= 1500, "too many for an evening"


@pytest.mark.parametrize("file", FILES)
def test_a_file_for_an_evening_imports_none_that_is_read_after_it(file):
    later = {name.removesuffix(".py").replace("/", ".") for name in FILES[FILES.index(file) + 1 :]}
    imported = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom):
            room = node.module.removeprefix("autograd_mini.")
            imported |= {room, *(f"{room}.{alias.name}" for alias in node.names)}
    assert imported & later == set()


@pytest.mark.parametrize(("owner", "method", "file"), FURTHER)
def test_what_to_read_next_is_there(owner, method, file):
    classes = [node for node in tree(file).body if isinstance(node, ast.ClassDef) and node.name == owner]
    assert method in [part.name for part in classes[0].body if isinstance(part, ast.FunctionDef)]


def test_there_is_something_to_read_next():
    assert len(FURTHER) == 2
