"""How far the engine can be relied on, as a table of figures: each with its bound, and whether it holds.

Digits against mpmath for every operation of the table in every reading, random graphs, depth, growth, leaks, threads,
damaged files, and the share of faults in the core that the tests notice. An error is told in units in the last place.

Usage: ``python benchmarks/reliability.py [--quick] [--mutation]`` with ``pip install ".[test]"``. ``--quick`` takes
fewer points, graphs and files, under a minute, and is a step of CI; ``--mutation`` counts the faults anew (see
`mutation`) instead of reading what ``mutation.txt`` says. The exit status is 1 if a bound doesn't hold. Points and
graphs are the same in every run. ``benchmarks/reliability.txt`` is what it printed.
"""

from __future__ import annotations

import argparse
import gc
import math
import platform
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import mp, mpf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import test_files
import test_primitives as table

from autograd_mini import Value, __version__, detect_anomaly, no_grad, vectorize
from autograd_mini.engine import arrays, floats
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.node import Node
from autograd_mini.engine.primitives import PRIMITIVES, Primitive
from autograd_mini.engine.value import apply

HERE = Path(__file__).resolve().parent
EPS = sys.float_info.epsilon / 2


class Figure(NamedTuple):
    """One line of the table."""

    what: str
    figure: str
    bound: str
    holds: bool


# ---------------------------------------------------------------------------------------------- digits of the table


def by_floats(primitive: Primitive, X: Any) -> tuple[Any, Any]:
    """Return values (rows,) and derivatives (rows, arguments) of the reading on floats."""
    rows = [tuple(row) for row in X.tolist()]
    values = [primitive.forward(floats, *row) for row in rows]
    return values, [primitive.derivatives(floats, out, *row) for out, row in zip(values, rows, strict=True)]


def by_arrays(primitive: Primitive, X: Any) -> tuple[Any, Any]:
    """Return the same of the reading on arrays."""
    columns = list(X.T.copy())
    out = primitive.forward(arrays, *columns)
    found = [np.broadcast_to(d, len(X)) for d in primitive.derivatives(arrays, out, *columns)]
    return np.broadcast_to(out, len(X)), np.transpose(found)


def by_program(primitive: Primitive, X: Any) -> tuple[Any, Any]:
    """Return the same of a vectorized program of one operation."""
    program = vectorize(lambda x: apply(primitive, *x), check=False)
    return program(X), program.gradients(X)


READINGS = {"floats": by_floats, "arrays": by_arrays, "program": by_program}


# Where exponentials fall below 1e-16, overflow and vanish, and where squares do.
SPECIAL = [sign * x for x in (1e-310, 1e-160, 1e-5, 40.0, 300.0, 710.0, 745.0, 1e155) for sign in (1.0, -1.0)]


def special_points(primitive: Primitive, count: int) -> list[tuple[float, ...]]:
    """Return points at which formulas that are right on paper lose their digits."""
    rng = random.Random(primitive.name)
    points = []
    for n in table.sizes(primitive):
        points += [tuple(rng.choices([0.0, 1.0, *SPECIAL], k=n)) for _ in range(5 * count)] if n > 1 else zip(SPECIAL)
    if primitive.name == "elu":  # α·exp(a): a large α shows how few digits there are below 1e-308
        points = [p for p in points if p[0] > -700.0]
    return [p for p in points if table.inside(primitive, p) and table.has_a_value(primitive, p)]


def shown(ulps: float) -> str:
    """Return an error for the table."""
    return f"{ulps:.2f}" if ulps < 1000.0 else f"{ulps:.0e}"


def worst_ulps(primitive: Primitive, count: int) -> dict[str, tuple[float, float]]:
    """Return for each reading the largest error of the values and of the derivatives, in ulp of mpmath's."""
    forward, derivatives = table.reference(primitive)
    size = table.SIZE.get(primitive.name, lambda *a: mpf(0))
    points = table.defined_points(primitive, count) + special_points(primitive, count)
    if primitive.name == "pick":  # an index that names no item is refused by programs
        points = [p for p in points if p[0] in range(len(p) - 1)]
    worst = dict.fromkeys(READINGS, (0.0, 0.0))
    for n in {len(point) for point in points}:
        same_size = [point for point in points if len(point) == n]
        exact = [[mpf(x) for x in point] for point in same_size]
        truth = [(forward(*x), derivatives(*x), size(*x)) for x in exact]
        for reading, read in READINGS.items():
            try:
                with np.errstate(all="ignore"):
                    values, found = read(primitive, np.array(same_size))
            except Exception:  # worse than any error in the digits; the other figures are wanted all the same
                worst[reading] = math.inf, math.inf
                continue
            of_values, of_derivatives = worst[reading]
            for value, row, (want, wanted, size_here) in zip(values, found, truth, strict=True):
                of_values = max(of_values, table.ulps(float(value), want, size_here))
                errors = [table.ulps(float(d), w) for d, w in zip(row, wanted, strict=True)]
                of_derivatives = max(of_derivatives, *errors)
            worst[reading] = of_values, of_derivatives
    return worst


def digits(is_quick: bool) -> Iterator[Figure]:
    """Errors of values and derivatives by primitive and reading."""
    for name, primitive in PRIMITIVES.items():
        worst = worst_ulps(primitive, 10 if is_quick else 400)
        figure = "   ".join(f"{reading} {shown(a)} {shown(b)}" for reading, (a, b) in worst.items())
        yield Figure(f"ulp of {name}, ∂{name}", figure, "≤ 4", all(max(pair) <= 4.0 for pair in worst.values()))


# ------------------------------------------------------------------------------------------------------ random graphs


def random_graph(rng: random.Random) -> tuple[Value, list[Value]]:
    """Return the root and the leaves of a graph of up to 40 operations, each where it is defined and not too large."""
    leaves = [Value(rng.uniform(-2.0, 2.0)) for _ in range(4)]
    nodes, operations = list(leaves), [p for p in PRIMITIVES.values() if p.smooth]
    while len(nodes) < 44:
        primitive = rng.choice(operations)
        operands = [rng.choice(nodes) for _ in range(primitive.arity or rng.choice(table.N_ARY_SIZES))]
        point = tuple(node.data for node in operands)
        if table.inside(primitive, point) and table.has_a_value(primitive, point):
            node = apply(primitive, *operands)
            if all(math.isfinite(x) and abs(x) < 1e6 for x in (node.data, *node.local_grads)):
                nodes.append(node)
    return apply(PRIMITIVES["sum"], *nodes[-4:]), leaves


def exact_gradients(order: list[Value], rng: random.Random | None) -> dict[Value, Any]:
    """Return the gradients in mpmath; with a generator, every number on the way is up to one rounding error off."""

    def off(x: Any) -> Any:
        return x * (1 + mpf(rng.uniform(-EPS, EPS))) if rng else x

    values: dict[Value, Any] = {}
    found: dict[Value, Any] = dict.fromkeys(order, mpf(0))
    for v in order:
        operands = [values[u] for u in v.parents]
        values[v] = off(table.REFERENCE[v.primitive.name][0](*operands)) if v.primitive else mpf(v.data)
    found[order[-1]] = mpf(1)
    for v in reversed(order):
        if v.primitive:
            local = table.REFERENCE[v.primitive.name][1](*[values[u] for u in v.parents])
            for u, d in zip(v.parents, local, strict=True):
                found[u] = off(found[u] + off(found[v] * off(d)))
    return found


def graphs(is_quick: bool) -> Iterator[Figure]:
    """Gradients of random graphs, in units of what one rounding error at every step makes of them."""
    errors = []
    for seed in range(50 if is_quick else 1000):
        rng = random.Random(seed)
        root, leaves = random_graph(rng)
        root.backward()
        order = topological_order(root)
        exact, moved = exact_gradients(order, None), [exact_gradients(order, rng) for _ in range(4)]
        for leaf in set(leaves) & set(order):
            condition = max(abs(m[leaf] - exact[leaf]) for m in moved) + mpf(math.ulp(float(exact[leaf])))
            errors.append(float(abs(mpf(leaf.grad) - exact[leaf]) / condition))
    share = 100.0 * sum(error <= 64.0 for error in errors) / len(errors)
    what = f"{len(errors)} gradients of {seed + 1} random graphs"
    yield Figure(what, f"{share:.2f} % within 64 conditioned ulp, the worst {max(errors):.1f}", "100 %", share == 100.0)


# ------------------------------------------------------------------------------------------- depth, growth, memory


def chain(length: int) -> tuple[Value, Value]:
    """Return a leaf and a root that many operations above it."""
    x = node = Value(0.5)
    for _ in range(length // 2):
        node = -(node + x)
    return x, node


def depth(is_quick: bool) -> Iterator[Figure]:
    """How deep a graph may be."""
    length = 1_000_000
    x, root = chain(length)
    root.backward()
    is_right = (root.data, x.grad, root.forward()) == (0.5, 1.0, 0.5)
    yield Figure("depth that goes forward and backward", f"{length:,} operations", "10⁶", is_right)


def seconds_a_node(length: int) -> float:
    """Return the time to build a chain, go backward and forward, for each node: the best of three."""
    best = math.inf
    for _ in range(3):
        begin = time.process_time()  # other work on the machine doesn't count
        _, root = chain(length)
        root.backward()
        root.forward()
        best = min(best, time.process_time() - begin)
    return best / length


def growth(is_quick: bool) -> Iterator[Figure]:
    """How the time for a node grows with the graph."""
    n = 10_000 if is_quick else 50_000
    few, many = seconds_a_node(n), seconds_a_node(10 * n)
    figure = f"{1e6 * few:.2f} and {1e6 * many:.2f} µs, {many / few:.2f} times"
    yield Figure(f"time a node at {n:,} and {10 * n:,}", figure, "≤ 2.5 times", many <= 2.5 * few)


def one_graph() -> None:
    """Build a graph, and do to it what one does."""
    x, w = Value(0.5), Value(-1.5)
    root = (x * w).tanh() ** 2 + (x / 3 - w).exp()
    root.backward()
    root.forward()
    x.grad = w.grad = 0.0
    root.backward(create_graph=True)
    x.grad = w.grad = 0.0
    with no_grad():
        root * x
    try:
        with detect_anomaly():
            Value(0.0).log()
    except ArithmeticError:
        pass


def leaks(is_quick: bool) -> Iterator[Figure]:
    """Count what stays of graphs that nobody refers to, without the garbage collector."""
    one_graph()

    def nodes() -> int:
        return sum(isinstance(thing, Node) for thing in gc.get_objects())

    before, count = nodes(), 1000
    for _ in range(count):
        one_graph()
    left = nodes() - before
    yield Figure(f"nodes left of {count:,} graphs", str(left), "0", left == 0)


# ------------------------------------------------------------------------------------------------ threads and files


def lost(threads: int, passes: int) -> float:
    """Return how much of the gradients is lost where graphs in several threads share their leaves."""
    w = [Value(1.0), Value(1.0)]

    def work() -> None:
        for _ in range(passes):
            (w[0] * w[1] + w[0]).backward()

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return 3.0 * threads * passes - w[0].grad - w[1].grad


def threads(is_quick: bool) -> Iterator[Figure]:
    """Gradients that are lost between threads."""
    runs, before = 5 if is_quick else 100, sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        losing = sum(lost(8, 200) != 0.0 for _ in range(runs))
    finally:
        sys.setswitchinterval(before)
    yield Figure("runs of 8 threads that lose gradients", f"{losing} of {runs}", "0", losing == 0)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return a file with some bytes changed, cut off, cut out or doubled."""
    a, b = sorted(rng.randrange(len(content)) for _ in range(2))
    patched = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        patched[rng.randrange(len(content))] ^= rng.randint(1, 255)
    return rng.choice(
        [bytes(patched), bytes(patched), content[:a], content[:a] + content[b:], content[:b] + content[a:]]
    )


def files(is_quick: bool) -> Iterator[Figure]:
    """Damaged files: each must be refused by a LoadError, or give what was saved."""
    tried, unclear, rng = 0, [], random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("model", "own", "training", "table"):
            reader = test_files.Reader(Path(folder), kind)
            for _ in range(50 if is_quick else 1000):
                tried += 1
                try:
                    reader.is_fine(damaged(reader.content, rng))
                except Exception as error:
                    unclear.append(f"{kind}: {type(error).__name__}")
    figure = f"{len(unclear)} unclear errors {' '.join(sorted(set(unclear)))}".rstrip()
    yield Figure(f"{tried:,} damaged files", figure, "0", not unclear)


def mutation(is_quick: bool) -> Iterator[Figure]:
    """Read which share of the faults in the core the tests notice, by the last run of `mutation`."""
    stored = HERE / "mutation.txt"
    score = stored.read_text("utf-8").strip().splitlines()[-1] if stored.exists() else ""
    found = re.match(r"([\d.]+) %: (\d+) of (\d+)", score)
    figure = f"{found[1]} %, {found[2]} of {found[3]}" if found else "benchmarks/mutation.txt has no figures"
    yield Figure("faults in the core that tests notice", figure, "≥ 95 %", bool(found) and float(found[1]) >= 95.0)


PARTS: list[Callable[[bool], Iterator[Figure]]] = [digits, graphs, depth, growth, leaks, threads, files, mutation]


def main() -> int:
    """Print the table, and return 1 if a bound doesn't hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer points, graphs and files")
    parser.add_argument("--mutation", action="store_true", help="count the faults that tests notice anew")
    options = parser.parse_args()
    if options.mutation:
        with open(HERE / "mutation.txt", "w", encoding="utf-8") as file:
            subprocess.run([sys.executable, str(HERE / "mutation.py")], stdout=file, check=False)
    versions = f"NumPy {np.__version__}, mpmath {mpmath.__version__}, Python {platform.python_version()}"
    print(f"autograd_mini {__version__}, {versions}, {platform.machine()}\n")
    print(f"{'':<44} {'(of each reading: values, derivatives)':<58} bound")
    failing, begin = 0, time.perf_counter()
    gc.collect()
    gc.disable()
    with mp.workdps(50):
        for part in PARTS:
            for what, figure, bound, holds in part(options.quick):
                failing += not holds
                print(f"{what:<44} {figure:<58} {bound:<12} {'holds' if holds else 'DOES NOT HOLD'}", flush=True)
            gc.collect()
    print(f"\n{failing or 'no'} bound{'s' * (failing != 1)} broken", flush=True)
    print(f"{time.perf_counter() - begin:.0f} s", file=sys.stderr)
    return int(failing > 0)


if __name__ == "__main__":
    sys.exit(main())
