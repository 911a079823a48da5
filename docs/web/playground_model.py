"""What the playground asks of Python: each function takes a JSON text, and returns one.

It runs in the browser, on Pyodide without NumPy, and where the site is built. The network is made of the engine's own
nodes here, one example's loss; both passes over it, read once as formulas, become the list of calls that the page runs
over all examples. `autograd_mini.nn` needs NumPy; a test holds these networks to its `MLP`, its losses and penalties.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from autograd_mini import step_through
from autograd_mini.cli.tables import Table, TableError, Task, as_number, read_table, target_of
from autograd_mini.engine import functions, graph
from autograd_mini.engine.further import MINUS_LOG_SOFTMAX
from autograd_mini.engine.value import Parameter, Value
from autograd_mini.explanations.labels import input_label
from autograd_mini.formulas.expression import number, scripted, symbol
from autograd_mini.views import colours
from autograd_mini.views.live.marks import BOLD, place, tag, text
from autograd_mini.views.live.network_panel import NetworkPanel, legend
from autograd_mini.views.stepper import tape

ACTIVATIONS = ("tanh", "relu", "sigmoid", "leaky_relu", "elu", "softplus", "silu", "gelu", "identity")
LOSSES = {"two classes": "binary_cross_entropy_with_logits", "classes": "cross_entropy", "numbers": "squared_error"}
MOST_LAYERS, MOST_NEURONS, MOST_WEIGHTS = 5, 16, 1000
MOST_ROWS, MOST_FEATURES, MOST_CLASSES = 5_000, 12, 6
PANEL = (430.0, 270.0)


class Refused(ValueError):
    """What was asked for isn't done here, and why."""


# ------------------------------------------------------------------------------------------------- the network


class Network:
    """A network of the engine's nodes, with one example at its inputs.

    Attributes
    ----------
    parameters : list of Parameter
        Layer by layer, neuron by neuron: its weights, then its bias.
    inputs : list of Value
        The features.
    columns : list of list of Value
        The activations of each column, the features first.
    """

    def __init__(self, sizes: Sequence[int], activation: str, numbers: Sequence[float], x: Sequence[float]) -> None:
        left = iter(numbers)
        self.parameters: list[Value] = []
        self.inputs = [Value(data, label=input_label(i)) for i, data in enumerate(x)]
        self.columns: list[list[Value]] = [self.inputs]
        for layer, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
            kind = activation if layer < len(sizes) - 1 else "identity"
            self.columns.append([self._neuron(layer, j, n_in, kind, left) for j in range(1, n_out + 1)])

    def _neuron(self, layer: int, j: int, n_in: int, activation: str, left: Any) -> Value:
        weights = [Parameter(next(left), label=scripted("w", [layer], [j, i])) for i in range(1, n_in + 1)]
        bias = Parameter(next(left), label=scripted("b", [layer], [j]))
        self.parameters += [*weights, bias]
        z = functions.dot(weights, self.columns[layer - 1], bias)
        z.label = scripted("z", [layer], [j])
        if activation == "identity":
            return z
        a: Value = getattr(functions, activation)(z)
        a.label = scripted("a", [layer], [j])
        return a


def example_loss(task: str, outputs: Sequence[Value], target: Value) -> Value:
    """Return the loss of one example, as `autograd_mini.nn` has it."""
    if task == "classes":
        chosen: Value = functions.call(MINUS_LOG_SOFTMAX, target, *outputs)
        return chosen
    [z] = outputs
    if task == "numbers":
        return (z - target) ** 2
    loss: Value = target * functions.softplus(-z) + (1.0 - target) * functions.softplus(z)
    return loss


def measured(kind: str, weights: list[Value]) -> Value:
    """Return what λ is multiplied with, as `autograd_mini.nn` has it."""
    if kind == "L1":
        return functions.sum([functions.abs(w) for w in weights])
    if kind == "L2":
        return functions.dot(weights, weights)
    return functions.sum([w * w / (1.0 + w * w) for w in weights])


def passes(root: Value, leaves: Sequence[Value], wanted: Sequence[Value], more: Sequence[Value] = ()) -> dict[str, Any]:
    """Return both passes as calls over numbered places: the leaves' come first, each call's result takes the next.

    Returns
    -------
    dict
        ``calls``, each one a function's name and the places of its arguments, ``["#", x]`` a number; how many of them
        are the ``forward`` pass; the places of the ``value``, of the wanted leaves' ``gradients``, and of ``more``.
    """
    order = graph.topological_order(root)
    known = {leaf: symbol(f"a{i}") for i, leaf in enumerate(leaves)}
    values = graph.evaluate(order, tape.XP, {**known, **{n: number(n.data) for n in order if n.kind == "constant"}})

    def local_grads(v: Value) -> Any:
        assert v.primitive is not None  # no leaf is asked
        return v.primitive.derivatives(tape.XP, values[v], *[values[u] for u in v.parents])

    found = graph.gradients(order, number(1.0), local_grads)
    zero = number(0.0)
    results = [values[root], *[values[node] for node in more], *[found.get(node, zero) for node in wanted]]
    calls, places = tape.calls_for([known[leaf] for leaf in leaves], results)
    forward = max([p - len(leaves) + 1 for p in places[: 1 + len(more)]], default=0)
    return {
        "inputs": len(leaves),
        "calls": calls,
        "forward": forward,
        "value": places[0],
        "more": places[1 : 1 + len(more)],
        "gradients": places[1 + len(more) :],
    }


def network(request: str) -> str:
    """Return what the page needs to train and to draw a network of the ``sizes``, ``activation`` and ``task`` asked.

    ``example`` is both passes over one example's loss: its inputs are the parameters, the features and the target;
    ``more`` are the outputs and the activations. ``penalty`` is the same of Σ |w| and the like, over the weights.
    """
    asked = json.loads(request)
    sizes, activation, task = checked_network(asked["sizes"], asked["activation"], asked["task"])
    count = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    net = Network(sizes, activation, [0.5] * count, [0.5] * sizes[0])
    target = Value(1.0, label="t")
    loss = example_loss(task, net.columns[-1], target)
    activations = [node for column in net.columns[1:] for node in column]
    is_weight = [node.label.startswith("w") for node in net.parameters]
    weights = [node for node, is_one in zip(net.parameters, is_weight, strict=True) if is_one]
    panel = NetworkPanel(sizes, headings(sizes, activation), *PANEL)
    answer = {
        "sizes": sizes,
        "activation": activation,
        "task": task,
        "names": [node.label for node in net.parameters],
        "isWeight": is_weight,
        "example": passes(loss, [*net.parameters, *net.inputs, target], net.parameters, activations),
        "penalties": {kind: passes(measured(kind, weights), weights, weights) for kind in ("L1", "L2", "elimination")},
        "panels": panels(panel),
        "look": asdict(panel.look),
    }
    return json.dumps(answer)


def checked_network(sizes: Any, activation: str, task: str) -> tuple[list[int], str, str]:
    """Return what was asked for; raises `Refused` where it isn't a network, or one too large for the page."""
    hidden = sizes[1:-1]
    if len(hidden) > MOST_LAYERS or any(not 1 <= n <= MOST_NEURONS for n in hidden):
        raise Refused(f"The page takes up to {MOST_LAYERS} hidden layers of 1 to {MOST_NEURONS} neurons.")
    count = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    if count > MOST_WEIGHTS:
        raise Refused(
            f"This network has {count:,} weights; the page takes up to {MOST_WEIGHTS:,}. Make a layer smaller."
        )
    if activation not in ACTIVATIONS or task not in LOSSES:
        raise Refused(f"There is no activation {activation!r}, or nothing to learn called {task!r}.")
    return list(sizes), activation, task


def headings(sizes: Sequence[int], activation: str) -> list[str]:
    """Return what stands below each column."""
    return ["inputs", *[activation] * (len(sizes) - 2), "identity"]


def panels(panel: NetworkPanel) -> str:
    """Return the network's two panels, of weights and of gradients, with all numbers at 0, for watch.js to fill."""
    count, circles = sum(a * b for a, b in pairwise(panel.sizes)), sum(panel.sizes[1:])
    below = PANEL[1] + 38.0
    made = []
    for kind, left, of, title in [
        ("am-weights", 0.0, "w", "weights, and activations of the example"),
        ("am-gradients", 450.0, "∂L/∂w", "gradients ∂L/∂w on the lines, ∂L/∂b in the circles"),
    ]:
        features: list[float | None] = [0.0 if kind == "am-weights" else None] * panel.sizes[0]
        drawn = panel.svg([0.0] * count, 1.0, [*features, *[0.0] * circles], [1.0] * len(panel.sizes), kind)
        inside = [text(title, 0, -12, **BOLD), *drawn]
        of_line = "am-ink am-reach" if kind == "am-weights" else "am-ink am-widest"
        inside.append(text(f"widest line: |{of}|", 0, below, 11, class_=of_line, fill=colours.TEXT))
        if kind == "am-weights":
            inside.append(legend(PANEL[0], below))
        room = {"data_width": PANEL[0], "data_height": below}
        made.append(tag("g", *inside, class_="am-part am-stretched", transform=f"translate({place(left)} 54)", **room))
    return "".join(made)


# ------------------------------------------------------------------------------------------------- the stepper


def step(request: str) -> str:
    """Return the stepper of a neuron, for one example; of the output neurons, the loss with them.

    The neuron's inputs are leaves with the activations of the column before. ``neuron`` is its layer and its number,
    counted from 1 and from 0; without one it is the loss of the whole network.
    """
    asked = json.loads(request)
    sizes, activation, task = checked_network(asked["sizes"], asked["activation"], asked["task"])
    net = Network(sizes, activation, asked["numbers"], asked["x"])
    target = Value(asked["target"], label="t")
    if asked.get("neuron") is None:
        root = example_loss(task, net.columns[-1], target)
        root.label = "L"
        return json.dumps({"payload": step_through(root, what_if=net.parameters[:40]).payload})
    layer, j = asked["neuron"]
    before = [Value(node.data, label=node.label) for node in net.columns[layer - 1]]
    is_last = layer == len(sizes) - 1
    first = sum((a + 1) * b for a, b in pairwise(sizes[:layer]))
    width = sizes[layer - 1] + 1
    rows = range(sizes[layer]) if is_last else [j]
    outputs = [
        _neuron_of(net.parameters[first + k * width :][:width], before, layer, k, activation if not is_last else "")
        for k in rows
    ]
    leaves = [*net.parameters[first + j * width :][:width], *before]
    root = outputs[0]
    if is_last:
        root = example_loss(task, outputs, target)
        root.label = "L"
        leaves.append(target) if task != "classes" else None
    return json.dumps({"payload": step_through(root, what_if=leaves).payload})


def _neuron_of(parameters: Sequence[Value], inputs: list[Value], layer: int, k: int, activation: str) -> Value:
    z = functions.dot(list(parameters[:-1]), inputs, parameters[-1])
    z.label = scripted("z", [layer], [k + 1])
    if activation in ("", "identity"):
        return z
    a: Value = getattr(functions, activation)(z)
    a.label = scripted("a", [layer], [k + 1])
    return a


# --------------------------------------------------------------------------------------------- tables of one's own


def table(request: str) -> str:
    """Return the columns of a CSV text: ``rows`` of numbers, ``targets``, ``classes``, and ``notes`` of what was done.

    The request has the ``text``, the ``header`` and the ``task`` (null where the page is to find out), and the target's
    column, ``target``. All
    numbers are scaled to a mean of 0 and a standard deviation of 1. What is wrong is told with its line.
    """
    asked = json.loads(request)
    try:
        return json.dumps(
            _table(asked["text"], asked.get("header"), asked.get("target") or "", asked.get("task") or None)
        )
    except TableError as error:
        return json.dumps({"problem": _in_the_page(str(error))})


def _in_the_page(words: str) -> str:
    """Return a message of the command line's with what one does in the page instead."""
    for option, choice in [
        ("add --header yes or no", "say so under “first line”"),
        ("or --header no", "or choose data under “first line”"),
        ("use --task classification", "say so under “target is”"),
        ("classes with --task classification", "classes if “target is” says so"),
        ("for numbers use --task regression", "if it is a number, say so under “target is”"),
    ]:
        words = words.replace(option, choice)
    return words


def _table(content: str, has_header: bool | None, target: str, task: Task | None) -> dict[str, Any]:
    cells, notes = _read(content, has_header)
    if len(cells.rows) > MOST_ROWS:
        raise TableError(f"data.csv has {len(cells.rows):,} rows; the page takes up to {MOST_ROWS:,}")
    cells, of_commas = _with_points(cells)
    notes += of_commas
    target = cells.column(target) if target else cells.header[-1]
    task, values, classes = target_of(cells, target, task)
    if len(classes) > MOST_CLASSES:
        raise TableError(f"column {target!r} has {len(classes)} classes; the page takes up to {MOST_CLASSES}")
    names, columns, scales = [], [], []
    for name in cells.header:
        if name == target:
            continue
        if not any(as_number(cell) is not None for cell in cells.cells(name)):
            notes.append(f"column {name!r} is text, and left out: the network's inputs are numbers")
            continue
        numbers = cells.column_of_numbers(name)
        mean, spread = statistics.fmean(numbers), statistics.pstdev(numbers)
        if not spread:
            notes.append(f"column {name!r} is {numbers[0]:g} in every row, and left out")
            continue
        names.append(name)
        scales.append([mean, spread])
        columns.append([(x - mean) / spread for x in numbers])
    if not names:
        raise TableError("data.csv has no column of numbers beside the target; the network needs at least one input")
    if len(names) > MOST_FEATURES:
        raise TableError(
            f"data.csv has {len(names)} columns of numbers beside the target; the page takes up to {MOST_FEATURES}"
        )
    scaled = None
    if task == "regression":
        scaled = [statistics.fmean(values), statistics.pstdev(values)]
        values = [(t - scaled[0]) / scaled[1] for t in values]
    notes.append("every column of numbers is scaled to mean 0 and standard deviation 1")
    return {
        "task": "numbers" if task == "regression" else "two classes" if len(classes) == 2 else "classes",
        "columns": cells.header,
        "names": names,
        "target": target,
        "rows": [list(row) for row in zip(*columns, strict=True)],
        "targets": values,
        "classes": classes,
        "scales": scales,
        "targetScale": scaled,
        "notes": notes,
    }


def _read(content: str, has_header: bool | None) -> tuple[Table, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_text(content, encoding="utf-8")
        try:
            return _renamed(read_table(path, has_header))
        except TableError as error:
            if has_header is None and "the first line holds numbers" in str(error):
                found, notes = _renamed(read_table(path, has_header=False))
                return found, [*notes, "the first line holds numbers, so the columns are called 1, 2, …"]
            raise TableError(str(error).replace(str(path), "data.csv")) from None


def _renamed(found: Table) -> tuple[Table, list[str]]:
    return Table("data.csv", found.header, found.rows, found.lines), found.notes


def _with_points(cells: Table) -> tuple[Table, list[str]]:
    """Return a table whose decimal commas are points, in the columns where no number has a point."""
    changed, rows = [], [list(row) for row in cells.rows]
    for column, name in enumerate(cells.header):
        numbers = [row for row in rows if as_number(row[column].replace(",", ".", 1)) is not None]
        with_comma = [row for row in numbers if "," in row[column]]
        if with_comma and not any("." in row[column] for row in numbers):
            changed.append(name)
            for row in with_comma:
                row[column] = row[column].replace(",", ".", 1)
    notes = [f"commas are read as decimal points in {', '.join(map(repr, changed))}"] if changed else []
    return Table(cells.path, cells.header, rows, cells.lines), notes
