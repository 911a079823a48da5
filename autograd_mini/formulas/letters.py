r"""The letters and signs of a name as LaTeX that pdflatex, with amsmath alone, and KaTeX both typeset.

- What mathematics has a sign for is that sign: θ is ``\theta``, ℒ ``\mathcal{L}``, ŷ ``\hat{y}``; ᵢ is an index.
- Letters with accents in a word, as in größe, stay as they are, in text.
- What LaTeX has no letter for without further packages, such as 中 and emoji, stays as it is, as notebooks show it; for
  LaTeX `portable` puts its number there, U+4E2D.

Nothing of the package is imported here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby

_ESCAPED = {**{sign: f"\\{sign}" for sign in "{}$&#_%"}, "\\": "\\backslash", "^": "\\hat{\\ }", "~": "\\sim"}
_NOT_IN_TEXT = frozenset("\\^~<>|")  # ASCII of which text has no sign, or shows another one
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi"
GREEK = frozenset(f"{_GREEK} omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split())
_SIGNS = {
    sign: f"\\{name}"
    for signs, names in [
        ("αβγδζηθικλμνξπρστυχψω", _GREEK.replace("epsilon ", "", 1).replace("phi ", "") + " omega"),
        ("εφϵϕϑϖϱς", "varepsilon varphi epsilon phi vartheta varpi varrho varsigma"),
        ("ΓΔΘΛΞΠΣΥΦΨΩ", "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"),
        (
            "∂∇∞ℓℏℵ∅∀∃¬√∠⊥⊤∥",
            "partial nabla infty ell hbar aleph emptyset forall exists neg surd angle perp top parallel",
        ),
        ("∑∏∫∮·⋅×÷±∓∗∘•", "sum prod int oint cdot cdot times div pm mp ast circ bullet"),
        ("⊙⊗⊕⊖∧∨∩∪⋆†‡", "odot otimes oplus ominus wedge vee cap cup star dagger ddagger"),
        ("≤≥≠≈≡∼∝≪≫«»", "le ge neq approx equiv sim propto ll gg ll gg"),
        ("∈∋⊂⊃⊆⊇∣", "in ni subset supset subseteq supseteq mid"),
        ("→←↔↑↓⇒⇐⇔↦", "to leftarrow leftrightarrow uparrow downarrow Rightarrow Leftarrow Leftrightarrow mapsto"),
        ("…⋯⋮⟨⟩⌈⌉⌊⌋‖", "dots cdots vdots langle rangle lceil rceil lfloor rfloor Vert"),
        ("£§¶©ıȷ", "pounds S P copyright imath jmath"),
    ]
    for sign, name in zip(signs, names.split(), strict=True)
}
_SIGNS |= {letter: f"\\mathrm{{{like}}}" for letter, like in zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧ", "ABEZHIKMNOPTX", strict=True)}
_SIGNS |= {"ο": "o", "−": "-", "′": "'", "″": "''", "‴": "'''", "’": "'", "‘": "`", "°": "{{}^{\\circ}}"}
_SIGNS |= {"“": "\\text{``}", "”": "\\text{''}", "–": "\\text{--}", "—": "\\text{---}", "⁄": "/"}
_PRIMES = "'’′″‴"
_ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar",
    "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring", "\u030c": "check", "\u20d7": "vec",
}  # fmt: skip
_FONTS = {
    "DOUBLE-STRUCK": "mathbf",
    "BOLD": "mathbf",
    "SCRIPT": "mathcal",
    "SANS-SERIF": "mathsf",
    "MONOSPACE": "mathtt",
}
_CLUSTER = re.compile(r"[^{}$&#_%\\^~][\u0300-\u036f\u20d0-\u20ff]*|.", re.DOTALL)
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=[`?!])(?=`)")  # two of these would become another sign
# The letters beyond ASCII that pdflatex has in its first font: most of those of Latin-1 and Latin Extended-A.
_LETTERS = frozenset({chr(c) for c in range(0xC0, 0x180)} - set("×÷ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ"))
_OTHERS = re.compile(f"[^\x00-\x7f{''.join(_LETTERS)}]+")


def word(name: str) -> str:
    r"""Return a name of several letters as LaTeX in a formula: upright, its signs as they are in mathematics.

    Examples
    --------
    >>> word("a_b"), word("Δw"), word("größe")
    ('\\mathrm{a\\_b}', '\\mathrm{\\Delta w}', '\\textrm{größe}')
    """
    clusters = _clusters(name)
    if any(map(_is_text, clusters)):
        return in_text(name, "textrm")
    return f"\\mathrm{{{_joined(map(_in_formula, clusters))}}}"


def in_text(words: str, command: str = "text") -> str:
    r"""Return words as LaTeX in a formula, in which blanks stay, as they don't in a name.

    Examples
    --------
    >>> in_text("w_1 has changed"), in_text("θ = 1")
    ('\\text{w\\_1 has changed}', '{\\theta\\text{ = 1}}')
    """
    parts: list[str] = []
    for is_text, run in groupby(_clusters(words), lambda c: (c.isascii() and c not in _NOT_IN_TEXT) or _is_text(c)):
        if is_text:
            parts.append(f"\\{command}{{{_LIGATURE.sub('{}', ''.join(_ESCAPED.get(c, c) for c in run))}}}")
        else:
            parts += map(_in_formula, run)
    return f"{{{_joined(parts)}}}" if len(parts) > 1 else _joined(parts) or f"\\{command}{{}}"


def letter(name: str) -> str | None:
    r"""Return a single letter, or the name of a Greek one, with its accents, primes, indices and powers; else None.

    Examples
    --------
    >>> letter("ŷ"), letter("theta_1"), letter("x′"), letter("θᵏ⁺¹"), letter("loss")
    ('\\hat{y}', '\\theta_{1}', "x'", '\\theta^{k+1}', None)
    """
    head = re.match(r"[A-Za-z]+|", name)[0]  # type: ignore[index]
    first, *rest = [head, *_clusters(name[len(head) :])] if head in GREEK else _clusters(name) or [""]
    if head in GREEK:
        written = f"\\{head}"
    elif first[:1].isalpha() or (first in _SIGNS and first not in _PRIMES):
        written = _in_formula(first)
    else:
        return None
    index = re.fullmatch(rf"_?([0-9]*)([{_PRIMES}]*)", "".join(rest))
    if index is not None and (index[1] or "_" not in rest):
        return written + (f"_{{{index[1]}}}" if index[1] else "") + "".join(map(_in_formula, index[2]))
    runs = [(kind, "".join(inner for _, inner in run)) for kind, run in groupby(map(_script, rest), lambda one: one[0])]
    kinds = [kind for kind, _ in runs]
    if "" in kinds or len(kinds) > 2 or len(set(kinds)) < len(kinds):
        return None
    return written + "".join(f"{kind}{{{_joined(map(_in_formula, inner))}}}" for kind, inner in runs)


def has_scripts(name: str) -> bool:
    """Return whether there is an index or a power in a name: ᵢ, ².

    Examples
    --------
    >>> has_scripts("xᵢ"), has_scripts("x1")
    (True, False)
    """
    return not name.isascii() and any(_script(sign)[0] for sign in name)


def portable(latex: str) -> str:
    r"""Return LaTeX that this library wrote, with the number of every character that needs a further package.

    Examples
    --------
    >>> portable(word("中 1"))
    '\\textrm{U+4E2D 1}'
    """
    if latex.isascii():
        return latex
    return _OTHERS.sub(lambda run: " ".join([f"U+{ord(c):04X}" for c in run[0]]), latex)


def _clusters(name: str) -> list[str]:
    """Return the characters of a text, each with the accents on it; where there is one with both, that."""
    return list(name) if name.isascii() else _CLUSTER.findall(unicodedata.normalize("NFC", name))


def _is_text(cluster: str) -> bool:
    """Return whether something is written as text: a letter with an accent, or what mathematics has no sign for."""
    return cluster in _LETTERS or (not cluster.isascii() and _sign(cluster) is None)


def _in_formula(cluster: str) -> str:
    """Return a character as LaTeX in a formula."""
    found = _sign(cluster)
    return in_text(cluster, "textrm") if found is None else found


@lru_cache(maxsize=4096)
def _sign(cluster: str) -> str | None:
    """Return a character as a sign of mathematics; None where there is none."""
    if cluster.isascii():
        return "\\ " if cluster.isspace() else _ESCAPED.get(cluster, cluster)
    if cluster in _SIGNS:
        return _SIGNS[cluster]
    base, *marks = list(unicodedata.normalize("NFD", cluster))
    if marks:
        inner = _sign(base)
        if inner is None or not all(mark in _ACCENTS for mark in marks):
            return None
        inner = f"\\{base}math" if base in "ij" else inner
        for mark in marks:
            inner = f"\\{_ACCENTS[mark]}{{{inner}}}"
        return inner
    tag, *codes = unicodedata.decomposition(cluster).split() or [""]
    inner = "".join(chr(int(code, 16)) for code in codes)
    if unicodedata.category(cluster) == "Zs":
        return "\\ "
    if not inner or tag[:1] != "<" or any(_sign(c) is None for c in inner):
        return None
    if tag == "<fraction>" and len(parts := inner.split("\u2044")) == 2:
        return f"\\tfrac{{{parts[0]}}}{{{parts[1]}}}"
    written = _joined(_sign(c) or "" for c in inner)
    name = unicodedata.name(cluster, "")
    font = next((font for word, font in _FONTS.items() if word in name), "") if tag == "<font>" else ""
    if font and inner.isascii() and not (font == "mathcal" and not inner.isupper()):
        return f"\\{font}{{{written}}}"
    return {"<super>": f"{{{{}}^{{{written}}}}}", "<sub>": f"{{{{}}_{{{written}}}}}", "<circle>": f"({written})"}.get(
        tag, written
    )


def _script(sign: str) -> tuple[str, str]:
    """Return "^" or "_" and what stands there, of a character that is above or below the line."""
    tag, *codes = (unicodedata.decomposition(sign) if len(sign) == 1 else "").split() or [""]
    return {"<super>": "^", "<sub>": "_"}.get(tag, ""), "".join(chr(int(code, 16)) for code in codes)


def _joined(parts: Iterable[str]) -> str:
    """Return parts in a row, with a blank where a command would run into a letter."""
    return re.sub(r"(\\[A-Za-z]+)\x00(?=[A-Za-z])", r"\1 ", "\x00".join(parts)).replace("\x00", "")
