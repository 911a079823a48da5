"""A training as it happens, and epoch by epoch afterwards: network, gradients, loss curve and decision boundary.

- `measuring` keeps a copy of the parameters every so many epochs, and computes from a copy what is shown.
- `figure` draws a frame as SVG, which a notebook shows while it trains; `data` has what `watch.js` needs to change
  colours, widths and texts of the same SVG, in a page with a slider over the epochs.
"""

from autograd_mini.views.live.measuring import Frame
from autograd_mini.views.live.watcher import Watcher, watch

__all__ = ["Frame", "Watcher", "watch"]
