"""Lines of arithmetic, read as a strict reader does: is it true to its digits, and does each symbol have one number?

A line is ``a = b = c``; a part of it is a number, arithmetic in numbers, or names. What the parts come to must be the
same number, as far as the printed digits say; a derivative, ``∂L/∂x`` or ``tanh′(z)``, has the same number wherever it
stands, and no part of a line says what another one does.
"""

from __future__ import annotations

import math
import random
import re
from itertools import pairwise

from autograd_mini import (
    Parameter,
    Value,
    cos,
    exp,
    log,
    logsumexp,
    maximum,
    minimum,
    relu,
    sigmoid,
    softmax,
    sqrt,
    tanh,
    where,
)
from autograd_mini.formulas.expression import format_number

_NUMBER = r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]\d+)?(?![\w.])"
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
# A total, or a local derivative with the formula of its operation in the place of a name.
DERIVATIVE = re.compile(
    r"∂(?:\((?:[^∂]*)\)|[^∂()\s]+(?:\([^∂]*?\))?|\|[^∂]*\||\[[^∂]*\])/∂[^\s∂()·=+\]]+(?:\(\d+\))?|\w+′\([^′∂]*\)"
)
_FIRST = "\U000f0000"  # of the letters that stand for derivatives
_FUNCTIONS = {
    **{name: getattr(math, name) for name in ("exp", "tanh", "log", "cos", "sin", "sqrt", "expm1", "log1p")},
    "sign": lambda x: (x > 0) - (x < 0),
    "σ": lambda x: 1 / (1 + math.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(x, 0.0),
    "max": lambda *a: max(a),
    "min": lambda *a: min(a),
    "where": lambda c, a, b: a if c else b,
    "logsumexp": lambda *a: math.log(sum(map(math.exp, a))),
    "softmax": lambda *a: math.exp(a[0]) / sum(map(math.exp, a)),
    "inf": math.inf,
}


def parts(line):
    """Split a line at its equals signs; those inside of a choice, ``[1 if a = b else 0]``, belong to it."""
    found, depth = [""], 0
    for piece in re.split(r"([\[\]]| = )", line):
        depth += (piece == "[") - (piece == "]")
        if piece == " = " and depth == 0:
            found.append("")
        else:
            found[-1] += piece
    return [part.strip() for part in found]


def value(part):
    """What a part in numbers comes to, and how far from it the true number may be; None for a part with names."""
    code = re.sub(r"[⁻⁰¹²³⁴-⁹]+", lambda m: f"**({m[0].translate(_RAISED)})", part)
    code = re.sub(r"\|([^|]*)\|", r"abs(\1)", code).replace("·", "*").replace("^", "**").replace("≥", ">=")
    code = re.sub(r"(?<![<>=])=(?!=)", "==", code).replace("√", "sqrt").replace("π", str(math.pi))
    while True:
        chosen = re.sub(r"\[([^\[\]]*?) if ([^\[\]]*?) else ([^\[\]]*)\]", r"((\1) if (\2) else (\3))", code)
        if chosen == code:
            break
        code = chosen
    literals = [float(m[0]) for m in re.finditer(_NUMBER, code)]
    places = iter(range(len(literals)))
    template = re.sub(_NUMBER, lambda m: f"n[{next(places)}]", code)
    if (
        "…" in part
        or set(re.findall(r"[^\W\d]\w*", template)) - {"n", "if", "else", "abs", "or", "and"} - _FUNCTIONS.keys()
    ):
        return None

    def at(numbers):
        return float(eval(template, {"__builtins__": {}, "abs": abs, "n": numbers, **_FUNCTIONS}))

    try:
        middle = at(literals)
        moved = [
            max(
                abs(at([x + sign * last_digit(x) if i == k else x for i, x in enumerate(literals)]) - middle)
                for sign in (1, -1)
            )
            for k in range(len(literals))
        ]
    except (ArithmeticError, ValueError, TypeError):  # outside of its domain, in so few digits; a complex number
        return math.nan, math.inf
    return middle, sum(moved)


def last_digit(x, digits=4):
    """How far from a printed number the true one may be."""
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(x))) - digits + 1) if x and math.isfinite(x) else 0.0


def check(line, known):
    """Fail if a line is false or says nothing; `known` maps each derivative to its number, and grows."""
    told = parts(line)
    assert len(told) == len(set(told)), f"a bare identity: {line}"
    numbers = [value(part) for part in told[1:]]
    found = [(part, *number) for part, number in zip(told[1:], numbers, strict=True) if number is not None]
    if not found:
        return
    result, *_ = found[-1][1:]
    for part, number, doubt in found[:-1]:
        if math.isfinite(number) and math.isfinite(result):
            assert abs(number - result) <= 1.01 * (doubt + last_digit(result)) + 1e-12, f"{part} isn't {result}: {line}"
    _note(told[0], result, known, line)
    # In names and in numbers: each factor that is a derivative is the number that stands in its place.
    for named, in_numbers in pairwise(told):
        hidden, symbols = _hidden(named)
        factors, given = (re.split(r"·| \+ ", part) for part in (hidden, in_numbers))
        if len(factors) == len(given) > 1 and value(named) is None and value(in_numbers) is not None:
            for factor, text in zip(factors, given, strict=True):
                if len(factor) == 1 and factor >= _FIRST and (found_number := value(text)) is not None:
                    _note(symbols[ord(factor) - ord(_FIRST)], found_number[0], known, line)


def _hidden(part):
    """A part with a letter in the place of each derivative, so that the signs in these are out of the way."""
    symbols = []
    return DERIVATIVE.sub(lambda m: symbols.append(m[0]) or chr(ord(_FIRST) + len(symbols) - 1), part), symbols


def _note(symbol, number, known, line):
    if DERIVATIVE.fullmatch(symbol):
        before = known.setdefault(symbol, number)
        assert same(before, number), f"{symbol} is {before} elsewhere: {line}"


def same(a, b):
    return format_number(a, 4) == format_number(b, 4)


def random_graph(seed):
    """A graph of a dozen nodes: constants, inputs and parameters, nodes used twice, edges into the root."""
    r = random.Random(seed)
    names = r.sample(["x", "y", "w1", "w2", "b", "α", "long_name", "a¹₂"], 4)
    kinds = [Value, Parameter, Value, Parameter]
    nodes = [
        kind(round(r.uniform(-2, 2), r.choice([0, 1, 3])), label=name) for kind, name in zip(kinds, names, strict=True)
    ]
    unary = [
        tanh,
        sigmoid,
        relu,
        exp,
        lambda a: -a,
        lambda a: a**2,
        lambda a: a**3,
        lambda a: log(a * a + 1),
        lambda a: sqrt(abs(a) + 0.5),
        cos,
        abs,
        lambda a: a * a,
        lambda a: a * a + a,
        lambda a: 2 * a,
        lambda a: a - 1,
    ]
    binary = [
        lambda a, b: a * b,
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a / (b * b + 1.0),
        maximum,
        minimum,
        lambda a, b: sum_of([a, b, a]),
        lambda a, b: logsumexp(a, b),
        lambda a, b: softmax([a, b])[0],
        lambda a, b: where(a > b, a * 2, b),
        lambda a, b: (a * a + 0.5) ** b,
        lambda a, b: a * 3.0 + b * a,
    ]
    for k in range(r.randint(2, 6)):
        a, b = r.choice(nodes[-4:]), r.choice(nodes)
        node = r.choice(unary)(a) if r.random() < 0.45 else r.choice(binary)(a, b)
        if not math.isfinite(node.data) or abs(node.data) > 1e4:
            continue
        if r.random() < 0.4:
            node.label = f"h{k + 1}"
        nodes.append(node)
    return nodes[-1] if nodes[-1].primitive is not None else nodes[-1] * nodes[-1]


def sum_of(nodes):
    return sum(nodes[1:], nodes[0])
