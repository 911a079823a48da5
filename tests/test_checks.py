"""The checks of arguments: what they let through, and what they say."""

import ast
import math
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from autograd_mini import Value, checks, vectorize
from autograd_mini.errors import MissingDependencyError


@pytest.mark.parametrize(
    "number", [0, 1.5, np.int8(3), np.uint64(3), np.float16(0.5), np.longdouble(2), Fraction(1, 2)]
)
def test_numbers_of_python_and_numpy_are_numbers(number):
    assert checks.is_number(number)
    assert type(checks.checked("x", number, least=0.0)) is float


@pytest.mark.parametrize("thing", [True, np.True_, "1", None, 1j, Decimal(1), [1.0], np.array([1.0]), Value(1.0)])
def test_other_things_are_no_numbers(thing):
    assert not checks.is_number(thing)
    assert not checks.is_whole(thing, 0)
    with pytest.raises(ValueError, match=r"^x: expected a finite number, got "):
        checks.checked("x", thing)


@pytest.mark.parametrize(
    ("number", "bounds", "expected"),
    [
        (0.0, {"above": 0.0}, "a finite number above 0"),
        (-0.5, {"least": 0.0}, "a finite number at least 0"),
        (1.5, {"least": 0.0, "most": 1.0}, "a finite number at least 0 and at most 1"),
        (1.0, {"least": 0.0, "below": 1.0}, "a finite number at least 0 and below 1"),
        (math.inf, {"above": 0.0}, "a finite number above 0"),
        (math.nan, {"finite": False}, "a number"),
        (-math.inf, {"finite": False, "least": 0.0}, "a number at least 0"),
        (2, {"most": 1.0, "expected": "a share"}, "a share"),
    ],
)
def test_a_number_out_of_its_bounds(number, bounds, expected):
    with pytest.raises(ValueError, match=rf"^x: expected {expected}, got {number!r}; take another$"):
        checks.checked("x", number, **bounds, advice="take another")


def test_the_bounds_themselves_are_let_through_where_they_belong_to_the_range():
    assert checks.checked("x", 1, least=1.0, most=1.0) == 1.0
    assert checks.checked("x", math.inf, finite=False, above=0.0) == math.inf


def test_counts():
    assert type(checks.checked_whole("n", np.int64(2), 2)) is int
    for wrong in (1, 2.0, True, np.float64(3.0), "3"):
        with pytest.raises(ValueError, match="n: expected a whole number of at least 2, got "):
            checks.checked_whole("n", wrong, 2)


def test_switches():
    assert checks.checked_flag("nesterov", np.True_) is True
    for wrong in (1, 0.0, "yes", None):
        with pytest.raises(ValueError, match="nesterov: expected True or False, got "):
            checks.checked_flag("nesterov", wrong)


def test_a_name_that_is_no_text_is_refused_as_an_unknown_one():
    with pytest.raises(ValueError, match=r"no loss is named \['a'\]; choose one of a, b, or pass a function"):
        checks.named("loss", ["a"], {"a": 1, "b": 2}, ", or pass a function")


@pytest.mark.parametrize("data", [["a"], [[1.0], [1.0, 2.0]], 1j, np.array([1j]), [None, object()], [Value(1.0)]])
def test_what_is_no_array_of_real_numbers(data):
    with pytest.raises(ValueError, match=r"X: expected real numbers, got .*; drop it"):
        checks.real_array("X", data, advice="drop it")


def test_a_package_that_is_missing_and_one_that_is_broken(monkeypatch, tmp_path):
    (tmp_path / "broken_package.py").write_text("import a_module_that_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        checks.needed("broken_package", "install it")
    with pytest.raises(MissingDependencyError, match=r"^install it$"):
        checks.needed("a_package_that_is_not_there.part", "install it")
    assert checks.needed("math", "install it") is sys.modules["math"]


def test_importing_the_checks_imports_no_numpy():
    with open(checks.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    imports = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    imports += [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert "math" in imports
    assert "numpy" not in imports


def test_integers_too_large_for_a_float_are_refused_by_name():
    for options in ({}, {"finite": False}, {"above": 0.0}):
        with pytest.raises(ValueError, match=r"lr: expected a (finite )?number.*, got 10{59}$"):
            checks.checked("lr", 10**400, **options)
    assert checks.checked("count", 10**300) == 1e300
    assert checks.checked("share", Fraction(1, 3), finite=False) == 1 / 3
    with pytest.raises(
        ValueError, match=r"X: expected real numbers, got \[\[1000.*; a float holds numbers up to 1.8e308"
    ):
        checks.real_array("X", [[10**400, 1.0]])


@pytest.mark.parametrize("row", [10**400, [10**400], [1.0, -(10**400)]], ids=["number", "row", "negative"])
def test_inputs_too_large_for_a_float_are_told_and_large_integers_taken(row):
    with pytest.raises(ValueError, match=r"input 1: expected real numbers, got .* a float holds numbers up to"):
        vectorize(lambda x: x)([row])
    assert vectorize(lambda x: 2.0 * x)([2**70]).tolist() == [2.0**71]


def test_a_value_is_compared_with_integers_that_no_float_holds():
    v = Value(1.0)
    assert [v < 10**400, v > -(10**400), v >= 10**400, v <= -(10**400)] == [True, True, False, False]
