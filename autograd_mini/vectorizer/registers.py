"""The reading on registers: what a rule computes becomes instructions, for the machine's programs on single numbers.

A number that is known is a float, and computed with at once; any other is a `Register`, which an instruction fills when
the program runs. So the table of primitives and the two passes of `engine.graph` write the program themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from math import inf, nan
from operator import add, mul, or_
from typing import Any, NoReturn

import numpy as np

from autograd_mini.checks import Array
from autograd_mini.engine import floats
from autograd_mini.engine.primitives import Primitive
from autograd_mini.native import table as t

Number = Any  # a Register, or a float that is known
Instruction = tuple[int, int, int, int]


class NotNativeError(Exception):
    """A program has something that the machine doesn't know; the message says what."""


class Tape:
    """Instructions, in the order in which they run; those that are the same are there once.

    Parameters
    ----------
    leaves : int
        How many numbers are there from the beginning.
    above : Tape, optional
        One whose constants it shares.

    Attributes
    ----------
    leaves : list of Register
        Those.
    instructions : list of tuple of int
        Each a code and three operands: a leaf or what an earlier instruction computes, counted on from the leaves;
        -1 - k is constant k, and -1 also stands where a function has no operand.
    constants : list of float
        The numbers that are known.
    lacks : list of str
        The functions that the machine doesn't have.
    """

    def __init__(self, leaves: int, above: Tape | None = None) -> None:
        self.leaves = [Register(self, k) for k in range(leaves)]
        self.instructions: list[Instruction] = []
        self.constants: list[float] = [] if above is None else above.constants
        self.lacks: list[str] = [] if above is None else above.lacks
        self._constant: dict[str, int] = {} if above is None else above._constant
        self._known: dict[Instruction, int] = {}

    def place(self, number: Number) -> int:
        """Return the operand for a number."""
        if isinstance(number, Register):
            return number.at
        key = repr(number := float(number))  # 0.0 isn't -0.0
        if key not in self._constant:
            self._constant[key] = -1 - len(self.constants)
            self.constants.append(number)
        return self._constant[key]

    def call(self, name: str, *operands: Number) -> Register:
        """Return what a function of the machine gives."""
        if t.FUNCTIONS.get(name) != len(operands):
            self.lacks.append(name)
            name, operands = "copy", (nan,)
        places = [*map(self.place, operands), -1, -1][:3]
        return Register(self, self.put((t.CODES[name], *places)))  # type: ignore[arg-type]

    def put(self, instruction: Instruction) -> int:
        """Append an instruction, unless there is one that computes the same; return where its number is."""
        at = self._known.get(instruction)
        if at is None:
            at = self._known[instruction] = len(self.leaves) + len(self.instructions)
            self.instructions.append(instruction)
        return at

    def needed(self, results: Iterable[Number]) -> bytearray:
        """Return for every leaf and every instruction whether the results need it."""
        first, places = len(self.leaves), [*map(self.place, results)]
        flags = bytearray(first + len(self.instructions) + len(self.constants) + 1)  # at its end those of constants
        for at in places:
            flags[at] = 1
        for k in range(len(self.instructions) - 1, -1, -1):
            if flags[first + k]:
                _, a, b, c = self.instructions[k]
                flags[a] = flags[b] = flags[c] = 1
        return flags[: first + len(self.instructions)]

    def words(self, values: Sequence[Number], gradient: Sequence[Number]) -> Array:
        """Return the table as the machine reads it, without what the results don't need; see ``machine.h``.

        Raises
        ------
        NotNativeError
            If there is a function in it that the machine lacks.
        """
        if self.lacks:
            raise NotNativeError(f"the function {self.lacks[0]}")
        results = [*values, *gradient]
        flags = np.frombuffer(self.needed(results), np.bool_)
        n_leaves, kept = len(self.leaves), flags[len(self.leaves) :]
        constants = n_leaves + len(results)
        # Where which number is: the leaves, the instructions, and, as these are counted from the end, the constants.
        place = np.concatenate(
            [
                np.arange(n_leaves),
                constants + len(self.constants) + np.cumsum(kept) - 1,
                constants + np.arange(len(self.constants))[::-1],
            ]
        )
        code = np.array(self.instructions, np.int64).reshape(-1, 4)[kept]
        is_operand = np.arange(3) < np.array([*t.FUNCTIONS.values()])[code[:, :1]]
        code[:, 1:] = np.where(is_operand, place[code[:, 1:]], 0)
        head = [t.SCALARS_MAGIC, 0, n_leaves, len(values), len(gradient), len(self.constants), len(code)]
        words = np.concatenate([head, code.ravel(), place[[self.place(result) for result in results]]])
        words[1] = len(words)
        words.flags.writeable = False
        return words


def _operator(name: str, swapped: bool = False) -> Callable[[Register, Number], Number]:
    """Return an operator of two numbers, the first of which is a register, as an instruction."""
    code = t.CODES[name]

    def operate(self: Register, other: Number) -> Register:
        tape, a = self.tape, self.at
        b = other.at if type(other) is Register else tape.place(other)
        return Register(tape, tape.put((code, b, a, -1) if swapped else (code, a, b, -1)))

    return operate


class Register:
    """A number that the program computes.

    Parameters
    ----------
    tape : Tape
        Where the instructions of what is computed from it go.
    at : int
        Which one it is.
    """

    __slots__ = ("at", "tape")

    def __init__(self, tape: Tape, at: int) -> None:
        self.tape, self.at = tape, at

    __add__, __radd__ = _operator("add"), _operator("add", swapped=True)
    __sub__, __rsub__ = _operator("sub"), _operator("sub", swapped=True)
    __truediv__, __rtruediv__ = _operator("div"), _operator("div", swapped=True)
    __gt__, __lt__, __ge__ = _operator("greater"), _operator("less"), _operator("greater_equal")
    __le__ = _operator("greater_equal", swapped=True)
    _times = _operator("mul")

    def __mul__(self, other: Number) -> Number:
        if type(other) is not Register and abs(other) == 1.0:
            return self if other > 0.0 else -self
        return self._times(other)

    __rmul__ = __mul__

    def __pow__(self, other: Number) -> Number:
        return Registers(self.tape).power(self, other)

    def __rpow__(self, other: Number) -> Number:
        return Registers(self.tape).power(other, self)

    def __neg__(self) -> Number:
        return self.tape.call("neg", self)

    def __abs__(self) -> Number:
        return self.tape.call("abs", self)

    def __and__(self, other: Number) -> Number:
        if isinstance(other, Register):
            return self.tape.call("and", self, other)
        return self if other else False

    def __or__(self, other: Number) -> Number:
        if isinstance(other, Register):
            return self.tape.call("or", self, other)
        return True if other else self

    __rand__, __ror__ = __and__, __or__

    def __bool__(self) -> NoReturn:
        raise TypeError("a formula is neither true nor false: write xp.where(condition, a, b) in the place of if")


class Registers:
    """The namespace ``xp`` of the rules.

    Parameters
    ----------
    tape : Tape
        Where the instructions go.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._made: dict[Any, tuple[list[Instruction | None], list[Number]]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        return partial(self._call, name)

    def _call(self, name: str, *operands: Number) -> Number:
        return self.tape.call(name, *operands) if any(map(_is_open, operands)) else getattr(floats, name)(*operands)

    # ------------------------------------------------------------------------------------------ operations

    def result(self, primitive: Primitive, *operands: Number) -> Number:
        """Return what an operation gives."""
        return self._filled(primitive, "result", operands, lambda xp, *x: [primitive.forward(xp, *x)])[0]

    def derivatives(self, primitive: Primitive, out: Number, *operands: Number) -> list[Number]:
        """Return the local derivatives of an operation."""
        return self._filled(primitive, "derivatives", (out, *operands), primitive.derivatives)

    def _filled(
        self, primitive: Primitive, what: str, operands: Sequence[Number], rule: Callable[..., Iterable[Number]]
    ) -> list[Number]:
        """Return what a rule gives: it is read once for all operations of a sort, and its instructions are copied."""
        key = (primitive, what, *[None if isinstance(x, Register) else repr(x) for x in operands])
        if key not in self._made:
            self._made[key] = self._read(rule, operands)
        copied, results = self._made[key]
        put, at = self.tape.put, [x.at if isinstance(x, Register) else 0 for x in operands]
        for instruction in copied:
            if instruction is None:
                at.append(0)
                continue
            code, a, b, c = instruction
            at.append(put((code, a if a < 0 else at[a], b if b < 0 else at[b], c if c < 0 else at[c])))
        return [Register(self.tape, at[x.at]) if isinstance(x, Register) else x for x in results]

    def _read(
        self, rule: Callable[..., Iterable[Number]], operands: Sequence[Number]
    ) -> tuple[list[Instruction | None], list[Number]]:
        """Read a rule for places in the stead of the operands: its instructions, None where nobody needs one."""
        tape = Tape(len(operands), self.tape)
        places = [place if isinstance(x, Register) else x for place, x in zip(tape.leaves, operands, strict=True)]
        results = list(rule(Registers(tape), *places))
        if len(results) > 1:  # derivatives: no gradient goes through a bare number
            results = [local if _is_open(x) else 0.0 for local, x in zip(results, operands[1:], strict=True)]
        is_needed = tape.needed(results)[len(operands) :]
        return [i if flag else None for i, flag in zip(tape.instructions, is_needed, strict=True)], results

    # ------------------------------------------------------------------------------------------- functions

    def sum(self, terms: Iterable[Number]) -> Number:
        """Return x₁ + x₂ + …, added up in this order."""
        found = list(terms)
        return reduce(add, found) if any(map(_is_open, found)) else floats.sum(found)

    def divide(self, a: Number, b: Number) -> Number:
        """Return a / b."""
        return self.tape.call("div", a, b) if _is_open(a) or _is_open(b) else floats.divide(a, b)

    def power(self, a: Number, b: Number) -> Number:
        """Return a ** b; squares and cubes are multiplied out."""
        if _is_open(b) or b not in (1.0, 2.0, 3.0):
            return self.tape.call("pow", a, b) if _is_open(a) or _is_open(b) else floats.power(a, b)
        return reduce(mul, [a] * int(b))

    def magnitude(self, a: Number) -> Number:
        """Return |a|."""
        return abs(a)

    def where(self, condition: Number, a: Number, b: Number) -> Number:
        """Return a where the condition holds, else b."""
        if not _is_open(condition):
            return a if condition else b
        return a if a is b else self.tape.call("where", condition, a, b)

    def unless(self, condition: Number, rescue: Callable[[], Number], plain: Number) -> Number:
        """Return the choice between the plain formula and the other one."""
        return self.where(condition, rescue(), plain)

    def maximum(self, *numbers: Number) -> Number:
        """Return the largest."""
        return reduce(partial(self._call, "maximum"), numbers)

    def minimum(self, *numbers: Number) -> Number:
        """Return the smallest."""
        return reduce(partial(self._call, "minimum"), numbers)

    def pick(self, index: Number, *items: Number) -> Number:
        """Return the item that an index names; 0 if there is none."""
        found: Number = 0.0
        for k, item in enumerate(items):
            found = self.where(self.equal(index, float(k)), item, found)
        return found

    # What `floats` computes with conditions and lists, from the same formulas.

    def exp_minus_square(self, a: Number) -> Number:
        """Return exp(-a²) without the rounding error of a²."""
        if not _is_open(a):
            return floats.exp_minus_square(a)
        part = self.where(abs(a) < 40.0, self.rint(a * 32.0) / 32.0, 0.0)
        return self.exp(-(part * part)) * self.exp(-((a - part) * (a + part)))

    def exp_of_difference(self, a: Number, b: Number) -> Number:
        """Return exp(a - b), corrected by what was lost when a - b was rounded."""
        difference = a - b
        part = difference - a
        lost = (a - (difference - part)) - (b + part)
        e = self.exp(difference)
        return self.where(abs(lost) < inf, e + e * lost, e)

    def logsumexp(self, *numbers: Number) -> Number:
        """Return log(Σ exp(xᵢ)) as the largest xᵢ and log(1 + the others' share)."""
        peak = self.maximum(*numbers)
        shares = [self.exp_of_difference(x, peak) for x in numbers]  # the peak's own is 1
        return self.where(abs(peak) < inf, peak + self.log1p(self._exact_sum([-1.0, *shares])), peak)

    def softmax(self, *numbers: Number) -> tuple[Number, ...]:
        """Return exp(xᵢ) / Σ exp(xⱼ) for every i."""
        peak = self.maximum(*numbers)
        exponentials = [self.exp_of_difference(x, peak) for x in numbers]
        total = self._exact_sum(exponentials)
        return tuple([self.divide(e, total) for e in exponentials])

    def minus_log_softmax(self, index: Number, *logits: Number) -> Number:
        """Return -log softmax(z)ₜ as log(1 + the others' share); log Σ exp(zⱼ) if t is no index."""
        if not logits:
            return 0.0
        chosen, peak = self.pick(index, *logits), self.maximum(*logits)
        shares = [self.exp_of_difference(x, peak) for x in logits]
        found = (peak - chosen) + self.log1p(self._exact_sum([-1.0, *shares]))
        found = self.where(abs(peak) < inf, found, peak - chosen)
        is_there = reduce(or_, [self.equal(index, float(k)) for k in range(len(logits))])
        return self.where(is_there, found, self.logsumexp(*logits))

    def _exact_sum(self, terms: Sequence[Number]) -> Number:
        """Return a sum that is rounded at its end alone: what each addition loses is added up by itself (Neumaier)."""
        total, lost = terms[0], 0.0
        for x in terms[1:]:
            both = total + x
            part = both - total
            lost = lost + ((total - (both - part)) + (x - part))
            total = both
        return total + lost


def _is_open(x: Number) -> bool:
    return isinstance(x, Register)
