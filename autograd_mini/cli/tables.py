"""Tables from CSV files: numbers in named columns, and a target that is a class or a number.

Every mistake in a file is one `TableError` that says where it is: file, line, column.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, NamedTuple

import numpy as np

from autograd_mini.checks import Array

Path = str | os.PathLike[str]
Task = Literal["classification", "regression"]

_SEPARATORS = ",;\t|"
_MISSING = {"", "nan", "na", "n/a", "null", "none", "?", "-"}
_MOST_INTEGER_CLASSES = 10


class TableError(ValueError):
    """A CSV file can't be used, and why, in one line."""


@dataclass(frozen=True)
class Table:
    """The cells of a CSV file.

    Attributes
    ----------
    path : str or path
        The file.
    header : list of str
        The names of the columns.
    rows : list of list of str
        The cells, without blanks around them.
    lines : list of int
        The line of the file in which each row ends, counted from 1.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def cells(self, column: str) -> list[str]:
        """Return the cells of a column.

        Raises
        ------
        TableError
            If there is no such column; names one that is spelled nearly the same.
        """
        place = self.place(column)
        return [row[place] for row in self.rows]

    def place(self, column: str) -> int:
        """Return which column has that name, counted from 0; raises as `cells` does."""
        if column not in self.header:
            close = get_close_matches(column, self.header, n=1) or _differing_in_case(column, self.header)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {_listed(self.header)}"
            raise TableError(f"{self.path} has no column {column!r}; {hint}")
        return self.header.index(column)

    def numbers(self, columns: Sequence[str], hint: str = "") -> Array:
        """Return columns as an array of shape (rows, columns).

        Raises
        ------
        TableError
            If there is no such column, or a cell holds no finite number; names line and column, and adds `hint`.
        """
        places = [self.place(column) for column in columns]
        found = [
            [self._number(row[place], line, column, hint) for place, column in zip(places, columns, strict=True)]
            for row, line in zip(self.rows, self.lines, strict=True)
        ]
        return np.array(found, dtype=float).reshape(len(self.rows), len(columns))

    def _number(self, cell: str, line: int, column: str, hint: str) -> float:
        number = as_number(cell)
        if number is not None and math.isfinite(number):
            return number
        place = f"{self.path}, line {line}, column {column!r}"
        if cell.lower() in _MISSING:
            shown = "the cell is empty" if not cell else f"the value is missing ({cell!r})"
            raise TableError(f"{place}: {shown}; fill it in or leave the row out")
        if number is not None:
            raise TableError(f"{place}: {cell!r} isn't a finite number")
        if as_number(cell.replace(",", ".")) is not None:
            hint = "write decimals with a point"
        raise TableError(f"{place}: {cell!r} isn't a number" + (f"; {hint}" if hint else ""))


class Target(NamedTuple):
    """What is to be predicted.

    Attributes
    ----------
    task : {"classification", "regression"}
        Whether it is a class or a number.
    values : numpy.ndarray of shape (rows,)
        Indices into `classes`, or the numbers.
    classes : list of str
        The names of the classes, in order; empty for regression.
    """

    task: Task
    values: Array
    classes: list[str]


def as_number(cell: str) -> float | None:
    """Return a cell as a float; None where it isn't written as one.

    Examples
    --------
    >>> as_number("1e3"), as_number("nan"), as_number("setosa"), as_number("1_000")
    (1000.0, nan, None, None)
    """
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def read_table(path: Path) -> Table:
    r"""Read a CSV file whose first line names its columns.

    The cells may be separated by commas, semicolons, tabs or bars; the file is UTF-8, with or without a byte-order
    mark. Blank lines are left out.

    Raises
    ------
    TableError
        If it isn't such a file: not text, no names, a name twice, no rows, a row with more or fewer cells.
    OSError
        If it can't be opened.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "data.csv"
    ...     _ = file.write_text("x; y\n1; 2\n3; 4\n")
    ...     table = read_table(file)
    >>> table.header, table.numbers(["y"]).tolist()
    (['x', 'y'], [[2.0], [4.0]])
    """
    text = _text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), skipinitialspace=True, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise TableError(f"{path}, line {reader.line_num}: not a CSV file ({error})") from None
    if not rows:
        raise TableError(f"{path} is empty; expected a line of column names and rows below it")
    _check_header(path, rows[0])
    if len(rows) == 1:
        raise TableError(f"{path} has column names but no rows below them")
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) != len(rows[0]):
            cells = f"{len(row)} cell{'s' if len(row) > 1 else ''}"
            raise TableError(f"{path}, line {line}: {cells}, but the first line names {len(rows[0])} columns")
    return Table(path, rows[0], rows[1:], lines[1:])


def _text(path: Path) -> str:
    """Return the text of a file."""
    with open(path, "rb") as file:
        content = file.read()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableError(f"{path} is UTF-16 text; save it as UTF-8")
    if b"\0" in content:
        raise TableError(f"{path} isn't a text file; expected a CSV file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError(f"{path}, line {line}: byte 0x{content[error.start]:02x} isn't UTF-8; save as UTF-8") from None


def _separator(text: str) -> str:
    """Return the separator that cuts the first line into the most cells; a comma where none does."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=lambda separator: len(next(csv.reader([first], delimiter=separator), [])))


def _check_header(path: Path, header: list[str]) -> None:
    if all(as_number(name) is not None for name in header):
        raise TableError(f"{path}: the first line holds numbers; expected the names of the columns")
    if "" in header:
        raise TableError(
            f"{path}: column {header.index('') + 1} has no name; give it one or leave it out (pandas: index=False)"
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise TableError(f"{path}: the column name {twice[0]!r} stands there {Counter(header)[twice[0]]} times")


def read_target(table: Table, column: str, task: Task | None = None) -> Target:
    """Return a column as the target of a prediction.

    Text is a class, and so are integers of which there are at most ten, each at least twice; other numbers are to be
    predicted as numbers.

    Parameters
    ----------
    table : Table
        The table.
    column : str
        The name of the target's column.
    task : {"classification", "regression"}, optional
        What to take it for, if not by that rule.

    Raises
    ------
    TableError
        If there is no such column, a cell is empty or no number where numbers are due, or all cells are the same.

    Examples
    --------
    >>> table = Table("pets.csv", ["pet"], [["cat"], ["dog"], ["cat"], ["dog"]], [2, 3, 4, 5])
    >>> target = read_target(table, "pet")
    >>> target.task, target.values.tolist(), target.classes
    ('classification', [0, 1, 0, 1], ['cat', 'dog'])
    """
    cells = table.cells(column)
    for cell, line in zip(cells, table.lines, strict=True):
        if cell == "" or cell.lower() == "nan":
            raise TableError(f"{table.path}, line {line}, column {column!r}: the target is missing; leave the row out")
    numbers = [as_number(cell) for cell in cells]
    if task is None:
        task = "classification" if _are_classes(cells, numbers) else "regression"
    values: Array
    if task == "regression":
        values = table.numbers([column], "if it names a class, use --task classification")[:, 0]
        if np.ptp(values) == 0.0:
            raise TableError(f"{table.path}: column {column!r} is {cells[0]} in every row; there is nothing to predict")
        return Target(task, values, [])
    names = [class_name(cell) for cell in cells]
    classes = sorted(set(names), key=lambda name: (as_number(name) is None, as_number(name) or 0.0, name))
    if len(classes) == 1:
        raise TableError(f"{table.path}: column {column!r} is {cells[0]} in every row; expected at least two classes")
    if len(classes) == len(cells):
        hint = "for numbers use --task regression" if None not in numbers else "is it a name or an id?"
        raise TableError(f"{table.path}: column {column!r} is different in every row, so it names no classes; {hint}")
    index = {name: i for i, name in enumerate(classes)}
    return Target(task, np.array([index[name] for name in names]), classes)


def _are_classes(cells: list[str], numbers: list[float | None]) -> bool:
    """Return whether a target looks like classes rather than like a number to predict."""
    texts = sum(number is None for number in numbers)
    if texts:
        return 2 * texts >= len(cells)  # a few texts among many numbers are slips, and reported as such
    if not all(number is not None and number.is_integer() for number in numbers):
        return False
    counts = Counter(numbers)
    return len(counts) <= _MOST_INTEGER_CLASSES and min(counts.values()) >= 2


def class_name(cell: str) -> str:
    """Return what a cell calls a class: 1, 1.0 and 01 are the same.

    Examples
    --------
    >>> class_name("1.0"), class_name("setosa"), class_name("0.5")
    ('1', 'setosa', '0.5')
    """
    number = as_number(cell)
    if number is None or not math.isfinite(number):
        return cell
    return str(int(number)) if number.is_integer() else repr(number)


def _differing_in_case(name: str, known: list[str]) -> list[str]:
    return [other for other in known if other.lower() == name.lower()]


def _listed(names: list[str], most: int = 12) -> str:
    shown = [repr(name) for name in names[:most]]
    return ", ".join(shown) + (f", … ({len(names)} in all)" if len(names) > most else "")
