"""The names by which drawings, explanations and the stepper call nodes."""

from autograd_mini import Value, dot, scope, tanh
from autograd_mini.engine.graph import topological_order
from autograd_mini.explanations.names import node_names


def called(root, names=None):
    return list(node_names(root, names).values())


def test_names_come_in_topological_order_one_for_each_node():
    a, b = Value(1.0, label="a"), Value(2.0)
    root = tanh(a * b + 3) - a
    names = node_names(root)
    assert list(names) == topological_order(root)
    assert list(names.values()) == ["a", "v1", "v2", "3", "v3", "v4", "L"]


def test_labels_come_before_variables():
    a, b = Value(1.0, label="alpha"), Value(2.0)
    product = a * b
    assert called(product, {"a": a, "b": b, "product": product}) == ["alpha", "b", "product"]


def test_the_variables_of_the_caller_give_names():
    w, x = Value(1.0), Value(2.0)
    z = w * x
    assert called(z + 1, locals()) == ["w", "x", "z", "1", "L"]


def test_the_first_of_two_variables_counts_and_private_ones_do_not():
    w = Value(1.0)
    assert called(-w, {"_hidden": w, "first": w, "second": w}) == ["first", "L"]
    assert called(-w, {"_": w, "__w": w, "@py_assert1": w}) == ["v1", "L"]


def test_lists_and_tuples_of_nodes_give_names_with_an_index():
    w, x = [Value(1.0), Value(2.0)], (Value(3.0), Value(4.0))
    assert called(dot(w, x, 0.5), {"w": w, "x": x}) == ["w[0]", "w[1]", "x[0]", "x[1]", "0.5", "L"]


def test_a_variable_counts_more_than_a_place_in_a_list():
    w = [Value(1.0), Value(2.0)]
    assert called(w[0] * w[1], {"w": w, "first": w[0]}) == ["first", "w[1]", "L"]


def test_variables_that_hold_other_things_are_no_names():
    w = Value(2.0)
    assert called(w * 2, {"two": 2.0, "text": "w", "w": w, "nothing": None}) == ["w", "2", "L"]


def test_constants_are_called_by_their_number():
    x = Value(1.0, label="x")
    assert called(x * 2 + 0.5 - 1e-5) == ["x", "2", "v1", "0.5", "v2", "1e-05", "L"]


def test_made_up_names_keep_clear_of_given_ones():
    v1, loss = Value(1.0, label="v1"), Value(2.0, label="L")
    names = called(v1 * loss + v1 / loss)
    assert names == ["v1", "L", "v2", "v3", "L'"]
    taken = Value(1.0, label="L'")
    assert called(taken * loss) == ["L'", "L", "L''"]


def test_the_root_may_have_a_name_of_its_own():
    x = Value(1.0, label="x")
    y = x * x
    y.label = "y"
    assert called(y) == ["x", "y"]
    assert called(x) == ["x"]
    assert called(Value(1.0)) == ["L"]


def test_nodes_that_share_a_label_are_told_apart_by_their_scope():
    x = Value(1.0, label="x")
    z = []
    for i in range(2):
        with scope(f"neurons.{i}"):
            node = x * (i + 2)
            node.label = "z"
            z.append(node)
    assert called(z[0] + z[1]) == ["x", "2", "neurons.0.z", "3", "neurons.1.z", "L"]
    assert called(z[0] * 5) == ["x", "2", "z", "5", "L"]


def test_a_variable_does_not_take_the_name_that_another_node_has_as_its_label():
    x, other = Value(1.0, label="x"), Value(2.0)
    names = node_names(x * other, names={"x": other})
    assert names[x] == "x"
    assert names[other] != "x"
