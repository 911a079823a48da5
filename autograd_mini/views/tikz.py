r"""A picture with its layout as TikZ, for LaTeX: what `svg` draws, with names and numbers in the letters of formulas.

The file is a document of its own, whose page is as large as the picture, and a part of another document by ``\input``,
which needs ``\usepackage{tikz}`` alone. Its colours are defined at its top, each by what is drawn in it; its font is
that of the document, also where a drawing's ``fontname`` names another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, groupby

from autograd_mini.formulas.expression import latex_name, latex_text
from autograd_mini.formulas.letters import portable
from autograd_mini.views.layout.layout import Box, Layout, Point, Route
from autograd_mini.views.layout.measure import LINE_HEIGHT, OUTLINE_GAP, text_width
from autograd_mini.views.picture import DrawnEdge, DrawnNode, Picture
from autograd_mini.views.restyle import in_hex
from autograd_mini.views.svg import BASELINE, CORNER, NOTE_MARGIN, short

LARGEST = 14_400.0  # points: TeX has lengths up to 16,383, and PDF pages up to this
_LETTERS = 10.0  # the size that LaTeX has letters of; other sizes are scaled, as it lacks some of them
_PADDING = 5.0  # between a node's outline and the longest line in it

_NUMBER = r"[-−]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)"
_MARKS = "\u0300-\u036f\u20d0-\u20ff"
_NAME = rf"[^\W\d](?:[\w{_MARKS}⁽⁾₍₎]|\.(?=[^\W\d]))*"
_POWER = re.compile(r"(?<=.)[⁰¹²³⁴-⁹⁺⁻]+$")
_SIGNS = "+-=/*()[]<>|"  # which formulas have as they are
_TOKEN = re.compile(rf"(?P<number>(?<![\w)])-?{_NUMBER}|\d+(?:\.\d+)?)|(?P<name>{_NAME})|(?P<blank> +)|.", re.DOTALL)

_HEAD = r"""% Drawn by autograd_mini. pdflatex makes a page; \input puts it into a document with \usepackage{tikz}.
\ifdefined\tikzpicture\else
\documentclass{article} % not after another one: a document that inputs this file has to have \usepackage{tikz}
\usepackage{tikz}
\usepackage[paperwidth=%WIDTH%bp, paperheight=%HEIGHT%bp, margin=0pt]{geometry}
\pagestyle{empty}
\setlength{\parindent}{0pt}
\begin{document}
\def\autogradend{\end{document}}
\fi
\begin{tikzpicture}[x=1bp, y=-1bp, line cap=butt, line join=miter]
\providecommand{\text}[1]{\textrm{#1}}
\providecommand{\tfrac}[2]{{\textstyle\frac{#1}{#2}}}
% \autogradtext[anchor]{colour}{scale}{place}{room}{text}: a line of text, made narrower where it has too little room
\newcommand{\autogradtext}[6][base]{%
  \node[anchor=#1, inner sep=0pt, outer sep=0pt, text=#2, scale=#3, font=\fontsize{10}{12}\selectfont] at (#4) {%
    \setbox2\hbox{#6}\ifdim\wd2>#5bp \resizebox{#5bp}{!}{\box2}\else\box2\fi};}
"""
_END = r"""\end{tikzpicture}%
\ifdefined\autogradend\expandafter\autogradend\fi
"""


def tikz(picture: Picture, layout: Layout) -> str:
    r"""Return the text of the file.

    A picture that is larger than a page of TeX can be is drawn smaller.

    Examples
    --------
    >>> from autograd_mini.views.layout.layout import arrange
    >>> from autograd_mini.views.picture import DrawnNode, Line
    >>> picture = Picture((DrawnNode("node-0", (Line("w1", bold=True),), "box", "#ffffff", "#000000"),), ())
    >>> [line for line in tikz(picture, arrange(picture)).splitlines() if "w_" in line]
    ['\\autogradtext{text1}{1.2045}{30.8,28.7}{23}{\\bfseries\\boldmath$w_{1}$}']
    """
    return _Writer(picture, layout).document()


def written(line: str) -> str:
    r"""Return a line of words, names, numbers and formulas as LaTeX.

    Examples
    --------
    >>> written("data -0.5")
    'data $-0.5$'
    >>> written("∂L/∂w1 = 2·v3² = 1e-09")
    '$\\partial L / \\partial w_{1}$ $=$ $2 \\cdot v_{3} {{}^{2}}$ $=$ $1 \\cdot 10^{-9}$'
    """
    tokens = [_typeset(token, line) for token in _TOKEN.finditer(line)]
    runs = groupby(tokens, lambda token: token[0])
    return "".join(
        f"${' '.join(latex for _, latex in run)}$" if is_formula else "".join(text for _, text in run)
        for is_formula, run in runs
    )


def _typeset(token: re.Match[str], line: str) -> tuple[bool, str]:
    """Return whether a token stands in a formula, and its LaTeX."""
    text = token[0]
    if token["blank"] or text in (",", ".", ";", ":"):
        return False, text
    if token["number"]:
        mantissa, _, exponent = text.replace("−", "-").partition("e")
        return True, mantissa + (f" \\cdot 10^{{{int(exponent)}}}" if exponent else "")
    if not token["name"]:
        sign = text if text in _SIGNS else portable(latex_text(text))
        return True, f"{{}}{sign}" if sign.startswith("'") else sign  # two primes in a row are an error
    around = line[token.start() - 1 : token.start()] + line[token.end() : token.end() + 1]
    if text.isascii() and text.isalpha() and not around.strip(" ,.;:") and (len(text) > 1 or _is_article(text, line)):
        return False, text  # a word of a sentence
    power = _POWER.search(text)
    name = text[: power.start()] if power else text
    return True, portable(" ".join([latex_name(name), *([latex_text(power[0])] if power else [])]))


def _is_article(text: str, line: str) -> bool:
    return text == "a" and "=" not in line


def _room(line: str, size: float, bold: bool = False) -> float:
    """Return how wide a line may be; a minus of a formula is wider than the hyphen that the layout measures."""
    return text_width(line.replace("-", "−"), size, bold)


class _Writer:
    """The file in the making."""

    def __init__(self, picture: Picture, layout: Layout) -> None:
        self.picture, self.layout = picture, layout
        self.notes, self.step = picture.note_lines(), picture.note_size * LINE_HEIGHT
        widths = [text_width(part, picture.note_size) + 2 * NOTE_MARGIN for part in self.notes]
        self.width = max([layout.width, *widths])
        self.height = layout.height + self.step * len(self.notes) + (NOTE_MARGIN if self.notes else 0.0)
        self.by = min(1.0, LARGEST / max(self.width, self.height))
        self.colours: dict[tuple[str, str], str] = {}

    def document(self) -> str:
        """Return the text of the whole file."""
        size = self.of(self.width), self.of(self.height)
        drawn = [*self._paper(size), *self._edges(), *self._nodes(), *self._note()]
        head = _HEAD.replace("%WIDTH%", size[0]).replace("%HEIGHT%", size[1])
        defined = [
            f"\\definecolor{{{name}}}{{HTML}}{{{in_hex(colour).removeprefix('#').upper()}}}"
            for (_, colour), name in self.colours.items()
        ]
        page = f"\\path[use as bounding box] (0,0) rectangle ({','.join(size)});"
        return head + "\n".join([*defined, page, *drawn]) + "\n" + _END

    def of(self, length: float, digits: int = 1) -> str:
        """Return a length as it is drawn; TeX reads no exponents."""
        return short(length * self.by, digits if self.by == 1.0 else digits + 2)

    def at(self, *points: Point) -> list[str]:
        """Return places, without brackets."""
        return [f"{self.of(x)},{self.of(y)}" for x, y in points]

    def colour(self, role: str, colour: str) -> str:
        """Return the name of a colour of what has this role."""
        if colour == "none":
            return colour
        number = 1 + sum(other == role for other, _ in self.colours)
        return self.colours.setdefault((role, colour), f"{role}{number}")

    def text(self, line: str, middle: Point, size: float, ink: str, room: float, anchor: str = "") -> str:
        """Return the command for a line of LaTeX around its middle."""
        (place,) = self.at((middle[0], middle[1] + size * BASELINE))
        scale = short(size * self.by / _LETTERS * 1.00375, 4)  # a point of the picture is a "big point" of TeX
        wide = short(room * _LETTERS / size)
        return f"\\autogradtext{anchor}{{{self.colour('text', ink)}}}{{{scale}}}{{{place}}}{{{wide}}}{{{line}}}"

    def line(self, role: str, colour: str, width: float, dashed: bool) -> str:
        """Return the options for an outline or an edge."""
        options = f"draw={self.colour(role, colour)}, line width={self.of(width, 2)}bp"
        return options + (f", dash pattern=on {self.of(5.0)}bp off {self.of(2.0)}bp" if dashed else "")

    def _paper(self, size: tuple[str, str]) -> Iterator[str]:
        if self.picture.paper:
            yield f"\\path[fill={self.colour('paper', self.picture.paper)}] (0,0) rectangle ({','.join(size)});"

    def _nodes(self) -> Iterator[str]:
        for drawn in self.picture.nodes:
            x, y, width, height = box = self.layout.boxes[drawn.id]
            yield f"% {drawn.id}"
            outline = self.line("outline", drawn.stroke, drawn.stroke_width, drawn.dashed)
            if drawn.doubled:
                outer = (x, y, width + 2 * OUTLINE_GAP, height + 2 * OUTLINE_GAP)
                yield self._shape(drawn, outer, outline)
            yield self._shape(drawn, box, f"fill={self.colour('fill', drawn.fill)}, {outline}")
            sizes = [line.size(drawn.font_size) for line in drawn.lines]
            ends = list(accumulate([size * LINE_HEIGHT for size in sizes]))
            for line, size, end in zip(drawn.lines, sizes, ends, strict=True):
                if line.text:
                    middle = y - ends[-1] / 2 + end - size * LINE_HEIGHT / 2
                    room = _room(line.text, size, line.bold)
                    if drawn.shape in ("box", "rounded"):
                        room = max(room, width - 2 * _PADDING)
                    # A bold line is a name, even if it has blanks in it.
                    name = f"\\bfseries\\boldmath${portable(latex_name(line.text))}$" if line.bold else None
                    yield self.text(name or written(line.text), (x, middle), size, drawn.ink, room)

    def _shape(self, drawn: DrawnNode, box: Box, style: str) -> str:
        x, y, width, height = box
        if drawn.shape in ("ellipse", "circle"):
            radii = f"x radius={self.of(width / 2)}, y radius={self.of(height / 2)}"
            return f"\\path[{style}] ({self.at((x, y))[0]}) ellipse [{radii}];"
        rounded = f", rounded corners={self.of(CORNER)}bp" if drawn.shape == "rounded" else ""
        return self._rectangle(box, style + rounded)

    def _rectangle(self, box: Box, style: str) -> str:
        x, y, width, height = box
        corners = self.at((x - width / 2, y - height / 2), (x + width / 2, y + height / 2))
        return f"\\path[{style}] ({corners[0]}) rectangle ({corners[1]});"

    def _edges(self) -> Iterator[str]:
        """Iterate over the edges, which come first: where one starts at a node, the node's outline is on top."""
        for drawn in self.picture.edges:
            if drawn.id in self.layout.routes:
                yield from self._edge(drawn, self.layout.routes[drawn.id])

    def _edge(self, drawn: DrawnEdge, route: Route) -> Iterator[str]:
        first, *others = [f"({place})" for place in self.at(*route.curve)]
        curves = zip(*[iter(others)] * 3, strict=True)
        path = "".join(f" .. controls {one} and {two} .. {end}" for one, two, end in curves)
        yield f"% {drawn.id}"
        yield f"\\path[{self.line('line', drawn.colour, drawn.width, drawn.dashed)}] {first}{path};"
        if route.head:
            corners = " -- ".join(f"({place})" for place in self.at(*route.head))
            style = f"fill={self.colour('line', drawn.colour)}, {self.line('line', drawn.colour, 1.0, False)}"
            yield f"\\path[{style}] {corners} -- cycle;"
        if route.label is not None and drawn.label:
            room, (width, height) = _room(drawn.label, drawn.font_size), route.label_size
            if drawn.backing:
                ground = f"fill={self.colour('ground', drawn.backing)}, rounded corners={self.of(2.0)}bp"
                yield self._rectangle((*route.label, max(width, room), height), ground)
            yield self.text(written(drawn.label), route.label, drawn.font_size, drawn.ink, room)

    def _note(self) -> Iterator[str]:
        """Iterate over the lines below the drawing."""
        for i, part in enumerate(self.notes):
            if part:
                start = (NOTE_MARGIN, self.layout.height + self.step * (i + 0.5))
                room = self.width - 2 * NOTE_MARGIN
                yield self.text(
                    written(part), start, self.picture.note_size, self.picture.note_ink, room, "[base west]"
                )
