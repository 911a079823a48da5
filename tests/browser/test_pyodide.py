"""The core without NumPy in Pyodide, run by node; and the folder that it is in."""

import io
import json
import runpy
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BROWSER = ROOT / "docs" / "browser_files.py"


def in_pyodide(*files):
    folder = ROOT / "docs" / "_pyodide"
    command = ["node", str(HERE / "pyodide.mjs"), str(folder), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)


@pytest.fixture
def browser():
    return runpy.run_path(str(BROWSER))


@pytest.mark.slow
@pytest.mark.needs("node", "pyodide")
def test_the_core_runs_in_pyodide_and_its_files_have_the_permissions_of_others(browser):
    browser["fill"]()  # with the wheel of the sources as they are
    done = in_pyodide(HERE.parent / "without_numpy.py", HERE / "in_pyodide.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["it runs without NumPy", "it runs in Pyodide"]
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.needs("pyodide")
def test_the_folder_has_what_its_list_says_and_the_wheels_are_pure(browser):
    folder = browser["fill"]()
    listed = json.loads((folder / "files.json").read_text())
    assert {name: (folder / name).stat().st_size for name in listed["files"]} == listed["files"]
    assert [name.split("-")[0] for name in listed["wheels"]] == ["autograd_mini", "graphviz"]
    assert all(name.endswith("-none-any.whl") for name in listed["wheels"])
    assert json.loads((folder / "pyodide-lock.json").read_text())["packages"] == {}, "no other package is asked for"


def packed(place, files):
    with tarfile.open(place / "p.tgz", "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return place / "p.tgz"


def test_a_package_of_npm_without_what_is_needed_is_an_error_that_names_it(tmp_path, browser):
    missing = pytest.raises(browser["FillError"], match=r"has no pyodide\.asm\.mjs, pyodide\.asm\.wasm")
    with tarfile.open(packed(tmp_path, {"pyodide.mjs": b"x"})) as archive, missing:
        list(browser["_taken"](archive, browser["PYODIDE"]))


def test_only_what_is_listed_is_taken_from_a_package(tmp_path, browser):
    files = dict.fromkeys(browser["TAKEN"][browser["PYODIDE"]], b"x") | {"../../outside": b"y", "other": b"z"}
    with tarfile.open(packed(tmp_path, files)) as archive:
        taken = dict(browser["_taken"](archive, browser["PYODIDE"]))
    assert taken == dict.fromkeys(browser["TAKEN"][browser["PYODIDE"]].values(), b"x")


def test_where_npm_is_missing_or_fails_the_message_says_so(tmp_path, browser, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(browser["FillError"], match=r"pyodide@.* no program npm: install Node\.js with npm"):
        browser["fill"](tmp_path / "folder")
    with pytest.raises(browser["FillError"], match=r"the wheel of x is needed, and .* didn't bring it: no such host"):
        browser["_run"]([sys.executable, "-c", "import sys; sys.exit('no such host')"], "the wheel of x", "")
