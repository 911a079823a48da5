"""An exercise page: what it asks, what its source doesn't tell, its code, and what it refuses."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import re
import shutil
import subprocess

import pytest

from autograd_mini import Parameter, Value, log, step_through, tanh, teaching
from autograd_mini.cli import main as cli
from autograd_mini.explanations.mistakes import AnswerError, number_of
from autograd_mini.nn import MLP
from autograd_mini.views import page


def neuron():
    w, x, b = Parameter(0.5, label="w"), Value(2.0, label="x"), Parameter(-0.3, label="b")
    return tanh(w * x + b) ** 2 + w


def texts_of(html):
    """All that can be read in a page: its text, and what is packed in it by base64 and gzip."""
    found = [html]
    for packed in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", html):
        try:
            raw = base64.b64decode(packed)
        except ValueError:
            continue
        found.append((gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("latin-1"))
    return found


def masked_data(html):
    return next(json.loads(text) for text in texts_of(html) if text.startswith("{") and '"masked"' in text)


NUMBERS = ["2.534", "0.3836", "0.7672", "1.209", "0.6347", "0.6044"]


@pytest.mark.parametrize("hide", ["gradients", "local", "both"])
def test_what_is_asked_stands_nowhere_in_the_page(hide, tmp_path):
    stepper = step_through(neuron(), exercise=True, hide=hide)
    saved = stepper.save(tmp_path / "page.html").read_text(encoding="utf-8")
    shown = "".join(map(str, stepper._repr_mimebundle_().values()))
    for source in (stepper.html(), saved, shown, stepper._mime_()[1], repr(stepper), str(stepper)):
        for text in texts_of(source):
            assert not [number for number in NUMBERS if number in text], "a number that is asked can be read"
    told = [text for text in texts_of(step_through(neuron()).html()) if "2.534" in text]
    assert told, "the plain page tells its numbers, so that this test would see them"


def test_what_is_unmasked_is_what_the_plain_page_has():
    html = step_through(neuron(), exercise=True).html()
    data, state = masked_data(html), None
    raw, state = bytearray(base64.b64decode(data["masked"])), data["key"]
    for k in range(len(raw)):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        raw[k] ^= state >> 8 & 255
    found = json.loads(raw)
    assert found["nodes"] == step_through(neuron()).payload["nodes"]
    assert len(found["exercise"]["codes"]) == len(found["exercise"]["questions"]) + 1 == 8


def test_each_kind_asks_its_derivatives_in_the_order_of_the_page():
    asked = {
        hide: [
            (node.label, slot) for node, slot, _ in step_through(neuron(), exercise=True, hide=hide)._exercise.questions
        ]
        for hide in ("gradients", "local", "both")
    }
    assert [label for label, _ in asked["gradients"]][-2:] == ["x", "w"], "leaves come last"
    assert len(asked["gradients"]) == 7, "all but the base case and the constant 2"
    assert all(slot is not None for _, slot in asked["local"])
    assert asked["both"] == asked["local"] + asked["gradients"]


@pytest.mark.parametrize("options", [{}, {"hide": "local", "tries": 1}, {"hide": "both", "seed": 7, "tries": 15}])
def test_a_code_tells_the_score_and_which_exercise(options):
    asked = step_through(neuron(), exercise=True, **options)._exercise
    for right in range(len(asked.questions) + 1):
        found = teaching.check_code(asked.code(right).lower().replace("-", " "), neuron())
        assert found == teaching.check_code(f"Finished: 1 of 2 right. Code: {asked.code(right)}", neuron())
        assert (found.right, found.asked) == (right, len(asked.questions))
        assert (found.hide, found.tries, found.seed) == (asked.hide, asked.tries, asked.seed)


def test_a_mistyped_code_and_one_of_another_graph_are_told_apart():
    code = step_through(neuron(), exercise=True)._exercise.code(5)
    other = neuron()
    other.parents[1].data = 0.6
    other.forward()
    with pytest.raises(ValueError, match="another graph"):
        teaching.check_code(code, other)
    swapped = code[1] + code[0] + code[2:]
    for wrong in (swapped, code[:-1], code + "A", "0" + code[1:], ""):
        with pytest.raises(ValueError, match="mistyped"):
            teaching.check_code(wrong, neuron())
    with pytest.raises(TypeError, match="text"):
        teaching.check_code(12, neuron())
    with pytest.raises(TypeError, match="Value"):
        teaching.check_code(code, 3.0)


def test_a_seed_draws_numbers_of_its_own_and_leaves_the_graph_alone():
    root = neuron()
    before = copy.deepcopy(root)
    first, again, other = (step_through(root, exercise=True, seed=seed)._exercise.graph for seed in (1, 1, 2))
    leaves = [[node.data for node in graph.order if node.primitive is None] for graph in (first, again, other)]
    assert leaves[0] == leaves[1] != leaves[2]
    assert all(data == float(f"{data:.2g}") for data in leaves[0]), "numbers to calculate with by hand"
    assert list(first.called.values()) == ["w", "x", "v1", "b", "v2", "v3", "2", "v4", "L"]
    assert root.data == before.data, "the graph that was given is as it was"


def test_a_seed_finds_numbers_for_a_network_whose_exponents_have_no_derivative():
    loss = (MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]) - 1.0) ** 2
    stepper = step_through(loss, exercise=True, hide="both", seed=3)
    code = stepper._exercise.code(2)
    assert teaching.check_code(code, loss).asked == len(stepper._exercise.questions) > 30


def test_numbers_that_are_not_finite_are_given():
    x, y = Value(0.0, label="x"), Value(2.0, label="y")
    asked = step_through(log(x) * 1.0 + y, exercise=True)._exercise.questions
    assert "x" not in [node.label for node, _, _ in asked], "its gradient is infinite"
    assert "y" in [node.label for node, _, _ in asked]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hide": "x"}, 'expected "local", "gradients" or "both"'),
        ({"tries": 0}, "tries"),
        ({"tries": 16}, "at most 15"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**20}, "seed"),
        ({"grain": "edge"}, "grain"),
        ({"collapse": "neuron"}, "collapse"),
        ({"exercise": False, "hide": "local"}, "exercise=True"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        step_through(neuron(), **{"exercise": True, **options})


def test_what_cannot_be_asked_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing to ask"):
        step_through(Value(2.0, label="x"), exercise=True)
    root = neuron()
    root.parents[1].data = 3.0
    with pytest.raises(ValueError, match="changed"):
        step_through(root, exercise=True)
    stepper = step_through(neuron(), exercise=True)
    with pytest.raises(ValueError, match="html"):
        stepper.save(tmp_path / "answers.svg")
    with pytest.raises(ValueError, match="exercise"):
        stepper.widget  # noqa: B018
    with pytest.raises(ValueError, match="tries"):
        step_through(neuron(), exercise=True, tries="3")


def test_a_graph_that_is_too_large_is_refused_before_its_questions_are_made(monkeypatch):
    monkeypatch.setattr("autograd_mini.views.stepper.exercise.gradient_question", lambda *_: pytest.fail("too early"))
    with pytest.raises(ValueError, match="at most 100 nodes"):
        step_through(MLP(8, [20, 1])([1.0] * 8), exercise=True)


def test_the_command_line_writes_an_exercise(tmp_path, capsys):
    path = tmp_path / "page.html"
    assert cli.main(["step", "w*x", "w=0.5", "x=2", "--exercise", "both", "--html", str(path)]) == 0
    assert "am-exercise" in path.read_text(encoding="utf-8")
    assert cli.main(["step", "w*x", "w=0.5", "x=2", "--exercise", "both"]) != 0
    assert "--html" in capsys.readouterr().err


ANSWERS = [
    "3*2", "1-0.6044^2", "0,786", "11/14", "2e-3", "-.5", "−3", "2**-1", "-2²", "2^3^2", "1 - tanh(0,7)²",
    "(1+2)·3", "", " ", "abc", "2(3)", "1e", "(1", "1/0", "0/0", "1.0.5", "1;2", "tanh 2", "1e999", "--2",
    "2--2", "+ + 3", "pi", "2e", "e", "√(2)", "ln(2)", "log(-1)", "(-8)^(1/3)", "0^-1", "1/(0^-1)", "σ(1)",
    "abs(-3)", "[1+2]*2", "1:3", "3 4", "5.", ".", "1e5*1e-5", "2^0.5", "toString", "__proto__",
    "constructor(1)", "exp", "exp(800)", "1/exp(800)", "sin(1)cos(1)", "x" * 201, "2^^3", "3)", "()",
    "1\u00a0000", "٣", "½", "1E3", "²", "-2^-2", "sqrt(-0)", "0x10", "1_000",
]  # fmt: skip


@pytest.mark.needs("node")
def test_the_page_reads_answers_as_python_does():
    program = "\n".join([page.file("stepper/tape.js"), page.file("stepper/exercise.js").split("class Questions")[0]])
    read = f"""const number = Number; {program}
    const read = text => {{ try {{ return numberOf(text); }} catch (error) {{
      if (!(error instanceof AnswerError)) throw error; return error.message; }} }};
    console.log(JSON.stringify({json.dumps(ANSWERS)}.map(read)));"""
    done = subprocess.run([shutil.which("node"), "-e", read], capture_output=True, text=True, check=True)
    for text, found in zip(ANSWERS, json.loads(done.stdout), strict=True):
        try:
            meant = number_of(text)
        except AnswerError:
            meant = None
        if meant is None:
            assert isinstance(found, str), f"{text!r} can't be read, but the page says {found}"
        else:
            assert found == pytest.approx(meant, rel=1e-14), f"{text!r}: the page says {found}, Python {meant}"


def test_no_pictures_of_the_steps_are_made_of_an_exercise(tmp_path):
    x = Value(3.0, label="x")
    with pytest.raises(ValueError, match="pictures of the steps would show what the exercise asks"):
        step_through(x * x, exercise=True).save_steps(tmp_path / "slides")
    assert list(tmp_path.iterdir()) == []
