"""The table and the plot."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from autograd_mini.native.build import compiler
from autograd_mini.native.library import absence, library
from vectorized import tracing
from vectorized.timing import NOISE, NUMPY, SLOWER, Mark, Times, runners

LABELS = {NUMPY: "NumPy", "avx512": "AVX-512", "avx2": "AVX2", "neon": "NEON"}
LEGEND = (
    "ratios are their time over ours, with each that runs our programs;\n"
    f"wanted: at least so much with the fastest, {SLOWER:g} of it with another set of instructions, "
    f"and with NumPy {NOISE:g} of what it was before"
)
PACKAGES = "numpy scipy autograd-mini micrograd torch jax jaxlib autograd casadi scikit-learn"


def machine() -> str:
    """Return what the figures were taken on."""
    return "\n".join(
        [
            f"{_processor()}, {os.cpu_count()} cores, caches {', '.join(_caches()) or 'unknown'}",
            f"{platform.system()} {platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
            f", {_compiler()}",
            ", ".join(f"{name} {_version(name)}" for name in PACKAGES.split()),
            f"programs are run by {chosen()}; load {load()}",
        ]
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    for line in information.read_text().splitlines() if information.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def _caches() -> Iterator[str]:
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / name).read_text().strip() for name in ("level", "type", "size"))
        letter = {"Data": "d", "Instruction": "i"}.get(kind, "")
        yield f"L{level}{letter} {size}"


def chosen() -> str:
    """Return what runs programs here."""
    label = LABELS.get(runners()[0], runners()[0])
    return f"{label}, as {absence()}" if library() is None else f"machine code for {label}"


def load() -> str:
    """Return how many processes wanted the processor lately."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _compiler() -> str:
    command = compiler()
    if command is None:
        return "no C compiler"
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.partition("\n")[0]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def table(times: Times) -> str:
    """Return one work's rows: median times, the ratio to ours by each runner, and what is wanted."""
    work, by = times.work, runners()
    lines = [work.title, _row("", work.unit, [LABELS.get(runner, runner) for runner in by], "at least", "before")]
    for name in work.ours:
        lines.append(_row(name, "", [_time(times.median(name, runner)) for runner in by]))
    for mark in work.rows():
        at_least, time, busy = _number(mark.at_least), "", 0.0
        if mark.rival in times.missing:
            lines.append(_row(mark.label, "", [times.missing[mark.rival]], at_least))
            continue
        if mark.rival in work.rivals:
            time, busy = _time(times.median(mark.rival)), times.busy[mark.rival, ""]
        line = _row(mark.label, time, [_ratio(times, mark, runner) for runner in by], at_least, _number(mark.before))
        lines.append(f"{line}  ({busy:.1f} threads)" if busy > 1.2 else line)
    return "\n".join(lines)


def _ratio(times: Times, mark: Mark, runner: str) -> str:
    """Return a ratio, and whether it is what is wanted."""
    ratio, wanted = times.ratio(mark, runner), mark.wanted(runner)
    verdict = "" if ratio is None or wanted is None else "yes" if ratio >= wanted else "NO"
    return f"{_number(ratio)} {verdict:<3}"


def _row(name: str, time: str, cells: Sequence[str], at_least: str = "", before: str = "") -> str:
    by_runner = "".join(f"{cell:>15}" for cell in cells).ljust(15 * len(runners()))
    return f"  {name:<32}{time:>10}{by_runner}{at_least:>11}{before:>9}".rstrip()


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}" if number >= 1000 else f"{number:.2f}"


def _time(number: float) -> str:
    return f"{number:.{0 if number >= 100 else 1 if number >= 10 else 2}f}"


def tracing_table(costs: Sequence[tracing.Cost], of_a_table: float) -> str:
    """Return the rows of what tracing costs."""
    lines = [
        f"{tracing.TITLE} (wanted: 1,000,000 edges in under {tracing.SECONDS:g} s, under {tracing.BYTES:g} bytes each)",
        f"{'':<12}{'edges':>12}{'seconds':>10}{'µs an edge':>12}{'bytes an edge':>15}",
    ]
    for cost in costs:
        lines.append(
            f"  {cost.written:<10}{cost.edges:>12,}{cost.seconds:>10.3f}{1e6 * cost.seconds / cost.edges:>12.2f}"
            f"{cost.bytes / cost.edges:>15.0f}  {cost.verdict}".rstrip()
        )
    rows, width = tracing.TABLE
    lines.append(
        f"  rows of a table of {rows:,} x {width}: {of_a_table:.2f} s to the first gradient "
        f"(wanted: under {tracing.TABLE_SECONDS:g} s)  {'yes' if of_a_table < tracing.TABLE_SECONDS else 'NO'}"
    )
    return "\n".join(lines)


def plot(all_times: Sequence[Times], file: Path) -> None:
    """Draw the ratios to ours on a logarithmic axis: a bar for the fastest runner, marks for the others."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    ticks: dict[float, str] = {}
    y = 0.0
    figure, axes = pyplot.subplots(figsize=(9.0, 16.0), layout="constrained")
    for times in all_times:
        place = {
            "x": 0.02,
            "y": y,
            "transform": axes.get_yaxis_transform(),
            "va": "center",
            "in_layout": False,
            "backgroundcolor": "white",
        }
        axes.text(s=times.work.title.partition(":")[0], weight="bold", **place)
        for mark in times.work.rows():
            ratios = {runner: ratio for runner in runners() if (ratio := times.ratio(mark, runner)) is not None}
            if ratios:
                y += 1.0
                _bar(axes, y, ratios, mark)
                ticks[y] = mark.label
        y += 1.6
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set(xscale="log", ylim=(y, -1.0), yticks=list(ticks), yticklabels=ticks.values())
    axes.set(xlim=(axes.get_xlim()[0], 3.0 * axes.get_xlim()[1]))  # room for the numbers
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,g}")
    fastest, *others = (LABELS.get(runner, runner) for runner in runners())
    shapes = "".join(f"; {shape}: with {name}" for shape, name in zip(("dot", "ring"), others, strict=False))
    axes.set_xlabel(
        f"their time over ours with {fastest}{shapes}\n"
        "black: what is wanted; orange: short of it; grey: nothing is wanted"
    )
    figure.savefig(file, dpi=100)
    pyplot.close(figure)


def _bar(axes: Any, y: float, ratios: dict[str, float], mark: Mark) -> None:
    """Draw one row's ratios, as a bar that begins at 1 and as marks."""
    fastest, *others = runners()
    ratio, wanted = ratios[fastest], mark.at_least
    colour = "#9a9a9a" if wanted is None else "#2f6db3" if ratio >= wanted else "#e08214"
    axes.barh(y, ratio - 1.0, left=1.0, height=0.7, color=colour)
    if wanted is not None:
        axes.plot([wanted] * 2, [y - 0.45, y + 0.45], color="black", linewidth=2.0)
    for runner, face in zip(others, ("black", "white"), strict=False):
        if runner in ratios:
            axes.plot(ratios[runner], y, "o", markersize=4.5, markeredgecolor="black", markerfacecolor=face)
    number = f"{ratio:,.0f}×" if ratio >= 100.0 else f"{ratio:.3g}×"
    at = max(*ratios.values(), wanted or 1.0, 1.0), y
    axes.annotate(number, at, in_layout=False, xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
