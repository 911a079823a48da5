"""Formulas as NumPy calls that write where they are told to: one call an operation, in buffers that are used again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Expression, number
from autograd_mini.formulas.simplify import is_number, is_uniform, simplified, views_of
from autograd_mini.vectorizer.statements import View

BINARY = {
    "+": "np.add",
    "-": "np.subtract",
    "*": "np.multiply",
    "/": "np.divide",
    "**": "np.power",
    "<": "np.less",
    ">": "np.greater",
    ">=": "np.greater_equal",
    "=": "np.equal",
    "&": "np.logical_and",
    "|": "np.logical_or",
    "maximum": "np.maximum",
    "minimum": "np.minimum",
}
UNARY = {
    "neg": "np.negative",
    "abs": "np.absolute",
    "asin": "np.arcsin",
    "acos": "np.arccos",
    "atan": "np.arctan",
    **{
        name: f"np.{name}"
        for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign")
    },
}
CONDITIONS = frozenset("< > >= = & |".split())
_OPERATORS = {"+": "+", "-": "-", "*": "*", "/": "/"}
Shape = tuple[int, bool]  # rows, and whether there is an axis for the examples


class Writer:
    """Writes formulas as calls.

    Parameters
    ----------
    name_of : callable
        ``name_of(view, in_batch)`` gives the variable of a view; `in_batch` asks for a column where it doesn't vary.
    scratch : callable
        ``scratch(shape, condition, in_batch)`` gives the name of a buffer; ``release(name)`` takes it back.
    helper : callable
        ``helper(name)`` is told of every function that isn't NumPy's.
    constant : callable
        ``constant(number, rows)`` gives the variable of a bare number; with rows, of an array full of it.
    same : callable
        ``same(array)`` gives the array that an array shares its memory with.
    """

    def __init__(
        self,
        line: Callable[[str], None],
        name_of: Callable[[View, bool], str],
        scratch: Callable[..., str],
        release: Callable[[str], None],
        helper: Callable[[str], None],
        constant: Callable[[float, int], str],
        same: Callable[[Any], Any],
    ) -> None:
        self.line, self.name_of, self.scratch, self.release, self.helper = line, name_of, scratch, release, helper
        self.constant, self.same = constant, same
        self.in_batch = False
        self._keys = _Keys()
        self._repeated: set[Any] = set()
        self._shared: dict[Any, str] = {}

    def assign(self, target: str, shape: Shape, views: list[View], expression: Expression, add: bool) -> None:
        """Write target = expression, or target += expression; `views` are what the target is a part of."""
        expression = rewritten(expression)
        self.in_batch = shape[1]
        self._begin(expression)
        if add:
            value, temporary = self.value(expression, shape)
            self.line(f"np.add({target}, {value}, out={target})")
            self._release(temporary)
        else:
            same = self.same
            is_read = any(same(read.array) is same(view.array) for read in views_of(expression) for view in views)
            self._into(expression, target, shape, may_use=not is_read)
        self._end()

    def computed(self, expression: Expression, shape: Shape) -> tuple[str, str | None]:
        """Return the variable of a formula's value, and the buffer that it takes up until released."""
        expression = rewritten(expression)
        self.in_batch = shape[1]
        self._begin(expression)
        found = self.value(expression, shape)
        self._end()
        return found

    def _begin(self, expression: Expression) -> None:
        """Find the parts that a formula has more than once: they are computed once."""
        counts: dict[int, int] = {}
        self._keys = _Keys()
        _count_parts(expression, counts, self._keys)
        self._repeated = {key for key, count in counts.items() if count > 1}
        self._shared = {}

    def _end(self) -> None:
        self._release(*self._shared.values())

    def value(self, expression: Expression, shape: Shape) -> tuple[str, str | None]:
        """Return the variable, or bare text, of a formula's value, and the buffer that it takes up until released."""
        if expression.form == "view":
            return self.name_of(expression.parts[0], self.in_batch), None
        if is_number(expression):
            return self.constant(expression.parts[0], 0), None
        if is_uniform(expression):
            return inline(expression), None
        key = self._keys.of(expression) if self._repeated else None
        if key in self._shared:
            return self._shared[key], None
        own = _shape(expression)
        buffer = self.scratch(own, expression.form in CONDITIONS, self.in_batch)
        self._into(expression, buffer, own, may_use=expression.form not in CONDITIONS)
        if key in self._repeated:
            self._shared[key] = buffer
            return buffer, None
        return buffer, buffer

    def _into(self, expression: Expression, target: str, shape: Shape, may_use: bool) -> None:
        """Write the calls that leave a formula's value in the target."""
        form, parts = expression.form, expression.parts
        if form == "view" or is_uniform(expression):
            self.line(f"np.copyto({target}, {self.value(expression, shape)[0]})")
        elif form == "where":
            self._choose(expression, target, shape, may_use)
        elif form == "**" and is_number(parts[1], 2.0):
            (base,), buffers = self._operands([parts[0]], target, shape, may_use)
            self.line(f"np.multiply({base}, {base}, out={target})")
            self._release(*buffers)
        elif form in ("maximum", "minimum") and len(parts) > 2:
            self._into(Expression(form, (Expression(form, parts[:-1]), parts[-1])), target, shape, may_use)
        elif form in ("maximum", "minimum") and is_number(parts[1]) and shape[1]:
            # An array of the same shape is compared several times as fast as a single number.
            operands, buffers = self._operands(list(parts[:1]), target, shape, may_use)
            bound = self.constant(parts[1].parts[0], shape[0])
            self.line(f"{BINARY[form]}({operands[0]}, {bound}, out={target})")
            self._release(*buffers)
        elif form in BINARY or form in UNARY:
            operands, buffers = self._operands(list(parts), target, shape, may_use)
            self.line(f"{BINARY.get(form) or UNARY[form]}({', '.join(operands)}, out={target})")
            self._release(*buffers)
        else:
            self.helper(form)
            operands, buffers = self._operands(list(parts), target, shape, may_use)
            self.line(f"{form}({', '.join(operands)}, out={target})")
            self._release(*buffers)

    def _operands(
        self, parts: list[Expression], target: str, shape: Shape, may_use: bool
    ) -> tuple[list[str], list[str | None]]:
        """Write what has to be computed first; the first such operand may lie in the target itself."""
        names: list[str] = []
        buffers: list[str | None] = []
        for part in parts:
            computed = part.form != "view" and not is_uniform(part)
            once = not self._repeated or self._keys.of(part) not in self._repeated
            if computed and once and may_use and part.form not in CONDITIONS and _shape(part) == shape:
                self._into(part, target, shape, may_use=True)
                names.append(target)
                may_use = False
            else:
                name, buffer = self.value(part, shape)
                names.append(name)
                buffers.append(buffer)
        return names, buffers

    def _choose(self, expression: Expression, target: str, shape: Shape, may_use: bool) -> None:
        """Write the choice between two values: the second one, and over it the first where the condition holds."""
        if not may_use:  # the target is read by what is written into it in two steps
            beside = self.scratch(shape, False, self.in_batch)
            self._choose(expression, beside, shape, may_use=True)
            self.line(f"np.copyto({target}, {beside})")
            self._release(beside)
            return
        condition, a, b = expression.parts
        mask, buffer = self.value(condition, shape)
        if is_number(a, 1.0) and is_number(b, 0.0):
            self.line(f"np.copyto({target}, {mask})")
        else:
            first, first_buffer = self.value(a, shape)
            second, second_buffer = self.value(b, shape)
            self.line(f"np.copyto({target}, {second})")
            self.line(f"np.copyto({target}, {first}, where={mask})")
            self._release(first_buffer, second_buffer)
        self._release(buffer)

    def _release(self, *buffers: str | None) -> None:
        for buffer in buffers:
            if buffer is not None:
                self.release(buffer)


class _Keys:
    """Numbers for formulas: the same for equal ones."""

    def __init__(self) -> None:
        self._known: dict[Any, int] = {}
        self._of: dict[int, tuple[Expression, int]] = {}  # the formula is kept, so that its id is its own

    def of(self, expression: Expression) -> int:
        """Return the number of a formula."""
        if id(expression) not in self._of:
            is_leaf = expression.form in ("number", "symbol", "view")
            parts = expression.parts if is_leaf else tuple(self.of(part) for part in expression.parts)
            key = self._known.setdefault((expression.form, *parts), len(self._known))
            self._of[id(expression)] = expression, key
        return self._of[id(expression)][1]


def _are_equal(one: Expression, other: Expression) -> bool:
    keys = _Keys()
    return keys.of(one) == keys.of(other)


def _count_parts(expression: Expression, counts: dict[int, int], keys: _Keys) -> None:
    """Count how often each part occurs, those inside of a repeated one only once."""
    if expression.form == "view" or is_uniform(expression):
        return
    key = keys.of(expression)
    counts[key] = counts.get(key, 0) + 1
    if counts[key] == 1:
        for part in expression.parts:
            _count_parts(part, counts, keys)


def _shape(expression: Expression) -> Shape:
    views = list(views_of(expression))
    return max(view.count for view in views), any(view.array.varies for view in views)


def inline(expression: Expression) -> str:
    """Return a formula of numbers and symbols as Python writes it."""
    if expression.form in _OPERATORS:
        left, right = (inline(part) for part in expression.parts)
        return f"({left} {_OPERATORS[expression.form]} {right})"
    if expression.form == "neg":
        return f"(-{inline(expression.parts[0])})"
    if expression.form == "number":
        value = expression.parts[0]
        return repr(value) if value == value and abs(value) != float("inf") else f"np.{value}"
    return expression.render("python")


def _of_inverse_square_cosh(factor: Expression, quotient: Expression) -> Expression | None:
    """Return a where 4·(e/(1 + e)²) with e = exp(-2|a|) is multiplied: that is 1/cosh²a, in one call instead of six."""
    if not is_number(factor, 4.0) or quotient.form != "/":
        return None
    e, square = quotient.parts
    if e.form != "exp" or e.parts[0].form != "*" or e.parts[0].parts[1].form != "abs":
        return None
    if not is_number(e.parts[0].parts[0], -2.0) or square.form != "**" or not is_number(square.parts[1], 2.0):
        return None
    total = square.parts[0]
    matches = total.form == "+" and is_number(total.parts[0], 1.0) and _are_equal(total.parts[1], e)
    argument: Expression = e.parts[0].parts[1].parts[0]
    return argument if matches else None


def rewritten(expression: Expression) -> Expression:
    """Return a formula in which functions that NumPy lacks are written with those that it has."""
    return _rewritten(expression, {})


def _rewritten(expression: Expression, done: dict[int, Expression]) -> Expression:
    if expression.form in ("number", "symbol", "view"):
        return expression
    if id(expression) not in done:
        parts = tuple(_rewritten(part, done) for part in expression.parts)
        done[id(expression)] = _written_with_numpy(expression, parts)
    return done[id(expression)]


def _written_with_numpy(expression: Expression, parts: tuple[Any, ...]) -> Expression:
    if expression.form == "sigmoid":  # exp may overflow: 1/inf is the 0 that it should be
        return number(1.0) / (number(1.0) + text.exp(simplified(-parts[0])))
    if expression.form == "*":
        argument = _of_inverse_square_cosh(*parts)
        if argument is not None:
            return number(1.0) / text.cosh(argument) ** number(2.0)
        for factor, other in (parts, parts[::-1]):
            if other.form == "/" and is_number(other.parts[0], 1.0):
                return Expression("/", (factor, other.parts[1]))
        for mask, other in (parts, parts[::-1]):
            if mask.form == "where" and is_number(mask.parts[1], 1.0) and is_number(mask.parts[2], 0.0):
                return Expression("*", (other, mask.parts[0]))  # a condition is 1 or 0
    return Expression(expression.form, parts)
