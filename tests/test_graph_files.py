"""Graphs in files come back as they were, and files that are none are refused before anything is made of them."""

import json
import math

import pytest

from autograd_mini import Value, operation
from autograd_mini.engine import further, primitives
from autograd_mini.engine.graph import topological_order
from autograd_mini.engine.primitives import Primitive
from autograd_mini.errors import LoadError
from autograd_mini.interchange import load_graph, save_graph
from autograd_mini.nn import MLP


def facts(root):
    """All that is to come back, of each node; numbers as texts, as nan isn't equal to itself."""
    order = topological_order(root)
    position = {node: i for i, node in enumerate(order)}
    return [
        [
            *(type(node).__name__, node.kind, node.is_frozen, node.label, node.scope, node.primitive),
            *(repr(node.data), repr(node.grad), repr(node.local_grads), [position[u] for u in node.parents]),
        ]
        for node in order
    ]


def round_trip(root, path):
    save_graph(root, path)
    return load_graph(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "graph.json"


def test_the_loss_of_a_network_comes_back_with_gradients_scopes_and_kinds_and_goes_on(path):
    model = MLP(2, [3, 1], rng=0)
    next(iter(model.parameters()))._freeze()
    loss = (model([1.0, Value(2.0, label="x₂")]) - 0.5) ** 2
    loss.backward()
    twin = round_trip(loss, path)
    assert facts(twin) == facts(loss)
    for root in (twin, loss):
        root.backward()
        root.forward()
    assert facts(twin) == facts(loss), "backward or forward does something else after loading"


def test_leaves_that_changed_since_keep_the_local_derivatives_of_then(path):
    x = Value(3.0)
    y = x * x
    x.data = 5.0
    twin = round_trip(y, path)
    assert twin.local_grads == (3.0, 3.0)
    assert twin.forward() == 25.0
    assert twin.local_grads == (5.0, 5.0)


def test_every_operation_of_the_table_comes_back(path):
    known = [p for room in (primitives, further) for p in vars(room).values() if isinstance(p, Primitive)]
    leaves = [Value(0.25, label=f"x{i}") for i in range(3)]
    for primitive in known:
        node = Value(0.5)
        node.primitive, node._local, node._local2 = primitive, 0.5, 0.5
        node._connect(tuple(leaves[: primitive.arity or 3]))
        if primitive.arity not in (1, 2):
            node._local, node._local2 = (0.5,) * len(node._parent), None
        assert facts(round_trip(node, path)) == facts(node), primitive.name


def test_numbers_that_json_has_not_and_minus_zero_come_back(path):
    root = Value(math.inf) * Value(-math.inf) + Value(math.nan) + Value(-0.0)
    assert facts(round_trip(root, path)) == facts(root)
    json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_a_deep_graph_with_shared_nodes_comes_back(path):
    y = Value(1.0)
    for _ in range(3000):
        y = y + y * 0.0
    assert len(topological_order(round_trip(y, path))) == len(topological_order(y))


def test_what_a_file_cannot_hold_is_refused_by_name_and_the_old_file_stays(path):
    path.write_text("old")
    cube = operation("cube_of_my_own", lambda xp, x: x * x * x, lambda xp, out, x: (3.0 * x * x,))
    with pytest.raises(ValueError, match="cube_of_my_own"):
        save_graph(cube(Value(2.0)), path)
    x = Value(2.0)
    y = x * x
    y.backward(create_graph=True)
    with pytest.raises(ValueError, match="create_graph"):
        save_graph(y, path)
    x.grad = 0.0
    with pytest.raises(ValueError, match="label"):
        save_graph(Value(1.0, label="a\0b"), path)
    with pytest.raises(TypeError, match="expected a Value, got float"):
        save_graph(2.0, path)
    assert path.read_text() == "old"


LEAF = '{"kind": "input", "data": 2.0, "grad": 0.0, "label": "", "scope": ""}'
NODE = (
    '{"operation": "mul", "data": 4.0, "grad": 0.0, "label": "", "scope": "", "parents": [0, 0], '
    '"local_grads": [2.0, 2.0]}'
)
WHOLE = f'{{"format": "autograd_mini graph", "version": 1, "nodes": [{LEAF}, {NODE}]}}'


def test_the_file_that_the_damaged_ones_are_made_from_is_whole(path):
    path.write_text(WHOLE)
    assert load_graph(path).forward() == 4.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "format version 2"),
        ('"version": 1', '"version": true', "format version True"),
        ("autograd_mini graph", "another", "format"),
        ('"mul"', '"my_own"', "no operation .* 'my_own'"),
        ('"mul"', '"__import__"', "no operation"),
        ('"mul"', '"exp"', "exp takes 1, got 2"),
        ('"mul"', '["mul"]', "no operation"),
        ("[0, 0]", "[0, 1]", "before it, got 1"),
        ("[0, 0]", "[0, -1]", "before it, got -1"),
        ("[0, 0]", "[0, true]", "before it, got True"),
        ("[0, 0]", "[0]", "as many"),
        ("[0, 0]", "0", "list of parents"),
        ('"data": 4.0', '"data": NaN', "NaN is no number"),
        ('"data": 4.0', '"data": 1e999', "expected a number"),
        ('"data": 4.0', '"data": 1' + "0" * 400, "too large"),
        ('"data": 4.0', '"data": 1' + "0" * 5000, "damaged"),
        ('"data": 4.0', '"data": "4"', "expected a number"),
        ('"data": 4.0', '"data": 4.0, "data": 5.0', "twice"),
        ('"kind": "input"', '"kind": "spy"', "'spy'"),
        ('"kind": "input"', '"kind": []', "leaf of kind"),
        ('"kind": "input"', '"kind": "input", "run": 1', "'run'"),
        ('"label": ""', '"label": 3', "expected a text"),
        ('"label": ""', '"label": "\\u0000"', "character"),
        (NODE, LEAF, "lead nowhere"),
        (f"{LEAF}, {NODE}", "", "1 to"),
        (f"{LEAF}, {NODE}", "[" * 100_000 + "]" * 100_000, "damaged"),
        (WHOLE, WHOLE[:-5], "damaged"),
        (WHOLE, "", "damaged"),
        (WHOLE, "[]", "format"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(path, old, new, message):
    assert old in WHOLE
    path.write_text(WHOLE.replace(old, new))
    with pytest.raises(LoadError, match=message):
        load_graph(path)


def test_a_file_of_too_many_parts_is_refused_before_it_is_read(path, monkeypatch):
    from autograd_mini.interchange import graph_files

    monkeypatch.setattr(graph_files, "_NODES", 10)
    monkeypatch.setattr(graph_files.json, "loads", lambda *a, **k: pytest.fail("the file was read"))
    path.write_text("[" + "[]," * 100 + "[]]")
    with pytest.raises(LoadError, match="10 nodes"):
        load_graph(path)
    monkeypatch.setattr(graph_files, "_BYTES", 100)
    with pytest.raises(LoadError, match="100 bytes"):
        load_graph(path)
