"""What is found out before a program runs: whether its inputs fit, and whether it agrees with the eager engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_mini.checks import Array, checked_whole
from autograd_mini.engine import functions
from autograd_mini.engine.graph import recorded_gradients as gradients
from autograd_mini.engine.node import FEATURE, PROBE
from autograd_mini.engine.tracing import replaying
from autograd_mini.errors import TraceError
from autograd_mini.nn.nested import feature, folded
from autograd_mini.vectorizer.compiled import Compiled, result_nodes

BACKENDS = ("numpy", "jax")
DTYPES = ("float64", "float32")
_SAMPLES = 3  # examples that the first run is checked on
_MANY_NODES = 20_000  # of so many, one example has to do


def options(f: Any, backend: str, dtype: str, threads: int, block: int | None) -> None:
    """Refuse what `vectorize` can't take."""
    if not callable(f):
        raise TypeError(f"expected a function of Values, got {f!r:.60}; as in vectorize(lambda x, y: ...)")
    for name, choice, known in (("backend", backend, BACKENDS), ("dtype", dtype, DTYPES)):
        if choice not in known:
            raise ValueError(f"{name}: expected one of {', '.join(known)}, got {choice!r}")
    checked_whole("threads", threads, least=1)
    if block is not None:
        checked_whole("block", block, least=1)


def arrays(inputs: Sequence[Any]) -> tuple[list[Array], int]:
    """Return inputs as arrays with their number of examples, which is 1 where there are no inputs.

    Raises
    ------
    ValueError
        If one isn't made of real numbers, has no examples, or not as many as the others.
    """
    found: list[Array] = []
    for k, given in enumerate(inputs, start=1):
        try:
            array = np.asarray(given)
        except ValueError:  # rows of different widths
            array = np.empty(0, dtype=object)
        if array.dtype.kind not in "fiub":
            raise ValueError(
                f"input {k}: expected real numbers, all rows of the same width, got {given!r:.60}; pass arrays, the "
                f"Values are made by the program"
            )
        if not array.ndim:
            raise ValueError(f"input {k}: expected one row for each example, got the single number {given!r:.30}")
        if not len(array):
            raise ValueError(f"input {k}: expected at least one example, got none (shape {array.shape})")
        found.append(array if array.dtype.kind == "f" else array.astype(float))
    counts = [len(array) for array in found]
    if len(set(counts)) > 1:
        raise ValueError(f"expected equally many examples in all inputs, got {' and '.join(map(str, counts))}")
    return found, counts[0] if counts else 1


def choices(compiled: Compiled, columns: Sequence[Array]) -> None:
    """Refuse inputs that name an item which isn't there: the class of an example for the cross-entropy.

    Raises
    ------
    ValueError
        Saying which one, in which example.
    """
    for argument, place, count in compiled.choices:
        column = columns[argument][:, place]
        wrong = ~((column >= 0) & (column < count) & (column == np.floor(column)))
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(f"expected a class from 0 to {count - 1}, got {column[i]:g} in example {i}")


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


def against_eager(f: Callable[..., Any], compiled: Compiled, columns: Sequence[Array], n: int) -> None:
    """Compare a program with the eager engine on sample rows, in values and gradients.

    Raises
    ------
    TraceError
        If they differ, naming the worst difference.
    """
    if compiled.mixes or any(len(np.shape(column)) != 2 for column in columns):
        return  # one example by itself isn't defined where the batch is averaged over
    few = 1 if len(compiled.scalars) > _MANY_NODES else _SAMPLES
    rows = sorted({0, n // 2, n - 1})[:few]
    workspace = compiled.workspace(1)
    for i in rows:
        np.copyto(workspace.theta, compiled.theta())
        with np.errstate(all="ignore"):
            seed = 1.0 if len(compiled.scalars.outputs) == 1 else np.ones(len(compiled.scalars.outputs))
            results, _, found = workspace.run([column[i : i + 1] for column in columns], seed)
            got = np.concatenate([np.ravel(result) for result in results])
        expected, by_leaf, by_input = _eager(f, compiled, columns, i)
        _compare("its value", got, expected, compiled, i)
        if compiled.wrt == "parameters":
            _compare("a gradient", workspace.gradient[compiled.positions], by_leaf, compiled, i)
        else:
            flat = {k: np.ravel(gradient) for k, gradient in zip(compiled.program.input_gradients, found, strict=True)}
            for k, gradient in enumerate(by_input):
                _compare("a gradient", flat.get(k, np.zeros(len(gradient))), gradient, compiled, i)
    compiled.give_back(1, workspace)


def straight_against_eager(f: Callable[..., Any], compiled: Compiled) -> None:
    """Compare straight-line Python with the eager engine.

    Raises
    ------
    TraceError
        If they differ, naming the worst difference.
    """
    assert compiled.straight is not None
    values, derivatives = compiled.straight()
    expected, by_leaf, _ = _eager(f, compiled, [], 0)
    _compare("its value", np.array(values), expected, compiled, 0)
    _compare("a gradient", np.array(derivatives[: len(by_leaf)]), by_leaf, compiled, 0)


def _eager(
    f: Callable[..., Any], compiled: Compiled, columns: Sequence[Array], i: int
) -> tuple[Array, Array, list[Array]]:
    """Return the results of one example by the eager engine, and the gradients of their sum."""
    kind = FEATURE if compiled.wrt == "parameters" else PROBE  # who asks for derivatives has nodes, not numbers
    leaves = [[feature(x, kind=kind) for x in column[i].tolist()] for column in columns[: len(compiled.shapes)]]
    arguments = [folded(flat, shape) for flat, shape in zip(leaves, compiled.shapes, strict=True)]
    masks = columns[-1][i].tolist() if compiled.draws else []
    with replaying(masks):
        nodes, _ = result_nodes(f(*arguments))
    total = nodes[0] if len(nodes) == 1 else functions.sum(nodes)
    found = gradients(total)
    return (
        np.array([node.data for node in nodes]),
        np.array([found.get(p, 0.0) for p in compiled.parameters]),
        [np.array([found.get(leaf, 0.0) for leaf in flat]) for flat in leaves],
    )


def _compare(what: str, got: Array, expected: Array, compiled: Compiled, row: int) -> None:
    if not expected.size:
        return
    tolerance = 1e-6 if compiled.dtype == np.float64 else 1e-2
    scale = np.max(np.abs(expected), initial=1.0, where=np.isfinite(expected))
    close = np.isclose(got, expected, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
    if close.all() or not (np.isfinite(expected).all() and np.isfinite(got).all()):
        return
    worst = int(np.argmax(np.abs(got - expected)))
    raise TraceError(
        f"the program disagrees with the eager engine: {what} of example {row} is {expected[worst]:.9g}, the program "
        f"gives {got[worst]:.9g} (the worst difference). The function does something else at each call, as with random "
        f"numbers of its own or a branch on data: use where(...), maximum(...), or nn.Dropout"
    )
