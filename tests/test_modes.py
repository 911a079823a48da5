"""What surrounds the making of nodes: `no_grad`, `enable_grad`, `detect_anomaly`, `scope`, and threads."""

import math
import threading

import pytest

from autograd_mini import (
    AnomalyError,
    Constant,
    Value,
    detect_anomaly,
    dot,
    enable_grad,
    exp,
    log,
    nn,
    no_grad,
    scope,
    softmax,
    sqrt,
    tanh,
)
from autograd_mini.engine import modes
from autograd_mini.engine.graph import topological_order


@pytest.fixture(autouse=True)
def modes_are_as_they_were():
    assert modes.open_contexts == 0
    yield
    assert modes.open_contexts == 0
    assert (modes.current().recording, modes.current().detecting, modes.current().scope) == (True, False, "")


# ---------------------------------------------------------------------------------------------------------- no_grad


def test_no_grad_computes_values_without_a_graph():
    x = Value(3.0)
    with no_grad():
        y = tanh(x * x + 1) / 2
    assert y.data == math.tanh(10.0) / 2
    assert y.parents == ()
    assert y.primitive is None
    assert (x * y).parents == (x, y)


def test_no_grad_is_restored_after_an_exception():
    x = Value(3.0)
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert (x * x).parents == (x, x)


def test_no_grad_nests():
    x = Value(3.0)
    with no_grad():
        with no_grad():
            assert (x * x).parents == ()
        assert (x * x).parents == ()
        with enable_grad():
            assert (x * x).parents == (x, x)
            with no_grad():
                assert (x * x).parents == ()
            assert (x * x).parents == (x, x)
        assert (x * x).parents == ()
    assert (x * x).parents == (x, x)


def test_no_grad_serves_as_a_decorator_again_and_again():
    @no_grad()
    def predict(x, depth=0):
        return predict(x, depth - 1) * x if depth else x * x

    x = Value(2.0)
    for _ in range(3):
        y = predict(x, 3)
        assert (y.data, y.parents) == (32.0, ())
        assert (x * x).parents == (x, x)


@pytest.mark.parametrize("switch", [no_grad, enable_grad, detect_anomaly])
def test_a_mode_decorates_with_brackets_and_without(switch):
    @switch
    def square(x):
        """Return x·x."""
        with switch():
            return x * x

    assert (square.__name__, square.__doc__) == ("square", "Return x·x.")
    assert square(Value(3.0)).data == 9.0
    assert square(Value(3.0)).parents == () or switch is not no_grad
    assert (Value(3.0) * 2.0).parents
    with pytest.raises(TypeError, match=f"{switch.__name__} takes nothing, or the function that it decorates, got 5"):
        switch(5)


def test_backward_inside_no_grad_still_works():
    x = Value(3.0)
    y = x * x
    with no_grad():
        y.backward()
    assert x.grad == 6.0


@pytest.mark.parametrize(
    "root", [lambda o: (o - 2.0) ** 2, lambda o: nn.losses.squared_error(o, 1.0), lambda o: 2.0 * o + Value(0.5).data]
)
def test_what_a_model_gave_inside_of_no_grad_leads_no_gradient_to_its_parameters(root):
    model = nn.MLP(2, [3, 1], "tanh", rng=0)
    with no_grad():
        output = model([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"no gradient goes back to the parameters: .* inside of no_grad"):
        root(output).backward()
    head = nn.Neuron(1, "identity", rng=0)  # what comes after it can be trained
    head([output]).backward()
    assert head.bias.grad == 1.0


def test_a_result_of_no_grad_may_be_the_leaf_that_the_next_step_begins_at():
    x = Value(1.0)
    for _ in range(3):
        ((x - 3.0) ** 2).backward()
        with no_grad():
            x = x - 0.5 * x.grad
    assert x.data == 3.0


def test_no_grad_holds_for_its_own_thread_only():
    inside, done = threading.Event(), threading.Event()
    found = {}

    def other_thread():
        inside.wait(10)
        x = Value(3.0)
        found["parents"] = len((x * x).parents)
        with no_grad():
            found["without"] = len((x * x).parents)
        done.set()

    thread = threading.Thread(target=other_thread)
    thread.start()
    x = Value(3.0)
    with no_grad():
        inside.set()
        assert done.wait(10)
        assert (x * x).parents == ()
    thread.join()
    assert found == {"parents": 2, "without": 0}


def test_two_threads_build_and_differentiate_graphs_of_their_own():
    def work(start, results):
        for i in range(30):
            x = Value(start + i)
            node = x
            with scope(f"thread{start}"):
                for _ in range(100):
                    node = tanh(node * 0.9 + x * 0.1) + dot([x], [node], 0.0) * 1e-3
            node.backward()
            scopes = {n.scope for n in topological_order(node)}
            with no_grad():
                assert (node * x).parents == ()
            results.append((node.data, x.grad, scopes))

    expected, found = ([], []), ([], [])
    for start, results in zip((1, 2), expected, strict=True):
        work(start, results)
    threads = [threading.Thread(target=work, args=pair) for pair in zip((1, 2), found, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected
    assert found[0][0][2] == {"", "thread1"}


# --------------------------------------------------------------------------------------------------- detect_anomaly


def test_detect_anomaly_names_the_operation_and_the_operands_of_the_first_bad_value():
    p = Value(0.0, label="p")
    with (
        detect_anomaly(),
        pytest.raises(AnomalyError, match=r"^log gave -inf, from p = 0\.0; check the operands, or use a"),
    ):
        log(p)


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda: Value(1.0, label="a") / Value(0.0, label="b"), r"^div gave inf, from a = 1\.0, b = 0\.0"),
        (lambda: exp(Value(1000.0)), r"^exp gave inf, from 1000\.0"),
        (lambda: sqrt(Value(-1.0, label="s")), r"^sqrt gave nan, from s = -1\.0"),
        (lambda: Value(1e200, label="big") * 1e200, r"^mul gave inf, from big = 1e\+200, 1e\+200"),
        (lambda: Value(1e308) + 1e308, r"^add gave inf, from 1e\+308, 1e\+308"),
        (lambda: dot([Value(1e308)] * 5, [1.0] * 5), r"^dot gave inf, from 1e\+308, .* and 4 more"),
    ],
)
def test_detect_anomaly_looks_at_every_operation(compute, message):
    assert not math.isfinite(compute().data)
    with detect_anomaly(), pytest.raises(AnomalyError, match=message):
        compute()


def test_detect_anomaly_says_in_which_module_it_was():
    with detect_anomaly(), scope("layers.0"), pytest.raises(AnomalyError, match=r"^log \(in layers\.0\) gave -inf"):
        log(Value(0.0))


def test_detect_anomaly_looks_at_gradients_and_names_node_operation_operands_and_factors():
    x, w = Value(0.0, label="x"), Value(2.0, label="w")
    w.grad = 5.0
    root = w * sqrt(x)
    message = r"^the gradient of x became inf at sqrt of x = 0\.0: upstream gradient 2\.0, local derivative inf"
    with detect_anomaly(), pytest.raises(AnomalyError, match=message):
        root.backward()
    assert (x.grad, w.grad) == (0.0, 5.0)
    root.backward()
    assert x.grad == math.inf
    assert w.grad == 5.0


def test_detect_anomaly_names_the_node_by_its_label():
    a = Value(0.0, label="a")
    b = sqrt(a)
    b.label = "root of a"
    with (
        detect_anomaly(),
        pytest.raises(AnomalyError, match=r"the gradient of a became inf at sqrt \(the node 'root of a'\)"),
    ):
        (b * 1).backward()


def test_detect_anomaly_leaves_all_gradients_untouched_with_create_graph_too():
    x, w = Value(0.0, label="x"), Value(2.0, label="w")
    x.grad, w.grad = 3.0, 5.0
    root = w * sqrt(x)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"^the gradient of x became inf at sqrt of x = 0\.0"):
        root.backward(create_graph=True)
    assert (x.grad, w.grad) == (3.0, 5.0)


def test_detect_anomaly_says_nothing_about_what_is_finite():
    x = Value(-2.0, label="x")
    y = Value(0.0, label="y")
    with detect_anomaly():
        root = x**3 + tanh(x * 1000) + softmax([x, 1000.0])[0] + y**2
        root.backward()
        first = x.grad
        x.grad = y.grad = 0.0
        root.backward(create_graph=True)
        assert x.grad.data == pytest.approx(first)
        gradient, x.grad = x.grad, 0.0
        gradient.backward()
    assert x.grad == pytest.approx(-12.0)
    y.grad = 0.0


def test_the_gradient_of_a_constant_is_let_off():
    # (-2)**3 has no derivative by its exponent, and nobody asks for it
    x = Value(-2.0)
    y = x**3
    with detect_anomaly():
        y.backward()
    assert x.grad == 12.0
    assert math.isnan(y.parents[1].grad)
    assert type(y.parents[1]) is Constant
    exponent = Value(3.0, label="n")
    with detect_anomaly(), pytest.raises(AnomalyError, match="the gradient of n became nan at pow"):
        (x**exponent).backward()


def test_so_is_the_gradient_of_what_was_computed_from_constants_only():
    x = Value(-2.0)
    exponent = Constant(1.0) + 1
    with detect_anomaly():
        (x**exponent).backward()
    assert x.grad == -4.0
    assert math.isnan(exponent.grad)


def test_detect_anomaly_is_restored_after_an_exception_and_nests():
    with pytest.raises(AnomalyError), detect_anomaly():
        log(Value(0.0))
    assert log(Value(0.0)).data == -math.inf
    with detect_anomaly():
        with detect_anomaly():
            pass
        with pytest.raises(AnomalyError):
            log(Value(0.0))

    @detect_anomaly()
    def risky():
        return log(Value(0.0))

    for _ in range(2):
        with pytest.raises(AnomalyError, match="log gave -inf"):
            risky()


def test_detect_anomaly_works_inside_no_grad():
    with no_grad(), detect_anomaly(), pytest.raises(AnomalyError, match=r"div gave inf, from 1\.0, 0\.0"):
        1 / Value(0.0)


def test_a_scope_alone_looks_for_no_anomalies():
    p = Value(1.0, label="p")
    y = log(p)
    with scope("loss"):
        p.data = 0.0
        assert y.forward() == -math.inf
        y.backward()
        assert p.grad == math.inf
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"log gave -inf, from p = 0\.0"):
        y.forward()


def test_anomalies_are_arithmetic_errors():
    assert issubclass(AnomalyError, ArithmeticError)


# ------------------------------------------------------------------------------------------------------------ scope


def test_scopes_are_joined_by_dots_and_tag_nodes_and_leaves():
    x = Value(2.0)
    with scope("layers.0"):
        leaf = Value(1.0)
        with scope("neurons.2"):
            z = x * 3
            a = tanh(z)
        y = dot([a], [x], 1.0)
    assert (x.scope, leaf.scope) == ("", "layers.0")
    assert z.scope == a.scope == z.parents[1].scope == "layers.0.neurons.2"
    assert y.scope == "layers.0"
    assert (x * y).scope == ""


def test_an_empty_scope_changes_nothing():
    with scope(""):
        assert (Value(1.0) * 2).scope == ""
        with scope("a"), scope(""), scope("b"):
            assert (Value(1.0) * 2).scope == "a.b"
    assert (Value(1.0) * 2).scope == ""


def test_a_scope_is_left_on_an_exception():
    with pytest.raises(KeyError), scope("outer"), scope("inner"):
        raise KeyError
    assert (Value(1.0) * 2).scope == ""


def test_a_scope_can_be_entered_again():
    again = scope("again")
    for _ in range(2):
        with again:
            assert (Value(1.0) * 2).scope == "again"


def test_one_scope_may_be_entered_inside_itself():
    again = scope("a")
    before = modes.open_contexts
    with again, again:
        assert Value(1.0).scope == "a.a"
    assert (Value(1.0).scope, modes.open_contexts) == ("", before)


def test_scopes_hold_inside_the_other_contexts():
    with scope("net"), no_grad():
        assert (Value(1.0) * 2).scope == "net"
    with no_grad(), scope("net"):
        inner = Value(1.0) * 2
    assert (inner.scope, inner.parents) == ("net", ())


@pytest.mark.parametrize("context", [no_grad, enable_grad, detect_anomaly])
def test_a_context_may_be_entered_again_and_inside_itself(context):
    before = (modes.open_contexts, modes.current().recording, modes.current().detecting)
    again = context()
    for _ in range(2):
        with again, again:
            pass
    assert (modes.open_contexts, modes.current().recording, modes.current().detecting) == before


def test_an_anomaly_is_found_when_the_graph_is_recomputed():
    x = Value(1.0, label="x")
    y = log(x)
    x.data = 0.0
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"log gave -inf, from x = 0\.0"):
        y.forward()


def test_create_graph_makes_a_graph_inside_of_no_grad_too():
    x = Value(3.0)
    y = x**3
    with no_grad():
        y.backward(create_graph=True)
    gradient, x.grad = x.grad, 0.0
    gradient.backward()
    assert x.grad == 18.0
