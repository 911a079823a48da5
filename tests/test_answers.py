"""The questions of the lessons: right replies, wrong ones with what is said to them, and the lecturers' solutions."""

import json
import re
import runpy
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from autograd_mini import teaching
from autograd_mini.teaching import answer, answers, questions

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted({name.split(".")[0] for name in questions()}, key=int)


@pytest.fixture(autouse=True)
def nothing_was_answered_before(monkeypatch):
    monkeypatch.setattr(answers, "_replies", {})


def replies(lesson, run_name="solutions"):
    path = NOTEBOOKS / "solutions" / f"lesson_{int(lesson):02d}.py"
    return runpy.run_path(str(path), run_name=run_name)["REPLIES"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_question_is_answered_by_the_lecturers_solution(lesson, capsys):
    found = replies(lesson, run_name="__main__")
    assert list(found) == list(questions(lesson))
    assert capsys.readouterr().out.count("Right.") >= len(found)
    for question, reply in found.items():
        told = answer(question, reply)
        assert told.right is True, told
    assert f"{len(questions(lesson))} of {len(questions(lesson))} answered right" in repr(questions(lesson))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_typical_mistake_is_told_apart_and_the_number_is_not_given(lesson):
    for name in questions(lesson):
        asked = answers._question(name)
        right = [expected.number for _, expected in asked.expected()]
        wrong = dict(asked.mistakes)
        if asked.kind == "gradient":
            wrong[-right[0] if right[0] else 1.0] = ""
        elif asked.kind == "rule":
            wrong = {f"-({replies(lesson)[name]})": ""}
        assert wrong, f"{name}: no mistake is expected"
        for reply, sentence in wrong.items():
            told = answer(name, reply)
            assert told.right is False, told
            said = " ".join(told.text.split("Not yet.")[1].split())
            assert sentence in said, told
            assert right[:1] == [0.0] or not said.startswith("That isn't it."), told
            numbers = [float(one) for one in re.findall(r"-?\d+\.?\d*", said)]
            assert asked.kind == "rule" or not any(abs(r) > 1 and r in numbers for r in right), told


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_formula_of_a_question_is_broken_over_lines(lesson):
    for name in questions(lesson):
        lines = answer(name, ...).text.splitlines()
        assert max(map(len, lines)) <= answers.WIDTH, "as wide as a cell beside the side bar"
        for line in lines:
            assert not re.search(r" [-+*/·=]$|^[-+*/·=] ", line), answer(name, ...)


def test_a_reply_may_be_an_expression_with_comma_or_fraction():
    for reply in (0.375, "0,375", "3/8", "0.25 + 0,125", " 0.375 "):
        assert answer("1.9", reply).right, reply


def test_three_dots_show_the_question_and_count_as_no_reply():
    told = answer("1.1", ...)
    assert told.right is None, told
    assert "∂L/∂x" in told.text, told
    assert "Not answered yet" in told.text, told
    assert "open" in repr(questions(1)).splitlines()[0]


def test_no_expression_of_a_question_breaks_over_lines():
    for name in questions():
        for line in answer(name).text.splitlines():
            assert not re.search(r" [-=+*/<>]$|^[-=+*/<>] ", line), f"{name}: {line}"
    assert "η = 0.1?" in answer("2.3").text


def test_an_unknown_question_lists_those_of_the_lesson():
    with pytest.raises(ValueError, match=r"lesson 1 has 1\.1, 1\.2"):
        answer("1.99", 3)
    with pytest.raises(ValueError, match="lessons 1"):
        answer("77.1", 3)
    with pytest.raises(ValueError, match="no questions of lesson 77"):
        questions(77)


def test_numbers_of_other_kinds_are_replies_too():
    for reply in (Fraction(-3), np.int64(-3), np.float32(-3)):
        assert answer("1.2", reply).right, type(reply)


def test_what_cannot_be_read_is_said_and_is_no_try():
    told = answer("1.1", "3*(")
    assert told.right is None, told
    assert "Not understood: '(' was never closed" in answer("12.2", "3*(").text
    assert "Not understood" in told.text, told
    assert "letters a, b, c" in answer("1.13", "maybe").text
    assert "open" in repr(questions(1)).splitlines()[0]
    with pytest.raises(TypeError, match="got list"):
        answer("1.1", [3])
    with pytest.raises(TypeError, match="in quotes"):
        answer(1.1, 3)


def test_the_names_of_the_room_are_there():
    assert {"answer", "questions"} <= set(teaching.__all__)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_questions_in_a_lesson_are_its_own_and_stand_there_unanswered(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    asked = re.findall(r'\banswer\("([\d.]+)", (.*?)\)', code)
    assert all(reply == "..." for _, reply in asked), asked
    lesson = str(int(path.name[:2]))
    assert [name for name, _ in asked] == list(questions(lesson)), "a lesson ends in its questions, each in its place"


def test_at_least_forty_gradients_are_asked_for_and_their_first_ones_are_the_easiest():
    asked = {name: answers._question(name) for name in questions()}
    gradients = [name for name, one in asked.items() if one.kind in ("gradient", "rule")]
    assert len(gradients) >= 40, len(gradients)
    quizzes = " ".join(one.text for one in asked.values() if "lecture's quiz" in one.text)
    assert all(word in quizzes for word in ("3-5-1", "OR of two inputs", "w**2/(1 + w**2)", "output weight zero")), (
        quizzes
    )
    for lesson in LESSONS:
        edges = [
            sum(len(node.parents) for node in nodes.values())
            for name in questions(lesson)
            for nodes, _ in asked[name].expected()[:1]
            if asked[name].kind == "gradient"
        ]
        assert len(edges) < 2 or edges[0] <= edges[-1] + 1, f"lesson {lesson} begins with its largest graph"


def test_no_lesson_has_a_solution_in_it():
    for path in NOTEBOOKS.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        lesson = str(int(path.name[:2]))
        if f'answer(\\"{lesson}.1' in text:
            after = text[text.index("## Exercises") :]
            assert "assert " not in after, path.name
            assert "Right." not in after, path.name


def test_a_half_remembered_rule_is_recognized():
    assert "square is missing" in answer("12.10", "1 - a").text
    assert "σ′ is σ times 1 - σ" in answer("12.12", "a").text
    assert answer("12.10", "1 - tanh(z)**2").right
    assert answer("12.10", "(1-a)*(1+a)").right
    told = answer("12.10", "1 - b^2")
    assert told.right is None, told
    assert "no value for 'b'" in told.text, told
