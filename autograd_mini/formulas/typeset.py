r"""Formulas in lines that fit on a page: how wide one is, and where a long one is broken.

The widths are those of TeX's own font at 10 pt, rounded up: what fits by them fits on the page. A line is broken before
``=``, else before a sum's sign, else before ``\cdot``, and only where that isn't enough in brackets and between words.
Nothing of the package is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TEXT_WIDTH = 345.0  # points: \textwidth of the article class
_WIDEST_LEFT = 75.0  # points: of left-hand sides; the others stand on a line of their own
_QUAD = 10.0
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_ROMAN = {
    "mathrm",
    "textrm",
    "text",
    "textbf",
    "mathop",
    "operatorname",
    "mathbf",
    "mathsf",
    "mathtt",
    "mathit",
    "mathcal",
}
_ONE_ARGUMENT = _ROMAN | set("grave acute hat tilde bar breve dot ddot mathring check vec".split())
_FUNCTIONS = set("exp log sin cos tan sinh cosh tanh arcsin arccos arctan".split())
_SPACES = {"quad": _QUAD, "qquad": 2 * _QUAD, " ": 3.4, ",": 1.7, "nolimits": 0.0, "cdot": 7.3, "partial": 5.9}
_WIDE = {"=": 13.4, "<": 13.4, ">": 13.4, ":": 8.4, "+": 12.3, "-": 12.3, "*": 9.5}  # signs with the room around them
_NARROW = dict.fromkeys(".;!'`|ijl", 3.4) | {",": 4.5}


def width(latex: str) -> float:
    r"""Return how wide a formula is in display style, in points, or a little more.

    Examples
    --------
    >>> round(width(r"x = 1")), round(width(r"\frac{\partial L}{\partial w_{1}}"))
    (25, 23)
    """
    return _Reader(latex).row()


class _Reader:
    """Adds up the widths of the tokens of a formula."""

    def __init__(self, latex: str) -> None:
        self._tokens = _TOKEN.findall(latex)
        self._at = 0

    def row(self, stop: str = "", font: str = "") -> float:
        """Read up to a token, and over it."""
        total, tokens = 0.0, self._tokens
        while self._at < len(tokens):
            token = tokens[self._at]
            self._at += 1
            if token == stop:
                break
            total += self._one(token, font)
        return total

    def _one(self, token: str, font: str) -> float:
        """Return the width of a token with its arguments."""
        if token == "{":
            return self.row("}", font)
        if token in "^_":
            script = 0.75 * self._argument(font)
            if self._next() in ("^", "_"):
                self._at += 1
                script = max(script, 0.75 * self._argument(font))
            return script + 0.5
        return self._command(token[1:], font) if len(token) > 1 else _character(token, font)

    def _command(self, name: str, font: str) -> float:
        if name in _SPACES:
            return _SPACES[name]
        if name in ("frac", "tfrac"):
            return max(self._argument(font), self._argument(font)) + 2.4
        if name == "overset":
            return max(0.75 * self._argument(font), self._argument(font))
        if name in ("left", "right"):
            self._at += 1
            return 6.7
        if name == "sqrt":
            while self._next() not in ("{", ""):
                self._at += 1
            return self._argument(font) + 10.0
        if name in _ONE_ARGUMENT:
            inner = self._argument(name if name in _ROMAN else font)
            return inner * (1.2 if name == "textbf" else 1.0) + (3.4 if name in ("operatorname", "mathop") else 0.0)
        if name in _FUNCTIONS:
            return 5.4 * len(name) + 1.7
        if name in ("begin", "end"):  # of cases, whose rows are counted as if they were one
            self._argument("text")
            return 12.0
        return 8.4 if len(name) < 8 and name not in ("le", "ge", "ne", "to", "approx", "dots", "land", "lor") else 16.0

    def _argument(self, font: str) -> float:
        if self._next() == "{":
            self._at += 1
            return self.row("}", font)
        self._at += 1
        return _character(self._tokens[self._at - 1], font) if self._at <= len(self._tokens) else 0.0

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""


def _character(sign: str, font: str) -> float:
    is_text = font.startswith("text")
    if sign == " ":
        return 3.4 if is_text else 0.0
    if sign in _WIDE and not is_text:
        return _WIDE[sign]
    if sign in _NARROW:
        return _NARROW[sign]
    if sign.isdigit() or sign in "()[]/":
        return 5.0
    return 10.3 if sign in "mwMW" else 6.2 if sign.islower() and sign.isascii() else 9.0


def aligned(equations: Iterable[str], environment: str = "aligned", between: str = "\\\\") -> str:
    r"""Return equations, one below the other, aligned at their first equals signs and broken where they are too long.

    Where something must be broken, a left-hand side that would take the room of the others stands in their column.

    Parameters
    ----------
    equations : iterable of str
        The lines, without an alignment sign.
    environment : str
        ``aligned``, in a formula, or ``align*``, in a text. Both are of amsmath.
    between : str
        What ends the line of an equation.

    Examples
    --------
    >>> print(aligned(["x = 1", r"\mathrm{loss} = x + x = 2"]))
    \begin{aligned}
    x &= 1 \\
    \mathrm{loss} &= x + x = 2
    \end{aligned}
    """
    pairs = [sides(line) for line in equations]
    lefts = [width(left) for left, _ in pairs]
    widest = max(lefts, default=0.0)
    if any(widest + width(right) > TEXT_WIDTH for _, right in pairs):
        widest = min(widest, _WIDEST_LEFT)
    room = TEXT_WIDTH - max([wide for wide in lefts if wide <= widest], default=0.0)
    written = []
    for (left, right), wide in zip(pairs, lefts, strict=True):
        if wide <= widest:
            first, *rest = broken(right, room)
            rows = [f"{left} &{first.strip()}".lstrip(), *map(_continued, rest)]
        else:
            first, *rest = broken(left + right, room - _QUAD)
            rows = [f"&{first}", *[_continued(line, moved_in=True) for line in rest]]
        written.append(_WORDS_APART.sub(" ", " \\\\\n".join(rows)))
    body = f" {between}\n".join(written)
    return f"\\begin{{{environment}}}\n{body}\n\\end{{{environment}}}"


def sides(line: str) -> tuple[str, str]:
    """Return what stands before and after the first equals sign, with it; of a line without one, all stands after."""
    left, *right = _split(line, _EQUALS)
    return (left, "".join(right)) if right else ("", left)


def _continued(line: str, moved_in: bool = False) -> str:
    """Return a further line of an equation after the alignment sign, moved in where it begins with no equals sign."""
    line = line.strip()
    moved_in = moved_in or not re.match(r"=|\\approx", line)
    is_operator = re.match(r"[+-] |\\(cdot|land|lor) ", line) is not None
    return f"&{_MOVED_IN * moved_in}{'{} ' * is_operator}{line}"


def broken(latex: str, room: float) -> list[str]:
    r"""Return a formula in lines that are at most so wide, if there are places at which it can be broken.

    Examples
    --------
    >>> broken(r"= a + b = 1 \cdot 2 + 3", 47.0)
    ['= a + b', ' = 1 \\cdot 2', ' + 3']
    """
    if width(latex) <= room:
        return [latex]
    for places in _PLACES:
        parts = _split(latex, places)
        if len(parts) > 1:
            room -= 1.5 * _QUAD * (places != _EQUALS)
            lines, left = [""], room
            for part in parts:
                wide = width(part)
                if lines[-1] and wide > left:
                    lines.append("")
                    left = room
                lines[-1] += part
                left -= wide
            return [one for line in lines for one in broken(line, room)]
    opened = _opened(latex)
    return [latex] if opened == latex else broken(opened, room)


_EQUALS = r" (?:=|\\approx) "
_PLACES = [  # the better ones come first; a comma stays on its line
    r" \\q?quad ",
    _EQUALS,
    r" [+-] ",
    r" \\(?:cdot|land|lor) (?!10\^)",
    r"(?<=\}) ",
    r"(?<=,) ",
    r"(?<= \})(?=\\text)",
]


def _split(latex: str, places: str) -> list[str]:
    """Return the parts between the places outside of all brackets and arguments; what stands at a place begins one."""
    place = re.compile(places)
    parts, start, depth, at = [], 0, 0, 0
    while at < len(latex):
        if depth == 0 and at > start and place.match(latex, at):
            parts.append(latex[start:at])
            start = at
        token = _TOKEN.match(latex, at)
        assert token is not None
        depth += (token[0] in _OPENING) - (token[0] in _CLOSING)
        at = token.end()
    return [*parts, latex[start:]]


_WORDS_APART = re.compile(r"(?<!\\) \}\\(?:text|textrm)\{")
_MOVED_IN = "\\quad "
_OPENING, _CLOSING = ("{", "\\left", "\\begin"), ("}", "\\right", "\\end")
_PLAIN = {"\\left(": "(", "\\right)": ")", "\\left|": "\\lvert ", "\\right|": "\\rvert "}


def _opened(latex: str) -> str:
    r"""Return a formula that can be broken at more places: the first change that there is something for.

    ``\frac{\partial (a + b)}{\partial a}`` becomes ``\frac{\partial}{\partial a} (a + b)``, the outermost brackets get
    plain signs, and each word becomes a text of its own.
    """
    depth, found = 0, []
    for token in re.findall(r"\\(?:left|right).|\\[A-Za-z]+|\\.|.", latex, re.DOTALL):
        depth -= token.startswith("\\right") or token in _CLOSING
        found.append(_PLAIN.get(token, token) if depth == 0 else token)
        depth += token.startswith("\\left") or token in _OPENING
    for opened in (_unfolded(latex), "".join(found), re.sub(_TEXT, _words, latex)):
        if opened != latex:
            return opened
    return latex


_TEXT = r"\\(text|textrm)\{((?:[^{}\\]|\\.|\{\})*)\}"
_DERIVATIVE = "\\frac{\\partial "


def _unfolded(latex: str) -> str:
    """Return a formula with the first derivative that isn't in brackets or an argument written before what it is of."""
    before, *rest = _split(latex, re.escape(_DERIVATIVE))
    if before.startswith(_DERIVATIVE):
        before, rest = "", [before, *rest]
    if not rest:
        return latex
    of, by, *after = _split(rest[0].removeprefix("\\frac"), r"(?<=\})")
    of = of.removeprefix("{\\partial ").removesuffix("}")
    return f"{before}\\frac{{\\partial}}{by} {of}{''.join([*after, *rest[1:]])}"


def _words(match: re.Match[str]) -> str:
    return "".join(f"\\{match[1]}{{{word}}}" for word in re.split(r"(?<= )", match[2]) if word)
