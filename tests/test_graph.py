"""Questions about a graph: its order, its edges, its paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_mini import Value, dot, maximum, no_grad
from autograd_mini import sum as ag_sum
from autograd_mini.engine.graph import count_paths, edges, leaves, outgoing_edges, paths, successors, topological_order


@st.composite
def dags(draw):
    """A random graph of two or three leaves, its root last: operands are drawn from all nodes before."""
    make = {
        "+": lambda a, b, c: a + b,
        "-": lambda a, b, c: a - b,
        "*": lambda a, b, c: a * b,
        "neg": lambda a, b, c: -a,
        "sum": lambda a, b, c: ag_sum([a, b, c, a]),
        "dot": lambda a, b, c: dot([a, b], [b, c], c),
        "constant": lambda a, b, c: a * 1.5,
    }
    number = st.floats(-2.0, 2.0).map(lambda x: round(x, 3))
    nodes = [Value(draw(number), label=f"x{i}") for i in range(draw(st.integers(2, 3)))]
    for _ in range(draw(st.integers(1, 7))):
        operation = draw(st.sampled_from(sorted(make)))
        pick = st.sampled_from(nodes)
        a, b, c = draw(pick), draw(pick), draw(pick)
        nodes.append(make[operation](a, b, c))
    return nodes


def ancestors(root):
    """By the definition, recursively."""
    found = {root}
    for parent in root.parents:
        found |= ancestors(parent)
    return found


@given(dags())
def test_the_order_has_every_node_once_each_after_its_parents_and_the_root_last(nodes):
    root = nodes[-1]
    order = topological_order(root)
    assert set(order) == ancestors(root)
    assert len(order) == len(set(order))
    place = {node: i for i, node in enumerate(order)}
    assert all(place[parent] < place[node] for node in order for parent in node.parents)
    assert order[-1] is root
    assert topological_order(root) == order


@given(dags())
def test_edges_successors_and_parents_tell_the_same(nodes):
    root = nodes[-1]
    found = list(edges(root))
    assert len(found) == sum(len(node.parents) for node in topological_order(root))
    for parent, successor, slot, local_grad in found:
        assert successor.parents[slot] is parent
        assert successor.local_grads[slot] == local_grad
    following = successors(root)
    leaving = outgoing_edges(root)
    assert list(following) == list(leaving) == topological_order(root)
    for node in following:
        assert sorted(map(id, following[node])) == sorted(id(e.successor) for e in found if e.parent is node)
        assert [edge.successor for edge in leaving[node]] == list(following[node])
    assert following[root] == ()
    assert leaves(root) == [node for node in topological_order(root) if node.primitive is None]


@given(dags())
def test_the_sum_over_all_paths_is_the_gradient_and_their_number_is_the_count(nodes):
    root = nodes[-1]
    root.backward()
    for u in nodes:
        walked = list(paths(root, u))
        assert len(walked) == count_paths(root, u)
        if walked:
            size = sum(abs(path.product) for path in walked)
            assert sum(path.product for path in walked) == pytest.approx(u.grad, rel=1e-9, abs=1e-12 * (1 + size))
        for path in walked:
            ends = [u, *[edge.successor for edge in path.edges]]
            assert ends[-1] is root
            assert [edge.parent for edge in path.edges] == ends[:-1]
            product = 1.0
            for edge in path.edges:
                product *= edge.local_grad
            assert path.product == pytest.approx(product, rel=1e-12)
        assert len({path.edges for path in walked}) == len(walked)


def test_parents_are_visited_in_the_order_written():
    a, b, c = (Value(1.0, label=name) for name in "abc")
    assert [leaf.label for leaf in leaves(c * a + b)] == ["c", "a", "b"]
    assert [leaf.label for leaf in leaves(b + c * a)] == ["b", "c", "a"]
    assert [leaf.label for leaf in leaves(maximum(b, a, c))] == ["b", "a", "c"]
    shared = a * b
    names = [node.label or node.primitive.name for node in topological_order(shared + (c - shared))]
    assert names == ["a", "b", "mul", "c", "sub", "add"]


def test_the_graph_of_a_leaf_is_the_leaf():
    a = Value(1.0)
    assert topological_order(a) == leaves(a) == [a]
    assert list(edges(a)) == []
    assert successors(a) == {a: ()}
    assert outgoing_edges(a) == {a: []}


def test_the_root_has_one_path_to_itself_with_product_1():
    x = Value(3.0)
    y = x * x
    (path,) = paths(y, y)
    assert (path.edges, path.product) == ((), 1.0)
    assert count_paths(y, y) == 1
    assert count_paths(x, x) == len(list(paths(x, x))) == 1


def test_a_node_that_is_not_in_the_graph_has_no_path():
    x, stranger = Value(3.0), Value(1.0)
    y = x * x
    later = y * 2
    for u in (stranger, later):
        assert count_paths(y, u) == 0
        assert list(paths(y, u)) == []


def test_x_times_x_has_two_edges_and_two_paths():
    x = Value(3.0)
    y = x * x
    assert [(e.parent, e.successor, e.slot, e.local_grad) for e in edges(y)] == [(x, y, 0, 3.0), (x, y, 1, 3.0)]
    assert successors(y)[x] == (y, y)
    assert [path.product for path in paths(y, x)] == [3.0, 3.0]
    assert [path.edges[0].slot for path in paths(y, x)] == [0, 1]


def test_the_edges_that_leave_a_node_come_last_successor_first():
    x = Value(3.0)
    first = x * 2
    second = x + first
    root = first - second
    assert [edge.successor for edge in outgoing_edges(root)[x]] == [second, first]
    assert successors(root)[first] == (root, second)


def test_paths_come_one_by_one_though_there_are_2_to_the_1000():
    x = y = Value(1.0)
    for _ in range(1000):
        y = y + y
    assert count_paths(y, x) == 2**1000
    walk = paths(y, x)
    assert [next(walk).product for _ in range(3)] == [1.0] * 3


def test_the_layer_of_the_lecture_shares_its_factors():
    # Four units between θ and the output: four paths, which share the factors ∂z/∂θ and ∂y/∂h.
    theta = Value(0.5)
    z = theta * 2
    h = [z * (i + 1) for i in range(4)]
    y = ag_sum(h) * 3
    assert count_paths(y, theta) == 4
    assert sorted(path.product for path in paths(y, theta)) == [6.0, 12.0, 18.0, 24.0]
    y.backward()
    assert theta.grad == 60.0


def test_nothing_recurses_on_a_deep_chain():
    x = node = Value(1.0)
    n = 50_000
    for _ in range(n):
        node = -node
    assert len(topological_order(node)) == n + 1
    assert leaves(node) == [x]
    assert sum(1 for _ in edges(node)) == n
    assert len(successors(node)) == n + 1
    assert successors(node)[x][0].parents == (x,)
    assert count_paths(node, x) == 1
    (path,) = paths(node, x)
    assert len(path.edges) == n
    assert path.product == 1.0
    assert path.edges[0].parent is x
    assert path.edges[-1].successor is node


def test_what_no_grad_computed_is_a_leaf_of_the_graph():
    x = Value(3.0)
    with no_grad():
        constant = x * x
    root = constant * x
    assert leaves(root) == [constant, x]
    assert count_paths(root, x) == 1


def test_of_several_roots_the_nodes_of_the_first_come_first():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    first, second = a * b, b + c
    assert topological_order(first, second, a) == [a, b, first, c, second]
    assert topological_order(second, a, first) == [b, c, second, a, first]
