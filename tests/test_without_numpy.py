"""The engine, its explanations and its drawings need no NumPy."""

from pathlib import Path

HIDDEN = """
import runpy, sys
sys.modules["numpy"] = None  # what an import finds where it isn't installed
runpy.run_path({script!r}, run_name="__main__")
"""


def test_the_core_runs_without_numpy(run_python):
    script = Path(__file__).resolve().parent / "without_numpy.py"
    assert run_python(HIDDEN.format(script=str(script))).strip() == "it runs without NumPy"
