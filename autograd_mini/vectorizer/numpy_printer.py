"""The printer for NumPy: both passes as straight-line source that reuses its arrays, and needs NumPy alone."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number
from autograd_mini.formulas.simplify import is_number, is_uniform, simplified, views_of
from autograd_mini.vectorizer.statements import (
    FUNCTIONS,
    HUGE,
    ArrayProgram,
    Assign,
    Comment,
    Fill,
    Gather,
    Matrix,
    Names,
    Pick,
    PickGradient,
    Product,
    Reduce,
    Scatter,
    Statement,
    Variable,
    View,
)

BINARY = {
    "+": "np.add",
    "-": "np.subtract",
    "*": "np.multiply",
    "/": "np.divide",
    "**": "np.power",
    "<": "np.less",
    ">": "np.greater",
    ">=": "np.greater_equal",
    "=": "np.equal",
    "&": "np.logical_and",
    "|": "np.logical_or",
    "maximum": "np.maximum",
    "minimum": "np.minimum",
}
UNARY = {
    "neg": "np.negative",
    "abs": "np.absolute",
    "asin": "np.arcsin",
    "acos": "np.arccos",
    "atan": "np.arctan",
    **{
        name: f"np.{name}"
        for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign")
    },
}
CONDITIONS = frozenset("< > >= = & |".split())
_OPERATORS = {"+": "+", "-": "-", "*": "*", "/": "/"}
Shape = tuple[int, bool]  # rows, and whether there is an axis for the examples


class Writer:
    """Writes formulas as calls.

    Parameters
    ----------
    name_of : callable
        ``name_of(view, in_batch)`` gives the variable of a view; `in_batch` asks for a column where it doesn't vary.
    scratch : callable
        ``scratch(shape, condition, in_batch)`` gives the name of a buffer; ``release(name)`` takes it back.
    helper : callable
        ``helper(name)`` is told of every function that isn't NumPy's.
    constant : callable
        ``constant(number, rows)`` gives the variable of a bare number; with rows, of an array full of it.
    same : callable
        ``same(array)`` gives the array that an array shares its memory with.
    """

    def __init__(
        self,
        line: Callable[[str], None],
        name_of: Callable[[View, bool], str],
        scratch: Callable[..., str],
        release: Callable[[str], None],
        helper: Callable[[str], None],
        constant: Callable[[float, int], str],
        same: Callable[[Any], Any],
    ) -> None:
        self.line, self.name_of, self.scratch, self.release, self.helper = line, name_of, scratch, release, helper
        self.constant, self.same = constant, same
        self.in_batch = False
        self._keys = _Keys()
        self._repeated: set[Any] = set()
        self._shared: dict[Any, str] = {}

    def assign(self, target: str, shape: Shape, views: list[View], expression: Expression, add: bool) -> None:
        """Write target = expression, or target += expression; `views` are what the target is a part of."""
        expression = rewritten(expression)
        self.in_batch = shape[1]
        self._begin(expression)
        if add:
            value, temporary = self.value(expression, shape)
            self.line(f"np.add({target}, {value}, out={target})")
            self._release(temporary)
        else:
            same = self.same
            is_read = any(same(read.array) is same(view.array) for read in views_of(expression) for view in views)
            self._into(expression, target, shape, may_use=not is_read)
        self._end()

    def computed(self, expression: Expression, shape: Shape) -> tuple[str, str | None]:
        """Return the variable of a formula's value, and the buffer that it takes up until released."""
        expression = rewritten(expression)
        self.in_batch = shape[1]
        self._begin(expression)
        found = self.value(expression, shape)
        self._end()
        return found

    def _begin(self, expression: Expression) -> None:
        """Find the parts that a formula has more than once: they are computed once."""
        counts: dict[int, int] = {}
        self._keys = _Keys()
        _count_parts(expression, counts, self._keys)
        self._repeated = {key for key, count in counts.items() if count > 1}
        self._shared = {}

    def _end(self) -> None:
        self._release(*self._shared.values())

    def value(self, expression: Expression, shape: Shape) -> tuple[str, str | None]:
        """Return the variable, or bare text, of a formula's value, and the buffer that it takes up until released."""
        if expression.form == "view":
            return self.name_of(expression.parts[0], self.in_batch), None
        if is_number(expression):
            return self.constant(expression.parts[0], 0), None
        if is_uniform(expression):
            return inline(expression), None
        key = self._keys.of(expression) if self._repeated else None
        if key in self._shared:
            return self._shared[key], None
        own = _shape(expression)
        buffer = self.scratch(own, expression.form in CONDITIONS, self.in_batch)
        self._into(expression, buffer, own, may_use=expression.form not in CONDITIONS)
        if key in self._repeated:
            self._shared[key] = buffer
            return buffer, None
        return buffer, buffer

    def _into(self, expression: Expression, target: str, shape: Shape, may_use: bool) -> None:
        """Write the calls that leave a formula's value in the target."""
        form, parts = expression.form, expression.parts
        if form == "view" or is_uniform(expression):
            self.line(f"np.copyto({target}, {self.value(expression, shape)[0]})")
        elif form == "where":
            self._choose(expression, target, shape, may_use)
        elif form == "**" and is_number(parts[1], 2.0):
            (base,), buffers = self._operands([parts[0]], target, shape, may_use)
            self.line(f"np.multiply({base}, {base}, out={target})")
            self._release(*buffers)
        elif form in ("maximum", "minimum") and len(parts) > 2:
            self._into(Expression(form, (Expression(form, parts[:-1]), parts[-1])), target, shape, may_use)
        elif form in ("maximum", "minimum") and is_number(parts[1]) and shape[1]:
            # An array of the same shape is compared several times as fast as a single number.
            operands, buffers = self._operands(list(parts[:1]), target, shape, may_use)
            bound = self.constant(parts[1].parts[0], shape[0])
            self.line(f"{BINARY[form]}({operands[0]}, {bound}, out={target})")
            self._release(*buffers)
        elif form in BINARY or form in UNARY:
            operands, buffers = self._operands(list(parts), target, shape, may_use)
            self.line(f"{BINARY.get(form) or UNARY[form]}({', '.join(operands)}, out={target})")
            self._release(*buffers)
        else:
            self.helper(form)
            operands, buffers = self._operands(list(parts), target, shape, may_use)
            self.line(f"{form}({', '.join(operands)}, out={target})")
            self._release(*buffers)

    def _operands(
        self, parts: list[Expression], target: str, shape: Shape, may_use: bool
    ) -> tuple[list[str], list[str | None]]:
        """Write what has to be computed first; the first such operand may lie in the target itself."""
        names: list[str] = []
        buffers: list[str | None] = []
        for part in parts:
            computed = part.form != "view" and not is_uniform(part)
            once = not self._repeated or self._keys.of(part) not in self._repeated
            if computed and once and may_use and part.form not in CONDITIONS and _shape(part) == shape:
                self._into(part, target, shape, may_use=True)
                names.append(target)
                may_use = False
            else:
                name, buffer = self.value(part, shape)
                names.append(name)
                buffers.append(buffer)
        return names, buffers

    def _choose(self, expression: Expression, target: str, shape: Shape, may_use: bool) -> None:
        """Write the choice between two values: the second one, and over it the first where the condition holds."""
        if not may_use:  # the target is read by what is written into it in two steps
            beside = self.scratch(shape, False, self.in_batch)
            self._choose(expression, beside, shape, may_use=True)
            self.line(f"np.copyto({target}, {beside})")
            self._release(beside)
            return
        condition, a, b = expression.parts
        mask, buffer = self.value(condition, shape)
        if is_number(a, 1.0) and is_number(b, 0.0):
            self.line(f"np.copyto({target}, {mask})")
        else:
            first, first_buffer = self.value(a, shape)
            second, second_buffer = self.value(b, shape)
            self.line(f"np.copyto({target}, {second})")
            self.line(f"np.copyto({target}, {first}, where={mask})")
            self._release(first_buffer, second_buffer)
        self._release(buffer)

    def _release(self, *buffers: str | None) -> None:
        for buffer in buffers:
            if buffer is not None:
                self.release(buffer)


class _Keys:
    """Numbers for formulas: the same for equal ones."""

    def __init__(self) -> None:
        self._known: dict[Any, int] = {}
        self._of: dict[int, tuple[Expression, int]] = {}  # the formula is kept, so that its id is its own

    def of(self, expression: Expression) -> int:
        """Return the number of a formula."""
        if id(expression) not in self._of:
            is_leaf = expression.form in ("number", "symbol", "view")
            parts = expression.parts if is_leaf else tuple(self.of(part) for part in expression.parts)
            key = self._known.setdefault((expression.form, *parts), len(self._known))
            self._of[id(expression)] = expression, key
        return self._of[id(expression)][1]


def _are_equal(one: Expression, other: Expression) -> bool:
    keys = _Keys()
    return keys.of(one) == keys.of(other)


def _count_parts(expression: Expression, counts: dict[int, int], keys: _Keys) -> None:
    """Count how often each part occurs, those inside of a repeated one only once."""
    if expression.form == "view" or is_uniform(expression):
        return
    key = keys.of(expression)
    counts[key] = counts.get(key, 0) + 1
    if counts[key] == 1:
        for part in expression.parts:
            _count_parts(part, counts, keys)


def _shape(expression: Expression) -> Shape:
    views = list(views_of(expression))
    return max(view.count for view in views), any(view.array.varies for view in views)


def inline(expression: Expression) -> str:
    """Return a formula of numbers and symbols as Python writes it."""
    if expression.form in _OPERATORS:
        left, right = (inline(part) for part in expression.parts)
        return f"({left} {_OPERATORS[expression.form]} {right})"
    if expression.form == "neg":
        return f"(-{inline(expression.parts[0])})"
    if expression.form == "number":
        value = expression.parts[0]
        return repr(value) if value == value and abs(value) != float("inf") else f"np.{value}"
    return expression.render("python")


def _of_inverse_square_cosh(factor: Expression, quotient: Expression) -> Expression | None:
    """Return a where 4·(e/(1 + e)²) with e = exp(-2|a|) is multiplied: that is 1/cosh²a, in one call instead of six."""
    if not is_number(factor, 4.0) or quotient.form != "/":
        return None
    e, square = quotient.parts
    if e.form != "exp" or e.parts[0].form != "*" or e.parts[0].parts[1].form != "abs":
        return None
    if not is_number(e.parts[0].parts[0], -2.0) or square.form != "**" or not is_number(square.parts[1], 2.0):
        return None
    total = square.parts[0]
    matches = total.form == "+" and is_number(total.parts[0], 1.0) and _are_equal(total.parts[1], e)
    argument: Expression = e.parts[0].parts[1].parts[0]
    return argument if matches else None


def rewritten(expression: Expression) -> Expression:
    """Return a formula in which functions that NumPy lacks are written with those that it has."""
    return _rewritten(expression, {})


def _rewritten(expression: Expression, done: dict[int, Expression]) -> Expression:
    if expression.form in ("number", "symbol", "view"):
        return expression
    if id(expression) not in done:
        parts = tuple(_rewritten(part, done) for part in expression.parts)
        done[id(expression)] = _written_with_numpy(expression, parts)
    return done[id(expression)]


def _written_with_numpy(expression: Expression, parts: tuple[Any, ...]) -> Expression:
    if expression.form == "sigmoid":  # exp may overflow: 1/inf is the 0 that it should be
        return number(1.0) / (number(1.0) + text.exp(simplified(-parts[0])))
    if expression.form == "*":
        argument = _of_inverse_square_cosh(*parts)
        if argument is not None:
            return number(1.0) / text.cosh(argument) ** number(2.0)
        for factor, other in (parts, parts[::-1]):
            if other.form == "/" and is_number(other.parts[0], 1.0):
                return Expression("/", (factor, other.parts[1]))
        for mask, other in (parts, parts[::-1]):
            if mask.form == "where" and is_number(mask.parts[1], 1.0) and is_number(mask.parts[2], 0.0):
                return Expression("*", (other, mask.parts[0]))  # a condition is 1 or 0
    return Expression(expression.form, parts)


HUGE_SINGLE = 3.4e38


class Variables:
    """Names for everything in a program, and the lines that define them.

    Parameters
    ----------
    program : ArrayProgram
        The program.
    dtype : str
        "float64" or "float32".
    """

    def __init__(self, program: ArrayProgram, dtype: str) -> None:
        self.program = program
        self.dtype = "" if dtype == "float64" else f", np.{dtype}"
        self.huge = repr(HUGE if dtype == "float64" else HUGE_SINGLE)  # about the largest number of the precision
        self._setup: list[str] = []
        self._known: dict[Any, str] = {}
        self._names = Names()
        self._free: dict[Any, list[str]] = {}
        self._buffers: dict[str, Any] = {}
        self._dying: list[Variable] = []
        self._in_place_of: dict[Variable, Variable] = {}
        self._matrix_numbers: dict[Any, int] = {}

    def _number_array(self, number: float, rows: int) -> str:
        """Return the variable of a bare number, an array without axes; with rows, of an array full of it."""
        written = _written(number)
        if abs(number) == HUGE:
            written = self.huge if number > 0 else f"-{self.huge}"
        name = f"c_{repr(abs(number)).removesuffix('.0')}" if number >= 0 else f"minus_{-number}".removesuffix(".0")
        if rows:
            return self._bind((number, rows), f"{name}_{rows}", f"np.full(({rows}, n), {written}{self.dtype})")
        return self._bind((number, 0), name, f"np.array({written}{self.dtype})")

    def _shares(self, array: Variable) -> Variable:
        """Return the array that an array shares its memory with."""
        while array in self._in_place_of:
            array = self._in_place_of[array]
        return array

    def _bind(self, key: Any, name: str, definition: str) -> str:
        """Return the variable for a thing, defined at its first use."""
        if key not in self._known:
            self._known[key] = name = self._names.new(name)
            self._setup.append(f"{name} = {definition}")
        return self._known[key]

    def _define(self, array: Variable) -> str:
        """Return the variable of an array."""
        if array.role in ("parameters",) or array is self.program.gradient:
            return array.name
        if array.role == "constant":
            numbers = ", ".join(map(_written, np.asarray(array.data).tolist()))
            return self._bind(array, array.name, f"np.array([{numbers}]{self.dtype})")
        shape = f"({array.rows}, n)" if array.varies else f"{array.rows}"
        if array.ones:
            return self._bind(array, array.name, f"{self._with_ones(array)}[:{array.rows}]")
        return self._bind(array, array.name, f"np.empty({shape}{self.dtype})")

    def _with_ones(self, array: Variable) -> str:
        """Return the variable of an array with the row of ones below."""
        rows = "the last row stays" if array.ones == 1 else f"the last {array.ones} rows stay"
        definition = f"np.ones(({array.rows + array.ones}, n){self.dtype})  # {rows} 1, for the bias"
        return self._bind((array, "ones"), f"{array.name}_1", definition)

    def view(self, view: View, in_batch: bool) -> str:
        """Return the variable of a view; `in_batch` asks for a column where it doesn't vary."""
        name = self._define(view.array)
        column = in_batch and not view.array.varies
        if view.is_whole and not column:
            return name
        rows = _slice(view)
        return self._bind(
            (view, column),
            f"{name}_{'column' if view.is_whole else f'{view.start}_{view.start + view.count * view.step}'}",
            f"{name}[{rows}, None]" if column else f"{name}[{rows}]",
        )

    def _take_over(self, statement: Assign) -> None:
        """Let a gradient lie where another one lay that nobody reads any more, and which is in the cache."""
        target = statement.target
        if not target.is_whole or statement.add or target.array.role != "gradient" or target.array in self._known:
            return
        if target.array in self.program.input_gradients.values() or target.array is self.program.gradient:
            return
        for array in self._dying:
            fits = (array.rows, array.varies) == (target.array.rows, target.array.varies)
            if fits and array.role == "gradient" and array not in (self.program.gradient, target.array):
                self._bind(target.array, target.array.name, f"{self._define(array)}  # in its place")
                self._in_place_of[target.array] = array
                return

    def _matrix(self, matrix: Matrix) -> str:
        name, (rows, columns) = self._define(matrix.array), matrix.shape
        end = matrix.start + rows * columns
        if matrix.across == 1 and matrix.down == columns:
            definition = f"{name}[{matrix.start}:{end}].reshape({rows}, {columns})"
        elif matrix.across == 1 and matrix.down == columns + 1 and end + rows <= matrix.array.rows:  # without the bias
            wide = Matrix(matrix.array, matrix.start, (rows, columns + 1), matrix.down, 1)
            definition = f"{self._matrix(wide)}[:, :-1]"
        elif matrix.down == 1 and matrix.across == rows:
            definition = f"{name}[{matrix.start}:{end}].reshape({columns}, {rows}).T"
        else:
            strides = f"({matrix.down} * {name}.itemsize, {matrix.across} * {name}.itemsize)"
            definition = f"np.lib.stride_tricks.as_strided({name}[{matrix.start}:], ({rows}, {columns}), {strides})"
        kind = "d_W" if matrix.array is self.program.gradient else "W"
        owner = "" if matrix.array.role in ("parameters", "gradient") else f"{name}_"
        return self._bind(("matrix", matrix), f"{owner}{kind}{self._number(matrix)}", definition)

    def _number(self, matrix: Matrix) -> int:
        """Return the same number for a matrix and its gradient, counted by where they begin."""
        numbers = self._matrix_numbers
        return numbers.setdefault((matrix.array.role == "value", matrix.start), len(numbers) + 1)

    def _scratch(self, shape: Shape, condition: bool, in_batch: bool) -> str:
        rows, varies = shape
        key = (rows, varies, condition, in_batch)
        free = self._free.setdefault(key, [])
        if free:
            return free.pop()
        kind = "mask" if condition else "work"
        size = f"({rows}, n)" if varies else f"({rows}, 1)" if in_batch else f"{rows}"
        name = self._bind(
            (key, len(self._buffers)),
            f"{kind}_{rows}",
            f"np.empty({size}, bool)" if condition else f"np.empty({size}{self.dtype})",
        )
        self._buffers[name] = key
        return name

    def _release(self, name: str) -> None:
        self._free[self._buffers[name]].append(name)

    def _index(self, index: Any) -> str:
        """Return the variable of a list of rows."""
        numbers = np.asarray(index).tolist()
        return self._bind(("index", tuple(numbers)), "rows", f"np.array({numbers})")


def _written(number: float) -> str:
    """Return a number as NumPy writes it."""
    return f"np.{number}".replace("np.-", "-np.") if number != number or abs(number) == math.inf else repr(number)


def _slice(view: View) -> str:
    end = view.start + (view.count - 1) * view.step + 1
    return f"{view.start}:{end}" + (f":{view.step}" if view.step != 1 else "")


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
    program : ArrayProgram
        What to print.
    title : str
        The first line of the module.
    dtype : str
        "float64" or "float32".
    """

    def __init__(self, program: ArrayProgram, title: str, dtype: str = "float64") -> None:
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


def _last_reads(statements: Sequence[Statement]) -> dict[int, list[Variable]]:
    """Return for each statement which arrays are read in it as wholes and never again."""
    last: dict[Variable, int] = {}
    for k, statement in enumerate(statements):
        for array in _arrays_read(statement):
            last[array] = k
    dying: dict[int, list[Variable]] = {}
    for array, k in last.items():
        dying.setdefault(k, []).append(array)
    return dying


def _arrays_read(statement: Statement) -> list[Variable]:
    """Return the arrays that a statement reads, or adds to."""
    found: list[Variable] = []
    for part in vars(statement).values():
        if isinstance(part, Expression):
            found += [view.array for view in views_of(part)]
        elif isinstance(part, (View, Matrix)):
            found.append(part.array)
        elif isinstance(part, Variable):
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
