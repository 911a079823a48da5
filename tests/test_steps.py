"""The two stages as data: the records against `Value.backward`, against the lectures, and against their own print."""

import inspect
import itertools
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini import Value, backward_steps, explain, finite_difference, forward_steps
from autograd_mini.engine.graph import count_paths, edges, paths, recorded_gradients, successors, topological_order
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.engine.value import Constant, apply
from autograd_mini.explanations.steps import _Record

# ------------------------------------------------------------------------------------------------- random graphs

BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (2.0 + abs(b)),
    ag.maximum,
    ag.logsumexp,
    lambda a, b: ag.dot([a, b], [b, a], a),
    lambda a, b: ag.sum([a, b, a, 0.5]),
    lambda a, b: a * a,
]
UNARY = [ag.tanh, ag.sigmoid, ag.sin, ag.relu, lambda a: -a, lambda a: a**2, lambda a: 2.0 * a, ag.identity]


@st.composite
def graphs(draw, most_nodes=15):
    """A root computed from a few leaves, with nodes used any number of times."""
    numbers = st.floats(-3.0, 3.0, allow_subnormal=False)
    nodes = [Value(draw(numbers), label=f"x{i}") for i in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(0, most_nodes))):
        chosen = draw(st.integers(0, len(BINARY) + len(UNARY) - 1))
        a = nodes[draw(st.integers(0, len(nodes) - 1))]
        if chosen < len(BINARY):
            nodes.append(BINARY[chosen](a, nodes[draw(st.integers(0, len(nodes) - 1))]))
        else:
            nodes.append(UNARY[chosen - len(BINARY)](a))
    return nodes[-1]


def bits(number):
    return math.nan if number != number else number.hex()


def same_bits(a, b):
    return a.hex() == b.hex() or (a != a and b != b)


@given(graphs())
def test_gradients_of_the_records_are_those_of_backward_to_the_bit(root):
    steps = list(backward_steps(root))
    found = recorded_gradients(root)
    root.backward()
    for step in steps:
        assert same_bits(step.gradient, step.node.grad)
        assert same_bits(found[step.node], step.node.grad)


@given(graphs())
def test_every_upstream_gradient_is_final_when_it_is_used(root):
    final = {}
    for i, step in enumerate(backward_steps(root)):
        if i == 0:
            assert step.node is root
            assert step.gradient == 1.0
            assert step.contributions == ()
        total = 1.0 if i == 0 else 0.0
        for c in step.contributions:
            assert same_bits(c.upstream, final[c.successor])  # KeyError: used before it was there
            assert c.successor.parents[c.slot] is step.node
            assert same_bits(c.local, c.successor.local_grads[c.slot])
            assert same_bits(c.product, c.upstream * c.local)
            total += c.product
        assert same_bits(step.gradient, total)
        assert step.root is root
        assert step.node not in final
        final[step.node] = step.gradient
    assert list(final) == [node for node in topological_order(root)[::-1] if node.kind != "constant"]


@given(graphs())
def test_there_is_one_contribution_for_each_edge(root):
    from_steps = [(id(s.node), id(c.successor), c.slot) for s in backward_steps(root) for c in s.contributions]
    asked = [e for e in edges(root) if e.parent.kind != "constant"]
    assert sorted(from_steps) == sorted((id(e.parent), id(e.successor), e.slot) for e in asked)
    after = successors(root)
    for step in backward_steps(root):
        assert tuple(c.successor for c in step.contributions) == after[step.node]


@given(graphs())
def test_forward_steps_are_the_topological_order_with_the_data(root):
    steps = list(forward_steps(root))
    assert [step.node for step in steps] == [node for node in topological_order(root) if node.kind != "constant"]
    assert [bits(step.value) for step in steps if step.value == step.value] == [
        bits(step.node.data) for step in steps if step.value == step.value
    ]
    seen = set()
    for step in steps:
        assert all(parent in seen or parent.kind == "constant" for parent in step.node.parents)
        seen.add(step.node)


@given(graphs(most_nodes=8))
def test_the_gradient_is_the_sum_over_the_paths(root):
    for step in backward_steps(root):
        if count_paths(root, step.node) < 200 and math.isfinite(step.gradient):
            total = math.fsum(path.product for path in paths(root, step.node))
            assert total == pytest.approx(step.gradient, rel=1e-9, abs=1e-9)


def test_no_gradient_is_touched():
    x, y = Value(2.0), Value(3.0)
    z = x * y
    L = z * z + x
    for i, node in enumerate([x, y, z, L]):
        node.grad = 10.0 + i
    list(forward_steps(L))
    list(backward_steps(L))
    explain(x, L)
    finite_difference(L, x)
    assert [node.grad for node in (x, y, z, L)] == [10.0, 11.0, 12.0, 13.0]
    assert (x.data, y.data, z.data, L.data) == (2.0, 3.0, 6.0, 38.0)


def test_the_base_case_comes_first_and_a_square_has_two_contributions():
    x = Value(3.0, label="x")
    y = x * x
    base, step = backward_steps(y)
    assert (base.node, base.contributions, base.gradient) == (y, (), 1.0)
    assert [(c.successor, c.slot, c.upstream, c.local, c.product) for c in step.contributions] == [
        (y, 0, 1.0, 3.0, 3.0),
        (y, 1, 1.0, 3.0, 3.0),
    ]
    assert step.gradient == 6.0


def test_sums_of_floats_are_rounded_one_by_one_on_every_python():
    # From 3.12 on, Python's own sum() of floats compensates for rounding: 0.1 ten times is then 1.0.
    x = Value(1.0)
    total = x * 0.1
    for _ in range(9):
        total = total + x * 0.1
    step = next(step for step in backward_steps(total) if step.node is x)
    total.backward()
    assert x.grad == 0.9999999999999999
    assert step.gradient == x.grad


def test_the_steps_are_lazy():
    x = y = Value(1.0)
    for _ in range(1000):
        y = y + x
    steps = backward_steps(y)
    assert inspect.isgenerator(steps)
    assert next(steps).node is y
    assert next(steps).gradient == 1.0
    assert len(list(itertools.islice(forward_steps(y), 3))) == 3


def test_a_single_leaf_is_its_own_root():
    x = Value(2.5, label="x")
    assert [str(step) for step in forward_steps(x)] == ["x = 2.5"]
    assert [str(step) for step in backward_steps(x)] == ["∂x/∂x = 1"]


def test_nodes_made_under_no_grad_are_leaves():
    x = Value(2.0)
    with ag.no_grad():
        y = x * x
    assert [step.node for step in backward_steps(y * 3.0)][-1] is not x
    assert x not in [step.node for step in backward_steps(y * 3.0)]


@pytest.mark.parametrize("n", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_graph_of_many_thousand_nodes_is_no_special_case(n):
    x = y = Value(1.0, label="x")
    for _ in range(n):
        y = -y
    assert sum(1 for _ in forward_steps(y)) == n + 1
    last = None
    for step in backward_steps(y):
        if step.node is x:
            last = step
    assert last.gradient == 1.0
    assert str(explain(x, y)).endswith("finite difference ∂L/∂x ≈ 1")


def test_diamonds_with_exponentially_many_paths_take_linear_time():
    x = y = Value(1.0)
    for _ in range(300):
        y = y + y
    step = list(backward_steps(y))[-1]
    assert step.node is x
    assert step.gradient == 2.0**300
    assert len(step.contributions) == 2


# ------------------------------------------------------------------------------------ the lectures' worked example


def lecture_chain(w1=0.5, b1=-0.2, w2=1.5, b2=0.3, x=2.0, y=1.0):
    """L2: x → z¹ = w¹x + b¹ → a = g(z¹) → z² = w²a + b² → ŷ = g(z²) → l, with g the sigmoid."""
    w1, b1, w2, b2, x = (Value(v, label=n) for n, v in {"w1": w1, "b1": b1, "w2": w2, "b2": b2, "x": x}.items())
    z1 = w1 * x + b1
    a = ag.sigmoid(z1)
    z2 = w2 * a + b2
    p = ag.sigmoid(z2)
    loss = -(y * ag.log(p) + (1.0 - y) * ag.log(1.0 - p))
    return {"w1": w1, "b1": b1, "w2": w2, "b2": b2, "x": x, "z1": z1, "a": a, "z2": z2, "p": p, "l": loss}


@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_the_two_layer_example_of_the_lecture_a_to_e(y):
    nodes = lecture_chain(y=y)
    gradient = {step.node: step.gradient for step in backward_steps(nodes["l"])}
    x, a, p, w2 = (nodes[name].data for name in ("x", "a", "p", "w2"))
    delta_p = -y / p + (1.0 - y) / (1.0 - p)  # (a)
    delta_z2 = delta_p * p * (1.0 - p)  # (b)
    delta_w2 = delta_z2 * a  # (c)
    delta_z1 = delta_z2 * w2 * a * (1.0 - a)  # (d)
    delta_w1 = delta_z1 * x  # (e)
    by_hand = {"p": delta_p, "z2": delta_z2, "w2": delta_w2, "b2": delta_z2, "z1": delta_z1, "w1": delta_w1}
    by_hand |= {"b1": delta_z1, "a": delta_z2 * w2, "x": delta_z1 * nodes["w1"].data, "l": 1.0}
    for name, expected in by_hand.items():
        assert gradient[nodes[name]] == pytest.approx(expected, rel=1e-13, abs=1e-15), name
    assert gradient[nodes["z2"]] == pytest.approx(p - y, rel=1e-12)


def test_names_come_from_the_variables_of_the_caller():
    w, x, b = Value(0.5), Value(2.0), Value(0.1)
    z = w * x + b
    loss = ag.tanh(z)
    lines = [str(step) for step in forward_steps(loss, names=locals())]
    assert "z = v1 + b = 1 + 0.1 = 1.1" in lines
    assert lines[-1].startswith("loss = tanh(z) = tanh(1.1) = 0.8")
    assert "∂loss/∂w = ∂loss/∂v1·∂(w·x)/∂w = " in "\n".join(str(s) for s in backward_steps(loss, names=locals()))
    assert str(explain(w, loss, names=locals())).startswith("∂loss/∂w: how loss changes with w, at w = 0.5")


def test_lists_in_variables_give_indexed_names_and_labels_win():
    w = [Value(1.0), Value(2.0, label="theta")]
    L = w[0] * w[1]
    assert [str(step) for step in forward_steps(L, names={"w": w})] == [
        "w[0] = 1",
        "theta = 2",
        "L = w[0]·theta = 1·2 = 2",
    ]


# ----------------------------------------------------------------------------------------------- the printed lines


def by_arithmetic(written):
    """Evaluate the right-hand side of a printed line: sums of products of numbers."""
    terms = re.split(r" \+ ", written)
    return math.fsum(math.prod(float(factor.strip("()")) for factor in term.split("·")) for term in terms)


@given(graphs())
def test_the_arithmetic_of_every_printed_backward_line_is_true(root):
    for step in backward_steps(root):
        line, *rules = str(step).split("\n  ")
        assert line == step.equation("text")
        assert rules == step.rules(easy=False)
        if not math.isfinite(step.gradient):
            continue
        parts = line.split(" = ")
        size = math.fsum(abs(c.product) for c in step.contributions) or 1.0
        assert float(parts[-1]) == pytest.approx(step.gradient, rel=1e-5, abs=1e-300)
        numbers = parts[-2] if len(parts) > 3 else parts[-1]
        assert by_arithmetic(numbers) == pytest.approx(step.gradient, abs=2e-5 * size, rel=2e-5)
        if len(parts) > 3:
            assert numbers.count("·") == len(step.contributions)
        if len(parts) > 2:
            local_derivatives = [step.local(c).name.render() for c in step.contributions]
            upstream = [f"∂L/∂{step.names[c.successor]}" for c in step.contributions]
            assert parts[1] == " + ".join(map("{}·{}".format, upstream, local_derivatives))


def test_a_forward_line_shows_names_then_numbers_then_the_value():
    w, x, b = Value(0.5, "w"), Value(-2.0, "x"), Value(0.1, "b")
    lines = [str(s) for s in forward_steps(ag.exp(ag.dot([w], [x], b)) / (w - x) ** 2)]
    assert "v1 = w·x + b = 0.5·(-2) + 0.1 = -0.9" in lines
    assert "v2 = exp(v1) = exp(-0.9) = 0.40657" in lines
    assert "v3 = w - x = 0.5 - (-2) = 2.5" in lines
    assert "v4 = v3² = 2.5² = 6.25" in lines
    assert lines[-1] == "L = v2/v4 = 0.40657/6.25 = 0.0650511"


@pytest.mark.parametrize("name", list(PRIMITIVES))
def test_every_primitive_can_be_stepped_through_and_explained(name):
    primitive = PRIMITIVES[name]
    operands = [Value(v, label=f"u{i}") for i, v in enumerate([0.25, 0.75, 0.5][: primitive.arity or 3])]
    root = apply(primitive, *operands)
    forward = [str(step) for step in forward_steps(root)]
    assert re.fullmatch(r"L = .*u0.* = .*0\.25.*", forward[-1])
    assert float(forward[-1].split(" = ")[-1]) == pytest.approx(root.data, rel=1e-5)
    for step in backward_steps(root):
        assert str(step).startswith(f"∂L/∂{step.names[step.node]} = ")
        assert_well_formed(step.latex())
        explanation = explain(step.node, root)
        assert_well_formed(explanation.latex())
        if name not in ("where", "sign", "step", "softmax", "logsumexp"):
            assert explanation.finite_difference == pytest.approx(step.gradient, rel=1e-6, abs=1e-8)


# -------------------------------------------------------------------------------------------------------- LaTeX


def assert_well_formed(latex):
    """Braces and \\left … \\right balance, and no sign with a meaning of its own stands unescaped."""
    bare = latex.replace("\\\\", " ")
    depth = 0
    for sign in re.findall(r"\\?[{}]", bare):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0, latex
    assert depth == 0, latex
    assert latex.count("\\left") == latex.count("\\right"), latex
    assert latex.count("\\begin") == latex.count("\\end"), latex
    rows = latex.split("\\\\") if "\\begin{aligned}" in latex else []
    without_alignment = bare if not rows else " ".join(re.sub(r"(?<!\\)&", "", row, count=1) for row in rows)
    if "cases" not in latex:
        assert not re.search(r"(?<!\\)[#$%&~]", without_alignment), latex
    assert not re.search(r"(?<!\\)_(?!\{)", bare), latex


HOSTILE = [
    "a_b",
    "100%",
    "$x$",
    "a & b",
    "#1",
    "{",
    "}",
    "{}",
    "\\",
    "\\alpha",
    "^",
    "~",
    "x^2",
    'say "hi"',
    "<b>|",
    "ŷ",
    "∂L/∂x",
    "w[0]",
]


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_come_out_escaped_in_latex_and_as_they_are_in_text(label):
    x, y = Value(2.0, label=label), Value(-1e-9, label="theta2")
    L = x * y + x**2
    for step in [*forward_steps(L), *backward_steps(L)]:
        assert_well_formed(step.latex())
        assert step._repr_latex_() == f"$\\displaystyle {step.latex()}$"
    assert f"{label} = 2" in [str(step) for step in forward_steps(L)]
    assert_well_formed(explain(x, L).latex())
    assert explain(x, L)._repr_latex_().startswith("$$\n\\begin{aligned}\n")


@given(graphs())
def test_latex_is_well_formed_on_random_graphs(root):
    for step in [*forward_steps(root), *backward_steps(root)]:
        assert_well_formed(step.latex())


def test_the_latex_of_a_step_reads_as_in_the_lecture():
    x = Value(3.0, label="x")
    frac = r"\frac{{\partial {}}}{{\partial {}}}".format
    square = r"(\overset{1}{x} \cdot \overset{2}{x})"
    by_first, by_second = (frac(square, rf"\overset{{{k}}}{{x}}") for k in (1, 2))
    assert list(backward_steps(x * x))[-1].latex() == (
        rf"{frac('L', 'x')} = {frac('L', 'L')} \cdot {by_first} + {frac('L', 'L')} \cdot {by_second}"
        r" = 1 \cdot 3 + 1 \cdot 3 = 6"
    )


# ------------------------------------------------------------------------------------------------------ explain


@given(graphs())
def test_explanations_hold_the_record_and_print_formula_numbers_and_gradient(root):
    for step in backward_steps(root):
        explanation = explain(step.node, root)
        assert explanation.step.node is step.node
        assert same_bits(explanation.step.gradient, step.gradient)
        lines = str(explanation).splitlines()
        if step.contributions:
            titles = [line[2:20].strip() for line in lines[1:]]
            rules = step.rules()
            in_numbers = ["in numbers"] * step.numbers_agree()
            assert titles == ["in names", *["where"] * len(rules), *in_numbers, "gradient", "finite difference"]
            assert lines[1].endswith(step.in_names().render())
            assert [line[20:] for line in lines[2 : 2 + len(rules)]] == rules
            assert not in_numbers or lines[-3].endswith(step.in_numbers().render())
        else:
            assert lines[1].endswith("= 1 (the base case)")


def test_the_finite_difference_is_close_to_the_gradient_at_every_node():
    nodes = lecture_chain()
    for name, node in nodes.items():
        explanation = explain(node, nodes["l"])
        assert explanation.finite_difference == pytest.approx(explanation.step.gradient, rel=1e-7, abs=1e-9), name


def test_finite_differences_see_every_use_of_a_node_and_leave_other_nodes_alone():
    x, y = Value(3.0), Value(4.0)
    z = x * y
    L = z * z + x
    assert finite_difference(L, z) == pytest.approx(2 * 12.0)
    assert finite_difference(L, x) == pytest.approx(2 * 12.0 * 4.0 + 1)
    assert finite_difference(L, x, h=0.5) == pytest.approx((3.5**2 * 16 + 3.5 - 2.5**2 * 16 - 2.5) / 1.0)
    assert finite_difference(L, L) == pytest.approx(1.0)
    assert finite_difference(L, Value(1.0)) == 0.0
    assert [n.data for n in (x, y, z, L)] == [3.0, 4.0, 12.0, 147.0]


def test_a_node_without_a_path_to_the_root_has_gradient_0():
    x, other = Value(3.0, label="x"), Value(5.0, label="other")
    explanation = explain(other, x * x)
    assert explanation.step.gradient == explanation.finite_difference == 0.0
    assert "∂L/∂other = 0 (no path from other to L)" in str(explanation)
    assert_well_formed(explanation.latex())
    assert explain(x * x, x).step.gradient == 0.0  # a successor of the root leads nowhere


def test_a_node_without_a_path_is_called_by_its_variable_too():
    x, stray, loss = Value(3.0), Value(5.0), Value(2.0) * 1.0
    assert "no path from stray to loss" in str(explain(stray, loss, names=locals()))
    assert "no path from u to L" in str(explain(x, loss))


def test_the_root_and_a_leaf_root_are_the_base_case():
    x = Value(3.0, label="x")
    L = x * x
    assert "∂L/∂L = 1 (the base case)" in str(explain(L, L))
    assert "∂x/∂x = 1 (the base case)" in str(explain(x, x))
    assert "finite difference ∂x/∂x ≈ 1" in str(explain(x, x))


def test_constants_are_named_by_their_number():
    x = Value(3.0, label="x")
    L = 2 * x
    called = list(forward_steps(L))[-1].names
    assert [name for node, name in called.items() if isinstance(node, Constant)] == ["2"]


def test_a_record_that_does_not_say_how_it_prints_is_no_record():
    with pytest.raises(NotImplementedError):
        _Record().equation("text")


def test_infinite_and_nan_gradients_print():
    x = Value(0.0, label="x")
    steps = list(backward_steps(ag.log(x)))
    assert str(steps[-1]) == "∂L/∂x = ∂L/∂L·log′(x) = 1·inf = inf\n  log′(x) = 1/x = inf"
    assert steps[-1].equation("latex").endswith("1 \\cdot \\infty = \\infty")
    assert "≈ nan" in str(explain(x, ag.log(x)))


def test_the_exponent_of_a_negative_number_is_no_line_of_nan():
    x = Value(-3.0, label="x")
    lines = [str(step) for step in backward_steps(x**2)]
    assert lines == ["∂L/∂L = 1", "∂L/∂x = ∂L/∂L·∂(x²)/∂x = 1·(-6) = -6\n  ∂(x²)/∂x = 2·x = 2·(-3) = -6"]


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (ag.log, 1e-6, 1e6),
        (ag.sqrt, 1e-9, 0.5 / 1e-9**0.5),
        (ag.sin, 1e5, math.cos(1e5)),
        (ag.exp, 20.0, math.exp(20.0)),
        (ag.tanh, 0.3, 1 - math.tanh(0.3) ** 2),
        (lambda x: -ag.log(x), 1e-6, -1e6),
    ],
)
def test_the_finite_difference_finds_a_step_that_suits(f, at, expected):
    x = Value(at)
    assert ag.finite_difference(f(x), x) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("shift", [1e9, -1e9])
def test_the_finite_difference_allows_for_the_rounding_error_of_a_root_of_either_sign(sign, shift):
    x = Value(1e-6)
    root = (
        sign * ag.log(x) + shift
    )  # the widest step leaves the domain; rounding 1e9 costs the narrow ones their digits
    assert ag.finite_difference(root, x) == pytest.approx(sign * 1e6, rel=1e-3)


@pytest.mark.parametrize(
    ("f", "at", "h"),
    [
        (ag.sin, 0.3, 6e-6),
        (ag.sin, -1.5, 9e-6),
        (ag.sin, 100.0, 6e-4),
        (ag.log, 1e-6, 6e-10),  # of 6e-9 the tenth part differs in the 6th digit
        (lambda x: ag.log(x) * 1e-9, 1e-6, 6e-10),
    ],
)
def test_the_finite_difference_takes_the_widest_step_that_agrees_with_a_tenth_of_it(f, at, h):
    x = Value(at)
    assert ag.finite_difference(f(x), x) == pytest.approx(ag.finite_difference(f(x), x, h=h), rel=1e-13)


def test_the_finite_difference_takes_the_widest_step_where_none_agrees_with_the_next():
    x = Value(0.0)
    assert ag.finite_difference(ag.step(x), x) == 1.0 / 1.2e-5


def test_the_finite_difference_is_printed_with_three_digits_more_than_the_gradient():
    x = Value(1.0, label="x")
    explanation = explain(x, ag.sin(x))
    assert "∂L/∂x = 0.540302\n" in str(explanation)
    assert str(explanation).endswith("∂L/∂x ≈ 0.540302306")
    assert "\\approx 0.540302306 \\text{" in explanation.latex()


def test_records_cannot_be_changed_are_themselves_alone_and_print_short():
    x = Value(2.0, label="x")

    def records():
        forward, backward = list(forward_steps(x * x)), list(backward_steps(x * x))
        return [forward[-1], backward[-1], backward[-1].contributions[0], explain(x, x * x)]

    for record, twin in zip(records(), records(), strict=True):
        assert record != twin
        assert record != replace(record)  # nor by what it holds
        assert len({record, twin}) == 2
        assert "names=" not in repr(record)
        for name in vars(record):
            with pytest.raises(AttributeError, match="cannot assign"):
                setattr(record, name, 0)


def test_a_negative_constant_is_bracketed_in_names_too():
    x = Value(2.0, label="x")
    *_, last = forward_steps((-2) ** x)
    assert str(last) == "L = (-2)^x = (-2)² = 4"


@pytest.mark.parametrize("nothing", [3.0, None, [1.0]])
def test_what_is_no_node_is_refused(nothing):
    with pytest.raises(TypeError, match="expected the Value at the root of a graph, got"):
        list(forward_steps(nothing))
    with pytest.raises(TypeError, match="expected the Value at the root of a graph, got"):
        list(backward_steps(nothing))


def test_the_finite_difference_outside_of_the_domain_is_nan():
    x = Value(-1.0)
    assert math.isnan(ag.finite_difference(ag.log(x), x))


def test_an_operation_of_ones_own_that_refuses_the_printed_digits_is_shown_all_the_same():
    deep = ag.operation("deep", lambda xp, a: math.sqrt(a - 1.0000001), lambda xp, out, a: (1.0,))
    *_, last = forward_steps(deep(Value(1.0000001, label="a")))  # 1 is outside of its domain
    assert str(last) == "L = deep(a) = deep(1) = 0"
