"""CSV files: what is read, what a target is taken for, and what is said about files that can't be used."""

import numpy as np
import pytest

from autograd_mini.cli.tables import Table, TableError, as_number, class_name, read_table, read_target


@pytest.fixture
def table_of(tmp_path):
    """Write a file and read it as a table."""

    def read(content):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path)

    return read


def column(*cells):
    return Table("data.csv", ["y"], [[cell] for cell in cells], list(range(2, len(cells) + 2)))


# -------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    "content",
    [
        "a,b,y\n1,2.5,cat\n3,-4e1,dog\n",
        "a;b;y\n1;2.5;cat\n3;-4e1;dog\n",
        "a\tb\ty\n1\t2.5\tcat\n3\t-4e1\tdog",
        "a|b|y\r\n1|2.5|cat\r\n3|-4e1|dog\r\n",
        "\ufeffa,b,y\n1,2.5,cat\n3,-4e1,dog\n",
        '"a", "b", "y"\n 1 , 2.5,"cat"\n\n3, -4e1, dog\n,,\n\n',
    ],
    ids=["commas", "semicolons", "tabs", "bars", "byte-order mark", "quotes and blanks"],
)
def test_the_same_table_however_it_is_written(table_of, content):
    table = table_of(content)
    assert table.header == ["a", "b", "y"]
    assert table.numbers(["b", "a"]).tolist() == [[2.5, 1.0], [-40.0, 3.0]]
    assert table.cells("y") == ["cat", "dog"]


def test_lines_count_blank_ones_and_line_breaks_in_quotes(table_of):
    assert table_of('a,b\n1,"x\ny"\n\n2,z\n').lines == [3, 5]


def test_a_comma_in_a_name_is_no_separator(table_of):
    assert table_of('"a,b";c\n1;2\n').header == ["a,b", "c"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", " is empty; expected a line of column names and rows below it"),
        ("\n \n", " is empty; expected a line of column names and rows below it"),
        ("a,b\n", " has column names but no rows below them"),
        ("1,2\n3,4\n", ": the first line holds numbers; expected the names of the columns"),
        (",a\n0,1\n", ": column 1 has no name; give it one or leave it out (pandas: index=False)"),
        ("a,b,a\n1,2,3\n", ": the column name 'a' stands there 2 times"),
        ("a,b\n1,2\n1,2,3\n", ", line 3: 3 cells, but the first line names 2 columns"),
        ("a,b\n1\n", ", line 2: 1 cell, but the first line names 2 columns"),
        ('a,b\n1,"2\n', ", line 2: not a CSV file (unexpected end of data)"),
        (b"a,b\n1,\0\n", " isn't a text file; expected a CSV file"),
        ("a,b\n1,2\n".encode("utf-16"), " is UTF-16 text; save it as UTF-8"),
        ("a,b\n1,2\né,1\n".encode("latin-1"), ", line 3: byte 0xe9 isn't UTF-8; save as UTF-8"),
    ],
)
def test_files_that_are_no_tables(table_of, tmp_path, content, expected):
    with pytest.raises(TableError) as caught:
        table_of(content)
    assert str(caught.value) == f"{tmp_path / 'data.csv'}{expected}"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("abc", "'abc' isn't a number; leave it out"),
        ("1,5", "'1,5' isn't a number; write decimals with a point"),
        ("1_000", "'1_000' isn't a number; leave it out"),
        ("", "the cell is empty; fill it in or leave the row out"),
        ("NaN", "the value is missing ('NaN'); fill it in or leave the row out"),
        ("?", "the value is missing ('?'); fill it in or leave the row out"),
        ("inf", "'inf' isn't a finite number"),
        ("1e999", "'1e999' isn't a finite number"),
    ],
)
def test_cells_that_are_no_numbers(cell, expected):
    table = Table("data.csv", ["a", "b"], [["1", "2"], ["3", cell]], [2, 7])
    with pytest.raises(TableError) as caught:
        table.numbers(["a", "b"], hint="leave it out")
    assert str(caught.value) == f"data.csv, line 7, column 'b': {expected}"
    assert table.numbers(["a"]).tolist() == [[1.0], [3.0]]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("specis", "did you mean 'species'?"),
        ("X", "did you mean 'x'?"),
        ("weight", "it has 'x', 'species'"),
    ],
)
def test_a_column_that_is_not_there(name, hint):
    with pytest.raises(TableError) as caught:
        Table("data.csv", ["x", "species"], [["1", "a"]], [2]).cells(name)
    assert str(caught.value) == f"data.csv has no column {name!r}; {hint}"


def test_many_columns_are_not_all_listed():
    with pytest.raises(TableError, match=r"'c11', … \(50 in all\)$"):
        Table("data.csv", [f"c{i}" for i in range(50)], [], []).place("weight")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")


# ------------------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize(
    ("cells", "classes", "values"),
    [
        (["b", "a", "b", "a"], ["a", "b"], [1, 0, 1, 0]),
        (["True", "False", "True"], ["False", "True"], [1, 0, 1]),
        (["10", "9", "9", "10"], ["9", "10"], [1, 0, 0, 1]),
        (["1", "1.0", "01", "0", "0"], ["0", "1"], [1, 1, 1, 0, 0]),
        (["a", "1", "a", "b"], ["1", "a", "b"], [1, 0, 1, 2]),
    ],
    ids=["text", "bool", "few integers, in order of size", "one class in three spellings", "mostly text"],
)
def test_classes(cells, classes, values):
    target = read_target(column(*cells), "y")
    assert (target.task, target.classes, target.values.tolist()) == ("classification", classes, values)


@pytest.mark.parametrize(
    "cells",
    [["1.5", "2", "2", "1.5"], ["1", "2", "2", "3"], [str(i // 2) for i in range(22)]],
    ids=["fractions", "an integer that stands once", "eleven integers"],
)
def test_numbers(cells):
    target = read_target(column(*cells), "y")
    assert (target.task, target.classes) == ("regression", [])
    assert target.values.tolist() == [float(cell) for cell in cells]


def test_ten_integers_are_classes():
    assert read_target(column(*[str(i // 2) for i in range(20)]), "y").task == "classification"


def test_the_task_can_be_chosen():
    few = column("1", "1", "2", "2")
    assert read_target(few, "y", "regression").values.dtype == np.float64
    assert read_target(column("1.5", "2.5", "1.5"), "y", "classification").classes == ["1.5", "2.5"]


@pytest.mark.parametrize(
    ("cells", "task", "expected"),
    [
        (["a", "", "b"], None, ", line 3, column 'y': the target is missing; leave the row out"),
        (["1", "2", "nan"], None, ", line 4, column 'y': the target is missing; leave the row out"),
        (["a", "a"], None, ": column 'y' is a in every row; expected at least two classes"),
        (["1", "1"], None, ": column 'y' is 1 in every row; expected at least two classes"),
        (["1.5", "1.5"], None, ": column 'y' is 1.5 in every row; there is nothing to predict"),
        (
            ["ann", "bob"],
            None,
            ": column 'y' is different in every row, so it names no classes; is it a name or an id?",
        ),
        (
            ["1", "2"],
            "classification",
            ": column 'y' is different in every row, so it names no classes; for numbers use --task regression",
        ),
        (
            ["1", "2", "x", "4", "5"],
            None,
            ", line 4, column 'y': 'x' isn't a number; if it names a class, use --task classification",
        ),
        (
            ["a", "b"],
            "regression",
            ", line 2, column 'y': 'a' isn't a number; if it names a class, use --task classification",
        ),
    ],
)
def test_targets_that_can_not_be_learned(cells, task, expected):
    with pytest.raises(TableError) as caught:
        read_target(column(*cells), "y", task)
    assert str(caught.value) == f"data.csv{expected}"


def test_how_cells_are_read():
    assert [as_number(cell) for cell in ("1", "-2.5e3", "x", "1_0", "")] == [1.0, -2500.0, None, None, None]
    assert [class_name(cell) for cell in ("1.0", "-0", "0.50", "x", "inf")] == ["1", "0", "0.5", "x", "inf"]
