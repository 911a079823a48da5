"""A training as it happens, and epoch by epoch afterwards: network, gradients, loss curve and decision boundary.

- `measuring` keeps a copy of the parameters every so many epochs, and computes from a copy what is shown.
- `figure` draws a frame as SVG, which a notebook shows while it trains; `data` has what `watch.js` needs to change
  colours, widths and texts of the same SVG, in a page with a slider over the epochs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_mini.views.live.measuring import Frame
    from autograd_mini.views.live.watcher import Watcher, watch

__all__ = ["Frame", "Watcher", "watch"]

_FILES = {"Frame": "measuring", "Watcher": "watcher", "watch": "watcher"}


def __getattr__(name: str) -> Any:
    """Return a public name; its file is imported when it is first used, as the network's panel runs without NumPy."""
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
