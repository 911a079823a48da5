"""An exercise: the stepper with derivatives that the reader fills in, and the code that a lecturer verifies.

All numbers of the page travel masked: nothing that is asked can be read in its source. That keeps honest readers from
seeing a number by accident; who runs a debugger finds it, as in every page that judges without a server.
"""

from __future__ import annotations

import base64
import json
import math
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

from autograd_mini.checks import checked_whole
from autograd_mini.engine.copying import copy_graph
from autograd_mini.engine.node import CONSTANT
from autograd_mini.engine.value import Value
from autograd_mini.explanations.mistakes import TOLERANCE, UNKNOWN, Question, gradient_question, local_question
from autograd_mini.explanations.names import NamedGraph

HIDE = ("local", "gradients", "both")
_MOST_TRIES, _MOST_SEED, _MOST_QUESTIONS = 15, 2**20 - 2, 511  # as many as a code has room for
_DRAWS = 100
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
_KEY = b"autograd_mini: exercise"
_PAYLOAD, _TAG, _CHECK = 35, 17, 8  # bits of a code


@dataclass(frozen=True)
class Exercise:
    """What is asked of a graph, and how.

    Attributes
    ----------
    given : NamedGraph
        The graph as the lecturer made it.
    graph : NamedGraph
        The graph that is asked about: with a seed, one whose leaves have numbers of its own.
    hide : {"local", "gradients", "both"}
        What is asked.
    tries : int
        How many answers a question takes before the number is given.
    seed : int or None
        What the numbers of the leaves are drawn from.
    """

    given: NamedGraph
    graph: NamedGraph
    hide: str
    tries: int
    seed: int | None

    @cached_property
    def questions(self) -> list[tuple[Value, int | None, Question]]:
        """The questions in the order of the page: a node and a slot for a local derivative, no slot for a gradient."""
        return list(self._questions())

    def _questions(self) -> Iterator[tuple[Value, int | None, Question]]:
        graph = self.graph
        if self.hide != "gradients":
            for v in graph.order:
                for slot, u in enumerate(v.parents):
                    if u.kind != CONSTANT and math.isfinite(v.local_grads[slot]):
                        yield v, slot, local_question(graph, v, slot)
        if self.hide != "local":
            for u in reversed(graph.order[:-1]):
                if u.kind != CONSTANT:
                    asked = gradient_question(graph, u)
                    if math.isfinite(asked.number):
                        yield u, None, asked

    @cached_property
    def fingerprint(self) -> str:
        """What the graph is that was given, but for its names: operations, how they hang together, leaves' numbers."""
        return _fingerprint(self.given)

    def data(self) -> dict[str, Any]:
        """Return what the page needs beside the records of the graph."""
        position = {node: k for k, node in enumerate(self.graph.order)}
        asked = [
            {"node": position[node], "slot": slot, "number": q.number, "margin": q.margin, "mistakes": q.mistakes}
            for node, slot, q in self.questions
        ]
        codes = [self.code(score) for score in range(len(asked) + 1)]
        return {"questions": asked, "tries": self.tries, "codes": codes, "unknown": UNKNOWN, "tolerance": TOLERANCE}

    def code(self, score: int) -> str:
        """Return the code of a score in this exercise."""
        seed = 0 if self.seed is None else self.seed + 1
        payload = ((score << 2 | HIDE.index(self.hide)) << 4 | self.tries) << 20 | seed
        tag = _hashed(f"{payload} {self.fingerprint}", _TAG)
        masked = payload ^ _hashed(f"mask {tag}", _PAYLOAD)
        bits = masked << _TAG | tag
        bits = bits << _CHECK | _hashed(f"check {bits}", _CHECK)
        letters = "".join(_LETTERS[bits >> 5 * k & 31] for k in reversed(range(12)))
        return "-".join(letters[k : k + 4] for k in (0, 4, 8))


@dataclass(frozen=True)
class Score:
    """What a code says.

    Attributes
    ----------
    right, asked : int
        How many answers were right within the tries, of how many.
    hide, tries, seed
        Which exercise, as in ``step_through(L, exercise=True, hide=…, tries=…, seed=…)``.
    """

    right: int
    asked: int
    hide: str
    tries: int
    seed: int | None

    def __str__(self) -> str:
        return f"{self.right} of {self.asked} right (hide={self.hide!r}, tries={self.tries}, seed={self.seed})"


def read_code(code: str, graph: NamedGraph) -> Score:
    """Return what a code says of the exercise of a graph.

    Raises
    ------
    TypeError
        If the code is no text.
    ValueError
        If the code is mistyped, or is of another graph.
    """
    if not isinstance(code, str):
        raise TypeError(f'code: expected text such as "KQ7P-M2XW-9RTA", got {type(code).__name__}')
    pasted = code.upper().rpartition("CODE:")[2]  # of the page's last line
    letters = "".join(sign for sign in pasted if not sign.isspace() and sign not in "-–−.")
    wrong = next((sign for sign in letters if sign not in _LETTERS), None)
    if wrong is not None:
        raise ValueError(f"code: {code!r:.40} is mistyped: no code has {wrong!r} in it; it has no I, O, 0 and 1")
    if len(letters) != 12:
        raise ValueError(f"code: {code!r:.40} is mistyped: a code has 12 letters and digits, this has {len(letters)}")
    bits = 0
    for sign in letters:
        bits = bits << 5 | _LETTERS.index(sign)
    check, bits = bits & (1 << _CHECK) - 1, bits >> _CHECK
    tag, masked = bits & (1 << _TAG) - 1, bits >> _TAG
    payload = masked ^ _hashed(f"mask {tag}", _PAYLOAD)
    score, hide, tries, seed = payload >> 26, payload >> 24 & 3, payload >> 20 & 15, payload & (1 << 20) - 1
    if check != _hashed(f"check {bits}", _CHECK) or hide >= len(HIDE) or tries == 0:
        raise ValueError(f"code: {code!r:.40} is mistyped: its letters don't belong together; compare it with the page")
    if tag != _hashed(f"{payload} {_fingerprint(graph)}", _TAG):
        raise ValueError(
            f"code: {code!r:.40} is of another graph, or of this one with other numbers in its leaves; "
            "give the graph as it was when the page was made"
        )
    asked = exercise(graph, HIDE[hide], tries, None if seed == 0 else seed - 1)
    return Score(score, len(asked.questions), asked.hide, tries, asked.seed)


def exercise(graph: NamedGraph, hide: str, tries: Any, seed: Any) -> Exercise:
    """Return the exercise of a graph.

    Raises
    ------
    TypeError, ValueError
        If an option has no such value, or there is nothing to ask, or too much.
    """
    if hide not in HIDE:
        raise ValueError(f'hide: expected "local", "gradients" or "both", got {hide!r}')
    number = checked_whole("tries", tries, least=1)
    if number > _MOST_TRIES:
        raise ValueError(f"tries: expected at most {_MOST_TRIES}, got {number}")
    if seed is not None:
        seed = checked_whole("seed", seed, least=0)
        if seed > _MOST_SEED:
            raise ValueError(f"seed: expected at most {_MOST_SEED}, got {seed}")
    if note := graph.note():
        raise ValueError(f"exercise: {note}")
    found = Exercise(graph, graph if seed is None else _redrawn(graph, seed), hide, number, seed)
    _ = found.fingerprint  # that of now, whatever becomes of the leaves
    if not found.questions:
        raise ValueError(
            "exercise: this graph has nothing to ask: expected an operation on a leaf that isn't a constant, "
            "with derivatives that are finite numbers"
        )
    if len(found.questions) > _MOST_QUESTIONS:
        raise ValueError(f"exercise: expected at most {_MOST_QUESTIONS} questions, got {len(found.questions)}")
    return found


def _redrawn(graph: NamedGraph, seed: int) -> NamedGraph:
    """Return a copy of the graph with numbers of its own: each leaf's times 0.5 to 1.5, in two digits.

    So signs stay, zeros too, and constants; numbers that give no finite results are drawn again.
    """
    memo: dict[int, Any] = {}
    root: Any = copy_graph(graph.root, memo)
    copies = {memo[id(node)]: node for node in graph.order}
    chance = random.Random(seed)
    for _ in range(_DRAWS):
        for new, old in copies.items():
            if new.primitive is None and new.kind != CONSTANT:
                new.data = float(f"{old.data * (0.5 + chance.random()):.2g}")
        root.forward()
        uses = (zip(new.parents, new.local_grads, strict=True) for new in copies)
        asked = [local for use in uses for u, local in use if u.kind != CONSTANT]
        if all(map(math.isfinite, [*(new.data for new in copies), *asked])):
            fresh = NamedGraph(root)
            fresh.called = {new: graph.called[old] for new, old in copies.items()}
            return fresh
    raise ValueError("seed: no other numbers were found for which this graph is finite; leave seed out")


def _fingerprint(graph: NamedGraph) -> str:
    """Return what a graph is, but for its names: its operations, how they hang together, the numbers of its leaves."""
    position = {node: k for k, node in enumerate(graph.order)}
    told = [
        (node.primitive.name, [position[u] for u in node.parents])
        if node.primitive is not None
        else (node.kind == CONSTANT, node.data.hex())
        for node in graph.order
    ]
    return blake2b(repr(told).encode()).hexdigest()


def _hashed(text: str, bits: int) -> int:
    """Return so many bits of a keyed hash."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=_KEY).digest(), "big") >> 64 - bits


def masked(data: Any) -> dict[str, Any]:
    """Return data so that nothing in it can be read; ``unmasked`` in exercise.js gives it back.

    Examples
    --------
    >>> sorted(masked({"gradient": 0.7125}))
    ['key', 'masked']
    """
    state = key = int.from_bytes(os.urandom(4), "big") | 1
    text = bytearray(json.dumps(data, allow_nan=False, separators=(",", ":")).encode())
    for k in range(len(text)):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        text[k] ^= state >> 8 & 255
    return {"key": key, "masked": base64.b64encode(text).decode("ascii")}
