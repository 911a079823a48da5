"""The table and the plot."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from vectorized import tracing
from vectorized.timing import Mark, Times

PACKAGES = "numpy scipy autograd-mini micrograd torch jax jaxlib autograd casadi scikit-learn"


def machine() -> str:
    """Return what the figures were taken on."""
    return "\n".join(
        [
            f"{_processor()}, {os.cpu_count()} cores, caches {', '.join(_caches()) or 'unknown'}",
            f"{platform.system()} {platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
            f", {_compiler()}",
            ", ".join(f"{name} {_version(name)}" for name in PACKAGES.split()),
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


def _compiler() -> str:
    try:
        said = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no g++"
    return f"g++ {said.stdout.strip()}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def table(times: Times) -> str:
    """Return one work's rows: median times, the ratio to ours, what is wanted, and whether it is kept."""
    work = times.work
    header = f"{'':<40}{work.unit:>10}{'ratio':>10}{'at least':>10}"
    lines = [work.title, header]
    ratios = {name: (mark, ratio) for name, mark, ratio in times.ratios()}
    for name in work.makers:
        if name in times.missing:
            lines.append(f"  {name:<38}{times.missing[name]}")
            continue
        line = f"  {name:<38}{times.median(name):>10.{_decimals(times.median(name))}f}"
        mark, ratio = ratios.get(name, (times.mark(name), None))
        line += f"{ratio:>10.2f}" if ratio is not None else f"{'':>10}"
        if mark is not None:
            line += f"{mark.at_least:>10,.2f}"
            line += f"  {'yes' if ratio >= mark.at_least else 'NO'}" if ratio is not None else ""
        if times.busy[name] > 1.2:
            line += f"  ({times.busy[name]:.1f} threads)"
        lines.append(line.rstrip())
    return "\n".join(lines)


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


def _decimals(number: float) -> int:
    return 0 if number >= 100 else 1 if number >= 10 else 2


def plot(all_times: Sequence[Times], files: Sequence[Path]) -> None:
    """Draw the ratios to ours on a logarithmic axis, and what is wanted as a black line across."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "vectorizer"
    from matplotlib import pyplot

    ticks: dict[float, str] = {}
    y = 0.0
    figure, axes = pyplot.subplots(figsize=(9.0, 14.0), layout="constrained")
    for times in all_times:
        place = {
            "x": 0.02,
            "y": y,
            "transform": axes.get_yaxis_transform(),
            "va": "center",
            "in_layout": False,
            "backgroundcolor": "white",
        }
        axes.text(s=times.work.title, weight="bold", **place)
        for name, mark, ratio in times.ratios():
            y += 1.0
            _bar(axes, y, ratio, mark)
            ticks[y] = name
        y += 1.6
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set(xscale="log", ylim=(y, -1.0), yticks=list(ticks), yticklabels=ticks.values())
    axes.set(xlim=(axes.get_xlim()[0], 3.0 * axes.get_xlim()[1]))  # room for the numbers
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,g}")
    axes.set_xlabel("their time over ours\nblack: what is wanted; orange: short of it; grey: nothing is wanted")
    for file in files:
        figure.savefig(file, dpi=100, metadata={"Date": None} if file.suffix == ".svg" else None)
    pyplot.close(figure)


def _bar(axes: Any, y: float, ratio: float, mark: Mark | None) -> None:
    """Draw one ratio, as a bar that begins at 1."""
    wanted = ratio if mark is None else mark.at_least
    colour = "#9a9a9a" if mark is None else "#2f6db3" if ratio >= wanted else "#e08214"
    axes.barh(y, ratio - 1.0, left=1.0, height=0.7, color=colour)
    if mark is not None:
        axes.plot([wanted] * 2, [y - 0.45, y + 0.45], color="black", linewidth=2.0)
    number = f"{ratio:,.0f}×" if ratio >= 100.0 else f"{ratio:.3g}×"
    at = max(ratio, wanted, 1.0), y
    axes.annotate(number, at, in_layout=False, xytext=(5, 0), textcoords="offset points", va="center", fontsize=9)
