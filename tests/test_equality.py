"""`==` compares a node's number with a bare one; of two nodes it asks whether they are one, as sets and dicts need."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from autograd_mini import Value
from autograd_mini.nn import MLP


@pytest.mark.parametrize(
    "number", [2, 2.0, True + 1, Fraction(2), Decimal(2), np.float64(2.0), np.float32(2.0), np.int64(2)]
)
def test_a_node_equals_a_number_of_any_kind_on_either_side(number):
    assert Value(2.0) == number
    assert number == Value(2.0)
    assert not Value(2.0) != number  # noqa: SIM202, it is != that is tried
    assert not number != Value(2.0)  # noqa: SIM202, it is != that is tried
    assert Value(2.5) != number
    assert number != Value(2.5)


def test_nan_equals_nothing_and_infinities_themselves():
    assert Value(math.nan) != math.nan
    assert Value(math.inf) == math.inf
    assert Value(math.inf) != -math.inf
    assert Value(-0.0) == 0
    assert Value(1.0) == np.True_
    assert Value(1e308) != 10**400


@pytest.mark.parametrize("other", [None, "2.0", b"2", [2.0], (2.0,), {2.0}, 2j, object()])
def test_what_is_no_real_number_never_equals_a_node(other):
    assert not Value(2.0) == other  # noqa: SIM201, it is == that is tried
    assert not other == Value(2.0)  # noqa: SIM201, it is == that is tried
    assert Value(2.0) != other


def test_arrays_compare_their_elements():
    v, w = Value(2.0), Value(2.0)
    for found in (v == np.array([1.0, 2.0]), np.array([1.0, 2.0]) == v):
        assert found.tolist() == [False, True]
    assert (np.array([v, w, 2.0], dtype=object) == v).tolist() == [True, False, True]
    assert (np.array([v, w], dtype=object) == 2.0).tolist() == [True, True]
    assert (np.array([v, w], dtype=object) != 3).tolist() == [True, True]


def test_two_nodes_are_equal_if_they_are_one():
    a, b = Value(2.0), Value(2.0)
    assert a == a
    assert a != b
    assert not a == b  # noqa: SIM201, it is == that is tried
    assert [b, a].index(a) == 1
    assert a not in [b]
    assert [b, a].count(a) == 1
    both = [b, a]
    both.remove(a)
    assert both == [b]
    assert (a, b) != (b, a)


def test_a_number_is_found_in_a_list_of_nodes_and_a_node_in_one_of_numbers():
    a = Value(2.0)
    assert 2.0 in [Value(1.0), a]
    assert a in [1.0, 2.0]
    assert a not in [1.0, None, "2.0"]


def test_sets_and_dicts_go_by_identity_also_where_a_number_has_a_node_s_hash():
    a, b = Value(2.0), Value(2.0)
    assert len({a, b, a, 2.0}) == 3
    names = {a: "a", b: "b", hash(a): "a number", hash(b): "another"}
    assert (names[a], names[b], names[hash(a)]) == ("a", "b", "a number")
    a.data = 5.0
    assert names[a] == "a"
    assert {hash(a): "a number"}.get(a) is None


def test_a_gradient_that_is_a_node_counts_also_where_its_number_is_0():
    x = Value(0.0)
    y = x * x
    y.backward(create_graph=True)
    y.backward(create_graph=True)
    x.grad, slope = 0.0, x.grad
    slope.backward()
    assert x.grad == 4.0
    x.grad = 0.0
    y.backward(create_graph=True)
    y.backward()
    assert isinstance(x.grad, Value)


def test_a_parameter_equals_its_number_and_modules_keep_all_their_parameters():
    model = MLP(2, [3, 1], rng=0)
    for p in model.parameters():
        p.data = 1.0
    assert all(p == 1.0 for p in model.parameters())
    assert len(model.parameters()) == len(set(model.parameters())) == 13
