"""A graph as straight-line Python, without loops or branches: first the forward pass, then the backward pass.

`to_python` writes it for the leaves' present numbers, to be checked by hand; `function_source` writes a function for
any numbers, to be run. Both apply the rules of the table to `Term`s, which are formulas together with their numbers.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from autograd_mini.engine import floats
from autograd_mini.engine.graph import evaluate, gradients
from autograd_mini.engine.node import CONSTANT
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.value import Value
from autograd_mini.explanations.local import local_derivative
from autograd_mini.explanations.names import Names, named
from autograd_mini.explanations.steps import DIGITS
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, on_the_line, symbol

_HELPERS = [name for name, thing in vars(floats).items() if inspect.isfunction(thing)]
_RESERVED = {"math", "value_and_gradient", *keyword.kwlist, *dir(builtins), *_HELPERS, *dir(math)} - {"e", "pi", "tau"}
_LONGEST_NAME, _LONGEST_COMMENT, _LONGEST_LINE = 40, 90, 100  # characters
_PLACE = re.compile(r"⟨(\d+)⟩")
_MOST_TERMS = 8  # contributions that are added up in one line


def to_python(root: Value, names: Names | None = None, max_nodes: int = 25_000) -> str:
    """Return the graph as Python source: a line for every step forward, then the lines of the backward pass.

    The program needs nothing but Python's standard library. Run as a file, it prints the value and the gradients of the
    leaves; run by `exec`, it leaves all of them in variables: ``w`` and, for ∂L/∂w, ``d_w``. They are the engine's
    numbers, computed from the leaves' present data (if leaves have changed since the graph was computed, a comment says
    so: these are its numbers after ``forward()``). A local derivative that is more than a factor stands above its line
    as a textbook writes it, in a comment. Bare numbers stand in the formulas and have no gradient.

    Parameters
    ----------
    root : Value
        L, the root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.
    max_nodes : int, optional
        The most nodes, and half of the most edges, of a graph that is written out; larger ones take long.

    Returns
    -------
    str
        The source. Where a name is none in Python, or is taken, the variable has a similar one, and the name beside it.

    Raises
    ------
    TypeError
        If `root` is no Value.
    ValueError
        If the graph is larger than `max_nodes` says, or an operation was added to the table whose rule calls a
        function that can't be written out.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
    >>> print(to_python(w * x + w**2))
    # L and its gradient, step by step.
    <BLANKLINE>
    # Leaves
    w = 0.5
    x = 2.0
    <BLANKLINE>
    # Forward pass
    v1 = w * x
    v2 = w ** 2.0
    L = v1 + v2
    <BLANKLINE>
    # Backward pass: d_u is the gradient of L by u.
    d_L = 1.0
    d_v2 = d_v1 = d_x = d_w = 0.0
    # L = v1 + v2
    d_v1 += d_L
    d_v2 += d_L
    # v2 = w ** 2.0
    # ∂(w²)/∂w = 2·w = 2·0.5 = 1
    d_w += d_v2 * (2.0 * w)
    # v1 = w * x
    d_w += d_v1 * x
    d_x += d_v1 * w
    <BLANKLINE>
    if __name__ == "__main__":
        print("L =", L)
        print("d_w =", d_w)
        print("d_x =", d_x)
    <BLANKLINE>
    """
    graph = named(root, names, max_nodes, "to_python")
    # A bare number stands in the formulas, and has no variable.
    bare = {node for node in graph.order if node.kind == CONSTANT and not node.label and node is not root}
    called = {node: name for node, name in graph.called.items() if node not in bare}
    program = _Program(graph.order, _variables(called), evaluate(graph.order, floats, {}))
    variable = program.variables[root]
    leaves: list[str] = []
    forward: list[str] = []
    for node, name in called.items():
        note = f"  # {_one_line(repr(name))}" if name != program.variables[node] else ""
        (leaves if node.primitive is None else forward).append(program.assignment(node, Reading()) + note)
    asked = [node for node in reversed(called) if node is root or node.kind != CONSTANT]
    backward = [f"# Backward pass: d_u is the gradient of {variable} by u.", f"d_{variable} = 1.0"]
    backward += _assigned([f"d_{program.variables[node]}" for node in asked if node is not root], "0.0")
    start = {node: _Gradient(f"d_{program.variables[node]}", backward, program.calls) for node in asked}
    written = {**graph.called, **program.variables}
    program.backward(start, lambda node: Reading([]), backward, lambda v: _rules(v, written, program.numbers))
    report = [f'    print("{variable} =", {variable})']
    for node in reversed(asked):
        if node.primitive is None:
            name = f"d_{program.variables[node]}"
            report.append(f'    print("{name} =", {name})')
    title = [f"# {_one_line(called[root])} and its gradient, step by step."]
    if graph.age:
        title += ["# All is computed here from the leaves' present data, as forward() does it:", f"# {graph.note()}."]
    sections = [
        title,
        *_definitions(program.calls),
        ["# Leaves", *leaves],
        ["# Forward pass", *forward] if forward else [],
        backward,
        ['if __name__ == "__main__":', *report],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def function_source(
    order: list[Value],
    outputs: Sequence[Value],
    arguments: Sequence[Value],
    constants: Mapping[Value, float],
    asked: Iterable[Value],
    title: str,
    quick: bool = True,
) -> str:
    """Return a function ``value_and_gradient(*arguments)`` as Python source that is right for any numbers.

    Parameters
    ----------
    order : list of Value
        What is computed and what it is computed from, but for constants; parents first.
    outputs : sequence of Value
        The results.
    arguments : sequence of Value
        The leaves, in the order of the arguments and of the gradient.
    constants : mapping
        Nodes that are bare numbers.
    asked : iterable of Value
        The nodes through which a gradient goes.
    title : str
        The first line of the source.
    quick : bool, optional
        Whether to divide by Python's operator, which raises an error where the divisor is 0.

    Examples
    --------
    >>> w, x = Value(0.5, label="w"), Value(2.0, label="x")
    >>> y = w * x
    >>> source = function_source([w, x, y], [y], [w, x], {}, [w, x, y], "A product.")
    >>> print(*source.splitlines()[4:], sep=";")
        v3 = w * x;    d_w = x;    d_x = w;    return [v3], (d_w, d_x)
    """
    called = {node: node.label for node in order}
    computed = [node for node in order if node.primitive is not None]
    variables = _variables({node: label or f"v{k}" for k, (node, label) in enumerate(called.items(), start=1)})
    program = _Program(order, variables, {**dict.fromkeys(order, math.nan), **constants})
    reading = AnyNumbers(quick)
    lines = [program.assignment(node, reading) for node in computed]
    start = {node: _Total(f"d_{variables[node]}", lines, program.calls) for node in asked if node in variables}
    for node in outputs:
        if node in start:
            start[node].contributions.append(term(1.0))
    program.backward(start, lambda node: reading, lines)
    gradient = [start[node].written() if node in start else "0.0" for node in arguments]
    results = ", ".join(program.terms[node].source() for node in outputs)
    return "\n".join(
        [
            f'"""{title}"""',
            *[line for block in _definitions(program.calls) if block for line in ["", *block]],
            "",
            f"def value_and_gradient({', '.join(variables[node] for node in arguments)}):",
            '    """Return the results, and the derivatives of their sum by each argument."""',
            *[f"    {line}" for line in lines],
            f"    return [{results}], ({', '.join(gradient)}{',' * (len(gradient) == 1)})",
            "",
        ]
    )


class _Program:
    """A graph as lines: its variables, how each node stands in the formulas, and the functions that are called."""

    def __init__(self, order: list[Value], variables: dict[Value, str], numbers: Mapping[Value, float]) -> None:
        self.order, self.variables, self.numbers = order, variables, numbers
        self.terms = {
            node: Term(symbol(variables[node]), number) if node in variables else term(number)
            for node, number in numbers.items()
        }
        self.formulas: dict[Value, str] = {}
        self.calls: set[str] = set()

    def assignment(self, node: Value, reading: Reading) -> str:
        """Return ``z = w * x + b``."""
        made = term(self.numbers[node])
        if node.primitive is not None:
            made = reading.result(node.primitive, *[self.terms[u] for u in node.parents])
        self.calls |= made.calls
        self.formulas[node] = f"{self.variables[node]} = {made.source()}"
        return self.formulas[node]

    def backward(
        self,
        start: Mapping[Value, Any],
        reading: Callable[[Value], Reading],
        lines: list[str],
        rules: Callable[[Value], list[str]] = lambda v: [],
    ) -> None:
        """Run the backward pass over the gradients in `start`; each of them writes its lines, below its rules."""

        def local_grads(v: Value) -> Any:
            if v.primitive is None or not any(u in start for u in v.parents):
                return (0.0,) * len(v.parents)
            xp = reading(v)
            found = xp.derivatives(v.primitive, self.terms[v], *[self.terms[u] for u in v.parents])
            lines.extend([*start[v].heading(self.formulas[v]), *rules(v)])
            for name, made in xp.above or ():
                self.calls |= made.calls
                lines.append(f"{name} = {made.source()}")
            return found

        order = [node for node in self.order if node in start]
        if order:
            gradients(order, start[order[-1]], local_grads, start)


def _rules(v: Value, names: Mapping[Value, str], numbers: Mapping[Value, float]) -> list[str]:
    """Return comments: the local derivatives of a node as a textbook writes them, but for those of a sum or product."""
    assert v.primitive is not None
    local_grads = v.primitive.derivatives(floats, numbers[v], *[numbers[u] for u in v.parents])
    found = [
        local_derivative(v, slot, local, names, DIGITS, numbers)
        for slot, (u, local) in enumerate(zip(v.parents, local_grads, strict=True))
        if u.kind != CONSTANT
    ]
    return [f"# {_one_line(one.equation())}" for one in found if not one.is_easy]


class _Gradient:
    """∂L/∂u as a variable: what is added to it becomes a line, ``d_x += d_y * w``."""

    def __init__(self, name: str, lines: list[str], calls: set[str]) -> None:
        self.name, self.lines, self.calls = name, lines, calls

    def heading(self, formula: str) -> list[str]:
        """Return the line above the contributions of a node: how it was computed."""
        return [f"# {_one_line(formula)}"]

    def __add__(self, contribution: Term) -> _Gradient:
        self.calls |= contribution.calls
        sign, formula = "+", contribution.formula
        if formula.form == "neg":
            sign, formula = "-", formula.parts[0]
        self.lines.append(f"{self.name} {sign}= {formula.render('python')}")
        return self

    def __mul__(self, local_grad: Term | float) -> Term:
        return Term(symbol(self.name), 1.0) * local_grad


class _Total(_Gradient):
    """∂L/∂u as a variable that is computed in one line, when all contributions are known."""

    def __init__(self, name: str, lines: list[str], calls: set[str]) -> None:
        super().__init__(name, lines, calls)
        self.contributions: list[Term] = []
        self.total: Term | None = None

    def heading(self, formula: str) -> list[str]:
        """Write the line of the gradient itself, if there is one, before what it contributes to others."""
        if self.contributions and self.total is None:
            self.total = self.contributions[0] if len(self.contributions) == 1 else self._written_down()
            if self.total.formula.form not in ("symbol", "number"):
                self.total = self._written_down()
        return []

    def written(self) -> str:
        """Return the variable, or 0.0 where nothing contributed to it."""
        if not self.contributions:
            return "0.0"
        return (self.total or self._written_down()).source()

    def _written_down(self) -> Term:
        total = self.contributions[0]
        for k, contribution in enumerate(self.contributions[1:], start=1):
            if k % _MOST_TERMS == 0:
                self.lines.append(f"{self.name} = {total.source()}")
                total = Term(symbol(self.name), math.nan)
            total = total + contribution
        self.lines.append(f"{self.name} = {total.source()}")
        return Term(symbol(self.name), math.nan)

    def __add__(self, contribution: Term) -> _Gradient:
        if not (contribution.known and contribution.number == 0.0):
            self.calls |= contribution.calls
            self.contributions.append(contribution)
        return self

    def __mul__(self, local_grad: Term | float) -> Term:
        return term(0.0) if self.total is None else self.total * local_grad


def _assigned(variables: list[str], what: str) -> Iterator[str]:
    """Iterate over lines ``a = b = c = 0.0`` of bearable length."""
    line = ""
    for variable in variables:
        if line and len(line) + len(variable) > _LONGEST_LINE:
            yield line + what
            line = ""
        line += f"{variable} = "
    if line:
        yield line + what


# ---------------------------------------------------------------------------------------- parts of formulas


@dataclass(frozen=True, eq=False)
class Term:
    """A part of a formula.

    Parameters
    ----------
    formula : Expression
        How it is written.
    number : float or bool
        What it is; nan in a program for any numbers.
    calls : frozenset of str
        The functions that it calls.

    Examples
    --------
    >>> x = Term(symbol("x"), 3.0)
    >>> (1.0 * x + (x - 1.0) * x).source(), (1.0 * x + (x - 1.0) * x).number
    ('x + (x - 1.0) * x', 9.0)
    """

    formula: Expression
    number: Any
    calls: frozenset[str] = frozenset()

    def source(self) -> str:
        """Return the term as Python."""
        return self.formula.render("python")

    @property
    def known(self) -> bool:
        """Whether it is a bare number, with which one can compute at once."""
        return self.formula.form == "number"

    def __mul__(self, other: Any) -> Term:
        other = term(other)
        for factor, rest in ((self, other), (other, self)):
            if factor.known and abs(factor.number) == 1.0:
                return rest if factor.number > 0.0 else -rest
        return _made(self.formula * _grouped(other, "*", "/"), self.number * other.number, self, other)

    def __rmul__(self, other: Any) -> Term:
        return term(other) * self

    def __add__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula + _grouped(other, "+", "-"), self.number + other.number, self, other)

    def __radd__(self, other: Any) -> Term:
        return term(other) + self

    def __sub__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula - other.formula, self.number - other.number, self, other)

    def __rsub__(self, other: Any) -> Term:
        return term(other) - self

    def __truediv__(self, other: Any) -> Term:
        return _operated("divide", self, other)

    def __rtruediv__(self, other: Any) -> Term:
        return _operated("divide", other, self)

    def __pow__(self, other: Any) -> Term:
        return _operated("power", self, other)

    def __rpow__(self, other: Any) -> Term:
        return _operated("power", other, self)

    def __neg__(self) -> Term:
        return _made(-self.formula, -self.number, self)

    def __abs__(self) -> Term:
        return _made(abs(self.formula), abs(self.number), self)

    def __gt__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula > other.formula, self.number > other.number, self, other)

    def __lt__(self, other: Any) -> Term:
        return term(other) > self

    def __ge__(self, other: Any) -> Term:
        other = term(other)
        return _made(self.formula >= other.formula, self.number >= other.number, self, other)

    def __le__(self, other: Any) -> Term:
        return term(other) >= self

    def __eq__(self, other: object) -> bool:
        return bool(self.formula == getattr(other, "formula", other))

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise TypeError("a formula is neither true nor false: write xp.where(condition, a, b) in the place of if")

    def __and__(self, other: Term) -> Term:
        if self.known or other.known:
            known, rest = (self, other) if self.known else (other, self)
            return rest if known.number else known
        return _made(self.formula & other.formula, self.number and other.number, self, other)

    def __or__(self, other: Term) -> Term:
        if self.known or other.known:
            known, rest = (self, other) if self.known else (other, self)
            return known if known.number else rest
        return _made(self.formula | other.formula, self.number or other.number, self, other)


def term(part: Any) -> Term:
    """Return a number as a term; a term as it is."""
    return part if isinstance(part, Term) else Term(text.number(part), part)


def _operated(name: str, a: Any, b: Any) -> Term:
    """Return a / b or a ** b, as a function where the numbers aren't known yet and Python's might raise an error."""
    terms = term(a), term(b)
    is_open = any(part.number != part.number for part in terms)
    return Reading()._call(name, terms) if is_open else getattr(Reading(), name)(*terms)


def _made(formula: Expression, number: Any, *parts: Term, call: str | None = None) -> Term:
    """Return the term of an operation; of bare numbers, the bare result."""
    if all(part.known for part in parts):
        return term(number)
    own = frozenset() if call is None else frozenset({call})
    return Term(formula, number, own.union(*(part.calls for part in parts)))


def _grouped(part: Term, *operators: str) -> Expression:
    """Return a right operand, in brackets where Python would otherwise compute, and so round, in another order."""
    return symbol(f"({part.source()})") if part.formula.form in operators else part.formula


class Reading:
    """The namespace ``xp`` of the rules.

    Parameters
    ----------
    above : list of (str, Term) or None
        Where sums and softmaxes go, which the derivatives by all operands have in common: each is appended with the
        name of a variable, to be assigned in a line above. None to write them into each formula.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import find
    >>> x, out = Term(symbol("x"), 3.0), Term(symbol("y"), 9.0)
    >>> [found.source() for found in find("pow").derivatives(Reading(), out, x, term(2.0))]
    ['2.0 * x', 'where(x == 0.0, 0.0, y * log(x))']
    """

    def __init__(self, above: list[tuple[str, Term]] | None = None) -> None:
        self.above = above

    def result(self, primitive: Primitive, *operands: Term) -> Term:
        """Return what an operation gives."""
        return term(primitive.forward(self, *operands))

    def derivatives(self, primitive: Primitive, out: Term, *operands: Term) -> list[Term]:
        """Return the local derivatives of an operation."""
        return [term(local_grad) for local_grad in primitive.derivatives(self, out, *operands)]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *parts: self._call(name, parts)

    def _call(self, name: str, parts: Any) -> Term:
        terms = [term(part) for part in parts]
        number = getattr(floats, name)(*[part.number for part in terms])
        return _made(text.call(name, *[part.formula for part in terms]), number, *terms, call=name)

    def _named(self, name: str, made: Term) -> Term:
        """Return a variable that holds the term, if one may stand above."""
        if self.above is None or made.known:
            return made
        variable = f"_{name}{len(self.above) + 1}"
        self.above.append((variable, made))
        return Term(symbol(variable), made.number)

    def sum(self, terms: Any) -> Term:
        """Return the sum by the function of `floats`, which adds up in the same order on every Python."""
        parts = [term(part) for part in terms]
        written = symbol(f"sum([{', '.join(part.source() for part in parts)}])")
        return self._named("sum", _made(written, floats.sum([part.number for part in parts]), *parts, call="sum"))

    def softmax(self, *numbers: Any) -> tuple[Term, ...]:
        """Return all shares; if a line above is possible, all from one call there."""
        parts = [term(number) for number in numbers]
        shares = floats.softmax(*[part.number for part in parts])
        if all(part.known for part in parts):
            return tuple(term(share) for share in shares)
        written = symbol(f"softmax({', '.join(part.source() for part in parts)})")
        whole = self._named("softmax", _made(written, shares, *parts, call="softmax"))
        called = [symbol(f"{whole.source()}[{i}]") for i in range(len(parts))]
        return tuple(Term(share, number, whole.calls) for share, number in zip(called, shares, strict=True))

    def divide(self, a: Any, b: Any) -> Term:
        """Return a / b, by a function where Python's division would raise an error."""
        a, b = term(a), term(b)
        if b.number == 0.0:
            return self._call("divide", (a, b))
        return _made(text.divide(a.formula, b.formula), a.number / b.number, a, b)

    def power(self, a: Any, b: Any) -> Term:
        """Return a ** b, by a function where Python's power would raise an error or be complex."""
        base, exponent = term(a), term(b)
        if exponent.known and exponent.number == 1.0:
            return base
        if not _plain_power_works(base.number, exponent.number):
            return self._call("power", (base, exponent))
        written = text.power(base.formula, exponent.formula)
        return _made(written, base.number**exponent.number, base, exponent)

    def equal(self, a: Any, b: Any) -> Term:
        """Return the condition a == b."""
        a, b = term(a), term(b)
        return _made(text.equal(a.formula, b.formula), a.number == b.number, a, b)

    def where(self, condition: Any, a: Any, b: Any) -> Term:
        """Return "a if condition else b"; if the condition is known, only the one that it chooses."""
        parts = term(condition), term(a), term(b)
        chosen = parts[1] if parts[0].number else parts[2]
        if parts[0].known:
            return chosen
        return _made(text.where(*[part.formula for part in parts]), chosen.number, *parts, call="where")

    def unless(self, condition: Any, rescue: Callable[[], Any], plain: Any) -> Term:
        """Return the formula that is right for the numbers at hand, without a word of the other one."""
        return term(rescue() if term(condition).number else plain)

    def magnitude(self, a: Any) -> Term:
        """Return |a|."""
        return abs(term(a))


class AnyNumbers(Reading):
    """The namespace of a program that is to be right for any numbers.

    In the quick form ``/`` is Python's, which raises an error where IEEE arithmetic gives an infinity or nan; the exact
    form calls a function instead.
    """

    def __init__(self, quick: bool) -> None:
        super().__init__()
        self.quick = quick
        self._made: dict[Any, list[Term]] = {}  # by sort of operation, with places for the operands

    def result(self, primitive: Primitive, *operands: Term) -> Term:
        """Return what an operation gives: written once for all operations of the same sort."""
        return self._filled("result", lambda *places: [Reading.result(self, *places)], primitive, operands)[0]

    def derivatives(self, primitive: Primitive, out: Term, *operands: Term) -> list[Term]:
        """Return the local derivatives of an operation: written once for all operations of the same sort."""
        return self._filled("derivatives", super().derivatives, primitive, (out, *operands))

    def _filled(
        self, what: str, write: Callable[..., list[Term]], primitive: Primitive, operands: tuple[Term, ...]
    ) -> list[Term]:
        """Return what is written for places in the stead of the operands, with the operands in them."""
        if len(operands) > _MOST_TERMS:  # long sums are all different
            return write(primitive, *operands)
        key = (what, primitive, *[repr(x.number) if x.known else None for x in operands])  # 0.0 isn't -0.0
        if key not in self._made:
            places = [x if x.known else Term(symbol(f"⟨{k}⟩"), math.nan) for k, x in enumerate(operands)]
            self._made[key] = write(primitive, *places)
        names = [x.source() for x in operands]
        return [
            part if part.known else Term(_with(part.formula, names), math.nan, part.calls) for part in self._made[key]
        ]

    def sum(self, terms: Any) -> Term:
        """Return x₁ + x₂ + …, which is quicker than a call for a few terms."""
        total = term(0.0)
        for k, part in enumerate(terms):
            total = total + part if k else term(part)
        return total

    def divide(self, a: Any, b: Any) -> Term:
        """Return a / b."""
        return super().divide(a, b) if self.quick else self._call("divide", (a, b))

    def power(self, a: Any, b: Any) -> Term:
        """Return a ** b by a function; squares and cubes of variables are multiplied out."""
        base, exponent = term(a), term(b)
        if exponent.known and exponent.number == 1.0:
            return base
        if base.formula.form == "symbol" and exponent.known and exponent.number in (2.0, 3.0):
            return _made(symbol(f"({' * '.join([base.source()] * int(exponent.number))})"), base.number, base)
        return self._call("power", (base, exponent))

    def where(self, condition: Any, a: Any, b: Any) -> Term:
        """Return "a if condition else b"."""
        parts = term(condition), term(a), term(b)
        if parts[0].known:
            return parts[1] if parts[0].number else parts[2]
        written = [part.source() for part in parts]
        return _made(symbol(f"({written[1]} if {written[0]} else {written[2]})"), math.nan, *parts)

    def unless(self, condition: Any, rescue: Callable[[], Any], plain: Any) -> Term:
        """Return "rescue if condition else plain"."""
        return self.where(condition, rescue(), plain)

    def pick(self, index: Any, *items: Any) -> Term:
        """Return the item that an index names: which one is known when the program runs."""
        parts = [term(part) for part in (index, *items)]
        if all(part.known for part in parts):
            return self._call("pick", parts)
        return _made(text.call("pick", *[part.formula for part in parts]), math.nan, *parts, call="pick")

    def maximum(self, *numbers: Any) -> Term:
        """Return the largest; of a variable and 0 without a call, so that nan stays nan."""
        return self._or_zero("maximum", "<=", numbers)

    def minimum(self, *numbers: Any) -> Term:
        """Return the smallest."""
        return self._or_zero("minimum", ">=", numbers)

    def _or_zero(self, name: str, sign: str, numbers: Any) -> Term:
        terms = [term(number) for number in numbers]
        is_pair = len(terms) == 2 and terms[0].formula.form == "symbol" and terms[1].known and terms[1].number == 0.0
        if not is_pair:
            return self._call(name, terms)
        x = terms[0].source()
        return _made(symbol(f"(0.0 if {x} {sign} 0.0 else {x})"), math.nan, terms[0])


def _with(formula: Expression, names: list[str]) -> Expression:
    """Return a formula with variables in the places ⟨0⟩, ⟨1⟩, …."""
    if formula.form == "symbol":
        name = _PLACE.sub(lambda found: names[int(found[1])], formula.parts[0])
        return Expression("symbol", (name, None))
    if formula.form == "number":
        return formula
    return Expression(formula.form, tuple([_with(part, names) for part in formula.parts]))


def _plain_power_works(a: float, b: float) -> bool:
    try:
        return not isinstance(a**b, complex)
    except (OverflowError, ZeroDivisionError):
        return False


# ---------------------------------------------------------------------------------------------------- functions


def _definitions(calls: set[str]) -> list[list[str]]:
    """Return the imports and the functions that a program needs, and those which these need."""
    needed: set[str] = set()
    waiting = list(calls)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _needs(name)
    from_math = sorted(needed - set(_HELPERS))
    functions = [_helper(name) for name in _HELPERS if name in needed]
    imports = ["import math"] if any("math." in function for function in functions) else []
    imports += [f"from math import {', '.join(from_math)}"] if from_math else []
    return [imports, ["", "\n\n".join(functions)] if functions else []]


@cache
def _helper(name: str) -> str:
    return inspect.getsource(getattr(floats, name))


@cache
def _needs(name: str) -> list[str]:
    """Return the functions that a function calls by their bare names."""
    if name in _HELPERS:
        found = {part.id for part in ast.walk(ast.parse(_helper(name))) if isinstance(part, ast.Name)}
        return sorted(found & set(_HELPERS))
    if not hasattr(math, name):
        raise ValueError(
            f"to_python can't write the function {name!r} out, which a rule of the table of primitives calls: "
            "it is neither in math nor in autograd_mini/engine/floats.py; define it there"
        )
    return []


# ------------------------------------------------------------------------------------------------------- names


def _variables(called: Mapping[Value, str]) -> dict[Value, str]:
    """Return a variable for each name; ``d_`` and the variable is no other's name either, as it holds the gradient."""
    taken, count = set(_RESERVED), Counter[str]()
    variables = {}
    for node, name in called.items():
        base = _identifier(name)
        variable = base
        while variable in taken or f"d_{variable}" in taken:
            count[base] += 1
            variable = f"{base}_{count[base] + 1}"
        taken |= {variable, f"d_{variable}"}
        variables[node] = variable
    return variables


def _identifier(name: str) -> str:
    """Return a name that Python allows: ``w[0]`` becomes ``w_0``, and w¹₂₁ ``w1_21``.

    Leading underscores are for auxiliary variables.
    """
    # Normalised, as Python does, to which two spellings of one letter are the same.
    folded = unicodedata.normalize("NFKC", on_the_line(name, "_"))
    kept = "".join(sign if f"a{sign}".isidentifier() else "_" for sign in folded[: 2 * _LONGEST_NAME])
    kept = re.sub("__+", "_", kept)[:_LONGEST_NAME].strip("_")
    return kept if kept.isidentifier() else f"v_{kept}".rstrip("_")


def _one_line(written: str) -> str:
    """Return a text for a comment: no line breaks, no signs that can't be shown, not too long."""
    shown = "".join(sign if sign.isprintable() else "�" for sign in written)
    return shown if len(shown) <= _LONGEST_COMMENT else shown[: _LONGEST_COMMENT - 1] + "…"
