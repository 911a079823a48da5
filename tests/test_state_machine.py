"""The engine beside a naive one, through long random sequences of what can be done to a graph.

The naive engine shares nothing with the package: its formulas are its own, in complex numbers, and it knows of no order
of the nodes. A gradient is the sum over all paths to the root of the products of local derivatives; a second derivative
is the complex step of such a sum.
"""

import cmath
import copy
import math
import pickle
from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import autograd_mini as ag
from autograd_mini import Parameter, Value, no_grad, scope
from autograd_mini.engine.graph import recorded_gradients
from autograd_mini.nn import freeze, unfreeze

H = 1e-30  # the complex step: so small that its square is lost beside 1
TINY = 1e-12


def positive(z):
    return z.real > 0


def sigmoid(z):
    return 1 / (1 + cmath.exp(-z))


def shares(*z):
    total = sum(map(cmath.exp, z))
    return tuple(cmath.exp(x) / total for x in z)


def halves(z):
    n = len(z) // 2
    return z[:n], z[n : 2 * n], z[2 * n :]


def dot(*z):
    w, x, b = halves(z)
    return sum(p * q for p, q in zip(w, x, strict=True)) + sum(b)


def dot_derivatives(*z):
    w, x, b = halves(z)
    return (*x, *w, *(1 for _ in b))


# name: the engine's function, the naive one, its derivatives, and where they can be compared
ONE = {
    "neg": (lambda a: -a, lambda z: -z, lambda z: (-1,), lambda z: True),
    "tanh": (ag.tanh, cmath.tanh, lambda z: (1 / cmath.cosh(z) ** 2,), lambda z: abs(z) < 20),
    "sin": (ag.sin, cmath.sin, lambda z: (cmath.cos(z),), lambda z: True),
    "exp": (ag.exp, cmath.exp, lambda z: (cmath.exp(z),), lambda z: z < 7),
    "log": (ag.log, cmath.log, lambda z: (1 / z,), lambda z: z > 0.1),
    "sigmoid": (ag.sigmoid, sigmoid, lambda z: (sigmoid(z) * sigmoid(-z),), lambda z: abs(z) < 20),
    "abs": (abs, lambda z: z if positive(z) else -z, lambda z: (1 if positive(z) else -1,), lambda z: abs(z) > 1e-9),
    "relu": (ag.relu, lambda z: z if positive(z) else 0, lambda z: (positive(z),), lambda z: abs(z) > 1e-9),
}
TWO = {
    "add": (lambda a, b: a + b, lambda y, z: y + z, lambda y, z: (1, 1), lambda y, z: True),
    "sub": (lambda a, b: a - b, lambda y, z: y - z, lambda y, z: (1, -1), lambda y, z: True),
    "mul": (lambda a, b: a * b, lambda y, z: y * z, lambda y, z: (z, y), lambda y, z: True),
    "div": (lambda a, b: a / b, lambda y, z: y / z, lambda y, z: (1 / z, -y / z**2), lambda y, z: abs(z) > 0.1),
    "pow": (
        lambda a, b: a**b,
        lambda y, z: cmath.exp(z * cmath.log(y)),
        lambda y, z: (z * cmath.exp((z - 1) * cmath.log(y)), cmath.exp(z * cmath.log(y)) * cmath.log(y)),
        lambda y, z: 0.1 < y < 30 and abs(z) < 4,
    ),
}
MANY = {
    "sum": (lambda *a: ag.sum(a), lambda *z: sum(z), lambda *z: tuple(1 for _ in z), lambda *z: True),
    "dot": (
        lambda *a: ag.dot(a[: len(a) // 2], a[len(a) // 2 : len(a) // 2 * 2], *a[len(a) // 2 * 2 :]),
        dot,
        dot_derivatives,
        lambda *z: len(z) > 1,
    ),
    "logsumexp": (
        lambda *a: ag.logsumexp(a),
        lambda *z: cmath.log(sum(map(cmath.exp, z))),
        shares,
        lambda *z: max(map(abs, z)) < 10,
    ),
    "maximum": (
        lambda *a: ag.maximum(a),
        lambda *z: max(z, key=lambda x: x.real),
        lambda *z: tuple(x.real == max(y.real for y in z) for x in z),
        lambda *z: len(set(z)) == len(z),
    ),
}
RULES = {**ONE, **TWO, **MANY}


class UnfitError(Exception):
    """The numbers have become too large, or lie at a corner, where the two engines can't be compared."""


@dataclass(eq=False)
class Twin:
    """A node of the naive engine."""

    data: float
    rule: str = ""
    parents: tuple = ()
    kind: str = "input"
    is_recorded: bool = True  # and not made inside of no_grad
    is_lost: bool = False  # made there from parameters, to which no gradient comes back from it
    label: str = ""
    scope: str = ""
    grad: float = 0.0
    size: float = 0.0  # of all that was added up to the gradient: rounding errors are measured against it
    local: tuple = ()  # derivatives as they were recorded
    made_from: tuple = ()  # the parents' data at that time

    def graph(self):
        """All nodes it was computed from and itself, in the order of a walk."""
        found, pending = {}, [self]
        while pending:
            node = pending.pop()
            if node not in found:
                found[node] = None
                pending += node.parents
        return list(found)


def evaluated(name, numbers):
    """The value and the local derivatives of an operation on floats."""
    _, f, derivatives, fits = RULES[name]
    if not fits(*numbers):
        raise UnfitError
    z = [complex(x) for x in numbers]
    out, local = complex(f(*z)).real, tuple(complex(d).real for d in derivatives(*z))
    if max(map(abs, (out, *local))) > 1e3:
        raise UnfitError
    return out, local


def sum_over_paths(root, u, local, known=None):
    """Σ over all paths from u to the root of the products of local derivatives, those of each node only once."""
    known = {} if known is None else known
    if root is u:
        return 1.0
    if root not in known:
        known[root] = sum(
            d * sum_over_paths(p, u, local, known) for d, p in zip(local(root), root.parents, strict=True)
        )
    return known[root]


def second_derivative(root, u, w):
    """∂²root/∂u∂w by a complex step of w in the sum over the paths from u, and the size of what was added up."""

    def stepped(part):
        moved = {}

        def number(node):
            if node not in moved:
                step = sum(part(d) * number(p).imag for d, p in zip(node.local, node.parents, strict=True))
                moved[node] = complex(node.data, H if node is w else step)
            return moved[node]

        def local(node):
            found = [complex(d) for d in RULES[node.rule][2](*map(number, node.parents))] if node.rule else ()
            return [complex(part(d.real), part(d.imag)) for d in found]

        return complex(sum_over_paths(root, u, local)).imag / H

    return stepped(lambda x: x), stepped(abs)


def number_of(grad):
    return grad.data if isinstance(grad, Value) else grad or 0.0


# Counted from the newest, so that graphs grow deep rather than wide.
places, numbers = st.integers(0, 4) | st.integers(0, 10**6), st.floats(-2.0, 2.0).map(lambda x: round(x, 3))
texts = st.sampled_from(["a", "w", "layers.0", "loss"])


class Machine(RuleBasedStateMachine):
    """Pairs of a node and its twin; what is done to the one is done to the other."""

    def __init__(self):
        super().__init__()
        self.pool, self.pairs, self.contexts = [], {}, []

    def know(self, value, twin, is_usable=True):
        self.pairs[twin] = value
        if is_usable:
            self.pool.append((value, twin))

    def at(self, place):
        return self.pool[-1 - place % len(self.pool)]

    def is_open(self, kind):
        return any(name == kind for name, _, _ in self.contexts)

    def scope(self):
        return ".".join(detail for name, detail, _ in self.contexts if name == "scope")

    def apply(self, name, pairs):
        """Apply an operation to pairs, or numbers in the place of some, and know the result; None where it is unfit."""
        try:
            out, local = evaluated(name, [p if isinstance(p, float) else p[0].data for p in pairs])
        except UnfitError:
            return None
        value = RULES[name][0](*[p if isinstance(p, float) else p[0] for p in pairs])
        assert value.data == pytest.approx(out, rel=TINY, abs=1e3 * TINY)
        if self.is_open("no_grad"):
            assert value.parents == value.local_grads == ()
            twins = [p[1] for p in pairs if not isinstance(p, float)]
            is_lost = any(t.kind in ("parameter", "frozen") or t.is_lost for t in twins)
            twin = Twin(value.data, scope=self.scope(), is_recorded=False, is_lost=is_lost)
        else:
            assert value.primitive.name == name
            parents = []
            for parent, given in zip(value.parents, pairs, strict=True):
                if isinstance(given, float):
                    self.know(parent, Twin(given, kind="constant", scope=self.scope()), is_usable=False)
                    parents.append(list(self.pairs)[-1])
                else:
                    assert parent is given[0]
                    parents.append(given[1])
            made_from = tuple(p.data for p in parents)
            twin = Twin(value.data, name, tuple(parents), "value", scope=self.scope(), local=local, made_from=made_from)
        self.know(value, twin)
        return value, twin

    # ------------------------------------------------------------------------------------------- building a graph

    @initialize(data=numbers)
    def first_leaves(self, data):
        self.make_leaf(data, "x", False)
        self.make_leaf(0.5, "p", True)

    @rule(data=numbers, label=texts, is_parameter=st.booleans())
    def make_leaf(self, data, label, is_parameter):
        kind = "parameter" if is_parameter else "input"
        self.know(
            (Parameter if is_parameter else Value)(data, label), Twin(data, kind=kind, label=label, scope=self.scope())
        )

    @rule(name=st.sampled_from(sorted(ONE)), place=places)
    def apply_to_one(self, name, place):
        self.apply(name, [self.at(place)])

    @rule(name=st.sampled_from(sorted(TWO)), first=places | numbers, second=places)
    def apply_to_two(self, name, first, second):
        self.apply(name, [first if isinstance(first, float) else self.at(first), self.at(second)])

    @rule(name=st.sampled_from(sorted(TWO)), first=places, second=numbers)
    def apply_to_a_node_and_a_number(self, name, first, second):
        self.apply(name, [self.at(first), second])

    @rule(name=st.sampled_from(sorted(MANY)), chosen=st.lists(places, min_size=2, max_size=5))
    def apply_to_many(self, name, chosen):
        self.apply(name, [self.at(place) for place in chosen])

    @rule(place=places, other=places)
    def add_in_place(self, place, other):
        """``x += y`` makes a node in the place of x, which stays what it was in the graphs that use it."""
        before, operand = self.at(place), self.at(other)
        found = self.apply("add", [before, operand])
        if found is not None:
            x = before[0]
            x += operand[0]
            assert x is not before[0]
            assert x.data == found[0].data
            self.pool[self.pool.index(before)] = self.pool.pop()

    # ------------------------------------------------------------------------------------------------ the passes

    @rule(place=places, seed=st.just(1.0) | numbers)
    def go_backward(self, place, seed):
        value, root = self.at(place)
        if self.has_a_way_back(value, root):
            value.backward(seed)
            self.add_gradients(root, seed)

    def has_a_way_back(self, value, root):
        """Whether one can go backward from here; if not, that this is refused."""
        if not root.is_recorded:
            with pytest.raises(RuntimeError, match="inside of no_grad"):
                value.backward()
            return False
        leaves = [u for u in root.graph() if not u.rule]
        is_lost = any(u.is_lost for u in leaves)
        if is_lost and all(u.is_lost or u.kind in ("constant", "frozen") for u in leaves):
            with pytest.raises(RuntimeError, match="no gradient goes back to the parameters"):
                value.backward()
            return False
        return True

    def add_gradients(self, root, seed):
        for u in root.graph():
            gradient = seed * sum_over_paths(root, u, lambda v: v.local)
            size = abs(seed) * sum_over_paths(root, u, lambda v: map(abs, v.local))
            if u.kind == "frozen":
                continue
            is_inner = u.kind == "value"
            u.grad, u.size = (gradient, size) if is_inner else (u.grad + gradient, u.size + size)

    @rule(place=places, data=st.data())
    def go_backward_twice(self, place, data):
        """By ``create_graph``, with second derivatives; a graph older than its leaves is refused."""
        value, root = self.at(place)
        if not self.has_a_way_back(value, root):
            return
        graph = root.graph()
        moved = [v for v in graph if v.rule and v.made_from != tuple(p.data for p in v.parents)]
        if moved:
            try:
                now = {v: evaluated(v.rule, [p.data for p in v.parents])[0] for v in moved}
            except UnfitError:
                return
            if any(abs(now[v] - v.data) > 1e-6 * (1 + abs(v.data)) for v in moved):
                with pytest.raises(RuntimeError, match="older than its leaves"):
                    value.backward(create_graph=True)
            return
        leaves = [v for v in graph if v.kind in ("input", "parameter") and v is not root]
        fresh = [u for u in leaves if not isinstance(self.pairs[u].grad, Value) and not self.pairs[u].grad]
        value.backward(create_graph=True)
        self.add_gradients(root, 1.0)
        if fresh:  # a gradient that is a node of an earlier turn has that turn's derivatives as well
            u = data.draw(st.sampled_from(fresh))
            found = recorded_gradients(self.pairs[u].grad)
            for w in leaves[:6]:
                want, size = second_derivative(root, u, w)
                assert found.get(self.pairs[w], 0.0) == pytest.approx(want, rel=1e-9, abs=1e-9 * (size + 1e-3))

    @rule(place=places, number=numbers)
    def set_data(self, place, number):
        value, twin = self.at(place)
        if twin.kind != "value":
            value.data = twin.data = number

    @rule(place=places)
    def go_forward(self, place):
        value, root = self.at(place)
        found = {}

        def data(v):
            if v not in found:
                found[v] = v.data, (), () if not v.rule else None
                if v.rule:
                    made_from = tuple([data(p) for p in v.parents])
                    found[v] = *evaluated(v.rule, made_from), made_from
            return found[v][0]

        try:
            data(root)
        except UnfitError:
            return
        assert value.forward() == value.data
        for v in found:
            if v.rule:
                data, v.local, _ = found[v]
                assert self.pairs[v].data == pytest.approx(data, rel=1e-9, abs=1e-9)
        for v in found:
            v.data = self.pairs[v].data
        for v in found:
            v.made_from = tuple(p.data for p in v.parents)
            if v.rule:
                v.local = evaluated(v.rule, v.made_from)[1]

    # -------------------------------------------------------------------------- what is done to single nodes

    @rule(place=places, zero=st.sampled_from([0.0, None]))
    def zero_a_gradient(self, place, zero):
        value, twin = self.at(place)
        value.grad, twin.grad, twin.size = zero, 0.0, 0.0

    @rule()
    def zero_all_gradients(self):
        for twin, value in self.pairs.items():
            value.grad = twin.grad = twin.size = 0.0

    @rule(place=places, is_frozen=st.booleans())
    def freeze_or_unfreeze(self, place, is_frozen):
        value, twin = self.at(place)
        if twin.kind in ("parameter", "frozen"):
            (freeze if is_frozen else unfreeze)(value)
            twin.kind = "frozen" if is_frozen else "parameter"
            if is_frozen:
                twin.grad = twin.size = 0.0

    @rule(place=places, label=texts)
    def rename(self, place, label):
        value, twin = self.at(place)
        value.label = twin.label = label

    @rule(place=places)
    def copy_a_node(self, place):
        value, twin = self.at(place)
        self.know(copy.copy(value), replace(twin))

    @rule(place=places, way=st.sampled_from([copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]))
    def copy_a_graph(self, place, way):
        value, root = self.at(place)
        if len(root.graph()) <= 30:
            self.know_all(way(value), root, {})

    def know_all(self, value, twin, known):
        """Make twins of a copied graph, which must have the same shape."""
        if twin not in known:
            assert value is not self.pairs[twin]
            parents = [self.know_all(v, t, known) for v, t in zip(value.parents, twin.parents, strict=True)]
            known[twin] = value, replace(twin, parents=tuple(t for _, t in parents))
            self.know(*known[twin], is_usable=twin.kind != "constant")
        assert known[twin][0] is value
        return known[twin]

    @rule(place=places, number=numbers)
    def detach(self, place, number):
        """A new leaf of the same number."""
        value, twin = self.at(place)
        self.know(Value(value.data), Twin(twin.data, scope=self.scope()))

    # ------------------------------------------------------------------------------------------------- contexts

    @rule(name=texts)
    @precondition(lambda self: len(self.contexts) < 3)
    def enter_scope(self, name):
        self.enter("scope", name, scope(name))

    @rule()
    @precondition(lambda self: not self.is_open("no_grad"))
    def enter_no_grad(self):
        self.enter("no_grad", "", no_grad())

    def enter(self, kind, detail, context):
        context.__enter__()
        self.contexts.append((kind, detail, context))

    @rule()
    @precondition(lambda self: self.contexts)
    def leave(self):
        self.contexts.pop()[2].__exit__(None, None, None)

    def teardown(self):
        while self.contexts:
            self.leave()

    # -------------------------------------------------------------------------------------- what must always hold

    @invariant()
    def nodes_are_as_their_twins(self):
        for twin, value in self.pairs.items():
            assert value.data == twin.data
            assert (value.label, value.scope) == (twin.label, twin.scope)
            assert value.kind == twin.kind or (value.is_frozen and twin.kind == "frozen")
            assert [*map(id, value.parents)] == [id(self.pairs[p]) for p in twin.parents]
            grad = number_of(value.grad)
            assert math.isclose(grad, twin.grad, rel_tol=TINY, abs_tol=TINY * twin.size), (value, twin)


def run(examples, steps):
    run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=steps))


def test_the_engine_does_what_a_naive_one_does():
    run(settings.default.max_examples // 10, steps=30)


@pytest.mark.slow
def test_the_engine_does_what_a_naive_one_does_for_long():
    run(125, steps=100)
