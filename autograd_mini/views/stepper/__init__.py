"""The stepper: the forward and the backward pass of a graph as a page that one steps through.

`payload` makes plain data of the records, `tape` programs of the table of primitives, `pictures` the drawings; `page`
packs them with the script and the style sheet into one piece of HTML.
"""

from autograd_mini.views.stepper.stepper import Stepper, step_through

__all__ = ["Stepper", "step_through"]
