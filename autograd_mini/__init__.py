"""Scalar reverse-mode automatic differentiation in which you can watch the chain rule happen.

>>> import autograd_mini as ag
>>> a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
>>> L = a * b + a**2
>>> L.backward()
>>> a.grad, b.grad
(1.0, 2.0)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd_mini.elsewhere import missing
from autograd_mini.engine import functions
from autograd_mini.engine.functions import *
from autograd_mini.engine.modes import detect_anomaly, enable_grad, no_grad, scope
from autograd_mini.engine.value import Constant, Parameter, Value
from autograd_mini.errors import (
    AnomalyError,
    GradientCheckError,
    LoadError,
    MissingDependencyError,
    ProgramError,
    TraceError,
)

if TYPE_CHECKING:
    from autograd_mini import datasets, graph, nn, optim, teaching
    from autograd_mini.engine import derivatives
    from autograd_mini.engine.defining import operation
    from autograd_mini.engine.derivatives import check_gradients, grad, hessian, jacobian, value_and_grad
    from autograd_mini.explanations.latex import to_latex
    from autograd_mini.explanations.python import to_python
    from autograd_mini.explanations.steps import backward_steps, explain, finite_difference, forward_steps
    from autograd_mini.explanations.table import derivative_table
    from autograd_mini.serialization import load, save
    from autograd_mini.training import Trainer
    from autograd_mini.vectorizer import vectorize
    from autograd_mini.views import draw, step_through
    from autograd_mini.views.live import watch

__version__ = "0.1.0"

# Where the other public names are. A room is imported when one of its names is first used, so that importing the
# package stays quick and needs no NumPy.
_ROOMS = {
    **{room: room for room in ("datasets", "graph", "nn", "optim", "teaching")},
    "derivatives": "engine.derivatives",
    "functions": "engine.functions",
    **dict.fromkeys(("backward_steps", "explain", "finite_difference", "forward_steps"), "explanations.steps"),
    **dict.fromkeys(("check_gradients", "grad", "hessian", "jacobian", "value_and_grad"), "engine.derivatives"),
    **dict.fromkeys(("load", "save"), "serialization"),
    "operation": "engine.defining",
    "Trainer": "training",
    "vectorize": "vectorizer",
    "derivative_table": "explanations.table",
    "to_latex": "explanations.latex",
    "to_python": "explanations.python",
    "draw": "views",
    "step_through": "views",
    "watch": "views.live",
}


def __getattr__(name: str) -> Any:
    """Return a public name that is defined in another room than the engine."""
    if name not in _ROOMS:
        raise missing(__name__, name)
    room = import_module(f"{__name__}.{_ROOMS[name]}")
    return room if name == _ROOMS[name].rpartition(".")[2] else getattr(room, name)


def _notebook_card(value: Value) -> str:
    """Return a Value as HTML, for a notebook."""
    card = import_module(f"{__name__}.explanations.card")
    return card.card(value)  # type: ignore[no-any-return]


Value._repr_html_ = _notebook_card


def __dir__() -> list[str]:
    own = (name for name in globals() if name.startswith("__"))
    return sorted({*own, *_ROOMS, *__all__, *_PYTHONS})


__all__ = [
    "AnomalyError",
    "Constant",
    "GradientCheckError",
    "LoadError",
    "MissingDependencyError",
    "Parameter",
    "ProgramError",
    "TraceError",
    "Trainer",
    "Value",
    "backward_steps",
    "check_gradients",
    "datasets",
    "derivative_table",
    "detect_anomaly",
    "draw",
    "enable_grad",
    "explain",
    "finite_difference",
    "forward_steps",
    "grad",
    "graph",
    "hessian",
    "jacobian",
    "load",
    "nn",
    "no_grad",
    "operation",
    "optim",
    "save",
    "scope",
    "step_through",
    "teaching",
    "to_latex",
    "to_python",
    "value_and_grad",
    "vectorize",
    "watch",
]
__all__ += functions.__all__
# They are left out, as NumPy does, so that `from autograd_mini import *` hides no function of Python's.
_PYTHONS = ("abs", "pow", "sum")
for _name in _PYTHONS:
    __all__.remove(_name)
__all__.sort()
