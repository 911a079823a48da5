"""The printer for C: a program as one C99 file that needs ``math.h`` alone, for devices without Python.

Examples go through it one after the other, so that all arrays have fixed sizes; gradients are added up over them.
Nothing is kept between calls and nothing is allocated: all memory is the caller's. What a user wrote reaches the text
through `plain` alone.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.formulas.expression import Expression
from autograd_mini.formulas.simplify import is_number
from autograd_mini.vectorizer.numpy_printer import CONDITIONS, count_parts, rewritten
from autograd_mini.vectorizer.statements import (
    INDENT,
    OPERATORS,
    ArrayProgram,
    Assign,
    Call,
    Comment,
    Fill,
    Free,
    Gather,
    Names,
    Pick,
    PickGradient,
    Printer,
    Product,
    Reduce,
    Scatter,
    Statement,
    Variable,
    View,
    indented,
    reads_of,
    writes_of,
)

TRAIN = ("sgd",)
_MATH = {name: name for name in "asin acos atan atan2 exp expm1 log log1p log2 log10 sqrt cbrt hypot".split()}
_MATH |= {name: name for name in "sin cos tan sinh cosh tanh rint erf erfc".split()}
_MATH |= {"abs": "fabs", "**": "pow"}
_MOST_NESTED = 12  # operations one in the other, then one gets a name: C promises to understand 63 brackets
_LONGEST_NAME = 40
_WIDTH = 110  # of the comment at the beginning, and of lines of numbers

# What a name in a C file must not be: keywords, what math.h declares or may declare, and the file's own words.
_KEYWORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    asm typeof alignas alignof bool constexpr false nullptr static_assert thread_local true main printf
"""
_DECLARED = """
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp10 exp2 expm1 fabs
    fdim floor fma fmax fmin fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint llround log log10 log1p
    log2 logb lrint lround modf nan nearbyint nextafter nexttoward pow pow10 remainder remquo rint round scalb
    scalbln scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn isinf isnan finite abs cabs
"""
_OTHERS = """
    isfinite isnormal signbit fpclassify isgreater isgreaterequal isless islessequal islessgreater isunordered
    signgam matherr math_errhandling float_t double_t exception lr work out i j k sum most row at
    value example chosen own others rest e
"""
_RESERVED = frozenset(
    [*_KEYWORDS.split(), *_OTHERS.split(), *(name + end for name in _DECLARED.split() for end in ("", "f", "l"))]
)

# What math.h lacks, as NumPy has it. REAL is the type of numbers, NAME what the file's names begin with.
_HELPERS = {
    "maximum": """// The larger one of two numbers; nan if one is nan.
static REAL NAME_maximum(REAL a, REAL b) {
    return a > b || a != a ? a : b;
}
""",
    "minimum": """// The smaller one of two numbers; nan if one is nan.
static REAL NAME_minimum(REAL a, REAL b) {
    return a < b || a != a ? a : b;
}
""",
    "sign": """// 1, -1, or the number itself where that is 0 or nan.
static REAL NAME_sign(REAL a) {
    return a > ZERO ? ONE : a < ZERO ? -ONE : a;
}
""",
    "exp_of_difference": """// exp(a - b), corrected by what was lost when a - b was rounded.
static REAL NAME_exp_of_difference(REAL a, REAL b) {
    const REAL difference = a - b, part = difference - a;
    const REAL lost = (a - (difference - part)) - (b + part), e = EXP(difference);
    return lost - lost == ZERO ? e + e * lost : e;
}
""",
    "row": """// The whole number that an index is; -1 where it names none of so many rows.
static int NAME_row(REAL index, int rows) {
    return index >= ZERO && index < (REAL)rows && index == (REAL)(int)index ? (int)index : -1;
}
""",
}
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴-⁹⁻]+")
_SIGNS = {"∂": "d", "·": "*", "×": "*", "−": "-", "Σ": "sum", "∑": "sum", "√": "sqrt ", "∞": "inf"}
_SIGNS |= {"≥": ">=", "≤": "<=", "′": "'", "\\": "/"}


def plain(text: str) -> str:
    r"""Return a text as a C comment may hold it: one line of ASCII, without anything that means something in C.

    Examples
    --------
    >>> plain("∂L/∂θ = (y - t)² */ ??/ \n")
    'dL/dtheta = (y - t)^2 * / ? ?/ _'
    """
    text = _SUPERSCRIPTS.sub(lambda found: "^" + unicodedata.normalize("NFKD", found[0]), text)
    text = "".join([c if " " <= c <= "~" and c != "\\" else _in_ascii(c) for c in text])
    return re.sub(r"[*](?=/)|/(?=[*])|[?](?=[?])", r"\g<0> ", text)


def _in_ascii(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    name = unicodedata.name(character, "")
    if name.startswith("GREEK") and " LETTER " in name:
        return name.split(" LETTER ")[1].split()[0].lower()
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters if letters.isalnum() else "_"


def c_name(wanted: str) -> str:
    """Return a text as a part of a name in C.

    Examples
    --------
    >>> c_name("my net"), c_name("2 layers"), c_name("é/θ"), c_name("…")
    ('my_net', 'v2_layers', 'e_theta', 'v')
    """
    name = re.sub(r"[^0-9A-Za-z]+", "_", plain(wanted)).strip("_") or "v"
    return f"v{name}" if name[0].isdigit() else name


class CPrinter(Printer):
    """Prints a program as a C99 file.

    Parameters
    ----------
    program : ArrayProgram
        What to print; nothing in it may mix the examples of a batch.
    title : str
        The first line of the file.
    dtype : str
        "float64" or "float32".
    path : Path
        The file; the names of its functions begin with its name.
    train : str or None
        The rule of a training step: "sgd".
    theta : numpy.ndarray
        The present numbers of the program's flat vector.
    order : numpy.ndarray
        Where in C's vector each of these is: the parameters come first, in the order that a user knows.
    n_parameters : int
        How many are parameters.
    """

    def __init__(
        self,
        program: ArrayProgram,
        title: str,
        dtype: str,
        path: Path,
        train: str | None,
        theta: Array,
        order: Array,
        n_parameters: int,
    ) -> None:
        super().__init__(program, title, dtype)
        self._is_double = dtype == "float64"
        self._real, self._end = ("double", "") if self._is_double else ("float", "f")
        self._file, self._name, self._trains = plain(path.name), c_name(path.stem), train is not None
        self._order, self._n_parameters = order, n_parameters
        self._theta = np.empty_like(theta)
        self._theta[order] = theta
        name, own = self._name, "theta predict value_and_grad train".split()
        macros = [f"{name}_{word}".upper() for word in ("theta", "outputs", "predict_work", "gradient", "work")]
        self._names = Names([*_RESERVED, *[f"{name}_{word}" for word in [*own, *_HELPERS]], *macros])
        self._known: dict[Any, str] = {}
        self._tables: list[str] = []  # the lines that define arrays of bare numbers
        self._helpers: set[str] = set()
        self._parts: list[str] = []  # names for what a formula computes on the way
        self._used_parts = 0
        self._gradient_rows = n_parameters
        self._inputs = [self._array(array) for array in program.inputs]
        self._out = Variable("out", sum(view.count for view in program.outputs), True, "output")
        self._value = Variable("value", 1, False, "total")
        self._known |= {self._out: "out", self._value: "value", program.parameters: "theta"}
        self._known[program.gradient] = "gradient"
        found = program.input_gradients
        self._slopes = [
            self._array(found[k]) if k in found else self._names.new(f"d_{name}") for k, name in enumerate(self._inputs)
        ]
        self._given = {program.gradient, *found.values()}  # the caller's arrays

    @property
    def _learns(self) -> bool:
        return self._out.rows == 1 and (self._n_parameters > 0 or bool(self.program.input_gradients))

    def source(self) -> str:
        """Return the file's text."""
        name, real = self._name, self._real
        functions, memory = self._predict()
        sizes = {"THETA": len(self._theta), "OUTPUTS": self._out.rows, "PREDICT_WORK": memory}
        if self._learns:
            learning, memory = self._value_and_grad()
            sizes |= {"GRADIENT": self._gradient_rows} if self._n_parameters else {}
            sizes |= {"WORK": memory}
            functions += ["", *learning, *(["", *self._train()] if self._trains else [])]
        words = {"REAL": real, "NAME": name, "ZERO": self._number(0.0), "ONE": self._number(1.0)}
        words["EXP"] = f"exp{self._end}"
        helpers = "\n".join([text for helper, text in _HELPERS.items() if helper in self._helpers])
        theta = [f"const {real} {name}_theta[{name.upper()}_THETA] = {{", *self._in_lines(self._theta), "};", ""]
        declared = [line.replace(" {", ";") for line in functions if line.startswith(("void ", f"{real} "))]
        return "\n".join(
            [
                *[f"// {line}".rstrip() for line in self._heading(sizes, declared)],
                "",
                "#include <math.h>",
                "",
                *[f"#define {name.upper()}_{what} {size}" for what, size in sizes.items()],
                "",
                *(theta if len(self._theta) else []),
                re.sub("|".join(words), lambda found: words[found[0]], helpers),
                *self._tables,
                *functions,
                "",
            ]
        )

    def _heading(self, sizes: dict[str, int], declared: list[str]) -> list[str]:
        """Return the comment that the file begins with: what it needs and has, and a program that calls it."""
        name, size, count = self._name, 8 if self._is_double else 4, len(self._theta)
        about = []
        if count:
            named = "the parameters in the order of program.parameters" if self._n_parameters else "what isn't trained"
            behind = f", and behind these {self._n_parameters} what isn't trained" if self._n_parameters else ""
            about.append(
                f"theta is {count} numbers of type {self._real}, {size * count} bytes: {named}"
                f"{behind if count > self._n_parameters else ''}; {name}_theta holds those that were saved."
            )
        about.append(f"work is {size * sizes['PREDICT_WORK']} bytes for {name}_predict;")
        if self._learns:
            about.append(f"for {name}_value_and_grad{f' and {name}_train' if self._trains else ''} it is")
            about.append(f"{size * sizes['WORK']}," if self._n_parameters else f"{size * sizes['WORK']}.")
            if self._n_parameters:
                about.append(f"and gradient, in the order of theta, {size * sizes['GRADIENT']}.")
        else:
            why = "the function returns several numbers" if self._out.rows > 1 else "there is nothing to derive by"
            about.append(f"there is no gradient, as {why}.")
        about.append(
            "All memory is the caller's, and nothing is kept between calls: threads may call at the same time, each "
            "with work and gradient of its own. Infinities and nan follow IEEE 754: don't compile with -ffast-math."
        )
        return [
            plain(self.title),
            "",
            *declared,
            "",
            *textwrap.wrap(" ".join(about), _WIDTH),
            "",
            f"A program that calls it, where this file is {self._file} (cc -std=c99 program.c -lm):",
            "",
            *self._example(),
        ]

    def _example(self) -> list[str]:
        """Return a program that calls each function."""
        name, prefix, real = self._name, self._name.upper(), self._real
        theta = ["theta"] * bool(len(self._theta))
        several = [*theta, *["1"] * bool(self._inputs and self._n_parameters), *self._inputs]
        slopes = ["gradient"] if self._n_parameters else self._slopes
        lengths = [f"{prefix}_GRADIENT"] if self._n_parameters else [array.rows for array in self.program.inputs]
        arrays = [f"theta[{prefix}_THETA]"] * len(theta) + [f"out[{prefix}_OUTPUTS]"]
        if self._learns:
            arrays += [f"{slope}[{length}]" for slope, length in zip(slopes, lengths, strict=True)]
        arrays.append(f"work[{prefix}_{'WORK' if self._learns else 'PREDICT_WORK'}]")
        calls = [f"{name}_value_and_grad({', '.join([*several, *slopes, 'work'])})"] * self._learns
        if self._trains:
            calls.append(f"{name}_train({', '.join([*several, self._number(0.1), 'gradient', 'work'])})")
        inputs = zip(self._inputs, self.program.inputs, strict=True)
        main = [
            f"static {real} {', '.join(arrays)};",
            *[f"const {real} {x}[{array.rows}] = {{{self._number(1.0)}}};" for x, array in inputs],
            *[f"for (int i = 0; i < {prefix}_THETA; i++) theta[i] = {name}_theta[i];"] * len(theta),
            f"{name}_predict({', '.join([*theta, *self._inputs, 'out', 'work'])});",
            *[f'printf("%.17g\\n", (double){result});' for result in ("out[0]", *calls)],
            "return 0;",
        ]
        return ["#include <stdio.h>", f'#include "{self._file}"', "", "int main(void) {", *indented(main), "}"]

    # ------------------------------------------------------------------------------------------------ functions

    def _arguments(self, *others: str, writes: bool = False, several: bool = False) -> str:
        """Return the arguments of a function: theta, the inputs and what else it takes."""
        numbers = [f"{'' if writes else 'const '}{self._real} *theta"] if len(self._theta) else []
        count = ["int n"] if several and self._inputs else []
        inputs = [f"const {self._real} *{name}" for name in self._inputs]
        return ", ".join([*numbers, *count, *inputs, *others, f"{self._real} *work"])

    def _predict(self) -> tuple[list[str], int]:
        """Return the function that computes the results of one example, and how many numbers it works in."""
        outputs, row = [], 0
        for view in self.program.outputs:
            outputs.append(Assign(View(self._out, row, view.count), view.expression()))
            row += view.count
        body, memory = self._body([*self.program.forward, *outputs], self._out)
        head = f"void {self._name}_predict({self._arguments(f'{self._real} *out')}) {{"
        return ["// Writes the results of one example.", head, *indented([*self._unused(body), *body]), "}"], memory

    def _value_and_grad(self) -> tuple[list[str], int]:
        """Return the function that computes mean and gradient over some examples, and how many numbers it works in."""
        if not self._n_parameters:
            return self._value_and_slopes()
        program, one, zero = self.program, self._number(1.0), self._number(0.0)
        value = Assign(View(self._value, 0, 1), program.outputs[0].expression(), add=True)
        body, memory = self._body([*program.forward, value, *program.backward], self._value, program.gradient)
        lines = [f"{self._real} value = {zero};"]
        lines += self._zeros("gradient", self._gradient_rows)
        if self._inputs:
            steps = [f"{name} += {array.rows};" for name, array in zip(self._inputs, program.inputs, strict=True)]
            lines = [f"const {self._real} seed = {one} / ({self._real})n;", *lines]
            lines += ["for (int example = 0; example < n; example++) {", *indented([*body, *steps]), "}"]
            lines.append("return value * seed;")
        else:
            lines = self._with_seed([*lines, *body, "return value;"])
        arguments = self._arguments(f"{self._real} *gradient", several=True)
        head = f"{self._real} {self._name}_value_and_grad({arguments}) {{"
        comment = "// Returns the mean over n examples, one after the other in each input, and writes its gradient."
        comment = comment if self._inputs else "// Returns the value, and writes its gradient."
        return [comment, head, *indented([*self._unused(lines), *lines]), "}"], memory

    def _with_seed(self, lines: list[str]) -> list[str]:
        """Return lines for a single example, with its share of the mean where they use that."""
        is_used = any(re.search(r"\bseed\b", line) for line in lines)
        return [*[f"const {self._real} seed = {self._number(1.0)};"] * is_used, *lines]

    def _value_and_slopes(self) -> tuple[list[str], int]:
        """Return the same of a function without parameters: its derivatives by the inputs, for one example."""
        program, found = self.program, self.program.input_gradients
        value = Assign(View(self._value, 0, 1), program.outputs[0].expression())
        body, memory = self._body([*program.forward, value, *program.backward], self._value, *found.values())
        zeros = [
            line
            for k, (name, array) in enumerate(zip(self._slopes, program.inputs, strict=True))
            if k not in found
            for line in self._zeros(name, array.rows)
        ]
        lines = self._with_seed([f"{self._real} value;", *zeros, *body, "return value;"])
        slopes = [f"{self._real} *{name}" for name in self._slopes]
        head = f"{self._real} {self._name}_value_and_grad({self._arguments(*slopes)}) {{"
        comment = "// Returns the value of one example, and writes its derivatives by each input."
        return [comment, head, *indented([*self._unused(lines), *lines]), "}"], memory

    def _train(self) -> list[str]:
        """Return the function that takes a step of gradient descent."""
        lr = f"{self._real} lr"
        head = self._arguments(lr, f"{self._real} *gradient", writes=True, several=True)
        passed = ", ".join([word.split()[-1].lstrip("*") for word in head.split(", ") if word != lr])
        place = self._affine(0, [(1, "i", self._n_parameters)])
        step = self._nest({"i": self._n_parameters}, [f"theta[{place}] -= lr * gradient[{place}];"])
        return [
            "// Takes a step of gradient descent: theta -= lr * gradient. Returns the mean before it.",
            f"{self._real} {self._name}_train({head}) {{",
            *indented([f"const {self._real} value = {self._name}_value_and_grad({passed});", *step, "return value;"]),
            "}",
        ]

    def _unused(self, lines: list[str]) -> list[str]:
        """Return lines that say of arguments that they aren't used."""
        words = {word for line in lines if not line.lstrip().startswith("//") for word in re.findall(r"\w+", line)}
        given = ["theta"] * bool(len(self._theta)) + [*self._inputs, "work"]
        return [f"(void){name};" for name in given if name not in words]

    def _body(self, statements: Sequence[Statement], *wanted: Variable) -> tuple[list[str], int]:
        """Return the lines that compute some arrays, and how many numbers of the work memory they use."""
        wanted_too = [view.array for view in self.program.outputs]
        kept = _needed(statements, [*wanted, *wanted_too])
        lives: dict[Variable, list[int]] = {}
        for at, statement in enumerate(kept):
            for array in () if isinstance(statement, Comment) else (*reads_of(statement), *writes_of(statement)):
                if array.role in ("value", "gradient") and array not in self._given:
                    lives.setdefault(array, [at, at])[1] = at
        free = Free()
        places = [f"{self._real} *const {self._array(a)} = work + {free.take(a.rows, *lives[a])};" for a in lives]
        return [*places, *self._section(kept)], max(free.most, 1)

    # -------------------------------------------------------------------------------------------------- names

    def _array(self, array: Variable) -> str:
        """Return the name of an array; bare numbers are defined at their first use."""
        if array not in self._known:
            name = c_name(array.name)[:_LONGEST_NAME]
            if name.isupper() and len(name) > 1:  # as macros are written
                name = name.lower()
            if array.role == "constant":
                name = f"{self._name}_{name}"
            self._known[array] = name = self._names.new(name)
            if array.role == "constant":
                lines = self._in_lines(np.asarray(array.data))
                self._tables += [f"static const {self._real} {name}[{array.rows}] = {{", *lines, "};", ""]
        return self._known[array]

    def _rows(self, index: Array) -> str:
        """Return the name of a table of rows."""
        key = ("rows", index.tobytes())
        if key not in self._known:
            self._known[key] = name = self._names.new(f"{self._name}_rows")
            most = index.max()
            sort = "unsigned char" if most < 1 << 8 else "unsigned short" if most < 1 << 16 else "int"
            written = _lines_of([str(k) for k in index.tolist()])
            self._tables += [f"static const {sort} {name}[{index.size}] = {{", *written, "};", ""]
        return self._known[key]

    def _in_lines(self, numbers: Array) -> list[str]:
        return _lines_of([_bare(self._number(x)) for x in numbers.tolist()])

    def _number(self, number: float) -> str:
        with np.errstate(over="ignore"):
            x = np.dtype(self.dtype).type(number)
        if not np.isfinite(x):  # both words stand for floats
            infinite = "(double)INFINITY" if self._is_double else "INFINITY"
            return infinite.replace("INFINITY", "NAN") if np.isnan(x) else infinite if x > 0 else f"(-{infinite})"
        text = f"{x!s}{self._end}"
        return f"({text})" if text[0] == "-" else text

    def _comment(self, text: str) -> str:
        text = plain(text)
        return f"// {text if len(text) <= 200 else text[:197] + '...'}"

    # -------------------------------------------------------------------------------------------------- places

    def _affine(self, start: int, axes: Sequence[tuple[int, str, int]]) -> str:
        """Return ``start + step * variable + …`` in C."""
        text = ""
        for step, variable, count in axes:
            if count > 1 and step:
                term = variable if abs(step) == 1 else f"{abs(step)} * {variable}"
                text += f"{' - ' if step < 0 else ' + ' if text or start else ''}{term}"
        return f"{start}{text}" if start or not text else text

    def _at(self, array: Variable, index: Any, *variables: str) -> str:
        """Return the entry of an array whose place is, for each value of the variables, a number in `index`."""
        name, index = self._array(array), np.asarray(index)
        if array.role == "total":
            return name
        if array in (self.program.parameters, self.program.gradient):
            index = self._order[index]
        if array is self.program.gradient:
            self._gradient_rows = max(self._gradient_rows, int(index.max()) + 1)
        if index.size == 1:
            return f"{name}[{index.flat[0]}]"
        axes = [(size, v) for size, v in zip(index.shape, variables, strict=True) if size > 1]
        index = index.reshape([size for size, _ in axes])
        start, strides = int(index.flat[0]), []
        for k in range(index.ndim):
            strides.append(int(np.moveaxis(index, k, 0)[1].flat[0]) - start)
        if np.array_equal(_grid(start, strides, index.shape), index):
            place = self._affine(start, [(step, v, size) for step, (size, v) in zip(strides, axes, strict=True)])
        else:
            down = [int(np.prod(index.shape[k + 1 :])) for k in range(index.ndim)]
            place = self._affine(0, [(step, v, size) for step, (size, v) in zip(down, axes, strict=True)])
            place = f"{self._rows(index.ravel())}[{place}]"
        return f"{name}[{place}]"

    def _row(self, view: View, rows: Any, *variables: str) -> str:
        """Return the entry of a view; a view of one row serves for all."""
        rows = np.asarray(rows)
        return self._at(view.array, view.start + view.step * (rows if view.count > 1 else 0 * rows), *variables)

    # ------------------------------------------------------------------------------------------------ formulas

    def _computed(self, expression: Expression, rows: Array, *variables: str) -> tuple[list[str], str]:
        """Return a formula in C, and the lines before it that compute what it has more than once.

        `rows` is the row of the formula for each value of the variables.
        """
        expression = rewritten(expression)
        counts: dict[int, int] = {}
        count_parts(expression, counts)
        known: dict[int, tuple[str, int]] = {}
        lines: list[str] = []
        zero, one = self._number(0.0), self._number(1.0)
        self._used_parts = 0

        def name(text: str) -> tuple[str, int]:
            if len(self._parts) == self._used_parts:
                self._parts.append(self._names.new("part"))
            self._used_parts += 1
            lines.append(f"const {self._real} {self._parts[self._used_parts - 1]} = {_bare(text)};")
            return self._parts[self._used_parts - 1], 0

        def condition(part: Expression) -> tuple[str, int]:
            if part.form in CONDITIONS and counts.get(id(part), 1) == 1:
                return compared(part)
            text, height = value(part)
            return f"({text} != {zero})", height + 1

        def compared(part: Expression) -> tuple[str, int]:
            is_of_both = part.form in "&|"
            (left, first), (right, second) = map(condition if is_of_both else value, part.parts)
            return f"({left} {OPERATORS[part.form] * (2 if is_of_both else 1)} {right})", max(first, second) + 1

        def value(part: Expression) -> tuple[str, int]:
            if part.form == "view":
                return self._row(part.parts[0], rows, *variables), 0
            if part.form == "number":
                return self._number(part.parts[0]), 0
            if part.form == "symbol":
                return (one if part.parts[0] == "n" else str(part.parts[0])), 0  # there is one example at a time
            if id(part) not in known:
                text, height = operation(part)
                is_named = counts.get(id(part), 1) > 1 or height > _MOST_NESTED
                known[id(part)] = name(text) if is_named else (text, height)
            return known[id(part)]

        def operation(part: Expression) -> tuple[str, int]:
            form, parts = part.form, part.parts
            if form in CONDITIONS:
                text, height = compared(part)
                return f"({text} ? {one} : {zero})", height + 1
            if form == "where":
                found = [condition(parts[0]), *map(value, parts[1:])]
                mask, a, b = [text for text, _ in found]
                return f"({mask} ? {a} : {b})", max(h for _, h in found) + 1
            found = list(map(value, parts))
            height = max(h for _, h in found) + 1
            texts = [text for text, _ in found]
            if form == "**" and is_number(parts[1]) and parts[1].parts[0] in (2.0, 3.0, -1.0):
                exponent = int(parts[1].parts[0])
                if exponent < 0:
                    return f"({one} / {texts[0]})", height
                base = texts[0] if found[0][1] == 0 else name(texts[0])[0]
                return f"({' * '.join([base] * exponent)})", height
            if form in "+-*/":
                return f"({texts[0]} {form} {texts[1]})", height
            if form == "neg":
                return f"(-{texts[0]})", height
            return f"{self._function(form)}({', '.join(map(_bare, texts))})", height

        text = _bare(value(expression)[0])
        return lines, text

    def _function(self, form: str) -> str:
        if form in _HELPERS:
            self._helpers.add(form)
            return f"{self._name}_{form}"
        if form not in _MATH:
            raise ValueError(f"a C file has no function {form!r}; save the program as a .py file")
        return f"{_MATH[form]}{self._end}"

    # ---------------------------------------------------------------------------------------------- statements

    def _nest(self, sizes: dict[str, int], body: list[str]) -> list[str]:
        """Return a body in loops over variables; without any loop, names in it need a block."""
        loops = {variable: size for variable, size in sizes.items() if size > 1}
        if not loops and any(line.startswith(("const ", "int ", f"{self._real} ")) for line in body):
            return ["{", *indented(body), "}"]
        for variable, size in reversed(loops.items()):
            body = [f"for (int {variable} = 0; {variable} < {size}; {variable}++) {{", *indented(body), "}"]
        return body

    def _put(self, lines: list[str]) -> None:
        self._lines += lines
        self.statements += 1

    def _zeros(self, name: str, rows: int) -> list[str]:
        place = self._affine(0, [(1, "i", rows)])
        return self._nest({"i": rows}, [f"{name}[{place}] = {self._number(0.0)};"])

    def _sign(self, array: Variable, add: bool) -> str:
        """Return how something is written into an array: the gradient is added up over the examples."""
        return "+=" if add or array is self.program.gradient else "="

    def _print_fill(self, statement: Fill) -> None:
        array = statement.target
        if array is not self.program.gradient:  # which is filled before the first example
            self._put(self._zeros(self._array(array), array.rows))

    def _print_assign(self, statement: Assign) -> None:
        target = statement.target
        self._write_rows(target, statement.expression, target.count, statement.add)

    def _write_rows(self, target: View, expression: Expression, count: int, add: bool) -> None:
        """Write target = expression, or target += expression, row by row."""
        rows = np.arange(count)
        lines, value = self._computed(expression, rows, "i")
        written = f"{self._row(target, rows, 'i')} {self._sign(target.array, add)} {value};"
        self._put(self._nest({"i": count}, [*lines, written]))

    def _print_scatter(self, statement: Scatter) -> None:
        target, index = statement.target, np.asarray(statement.index).ravel()
        add = statement.add
        if not add and len(np.unique(index)) < len(index):
            zero = f"{self._at(target, index, 'i')} = {self._number(0.0)};"
            self._put(self._nest({"i": len(index)}, [zero]))
            add = True
        lines, value = self._computed(statement.expression, np.arange(len(index)), "i")
        written = f"{self._at(target, index, 'i')} {self._sign(target, add)} {value};"
        self._put(self._nest({"i": len(index)}, [*lines, written]))

    def _print_gather(self, statement: Gather) -> None:
        index = np.asarray(statement.index).ravel()
        to = self._row(statement.to, np.arange(len(index)), "i")
        self._put(self._nest({"i": len(index)}, [f"{to} = {self._at(statement.source, index, 'i')};"]))

    def _print_reduce(self, statement: Reduce) -> None:
        target, count = statement.target, statement.count
        if statement.over == "batch":  # of one example
            self._write_rows(target, statement.expression, count, statement.add)
            return
        rows = target.count
        terms = count // rows
        i, k = np.arange(rows)[:, None], np.arange(terms)
        places = i * terms + k if statement.over == "rows last" else k * rows + i
        lines, value = self._computed(statement.expression, places, "i", "k")
        body = self._folded_up(statement.function, terms, lines, value)
        written = f"{self._row(target, np.arange(rows), 'i')} {self._sign(target.array, statement.add)} sum;"
        self._put(self._nest({"i": rows}, [*body, written]))

    def _folded_up(self, function: str, terms: int, lines: list[str], value: str, first: str = "") -> list[str]:
        """Return the lines that leave the sum over k, or the largest or smallest term, in the variable sum."""
        if terms == 1:
            return [*lines, f"const {self._real} sum = {first}{' + ' if first else ''}{value};"]
        if function == "add":
            first, step = first or self._number(0.0), f"sum += {value};"
        else:
            first = self._number(-np.inf if function == "maximum" else np.inf)
            step = f"sum = {self._function(function)}(sum, {value});"
        return [f"{self._real} sum = {_bare(first)};", *self._nest({"k": terms}, [*lines, step])]

    def _print_product(self, statement: Product) -> None:
        matrix, windows, upstream = statement.matrix, statement.windows, statement.upstream
        (rows, columns), places = matrix.shape, matrix.indices()
        weights = columns - statement.bias  # without the bias, the last column
        bias = self._at(matrix.array, places[:, -1], "i") if statement.bias else ""

        def entry(*variables: str) -> str:
            return self._at(matrix.array, places[:, :weights], *variables)

        def row(view: View | None, count: int, *variables: str) -> str:
            assert view is not None
            return self._row(view, np.arange(count)[:, None] * windows + np.arange(windows), *variables)

        if statement.kind == "forward":
            sizes, terms = {"i": rows, "j": windows}, weights
            value = f"{entry('i', 'k')} * {row(statement.source, weights, 'k', 'j')}"
            to, first = row(statement.target, rows, "i", "j"), bias
        elif statement.kind == "source":
            sizes, terms = {"i": weights, "j": windows}, rows
            value = f"{entry('k', 'i')} * {row(upstream, rows, 'k', 'j')}"
            to, first = row(statement.target, weights, "i", "j"), ""
        else:
            sizes, terms = {"j": weights}, windows
            value = f"{row(upstream, rows, 'i', 'k')} * {row(statement.source, weights, 'j', 'k')}"
            to, first = entry("i", "j"), ""
        target = matrix.array if statement.target is None else statement.target.array
        sign = self._sign(target, statement.add)
        lines = self._nest(sizes, [*self._folded_up("add", terms, [], value, first), f"{to} {sign} sum;"])
        if statement.kind == "matrix":
            if bias:
                total = self._folded_up("add", terms, [], row(upstream, rows, "i", "k"))
                lines += self._nest({}, [*total, f"{bias} {sign} sum;"])
            lines = self._nest({"i": rows}, lines)
        self._put(lines)

    def _print_pick(self, statement: Pick) -> None:
        line = f"{{beside}} = row < 0 ? {self._number(0.0)} : {{entry}};"
        self._put_picked(statement.index, statement.table, statement.target, line)

    def _print_pickgradient(self, statement: PickGradient) -> None:
        self._put_picked(statement.index, statement.target, statement.upstream, "if (row >= 0) {entry} += {beside};")

    def _put_picked(self, index: View, table: View, beside: View, line: str) -> None:
        """Write a line for each entry that indices name in a table, beside the row that it is copied to or from."""
        count, width = index.count, beside.count // index.count
        rows, which, column = table.count // width, np.arange(count), np.arange(width)
        written = line.format(
            beside=self._row(beside, which[:, None] * width + column, "i", "k"),
            entry=self._row(table, np.arange(rows)[:, None] * width + column, "row", "k"),
        )
        found = f"const int row = {self._function('row')}({self._row(index, which, 'i')}, {rows});"
        self._put(self._nest({"i": count}, [found, *self._nest({"k": width}, [written])]))

    def _print_call(self, statement: Call) -> None:
        getattr(self, f"_call_{statement.function}")(*statement.reads, *statement.writes)

    def _peak(self, z: View, rows: Array) -> list[str]:
        """Return the lines that leave the largest row in `most`."""
        step = f"most = {self._function('maximum')}(most, {self._row(z, rows, 'i')});"
        return [f"{self._real} most = {_bare(self._number(-np.inf))};", *self._nest({"i": len(rows)}, [step])]

    def _exp(self, z: View, rows: Array) -> str:
        return f"{self._function('exp_of_difference')}({self._row(z, rows, 'i')}, most)"

    def _call_exponentials(self, z: View, e: View) -> None:
        rows = np.arange(e.count)
        step = f"{self._row(e, rows, 'i')} = {self._exp(z, rows)};"
        self._put(["{", *indented([*self._peak(z, rows), *self._nest({"i": e.count}, [step])]), "}"])

    def _call_total_of(self, e: View, out: View) -> None:
        lines = self._folded_up("add", e.count, [], self._row(e, np.arange(e.count), "k"))
        self._put(self._nest({}, [*lines, f"{self._row(out, [0], 'i')} = sum;"]))

    def _call_logsumexp(self, z: View, out: View) -> None:
        self._put(["{", *indented([*self._peak(z, np.arange(z.count)), *self._log_sum(z, out)]), "}"])

    def _log_sum(self, z: View, out: View) -> list[str]:
        """Return the lines that write log Σ exp, as the largest row and log(1 + the others' share)."""
        rows, zero = np.arange(z.count), self._number(0.0)
        first = [f"if (at < 0 && {self._row(z, rows, 'i')} == most) at = {'i' if z.count > 1 else 0};"]
        first.append(f"else rest += {self._exp(z, rows)};")
        result = f"most - most == {zero} ? most + log1p{self._end}(rest) : most"
        return [
            "int at = -1;",
            f"{self._real} rest = {zero};",
            *self._nest({"i": z.count}, first),
            f"{self._row(out, [0], 'i')} = {result};",
        ]

    def _call_minus_log_softmax_of_any(self, z: View, index: View, slopes: View, total: View, out: View) -> None:
        other = ["if (row < 0) {", *indented(self._log_sum(z, out)), "}"]
        self._put_minus_log_softmax(other, z, index, slopes, total, out)

    def _call_minus_log_softmax(self, *views: View) -> None:
        self._put_minus_log_softmax([], *views)  # the loss is infinite where the index names no class

    def _put_minus_log_softmax(
        self, other: list[str], z: View, index: View, slopes: View, total: View, out: View
    ) -> None:
        """Write the slopes, their divisor and -log softmax(z) of the class, as log(1 + the others' share)."""
        count, zero, one = slopes.count, self._number(0.0), self._number(1.0)
        rows = np.arange(count)
        to, loss = self._row(slopes, rows, "i"), self._row(out, [0], "i")
        body = [
            f"const int row = {self._function('row')}({self._row(index, [0], 'i')}, {count});",
            f"{self._real} chosen = {_bare(self._number(-np.inf))}, own = {zero}, others = {zero};",
            *self._peak(z, rows),
            *self._nest(
                {"i": count},
                [
                    f"const {self._real} e = {self._exp(z, rows)};",
                    f"if (row == {'i' if count > 1 else 0}) {{",
                    f"{INDENT}chosen = {self._row(z, rows, 'i')};",
                    f"{INDENT}own = e;",
                    "} else {",
                    f"{INDENT}others += e;",
                    "}",
                    f"{to} = e;",
                ],
            ),
            f"if (row >= 0) {self._row(slopes, rows, 'row')} = -others;",
            f"{self._row(total, [0], 'i')} = others + {'own' if count > 1 else f'(row < 0 ? {zero} : {one})'};",
            f"{loss} = most - chosen;",
            f"if (most - most == {zero}) {loss} += log1p{self._end}(others + (own - {one}));",
        ]
        self._put(["{", *indented([*body, *other]), "}"])


def _needed(statements: Sequence[Statement], wanted: Sequence[Variable]) -> list[Statement]:
    """Return the statements that some arrays depend on, with the comments that have something below them."""
    needed = set(wanted)
    kept: list[Statement] = []
    is_empty = True
    for statement in reversed(statements):
        if isinstance(statement, Comment):
            if not is_empty:
                kept.append(statement)
            is_empty = True
        elif not needed.isdisjoint(writes_of(statement)):
            needed.update(reads_of(statement))
            kept.append(statement)
            is_empty = False
    return kept[::-1]


def _grid(start: int, steps: Sequence[int], shape: Sequence[int]) -> Array:
    """Return start + step·k + … for all k of each axis."""
    grid = np.full((), start)
    for step, count in zip(steps, shape, strict=True):
        grid = grid[..., None] + step * np.arange(count)
    return grid


def _bare(text: str) -> str:
    """Return a formula without brackets around the whole of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for k, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if k == len(text) - 1 else text
    return text


def _lines_of(words: Sequence[str]) -> list[str]:
    """Return words with a comma after each, as many a line as are read easily."""
    lines, line = [], INDENT
    for word in words:
        if len(line) + len(word) > _WIDTH:
            lines.append(line.rstrip())
            line = INDENT
        line += f"{word}, "
    return [*lines, line.rstrip()]
