"""Every line of every view in text, read as a strict reader does, of random graphs.

A line is ``a = b = c``. Where parts of it are arithmetic, they come to one number, as far as the printed digits say; no
part repeats the one before; and in a whole view a symbol has one number, whichever line it stands in: z, ∂L/∂z and
tanh′(z) alike.
"""

import itertools
import math
import random
import re
from html import unescape

import pytest
from reading_lines import parts

import autograd_mini as ag
from autograd_mini import Value, backward_steps, draw, explain, forward_steps, to_latex, to_python
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.value import Constant
from autograd_mini.explanations.local import agree
from autograd_mini.views.stepper.animation import animated_svg
from autograd_mini.views.stepper.terminal import text_steps

# ------------------------------------------------------------------------------------------------------- the graphs

UNARY = [
    *(ag.tanh, ag.sigmoid, ag.exp, ag.relu, ag.softplus, ag.sin, ag.atan, ag.identity, ag.leaky_relu, ag.elu, ag.erf),
    *(
        lambda a: -a,
        lambda a: a**2,
        lambda a: a**-1,
        lambda a: 2.0 * a,
        lambda a: a - 0.5,
        lambda a: 3.0 / (a * a + 1.0),
    ),
    *(lambda a: ag.sqrt(abs(a) + 0.5), lambda a: ag.log(a * a + 0.5), lambda a: a * a, lambda a: a / a),
    *(lambda a: (abs(a) + 0.25) ** (abs(a) + 0.25), lambda a: own_cube(a), lambda a: handed_on(a)),
]
BINARY = [
    *(
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / (b * b + 1.0),
        ag.maximum,
        ag.minimum,
    ),
    *(ag.logsumexp, ag.hypot, ag.atan2, lambda a, b: ag.where(a > b, a, b), lambda a, b: ag.softmax([a, b, a * b])[1]),
    *(lambda a, b: ag.sum([a, b, a, 0.5]), lambda a, b: ag.dot([a, b], [b, a], a), lambda a, b: ag.sum([a, b] * 4)),
    *(lambda a, b: ag.dot([a] * 5, [b] * 5), lambda a, b: ag.softmax([a, b, *(a + k for k in range(1, 6))])[1]),
    *(
        lambda a, b: ag.minus_log_softmax(1, a, b, 0.5),
        lambda a, b: ag.maximum(a, a, b),
        lambda a, b: (b * b + 1.0) ** a,
    ),
]


def own_cube(a):
    cube = ag.operation(  # made anew for each test, as it goes with it
        "third_of_all_powers", lambda xp, a: xp.power(a, 3), lambda xp, out, a: (3 * xp.power(a, 2),), replace=True
    )
    return cube(a)


def handed_on(a):
    out = Value(5.0 * a.data, (a,), "fivefold")

    def backward():
        a.grad += 5.0 * out.grad

    out._backward = backward
    return out


def graph(seed):
    """A root computed from a few leaves, used any number of times; some nodes have labels of their own."""
    rng = random.Random(seed)
    nodes = [Value(round(rng.uniform(-2.0, 2.0), rng.choice([0, 1, 9])), label=name) for name in ("x", "w1", "θ")]
    for k in range(rng.randint(1, 7)):
        a, b = rng.choice(nodes[-3:]), rng.choice(nodes)
        made = rng.choice(UNARY)(a) if rng.random() < 0.5 else rng.choice(BINARY)(a, b)
        if made.kind == "value" and math.isfinite(made.data) and abs(made.data) < 1e6:
            made.label = f"h{k}" if rng.random() < 0.3 else ""
            nodes.append(made)
    root = nodes[-1]
    return root + rng.choice(nodes) if rng.random() < 0.3 or root.primitive is None else root


# -------------------------------------------------------------------------------------------------------- the reader

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]\d+)?(?![\w.])")
FUNCTIONS = {
    name: getattr(math, name) for name in "exp tanh log cos sin sqrt atan atan2 hypot erf expm1 inf nan".split()
}
FUNCTIONS |= {
    "sign": lambda x: (x > 0) - (x < 0),
    "abs": abs,
    "max": max,
    "min": min,
    "identity": lambda x: x,
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x, a: x if x > 0 else a * x,
    "elu": lambda x, a: x if x > 0 else a * math.expm1(x),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "σ": lambda x: 1 / (1 + math.exp(-x)),
    "greater": lambda a, b: float(a > b),
    "where": lambda c, a, b: a if c else b,
    "logsumexp": lambda *a: math.log(sum(map(math.exp, a))),
    "softmax": lambda *a: math.exp(a[0]) / sum(map(math.exp, a)),
    "minus_log_softmax": lambda t, *z: math.log(sum(map(math.exp, z))) - z[int(t)],
    "third_of_all_powers": lambda x: x**3,
}


def number_of(part, digits):
    """What a part in numbers comes to, and how far from it the true number may be; None where there are names in it."""
    code = re.sub(r"[⁰¹²³⁴-⁹⁻]+", lambda m: f"**({int(m[0].translate(RAISED)):#x})", part)  # exact
    code = re.sub(r"\|([^|]*)\|", r"abs(\1)", code).replace("·", "*").replace("^", "**").replace("≥", ">=")
    code = re.sub(r"(?<![<>=])=(?!=)", "==", code).replace("√", "sqrt").replace("π", str(math.pi))
    while (
        chosen := re.sub(r"\[([^\[\]]*?) if ([^\[\]]*?) else ([^\[\]]*)\]", r"((\1) if (\2) else (\3))", code)
    ) != code:
        code = chosen
    literals = [float(m[0]) for m in NUMBER.finditer(code)]
    places = iter(range(len(literals)))
    template = NUMBER.sub(lambda m: f"n[{next(places)}]", code)
    if set(re.findall(r"\b[^\W\d]\w*", template)) - {"n", "if", "else", "or", "and"} - FUNCTIONS.keys() or "…" in part:
        return None

    def at(numbers):
        return float(eval(template, {"__builtins__": {}, "n": numbers, **FUNCTIONS}))

    try:
        middle = at(literals)
        doubt = 0.0
        for i in range(len(literals)):
            moved = [
                at([y + sign * half_a_digit(y, digits) * (j == i) for j, y in enumerate(literals)]) for sign in (1, -1)
            ]
            doubt += max(abs(one - middle) for one in moved)
    except (ArithmeticError, ValueError):
        return math.nan, math.inf
    return middle, doubt


def half_a_digit(x, digits):
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(x))) - digits + 1) if x and math.isfinite(x) else 0.0


def check_line(line, known, digits):
    """Fail where a line is false or says nothing; `known` has the number of each symbol, and grows."""
    told = parts(line)
    assert all(a != b for a, b in itertools.pairwise(told)), f"a bare identity: {line}"
    numbers = [number_of(part, digits) for part in told]
    computed = [(part, *found) for part, found in zip(told, numbers, strict=True) if found is not None]
    if not computed:
        return
    _, result, _ = computed[-1]
    for part, number, doubt in computed[:-1]:
        if math.isfinite(number) and math.isfinite(result):
            most = 1.01 * (doubt + half_a_digit(result, digits)) + 1e-15
            assert abs(number - result) <= most, f"{part} is {number}: {line}"
            assert abs(number - result) <= 10.0 ** (2.1 - digits) * abs(result), f"{part} has lost its digits: {line}"
    if numbers[0] is None and NUMBER.sub("", computed[-1][0]) in ("", "-"):
        for symbol in [part for part, found in zip(told, numbers, strict=True) if found is None]:
            note(symbol, result, known, line)


def note(symbol, number, known, line):
    before = known.setdefault(symbol, number)
    same = before == number or (before != before and number != number)
    assert same, f"{symbol} is {before} elsewhere: {line}"


# --------------------------------------------------------------------------------------------------------- the views


def views(root):
    """Each view's lines, and its digits."""
    yield "steps", [*map(str, forward_steps(root)), *map(str, backward_steps(root))], 6
    for grain in ("node", "edge"):
        lines = [
            re.sub(r"^step +\d+/\d+ +|   \[.*\]$", "", line) for line in text_steps(root, grain=grain).splitlines()
        ]
        yield f"terminal by {grain}", [re.sub(r"^\S+\.grad \+= ", "", line) for line in lines], 6
    comments = re.findall(r"^# (.*[·′∂].*)$", to_python(root), flags=re.M) if has_formulas(root) else []
    yield "Python", comments, 6
    captions = re.findall(r"<text[^>]*>([^<]*)</text>", animated_svg(root))
    captions = [part for caption in captions for part in re.split(r", (?=∂\S+ = )", unescape(caption))]
    yield "animation", [caption for caption in captions if re.match(r"\S+ = |∂[^∂]*/∂\S+ = ", caption)], 4
    yield (
        "tooltips",
        [unescape(text) for text in re.findall(r'tooltip="([^"]*′?[^"]* = [^"]*)"', draw(root).source)],
        13,
    )
    for node in topological_order(root):
        if node.primitive is not None:
            cells = re.findall(r"<td[^>]*>([^<]*= [^<]*)<", node._repr_html_())
            yield "card", [unescape(cell) for cell in cells], 6


def has_formulas(root):
    return all(node.primitive is None or node.primitive.has_forward for node in topological_order(root))


def lines_of(view):
    return [line.strip() for text in view for line in text.split("\n") if " = " in line]


@pytest.mark.parametrize("seeds", [range(12), pytest.param(range(12, 212), marks=pytest.mark.slow)])
def test_every_line_is_true_says_something_and_has_one_number_for_each_symbol(seeds):
    for seed in seeds:
        for name, view, digits in views(graph(seed)):
            known = {}
            for line in lines_of(view):
                try:
                    check_line(line, known, digits)
                except AssertionError as error:
                    raise AssertionError(f"graph {seed}, {name}: {error}") from None


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 108), marks=pytest.mark.slow)])
def test_explanations_agree_with_the_steps_and_with_their_finite_difference(seeds):
    for seed in seeds:
        root, known = graph(seed), {}
        for step in backward_steps(root):
            for line in lines_of([str(step)]):
                check_line(line, known, 6)
        for node in {step.node for step in backward_steps(root)}:
            for line in str(explain(node, root)).splitlines()[1:]:
                told = re.sub(r" \((the base case|no path .*)\)$", "", line[20:])
                if " = " in told:
                    check_line(told, known, 6)


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 106), marks=pytest.mark.slow)])
def test_latex_has_no_line_with_the_same_on_both_sides_and_one_number_for_each_symbol(seeds):
    for seed in seeds:
        known = {}
        for line in (*to_latex(graph(seed)).forward, *to_latex(graph(seed)).backward):
            left, *rest = re.split(r" &?= (?![^{]*\\\\)", line.replace("&=", "&="))
            assert rest, line
            assert left not in rest, line
            note(left, rest[-1], known, line)


# ------------------------------------------------------------------------------------------------- told in full, once


def test_the_rule_is_told_in_names_and_in_numbers():
    z = Value(0.7, label="z")
    a = ag.tanh(z)
    a.label = "a"
    line = "tanh′(z) = 1 - a² = 1 - 0.604368² = 0.63474"
    assert str(list(backward_steps(a))[-1]) == f"∂a/∂z = ∂a/∂a·tanh′(z) = 1·0.63474 = 0.63474\n  {line}"
    assert line in text_steps(a)
    assert f"# {line}" in to_python(a)
    assert line in str(explain(z, a))
    assert line in a._repr_html_()
    assert "tanh′(z) = 1 - a² = 1 - 0.6044² = 0.6347" in animated_svg(a)
    assert r"\tanh'\left(z\right) &= 1 - a^{2} = 1 - 0.604368^{2} = 0.63474" in str(to_latex(a))
    assert "tanh′(z) = 1 - a² = 1 - 0.6043677771171636² = 0.6347395899824586" in draw(a).source


@pytest.mark.parametrize(
    ("make", "rules"),
    [
        (lambda x, w: x * w, ["∂(x·w)/∂x = w = 3", "∂(x·w)/∂w = x = 2"]),
        (lambda x, w: x + w, []),
        (lambda x, w: x - w, []),
        (lambda x, w: x / w, ["∂(x/w)/∂x = 1/w = 1/3 = 0.333333", "∂(x/w)/∂w = -x/w² = -2/3² = -0.222222"]),
        (lambda x, w: x**3, ["∂(x³)/∂x = 3·x² = 3·2² = 12"]),
        (
            lambda x, w: x**w,
            ["∂(x^w)/∂x = w·x^(w - 1) = 3·2^(3 - 1) = 12", "∂(x^w)/∂w = L·log(x) = 8·log(2) = 5.54518"],
        ),
        (lambda x, w: ag.sqrt(x), ["∂√(x)/∂x = 1/(2·L) = 1/(2·1.41421) = 0.353553"]),
        (lambda x, w: ag.exp(x), ["exp′(x) = L = 7.38906"]),
        (lambda x, w: ag.relu(x), ["relu′(x) = [1 if x > 0 else 0] = [1 if 2 > 0 else 0] = 1"]),
        (lambda x, w: ag.maximum(x, w), ["∂max(x, w)/∂x = [1 if x = L else 0] = [1 if 2 = 3 else 0] = 0"]),
        (lambda x, w: ag.maximum(x, x), []),  # a tie is shared: the formula would say 1
        (lambda x, w: x * x, ["∂(x①·x②)/∂x① = x = 2", "∂(x①·x②)/∂x② = x = 2"]),
        (lambda x, w: ag.tanh(x * 10), ["tanh′(v1) = 1 - L² = 1.69934e-17"]),  # 1 - 1² is another number
        (lambda x, w: ag.dot([x] * 5, [w] * 5), ["∂(… + x③·w + …)/∂x③ = w = 3", "∂(… + x·w⑤)/∂w⑤ = x = 2"]),
        (lambda x, w: ag.log2(x), ["log2′(x) = 1/(x·log(2)) = 1/(2·log(2)) = 0.721348"]),
        (lambda x, w: ag.erf(x * 0.5), ["erf′(v1) = 2/√(π)·exp(-v1²) = 2/√(π)·exp(-1²) = 0.415107"]),
    ],
)
def test_each_sort_of_operation_has_the_rule_of_a_textbook(make, rules):
    found = [
        rule for step in backward_steps(make(Value(2.0, label="x"), Value(3.0, label="w"))) for rule in step.rules()
    ]
    assert set(rules) <= set(found)
    assert rules or not found


def test_a_constant_has_no_line_no_gradient_and_no_number_on_its_edge():
    for x in (Value(3.0, label="x"), Value(-2.0, label="x")):
        root = x**2 * 5.0
        told = "\n".join("\n".join(lines_of(view)) for _, view, _ in views(root))
        assert "nan" not in told
        assert not re.search(r"∂L/∂[0-9]|∂/∂[0-9]", told)
        assert not re.search(r"^[0-9.]+ = ", told, flags=re.M)
        assert {step.node.kind for step in [*forward_steps(root), *backward_steps(root)]} == {"input", "value"}
    assert [str(step) for step in backward_steps(Constant(3.0))] == ["∂L/∂L = 1"]


def test_a_constant_that_is_asked_for_is_explained():
    x = Value(3.0, label="x")
    root = x**2
    assert "∂(x²)/∂2 = L·log(x) = 9·log(3) = 9.88751" in str(explain(root.parents[1], root))


def test_an_operation_before_a_node_does_not_keep_it_from_being_moved():
    x = handed_on(Value(2.0, label="x"))
    x.label = "u"
    assert explain(x, x * x).finite_difference == pytest.approx(20.0)
    assert explain(x, x).finite_difference == 1.0
    assert explain(x.parents[0], x * x).finite_difference is None


def test_a_node_without_a_path_is_not_called_as_another_one():
    x = Value(3.0, label="x")
    assert "∂L/∂x' = 0 (no path from x' to L)" in str(explain(Value(5.0, label="x"), x * x))


def test_a_sum_of_thousands_of_terms_is_told_in_short():
    x = Value(0.5, label="x")
    root = ag.sum([x * 1.0 for _ in range(3000)])
    steps = list(backward_steps(root))
    assert str(steps[1]) == "∂L/∂v3000 = ∂L/∂L·∂(… + v3000)/∂v3000 = 1·1 = 1"
    assert str(steps[-1]).endswith(" = 3000")


def test_a_name_that_reads_as_a_formula_stands_in_brackets_in_another_one():
    y, t = Value(0.5, label="y"), Value(0.2, label="t")
    d = y - t
    d.label = "y-t"
    s = d**2 + d
    s.label = "(y-t)^2 + y-t"
    root = 3.0 / d - s
    told = "\n".join("\n".join(lines_of(view)) for _, view, _ in views(root))
    assert "v2 = (y-t)² = 0.3² = 0.09" in told
    assert "(y-t)^2 + y-t = v2 + (y-t) = 0.09 + 0.3 = 0.39" in told
    assert "∂L/∂v1 = ∂L/∂L·∂(v1 - ((y-t)^2 + y-t))/∂v1 = 1·1 = 1" in told
    assert "∂L/∂((y-t)^2 + y-t) = " in told
    assert "∂(3/(y-t))/∂(y-t) = -3/(y-t)² = -3/0.3² = -33.3333" in told
    assert not re.search(r"[∂·/] ?y-t|[^(]y-t[²①]", told)
    latex = str(to_latex(root))
    assert r"\partial (3 / \left(\mathrm{y-t}\right))}{\partial \left(\mathrm{y-t}\right)}" in latex
    assert r"v_{2} &= \left(\mathrm{y-t}\right)^{2}" in latex


def test_there_is_no_arithmetic_on_a_zero_whose_sign_is_not_seen():
    x = Value(-0.0, label="x")
    lines = [str(step) for root in (1.0 / x, ag.atan2(x, Value(-2.0, label="y"))) for step in forward_steps(root)]
    assert lines == ["x = 0", "L = 1/x = -inf", "x = 0", "y = -2", "L = atan2(x, y) = -3.14159"]


def test_a_number_that_is_not_finite_is_not_near_to_any_other():
    assert not agree(5.0, math.inf, 6)
    assert not agree(math.inf, -math.inf, 6)
    assert agree(math.nan, math.nan, 6)
    assert agree(math.inf, math.inf, 6)
