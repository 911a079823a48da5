"""A chain of a million operations goes forward and backward, is copied, pickled and freed: nothing recurses."""

import copy
import gc
import pickle
import sys
import weakref

import pytest

from autograd_mini import Parameter, Value
from autograd_mini.engine.graph import count_paths, topological_order

DEEP = 1_000_000
LENGTHS = pytest.mark.parametrize("length", [DEEP // 10, pytest.param(DEEP, marks=pytest.mark.slow)])


@pytest.fixture(scope="module", autouse=True)
def no_collector():
    """No garbage collector: while a million nodes are made, it would look at all of them again and again."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def chain(length):
    """x, and a root that many operations above it."""
    x = Parameter(0.5, label="x")
    node = x
    for _ in range(length // 2):
        node = -(node + x)
    return x, node


def test_the_recursion_limit_is_pythons_own():
    assert sys.getrecursionlimit() <= 10_000


def test_a_chain_of_a_million_nodes_goes_forward_and_backward():
    x, root = chain(DEEP)
    root.backward()
    assert (root.data, x.grad) == (0.5, 1.0)  # x → -(x + x) → -(-2x + x) = x → …
    assert root.forward() == 0.5
    assert count_paths(root, x) == DEEP // 2 + 1


@LENGTHS
def test_a_deep_chain_is_deep_copied(length):
    x, root = chain(length)
    other_x, other = copy.deepcopy((x, root))
    assert other is not root
    assert other_x is not x
    other_x.data = 1.0
    assert other.forward() == 1.0
    assert root.data == 0.5
    other.backward()
    assert other_x.grad == 1.0


@LENGTHS
def test_a_deep_chain_is_pickled_and_unpickled(length):
    x, root = chain(length)
    other_x, other = pickle.loads(pickle.dumps((x, root)))
    assert (type(other_x), other_x.label, other.data) == (Parameter, "x", root.data)
    other_x.data = 2.0
    assert other.forward() == 2.0
    other.backward()
    assert other_x.grad == 1.0
    assert topological_order(other)[0] is other_x


def test_a_chain_of_a_million_nodes_is_freed():
    x = Value(1.0)
    node = x
    for _ in range(DEEP):
        node = -node
    reference = weakref.ref(node.parents[0].parents[0])
    assert reference() is not None
    del node
    assert reference() is None


def test_a_diamond_with_2_to_the_1000_paths_takes_linear_time():
    x = y = Value(1.0)
    for _ in range(1000):
        y = y + y
    assert count_paths(y, x) == 2**1000
    y.backward()
    assert x.grad == 2.0**1000
    twin = pickle.loads(pickle.dumps(copy.deepcopy(y)))
    assert len(topological_order(twin)) == 1001
    assert twin.forward() == 2.0**1000
