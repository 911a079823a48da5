"""What a student asked for a derivative may answer: right, or one of the typical mistakes, each with its sentence.

A question is a local derivative ∂v/∂u or a gradient ∂L/∂u with its number and the wrong numbers that have a known
cause. `judged` reads an answer, a number or an expression such as ``1-0.6044^2``, and says right, or what went wrong,
without the number. Exercise pages and the lessons' answers take their sentences from here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from autograd_mini.engine import floats
from autograd_mini.engine.graph import recorded_gradients
from autograd_mini.engine.reals import as_float
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph, Names, named

TOLERANCE = 5e-3  # of the number: an answer of three significant digits is right
_TOLERANCE_AT_ZERO = 1e-9  # of the largest term, for a sum whose terms cancel out
_SHOWN = 4  # significant digits of the numbers on a page, from which an answer is calculated
_LONGEST = 200  # characters of an answer
_MOST_TERMS = 12  # of a sum, for mistakes in one of its terms

_SPELLINGS = str.maketrans({
    "−": "-", "–": "-", "‐": "-", "·": "*", "×": "*", "⋅": "*", "÷": "/", ":": "/", ",": ".", "²": "^2", "³": "^3",
    "π": "pi", "σ": "sigmoid", "√": "sqrt", "[": "(", "]": ")", "′": "'",
})  # fmt: skip
_TOKEN = re.compile(r"[ \t\n\r\u00a0\u202f]*((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|\*\*|[-+*/^()]|[a-z]+)")
_CONSTANTS = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "ln": floats.log,
    **{name: getattr(floats, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh")},
    "tanh": math.tanh,
    "sigmoid": floats.sigmoid,
    "abs": abs,
}


class AnswerError(ValueError):
    """An answer is no number and no expression made of numbers."""


def number_of(answer: Any) -> float:
    """Return the number that an answer stands for.

    Parameters
    ----------
    answer : number or str
        ``3.2``, ``"0,786"``, ``"11/14"``, ``"3*2"``, ``"1-0.6044^2"``, ``"2e-3"``, ``"-.5"``, ``"tanh(0.7)"``. A comma
        is a decimal comma; a power binds more tightly than the sign before it, as in mathematics.

    Raises
    ------
    AnswerError
        If it can't be read, or gives no finite number.
    TypeError
        If it is neither text nor a real number.

    Examples
    --------
    >>> number_of("11/14") == 11 / 14, number_of("0,786"), number_of("-2^2")
    (True, 0.786, -4.0)
    """
    found = _Reader(answer).all() if isinstance(answer, str) else as_float(answer)
    if not math.isfinite(found):
        raise AnswerError(f"{str(answer).strip()} isn't a finite number")
    return found


class _Reader:
    """Reads an expression from left to right; exercise.js has the same grammar."""

    def __init__(self, text: str) -> None:
        tidy, self.tokens, at = text.lower().translate(_SPELLINGS).strip(), list[str](), 0
        if not tidy:
            raise AnswerError("type a number, such as -0.5 or 1/3")
        if len(tidy) > _LONGEST:
            raise AnswerError(f"an answer has at most {_LONGEST} characters")
        while at < len(tidy):
            found = _TOKEN.match(tidy, at)
            if found is None:
                raise AnswerError(
                    f"can't read {tidy[at:].strip()[:20]!r}; type a number or an expression, as 3*2 or 1/3"
                )
            self.tokens.append(found[1])
            at = found.end()
        self.tokens.reverse()

    def next(self, *wanted: str) -> str:
        """Return the next token, and go on, if it is one of these; else ""."""
        return self.tokens.pop() if self.tokens and self.tokens[-1] in wanted else ""

    def all(self) -> float:
        """Return the number of the whole text."""
        found = self.sum()
        if self.tokens:
            raise AnswerError(f"can't read {self.tokens[-1]!r} after a number; write a product with *, as in 3*2")
        return found

    def sum(self) -> float:
        """Return the number of terms with + and - between them."""
        found = self.product()
        while sign := self.next("+", "-"):
            term = self.product()
            found = found + term if sign == "+" else found - term
        return found

    def product(self) -> float:
        """Return the number of factors with * and / between them."""
        found = self.signed()
        while sign := self.next("*", "/"):
            factor = self.signed()
            found = found * factor if sign == "*" else floats.divide(found, factor)
        return found

    def signed(self) -> float:
        """Return the number of a power with signs before it."""
        if sign := self.next("+", "-"):
            return self.signed() if sign == "+" else -self.signed()
        base = self.atom()
        return floats.power(base, self.signed()) if self.next("^", "**") else base

    def atom(self) -> float:
        """Return the number of a number, a constant, a function's call or what is in brackets."""
        token = self.tokens.pop() if self.tokens else ""
        if token[:1].isdigit() or token[:1] == ".":
            return float(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if token in _FUNCTIONS or token == "(":
            if token != "(" and not self.next("("):
                raise AnswerError(f"{token} needs brackets, as in {token}(0.5)")
            found = self.sum()
            if not self.next(")"):
                raise AnswerError("a bracket isn't closed")
            return found if token == "(" else _FUNCTIONS[token](found)
        if token.isalpha():
            raise AnswerError(f"unknown name {token!r}: put in its number")
        raise AnswerError(f"a number is missing before {token!r}" if token else "a number is missing at the end")


@dataclass(frozen=True)
class Question:
    """A derivative that is asked for.

    Attributes
    ----------
    number : float
        The right answer.
    scale : float
        The largest of the terms that it is the sum of: how near 0 an answer has to be where they cancel out.
    mistakes : tuple of (float, str)
        Wrong numbers and what was probably done, the most likely cause first; no number is there twice.
    rounding : float
        How far off the rule comes out with the digits that are shown: 1 - tanh² is 0 where tanh is shown as 1.
    """

    number: float
    scale: float
    mistakes: tuple[tuple[float, str], ...]
    rounding: float = 0.0

    @property
    def margin(self) -> float:
        """How far from the number an answer may be: half a percent, so that three significant digits are enough."""
        return max(TOLERANCE * abs(self.number), _TOLERANCE_AT_ZERO * self.scale) + self.rounding


@dataclass(frozen=True)
class Judgement:
    """What is said to an answer.

    Attributes
    ----------
    is_right : bool
        Whether it is right.
    sentence : str
        Right, or what was probably done; it doesn't give the number.
    """

    is_right: bool
    sentence: str

    def __bool__(self) -> bool:
        return self.is_right


UNKNOWN = "That isn't it. Write the rule in names first, then put in the numbers."
RIGHT = "Right."


def judged(answer: Any, question: Question) -> Judgement:
    """Return whether an answer is right, and else what was probably done.

    Raises
    ------
    AnswerError
        If the answer can't be read; that is no wrong answer.

    Examples
    --------
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> asked = gradient_question(a * b, a)
    >>> judged("-3", asked).is_right, judged("3", asked).sentence
    (True, 'The sign is wrong.')
    """
    found = number_of(answer)
    if abs(found - question.number) <= question.margin:
        return Judgement(True, RIGHT)
    for wrong, sentence in question.mistakes:
        if abs(found - wrong) <= TOLERANCE * abs(wrong):
            return Judgement(False, sentence)
    return Judgement(False, UNKNOWN)


def local_question(root: Value | NamedGraph, v: Value, slot: int, names: Names | None = None) -> Question:
    """Return the question for the local derivative of one operation by its operand in a slot.

    Examples
    --------
    >>> x = Value(3.0, label="x")
    >>> judged(9, local_question(y := x * x, y, 0)).sentence
    'That is the value of L, not how fast it changes.'
    """
    graph = named(root, names)
    number = v.local_grads[slot]
    by_hand = number
    if v.primitive is not None and v.primitive.has_derivatives:
        by_hand = v.primitive.textbook(floats, _shown(v.data), *[_shown(u.data) for u in v.parents])[slot]
    return _question(number, [number], by_hand, _of_local(graph, v, slot, recorded_gradients(graph.order)))


def gradient_question(root: Value | NamedGraph, u: Value, names: Names | None = None) -> Question:
    """Return the question for the gradient of the root by a node.

    Examples
    --------
    >>> x = Value(3.0, label="x")
    >>> judged(3, gradient_question(x * x, x)).sentence
    'One path is missing: x is used 2 times, and each use brings a term of the sum.'
    """
    graph = named(root, names)
    gradients = recorded_gradients(graph.order)
    terms = [gradients[v] * local for _, v, _, local in graph.outgoing[u]]
    by_hand = sum(_shown(gradients[v]) * _shown(local) for _, v, _, local in graph.outgoing[u])
    return _question(gradients[u], terms, by_hand, _of_gradient(graph, u, gradients))


def _shown(number: float) -> float:
    """Return a number as far as a page shows it."""
    return float(f"{number:.{_SHOWN}g}")


def _question(number: float, terms: list[float], by_hand: float, candidates: Iterator[tuple[float, str]]) -> Question:
    """Return a question without those mistakes that give the right number, or the number of a likelier one."""
    rounding = abs(by_hand - number)
    plain = Question(number, max(map(abs, terms), default=0.0), (), rounding if math.isfinite(rounding) else 0.0)
    kept: list[tuple[float, str]] = []
    for wrong, sentence in chain(candidates, _too_short(number)):
        is_known = any(abs(wrong - other) <= TOLERANCE * abs(other) for other, _ in kept)
        if math.isfinite(wrong) and abs(wrong - number) > plain.margin and not is_known:
            kept.append((wrong, sentence))
    return replace(plain, mistakes=tuple(kept))


def _too_short(number: float) -> Iterator[tuple[float, str]]:
    """Yield the right number as one writes it who rounds to two digits, or to two decimals."""
    for short in () if number.is_integer() else (float(f"{number:.2g}"), round(number, 2)):
        if short:
            yield short, "That is rounded too far: calculate with all digits, and give three that count (0.0123, 1.23)."


def _of_local(graph: NamedGraph, v: Value, slot: int, gradients: dict[Value, float]) -> Iterator[tuple[float, str]]:
    """Yield the wrong numbers for a local derivative, the likeliest first."""
    u, local, called = v.parents[slot], v.local_grads[slot], graph.called
    root, name, operand = called[graph.root], called[v], called[u]
    yield -local, "The sign is wrong."
    yield from _of_rule(v, slot)
    same = [g for parent, g in zip(v.parents, v.local_grads, strict=True) if parent is u]
    if len(same) > 1:
        yield sum(same), f"{operand} is used {len(same)} times; a local derivative is by one of these places alone."
    for k, other in enumerate(v.local_grads):
        if v.parents[k] is not u:
            yield other, f"That is the local derivative by the other operand, {called[v.parents[k]]}, not by {operand}."
    upstream = gradients[v]
    multiplied = "A local derivative looks at one operation alone."
    yield upstream * local, f"That is local times upstream gradient ∂{root}/∂{name}. {multiplied}"
    yield gradients[u], f"That is the total ∂{root}/∂{operand}. {multiplied}"
    yield upstream, f"That is the upstream gradient ∂{root}/∂{name}. {multiplied}"
    yield v.data, f"That is the value of {name}, not how fast it changes."
    yield u.data, f"That is the value of {operand}, not how fast {name} changes with it."
    if local:
        yield 1.0 / local, "That is the reciprocal."
    yield local * u.data, f"There is a factor too many: the value of {operand}."
    yield 0.0, f"0 would mean that {name} doesn't change with {operand}."
    yield 1.0, f"1 would mean that {name} changes just as much as {operand}, as in a sum."


def _of_rule(v: Value, slot: int) -> Iterator[tuple[float, str]]:
    """Yield the numbers of rules that are half remembered."""
    name, out, x = v.primitive.name if v.primitive else "", v.data, v.parents[slot].data
    if name == "tanh":
        yield 1.0 - out, "The square is missing: tanh′ is 1 minus the square of tanh."
        yield 1.0 - x * x, "1 minus the square is right, but of the result tanh(z), not of z."
        yield out * out, "The square is to be subtracted from 1."
        yield 1.0 + out * out, "The square is to be subtracted, not added."
    elif name == "sigmoid":
        yield 1.0 - out, "A factor is missing: σ′ is σ times 1 - σ."
        yield out, "A factor is missing: σ′ is σ times 1 - σ."
        yield x * (1.0 - x), "σ times 1 - σ is right, but with the result σ(z), not with z."
        yield 1.0 - out * out, "That is the rule of tanh; σ′ is σ times 1 - σ."
    elif name in ("pow", "power", "square") and slot == 0:
        power = v.parents[1].data if len(v.parents) > 1 else 2.0
        yield floats.power(x, power - 1.0), "A factor is missing: the exponent comes before the power."
        yield power * out, "The exponent has to become less by 1."
        yield power * x, "The exponent is right as a factor; the power of the base is missing or is wrong."
    elif name in ("div", "divide") and slot == 1:
        yield floats.divide(1.0, x), "That is the derivative by the numerator."
        yield -out, "The denominator is squared in the derivative by it."


def _of_gradient(graph: NamedGraph, u: Value, gradients: dict[Value, float]) -> Iterator[tuple[float, str]]:
    """Yield the wrong numbers for a gradient, the likeliest first."""
    called, edges, right = graph.called, graph.outgoing[u], gradients[u]
    root, name = called[graph.root], called[u]
    ups, locals_ = [gradients[edge[1]] for edge in edges], [edge[3] for edge in edges]
    terms = [up * local for up, local in zip(ups, locals_, strict=True)]
    few = range(len(edges) if len(edges) <= _MOST_TERMS else 0)
    if len(edges) > 1:
        missing = f"One path is missing: {name} is used {len(edges)} times, and each use brings a term of the sum."
        for i in few:
            yield right - terms[i], missing
        for i in few:
            yield terms[i], f"That is one term alone: {name} is used {len(edges)} times, and the terms are added."
    yield -right, "The sign is wrong."
    yield sum(locals_), "The upstream gradient is left out: that is the local derivative, and the total is asked for."
    yield sum(ups), "A factor is missing: the local derivative. That is the upstream gradient alone."
    for i in few if len(edges) > 1 else ():
        to = called[edges[i][1]]
        yield right - 2.0 * terms[i], f"The sign of one term is wrong: that over {to}."
        yield right - terms[i] + locals_[i], f"In the term over {to} the upstream gradient is left out."
        yield right - terms[i] + ups[i], f"In the term over {to} a factor is missing, the local derivative."
    if len(edges) == 1:
        yield ups[0] + locals_[0], "Upstream gradient and local derivative are multiplied, not added."
        yield from _of_chain(graph, u, gradients)
        if locals_[0]:
            yield (
                floats.divide(ups[0], locals_[0]),
                "Upstream gradient and local derivative are multiplied, not divided.",
            )
    else:
        yield math.prod(terms), "The terms of several paths are added, not multiplied."
    yield u.data, f"That is the value of {name}, not how fast {root} changes with it."
    yield graph.root.data, f"That is the value of {root}, not how fast it changes with {name}."
    yield right * u.data, f"There is a factor too many: the value of {name}."
    yield 0.0, f"0 would mean that {root} doesn't change with {name}."


def _of_chain(graph: NamedGraph, u: Value, gradients: dict[Value, float]) -> Iterator[tuple[float, str]]:
    """Yield the products along the only path from a node that lack one factor."""
    factors: list[tuple[float, str]] = []
    node = u
    while len(graph.outgoing[node]) == 1 and len(factors) < _MOST_TERMS:
        _, successor, _, local = graph.outgoing[node][0]
        factors.append((local, f"∂{graph.called[successor]}/∂{graph.called[node]}"))
        node = successor
    for i, (_, missing) in enumerate(factors[1:], 1):
        others = math.prod(local for k, (local, _) in enumerate(factors) if k != i)
        yield others * gradients[node], f"A factor is missing on the path: {missing}."
