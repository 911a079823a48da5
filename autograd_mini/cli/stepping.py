"""``autograd-mini step``: what its options print and write."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_mini.cli import console

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value

ENDINGS = {"html": (".html", ".htm"), "svg": (".svg",)}


def add_options(parser: Any) -> None:
    """Give the command its options."""
    parser.add_argument("--grain", choices=["node", "edge"], help="number the steps; going back, by node or by edge")
    parser.add_argument("--html", metavar="FILE", help="write a page to step through, instead of printing")
    parser.add_argument("--svg", metavar="FILE", help="write a drawing that plays by itself, instead of printing")


def checked(path: Path, kind: str) -> Path:
    """Return where to write a page or a drawing, having made sure that the name says which of the two it is.

    Raises
    ------
    ValueError
        If it has another ending.
    """
    if path.suffix.lower() not in ENDINGS[kind]:
        raise ValueError(f"{path}: --{kind} writes {kind.upper()}; end the name in {ENDINGS[kind][0]}")
    return path


def save(root: Value, paths: list[Path], grain: str) -> None:
    """Write the stepper into files, each of the kind that its name says."""
    from autograd_mini.views import step_through

    stepper = step_through(root, grain=grain)
    for path in paths:
        stepper.save(path)
        print(f"wrote {path}")


def print_steps(root: Value, grain: str | None) -> None:
    """Print both passes: as numbered steps if a grain is given, else as aligned equations and a table of gradients."""
    if grain is not None:
        from autograd_mini.views.stepper.terminal import text_steps

        print(text_steps(root, colour=_has_colour(), grain=grain, width=console.terminal_width()))
        return
    sections = [
        ("Forward pass: each node from its parents", console.forward_pass(root)),
        ("Backward pass: ∂L/∂u = Σ ∂L/∂v · ∂v/∂u over all v computed from u", console.backward_pass(root)),
        ("Gradients", console.gradient_table(root)),
    ]
    print("\n\n".join("\n".join([console.heading(title), "", *lines]) for title, lines in sections if lines))


def _has_colour() -> bool:
    """Return whether the output is a terminal that has colours and whose user hasn't asked for none (no-color.org)."""
    if sys.stdout is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()
