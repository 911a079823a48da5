"""All kinds of pages on one: `python tests/browser/gallery.py FOLDER --screenshots`, to look at what has been changed.

It writes ``FOLDER/gallery.html``, each page of it as a file of its own, the animations and the drawings; with
``--screenshots`` also pictures of each page, wide and narrow, light and dark, at the beginning, at the end, and with a
node selected. ``--readme`` makes README's animation anew.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from autograd_mini import Trainer, Value, datasets, dot, draw, nn, step_through, tanh, watch
from autograd_mini.optim import SGD
from autograd_mini.views import page as pages

README = Path(__file__).parents[2] / "notebooks/images/backprop.svg"
SIZES = [(1366, 768), (390, 844)]
SCHEMES = ["light", "dark"]


def neuron():
    """README's: a = tanh(w1·x1 + w2·x2 + b)."""
    w1, w2, x1, x2, b = (
        Value(data, label=label) for label, data in [("w1", -3.0), ("w2", 1.0), ("x1", 2.0), ("x2", 0.5), ("b", 6.0)]
    )
    z = dot([w1, w2], [x1, x2], b)
    z.label = "z"
    a = tanh(z)
    a.label = "a"
    return step_through(a, what_if=[w1, b])


def square():
    """x·x + x, in which x is used three times."""
    x = Value(3.0, label="x")
    return step_through(x * x + x, what_if=[x])


def diamond():
    """Two paths that meet again."""
    x = Value(0.5, label="x")
    a, b = x * 2.0, tanh(x)
    a.label, b.label = "a", "b"
    return step_through(a * b, what_if=[x])


def two_layers():
    """The loss of a neuron after a neuron."""
    return step_through(nn.squared_error(nn.MLP(1, [1, 1], "tanh", rng=0)([1.0]), 0.5))


def network():
    """The loss of a 2-3-1 network."""
    return step_through(nn.squared_error(nn.MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]), 1.0))


def folded():
    """The loss of an MLP(2, [16, 16, 1]), its neurons folded."""
    return step_through(nn.hinge(nn.MLP(2, [16, 16, 1], rng=0)([1.0, -2.0]), 1.0), collapse="neuron")


def training():
    """A watched training."""
    X, y = datasets.moons(60, seed=0)
    model = nn.MLP(2, [4, 1], "tanh", rng=0)
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.05), epochs=20, progress=False)
    watcher = watch(trainer, X, 2.0 * y - 1.0)
    trainer.fit(X, 2.0 * y - 1.0)
    return watcher


EXAMPLES = {example.__name__: example for example in (neuron, square, diamond, two_layers, network, folded, training)}


def html(shown):
    """Return the page of a stepper or of a training as a piece of HTML."""
    return shown._repr_mimebundle_()["text/html"]


def write(folder):
    """Write the pages, animations and drawings; return the paths of the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = {name: example() for name, example in EXAMPLES.items()}
    fragments = []
    for name, page in shown.items():
        page.save(folder / f"{name}.html")
        fragments.append(f"<h2>{EXAMPLES[name].__doc__}</h2>{html(page)}")
        if name in ("neuron", "square", "diamond"):
            page.save(folder / f"{name}.svg")
            fragments.append(f'<p><img style="max-width:100%" alt="The animation of {name}" src="{name}.svg"></p>')
            page.root.backward()
            fragments.append(draw(page.root)._repr_html_())
    fragments.append(draw(shown["training"].trainer.model)._repr_html_())
    text = pages.document("Gallery", *fragments).replace("img-src data:", "img-src data: file:")
    (folder / "gallery.html").write_text(text, encoding="utf-8")
    return [folder / f"{name}.html" for name in [*shown, "gallery"]]


def take_screenshots(paths):
    """Take pictures of pages in a browser, beside them: NAME-WIDTH-SCHEME-MOMENT.png."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width, height in SIZES:
            for scheme in SCHEMES:
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                for path in paths:
                    page.goto(path.resolve().as_uri())
                    page.wait_for_function("() => document.querySelectorAll('.am-page > img').length === 0")
                    for moment in moments(page, path.stem == "gallery"):
                        picture = path.with_name(f"{path.stem}-{width}-{scheme}-{moment}.png")
                        page.screenshot(path=picture, full_page=path.stem == "gallery")
                context.close()
        browser.close()


def moments(page, is_all):
    """Move a page through what is worth looking at; iterate over the names of its moments."""
    first = page.locator(".am-page").first
    yield "beginning"
    if is_all:
        return
    for _ in range(3):
        first.press("ArrowRight")
    yield "forward"
    first.press("End")
    yield "end"
    node = page.locator(".am-node, .am-scope").first
    if node.count():
        first.press("ArrowLeft")
        node.dispatch_event("click")
        yield "selected"


def main():
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("gallery"))
    parser.add_argument("--screenshots", action="store_true", help="take pictures of the pages, too")
    parser.add_argument("--readme", action="store_true", help="make README's animation anew, and nothing else")
    options = parser.parse_args()
    if options.readme:
        neuron().save(README)
        print(README)
        return
    paths = write(options.folder)
    if options.screenshots:
        take_screenshots(paths)
    print(paths[-1])


if __name__ == "__main__":
    main()
