"""The printer for JAX: the same statements as a pure function, in which every array is made once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import Expression
from autograd_mini.formulas.simplify import is_number, is_uniform, views_of
from autograd_mini.vectorizer.numpy_printer import BINARY, UNARY, inline
from autograd_mini.vectorizer.statements import (
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

_OPERATORS = {
    "+": "+",
    "-": "-",
    "*": "*",
    "/": "/",
    "**": "**",
    "<": "<",
    ">": ">",
    ">=": ">=",
    "=": "==",
    "&": "&",
    "|": "|",
}
INDENT = "    "


class JaxPrinter:
    """Prints a program as Python source with a function ``run(theta, seed, *inputs)``.

    Parameters
    ----------
    program : ArrayProgram
        What to print.
    title : str
        The first line of the module.
    backward : bool
        Whether to print the backward pass, too.
    """

    def __init__(self, program: ArrayProgram, title: str, backward: bool = True) -> None:
        self.program, self.title, self._with_backward = program, title, backward
        self._made: set[Variable] = set()
        self._lines: list[str] = []

    def source(self) -> str:
        """Return the module's source."""
        program = self.program
        names = Names([array.name for array in [*program.inputs, *program.arrays]])
        batches = [names.new(f"{array.name}_batch") for array in program.inputs]
        arguments = ["theta", "seed", *batches]
        for array, batch in zip(program.inputs, batches, strict=True):
            self._line(f"{array.name} = {batch}.T")
            self._made.add(array)
        n = f"{program.inputs[0].name}.shape[1]" if program.inputs else "1"
        self._line(f"n = {n}")
        self._made |= {program.parameters}
        if program.seed is not None:
            self._line(f"{program.seed.name} = seed")
            self._made.add(program.seed)
        self._section(program.forward)
        results = [self._view(view) for view in program.outputs]
        effects = [self._view(view) for view in program.effects]
        gradients: list[str] = []
        if self._with_backward:
            self._section(program.backward)
            if program.gradient not in self._made:
                self._line(f"gradient = jnp.zeros({program.gradient.rows})")
            gradients = [array.name for array in program.input_gradients.values()]
        gradient = "gradient" if self._with_backward else "None"
        self._line(f"return ({_all(results)}), ({_all(effects)}), {gradient}, ({_all(gradients)})")
        return "\n".join(
            [
                f'"""{self.title}"""',
                "",
                "import jax",
                "import jax.numpy as jnp",
                "",
                "",
                f"def run({', '.join(arguments)}):",
                INDENT + '"""Return the results, what modules asked for, the gradient, and those of the inputs."""',
                *[INDENT + line for line in self._lines],
                "",
            ]
        )

    def _section(self, statements: Sequence[Statement]) -> None:
        for statement in statements:
            getattr(self, f"_print_{type(statement).__name__.lower()}")(statement)

    def _line(self, text: str) -> None:
        self._lines.append(text)

    # -------------------------------------------------------------------------------------------------- reading

    def _array(self, array: Variable) -> str:
        if array.role == "constant" and array not in self._made:
            numbers = ", ".join(map(_written, np.asarray(array.data).tolist()))
            self._line(f"{array.name} = jnp.array([{numbers}])")
            self._made.add(array)
        return array.name

    def _view(self, view: View) -> str:
        name = self._array(view.array)
        if view.is_whole:
            return name
        end = view.start + (view.count - 1) * view.step + 1
        return f"{name}[{view.start}:{end}{f':{view.step}' if view.step != 1 else ''}]"

    def _value(self, expression: Expression, varies: bool) -> str:
        """Return a formula as JAX writes it; what doesn't vary is a column in one that does."""
        form, parts = expression.form, expression.parts
        if form == "view":
            view = parts[0]
            return f"{self._view(view)}[:, None]" if varies and not view.array.varies else self._view(view)
        if is_number(expression, HUGE):
            return "jnp.finfo(theta.dtype).max"
        if is_uniform(expression):
            return inline(expression).replace("np.", "jnp.")
        written = [self._value(part, varies) for part in parts]
        if form in _OPERATORS:
            return f"({written[0]} {_OPERATORS[form]} {written[1]})"
        if form == "neg":
            return f"(-{written[0]})"
        if form in ("maximum", "minimum"):
            result = written[0]
            for other in written[1:]:
                result = f"jnp.{form}({result}, {other})"
            return result
        return f"{_function(form)}({', '.join(written)})"

    # -------------------------------------------------------------------------------------------------- writing

    def _put(self, target: View, value: str, add: bool) -> None:
        """Write rows of an array: all of them at once where they are new, else those alone."""
        array = target.array
        if target.is_whole and not add:
            shape = f"({array.rows}, n)" if array.varies else f"({array.rows},)"
            self._line(f"{array.name} = jnp.broadcast_to({value}, {shape})")
        else:
            if array not in self._made:
                self._zeros(array)
            end = target.start + (target.count - 1) * target.step + 1
            at = f"{target.start}:{end}{f':{target.step}' if target.step != 1 else ''}"
            self._line(f"{array.name} = {array.name}.at[{at}].{'add' if add else 'set'}({value})")
        self._made.add(array)

    def _zeros(self, array: Variable) -> None:
        shape = f"({array.rows}, n)" if array.varies else f"({array.rows},)"
        self._line(f"{array.name} = jnp.zeros({shape}, theta.dtype)")
        self._made.add(array)

    def _print_comment(self, statement: Comment) -> None:
        self._line(f"# {' '.join(statement.text.split())}")

    def _print_fill(self, statement: Fill) -> None:
        self._zeros(statement.target)

    def _print_assign(self, statement: Assign) -> None:
        self._put(statement.target, self._value(statement.expression, statement.target.array.varies), statement.add)

    def _matrix(self, matrix: Matrix) -> str:
        name, (rows, columns) = self._array(matrix.array), matrix.shape
        if matrix.across == 1 and matrix.down == columns:
            return f"{name}[{matrix.start}:{matrix.start + rows * columns}].reshape({rows}, {columns})"
        return f"{name}[{self._index(matrix.indices())}]"

    def _index(self, index: Any) -> str:
        return f"jnp.array({np.asarray(index).tolist()})"

    def _print_product(self, statement: Product) -> None:
        matrix, windows = statement.matrix, statement.windows
        rows, columns = matrix.shape
        source = self._view(statement.source)
        if statement.bias:
            ones = f"jnp.ones(({windows}, n), theta.dtype)"
            source = f"jnp.concatenate([{source}, {ones}])"
        folded = source if windows == 1 else f"{source}.reshape({columns}, -1)"
        if statement.kind == "forward":
            assert statement.target is not None
            value = f"{self._matrix(matrix)} @ {folded}"
            self._put(statement.target, _unfolded(value, statement.target.count, windows), statement.add)
            return
        assert statement.upstream is not None
        upstream = self._view(statement.upstream)
        upstream = upstream if windows == 1 else f"{upstream}.reshape({rows}, -1)"
        if statement.kind == "source":
            assert statement.target is not None
            value = f"{self._matrix(matrix)}.T @ {upstream}"
            self._put(statement.target, _unfolded(value, statement.target.count, windows), statement.add)
            return
        if matrix.array not in self._made:
            self._zeros(matrix.array)
        how = "add" if statement.add else "set"
        if matrix.across == 1 and matrix.down == columns:
            at, value = f"{matrix.start}:{matrix.start + rows * columns}", f"({upstream} @ {folded}.T).ravel()"
        else:
            at, value = self._index(matrix.indices()), f"{upstream} @ {folded}.T"
        self._line(f"{matrix.array.name} = {matrix.array.name}.at[{at}].{how}({value})")

    def _print_reduce(self, statement: Reduce) -> None:
        target, count = statement.target, statement.count
        varies = any(view.array.varies for view in views_of(statement.expression))
        value = self._value(statement.expression, varies)
        views = list(views_of(statement.expression))
        if max([view.count for view in views], default=1) != count:
            value = f"jnp.broadcast_to({value}, ({count}{', n' if varies else ''}))"
        function = {"add": "sum", "maximum": "max", "minimum": "min"}[statement.function]
        if statement.over == "batch":
            result = f"jnp.{function}({value}, axis=1)"
        elif statement.over == "both":
            result = f"jnp.{function}({value})[None]"
        else:
            terms = count // target.count
            lengths = f"{terms}, {target.count}" if statement.over == "rows" else f"{target.count}, {terms}"
            axis = 0 if statement.over == "rows" else 1
            result = f"jnp.{function}({value}.reshape({lengths}{', n' if varies else ''}), axis={axis})"
        if statement.finite:
            result = f"jnp.maximum({result}, -jnp.finfo(theta.dtype).max)"
        self._put(target, result, statement.add)

    def _print_gather(self, statement: Gather) -> None:
        source = self._array(statement.source)
        column = ", None" if statement.target.varies and not statement.source.varies else ""
        self._put(statement.to, f"{source}[{self._index(statement.index)}{column}]", add=False)

    def _print_scatter(self, statement: Scatter) -> None:
        target = statement.target
        if target not in self._made:
            self._zeros(target)
        value = self._value(statement.expression, target.varies)
        how, index = "add" if statement.add else "set", self._index(statement.index)
        self._line(f"{target.name} = {target.name}.at[{index}].{how}({value})")

    def _print_pick(self, statement: Pick) -> None:
        chosen = f"{self._view(statement.index)}[0].astype(int)"
        self._put(statement.target, f"{self._view(statement.source)}[{chosen}, jnp.arange(n)][None]", add=False)

    def _print_pickgradient(self, statement: PickGradient) -> None:
        value = self._value(statement.expression, True)
        row = value if is_uniform(statement.expression) else f"{value}[0]"
        chosen = f"{self._view(statement.index)}[0].astype(int) + {statement.target.start}"
        name = statement.target.array.name
        self._line(f"{name} = {name}.at[{chosen}, jnp.arange(n)].add({row})")


def _written(number: float) -> str:
    return repr(number) if np.isfinite(number) else f'float("{number}")'


def _unfolded(value: str, rows: int, windows: int) -> str:
    return value if windows == 1 else f"({value}).reshape({rows}, n)"


def _function(form: str) -> str:
    special = {"abs": "jnp.abs", "sigmoid": "jax.nn.sigmoid", "erf": "jax.scipy.special.erf", "where": "jnp.where"}
    if form in special:
        return special[form]
    numpy_name = UNARY.get(form) or BINARY.get(form)
    if numpy_name is None:
        raise NotImplementedError(f"the JAX backend has no function {form!r}; take backend='numpy'")
    return numpy_name.replace("np.", "jnp.")


def _all(names: Sequence[str]) -> str:
    return "".join(f"{name}, " for name in names).rstrip()
