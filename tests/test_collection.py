"""Which tests are run: none that needs what isn't there, all that is asked for, the same in every process."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAID = "tests not collected, as they need what isn't here or take long: "


def collected(*arguments, **environment):
    """Collect tests in a process of its own; return its exit code and the lines that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**{key: os.environ[key] for key in os.environ.keys() - {"AUTOGRAD_MINI_EVERYTHING"}}, **environment},
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_without_dot_its_tests_are_not_collected_and_one_line_says_so(tmp_path):
    code, lines = collected("tests/views/test_renderers.py", PATH=str(tmp_path))
    assert code == 0
    assert "tests/views/test_renderers.py::test_pipe[builtin]" in lines
    assert not [line for line in lines if line.endswith("[dot]") or "same_files_as_with_dot" in line]
    (said,) = [line for line in lines if line.startswith(SAID)]
    assert re.search(r"dot: \d+ \(install Graphviz\)", said)


def test_where_everything_is_promised_it_is_an_error_that_something_is_missing(tmp_path):
    code, lines = collected("tests/test_graph.py", PATH=str(tmp_path), AUTOGRAD_MINI_EVERYTHING="1")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "nothing may be left out; missing dot (install Graphviz); chromium (install Chromium)" in "".join(lines)


def test_slow_tests_are_collected_when_asked_for():
    _, plain = collected("tests/test_million_nodes.py")
    _, every = collected("tests/test_million_nodes.py", "-m", "slow or not slow")
    assert len([line for line in plain if "::" in line]) == len([line for line in every if "::" in line]) - 2
    assert [line for line in plain if line.startswith(SAID)] == [SAID + 'slow: 2 (pytest -m "slow or not slow")']
    assert [line for line in every if line.startswith(SAID)] == []


@pytest.mark.slow
def test_the_names_of_tests_depend_neither_on_the_time_nor_on_the_process():
    """So that several processes can share them."""
    one, other = (collected("-m", "slow or not slow", PYTHONHASHSEED=seed)[1] for seed in "12")
    tests = [line for line in one if "::" in line]
    assert len(tests) > 5000
    assert tests == [line for line in other if "::" in line]
