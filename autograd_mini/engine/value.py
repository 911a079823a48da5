"""`Value`, the node of the computational graph: a number that remembers how it was computed.

Every operator makes a new node that stores three things: the result, the local derivative by each operand, and the
operands themselves as its parents. From these `Value.backward` computes all gradients by the chain rule. How a node
stores them is in `node`; what else Python expects of it in `protocol`.
"""

from __future__ import annotations

from math import log, nan, pow
from typing import Any, NoReturn

from autograd_mini.engine import floats, modes, nodes, own
from autograd_mini.engine import node as node_marks
from autograd_mini.engine.fast import UNARY, divide, power
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.node import CONSTANT, PARAMETER, new
from autograd_mini.engine.primitives import ADD, DIV, MUL, NEG, POW, SUB, Primitive
from autograd_mini.engine.protocol import ScalarProtocol
from autograd_mini.engine.reals import as_float, unsupported


class Value(ScalarProtocol):
    """A scalar in a computational graph.

    Parameters
    ----------
    data : int, float, numpy scalar, Fraction or Decimal
        The number.
    label : str, optional
        A name for drawings and explanations; it may stand second. ``_children`` and ``_op`` are micrograd's: see `own`.

    Attributes
    ----------
    data : float
        The number; assigning to it does not recompute what depends on it (see `forward`).
    grad : float
        ∂L/∂self after ``L.backward()``; accumulates on leaves until it is set to 0.
    parents : tuple of Value
        What it was computed from, in the order written: ``x*x`` has two parents, both x. Empty on a leaf.
    local_grads : tuple of float
        The local derivative of its operation by each parent, all others held fixed.
    primitive : Primitive or None
        The operation; None on a leaf.
    scope : str
        The module that computed it, e.g. ``"layers.0.neurons.2"``.

    Raises
    ------
    TypeError
        If `data` is not a real number.

    Examples
    --------
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> L = a * b + a**2
    >>> L.backward()
    >>> L.data, a.grad, b.grad
    (-2.0, 1.0, 2.0)
    """

    __slots__ = ()
    _leaf: str | None = None  # the kind of the leaves that the class makes

    def __init__(self, data: Any, _children: Any = None, _op: str = "", label: str = "") -> None:
        self._data = as_float(data)
        self.grad, self.label = 0.0, label
        self.scope = modes.current().scope if modes.open_contexts else ""
        self.primitive = self._parent = self._parent2 = self._local2 = None
        self._local = self._leaf
        if _children is not None or type(label) is not str:  # a label in the second place, or micrograd's arguments
            own.read_arguments(self, _children, _op, label)

    # ---------------------------------------------------------------------------------------------- operators

    def __add__(self, other: Any) -> Value:  # self + other
        other = other if isinstance(other, Value) else _constant(other, "+", self, other)
        return make_node(self._data + other._data, ADD, self, other, 1.0, 1.0)

    def __radd__(self, other: Any) -> Value:  # other + self
        return _constant(other, "+", other, self) + self

    def __sub__(self, other: Any) -> Value:  # self - other
        other = other if isinstance(other, Value) else _constant(other, "-", self, other)
        return make_node(self._data - other._data, SUB, self, other, 1.0, -1.0)

    def __rsub__(self, other: Any) -> Value:  # other - self
        return _constant(other, "-", other, self) - self

    def __mul__(self, other: Any) -> Value:  # self * other
        other = other if isinstance(other, Value) else _constant(other, "*", self, other)
        return make_node(self._data * other._data, MUL, self, other, other._data, self._data)

    def __rmul__(self, other: Any) -> Value:  # other * self
        return _constant(other, "*", other, self) * self

    def __truediv__(self, other: Any) -> Value:  # self / other
        other = other if isinstance(other, Value) else _constant(other, "/", self, other)
        out, local, local2 = divide(self._data, other._data)
        return make_node(out, DIV, self, other, local, local2)

    def __rtruediv__(self, other: Any) -> Value:  # other / self
        return _constant(other, "/", other, self) / self

    def __pow__(self, other: Any) -> Value:  # self ** other
        if type(other) is int:  # as most exponents are: asked first, it is the quickest
            other = Constant(other)
        elif not isinstance(other, Value):
            other = _constant(other, "**", self, other)
        a, b = self._data, other._data
        if b == 2.0 and a < 1e150 and (a > 1e-150 or -1e150 < a < -1e-150):  # as `power` has it, without a call
            return make_node(out := pow(a, b), POW, self, other, b * a, out * log(a) if a > 0.0 else nan)
        out, local, local2 = power(a, b)
        return make_node(out, POW, self, other, local, local2)

    def __rpow__(self, other: Any) -> Value:  # other ** self
        return _constant(other, "**", other, self) ** self

    def __neg__(self) -> Value:  # -self
        return make_node(-self._data, NEG, self, None, -1.0, None)

    # ------------------------------------------------------------------------------------- the two passes

    def forward(self) -> float:
        """Recompute every node of the graph from the leaves' present data, and return the root's.

        Returns
        -------
        float
            The new ``data`` of this node. All local derivatives are new too; gradients are left alone.

        Examples
        --------
        >>> x = Value(3.0)
        >>> y = x * x
        >>> x.data = 5.0
        >>> y.data, y.forward()
        (9.0, 25.0)
        """
        for node in topological_order(self):
            if node.primitive is not None:
                node._compute()
                if modes.open_contexts and modes.current().detecting:
                    modes.check_node(node)
        return self._data

    def _compute(self) -> None:
        """Fill in the result and the local derivatives from the parents' data."""
        primitive: Any = self.primitive
        operands = [parent._data for parent in self.parents]
        self._data = out = float(primitive.forward(floats, *operands))
        if not isinstance(self._local, own.Handing):
            local_grads = primitive.derivatives(floats, out, *operands)
            is_tuple = primitive.arity not in (1, 2)
            self._local, self._local2 = (local_grads, None) if is_tuple else (local_grads[0], local_grads[-1])

    def backward(self, grad: Any = 1.0, create_graph: bool = False, retain_graph: bool = True, **odd: NoReturn) -> None:
        """Compute the gradient ∂self/∂u of every node u of the graph, by the chain rule.

        ∂L/∂u = Σ over v in T(u) of ∂L/∂v · ∂v/∂u, with the base case ∂L/∂L = 1. In reverse topological order, each
        ∂L/∂v is complete before it is passed on. Gradients of inner nodes are new at each call, those of leaves are
        added to what is there, until it is set to 0.

        Parameters
        ----------
        grad : float, optional
            The upstream gradient of this node, if not 1.
        create_graph : bool, optional
            Whether to make the leaves' gradients Values, from which one can go backward again. A leaf and its gradient
            then refer to each other until the gradient is set to 0.
        retain_graph : bool, optional
            Changes nothing, as a graph always stays. Programs written for PyTorch pass it.

        Raises
        ------
        RuntimeError
            On a result of `no_grad`. With `create_graph`, if leaves changed after the graph was computed: says which.

        Examples
        --------
        >>> x = Value(3.0)
        >>> y = x**3
        >>> y.backward()
        >>> y.backward()
        >>> x.grad
        54.0
        """
        order = modes.backward_order(self, odd)
        if create_graph:
            with modes.enable_grad():
                nodes.backward(order, grad if isinstance(grad, Value) else Constant(grad), differentiable)
            return
        # `graph.gradients` over the slots: the same sums in the same order, only faster.
        seed = as_float(grad)
        if modes.open_contexts and modes.current().detecting:
            modes.check_gradients(order, seed)
        with modes.backward_pass:
            # Leaves add to the gradient that they have; that of a frozen parameter stays 0.
            kept = [(u, g) for u in order if u._parent is None and (isinstance(g := u.grad, Value) or g)]
            for node in order:
                node.grad = 0.0
            self.grad = seed
            for v in reversed(order):
                upstream, first, second = v.grad, v._parent, v._parent2
                if second is not None:
                    first.grad += upstream * v._local
                    second.grad += upstream * v._local2
                elif type(first) is tuple:
                    if type(v._local) is not tuple:  # `own.Handing`, of an operation of one's own
                        v._local.function()
                        continue
                    for parent, local_grad in zip(first, v._local, strict=True):
                        parent.grad += upstream * local_grad
                elif first is not None:
                    first.grad += upstream * v._local
            for leaf, before in kept:
                leaf.grad = before + leaf.grad
            for leaf in [leaf for leaf in order if leaf.is_frozen] if node_marks.any_frozen else ():
                leaf.grad = 0.0

    def _apply(self, primitive: Primitive, *others: Any) -> Any:
        rule = UNARY.get(primitive)
        if rule is None or others:
            return apply(primitive, self, *others)
        out, local = rule(self._data)
        return make_node(out, primitive, self, None, local, None)


class Parameter(Value):
    """A leaf that training may change; a module hands it out in ``parameters()``."""

    __slots__ = ()
    _leaf = PARAMETER


class Constant(Value):
    """A leaf for a bare number in an expression: the 2 in ``2 * x``."""

    __slots__ = ()
    _leaf = CONSTANT


def _constant(number: Any, symbol: str, *operands: Any) -> Value:
    """Make the leaf of a bare number among operands; what is none is refused with the types of all of them."""
    try:
        return Constant(number)
    except TypeError as error:
        raise unsupported(symbol, operands, error) from None


def make_node(data: float, primitive: Primitive, first: Any, second: Any, local: Any, local2: Any) -> Value:
    """Make a node from its result and its local derivatives; `second` and `local2` are None but for two operands."""
    node: Value = new(Value)
    node._data, node.grad = data, 0.0
    node.label = node.scope = ""
    node.primitive, node._parent, node._parent2 = primitive, first, second
    node._local, node._local2 = local, local2
    if modes.open_contexts:
        modes.follow(node)
    return node


def apply(primitive: Primitive, *operands: Any) -> Value:
    """Make the node of any operation of the table.

    Parameters
    ----------
    primitive : Primitive
        The operation.
    *operands : Value or number
        What it is applied to; numbers become constants.

    Raises
    ------
    TypeError
        If an operand is neither a Value nor a real number, or their number is wrong.

    Examples
    --------
    >>> from autograd_mini.engine.primitives import find
    >>> apply(find("maximum"), Value(2.0), 3.0).data
    3.0
    """
    if primitive.arity not in (None, len(operands)):
        raise TypeError(f"{primitive.name} takes {primitive.arity} operands, got {len(operands)}")
    try:
        data = [x._data for x in operands]
    except AttributeError:
        operands = tuple([x if isinstance(x, Value) else _constant(x, primitive.symbol, *operands) for x in operands])
        data = [x._data for x in operands]
    out = float(primitive.forward(floats, *data))
    local_grads = primitive.derivatives(floats, out, *data)
    if primitive.arity == 1:
        return make_node(out, primitive, operands[0], None, local_grads[0], None)
    if primitive.arity == 2:
        return make_node(out, primitive, operands[0], operands[1], local_grads[0], local_grads[1])
    return make_node(out, primitive, operands, None, local_grads, None)


differentiable = nodes.Differentiable(apply)
