"""The labels that modules give, and the names by which a lecture would call what bears them: w¹₂₁, b¹₂, z¹₂, a¹₂.

The layer stands above, neuron and input below, all counted from 1: w¹₂₁ leads in layer 1 to neuron 2 from input 1. The
place that a number goes to comes first, as in a row of the matrix W. A layer that is alone has no number of its own,
w₂₁, and neither has a neuron, w₁. Where an index has two digits commas stand between, w²₁₁,₃; what isn't a list of
layers keeps its name before, encoder.w¹₂₁. Below stand also

- in a convolution the filter, the channel and the place in the kernel, w¹₂₁₃; the filter and the position, z¹₂₄;
- in a recurrent network the step, counted from 1, and the unit, h₃₂; the matrices are w_ih and w_hh;
- of a normalisation the feature, γ¹₂ and β¹₂; in an embedding the row and the place in it, w₃₂.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from autograd_mini.formulas.expression import scripted

_FURTHEST = 1000  # nodes: how far back the parameters of a node's model are looked for
_LISTS_OF_LAYERS = ("layers", "modules")
_BELOW = ("neurons", "steps")  # lists whose numbers stand below
_UNSAID = ("module", "cell")  # the parts of a `Residual` and of an `RNN`
_LETTERS = {"weights": "w", "weight": "w", "bias": "b", "gain": "γ"}
_LETTERS |= {"weight_ih": "w_ih", "weight_hh": "w_hh", "bias_ih": "b_ih", "bias_hh": "b_hh"}  # of a recurrent network
_WAY = re.compile(r"(?:(.*)\.)?([^.]*[^.\d][^.]*)((?:\.\d+)*)")  # to the module, the name there, places in lists
_COUNTED = re.compile(r"([^\W\d_])(\d+(?:,\d+)*)")  # x1, x2,3


class Given(str):
    """The label that a module gave to a node, such as ``layers.0.neurons.1.bias`` or ``z``; a user's is a plain string.

    Parameters
    ----------
    text : str
        The label. That of a parameter is the way to it from the model.
    places : tuple of int, optional
        For a node that a module computed: its place among all that bear this label there, counted from 0.
    layers : Layers, optional
        For a parameter: the layers of its model.

    Examples
    --------
    >>> label = Given("z", (0, 3))
    >>> label == "z", label.places
    (True, (0, 3))
    """

    __slots__ = ("layers", "places")

    layers: Layers | None
    places: tuple[int, ...]

    def __new__(cls, text: str, places: tuple[int, ...] = (), layers: Layers | None = None) -> Given:
        """Make the label."""
        label = super().__new__(cls, text)
        label.places, label.layers = places, layers
        return label

    def __reduce__(self) -> tuple[Any, ...]:
        return Given, (str(self), self.places, self.layers)


@lru_cache(maxsize=1024)
def input_label(i: int) -> Given:
    """Return the label of the i-th number that a layer was called with, counted from 0: x1, x2, …."""
    return Given(f"x{i + 1}")


class Layers:
    """The numbers of a model's layers, counted through all lists of layers, one inside the other or not.

    What has no weights isn't counted, such as an activation or a normalisation: it belongs to the layer before, whose
    number it has.

    Examples
    --------
    >>> layers = Layers()
    >>> for part in ("modules.0", "modules.1", "modules.2"):
    ...     layers.add(part)
    ...     if part != "modules.1":
    ...         layers.add_parameter(f"{part}.neurons.0.", "bias")
    >>> layers.numbers
    {'modules.0': 1, 'modules.1': 1, 'modules.2': 2}
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.norms: set[str] = set()  # the modules that have a gain, whose bias is called β
        self._count: dict[str, int] = defaultdict(int)
        self._counted: set[str] = set()
        self._last: str | None = None

    def add(self, module: str) -> None:
        """Take in a module, before its parameters."""
        for run in _place(module).runs:
            self.numbers.setdefault(run.path, self._count[run.owner])

    def add_parameter(self, prefix: str, name: str) -> None:
        """Take in a parameter of the module that the prefix names, with a dot at its end."""
        if prefix == self._last:
            return  # there was another one of the same module
        self._last, module = prefix, prefix.removesuffix(".")
        if name.startswith("gain"):
            self.norms.add(module)
            return
        for run in _place(module).runs:
            if run.path not in self._counted:
                self._counted.add(run.path)
                self._count[run.owner] += 1
                self.numbers[run.path] = self._count[run.owner]

    def has_weights(self, path: str) -> bool:
        """Return whether a layer has weights, and is counted; of one that isn't known nobody says that it has none."""
        return path in self._counted or path not in self.numbers

    def number(self, path: str) -> int | None:
        """Return the number of a layer, which may have been used in a scope of the user's."""
        while path not in self.numbers:
            _, dot, path = path.partition(".")
            if not dot:
                return None
        return self.numbers[path]


class _Run(NamedTuple):
    """A part of a path in which one list of layers follows the other: its end, and what comes before."""

    path: str
    owner: str


class _Place(NamedTuple):
    """What a path says: the words that stay, the numbers above, of which some are layers to be looked up, and below."""

    words: tuple[str, ...]
    above: tuple[int | _Run, ...]
    below: tuple[int, ...]

    @property
    def runs(self) -> list[_Run]:
        """The layers on the way."""
        return [part for part in self.above if isinstance(part, _Run)]


@lru_cache(maxsize=1 << 16)
def _place(path: str) -> _Place:
    """Read the path of a module, or a scope."""
    words: list[str] = []
    above: list[int | _Run] = []
    below: list[int] = []
    start, end, owner, is_counted = 0, 0, "", False
    for match in re.finditer(r"([^.]+)((?:\.\d+(?=\.|$))*)(?:\.|$)", path):
        word, numbers = match[1], [int(number) + 1 for number in match[2].split(".")[1:]]
        is_list = word in _LISTS_OF_LAYERS and numbers != []
        if is_list or (word in _UNSAID and not numbers):
            if not end:
                owner = path[:start]
            end, is_counted = match.end(2), is_counted or is_list
        else:
            if is_counted:
                above.append(_Run(path[:end], owner))
            end, is_counted = 0, False
            if word in _BELOW:
                below += numbers
            else:
                words.append(word)
                above += numbers
        start = match.end()
    if is_counted:
        above.append(_Run(path[:end], owner))
    return _Place(tuple(words), tuple(above), tuple(below))


class ByLecture:
    """What a lecture would call nodes, by the labels that modules gave to them.

    It remembers what it found, as the nodes of a neuron have much of their names in common.

    Examples
    --------
    >>> from autograd_mini.nn import MLP
    >>> model = MLP(2, [3, 1], "tanh", rng=0)
    >>> called = ByLecture()
    >>> called.name(model.layers[0].neurons[1].weights[0]), called.name(model([1.0, 2.0]))
    ('w¹₂₁', 'z²₁')
    """

    def __init__(self) -> None:
        self._models: dict[Any, Layers | None] = {}
        self._ways: dict[tuple[str, str, Layers | None], tuple[str, list[int], list[int]]] = {}

    def name(self, node: Any) -> str:
        """Return what a lecture would call a node with a `Given` label."""
        label, layers = node.label, node.label.layers
        is_placed = layers is not None or _COUNTED.fullmatch(label)  # a parameter, or an input x1, wherever it is
        way = _WAY.fullmatch(label if is_placed or not node.scope else f"{node.scope}.{label}")
        if way is None:  # a dict of parameters may have any text as a key
            return str(label)
        key = (way[1] or "", way[2], layers or self._model(node))
        if key not in self._ways:
            self._ways[key] = _read(*key)
        letter, above, below = self._ways[key]
        places = [int(place) + 1 for place in way[3].split(".")[1:]]
        return scripted(letter, above, [*below, *places, *[place + 1 for place in label.places]])

    def models(self, order: Sequence[Any]) -> list[list[Any]]:
        """Return the nodes with a `Given` label by the model that they are of, the first to compute coming first.

        The inputs that models made of numbers come last, each by itself.
        """
        nodes = [node for node in order if isinstance(node.label, Given)]
        found: dict[Any, list[Any]] = {self._model(node): [] for node in nodes if node.primitive is not None}
        others: list[list[Any]] = []
        for node in nodes:
            layers = node.label.layers if node.primitive is None else self._model(node)
            if layers is None:
                others.append([node])
            else:
                found.setdefault(layers, []).append(node)
        return [*filter(None, found.values()), *others]

    def title(self, scope: str, nodes: Sequence[Any]) -> str:
        """Return what to call the nodes of one scope: "layer 1, neuron 2"; by the scope where no module made it.

        Examples
        --------
        >>> from autograd_mini.nn import MLP
        >>> a = MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0])
        >>> ByLecture().title(a.scope, [a]), ByLecture().title("mine", [a])
        ('layer 2, neuron 1', 'mine')
        """
        place = _place(scope)
        own = next((node for node in nodes if isinstance(node.label, Given) and node.primitive is not None), None)
        if own is None or len(place.runs) != len(place.above):
            return scope
        layers = self._model(own)
        parts = [*place.words, *[f"layer {_number(run, layers)}" for run in place.runs]]
        parts += [f"{word[:-1]} {int(number) + 1}" for word, number in re.findall(r"(neurons|steps)\.(\d+)", scope)]
        if layers is not None and not all(layers.has_weights(run.path) for run in place.runs):
            return f"{', '.join(parts)} ({'.'.join(scope.split('.')[-2:])})"  # an activation after it, say
        return ", ".join(parts) or scope

    def _model(self, node: Any) -> Layers | None:
        """Return the layers of a node's model: those that the first parameter on the way to the node knows.

        Of a leaf that a model made, such as the mask of a `Dropout`, those of the model that was met last.
        """
        way: list[Any] = []
        found: Layers | None = None
        while node not in self._models and len(way) < _FURTHEST:
            way.append(node)
            found = next((u.label.layers for u in node.parents if isinstance(u.label, Given) and u.label.layers), None)
            if found is not None or not node.parents:
                break
            node = node.parents[0]
        found = found or self._models.get(node) or self._models.get(None)
        self._models.update(dict.fromkeys([*way, None] if found else way, found))
        return found


def _read(path: str, own: str, layers: Layers | None) -> tuple[str, list[int], list[int]]:
    """Return the letter, with the words that stand before it, and the numbers above and below it."""
    letter, places = _LETTERS.get(own, own), []
    if own == "bias" and layers is not None and path in layers.norms:
        letter = "β"
    counted = _COUNTED.fullmatch(own)
    if counted is not None:
        letter, places = counted[1], [int(number) for number in counted[2].split(",")]
    words, above, below = _place(path)
    numbers = [part if isinstance(part, int) else _number(part, layers) for part in above]
    return ".".join([*words, letter]), numbers, [*below, *places]


def _number(run: _Run, layers: Layers | None) -> int:
    """Return the number of a layer; of one in an unknown model its place in the list that it is in."""
    number = None if layers is None else layers.number(run.path)
    return int(re.findall(r"\d+", run.path)[-1]) + 1 if number is None else number
