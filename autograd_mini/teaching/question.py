"""What a question is: data from which the engine computes what is expected, so that no answer is written down.

There are four kinds: a gradient in a graph, a rule (a gradient as a formula, compared at several points), a number, and
a choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from autograd_mini.engine.graph import successors
from autograd_mini.engine.value import Value
from autograd_mini.explanations import mistakes as typical
from autograd_mini.formulas.parse import parse

Nodes = dict[str, Value]  # nodes under their names; the last one is the root
BEYOND_SCHOOL = "Beyond school calculus."  # stands before a question, and before a part of a lesson


@dataclass(frozen=True)
class LessonQuestion:
    """A question of a lesson.

    Attributes
    ----------
    kind : str
        "gradient", "rule", "number" or "choice".
    text : str
        What is asked.
    why : str
        A sentence for those who answered right. It may give the result.
    graphs : sequence of callables
        Of a gradient one, of a rule several: each builds the graph, at other numbers.
    of : str
        The name of the node whose gradient is asked for.
    number : callable, optional
        Computes the number that is asked for.
    options : mapping of str to str
        The letters of a choice, and what they stand for.
    right : str
        The letter of the right one.
    mistakes : mapping
        Wrong replies that are expected, and what to say to each.
    """

    kind: str
    text: str
    why: str
    graphs: Sequence[Callable[[], Nodes]] = ()
    of: str = ""
    number: Callable[[], float] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    right: str = ""
    mistakes: Mapping[Any, str] = field(default_factory=dict)

    def expected(self) -> list[tuple[Nodes, typical.Question]]:
        """Return the nodes of each graph, and what the engine expects there: the number and the typical mistakes.

        For a number there are no nodes, for a choice there is nothing.
        """
        if self.number is not None:
            right = self.number()
            return [({}, typical.Question(right, abs(right), tuple(self.mistakes.items())))]
        found = []
        for build in self.graphs:
            nodes = build()
            *_, root = nodes.values()
            u = nodes[self.of]
            asked = typical.gradient_question(root, u, nodes)
            half_known: tuple[tuple[float, str], ...] = ()
            if successors(root)[u] == (root,):  # one operation is the whole way
                half_known = typical.local_question(root, root, root.parents.index(u), nodes).mistakes
            found.append((nodes, replace(asked, mistakes=(*self.mistakes.items(), *half_known, *asked.mistakes))))
        return found


def graph(lines: str, **values: float) -> Nodes:
    """Return the nodes of a few lines of formulas, under their names, after the leaves.

    Examples
    --------
    >>> nodes = graph("z = w*x + b; a = tanh(z)", w=2, x=1, b=-2)
    >>> list(nodes), nodes["a"].data
    (['w', 'x', 'b', 'z', 'a'], 0.0)
    """
    nodes: Nodes = {name: Value(value, label=name) for name, value in values.items()}
    for line in lines.split(";"):
        name, formula = (part.strip() for part in line.split("=", 1))
        used = set(re.findall(r"\w+", formula))
        nodes[name] = parse(formula, **{one: node for one, node in nodes.items() if one in used})
        nodes[name].label = name
    return nodes


def gradient(
    lines: str | Callable[[], Nodes],
    of: str,
    why: str,
    at: Mapping[str, float] | None = None,
    text: str = "",
    mistakes: Mapping[Any, str] | None = None,
) -> LessonQuestion:
    """Return a question for the gradient of a node, in numbers.

    Parameters
    ----------
    lines : str or callable
        The graph as formulas, ``"z = w*x; a = tanh(z)"``, or a function that builds it and returns nodes under names,
        the root last.
    of : str
        The name of the node.
    why : str
        A sentence for those who answered right.
    at : mapping of str to number, optional
        The leaves of the formulas.
    text : str, optional
        What is said before the question; where the graph isn't given as formulas, the question.
    mistakes : mapping, optional
        Wrong replies that are expected, beside those found in any graph, and what to say to each.

    Examples
    --------
    >>> print(gradient("L = a*b", "a", "The other factor.", {"a": 2, "b": -3}).text)
    L = a*b,  at a = 2, b = -3.  What is ∂L/∂a?
    """
    if callable(lines):
        return LessonQuestion("gradient", text, why, (lines,), of, mistakes=mistakes or {})
    leaves = dict(at or {})
    numbers = ", ".join(f"{name} = {value:g}" for name, value in leaves.items())
    asked = _asked(text, lines, f"at {numbers}.", f"What is ∂{_names(lines)[-1]}/∂{of}?")
    return LessonQuestion("gradient", asked, why, (partial(graph, lines, **leaves),), of, mistakes=mistakes or {})


def rule(
    lines: str, of: str, why: str, at: Sequence[Mapping[str, float]], text: str = "", hint: str = ""
) -> LessonQuestion:
    """Return a question for a gradient as a formula in the names of the nodes, compared at several points.

    Examples
    --------
    >>> print(rule("a = tanh(z)", "z", "1 - a².", [{"z": 0.5}, {"z": -1.0}]).text)
    a = tanh(z).  What is ∂a/∂z, as a formula in z, a?
    """
    names = ", ".join([*at[0], *_names(lines)])
    what = f"What is ∂{_names(lines)[-1]}/∂{of}, as a formula in {names}?"
    asked = _asked(text, lines, "", what)
    return LessonQuestion("rule", asked, why, [partial(graph, lines, **values) for values in at], of)


def number(
    text: str, compute: Callable[[], float], why: str, mistakes: Mapping[Any, str] | None = None
) -> LessonQuestion:
    """Return a question for a number that isn't a gradient."""
    return LessonQuestion("number", text, why, number=compute, mistakes=mistakes or {})


def choice(text: str, options: Mapping[str, str], right: str, why: str, mistakes: Mapping[Any, str]) -> LessonQuestion:
    """Return a question with a choice; `mistakes` has a sentence for each of the other letters."""
    return LessonQuestion("choice", text, why, options=options, right=right, mistakes=mistakes)


def _names(lines: str) -> list[str]:
    return [line.split("=")[0].strip() for line in lines.split(";")]


def _shown(lines: str) -> str:
    """Return the formulas to read, one below the other where there are several."""
    return "\n".join(f"    {line.strip()}" for line in lines.split(";")) if ";" in lines else lines


def _asked(text: str, lines: str, at: str, what: str) -> str:
    """Return the whole question, on one line where it has one formula."""
    parts = (
        [text, _shown(lines), at, what]
        if ";" in lines
        else [text, "  ".join(filter(None, [lines + "," * bool(at) + "." * (not at), at, what]))]
    )
    return "\n".join(filter(None, parts))
