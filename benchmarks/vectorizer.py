"""The vectorizer against other libraries: every work of the table in ``README.md``, measured side by side.

All contenders of a work must agree in their numbers; then they are timed in interleaved rounds in this one process,
each library held to one thread. This library takes part several times: its programs run by each set of instructions
that pays, and by NumPy. Medians; a ratio is the median over the rounds of their time over ours.

Usage: ``python benchmarks/vectorizer.py`` prints every row and remakes ``vectorizer.txt`` and ``vectorizer.png`` beside
it. ``--only moons digits`` prints some works alone, ``--quick`` takes few rounds and leaves out what is slow; neither
touches the files. A contender whose package isn't installed is named as such.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import vectorized  # before NumPy: it holds every library to one thread
from vectorized import (
    black_scholes,
    digits,
    expression,
    first_gradient,
    large,
    moons,
    recurrence,
    report,
    rosenbrock,
    tracing,
)
from vectorized.timing import Times, measured

WORKS = (
    moons.WORK,
    moons.THROUGH_TRAINER,
    digits.WORK,
    digits.THROUGH_TRAINER,
    black_scholes.WORK,
    recurrence.WORK,
    rosenbrock.WORK,
    expression.WORK,
    large.WORK,
    first_gradient.MOONS,
    first_gradient.DIGITS,
)
KEYS = [*(work.key for work in WORKS), tracing.KEY]
FILES = Path(vectorized.__file__).parents[1]


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=KEYS, default=KEYS, metavar="WORK", help=", ".join(KEYS))
    parser.add_argument("--quick", action="store_true", help="few and short rounds, without what is slow")
    return parser.parse_args()


def main() -> None:
    """Print the rows that are asked for; remake the files if it was all of them."""
    asked = arguments()
    vectorized.quick = asked.quick
    rounds = 1 if asked.quick else 21
    how = f"medians of {rounds} interleaved rounds, single thread; {report.LEGEND}"
    parts = [f"{report.machine()}\n{'to see that all of it runs: the times tell nothing' if asked.quick else how}"]
    print(parts[0], flush=True)
    all_times: list[Times] = []
    for work in WORKS:
        if work.key in asked.only:
            all_times.append(measured(work, rounds))
            parts.append(report.table(all_times[-1]))
            print(f"\n{parts[-1]}", flush=True)
    if tracing.KEY in asked.only and not asked.quick:
        parts.append(report.tracing_table(list(tracing.costs(3)), tracing.of_a_table(3)))
        print(f"\n{parts[-1]}")
    parts.append(f"load at the end {report.load()}")
    print(f"\n{parts[-1]}")
    if asked.only == KEYS and not asked.quick:
        (FILES / "vectorizer.txt").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        report.plot(all_times, FILES / "vectorizer.png")


if __name__ == "__main__":
    sys.exit(main())
