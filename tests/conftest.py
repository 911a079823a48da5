"""What several test files share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# What lands must not hang on a throw of dice: CI looks at the same examples every time, everybody else at new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parent.parent


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
