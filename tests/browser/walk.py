"""All lessons in a real JupyterLab: `python tests/browser/walk.py FOLDER`, to look at them as a reader sees them.

Each notebook is opened 1280 px wide, the side bar open, once as it comes from the repository (not trusted: no script
runs) and once trusted. ``FOLDER/NAME-STATE-I.png`` are pictures of the whole of it; printed is what a program can see:
text and code wider than their cell, numbers that break over lines, and errors of the page. ``--run`` runs the cells
first.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from browser.jupyterlab import a_lab, run_all

LESSONS = Path(__file__).parents[2] / "notebooks"
SCROLLED = ".jp-WindowedPanel-outer"
FOUND = r"""() => {
    const found = [], about = element => element.textContent.trim().replace(/\s+/g, " ").slice(0, 60);
    for (const output of document.querySelectorAll(".jp-OutputArea-output, .jp-RenderedMarkdown, .cm-scroller"))
        if (output.scrollWidth > output.clientWidth + 1)
            found.push(`${output.scrollWidth} px in ${output.clientWidth}: ${about(output)}`);
    for (const image of document.querySelectorAll(".jp-Notebook img"))
        if (image.checkVisibility() && !image.naturalWidth) found.push(`no picture: ${image.alt || image.src}`);
    const texts = document.createTreeWalker(document.querySelector(".jp-Notebook"), NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode());) {
        if (text.parentElement.closest("script, style, svg, .cm-editor")) continue;
        for (const number of text.data.matchAll(/[−-]?\d+(\.\d+)?(e[−-]?\d+)?/g)) {
            const range = document.createRange();
            range.setStart(text, number.index);
            range.setEnd(text, number.index + number[0].length);
            if (new Set([...range.getClientRects()].filter(r => r.width).map(r => Math.round(r.top))).size > 1)
                found.push(`broken over lines: ${number[0]} in ${about(text.parentElement)}`);
        }
    }
    return found;
}"""


def trust(notebooks, folder):
    """Sign notebooks as `jupyter trust` does, for the JupyterLab with its data in a folder."""
    environment = {**os.environ, "JUPYTER_DATA_DIR": str(folder / "JUPYTER_DATA_DIR")}
    command = [sys.executable, "-m", "nbformat.sign", *map(str, notebooks)]
    subprocess.run(command, env=environment, check=True, capture_output=True)


def show_whole_notebooks(folder):
    """Let JupyterLab draw all cells of a notebook, not only those in sight."""
    settings = folder / "JUPYTER_CONFIG_DIR/lab/user-settings/@jupyterlab/notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))


def take_pictures(page, path):
    """Take pictures of a notebook from its beginning to its end, beside `path`: PATH-I.png."""
    part = page.locator(f".jp-Notebook {SCROLLED}, .jp-Notebook{SCROLLED}").first
    height, whole = part.evaluate("part => [part.clientHeight, part.scrollHeight]")
    for i, top in enumerate(range(0, whole, height)):
        part.evaluate("(part, top) => { part.scrollTop = top; }", top)
        page.wait_for_timeout(200)
        page.screenshot(path=path.with_name(f"{path.name}-{i:02}.png"))


def walk(chromium, folder, names, state, is_run):
    """Open lessons one after the other; take their pictures, and print what is wrong."""
    with tempfile.TemporaryDirectory() as place:
        show_whole_notebooks(Path(place))
        with a_lab(chromium, Path(place)) as lab:
            shutil.copytree(LESSONS, lab.folder, dirs_exist_ok=True)
            if state == "trusted":
                trust([lab.folder / name for name in names], Path(place))
            lab.context.on("console", lambda message: message.type == "error" and lab.failures.append(message.text))
            for name in names:
                page = lab.open(name, wait_for_kernel=is_run)
                page.locator(".jp-Notebook .jp-Cell").last.wait_for()
                if is_run:
                    run_all(page)
                page.wait_for_timeout(2000)
                take_pictures(page, folder / f"{Path(name).stem}-{state}")
                print(name, state, *page.evaluate(FOUND), *lab.failures, sep="\n    ", flush=True)
                lab.failures.clear()


def main():
    """Read the command line, and do what it says."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("lessons", nargs="*", help='numbers such as "01"; all where there are none')
    parser.add_argument("--run", action="store_true", help="run the cells first")
    parser.add_argument("--state", choices=["untrusted", "trusted"], help="both where it isn't given")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = [path.name for path in sorted(LESSONS.glob("*.ipynb"))]
    if options.lessons:
        names = [name for name in names if name.startswith(tuple(options.lessons))]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for state in [options.state] if options.state else ["untrusted", "trusted"]:
            walk(chromium, options.folder, names, state, options.run)
        chromium.close()


if __name__ == "__main__":
    main()
