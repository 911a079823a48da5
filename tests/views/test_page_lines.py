"""What the stepper's page writes, read line by line: formulas and details, by Node.js without a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from reading_lines import check, random_graph

from autograd_mini import Parameter, Value, dot, logsumexp, maximum, softmax, tanh
from autograd_mini.explanations.steps import backward_steps, forward_steps
from autograd_mini.views import page
from autograd_mini.views.stepper.payload import payload

pytestmark = pytest.mark.needs("node")

# Elements that hold their texts alone, which is what the formulas and the details are made of.
STUB = """
class Part {
  constructor() { Object.assign(this, { nodeType: 1, parts: [], attributes: {} }); }
  append(...parts) { this.parts.push(...parts); }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener() {}
  get textContent() { return this.parts.map(part => part.textContent ?? String(part)).join(""); }
}
const document = { createElement: () => new Part(), createElementNS: () => new Part() };
const matchMedia = () => ({ matches: false, addEventListener() {} });
"""
READ = """
const joined = rows => [textOf(rows[0][0]), ...rows.map(([, right]) => textOf(right))].join(" = ");
function read(graph, shift) {
  graph = { ...graph, edgesOf: Array.from(graph.nodes, () => []) };
  for (const [u, edges] of graph.backward) graph.edgesOf[u] = edges;
  const formulas = new Formulas(graph), root = graph.nodes.length - 1, once = recorded(graph);
  const leaves = graph.nodes.flatMap(({ rule, kind }, k) => rule || kind === "constant" ? [] : [k]);
  const moved = new Map(leaves.map(k => [k, once.values[k] + shift]));
  const run = shift ? evaluate(graph, once, moved) : once, lines = { node: [], edge: [], local: [], details: {} };
  const local = ([v, slot]) => textOf(formulas.localLine(run, v, slot));
  for (const grain of ["node", "edge"]) for (const step of timeline(graph, grain).steps) {
    const { pass, node: u, edges, all, index } = step;
    if (pass === "forward") lines[grain].push(joined(formulas.forward(run, u)));
    else if (pass === "seed") lines[grain].push(textOf([formulas.gradientOf(u), " = 1"]));
    else if (grain === "node") lines.node.push(joined(formulas.backward(run, u, edges)));
    else {
      const before = all.slice(0, index).reduce((sum, [v, slot]) => sum + run.products[v][slot], 0);
      lines.edge.push(textOf(formulas.edge(run, u, edges[0], before)));
    }
    if (pass === "backward" && grain === "node") lines.local.push(...edges.map(local));
  }
  graph.nodes.forEach((node, u) => {
    const about = nodeDetails(graph, run, formulas, u, 1, (edge, line) => line);
    const uses = node.kind === "constant" ? [] : graph.edgesOf[u].map(edge => [u, ...edge]);
    const edges = uses.map(use => edgeDetails(graph, run, formulas, [use]));
    lines.details[formulas.names[u]] = [about, ...edges].flat(9).map(textOf);
  });
  return lines;
}
const { shift, graphs } = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(graphs.map(graph => read(graph, shift))));
"""


def lines_of(*roots, shift=0.0):
    """What the page writes of each graph, all leaves moved by so much.

    The lines of its steps by node and by edge, those of the local derivatives, and the details of nodes by their names.
    """
    fed = json.dumps({"shift": shift, "graphs": [payload(root) for root in roots]})
    done = subprocess.run(
        [shutil.which("node"), "-e", STUB + page.script("stepper") + READ],
        input=fed, capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_all(lines):
    known = {}
    for line in [*lines["node"], *lines["edge"], *lines["local"]]:
        check(re.sub(r"^\S+ \+= |   \[.*\]$", "", line), known)


@pytest.mark.parametrize(
    "line",
    [
        "∂L/∂x = ∂L/∂L·∂L/∂x = 1·3 = 3",
        "∂a/∂z = ∂a/∂z = 0.5",
        "L = w·x = 1·2 = 6",
        "∂L/∂x = ∂L/∂p·∂(w·x)/∂x = 2·3 = 5",
        "tanh′(z) = 1 - a² = 1 - 1² = 0.01",
    ],
)
def test_the_reader_finds_what_is_false_or_says_nothing(line):
    with pytest.raises(AssertionError):
        check(line, {"∂L/∂L": 1.0, "∂L/∂x": 7.0})


def test_the_reader_takes_what_is_true():
    known = {}
    check("∂L/∂x = ∂L/∂L·∂(v1 + x)/∂x + ∂L/∂v1·∂(x①·x②)/∂x① = 1·1 + 2·(-3) = -5", known)
    check("tanh′(z) = 1 - a² = 1 - (-0.6044)² = 0.6347", known)
    assert known == {
        "∂L/∂x": -5.0, "∂L/∂L": 1.0, "∂(v1 + x)/∂x": 1.0, "∂L/∂v1": 2.0, "∂(x①·x②)/∂x①": -3.0, "tanh′(z)": 0.6347
    }  # fmt: skip


@pytest.mark.parametrize("count", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_the_lines_are_true_and_those_of_python(count):
    roots = [random_graph(seed) for seed in range(count)]
    for root, lines in zip(roots, lines_of(*roots), strict=True):
        check_all(lines)
        records = [*forward_steps(root), *backward_steps(root)]
        assert lines["node"] == [record.equation("text", page.DIGITS) for record in records]
        python = [rule for record in backward_steps(root) for rule in record.rules(digits=page.DIGITS)]
        assert set(python) <= set(lines["local"])


@pytest.mark.parametrize("count", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_the_lines_are_true_when_leaves_were_moved(count):
    for lines in lines_of(*map(random_graph, range(count)), shift=0.37):
        check_all(lines)


def details(root, *names):
    """What is told of nodes and of the edges that leave them."""
    told = lines_of(root)[0]["details"]
    return [" | ".join(told[name]) for name in names]


def test_the_details_of_the_root_and_of_a_weighted_sum():
    w, x, b = Parameter(0.5, label="w"), Value(2.0, label="x"), Parameter(0.1, label="b")
    z = dot([w], [x], b)
    z.label = "z"
    a = tanh(z)
    a.label = "a"
    text, of_root = details(a, "z", "a")
    assert "Computed as z = w·x + b = 0.5·2 + 0.1 = 1.1" in text
    assert "dot" not in text
    assert "One path leads from it to the root: | ∂a/∂z = tanh′(z) = 0.3592" in text
    assert "It is the root. The backward pass begins here, as a changes with itself one to one: ∂a/∂a = 1" in of_root
    assert "lead" not in of_root
    assert "ifference" not in of_root


def test_a_sum_of_paths_is_said_of_all_of_them_alone():
    x = Value(3.0, label="x")
    (text,) = details(x * x + x, "x")
    assert "∂(v1 + x)/∂x = 1+ ∂(v1 + x)/∂v1·∂(x①·x②)/∂x① = 1·3 = 3+ " in text
    assert "Sum: ∂L/∂x = 1 + 3 + 3 = 7" in text
    assert "one of the 3 to the gradient of x: ∂L/∂x = 7." in text


def test_numbers_that_do_not_give_the_result_are_left_out():
    """A saturated tanh is 1 to four digits, and 1 - 1² isn't 4e-08; two that are largest share what 1 says of each."""
    x, y, near = Value(2.0, label="x"), Value(2.0, label="y"), Value(2.00001, label="near")
    saturated, tie, difference = lines_of(tanh(Value(9.2, label="z")), maximum(x, y), near - x)
    assert saturated["local"] == ["tanh′(z) = 1 - L² = 4.084e-08"]
    assert tie["local"] == ["∂max(x, y)/∂y = 0.5", "∂max(x, y)/∂x = 0.5"]
    assert difference["node"][2] == "L = near - x = 1e-05"


def test_more_digits_are_given_as_such():
    root = tanh(Value(0.7, label="z"))
    (text,) = details(root, "L")
    assert f"data 0.6044, grad 1 | to the last digit: data {root.data} | Computed as L = tanh(z)" in text


def test_two_long_names_are_two_symbols():
    a, b = Value(1.0, label="a" * 30 + "1"), Value(2.0, label="a" * 30 + "2")
    both, one = lines_of(a * b, a * 2)
    assert both["node"][2] == f"L = {a.label}·{b.label} = 1·2 = 2"
    assert one["node"][1] == f"L = {'a' * 25}…·2 = 1·2 = 2"


def test_an_operation_that_is_known_by_its_backward_alone():
    x = Value(2.0, label="x")
    cube = Value(x.data**3, (x,), "cube")
    cube._backward = lambda: setattr(x, "grad", x.grad + 3 * x.data**2 * cube.grad)
    (lines,) = lines_of(cube * 2)
    assert "∂cube(x)/∂x = 12" in lines["local"] + [line.replace("cube′(x)", "∂cube(x)/∂x") for line in lines["local"]]
    assert "2h: none, as an operation on the way has no formula to compute it anew" in " ".join(lines["details"]["x"])


def test_operations_on_many_operands():
    leaves = [Value(0.1 * k, label=f"x{k}") for k in range(9)]
    roots = [logsumexp(*leaves), softmax(leaves)[0], maximum(*leaves), sum(leaves[1:], leaves[0]), dot(leaves, leaves)]
    for lines in (found := lines_of(*roots)):
        check_all(lines)
    assert "∂(… + x3①·x3② + …)/∂x3① = x3 = 0.3" in found[-1]["local"]


def test_a_name_that_reads_as_a_formula_stands_in_brackets_in_another_one():
    y, t, w = Value(0.5, label="y"), Value(0.2, label="t"), Value(-2.0, label="w")
    d = y - t
    d.label = "y-t"
    p = d * w
    p.label = "(y-t)*w"
    roots = [p * d + d**2, -d / p + d * d, d / w + w**d - p, tanh(d) + maximum(p, d), p]
    for root, lines in zip(roots, lines_of(*roots), strict=True):
        records = [*forward_steps(root), *backward_steps(root)]
        told = "\n".join(lines["node"])
        assert lines["node"] == [record.equation("text", page.DIGITS) for record in records]
        assert "∂y-t" not in told
        assert "y-t²" not in told


def test_a_name_with_small_digits_stands_in_brackets_in_a_power():
    x, other, a = Value(2.0, label="x"), Value(3.0, label="x"), Value(1.5, label="a¹₂")
    root = x + other**2 + x**a
    lines = lines_of(root)[0]["node"]
    assert lines == [record.equation("text", page.DIGITS) for record in [*forward_steps(root), *backward_steps(root)]]
    assert {"v1 = (x₍₂₎)² = 3² = 9", "v3 = x^(a¹₂) = 2^1.5 = 2.828"} <= {*lines}
