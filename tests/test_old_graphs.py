"""A graph whose leaves have changed since it was computed: every view says so, and shows no false arithmetic."""

import copy
import math
import pickle
import random
import re

import pytest

import autograd_mini as ag
from autograd_mini import (
    AnomalyError,
    Value,
    backward_steps,
    detect_anomaly,
    draw,
    explain,
    forward_steps,
    nn,
    no_grad,
    optim,
    step_through,
    to_latex,
    to_python,
)
from autograd_mini.cli import console
from autograd_mini.engine import floats
from autograd_mini.engine.freshness import age
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.engine.value import Constant, Parameter, apply
from autograd_mini.explanations.card import card
from autograd_mini.explanations.names import NamedGraph
from autograd_mini.views.stepper.payload import payload
from autograd_mini.views.stepper.terminal import text_steps

NOTE = "w has probably changed since this graph was computed; L.forward() brings it up to date"
SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.2e-308, 1e308, -1e308, 1e-160, 700.0]


def changed_in(root):
    """What has changed, by label or else by the operation."""
    return [tuple(u.label or u.primitive.name for u in group) for group in age(topological_order(root)).changed]


def is_old(root):
    return bool(age(topological_order(root)))


@pytest.fixture
def old():
    """L = w·x, after an optimizer has changed w from 3 to 1."""
    w, x = Parameter(3.0), Value(2.0, label="x")
    w.label = "w"
    L = w * x
    L.label = "L"
    L.backward()
    w.data = 1.0
    return L, w, x


# ------------------------------------------------------------------------------------------ what every view shows


def in_the_page(root):
    fed = payload(root)
    return f"{fed['note']}{[node for node in fed['nodes'] if not node.get('old')]}"


def saved(root, path):
    return step_through(root).save(path).read_text(encoding="utf-8")


VIEWS = {
    "forward_steps": lambda root: "\n".join(map(str, forward_steps(root))),
    "backward_steps": lambda root: "\n".join(map(str, backward_steps(root))),
    "typeset steps": lambda root: "\n".join(step._repr_latex_() for step in forward_steps(root)),
    "explain": lambda root: str(explain(root.parents[0], root)),
    "explain, typeset": lambda root: explain(root.parents[0], root).latex(),
    "to_latex": lambda root: str(to_latex(root)),
    "to_python": to_python,
    "draw": lambda root: draw(root).source,
    "a drawing of our own": lambda root: draw(root).pipe("svg", encoding="utf-8"),
    "the stepper as text": lambda root: str(step_through(root)),
    "by edge": lambda root: text_steps(root, grain="edge"),
    "in colour": lambda root: text_steps(root, colour=True),
    "the page": in_the_page,
    "the card": card,
    "the command line": lambda root: console.sections(console.both_passes(root, "L")),
}


def words(text):
    """A text without what the views have around its words: elements, line breaks, LaTeX."""
    for sign in ("<tspan>", "\\text{", "\\n", "\n", "&#10;"):
        text = text.replace(sign, " ")
    return " ".join(text.split())


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_which_leaf_has_changed_and_shows_no_false_arithmetic(view, old, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_MINI_RENDERER", "builtin")
    monkeypatch.setenv("COLUMNS", "120")
    root, w, _ = old
    shown = words(VIEWS[view](root)).replace("</text><text", "").replace("v.forward()", "L.forward()")
    assert "w has probably changed since this graph was computed;" in shown, "which leaf it was, in a line"
    assert "L.forward() brings it up to date" in shown, "and what to do"
    for false in ("1·2 = 6", "= 1 \\cdot 2 = 6", "w·x = 6"):
        assert false not in shown, "w·x isn't 6 any more"
    w.data = 3.0
    assert "probably changed" not in words(VIEWS[view](root)), "the leaf is what it was"
    w.data = 1.0
    root.forward()
    assert "probably changed" not in words(VIEWS[view](root)), "the graph is up to date"


def test_an_old_result_stands_alone_and_says_why(old):
    root, *_ = old
    assert [str(step) for step in forward_steps(root)] == ["w = 1", "x = 2", f"L = 6 ({NOTE})"]
    by_node = {step.node.label: step for step in backward_steps(root)}
    assert by_node["x"].gradient == 3.0, "the recorded local derivative, as backward() uses it"
    assert by_node["x"].older == NOTE
    assert by_node["x"].contributions[0].is_old
    assert by_node["w"].older == "", "∂(w·x)/∂w = x = 2 is as true as it was"


@pytest.mark.parametrize("change", [-2.0, -1e-7])
def test_no_formula_gives_a_local_derivative_that_is_old(old, change):
    root, w, x = old
    w.data = 3.0 + change
    by_node = {step.node.label: step for step in backward_steps(root)}
    assert by_node["x"].rules() == [], "w isn't 3 any more"
    assert by_node["w"].contributions[0].local == 2.0
    shown = {
        "explain": str(explain(x, root)),
        "typeset": str(to_latex(root)),
        "text": str(step_through(root)),
        "drawing": draw(root).source,
        "card": card(root),
    }
    for view, lines in shown.items():
        assert not re.search(r"∂x( |})*= w|partial x} &?= w", lines), view
    root.forward()
    assert "∂(w·x)/∂x = w = " in str(explain(x, root))


def test_explain_says_of_what_its_two_numbers_are():
    x = Value(2.0, label="x")
    L = x**3 * 2.0
    L.backward()
    x.data = math.sqrt(4.0 / 3.0)
    said = str(explain(x, L))
    assert "= 24\n" in said
    assert "≈ 8\n" in said, "the two disagree"
    assert "the gradient is of the numbers before, the finite difference of those of now" in said
    assert "at x = " not in said.splitlines()[0], "it isn't the gradient at the present x"


def test_an_animation_and_a_saved_page_say_it(old, tmp_path):
    root, *_ = old
    assert words(saved(root, tmp_path / "L.svg")).count("w has probably changed") == 7, "in each caption"
    assert f"<p>{NOTE}</p>" in saved(root, tmp_path / "L.html"), "also where no script runs"


def test_a_folded_drawing_says_it():
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    loss = nn.squared_error(model([1.0, -2.0]), 1.0)
    loss.backward()
    optim.SGD(model.parameters(), lr=0.1).step()
    for fold in ("layer", "neuron"):
        assert "and 9 more have probably changed" in words(draw(loss, collapse=fold).source), fold
        assert "and 9 more have probably changed" in payload(loss)["note"]
    loss.forward()
    assert "probably changed" not in words(draw(loss, collapse="layer").source)


def test_records_keep_the_numbers_of_their_time():
    w, x = Value(3.0, label="w"), Value(2.0, label="x")
    steps = [*forward_steps(w * x)]
    explanation = explain(w, steps[-1].node)
    w.data = 1.0
    assert str(steps[-1]) == "L = w·x = 3·2 = 6"
    assert "at w = 3" in str(explanation)


def test_a_stepper_prints_its_graph_as_it_is_when_it_is_printed():
    w, x = Value(3.0, label="w"), Value(2.0, label="x")
    L = w * x
    stepper = step_through(L)
    stepper.html()
    w.data = 1.0
    assert str(stepper).startswith(NOTE)
    L.forward()
    assert "L = w·x = 1·2 = 2" in str(stepper)
    assert "= 1·1 = 1" in str(stepper), "local derivatives are new, too"


def test_the_note_names_the_root_as_one_can_write_it(old):
    root, *_ = old
    calls = {"loss": "loss.forward()", "mean loss": "forward() on the root", "for": "forward() on the root"}
    for label, called in calls.items():
        root.label = label
        assert f"; {called} brings it up to date" in NamedGraph(root).note()


def test_python_is_computed_from_the_leaves_as_they_are_now(old):
    root, w, _ = old
    program = {}
    exec(to_python(root), program)
    root.forward()
    assert (program["L"], program["d_x"]) == (root.data, w.data)


# ------------------------------------------------------------------------------------------------ no false alarm


def graph_of_all_operations(rng, size=25):
    """A sum over many operations, of ordinary and of special numbers."""
    leaves = [Value(rng.choice(SPECIAL) if rng.random() < 0.5 else rng.gauss(0, 2), label=f"x{i}") for i in range(4)]
    nodes = [*leaves]
    for _ in range(size):
        primitive = rng.choice([*PRIMITIVES.values()])
        count = primitive.arity or rng.randint(1, 5)
        operands = [rng.choice(nodes) if rng.random() < 0.85 else rng.choice(SPECIAL) for _ in range(count)]
        nodes.append(apply(primitive, *operands))
    a, b = rng.choice(nodes), rng.choice(nodes)
    nodes += [a + b, a - b, a * b, a / b, a**b, -a, ag.dot([a, b], [b, 2.0], a)]
    return leaves, ag.sum(nodes)


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 220), marks=pytest.mark.slow)])
def test_graphs_of_all_operations_and_special_numbers_are_not_old(seeds):
    for seed in seeds:
        leaves, root = graph_of_all_operations(random.Random(seed))
        assert not is_old(root), seed
        if seed % 5 == 0:
            assert not is_old(copy.deepcopy(root)), seed
            assert not is_old(pickle.loads(pickle.dumps(root))), seed
        leaves[0].data = 0.375
        root.forward()
        assert not is_old(root), seed


def test_whatever_leaf_changes_a_result_stands_alone_just_where_its_arithmetic_would_be_false():
    named, found = 0, 0
    for seed in range(15):
        rng = random.Random(seed)
        leaves, root = graph_of_all_operations(rng)
        leaf = rng.choice(leaves)
        leaf.data = rng.gauss(0, 3)
        steps = [step for step in forward_steps(root) if step.node.primitive is not None]
        for step in steps:
            now = step.node.primitive.forward(floats, *[step.values[u] for u in step.node.parents])
            assert (repr(now) == repr(step.value)) == (not step.older), (seed, step.node)
        if any(step.older for step in steps):
            found += 1
            groups = changed_in(root)
            assert all(leaf.label in group for group in groups), (seed, groups)
            named += groups == [(leaf.label,)]
    assert found > 10
    assert named > 0.9 * found, "and mostly no other may have changed as well"


MODELS = {
    "dropout": lambda: nn.Sequential(nn.Layer(2, 4, rng=0), nn.Dropout(0.5, rng=0), nn.Layer(4, 1, rng=1)),
    "batch normalization": lambda: nn.Sequential(nn.Layer(2, 3, rng=0), nn.BatchNorm(3), nn.Layer(3, 1, rng=1)),
    "layer normalization": lambda: nn.Sequential(nn.Layer(2, 3, rng=0), nn.LayerNorm(3), nn.Layer(3, 1, rng=1)),
    "a network": lambda: nn.MLP(2, [3, 2], activation="gelu", rng=0),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_old_after_a_step_of_an_optimizer_and_not_before(name):
    model = MODELS[name]()
    rows = [[0.5, -1.0], [1.5, 2.0], [-0.25, 0.75]]
    outputs = model.batch(rows) if name == "batch normalization" else [model(row) for row in rows]
    loss = ag.sum([ag.logsumexp(*out) if isinstance(out, list) else out * out for out in outputs])
    assert not is_old(loss)
    loss.backward()
    optim.Adam(model.parameters(), lr=0.1).step()
    assert is_old(loss)
    loss.forward()
    assert not is_old(loss)


def test_gradients_that_are_nodes_comparisons_and_choices_are_not_old():
    x, index = Value(0.7, label="x"), Value(1.0, label="t")
    z = [x, x * x, ag.tanh(x)]
    L = ag.where(x > 0.5, x**3, ag.exp(x)) + ag.pick(index, *z) + nn.cross_entropy(z, 2) + ag.maximum(x, -0.0)
    L.backward(create_graph=True)
    assert not is_old(L)
    assert not is_old(x.grad), "the graph of a derivative"
    x.data = -0.7
    assert ("x",) in changed_in(L)
    assert is_old(x.grad)


def test_what_no_grad_computed_has_no_graph_that_could_be_old():
    x = Value(3.0, label="x")
    with no_grad():
        y = x * x
    x.data = 5.0
    assert not is_old(y)
    assert not is_old(y + 1.0)


def test_an_own_operation_is_old_only_where_others_tell_that_its_operand_changed():
    x = Value(2.0, label="x")
    own = Value(x.data**3, (x,), "cube")
    own._backward = lambda: setattr(x, "grad", x.grad + 3 * x.data**2 * own.grad)
    x.data = 3.0
    assert not is_old(own + 1.0), "it can't be computed again"
    x.data = 2.0
    L = own + x * x
    assert not is_old(L)
    x.data = 3.0
    lines = {step.node: str(step) for step in forward_steps(L)}
    assert lines[own].startswith("v1 = 8 (x has probably changed")
    assert "to run the code again brings it up to date" in lines[own], "forward() can't"
    assert "v.forward() brings it up to date" in card(L.parents[1]), "of x·x alone it can"


# ------------------------------------------------------------------------------------------------ what has changed


def test_of_many_leaves_those_are_named_that_changed():
    w, x, b, c = (Value(v, label=name) for name, v in {"w": 2.0, "x": 3.0, "b": 0.5, "c": 4.0}.items())
    L = ag.tanh(ag.dot([w], [x], b)) * c
    b.data = 0.25
    assert changed_in(L) == [("b",)], "with w and x as they are recorded, z is another number"
    w.data = 1.0
    assert changed_in(L) == [("w",), ("b",)]
    b.data = 0.5
    assert changed_in(L) == [("w",)], "that b is what it was shows in z"
    c.data = 0.0
    assert changed_in(L) == [("w",), ("c",)]


def test_where_two_leaves_may_have_changed_both_are_named():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    L = a + b
    a.data = 1.0
    assert changed_in(L) == [("a", "b")]
    assert NamedGraph(L).note().startswith("a or b has probably changed")
    L = a + b
    K = L * ag.exp(b)
    a.data = 7.0
    assert changed_in(K) == [("a",)], "exp(b) is right, so it wasn't b"


def test_a_result_that_was_set_by_hand_is_named_itself():
    x = Value(3.0, label="x")
    h = x * x
    h.label = "h"
    L = h + 1.0
    h.data = 7.0
    assert changed_in(L) == [("h",)]
    assert [bool(step.older) for step in forward_steps(L)] == [False, True, True]
    L.data = 8.0
    assert changed_in(L) == [("h",)], "8 is h + 1"
    L.forward()
    assert (L.data, is_old(L)) == (10.0, False)
    L.data = 0.0
    assert changed_in(L) == [("add",)]
    assert NamedGraph(L).note().startswith("L has probably changed")


def test_of_a_graph_that_was_computed_again_in_part_the_border_is_named():
    x = Value(3.0, label="x")
    z = x * x + 1.0
    z.label = "z"
    L = ag.tanh(z)
    x.data = 0.5
    z.forward()
    assert changed_in(L) == [("z",)]
    assert str([*forward_steps(L)][-1]).startswith("L = 1 (z has probably changed")


def test_a_bare_number_that_was_changed_makes_a_graph_old():
    x = Value(3.0, label="x")
    L = x * 2.0
    two = L.parents[1]
    assert isinstance(two, Constant)
    two.data = 5.0
    assert "6" in str([*forward_steps(L)][-1])
    assert is_old(L)


def test_a_zero_that_changed_its_sign_is_a_change():
    x = Value(0.0, label="x")
    L = x * 2.0
    x.data = -0.0
    assert is_old(L)


def test_a_rule_of_one_s_own_that_refuses_the_new_number_makes_a_graph_old():
    root = ag.operation("plain_root", lambda xp, a: math.sqrt(a), lambda xp, out, a: (0.5 / out,), replace=True)
    x = Value(4.0, label="x")
    L = root(x)
    x.data = -1.0
    assert changed_in(L) == [("x",)]
    assert str([*forward_steps(L)][-1]).startswith("L = 2 (x has probably changed")


# ---------------------------------------------------------------------------------------- detect_anomaly, backward


def test_local_derivatives_alone_may_be_old_and_then_backward_is_an_anomaly():
    a, b = Value(0.0, label="a"), Value(3.0, label="b")
    L = a * b
    b.data = 5.0
    assert not [step for step in forward_steps(L) if step.older], "0·5 = 0 is true"
    message = r"older than its leaves: the local derivatives of mul = 0\.0 aren't those at a = 0\.0, b = 5\.0, so b has"
    with detect_anomaly(), pytest.raises(AnomalyError, match=message):
        L.backward()
    assert (a.grad, b.grad, L.grad) == (0.0, 0.0, 0.0), "before any gradient is touched"
    L.backward()
    assert a.grad == 3.0, "without it, the recorded local derivative, as promised"
    a.grad = 0.0
    L.backward(create_graph=True)
    assert a.grad.data == 5.0, "no result is old: the derivative is that of now"


def test_a_result_that_the_data_before_explain_is_not_among_what_has_changed():
    w, x, b = (Value(number, label=label) for number, label in [(2.0, "w"), (1.5, "x"), (0.5, "b")])
    root = ag.tanh(w * x + b)
    w.data, b.data = 1.0, -0.3
    assert changed_in(root) == [("w",), ("b",)], "w·x is what it was: w was 2"


def test_a_card_says_it_of_leaves_that_are_further_back_too():
    x = Value(1.0, label="x")
    root = ag.tanh(x * 2.0) + 1.0
    x.data = 3.0
    assert "x has probably changed since this graph was computed; v.forward() brings it up to date" in card(root)
    root.forward()
    assert "probably" not in card(root)
