"""What several test files share, and which tests are left out where what they need isn't installed.

Plain `pytest` runs what it can where it is, and says in one line what it left out and how to run that too. A test
says what it needs by a mark: ``@pytest.mark.needs("dot")`` on a test or a parameter, or as ``pytestmark`` for a whole
file, which then isn't even imported. Tests marked ``slow`` are left out unless ``-m`` chooses. Where the environment
variable AUTOGRAD_MINI_EVERYTHING is set nothing is left out, and it is an error if anything is missing.
"""

import ast
import gc
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings

# How many examples each random test draws is said here alone, so that a profile is one for all of them:
# pytest --hypothesis-profile=nightly. What lands must not hang on a throw of dice: CI looks at the same examples every
# time, everybody else at new ones.
settings.register_profile("plain", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "plain")

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = bool(os.environ.get("AUTOGRAD_MINI_EVERYTHING"))

# What a test may need, and how to get it; the slow ones need only to be asked for.
PROGRAMS = {
    "dot": "install Graphviz",
    "chromium": "install Chromium",
    "node": "install Node.js",
    "pdflatex": "install TeX Live, of Debian's packages texlive-latex-base and texlive-pictures",
    "katex": "npm install --global katex",
}
FILLED = {"pyodide": "python docs/browser_files.py"}  # what isn't on PATH, but in docs/_pyodide
PACKAGES = """
    anywidget axe-playwright-python cloudpickle distributed furo graphviz-pure hatchling ipykernel jax joblib
    jupyterlab marimo matplotlib micrograd mypy myst-nb nbclient nbconvert networkx onnx onnxruntime pandas playwright
    polars safetensors scikit-learn sphinx
""".split()
# With its libraries for graphics cards PyTorch takes 5 GB, so these tests have a stage of their own in .ci/run, also
# where otherwise nothing may be left out.
IN_A_STAGE_OF_THEIR_OWN = {"torch": 'pip install ".[test,interchange,torch]"'}
HOW = {
    **IN_A_STAGE_OF_THEIR_OWN,
    "slow": 'pytest -m "slow or not slow"',
    **PROGRAMS,
    **FILLED,
    **dict.fromkeys(PACKAGES, 'pip install ".[dev,plot,jax]"'),
    "ziglang": 'pip install ".[wheels]"',
}

IMPORTED_AS = {"sklearn": "scikit-learn"}

left_out = pytest.StashKey[dict[str, set[str]]]()  # for each thing that is missing, the tests that need it


@cache
def is_missing(name):
    if name not in HOW:
        raise pytest.UsageError(f'needs("{name}"): tests/conftest.py knows how to get only {", ".join(HOW)}')
    if name == "slow":
        return False
    if name in PROGRAMS:
        return shutil.which(name) is None
    if name in FILLED:
        return not (ROOT / "docs" / "_pyodide" / "files.json").is_file()
    try:
        return not distribution(name)
    except PackageNotFoundError:
        return True


def pytest_configure(config):
    config.stash[left_out] = {}
    missing = {name: name for name in HOW if EVERYTHING and name not in IN_A_STAGE_OF_THEIR_OWN and is_missing(name)}
    if missing:
        raise pytest.UsageError(f"AUTOGRAD_MINI_EVERYTHING: nothing may be left out; missing {in_words(missing)}")
    config.pluginmanager.register(RoomsThatNeed())


class RoomsThatNeed:
    """Leaves out the running examples of rooms that can't be imported here: a conftest is asked of its own folder."""

    ROOMS: ClassVar = {"estimators": "scikit-learn"}

    def pytest_ignore_collect(self, collection_path, config):
        for room, package in self.ROOMS.items():
            if collection_path == ROOT / "autograd_mini" / room and is_missing(package):
                leave_out(config, package, str(collection_path))
                return True
        return None


def pytest_ignore_collect(collection_path, config):
    """Leave out a file that says by its `pytestmark` that it needs what isn't there, before it is imported."""
    if collection_path.suffix != ".py" or not collection_path.is_relative_to(ROOT / "tests"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    if "pytestmark" not in text:
        return None
    body = ast.parse(text).body
    why = next(filter(is_missing, needed_by_file(body)), None)
    if why is None:
        return None
    asked_for = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    if any(collection_path.is_relative_to(place) for place in asked_for):  # pytest looks at their neighbours, too
        for part in body:
            if isinstance(part, ast.FunctionDef) and part.name.startswith("test_"):
                leave_out(config, why, f"{collection_path}::{part.name}")
    return True


def needed_by_file(body):
    marks = [part for part in body if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "pytestmark"]
    calls = [part for mark in marks for part in ast.walk(mark) if isinstance(part, ast.Call)]
    return [name.value for call in calls if ast.unparse(call.func) == "pytest.mark.needs" for name in call.args]


def leave_out(config, why, test):
    config.stash[left_out].setdefault(why, set()).add(test)


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(config, items):
    chosen, others = [], []
    for item in items:
        slow = item.get_closest_marker("slow") and not config.option.markexpr and not EVERYTHING
        why = "slow" if slow else next(filter(is_missing, needed_by(item)), None)
        if why is not None:
            leave_out(config, why, item.nodeid.partition("[")[0])
        (chosen if why is None else others).append(item)
    items[:] = chosen
    if others:
        config.hook.pytest_deselected(items=others)


def pytest_collection_finish():
    """Spare the garbage collector the thousands of collected tests, which it would look at again and again."""
    gc.freeze()


def needed_by(item):
    if isinstance(item, pytest.DoctestItem):
        source = "".join(example.source for example in item.dtest.examples)
        imported = re.findall(r"^(?:import|from) (\w+)", source, flags=re.M)
        return [name for name in (IMPORTED_AS.get(name, name) for name in imported) if name in HOW]
    return [name for mark in item.iter_markers("needs") for name in mark.args]


def in_words(things):
    """What is said of each thing, and in brackets how to get it, once for all that are got in one way."""
    got_by = {}
    for name, words in things.items():
        got_by.setdefault(HOW[name], []).append(words)
    return "; ".join(f"{', '.join(several)} ({how})" for how, several in got_by.items())


def pytest_terminal_summary(terminalreporter, config):
    tests = config.stash[left_out]
    if tests:
        counts = {name: f"{name}: {len(tests[name])}" for name in HOW if name in tests}
        why = "as they need what isn't here or take long"
        terminalreporter.write_line(f"tests not collected, {why}: {in_words(counts)}")


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # one of several processes of pytest-xdist, which print nothing
        tests = session.config.stash[left_out]
        session.config.workeroutput["left out"] = {why: sorted(names) for why, names in tests.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for why, names in getattr(node, "workeroutput", {}).get("left out", {}).items():
        node.config.stash[left_out].setdefault(why, set()).update(names)


@pytest.fixture(autouse=True)
def operations_of_ones_own_go():
    """What a test makes with `operation` isn't in the table for the next one."""
    from autograd_mini.engine.primitives import PRIMITIVES

    before = dict(PRIMITIVES)
    yield
    for name in PRIMITIVES.keys() - before.keys():
        del PRIMITIVES[name]


@pytest.fixture
def run_python():
    """Run code in a new interpreter that knows the package, and return what it printed."""

    def run(code, **environment):
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, **environment},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def pdflatex(tmp_path_factory):
    """Typeset the body of an article, and return what is wrong: errors, what is over 5 pt too wide, too full pages."""

    def run(body, *packages):
        folder = tmp_path_factory.mktemp("pdflatex")
        head = ["\\documentclass{article}", *[f"\\usepackage{{{package}}}" for package in packages or ["amsmath"]]]
        source = "\n".join([*head, "\\begin{document}", body, "\\end{document}", ""])
        (folder / "article.tex").write_text(source, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "article.tex"]
        environment = {**os.environ, "max_print_line": "10000"}  # a log that isn't broken in the midst of a number
        subprocess.run(command, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, env=environment, timeout=120)
        log = (folder / "article.log").read_text(encoding="utf-8", errors="replace").splitlines()
        wrong = [" ".join(log[i : i + 8]) for i, line in enumerate(log) if line.startswith(("! ", "Missing character"))]
        wide = [line for line in log if float((re.match(r"Overfull \\hbox \(([\d.]+)pt", line) or [0, 0])[1]) > 5]
        wide += [line for line in log if line.startswith("Overfull \\vbox")]
        return wrong + wide + ["there is no PDF"] * (not (folder / "article.pdf").exists())

    return run


@pytest.fixture(scope="session")
def katex():
    """Typeset formulas, all by one process, and return what is wrong with those that KaTeX doesn't take as they are."""

    def run(formulas):
        formulas, package = list(formulas), Path(shutil.which("katex")).resolve().parent
        code = """
            const katex = require(process.argv[1]), formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
            const options = {displayMode: true, strict: "error", maxExpand: 1e6};
            const check = (formula) => { try { katex.renderToString(formula, options) } catch (e) { return e.message }};
            console.log(JSON.stringify(formulas.map((formula) => check(formula) || "")));
        """
        done = subprocess.run(
            ["node", "-e", code, str(package)],
            input=json.dumps(formulas),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return [
            f"{formula}: {error}" for formula, error in zip(formulas, json.loads(done.stdout), strict=True) if error
        ]

    return run
