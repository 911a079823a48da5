"""Formulas typed by a user, such as ``tanh(w*x + b)``, as graphs of labelled Values.

The signs of mathematics are put into Python's (`spelling`), and Python's own `ast` reads the formula. Then each part is
built if it is one of those allowed: arithmetic, numbers, names that have values, the functions of
`autograd_mini.engine.functions` and those that `operation` made. Nothing is evaluated as code.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from inspect import Parameter as Argument
from inspect import signature
from typing import Any

from autograd_mini.engine import functions
from autograd_mini.engine.defining import own_operation
from autograd_mini.engine.primitives import PRIMITIVES
from autograd_mini.engine.value import Constant, Value
from autograd_mini.formulas.spelling import SpellingError, in_python, normal

FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(functions, name) for name in functions.__all__}
# Other spellings: those in which this library prints and draws them, and those of textbooks and of Python.
_ALIASES = {
    **{p.symbol: name for name, p in PRIMITIVES.items() if p.symbol.isidentifier() and p.symbol not in FUNCTIONS},
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
}
# Python 3.10 dies of a chain of 200,000 operations, 3.11 and 3.12 refuse 3,000, later ones 50,000.
_DEEPEST = 5_000
_PLACES_OF_DEPTH = re.compile(r"[-+*/%@<>|&^~=]+|\.(?!\d)|[][(){},]")
_CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


def _arguments(name: str) -> list[Argument]:
    return list(signature(FUNCTIONS[name]).parameters.values())


def _is_sequence(argument: Argument) -> bool:
    return str(argument.annotation).startswith(("Iterable", "Sequence"))


# Of these the arguments may be as many as one likes, or one list: f(a, b) is f([a, b]).
_ONE_LIST = [name for name in FUNCTIONS if len(_arguments(name)) == 1 and _is_sequence(_arguments(name)[0])]
_ONE_OR_MORE = [name for name in FUNCTIONS if any(a.kind is Argument.VAR_POSITIONAL for a in _arguments(name))]
_ONE_OR_MORE += _ONE_LIST
_TAKES_LISTS = sorted({*_ONE_OR_MORE, *(name for name in FUNCTIONS if any(map(_is_sequence, _arguments(name))))})
_SIGNS = ("<", "<=", ">", ">=", "==")

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}
_OTHER_OPERATORS: dict[type[ast.operator], str] = {
    ast.BitXor: "^",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.MatMult: "@",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
}
_UNKNOWN_FORMS: dict[type[ast.AST], str] = {
    ast.Attribute: "attribute, a name after a dot,",
    ast.Subscript: "index in square brackets",
    ast.Lambda: "lambda",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.IfExp: "if",
    ast.BoolOp: "'and' or 'or'",
    ast.NamedExpr: "assignment",
    ast.JoinedStr: "text in quotes",
    ast.Starred: "* before an argument",
    ast.List: "list outside of " + ", ".join(_TAKES_LISTS),
    ast.Tuple: "comma outside of a function",
}

_WORDS = ("and", "else", "if", "not", "or", "False", "None", "True")  # those that Python's arithmetic may have
_SHOWN = 60  # how many characters of a long formula a message shows


class FormulaError(ValueError):
    """A formula can't be read or built.

    Parameters
    ----------
    problem : str
        What is wrong.
    source : str
        The formula.
    column : int
        Where, counted from 1; 0 where the problem is at no place in particular.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, problem: str, source: str, column: int = 0, hint: str = "") -> None:
        super().__init__(problem, source, column, hint)
        self.problem, self.source, self.column, self.hint = problem, source, column, hint

    @property
    def one_line(self) -> str:
        """The message as one line: ``column 8: unknown function 'foo' in "tanh(w*foo(x))"; known: …``."""
        place = f"column {self.column}: " if self.column else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f'{place}{self.problem} in "{self._excerpt()[0]}"{hint}'

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        excerpt, caret = self._excerpt()
        pointer = f"\n  {' ' * caret}^" if self.column else ""
        return f"{self.problem}{hint}\n  {excerpt}{pointer}"

    def _excerpt(self) -> tuple[str, int]:
        """Return the formula, or the part of a long one around the place, and where in it the place is."""
        source, at = self.source.translate(str.maketrans("\n\r\t", "   ")), max(self.column - 1, 0)
        if len(source) <= _SHOWN:
            return source, at
        start = min(max(at - _SHOWN // 2, 0), len(source) - _SHOWN)
        before, after = "…" if start else "", "…" if start + _SHOWN < len(source) else ""
        return before + source[start : start + _SHOWN] + after, at - start + len(before)


def parse(source: str, /, **values: Any) -> Value:
    """Return the graph of a formula at the given values.

    Two uses of one name are one node. A formula may have + - * / ** and brackets, numbers, pi and e, the functions of
    `autograd_mini.engine.functions`, and comparisons as the condition of ``where``. It may also be written as this
    library prints it: ``√x``, ``|x|``, ``x²``, ``a^b``, ``w·x``, ``[a if x > 0 else b]``.

    Parameters
    ----------
    source : str
        The formula.
    **values : number or Value
        A value for each name in it; a number becomes a leaf with the name as its label.

    Returns
    -------
    Value
        The root of the graph.

    Raises
    ------
    FormulaError
        If the formula can't be read, has something in it that isn't allowed, or a value is missing or isn't used.
    TypeError
        If a value is no real number.

    Examples
    --------
    >>> u = parse("tanh(w*x + b)", w=0.5, x=2, b=0.1)
    >>> round(u.data, 4)
    0.8005
    >>> parse("tanh(w*foo(x))", w=0.5, x=2)
    Traceback (most recent call last):
        ...
    autograd_mini.formulas.parse.FormulaError: unknown function 'foo'; known: abs, ...
      tanh(w*foo(x))
             ^
    """
    try:
        return _Builder(source, values).root()
    except (RecursionError, MemoryError):
        raise FormulaError("too many operations inside one another", source) from None


def names_in(source: str) -> list[str]:
    """Return the names in a formula that need values, in the order in which they first stand there.

    Raises
    ------
    FormulaError
        If the formula can't be read.

    Examples
    --------
    >>> names_in("tanh(w₁*x + b) + pi")
    ['w1', 'x', 'b']
    """
    try:
        tree = _Builder(source, {}).tree()
    except (RecursionError, MemoryError):
        raise FormulaError("too many operations inside one another", source) from None
    called = {part.func for part in ast.walk(tree) if isinstance(part, ast.Call)}
    names = [part for part in ast.walk(tree) if isinstance(part, ast.Name) and part not in called]
    names.sort(key=lambda part: (part.lineno, part.col_offset))
    known = {*_CONSTANTS, *FUNCTIONS, *_ALIASES}
    return list(dict.fromkeys(part.id for part in names if part.id not in known))


def _depth(spelled: str) -> int:
    """Return how many operations stand inside one another at most, in a formula in Python's signs."""
    levels, deepest, depth = [0], 0, 0  # how many there are in each open bracket since the last comma, and all together
    for sign in _PLACES_OF_DEPTH.findall(spelled):
        if sign in "([{":
            levels.append(0)
        elif sign == ",":
            depth, levels[-1] = depth - levels[-1], 0
        else:
            if sign in ")]}" and len(levels) > 1:
                depth -= levels.pop()
            depth, levels[-1] = depth + 1, levels[-1] + 1
            deepest = max(deepest, depth)
    return deepest


def _first_error(part: str) -> SyntaxError | None:
    """Return what Python says of two parts beside one another when no bracket is around them."""
    try:
        ast.parse(part, mode="eval")
    except SyntaxError as error:
        return error
    return None


class _Builder:
    """The building of one formula's graph."""

    def __init__(self, source: str, values: Mapping[str, Any]) -> None:
        self.source = source
        self.names = list(values)
        self.given: dict[str, Value] = {}
        for name, value in values.items():
            same = next((other for other in self.names if normal(other) == normal(name)), name)
            if same != name:
                raise FormulaError(f"{same!r} and {name!r} are one name", source)
            self.given[normal(name)] = value if isinstance(value, Value) else Value(value, label=normal(name))
        self.used: set[str] = set()
        self.constants: dict[str, Constant] = {}

    def error(self, place: ast.expr, problem: str, hint: str = "") -> FormulaError:
        """Return the error that something is wrong at a part of the formula."""
        return FormulaError(problem, self.source, self.start(place) + 1, hint)

    def start(self, place: ast.expr) -> int:
        """Return the index of a part's first character; ast counts bytes."""
        return self.place(len(self.spelled.encode()[: place.col_offset].decode()))

    def place(self, index: int) -> int:
        """Return where in the formula something stood that has an index in Python's spelling of it."""
        return self.places[index] if index < len(self.places) else self.places[-1] + 1

    def root(self) -> Value:
        """Return the whole formula's node."""
        root = self.node(self.tree())
        unused = [name for name in self.given if name not in self.used]
        if unused:
            named = ", ".join(sorted(self.used)) or "no names"
            hint = _suggestion(unused[0], dict.fromkeys(self.used)) or f"it uses {named}"
            raise FormulaError(f"a value was given for {unused[0]!r}, which isn't", self.source, 0, hint)
        return root

    def tree(self) -> ast.expr:
        """Return the formula as Python's own tree."""
        try:
            spelled, places = in_python(self.source, self.names, [*FUNCTIONS, *_ALIASES])
        except SpellingError as error:
            raise FormulaError(error.problem, self.source, error.place + 1, error.hint) from None
        self.spelled = spelled.strip()
        self.places = places[len(spelled) - len(spelled.lstrip()) :][: len(self.spelled)]
        if not self.spelled:
            raise FormulaError("nothing to compute", self.source)
        if "#" in self.spelled:  # Python would take the rest for a comment
            raise FormulaError("unexpected '#'", self.source, self.place(self.spelled.index("#")) + 1)
        if _depth(self.spelled) > _DEEPEST:
            raise FormulaError("too many operations inside one another", self.source)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about spellings that are errors here anyway
                return ast.parse(self.spelled, mode="eval").body
        except SyntaxError as error:
            raise self.syntax_error(error) from None
        except ValueError:  # a null byte, half a surrogate pair
            raise FormulaError("a character that isn't text", self.source) from None

    def syntax_error(self, error: SyntaxError) -> FormulaError:
        """Return Python's complaint in words that fit a formula."""
        at = min(max((error.offset or 1) - 1, 0), len(self.spelled))
        if not error.offset or (error.lineno or 1) > 1:  # Python looked for more on the next line
            at = len(self.spelled)
        message, hint = (error.msg or "invalid syntax").split(" (detected")[0], ""
        if "forgot a comma" in message and (found := _first_error(self.spelled[at : (error.end_offset or 0) - 1])):
            at, message = at + (found.offset or 1) - 1, found.msg  # Python marks both factors; the gap is wanted
        before, here = self.spelled[:at].rstrip()[-1:], self.spelled[at : at + 1]
        column = self.place(at) + 1
        shown = self.source[column - 1 : column]
        word = self.word_at(at)
        if "null bytes" in message:
            return FormulaError("a character that isn't text", self.source)
        if "too many nested" in message or "recursion" in message.lower():
            return FormulaError("too many operations inside one another", self.source)
        if message.startswith("Exceeds the limit"):
            message, hint = "too large a number", "the largest is about 1.8e308"
        elif word is not None:
            column, message = self.place(word.start()) + 1, f"{word[0]!r} is a word of Python's"
            hint = f"choose another name, such as {word[0]}_"
        elif here == "=":
            message, hint = "unexpected '='", "write only what is to be computed"
        elif message.startswith(("invalid decimal", "invalid syntax", "invalid imaginary")):
            is_number = "decimal" in message
            message = f"unexpected {shown!r}" if here else "an unfinished formula"
            factors = (before.isalnum() or before == ")") and (here.isalnum() or here in ("_", "("))
            if factors or is_number:
                message, hint = "something missing between two factors", "write * to multiply, as in 2*x"
            function = re.search(r"([^\W\d]\w*)\s+$", self.spelled[:at])
            if factors and function and function[1] in {*FUNCTIONS, *_ALIASES} - set(self.names):
                argument = re.match(r"[\w.]+\b(?!\s*\()", self.spelled[at:])
                message, hint = "missing brackets", f"write {function[1]}({argument[0] if argument else '…'})"
        return FormulaError(message, self.source, column, hint)

    def word_at(self, index: int) -> re.Match[str] | None:
        """Return the word of Python's that can't be read: one that no formula has, or one at an index."""
        words = [word for word in re.finditer(r"\w+", self.spelled) if keyword.iskeyword(word[0])]
        return next((word for word in words if word[0] not in _WORDS or word.start() == index), None)

    def node(self, part: ast.expr) -> Value:
        """Return the node of a part of the formula."""
        if isinstance(part, ast.Constant):
            return self.number(part)
        if isinstance(part, ast.Name):
            return self.name(part)
        if isinstance(part, ast.BinOp):
            return self.binary(part)
        if isinstance(part, ast.UnaryOp):
            return self.unary(part)
        if isinstance(part, ast.Call):
            return self.call(part)
        if isinstance(part, ast.Compare):
            raise self.error(part, "a comparison stands only first in where", "as in where(x > 0, x, 0)")
        if choice := _choice_in(part):
            return self.choice(choice)
        if isinstance(part, ast.Tuple) and not part.elts:
            raise self.error(part, "nothing between the brackets")
        hint = "write where(condition, a, b)" if isinstance(part, ast.IfExp) else ""
        raise self.error(part, "unexpected " + _UNKNOWN_FORMS.get(type(part), "form that isn't arithmetic"), hint)

    def choice(self, part: ast.IfExp) -> Value:
        """Return the node of a choice as it is printed, ``[a if condition else b]``."""
        result: Value = functions.where(self.condition(part.test), self.node(part.body), self.node(part.orelse))
        return result

    def number(self, part: ast.Constant) -> Value:
        """Return the constant for a number."""
        if type(part.value) not in (int, float):
            kinds = {str: "text in quotes", bytes: "text in quotes", complex: "complex number"}
            raise self.error(part, f"unexpected {kinds.get(type(part.value), repr(part.value))}", "write a real number")
        written: Any = part.value
        try:
            constant = Constant(float(written))
        except OverflowError:
            constant = Constant(math.inf)
        if math.isinf(constant.data):
            raise self.error(part, "too large a number", "the largest is about 1.8e308")
        return constant

    def name(self, part: ast.Name) -> Value:
        """Return the leaf of a name."""
        name = part.id
        if name in self.given:
            self.used.add(name)
            return self.given[name]
        if name in _CONSTANTS:
            return self.constants.setdefault(name, Constant(_CONSTANTS[name], label=name))
        if name in FUNCTIONS or name in _ALIASES:
            raise self.error(part, f"the function {name!r} without an argument", f"write {name}(…)")
        known = ", ".join(self.given) or "none"
        raise self.error(part, f"no value for {name!r}", _suggestion(name, self.given) or f"values given: {known}")

    def binary(self, part: ast.BinOp) -> Value:
        """Return the node of an operator between two parts; a long sum goes on and on to the left."""
        chain = [part]
        while isinstance(left := chain[-1].left, ast.BinOp):
            chain.append(left)
        for one in chain:
            self.check_operator(one)
        result = self.node(left)
        for one in reversed(chain):
            result = _BINARY[type(one.op)](result, self.node(one.right))
        return result

    def check_operator(self, part: ast.BinOp) -> None:
        """Raise an error if the operator between two parts is none of a formula's."""
        if type(part.op) not in _BINARY:
            sign = _OTHER_OPERATORS[type(part.op)]
            between = self.spelled.encode()[part.left.end_col_offset : part.right.col_offset].decode().find(sign)
            end = len(self.spelled.encode()[: part.left.end_col_offset].decode())
            hint = "known: + - * / **"
            raise FormulaError(f"unknown operator {sign!r}", self.source, self.place(end + between) + 1, hint)

    def unary(self, part: ast.UnaryOp) -> Value:
        """Return the node of a sign before a part; -2 is a number and no operation."""
        if isinstance(part.op, ast.USub):
            operand = self.node(part.operand)
            return Constant(-operand.data) if isinstance(part.operand, ast.Constant) else -operand
        if isinstance(part.op, ast.UAdd):
            return self.node(part.operand)
        raise self.error(part, "unknown operator 'not'" if isinstance(part.op, ast.Not) else "unknown operator '~'")

    def call(self, part: ast.Call) -> Value:
        """Return the node of a function of parts."""
        if not isinstance(part.func, ast.Name):
            if type(part.func) in _UNKNOWN_FORMS:
                raise self.error(part.func, f"unexpected {_UNKNOWN_FORMS[type(part.func)]}")
            raise self.error(part, "no function before a bracket", "write * to multiply")
        name = _ALIASES.get(part.func.id, part.func.id)
        if name in FUNCTIONS and part.func.id in self.given:
            raise FormulaError(f"{part.func.id!r} is a function and can't be given a value", self.source)
        own = own_operation(name)
        if name not in FUNCTIONS and own is None:
            raise self.unknown_function(part.func)
        if part.keywords:
            raise self.error(part, f"unexpected argument by name for {name!r}", "write arguments without their names")
        if own is None:
            self.check_count(part, name)
        arguments = [self.argument(name, i, argument) for i, argument in enumerate(part.args)]
        if name == "dot" and not all(isinstance(argument, list) for argument in arguments[:2]):
            raise self.error(part, "dot of something else than two lists", "as in dot([w1, w2], [x1, x2], b)")
        if name in _ONE_LIST and not isinstance(arguments[0], list):
            arguments = [arguments]
        try:
            result = (own or FUNCTIONS[name])(*arguments)
        except (TypeError, ValueError, IndexError) as error:
            raise self.error(part, f"wrong arguments of {name!r} ({error})") from None
        node: Value = result[0] if isinstance(result, list) else result  # softmax(a, b) is the share of a
        return node

    def unknown_function(self, func: ast.Name) -> FormulaError:
        """Return the error about a call of something that isn't a function."""
        if func.id in self.given or func.id in _CONSTANTS:
            return self.error(func, f"{func.id!r} is a number and no function", f"write {func.id}*(…) to multiply")
        hint = _suggestion(func.id, FUNCTIONS) or f"known: {', '.join(FUNCTIONS)}"
        return self.error(func, f"unknown function {func.id!r}", hint)

    def check_count(self, part: ast.Call, name: str) -> None:
        """Raise an error if a function has more arguments than it takes, or fewer."""
        takes = signature(FUNCTIONS[name]).parameters.values()
        least = sum(argument.default is Argument.empty for argument in takes)
        most = math.inf if name in _ONE_OR_MORE else len(takes)
        if not least <= len(part.args) <= most:
            between = "or" if most == least + 1 else "to"
            bounds = f"{least} or more" if most == math.inf else f"{least} {between} {most}"
            expected = f"{least}" if least == most else bounds
            plural = "" if expected == "1" else "s"
            raise self.error(part, f"{name} takes {expected} argument{plural}, got {len(part.args)},")

    def argument(self, name: str, place: int, part: ast.expr) -> Any:
        """Return an argument of a function: a node, a list of nodes, or the condition of where."""
        if name == "where" and place == 0:
            return self.condition(part)
        if name in _TAKES_LISTS and _choice_in(part) is None and isinstance(part, (ast.List, ast.Tuple)):
            return [self.node(element) for element in part.elts]
        return self.node(part)

    def condition(self, part: ast.expr) -> Value:
        """Return a comparison as 1 or 0, a constant that is named as it was written; another condition as its node."""
        if not isinstance(part, (ast.Compare, ast.BoolOp)):
            return self.node(part)
        return Constant(float(self.holds(part)), label=ast.unparse(part))

    def holds(self, part: ast.expr) -> bool:
        """Return whether a condition holds: a comparison, several joined by and, or; a number that isn't 0."""
        if isinstance(part, ast.BoolOp):
            several = [self.holds(value) for value in part.values]
            return all(several) if isinstance(part.op, ast.And) else any(several)
        if not isinstance(part, ast.Compare):
            return self.node(part).data != 0.0
        if len(part.ops) > 1:
            raise self.error(part, "two comparisons at once", "compare two numbers")
        if type(part.ops[0]) not in _COMPARISONS:
            raise self.error(part, "unknown comparison", f"known: {' '.join(_SIGNS)}")
        left, right = self.node(part.left), self.node(part.comparators[0])
        return _COMPARISONS[type(part.ops[0])](left.data, right.data)


def _choice_in(part: ast.expr) -> ast.IfExp | None:
    """Return the choice that stands in square brackets, as it is printed."""
    inside = part.elts[0] if isinstance(part, ast.List) and len(part.elts) == 1 else None
    return inside if isinstance(inside, ast.IfExp) else None


def _suggestion(name: str, known: Mapping[str, Any]) -> str:
    """Return a hint at a name that is spelled nearly the same."""
    swapped = [other for other in known if sorted(other) == sorted(name)]  # two letters in the wrong order
    close = swapped or get_close_matches(name, list(known), n=1) or [o for o in known if o.lower() == name.lower()]
    return f"did you mean {close[0]!r}?" if close else ""
