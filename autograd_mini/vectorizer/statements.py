"""The intermediate form: typed statements on arrays, between the groups and the text of a program; and their printing.

The statements know nothing of NumPy or JAX: a printer turns each into their language, and what all printers share is
`Printer`. An array has rows and, if it varies, one more axis for the examples of the batch: shape (rows, n), or (rows,)
if it doesn't.
"""

from __future__ import annotations

import heapq
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.formulas.expression import Expression, symbol
from autograd_mini.formulas.simplify import views_of

SEED = symbol("seed")  # ∂L/∂output, the same for all examples
N = symbol("n")  # the number of examples


@dataclass(eq=False)
class Variable:
    """A variable of the program.

    Attributes
    ----------
    name : str
        Its name in the source.
    rows : int
        Its length, without the row of ones.
    varies : bool
        Whether it has an axis for the examples.
    role : str
        "input", "parameters", "constant", "value" or "gradient".
    needs : bool
        Whether a gradient goes through it.
    ones : int
        How many rows of ones follow, so that a matrix product adds the bias: 1, or one for each window.
    data : numpy.ndarray or None
        The numbers of a constant.
    """

    name: str
    rows: int
    varies: bool
    role: str = "value"
    needs: bool = False
    ones: int = 0
    data: Any = None


@dataclass(frozen=True)
class View:
    """Some rows of an array: start, start + step, …; a single row serves wherever several are expected."""

    array: Variable
    start: int
    count: int
    step: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether it is all rows of the array."""
        return self.start == 0 and self.step == 1 and self.count == self.array.rows

    def indices(self) -> range:
        """Return the rows."""
        return range(self.start, self.start + self.count * self.step, self.step)

    def part(self, start: int, count: int, step: int = 1) -> View:
        """Return some of the view's own rows."""
        return View(self.array, self.start + start * self.step, count, self.step * step)

    def of(self, array: Variable) -> View:
        """Return the same rows of another array."""
        return View(array, self.start, self.count, self.step)

    def expression(self) -> Expression:
        """Return the view as a part of a formula."""
        return Expression("view", (self,))


@dataclass(frozen=True)
class Matrix:
    """Numbers of an array that doesn't vary, read as a matrix: entry (r, c) is at start + r·down + c·across."""

    array: Variable
    start: int
    shape: tuple[int, int]
    down: int
    across: int

    @property
    def is_contiguous(self) -> bool:
        """Whether its entries follow each other in the array, row after row."""
        return self.across == 1 and self.down == self.shape[1]

    def indices(self) -> Any:
        """Return where the entries are, as an array of the matrix' shape."""
        rows, columns = self.shape
        return self.start + self.down * np.arange(rows)[:, None] + self.across * np.arange(columns)

    def without_last_column(self) -> Matrix:
        """Return the weights of a matrix whose last column is the bias."""
        return Matrix(self.array, self.start, (self.shape[0], self.shape[1] - 1), self.down, self.across)

    def of(self, array: Variable) -> Matrix:
        """Return the same entries of another array."""
        return Matrix(array, self.start, self.shape, self.down, self.across)


@dataclass(eq=False)
class Statement:
    """A step of the program."""


@dataclass(eq=False)
class Comment(Statement):
    """A line for the reader."""

    text: str


@dataclass(eq=False)
class Fill(Statement):
    """Set a whole array to 0."""

    target: Variable


@dataclass(eq=False)
class Assign(Statement):
    """target = expression, or target += expression, element by element."""

    target: View
    expression: Expression
    add: bool = False


@dataclass(eq=False)
class Product(Statement):
    """A matrix product; `kind` says which.

    "forward" is target = M·source, with a row of ones below the source where M's last column is the bias; "source" is
    target = Mᵀ·source, the gradient that goes down; "matrix" is matrix = upstream·sourceᵀ, the gradient of M. With
    windows, the rows of the target are (filter, window) and those of the source (weight, window).
    """

    kind: str
    target: View | None
    matrix: Matrix
    source: View
    upstream: View | None = None
    bias: bool = False
    windows: int = 1
    add: bool = False


@dataclass(eq=False)
class Reduce(Statement):
    """target = the sum or the largest or smallest of an expression's rows, or its sum over the batch ("batch").

    "both" is over the rows and the batch.
    """

    target: View
    expression: Expression
    function: str = "add"
    over: str = "rows"
    add: bool = False
    count: int = 0  # rows of the expression
    in_order: bool = False  # whether it is to be added up from left to right, as the graph says

    @property
    def varies(self) -> bool:
        """Whether the expression varies over the batch."""
        return any(view.array.varies for view in views_of(self.expression))

    @property
    def fold(self) -> tuple[str, int | None]:
        """As which shape the expression is to be read, "" where as it is, and over which axis (None: all) to reduce it.

        Over rows the shape is (k, rows of the target), and the axis the first one; "rows last" is read
        (rows of the target, k), and reduced over the second.
        """
        if self.over in ("batch", "both"):
            return "", 1 if self.over == "batch" else None
        rows, terms = self.target.count, self.count // self.target.count
        examples = ", n" if self.varies else ""
        return (f"{terms}, {rows}{examples}", 0) if self.over == "rows" else (f"{rows}, {terms}{examples}", 1)


@dataclass(eq=False)
class Call(Statement):
    """A call of one of the functions in `shares`, which writes into its last arguments."""

    function: str
    reads: tuple[View, ...]
    writes: tuple[View, ...]


@dataclass(eq=False)
class Gather(Statement):
    """target[to] = source[index], for some rows of the target."""

    target: Variable
    to: View
    source: Variable
    index: Any


@dataclass(eq=False)
class Scatter(Statement):
    """target[index] += expression, where an index may occur more than once: added up in a fixed order."""

    target: Variable
    index: Any
    expression: Expression
    count: int
    add: bool = True


@dataclass(eq=False)
class Pick(Statement):
    """target = table[index]: of each example the rows that its indices name, one after the other."""

    target: View
    index: View
    table: View


@dataclass(eq=False)
class PickGradient(Statement):
    """target[index] += upstream, for the rows that were picked: example after example."""

    target: View
    index: View
    upstream: View
    add: bool = True  # always: the rows that weren't picked stay what they are


@dataclass(eq=False)
class ArrayProgram:
    """What is to be printed.

    Attributes
    ----------
    inputs : list of Variable
        One for each argument.
    parameters, gradient : Variable
        The numbers of all leaves that were there before, and ∂L/∂ of each.
    arrays : list of Variable
        All others.
    forward, backward : list of Statement
        The two passes.
    outputs, effects : list of View
        Where the results are.
    input_gradients : dict of int to Variable
        ∂L/∂ of the inputs, where it was asked for, by argument.
    """

    inputs: list[Variable]
    parameters: Variable
    gradient: Variable
    arrays: list[Variable] = field(default_factory=list)
    forward: list[Statement] = field(default_factory=list)
    backward: list[Statement] = field(default_factory=list)
    outputs: list[View] = field(default_factory=list)
    effects: list[View] = field(default_factory=list)
    input_gradients: dict[int, Variable] = field(default_factory=dict)
    seed: Variable | None = None  # ∂L/∂output of each output, where there are several
    notes: list[tuple[str, int, str]] = field(default_factory=list)  # for each group: its array, its rows, why


# ------------------------------------------------------------------------------------------------------ memory


def writes_of(statement: Statement) -> list[Variable]:
    """Return the arrays that a statement writes or adds to."""
    if isinstance(statement, Call):
        return [view.array for view in statement.writes]
    if isinstance(statement, Product) and statement.target is None:
        return [statement.matrix.array]
    target: Any = getattr(statement, "target")  # noqa: B009, not all statements have one
    return [target.array if isinstance(target, View) else target]


def reads_of(statement: Statement) -> list[Variable]:
    """Return the arrays that a statement reads; what it only adds to isn't among them."""
    if isinstance(statement, Call):
        return [view.array for view in statement.reads]
    if isinstance(statement, Gather):
        return [statement.source]
    if isinstance(statement, Product):
        if statement.kind == "matrix":
            assert statement.upstream is not None
            return [statement.upstream.array, statement.source.array]
        read = statement.source if statement.kind == "forward" else statement.upstream
        assert read is not None
        return [statement.matrix.array, read.array]
    if isinstance(statement, (Pick, PickGradient)):
        other = statement.table if isinstance(statement, Pick) else statement.upstream
        return [statement.index.array, other.array]
    expression = getattr(statement, "expression", None)
    return [] if expression is None else [view.array for view in views_of(expression)]


class Free:
    """Rows of memory, handed out for a time."""

    def __init__(self) -> None:
        self.most = 0
        self._taken: list[tuple[int, int, int]] = []  # a heap: until when, how many, the first row
        self._free: dict[int, list[int]] = {}  # where so many rows are free

    def take(self, rows: int, start: int, end: int) -> int:
        """Return the first of so many rows that nobody else has from `start` to `end`; starts never go back."""
        while self._taken and self._taken[0][0] < start:
            _, count, first = heapq.heappop(self._taken)
            self._free.setdefault(count, []).append(first)
        if self._free.get(rows):
            at = self._free[rows].pop()
        else:
            at = self.most
            self.most += rows
        heapq.heappush(self._taken, (end, rows, at))
        return at


# ------------------------------------------------------------------------------------------------------- names

# What NumPy and JAX call the operations of formulas. A program imports NumPy's by name: looking them up took a tenth of
# a small call.
_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power", "neg": "negative"}
_CONDITIONS = {"<": "less", ">": "greater", ">=": "greater_equal", "=": "equal", "&": "logical_and", "|": "logical_or"}
_OTHERS = {"abs": "absolute", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}
_SAME = "maximum minimum exp expm1 log log1p log2 log10 sqrt cbrt hypot sin cos tan sinh cosh tanh sign rint".split()
FUNCTIONS = {**_ARITHMETIC, **_CONDITIONS, **_OTHERS, **{name: name for name in _SAME}}
OPERATORS = {**{form: form for form in "+ - * / ** < > >= & |".split()}, "=": "=="}
RESERVED = frozenset(
    "np jnp jax run n seed theta gradient bind forward backward math functools erf erfc examples add_up "
    "exp_of_difference exponentials total_of logsumexp minus_log_softmax minus_log_softmax_of_any row_numbers picked "
    "add_to_picked".split()
)


class Names:
    """Hands out names, each once."""

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._taken = {*RESERVED, *FUNCTIONS.values(), *taken}
        self._last: dict[str, int] = {}

    def new(self, wanted: str) -> str:
        """Return the name, with a number where it is taken."""
        base = name = identifier(wanted)
        k = self._last.get(base, 0 if base in FUNCTIONS.values() else 1)
        while name in self._taken:
            k += 1
            name = f"{base}_{k}"
        self._last[base] = k
        self._taken.add(name)
        return name


_PLAIN = re.compile(r"[A-Za-z](?:\w*[0-9A-Za-z])?", re.ASCII)


@lru_cache(maxsize=1024)
def identifier(wanted: str) -> str:
    """Return a name in which only letters, digits and underscores are left.

    Examples
    --------
    >>> identifier("layers.0.z"), identifier("x 1"), identifier("lambda")
    ('layers_0_z', 'x_1', 'lambda_')
    """
    if _PLAIN.fullmatch(wanted) and not keyword.iskeyword(wanted):
        return wanted
    name = re.sub(r"[^0-9A-Za-zΑ-Ωα-ω_]+", "_", wanted).strip("_") or "v"
    name = f"v{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


# ---------------------------------------------------------------------------------------------------- printing

INDENT = "    "
MOST_LITERALS = 1000  # whole numbers that are written one by one
_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")
_NEAR = 8  # lines within which a comment isn't said twice


class Printer:
    """What the printers of all languages share: they walk through statements, and write formulas and numbers.

    A printer has a method ``_print_…`` for each sort of statement but comments and products. In `_view`, `_matrix` and
    `_function` it says how rows, matrices and operations are written; in the last four methods, the parts of a product.

    Parameters
    ----------
    program : ArrayProgram
        What to print.
    title : str
        The first line of the module.
    dtype : str
        "float64" or "float32".

    Attributes
    ----------
    statements : int
        How many statements were printed.
    """

    module = "np"

    def __init__(self, program: ArrayProgram, title: str, dtype: str = "float64") -> None:
        self.program, self.title, self.dtype = program, title, dtype
        self.statements = 0
        self._lines: list[str] = []

    def source(self) -> str:
        """Return the module's source."""
        raise NotImplementedError

    def present(self, theta: Array, order: str, of_dtype: str) -> list[str]:
        """Return the lines of Python that hold a module's parameters.

        Parameters
        ----------
        theta : numpy.ndarray
            The parameters.
        order : str
            Where the gradient of each is in the flat vector, in the order that a user knows, as it is written.
        of_dtype : str
            What `numpy.array` is told of its numbers.
        """
        return [
            f"theta = np.array([{', '.join(map(self._number, theta.tolist()))}]{of_dtype})",
            f"order = {order}  # of the gradient, as the function uses its parameters",
            "",
        ]

    def _section(self, statements: Sequence[Statement]) -> list[str]:
        """Return the lines of some statements."""
        self._lines = []
        for statement in statements:
            getattr(self, f"_print_{type(statement).__name__.lower()}")(statement)
        return self._lines

    def _line(self, text: str) -> None:
        self._lines.append(text)
        self.statements += 1

    def _print_comment(self, statement: Comment) -> None:
        line = self._comment(_LINE_BREAK.sub(" ", statement.text))
        if self._lines and self._lines[-1].startswith(self._comment("∂L")):  # nothing was to be done there
            self._lines.pop()
        if line not in self._lines[-_NEAR:]:
            self._lines.append(line)

    def _comment(self, text: str) -> str:
        """Return a line for the reader."""
        return f"# {text}"

    # ---------------------------------------------------------------------------------------- formulas, numbers

    def _view(self, view: View, in_batch: bool = False) -> str:
        """Return how a view is written; `in_batch` asks for a column where it doesn't vary."""
        raise NotImplementedError

    def _matrix(self, matrix: Matrix) -> str:
        """Return how a matrix is written."""
        raise NotImplementedError

    def _function(self, form: str) -> str:
        """Return what an operation is called."""
        raise NotImplementedError

    def _number(self, number: float) -> str:
        if np.isfinite(number):
            return repr(number)
        return f"-{self.module}.inf" if number < 0 else f"{self.module}.{number}"

    def _whole_numbers(self, array: Any) -> str:
        """Return an array of whole numbers: many as one text, as Python compiles a text at once."""
        numbers = np.asarray(array)
        if numbers.size <= MOST_LITERALS:
            return f"{self.module}.array({numbers.tolist()})"
        shape = f".reshape({numbers.shape})" if numbers.ndim > 1 else ""
        return f'{self.module}.fromstring("{" ".join(map(str, numbers.ravel().tolist()))}", dtype=int, sep=" "){shape}'

    def _formula(self, expression: Expression, in_batch: bool = False) -> str:
        """Return a formula as one expression; its views are columns where they don't vary in a formula that does."""
        form, parts = expression.form, expression.parts
        if form == "view":
            return self._view(parts[0], in_batch)
        if form == "number":
            return self._number(parts[0])
        if form == "symbol":
            return str(parts[0])
        written = [self._formula(part, in_batch) for part in parts]
        if form in OPERATORS:
            return f"({written[0]} {OPERATORS[form]} {written[1]})"
        if form == "neg":
            return f"(-{written[0]})"
        function = self._function(form)
        if form in ("maximum", "minimum"):  # of two each
            return reduce(lambda a, b: f"{function}({a}, {b})", written)
        return f"{function}({', '.join(written)})"

    def _numbers(self, array: Variable) -> str:
        """Return the numbers of a constant array."""
        return ", ".join(map(self._number, np.asarray(array.data).tolist()))

    # ---------------------------------------------------------------------------------------- matrix products

    def _print_product(self, statement: Product) -> None:
        matrix = statement.matrix
        if statement.kind == "forward":
            self._put_product(self._matrix(matrix), self._source(statement), statement)
        elif statement.kind == "source":
            self._put_product(self._transposed(self._matrix(matrix)), self._upstream(statement), statement)
        else:
            self._put_product(self._upstream(statement), self._transposed(self._source(statement)), statement)

    def _source(self, statement: Product) -> str:
        name = self._with_ones(statement) if statement.bias else self._view(statement.source, True)
        return self._folded(name, statement.matrix.shape[1], statement.windows)

    def _upstream(self, statement: Product) -> str:
        assert statement.upstream is not None
        return self._folded(self._view(statement.upstream, True), statement.matrix.shape[0], statement.windows)

    def _with_ones(self, statement: Product) -> str:
        """Return the source with the rows of ones below."""
        raise NotImplementedError

    def _folded(self, name: str, rows: int, windows: int) -> str:
        """Return an array of (row, window) rows as a matrix of rows, each with all windows and examples."""
        raise NotImplementedError

    def _transposed(self, name: str) -> str:
        raise NotImplementedError

    def _put_product(self, left: str, right: str, statement: Product) -> None:
        """Write left·right into the statement's target, or add it."""
        raise NotImplementedError


def rows_of(view: View) -> str:
    """Return the rows of a view as Python writes them: ``0:4``, ``1:6:2``."""
    end = view.start + (view.count - 1) * view.step + 1
    return f"{view.start}:{end}" + (f":{view.step}" if view.step != 1 else "")


def indented(lines: Sequence[str]) -> list[str]:
    """Return lines that stand inside of a function."""
    return [INDENT + line if line else "" for line in lines]
