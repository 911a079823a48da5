"""Tracing: a record of what a function does to one example, node by node, from which the vectorizer makes a program.

While a function is traced, the numbers of its nodes can't be read: what the function did with the number of this
example would be wrong for the others. Modules get from here the leaves whose numbers change from run to run, random
masks and running statistics, and the mean over a batch; `functions.pick` gets rows of a table.
"""

from __future__ import annotations

import linecache
import operator
import os
import sys
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NoReturn

from autograd_mini.elsewhere import unexpected
from autograd_mini.engine import floats, modes, node, nodes
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.node import CONSTANT, Node
from autograd_mini.engine.own import OwnOperation
from autograd_mini.engine.primitives import GREATER, GREATER_EQUAL, PICK, SIGN, SUB, WHERE, Primitive
from autograd_mini.engine.protocol import number_in
from autograd_mini.engine.reals import as_float, is_array, is_index
from autograd_mini.engine.value import Constant, Value, apply, differentiable
from autograd_mini.errors import TraceError

PREFIX = "\0"  # begins the scope of everything that is made during a trace
_PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_PYTHON = os.path.dirname(os.path.realpath(os.__file__))

# The mean of a node over all examples of the batch. In the graph of one example it is the node's own value.
BATCH_MEAN = Primitive("batch_mean", "mean", lambda xp, a: a, lambda xp, out, a: (1.0,))


def _condition_of_two(name: str, symbol: str, forward: Callable[..., Any]) -> Primitive:
    return Primitive(name, symbol, forward, lambda xp, out, a, b: (0.0, 0.0), arity=2, smooth=False)


# Conditions that are bools on numbers, and nodes while a function is traced: 1 where they hold, else 0.
EQUAL = _condition_of_two("equal", "=", lambda xp, a, b: xp.where(xp.equal(a, b), 1.0, 0.0))
UNEQUAL = _condition_of_two("unequal", "≠", lambda xp, a, b: xp.where(xp.equal(a, b), 0.0, 1.0))
BOTH = _condition_of_two("both", "&", lambda xp, a, b: xp.where(xp.equal(a, 0.0) | xp.equal(b, 0.0), 0.0, 1.0))
EITHER = _condition_of_two("either", "|", lambda xp, a, b: xp.where(xp.equal(a, 0.0) & xp.equal(b, 0.0), 0.0, 1.0))
CONDITIONS = (GREATER, GREATER_EQUAL, EQUAL, UNEQUAL, BOTH, EITHER)


def _deciding(primitive: Primitive) -> Primitive:
    """Return an operation that computes the same, and through which no gradient goes."""
    return Primitive(primitive.name, primitive.symbol, primitive.forward, primitive.derivatives, primitive.arity)


# What a rule of the table decides by, when it is read on traced nodes. On nodes with numbers it isn't a part of the
# graph; so no gradient goes through it, not even 0 · inf.
_DECISIONS = {primitive: _deciding(primitive) for primitive in (*CONDITIONS, SIGN)}
DECISIONS = frozenset(_DECISIONS.values())


@dataclass(frozen=True, eq=False)
class Draws:
    """The random leaves that one call of `masked` returned: each is `scale` with a probability, else 0."""

    leaves: list[Value]
    rng: Any
    probability: float
    scale: float


@dataclass(frozen=True, eq=False)
class Look:
    """What a traced function saw of a node that was there before: its number, local derivatives, or a comparison.

    Attributes
    ----------
    node : Value or None
        The node; None where it was a whole table of numbers.
    other : Value or number
        What it was compared with.
    read : callable
        What was looked at: it gives what would be seen now.
    outcome : float, bool or tuple of float
        What was seen.
    where : str
        The line of the function.
    """

    node: Node | None
    other: Any
    read: Callable[[], Any]
    outcome: Any
    where: str

    def holds(self) -> bool:
        """Return whether the function would see the same now."""
        now = self.read()
        return bool(now == self.outcome) or (now != now and self.outcome != self.outcome)


@dataclass(eq=False)
class Trace:
    """The record of a function that was traced.

    Attributes
    ----------
    nodes : list of Value
        All nodes, in the order in which they were made.
    draws : list of Draws
        The random leaves, in the order in which they were asked for.
    live : dict of Value to callable
        Leaves whose number is read again at each run, by calling the function.
    choices : list of (Value, int)
        Nodes that have to be one of 0, 1, …, count - 1, such as the class of an example.
    indices : list of (Value, int)
        The same, by which one of so many items is picked.
    tables : list of Table
        The large ones among what is picked from.
    effects : list of (list of Value, callable)
        Functions that are called after each run, with the nodes' numbers and with the number of examples.
    looks : list of Look
        What was seen of nodes that were there before, on which the function may depend.
    derived : set of Value
        The nodes that were made for derivatives. `detect_anomaly` doesn't look at them, as a rule computes more than is
        used.
    goes_backward : bool
        Whether the function called ``backward(create_graph=True)``.
    """

    prefix = PREFIX

    nodes: list[Value] = field(default_factory=list)
    draws: list[Draws] = field(default_factory=list)
    live: dict[Value, Callable[[], float]] = field(default_factory=dict)
    choices: list[tuple[Value, int]] = field(default_factory=list)
    indices: list[tuple[Value, int]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    effects: list[tuple[list[Value], Callable[..., None]]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    derived: set[Value] = field(default_factory=set)
    goes_backward: bool = False
    reads_rules: bool = False  # whether a rule of the table is being read, whose comparisons are conditions

    def follow(self, node: Value) -> None:
        """Take note of a node that was just made."""
        if not modes.current().recording:
            raise TraceError(
                f"no_grad() inside of a traced function{caller()}: what it computes would stay as it is for this "
                f"example. Leave no_grad() out, or take engine='eager'"
            )
        node.__class__ = TracedValue
        self.nodes.append(node)


class TracedValue(Value):
    """A node of a function that is being traced: it can be computed with, but not looked at."""

    __slots__ = ()

    @property
    def data(self) -> float:
        """Refuse: the number is that of one example."""
        _refuse(
            ".data",
            _own_operation() or f"Compute with the Value itself, or return it as one more output. {_LARGEST}",
        )

    @data.setter
    def data(self, number: Any) -> None:
        _refuse("assigning to .data", "Make a new Value by an operation instead")

    def item(self) -> NoReturn:
        """Refuse: it would be the number of one example."""
        _refuse(".item()", f"Compute with the Value itself, or return it as one more output. {_LARGEST}")

    def _gradient(self) -> Any:
        trace = current_trace()
        if trace is None or not trace.goes_backward or not nodes.is_leaf(self):
            of = "" if nodes.is_leaf(self) else ", of a node that was computed,"
            _refuse(
                f".grad{of}",
                "Take grad(f) of autograd_mini inside of the function, call backward(create_graph=True) before, which "
                "sets the gradients of leaves, or take derivatives of the program by its gradients or value_and_grad",
            )
        return _gradient_slot.__get__(self)

    # A property of the class comes before the slot of the same name in `Node`.
    grad = property(_gradient, lambda self, gradient: _gradient_slot.__set__(self, gradient), doc="A leaf's gradient.")

    def __repr__(self) -> str:
        return f"TracedValue({self.label!r})" if self.label else "TracedValue()"

    def __format__(self, spec: str) -> str:
        return _refuse("its number in a text", "Print what the program returns instead") if spec else repr(self)

    @property
    def local_grads(self) -> tuple[float, ...]:
        """Refuse: they are those of one example."""
        _refuse(".local_grads", "Take derivatives of the program instead, by its gradients or value_and_grad")

    def backward(self, grad: Any = 1.0, create_graph: bool = False, retain_graph: bool = True, **odd: NoReturn) -> None:
        """Add to the gradients of leaves, as nodes: with `create_graph`, they are a part of the program.

        In each example the gradients of leaves that were there before, as those of a model's parameters, begin at 0;
        after the call they are as they were. Without `create_graph` it is refused: what is added to the parameters
        would stay as it is for one example, and a gradient that is a bare number has no derivatives.
        """
        if odd:
            raise unexpected("backward", odd)
        trace = current_trace()
        if not create_graph or trace is None:
            _refuse(
                "backward()",
                "Inside of the function take backward(create_graph=True) or grad(f) of autograd_mini, whose results "
                "are a part of the program; for the gradients of parameters return the loss, and take the program's "
                "value_and_grad",
            )
        trace.goes_backward = True
        seed = grad if isinstance(grad, Value) else Constant(grad)
        for leaf, gradient in gradients(self, seed).items():
            if nodes.is_leaf(leaf) and leaf.kind != CONSTANT:
                nodes.add_to_leaf(leaf, gradient)

    def __bool__(self) -> NoReturn:
        _refuse(
            "a branch",
            "Use where(condition, a, b) of autograd_mini instead of if, and conditions are joined by & instead of "
            "`and`: (0 < v) & (v < 3), also instead of 0 < v < 3; by | instead of `or` and `in`: (v == 0) | (v == 1); "
            f"1 - c is the opposite of c, instead of `not`. {_LARGEST}",
        )

    def __float__(self) -> NoReturn:
        _refuse(
            "float()", f"Use the functions of autograd_mini (exp, log, tanh, ...) instead of those of math. {_LARGEST}"
        )

    def __int__(self) -> NoReturn:
        _refuse(
            "int()", f"Compute with the Value itself; to choose by it, use pick(token, table) or where(...). {_LARGEST}"
        )

    def __index__(self) -> NoReturn:
        _refuse("an index", "To choose an item of a list, or a row of a table, use pick(token, table) of autograd_mini")

    def __gt__(self, other: Any) -> Value:  # type: ignore[override]  # self > other, as a condition for where(...)
        return _condition(GREATER, self, other)

    def __lt__(self, other: Any) -> Value:  # type: ignore[override]  # self < other
        return _condition(GREATER, other, self)

    def __ge__(self, other: Any) -> Value:  # type: ignore[override]  # self >= other
        return _condition(GREATER_EQUAL, self, other)

    def __le__(self, other: Any) -> Value:  # type: ignore[override]  # self <= other
        return _condition(GREATER_EQUAL, other, self)

    def __eq__(self, other: Any) -> Any:  # self == other
        other = _of_one(other)
        if isinstance(other, Node):
            if self is other:
                return True
            raise TraceError(
                f"== of two Values asks whether they are one node{caller()}, and not whether their numbers are equal: "
                f"take where(a - b == 0, ...) for their numbers, or `a is b` for the node"
            )
        number = number_in(other)
        return NotImplemented if number is None else _condition(EQUAL, self, number)

    def __ne__(self, other: Any) -> Any:  # self != other
        other = _of_one(other)
        if isinstance(other, Node):
            return not self == other
        number = number_in(other)
        return NotImplemented if number is None else _condition(UNEQUAL, self, number)

    __hash__ = Node.__hash__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Compute as NumPy does with any object; but from a comparison with an array of one number it makes bools."""
        import numpy as np  # installed, as it calls this

        compare = _NUMPY_COMPARISONS.get(ufunc.__name__)
        if compare is not None and method == "__call__" and all(np.shape(x) == () for x in inputs):
            return compare(*map(_of_one, inputs))
        boxed = [np.array(x, dtype=object) if isinstance(x, TracedValue) else x for x in inputs]
        return getattr(ufunc, method)(*boxed, **options)

    # Beside a condition, a bool is one that is known already.
    def __and__(self, other: Any) -> Any:  # self & other
        if isinstance(other, bool) and _is_condition(self):
            return self if other else False
        return _condition(BOTH, self, other) if _is_condition(self) and _is_condition(other) else NotImplemented

    def __or__(self, other: Any) -> Any:  # self | other
        if isinstance(other, bool) and _is_condition(self):
            return True if other else self
        return _condition(EITHER, self, other) if _is_condition(self) and _is_condition(other) else NotImplemented

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> NoReturn:
        raise TraceError(f"~ of a traced Value{caller()}: of bools it isn't `not`. Write 1 - c for the opposite of c")

    def __xor__(self, other: Any) -> NoReturn:
        raise TraceError(f"^ of a traced Value{caller()}: write abs(c - d) for one of two conditions and not both")

    __rxor__ = __xor__


_LARGEST = (
    "The largest and smallest of several are maximum(...) and minimum(...) of autograd_mini, instead of max and min; "
    "its softmax and logsumexp need no largest one to be subtracted, they don't overflow"
)


_NUMPY_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
}


def _of_one(thing: Any) -> Any:
    """Return what an array of the shape () holds; anything else as it is."""
    return thing.item() if is_array(thing) and thing.shape == () else thing


def _refuse(what: str, advice: str) -> NoReturn:
    raise TraceError(
        f"{what} depends on the data of a traced Value{caller()}: the program would do for every example what this one "
        f"asks for. {advice}"
    )


def _own_operation() -> str:
    """Return what to do where the number is read for an operation with a ``_backward``, as in micrograd; else ""."""
    frame = _frame()
    while frame.f_code.co_name in ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"):
        frame = frame.f_back
    code = frame.f_code
    if "_backward" not in code.co_names:
        return ""
    names = [text for text in code.co_consts if isinstance(text, str) and text.isidentifier()]
    refusal = OwnOperation(names[0] if names else code.co_name).refusal()
    return refusal[0].upper() + refusal[1:]


def _frame() -> Any:
    """Return the innermost frame outside of this package: the caller's code."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_elsewhere(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def caller(error: BaseException | None = None) -> str:
    """Return the place in the user's code, or where in it an error came from, as a part of a sentence."""
    frame = _frame()
    number = frame.f_lineno
    step = None if error is None else error.__traceback__
    while step is not None:
        if not is_elsewhere(step.tb_frame.f_code.co_filename):
            frame, number = step.tb_frame, step.tb_lineno
        step = step.tb_next
    file = frame.f_code.co_filename
    line = linecache.getline(file, number, frame.f_globals).strip()
    name = "a notebook's cell" if "ipykernel" in file or file.startswith("<ipython") else os.path.basename(file)
    return f", in {name}, line {number}" + (f": `{line}`" if line else "")


def is_elsewhere(file: str) -> bool:
    """Return whether a file is the package's, NumPy's or Python's own."""
    inside_python = file.startswith(_PYTHON) and "site-packages" not in file
    return (
        inside_python
        or file.startswith((_PACKAGE, "<frozen", "<__array_function__"))
        or f"{os.sep}numpy{os.sep}" in file
    )


def is_traced(thing: Any) -> bool:
    """Return whether something is a node of a function that is being traced, whose number mustn't be used."""
    return isinstance(thing, TracedValue)


def input_leaf(number: float, label: str) -> Value:
    """Return a leaf for an input of the traced function."""
    leaf = Value(number, label)
    leaf.__class__ = TracedValue
    return leaf


_gradient_slot: Any = Node.__dict__["grad"]


class _Rules(nodes.Differentiable):
    """The rules of the table read on traced nodes: what a rule decides by a number becomes a part of the program."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(apply)
        self._trace = trace
        self._node: Any = None  # whose rule is read
        self._first: int | None = None  # where the nodes that the rule makes begin, if its branches are to be shielded

    def local_grads(self, v: Any) -> tuple[Any, ...]:
        """Return the local derivative of a node by each of its parents."""
        if v.primitive is BATCH_MEAN:
            raise TraceError(
                f"a derivative inside of a traced function goes through a mean over the batch, as of BatchNorm in "
                f"training{caller()}: an example has no derivative of its own there. Call model.eval() first, or take "
                f"engine='eager'"
            )
        # Of few operands a rule has branches that may be infinite where they aren't chosen; of many it has none.
        self._node, self._first = v, None if v.primitive.arity is None else len(self._trace.nodes)
        before, self._trace.reads_rules = self._trace.reads_rules, True
        try:
            operands = [u._data if u.kind == CONSTANT else u for u in v.parents]
            return v.primitive.derivatives(self, v, *operands)  # type: ignore[no-any-return]
        finally:
            self._trace.reads_rules = before

    def equal(self, a: Any, b: Any) -> Any:
        """Return whether two numbers are the same."""
        return _condition(EQUAL, a, b) if _is_open(a) or _is_open(b) else super().equal(a, b)

    def sign(self, a: Any) -> Any:
        """Return the sign, whose derivative is 0."""
        return _condition(SIGN, a) if _is_open(a) else super().sign(a)

    def magnitude(self, a: Any) -> Any:
        """Return |a| with the derivative 1 at 0."""
        return self.where(a >= 0.0, a, -a)

    def unless(self, condition: Any, rescue: Callable[[], Any], plain: Any) -> Any:
        """Return the plain formula, but rescue() where the condition holds."""
        if is_traced(condition):
            return self.where(condition, rescue(), plain)
        return super().unless(condition, rescue, plain)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Return a choice; for derivatives, each branch is computed from 1s where it isn't chosen.

        There the branch might be infinite, and its derivative times 0 be nan.
        """
        if not is_traced(condition):
            return super().where(condition, a, b)
        only_a = self._shielded(a, lambda u: apply(WHERE, condition, u, 1.0))
        only_b = self._shielded(b, lambda u: apply(WHERE, condition, 1.0, u))
        return apply(WHERE, condition, only_a, only_b)

    def _shielded(self, branch: Any, shield: Callable[[Value], Value]) -> Any:
        """Return what the rule computed for a branch, computed anew from shielded operands."""
        made = [] if self._first is None else self._trace.nodes[self._first :]
        wanted = {branch}
        for one in reversed(made):
            if one in wanted:
                wanted.update(one.parents)
        # The rule's own node comes first: it is computed anew from its operands, whose derivatives may be infinite too.
        copies: dict[Any, Any] = {}
        for one in [self._node, *made]:
            if one in wanted:
                for u in one.parents:
                    if u not in copies:
                        copies[u] = u if u.kind == CONSTANT else shield(u)
                copies[one] = apply(one.primitive, *[copies[u] for u in one.parents])
        return copies[branch] if branch in set(made) else branch


def gradients(root: Value, seed: Value) -> dict[Any, Any]:
    """Return ∂root/∂u for every node u, as nodes; while a function is traced, they are a part of its program."""
    order, trace = topological_order(root), current_trace()
    if trace is None:
        return nodes.gradients(order, seed, differentiable)
    first = len(trace.nodes)
    found = nodes.gradients([v for v in order if v.primitive not in DECISIONS], seed, _Rules(trace))
    trace.derived.update(trace.nodes[first:])
    return found


def _is_open(x: Any) -> bool:
    """Return whether something is a node whose number isn't known when a program is made."""
    return isinstance(x, Value) and x.kind != CONSTANT


def _is_condition(x: Any) -> bool:
    """Return whether something is a condition as a node, or the opposite of one, 1 - c."""
    while is_traced(x) and x.primitive is SUB and x.parents[0].kind == CONSTANT and x.parents[0]._data == 1.0:
        x = x.parents[1]
    return is_traced(x) and (x.primitive in CONDITIONS or x.primitive in DECISIONS)


def _condition(primitive: Primitive, *operands: Any) -> Value:
    """Return a condition as a node; inside of a rule, one that it decides by."""
    trace = current_trace()
    return apply(_DECISIONS[primitive] if trace is not None and trace.reads_rules else primitive, *operands)


# Comparisons of a plain node with a traced one: those of the traced one, which are conditions for `where`.
_CONDITIONS: dict[Any, Callable[[Any, Any], Value]] = {
    operator.gt: lambda a, b: _condition(GREATER, a, b),
    operator.lt: lambda a, b: _condition(GREATER, b, a),
    operator.ge: lambda a, b: _condition(GREATER_EQUAL, a, b),
    operator.le: lambda a, b: _condition(GREATER_EQUAL, b, a),
}


def _look(seen: Node, read: Callable[[], Any], other: Any = None, operation: Any = None) -> Any:
    """Take note of what a traced function looks at; return what it sees."""
    trace = current_trace()
    if trace is not None and operation is not None and (is_traced(other) or (trace.reads_rules and _is_open(seen))):
        return _CONDITIONS[operation](seen, other)
    outcome = read()
    if trace is not None and not (seen.scope[:1] == PREFIX and getattr(other, "scope", PREFIX)[:1] == PREFIX):
        trace.looks.append(Look(seen, other, read, outcome, caller()))
    return outcome


_traces, _lock = 0, threading.Lock()


def _watch(change: int) -> None:
    """Let nodes tell what is looked at while any function is traced, in any thread."""
    global _traces
    with _lock:
        _traces += change
        node.look = _look if _traces else None


@contextmanager
def tracing() -> Iterator[Trace]:
    """Trace what is computed inside: yields the record of it."""
    trace = Trace()
    modes.enter(trace, "tracer", trace, depth=1)
    _watch(+1)
    try:
        yield trace
    finally:
        _watch(-1)
        modes.leave(trace)


def current_trace() -> Trace | None:
    """Return the record of the trace that this thread is in, if it is in one."""
    return modes.current().tracer


class _Replay(threading.local):
    """Masks that `masked` returns in this thread instead of drawing new ones."""

    masks: Iterator[float] | None = None


_replay = _Replay()


@contextmanager
def replaying(masks: list[float]) -> Iterator[None]:
    """Inside, `masked` takes these numbers, in this order, instead of drawing."""
    before, _replay.masks = _replay.masks, iter(masks)
    try:
        yield
    finally:
        _replay.masks = before


def masked(rng: Any, count: int, probability: float, scale: float, label: str) -> list[Value]:
    """Return leaves that are `scale` with a probability and otherwise 0, drawn from a generator at each run."""
    trace = current_trace()
    if trace is not None:
        leaves: list[Value] = [input_leaf(scale, label) for _ in range(count)]
        trace.draws.append(Draws(leaves, rng, probability, scale))
        return leaves
    if _replay.masks is not None:
        return [Constant(next(_replay.masks), label) for _ in range(count)]
    return [Constant(scale if stays else 0.0, label) for stays in rng.random(count) < probability]


def one_of(index: Value, count: int) -> Value:
    """Return a traced node that is to be one of 0, 1, …, count - 1; the program raises an error for another input."""
    trace = current_trace()
    if trace is not None:
        trace.choices.append((index, count))
    return index


MOST_ROWS = (
    256  # a table with more, whose items are leaves or numbers, is one thing in a trace, without an edge for each
)


class Lookup(Primitive):
    """The operation that gives the item of one column of a table; the index is its only operand."""

    __slots__ = ("column", "table")

    def __init__(self, table: Table, column: int) -> None:
        super().__init__("pick", "pick", self._item, self._derivatives, smooth=False)
        self.table, self.column = table, column

    def _item(self, xp: Any, index: Any) -> Any:
        items, width = self.table.items, self.table.width
        if not is_index(index, len(items) // width):
            return 0.0
        item = items[int(index) * width + self.column]
        return item._data if isinstance(item, Value) else item

    def _derivatives(self, xp: Any, out: Any, index: Any) -> tuple[float]:
        if xp is not floats:
            _refuse(
                f"a derivative through pick from a table of more than {MOST_ROWS} rows",
                "Take derivatives of the program instead, by its gradients or value_and_grad",
            )
        return (0.0,)


class Table:
    """Rows of leaves, or of bare numbers, from which a traced number picks one.

    Attributes
    ----------
    items : list of Value, or array of float
        All items, row after row: nodes if any is one, else bare numbers.
    width : int
        How many there are in a row.
    lookups : list of Lookup
        The operation for each column.
    """

    def __init__(self, given: Any, items: Any, width: int) -> None:
        self._given, self.items, self.width = given, items, width
        self._rows: Sequence[Any] = ()  # those that it was found to be of, and what was in them
        self._copies: list[Any] = []
        self.lookups = [Lookup(self, column) for column in range(width)]

    def is_of(self, given: Any, rows: Sequence[Any]) -> bool:
        """Return whether it is made of just these items: of the same nodes, or of equal numbers."""
        before = self._given
        if (type(given), len(given), len(rows[0])) != (type(before), len(before), self.width):
            return False
        same = all(map(operator.is_, given, before)) if type(given) is list else given.tobytes() == before.tobytes()
        if same and all(isinstance(row, (list, tuple)) for row in _samples(rows)):
            self._rows, self._copies = rows, [row[:] for row in rows]
        return same

    def is_still_of(self, rows: Sequence[Any]) -> bool:
        """Return whether these are the rows of last time, with what was in them; False if it takes longer to tell."""
        try:
            return (
                len(rows) == len(self._rows)
                and all(map(operator.is_, rows, self._rows))
                and all(map(operator.eq, rows, self._copies))
            )
        except (TraceError, ValueError):  # of a traced node, or an array, that stands there now
            return False


def _samples(rows: Sequence[Any]) -> list[Any]:
    """Return one row of each kind: they may be many."""
    return list(dict(zip(map(type, rows), rows, strict=True)).values())


def _items(rows: Sequence[Any]) -> Any:
    """Return what is in the rows of a table, one after the other: a list, or an array of floats if no node is there."""
    if all(map(is_array, _samples(rows))):
        import numpy as np  # installed, as there are arrays

        numbers = np.concatenate(rows)
        if numbers.ndim == 1 and numbers.dtype.kind in "fiub" and numbers.itemsize <= 8:
            return array("d", numbers.astype(float).tobytes())
    given = [*chain.from_iterable(rows)]
    kinds = set(map(type, given))
    if not any(issubclass(kind, Value) for kind in kinds):
        return array("d", given if kinds <= {float} else map(as_float, given))
    return given


def _as_table(trace: Trace, rows: Sequence[Any]) -> Table | None:
    """Return many rows as one thing; None where an item is computed, or changes from run to run."""
    found = next((table for table in trace.tables if table.is_still_of(rows)), None)
    if found is not None:
        return found
    given = _items(rows)
    found = next((table for table in trace.tables if table.is_of(given, rows)), None)
    if found is not None:
        return found
    items, kinds = given, set(map(type, given)) if isinstance(given, list) else {float}
    if kinds != {float}:
        if not all(issubclass(kind, Value) for kind in kinds):
            items = [x if isinstance(x, Value) else Constant(x) for x in given]
        if TracedValue in kinds or any(map(operator.attrgetter("primitive"), items)):
            return None
    table = Table(given, items, len(rows[0]))
    trace.tables.append(table)
    if any(map(is_array, _samples(rows))):  # lists are seen from outside to the last item, arrays aren't
        trace.looks.append(Look(None, None, lambda: table.is_of(_items(rows), rows), True, caller()))
    return table


def picked(index: Value, rows: Sequence[Sequence[Any]]) -> list[Value]:
    """Return the row that a number names, which may be traced; the program raises an error where it names none."""
    trace = current_trace()
    assert trace is not None
    trace.indices.append((index, len(rows)))
    table = _as_table(trace, rows) if len(rows) > MOST_ROWS else None
    if table is not None:
        return [apply(lookup, index) for lookup in table.lookups]
    return [apply(PICK, index, *column) for column in zip(*rows, strict=True)]


def live(read: Callable[[], float], label: str) -> Value:
    """Return a leaf for a number that may be another at the next run; `read` gives it."""
    trace = current_trace()
    if trace is None:
        return Constant(read(), label)
    leaf = input_leaf(read(), label)
    trace.live[leaf] = read
    return leaf
