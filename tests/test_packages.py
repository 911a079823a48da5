"""What users get: the files in the wheel and in the source archive, and what both say of themselves."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("hatchling")

ROOT = Path(__file__).resolve().parent.parent
COMPILED = {"autograd_mini/native/machine.so", "autograd_mini/native/machine.so.sha256"}
UNWANTED = {"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis", ".ipynb_checkpoints"}
UNWANTED |= {"_generated", "_pyodide", "lessons"}  # what building the site puts into docs


def files_below(folder):
    """The files of a folder of the source tree that a package may hold."""
    paths = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if not UNWANTED & {*path.parts}} - COMPILED


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with a wheel and a source archive, made of a copy: making them removes the tree's native library."""
    folder, copy = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("tree") / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*UNWANTED, ".git", "*.so", "*.so.sha256"))
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    environment = os.environ | {"AUTOGRAD_MINI_NATIVE": "0"}
    subprocess.run(command, cwd=copy, check=True, capture_output=True, env=environment)
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = (archive.read(n).decode() for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    assert names == files_below("autograd_mini")
    assert {"autograd_mini/py.typed", "autograd_mini/data/iris.csv", "autograd_mini/native/machine.h"} <= names
    assert "Requires-Python: >=3.10" in metadata
    assert "Provides-Extra: sklearn" in metadata
    assert "# autograd_mini" in metadata  # README is its description


@pytest.mark.slow
def test_the_source_archive_holds_all_that_the_tests_and_lessons_need(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    for folder in ("autograd_mini", "tests", "notebooks", "benchmarks", "docs"):
        assert files_below(folder) <= names, folder
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml"} <= names
    assert not COMPILED & names


def test_a_citation_names_this_version():
    import autograd_mini

    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {autograd_mini.__version__}\n" in text
    assert "license: MIT\n" in text
