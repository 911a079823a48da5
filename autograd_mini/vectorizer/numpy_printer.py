"""The printer for NumPy: both passes as straight-line source that reuses its arrays, and needs NumPy alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import Expression
from autograd_mini.formulas.simplify import is_uniform, views_of
from autograd_mini.vectorizer.elementwise import Writer
from autograd_mini.vectorizer.names import FUNCTIONS
from autograd_mini.vectorizer.numpy_variables import Variables
from autograd_mini.vectorizer.statements import (
    Array,
    Assign,
    Comment,
    Fill,
    Gather,
    Matrix,
    Pick,
    PickGradient,
    Product,
    Program,
    Reduce,
    Scatter,
    Statement,
    View,
)

INDENT = "    "
_FUNCTION = re.compile(rf"\bnp\.({'|'.join(sorted(FUNCTIONS))})(\(|\.reduce)")
_NEAR = 8  # lines within which a comment isn't said twice
_ERF = '''
try:
    from scipy.special import erf
except ImportError:  # SciPy's is quicker, but not needed

    def erf(a, out):
        """Write the error function of each number into an array."""
        out[:] = np.vectorize(math.erf, otypes=[float])(a)

'''.split("\n")[:-1]


class NumpyPrinter(Variables):
    """Prints a program as Python source with a function ``bind``.

    Parameters
    ----------
    program : Program
        What to print.
    title : str
        The first line of the module.
    dtype : str
        "float64" or "float32".
    """

    def __init__(self, program: Program, title: str, dtype: str = "float64") -> None:
        super().__init__(program, dtype)
        self.title = title
        self._lines: list[str] = []
        self._helpers: list[str] = []
        self._writer = Writer(
            self._line, self.view, self._scratch, self._release, self._use_helper, self._number_array, self._shares
        )
        self.statements = 0

    def source(self) -> str:
        """Return the module's source."""
        program = self.program
        for array in program.inputs:
            self._define(array)
        imported: set[str] = set()
        forward, backward = [
            [_with_names(line, imported) for line in self._section(statements)]
            for statements in (program.forward, program.backward)
        ]
        results = [self.view(view, False) for view in program.outputs]
        effects = [self.view(view, False) for view in program.effects]
        batches = [self._names.new(f"{array.name}_batch") for array in program.inputs]
        arguments = ", ".join(batches)
        arrays = [self._define(array) for array in program.inputs]
        reading = [f"{name}[:] = {batch}.T" for name, batch in zip(arrays, batches, strict=True)]
        gradients = [self._define(array) for array in program.input_gradients.values()]
        if program.seed is not None:
            backward = [f"{self._define(program.seed)}[:] = seed", *backward]
        body = [
            *self._setup,
            "",
            f"def forward({arguments}):",
            *_indented([*reading, *forward, f"return {_tuple(results)}, {_tuple(effects)}"]),
            "",
            "def backward(seed):",
            *_indented([*backward, f"return {_tuple(gradients)}"]),
            "",
            "return forward, backward",
        ]
        return "\n".join(
            [
                f'"""{self.title}"""',
                "",
                *(["import math", ""] if "erf" in self._helpers else []),
                "import numpy as np",
                *_imports(imported),
                *(_ERF if "erf" in self._helpers else [""]),
                "",
                "def bind(n, theta, gradient):",
                INDENT
                + '"""Return the forward and the backward pass for n examples, in arrays that they use again."""',
                *_indented(body),
                "",
            ]
        )

    # ------------------------------------------------------------------------------------------------- writing

    def _section(self, statements: Sequence[Statement]) -> list[str]:
        self._lines = []
        last_reads = _last_reads(statements)
        for k, statement in enumerate(statements):
            self._dying = last_reads.get(k, [])
            getattr(self, f"_print_{type(statement).__name__.lower()}")(statement)
        return self._lines

    def _line(self, text: str) -> None:
        self._lines.append(text)
        self.statements += 1

    def _use_helper(self, name: str) -> None:
        if name not in self._helpers:
            self._helpers.append(name)

    # ---------------------------------------------------------------------------------------------- statements

    def _print_comment(self, statement: Comment) -> None:
        line = f"# {_one_line(statement.text)}"
        if self._lines and self._lines[-1].startswith("# ∂L"):  # nothing was to be done there
            self._lines.pop()
        if line not in self._lines[-_NEAR:]:
            self._lines.append(line)

    def _print_fill(self, statement: Fill) -> None:
        self._line(f"{self._define(statement.target)}.fill(0.0)")

    def _print_assign(self, statement: Assign) -> None:
        target = statement.target
        shape = (target.count, target.array.varies)
        self._take_over(statement)
        self._writer.assign(self.view(target, False), shape, [target], statement.expression, statement.add)

    def _print_product(self, statement: Product) -> None:
        matrix = self._matrix(statement.matrix)
        source = self._below_ones(statement) if statement.bias else self.view(statement.source, True)
        if statement.kind == "forward":
            assert statement.target is not None
            self._dot(matrix, self._folded(source, statement), self.view(statement.target, False), statement)
        elif statement.kind == "matrix":
            assert statement.upstream is not None
            upstream = self._folded(self.view(statement.upstream, True), statement, statement.matrix.shape[0])
            source = self._bind(("T", source, statement.windows), f"{source}_T", f"{self._folded(source, statement)}.T")
            self._dot(upstream, source, matrix, statement, statement.matrix.shape)
        else:
            assert statement.target is not None
            assert statement.upstream is not None
            transposed = self._bind(("T", matrix), f"{matrix}_T", f"{matrix}.T")
            upstream = self._folded(self.view(statement.upstream, True), statement, statement.matrix.shape[0])
            self._dot(transposed, upstream, self.view(statement.target, False), statement)

    def _below_ones(self, statement: Product) -> str:
        source = statement.source
        name = self._with_ones(source.array)
        return name if source.start == 0 else self._bind((source, "ones"), name, f"{name}[{source.start}:]")

    def _folded(self, name: str, statement: Product, rows: int = 0) -> str:
        """Return an array of (row, window) rows as a matrix of rows, each with all windows and examples."""
        if statement.windows == 1:
            return name
        rows = rows or statement.matrix.shape[1]
        return self._bind(("fold", name, rows), f"{name}_windows", f"{name}.reshape({rows}, {statement.windows} * n)")

    def _dot(
        self, left: str, right: str, target: str, statement: Product, shape: tuple[int, int] | None = None
    ) -> None:
        """Write target (+)= left·right; `shape` is that of a matrix of numbers that don't vary."""
        rows = shape[0] if shape else statement.matrix.shape[0 if statement.kind == "forward" else 1]
        folded = self._folded(target, statement, rows) if shape is None else target
        contiguous = shape is None or _is_contiguous(statement.matrix)
        if contiguous and not statement.add and (shape is not None or _is_dense(statement.target)):
            self._line(f"{left}.dot({right}, out={folded})")
            return
        size = f"({shape[0]}, {shape[1]})" if shape else f"({rows}, {statement.windows} * n)"
        buffer = self._bind(("product", size), f"product_{rows}", f"np.empty({size}{self.dtype})")
        self._line(f"{left}.dot({right}, out={buffer})")
        if statement.add:
            self._line(f"np.add({folded}, {buffer}, out={folded})")
        else:
            self._line(f"np.copyto({folded}, {buffer})")

    def _print_reduce(self, statement: Reduce) -> None:
        target, expression, count = statement.target, statement.expression, statement.count
        name = self.view(target, False)
        varies = any(view.array.varies for view in views_of(expression))
        function = f"np.{statement.function}.reduce"
        if self._is_dot(statement, varies):
            left, right = (self.view(part.parts[0], False) for part in expression.parts)
            result = f"np.dot({left}, {right})"
            self._line(f"{name}[0] {'+' if statement.add else ''}= {result}")
            return
        value, buffer = self._whole(expression, count, varies)
        axis = {"rows": "0", "batch": "1", "both": "None"}.get(statement.over, "1")
        if statement.over.startswith("rows") and target.count > 1:
            terms = count // target.count
            lengths = f"{terms}, {target.count}" if statement.over == "rows" else f"{target.count}, {terms}"
            value = self._bind(
                ("reduce", value, lengths), f"{value}_terms", f"{value}.reshape({lengths}{', n' if varies else ''})"
            )
            axis = "0" if statement.over == "rows" else "1"
        keep = target.count == 1 and statement.over.startswith("rows")
        initial = f", initial=-{self.huge}" if statement.finite else ""
        if keep and varies and statement.function == "add" and not statement.add:
            ones = self._bind(("ones", count), f"ones_{count}", f"np.ones((1, {count}){self.dtype})")
            self._line(f"{ones}.dot({value}, out={name})")
        elif statement.over == "both":
            self._line(f"{name}[0] {'+' if statement.add else ''}= {function}({value}, axis=None)")
        elif statement.add:
            shape = (target.count, target.array.varies)
            total = self._scratch(shape, False, False)
            self._line(f"{function}({value}, axis={axis}, out={total}{', keepdims=True' if keep else ''})")
            self._line(f"np.add({name}, {total}, out={name})")
            self._release(total)
        else:
            self._line(f"{function}({value}, axis={axis}, out={name}{', keepdims=True' if keep else ''}{initial})")
        if buffer is not None:
            self._release(buffer)

    def _whole(self, expression: Any, count: int, varies: bool) -> tuple[str, str | None]:
        """Return the value of a formula with all its rows, also where one row serves for several."""
        views = list(views_of(expression))
        if expression.form == "view" and expression.parts[0].count == count:
            return self.view(expression.parts[0], varies), None
        if views and max(view.count for view in views) == count:
            return self._writer.computed(expression, (count, varies))
        buffer = self._scratch((count, varies), False, varies)
        self._writer.assign(buffer, (count, varies), [], expression, False)
        return buffer, buffer

    def _is_dot(self, statement: Reduce, varies: bool) -> bool:
        expression = statement.expression
        return (
            not varies
            and statement.function == "add"
            and statement.target.count == 1
            and expression.form == "*"
            and all(part.form == "view" and part.parts[0].count == statement.count for part in expression.parts)
        )

    def _print_gather(self, statement: Gather) -> None:
        source, to = self._define(statement.source), self.view(statement.to, False)
        index = self._index(statement.index)
        if statement.target.varies and not statement.source.varies:
            self._line(f"{to}[:] = {source}[{index}, None]")
        elif _is_dense(statement.to):
            self._line(f"np.take({source}, {index}, axis=0, out={to}, mode='clip')")
        else:
            self._line(f"{to}[:] = {source}[{index}]")

    def _print_scatter(self, statement: Scatter) -> None:
        target, index = self._define(statement.target), np.asarray(statement.index)
        varies = statement.target.varies
        value, buffer = self._writer_value(statement, varies)
        if len(np.unique(index)) == len(index):
            at = self._index(index)
            self._line(f"{target}[{at}] {'+' if statement.add else ''}= {value}")
        else:  # sorted once, so that the contributions to a row lie side by side
            order = np.argsort(index, kind="stable")
            rows, starts = np.unique(index[order], return_index=True)
            total = f"np.add.reduceat({value}[{self._index(order)}], {self._index(starts)}, axis=0)"
            self._line(f"{target}[{self._index(rows)}] {'+' if statement.add else ''}= {total}")
        if buffer is not None:
            self._release(buffer)

    def _writer_value(self, statement: Scatter | PickGradient, varies: bool) -> tuple[str, str | None]:
        expression = statement.expression
        count = max([view.count for view in views_of(expression)], default=1)
        return self._writer.computed(expression, (count, varies))

    def _print_pick(self, statement: Pick) -> None:
        places = self._chosen_places(statement.index)
        index = self.view(View(statement.index.array, statement.index.start, 1), False)
        row = self._bind(("row", statement.index), f"{index}_row", f"{index}[0]")
        self._line(f"np.multiply({row}, n, out={places}, casting='unsafe')  # where, in the flat source")
        self._line(f"np.add({places}, {self._columns()}, out={places})")
        self._line(f"{self._flat(statement.source)}.take({places}, out={self._flat(statement.target)}, mode='clip')")

    def _print_pickgradient(self, statement: PickGradient) -> None:
        value, buffer = self._writer_value(statement, True)
        row = value if is_uniform(statement.expression) else f"{value}[0]"
        self._line(f"{self._flat(statement.target)}[{self._chosen_places(statement.index)}] += {row}")
        if buffer is not None:
            self._release(buffer)

    def _flat(self, view: View) -> str:
        name = self.view(view, False)
        return self._bind(("flat", view), f"{name}_flat", f"{name}.reshape(-1)")

    def _chosen_places(self, index: View) -> str:
        """Return the variable of where, in the flat source, the number is that each example chooses."""
        return self._bind(("chosen", index), "chosen", "np.empty(n, np.intp)")

    def _columns(self) -> str:
        return self._bind("columns", "examples", "np.arange(n)")


def _last_reads(statements: Sequence[Statement]) -> dict[int, list[Array]]:
    """Return for each statement which arrays are read in it as wholes and never again."""
    last: dict[Array, int] = {}
    for k, statement in enumerate(statements):
        for array in _arrays_read(statement):
            last[array] = k
    dying: dict[int, list[Array]] = {}
    for array, k in last.items():
        dying.setdefault(k, []).append(array)
    return dying


def _arrays_read(statement: Statement) -> list[Array]:
    """Return the arrays that a statement reads, or adds to."""
    found: list[Array] = []
    for part in vars(statement).values():
        if isinstance(part, Expression):
            found += [view.array for view in views_of(part)]
        elif isinstance(part, (View, Matrix)):
            found.append(part.array)
        elif isinstance(part, Array):
            found.append(part)
    return found


def _with_names(line: str, imported: set[str]) -> str:
    """Return a line in which NumPy's element-wise functions go by their own names; they are noted."""

    def name(match: re.Match[str]) -> str:
        imported.add(match[1])
        return match[1] + match[2]

    return line if line.startswith("#") else _FUNCTION.sub(name, line)


def _imports(names: set[str]) -> list[str]:
    """Return the import of NumPy's functions, in lines of a readable length."""
    if not names:
        return []
    line = f"from numpy import {', '.join(sorted(names))}"
    if len(line) <= 100:
        return [line]
    return ["from numpy import (", *[f"    {name}," for name in sorted(names)], ")"]


def _one_line(text: str) -> str:
    return re.sub(r"\s*[\r\n]\s*", " ", text)


def _is_contiguous(matrix: Matrix) -> bool:
    return matrix.across == 1 and (matrix.down == matrix.shape[1] or matrix.shape[0] == 1)


def _is_dense(view: View | None) -> bool:
    return view is not None and view.step == 1


def _tuple(names: Sequence[str]) -> str:
    return f"({''.join(f'{name}, ' for name in names).rstrip() if len(names) == 1 else ', '.join(names)})"


def _indented(lines: Sequence[str]) -> list[str]:
    return [INDENT + line if line else "" for line in lines]
