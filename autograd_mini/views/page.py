"""A page: HTML that needs nothing else, no network, no kernel, no file beside it; made by `step_through` and `watch`.

It is a picture that Python drew, scripts, and data for them. The picture is an ``<img>``, which survives where inline
``<svg>`` is stripped: a viewer that runs no scripts, as an untrusted notebook, shows it. Scripts replace it: files of
plain JavaScript in one scope, those in `web`, which all pages share, and those in the page's own folder. They are
shipped as they are written, with the style sheet, compressed by gzip; the browser unpacks them. So are the data, one
JSON object: `stepper.payload` and `live.data` say what is in it.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import sys
from functools import cache
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from autograd_mini.views import colours

_HERE = Path(__file__).parent
_SHARED = ("web/elements.js", "web/numbers.js", "web/colours.js", "web/theme.js", "web/player.js")
_STEPPER = ("tape", "formula", "picture", "details", "what_if", "prediction", "joint", "stepper")
_STEPPING = (*_SHARED, "web/zoom.js", *(f"stepper/{name}.js" for name in _STEPPER))
PAGES = {
    "stepper": _STEPPING,
    "exercise": (*_STEPPING, "stepper/exercise.js"),
    "watch": (*_SHARED, "live/watch.js"),
}
DIGITS = 4  # significant digits, in a page's drawing and in all that is written beside it
_COLOURS = ("NEGATIVE", "ZERO", "POSITIVE", "NOT_A_NUMBER", "LINE")


def file(name: str) -> str:
    """Return one of the scripts or the style sheet, by its path from this folder."""
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def script(page: str) -> str:
    """Return the scripts of a page: definitions that may be put into any scope; ``mount`` fills an element with it.

    Examples
    --------
    >>> "function mount(element, payload)" in script("stepper")
    True
    """
    shades = {name: getattr(colours, name) for name in _COLOURS}
    constants = f"const COLOURS = {json.dumps(shades)}, DIGITS = {DIGITS};"
    return "\n".join([constants, *map(file, PAGES[page])])


@cache
def style() -> str:
    """Return the style sheet of all pages; its rules are for elements in an ``.am-page``.

    Examples
    --------
    >>> ".am-page {" in style()
    True
    """
    return file("web/page.css")


@cache
def _program(page: str) -> str:
    """Return what `load` runs: the scripts in a scope of their own, from which one function is left behind."""
    parts = [
        '(() => { "use strict";',
        script(page),
        f"const STYLE = {json.dumps(style())};",
        file("web/show.js"),
        "})();",
    ]
    return _compressed("\n".join(parts))


def _compressed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode("ascii")


def number_as_json(value: float) -> float | str:
    """Return a number for JSON; infinities and nan, which JSON hasn't, as JavaScript's names for them.

    Examples
    --------
    >>> number_as_json(0.5), number_as_json(float("-inf")), number_as_json(float("nan"))
    (0.5, '-Infinity', 'NaN')
    """
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def packed(data: Any) -> str:
    """Return data as compressed JSON, in characters that are safe in a page; ``unpacked`` in load.js reads it.

    Examples
    --------
    >>> json.loads(gzip.decompress(base64.b64decode(packed({"label": "</script>"}))))
    {'label': '</script>'}
    """
    return _compressed(json.dumps(data, allow_nan=False, separators=(",", ":")))


def image(svg: str, title: str) -> str:
    """Return a drawing as an image; `title` says in words what it shows.

    Examples
    --------
    >>> image("<svg/>", "a & b")
    '<img style="max-width:100%" alt="a &amp; b" src="data:image/svg+xml;base64,PHN2Zy8+">'
    """
    encoded = base64.b64encode(svg.encode()).decode("ascii")
    return f'<img style="max-width:100%" alt="{escape(title)}" src="data:image/svg+xml;base64,{encoded}">'


def drawing(svg: str, title: str) -> str:
    """Return a drawing as a piece of HTML: an image, or the drawing itself where scripts are run.

    Examples
    --------
    >>> drawing("<svg/>", "a graph").startswith('<div class="am-drawing"><img')
    True
    """
    script = f'(() => {{\n"use strict";\n{file("web/drawing.js")}}})();'
    return f'<div class="am-drawing">{image(svg, title)}</div>\n<script>{script}</script>\n'


def fragment(page: str, picture: str, title: str, data: dict[str, Any]) -> str:
    """Return a page as a piece of HTML, to be put into another.

    Parameters
    ----------
    page : {"stepper", "exercise", "watch"}
        Which of `PAGES`.
    picture : str
        The drawing that is shown where no script runs, as SVG; ``mount`` gets it, too.
    title : str
        What the picture shows, in words.
    data : dict
        The data that ``mount`` gets.
    """
    name = f"am-{os.urandom(6).hex()}"
    note = f"<p>{escape(data['note'])}</p>" if data.get("note") else ""
    return (
        f'<div class="am-page am-{page}" data-page="{name}" data-lm-suppress-shortcuts="true">{image(picture, title)}'
        f'{note}</div>\n<script>(() => {{\n"use strict";\n{file("web/load.js")}'
        f'load("{name}", "{_program(page)}", "{packed(data)}");\n}})();</script>\n'
    )


def notebook_shell() -> Any:
    """Return IPython's shell if this is a notebook's kernel, else None; wherever there is one IPython is imported."""
    if "IPython" not in sys.modules:
        return None
    shell = import_module("IPython").get_ipython()
    return None if getattr(shell, "kernel", None) is None else shell


def document(title: str, *fragments: str) -> str:
    """Return fragments as a document of their own, which a browser lets fetch nothing."""
    return file("web/document.html") % {"title": escape(title), "body": "".join(fragments)}


def frame(title: str, *fragments: str) -> str:
    """Return a document in a frame, for viewers that put HTML into their page without running its scripts."""
    inside = escape(document(title, *fragments, file("web/fit.html")))
    return f'<iframe style="width:100%;height:760px;border:0" srcdoc="{inside}"></iframe>'
