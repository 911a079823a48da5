"""The operations as functions: on Values, on plain numbers, on arrays of either."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Value
from autograd_mini.engine import floats, functions
from autograd_mini.engine.primitives import PRIMITIVES, find

UNARY = [name for name, primitive in PRIMITIVES.items() if primitive.arity == 1 and name != "neg"]
N_ARY = ["maximum", "minimum", "logsumexp"]
OPERATORS = {"add", "sub", "mul", "div", "neg"}


def test_every_primitive_is_a_function_or_an_operator():
    missing = [name for name in PRIMITIVES if name not in OPERATORS and not callable(getattr(functions, name, None))]
    assert missing == [], "write a function for the new primitive in engine/functions.py"
    assert [name for name in PRIMITIVES if name not in OPERATORS and not hasattr(ag, name)] == []


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name):
    function, primitive = getattr(functions, name), find(name)
    want = primitive.forward(floats, 0.5)
    x = Value(0.5)
    node = function(x)
    assert node.primitive is primitive
    assert (node.data, node.parents) == (want, (x,))
    for number in (0.5, np.float64(0.5), Fraction(1, 2), Decimal("0.5")):
        assert function(number) == want
        assert type(function(number)) is float


@pytest.mark.parametrize("name", UNARY)
def test_functions_take_arrays_element_by_element(name):
    function = getattr(functions, name)
    numbers = np.array([[0.25, 0.5], [0.75, 0.125]])
    got = function(numbers)
    assert got.dtype == float
    assert got.tolist() == [[function(x) for x in row] for row in numbers.tolist()]
    nodes = np.array([Value(0.25), 0.5], dtype=object)
    mixed = function(nodes)
    assert mixed[0].parents == (nodes[0],)
    assert mixed[1] == function(0.5)


@pytest.mark.parametrize("name", [*UNARY, "pow", "leaky_relu", "elu", "where", *N_ARY])
def test_functions_refuse_what_is_no_number(name):
    function = getattr(functions, name)
    operands = {"where": 2, "pow": 1, "maximum": 1, "minimum": 1, "logsumexp": 1}.get(name, 0)
    with pytest.raises(TypeError, match="expected a real number, got str 'abc'; if it holds a number"):
        function("abc", *[1.0] * operands)
    with pytest.raises(TypeError, match="expected a real number, got complex 1j"):
        function(1j, *[1.0] * operands)


def test_a_function_of_a_value_and_a_number_is_a_node():
    x = Value(-2.0)
    assert functions.pow(x, 2).data == 4.0
    assert functions.pow(2, x).data == 0.25
    assert functions.maximum(x, 1).data == 1.0
    assert functions.leaky_relu(x).data == -0.02
    assert functions.leaky_relu(x, 0.5).data == -1.0
    assert functions.elu(x, 2.0).data == 2.0 * math.expm1(-2.0)
    assert functions.elu(x).data == math.expm1(-2.0)
    for node in (functions.pow(x, 2), functions.maximum(x, 1), functions.leaky_relu(x), functions.elu(x)):
        assert isinstance(node, Value)


def test_the_slope_of_leaky_relu_and_elu_may_be_learned():
    x, alpha = Value(-2.0), Value(0.1)
    functions.leaky_relu(x, alpha).backward()
    assert (x.grad, alpha.grad) == (0.1, -2.0)
    x.grad = alpha.grad = 0.0
    functions.elu(x, alpha).backward()
    assert (x.grad, alpha.grad) == (0.1 * math.exp(-2.0), math.expm1(-2.0))


@pytest.mark.parametrize("name", N_ARY)
def test_n_ary_functions_take_operands_one_by_one_or_as_one_sequence(name):
    function = getattr(functions, name)
    numbers = [1.0, 3.0, 2.0]
    want = find(name).forward(floats, *numbers)
    for got in (function(*numbers), function(numbers), function(tuple(numbers)), function(x for x in numbers)):
        assert got == want
    assert function(np.array(numbers)) == want
    values = list(map(Value, numbers))
    assert function(*values).parents == function(values).parents == tuple(values)
    assert function(values[0]).data == function(1.0) == 1.0
    assert [v.data for v in (function(values[0], 3.0, 2), function([values[0], 3.0, 2]))] == [want, want]


@pytest.mark.parametrize("name", N_ARY)
def test_n_ary_functions_of_nothing_say_so(name):
    for operands in ((), ([],)):
        with pytest.raises(ValueError, match=f"{name} of nothing has no value; expected at least one operand"):
            getattr(functions, name)(*operands)


def test_n_ary_functions_of_two_arrays_work_element_by_element():
    assert functions.maximum(np.array([1.0, 5.0]), np.array([2.0, 3.0])).tolist() == [2.0, 5.0]
    assert functions.minimum(np.array([1.0, 5.0]), 2).tolist() == [1.0, 2.0]


def test_where_hands_the_gradient_to_the_branch_that_was_chosen():
    a, b = Value(2.0), Value(3.0)
    for condition, chosen, other in ((a < b, a, b), (a > b, b, a), (1, a, b), (0.0, b, a), (np.True_, a, b)):
        a.grad = b.grad = 0.0
        node = functions.where(condition, a, b)
        node.backward()
        assert (node.data, chosen.grad, other.grad) == (chosen.data, 1.0, 0.0)
    assert functions.where(True, 1, 2) == 1.0
    assert functions.where(np.array([True, False]), 1.0, 2.0).tolist() == [1.0, 2.0]


def test_sum_is_one_node_with_an_edge_for_each_term():
    x = Value(2.0)
    total = functions.sum([x, 1, x, 0.5])
    assert (total.data, len(total.parents), total.primitive.name) == (5.5, 4, "sum")
    total.backward()
    assert x.grad == 2.0
    assert functions.sum(v for v in (1, 2)) == 3.0
    assert functions.sum([]) == 0.0
    assert functions.sum(np.array([1.0, 2.5])) == 3.5


def test_dot_is_one_node_with_an_edge_to_every_weight_input_and_the_bias():
    w, x, b = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)], Value(0.5)
    z = functions.dot(w, x, b)
    assert (z.data, z.parents, z.primitive.name) == (11.5, (*w, *x, b), "dot")
    z.backward()
    assert [v.grad for v in (*w, *x, b)] == [3.0, 4.0, 1.0, 2.0, 1.0]
    assert functions.dot(w, x).data == 11.0
    assert len(functions.dot(w, x).parents) == 4
    assert functions.dot(w, [3.0, 4], 1).data == 12.0
    assert functions.dot([1.0, 2.0], [3.0, 4.0], 0.5) == 11.5
    assert functions.dot(np.array([1.0, 2.0]), [3, 4]) == 11.0
    assert functions.dot([], [], 2.0) == 2.0
    assert functions.dot(tuple(w), np.array([3.0, 4.0]), b).data == 11.5


def test_dot_of_a_vector_with_itself_has_both_edges():
    x = [Value(2.0), Value(3.0)]
    functions.dot(x, x).backward()
    assert [v.grad for v in x] == [4.0, 6.0]


def test_dot_refuses_lengths_that_differ():
    with pytest.raises(ValueError, match="dot needs as many weights as inputs, got 2 weights and 1 inputs"):
        functions.dot([1.0, 2.0], [Value(3.0)])


def test_softmax_gives_a_node_for_each_logit():
    logits = [Value(1.0), Value(2.0), Value(1.0)]
    p = functions.softmax(logits)
    assert sum(q.data for q in p) == pytest.approx(1.0, rel=1e-15)
    assert p[0].data == p[2].data == pytest.approx(math.e / (2 * math.e + math.e**2))
    p[1].backward()
    assert logits[1].grad == pytest.approx(p[1].data * (1 - p[1].data))
    assert logits[0].grad == pytest.approx(-p[0].data * p[1].data)
    assert sum(v.grad for v in logits) == pytest.approx(0.0, abs=1e-16)
    assert functions.softmax([0.0, 0.0]) == functions.softmax(np.zeros(2)) == [0.5, 0.5]
    assert functions.softmax([3.0]) == [1.0]
    with pytest.raises(ValueError, match="softmax of nothing has no value"):
        functions.softmax([])


def test_identity_makes_a_node_of_its_own():
    x = Value(2.0)
    y = functions.identity(x)
    assert y is not x
    assert (y.data, y.parents, y.local_grads) == (2.0, (x,), (1.0,))


def test_sums_are_added_up_in_order_on_every_python():
    terms = [1e16, 1.0, -1e16]  # Python's own sum gives 1 from 3.12 on
    assert ag.functions.sum(terms) == 0.0
    assert ag.functions.sum([Value(term) for term in terms]).data == 0.0
    assert ag.dot([Value(term) for term in terms], [1.0, 1.0, 1.0], 0.0).data == 0.0
    assert ag.dot([Value(term) for term in terms], [1.0, 1.0, 1.0]).data == 0.0
