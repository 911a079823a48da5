"""Pictures: the computational graph and the network, drawn on any machine.

What to show is decided in `graph_picture` and `network`, as a plain description (`picture`); `dot_source` writes it as
DOT for Graphviz, `layout` and `svg` draw it themselves where there is no Graphviz, so that the two never differ.
`stepper` steps through the passes in such a drawing.
"""

from autograd_mini.views.digraph import draw
from autograd_mini.views.stepper import Stepper, step_through

__all__ = ["Stepper", "draw", "step_through"]
