"""`to_python`: a graph as straight-line Python, the forward pass and then the backward pass, to check by hand."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache

from autograd_mini.engine import floats
from autograd_mini.engine.node import CONSTANT
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import Names, node_names
from autograd_mini.explanations.source import Reading, Term, term
from autograd_mini.formulas.expression import symbol

_HELPERS = [name for name, thing in vars(floats).items() if inspect.isfunction(thing)]
_RESERVED = {"math", *keyword.kwlist, *dir(builtins), *_HELPERS, *dir(math)} - {"e", "pi", "tau"}
_LONGEST_NAME, _LONGEST_COMMENT, _LONGEST_LINE = 40, 90, 100  # characters


def to_python(root: Value, names: Names | None = None) -> str:
    """Return the graph as Python source: a line for every step forward, then the lines of the backward pass.

    The program needs nothing but Python's standard library. Run as a file, it prints the value and the gradients of the
    leaves; run by `exec`, it leaves all of them in variables: ``w`` and, for ∂L/∂w, ``d_w``. They are the engine's
    numbers, computed from the leaves' present data. Bare numbers stand in the formulas and have no gradient.

    Parameters
    ----------
    root : Value
        L, the root of the graph.
    names : mapping, optional
        Variables, as in ``names=locals()``, to name the nodes that have no label.

    Returns
    -------
    str
        The source. Where a name is none in Python, or is taken, the variable has a similar one, and the name beside it.

    Raises
    ------
    TypeError
        If `root` is no Value.
    ValueError
        If an operation was added to the table whose rule asks for a function that can't be written out.

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
    return _Program(root, names).source()


class _Program:
    """The source in the making."""

    def __init__(self, root: Value, names: Names | None) -> None:
        self.root = root
        self.called = node_names(root, names)
        self.variables = _variables({node: name for node, name in self.called.items() if not self._is_literal(node)})
        self.terms: dict[Value, Term] = {}
        self.formulas: dict[Value, str] = {}
        self.calls: set[str] = set()

    def _is_literal(self, node: Value) -> bool:
        """Return whether a node is a bare number, which stands in the formulas."""
        return node.kind == CONSTANT and not node.label and node is not self.root

    def source(self) -> str:
        """Return the whole program."""
        leaves = [self._assignment(node) for node in self.variables if node.primitive is None]
        forward = [self._assignment(node) for node in self.variables if node.primitive is not None]
        backward = self._backward()
        sections = [
            [f"# {_one_line(self.called[self.root])} and its gradient, step by step."],
            *definitions(self.calls),
            ["# Leaves", *leaves],
            ["# Forward pass", *forward] if forward else [],
            backward,
            ['if __name__ == "__main__":', *self._report()],
        ]
        return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"

    def _assignment(self, node: Value) -> str:
        """Return ``z = w * x + b`` and remember how the node stands in the formulas after it."""
        variable, name, made = self.variables[node], self.called[node], term(node.data)
        if node.primitive is not None:
            made = term(node.primitive.forward(Reading(), *map(self._operand, node.parents)))
        self.calls |= made.calls
        self.terms[node] = Term(symbol(variable), made.number)
        self.formulas[node] = f"{variable} = {made.source()}"
        return self.formulas[node] + (f"  # {_one_line(repr(name))}" if name != variable else "")

    def _operand(self, node: Value) -> Term:
        return term(node.data) if self._is_literal(node) else self.terms[node]

    # -------------------------------------------------------------------------------------------- the backward pass

    def _wanted(self, node: Value) -> bool:
        return node is self.root or node.kind != CONSTANT

    def _backward(self) -> list[str]:
        """Return the lines of the backward pass, in the engine's order."""
        root = self.variables[self.root]
        order = [node for node in reversed(self.variables) if self._wanted(node)]
        lines = [f"# Backward pass: d_u is the gradient of {root} by u.", f"d_{root} = 1.0"]
        lines += _assigned([f"d_{self.variables[node]}" for node in order if node is not self.root], "0.0")
        for node in order:
            lines += self._contributions(node)
        return lines

    def _contributions(self, node: Value) -> list[str]:
        """Return the lines by which a node passes its gradient on to its parents."""
        if node.primitive is None or not any(map(self._wanted, node.parents)):
            return []
        above: list[tuple[str, Term]] = []
        found = node.primitive.derivatives(Reading(above), self.terms[node], *map(self._operand, node.parents))
        local = [(self.variables[u], term(d)) for u, d in zip(node.parents, found, strict=True) if self._wanted(u)]
        self.calls.update(*[made.calls for _, made in above + local])
        lines = [f"# {_one_line(self.formulas[node])}", *[f"{name} = {made.source()}" for name, made in above]]
        upstream = Term(symbol(f"d_{self.variables[node]}"), 1.0)
        return lines + [_added(f"d_{variable}", upstream, made) for variable, made in local]

    def _report(self) -> Iterator[str]:
        """Iterate over the lines that print the value and the gradients of the leaves."""
        root = self.variables[self.root]
        yield f'    print("{root} =", {root})'
        for node, variable in self.variables.items():
            if node.primitive is None and self._wanted(node):
                yield f'    print("d_{variable} =", d_{variable})'


def _added(gradient: str, upstream: Term, local: Term) -> str:
    """Return ``d_x += d_y * w``."""
    if local.known and local.number == -1.0:
        return f"{gradient} -= {upstream.source()}"
    return f"{gradient} += {(upstream * local).source()}"


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


# ---------------------------------------------------------------------------------------------------- functions


def definitions(calls: set[str]) -> list[list[str]]:
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
            f"to_python can't write the function {name!r} out, which a rule of the table of primitives asks for: "
            "it is neither in math nor in autograd_mini/engine/floats.py; define it there"
        )
    return []


# ------------------------------------------------------------------------------------------------------- names


def _variables(called: dict[Value, str]) -> dict[Value, str]:
    """Return a variable for each name, such that with ``d_`` before it is free too."""
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
    """Return a name as Python lets one be: ``w[0]`` as ``w_0``; leading underscores are left to auxiliary variables."""
    folded = unicodedata.normalize("NFKC", name)  # as Python does, to which two spellings of one letter are the same
    kept = "".join(sign if f"a{sign}".isidentifier() else "_" for sign in folded[: 2 * _LONGEST_NAME])
    kept = re.sub("__+", "_", kept)[:_LONGEST_NAME].strip("_")
    return kept if kept.isidentifier() else f"v_{kept}".rstrip("_")


def _one_line(written: str) -> str:
    """Return a text for a comment: no line breaks, no signs that can't be shown, not too long."""
    shown = "".join(sign if sign.isprintable() else "�" for sign in written)
    return shown if len(shown) <= _LONGEST_COMMENT else shown[: _LONGEST_COMMENT - 1] + "…"
