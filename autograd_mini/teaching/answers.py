"""`answer("3.2", reply)`: whether a reply to a question of a lesson is right, and if not, what is wrong in it."""

from __future__ import annotations

import math
import pkgutil
import re
import textwrap
from dataclasses import dataclass
from importlib import import_module
from numbers import Real
from typing import Any

from autograd_mini.explanations.mistakes import UNKNOWN, AnswerError, Judgement, judged
from autograd_mini.formulas.parse import FormulaError, parse
from autograd_mini.teaching import lesson_questions
from autograd_mini.teaching.question import LessonQuestion

WIDTH = 96  # of the text: as much as a notebook's cell shows beside the side bar
_replies: dict[str, tuple[bool, int]] = {}  # question: whether it has been answered right, and how often it was tried


@dataclass(frozen=True)
class Feedback:
    """What is said to a reply.

    Attributes
    ----------
    question : str
        The number of the question, such as "3.2".
    right : bool or None
        Whether the reply was right; None where there was none, or none that can be read.
    text : str
        The question and what is said.
    """

    question: str
    right: bool | None
    text: str

    def __repr__(self) -> str:
        return self.text


class Overview(tuple[str, ...]):
    """The numbers of questions; printed, with the questions and whether they have been answered."""

    __slots__ = ()

    def __repr__(self) -> str:
        lines = []
        for name in self:
            right, tries = _replies.get(name, (False, 0))
            state = "right" if right else "wrong" if tries else "open"
            *before, end = _question(name).text.splitlines()
            start = (
                textwrap.shorten(", ".join(before).replace(".,", "."), 84 - len(end), placeholder=" …")
                if len(end) < 60
                else ""
            )
            lines.append(f"{name:>5}  {state:<5}  {textwrap.shorten(f'{start} {end}', 88, placeholder=' …')}")
        done = sum(_replies.get(name, (False, 0))[0] for name in self)
        return "\n".join([*lines, f"{done} of {len(self)} answered right"])


def answer(question: str, reply: Any = ...) -> Feedback:
    """Say whether a reply to a question is right, and if not, what is wrong in it; the result itself is never told.

    Parameters
    ----------
    question : str
        Its number: "3.2" is the second question of lesson 03.
    reply : number, str or Ellipsis, optional
        A number, an expression such as ``"3*2"``, ``"11/14"``, ``"0,786"`` or ``"1 - 0.6044^2"``, a formula where one
        is asked for, or the letter of a choice. With ``...`` the question is shown.

    Returns
    -------
    Feedback
        The question and what is said, as text; `right` is True, False, or None where nothing was replied that
        can be read.

    Raises
    ------
    ValueError
        If there is no such question.
    TypeError
        If the question's number isn't in quotes, or the reply is neither a number nor text.

    Examples
    --------
    >>> answer("1.2", -3)
    1.2  L = a*b + c,  at a = 2, b = -3, c = 10.  What is ∂L/∂a?
    Right. The product passes on the other factor, b, and the sum passes 1.
    >>> answer("1.2", "3").right
    False
    """
    if not isinstance(question, str):  # the number 1.10 would be 1.1
        raise TypeError(f'answer: expected a question\'s number in quotes, such as "3.2", got {question!r}')
    name, asked = question, _question(question)
    if reply is ...:
        return _feedback(name, asked, None, "Not answered yet: put your answer in the place of the three dots.")
    if isinstance(reply, bool) or not isinstance(reply, str | Real):
        raise TypeError(f'answer: expected a number or text, such as "3*2", got {type(reply).__name__}')
    try:
        wrong = _CHECKS[asked.kind](asked, str(reply).strip())
    except (FormulaError, AnswerError) as error:  # that is no wrong answer
        return _feedback(name, asked, None, f"Not understood: {error}")
    _, tries = _replies.get(name, (False, 0))
    _replies[name] = (wrong is None, tries + 1)
    return _feedback(name, asked, wrong is None, f"Right. {asked.why}" if wrong is None else f"Not yet. {wrong}")


def questions(lesson: int | str | None = None) -> Overview:
    """Return the numbers of a lesson's questions, or of all, in order of difficulty.

    Printed, they stand with the questions and with what has been answered since Python was started.

    Examples
    --------
    >>> tuple(questions(1)[:3])
    ('1.1', '1.2', '1.3')
    """
    lessons = _lessons()
    if lesson is not None and (not str(lesson).isdigit() or int(lesson) not in lessons):
        raise ValueError(f"there are no questions of lesson {lesson!r}; there are of {_listed(map(str, lessons))}")
    chosen = lessons if lesson is None else [int(lesson)]
    return Overview(f"{one}.{i}" for one in chosen for i in range(1, len(_of_lesson(one)) + 1))


def _lessons() -> list[int]:
    names = [module.name for module in pkgutil.iter_modules(lesson_questions.__path__)]
    return sorted(int(name.removeprefix("lesson_")) for name in names if re.fullmatch(r"lesson_\d+", name))


def _of_lesson(lesson: int) -> list[LessonQuestion]:
    found: list[LessonQuestion] = import_module(f"{lesson_questions.__name__}.lesson_{lesson:02d}").QUESTIONS
    return found


def _question(name: str) -> LessonQuestion:
    """Return the question of a number; an error lists those of its lesson."""
    match = re.fullmatch(r"0*(\d+)\.(\d+)", str(name).strip())
    if match is None or int(match[1]) not in _lessons():
        raise ValueError(
            f'there is no question {name!r}; a question is called "3.2", and there are some of the lessons '
            f"{_listed(map(str, _lessons()))}"
        )
    of_lesson = _of_lesson(int(match[1]))
    if not 1 <= int(match[2]) <= len(of_lesson):
        raise ValueError(f"there is no question {name!r}; lesson {match[1]} has {_listed(questions(match[1]))}")
    return of_lesson[int(match[2]) - 1]


def _listed(names: Any) -> str:
    return ", ".join(names)


def _feedback(name: str, asked: LessonQuestion, right: bool | None, said: str) -> Feedback:
    options = [f"  {letter}) {option}" for letter, option in asked.options.items()]
    between = "\n" if asked.text.startswith(" ") else "  "
    lines = f"{name}{between}{asked.text}".splitlines() + options + said.splitlines()
    return Feedback(name, right, "\n".join(_broken(line) for line in lines))


def _broken(line: str) -> str:
    """Return a line of text broken to the width of a cell, but never within an expression such as η = 0.1."""
    held = re.sub(r" ([-=+*/·<>≤≥]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", line)
    broken = textwrap.fill(held, WIDTH, break_long_words=False, break_on_hyphens=False)
    return broken.replace("\N{NO-BREAK SPACE}", " ").rstrip()


def _check_number(asked: LessonQuestion, reply: str) -> str | None:
    """Return what is wrong, or None if nothing is."""
    ((_, expected),) = asked.expected()
    found = judged(reply, expected)
    return None if found else _without_rule(found) if asked.kind == "number" else found.sentence


def _check_rule(asked: LessonQuestion, reply: str) -> str | None:
    """Compare a formula at all points; a diagnosis counts where it is the same at each."""
    said, place = [], ""
    for nodes, expected in asked.expected():
        numbers = {name: node.data for name, node in nodes.items() if re.search(rf"\b{re.escape(name)}\b", reply)}
        value = parse(reply, **numbers).data
        found = judged(value, expected) if math.isfinite(value) else Judgement(False, UNKNOWN)
        said.append("" if found else _without_rule(found))
        if not found and not place:
            at = ", ".join(f"{name} = {node.data:.4g}" for name, node in nodes.items())
            place = f"At {at} your formula comes to {value:.4g}."
    if not place:
        return None
    return f"{said[0]}\n{place}" if len(set(said)) == 1 else f"{_NOTHING_KNOWN}\n{place}"


def _check_choice(asked: LessonQuestion, reply: str) -> str | None:
    letter = next((one for one, option in asked.options.items() if reply.lower() in (one, option.lower())), None)
    if letter is None:
        raise AnswerError(f"reply with one of the letters {_listed(asked.options)}")
    return None if letter == asked.right else str(asked.mistakes[letter])


def _without_rule(found: Judgement) -> str:
    """Return the sentence, without the advice to write down a rule where none is asked for in numbers."""
    return _NOTHING_KNOWN if found.sentence == UNKNOWN else found.sentence


_NOTHING_KNOWN = "That isn't it."
_CHECKS = {"gradient": _check_number, "rule": _check_rule, "number": _check_number, "choice": _check_choice}
