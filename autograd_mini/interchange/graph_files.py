"""Graphs to and from files: JSON with a version, each node after its parents, which it names by their positions.

So no file can hold a circle, and a node that several others use is written once. A file holds numbers and names alone:
reading it runs nothing that stands in it. Numbers that JSON hasn't are the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

from autograd_mini.engine import further, primitives
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.node import CONSTANT, FEATURE, FROZEN, LOST, PARAMETER, PROBE, UNRECORDED
from autograd_mini.engine.primitives import Primitive
from autograd_mini.engine.value import Constant, Parameter, Value
from autograd_mini.errors import LoadError
from autograd_mini.files import encoded, refusing, replacing

_FORMAT, _VERSION = "autograd_mini graph", 1
_NODES = 1_000_000  # at the most: each takes far more memory than its characters
_BYTES = 1 << 29
_LEAF = "input"  # in a file, the kind of a leaf that a user made
_KINDS = {_LEAF: None, **{kind: kind for kind in (PARAMETER, FROZEN, CONSTANT, FEATURE, PROBE, UNRECORDED, LOST)}}
_CLASSES = {PARAMETER: Parameter, FROZEN: Parameter, CONSTANT: Constant}
# Those of the library, whatever a program has put into the table since.
_OPERATIONS = {
    part.name: part for room in (primitives, further) for part in vars(room).values() if isinstance(part, Primitive)
}
_UNUSUAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def save_graph(root: Value, path: str | os.PathLike[str]) -> None:
    """Write the graph of a value to a file, as JSON.

    Kept are values, gradients, local derivatives, labels, scopes, and which leaves are parameters, frozen or constants.

    Parameters
    ----------
    root : Value
        The value, with all that it was computed from.
    path : str or path
        The file, usually ``.json``.

    Raises
    ------
    ValueError
        If an operation is one of your own, whose formula no file holds, a gradient is a Value, or the graph is too
        large. The file that is there stays as it was.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from autograd_mini import Value
    >>> x = Value(3.0, label="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_graph(x * x, pathlib.Path(folder) / "graph.json")
    ...     y = load_graph(pathlib.Path(folder) / "graph.json")
    >>> y.backward()
    >>> y.data, y.parents[0].label, y.parents[0].grad
    (9.0, 'x', 6.0)
    """
    if not isinstance(root, Value):
        raise TypeError(f"expected a Value, got {type(root).__name__}; save_graph(root, path)")
    order = topological_order(root)
    if len(order) > _NODES:
        raise ValueError(f"the graph has {len(order)} nodes, a file holds {_NODES} at the most")
    for node in order:
        if node.primitive is not None and _OPERATIONS.get(node.primitive.name) is not node.primitive:
            raise ValueError(
                f"the operation {node.primitive.name!r} is one of your own, whose formula a file can't hold; "
                f"write it with operations of the library"
            )
        if isinstance(node.grad, Value):
            raise ValueError(f"the gradient of {node!r:.80} is a Value, of backward(create_graph=True); set it to 0.0")
    position = {node: i for i, node in enumerate(order)}
    nodes = [_written(node, position) for node in order]
    head = json.dumps({"format": _FORMAT, "version": _VERSION})[:-1]
    lines = ",\n".join(json.dumps(node, ensure_ascii=False, allow_nan=False) for node in nodes)
    content = encoded(f'{head}, "nodes": [\n{lines}\n]}}\n', "the graph")
    if len(content) > _BYTES:
        raise ValueError(f"the graph takes {len(content)} bytes, a file holds {_BYTES} at the most")
    with replacing(path) as file:
        file.write(content)


def _written(node: Value, position: dict[Value, int]) -> dict[str, Any]:
    numbers = {"data": _encoded(node._data), "grad": _encoded(float(node.grad))}
    names = {"label": node.label, "scope": node.scope}
    for name, text in names.items():
        encoded(text, f"the {name}")  # JSON would spell a null byte in another way, and hide it
    if node.primitive is None:
        return {"kind": node._local or _LEAF, **numbers, **names}
    parents = [position[parent] for parent in node.parents]
    local_grads = [_encoded(float(local)) for local in node._local_grads()]
    return {"operation": node.primitive.name, **numbers, **names, "parents": parents, "local_grads": local_grads}


def _encoded(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def load_graph(path: str | os.PathLike[str]) -> Value:
    """Read a graph that `save_graph` wrote, and return its root; `forward` and `backward` work on it.

    Raises
    ------
    LoadError
        If the file is damaged, isn't a graph of this library, or is of another version, saying which. It is a
        ValueError.
    FileNotFoundError
        If there is no such file.
    """
    with open(path, "rb") as file:
        content = file.read(_BYTES + 1)
    if len(content) > _BYTES:
        raise LoadError(f"{path} is too large: a graph takes {_BYTES} bytes at the most")
    if content.count(b"{") + content.count(b"[") > 3 * (_NODES + 1):
        raise LoadError(f"{path} is damaged, or too large: a graph has {_NODES} nodes at the most")
    with refusing(path, "is damaged, or no graph of autograd_mini"):
        header = json.loads(content.decode("utf-8"), object_pairs_hook=_without_doubles, parse_constant=_no_number)
        if not isinstance(header, dict) or header.get("format") != _FORMAT:
            raise ValueError(f"it doesn't begin with the format {_FORMAT!r}")
        version = header.get("version")
        if version != _VERSION or type(version) is not int:
            raise LoadError(
                f"{path} has format version {version!s:.80}, this autograd_mini reads version {_VERSION}; "
                f"install the release that wrote it"
            )
        _check_keys("the file", header, {"format", "version", "nodes"})
        written = header["nodes"]
        if not isinstance(written, list) or not 1 <= len(written) <= _NODES:
            raise ValueError(f"nodes: expected a list of 1 to {_NODES} nodes")
        nodes: list[Value] = []
        for i, entry in enumerate(written):
            nodes.append(_read(f"node {i}", entry, nodes))
        if len(topological_order(nodes[-1])) != len(nodes):
            raise ValueError("some nodes lead nowhere: the last one isn't computed from them")
        return nodes[-1]


def _read(name: str, entry: Any, earlier: list[Value]) -> Value:
    """Return the node that an entry of a file describes; its parents are among the earlier ones."""
    if not isinstance(entry, dict):
        raise ValueError(f"{name}: expected a dictionary, got {entry!r:.80}")
    common = {"data", "grad", "label", "scope"}
    is_leaf = "operation" not in entry
    _check_keys(name, entry, common | ({"kind"} if is_leaf else {"operation", "parents", "local_grads"}))
    data, grad = (_number(f"{name}: {key}", entry[key]) for key in ("data", "grad"))
    for key in ("label", "scope"):
        if not isinstance(entry[key], str):
            raise ValueError(f"{name}: {key}: expected a text, got {entry[key]!r:.80}")
        encoded(entry[key], f"{name}: {key}")
    if is_leaf:
        kind = entry["kind"]
        if not isinstance(kind, str) or kind not in _KINDS:
            raise ValueError(f"{name}: expected a leaf of kind {', '.join(_KINDS)}, got {kind!r:.80}")
        node = _CLASSES.get(kind, Value)(data)
        node._local = _KINDS[kind]
        if kind == FROZEN:
            node._freeze()
    else:
        node = Value(data)
        _connect(name, node, entry, earlier)
    node.grad, node.label, node.scope = grad, entry["label"], entry["scope"]
    return node


def _connect(name: str, node: Value, entry: dict[str, Any], earlier: list[Value]) -> None:
    operation, positions, written = entry["operation"], entry["parents"], entry["local_grads"]
    if not isinstance(operation, str) or operation not in _OPERATIONS:
        raise ValueError(f"{name}: no operation of this autograd_mini is named {operation!r:.80}")
    if not isinstance(positions, list) or not isinstance(written, list) or len(positions) != len(written):
        raise ValueError(f"{name}: expected a list of parents, and as many local derivatives")
    primitive = _OPERATIONS[operation]
    least = 2 if operation == "pick" else 1  # an index, and what it chooses from
    if len(positions) < least or primitive.arity not in (None, len(positions)):
        raise ValueError(f"{name}: {operation} takes {primitive.arity or f'{least} or more'}, got {len(positions)}")
    for position in positions:
        if type(position) is not int or not 0 <= position < len(earlier):
            raise ValueError(f"{name}: expected parents among the {len(earlier)} nodes before it, got {position!r:.80}")
    local_grads = tuple(_number(f"{name}: local_grads", local) for local in written)
    node.primitive = primitive
    node._connect(tuple(earlier[position] for position in positions))
    is_tuple = primitive.arity not in (1, 2)
    node._local, node._local2 = (local_grads, None) if is_tuple else (local_grads[0], local_grads[-1])


def _number(name: str, written: Any) -> float:
    if isinstance(written, str) and written in _UNUSUAL:
        return _UNUSUAL[written]
    if type(written) not in (int, float) or not math.isfinite(number := float(written)):
        raise ValueError(f"{name}: expected a number, 'nan', 'inf' or '-inf', got {written!r:.80}")
    return number


def _check_keys(name: str, entry: dict[str, Any], expected: set[str]) -> None:
    if wrong := sorted(set(entry) ^ expected):
        raise ValueError(f"{name}: expected {', '.join(sorted(expected))}; missing or not known: {wrong[0]!r:.80}")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(written: str) -> float:
    raise ValueError(f"{written} is no number of JSON")
