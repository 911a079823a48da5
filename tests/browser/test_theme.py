"""A page is as light or dark as what it stands in: a small page for each place where notebooks and books are shown."""

import numpy as np
import pytest

from autograd_mini import Trainer, Value, datasets, nn, step_through, watch
from autograd_mini.optim import SGD
from autograd_mini.views import page as pages

DARK, LIGHT = "rgb(21, 24, 28)", "rgb(255, 255, 255)"
BACKGROUNDS = "() => [...document.querySelectorAll('.am-page')].map(page => getComputedStyle(page).backgroundColor)"

BECOME = """around => around.forEach((written, i) => {
    const element = [document.documentElement, document.body][i];
    for (const old of element.getAttributeNames()) element.removeAttribute(old);
    const other = new DOMParser().parseFromString(`<p ${written}></p>`, "text/html").body.firstChild;
    for (const name of other.getAttributeNames()) element.setAttribute(name, other.getAttribute(name));
})"""
# The page around in dark and in light: the attributes of <html> and of <body>, as each of the programs writes them.
AROUND = {
    "JupyterLab": [('', 'data-jp-theme-light="false"'), ('', 'data-jp-theme-light="true"')],
    "VS Code, by class": [('', 'class="vscode-dark"'), ('', 'class="vscode-light"')],
    "VS Code, by kind": [('', 'data-vscode-theme-kind="vscode-dark"'), ('', 'data-vscode-theme-kind="vscode-light"')],
    "VS Code, high contrast": [
        ('', 'class="vscode-high-contrast" data-vscode-theme-kind="vscode-high-contrast"'),
        ('', 'class="vscode-high-contrast vscode-high-contrast-light"'),
    ],
    "VS Code, high contrast by kind": [
        ('', 'data-vscode-theme-kind="vscode-high-contrast"'),
        ('', 'data-vscode-theme-kind="vscode-high-contrast-light"'),
    ],
    "Colab": [('theme="dark"', ''), ('theme="light"', '')],
    "furo": [('', 'data-theme="dark"'), ('', 'data-theme="light"')],
    "pydata": [('data-theme="dark" data-mode="auto"', ''), ('data-theme="light" data-mode="auto"', '')],
    "MkDocs Material": [('', 'data-md-color-scheme="slate"'), ('', 'data-md-color-scheme="default"')],
    "Quarto": [('', 'class="fullcontent quarto-dark"'), ('', 'class="fullcontent quarto-light"')],
    "Bootstrap": [('data-bs-theme="dark"', ''), ('data-bs-theme="light"', '')],
    "a background": [('', 'style="background: #1e1e1e"'), ('', 'style="background: white"')],
    "a background of another notation": [
        ('style="background: oklch(25% 0.02 260)"', ''), ('style="background: color(srgb 0.9 0.95 1)"', ''),
    ],
    "backgrounds on top of each other": [
        ('style="background: white"', 'style="background: rgba(10, 10, 30, 0.9)"'),
        ('style="background: black"', 'style="background: rgba(255, 250, 240, 0.9)"'),
    ],
    "a colour scheme": [('style="color-scheme: dark"', ''), ('style="color-scheme: light"', '')],
    "marks that say nothing, and a background": [
        ('data-bs-theme="auto" data-theme="auto"', 'style="background: #111"'),
        ('data-bs-theme="auto" data-theme="auto"', 'style="background: #eee"'),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def both():
    """A stepper and a watched training, as pieces of HTML."""
    X, y = datasets.xor()
    model = nn.MLP(2, [2, 1], "tanh", rng=0)
    trainer = Trainer(model, "squared_error", SGD(model.parameters(), lr=0.1), epochs=2, progress=False)
    watcher = watch(trainer, X, y)
    trainer.fit(X, np.asarray(y, dtype=float))
    x = Value(3.0, label="x")
    return step_through(x * x).html() + watcher._html()


def inside(html, body, content):
    return (
        f"<!doctype html><html {html}><head></head><body {body}><div><article>{content}</article></div></body></html>"
    )


def seen(page, expected):
    """The backgrounds of the pages, once they are what is expected, or what they are after a second."""
    for _ in range(20):
        found = page.evaluate(BACKGROUNDS)
        if set(found) == {expected}:
            break
        page.wait_for_timeout(50)
    return found


@pytest.mark.parametrize("name", AROUND)
def test_dark_on_a_light_system_and_light_on_a_dark_one_also_when_that_changes(open_page, both, name):
    dark, light = AROUND[name]
    assert open_page(inside(*dark, both), color_scheme="light").evaluate(BACKGROUNDS) == [DARK, DARK]
    page = open_page(inside(*light, both), color_scheme="dark")
    assert page.evaluate(BACKGROUNDS) == [LIGHT, LIGHT]
    for around, expected in [(dark, DARK), (light, LIGHT)]:  # while it is open
        page.evaluate(BECOME, around)
        assert seen(page, expected) == [expected, expected]


@pytest.mark.parametrize("around", [("", ""), ('data-theme="auto"', ""), ('style="color-scheme: light dark"', "")])
def test_without_a_mark_and_a_background_it_is_as_the_system_and_changes_with_it(open_page, both, around):
    page = open_page(inside(*around, both), color_scheme="dark")
    assert page.evaluate(BACKGROUNDS) == [DARK, DARK]
    for scheme, expected in [("light", LIGHT), ("dark", DARK)]:
        page.emulate_media(color_scheme=scheme)
        assert seen(page, expected) == [expected, expected]


def test_a_page_that_stands_alone_is_as_the_system(open_page, both):
    page = open_page(pages.document("Both", both), color_scheme="dark")
    assert page.evaluate(BACKGROUNDS) == [DARK, DARK]
    page.emulate_media(color_scheme="light")
    assert seen(page, LIGHT) == [LIGHT, LIGHT]


def test_the_mark_nearest_to_it_counts(open_page, both):
    page = open_page(f'<body data-bs-theme="light"><div data-bs-theme="dark">{both}</div></body>')
    assert page.evaluate(BACKGROUNDS) == [DARK, DARK]


def test_a_background_that_comes_with_a_style_sheet_or_slowly_is_noticed(open_page, both):
    page = open_page(f"<style>body {{ transition: background 0.2s; background: #fff }}</style><body>{both}</body>")
    assert page.evaluate(BACKGROUNDS) == [LIGHT, LIGHT]
    page.add_style_tag(content="body { background: #123 }")
    assert seen(page, DARK) == [DARK, DARK]


def test_in_a_frame_it_is_as_the_page_around_the_frame(open_page, both):
    page = open_page(f'<body data-theme="dark">{pages.frame("Both", both)}</body>')
    frame = page.frames[1]
    frame.wait_for_function("() => document.querySelectorAll('.am-page > img').length === 0")
    assert frame.evaluate(BACKGROUNDS) == [DARK, DARK]
    page.evaluate("document.body.dataset.theme = 'light'")
    assert seen(frame, LIGHT) == [LIGHT, LIGHT]


def test_it_looks_again_where_it_is_put_into_another_place(open_page, both):
    page = open_page(f'<body style="background: #fff">{both}<div id="dark" style="background: #222"></div></body>')
    page.evaluate("document.getElementById('dark').append(...document.querySelectorAll('.am-page'))")
    page.evaluate("document.body.style.width = '700px'")
    assert seen(page, DARK) == [DARK, DARK]


def test_in_a_shadow_root_it_is_as_the_page_around(open_page, both):
    page = open_page(f'<body class="vscode-dark"><div id="host"></div>{both}</body>')
    page.evaluate(
        """() => { const root = document.getElementById("host").attachShadow({ mode: "open" });
            root.append(...document.querySelectorAll("style"), document.querySelector(".am-page")); }"""
    )
    background = (
        "() => getComputedStyle(document.getElementById('host').shadowRoot.querySelector('.am-page')).backgroundColor"
    )
    assert page.evaluate(background) == DARK
    page.evaluate("document.body.className = 'vscode-light'")
    page.wait_for_function(f"({background})() === '{LIGHT}'")
