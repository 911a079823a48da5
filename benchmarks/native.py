"""What the native machine gains: the works of ``vectorizer.py``, each by NumPy and by every instruction set there is.

Interleaved rounds in one process, on one thread, by processor time, as the machine may be shared; medians, and the
median of the ratios.

Usage: ``python benchmarks/native.py``, with ``--only moons digits`` for some works alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from vectorized import black_scholes, digits, expression, moons, recurrence, report, rosenbrock

from autograd_mini.native.build import SWITCH
from autograd_mini.native.library import absence, library

WORKS: dict[str, Callable[[], Any]] = {
    "moons": lambda: moons.own(lambda network: network),
    "digits": digits.own,
    "black_scholes": black_scholes.own,
    "rnn": recurrence.own,
    "rosenbrock": rosenbrock.own,
    "expression": expression.own,
}
ROUNDS, SECONDS = 21, 0.03


def run_by(choice: str, make: Callable[[], Any]) -> Callable[[], Any]:
    """Return a work's step, bound to NumPy ("0") or to an instruction set."""
    os.environ[SWITCH] = choice
    step: Callable[[], Any] = make().run
    step()
    del os.environ[SWITCH]
    return step


def seconds(step: Callable[[], Any], count: int) -> float:
    """Return how long one of so many steps takes."""
    start = time.process_time()
    for _ in range(count):
        step()
    return (time.process_time() - start) / count


def main() -> str | None:
    """Print a line for each work."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(WORKS), default=list(WORKS), metavar="WORK")
    asked = parser.parse_args().only
    found = library()
    if found is None:
        return absence()
    print(f"{report.machine()}\nmedians of {ROUNDS} interleaved rounds, µs; in brackets NumPy's time over it")
    for name in asked:
        steps = {choice: run_by(choice, WORKS[name]) for choice in ("0", *found.sets)}
        count = max(1, round(SECONDS / seconds(steps["0"], 3)))
        rounds = [{choice: seconds(step, count) for choice, step in steps.items()} for _ in range(ROUNDS)]
        parts = [f"{name:>14}  numpy {statistics.median(r['0'] for r in rounds) * 1e6:10.2f}"]
        for choice in found.sets:
            ratio = statistics.median(r["0"] / r[choice] for r in rounds)
            parts.append(f"{choice} {statistics.median(r[choice] for r in rounds) * 1e6:10.2f} ({ratio:.2f})")
        print("   ".join(parts), flush=True)
    return None


if __name__ == "__main__":
    sys.exit(main())
