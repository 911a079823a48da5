"""Graphs and models in files and forms that other programs read.

Each name is imported when it is first used, with what it needs: graph files need nothing but Python.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_mini.interchange.graph_files import load_graph, save_graph
    from autograd_mini.interchange.networkx_graphs import to_networkx
    from autograd_mini.interchange.onnx_models import export_onnx
    from autograd_mini.interchange.safetensors_files import load_safetensors, save_safetensors
    from autograd_mini.interchange.sklearn_models import from_sklearn
    from autograd_mini.interchange.torch_models import from_torch, load_torch_state, to_torch, torch_state

_FILES = {
    "export_onnx": "onnx_models",
    "from_sklearn": "sklearn_models",
    **dict.fromkeys(("from_torch", "load_torch_state", "to_torch", "torch_state"), "torch_models"),
    **dict.fromkeys(("load_graph", "save_graph"), "graph_files"),
    **dict.fromkeys(("load_safetensors", "save_safetensors"), "safetensors_files"),
    "to_networkx": "networkx_graphs",
}

__all__ = [
    "export_onnx",
    "from_sklearn",
    "from_torch",
    "load_graph",
    "load_safetensors",
    "load_torch_state",
    "save_graph",
    "save_safetensors",
    "to_networkx",
    "to_torch",
    "torch_state",
]


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
    return globals()[name]


def __dir__() -> list[str]:
    return __all__
