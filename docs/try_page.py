"""The page where one types a formula and steps through its gradients: ``try.html`` of the site.

``docs/conf.py`` calls `build`; ``python docs/try_page.py FOLDER`` makes the page by itself, and says what it weighs.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the page is of this tree, whatever is installed
sys.path.insert(0, str(Path(__file__).resolve().parent))

import browser_files

from autograd_mini.views import page

SCRIPT = """// The stepper and the exercise, as pages of autograd_mini have them; `mount` fills an element.
(() => {
"use strict";
%s
globalThis.amStepper = { mount, h, format, followTheme, button, choice };
})();
"""


# Of the scripts that pages share, those that this page asks for.
ASKED = ("page.css", "site.css", "stepper.js", "python.js", "try.js", "python_worker.js", "try_formula.py")


def build(site: Path) -> Path:
    """Write the page, what it is made of and what it needs into a site; return its path.

    Raises
    ------
    browser_files.FillError
        If Pyodide or a wheel can't be brought here.
    """
    site.mkdir(exist_ok=True, parents=True)
    browser_files.publish(site)
    web = site / "_web"
    (web / "stepper.js").write_text(SCRIPT % page.script("exercise"), encoding="utf-8")
    (web / "page.css").write_text(page.style(), encoding="utf-8")
    target = site / "try.html"
    target.write_text((browser_files.DOCS / "try.html").read_text(encoding="utf-8"), encoding="utf-8")
    return target


def weights(site: Path) -> list[tuple[str, int, int]]:
    """Return what the page downloads: names, bytes, and bytes as static hosts send them, packed by gzip."""
    listed = json.loads((site / "_pyodide" / browser_files.LIST).read_text(encoding="utf-8"))["files"]
    files = [site / "try.html", *(site / "_web" / name for name in ASKED)]
    files += [
        site / "_pyodide" / name for name in (browser_files.LIST, *listed, "katex/katex.min.js", "katex/katex.min.css")
    ]
    contents = [(path.relative_to(site).as_posix(), path.read_bytes()) for path in files]
    return [(name, len(content), len(gzip.compress(content, mtime=0))) for name, content in contents]


def print_weights(site: Path) -> None:
    """Print what the page downloads until all of it is there, but for the fonts of a derivation."""
    rows = weights(site)
    for name, size, packed in [*rows, ("in all", sum(row[1] for row in rows), sum(row[2] for row in rows))]:
        print(f"{size:12,} bytes, {packed:11,} by gzip  {name}")


def main() -> None:
    """Make the page in the folder that is named, and print what it weighs."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    try:
        built = build(site)
    except browser_files.FillError as error:
        sys.exit(str(error))
    print_weights(site)
    print(f"wrote {built}; to look at it: python -m http.server --bind 127.0.0.1 --directory {site}")


if __name__ == "__main__":
    main()
