"""Tables from CSV files: numbers in named columns, and a target that is a class or a number.

Every mistake in a file is one `TableError` that says where it is: file, line, column. What is changed in reading, such
as an empty row that is left out, is a note.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal, NamedTuple

from autograd_mini.checks import Array

Path = str | os.PathLike[str]
Task = Literal["classification", "regression"]
TwoTexts = Mapping[str, Sequence[str]]  # for some columns the text that is 0 and the one that is 1

_SEPARATORS = ",;\t|"
_MISSING = {"", "nan", "na", "n/a", "null", "none", "?", "-", "#n/a", "<na>"}
_MOST_INTEGER_CLASSES = 10
_MOST_EXACT_INTEGER = 2**53  # beyond it, not every whole number is a float
_GROUPED = re.compile(r"([-+]?\d{1,3}([,.'’ \u00a0\u2009\u202f])(?:\d{2,3}\2)*\d{3})(?:(?!\2)[.,](\d+))?")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[T ].*)?")


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
    notes : list of str
        What was left out in reading.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    notes: list[str] = field(default_factory=list)

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
            hint = f"did you mean {close[0]!r}?" if close else f"it has {listed(self.header)}"
            raise TableError(f"{self.path} has no column {column!r}; {hint}{self.not_cut()}")
        return self.header.index(column)

    def not_cut(self) -> str:
        """Return what to say of a table that is one column, as its separator may be one that isn't read; else ""."""
        known = "; cells are separated by commas, semicolons, tabs or bars, or by what a first line sep= says"
        return known if len(self.header) == 1 else ""

    def column(self, typed: str) -> str:
        """Return the name of a column that a user typed: its name, or its number counted from 1.

        Raises
        ------
        TableError
            If there is no such column.
        """
        typed = typed.strip()
        if typed not in self.header and typed.isdecimal() and 1 <= int(typed) <= len(self.header):
            return self.header[int(typed) - 1]
        return self.header[self.place(typed)]

    def columns(self, typed: str) -> list[str]:
        """Return the columns that a user typed, with commas between; names that have commas in them, too.

        Raises
        ------
        TableError
            If there is no such column.

        Examples
        --------
        >>> Table("data.csv", ["id", "size, cm", "y"], [], []).columns("size, cm,id")
        ['size, cm', 'id']
        """
        found, parts = [], typed.split(",") if typed.strip() else []
        while parts:
            for count in range(len(parts), 0, -1):
                name = ",".join(parts[:count]).strip()
                known = [spelled for spelled in (name, name.strip("\"'")) if spelled in self.header]
                if known or count == 1:
                    break
            if known or name:
                found.append(known[0] if known else self.column(name))
            del parts[:count]
        return found

    def numbers(self, columns: Sequence[str], hint: str = "", texts: TwoTexts | None = None) -> Array:
        """Return columns as an array of shape (rows, columns).

        Parameters
        ----------
        columns : sequence of str
            Their names.
        hint : str
            What to do about a cell that is no number.
        texts : mapping, optional
            For some columns the text that is 0 and the text that is 1.

        Raises
        ------
        TableError
            If there is no such column, or a cell holds no finite number; names line and column, and adds `hint`.
        """
        import numpy as np  # what reads a table alone runs without it

        found = [self.column_of_numbers(column, hint, (texts or {}).get(column)) for column in columns]
        numbers: Array = np.array(found, dtype=float).reshape(len(columns), len(self.rows)).T.copy()
        return numbers

    def column_of_numbers(self, column: str, hint: str = "", texts: Sequence[str] | None = None) -> list[float]:
        """Return one column as `numbers` does, as a list."""
        place = self.place(column)
        return [
            self._which(row[place], line, column, texts) if texts else self._number(row[place], line, column, hint)
            for row, line in zip(self.rows, self.lines, strict=True)
        ]

    def _which(self, cell: str, line: int, column: str, texts: Sequence[str]) -> float:
        """Return 0 for the first of two texts and 1 for the second; capital letters count only where both are alike."""
        place = f"{self.path}, line {line}, column {column!r}"
        if are_missing([cell, *texts])[0]:
            raise TableError(f"{place}: {_missing(cell)}; fill it in or leave the row out")
        spelled = [cell == text for text in texts]
        found = spelled if any(spelled) else [cell.casefold() == text.casefold() for text in texts]
        if sum(found) != 1:
            raise TableError(f"{place}: {cell!r} is neither {texts[0]!r} nor {texts[1]!r}, which are known")
        return float(found[1])

    def _number(self, cell: str, line: int, column: str, hint: str) -> float:
        number = as_number(cell)
        if number is not None and math.isfinite(number):
            return number
        place = f"{self.path}, line {line}, column {column!r}"
        if cell.lower() in _MISSING:
            raise TableError(f"{place}: {_missing(cell)}; fill it in or leave the row out")
        if number is not None:
            raise TableError(f"{place}: {cell!r} isn't a finite number")
        hint = meant_as_number(cell) or hint
        raise TableError(f"{place}: {cell!r} isn't a number" + (f"; {hint}" if hint else ""))

    def two_texts(self, column: str) -> list[str] | None:
        """Return the two texts of a column that has no others, in alphabetical order; None for other columns.

        A column of True alone could have been False.
        Where two words are spelled with small and with capital letters, as in yes, Yes and no, they are two texts.
        """
        cells = self.cells(column)
        missing = are_missing(cells)
        found = sorted({cell for cell, is_missing in zip(cells, missing, strict=True) if not is_missing})
        if len(found) > 2:
            first = {text.casefold(): text for text in reversed(found)}
            found = sorted(first.values())
        if len(found) == 1 and found[0].casefold() in ("true", "false"):
            return ["False", "True"]
        if len(found) != 2 or any(as_number(text) is not None or meant_as_number(text) for text in found):
            return None
        return found


def _missing(cell: str) -> str:
    return f"the value is missing ({cell!r})" if cell else "the cell is empty"


def are_missing(cells: Sequence[str]) -> list[bool]:
    """Return which cells of a column of names or numbers hold nothing, however that is spelled.

    A class may be called none, or Na as sodium; a minus is one where there is a plus.

    Examples
    --------
    >>> are_missing(["NA", "Na", "none", "-", ""]), are_missing(["-", "+"])
    ([True, False, False, True, True], [False, False])
    """
    nothing = _MISSING - {"none"} - ({"-"} if "+" in cells else set())
    return [cell != "Na" and cell.lower() in nothing for cell in cells]


def as_number(cell: str) -> float | None:
    """Return a cell as a float; None where it isn't written as one.

    Examples
    --------
    >>> as_number("1e3"), as_number("nan"), as_number("setosa"), as_number("1_000"), as_number("−2")
    (1000.0, nan, None, None, -2.0)
    """
    try:
        return None if "_" in cell else float(cell.replace("−", "-"))
    except ValueError:
        return None


def exact_number(cell: str) -> Decimal | None:
    """Return a cell as a number with all its digits; None where it isn't written as one.

    Examples
    --------
    >>> exact_number("1.0") == exact_number("01"), exact_number("40000000000000011"), exact_number("x")
    (True, Decimal('40000000000000011'), None)
    """
    number = as_number(cell)
    return None if number is None or number != number else Decimal(cell.replace("−", "-"))


def meant_as_number(cell: str) -> str:
    """Return how to write a cell that was meant as a number and isn't read as one; empty if it wasn't meant so.

    Examples
    --------
    >>> meant_as_number("1.234,5"), meant_as_number("0,5"), meant_as_number("50%"), meant_as_number("setosa")
    ('it has separators of thousands; write 1234.5', 'write decimals with a point', "write it without '%'", '')
    """
    sign = re.search(r"^[-+]?\s*([$€£¥₹])|([$€£¥₹%‰])$", cell)
    if sign:
        bare = (cell[: sign.start(sign.lastindex or 0)] + cell[sign.end() :]).replace(" ", "")
        is_number = as_number(bare) is not None or meant_as_number(bare)
        return f"write it without {sign[sign.lastindex or 0]!r}" if is_number else ""
    grouped = _GROUPED.fullmatch(cell)
    if grouped and grouped[1].lstrip("-+")[0] != "0":
        whole = grouped[1].replace(grouped[2], "")
        if grouped[1] == cell and cell.count(",") == 1:
            return f"if its comma separates thousands, write {whole}, else {cell.replace(',', '.')}"
        return f"it has separators of thousands; write {whole}" + (f".{grouped[3]}" if grouped[3] else "")
    return "write decimals with a point" if "," in cell and as_number(cell.replace(",", ".")) is not None else ""


def read_table(path: Path, has_header: bool | None = None) -> Table:
    r"""Read a CSV file whose first line names its columns.

    The cells may be separated by commas, semicolons, tabs or bars, or by what Excel's line ``sep=`` says; the file is
    UTF-8, with or without a byte-order mark. Empty rows are left out, and so are empty columns without a name.

    Parameters
    ----------
    path : str or path
        The file.
    has_header : bool, optional
        Whether the first line names the columns; where it doesn't, they are called 1, 2, …. By default it must look
        as if it did.

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
    rows, lines, empty = _records(path, _text(path))
    if not rows:
        raise TableError(f"{path} is empty; expected a line of column names and rows below it")
    if has_header is False:
        header = [str(i + 1) for i in range(len(rows[0]))]
    else:
        if has_header is None:
            _check_names_are_there(path, rows, lines)
        header, rows, lines = rows[0], rows[1:], lines[1:]
        if not rows:
            raise TableError(f"{path} has column names but no rows below them")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            cells = f"{len(row)} cell{'s' if len(row) > 1 else ''}"
            columns = f"{len(header)} column{'s' if len(header) > 1 else ''}"
            first = f"names {columns}" if has_header is not False else f"has {columns}"
            raise TableError(f"{path}, line {line}: {cells}, but the first line {first}")
    notes = [f"empty rows left out: line {listed(empty)}"] if empty else []
    bare = [i for i, name in enumerate(header) if not name and not any(row[i] for row in rows)]
    if bare:
        notes.append(f"empty columns without a name left out: {listed([i + 1 for i in bare])}")
        header, *rows = ([cell for i, cell in enumerate(row) if i not in bare] for row in (header, *rows))
    _check_header(path, header)
    return Table(path, header, rows, lines, notes)


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


def _records(path: Path, text: str) -> tuple[list[list[str]], list[int], list[int]]:
    """Return the rows of a text and the lines in which they end; and the lines of empty rows between them."""
    said = re.match(r"\"?sep=([^\r\n])\"?[,;\t| ]*(?=[\r\n])", text, re.IGNORECASE)  # Excel's first line
    separator = said[1] if said else _separator(text)
    text = text[said.end() :] if said else text
    rows: list[list[str]] = []
    lines: list[int] = []
    empty: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
            (lines if any(cells) else empty).append(reader.line_num)
    except csv.Error as error:
        raise TableError(f"{path}, line {reader.line_num}: not a CSV file ({error})") from None
    return rows, lines, [line for line in empty if lines and lines[0] < line < lines[-1]]


def _separator(text: str) -> str:
    """Return the separator that cuts the first lines alike; a comma where none cuts them at all."""
    beginning = "".join(text.splitlines(keepends=True)[:100])[:5_000]  # on quotes alone the sniffer takes long
    try:
        return csv.Sniffer().sniff(beginning, _SEPARATORS).delimiter
    except csv.Error:
        return ","


def _check_names_are_there(path: Path, rows: list[list[str]], lines: list[int]) -> None:
    """Raise an error if the first row may be data: without asking, it would be lost as names."""
    first, below = rows[0], rows[1:]
    if all(as_number(name) is not None for name in first):
        raise TableError(f"{path}: the first line holds numbers; expected the names of the columns, or --header no")
    numbers, again, named = [], "", 0
    for i, name in enumerate(first):
        column = [row[i] if i < len(row) else "" for row in below]
        if _is_value(name):
            numbers.append(name)
        elif name.lower() not in _MISSING:
            present = [cell for cell in column if cell.lower() not in _MISSING]
            named += bool(present) and all(map(_is_value, present))
            if name in column and not again:
                again = f"{name!r} stands there and in line {lines[1 + column.index(name)]}"
    # Names stand above numbers. But a text among more numbers, or beside one that isn't whole, may be a slip in data.
    is_whole = all(map(str.isdecimal, numbers))  # as a year is, which may be a name
    if named and not (numbers and again) and named >= len(numbers) + (not is_whole):
        return
    seen = again or (f"{numbers[0]!r} stands there" if numbers else "")
    if seen:
        raise TableError(f"{path}: does the first line name the columns? {seen}; add --header yes or no")


def _is_value(cell: str) -> bool:
    """Return whether a cell is a number or a date, however it is written."""
    return as_number(cell) is not None or bool(meant_as_number(cell)) or _DATE.fullmatch(cell) is not None


def _check_header(path: Path, header: list[str]) -> None:
    if "" in header:
        raise TableError(
            f"{path}: column {header.index('') + 1} has no name; give it one or leave it out (pandas: index=False)"
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise TableError(f"{path}: the column name {twice[0]!r} stands there {Counter(header)[twice[0]]} times")


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
    import numpy as np

    task, values, classes = target_of(table, column, task)
    return Target(task, np.array(values, dtype=int if classes else float), classes)


def target_of(table: Table, column: str, task: Task | None = None) -> tuple[Task, list[float], list[str]]:
    """Return what `read_target` does, with the values in a list."""
    cells = table.cells(column)
    for is_missing, line in zip(are_missing(cells), table.lines, strict=True):
        if is_missing:
            raise TableError(f"{table.path}, line {line}, column {column!r}: the target is missing; leave the row out")
    numbers = [as_number(cell) for cell in cells]
    if task is None:
        task = "classification" if _are_classes(cells, numbers) else "regression"
    if task == "regression":
        values = table.column_of_numbers(column, "if it names a class, use --task classification")
        if min(values) == max(values):
            hint = "" if len(set(cells)) == 1 else ", but for spellings, which are classes with --task classification"
            raise TableError(
                f"{table.path}: column {column!r} is {cells[0]} in every row; there is nothing to predict{hint}"
            )
        return task, values, []
    classes = sorted(set(cells), key=lambda name: (as_number(name) is None, as_number(name) or 0.0, name))
    if len(classes) == 1:
        raise TableError(f"{table.path}: column {column!r} is {cells[0]} in every row; expected at least two classes")
    if len(classes) == len(cells):
        hint = "for numbers use --task regression" if None not in numbers else "is it a name or an id?"
        raise TableError(f"{table.path}: column {column!r} is different in every row, so it names no classes; {hint}")
    index = {name: i for i, name in enumerate(classes)}
    return task, [index[name] for name in cells], classes


def _are_classes(cells: list[str], numbers: list[float | None]) -> bool:
    """Return whether a target looks like classes rather than like a number to predict."""
    texts = sum(number is None and not meant_as_number(cell) for cell, number in zip(cells, numbers, strict=True))
    if texts:
        return 2 * texts >= len(cells)  # a few texts among many numbers are slips, and reported as such
    if not all(number is not None and number.is_integer() for number in numbers):
        return False
    if any(loses_digits(cell) for cell in cells):  # 00501 is a code, and so is a number that no float can hold
        return True
    counts = Counter(numbers)
    return len(counts) <= _MOST_INTEGER_CLASSES and min(counts.values()) >= 2


def loses_digits(cell: str) -> bool:
    """Return whether a whole number, taken for a float, is no longer the one that was written.

    Examples
    --------
    >>> [loses_digits(cell) for cell in ("00501", "40000000000000011", "2310009E13", "501", "0", "1e3", "0.10")]
    [True, True, True, False, False, False, False]
    """
    number = as_number(cell)
    if number is None or not number.is_integer():
        return False
    return re.match(r"[-+]?0\d", cell) is not None or abs(number) > _MOST_EXACT_INTEGER


def spellings(cells: Sequence[str]) -> list[list[str]]:
    """Return the groups of cells that may be meant as one: the same number, or differing in capital letters alone.

    Examples
    --------
    >>> spellings(["1", "1.0", "Yes", "yes", "no"])
    [['1', '1.0'], ['Yes', 'yes']]
    """
    groups: dict[object, list[str]] = {}
    for cell in sorted(set(cells)):
        number = exact_number(cell)
        groups.setdefault(cell.casefold() if number is None else number, []).append(cell)
    return [group for group in groups.values() if len(group) > 1]


def _differing_in_case(name: str, known: list[str]) -> list[str]:
    return [other for other in known if other.lower() == name.lower()]


def listed(names: Sequence[object], most: int = 12) -> str:
    """Return names in a row, no more than a line can show.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b', … (3 in all)"
    """
    shown = [repr(name) for name in names[:most]]
    return ", ".join(shown) + (f", … ({len(names)} in all)" if len(names) > most else "")
