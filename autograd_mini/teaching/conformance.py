"""The suite: what a student's `Value` is asked, row by row, each from the smallest case to larger ones.

A row is required or optional. Required are a leaf, ``+ - * /``, ``-a``, ``a**number``, a number on the left of each of
these, and ``backward``. Functions and ``a**b`` of two nodes are optional: where one isn't there the row says so, and
where it is there it has to be right.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autograd_mini.teaching.graphs import Graph, at_random, every, smallest
from autograd_mini.teaching.trial import Trial

FUNCTIONS = ("relu", "tanh", "exp", "log", "sigmoid", "sqrt", "sin", "cos", "abs")
DEPTH = 10_000  # how long a chain of operations has to work
_RANDOM = 150  # how many random graphs are tried
_NOT_THERE = (TypeError, AttributeError, NotImplementedError, AssertionError)  # how classes refuse an operand


Mistake = tuple[str, str, str]
Ask = Callable[[Trial], "Mistake | None"]


class Family:
    """Cases of one kind from small to large: the first that goes wrong is made as small as it can be, and reported."""

    def __init__(self, *trials: Trial, needs: str = "") -> None:
        self.trials, self.needs = trials, needs

    def smallest(self, mistake: Ask) -> tuple[Trial, Mistake] | None:
        """Return the smallest case that goes wrong, and how it did; None if all are right."""
        for trial in self.trials:
            if found := mistake(trial):
                return trial, found
        return None


class Ladder(Family):
    """One case in growing sizes; of those that go wrong the smallest is searched by halving."""

    def __init__(self, source: str, looks: tuple[str, ...], sizes: tuple[int, ...]) -> None:
        super().__init__(*[Trial(source.replace("SIZE", str(size)), looks) for size in sizes])
        self.source, self.sizes = source, sizes

    def smallest(self, mistake: Ask) -> tuple[Trial, Mistake] | None:
        """Return the case in the smallest size that goes wrong, and how it did; None if all are right."""
        wrong = super().smallest(mistake)
        if wrong is None:
            return None
        place = self.trials.index(wrong[0])
        right, size = [0, *self.sizes][place], self.sizes[place]
        while size - right > 1:
            middle = (right + size) // 2
            trial = Trial(self.source.replace("SIZE", str(middle)), wrong[0].looks)
            if found := mistake(trial):
                size, wrong = middle, (trial, found)
            else:
                right = middle
        return wrong


class Graphs(Family):
    """Graphs in growing sizes; the first that goes wrong is made simpler as long as it still does."""

    def __init__(self, graphs: Callable[[Ask], Iterable[Graph]]) -> None:
        super().__init__()
        self.graphs = graphs

    def smallest(self, mistake: Ask) -> tuple[Trial, Mistake] | None:
        """Return the smallest graph that goes wrong, and how it did; None if all are right."""
        wrong: list[tuple[Trial, Mistake]] = []

        def goes_wrong(graph: Graph) -> bool:
            trial = graph.trial()
            found = mistake(trial)
            wrong.extend([(trial, found)] if found else [])
            return bool(found)

        first = next(filter(goes_wrong, self.graphs(mistake)), None)
        if first is None:
            return None
        smallest(first, goes_wrong)
        return wrong[-1]


@dataclass(frozen=True)
class Row:
    """One line of the table: its name, what a right engine does, its families, and what it needs if it is optional."""

    name: str
    advice: str
    families: tuple[Family, ...]
    optional: str = ""


def is_there(kind: type, expression: str) -> bool:
    """Return whether a class has an operation: a method of that name, or an operator that takes such operands.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> is_there(Value, "a.tanh()"), is_there(Value, "a.tangent()"), is_there(Value, "a ** b")
    (True, False, True)
    """
    try:
        a, b = kind(2.0), kind(3.0)
        if expression.endswith("()"):
            method = getattr(a, expression[2:-2], None)
            if method is None:
                return False
        eval(expression, {"a": a, "b": b, "abs": abs})
    except NotImplementedError:
        return False
    except _NOT_THERE:
        return expression.endswith("()")  # a method that is there, and broken
    except BaseException:  # there, and broken in some other way
        return True
    return True


def is_engine(kind: type) -> bool:
    """Return whether a class makes a leaf that has .data and .grad and can go backward, or nothing can be asked.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> is_engine(Value), is_engine(float)
    (True, False)
    """
    try:
        leaf = kind(2.0)
        with contextlib.suppress(Exception):  # what goes wrong in it is told by the first row
            leaf.backward()  # some have .grad only now
        return callable(leaf.backward) and hasattr(leaf, "data") and hasattr(leaf, "grad")
    except BaseException:
        return False


def _of(expression: str, **leaves: float) -> Trial:
    """Return the case of one expression: its value, and its derivatives by the leaves in it."""
    lines = [f"{name} = Value({_number(x)})" for name, x in leaves.items()]
    return Trial("\n".join([*lines, f"y = {expression}", "y.backward()"]), ("y.data", *(f"{x}.grad" for x in leaves)))


def _number(x: float) -> str:
    return f'float("{x}")' if x != x else repr(x)


def _two(expression: str) -> Family:
    return Family(*[_of(expression, a=a, b=b) for a, b in [(2.0, 3.0), (3, 2), (1.5, -2.5), (-0.5, 4.0), (3.0, 1.0)]])


def _one(expression: str, points: tuple[float, ...] = (2.0, 3, 0.5, -1.5), needs: str = "") -> Family:
    return Family(*[_of(expression, a=a) for a in points], needs=needs)


def _lines(*lines: str, looks: str) -> Trial:
    return Trial("\n".join(lines), tuple(looks.split()))


A, B = "a = Value(2.0)", "b = Value(3.0)"
_POSITIVE, _ANY = (2.0, 0.5, 3), (2.0, 0.5, -1.5, 0.25)

# Each row uses as few operations as it can, so that one that is wrong doesn't fail the others.
ROWS = (
    Row(
        "a leaf",
        "Value(2.0) has the number in .data and 0 in .grad; backward() begins with the base case ∂y/∂y = 1.",
        (
            Family(_lines(A, looks="a.data a.grad"), _lines("a = Value(2)", looks="a.data a.grad")),
            Family(_lines(A, "a.backward()", looks="a.grad")),
            Family(_lines(A, B, "c = a + b", "y = c + a", "c.backward()", looks="a.grad b.grad")),
        ),
    ),
    Row(
        "arithmetic",
        "Each local derivative is multiplied by the upstream gradient: for y = a·b, ∂y/∂a = b and ∂y/∂b = a.",
        (
            *map(_two, ["a + b", "a - b", "a * b", "a / b"]),
            *map(_one, ["-a", "a + 3", "a - 3", "a * 3", "a / 4", "a ** 2", "a ** 3", "a ** -1", "a ** 2.0"]),
            _one("a ** 0.5", _POSITIVE),
            Family(_of("(a + b) * (a + b)", a=2.0, b=3.0)),
        ),
    ),
    Row(
        "reflections",
        "A number may stand on the left: Python then calls __radd__, __rsub__, __rmul__, __rtruediv__, __rpow__, "
        "and - and / and ** have to keep the order of their operands.",
        tuple(map(_one, ["3 + a", "3 - a", "3 * a", "3 / a", "2 ** a", "sum([a, a])"])),
    ),
    Row(
        "reuse of a node",
        "A node that is used twice gets the sum of both contributions: += on its .grad, and both operands of a * a "
        "count, although they are one object; two leaves with equal numbers are two leaves.",
        (
            Graphs(lambda mistake: [*every(1), *every(2)]),
            Family(_of("a * b", a=2.0, b=2.0), _of("a * b + b", a=2.0, b=2.0), _of("(a + b) * b", a=0.0, b=0.0)),
            Family(_lines(A, "b = a", "b += a", "y = b * a", "y.backward()", looks="a.data y.data a.grad")),
        ),
    ),
    Row(
        "diamonds",
        "A node hands its gradient on once, when all its successors have handed theirs to it: in reverse topological "
        "order, and each node visited once.",
        (
            Graphs(lambda mistake: every(3)),
            Ladder(f"{A}\ny = a\nfor _ in range(SIZE):\n    y = y + y\ny.backward()", ("a.grad",), (1, 2, 5, 12, 60)),
        ),
    ),
    Row(
        "random graphs",
        "Graphs of all operations that are right by themselves: what is wrong lies in how gradients are collected.",
        (Graphs(lambda mistake: _random_graphs(mistake)),),
    ),
    Row(
        "repeated backward",
        "Gradients of leaves accumulate until they are set to 0, as in PyTorch; those of inner nodes begin at 0 in "
        "each backward(), or what is left there from the last one is counted again.",
        (
            Family(
                _lines(A, "y = a * a", "y.backward()", "y.backward()", looks="a.grad"),
                _lines(A, "y = a + a", "z = a * a", "y.backward()", "z.backward()", looks="a.grad"),
                _lines(A, "y = a * a", "y.backward()", "a.grad = 0.0", "y.backward()", looks="a.grad"),
                _lines(A, "y = a * a * a", "y.backward()", "y.backward()", looks="a.grad"),
                _lines(A, "b = a * a", "y = b + a", "z = b * a", "y.backward()", "z.backward()", looks="a.grad"),
                _lines(A, "y = a * a * a", "y.backward()", "a.grad = 0.0", "y.backward()", looks="a.grad"),
            ),
        ),
    ),
    Row(
        "deep chains",
        f"A chain of {DEPTH:,} operations works, as a long sum makes one: the topological order is made with a list, "
        "not by a function that calls itself, which Python stops at a depth of about 1000.",
        (
            Ladder(
                f"{A}\ny = a\nfor _ in range(SIZE):\n    y = y + a\ny.backward()",
                ("y.data", "a.grad"),
                (1, 10, 100, 1000, DEPTH),
            ),
        ),
    ),
    Row(
        "hard points",
        "Where the value and the derivative are finite numbers they are found, also at 0 and for large numbers: "
        "x⁰ has the derivative 0, and tanh and sigmoid are computed so that no exp overflows.",
        (
            _one("a ** 0", (2.0, 0.0)),
            _one("a ** 1", (2.0, 0.0)),
            _one("a ** 2", (0.0,)),
            _one("a * 0", (float("nan"),)),
            _one("0 ** a", (2.0,), needs="0 ** a"),
            Family(_of("a ** b", a=0.0, b=2.0), needs="a ** b"),
            Family(Trial(_of("a ** b", a=-2.0, b=3.0).source, ("y.data", "a.grad")), needs="a ** b"),
            Family(Trial(_of("a.relu()", a=float("nan")).source, ("y.data",)), needs="a.relu()"),
            _one("a.tanh()", (1000.0, -1000.0, 1e-12), needs="a.tanh()"),
            _one("a.sigmoid()", (1000.0, -1000.0), needs="a.sigmoid()"),
            _one("a.exp()", (-1000.0, 700.0), needs="a.exp()"),
            _one("a.log()", (1e-300, 1e300), needs="a.log()"),
        ),
    ),
    Row(
        "freed memory",
        "What isn't used any more is freed: no list outside of the graph, such as a tape, keeps nodes. alive() stands "
        "for the number of Values that are in memory after gc.collect().",
        (
            Family(
                _lines(A, "before = alive()", "y = a * a", "del y", "after = alive()", looks="after-before"),
                _lines(
                    A, "before = alive()", "y = a * a", "y.backward()", "del y", "after = alive()", looks="after-before"
                ),
            ),
        ),
    ),
    Row(
        "a ** b",
        "∂(aᵇ)/∂a = b·aᵇ⁻¹ and ∂(aᵇ)/∂b = aᵇ·log a.",
        (Family(*[_of("a ** b", a=a, b=b) for a, b in [(2.0, 3.0), (0.5, -2.0), (3, 2)]]),),
        optional="a ** b",
    ),
    *(
        Row(
            name,
            f"The value of {name}, and its derivative times the upstream gradient.",
            (
                _one(expression, _POSITIVE if name in ("log", "sqrt") else _ANY),
                Family(_of(f"{expression} * {expression}", a=2.0), _of(f"({expression} + a) * a", a=2.0)),
            ),
            optional=expression,
        )
        for name in FUNCTIONS
        for expression in ["abs(a)" if name == "abs" else f"a.{name}()"]
    ),
)

# What random graphs are made of, where it is right by itself; numbers stay small, so that sums of them can be compared.
_FORMS = [
    *("{} + {}", "{} - {}", "{} * {}", "-{}", "{} + 3", "{} * 0.5", "{} ** 2", "0.5 * {}", "1 - {}", "1 + {}"),
    *("{}.relu()", "{}.tanh()", "{}.sigmoid()", "{}.sin()"),
]
_LEAVES = {1: [{"a": 0.5}, {"a": -1.5}], 2: [{"a": 0.5, "b": -1.5}]}  # at which they are tried, by their operands


def _random_graphs(mistake: Ask) -> list[Graph]:
    """Return random graphs of the forms that are right by themselves, on one or two leaves."""
    right = [
        form
        for form in _FORMS
        if not any(mistake(_of(form.format("a", "b"), **leaves)) for leaves in _LEAVES[form.count("{}")])
    ]
    return [at_random(right, seed) for seed in range(_RANDOM)] if right else []


def ask(kind: type, row: Row, tell: Callable[..., None]) -> None:
    """Try out one row on a class, and tell of each case before it is run, and of each that goes wrong.

    Parameters
    ----------
    kind : type
        The student's class.
    row : Row
        What to ask.
    tell : callable
        Called with the name of an event and what belongs to it; each case comes before it is run, as it may never end.
    """

    def asked_for(expression: str) -> bool:
        if expression:
            leaves = {name: x for name, x in [("a", 2.0), ("b", 3.0)] if re.search(rf"\b{name}\b", expression)}
            tell("looking for", _of(expression, **leaves).source, ["y.data"])
        return not expression or is_there(kind, expression)

    if not asked_for(row.optional):
        tell("not there")
        return

    def mistake(trial: Trial) -> Mistake | None:
        tell("trying", trial.source, trial.looks)
        return trial.mistake(kind)

    for family in row.families:
        if asked_for(family.needs) and (wrong := family.smallest(mistake)):
            tell("wrong", wrong[0].source, *wrong[1])
    tell("done")
