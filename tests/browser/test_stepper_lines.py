"""Every line that the stepper writes: at each step of both grains, and at a click on each node and each edge."""

from __future__ import annotations

import re

import pytest
from reading_lines import check, parts, random_graph

from autograd_mini import step_through
from autograd_mini.engine.graph import topological_order
from autograd_mini.formulas.expression import format_number
from autograd_mini.views import page as pages

READ = """fed => {
    const element = document.createElement("div");
    document.body.replaceChildren(element);
    const stepper = new Stepper(element, fed), found = { node: [], edge: [], details: [], texts: {} };
    const all = places => [...element.querySelectorAll(places)];
    const texts = places => all(places).map(one => one.textContent);
    const row = grid => [...grid.children].filter((_, i) => i === 0 || i % 3 === 2).map(part => part.textContent);
    for (const grain of ["node", "edge"]) {
        stepper.setGrain(grain);
        for (let k = 1; k <= stepper.count; k++) {
            stepper.goTo(k);
            const rows = all(".am-panel .am-rows").map(grid => row(grid).join(" = "));
            const pills = texts(".am-pill text").map(text => "pill " + text);
            found[grain].push([...rows, ...texts(".am-line, .am-locals > div"), ...pills]);
        }
    }
    for (const part of all(".am-node, .am-edge[tabindex]")) {
        stepper.select(part.dataset.id);
        found.details.push(texts(".am-details .am-math:not(ul, .am-paths), .am-details .am-math > :is(li, div)"));
        found.texts[part.dataset.id] = [...part.querySelectorAll("text")].map(text => text.textContent);
    }
    stepper.destroy();
    return found;
}"""


@pytest.fixture
def read(open_page):
    """What the page writes of a graph; one page reads all of them."""
    page = open_page("")
    page.evaluate(f"(() => {{ {pages.script('stepper')}\n window.read = {READ}; }})()")
    return lambda root: page.evaluate("fed => window.read(fed)", step_through(root).payload)


def bare(line):
    """The equation in a line: without what it is added to, and what comes of that."""
    return re.sub(r"^(\S+ \+= |\+ )|   \[.*\]$", "", line)


def test_each_line_is_true_and_each_symbol_has_one_number(read):
    for seed in range(200):
        root = random_graph(seed)
        found, known = read(root), {}
        lines = [line for step in found["node"] + found["edge"] + found["details"] for line in step]
        assert sum(" = " in line for line in lines) > len(found["node"])
        for line in lines:
            assert "undefined" not in line
            if " = " in line:
                check(bare(line), known)
        # The same number has the same digits in the drawing.
        order = topological_order(root)
        name = found["texts"][f"node-{len(order) - 1}"][0]
        for k, node in enumerate(order):
            shown = found["texts"][f"node-{k}"]
            if node.kind != "constant":
                gradient = format_number(known[f"∂{name}/∂{shown[0]}"], 4)
                assert shown[-2:] == [f"data {format_number(node.data, 4)}", f"grad {gradient}"]
        for step in found["edge"]:
            products = [parts(bare(line))[-1] for line in step if " += " in line]
            assert [line.removeprefix("pill ") for line in step if line.startswith("pill")] == products
