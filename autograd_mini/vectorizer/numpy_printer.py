"""The printer for NumPy: both passes as straight-line source that reuses its arrays, and needs NumPy alone.

It is one class in three layers: names for arrays, formulas as calls that write into them, and statements.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import chain, groupby
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number
from autograd_mini.formulas.simplify import Filled, is_number, is_uniform, places_of, views_of
from autograd_mini.vectorizer import shares
from autograd_mini.vectorizer.statements import (
    FUNCTIONS,
    INDENT,
    ArrayProgram,
    Assign,
    Call,
    Fill,
    Gather,
    Matrix,
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
    rows_of,
)

CONDITIONS = frozenset("< > >= = & |".split())
LEAVES = frozenset(("number", "symbol", "view"))
MOST_FROM_OUTSIDE = 1_000  # variables that a pass has from the function around it
NAMES_A_LINE = 8
MOST_IN_FULL = 100  # formulas of the same sort, after which they become calls of a function
_WORD = re.compile(r"\w+")
_EMPTY = re.compile(r"\w+ = np\.empty\((?:\((\w+, \w+)\)|(\w+))((?:, [\w.]+)?)\)")  # shape (or rows), and dtype
_NAME = re.compile(r"(?<!\.)\b(\w+)\b(?!=)")  # a variable in a call: no method, and no keyword
# What NumPy hasn't, by the functions of `math`. SciPy's erf is quicker, and as right; its erfc is up to 4.3 ulp off.
_OF_MATH = {
    "erf": '''
try:
    from scipy.special import erf
except ImportError:  # SciPy's is quicker, but not needed

    def erf(a, out):
        """Write the error function of each number into an array."""
        out[:] = np.vectorize(math.erf, otypes=[float])(a)

''',
    "erfc": '''

def erfc(a, out):
    """Write 1 - erf of each number, with all its digits, into an array."""
    out[:] = np.vectorize(math.erfc, otypes=[float])(a)

''',
}
Shape = tuple[int, bool]  # rows, and whether there is an axis for the examples


class _Arrays(Printer):
    """Names for everything in a program, and the lines that define them."""

    def __init__(self, program: ArrayProgram, title: str, dtype: str = "float64") -> None:
        super().__init__(program, title, dtype)
        self.of_dtype = "" if dtype == "float64" else f", np.{dtype}"
        self._setup: list[str] = []
        self._known: dict[Any, str] = {}
        self._names = Names()
        self._free: dict[Any, list[str]] = {}
        self._buffers: dict[str, Any] = {}
        self._dying = _last_reads([*program.forward, *program.backward])
        self._in_place_of: dict[Variable, Variable] = {}  # the first of those that share one memory
        self._matrix_numbers: dict[Any, int] = {}
        self._strided: set[str] = set()  # views that leave rows out

    def _bind(self, key: Any, name: str, definition: str) -> str:
        """Return the variable for a thing, defined at its first use."""
        if key not in self._known:
            self._known[key] = name = self._names.new(name)
            self._setup.append(f"{name} = {definition}")
        return self._known[key]

    def _define(self, array: Variable) -> str:
        """Return the variable of an array."""
        if array in self._known:
            return self._known[array]
        if array in (self.program.parameters, self.program.gradient):
            return array.name
        if array.role == "constant":
            definition = f"np.array([{self._numbers(array)}]{self.of_dtype})"
        elif array.ones:
            definition = f"{self._taller(array)}[:{array.rows}]"
        else:
            definition = f"np.empty({_size(array.rows, array.varies)}{self.of_dtype})"
        return self._bind(array, array.name, definition)

    def _taller(self, array: Variable) -> str:
        """Return the variable of an array with the rows of ones below."""
        rows = "the last row stays" if array.ones == 1 else f"the last {array.ones} rows stay"
        definition = f"np.ones(({array.rows + array.ones}, n){self.of_dtype})  # {rows} 1, for the bias"
        return self._bind((array, "ones"), f"{array.name}_1", definition)

    def _constant(self, number: float, rows: int = 0) -> str:
        """Return the variable of a bare number, an array without axes; with rows, of an array full of it."""
        written = self._number(number)
        name = f"c_{repr(abs(number)).removesuffix('.0')}" if number >= 0 else f"minus_{-number}".removesuffix(".0")
        if rows:
            return self._bind((number, rows), f"{name}_{rows}", f"np.full(({rows}, n), {written}{self.of_dtype})")
        return self._bind((number, 0), name, f"np.array({written}{self.of_dtype})")

    def _view(self, view: View, in_batch: bool = False) -> str:
        name = self._define(view.array)
        column = in_batch and not view.array.varies
        if view.is_whole and not column:
            return name
        rows = rows_of(view)
        bound = self._bind(
            (view, column),
            f"{name}_{'column' if view.is_whole else f'{view.start}_{view.start + view.count * view.step}'}",
            f"{name}[{rows}, None]" if column else f"{name}[{rows}]",
        )
        if view.step != 1:
            self._strided.add(bound)
        return bound

    def _matrix(self, matrix: Matrix) -> str:
        name, (rows, columns) = self._define(matrix.array), matrix.shape
        end = matrix.start + rows * columns
        if matrix.is_contiguous:
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
        # A matrix and its gradient have the same number, counted by where they begin.
        numbers = self._matrix_numbers
        k = numbers.setdefault((matrix.array.role == "value", matrix.start), len(numbers) + 1)
        return self._bind(("matrix", matrix), f"{owner}{kind}{k}", definition)

    def _index(self, index: Any) -> str:
        """Return the variable of a list of rows."""
        numbers = np.ravel(index).tolist()
        return self._bind(("index", tuple(numbers)), "rows", self._whole_numbers(index))

    def _scratch(self, shape: Shape, in_batch: bool, condition: bool = False) -> str:
        """Return the name of an array that nobody uses, until it is released."""
        rows, varies = shape
        key = (rows, varies, condition, in_batch)
        free = self._free.setdefault(key, [])
        if free:
            return free.pop()
        size = f"({rows}, 1)" if in_batch and not varies else _size(rows, varies)
        dtype = ", bool" if condition else self.of_dtype
        name = f"{'mask' if condition else 'work'}_{rows}"
        name = self._bind((key, len(self._buffers)), name, f"np.empty({size}{dtype})")
        self._buffers[name] = key
        return name

    def _release(self, *names: str) -> None:
        """Let those of some variables that are scratch arrays be used again."""
        for name in names:
            if name in self._buffers:
                self._free[self._buffers[name]].append(name)

    def _shares(self, array: Variable) -> Variable:
        """Return the array that an array shares its memory with."""
        return self._in_place_of.get(array, array)


class _Formulas(_Arrays):
    """Formulas as calls, each of which writes into an array; a part that occurs several times is computed once."""

    def __init__(self, program: ArrayProgram, title: str, dtype: str = "float64") -> None:
        super().__init__(program, title, dtype)
        self._used: set[str] = set()  # functions
        self._helpers: list[str] = []  # and those that stand in the program itself
        self._in_batch = False
        self._repeated: set[int] = set()  # the ids of parts that occur more than once
        self._shared: dict[int, str] = {}  # and where their values are
        self._written: dict[Any, list[list[str | int]]] = {}  # lines by sort of formula, cut at the names of views
        self._uses = Counter[Any]()
        self._called: dict[Any, str] = {}  # the names of functions
        self._functions: list[str] = []  # and their lines

    def _function(self, form: str) -> str:
        name = FUNCTIONS.get(form, form)
        self._used.add(name)
        return name

    def _call(self, form: str, target: str, *operands: str) -> None:
        if form == "neg" and operands[0] in self._strided:  # of a column with a row in 8, NumPy 2.4 negates but one
            form, operands = "*", (self._constant(-1.0), *operands)
        self._line(f"{self._function(form)}({', '.join(operands)}, out={target})")

    def _begin(self, expression: Expression, in_batch: bool) -> Expression:
        """Return a formula as NumPy computes it, and find the parts that it has more than once."""
        expression = rewritten(expression)
        counts: dict[int, int] = {}
        count_parts(expression, counts)
        self._repeated = {part for part, count in counts.items() if count > 1}
        self._shared, self._in_batch = {}, in_batch
        return expression

    def _end(self) -> None:
        shared, self._shared = self._shared, {}
        self._release(*shared.values())

    def _assign(self, target: str, shape: Shape, view: View | None, expression: Expression, add: bool = False) -> None:
        """Write target = expression, or target += expression; the target is a view of an array, or scratch.

        Deep programs have many formulas of few sorts: lines that were written for another one of the same sort are
        taken over, with other names. All scratch arrays are free before and after a statement, so that theirs may stay.
        """
        read = {self._shares(part.array) for part in views_of(expression)}
        may_use = view is None or self._shares(view.array) not in read
        if view is None:
            self._write_assignment(target, shape, expression, may_use, add)
            return
        places: dict[Any, int] = {}
        sort = _sort(expression, view, places)
        names = [target, *[self._view(part, shape[1]) for part in places if part != view]]
        same = tuple(map(names.index, names))  # some may be names of one memory
        key = (shape, add, may_use, view.step == 1, sort, same)
        if key in self._written:
            self._take_over_lines(key, names)
            return
        before = len(self._lines)
        self._write_assignment(target, shape, expression, may_use, add)
        at = dict(zip(names, same, strict=True))
        self._written[key] = [[at.get(word, word) for word in _NAME.split(line)] for line in self._lines[before:]]

    def _take_over_lines(self, key: Any, names: list[str]) -> None:
        """Write the lines of a sort of formula with these names; where it is there often, a call of a function."""
        lines = self._written[key]
        self._uses[key] += 1
        is_alone = any("seed" in line for line in lines)  # which only the backward pass knows
        if len(lines) == 1 or self._uses[key] < MOST_IN_FULL or is_alone:
            for line in lines:
                self._line(_joined(line, names))
            return
        if key not in self._called:
            self._called[key] = name = self._names.new("step")
            arguments = ["target", *[f"a{k}" for k in range(1, len(names))]]
            body = [_joined(line, arguments) for line in lines]
            self._functions += ["", f"def {name}({', '.join(arguments)}):", *indented(body)]
        self._line(f"{self._called[key]}({', '.join(names)})")
        self.statements += len(lines) - 1

    def _write_assignment(self, target: str, shape: Shape, expression: Expression, may_use: bool, add: bool) -> None:
        expression = self._begin(expression, shape[1])
        if add:
            value = self._value(expression)
            self._call("+", target, target, value)
            self._release(value)
        else:
            self._into(expression, target, shape, may_use)
        self._end()

    def _computed(self, expression: Expression, count: int, varies: bool) -> str:
        """Return the variable of a formula's value, with `count` rows also where one row serves for several."""
        if max([view.count for view in views_of(expression)], default=0) == count:
            value = self._value(self._begin(expression, varies))
            self._end()
        else:
            value = self._scratch((count, varies), varies)
            self._assign(value, (count, varies), None, expression)
        return value

    def _release(self, *names: str) -> None:
        super()._release(*[name for name in names if name not in self._shared.values()])

    def _value(self, expression: Expression) -> str:
        """Return the variable of a formula's value, or its text; a scratch array is in use until released."""
        if expression.form == "view":
            return self._view(expression.parts[0], self._in_batch)
        if is_number(expression):
            return self._constant(expression.parts[0])
        if is_uniform(expression):
            return self._formula(expression)
        if id(expression) in self._shared:
            return self._shared[id(expression)]
        own, condition = _shape(expression), expression.form in CONDITIONS
        buffer = self._scratch(own, self._in_batch, condition)
        self._into(expression, buffer, own, may_use=not condition)
        if id(expression) in self._repeated:
            self._shared[id(expression)] = buffer
        return buffer

    def _into(self, expression: Expression, target: str, shape: Shape, may_use: bool) -> None:
        """Write the calls that leave a formula's value in the target, which they may use meanwhile or not."""
        form, parts = expression.form, expression.parts
        if form == "view" or is_uniform(expression):
            self._line(f"np.copyto({target}, {self._value(expression)})")
            return
        if form == "where":
            self._choose(expression, target, shape, may_use)
            return
        is_square = form == "**" and is_number(parts[1], 2.0)
        is_bound = form in ("maximum", "minimum") and is_number(parts[1]) and shape[1]
        operands = self._operands(parts[:1] if is_square or is_bound else parts, target, shape, may_use)
        if is_square:
            self._call("*", target, *operands, *operands)
        elif is_bound:  # an array of the same shape is compared several times as fast as a single number
            self._call(form, target, *operands, self._constant(parts[1].parts[0], shape[0]))
        else:
            self._call(form, target, *operands)
        self._release(*[operand for operand in operands if operand != target])

    def _operands(self, parts: Sequence[Expression], target: str, shape: Shape, may_use: bool) -> list[str]:
        """Write what has to be computed first; the first such operand may lie in the target itself."""
        names: list[str] = []
        for part in parts:
            computed = part.form not in ("view", *CONDITIONS) and not is_uniform(part)
            if may_use and computed and id(part) not in self._repeated and _shape(part) == shape:
                self._into(part, target, shape, may_use=True)
                names.append(target)
                may_use = False
            else:
                names.append(self._value(part))
        return names

    def _choose(self, expression: Expression, target: str, shape: Shape, may_use: bool) -> None:
        """Write the choice between two values: the second one, and over it the first where the condition holds."""
        if not may_use:  # the target is read by what is written into it in two steps
            beside = self._scratch(shape, self._in_batch)
            self._choose(expression, beside, shape, may_use=True)
            self._line(f"np.copyto({target}, {beside})")
            self._release(beside)
            return
        condition, a, b = expression.parts
        mask = self._value(condition)
        if is_number(a, 1.0) and is_number(b, 0.0):
            self._line(f"np.copyto({target}, {mask})")
            self._release(mask)
            return
        first, second = self._value(a), self._value(b)
        self._line(f"np.copyto({target}, {second})")
        self._line(f"np.copyto({target}, {first}, where={mask})")
        self._release(first, second, mask)


class NumpyPrinter(_Formulas):
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

    def source(self) -> str:
        """Return the module's source."""
        program = self.program
        arrays = [self._define(array) for array in program.inputs]
        forward, backward = self._section(program.forward), self._section(program.backward)
        results = [self._view(view) for view in program.outputs]
        effects = [self._view(view) for view in program.effects]
        batches = [self._names.new(f"{array.name}_batch") for array in program.inputs]
        reading = [f"{name}[:] = {batch}.T" for name, batch in zip(arrays, batches, strict=True)]
        gradients = [self._define(array) for array in program.input_gradients.values()]
        seeding = [] if program.seed is None else [f"{self._define(program.seed)}[:] = seed"]
        first = self._pass("forward", batches, [*reading, *forward, f"return {_tuple(results)}, {_tuple(effects)}"])
        second = self._pass("backward", ["seed"], [*seeding, *backward, f"return {_tuple(gradients)}"])
        body = [
            '"""Return the forward and the backward pass for n examples, in arrays that they use again."""',
            *self._arrays_made(),
            *self._functions,
            "",
            *first,
            "",
            *second,
            "",
            "return forward, backward",
        ]
        of_math = sorted(self._used & set(_OF_MATH))
        helpers = dict.fromkeys(source for name in self._helpers for source in shares.sources(name))
        return "\n".join(
            [
                f'"""{self.title}"""',
                "",
                *(["import math", ""] if of_math else []),
                "import numpy as np",
                *_imports(sorted(self._used - set(_OF_MATH))),
                *("".join([_OF_MATH[name] for name in of_math]).split("\n")[:-1] or [""]),
                "",
                *[f"{source}\n" for source in helpers],
                "def bind(n, theta, gradient):",
                *indented(body),
                "",
            ]
        )

    def _arrays_made(self) -> list[str]:
        """Return the lines that make the arrays; of many, those of the same size that follow each other as one."""
        if len(self._setup) <= MOST_FROM_OUTSIDE:
            return self._setup
        lines: list[str] = []
        for size, made in groupby(self._setup, _size_of_empty):
            together = list(made)
            if size is None or len(together) == 1:
                lines += together
            else:
                names = _in_lines([line.partition(" = ")[0] for line in together])
                lines += ["(", *indented(names), f") = np.empty(({len(together)}, {size[0]}){size[1]})"]
        return lines

    def _pass(self, name: str, arguments: list[str], lines: list[str]) -> list[str]:
        """Return the function of one pass, inside of `bind`.

        It finds what was defined there by name; of many things, in a tuple that it takes apart: Python's compiler takes
        a time that is quadratic in the variables that a function has from outside.
        """
        header = f"def {name}({', '.join(arguments)}):"
        if len(self._known) <= MOST_FROM_OUTSIDE:
            return [header, *indented(lines)]
        known = set(self._known.values())
        words = chain.from_iterable(map(_WORD.findall, [line for line in lines if line[:1] != "#"]))
        names = _in_lines([word for word in dict.fromkeys(words) if word in known])
        return [
            f"for_{name} = (",
            *indented(names),
            ")",
            "",
            header,
            *indented(["(", *indented(names), f") = for_{name}", *lines]),
        ]

    def script(self, theta: Array, order: list[int]) -> str:
        """Return the module's source with its parameters and, if it is run by itself, an example; see `present`."""
        examples = ", ".join(f"np.ones((1, {array.rows}))" for array in self.program.inputs)
        seed = 1.0 if self.program.seed is None else [1.0] * self.program.seed.rows
        return "\n".join(
            [
                self.source(),
                *self.present(theta, str(order), self.of_dtype),
                'if __name__ == "__main__":',
                "    gradient = np.zeros_like(theta)",
                "    forward, backward = bind(1, theta, gradient)",
                '    with np.errstate(all="ignore"):',
                f"        outputs, _ = forward({examples})",
                f"        backward({seed})",
                '    print("outputs", *[float(number) for output in outputs for number in np.ravel(output)])',
                '    print("gradient", *gradient[order].tolist())',
                "",
            ]
        )

    def _print_fill(self, statement: Fill) -> None:
        self._line(f"{self._define(statement.target)}.fill(0.0)")

    def _print_assign(self, statement: Assign) -> None:
        target = statement.target
        self._take_over(statement)
        shape = (target.count, target.array.varies)
        self._assign(self._view(target), shape, target, statement.expression, statement.add)

    def _take_over(self, statement: Assign) -> None:
        """Give a new gradient the memory of one that nobody reads any more, and which is in the cache."""
        target, array = statement.target, statement.target.array
        is_new = target.is_whole and not statement.add and array not in self._known
        kept = (self.program.gradient, *self.program.input_gradients.values())
        if not is_new or array.role != "gradient" or array in kept:
            return
        for other in self._dying.get(statement, ()):
            fits = (other.role, other.rows, other.varies) == ("gradient", array.rows, array.varies)
            if fits and other not in (self.program.gradient, array):
                if len(self._known) > MOST_FROM_OUTSIDE:  # names that say which gradient it is take time to compile
                    self._known[array] = self._define(other)
                else:
                    self._bind(array, array.name, f"{self._define(other)}  # in its place")
                self._in_place_of[array] = self._shares(other)
                return

    # ------------------------------------------------------------------------------------------ matrix products

    def _with_ones(self, statement: Product) -> str:
        source = statement.source
        name = self._taller(source.array)
        return name if source.start == 0 else self._bind((source, "ones"), name, f"{name}[{source.start}:]")

    def _folded(self, name: str, rows: int, windows: int) -> str:
        if windows == 1:
            return name
        return self._bind(("fold", name, rows), f"{name}_windows", f"{name}.reshape({rows}, {windows} * n)")

    def _transposed(self, name: str) -> str:
        return self._bind(("T", name), f"{name}_T", f"{name}.T")

    def _put_product(self, left: str, right: str, statement: Product) -> None:
        target, (rows, columns) = statement.target, statement.matrix.shape
        if target is None:
            place, size = self._matrix(statement.matrix), f"({rows}, {columns})"
            is_dense = statement.matrix.is_contiguous
        else:
            rows = target.count // statement.windows
            place = self._folded(self._view(target), rows, statement.windows)
            size, is_dense = f"({rows}, {statement.windows} * n)", target.step == 1
        if is_dense and not statement.add:
            self._line(f"{left}.dot({right}, out={place})")
            return
        buffer = self._bind(("product", size), f"product_{rows}", f"np.empty({size}{self.of_dtype})")
        self._line(f"{left}.dot({right}, out={buffer})")
        if statement.add:
            self._call("+", place, place, buffer)
        else:
            self._line(f"np.copyto({place}, {buffer})")

    # --------------------------------------------------------------------------------------------- other sorts

    def _print_reduce(self, statement: Reduce) -> None:
        target, expression, varies = statement.target, statement.expression, statement.varies
        name, sign = self._view(target), "+=" if statement.add else "="
        if self._is_dot(statement):
            left, right = (self._view(part.parts[0]) for part in expression.parts)
            self._line(f"{name}[0] {sign} np.dot({left}, {right})")
            return
        value = terms = self._computed(expression, statement.count, varies)
        (lengths, axis), keep = statement.fold, ""
        if lengths and target.count == 1:
            keep = ", keepdims=True"
        elif lengths:
            terms = self._bind(("reduce", value, lengths), f"{value}_terms", f"{value}.reshape({lengths})")
        if keep and varies and statement.function == "add" and not statement.add and not statement.in_order:
            ones = f"np.ones((1, {statement.count}){self.of_dtype})"
            self._line(f"{self._bind(ones, f'ones_{statement.count}', ones)}.dot({value}, out={name})")
        else:
            call = f"{self._function(statement.function)}.reduce({terms}, axis={axis}"
            if statement.in_order:
                self._helpers.append("add_up")
                self._line(f"{name}[:] {'+=' if statement.add else '='} add_up({terms}, {axis}{keep})")
            elif statement.over == "both":
                self._line(f"{name}[0] {sign} {call})")
            elif statement.add:
                total = self._scratch((target.count, target.array.varies), False)
                self._line(f"{call}, out={total}{keep})")
                self._call("+", name, name, total)
                self._release(total)
            else:
                self._line(f"{call}, out={name}{keep})")
        self._release(value)

    def _is_dot(self, statement: Reduce) -> bool:
        """Return whether it is the sum of the products of two views that don't vary."""
        form, parts = statement.expression.form, statement.expression.parts
        if form != "*" or statement.function != "add" or statement.target.count > 1 or statement.varies:
            return False
        return all(part.form == "view" and part.parts[0].count == statement.count for part in parts)

    def _print_call(self, statement: Call) -> None:
        in_batch = statement.writes[0].array.varies
        names = [*[self._view(view, in_batch) for view in statement.reads], *map(self._view, statement.writes)]
        self._helpers.append(statement.function)
        self._line(f"{statement.function}({', '.join(names)})")

    def _print_gather(self, statement: Gather) -> None:
        source, to = self._define(statement.source), self._view(statement.to)
        index = self._index(statement.index)
        if statement.target.varies and not statement.source.varies:
            self._line(f"{to}[:] = {source}[{index}, None]")
        elif statement.to.step == 1:
            self._line(f"np.take({source}, {index}, axis=0, out={to}, mode='clip')")
        else:
            self._line(f"{to}[:] = {source}[{index}]")

    def _print_scatter(self, statement: Scatter) -> None:
        target, index = self._define(statement.target), np.asarray(statement.index)
        sign = "+=" if statement.add else "="
        value = self._summand(statement.expression, statement.target.varies)
        if len(np.unique(index)) == len(index):
            self._line(f"{target}[{self._index(index)}] {sign} {value}")
        else:  # sorted once, so that the contributions to a row lie side by side
            order = np.argsort(index, kind="stable")
            rows, starts = np.unique(index[order], return_index=True)
            total = f"{self._function('+')}.reduceat({value}[{self._index(order)}], {self._index(starts)}, axis=0)"
            self._line(f"{target}[{self._index(rows)}] {sign} {total}")
        self._release(value)

    def _summand(self, expression: Expression, varies: bool) -> str:
        return self._computed(expression, max([view.count for view in views_of(expression)], default=0), varies)

    def _print_pick(self, statement: Pick) -> None:
        self._print_helper("picked", statement.table, statement.index, statement.target)

    def _print_pickgradient(self, statement: PickGradient) -> None:
        self._print_helper("add_to_picked", statement.target, statement.index, statement.upstream)

    def _print_helper(self, function: str, *views: View) -> None:
        self._helpers.append(function)
        self._line(f"{function}({', '.join(map(self._view, views))})")


# ---------------------------------------------------------------------------------------------- formulas for NumPy


def rewritten(expression: Expression) -> Expression:
    """Return a formula in which functions that NumPy lacks are written with those that it has.

    Parts that are equal are one object afterwards.
    """
    done: dict[int, Expression] = {}
    known: dict[Any, Expression] = {}

    def walk(part: Expression) -> Expression:
        if id(part) not in done:
            parts = part.parts if part.form in LEAVES else tuple([walk(inner) for inner in part.parts])
            key = (part.form, *(map(repr, parts) if part.form == "number" else parts))  # 0.0 isn't -0.0
            if key not in known:
                known[key] = part if part.form in LEAVES else _written_with_numpy(part.form, parts)
            done[id(part)] = known[key]
        return done[id(part)]

    return walk(expression)


def _written_with_numpy(form: str, parts: tuple[Any, ...]) -> Expression:
    if form == "sigmoid":  # eᵃ/(1 + eᵃ), which is 1 from 40 on
        e = text.exp(text.minimum(parts[0], 40.0))
        return text.divide(e, number(1.0) + e)
    if form == "**" and is_number(parts[1], 0.5):  # NumPy's power is a square root then, also of -0 and -inf
        root = text.sqrt(parts[0] + number(0.0))
        return text.where(text.equal(parts[0], number(-np.inf)), number(np.inf), root)
    if form in ("maximum", "minimum"):  # of two each
        return reduce(lambda a, b: Expression(form, (a, b)), parts)  # type: ignore[no-any-return]
    if form == "*":
        argument = _of_inverse_square_cosh(*parts)
        if argument is not None:
            return number(1.0) / text.cosh(argument) ** number(2.0)
        for factor, other in (parts, parts[::-1]):
            if other.form == "/" and other.parts[1].form == "**" and is_number(other.parts[0], 1.0):  # 1/cosh²a
                return Expression("/", (factor, other.parts[1]))
        for mask, other in (parts, parts[::-1]):
            if mask.form == "where" and is_number(mask.parts[1], 1.0) and is_number(mask.parts[2], 0.0):
                return Expression("*", (other, mask.parts[0]))  # a condition is 1 or 0
    return Expression(form, parts)


def _of_inverse_square_cosh(factor: Expression, quotient: Expression) -> Expression | None:
    """Return a where 4·(e/(1 + e)²) with e = exp(-2|a|) is multiplied: that is 1/cosh²a, in one call instead of six.

    It is 0 already where the other one is below the least number with all digits, 2e-308.
    """
    if not is_number(factor, 4.0) or quotient.form != "/":
        return None
    e, square = quotient.parts
    if e.form != "exp" or e.parts[0].form != "*" or e.parts[0].parts[1].form != "abs":
        return None
    if not is_number(e.parts[0].parts[0], -2.0) or square.form != "**" or not is_number(square.parts[1], 2.0):
        return None
    total = square.parts[0]
    matches = total.form == "+" and is_number(total.parts[0], 1.0) and total.parts[1] is e
    argument: Expression = e.parts[0].parts[1].parts[0]
    return argument if matches else None


def count_parts(expression: Expression, counts: dict[int, int]) -> None:
    """Count how often each part occurs, those inside of a repeated one only once."""
    if expression.form == "view" or is_uniform(expression):
        return
    counts[id(expression)] = counts.get(id(expression), 0) + 1
    if counts[id(expression)] == 1:
        for part in expression.parts:
            count_parts(part, counts)


def _joined(line: list[str | int], names: list[str]) -> str:
    return "".join([names[part] if isinstance(part, int) else part for part in line])


def _sort(expression: Expression, target: View | None, places: dict[Any, int]) -> Any:
    """Return what formulas have in common that differ in which views they read; the views are put into `places`."""
    if target is not None:
        places[target] = 0
    form = expression.form
    if form == "view":
        view = expression.parts[0]
        return places.setdefault(view, len(places)), view.count, view.array.varies, view.is_whole, view.step == 1
    if form in LEAVES:
        return form, repr(expression.parts[0])
    if isinstance(expression, Filled):
        views = [expression.operands[k] for k in places_of(expression.rule)]
        return expression.rule, *[_sort(view, None, places) for view in views]
    return form, *[_sort(part, None, places) for part in expression.parts]


def _shape(expression: Expression) -> Shape:
    views = views_of(expression)
    return max(view.count for view in views), any(view.array.varies for view in views)


# ------------------------------------------------------------------------------------------------- statements, text


def _last_reads(statements: Sequence[Statement]) -> dict[Statement, list[Variable]]:
    """Return for each statement which arrays are read in it as wholes and never again."""
    last = {array: statement for statement in statements for array in _arrays_read(statement)}
    dying: dict[Statement, list[Variable]] = {}
    for array, statement in last.items():
        dying.setdefault(statement, []).append(array)
    return dying


def _arrays_read(statement: Statement) -> Iterable[Variable]:
    """Iterate over the arrays that a statement reads, or adds to."""
    for part in vars(statement).values():
        if isinstance(part, Expression):
            yield from [view.array for view in views_of(part)]
        elif isinstance(part, (View, Matrix)):
            yield part.array
        elif isinstance(part, Variable):
            yield part
        elif isinstance(part, tuple):
            yield from [view.array for view in part if isinstance(view, View)]


def _imports(names: list[str]) -> list[str]:
    """Return the import of NumPy's functions, in lines of a readable length."""
    if not names:
        return []
    line = f"from numpy import {', '.join(names)}"
    return [line] if len(line) <= 100 else ["from numpy import (", *[f"{INDENT}{name}," for name in names], ")"]


def _in_lines(names: Sequence[str]) -> list[str]:
    """Return names with a comma after each, a few a line."""
    return [f"{', '.join(names[k : k + NAMES_A_LINE])}," for k in range(0, len(names), NAMES_A_LINE)]


def _size_of_empty(line: str) -> tuple[str, str] | None:
    """Return shape and dtype of the array that a line makes; None where it does something else."""
    found = _EMPTY.fullmatch(line)
    return (found[1] or found[2], found[3]) if found else None


def _size(rows: int, varies: bool) -> str:
    return f"({rows}, n)" if varies else f"{rows}"


def _tuple(names: Sequence[str]) -> str:
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
