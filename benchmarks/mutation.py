"""Mutation score: the share of small faults, put into the core one at a time, that the tests notice.

``mutmut`` changes only what is inside of functions, and half of the core is a table of lambdas; ``cosmic-ray`` starts
Python and pytest anew for each of thousands of faults. So this is written out here: each fault is one changed piece of
the source's text, and each is tested in a fork of a process that has imported everything but the package.

Usage: ``python benchmarks/mutation.py [--minutes 25] [--seed 0] [FILE …]`` with ``pip install ".[test]"``; it prints
the faults that no test noticed, and the score. About 6 s a fault, in an order drawn at random, so that those of the
first minutes are a fair sample. ``benchmarks/mutation.txt`` is what it printed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies  # noqa: F401
import mpmath  # noqa: F401
import numpy as np  # noqa: F401
import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = [f"engine/{name}.py" for name in ("value", "graph", "primitives")] + ["explanations/steps.py"]
# Tested in turn, until a test fails: the file's own tests, those of the core, those of what is built on it.
FIRST = """test_value test_graph test_primitives test_steps test_value_numbers test_modes test_derivatives
test_functions test_memory test_passes test_threads test_derivative_table test_state_machine nn/test_freezing""".split()
THEN = """test_to_python test_expression test_names test_latex test_parse vectorizer/test_every_primitive
vectorizer/test_random_graphs vectorizer/test_trace_errors test_micrograd test_cli_step nn/test_layers""".split()
SECONDS = 120  # a fault that makes the tests take longer is noticed
OPTIONS = "-xq --tb=no -p no:cacheprovider --hypothesis-seed=0 -W ignore::pytest.PytestAssertRewriteWarning".split()

SWAPS = {
    ast.Lt: ast.LtE,
    ast.Gt: ast.GtE,
    ast.Eq: ast.NotEq,
    ast.Is: ast.IsNot,
    ast.In: ast.NotIn,
    ast.And: ast.Or,
    ast.Add: ast.Sub,
    ast.Mult: ast.Div,
    ast.BitAnd: ast.BitOr,
    ast.Break: ast.Continue,
    ast.FloorDiv: ast.Div,
}
SWAPPED = {**{b: a for a, b in SWAPS.items()}, **SWAPS, ast.Mod: ast.Mult, ast.Pow: ast.Mult}


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Iterate over what may stand in a node's place."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            yield ast.Compare(node.left, [*node.ops[:i], SWAPPED[type(op)](), *node.ops[i + 1 :]], node.comparators)
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        twin = copy.copy(node)
        twin.op = SWAPPED[type(node.op)]()
        yield twin
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        yield ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return()
    elif isinstance(node, ast.Break | ast.Continue):
        yield SWAPPED[type(node)]()
    elif isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant | ast.Yield):
        yield ast.Pass()


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Iterate over (line, what was changed to what, the source with it)."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    text, pending = source.encode(), [ast.parse(source)]
    while pending:
        node = pending.pop()
        twins = [(node, twin) for twin in changed(node)]
        for name, field in ast.iter_fields(node):
            parts = [part for part in (field if isinstance(field, list) else [field]) if isinstance(part, ast.AST)]
            # Nothing reads annotations; and nothing that is right sets off zip's strict.
            if name not in ("annotation", "returns") and getattr(node, "arg", "") != "strict":
                pending += parts
            if name in ("test", "ifs"):
                twins += [(part, ast.UnaryOp(ast.Not(), part)) for part in parts]
        for place, twin in twins:
            start, end = (
                starts[place.lineno - 1] + place.col_offset,
                starts[place.end_lineno - 1] + place.end_col_offset,
            )
            new = ast.unparse(ast.fix_missing_locations(twin))
            new = f"({new})" if isinstance(twin, ast.expr) else new
            yield (
                place.lineno,
                f"{text[start:end].decode()} → {new}",
                (text[:start] + new.encode() + text[end:]).decode(),
            )


def of_file(name: str, folder: Path) -> list[str]:
    """Return the tests of a file: those that are named after it, and the examples in its docstrings."""
    named = sorted((folder / "tests").glob(f"test_{Path(name).stem}*.py"))
    return [*map(str, named), f"autograd_mini/{name}"]


def is_noticed(tests: list[str], folder: Path) -> bool:
    """Return whether a test fails, in a process of its own."""
    child = os.fork()
    if not child:
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1), os.dup2(nowhere.fileno(), 2)
        os._exit(int(pytest.main([*OPTIONS, *tests])))
    return os.waitpid(child, 0)[1] != 0


def main() -> int:
    """Print the faults that no test notices, and the score; return 1 if it is below 95 %."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", default=CORE, help="in the package; the core if none is named")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no other fault after that")
    parser.add_argument("--seed", type=int, default=0, help="of the order")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for part in ("autograd_mini", "tests", "pyproject.toml", "README.md"):
            copying = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copying(ROOT / part, folder / part)
        package = folder / "autograd_mini"
        others = [[f"tests/{name}.py" for name in names] for names in (FIRST, THEN)]
        rooms = {name: [of_file(name, folder), *others] for name in options.files}
        if any(is_noticed(tests, folder) for tests in [*(room[0] for room in rooms.values()), *others]):
            sys.exit("the tests fail before anything is changed")
        sys.dont_write_bytecode = True  # Python would take what is as long and as old as another fault for that one
        every = [(name, *mutant) for name in options.files for mutant in mutants((package / name).read_text("utf-8"))]
        random.Random(options.seed).shuffle(every)
        survivors, tried, end = [], 0, time.monotonic() + 60.0 * options.minutes
        for tried, (name, line, what, source) in enumerate(every, 1):
            before = (package / name).read_text("utf-8")
            (package / name).write_text(source, "utf-8")
            if not any(is_noticed(tests, folder) for tests in rooms[name]):
                survivors.append(f"{name}:{line}: {what}")
                print(survivors[-1], flush=True)
            (package / name).write_text(before, "utf-8")
            if tried % 20 == 0:
                print(f"  {tried} of {len(every)}, {len(survivors)} unnoticed", file=sys.stderr, flush=True)
            if time.monotonic() > end:
                break
        noticed = tried - len(survivors)
        score = f"{100 * noticed / tried:.1f} %: {noticed} of {tried} faults noticed"
        print(f"{score}, of {len(every)} that there are in {', '.join(options.files)}")
    return int(noticed < 0.95 * tried)


if __name__ == "__main__":
    sys.exit(main())
