"""CONTRIBUTING's tables of rooms and files: all that they name is there, and nothing is missing."""

import re
from pathlib import Path

import pytest

import autograd_mini

PACKAGE = Path(autograd_mini.__file__).resolve().parent
CONTRIBUTING = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = [row.split("|")[1:3] for row in CONTRIBUTING.splitlines() if re.match(r"\| `", row)]
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def named():
    """Return the files and folders that the tables name: in the first column, or beside their folder in the second."""
    found = []
    for what, described in ROWS:
        places = re.findall(r"`([\w/]+(?:\.py|/))`", what)
        found += [*places, *(places[0] + file for file in re.findall(r"`(\w+\.py)`", described))]
    return found


def unnamed(room):
    """Return the files of a room that have no row; the row of a folder that names no files is for all in it."""
    rows = named()
    whole = [place for place in rows if place.endswith("/") and place.count("/") > 1]
    whole = tuple(place for place in whole if not any(row.startswith(place) and row != place for row in rows))
    files = [path.relative_to(PACKAGE).as_posix() for path in sorted((PACKAGE / room).rglob("*.py"))]
    files = [file for file in files if not file.endswith("__init__.py")]
    return [file for file in files if file not in rows and not file.startswith(whole)]


@pytest.mark.parametrize("place", named())
def test_what_the_tables_name_is_there(place):
    assert (PACKAGE / place).exists()


def test_every_room_has_a_row():
    assert {f"{room}/" for room in ROOMS} <= set(named())


@pytest.mark.parametrize("room", ["engine", "formulas", "explanations", "views", "cli"])
def test_every_file_of_these_rooms_has_a_row(room):
    assert unnamed(room) == []
