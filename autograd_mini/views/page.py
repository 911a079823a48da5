"""A page: HTML that needs nothing else, no network, no kernel, no file beside it. `step_through` and `watch` make pages.

A page is a picture that Python drew, scripts, and data for them. The picture stands in it as an ``<img>``, which survives
where notebooks strip an inline ``<svg>``: a viewer that runs no scripts, as a notebook that isn't trusted, shows it. The
scripts take its place. They are files of plain JavaScript, put one after the other into one scope: those in `web`, which
all pages share, and those in the page's own folder. A page needs them as they are written, and compresses them with gzip,
together with the style sheet. So it does with the data, which are one JSON object; what is in them say
`autograd_mini.views.stepper.payload` and `autograd_mini.views.live.data`.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from autograd_mini.views import colours

_HERE = Path(__file__).parent
_SHARED = ("web/elements.js", "web/numbers.js", "web/colours.js", "web/player.js")
_STEPPER = ("tape", "formula", "picture", "details", "what_if", "prediction", "joint", "stepper")
PAGES = {
    "stepper": (*_SHARED, *(f"stepper/{name}.js" for name in _STEPPER)),
    "watch": (*_SHARED, "live/watch.js"),
}
_COLOURS = ("NEGATIVE", "ZERO", "POSITIVE", "NOT_A_NUMBER", "LINE")

# What the compressed script is: it leaves behind the function that `load` calls.
_PROGRAM = """globalThis.amShowPage = (() => {
"use strict";
%(script)s
return (place, data, picture) => {
  place.before(h("style", {}, %(style)s));
  mount(place, data, picture);
};
})();
"""

_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>%(title)s</title>
<style>html { color-scheme: light dark; } body { margin: 16px; }</style>
</head>
<body>
%(body)s
</body>
</html>
"""

# A frame takes the height of what is in it, where it may; so that of the drawing must not depend on the frame's.
_FIT = """<style>.am-page .am-graph { max-height: 640px; }</style>
<script>
if (window.frameElement) new ResizeObserver(() => {
frameElement.style.height = document.documentElement.offsetHeight + "px";
}).observe(document.documentElement);
</script>"""


def file(name: str) -> str:
    """Return one of the scripts or the style sheet, by its path from this folder."""
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def script(page: str) -> str:
    """Return the scripts of a page, definitions that may be put into any scope; ``mount`` puts the page into an element.

    Examples
    --------
    >>> "function mount(element, payload)" in script("stepper")
    True
    """
    shades = {name: getattr(colours, name) for name in _COLOURS}
    return "\n".join([f"const COLOURS = {json.dumps(shades)};", *map(file, PAGES[page])])


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
    return _compressed(_PROGRAM % {"script": script(page), "style": json.dumps(style())})


def _compressed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode("ascii")


def packed(data: Any) -> str:
    """Return data as compressed JSON in signs that may stand anywhere in a page; ``unpacked`` in load.js reads it.

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


def fragment(page: str, picture: str, title: str, data: dict[str, Any]) -> str:
    """Return a page as a piece of HTML, to be put into another.

    Parameters
    ----------
    page : {"stepper", "watch"}
        Which of `PAGES`.
    picture : str
        The drawing that is shown where no script runs, as SVG; ``mount`` gets it, too.
    title : str
        What the picture shows, in words.
    data : dict
        What ``mount`` is fed with.
    """
    name = f"am-{os.urandom(6).hex()}"
    return (
        f'<div class="am-page am-{page}" data-page="{name}" data-lm-suppress-shortcuts="true">{image(picture, title)}'
        f'</div>\n<script>(() => {{\n"use strict";\n{file("web/load.js")}'
        f'load("{name}", "{_program(page)}", "{packed(data)}");\n}})();</script>\n'
    )


def document(title: str, *fragments: str) -> str:
    """Return fragments as a document of their own, which a browser lets fetch nothing."""
    return _DOCUMENT % {"title": escape(title), "body": "".join(fragments)}


def frame(title: str, *fragments: str) -> str:
    """Return a document in a frame, for viewers that put HTML into their page without running its scripts."""
    inside = escape(document(title, *fragments, _FIT))
    return f'<iframe style="width:100%;height:760px;border:0" srcdoc="{inside}"></iframe>'
