"""What is made when the site is built: parts of pages that the package prints, and links to the copied lessons."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from autograd_mini import derivative_table, elsewhere

# Where a name stands that is asked for, and what its table is called.
_PLACES = {
    "": "In the package: `autograd_mini.…`",
    "nn": "Layers and losses: `autograd_mini.nn.…`",
    "Module": "Of a module: `model.…`",
    "optim": "Optimizers: `autograd_mini.optim.…`",
    "optim.schedules": "Schedules: `autograd_mini.optim.schedules.…`",
    "Optimizer": "Of an optimizer: `optimizer.…`",
    "Value": "Of a Value: `x.…`",
}

# What is added below the index of the lessons, so that they are found beside each page.
CONTENTS = """
```{toctree}
:glob:
:hidden:

[0-9]*
```
"""


def derivatives() -> str:
    """Return the table of derivatives for a narrow page: two columns, and each derivative in a row of its own."""
    rows = []
    for row in derivative_table("markdown").splitlines()[2:]:
        cells = row.removeprefix("| ").removesuffix(" |").split(" | ")  # no formula has this
        name, value, found = (
            cell.replace("|", r"\vert ").replace(r"\frac{\partial", r"\dfrac{\partial") for cell in cells
        )
        first, *others = found.strip("$").split(",\\quad ")
        rows += [f"| {name}<br>{value} | ${first}$ |", *(f"| | ${other}$ |" for other in others)]
    return "\n".join(["| operation | local derivatives |", "|---|---|", *rows])


def names() -> str:
    """Return the names of other libraries and what to write instead, a table for each place."""
    return "\n\n".join(f"## {_PLACES[place]}\n\n{_names_in(place)}" for place in _PLACES)


def _names_in(place: str) -> str:
    together = defaultdict(list)  # names that get one advice share a row
    for name, advice in elsewhere.ADVICE[place].items():
        together[advice].append(f"`{name}`")
    rows = [f"| {', '.join(found)} | {advice} |" for advice, found in together.items()]
    return "\n".join(["| asked for | write |", "|---|---|", *rows])


def write(folder: Path) -> None:
    """Write the parts into a folder, from which pages include them."""
    folder.mkdir(exist_ok=True)
    for name, text in {"derivatives": derivatives(), "names": names()}.items():
        (folder / f"{name}.md").write_text(text + "\n", encoding="utf-8")


def linked(app: object, page: str, source: list[str]) -> None:
    """Lead links to the lessons, which Sphinx finds in a copy below this folder, to there; for "source-read"."""
    source[0] = re.sub(r"\]\((\.\./)+notebooks/([\w/]+\.(?:md|ipynb))", _lesson, source[0])


def _lesson(link: re.Match[str]) -> str:
    above = link[0].count("../") - 1
    return f"]({'../' * above}lessons/{link[2].replace('README', 'index')}"


def with_plain_bars(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Let |w| in a docstring be the absolute value, not the name of a substitution; for "autodoc-process-docstring"."""
    in_example = False
    for i, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if not in_example:
            parts = line.split("``")  # every second one is code
            parts[::2] = [part.replace("|", "\\|") for part in parts[::2]]
            lines[i] = "``".join(parts)
