"""Pictures: the computational graph and the network, drawn on any machine.

`graph_picture` and `network` decide what is shown, and describe it as plain data (`picture`). From this description
`drawing` writes DOT for Graphviz, and where there is no Graphviz `layout` places it and `svg` writes it; so both show
the same. `stepper` (`step_through`) and `live` (`watch`) make pages, by `page`; `plots` draws with Matplotlib.
"""

from autograd_mini.views.digraph import draw
from autograd_mini.views.stepper import Stepper, step_through

__all__ = ["Stepper", "draw", "step_through"]
