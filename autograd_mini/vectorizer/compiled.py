"""A function traced for one shape of inputs: its graph, the program that came of it, and how to bind it to arrays."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import operator
import re
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import modes, node
from autograd_mini.engine.derivatives import Results, differentiated
from autograd_mini.engine.tracing import Look, Trace, caller, input_leaf, is_traced, tracing
from autograd_mini.engine.value import Constant, Value
from autograd_mini.errors import TraceError
from autograd_mini.nn import freezing, nested
from autograd_mini.nn.module import Module, inside
from autograd_mini.progress import working
from autograd_mini.vectorizer.c_printer import CPrinter
from autograd_mini.vectorizer.groups import Grouping
from autograd_mini.vectorizer.jax_backend import JaxProgram, JaxWorkspace
from autograd_mini.vectorizer.jax_printer import JaxPrinter
from autograd_mini.vectorizer.lowering import Lowering
from autograd_mini.vectorizer.native_backend import SMALL, NativeProgram, NativeWorkspace, native_program
from autograd_mini.vectorizer.numpy_printer import NumpyPrinter
from autograd_mini.vectorizer.rows import rows
from autograd_mini.vectorizer.scalars import learning, needed, scanned
from autograd_mini.vectorizer.statements import ArrayProgram
from autograd_mini.vectorizer.straight_line import MOST_NODES, StraightLine
from autograd_mini.vectorizer.surroundings import Surroundings
from autograd_mini.vectorizer.widening import Lengths, NotWidenedError, widened

CACHE_BYTES = 2 << 20  # what a block's arrays may take up: about the second-level cache of one core
_SECONDS_A_NODE, _SECONDS_A_STATEMENT = 0.15e-6, 0.8e-6  # in both passes, about
MOST_SIZES = 8  # batch sizes for which arrays are kept
_data = operator.attrgetter("_data")
_TAKEN_FOR_A_LIST = re.compile(r"TracedValue.*(iterable|subscriptable|len\(\))|(iterable|takes a list).* TracedValue")
Structure = Any  # how results are arranged: the shape of an array; or a list, of the structure of each part


@dataclass(eq=False)
class Workspace:
    """A program bound to arrays for one batch size."""

    forward: Callable[..., Any]
    backward: Callable[[Any], Any]
    theta: Array
    gradient: Array

    def run(self, columns: Sequence[Array], seed: Any) -> tuple[Any, Any, Any]:
        """Return the results, what modules asked for, and the gradients of the inputs.

        The gradient of the parameters is in `gradient` then; without a seed, ∂L/∂results, the backward pass is left
        out.
        """
        results, effects = self.forward(*columns)
        return results, effects, () if seed is None else self.backward(seed)


class Compiled:
    """A function as a program for one shape of inputs.

    Parameters
    ----------
    f : callable
        The function.
    examples : list of numpy.ndarray
        One example of each input.
    names : list of str
        What the inputs are called.
    wrt : str
        "parameters" or "inputs": which gradients its backward pass computes.
    dtype : str
        "float64" or "float32".
    backend : str
        "auto", "native", "numpy" or "jax".
    n_devices : int
        On how many devices JAX spreads a batch.
    models : sequence of Module
        Those whose parameters come first.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        examples: list[Array],
        names: list[str],
        wrt: str,
        dtype: str,
        backend: str = "auto",
        n_devices: int = 1,
        models: Sequence[Module] = (),
    ) -> None:
        self.backend, self.n_devices = backend, n_devices
        self._n_freezes = freezing.n_changes  # with a part that is frozen, a model is another function
        self.wrt, self.dtype = wrt, np.dtype(dtype)
        self.shapes = [example.shape for example in examples]
        name = getattr(f, "__name__", type(f).__name__)
        self._name = name if name.isidentifier() else "A function"
        with without_collection(), working(f"vectorizing {name}", steps=5) as say:
            say("tracing it on one example")
            self._around = Surroundings(f)
            self._compile(f, examples, names, models, say)
            self._around.forget_changes()
        if "grad" in self._around.attributes and not self._sets_gradients:  # an attribute that no node can watch
            reached = dict.fromkeys(chain.from_iterable(self._around.nodes))
            self.looks += [Look(p, None, partial(getattr, p, "grad"), p.grad, " (its .grad)") for p in reached]
        self._bind: Callable[..., Any] | None = None
        self._jax: JaxProgram | None = None
        self._lock = threading.Lock()
        self._read: tuple[Any, Array] = object(), np.empty(0)  # `node.written` when `theta` was read last, and that
        self._pool: dict[int, list[Any]] = {}
        self.checked = self.is_widened = False

    def widened(self, narrow: Lengths, wide: Lengths, before: Sequence[Value], leaves: Sequence[Value]) -> Compiled:
        """Return the program of a wider network of the same layers; it is compared with nothing yet.

        Parameters
        ----------
        narrow, wide : Lengths
            Those of the network that was traced, and of the other one.
        before, leaves : sequence of Value
            The leaves of both, those of each neuron together with its bias last.

        Raises
        ------
        NotWidenedError
            If it isn't known what its program is.
        """
        if self.straight is not None or self.looks or self.draws or self.updates or self.indices or self._live:
            raise NotWidenedError("what depends on more than the inputs and the parameters")
        if self.leaves != [*before] or len(leaves) != wide.leaves:
            raise NotWidenedError("leaves in another order")
        made, program = copy.copy(self), widened(self.program, narrow, wide)
        for name in ("_native", "_printed", "pack", "places", "_others", "_fitting"):  # found out anew
            vars(made).pop(name, None)
        positions = np.arange(len(leaves))
        vars(made)["_lowered"] = program, leaves, positions  # as they are: perhaps none is there yet
        made.parameters, made._order = leaves, positions  # type: ignore[assignment]
        made.sizes = [array.rows for array in program.inputs]
        made.shapes = [(size,) if shape else () for size, shape in zip(made.sizes, self.shapes, strict=True)]
        made.n_nodes, made.is_widened = len(leaves), True  # about: there are few others
        outputs = range(sum(view.count for view in program.outputs))
        made.scalars = replace(self.scalars, outputs=[*outputs])
        made.structure = (len(outputs),) if self.is_list else self.structure
        last = narrow.layers[-1], wide.layers[-1]
        made.choices = [(k, at, last[1] if count == last[0] else count, sort) for k, at, count, sort in self.choices]
        made._lock, made._pool, made._bind = threading.Lock(), {}, None
        made._read = object(), np.empty(0)
        return made

    @property
    def is_list(self) -> bool:
        """Whether the function returns several numbers."""
        return bool(self.structure)

    @property
    def watches_all(self) -> bool:
        """Whether `is_current` looks at all that the function can reach, the modes of modules too."""
        return self.straight is None and self._around.is_complete

    def is_current(self) -> bool:
        """Return whether all is as it was that the program depends on, beside the parameters' numbers."""
        if self._n_freezes != freezing.n_changes:
            return False
        return not self._around.changed() and (not self.looks or all(look.holds() for look in self.looks))

    @property
    def version(self) -> int:
        """A number that changes when `guarded` gives another function."""
        return self._around.version

    def guarded(self, spot_check: Any) -> Callable[[], tuple[float, Array] | None]:
        """Return the program on single numbers as a function that asks by itself whether all is as it was."""
        assert self.straight is not None
        found = None if self.looks else self._around.conditions()
        conditions, names = (["is_current()"], {"is_current": self.is_current}) if found is None else found
        conditions = [*conditions, f"freezing.n_changes == {self._n_freezes}"]
        return self.straight.guarded(conditions, {**names, "freezing": freezing}, spot_check)

    @property
    def quick_check(self) -> Callable[[], bool]:
        """What tells more quickly than `is_current` that all is as it was; it may miss that it is."""
        return (None if self.looks else self._around.quick_check) or self.is_current

    def _compile(
        self,
        f: Callable[..., Any],
        examples: list[Array],
        names: list[str],
        models: Sequence[Module],
        say: Callable[[str], None],
    ) -> None:
        """Trace the function, group its nodes and write the program in the form in which it runs."""
        trace, inputs, outputs, self.structure = traced(f, examples, names)
        self.looks, self._sets_gradients = trace.looks, trace.goes_backward
        self.draws, self.updates = trace.draws, [update for _, update in trace.effects]
        self.nodes, self.derived = trace.nodes, trace.derived
        masks = [leaf for draws in trace.draws for leaf in draws.leaves]
        if masks:
            inputs, names = [*inputs, masks], [*names, "masks"]
        say(f"reading its {len(trace.nodes)} nodes")
        scalars = self.scalars = scanned(trace, inputs, outputs)
        asked = learning(scalars.leaves)
        is_asked = asked.tobytes() + b"\0"  # the last one of what is no leaf
        if self.wrt == "inputs":
            targets = [i for i, (argument, _) in scalars.place.items() if argument < len(examples)]
            flags = needed(scalars, targets)
        else:
            targets = [i for i, number in scalars.leaf.items() if is_asked[number]]
            flags = needed(scalars, targets, scalars.tables.learning(asked))
        self.inputs, self.sizes = inputs, [len(leaves) for leaves in inputs]
        say(f"grouping {len(scalars)} nodes")
        grouping = Grouping(scalars, flags)
        self._to_lower = grouping, names, targets, self.wrt == "parameters" and bool(asked.any())
        in_tables = len(scalars.leaves) - len(scalars.leaf) + len(scalars.tables.numbers)
        self.n_nodes = grouping.size + in_tables
        self.mixes = any(group.form == "batch_mean" for group in grouping.groups)
        self.choices = [(*scalars.place[i], count, "class") for i, count in scalars.choices.items()]
        self.choices += [(*scalars.place[i], n, "index") for i, n in scalars.indices.items() if i in scalars.place]
        self.indices = [scalars.indices[i] for i in scalars.computed_indices()]
        used_nodes = set(scalars.node) if trace.live else ()
        self._live = [(leaf, read) for leaf, read in trace.live.items() if leaf in used_nodes]
        say(f"writing array statements for {len(grouping.groups)} groups")
        # Those of models in the models' order, others as the function used them first.
        number = scalars.leaves.get
        parents = dict.fromkeys(chain.from_iterable([v.parents for v in trace.nodes]))
        used = dict.fromkeys([p for p in parents if is_asked[number(p, -1)]])
        ordered = chain(_in_order(models, self._around.modules(), used), used)
        self._order = _each_once(np.fromiter(map(number, ordered, repeat(-1)), np.intp), asked)
        self.parameters = [*map([*scalars.leaves].__getitem__, self._order.tolist())]
        self.straight = self._straight_line() if self._is_better_straight(len(grouping.groups)) else None
        if self.straight is None:
            self._lowered  # noqa: B018
        say("writing the program")
        with self._not_too_deep():
            if self.runs_on[0] != "native":
                self._printed  # noqa: B018  # what can't be printed is refused before any work

    @cached_property
    def _lowered(self) -> tuple[ArrayProgram, list[Value], Array]:
        """The statements, the leaves in their order, and where each of `parameters` is in the flat vector.

        Straight-line Python needs them only to be saved; for a deep graph they take as long as the rest.
        """
        grouping, names, targets, learns = self._to_lower
        with self._not_too_deep():
            lowering = Lowering(grouping, self.sizes, names, targets, learns)
        del self._to_lower
        scalars, first = self.scalars, self.scalars.tables.n_leaves
        leaves = [*islice(scalars.leaves, first), *map(scalars.node.__getitem__, lowering.layout)]
        places = np.arange(len(leaves))
        places[[scalars.leaf[i] for i in lowering.layout]] = places[first:].copy()  # NumPy 1.24 mixes up what overlaps
        return lowering.program, leaves, places[self._order]

    @property
    def program(self) -> ArrayProgram:
        """The statements on arrays."""
        return self._lowered[0]

    @cached_property
    def _native(self) -> tuple[NativeProgram | None, str]:
        """The program for the native machine, or None where NumPy or JAX runs it; and why."""
        if self.backend == "jax":
            return None, "it was asked for"
        if self.straight is not None:
            return None, self.straight.runs_on[1]
        if self.backend == "numpy":
            return None, "it was asked for"
        try:
            return native_program(self.program, self.dtype, self.backend == "native")
        except RecursionError:
            return None, "the formula of an operation of one's own is too deep for the machine"

    @property
    def runs_on(self) -> tuple[str, str]:
        """What runs it, "native", "numpy", "jax" or "python", and why."""
        if self.straight is not None:
            return self.straight.runs_on
        native, why = self._native
        if native is not None:
            return "native", why
        return "jax" if self.backend == "jax" else "numpy", why

    @property
    def leaves(self) -> list[Value]:
        """All leaves that were there before, in the order in which the flat vector begins."""
        return self._lowered[1]

    @property
    def positions(self) -> Array:
        """Where in the flat vector each of `parameters` is."""
        return self._lowered[2]

    def _title(self, form: str, need: str) -> str:
        """Return the first line of the source."""
        return f"{self._name}: {self.n_nodes} scalar nodes as {form}; made by autograd_mini, needs {need}."

    @cached_property
    def _printed(self) -> tuple[str, int]:
        """The source, and of how many statements it is; the native machine runs without it."""
        if self.straight is not None:
            return self.straight.source, self.straight.source.count(" = ")
        with self._not_too_deep():
            printer = self._jax_printer() if self.backend == "jax" else self._numpy_printer()
            return printer.source(), printer.statements

    @contextmanager
    def _not_too_deep(self) -> Iterator[None]:
        """Say what a formula is that can't be walked through."""
        try:
            yield
        except RecursionError:
            raise TraceError(
                f"{self._name}: the formula of an operation of one's own is too deep for a program, as it is where it "
                f"has hundreds of operands or of steps; make it of operations of few operands each and of sum, "
                f"maximum, minimum and logsumexp of autograd_mini, which take any number"
            ) from None

    @property
    def source(self) -> str:
        """The program as text: what is executed, or for the native machine the same as array statements for NumPy."""
        return self._printed[0]

    @property
    def statements(self) -> int:
        """Of how many statements the source is."""
        return self._printed[1]

    def _numpy_printer(self) -> NumpyPrinter:
        return NumpyPrinter(self.program, self._title("array statements", "NumPy"), str(self.dtype))

    def _jax_printer(self) -> JaxPrinter:
        return JaxPrinter(self.program, self._title("array statements", "JAX"), str(self.dtype))

    def script(self, backend: str) -> str:
        """Return the program as source for NumPy or JAX with the present parameters, that runs by itself."""
        printer = self._jax_printer() if backend == "jax" else self._numpy_printer()
        return printer.script(self.theta(), self.positions.tolist())

    def c_file(self, path: Path, dtype: str, train: str | None) -> str:
        """Return the program as a C file with the present parameters.

        Raises
        ------
        ValueError
            If it needs a whole batch at once or random numbers, or shall train and returns several numbers.
        """
        self.check_alone("a C file takes one example at a time: call model.eval() and save it again")
        n_parameters, order = len(self.parameters), np.empty(len(self.leaves) + len(self.scalars.tables.numbers), int)
        if train is not None and (self.is_list or not n_parameters):
            lacks = f"returns a list of {len(self.scalars.outputs)}" if self.is_list else "has no parameters"
            raise ValueError(
                f"train: expected a function that returns one number to minimize, but {self._name} {lacks}"
            )
        others = np.ones(len(order), bool)
        others[self.positions] = False
        order[self.positions] = np.arange(n_parameters)
        order[others] = np.arange(n_parameters, len(order))
        title = self._title("C99", "math.h alone")
        with self._not_too_deep():
            return CPrinter(self.program, title, dtype, path, train, self.theta(), order, n_parameters).source()

    def check_alone(self, why: str) -> None:
        """Raise a ValueError that ends in why if examples depend on each other, or on random numbers."""
        does = "takes means over the batch" if self.mixes else "draws random numbers" if self.draws else ""
        if does or self.updates:
            does = does or "changes its modules"
            raise ValueError(f"{self._name} {does}, as BatchNorm and Dropout do in training, and {why}")

    def _is_better_straight(self, groups: int) -> bool:
        """Return whether Python on floats is quicker than arrays: without a batch, and where little is alike."""
        if self.sizes or self.updates or self.indices or self.backend == "jax" or self.dtype != np.float64:
            return False
        if self.n_nodes > MOST_NODES:
            return False
        most_statements = self.n_nodes * _SECONDS_A_NODE / _SECONDS_A_STATEMENT
        if 2 * groups > most_statements:  # each group has at least a comment and a statement
            return True
        return len(self.program.forward) + len(self.program.backward) > most_statements

    def _straight_line(self) -> StraightLine:
        at = {self.scalars.node[i]: i for i in self.scalars.parameters()}
        leaves = [at.pop(parameter) for parameter in self.parameters]
        heading = self._title("straight-line Python", "nothing but Python")
        flags, n_parameters = needed(self.scalars, leaves), len(leaves)
        every = [*leaves, *at.values()]
        refresh = self._refresh if self._live else None
        return StraightLine(self.scalars, self.n_nodes, flags, every, n_parameters, heading, self.backend, refresh)

    # -------------------------------------------------------------------------------------------------- running

    def theta(self, parameters: Array | None = None) -> Array:
        """Return the flat vector: the present numbers of all leaves, and those in tables of bare numbers.

        Numbers that are given for the `parameters` take the place of the present ones.
        """
        theta = np.empty(self.program.parameters.rows, self.dtype)
        self.load(theta, parameters)
        return theta

    def load(self, theta: Array, parameters: Array | None = None) -> None:
        """Fill in the flat vector, as `theta` returns it."""
        self._refresh()
        leaves, numbers = self.leaves, self.scalars.tables.numbers
        if parameters is not None:
            theta[self.places] = parameters
            at, others = self._others
            if others:
                theta[at] = [leaf._data for leaf in others]
            theta[len(leaves) :] = numbers
            return
        written, present = self._read
        if written is not node.written or self._live:  # some number was assigned: they are read again
            written = node.written
            present = np.empty_like(theta)
            if self.dtype == np.float64:
                self.pack(present)
            else:
                present[: len(leaves)] = np.fromiter(map(_data, leaves), self.dtype, len(leaves))
            present[len(leaves) :] = numbers
            self._read = written, present
        theta[:] = present

    @cached_property
    def pack(self) -> Callable[[Array], None]:
        """What puts the numbers of all leaves into an array of float64; see `packing`."""
        return packing(self.leaves)

    @cached_property
    def places(self) -> Any:
        """What `positions` are, as a slice where they are a run of them: nearly always, and quicker to take."""
        first, count = int(self.positions[0]) if len(self.positions) else 0, len(self.positions)
        is_run = np.array_equal(self.positions, np.arange(first, first + count))
        return slice(first, first + count) if is_run else self.positions

    @cached_property
    def _others(self) -> tuple[Array, list[Value]]:
        """Where in the flat vector the leaves are that are no parameters, such as frozen ones; and these leaves."""
        at = np.setdiff1d(np.arange(len(self.leaves)), self.positions)
        return at, [self.leaves[i] for i in at]

    def _refresh(self) -> None:
        """Read anew what is read at each run."""
        for leaf, read in self._live:
            leaf._data = read()

    def workspace(self, n: int, theta: Array | None = None, gradient: Array | None = None) -> Any:
        """Return the program bound to arrays for n examples; without arrays of one's own, one that nobody else uses."""
        if theta is None:
            with self._lock:
                waiting = self._pool.get(n)
                if waiting:
                    return waiting.pop()
        if theta is None or gradient is None:
            # Zeros, as not every run computes the derivatives by all of them.
            theta, gradient = np.zeros((2, self.program.parameters.rows), self.dtype)
        if self.backend == "jax":
            if self._jax is None:
                self._jax = JaxProgram(self.source, self.dtype, self.n_devices)
            return JaxWorkspace(self._jax, theta, gradient, len(self.scalars.outputs))
        native, _ = self._native
        if native is not None:
            return NativeWorkspace(native, n, theta, gradient)
        if self._bind is None:
            namespace: dict[str, Any] = {}
            exec(compile(self.source, "<program>", "exec"), namespace)
            self._bind = namespace["bind"]
        forward, backward = self._bind(n, theta, gradient)
        return Workspace(forward, backward, theta, gradient)

    def give_back(self, n: int, workspace: Any) -> None:
        """Let others use a workspace again."""
        with self._lock:
            if n not in self._pool and len(self._pool) >= MOST_SIZES:
                del self._pool[next(iter(self._pool))]
            self._pool.setdefault(n, []).append(workspace)

    def block_size(self, n: int, wanted: int | None = None) -> int:
        """Return how many of n examples are run at a time; it doesn't depend on how many threads there are."""
        if self.mixes or self.backend == "jax":
            return n
        native, _ = self._native
        return wanted or (self._fitting if native is None else native.block_size(n))

    @cached_property
    def _fitting(self) -> int:
        """How many examples at a time fit the cache with all that is computed from them."""
        rows = sum(array.rows for array in [*self.program.inputs, *self.program.arrays] if array.varies)
        fitting = CACHE_BYTES // (self.dtype.itemsize * max(rows, 1))
        return int(min(max(1 << max(fitting, 1).bit_length() - 1, 512), 8192))

    def all_in_one(self, n: int) -> Array | None:
        """Return an array that a run writes n examples' values and their gradients by the inputs into, if it can."""
        native, _ = self._native
        if native is None or not native.all_vary():
            return None
        return np.empty((1 + sum(self.sizes[k] for k in self.program.input_gradients), n), self.dtype)

    def can_be_repeated(self, n: int) -> bool:
        """Return whether a batch of n examples is nothing but one call of the native machine, and its sum."""
        plain = not (self.draws or self.choices or self.updates or self.indices or self.mixes or self._live)
        every = slice(0, self.program.parameters.rows)
        whole = isinstance(self.places, slice) and self.places == every and self.dtype == np.float64
        small = all(n * array.rows <= SMALL for array in self.program.inputs)
        outputs = self.program.outputs
        one = len(outputs) == 1 and outputs[0].count == 1 and outputs[0].array.varies and self.program.seed is None
        return bool(plain and whole and small and one and self._native[0] is not None and self.block_size(n) >= n)

    def masks(self, n: int, rng: Any) -> Array | None:
        """Draw the random leaves for n examples, a row each, from their own generators or from the one given."""
        if not self.draws:
            return None
        result = np.empty((n, self.sizes[-1]))
        by_generator: dict[int, list[tuple[int, Any]]] = {}
        start = 0
        for draws in self.draws:
            generator = rng if rng is not None else draws.rng
            by_generator.setdefault(id(generator), []).append((start, draws))
            start += len(draws.leaves)
        for found in by_generator.values():
            generator = rng if rng is not None else found[0][1].rng
            # Example after example, and in each in the order of the calls: as the eager engine draws.
            drawn = generator.random((n, sum(len(draws.leaves) for _, draws in found)))
            at = 0
            for start, draws in found:
                count = len(draws.leaves)
                kept = drawn[:, at : at + count] < draws.probability
                result[:, start : start + count] = np.where(kept, draws.scale, 0.0)
                at += count
        return result


def packing(leaves: Sequence[Value]) -> Callable[[Array], None]:
    """Return what puts the numbers of leaves into an array of float64, as quickly as Python lets them be read.

    That is sixteen at a time: a list of all of them takes 1.4 times as long, `numpy.fromiter` three times.
    """
    whole, rest = divmod(len(leaves), 16)
    rows: list[Any] = [(128 * k, *leaves[16 * k : 16 * k + 16]) for k in range(whole)]
    last, end = leaves[16 * whole :], 128 * whole
    pack, pack_last = struct.Struct("16d").pack_into, struct.Struct(f"{rest}d").pack_into

    def put(theta: Any) -> None:
        for at, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p in rows:  # noqa: E741
            # fmt: off
            pack(theta, at, a._data, b._data, c._data, d._data, e._data, f._data, g._data, h._data,
                 i._data, j._data, k._data, l._data, m._data, n._data, o._data, p._data)
            # fmt: on
        pack_last(theta, end, *[leaf._data for leaf in last])

    return put


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the garbage collector from walking a growing graph again and again: nothing of it is garbage yet."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def traced(
    f: Callable[..., Any], examples: Sequence[Array], names: Sequence[str]
) -> tuple[Trace, list[list[Value]], list[Value], Structure]:
    """Call a function on one example's nodes: returns the trace, the leaves of each input, and the results."""
    with (
        modes.ignoring_anomalies(),
        differentiated(),
        tracing() as trace,
    ):  # one example's numbers say nothing of the others'
        leaves, arguments = [], []
        for example, name in zip(examples, names, strict=True):
            flat = [
                input_leaf(number, name if not example.shape else f"{name}{k + 1}")
                for k, number in enumerate(example.ravel().tolist())
            ]
            leaves.append(flat)
            arguments.append(rows(flat, example.shape))
        result = _result(f, arguments)
        outputs, structure = result_nodes(result)
        if len(structure) > 1 and not any(isinstance(number, Value) for number in nested.flat(result)):
            raise TypeError(f"expected a function that returns Values, got bare numbers in lists, {result!r:.60}")
    return trace, leaves, outputs, structure


def _each_once(numbers: Array, asked: Array) -> Array:
    """Return the numbers of leaves that are asked for, each at its first place, and behind them those left out."""
    numbers = numbers[np.append(asked, False)[numbers]]
    numbers = numbers[np.sort(np.unique(numbers, return_index=True)[1])]
    left_out = asked.copy()
    left_out[numbers] = False
    return np.concatenate([numbers, np.flatnonzero(left_out)])


def _in_order(named: Sequence[Module], reached: Sequence[Module], used: dict[Any, None]) -> list[Any]:
    """Return what is in the models: first in those that the function names itself, then in others as it used them.

    A model inside of another is a part of that, also where the function reaches it by another way.
    """
    groups: list[list[Any]] = []  # each begins with the model
    contained: set[Any] = set()
    for model in dict.fromkeys((*named, *reached)):
        if model not in contained:
            groups.append(inside(model))
            contained.update(part for part in groups[-1][1:] if isinstance(part, Module))
    groups = [group for group in groups if group[0] not in contained]
    if len(groups) == 1:
        return groups[0]
    ranks = dict(zip(used, range(len(used)), strict=True))
    first = {group[0]: -1 if group[0] in named else min([ranks.get(p, len(used)) for p in group]) for group in groups}
    groups.sort(key=lambda group: first[group[0]])
    return list(chain.from_iterable(groups))


def _result(f: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Return what a function returns; Python says in words of its own that a Value is no list, an index no number."""
    try:
        return f(*arguments)
    except TypeError as error:
        if not isinstance(error, TraceError) and _TAKEN_FOR_A_LIST.search(str(error)):
            raise TraceError(
                f"{error}{caller(error)}: a Value is one number. Each row of an input is one example: of [1., 2.] the "
                f"function gets two, first 1. and then 2.; of [[1., 2.]] it gets one, the list of both"
            ) from error
        raise
    except (IndexError, KeyError) as error:
        if is_traced(error.args[0] if error.args else None) or "indices" in str(error):
            raise TraceError(
                f"an item of an array or a dictionary depends on the data of a traced Value{caller(error)}: the "
                f"program would take for every example what this one asks for. To choose an item or a row, use "
                f"pick(token, table) of autograd_mini"
            ) from error
        raise


def result_nodes(result: Any) -> tuple[list[Value], Structure]:
    """Return what a function returned as nodes, and how they were arranged.

    Raises
    ------
    TypeError
        If it is neither a number nor made of lists of numbers.
    """
    nodes: list[Value] = []
    structure = _taken_apart(result, nodes)
    if not nodes:
        raise TypeError("expected a function that returns a Value or a list of Values, got an empty list")
    return nodes, structure


def _taken_apart(part: Any, nodes: list[Value]) -> Structure:
    """Append the nodes of a part of a result; return its shape, or the parts' where it has none."""
    if nested.is_list(part):
        parts = [_taken_apart(one, nodes) for one in part]
        shape = parts[0] if parts else ()
        is_array = isinstance(shape, tuple) and all(one == shape for one in parts)
        return (len(parts), *shape) if is_array and not isinstance(part, Results) else parts
    if isinstance(part, (dict, str, np.ndarray)):
        raise TypeError(
            f"expected a function that returns a Value, or Values in lists, got {type(part).__name__}"
            f"{' in a list' if nodes else ''}; return what the program shall compute"
        )
    nodes.append(part if isinstance(part, Value) else Constant(part))
    return ()


def arranged(array: Array, structure: Structure) -> Any:
    """Return results (n, k, ...) as the function arranged them: an array, or a tuple where they have no common shape.

    Examples
    --------
    >>> arranged(np.array([[1.0, 2.0, 3.0]]), [(), (2,)])
    (array([1.]), array([[2., 3.]]))
    """
    if isinstance(structure, tuple):
        return array.reshape(len(array), *structure, *array.shape[2:])
    ends = np.cumsum([_size(part) for part in structure])
    parts = np.split(array, ends[:-1], axis=1)
    return tuple(arranged(part, inner) for part, inner in zip(parts, structure, strict=True))


def _size(structure: Structure) -> int:
    return math.prod(structure) if isinstance(structure, tuple) else sum(map(_size, structure))


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """Return what a function calls its arguments."""
    function = f.forward if isinstance(f, Module) else f
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return [*names, *[f"x{k + 1}" for k in range(len(names), count)]]
