"""Pictures: the computational graph and the network, drawn on any machine.

What to show is decided in `graph_picture` and `network`, as a plain description (`picture`). `layout` places it and
`svg` writes it; `drawing` writes it as DOT where Graphviz is to place it, so that the two never show different things.
`stepper` steps through the passes in a drawing that `layout` placed.
"""

from autograd_mini.views.digraph import draw
from autograd_mini.views.stepper import Stepper, step_through

__all__ = ["Stepper", "draw", "step_through"]
