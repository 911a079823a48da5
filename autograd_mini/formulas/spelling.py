"""A formula as it is written on paper, and printed by this library, in the signs of Python.

``√x``, ``|x|``, ``x²``, ``2·x``, ``½``, ``a ≤ b`` and so on become what Python's `ast` can read. Of each character it
is kept where it stood, so that a message points at the right place. Nothing of the package is imported here.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

_SIGNS = {
    **dict.fromkeys("·×⋅∙∗", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("−–‐‑", "-"),
    "^": "**",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
}
_ROOTS = {"√": "sqrt", "∛": "cbrt"}
_BARS = "|∣｜"
_NUMBER = re.compile(r"0[xXoObB]\w+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?", re.ASCII)
_OPERATOR = re.compile(r"\*\*|[<>=!:]=|//|.", re.DOTALL)
_WORDS = {"True", "False", "None"}  # Python's words that stand for something, as a name does


class SpellingError(ValueError):
    """A sign stands where it has no meaning: what is wrong, at which index, and what to do about it."""

    def __init__(self, problem: str, place: int, hint: str = "") -> None:
        super().__init__(problem, place, hint)
        self.problem, self.place, self.hint = problem, place, hint


class _Token(NamedTuple):
    """A part of a formula."""

    kind: str  # "name", "number", "fraction", "root", "raised", "(", ")", "|(", "|)", "sign" or "space"
    text: str
    place: int
    width: int = 1  # how many characters it takes in the formula


def normal(name: str) -> str:
    """Return a name as Python spells it: ``w₁`` is ``w1``, and an accent is one with its letter.

    Examples
    --------
    >>> normal("w₁"), normal("w¹"), len(normal("y" + chr(0x302)))
    ('w1', 'w1', 1)
    """
    return unicodedata.normalize("NFKC", name)


def in_python(formula: str, names: Collection[str] = (), functions: Collection[str] = ()) -> tuple[str, list[int]]:
    """Return a formula in Python's signs, and for each character the index in the formula from which it comes.

    Parameters
    ----------
    formula : str
        The formula.
    names : collection of str
        Names that have values: ``w¹`` is one of them, or else w to the power of 1.
    functions : collection of str
        The names of functions.

    Raises
    ------
    SpellingError
        If a sign stands where it has no meaning.

    Examples
    --------
    >>> in_python("2·√x + |y|²")[0]
    '2*sqrt(x) + abs(y)**(2)'
    """
    tokens = _tokens(formula, names)
    _check_powers(tokens, [name for name in functions if name not in names])
    opening, closing = _bare_roots(tokens)
    text = ""
    places: list[int] = []
    for i, token in enumerate(tokens):
        is_glued = token.kind in ("root", "fraction") and text[-1:].isalnum()
        written = " " * is_glued + _FORMS.get(token.kind, "{}").format(token.text)
        written += "(" * (i in opening) + ")" * closing[i]
        text += written
        one_to_one = len(written) == token.width
        places += [token.place + k * one_to_one for k in range(len(written))]
    return text, places


_FORMS = {"raised": "**({})", "|(": "abs(", "|)": ")"}


def _tokens(formula: str, names: Collection[str]) -> list[_Token]:
    """Return the parts of a formula; a bar opens where an operand is due, and closes behind one."""
    tokens: list[_Token] = []
    is_open: list[_Token] = []  # brackets and bars
    behind_operand = False
    at = 0
    while at < len(formula):
        token = _token(formula, at, names, behind_operand)
        innermost = is_open[-1] if is_open else None
        if token.kind == "|)":
            if innermost is None or innermost.kind == "(":
                if innermost is not None and any(other.kind == "|(" for other in is_open):
                    raise SpellingError(f"{innermost.text!r} was never closed", innermost.place)
                raise SpellingError("unknown operator '|'", at, "write * to multiply; |x| is the absolute value")
            is_open.pop()
        elif token.kind == ")" and innermost is not None:
            if innermost.kind == "|(":
                raise SpellingError("'|' was never closed", innermost.place)
            is_open.pop()
        elif token.kind in ("(", "|("):
            is_open.append(token)
        elif token.text == "=" and any(other.text == "[" for other in is_open):
            token = token._replace(text="==")  # as this library prints a choice: [1 if a = b else 0]
        tokens.append(token)
        if token.kind != "space":
            behind_operand = token.kind in ("name", "number", "fraction", "raised", ")", "|)")
        at += token.width
    if is_open and is_open[-1].kind == "|(":
        raise SpellingError("'|' was never closed", is_open[-1].place)
    return tokens


def _token(formula: str, at: int, names: Collection[str], behind_operand: bool) -> _Token:
    """Return the part of a formula that begins at an index."""
    sign = formula[at]
    name = _name(formula, at, names)
    if name:
        is_word = keyword.iskeyword(name) and name not in _WORDS
        return _Token("sign" if is_word else "name", normal(name), at, len(name))
    number = _NUMBER.match(formula, at)
    if number:
        return _Token("number", number[0], at, len(number[0]))
    if _raised(sign):
        end = next((k for k in range(at, len(formula)) if not _raised(formula[k])), len(formula))
        if not behind_operand:
            raise SpellingError(f"unexpected {sign!r}", at, "a power stands behind its base, as in x²")
        return _Token("raised", "".join(map(_raised, formula[at:end])), at, end - at)
    if sign in _BARS:
        return _Token("|)" if behind_operand else "|(", "|", at)
    if sign in _ROOTS:
        return _Token("root", _ROOTS[sign], at)
    if sign == "∞":
        return _Token("name", "inf", at)
    if unicodedata.decomposition(sign).startswith("<fraction>") and len(normal(sign)) > 2:
        return _Token("fraction", repr(unicodedata.numeric(sign)), at)
    if sign in _SUBSCRIPTS:
        raise SpellingError(f"unexpected {sign!r}", at, "an index stands behind a name, as in w₁")
    if sign.isspace() or unicodedata.category(sign) == "Cf":  # Cf: marks that can't be seen
        return _Token("space", " ", at)
    kind = "(" if sign in "([{" else ")" if sign in ")]}" else "sign"
    operator = _OPERATOR.match(formula, at)
    text = operator[0] if operator else sign
    return _Token(kind, _SIGNS.get(text, text), at, len(text))


_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"


def _raised(sign: str) -> str:
    """Return what a raised sign is on the line: ² is 2, ⁻ is -, ⁿ is n; empty for other signs."""
    return normal(sign).replace("−", "-") if unicodedata.decomposition(sign).startswith("<super>") else ""


def _name(formula: str, at: int, names: Collection[str]) -> str:
    """Return the name that begins at an index; empty if none does."""

    def end_from(end: int) -> int:
        while end < len(formula) and not _raised(formula[end]) and _belongs_to_a_name(formula[end]):
            end += 1
        return end

    if not formula[at].isidentifier() or _raised(formula[at]):
        return ""
    # A given name may have raised signs, as w¹ has in the lectures.
    given = [name for name in names if formula.startswith(name, at) and end_from(at + len(name)) == at + len(name)]
    return max([formula[at : end_from(at)], *given], key=len)


def _belongs_to_a_name(sign: str) -> bool:
    return sign in _SUBSCRIPTS or (sign not in _SIGNS and ("a" + sign).isidentifier())  # Python would take a·b for one


def _check_powers(tokens: list[_Token], functions: Collection[str]) -> None:
    """Raise an error at powers that can be read in two ways: sin²(x) and x²^3."""
    shown = [token for token in tokens if token.kind != "space"]
    for base, power, after in zip(shown, shown[1:], [*shown[2:], None], strict=False):
        if power.kind != "raised":
            continue
        if base.kind == "name" and base.text in functions:
            raise SpellingError(f"a power of the function {base.text!r} itself", power.place, f"write {base.text}(x)²")
        if after is not None and (after.kind == "raised" or after.text == "**"):
            raise SpellingError("a power of a power", after.place, "put the first one into brackets, as in (x²)³")


def _bare_roots(tokens: list[_Token]) -> tuple[set[int], Counter[int]]:
    """Return which roots have no brackets behind them, and how many of these end with which part."""
    opening: set[int] = set()
    closing: Counter[int] = Counter()
    for i, token in enumerate(tokens):
        if token.kind != "root":
            continue
        start = _next(tokens, i)
        if start is not None and tokens[start].text == "(":
            continue
        end = _end_of_operand(tokens, start)
        if start is None or end is None:
            raise SpellingError(f"{_sign_of(token)} of nothing", token.place, f"write {_sign_of(token)}(…)")
        after = _next(tokens, end)
        if after is not None and (tokens[after].kind == "raised" or tokens[after].text == "**"):
            two = f"write {_sign_of(token)}(x²), or {_sign_of(token)}(x)²"
            raise SpellingError(f"{_sign_of(token)} and a power without brackets", tokens[after].place, two)
        opening.add(i)
        closing[end] += 1
    return opening, closing


def _sign_of(root: _Token) -> str:
    return next(sign for sign, name in _ROOTS.items() if name == root.text)


def _next(tokens: list[_Token], i: int) -> int | None:
    """Return the index of the part behind one, but for blanks."""
    return next((k for k in range(i + 1, len(tokens)) if tokens[k].kind != "space"), None)


def _end_of_operand(tokens: list[_Token], start: int | None) -> int | None:
    """Return the index of the last part of the operand that begins with a part: a number, x, f(x), |x|, √x."""
    if start is None or tokens[start].kind not in ("name", "number", "fraction", "(", "|(", "root"):
        return None
    after = _next(tokens, start)
    if tokens[start].kind == "root":
        return _end_of_operand(tokens, after)
    if tokens[start].kind == "name":  # a call, if there is a bracket
        is_call = after is not None and tokens[after].text == "("
        return _end_of_operand(tokens, after) if is_call else start
    if tokens[start].kind in ("number", "fraction"):
        return start
    depth = 0
    for k in range(start, len(tokens)):
        depth += (tokens[k].kind in ("(", "|(")) - (tokens[k].kind in (")", "|)"))
        if depth == 0:
            return k
    return None
