"""The printer for the native machine: the statements of a program as a table of instructions.

What depends on nothing but itself within a block of examples runs block after block, both passes at once, so that a
block's arrays stay in the cache. A phase ends where something needs a sum over all examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_mini.formulas.expression import Expression
from autograd_mini.formulas.simplify import Filled, is_number, is_uniform, views_of
from autograd_mini.native import table as t
from autograd_mini.native.table import Phase, Table
from autograd_mini.vectorizer.statements import (
    ArrayProgram,
    Assign,
    Call,
    Comment,
    Fill,
    Free,
    Gather,
    Matrix,
    Pick,
    PickGradient,
    Product,
    Reduce,
    Scatter,
    Statement,
    Variable,
    View,
    reads_of,
    writes_of,
)

_CODES = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "**": "pow",
    "<": "less",
    ">": "greater",
    ">=": "greater_equal",
    "=": "equal",
    "&": "and",
    "|": "or",
}
_CONDITIONS = ("less", "greater", "greater_equal", "equal", "and", "or")
_BLOCKS = (512, 256, 128, 64)  # examples at a time: as many as fit
_CACHE_BYTES = 1 << 19  # what the arrays of a block may take up of the second-level cache
# About how many additions of an array's rows take as long as another function, or as a term of a product.
_FUNCTION, _TERM = 10, 0.2
_QUICK = frozenset("copy add sub mul div neg abs less greater greater_equal equal and or where".split())
_QUICK |= frozenset("maximum minimum sqrt sign rint square".split())
_SYMBOLS = {"seed": t.SEED, "n": t.N}


class NotNativeError(Exception):
    """A program has something that the machine doesn't know; the message says what."""


class _Read(Statement):
    """An array is filled with the examples."""

    def __init__(self, argument: int, target: Variable) -> None:
        self.argument, self.target = argument, target


class _Write(Statement):
    """A view's rows are handed out, as the results from some row on."""

    def __init__(self, view: View) -> None:
        self.view, self.row = view, 0


class NativeTable:
    """A program as a table.

    Parameters
    ----------
    program : ArrayProgram
        The statements.
    backward : bool
        Whether to differentiate too, or only to compute.
    dtype : str or numpy.dtype, optional
        "float64" or "float32".

    Attributes
    ----------
    table : Table
        The instructions.
    words : numpy.ndarray
        The same, as the machine reads it.
    constants : list of (int, numpy.ndarray)
        Where among the numbers that don't vary the arrays of bare numbers lie.
    seed : int or None
        Where ∂L/∂output of each output lies there, if there are several.
    results : list of list of (int, int, bool)
        Where the outputs, the effects and the gradients of the inputs are found: the first row among the results that
        vary or don't, how many there are, and whether they vary.
    work : float
        What an example takes, in additions of a row of an array, about.

    Raises
    ------
    NotNativeError
        If the machine doesn't know something in it.
    """

    def __init__(self, program: ArrayProgram, backward: bool, dtype: Any = "float64") -> None:
        self.program, self.work = program, 1.0
        self.table = Table(inputs=len(program.inputs), theta=program.parameters.rows, dtype=np.dtype(dtype))
        statements: list[Statement] = [_Read(k, array) for k, array in enumerate(program.inputs)]
        statements += program.forward
        given = [program.outputs, program.effects]
        writes = [[_Write(view) for view in views] for views in given]
        statements += [write for found in writes for write in found]
        if backward:
            statements += program.backward
            gradients = program.input_gradients.values()
            writes.append([_Write(View(array, 0, array.rows)) for array in gradients])
            statements += writes[-1]
        kept = [s for s in statements if not isinstance(s, Comment)]
        used = {array for s in kept if not isinstance(s, _Read) for array in (*_read(s), *_written(s))}
        kept = [s for s in kept if not isinstance(s, _Read) or s.target in used]
        phases = _phases(kept)
        self._apart = _interleaved(kept, [program.parameters, program.gradient, *program.inputs])
        self._place_results(writes)
        self._number: dict[Variable, int] = {}
        self._formulas: dict[Any, tuple[Expression, _Formula, list[int]]] = {}  # with the rules, whose ids are in keys
        self.constants: list[tuple[int, Any]] = []
        self.seed: int | None = None
        self._place(phases)
        for blocks, found in phases:
            phase = Phase(blocks)
            for statement in found:
                getattr(self, f"_print_{type(statement).__name__.strip('_').lower()}")(statement, phase)
            self.table.phases.append(phase)
        self.words = self.table.words()

    # ------------------------------------------------------------------------------------------------- memory

    def _place_results(self, writes: list[list[_Write]]) -> None:
        table = self.table
        self.results: list[list[tuple[int, int, bool]]] = []
        for found in writes:
            self.results.append([])
            for write in found:
                varies, count = write.view.array.varies, write.view.count
                write.row = table.varying if varies else table.results
                if varies:
                    table.varying += count
                else:
                    table.results += count
                self.results[-1].append((write.row, count, varies))

    def _place(self, phases: list[tuple[bool, list[Statement]]]) -> None:
        """Give every array its place: those that only one phase knows share rows where they don't live together."""
        table, program = self.table, self.program
        lives: dict[Variable, list[int]] = {}
        crossing: set[Variable] = set()
        phase_of: dict[Variable, int] = {}
        at = 0
        for k, (_, found) in enumerate(phases):
            for statement in found:
                for array in (*_read(statement), *_written(statement)):
                    lives.setdefault(array, [at, at])[1] = at
                    if phase_of.setdefault(array, k) != k:
                        crossing.add(array)
                at += 1
        free = Free()
        for array, (start, end) in sorted(lives.items(), key=lambda item: item[1][0]):
            if array is program.parameters:
                kind, offset = t.THETA, 0
            elif array is program.gradient:
                kind, offset = t.GRADIENT, 0
            elif not array.varies:
                kind, offset = t.FIXED, table.fixed
                table.fixed += -(-array.rows // table.step) * table.step  # each begins with a whole vector
                if array.role == "constant":
                    self.constants.append((offset, np.asarray(array.data, dtype=float)))
                elif array is program.seed:
                    self.seed = offset
            elif array in crossing:
                kind, offset = t.STORED, table.stored
                table.stored += array.rows
            else:
                kind, offset = t.LOCAL, free.take(array.rows, start, end)
            self._number[array] = len(table.arrays)
            table.arrays.append((kind, array.rows, offset))
        table.local = free.most
        row = table.local * table.dtype.itemsize
        table.block = next((size for size in _BLOCKS if size * row <= _CACHE_BYTES), _BLOCKS[-1])

    def _view(self, view: View) -> list[int]:
        start, step, by = view.start, view.step, self._apart.get(view.array)
        if by is not None and not view.is_whole:
            start, step = self._row(view.array, start), max(step // by, 1)
        return [self._number[view.array], start, view.count, step]

    def _row(self, array: Variable, row: Any) -> Any:
        """Return where the machine has a row of an array, or several: every second one may lie behind the others."""
        by = self._apart.get(array)
        return row if by is None else row % by * (array.rows // by) + row // by

    def _rows(self, array: Variable, index: Any) -> list[int]:
        """Return where the machine has the rows that an index names; as a view if they are evenly spaced."""
        found: list[int] = self._row(array, np.asarray(index)).tolist()
        return found

    def _matrix(self, matrix: Matrix) -> list[int]:
        return [self._number[matrix.array], matrix.start, *matrix.shape, matrix.down, matrix.across]

    # ----------------------------------------------------------------------------------------------- statements

    def _put(self, sort: int, statement: Any, count: int, phase: Phase, target: View | None = None, **how: Any) -> None:
        """Append an instruction that computes a formula, and assigns, reduces or scatters it."""
        target = target or statement.target
        expression = statement.expression
        words = how.get("to") or self._view(target)
        if sort == t.ASSIGN and statement.add:
            expression = Expression("+", (target.expression(), expression))
        formula, leaves = self._formula(expression, sort == t.ASSIGN)
        if any(v.array is target.array and v != target and _overlap(v, target) for v in leaves):
            raise NotNativeError("rows of an array are computed from other rows of it")
        slots = len(leaves) + 1 + formula.temporaries
        if slots > t.MOST_SLOTS:
            raise NotNativeError(f"a formula has more than {t.MOST_SLOTS} operands")
        self.table.slots = max(self.table.slots, slots)
        if phase.blocks:
            self.work += count * formula.cost
        add = int(statement.add and sort != t.ASSIGN)
        phase.add(
            sort,
            words,
            (count, formula.result, len(leaves), formula.operations, formula.uniform),
            (formula.temporaries, how.get("function", 0), how.get("over", 0), add),
            [word for view in leaves for word in self._view(view)],
            formula.words,
            how.get("index", ()),
        )

    def _formula(self, expression: Expression, into_target: bool) -> tuple[_Formula, list[View]]:
        """Return a formula's operations, which those of one sort share, and its leaves."""
        if not isinstance(expression, Filled):
            made = _Formula(self.table, expression, into_target)
            return made, made.leaves
        views: list[View] = expression.views
        first: dict[View, int] = {}
        same = tuple([first.setdefault(view, k) for k, view in enumerate(views)])
        key = id(expression.rule), same, into_target
        if key not in self._formulas:
            made = _Formula(self.table, expression, into_target)
            self._formulas[key] = expression.rule, made, [views.index(leaf) for leaf in made.leaves]
        _, formula, order = self._formulas[key]
        return formula, [views[k] for k in order]

    def _print_assign(self, statement: Assign, phase: Phase) -> None:
        self._put(t.ASSIGN, statement, statement.target.count, phase)

    def _print_reduce(self, statement: Reduce, phase: Phase) -> None:
        over = statement.over
        if over == "rows" and statement.function == "add" and statement.target.count == 1 and not statement.in_order:
            over = "any"
        if not statement.varies and over in ("batch", "both"):
            raise NotNativeError("a sum over the batch of what is the same for all examples")
        by = t.BY[statement.function]
        self._put(t.REDUCE, statement, statement.count, phase, function=by, over=t.OVER[over])

    def _print_scatter(self, statement: Scatter, phase: Phase) -> None:
        index = self._rows(statement.target, statement.index)
        whole, even = View(statement.target, 0, statement.target.rows), _evenly_spaced(index)
        reads_it = any(view.array is statement.target for view in views_of(statement.expression))
        if even is not None and not statement.add and not reads_it:
            self._put(t.ASSIGN, statement, len(index), phase, whole, to=[self._number[statement.target], *even])
        else:
            self._put(t.SCATTER, statement, len(index), phase, whole, index=index)

    def _print_fill(self, statement: Fill, phase: Phase) -> None:
        phase.add(t.FILL, self._number[statement.target])

    def _print_product(self, statement: Product, phase: Phase) -> None:
        nothing = statement.source
        views = (statement.target or nothing, statement.source, statement.upstream or nothing)
        target, source, upstream = map(self._view, views)
        flags = (int(statement.bias), statement.windows, int(statement.add))
        matrix = self._matrix(statement.matrix)
        rows, columns = statement.matrix.shape
        self.work += rows * columns * statement.windows * _TERM
        phase.add(t.PRODUCT, t.PRODUCTS[statement.kind], flags, target, matrix, source, upstream)

    def _print_call(self, statement: Call, phase: Phase) -> None:
        views = [*statement.reads, *statement.writes]
        views += views[-1:] * (5 - len(views))
        self.work += _FUNCTION * max(view.count for view in views)
        phase.add(t.CALL, t.CALLS[statement.function], *map(self._view, views))

    def _print_gather(self, statement: Gather, phase: Phase) -> None:
        index, source = self._rows(statement.source, statement.index), self._number[statement.source]
        even = _evenly_spaced(index)
        if even is None:
            phase.add(t.GATHER, self._view(statement.to), source, index)
        else:  # a copy
            self.table.slots = max(self.table.slots, 2)
            how = (len(index), 1, 1, 1, 0, 0, 0, 0, 0)
            phase.add(t.ASSIGN, self._view(statement.to), how, [source, *even], (t.CODES["copy"], 1, 0, -1, -1))

    def _print_pick(self, statement: Pick, phase: Phase) -> None:
        phase.add(t.PICK, *map(self._view, (statement.index, statement.table, statement.target)))

    def _print_pickgradient(self, statement: PickGradient, phase: Phase) -> None:
        phase.add(t.PICK_GRADIENT, *map(self._view, (statement.index, statement.target, statement.upstream)))

    def _print_read(self, statement: _Read, phase: Phase) -> None:
        phase.add(t.READ, statement.argument, self._number[statement.target])

    def _print_write(self, statement: _Write, phase: Phase) -> None:
        phase.add(t.WRITE, self._view(statement.view), statement.row)


class _Formula:
    """A formula as operations on slots: first the leaves, then the target, then what is computed on the way.

    Parts that are the same are computed once; those that are the same for all rows and examples come first.
    """

    def __init__(self, table: Table, root: Expression, into_target: bool) -> None:
        self._table = table
        self._slots: dict[View, int] = {}
        self._known: dict[Any, int] = {}
        self._seen: dict[int, int] = {}
        self._code: list[tuple[str, list[int], bool]] = []  # names of parts: -1 - k constants, else numbers
        self._numbers: list[Any] = []  # what each part is: a view, or a place in the code
        result = self._part(root)
        if into_target and not self._is_computed(result):
            result = self._operation("copy", [result], False)
        self._arrange(result, into_target)

    def _is_computed(self, part: int) -> bool:
        return part >= 0 and isinstance(self._numbers[part], int) and not self._code[self._numbers[part]][2]

    def _part(self, expression: Expression) -> int:
        if id(expression) not in self._seen:
            self._seen[id(expression)] = self._new_part(expression)
        return self._seen[id(expression)]

    def _new_part(self, expression: Expression) -> int:
        form, parts = expression.form, expression.parts
        if form == "number":
            return self._table.constant(float(parts[0]))
        if form == "symbol":
            if parts[0] not in _SYMBOLS:
                raise NotNativeError(f"the symbol {parts[0]}")
            return _SYMBOLS[parts[0]]
        if form == "view":
            return self._numbered(("view", parts[0]), parts[0])
        uniform = is_uniform(expression)
        if form == "**" and is_number(parts[1]):
            return self._power(parts[0], float(parts[1].parts[0]), uniform)
        code = _CODES.get(form, form)
        if code not in t.CODES:
            raise NotNativeError(f"the function {form}")
        found = [self._part(part) for part in parts]
        if code in ("maximum", "minimum"):  # of two each
            result = found[0]
            for other in found[1:]:
                result = self._operation(code, [result, other], uniform)
            return result
        if code == "where" and found[1:] == [self._table.constant(1.0), self._table.constant(0.0)]:
            is_condition = found[0] >= 0 and isinstance(self._numbers[found[0]], int)
            if is_condition and self._code[self._numbers[found[0]]][0] in _CONDITIONS:
                return found[0]  # is 1 or 0 itself
        return self._operation(code, found, uniform)

    def _power(self, base: Expression, exponent: float, uniform: bool) -> int:
        a = self._part(base)
        if exponent == 2.0:
            return self._operation("square", [a], uniform)
        if exponent == 3.0:
            return self._operation("mul", [self._operation("square", [a], uniform), a], uniform)
        if exponent == -1.0:
            return self._operation("div", [self._table.constant(1.0), a], uniform)
        if exponent == 0.5:  # the power of -0 is 0, that of -inf is inf
            rest = self._operation("sqrt", [self._operation("add", [a, self._table.constant(0.0)], uniform)], uniform)
            is_least = self._operation("equal", [a, self._table.constant(-np.inf)], uniform)
            return self._operation("where", [is_least, self._table.constant(np.inf), rest], uniform)
        return self._operation("pow", [a, self._table.constant(exponent)], uniform)

    def _operation(self, code: str, operands: list[int], uniform: bool) -> int:
        if len(operands) != t.FUNCTIONS[code]:
            raise NotNativeError(f"{code} of {len(operands)} operands")
        key = (code, *operands)
        if key not in self._known:
            self._code.append((code, operands, uniform))
            self._numbered(key, len(self._code) - 1)
        return self._known[key]

    def _numbered(self, key: Any, what: Any) -> int:
        if key not in self._known:
            self._known[key] = len(self._numbers)
            self._numbers.append(what)
        return self._known[key]

    def _arrange(self, result: int, into_target: bool) -> None:
        """Give every part its slot; a temporary is used again when nobody needs it any more."""
        leaves = [k for k, what in enumerate(self._numbers) if isinstance(what, View)]
        self.leaves: list[View] = [self._numbers[k] for k in leaves]
        slot = {k: at for at, k in enumerate(leaves)}
        name = {what: k for k, what in enumerate(self._numbers) if not isinstance(what, View)}
        order = sorted(range(len(self._code)), key=lambda k: not self._code[k][2])
        self.uniform = sum(uniform for _, _, uniform in self._code)
        last = {operand: at for at, k in enumerate(order) for operand in self._code[k][1]}
        last[result] = len(order)
        free: list[int] = []
        first = most = len(leaves) + 1
        self.operations, self.words = len(order), list[int]()
        for at, k in enumerate(order):
            code, operands, uniform = self._code[k]
            part = name[k]
            read = [slot[o] if o >= 0 else o for o in operands]
            if not uniform:
                for operand in set(operands):
                    is_own = operand >= 0 and slot[operand] >= first and not self._code[self._numbers[operand]][2]
                    if is_own and last[operand] == at:
                        free.append(slot[operand])
            if into_target and part == result:
                slot[part] = len(leaves)
            elif free and not uniform:
                slot[part] = free.pop()
            else:
                slot[part] = most
                most += 1
            self.words += [t.CODES[code], slot[part], *read, *[-1] * (3 - len(read))]
        self.cost = sum([1 if code in _QUICK else _FUNCTION for code, _, _ in self._code])
        self.temporaries = most - first
        self.result = slot[result] if result >= 0 else result


# ---------------------------------------------------------------------------------------------------------- phases


def _written(statement: Statement) -> list[Variable]:
    return [] if isinstance(statement, _Write) else writes_of(statement)


def _read(statement: Statement) -> list[Variable]:
    return [statement.view.array] if isinstance(statement, _Write) else reads_of(statement)


def _phases(statements: Sequence[Statement]) -> list[tuple[bool, list[Statement]]]:
    """Sort statements into phases that run once (even levels) or for each block of examples (odd ones).

    Inside of a phase they keep their order. What doesn't vary and is written or read in a phase that runs for each
    block is complete, or may change again, only after it; but several statements of one phase may add to it.
    """
    written: dict[Variable, int] = {}  # the level of the last statement that wrote an array
    read: dict[Variable, int] = {}
    levels: list[list[Statement]] = []
    for statement in statements:
        reads, writes = _read(statement), _written(statement)
        blocks = any(array.varies for array in (*reads, *writes))
        level = int(blocks)
        for array in reads:
            if array in written:
                before = written[array]
                level = max(level, before if array.varies or before % 2 == 0 else before + 1)
        for array in writes:
            before = written.get(array, 0)
            level = max(level, before if array.varies or blocks or before % 2 == 0 else before + 1)
            before = read.get(array, 0)
            level = max(level, before if array.varies or before % 2 == 0 else before + 1)
        level += level % 2 != blocks
        for array in reads:
            read[array] = max(read.get(array, 0), level)
        for array in writes:
            written[array] = max(written.get(array, 0), level)
        levels += [[] for _ in range(level + 1 - len(levels))]
        levels[level].append(statement)
    return [(bool(k % 2), found) for k, found in enumerate(levels) if found]


def _overlap(a: View, b: View) -> bool:
    return not set(a.indices()).isdisjoint(b.indices())


def _evenly_spaced(index: list[int]) -> list[int] | None:
    """Return start, count and step of rows that are evenly spaced, and None for others."""
    step = index[1] - index[0] if len(index) > 1 else 1
    return [index[0], len(index), step] if step > 0 and index == [*range(index[0], index[-1] + 1, step)] else None


def _interleaved(statements: Sequence[Statement], others: Sequence[Variable]) -> dict[Variable, int]:
    """Return the arrays of which only every second row is read or written at a time, or every third, or all rows.

    Such rows can lie side by side, all even ones before all odd ones, so that they are whole vectors. Arrays that meet
    in a formula as wholes must have the same order of rows.

    Parameters
    ----------
    statements : sequence of Statement
        All that is done.
    others : sequence of Variable
        The arrays whose rows stay where they are.
    """
    steps: dict[Variable, set[int]] = {}
    fixed: set[Variable] = set(others)
    together: list[set[Variable]] = []
    for statement in statements:
        views: list[View] = []
        if isinstance(statement, (Assign, Scatter)):
            views = [*views_of(statement.expression), *([statement.target] if isinstance(statement, Assign) else [])]
        elif isinstance(statement, Gather):
            views = [statement.to]
        elif not isinstance(statement, Fill):
            fixed.update((*_read(statement), *_written(statement)))
        wholes = {view.array for view in views if view.is_whole and view.count > 1}
        for view in views:
            if view.count > 1 and not view.is_whole:
                steps.setdefault(view.array, set()).add(view.step)
        if wholes:
            together.append(wholes)
            if not isinstance(statement, Assign) or any(v.count > 1 and not v.is_whole for v in views):
                fixed |= wholes
    fixed.update(array for array in steps if array.role == "constant")
    found: dict[Variable, int] = {}
    for array, of_array in steps.items():
        step = min(of_array)
        if step > 1 and array.rows % step == 0 and not any(other % step for other in of_array):
            found[array] = step
    changed = True
    while changed:  # what meets an array whose rows stay where they are, or lie in another order, stays too
        changed = False
        for wholes in together:
            if len({found.get(array, 1) for array in wholes}) > 1 or not fixed.isdisjoint(wholes):
                changed |= any(found.pop(array, None) is not None for array in wholes)
    return {array: step for array, step in found.items() if array not in fixed}
