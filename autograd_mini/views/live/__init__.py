"""A training as it happens, and epoch by epoch afterwards: network, gradients, loss curve and decision boundary.

- `recording` keeps a copy of the parameters every so many epochs; `measuring` computes from a copy what is shown.
- `figure` draws a frame as SVG, which a notebook shows while it trains; `page` puts all frames into a page with a
  slider, in which `watch.js` changes colours, widths and texts of the same SVG.
"""

from autograd_mini.views.live.recording import Frame
from autograd_mini.views.live.watcher import Watcher, watch

__all__ = ["Frame", "Watcher", "watch"]
