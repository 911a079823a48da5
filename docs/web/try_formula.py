"""What the page where one types a formula asks of Python: each function takes a JSON text, and returns one.

It runs in the browser, on Pyodide. What is wrong with a formula is an answer, too, with the place: the page shows it
beside the field and keeps what it showed before.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
from itertools import cycle
from pathlib import Path
from typing import Any

from autograd_mini import draw, finite_difference, graph, step_through, to_latex, to_python
from autograd_mini.engine.value import Value
from autograd_mini.explanations.names import NamedGraph
from autograd_mini.formulas.parse import FormulaError, names_in, parse
from autograd_mini.views import page

MOST_CHARACTERS, MOST_NAMES, MOST_NODES, MOST_TYPESET = 2_000, 60, 300, 80
DEEPEST = 60  # brackets, or signs and powers, inside one another: a browser's stack is small
_SIGNS = re.compile(rf"(?:[-−~+√∛|]\s*){{{DEEPEST + 1}}}")
_BEGINNING = (0.5, 2.0, 0.1, 1.5, 0.75, 1.25, 0.25, 3.0)  # what leaves are before anybody has moved them


class Refused(Exception):
    """A formula is read, but this page doesn't show it."""


def shown(request: str) -> str:
    """Return the stepper of a formula: its data, and the numbers of all names; or what is wrong with the formula.

    The request has the ``formula``, the ``leaves`` whose numbers are known, and in ``hide`` what an exercise hides.
    """
    asked = json.loads(request)
    try:
        root, leaves = _built(asked["formula"], asked["leaves"])
        inside = set(graph.topological_order(root))
        moved = [name for name, leaf in leaves.items() if leaf in inside]
        hide = asked.get("hide", "")
        options = {"exercise": True, "hide": hide} if hide else {"what_if": [leaves[name] for name in moved]}
        payload = step_through(root, **options).payload
    except FormulaError as error:
        return json.dumps({"problem": str(error).splitlines()})
    except (Refused, ValueError, TypeError) as error:
        return json.dumps({"problem": [str(error)]})
    numbers = {name: leaf.data for name, leaf in leaves.items()}
    return json.dumps({"payload": payload, "leaves": numbers, "moved": moved, "root": page.number_as_json(root.data)})


def texts(request: str) -> str:
    """Return what stands below the stepper: drawing, derivation, program, and the check of each gradient."""
    asked = json.loads(request)
    root, _ = _built(asked["formula"], asked["leaves"])
    root.backward()
    named = NamedGraph(root)
    derivation = to_latex(root)
    answer = {
        "root": page.number_as_json(root.data),
        "drawing": _figure(root, "svg"),
        "title": f"the computational graph of {named.called[root]}",
        "latex": str(derivation),
        "typeset": derivation.latex() if len(named.order) <= MOST_TYPESET else "",
        "python": to_python(root),
        "check": _check(named),
    }
    return json.dumps(answer)


def file(request: str) -> str:
    """Return a file to download, as text: an ``svg``, a ``tex``, or the stepper as a page, ``html``."""
    asked = json.loads(request)
    root, leaves = _built(asked["formula"], asked["leaves"])
    root.backward()
    if asked["format"] == "html":
        inside = set(graph.topological_order(root))
        stepper = step_through(root, what_if=[leaf for leaf in leaves.values() if leaf in inside])
        return json.dumps(_saved(stepper, "html"))
    return json.dumps(_figure(root, asked["format"]))


def _built(formula: str, numbers: dict[str, float]) -> tuple[Value, dict[str, Value]]:
    """Return the graph of a formula, and its leaves by their names.

    Raises
    ------
    FormulaError, Refused
        If it can't be read, or is too large for this page.
    """
    if len(formula) > MOST_CHARACTERS:
        raise Refused(
            f"This formula has {len(formula):,} characters; the page takes up to {MOST_CHARACTERS:,}. "
            "Larger ones run with the library: autograd-mini step FORMULA."
        )
    _check_depth(formula)
    names = names_in(formula)
    if len(names) > MOST_NAMES:
        raise Refused(f"This formula has {len(names)} names; the page shows up to {MOST_NAMES}.")
    beginning = dict(zip(names, cycle(_BEGINNING), strict=False))
    leaves = {name: Value(float(numbers.get(name, beginning[name])), label=name) for name in names}
    root = parse(formula, **leaves)
    count = len(graph.topological_order(root))
    if count > MOST_NODES:
        raise Refused(f"This formula has {count:,} nodes; the page shows up to {MOST_NODES}. Make it shorter.")
    return root, leaves


def _check_depth(formula: str) -> None:
    """Raise where the parts of a formula may lie too deep inside one another to be read in a browser."""
    depth, deepest = 0, 0
    for sign in formula:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    powers = formula.count("**") + formula.count("^")
    bars = sum(map(formula.count, "|∣｜")) // 2
    if max(deepest, powers, bars) > DEEPEST or _SIGNS.search(formula):
        raise Refused(
            f"This formula has more than {DEEPEST} brackets, signs or powers, which may be too many operations inside "
            "one another for a browser. Make it flatter."
        )


def _check(named: NamedGraph) -> list[dict[str, Any]]:
    """Return each gradient with what a finite difference gives for it, and what is to be said of the two."""
    rows = []
    for node in reversed(named.order):
        if node.kind == "constant":
            continue
        gradient, measured = float(node.grad), finite_difference(named.root, node)
        numbers = {"data": node.data, "gradient": gradient, "measured": measured, "difference": gradient - measured}
        written = {key: page.number_as_json(x) for key, x in numbers.items()}
        verdict = _verdict(gradient, measured, named.root.data)
        rows.append({"name": named.called[node], **written, "verdict": verdict})
    return rows


def _verdict(gradient: float, measured: float, root: float) -> str:
    """Return ``agrees``, ``differs``, ``rounding`` where the root is too large to tell, or ``infinite``."""
    difference = abs(gradient - measured)
    if not math.isfinite(difference):
        return "infinite"
    if difference <= 1e-5 * max(abs(gradient), abs(measured)) + 1e-8:
        return "agrees"
    return "rounding" if difference <= 1e-8 * abs(root) else "differs"


def _figure(root: Value, format: str) -> str:
    return _saved(draw(root), format)


def _saved(thing: Any, format: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return str(Path(thing.save(Path(folder) / f"figure.{format}")).read_text(encoding="utf-8"))
