"""Programs in the style of micrograd give the figures that micrograd gives, which ``record.py`` wrote down."""

import importlib.util
import json
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "micrograd"
spec = importlib.util.spec_from_file_location("record_micrograd", HERE / "record.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)


def agree(ours, theirs):
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(agree(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    return ours == (pytest.approx(theirs, rel=1e-9, abs=1e-12) if isinstance(theirs, float) else theirs)


@pytest.mark.parametrize("name", record.programs())
def test_a_program_for_micrograd_gives_its_figures(name):
    theirs = json.loads(record.FIGURES.read_text(encoding="utf-8"))[name]
    ours = record.figures(record.programs()[name])
    assert {key for key in theirs if not agree(ours[key], theirs[key])} == set()
    assert ours.keys() == theirs.keys()
