"""The page where one trains a network without an installation: ``playground.html`` of the site.

``docs/conf.py`` calls `build`; ``python docs/playground_page.py FOLDER`` makes the page by itself.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "web"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import browser_files
import playground_model
import try_page

from autograd_mini import datasets
from autograd_mini.views import page
from autograd_mini.views.live.surface import Surface
from autograd_mini.views.plots.axes import AREAS

SOURCES = ("engine", "rules", "random", "training", "code", "settings", "charts", "figure", "page")
ENGINE = SOURCES[:5]  # what runs without a page, and is tested in Node.js
DATA = {  # a title, and the call that makes the same data in Python
    "moons": ("two moons", "datasets.moons(200, noise=0.15, seed=0)"),
    "circles": ("two circles", "datasets.circles(200, noise=0.08, seed=0)"),
    "spirals": ("two spirals", "datasets.spirals(200, noise=0.03, turns=1.0, seed=0)"),
    "xor": ("exclusive or", "datasets.xor()"),
    "iris": ("iris, three species", "datasets.iris()"),
    "line": ("a line", "datasets.linear(60, noise=0.2, seed=0)"),
}
FIRST = ("page.css", "site.css", "playground.css", "stepper.js", "python.js", "playground.js")
HIDDEN, ACTIVATION = [6, 4], "tanh"  # of the networks that train before Python is there


def data_sets() -> dict[str, dict[str, Any]]:
    """Return the data that the page brings along."""
    found = {}
    for name, (title, call) in DATA.items():
        made = eval(call, {"datasets": datasets})
        task = "numbers" if not made.target_names else "two classes" if len(made.target_names) == 2 else "classes"
        found[name] = {
            "title": title,
            "python": call,
            "task": task,
            "names": made.feature_names,
            "target": "y",
            "classes": made.target_names,
            "rows": made.X.tolist(),
            "targets": made.y.tolist(),
            "axes": [len(made.feature_names) - 2, len(made.feature_names) - 1]
            if len(made.feature_names) > 2
            else [0, 1],
        }
    return found


def prebuilt(data: dict[str, dict[str, Any]]) -> list[tuple[str, Any]]:
    """Return a network for each of the data sets, under the text by which the page asks for it."""
    found = {}
    for one in data.values():
        outputs = len(one["classes"]) if one["task"] == "classes" else 1
        asked = {"sizes": [len(one["names"]), *HIDDEN, outputs], "activation": ACTIVATION, "task": one["task"]}
        found[json.dumps(asked, separators=(",", ":"))] = json.loads(playground_model.network(json.dumps(asked)))
    return list(found.items())


def engine() -> str:
    """Return the scripts that train: they need no page."""
    return "\n".join([page.file("web/numbers.js"), page.file("stepper/tape.js"), *map(_source, ENGINE)])


def script() -> str:
    """Return the page's script: that of `watch`, the tape's functions, and the playground's own."""
    data = data_sets()
    palette = Surface("score", *[None] * 5).palette  # type: ignore[arg-type]
    constants = {"AREAS": AREAS, "PALETTE": palette, "DATA": data, "PREBUILT": prebuilt(data)}
    given = [f"const {name} = {json.dumps(value, separators=(',', ':'))};" for name, value in constants.items()]
    parts = [page.script("watch"), page.file("stepper/tape.js"), *given, *map(_source, SOURCES)]
    return "\n".join(["(() => {", '"use strict";', *parts, "})();", ""])


def _source(name: str) -> str:
    return (browser_files.DOCS / "playground" / f"{name}.js").read_text(encoding="utf-8")


def build(site: Path) -> Path:
    """Write the page, what it is made of and what it needs into a site; return its path.

    Raises
    ------
    browser_files.FillError
        If Pyodide or a wheel can't be brought here.
    """
    try_page.build(site)  # the stepper, the style sheets, Python
    (site / "_web" / "playground.js").write_text(script(), encoding="utf-8")
    target = site / "playground.html"
    target.write_text((browser_files.DOCS / "playground.html").read_text(encoding="utf-8"), encoding="utf-8")
    return target


def main() -> None:
    """Make the page in the folder that is named."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    try:
        built = build(site)
    except browser_files.FillError as error:
        sys.exit(str(error))
    for path in [built, *(site / "_web" / name for name in FIRST)]:
        content = path.read_bytes()
        print(
            f"{len(content):12,} bytes, {len(gzip.compress(content)):11,} by gzip  {path.relative_to(site).as_posix()}"
        )
    print(f"wrote {built}, which trains with these; Python comes after them")
    print(f"to look at it: python -m http.server --bind 127.0.0.1 --directory {site}")


if __name__ == "__main__":
    main()
