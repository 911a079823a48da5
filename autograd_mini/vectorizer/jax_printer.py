"""The printer for JAX: the same statements as a pure function, in which every array is made once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_mini.checks import Array
from autograd_mini.formulas.simplify import views_of
from autograd_mini.vectorizer.statements import (
    FUNCTIONS,
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
    Variable,
    View,
    indented,
    rows_of,
)

_SPECIAL = {
    **{name: f"jax.scipy.special.{name}" for name in ("erf", "erfc")},
    "abs": "jnp.abs",
    "sigmoid": "jax.nn.sigmoid",
    "where": "jnp.where",
}
_FUNCTIONS = {**{form: f"jnp.{name}" for form, name in FUNCTIONS.items()}, **_SPECIAL}
_REDUCTIONS = {"add": "sum", "maximum": "max", "minimum": "min"}


# The functions of `shares`, which here return what they write there.
_HELPERS = {
    "add_up": '''def add_up(terms, axis):
    """Return x₁ + x₂ + … along an axis, added up from left to right."""
    terms = jnp.moveaxis(terms, axis, 0)
    return jax.lax.scan(lambda total, term: (total + term, None), terms[0], terms[1:])[0]

''',
    "exp_of_difference": '''def exp_of_difference(a, b):
    """Return exp(a - b), corrected by what was lost when a - b was rounded."""
    difference = a - b
    part = difference - a
    lost = (a - (difference - part)) - (b + part)
    e = jnp.exp(difference)
    return e + e * jnp.where(jnp.isfinite(lost), lost, 0.0)

''',
    "exponentials": '''def exponentials(z):
    """Return exp(z - the largest one of the example)."""
    return exp_of_difference(z, z.max(axis=0))

''',
    "total_of": '''def total_of(e):
    """Return the sum of the rows."""
    return e.sum(axis=0)

''',
    "logsumexp": '''def logsumexp(z):
    """Return log Σ exp(zⱼ), as the largest zⱼ and log(1 + the others' share)."""
    peak = z.max(axis=0)
    is_first = jnp.arange(len(z)).reshape(-1, *[1] * (z.ndim - 1)) == z.argmax(axis=0)
    others = jnp.where(is_first, 0.0, exp_of_difference(z, peak)).sum(axis=0)
    return jnp.where(jnp.isfinite(peak), peak + jnp.log1p(others), peak)

''',
    "picked": '''def picked(table, index, width):
    """Return the rows of a table that indices name, those of the first index first; zeros where one names none."""
    rows = jnp.clip(index, 0, len(table) // width - 1).astype(int)
    shaped = table.reshape(-1, width, *table.shape[1:])
    if table.ndim == 1:
        found = shaped[rows]
    else:
        found = shaped[rows.reshape(len(rows), -1), :, jnp.arange(table.shape[1])]
    found = jnp.where((rows == index)[:, None], jnp.moveaxis(found, -1, 1), 0.0)
    return found.reshape(len(index) * width, *found.shape[2:])

''',
    "add_to_picked": '''def add_to_picked(gradient, index, upstream):
    """Return the gradient with what was added to the rows that were picked."""
    width = len(upstream) // len(index)
    index = index.reshape(len(index), 1, -1)
    rows = jnp.clip(index, 0, len(gradient) // width - 1).astype(int)
    places = rows * width + jnp.arange(width)[:, None]
    values = jnp.where(rows == index, upstream.reshape(len(upstream) // width, width, -1), 0.0)
    if gradient.ndim == 1:
        return gradient.at[places].add(values)
    return gradient.at[places, jnp.arange(gradient.shape[1])].add(values)

''',
    "minus_log_softmax": '''def minus_log_softmax(z, index):
    """Return the slopes, their divisor and -log softmax(z) of the class, as log(1 + the others' share)."""
    peak = z.max(axis=0)
    is_class = jnp.arange(len(z)).reshape(-1, *[1] * (index.ndim - 1)) == index
    e = exp_of_difference(z, peak)
    own, others = jnp.where(is_class, e, 0.0).sum(axis=0), jnp.where(is_class, 0.0, e).sum(axis=0)
    away = peak - jnp.where(is_class, z, -jnp.inf).max(axis=0)
    loss = away + jnp.where(jnp.isfinite(peak), jnp.log1p(others + (own - 1.0)), 0.0)
    loss = jnp.where(is_class.any(axis=0), loss, logsumexp(z))
    return jnp.where(is_class, -others, e), others + own, loss

''',
}


class JaxPrinter(Printer):
    """Prints a program as Python source with a function ``run(theta, seed, *inputs)``.

    Parameters
    ----------
    program : ArrayProgram
        What to print.
    title : str
        The first line of the module.
    dtype : str
        "float64" or "float32".
    """

    module = "jnp"

    def __init__(self, program: ArrayProgram, title: str, dtype: str = "float64") -> None:
        super().__init__(program, title, dtype)
        self._helpers: list[str] = []
        self._made = {program.parameters, *program.inputs}

    def source(self) -> str:
        """Return the module's source."""
        program = self.program
        names = Names([array.name for array in [*program.inputs, *program.arrays]])
        batches = [names.new(f"{array.name}_batch") for array in program.inputs]
        reading = [f"{array.name} = {batch}.T" for array, batch in zip(program.inputs, batches, strict=True)]
        reading.append(f"n = {program.inputs[0].name}.shape[1]" if program.inputs else "n = 1")
        if program.seed is not None:
            reading.append(f"{program.seed.name} = seed")
            self._made.add(program.seed)
        lines = self._section([*program.forward, *program.backward])
        if program.gradient not in self._made:
            self._line(f"gradient = jnp.zeros({program.gradient.rows})")
        helpers = [line for name in _HELPERS if name in self._needed() for line in _HELPERS[name].split("\n")]
        results, effects = [[self._view(view) for view in views] for views in (program.outputs, program.effects)]
        gradients = [array.name for array in program.input_gradients.values()]
        return "\n".join(
            [
                f'"""{self.title}"""',
                "",
                "import jax",
                "import jax.numpy as jnp",
                "",
                "",
                *helpers,
                f"def run({', '.join(['theta', 'seed', *batches])}):",
                *indented(['"""Return the results, what modules asked for, the gradient, and those of the inputs."""']),
                *indented([*reading, *lines]),
                *indented([f"return {_tuple(results)}, {_tuple(effects)}, gradient, {_tuple(gradients)}"]),
                "",
            ]
        )

    def script(self, theta: Array, order: list[int]) -> str:
        """Return the module's source with its parameters and, if it is run by itself, an example; see `present`.

        The parameters are an array of NumPy: to make one of JAX's would start JAX before a program that imports the
        module can say with which other processes.
        """
        examples = "".join(f", np.ones((1, {array.rows}), theta.dtype)" for array in self.program.inputs)
        seed = "1.0" if self.program.seed is None else f"np.ones({self.program.seed.rows}, theta.dtype)"
        x64 = ['jax.config.update("jax_enable_x64", True)  # else JAX would compute in float32', ""]
        return "\n".join(
            [
                self.source(),
                "import numpy as np",
                "",
                *(x64 if self.dtype == "float64" else []),
                *self.present(theta, f"np.array({order}, int)", f', "{self.dtype}"'),
                'if __name__ == "__main__":',
                f"    outputs, _, gradient, _ = jax.jit(run)(theta, {seed}{examples})",
                '    print("outputs", *[float(number) for output in outputs for number in np.ravel(output)])',
                '    print("gradient", *gradient[order].tolist())',
                "",
            ]
        )

    def _needed(self) -> set[str]:
        """Return the functions that are called, and those that these call."""
        needed = set(self._helpers)
        return needed | ({"exp_of_difference"} if needed - {"add_up", "picked", "add_to_picked"} else set())

    # -------------------------------------------------------------------------------------------------- reading

    def _array(self, array: Variable) -> str:
        if array.role == "constant" and array not in self._made:
            self._line(f"{array.name} = jnp.array([{self._numbers(array)}])")
            self._made.add(array)
        return array.name

    def _view(self, view: View, in_batch: bool = False) -> str:
        name = self._array(view.array)
        name = name if view.is_whole else f"{name}[{rows_of(view)}]"
        return f"{name}[:, None]" if in_batch and not view.array.varies else name

    def _matrix(self, matrix: Matrix) -> str:
        rows = f"{self._array(matrix.array)}[{self._places(matrix)}]"
        return f"{rows}.reshape{matrix.shape}" if matrix.is_contiguous else rows

    def _places(self, matrix: Matrix) -> str:
        """Return where a matrix' entries are in its array: one range of them, or an index of the matrix' shape."""
        if matrix.is_contiguous:
            return f"{matrix.start}:{matrix.start + matrix.shape[0] * matrix.shape[1]}"
        return self._index(matrix.indices())

    def _index(self, index: Any) -> str:
        return self._whole_numbers(index)

    def _function(self, form: str) -> str:
        if form not in _FUNCTIONS:
            raise NotImplementedError(f"the JAX backend has no function {form!r}; take backend='numpy'")
        return _FUNCTIONS[form]

    # -------------------------------------------------------------------------------------------------- writing

    def _put(self, target: View, value: str, add: bool) -> None:
        """Write rows of an array: all of them at once where they are new, else those alone."""
        array = target.array
        if target.is_whole and not add:
            self._line(f"{array.name} = jnp.broadcast_to({value}, {_shape(array)})")
            self._made.add(array)
        else:
            self._update(array, rows_of(target), value, add)

    def _update(self, array: Variable, at: str, value: str, add: bool) -> None:
        """Write some entries of an array, which is full of zeros before."""
        if array not in self._made:
            self._zeros(array)
        self._line(f"{array.name} = {array.name}.at[{at}].{'add' if add else 'set'}({value})")

    def _zeros(self, array: Variable) -> None:
        self._line(f"{array.name} = jnp.zeros({_shape(array)}, theta.dtype)")
        self._made.add(array)

    def _print_fill(self, statement: Fill) -> None:
        self._zeros(statement.target)

    def _print_assign(self, statement: Assign) -> None:
        target = statement.target
        self._put(target, self._formula(statement.expression, target.array.varies), statement.add)

    def _with_ones(self, statement: Product) -> str:
        ones = f"jnp.ones(({statement.windows}, n), theta.dtype)"
        return f"jnp.concatenate([{self._view(statement.source)}, {ones}])"

    def _folded(self, name: str, rows: int, windows: int) -> str:
        return name if windows == 1 else f"{name}.reshape({rows}, -1)"

    def _transposed(self, name: str) -> str:
        return f"{name}.T"

    def _put_product(self, left: str, right: str, statement: Product) -> None:
        value, target, matrix = f"{left} @ {right}", statement.target, statement.matrix
        if target is not None:
            value = value if statement.windows == 1 else f"({value}).reshape({target.count}, n)"
            self._put(target, value, statement.add)
        else:
            value = f"({value}).ravel()" if matrix.is_contiguous else value
            self._update(matrix.array, self._places(matrix), value, statement.add)

    def _print_reduce(self, statement: Reduce) -> None:
        count, varies = statement.count, statement.varies
        value = self._formula(statement.expression, varies)
        if max([view.count for view in views_of(statement.expression)], default=1) != count:
            value = f"jnp.broadcast_to({value}, ({count}{', n' if varies else ''}))"
        lengths, axis = statement.fold
        value = f"{value}.reshape({lengths})" if lengths else value
        result = f"jnp.{_REDUCTIONS[statement.function]}({value}, axis={axis}){'[None]' * (axis is None)}"
        if statement.in_order:
            self._helpers.append("add_up")
            result = f"add_up({value}, {axis})"
        self._put(statement.target, result, statement.add)

    def _print_call(self, statement: Call) -> None:
        in_batch = statement.writes[0].array.varies
        function = statement.function.removesuffix("_of_any")  # there is one for both
        results = f"{function}({', '.join(self._view(view, in_batch) for view in statement.reads)})"
        self._helpers += [function, *(["logsumexp"] if function == "minus_log_softmax" else [])]
        for k, view in enumerate(statement.writes):
            if k == 0 and len(statement.writes) > 1:
                self._line(f"results = {results}")
            self._put(view, f"results[{k}]" if len(statement.writes) > 1 else results, add=False)

    def _print_gather(self, statement: Gather) -> None:
        column = ", None" if statement.target.varies and not statement.source.varies else ""
        rows = f"{self._array(statement.source)}[{self._index(statement.index)}{column}]"
        self._put(statement.to, rows, add=False)

    def _print_scatter(self, statement: Scatter) -> None:
        value = self._formula(statement.expression, statement.target.varies)
        self._update(statement.target, self._index(statement.index), value, statement.add)

    def _print_pick(self, statement: Pick) -> None:
        target, width = statement.target, statement.target.count // statement.index.count
        self._helpers.append("picked")
        rows = f"picked({self._view(statement.table)}, {self._view(statement.index)}, {width})"
        self._put(target, rows, add=False)

    def _print_pickgradient(self, statement: PickGradient) -> None:
        target = statement.target
        if target.array not in self._made:
            self._zeros(target.array)
        self._helpers.append("add_to_picked")
        views = ", ".join(map(self._view, (target, statement.index, statement.upstream)))
        self._put(target, f"add_to_picked({views})", add=False)


def _shape(array: Variable) -> str:
    return f"({array.rows}, n)" if array.varies else f"({array.rows},)"


def _tuple(names: Sequence[str]) -> str:
    return f"({''.join(f'{name}, ' for name in names).rstrip()})"
