"""What the stepper's page is fed with, how it is packed, and what `step_through` refuses."""

from __future__ import annotations

import gzip
import json
import math
import re
import xml.etree.ElementTree as ET
from base64 import b64decode

import pytest

import autograd_mini
from autograd_mini import Parameter, Value, log, scope, step_through, tanh
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.explanations.steps import backward_steps, forward_steps
from autograd_mini.nn import MLP, Layer, Neuron
from autograd_mini.views import Stepper, colours, page
from autograd_mini.views.page import number_as_json
from autograd_mini.views.stepper.payload import payload
from autograd_mini.views.stepper.tape import constant_locals, program


def neuron():
    w, x, b = Value(0.5, label="w"), Value(2.0, label="x"), Value(0.1, label="b")
    return tanh(w * x + b), w, b


def fed_to(html):
    """The payload in a piece of HTML, as a script would read it."""
    found = re.search(r'load\("am-\w+", "[^"]*", "([^"]*)"\)', html)
    assert found is not None
    return json.loads(gzip.decompress(b64decode(found[1])))


def first_drawing(html):
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', html)
    assert found is not None
    return b64decode(found[1]).decode("utf-8")


# ---------------------------------------------------------------------------------------------- the records


@pytest.mark.parametrize("make", [lambda: neuron()[0], lambda: (MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]) - 1) ** 2])
def test_every_number_is_one_of_the_records(make):
    root = make()
    fed, order = payload(root), topological_order(root)
    assert [node["value"] for node in fed["nodes"]] == [node.data for node in order]
    values = {order[k]: node["value"] for k, node in enumerate(fed["nodes"])}
    assert all(values[step.node] == step.value for step in forward_steps(root))
    backward = [step for step in backward_steps(root) if step.node.kind != "constant"]
    asked = [(u, edges) for u, edges in fed["backward"] if order[u].kind != "constant"]
    assert [order[u] for u, _ in asked] == [step.node for step in backward]
    for (u, edges), step in zip(asked, backward, strict=True):
        assert fed["nodes"][u]["gradient"] == number_as_json(step.gradient)
        assert [(order[v], slot) for v, slot in edges] == [(c.successor, c.slot) for c in step.contributions]
        for (v, slot), c in zip(edges, step.contributions, strict=True):
            assert fed["nodes"][v]["products"][slot] == number_as_json(c.product)
            assert fed["nodes"][v]["locals"][slot] == number_as_json(c.local)


def test_no_grad_is_touched_and_what_comes_later_changes_nothing():
    root, w, _ = neuron()
    w.grad = 42.0
    stepper = step_through(root, what_if=[w])
    before = stepper.payload["nodes"]
    root.backward()
    w.data = 7.0
    root.forward()
    assert stepper.payload["nodes"] == before
    assert w.grad != 0.0
    fresh = step_through(neuron()[0])
    assert fresh.root.grad == 0.0


def test_nan_and_infinities_survive_json():
    root = Value(math.nan, label="a") + log(Value(0.0)) * 1e308 * 10
    html = step_through(root).html()
    values = [float(node["value"]) for node in fed_to(html)["nodes"]]
    expected = [node.data for node in topological_order(root)]
    assert [math.isnan(v) for v in values] == [math.isnan(v) for v in expected]
    assert [v for v in values if v == v] == [v for v in expected if v == v]


def test_a_networks_names_are_a_lectures_and_those_in_the_code_are_kept():
    loss = (MLP(2, [2, 1], rng=0)([1.0, 2.0]) - 1) ** 2
    nodes = payload(loss)["nodes"]
    named = {node["name"]: node.get("full") for node in nodes}
    assert named["w¹₂₁"] == "layers.0.neurons.1.weights.0"
    assert named["b²₁"] == "layers.1.neurons.0.bias"
    assert named["a¹₂"] == "layers.0.neurons.1.a"
    assert len({node["name"] for node in nodes}) == len({node.get("full", node["name"]) for node in nodes})
    assert {node["name"] for node in payload(Neuron(2, rng=0)([1.0, 2.0]))["nodes"]} >= {"w₁", "w₂", "b", "z", "a"}
    assert "w₂₁" in {node["name"] for node in payload(sum(Layer(2, 2, rng=0)([1.0, 2.0])))["nodes"]}


def test_a_name_of_the_users_stays_as_it_is():
    a, b, c = Value(1.0, label="layers.0.z"), Value(2.0, label="z[0]"), Value(3.0, label="0.z")
    names = [node["name"] for node in payload(a * b * c)["nodes"]]
    assert names == ["layers.0.z", "z[0]", "v1", "0.z", "L"]


# -------------------------------------------------------------------------------------------------- the tape


@pytest.mark.parametrize("name", PRIMITIVES)
def test_the_page_has_every_function_that_a_rule_calls(name):
    source = page.file("stepper/tape.js")
    table = source[source.index("const FUNCTIONS") : source.index("function execute")]
    for count in [PRIMITIVES[name].arity] if PRIMITIVES[name].arity else [1, 2, 5]:
        rule = program(PRIMITIVES[name], count)
        for called in {call[0] for call in rule["forward"] + rule["derivatives"] + rule["textbook"]} - {"#"}:
            assert re.search(rf'(^|[\s"{{]){re.escape(called)}("?:|,| |")', table), f"tape.js has no {called}"


def test_a_sum_of_thousands_of_terms_is_no_special_case():
    rule = program(PRIMITIVES["sum"], 5000)
    assert len(rule["forward"]) == 4999
    assert constant_locals(rule) == [1.0] * 5000


# ------------------------------------------------------------------------------------------- the drawing


def test_the_picture_is_whole_without_a_script():
    root, *_ = neuron()
    svg = first_drawing(step_through(root).html())
    texts = [text.text for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    step = {s.node: s for s in backward_steps(root)}
    for s in forward_steps(root):
        assert {s.names[s.node], f"data {s.value:.4g}", f"grad {step[s.node].gradient:.4g}"} <= set(texts)
    assert "tanh" in texts


def test_the_drawing_is_the_same_graph_whichever_program_draws(renderer):
    svg = first_drawing(step_through(Neuron(2, "tanh", rng=0)([1.0, 2.0])).html())
    ids = re.findall(r'data-id="([^"]*)"', svg)
    assert sorted(ids) == sorted(
        [f"node-{k}" for k in range(7)]
        + ["op-5", "op-6", "out-5", "out-6", "edge-5-6-0"]
        + [f"edge-{u}-5-{slot}" for slot, u in enumerate((0, 1, 2, 3, 4))]
    )
    assert " id=" not in svg, "two drawings in a page would have the same"
    assert svg.count("<text") == 6 * 3 + 3 + 2 + 6


def test_an_input_has_two_outlines_and_a_constant_a_dashed_one():
    svg = first_drawing(step_through(Value(1.0, label="x") * 2 + Parameter(1.0, label="w")).html())
    groups = dict(re.findall(r'<g data-id="([^"]*)"[^>]*>(.*?)</g>', svg))
    assert groups["node-0"].count("<rect") == 2
    assert "stroke-dasharray" in groups["node-1"]
    assert 'stroke-width="2.6"' in groups["node-3"]


# ------------------------------------------------------------------------------------------------- the page


def test_nothing_is_fetched():
    html = step_through(neuron()[0]).html()
    addresses = set(re.findall(r"https?://[^\s\"'<>)]*", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "a namespace, not an address"
    assert not re.search(r"@import|<link|url\(|src=\"(?!data:)", html)


@pytest.mark.parametrize("label", ["</script>", "</ScRiPt >", "<!--", "]]>", "'\"`", "&lt;"])
def test_a_label_ends_no_script(label):
    html = step_through(Value(2.0, label=label) * 3).html()
    assert html.lower().count("<script") == html.lower().count("</script") == 1
    assert "<!--" not in html
    assert fed_to(html)["nodes"][0]["name"] == label


@pytest.mark.parametrize("name", page.PAGES)
def test_the_scripts_are_shipped_as_they_are_written(name):
    unpacked = gzip.decompress(b64decode(page._program(name))).decode("utf-8")
    assert all(page.file(script) in unpacked for script in page.PAGES[name])
    assert json.dumps(page.file("web/page.css")) in unpacked
    assert colours.NEGATIVE in unpacked, "the colours are those of Python's drawings"


def test_each_output_has_an_id_of_its_own():
    stepper = step_through(neuron()[0])
    ids = [re.search(r'<div [^>]*data-page="([^"]*)"', stepper.html())[1] for _ in range(2)]
    assert ids[0] != ids[1]
    assert all(stepper._repr_mimebundle_()["text/html"].count(name) == 0 for name in ids)


def test_the_scripts_have_no_module_syntax_so_that_they_can_be_put_into_any_scope():
    for name in page.PAGES:
        assert not re.search(r"^(import|export)\b", page.script(name), re.MULTILINE)
        assert "function mount(" in page.script(name)


def test_marimo_gets_a_frame_with_the_whole_page():
    kind, html = step_through(neuron()[0])._mime_()
    assert kind == "text/html"
    assert html.startswith("<iframe")
    assert "&lt;!doctype html&gt;" in html


def test_save_writes_a_page(tmp_path):
    path = step_through(neuron()[0]).save(str(tmp_path / "backprop.HTML"))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "<title>Backpropagation, step by step: the computational graph of L</title>" in text


def test_save_refuses_other_endings(tmp_path):
    with pytest.raises(ValueError, match=r"expected a name that ends in \.html .* or \.svg .*, got \"backprop\.pdf\""):
        step_through(neuron()[0]).save("backprop.pdf")


def test_the_folded_views_are_there_where_they_differ():
    assert [v["fold"] for v in step_through(neuron()[0]).payload["views"]] == [None]
    network = MLP(2, [2, 1], rng=0)([1.0, 2.0])
    assert [v["fold"] for v in step_through(network).payload["views"]] == [None, "neuron", "layer"]
    with scope("encoder"):
        inside = Value(1.0, label="x") * 2
    views = step_through(inside + 1).payload["views"]
    assert [v["fold"] for v in views] == [None, "neuron"], "by layer the boxes are the same"
    assert views[1]["boxes"] == [{"scope": "encoder", "nodes": [1, 2], "listed": [2]}]


def test_collapse_chooses_the_view_to_begin_with():
    network = MLP(2, [2, 1], rng=0)([1.0, 2.0])
    assert [step_through(network, collapse=fold).payload["view"] for fold in (None, "neuron", "layer")] == [0, 1, 2]
    with scope("encoder"):
        inside = Value(1.0, label="x") * 2
    assert step_through(inside + 1, collapse="layer").payload["view"] == 1


# --------------------------------------------------------------------------------------------- its options


def test_the_options_reach_the_page():
    root, w, b = neuron()
    fed = step_through(root, what_if=[b, w, b], lr=0.5, grain="edge").payload
    assert [fed["nodes"][k]["name"] for k in fed["whatIf"]] == ["b", "w"]
    assert (fed["lr"], fed["grain"], fed["sgd"]) == (0.5, "edge", sorted(fed["whatIf"]))
    fed = step_through(Parameter(1.0, label="p") * w).payload
    assert [fed["nodes"][k]["name"] for k in fed["sgd"]] == ["p"], "the parameters, where no leaf was chosen"


def test_names_name_the_nodes():
    first, second = Value(1.0), Value(2.0)
    fed = step_through(first * second, names={"first": first, "second": second}).payload
    assert [node["name"] for node in fed["nodes"]] == ["first", "second", "L"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"root": 3.0}, TypeError, "step_through takes a Value, the root of a graph such as a loss, not float"),
        ({"root": [Value(1.0)]}, TypeError, "not list"),
        ({"names": ["w"]}, TypeError, "names: expected a mapping of variables, as in names=locals(), got list"),
        ({"collapse": "neurons"}, ValueError, 'collapse: expected "neuron", "layer" or None, got \'neurons\''),
        ({"grain": "path"}, ValueError, 'grain: expected "node" or "edge", got \'path\''),
        ({"lr": 0.0}, ValueError, "lr: expected a positive number, got 0.0"),
        ({"lr": math.nan}, ValueError, "lr: expected a positive number, got nan"),
        ({"lr": "fast"}, TypeError, "fast"),
        ({"what_if": Value(1.0)}, TypeError, "what_if: expected a list of leaves, as in what_if=[w, b], got Value"),
        ({"what_if": 3}, TypeError, "what_if: expected a list of leaves, as in what_if=[w, b], got int"),
        ({"what_if": ["w"]}, TypeError, "what_if: expected Values, leaves of the graph, got str in the list"),
        ({"what_if": [Value(1.0, label="q")]}, ValueError, "what_if: no path leads from 'q' to the root"),
    ],
)
def test_bad_options_are_refused_before_any_work(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        step_through(**{"root": neuron()[0], **options})


def test_only_leaves_can_be_moved():
    root, *_ = neuron()
    with pytest.raises(
        ValueError, match=r"what_if: only leaves can be moved, and one with data .* was computed by add"
    ):
        step_through(root, what_if=[root.parents[0]])


@pytest.mark.parametrize("width", [200, pytest.param(300, marks=pytest.mark.slow)])
def test_a_view_that_is_too_large_is_refused(width):
    network = MLP(2, [width, width, 1], rng=0)([1.0, 2.0])
    left = f'collapse="neuron" leaves {2 * width + 3} values and boxes, more than 400; leave collapse'
    with pytest.raises(ValueError, match=left):
        step_through(network, collapse="neuron")


def test_it_is_a_public_name():
    assert isinstance(autograd_mini.step_through(neuron()[0]), Stepper)
    assert repr(step_through(neuron()[0])) == "<Stepper of L: 6 nodes>"
    assert repr(step_through(Value(1.0))) == "<Stepper of L: 1 node>"
