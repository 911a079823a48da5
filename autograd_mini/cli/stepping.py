"""``autograd-mini step``: what its options print and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_mini.cli import console
from autograd_mini.explanations.names import node_names

if TYPE_CHECKING:
    from autograd_mini.engine.value import Value

ENDINGS = {"html": (".html", ".htm"), "svg": (".svg",)}


def add_options(parser: Any) -> None:
    """Give the command its options."""
    parser.add_argument("--grain", choices=["node", "edge"], help="number the steps; going back, by node or by edge")
    parser.add_argument("--html", metavar="FILE", help="write a page to step through, instead of printing")
    parser.add_argument(
        "--exercise", choices=["gradients", "local", "both"], help="with --html: a page in which these are filled in"
    )
    parser.add_argument("--svg", metavar="FILE", help="write a drawing that plays by itself, instead of printing")
    parser.add_argument("--figures", metavar="FOLDER", help="write a picture for each step, instead of printing")
    parser.add_argument("--format", choices=["pdf", "png", "svg", "tex"], help="of the figures (pdf)")


def save(
    root: Value, paths: list[Path], grain: str, hide: str | None = None, figures: tuple[str, str] | None = None
) -> None:
    """Write the stepper into files, each of the kind that its name says, and figures into a folder, in a format.

    It is an exercise if it hides something.
    """
    from autograd_mini.views import step_through

    stepper = step_through(root, grain=grain, exercise=hide is not None, hide=hide or "gradients")
    for path in paths:
        stepper.save(path)
        print(f"wrote {path}")
    if figures is not None:
        written = stepper.save_steps(*figures)
        print(f"wrote {written[0]}" + (f" … {written[-1].name}" if len(written) > 1 else ""))


def print_steps(root: Value, grain: str | None) -> None:
    """Print both passes: as numbered steps if a grain is given, else as aligned equations and a table of gradients."""
    if grain is not None:
        from autograd_mini.views.stepper.terminal import text_steps

        print(text_steps(root, colour=console.has_colour(), grain=grain, width=console.terminal_width()))
        return
    print(
        console.sections(
            console.both_passes(root, node_names(root)[root]) | {"Gradients": console.gradient_table(root)}
        )
    )
