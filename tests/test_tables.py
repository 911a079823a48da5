"""CSV files: what is read, what a target is taken for, and what is said about files that can't be used."""

import re
from decimal import Decimal

import numpy as np
import pytest

from autograd_mini.cli import table_models
from autograd_mini.cli.tables import Table, TableError, as_number, exact_number, read_table, read_target


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
        ("1,2\n3,4\n", ": the first line holds numbers; expected the names of the columns, or --header no"),
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
        (["1", "1.0", "01", "0", "0"], ["0", "01", "1", "1.0"], [2, 3, 1, 0, 0]),
        (["a", "1", "a", "b"], ["1", "a", "b"], [1, 0, 1, 2]),
    ],
    ids=["text", "bool", "few integers, in order of size", "a class is its spelling", "mostly text"],
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
    assert [exact_number(cell) for cell in ("1.0", "-0", "0.50", "x", "nan")] == [1, 0, Decimal("0.5"), None, None]


@pytest.mark.parametrize(
    "cells",
    [
        ["2310009E13", "2310009F20"],
        ["40000000000000011", "40000000000000008"],
        ["3.1", "3.10", "3.9"],
        ["00501", "10001"],
        ["1", "1.0", "01"],
        ["1e3", "1000"],
        ["-0", "0"],
    ],
)
def test_classes_that_look_like_numbers_keep_their_spelling(cells):
    target = read_target(column(*cells, *cells), "y", "classification")
    assert sorted(target.classes) == sorted(cells)
    assert [target.classes[int(index)] for index in target.values] == cells * 2


@pytest.mark.parametrize("cells", [["00501", "10001"], ["40000000000000011"] * 3 + ["40000000000000012"] * 3])
def test_whole_numbers_that_a_float_changes_are_classes_without_asking(cells):
    assert read_target(column(*cells, *cells, *[f"{i}" for i in range(20)]), "y").task == "classification"


@pytest.mark.parametrize("missing", ["NA", "N/A", "n/a", "null", "?", "-", "NaN", "<NA>", "#N/A", "na"])
def test_what_is_missing_in_a_target(missing):
    with pytest.raises(TableError, match=r"line 4, column 'y': the target is missing; leave the row out$"):
        read_target(column("a", "b", missing, "a", "b"), "y")


def test_what_a_class_may_be_called():
    assert read_target(column("+", "-", "+", "-"), "y").classes == ["+", "-"]
    assert read_target(column("none", "mild", "none", "mild"), "y").classes == ["mild", "none"]
    assert read_target(column("Na", "Cl", "Na", "Cl"), "y").classes == ["Cl", "Na"]


# ----------------------------------------------------------------------------------------- what programs write


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;", "sep=;;;"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_excel_s_line_that_names_the_separator(table_of, first, end):
    table = table_of(end.join([first, "a;b", "1;2", "3;x,y"]))
    assert (table.header, table.rows, table.lines) == (["a", "b"], [["1", "2"], ["3", "x,y"]], [3, 4])


def test_a_separator_may_be_any_that_the_first_line_names(table_of):
    assert table_of("sep=^\na^b\n1,5^2\n").rows == [["1,5", "2"]]


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("temperature (C, dry);b\n1;2\n3;4\n", ["temperature (C, dry)", "b"]),
        ("a|b;c\n1;2\n", ["a|b", "c"]),
        ('a;"b;c"\n1,5;2,5\n', ["a", "b;c"]),
        ("a\tb, c\n1\t2\n", ["a", "b, c"]),
        ("only\n1\n2\n", ["only"]),
    ],
)
def test_the_separator_is_the_one_that_cuts_all_rows_alike(table_of, content, header):
    assert table_of(content).header == header


IRIS_ROWS = "5.1,3.5,setosa\n4.9,3.0,setosa\n6.1,2.8,virginica\n5.9,3.1,virginica\n"


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (IRIS_ROWS, "'setosa' stands there and in line 2"),
        ("setosa,5.1\nvirginica,5.2\nother,5.3\n", "'5.1' stands there"),
        ("yes,no,a\nno,yes,b\nyes,no,c\n", "'yes' stands there and in line 3"),
        ('"1,234",x\n"2,345",y\n', "'1,234' stands there"),
        ("2020-01-31,a\n2020-02-28,b\n", "'2020-01-31' stands there"),
        ("50%,a\n60%,b\n", "'50%' stands there"),
        ("?,3.5,a\n4.9,3.0,b\n", "'3.5' stands there"),
        ("5.1 cm,3.5,a\n4.9,3.0,a\n4.7,3.0,a\n", "'a' stands there and in line 2"),
        ("country,2019,2020\nFrance,1.5,2.5\nSpain,1.1,2.1\n", "'2019' stands there"),
    ],
)
def test_a_first_row_that_may_be_data_is_asked_about(table_of, tmp_path, content, seen):
    with pytest.raises(TableError) as caught:
        table_of(content)
    expected = f"data.csv: does the first line name the columns? {seen}; add --header yes or no"
    assert str(caught.value) == str(tmp_path / expected)


@pytest.mark.parametrize(
    "content",
    [
        "id,2019\n7,1.5\n8,2.5\n",
        "x,y\n1,y\n2,n\n",
        "Na,Cl,y\n1,2,a\n3,4,b\n",
        "name,y\nann,a\nbob,b\n",
        "a,b\n,x\n1,y\n",
        "1st,2nd\n0.5,0.25\n",
    ],
)
def test_a_first_row_of_names_is_taken_for_names(table_of, content):
    assert table_of(content).header == content.split("\n")[0].split(",")


def test_columns_without_names_are_called_by_their_numbers(table_of, tmp_path):
    (tmp_path / "data.csv").write_text(IRIS_ROWS)
    table = read_table(tmp_path / "data.csv", has_header=False)
    assert (table.header, len(table.rows), table.lines[0]) == (["1", "2", "3"], 4, 1)
    assert read_table(tmp_path / "data.csv", has_header=True).header == ["5.1", "3.5", "setosa"]
    (tmp_path / "data.csv").write_text("1,2\n3\n")
    with pytest.raises(TableError, match=r"line 2: 1 cell, but the first line has 2 columns$"):
        read_table(tmp_path / "data.csv", has_header=False)


def test_empty_rows_and_columns_are_left_out_with_a_note(table_of):
    table = table_of("a,b,\n1,2,\n,,\n\n3,4,\n,,\n\n")
    assert (table.header, table.rows) == (["a", "b"], [["1", "2"], ["3", "4"]])
    assert table.notes == ["empty rows left out: line 3, 4", "empty columns without a name left out: 3"]
    assert table_of("a,b\n1,2\n\n\n").notes == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1,234", "if its comma separates thousands, write 1234, else 1.234"),
        ("-1,234", "if its comma separates thousands, write -1234, else -1.234"),
        ("1,234,567", "it has separators of thousands; write 1234567"),
        ("1,234.5", "it has separators of thousands; write 1234.5"),
        ("1.234,56", "it has separators of thousands; write 1234.56"),
        ("1.234.567", "it has separators of thousands; write 1234567"),
        ("12,34,567", "it has separators of thousands; write 1234567"),
        ("1 234", "it has separators of thousands; write 1234"),
        ("1\u00a0234,5", "it has separators of thousands; write 1234.5"),
        ("1\u202f234", "it has separators of thousands; write 1234"),
        ("1'234", "it has separators of thousands; write 1234"),
        ("0,5", "write decimals with a point"),
        ("0,125", "write decimals with a point"),
        ("-12,25", "write decimals with a point"),
        ("50%", "write it without '%'"),
        ("$5", "write it without '$'"),
        ("-$5", "write it without '$'"),
        ("1,50 €", "write it without '€'"),
        ("$1,234", "write it without '$'"),
        ("5 cm", "leave it out"),
        ("2020-01-31", "leave it out"),
        ("10:30", "leave it out"),
    ],
)
def test_how_a_cell_that_was_meant_as_a_number_is_to_be_written(cell, expected):
    with pytest.raises(TableError) as caught:
        column("1", cell).numbers(["y"], hint="leave it out")
    assert str(caught.value) == f"data.csv, line 3, column 'y': {cell!r} isn't a number; {expected}"


@pytest.mark.parametrize(
    "cells", [["1,234", "2,345"], ["0,5", "1,5"], ["50%", "60%"], ["$5", "$7"], ["1 234", "1 235"]]
)
def test_a_target_that_was_meant_as_a_number_is_no_class(cells):
    with pytest.raises(TableError, match=rf"line 2, column 'y': '{re.escape(cells[0])}' isn't a number; (if|write|it)"):
        read_target(column(*cells, *cells), "y")
    assert read_target(column(*cells, *cells), "y", "classification").classes == cells


def test_a_minus_sign_is_a_minus():
    assert column("−2.5", "-2.5").numbers(["y"]).tolist() == [[-2.5], [-2.5]]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["True", "False", "True"], ["False", "True"]),
        (["yes", "Yes", "NO", "no"], ["NO", "Yes"]),
        (["a", "A"], ["A", "a"]),
        (["+", "-"], ["+", "-"]),
        (["none", "severe"], ["none", "severe"]),
        (["yes", "no", ""], ["no", "yes"]),
        (["yes", "no", "maybe"], None),
        (["yes", "yes"], None),
        (["1", "2"], None),
        (["1", "x"], None),
        (["1,5", "2,5"], None),
        (["50%", "60%"], None),
        (["yes", "nan"], None),
    ],
)
def test_columns_of_two_texts(cells, expected):
    assert column(*cells).two_texts("y") == expected


def test_two_texts_are_0_and_1():
    def numbers(*cells):
        return column(*cells).numbers(["y"], texts={"y": ["No", "yes"]})[:, 0].tolist()

    assert numbers("yes", "No", "YES", "no") == [1.0, 0.0, 1.0, 0.0]
    with pytest.raises(TableError, match=r"line 3, column 'y': 'maybe' is neither 'No' nor 'yes', which are known$"):
        numbers("yes", "maybe")
    with pytest.raises(TableError, match=r"line 2, column 'y': the cell is empty; fill it in or leave the row out$"):
        numbers("")
    with pytest.raises(TableError, match=r"line 2, column 'y': '1' is neither 'No' nor 'yes'"):
        numbers("1")
    with pytest.raises(TableError, match=r"line 4, column 'y': the value is missing \('NA'\); fill it in"):
        column("Na", "Cl", "NA").numbers(["y"], texts={"y": ["Cl", "Na"]})


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a,b", ["a,b"]),
        ("a,b,c", ["a,b", "c"]),
        ("c, a,b ,size, cm", ["c", "a,b", "size, cm"]),
        ('"a,b",c', ["a,b", "c"]),
        ("a", ["a"]),
        ("b,a", ["b", "a"]),
        ("4", ["c"]),
        ("", []),
        (" , ", []),
    ],
)
def test_columns_as_a_user_types_them(typed, expected):
    assert Table("data.csv", ["a", "b", "a,b", "c", "size, cm"], [], []).columns(typed) == expected


def test_a_column_that_a_user_types():
    table = Table("data.csv", ["1", "y", "3"], [], [])
    assert [table.column(typed) for typed in ("y", " y ", "2", "3", "1")] == ["y", "y", "y", "3", "1"]
    for typed in ("4", "0", "-1"):
        with pytest.raises(TableError, match=f"data.csv has no column '{typed}'"):
            table.column(typed)


@pytest.mark.parametrize("first", ["error,0.2,1.7", "0.2,error,1.7", "error,1.7", "id,1990,2000"])
def test_a_text_among_as_many_numbers_may_be_a_slip_in_data(table_of, first):
    rows = "".join(",".join(["1.5"] * len(first.split(","))) + "\n" for _ in range(3))
    with pytest.raises(TableError, match=r"does the first line name the columns\? '.*' stands there; add --header yes"):
        table_of(f"{first}\n{rows}")


@pytest.mark.parametrize("content", ["a b y\n1 2 3\n", "a:b:y\n1:2:3\n", "sep=;\na,b,y\n1,2,3\n"])
def test_a_table_of_one_column_says_which_separators_are_read(table_of, content):
    with pytest.raises(
        TableError, match=r"no column 'y'; it has '.*'; cells are separated by commas, semicolons, tabs"
    ):
        table_of(content).cells("y")


def test_a_column_of_true_alone_could_have_been_false(table_of):
    table = table_of("a,b,y\n" + "".join(f"{i},TRUE,{i}.5\n" for i in range(8)))
    assert table.two_texts("b") == ["False", "True"]
    found = table_models.problem(table, "y")
    assert found.notes[0] == "column 'b' is 0 for False, 1 for True"
    assert found.notes[1].startswith("column 'b' is the same in all rows")
    assert table.numbers(["b"], texts=found.columns.texts).tolist() == [[1.0]] * 8


def test_a_class_spelled_with_other_capital_letters_is_the_known_one(table_of):
    found = table_models.problem(table_of("a,y\n" + "".join(f"{i},{i % 2 == 0}\n" for i in range(8))), "y")
    model = table_models.CsvModel(table_models.network_for(found.columns, [2]), found.columns)
    text = model.score_on(table_of("a,y\n1,FALSE\n2,TRUE\n3,maybe\n")).text
    assert "FALSE is taken for the class False; TRUE is taken for the class True; rows of classes that" in text
    assert text.endswith("hasn't seen: 1 ('maybe')")


def test_an_empty_target_is_told_as_such_for_numbers_too(table_of):
    found = table_models.problem(table_of("a,y\n" + "".join(f"{i},{i}.5\n" for i in range(8))), "y")
    model = table_models.CsvModel(table_models.network_for(found.columns, [2]), found.columns)
    with pytest.raises(TableError, match=r"the column 'y' is empty"):
        model.score_on(table_of("a,y\n1,\n2,\n"))


def test_numbers_too_large_to_subtract_are_an_error_alone(table_of):
    with pytest.raises(TableError, match=r"'y' has numbers too large to standardise"):  # and no warning of NumPy's
        table_models.problem(table_of("a,y\n1,1e308\n2,-1e308\n3,0.5\n4,1\n5,2\n"), "y")
