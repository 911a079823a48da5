"""Names for the arrays of a program: from the modules' scopes and the nodes' labels, as a reader would call them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

from autograd_mini.vectorizer.groups import Group
from autograd_mini.vectorizer.scalars import Scalars

RESERVED = frozenset("np jnp jax run n seed theta gradient bind forward backward math functools erf examples".split())
FUNCTIONS = frozenset(  # NumPy's, which a program imports by name: looking them up took a tenth of a small call
    "add subtract multiply divide power less greater greater_equal equal logical_and logical_or maximum minimum "
    "negative absolute arcsin arccos arctan exp expm1 log log1p sqrt sin cos tan sinh cosh tanh sign".split()
)
_PART_OF_A_LAYER = re.compile(r"\.?neurons(\.\d+)?$")


class Names:
    """Hands out names, each once."""

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._taken = {*RESERVED, *FUNCTIONS, *taken}
        self._last: dict[str, int] = {}

    def new(self, wanted: str) -> str:
        """Return the name, with a number where it is taken."""
        base = name = identifier(wanted)
        k = self._last.get(base, 0 if base in FUNCTIONS else 1)
        while name in self._taken:
            k += 1
            name = f"{base}_{k}"
        self._last[base] = k
        self._taken.add(name)
        return name


def identifier(wanted: str) -> str:
    """Return a name in which only letters, digits and underscores are left.

    Examples
    --------
    >>> identifier("layers.0.z"), identifier("x 1"), identifier("lambda")
    ('layers_0_z', 'x_1', 'lambda_')
    """
    name = re.sub(r"[^0-9A-Za-zΑ-Ωα-ω_]+", "_", wanted).strip("_") or "v"
    name = f"v{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


def group_name(scalars: Scalars, group: Group) -> str:
    """Return what to call the array of a group: ``layers_0_z``, ``loss``, ``mul``."""
    labelled = [scalars.labels(i) for i in group.nodes[:64]]
    scope = common_scope([scope for scope, _ in labelled])
    labels = {label for _, label in labelled}
    label = labels.pop() if len(labels) == 1 else ""
    if not label:
        label = _operation_name(scalars, group)
    return f"{scope}.{label}" if scope else label


def _operation_name(scalars: Scalars, group: Group) -> str:
    primitive = scalars.primitive[group.nodes[0]]
    return "fixed" if primitive is None else {"add": "sum", "sub": "difference"}.get(primitive.name, primitive.name)


def common_scope(scopes: Sequence[str]) -> str:
    """Return the module that all nodes belong to; a layer rather than its neurons.

    Examples
    --------
    >>> common_scope(["layers.0.neurons.0", "layers.0.neurons.1"]), common_scope(["a.b", "c"])
    ('layers.0', '')
    """
    shared: list[str] = []
    for level in zip(*[scope.split(".") for scope in scopes], strict=False):  # as deep as the shallowest
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return _PART_OF_A_LAYER.sub("", ".".join(shared))
