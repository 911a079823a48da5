"""The names by which explanations and views call the nodes of a graph; and `NamedGraph`, what they need of a graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from keyword import iskeyword
from typing import Any

from autograd_mini.checks import checked_whole
from autograd_mini.engine.freshness import Age, age
from autograd_mini.engine.graph import Edge, outgoing_edges, topological_order
from autograd_mini.engine.node import CONSTANT, Node
from autograd_mini.engine.value import Value
from autograd_mini.explanations.labels import ByLecture, Given
from autograd_mini.formulas.expression import alike, format_number, printable, told_apart

Names = Mapping[str, Any]

_COUNTED = 300_000  # nodes: how many more a graph has that is too large makes no difference any more
_SMALLER = "take the graph of fewer examples, or a node nearer to the leaves as its root"


def node_names(root: Value, names: Names | None = None) -> dict[Value, str]:
    """Return a name for every node of the graph, in topological order.

    A node is called by the label that the user gave it; else by the variable in `names` that holds it; what is in a
    module as a lecture would call it, w¹₂₁ and z¹₂ (see `explanations.labels`); a constant by its number; the root by
    "L"; every other node by "v" and its place among these, from 1 on. Of several nodes that would have one name the
    second is x₍₂₎, the third x₍₃₎, in topological order, but all nodes of a second model bear one number. Nodes with
    one label of the user's in different scopes have their scope before it.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping, optional
        Variables and what they hold, as in ``names=locals()``; lists and tuples of nodes give ``w[0]``, ``w[1]``, ….

    Examples
    --------
    >>> from autograd_mini import Value
    >>> a, b = Value(2.0, label="a"), Value(3.0)
    >>> list(node_names(2 * a + b * b, names={"b": b}).values())
    ['2', 'a', 'v1', 'b', 'v2', 'L']
    """
    return NamedGraph(root, names).called


class NamedGraph:
    """What a view needs of a graph, gathered once: its nodes in order, what they are called, the edges that leave them.

    Parameters
    ----------
    root : Value
        The root of the graph.
    names : mapping, optional
        Variables, as for `node_names`.

    Attributes
    ----------
    order : list of Value
        Parents first; the root is the last.
    called : dict of Value to str
        Their names, in the same order.
    outgoing : dict of Value to list of Edge
        The edges that leave each node, as `outgoing_edges` returns them.

    Raises
    ------
    TypeError
        If the root is no Value, or the names are no mapping.

    Examples
    --------
    >>> x = Value(3.0, label="x")
    >>> graph = NamedGraph(x * x)
    >>> list(graph.called.values()), [edge.slot for edge in graph.outgoing[x]]
    (['x', 'L'], [0, 1])
    """

    def __init__(self, root: Value, names: Names | None = None) -> None:
        if not isinstance(root, Node):
            raise TypeError(f"expected the Value at the root of a graph, got {root!r:.60}")
        if names is not None and not isinstance(names, Mapping):
            raise TypeError(f"names: expected a mapping of variables, as in names=locals(), got {type(names).__name__}")
        self.root = root
        self.order = topological_order(root)
        self._names = names

    @cached_property
    def called(self) -> dict[Value, str]:
        """What the nodes are called."""
        return called(self.order, self._names)

    @cached_property
    def outgoing(self) -> dict[Value, list[Edge]]:
        """The edges that leave each node, last successor first."""
        return outgoing_edges(self.order)

    @cached_property
    def values(self) -> dict[Value, float]:
        """What data the nodes have at this moment; records keep it."""
        return {node: node.data for node in self.order}

    @cached_property
    def age(self) -> Age:
        """What in it is older than the data beside it: leaves may have changed since it was computed."""
        return age(self.order)

    def note(self, called: Mapping[Value, str] | None = None) -> str:
        """Return in a sentence what has changed since the graph was computed, and what to do; "" where nothing has.

        Parameters
        ----------
        called : mapping of Value to str, optional
            Other names of the nodes.

        Examples
        --------
        >>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
        >>> graph = NamedGraph(w * x)
        >>> w.data = 1.0
        >>> graph.note()
        'w has probably changed since this graph was computed; L.forward() brings it up to date'
        """
        return age_note(self.age, self.called if called is None else called, self.order)

    def now(self) -> NamedGraph:
        """Return the same graph as it is at this moment: nodes may have other data than when this was made."""
        return NamedGraph(self.root, self._names)


def age_note(found: Age, called: Mapping[Any, str], order: list[Value]) -> str:
    """Return what a view says of a graph that is older than its leaves; "" of one that isn't."""
    if not found:
        return ""
    name = called[order[-1]]
    update = f"{name}.forward()" if name.isidentifier() and not iskeyword(name) else "forward() on the root"
    if not all(v.primitive is None or v.primitive.has_forward for v in order):
        update = "to run the code again"  # an operation of one's own that is known by its _backward alone
    changed = found.what_changed(lambda node: brief(called[node]))
    return f"{changed} probably changed since this graph was computed; {update} brings it up to date"


def brief(name: str, most: int = 40) -> str:
    """Return a name for a sentence: on one line, without what can't be shown, cut where it is too long."""
    line = printable(name).replace("\n", " ")
    return line if len(line) <= most else line[: most - 1] + "…"


def named(
    root: Value | NamedGraph, names: Names | None = None, max_nodes: int | None = None, what: str = ""
) -> NamedGraph:
    """Return the named graph of a root; a named graph is returned as it is.

    Parameters
    ----------
    root, names
        As for `NamedGraph`.
    max_nodes : int, optional
        The most nodes that `what` can do with in a reasonable time; of edges it may be twice as many.
    what : str
        The function that was called.

    Raises
    ------
    ValueError
        If the graph is larger than that.

    Examples
    --------
    >>> x = Value(3.0)
    >>> named(x * x + x, max_nodes=2, what="to_latex")
    Traceback (most recent call last):
    ValueError: to_latex: expected a graph of at most 2 nodes and 4 edges, as a larger one takes long, got 3 nodes ...
    """
    if isinstance(root, NamedGraph):
        return root
    if max_nodes is not None and isinstance(root, Node):
        check_size(root, checked_whole("max_nodes", max_nodes, least=1), what)
    return NamedGraph(root, names)


def check_size(root: Node, most: int, what: str, advice: str = "") -> None:
    """Raise if a graph has more nodes than `most`, or more than twice as many edges; quickly, and before any work.

    Raises
    ------
    ValueError
        If it has, with both numbers, if they aren't far too many to be counted.
    """
    seen, stack, edges = {root}, [root], 0
    while stack and len(seen) <= max(_COUNTED, most):
        parents = stack.pop().parents
        edges += len(parents)
        for u in parents:
            if u not in seen:
                seen.add(u)
                stack.append(u)
    if len(seen) > most or edges > 2 * most:
        more = "over " if stack else ""
        raise ValueError(
            f"{what}: expected a graph of at most {most} nodes and {2 * most} edges, as a larger one takes long, got "
            f"{more}{len(seen)} nodes and {more}{edges} edges; {advice or _SMALLER}, or pass a larger max_nodes"
        )


def called(order: list[Value], names: Names | None = None, root_name: str = "L") -> dict[Value, str]:
    """Return a name for each of some nodes, as `node_names` does for all of a graph; the last of them is the root.

    A user's label comes first, as nothing else may have its name.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(2.0, label="x")
    >>> list(called([x, x * x], root_name="v").values())
    ['x', 'v']
    """
    root = order[-1]
    labels = Counter(node.label for node in order if node.label and not isinstance(node.label, Given))
    held = {key: name for key, name in _variables(names or {}).items() if name not in labels}
    taken = _Taken(labels)
    lecture = ByLecture()
    found = dict.fromkeys(order, "")
    for node in order:
        if isinstance(node.label, Given):
            continue
        if node.label:
            is_shared = labels[node.label] > 1
            found[node] = taken.label(f"{node.scope}.{node.label}" if node.scope and is_shared else node.label)
        elif id(node) in held:
            found[node] = taken.free(held[id(node)])
    for nodes in lecture.models(order):
        found.update(zip(nodes, taken.together([lecture.name(node) for node in nodes]), strict=True))
    if not found[root]:
        found[root] = unused(root_name, taken)
    count, like_v = 0, {other for name in found.values() if name[:1] == "v" for other in (name, *alike(name))}
    for node in order:
        if found[node]:
            continue
        if node.kind == CONSTANT:
            found[node] = format_number(node.data, 6)
            continue
        count += 1
        while f"v{count}" in like_v:
            count += 1
        found[node] = f"v{count}"
    return found


class _Taken:
    """The names that are given away; of those that would be the same the second is x₍₂₎, the third x₍₃₎."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._labels = set(labels)  # of the user's: each is for a node that bears it
        self._names = {name for label in labels for name in (label, *alike(label))}
        self._last: dict[str, int] = {}  # the highest number by which a name was told apart
        self._of_models: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def label(self, name: str) -> str:
        """Return the name for a node with a label of the user's: the label itself, if it is the first with it."""
        if name in self._labels:
            self._labels.remove(name)
            return name
        return self.free(name)

    def together(self, names: list[str]) -> list[str]:
        """Return names for the nodes of one model: if one of them is another model's, all bear the same number."""
        others = not self._of_models.isdisjoint(names)
        which = 1 + max([self._last.get(name, 1) for name in names]) if others else 1
        first = {name: told_apart(name, which) for name in names}
        self._of_models.update(first)
        given = []
        for name in names:
            wish = first.pop(name, name)
            given.append(self.free(name) if wish in self._names else wish)
            self._names.add(given[-1])
        self._last.update({name: max(which, self._last.get(name, 1)) for name in names})
        return given

    def free(self, name: str) -> str:
        """Return the name, or the first like it that is free, and take it."""
        found = name
        if name in self._names:
            which = self._last.get(name, 1) + 1
            while (found := told_apart(name, which)) in self._names:
                which += 1
            self._last[name] = which
        self._names.add(found)
        return found


def by_lecture(node: Any) -> str:
    """Return what a node is called by itself: by the label that the user gave it, or as a lecture would; or "".

    Examples
    --------
    >>> from autograd_mini.nn import MLP
    >>> by_lecture(MLP(2, [3, 1]).layers[0].neurons[1].weights[0])
    'w¹₂₁'
    """
    label = getattr(node, "label", "")
    return ByLecture().name(node) if isinstance(label, Given) else str(label)


def unused(name: str, taken: Container[str]) -> str:
    """Return a name, with primes behind it where others have it."""
    while name in taken:
        name += "'"
    return name


def name_in_code(node: Value) -> str:
    """Return the way to a node of a module as Python goes it, by attributes and lists; "" of every other node.

    Examples
    --------
    >>> from autograd_mini.nn import MLP
    >>> model = MLP(2, [3, 1], "tanh", rng=0)
    >>> name_in_code(model.layers[0].neurons[1].weights[0]), name_in_code(model([1.0, 2.0]))
    ('layers.0.neurons.1.weights.0', 'layers.1.neurons.0.z')
    """
    if not isinstance(node.label, Given) or (node.primitive is None and node.label.layers is None):
        return ""
    return f"{node.scope}.{node.label}" if node.scope and node.primitive is not None else str(node.label)


def _variables(names: Names) -> dict[int, str]:
    """Return the first name for each object that a variable, or a list or tuple in a variable, holds."""
    held: dict[int, str] = {}
    for name, thing in _held(names):
        held.setdefault(id(thing), name)
    return held


def _held(names: Names) -> Iterator[tuple[str, Any]]:
    public = [
        (name, thing)
        for name, thing in names.items()
        if isinstance(name, str) and name.isidentifier() and not name.startswith("_")
    ]
    yield from public
    for name, thing in public:
        if isinstance(thing, (list, tuple)):
            yield from ((f"{name}[{i}]", part) for i, part in enumerate(thing))


def gradient(node: Value) -> float:
    """Return a node's gradient as a float: it may be a Value, after ``create_graph=True``, or None, where it was reset.

    Examples
    --------
    >>> from autograd_mini import Value
    >>> x = Value(3.0)
    >>> (x * x).backward(create_graph=True)
    >>> gradient(x)
    6.0
    """
    grad = node.grad
    return 0.0 if grad is None else float(getattr(grad, "data", grad))
