"""Models as ONNX files, which many other programs run: a program's statements, each as nodes of ONNX.

Arrays are as in all programs of `vectorize`, (rows, examples). An array of ONNX is written once, so of each row of an
array it is known in which array of ONNX it stands: rows are put together where they are read, and copies cost nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from autograd_mini.checks import Array, needed
from autograd_mini.files import replacing
from autograd_mini.formulas.expression import Expression, call, equal, where
from autograd_mini.nn import MLP, Layer, Neuron, Sequential
from autograd_mini.vectorizer import Program, vectorize
from autograd_mini.vectorizer.statements import (
    Assign,
    Call,
    Comment,
    Fill,
    Gather,
    Matrix,
    Names,
    Pick,
    Product,
    Reduce,
    Variable,
    View,
)

_OPSET, _IR = 17, 8  # of 2022: younger programs read them too
_INSTALL = 'export_onnx needs onnx; run: pip install "autograd-mini[interchange]"'
_ARITHMETIC = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "**": "Pow", "neg": "Neg", "where": "Where"}
_CONDITIONS = {"<": "Less", ">": "Greater", ">=": "GreaterOrEqual", "=": "Equal", "&": "And", "|": "Or"}
_NAMED = "Abs Exp Log Sqrt Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Erf Sign Sigmoid".split()
_LARGER = {"maximum": "Max", "minimum": "Min"}
_OPERATIONS = {**_LARGER, **_ARITHMETIC, **_CONDITIONS, **{name.lower(): name for name in _NAMED}, "rint": "Round"}
_REDUCTIONS = {"add": "ReduceSum", "maximum": "ReduceMax", "minimum": "ReduceMin"}


def export_onnx(model: Any, path: str | os.PathLike[str], *, example: Any = None, dtype: str = "float32") -> None:
    """Write a model with its present parameters as an ONNX file, which ONNX Runtime and others run.

    The file has an input for each argument, with any number of examples along its first axis, and gives what
    ``vectorize(model)(X)`` returns: predictions for each example. All that `vectorize` can trace goes into it.

    Parameters
    ----------
    model : Module, callable or Program
        A model, a function of one example, or a program of `vectorize`. What acts otherwise in training is put into
        evaluation mode before, by ``model.eval()``.
    path : str or path
        The file, usually ``.onnx``.
    example : array_like, or tuple of them
        One example, (features,) or whatever shape the model takes: for several arguments, a tuple of them. A program
        that was called, and a model whose first layer knows its inputs, need none.
    dtype : {"float32", "float64"}
        The numbers in the file. ONNX Runtime runs a few functions, such as erf and tan, in float32 alone.

    Raises
    ------
    ValueError
        If something can't be in such a file: random numbers, or means over the batch. Nothing has been written then.
    TraceError
        If the model can't be traced, as in `vectorize`.
    MissingDependencyError
        If onnx isn't installed.

    Examples
    --------
    >>> import onnx
    >>> import pathlib, tempfile
    >>> from autograd_mini import nn
    >>> model = nn.MLP(2, [3, 1], rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(model, pathlib.Path(folder) / "model.onnx")
    """
    onnx = needed("onnx", _INSTALL)
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype: expected 'float32' or 'float64', got {dtype!r}")
    compiled, shapes = _compiled(model, example)
    writer = _Writer(onnx, compiled, dtype, shapes)
    written = writer.model(getattr(model, "__name__", type(model).__name__)).SerializeToString(deterministic=True)
    onnx.checker.check_model(written, full_check=True)
    with replacing(path) as file:
        file.write(written)


def _compiled(model: Any, example: Any) -> tuple[Any, list[tuple[int, ...]]]:
    """Return the program as it is now, and the shape of one example of each argument."""
    if hasattr(model, "network_"):
        raise TypeError(f"expected a model, got {type(model).__name__}; give its .network_, a model that ends in z")
    if not callable(model):
        raise TypeError(
            f"expected a model, a function or a program, got {type(model).__name__}; export_onnx(model, path)"
        )
    program = model if isinstance(model, Program) else vectorize(model)
    if example is not None:
        examples = example if isinstance(example, tuple) else (example,)
    else:
        examples = () if program is model else (np.zeros(_n_inputs(model)),)
    compiled, arrays = program.as_it_is_now(*[np.asarray(one, dtype=float)[None] for one in examples])
    compiled.check_alone("an ONNX file takes each example by itself: call model.eval() and export it again")
    program(*arrays)  # the first run compares it with the scalar engine
    if not arrays:
        raise ValueError("expected a model with inputs, got a function without arguments; it has one value: save that")
    return compiled, [array.shape[1:] for array in arrays]


def _n_inputs(model: Any) -> int:
    """Return how many numbers an example has, as a model's first layer tells."""
    first = model
    while isinstance(first, Sequential) and len(first):
        first = first[0]
    if isinstance(first, (MLP, Layer, Neuron)):
        return first.n_inputs
    raise ValueError(
        "example: expected one example, as the model doesn't tell its shape; export_onnx(model, path, example=X[0])"
    )


class _Tensor(NamedTuple):
    """An array of ONNX, of shape (rows, n) if it varies with the examples, else (rows, 1)."""

    name: str
    rows: int
    varies: bool


def _of(tensor: _Tensor) -> Expression:
    """Return an array of ONNX as a part of a formula."""
    return Expression("made", (tensor,))


def _log1p(x: Any) -> Any:
    u = 1.0 + x  # what log u is too small or large by, u having been rounded, is what x / (u - 1) differs from 1 by
    return where(abs(x) < 0.5, where(equal(u, 1.0), x, call("log", u) * (x / (u - 1.0))), call("log", u))


def _expm1(x: Any) -> Any:
    t = call("tanh", 0.5 * where(abs(x) < 1.0, x, 0.0))
    return where(abs(x) < 1.0, 2.0 * t / (1.0 - t), call("exp", x) - 1.0)


def _hypot(a: Any, b: Any) -> Any:
    large, small = call("maximum", abs(a), abs(b)), call("minimum", abs(a), abs(b))
    share = small / where(equal(large, 0.0), 1.0, large)
    is_infinite = equal(abs(a), math.inf) | equal(abs(b), math.inf)  # also beside nan
    return where(is_infinite, math.inf, large * call("sqrt", 1.0 + share * share))


def _atan2(y: Any, x: Any) -> Any:
    is_negative = (y < 0.0) | (1.0 / y < 0.0)  # also -0
    half = where(is_negative, -math.pi / 2, math.pi / 2)
    turned = 2.0 * half - call("atan", y / -x)  # for x < 0
    ahead = call("atan", y / where(equal(x, 0.0), 1.0, x))
    of_zero = where(equal(y, 0.0), where(1.0 / x < 0.0, 2.0 * half, y), half)
    diagonal = where(x > 0.0, half / 2.0, 1.5 * half)
    found = where(x < 0.0, turned, where(equal(x, 0.0), of_zero, ahead))
    found = where(equal(abs(x), math.inf) & equal(abs(y), math.inf), diagonal, found)
    return where(equal(y, y), found, y)


def _erfc(x: Any) -> Any:
    """Return 1 - erf(x); for large x, where that has no digits left, by exp(-x²) times a continued fraction."""
    far = where(x > 2.0, x, 2.0)
    tail: Any = far
    for k in range(30, 0, -1):
        tail = far + 0.5 * k / tail
    return where(x > 2.0, call("exp", -far * far) / (math.sqrt(math.pi) * tail), 1.0 - call("erf", x))


def _cbrt(x: Any) -> Any:
    return call("sign", x) * abs(x) ** (1.0 / 3.0)


# What ONNX lacks, made of what it has.
_COMPOSED: dict[str, Callable[..., Any]] = {
    "log1p": _log1p,
    "expm1": _expm1,
    "log2": lambda x: call("log", x) / math.log(2.0),
    "log10": lambda x: call("log", x) / math.log(10.0),
    "cbrt": _cbrt,
    "hypot": _hypot,
    "atan2": _atan2,
    "erfc": _erfc,
}


class _Writer:
    """Writes a program's forward pass as nodes of ONNX."""

    def __init__(self, onnx: Any, compiled: Any, dtype: str, shapes: list[tuple[int, ...]]) -> None:
        self.onnx, self.program, self.structure = onnx, compiled.program, compiled.structure
        self.dtype, self.shapes = np.dtype(dtype), shapes
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._names = Names([array.name for array in self.program.inputs])
        self._made: dict[Any, str] = {}  # the same operation on the same arrays is written once
        self._rows: dict[Variable, list[tuple[_Tensor, int]]] = {}
        self._numbers = {self.program.parameters: compiled.theta()}
        self._at = ""  # the array that is being written, by which nodes are called

    def model(self, name: str) -> Any:
        """Return the whole as a ``ModelProto``."""
        helper = self.onnx.helper
        inputs = [self._input(array, shape) for array, shape in zip(self.program.inputs, self.shapes, strict=True)]
        for statement in self.program.forward:
            getattr(self, f"_{type(statement).__name__.lower()}")(statement)
        self._at = "output"
        outputs = self._outputs()
        read = {name for node in self.nodes for name in node.input}
        stored = [array for array in self.initializers if array.name in read]
        graph = helper.make_graph(self.nodes, name, inputs, outputs, stored)
        return helper.make_model(
            graph,
            producer_name="autograd_mini",
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR,
        )

    # ------------------------------------------------------------------------------------------ inputs and outputs

    def _described(self, name: str, shape: Sequence[int | str]) -> Any:
        element = self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        return self.onnx.helper.make_tensor_value_info(name, element, shape)

    def _input(self, array: Variable, shape: tuple[int, ...]) -> Any:
        """Return an input as it is declared; its rows are what comes of one example."""
        self._at = array.name
        found = self._node("Transpose", self._node("Flatten", array.name, axis=1), perm=[1, 0])
        self._rows[array] = _rows_of(_Tensor(found, array.rows, True))
        if not self._made.get("n"):
            self._made["n"] = self._node("Shape", array.name, start=0, end=1)
        return self._described(array.name, ["n", *shape])

    def _outputs(self) -> list[Any]:
        rows = [row for view in self.program.outputs for row in self._rows_of_view(view)]
        parts = list(_parts(self.structure))
        names = ["output"] if len(parts) == 1 else [f"output_{k}" for k in range(1, len(parts) + 1)]
        declared, start = [], 0
        for name, shape in zip(map(self._names.new, names), parts, strict=True):
            count = math.prod(shape)
            found = self._node("Transpose", self._varying(self._of_rows(rows[start : start + count])), perm=[1, 0])
            start += count
            self._node("Reshape", found, self._whole([0, *shape]), output=name)
            declared.append(self._described(name, ["n", *shape]))
        return declared

    # --------------------------------------------------------------------------------------------------- writing

    def _node(self, operation: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Return the name of what an operation gives."""
        key = (operation, inputs, repr(attributes))
        if output is None and key in self._made:
            return self._made[key]
        made = output or self._names.new(f"{self._at}_{operation}")
        self.nodes.append(self.onnx.helper.make_node(operation, inputs, [made], name=f"{made}_node", **attributes))
        self._made.setdefault(key, made)
        return made

    def _stored(self, numbers: Array, name: str) -> str:
        """Return the name of an array of numbers that stands in the file."""
        key = (numbers.shape, numbers.dtype.str, numbers.tobytes())
        if key not in self._made:
            self._made[key] = self._names.new(name)
            self.initializers.append(self.onnx.numpy_helper.from_array(numbers, self._made[key]))
        return self._made[key]

    def _whole(self, numbers: Sequence[int]) -> str:
        return self._stored(np.array(numbers, np.int64), "integers")

    def _fixed(self, numbers: Any, name: str = "numbers") -> _Tensor:
        """Return numbers, one a row, that are the same for all examples."""
        column = np.asarray(numbers, self.dtype).reshape(-1, 1)
        return _Tensor(self._stored(column, name), len(column), False)

    def _varying(self, tensor: _Tensor) -> str:
        """Return the name of an array with a column for each example."""
        if tensor.varies:
            return tensor.name
        return self._node("Expand", tensor.name, self._node("Concat", self._whole([1]), self._made["n"], axis=0))

    # --------------------------------------------------------------------------------------------------- reading

    def _rows_of_view(self, view: View) -> list[tuple[_Tensor, int]]:
        array = view.array
        if array not in self._rows:
            if array.role in ("parameters", "constant"):
                numbers = self._numbers[array] if array.role == "parameters" else array.data
                return _rows_of(self._fixed(numbers[list(view.indices())], array.name))
            self._rows[array] = [(self._fixed([0.0]), 0)] * array.rows
        rows = self._rows[array]
        return [rows[i] for i in view.indices()]

    def _of_rows(self, rows: Sequence[tuple[_Tensor, int]]) -> _Tensor:
        """Return an array that has these rows of others."""
        tensors = list(dict.fromkeys([tensor for tensor, _ in rows]))
        varies = any(tensor.varies for tensor in tensors)
        name, start = tensors[0].name, dict(zip(tensors, accumulate([0, *[t.rows for t in tensors]]), strict=False))
        if len(tensors) > 1:
            name = self._node("Concat", *[self._varying(t) if varies else t.name for t in tensors], axis=0)
        places = [start[tensor] + k for tensor, k in rows]
        if places != list(range(sum(tensor.rows for tensor in tensors))):
            name = self._node("Gather", name, self._whole(places), axis=0)
        return _Tensor(name, len(rows), varies)

    def _view(self, view: View) -> _Tensor:
        return self._of_rows(self._rows_of_view(view))

    def _matrix(self, matrix: Matrix) -> str:
        """Return the name of a matrix."""
        array, indices = matrix.array, matrix.indices()
        if array not in self._rows and array.role in ("parameters", "constant"):
            numbers = self._numbers[array] if array.role == "parameters" else array.data
            return self._stored(np.asarray(numbers[indices], self.dtype), "weights")
        rows = self._rows_of_view(View(array, 0, array.rows))
        flat = self._of_rows([rows[i] for i in indices.ravel()])
        return self._node("Reshape", flat.name, self._whole(matrix.shape))

    def _formula(self, expression: Expression) -> _Tensor:
        """Return what a formula gives."""
        form, parts = expression.form, expression.parts
        if form == "made":
            return parts[0]  # type: ignore[no-any-return]
        if form == "view":
            return self._view(parts[0])
        if form == "number":
            return self._fixed([parts[0]])
        if form == "symbol":
            raise ValueError(
                f"{parts[0]} is known of a whole batch alone, and an ONNX file takes any number of examples"
            )
        operands = [self._formula(part) for part in parts]
        if form in _COMPOSED:
            return self._formula(_COMPOSED[form](*map(_of, operands)))
        if form not in _OPERATIONS:
            raise NotImplementedError(f"ONNX has no operation {form!r}; write the function with others")
        name = self._node(_OPERATIONS[form], *[operand.name for operand in operands])
        return _Tensor(name, max(o.rows for o in operands), any(o.varies for o in operands))

    # ------------------------------------------------------------------------------------------------ statements

    def _comment(self, statement: Comment) -> None:
        """Leave out what is for readers of a text."""

    def _put(self, view: View, value: _Tensor, add: bool = False) -> None:
        """Make rows of an array those of a value, or add it to them."""
        if add:
            before = self._view(view)
            name = self._node("Add", before.name, value.name)
            value = _Tensor(name, max(before.rows, value.rows), before.varies or value.varies)
        array = view.array
        rows = self._rows.setdefault(array, [(self._fixed([0.0]), 0)] * array.rows)
        for k, i in enumerate(view.indices()):
            rows[i] = (value, k if value.rows > 1 else 0)

    def _fill(self, statement: Fill) -> None:
        self._rows[statement.target] = [(self._fixed([0.0]), 0)] * statement.target.rows

    def _assign(self, statement: Assign) -> None:
        self._at = statement.target.array.name
        self._put(statement.target, self._formula(statement.expression), statement.add)

    def _product(self, statement: Product) -> None:
        assert statement.kind == "forward"
        assert statement.target is not None
        self._at = statement.target.array.name
        matrix, windows, source = statement.matrix, statement.windows, self._view(statement.source)
        weights = matrix.without_last_column() if statement.bias else matrix
        folded = self._folded(source, weights.shape[1], windows)
        found = self._node("MatMul", self._matrix(weights), folded)
        if statement.bias:
            last = Matrix(
                matrix.array, matrix.start + (matrix.shape[1] - 1) * matrix.across, (matrix.shape[0], 1), matrix.down, 1
            )
            found = self._node("Add", found, self._matrix(last))
        rows = matrix.shape[0] * windows
        found = found if windows == 1 else self._node("Reshape", found, self._shape(rows, source.varies))
        self._put(statement.target, _Tensor(found, rows, source.varies), statement.add)

    def _shape(self, rows: int, varies: bool, columns: int = 1) -> str:
        """Return the shape (rows, columns · n), or (rows, columns) if there is nothing for each example."""
        if not varies:
            return self._whole([rows, columns])
        n = self._made["n"] if columns == 1 else self._node("Mul", self._made["n"], self._whole([columns]))
        return self._node("Concat", self._whole([rows]), n, axis=0)

    def _folded(self, source: _Tensor, rows: int, windows: int) -> str:
        """Return an array of (row, window) rows as one of rows, each with all windows and examples."""
        if windows == 1:
            return source.name
        return self._node("Reshape", source.name, self._shape(rows, source.varies, windows))

    def _reduce(self, statement: Reduce) -> None:
        assert statement.over in ("rows", "rows last")
        self._at = statement.target.array.name
        rows, value = statement.target.count, self._formula(statement.expression)
        terms, is_last = statement.count // rows, statement.over == "rows last"
        if value.rows != statement.count:
            value = self._of_rows([(value, 0)] * statement.count)
        # The terms of a row lie one after the other, or the first terms of all rows before the second ones.
        order = [r * terms + k if is_last else k * rows + r for k in range(terms) for r in range(rows)]
        value = self._of_rows([(value, i) for i in order])
        result = self._reduced(statement.function, value, rows)
        if statement.function != "add":  # those of ONNX Runtime pass over nan
            is_nan = where(equal(_of(value), _of(value)), 0.0, math.nan)
            result = self._formula(_of(result) + _of(self._reduced("add", self._formula(is_nan), rows)))
        self._put(statement.target, result, statement.add)

    def _folds(self, first: int, second: int, varies: bool) -> str:
        """Return the shape (first, second, n), for a Reshape that takes an n of 0 as such."""
        n = self._made["n"] if varies else self._whole([1])
        return self._node("Concat", self._whole([first, second]), n, axis=0)

    def _reduced(self, function: str, value: _Tensor, rows: int) -> _Tensor:
        """Return the sum or the extremum of an array, read as (terms, rows, n), over its terms."""
        folds = self._folds(value.rows // rows, rows, value.varies)
        shaped = self._node("Reshape", value.name, folds, allowzero=1)
        if function == "add":
            name = self._node("ReduceSum", shaped, self._whole([0]), keepdims=0)
        else:
            name = self._node(_REDUCTIONS[function], shaped, axes=[0], keepdims=0)
        return _Tensor(name, rows, value.varies)

    def _gather(self, statement: Gather) -> None:
        source = statement.source
        rows = self._rows_of_view(View(source, 0, source.rows))
        target = self._rows.setdefault(statement.target, [(self._fixed([0.0]), 0)] * statement.target.rows)
        for i, k in zip(statement.to.indices(), np.ravel(statement.index).tolist(), strict=True):
            target[i] = rows[k]

    def _call(self, statement: Call) -> None:
        self._at = statement.writes[-1].array.name
        given = [_of(self._view(view)) for view in statement.reads]
        results = getattr(self, f"_{statement.function.removesuffix('_of_any')}")(*given)
        for view, result in zip(statement.writes, results, strict=True):
            self._put(view, self._formula(result))

    def _over_rows(self, function: str, x: Expression) -> Expression:
        """Return the sum or the extremum of the rows of an array."""
        return _of(self._reduced(function, self._formula(x), 1))

    def _exponentials(self, z: Expression) -> list[Expression]:
        return [_once(call("exp", z - self._over_rows("maximum", z)), self)]

    def _total_of(self, e: Expression) -> list[Expression]:
        return [self._over_rows("add", e)]

    def _logsumexp(self, z: Expression) -> list[Expression]:
        peak = self._over_rows("maximum", z)
        total = self._over_rows("add", call("exp", z - where(abs(peak) < math.inf, peak, 0.0)))
        return [where(abs(peak) < math.inf, peak + call("log", total), peak)]

    def _minus_log_softmax(self, z: Expression, index: Expression) -> list[Expression]:
        k = _of(self._fixed(range(self._formula(z).rows)))
        is_class, peak = equal(k, index), self._over_rows("maximum", z)
        e = _once(call("exp", z - peak), self)
        own, others = (self._over_rows("add", where(is_class, a, b)) for a, b in ((e, 0.0), (0.0, e)))
        away = peak - self._over_rows("maximum", where(is_class, z, -math.inf))
        loss = away + where(abs(peak) < math.inf, _log1p(others + (own - 1.0)), 0.0)
        (of_none,) = self._logsumexp(z)
        is_any = self._over_rows("add", where(is_class, 1.0, 0.0)) > 0.0
        return [where(is_class, -others, e), others + own, where(is_any, loss, of_none)]

    def _pick(self, statement: Pick) -> None:
        self._at = statement.target.array.name
        index, table = self._view(statement.index), self._view(statement.table)
        width = statement.target.count // statement.index.count
        n_rows, varies = table.rows // width, index.varies or table.varies
        number = _of(index)
        inside = call("minimum", call("maximum", number, 0.0), n_rows - 1.0)
        places = self._node("Cast", self._formula(inside).name, to=self.onnx.TensorProto.INT64)
        n, spread = self._made["n"], self._whole([1, 1, 1])
        if table.varies:  # each example has a table of its own
            shape = self._node("Concat", self._whole([index.rows, width]), n, axis=0)
            places = self._node("Unsqueeze", places, self._whole([1]))
            places = self._node("Expand", places, shape)
            shaped = self._node("Reshape", table.name, self._folds(n_rows, width, True), allowzero=1)
            found = self._node("GatherElements", shaped, places, axis=0)
        else:
            shaped = self._node("Reshape", table.name, self._whole([n_rows, width]))
            found = self._node("Transpose", self._node("Gather", shaped, places, axis=0), perm=[0, 2, 1])
        there = self._formula(equal(number, call("rint", _once(inside, self)))).name
        there = self._node("Unsqueeze", there, self._whole([1]))
        found = self._node("Where", there, found, self._node("Reshape", self._fixed([0.0]).name, spread))
        rows = statement.target.count
        found = self._node("Reshape", found, self._shape(rows, varies), allowzero=1)
        self._put(statement.target, _Tensor(found, rows, varies))


def _rows_of(tensor: _Tensor) -> list[tuple[_Tensor, int]]:
    return [(tensor, k) for k in range(tensor.rows)]


def _once(expression: Expression, writer: _Writer) -> Expression:
    """Return a formula that is written now, so that what reads it several times finds it there."""
    return _of(writer._formula(expression))


def _parts(structure: Any) -> Iterator[tuple[int, ...]]:
    """Return the shapes of the outputs, each an array of its own where they have no common shape."""
    if isinstance(structure, tuple):
        yield structure
    else:
        for part in structure:
            yield from _parts(part)
