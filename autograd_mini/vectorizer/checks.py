"""What is found out before a program runs: whether its inputs fit, and whether it agrees with the eager engine."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked_whole, number_for_each, real_array
from autograd_mini.engine import floats, functions, modes
from autograd_mini.engine.derivatives import differentiated
from autograd_mini.engine.freshness import age
from autograd_mini.engine.graph import gradients, recorded_gradients, topological_order
from autograd_mini.engine.node import FEATURE, PROBE
from autograd_mini.engine.primitives import PICK
from autograd_mini.engine.tracing import replaying
from autograd_mini.engine.value import Value
from autograd_mini.errors import TraceError
from autograd_mini.nn.nested import feature
from autograd_mini.progress import working
from autograd_mini.vectorizer.c_printer import TRAIN
from autograd_mini.vectorizer.compiled import Compiled, result_nodes, without_collection
from autograd_mini.vectorizer.rows import rows

BACKENDS = ("auto", "native", "numpy", "jax")
DTYPES = ("float64", "float32")
PRINTED = ("numpy", "jax")  # what a file of Python may be for
_CANDIDATES = 12  # rows among which some with finite results are looked for
_SHORT_RUN = 1e-6  # seconds that a program on single numbers takes, about
_TINY = 1e-30  # saturated units: where the scalar rules keep digits that those on arrays don't
_SHAKES, _MARGIN = 2, 8.0  # how often the rounding of an example's graph is tried out, and how much more is let pass
_SAMPLES = 3  # examples that the first run is checked on
_STEP = 1e-6  # along which a program's gradient is held against its values
_MANY_NODES = 20_000  # of so many, one example has to do


def options(f: Any, backend: str, dtype: str, threads: int | str, block: int | None) -> None:
    """Refuse what `vectorize` can't take."""
    if not callable(f):
        raise TypeError(f"expected a function of Values, got {f!r:.60}; as in vectorize(lambda x, y: ...)")
    for name, choice, known in (("backend", backend, BACKENDS), ("dtype", dtype, DTYPES)):
        if choice not in known:
            raise ValueError(f"{name}: expected one of {', '.join(known)}, got {choice!r}")
    if threads != "auto":
        checked_whole("threads", threads, least=1, advice="or pass 'auto', for as many as pay")
    if block is not None:
        checked_whole("block", block, least=1)


def is_c_file(path: str | Path, train: str | None, dtype: str | None, backend: str | None) -> bool:
    """Return whether a program is to be saved as C and not as Python; refuse what there isn't of either."""
    file, suffix = Path(path).name, Path(path).suffix.lower()
    if suffix not in (".py", ".c"):
        raise ValueError(f"path: expected a file name that ends in .py or .c, got {file!r:.80}")
    if suffix == ".py":
        for name, given in (("train", train), ("dtype", dtype)):
            if given is not None:
                raise ValueError(f"{name}: an option of .c files alone, and {file!r:.80} is Python")
    elif backend is not None:
        raise ValueError(f"backend: an option of .py files alone, and {file!r:.80} is C")
    for name, choice, known in (("train", train, TRAIN), ("dtype", dtype, DTYPES), ("backend", backend, PRINTED)):
        if choice is not None and choice not in known:
            raise ValueError(f"{name}: expected {' or '.join(map(repr, known))}, got {choice!r}")
    return suffix == ".c"


def arrays(inputs: Sequence[Any]) -> tuple[list[Array], int]:
    """Return inputs as arrays with their number of examples, which is 1 where there are no inputs.

    Raises
    ------
    ValueError
        If one isn't made of real numbers, has no examples, or not as many as the others.
    """
    found: list[Array] = []
    for k, given in enumerate(inputs, start=1):
        array = given if type(given) is np.ndarray and given.dtype.kind == "f" else _array(k, given)
        if not array.ndim:
            raise ValueError(f"input {k}: expected one row for each example, got the single number {given!r:.30}")
        if not len(array):
            raise ValueError(f"input {k}: expected at least one example, got none (shape {array.shape})")
        found.append(array)
    n = len(found[0]) if found else 1
    for array in found:
        if len(array) != n:
            counts = " and ".join(str(len(array)) for array in found)
            raise ValueError(f"expected equally many examples in all inputs, got {counts}")
    return found, n


def _array(k: int, given: Any) -> Array:
    """Return input `k` as an array of floats."""
    try:
        array = np.asarray(given)
    except ValueError:  # rows of different widths
        array = np.empty(0, dtype=object)
    if array.dtype.kind == "O" and array.size and all(isinstance(x, (int, float)) for x in array.flat):
        array = real_array(f"input {k}", given)  # with integers too large for NumPy's
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"input {k}: expected real numbers, all rows of the same width, got {given!r:.60}; pass arrays, the "
            f"Values are made by the program. Sequences of different lengths take a call for each length"
        )
    return array if array.dtype.kind == "f" else array.astype(float)


def numbers(name: str, given: Any, compiled: Compiled) -> Array:
    """Return numbers for a program's parameters as an array of floats; see `number_for_each`."""
    advice = "program.theta() returns such an array, of the present numbers"
    return number_for_each(name, given, len(compiled.parameters), "program.parameters", advice)


def choices(compiled: Compiled, columns: Sequence[Array]) -> None:
    """Refuse inputs that name an item which isn't there: the class of an example for the cross-entropy, or a token.

    Raises
    ------
    ValueError
        Of a class, saying which one, in which example.
    IndexError
        Of an index by which an item is picked.
    """
    for argument, place, count, what in compiled.choices:
        column = columns[argument][:, place]
        if what == "index":
            indices(column, count)
        elif (wrong := ~_are_there(column, count)).any():
            i = int(np.argmax(wrong))
            raise ValueError(f"expected a class from 0 to {count - 1}, got {column[i]:g} in example {i}")


def indices(index: Array, count: int, first: int = 0) -> None:
    """Refuse an index, or one for each example from the number `first` on, that names none of so many items.

    Raises
    ------
    IndexError
        Saying which one, in which example.
    """
    there = np.ravel(_are_there(index, count))
    if not there.all():
        i = int(np.argmin(there))
        try:
            functions.row_number(float(np.ravel(index)[i]), count)
        except IndexError as error:
            raise IndexError(f"{error} in example {first + i}" if np.ndim(index) else str(error)) from None


def _are_there(index: Array, count: int) -> Any:
    """Return which indices are one of 0, 1, …, count - 1."""
    return (index >= 0) & (index < count) & (index == np.floor(index))


def single_output(compiled: Compiled) -> None:
    """Refuse to take the gradient of a list."""
    if compiled.is_list:
        raise ValueError(
            f"value_and_grad needs a function that returns one Value, such as a loss, got a list of "
            f"{len(compiled.scalars.outputs)}; reduce it, or ask for gradients(..., wrt='inputs')"
        )


def independent(compiled: Compiled) -> None:
    """Refuse to take one example by itself where it depends on the others."""
    if compiled.mixes:
        raise ValueError(
            "the function takes means over the batch (BatchNorm in training): an example has no gradient of its own; "
            "call model.eval() first, or take reduction='mean'"
        )


@without_collection()
def against_eager(
    f: Callable[..., Any], compiled: Compiled, columns: Sequence[Array], n: int, spot_check: SpotCheck
) -> None:
    """Compare a program with the eager engine on sample rows, in values and gradients; note what a row costs.

    Raises
    ------
    TraceError
        If they differ, naming the worst difference.
    """
    if not _is_comparable(compiled, columns):
        return
    # What a widened program may be wrong in are its lengths, and that shows on any example.
    few = 1 if compiled.is_widened or compiled.n_nodes > _MANY_NODES else _SAMPLES
    candidates = dict.fromkeys([0, n // 2, n - 1, *np.linspace(0, n - 1, _CANDIDATES).astype(int).tolist()])
    compiled.give_back(1, compiled.workspace(1))  # which isn't a part of what a row costs
    found = 0
    with working("comparing the program with the eager engine", steps=few) as say:
        for i in candidates:
            say(f"example {i}")
            with spot_check:
                found += against_eager_at(f, compiled, columns, i)
            if found == few:
                return
    if not found:
        logging.getLogger(__name__).warning(
            "The program was compared with the eager engine on no row: the results of all %d rows that were tried are "
            "infinite or nan",
            len(candidates),
        )


def against_eager_at(f: Callable[..., Any], compiled: Compiled, columns: Sequence[Array], i: int) -> bool:
    """Compare a program with the eager engine on one row; return whether its results are finite.

    Raises
    ------
    TraceError
        If they differ, naming the worst difference.
    """
    if not _is_comparable(compiled, columns):
        return False
    workspace = compiled.workspace(1)
    np.copyto(workspace.theta, compiled.theta())
    with np.errstate(all="ignore"):
        seed = 1.0 if len(compiled.scalars.outputs) == 1 else np.ones(len(compiled.scalars.outputs))
        results, _, found = workspace.run([column[i : i + 1] for column in columns], seed)
        got = np.concatenate([np.ravel(result) for result in results])
        by_leaf = workspace.gradient[compiled.positions]
        by_input = {
            k: np.array(gradient).ravel() for k, gradient in zip(compiled.program.input_gradients, found, strict=True)
        }
    compiled.give_back(1, workspace)
    expected = _Expected(f, compiled, columns, i)
    expected.compare(got)
    if compiled.wrt == "parameters":
        expected.compare_derivatives(_derivative(compiled.parameters), by_leaf, compiled.parameters)
    else:
        for k, leaves in enumerate(expected.inputs):
            name = lambda j, k=k: f"the derivative by number {j} of input {k + 1}"  # noqa: E731
            expected.compare_derivatives(name, by_input.get(k, np.zeros(len(leaves))), leaves)
    return bool(np.isfinite(expected.values).all())


def agrees_with(
    value: Callable[..., Any], compiled: Compiled, columns: Sequence[Array], theta: Array, spot_check: SpotCheck
) -> bool:
    """Return whether a program agrees with the eager engine's numbers at points that nothing is special about.

    Where it does, its value is that of the function, as to the last digits it wouldn't be by chance; and its gradient
    is that of its own value, along directions by chance. No graph is made for that. Whether it really differs where
    this says no, by a kink or by rounding, `against_eager` has to tell.

    Parameters
    ----------
    value : callable
        What the function returns, by the numbers of all leaves and an example's inputs, as floats.
    compiled : Compiled
        The program.
    columns : sequence of numpy.ndarray
        Examples.
    theta : numpy.ndarray
        Numbers of all leaves, of the size that they have.
    spot_check : SpotCheck
        Notes what it takes.
    """
    workspace, rng, n = compiled.workspace(1), np.random.default_rng(0), len(columns[0])
    k = len(compiled.scalars.outputs)

    def run(at: Array, example: list[Array]) -> Array:
        np.copyto(workspace.theta, at)
        results, _, _ = workspace.run(example, 1.0 if k == 1 else np.ones(k))
        return np.concatenate([np.ravel(result) for result in results])

    def is_right(at: Array, i: int) -> bool:
        example = [column[i : i + 1] for column in columns]
        got = run(at, example)
        gradient, way = workspace.gradient.copy(), rng.normal(size=len(at))
        there, back = (run(at + step * way, example).sum() for step in (_STEP, -_STEP))
        given = [column[i] if shape else column[i, 0] for column, shape in zip(columns, compiled.shapes, strict=True)]
        expected = np.ravel(value(at.tolist(), *[numbers.tolist() for numbers in given]))
        slope, size = (there - back) / (2.0 * _STEP), np.linalg.norm(gradient * way)
        is_near = np.abs(got - expected) <= 1e-10 * np.abs(expected).max()
        return bool(is_near.all() and abs(slope - gradient @ way) <= 1e-5 * size)

    with spot_check, np.errstate(all="ignore"):
        found = is_right(theta, 0) and is_right(theta + rng.normal(0.0, 0.1, len(theta)), n - 1)
    compiled.give_back(1, workspace)
    return found


def _is_comparable(compiled: Compiled, columns: Sequence[Array]) -> bool:
    """Return whether one example by itself is defined: it isn't where the batch is averaged over."""
    return not compiled.mixes and all(len(np.shape(column)) == 2 for column in columns)


class SpotCheck:
    """When a random row is compared with the eager engine: as often as 2 % of the running time allows.

    Use it as a context around a comparison, so that it knows what one costs.

    Attributes
    ----------
    left : int
        How many runs on single numbers, which aren't timed, may go by until a comparison is due.
    """

    SHARE = 0.02

    def __init__(self) -> None:
        self._allowance, self._cost, self._started, self.left = 0.0, 0.0, 0.0, 0
        self._rng = np.random.default_rng(0)

    def is_due(self, seconds: float) -> bool:
        """Add the time of a run, and return whether a comparison may follow."""
        self._allowance += self.SHARE * seconds
        return self._allowance > self._cost > 0.0

    def row(self, n: int) -> int:
        """Return one of n rows at random."""
        return int(self._rng.integers(n))

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self._cost = time.perf_counter() - self._started
        self._allowance = 0.0
        self.left = int(self._cost / (self.SHARE * _SHORT_RUN))


@without_collection()
def straight_against_eager(f: Callable[..., Any], compiled: Compiled) -> None:
    """Compare straight-line Python with the eager engine.

    Raises
    ------
    TraceError
        If they differ, naming the worst difference.
    """
    assert compiled.straight is not None
    values, derivatives = compiled.straight()
    expected, by = _Expected(f, compiled, [], 0), compiled.parameters
    expected.compare(np.array(values))
    expected.compare_derivatives(_derivative(by), derivatives, by)


class _Expected:
    """What the eager engine gives for one example: its results, and the gradients of their sum.

    On what scale these are rounded takes most of the time, and is asked only where a program differs in more than the
    last digits.
    """

    def __init__(self, f: Callable[..., Any], compiled: Compiled, columns: Sequence[Array], i: int) -> None:
        self.compiled, self.row = compiled, i
        kind = FEATURE if compiled.wrt == "parameters" else PROBE  # who asks for derivatives has nodes, not numbers
        given = columns[: len(compiled.shapes)]
        self.inputs = [[feature(x, kind=kind) for x in column[i].tolist()] for column in given]
        arguments = [rows(flat, shape) for flat, shape in zip(self.inputs, compiled.shapes, strict=True)]
        masks = columns[-1][i].tolist() if compiled.draws else []
        try:
            with modes.ignoring_anomalies(), replaying(masks), differentiated():
                nodes, _ = result_nodes(f(*arguments))
        except IndexError as error:  # of an index that was computed; others were looked at before
            raise IndexError(f"{error} in example {i}" if columns else str(error)) from error
        total = nodes[0] if len(nodes) == 1 else functions.sum(nodes)
        self.order, self.values = topological_order(total), np.array([node._data for node in nodes])
        self._found = recorded_gradients(self.order)
        self._rounding = 1e-13 if compiled.dtype == np.float64 else 1e-5

    def compare(self, got: Array) -> None:
        """Refuse values of the program that differ from these by more than rounding explains."""
        name = "output {}" if self.compiled.is_list else "its value"
        self._compare(name.format, got, self.values, lambda: self._rounding * self._reach[1])

    def compare_derivatives(self, name: Callable[[int], str], got: Array, by: Sequence[Value]) -> None:
        """Refuse derivatives of the program, too."""
        found = np.fromiter(map(self._found.get, by, repeat(0.0)), float, len(by))
        self._compare(name, got, found, lambda: self._errors(by, found))

    def _compare(self, name: Callable[[int], str], got: Array, expected: Array, error: Callable[[], Any]) -> None:
        """Raise if numbers differ by more than rounding explains; `error` tells how much it may come to."""
        if not expected.size:
            return
        share = 1e-9 if self.compiled.dtype == np.float64 else 1e-2
        with np.errstate(all="ignore"):
            difference, near = np.abs(got - expected), share * np.abs(expected) + _TINY
            is_close = (difference <= near) | (got == expected)
            is_finite = np.isfinite(expected).all()
            # What was traced may overflow elsewhere than nodes do; what was widened is then traced, and told apart.
            if is_close.all() or not (is_finite and (self.compiled.is_widened or np.isfinite(got).all())):
                return
            is_close |= difference <= error() + near
        if is_close.all() or age(self.order):  # made before the function, from leaves that have changed
            return
        worst = int(np.argmax(np.where(is_close, -1.0, difference)))
        raise TraceError(
            f"the program disagrees with the eager engine: {name(worst)} of example {self.row} is "
            f"{expected[worst]:.9g}, the program gives {got[worst]:.9g} (the worst difference). The function does "
            f"something else at each call, as with random numbers of its own or a branch on data: use where(...), "
            f"maximum(...), or nn.Dropout"
        )

    @cached_property
    def _reach(self) -> tuple[dict[Value, float], float]:
        """How far the sum moves with each node, on all paths alike; and how far if each moves by a share of itself."""
        order = self.order
        reach = gradients(order, 1.0, lambda v: [abs(d) for d in v.local_grads], dict.fromkeys(order, 0.0))
        return reach, sum(m for v in order if math.isfinite(m := reach[v] * abs(v._data)))

    def _errors(self, by: Sequence[Value], found: Array) -> Array:
        """Return what rounding may come to in derivatives by some nodes."""
        (reach, moved), total = self._reach, self.order[-1]._data
        times = min(moved / abs(total), 1e12) if total else 1e12 if moved else 1.0
        at = [k for k, node in enumerate(by) if node in self._found]  # of a large table few rows
        reached, sizes = [by[k] for k in at], np.zeros(len(by))
        # A gradient such as 2(a - t) may be made of nothing but the rounding of a, and have no path that says so.
        shaken = [_shaken(self.order, rng, self._rounding / 100.0) for rng in map(random.Random, range(_SHAKES))]
        with np.errstate(all="ignore"):
            sizes[at] = [self._rounding * max(1.0, times) * reach[node] for node in reached]
            for other in shaken:
                apart = np.abs(found[at] - [other.get(node, 0.0) for node in reached])
                sizes[at] = np.maximum(sizes[at], np.where(np.isfinite(apart), _MARGIN * apart, 0.0))
        return sizes


def _shaken(order: list[Value], rng: random.Random, share: float) -> dict[Value, float]:
    """Return the gradients where each result is off by a share of itself, as by another rounding."""
    values: dict[Value, float] = {}

    def operands(v: Value) -> list[float]:
        numbers = [values[u] for u in v.parents]
        return [v.parents[0]._data, *numbers[1:]] if v.primitive is PICK else numbers  # a shaken index would be none

    def local_grads(v: Value) -> Any:
        return v.primitive.derivatives(floats, values[v], *operands(v))  # type: ignore[union-attr]

    for v in order:
        if v.primitive is None:
            values[v] = v._data
        else:
            number = float(v.primitive.forward(floats, *operands(v)))
            values[v] = number * (1.0 + rng.choice((-share, share)))
    return gradients(order, 1.0, local_grads)


def _derivative(by: Sequence[Value]) -> Callable[[int], str]:
    return lambda k: f"the derivative by {by[k].label or f'leaf {k}'}"
