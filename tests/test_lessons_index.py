"""The index from the lectures to code, lesson and test: nothing in it may point nowhere."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INDEX = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
ROWS = [row for row in INDEX.splitlines() if re.match(r"\| L\d", row)]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_every_lecture_has_rows():
    assert {number for row in ROWS for number in re.findall(r"L[1-5]\b", row.split("|")[1])} >= {
        "L1",
        "L2",
        "L3",
        "L4",
        "L5",
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_row_names_a_lesson_and_a_test_that_exist(row):
    *_, lessons, tests, _ = re.split(r"(?<!\\)\|", row)
    numbers = re.findall(r"\d+", lessons)
    assert numbers
    for number in numbers:
        assert [path for path in LESSONS if path.name.startswith(number)], number
    names = re.findall(r"`([\w/]+\.py)`", tests)
    assert names
    for name in names:
        assert (ROOT / "tests" / name).is_file(), name


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_is_in_the_index_and_is_stored_with_its_outputs(lesson):
    assert lesson.name in INDEX
    code = [cell for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert any(cell["outputs"] for cell in code)
    assert all(output["output_type"] != "error" for cell in code for output in cell["outputs"])
    assert max(len("".join(cell["source"]).splitlines()) for cell in code) <= 15


FITTED = [lesson for lesson in LESSONS if lesson.name[:2] in ("01", "05", "06", "10", "12", "13")]


@pytest.mark.parametrize("lesson", FITTED, ids=lambda path: path.stem)
def test_code_and_printed_text_fit_a_cell_of_jupyterlab_beside_its_side_bar(lesson):
    """106 characters in a window 1280 px wide: longer code is cut off, longer text breaks, in a number if need be."""
    for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        shown = ["".join(output.get("text", "")) for output in cell["outputs"]]
        for line in "\n".join(["".join(cell["source"]), *shown]).splitlines():
            assert len(line) <= 106, line


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_drawing_in_a_lesson_is_seen_where_the_notebook_is_not_trusted(lesson):
    """Neither SVG nor scripts are shown there, but images in HTML are."""
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    outputs = [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]
    drawings = ["".join(data.get("text/html", "")) for data in outputs if "image/svg+xml" in data]
    assert all('<img style="max-width:100%"' in html for html in drawings), "execute it again"
