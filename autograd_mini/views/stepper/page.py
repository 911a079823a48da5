"""The stepper as HTML that needs nothing else: style, picture, script and records in one piece.

A viewer that runs no scripts, as a notebook that isn't trusted, shows the picture: it is an ``<img>``, which survives
where an inline ``<svg>`` is stripped. The script replaces it.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

SCRIPTS = ("tape.js", "formula.js", "picture.js", "details.js", "what_if.js", "prediction.js", "stepper.js")
_HERE = Path(__file__).parent

_START = """
for (const element of document.querySelectorAll("#%(id)s:not([data-mounted])")) {
element.dataset.mounted = "";
const svg = new TextDecoder().decode(decoded(element.querySelector("img").src.split(",")[1]));
const handle = mount(element, %(payload)s, { svg: svg, step: %(step)d });
%(join)s}
"""

# A frame takes the height of what is in it, where it may; so that of the drawing must not depend on the frame's.
_FIT = """<style>.am-graph { max-height: 640px; }</style>
<script>
if (window.frameElement) new ResizeObserver(() => {
frameElement.style.height = document.documentElement.offsetHeight + "px";
}).observe(document.documentElement);
</script>"""

# Where the pages of a stepper and its model in a kernel find each other, by its name.
MEETING = """
const meetingPlace = name => (globalThis.amSteppers ||= {})[name] ||= { handles: new Set() };
function joinPage(name, handle) { meetingPlace(name).handles.add(handle); meetingPlace(name).join?.(handle); }
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


@cache
def script() -> str:
    """Return the JavaScript: function definitions and constants, ``mount`` among them, to be put into a scope.

    Examples
    --------
    >>> "function mount(element,payload,options={})" in script()
    True
    """
    whole = _tight("\n".join(_lean((_HERE / name).read_text(encoding="utf-8")) for name in SCRIPTS))
    private = {name: f"_{i}" for i, name in enumerate(dict.fromkeys(re.findall(_PRIVATE, whole)))}
    return re.sub(_PRIVATE, lambda match: private[match[0]], whole)


@cache
def joint() -> str:
    """Return the JavaScript of the model in a kernel, to which the pages of its name are joined: ``joinModel``.

    Examples
    --------
    >>> "function joinModel(model)" in joint()
    True
    """
    return MEETING + _tight(_lean((_HERE / "joint.js").read_text(encoding="utf-8")))


@cache
def style() -> str:
    """Return the style sheet; all its rules are for ``.am-`` classes.

    Examples
    --------
    >>> style().startswith(".am-stepper")
    True
    """
    return re.sub(
        r";?\s*(\})\s*|\s*([{;,])\s*|(:) ", r"\1\2\3", _lean((_HERE / "stepper.css").read_text(encoding="utf-8"))
    )


def _lean(source: str) -> str:
    """Return a source without indentation, blank lines, and the comments that begin with two slashes."""
    lines = (re.sub(r"(^|\s{2,})//.*", "", line).strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line)


# What keeps its spaces: strings, templates (there are none inside of another), regular expressions; then the signs that
# need none beside them. A line may end after a bracket that closes, nowhere else; before "}" there need be no ";".
_KEPT = r'"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|(?<=[(=]) ?/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\n\\\[])+/'
_SIGNS = r";\s*(?=\})|\s*(=>|&&|\|\||[<>=!]==?|[-+*]=|[-+*/%=?:,;{(<>\[])\s*|\s*([)}\]]) *"

_PRIVATE = r"(?<!\w)_[a-z]\w*"  # names of methods that only the scripts know


def _tight(script: str) -> str:
    """Return a script without the spaces around its signs, which are a good tenth of it."""
    return re.sub(f"({_KEPT})|{_SIGNS}", lambda match: match[1] or match[2] or match[3] or "", script)


def json_in_script(data: Any) -> str:
    r"""Return data as JSON that may stand inside of a script in a page, whatever text is in it.

    Examples
    --------
    >>> json_in_script({"label": "</script><!--"})
    '{"label":"\\u003c/script\\u003e\\u003c!--"}'
    """
    written = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", written)


def packed(drawings: list[str]) -> str:
    """Return drawings as one text of a tenth their size, which the page unpacks when one of them is asked for.

    Examples
    --------
    >>> packed([])
    ''
    >>> gzip.decompress(base64.b64decode(packed(["<svg/>", "<svg></svg>"])))
    b'["<svg/>", "<svg></svg>"]'
    """
    if not drawings:
        return ""
    return base64.b64encode(gzip.compress(json.dumps(drawings).encode(), mtime=0)).decode("ascii")


def fragment(payload: dict[str, Any], title: str, step: int = 0, joined: str = "") -> str:
    """Return the stepper as a piece of HTML, with an id of its own.

    Parameters
    ----------
    payload : dict
        What the script is fed with. The drawing to begin with goes into the picture, the others into the script.
    title : str
        What the picture shows, in words.
    step : int, optional
        The step to begin at.
    joined : str, optional
        The name of the model in a kernel that the page joins itself to.
    """
    name = f"am-stepper-{os.urandom(6).hex()}"
    drawings = [view["svg"] for view in payload["views"]]
    drawing = base64.b64encode(drawings[payload["view"]].encode("utf-8")).decode("ascii")
    shown = [{**view, "svg": None if i == payload["view"] else view["svg"]} for i, view in enumerate(payload["views"])]
    fed = json_in_script({**payload, "views": shown})
    join = f"{MEETING}joinPage({json_in_script(joined)}, handle);\n" if joined else ""
    start = _START % {"id": name, "payload": fed, "step": step, "join": join}
    return (
        f'<style>{style()}</style>\n<div id="{name}" class="am-stepper" data-lm-suppress-shortcuts="true">'
        f'<img alt="{escape(title)}" style="max-width:100%" src="data:image/svg+xml;base64,{drawing}"></div>\n'
        f'<script>(() => {{\n"use strict";\n{script()}{start}}})();</script>'
    )


def document(payload: dict[str, Any], title: str, step: int = 0) -> str:
    """Return the stepper as a whole page, which a browser lets fetch nothing."""
    return _DOCUMENT % {"title": escape(title), "body": fragment(payload, title, step)}


def frame(payload: dict[str, Any], title: str, step: int = 0) -> str:
    """Return the whole page in a frame, for where HTML is shown without its scripts being run."""
    inside = _DOCUMENT % {"title": escape(title), "body": fragment(payload, title, step) + _FIT}
    return f'<iframe style="width:100%;height:760px;border:0" srcdoc="{escape(inside)}"></iframe>'
