"""The reading on formulas: expressions that print themselves, as Python, as plain mathematics and as LaTeX.

A rule of the table, applied to `Expression`s, gives its formula: with this module as `text`,
``find("mul").derivatives(text, out, a, b)`` is ``(b, a)``. Only their `letters` are imported here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal, NoReturn

from autograd_mini.formulas import letters

Style = Literal["python", "text", "latex"]

# How tightly each form binds. A part that binds less tightly than what is around it is put into brackets.
_BINDING = {
    "where": 0,
    "|": 1,
    "&": 2,
    "=": 3,
    "<": 3,
    ">": 3,
    ">=": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "neg": 6,
    "**": 7,
}
_ATOM = 9


@dataclass(frozen=True, eq=False, repr=False)
class Expression:
    """A formula: an operation and its parts.

    Parameters
    ----------
    form : str
        An operator, the name of a function, ``"symbol"`` or ``"number"``.
    parts : tuple
        What it is applied to: expressions; for a symbol its names in text and in LaTeX (None: the same name);
        for a number the float.
    is_simple : bool, optional
        Whether `simplified` made it, and has nothing left to do.

    Examples
    --------
    >>> x = symbol("x")
    >>> str(4.0 * x / (1.0 + x) ** 2.0)
    '4·x/(1 + x)²'
    >>> (4.0 * x).render("python")
    '4.0 * x'
    """

    form: str
    parts: tuple[Any, ...]
    is_simple: bool = False

    def render(self, style: Style = "text") -> str:
        """Return the formula in one of the styles ``"text"``, ``"python"`` and ``"latex"``."""
        return _render(self, style)

    def __str__(self) -> str:
        return self.render("text")

    def __repr__(self) -> str:
        return f"<Expression {self}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.render('latex')}$"

    def __add__(self, other: Any) -> Expression:
        return _make("+", self, other)

    def __radd__(self, other: Any) -> Expression:
        return _make("+", other, self)

    def __sub__(self, other: Any) -> Expression:
        return _make("-", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return _make("-", other, self)

    def __mul__(self, other: Any) -> Expression:
        return _make("*", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return _make("*", other, self)

    def __truediv__(self, other: Any) -> Expression:
        return _make("/", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return _make("/", other, self)

    def __pow__(self, other: Any) -> Expression:
        return _make("**", self, other)

    def __rpow__(self, other: Any) -> Expression:
        return _make("**", other, self)

    def __neg__(self) -> Expression:
        return _make("neg", self)

    def __abs__(self) -> Expression:
        return _make("abs", self)

    def __lt__(self, other: Any) -> Expression:
        return _make("<", self, other)

    def __gt__(self, other: Any) -> Expression:
        return _make(">", self, other)

    def __ge__(self, other: Any) -> Expression:
        return _make(">=", self, other)

    def __le__(self, other: Any) -> Expression:
        return _make(">=", other, self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            raise TypeError(f"a formula isn't compared with {other!r:.40} by ==: write xp.equal(a, b)")
        return self is other

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise TypeError("a formula is neither true nor false: write xp.where(condition, a, b) in the place of if")

    def __and__(self, other: Any) -> Expression:
        return _make("&", self, other)

    def __or__(self, other: Any) -> Expression:
        return _make("|", self, other)


def symbol(name: str, latex: str | None = None) -> Expression:
    """Return a name as an expression; `latex` is how LaTeX writes it."""
    if not name.isidentifier():
        name = one_line(name)  # a formula is one line, whatever a label is
    return Expression("symbol", (name, latex))


def number(value: float, digits: int | None = None) -> Expression:
    """Return a number as an expression, printed to `digits` significant digits (None: as many as it takes)."""
    return Expression("number", (float(value), digits))


def call(name: str, *arguments: Any) -> Expression:
    """Return a function of that name applied to expressions or numbers."""
    return _make(name, *arguments)


def named_call(name: str, *arguments: Expression) -> Expression:
    """Return a function of any name, of a program's own, applied to expressions; ``"+"`` and the like stand between."""
    if name in ("+", "-", "*", "/") and len(arguments) == 2:
        return _make(name, *arguments)
    in_text, in_latex = (", ".join(x.render(style) for x in arguments) for style in ("text", "latex"))
    return symbol(f"{name}({in_text})", f"{latex_name(name)}\\left({in_latex}\\right)")


def equation(parts: Iterable[Expression], style: Style = "text") -> str:
    """Return "a = b = c", without repeating what reads the same.

    Examples
    --------
    >>> equation([symbol("y"), symbol("x"), number(2.0), number(2.0)])
    'y = x = 2'
    """
    written = [part.render(style) for part in parts]
    return " = ".join(part for i, part in enumerate(written) if i == 0 or part != written[i - 1])


def derivative(of: str, by: str) -> Expression:
    """Return ∂of/∂by as a symbol, with names that read as formulas in brackets: ∂L/∂(y - t)."""
    (above, over), (below, under) = ((as_one(symbol(x), "text"), as_one(symbol(x), "latex")) for x in (of, by))
    return symbol(f"∂{above}/∂{below}", f"\\frac{{\\partial {over}}}{{\\partial {under}}}")


def as_one(operand: Expression, style: Style) -> str:
    """Return an operand in the given style, in brackets where it isn't seen to be one thing: -2, and the name y - t."""
    return _bracketed(operand, operand.render(style), _BINDING["**"], style)


@lru_cache(maxsize=4096)
def is_formula(name: str) -> bool:
    """Return whether a name reads as a formula, and is put into brackets where it is a part of another one.

    Examples
    --------
    >>> is_formula("x1*w1 + x2*w2"), is_formula("y-t"), is_formula("f(y-t)"), is_formula("w[-1]"), is_formula("1e-05")
    (True, True, False, False, False)
    """
    outside = name
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", outside)) != outside:
        outside = shorter
    is_known = outside.startswith("∂") or re.fullmatch(r"\d+(\.\d+)?e[+-]\d+", name)
    return not is_known and re.search(r"[-+−–*/·×÷^=<>&|]", outside) is not None


MOST_OPERANDS = 6  # of a function, that are all written
ELLIPSIS = Expression("symbol", ("…", "\\dots"))  # what is left out
pi = symbol("π", "\\pi")


def _make(form: str, *parts: Any) -> Expression:
    return Expression(form, tuple(p if isinstance(p, Expression) else number(p) for p in parts))


def divide(a: Any, b: Any) -> Expression:
    """Return the quotient a/b."""
    return _make("/", a, b)


def power(a: Any, b: Any) -> Expression:
    """Return the power aᵇ."""
    return _make("**", a, b)


def equal(a: Any, b: Any) -> Expression:
    """Return the condition a = b."""
    return _make("=", a, b)


def magnitude(a: Any) -> Expression:
    """Return |a|."""
    return _make("abs", a)


def where(condition: Any, a: Any, b: Any) -> Expression:
    """Return the choice "a if condition else b"."""
    return _make("where", condition, a, b)


def unless(condition: Any, rescue: Any, plain: Any) -> Any:
    """Return the plain formula, which is the one to be read."""
    return plain


def sum(terms: Iterable[Any]) -> Expression:
    """Return x₁ + x₂ + …."""
    first, *rest = list(terms) or [number(0.0)]
    total = first if isinstance(first, Expression) else number(first)
    for term in rest:
        total = total + term
    return total


def softmax(*arguments: Any) -> tuple[Expression, ...]:
    """Return the components of softmax, each one as softmax of itself first and then the others; of many, as …."""
    if len(arguments) > MOST_OPERANDS:
        return tuple(call("softmax", argument, ELLIPSIS) for argument in arguments)
    return tuple(call("softmax", argument, *arguments[:i], *arguments[i + 1 :]) for i, argument in enumerate(arguments))


def exp_minus_square(a: Any) -> Expression:
    """Return exp(-a²)."""
    return call("exp", -(a ** number(2.0)))


# Every other function that a rule may call becomes a call of that name.
exp, expm1, log, log1p, sqrt = (partial(call, name) for name in ("exp", "expm1", "log", "log1p", "sqrt"))
sin, cos, tan = (partial(call, name) for name in ("sin", "cos", "tan"))
asin, acos, atan, atan2 = (partial(call, name) for name in ("asin", "acos", "atan", "atan2"))
log2, log10, cbrt, hypot = (partial(call, name) for name in ("log2", "log10", "cbrt", "hypot"))
sinh, cosh, tanh = (partial(call, name) for name in ("sinh", "cosh", "tanh"))
sigmoid, erf, erfc, sign = (partial(call, name) for name in ("sigmoid", "erf", "erfc", "sign"))
maximum, minimum, pick = (partial(call, name) for name in ("maximum", "minimum", "pick"))
logsumexp, minus_log_softmax = (partial(call, name) for name in ("logsumexp", "minus_log_softmax"))

# ------------------------------------------------------------------------------------------------- printing

_SUPERSCRIPTS = str.maketrans("0123456789-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾")
_SUBSCRIPTS = str.maketrans("0123456789()", "₀₁₂₃₄₅₆₇₈₉₍₎")
_SMALL = "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾₀₁₂₃₄₅₆₇₈₉₍₎"
_SMALL_SIGNS = frozenset(_SMALL)
_ON_THE_LINE = str.maketrans(_SMALL, "0123456789()" * 2)
# A name with numbers above and below it, and by which of its like it is: w¹₂₁, w²₁₁,₃, slope⁽²⁾, z¹₂₍₃₎.
_SCRIPTED = re.compile(
    rf"(.*?[^,⁻{_SMALL}])([⁰¹²³⁴-⁹](?:,?[⁰¹²³⁴-⁹])*|⁽[⁰¹²³⁴-⁹,]+⁾)?([₀-₉](?:,?[₀-₉])*)?(₍[₀-₉]+₎)?", re.DOTALL
)
_LATEX_FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh"}
_LATEX_NAMES = {
    "asin": "\\arcsin",
    "acos": "\\arccos",
    "atan": "\\arctan",
    "log2": "\\log_{2}",
    "log10": "\\log_{10}",
    "sigmoid": "\\sigma",
}
_TEXT_NAMES = {"sigmoid": "σ", "sqrt": "√", "cbrt": "∛", "maximum": "max", "minimum": "min"}


def format_number(value: float, digits: int | None = None) -> str:
    """Return a number without needless zeros: 2, 0.5, 1e-05, inf.

    Examples
    --------
    >>> format_number(2.0), format_number(2 / 3, 4), format_number(-0.0)
    ('2', '0.6667', '0')
    """
    written = repr(value) if digits is None else f"{value:.{digits}g}"
    return "0" if value == 0 else written.removesuffix(".0")


def scripted(letter: str, above: Sequence[int], below: Sequence[int]) -> str:
    """Return a letter with numbers above and below it, in parentheses above where there are none below.

    Examples
    --------
    >>> scripted("w", [1], [2, 1]), scripted("w", [2], [11, 3]), scripted("b", [], []), scripted("slope", [2], [])
    ('w¹₂₁', 'w²₁₁,₃', 'b', 'slope⁽²⁾')
    """
    raised, lowered = _row(above), _row(below)
    raised = f"({raised})" if raised and not lowered else raised
    return letter + raised.translate(_SUPERSCRIPTS) + lowered.translate(_SUBSCRIPTS)


def _row(numbers: Sequence[int]) -> str:
    return ("," if numbers and max(numbers) > 9 else "").join([str(number) for number in numbers])


def told_apart(name: str, which: int) -> str:
    """Return a name for the first, the second, … of the nodes that would have the same: x, x₍₂₎."""
    return f"{name}₍{str(which).translate(_SUBSCRIPTS)}₎" if which > 1 else name


def alike(name: str) -> list[str]:
    """Return how else a name with an index may be written, as LaTeX writes both alike: x1 and x₁.

    Examples
    --------
    >>> alike("x12"), alike("x₁"), alike("x"), alike("v₁₍₂₎")
    (['x₁₂'], ['x1'], [], [])
    """
    if re.fullmatch(r"[^\W\d_][0-9]+", name):
        return [name.translate(_SUBSCRIPTS)]
    return [name.translate(_ON_THE_LINE)] if re.fullmatch(r"[^\W\d_][₀-₉]+", name) else []


def has_small(text: str) -> bool:
    """Return whether there are numbers above or below the line in a text.

    Examples
    --------
    >>> has_small("w¹₂₁"), has_small("w1")
    (True, False)
    """
    return not text.isascii() and not _SMALL_SIGNS.isdisjoint(text)


def on_the_line(name: str, between: str = "") -> str:
    """Return a name with the numbers above and below it on the line, and something in between; else as it is.

    Examples
    --------
    >>> on_the_line("x₁₂"), on_the_line("w¹₂₁", "_"), on_the_line("z¹₂₍₃₎", "_"), on_the_line("slope⁽²⁾", "_")
    ('x12', 'w1_21', 'z1_2_3', 'slope_2')
    """
    match = _SCRIPTED.fullmatch(name)
    if match is None or match[1] == name:
        return name
    base, above, below, mark = (part.translate(_ON_THE_LINE).strip("()") for part in match.groups(""))
    numbers = [part for part in (above, below, mark) if part]
    is_word = len(base.rpartition(".")[2]) > 1 or not (above or below)
    return base + between * is_word + between.join(numbers)


def latex_name(name: str) -> str:
    r"""Return a name as LaTeX, to stand in a formula: ``w1`` with an index, Greek letters by name, all else upright.

    What a notebook shows and LaTeX has no letter for, as 中, stays as it is: see `letters.portable`.

    Examples
    --------
    >>> latex_name("w1"), latex_name("theta"), latex_name("net.bias"), latex_name("größe")
    ('w_{1}', '\\theta', '\\mathrm{net.bias}', '\\textrm{größe}')
    >>> latex_name("w¹₂₁"), latex_name("encoder.b²₁₁"), latex_name("x1₍₂₎"), latex_name("x²")
    ('w^{(1)}_{21}', '\\mathrm{encoder.}b^{(2)}_{11}', 'x_{1(2)}', 'x^{2}')
    """
    name = one_line(name)
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", name):  # a constant is called by its number
        return latex_number(float(name))
    scripts = _SCRIPTED.fullmatch(name)
    if scripts is not None and scripts[1] != name and not letters.has_scripts(scripts[1]):
        return _latex_scripts(*scripts.groups(""))
    return letters.letter(name) or letters.word(name)


def _latex_scripts(base: str, above: str, below: str, mark: str) -> str:
    r"""Return ``w^{(1)}_{21}``; a power in a name of the user's, x², stays one."""
    way, letter = re.fullmatch(r"(.*\.)?(.*)", base, re.DOTALL).groups("")  # type: ignore[union-attr]
    if way and (not letter or letter[0].isdecimal()):
        way, letter = "", base
    letter, own = re.fullmatch(r"(.*?)(?:_\{(\d+)\})?", latex_name(letter), re.DOTALL).groups("")  # type: ignore[union-attr]
    if not re.fullmatch(r"\\?[A-Za-z]+|\\\w+\{.*\}", letter):
        end = "{}" if letter.startswith("\\") else ""  # or TeX takes {\hat{y}'} as \hat{y}'
        letter = f"{{{letter}{end}}}"  # x', which has something above it already
    above, below, mark = (part.translate(_ON_THE_LINE) for part in (above, below, mark))
    above = f"({above})" if above and below and not above.startswith("(") else above
    below = ",".join(filter(None, [own, below])) + mark
    written = (latex_name(way) if way else "") + letter
    return written + (f"^{{{above}}}" if above else "") + (f"_{{{below}}}" if below else "")


def latex_text(sentence: str) -> str:
    r"""Return words as LaTeX in a formula, in which blanks stay, as they don't in a name.

    Examples
    --------
    >>> latex_text("w_1 has changed")
    '\\text{w\\_1 has changed}'
    """
    return letters.in_text(one_line(sentence))


def latex_number(value: float, digits: int | None = None) -> str:
    """Return a number as LaTeX: powers of ten written out, infinity as its sign."""
    written = format_number(value, digits)
    if "e" in written:
        mantissa, exponent = written.split("e")
        return f"{mantissa} \\cdot 10^{{{int(exponent)}}}"
    return {"inf": "\\infty", "-inf": "-\\infty", "nan": "\\mathrm{nan}"}.get(written, written)


def _binding(expression: Expression, style: Style) -> int:
    if expression.form == "number":
        if style == "latex" and "cdot" in latex_number(*expression.parts):
            return _BINDING["*"]
        return _BINDING["neg"] if expression.parts[0] < 0 else _ATOM
    name = expression.parts[0] if expression.form == "symbol" and style != "python" else ""
    if name and not (name.isascii() and name.isidentifier()):
        if is_formula(name):
            return _BINDING["where"]  # (y - t)²
        return _BINDING["**"] if letters.has_scripts(name[-1]) else _ATOM  # (a¹₂)², (x₍₂₎)², (xᵢ)²
    if expression.form == "where" or (style == "latex" and expression.form == "/"):
        return _ATOM
    if style == "python" and expression.form in ("=", "<", ">", ">="):
        return 0  # in Python a comparison binds less tightly than & and |
    return _BINDING.get(expression.form, _ATOM)


def _render(root: Expression, style: Style) -> str:
    """Print the parts first, then what they are parts of; without recursion, as a formula may be as deep as a graph."""
    if root.form in ("symbol", "number"):
        return _write(root, [], style)
    done: dict[int, str] = {}
    stack = [root]
    while stack:
        expression = stack[-1]
        parts = [] if expression.form in ("symbol", "number", "view") else expression.parts
        missing = [p for p in parts if id(p) not in done]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        done[id(expression)] = _write(expression, [done[id(p)] for p in parts], style)
    return done[id(root)]


def _write(expression: Expression, parts: list[str], style: Style) -> str:
    form = expression.form
    if form == "symbol":
        name, latex = expression.parts
        return str(name if style != "latex" else latex_name(name) if latex is None else latex)
    if form == "number":
        value, digits = expression.parts
        return _write_number(value, digits, style)
    if form == "view":  # a place for an operand, which has no name yet
        return "…"
    if form in _BINDING and form not in ("where", "neg"):
        return _write_operator(expression, parts, style)
    if form == "neg":
        return f"-{_bracketed(expression.parts[0], parts[0], _BINDING['neg'] + 1, style)}"
    if form == "where":
        return _write_choice(parts, style)
    return _write_call(form, parts, style)


def _write_number(value: float, digits: int | None, style: Style) -> str:
    if style == "latex":
        return latex_number(value, digits)
    if style == "python":
        return repr(value) if value == value and abs(value) != float("inf") else f'float("{value}")'
    return format_number(value, digits)


def _bracketed(part: Expression, written: str, at_least: int, style: Style) -> str:
    if _binding(part, style) >= at_least:
        return written
    return f"\\left({written}\\right)" if style == "latex" else f"({written})"


def _write_operator(expression: Expression, parts: list[str], style: Style) -> str:
    form, binding = expression.form, _BINDING[expression.form]
    first, second = expression.parts
    if form == "/" and style == "latex":
        return f"\\frac{{{parts[0]}}}{{{parts[1]}}}"
    if form == "**":
        return _write_power(first, second, parts, style)
    # -1·2 would be right too, but after a plus sign it reads badly: + (-1)·2
    factor = form == "*" and first.form == "number" and style != "python"
    left = _bracketed(first, parts[0], _ATOM if factor else binding, style)
    negative = second.form == "neg" or (second.form == "number" and second.parts[0] < 0)
    right = _bracketed(second, parts[1], _ATOM if negative else binding + (form in "-/"), style)
    return left + _OPERATORS[style].get(form, f" {form} ") + right


_OPERATORS: dict[Style, dict[str, str]] = {
    "python": {"=": " == "},
    "text": {"*": "·", "/": "/", "&": " and ", "|": " or ", ">=": " ≥ "},
    "latex": {"*": " \\cdot ", "&": " \\land ", "|": " \\lor ", ">=": " \\ge "},
}


def _write_power(base: Expression, exponent: Expression, parts: list[str], style: Style) -> str:
    left = _bracketed(base, parts[0], _BINDING["**"] + 1, style)
    if style == "latex":
        return f"{left}^{{{parts[1]}}}"
    if style == "text" and re.fullmatch(r"-?\d+", parts[1]):
        return left + parts[1].translate(_SUPERSCRIPTS)
    right = _bracketed(exponent, parts[1], _BINDING["**"] + 1, style)
    return f"{left} ** {right}" if style == "python" else f"{left}^{right}"


def _write_choice(parts: list[str], style: Style) -> str:
    condition, a, b = parts
    if style == "python":
        return f"where({condition}, {a}, {b})"
    if style == "text":
        return f"[{a} if {condition} else {b}]"
    return f"\\begin{{cases}} {a} & {condition} \\\\ {b} & \\text{{otherwise}} \\end{{cases}}"


def _write_call(name: str, parts: list[str], style: Style) -> str:
    arguments = ", ".join(parts)
    name, prime = name.removesuffix("′"), "′" * name.endswith("′")  # tanh′(z) is the derivative of tanh at z
    if name == "abs" and style != "python":
        return f"\\left|{arguments}\\right|" if style == "latex" else f"|{arguments}|"
    if name == "softmax" and style == "python":
        return f"softmax({arguments})[0]"  # the function gives all components
    if style == "latex":
        if name in ("sqrt", "cbrt"):
            return f"\\sqrt{'[3]' * (name == 'cbrt')}{{{arguments}}}"
        written = f"\\{name}" if name in _LATEX_FUNCTIONS else _LATEX_NAMES.get(name)
        apostrophe = "'" * len(prime)
        return f"{written or latex_operator(name)}{apostrophe}\\left({arguments}\\right)"
    return f"{_TEXT_NAMES.get(name, name) if style == 'text' else name}{prime}({arguments})"


def latex_operator(name: str) -> str:
    """Return a function's name, upright, as LaTeX."""
    name = _TEXT_NAMES.get(name, name)
    if re.fullmatch(r"\w+", name, re.ASCII):
        return "\\operatorname{" + name.replace("_", "\\_") + "}"
    return f"\\mathop{{{letters.word(one_line(name))}}}\\nolimits"


def one_line(text: str) -> str:
    r"""Return the text on one line, with visible signs in place of control characters.

    Examples
    --------
    >>> one_line("a\n\nb")
    'a b'
    """
    return printable(re.sub(r"\s*[\r\n\t]\s*", " ", text))


def printable(text: str) -> str:
    r"""Return the text with visible signs in place of the characters that XML doesn't allow.

    Examples
    --------
    >>> printable("a\tb\x00")
    'a b␀'
    """
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else _sign(c) for c in text)


def _sign(character: str) -> str:
    code = ord(character)
    if character == "\t":
        return " "
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + code) if code < 0x20 else "␡"
    # Joiners of emoji and spaces of other scripts aren't "printable" to Python, and belong there all the same.
    return character if unicodedata.category(character) in ("Cf", "Zs", "Co") else "\ufffd"
