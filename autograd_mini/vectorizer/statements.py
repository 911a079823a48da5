"""The intermediate form: typed statements on arrays, between the groups and the text of a program.

It knows nothing of NumPy or JAX; a printer turns each statement into their language. An array has rows and, if it
varies, one more axis for the examples of the batch: shape (rows, n), or (rows,) if it doesn't.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import Expression, symbol

HUGE = 1.7e308  # about the largest number: what stands for infinity where a difference to it is taken
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

    Over rows, `fold` says how the rows of the expression are to be read: (k, rows of the target), over the first axis;
    "rows last" reads them (rows of the target, k), over the second.
    """

    target: View
    expression: Expression
    function: str = "add"
    over: str = "rows"
    add: bool = False
    count: int = 0  # rows of the expression
    finite: bool = False  # whether -inf is to become the least finite number


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
    """target = source[index], a row for each example."""

    target: View
    index: View
    source: View


@dataclass(eq=False)
class PickGradient(Statement):
    """target[index] += expression, a row for each example."""

    target: View
    index: View
    expression: Expression


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


# ------------------------------------------------------------------------------------------------------- names

RESERVED = frozenset("np jnp jax run n seed theta gradient bind forward backward math functools erf examples".split())
FUNCTIONS = frozenset(  # NumPy's, which a program imports by name: looking them up took a tenth of a small call
    "add subtract multiply divide power less greater greater_equal equal logical_and logical_or maximum minimum "
    "negative absolute arcsin arccos arctan exp expm1 log log1p sqrt sin cos tan sinh cosh tanh sign".split()
)


class Names:
    """Hands out names, each once."""

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._taken = {*RESERVED, *FUNCTIONS, *taken}
        self._last: dict[str, int] = {}

    def new(self, wanted: str) -> str:
        """Return the name, with a number where it is taken."""
        base = name = identifier(wanted)
        k = self._last.get(base, 0 if base in FUNCTIONS else 1)
        while name in self._taken:
            k += 1
            name = f"{base}_{k}"
        self._last[base] = k
        self._taken.add(name)
        return name


def identifier(wanted: str) -> str:
    """Return a name in which only letters, digits and underscores are left.

    Examples
    --------
    >>> identifier("layers.0.z"), identifier("x 1"), identifier("lambda")
    ('layers_0_z', 'x_1', 'lambda_')
    """
    name = re.sub(r"[^0-9A-Za-zΑ-Ωα-ω_]+", "_", wanted).strip("_") or "v"
    name = f"v{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name
