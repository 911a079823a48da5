"""The tape that the page computes with, held to Python: every primitive, finite differences, numbers as they print."""

from __future__ import annotations

import itertools
import json
import math
import random

import pytest

from autograd_mini import Value, exp, logsumexp, sigmoid, tanh
from autograd_mini.engine import floats
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.explanations.steps import finite_difference
from autograd_mini.formulas.expression import format_number
from autograd_mini.views import page as pages
from autograd_mini.views.page import number_as_json
from autograd_mini.views.stepper.payload import payload
from autograd_mini.views.stepper.tape import program

SPECIAL = [0.0, 1.0, -1.0, 0.5, -2.0, 30.0, -30.0, 1000.0, -1000.0, math.inf, -math.inf, math.nan]


@pytest.fixture
def compute(open_page):
    """Evaluate a JavaScript function of one argument beside the stepper's functions."""
    page = open_page("")

    def compute(function, argument):
        """JSON has no NaN and no infinities: they come back as strings."""
        call = f"({function})({json.dumps(argument)})"
        text = "(_, x) => typeof x === 'number' && !isFinite(x) ? String(x) : x"
        return json.loads(
            page.evaluate(f"(() => {{ {pages.script('stepper')}\n return JSON.stringify({call}, {text}); }})()")
        )

    return compute


def arguments(primitive, count):
    """Points for a primitive: random ones inside of its domain, and special ones wherever they are."""
    generator = random.Random(primitive.name)
    domain = [primitive.domain[min(i, len(primitive.domain) - 1)] for i in range(count)]
    bounded = [(max(low, -4.0), min(high, 4.0)) for low, high in domain]
    inside = [[generator.uniform(low, high) for low, high in bounded] for _ in range(30)]
    outside = [list(point) for point in itertools.product(SPECIAL, repeat=count)] if count < 3 else []
    return inside + outside


CASES = [(p.name, n) for p in PRIMITIVES.values() for n in ([p.arity] if p.arity else [1, 3, 4])]


@pytest.mark.parametrize(("name", "count"), CASES, ids=[f"{name}-{count}" for name, count in CASES])
def test_every_primitive_is_what_it_is_in_python(compute, name, count):
    primitive = PRIMITIVES[name]
    points = arguments(primitive, count)
    found = compute(
        """({ rule, points }) => points.map(point => {
            const inputs = point.map(number), value = valueOf(rule, inputs);
            const slots = execute(rule.derivatives, [...inputs, value]);
            return [value, rule.locals.map(i => slots[i])];
        })""",
        {"rule": program(primitive, count), "points": [[number_as_json(x) for x in point] for point in points]},
    )
    for point, (value, local) in zip(points, found, strict=True):
        expected = float(primitive.forward(floats, *point))
        assert float(value) == pytest.approx(expected, rel=1e-13, abs=1e-300, nan_ok=True), point
        derivatives = [float(d) for d in primitive.derivatives(floats, expected, *point)]
        assert [float(d) for d in local] == pytest.approx(derivatives, rel=1e-12, abs=1e-300, nan_ok=True), point


def graphs():
    a, b, c = Value(0.7, label="a"), Value(-1.3, label="b"), Value(2.1, label="c")
    yield a * b + a
    yield tanh(a * b + c) ** 2 / (1 + exp(-a))
    yield logsumexp(a, b, c) - sigmoid(a - b) * abs(b)
    yield a


@pytest.mark.parametrize("root", [*graphs()], ids=["product", "fraction", "logsumexp", "leaf"])
def test_both_passes_come_out_as_python_recorded_them(compute, root):
    fed = payload(root)
    found = compute(
        """graph => { const once = recorded(graph); return [once, evaluate(graph, once, new Map())]; }""",
        fed,
    )
    for key, again in found[1].items():
        for ours, theirs in zip(found[0][key], again, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("root", [*graphs()], ids=["product", "fraction", "logsumexp", "leaf"])
def test_moved_leaves_give_what_python_gives(compute, root):
    order = topological_order(root)
    moved = [k for k, node in enumerate(order) if node.label in ("a", "c")]
    found = compute(
        """({ graph, moved }) => evaluate(graph, recorded({ ...graph }), new Map(moved.map(k => [k, 0.25 + k])))""",
        {"graph": payload(root), "moved": moved},
    )
    for k in moved:
        order[k].data = 0.25 + k
    root.forward()
    again = payload(root)
    assert found["values"] == pytest.approx([node["value"] for node in again["nodes"]], rel=1e-13)
    assert found["gradients"] == pytest.approx([node["gradient"] for node in again["nodes"]], rel=1e-13)


@pytest.mark.parametrize("root", [*graphs()], ids=["product", "fraction", "logsumexp", "leaf"])
def test_finite_differences_are_pythons(compute, root):
    found = compute(
        """graph => graph.nodes.map((_, k) => finiteDifference(graph, recorded(graph), k))""",
        payload(root),
    )
    expected = [finite_difference(root, node) for node in topological_order(root)]
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_numbers_are_printed_as_python_prints_them(compute):
    generator = random.Random(0)
    numbers = [generator.uniform(-1, 1) * 10.0 ** generator.randint(-12, 12) for _ in range(2000)]
    numbers += [generator.randint(-(10**6), 10**6) / 2 ** generator.randint(0, 12) for _ in range(4000)]  # many ties
    numbers += [*SPECIAL, 0.1, 1e-4, 1e-5, 99999.5, 999999.5, 1e16, 1e300, 5e-324, 1.0625, 0.125, -0.0, 123456.5]
    for digits in (1, 2, 3, 4, 6, 9):
        found = compute(
            "({ numbers, digits }) => numbers.map(x => format(number(x), digits))",
            {"numbers": [number_as_json(x) for x in numbers], "digits": digits},
        )
        assert found == [format_number(x, digits) for x in numbers]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0.5", 0.5),
        (" -3 ", -3.0),
        ("−3", -3.0),
        ("0,25", 0.25),
        ("1/4", 0.25),
        ("-1 / 4", -0.25),
        (".5", 0.5),
        ("1e-3", 1e-3),
        ("inf", math.inf),
        ("", None),
        ("two", None),
        ("1+1", None),
        ("--1", None),
    ],
)
def test_what_a_reader_may_type(compute, typed, meant):
    found = compute("text => { const x = typedNumber(text); return x === undefined ? null : x; }", typed)
    assert (found if found is None else float(found)) == meant


@pytest.mark.parametrize(
    ("answer", "truth", "right"),
    [
        (1.009, 1.0, True),
        (0.985, 1.0, False),
        (-1.0, 1.0, False),
        (0.0, 0.0, True),
        (0.001, 0.0, False),
        ("NaN", "NaN", True),
        ("Infinity", "Infinity", True),
        (1.0, "NaN", False),
        (100.0, "Infinity", False),
    ],
)
def test_an_answer_is_right_within_a_hundredth(compute, answer, truth, right):
    assert compute("([a, t]) => isRight(number(a), number(t))", [answer, truth]) is right
