"""Which program turns a drawing into a picture, and how it is called.

In this order: ``dot`` of Graphviz where it is on PATH, ``graphviz-pure`` where that wheel is installed and has the
format, the layout of our own. The environment variable AUTOGRAD_MINI_RENDERER chooses one by name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from autograd_mini.errors import MissingDependencyError

VARIABLE = "AUTOGRAD_MINI_RENDERER"
NAMES = ("dot", "graphviz-pure", "builtin")
_INSTALL_GRAPHVIZ = "install Graphviz (https://graphviz.org/download)"
_OF_THE_WHEEL = frozenset(
    "svg png jpg jpeg jpe canon dot gv dot_json json json0 plain plain-ext xdot xdot1.2 xdot1.4 xdot_json".split()
)


@dataclass(frozen=True)
class Renderer:
    """A renderer: its name and, unless it is our own, the path of its executable."""

    name: str
    path: str = ""


def wanted() -> str:
    """Return the name that the environment variable chooses, or ""."""
    return os.environ.get(VARIABLE, "").strip()


def choose(format: str = "svg") -> Renderer:
    """Return the renderer to use for a format.

    Raises
    ------
    ValueError
        If AUTOGRAD_MINI_RENDERER holds none of the names.
    MissingDependencyError
        If it names one that isn't installed.
    """
    chosen = wanted()
    if chosen and chosen not in NAMES:
        raise ValueError(
            f"{VARIABLE}={chosen!r}: expected one of {', '.join(NAMES)}; set it to one of these, or unset it"
        )
    for name in [chosen] if chosen else NAMES:
        program = find(name)
        if program is not None and (chosen or has(program, format)):
            return program
    raise MissingDependencyError(f"{VARIABLE}={chosen}, but {_what_is_missing(chosen)}, or unset {VARIABLE}")


def _what_is_missing(name: str) -> str:
    if name == "dot":
        return f"no program dot is on PATH; {_INSTALL_GRAPHVIZ}"
    return 'graphviz-pure isn\'t installed; run: pip install "autograd-mini[render]"'


def has(program: Renderer, format: str) -> bool:
    """Return whether a renderer may have a format, as far as that is known."""
    return program.name != "graphviz-pure" or format in _OF_THE_WHEEL


def advice(format: str = "svg") -> str:
    """Return what to install for a format that our own layout doesn't have."""
    wheel = ' or run: pip install "autograd-mini[render]"' if format in _OF_THE_WHEEL else ""
    return f"{_INSTALL_GRAPHVIZ}{wheel}"


def find(name: str) -> Renderer | None:
    """Return the renderer of that name, or None where it isn't installed."""
    if name == "builtin":
        return Renderer("builtin")
    path = shutil.which("dot") if name == "dot" else _graphviz_pure()
    return None if path is None else Renderer(name, path)


def _graphviz_pure() -> str | None:
    """Return the path of the wheel's executable, which need not be on PATH: a notebook's kernel seldom has it there."""
    executable = "graphviz-pure" + (sysconfig.get_config_var("EXE") or "")
    for candidate in _candidates(executable):
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return str(candidate)
    return shutil.which("graphviz-pure")


def _candidates(executable: str) -> list[Path]:
    """Return where the executable may be: where the wheel says, in the scripts' folders, beside Python."""
    try:
        files = metadata.files("graphviz-pure") or []
    except metadata.PackageNotFoundError:
        files = []
    said = [Path(os.path.normpath(file.locate())) for file in files if file.name == executable]
    schemes = [sysconfig.get_default_scheme(), f"{os.name}_user"]  # in a browser there is no user's
    folders = [sysconfig.get_path("scripts", scheme) for scheme in schemes if scheme in sysconfig.get_scheme_names()]
    return said + [Path(folder, executable) for folder in [*folders, os.path.dirname(sys.executable)] if folder]


def run(
    program: Renderer,
    source: str,
    format: str,
    engine: str,
    quiet: bool = False,
    encoding: str = "utf-8",
    *,
    renderer: str | None = None,
    formatter: str | None = None,
    neato_no_op: bool | int | None = None,
    seconds: float | None = None,
) -> bytes:
    """Return what a program with Graphviz's command line makes of the source.

    Raises
    ------
    ValueError
        If it isn't ready after so many seconds.
    graphviz.CalledProcessError
        If it fails, with its own message.
    """
    import graphviz

    output = ":".join(part for part in (format, renderer, formatter) if part)
    # -q: errors only. It warns of every character beyond ASCII whose width it doesn't know; nodes have our widths.
    command = [program.path, "-q", f"-K{engine}", f"-T{output}"]
    if neato_no_op is not None:
        command.append(f"-n{int(neato_no_op)}")
    try:
        done = subprocess.run(command, input=source.encode(encoding), capture_output=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ValueError(
            f"{program.name} hasn't finished the drawing after {seconds:g} s; draw a smaller graph or fold it "
            f"(collapse=), let our own layout draw it (the environment variable {VARIABLE}=builtin), or give it longer "
            f"(set .seconds of the drawing, None for as long as it takes)"
        ) from None
    message = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        raise graphviz.CalledProcessError(done.returncode, command, done.stdout, message.strip())
    if message and not quiet:
        sys.stderr.write(message)
    return done.stdout
