"""Formulas as NumPy calls that write where they are told to: one call an operation, in buffers that are used again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_mini.readings import text
from autograd_mini.readings.text import Expression, number
from autograd_mini.vectorizer.expressions import is_number, is_uniform, simplified, views_of
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
        counts: dict[Any, int] = {}
        _count_parts(expression, counts)
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
        key = _key(expression) if self._repeated else None
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
            once = not self._repeated or _key(part) not in self._repeated
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


def _key(expression: Expression) -> Any:
    """Return what equal formulas have in common."""
    if expression.form in ("number", "symbol", "view"):
        return expression.form, *expression.parts
    return expression.form, *[_key(part) for part in expression.parts]


def _count_parts(expression: Expression, counts: dict[Any, int]) -> None:
    """Count how often each part occurs, those inside of a repeated one only once."""
    if expression.form == "view" or is_uniform(expression):
        return
    key = _key(expression)
    counts[key] = counts.get(key, 0) + 1
    if counts[key] == 1:
        for part in expression.parts:
            _count_parts(part, counts)


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


def rewritten(expression: Expression) -> Expression:
    """Return a formula in which functions that NumPy lacks are written with those that it has."""
    if expression.form in ("number", "symbol", "view"):
        return expression
    parts: tuple[Any, ...] = tuple(rewritten(part) for part in expression.parts)
    if expression.form == "sigmoid":  # exp may overflow: 1/inf is the 0 that it should be
        return number(1.0) / (number(1.0) + text.exp(simplified(-parts[0])))
    if expression.form == "*":
        for mask, other in (parts, parts[::-1]):
            if mask.form == "where" and is_number(mask.parts[1], 1.0) and is_number(mask.parts[2], 0.0):
                return Expression("*", (other, mask.parts[0]))  # a condition is 1 or 0
    return Expression(expression.form, parts)
